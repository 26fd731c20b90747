"""`plot`: values over the updates, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.theme import Theme
from nodeflow.views.marks import SMALL, Area, Dot, Line, Mark, Words, fitted, line_colours, mixed
from nodeflow.views.sight import Floats, Sight, Values
from nodeflow.workings.shown import show

_LONGEST = 1000
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, eq=False)
class Past:
    """How values have changed: a name and points (update, value) each."""

    names: tuple[str, ...]
    points: tuple[Floats, ...]

    @property
    def foot(self) -> str:
        """The newest value of each."""
        return ", ".join(show(line[-1, 1]) for line in self.points)

    def as_dict(self) -> dict[str, Any]:
        """Return the points of each line."""
        return {"lines": dict(zip(self.names, self.points, strict=True))}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the lines, the range at the left, a name a line where there are more.

        Several lines differ by thickness as well.
        """
        left, top, wide, high = area
        low = min(float(line[:, 1].min()) for line in self.points)
        most = max(float(line[:, 1].max()) for line in self.points)
        start = min(float(line[0, 0]) for line in self.points)
        end = max(float(line[-1, 0]) for line in self.points)
        colours = line_colours(theme)
        top, high = top + 14, high - 28
        edge = mixed(theme.body, theme.border, 0.4)
        made: list[Mark] = [Line(((left, y), (left + wide, y)), edge) for y in (top, top + high)]
        for number, (name, line) in enumerate(zip(self.names, self.points, strict=True)):
            xs = left + (line[:, 0] - start) / ((end - start) or 1.0) * wide
            ys = top + high - (line[:, 1] - low) / ((most - low) or 1.0) * high
            colour, thick = colours[number % len(colours)], 1.6 + 0.8 * (number % 3)
            points = tuple(zip(xs.tolist(), ys.tolist(), strict=True))
            if len(points) > 1:
                made.append(Line(points, colour, thick))
            made.append(Dot(*points[-1], 3, colour, colour))
            if len(self.points) > 1:
                x, y = left + wide * 0.42, top + 13.0 + 14 * number
                made.append(Line(((x - 18, y - 4), (x - 5, y - 4)), colour, thick))
                made.append(Words(x, y, fitted(name, wide * 0.58), theme.text))
        made += [
            Words(left, top - 3, show(most), theme.faint, SMALL),
            Words(left, top + high + 12, show(low), theme.faint, SMALL),
            Words(left + wide, top + high + 12, f"update {end:.0f}", theme.faint, SMALL, "end"),
        ]
        return made

    def lines(self, wide: int) -> list[str]:
        """Write a line of blocks a value, its first and last number beside it."""
        longest = max(map(len, self.names))
        made = []
        for name, line in zip(self.names, self.points, strict=True):
            values = line[:, 1]
            ends = show(values[-1])
            ends = f"{show(values[0])} → {ends}" if len(values) > 1 else ends
            room = max(min(wide - longest - len(ends) - 4, 60), 8)
            picks = values[np.linspace(0, len(values) - 1, min(room, len(values))).astype(int)]
            span = float(np.ptp(picks)) or 1.0
            blocks = "".join(_BLOCKS[int(7 * share)] for share in (picks - picks.min()) / span)
            drawn = f"{blocks}  " if len(values) > 1 else ""
            made.append(f"{name:<{longest}}  {drawn}{ends}")
        return made


class Traces:
    """The past of what enters plots: a point each time a run tells something."""

    def __init__(self) -> None:
        self._past: dict[str, dict[str, list[tuple[float, float]]]] = {}
        self._at = -1
        self._line = 0

    def collect(
        self, plots: Mapping[str, Sequence[str]], update: int, values: Values, line: int = 0
    ) -> None:
        """Add what is known at an update of a line of a run.

        A run that began again has no past, and another line has another one.
        """
        if update < self._at or line != self._line:
            self._past.clear()
        self._at, self._line = update, line
        for gone in self._past.keys() - plots.keys():
            del self._past[gone]
        for key, starts in plots.items():
            past = self._past.setdefault(key, {})
            for start in starts:
                value = values.get(start)
                if value is not None and np.size(value):
                    _append(past.setdefault(start, []), (update, float(np.mean(value))))

    def of(self, key: str, starts: Sequence[str]) -> Past | None:
        """Return the past of what enters a plot."""
        past = self._past.get(key, {})
        names = tuple(start for start in starts if past.get(start))
        return Past(names, tuple(np.array(past[name]) for name in names)) if names else None


def _append(line: list[tuple[float, float]], point: tuple[float, float]) -> None:
    if line and line[-1][0] == point[0]:
        line[-1] = point  # the same moment, looked at again
        return
    line.append(point)
    if len(line) > _LONGEST:
        del line[1:-1:2]


def found(sight: Sight, key: str) -> Past | None:
    """Return the past of what enters it; the present alone, if nobody kept the past."""
    if key in sight.past:
        return sight.past[key]
    there = [start for start in sight.known(key) if np.size(sight.values[start])]
    if not there:
        return None
    points = (np.array([[0.0, float(np.mean(sight.values[start]))]]) for start in there)
    return Past(tuple(there), tuple(points))
