"""Values and names in the few characters that a box has room for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.workings.shown import listed, percent, show

FEW = 4
"""The most numbers that are shown one by one."""
_LONGEST = 26


def shown(value: NDArray[Any]) -> str:
    """Return a value in a few characters: its numbers while they are few, then its shape."""
    flat = np.asarray(value).ravel() + 0  # −0 is 0 to a person
    if flat.size == 1:
        return show(flat[0])
    if flat.size <= FEW:
        return listed(flat)
    return sized(np.shape(value))


def counted(hits: NDArray[Any]) -> tuple[str, ...]:
    """Return how many training rows are right, in fewer and fewer letters."""
    right, rows = float(np.sum(hits)), np.size(hits)
    if not (rows and np.isfinite(right)):
        return ("?",)
    long, short = f"{right:g} of {rows}", f"{right:g}/{rows}"
    return f"train {long}", f"train {short}", long, short, percent(right / rows)


def sized(shape: tuple[int, ...]) -> str:
    """Return a shape in words that nobody takes for a value: 5×7, or 5 numbers."""
    if len(shape) == 1:
        return f"{shape[0]} numbers" if shape[0] != 1 else "1 number"
    return "×".join(map(str, shape))


def clipped(text: str, longest: int = _LONGEST) -> str:
    """Return a text that fits, its end left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def shortened(text: str, longest: int = _LONGEST - 2) -> str:
    """Return a text that fits, its middle left out: what tells ids apart is at their ends."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[len(text) - half :]}"
