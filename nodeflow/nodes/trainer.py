"""Trainers: the backward pass and the updates, folded into one node.

`derive.unfolding` replaces a trainer by the nodes of its backward pass.
"""

from __future__ import annotations

from typing import Annotated, Literal

from nodeflow.declare import Range, Value, node

_FOLDED = "a trainer is evaluated through its unfolding"


@node(
    "trainer",
    formula="Θ ← Θ − α ∂J/∂Θ",
    outputs=(),
    shapes="(n,1) ->",
    aliases=("sgd", "train", "optimizer", "learn"),
)
def gradient_descent(
    cost: Value,
    *,
    rate: Annotated[float, Range(0)] = 0.1,
    momentum: Annotated[float, Range(0, 1, open=True)] = 0.0,
) -> None:
    """Step every parameter against its gradient.

    With momentum μ a velocity is kept: v ← μv + ∂J/∂Θ, Θ ← Θ − αv.
    """
    raise AssertionError(_FOLDED)


@node(
    "trainer",
    formula="Θ ← Θ − α m̂ / (√v̂ + ε)",
    outputs=(),
    shapes="(n,1) ->",
    aliases=("optimizer", "train", "adaptive"),
)
def adam(
    cost: Value,
    *,
    rate: Annotated[float, Range(0)] = 0.001,
    beta1: Annotated[float, Range(0, 1, open=True)] = 0.9,
    beta2: Annotated[float, Range(0, 1, open=True)] = 0.999,
    epsilon: Annotated[float, Range(0)] = 1e-8,
) -> None:
    """Step each weight by its own gradient's running mean over its running size.

    D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
    """
    raise AssertionError(_FOLDED)


@node(
    "trainer",
    formula="Θ = argmin J",
    outputs=(),
    shapes="(n,1) ->",
    aliases=("fmincg", "conjugate gradient", "lbfgs", "optimizer"),
)
def minimize(cost: Value, *, method: Literal["cg", "l-bfgs"] = "cg") -> None:
    """Minimise J over all training rows at once with SciPy; one update is one iteration.

    Its line search tries weights that no update keeps, so it has no backward pass of its own to
    unfold: it stays folded.
    """
    raise AssertionError(_FOLDED)
