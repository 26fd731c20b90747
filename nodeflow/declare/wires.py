"""Wires as expressions: nodes that are being made, and what a backward rule says with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nodeflow.shape import Shape

if TYPE_CHECKING:
    from nodeflow.declare.nodetype import NodeType


@dataclass(eq=False, slots=True)
class Made:
    """A node that an expression builds; it gets its place in a graph from `Graph.of`."""

    type: NodeType
    settings: Mapping[str, Any]
    inputs: Mapping[str, tuple[Output, ...]]
    id: str | None = None
    shapes: tuple[Shape, ...] | None = None
    """Those of its outputs, once they have been asked for."""

    def __repr__(self) -> str:
        return f"<{self.id or self.type.name}>"


@dataclass(unsafe_hash=True, slots=True)  # a frozen one takes three times as long to make
class Output:
    """An output port in an expression: of a node being made, or of one that stands in a graph."""

    node: Made | str
    port: str
    shape: Shape | None = None
    """What is known of its shape: backward rules ask it where broadcasting must be undone."""

    def __repr__(self) -> str:
        node = self.node if isinstance(self.node, str) else (self.node.id or self.node.type.name)
        return f"<{node}.{self.port}>"


Blame = Output | float
"""What a backward rule gets: a wire, or the number 1 where the cost itself is asked."""
Rule = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Penalty:
    """Blame that is λΘ for a whole batch: `average` adds it when it divides by n."""

    regularization: float


Update = Callable[[str, Output, Output], Any]
"""Adds the nodes that move a parameter: its id, its value, its gradient."""


class Updates(Protocol):
    """Where a trainer puts the nodes that move parameters."""

    def constant(self, value: float, name: str) -> Output:
        """Add a number that all updates share; `name` is added to the trainer's."""
        ...

    def place(self, made: Output, name: str) -> Output:
        """Add a node under a name of its own."""
        ...

    def counter(self, name: str) -> Output:
        """Add a number that is one larger at each update; `name` is added to the trainer's."""
        ...

    def running(
        self, name: str, theta: Output, gradient: Output, keep: float, rate: Output
    ) -> Output:
        """Add a running sum v ← keep·v − rate·gradient, of the parameter's shape; return v."""
        ...

    def move(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        """Add the update Θ ← Θ − rate·gradient itself."""
        ...


Moves = Callable[[Updates, Mapping[str, Any]], Update]
"""What a trainer does: it adds what its updates share, and returns what each of them is."""
