"""Numbers as a person reads them: the one place where they are written, whoever shows them.

A value is written by `show` on a node, a wire, a card, a tooltip and in a table: the same weight
reads the same everywhere. What has no room for it is left out, never cut or rounded further.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LISTED = 4
"""Numbers of an array that are listed."""


def show(number: Any) -> str:
    """Return a number as a person writes it: 4 decimals, or 4 digits where it is small or large.

    The page that computes has the same function (`show` in numbers.js).
    """
    value = float(number) + 0.0  # −0 is 0 to a person
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "−Infinity"
    if 0.1 <= abs(value) < 1e6:
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.4g}" if abs(value) < 1 else f"{value:.3e}"
    return text.replace("-", "−")


def short(value: NDArray[Any], most: int = LISTED) -> str:
    """Return an array in one line, its first numbers shown."""
    flat = np.ravel(value)
    if flat.size == 1:
        return show(flat[0])
    shown = ", ".join(show(number) for number in flat[:most])
    return f"[{shown}{', …' if flat.size > most else ''}]"


def signed(number: Any) -> str:
    """Return a number with its sign, as a weight stands on a wire: +0.8177, −0.5."""
    text = show(number)
    return text if text.startswith(("−", "NaN")) else f"+{text}"


_WEIGHED = 12
"""Characters between two columns of nodes."""


def weighed(weight: Any, carried: Any = None) -> str:
    """Return what a weight does to the number on a wire: 1.5 × 0.8; only × 0.8 without room.

    The page has the same function (`weighed` in picture.js).
    """
    times = f"× {show(weight)}"
    text = times if carried is None else f"{show(carried)} {times}"
    return text if len(text) <= _WEIGHED else times


def listed(value: NDArray[Any]) -> str:
    """Return all numbers of an array, in one line: 0.5, −2."""
    return ", ".join(map(show, np.ravel(value).tolist()))


def span(value: NDArray[Any]) -> str:
    """Return from where to where the numbers of an array go: −1 … 2.5."""
    return f"{show(np.min(value))} … {show(np.max(value))}"


def changed(before: Any, after: Any) -> str:
    """Return a number before and after a change: 0.31 → 0.29."""
    return f"{show(before)} → {show(after)}"


def compact(number: Any) -> str:
    """Return a number in the four characters that a neuron of the map has room for: 2 decimals."""
    value = float(number)
    digits = ".1g" if 0 < abs(value) < 0.005 else ".2f" if abs(value) < 10 else ".1f"
    return f"{value:{digits if abs(value) < 100 else '.3g'}}".replace("-", "−")


def rough(number: Any, digits: int = 2) -> str:
    """Return about how large a number is: an error, a difference of two values."""
    return f"{float(number):.{digits}g}".replace("-", "−")


def duration(seconds: float) -> str:
    """Return how long something takes, in three digits: 35.2 µs, 412 ms, 2.31 s, 154 s, 12 min."""
    if seconds >= 600:
        return f"{seconds / 60:.0f} min"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if round(seconds / size, 3) >= 1:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def percent(share: float) -> str:
    """Return a share in percent, with one digit after the point: how many rows are right."""
    # What is 0 to this digit has no sign, which 0 of a change downwards would have.
    return f"{round(100 * share, 1) + 0.0:.1f} %"


def share(part: Any) -> str:
    """Return a part of 1, with two decimals: how much of the blame is whose."""
    return f"{float(part):.2f}"


def deviation(size: Any) -> str:
    """Return how far two numbers lie apart, two digits with their power of ten: 3.1e-09."""
    return f"{float(size):.1e}"


def precise(number: Any) -> str:
    """Return a number with six digits: who calculates with it needs more than who reads it."""
    return f"{float(number):.6g}".replace("-", "−")
