"""The formula of a node with the numbers that the run last told."""

from __future__ import annotations

import numpy as np

from nodeflow.derive.logits import logits
from nodeflow.editor.model import Editor
from nodeflow.engine.step import Step
from nodeflow.errors import NodeflowError


def working(editor: Editor, node: str) -> str:
    """Return a node's formula with its numbers, "" while they are not known."""
    graph, values = editor.graph, editor.live.values
    held = graph.nodes.get(node)
    type_ = held.known if held is not None else None
    if type_ is None or not type_.outputs or type_.family == "source":
        return ""
    inputs = {}
    for port, wires in graph.inputs(node).items():
        for wire in wires:
            value = values.get(wire.start)
            if value is None:
                return ""
            inputs[port if len(wires) == 1 else f"{port}[{wire.index}]"] = np.asarray(value)
    known = logits(graph, editor.inference.shapes).get(node) if type_.in_sums else None
    for name, (start, index) in (known.named if known else {}).items():
        value = values.get(start)
        if value is None:
            return ""
        inputs[name] = np.asarray(value) if index is None else np.atleast_2d(value)[:, index]
    outputs = {}
    for out in type_.outputs:
        value = values.get(f"{node}.{out.name}")
        if value is None:
            return ""
        outputs[out.name] = np.asarray(value)
    step = Step(
        epoch=editor.live.epoch,
        update=editor.live.update,
        sample=0,
        phase="forward",
        node=node,
        type=type_.name,
        inputs=inputs,
        outputs=outputs,
        symbols=type_.formula,
        settings=graph.settings(node),
        activation=known.activation if known else "",
    )
    try:
        return step.formula
    except (NodeflowError, LookupError, ValueError):
        return ""  # the values are those of the graph before its last edit
