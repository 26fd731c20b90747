"""Trainers: the backward pass and the updates, folded into one node.

`derive.unfolding` replaces a trainer by the nodes of its backward pass, and by its updates: how
they move a parameter stands beside the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from nodeflow.declare import Output, Range, Update, Updates, Value, node
from nodeflow.nodes.arithmetic import multiply
from nodeflow.nodes.expression import expression

_FOLDED = "a trainer is evaluated through its unfolding"


@node(
    "trainer",
    formula="Θ ← Θ − α ∂J/∂Θ",
    outputs=(),
    shapes="(n,1) ->",
    aliases=("sgd", "train", "optimizer", "learn", "learning rate", "backprop"),
    known_as={"keras": "SGD", "sklearn": "sgd"},
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


@gradient_descent.in_programs
def _(s: Any, key: str) -> str:
    rate, momentum = (s.setting(key, name) for name in ("rate", "momentum"))
    more = f", momentum={s.number(momentum)}" if momentum else ""
    return f"torch.optim.SGD([{{}}], lr={s.number(rate)}{more})"


@gradient_descent.updates
def _(made: Updates, settings: Mapping[str, Any]) -> Update:
    momentum = settings["momentum"]
    rate = made.constant(settings["rate"], "rate")
    minus = made.constant(-1.0, "minus") if momentum else rate

    def update(name: str, theta: Output, gradient: Output) -> None:
        if momentum:
            gradient = made.running(f"{name}.velocity", theta, gradient, momentum, minus)
        made.move(name, theta, gradient, rate)

    return update


@node(
    "trainer",
    formula="Θ ← Θ − α m̂ / (√v̂ + ε)",
    outputs=(),
    shapes="(n,1) ->",
    aliases=("optimizer", "train", "adaptive"),
    title="Adam",
    steady=True,
    known_as={"keras": "Adam", "sklearn": "adam"},
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


@adam.in_programs
def _(s: Any, key: str) -> str:
    rate, beta1, beta2, epsilon = (
        s.number(s.setting(key, name)) for name in ("rate", "beta1", "beta2", "epsilon")
    )
    return f"torch.optim.Adam([{{}}], lr={rate}, betas=({beta1}, {beta2}), eps={epsilon})"


@adam.updates
def _(made: Updates, settings: Mapping[str, Any]) -> Update:
    beta1, beta2, epsilon = (settings[name] for name in ("beta1", "beta2", "epsilon"))
    rate = made.constant(settings["rate"], "rate")
    now = made.counter("time")
    rate1 = made.constant(-(1 - beta1), "rate1")
    rate2 = made.constant(-(1 - beta2), "rate2")
    formula = f"m / (1 - {beta1!r}^t) / (sqrt(v / (1 - {beta2!r}^t)) + {epsilon!r})"

    def update(name: str, theta: Output, gradient: Output) -> None:
        mean = made.running(f"{name}.mean", theta, gradient, beta1, rate1)
        squared = made.place(multiply(gradient, gradient), f"{name}.squared")
        size = made.running(f"{name}.size", theta, squared, beta2, rate2)
        step = made.place(expression(formula=formula, m=mean, v=size, t=now), f"{name}.step")
        made.move(name, theta, step, rate)

    return update


@node(
    "trainer",
    formula="Θ = argmin J",
    searches=True,
    known_as={"sklearn": "lbfgs"},
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
