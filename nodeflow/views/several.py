"""Values side by side or below each other: what panels, tables and dictionaries show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.marks import LABEL, LARGE, Area, Mark, Rect, Words, fitted, mixed
from nodeflow.views.sight import Sight
from nodeflow.workings.shown import short, show

_LINE = 17.0
_MOST_LINES, _MOST_COLUMNS = 40, 12
"""The most lines and columns of a value that are written in a terminal."""


@dataclass(frozen=True, eq=False)
class Several:
    """Values and what they come from; a single one is written large or as a table."""

    names: tuple[str, ...]
    values: tuple[NDArray[Any], ...]

    @property
    def foot(self) -> str:
        """The value where there is one number, how many there are otherwise."""
        return short(self.values[0]) if len(self.values) == 1 else f"{len(self.values)} values"

    def as_dict(self) -> dict[str, Any]:
        """Return each value by its address."""
        return {"values": dict(zip(self.names, self.values, strict=True))}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Write single numbers large, one below the other, and larger values as a table."""
        left, top, wide, high = area
        if len(self.values) == 1:
            value = self.values[0]
            if value.size == 1:
                text = fitted(show(value.item()), wide, LARGE)
                return [Words(left + wide / 2, top + high / 2 + 9, text, theme.text, LARGE,
                              "middle")]  # fmt: skip
            return grid(np.atleast_2d(value), area, theme)
        made: list[Mark] = []
        for number, (name, value) in enumerate(zip(self.names, self.values, strict=True)):
            y = top + 13.0 + _LINE * number
            if y > top + high:
                break
            made += [
                Words(left + 2, y, fitted(name, wide * 0.5), theme.faint),
                Words(left + wide * 0.55, y, fitted(short(value), wide * 0.45), theme.text),
            ]
        return made

    def lines(self, wide: int) -> list[str]:
        """Write one line per value, of a matrix one line per row."""
        if len(self.values) == 1 and self.values[0].size > 1:
            return rows(np.atleast_2d(self.values[0]), wide)
        longest = max(map(len, self.names))
        if len(self.values) == 1:
            return [show(self.values[0].item())]
        return [
            f"{name:<{longest}}  {short(value)}"[:wide]
            for name, value in zip(self.names, self.values, strict=True)
        ]


def grid(array: NDArray[Any], area: Area, theme: Theme) -> list[Mark]:
    """Write numbers in rows and columns; what does not fit is dots, a single row is broken."""
    left, top, wide, high = area
    fits, room = int(high // 15), max(int(wide // 46), 1)
    if len(array) == 1 and array.shape[1] > room:
        # The first rows of a broken row: never more numbers than there is room for.
        flat = array[0, : room * (fits + 1)]
        empty = -len(flat) % room
        array = np.append(flat, [np.nan] * empty).reshape(-1, room)
        broken = empty
    else:
        broken = 0
    columns = min(array.shape[1], room)
    step = wide / columns if columns > 3 else min(62.0, wide / columns)
    made: list[Mark] = []
    for number, row in enumerate(array[:fits]):
        y = top + 12.0 + 15.0 * number
        if number == fits - 1 and len(array) > fits:
            made.append(Words(left, y, f"… {len(array)} rows", theme.faint))
            break
        if number % 2:
            made.append(Rect(left - 2, y - 11, wide + 2, 15, mixed(theme.body, theme.text, 0.05)))
        last = number == len(array) - 1
        shown = row[: columns - broken] if last and broken else row[:columns]
        for place, x in enumerate(shown.tolist()):
            more = place == columns - 1 and array.shape[1] > columns
            text = "…" if more else fitted(show(x), step - 3, LABEL)
            made.append(Words(left + (place + 1) * step - 4, y, text, theme.text, anchor="end"))
    return made


def rows(array: NDArray[Any], wide: int) -> list[str]:
    """Write numbers in lines, columns below each other."""
    columns = min(array.shape[1], _MOST_COLUMNS, max(wide // 10, 1))
    cells = [[show(x) for x in row[:columns]] for row in array[:_MOST_LINES].tolist()]
    longest = max((len(cell) for row in cells for cell in row), default=0)
    more = "  …" if array.shape[1] > columns else ""
    lines = ["  ".join(f"{cell:>{longest}}" for cell in row) + more for row in cells]
    return [*lines, f"… {len(array)} rows"] if len(array) > len(lines) else lines


def taken(sight: Sight, key: str) -> Several | None:
    """Return what enters a node, all that is known."""
    there = sight.known(key)
    if not there:
        return None
    return Several(tuple(there), tuple(np.asarray(sight.values[start]) for start in there))


def side_by_side(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return values as one matrix, a column after the other; a vector is a column."""
    tall = max(np.atleast_2d(value).shape[0] for value in values)
    parts = [np.atleast_2d(value) for value in values]
    return np.concatenate([np.resize(part, (tall, part.shape[1])) for part in parts], axis=1)
