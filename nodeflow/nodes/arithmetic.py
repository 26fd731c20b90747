"""Arithmetic: number by number, over all samples at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodeflow.declare import Blame, IndexValue, Output, Value, node, side_by_side
from nodeflow.errors import ShapeMismatch
from nodeflow.nodes.backward import spread, unpicked
from nodeflow.shape import Shape


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
            raise ShapeMismatch(f"{shape} cannot be joined: each value must be one row a sample")
    sizes = [shape.features for shape in shapes]
    width = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
    return (Shape((width,), batch=True) if batch else Shape((1, width)),)


@node(
    "arithmetic",
    formula="[a₁, a₂, …]",
    outputs=("value",),
    shapes=_joined,
    aliases=("join", "merge", "stack"),
)
def concatenate(*a: Value) -> Value:
    """Join the inputs side by side, in the order of the wires."""
    return side_by_side(a)


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


@mean.vjp
def _mean_blame(blame: Value, a: Value) -> Value:
    """Give every feature of `a` its share of the blame of their mean: b / count."""
    return blame * np.ones_like(a) / a.shape[-1]


def _picked(settings: dict[str, Any], a: Shape) -> tuple[Shape, ...]:
    index = settings["index"]
    wanted = index if isinstance(index, tuple) else (index,)
    if a.features is not None and max(wanted) >= a.features:
        raise ShapeMismatch(
            f"index {max(wanted)} is beyond the value: it has {a.features} features, "
            f"0 to {a.features - 1}"
        )
    if not a.single_row():
        raise ShapeMismatch(f"{a} has no features to pick: it must be one row a sample")
    dims = (len(wanted),)
    return (Shape(dims, batch=True) if a.batch else Shape((1, *dims)),)


@node("arithmetic", formula="a[index]", outputs=("value",), shapes=_picked, aliases=("feature",))
def pick(a: Value, *, index: IndexValue = 0) -> Value:
    """Take one feature of each sample, counted from 0, or a list of them."""
    return np.atleast_2d(a)[:, np.atleast_1d(index)]


@pick.vjp
def _pick_blame(blame: Value, a: Value, *, index: IndexValue = 0) -> Value:
    """Give the picked features their blame, the others none."""
    return unpicked(blame, np.atleast_2d(a), index)
