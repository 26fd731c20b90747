"""The first and last moments of a command: Ctrl-C at any of them, and streams that are closed.

It is imported before all else and imports next to nothing itself.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Any

INTERRUPTED = 130
_caught: list[int] = []


def hold_interrupts() -> None:
    """Have Ctrl-C end the program at once: nothing is begun yet that could be lost."""
    with contextlib.suppress(ValueError):  # not in the main thread: then it is no command
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _end)


def take_interrupts() -> None:
    """Have Ctrl-C raise `KeyboardInterrupt` from now on, and remember that it came.

    What is imported meanwhile may swallow it, or make another error of it.
    """
    _caught.clear()
    with contextlib.suppress(ValueError):
        if signal.getsignal(signal.SIGINT) in (_end, signal.default_int_handler):
            signal.signal(signal.SIGINT, _raise)
            sys.unraisablehook = _unraisable


def interrupted() -> bool:
    """Return whether Ctrl-C came since `take_interrupts`."""
    return bool(_caught)


def ignore_interrupts() -> None:
    """Have Ctrl-C do nothing: the program is ending as it is."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave_interrupted() -> None:
    """End the program with the exit code of an interrupt.

    Python itself ends by SIGINT, whatever code is returned, where Ctrl-C came at certain moments of
    an import (seen once in twenty times while Dask was imported, in Python 3.11).
    """
    atexit._run_exitfuncs()  # noqa: SLF001  there is no public name for it
    os._exit(INTERRUPTED)


def _end(_number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        if "--json" in sys.argv:
            os.write(1, b'{"error": "interrupted"}\n')
        os.write(2, b"nodeflow: interrupted\n")
    os._exit(INTERRUPTED)


def _raise(number: int, _frame: FrameType | None) -> None:
    _caught.append(number)
    raise KeyboardInterrupt


def _unraisable(problem: Any) -> None:
    """Say nothing of a Ctrl-C that came while Python cleared something away."""
    kind: type[BaseException] = problem.exc_type
    trace: TracebackType | None = problem.exc_traceback
    if not issubclass(kind, KeyboardInterrupt) and trace is not None:
        sys.__unraisablehook__(problem)


def open_missing() -> None:
    """Open nothing for the streams that are closed, so that no file of ours takes their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
                if getattr(sys, name).fileno() != number:
                    os.dup2(getattr(sys, name).fileno(), number)


def close_quietly() -> bool:
    """Write out what waits; return whether it could be. Python is silent about it at its end."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            whole = False
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
    return whole
