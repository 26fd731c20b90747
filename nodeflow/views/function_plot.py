"""`function_plot`: values as functions of one number, each with its point and its tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.theme import Theme
from nodeflow.views.marks import (
    Area,
    Dot,
    Line,
    Mark,
    Words,
    axes,
    fitted,
    line_colours,
    tangent,
)
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_STEPS = 120
_STEP = 1e-6
"""How far from the point its slope is measured, as a share of the range: two-sided."""


@dataclass(frozen=True, eq=False)
class Functions:
    """Curves over x; at `point` each has a value and a slope."""

    names: tuple[str, ...]
    x: Floats
    curves: tuple[Floats, ...]
    point: float
    values: tuple[float, ...]
    slopes: tuple[float, ...]

    @property
    def foot(self) -> str:
        """The first value, and whether it goes up or down."""
        return self.description(0)

    def description(self, number: int) -> str:
        """Say of one function where it is, whether it goes up or down there and by how much."""
        value, slope = self.values[number], self.slopes[number]
        way = "flat" if abs(slope) < 1e-9 else "up" if slope > 0 else "down"
        by = "" if way == "flat" else f" {show(abs(slope))}"
        return f"{show(value)}, {way}{by}"

    def as_dict(self) -> dict[str, Any]:
        """Return each curve with its value and slope at the point."""
        lines = zip(self.names, self.curves, self.values, self.slopes, strict=True)
        return {
            "at": self.point,
            "x": self.x,
            "functions": {
                name: {"curve": curve, "value": value, "slope": slope}
                for name, curve, value, slope in lines
            },
        }

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the curves over each other, with their points and tangents."""
        left, top, wide, high = area
        known = np.concatenate(self.curves)
        known = known[np.isfinite(known)]
        low, most = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        margin = 0.06 * (most - low) or 0.5
        head = 13.0 * len(self.names)
        room = (left, top + head, wide, high - head)
        frame = axes(room, (float(self.x[0]), low - margin), (float(self.x[-1]), most + margin))
        made = frame.frame(theme)
        colours = line_colours(theme)
        for number, (name, curve) in enumerate(zip(self.names, self.curves, strict=True)):
            colour, thick = colours[number % len(colours)], 1.2 + 0.6 * (number % 3)
            made += [Line(part, colour, thick) for part in frame.line(self.x.tolist(),
                     curve.tolist())]  # fmt: skip
            at = self.point, self.values[number]
            if np.isfinite(at).all() and self.x[0] <= self.point <= self.x[-1]:
                made.append(tangent(frame, at, self.slopes[number], theme.text, 0.3))
                made.append(Dot(*frame.at(*at), 3.2, colour, theme.body))
            y = top + 9.0 + 13.0 * number
            made.append(Line(((left, y - 3.5), (left + 14, y - 3.5)), colour, thick))
            text = fitted(f"{name}: {self.description(number)}", wide - 22)
            made.append(Words(left + 19, y, text, theme.text))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write where each function is and how it goes on."""
        longest = max(map(len, self.names))
        return [
            f"{name:<{longest}}  at {show(self.point)}: {self.description(number)}"[:wide]
            for number, name in enumerate(self.names)
        ]


def found(sight: Sight, key: str) -> Functions | str | None:
    """Return what becomes of each wired value while x goes through its range."""
    ports = sight.graph.inputs(key)
    for port in ("x", "a"):
        if not ports.get(port):
            return f"wire {port} as well"
    start = ports["x"][0].start
    if start not in sight.values:
        return None
    if sight.row(start).shape[1] != 1:
        return f"x has {sight.row(start).shape[1]} numbers, not 1"
    settings = sight.graph.settings(key)
    low, high = float(settings["low"]), float(settings["high"])
    if not low < high:
        return f"the range goes from {show(low)} to {show(high)}: low must be below high"
    point = float(sight.row(start)[0, 0])
    step = _STEP * (high - low)
    xs = np.linspace(low, high, _STEPS + 1)
    rows = np.concatenate([xs, [point, point - step, point + step]])[:, None]
    names, curves, values, slopes = [], [], [], []
    for wire in ports["a"]:
        outputs = sight.answers(key, start, wire.start, rows)
        if len(outputs) != len(rows):
            return f"{wire.start} does not depend on {start}"
        many = outputs.shape[1] > 1
        for column in range(outputs.shape[1]):
            line = outputs[:, column]
            names.append(f"{wire.start}[{column}]" if many else wire.start)
            curves.append(line[: len(xs)])
            values.append(float(line[-3]))
            slopes.append(float((line[-1] - line[-2]) / (2 * step)))
    return Functions(tuple(names), xs, tuple(curves), point, tuple(values), tuple(slopes))


def for_page(run: Run, key: str, _inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values; what it shows is fixed by where wires lead."""
    settings, wires = run.plan.graph.settings(key), run.plan.graph.inputs(key).get("a", ())
    return {
        "goals": [wire.start for wire in wires],
        "low": float(settings["low"]),
        "high": float(settings["high"]),
        "fixed": True,
    }
