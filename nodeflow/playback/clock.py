"""The steps of a run, counted: where each moment lies among them, and the moments between."""

from __future__ import annotations

from collections.abc import Callable

from nodeflow.derive.phases import PHASES
from nodeflow.engine.run import Position, Run


class Clock:
    """Counts steps from the start of a run: number 0 is the start, 1 the moment after a step.

    A scrub bar, a log and an exporter need to know how many steps there are, and to go to one
    of them by its number.
    """

    def __init__(self, run: Run) -> None:
        machine, plan = run.machine, run.plan
        self._bounds: Callable[[int], tuple[int, int]] = machine.bounds
        self._loop = plan.loop
        self._per_epoch: int = machine.per_epoch
        self._nodes = len(run.order)
        self._head: int = plan.head
        self._phases = phases = [plan.phases[key] for key in run.order]
        self._starts = [
            place
            for place in range(self._nodes)
            if place == 0 or phases[place] != phases[place - 1]
        ]
        """Where in the order a phase begins."""
        self.steps_per_epoch: int = (
            machine.rows * self._head + machine.per_epoch * (self._nodes - self._head)
            if plan.loop
            else machine.per_epoch * self._nodes
        )

    def first_row(self, update: int) -> int:
        """Return the row at which an update begins within its epoch."""
        return self._bounds(update)[0]

    def steps_of(self, update: int) -> int:
        """Return how many steps an update has."""
        if not self._loop:
            return self._nodes
        return self._bounds(update)[1] * self._head + self._nodes - self._head

    def number(self, position: Position) -> int:
        """Return how many steps lie before a position."""
        update, row, index = position
        epoch, within = divmod(update, self._per_epoch)
        before = epoch * self.steps_per_epoch + within * self.steps_of(0)
        if not self._loop:
            return before + index
        return before + (row - self._bounds(update)[0]) * self._head + index

    def position(self, number: int) -> Position:
        """Return the position before which so many steps lie."""
        if not self._nodes:
            return 0, 0, 0
        epoch, rest = divmod(max(number, 0), self.steps_per_epoch)
        within = min(rest // self.steps_of(0), self._per_epoch - 1)
        rest -= within * self.steps_of(0)
        update = epoch * self._per_epoch + within
        first, samples = self._bounds(update)
        if not self._loop:
            return update, first, rest
        sample = min(rest // self._head, samples - 1)
        return update, first + sample, rest - sample * self._head

    def phases(self, number: int) -> tuple[tuple[str, int, int], ...]:
        """Return the phases of the pass that led to a moment: name, beginning and end of each."""
        if not self._nodes:
            return ()
        update, row, _ = self.position(max(number - 1, 0))
        start = self.number((update, row, 0))
        first, samples = self._bounds(update)
        more = self._loop and row < first + samples - 1
        count = self._head if more else self._nodes
        begins = [place for place in self._starts if place < count]
        return tuple(
            (PHASES[self._phases[begin]], start + begin, start + end)
            for begin, end in zip(begins, [*begins[1:], count], strict=True)
        )

    def begins(self, level: str, position: Position) -> bool:
        """Return whether a step, phase, sample, update or epoch begins at a position."""
        update, row, index = position
        first = self._bounds(update)[0]
        match level:
            case "step":
                return True
            case "phase":
                return index in self._starts
            case "sample":
                return index == 0 or (self._loop and index == self._head)
            case "update":
                return index == 0 and row == first
            case _:
                return index == 0 and row == first and update % self._per_epoch == 0

    def before(self, level: str, number: int) -> int:
        """Return the last moment before `number` at which a step, phase, … begins."""
        if level == "epoch":
            return max(number - 1, 0) // self.steps_per_epoch * self.steps_per_epoch
        number -= 1
        while number > 0 and not self.begins(level, self.position(number)):
            number -= 1
        return max(number, 0)

    def after(self, level: str, number: int) -> int:
        """Return the first moment after `number` at which a step, phase, … begins."""
        if level == "epoch":
            return (number // self.steps_per_epoch + 1) * self.steps_per_epoch
        if level == "update":
            update, _, _ = self.position(number)
            start = self.number((update, self._bounds(update)[0], 0))
            return start + self.steps_of(update)
        number += 1
        while not self.begins(level, self.position(number)):
            number += 1
        return number
