"""`image`: each row as a square of its own brightness, or all of them as one picture of cells."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Colours, Mark, Pixels, blended, rgb
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

_LEAST_SIDE, _MOST_TILES = 4, 60
FINEST = 250
"""About the most pixels a side of a picture: it goes to the display every frame."""
_THIN = 6.0
"""Length, in widths, from which a strip fills its area instead of keeping its shape."""
_SHADES = " ░▒▓█"


def tones(array: Floats, theme: Theme, largest: Floats | float) -> Colours:
    """Return numbers as colours: greys, or two colours where some are negative."""
    share = np.clip(np.abs(array) / largest, 0, 1)
    if array.min(initial=0.0) >= 0:
        return blended(rgb(theme.canvas), rgb(theme.text), share)
    high = blended(rgb(theme.canvas), rgb(theme.positive), share)
    low = blended(rgb(theme.canvas), rgb(theme.negative), share)
    return np.where((array >= 0)[..., None], high, low).astype(np.float32)


def fewer(array: Floats, rows: int, columns: int) -> Floats:
    """Return at most so many rows and columns, each the mean of those that it stands for."""
    for axis, most in ((0, rows), (1, columns)):
        size = array.shape[axis]
        if size > most:
            starts = np.arange(most) * size // most
            counts = np.diff(np.append(starts, size))
            sums = np.add.reduceat(array, starts, axis=axis)
            array = sums / (counts[:, None] if axis == 0 else counts)
    return array


def picture(value: NDArray[Any], theme: Theme, room: tuple[float, float]) -> Colours | None:
    """Return a matrix as tiles, a row each, or as a heat map; None if it is no picture."""
    array = np.atleast_2d(np.asarray(value, float))
    if array.ndim != 2 or array.size < 2 or not np.isfinite(array).all():
        return None
    side = isqrt(array.shape[1])
    if side * side == array.shape[1] and side >= _LEAST_SIDE:
        return enlarged(_tiles(array[:_MOST_TILES], side, theme, room))
    array = fewer(array, FINEST, FINEST)
    return enlarged(tones(array, theme, float(np.abs(array).max()) or 1.0))


def _tiles(array: Floats, side: int, theme: Theme, room: tuple[float, float]) -> Colours:
    """Lay rows side by side, each as a square of its own brightness."""
    count = len(array)
    columns = max(range(1, count + 1), key=lambda n: min(room[0] / n, room[1] / -(-count // n)))
    lines, step = -(-count // columns), side + 1
    largest = np.maximum(np.abs(array).max(axis=1), 1e-12)[:, None]
    squares = tones(array, theme, largest).reshape(count, side, side, 3)
    sheet = np.empty((lines * step + 1, columns * step + 1, 3), np.float32)
    sheet[:] = rgb(theme.border)
    if count < lines * columns:  # no frame around what is not there
        sheet[-step:, count % columns * step + 1 :] = rgb(theme.body)
    for number, square in enumerate(squares):
        y, x = number // columns * step + 1, number % columns * step + 1
        sheet[y : y + side, x : x + side] = square
    return sheet


def enlarged(pixels: Colours) -> Colours:
    """Return a picture with larger pixels: displays would blur small ones."""
    times = max(FINEST // max(pixels.shape[:2]), 1)
    return np.ascontiguousarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def placed(pixels: Colours, area: Area) -> Pixels:
    """Return a picture in the middle of an area, undistorted unless it is a very long strip."""
    left, top, wide, high = area
    rows, columns = pixels.shape[:2]
    if max(columns / rows, rows / columns) < _THIN:
        scale = min(wide / columns, high / rows)
        w, h = columns * scale, rows * scale
        left, top, wide, high = left + (wide - w) / 2, top + (high - h) / 2, w, h
    return Pixels((left, top, wide, high), pixels)


@dataclass(frozen=True, eq=False)
class Picture:
    """A matrix that is shown as tiles or cells."""

    array: Floats

    @property
    def foot(self) -> str:
        """Its size and range."""
        size = "×".join(map(str, self.array.shape))
        return f"{size}, from {show(self.array.min())} to {show(self.array.max())}"

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, and the side of the squares where each row is one."""
        side = isqrt(self.array.shape[1])
        square = side * side == self.array.shape[1] and side >= _LEAST_SIDE
        return {"values": self.array, "side": side if square else None}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the picture."""
        made = picture(self.array, theme, (area[2], area[3]))
        return [] if made is None else [placed(made, area)]

    def lines(self, wide: int) -> list[str]:
        """Write the first row in shades, or a small matrix as cells."""
        side = isqrt(self.array.shape[1])
        array = np.abs(np.nan_to_num(self.array))
        if side * side == array.shape[1] and side >= _LEAST_SIDE:
            array = array[0].reshape(side, side)
        array = fewer(array, 24, max(wide // 2, 1))
        shares = array / (float(array.max()) or 1.0)
        return ["".join(2 * _SHADES[ceil(4 * share)] for share in row) for row in shares.tolist()]


def found(sight: Sight, key: str) -> Picture | str | None:
    """Return the matrix that enters it."""
    starts = sight.starts(key)
    if not starts or starts[0] not in sight.values:
        return None
    array = sight.row(starts[0])
    if array.size < 2 or not np.isfinite(array).all():
        return "a picture takes two numbers or more, none of them NaN or Infinity"
    return Picture(array)
