"""Going on within an update: node by node, or many nodes at once, with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.reading import Cursor
from nodeflow.engine.step import Step
from nodeflow.errors import Diverged, RunError


@dataclass(frozen=True, eq=False)
class _Begun:
    """All that a run holds at the start of the update that it is in, to go back to."""

    cursor: Cursor
    cells: Floats
    stats: Floats


class Stepper:
    """Executes the nodes of the present update; it knows nothing of other updates."""

    def __init__(self, machine: Machine, cursor: Cursor, *, searches: bool) -> None:
        self.machine = machine
        self.schedule = machine.schedule
        self.at = cursor
        updates = set(machine.plan.graph.updates)
        self.trains = searches or not updates.isdisjoint(machine.plan.order)
        """Whether parameters are updated; if not, the graph is only evaluated."""
        self._begun: _Begun | None = None
        self._tallies: Floats = machine.stats.copy()
        """The tallies as they were at the start of the update."""

    # -- where it stands

    @property
    def row(self) -> int:
        """The first row of the present pass within the epoch."""
        return self.schedule.row(self.at.update, self.at.pass_)

    def require_nodes(self) -> None:
        """Raise `RunError` where no node can run."""
        if not self.schedule.order:
            raise RunError("there is nothing to evaluate: the graph has no node that can run")

    @property
    def is_over(self) -> bool:
        """Whether every node of the update was evaluated."""
        return self.at.place == len(self.schedule.order)

    @property
    def begun_with(self) -> Floats:
        """The tallies with which the present update began."""
        return self._tallies

    # -- one node

    def step(self, *, refuse: bool = True) -> Step:
        """Evaluate the next node and return what it did; see `Run.step`."""
        self.require_nodes()
        machine, schedule, at = self.machine, self.schedule, self.at
        update, pass_, place = at.update, at.pass_, at.place
        key = schedule.order[place]
        if not at.within:
            self._begin_update()
        begin, end = machine.tape.spans[key]
        samples = schedule.samples(update)
        inputs = self._inputs(key, samples)
        self._execute(begin, end, pass_)
        type_ = machine.plan.graph.type_of(key)
        outputs = {p.name: machine.read(f"{key}.{p.name}", samples) for p in type_.outputs}
        moment = schedule.epoch(update), self.row, schedule.phases[place]
        made = Step(
            epoch=moment[0],
            update=update,
            sample=moment[1],
            phase=moment[2],
            node=key,
            type=type_.name,
            inputs=inputs,
            outputs=outputs,
            symbols=machine.plan.formula(key),
            activation=machine.plan.activation(key),
            settings=machine.plan.graph.settings(key),
            samples=schedule.bounds(update)[1],
            fault=_fault(key, inputs, outputs, moment),
        )
        if made.fault and refuse:
            self._refuse(made)
        # What belongs to no node: tallies after the head, new parameters after the last node.
        if place == schedule.head - 1:
            self._execute(end, machine.tape.head, pass_)
            self._end_pass()
            end = machine.tape.head
        if place == len(schedule.order) - 1:
            self._execute(end, len(machine.tape.ops), pass_)
        at.seen.add(key)
        at.place += 1
        if at.place == schedule.head and pass_ + 1 < schedule.passes(update):
            at.pass_, at.place = pass_ + 1, 0
        return made

    def _inputs(self, key: str, samples: int) -> dict[str, NDArray[Any]]:
        machine = self.machine
        graph = machine.plan.graph
        found: dict[str, NDArray[Any]] = {}
        for wire in graph.into(key):
            if graph.feeds_back(wire) or wire.start not in machine.tape.slots:
                continue
            name = wire.entry
            found[name] = machine.read(wire.start, samples)
        for name, (start, index) in machine.plan.sums(key).items():
            z = machine.read(start, samples)
            found[name] = z if index is None else np.atleast_2d(z)[:, index]
        return found

    def _execute(self, begin: int, end: int, pass_: int) -> None:
        """Execute rows of the tape for a pass of the present update."""
        if begin < end:
            update, schedule = self.at.update, self.schedule
            self.machine.execute(
                begin,
                end,
                first=schedule.row(update, pass_),
                samples=schedule.samples(update),
                update=schedule.bounds(update)[1],
                sample=pass_,
            )

    def _begin_update(self) -> None:
        machine, at = self.machine, self.at
        if at.evaluated == at.update:
            self._begun = None  # an update that is only trained over is begun without that
        elif self._begun is None or self._begun.cursor.update != at.update:
            self._begun = _Begun(at.copied(), machine.cells.copy(), machine.stats.copy())
        machine.place(self.schedule.epoch(at.update))
        if self.schedule.ends_epoch(at.update):
            machine.stats[:4] = 0
        self._tallies = machine.stats.copy()

    def _end_pass(self) -> None:
        """Note what the passes so far have tallied: the cells hold the last one's costs only."""
        if self.schedule.passes(self.at.update) > 1:
            self.at.batch_tallies = self.machine.stats - self._tallies
        else:
            self.at.batch_tallies = np.zeros_like(self.machine.stats)

    # -- many nodes at once

    def run_to(self, pass_: int, place: int) -> bool:
        """Evaluate the nodes of this update up to a place at once; return whether all went well.

        The place is before the last node, which ends the update. Where numbers are not finite and
        parameters would be updated with them, the update is to be begun again and stepped, so that
        the node is found.
        """
        machine, schedule, at = self.machine, self.schedule, self.at
        spans, order, head = machine.tape.spans, schedule.order, machine.tape.head
        if not at.within:
            self._begin_update()
        end = spans[order[place - 1]][1] if place else 0
        begin = spans[order[at.place - 1]][1] if at.place else 0
        if at.place < schedule.head:
            for number in range(at.pass_, pass_ + 1):
                is_whole = number < pass_ or place >= schedule.head
                self._execute(begin, head if is_whole else end, number)
                if is_whole:
                    self._end_pass()
                    at.seen.update(order[: schedule.head])
                begin = 0
        if place > schedule.head:
            self._execute(max(begin, head), end, pass_)
        at.seen.update(order[:place])
        at.pass_, at.place = pass_, place
        return not self.trains or bool(np.isfinite(machine.cells).all())

    def evaluate(self) -> None:
        """Run forward and backward over the batch of an update that has not begun.

        The moment stays the start of the update, and nothing is updated.
        """
        machine, schedule, at = self.machine, self.schedule, self.at
        machine.place(schedule.epoch(at.update))
        stats = machine.stats.copy()
        spans, head = machine.tape.spans, machine.tape.head
        wanted = schedule.order[: machine.plan.without_updates]
        end = max((spans[key][1] for key in wanted), default=0)
        passes = schedule.passes(at.update)
        machine.stats[:4] = 0
        self._tallies = machine.stats.copy()
        for number in range(passes):
            # The passes are tallied behind the head; where there is one, J is in the cells.
            self._execute(0, head if passes > 1 else min(head, end), number)
        self._end_pass()
        self._execute(head, end, passes - 1)
        machine.stats[:] = stats
        at.shown = at.evaluated = at.update
        at.seen.update(key for key in schedule.order if spans[key][1] <= end)

    def execute_update(self, update: int) -> None:
        """Execute a whole update, so that its values are those that can be read."""
        self._tallies = self.machine.stats.copy()
        if self.schedule.ends_epoch(update):
            self._tallies[:4] = 0  # as the machine does
        self.at.update = update
        self.machine.update(update)
        self._end_pass()

    # -- beginning again

    def forget_beginning(self) -> None:
        """Forget how the update began: its cells have changed, or those of another run came."""
        self._begun = None

    def begin_again(self, update: int) -> bool:
        """Stand at the start of an update as it was begun; return whether that is known."""
        self.at.evaluated = -1
        if self._begun is None or self._begun.cursor.update != update:
            return False
        self.machine.cells[:], self.machine.stats[:] = self._begun.cells, self._begun.stats
        self.at.become(self._begun.cursor)
        self.at.evaluated = -1
        return True

    # -- numbers that are not finite

    @property
    def is_sound(self) -> bool:
        """Whether parameters, cost and hits are finite, or nothing is updated."""
        return not self.trains or (
            self.machine.finite and bool(np.isfinite(self.machine.stats[:2]).all())
        )

    def _refuse(self, step: Step) -> None:
        """Raise `Diverged` if parameters would be updated with what a step made."""
        if not self.trains or step.node not in self.machine.plan.needed or self._comes_to_nothing():
            return
        raise Diverged(
            f"{step.fault}; lower the learning rate, scale the data, or check the node's inputs",
            node=step.node,
            epoch=step.epoch,
            update=step.update,
            sample=step.sample,
        )

    def _comes_to_nothing(self) -> bool:
        """Try the update as a whole: an infinite number on the way may be divided away."""
        machine = self.machine
        cells, stats = machine.cells.copy(), machine.stats.copy()
        machine.update(self.at.update)
        sound = self.is_sound
        machine.cells[:], machine.stats[:] = cells, stats
        return sound

    def out_of_range(self, update: int) -> Diverged:
        """Return the error for an update that goes bad, though none of its nodes does."""
        return Diverged(
            f"the numbers left the range of {self.machine.dtype} in update {update}; "
            "lower the learning rate, or scale the data",
            node=self.schedule.order[-1],
            epoch=self.schedule.epoch(update),
            update=update,
            sample=self.schedule.bounds(update)[0],
        )


def _fault(
    node: str,
    inputs: dict[str, NDArray[Any]],
    outputs: dict[str, NDArray[Any]],
    moment: tuple[int, int, str],
) -> str:
    """Return which output is not finite though all inputs are; "" if none."""
    bad = [name for name, value in outputs.items() if not np.isfinite(value).all()]
    if not bad or not all(np.isfinite(value).all() for value in inputs.values()):
        return ""
    what = "NaN" if np.isnan(outputs[bad[0]]).any() else "Infinity"
    epoch, sample, phase = moment
    return f"{what} first appeared in '{node}.{bad[0]}' (epoch {epoch}, sample {sample}, {phase})"
