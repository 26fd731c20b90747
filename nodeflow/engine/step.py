"""A step: one node evaluated, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nodeflow.equality import ByContent
from nodeflow.workings.lines import formula_of


@dataclass(frozen=True, eq=False)
class Step(ByContent):
    """What one step did. Numbers count from 0: `epoch` 3 means that three lie behind."""

    epoch: int
    update: int
    sample: int
    """The (first) row of the pass within the epoch."""
    phase: str
    node: str
    type: str
    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]
    symbols: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 1
    """How many samples the update has."""
    fault: str = ""
    """Where NaN or Infinity first appeared, if it is here: the inputs are finite, an output not."""
    activation: str = ""
    """What lies between a cost and the weighted sums z that it was computed from, if it was; z
    is then among the inputs, unless some of a softmax's shares are no outputs."""

    @property
    def formula(self) -> str:
        """The formula with its numbers in one line: the first of what `explain` tells.

        A node without outputs has its symbols. It is written when somebody asks for it.
        """
        return formula_of(self) if self.outputs else self.symbols

    def as_dict(self) -> dict[str, Any]:
        """Return the step as plain data; it has the key `fault` only where there is one."""
        told = {
            "epoch": self.epoch,
            "update": self.update,
            "sample": self.sample,
            "phase": self.phase,
            "node": self.node,
            "inputs": {name: value.tolist() for name, value in self.inputs.items()},
            "outputs": {name: value.tolist() for name, value in self.outputs.items()},
            "formula": self.formula,
        }
        return {**told, "fault": self.fault} if self.fault else told
