"""The log of a run: a line of four numbers an epoch, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_LINES = 1_000_000
"""Lines that are kept: up to so many epochs, each of them has one."""
NAMES = ("cost", "train_accuracy", "test_cost", "test_accuracy")
"""The numbers of a line; NaN where there is none."""
_WIDTH = len(NAMES)


class EpochLog:
    """Lines by epoch, which count from 1.

    When there would be more than `MOST_LINES`, older ones are left out until a quarter of them is
    free again: of the newest `MOST_LINES` / 2 epochs each has its line, of those before every
    second, fourth, eighth, … as the run grows. A line takes 40 bytes.
    """

    def __init__(self) -> None:
        # Arrays of numbers: a million tuples would be slow, and large.
        self._epochs = array("q")
        self._numbers = array("d")
        self._stride = 1
        self.thinned = 0
        """How often lines were left out."""

    @property
    def last(self) -> int:
        """The last epoch that has a line; 0 without any."""
        return self._epochs[-1] if self._epochs else 0

    @property
    def left_out(self) -> int:
        """How many epochs up to the last one have no line any more."""
        return self.last - len(self._epochs)

    @property
    def bytes(self) -> int:
        """What the lines take in memory."""
        return (self._epochs.itemsize + _WIDTH * self._numbers.itemsize) * len(self._epochs)

    def extend(self, first: int, lines: NDArray[np.float64]) -> None:
        """Add lines, a row an epoch from `first` on; those of epochs that are known are the same.

        An epoch that is trained once more has the numbers that it had: other weights in the past
        `drop` what comes after them.
        """
        known = max(self.last + 1 - first, 0)
        new = np.ascontiguousarray(lines[known:], dtype=np.float64)
        self._epochs.extend(range(first + known, first + len(lines)))
        self._numbers.frombytes(new.tobytes())
        while len(self._epochs) > MOST_LINES:
            self._thin()

    def _thin(self) -> None:
        epochs = np.array(self._epochs)
        newest = np.arange(len(epochs)) >= len(epochs) - MOST_LINES // 2
        while (kept := newest | ((epochs - 1) % self._stride == 0)).sum() > 3 * MOST_LINES // 4:
            self._stride *= 2
        lines, epochs = self._array()[kept], epochs[kept]
        self._epochs, self._numbers = array("q", epochs.tobytes()), array("d", lines.tobytes())
        self.thinned += 1

    def drop(self, epoch: int) -> None:
        """Forget the lines after an epoch."""
        place = bisect_left(self._epochs, epoch + 1)
        del self._epochs[place:]
        del self._numbers[_WIDTH * place :]
        if not self.left_out:
            self._stride = 1

    def until(self, epoch: int) -> EpochLog:
        """Return a log of its own with the lines up to an epoch."""
        found = EpochLog()
        place = bisect_left(self._epochs, epoch + 1)
        found._epochs, found._numbers = self._epochs[:place], self._numbers[: _WIDTH * place]
        found._stride, found.thinned = self._stride, self.thinned
        return found

    def line(self, epoch: int) -> dict[str, Any] | None:
        """Return an epoch's line as it stands in `Run.history`; None if there is none."""
        place = bisect_left(self._epochs, epoch)
        if place == len(self._epochs) or self._epochs[place] != epoch:
            return None
        numbers = self._numbers[_WIDTH * place : _WIDTH * (place + 1)]
        return _named(epoch, *numbers)

    def lines(self, after: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the epochs after one that have a line, and their numbers, a row an epoch."""
        place = bisect_left(self._epochs, after + 1)
        return np.array(self._epochs[place:], np.int64), self._array(place)

    def _array(self, place: int = 0) -> NDArray[np.float64]:
        return np.array(self._numbers[_WIDTH * place :]).reshape(-1, _WIDTH)

    @property
    def history(self) -> list[dict[str, Any]]:
        """All lines, as `Run.history` has them."""
        rows = zip(*[iter(self._numbers)] * _WIDTH, strict=True)
        return [_named(epoch, *row) for epoch, row in zip(self._epochs, rows, strict=True)]


def _named(epoch: int, cost: float, hits: float, test: float, test_hits: float) -> dict[str, Any]:
    # Written out: half a thousand epochs take a few milliseconds to train.
    return {
        "epoch": epoch,
        "cost": cost if cost == cost else None,
        "train_accuracy": hits if hits == hits else None,
        "test_cost": test if test == test else None,
        "test_accuracy": test_hits if test_hits == test_hits else None,
    }
