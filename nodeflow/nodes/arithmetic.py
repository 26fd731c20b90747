"""Arithmetic: number by number, over all samples at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow import symbolic
from nodeflow.declare import Blame, IndexValue, Output, Value, node, side_by_side
from nodeflow.errors import ShapeMismatch
from nodeflow.nodes.backward import spread, unpicked
from nodeflow.shape import Shape
from nodeflow.symbolic import Rows
from nodeflow.workings.given import Given, row_of
from nodeflow.workings.parts import Index, Number, Part, of, summed


@node(
    "arithmetic",
    formula="a₁ + a₂ + …",
    outputs=("value",),
    shapes="elementwise",
    aliases=("+", "plus"),
)
def add(*a: Value) -> Value:
    """Add the inputs number by number; a single number is added to every feature."""
    total = a[0]
    for part in a[1:]:
        total = total + part
    return total


@add.in_programs
def _(s: Any, key: str) -> str:
    return " + ".join(s.grouped(one) for one in s.all(key, "a"))


@add.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.add(*s.all(key, "a")))


@add.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.added(out, inputs["a"])


@add.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return symbolic.folded(inputs["a"], symbolic.plus)


@add.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return tuple(there.at(index) for there in given.ports["a"])


@add.backward
def _(blame: Blame, a: Any, value: Output) -> Mapping[str, Any]:
    return {"a": [blame for _ in a]}


@node(
    "arithmetic",
    formula="a₁ · a₂ · …",
    outputs=("value",),
    shapes="elementwise",
    aliases=("×", "*", "times"),
)
def multiply(*a: Value) -> Value:
    """Multiply the inputs number by number; a single number scales every feature."""
    product = a[0]
    for part in a[1:]:
        product = product * part
    return product


@multiply.in_programs
def _(s: Any, key: str) -> str:
    return " * ".join(s.grouped(one) for one in s.all(key, "a"))


@multiply.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.product(*s.all(key, "a")))


@multiply.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    parts = inputs["a"]
    if len(parts) == 1:
        t.elementwise("copy", out, parts[0])
        return
    t.elementwise("multiply", out, parts[0], parts[1])
    for part in parts[2:]:
        t.elementwise("multiply", out, out, part)


@multiply.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return symbolic.folded(inputs["a"], symbolic.times)


@multiply.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (of("*", *(there.at(index) for there in given.ports["a"])),)


def times(*factors: Blame) -> Blame:
    """Return the product of wires and numbers with as few nodes as it takes."""
    number, wires = 1.0, []
    for factor in factors:
        if isinstance(factor, Output):
            wires.append(factor)
        else:
            number *= factor
    if not wires:
        return number
    if number == 1 and len(wires) == 1:
        return wires[0]
    product: Output = multiply(*([] if number == 1 else [number]), *wires)
    return product


@multiply.backward
def _(blame: Blame, a: Any, value: Output) -> Mapping[str, Any]:
    def without(index: int) -> Any:
        return times(blame, *(wire for position, wire in enumerate(a) if position != index))

    return {"a": [lambda index=index: without(index) for index in range(len(a))]}


def _joined(settings: dict[str, Any], *shapes: Shape) -> tuple[Shape, ...]:
    batch = any(shape.batch for shape in shapes)
    for shape in shapes:
        if not shape.single_row():
            raise ShapeMismatch(f"{shape} cannot be joined: each value must be one row per sample")
    sizes = [shape.features for shape in shapes]
    width = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
    return (Shape((width,), batch=True) if batch else Shape((1, width)),)


@node(
    "arithmetic",
    formula="[a₁, a₂, …]",
    outputs=("value",),
    shapes=_joined,
    aliases=("join", "merge", "stack"),
    joins="a",
)
def concatenate(*a: Value) -> Value:
    """Join the inputs side by side, in the order of the wires."""
    return side_by_side(a)


@concatenate.in_programs
def _(s: Any, key: str) -> str:
    return str(s.one(key, "a"))


@concatenate.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.one(key, "a"))


@concatenate.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.copy_parts(out, inputs["a"])


@concatenate.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return symbolic.side_by_side(inputs["a"])


@concatenate.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    source, column = given.feature(index[-1])
    return (source.at((row_of(index), column)),)


@concatenate.backward
def _(blame: Blame, a: Any, value: Output) -> Mapping[str, Any]:
    return {"a": blame}


@node(
    "arithmetic",
    formula="a − b",
    outputs=("value",),
    shapes="elementwise",
    aliases=("-", "minus"),
    calculation="a - b",
)
def subtract(a: Value, b: Value) -> Value:
    """Take b from a, number by number."""
    return a - b


@subtract.backward
def _(blame: Blame, a: Output, b: Output, value: Output) -> Mapping[str, Any]:
    return {"a": blame, "b": lambda: times(-1.0, blame)}


@node(
    "arithmetic",
    formula="a / b",
    outputs=("value",),
    shapes="elementwise",
    aliases=("/", "÷"),
    calculation="a / b",
)
def divide(a: Value, b: Value) -> Value:
    """Divide a by b, number by number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a / b)


@divide.backward
def _(blame: Blame, a: Output, b: Output, value: Output) -> Mapping[str, Any]:
    return {
        "a": lambda: divide(blame, b),
        "b": lambda: times(-1.0, blame, divide(value, b)),
    }


@node(
    "arithmetic",
    formula="a^exponent",
    outputs=("value",),
    shapes="elementwise",
    aliases=("square", "root", "^"),
    calculation="a^exponent",
)
def power(a: Value, *, exponent: float = 2.0) -> Value:
    """Raise each number to a power."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.power(a, exponent))


@power.backward
def _(blame: Blame, a: Output, value: Output, *, exponent: float) -> Mapping[str, Any]:
    def back() -> Any:
        if exponent == 0:
            return times(0.0, a)
        lower = power(a, exponent=exponent - 1) if exponent != 1 else 1.0
        return times(blame, exponent, lower)

    return {"a": back}


@node(
    "arithmetic",
    formula="a",
    outputs=("value",),
    shapes="elementwise",
    aliases=("reroute", "knot", "dot"),
    drawn_as="knot",
    calculation="a",
    passes="a",
)
def relay(a: Value) -> Value:
    """Pass a value on as it is: a bend by which a wire is led around others."""
    return a


@relay.backward
def _(blame: Blame) -> Mapping[str, Any]:
    return {"a": blame}


@node("arithmetic", formula="e^a", outputs=("value",), shapes="elementwise", calculation="exp(a)")
def exp(a: Value) -> Value:
    """Raise e to each number."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(a))


@exp.backward
def _(blame: Blame, a: Output, value: Output) -> Mapping[str, Any]:
    return {"a": lambda: times(blame, value)}


@node(
    "arithmetic",
    formula="ln a",
    outputs=("value",),
    shapes="elementwise",
    aliases=("ln",),
    calculation="log(a)",
)
def log(a: Value) -> Value:
    """Take the natural logarithm of each number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(a))


@log.backward
def _(blame: Blame, a: Output, value: Output) -> Mapping[str, Any]:
    return {"a": lambda: divide(blame, a)}


def _over_features(settings: dict[str, Any], a: Shape) -> tuple[Shape, ...]:
    return (Shape((1,), batch=True) if a.batch else Shape((a.flat[0], 1)),)


@node(
    "arithmetic",
    formula="Σ a",
    outputs=("value",),
    shapes=_over_features,
    aliases=("total", "Σ"),
    name="sum",
)
def sum_(a: Value) -> Value:
    """Add up the features of each sample."""
    return np.asarray(np.atleast_2d(a).sum(axis=-1, keepdims=True))


@sum_.in_programs
def _(s: Any, key: str) -> str:
    return str(s.total(s.one(key, "a"), like=key))


@sum_.in_onnx
def _(s: Any, key: str) -> str:
    # What has no sample axis may be a vector: the last axis is that of the features.
    return str(s.total(s.one(key, "a"), -1))


@sum_.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.paired("sum", inputs["a"][0], inputs["a"][0], out)


@sum_.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return [[symbolic.total(row)] for row in inputs["a"][0]]


@sum_.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return given.one("a").terms(row_of(index))


@sum_.backward
def _(blame: Blame, a: Output, value: Output) -> Mapping[str, Any]:
    return {"a": lambda: spread(blame, a)}


@node(
    "arithmetic",
    formula="Σ a / count",
    outputs=("value",),
    shapes=_over_features,
    aliases=("average of features",),
)
def mean(a: Value) -> Value:
    """Average the features of each sample."""
    return np.asarray(np.atleast_2d(a).mean(axis=-1, keepdims=True))


@mean.in_programs
def _(s: Any, key: str) -> str:
    return f"{s.total(s.one(key, 'a'), like=key)} / {s.dims(key, 'a')[-1]}"


@mean.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.node("ReduceMean", s.one(key, "a"), s.whole(-1), keepdims=1))


@mean.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    a = inputs["a"][0]
    t.paired("sum", a, a, out)
    t.elementwise("divide", out, out, t.literal(float(a.cols)))


@mean.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return [
        [symbolic.times(symbolic.number(1 / len(row)), symbolic.total(row))]
        for row in inputs["a"][0]
    ]


@mean.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    a = given.one("a")
    return (of("/", summed(a.terms(row_of(index))), a.width),)


@mean.vjp
def _mean_blame(blame: Value, a: Value) -> Value:
    """Give every feature of `a` its share of the blame of their mean: b / count."""
    return blame * np.ones_like(a) / a.shape[-1]


@_mean_blame.in_programs
def _(s: Any, key: str) -> str:
    ones = s.call("ones_like", s.one(key, "a"))
    return f"{s.one(key, 'blame')} / {s.dims(key, 'a')[-1]} * {ones}"


@_mean_blame.in_onnx
def _(s: Any, key: str) -> str:
    return str(s.node("Div", s.spread(key), s.number(float(s.dims(key, "a")[-1] or 1))))


@_mean_blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    return (of("/", given.one("blame").at(index), given.one("a").width),)


@_mean_blame.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    t.elementwise("divide", out, inputs["blame"][0], t.literal(float(out.cols)))


def _picked(settings: dict[str, Any], a: Shape) -> tuple[Shape, ...]:
    index = settings["index"]
    wanted = index if isinstance(index, tuple) else (index,)
    if a.features is not None and max(wanted) >= a.features:
        raise ShapeMismatch(
            f"index {max(wanted)} is beyond the value: it has {a.features} features, "
            f"0 to {a.features - 1}"
        )
    if not a.single_row():
        raise ShapeMismatch(f"{a} has no features to pick: it must be one row per sample")
    dims = (len(wanted),)
    return (Shape(dims, batch=True) if a.batch else Shape((1, *dims)),)


@node(
    "arithmetic",
    formula="a[index]",
    outputs=("value",),
    shapes=_picked,
    aliases=("feature",),
    picks="index",
)
def pick(a: Value, *, index: IndexValue = 0) -> Value:
    """Take one feature of each sample, counted from 0, or a list of them."""
    return np.atleast_2d(a)[:, np.atleast_1d(index)]


@pick.in_programs
def _(s: Any, key: str) -> str:
    index, a = s.setting(key, "index"), s.one(key, "a")
    if isinstance(index, tuple):
        return f"{a}[:, {list(index)}]"
    s.remark(f"feature {index} of each sample")
    return f"{a}[:, {index}:{index + 1}]"


@pick.in_onnx
def _(s: Any, key: str) -> str:
    wanted = s.whole(*pick.picked({"index": s.setting(key, "index")}))
    return str(s.node("Gather", s.one(key, "a"), wanted, axis=1))


@pick.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    a, wanted = inputs["a"][0], pick.picked(settings)
    if out.offset == a.offset + wanted[0] and out.stride == a.stride:
        return  # a view: nothing to do
    for place, index in enumerate(wanted):
        t.elementwise("copy", out.of_features(place, 1), a.of_features(index, 1))


@pick.in_symbols
def _(inputs: Any, settings: Any) -> Rows:
    return [[row[place] for place in pick.picked(settings)] for row in inputs["a"][0]]


@pick.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    wanted = pick.picked(given.settings)[index[-1]]
    return (given.one("a").at((row_of(index), wanted)),)


@pick.vjp
def _pick_blame(blame: Value, a: Value, *, index: IndexValue = 0) -> Value:
    """Give the picked features their blame, the others none."""
    return unpicked(blame, np.atleast_2d(a), index)


@_pick_blame.worked
def _(given: Given, index: Index) -> Sequence[Part]:
    wanted = enumerate(pick.picked(given.settings))
    places = [place for place, feature in wanted if feature == index[-1]]
    found = tuple(given.one("blame").at((row_of(index), place)) for place in places)
    return found or (Number(0.0),)


@_pick_blame.rows
def _(t: Any, inputs: Any, settings: Any, out: Any) -> None:
    wanted = pick.picked(settings)
    at, blame_r, blame_c = inputs["blame"][0].across(len(wanted))
    t.emit(
        "unpick", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride, blame=at,
        blame_r=blame_r, blame_c=blame_c, count=len(wanted), indices=t.cells_of(wanted),
    )  # fmt: skip
