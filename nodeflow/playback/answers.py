"""Answers that a person types: read, and held against the number that was calculated.

An answer is right if one of these holds, x being the number:

- it is off by 1 % of x at most;
- it is off by 0.005 at most, but not by more than a tenth of x (where x is 0 to twelve decimals
  only the 0.005 count): a small gradient is not answered by 0, nor by its opposite;
- it is x rounded to the digits that were typed, and their last place is not above the first digit
  of x: 0.6 is right for 0.5987, 1 is not.

Of a weight's new value x is the change alone: who answers with the old weight is wrong, however
little it changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

NOTE = (
    "right within 1 % or 0.005 (never more than a tenth of the number), "
    "or rounded to the digits that you type"
)
_RELATIVE, _ABSOLUTE, _MOST, _NOTHING = 0.01, 0.005, 0.1, 1e-12
_DECIMAL = r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)"
_NUMBER = re.compile(
    rf"(?P<top>[+-]?{_DECIMAL}(?:[eE][+-]?[0-9]+)?)(?:/(?P<below>[+-]?{_DECIMAL}))?"
)
_LONGEST = 60
_MINUS = str.maketrans("−–", "--")

SIGNS = {
    1: ("up", "rise", "rises", "+", "positive", "more", "1", "↑"),
    -1: ("down", "fall", "falls", "-", "negative", "less", "-1", "↓"),
    0: ("same", "stay", "stays", "0", "equal", "unchanged", "="),
}
HITS = {1: ("hit", "yes", "right", "1"), 0: ("miss", "no", "wrong", "0")}


class Answer(NamedTuple):
    """A number that was typed; `place` is what its last digit counts, 0 for a fraction.

    How exact it must be follows from how far the number is from `base`.
    """

    value: float
    place: float = 0.0
    base: float = 0.0

    def meets(self, expected: float) -> bool:
        """Return whether the answer is right for this number."""
        size, off = abs(expected - self.base), abs(self.value - expected)
        absolute = _ABSOLUTE if size < _NOTHING else min(_ABSOLUTE, _MOST * size)
        slack = 1 + 1e-9  # a decimal fraction is seldom a float
        if off <= slack * max(_RELATIVE * size, absolute):
            return True
        return size * slack >= self.place and off <= slack * self.place / 2


def read_number(text: str) -> Answer | None:
    """Return the number in "0.38", "0,38", "−3", "2/3" or "1e-3"; None if there is none."""
    typed = text.translate(_MINUS).replace(" ", "")
    found = _NUMBER.fullmatch(typed) if len(typed) <= _LONGEST else None
    if found is None:
        return None
    top = found["top"].replace(",", ".").lower()
    value = float(top)
    if found["below"] is not None:
        below = float(found["below"].replace(",", "."))
        fraction = value / below if below else math.inf
        return Answer(fraction) if math.isfinite(fraction) else None
    digits, _, power = top.partition("e")
    decimals = len(digits.partition(".")[2])
    if not math.isfinite(value) or abs(int(power or 0)) > 300:
        return None
    return Answer(value, 10.0 ** (int(power or 0) - decimals))


def no_number(text: str) -> str:
    """Say that what was typed is no number, and what one is like."""
    return f"{quoted(text)} is no number: type one such as 0.25, −3 or 2/3"


def quoted(text: str) -> str:
    """Return what was typed in quotation marks, in one line and not too long."""
    typed = " ".join(text.split())
    return f"'{typed}'" if len(typed) <= 40 else f"'{typed[:39]}…'"


def read_word(text: str, meanings: Mapping[int, tuple[str, ...]]) -> int | None:
    """Return what a typed word means (`SIGNS`, `HITS`); None if it is none of them."""
    typed = text.translate(_MINUS).strip().lower()
    return next((sign for sign, words in meanings.items() if typed in words), None)
