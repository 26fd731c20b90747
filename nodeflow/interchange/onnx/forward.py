"""ONNX out: the forward pass of any graph, node by node, where it is no chain of layers.

In go the data, under the names of the graph; where no value has rows, every constant and slider.
Out comes what costs and errors compare with their targets, `output` if it is one value, else under
the ids of their nodes; without costs what leads to nothing further. Parameters are inside, with
their weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nodeflow.engine.plan import Plan
from nodeflow.engine.run import Run
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.onnx.nodes import Nodes
from nodeflow.interchange.programs.recipe import Recipe


def forward_pass(
    graph: Graph, weights: Mapping[str, Any] | None = None, dtype: DTypeLike = np.float64
) -> bytes:
    """Return the model; raises `InterchangeError` for what ONNX has no operators for."""
    run = Run(graph)
    ends = outputs_of(run.plan)
    keys = run.plan.graph.upstream(end.rpartition(".")[0] for end in ends)
    ops = Nodes(Recipe(run, graph, keys), dtype)
    inputs = []
    for address, rows in ops.recipe.fed.items():
        inputs.append(ops.value_info(ops.names[address], ["rows", rows.train.shape[1]]))
    if not inputs:
        for address, array in ops.recipe.constants.items():
            ops.take(address)
            inputs.append(ops.value_info(ops.names[address], list(array.shape)))
    for address, start in ops.recipe.start.items():
        value = start if weights is None or address not in weights else weights[address]
        ops.constant(address, np.asarray(value, np.float64).reshape(start.shape))
    ops.count()
    for key in ops.recipe.computed:
        ops.say(key)
    found = []
    for end in ends:
        name = "output" if len(ends) == 1 else f"{end.rpartition('.')[0]}.output"
        ops.node("Identity", ops.with_rows(end), to=name)
        width = int(np.prod([size or 1 for size in ops.recipe.dims(end)]))
        found.append(ops.value_info(name, ["rows" if ops.rows else 1, width]))
    return ops.model(graph.name, inputs, found)


def outputs_of(plan: Plan) -> tuple[str, ...]:
    """Return the addresses of what a graph puts out; raises `InterchangeError` if it has none."""
    graph, data = plan.graph, set(plan.graph.datasets)
    found: dict[str, None] = {}
    for key in plan.order:
        ports = graph.inputs(key)
        if set(ports) == {"a", "y"} and any(
            graph.nodes[w.source].family == "source" or data & graph.upstream([w.source])
            for w in ports["y"]
        ):
            found |= dict.fromkeys(wire.start for wire in ports["a"])
    if not found:
        ended = [key for key in plan.order if _ends(graph, key)]
        found = {f"{key}.{graph.type_of(key).outputs[0].name}": None for key in ended}
    if not found:
        raise InterchangeError(
            "the graph computes nothing that could go out: it needs a wire from its data to a node"
        )
    return tuple(found)


def _ends(graph: Graph, key: str) -> bool:
    """Return whether a node is computed, and nothing but views takes its value."""
    return (
        graph.nodes[key].family != "source" and bool(graph.type_of(key).outputs)
        and not any(graph.type_of(wire.target).outputs for wire in graph.out_of(key))
    )  # fmt: skip
