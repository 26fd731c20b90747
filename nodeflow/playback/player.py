"""A player: a run that is played, stopped, rewound, and led into other futures.

Moments are numbers of steps since the start (`Schedule`). Whatever is played, jumped and branched,
the values at a moment of a line are those of the live run, to the bit.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.forking import SAME, Renaming
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment, Position, Schedule, require_level
from nodeflow.engine.step import Step
from nodeflow.errors import Diverged, NodeflowError, RunError
from nodeflow.graph import Graph, Node
from nodeflow.playback.conditions import Condition
from nodeflow.playback.moments import described
from nodeflow.playback.stops import Kept, Seen, Stops, judged_after
from nodeflow.workings.shown import show

SLOWEST, FASTEST = 0.25, math.inf
"""Steps a second: one node in four seconds, and as fast as the machine can."""
_SLICE = 0.01
"""Seconds between two looks at the clock."""
WATCHED = 8
"""The most numbers of a watched port that are kept."""
_LOGGED = 200
_TOLD = 40


@dataclass(eq=False)
class Line:
    """One future: a run from the fork on, and the line that it was forked from."""

    run: Run
    what: str = ""
    """What was changed to make it."""
    before: Line | None = None
    reach: int = 0
    """How many steps of it are known."""
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Values that were put into parameters at the fork, by address."""
    serial: int = field(default_factory=count(1).__next__)
    """No other line has it, but for the one whose place it took with nothing lying ahead."""

    def at(self, update: int) -> Line:
        """Return this line, or that of its forebears to which an update belongs."""
        line = self
        while line.before is not None and update < line.run.born:
            line = line.before
        return line


class Player:
    """Plays a run, and knows where it is."""

    def __init__(self, run: Run) -> None:
        self.schedule: Schedule = run.schedule
        self.lines: list[Line] = [Line(run, reach=self.schedule.number(run.position))]
        self.line = self.lines[0]
        self.run = run
        """The run that stands at the present moment."""
        self.last: Step | None = None
        """The step that led here."""
        self.old: dict[str, NDArray[Any]] = {}
        """What stood at the outputs of its node before, by port."""
        self.weights_before: Mapping[str, NDArray[Any]] = {}
        """Where the last step ended an update: the weights that its values were computed with."""
        self.stops = Stops()
        self.reason = ""
        """Why it stopped where it stands."""
        self._speed = 4.0
        self.playing = False
        self.failed = False
        """Whether it stopped because it cannot go on."""
        self.looped: str | None = None
        """The level of what is played over and over: a sample, an update, …"""
        self._loop = (0, 0)
        self._due = 0.0
        self._until = 0
        self._stride = 1
        """How many updates fit into a slice of time."""
        self._last_number = 0
        self._log: deque[tuple[int, Step]] = deque(maxlen=_LOGGED)
        self._lately: dict[tuple[Run, int], dict[str, NDArray[Any]]] = {}
        """The watched numbers after the last updates."""
        self._watches: dict[Condition, _Watch] = {}
        self._judged_at: tuple[Run, int] | None = None
        """Where the watches judged last: they go on there, and nowhere else."""

    @property
    def speed(self) -> float:
        """How many steps a second it plays, above 0; infinite for as many as there is time for.

        Set to anything else it raises `RunError`.
        """
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not speed > 0:  # NaN is none either
            raise RunError(f"a speed is a number of steps a second above 0, not {speed:g}")
        self._speed = float(speed)

    # -- where it is

    @property
    def number(self) -> int:
        """How many steps lie behind."""
        return self.schedule.number(self.run.position)

    @property
    def first(self) -> int:
        """The first moment that can be reached: 0, or where nodes were added to the graph."""
        return self.begin_of(self._root)

    @property
    def _root(self) -> Line:
        line = self.line
        while line.before is not None:
            line = line.before
        return line

    @property
    def end(self) -> int:
        """The last moment of the run: where its training ends, or farther if it went on."""
        epochs = self.run.graph.training.epochs
        return max(self.line.reach, epochs * self.schedule.steps_per_epoch)

    @property
    def place(self) -> str:
        """Where it is: of the step just made, "epoch 3 · sample 17 of 139 · backward · delta"."""
        return described(self.run, self.last)

    def log(self, most: int = _TOLD) -> list[tuple[int, Step]]:
        """Return the last steps before this moment, each with its number.

        After a jump they are made again.
        """
        number = self.number
        kept = [entry for entry in self._log if number - most < entry[0] <= number]
        if len(kept) < min(most, number - self.first):
            self._log.clear()
            self._seek(max(number - most, self.first))
            while self.number < number:
                self._make_step()
            kept = list(self._log)
        return kept

    # -- going

    def step(self, level: str = "step") -> Step | None:
        """Go on to where the next step, phase, sample, update or epoch begins.

        Ends earlier at a breakpoint or where a condition becomes true. Returns the last step.
        """
        self._require(level)
        self.advance(self.schedule.after(level, self.number))
        return self.last

    def back(self, level: str = "step") -> Step | None:
        """Go back to where this step, phase, …, or the one before, begins.

        Raises `RunError` where what lies before is not kept.
        """
        self._require(level)
        if 0 < self.first == self.number:
            raise self._not_kept()
        self.go(max(self.schedule.before(level, self.number), self.first))
        return self.last

    def go(self, where: int | str | Moment) -> None:
        """Go to a moment: its number, or EPOCH[:SAMPLE[:NODE]]; raises `RunError` outside.

        With a node it is the moment after that node was evaluated.
        """
        self.run.require_nodes()
        if isinstance(where, str):
            where = Moment.read(where)
        if isinstance(where, Moment):
            number = self.schedule.number(self.schedule.find(where))
        else:
            number = where
        if 0 <= number < self.first:
            raise self._not_kept()
        if not 0 <= number <= self.end:
            epochs = self.end / self.schedule.steps_per_epoch
            asked = number // self.schedule.steps_per_epoch
            raise RunError(
                f"epoch {asked} is outside of the run, which goes from epoch 0 to the end of "
                f"epoch {max(math.ceil(epochs) - 1, 0)}; train it on to go farther"
            )
        self.reason, self.last = "", None
        self._due = 0.0
        self._seek(max(number - 1, self.first))
        if number > self.first:
            self._make_step()

    def _not_kept(self) -> RunError:
        """Return why no moment before the first one can be gone to."""
        epochs = self.first / self.schedule.steps_per_epoch
        return RunError(
            f"what lies before epoch {show(epochs)} was trained with other settings, and is not "
            "kept: reset the run to go there with these"
        )

    def advance(self, target: int, seconds: float = math.inf) -> bool:
        """Go on to the moment `target`, or to a stop before; return whether that was reached.

        After so many `seconds` it stands still on the way. Raises `Diverged` at a node that
        gives NaN or Infinity, and stands before that node, however fast it came there.
        """
        self.reason = ""
        try:
            self._advance(target, time.perf_counter() + seconds)
        except Diverged as error:
            self._stand_before(error)
            raise
        return bool(self.reason) or self.number >= target

    def _advance(self, target: int, deadline: float) -> None:
        while self.number < target and not self.reason:
            stop = self.stops.next_breakpoint(self.run, self.number, target)
            goal = target if stop is None else stop
            if self.stops.conditions:
                self._search_for_stop(goal, deadline)
            else:
                self._run_until(goal, deadline)
            if self.number == stop and not self.reason:
                self.reason = self._breakpoint_here()
            if time.perf_counter() > deadline:
                break
        self._remake_last()

    def _stand_before(self, error: Diverged) -> None:
        """Stand before the node at fault, with all that came before it in its update."""
        schedule, run = self.schedule, self.run
        after = schedule.find(Moment(error.epoch, error.sample, error.node))
        before = schedule.number(after) - 1
        if run.update == error.update and self.number < before:
            with suppress(Diverged):  # an earlier node cannot be at fault; it would be told again
                self._seek(before)

    def _run_until(self, goal: int, deadline: float) -> None:
        """Go on to a moment with nothing to stop at on the way, while there is time."""
        while (number := self.number) < goal:
            began = time.perf_counter()
            hop, slices = goal, 1.0
            if deadline < math.inf:  # the fewer hops, the less is stepped and copied between them
                slices = max((deadline - began) / _SLICE, 1.0) if self._stride > 1 else 1.0
                hop = min(goal, number + int(self._stride * slices) * self.schedule.steps(0))
            if hop - 1 > number:
                self._seek(hop - 1)
            self._make_step()
            now = time.perf_counter()
            if hop < goal:
                change = slices * _SLICE / max(now - began, 1e-6)
                if not 0.5 < change < 1.5:
                    self._stride = max(1, int(self._stride * min(max(change, 1 / 8), 256)))
            if now > deadline - _SLICE / 2:  # what is left is too little for another hop
                return

    def _remake_last(self) -> None:
        """Make the step again that led here, if others were left out since."""
        number = self.number
        if self._last_number != number and number > self.first:
            self._seek(number - 1)
            self._make_step()

    def _breakpoint_here(self) -> str:
        places = self.stops.places(self.run)
        index = self.run.position.place
        return places.get(index) or places[len(self.run.order)]

    def _seek(self, number: int) -> None:
        """Let the run to which a moment belongs stand there."""
        position = self.schedule.position(number)
        self.run = self.line.at(position.update).run
        try:
            self.run.seek(position)
        finally:
            self._arrived()

    def _make_step(self) -> None:
        run, key = self.run, self.run.node
        ports = run.plan.graph.type_of(key).outputs
        self.old = {
            p.name: run[f"{key}.{p.name}"] for p in ports if run.has_value(f"{key}.{p.name}")
        }
        ends = run.position.place == len(run.order) - 1
        self.weights_before = run.weights if ends else {}
        self.last = run.step()
        self._arrived()
        number = self._last_number = self.number
        if self._log and self._log[-1][0] != number - 1:
            self._log.clear()
        self._log.append((number, self.last))

    def _arrived(self) -> None:
        number, update = self.number, self.run.update
        self.line.reach = max(self.line.reach, number)
        if self.line.at(update).run is not self.run:
            self._seek(number)  # here another run goes on

    def _require(self, level: str) -> None:
        self.run.require_nodes()
        require_level(level)

    # -- conditions

    def _search_for_stop(self, goal: int, deadline: float) -> None:
        """Go on to a moment, and stop earlier where a condition becomes true.

        Passes are judged when the last node that a condition reads was evaluated: whole, or in a
        loop over samples as far as they are read.
        """
        watches = self._active_watches()
        while self.number < goal and not self.reason:
            number, begin = self.number, self.run.position
            index = begin.place
            whole = index == 0 and number + self.schedule.steps(begin.update) <= goal
            if whole and self.schedule.passes(begin.update) == 1:
                self.run.skip_to_next_update()
                self._arrived()
                met = [watch for watch in watches if watch.became_true(self.run, begin)]
                if met:
                    first = min(met, key=lambda watch: watch.steps)
                    self._seek(number + first.steps - 1)
                    self._make_step()
                    self.reason = first.condition.text
                    self._watches = {}  # the others have seen the whole pass
            else:
                ahead = [number + watch.steps - index for watch in watches]
                end = min(goal, self.schedule.after("sample", number))
                moment = min((at for at in ahead if number < at < end), default=end)
                if moment - 1 > number:
                    self._seek(moment - 1)
                    index = self.run.position.place
                self._make_step()
                for watch in watches:
                    if watch.is_judged(index, self.run) and watch.became_true(self.run, begin):
                        self.reason = watch.condition.text
            if time.perf_counter() > deadline:
                break
        self._judged_at = self.run, self.number

    def _active_watches(self) -> list[_Watch]:
        """Return a watch for each condition; where one has judged before, it goes on.

        Played step by step, a condition must meet what it saw a pass ago, and not a step ago.
        """
        known = self._watches if self._judged_at == (self.run, self.number) else {}
        self._watches = {
            condition: known.get(condition) or _Watch(self.run, condition)
            for condition in self.stops.conditions.values()
        }
        return list(self._watches.values())

    # -- playing

    def play(self, speed: float | None = None, *, until: int | None = None) -> None:
        """Begin to play, at so many steps a second, to a moment or to the end of the training.

        At the end, it goes on for as long as the graph trains.
        """
        if speed is not None:
            self.speed = speed
        self.run.require_nodes()
        if until is None:
            epochs = self.run.graph.training.epochs
            until = self.end
            if self.number >= until:
                until = self.number + max(epochs, 1) * self.schedule.steps_per_epoch
        self._until = until
        self._due = 0.0
        self.playing, self.failed = True, False
        self.reason = ""

    def pause(self) -> None:
        """Stand still."""
        self.playing = False

    @property
    def due_in(self) -> float:
        """In how many seconds the next step is due."""
        return max(1 - self._due, 0.0) / self.speed

    def tick(self, seconds: float, budget: float = math.inf, *, full: bool = False) -> bool:
        """Let time pass; return whether anything moved. `budget` is how long it may take.

        At `full` speed it goes as far as it can, whatever `speed` says.
        """
        if not self.playing:
            return False
        last = self._loop[1] if self.looped else self._until
        steps: float = math.inf
        if self.speed < math.inf and not full:
            self._due += seconds * self.speed
            steps = math.floor(self._due)
            self._due -= steps
        if steps < 1:
            return False
        if self.looped and self.number >= self._loop[1]:
            self._seek(self._loop[0])
        target = int(min(self.number + steps, last))
        try:
            self.advance(target, budget)
        except NodeflowError as error:
            self.playing, self.failed, self.reason = False, True, str(error)
            return True
        if self.reason:
            self.playing = False
        elif self.number >= self._until and not self.looped:
            self.playing, self.reason = False, "the end of the training"
        return True

    def loop(self, level: str | None) -> None:
        """Play the present sample, update or epoch over and over; None goes on."""
        if level is None:
            self.looped = None
            return
        self._require(level)
        begin = self.number
        if not self.schedule.begins(level, self.run.position):
            begin = max(self.schedule.before(level, begin), self.first)
        self.looped, self._loop = level, (begin, self.schedule.after(level, begin))

    # -- other futures

    def change(self, graph: Graph, what: str) -> None:
        """Go on with other settings from the present update on: another line begins.

        What this line has beyond the present moment stays, to be compared with and returned to.
        Nodes that no update needs may have come or gone: then all lines are carried over.
        Raises `RunError` where the graph's structure or data differs.
        """
        number = self.number
        run = self.run.fork(graph)
        if run.order != self.run.order:
            self._seek(number)
            alike = with_settings_of(graph, self.run.graph)
            self.carry(alike)
            if alike == graph:
                return  # nothing that was trained is another
            number = self.number
            run = self.run.fork(graph)
        self._branch(run, what, number)

    def set_weights(self, weights: Mapping[str, Any], what: str) -> None:
        """Put values into parameters at the present update: another line begins."""
        number = self.number
        run = self.run.fork()
        run.set_weights(weights)
        # Set again at the same moment, it is the same future; otherwise the present one stays.
        again = self.line.what == what and self.line.run.born == run.born
        put = {address: np.array(value) for address, value in weights.items()}
        self._branch(run, what, number, put, stays=not again)

    def _branch(
        self,
        run: Run,
        what: str,
        number: int,
        weights: Mapping[str, NDArray[Any]] | None = None,
        *,
        stays: bool = False,
    ) -> None:
        before = self.line.at(run.born)
        if before.run.born == run.born and before.before is not None:
            weights = {**before.weights, **(weights or {})}  # they are in the run that was forked
            before = before.before
        line = Line(run, what, before, weights=weights or {})
        line.reach = self.begin_of(line)
        if self.line.reach <= number and not stays:
            line.serial = self.line.serial
            self.lines[self.lines.index(self.line)] = line
        else:
            self.lines.append(line)
        self.line, self.run = line, run
        self.stops.keep_known(run)
        self._log.clear()
        self.go(number)

    def carry(self, graph: Graph, rename: Renaming = SAME) -> None:
        """Go on with a graph that trains as this one does; nothing of what lies behind is lost.

        Nodes that no update and no cost depends on may have come, gone or changed, and one may
        have another id (`rename`): all lines have them from now on, and keep the settings of what
        they trained with. Raises `RunError` where the part that trains differs.
        """
        runs: dict[Run, Run] = {}

        def carried(line: Line) -> Run:
            old = line.run
            if old not in runs:
                other = old.graph
                if rename.old in other.nodes and rename.new not in other.nodes:
                    other = other.rename(rename.old, rename.new)
                own = graph if line is self.line else with_settings_of(graph, other)
                parent = None if line.before is None else carried(line.before)
                runs[old] = old.carried(own, parent, rename)
            return runs[old]

        before, position = self.schedule, self.run.position
        # A line that another took the place of is still where that one comes from.
        every = list(self.lines)
        for line in every:  # grows on the way
            if line.before is not None and line.before not in every:
                every.append(line.before)
        found = {line: carried(line) for line in every}
        self.schedule = found[self.line].schedule
        self.stops.rename(rename)
        for line, run in found.items():
            line.run, line.reach = run, self._recounted(line.reach, before, rename)
        self._until = self._recounted(self._until, before, rename)
        self.run, self.looped = self.line.at(position.update).run, None
        self._log.clear()
        self._lately.clear()
        self._watches, self._last_number = {}, 0
        self.stops.keep_known(self.run)
        self.go(self._recounted(before.number(position), before, rename))

    def _recounted(self, number: int, before: Schedule, rename: Renaming) -> int:
        """Return a moment that was counted with another schedule's steps: after the same node."""
        update, row, place = before.position(number)
        order = [rename.now(key) for key in before.order[:place]]
        while place and order[place - 1] not in self.schedule.order:
            place -= 1
        place = self.schedule.place(order[place - 1]) + 1 if place else 0
        return self.schedule.number(Position(update, row, place))

    def switch(self, line: int) -> None:
        """Go over to another line, at the same moment or at its end."""
        if not 0 <= line < len(self.lines):
            raise RunError(f"there is no line {line}; there are 0 to {len(self.lines) - 1}")
        number = self.number
        self.line = self.lines[line]
        self._log.clear()
        self.go(min(number, self.end))

    def begin_of(self, line: Line) -> int:
        """Return the moment at which a line begins to differ from the one it came from."""
        born = line.run.born
        return self.schedule.number(self.schedule.start(born))

    def compared(self, line: int) -> dict[str, float]:
        """Return, by address, the largest difference of each value to another line's, now."""
        number, position = self.number, self.run.position
        other = self.lines[line].at(position.update).run
        if other is self.run:
            return {}
        if self.lines[line].reach < number:
            raise RunError(f"line {line} ends before this moment")
        mine = self.run.values
        other.seek(position)
        if self.run.reader.is_ahead and position.place == 0:
            other.evaluate()  # as this one was
        theirs = other.values
        if self.run.position != position:
            self._seek(number)
        return {
            address: float(np.max(np.abs(value - theirs[address]), initial=0.0))
            for address, value in mine.items()
            if address in theirs and theirs[address].shape == value.shape
        }

    # -- watching

    def watched(self, addresses: Iterable[str], most: int = 60) -> dict[str, list[NDArray[Any]]]:
        """Return the first numbers of ports after each of the last updates, the newest last."""
        number, update = self.number, self.run.update
        wanted = tuple(addresses)
        lately: dict[tuple[Run, int], dict[str, NDArray[Any]]] = {}
        for at in range(max(update - most, self._root.run.born) + 1, update + 1):
            moment = self.line.at(at).run, at
            known = self._lately.get(moment, {})
            if not known.keys() >= set(wanted):
                self._seek(self.schedule.number(self.schedule.start(at)))
                known = {a: np.ravel(self.run[a])[:WATCHED].copy() for a in wanted}
            lately[moment] = known
        self._lately = lately
        self._seek(number)
        return {a: [values[a] for values in lately.values()] for a in wanted}


def with_settings_of(graph: Graph, other: Graph) -> Graph:
    """Return a graph with the settings that its nodes have in another one, which may lack some.

    Which of its nodes are switched off stays, since what is evaluated follows from that.
    """

    def of(key: str, node: Node) -> Node:
        there = other.nodes.get(key)
        if there is None or there.type != node.type:
            return node
        return there if there.mode == node.mode else replace(there, mode=node.mode)

    nodes = {key: of(key, node) for key, node in graph.nodes.items()}
    training = replace(graph.training, rate=other.training.rate)
    return replace(graph, nodes=nodes, training=training)


class _Watch:
    """A condition, and whether it held when it was judged last."""

    def __init__(self, run: Run, condition: Condition) -> None:
        self.condition = condition
        self._place = judged_after(run, condition)
        self.steps = len(run.order) if condition.epochal else self._place + 1
        """How many steps of a pass it needs."""
        self._before = Kept(run, condition, run.position)
        self._held = condition.holds(Seen(run))

    def is_judged(self, index: int, run: Run) -> bool:
        """Return whether the step just made, at a place of the order, was the last it needs."""
        return index == self._place or (self.condition.epochal and run.position.place == 0)

    def became_true(self, run: Run, begin: Position) -> bool:
        """Judge the pass that was at `begin` before, and has ended."""
        if self.condition.epochal and not run.schedule.begins("epoch", run.position):
            return False
        holds = self.condition.holds(Seen(run, begin), self._before)
        became = holds and not self._held
        self._held = holds
        if self.condition.looks_back:
            self._before = Kept(run, self.condition, begin)
        return became
