"""The timeline: where a moment lies on the scrub bars, and which moment lies under the pointer.

The upper bar has the whole run, an epoch a notch, with the curve of the cost. The lower one has
the steps of one epoch. Shares count from 0 at the left to 1 at the right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nodeflow.playback.state import COST, Playback
from nodeflow.workings.shown import duration

SLOWEST, FASTEST = 0.25, 1000.0
"""Steps a second at the ends of the speed slider; beyond its end is full speed."""


@dataclass(frozen=True)
class Timeline:
    """The bars of a playback, and what is marked on them."""

    playback: Playback
    held: int | None = None
    """The epoch that the lower bar goes on to show while it is dragged."""

    @property
    def epoch(self) -> int:
        """The epoch that the lower bar shows: that of the step that led here."""
        if self.held is not None:
            return self.held
        return max(self.playback.number - 1, 0) // self.playback.per_epoch

    @property
    def epochs(self) -> int:
        """How many epochs the upper bar has."""
        return max(math.ceil(self.playback.end / self.playback.per_epoch), 1)

    @property
    def whole(self) -> float:
        """Where the present moment is on the upper bar."""
        return min(self.playback.number / (self.epochs * self.playback.per_epoch), 1.0)

    @property
    def fine(self) -> float:
        """Where it is on the lower bar."""
        return (self.playback.number - self.epoch * self.playback.per_epoch) / (
            self.playback.per_epoch
        )

    @property
    def known(self) -> float:
        """How far the present line has been played, on the upper bar."""
        playback = self.playback
        if not playback.futures:
            return 0.0
        reach = playback.futures[playback.future].reach
        return min(reach / (self.epochs * playback.per_epoch), 1.0)

    @property
    def forks(self) -> tuple[float, ...]:
        """Where lines begin that were changed, on the upper bar."""
        length = self.epochs * self.playback.per_epoch
        return tuple(f.begin / length for f in self.playback.futures if f.what)

    @property
    def update(self) -> tuple[float, float]:
        """Where the present update begins and ends on the lower bar."""
        begin, end = self.playback.update
        if self.playback.number == begin and begin:
            length = end - begin
            begin, end = begin - length, begin
        start = self.epoch * self.playback.per_epoch
        per_epoch = self.playback.per_epoch
        return max(begin - start, 0) / per_epoch, min(end - start, per_epoch) / per_epoch

    @property
    def phases(self) -> tuple[tuple[str, float, float], ...]:
        """The phases of the pass that led here: name, beginning and end on the lower bar."""
        start, length = self.epoch * self.playback.per_epoch, self.playback.per_epoch
        return tuple(
            (phase, max((begin - start) / length, 0.0), min((end - start) / length, 1.0))
            for phase, begin, end in self.playback.phases
        )

    def notches(self, most: int) -> tuple[float, ...]:
        """Return where epochs begin on the upper bar; of too many every tenth, and so on."""
        every = 1
        while self.epochs / every > most:
            every *= 10
        return tuple(epoch / self.epochs for epoch in range(every, self.epochs, every))

    def name(self, moment: int) -> str:
        """Return what a moment is called while a bar is pointed at."""
        epoch, inside = divmod(moment, self.playback.per_epoch)
        if not inside:
            return f"start of epoch {epoch}" if moment < self.playback.end else "the end"
        return f"epoch {epoch} · step {inside} of {self.playback.per_epoch}"

    def at_whole(self, share: float) -> int:
        """Return the moment under a place of the upper bar: the start of an epoch, or the end."""
        epoch = round(min(max(share, 0.0), 1.0) * self.epochs)
        return min(epoch * self.playback.per_epoch, self.playback.end)

    def at_fine(self, share: float) -> int:
        """Return the moment under a place of the lower bar."""
        inside = round(min(max(share, 0.0), 1.0) * self.playback.per_epoch)
        return min(self.epoch * self.playback.per_epoch + inside, self.playback.end)


def curve(
    rows: NDArray[np.float64], epochs: int, points: int, at: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the curve of the cost as shares of width and height (0 is the bottom), (points, 2).

    `epochs` is how many the width stands for, `at` has the epoch of each row (1, 2, 3, … if none
    was thinned out). Of many that fall on one point the first and the extremes are kept.
    """
    cost = rows[:, COST] if len(rows) else np.empty(0)
    known = np.flatnonzero(np.isfinite(cost))
    if known.size == 0:
        return np.empty((0, 2))
    values = cost[known]
    low, high = min(float(values.min()), 0.0), float(values.max())
    span = (high - low) or 1.0
    if known.size > 2 * points:
        each = -(-known.size // points)
        begin = np.arange(0, known.size, each)
        pieces = np.pad(values, (0, begin.size * each - known.size), "edge").reshape(-1, each)
        found = [begin, begin + pieces.argmin(axis=1), begin + pieces.argmax(axis=1)]
        chosen = np.sort(np.concatenate(found))  # `np.unique` imports a lot, within a frame
        chosen = chosen[np.diff(chosen, prepend=-1) > 0]
        known, values = known[chosen], values[chosen]
    x = (known + 1 if at is None else at[known]) / max(epochs, 1)
    return np.stack([x, (values - low) / span], axis=1)


def speed_at(share: float) -> float:
    """Return the speed at a place of the slider: slow to fast in equal ratios, then full."""
    if share >= 1:
        return math.inf
    return (
        float(SLOWEST * (FASTEST / SLOWEST) ** max(share / _FULL, 0.0))
        if share < _FULL
        else (FASTEST)
    )


def share_of(speed: float) -> float:
    """Return where a speed is on the slider."""
    if speed == math.inf:
        return 1.0
    share = _FULL * math.log(speed / SLOWEST) / math.log(FASTEST / SLOWEST)
    return min(max(share, 0.0), _FULL)


def speed_text(speed: float) -> str:
    """Return a speed in words: "a step in 4 s", "8 steps a second", "full speed"."""
    if speed == math.inf:
        return "full speed"
    if speed < 1:
        return f"a step in {duration(1 / speed)}"
    return f"{speed:.0f} step{'s' if round(speed) != 1 else ''} a second"


_FULL = 0.94
"""From here to the end of the slider there is only full speed."""
