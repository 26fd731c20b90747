"""Checkpoints: copies of the state at known updates, from which any moment is replayed."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from nodeflow.engine.machine import Floats

_CHECKPOINT_BYTES = 6_000_000
_RECENT_BYTES = 2_000_000
_RECENT = 24
"""States near the present moment that are kept at least: twice the doublings of a long epoch."""


class Checkpoints:
    """States at known updates, in order; when they grow too many, every other one goes."""

    def __init__(self, state: Floats, stats: Floats) -> None:
        self._updates: list[int] = [0]
        self._states: list[Floats] = [state.copy()]
        self._stats: list[Floats] = [stats.copy()]
        self.user_set: set[int] = set()
        """Moments whose weights were set, not trained: no replay could find them."""
        self._recent: dict[int, tuple[Floats, Floats]] = {}
        self._each = state.nbytes + stats.nbytes + 250  # with what the objects themselves take

    def add(self, update: int, state: Floats, stats: Floats, *, by_user: bool = False) -> None:
        """Keep a state; one that was set `by_user` replaces what was there, and stays."""
        place = bisect_right(self._updates, update)
        there = self._updates[place - 1] == update
        if by_user:
            self.user_set.add(update)
        if there and not by_user:
            return
        if there:
            place -= 1
            self._states[place], self._stats[place] = state.copy(), stats.copy()
            return
        self._updates.insert(place, update)
        self._states.insert(place, state.copy())
        self._stats.insert(place, stats.copy())
        self._thin()

    def _thin(self) -> None:
        while self._each * len(self._updates) > _CHECKPOINT_BYTES and len(self._updates) > 8:
            last = len(self._updates) - 1
            kept = [
                place
                for place, update in enumerate(self._updates)
                if place % 2 == 0 or place == last or update in self.user_set
            ]
            if len(kept) > last:
                return
            self._updates = [self._updates[place] for place in kept]
            self._stats = [self._stats[place] for place in kept]
            # What stays is copied, so that the arrays of whole chunks are let go.
            self._states = [self._states[place].copy() for place in kept]

    def add_epochs(self, first: int, per_epoch: int, states: Floats) -> None:
        """Add the states at the ends of epochs, the first of which ends as number `first`."""
        # Not more than would be thinned out at once, as rows of one array.
        stride = 1 + 2 * len(states) * self._each // _CHECKPOINT_BYTES
        nothing = np.zeros_like(self._stats[0])
        kept = states[stride - 1 :: stride]
        if stride > 1:
            kept = kept.copy()
        updates = range((first - 1 + stride) * per_epoch,
                        (first + len(states)) * per_epoch, stride * per_epoch)  # fmt: skip
        known = bisect_right(updates, self._updates[-1])  # they were here before
        self._updates.extend(updates[known:])
        self._states.extend(kept[known:])
        self._stats.extend([nothing] * (len(updates) - known))
        self._thin()

    def add_recent(self, update: int, state: Floats, stats: Floats) -> None:
        """Keep a state for the steps back that may follow; the oldest of them goes first."""
        self._recent.pop(update, None)
        self._recent[update] = state.copy(), stats.copy()
        while len(self._recent) > max(_RECENT, _RECENT_BYTES // self._each):
            del self._recent[next(iter(self._recent))]

    @staticmethod
    def replay_marks(begin: int, end: int) -> list[int]:
        """Return the updates at which to keep a state while `begin` to `end` is replayed.

        They lie 1, 2, 4, 8, … before the end, so that going back update by update replays
        each of them a few times at most, however long the epoch is.
        """
        return [end - 2**k for k in range((end - begin).bit_length(), -1, -1) if end - 2**k > begin]

    def next_set(self, update: int) -> float:
        """Return the next moment at which weights were set, or infinity."""
        return min((moment for moment in self.user_set if moment > update), default=math.inf)

    def at(self, update: int) -> tuple[int, Floats, Floats]:
        """Return the last one that is not after `update`."""
        place = bisect_right(self._updates, update) - 1
        near = max((at for at in self._recent if at <= update), default=0)
        if near > self._updates[place]:
            return near, *self._recent[near]
        return self._updates[place], self._states[place], self._stats[place]

    def drop_from(self, update: int) -> None:
        """Forget those at or after `update`, but for the start of the run."""
        place = max(bisect_right(self._updates, update - 1), 1)
        for kept in (self._updates, self._states, self._stats):
            del kept[place:]
        self.user_set = {moment for moment in self.user_set if moment < update}
        self._recent = {at: kept for at, kept in self._recent.items() if at < update}

    def moved(self, change: Callable[[Floats], Floats]) -> Checkpoints:
        """Return the same moments with other states, such as those of another layout."""
        found = Checkpoints(change(self._states[0]), self._stats[0])
        found._updates, found._stats = list(self._updates), list(self._stats)
        found._states = [change(state) for state in self._states]
        found.user_set = set(self.user_set)
        return found

    @property
    def last(self) -> int:
        """The update of the last one."""
        return self._updates[-1]

    @property
    def bytes(self) -> int:
        """About what all of them take in memory."""
        return self._each * (len(self._updates) + len(self._recent))
