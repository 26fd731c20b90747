"""The history of a run as a view reads it: a line an epoch, numbers first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run

NAMES = ("cost", "train_accuracy", "test_cost", "test_accuracy")
Line = Mapping[str, Any]


class Curve(Sequence[Line]):
    """Lines as in `Run.history`, put together when one is asked for: there may be a million."""

    def __init__(self, rows: NDArray[Any]) -> None:
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
        epoch = at + 1 if at >= 0 else len(self) + at + 1
        named = zip(NAMES, numbers, strict=True)
        return {"epoch": epoch, **{name: x if x == x else None for name, x in named}}

    def column(self, name: str) -> NDArray[Any]:
        """Return one column: an epoch a number."""
        column: NDArray[Any] = self.rows[:, NAMES.index(name)]
        return column


def column(history: Sequence[Line], name: str) -> NDArray[Any]:
    """Return a number of each line of a history; NaN where there is none."""
    if isinstance(history, Curve):
        return history.column(name)
    return np.array([np.nan if (x := line.get(name)) is None else x for line in history], float)


class Recorder:
    """Follows the history of a run; a curve that was given stays as it is."""

    def __init__(self) -> None:
        self._rows = np.empty((64, len(NAMES)))
        self._count = 0
        self._run: Run | None = None

    def curve(self, run: Run) -> Curve:
        """Return the history of a run; what was known of it before is not copied again."""
        epochs = run.epochs_known
        if run is not self._run or epochs < self._count:
            # What stands in curves that were given must not change.
            self._run, self._rows, self._count = run, np.empty((64, len(NAMES))), 0
        new = run.lines(self._count)
        if epochs > len(self._rows):
            grown = np.empty((2 * epochs, len(NAMES)))
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        self._rows[self._count : epochs] = new
        self._count = epochs
        return Curve(self._rows[:epochs])
