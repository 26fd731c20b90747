"""Activation functions: number by number, softmax row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.declare import Blame, NodeType, Output, Value, node
from nodeflow.nodes.backward import LEAK, delta
from nodeflow.symbolic import ONE, Rows, plus, total
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import Index, Part, choice, of
from nodeflow.workings.powers import bent, of_row, share


@node(
    "activation",
    formula="a = 1 / (1 + e^(−z))",
    shapes="elementwise",
    aliases=("logistic", "σ", "nonlinearity"),
    calculation="sigmoid(z)",
    known_as={
        "onnx": "Sigmoid",
        "torch": "Sigmoid",
        "keras": "sigmoid",
        "sklearn": "logistic",
        "brain.js": "sigmoid",
        "snns": ("Act_Logistic", "Act_LogisticTbl"),
        "onnx-ml": "LOGISTIC",
    },
    between=(0.0, 1.0),
)
def sigmoid(z: Value) -> Value:
    """Squash each weighted sum into 0 … 1."""
    # e^−|z| never overflows; both branches of the usual formula are written with it.
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


@sigmoid.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    said = "The exponent has a minus: 1 / (1 + e^(−z)), and not 1 / (1 + e^z)."
    yield "exponent", 1 - right, said


@node(
    "activation",
    formula="a = tanh(z)",
    shapes="elementwise",
    aliases=("hyperbolic tangent",),
    calculation="tanh(z)",
    known_as={
        "onnx": "Tanh",
        "torch": "Tanh",
        "keras": "tanh",
        "sklearn": "tanh",
        "brain.js": "tanh",
        "snns": "Act_TanH",
    },
    between=(-1.0, 1.0),
)
def tanh(z: Value) -> Value:
    """Squash each weighted sum into −1 … 1."""
    return np.tanh(z)


@node(
    "activation",
    formula="a = max(0, z)",
    shapes="elementwise",
    aliases=("rectifier", "ramp"),
    calculation="max(0, z)",
    known_as={
        "onnx": "Relu",
        "torch": "ReLU",
        "keras": "relu",
        "sklearn": "relu",
        "brain.js": "relu",
    },
    operation="relu",
    between=(0.0, math.inf),
    verb="cut",
)
def relu(z: Value) -> Value:
    """Pass positive weighted sums, cut negative ones to 0."""
    return np.maximum(z, 0)


@relu.in_programs
def _(s: Any, key: str) -> str:
    said = {"numpy": "np.maximum({}, 0)", "torch": "torch.relu({})", "jax": "jax.nn.relu({})"}
    return str(s.as_said(said, s.one(key, "z")))


@node(
    "activation",
    formula="a = z if z > 0 else 0.01·z",
    shapes="elementwise",
    verb="cut",
    calculation=f"max(z, {LEAK}·z)",
    operation="leaky_relu",
    known_as={"brain.js": "leaky-relu"},
)
def leaky_relu(z: Value) -> Value:
    """Pass positive weighted sums, and a hundredth of negative ones."""
    return np.where(z > 0, z, LEAK * z)


@leaky_relu.in_programs
def _(s: Any, key: str) -> str:
    said = {
        "numpy": "np.where({0} > 0, {0}, 0.01 * {0})",
        "torch": "torch.nn.functional.leaky_relu({}, 0.01)",
        "jax": "jnp.where({0} > 0, {0}, 0.01 * {0})",
    }
    return str(s.as_said(said, s.one(key, "z")))


@leaky_relu.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    z = given.one("z").at(index)
    return (choice(of(">", z, 0), z, of("*", LEAK, z)),)


@node(
    "activation",
    formula="a = ln(1 + e^z)",
    shapes="elementwise",
    aliases=("smooth relu",),
    calculation="max(z, 0) + log(1 + exp(-abs(z)))",
    operation="softplus",
    known_as={"torch": "Softplus", "keras": "softplus"},
    between=(0.0, math.inf),
    verb="bent",
)
def softplus(z: Value) -> Value:
    """Bend smoothly from 0 to z."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@softplus.in_programs
def _(s: Any, key: str) -> str:
    return str(s.call("softplus", s.one(key, "z")))


@softplus.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    (z,) = inputs["z"]
    return [[("log", plus(ONE, ("exp", one))) for one in row] for row in z]


@softplus.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return bent(given.one("z").at(index))


@node(
    "activation",
    formula="a = z",
    shapes="elementwise",
    aliases=("linear",),
    verb="passed on",
    calculation="z",
    known_as={
        "onnx": "Identity",
        "torch": "Identity",
        "keras": "linear",
        "sklearn": "identity",
        "snns": ("Act_Identity", "Act_IdentityPlusBias"),
        "onnx-ml": "NONE",
    },
    passes="z",
)
def identity(z: Value) -> Value:
    """Pass the weighted sum on as it is."""
    return z


@node(
    "activation",
    formula="a = e^zⱼ / Σₖ e^zₖ",
    shapes="(n,o) -> (n,o)",
    aliases=("probabilities",),
    shares=True,
    known_as={
        "onnx": "Softmax",
        "torch": "Softmax",
        "keras": "softmax",
        "sklearn": "softmax",
        "onnx-ml": "SOFTMAX",
    },
    between=(0.0, 1.0),
)
def softmax(z: Value) -> Value:
    """Turn each row of weighted sums into shares that add up to 1."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.in_programs
def _(s: Any, key: str) -> str:
    return str(s.call("softmax", s.one(key, "z")))


@softmax.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.each_row("softmax", inputs["z"][0], out)


@softmax.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    made: Rows = []
    for row in inputs["z"][0]:
        powers: list[Any] = [("exp", z) for z in row]
        made.append([("/", power, total(powers)) for power in powers])
    return made


@softmax.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (share(of_row(given.one("z"), row_of(index)), index[-1]),)


def _rule(type_: NodeType) -> Callable[..., Mapping[str, Any]]:
    def rule(blame: Blame, z: Output, a: Output) -> Mapping[str, Any]:
        return {"z": delta(blame, a, activation=type_.name)}

    return rule


for _type in (sigmoid, tanh, relu, leaky_relu, softplus, identity, softmax):
    _type.backward(_rule(_type))
