"""The columns of nodes, where each can be crossed, and the channels between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nodeflow.routing.curves import Floats

_ROOM = 11.0
"""Between a node and a wire that goes past it."""
_COLUMN, _OUTER = 120.0, 60.0
"""How far right of the last column a new one begins, and the room beside the outermost ones."""
_BEND = 60.0
"""The length of the detour that a bend counts as."""


@dataclass(slots=True)
class Plan:
    """A way before its lanes: the height at which it crosses each column between its channels."""

    ends: list[float]
    source: str
    first: int
    last: int
    crossed: list[tuple[int, float]]
    lanes: Mapping[int, float] = field(default_factory=dict)
    """Where it goes up and down in channels, by channel, if that is settled."""

    @property
    def turns(self) -> tuple[int, int, int]:
        """Return the headings at the start, between the channels, and at the end."""
        onward = (self.last > self.first) - (self.last < self.first)
        return int(self.ends[4]), onward, -int(self.ends[5])


class Ground:
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

    def plan(self, ends: list[float], source: str) -> Plan | None:
        """Return the way of a wire with the shortest detour; None if it has to go straight."""
        x0, _, x1, _, leaves, enters = ends
        first, last = self.channel(x0, int(leaves)), self.channel(x1, int(enters))
        if first is None or last is None:
            return None
        return self.between(ends, source, first, last)

    def between(self, ends: list[float], source: str, first: int, last: int) -> Plan:
        """Return the way with the shortest detour from one channel to another."""
        _, y0, _, y1, _, _ = ends
        columns = range(first, last) if last >= first else range(first - 1, last - 1, -1)
        if not columns:
            return Plan(ends, source, first, last, [])
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
        if best is None:
            raise AssertionError("the first height that is tried has a finite cost")
        return Plan(ends, source, first, last, best[1])

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
