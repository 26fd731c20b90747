"""Straight-line code for small updates that are repeated often: no row is looked up any more.

It is translated from the same functions as the rows, their operands written in, and compiled in
the background while the rows go on; whoever trains takes it over at the end of a chunk. Bits
cannot differ: the operations are the same, in the same order.
"""

from __future__ import annotations

import atexit
import signal
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, lru_cache
from queue import SimpleQueue
from threading import Event, Lock, Thread, current_thread, main_thread
from typing import Any, TypeAlias

import numpy as np

from nodeflow.engine.kernel.compiler import WIDTH
from nodeflow.engine.kernel.machine_code import Sizes, Unavailable, loaded
from nodeflow.engine.kernel.notices import say_once
from nodeflow.engine.kernel.registry import BY_NUMBER, END, Row

_Places: TypeAlias = tuple[int, int]
"""Where the rows of tail and test begin in a table."""

_PAYS_AFTER = 0.01
"""Seconds of training after which compiling, about 0.15 s beside it, is likely to pay.

It is done once for all processes, since what was compiled is kept.
"""

_FEW_ROWS = 64
"""Rows whose code takes a fraction of a second: once begun it is finished, even where the process
ends meanwhile, so that the next one has it at once."""


class StraightLine:
    """Straight-line code of one table of rows: not there, on its way, or ready."""

    def __init__(self, real: str, sizes: Sizes, places: _Places, rows: bytes) -> None:
        self._made_from = real, sizes, places, rows
        self._seconds = 0.0
        self._lock = Lock()
        self._looked_up = False
        self._future: Future[Any] | None = None

    @property
    def train(self) -> Any | None:
        """The function, once it is ready."""
        if not self._looked_up:
            self._look_up()
        future = self._future
        if future is None or not future.done():
            return None
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, Unavailable):
            raise error
        say_once("straight", f"training goes on more slowly than it could: {error}")
        return None

    def spent(self, seconds: float) -> None:
        """Note how long training without it took; begin to compile once that is long enough."""
        self._seconds += seconds
        if self._seconds > _PAYS_AFTER:
            self._begun()

    def compile_now(self) -> None:
        """Compile and wait for it: for tests and measurements."""
        self._begun().result()

    def _look_up(self) -> None:
        """Take what was compiled for the same rows before, if it is in the cache folder."""
        with self._lock:
            self._looked_up = True
            real, sizes, places, rows = self._made_from
            found = loaded(real).straight_from_cache(_parts(places, rows), sizes)
            if found is not None and self._future is None:
                self._future = Future()
                self._future.set_result(found)

    def _begun(self) -> Future[Any]:
        with self._lock:
            if self._future is None:
                self._future = _background().submit(lambda: _compiled(*self._made_from))
            return self._future


@lru_cache(maxsize=64)
def _line(real: str, sizes: Sizes, places: _Places, rows: bytes) -> StraightLine:
    return StraightLine(real, sizes, places, rows)


_making = Lock()


def straight_line(
    double: bool,  # noqa: FBT001 (what it is about)
    sizes: Sizes,
    places: _Places,
    rows: bytes,
) -> StraightLine:
    """Return the straight-line code for a table of rows, and passes and updates of these sizes.

    The rows up to an end are the head; `places` tells where tail and test begin.
    """
    with _making:
        return _line("double" if double else "float", sizes, places, rows)


class _Background:
    """A thread that compiles. When the process ends it leaves off at the next opportunity.

    A thread of `concurrent.futures` would first do all that waits, and Ctrl-C while it does would
    be answered with a traceback.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._thread = Thread(target=self._work, name="nodeflow-compiler", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        """Let a job be done when its turn comes."""
        future: Future[Any] = Future()
        self._jobs.put((future, job))
        return future

    def _work(self) -> None:
        while not _ending.is_set():
            future, job = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 (raised where the result is asked for)
                future.set_exception(error)
            del future, job  # nobody else may need what they hold

    def _end(self) -> None:
        """Wait for what is being compiled: LLVM must not be at work while it is torn down."""
        _ending.set()
        self._jobs.put((Future(), lambda: None))
        if current_thread() is main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command is ending as it is
        self._thread.join()


_ending = Event()


def _background() -> _Background:
    with _making:
        return _only_background()


def wait() -> None:
    """Wait until all that is being compiled in the background is ready: for measurements."""
    _background().submit(int).result()


@cache
def _only_background() -> _Background:
    return _Background()


def _compiled(real: str, sizes: Sizes, places: _Places, rows: bytes) -> Any:
    parts = _parts(places, rows)
    few = sum(map(len, parts.values())) <= _FEW_ROWS
    return loaded(real).straight(parts, sizes, lambda: few or not _ending.is_set())


def _parts(places: _Places, rows: bytes) -> dict[str, list[Row]]:
    table = np.frombuffer(rows, np.int64).reshape(-1, WIDTH).tolist()
    tail, test = places
    return {
        "head": _until_end(table[:tail]),
        "tail": _until_end(table[tail:test]),
        "test": _until_end(table[test:]),
    }


def _until_end(table: list[list[int]]) -> list[Row]:
    found: list[Row] = []
    for row in table:
        if row[0] == END:
            break
        found.append(row[: 1 + len(BY_NUMBER[row[0]].operands)])
    return found
