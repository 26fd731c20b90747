"""The log of a run: a line of four numbers an epoch, in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

MOST_LINES = 1_000_000
"""The most lines that are kept; up to as many epochs, each has one."""
NAMES = ("cost", "train_accuracy", "test_cost", "test_accuracy")
"""The numbers of a line; NaN where there is none."""
_WIDTH = len(NAMES)
_BLOCK = 4096
"""Lines of a block."""

Epochs = NDArray[np.int64]
Numbers = NDArray[np.float64]
Line = dict[str, Any]
_NOTHING = np.empty(0, np.int64), np.empty((0, _WIDTH))


class Lines(Sequence[Line]):
    """Lines as in `Run.history`, put together when one is asked for: there may be a million.

    They stay as they are when the run goes on. Equal to a list of the same lines.
    """

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none

    def __init__(self, blocks: Sequence[tuple[Epochs, Numbers]], count: int) -> None:
        # Blocks of the log itself: it only ever adds behind what was given away.
        self._blocks, self._count = tuple(blocks), count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(self._count))]
        block, row = divmod(range(self._count)[at], _BLOCK)
        epochs, numbers = self._blocks[block]
        return _named(int(epochs[row]), *numbers[row].tolist())

    def __iter__(self) -> Iterator[Line]:
        for epochs, numbers in self.parts():
            for epoch, row in zip(epochs.tolist(), numbers.tolist(), strict=True):
                yield _named(epoch, *row)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Lines):
            return len(self) == len(other) and all(
                np.array_equal(mine[0], its[0]) and np.array_equal(mine[1], its[1], equal_nan=True)
                for mine, its in zip(self.parts(), other.parts(), strict=True)
            )
        if isinstance(other, list | tuple):
            return len(self) == len(other) and list(self) == list(other)
        return NotImplemented

    def __repr__(self) -> str:
        return f"<{self._count:,} lines of a history>"

    def parts(self) -> Iterator[tuple[Epochs, Numbers]]:
        """Yield epochs and numbers block by block, as they lie."""
        for place, (epochs, numbers) in enumerate(self._blocks):
            count = min(self._count - place * _BLOCK, _BLOCK)
            yield epochs[:count], numbers[:count]

    def known(self, epoch: int) -> int:
        """Return how many lines there are up to an epoch."""
        block = bisect_right(self._blocks, epoch, key=lambda one: one[0][0]) - 1
        if block < 0:
            return 0
        there = self._blocks[block][0][: self._count - block * _BLOCK]
        return block * _BLOCK + int(np.searchsorted(there, epoch, side="right"))

    @property
    def epochs(self) -> Epochs:
        """The epoch of each line: 1, 2, 3, … until older ones are thinned out."""
        parts = [epochs for epochs, _ in self.parts()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @property
    def rows(self) -> Numbers:
        """One row per line, with the columns of `NAMES`; NaN where there is nothing to tell."""
        parts = [numbers for _, numbers in self.parts()]
        return np.concatenate(parts) if parts else np.empty((0, _WIDTH))

    def column(self, name: str) -> Numbers:
        """Return one column: an epoch a number."""
        place = NAMES.index(name)
        parts = [numbers[:, place] for _, numbers in self.parts()]
        return np.concatenate(parts) if parts else np.empty(0)


class EpochLog:
    """Lines by epoch, which count from 1.

    When there would be more than `MOST_LINES`, older ones are left out until a quarter of them is
    free again: of the newest `MOST_LINES` / 2 epochs each has its line, of those before every
    second, fourth, eighth, … as the run grows. A line takes 40 bytes.

    They lie in blocks, all full but the last one. What grows by blocks never moves: an array that
    is copied into a larger one leaves a hole of its size in the memory of the program. Blocks are
    shared with copies and with `Lines`, so rows that count are never written again.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[Epochs, Numbers]] = []
        self._count = 0
        self._stride = 1
        self._given: Lines | None = None

    @property
    def last(self) -> int:
        """The last epoch that has a line; 0 without any."""
        return int(self._blocks[-1][0][(self._count - 1) % _BLOCK]) if self._count else 0

    @property
    def left_out(self) -> int:
        """How many epochs up to the last one have no line any more."""
        return self.last - self._count

    @property
    def bytes(self) -> int:
        """What the lines take in memory."""
        return 8 * (1 + _WIDTH) * self._count

    def extend(self, first: int, lines: Numbers) -> None:
        """Add lines, one row per epoch from `first` on; those of known epochs are the same.

        An epoch that is trained once more has the numbers that it had: other weights in the past
        `drop` what comes after them.
        """
        known = max(self.last + 1 - first, 0)
        if known < len(lines):
            self._append(np.arange(first + known, first + len(lines)), lines[known:])
        while self._count > MOST_LINES:
            self._thin()

    def _append(self, epochs: Epochs, numbers: Numbers) -> None:
        self._given = None
        done = 0
        while done < len(epochs):
            row = self._count % _BLOCK
            if row == 0:
                self._blocks.append((np.empty(_BLOCK, np.int64), np.empty((_BLOCK, _WIDTH))))
            some = min(_BLOCK - row, len(epochs) - done)
            for to, new in zip(self._blocks[-1], (epochs, numbers), strict=True):
                to[row : row + some] = new[done : done + some]
            self._count += some
            done += some

    def _thin(self) -> None:
        # Block by block: no array as long as the log, and what is let go makes room for the next.
        parts, newest = list(self.view.parts()), self._count - MOST_LINES // 2
        self._given = None

        def kept(place: int) -> NDArray[np.intp]:
            epochs = parts[place][0]
            late = np.arange(len(epochs)) >= newest - place * _BLOCK
            return np.flatnonzero(late | ((epochs - 1) % self._stride == 0))

        while sum(len(kept(place)) for place in range(len(parts))) > 3 * MOST_LINES // 4:
            self._stride *= 2
        self._blocks, self._count = [], 0
        for place in range(len(parts)):
            stays, (epochs, numbers) = kept(place), parts[place]
            self._append(epochs[stays], numbers[stays])
            del epochs, numbers
            parts[place] = _NOTHING

    def drop(self, epoch: int) -> None:
        """Forget the lines after an epoch."""
        self._cut(self.view.known(epoch))
        if not self.left_out:
            self._stride = 1

    def _cut(self, count: int) -> None:
        if count == self._count:
            return
        self._count, self._given = count, None
        blocks = -(-count // _BLOCK)
        del self._blocks[blocks:]
        self._own_last()

    def _own_last(self) -> None:
        """Have the last block alone where it will be written: others may see the rows behind."""
        if self._count % _BLOCK:
            epochs, numbers = self._blocks[-1]
            self._blocks[-1] = epochs.copy(), numbers.copy()

    def until(self, epoch: int) -> EpochLog:
        """Return a log of its own with the lines up to an epoch."""
        found = EpochLog()
        found._count = self.view.known(epoch)
        blocks = -(-found._count // _BLOCK)
        found._blocks = self._blocks[:blocks]
        found._own_last()
        found._stride = self._stride
        return found

    def line(self, epoch: int) -> Line | None:
        """Return an epoch's line as it stands in `Run.history`; None if there is none."""
        known = self.view.known(epoch)
        line = self.view[known - 1] if known else None
        return line if line is not None and line["epoch"] == epoch else None

    def lines(self, after: int = 0) -> tuple[Epochs, Numbers]:
        """Return the epochs after one that have a line, and their numbers, one row per epoch."""
        place = self.view.known(after)
        block = place // _BLOCK
        some = Lines(self._blocks[block:], self._count - block * _BLOCK)
        skip = place - block * _BLOCK
        return some.epochs[skip:], some.rows[skip:]

    @property
    def view(self) -> Lines:
        """All lines as they are now, without a copy; the same object until there are others."""
        if self._given is None:
            self._given = Lines(self._blocks, self._count)
        return self._given

    @property
    def history(self) -> list[Line]:
        """All lines, as `Run.history` has them."""
        return list(self.view)


def _named(epoch: int, cost: float, hits: float, test: float, test_hits: float) -> Line:
    # Written out: half a thousand epochs take a few milliseconds to train.
    return {
        "epoch": epoch,
        "cost": cost if cost == cost else None,
        "train_accuracy": hits if hits == hits else None,
        "test_cost": test if test == test else None,
        "test_accuracy": test_hits if test_hits == test_hits else None,
    }
