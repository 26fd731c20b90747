"""A step of a run written out, each of its numbers with the port that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.workings.given import Given
from nodeflow.workings.lines import Line, lines_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """A step written out: its formula with symbols, and a line for each output number."""

    node: str
    type: str
    symbols: str
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The symbols and the lines, one below the other."""
        return "\n".join([f"{self.node}: {self.symbols}", *(line.text for line in self.lines)])


def explain(run: Run, step: Step, *, most: int | None = None) -> Explanation:
    """Return a step's formula with its numbers, for each output number or the first `most`.

    `step` is one that `run` made: the run knows the wires. A type that is not of the library has
    lines with the result alone.
    """
    wires = run.plan.graph.into(step.node)
    addresses = {wire.entry: wire.start for wire in wires}
    for name, (start, index) in run.plan.sums(step.node).items():
        if index is None:
            addresses[name] = start
    lines = islice(lines_of(Given(step, addresses)), most)
    return Explanation(step.node, step.type, step.symbols, tuple(lines))
