"""Which runs may go on from where another one stands: those that differ in numbers only."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodeflow.data.relative import there
from nodeflow.engine.machine import Floats, Machine


@dataclass(frozen=True)
class Renaming:
    """One node of a graph has another id; what unfolding makes of it is named after it."""

    old: str = ""
    new: str = ""
    nodes: Container[str] = frozenset()
    """The ids of the graph before: `hidden.a` may be a node of its own, and not of `hidden`."""

    def now(self, key: str) -> str:
        """Return what a node is called after it."""
        owner = key
        while owner and owner not in self.nodes:
            owner = owner.rpartition(".")[0]
        return self.new + key[len(self.old) :] if owner and owner == self.old else key


SAME = Renaming()


def what_differs(a: Machine, b: Machine, rename: Renaming = SAME) -> str:
    """Return why `b` cannot go on from where `a` stands, "" if it can.

    Settings may differ, and nodes that neither an update nor the cost depends on; a node of `a`
    may have another id in `b`.
    """
    if (a.seed, a.batch) != (b.seed, b.batch):
        return "its seed or batch differs"
    if (a.rows, a.test_rows) != (b.rows, b.test_rows) or _data(a, rename) != _data(b):
        return "its data differ"
    if a.schedule.pass_size != b.schedule.pass_size or _structure(a, rename) != _structure(b):
        return "its nodes or wires differ"
    return ""


def is_same_training(a: Machine, b: Machine, rename: Renaming = SAME) -> bool:
    """Return whether `b` trains as `a` does, to the bit: only what nobody trains may differ."""

    def part(machine: Machine, rename: Renaming = SAME) -> dict[str, Any]:
        nodes, data = machine.plan.graph.nodes, machine.splits
        return {
            rename.now(key): nodes[key].settings if key not in data else None
            for key in machine.plan.trained
        }

    def searches(machine: Machine) -> list[tuple[str, Any]]:
        graph = machine.graph
        return [(graph.nodes[key].mode, graph.settings(key)) for key in graph.searches]

    return (
        not what_differs(a, b, rename)
        and part(a, rename) == part(b)
        and searches(a) == searches(b)
        and not restarted(a, b, rename)
    )


def parameters(machine: Machine, rename: Renaming = SAME) -> dict[str, tuple[int, int]]:
    """Return where each parameter lies in the state, and how large it is."""
    slots, nodes = machine.tape.slots, machine.plan.graph.nodes
    return {
        rename.now(key): (slots[f"{key}.value"].offset, slots[f"{key}.value"].size)
        for key in machine.plan.order
        if nodes[key].is_parameter
    }


def restarted(a: Machine, b: Machine, rename: Renaming = SAME) -> dict[str, Any]:
    """Return the parameters to which `b` gives another start than `a`, with their values."""
    known = parameters(a, rename)
    return {
        f"{key}.value": b.read(f"{key}.value", 1)
        for key, (offset, size) in parameters(b).items()
        if key in known
        and known[key][1] == size
        and (_part(a.start, known[key]) != b.start[offset : offset + size]).any()
    }


def moved_state(state: Floats, a: Machine, b: Machine, rename: Renaming = SAME) -> Floats:
    """Return a state of `a` as `b` lays it out; a parameter of `b` alone has its start."""
    known = parameters(a, rename)
    found: Floats = b.start.copy()
    for key, (offset, size) in parameters(b).items():
        if key in known and known[key][1] == size:
            found[offset : offset + size] = _part(state, known[key])
    return found


def _part(state: Floats, place: tuple[int, int]) -> Floats:
    return state[place[0] : place[0] + place[1]]


def copy_state(a: Machine, b: Machine) -> bool:
    """Copy the cells of `a` into `b`, but for settings; return whether all values have a place."""
    whole = a.tape.slots == b.tape.slots and a.tape.size == b.tape.size
    if whole:
        b.cells[: a.tape.size] = a.cells[: a.tape.size]
    else:
        b.cells[: b.tape.state] = moved_state(a.cells, a, b)
    b.stats[:] = a.stats
    b.tape.put_literals(b.cells)
    return whole


def _structure(machine: Machine, rename: Renaming = SAME) -> tuple[Any, ...]:
    graph, trained, sizes = machine.plan.graph, machine.plan.trained, parameters(machine)
    return (
        {rename.now(key): (graph.nodes[key].type, graph.nodes[key].mode) for key in trained},
        {
            replace(wire, source=rename.now(wire.source), target=rename.now(wire.target))
            for wire in graph.wires
            if wire.target in trained
        },
        {rename.now(key): size for key, (_, size) in sizes.items() if key in trained},
    )


def _data(machine: Machine, rename: Renaming = SAME) -> Mapping[str, Any]:
    graph = machine.plan.graph
    return {
        rename.now(key): _located(graph.settings(key), graph.folder)
        for key in machine.splits
        if key in machine.plan.trained
    }


def _located(settings: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return a data set's settings with its file's place, however the graph file names it."""
    found = there(settings["source"], folder)
    return {**settings, "source": settings["source"] if found is None else found.resolve()}
