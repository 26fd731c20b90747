"""The formula of a node with the numbers of one pass: never with those of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.logits import logits
from nodeflow.editor.state.model import Editor
from nodeflow.engine.snapshot import AHEAD
from nodeflow.engine.step import Step
from nodeflow.errors import NodeflowError
from nodeflow.workings.given import Given
from nodeflow.workings.lines import line_of


def working(editor: Editor, node: str) -> str:
    """Return a node's formula with its numbers, "" while they are not known.

    Where the present pass has not come to the node, its value is of another pass, and what enters
    it may be of this one: then only that is said. At the end of an update all are of the pass that
    is over, and the weights are those that it had.
    """
    graph = editor.graph
    held = graph.nodes.get(node)
    type_ = held.known if held is not None else None
    if type_ is None or not type_.outputs or type_.family == "source":
        return ""
    age = editor.live.ages.get(node, "")
    step = _step(editor, node)
    if step is None:
        return f"its value is {age}" if age and age != AHEAD else ""
    try:
        formula = _formula(step, editor)
    except (NodeflowError, LookupError, ValueError):
        return ""  # the values are those of the graph before its last edit
    return f"{formula}\n({age})" if age else formula


def _formula(step: Step, editor: Editor) -> str:
    """Return the formula of the first number; if one neuron is selected, that of its own."""
    if editor.neuron is None or editor.neuron[0] != step.node:
        return step.formula
    port, value = next(iter(step.outputs.items()))
    rows = value.ndim == 2
    return line_of(Given(step), port, (0, editor.neuron[1]) if rows else (0,)).text


def _step(editor: Editor, node: str) -> Step | None:
    """Return the step that a node made, None where not all of its numbers are there any more."""
    graph, live = editor.graph, editor.live
    last = live.playback.step
    if last is not None and last.node == node and node not in live.ages:
        return last
    type_ = graph.type_of(node)
    whole = _of_one_pass(editor, node)
    values = {**live.values, **live.weights_before} if live.weights_before else live.values
    inputs: dict[str, NDArray[Any]] = {}
    for port, wires in graph.inputs(node).items():
        for wire in wires:
            if graph.feeds_back(wire):
                return None  # what entered it was replaced by what came out
            if not _is_there(values, wire.start) or not whole(wire.start):
                return None
            name = port if len(wires) == 1 else f"{port}[{wire.index}]"
            inputs[name] = np.asarray(values[wire.start])
    known = logits(graph, editor.inference.shapes).get(node) if type_.in_sums else None
    for name, (start, index) in (known.named if known else {}).items():
        if not _is_there(values, start) or not whole(start):
            return None
        value = values[start]
        inputs[name] = np.asarray(value) if index is None else np.atleast_2d(value)[:, index]
    outputs = {}
    for out in type_.outputs:
        if not _is_there(values, f"{node}.{out.name}"):
            return None
        outputs[out.name] = np.asarray(values[f"{node}.{out.name}"])
    return Step(
        epoch=live.epoch,
        update=live.update,
        sample=0,
        phase="forward",
        node=node,
        type=type_.name,
        inputs=inputs,
        outputs=outputs,
        symbols=type_.formula,
        settings=graph.settings(node),
        activation=known.activation if known else "",
        samples=live.samples[0] if live.ages.get(node, "") in ("", AHEAD) else live.samples[1],
    )


def _of_one_pass(editor: Editor, node: str) -> Callable[[str], bool]:
    """Return what tells whether the value at an address is of the pass that a node's value is of.

    Weights are of the present pass, but where those of the pass before are known.
    """
    live, graph = editor.live, editor.graph
    own = live.ages.get(node, "")
    current = own in ("", AHEAD)

    def is_of_it(address: str) -> bool:
        age, key = live.age(address), address.rpartition(".")[0]
        if current:
            return age in ("", AHEAD)
        if graph.nodes[key].is_parameter:
            return address in live.weights_before
        shape = editor.inference.shapes.get(address)
        stands = graph.type_of(key).family == "source" and shape is not None and not shape.batch
        return stands or age == own

    return is_of_it


def _is_there(values: Mapping[str, NDArray[Any]], address: str) -> bool:
    return values.get(address) is not None
