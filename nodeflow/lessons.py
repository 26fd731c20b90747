"""Lessons: tasks that lead through a graph, and the marking of what comes back.

A lesson is data in a graph's file, under the key "lesson". Each task is done when

- `until`: a condition becomes true;
- `at`: somebody stands at a moment;
- `wire`: a wire touches a port that the lesson's own graph does not have (or, written
  "a.port -> b.port", when this wire is there);
- `ask`: a question is answered with the value of an expression. It is read where the lesson
  has led by then; what is not evaluated there yet is read as soon as it is: so it can be
  predicted.

`Attempt` is somebody's way through it, which the terminal leads; `Marker` judges the files that
come back. A marker trusts no number in a file. It puts locked parts back, runs the graph from its
start, and evaluates every expression anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.difference import difference
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import ConditionError, FileError, GraphError, NodeflowError, RunError, nearest
from nodeflow.files.lessonform import ANSWERS, GOALS, LESSON
from nodeflow.files.text import at
from nodeflow.graph import Graph, Training, Wire, renumbered
from nodeflow.playback.answers import HITS, read_number, read_word
from nodeflow.playback.conditions import Expression, parse, parse_expression
from nodeflow.playback.player import Player
from nodeflow.playback.stops import Seen
from nodeflow.workings.shown import precise

LEADING = ("at", "until")
"""The kinds of tasks that lead to a moment, of which the questions behind them are asked."""
Value = float | bool
"""An answer: a number, or yes or no."""
TRAINING = "training"
"""The name under which the settings of the training are changed and unlocked."""
_ROUNDED = 1e-9
"""So far apart, relative to its size, the same number may be on two machines."""
_COMPARED = re.compile(r"[<>=≤≥≠]|\b(?:any|all|nan|infinite|not)\b")
_LONGER = 10
"""An answer is trained so many times longer than the lesson's graph at most."""


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

    def as_dict(self) -> dict[str, Any]:
        """Return what is noted in a file."""
        given = {"typed": self.typed, "value": self.value, "moment": self.moment}
        found = {"task": self.task, **{k: v for k, v in given.items() if v is not None}}
        return {**found, "settings": dict(self.settings)} if self.settings else found


# --- reading ------------------------------------------------------------------------------------


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
    everything = locked == "*"
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
            if name not in graph.nodes:
                raise FileError(
                    f"there is no node '{name}'{nearest(name, graph.nodes)}",
                    file=file,
                    path=at(LESSON, key, index),
                )


def _check_goals(graph: Graph, lesson: Lesson, file: str) -> None:
    run: Run | None = None
    for index, task in enumerate(lesson.tasks):
        place: tuple[str | int, ...] = (LESSON, "tasks", index, task.kind)
        if task.kind == "wire":
            _check_address(task.goal, file, place)
            return
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


def _check_address(text: str, file: str, place: tuple[str | int, ...]) -> None:
    why = ""
    if "->" in text:
        try:
            Wire.parse(text)
        except GraphError as error:
            why = str(error)
    elif not all(text.rpartition(".")):
        why = f"{text!r} is not the address of a port, such as sum.a"
    if why:
        raise FileError(why, file=file, path=at(*place))


# --- what is done -------------------------------------------------------------------------------


def wires_for(task: Task, original: Graph, graph: Graph) -> tuple[Wire, ...]:
    """Return the wires in `graph` that a task asks for."""
    if "->" in task.goal:
        wanted = Wire.parse(task.goal)
        same = (wanted.source, wanted.output, wanted.target, wanted.input)
        return tuple(
            w
            for w in graph.wires
            if (w.source, w.output, w.target, w.input) == same and wanted.index in (None, w.index)
        )
    before = {(w.start, w.end) for w in original.wires}
    return tuple(
        w for w in graph.wires if task.goal in (w.start, w.end) and (w.start, w.end) not in before
    )


class _Standing:
    """The values at a moment as they stand: of a parameter the one that the pass works with.

    Within a pass, what is not evaluated yet is not known: not the value of the pass before.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._seen = run, Seen(run)

    def __getitem__(self, address: str) -> NDArray[Any]:
        self._require_evaluated(address)
        return self._run[address]

    def number(self, name: str) -> float | None:
        if name == "cost" and (cost := self._run.plan.unfolding.cost):
            self._require_evaluated(cost)
        return self._seen.number(name)

    def _require_evaluated(self, address: str) -> None:
        run, key = self._run, address.rpartition(".")[0]
        here = run.position.place
        if here and key in run.order and run.schedule.place(key) >= here:
            raise RunError(f"'{address}' has no value yet in this pass", node=key)


def settings_changed(original: Graph, graph: Graph) -> dict[str, Any]:
    """Return, by address, the settings of the lesson's own nodes that are not its own any more."""
    found: dict[str, Any] = {}
    for key in original.nodes.keys() & graph.nodes.keys():
        before, now = original.settings(key), graph.settings(key)
        if original.nodes[key].type == graph.nodes[key].type:
            found |= {f"{key}.{name}": now[name] for name in now if now[name] != before.get(name)}
    old, new = _training(original), _training(graph)
    found |= {f"{TRAINING}.{name}": new[name] for name in new if new[name] != old[name]}
    return dict(sorted(found.items()))


def with_settings(original: Graph, graph: Graph, changed: Mapping[str, Any]) -> Graph:
    """Return a graph whose settings are the lesson's own, but for those that were changed."""
    training = _training(original)
    nodes = dict(graph.nodes)
    for key in original.nodes.keys() & nodes.keys():
        if original.nodes[key].type == nodes[key].type:
            nodes[key] = replace(nodes[key], settings=original.nodes[key].settings)
    graph = replace(graph, nodes=nodes)
    for address, value in changed.items():
        node, _, name = address.rpartition(".")
        if node == TRAINING and name in training:
            training[name] = value
        elif node in original.nodes and node in graph.nodes:
            graph = graph.set(node, **{name: value})
    return replace(graph, training=Training(**training))


def _training(graph: Graph) -> dict[str, Any]:
    return {name: getattr(graph.training, name) for name in ("batch", "epochs", "seed")}


def expected(task: Task, player: Player, moment: int | None = None) -> Value:
    """Return the answer to a question at a moment, or as soon after as it is known.

    Without one it is asked where the player stands. It stands there again afterwards. Raises
    `ConditionError` where the answer is not one number.
    """
    expression = parse_expression(task.goal, player.run.plan.graph)
    here = player.number
    try:
        if moment is not None:
            _stand(player, max(moment, player.first))
        found = expression.value(_Standing(player.run))
        if found is None:
            player.advance(_known_from(player, expression))
            found = expression.value(_Standing(player.run))
    finally:
        _stand(player, here)
    if found is None:
        raise ConditionError("it has no value in this run", text=task.goal, position=0)
    if isinstance(found, bool):
        return found
    numbers = np.ravel(found)
    if numbers.size != 1:
        raise ConditionError(
            f"it is {numbers.size} numbers where an answer is one: pick one, as in x[0, 0]",
            text=task.goal,
            position=0,
        )
    return float(numbers[0])


def _known_from(player: Player, expression: Expression) -> int:
    """Return the moment from which on all is known that an expression reads."""
    run, schedule = player.run, player.schedule
    if expression.words - {"epoch", "update", "sample", "cost"}:
        return schedule.after("epoch", player.number)
    keys = {address.rpartition(".")[0] for address in expression.ports}
    if "cost" in expression.words and run.plan.unfolding.cost:
        keys.add(run.plan.unfolding.cost.rpartition(".")[0])
    place = max((schedule.place(key) for key in keys if key in run.order), default=0)
    begin = player.number - run.position.place
    return begin + place + 1


def is_right(task: Task, typed: str, value: Value) -> bool:
    """Return whether what was typed is the value: yes or no, or a number near enough."""
    if isinstance(value, bool):
        return read_word(typed, HITS) == int(value)
    found = read_number(typed)
    if found is None:
        return False
    if task.tolerance is not None:
        return abs(found.value - value) <= task.tolerance * (1 + 1e-9) + 1e-15
    return found.meets(value)


def reached(task: Task, player: Player) -> bool:
    """Return whether a player stands at a task's moment."""
    return player.number == player.schedule.number(player.schedule.find(Moment.read(task.goal)))


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


def change_of_locked(original: Graph, graph: Graph, unlocked: Iterable[str] = ()) -> str:
    """Return what differs in the locked parts of a lesson's graph, in words; "" if nothing does.

    A wire that a task asks for may be drawn, and with it go those that made room for it.
    """
    lesson = require_lesson(original)
    free = set(unlocked)
    keys = lesson.locked - free
    asked = {
        (wire.target, wire.input)
        for task in lesson.tasks
        if task.kind == "wire"
        for wire in (*wires_for(task, original, graph), *_wires_named(task, original))
    }
    whole = lesson.everything and TRAINING not in free
    one, other = (_part(each, keys, asked, training=whole) for each in (original, graph))
    return next((change.sentence for change in difference(one, other)), "")


def _wires_named(task: Task, graph: Graph) -> tuple[Wire, ...]:
    """Return the wires of the lesson's own graph that stand where a task asks for another one."""
    end = task.goal.rpartition("->")[2].strip()
    return tuple(wire for wire in graph.wires if wire.end == end)


def _part(
    graph: Graph, keys: frozenset[str], free: set[tuple[str, str]], *, training: bool
) -> Graph:
    """Return some nodes of a graph, and the wires into them that are not free to be drawn."""
    wires = (w for w in graph.wires if w.target in keys and (w.target, w.input) not in free)
    return Graph(
        nodes={key: node for key, node in graph.nodes.items() if key in keys},
        wires=renumbered(tuple(wires)),
        training=graph.training if training else Training(),
    )


# --- doing a lesson -----------------------------------------------------------------------------


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
            self.player, self._moment = player, 0
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
        done = Done(self.index, typed, value, self._place(), changed)
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
        schedule = self.player.schedule
        number = self.player.number
        self.player.advance(number + epochs * schedule.steps_per_epoch)

    def go(self, moment: str) -> None:
        """Go to a moment, EPOCH[:SAMPLE[:NODE]]; also beyond the end of the training."""
        player = self.player
        player.run.require_nodes()
        number = player.schedule.number(player.schedule.find(Moment.read(moment)))
        if number > player.end:
            player.advance(number)
        else:
            player.go(number)

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
            self.player = Player(Run(graph, strict=False))
            self._moment = 0
        self._watch()

    def set(self, node: str, **settings: Any) -> None:
        """Change settings of a node that is not locked."""
        if node == TRAINING:
            if self.lesson.everything and TRAINING not in self.unlocked:
                raise RunError(
                    "how it is trained is locked in this lesson; "
                    "unlocking 'training' is noted in the answer"
                )
            training = {**_training(self.graph), **settings}
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
        """Take a wire away."""
        changed = self.graph.disconnect(source, target)
        self.require_free(target.rpartition(".")[0])
        self.change(changed, f"without {source} -> {target}")

    def _require_free_to_wire(self, changed: Graph, target: str) -> None:
        asked = any(
            wires_for(task, self.original, changed)
            for task in self.lesson.tasks
            if task.kind == "wire"
        )
        if not asked:
            self.require_free(target.rpartition(".")[0])

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


# --- marking ------------------------------------------------------------------------------------


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
        locked = tuple(change.sentence for change in self._changed(answer))
        try:
            restored = self._restored(answer)
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

    # -- locked parts

    def _asked_wires(self, graph: Graph, first: int = 0, end: int | None = None) -> set[Wire]:
        return {
            wire
            for task in self.lesson.tasks[first:end]
            if task.kind == "wire"
            for wire in wires_for(task, self.original, graph)
        }

    def _locked_part(self, graph: Graph) -> Graph:
        """Return the locked nodes of a graph with the wires into them, and what they come from."""
        asked = {(w.start, w.end) for w in self._asked_wires(graph)}
        wires = renumbered(
            tuple(
                w
                for w in graph.wires
                if w.target in self.lesson.locked and (w.start, w.end) not in asked
            )
        )
        nodes = {key: node for key, node in graph.nodes.items() if key in self.lesson.locked}
        training = graph.training if self.lesson.everything else Training()
        return Graph(nodes=nodes, wires=wires, training=training)

    def _changed(self, answer: Graph) -> Iterable[Any]:
        return difference(self._locked_part(self.original), self._locked_part(answer))

    def _restored(self, answer: Graph) -> Graph:
        """Return an answer with its locked parts as they were."""
        locked = self.lesson.locked
        nodes = {**answer.nodes, **{key: self.original.nodes[key] for key in locked}}
        asked = self._asked_wires(answer)
        wires = [w for w in answer.wires if w.target not in locked or w in asked]
        there = {(w.start, w.end, w.index) for w in wires}
        wires += [
            w
            for w in self.original.wires
            if w.target in locked and (w.start, w.end, w.index) not in there
        ]
        graph = replace(
            answer,
            nodes=nodes,
            wires=tuple(sorted(renumbered(tuple(dict.fromkeys(wires))))),
            training=self.original.training if self.lesson.everything else answer.training,
            folder=self.original.folder,
        )
        graph.validate()
        return _bare(graph)

    # -- the way through

    def _stage(self, graph: Graph, index: int, record: Mapping[str, Any] | None) -> Graph:
        """Return the graph as it was at a task.

        It has no wires that tasks after this one ask for, but those of the lesson in their place,
        and the settings that the task notes.
        """
        later = self._asked_wires(graph, index + 1) - self._asked_wires(graph, 0, index + 1)
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
            _stand(course.player, number)
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
        _stand(player, number)
        holds = parse(task.goal, player.run.plan.graph).holds(Seen(player.run))
        return number if holds else met

    def _search(self, task: Task, course: _Course, number: int) -> int | None:
        player = course.player
        player.run.require_nodes()
        condition = parse(task.goal, player.run.plan.graph)
        _stand(player, number)
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
    from nodeflow.derive.unfolding import RECORD as UNFOLDED

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


def _stand(player: Player, number: int) -> None:
    if player.number != number:
        if number > player.end:
            player.advance(number)
        else:
            player.go(number)


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
