"""The flat buffer: where each value lies, and the table of rows that work on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import NodeType
from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.registry import END, OPERATIONS
from nodeflow.engine.plan import Plan
from nodeflow.shape import Shape

Row = list[int]
"""The number of an operation, then its operands in their order."""
LINE = 16
"""So many numbers fill one line of memory (float32), or two (float64)."""
FEW_SAMPLES = 256
"""In passes of at most so many samples the parts of a whole lie side by side."""
_MANY = 256
"""Values of so many numbers begin at a line: eight numbers that are read at once lie in one."""


class Slot(NamedTuple):
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
    """What Python does for a node type without rows: its function on views of the buffer."""

    node: str
    type: NodeType
    settings: Mapping[str, Any]
    inputs: tuple[tuple[str, bool, tuple[tuple[Slot, Shape], ...]], ...]
    outputs: tuple[tuple[Slot, Shape], ...]
    activation: str = ""
    """Where a cost is computed from the weighted sums z before an activation: which one."""

    def compute(
        self, inputs: Mapping[str, Any], samples: int, probe: Callable[..., float] | None = None
    ) -> Any:
        """Return what the function gives for arrays; `probe` is for types that want the cost."""
        if self.activation:
            return self.type.in_sums[self.activation].function(inputs["z"], inputs["y"])
        return self.type.compute(inputs, self.settings, samples, probe)


@dataclass(frozen=True, slots=True)
class Product:
    """What BLAS does for a large product: out = left · right, each a slot and whether turned."""

    out: Slot
    left: Slot
    right: Slot
    turned: tuple[bool, bool]
    bias: Slot | None = None


@dataclass
class Tape:
    """The table, where each value lies, and what to put there first."""

    plan: Plan
    slots: dict[str, Slot]
    ops: NDArray[np.int64]
    spans: dict[str, tuple[int, int]]
    """First and last row of each node."""
    head: int
    """How many rows a pass over samples executes; the rest come once an update."""
    size: int
    state: int
    capacity: int
    literals: dict[int, float]
    arrays: dict[int, NDArray[np.float64]]
    calls: tuple[Call | Product, ...]
    rows: list[Row] = field(default_factory=list)
    """The rows of `ops` as they were made."""
    tallies: list[Row] = field(default_factory=list)
    """Those of them that add up cost and hits."""
    commits: list[Row] = field(default_factory=list)
    """Those of them that put new weights in place."""

    def literal(self, number: float) -> int:
        """Return the cell that holds a number, one that the layout has."""
        return next(at for at, held in self.literals.items() if held == number)

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
        self.forms: dict[int, tuple[int, int, int, Shape]] = {}
        """Rows, columns and cells of a value of each shape, by the shape's identity."""
        self.logits = plan.logits
        self.arrays: dict[int, NDArray[np.float64]] = {}
        self.rows: list[Row] = []
        self.calls: list[Call | Product] = []

    def take(self, count: int) -> int:
        """Return the first of so many new cells; many begin at a line of memory."""
        start = self.size
        if count >= _MANY:
            start += -start % LINE
        self.size = start + count
        return start

    def fresh(self, shape: Shape) -> Slot:
        """Return new cells for a value of this shape."""
        form = self.forms.get(id(shape))
        if form is None:  # an id is good for as long as its object is
            tall, wide = shape.flat
            cols = wide or 1
            rows = 0 if shape.batch else tall or 1
            form = self.forms[id(shape)] = rows, cols, (rows or self.capacity) * cols, shape
        rows, cols, count, _ = form
        return Slot(self.take(count), rows, cols, cols)

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

    def emit(self, name: str, **operands: int) -> None:
        """Add a row; operands that are not named are 0."""
        operation = OPERATIONS[name]
        self.rows.append([operation.number, *map(operands.get, operation.operands, repeat(0))])

    def whole(self, name: str, out: Slot, *places: int) -> None:
        """Add the row of an operation on all numbers of a value at once: its places, in order."""
        rows, cols = out.rows, out.cols
        self.rows.append([OPERATIONS[name].number, (rows or 1) * cols, out.offset, *places])

    def call(self, call: Call | Product) -> None:
        """Add a row that Python executes."""
        self.emit("python", call=len(self.calls))
        self.calls.append(call)

    # -- operations

    def elementwise(self, name: str, out: Slot, *parts: Slot) -> None:
        """Add the row of an operation number by number, with broadcasting."""
        offset, rows, cols, stride = out
        row = [OPERATIONS[name].number, rows, cols, offset, stride, 1]
        for at, tall, wide, step in parts:  # as `Slot.across` has it
            row += (at, 0 if tall == 1 else step, 1 if wide == cols else 0)
        self.rows.append(row)

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
                self.elementwise("copy", part, slot)
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
    fed = set(plan.graph.of_type("dataset", "constant"))
    for key in plan.order if fed else ():
        for port in plan.graph.type_of(key).outputs if key in fed else ():
            shape = plan.inference.shapes[f"{key}.{port.name}"]
            if shape.batch:
                columns[f"{key}.{port.name}"] = width, shape.features or 1
                width += shape.features or 1
    return Feed(columns, width)


def aligned(size: int, dtype: Any) -> NDArray[Any]:
    """Return a new buffer of zeros that begins at a line of memory."""
    item = np.dtype(dtype).itemsize
    found = np.zeros(size + LINE, dtype)
    begin = -(found.ctypes.data // item) % LINE
    return found[begin : begin + size]


def table(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return rows as a table: the number of the operation and its operands, filled up with 0."""
    found = np.zeros((len(rows), WIDTH), np.int64)
    lengths = np.fromiter(map(len, rows), np.intp, len(rows))
    numbers = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    found[np.arange(WIDTH) < lengths[:, np.newaxis]] = numbers
    return found


END_ROW: Row = [END]
"""The row at which a run of rows ends."""
