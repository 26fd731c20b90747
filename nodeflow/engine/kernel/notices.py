"""What works, but more slowly than it could, is said once a process, in one sentence."""

from __future__ import annotations

import sys
import warnings
from threading import Lock
from typing import Any

from nodeflow.errors import Slower, readable

_said: set[str] = set()
_lock = Lock()


def say_once(what: str, sentence: str) -> None:
    """Warn of something, unless a warning about it (`what`) was given before."""
    with _lock:
        if what in _said:
            return
        _said.add(what)
    warnings.warn(sentence, Slower, stacklevel=2)


def say_in_sentences() -> None:
    """Let a process that runs no command, such as a worker, say it as a command does.

    Whoever shows warnings already goes on to do so.
    """
    if warnings.showwarning.__module__ not in ("warnings", "_py_warnings"):  # from 3.14 on
        return
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, Slower):
            sys.stderr.write(f"nodeflow: {readable(str(message))}\n")
        else:
            shown(message, category, *rest, **more)

    warnings.showwarning = show


def forget() -> None:
    """Let everything be said again: for tests."""
    with _lock:
        _said.clear()
