"""A network from another program, step by step, before it becomes a graph: an inert value.

Each step takes the values of others by their names, of inputs by theirs; one that names none takes
the step before it. Layers in a row are the usual case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.interchange.naming import activations
from nodeflow.interchange.recognising import recognised
from nodeflow.nodes.backward import LEAK

Floats: TypeAlias = NDArray[np.floating[Any]]
_MOST_FEATURES = 2**24
DAMAGED = (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration,
           RecursionError)  # fmt: skip
"""What a reader meets in a file that is not as its format has it."""


@dataclass(frozen=True, eq=False)
class Dense:
    """z = Θa + b: weights (out, in), bias (out,) or none.

    Layers whose weights are one and the same array share a parameter.
    """

    name: str
    weights: Floats
    bias: Floats | None = None
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Activation:
    """A function of each number, or softmax: a type of the library, or a formula in z."""

    name: str
    kind: str = ""
    formula: str | None = None
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Affine:
    """value · scale + shift, feature by feature: what batch normalisation is in evaluation.

    A single number is for all features.
    """

    name: str
    scale: Floats
    shift: Floats
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Join:
    """Several values made into one: add, multiply, concatenate, or a formula in a, b, … ."""

    name: str
    kind: str
    takes: tuple[str, ...] = ()
    formula: str | None = None


@dataclass(frozen=True, eq=False)
class Narrow:
    """Fewer features of each row: their sum, their mean, or those at some places (pick)."""

    name: str
    kind: str
    places: tuple[int, ...] = ()
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Missing:
    """What has no counterpart; the network goes on behind it, but only what is before it runs."""

    name: str
    what: str
    why: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    takes: tuple[str, ...] = ()

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
    weight: float = 1.0
    """What it is multiplied by before the costs of several outputs are added up."""


Step: TypeAlias = Dense | Activation | Affine | Join | Narrow | Missing


@dataclass(frozen=True)
class Input:
    """What goes in, and how many features it has: by default those that its first layer takes."""

    name: str = "x"
    width: int | None = None


@dataclass(frozen=True)
class End:
    """What comes out: the name of its step, what the source calls it, and its cost."""

    step: str
    label: str = ""
    cost: Cost | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """Layers with what the source says of their cost and their training."""

    steps: tuple[Step, ...]
    format: str
    name: str = ""
    inputs: tuple[Input, ...] = (Input(),)
    ends: tuple[End, ...] = ()
    """By default the last step."""
    cost: Cost | None = None
    """Of each end that says none of its own."""
    trainer: str = "gradient_descent"
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The trainer's settings, as far as the source knows them."""
    batch: int | str | None = None
    penalty: float = 0.0
    """λ of (λ/2) Σ Θ² over all weights."""
    names: tuple[str, ...] = ()
    """Names of the features that go in, in order."""
    notes: tuple[str, ...] = ()
    """What was converted on the way, in sentences."""

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What has no counterpart."""
        return tuple(step for step in self.steps if isinstance(step, Missing))

    def wired(self) -> Iterator[tuple[Step, tuple[str, ...]]]:
        """Yield each step with the names of what it takes."""
        before = self.inputs[0].name
        for step in self.steps:
            yield step, step.takes or (before,)
            before = step.name

    @property
    def outputs(self) -> tuple[End, ...]:
        """What comes out."""
        last = self.steps[-1].name if self.steps else self.inputs[0].name
        return self.ends or (End(last),)

    def width_of(self, one: Input) -> int:
        """Return how many features go in; raises `InterchangeError` where nothing says it."""
        if one.width is not None:
            if not 0 < one.width <= _MOST_FEATURES:
                raise InterchangeError(
                    f"'{one.name}' is said to have {one.width:,} features; 1 to "
                    f"{_MOST_FEATURES:,} come in"
                )
            return one.width
        alike = {one.name}
        for step, takes in self.wired():
            if not alike.issuperset(takes):
                continue
            if isinstance(step, Dense):
                return int(step.weights.shape[1])
            if isinstance(step, Affine) and len(step.scale) > 1:
                return len(step.scale)
            if isinstance(step, Activation | Affine):
                alike.add(step.name)
        raise InterchangeError(
            f"nothing says how many features '{one.name}' has: no layer with weights takes it, and "
            "the file leaves its size open; save it with a fixed size"
        )

    @property
    def widths(self) -> Mapping[str, int | None]:
        """How many features each value has, by the names of inputs and steps; None: not known.

        Raises `InterchangeError` where steps do not fit each other.
        """
        found: dict[str, int | None] = {one.name: self.width_of(one) for one in self.inputs}
        for step, takes in self.wired():
            found[step.name] = _width(step, [found[name] for name in takes])
        return found

    def checked(self) -> Network:
        """Return the network if its layers fit each other and its numbers are numbers."""
        values = (*self.inputs, *self.steps)
        names = [self.name, *self.names, *(one.name for one in values)]
        if not all(isinstance(name, str) for name in names):
            raise InterchangeError("a name in it is no text; it is damaged")
        for step in self.steps:
            if isinstance(step, Dense) and step.weights.ndim != 2:
                shape = "×".join(map(str, step.weights.shape)) or "one number"
                raise InterchangeError(
                    f"the weights of '{step.name}' are {shape}; those of a layer are a matrix, "
                    "neurons × features"
                )
        if not self.widths:
            raise InterchangeError("nothing goes in")
        for step in self.steps:
            for array in _arrays(step):
                if not np.isfinite(array).all():
                    raise InterchangeError(f"'{step.name}' holds NaN or Infinity")
        return self


def _width(step: Step, given: Sequence[int | None]) -> int | None:
    """Return how many features a step gives; raises `InterchangeError` where it does not fit."""
    before = given[0]
    match step:
        case Missing():
            return None
        case Dense():
            out, into = step.weights.shape
            if before is not None and into != before:
                raise InterchangeError(
                    f"'{step.name}' takes {into} features, and what comes before it gives {before}"
                )
            if step.bias is not None and step.bias.shape != (out,):
                raise InterchangeError(
                    f"'{step.name}' has {out} neurons and {step.bias.size} biases"
                )
            return int(out)
        case Affine() if before is not None and before != 1 and len(step.scale) not in (1, before):
            raise InterchangeError(
                f"'{step.name}' scales {len(step.scale)} features, and what comes before it gives "
                f"{before}"
            )
        case Affine() if len(step.scale) > 1:
            return len(step.scale)
        case Narrow(kind="pick"):
            if before is not None and max(step.places, default=0) >= before:
                raise InterchangeError(
                    f"'{step.name}' takes feature {max(step.places)}, and what comes before it "
                    f"gives {before}"
                )
            return len(step.places)
        case Narrow():
            return 1
        case Join(kind="concatenate"):
            return None if None in given else sum(width or 0 for width in given)
        case Join():
            known = {width for width in given if width != 1}
            if len(known - {None}) > 1:
                raise InterchangeError(
                    f"'{step.name}' joins values of {' and '.join(map(str, given))} features"
                )
            return None if None in known else next(iter(known), 1)
        case _:
            return before


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
    stays finite: e^min(0, z) is never infinite. Where both sides of a max or min are equal, the
    slope is that of the second, and each formula is written so that it is PyTorch's slope there.
    """
    slope = given.get("alpha", LEAK)
    others = CATALOG.get(kind)
    if others is not None and others.known_as and not others.is_own and not given:
        return Activation(name, kind)
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
    "leaky_relu": "max(z, 0) + {alpha} * min(0, z)",
    "elu": "max(z, 0) + {alpha} * (exp(min(0, z)) - 1)",
    "selu": "1.0507009873554805 * (max(z, 0) + 1.6732632423543772 * (exp(min(0, z)) - 1))",
    "selu_scaled": "{high} * (max(z, 0) + {alpha} * (exp(min(0, z)) - 1))",
    "celu": "max(z, 0) + {alpha} * (exp(min(0, z) / {alpha}) - 1)",
    "silu": "z * sigmoid(z)",
    "gelu": "0.5 * z * (1 + erf(z / 1.4142135623730951))",
    "gelu_tanh": "0.5 * z * (1 + tanh(0.7978845608028654 * (z + 0.044715 * z^3)))",
    "softsign": "z / (1 + abs(z))",
    "hard_sigmoid": "min(max(z / 6 + 0.5, 0), 1)",
    "hard_sigmoid_onnx": "min(max({alpha} * z + {low}, 0), 1)",
    "hard_tanh": "min(max(z, {low}), {high})",
    "clip": "max({low}, min({high}, z))",
    "at_least": "max({low}, z)",
    "at_most": "min({high}, z)",
    "relu6": "min(max(z, 0), 6)",
    "log_sigmoid": "0.5 * (z - abs(z)) - log(1 + exp(-abs(z)))",
    "tanhshrink": "z - tanh(z)",
    "exponential": "exp(z)",
    "mish": "z * tanh(max(z, 0) + log(1 + exp(-abs(z))))",
    "hard_silu": "z * min(max(z / 6 + 0.5, 0), 1)",
    "softplus_scaled": "(0.5 * ({alpha} * z + abs({alpha} * z)) + log(1 + exp(-abs({alpha} * z)))) "
    "/ {alpha}",
    "softshrink": "max(z - {alpha}, 0) + min(z + {alpha}, 0)",
    "hardshrink": "z * step(abs(z) - {alpha})",
    "shrink": "step(z - {alpha}) * (z - {low}) + step(-z - {alpha}) * (z + {low})",
    "thresholded": "z * step(z - {alpha})",
    "threshold": "z * step(z - {low}) + {high} * (1 - step(z - {low}))",
    "square": "z^2",
    "rsqrt": "1 / sqrt(z)",
    "exp2": "2^z",
    "expm1": "exp(z) - 1",
    "sinh": "0.5 * (exp(z) - exp(-z))",
    "cosh": "0.5 * (exp(z) + exp(-z))",
    "tangent": "sin(z) / cos(z)",
    "log1p": "log(1 + z)",
    "sin": "sin(z)",
    "cos": "cos(z)",
    "abs": "abs(z)",
    "erf": "erf(z)",
}
"""Activations that the library has no type for, as formulas in z with places for settings."""


def clipped(
    low: float | None, high: float | None, *, within: bool = False
) -> tuple[str | None, dict[str, float]]:
    """Return the kind of what holds numbers between limits, or on one side of one.

    Its slope at a limit itself is that of `within` them or that of beyond.
    """
    if low is None and high is None:
        return None, {}
    if high is None:
        return ("relu", {}) if low == 0 and not within else ("at_least", {"low": float(low or 0)})
    if low is None:
        return "at_most", {"high": float(high)}
    return "clip" if within else "hard_tanh", {"low": float(low), "high": float(high)}


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
