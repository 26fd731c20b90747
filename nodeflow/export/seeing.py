"""What a page needs to find what views show: where values come from, and what they are called."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.workings.shown import show

IN_PAGES = ("bars", "boundary", "confusion", "dictionary", "image", "panel", "plot", "table")
"""The views that a page has; of others it shows the numbers that enter."""


def views(run: Run) -> dict[str, Any]:
    """Return the views of a graph, and the names of the classes of its data sets."""
    graph, tables = run.plan.graph, run.plan.inference.tables
    return {
        "classes": [table.classes for table in tables.values() if table.classes],
        "nodes": {
            key: _view(run, key)
            for key, node in graph.nodes.items()
            if node.type in IN_PAGES and node.mode == "active"
        },
    }


def _view(run: Run, key: str) -> dict[str, Any]:
    graph = run.plan.graph
    inputs = {name: wires[0].start for name, wires in graph.inputs(key).items() if wires}
    type_ = graph.nodes[key].type
    found: dict[str, Any] = {
        "type": type_,
        "starts": [wire.start for wire in graph.into(key)],
        "inputs": inputs,
    }
    if type_ in ("boundary", "confusion"):
        data = inputs.get("x" if type_ == "boundary" else "y", "").rpartition(".")[0]
        if data in run.machine.splits:
            split = run.machine.splits[data]
            middle = float(split.y.min() + split.y.max()) / 2
            at = show(float(split.in_units(np.array([[middle]]))[0, 0]))
            found |= {
                "data": data,
                "classes": split.classes,
                "sides": [f"below {at}", f"above {at}"],
            }
    return found


def neurons(run: Run) -> list[dict[str, Any]]:
    """Return the weighted sums in their order: weights, outputs, and inputs with widths."""
    graph, shapes = run.plan.graph, run.plan.inference.shapes
    found = []
    for key in run.plan.order:
        inputs = graph.inputs(key)
        if graph.nodes[key].type != "weighted_sum" or key not in run.graph.nodes:
            continue
        weights = inputs["weights"][0]
        if not graph.nodes[weights.source].is_parameter or len(shapes[weights.start].dims) != 2:
            continue
        after = [
            wire.target for wire in graph.out_of(key)
            if wire.input == "z" and graph.type_of(wire.target).family == "activation"
        ]  # fmt: skip
        found.append(
            {
                "key": key,
                "weights": weights.start,
                "bias": inputs["bias"][0].start if inputs.get("bias") else None,
                "outputs": [f"{key}.z", *(f"{name}.a" for name in after[:1])],
                "inputs": [[wire.start, shapes[wire.start].features or 0] for wire in inputs["a"]],
            }
        )
    return found
