"""Straight-line code for small updates that are repeated often: no row is looked up any more.

It is translated from the same functions as the rows, their operands written in, and compiled in
the background while the rows go on; whoever trains takes it over at the end of a chunk. Bits
cannot differ: the operations are the same, in the same order.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Row

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_PAYS_AFTER = 0.02
"""Seconds of training after which compiling, about 0.15 s beside it, is likely to pay."""


class StraightLine:
    """Straight-line code of one table of rows: not there, on its way, or ready."""

    def __init__(self, real: str, samples: int, tail: int, rows: bytes) -> None:
        self._made_from = real, samples, tail, rows
        self._seconds = 0.0
        self._future: Future[Any] | None = None

    @property
    def train(self) -> Any | None:
        """The function, once it is ready."""
        if self._future is None or not self._future.done():
            return None
        return self._future.result()

    def spent(self, seconds: float) -> None:
        """Note how long training without it took; begin to compile once that is long enough."""
        self._seconds += seconds
        if self._seconds > _PAYS_AFTER and self._future is None:
            self._future = _background().submit(_compiled, *self._made_from)

    def compile_now(self) -> None:
        """Compile and wait for it: for tests and measurements."""
        self._future = self._future or _background().submit(_compiled, *self._made_from)
        self._future.result()


@lru_cache(maxsize=64)
def _line(real: str, samples: int, tail: int, rows: bytes) -> StraightLine:
    return StraightLine(real, samples, tail, rows)


def straight_line(double: bool, samples: int, tail: int, rows: bytes) -> StraightLine:
    """Return the straight-line code for a table of rows and passes of so many samples.

    The rows up to an end are the head, those from `tail` on the tail.
    """
    return _line("double" if double else "float", samples, tail, rows)


def wait() -> None:
    """Wait until all that is being compiled in the background is ready: for measurements."""
    _background().submit(int).result()


@cache
def _background() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="nodeflow-compiler")


def _compiled(real: str, samples: int, tail: int, rows: bytes) -> Any:
    from nodeflow.engine.kernel.machine_code import loaded

    table = np.frombuffer(rows, np.int64).reshape(-1, WIDTH).tolist()
    parts = {"head": _until_end(table[:tail]), "tail": _until_end(table[tail:])}
    return loaded(real).straight(parts, samples)


def _until_end(table: list[list[int]]) -> list[Row]:
    found: list[Row] = []
    for row in table:
        if row[0] == END:
            break
        found.append(row[: 1 + len(BY_NUMBER[row[0]].operands)])
    return found
