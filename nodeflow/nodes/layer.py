"""The layer: a weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeflow.declare import Blame, Many, Output, Value, node
from nodeflow.nodes.backward import bias_gradient, blame, weight_gradient


@node(
    "layer",
    formula="z = Θa + b",
    shapes="(n,i), (o,i), (o) -> (n,o)",
    aliases=("dense", "linear", "neuron", "sum", "layer"),
    noun="the weighted sum",
)
def weighted_sum(a: Many, weights: Value, bias: Value | None = None) -> Value:
    """Add up the inputs, each times its weight, and the bias: zⱼ = Σᵢ Θⱼᵢ aᵢ + bⱼ.

    a is n×in (several wires are joined), weights out×in, bias out; z is n×out.
    """
    z = a @ weights.T
    return z if bias is None else z + bias


@weighted_sum.backward
def _(delta: Blame, a: Output, weights: Output, z: Output, bias: Any = None) -> Mapping[str, Any]:
    return {
        "a": lambda: blame(delta, weights),
        "weights": lambda: weight_gradient(delta, a),
        "bias": lambda: bias_gradient(delta),
    }
