"""The small part of Python in which the kernel is written, with what it needs besides.

Kernel functions run as they stand, under Python, and are compiled to machine code by
`compiler`: both give the same bits, since every operation is IEEE 754 arithmetic in a written
order, a comparison, or a move of bits. They may use

- whole numbers (64 bits), floats, truth values, and tables of them, told by annotations;
- `+ - *` and comparisons on all of them, `/` on floats whose divisor is never 0, `// % & | ^ <<
  >>` on whole numbers, `and or not`, and `x if condition else y`, which is compiled to a choice
  between two values that are both computed;
- `for … in range(…)`, `while` and `if`, but in functions of `scalar` that are marked as branching
  or none: the others are compiled for eight numbers at once, too;
- calls of other kernel functions and of the functions below.
"""

from __future__ import annotations

import math
import struct
from typing import Any

Whole = int
"""A whole number of 64 bits with a sign."""
Real = float
"""A number of the network's own precision: float64 or float32."""
Double = float
"""A float64, also in a network of float32."""
Cells = Any
"""The flat buffer of all values, numbers of the network's own precision."""
Wholes = Any
"""A table of whole numbers."""
Doubles = Any
"""A table of float64."""
Lanes = Any
"""Eight numbers of the network's own precision, side by side."""
Function = Any
"""A scalar function that a row applies to each number, chosen when the row is compiled."""

INFINITY = math.inf
NAN = math.nan
COMPILED = False
"""Whether this is machine code, where eight numbers at once cost what one does."""

_MASK = (1 << 64) - 1


def bits(x: float) -> int:
    """Return the bits of a float64 as a whole number with a sign."""
    found: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return found


def from_bits(n: int) -> float:
    """Return the float64 that 64 bits stand for; higher bits are dropped."""
    found: float = struct.unpack("<d", struct.pack("<Q", n & _MASK))[0]
    return found


def to_double(n: int) -> float:
    """Return a whole number as float64."""
    return float(n)


def to_whole(x: float) -> int:
    """Return a float64 of at most 2⁶² in size without what stands behind its point."""
    return int(x)


def divide(x: float, y: float) -> float:
    """Return x / y as IEEE 754 has it: ±Infinity or NaN where y is 0."""
    if y != 0:
        return x / y
    if x == 0 or x != x or y != y:
        return NAN
    return math.copysign(INFINITY, x) * math.copysign(1.0, y)


def sqrt(x: float) -> float:
    """Return √x, rounded correctly; NaN below 0."""
    return math.sqrt(x) if x >= 0 else (NAN if x < 0 else x)


def wrap(n: int) -> int:
    """Return the lowest 64 bits of a whole number, as a number with a sign."""
    n &= _MASK
    return n - (1 << 64) if n >> 63 else n


def shift_right(n: int, places: int) -> int:
    """Shift the 64 bits of a whole number to the right; zeros come in from the left."""
    return (n & _MASK) >> places


def multiply_high(a: int, b: int) -> int:
    """Return the upper 64 bits of the product of two numbers of 64 bits without a sign."""
    return wrap(((a & _MASK) * (b & _MASK)) >> 64)
