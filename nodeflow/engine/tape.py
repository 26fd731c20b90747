"""The tape: a plan laid out as a table of operations over one flat buffer of cells.

Parameters come first in the buffer: they are the state, all that a checkpoint keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.declare import NodeType, numbers
from nodeflow.engine import ops as o
from nodeflow.engine.plan import UPDATE as UPDATE_PHASE
from nodeflow.engine.plan import Plan
from nodeflow.graph import Graph, Wire
from nodeflow.nodes.source import parameter_shape
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
        for offset, number in self.literals.items():
            found[offset] = number
        for offset, array in self.arrays.items():
            found[offset : offset + array.size] = array.ravel()
        return found


class _Layout:
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
        start = self.size
        self.size += count
        return start

    def fresh(self, shape: Shape) -> Slot:
        tall, wide = shape.flat
        rows, cols = tall or 1, wide or 1
        if shape.batch:
            return Slot(self.take(self.capacity * cols), 0, cols, cols)
        return Slot(self.take(rows * cols), rows, cols, cols)

    def literal(self, number: float) -> Slot:
        if number not in self.known:
            slot = Slot(self.take(1), 1, 1, 1)
            self.literals[slot.offset] = number
            self.known[number] = slot
        return self.known[number]

    def contiguous(self, slot: Slot) -> bool:
        return slot.stride == slot.cols or slot.rows == 1 or (slot.rows == 0 and self.capacity == 1)

    def emit(self, op: int, **columns: int) -> None:
        row = [0] * o.WIDTH
        row[o.OP] = op
        for name, value in columns.items():
            row[getattr(o, name)] = value
        self.rows.append(row)

    # -- operations

    def elementwise(self, op: int, out: Slot, a: Slot, b: Slot | None = None) -> None:
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
        at = 0
        for slot in slots:
            part = Slot(out.offset + at, out.rows, slot.cols, out.stride)
            if part.offset != slot.offset:
                self.elementwise(o.COPY, part, slot)
            at += slot.cols


Lower = Callable[["_Layout", dict[str, list[Slot]], dict[str, Any], Slot], None]


def _many(op: int) -> Lower:
    def lower(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        parts = inputs["a"]
        if len(parts) == 1:
            t.elementwise(o.COPY, out, parts[0])
            return
        t.elementwise(op, out, parts[0], parts[1])
        for part in parts[2:]:
            t.elementwise(op, out, out, part)

    return lower


def _two(op: int, first: str = "a", second: str = "b") -> Lower:
    def lower(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        t.elementwise(op, out, inputs[first][0], inputs[second][0])

    return lower


def _one(op: int, name: str = "a") -> Lower:
    def lower(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        t.elementwise(op, out, inputs[name][0])

    return lower


def _weighted_sum(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    a = t.joined(inputs["a"])
    bias = inputs["bias"][0].offset + 1 if inputs.get("bias") else 0
    t.emit(
        o.WEIGHTED_SUM, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
        A=a.offset, A_R=a.across(a.cols)[1], B=inputs["weights"][0].offset, C=bias, INNER=a.cols,
    )  # fmt: skip


def _blame(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    a = inputs["delta"][0]
    t.emit(
        o.BLAME, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
        A=a.offset, A_R=a.across(a.cols)[1], B=inputs["weights"][0].offset, INNER=a.cols,
    )  # fmt: skip


def _weight_gradient(
    t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot
) -> None:
    delta, a = inputs["delta"][0], t.joined(inputs["a"])
    rows = 0 if 0 in (delta.rows, a.rows) else 1
    t.emit(
        o.WEIGHT_GRADIENT, ROWS=rows, COLS=a.cols, DST=out.offset, INNER=delta.cols,
        A=delta.offset, A_R=delta.across(delta.cols)[1], B=a.offset, B_R=a.across(a.cols)[1],
    )  # fmt: skip


def _bias_gradient(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    delta = inputs["delta"][0]
    t.emit(
        o.BIAS_GRADIENT, ROWS=delta.rows, COLS=delta.cols, DST=out.offset, A=delta.offset,
        A_R=delta.stride,
    )  # fmt: skip


def _accumulate(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.emit(
        o.ACCUMULATE if t.plan.loop else o.COPY, ROWS=out.rows and 1, COLS=out.size,
        DST=out.offset, DST_R=out.cols, A=inputs["gradient"][0].offset, A_R=out.cols, A_C=1,
    )  # fmt: skip


def _average(
    t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
    weights = inputs.get("weights") or inputs["total"]
    decay = settings["regularization"] if inputs.get("weights") else 0.0
    t.emit(
        o.AVERAGE, ROWS=out.rows and 1, COLS=out.size, DST=out.offset, A=inputs["total"][0].offset,
        B=weights[0].offset, D=t.literal(decay).offset,
    )  # fmt: skip


def _update(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.emit(
        o.UPDATE, ROWS=out.rows and 1, COLS=out.size, DST=out.offset,
        A=inputs["parameter"][0].offset, B=inputs["gradient"][0].offset, C=inputs["rate"][0].offset,
    )  # fmt: skip


def _delta(t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    blame, a = inputs["blame"][0], inputs["a"][0]
    which = {
        "sigmoid": o.DELTA_SIGMOID,
        "tanh": o.DELTA_TANH,
        "relu": o.DELTA_RELU,
        "leaky_relu": o.DELTA_LEAKY_RELU,
        "softplus": o.DELTA_SOFTPLUS,
        "softmax": o.DELTA_SOFTMAX,
    }
    if settings["activation"] == "identity":
        t.elementwise(o.COPY, out, blame)
    else:
        t.elementwise(which[settings["activation"]], out, blame, a)


def _paired(op: int, scale: Callable[[dict[str, Any]], float] = lambda settings: 1.0) -> Lower:
    """Lower an operation over the features of two rows, such as a cost."""

    def lower(
        t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
    ) -> None:
        a, y = inputs["a"][0], inputs["y"][0]
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, INNER=a.cols,
            A=a.offset, A_R=a.across(a.cols)[1], B=y.offset, B_R=y.across(y.cols)[1],
            D=t.literal(scale(settings)).offset,
        )  # fmt: skip

    return lower


def _cost_blame(op: int) -> Lower:
    def lower(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        blame, a, y = inputs["blame"][0], inputs["a"][0], inputs["y"][0]
        at, a_r, a_c = blame.across(out.cols)
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
            A=at, A_R=a_r, A_C=a_c, B=a.offset, B_R=a.across(a.cols)[1],
            C=y.offset, D=y.across(y.cols)[1],
        )  # fmt: skip

    return lower


def _over_features(op: int) -> Lower:
    def lower(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        a = inputs["a"][0]
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, INNER=a.cols,
            A=a.offset, A_R=a.across(a.cols)[1],
        )  # fmt: skip

    return lower


def _penalty(
    t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
    for number, theta in enumerate(inputs["weights"]):
        t.emit(
            o.PENALTY, ROWS=1, COLS=1, DST=out.offset, A=theta.offset, INNER=theta.size,
            D=t.literal(0.5 * settings["regularization"]).offset, FLAG=0 if number else 2,
        )  # fmt: skip


def _power(t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    t.elementwise(o.POWER, out, inputs["a"][0], t.literal(settings["exponent"]))


def _concatenate(t: _Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.copy_parts(out, inputs["a"])


def _indices(settings: dict[str, Any]) -> tuple[int, ...]:
    index = settings["index"]
    return index if isinstance(index, tuple) else (index,)


def _pick(t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    a = inputs["a"][0]
    if out.offset == a.offset + _indices(settings)[0] and out.stride == a.stride:
        return  # a view: nothing to do
    for place, index in enumerate(_indices(settings)):
        source = Slot(a.offset + index, a.rows, 1, a.stride)
        t.elementwise(o.COPY, Slot(out.offset + place, out.rows, 1, out.stride), source)


def _pick_blame(
    t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
    blame = inputs["blame"][0]
    indices = _indices(settings)
    at = t.take(len(indices))
    for place, index in enumerate(indices):
        t.literals[at + place] = float(index)
    where, a_r, a_c = blame.across(len(indices))
    t.emit(
        o.UNPICK, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, A=where,
        A_R=a_r, A_C=a_c, INNER=len(indices), C=at,
    )  # fmt: skip


_FORMULA_OPS = {
    "+": o.ADD, "-": o.SUBTRACT, "*": o.MULTIPLY, "/": o.DIVIDE, "**": o.POWER,
    "max": o.MAXIMUM, "min": o.MINIMUM, "exp": o.EXP, "log": o.LOG, "sqrt": o.SQRT,
    "sin": o.SIN, "cos": o.COS, "tanh": o.TANH, "sigmoid": o.SIGMOID, "abs": o.ABS,
    "sign": o.SIGN, "step": o.STEP,
}  # fmt: skip


def _expression(
    t: _Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
    def place(part: formulas.Expression, into: Slot | None = None) -> Slot:
        if part[0] == "number":
            found = t.literal(part[1])
        elif part[0] == "name":
            found = inputs[part[1]][0]
        else:
            operands = [place(inner) for inner in part[1:]]
            target = into or t.fresh(
                Shape((out.cols,), batch=True) if out.rows == 0 else Shape((out.rows, out.cols))
            )
            t.elementwise(_FORMULA_OPS[part[0]], target, *operands)
            return target
        if into is not None:
            t.elementwise(o.COPY, into, found)
        return found

    place(formulas.parse(settings["formula"]), out)


LOWER: dict[str, Lower] = {
    "weighted_sum": _weighted_sum,
    "sigmoid": _one(o.SIGMOID, "z"),
    "tanh": _one(o.TANH, "z"),
    "relu": _one(o.RELU, "z"),
    "leaky_relu": _one(o.LEAKY_RELU, "z"),
    "softplus": _one(o.SOFTPLUS, "z"),
    "identity": _one(o.COPY, "z"),
    "softmax": _one(o.SOFTMAX, "z"),
    "add": _many(o.ADD),
    "multiply": _many(o.MULTIPLY),
    "subtract": _two(o.SUBTRACT),
    "divide": _two(o.DIVIDE),
    "power": _power,
    "exp": _one(o.EXP),
    "log": _one(o.LOG),
    "sum": _over_features(o.SUM),
    "mean": _over_features(o.MEAN),
    "concatenate": _concatenate,
    "pick": _pick,
    "expression": _expression,
    "error": _two(o.SUBTRACT, "a", "y"),
    "squared_error": _paired(o.SQUARED_ERROR, lambda settings: 0.5 if settings["half"] else 1.0),
    "cross_entropy": _paired(o.CROSS_ENTROPY),
    "categorical_cross_entropy": _paired(o.CATEGORICAL_CROSS_ENTROPY),
    "accuracy": _paired(o.ACCURACY, lambda settings: float(settings["threshold"])),
    "softmax_error": _paired(o.SOFTMAX_ERROR),
    "l2_penalty": _penalty,
    "blame": _blame,
    "delta": _delta,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "weight_update": _update,
    "spread": _one(o.COPY, "blame"),
    "mean_blame": _one(o.MEAN_BLAME, "blame"),
    "pick_blame": _pick_blame,
    "cross_entropy_blame": _cost_blame(o.CROSS_ENTROPY_BLAME),
    "categorical_cross_entropy_blame": _cost_blame(o.CATEGORICAL_CROSS_ENTROPY_BLAME),
}
"""The row kernel of each built-in type; a type that is not here runs through its function."""


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


_WHOLE = ("accumulate", "average", "weight_update")
"""Types whose rows run over all numbers of a value at once."""


def _alike(t: _Layout, inputs: dict[str, list[Slot]], out: Slot) -> bool:
    """Return whether all values but a rate have the shape of the result, without gaps."""
    parts = [out, *(slot for name, there in inputs.items() if name != "rate" for slot in there)]
    return all(
        t.contiguous(part) and (part.rows == 0) == (out.rows == 0) and part.size == out.size
        for part in parts
    )


def lay_out(plan: Plan, *, capacity: int, feed: Feed, beside: Tape | None = None) -> Tape:
    """Return the tape of a plan for passes of at most `capacity` samples.

    A tape `beside` another one lies
    behind it in the same buffer and shares its parameters.
    """
    t = _Layout(plan, capacity, feed)
    if beside is not None:
        t.size = beside.size
    graph, shapes = plan.graph, plan.inference.shapes
    parameters = [key for key in plan.order if graph.nodes[key].type == "parameter"]
    for key in parameters:
        parameter_shape(graph.settings(key))
        address = f"{key}.value"
        t.slots[address] = beside.slots[address] if beside else t.fresh(shapes[address])
    state = beside.state if beside else t.size
    blocks = _blocks(plan)
    spans: dict[str, tuple[int, int]] = {}
    # Rows are collected node by node; each value gets its cells when it is first met.
    for key in plan.order:
        begin = len(t.rows)
        _lower_node(t, key, blocks)
        spans[key] = (begin, len(t.rows))
    head = spans[plan.order[plan.head]][0] if plan.loop and plan.head < len(plan.order) else None
    end = len(t.rows)
    tape = Tape(
        plan=plan,
        slots=t.slots,
        ops=_table(t.rows),
        spans=spans,
        head=end if head is None else head,
        size=0,
        state=state,
        capacity=capacity,
        literals=t.literals,
        arrays=t.arrays,
        calls=tuple(t.calls),
    )
    _finish(t, tape)
    tape.size = t.size
    return tape


def _table(rows: list[Row]) -> NDArray[np.uint64]:
    return np.array(rows, dtype=np.uint64).reshape(len(rows), o.WIDTH)


def _blocks(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return which outputs should lie side by side, since they are joined in that order."""
    graph, shapes = plan.graph, plan.inference.shapes
    placed: dict[str, tuple[str, ...]] = {}
    for key in plan.order:
        type_ = graph.type_of(key)
        for port in type_.inputs:
            wires = graph.inputs(key).get(port.name, ()) if port.many else ()
            if len(wires) < 2 or not (type_.joined == port.name or type_.name == "concatenate"):
                continue
            group = tuple(wire.start for wire in wires)
            batch = shapes[group[0]].batch
            movable = all(
                address not in placed
                and shapes[address].batch == batch
                and shapes[address].flat[0] == 1
                and graph.nodes[address.rpartition(".")[0]].type
                not in ("pick", "concatenate", "parameter")
                for address in group
            )
            if movable and len(set(group)) == len(group):
                placed |= dict.fromkeys(group, group)
    return placed


def _slot(t: _Layout, address: str, blocks: Mapping[str, tuple[str, ...]]) -> Slot:
    if address not in t.slots:
        shapes = t.plan.inference.shapes
        group = blocks.get(address)
        if group is None:
            t.slots[address] = t.fresh(shapes[address])
        else:
            width = sum(shapes[member].features or 1 for member in group)
            rows = 0 if shapes[address].batch else 1
            at = t.take((1 if rows else t.capacity) * width)
            for member in group:
                cols = shapes[member].features or 1
                t.slots[member] = Slot(at, rows, cols, width)
                at += cols
    return t.slots[address]


def _lower_node(t: _Layout, key: str, blocks: Mapping[str, tuple[str, ...]]) -> None:
    graph = t.plan.graph
    type_, settings = graph.type_of(key), graph.settings(key)
    wires = graph.inputs(key)
    if type_.name == "parameter":
        return
    if type_.name == "dataset" or (
        type_.name == "constant" and t.plan.inference.shapes[f"{key}.value"].batch
    ):
        for port in type_.outputs:
            _feed(t, f"{key}.{port.name}", _slot(t, f"{key}.{port.name}", blocks))
        return
    if type_.family == "source":
        slot = _slot(t, f"{key}.value", blocks)
        value = settings["value"]
        t.arrays[slot.offset] = numbers(value)
        return
    if not type_.outputs:
        return
    # What is fed back comes from the update before: it lies in the node's own cells.
    fed_back = {port.name for port in type_.inputs if port.feedback}
    inputs = {
        name: [t.slots[wire.start] for wire in there]
        for name, there in wires.items()
        if name not in fed_back
    }
    out = _output_slot(t, key, type_, settings, inputs, blocks)
    lower = LOWER.get(type_.name)
    if lower is not None and (type_.name not in _WHOLE or _alike(t, inputs, out)):
        lower(t, inputs, settings, out)
        return
    shapes = t.plan.inference.shapes
    call = Call(
        node=key,
        type=type_,
        settings=settings,
        inputs=tuple(
            (
                port.name,
                port.many,
                tuple((t.slots[w.start], shapes[w.start]) for w in wires.get(port.name, ())),
            )
            for port in type_.ports_in(settings)
            if not port.feedback
        ),
        outputs=tuple(
            (_slot(t, f"{key}.{port.name}", blocks), shapes[f"{key}.{port.name}"])
            for port in type_.outputs
        ),
    )
    t.emit(o.PYTHON, A=len(t.calls))
    t.calls.append(call)


def _output_slot(
    t: _Layout,
    key: str,
    type_: NodeType,
    settings: dict[str, Any],
    inputs: dict[str, list[Slot]],
    blocks: Mapping[str, tuple[str, ...]],
) -> Slot:
    """Return the slot of a node's first output; picking and joining may need no copy."""
    address = f"{key}.{type_.outputs[0].name}"
    if address in t.slots or address in blocks:
        return _slot(t, address, blocks)
    if type_.name == "pick":
        indices, a = _indices(settings), inputs["a"][0]
        if list(indices) == list(range(indices[0], indices[0] + len(indices))):
            t.slots[address] = Slot(a.offset + indices[0], a.rows, len(indices), a.stride)
    elif type_.name == "concatenate" and len(inputs["a"]) > 1:
        before = len(t.rows)
        whole = t.joined(inputs["a"])
        if len(t.rows) == before:
            t.slots[address] = whole
        else:
            del t.rows[before:]
    return _slot(t, address, blocks)


def _feed(t: _Layout, address: str, slot: Slot) -> None:
    t.emit(
        o.LOAD, COLS=slot.cols, DST=slot.offset, DST_R=slot.stride,
        A=t.feed.columns[address][0], B=t.feed.width,
    )  # fmt: skip


# --- tallies, commits, and the rows for full speed -----------------------------------------------


def _finish(t: _Layout, tape: Tape) -> None:
    """Add what belongs to no node: tallying costs and hits, committing new parameters."""
    plan = tape.plan
    body, tail = tape.ops[: tape.head].tolist(), tape.ops[tape.head :].tolist()
    t.rows = []
    _tally(t, tape)
    tallies = t.rows
    t.rows = []
    for wire in plan.graph.wires:
        if plan.graph.nodes[wire.target].type == "parameter" and wire.input == "next":
            if wire.start not in tape.slots or plan.graph.nodes[wire.target].mode == "freeze":
                continue
            source, target = tape.slots[wire.start], tape.slots[f"{wire.target}.value"]
            t.emit(o.COPY, ROWS=1, COLS=target.size, DST=target.offset, A=source.offset, A_C=1)
    commits = t.rows
    tape.ops = _table(body + tallies + tail + commits)
    shift = len(tallies)
    for key in plan.order[plan.head :]:
        begin, end = tape.spans[key]
        tape.spans[key] = (begin + shift, end + shift)
    if plan.order[plan.head :]:
        tape.head += shift
    else:
        tape.head = len(body) + shift if plan.loop else len(body) + shift + len(commits)
    _speed_up(t, tape, tallies, commits)


def _tally(t: _Layout, tape: Tape) -> None:
    plan = tape.plan
    cost = plan.unfolding.cost
    if cost and cost in tape.slots:
        slot = tape.slots[cost]
        t.emit(o.TALLY, ROWS=slot.rows, A=slot.offset, A_R=slot.stride)
    hits = hit_source(plan)
    if hits is None:
        return
    if isinstance(hits, str):
        slot = tape.slots[hits]
    else:
        a, y, threshold = hits
        out = t.fresh(Shape((1,), batch=True))
        inputs = {"a": [tape.slots[a]], "y": [tape.slots[y]]}
        LOWER["accuracy"](t, inputs, {"threshold": threshold}, out)
        slot = out
    t.emit(o.TALLY_HITS, A=slot.offset, A_R=slot.stride)


def hit_source(plan: Plan) -> str | tuple[str, str, float] | None:
    """Return what accuracy is counted from: an accuracy node, or output and target of the cost.

    Without an accuracy node, hits are counted where the target is a class: the threshold of a
    single output lies halfway between its two targets.
    """
    graph, shapes = plan.graph, plan.inference.shapes
    for key in plan.order:
        if graph.nodes[key].type == "accuracy" and shapes[f"{key}.value"].batch:
            return f"{key}.value"
    for key in reversed(plan.order):
        inputs = graph.inputs(key)
        if graph.nodes[key].type not in (
            "squared_error",
            "cross_entropy",
            "categorical_cross_entropy",
            "error",
        ):
            continue
        a, y = inputs["a"][0], inputs["y"][0]
        table = plan.inference.tables.get(y.source)
        if table is None or y.output != "y" or not shapes[a.start].batch:
            continue
        values = np.unique(table.y[:2000])
        if table.classes or len(values) == 2:
            threshold = 0.5 if table.y.shape[1] > 1 else float(values.mean())
            return a.start, y.start, threshold
    return None


def _speed_up(t: _Layout, tape: Tape, tallies: list[Row], commits: list[Row]) -> None:
    """Lay out the rows for full speed: only what an update or a tally needs, steps fused.

    A gradient that nothing but its own update reads is never stored when there is one sample,
    and never averaged in a row of its own otherwise; the arithmetic stays the same.
    """
    plan = tape.plan
    fused = {} if plan.loop else _fusible(plan)
    needed = _needed(plan)
    tape.needed = frozenset(needed)
    skipped = {key for chain in fused.values() for key in chain if key}
    committed = {f"{key}.value" for key in fused}
    loads: list[Row] = []
    body: list[Row] = []
    tail: list[Row] = []
    for position, key in enumerate(plan.order):
        begin, end = tape.spans[key]
        rows = tape.ops[begin:end].tolist()
        if rows and rows[0][o.OP] == o.LOAD:
            loads += rows
        elif key in needed and key not in skipped:
            (body if position < plan.head else tail).extend(rows)
    t.rows = []
    for key, (gradient, mean, update) in fused.items():
        _fuse(t, tape, key, gradient, mean, update)
    left = [
        row
        for row, wire in zip(commits, _commit_wires(tape), strict=True)
        if f"{wire}.value" not in committed
    ]
    tape.loads = len(loads)
    if tape.capacity == 1:
        loads = _merged_loads(loads)
        tape.loads = len(loads)
    head = loads + _merged(body + tallies)
    if plan.loop:
        tape.fast_head = len(head)
        tape.fast = _table(head + tail + left)
    else:
        tape.fast = _table(head + tail + _merged_steps(t.rows) + left)
        tape.fast_head = len(tape.fast)
    tape.forward = len(head)


_ACTIVATIONS = (o.FLAT_SIGMOID, o.FLAT_TANH, o.FLAT_RELU)
_SLOPES = (o.FLAT_DELTA_SIGMOID, o.FLAT_DELTA_TANH, o.FLAT_DELTA_RELU)


def _merged(rows: list[Row]) -> list[Row]:
    """Join rows that follow each other into one; every cell is still written, in the same order.

    A row costs about as much as ten multiplications, which a small network feels.
    """
    found: list[Row] = []
    for row in map(list, rows):
        last = found[-1] if found else [o.PYTHON] * o.WIDTH
        op, previous = row[o.OP], last[o.OP]
        follows = row[o.A] == last[o.DST] and (row[o.ROWS], row[o.COLS]) == (
            last[o.ROWS],
            last[o.COLS],
        )
        if previous == o.WEIGHTED_SUM and op in _ACTIVATIONS and follows and not last[o.FLAG]:
            last[o.FLAG], last[o.D] = op, row[o.DST]
        elif previous == o.BLAME and op in _SLOPES and follows and not last[o.FLAG]:
            last[o.FLAG], last[o.C], last[o.D] = op, row[o.B], row[o.DST]
        elif op in _SLOPES and _error_before(found, row):
            e, scaled = found[-2], found[-1]
            e[o.OP], e[o.FLAG] = o.ERROR_DELTA, op
            e[o.C], e[o.D], e[o.INNER] = scaled[o.A], scaled[o.DST], row[o.DST]
            found.pop()
        elif op in (o.TALLY, o.TALLY_HITS):
            wanted = o.SQUARED_ERROR if op == o.TALLY else o.ACCURACY
            sources = [r for r in found if r[o.OP] == wanted and r[o.DST] == row[o.A]]
            if sources and row[o.ROWS] == 0 == sources[0][o.ROWS]:
                sources[0][o.FLAG] = 1
            else:
                found.append(row)
        else:
            found.append(row)
    return found


def _merged_loads(rows: list[Row]) -> list[Row]:
    """Load what lies side by side in feed and buffer at once (one sample a pass)."""
    found: list[Row] = []
    for row in map(list, rows):
        last = found[-1] if found else row
        if (
            found
            and row[o.DST] == last[o.DST] + last[o.COLS]
            and row[o.A] == last[o.A] + last[o.COLS]
        ):
            last[o.COLS] += row[o.COLS]
        else:
            found.append(row)
    return found


def _error_before(found: list[Row], row: Row) -> bool:
    """Return whether error, scaling and this slope follow each other on the same numbers."""
    if len(found) < 2:
        return False
    e, scaled = found[-2:]
    return (
        e[o.OP] == o.FLAT_SUBTRACT
        and scaled[o.OP] == o.SCALE
        and scaled[o.B] == e[o.DST]
        and row[o.A] == scaled[o.DST]
        and row[o.B] == e[o.A]
        and e[o.COLS] == row[o.COLS]
        and e[o.ROWS] == row[o.ROWS]
    )


def _merged_steps(rows: list[Row]) -> list[Row]:
    """Join the step of a bias with that of the weights that have the same δ and rate."""
    found: list[Row] = []
    weights = {row[o.A]: row for row in rows if row[o.OP] == o.STEP_WEIGHTS}
    for row in rows:
        twin = weights.get(row[o.A])
        if (
            row[o.OP] == o.STEP_MEAN
            and twin is not None
            and not twin[o.A_R]
            and row[o.C] == twin[o.C]
            and row[o.FLAG] == 1
            and row[o.COLS] == twin[o.INNER]
        ):
            twin[o.A_R] = row[o.DST] + 1
        else:
            found.append(row)
    return found


def _commit_wires(tape: Tape) -> list[str]:
    graph = tape.plan.graph
    return [
        wire.target
        for wire in graph.wires
        if graph.nodes[wire.target].type == "parameter"
        and wire.input == "next"
        and wire.start in tape.slots
        and graph.nodes[wire.target].mode != "freeze"
    ]


def _needed(plan: Plan) -> set[str]:
    """Return the nodes whose values an update, the cost or the accuracy depends on."""
    graph = plan.graph
    ends = [key for key in plan.order if graph.nodes[key].type in ("weight_update", "accumulate")]
    if plan.unfolding.cost:
        ends.append(plan.unfolding.cost.rpartition(".")[0])
    hits = hit_source(plan)
    if isinstance(hits, str):
        ends.append(hits.rpartition(".")[0])
    elif hits is not None:
        ends += [hits[0].rpartition(".")[0], hits[1].rpartition(".")[0]]
    if not ends:
        return set(plan.order)  # nothing is trained or judged: every value counts
    found = set(ends)
    for key in ends:
        for wire in graph.into(key):
            if wire.source not in found and not graph.feeds_back(wire):
                found.add(wire.source)
                ends.append(wire.source)
    return found


def _fusible(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """Return parameters whose gradient → average → update chain nobody else looks at."""
    graph = plan.graph
    found: dict[str, tuple[str, str, str]] = {}
    readers_late: set[str] = set()
    updates_of: dict[str, int] = {}
    for wire in graph.wires:
        if graph.nodes[wire.source].type == "parameter":
            if graph.nodes[wire.target].type == "weight_update":
                updates_of[wire.source] = updates_of.get(wire.source, 0) + 1
            elif plan.phases.get(wire.target) == UPDATE_PHASE:
                readers_late.add(wire.source)
    for key in plan.order:
        if graph.nodes[key].type != "weight_update":
            continue
        inputs = graph.inputs(key)
        theta, rate = inputs["parameter"][0].source, inputs["rate"][0].source
        mean = inputs["gradient"][0].source
        onward = [wire.target for wire in graph.out_of(key)]
        if (
            graph.nodes[theta].type != "parameter"
            or graph.nodes[theta].mode == "freeze"
            or onward != [theta]
            or graph.nodes[mean].type != "average"
            or len(graph.out_of(mean)) != 1
            or graph.type_of(rate).family != "source"
            or graph.nodes[rate].type == "parameter"
            or theta in readers_late
            or updates_of[theta] > 1
        ):
            continue
        weights = graph.inputs(mean).get("weights", ())
        if weights and weights[0].source != theta:
            continue
        gradient = graph.inputs(mean)["total"][0].source
        own = (
            graph.nodes[gradient].type in ("weight_gradient", "bias_gradient")
            and len(graph.out_of(gradient)) == 1
        )
        # Fused rows change parameters one after the other: none may read another's.
        if any(_is_in_a_parameter(graph, wire) for wire in graph.into(gradient if own else mean)
               if wire.input != "weights"):  # fmt: skip
            continue
        found[theta] = (gradient if own else "", mean, key)
    return found


def _is_in_a_parameter(graph: Graph, wire: Wire) -> bool:
    """Return whether a wire's value may lie in a parameter's own cells."""
    if graph.nodes[wire.source].type in ("pick", "concatenate"):
        return any(_is_in_a_parameter(graph, before) for before in graph.into(wire.source))
    return graph.nodes[wire.source].type == "parameter"


def _fuse(t: _Layout, tape: Tape, key: str, gradient: str, mean: str, update: str) -> None:
    graph = tape.plan.graph
    theta = tape.slots[f"{key}.value"]
    rate = tape.slots[graph.inputs(update)["rate"][0].start].offset
    decay = t.literal(
        graph.settings(mean)["regularization"] if "weights" in graph.inputs(mean) else 0.0
    ).offset
    if gradient:
        begin, end = tape.spans[gradient]
        rows = tape.ops[begin:end].tolist()
        row = rows[-1]
        if tape.capacity == 1 and len(rows) == 1 and row[o.OP] == o.WEIGHT_GRADIENT:
            t.emit(
                o.STEP_WEIGHTS, ROWS=1, COLS=row[o.COLS], INNER=row[o.INNER], DST=theta.offset,
                A=row[o.A], B=row[o.B], C=rate, D=decay,
            )  # fmt: skip
            return
        if tape.capacity == 1 and row[o.OP] == o.BIAS_GRADIENT:
            plain = t.literals[decay] == 0
            t.emit(
                o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=row[o.A], C=rate,
                D=decay, FLAG=1 if plain else 0,
            )  # fmt: skip
            return
        t.rows += rows
    total = tape.slots[graph.inputs(mean)["total"][0].start]
    t.emit(o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=total.offset, C=rate, D=decay)
