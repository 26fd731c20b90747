"""A lesson as data: its tasks, what in it is locked, hidden and offered, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeflow.declare import CATALOG
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import ConditionError, FileError, GraphError, RunError, nearest
from nodeflow.files.lessonform import EVERY, GOALS, LESSON
from nodeflow.files.text import at
from nodeflow.graph import Graph, Wire
from nodeflow.lessons.way import Way
from nodeflow.playback.conditions import parse, parse_expression
from nodeflow.playback.stops import Seen

_COMPARED = re.compile(r"[<>=≤≥≠]|\b(?:any|all|nan|infinite|not)\b")


@dataclass(frozen=True, slots=True)
class Task:
    """What to do, and by what it is known as done."""

    text: str
    kind: str
    """until, at, ask or wire."""
    goal: str
    """The condition, the moment, the expression, or the address."""
    question: str = ""
    tolerance: float | None = None
    """How far off an answer may be; None is what a prediction may be (`playback.answers`)."""

    @property
    def is_truth(self) -> bool:
        """Whether it is answered by yes or no, as far as its text tells."""
        return self.kind == "ask" and _COMPARED.search(self.goal) is not None


@dataclass(frozen=True)
class Lesson:
    """The tasks of a graph, what in it is locked and hidden, and the types that it offers."""

    tasks: tuple[Task, ...]
    locked: frozenset[str] = frozenset()
    """Ids of nodes: their settings and the wires into them."""
    everything: bool = False
    """Whether all of the graph is locked, its training too."""
    hidden: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()
    """The types in the library; none means all."""


@dataclass(frozen=True, slots=True)
class Done:
    """A task that was done: what was typed, what was right, and where it was."""

    task: int
    typed: str | None = None
    value: Any = None
    moment: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By address, those that were not the lesson's own then: `training.seed`, `train.rate`."""
    way: Way | None = None
    """How the run came there; None for what was noted by hand."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Done:
        """Return what was noted in a file, or by a page; raises `GraphError`."""
        names = ("task", "typed", "value", "moment", "settings")
        given = {name: record[name] for name in names if name in record}
        return cls(**given, way=Way.read(record))

    def as_dict(self) -> dict[str, Any]:
        """Return what is noted in a file."""
        given = {"typed": self.typed, "value": self.value, "moment": self.moment}
        found = {"task": self.task, **{k: v for k, v in given.items() if v is not None}}
        if self.settings:
            found["settings"] = dict(self.settings)
        return found if self.way is None else {**found, **self.way.as_dict()}


def lesson_of(graph: Graph, file: str = "") -> Lesson | None:
    """Return the lesson in a graph, None if it has none; raises `FileError`.

    Conditions, moments and expressions are read now, but for those behind a task that draws a
    wire: the graph that they read is yet to be made.
    """
    raw = graph.extra.get(LESSON)
    if raw is None:
        return None
    _check_names(graph, raw, file)
    locked = raw.get("locked", ())
    everything = EVERY in locked
    lesson = Lesson(
        tasks=tuple(_task(task) for task in raw["tasks"]),
        locked=frozenset(graph.nodes if everything else locked),
        everything=everything,
        hidden=frozenset(raw.get("hidden", ())),
        types=tuple(raw.get("types", ())),
    )
    if not lesson.tasks:
        raise FileError("a lesson needs a task", file=file, path=at(LESSON, "tasks"))
    _check_goals(graph, lesson, file)
    return lesson


def require_lesson(graph: Graph, file: str = "") -> Lesson:
    """Return the lesson in a graph, or raise `FileError` that it has none."""
    found = lesson_of(graph, file)
    if found is None:
        raise FileError('there is no lesson in this graph: it has no key "lesson"', file=file)
    return found


def _task(raw: Mapping[str, Any]) -> Task:
    kind = next(name for name in GOALS if raw.get(name) is not None)
    if kind != "ask":
        return Task(raw["text"], kind, raw[kind])
    ask = raw["ask"]
    return Task(raw["text"], kind, str(ask["answer"]), ask["question"], ask.get("tolerance"))


def _check_names(graph: Graph, raw: Mapping[str, Any], file: str) -> None:
    for key in ("locked", "hidden"):
        names = raw.get(key, ())
        for index, name in enumerate(() if isinstance(names, str) else names):
            if name not in graph.nodes and not (name == EVERY and key == "locked"):
                raise FileError(
                    f"there is no node '{name}'{nearest(name, graph.nodes)}",
                    file=file,
                    path=at(LESSON, key, index),
                )
    there = {node.type for node in graph.nodes.values()}
    for index, name in enumerate(raw.get("types", ())):
        # The type of a plugin that is off is known, though it cannot be placed.
        if name not in CATALOG and name not in there and not CATALOG.why_unknown(name):
            raise FileError(
                f"there is no node type '{name}'{nearest(name, CATALOG)}",
                file=file,
                path=at(LESSON, "types", index),
            )


def _check_goals(graph: Graph, lesson: Lesson, file: str) -> None:
    run, wired = None, False
    for index, task in enumerate(lesson.tasks):
        place: tuple[str | int, ...] = (LESSON, "tasks", index, task.kind)
        if task.kind == "wire":
            _check_address(graph, task.goal, file, place)
            wired = True
        if wired:
            continue  # what follows is of a graph that is still to be wired
        run = run or Run(graph, strict=False)
        try:
            _check_goal(run, task)
        except (ConditionError, RunError) as error:
            inner = (*place, "answer") if task.kind == "ask" else place
            raise FileError(str(error), file=file, path=at(*inner)) from None


def _check_goal(run: Run, task: Task) -> None:
    if task.kind == "until":
        parse(task.goal, run.plan.graph).holds(Seen(run))
    elif task.kind == "at":
        run.schedule.find(Moment.read(task.goal))
    else:
        parse_expression(task.goal, run.plan.graph)


def _check_address(graph: Graph, text: str, file: str, place: tuple[str | int, ...]) -> None:
    """Refuse what is no address, and a port that a node lacks; nodes may be yet to come."""
    node, _, port = text.rpartition(".")
    if "->" not in text and not (node and port):
        why = f"{text!r} is not the address of a port, such as sum.a"
        raise FileError(why, file=file, path=at(*place))
    try:
        if "->" in text:
            wire = Wire.parse(text)
            _require_port(graph, wire.source, wire.output, ("output",))
            _require_port(graph, wire.target, wire.input, ("input",))
        else:
            _require_port(graph, node, port, ("input", "output"))
    except GraphError as error:
        raise FileError(str(error), file=file, path=at(*place)) from None


def _require_port(graph: Graph, node: str, port: str, sides: tuple[str, ...]) -> None:
    type_ = graph.nodes[node].known if node in graph.nodes else None
    if type_ is None:
        return
    names = {"input": type_.ports_in(graph.settings(node)), "output": type_.outputs}
    ports = [str(one) for side in sides for one in names[side]]
    if port not in {one.name for side in sides for one in names[side]}:
        what = " and no ".join(sides)
        raise GraphError(
            f"node '{node}' ({type_.name}) has no {what} '{port}'; it has {', '.join(ports)}"
        )
