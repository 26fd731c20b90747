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
    """Training that was found beside a graph file, and can be gone on with."""

    path: Path
    weights: Mapping[str, NDArray[Any]]
    history: Sequence[Mapping[str, Any]]
    meta: Mapping[str, Any]

    @property
    def text(self) -> str:
        """How far it has come, in words."""
        return in_words(self.meta.get("epochs", len(self.history)), self.path)


def in_words(epochs: int, path: Path) -> str:
    """Return how much training a run file holds, in words."""
    return f"{epochs} epoch{'s' * (epochs != 1)} of training in {path.name}"


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
