"""Training until a condition holds at the end of an epoch, or until the weights converge."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.epochlog import NAMES
from nodeflow.engine.run import Run
from nodeflow.errors import ConditionError, Diverged
from nodeflow.playback.conditions import Condition, parse
from nodeflow.workings.shown import rough

_MOMENT = 0.02
"""Seconds of training after which the epochs' lines are looked at, about."""
_OF_LINE = {"cost": "cost", "train_cost": "cost"} | {
    name: name for name in ("train_accuracy", "test_cost", "test_accuracy")
}


class EpochEnd:
    """The values at the end of an epoch, as a condition asks for them.

    `cost` and `train_cost` are the mean cost that the epoch met, `epoch` how many lie behind; a
    port has the value of the epoch's last pass, a parameter its newest one. `line` has the four
    numbers of the epoch's line of the history, NaN for none.
    """

    def __init__(self, line: Sequence[float], epoch: int, updates_per_epoch: int) -> None:
        self._line, self._epoch, self._updates = line, epoch, updates_per_epoch
        self._ports: dict[str, NDArray[Any]] = {}

    @classmethod
    def of(cls, run: Run, addresses: frozenset[str]) -> EpochEnd:
        """Return the values of the epoch that a run has just trained, with those of ports."""
        _, lines = run.lines(run.epoch - 1)
        found = cls(lines[-1].tolist(), run.epoch, run.updates_per_epoch)
        found._ports = {address: run[address] for address in addresses}
        return found

    def value(self, address: str) -> NDArray[Any]:
        """Return the value at an output port."""
        return self._ports[address]

    def number(self, name: str) -> float | None:
        """Return a word's number; None where it is not known."""
        match name:
            case "epoch":
                return self._epoch
            case "update":
                return self._epoch * self._updates
            case "sample":
                return None
        found = self._line[NAMES.index(_OF_LINE[name])]
        return None if found != found else found


class _EpochEnds:
    """The same for many epochs at once: each word is an array, one number per epoch."""

    def __init__(self, lines: NDArray[np.float64], first: int, updates_per_epoch: int) -> None:
        self._lines, self._first, self._updates = lines, first, updates_per_epoch

    def value(self, address: str) -> NDArray[Any]:
        """Refuse: a port's values of epochs that are over are gone."""
        raise KeyError(address)

    def number(self, name: str) -> Any:
        """Return a word's numbers; None where they are not known."""
        if name in _OF_LINE:
            found = self._lines[:, NAMES.index(_OF_LINE[name])]
            return None if np.isnan(found).any() else found
        epochs = np.arange(self._first, self._first + len(self._lines))
        return {"epoch": epochs, "update": epochs * self._updates}.get(name)


def first_that_holds(
    condition: Condition,
    lines: NDArray[np.float64],
    first: int,
    *,
    updates_per_epoch: int,
    before: NDArray[np.float64] | None = None,
) -> int | None:
    """Return the first of some epochs, from `first` on, at whose end a condition holds.

    `lines` has the line of each epoch in the history, `before` that of the epoch before them. The
    condition reads no ports.
    """
    found = condition.each(
        _EpochEnds(lines[1:], first + 1, updates_per_epoch),
        _EpochEnds(lines[:-1], first, updates_per_epoch),
    )
    rows = lines.tolist()
    last = None if before is None else EpochEnd(before.tolist(), first - 1, updates_per_epoch)
    # Where some epochs do not know a word that others know, they are judged one by one.
    for place, row in enumerate(rows if found is None else rows[:1]):
        now = EpochEnd(row, first + place, updates_per_epoch)
        if condition.holds(now, last):
            return first + place
        last = now
    if found is None or not found.any():
        return None
    return first + 1 + int(found.argmax())


def condition_of_epochs(run: Run, text: str) -> Condition:
    """Return a condition that is judged after each epoch; raises `ConditionError`."""
    found = parse(text, run.plan.graph)
    for part in found.root.walk():
        if part.head == "word" and part.value == "sample":
            raise ConditionError(
                "'sample' says nothing at the end of an epoch", text=text, position=part.start
            )
    return found


def train_until(
    run: Run,
    condition: Condition,
    epochs: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int | None:
    """Train until a condition holds at the end of an epoch, at most so many epochs.

    Returns after how many epochs of the run it held, None if it never did. The run then stands at
    the end of that epoch, with the weights and the history that training to it alone would give.
    `progress` is called with the epochs done and those to do.
    """
    begin, last = run.epoch, run.epoch + epochs
    before: EpochEnd | None = None
    line: NDArray[np.float64] | None = None
    chunk = 1  # grows: what is trained in vain is never more than what was needed, or a moment
    while run.epoch < last:
        first = run.epoch + 1
        # What ports hold is known at the end of an epoch only while the run stands there.
        count = 1 if condition.ports else min(chunk, last - run.epoch)
        started = time.perf_counter()
        fault = None
        try:
            run.train(epochs=count)
        except Diverged as error:
            fault = error  # the epochs before count, however many were trained at once
        quick = time.perf_counter() - started < _MOMENT
        if run.epoch < first:
            if fault is not None:
                raise fault
            return None  # there is nothing to evaluate
        if condition.ports:
            now = EpochEnd.of(run, condition.ports)
            if condition.holds(now, before):
                return run.epoch
            before = now
        else:
            _, lines = run.lines(first - 1)
            held = first_that_holds(
                condition, lines, first, updates_per_epoch=run.updates_per_epoch, before=line
            )
            if held is not None:
                run.goto(epoch=held)
                run.end_here()  # what was trained in vain is no part of the run
                return held
            line = lines[-1]
        if fault is not None:
            raise fault
        if progress is not None:
            progress(run.epoch - begin, epochs)
        chunk = 2 * chunk if quick else max(1, chunk // 2)
    return None


@dataclass(frozen=True)
class Ending:
    """Why training ended, and after how many epochs of those that were asked for."""

    why: Literal["epochs", "converged", "condition"]
    epochs: int
    asked: int
    until: str | None = None
    tolerance: float | None = None
    change: float | None = None
    """The norm of the change of all trained numbers in the last epoch, where that was looked at."""

    @property
    def sentence(self) -> str:
        """Say it; "" where nothing but the epochs was asked for."""
        of = f"{self.epochs} of {self.asked} epochs"
        if self.why == "condition":
            return f"{self.until} held after {of}"
        change = (
            ""
            if self.change is None
            else f"the last epoch changed the weights by {rough(self.change, 3)}"
        )
        if self.why == "converged":
            return f"converged after {of}: {change}, no more than {self.tolerance:g}"
        said = [] if self.until is None else [f"{self.until} never held at the end of an epoch"]
        if self.tolerance is not None:
            also = f" ({change}; the tolerance, per epoch, is {self.tolerance:g})" if change else ""
            said.append(f"not converged{also}")
        return f"all {self.asked} epochs: {' and '.join(said)}" if said else ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {**asdict(self), "sentence": self.sentence or None}


def train_to_end(
    run: Run,
    epochs: int,
    *,
    until: str | None = None,
    tolerance: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ending:
    """Train at most so many epochs, until a condition holds or the weights have converged.

    Both are looked at at the end of an epoch. Converged means that the epoch changed all trained
    numbers together by no more than the tolerance: ‖Θ(after) − Θ(before)‖₂. An epoch counts and no
    single update, since a sample that is right already changes next to nothing.
    """
    condition = None if until is None else condition_of_epochs(run, until)
    if tolerance is None:
        found = None
        if condition is None:
            run.train(epochs, progress=progress)
        else:
            found = train_until(run, condition, epochs, progress=progress)
        return Ending("epochs" if found is None else "condition", run.epoch, epochs, until)
    begin = run.epoch
    before, last, change = _trained(run), None, None
    for number in range(1, epochs + 1):
        run.train(1)
        after = _trained(run)
        change, before = float(np.linalg.norm(after - before)), after
        now = EpochEnd.of(run, frozenset() if condition is None else condition.ports)
        if condition is not None and condition.holds(now, last):
            return Ending("condition", run.epoch - begin, epochs, until, tolerance, change)
        last = now
        if change <= tolerance:
            return Ending("converged", run.epoch - begin, epochs, until, tolerance, change)
        if progress is not None:
            progress(number, epochs)
    return Ending("epochs", run.epoch - begin, epochs, until, tolerance, change)


def _trained(run: Run) -> NDArray[np.float64]:
    """Return all trained numbers of a run in a row."""
    graph = run.plan.graph
    found = [value.ravel() for address, value in run.weights.items()
             if graph.settings(address.rpartition(".")[0])["trainable"]]  # fmt: skip
    return np.concatenate([np.zeros(0, float), *found])
