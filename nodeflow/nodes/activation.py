"""Activation functions: number by number, softmax row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nodeflow.declare import Blame, NodeType, Output, Value, node
from nodeflow.nodes.backward import LEAK, delta


@node(
    "activation",
    formula="a = 1 / (1 + e^(−z))",
    shapes="elementwise",
    aliases=("logistic", "σ", "nonlinearity"),
    calculation="sigmoid(z)",
    between=(0.0, 1.0),
)
def sigmoid(z: Value) -> Value:
    """Squash each weighted sum into 0 … 1."""
    # e^−|z| never overflows; both branches of the usual formula are written with it.
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


@node(
    "activation",
    formula="a = tanh(z)",
    shapes="elementwise",
    aliases=("hyperbolic tangent",),
    calculation="tanh(z)",
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
    between=(0.0, math.inf),
    verb="cut",
)
def relu(z: Value) -> Value:
    """Pass positive weighted sums, cut negative ones to 0."""
    return np.maximum(z, 0)


@node(
    "activation",
    formula="a = z if z > 0 else 0.01·z",
    shapes="elementwise",
    verb="cut",
    calculation=f"max(z, {LEAK}·z)",
)
def leaky_relu(z: Value) -> Value:
    """Pass positive weighted sums, and a hundredth of negative ones."""
    return np.where(z > 0, z, LEAK * z)


@node(
    "activation",
    formula="a = ln(1 + e^z)",
    shapes="elementwise",
    aliases=("smooth relu",),
    calculation="max(z, 0) + log(1 + exp(-abs(z)))",
    between=(0.0, math.inf),
    verb="bent",
)
def softplus(z: Value) -> Value:
    """Bend smoothly from 0 to z."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@node(
    "activation",
    formula="a = z",
    shapes="elementwise",
    aliases=("linear",),
    verb="passed on",
    calculation="z",
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
    between=(0.0, 1.0),
)
def softmax(z: Value) -> Value:
    """Turn each row of weighted sums into shares that add up to 1."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _rule(type_: NodeType) -> Callable[..., Mapping[str, Any]]:
    def rule(blame: Blame, z: Output, a: Output) -> Mapping[str, Any]:
        return {"z": delta(blame, a, activation=type_.name)}

    return rule


for _type in (sigmoid, tanh, relu, leaky_relu, softplus, identity, softmax):
    _type.backward(_rule(_type))
