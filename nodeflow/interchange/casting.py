"""Casts: numbers that a program makes into those of another type, by what it does to them.

Nodes have real numbers of double precision. A cast to a type that is at least as fine does nothing
to them. One to float32, float16 or bfloat16 rounds there and not here, which is said; what makes
other numbers (whole ones, truths, the few values of float8) has no counterpart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeflow.interchange.layers import Floats, Missing, as_floats

_DIGITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
"""Real numbers by how many binary digits they have."""
_ALSO = {"double": "float64", "float": "float32", "half": "float16", "boolean": "bool",
         "long": "int64", "int": "int32", "short": "int16"}  # fmt: skip
"""Other names for types of numbers."""
_SHOWN = 3


class Casts:
    """The casts of a program, as it is read."""

    def __init__(self) -> None:
        self._rounding: dict[str, list[str]] = {}
        self._quantised: list[str] = []

    def taken(self, name: str, what: str, before: str | None, after: str | None) -> Missing | None:
        """Take a cast between types of numbers; return what is missing, or None if it can go.

        A type that is not known is None, and taken for real numbers.
        """
        one, other = spelled(before), spelled(after)
        if one == other or other in (None, "undefined") or _holds(one, other):
            return None
        if other in _DIGITS:
            self._rounding.setdefault(str(other), []).append(name)
            return None
        if other == "bool":
            why = "it makes truths of numbers, and nodes have real ones"
        elif other == "string":
            why = "it makes texts of numbers"
        elif str(other).startswith(("int", "uint")):
            why = f"it makes whole numbers of type {other}, and nodes have real ones"
        else:
            why = f"it leaves the few numbers that {other} has, and nodes have all real ones"
        return Missing(name, what, why)

    def rounds(self, names: list[str], kind: str) -> None:
        """Take layers that compute in a type of numbers; double precision needs no word."""
        if kind in _DIGITS and kind != "float64":
            self._rounding.setdefault(kind, []).extend(names)

    def quantises(self, name: str) -> None:
        """Take what holds numbers as a few whole ones and a scale, and gives real ones again."""
        self._quantised.append(name)

    def notes(self) -> list[str]:
        """Return what is to be said of those that round."""
        every = [(names, f"to {kind}") for kind, names in self._rounding.items()]
        every += [(self._quantised, "to whole multiples of a scale")] if self._quantised else []
        found = []
        for names, to in every:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            listed = ", ".join(f"'{name}'" for name in names[:_SHOWN])
            verb = "round" if len(names) > 1 else "rounds"
            found.append(f"{listed}{more} {verb} {to} there; here numbers stay as they are")
        return found


def spelled(kind: str | None) -> str | None:
    """Return a type of numbers as NumPy calls it."""
    if kind is None:
        return None
    name = kind.lower().removeprefix("torch.")
    return _ALSO.get(name, name)


def _holds(one: str | None, other: str | None) -> bool:
    """Return whether each number of a type is one of the other type."""
    if one in _DIGITS and other in _DIGITS:
        fits = _DIGITS[other] >= _DIGITS[one]
        return fits and (one, other) != ("bfloat16", "float16")
    if one in _DIGITS or one is None:
        return other == "float64"
    if other in _DIGITS:
        return True  # whole numbers, truths and float8: as real numbers they are what they were
    try:
        return np.can_cast(np.dtype(one), np.dtype(other), "safe")
    except TypeError:
        return False


def rounded(array: Any, kind: str | None) -> Floats | None:
    """Return numbers that are known as a cast leaves them, as float64; None if that is unknown."""
    name = spelled(kind)
    floats = np.asarray(array, np.float64)
    with np.errstate(all="ignore"):
        if name == "bool":
            return np.asarray(floats != 0, np.float64)
        if name == "bfloat16":
            return _bfloat16(floats)
        try:
            return as_floats(floats.astype(np.dtype(name)), "", [])
        except TypeError:
            return None


def _bfloat16(floats: Floats) -> Floats:
    """Round to the nearest of eight digits, to the even one between two: the upper half of a float.

    float64 is rounded to float32 first, as programs do.
    """
    bits = floats.astype(np.float32).view(np.uint32)
    up = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    cut = (np.where(np.isnan(floats), bits, up) & np.uint32(0xFFFF0000)).astype(np.uint32)
    return cut.view(np.float32).astype(np.float64)
