"""How a node becomes rows of the tape: as its type says, or by its calculation, or in Python."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from nodeflow.declare import Lower, NodeType, note_change
from nodeflow.engine.cells import Layout, Slot
from nodeflow.engine.kernel.language import Function
from nodeflow.engine.kernel.registry import join
from nodeflow.errors import DeclarationError
from nodeflow.graph import Graph


def lower_of(type_: NodeType) -> Lower | None:
    """Return how a type becomes rows; None if its function is called."""
    if type_.lower is not None:
        return type_.lower
    return _calculated(type_) if type_.calculation else None


def _calculated(type_: NodeType) -> Lower:
    """Return the rows of what a type says that it calculates."""

    def lower(
        t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
    ) -> None:
        tree = type_.calculated(settings)
        if not type_.adds_up:
            t.formula(tree, inputs, out)
            return
        each = t.like(out, max(slots[0].cols for slots in inputs.values()))
        t.formula(tree, inputs, each)
        t.paired("sum", each, each, out)

    return lower


def compute_by(type_: NodeType, function: Function) -> None:
    """Let a node type be computed number by number, by a function in the kernel's language.

    The function has a parameter for each input, in their order, and gives the only output; see
    `nodeflow.engine.kernel.language`. It is to give what the type's own function gives, which goes
    on to serve arrays. Raises `DeclarationError` where it does not fit the type, or cannot be
    compiled.
    """
    ports = [port.name for port in type_.inputs]
    single = len(type_.outputs) == 1 and not any(port.many for port in type_.inputs)
    count = len(inspect.signature(function).parameters)
    if not single or type_.dynamic_inputs or count != len(ports):
        raise DeclarationError(
            f"'{type_.name}' cannot be computed number by number by {function.__name__}: it needs "
            "an output and a parameter of the function for each input"
        )
    type_.operation(join(type_.name, function).name)
    note_change()


def decay_of(graph: Graph, average: str) -> float:
    """Return the λ of an `average` node: 0 where no weights are wired to it."""
    wired = any(wire.input == "weights" for wire in graph.into(average))
    return float(graph.settings(average)["regularization"]) if wired else 0.0


def alike(t: Layout, inputs: dict[str, list[Slot]], out: Slot) -> bool:
    """Return whether all values but a rate have the shape of the result, without gaps."""
    _, rows, cols, stride = out
    batched = rows == 0
    if (batched and t.capacity > 1) or (rows > 1 and stride != cols):
        return False
    for name, there in inputs.items():
        if name == "rate":
            continue
        for part in there:
            _, tall, wide, step = part
            if tall == rows and wide == cols and step == stride:
                continue
            if (tall == 0) != batched or part.size != out.size or not t.contiguous(part):
                return False
    return True
