"""What a worker does with a part of a sweep: one run after the other, or small ones abreast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.abreast import Abreast, bytes_each, can_be_abreast
from nodeflow.engine.run import Assessment, Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.playback.conditions import Condition
from nodeflow.playback.until import condition_of_epochs, first_that_holds, train_until
from nodeflow.sweeps.axes import applied
from nodeflow.sweeps.cases import Part, Plan
from nodeflow.sweeps.families import Families, Family
from nodeflow.sweeps.rows import CURVES, RESULTS, Row

_MOST_ABREAST = 256
_ABREAST_SECONDS = 0.25
"""About how long runs train abreast: a finished one is to be on disk within a second."""
_ABREAST_BYTES = 16_000_000
_FIRST_EPOCHS = 16
_MOMENT = 0.05
_LEAST_COMBINATIONS = 6
"""Fewer are planned one by one: finding where their numbers lie takes as long as two plans."""


class Stopped(Exception):
    """The sweep was told to end; the run is given up."""


class Worker:
    """Makes runs of a plan; small ones that differ only in seeds and numbers abreast."""

    def __init__(
        self,
        plan: Plan,
        stopping: Callable[[], bool] = lambda: False,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self.plan = plan
        self._stopping = stopping
        self._turn = turn or nullcontext()
        """Held while Python begins or reads out runs abreast. Threads that took turns within that
        would all stand there at the same time, and then in machine code at the same time."""
        self._families = Families(plan)
        self._combination = -1
        self._graph: Graph = plan.graph
        self._first: Run | None = None
        self._condition: Condition | None = None
        self._seconds = 0.0
        """What the last run took."""

    def rows(self, part: Part) -> Iterator[Row]:
        """Yield the rows of some runs; raises `Stopped`."""
        for cases in self._families.sorted(part):
            if self._families.size(cases[0][0]) < _LEAST_COMBINATIONS:
                yield from self._apart(cases)
                continue
            first, left = cases[0], cases
            if not self._families.is_known(first[0]):
                yield self._row(*first)  # which tells how long one takes, and what it asks for
                left = cases[1:]
            like = self._first
            worth = self._families.is_known(first[0]) or (like is not None and can_be_abreast(like))
            family = self._families.of(first[0]) if worth else None
            if family is not None:
                self._take(family)
            yield from self._apart(left) if family is None else self._rows(left, family)

    def _apart(self, cases: Part) -> Iterator[Row]:
        """Yield the rows of runs, one combination after the other."""
        for _, own in groupby(cases, lambda case: self.plan.combination(case[0])):
            yield from self._rows(list(own), None)

    def _rows(self, cases: Part, family: Family | None) -> Iterator[Row]:
        """Yield the rows of runs of a family, or of one combination."""
        while cases:
            if family is None:
                self._use(cases[0][0])
            count = min(self._abreast(family), len(cases))
            if count > 1:
                yield from self._many(cases[:count], family)
            else:
                yield self._row(*cases[0])
            cases = cases[max(count, 1) :]

    def _take(self, family: Family) -> None:
        """Take a family's graph for that of its runs."""
        self._graph, self._first, self._combination = family.like.graph, family.like, -1
        if self.plan.until is not None:
            self._condition = condition_of_epochs(family.like, self.plan.until)

    def _use(self, number: int) -> None:
        """Take the graph of a run's combination."""
        combination = self.plan.combination(number)
        if combination != self._combination:
            self._graph = applied(self.plan.graph, self.plan.settings(combination))
            self._combination, self._first, self._condition = combination, None, None

    # -- one run

    def _row(self, number: int, seed: int) -> Row:
        self._look_up()
        self._use(number)
        started = time.perf_counter()
        why, held, run = "", None, None
        try:
            run = Run(self._graph, seed=seed, dtype=self.plan.dtype, share_with=self._first)
            self._first = run
            held = self._train(run)
        except NodeflowError as error:
            why = " ".join(str(error).split())
        values: dict[str, Any] = dict.fromkeys(RESULTS)
        if run is not None:
            values["epochs"] = run.epoch
        if run is not None and not why:
            values |= run.assess().as_dict()
        if self.plan.until is not None:
            values["epochs_to"] = held
        self._seconds = time.perf_counter() - started
        values["seconds"] = round(self._seconds, 6)
        values["why"] = why or None
        curves = None
        if self.plan.curves and run is not None:
            curves = _curves(run.lines()[1][: run.epoch])
        return Row(number, values, curves)

    def _epochs(self) -> int:
        return self._graph.training.epochs if self.plan.epochs is None else self.plan.epochs

    def _train(self, run: Run) -> int | None:
        if self.plan.until is None:
            run.train(epochs=self._epochs(), progress=self._look_up)
            return None
        self._condition = condition_of_epochs(run, self.plan.until)
        return train_until(run, self._condition, self._epochs(), progress=self._look_up)

    def _look_up(self, *_progress: int) -> None:
        if self._stopping():
            raise Stopped

    # -- many at once

    def _abreast(self, family: Family | None) -> int:
        """Return how many runs to make at once: what takes a moment, and little memory."""
        like = self._first if family is None else family.like
        if like is None or not can_be_abreast(like):
            return 1
        condition = self._condition
        if self.plan.until is not None and (condition is None or condition.ports):
            return 1
        fitting = _ABREAST_BYTES // bytes_each(like, self._epochs())
        return int(min(_MOST_ABREAST, fitting, _ABREAST_SECONDS / max(self._seconds, 1e-9)))

    def _many(self, cases: Part, family: Family | None) -> Iterator[Row]:
        """Yield the rows of runs of a family, or of one combination, as they end."""
        try:
            ends = self._ends(cases, family)
            first = next(ends)
        except NodeflowError:  # a seed that cannot begin: its row says why, the others are made
            for case in cases:
                yield self._row(*case)
            return
        for ended in chain([first], ends):
            with self._turn:
                rows = [self._read_out(run, cases[run.number][0]) for run in ended]
            for run, row in zip(ended, rows, strict=True):
                # A run alone says where it went wrong.
                yield self._row(*cases[run.number]) if row is None else row

    def _read_out(self, run: _Ended, number: int) -> Row | None:
        """Return the row of a run that ended; None where its numbers are none."""
        began = time.perf_counter()
        if not run.is_sound:
            return None
        values: dict[str, Any] = {"epochs": run.epoch, **run.assess().as_dict()}
        if self.plan.until is not None:
            values["epochs_to"] = run.held
        self._seconds = run.seconds + time.perf_counter() - began
        values |= {"seconds": round(self._seconds, 6), "why": None}
        return Row(number, values, _curves(run.lines) if self.plan.curves else None)

    def _ends(self, cases: Part, family: Family | None) -> Iterator[list[_Ended]]:
        """Train runs abreast; yield those that end at the same time."""
        epochs, condition = self._epochs(), self._condition
        with self._turn:
            began = time.perf_counter()
            runs = self._begun(cases, family)
        if runs is None:
            return
        seconds = np.full(len(cases), (time.perf_counter() - began) / len(cases))
        waiting, chunk = [(list(range(len(cases))), 0)], _FIRST_EPOCHS
        while waiting:
            numbers, at = waiting.pop()
            if len(numbers) > 1 and time.perf_counter() - began > _ABREAST_SECONDS:
                # What is done is soon to be on disk: from here on one is ended after the other.
                waiting += [([number], at) for number in reversed(numbers)]
                continue
            self._look_up()
            end = min(at + chunk, epochs)
            states = {number: runs.state(number) for number in numbers if condition is not None}
            started = time.perf_counter()
            runs.train(numbers, at, end)
            spent = time.perf_counter() - started
            seconds[numbers] += spent / len(numbers)
            chunk = 2 * chunk if spent < _MOMENT else max(1, chunk // 2)
            left, ended = [], []
            for number in numbers:
                held = None
                if condition is not None:
                    held = self._held(condition, runs, number, at, end)
                    if held is not None and held < end:
                        runs.put_state(number, states[number])
                        runs.train([number], at, held)
                if held is None and end < epochs:
                    left.append(number)
                else:
                    own = float(seconds[number])
                    ended.append(_Ended(runs, number, held or end, held, own))
            if ended:
                yield ended
            if left:
                waiting.append((left, end))

    def _begun(self, cases: Part, family: Family | None) -> Abreast | None:
        """Return runs at their start; None where there is no run like them yet."""
        seeds, epochs = [seed for _, seed in cases], self._epochs()
        if family is not None:
            return Abreast(
                family.like, seeds, epochs,
                places=family.places, numbers=family.numbers(cases), starts=family.starts(cases),
            )  # fmt: skip
        return None if self._first is None else Abreast(self._first, seeds, epochs)

    def _held(
        self, condition: Condition, runs: Abreast, number: int, begin: int, end: int
    ) -> int | None:
        lines = runs.lines(number, max(begin - 1, 0), end)
        return first_that_holds(
            condition, lines[min(begin, 1) :], begin + 1,
            updates_per_epoch=self._first.updates_per_epoch if self._first else 1,
            before=lines[0] if begin else None,
        )  # fmt: skip


@dataclass(frozen=True)
class _Ended:
    """A run that ended among others, and stands there."""

    runs: Abreast
    number: int
    epoch: int
    held: int | None
    seconds: float

    @property
    def is_sound(self) -> bool:
        return self.runs.is_sound(self.number, self.epoch)

    @property
    def lines(self) -> NDArray[np.float64]:
        return self.runs.lines(self.number, 0, self.epoch)

    def assess(self) -> Assessment:
        return self.runs.assess(self.number)


def _curves(lines: NDArray[np.float64]) -> dict[str, list[float | None]]:
    return {
        name: [None if value != value else value for value in column]
        for name, column in zip(CURVES, lines.T.tolist(), strict=True)
    }
