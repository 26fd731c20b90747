"""Which runs may go on from where another one stands: those that differ in numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.data.relative import there
from nodeflow.engine.machine import Machine


def what_differs(a: Machine, b: Machine) -> str:
    """Return why `b` cannot go on from where `a` stands, "" if it can.

    Settings may differ, and nodes that neither an update nor the cost depends on.
    """
    if (a.seed, a.batch) != (b.seed, b.batch):
        return "seed or batch is another"
    if (a.rows, a.test_rows) != (b.rows, b.test_rows) or _data(a) != _data(b):
        return "its data is another"
    alike = (
        a.schedule.pass_size == b.schedule.pass_size
        and a.tape.state == b.tape.state
        and parameters(a) == parameters(b)
        and _structure(a) == _structure(b)
    )
    return "" if alike else "its nodes or wires are others"


def parameters(machine: Machine) -> dict[str, tuple[int, int]]:
    """Return where each parameter lies in the state, and how large it is."""
    slots, nodes = machine.tape.slots, machine.plan.graph.nodes
    return {
        key: (slots[f"{key}.value"].offset, slots[f"{key}.value"].size)
        for key in machine.plan.order
        if nodes[key].type == "parameter"
    }


def restarted(a: Machine, b: Machine) -> dict[str, Any]:
    """Return the parameters to which `b` gives another start than `a`, with their values."""
    return {
        f"{key}.value": b.read(f"{key}.value", 1)
        for key, (offset, size) in parameters(b).items()
        if (a.start[offset : offset + size] != b.start[offset : offset + size]).any()
    }


def copy_state(a: Machine, b: Machine) -> bool:
    """Copy the cells of `a` into `b`, but for settings; return whether all values have a place."""
    whole = a.tape.slots == b.tape.slots and a.tape.size == b.tape.size
    end = a.tape.size if whole else a.tape.state
    b.cells[:end] = a.cells[:end]
    b.stats[:] = a.stats
    b.tape.put_literals(b.cells)
    return whole


def _structure(machine: Machine) -> tuple[Any, ...]:
    graph, needed = machine.plan.graph, machine.plan.needed
    return (
        {key: (graph.nodes[key].type, graph.nodes[key].mode) for key in needed},
        {wire for wire in graph.wires if wire.target in needed},
    )


def _data(machine: Machine) -> Mapping[str, Any]:
    graph = machine.plan.graph
    return {key: _located(graph.settings(key), graph.folder) for key in machine.splits}


def _located(settings: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return a data set's settings with its file's place, however the graph file names it."""
    found = there(settings["source"], folder)
    return {**settings, "source": settings["source"] if found is None else found.resolve()}
