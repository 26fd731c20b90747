"""The update: a step against the gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nodeflow.declare import Many, Samples, Value, node
from nodeflow.errors import GraphError, MissingInput, ShapeMismatch
from nodeflow.nodes.backward import bias_gradient, weight_gradient
from nodeflow.shape import Shape
from nodeflow.workings.given import Given
from nodeflow.workings.parts import Index, Part, of
from nodeflow.workings.shown import show


@node(
    "update",
    formula="Θ ← Θ − αD",
    outputs=("value",),
    shapes="s, s, 1 -> s",
    aliases=("descend", "learn"),
    noun="the new weight",
)
def weight_update(parameter: Value, gradient: Value, rate: Value | None = None) -> Value:
    """Nudge a parameter against its gradient; its feedback wire goes to `parameter.next`.

    Without a wire the rate α is the one that the graph trains with.
    """
    return parameter - _number(rate) * gradient


@weight_update.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    weight, gradient = (given.one(port).at(index).value for port in ("parameter", "gradient"))
    rate = given.one("rate").at((0,)).value
    said = f"That is Θ − D without the rate: multiply the gradient by α = {show(rate)}."
    yield "rate", weight - gradient, said
    said = "That is Θ + αD: an update goes against the gradient, Θ − αD."
    yield "minus", weight + rate * gradient, said


@weight_update.in_programs
def _(s: Any, key: str) -> str:
    gradient, rate = s.grouped(s.one(key, "gradient")), s.rate(key)
    if not rate.startswith("-"):
        return f"{s.one(key, 'parameter')} - {rate} * {gradient}"
    # By a negative number of its own, a trainer adds something to what it keeps.
    s.remark("")
    rate = rate.removeprefix("-")
    added = f"{rate} * {gradient}" if rate != "1" else gradient
    return f"{s.one(key, 'parameter')} + {added}"


@weight_update.in_onnx
def _(s: Any, key: str) -> str:
    moved = s.product(s.one(key, "gradient"), s.rate(key))
    return str(s.node("Sub", s.one(key, "parameter"), moved))


@weight_update.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    nudge = of("*", given.one("rate").at((0,)), given.one("gradient").at(index))
    return (of("-", given.one("parameter").at(index), nudge),)


@weight_update.rows_over_all
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    theta, gradient = inputs["parameter"][0].offset, inputs["gradient"][0].offset
    t.whole("update", out, theta, gradient, inputs["rate"][0].offset)


def _number(rate: Value | None) -> Value:
    if rate is None:
        raise GraphError("an update needs its input 'rate': a graph may have one for all of them")
    return np.reshape(rate, ())


def _stepped(
    settings: dict[str, Any],
    parameter: Shape,
    delta: Shape,
    a: Shape | None = None,
    rate: Shape | None = None,
) -> tuple[Shape, ...]:
    del settings
    if rate is not None and (rate.batch or rate.flat not in ((1, 1), (None, 1))):
        raise ShapeMismatch(f"the rate is {rate}, and a single number is wanted")
    if parameter.batch:
        raise ShapeMismatch(f"the parameter is {parameter}: what has a sample axis is no parameter")
    for name, value in (("delta", delta), ("a", a)):
        if value is not None and not value.single_row():
            raise ShapeMismatch(f"{name} is {value}, and one row per sample is wanted")
    made = Shape((delta.features,)) if a is None else Shape((delta.features, a.features))
    if not parameter.same(made):
        if a is None and len(parameter.dims) == 2:
            # Not wired yet: no wire into the other inputs is refused for it.
            raise MissingInput(
                f"the parameter is {parameter}, a matrix of weights: wire what the weights take "
                "into 'a' (without it the step is that of a bias)"
            )
        of = f"δ ({delta})" if a is None else f"δ ({delta}) and a ({a})"
        is_turned = made.flat == parameter.flat[::-1]
        swapped = ": its inputs delta and a are swapped" if is_turned else ""
        raise ShapeMismatch(
            f"the parameter is {parameter}, and the gradient of {of} is {made}{swapped}"
        )
    return (parameter,)


@node(
    "update",
    formula="Θ ← Θ − α δaᵀ/n",
    outputs=("value",),
    shapes=_stepped,
    aliases=("descend", "learn", "gradient, average and update in one"),
)
def step(
    parameter: Value,
    delta: Value,
    a: Many = None,
    rate: Value | None = None,
    *,
    samples: Samples = 1,
) -> Value:
    """Gradient, average and update in one: Θ ← Θ − α Σ δaᵀ / n; `explode` shows the three.

    Without a wire into `a` the parameter is a bias, whose input is always 1: b ← b − α Σ δ / n.
    Without a wire into `rate` α is the one that the graph trains with. The feedback wire of
    `value` goes to `parameter.next`.
    """
    inputs = np.ones((1, 1), delta.dtype) if a is None else a
    gradient = weight_gradient.function(np.atleast_2d(delta), np.atleast_2d(inputs))
    return parameter - _number(rate) * (gradient / samples).reshape(np.shape(parameter))


@step.in_programs
def _(s: Any, key: str) -> str:
    weights, delta = s.one(key, "parameter"), s.one(key, "delta")
    share = "" if s.samples == "1" else f" / {s.samples}"
    if s.all(key, "a"):
        return f"{weights} - {s.rate(key)} * ({delta}.T @ {s.one(key, 'a')}{share})"
    return f"{weights} - {s.rate(key)} * {s.over_samples(delta)}{share}"


@step.in_onnx
def _(s: Any, key: str) -> str:
    gradient = (weight_gradient if s.all(key, "a") else bias_gradient).operators
    moved = s.product(s.shared(gradient and gradient(s, key)), s.rate(key))
    return str(s.node("Sub", s.one(key, "parameter"), moved))
