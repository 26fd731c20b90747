"""Free room on the canvas: what is new there lies on nothing else, near where it was wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import GRID
from nodeflow.editor.state.camera import Point

GAP = 3 * GRID
"""Between what is new and what was there."""
_REACH = 64
"""How far is searched first, in steps of the grid."""


def on_grid(point: Point) -> tuple[int, int]:
    """Return the nearest point of the grid."""
    return round(point[0] / GRID) * GRID, round(point[1] / GRID) * GRID


def nearest(boxes: NDArray[np.float64], at: Point, size: Point) -> tuple[int, int]:
    """Return where a box of a size has room: the point of the grid nearest to one, its top left.

    `boxes` are left, top, right and bottom of what is there. Where it covers none of them it stays,
    however near they are; else it keeps a gap. Of two points that are as near it is the one below,
    or at the right.
    """
    corner = on_grid(at)
    if not ((boxes[:, :2] < np.add(corner, size)) & (boxes[:, 2:] > corner)).all(axis=1).any():
        return corner
    # The steps from there, across and down, at which a box would be met: from these, below those.
    begins = np.floor((boxes[:, :2] - np.add(size, GAP) - corner) / GRID) + 1
    ends = np.ceil((boxes[:, 2:] + GAP - corner) / GRID)
    reach = _REACH
    while True:
        side = 2 * reach + 1
        steps = np.arange(side) - reach
        away = (steps[:, None] - 0.2) ** 2 + (steps - 0.1) ** 2
        areas = np.hstack([np.clip(begins + reach, 0, side), np.clip(ends + reach, 0, side)])
        for left, top, right, bottom in areas.astype(int).tolist():
            away[top:bottom, left:right] = np.inf
        down, across = divmod(int(away.argmin()), side)
        if away[down, across] <= (reach - 1) ** 2:  # beyond, something nearer may not be seen
            return corner[0] + int(steps[across]) * GRID, corner[1] + int(steps[down]) * GRID
        reach *= 2
