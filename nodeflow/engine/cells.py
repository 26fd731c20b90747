"""The flat buffer: where each value lies, and the table of rows that work on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.declare import NodeType
from nodeflow.derive.logits import Logits
from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.registry import END, OPERATIONS, Operation
from nodeflow.engine.kernel.sums import order_of_addition
from nodeflow.engine.plan import Plan
from nodeflow.shape import Shape

BLAS_FROM = 600_000
"""Multiplications from which a product is handed to BLAS: below, calling it costs too much."""
_SIGNS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
          "max": "maximum", "min": "minimum"}  # fmt: skip
"""The operations of signs in a formula; functions are called the same in both."""


def operation_of(head: str) -> Operation:
    """Return the operation of a sign or a function in a formula."""
    head = "**" if head == "^" else head
    return OPERATIONS[_SIGNS.get(head, head)]


Row = list[int]
"""The number of an operation, then its operands in their order."""
LINE = 16
"""Numbers that fill one cache line of 64 bytes (float32), or two (float64)."""
FEW_SAMPLES = 256
"""The most samples of a pass for which the parts of a whole lie side by side."""
_MANY = 256
"""Numbers from which a value begins at a cache line: eight that are read at once lie in one."""


class Slot(NamedTuple):
    """Where a value lies: `rows` 0 stands for one row per sample."""

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

    def of_features(self, first: int, count: int) -> Slot:
        """Return where `count` features of it lie, from the `first` on."""
        return Slot(self.offset + first, self.rows, count, self.stride)

    def as_matrix(self, rows: int, cols: int) -> Slot:
        """Return it as a matrix of another form, of numbers that follow each other."""
        return Slot(self.offset, rows, cols, cols)


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


@dataclass(eq=False)
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

    # -- cells

    @property
    def loops(self) -> bool:
        """Whether an update goes through its samples one by one."""
        return self.plan.loop

    def like(self, value: Slot, cols: int | None = None) -> Slot:
        """Return new cells for a value with the rows of another one, and its columns or `cols`."""
        wide = value.cols if cols is None else cols
        return self.fresh(
            Shape((wide,), batch=True) if value.rows == 0 else Shape((value.rows, wide))
        )

    def cells_of(self, numbers: Sequence[float]) -> int:
        """Return the first of new cells that hold these numbers."""
        at = self.take(len(numbers))
        for place, number in enumerate(numbers):
            self.literals[at + place] = float(number)
        return at

    def number(self, value: float) -> int:
        """Return a cell of its own for a number: it can be changed while equal ones stay."""
        at = self.take(1)
        self.arrays[at] = np.array([value])
        return at

    # -- operations

    def is_large(self, rows: int, cols: int, inner: int, *values: Slot) -> bool:
        """Return whether BLAS is to make rows × cols sums of so many products.

        The values must have the same rows, without gaps.
        """
        alike = len({value.rows for value in values}) == 1
        dense = alike and all(map(self.contiguous, values))
        return dense and (rows or self.capacity) * cols * inner >= BLAS_FROM

    def product(self, out: Slot, left: Slot, right: Slot, turned: tuple[bool, bool]) -> None:
        """Let BLAS make out = left · right, each turned or not."""
        self.call(Product(out, left, right, turned))

    def elementwise(self, name: str, out: Slot, *parts: Slot) -> None:
        """Add the row of an operation number by number, with broadcasting."""
        offset, rows, cols, stride = out
        row = [OPERATIONS[name].number, rows, cols, offset, stride, 1]
        for at, tall, wide, step in parts:  # as `Slot.across` has it
            row += (at, 0 if tall == 1 else step, 1 if wide == cols else 0)
        self.rows.append(row)

    def added(self, out: Slot, parts: Sequence[Slot]) -> None:
        """Add the rows of a sum of values, in the order of all sums."""
        if len(parts) == 1:
            self.elementwise("copy", out, parts[0])
            return
        sums: dict[int, Slot] = {}
        for place, other in order_of_addition(len(parts)):
            one, two = sums.get(place, parts[place]), sums.get(other, parts[other])
            if place not in sums:
                sums[place] = self.like(out) if place else out
            self.elementwise("add", sums[place], one, two)

    def paired(self, name: str, a: Slot, b: Slot, out: Slot, scale: float = 1.0) -> None:
        """Add the row of a sum over the features of two values, number by number."""
        self.emit(
            name, rows=out.rows, dst=out.offset, dst_r=out.stride, inner=a.cols, a=a.offset,
            a_r=a.across(a.cols)[1], b=b.offset, b_r=b.across(b.cols)[1],
            scale=self.literal(scale).offset,
        )  # fmt: skip

    def each_row(self, name: str, a: Slot, out: Slot) -> None:
        """Add the row of an operation that makes each row of features another one."""
        self.emit(
            name, rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride, a=a.offset,
            a_r=a.across(a.cols)[1],
        )  # fmt: skip

    def formula(
        self, tree: formulas.Expression, inputs: Mapping[str, list[Slot]], out: Slot
    ) -> None:
        """Add the rows of a formula, one for each operation."""

        def place(part: formulas.Expression, into: Slot | None = None) -> Slot:
            if part[0] == "number":
                found = self.literal(part[1])
            elif part[0] == "name":
                found = inputs[part[1]][0]
            else:
                operands = [place(inner) for inner in part[1:]]
                target = into or self.like(out)
                self.elementwise(operation_of(part[0]).name, target, *operands)
                return target
            if into is not None:
                self.elementwise("copy", into, found)
            return found

        place(tree, out)

    def sums_of(self, known: Logits, slots: Mapping[str, Slot] | None = None) -> Slot:
        """Return the weighted sums behind a cost's outputs as one value, in the outputs' order.

        `slots` holds what was made of them, feature by feature, by their address.
        """
        slots = self.slots if slots is None else slots
        found: list[Slot] = []
        for part in known.parts:
            whole = slots[part.z]
            if part.index is None:
                found.append(whole)
                continue
            found += [whole.of_features(i, 1) for i in part.index]
        return self.joined(found)

    def each_of(self, known: Logits, make: Callable[[Slot], Slot]) -> Slot:
        """Return what is made of each weighted sum behind a cost, in the outputs' order."""
        addresses = dict.fromkeys(part.z for part in known.parts)
        return self.sums_of(known, {one: make(self.slots[one]) for one in addresses})

    def in_a_row(self, slots: Sequence[Slot]) -> Slot:
        """Return all numbers of some values behind each other, without copying where they are."""
        flat = [slot.as_matrix(1, slot.size) for slot in slots]
        whole = flat[0].as_matrix(1, sum(slot.size for slot in flat))
        if any(one.offset + one.size != two.offset for one, two in pairwise(flat)):
            whole = self.fresh(Shape((1, whole.cols)))
            self.copy_parts(whole, flat)
        return whole

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
    """How the rows of all fed ports lie in the feed: side by side, one line per row."""

    columns: Mapping[str, tuple[int, int]]
    """First column and number of columns of each fed port."""
    width: int


def feed_layout(plan: Plan) -> Feed:
    """Return how the rows of data sets, and of constants that hold several, are fed."""
    columns: dict[str, tuple[int, int]] = {}
    width = 0
    fed = {key for key in plan.graph.of_family("source") if not plan.graph.nodes[key].is_parameter}
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
