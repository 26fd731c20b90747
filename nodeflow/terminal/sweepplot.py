"""Many runs as a plot of characters: curves with their spread, or two settings as a map of values.

A curve is drawn in dots of braille, two by four in a character, so that it bends; the band from the
first to the third quartile over the seeds is shaded behind it. Colours help to tell curves apart,
but each is named at its end, so that it can be read without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from nodeflow.inert import is_number
from nodeflow.sweeps.rows import is_share
from nodeflow.terminal.look import clean, maybe, percent
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.sweeps import Sweep

HIGH = 13
_MOST_ROWS = 24
_LEAST_WIDE = 20
_MOST_CURVES = 6
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
_SHADES = " ░▒▓█"
_MAP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Five colours of a scale that is ordered by lightness as well (viridis)."""
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Curve:
    """A median over x with the quartiles around it; NaN where there is none."""

    name: str
    x: Numbers
    low: Numbers
    middle: Numbers
    high: Numbers


def plot_lines(found: Sweep, what: str, wide: int) -> list[Text]:
    """Return the lines of a plot of a sweep, at most `wide` characters; none where none fits.

    With `--curves` it is the cost over the epochs; with one setting, or one of numbers, `what`
    over it; with two settings a map of medians with their numbers.
    """
    several = len(found.plan.seeds) > 1
    varied = [place for place, axis in enumerate(found.plan.axes) if len(axis.values) > 1]
    if len(varied) == 2 and not found.plan.curves:
        return list(_heat_map(found, what, varied[0], varied[1], wide))
    if found.plan.curves:
        curves = _over_epochs(found)
        if curves:
            return list(drawn(curves, wide, "epochs", "cost", whole=True, band=several))
    if len(varied) == 1:
        axis = found.plan.axes[varied[0]]
        if all(is_number(value) for value in axis.values):
            share = is_share(what)
            title = what.replace("_", " ")
            return list(
                drawn([_over(found, what, axis.values)], wide, clean(axis.address), title,
                      of_share=share, band=several)
            )  # fmt: skip
    return []


def _over(found: Sweep, what: str, values: Sequence[Any]) -> Curve:
    """Return a measure over a setting, the values in their order."""
    threes = [one.quartiles.get(what) or (math.nan,) * 3 for one in found.summaries()]
    order = sorted(range(len(threes)), key=lambda place: values[place])
    table = np.array([threes[place] for place in order], float)
    x = np.array([values[place] for place in order], float)
    return Curve("", x, table[:, 0], table[:, 1], table[:, 2])


def _over_epochs(found: Sweep) -> list[Curve]:
    """Return the cost over the epochs, a curve a combination, of a few of them.

    Runs that failed grew beyond all bounds before: beside others they are left out.
    """
    count = len(found.plan.seeds)
    failed = set(found.found.failed)
    shown = (set(found.found) - failed) or failed
    combinations = sorted({number // count for number in shown})
    chosen = combinations
    if len(combinations) > _MOST_CURVES:
        steps = np.linspace(0, len(combinations) - 1, _MOST_CURVES).round().astype(int)
        chosen = [combinations[step] for step in steps]
    curves = []
    for combination in chosen:
        rows = [found.found[number].curves or {}
                for number in range(combination * count, (combination + 1) * count)
                if number in shown]  # fmt: skip
        told = [[math.nan if v is None else v for v in one.get("cost", ())] for one in rows]
        last = max((len(one) for one in told), default=0)
        if not last:
            continue
        table = np.full((len(told), last), math.nan)
        for line, one in zip(table, told, strict=True):
            line[: len(one)] = one
        some = ~np.isnan(table).all(axis=0)
        three = np.full((3, last), math.nan)
        three[:, some] = np.nanquantile(table[:, some], (0.25, 0.5, 0.75), axis=0)
        settings = found.plan.values(combination)
        name = ", ".join(_short(value) for value in settings)
        curves.append(Curve(name, np.arange(1.0, last + 1), *three))
    return curves


def _short(value: Any) -> str:
    return clean(show(value) if isinstance(value, float) else str(value))


# --- curves ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axis:
    """Numbers on a row of dots, by their logarithm where they span much."""

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, values: Numbers, *, may_be_log: bool = True) -> _Axis:
        there = values[np.isfinite(values)]
        low, high = (float(there.min()), float(there.max())) if there.size else (0.0, 1.0)
        return cls(low, high, may_be_log and low > 0 and high > 20 * low)

    def share(self, values: Numbers) -> Numbers:
        """Return where numbers lie, from 0 to 1."""
        low, high = self.low, self.high
        with np.errstate(all="ignore"):
            inside = np.clip(values, low, high)
            if self.log:
                inside, low, high = np.log(inside), math.log(low), math.log(high)
            return (inside - low) / (high - low) if high > low else inside * 0 + 0.5

    def at(self, share: float) -> float:
        """Return the number that lies there."""
        if self.log:
            return math.exp(math.log(self.low) + share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)


def drawn(
    curves: Sequence[Curve],
    wide: int,
    across: str,
    up: str,
    *,
    of_share: bool = False,
    whole: bool = False,
    band: bool = True,
) -> Iterator[Text]:
    """Yield the lines of a plot of curves with their bands, axes and names.

    `of_share` writes percent, `whole` takes whole numbers across as they are; without `band`
    each curve is one run, around which there is nothing to shade.
    """
    told: Callable[[float], str] = percent if of_share else lambda value: f"{value:.3g}"
    x = _Axis.of(np.concatenate([one.x for one in curves]), may_be_log=not whole)
    every = [part for one in curves for part in (one.low, one.middle, one.high)]
    y = _Axis.of(np.concatenate(every), may_be_log=not of_share)
    ticks = {row: told(y.at(1 - row / (HIGH - 1))) for row in (0, HIGH // 2, HIGH - 1)}
    margin = max(map(len, ticks.values())) + 1
    names = [one.name for one in curves]
    beside = min(max(map(len, names)) + 2, wide // 3) if any(names) else 0
    room = max(wide - margin - 2 - beside, _LEAST_WIDE)
    signs, colours, ends = _painted(curves, x, y, room, band=band)
    yield Text(" " * margin + f"{up}{' (log)' if y.log else ''}", "bold")
    for row in range(HIGH):
        line = Text(f"{ticks.get(row, ''):>{margin}} ")
        line.append("┤" if row in ticks else "│", "dim")
        for column in range(room):
            line.append(signs[row][column], colours[row][column])
        if row in ends:
            line.append(f" {ends[row][0]}"[:beside], ends[row][1])
        yield line
    yield Text(" " * (margin + 1) + "└" + "─" * room, "dim")
    form = ",.0f" if whole else ".3g"
    left, middle, right = (f"{x.at(share):{form}}" for share in (0.0, 0.5, 1.0))
    gap = room - len(left) - len(middle) - len(right)
    half = max(room // 2 - len(left) - len(middle) // 2, 1)
    foot = left + " " * half + middle + " " * max(gap - half, 1) + right
    yield Text(" " * (margin + 2) + foot, "dim")
    label = f"{across}{' (log)' if x.log else ''}"
    yield Text(" " * (margin + 2) + f"{label:^{room}}".rstrip())
    if not band:
        return
    note = "⣀ median over the seeds, ░ between the quartiles"
    yield Text(" " * (margin + 2) + note[: wide - margin - 2], "dim")


def _painted(
    curves: Sequence[Curve], x: _Axis, y: _Axis, room: int, *, band: bool
) -> tuple[list[list[str]], list[list[str]], dict[int, tuple[str, str]]]:
    """Return signs and colours, row by row, and which curve ends in which row."""
    signs = [[" "] * room for _ in range(HIGH)]
    colours = [[""] * room for _ in range(HIGH)]
    ends: dict[int, tuple[str, str]] = {}
    columns = np.linspace(0.0, 1.0, 2 * room)
    for number, one in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)] if len(curves) > 1 else "cyan"
        there = np.isfinite(one.middle)
        if not there.any():
            continue
        places = x.share(one.x[there])
        low, middle, high = (
            np.interp(columns, places, y.share(part[there]), left=math.nan, right=math.nan)
            for part in (one.low, one.middle, one.high)
        )
        if places.size == 1:  # a single value has no line: it is a dot
            at = round(float(places[0]) * (2 * room - 1))
            for part, value in ((low, one.low), (middle, one.middle), (high, one.high)):
                part[at] = y.share(value[there])[0]
        if band:
            _shade(signs, colours, low, high, colour)
        _line(signs, colours, middle, colour)
        last = np.flatnonzero(np.isfinite(middle))
        row = HIGH - 1 - round(float(middle[last[-1]]) * (HIGH - 1))
        free = next((r for r in _around(row) if r not in ends), row)
        if one.name:
            ends[free] = one.name, colour
    return signs, colours, ends


def _around(row: int) -> Iterator[int]:
    yield from sorted(range(HIGH), key=lambda other: abs(other - row))


def _shade(
    signs: list[list[str]], colours: list[list[str]], low: Numbers, high: Numbers, colour: str
) -> None:
    for column in range(len(signs[0])):
        ends = low[2 * column], high[2 * column]
        if not np.isfinite(ends).all():
            continue
        first, last = (HIGH - 1 - round(float(end) * (HIGH - 1)) for end in ends)
        for row in range(last, first + 1):
            if signs[row][column] == " ":
                signs[row][column], colours[row][column] = "░", f"dim {colour}"


def _line(signs: list[list[str]], colours: list[list[str]], middle: Numbers, colour: str) -> None:
    before = None
    for at, share in enumerate(middle):
        if not np.isfinite(share):
            before = None
            continue
        dot = round((1 - float(share)) * (4 * HIGH - 1))
        for one in _between(before, dot):
            row, column = one // 4, at // 2
            sign = signs[row][column]
            held = ord(sign) - _BRAILLE if _BRAILLE <= ord(sign) < _BRAILLE + 256 else 0
            signs[row][column] = chr(_BRAILLE + (held | _DOTS[one % 4][at % 2]))
            colours[row][column] = f"bold {colour}"
        before = dot


def _between(before: int | None, dot: int) -> range:
    """Return the dots of a column, so that a steep line has no gaps."""
    if before is None or abs(before - dot) < 2:
        return range(dot, dot + 1)
    return range(min(before + 1, dot), max(before, dot + 1))


# --- two settings ---------------------------------------------------------------------------------


def _heat_map(found: Sweep, what: str, across: int, down: int, wide: int) -> Iterator[Text]:
    """Yield a table of medians over two settings, shaded by their size."""
    one, other = found.plan.axes[across], found.plan.axes[down]
    medians = np.full((len(other.values), len(one.values)), math.nan)
    for summary in found.summaries():
        three = summary.quartiles.get(what)
        if three is not None:
            column = one.values.index(summary.settings[one.address])
            medians[other.values.index(summary.settings[other.address]), column] = three[1]
    share = is_share(what)
    told: Callable[[float], str] = percent if share else maybe
    scale = _Axis.of(medians.ravel(), may_be_log=not share)
    texts = [[told(value) if value == value else "–" for value in row] for row in medians]
    names = [_short(value) for value in one.values]
    labels = [_short(value) for value in other.values]
    each = max(len(text) for row in [*texts, names] for text in row) + 4
    margin = max(map(len, labels)) + 2
    most = max(1, (wide - margin) // each)
    columns, rows = _some(len(names), most), _some(len(labels), _MOST_ROWS)
    yield Text(f"{what.replace('_', ' ')}, the median", "bold")
    yield Text(f"{clean(other.address)} ↓   {clean(one.address)} →", "dim")
    yield Text(" " * margin + "".join(f"{names[column]:>{each - 1}} " for column in columns), "dim")
    shares = scale.share(medians)
    for row in rows:
        line = Text(f"{labels[row]:>{margin - 2}}  ")
        for column in columns:
            at = shares[row, column]
            shade = " " if at != at else _SHADES[min(int(at * len(_SHADES)), len(_SHADES) - 1)]
            line.append(f"{shade}{shade}{texts[row][column]:>{each - 3}} ", _ground(at))
        yield line
    ends = f"{told(scale.low)} {_SHADES[1:]} {told(scale.high)}"
    if len(columns) < len(names) or len(rows) < len(labels):
        ends += f"   {len(rows)} of {len(labels)} rows, {len(columns)} of {len(names)} columns"
    yield Text(ends, "dim")


def _some(count: int, most: int) -> list[int]:
    """Return places from the first to the last, at most so many, evenly spread."""
    return sorted({round(step) for step in np.linspace(0, count - 1, min(count, most)).tolist()})


def _ground(share: float) -> str:
    """Return the colours of a cell, light on dark or dark on light."""
    if share != share:
        return "dim"
    at = share * (len(_MAP) - 1)
    low = min(int(at), len(_MAP) - 2)
    rest = at - low
    mixed = [round(a + (b - a) * rest) for a, b in zip(_MAP[low], _MAP[low + 1], strict=True)]
    return f"{'black' if share > 0.55 else 'white'} on rgb({','.join(map(str, mixed))})"
