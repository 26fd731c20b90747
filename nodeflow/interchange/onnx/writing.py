"""ONNX out: layers in a row; any other graph is in `forward`, a step in `training`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.chain import layers_of
from nodeflow.interchange.layers import Activation, Affine, Dense, Network
from nodeflow.interchange.onnx.operators import Operators


def write(
    graph: Graph,
    weights: Any = None,
    *,
    backward: bool = False,
    dtype: DTypeLike = np.float64,
) -> bytes:
    """Return a model whose numbers are float64 or float32.

    Forward: `x` (rows, features) in, `output` out, weights inside; of a graph that is no chain of
    layers, see `forward`. With `backward` it is one training step, see `training`. Raises
    `InterchangeError` without the package onnx, and for what ONNX cannot hold.
    """
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise InterchangeError("ONNX is not installed; pip install 'nodeflow[onnx]'") from None
    if backward:
        from nodeflow.interchange.onnx.training import training_step

        return training_step(graph, dtype)
    try:
        network = layers_of(graph, weights)
    except InterchangeError:
        from nodeflow.interchange.onnx.forward import forward_pass

        return forward_pass(graph, weights, dtype)
    return _forward(network, Operators(dtype))


def _forward(network: Network, ops: Operators) -> bytes:
    at = "x"
    for step in network.steps:
        if isinstance(step, Dense):
            at = _dense(ops, step, at)
        elif isinstance(step, Affine):
            scaled = ops.node("Mul", at, ops.number(*step.scale.tolist()))
            at = ops.node("Add", scaled, ops.number(*step.shift.tolist()), to=f"{step.name}.value")
        elif isinstance(step, Activation) and step.formula is not None:
            tree = formulas.parse(step.formula)
            value = ops.formula(tree, dict.fromkeys(formulas.names(tree), at))
            at = ops.node("Identity", value, to=f"{step.name}.a")
        elif isinstance(step, Activation):
            at = ops.activation(CATALOG[step.kind], at, to=f"{step.name}.a")
    ops.node("Identity", at, to="output")
    widths = list(network.widths.values())
    return ops.model(
        network.name,
        [ops.value_info("x", ["rows", widths[0]])],
        [ops.value_info("output", ["rows", widths[-1]])],
    )


def _dense(ops: Operators, step: Dense, at: str) -> str:
    names = [at, f"{step.name}.weight"]
    ops.constant(names[1], step.weights)
    if step.bias is not None:
        names.append(f"{step.name}.bias")
        ops.constant(names[2], step.bias)
    return ops.node("Gemm", *names, to=f"{step.name}.z", transB=1)
