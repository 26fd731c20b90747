"""The Bézier curves that wires are drawn as: their points, lengths and paths."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Way = tuple[Point, ...]
"""The points of Bézier curves, end to end: 3k + 1 of them."""
Floats = NDArray[np.float64]

RADIUS = 18.0
"""Of the corners of a way."""
_SAMPLES = 20


def bernstein(t: Floats) -> Floats:
    """Return what the four points of a Bézier curve weigh at shares of it, (shares, 4)."""
    u = 1 - t
    return np.stack([u**3, 3 * t * u**2, 3 * t**2 * u, t**3], axis=1)


_WEIGHTS = bernstein((np.arange(_SAMPLES) + 0.5) / _SAMPLES)


def curves(ends: Floats) -> Floats:
    """Return the Bézier points of wires that go straight, (wires, 4, 2).

    A row of `ends` has x and y of the start, x and y of the end, and both sides.
    """
    x0, y0, x1, y1, leaves, enters = ends.T
    ahead = (x1 - x0) * leaves
    bow = np.minimum(40.0 + np.abs(y1 - y0) / 4, 140.0)
    pull = np.where(ahead > 0, np.maximum(np.abs(ahead) / 2, 30.0), bow)
    xs = np.stack([x0, x0 + leaves * pull, x1 + enters * pull, x1], axis=1)
    return np.stack([xs, np.stack([y0, y0, y1, y1], axis=1)], axis=2)


def straight(start: Point, end: Point, leaves: int, enters: int) -> Way:
    """Return the Bézier points of a wire that goes straight, as `curves` does for many."""
    (x0, y0), (x1, y1) = start, end
    ahead = (x1 - x0) * leaves
    bow = min(40.0 + abs(y1 - y0) / 4, 140.0)
    pull = max(abs(ahead) / 2, 30.0) if ahead > 0 else bow
    x0, y0, x1, y1 = float(x0), float(y0), float(x1), float(y1)
    return (x0, y0), (x0 + leaves * pull, y0), (x1 + enters * pull, y1), (x1, y1)


@lru_cache(maxsize=4096)
def joined(parts: tuple[Way, ...]) -> Way:
    """Return ways that follow each other as one; () for none."""
    if len(parts) < 2:
        return parts[0] if parts else ()
    return (*(point for part in parts[:-1] for point in part[:-1]), *parts[-1])


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
        long = abs(d[0] - a[0]) + abs(d[1] - a[1]) > 2.5 * RADIUS
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
        gone.append(gone[-1] + math.hypot(x1 - x0, y1 - y0))
    return tuple(gone)


def measured(points: Way) -> tuple[Floats, Floats]:
    """Return the points of a bent way's line, (points, 2), and how much of it lies before each."""
    gone = np.array(_lengths(points))
    return np.array(line(points)), gone / (gone[-1] or 1.0)


def along(points: Way, share: float) -> Point:
    """Return the point after so much (0 to 1) of a way: of its length, where it bends."""
    if len(points) == 4:
        u = 1 - share
        a, b, c, d = u**3, 3 * u * u * share, 3 * u * share * share, share**3
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points
        return a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3
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


def sampled(bends: Floats) -> Floats:
    """Return points inside Bézier curves, (curves, samples, 2)."""
    found: Floats = _WEIGHTS @ bends
    return found
