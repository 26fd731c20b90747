"""Waiting without working: until something comes from the display, or a time is over.

On Linux what comes from the display comes through a socket. How many bytes lie there unread tells
that something has happened, so that an idle window can sleep and still answer at once. Elsewhere
nothing tells, and frames are shown all the time, though fewer.
"""

from __future__ import annotations

import gc
import os
import select
import stat
import time
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


def sockets() -> frozenset[int]:
    """Return the sockets that this process has open; none where that cannot be seen."""
    if not _DESCRIPTORS.is_dir():
        return frozenset()
    found = set()
    for path in _DESCRIPTORS.iterdir():
        try:
            if stat.S_ISSOCK(os.fstat(int(path.name)).st_mode):
                found.add(int(path.name))
        except OSError:  # the one that lists the folder is closed again
            continue
    return frozenset(found)


def unread(display: frozenset[int]) -> int:
    """Return how many bytes have come that nobody has read."""
    import fcntl
    import termios

    count = 0
    for descriptor in display:
        try:
            answer = fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4)
        except OSError:  # it was closed
            continue
        count += int.from_bytes(answer, "little")
    return count


class GcScheduler:
    """Python's looking for circles of objects that nobody needs, while nobody waits for a frame.

    All objects of a large graph are looked at: that takes tenths of a second. What a frame makes
    and throws away has no circles; so even young objects are looked at seldom, or a frame of many
    would wait for it.
    """

    _YOUNG, _MIDDLE, _OLD = 50_000, 10, 100
    """Bounds for a window that never stands still."""
    _ENOUGH = 10_000
    """So many young objects are worth a clean-up."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        gc.set_threshold(self._YOUNG, self._MIDDLE, self._OLD)

    def idle(self) -> None:
        """Clean up, if much was made since."""
        young, middle, _ = gc.get_count()
        if young >= self._ENOUGH or middle:
            gc.collect()

    def close(self) -> None:
        """Leave it to Python again."""
        gc.set_threshold(*self._before)


class IdleWait:
    """A nap in steps; what a frame itself leaves unread is no reason to wake.

    Where it leaves nothing, the nap ends at once when something comes.
    """

    FIRST, STEP, LONG = 0.004, 0.025, 0.05
    """What a frame leaves comes within the first step; a step that input cuts short is longer."""

    def __init__(self, display: frozenset[int]) -> None:
        self._display = display
        self._before: int | None = None

    def woken(self) -> bool:
        """Sleep a step; return whether something has come from the display."""
        if self._before == 0:
            ready, _, _ = select.select(list(self._display), [], [], self.LONG)
            return bool(ready)
        time.sleep(self.FIRST if self._before is None else self.STEP)
        there = unread(self._display)
        before, self._before = self._before, there
        return before is not None and there > before
