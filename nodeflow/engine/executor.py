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
from contextvars import ContextVar
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.kernel import drive
from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.interpreter import PythonContext
from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.kernel.notices import say_once
from nodeflow.engine.kernel.registry import BY_NUMBER, END

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodeflow.engine.kernel.machine_code import Loaded
    from nodeflow.engine.kernel.straight import StraightLine

Array = NDArray[Any]
_NO_ROWS: Array = np.zeros((0, WIDTH), np.int64)
_AT = {name: place for place, name in enumerate(CONTEXT)}
_PASS = ("first", "samples", "number", "count", "tally")
_PATIENCE = 400_000
"""How many numbers Python computes in a process before machine code takes over: about 0.1 s."""
_ROW_COST = 20
"""What Python needs for a row, in numbers that it computes in the same time."""
_MOST_STRAIGHT_ROWS = 200
_MOST_STRAIGHT_WORK = 8_000
"""Straight-line code for larger updates takes longer to compile and saves less."""
_MOST_SHUFFLED = 5_000
"""The most rows that Python shuffles in less time than machine code takes to be loaded."""
_MOST_ROWS = 2_000
"""The most rows of the tape whose list is made in less time than machine code is loaded."""


Who = Literal["python", "machine code"]
_forced: ContextVar[Who | None] = ContextVar("_forced", default=None)


class _Choice:
    """Who is to execute rows in this process."""

    spent = 0
    unavailable = False
    """Whether there is no machine code to be had."""


@contextmanager
def executed_by(who: Who) -> Iterator[None]:
    """Let this thread's rows be executed by Python, or by machine code, for as long as it lasts."""
    token = _forced.set(who)
    try:
        yield
    finally:
        _forced.reset(token)


_Made = TypeVar("_Made")


class _Code(NamedTuple):
    """Machine code that is ready: a table with addresses, the context, and functions."""

    rows: NDArray[np.int64]
    fields: NDArray[np.int64]
    end: int
    run: Callable[..., None]
    train: Callable[..., None]
    each: Callable[..., None]
    shuffle: Callable[..., None]


class Executor:
    """The flat buffer with the data, and what executes rows on it."""

    def __init__(
        self, cells: Array, feed: Array, order: Array, stats: Array, call: Callable[[int], None]
    ) -> None:
        self.cells, self.feed, self.order, self.stats = cells, feed, order, stats
        self._call = _weakly(call)
        self._running: PythonContext | None = None
        """What Python executes just now."""
        self._error: BaseException | None = None
        self.samples = self.count = 0
        """Samples of the pass, and of the update, that a called function works on."""
        self._fields: NDArray[np.int64] | None = None
        self._prepared: dict[int, tuple[Array, _Code]] = {}
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
        where = {
            "first": first, "samples": samples, "number": number, "count": count, "tally": tally
        }  # fmt: skip
        work_of = partial(self._python_work, table, begin, end, samples)
        code = self._code(table, end - begin, work_of)
        if code is None:
            context = self._python_context([*table[begin:end].tolist(), [END]])
            context.set(**where)
            with self._python(context):
                context.run(0)
        else:
            fields = code.fields
            rows = np.empty((end - begin + 1, WIDTH), np.int64)
            rows[:-1] = code.rows[begin:end]
            rows[-1, 0] = code.end
            for name, value in where.items():
                fields[_AT[name]] = value
            code.run(self.cells.ctypes.data, rows.ctypes.data, fields.ctypes.data, samples)
        self._raise()

    def train(self, table: Array, **given: Any) -> None:
        """Run updates at full speed: `given` are the fields of a training, see `CONTEXT`.

        `head`, `tail` and `test` are the places in the table at which these parts begin.
        """
        work_of = partial(self._training_work, table, given)
        by_python = _forced.get() is None and self._by_python(len(table), work_of)
        ready = None if by_python else self._machine(partial(self._ready_to_train, table, given))
        if ready is None:
            context = self._python_context(table.tolist())
            context.set(**given)
            with self._python(context):
                context.train()
        else:
            train, straight = ready
            fields = self._context()
            for name, value in given.items():
                fields[_AT[name]] = value.ctypes.data if isinstance(value, np.ndarray) else value
            if train is None:
                code = self._prepared_code(table)
                train = code.train
                for part in ("head", "tail", "test"):
                    fields[_AT[part]] = code.rows.ctypes.data + given[part] * code.rows.strides[0]
            started = time.thread_time()
            train(self.cells.ctypes.data, fields.ctypes.data)
            if straight is not None:
                straight.spent(time.thread_time() - started)
        self._raise()

    @property
    def runs_machine_code(self) -> bool:
        """Whether machine code is at hand, and enough has been computed to make use of it."""
        if _forced.get() is None and _Choice.spent <= _PATIENCE and self.cells.dtype == np.float64:
            return False
        return self._machine(partial(self._prepared_code, _NO_ROWS)) is not None

    def train_each(
        self,
        table: Array,
        cells: Array,
        fields: NDArray[np.int64],
        numbers: Array,
        given: Mapping[str, Any],
    ) -> None:
        """Train runs that are lines of `cells` and `fields`, those with these numbers, in one call.

        `given` are the fields that all of them share; a row `python` is not among theirs.
        """
        code = self._machine(partial(self._prepared_code, table))
        if code is None:
            raise RuntimeError("runs are trained abreast by machine code only")
        for name, value in given.items():
            fields[:, _AT[name]] = value
        for part in ("head", "tail", "test"):
            fields[:, _AT[part]] = code.rows.ctypes.data + int(given[part]) * code.rows.strides[0]
        places = np.empty((len(numbers), 2), np.int64)
        places[:, 0] = cells.ctypes.data + numbers * cells.strides[0]
        places[:, 1] = fields.ctypes.data + numbers * fields.strides[0]
        straight = self._straight_line(table, given)
        train = straight.train if straight is not None else None
        started = time.thread_time()
        function: Any = train or code.train
        address = ctypes.cast(function, ctypes.c_void_p)
        code.each(address, places.ctypes.data, len(places))
        if straight is not None and train is None:
            straight.spent(time.thread_time() - started)

    def _straight_line(self, table: Array, given: Mapping[str, Any]) -> StraightLine | None:
        """Return the straight-line code of a table; None where it does not pay."""
        fed, batch = given["fed"], given["batch"]
        samples = 1 if given["alone"] else batch
        head, tail = int(given["head"]), int(given["tail"])
        test, rows = int(given["test"]), table[head:]
        if len(rows) > _MOST_STRAIGHT_ROWS or (samples > 1 and fed % batch):
            return None
        if self._python_work(table, head, test, samples) > _MOST_STRAIGHT_WORK:
            return None
        from nodeflow.engine.kernel.straight import straight_line

        sizes = int(samples), None if samples < batch else int(batch)
        return straight_line(
            self.cells.dtype == np.float64, sizes, (tail - head, test - head), rows.tobytes()
        )

    def again(self, table: Array, end: int) -> None:
        """Execute the rows of a table before `end` once more, for the samples of the pass.

        For a function that was called in the middle of a pass; where the pass stands is as before.
        """
        if self._running is not None:
            where = {name: int(getattr(self._running, name)) for name in _PASS}
            self.run(table, 0, end, **where)
            return
        fields = self._context()
        before = fields.copy()
        try:
            where = {name: int(before[_AT[name]]) for name in _PASS}
            self.run(table, 0, end, **where)
        finally:
            fields[:] = before

    def shuffle(self, rows: int, seed: int, epoch: int) -> None:
        """Put the rows of the data into the order of an epoch."""
        few = _forced.get() is None and rows < _MOST_SHUFFLED and not self._prepared
        code = None if few else self._machine(partial(self._prepared_code, _NO_ROWS))
        if code is None:
            drive.shuffle(self.order.data, rows, seed, epoch)
        else:
            code.shuffle(self.order.ctypes.data, rows, seed, epoch)

    # -- who does it

    def _code(self, table: Array, rows: int, work_of: Callable[[], int]) -> _Code | None:
        """Return the machine code for a table; None where Python is to execute its rows."""
        if _forced.get() is None and self._by_python(rows, work_of):
            return None
        return self._machine(partial(self._prepared_code, table))

    def _machine(self, make: Callable[[], _Made]) -> _Made | None:
        """Return what is made of machine code; None where there is none."""
        forced = _forced.get()
        if forced == "python" or (forced is None and _Choice.unavailable):
            return None
        from nodeflow.engine.kernel.machine_code import Unavailable

        try:
            return make()
        except Unavailable as error:
            if forced is not None:
                raise
            _Choice.unavailable = True
            say_once("machine code", f"everything works, but much more slowly: {error}")
            return None

    def _ready_to_train(
        self, table: Array, given: Mapping[str, Any]
    ) -> tuple[Callable[..., None] | None, StraightLine | None]:
        """Return straight-line code that is ready; or None, and what may become it, if it pays.

        Where it is ready the code of single rows need not be loaded.
        """
        straight = self._straight_line(table, given)
        if straight is not None and straight.train is not None:
            return straight.train, None
        self._prepared_code(table)
        return None, straight

    def _by_python(self, rows: int, work_of: Callable[[], int]) -> bool:
        if self.cells.dtype != np.float64 or rows > _MOST_ROWS:
            return False  # with float32 Python is much slower, too slow even for a few rows
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

    @contextmanager
    def _python(self, context: PythonContext) -> Iterator[None]:
        """Let Python execute rows."""
        before, self._running = self._running, context
        try:
            with np.errstate(all="ignore"):
                yield
        finally:
            self._running = before

    def _python_context(self, rows: list[list[int]]) -> PythonContext:
        trimmed = [row[: 1 + len(BY_NUMBER[row[0]].operands)] for row in rows]
        return PythonContext(
            self.cells,
            trimmed,
            _weakly(self._called),
            feed=self.feed,
            order=self.order,
            stats=self.stats,
        )

    # -- machine code

    def _loaded(self) -> Loaded:
        from nodeflow.engine.kernel.machine_code import loaded

        return loaded("double" if self.cells.dtype == np.float64 else "float")

    def _prepared_code(self, table: Array) -> _Code:
        if id(table) not in self._prepared:
            code = self._loaded()
            numbers = table[:, 0]
            rows = table.copy()
            rows[:, 0] = code.addresses({END, *numbers.tolist()})[numbers]
            self._prepared[id(table)] = (
                table,
                _Code(
                    rows=rows,
                    fields=self._context(),
                    end=int(code.addresses((END,))[END]),
                    run=code.function("run"),
                    train=code.function("train"),
                    each=code.function("each"),
                    shuffle=code.function("shuffle"),
                ),
            )
        found = self._prepared[id(table)][1]
        self._context()
        return found

    def _context(self) -> NDArray[np.int64]:
        if self._fields is None:
            from nodeflow.engine.kernel.machine_code import CALL

            fields = self._fields = np.zeros(len(CONTEXT), np.int64)
            self._callback = CALL(_weakly(self._called))
            fields[_AT["call"]] = ctypes.cast(self._callback, ctypes.c_void_p).value or 0
            for name in ("feed", "stats"):
                fields[_AT[name]] = getattr(self, name).ctypes.data
        self._fields[_AT["order"]] = self.order.ctypes.data
        return self._fields

    # -- functions of node types

    def _called(self, number: int) -> None:
        if self._error is not None:
            return
        try:
            if self._running is None:
                fields = self._context()
                self.samples = int(fields[_AT["samples"]])
                self.count = int(fields[_AT["count"]])
            else:
                self.samples, self.count = self._running.samples, self._running.count
            self._call(number)
        except BaseException as error:  # noqa: BLE001 (raised again behind machine code)
            self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error


def _weakly(call: Callable[[int], None]) -> Callable[[int], None]:
    """Return a function that calls a method without keeping its object alive.

    What a run holds is large; it is to go when the run goes, not when Python looks for cycles.
    """
    if not isinstance(call, MethodType):
        return call
    kept = WeakMethod(call)

    def called(number: int) -> None:
        method = kept()
        if method is not None:
            method(number)

    return called


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
