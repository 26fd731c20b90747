"""Which points of curves lie inside nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.routing.curves import Floats

_EDGE = 2.0
"""A wire may touch a node's border, but not run inside it by more than this."""
_CELL, _FARTHEST = 128.0, 2.0**30


class Cells:
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
