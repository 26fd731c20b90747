"""What a film tells: beat by beat, which nodes were evaluated, with which numbers and words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import ExportError
from nodeflow.explain import remark
from nodeflow.graph import Graph, Wire
from nodeflow.playback.beats import beats
from nodeflow.playback.moments import described, go_before
from nodeflow.playback.player import Player
from nodeflow.workings.shown import show

if TYPE_CHECKING:
    from nodeflow.engine.step import Step
    from nodeflow.export import Options

Values = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """A beat of a film: a step, or as many as its level says."""

    nodes: tuple[str, ...]
    """Those that were evaluated, the last one last."""
    phase: str
    inputs: Mapping[Wire, NDArray[Any]]
    """What the wires brought; of several steps only the nodes are told."""
    values: Values
    """What is new, by address; after an update the parameters too."""
    updated: bool
    where: str
    formula: str
    sentence: str
    begins: bool = False
    """Whether a pass begins with it: what nodes hold then is of the one before."""
    epoch: Mapping[str, float | None] | None = None
    """The line of the history of the epoch that has ended, where a beat is one: cost, accuracy."""


class Reel:
    """The beats of a film, counted before they are run."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.run = Run(graph)
        self._made = graph
        if not self.run.order:
            raise ExportError("there is nothing to show: the graph has no node that can run")
        if options.level not in LEVELS:
            raise ExportError(f"there is no level '{options.level}': there is {', '.join(LEVELS)}")
        self._level = options.level
        self.begin, self.end = _span(self.run, options)
        if self.begin >= self.end:
            raise ExportError("there is nothing to show: the film ends where it begins")
        """Moments, as numbers of the schedule."""
        self.total = self.count(self._level)
        self._before = dict(self.run.weights)

    @property
    def graph(self) -> Graph:
        """The graph whose nodes are evaluated: its backward pass is wired.

        Epoch by epoch no step is seen, so that is the graph as it was made.
        """
        whole: Graph = self.run.plan.graph
        return self._made if self._level == "epoch" else whole

    def start(self) -> Values:
        """Return what is known before the first beat."""
        return self.run.values

    def evaluated(self) -> set[str]:
        """Return which nodes the pass has evaluated in which the film begins."""
        return set(self.run.order[: self.run.position.place])

    def passing(self) -> frozenset[str]:
        """Return the nodes whose values are of one pass: no parameters, and nothing that is set."""
        if self._level == "epoch":  # all is of its end
            return frozenset()
        return frozenset(key for key in self.run.order if not self.run.reader.stands(key))

    def beats(self) -> Iterator[Beat]:
        """Yield each beat."""
        for steps in beats(Player(self.run), self._level, self.end):
            yield self._told(steps)

    def _told(self, steps: list[Step]) -> Beat:
        run, last = self.run, steps[-1]
        values = {f"{s.node}.{port}": v for s in steps for port, v in s.outputs.items()}
        updated = run.update > last.update
        if updated:
            values |= run.weights
        if self._level == "epoch":
            values |= run.values
            if self.run.schedule.ends_epoch(run.update) and updated:
                return self._epoch(values)
        inputs = {}
        if len(steps) == 1:
            for wire in self.graph.into(last.node):
                name = wire.entry
                if name in last.inputs:
                    inputs[wire] = last.inputs[name]
        sentence = remark(run, last)
        if sentence.partition(" ")[0] not in self.graph.nodes:  # a name stays as it is
            sentence = sentence[:1].upper() + sentence[1:]
        return Beat(
            tuple(step.node for step in steps),
            last.phase,
            inputs,
            values,
            updated,
            described(run, last),
            last.formula,
            sentence,
            run.schedule.place(steps[0].node) == 0,
        )

    def _epoch(self, values: Values) -> Beat:
        """Return the beat of an epoch: what it cost, and which weights it moved most."""
        run = self.run
        before, self._before = self._before, dict(run.weights)
        moved = {
            address: float(np.abs(value - before[address]).max())
            for address, value in run.weights.items()
            if address in before and value.size
        }
        lit = [address.rpartition(".")[0] for address in moved]
        sentence = ""
        if any(moved.values()):
            most = max(moved, key=lambda address: moved[address])
            whole = math.sqrt(
                sum(float(((value - before[key]) ** 2).sum()) for key, value in run.weights.items())
            )
            sentence = (
                f"All weights together moved by {show(whole)}; most of all "
                f"{most.rpartition('.')[0]}, by {show(moved[most])}."
            )
        line = run.line(run.epoch)
        return Beat(
            tuple(key for key in lit if key in self._made.nodes), "update", {}, values, True,
            f"epoch {run.epoch} of {run.graph.training.epochs}", "", sentence, epoch=line,
        )  # fmt: skip

    def count(self, level: str) -> int:
        """Return how many beats there would be at another level."""
        return self.run.schedule.beats(level, self.begin, self.end)

    def passes(self, most: int) -> int:
        """Return how many passes have at most so many beats: samples of a loop, or updates."""
        schedule, low, high = self.run.schedule, 0, most
        while low < high:
            half = (low + high + 1) // 2
            end = schedule.after_passes(self.begin, half)
            if schedule.beats(self._level, self.begin, end) <= most:
                low = half
            else:
                high = half - 1
        return low


def _span(run: Run, options: Options) -> tuple[int, int]:
    """Go to where a film begins; return this and its end. It shows an epoch, if nothing is said."""
    schedule = run.schedule
    if options.shown is not None:
        if options.begin is not None or options.until is not None:
            raise ExportError("what is shown is said twice: choose --epochs, or --from and --until")
        first, last = options.shown
        run.goto(epoch=first)
        end = schedule.number(schedule.start_of_epoch(last + 1))
    else:
        if options.begin is not None:
            go_before(run, Moment.read(options.begin))
        end = schedule.after("epoch", schedule.number(run.position))
        if options.until is not None:
            end = schedule.number(schedule.find(Moment.read(options.until)))
    begin = schedule.number(run.position)
    if options.samples is not None:
        passes = schedule.after_passes(begin, options.samples)
        lasting = options.until is not None or options.shown is not None
        end = min(end, passes) if lasting else passes
    return begin, end
