"""Rows executed by Python itself: the same functions, so the same bits, with nothing to compile.

A few rows of a small network take less time here than loading machine code does, and where there
is no machine code all rows are executed here. In a network of float32 the functions compute with
NumPy's float32, an operation at a time, which is slow, but gives the bits of machine code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from threading import RLock
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.kernel import drive, language
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Row
from nodeflow.engine.kernel.sources import is_scalar

Array = NDArray[Any]


class PythonContext:
    """What rows and training may know, by the names of `language.CONTEXT`."""

    first = samples = number = count = tally = 0

    def __init__(
        self,
        cells: Array,
        rows: Sequence[Row],
        call: Callable[[int], None],
        **tables: Array,
    ) -> None:
        self.single = cells.dtype == np.float32
        self.cells = self._table(cells)
        self.rows, self.call = rows, call
        self.set(**tables)

    def _table(self, array: Array) -> Any:
        # A memory view gives Python's floats, much faster; an array gives NumPy's float32.
        flat = array.reshape(-1)
        return flat if self.single and flat.dtype.kind == "f" else memoryview(flat)  # type: ignore[arg-type]

    def set(self, **fields: int | Array) -> None:
        """Set fields of the context; arrays become tables."""
        for name, value in fields.items():
            setattr(self, name, self._table(value) if isinstance(value, np.ndarray) else value)

    def run(self, place: int) -> None:
        """Execute rows from a place on, as far as the row that ends them."""
        while self.rows[place][0] != END:
            number, *operands = self.rows[place]
            function, tables, repeats = _prepared(number, self.single)
            if repeats and operands[0] == 0:
                operands[0] = self.samples
            function(*(self.cells if table == "cells" else self for table in tables), *operands)
            place += 1

    def train(self) -> None:
        """Run updates; see `drive.train`."""
        function = _in_float32(drive.train) if self.single else drive.train
        function(self.cells, self)


@cache
def _prepared(number: int, single: bool) -> tuple[Callable[..., None], tuple[str, ...], bool]:  # noqa: FBT001
    operation = BY_NUMBER[number]
    function = _in_float32(operation.function) if single else operation.function
    if operation.scalar is not None:
        applied = _in_float32(operation.scalar) if single else operation.scalar
        function = partial(function, applied)
    return function, operation.tables, operation.operands[:1] == ("rows",)


_making = RLock()
_made_for_float32: dict[Any, Callable[..., Any]] = {}


def _in_float32(function: Any) -> Callable[..., Any]:
    """Return a kernel function as it is compiled for a network of float32.

    A scalar function computes in float64 and is rounded once, and so is a number that is made from
    a whole one; everything else adds and multiplies what it reads from the cells.
    """
    with _making:
        if function in _made_for_float32:
            return _made_for_float32[function]
        found: Callable[..., Any]
        if is_scalar(function):
            found = partial(_rounded_once, function)
        else:
            found = FunctionType(function.__code__, {**function.__globals__}, function.__name__)
        _made_for_float32[function] = found  # before what it calls, which may call it
        if isinstance(found, FunctionType):
            _call_in_float32(found)
        return found


def _rounded_once(function: Callable[..., float], *numbers: float) -> np.float32:
    return np.float32(function(*map(float, numbers)))


def _call_in_float32(function: FunctionType) -> None:
    space = function.__globals__
    for name in function.__code__.co_names:
        called = space.get(name)
        if called is language.to_real:
            space[name] = np.float32
        elif called is language.to_double:
            space[name] = np.float64  # a float of Python would be taken for a float32
        elif isinstance(called, FunctionType) and called.__module__ != language.__name__:
            space[name] = _in_float32(called)
