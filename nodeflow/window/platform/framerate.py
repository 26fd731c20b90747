"""When the next frame is due: soon while something moves, seldom while nothing does."""

from __future__ import annotations

import time
from collections.abc import Callable

FRAME = 1 / 60
"""Seconds a frame while something moves."""
_AFTER, _FRAMES_AFTER = 0.15, 10
"""Seconds, and frames, for which drawing goes on after the last event: a menu takes some frames
until it is there, and frames may be slow."""
_RESTS, _HOVER = 1.0, 0.1
"""Seconds after the last event until which frames come seldom, and seconds between two of them
then: a tooltip waits for some."""
_IDLE, _TYPING = 10.0, 0.4
"""Seconds a frame when nothing moves, and when a cursor blinks."""
_BLIND = 0.15
"""The same where nothing tells that something has come from the display."""
_MEANWHILE, _LEFT = 0.1, 4.0
"""While a person waits for work: the fewest seconds a frame, and the fewest in times of the last
frame, since where processors draw, a frame of a large graph takes all of them."""


class FrameRate:
    """Says until when a window may sleep; `has_events` is whether the display reports any."""

    def __init__(self, *, has_events: bool) -> None:
        self._has_events = has_events
        self._last_event = self._calm_since = time.perf_counter()
        self._calm = 0
        """Frames since the last event."""

    def event(self, at: float | None = None) -> None:
        """Note that something has come, now or at a time of `time.perf_counter`."""
        self._last_event = time.perf_counter() if at is None else at

    def pause(self, *, typing: bool) -> float:
        """Return the seconds a frame lasts when nothing moves, or nothing but a cursor."""
        return (_TYPING if typing else _IDLE) if self._has_events else _BLIND

    def rest(
        self, began: float, *, moves: bool, busy: bool, pause: Callable[[], float]
    ) -> float | None:
        """Return until when there is nothing to draw after a frame; None if it goes on at once.

        `began` is when the frame began, `moves` whether the next one differs in any case, `busy`
        whether a person waits for work; `pause` is asked for its seconds when nothing moves.
        """
        if self._last_event != self._calm_since:
            self._calm_since, self._calm = self._last_event, 0
        self._calm += 1
        since = began - self._last_event
        # Where nothing tells of events a long frame would answer them late.
        calm = self._calm > _FRAMES_AFTER and since >= (_AFTER if self._has_events else _RESTS)
        if moves or not (calm or busy):
            return None
        now = time.perf_counter()
        until = now + max(_MEANWHILE, _LEFT * (now - began)) if busy else 0.0
        if calm:
            seconds = pause()
            until = max(until, began + (seconds if since >= _RESTS else min(seconds, _HOVER)))
        return until
