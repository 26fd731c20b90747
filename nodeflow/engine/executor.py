"""Who executes rows: Python for a few of them, machine code for the rest. The bits are the same.

Machine code for rows has to be loaded, and compiled where it never was; a step or a few updates
of a small network are over before that. So Python executes rows until it has done as much as
loading would cost, and machine code goes on from there.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.kernel import drive
from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.interpreter import PythonContext
from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.kernel.registry import BY_NUMBER, END
from nodeflow.engine.kernel.straight import StraightLine, straight_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodeflow.engine.kernel.machine_code import Loaded

Array = NDArray[Any]
_AT = {name: place for place, name in enumerate(CONTEXT)}
_PATIENCE = 400_000
"""How many numbers Python computes in a process before machine code takes over: about 0.1 s."""
_ROW_COST = 20
"""What Python needs for a row, in numbers that it computes in the same time."""
_MOST_STRAIGHT_ROWS = 200
_MOST_STRAIGHT_WORK = 8_000
"""Straight-line code for larger updates takes longer to compile and saves less."""
_MOST_ROWS = 2_000
"""Beyond so many rows a list of them would take longer to make than machine code to load."""


class _Choice:
    """Who is to execute rows in this process."""

    spent = 0
    forced: Literal["python", "machine code"] | None = None


@contextmanager
def executed_by(who: Literal["python", "machine code"]) -> Iterator[None]:
    """Let all rows be executed by Python, or all by machine code, for as long as this lasts."""
    before, _Choice.forced = _Choice.forced, who
    try:
        yield
    finally:
        _Choice.forced = before


class Failed(Exception):
    """What a node type's function raised, on its way through machine code."""


class Executor:
    """The flat buffer with the data, and what executes rows on it."""

    def __init__(
        self, cells: Array, feed: Array, order: Array, stats: Array, call: Callable[[int], None]
    ) -> None:
        self.cells, self.feed, self.order, self.stats = cells, feed, order, stats
        self._call = call
        self._error: BaseException | None = None
        self.samples = self.count = 0
        """Samples of the pass, and of the update, that a called function works on."""
        self._fields: NDArray[np.int64] | None = None
        self._prepared: dict[int, tuple[Array, Array]] = {}
        self._work: dict[int, tuple[Array, NDArray[np.int64], NDArray[np.int64]]] = {}

    # -- executing

    def run(
        self,
        table: Array,
        begin: int,
        end: int,
        *,
        first: int,
        samples: int,
        number: int,
        count: int,
        tally: int = 0,
    ) -> None:
        """Execute rows `begin` to `end` of a table, for a pass over samples."""
        if begin >= end:
            return
        where = {"first": first, "samples": samples, "number": number, "count": count}
        if self._by_python(end - begin, lambda: self._python_work(table, begin, end, samples)):
            context = self._python_context([*table[begin:end].tolist(), [END]])
            context.tally = tally
            for name, value in where.items():
                setattr(context, name, value)
            context.run(0)
        else:
            code, fields = self._loaded(), self._context()
            rows = np.empty((end - begin + 1, WIDTH), np.int64)
            rows[:-1] = self._addressed(table)[begin:end]
            rows[-1, 0] = code.addresses((END,))[END]
            for name, value in where.items():
                fields[_AT[name]] = value
            fields[_AT["tally"]] = tally
            code.function("run")(
                self.cells.ctypes.data, rows.ctypes.data, fields.ctypes.data, samples
            )
        self._raise()

    def train(self, table: Array, **given: int | Array) -> None:
        """Run updates at full speed: `given` are the fields of a training, see `CONTEXT`.

        `head`, `tail` and `test` are the places in the table at which these parts begin.
        """
        if self._by_python(len(table), lambda: self._training_work(table, given)):
            context = self._python_context(table.tolist())
            for name, value in given.items():
                is_array = isinstance(value, np.ndarray)
                setattr(context, name, memoryview(value.reshape(-1)) if is_array else value)
            drive.train(context.cells, context)
        else:
            code, fields = self._loaded(), self._context()
            rows = self._addressed(table)
            for name, value in given.items():
                fields[_AT[name]] = value.ctypes.data if isinstance(value, np.ndarray) else value
            for part in ("head", "tail", "test"):
                fields[_AT[part]] = rows.ctypes.data + int(given[part]) * rows.strides[0]
            straight = self._straight_line(table, given)
            train = straight.train if straight is not None else None
            started = time.perf_counter()
            (train or code.function("train"))(self.cells.ctypes.data, fields.ctypes.data)
            if straight is not None and train is None:
                straight.spent(time.perf_counter() - started)
        self._raise()

    def _straight_line(self, table: Array, given: Mapping[str, Any]) -> StraightLine | None:
        """Return the straight-line code of a table; None where it does not pay."""
        fed, batch = given["fed"], given["batch"]
        samples = 1 if given["alone"] else batch
        rows = table[: given["test"]]
        if len(rows) > _MOST_STRAIGHT_ROWS or (samples > 1 and fed % batch):
            return None
        if self._python_work(table, 0, len(rows), samples) > _MOST_STRAIGHT_WORK:
            return None
        tail = int(given["tail"])
        return straight_line(self.cells.dtype == np.float64, samples, tail, rows.tobytes())

    def shuffle(self, rows: int, seed: int, epoch: int) -> None:
        """Put the rows of the data into the order of an epoch."""
        if _Choice.forced == "python" or (_Choice.forced is None and rows < 5000):
            drive.shuffle(memoryview(self.order), rows, seed, epoch)
        else:
            self._loaded().function("shuffle")(self.order.ctypes.data, rows, seed, epoch)

    # -- who does it

    def _by_python(self, rows: int, work_of: Callable[[], int]) -> bool:
        if _Choice.forced is not None:
            return _Choice.forced == "python"
        if self.cells.dtype != np.float64 or rows > _MOST_ROWS:
            return False  # Python rounds to float32 only what is stored
        if _Choice.spent > _PATIENCE:
            return False
        work = work_of()
        if _Choice.spent + work > _PATIENCE:
            _Choice.spent = _PATIENCE + 1
            return False
        _Choice.spent += work
        return True

    def _python_work(self, table: Array, begin: int, end: int, samples: int) -> int:
        """Return about how many numbers rows compute."""
        if id(table) not in self._work:
            self._work[id(table)] = (table, *_work_of(table))
        _, fixed, each = self._work[id(table)]
        return int(fixed[begin:end].sum() + samples * each[begin:end].sum())

    def _training_work(self, table: Array, given: Mapping[str, Any]) -> int:
        """Return about how many numbers a training computes: each row counts every time it runs."""
        begin, end, fed, batch = (int(given[name]) for name in ("begin", "end", "fed", "batch"))
        head, tail, test = (int(given[name]) for name in ("head", "tail", "test"))
        samples, passes = (1, batch) if given["alone"] else (batch, 1)
        update = passes * self._python_work(table, head, tail, samples)
        update += self._python_work(table, tail, test, samples)
        work = (end - begin) * update
        if given["test_rows"]:
            per_epoch = (fed + batch - 1) // batch
            epochs = end // per_epoch - begin // per_epoch
            work += epochs * self._python_work(table, test, len(table), int(given["test_rows"]))
        return work

    def _python_context(self, rows: list[list[int]]) -> PythonContext:
        trimmed = [row[: 1 + len(BY_NUMBER[row[0]].operands)] for row in rows]
        context = PythonContext(memoryview(self.cells), trimmed, self._calls(lambda: context))
        context.feed = memoryview(self.feed)
        context.order = memoryview(self.order)
        context.stats = memoryview(self.stats)
        return context

    # -- machine code

    def _loaded(self) -> Loaded:
        from nodeflow.engine.kernel.machine_code import loaded

        return loaded("double" if self.cells.dtype == np.float64 else "float")

    def _context(self) -> NDArray[np.int64]:
        if self._fields is None:
            from nodeflow.engine.kernel.machine_code import CALL

            fields = self._fields = np.zeros(len(CONTEXT), np.int64)
            self._callback = CALL(self._calls(None))
            fields[_AT["call"]] = ctypes.cast(self._callback, ctypes.c_void_p).value
            for name in ("feed", "stats"):
                fields[_AT[name]] = getattr(self, name).ctypes.data
        self._fields[_AT["order"]] = self.order.ctypes.data
        return self._fields

    def _addressed(self, table: Array) -> Array:
        """Return a table whose operations are addresses of their code."""
        if id(table) not in self._prepared:
            numbers = table[:, 0]
            found = table.copy()
            found[:, 0] = self._loaded().addresses(sorted(set(numbers.tolist())))[numbers]
            self._prepared[id(table)] = (table, found)
        return self._prepared[id(table)][1]

    # -- functions of node types

    def _calls(self, context: Callable[[], PythonContext] | None) -> Callable[[int], None]:
        def call(number: int) -> None:
            if self._error is not None:
                return
            try:
                if context is None:
                    assert self._fields is not None
                    self.samples = int(self._fields[_AT["samples"]])
                    self.count = int(self._fields[_AT["count"]])
                else:
                    self.samples, self.count = context().samples, context().count
                self._call(number)
            except BaseException as error:  # noqa: BLE001 (raised again behind machine code)
                self._error = error

        return call

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error


def _work_of(table: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row how many numbers it computes in any case, and for each sample."""
    fixed = np.full(len(table), _ROW_COST, np.int64)
    each = np.zeros(len(table), np.int64)
    for place, row in enumerate(table.tolist()):
        operation = BY_NUMBER[row[0]]
        operands = dict(zip(operation.operands, row[1:], strict=False))
        many = 1
        for name in ("cols", "inner", "outputs", "size"):
            many *= operands.get(name, 1)
        rows = operands.get("rows", 1)
        (fixed if rows else each)[place] += many * max(rows, 1)
    return fixed, each
