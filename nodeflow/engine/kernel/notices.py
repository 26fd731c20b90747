"""What works, but more slowly than it could, is said once a process, in one sentence."""

from __future__ import annotations

import warnings
from threading import Lock

from nodeflow.errors import Slower

_said: set[str] = set()
_lock = Lock()


def say_once(what: str, sentence: str) -> None:
    """Warn of something, unless a warning about it (`what`) was given before."""
    with _lock:
        if what in _said:
            return
        _said.add(what)
    warnings.warn(sentence, Slower, stacklevel=2)


def forget() -> None:
    """Let everything be said again: for tests."""
    with _lock:
        _said.clear()
