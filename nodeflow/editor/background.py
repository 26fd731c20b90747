"""Work in the background: every thread of an editor is begun, watched, cancelled and ended here.

`Job` is one piece of work with a result, `Latest` asks for the same kind of work again and again
and keeps only the newest, `Service` serves something until it is closed (the run, the journal). A
fault is no silent end of a thread: a job raises it where its result is asked for, a service
reports it once.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from nodeflow.export import Cancelled, Progress

__all__ = ["PATIENCE", "Cancelled", "Job", "Latest", "Progress", "Service", "fault_text"]

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a service is given to end."""


def fault_text(error: BaseException) -> str:
    """Return what to tell of an error that was not foreseen; where it arose goes to the log."""
    traceback.print_exception(error)
    return (
        f"a fault in nodeflow itself ({type(error).__name__}: {error}); the graph is kept, save it"
    )


class Job(Generic[T]):
    """A piece of work in a thread; `what` names it for the person who waits.

    A thread cannot be ended from outside: a job that is cancelled ends where it next reports its
    progress, or goes on unseen. Its result is forgotten then.
    """

    def __init__(self, what: str, work: Callable[[Progress], T]) -> None:
        self.what = what
        self.share = ""
        """How much of it is done, if it reports that: "34 %"."""
        self.announced = False
        """Whether the person who waits knows of it."""
        self.announced_share = ""
        self._cancelled = False
        self._since = monotonic()
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"nodeflow-{what}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work(self._progress)
        except BaseException as error:  # noqa: BLE001  it is raised where it is asked for
            self._error = error

    def _progress(self, done: int, total: int) -> None:
        if self._cancelled:
            raise Cancelled
        self.share = f"{round(100 * done / max(total, 1))} %"

    def cancel(self) -> None:
        """Have it end as soon as may be."""
        self._cancelled = True

    @property
    def age(self) -> float:
        """How many seconds ago it was begun."""
        return monotonic() - self._since

    def done(self, seconds: float | None = 0.0) -> bool:
        """Return whether it is done; wait so many seconds for it (None: until it is)."""
        if seconds != 0.0:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> T:
        """Return what came of it, or raise what went wrong; it must be done."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class Service:
    """A job that goes on until it is closed; its state changes under the lock `changed` alone."""

    def __init__(self, what: str, work: Callable[[], None]) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self._fault = ""
        self._work = work
        self._thread = threading.Thread(target=self._run, name=f"nodeflow-{what}", daemon=True)

    def start(self) -> None:
        """Begin: what the work needs is there now."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  `fault` reports it
            self._fault = fault_text(error)

    def fault(self) -> str:
        """Return what ended it that should not have, once; else ""."""
        found, self._fault = self._fault, ""
        return found

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def wait(self, ready: Callable[[], object], seconds: float | None) -> None:
        """Wait in the thread itself until something is ready, it is closed, or time is over."""
        self.changed.wait_for(lambda: self.closed or ready(), seconds)

    def close(self) -> None:
        """Have it end, and wait for that a while."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        if self.alive:
            self._thread.join(PATIENCE)


class Latest(Generic[T]):
    """Work that is asked for again and again, of which only the newest matters: one job at a time.

    Between two jobs there is a pause, of so many seconds and of at least so many times as long as
    the last one took: a processor is left to the rest.
    """

    def __init__(self, what: str, pause: float, times: float = 0.0) -> None:
        self._what, self._pause, self._times = what, pause, times
        self._wanted: Callable[[], T] | None = None
        self._job: Job[tuple[T, float]] | None = None
        self._due = 0.0

    @property
    def busy(self) -> bool:
        """Whether something will come."""
        return self._job is not None or self._wanted is not None

    def ask(self, work: Callable[[], T]) -> None:
        """Have something worked out, instead of what waits."""
        self._wanted = work

    def forget(self) -> None:
        """Give up what waits, and what is under way."""
        self._wanted = self._job = None

    def poll(self) -> T | None:
        """Return what came since the last call, and begin with what waits; raises its faults."""
        job, found = self._job, None
        if job is not None and job.done():
            self._job = None
            self._due = monotonic() + max(self._pause, self._times * job.age)  # if it failed, too
            found, spent = job.result()
            self._due = monotonic() + max(self._pause, self._times * spent)
        if self._job is None and self._wanted is not None and monotonic() >= self._due:
            work, self._wanted = self._wanted, None
            self._job = Job(self._what, lambda _progress: _timed(work))
        return found


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = monotonic()
    return work(), monotonic() - began
