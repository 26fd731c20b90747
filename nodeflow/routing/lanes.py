"""Ways beside each other: planned ones get lanes, and are written as curves."""

from __future__ import annotations

from collections.abc import Iterable

from nodeflow.routing.curves import RADIUS, Point, Way
from nodeflow.routing.ground import Ground, Plan

_STEEP = 1.5
"""Height from which a step in a channel goes straight up, in widths of the channel."""
_ARC = 0.5523
"""Bézier handles of a quarter of a circle, as a share of its radius."""
_LANES = 5


class Lanes:
    """Ways beside each other: each source has a lane of its own in a channel and in a gap."""

    def __init__(self, ground: Ground, plans: Iterable[Plan]) -> None:
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

    def way(self, plan: Plan) -> Way:
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

    def _runs(self, plan: Plan) -> list[tuple[float, float, float, int]]:
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
        self, pen: _Pen, plan: Plan, channel: int, end: Point, heading: int, onward: int
    ) -> None:
        """Go on within a channel: past it, or up and down in the lane of the source."""
        low, high = self._ground.channels[channel]
        x, y = pen.at
        settled = plan.lanes.get(channel)
        lane = low + (high - low) * self._lane[channel, plan.source] if settled is None else settled
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
        before = min(RADIUS, abs(lane - x0), abs(y1 - y0) / 2)
        after = min(RADIUS, abs(x1 - lane), abs(y1 - y0) / 2)
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
