"""Point sets that are computed: always the same points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from nodeflow.data.table import FloatArray, Table, feature_names, frozen


def _gate(*outputs: int) -> Table:
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array(outputs, dtype=np.float64).reshape(-1, 1)
    return Table(frozen(x), frozen(y), feature_names(2), ())


def _classes(names: tuple[str, ...], groups: Sequence[FloatArray]) -> Table:
    """Put the classes' points in turns, so that training in order sees all of them."""
    x = np.array(list(chain.from_iterable(zip(*groups, strict=True))))
    y = np.tile(np.eye(len(names), dtype=float), (len(groups[0]), 1))
    return Table(frozen(x), frozen(y), feature_names(2), names)


def _random(seed: int) -> np.random.RandomState:
    # RandomState's numbers are promised never to change; those of default_rng are not.
    return np.random.RandomState(seed)


def logical_and() -> Table:
    """Return the four rows of AND: x (4, 2), y (4, 1)."""
    return _gate(0, 0, 0, 1)


def logical_or() -> Table:
    """Return the four rows of OR: x (4, 2), y (4, 1)."""
    return _gate(0, 1, 1, 1)


def logical_xor() -> Table:
    """Return the four rows of XOR: x (4, 2), y (4, 1)."""
    return _gate(0, 1, 1, 0)


def circle() -> Table:
    """Return 200 points in a disc and in a ring around it: x (200, 2), y (200, 2)."""
    random = _random(1)

    def ring(inner: float, outer: float) -> FloatArray:
        # The square root spreads the points evenly over the area.
        radius = np.sqrt(random.uniform(inner**2, outer**2, 100))
        angle = random.uniform(0, 2 * np.pi, 100)
        return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])

    return _classes(("inside", "outside"), [ring(0, 0.5), ring(0.7, 1)])


def spiral() -> Table:
    """Return 200 points on two arms of a spiral: x (200, 2), y (200, 2)."""
    along = np.linspace(0.05, 1, 100)
    angle = 3 * np.pi * along
    arm = np.column_stack([along * np.cos(angle), along * np.sin(angle)])
    return _classes(("first arm", "second arm"), [arm, -arm])


def moons() -> Table:
    """Return 200 points on two half moons that reach into each other: x (200, 2), y (200, 2)."""
    angle = np.linspace(0, np.pi, 100)
    upper = np.column_stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25])
    noise = _random(2).normal(0, 0.05, (2, 100, 2))
    return _classes(("upper", "lower"), [upper / 1.5 + noise[0], -upper / 1.5 + noise[1]])


def blobs() -> Table:
    """Return 150 points in three round heaps: x (150, 2), y (150, 3)."""
    centres = np.array([[-0.6, -0.4], [0.6, -0.4], [0.0, 0.6]])
    noise = _random(3).normal(0, 0.15, (3, 50, 2))
    return _classes(("left", "right", "top"), list(centres[:, None, :] + noise))


def polynomial() -> Table:
    """Return 21 points of y = 4x³ − 3x, which stays within −1..1: x (21, 1), y (21, 1)."""
    x = np.linspace(-1, 1, 21).reshape(-1, 1)
    return Table(frozen(x), frozen(4 * x**3 - 3 * x), ("x",), ())


GENERATORS: dict[str, Callable[[], Table]] = {
    "and": logical_and,
    "or": logical_or,
    "xor": logical_xor,
    "circle": circle,
    "spiral": spiral,
    "moons": moons,
    "blobs": blobs,
    "polynomial": polynomial,
}
"""The names that `load` knows without any file, and what computes them."""
