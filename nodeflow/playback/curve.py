"""The history of a run as a view reads it: of a run that lives, or of one that a file has."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.epochlog import Lines

Line = Mapping[str, Any]


def column(history: Sequence[Line], name: str) -> NDArray[Any]:
    """Return a number of each line of a history; NaN where there is none."""
    if isinstance(history, Lines):
        return history.column(name)
    return np.array([np.nan if (x := line.get(name)) is None else x for line in history], float)


def epochs(history: Sequence[Line]) -> NDArray[np.int64]:
    """Return the epoch of each line of a history."""
    if isinstance(history, Lines):
        return history.epochs
    return np.array([line["epoch"] for line in history], np.int64)


def newest(history: Sequence[Line], epoch: int) -> Line:
    """Return the last line of a history up to an epoch; an empty one if there is none."""
    if isinstance(history, Lines):
        known = history.known(epoch)
    else:
        known = bisect_right(history, epoch, key=lambda line: int(line["epoch"]))
    return history[known - 1] if known else {}
