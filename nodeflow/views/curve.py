"""`curve`: points, the function that a network fits to them, and what lies beyond them in grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Dot, Line, Mark, Rect, axes, mixed
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

_STEPS, _MOST_POINTS = 160, 240


@dataclass(frozen=True, eq=False)
class Fit:
    """Points (x, y), and the output of a network over x: as far as they reach, and beyond."""

    points: Floats
    x: Floats
    outputs: Floats
    reach: tuple[float, float]
    """Where the points begin and end."""
    error: float
    """Root mean square error at the points."""

    @property
    def foot(self) -> str:
        """How far from the points it is."""
        return f"RMS error {show(self.error)}"

    def as_dict(self) -> dict[str, Any]:
        """Return the points and the curve."""
        return {
            "points": self.points, "x": self.x, "outputs": self.outputs, "reach": self.reach,
            "error": self.error,
        }  # fmt: skip

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw the curve through the points; beyond them the ground is grey, the line dashed."""
        ys = self.points[:, 1]
        low, high = float(ys.min()), float(ys.max())
        # The points decide how high it is: beyond them a polynomial is soon off the paper.
        margin = 0.4 * (high - low) or 1.0
        frame = axes(area, (float(self.x[0]), low - margin), (float(self.x[-1]), high + margin))
        left, top, wide, tall = frame.area
        begin, end = frame.at(self.reach[0], low)[0], frame.at(self.reach[1], low)[0]
        grey = mixed(theme.body, theme.text, 0.1)
        made: list[Mark] = [
            Rect(left, top, begin - left, tall, grey),
            Rect(end, top, left + wide - end, tall, grey),
            *frame.frame(theme),
        ]
        inside = (self.x >= self.reach[0]) & (self.x <= self.reach[1])
        before, after = self.x <= self.reach[0], self.x >= self.reach[1]
        for part, dashed in ((before, True), (after, True), (inside, False)):
            lines = frame.line(self.x[part].tolist(), self.outputs[part].tolist())
            colour = theme.faint if dashed else theme.selected
            made += [Line(line, colour, 1.4 if dashed else 2.0, dashed) for line in lines]
        every = -(-len(self.points) // _MOST_POINTS)
        for x, y in self.points[::every].tolist():
            made.append(Dot(*frame.at(x, y), 2.6, theme.positive, theme.body))
        return made

    def lines(self, wide: int) -> list[str]:
        """Write how near the points the curve is, and where it goes beyond them."""
        first, last = self.outputs[0], self.outputs[-1]
        return [
            f"{self.foot} at {len(self.points)} points"[:wide],
            f"beyond them: {show(first)} at {show(self.x[0])}, {show(last)} at {show(self.x[-1])}"[
                :wide
            ],
        ]


def found(sight: Sight, key: str) -> Fit | str | None:
    """Return the curve of an output over the one number that goes in."""
    inputs = sight.inputs(key)
    for port in ("x", "a", "y"):
        if port not in inputs:
            return f"wire {port} as well"
    start, goal, target = inputs["x"], inputs["a"], inputs["y"]
    split = sight.split(start.rpartition(".")[0])
    if split is not None and target.rpartition(".")[0] == start.rpartition(".")[0]:
        xs, ys = np.asarray(split.x, float), np.asarray(split.y, float)
    else:
        if start not in sight.values or target not in sight.values:
            return None
        xs, ys = sight.row(start), sight.row(target)
    if xs.shape[1] != 1 or ys.shape[1] != 1:
        return f"a curve has one number in and one out, not {xs.shape[1]} and {ys.shape[1]}"
    if len(xs) != len(ys):
        return f"x has {len(xs)} rows and y {len(ys)}: a point takes one of each"
    low, high = float(xs.min()), float(xs.max())
    beyond = float(sight.graph.settings(key)["beyond"]) * ((high - low) or 1.0)
    line = np.unique(
        np.concatenate([np.linspace(low - beyond, high + beyond, _STEPS), [low, high]])
    )
    rows = np.concatenate([line, xs[:, 0]])[:, None]
    outputs = sight.answers(key, start, goal, rows)
    if len(outputs) != len(rows) or outputs.shape[1] != 1:
        return f"{goal} is no single number that depends on {start}"
    error = float(np.sqrt(np.mean((outputs[len(line) :] - ys) ** 2)))
    return Fit(np.column_stack([xs, ys]), line, outputs[: len(line), 0], (low, high), error)


def for_page(run: Run, key: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values; what it shows is fixed by where wires lead."""
    data = inputs.get("x", "").rpartition(".")[0]
    whole = data in run.machine.splits and inputs.get("y", "").rpartition(".")[0] == data
    beyond = float(run.plan.graph.settings(key)["beyond"])
    return {"whole": whole, "beyond": beyond, "fixed": True}
