"""Equality of values that hold arrays, whose own `==` answers number by number."""

from __future__ import annotations

from collections.abc import Mapping
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


class ByContent:
    """A dataclass (with `eq=False`) that is equal to one of its class with equal fields."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # arrays have none

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [field.name for field in fields(self) if field.compare]  # type: ignore[arg-type]
        return all(equal(getattr(self, name), getattr(other, name)) for name in names)
