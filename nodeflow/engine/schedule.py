"""The schedule of a run: all that there is to know about time, as a value.

An epoch has rows, which updates take in batches. Every update is

    passes × head + tail

steps: the head is evaluated once a pass, the tail once an update. Where a node accumulates, a pass
has one sample and an update as many passes as samples; otherwise one pass has them all, and the
tail is empty. Nobody but the schedule needs to know which of the two it is.

A moment lies between two steps. It is written as

- a number: how many steps lie before it, from 0 at the start of the run;
- a `Position`: update, first row of the pass within the epoch, place in the order;
- a `Moment`: what a person types, EPOCH[:SAMPLE[:NODE]].
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from nodeflow.errors import RunError, nearest

if TYPE_CHECKING:
    from nodeflow.engine.plan import Plan

LEVELS = ("step", "phase", "sample", "update", "epoch")
"""From the shortest span of time to the longest; each is made of whole ones of those before it."""
_TYPED = re.compile(r"(\d+)(?::(\d+)(?::(.+))?)?", re.ASCII)


def require_level(level: str) -> None:
    """Raise `RunError` for a word that is none of `LEVELS`."""
    if level not in LEVELS:
        raise RunError(f"there is no level '{level}'{nearest(level, LEVELS)}")


class Position(NamedTuple):
    """A moment as three whole numbers from 0; positions are in the order of time."""

    update: int
    """How many updates lie behind, over the whole run."""
    row: int
    """The first row of the pass, within the epoch."""
    place: int
    """The place in the order of evaluation of the node that the next step evaluates."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as a person writes it: EPOCH[:SAMPLE[:NODE]], counted from 0.

    With a node it is the moment after that node was evaluated, otherwise that before the sample.
    """

    epoch: int
    sample: int = 0
    node: str | None = None

    @classmethod
    def read(cls, text: str) -> Moment:
        """Return the moment that was typed; raises `RunError`."""
        found = _TYPED.fullmatch(text.strip())
        if found is None:
            raise RunError(f"{text!r} is not EPOCH, EPOCH:SAMPLE or EPOCH:SAMPLE:NODE")
        epoch, sample, node = found.groups()
        return cls(int(epoch), int(sample or 0), node)

    def __str__(self) -> str:
        node = "" if self.node is None else f":{self.node}"
        return f"{self.epoch}:{self.sample}{node}" if self.sample or node else str(self.epoch)


class PhaseSpan(NamedTuple):
    """A phase of a pass: its name, and the numbers of the moments at which it begins and ends."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """When which node is evaluated on which rows."""

    rows: int
    """Rows of an epoch."""
    batch: int
    """Rows of an update; the last one of an epoch may have fewer."""
    pass_size: int
    """Rows of a pass: 1 for a loop over the samples, `batch` where they are evaluated at once."""
    order: tuple[str, ...]
    """The nodes in the order of evaluation: those of the head, then those of the tail."""
    phases: tuple[str, ...]
    """The name of each node's phase."""
    head: int
    """How many nodes are evaluated once a pass."""

    @classmethod
    def of(cls, plan: Plan, rows: int, batch: int) -> Schedule:
        """Return the schedule of a plan, for so many rows an epoch and an update."""
        from nodeflow.derive.phases import PHASES

        phases = tuple(PHASES[plan.phases[key]] for key in plan.order)
        return cls(rows, batch, 1 if plan.loop else batch, plan.order, phases, plan.head)

    # -- how much there is of everything

    @cached_property
    def updates_per_epoch(self) -> int:
        """Updates of an epoch: ⌈rows / batch⌉."""
        return -(-self.rows // self.batch)

    @cached_property
    def passes_per_epoch(self) -> int:
        """Passes of an epoch."""
        first, last = self._passes
        return (self.updates_per_epoch - 1) * first + last

    @cached_property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch: passes × head + updates × tail."""
        return self.passes_per_epoch * self.head + self.updates_per_epoch * self.tail

    @cached_property
    def tail(self) -> int:
        """How many nodes are evaluated once an update, after its passes."""
        return len(self.order) - self.head

    def epoch(self, update: int) -> int:
        """Return how many epochs lie behind when so many updates do."""
        return update // self.updates_per_epoch

    def ends_epoch(self, update: int) -> bool:
        """Return whether an epoch is over when so many updates lie behind."""
        return update % self.updates_per_epoch == 0

    def bounds(self, update: int) -> tuple[int, int]:
        """Return an update's first row within the epoch, and its number n of rows."""
        first = (update % self.updates_per_epoch) * self.batch
        return first, min(self.batch, self.rows - first)

    def samples(self, update: int) -> int:
        """Return how many rows each pass of an update has."""
        return min(self.pass_size, self.bounds(update)[1])

    def passes(self, update: int) -> int:
        """Return how many passes an update has."""
        return self._passes[(update + 1) % self.updates_per_epoch == 0]

    def steps(self, update: int) -> int:
        """Return how many steps an update has: passes × head + tail."""
        return self.passes(update) * self.head + self.tail

    # -- from one way of writing a moment to another

    def number(self, position: Position | tuple[int, int, int]) -> int:
        """Return how many steps lie before a position."""
        update, row, place = position
        return self.passes_before(update, row) * self.head + update * self.tail + place

    def position(self, number: int) -> Position:
        """Return the position before which so many steps lie; never one after a whole pass."""
        if not self.order:
            return Position(0, 0, 0)
        epoch, rest = divmod(max(number, 0), self.steps_per_epoch)
        # All updates but the last of an epoch are as long as the first, and none is longer.
        length, updates = self._passes[0] * self.head + self.tail, self.updates_per_epoch
        within, rest = divmod(rest, length)
        pass_ = min(rest // self.head, self._passes[within + 1 == updates] - 1)
        row = within * self.batch + pass_ * self.pass_size
        return Position(epoch * updates + within, row, rest - pass_ * self.head)

    def row(self, update: int, pass_: int) -> int:
        """Return the first row, within the epoch, of a pass of an update."""
        return (update % self.updates_per_epoch) * self.batch + pass_ * self.pass_size

    def pass_of(self, position: Position | tuple[int, int, int]) -> int:
        """Return which pass of its update a position lies in."""
        return (position[1] - self.bounds(position[0])[0]) // self.pass_size

    def start(self, update: int) -> Position:
        """Return the position at which an update begins."""
        return Position(update, self.bounds(update)[0], 0)

    def start_of_epoch(self, epoch: int) -> Position:
        """Return the position at which an epoch begins."""
        return self.start(epoch * self.updates_per_epoch)

    def place(self, node: str) -> int:
        """Return a node's place in the order, or raise `RunError`."""
        if node not in self._places:
            hint = nearest(node, self.order)
            raise RunError(f"no step of this run evaluates '{node}'{hint}", node=node)
        return self._places[node]

    def find(self, moment: Moment) -> Position:
        """Return the position of a moment: before its sample, or after its node.

        A node of the tail is evaluated after all passes, whichever sample is named. Raises
        `RunError` for a row or a node that is not there.
        """
        if moment.sample >= self.rows:
            raise RunError(
                f"sample {moment.sample} is beyond the epoch: it has 0 to {self.rows - 1}"
            )
        place = 0 if moment.node is None else self.place(moment.node) + 1
        within, rest = divmod(moment.sample, self.batch)
        update = moment.epoch * self.updates_per_epoch + within
        return self.settled(update, rest // self.pass_size, place)

    def settled(self, update: int, pass_: int, place: int) -> Position:
        """Return the position at a place in the order; behind the head, the last pass is over."""
        last = self.passes(update) - 1
        return Position(update, self.row(update, last if place > self.head else pass_), place)

    # -- where the levels begin

    def begins(self, level: str, moment: int | Position | tuple[int, int, int]) -> bool:
        """Return whether a step, phase, sample, update or epoch begins at a moment.

        It is where the one before ends. A sample ends with its pass, so that the tail, if there
        is one, counts as one more.
        """
        position = self.position(moment if isinstance(moment, int) else self.number(moment))
        match level:
            case "update":
                return position == self.start(position.update)
            case "epoch":
                return position == self.start_of_epoch(self.epoch(position.update))
            case _:
                return position.place in self._marks[level]

    def after(self, level: str, number: int) -> int:
        """Return the first moment after `number` at which a step, phase, … begins."""
        position = self.position(number)
        match level:
            case "epoch":
                return self.number(self.start_of_epoch(self.epoch(position.update) + 1))
            case "update":
                return self.number(self.start(position.update + 1))
        marks = self._marks[level]
        next_ = bisect_right(marks, position.place)
        end = self._end_of_pass(position)
        return number - position.place + (min(marks[next_], end) if next_ < len(marks) else end)

    def before(self, level: str, number: int) -> int:
        """Return the last moment before `number` at which a step, phase, … begins; at least 0."""
        number = max(number - 1, 0)
        position = self.position(number)
        match level:
            case "epoch":
                return self.number(self.start_of_epoch(self.epoch(position.update)))
            case "update":
                return self.number(self.start(position.update))
        marks = self._marks[level]
        if not marks:
            return 0
        return number - position.place + marks[bisect_right(marks, position.place) - 1]

    def beats(self, level: str, begin: int, end: int) -> int:
        """Return how many steps, phases, … it takes from a moment to a later one.

        The first may have begun before, and the last one may be cut off at the end.
        """
        return self._begun(level, end) - self._begun(level, begin) + (not self.begins(level, end))

    def after_passes(self, number: int, passes: int) -> int:
        """Return the moment at which so many passes are over, the present one included."""
        position = self.position(number)
        goal = self.passes_before(position.update, position.row) + passes
        epoch, rest = divmod(goal, self.passes_per_epoch)
        within, pass_ = divmod(rest, self._passes[0])
        update = epoch * self.updates_per_epoch + within
        return self.number((update, self.row(update, pass_), 0))

    def phase_spans(self, number: int) -> tuple[PhaseSpan, ...]:
        """Return the phases of the pass that led to a moment, in the order of time."""
        if not self.order:
            return ()
        number = max(number - 1, 0)
        position = self.position(number)
        start, end = number - position.place, self._end_of_pass(position)
        begins = [place for place in self._marks["phase"] if place < end]
        return tuple(
            PhaseSpan(self.phases[begin], start + begin, start + stop)
            for begin, stop in zip(begins, [*begins[1:], end], strict=True)
        )

    # -- how it is counted

    @cached_property
    def _passes(self) -> tuple[int, int]:
        """The passes of an update, and of the last update of an epoch, which may be shorter."""
        last = self.rows - (self.updates_per_epoch - 1) * self.batch
        return -(-min(self.batch, self.rows) // self.pass_size), -(-last // self.pass_size)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.order)}

    @cached_property
    def _marks(self) -> dict[str, tuple[int, ...]]:
        """The places in the order at which a step, a phase or a sample begins."""
        places, phases = range(len(self.order)), self.phases
        return {
            "step": tuple(places),
            "phase": tuple(at for at in places if at == 0 or phases[at] != phases[at - 1]),
            "sample": tuple(at for at in places if at in (0, self.head)),
        }

    def passes_before(self, update: int, row: int) -> int:
        """Return how many passes lie before the one of an update that begins at a row."""
        epoch, within = divmod(update, self.updates_per_epoch)
        pass_ = (row - within * self.batch) // self.pass_size
        return epoch * self.passes_per_epoch + within * self._passes[0] + pass_

    def _end_of_pass(self, position: Position) -> int:
        """Return the place in the order at which a pass ends: the last one takes the tail along."""
        last = self.pass_of(position) + 1 == self.passes(position.update)
        return len(self.order) if last else self.head

    def _begun(self, level: str, number: int) -> int:
        """Return how many steps, phases, … have begun at a moment or before it."""
        position = self.position(number)
        update, row, place = position
        match level:
            case "epoch":
                return self.epoch(update) + 1
            case "update":
                return update + 1
        marks = self._marks[level]
        of_head = bisect_left(marks, self.head)
        passes = self.passes_before(update, row)
        return passes * of_head + update * (len(marks) - of_head) + bisect_right(marks, place)
