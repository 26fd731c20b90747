"""What a film tells: beat by beat, which nodes were evaluated, with which numbers and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nodeflow.engine.run import LEVELS, Position, Run
from nodeflow.errors import ExportError
from nodeflow.explain import remark
from nodeflow.graph import Graph, Wire
from nodeflow.playback.moments import Moment, beats, described, go_before, position_of

if TYPE_CHECKING:
    from nodeflow.engine.step import Step
    from nodeflow.export import Options

Values = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
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


class Reel:
    """The beats of a film, counted before they are run."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.run = Run(graph)
        if not self.run.order:
            raise ExportError("there is nothing to show: the graph has no node that can run")
        self._level = options.level
        self.begin, self.end = _span(self.run, options)
        if self.begin >= self.end:
            raise ExportError("there is nothing to show: the film ends where it begins")
        self.total = count(self.run, self._level, self.begin, self.end)

    @property
    def graph(self) -> Graph:
        """The graph whose nodes are evaluated: its backward pass is wired."""
        whole: Graph = self.run.plan.graph
        return whole

    def start(self) -> Values:
        """Return what is known before the first beat."""
        return self.run.values

    def beats(self) -> Iterator[Beat]:
        """Yield each beat."""
        for steps in beats(self.run, self._level, end=self.end):
            yield self._told(steps)

    def _told(self, steps: list[Step]) -> Beat:
        run, last = self.run, steps[-1]
        values = {f"{s.node}.{port}": v for s in steps for port, v in s.outputs.items()}
        updated = run.update > last.update
        if updated:
            values |= run.weights
        if self._level == "epoch":
            values |= run.values
        inputs = {}
        if len(steps) == 1:
            for wire in self.graph.into(last.node):
                name = wire.input if wire.index is None else f"{wire.input}[{wire.index}]"
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
        )

    def count(self, level: str) -> int:
        """Return how many beats there would be at another level."""
        return count(self.run, level, self.begin, self.end)

    def passes(self, most: int) -> int:
        """Return how many passes have at most so many beats: samples of a loop, or updates."""
        low, high = 0, most
        while low < high:
            half = (low + high + 1) // 2
            if count(self.run, self._level, self.begin, _after(self.run, half)) <= most:
                low = half
            else:
                high = half - 1
        return low


def _span(run: Run, options: Options) -> tuple[Position, Position]:
    """Go to where a film begins; return this and its end. It shows an epoch, if nothing is said."""
    if options.shown is not None:
        if options.begin is not None or options.until is not None:
            raise ExportError("what is shown is said twice: choose --epochs, or --from and --until")
        first, last = options.shown
        run.goto(epoch=first)
        end = ((last + 1) * run.updates_per_epoch, 0, 0)
    else:
        if options.begin is not None:
            go_before(run, Moment.read(options.begin))
        end = ((run.epoch + 1) * run.updates_per_epoch, 0, 0)
        if options.until is not None:
            end = position_of(run, Moment.read(options.until))
    if options.samples is not None:
        passes = _after(run, options.samples)
        lasting = options.until is not None or options.shown is not None
        end = min(end, passes) if lasting else passes
    return run.position, end


def _after(run: Run, passes: int) -> Position:
    """Return the position after so many passes from here."""
    update, sample, _ = run.position
    first, n = run.machine.bounds(update)
    if not run.plan.loop:
        update += passes
        return update, run.machine.bounds(update)[0], 0
    sample += passes - first
    while sample >= n:
        sample -= n
        update += 1
        n = run.machine.bounds(update)[1]
    return update, run.machine.bounds(update)[0] + sample, 0


# --- counting ------------------------------------------------------------------------------------


def count(run: Run, level: str, begin: Position, end: Position) -> int:
    """Return how many beats lie between two positions, without running any."""
    if level not in LEVELS:
        raise ExportError(f"there is no level '{level}': there is {', '.join(LEVELS)}")
    total, known = 0, dict[int, int]()
    pending = False
    for update in range(begin[0], end[0] + (end[1:] > (0, 0))):
        n = run.machine.bounds(update)[1]
        whole = begin <= _start(run, update) and end >= _start(run, update + 1)
        if level == "epoch":
            pending = (update + 1) % run.updates_per_epoch != 0 or not whole
            total += not pending
            continue
        if whole:
            if n not in known:
                known[n] = sum(ended for _, ended in _steps(run, level, update))
            total += known[n]
            continue
        for before, ended in _steps(run, level, update):
            if begin <= before < end:
                total += ended
                pending = not ended
    return total + pending


def _start(run: Run, update: int) -> Position:
    return update, run.machine.bounds(update)[0], 0


def _steps(run: Run, level: str, update: int) -> Iterator[tuple[Position, bool]]:
    """Yield where each step of an update begins, and whether a beat ends with it."""
    plan, order = run.plan, run.order
    first, n = run.machine.bounds(update)
    samples = n if plan.loop else 1
    for sample in range(samples):
        last = sample == samples - 1
        length = len(order) if last else plan.head
        for index in range(length):
            after = index + 1
            over = after == length
            if level == "phase":
                over = over or plan.phases[order[after]] != plan.phases[order[index]]
            elif level == "sample":
                over = over or (plan.loop and after == plan.head)
            elif level == "update":
                over = over and last
            yield (update, first + sample, index), over or level == "step"
