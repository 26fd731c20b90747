"""The backward pass as nodes: blame, delta, gradients, and their average over a batch.

Notation and order of steps follow A. Ng's course (δ, Δ, D) and M. Nielsen, "Neural Networks
and Deep Learning", chapter 2 (the equations BP1 to BP4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np

from nodeflow.declare import Feedback, Many, Probe, Range, Samples, Value, node
from nodeflow.errors import InterchangeError, ShapeMismatch
from nodeflow.shape import Shape
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import (
    NOTHING,
    Apply,
    Count,
    Index,
    Number,
    Part,
    Terms,
    choice,
    of,
    summed,
)
from nodeflow.workings.shown import show

LEAK = 0.01
"""Slope of the leaky ReLU below 0."""


DELTA = "delta"
"""The port into which δ of a layer goes."""


@node(
    "backward",
    formula="b = Θᵀδ",
    outputs=("blame",),
    shapes="(n,o), (o,i) -> (n,i)",
    aliases=("backpropagate", "BP2"),
    told="sent back",
    noun="the blame ∂C/∂a",
)
def blame(delta: Value, weights: Value) -> Value:
    """Pass each δ back along its weights: bᵢ = Σⱼ Θⱼᵢ δⱼ, which is ∂C/∂a of the layer before."""
    return delta @ weights


@blame.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.one(key, 'delta')} @ {s.one(key, 'weights')}"


@blame.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.node("MatMul", s.one(key, "delta"), s.one(key, "weights")))


@blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    delta, weights, row = given.one("delta"), given.one("weights"), row_of(index)
    return Terms(
        weights.column(index[-1]) * delta.row(row),
        lambda j: Apply("*", (weights.at((j, index[-1])), delta.at((row, j)))),
    )


@blame.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    delta, weights = inputs["delta"][0], inputs["weights"][0]
    if t.is_large(out.rows, out.cols, delta.cols, delta, out):
        t.product(out, delta, weights.as_matrix(delta.cols, out.cols), (False, False))
        return
    t.emit(
        "blame", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        delta=delta.offset, delta_r=delta.across(delta.cols)[1], weights=weights.offset,
        inner=delta.cols,
    )  # fmt: skip


def slope(a: Value, activation: str) -> Value:
    """Return g′(z), written in a = g(z)."""
    match activation:
        case "sigmoid":
            return a * (1 - a)
        case "tanh":
            return 1 - a * a
        case "relu":
            return (a > 0).astype(a.dtype)
        case "leaky_relu":
            return np.where(a > 0, 1.0, LEAK).astype(a.dtype)
        case "softplus":
            return -np.expm1(-a)
        case _:
            return np.ones_like(a)


def _number_by_number(settings: dict[str, Any], blame: Shape, a: Shape) -> tuple[Shape, ...]:
    """Return the shape of both: rows of samples, or a matrix where a parameter is activated."""
    rows = blame.single_row() and a.single_row()
    if settings["activation"] == "softmax" and not rows:
        raise ShapeMismatch("the delta of softmax takes one row per sample")
    like = blame.features in (a.features, None) or a.features is None
    if not like or not (rows or blame.same(a)):
        raise ShapeMismatch(
            f"blame is {blame} and a is {a}: a delta multiplies number by number, "
            "so they must be alike"
        )
    if not rows:
        return (a,)
    features = blame.features if a.features is None else a.features
    batch = blame.batch or a.batch
    return (Shape((features,), batch=True) if batch else Shape((1, features)),)


@node(
    "backward",
    formula="δ = b ⊙ g′(z)",
    outputs=("delta",),
    shapes=_number_by_number,
    aliases=("error signal", "sensitivity", "BP1"),
    told="sloped",
    noun="the delta ∂C/∂z",
)
def delta(
    blame: Value,
    a: Value,
    *,
    activation: Literal[
        "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax"
    ] = "sigmoid",
) -> Value:
    """Multiply blame by the slope of the activation: δ = ∂C/∂z.

    The slope g′(z) is found from a = g(z): a(1−a) for the sigmoid, 1−a² for tanh. For softmax
    δⱼ = aⱼ (bⱼ − Σₖ bₖ aₖ).
    """
    if activation == "softmax":
        return a * (blame - (blame * a).sum(axis=-1, keepdims=True))
    return blame * slope(a, activation)


@delta.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    blame, activation = given.one("blame").at(index).value, given.settings["activation"]
    slope = f" = {show(right / blame)}" if blame and activation != "softmax" else ""
    said = f"That is the blame: δ is the blame times the slope of {activation}, g′(z){slope}."
    yield "slope", blame, said


@delta.in_programs
def _(s: Any, key: str) -> str:
    blame, a = s.one(key, "blame"), s.one(key, "a")
    match s.setting(key, "activation"):
        case "sigmoid":
            return f"{blame} * {a} * (1 - {a})"
        case "tanh":
            return f"{blame} * (1 - {a} * {a})"
        case "relu":
            return f"{blame} * ({a} > 0)"
        case "leaky_relu":
            return f"{blame} * {s.choice(f'{a} > 0', 1.0, LEAK)}"
        case "softplus":
            return f"{blame} * -{s.call('expm1', f'-{a}')}"
        case "softmax":
            return f"{a} * ({blame} - {s.sums(f'{blame} * {a}')})"
        case _:
            return str(blame)


@delta.in_onnx
def _(s: Any, key: str) -> str:
    blame, a = s.one(key, "blame"), s.one(key, "a")
    match s.setting(key, "activation"):
        case "sigmoid":
            return str(s.product(blame, a, s.less(a)))
        case "tanh":
            return str(s.product(blame, s.less(s.product(a, a))))
        case "relu":
            return str(s.product(blame, s.above(a)))
        case "leaky_relu":
            steep = s.product(s.above(a), s.number(1 - LEAK))
            return str(s.product(blame, s.add(steep, s.number(LEAK))))
        case "softplus":
            return str(s.product(blame, s.less(s.node("Exp", s.node("Neg", a)))))
        case "softmax":
            share = s.total(s.product(blame, a), 1)
            return str(s.product(a, s.node("Sub", blame, share)))
        case _:
            return str(blame)


@delta.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    blame, a = given.one("blame").at(index), given.one("a").at(index)
    match given.settings["activation"]:
        case "sigmoid":
            return (of("*", blame, a, of("-", 1, a)),)
        case "tanh":
            return (of("*", blame, of("-", 1, of("^", a, 2))),)
        case "relu":
            return (of("*", blame, choice(of(">", a, 0), 1, 0)),)
        case "leaky_relu":
            return (of("*", blame, choice(of(">", a, 0), 1, LEAK)),)
        case "softplus":
            return (of("*", blame, of("-", 1, of("exp", of("neg", a)))),)
        case "softmax":
            shared = _shared_blame(given, row_of(index))
            return (of("*", a, of("-", blame, summed(shared))),)
        case _:
            return (blame,)


def _shared_blame(given: Given, row: int) -> Terms:
    blame, a = given.one("blame"), given.one("a")
    return Terms(
        blame.row(row) * a.row(row),
        lambda i: Apply("*", (blame.at((row, i)), a.at((row, i)))),
    )


@delta.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    blame, a = inputs["blame"][0], inputs["a"][0]
    match settings["activation"]:
        case "identity":
            t.elementwise("copy", out, blame)
        case "softmax":
            at, blame_r, blame_c = blame.across(out.cols)
            t.emit(
                "delta_softmax", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
                blame=at, blame_r=blame_r, blame_c=blame_c, a=a.offset, a_r=a.across(a.cols)[1],
            )  # fmt: skip
        case activation:
            t.elementwise(f"delta_{activation}", out, blame, a)


@node(
    "backward",
    formula="Δ = δaᵀ",
    over_samples=True,
    outputs=("gradient",),
    shapes="(n,o), (n,i) -> (o,i)",
    aliases=("BP4",),
    noun="the gradient of a weight",
)
def weight_gradient(delta: Value, a: Many) -> Value:
    """Multiply each δ by each input, summed over the samples: Δⱼᵢ = Σ δⱼ aᵢ."""
    rows = max(len(delta), len(a))
    return np.broadcast_to(delta, (rows, delta.shape[1])).T @ np.broadcast_to(a, (rows, a.shape[1]))


@weight_gradient.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    column = given.one("delta").column(index[0])
    if len(column) == 1:
        yield "input", float(column[0]), "That is δ: multiply it by the input a."


@weight_gradient.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.one(key, 'delta')}.T @ {s.one(key, 'a')}"


@weight_gradient.in_onnx
def _(s: Any, key: str) -> str:
    delta = s.node("Transpose", s.rows_of(key, "delta"), perm=[1, 0])
    return str(s.node("MatMul", delta, s.rows_of(key, "a")))


@weight_gradient.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    delta = given.one("delta")
    source, column = given.feature(index[1])
    rows = max(delta.rows, *(there.rows for there in given.ports["a"]))
    values = delta.column(index[0]) * source.column(column)
    return Terms(
        np.broadcast_to(values, (rows,)),
        lambda row: Apply("*", (delta.at((row, index[0])), source.at((row, column)))),
    )


@weight_gradient.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    delta, a = inputs["delta"][0], t.joined(inputs["a"])
    rows = 0 if 0 in (delta.rows, a.rows) else max(delta.rows, a.rows)
    if t.is_large(rows, delta.cols, a.cols, delta, a):
        t.product(out.as_matrix(delta.cols, a.cols), delta, a, (True, False))
        return
    t.emit(
        "weight_gradient", rows=rows, cols=a.cols, dst=out.offset, outputs=delta.cols,
        delta=delta.offset, delta_r=delta.across(delta.cols)[1], a=a.offset,
        a_r=a.across(a.cols)[1],
    )  # fmt: skip


def _over_rows(settings: dict[str, Any], delta: Shape) -> tuple[Shape, ...]:
    return (Shape((delta.features,)),)


@node(
    "backward",
    formula="Δ = Σ δ",
    over_samples=True,
    outputs=("gradient",),
    shapes=_over_rows,
    aliases=("BP3",),
    noun="the gradient of a bias",
)
def bias_gradient(delta: Value) -> Value:
    """Add up δ over the samples: a bias is a weight whose input is always 1."""
    return np.atleast_2d(delta).sum(axis=0)


@bias_gradient.in_programs
def _(s: Any, key: str) -> str:
    return str(s.over_samples(s.one(key, "delta")))


@bias_gradient.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.total(s.rows_of(key, "delta"), 0, keep=False))


@bias_gradient.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    delta = given.one("delta")
    return Terms(delta.column(index[-1]), lambda row: delta.at((row, index[-1])))


@bias_gradient.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    delta = inputs["delta"][0]
    t.emit(
        "bias_gradient", rows=delta.rows, cols=delta.cols, dst=out.offset, delta=delta.offset,
        delta_r=delta.stride,
    )  # fmt: skip


@node(
    "backward",
    formula="Δ ← Δ + D",
    outputs=("total",),
    shapes="s, s -> s",
    aliases=("accumulator",),
    noun="the gradient added up so far",
)
def accumulate(gradient: Value, previous: Feedback = None) -> Value:
    """Add a sample's gradient to the total of the batch so far.

    `previous` is fed by its own `total`; each update starts again from 0. A graph with one runs
    each update as a loop over its samples.
    """
    return gradient if previous is None else previous + gradient


@accumulate.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.before(key)} + {s.one(key, 'gradient')}"


@accumulate.in_onnx
def _(s: Any, key: str) -> str:
    source = s.source(key, "gradient")
    if not s.type(source).over_samples:
        raise InterchangeError(
            f"'{key}' accumulates '{source}', and in ONNX all rows go in at once: only a gradient "
            "of weights or of a bias is their sum"
        )
    return str(s.one(key, "gradient"))  # of all rows already: they go in at once


@accumulate.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    gradient = given.one("gradient").at(index)
    total = Number(float(given.step.outputs["total"][index]), f"{given.step.node}.total", index)
    before = Apply("difference", (total, gradient))
    return choice(of("=", total, gradient), NOTHING, before), gradient


@accumulate.rows_over_all
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    gradient = inputs["gradient"][0]
    if t.loops:
        t.whole("accumulate", out, gradient.offset)
    else:
        t.elementwise("copy", out, gradient)


def _like_weights(
    settings: dict[str, Any], total: Shape, weights: Shape | None = None
) -> tuple[Shape, ...]:
    if weights is None:
        return (total,)
    if not weights.same(total):
        raise ShapeMismatch(
            f"the weights are {weights} and their total is {total}: wire in the parameter that the "
            "gradient belongs to"
        )
    return (weights,)


@node(
    "backward",
    formula="D = Δ/n + λΘ",
    outputs=("gradient",),
    shapes=_like_weights,
    aliases=("mean gradient",),
    noun="the gradient ∂J/∂Θ",
)
def average(
    total: Value,
    weights: Value | None = None,
    *,
    regularization: Annotated[float, Range(0)] = 0.0,
    samples: Samples = 1,
) -> Value:
    """Divide the summed gradient by the number n of samples and add λΘ: D = ∂J/∂Θ.

    With weights D has their shape, where the total has as many numbers in another one.
    """
    mean = total / samples
    if weights is None:
        return mean
    mean = mean.reshape(weights.shape)
    return mean if regularization == 0 else mean + regularization * weights


@average.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    total, n = given.one("total").at(index).value, given.step.samples
    if n > 1:
        yield "mean", total, f"That is the sum: divide it by the number of samples, {n}."


@average.in_programs
def _(s: Any, key: str) -> str:
    total, weights = s.one(key, "total"), s.all(key, "weights")
    mean = str(total) if s.samples == "1" else f"{s.grouped(total)} / {s.samples}"
    if weights:
        if s.dims(key, "total") != s.dims(key, "weights"):
            mean = f"({mean}).reshape({weights[0]}.shape)"
        if s.setting(key, "regularization"):
            return f"{mean} + {s.number(s.setting(key, 'regularization'))} * {weights[0]}"
    s.remark("D = Δ/n")
    return mean


@average.in_onnx
def _(s: Any, key: str) -> str:
    mean, weights = str(s.shared(s.one(key, "total"))), s.all(key, "weights")
    if not weights:
        return mean
    mean = str(s.node("Reshape", mean, s.whole(*(size or 1 for size in s.dims(key, "weights")))))
    rate = float(s.setting(key, "regularization"))
    return str(s.add(mean, s.product(weights[0], s.number(rate)))) if rate else mean


@average.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    mean = of("/", given.one("total").at(index), Count(float(given.step.samples)))
    strength = given.settings["regularization"]
    if not given.ports["weights"] or not strength:
        return (mean,)
    return mean, of("*", strength, given.one("weights").at(index))


@average.rows_over_all
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    total, weights = inputs["total"][0], inputs.get("weights")
    theta = weights[0].offset if weights else total.offset
    decay = t.literal(settings["regularization"] if weights else 0.0).offset
    t.whole("average", out, total.offset, theta, decay)


@node(
    "backward",
    formula="bᵢ = b",
    outputs=("blame",),
    shapes="elementwise",
)
def spread(blame: Value, a: Value) -> Value:
    """Give every feature of `a` the whole blame of their sum."""
    return blame * np.ones_like(a)


@spread.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.one(key, 'blame')} * {s.call('ones_like', s.one(key, 'a'))}"


@spread.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.spread(key))


@spread.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (given.one("blame").at(index),)


@spread.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.elementwise("copy", out, inputs["blame"][0])


def _unrolled(_settings: dict[str, Any], *shapes: Shape) -> tuple[Shape, ...]:
    for shape in shapes:
        if shape.batch:
            raise ShapeMismatch(
                f"{shape} cannot be unrolled: its rows are samples, and parameters and gradients "
                "have none"
            )
    sizes = [(shape.flat[0] or 1) * (shape.flat[1] or 1) for shape in shapes]
    return (Shape((sum(sizes), 1)),)


@node(
    "backward",
    formula="θ = [Θ₁(:); Θ₂(:); …]",
    outputs=("value",),
    shapes=_unrolled,
    aliases=("flatten", "vector", "reshape"),
    no_backward="it is for looking at gradients side by side",
)
def unroll(*values: Value) -> Value:
    """Write parameters or gradients below each other as one column, a row of a matrix at a time.

    Octave's Θ(:) goes column by column; NumPy and this node go row by row.
    """
    return np.concatenate([np.ravel(value) for value in values])[:, None]


@unroll.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    place = index[0]
    for source in given.ports["values"]:
        if place < source.value.size:
            return (source.at(tuple(int(i) for i in np.unravel_index(place, source.value.shape))),)
        place -= source.value.size
    raise IndexError(index)


@node(
    "backward",
    formula="D ≈ (J(θ + ε) − J(θ − ε)) / 2ε",
    outputs=("gradient",),
    shapes=_unrolled,
    aliases=("gradient checking", "numerical gradient", "finite differences"),
    no_backward="a difference is for checking a gradient",
)
def gradient_approx(
    *parameter: Value, epsilon: Annotated[float, Range(1e-12, 1.0)] = 1e-4, cost: Probe
) -> Value:
    """Measure ∂J/∂Θ: move each number up and down by ε and look at the cost, twice a number.

    One column, in the order of `unroll`, of J of the pass. It is slow, N numbers take 2N forward
    passes: disable it once the gradients are checked, by the switch in its header. At full speed
    it is left out where nothing is trained by it.
    """
    moved = [np.array(part, float) for part in parameter]
    found = []
    for part in moved:
        flat = part.reshape(-1)
        for place in range(flat.size):
            before = flat[place]
            flat[place] = before + epsilon
            above = cost(*moved)
            flat[place] = before - epsilon
            below = cost(*moved)
            flat[place] = before
            found.append((above - below) / (2 * epsilon))
    return np.array(found)[:, None]


def unpicked(blame: Value, a: Value, index: Any) -> Value:
    """Return blame for all features of `a` where only those of `index` were picked."""
    back = np.zeros(np.broadcast_shapes(blame.shape[:-1], a.shape[:-1]) + a.shape[-1:], a.dtype)
    for place, feature in enumerate(np.atleast_1d(index)):
        back[..., feature] += blame[..., place]
    return back
