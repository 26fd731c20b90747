"""The backward pass as nodes: blame, delta, gradients, and their average over a batch.

Notation and order of steps follow A. Ng's course (δ, Δ, D) and M. Nielsen, "Neural Networks
and Deep Learning", chapter 2 (the equations BP1 to BP4).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from nodeflow.declare import Feedback, Many, Probe, Range, Samples, Value, node
from nodeflow.errors import ShapeMismatch
from nodeflow.shape import Shape

LEAK = 0.01
"""Slope of the leaky ReLU below 0."""


@node(
    "backward",
    formula="b = Θᵀδ",
    outputs=("blame",),
    shapes="(n,o), (o,i) -> (n,i)",
    aliases=("backpropagate", "BP2"),
    noun="the blame ∂C/∂a",
)
def blame(delta: Value, weights: Value) -> Value:
    """Pass each δ back along its weights: bᵢ = Σⱼ Θⱼᵢ δⱼ, which is ∂C/∂a of the layer before."""
    return delta @ weights


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
        raise ShapeMismatch("the delta of softmax takes one row a sample")
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


@node(
    "backward",
    formula="Δ = δaᵀ",
    outputs=("gradient",),
    shapes="(n,o), (n,i) -> (o,i)",
    aliases=("BP4",),
    noun="the gradient of a weight",
)
def weight_gradient(delta: Value, a: Many) -> Value:
    """Multiply each δ by each input, summed over the samples: Δⱼᵢ = Σ δⱼ aᵢ."""
    rows = max(len(delta), len(a))
    return np.broadcast_to(delta, (rows, delta.shape[1])).T @ np.broadcast_to(a, (rows, a.shape[1]))


def _over_rows(settings: dict[str, Any], delta: Shape) -> tuple[Shape, ...]:
    return (Shape((delta.features,)),)


@node(
    "backward",
    formula="Δ = Σ δ",
    outputs=("gradient",),
    shapes=_over_rows,
    aliases=("BP3",),
    noun="the gradient of a bias",
)
def bias_gradient(delta: Value) -> Value:
    """Add up δ over the samples: a bias is a weight whose input is always 1."""
    return np.atleast_2d(delta).sum(axis=0)


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


def _like_weights(
    settings: dict[str, Any], total: Shape, weights: Shape | None = None
) -> tuple[Shape, ...]:
    if weights is None:
        return (total,)
    if not weights.same(total):
        raise ShapeMismatch(f"the weights are {weights} and their total is {total}: one for one")
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


@node(
    "backward",
    formula="bᵢ = b",
    outputs=("blame",),
    shapes="elementwise",
)
def spread(blame: Value, a: Value) -> Value:
    """Give every feature of `a` the whole blame of their sum."""
    return blame * np.ones_like(a)


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
    passes: disable it once the gradients are checked. At full speed it is left out where nothing
    is trained by it.
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
