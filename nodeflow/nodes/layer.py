"""The layer: a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.declare import Blame, Many, Output, Value, node
from nodeflow.nodes.backward import bias_gradient, blame, weight_gradient
from nodeflow.symbolic import ZERO, Rows, plus, side_by_side, times, total
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import Apply, Index, Part, Terms
from nodeflow.workings.shown import show


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


@weighted_sum.in_programs
def _(s: Any, key: str) -> str:
    bias = s.all(key, "bias")
    product = f"{s.one(key, 'a')} @ {s.one(key, 'weights')}.T"
    return f"{product} + {bias[0]}" if bias else product


@weighted_sum.in_onnx
def _(s: Any, key: str) -> str:
    weights = s.node("Transpose", s.one(key, "weights"), perm=[1, 0])
    product, bias = s.node("MatMul", s.one(key, "a"), weights), s.all(key, "bias")
    return str(s.node("Add", product, bias[0]) if bias else product)


@weighted_sum.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    a, weights, bias = t.joined(inputs["a"]), inputs["weights"][0], inputs.get("bias")
    if t.is_large(out.rows, out.cols, a.cols, a, out):
        t.product(out, a, weights.as_matrix(out.cols, a.cols), (False, True))
        if bias:
            t.elementwise("add", out, out, bias[0].as_matrix(1, out.cols))
        return
    t.emit(
        "weighted_sum", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], weights=weights.offset,
        bias=bias[0].offset if bias else -1, inner=a.cols,
    )  # fmt: skip


@weighted_sum.slipped
def _(given: Given, index: Index, right: float) -> Iterator[tuple[str, float, str]]:
    if given.ports["bias"]:
        bias = given.one("bias").at((index[-1],)).value
        said = f"That is the sum without the bias: add b = {show(bias)}."
        yield "bias", right - bias, said


@weighted_sum.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    a, weights = side_by_side(inputs["a"]), inputs["weights"][0]
    bias = inputs["bias"][0][0] if inputs.get("bias") else [ZERO] * len(weights)
    made = []
    for row in a:
        sums = []
        for j, neuron in enumerate(weights):
            terms = [times(theta, x) for theta, x in zip(neuron, row, strict=True)]
            sums.append(plus(total(terms), bias[j] if len(bias) > 1 else bias[0]))
        made.append(sums)
    return made


@weighted_sum.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    row, neuron = row_of(index), index[-1]
    weights, bias = given.one("weights"), given.ports["bias"]
    values = weights.row(neuron) * given.features(row)
    if bias:
        values = np.append(values, bias[0].at((neuron,)).value)

    def make(place: int) -> Part:
        if place == given.width:
            return bias[0].at((neuron,))
        source, column = given.feature(place)
        return Apply("*", (weights.at((neuron, place)), source.at((row, column))))

    return Terms(values, make)


@weighted_sum.backward
def _(delta: Blame, a: Output, weights: Output, z: Output, bias: Any = None) -> Mapping[str, Any]:
    return {
        "a": lambda: blame(delta, weights),
        "weights": lambda: weight_gradient(delta, a),
        "bias": lambda: bias_gradient(delta),
    }
