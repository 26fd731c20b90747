"""Graphs that differ only in numbers: one tape for all of them, and where the numbers lie in it.

A learning rate, a momentum, λ: most numbers of a graph are in the end a cell of the tape, and
nothing else follows from them. Which cell that is, is found by laying out the graph twice with
numbers beside the given ones: all has to be the same but cells, and each of these has to hold one
of the numbers, its half or double, or the negative of that (so that rounding is no question). Where
anything else differs the graphs are not alike, and each is laid out for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.machine import Floats, Machine

_FACTORS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0)
_STEPS = (1.0 + 2.0**-17 / 3, 1.0 - 2.0**-17 / 7)
"""What a number is multiplied by: little enough to stay in the range of its setting, and to no
number that the graph has besides."""


def beside(numbers: Sequence[float], which: int) -> list[float]:
    """Return numbers near the given ones, no two alike; there are two such rows."""
    step = _STEPS[which]
    return [number * (step + place * 2.0**-29) for place, number in enumerate(numbers)]


@dataclass(frozen=True, eq=False)
class Places:
    """Which cells hold which of some numbers, and what they are multiplied by there."""

    cells: NDArray[np.intp]
    which: NDArray[np.intp]
    factors: Floats

    def put(self, cells: Floats, numbers: NDArray[np.float64]) -> None:
        """Put numbers into their cells; `cells` and `numbers` may have one row per run."""
        cells[..., self.cells] = numbers[..., self.which] * self.factors


@dataclass(frozen=True)
class Alike:
    """Where the numbers lie while it trains, and while it is evaluated."""

    training: Places
    evaluating: Places


def alike(
    one: Machine, other: Machine, numbers: tuple[Sequence[float], Sequence[float]]
) -> Alike | None:
    """Return where numbers lie in two machines that were made with two rows of them.

    None where the machines differ in anything else, or where a number lies nowhere.
    """
    if one.evaluation is None or other.evaluation is None or not _same(one, other):
        return None
    training = _places(one.fresh_cells(), other.fresh_cells(), numbers)
    evaluating = _places(one.cells_of_evaluation(), other.cells_of_evaluation(), numbers)
    if training is None or evaluating is None:
        return None
    known = {*training.which.tolist(), *evaluating.which.tolist()}
    return Alike(training, evaluating) if known == {*range(len(numbers[0]))} else None


def _same(one: Machine, other: Machine) -> bool:
    def layout(machine: Machine) -> tuple[object, ...]:
        tape, test = machine.tape, machine.evaluation
        return (
            machine.plan.order, machine.rows, machine.test_rows, machine.batch, machine.shuffled,
            machine.per_epoch, machine.drawn, machine.fast.tail, machine.fast.loads, tape.slots,
            tape.spans, tape.head, tape.size, tape.state, tape.capacity, tuple(tape.literals),
            tuple(tape.arrays), None if test is None else (test.slots, test.size, test.capacity),
        )  # fmt: skip

    if layout(one) != layout(other):
        return False
    arrays = (
        (one.rows_of_training, other.rows_of_training),
        (one.tape.ops, other.tape.ops),
        (one.evaluation.ops if one.evaluation else one.tape.ops,
         other.evaluation.ops if other.evaluation else other.tape.ops),
        (one.feed, other.feed),
    )  # fmt: skip
    return all(a is b or np.array_equal(a, b) for a, b in arrays)


def _places(
    one: Floats, other: Floats, numbers: tuple[Sequence[float], Sequence[float]]
) -> Places | None:
    # In the type of the cells: a number is rounded once, as it is when it is put there.
    found = {
        (one.dtype.type(a * factor), one.dtype.type(b * factor)): (place, factor)
        for place, (a, b) in enumerate(zip(*numbers, strict=True))
        for factor in _FACTORS
    }
    at = np.flatnonzero(one != other)
    held = [found.get((one[cell], other[cell])) for cell in at]
    if any(known is None for known in held):
        return None
    return Places(
        at,
        np.array([known[0] for known in held if known], np.intp),
        np.array([known[1] for known in held if known]),
    )
