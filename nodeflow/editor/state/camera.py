"""Which part of the canvas is seen, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 0.05, 4.0
_CLICK, _CLICKS = 1.12, 200.0
"""How much a click of the wheel enlarges; no zoom is reached by more clicks at once."""
_MARGIN, _GAP = 36, 16
_LARGEST_FIT = 1.0
_STRIP = 18
"""What is seen of a node in less than so many pixels is a strip that tells nothing."""
_UPPER = 0.9
"""A view begins at the top of the graph if the data then lie in this upper part of its height."""
_KEPT = 0.7
"""The least share of the view that is kept when its edge is moved so as to cut no node."""
READABLE = 0.6
"""From this zoom on a node has all its texts, none of them smaller than 11 pixels."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Camera:
    """x and y are the canvas point at the view's top left; zoom is screen pixels a canvas unit."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0

    def on_screen(self, point: Point) -> Point:
        """Return where a canvas point is seen."""
        return (point[0] - self.x) * self.zoom, (point[1] - self.y) * self.zoom

    def on_canvas(self, point: Point) -> Point:
        """Return the canvas point that is seen at a screen point."""
        return point[0] / self.zoom + self.x, point[1] / self.zoom + self.y

    def moved(self, dx: float, dy: float) -> Camera:
        """Return the camera after the canvas was dragged by so many pixels."""
        return replace(self, x=self.x - dx / self.zoom, y=self.y - dy / self.zoom)

    def zoomed(self, factor: float, about: Point) -> Camera:
        """Return the camera nearer or farther; the canvas point under `about` stays there."""
        zoom = min(max(self.zoom * factor, LEAST), MOST)
        x, y = self.on_canvas(about)
        return Camera(x - about[0] / zoom, y - about[1] / zoom, zoom)

    def turned(self, clicks: float, about: Point) -> Camera:
        """Return the camera after so many clicks of the wheel."""
        return self.zoomed(_CLICK ** min(max(clicks, -_CLICKS), _CLICKS), about)

    def centred(self, point: Point, size: Point) -> Camera:
        """Return the camera with a canvas point in the middle of a view of this size."""
        return replace(
            self, x=point[0] - size[0] / self.zoom / 2, y=point[1] - size[1] / self.zoom / 2
        )

    def showing(self, area: tuple[float, float, float, float], size: Point) -> Camera:
        """Return the camera moved as little as sees left, top, right and bottom of an area.

        Of one that is larger than the view its top left is seen.
        """
        edge = _GAP / self.zoom
        x, y = (
            _between(at, last + edge - length / self.zoom, first - edge)
            for at, first, last, length in zip(
                (self.x, self.y), area[:2], area[2:], size, strict=True
            )
        )
        return replace(self, x=x, y=y)

    @classmethod
    def fitting(
        cls,
        bounds: tuple[float, float, float, float],
        size: Point,
        foot: float = 0.0,
        scale: float = 1.0,
    ) -> Camera:
        """Return the camera that sees all of left, top, right, bottom; never above `scale`.

        Something else takes `foot` pixels at the bottom of the view.
        """
        left, top, right, bottom = bounds
        wide, high = max(right - left, 1.0), max(bottom - top, 1.0)
        below = max(_MARGIN, foot + _GAP)
        room = max(size[0] - 2 * _MARGIN, 1.0), max(size[1] - _MARGIN - below, 1.0)
        zoom = min(max(min(room[0] / wide, room[1] / high), LEAST), _LARGEST_FIT * scale)
        middle = (left + right) / 2, (top + bottom) / 2
        return cls(zoom=zoom).centred(middle, (size[0], size[1] + _MARGIN - below))

    @classmethod
    def first(
        cls,
        bounds: tuple[float, float, float, float],
        size: Point,
        begin: Point,
        foot: float = 0.0,
        scale: float = 1.0,
    ) -> Camera:
        """Return the camera that sees all, or else what begins at `begin`, at a size that reads.

        What does not fit lies at the right and below: `begin` stands in the left, the top of all at
        the top if both are in view then, or else `begin` at the middle height.
        """
        whole = cls.fitting(bounds, size, foot, scale)
        zoom = READABLE * scale
        if whole.zoom >= zoom:
            return whole
        left, top, right, bottom = bounds
        below = max(_MARGIN, foot + _GAP)
        wide, high = (size[0] - 2 * _MARGIN) / zoom, (size[1] - _MARGIN - below) / zoom
        x = (
            (left + right - wide) / 2
            if right - left <= wide
            else _between(begin[0], left, right - wide)
        )
        if bottom - top <= high:
            y = (top + bottom - high) / 2
        elif begin[1] - top <= high * _UPPER:
            y = top  # what stands above the data is there to be read first
        else:
            y = _between(begin[1] - high / 2, top, bottom - high)
        return cls(x - _MARGIN / zoom, y - _MARGIN / zoom, zoom)

    def without_strips(self, nodes: NDArray[np.float64], size: Point) -> Camera:
        """Return the camera a little to the right, where a strip of a node is all that is seen."""
        bottom = self.on_canvas(size)[1]
        seen = nodes[(nodes[:, 1] < bottom) & (nodes[:, 3] > self.y) & (nodes[:, 0] < self.x)]
        strips = (seen[:, 2] - self.x)[seen[:, 2] > self.x]
        if not len(strips) or strips.max() * self.zoom > _STRIP:
            return self
        return replace(self, x=self.x + float(strips.max()) + _STRIP / self.zoom / 2)

    def ending_between(self, nodes: NDArray[np.float64], size: Point, scale: float = 1.0) -> Camera:
        """Return the camera a little nearer, so that the right edge of the view cuts no node.

        `nodes` are left, top, right and bottom of each. Where they leave no gap, or only one that
        would let much go, it stays.
        """
        edge = self.on_canvas(size)[0]
        top, bottom = self.y, self.on_canvas(size)[1]
        seen = nodes[(nodes[:, 1] < bottom) & (nodes[:, 3] > top) & (nodes[:, 0] < edge)]
        if not len(seen) or seen[:, 2].max() <= edge:
            return self
        ends = np.sort(seen[:, 2])
        is_free = ~((seen[:, 0] < ends[:, None]) & (seen[:, 2] > ends[:, None])).any(axis=1)
        room = (size[0] - _MARGIN / 2) / self.zoom
        ends = ends[is_free & (ends - self.x <= room) & (ends - self.x >= _KEPT * room)]
        if not len(ends):
            return self
        zoom = min((size[0] - _MARGIN / 2) / float(ends[-1] - self.x), _LARGEST_FIT * scale)
        inside = (self.x + _MARGIN / self.zoom, self.y + _MARGIN / self.zoom)
        found = Camera(inside[0] - _MARGIN / zoom, inside[1] - _MARGIN / zoom, zoom)
        return found if found.on_canvas(size)[0] < seen[seen[:, 0] >= ends[-1], 0].min() else self


def _between(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
