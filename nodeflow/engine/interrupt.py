"""Ctrl-C, deferred to a moment at which a run is consistent."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[Callable[[], Any]]:
    """Defer Ctrl-C to the end of a chunk, so that the run stays consistent.

    Gives a function to call there, which does what Ctrl-C would have done.
    """
    previous = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or not callable(previous):
        yield lambda: None
        return
    caught: list[Any] = []

    def interrupt() -> None:
        if caught:
            number, frame = caught[-1]
            caught.clear()
            previous(number, frame)

    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, previous)
        interrupt()  # one that came after the last chunk
