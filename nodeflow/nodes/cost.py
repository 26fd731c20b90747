"""Costs: how far the outputs are from the targets. One number a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from nodeflow.declare import Blame, Output, Penalty, Range, Value, node
from nodeflow.errors import ShapeMismatch
from nodeflow.nodes.activation import softplus
from nodeflow.nodes.arithmetic import exp, log, subtract, times
from nodeflow.shape import Shape

_COST = "(n,f), (n,f) -> (n,1)"
ROUNDED = 1e-14
"""Shares of a softmax add up to 1 as exactly as this."""
NOTHING = -1e30
"""Stands for ln 0 where a product with 0 has to be 0; float32 has it too."""


@node(
    "cost",
    formula="e = a − y",
    shapes="(n,f), (n,f) -> (n,f)",
    aliases=("residual",),
    calculation="a - y",
    noun="the error",
)
def error(a: Value, y: Value) -> Value:
    """Subtract the target from the output: e = a − y, the sign is the same everywhere."""
    return a - y


@error.backward
def _(blame: Blame, a: Output, y: Output, e: Output) -> Mapping[str, Any]:
    return {"a": blame, "y": lambda: times(blame, -1.0)}


@node(
    "cost",
    formula="C = Σ e²",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "quadratic cost", "mse", "sse"),
)
def squared_error(a: Value, y: Value, *, half: bool = False) -> Value:
    """Add up the squared errors of a sample: C = Σ (a − y)², or half of it."""
    e = a - y
    cost = (e * e).sum(axis=-1, keepdims=True)
    return 0.5 * cost if half else cost


@squared_error.backward
def _(blame: Blame, a: Output, y: Output, cost: Output, *, half: bool) -> Mapping[str, Any]:
    def back() -> Any:
        return times(blame, 1.0 if half else 2.0, error(a, y))

    return {"a": back, "y": lambda: times(-1.0, back())}


def _clear(a: Value) -> Value:
    """Keep outputs off 0 and 1, where the logarithm has no value."""
    tiny = np.finfo(a.dtype).tiny
    return np.clip(a, tiny, None)


@node(
    "cost",
    formula="C = −Σ (y ln a + (1−y) ln(1−a))",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "binary cross entropy", "log loss", "logistic cost"),
    title="cross-entropy",
)
def cross_entropy(a: Value, y: Value) -> Value:
    """Count the surprise of each output as the probability of its target, 0 or 1.

    a must lie in 0 … 1, as after a sigmoid.
    """
    return -(y * np.log(_clear(a)) + (1 - y) * np.log(_clear(1 - a))).sum(axis=-1, keepdims=True)


@cross_entropy.of_sums(
    "sigmoid", formula="C = Σ (ln(1 + e^z) − y z)", slope=lambda z: times(-1.0, z)
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ (y ln σ(z) + (1−y) ln(1−σ(z))); no power of e leaves the range of numbers."""
    parts = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return parts.sum(axis=-1, keepdims=True)


@cross_entropy.through("sigmoid")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, error(a, y))


@cross_entropy.vjp
def _cross_entropy_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through cross-entropy: b (a − y) / (a (1 − a))."""
    return blame * ((1 - y) / _clear(1 - a) - y / _clear(a))


@cross_entropy.backward
def _(blame: Blame, a: Output, y: Output, cost: Output) -> Mapping[str, Any]:
    return {
        "a": lambda: _cross_entropy_blame(blame, a, y),
        "y": lambda: times(blame, subtract(log(subtract(1.0, a)), log(a))),
    }


@node(
    "cost",
    formula="C = −Σ y ln a",
    outputs=("cost",),
    shapes=_COST,
    aliases=("loss", "softmax cross entropy", "negative log likelihood"),
    title="categorical cross-entropy",
)
def categorical_cross_entropy(a: Value, y: Value) -> Value:
    """Count the surprise of the right class: C = −Σ y ln a, for shares that add up to 1."""
    return -(y * np.log(_clear(a))).sum(axis=-1, keepdims=True)


@node("backward", formula="ln aⱼ = zⱼ − ln Σₖ e^zₖ", outputs=("log",), shapes="(n,o) -> (n,o)")
def log_softmax(z: Value) -> Value:
    """Give the logarithm of each share of a softmax, also where the share itself is 0 or 1."""
    down = z - z.max(axis=-1, keepdims=True)
    # The largest is 1 in the sum: next to it the others would be lost.
    largest = np.arange(z.shape[-1]) == z.argmax(axis=-1, keepdims=True)
    return down - np.log1p(np.where(largest, 0, np.exp(down)).sum(axis=-1, keepdims=True))


@log_softmax.backward
def _(blame: Blame, z: Output, log: Output) -> Mapping[str, Any]:
    return {"z": lambda: times(-1.0, softmax_error(exp(log), blame))}


@categorical_cross_entropy.of_sums(
    "softmax", formula="C = Σ y (ln Σ e^z − z)", slope=lambda z: times(-1.0, log_softmax(z))
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ y ln softmax(z)."""
    return -(y * log_softmax.function(z)).sum(axis=-1, keepdims=True)


@categorical_cross_entropy.of_sums(
    "sigmoid", formula="C = Σ y ln(1 + e^−z)", slope=lambda z: softplus(times(-1.0, z))
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ y ln σ(z)."""
    return (y * softplus.function(-z)).sum(axis=-1, keepdims=True)


@categorical_cross_entropy.through("sigmoid")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, subtract(times(y, a), y))


@categorical_cross_entropy.through("softmax")
def _(blame: Blame, a: Output, y: Output) -> Any:
    return times(blame, softmax_error(a, y))


@categorical_cross_entropy.vjp
def _categorical_cross_entropy_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through categorical cross-entropy: −b y / a."""
    return -blame * y / _clear(a)


@categorical_cross_entropy.backward
def _(blame: Blame, a: Output, y: Output, cost: Output) -> Mapping[str, Any]:
    return {
        "a": lambda: _categorical_cross_entropy_blame(blame, a, y),
        "y": lambda: times(blame, -1.0, log(a)),
    }


@node(
    "backward",
    formula="δ = a Σy − y",
    outputs=("delta",),
    shapes="(n,f), (n,f) -> (n,f)",
    noun="the delta ∂C/∂z",
)
def softmax_error(a: Value, y: Value) -> Value:
    """Give δ of softmax and categorical cross-entropy at once; a − y where y adds up to 1.

    Of a share above ½ the others are added up, a Σy − y = a (Σy − y) − y (1 − a): next to 1 they
    would be lost.
    """
    a, y = np.broadcast_arrays(a, y)
    total = y.sum(axis=-1, keepdims=True)
    others = ~np.eye(a.shape[-1], dtype=bool)
    rest = np.where(others, a[..., None, :], 0).sum(axis=-1)
    shares = (a > 0.5) & (np.abs(rest - (1 - a)) <= ROUNDED)
    return np.where(shares, a * (total - y) - y * rest, a * total - y)


@node(
    "backward",
    formula="ln(1 − aⱼ) = ln Σₖ≠ⱼ e^zₖ − ln Σₖ e^zₖ",
    outputs=("log",),
    shapes="(n,o) -> (n,o)",
)
def log_others(z: Value) -> Value:
    """Give the logarithm of what each share of a softmax leaves to the others."""
    down = z - z.max(axis=-1, keepdims=True)
    powers = np.exp(down)
    total = powers.sum(axis=-1, keepdims=True)
    rest = np.log1p(-powers / np.where(powers == total, 2 * total, total))
    # Beside the largest there may be next to nothing: its others are summed up by themselves.
    largest = np.arange(z.shape[-1]) == z.argmax(axis=-1, keepdims=True)
    others = np.where(largest, NOTHING, z)
    second = others.max(axis=-1, keepdims=True)
    among = np.where(largest, 0, np.exp(others - second)).sum(axis=-1, keepdims=True)
    # A single share leaves nothing.
    with np.errstate(divide="ignore"):
        alone = second - z.max(axis=-1, keepdims=True) + np.log(among) - np.log(total)
    alone = np.maximum(alone, NOTHING)
    return np.where(largest, alone, rest)


@node(
    "backward",
    formula="δₖ = aₖ Σ (y + ȳ) − yₖ − Σⱼ≠ₖ ȳⱼ aₖ / (1 − aⱼ)",
    outputs=("delta",),
    shapes="(n,f), (n,f), (n,f) -> (n,f)",
)
def softmax_binary_error(z: Value, y: Value, missed: Value) -> Value:
    """Give δ of softmax and (binary) cross-entropy at once; ȳ (`missed`) is 1 − y of an output."""
    shares, others = log_softmax.function(z), log_others.function(z)
    missed = np.where(others > NOTHING, missed, 0)  # a single share never moves
    apart = np.minimum(shares[..., None, :] - others[..., :, None], 0)  # ln aₖ/(1−aⱼ) at j, k
    among = np.where(np.eye(z.shape[-1], dtype=bool), 0, np.exp(apart))
    whole = (y + missed).sum(axis=-1, keepdims=True)
    return np.exp(shares) * whole - y - (missed[..., :, None] * among).sum(axis=-2)


@cross_entropy.of_sums(
    "softmax",
    formula="C = −Σ (y ln a + (1−y) ln(1−a))",
    slope=lambda z: subtract(log_others(z), log_softmax(z)),
)
def _(z: Value, y: Value) -> Value:
    """Return −Σ (y ln a + (1−y) ln(1−a)) with both logarithms from z."""
    parts = y * log_softmax.function(z) + (1 - y) * log_others.function(z)
    return -parts.sum(axis=-1, keepdims=True)


@cross_entropy.through("softmax")
def _(blame: Blame, z: Output, y: Output, missed: Output) -> Any:
    return times(blame, softmax_binary_error(z, y, missed))


def _penalty_shape(settings: dict[str, Any], *weights: Shape) -> tuple[Shape, ...]:
    for shape in weights:
        if shape.batch:
            raise ShapeMismatch(
                f"{shape} cannot enter: l2_penalty takes parameters, which have no sample axis"
            )
    return (Shape((1, 1)),)


@node(
    "cost",
    formula="C = λ/2 · Σ Θ²",
    outputs=("cost",),
    shapes=_penalty_shape,
    aliases=("weight decay", "regularization", "ridge"),
)
def l2_penalty(*weights: Value, regularization: Annotated[float, Range(0)] = 0.01) -> Value:
    """Make large weights cost something: (λ/2) Σ Θ². Wire no bias into it."""
    total = sum(float((theta * theta).sum()) for theta in weights)
    return np.array([[0.5 * regularization * total]])


@l2_penalty.backward
def _(blame: Blame, weights: Any, cost: Output, *, regularization: float) -> Mapping[str, Any]:
    if not isinstance(blame, Output):
        return {"weights": [Penalty(regularization * blame) for _ in weights]}
    return {"weights": [lambda w=w: times(blame, regularization, w) for w in weights]}


@node(
    "cost",
    formula="1 if the largest of a is the largest of y",
    outputs=("value",),
    shapes=_COST,
    aliases=("hit rate", "score"),
    no_backward="counting hits has no slope",
)
def accuracy(a: Value, y: Value, *, threshold: float = 0.5) -> Value:
    """Give 1 for a sample whose class is right, 0 for one that is wrong.

    The class is the place of the largest output; with a single output, whether it reaches the
    threshold.
    """
    if a.shape[-1] == 1:
        hit = (a >= threshold) == (y >= threshold)
        return hit.astype(a.dtype)
    hit = a.argmax(axis=-1) == y.argmax(axis=-1)
    return hit.astype(a.dtype)[..., None]


def _sides(a: Value, y: Value) -> tuple[Value, Value]:
    """Return where the right output of each sample is, and where the best of the wrong ones."""
    right = np.argmax(y, axis=-1)[..., None] == np.arange(a.shape[-1])
    wrong = np.where(right, -np.inf, a)
    return right, np.argmax(wrong, axis=-1)[..., None] == np.arange(a.shape[-1])


@node(
    "cost",
    formula="right output − best wrong one",
    outputs=("value",),
    shapes=_COST,
    aliases=("confidence", "certainty"),
)
def margin(a: Value, y: Value) -> Value:
    """Give how far the right output is above the best wrong one: above 0 the answer is right.

    It moves while accuracy stands still. A single output a says 1 with a and 0 with 1 − a.
    """
    if a.shape[-1] == 1:
        return (2 * a - 1) * np.where(y > 0.5, 1.0, -1.0)
    right, wrong = _sides(a, y)
    return (np.where(right, a, 0) - np.where(wrong, a, 0)).sum(axis=-1, keepdims=True)


@margin.vjp
def _margin_blame(blame: Value, a: Value, y: Value) -> Value:
    """Pass blame through the margin: b to the right output, −b to the best wrong one."""
    if a.shape[-1] == 1:
        return 2 * blame * np.where(y > 0.5, 1.0, -1.0)
    right, wrong = _sides(a, y)
    return blame * (right.astype(a.dtype) - wrong)


@margin.backward
def _(blame: Blame, a: Output, y: Output, value: Output) -> Mapping[str, Any]:
    return {"a": lambda: _margin_blame(blame, a, y), "y": lambda: times(0.0, y)}
