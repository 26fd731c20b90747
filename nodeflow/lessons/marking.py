"""Marking what comes back: every number is computed anew.

A marker trusts no number in a file. It puts locked parts back, runs the graph from its start, and
evaluates every expression where the lesson has led by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nodeflow.engine.forking import what_differs
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import FileError, GraphError, NodeflowError, RunError
from nodeflow.files.lessonform import ANSWERS, LESSON
from nodeflow.graph import Graph, Wire, in_order, renumbered
from nodeflow.lessons.goals import Value, expected, is_right, stand, wires_for
from nodeflow.lessons.lesson import Task, require_lesson
from nodeflow.lessons.locks import asked_wires, changes_of_locked, with_locks_restored
from nodeflow.lessons.settings import TRAINING, most_epochs, searched_epochs
from nodeflow.lessons.way import Change, Way, folded_as, graphs_of, wired_as
from nodeflow.playback.answers import read_number
from nodeflow.playback.conditions import parse
from nodeflow.playback.player import Player
from nodeflow.playback.stops import Seen
from nodeflow.workings.shown import precise

_ROUNDED = 1e-9
"""How far apart, relative to its size, the same number may be on two machines."""


@dataclass(frozen=True)
class Mark:
    """Whether a task was done, and why not."""

    task: int
    text: str
    kind: str
    done: bool
    why: str = ""
    typed: str | None = None
    value: Any = None
    """The answer, recomputed."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return {
            "task": self.task,
            "text": self.text,
            "goal": self.kind,
            "done": self.done,
            "why": self.why,
            "typed": self.typed,
            "value": self.value,
        }


@dataclass(frozen=True)
class Marks:
    """What was found in an answer."""

    tasks: tuple[Mark, ...]
    locked: tuple[str, ...] = ()
    """What was changed in locked parts, a sentence each."""
    unlocked: tuple[str, ...] = ()
    """The locks that were lifted, as the file says itself."""
    edited: tuple[str, ...] = ()
    """Numbers in the file that are not those recomputed, and tasks that were rewritten."""

    @property
    def done(self) -> int:
        """How many tasks are done."""
        return sum(mark.done for mark in self.tasks)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return {
            "done": self.done,
            "of": len(self.tasks),
            "tasks": [mark.as_dict() for mark in self.tasks],
            "locked": list(self.locked),
            "unlocked": list(self.unlocked),
            "edited": list(self.edited),
        }


@dataclass
class _Course:
    """A run on the way that answers took, and what is known of it."""

    graphs: tuple[tuple[int, Graph], ...]
    """The graphs that it went on with, and from which update on."""
    player: Player
    met: dict[tuple[str, int], int | None] = field(default_factory=dict)
    """Where a condition became true, from a moment on."""
    values: dict[tuple[str, int], Value] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The graph that it ended with."""
        return self.graphs[-1][1]


class Marker:
    """Marks the answers to a lesson; what several have in common is computed once."""

    def __init__(self, original: Graph, file: str = "") -> None:
        self.original = replace(original, extra={**original.extra})
        self.file = file
        self.lesson = require_lesson(original, file)
        self._courses: list[_Course] = []

    def mark(self, answer: Graph, file: str = "") -> Marks:
        """Return which tasks an answer has done; raises `FileError` for that of another lesson."""
        edited = self._require_same(answer, file)
        handed_in, answer = answer, folded_as(self.original, answer)
        locked = tuple(change.sentence for change in changes_of_locked(self.original, answer))
        try:
            restored = _bare(with_locks_restored(self.original, answer))
        except GraphError as error:
            raise FileError(
                f"with its locked parts put back it is no graph any more ({error})", file=file
            ) from None
        noted = answer.extra.get(ANSWERS)
        raw = {} if noted is None else noted
        records = {task["task"]: task for task in raw.get("tasks", ())}
        course, number, marks = None, 0, list[Mark]()
        for index, task in enumerate(self.lesson.tasks):
            record = records.get(index)
            try:
                way = None if record is None else Way.read(record)
                here = self._course(self._graphs(restored, index, record, way))
            except NodeflowError as error:
                edited.append(f"task {index + 1}: what the file notes of it cannot be ({error})")
                way, here = None, self._course(self._graphs(restored, index, None, None))
            begin = self._continued(course, here, number, anew=way is not None and way.anew)
            mark, end, said = self._mark(index, record, here, begin, only_noted=noted is not None)
            if mark.kind == "wire" and wires_for(task, self.original, handed_in):
                mark = replace(mark, done=True, why="")
            marks.append(mark)
            edited += said
            if record is not None or noted is None:  # what nobody noted was not on the way
                course, number = here, end
        return Marks(tuple(marks), locked, tuple(raw.get("unlocked", ())), tuple(edited))

    def _require_same(self, answer: Graph, file: str) -> list[str]:
        """Return which tasks of the answer's own lesson were rewritten."""
        theirs, ours = answer.extra.get(LESSON), self.original.extra[LESSON]
        named = f" ('{self.original.name}')" if self.original.name else ""
        if theirs is None:
            raise FileError(f"is no answer to this lesson{named}: it has none in it", file=file)
        tasks, wanted = theirs["tasks"], ours["tasks"]
        pairs = list(zip(tasks, wanted, strict=False))
        if not any(mine["text"] == their["text"] for their, mine in pairs):
            other = f" '{answer.name}'" if answer.name else ""
            raise FileError(
                f"is an answer to another lesson{other}, not to this one{named}", file=file
            )
        said = [
            f"task {index + 1} was rewritten in the file; it is marked as it was set"
            for index, (their, mine) in enumerate(pairs)
            if their != mine
        ]
        if len(tasks) != len(wanted):
            said.append(f"the file has {len(tasks)} tasks, and the lesson {len(wanted)}")
        return said

    # -- the way through

    def _asked(self, graph: Graph, first: int, end: int | None = None) -> frozenset[Wire]:
        return asked_wires(self.lesson, self.original, graph, first, end)

    def _graphs(
        self, graph: Graph, index: int, record: Mapping[str, Any] | None, way: Way | None
    ) -> tuple[tuple[int, Graph], ...]:
        """Return the graphs that a run went on with to a task, and from which update on."""
        wired = self._without_later_wires(graph, index)
        if record is None:
            return ((0, wired),)
        if way is None:
            changes: tuple[Change, ...] = (Change(0, record.get("settings", {})),)
        else:
            changes = way.changes
            if way.wires is not None:
                there = wired_as(self.original, graph, way.wires)
                wired = with_locks_restored(self.original, there)
        return graphs_of(self.original, _bare(wired), changes, self._is_free)

    def _without_later_wires(self, graph: Graph, index: int) -> Graph:
        """Return a graph without the wires that tasks after this one ask for.

        Those of the lesson that made room for them are in their place.
        """
        now = index + 1
        later = self._asked(graph, now) - self._asked(graph, 0, now)
        if not later:
            return graph
        ports = {wire.end for wire in later}
        kept = [w for w in graph.wires if w not in later]
        there = {(w.start, w.end) for w in kept}
        kept += [
            w
            for w in self.original.wires
            if w.end in ports and w.source in graph.nodes and (w.start, w.end) not in there
        ]
        return replace(graph, wires=tuple(sorted(renumbered(tuple(kept)))))

    def _is_free(self, node: str) -> bool:
        return node not in self.lesson.locked and not (node == TRAINING and self.lesson.everything)

    def _course(self, graphs: tuple[tuple[int, Graph], ...]) -> _Course:
        """Return a run that goes on with these graphs, each from its update on."""
        for course in self._courses:
            if course.graphs == graphs:
                return course
        first = self._courses[0].player.run if self._courses else None
        player = Player(Run(graphs[0][1], strict=False, share_with=first))
        for update, graph in graphs[1:]:
            number = player.schedule.number(player.schedule.start(update))
            stand(player, min(number, self._last(player)))
            player.change(graph, "")
        course = _Course(graphs, player)
        self._courses.append(course)
        return course

    def _continued(
        self, before: _Course | None, course: _Course, number: int, *, anew: bool
    ) -> int:
        """Return the moment of a run that the tasks before have led to; 0 where it began again."""
        if before is None or anew:
            return 0
        if before is course:
            return number
        old, new = before.player.run.machine, course.player.run.machine
        if what_differs(old, new):
            return 0
        was, now = old.schedule, new.schedule
        return number if was == now else now.number(now.start(was.position(number).update))

    # -- tasks

    def _mark(
        self,
        index: int,
        record: Mapping[str, Any] | None,
        course: _Course,
        number: int,
        *,
        only_noted: bool,
    ) -> tuple[Mark, int, list[str]]:
        """Mark a task at a moment; return the moment at which it ends, and what was edited."""
        task = self.lesson.tasks[index]
        typed = None if record is None else record.get("typed")
        said: list[str] = []
        value: Any = None
        try:
            match task.kind:
                case "wire":
                    done = bool(wires_for(task, self.original, course.graph))
                    why = "" if done else f"no new wire touches {task.goal}"
                    if "->" in task.goal and not done:
                        why = f"there is no wire {task.goal}"
                case "at":
                    player = course.player
                    number = player.schedule.number(player.schedule.find(Moment.read(task.goal)))
                    done = record is not None
                    why = "" if done else f"the file does not say that {task.goal} was seen"
                case "until":
                    met = None if record is None else self._noted(task, course, record)
                    if met is None:
                        met = self._met(task, course, number)
                    done, number = met is not None, number if met is None else met
                    epochs = searched_epochs(self.original, course.graph)
                    why = "" if done else f"it is not reached in {epochs} epochs"
                    if done and only_noted and record is None:
                        done, why = False, "the file does not say that it was reached"
                case _:
                    value = self._recomputed(task, course, number)
                    done = typed is not None and is_right(task, typed, value)
                    why = "" if done else _why_wrong(typed, value)
                    told = None if record is None else record.get("value")
                    if told is not None and not _same(told, value):
                        here = f"the file says {_shown(told)}, recomputed it is {_shown(value)}"
                        said = [f"task {index + 1}: {here}"]
        except NodeflowError as error:
            done, why = False, str(error)
        return Mark(index, task.text, task.kind, done, why, typed, value), number, said

    def _last(self, player: Player) -> int:
        """Return the last moment to which an answer is followed."""
        return most_epochs(self.original) * player.schedule.steps_per_epoch

    def _met(self, task: Task, course: _Course, number: int) -> int | None:
        known = (task.goal, number)
        if known not in course.met:
            course.met[known] = self._search(task, course, number)
        return course.met[known]

    def _noted(self, task: Task, course: _Course, record: Mapping[str, Any]) -> int | None:
        """Return where a file says that a condition was seen, if it holds there.

        That need not be where it became true: somebody may have gone on, or stepped there.
        """
        player, schedule = course.player, course.player.schedule
        try:
            number = schedule.number(schedule.find(Moment.read(str(record.get("moment")))))
        except RunError:
            return None
        if number > self._last(player):
            return None
        stand(player, number)
        holds = parse(task.goal, player.run.plan.graph).holds(Seen(player.run))
        return number if holds else None

    def _search(self, task: Task, course: _Course, number: int) -> int | None:
        player = course.player
        player.run.require_nodes()
        condition = parse(task.goal, player.run.plan.graph)
        stand(player, number)
        if condition.holds(Seen(player.run)):
            return number
        player.stops.add(player.run, task.goal)
        try:
            epochs = searched_epochs(self.original, course.graph)
            player.advance(max(epochs * player.schedule.steps_per_epoch, number))
            return player.number if player.reason == condition.text else None
        finally:
            player.stops.forget(condition.text)

    def _recomputed(self, task: Task, course: _Course, number: int) -> Value:
        known = (task.goal, number)
        if known not in course.values:
            course.values[known] = expected(task, course.player, number)
        return course.values[known]


def _bare(graph: Graph) -> Graph:
    """Return what is computed of a graph, without what belongs to its drawing and its lesson."""
    return Graph(
        nodes=graph.nodes,
        wires=in_order(graph.wires),
        training=graph.training,
        extra={key: part for key, part in graph.extra.items() if key not in (LESSON, ANSWERS)},
        folder=graph.folder,
    )


def _same(noted: Any, value: Value) -> bool:
    if isinstance(value, bool) or isinstance(noted, bool):
        return noted is value
    try:
        found = float(noted)
    except (TypeError, ValueError):
        return False
    near = abs(found - value) <= _ROUNDED * abs(value)
    return near or found == value or (found != found and value != value)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return precise(value) if isinstance(value, float | int) else repr(value)


def _why_wrong(typed: str | None, value: Value) -> str:
    if typed is None:
        return "it was not answered"
    if not isinstance(value, bool) and read_number(typed) is None:
        return f"'{typed}' is not a number"
    return f"'{typed}' was typed, it is {_shown(value)}"
