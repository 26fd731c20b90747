"""The slope of a computed function by differences, with a bound of its error.

A central difference over ±h has a truncation error of order h² and a rounding error of ε/h, where
ε is the noise of the function: by how much its computed value jumps about the exact one. No one h
suits all: a weight behind a feature of 1000 bends the cost a thousand times as soon as one behind
a feature of 1. So h goes down from the size of the number that is nudged, by 4 each time, and two
neighbours are extrapolated (L. F. Richardson, "The deferred approach to the limit", 1927), which
leaves an error of order h⁴:

    c(h) = (f(h) − f(−h)) / 2h        r(h) = (16 c(h/4) − c(h)) / 15

Taken is the r that agrees best with its neighbours (C. J. F. Ridders, "Accurate computation of
F′(x) and F′(x)F″(x)", 1982). Its error bound is the larger of the two disagreements, of which that
with the next coarser one holds the truncation error 256 times over, plus 2ε / h for the rounding
error. The noise is measured: where h is so small that nothing but noise is left, neighbours
disagree by about ε / h (J. J. Moré and S. M. Wild, "Estimating computational noise", 2011, use
differences of high order to the same end). It is at least one unit in the last place of f.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AGREES = 1e-7
"""A slope that a difference agrees with to this is that of the function: chance does not do so."""
_UNIT = float(np.finfo(np.float64).eps)
_LEVELS = tuple(2.0 ** (1 - 2 * level) for level in range(18))
"""Steps of 2 down to 10⁻¹⁰ in units of the number; powers of two, so that x ± h is exact."""
_FIRST = (5, 7, 9)
_FINE = 6
"""Of how many of the smallest steps the disagreements are noise."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What differences tell of a slope."""

    value: float
    error: float
    """The exact slope of the function lies within this of `value`."""
    kink: bool = False
    """Whether the function has two slopes here."""


def slope(
    function: Callable[[float], float], expected: float, *, unit: float, tiny: float
) -> Slope:
    """Return the slope of a function at 0.

    `unit` is a power of two of about the size of what is nudged. A difference that agrees with
    `expected`, up to `tiny` or seven digits, is taken at once. Otherwise all steps are tried.
    """
    known: dict[float, float] = {}

    def at(place: float) -> float:
        if place not in known:
            known[place] = function(place)
        return known[place]

    def central(level: int) -> float:
        h = unit * _LEVELS[level]
        return (at(h) - at(-h)) / (2 * h)

    def extrapolated(level: int) -> float:
        return (16 * central(level + 1) - central(level)) / 15

    for level in _FIRST:
        found = extrapolated(level)
        apart = abs(found - expected)
        if apart <= AGREES * max(abs(found), abs(expected)):
            return Slope(found, 0.0)
        if apart <= tiny:
            return Slope(found, tiny)

    steps = unit * np.array(_LEVELS)
    with np.errstate(all="ignore"):  # a large step may leave the range of numbers
        all_ = np.array([extrapolated(level) for level in range(len(_LEVELS) - 1)])
        steps_apart = np.abs(np.diff(all_))
        # The smaller step of the finer of two neighbours is the third of three steps.
        noise = float(np.max((steps_apart * steps[2:])[-_FINE:]))
        noise = max(noise, _UNIT * abs(at(0.0)))
        error = np.maximum(steps_apart[:-1], steps_apart[1:]) + 2 * noise / steps[2:-1]
        values = all_[1:-1]
        # Far out a function may look like another one, level on both sides where it saturates:
        # a step must not contradict any smaller one.
        between = np.abs(values[:, None] - values) > error[:, None] + 2 * error
        contradicts = np.triu(between).any(axis=1)
    error = np.where(np.isfinite(error) & ~contradicts, error, np.inf)
    best = int(np.argmin(error))
    value, bound = float(values[best]), float(error[best])
    if not np.isfinite(bound):
        return Slope(float("nan"), float("inf"))
    if abs(value - expected) > bound and _is_kink(at, steps, noise):
        return Slope(value, bound, kink=True)
    return Slope(value, bound)


def _is_kink(at: Callable[[float], float], steps: Floats, noise: float) -> bool:
    """Return whether the slopes of both sides stay apart however small the step is.

    Those of a smooth function come nearer by as much as the step gets smaller.
    """
    here = at(0.0)
    apart = np.array([abs((at(h) - here) / h - (here - at(-h)) / h) for h in steps])
    unseen = 16 * noise / steps
    seen = np.flatnonzero(apart > unseen)
    if not seen.size or seen[-1] < 2:
        return False
    last = int(seen[-1])
    # A kink farther off is left behind by smaller steps, at which one at 0 would still be seen.
    left_behind = last + 1 < len(steps) and apart[last] > 2 * unseen[last + 1]
    return bool(apart[last] > apart[last - 2] / 2 and not left_behind)


def unit_of(values: Floats) -> float:
    """Return the power of two next to the largest of some numbers; 1 where all are 0."""
    most = float(np.max(np.abs(values), initial=0.0))
    return float(2.0 ** np.round(np.log2(most))) if most > 0 and np.isfinite(most) else 1.0
