"""The flat buffer: where each value lies, and the table of rows that work on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import NodeType
from nodeflow.engine import ops as o
from nodeflow.engine.plan import Plan
from nodeflow.shape import Shape

Row = list[int]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value lies: `rows` 0 stands for one row a sample."""

    offset: int
    rows: int
    cols: int
    stride: int

    @property
    def size(self) -> int:
        """How many numbers an unbatched value has."""
        return max(self.rows, 1) * self.cols

    def across(self, cols: int) -> tuple[int, int, int]:
        """Return offset, row stride and column stride for an operation over `cols` columns."""
        stride = 0 if self.rows == 1 else self.stride
        return self.offset, stride, 1 if self.cols == cols else 0


@dataclass(frozen=True, slots=True)
class Call:
    """What a PYTHON row does: a node type's function on views of the buffer."""

    node: str
    type: NodeType
    settings: Mapping[str, Any]
    inputs: tuple[tuple[str, bool, tuple[tuple[Slot, Shape], ...]], ...]
    outputs: tuple[tuple[Slot, Shape], ...]
    activation: str = ""
    """Where a cost is computed from the weighted sums z before an activation: which one."""

    def compute(self, inputs: Mapping[str, Any], samples: int) -> Any:
        """Return what the function gives for arrays."""
        if self.activation:
            return self.type.in_sums[self.activation].function(inputs["z"], inputs["y"])
        return self.type.compute(inputs, self.settings, samples)


@dataclass
class Tape:
    """The table, where each value lies, and what to put there first."""

    plan: Plan
    slots: dict[str, Slot]
    ops: NDArray[np.uint64]
    spans: dict[str, tuple[int, int]]
    """First and last row of each node."""
    head: int
    """How many rows a pass over samples executes; the rest come once an update."""
    size: int
    state: int
    capacity: int
    literals: dict[int, float]
    arrays: dict[int, NDArray[np.float64]]
    calls: tuple[Call, ...]
    fast: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, o.WIDTH), np.uint64))
    """The rows for full speed: dead ones left out, gradient and update fused."""
    fast_head: int = 0
    forward: int = 0
    """How many of the fast rows come before the updates."""
    loads: int = 0
    needed: frozenset[str] = frozenset()
    """The nodes that an update, the cost or the accuracy depends on."""

    def cells(self, dtype: Any) -> NDArray[Any]:
        """Return a new buffer with the literals and constants in place."""
        found = np.zeros(self.size, dtype)
        self.put_literals(found)
        return found

    def put_literals(self, cells: NDArray[Any]) -> None:
        """Put literals and constants into a buffer."""
        for offset, number in self.literals.items():
            cells[offset] = number
        for offset, array in self.arrays.items():
            cells[offset : offset + array.size] = array.ravel()


class Layout:
    """Hands out cells and collects rows."""

    def __init__(self, plan: Plan, capacity: int, feed: Feed) -> None:
        self.plan, self.capacity, self.feed = plan, capacity, feed
        self.size = 0
        self.slots: dict[str, Slot] = {}
        self.literals: dict[int, float] = {}
        self.known: dict[float, Slot] = {}
        self.arrays: dict[int, NDArray[np.float64]] = {}
        self.rows: list[Row] = []
        self.calls: list[Call] = []

    def take(self, count: int) -> int:
        """Return the first of so many new cells."""
        start = self.size
        self.size += count
        return start

    def fresh(self, shape: Shape) -> Slot:
        """Return new cells for a value of this shape."""
        tall, wide = shape.flat
        rows, cols = tall or 1, wide or 1
        if shape.batch:
            return Slot(self.take(self.capacity * cols), 0, cols, cols)
        return Slot(self.take(rows * cols), rows, cols, cols)

    def literal(self, number: float) -> Slot:
        """Return the cell that holds a number; equal numbers share one."""
        if number not in self.known:
            slot = Slot(self.take(1), 1, 1, 1)
            self.literals[slot.offset] = number
            self.known[number] = slot
        return self.known[number]

    def contiguous(self, slot: Slot) -> bool:
        """Return whether a value's numbers follow each other without gaps."""
        return slot.stride == slot.cols or slot.rows == 1 or (slot.rows == 0 and self.capacity == 1)

    def emit(self, op: int, **columns: int) -> None:
        """Add a row."""
        row = [0] * o.WIDTH
        row[o.OP] = op
        for name, value in columns.items():
            row[getattr(o, name)] = value
        self.rows.append(row)

    # -- operations

    def elementwise(self, op: int, out: Slot, a: Slot, b: Slot | None = None) -> None:
        """Add the row of an operation number by number, with broadcasting."""
        at, a_r, a_c = a.across(out.cols)
        columns = {
            "ROWS": out.rows, "COLS": out.cols, "DST": out.offset, "DST_R": out.stride,
            "A": at, "A_R": a_r, "A_C": a_c,
        }  # fmt: skip
        parts = [out, a]
        if b is not None:
            by, b_r, b_c = b.across(out.cols)
            columns |= {"B": by, "B_R": b_r, "B_C": b_c}
            parts.append(b)
        alike = all(
            part.cols == out.cols and self.contiguous(part) and part.rows == out.rows
            for part in parts
        )
        if alike:
            op = o.FLAT.get(op, op)
        elif (
            op == o.MULTIPLY
            and b is not None
            and (a.rows, a.cols) == (1, 1)
            and all(
                p.cols == out.cols and self.contiguous(p) and p.rows == out.rows for p in (out, b)
            )
        ):
            op = o.SCALE
        self.emit(op, **columns)

    def joined(self, slots: Sequence[Slot]) -> Slot:
        """Return the slots as one value, without copying where they lie side by side."""
        if len(slots) == 1:
            return slots[0]
        width = sum(slot.cols for slot in slots)
        at = slots[0].offset
        for slot in slots:
            if slot.offset != at or slot.rows != slots[0].rows or slot.stride != slots[0].stride:
                break
            at += slot.cols
        else:
            return Slot(slots[0].offset, slots[0].rows, width, slots[0].stride)
        batch = any(slot.rows == 0 for slot in slots)
        out = self.fresh(Shape((width,), batch=True) if batch else Shape((1, width)))
        self.copy_parts(out, slots)
        return out

    def copy_parts(self, out: Slot, slots: Sequence[Slot]) -> None:
        """Add rows that put values side by side into `out`, where they are not there yet."""
        at = 0
        for slot in slots:
            part = Slot(out.offset + at, out.rows, slot.cols, out.stride)
            if part.offset != slot.offset:
                self.elementwise(o.COPY, part, slot)
            at += slot.cols


@dataclass(frozen=True)
class Feed:
    """How the rows of all fed ports lie in the feed: side by side, a line a row."""

    columns: Mapping[str, tuple[int, int]]
    """First column and number of columns of each fed port."""
    width: int


def feed_layout(plan: Plan) -> Feed:
    """Return how the rows of data sets, and of constants that hold several, are fed."""
    columns: dict[str, tuple[int, int]] = {}
    width = 0
    for key in plan.order:
        type_ = plan.graph.type_of(key)
        for port in type_.outputs if type_.name in ("dataset", "constant") else ():
            shape = plan.inference.shapes[f"{key}.{port.name}"]
            if shape.batch:
                columns[f"{key}.{port.name}"] = width, shape.features or 1
                width += shape.features or 1
    return Feed(columns, width)


def table(rows: list[Row]) -> NDArray[np.uint64]:
    """Return rows as the table that the kernel reads."""
    return np.array(rows, dtype=np.uint64).reshape(len(rows), o.WIDTH)
