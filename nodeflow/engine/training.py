"""Training at full speed: in chunks, with the numbers of stepping."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from nodeflow.engine.interrupt import deferred_interrupt
from nodeflow.engine.machine import Floats
from nodeflow.engine.rewinding import Rewinder

Progress = Callable[[int, int], None]
"""Called with the updates done and those to do."""
_CHUNK_SECONDS = 0.05


class Trainer:
    """Runs many updates in the compiled loop, and finds the one in which numbers go bad."""

    def __init__(self, rewinder: Rewinder) -> None:
        self.rewinder = rewinder
        self.stepper = rewinder.stepper
        self.machine = rewinder.machine
        self.schedule = rewinder.schedule
        self.at = rewinder.at
        self._chunk = 256
        """Updates of a chunk: whoever trains in slices goes on with what was found to be right."""
        self._has_cost = self.machine.plan.unfolding.cost in self.machine.tape.slots

    def train_to(self, target: int, progress: Progress | None = None) -> None:
        """Train to the start of an update, from the start of another one.

        Ctrl-C is held back to the end of a chunk. Raises `Diverged` where parameters would become
        NaN or Infinity; the run then stands at the start of that update.
        """
        begin, minimizer = self.at.update, self.rewinder.minimizer
        # An update in parts, or one of a minimizer, may be any amount of work.
        alone = minimizer is not None or self.machine.in_parts
        chunk = 1 if alone else self._chunk
        with deferred_interrupt() as interrupted:
            while self.at.update < target:
                user_set = self.rewinder.checkpoints.next_set(self.at.update)
                whole = self.at.update + chunk
                end = int(min(whole, target, user_set))
                started = time.perf_counter()
                if minimizer is None:
                    self._train_chunk(end)
                else:
                    self._search(end)
                spent = time.perf_counter() - started
                if spent < _CHUNK_SECONDS and end == whole:
                    chunk *= 2 if spent > _CHUNK_SECONDS / 4 else 8
                elif chunk > 1 and spent > 2 * _CHUNK_SECONDS:
                    chunk = max(1, chunk // 2)
                if not alone:
                    self._chunk = chunk
                if progress is not None:
                    progress(self.at.update - begin, target - begin)
                interrupted()

    def _search(self, end: int) -> None:
        """Let a minimizer update."""
        for update in range(self.at.update, end):
            self.stepper.execute_update(update)
            self.rewinder.end_update()

    def _train_chunk(self, end: int) -> None:
        """Train to update `end`; the last one on the full tape, so that all values are there."""
        machine, schedule, begin = self.machine, self.schedule, self.at.update
        first = schedule.epoch(begin) + 1
        lines = max(0, schedule.epoch(end - 1) + 1 - first)
        history = np.empty((max(lines, 1), 4))
        states = np.empty((max(lines, 1), machine.tape.state), machine.dtype)
        good, stats = machine.cells[: machine.tape.state].copy(), machine.stats.copy()
        if end - 1 > begin:
            machine.train(begin, end - 1, history, states)
        self.rewinder.log.extend(first, history[:lines])
        bad = self._bad(history[:lines])
        if bad.any():
            first_bad = schedule.start_of_epoch(first + int(bad.argmax())).update
            self._find_divergence(begin, first_bad, good, stats)
        self.stepper.execute_update(end - 1)
        if not self.stepper.is_sound:
            self._find_divergence(begin, end, good, stats)
        checkpoints = self.rewinder.checkpoints
        checkpoints.add_epochs(first, schedule.updates_per_epoch, states[:lines])
        self.rewinder.arrive(end)
        self.rewinder.keep(end)

    def _bad(self, history: Floats) -> Floats:
        """Return in which epochs the cost was not finite; NaN stands for none as well."""
        cost = history[:, 0]
        if not self.stepper.trains:
            return np.zeros(len(cost), bool)
        return np.isinf(cost) | (np.isnan(cost) & self._has_cost)

    def _find_divergence(self, begin: int, end: int, state: Floats, stats: Floats) -> None:
        """Go back to the update in which NaN or Infinity appeared, and step to the node.

        Update `begin` begins well, with `state` and `stats`; when `end` begins, it is too late.
        """
        machine, rewinder = self.machine, self.rewinder
        while end - begin > 1:
            middle = (begin + end) // 2
            rewinder.restore(state, stats)
            rewinder.replay(begin, middle)
            if self.stepper.is_sound:
                begin = middle
                state, stats = machine.cells[: machine.tape.state].copy(), machine.stats.copy()
            else:
                end = middle
        rewinder.restore(state, stats)
        rewinder.keep(begin)
        rewinder.checkpoints.drop_from(begin + 1)
        rewinder.log.drop(self.schedule.epoch(begin))
        rewinder.return_to(begin)
        if machine.in_parts:
            raise self.stepper.out_of_range(begin)
        try:
            while self.at.update == begin:
                self.stepper.step()
                if self.stepper.is_over:
                    rewinder.end_update()
        finally:
            rewinder.return_to(begin)
        raise self.stepper.out_of_range(begin)
