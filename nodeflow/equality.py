"""When values are the same: objects by identity, arrays by content.

The own `==` of an array answers number by number, and that of two large graphs takes long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal: arrays in shape and numbers, NaN like NaN."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        both = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
        return both and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, type(one)):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def identical(one: Sequence[object], other: Sequence[object], *by_content: type) -> bool:
    """Return whether two sequences hold the same objects; of some types, equal ones."""
    return len(one) == len(other) and all(
        a is b or (type(a) in by_content and a == b) for a, b in zip(one, other, strict=True)
    )


class ByContent:
    """A dataclass (with `eq=False`) that is equal to one of its class with equal fields."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # arrays have none

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in fields(self) if field.compare]  # type: ignore[arg-type]
        return all(equal(getattr(self, name), getattr(other, name)) for name in names)
