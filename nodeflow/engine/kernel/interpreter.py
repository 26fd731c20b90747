"""Rows executed by Python itself: the same functions, so the same bits, with nothing to compile.

A few rows of a small network take less time here than loading machine code does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from nodeflow.engine.kernel.registry import BY_NUMBER, END, Row


class PythonContext:
    """What rows and training may know, by the names of `language.CONTEXT`."""

    first = samples = number = count = tally = 0

    def __init__(self, cells: Any, rows: Sequence[Row], call: Callable[[int], None]) -> None:
        self.cells, self.rows, self.call = cells, rows, call

    def run(self, place: int) -> None:
        """Execute rows from a place on, as far as the row that ends them."""
        while self.rows[place][0] != END:
            number, *operands = self.rows[place]
            function, tables, repeats = _prepared(number)
            if repeats and operands[0] == 0:
                operands[0] = self.samples
            function(*(self.cells if table == "cells" else self for table in tables), *operands)
            place += 1


@cache
def _prepared(number: int) -> tuple[Callable[..., None], tuple[str, ...], bool]:
    operation = BY_NUMBER[number]
    function = operation.function
    if operation.scalar is not None:
        function = partial(function, operation.scalar)
    return function, operation.tables, operation.operands[:1] == ("rows",)
