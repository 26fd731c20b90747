"""Doing a lesson: somebody's way through its tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import ConditionError, FileError, RunError, nearest
from nodeflow.files.lessonform import ANSWERS, LESSON
from nodeflow.files.text import at
from nodeflow.graph import Graph, Training
from nodeflow.lessons.goals import Value, expected, is_right, reached, why_refused, wires_for
from nodeflow.lessons.lesson import Done, Task, require_lesson
from nodeflow.lessons.locks import ends_to_wire
from nodeflow.lessons.settings import TRAINING, most_epochs, settings_changed, training_of
from nodeflow.lessons.way import way_of
from nodeflow.playback.conditions import parse
from nodeflow.playback.player import Player
from nodeflow.playback.stops import Seen

LEADING = ("at", "until")
"""The kinds of tasks that lead to a moment, of which the questions behind them are asked."""


@dataclass(frozen=True)
class Progress:
    """How far somebody has come in a lesson."""

    index: int
    """The number of the present task."""
    tasks: tuple[str, ...]
    """The texts of all of them."""
    task: Task | None
    """The present task; None when all are over."""
    done: tuple[Done, ...]
    skipped: tuple[int, ...] = ()
    unlocked: tuple[str, ...] = ()
    said: str = ""
    """What came of the last answer."""


class Attempt:
    """Somebody's way through a lesson: the graph as it stands, a player on it, what was done.

    Its numbers are those of a player that begins where the graph does; a change that adds or
    takes away nodes or wires begins there again.
    """

    def __init__(self, graph: Graph, file: str = "") -> None:
        self.original = graph
        self.lesson = require_lesson(graph, file)
        self.file = file
        self.graph = graph
        self.player = Player(Run(graph, strict=False))
        self.done: list[Done] = []
        self.unlocked: set[str] = set()
        self._skipped: list[int] = []
        self._watched = ""
        self._moment = 0
        """Where the tasks before have led: what is asked is asked of this moment."""
        self._anew = False
        self._begin()

    @property
    def index(self) -> int:
        """The number of the present task, from 0; as many as there are at the end."""
        return len(self.done) + len(self._skipped)

    @property
    def task(self) -> Task | None:
        """The present task, None when all are done."""
        return self.lesson.tasks[self.index] if self.index < len(self.lesson.tasks) else None

    @property
    def is_over(self) -> bool:
        """Whether no task is left."""
        return self.task is None

    # -- noticing

    def _begin(self) -> None:
        """Stop where the present task's condition becomes true, and nowhere else."""
        self._watch()

    def _watch(self) -> None:
        """Have the player stop where the present task's condition becomes true."""
        self.player.stops.forget(self._watched)
        self._watched = ""
        if self.task is not None and self.task.kind == "until":
            added = self._located(lambda task: self.player.stops.add(self.player.run, task.goal))
            self._watched = added.text

    def follow(self, graph: Graph, player: Player) -> bool:
        """Follow somebody who plays and changes a graph elsewhere; return what is new."""
        if player is not self.player:
            self._start_again(player)
            self._watch()
        self.graph = graph
        return bool(self.notice())

    def leave(self) -> None:
        """Stop nowhere any more."""
        self.player.stops.forget(self._watched)

    def progress(self) -> Progress:
        """Return how far it has come, as data."""
        task = self.task
        return Progress(
            index=self.index,
            tasks=tuple(each.text for each in self.lesson.tasks),
            task=task,
            done=tuple(self.done),
            skipped=tuple(self._skipped),
            unlocked=tuple(sorted(self.unlocked)),
        )

    def _located(self, work: Any) -> Any:
        """Do something with the present task; what is wrong with its goal is a `FileError`."""
        task = self.task
        try:
            return work(task)
        except ConditionError as error:
            assert task is not None  # noqa: S101  (there is no goal without a task)
            keys = (task.kind, "answer") if task.kind == "ask" else (task.kind,)
            path = at(LESSON, "tasks", self.index, *keys)
            raise FileError(str(error), file=self.file, path=path) from None

    def notice(self) -> list[Done]:
        """Return the tasks that are done by now, and go on to the next one."""
        found: list[Done] = []
        while (task := self.task) is not None and task.kind != "ask" and self._is_done(task):
            found.append(self._finish())
        return found

    def _is_done(self, task: Task) -> bool:
        if task.kind == "wire":
            return bool(wires_for(task, self.original, self.graph))
        if not self.player.run.order:
            return False
        if task.kind == "at":
            return reached(task, self.player)
        condition = parse(task.goal, self.player.run.plan.graph)
        return self.player.reason == condition.text or condition.holds(Seen(self.player.run))

    def _finish(self, typed: str | None = None, value: Value | None = None) -> Done:
        changed = settings_changed(self.original, self.graph)
        way = way_of(self.original, self.graph, self.player.line, anew=self._anew)
        done = Done(self.index, typed, value, self._place(), changed, way)
        self._anew = False
        task = self.lesson.tasks[done.task]
        self.done.append(done)
        if task.kind in LEADING and self.player.run.order:
            self._moment = self.player.number
        self._begin()
        return done

    def _place(self) -> str:
        run = self.player.run
        if self.player.last is not None and run.order:
            return f"{self.player.last.epoch}:{self.player.last.sample}:{self.player.last.node}"
        return f"{run.epoch}:{run.sample}" if run.order else "0:0"

    def answer(self, typed: str) -> bool:
        """Return whether what was typed answers the present question; then the task is done."""
        task = self.task
        if task is None or task.kind != "ask":
            raise RunError("nothing is asked at the moment")
        value = self._located(lambda asked: expected(asked, self.player, self._moment))
        if not is_right(task, typed, value):
            return False
        self._finish(typed.strip(), value)
        return True

    def why_refused(self, typed: str) -> str:
        """Say of an answer that is not right what would mend it; "" if it is simply wrong."""
        value = self._located(lambda asked: expected(asked, self.player, self._moment))
        return why_refused(typed, value)

    def skip(self) -> None:
        """Leave the present task for later; it stays undone."""
        if self.task is not None:
            self._skipped.append(self.index)
            self._begin()

    # -- going

    def step(self, level: str = "step") -> None:
        """Go on to where the next step, phase, sample, update or epoch begins."""
        self.player.step(level)

    def train(self, epochs: int) -> None:
        """Go on at full speed for so many epochs, or until the task's condition holds."""
        self.player.run.require_nodes()
        number = self.player.number + epochs * self.player.schedule.steps_per_epoch
        self._require_near(number)
        self.player.advance(number)

    def go(self, moment: str) -> None:
        """Go to a moment, EPOCH[:SAMPLE[:NODE]]; also beyond the end of the training."""
        player = self.player
        player.run.require_nodes()
        number = player.schedule.number(player.schedule.find(Moment.read(moment)))
        self._require_near(number)
        if number > player.end:
            player.advance(number)
        else:
            player.go(number)

    def _require_near(self, number: int) -> None:
        """Refuse a moment so far away that it would take for ever, and marking would not go."""
        most = most_epochs(self.original)
        if number > most * self.player.schedule.steps_per_epoch:
            raise RunError(
                f"this lesson's graph trains for {self.original.training.epochs:,} epochs; up to "
                f"{most:,} can be gone through"
            )

    # -- changing

    def require_free(self, *nodes: str) -> None:
        """Raise `RunError` where one of these nodes is locked."""
        for node in nodes:
            if node in self.lesson.locked and node not in self.unlocked:
                raise RunError(
                    f"'{node}' is locked in this lesson; unlocking it is noted in the answer",
                    node=node,
                )

    def unlock(self, node: str) -> None:
        """Lift a lock; the answer notes it."""
        if node not in self.lesson.locked and not (self.lesson.everything and node == TRAINING):
            raise RunError(f"'{node}' is not locked{nearest(node, self.lesson.locked)}")
        self.unlocked.add(node)

    def change(self, graph: Graph, what: str = "") -> None:
        """Go on with another graph; other settings from the present update on."""
        self.graph = graph
        try:
            self.player.change(graph, what)
        except RunError:  # its structure is another
            self._start_again(Player(Run(graph, strict=False)))
        self._watch()

    def _start_again(self, player: Player) -> None:
        self.player, self._moment = player, 0
        self._anew = bool(self.done)

    def set(self, node: str, **settings: Any) -> None:
        """Change settings of a node that is not locked."""
        if node == TRAINING:
            if self.lesson.everything and TRAINING not in self.unlocked:
                raise RunError(
                    "how it is trained is locked in this lesson; "
                    "unlocking 'training' is noted in the answer"
                )
            training = training_of(self.graph)
            for name in settings.keys() - training.keys():
                raise RunError(f"training has no '{name}'{nearest(name, training)}")
            training |= settings
            self.change(replace(self.graph, training=Training(**training)), "training")
            return
        changed = self.graph.set(node, **settings)
        self.require_free(node)
        self.change(changed, f"{node}: {', '.join(settings)}")

    def connect(self, source: str, target: str) -> None:
        """Draw a wire; a task may ask for one into a locked node."""
        changed = self.graph.connect(source, target)
        self._require_free_to_wire(changed, target)
        self.change(changed, f"{source} -> {target}")

    def disconnect(self, source: str, target: str) -> None:
        """Take a wire away; one may make room for another that a task asks for."""
        changed = self.graph.disconnect(source, target)
        self._require_free_to_wire(self.graph, target)
        self.change(changed, f"without {source} -> {target}")

    def _require_free_to_wire(self, graph: Graph, target: str) -> None:
        node, _, port = target.partition("[")[0].rpartition(".")
        if (node, port) not in ends_to_wire(self.lesson, self.original, graph):
            self.require_free(node)

    def add(self, node: str, type_: str) -> None:
        """Place a node of one of the types that the lesson offers."""
        if self.lesson.types and type_ not in self.lesson.types:
            raise RunError(
                f"this lesson's library has no '{type_}': it has {', '.join(self.lesson.types)}"
            )
        self.change(self.graph.add(node, type_), f"{node} is new")

    def answered(self) -> Graph:
        """Return the graph as it stands, with what was done: the file to hand in."""
        return with_answers(self.graph, self.done, self.unlocked)


def with_answers(graph: Graph, done: Iterable[Done], unlocked: Iterable[str] = ()) -> Graph:
    """Return a graph with the answers to its lesson noted in it."""
    noted = {"tasks": [each.as_dict() for each in done], "unlocked": sorted(unlocked)}
    return replace(graph, extra={**graph.extra, ANSWERS: noted})
