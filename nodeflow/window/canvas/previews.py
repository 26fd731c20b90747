"""A value as a picture, bars or strips, at the foot of a node.

The sign is told by colour and by place or strength; nothing is drawn for a single number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.image import fewer
from nodeflow.window.platform.colours import Colour, mixed

MOST_BARS, MOST_ROWS = 32, 16
"""The most bars, and rows of them; more numbers are averaged."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled rectangle, in shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float
    colour: Colour


def patches(value: NDArray[Any], theme: Theme) -> tuple[Patch, ...]:
    """Return the picture of a value."""
    array = np.atleast_2d(np.asarray(value, dtype=float))
    if array.size < 2 or array.ndim != 2 or not np.isfinite(array).all():
        return ()
    if 1 in array.shape:
        return _bars(fewer(array.reshape(1, -1), 1, MOST_BARS)[0], theme)
    return _cells(fewer(array, MOST_ROWS, MOST_BARS), theme)


def _bars(row: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    largest = float(np.abs(row).max()) or 1.0
    low, high = min(float(row.min()), 0.0) / largest, max(float(row.max()), 0.0) / largest
    span = (high - low) or 1.0
    zero = high / span
    step = 1.0 / row.size
    gap = step * 0.15 if row.size <= 20 else 0.0
    found = []
    for number, share in enumerate((row / largest).tolist()):
        end = zero - share / span
        top, bottom = min(zero, end), max(zero, end)
        colour = mixed(theme.body, theme.positive if share >= 0 else theme.negative, 0.9)
        bottom = max(bottom, top + 0.06)  # a zero is a line, not nothing
        found.append(Patch(number * step + gap, top, (number + 1) * step - gap, bottom, colour))
    return tuple(found)


def _cells(array: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    rows, columns = array.shape
    largest = float(np.abs(array).max()) or 1.0
    high, wide = 1.0 / rows, 1.0 / columns
    return tuple(
        Patch(
            column * wide,
            row * high,
            (column + 1) * wide,
            (row + 1) * high,
            mixed(
                theme.canvas,
                theme.positive if number >= 0 else theme.negative,
                round(abs(number) / largest, 2),
            ),
        )
        for row, line in enumerate(array.tolist())
        for column, number in enumerate(line)
    )
