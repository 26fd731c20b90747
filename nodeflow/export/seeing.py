"""What a page needs to find what views show: where values come from, and what they are called."""

from __future__ import annotations

from typing import Any

from nodeflow.declare import kind_of
from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.views import Viewer, module_of


def views(run: Run) -> dict[str, Any]:
    """Return the views of a graph, and the names of the classes of its data sets."""
    graph, tables = run.plan.graph, run.plan.inference.tables
    return {
        "classes": [table.classes for table in tables.values() if table.classes],
        "nodes": {
            key: _view(run, key)
            for key, node in graph.nodes.items()
            if node.mode == "active" and in_pages(node.type)
        },
    }


def in_pages(kind: str) -> str:
    """Return which of a page's views a node type is, or "".

    A page has the views of the library; of another one it shows the numbers that enter.
    """
    package, _, name = kind_of(kind).view_module.rpartition(".")
    return name if package == "nodeflow.views" else ""


def _view(run: Run, key: str) -> dict[str, Any]:
    graph = run.plan.graph
    inputs = {name: wires[0].start for name, wires in graph.inputs(key).items() if wires}
    kind = graph.nodes[key].type
    found: dict[str, Any] = {
        "type": in_pages(kind),
        "starts": [wire.start for wire in graph.into(key)],
        "inputs": inputs,
    }
    asked = getattr(module_of(kind), "for_page", None)
    if asked is not None:
        found |= asked(run, key, inputs)
    if found.pop("fixed", False):
        found |= _fixed(run, key)
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


def neurons(run: Run) -> list[dict[str, Any]]:
    """Return the weighted sums in their order: weights, outputs, and inputs with widths."""
    graph, shapes = run.plan.graph, run.plan.inference.shapes
    found = []
    for key in run.plan.order:
        inputs = graph.inputs(key)
        if not graph.nodes[key].is_layer or key not in run.graph.nodes:
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
