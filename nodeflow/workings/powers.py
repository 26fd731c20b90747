"""Powers of e and their logarithms, written out so that none leaves the range of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nodeflow.workings.given import Source
from nodeflow.workings.parts import NOTHING, Apply, Number, Part, Terms, choice, of, summed

_STEEPEST = 700.0
"""e to a larger power leaves the range of numbers."""


def logistic(z: Part) -> Part:
    """Return 1 / (1 + e^−z)."""
    return choice(
        of("<", z, -_STEEPEST),
        of("/", of("exp", z), of("+", 1, of("exp", z))),
        of("/", 1, of("+", 1, of("exp", of("neg", z)))),
    )


def bent(z: Part) -> Sequence[Part]:
    """Return the terms of ln(1 + e^z)."""
    steep = of(">", z, _STEEPEST)
    log = of("log", of("+", 1, choice(steep, of("exp", of("neg", z)), of("exp", z))))
    return choice(steep, z, NOTHING), log


def of_row(source: Source, row: int) -> list[Number]:
    """Return the numbers of a row."""
    return [source.at((row, i)) for i in range(source.width)]


def _far(z: Sequence[Number]) -> Part:
    """Return whether a power of e leaves the range of numbers."""
    return of(">", Apply("largest", tuple(of("abs", each) for each in z)), _STEEPEST)


def share(z: Sequence[Number], place: int) -> Part:
    """Return e^z over the sum of all."""
    values = np.array([each.value for each in z])
    far, largest = _far(z), Apply("largest", tuple(z))

    def make(place: int) -> Part:
        return choice(far, of("exp", of("-", z[place], largest)), of("exp", z[place]))

    with np.errstate(over="ignore"):
        steep = np.abs(values).max() > _STEEPEST
        powers = Terms(np.exp(values - values.max() if steep else values), make)
    return of("/", make(place), summed(powers))


def log_of_powers(z: Sequence[Number]) -> Part:
    """Return ln Σ e^z."""
    values = np.array([each.value for each in z])
    far, largest = _far(z), Apply("largest", tuple(z))
    powers = Terms(np.exp(values), lambda i: of("exp", z[i]))
    moved = Terms(np.exp(values - values.max()), lambda i: of("exp", of("-", z[i], largest)))
    return choice(far, of("+", largest, of("log", summed(moved))), of("log", summed(powers)))


def log_of_share(z: Sequence[Number], place: int) -> Part:
    """Return ln of a share of e^z."""
    return of("-", z[place], log_of_powers(z))


def log_of_others(z: Sequence[Number], place: int, nothing: float) -> Part:
    """Return ln of what a share leaves to the others; `nothing` where there are none."""
    others = [each for i, each in enumerate(z) if i != place]
    if not others:
        return Number(nothing)
    return of("-", log_of_powers(others), log_of_powers(z))
