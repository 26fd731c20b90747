"""The way of a run: what was changed of a lesson's graph, and from which update on.

An attempt notes it with each task that is done, so that marking can go the same way again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodeflow.errors import GraphError
from nodeflow.graph import Graph, Wire, renumbered
from nodeflow.lessons.settings import settings_changed, with_settings
from nodeflow.playback.player import Line

MOST_CHANGES = 1000
"""The most changes of settings on the way to a task; each takes a run of its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """From an update on, the settings that are not the lesson's own, by address."""

    update: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """What a run came through, from its start to where a task was done."""

    changes: tuple[Change, ...]
    """The first one is of the start."""
    wires: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Those that the lesson's graph does not have, and those of it that were not there; None where
    nothing is noted of them."""
    anew: bool = False
    """Whether the run was begun again since the task before."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Way | None:
        """Return what an answer file notes with a task; None where it was written by hand."""
        changes = record.get("changes")
        if changes is None:
            return None
        if not 1 <= len(changes) <= MOST_CHANGES:
            raise GraphError(f"it has {len(changes)} changes; there are 1 to {MOST_CHANGES}")
        wires = record.get("wires")
        return cls(
            tuple(Change(each["update"], each.get("settings", {})) for each in changes),
            None if wires is None else (tuple(wires.get("new", ())), tuple(wires.get("gone", ()))),
            bool(record.get("anew", False)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what is noted in a file."""
        found: dict[str, Any] = {
            "changes": [{"update": c.update, "settings": dict(c.settings)} for c in self.changes]
        }
        if self.wires is not None:
            new, gone = self.wires
            found["wires"] = {"new": list(new), "gone": list(gone)}
        return {**found, "anew": True} if self.anew else found


def way_of(original: Graph, graph: Graph, line: Line, *, anew: bool) -> Way:
    """Return the way on which a player's line lies, whose graph is `graph` now."""
    lines: list[Line] = []
    before: Line | None = line
    while before is not None:
        lines.insert(0, before)
        before = before.before
    changes: list[Change] = []
    typed: dict[str, Any] = {}
    for number, each in enumerate(lines):
        typed |= {address: value.tolist() for address, value in each.weights.items()}
        settings = {**settings_changed(original, each.run.graph), **typed}
        changes.append(Change(each.run.born if number else 0, settings))
    there, ours = _wires(folded_as(original, graph)), _wires(original)
    wires = tuple(sorted(there - ours)), tuple(sorted(ours - there))
    return Way(tuple(changes), wires, anew)


def _wires(graph: Graph) -> set[str]:
    return {str(wire) for wire in graph.wires}


def wired_as(
    original: Graph, answer: Graph, wires: tuple[tuple[str, ...], tuple[str, ...]]
) -> Graph:
    """Return the lesson's graph with the wires that it had on a way: some new, some gone.

    What somebody placed is taken from the answer; what is no longer there has no wires.
    """
    new, gone = (tuple(map(Wire.parse, texts)) for texts in wires)
    known = {**original.nodes, **answer.nodes}
    kept = [
        wire
        for wire in (*(w for w in original.wires if w not in gone), *new)
        if wire.source in known and wire.target in known
    ]
    used = {key for wire in kept for key in (wire.source, wire.target)}
    nodes = {key: node for key, node in known.items() if key in answer.nodes or key in used}
    return replace(
        answer,
        nodes=dict(sorted(nodes.items())),
        wires=tuple(sorted(renumbered(tuple(dict.fromkeys(kept))))),
    )


def graphs_of(
    original: Graph, graph: Graph, changes: Iterable[Change], free: Callable[[str], bool]
) -> tuple[tuple[int, Graph], ...]:
    """Return the graphs that a run went on with, and from which update on.

    Of the settings, those of nodes that are `free` to be changed.
    """
    found = []
    for each in changes:
        settings = {a: v for a, v in each.settings.items() if free(a.rpartition(".")[0])}
        found.append((each.update, with_settings(original, graph, settings)))
    return tuple(found)


def folded_as(original: Graph, graph: Graph) -> Graph:
    """Return a graph that was unfolded or taken apart as it was before: it computes the same."""
    from nodeflow.derive import collapse, fold
    from nodeflow.derive.exploding import RECORD as EXPLODED
    from nodeflow.derive.records import RECORD as UNFOLDED

    for record, undo in ((UNFOLDED, fold), (EXPLODED, collapse)):
        if graph.extra.get(record) and not original.extra.get(record):
            try:
                graph = undo(graph)
            except GraphError:  # it was changed since: then it stays as it is
                return graph
    return graph
