"""`landscape`: the cost J over two numbers of the parameters, and where training stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.graph import Graph
from nodeflow.theme import Theme
from nodeflow.views.image import enlarged
from nodeflow.views.marks import (
    Area,
    Colours,
    Dot,
    Line,
    Mark,
    Pixels,
    Words,
    axes,
    blended,
    fitted,
    rgb,
)
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_SIDE = 41
_LEVELS = 12


@dataclass(frozen=True, eq=False)
class Landscape:
    """J over two numbers: rows go up along the second, columns right along the first."""

    names: tuple[str, str]
    x: Floats
    y: Floats
    costs: Floats
    point: tuple[float, float]
    cost: float
    """J where the parameters stand."""

    @property
    def minima(self) -> list[tuple[float, float, float]]:
        """Places inside that are lower than all eight around them: x, y, J, the lowest first."""
        c = np.where(np.isfinite(self.costs), self.costs, np.inf)
        inner = c[1:-1, 1:-1]
        lower = np.ones(inner.shape, bool)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dx or dy:
                    lower &= inner < c[1 + dy : c.shape[0] - 1 + dy, 1 + dx : c.shape[1] - 1 + dx]
        found = [
            (float(self.x[column + 1]), float(self.y[row + 1]), float(inner[row, column]))
            for row, column in np.argwhere(lower).tolist()
        ]
        return sorted(found, key=lambda one: one[2])

    @property
    def foot(self) -> str:
        """J here and how many minima there are in sight."""
        count = len(self.minima)
        return f"J = {show(self.cost)}, {count} minim{'um' if count == 1 else 'a'} in sight"

    def as_dict(self) -> dict[str, Any]:
        """Return the costs, the point, and the minima on the grid."""
        return {
            "names": self.names, "x": self.x, "y": self.y, "costs": self.costs,
            "point": self.point, "cost": self.cost,
            "minima": [{"x": x, "y": y, "cost": cost} for x, y, cost in self.minima],
        }  # fmt: skip

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw J as shades with lines of equal height, the minima, and the point."""
        left, top, wide, high = area
        room = (left, top, wide, high - 2)
        frame = axes(room, (float(self.x[0]), float(self.y[0])),
                     (float(self.x[-1]), float(self.y[-1])))  # fmt: skip
        made: list[Mark] = [Pixels(frame.area, enlarged(_shades(self.costs, theme)))]
        made += [mark for mark in frame.frame(theme) if isinstance(mark, Words)]
        for x, y, _ in self.minima[:8]:
            px, py = frame.at(x, y)
            made += [
                Line(((px - 3.5, py - 3.5), (px + 3.5, py + 3.5)), theme.text, 1.4),
                Line(((px - 3.5, py + 3.5), (px + 3.5, py - 3.5)), theme.text, 1.4),
            ]
        if self.x[0] <= self.point[0] <= self.x[-1] and self.y[0] <= self.point[1] <= self.y[-1]:
            made.append(Dot(*frame.at(*self.point), 4, theme.positive, theme.body))
        left, top, wide, high = frame.area
        across, up = (fitted(name, wide / 2) for name in self.names)
        made += [
            Words(left + wide / 2, top + high + 10, f"{across} →", theme.faint, 9, "middle"),
            Words(left + 3, top + 11, f"↑ {up}", theme.text, 9),
        ]
        return made

    def lines(self, wide: int) -> list[str]:
        """Write where it stands, and the minima."""
        here = f"J = {show(self.cost)} at ({show(self.point[0])}, {show(self.point[1])})"
        told = [f"minimum at ({show(x)}, {show(y)}): J = {show(j)}" for x, y, j in self.minima[:8]]
        return [line[:wide] for line in (here, *told)]


def _shades(costs: Floats, theme: Theme) -> Colours:
    """Return costs as colours, low ones dark: by rank, so that a flat valley has shades as well."""
    finite = np.isfinite(costs)
    ranks = np.ones(costs.shape)
    if finite.any():
        known = np.sort(costs[finite])
        rank = np.searchsorted(known, costs[finite]) / max(len(known) - 1, 1)
        lowest, highest = known[0], known[-1]
        size = (costs[finite] - lowest) / ((highest - lowest) or 1.0)
        ranks[finite] = 0.5 * rank + 0.5 * size
    bands = np.floor(np.clip(ranks, 0, 0.9999) * _LEVELS) / (_LEVELS - 1)
    sheet = blended(rgb(theme.selected), rgb(theme.canvas), bands)
    return np.ascontiguousarray(sheet[::-1])


@dataclass(frozen=True, slots=True)
class Plan:
    """Over which numbers a landscape is drawn, and how far."""

    places: tuple[tuple[str, int], tuple[str, int]]
    """The address of a parameter, and the place of a number in it."""
    names: tuple[str, str]
    low: float
    high: float


def planned(graph: Graph, key: str, shapes: Mapping[str, tuple[int, ...]]) -> Plan | str:
    """Return over which two numbers J is drawn; `shapes` are those of the parameters."""
    starts = [wire.start for wire in graph.into(key)]
    if not starts:
        return "wire two numbers of parameters"
    for start in starts:
        if start not in shapes:
            return f"{start} is no parameter: a landscape is drawn over parameters"
    places = [(start, at) for start in starts for at in range(prod(shapes[start]))]
    settings = graph.settings(key)
    index = settings["index"]
    if index is not None:
        wanted = index if isinstance(index, tuple | list) else (index,)
        if max(wanted) >= len(places):
            return f"index {max(wanted)} is beyond the {len(places)} numbers that are wired"
        places = [places[at] for at in wanted]
    if len(places) != 2:
        return (
            f"a landscape is drawn over 2 numbers, not {len(places)}: "
            "choose two of them with the setting index"
        )
    low, high = float(settings["low"]), float(settings["high"])
    if not low < high:
        return f"the range goes from {show(low)} to {show(high)}: low must be below high"
    one, other = ((_name(start, at, shapes[start])) for start, at in places)
    return Plan((places[0], places[1]), (one, other), low, high)


NO_COST = "a landscape needs a cost"


def found(sight: Sight, key: str) -> Landscape | str | None:
    """Return J over the two numbers that enter it."""
    plan = planned(sight.graph, key, {name: np.shape(w) for name, w in sight.weights.items()})
    if isinstance(plan, str):
        return plan
    places = plan.places
    run = sight.whole
    if run.plan.unfolding.cost is None:
        return NO_COST
    machine = run.machine
    held = {start: np.array(sight.weights[start], float) for start, _ in places}
    point = tuple(float(np.ravel(held[start])[at]) for start, at in places)

    def cost(*numbers: float) -> float:
        for (start, at), number in zip(places, numbers, strict=True):
            np.ravel(held[start])[at] = number  # a view: the arrays are contiguous
        for start, value in held.items():
            machine.write(start, value)
        return machine.assess(test=False)[0]

    line = np.linspace(plan.low, plan.high, _SIDE)
    costs = np.array([[cost(x, y) for x in line] for y in line])
    here = cost(*point)
    return Landscape(plan.names, line, line, costs, (point[0], point[1]), here)


def _name(start: str, at: int, shape: tuple[int, ...]) -> str:
    key = start.removesuffix(".value")
    if prod(shape) == 1:
        return key
    place = np.unravel_index(at, shape)
    return f"{key}[{', '.join(str(int(i)) for i in place)}]"


def for_page(run: Run, key: str, _inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values: which numbers are moved."""
    shapes = {address: np.shape(weights) for address, weights in run.weights.items()}
    plan = planned(run.plan.graph, key, shapes)
    if isinstance(plan, str):
        return {"why": plan}
    return {"why": NO_COST} if run.plan.unfolding.cost is None else asdict(plan)
