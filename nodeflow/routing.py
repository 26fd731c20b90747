"""The ways of wires around nodes, found from where nodes stand.

A wire is one Bézier curve. One that would run over a node, or that comes back, goes along *columns*
(nodes that stand below each other) and *channels* (the room between columns) instead: across each
column where no node stands, up and down in the channels. Wires from one port share their way until
they part, so that what leaves a layer is a bundle. The same places give the same ways.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Way = tuple[Point, ...]
"""The points of Bézier curves, end to end: 3k + 1 of them."""
Floats = NDArray[np.float64]

_SAMPLES = 20
_EDGE = 2.0
"""A wire may touch a node's border, but not run inside it by more than this."""
_ROOM = 11.0
"""Between a node and a wire that goes past it."""
_COLUMN, _OUTER = 120.0, 60.0
"""Nodes begin a new column so far right of the last one; room beside the outermost ones."""
_RADIUS = 18.0
_STEEP = 1.5
"""A step in a channel that is so many times as high as the channel is wide goes straight up."""
_BEND = 60.0
"""A bend counts as so much of a detour."""
_LONG = 1500.0
"""A wire from which so many units lie between its ends is always looked at."""
_CELL, _FARTHEST = 128.0, 2.0**30
_ARC = 0.5523
"""Bézier handles of a quarter of a circle, as a share of its radius."""
_LANES = 5
MOST = 3000
"""More wires than these all go straight: they are seen from afar, and a drop must not wait."""


def _weights() -> Floats:
    """Return what the points of a Bézier curve weigh at each sample, (samples, 4)."""
    t = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    u = 1 - t
    return np.stack([u**3, 3 * t * u**2, 3 * t**2 * u, t**3], axis=1)


_WEIGHTS = _weights()


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a wire begins and ends, on which sides (−1 left, 1 right), and what it comes from."""

    start: Point
    end: Point
    leaves: int
    enters: int
    source: str


def curves(ends: Floats) -> Floats:
    """Return the Bézier points of wires that go straight, (wires, 4, 2).

    A row of `ends` has x and y of the start, x and y of the end, and both sides.
    """
    x0, y0, x1, y1, leaves, enters = ends.T
    ahead = (x1 - x0) * leaves
    beside = np.minimum(40.0 + np.abs(y1 - y0) / 4, 140.0)
    pull = np.where(ahead > 0, np.maximum(np.abs(ahead) / 2, 30.0), beside)
    xs = np.stack([x0, x0 + leaves * pull, x1 + enters * pull, x1], axis=1)
    return np.stack([xs, np.stack([y0, y0, y1, y1], axis=1)], axis=2)


def ways(boxes: Floats, wires: Sequence[Ends]) -> dict[int, Way]:
    """Return the ways of the wires that do not go straight, by number.

    `boxes` has left, top, right and bottom of each node.
    """
    if not len(boxes) or not 0 < len(wires) <= MOST:
        return {}
    rows = [(*w.start, *w.end, w.leaves, w.enters) for w in wires]
    return dict(_found(_Asked(boxes, np.array(rows, float), tuple(w.source for w in wires))))


class _Asked:
    """What is asked, compared by content: most edits of a graph leave all places as they are."""

    def __init__(self, boxes: Floats, ends: Floats, sources: tuple[str, ...]) -> None:
        self.boxes, self.ends, self.sources = boxes, ends, sources
        self._key = boxes.tobytes(), ends.tobytes(), sources
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key


@lru_cache(maxsize=8)
def _found(asked: _Asked) -> dict[int, Way]:
    ground = _Ground(asked.boxes)
    straight = curves(asked.ends)
    over = _Cells(asked.boxes)
    # What comes back (ends on one side) would sweep over the canvas in a wide bow; between the
    # samples of what is long there is room for nodes.
    x0, y0, x1, y1, leaves, enters = asked.ends.T
    always = (leaves == enters) | (np.hypot(x1 - x0, y1 - y0) > _LONG)
    numbers = np.flatnonzero(always | (over.covered(_sampled(straight)) > 0))
    if not numbers.size:
        return {}
    plans: dict[int, _Plan] = {}
    for number in numbers.tolist():
        plan = ground.plan(asked.ends[number].tolist(), asked.sources[number])
        if plan is not None:
            plans[number] = plan
    lanes = _Lanes(ground, plans.values())
    made = {number: lanes.way(plan) for number, plan in plans.items()}
    if not made:
        return {}
    # Where nodes stand anyhow, a way may cover more than the curve does: the better one is kept.
    bends = np.concatenate([pieces(way) for way in made.values()])
    owner = np.repeat(np.fromiter(made, int), [(len(way) - 1) // 3 for way in made.values()])
    worse = np.bincount(owner, over.covered(_sampled(bends)), len(straight))
    before = over.covered(_sampled(straight[list(made)]))
    return {
        number: way
        for (number, way), was in zip(made.items(), before.tolist(), strict=True)
        if len(way) > 4 and (worse[number] < was or (always[number] and worse[number] == was))
    }


# --- curves -------------------------------------------------------------------------------------


def pieces(points: Sequence[Point]) -> Floats:
    """Return the Bézier curves of a way, (curves, 4, 2)."""
    at = np.asarray(points, float)
    return np.stack([at[:-1:3], at[1::3], at[2::3], at[3::3]], axis=1)


@lru_cache(maxsize=4096)
def line(points: Way) -> tuple[Point, ...]:
    """Return a way as a line of straight strokes."""
    found = [points[0]]
    for first in range(0, len(points) - 1, 3):
        a, b, c, d = points[first : first + 4]
        is_straight = (a[0] == b[0] == c[0] == d[0]) or (a[1] == b[1] == c[1] == d[1])
        long = abs(d[0] - a[0]) + abs(d[1] - a[1]) > 2.5 * _RADIUS
        steps = 1 if is_straight else 16 if long else 6
        for step in range(1, steps + 1):
            t = step / steps
            u = 1 - t
            w = u**3, 3 * u * u * t, 3 * u * t * t, t**3
            found.append((
                w[0] * a[0] + w[1] * b[0] + w[2] * c[0] + w[3] * d[0],
                w[0] * a[1] + w[1] * b[1] + w[2] * c[1] + w[3] * d[1],
            ))  # fmt: skip
    return tuple(found)


@lru_cache(maxsize=1024)
def _lengths(points: Way) -> tuple[float, ...]:
    """Return how far along its line each point of a way is."""
    gone = [0.0]
    for (x0, y0), (x1, y1) in pairwise(line(points)):
        gone.append(gone[-1] + float(np.hypot(x1 - x0, y1 - y0)))
    return tuple(gone)


def along(points: Way, share: float) -> Point:
    """Return the point after so much (0 to 1) of a way: of its length, where it bends."""
    if len(points) == 4:
        u = 1 - share
        w = u**3, 3 * u * u * share, 3 * u * share * share, share**3
        x, y = (sum(v * p[axis] for v, p in zip(w, points, strict=True)) for axis in (0, 1))
        return x, y
    strokes, gone = line(points), _lengths(points)
    at = min(max(share, 0.0), 1.0) * gone[-1]
    number = min(max(bisect_right(gone, at) - 1, 0), len(strokes) - 2)
    (x0, y0), (x1, y1) = strokes[number], strokes[number + 1]
    part = (at - gone[number]) / ((gone[number + 1] - gone[number]) or 1.0)
    return x0 + part * (x1 - x0), y0 + part * (y1 - y0)


def longest_run(points: Way) -> tuple[Point, float]:
    """Return the middle of a way's longest horizontal part, and how long that is."""
    if len(points) == 4:
        return along(points, 0.5), abs(points[3][0] - points[0][0])
    runs = [
        (abs(x1 - x0), ((x0 + x1) / 2, y0))
        for (x0, y0), (x1, y1) in pairwise(points[::3])
        if y0 == y1
    ]
    wide, middle = max(runs, default=(0.0, along(points, 0.5)))
    return middle, wide


def path(points: Way) -> str:
    """Return a way as SVG writes it."""
    (x, y), *rest = points
    found = [f"M{x:g} {y:g}"]
    for first in range(0, len(rest), 3):
        (x1, y1), (x2, y2), (x3, y3) = rest[first : first + 3]
        found.append(f"C{x1:g} {y1:g} {x2:g} {y2:g} {x3:g} {y3:g}")
    return "".join(found)


def _sampled(bends: Floats) -> Floats:
    """Return points inside Bézier curves, (curves, samples, 2)."""
    found: Floats = _WEIGHTS @ bends
    return found


# --- what lies under a curve ---------------------------------------------------------------------


class _Cells:
    """Nodes by the squares of the canvas that they cover, so that each point asks few of them."""

    def __init__(self, boxes: Floats) -> None:
        self._boxes = boxes + np.array([_EDGE, _EDGE, -_EDGE, -_EDGE])
        low = _cell(boxes[:, :2])
        span = _cell(boxes[:, 2:]) - low + 1
        count = span[:, 0] * span[:, 1]
        owner = np.repeat(np.arange(len(boxes)), count)
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        wide = span[owner, 0]
        codes = self._code(low[owner, 0] + place % wide, low[owner, 1] + place // wide)
        order = np.argsort(codes, kind="stable")
        self._codes, self._owners = codes[order], owner[order]

    def covered(self, points: Floats) -> NDArray[np.intp]:
        """Return how many points of each row lie inside a node."""
        flat = points.reshape(-1, 2)
        cell = _cell(flat)
        codes = self._code(cell[:, 0], cell[:, 1])
        first = np.searchsorted(self._codes, codes, "left")
        count = np.searchsorted(self._codes, codes, "right") - first
        asked = np.repeat(np.arange(len(flat)), count)
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        left, top, right, bottom = self._boxes[self._owners[first[asked] + place]].T
        x, y = flat[asked].T
        inside = asked[(left < x) & (x < right) & (top < y) & (y < bottom)]
        hit = np.zeros(len(flat), bool)
        hit[inside] = True
        total: NDArray[np.intp] = hit.reshape(points.shape[:-1]).sum(axis=-1)
        return total

    @staticmethod
    def _code(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
        return x * np.int64(1 << 31) + y


def _cell(at: Floats) -> NDArray[np.int64]:
    """Return the squares in which points lie; those beyond all canvases lie in the last ones."""
    return np.clip(np.floor(at / _CELL), -_FARTHEST, _FARTHEST).astype(np.int64)


# --- columns and channels -----------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """A way before its lanes: the height at which it crosses each column between its channels."""

    ends: list[float]
    source: str
    first: int
    last: int
    crossed: list[tuple[int, float]]

    @property
    def turns(self) -> tuple[int, int, int]:
        """Return the headings at the start, between the channels, and at the end."""
        onward = (self.last > self.first) - (self.last < self.first)
        return int(self.ends[4]), onward, -int(self.ends[5])


class _Ground:
    """The columns of nodes, where each can be crossed, and the channels between them."""

    def __init__(self, boxes: Floats) -> None:
        order = np.argsort(boxes[:, 0], kind="stable")
        begins: list[float] = []
        members: list[list[int]] = []
        for number in order.tolist():
            left = float(boxes[number, 0])
            if not begins or left - begins[-1] >= _COLUMN:
                begins.append(left)
                members.append([])
            members[-1].append(number)
        rights = [max(float(boxes[n, 2]) for n in some) for some in members]
        lefts = [*begins, rights[-1] + _OUTER]
        self.channels: list[tuple[float, float]] = [(begins[0] - _OUTER, begins[0])]
        for number, right in enumerate(rights):
            following = lefts[number + 1]
            # What is wider than its column reaches into the next one, and is in its way there.
            inside = [r for n in members[number] if (r := float(boxes[n, 2])) < following]
            edge = right if right < following else max(inside, default=following - 2)
            self.channels.append((edge, following))
        self._middles = [(low + high) / 2 for low, high in self.channels]
        there: list[list[int]] = [list(some) for some in members]
        for number, some in enumerate(members):
            for one in some:
                beyond = number + 1
                while beyond < len(members) and boxes[one, 2] > begins[beyond] - 4:
                    there[beyond].append(one)
                    beyond += 1
        self._blocked = [_merged(boxes[some][:, [1, 3]]) for some in there]
        self._bands = _merged(boxes[:, [1, 3]])

    def channel(self, x: float, side: int) -> int | None:
        """Return the channel beside a port; None where it is not near."""
        middles = self._middles
        at = bisect_left(middles, x)
        number = at if side > 0 else at - 1
        if side > 0 and at and self.channels[at - 1][0] - 1 <= x <= self.channels[at - 1][1]:
            number = at - 1
        elif (
            side < 0 and at < len(middles) and self.channels[at][0] <= x <= self.channels[at][1] + 1
        ):
            number = at
        if not 0 <= number < len(middles):
            return None
        low, high = self.channels[number]
        near = low - x if side > 0 else x - high
        return number if near < _COLUMN else None

    def plan(self, ends: list[float], source: str) -> _Plan | None:
        """Return the way of a wire with the shortest detour; None if it has to go straight."""
        x0, y0, x1, y1, leaves, enters = ends
        first, last = self.channel(x0, int(leaves)), self.channel(x1, int(enters))
        if first is None or last is None:
            return None
        columns = range(first, last) if last >= first else range(first - 1, last - 1, -1)
        if not columns:
            return _Plan(ends, source, first, last, [])
        least = abs(y1 - y0) + (_BEND if y0 != y1 else 0.0)
        best: tuple[float, list[tuple[int, float]]] | None = None
        for wanted in (y0, y1, *self._free_bands(y0, y1)):
            crossed, y = [], y0
            cost = 0.0
            goal = wanted
            most = np.inf if best is None else best[0] - 1e-9
            for column in columns:
                at = self._nearest(column, goal)
                if at != y:
                    cost += abs(at - y) + _BEND
                    if cost >= most:
                        break
                    y = goal = at
                crossed.append((column, at))
            cost += abs(y1 - y) + (_BEND if y != y1 else 0.0)
            if cost < most:
                best = cost, crossed
                if cost <= least:
                    break
        return None if best is None else _Plan(ends, source, first, last, best[1])

    def _free_bands(self, y0: float, y1: float) -> list[float]:
        """Return heights without any node at all: above, below, and the nearest between."""
        lows, highs = self._bands
        found = [lows[0], highs[-1]]
        at = bisect_left(lows, min(y0, y1))
        if 0 < at < len(lows):
            found.append((highs[at - 1] + lows[at]) / 2)
        after = bisect_right(highs, max(y0, y1))
        if 0 < after < len(lows):
            found.append((highs[after - 1] + lows[after]) / 2)
        return found

    def _nearest(self, column: int, y: float) -> float:
        """Return the height nearest to y at which a column can be crossed."""
        lows, highs = self._blocked[column]
        at = bisect_right(lows, y) - 1
        if at < 0 or y >= highs[at]:
            return y
        return lows[at] if y - lows[at] <= highs[at] - y else highs[at]

    def room(self, column: int, y: float) -> tuple[float, float]:
        """Return the top and bottom of the gap of a column at a height that is free."""
        lows, highs = self._blocked[column]
        at = bisect_right(highs, y)
        top = highs[at - 1] if at else -np.inf
        bottom = lows[at] if at < len(lows) else np.inf
        return top, bottom


def _merged(spans: Floats) -> tuple[list[float], list[float]]:
    """Return where intervals with room about them begin and end, those that meet as one."""
    lows: list[float] = []
    highs: list[float] = []
    for low, high in sorted((float(a) - _ROOM, float(b) + _ROOM) for a, b in spans.tolist()):
        if lows and low <= highs[-1]:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)
    return lows, highs


# --- lanes --------------------------------------------------------------------------------------


class _Lanes:
    """Ways beside each other: each source has a lane of its own in a channel and in a gap."""

    def __init__(self, ground: _Ground, plans: Iterable[_Plan]) -> None:
        self._ground = ground
        held: dict[int, dict[str, None]] = {}
        self._rank: dict[str, int] = {}
        for plan in plans:
            self._rank.setdefault(plan.source, len(self._rank))
            for channel in range(min(plan.first, plan.last), max(plan.first, plan.last) + 1):
                held.setdefault(channel, {}).setdefault(plan.source)
        self._lane = {
            (channel, source): (number + 1) / (len(sources) + 1)
            for channel, sources in held.items()
            for number, source in enumerate(sources)
        }

    def way(self, plan: _Plan) -> Way:
        """Return the points of a planned way."""
        x0, y0, x1, y1, *_ = plan.ends
        leaves, onward, arrives = plan.turns
        pen = _Pen((x0, y0))
        if not plan.crossed:
            self._step(pen, plan, plan.first, (x1, y1), leaves, arrives)
            return pen.points
        heading = leaves
        number = plan.first
        runs = self._runs(plan)
        for entry, leave, y, following in runs:
            self._step(pen, plan, number, (entry, y), heading, onward)
            pen.straight((leave, y))
            heading, number = onward, following
        self._step(pen, plan, plan.last, (x1, y1), heading, arrives)
        return pen.points

    def _runs(self, plan: _Plan) -> list[tuple[float, float, float, int]]:
        """Return where runs at one height begin and end, the height, and the channel after."""
        channels, onward = self._ground.channels, plan.turns[1]
        shift = (self._rank[plan.source] % _LANES - _LANES // 2) * 3.0
        found: list[tuple[float, float, float, int]] = []
        rooms: list[tuple[float, float]] = []
        for column, y in plan.crossed:
            before, after = (column, column + 1) if onward > 0 else (column + 1, column)
            entry = channels[before][1 if onward > 0 else 0]
            leave = channels[after][0 if onward > 0 else 1]
            top, bottom = self._ground.room(column, y)
            if found and found[-1][2] == y:
                entry = found.pop()[0]
                last = rooms.pop()
                top, bottom = max(top, last[0]), min(bottom, last[1])
            found.append((entry, leave, y, after))
            rooms.append((top, bottom))
        ends = plan.ends[1], plan.ends[3]
        return [
            (entry, leave, y if y in ends else min(max(y + shift, top), bottom), after)
            for (entry, leave, y, after), (top, bottom) in zip(found, rooms, strict=True)
        ]

    def _step(
        self, pen: _Pen, plan: _Plan, channel: int, end: Point, heading: int, onward: int
    ) -> None:
        """Go on within a channel: past it, or up and down in the lane of the source."""
        low, high = self._ground.channels[channel]
        x, y = pen.at
        lane = low + (high - low) * self._lane[channel, plan.source]
        if heading == onward:
            if abs(end[1] - y) <= _STEEP * abs(end[0] - x) or (end[0] - x) * heading <= 0:
                pen.swing(end, heading)
                return
        elif heading > 0:
            lane = max(lane, x + 8, end[0] + 8)
        else:
            lane = min(lane, x - 8, end[0] - 8)
        pen.up_and_down(lane, end, heading, onward)


class _Pen:
    """Writes the points of a way."""

    def __init__(self, start: Point) -> None:
        self._points = [start]

    @property
    def at(self) -> Point:
        return self._points[-1]

    @property
    def points(self) -> Way:
        return tuple(self._points)

    def straight(self, end: Point) -> None:
        (x0, y0), (x1, y1) = self.at, end
        if (x0, y0) != (x1, y1):
            dx, dy = (x1 - x0) / 3, (y1 - y0) / 3
            self._points += [(x0 + dx, y0 + dy), (x1 - dx, y1 - dy), end]

    def swing(self, end: Point, heading: int) -> None:
        """Draw an S, level at both ends."""
        (x0, y0), (x1, y1) = self.at, end
        if y0 == y1:
            self.straight(end)
            return
        pull = heading * max(abs(x1 - x0) / 2, 12.0)
        self._points += [(x0 + pull, y0), (x1 - pull, y1), end]

    def up_and_down(self, lane: float, end: Point, heading: int, onward: int) -> None:
        """Go level to a lane, along it, and level to the end, with round corners."""
        (x0, y0), (x1, y1) = self.at, end
        down = 1 if y1 > y0 else -1
        before = min(_RADIUS, abs(lane - x0), abs(y1 - y0) / 2)
        after = min(_RADIUS, abs(x1 - lane), abs(y1 - y0) / 2)
        self.straight((lane - heading * before, y0))
        self._corner((lane, y0), (lane, y0 + down * before))
        self.straight((lane, y1 - down * after))
        self._corner((lane, y1), (lane + onward * after, y1))
        self.straight(end)

    def _corner(self, at: Point, end: Point) -> None:
        x0, y0 = self.at
        if (x0, y0) == end:
            return
        first = x0 + (at[0] - x0) * _ARC, y0 + (at[1] - y0) * _ARC
        second = end[0] + (at[0] - end[0]) * _ARC, end[1] + (at[1] - end[1]) * _ARC
        self._points += [first, second, end]
