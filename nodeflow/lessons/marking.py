"""Marking what comes back: every number is computed anew.

A marker trusts no number in a file. It puts locked parts back, runs the graph from its start, and
evaluates every expression where the lesson has led by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import FileError, GraphError, NodeflowError, RunError
from nodeflow.files.lessonform import ANSWERS, LESSON
from nodeflow.graph import Graph, Wire, renumbered
from nodeflow.lessons.goals import Value, expected, is_right, stand, wires_for
from nodeflow.lessons.lesson import Task, require_lesson
from nodeflow.lessons.locks import asked_wires, changes_of_locked, with_locks_restored
from nodeflow.lessons.settings import TRAINING, with_settings
from nodeflow.playback.answers import read_number
from nodeflow.playback.conditions import parse
from nodeflow.playback.player import Player
from nodeflow.playback.stops import Seen
from nodeflow.workings.shown import precise

_ROUNDED = 1e-9
"""So far apart, relative to its size, the same number may be on two machines."""
_LONGER = 10
"""An answer is trained so many times longer than the lesson's graph at most."""


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
    """A run that answers lead to, and what is known of it."""

    graph: Graph
    player: Player
    met: dict[tuple[str, int], int | None] = field(default_factory=dict)
    """Where a condition became true, from a moment on."""
    values: dict[tuple[str, int], Value] = field(default_factory=dict)
    forks: list[tuple[int, _Course]] = field(default_factory=list)
    """Where it was led on with another graph."""


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
        handed_in, answer = answer, _folded(self.original, answer)
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
        course, number, marks = self._first(restored, records), 0, []
        for index in range(len(self.lesson.tasks)):
            record = records.get(index)
            stage = self._stage(restored, index, record)
            here, begin = self._led_on(course, number, stage)
            mark, end, said = self._mark(index, record, here, begin, only_noted=noted is not None)
            if mark.kind == "wire" and wires_for(
                self.lesson.tasks[index], self.original, handed_in
            ):
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

    def _stage(self, graph: Graph, index: int, record: Mapping[str, Any] | None) -> Graph:
        """Return the graph as it was at a task.

        It has no wires that tasks after this one ask for, but those of the lesson in their place,
        and the settings that the task notes.
        """
        now = index + 1
        later = self._asked(graph, now) - self._asked(graph, 0, now)
        if later:
            ports = {wire.end for wire in later}
            kept = [w for w in graph.wires if w not in later]
            there = {(w.start, w.end) for w in kept}
            kept += [  # they made room for those that are asked for
                w
                for w in self.original.wires
                if w.end in ports and w.source in graph.nodes and (w.start, w.end) not in there
            ]
            graph = replace(graph, wires=tuple(sorted(renumbered(tuple(kept)))))
        if record is None:
            return graph
        free = {
            address: value
            for address, value in record.get("settings", {}).items()
            if self._is_free(address.rpartition(".")[0])
        }
        try:
            return with_settings(self.original, graph, free)
        except GraphError:
            return graph

    def _is_free(self, node: str) -> bool:
        return node not in self.lesson.locked and not (node == TRAINING and self.lesson.everything)

    def _first(self, graph: Graph, records: Mapping[int, Any]) -> _Course:
        return self._course(self._stage(graph, 0, records.get(0)))

    def _course(self, graph: Graph) -> _Course:
        """Return the run of a graph from its start."""
        for course in self._courses:
            if course.graph == graph:
                return course
        first = self._courses[0].player.run if self._courses else None
        course = _Course(graph, Player(Run(graph, strict=False, share_with=first)))
        self._courses.append(course)
        return course

    def _led_on(self, course: _Course, number: int, graph: Graph) -> tuple[_Course, int]:
        """Return the run that goes on from a moment with another graph, as `Attempt.change` does.

        Where it cannot, it begins at its start.
        """
        if course.graph == graph:
            return course, number
        for at_number, fork in course.forks:
            if at_number == number and fork.graph == graph:
                return fork, _stands_at(course, fork, number)
        try:
            stand(course.player, number)
            fork = _Course(graph, Player(course.player.run.fork(graph)))
        except RunError:
            return self._course(graph), 0
        course.forks.append((number, fork))
        return fork, _stands_at(course, fork, number)

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
                    met = self._met(task, course, number)
                    if record is not None and met is not None:
                        met = self._noted(task, course, record, met)
                    done, number = met is not None, number if met is None else met
                    why = "" if done else f"it is not reached in {self._epochs(course)} epochs"
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

    def _epochs(self, course: _Course) -> int:
        most = max(1, self.original.training.epochs)
        return max(most, min(course.graph.training.epochs, _LONGER * most))

    def _met(self, task: Task, course: _Course, number: int) -> int | None:
        known = (task.goal, number)
        if known not in course.met:
            course.met[known] = self._search(task, course, number)
        return course.met[known]

    def _noted(self, task: Task, course: _Course, record: Mapping[str, Any], met: int) -> int:
        """Return where a file says that a condition was seen, if it holds there as well.

        Somebody may have gone on beyond the moment at which it became true.
        """
        player = course.player
        try:
            schedule = player.schedule
            number = schedule.number(schedule.find(Moment.read(str(record.get("moment")))))
        except RunError:
            return met
        if not met < number <= self._epochs(course) * schedule.steps_per_epoch:
            return met
        stand(player, number)
        holds = parse(task.goal, player.run.plan.graph).holds(Seen(player.run))
        return number if holds else met

    def _search(self, task: Task, course: _Course, number: int) -> int | None:
        player = course.player
        player.run.require_nodes()
        condition = parse(task.goal, player.run.plan.graph)
        stand(player, number)
        if condition.holds(Seen(player.run)):
            return number
        player.stops.add(player.run, task.goal)
        try:
            end = self._epochs(course) * player.schedule.steps_per_epoch
            player.advance(max(end, number))
            return player.number if player.reason == condition.text else None
        finally:
            player.stops.forget(condition.text)

    def _recomputed(self, task: Task, course: _Course, number: int) -> Value:
        known = (task.goal, number)
        if known not in course.values:
            course.values[known] = expected(task, course.player, number)
        return course.values[known]


def _folded(original: Graph, answer: Graph) -> Graph:
    """Return an answer that was unfolded or taken apart as it was before: it computes the same."""
    from nodeflow.derive import collapse, fold
    from nodeflow.derive.exploding import RECORD as EXPLODED
    from nodeflow.derive.records import RECORD as UNFOLDED

    for record, undo in ((UNFOLDED, fold), (EXPLODED, collapse)):
        if answer.extra.get(record) and not original.extra.get(record):
            try:
                answer = undo(answer)
            except GraphError:  # it was changed since: then it is marked as it is
                return answer
    return answer


def _bare(graph: Graph) -> Graph:
    """Return what is computed of a graph, without what belongs to its drawing and its lesson."""
    return Graph(
        nodes=graph.nodes,
        wires=tuple(sorted(graph.wires)),
        training=graph.training,
        extra={key: part for key, part in graph.extra.items() if key not in (LESSON, ANSWERS)},
        folder=graph.folder,
    )


def _stands_at(before: _Course, after: _Course, number: int) -> int:
    """Return where a fork stands: where it was made, or at its update where nodes were added."""
    old, new = before.player.schedule, after.player.schedule
    return number if old == new else new.number(new.start(old.position(number).update))


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
