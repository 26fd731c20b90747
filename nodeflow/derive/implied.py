"""The cost that a backward pass wired by hand goes down, where no cost node says so.

Blame begins with the error e = a − y. It is the slope of ½ Σ e² in a; where it is taken for δ, the
slope in z, it is that of the cost that belongs to the activation (see C. M. Bishop, "Pattern
Recognition and Machine Learning", section 4.3.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nodeflow.declare import numbers
from nodeflow.derive.steps import free_name
from nodeflow.graph import Graph, Node
from nodeflow.nodes.update import UPDATES

_TAKES_DELTA = ("weight_gradient", "bias_gradient", "step", "blame")
"""Types with an input that is δ: ∂C/∂z."""
_OF_DELTA: dict[str, tuple[str, dict[str, Any], str]] = {
    "sigmoid": ("cross_entropy", {}, "−Σ (y ln a + (1−y) ln(1−a))"),
    "softmax": ("categorical_cross_entropy", {}, "−Σ y ln a"),
}


@dataclass(frozen=True)
class Implied:
    """A cost that no node of the graph says."""

    error: str
    """The error whose slope it is."""
    cost: Node
    text: str
    """The cost, and what of the error is its slope."""

    @property
    def sentence(self) -> str:
        """Say which cost stands in."""
        return f"without a cost node J is the mean of {self.text}"


def implied(graph: Graph) -> Implied | None:
    """Return the cost whose slope the one error of a wired backward pass is.

    None where the graph has a cost or a trainer, updates nothing, or has several errors.
    """
    if not graph.of_type(*UPDATES) or graph.of_family("trainer"):
        return None
    costs = [key for key in graph.of_family("cost")
             if graph.type_of(key).outputs[0].name == "cost"]  # fmt: skip
    errors = [key for key in graph.of_type("error")
              if {"a", "y"} <= graph.inputs(key).keys() and graph.out_of(key)]  # fmt: skip
    if costs or len(errors) != 1:
        return None
    error = errors[0]
    readers = [wire for wire in graph.out_of(error) if not graph.feeds_back(wire)]
    if any(graph.nodes[w.target].type in _TAKES_DELTA and w.input == "delta" for w in readers):
        output = graph.nodes[graph.inputs(error)["a"][0].source].type
        if output in _OF_DELTA:
            kind, settings, text = _OF_DELTA[output]
            return Implied(error, Node(kind, settings), f"{text} ('{error}' is its slope in z)")
    half = not _is_doubled(graph, error)
    text = f"½ Σ e² ('{error}' is its slope)" if half else f"Σ e² (2 '{error}' is its slope)"
    return Implied(error, Node("squared_error", {"half": half}), text)


def _is_doubled(graph: Graph, error: str) -> bool:
    """Return whether all that is made of the error is twice it."""
    found = []
    for wire in graph.out_of(error):
        if graph.type_of(wire.target).family in ("view", "cost"):
            continue
        others = [w.source for w in graph.into(wire.target) if w.source != error]
        is_product = graph.nodes[wire.target].type == "multiply" and len(others) == 1
        found.append(is_product and _is_two(graph, others[0]))
    return bool(found) and all(found)


def _is_two(graph: Graph, key: str) -> bool:
    if graph.nodes[key].type not in ("constant", "slider"):
        return False
    value = numbers(graph.settings(key)["value"])
    return bool(np.all(value == 2))


def with_cost(graph: Graph) -> Graph:
    """Return the graph with the cost that it goes down; one that has a cost stays as it is."""
    found = implied(graph)
    if found is None:
        return graph
    name = free_name(graph.nodes, f"{found.error}.cost")
    inputs = graph.inputs(found.error)
    wires = [replace(inputs[port][0], target=name, index=None) for port in ("a", "y")]
    return replace(
        graph,
        nodes=dict(sorted({**graph.nodes, name: found.cost}.items())),
        wires=tuple(sorted([*graph.wires, *wires])),
    )


__all__ = ["Implied", "implied", "with_cost"]
