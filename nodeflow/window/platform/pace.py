"""Numbers change faster than they are read: while a network trains, each panel waits its turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor

PAUSE = 0.1
"""Seconds for which numbers stay as they are."""
_PANELS = 0.0007
"""Seconds of the processor, from its start, after which a frame has no turn left for a panel."""

_PIECE = 0.0003
"""Seconds of the processor that a frame has for work that is spread over several."""


def gone_on(work: Iterator[object], seconds: float = _PIECE) -> Iterator[object] | None:
    """Do pieces of some work for so many seconds of the processor, one piece at least.

    Returns what is left of it, None where that was all.
    """
    end = time.thread_time() + seconds
    for _ in work:
        if time.thread_time() > end:
            return work
    return None


class Turns:
    """Has panels wait where a frame has spent its time; one that waits is drawn in any case.

    A click may be answered by several of them: together they would hold up the frame.
    """

    def __init__(self) -> None:
        self._late: dict[str, None] = {}
        """Those that wait, the longest first."""
        self._end = 0.0
        self._overdue = ""
        self._owed = False

    @property
    def waiting(self) -> bool:
        """Whether a panel still waits for its turn."""
        return bool(self._late)

    def frame(self, began: float, *, owed: bool = False) -> None:
        """Begin a frame that began at this time of its thread: who waits longest is drawn in it.

        One that is `owed` to the canvas, which had no time in the last, has none for panels; the
        next one has, whatever is owed.
        """
        self._owed = owed and not self._owed
        self._end = began + _PANELS
        self._overdue = next(iter(self._late), "")

    def has(self, panel: str) -> bool:
        """Return whether a panel is drawn in this frame."""
        if self._owed:
            self._late.setdefault(panel)
            return False
        if panel == self._overdue or time.thread_time() < self._end:
            self._late.pop(panel, None)
            return True
        self._late.setdefault(panel)
        return False


class Throttle:
    """Gives panels an editor whose numbers change seldom, and for one panel a frame.

    What a person does is seen at once, and so is the end of a training.
    """

    def __init__(self) -> None:
        self._shown: dict[str, tuple[float, Live]] = {}
        self._taken = False
        self.waiting = False
        """Whether a panel of this frame has still to show what is known."""

    def frame(self) -> None:
        """Begin a frame."""
        self._taken = self.waiting = False

    def of(self, panel: str, editor: Editor) -> Editor:
        """Return the editor as a panel shows it in this frame."""
        live, now = editor.live, time.perf_counter()
        when, shown = self._shown.get(panel, (0.0, None))
        if shown is None or live.state != "training" or shown.state != "training":
            self._shown[panel] = now, live
            return editor
        if shown is live:
            return editor
        # Where a frame takes longer than that, all are due: the turn is that of the oldest.
        oldest = min(self._shown, key=lambda one: self._shown[one][0])
        if self._taken or now - when < PAUSE or panel != oldest:
            self.waiting = True
            return replace(editor, live=shown)
        self._taken = True
        self._shown[panel] = now, live
        return editor
