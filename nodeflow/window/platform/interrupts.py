"""Ctrl-C in the terminal from which the window was opened."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def answered(answer: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C call `answer` between two lines of Python, which may raise KeyboardInterrupt."""
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # whoever embeds Python answers it, and could not be given it back
        yield
        return
    try:
        if before != signal.SIG_IGN:  # nobody is at the terminal
            signal.signal(signal.SIGINT, lambda _number, _frame: answer())
    except ValueError:  # not in the main thread: then Ctrl-C comes to somebody else
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
