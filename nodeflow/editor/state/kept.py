"""What is left of earlier work: training beside a graph file, and graphs that a crash left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nodeflow.files import Fault
from nodeflow.graph import Graph


@dataclass(frozen=True, eq=False)
class SavedTraining:
    """Training that was saved beside a graph file, or kept unsaved, and can be gone on with."""

    path: Path
    weights: Mapping[str, NDArray[Any]]
    history: Sequence[Mapping[str, Any]]
    meta: Mapping[str, Any]
    kept: bool = False
    """Whether nobody saved it."""

    @property
    def text(self) -> str:
        """How far it has come, in words."""
        epochs = self.meta.get("epochs", len(self.history))
        were = "was" if epochs == 1 else "were"
        where = f"that {were} not saved" if self.kept else f"in {self.path.name}"
        return f"{in_words(epochs)} {where}"


def in_words(epochs: int) -> str:
    """Return how much training there is, in words."""
    return f"{epochs:,} epoch{'s' * (epochs != 1)} of training"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What an editor that did not end well left behind."""

    name: str
    path: Path | None
    """The graph's file; None if it was never saved."""
    time: float
    """When it was written, in seconds since 1970."""
    changes: tuple[str, ...]
    """What differs from the file, in words."""
    graph: Graph
    saved: Graph | None
    """The graph as its file has it, if there is one."""
    folder: Path
    faults: tuple[Fault, ...] = ()
    """What that file has and cannot be."""
