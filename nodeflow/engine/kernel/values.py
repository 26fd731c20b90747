"""Values in the assembly and their types; each type of one number has one of eight beside it."""

from __future__ import annotations

from dataclasses import dataclass

from nodeflow.engine.kernel.sources import Unsupported

LANES = 8
WHOLE, TRUTH, REAL, DOUBLE = "whole", "truth", "real", "double"
REALS, DOUBLES, WHOLES, TRUTHS = "reals", "doubles", "wholes", "truths"  # eight of each
TABLES = {"Cells": REAL, "Wholes": WHOLE, "Doubles": DOUBLE}
FIELDS = {
    "order": WHOLE, "feed": REAL, "stats": DOUBLE, "history": DOUBLE, "states": REAL,
}  # fmt: skip
EIGHT = {WHOLE: WHOLES, TRUTH: TRUTHS, REAL: REALS, DOUBLE: DOUBLES}
ONE = {eight: one for one, eight in EIGHT.items()}


@dataclass(frozen=True)
class Value:
    """A value in the assembly: its type, and its name or the constant itself."""

    type: str
    text: str
    number: int | float | None = None
    """What a constant is, which takes the type that it meets."""


def whole_value(number: int) -> Value:
    """Return a constant whole number."""
    return Value(WHOLE, str(number), number)


def truth_value(truth: bool) -> Value:  # noqa: FBT001 (what it is about)
    """Return a constant truth."""
    return Value(TRUTH, "true" if truth else "false", truth)


@dataclass
class Local:
    """A variable: its type, and where it lies."""

    type: str
    place: str


def annotated_type(annotation: str) -> str:
    """Return the type that an annotation stands for, "" for no result."""
    found = {
        "Whole": WHOLE, "Lanes": REALS, "Real": REAL, "float": REAL, "Double": DOUBLE,
        "None": "",
    }  # fmt: skip
    if annotation not in found:
        raise Unsupported(f"the kernel's language has no type '{annotation}'")
    return found[annotation]
