"""`table`: values as rows and columns, the columns of several side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Mark, Words, fitted
from nodeflow.views.several import grid, rows, side_by_side
from nodeflow.views.sight import Sight


@dataclass(frozen=True, eq=False)
class Columns:
    """Several values side by side, each with its name above its first column."""

    names: tuple[str, ...]
    values: tuple[NDArray[Any], ...]

    @property
    def whole(self) -> NDArray[Any]:
        """All columns."""
        return side_by_side(self.values)

    @property
    def foot(self) -> str:
        """How large it is."""
        return "×".join(map(str, self.whole.shape))

    def as_dict(self) -> dict[str, Any]:
        """Return the names with how many columns each has, and the rows."""
        wide = [np.atleast_2d(value).shape[1] for value in self.values]
        columns = [name for name, count in zip(self.names, wide, strict=True)
                   for _ in range(count)]  # fmt: skip
        return {"columns": columns, "rows": self.whole}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Write the columns, and above them what they are where there are several values."""
        left, top, wide, high = area
        if len(self.values) == 1:
            return grid(self.whole, area, theme)
        # One column per value is the usual case; names stand over them as wide as there is room.
        made: list[Mark] = []
        sizes = [np.atleast_2d(value).shape[1] for value in self.values]
        room = wide / len(sizes)
        for number, (name, value) in enumerate(zip(self.names, self.values, strict=True)):
            at = left + number * room
            made.append(Words(at + room - 8, top + 11, fitted(name, room - 8), theme.faint,
                              anchor="end"))  # fmt: skip
            tall = np.resize(np.atleast_2d(value), (len(self.whole), sizes[number]))
            made += [
                _shifted(mark, at + room - 8)
                if isinstance(mark, Words) and sizes[number] == 1 and mark.anchor == "end"
                else mark
                for mark in grid(tall, (at, top + 15, room - 6, high - 15), theme)
            ]
        return made

    def lines(self, wide: int) -> list[str]:
        """Write the columns in lines."""
        if len(self.values) == 1 or any(np.atleast_2d(v).shape[1] != 1 for v in self.values):
            return rows(self.whole, wide)
        cells = rows(self.whole, wide)
        each = max(*map(len, self.names), 12)
        made = ["  ".join(f"{name:>{each}}" for name in self.names)]
        for line in cells:
            parts = line.split()
            made.append(
                "  ".join(f"{part:>{each}}" for part in parts) if "rows" not in line else line
            )
        return made


def _shifted(words: Words, x: float) -> Words:
    return Words(x, words.y, words.text, words.colour, words.size, "end")


def found(sight: Sight, key: str) -> Columns | None:
    """Return what enters it."""
    there = sight.known(key)
    if not there:
        return None
    return Columns(tuple(there), tuple(np.asarray(sight.values[start]) for start in there))
