"""What enters a node type and what is typed into it: ports, settings, the marks of parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.errors import BadSetting, GraphError
from nodeflow.inert import Array, is_number

Value = Any
"""What a port carries: an array (samples, features), or of a parameter's own shape. It stands
for a wire as well when a node type is called to build a node, which no type can say."""


class Mark:
    """A note on a parameter's annotation."""

    def __init__(self, word: str) -> None:
        self.word = word


Many = Annotated[Any, Mark("many")]
"""An input port that takes several wires in order, joined along the features."""
Feedback = Annotated[Any, Mark("feedback")]
"""An optional input port whose wire closes a loop: its value comes from the update before."""
Samples = Annotated[int, Mark("samples")]
"""Not a setting: the engine fills in how many samples the update has."""
Probe = Annotated[Callable[..., float], Mark("probe")]
"""Not a setting: the engine fills in a function that takes other values for the inputs, which must
be parameters, and returns the cost J of the pass with them."""


@dataclass(frozen=True, slots=True)
class Range:
    """The ends of a number setting, both allowed, but for the upper one where it is `open`."""

    low: float | None = None
    high: float | None = None
    open: bool = False

    def __str__(self) -> str:
        low = f"from {self.low:g}" if self.low is not None else ""
        high = f"{'below' if self.open else 'up to'} {self.high:g}" if self.high is not None else ""
        return f"{low} {high}".strip()

    def holds(self, value: float) -> bool:
        """Return whether `value` lies inside."""
        if self.low is not None and value < self.low:
            return False
        if self.high is None:
            return True
        return value < self.high if self.open else value <= self.high


@dataclass(frozen=True, slots=True)
class Later:
    """Marks a setting that joined its type when there were files without it.

    A file holds it only where it was said, so that older files are saved with the same bytes.
    """


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output point of a node type."""

    name: str
    many: bool = False
    optional: bool = False
    feedback: bool = False

    def __str__(self) -> str:
        return self.name + ("…" if self.many else "") + ("?" if self.optional else "")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that is typed into a node. `kind` chooses the widget and what is allowed.

    Kinds: number, integer, flag, text, choice, array (numbers, nested), shape, index, target.
    """

    name: str
    kind: str
    default: Any = None
    range: Range | None = None
    choices: tuple[str, ...] = ()
    later: bool = False

    def check(self, value: Any, where: str) -> Any:
        """Return `value` as it is kept, or raise `BadSetting` with what is allowed."""
        if value is None and self.default is None:
            return None
        problem = _KINDS[self.kind](self, value)
        if problem:
            shown = str(value) if isinstance(value, Array) else json.dumps(value, default=str)
            shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
            raise BadSetting(f"{where}.{self.name} must be {problem}, not {shown}", node=None)
        return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def _number(setting: Setting, value: Any) -> str:
    if not is_number(value) or not _is_finite(value):
        return "a finite number" + (f" {setting.range}" if setting.range else "")
    if setting.range and not setting.range.holds(value):
        return f"a number {setting.range}"
    return ""


def _integer(setting: Setting, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "a whole number" + (f" {setting.range}" if setting.range else "")
    if setting.range and not setting.range.holds(value):
        return f"a whole number {setting.range}"
    return ""


def _flag(_: Setting, value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _text(_: Setting, value: Any) -> str:
    return "" if isinstance(value, str) else "a text"


def _choice(setting: Setting, value: Any) -> str:
    return "" if value in setting.choices else "one of " + ", ".join(setting.choices)


def _array(_: Setting, value: Any) -> str:
    if isinstance(value, Array):
        if value.values.ndim > 2 or not value.values.size:
            return "one or two-dimensional"
        return (
            "" if np.isfinite(value.values).all() else "finite numbers (it holds NaN or Infinity)"
        )

    if type(value) is tuple and {*map(type, value)} == {float} and all(map(math.isfinite, value)):
        return ""

    def ragged(part: Any, depth: int = 0) -> bool | str:
        if isinstance(part, str) and part in ("NaN", "Infinity", "-Infinity"):
            return "finite numbers (it holds NaN or Infinity)"
        if is_number(part):
            return False if _is_finite(part) else "finite numbers (it holds NaN or Infinity)"
        if not isinstance(part, tuple | list) or depth == 2 or not part:
            return True
        for inner in part:
            problem = ragged(inner, depth + 1)
            if problem:
                return problem
        rows = {len(inner) if isinstance(inner, tuple | list) else -1 for inner in part}
        return len(rows) > 1

    problem = ragged(value)
    if isinstance(problem, str):
        return problem
    return "a number, a list of numbers, or a list of rows of equal length" if problem else ""


def _shape(_: Setting, value: Any) -> str:
    good = (
        isinstance(value, tuple | list)
        and 1 <= len(value) <= 2
        and all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in value)
    )
    if not good:
        return "one or two whole numbers above 0, such as [5, 7]"
    return "" if math.prod(value) <= _MOST else f"at most {_MOST:,} numbers in all"


def _index(_: Setting, value: Any) -> str:
    def whole(part: Any) -> bool:
        return isinstance(part, int) and not isinstance(part, bool) and part >= 0

    good = whole(value) or (
        isinstance(value, tuple | list) and len(value) > 0 and all(whole(part) for part in value)
    )
    return "" if good else "a feature's number from 0, or a list of them"


def _target(_: Setting, value: Any) -> str:
    def column(part: Any) -> bool:
        return isinstance(part, str | int) and not isinstance(part, bool)

    good = column(value) or (
        isinstance(value, tuple | list) and len(value) > 0 and all(column(part) for part in value)
    )
    return "" if good else "a column's name or number, or a list of them"


def _formula(_: Setting, value: Any) -> str:
    if not isinstance(value, str):
        return "a formula such as 'a + b'"
    try:
        formulas.parse(value)
    except GraphError as error:
        return f"a formula that can be read ({error})"
    return ""


_KINDS: dict[str, Callable[[Setting, Any], str]] = {
    "number": _number,
    "integer": _integer,
    "flag": _flag,
    "text": _text,
    "choice": _choice,
    "array": _array,
    "shape": _shape,
    "index": _index,
    "target": _target,
    "formula": _formula,
}

ArrayValue = Annotated[Any, Mark("array")]
ShapeValue = Annotated[Any, Mark("shape")]
IndexValue = Annotated[Any, Mark("index")]
TargetValue = Annotated[Any, Mark("target")]
FormulaValue = Annotated[str, Mark("formula")]
SETTING_MARKS = ("array", "shape", "index", "target", "formula")


_MOST = 100_000_000
