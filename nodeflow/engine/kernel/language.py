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
from collections.abc import Callable
from typing import Any, TypeVar

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

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])
Context = Any
"""Where a pass stands, see `CONTEXT`: read as attributes."""

CONTEXT = (
    "first", "samples", "number", "count", "tally", "call", "order", "feed", "stats",
    "begin", "end", "fed", "batch", "alone", "seed", "shuffled", "state", "test_rows",
    "test_most", "history", "states", "head", "tail", "test",
)  # fmt: skip
"""What a pass and a training need to know, in the order of its cells.

Of a pass: its first place in the order of the epoch's rows, how many samples it takes, its number
within the update, how many samples the update has, where its tallies begin, and the function to
call for a row that only Python can execute; then the order of the rows, the data, and the tallies.

Of a training: the first update and the one behind the last; rows of data and rows an update;
whether samples come one by one; the seed, and whether rows are shuffled; how many cells a
checkpoint copies; test rows, and how many are evaluated at once; where history and checkpoints
go; and where the rows of the head, of the tail and of the test begin.
"""

INFINITY = math.inf
NAN = math.nan
COMPILED = False
"""Whether this is machine code, where eight numbers at once cost what one does."""

_MASK = (1 << 64) - 1


def called(function: _Kernel) -> _Kernel:
    """Mark a function that is called where it is used many times, not written out in place."""
    function.__dict__["called"] = True
    return function


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


def to_real(n: int) -> float:
    """Return a whole number in the network's own precision."""
    return float(n)


# -- eight numbers side by side: compiled only, behind `if COMPILED`


def lanes(cells: Cells, at: int) -> Lanes:
    """Return eight cells from a place on; what lies behind a value's end is not to be used."""
    raise NotImplementedError


def first_lanes(cells: Cells, at: int, count: int) -> Lanes:
    """Return the first `count` of eight cells, all of them if there are more."""
    raise NotImplementedError


def put_first(cells: Cells, at: int, values: Lanes, count: int) -> None:
    """Write the first `count` of eight numbers, all of them if there are more."""
    raise NotImplementedError


def prefetch(cells: Cells, at: int) -> None:
    """Have a cell, and those of its line of memory, brought near, since they are read soon."""
    raise NotImplementedError


def spread(x: float) -> Lanes:
    """Return eight times the same number."""
    raise NotImplementedError


def add_first(total: Lanes, values: Lanes, count: int) -> Lanes:
    """Add the first `count` of eight numbers; the other lanes stay as they are."""
    raise NotImplementedError


def add_at(total: Lanes, x: float, lane: int) -> Lanes:
    """Add a number to one lane; the others stay as they are."""
    raise NotImplementedError


def set_lane(values: Lanes, x: float, number: int) -> Lanes:
    """Return eight numbers, one of which is x."""
    raise NotImplementedError


def lane(values: Lanes, number: int) -> float:
    """Return one of eight numbers; its number is written out."""
    raise NotImplementedError


# -- parts of a tape, run as a whole


def run_head(_: Cells, context: Context) -> None:
    """Run the rows of a pass."""
    context.run(context.head)


def run_tail(_: Cells, context: Context) -> None:
    """Run the rows that come once an update."""
    context.run(context.tail)


def run_test(_: Cells, context: Context) -> None:
    """Run the rows that evaluate cost and hits of the test rows."""
    context.run(context.test)


INTRINSICS = frozenset(
    {
        "bits", "from_bits", "to_double", "to_whole", "to_real", "divide", "sqrt", "wrap",
        "shift_right", "multiply_high", "lanes", "first_lanes", "put_first", "spread", "add_first",
        "add_at", "prefetch", "lane", "set_lane", "run_head", "run_tail", "run_test",
    }
)  # fmt: skip
"""What the compiler replaces by instructions."""
