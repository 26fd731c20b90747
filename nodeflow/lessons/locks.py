"""The locked parts of a lesson: what was changed in them, and how they are put back.

A wire that a task asks for may be drawn into a locked node, and what stood at its port may make
room for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nodeflow.difference import Change, difference
from nodeflow.graph import Graph, Training, Wire, in_order, renumbered
from nodeflow.lessons.goals import wires_for
from nodeflow.lessons.lesson import Lesson, require_lesson
from nodeflow.lessons.settings import TRAINING

End = tuple[str, str]
"""A node and one of its inputs."""


def asked_wires(
    lesson: Lesson, original: Graph, graph: Graph, first: int = 0, end: int | None = None
) -> frozenset[Wire]:
    """Return the wires in a graph that some of the tasks ask for."""
    tasks = (task for task in lesson.tasks[first:end] if task.kind == "wire")
    return frozenset(wire for task in tasks for wire in wires_for(task, original, graph))


def ends_to_wire(lesson: Lesson, original: Graph, graph: Graph) -> frozenset[End]:
    """Return the inputs at which a task asks for a wire, drawn or not: they may be wired anew."""
    named = {t.goal.rpartition("->")[2].strip() for t in lesson.tasks if t.kind == "wire"}
    there = {_end(wire) for wire in original.wires if wire.end in named}
    return frozenset(there | {_end(w) for w in asked_wires(lesson, original, graph)})


def change_of_locked(original: Graph, graph: Graph, unlocked: Iterable[str] = ()) -> str:
    """Return what differs in the locked parts on the way, in words; "" if nothing does.

    At an input at which a task asks for a wire, anything may be tried.
    """
    lesson = require_lesson(original)
    free = set(unlocked)
    ends = ends_to_wire(lesson, original, graph)
    changes = _changes(
        original,
        graph,
        lesson.locked - free,
        ends,
        training=lesson.everything and TRAINING not in free,
    )
    return next((change.sentence for change in changes), "")


def changes_of_locked(original: Graph, answer: Graph) -> tuple[Change, ...]:
    """Return what differs in the locked parts of what was handed in.

    Beside a wire that a task asked for, others that were drawn to its input are changes.
    """
    lesson = require_lesson(original)
    asked = asked_wires(lesson, original, answer)
    ends = frozenset(_end(wire) for wire in asked)
    ours = {(wire.start, wire.end) for wire in original.wires}
    strangers = frozenset(
        wire
        for wire in answer.wires
        if _end(wire) in ends and wire not in asked and (wire.start, wire.end) not in ours
    )
    return _changes(original, answer, lesson.locked, ends, strangers, training=lesson.everything)


def with_locks_restored(original: Graph, answer: Graph) -> Graph:
    """Return an answer with the locked parts of its lesson as they were, and the asked wires."""
    lesson = require_lesson(original)
    asked = asked_wires(lesson, original, answer)
    ends = {_end(wire) for wire in asked}
    ours = {(wire.start, wire.end) for wire in original.wires}

    def stays(wire: Wire) -> bool:
        if wire.target not in lesson.locked or wire in asked:
            return True
        return _end(wire) in ends and (wire.start, wire.end) in ours

    wires = [wire for wire in answer.wires if stays(wire)]
    wires += [w for w in original.wires if w.target in lesson.locked and _end(w) not in ends]
    graph = replace(
        answer,
        training=original.training if lesson.everything else answer.training,
        nodes={**answer.nodes, **{key: original.nodes[key] for key in lesson.locked}},
        wires=in_order(renumbered(tuple(wires))),
        folder=original.folder,
    )
    graph.validate()
    return graph


def _changes(
    original: Graph,
    graph: Graph,
    keys: frozenset[str],
    ends: frozenset[End],
    strangers: frozenset[Wire] = frozenset(),
    *,
    training: bool,
) -> tuple[Change, ...]:
    def part(whole: Graph) -> Graph:
        wires = (
            w for w in whole.wires if w.target in keys and (_end(w) not in ends or w in strangers)
        )
        return Graph(
            nodes={key: node for key, node in whole.nodes.items() if key in keys},
            wires=renumbered(tuple(wires)),
            training=whole.training if training else Training(),
        )

    return difference(part(original), part(graph))


def _end(wire: Wire) -> End:
    return wire.target, wire.input
