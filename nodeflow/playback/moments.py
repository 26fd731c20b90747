"""Moments of a run as they are typed and read, and the beats between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nodeflow.derive.phases import PHASES
from nodeflow.engine.run import LEVELS, Position, Run
from nodeflow.engine.step import Step
from nodeflow.errors import RunError, nearest

_TYPED = re.compile(r"(\d+)(?::(\d+)(?::(.+))?)?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as a person writes it: EPOCH[:SAMPLE[:NODE]], counted from 0."""

    epoch: int
    sample: int = 0
    node: str | None = None

    @classmethod
    def read(cls, text: str) -> Moment:
        """Return the moment that was typed; raises `RunError`."""
        found = _TYPED.fullmatch(text.strip())
        if found is None:
            raise RunError(f"{text!r} is not EPOCH, EPOCH:SAMPLE or EPOCH:SAMPLE:NODE")
        epoch, sample, node = found.groups()
        return cls(int(epoch), int(sample or 0), node)

    def __str__(self) -> str:
        node = "" if self.node is None else f":{self.node}"
        return f"{self.epoch}:{self.sample}{node}" if self.sample or node else str(self.epoch)


def described(run: Run, step: Step | None = None) -> str:
    """Return where a run or a step is: "epoch 3 · sample 17 of 139 · forward · z"."""
    if step is not None:
        update, row, epoch = step.update, step.sample, step.epoch
        phase, node = step.phase, step.node
    else:
        update, row, epoch = run.update, run.sample, run.epoch
        node = run.node if run.order else ""
        phase = PHASES[run.plan.phases[node]] if node else ""
    machine = run.machine
    first, count = machine.bounds(update)
    rows = f"sample {row}"
    if not run.plan.loop and count > 1:
        rows = f"samples {first}–{first + count - 1}"
    parts = [f"epoch {epoch}", f"{rows} of {machine.rows}", phase, node]
    return " · ".join(part for part in parts if part)


def check_node(run: Run, moment: Moment) -> None:
    """Raise `RunError` if no step evaluates the moment's node."""
    if moment.node is not None and moment.node not in run.order:
        hint = nearest(moment.node, run.order)
        raise RunError(f"no step of this run evaluates '{moment.node}'{hint}", node=moment.node)


def go_before(run: Run, moment: Moment) -> None:
    """Stand before the step that evaluates the moment's node."""
    check_node(run, moment)
    run.goto(epoch=moment.epoch, sample=moment.sample)
    while moment.node is not None and run.node != moment.node:
        run.step()


def position_of(run: Run, moment: Moment) -> Position:
    """Return the position of a moment: before its epoch or sample, after its node."""
    check_node(run, moment)
    if moment.sample >= run.machine.rows:
        raise RunError(
            f"sample {moment.sample} is beyond the epoch: it has 0 to {run.machine.rows - 1}"
        )
    within, _ = divmod(moment.sample, run.batch)
    update = moment.epoch * run.updates_per_epoch + within
    first, count = run.machine.bounds(update)
    index = 0 if moment.node is None else run.order.index(moment.node) + 1
    if not run.plan.loop:
        return update, first, index
    row = first + count - 1 if index > run.plan.head else moment.sample
    return update, row, index


def end_of_training(run: Run) -> Position:
    """Return the position at which the graph's epochs are over, at least one from here."""
    epochs = max(run.graph.training.epochs, run.epoch + 1)
    return epochs * run.updates_per_epoch, 0, 0


def beats(
    run: Run, level: str, *, end: Position | None = None, passes: int | None = None
) -> Iterator[list[Step]]:
    """Yield the steps of each beat; an epoch's beat has its last step only.

    A beat is never longer than to the `end`, a position, or than so many `passes` (samples of a
    loop, otherwise updates).
    """
    done = 0
    while run.order and (end is None or run.position < end):
        if level == "epoch" and passes is None and _whole_epoch(run, end):
            yield [run.advance("epoch")]
            continue
        steps: list[Step] = []
        while True:
            before = (run.update, run.sample)
            steps.append(run.step())
            done += before != (run.update, run.sample)
            over = (end is not None and run.position >= end) or (
                passes is not None and done >= passes
            )
            if over or run.ended(level, steps[-1]):
                break
        yield steps
        if passes is not None and done >= passes:
            return


def _whole_epoch(run: Run, end: Position | None) -> bool:
    return end is None or end >= ((run.epoch + 1) * run.updates_per_epoch, 0, 0)


__all__ = [
    "LEVELS",
    "Moment",
    "Position",
    "beats",
    "check_node",
    "described",
    "end_of_training",
    "go_before",
    "position_of",
]
