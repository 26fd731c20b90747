"""What a view is drawn with: rectangles, lines, dots, words and pixels, back to front.

Lengths are canvas units, y points down; colours are "#rrggbb". Window, pictures and films draw
the same marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nodeflow.fonts import REGULAR
from nodeflow.theme import Theme
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Area = tuple[float, float, float, float]
"""Left, top, width and height."""
Place = tuple[float, float]
Colours = NDArray[np.float32]
"""Rows × columns × red, green, blue, from 0 to 1."""

LABEL, SMALL, LARGE = 11.0, 9.0, 24.0
"""Sizes of words."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[Place, ...]
    colour: str
    thick: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A small mark around a point."""

    x: float
    y: float
    radius: float
    fill: str
    edge: str
    kind: Literal["circle", "square", "triangle"] = "circle"


@dataclass(frozen=True, slots=True)
class Words:
    """A text on a base line; `anchor` is what of it lies at x."""

    x: float
    y: float
    text: str
    colour: str
    size: float = LABEL
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A picture that fills an area, its pixels as squares with sharp edges."""

    area: Area
    colours: Colours


Mark = Rect | Line | Dot | Words | Pixels


# --- words --------------------------------------------------------------------------------------


@cache
def _font() -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(REGULAR), 100)


@lru_cache(maxsize=20_000)
def width(text: str, size: float = LABEL) -> float:
    """Return how wide a text is."""
    return float(_font().getlength(text)) / 100 * size


@lru_cache(maxsize=20_000)
def fitted(text: str, room: float, size: float = LABEL) -> str:
    """Return as much of a text as there is room for."""
    if width(text, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        if width(f"{text[:half].rstrip()}…", size) <= room:
            low = half
        else:
            high = half - 1
    return f"{text[:low].rstrip()}…"


def wrapped(text: str, room: float, size: float = LABEL) -> list[str]:
    """Return a text in lines that there is room for."""
    lines: list[str] = []
    for part in text.splitlines():
        line = ""
        for word in part.split():
            longer = f"{line} {word}".strip()
            if line and width(longer, size) > room:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(fitted(line, room, size))
    return lines


def sentence(text: str, area: Area, theme: Theme) -> list[Mark]:
    """Write a sentence into an area, in as many lines as there is room for."""
    left, top, wide, high = area
    lines = wrapped(text, wide - 8)[: int(high // 17)]
    return [Words(left + 4, top + 14.0 + 17.0 * at, line, theme.faint)
            for at, line in enumerate(lines)]  # fmt: skip


def percent(share: float) -> str:
    """Return a share as a person writes it: 63 %, 9.3 %, 99.9 %, < 0.1 %."""
    number = 100 * share
    if number in (0, 100):
        return f"{number:.0f} %"
    if number < 0.1:
        return "< 0.1 %"
    if number > 99.5:
        return f"{min(number, 99.9):.1f} %"
    return f"{number:.0f} %" if number >= 9.95 else f"{number:.1f} %"


# --- colours ------------------------------------------------------------------------------------


def rgb(colour: str) -> Colours:
    """Return "#rrggbb" as three numbers from 0 to 1."""
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)], np.float32)


@lru_cache(maxsize=5_000)
def mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two, so much of the other."""
    parts = rgb(one) + (rgb(other) - rgb(one)) * share
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in parts)


def class_colours(theme: Theme) -> tuple[str, ...]:
    """Return colours for classes, which have marks and names as well."""
    return (
        theme.negative, theme.positive, theme.backward, theme.feedback, theme.forward,
        theme.problem, theme.selected, theme.faint, theme.border, theme.text,
    )  # fmt: skip


def line_colours(theme: Theme) -> tuple[str, ...]:
    """Return colours for lines, which differ in thickness as well."""
    return (theme.selected, theme.positive, theme.backward, theme.feedback)


_KINDS: tuple[Literal["circle", "square", "triangle"], ...] = ("circle", "square", "triangle")


def class_mark(at: Place, number: int, theme: Theme, radius: float = 2.6) -> Dot:
    """Return the mark of a class: circle, square or triangle in its colour."""
    colours = class_colours(theme)
    fill = colours[number % len(colours)]
    return Dot(*at, radius, fill, theme.canvas, _KINDS[number % 3])


def blended(one: Colours, other: Colours, shares: NDArray[Any]) -> Colours:
    """Return colours between two, a share of the other each."""
    return np.asarray(one + (other - one) * shares[..., None], np.float32)


# --- a plane of numbers -------------------------------------------------------------------------


@dataclass(frozen=True)
class Axes:
    """An area in which numbers have places: `low` and `high` are its corners."""

    area: Area
    low: Place
    high: Place

    def at(self, x: float, y: float) -> Place:
        """Return where a point is."""
        left, top, wide, high = self.area
        across = (x - self.low[0]) / ((self.high[0] - self.low[0]) or 1.0)
        up = (y - self.low[1]) / ((self.high[1] - self.low[1]) or 1.0)
        return left + across * wide, top + (1 - up) * high

    def line(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[tuple[Place, ...], ...]:
        """Return the parts of a line that lie in the area, cut at its upper and lower edge."""
        parts: list[list[Place]] = [[]]
        low, high = self.low[1], self.high[1]
        points = list(zip(xs, ys, strict=True))
        for number, (x, y) in enumerate(points):
            inside = low <= y <= high
            if number and inside != (low <= points[number - 1][1] <= high):
                x0, y0 = points[number - 1]
                edge = high if max(y, y0) > high else low
                if np.isfinite([y, y0]).all():
                    parts[-1].append(self.at(x0 + (edge - y0) / (y - y0) * (x - x0), edge))
            if inside:
                parts[-1].append(self.at(x, y))
            elif parts[-1]:
                parts.append([])
        return tuple(tuple(part) for part in parts if len(part) > 1)

    def frame(self, theme: Theme) -> list[Mark]:
        """Draw the lower and left edge with the range of each, and where 0 is."""
        left, top, wide, high = self.area
        edge = mixed(theme.body, theme.border, 0.6)
        made: list[Mark] = [
            Line(((left, top), (left, top + high), (left + wide, top + high)), edge)
        ]
        for axis in (0, 1):
            if self.low[axis] < 0 < self.high[axis]:
                x, y = self.at(0 if axis == 0 else self.low[0], 0 if axis == 1 else self.low[1])
                ends = ((x, top), (x, top + high)) if axis == 0 else ((left, y), (left + wide, y))
                made.append(Line(ends, edge, 0.6, dashed=True))
        base = top + high + 10
        made += [
            Words(left, base, show(self.low[0]), theme.faint, SMALL),
            Words(left + wide, base, show(self.high[0]), theme.faint, SMALL, "end"),
            Words(left - 3, top + 7, show(self.high[1]), theme.faint, SMALL, "end"),
            Words(left - 3, top + high, show(self.low[1]), theme.faint, SMALL, "end"),
        ]
        return made


def axes(area: Area, low: Place, high: Place, written: Sequence[str] = ()) -> Axes:
    """Return axes inside an area, with room for what is written at their left side.

    Without `written` these are the ends, as numbers.
    """
    left, top, wide, tall = area
    texts = written or [show(end) for end in (low[1], high[1])]
    room = 6 + max(width(text, SMALL) for text in texts)
    return Axes((left + room, top + 4, wide - room - 4, tall - 18), low, high)


def tangent(axes: Axes, at: Place, slope: float, colour: str, length: float) -> Line:
    """Return a piece of the tangent at a point, a share of the area's width long."""
    x, y = axes.at(*at)
    wide, high = axes.area[2], axes.area[3]
    dx = wide / ((axes.high[0] - axes.low[0]) or 1.0)
    dy = -slope * high / ((axes.high[1] - axes.low[1]) or 1.0)
    scale = length * min(wide, 2 * high) / 2 / (float(np.hypot(dx, dy)) or 1.0)
    dx, dy = dx * scale, dy * scale
    return Line(((x - dx, y - dy), (x + dx, y + dy)), colour, 1.8)
