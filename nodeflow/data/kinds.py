"""Whether targets are classes or numbers: one rule for tables, arrays and images.

1. Texts are classes, and so are TRUE and FALSE.
2. Numbers with fractions are numbers.
3. Whole numbers that are only 0 and 1 are two classes.
4. Whole numbers that all differ, or that hardly repeat (fewer than two rows a value), are numbers.
5. Up to 10 different whole numbers are classes, but with more than two of 1,000 and above they
   are numbers: prices and years, not codes.
6. More are classes if they count from 0 or 1 without a gap and are balanced: each is there at
   least twice, and a tenth as often as the average. Otherwise they are numbers.

`target_kind` overrides all of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW, CODES_BELOW, MOST_CLASSES = 10, 1000, 1000


def distinct(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the different values in order, and how often each is there; `values` has no NaN.

    `np.unique` does the same but imports masked arrays, which takes as long as reading a table.
    """
    ordered = np.sort(values, axis=None)
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(ordered)])
    return ordered[begins], np.diff(begins, append=len(ordered))


def whole_numbers(values: NDArray[Any]) -> bool:
    """Tell whether all values are finite and without a fraction."""
    return bool(np.isfinite(values).all() and (values == np.round(values)).all())


def looks_like_classes(values: NDArray[Any]) -> tuple[bool, str]:
    """Return whether numbers are classes by the rule above, and why; `values` has no NaN."""
    values = values.ravel()
    if not whole_numbers(values):
        return False, "they have fractions"
    different, counts = distinct(values)
    many = len(different)
    if set(different.tolist()) <= {0, 1}:
        return True, "only 0 and 1"
    if many == len(values):
        return False, f"all {many} values differ" if many > 1 else "a single value"
    if many == 1:
        return True, "a single value"
    if len(values) < 2 * many:
        return False, f"{many} different values in {len(values)} rows"
    if many <= 2:
        return True, "two whole numbers"
    low, high = int(different[0]), int(different[-1])
    if many <= FEW:
        if max(-low, high) >= CODES_BELOW:
            return False, f"whole numbers up to {high:,}"
        return True, f"{many} whole numbers that repeat"
    counting = low in (0, 1) and high - low + 1 == many
    if counting and many <= MOST_CLASSES and counts.min() >= max(2, len(values) / many / 10):
        return True, f"they count from {low} to {high}, each {counts.min()} times or more"
    return False, f"{many} different whole numbers"
