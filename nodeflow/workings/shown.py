"""Numbers as a person writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LISTED = 4
"""Numbers of an array that are listed."""


def show(number: Any) -> str:
    """Return a number as a person writes it: at most 4 significant digits after the lead."""
    value = float(number) + 0.0  # −0 is 0 to a person
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "−Infinity"
    text = f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3e}"
    if abs(value) >= 0.1 and "e" not in text and float(text) != round(value, 4):
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def short(value: NDArray[Any], most: int = LISTED) -> str:
    """Return an array in one line, its first numbers shown."""
    flat = np.ravel(value)
    if flat.size == 1:
        return show(flat[0])
    shown = ", ".join(show(number) for number in flat[:most])
    return f"[{shown}{', …' if flat.size > most else ''}]"
