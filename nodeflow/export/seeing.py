"""What a page needs to find what views show: where values come from, and what they are called."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.views import Viewer, blame_shares, landscape
from nodeflow.workings.shown import show

IN_PAGES = (
    "bars", "blame_shares", "boundary", "confusion", "curve", "dictionary", "function_plot",
    "image", "landscape", "panel", "plot", "table",
)  # fmt: skip
"""The views that a page has; of one that a plugin brings it shows the numbers that enter."""


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
    if type_ in _ASKED:
        found |= _ASKED[type_](run, key, inputs)
    return found


def _fixed(run: Run, key: str) -> dict[str, Any]:
    """Return why a view shows nothing, where that will be so at any moment."""
    graph = run.plan.graph
    again = Run(run.graph, seed=run.machine.seed, batch=run.batch, share_with=run)
    try:
        again.evaluate()
        seen = Viewer(graph, run.plan.inference.tables).look(key, again.values, again.weights)
    except NodeflowError as error:
        return {"why": str(error)}
    return {"why": seen} if isinstance(seen, str) else {}


def _curve(run: Run, key: str, inputs: dict[str, str]) -> dict[str, Any]:
    data = inputs.get("x", "").rpartition(".")[0]
    whole = data in run.machine.splits and inputs.get("y", "").rpartition(".")[0] == data
    beyond = float(run.plan.graph.settings(key)["beyond"])
    return {"whole": whole, "beyond": beyond, **_fixed(run, key)}


def _functions(run: Run, key: str, _: dict[str, str]) -> dict[str, Any]:
    settings, wires = run.plan.graph.settings(key), run.plan.graph.inputs(key).get("a", ())
    return {
        "goals": [wire.start for wire in wires],
        "low": float(settings["low"]),
        "high": float(settings["high"]),
        **_fixed(run, key),
    }


def _landscape(run: Run, key: str, _: dict[str, str]) -> dict[str, Any]:
    shapes = {address: np.shape(weights) for address, weights in run.weights.items()}
    plan = landscape.planned(run.plan.graph, key, shapes)
    if isinstance(plan, str):
        return {"why": plan}
    if run.plan.unfolding.cost is None:
        return {"why": landscape.NO_COST}
    return asdict(plan)


def _shares(run: Run, _: str, inputs: dict[str, str]) -> dict[str, Any]:
    for port in ("delta", "weights"):
        if port not in inputs:
            return {"why": f"wire {port} as well"}
    shapes = run.plan.inference.shapes
    if not {inputs["delta"], inputs["weights"]} <= shapes.keys():
        return {}
    rows, columns = (size or 0 for size in shapes[inputs["weights"]].flat)
    deltas = shapes[inputs["delta"]].features or 0
    if deltas != rows:
        return {"why": blame_shares.apart(deltas, rows)}
    layer, before = blame_shares.who(run.plan.graph, inputs["weights"], rows, columns, shapes)
    return {"layer": layer, "before": before}


_ASKED = {
    "curve": _curve, "function_plot": _functions, "landscape": _landscape, "blame_shares": _shares,
}  # fmt: skip
"""What else a page needs of some views."""


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
