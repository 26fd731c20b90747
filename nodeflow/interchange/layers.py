"""A network from another program, step by step, before it becomes a graph: an inert value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.errors import InterchangeError
from nodeflow.interchange.naming import activations
from nodeflow.interchange.recognising import recognised
from nodeflow.nodes.backward import LEAK

Floats: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Dense:
    """z = Θa + b: weights (out, in), bias (out,) or none."""

    name: str
    weights: Floats
    bias: Floats | None = None
    takes: tuple[str, ...] = ()
    """The steps whose values are joined side by side for it, "" for the inputs: a network with
    shortcuts. Empty is the step before."""


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of each number, or softmax: a type of the library, or a formula in z."""

    name: str
    kind: str = ""
    formula: str | None = None


@dataclass(frozen=True, eq=False)
class Affine:
    """value · scale + shift, feature by feature: what batch normalisation is in evaluation.

    A single number is for all features.
    """

    name: str
    scale: Floats
    shift: Floats


@dataclass(frozen=True, eq=False)
class Missing:
    """What has no counterpart; the network goes on behind it, but only what is before it runs."""

    name: str
    what: str
    why: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, str]:
        """Return it as `nodeflow import --json` prints it."""
        return {"name": self.name, "what": self.what, "why": self.why}


@dataclass(frozen=True)
class Cost:
    """What the source minimises: a cost of the library, or a formula in a and y, summed up."""

    kind: str = ""
    formula: str | None = None
    mean: bool = False
    """A mean over the outputs, and not their sum."""
    half: bool = False
    behind: str | None = None
    """The activation that the outputs go through first: the source's loss takes logits."""


Step: TypeAlias = Dense | Activation | Affine | Missing


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in a row, with what the source says of its cost and its training."""

    steps: tuple[Step, ...]
    format: str
    name: str = ""
    inputs: int | None = None
    """Features of the input; by default those of the first layer."""
    cost: Cost | None = None
    trainer: str = "gradient_descent"
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The trainer's settings, as far as the source knows them."""
    batch: int | str | None = None
    penalty: float = 0.0
    """λ of (λ/2) Σ Θ² over all weights."""
    names: tuple[str, ...] = ()
    """Names of the inputs, in order."""
    end: str = ""
    """What the source calls its outputs, where it has several."""
    notes: tuple[str, ...] = ()
    """What was converted on the way, in sentences."""

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What has no counterpart."""
        return tuple(step for step in self.steps if isinstance(step, Missing))

    @property
    def width(self) -> int:
        """How many features the network takes."""
        if self.inputs is not None:
            return self.inputs
        for step in self.steps:
            if isinstance(step, Dense):
                return int(step.weights.shape[1])
            if isinstance(step, Affine) and len(step.scale) > 1:
                return len(step.scale)
        raise InterchangeError(
            "there is no layer with weights in it, and weights say how many features there are"
        )

    @property
    def outputs(self) -> int:
        """How many features it gives."""
        for step in reversed(self.steps):
            if isinstance(step, Dense):
                return len(step.weights)
            if isinstance(step, Affine) and len(step.scale) > 1:
                return len(step.scale)
        return self.width

    def checked(self) -> Network:
        """Return the network if its layers fit each other and its numbers are numbers."""
        width: int | None = self.width
        widths: dict[str, int | None] = {"": width}
        for step in self.steps:
            if isinstance(step, Missing):
                width = None
            elif isinstance(step, Dense):
                out, into = step.weights.shape
                if step.takes:
                    parts = [widths[name] for name in step.takes]
                    width = None if None in parts else sum(part or 0 for part in parts)
                if width is not None and into != width:
                    raise InterchangeError(
                        f"'{step.name}' takes {into} features, and what comes before it gives "
                        f"{width}"
                    )
                if step.bias is not None and step.bias.shape != (out,):
                    raise InterchangeError(
                        f"'{step.name}' has {out} neurons and {step.bias.size} biases"
                    )
                width = out
            elif (
                isinstance(step, Affine) and width is not None and len(step.scale) not in (1, width)
            ):
                raise InterchangeError(
                    f"'{step.name}' scales {len(step.scale)} features, and what comes before it "
                    f"gives {width}"
                )
            widths[step.name] = width
            for array in _arrays(step):
                if not np.isfinite(array).all():
                    raise InterchangeError(f"'{step.name}' holds NaN or Infinity")
        return self


def _arrays(step: Step) -> list[Floats]:
    if isinstance(step, Dense):
        return [step.weights, *([] if step.bias is None else [step.bias])]
    return [step.scale, step.shift] if isinstance(step, Affine) else []


def as_floats(values: Any, name: str, notes: list[str]) -> Floats:
    """Return numbers as float64; what was another type is noted, in a sentence."""
    array = np.asarray(values)
    short = array.dtype.name.startswith(("bfloat", "float8"))  # NumPy knows them by an extension
    if array.dtype.kind not in "fiub" and not short:
        raise InterchangeError(f"'{name}' holds {array.dtype.name}, and weights are real numbers")
    if array.dtype != np.float64:
        note = f"{array.dtype.name} was converted to float64"
        if note not in notes:
            notes.append(note)
    return array.astype(np.float64)


# --- activations ----------------------------------------------------------------------------------


def activation(name: str, kind: str, **given: float) -> Activation | None:
    """Return the activation of that kind; None if it has no counterpart.

    What the library has no type for becomes a formula in z. In each the side that is not taken
    stays finite: e^min(z, 0) is never infinite.
    """
    slope = given.get("alpha", LEAK)
    ours = activations().get(kind)
    if ours is not None and not (kind == "leaky_relu" and slope != LEAK):
        return Activation(name, ours)
    template = FORMULAS.get(kind)
    if template is None:
        return None
    usual = {"alpha": 1.0, "low": 0.5 if kind == "hard_sigmoid_onnx" else -1.0, "high": 1.0}
    values = {key: repr(float(given.get(key, value))) for key, value in usual.items()}
    return Activation(name, formula=template.format(**values))


FORMULAS = {
    "leaky_relu": "max(z, 0) + {alpha} * min(z, 0)",
    "elu": "max(z, 0) + {alpha} * (exp(min(z, 0)) - 1)",
    "selu": "1.0507009873554805 * (max(z, 0) + 1.6732632423543772 * (exp(min(z, 0)) - 1))",
    "celu": "max(z, 0) + {alpha} * (exp(min(z, 0) / {alpha}) - 1)",
    "silu": "z * sigmoid(z)",
    "gelu": "0.5 * z * (1 + erf(z / 1.4142135623730951))",
    "gelu_tanh": "0.5 * z * (1 + tanh(0.7978845608028654 * (z + 0.044715 * z^3)))",
    "softsign": "z / (1 + abs(z))",
    "hard_sigmoid": "max(0, min(1, z / 6 + 0.5))",
    "hard_sigmoid_onnx": "max(0, min(1, {alpha} * z + {low}))",
    "hard_tanh": "max({low}, min({high}, z))",
    "at_least": "max({low}, z)",
    "at_most": "min({high}, z)",
    "relu6": "max(0, min(6, z))",
    "log_sigmoid": "min(z, 0) - log(1 + exp(-abs(z)))",
    "tanhshrink": "z - tanh(z)",
    "exponential": "exp(z)",
    "mish": "z * tanh(max(z, 0) + log(1 + exp(-abs(z))))",
    "hard_silu": "z * max(0, min(1, z / 6 + 0.5))",
    "softplus_scaled": "(max({alpha} * z, 0) + log(1 + exp(-abs({alpha} * z)))) / {alpha}",
    "softshrink": "max(z - {alpha}, 0) + min(z + {alpha}, 0)",
    "hardshrink": "z * step(abs(z) - {alpha})",
    "square": "z^2",
    "sin": "sin(z)",
    "cos": "cos(z)",
    "abs": "abs(z)",
    "erf": "erf(z)",
}
"""Activations that the library has no type for, as formulas in z with places for settings."""


def clipped(low: float | None, high: float | None) -> tuple[str | None, dict[str, float]]:
    """Return the kind of what holds numbers between limits, or on one side of one."""
    if low is None and high is None:
        return None, {}
    if high is None:
        return ("relu", {}) if low == 0 else ("at_least", {"low": float(low or 0)})
    if low is None:
        return "at_most", {"high": float(high)}
    return "hard_tanh", {"low": float(low), "high": float(high)}


def kind_of(step: Activation) -> tuple[str, dict[str, float]]:
    """Return what other programs call an activation, with its settings; "" for others."""
    if step.formula is None:
        return step.kind, {}
    return recognised(step.formula, FORMULAS) or ("", {})


# --- costs ----------------------------------------------------------------------------------------

_COSTS = {
    "absolute_error": "abs(a - y)",
    "huber": "min(abs(a - y), {delta}) * (abs(a - y) - 0.5 * min(abs(a - y), {delta}))",
    "smooth_absolute_error": "min(abs(a - y), {delta}) * (abs(a - y) - 0.5 * min(abs(a - y), "
    "{delta})) / {delta}",
    "log_cosh": "abs(a - y) + log(1 + exp(-2 * abs(a - y))) - log(2)",
    "negative_log_likelihood": "-y * a",
    "poisson": "a - y * log(a)",
}
"""Costs that the library has no type for: a formula in a and y for each output."""


def cost_of(kind: str, *, delta: float = 1.0, **given: Any) -> Cost:
    """Return the cost of that kind: one of the library, or a formula that stays finite far out."""
    formula = _COSTS.get(kind)
    if formula is None:
        return Cost(kind, **given)
    return Cost(formula=formula.format(delta=repr(float(delta))), **given)
