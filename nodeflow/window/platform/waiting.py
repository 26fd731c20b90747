"""Waiting without working: until something comes from the display, or a time is over.

Under X11 the toolkit's connection to the display tells whether something has come that no frame has
seen, so that an idle window can sleep and still answer at once. Elsewhere nothing tells, and frames
are shown all the time, though fewer.
"""

from __future__ import annotations

import ctypes
import gc
import select
from typing import Any

from nodeflow.window.platform.toolkit import native


class Connection:
    """The toolkit's connection to an X display.

    What has come lies in the socket, or Xlib has read it already: who waits for an answer of the
    display, as a frame does, takes in all that comes before it. The socket alone would not tell of
    a key that was pressed while a frame was drawn.
    """

    def __init__(self, pending: Any, display: ctypes.c_void_p, socket: int) -> None:
        self._pending, self._display, self._socket = pending, display, socket

    def has_news(self, seconds: float) -> bool:
        """Wait so long at most; return whether something has come that no frame has seen."""
        if self._pending(self._display):
            return True
        ready, _, _ = select.select([self._socket], [], [], seconds)
        return bool(ready)


def connection() -> Connection | None:
    """Return the connection of the window that is shown; None where there is none of X11."""
    found = native("glfwGetX11Display", "XPending", "XConnectionNumber")
    if found is None:
        return None
    shown, pending, number = found
    shown.restype = ctypes.c_void_p
    address = shown()
    if not address:
        return None
    display = ctypes.c_void_p(address)
    return Connection(pending, display, int(number(display)))


class GcScheduler:
    """Collects cyclic garbage while nobody waits for a frame.

    A full collection visits all objects of a large graph, which takes tenths of a second. What a
    frame makes and throws away has no reference cycles; so even young objects are collected
    seldom, or a frame that makes many would wait for it.
    """

    _YOUNG, _MIDDLE, _OLD = 200_000, 10, 100
    """Thresholds for a window that never stands still."""
    _ENOUGH = 10_000
    """Young objects from which a collection is worth its time."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        gc.set_threshold(self._YOUNG, self._MIDDLE, self._OLD)

    def idle(self) -> None:
        """Collect, if much was made since; not while a large graph is being made."""
        young, middle, _ = gc.get_count()
        if gc.isenabled() and (young >= self._ENOUGH or middle):
            gc.collect()

    def close(self) -> None:
        """Give Python its thresholds back."""
        gc.set_threshold(*self._before)
