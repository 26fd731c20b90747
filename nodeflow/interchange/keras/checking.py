"""Rows through a model of Keras, to compare an imported network with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.graph import Graph
from nodeflow.interchange.building import costs_of
from nodeflow.interchange.layers import Floats
from nodeflow.interchange.verifying import Answer, Other


def checked_against(model: Any, graph: Graph) -> Other:
    """Return what sends rows through a model, for `verified`: outputs, and gradients of kernels.

    Gradients are asked of PyTorch where Keras computes by it. The costs are the graph's own, which
    are compared with Keras' in the tests: the loss of a file may be code.
    """
    import keras

    costs = costs_of(graph)
    plain = all(graph.nodes[key].type == "squared_error" for key in costs)
    slopes = keras.backend.backend() == "torch" and plain
    layers = list(model._flatten_layers(include_self=False))  # noqa: SLF001 (those of models in it)
    names = Counter(layer.name for layer in layers)

    def other(xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        given = [x.reshape(len(x), *one.shape[1:]) if None not in one.shape[1:] else x
                 for x, one in zip(xs, model.inputs, strict=True)]  # fmt: skip
        outs = keras.tree.flatten(model(given if len(given) > 1 else given[0], training=False))
        found = [np.asarray(keras.ops.convert_to_numpy(out), np.float64).reshape(len(out), -1)
                 for out in outs]  # fmt: skip
        if not slopes:
            return found, None
        total = 0
        for key, out, y in zip(costs, outs, ys, strict=True):
            target = keras.ops.convert_to_tensor(
                y.astype(keras.backend.standardize_dtype(out.dtype))
            )
            total = total + _factor(graph, key) * ((out - target) ** 2).sum(1).mean()
        total.backward()  # type: ignore[attr-defined]
        made = {}
        for layer in layers:
            for what, name in (("kernel", "weight"), ("bias", "bias")):
                variable, key = getattr(layer, what, None), f"{layer.name}.{name}"
                slope = None if variable is None else variable.value.grad
                if slope is not None and key in graph.nodes and names[layer.name] == 1:
                    made[key] = slope.detach().numpy().T.astype(np.float64)
        return found, made

    return other


def _factor(graph: Graph, cost: str) -> float:
    """Return what the sum of squares of an output is multiplied by: a half, a mean, a weight."""
    half = 0.5 if graph.settings(cost)["half"] else 1.0
    for wire in graph.out_of(cost):
        if graph.nodes[wire.target].type == "expression":
            tree = formulas.parse(str(graph.settings(wire.target)["formula"]))
            return half * float(formulas.evaluate(tree, {"cost": 1.0}))
    return half
