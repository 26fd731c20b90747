"""An activation is a sloped graph: its curve, and on it the points of the neurons, with slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nodeflow.declare import CATALOG
from nodeflow.explain.saturation import DYING
from nodeflow.explain.slopes import curve_of, has_curve, slopes_at
from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Axes, Dot, Line, Mark, tangent
from nodeflow.views.sight import Floats
from nodeflow.workings.shown import show

_RANGE, _STEPS = 4.0, 33
_MOST, _MOST_TANGENTS = 24, 3
_SQUARE: Literal["square"] = "square"
_ROUND: Literal["circle"] = "circle"


@dataclass(frozen=True, eq=False)
class Slope:
    """An activation's curve, and for each neuron of a layer its point (z, a) and slope g′(z)."""

    kind: str
    z: Floats
    a: Floats
    slopes: Floats
    settings: Mapping[str, Any]

    @property
    def foot(self) -> str:
        """The slope of the first neuron."""
        return f"g′({show(self.z[0])}) = {show(self.slopes[0])}" if self.z.size else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the points and the slopes."""
        return {"activation": self.kind, "z": self.z, "a": self.a, "slopes": self.slopes}

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the curve small, the points, and the tangents where they are few."""
        xs = np.linspace(-_RANGE, _RANGE, _STEPS)
        reach = float(np.abs(self.z).max(initial=0.0))
        if reach > _RANGE:  # the points are what counts: the curve goes as far
            xs = np.linspace(-reach, reach, _STEPS)
        ys = curve_of(CATALOG[self.kind], xs, self.settings)
        axes = Axes(area, (float(xs[0]), float(ys.min())), (float(xs[-1]), float(ys.max())))
        lines = axes.line(xs.tolist(), ys.tolist())
        made: list[Mark] = [Line(line, theme.faint, 1.0) for line in lines]
        points = list(zip(self.z.tolist(), self.a.tolist(), self.slopes.tolist(), strict=True))
        for z, a, slope in points if len(points) <= _MOST_TANGENTS else ():
            made.append(tangent(axes, (z, a), slope, theme.positive, 0.8))
        for z, a, slope in points[:_MOST]:
            # Where the curve is flat blame dies: told by shape and colour.
            flat = slope < DYING
            fill, kind = (theme.problem, _SQUARE) if flat else (theme.positive, _ROUND)
            made.append(Dot(*axes.at(z, a), 2.2, fill, theme.body, kind))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write one line per neuron."""
        return [
            f"z = {show(z)}, a = {show(a)}, g′(z) = {show(slope)}"[:wide]
            for z, a, slope in zip(self.z, self.a, self.slopes, strict=True)
        ]


def slope_at(kind: str, z: Floats, settings: Mapping[str, Any] | None = None) -> Slope | None:
    """Return an activation's curve with the points at z; None for one that has no curve.

    Without numbers, or with any that is not finite, it is the curve alone.
    """
    if not has_curve(kind):
        return None
    z = np.ravel(np.asarray(z, float))
    z = z if np.isfinite(z).all() else z[:0]
    type_ = CATALOG[kind]
    given = type_.defaults if settings is None else settings
    a = curve_of(type_, z, given)
    return Slope(kind, z, a, slopes_at(type_, z, a, given), given)
