"""Rows of parts become rows of the whole again, where a layer is taken apart.

Neurons do the same to numbers that lie evenly spaced; one row that does it to all of them costs
much less than a row each. Every cell is still written, with the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from nodeflow.engine.cells import Row
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS

_MOST = 256
"""A row that touches more cells gains nothing from company, and stays where it is."""


def coalesced(rows: list[Row], *, alone: bool) -> list[Row]:
    """Return the rows joined, if that makes fewer of them.

    Rows move past each other only where neither touches what the other one writes, so that each
    number is what it was. Values of all samples of a pass lie apart from each other, or side by
    side in lines of one length: so it is enough to look at those of the first one. `alone` tells
    that there is no other.
    """
    found: list[Row] = []
    movable: list[_Touched] = []
    for row in rows:
        touched = _touched(row, alone=alone)
        if touched:
            movable.append(touched)
        else:
            found += [*_packed(movable), row]
            movable = []
    found += _packed(movable)
    return min(rows, found, key=len)


@dataclass(frozen=True, slots=True)
class _Growth:
    """How a row grows by the one that lies right behind it."""

    count: str
    """The operand that says how many there are: the only number that becomes another."""
    vectors: tuple[str, ...]
    """Places that lie as many cells farther on in the row behind."""
    matrices: tuple[str, ...] = ()
    """Places that lie `count` rows of a matrix farther on."""
    width: str = ""
    """The operand that says how long a row of the matrix is."""
    others: tuple[tuple[str, str], ...] = ()
    """What it reads besides: a place, and the operand that says how many cells ("" for one)."""


_GROWTHS = {
    "weighted_sum": _Growth("cols", ("dst", "bias"), ("weights",), "inner", (("a", "inner"),)),
    "step_weights": _Growth(
        "outputs", ("delta",), ("dst",), "cols", (("a", "cols"), ("rate", ""), ("decay", ""))
    ),
    "step_bias": _Growth("cols", ("dst", "delta"), others=(("rate", ""), ("decay", ""))),
    "step_total": _Growth("size", ("dst", "total"), others=(("rate", ""), ("decay", ""))),
    "average": _Growth("size", ("dst", "total", "theta"), others=(("decay", ""),)),
    "update": _Growth("size", ("dst", "theta", "gradient"), others=(("rate", ""),)),
    "accumulate": _Growth("size", ("dst", "gradient")),
    "copy_cells": _Growth("size", ("dst", "a")),
}
_ELEMENTWISE = {"each_of_one": 1, "each_of_two": 2, "each_of_three": 3}
_COPY, _MULTIPLY = OPERATIONS["copy"].number, OPERATIONS["multiply"].number


@dataclass(frozen=True, slots=True)
class _Grid:
    """Numbers of one operation, evenly spaced: places and strides of the result and operands."""

    op: int
    rows: int
    cols: int
    at: tuple[int, ...]
    across: tuple[int, ...]
    down: tuple[int, ...] = ()
    level: int = 0
    """How many others its last line must wait for."""
    samples: tuple[int, ...] = ()
    """Of several samples: rows as the row has them, and the strides from one to the next."""

    def cells(self) -> list[range]:
        """Return the cells of the result and of the operands, while it is a single line."""
        counts = (self.cols if stride else 1 for stride in self.across)
        return [range(at, at + count) for at, count in zip(self.at, counts, strict=True)]

    def _steps(self, other: _Grid) -> tuple[int, ...]:
        return tuple(b - a for a, b in zip(self.at, other.at, strict=True))

    def longer(self, other: _Part) -> _Grid | None:
        """Return both as one line; None where they are not single numbers, evenly spaced."""
        if not isinstance(other, _Grid) or (other.op, other.cols) != (self.op, 1):
            return None
        if other.samples != self.samples:
            return None
        steps = self._steps(other)
        if self.cols == 1:
            return replace(self, cols=2, across=steps)
        even = steps == tuple(self.cols * stride for stride in self.across)
        return replace(self, cols=self.cols + 1) if even else None

    def taller(self, other: _Part) -> _Grid | None:
        """Return both as one grid; None where they are not lines alike, evenly spaced."""
        if self.samples or not isinstance(other, _Grid):
            return None
        if (other.op, other.cols) != (self.op, self.cols) or other.samples:
            return None
        steps = self._steps(other)
        if self.cols > 1 and other.across != self.across:
            return None
        down = self.down or steps
        if steps != tuple(self.rows * stride for stride in down):
            return None
        # Lines without a gap are executed as one: then none may wait for another.
        dense = set(down) == {self.cols} and set(self.across) == {1}
        if dense and other.level != self.level:
            return None
        return replace(self, rows=self.rows + 1, down=down, level=other.level)

    def emit(self) -> Row:
        """Return the row."""
        rows, *down = self.samples or (self.rows, *(self.down or (0,) * len(self.at)))
        places = zip(self.at, down, self.across, strict=True)
        return [self.op, rows, self.cols, *(number for place in places for number in place)]


@dataclass(frozen=True, slots=True)
class _Whole:
    """A row that may grow by another one beside it."""

    row: Row
    growth: _Growth

    @property
    def op(self) -> int:
        """The operation."""
        return self.row[0]

    @property
    def at(self) -> tuple[int, ...]:
        """The place of the result."""
        return (self.operands()["dst"],)

    def operands(self) -> dict[str, int]:
        """Return the operands by name."""
        return dict(zip(BY_NUMBER[self.row[0]].operands, self.row[1:], strict=True))

    def longer(self, other: _Part) -> _Whole | None:
        """Return both as one row; None where the other one does not lie right beside."""
        if not isinstance(other, _Whole) or other.op != self.op:
            return None
        growth, own, its = self.growth, self.operands(), other.operands()
        count = own[growth.count]
        behind = dict(own)
        for name in growth.vectors:
            behind[name] += count if own[name] >= 0 else 0
        for name in growth.matrices:
            behind[name] += count * own[growth.width]
        behind[growth.count] = its[growth.count]
        if its != behind:
            return None
        own[growth.count] += its[growth.count]
        return _Whole([self.op, *own.values()], growth)

    def emit(self) -> Row:
        """Return the row."""
        return self.row


_Part = _Grid | _Whole
_Touched = tuple[_Part, list[range], list[range]]
"""A row with the cells that it reads and those that it writes."""


def _touched(row: Row, *, alone: bool) -> _Touched | None:
    """Return what a row touches; None where it stays in its place: large ones, rare operations."""
    operation = BY_NUMBER[row[0]]
    operands = dict(zip(operation.operands, row[1:], strict=True))
    if alone and operands.get("rows", 1) == 0:
        operands["rows"] = 1
    grid = _grid(operation.name, operation.function.__name__, row[0], operands, alone=alone)
    if grid:
        result, *read = grid.cells()
        return grid, read, [result]
    growth = _GROWTHS.get(operation.name)
    if growth is None or operands.get("rows", 1) > 1:
        return None
    for stride in ("dst_r", "a_r", "delta_r"):
        if alone and stride in operands:
            operands[stride] = 0  # of a single row
    count = operands[growth.count]
    sizes = dict.fromkeys(growth.vectors, count)
    sizes |= dict.fromkeys(growth.matrices, count * operands.get(growth.width, 0))
    sizes |= {name: operands[size] if size else 1 for name, size in growth.others}
    ranges = {
        name: range(operands[name], operands[name] + size)
        for name, size in sizes.items()
        if operands[name] >= 0
    }
    if sum(map(len, ranges.values())) > _MOST:
        return None
    part = _Whole([row[0], *operands.values()], growth)
    # a step reads what it writes; whatever else is written is read as well at the most
    return part, list(ranges.values()), [ranges["dst"]]


def _grid(name: str, kind: str, op: int, operands: dict[str, int], *, alone: bool) -> _Grid | None:
    """Return a row as a grid, if it is small and one line of numbers in each sample."""
    at: tuple[int, ...]
    across: tuple[int, ...]
    samples: tuple[int, ...] = ()
    if operands.get("rows") not in ((1,) if alone else (0, 1)):
        return None
    if kind in _ELEMENTWISE:
        names = ("dst", *"abc"[: _ELEMENTWISE[kind]])
        at = tuple(operands[name] for name in names)
        across = tuple(operands[f"{name}_c"] for name in names)
        if not alone:
            samples = (operands["rows"], *(operands[f"{name}_r"] for name in names))
    elif not alone:
        return None
    elif name == "bias_gradient":
        op, at, across = _COPY, (operands["dst"], operands["delta"]), (1, 1)
    elif name == "blame" and operands["inner"] == 1:
        at = (operands["dst"], operands["delta"], operands["weights"])
        op, across = _MULTIPLY, (1, 0, 1)
    elif name == "weight_gradient" and operands["outputs"] == 1:
        at = (operands["dst"], operands["delta"], operands["a"])
        op, across = _MULTIPLY, (1, 0, 1)
    else:
        return None
    cols = operands["cols"]
    if cols > _MOST // 4:
        return None
    return _Grid(op, 1, cols, at, across, samples=samples)


def _packed(movable: list[_Touched]) -> list[Row]:
    """Order rows by how many others they must wait for, and join those that are alike."""
    written: dict[int, int] = {}  # cell: the level at which it is written last
    read: dict[int, int] = {}
    kinds: dict[tuple[int, int], int] = {}
    order: list[tuple[int, int, int, int]] = []
    for number, (part, reads, writes) in enumerate(movable):
        before = [written.get(cell, 0) for cells in (*reads, *writes) for cell in cells]
        before += [read.get(cell, 0) for cells in writes for cell in cells]
        level = 1 + max(before, default=0)
        for cells in reads:
            read |= {cell: max(level, read.get(cell, 0)) for cell in cells}
        for cells in writes:
            written |= dict.fromkeys(cells, level)
        kind = kinds.setdefault((level, part.op), len(kinds))
        order.append((level, kind, part.at[0], number))
        if isinstance(part, _Grid):
            movable[number] = (replace(part, level=level), reads, writes)
    lines: list[_Part] = []
    # Rows of one level wait for none of their own level; those of a kind do the same besides.
    for _, alike in groupby(sorted(order), key=itemgetter(1)):
        parts = [movable[number][0] for *_, number in alike]
        lines += _paired(parts, lambda one, other: one.longer(other))
    grids = _paired(lines, lambda one, other: one.taller(other) if isinstance(one, _Grid) else None)
    return [part.emit() for part in grids]


def _paired(parts: list[_Part], join: Callable[[_Part, _Part], _Part | None]) -> list[_Part]:
    """Join each part with the one before it, where that can be done."""
    found: list[_Part] = []
    for part in parts:
        both = join(found[-1], part) if found else None
        if both:
            found[-1] = both
        else:
            found.append(part)
    return found
