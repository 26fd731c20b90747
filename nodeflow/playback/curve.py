"""The history of a run as a view reads it: a line an epoch, numbers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.epochlog import NAMES
from nodeflow.engine.run import Run

Line = Mapping[str, Any]


class Curve(Sequence[Line]):
    """Lines as in `Run.history`, put together when one is asked for: there may be a million."""

    def __init__(self, epochs: NDArray[np.int64], rows: NDArray[Any]) -> None:
        self.epochs = epochs
        """The epoch of each row: 1, 2, 3, … until there are so many that older ones are thinned."""
        self.rows = rows
        """A row an epoch, with the columns of `NAMES`; NaN where there is nothing to tell."""

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        numbers = self.rows[at].tolist()
        named = zip(NAMES, numbers, strict=True)
        return {"epoch": int(self.epochs[at]), **{name: x if x == x else None for name, x in named}}

    def column(self, name: str) -> NDArray[Any]:
        """Return one column: an epoch a number."""
        column: NDArray[Any] = self.rows[:, NAMES.index(name)]
        return column


def column(history: Sequence[Line], name: str) -> NDArray[Any]:
    """Return a number of each line of a history; NaN where there is none."""
    if isinstance(history, Curve):
        return history.column(name)
    return np.array([np.nan if (x := line.get(name)) is None else x for line in history], float)


def epochs(history: Sequence[Line]) -> NDArray[np.int64]:
    """Return the epoch of each line of a history."""
    if isinstance(history, Curve):
        return history.epochs
    return np.array([line["epoch"] for line in history], np.int64)


class Recorder:
    """Follows the history of a run; a curve that was given stays as it is."""

    def __init__(self) -> None:
        self._epochs = np.empty(64, np.int64)
        self._rows = np.empty((64, len(NAMES)))
        self._count = 0
        self._seen: tuple[Run | None, int] = None, 0

    @property
    def _last(self) -> int:
        return int(self._epochs[self._count - 1]) if self._count else 0

    def curve(self, run: Run) -> Curve:
        """Return the history of a run; what was known of it before is not copied again."""
        now = run, run.times_thinned
        if now != self._seen or run.epochs_known < self._last:
            # What stands in curves that were given must not change.
            self._seen, self._count = now, 0
            self._epochs, self._rows = np.empty(64, np.int64), np.empty((64, len(NAMES)))
        new, lines = run.lines(self._last)
        count = self._count + len(new)
        if count > len(self._rows):
            self._epochs = _grown(self._epochs, self._count, 2 * count)
            self._rows = _grown(self._rows, self._count, 2 * count)
        self._epochs[self._count : count], self._rows[self._count : count] = new, lines
        self._count = count
        return Curve(self._epochs[:count], self._rows[:count])


def _grown(array: NDArray[Any], count: int, room: int) -> NDArray[Any]:
    found = np.empty((room, *array.shape[1:]), array.dtype)
    found[:count] = array[:count]
    return found
