"""`dictionary`: parameters as what they are in a program: a dictionary of numbers by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Mark, Words, fitted
from nodeflow.views.sight import Sight
from nodeflow.workings.shown import show

_LISTED = 12
"""Numbers of a row that are written out."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Values by address."""

    entries: dict[str, NDArray[Any]]

    @property
    def foot(self) -> str:
        """How many numbers are in it."""
        count = sum(int(np.size(value)) for value in self.entries.values())
        return f"{len(self.entries)} keys, {count} numbers"

    def as_dict(self) -> dict[str, Any]:
        """Return the entries."""
        return {"entries": self.entries}

    def lines(self, wide: int = 100) -> list[str]:
        """Write one line per row: key, colon, numbers, as Python would."""
        made = []
        for key, value in self.entries.items():
            head = f'"{key}": '
            two = value.ndim == 2 and len(value) > 1
            for number, row in enumerate(value if two else [value]):
                text = ("[" if two and number == 0 else " " * two) + _row(row)
                text += "]" if two and number == len(value) - 1 else ""
                made.append(((head if number == 0 else " " * len(head)) + text + ",")[:wide])
        return ["{", *(f"  {line}" for line in made), "}"]

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Write the lines."""
        left, top, wide, high = area
        lines, most = self.lines(), int(high // 14)
        if len(lines) > most:
            lines = [*lines[: most - 1], f"… {len(lines) - most + 1} more lines"]
        made: list[Mark] = []
        for at, line in enumerate(lines):
            text = line.lstrip()
            inset = 4 + 3.5 * (len(line) - len(text))
            made.append(
                Words(left + inset, top + 11 + 14 * at, fitted(text, wide - inset - 4), theme.text)
            )
        return made


def _row(row: NDArray[Any]) -> str:
    flat = np.ravel(row)
    text = ", ".join(show(number) for number in flat[:_LISTED])
    text = f"[{text}{', …' if flat.size > _LISTED else ''}]"
    return f"[{text}]" if np.ndim(row) == 2 else text


def found(sight: Sight, key: str) -> Dictionary | None:
    """Return the values that enter it; without a wire all parameters of the graph."""
    if not sight.starts(key):
        entries = {name: np.asarray(value) for name, value in sight.weights.items()}
    else:
        entries = {start: np.asarray(sight.values[start]) for start in sight.known(key)}
    return Dictionary(entries) if entries else None
