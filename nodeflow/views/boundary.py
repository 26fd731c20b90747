"""`boundary`: the plane of two inputs, coloured by the output of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.theme import Theme
from nodeflow.views.forpages import classes_of
from nodeflow.views.image import enlarged
from nodeflow.views.marks import (
    Area,
    Colours,
    Mark,
    Pixels,
    Words,
    blended,
    class_colours,
    class_mark,
    fitted,
    rgb,
)
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_SIDE, _MOST_POINTS = 64, 240
_LETTERS = "·+x*o#%@=~"


@dataclass(frozen=True, eq=False)
class Plane:
    """Outputs of a network over the plane of its two inputs: (rows, columns, outputs), top first.

    The points are rows of its data, with the class of each.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    outputs: Floats
    points: Floats
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    middle: float = 0.5
    """What lies between two classes that one output tells."""

    @property
    def chosen(self) -> NDArray[np.int64]:
        """The class at each place."""
        return classes(self.outputs, self.middle)

    @property
    def foot(self) -> str:
        """The range of the first input."""
        return f"x1 {show(self.low[0])} … {show(self.high[0])}"

    def as_dict(self) -> dict[str, Any]:
        """Return the plane, its points and the names of the classes."""
        return {
            "low": self.low, "high": self.high, "outputs": self.outputs,
            "points": self.points, "classes": self.classes, "names": self.names,
        }  # fmt: skip

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the regions, the points in them, and beside them what the marks mean."""
        side = min(area[2], area[3])
        left, top, wide, high = area[0], area[1], side, side
        made: list[Mark] = [Pixels((left, top, wide, high), enlarged(regions(self, theme)))]
        shares = (self.points - self.low) / np.subtract(self.high, self.low)
        for (x, y), one in zip(shares.tolist(), self.classes.tolist(), strict=True):
            made.append(class_mark((left + x * wide, top + (1 - y) * high), one, theme))
        for number, name in enumerate(self.names[: int(high // 18)]):
            at = left + wide + 14.0, top + 10 + 18.0 * number
            made.append(class_mark(at, number, theme, 4.6))
            room = area[2] - wide - 26
            made.append(Words(at[0] + 10, at[1] + 4, fitted(name, room), theme.text))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write the regions as signs, and what they mean."""
        every = self.chosen[:: len(self.outputs) // 16, :: max(self.outputs.shape[1] // 32, 1)]
        names = [f"{_LETTERS[at % 10]} {name}" for at, name in enumerate(self.names)]
        picture = ["".join(_LETTERS[one % 10] for one in row) for row in every.tolist()]
        return [*picture, "   ".join(names)[:wide]]


def regions(plane: Plane, theme: Theme) -> Colours:
    """Return the plane coloured by class, stronger where the network is surer; lines between."""
    outputs, chosen = plane.outputs, plane.chosen
    if outputs.shape[2] == 1:
        gap = outputs[..., 0] - plane.middle
        sure = np.clip(np.abs(gap) / max(1 - plane.middle, 1e-9), 0, 1)
    else:
        best = np.partition(outputs, -2, axis=2)
        sure = np.clip(best[..., -1] - best[..., -2], 0, 1)
    palette = np.stack([rgb(colour) for colour in class_colours(theme)])
    ground = np.broadcast_to(rgb(theme.canvas), (*chosen.shape, 3))
    pixels = blended(ground, palette[chosen % len(palette)], 0.12 + 0.5 * sure)
    edge = np.zeros(chosen.shape, bool)
    edge[:, 1:] |= chosen[:, 1:] != chosen[:, :-1]
    edge[1:] |= chosen[1:] != chosen[:-1]
    pixels[edge] = rgb(theme.text)
    return np.ascontiguousarray(pixels, np.float32)


def classes(outputs: NDArray[Any], middle: float) -> NDArray[np.int64]:
    """Return the class that outputs (…, outputs) say: the largest, or above the middle."""
    if outputs.shape[-1] == 1:
        return np.asarray(outputs[..., 0] > middle, np.int64)
    return np.asarray(outputs.argmax(axis=-1), np.int64)


def found(sight: Sight, key: str) -> Plane | str | None:
    """Return the plane around the data."""
    inputs = sight.inputs(key)
    for port in ("x", "a"):
        if port not in inputs:
            return f"wire {port} as well"
    start, goal = inputs["x"], inputs["a"]
    split = sight.split(start.rpartition(".")[0])
    if split is None and start not in sight.values:
        return None
    rows = sight.row(start) if split is None else np.atleast_2d(split.x)
    if rows.shape[1] != 2:
        return f"x has {rows.shape[1]} numbers, not 2"
    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = np.maximum((high - low) * 0.2, 1e-6)
    low, high = low - margin, high + margin
    across, down = np.linspace(low[0], high[0], _SIDE), np.linspace(high[1], low[1], _SIDE)
    grid = np.stack(np.meshgrid(across, down), axis=2).reshape(-1, 2)
    outputs = sight.answers(key, start, goal, grid).reshape(_SIDE, _SIDE, -1)
    names: tuple[str, ...] = () if split is None else split.classes
    points, of_points, middle = np.zeros((0, 2), float), np.zeros(0, np.int64), 0.5
    if split is not None:
        step = -(-len(split.x) // _MOST_POINTS)
        points, targets = np.asarray(split.x[::step], float), split.y[::step]
        if split.y.shape[1] == 1:
            middle = float(split.y.min() + split.y.max()) / 2
        of_points = classes(targets, middle)
    if not names and outputs.shape[2] == 1:
        at = middle if split is None else float(split.in_units(np.array([[middle]]))[0, 0])
        names = (f"below {show(at)}", f"above {show(at)}")
    corners = (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
    return Plane(*corners, outputs, points, of_points, names, middle)


def for_page(run: Run, _key: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values: the classes of the data."""
    return classes_of(run, inputs.get("x", ""))
