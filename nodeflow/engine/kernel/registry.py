"""Which rows there are: each a function with its operands, some of them made from a scalar one.

A row in a table is the number of its operation and its operands, in the order in which the row's
function names them. Scalar functions of one, two or three numbers become rows by `each_of_one`
and its like, and so does one that joins while the program runs (`join`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from nodeflow.engine.kernel import each, products, rows, scalar
from nodeflow.engine.kernel.compiler import check_joining
from nodeflow.engine.kernel.language import Function
from nodeflow.engine.kernel.sources import Unsupported
from nodeflow.engine.kernel.sums import first
from nodeflow.errors import DeclarationError

Row = Sequence[int]
"""The number of an operation and its operands."""


@dataclass(frozen=True)
class Operation:
    """A kind of row."""

    number: int
    name: str
    function: Callable[..., Any]
    scalar: Function | None = None
    """What the row's function applies to each number, if anything."""
    operands: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """What comes before the operands: the cells, the context."""
    joined: bool = False
    """Whether the scalar function joined while the program runs: its source may be anywhere."""

    @property
    def symbol(self) -> str:
        """The name in assembly."""
        return "joined" if self.joined else self.name


_lock = Lock()
OPERATIONS: dict[str, Operation] = {}
BY_NUMBER: list[Operation] = []
_EACH: dict[int, Callable[..., Any]] = {
    1: each.each_of_one,
    2: each.each_of_two,
    3: each.each_of_three,
}
_SUMS: dict[str, Callable[..., Any]] = {
    "sum": first,
    "squared_error": scalar.squared_difference,
    "cross_entropy": scalar.cross_entropy_term,
    "cross_entropy_logits": scalar.cross_entropy_logit_term,
    "categorical_cross_entropy": scalar.categorical_term,
    "sum_of_products": scalar.multiply,
}
"""Rows that add up a scalar function of two numbers over the features."""
_FUSED: dict[str, Callable[..., Any]] = {
    "layer": products.layer,
    "layer_back": products.layer_back,
    "error_slope": each.error_slope,
}
"""Rows that do what several rows do that often follow each other, for a scalar function."""
_WHOLE: tuple[Callable[..., Any], ...] = (
    products.weighted_sum, products.blame, products.weight_gradient, products.bias_gradient,
    products.step_weights, products.step_bias, rows.softmax, rows.log_softmax, rows.log_others,
    rows.delta_softmax, rows.softmax_error, rows.softmax_binary_error, rows.penalty,
    rows.accuracy, rows.unpick, rows.accumulate, rows.average, rows.update, rows.step_total,
    rows.load, rows.tally, rows.tally_shared, rows.python, rows.copy_cells,
)  # fmt: skip


def _add(
    name: str,
    function: Callable[..., Any],
    applied: Function | None = None,
    *,
    joined: bool = False,
) -> Operation:
    kinds = [
        (parameter, str(function.__annotations__[parameter]))
        for parameter in inspect.signature(function).parameters
    ]
    operands = tuple(parameter for parameter, kind in kinds if kind == "Whole")
    tables = tuple(parameter for parameter, kind in kinds if kind in ("Cells", "Context"))
    with _lock:
        there = OPERATIONS.get(name)
        if there is not None and there.scalar is applied:
            return there
        operation = Operation(len(BY_NUMBER), name, function, applied, operands, tables, joined)
        BY_NUMBER.append(operation)
        OPERATIONS[name] = operation
        return operation


def join(name: str, function: Function) -> Operation:
    """Make a scalar function of one, two or three float64 a row; return its operation.

    The function is written in the kernel's language (`language`), its parameters and its result
    annotated as `Double`. A name that joined before stands for the new function from now on; what
    was laid out with the old one keeps it. Raises `DeclarationError` for the name of a built-in
    operation, and where the function is not in the language.
    """
    taken = OPERATIONS.get(name)
    if taken is not None and not taken.joined:
        raise DeclarationError(f"'{name}' is a built-in operation of the kernel; take another name")
    if taken is not None and taken.scalar is function:
        return taken
    try:
        count = check_joining(function)
    except Unsupported as error:
        raise DeclarationError(
            f"'{name}' cannot become a row of the kernel: {error}; its language is described in "
            "nodeflow/engine/kernel/language.py"
        ) from error
    return _add(name, _EACH[count], function, joined=True)


def fused(name: str, applied: str) -> Operation:
    """Return the operation that does what rows of `name` and of a scalar function do."""
    of = OPERATIONS[applied]
    both = f"{name}.{applied}"
    if of.joined:  # another function of that name may join later
        return _add(f"{both}.{of.number}", _FUSED[name], of.scalar, joined=True)
    return OPERATIONS.get(both) or _add(both, _FUSED[name], of.scalar)


def _end() -> None:
    """End a run of rows."""


END = _add("end", _end).number
for _name, _function in scalar.SCALARS.items():
    _add(_name, _EACH[len(inspect.signature(_function).parameters)], _function)
for _name, _function in _SUMS.items():
    _add(_name, rows.sum_of_each, _function)
for _function in _WHOLE:
    _add(_function.__name__, _function)
