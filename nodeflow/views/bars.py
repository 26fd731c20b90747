"""`bars`: the numbers of a row as bars, with names; shares as per cent, the largest marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Mark, Rect, Words, fitted, mixed, percent, width
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

MOST = 40
_WHOLE = 1e-3
"""Parts of a whole add up to 1 but for so much, in float32 as well."""
_GLYPHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, eq=False)
class Bars:
    """Numbers with names. `shares` tells whether they are parts of a whole, written as per cent.

    `best` is the place of the one that is marked, −1 for none.
    """

    names: tuple[str, ...]
    values: Floats
    shares: bool
    best: int

    @property
    def foot(self) -> str:
        """The best, or how many there are."""
        if self.best < 0:
            return f"{len(self.names)} numbers"
        return f"→ {self.names[self.best]}: {self.text(float(self.values[self.best]))}"

    @property
    def sentence(self) -> str:
        """All of them in a line: A 10 %, B 63 %, C 27 % → B."""
        text = ", ".join(
            f"{name} {self.text(value)}"
            for name, value in zip(self.names, self.values.tolist(), strict=False)
        )
        return f"{text} → {self.names[self.best]}" if self.best >= 0 else text

    def text(self, value: float) -> str:
        """Return one of the numbers as it is written."""
        return percent(value) if self.shares else show(value)

    def as_dict(self) -> dict[str, Any]:
        """Return each value by its name, and which is the best."""
        best = self.names[self.best] if self.best >= 0 else None
        return {"names": self.names, "values": self.values, "shares": self.shares, "best": best}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw a bar a number: its name before it, the number behind it."""
        left, top, wide, high = area
        values = _finite(self.values[:MOST])
        step = min(high / max(values.size, 1), 26.0)
        largest = float(np.abs(values).max()) or 1.0
        most = 1.0 if self.shares else largest
        names = self.names[: values.size]
        start = min(max(width(name) for name in names) + 8, wide * 0.34)
        room = wide - 62.0 - start
        # Negative bars go the other way from a zero line, if there are any.
        negative = bool((values < 0).any())
        zero = left + start + (room / 2 if negative else 0)
        unit = (room / 2 if negative else room) / most
        made: list[Mark] = []
        for number, (name, value) in enumerate(zip(names, values.tolist(), strict=True)):
            y, is_best = top + number * step, number == self.best
            colour = theme.positive if value >= 0 else theme.negative
            fill = colour if is_best or self.best < 0 else mixed(theme.body, colour, 0.55)
            length = max(abs(value) * unit, 1.0)
            base = y + step / 2 + 4
            words = theme.text if is_best else theme.faint
            made.append(Words(left, base, fitted(name, start - 6), words))
            at = zero if value >= 0 else zero - length
            made.append(Rect(at, y + 2, length, max(step - 4, 1), fill))
            text = self.text(float(self.values[number])) + (" ←" if is_best else "")
            made.append(Words(left + start + room + 6, base, text, theme.text))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write a bar a line."""
        values = _finite(self.values[:MOST])
        most = 1.0 if self.shares else float(np.abs(values).max()) or 1.0
        longest = max(map(len, self.names))
        texts = [self.text(value) for value in self.values[:MOST].tolist()]
        room = max(wide - longest - max(map(len, texts)) - 6, 8)
        room = min(room, 40)
        made = []
        for number, (name, value) in enumerate(zip(self.names, values.tolist(), strict=False)):
            eighths = round(abs(value) / most * room * 8)
            bar = "█" * (eighths // 8) + _GLYPHS[eighths % 8].strip()
            mark = " ←" if number == self.best else ""
            made.append(f"{name:<{longest}}  {bar:<{room}}  {texts[number]}{mark}".rstrip())
        return made


def _finite(values: Floats) -> Floats:
    """Return how long bars are: there is none of NaN and Infinity, their names are written."""
    return np.where(np.isfinite(values), values, 0.0)


def found(sight: Sight, key: str) -> Bars | None:
    """Return the numbers of the first row that enters it."""
    starts = sight.starts(key)
    if not starts or starts[0] not in sight.values:
        return None
    row = sight.row(starts[0])[0]
    names = sight.class_names(row.size) or tuple(str(number + 1) for number in range(row.size))
    return barred(names, row)


def barred(names: tuple[str, ...], row: Floats) -> Bars:
    """Return bars of a row; of several numbers of 0 to 1 the largest is marked.

    They are shares where they add up to 1, as those of a softmax do; sigmoids need not.
    """
    several = row.size > 1 and bool((row >= 0).all() and (row <= 1).all())
    shares = several and abs(float(row.sum()) - 1) < _WHOLE
    best = int(row.argmax()) if several and np.ptp(row) > 0 else -1
    return Bars(names, row, shares, best)
