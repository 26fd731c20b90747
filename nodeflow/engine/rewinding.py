"""Going back: checkpoints, and the replay of what lies between them and a moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nodeflow.engine.checkpoints import Checkpoints
from nodeflow.engine.epochlog import EpochLog
from nodeflow.engine.machine import Floats
from nodeflow.engine.minimizer import Minimizer
from nodeflow.engine.stepping import Stepper


class Rewinder:
    """Ends updates, keeps what is needed to come back to them, and comes back."""

    def __init__(self, stepper: Stepper, minimizer: Minimizer | None) -> None:
        self.stepper = stepper
        self.machine = stepper.machine
        self.schedule = stepper.schedule
        self.at = stepper.at
        self.minimizer = minimizer
        self.checkpoints = Checkpoints(self.machine.start, self.machine.stats)
        self.log = EpochLog()
        self.born = 0
        """The update at which a forked run begins."""
        self.from_parent: Callable[[], None] | None = None
        """Lets a forked run stand at its beginning, as the run does that it was forked from."""

    # -- the end of an update

    def end_update(self) -> None:
        """Stand at the start of the next update, all nodes of the present one being evaluated.

        Raises `Diverged` if its numbers left the range; the run then stands at its start.
        """
        update = self.at.update
        if self.minimizer is not None:
            self.minimizer.commit(update)
        if not self.stepper.is_sound:
            self.return_to(update)
            raise self.stepper.out_of_range(update)
        self.arrive(update + 1)
        if self.schedule.ends_epoch(update + 1):
            self.keep(update + 1)

    def arrive(self, update: int) -> None:
        """Stand at the start of an update; the values of the one before are in the cells."""
        if self.schedule.ends_epoch(update):
            line = np.array([self.machine.summary()], np.float64)
            self.log.extend(self.schedule.epoch(update), line)
        self._stand_after(update)

    def _stand_after(self, update: int) -> None:
        self.at.stand_at(update)
        self.at.shown, self.at.evaluated_once = update - 1, True
        self._put_user_set()

    def keep(self, update: int, *, by_user: bool = False) -> None:
        """Keep a checkpoint of the start of an update, at which the machine is."""
        machine = self.machine
        state = machine.cells[: machine.tape.state]
        self.checkpoints.add(update, state, machine.stats, by_user=by_user)

    def _put_user_set(self) -> None:
        """Put weights in place that a user set at this moment, when it is passed again."""
        update, kept = self.at.update, self.checkpoints
        if update in kept.user_set:
            at, state, _ = kept.at(update)
            if at == update:
                self.machine.cells[: self.machine.tape.state] = state

    def branch(self) -> None:
        """Go on from other weights: what was known of the run after this moment is forgotten."""
        update = self.at.update
        self.stepper.forget_beginning()
        self.checkpoints.drop_from(update)
        self.keep(update, by_user=True)
        self.log.drop(self.schedule.epoch(update))
        if self.minimizer is not None:
            self.minimizer.restart(update)

    def end_here(self) -> None:
        """Forget what is known of the run after this moment."""
        update = self.at.update
        self.checkpoints.drop_from(update + 1)
        self.log.drop(self.schedule.epoch(update))

    def resume(self, update: int, state: Floats, stats: Floats, *, straight: bool) -> None:
        """Stand at the start of an update with a state that another run had there."""

        def return_there() -> None:
            self.stepper.forget_beginning()
            self.machine.cells[:] = self.machine.fresh_cells()
            self.restore(state, stats)
            self.at.stand_at(update)
            self.at.shown, self.at.evaluated, self.at.evaluated_once = update, -1, False
            self.at.seen.clear()

        self.checkpoints.add(update, state, stats, by_user=not straight)
        if not straight:
            self.born, self.from_parent = update, return_there
            if self.minimizer is not None:
                self.minimizer.restart(update)
        return_there()

    # -- replaying

    def restore(self, state: Floats, stats: Floats) -> None:
        """Put a checkpoint's state and tallies in place."""
        self.machine.cells[: self.machine.tape.state] = state
        self.machine.stats[:] = stats

    def replay(self, begin: int, end: int) -> None:
        """Run updates again whose history is known."""
        if end <= begin:
            return
        if self.minimizer is not None:
            for update in range(begin, end):
                self.machine.update(update)
                self.minimizer.commit(update)
            return
        machine, schedule = self.machine, self.schedule
        lines = max(1, schedule.epoch(end) - schedule.epoch(begin))
        states = np.empty((lines, machine.tape.state), machine.dtype)
        machine.train(begin, end, np.empty((lines, 4)), states)

    def return_to(self, target: int) -> None:
        """Stand at the start of an update that has been reached before.

        The update before it is executed on the full tape, so that its values can be read.
        """
        if self.from_parent is not None and target == self.born:
            self.from_parent()
            self._put_user_set()
            return
        if self.stepper.begin_again(target):
            return
        machine, before = self.machine, max(target - 1, 0)
        at, state, stats = self.checkpoints.at(before)
        if not np.isfinite(machine.cells).all():
            machine.cells[:] = machine.fresh_cells()
        self.restore(state, stats)
        for mark in (*self.checkpoints.replay_marks(at, before), before):
            self.replay(at, mark)
            at = mark
            if at not in self.checkpoints.user_set:
                state_now = machine.cells[: machine.tape.state]
                self.checkpoints.add_recent(at, state_now, machine.stats)
        if target > 0:
            self.stepper.execute_update(before)
            if self.minimizer is not None:
                self.minimizer.commit(before)
            self._stand_after(target)
        else:
            machine.cells[:] = machine.fresh_cells()
            self.restore(state, stats)
            self.at.stand_at(0)
            self.at.shown, self.at.evaluated_once = 0, False
            self.at.batch_tallies = np.zeros_like(machine.stats)
            self.at.seen.clear()

    def approach(self, target: int) -> None:
        """Stand at the start of an update, or of the last one before it that is known."""
        at, last = self.at, self.checkpoints.last
        if target == at.update and not at.within:
            return
        is_nearer = target <= last and self.checkpoints.at(target - 1)[0] > at.update
        if target <= at.update or is_nearer:
            self.return_to(target)
            return
        self.finish_update()
        if at.update < last < target:
            self.return_to(last)

    def finish_update(self) -> None:
        """Go to the end of the present update, if it has begun; raises `Diverged`."""
        at, update = self.at, self.at.update
        if not at.within:
            return
        last = self.schedule.passes(update) - 1, len(self.schedule.order) - 1
        if not self.stepper.run_to(*last):
            self.return_to(update)  # node by node, so that the one at fault is found
        while at.update == update:
            self.stepper.step()
            if self.stepper.is_over:
                self.end_update()
