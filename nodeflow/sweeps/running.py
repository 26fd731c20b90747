"""One run after the other: what a worker does with a part of a sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.playback.until import condition_of_epochs, train_until
from nodeflow.sweeps.axes import applied
from nodeflow.sweeps.cases import Part, Plan

RESULTS = ("epochs", "cost", "train_accuracy", "test_cost", "test_accuracy")
CURVES = ("cost", "train_accuracy", "test_cost", "test_accuracy")


class Stopped(Exception):
    """The sweep was told to end; the run is given up."""


@dataclass(frozen=True)
class Row:
    """What came of one run."""

    number: int
    """Combination × seeds + place of the seed: the order of the rows."""
    values: Mapping[str, Any]
    """Results by column, without the settings and the seed."""
    curves: Mapping[str, list[float | None]] | None = None


class Worker:
    """Makes runs of a plan; keeps the last one of a combination, whose plan the next one shares."""

    def __init__(self, plan: Plan, stopping: Callable[[], bool] = lambda: False) -> None:
        self.plan = plan
        self._stopping = stopping
        self._combination = -1
        self._graph: Graph = plan.graph
        self._like: Run | None = None

    def rows(self, part: Part) -> Iterator[Row]:
        """Yield the rows of some runs of a combination; raises `Stopped`."""
        combination, cases = part
        if combination != self._combination:
            self._graph = applied(self.plan.graph, self.plan.settings(combination))
            self._combination, self._like = combination, None
        for number, seed in cases:
            if self._stopping():
                raise Stopped
            yield self._row(number, seed)

    def _row(self, number: int, seed: int) -> Row:
        started = time.perf_counter()
        why, held, run = "", None, None
        try:
            run = Run(self._graph, seed=seed, dtype=self.plan.dtype, like=self._like)
            self._like = run
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
        values["seconds"] = round(time.perf_counter() - started, 6)
        values["why"] = why or None
        curves = None
        if self.plan.curves and run is not None:
            lines = run.history[: run.epoch]
            curves = {name: [line[name] for line in lines] for name in CURVES}
        return Row(number, values, curves)

    def _train(self, run: Run) -> int | None:
        epochs = run.graph.training.epochs if self.plan.epochs is None else self.plan.epochs
        if self.plan.until is None:
            run.train(epochs=epochs, progress=self._look_up)
            return None
        condition = condition_of_epochs(run, self.plan.until)
        return train_until(run, condition, epochs, progress=self._look_up)

    def _look_up(self, _done: int, _all: int) -> None:
        if self._stopping():
            raise Stopped
