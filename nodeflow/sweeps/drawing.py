"""Many runs as pictures: their curves, the spread over the seeds, two settings against each other.

Window, pictures and pages draw the same marks. Each drawing says where its runs are, so that one
can be picked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nodeflow.sweeps.results import Summary, Sweep
from nodeflow.sweeps.rows import CURVES, is_share
from nodeflow.theme import Theme
from nodeflow.views.marks import (
    LABEL,
    SMALL,
    Area,
    Axes,
    Dot,
    Line,
    Mark,
    Place,
    Rect,
    Words,
    axes,
    fitted,
    mixed,
    percent,
    width,
)
from nodeflow.workings.shown import show

KINDS = ("curves", "spread", "heat map")
MEASURES = ("epochs_to", "test_accuracy", "train_accuracy", "test_cost", "cost")
_MOST_LINES, _MOST_POINTS, _MOST_BOXES = 240, 160, 40
_MOST_TICKS = 7
_ROW, _LINE = 15.0, 12.0


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and where which run is: a place, the run's number, and the epoch there."""

    marks: list[Mark]
    places: list[tuple[Place, int, int]]

    def nearest(self, x: float, y: float, within: float = 24.0) -> tuple[int, int] | None:
        """Return the run that lies nearest to a place, and the epoch there; None if none does."""
        near = min(
            ((math.dist(place, (x, y)), run, epoch) for place, run, epoch in self.places),
            default=None,
        )
        return None if near is None or near[0] > within else near[1:]


def named(measure: str) -> str:
    """Return what a measure is, in words."""
    return {
        "cost": "cost", "test_cost": "cost of the test rows", "train_accuracy": "accuracy",
        "test_accuracy": "accuracy on the test rows", "epochs_to": "epochs to the condition",
    }[measure]  # fmt: skip


def measures(found: Sweep) -> list[str]:
    """Return what some of the runs have a number of; what tells most of them comes first."""
    names = MEASURES if found.plan.until is not None else MEASURES[1:]
    known = [name for name in names if found.found.column(name, 0, len(found.plan)).size]
    return [name for name in MEASURES if name in known]


def telling(found: Sweep) -> str:
    """Return the first measure in which the runs differ: one that all share tells them not apart.

    Raises IndexError where no run has a number.
    """
    there = measures(found)
    values = (set(found.found.column(name, 0, len(found.plan)).tolist()) for name in there)
    return next((name for name, held in zip(there, values, strict=True) if len(held) > 1), there[0])


def drawn(
    kind: str, found: Sweep, measure: str, area: Area, theme: Theme, *, across: int = 0,
    down: int = 1,
) -> Drawing:  # fmt: skip
    """Return a drawing of a kind; `across` and `down` are the two settings of a heat map."""
    if not found.found:
        return _said("no run is over yet", area, theme)
    match kind:
        case "curves":
            return curves(found, measure, area, theme)
        case "heat map":
            return heat_map(found, measure, area, theme, across=across, down=down)
        case _:
            return spread(found, measure, area, theme)


def _said(text: str, area: Area, theme: Theme) -> Drawing:
    left, top, wide, high = area
    return Drawing([Words(left + wide / 2, top + high / 2, text, theme.faint, LABEL, "middle")], [])


# --- numbers on an axis ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """How a measure lies on an axis: as it is, or by its logarithm where it spans much."""

    log: bool
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], measure: str) -> _Scale:
        there = [value for value in values if math.isfinite(value)]
        low, high = (min(there), max(there)) if there else (0.0, 1.0)
        if is_share(measure):
            return cls(log=False, low=min(low, 0.0) if low < 0.5 else low, high=max(high, low))
        return cls(log=low > 0 and high > 10 * low, low=low, high=high)

    def at(self, value: float) -> float:
        """Return where a number lies: inside the ends, whatever it is."""
        inside = min(max(value, self.low), self.high) if value == value else self.high
        return math.log10(inside) if self.log else inside

    def axes(self, area: Area, left: float, right: float, measure: str) -> Axes:
        """Return axes inside an area, with room for the numbers of a measure at its left."""
        low, high = self.at(self.low), self.at(self.high)
        gap = 0.04 * (high - low) or 0.5
        labels = [_told(value, measure) for value in self._ticks()]
        return axes(area, (left, low - gap), (right, high + gap), labels)

    def written(self, frame: Axes, theme: Theme, measure: str) -> list[Mark]:
        """Write the ends of the axis at its left side, and what it is above it."""
        left, top, wide, high = frame.area
        edge = mixed(theme.body, theme.border, 0.6)
        made: list[Mark] = [
            Line(((left, top), (left, top + high), (left + wide, top + high)), edge)
        ]
        ticks = self._ticks()
        each = _LINE * len(ticks) / max(high, 1.0)  # on a low drawing only some are written
        for value in ticks[:: max(math.ceil(each), 1)]:
            y = frame.at(0, self.at(value))[1]
            made.append(Line(((left, y), (left + wide, y)), mixed(theme.body, theme.border, 0.25)))
            made.append(Words(left - 4, y + 3.5, _told(value, measure), theme.faint, SMALL, "end"))
        made.append(Words(left, top - 6, fitted(named(measure), wide), theme.text, LABEL))
        return made

    def _ticks(self) -> list[float]:
        if self.high <= self.low:
            return [self.low]
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            inner = [10.0**power for power in range(first, last + 1)]
            if len(inner) < 2:
                powers = (10.0**power for power in range(first - 1, last + 1))
                inner = [step * power for power in powers for step in (1, 2, 5)]
            inner = inner[:: -(-len(inner) // _MOST_TICKS) or 1]
            return [value for value in inner if self.low <= value <= self.high]
        size = 10 ** math.floor(math.log10((self.high - self.low) / 2))
        step = next(size * times for times in (1, 2, 5, 10)
                    if (self.high - self.low) / (size * times) <= 5)  # fmt: skip
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _told(value: float, measure: str) -> str:
    return percent(value) if is_share(measure) else show(value)


def _value(value: Any) -> str:
    return show(value) if isinstance(value, float) else str(value).replace("_", " ")


def _title(one: Summary) -> str:
    return ", ".join(_value(value) for value in one.settings.values()) or "all"


def _colour(number: int, count: int, theme: Theme) -> str:
    """Return the colours of combinations in their order: from one end to the other."""
    share = number / max(count - 1, 1)
    middle = theme.backward
    if share < 0.5:
        return mixed(theme.negative, middle, 2 * share)
    return mixed(middle, theme.positive, 2 * share - 1)


def _room(area: Area, *, right: float = 0.0, below: float = 0.0) -> Area:
    left, top, wide, high = area
    return left + 4, top + 20, max(wide - right - 8, 40.0), max(high - 20 - below, 40.0)


# --- curves ---------------------------------------------------------------------------------------


def curves(found: Sweep, measure: str, area: Area, theme: Theme) -> Drawing:
    """Draw a measure over the epochs, one line per run, in the colour of its combination."""
    measure = measure if measure in CURVES else "cost"
    lines: list[tuple[int, list[tuple[int, float]]]] = []
    numbers = sorted(found.found)
    step = -(-len(numbers) // _MOST_LINES)
    for number in numbers[::step]:
        told = (found.found[number].curves or {}).get(measure) or []
        every = -(-len(told) // _MOST_POINTS) or 1
        points = [(at + 1, value) for at, value in enumerate(told)
                  if value is not None and (at % every == 0 or at == len(told) - 1)]  # fmt: skip
        if points:
            lines.append((number, points))
    if not lines:
        return _said("these runs have no curves", area, theme)
    seeds, summaries = len(found.plan.seeds), found.summaries()
    titles = [_title(one) for one in summaries]
    shown = min(len(titles), int((area[3] - 60) // _ROW))
    name = width(", ".join(found.plan.names)) - 14
    widest = max(name, *(width(title) for title in titles[:shown]))
    beside = 26 + widest if len(titles) > 1 else 0.0
    beside = min(beside, area[2] * 0.35)
    # A run that failed has grown beyond all bounds before: its line leaves at the top.
    whole = [points for number, points in lines if not found.found[number].values.get("why")]
    drawn_whole = whole or [points for _, points in lines]
    scale = _Scale.of([value for points in drawn_whole for _, value in points], measure)
    last = max(points[-1][0] for _, points in lines)
    frame = scale.axes(_room(area, right=beside, below=14), 1.0, float(max(last, 2)), measure)
    marks = scale.written(frame, theme, measure)
    left, top, wide, high = frame.area
    marks += [
        Words(left, top + high + 12, "1", theme.faint, SMALL),
        Words(left + wide, top + high + 12, f"{last:,} epochs", theme.faint, SMALL, "end"),
    ]
    if step > 1:
        fewer = f"{len(lines):,} of {len(numbers):,} runs"
        marks.append(Words(left + wide, top - 6, fewer, theme.faint, SMALL, "end"))
    places: list[tuple[Place, int, int]] = []
    combinations = sorted({number // seeds for number in found.found})
    order = {combination: at for at, combination in enumerate(combinations)}
    for number, points in lines:
        colour = _colour(order[number // seeds], len(order), theme)
        path = tuple(frame.at(epoch, scale.at(value)) for epoch, value in points)
        if len(path) > 1:
            marks.append(Line(path, colour, 1.2))
        else:
            marks.append(Dot(*path[0], 2.4, colour, theme.body))
        places += [(at, number, epoch) for at, (epoch, _) in zip(path, points, strict=True)]
    if beside:
        at = left + wide + 12
        marks.append(Words(at, top - 6, fitted(", ".join(found.plan.names), beside - 12),
                           theme.faint))  # fmt: skip
        every = -(-len(titles) // shown)
        for place, number in enumerate(range(0, len(titles), every)):
            y = top + 10 + place * _ROW
            colour = _colour(number, len(titles), theme)
            marks.append(Line(((at, y - 4), (at + 10, y - 4)), colour, 2.4))
            marks.append(Words(at + 14, y, fitted(titles[number], beside - 26), theme.text))
    return Drawing(marks, places)


# --- spread ---------------------------------------------------------------------------------------


def spread(found: Sweep, measure: str, area: Area, theme: Theme) -> Drawing:
    """Draw a combination a column: quartiles as a box, its runs as dots, and how many got there."""
    summaries = found.summaries()
    every = -(-len(summaries) // _MOST_BOXES)
    seeds = len(found.plan.seeds)
    combinations = sorted({number // seeds for number in found.found})
    columns = list(zip(combinations, summaries, strict=True))[::every]
    rows: dict[int, list[int]] = {combination: [] for combination, _ in columns}
    for number in sorted(found.found):
        if number // seeds in rows:
            rows[number // seeds].append(number)
    values = [value for numbers in rows.values() for number in numbers
              if (value := found.found[number].values.get(measure)) is not None]  # fmt: skip
    if not values:
        return _said(f"no run has a number here: {named(measure)}", area, theme)
    if len(values) < sum(map(len, rows.values())):  # how many got there is written above the dots
        values.append(max(values) + 0.08 * (max(values) - min(values)))
    scale = _Scale.of(values, measure)
    titles = [_title(one) for _, one in columns]
    frame = scale.axes(_room(area, below=28), 0.0, float(len(columns)), measure)
    left, top, wide, high = frame.area
    marks = scale.written(frame, theme, measure)
    each = wide / len(columns)
    box = min(each * 0.6, 46.0)
    places: list[tuple[Place, int, int]] = []
    turns = max(1, math.ceil(max(width(title, SMALL) for title in titles) / max(each - 6, 1)))
    for at, (combination, one) in enumerate(columns):
        middle = left + (at + 0.5) * each
        three = one.quartiles.get(measure)
        if three is not None and seeds > 1:
            low, mid, up = (frame.at(0, scale.at(value))[1] for value in three)
            marks.append(Rect(middle - box / 2, up, box, max(low - up, 1.0),
                              mixed(theme.body, theme.selected, 0.35)))  # fmt: skip
            marks.append(Line(((middle - box / 2, mid), (middle + box / 2, mid)),
                              theme.selected, 2.4))  # fmt: skip
        there = 0
        for place, number in enumerate(rows[combination]):
            row = found.found[number].values
            if row.get(measure) is None:
                continue
            there += 1
            # Side by side, so that equal ones are seen as several.
            x = middle + box * 0.8 * ((place + 0.5) / len(rows[combination]) - 0.5)
            y = frame.at(0, scale.at(row[measure]))[1]
            marks.append(Dot(x, y, 2.0 if seeds > 1 else 3.0, theme.positive, theme.body))
            places.append(((x, y), number, int(row.get("epochs") or 0)))
        if there < len(rows[combination]):
            missing = len(rows[combination]) - there
            told = f"{there} of {len(rows[combination])}"
            if missing == one.failed:
                told = f"{missing} failed"
            marks.append(Words(middle, top + 8, fitted(told, each, SMALL), theme.problem, SMALL,
                               "middle"))  # fmt: skip
        if at % turns == 0:
            text = fitted(titles[at], each * turns - 4, SMALL)
            marks.append(Words(middle, top + high + 12, text, theme.text, SMALL, "middle"))
    name = ", ".join(found.plan.names)
    signs = "box: quartiles, line: median, dots: runs" if seeds > 1 else "one dot per run"
    told = f"{name} · {signs}" if name else signs
    if every > 1:
        told += f" · {len(columns)} of {len(summaries):,} combinations"
    marks.append(Words(left + wide / 2, top + high + 26, fitted(told, wide, SMALL), theme.faint,
                       SMALL, "middle"))  # fmt: skip
    return Drawing(marks, places)


# --- two settings ---------------------------------------------------------------------------------


def heat_map(
    found: Sweep, measure: str, area: Area, theme: Theme, *, across: int = 0, down: int = 1
) -> Drawing:
    """Draw the median of a measure over two settings, over all seeds and all other settings."""
    varied = found.plan.axes
    if len(varied) < 2 or across == down:
        return _said("a heat map needs two settings with several values", area, theme)
    one, other = varied[across], varied[down]
    cells: dict[tuple[int, int], list[tuple[float, int]]] = {}
    missing: dict[tuple[int, int], int] = {}
    seeds = len(found.plan.seeds)
    for number, row in found.found.items():
        settings = found.plan.settings(number // seeds)
        column, line = (axis.values.index(settings[axis.address]) for axis in (one, other))
        cell = column, line
        value = row.values.get(measure)
        if value is None:
            missing[cell] = missing.get(cell, 0) + 1
        else:
            cells.setdefault(cell, []).append((value, number))
    if not cells:
        return _said(f"no run has a number here: {named(measure)}", area, theme)
    middles = {cell: sorted(values)[len(values) // 2] for cell, values in cells.items()}
    medians = {cell: _median([value for value, _ in values]) for cell, values in cells.items()}
    scale = _Scale.of(list(medians.values()), "")
    left, top, wide, high = _room(area, below=30)
    labels = [_value(value) for value in other.values]
    beside = min(10 + max(width(label, SMALL) for label in labels), wide * 0.3)
    left, wide = left + beside, wide - beside
    each, tall = wide / len(one.values), high / len(other.values)
    title = fitted(f"{named(measure)}, median", wide)
    marks: list[Mark] = [Words(left, top - 6, title, theme.text)]
    places: list[tuple[Place, int, int]] = []
    low, span = scale.at(scale.low), (scale.at(scale.high) - scale.at(scale.low)) or 1.0
    for (column, line), median in medians.items():
        x, y = left + column * each, top + line * tall
        share = (scale.at(median) - low) / span
        fill = mixed(mixed(theme.body, theme.negative, 0.12), theme.negative, share)
        marks.append(Rect(x, y, each - 1, tall - 1, fill))
        number = middles[column, line][1]
        epochs = int(found.found[number].values.get("epochs") or 0)
        places.append(((x + each / 2, y + tall / 2), number, epochs))
        gone = missing.get((column, line), 0)
        text = _told(median, measure) + (f" ({gone} never)" if gone else "")
        if width(text, SMALL) < each - 4 and tall > 12:
            colour = theme.canvas if share > 0.55 else theme.text
            marks.append(Words(x + each / 2, y + tall / 2 + 3.5, text, colour, SMALL, "middle"))
    for at, label in enumerate(labels):
        y = top + (at + 0.5) * tall + 3.5
        if tall > 9 or at % math.ceil(9 / tall) == 0:
            marks.append(Words(left - 5, y, fitted(label, beside - 6, SMALL), theme.text, SMALL,
                               "end"))  # fmt: skip
    names = [_value(value) for value in one.values]
    turns = max(1, math.ceil(max(width(name, SMALL) for name in names) / max(each - 4, 1)))
    for at in range(0, len(names), turns):
        text = fitted(names[at], each * turns - 2, SMALL)
        marks.append(Words(left + (at + 0.5) * each, top + high + 11, text, theme.text, SMALL,
                           "middle"))  # fmt: skip
    for (column, line), count in missing.items():
        if (column, line) not in medians:
            x, y = left + (column + 0.5) * each, top + (line + 0.5) * tall
            text = fitted(f"none of {count}", each - 4, SMALL)
            marks.append(Words(x, y + 3.5, text, theme.faint, SMALL, "middle"))
    told = f"→ {one.address} · ↓ {other.address} · {_told(scale.low, measure)} … "
    told += _told(scale.high, measure)
    marks.append(Words(left + wide / 2, top + high + 25, fitted(told, wide, SMALL), theme.faint,
                       SMALL, "middle"))  # fmt: skip
    return Drawing(marks, places)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
