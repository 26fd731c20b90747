"""Work beside the editor: begun in a thread, asked for, and dropped if nobody wants it any more."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


Heed = Callable[[int, int], None]
"""Called with what is done and what is to do; raises `Dropped` if nobody wants it any more."""


class Dropped(Exception):
    """Nobody wants this work any more."""


class Work(Generic[T]):
    """Something that takes its time; `what` says so to the person who waits.

    A thread cannot be ended from outside: work that is dropped ends where it next heeds that (it
    calls what it is given, with how much is done and to do), or goes on unseen. What comes of it is
    forgotten.
    """

    def __init__(self, what: str, work: Callable[[Heed], T]) -> None:
        self.what = what
        self.share = ""
        """How much of it is done, if it tells: "34 %"."""
        self.told_share = ""
        self._dropped = False
        self.told = False
        """Whether the person who waits knows of it."""
        self._since = monotonic()
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name=f"nodeflow-{what}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work(self._heed)
        except BaseException as error:  # noqa: BLE001  it is raised where it is asked for
            self._error = error

    def _heed(self, done: int, total: int) -> None:
        if self._dropped:
            raise Dropped
        self.share = f"{round(100 * done / max(total, 1))} %"

    def drop(self) -> None:
        """Have it end as soon as may be."""
        self._dropped = True

    @property
    def age(self) -> float:
        """How many seconds ago it was begun."""
        return monotonic() - self._since

    def done(self, seconds: float = 0.0) -> bool:
        """Return whether it is done; wait so long for it."""
        if seconds:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> T:
        """Return what came of it, or raise what went wrong; it must be done."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]
