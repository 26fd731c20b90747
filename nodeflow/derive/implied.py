"""The cost that a backward pass wired by hand goes down, where no cost node says so.

Blame begins with the error e = a − y. It is the slope of ½ Σ e² in a; where it is taken for δ, the
slope in z, it is that of the cost that belongs to the activation (see C. M. Bishop, "Pattern
Recognition and Machine Learning", section 4.3.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nodeflow.declare import CATALOG, numbers
from nodeflow.derive.steps import free_name
from nodeflow.graph import UNFOLDED, Graph, Node, Wire, in_order
from nodeflow.nodes.arithmetic import add, multiply
from nodeflow.nodes.backward import DELTA
from nodeflow.nodes.cost import error, squared_error


@dataclass(frozen=True)
class Implied:
    """A cost that no node of the graph says."""

    errors: tuple[str, ...]
    """The errors whose slopes it has: where there are several, J is the sum of their costs."""
    cost: Node
    text: str
    """The cost of an error, and what of the error is its slope."""

    @property
    def sentence(self) -> str:
        """Say which cost stands in."""
        return f"without a cost node J is the mean of {self.text}"


def implied(graph: Graph) -> Implied | None:
    """Return the cost whose slope the errors of a wired backward pass are.

    None where the graph has a cost or a trainer, or was unfolded from a cost that is still there;
    where it updates nothing, has no error, or several that are slopes of different costs.
    """
    if not graph.updates or graph.of_family("trainer") or remembers_cost(graph):
        return None
    costs = [key for key in graph.of_family("cost")
             if graph.type_of(key).outputs[0].name == "cost"]  # fmt: skip
    errors = tuple(
        key
        for key in graph.of_type(error.name)
        if {"a", "y"} <= graph.inputs(key).keys()
        and any(graph.type_of(wire.target).family != "view" for wire in graph.out_of(key))
    )
    kinds = {_kind(graph, key) for key in errors}
    if costs or len(kinds) != 1:
        return None
    kind, half, text, slope = kinds.pop()
    named = f"'{errors[0]}' is" if len(errors) == 1 else f"'{errors[0]}' to '{errors[-1]}' are"
    settings = {"half": half} if kind == squared_error.name else {}
    return Implied(errors, Node(kind, settings), f"{text} ({named} {slope})")


def remembers_cost(graph: Graph) -> bool:
    """Return whether the graph was unfolded from a cost that is still there."""
    records = graph.extra.get(UNFOLDED, {})
    wires = [Wire.parse(text) for record in records.values() for text in record.get("wires", ())]
    return any(wire.source in graph.nodes for wire in wires)


def _kind(graph: Graph, error: str) -> tuple[str, bool, str, str]:
    """Return the cost that an error is the slope of: type, half, formula, and how it is."""
    if taken_for_delta(graph, error):
        kinds = {graph.nodes[key].type for key in outputs_behind(graph, error)}
        natural = CATALOG.natural_cost(kinds.pop()) if len(kinds) == 1 else None
        if natural is not None:
            return natural.name, False, natural.formula.partition("= ")[2], "its slope in z"
    if _is_doubled(graph, error):
        return squared_error.name, False, "Σ e²", "half its slope"
    return squared_error.name, True, "½ Σ e²", "its slope"


def _compared(graph: Graph, error: str) -> tuple[Wire, Wire]:
    """Return the wires of an error's output and target, also where they were swapped."""
    a, y = (graph.inputs(error)[port][0] for port in ("a", "y"))
    learns = [any(graph.nodes[key].is_parameter for key in graph.upstream([wire.source]))
              for wire in (a, y)]  # fmt: skip
    return (y, a) if learns == [False, True] else (a, y)


def outputs_behind(graph: Graph, error: str) -> list[str]:
    """Return the nodes whose values an error compares, whatever joins or picks them."""
    found: dict[str, None] = {}
    inputs = graph.inputs(error)
    if {"a", "y"} <= inputs.keys():
        starts = [_compared(graph, error)[0].source]
    else:  # half wired yet: what is there is the output
        starts = [wire.source for wire in inputs.get("a", ())]
    for key in starts:  # grows on the way
        if graph.nodes[key].kind.rearranges or graph.nodes[key].passes:
            starts += [wire.source for wire in graph.into(key)]
        else:
            found[key] = None
    return list(found)


def taken_for_delta(graph: Graph, error: str) -> bool:
    """Return whether an error, or a feature of it, is used as δ = ∂C/∂z.

    It is where it enters a gradient, a step or a blame; also as one factor of δ·x or δ·w, which is
    what a single weight has. A factor that depends on the output itself is its slope: that makes
    δ of an error which is none.
    """
    readers = [error]
    own: frozenset[str] | None = None
    for key in readers:  # grows on the way
        for wire in graph.out_of(key):
            node = graph.nodes[wire.target]
            if graph.feeds_back(wire):
                continue
            if node.kind.takes_delta and wire.input == DELTA:
                return True
            if node.kind.rearranges or node.passes:
                readers.append(wire.target)
            elif node.kind is multiply:
                if own is None:
                    outputs = outputs_behind(graph, error)
                    sums = [w.source for out in outputs for w in graph.into(out)]
                    own = graph.downstream([*outputs, *sums])
                others = {w.source for w in graph.into(wire.target)} - {key}
                if not others & own:
                    readers.append(wire.target)
    return False


def _is_doubled(graph: Graph, error: str) -> bool:
    """Return whether all that is made of the error is twice it."""
    found = []
    for wire in graph.out_of(error):
        if graph.type_of(wire.target).family in ("view", "cost"):
            continue
        others = [w.source for w in graph.into(wire.target) if w.source != error]
        is_product = graph.nodes[wire.target].kind is multiply and len(others) == 1
        found.append(is_product and _is_two(graph, others[0]))
    return bool(found) and all(found)


def _is_two(graph: Graph, key: str) -> bool:
    if not graph.nodes[key].is_typed:
        return False
    value = numbers(graph.settings(key)["value"])
    return bool(np.all(value == 2))


def with_cost(graph: Graph) -> Graph:
    """Return the graph with the cost that it goes down; one that has a cost stays as it is."""
    found = implied(graph)
    if found is None:
        return graph
    nodes, wires, costs = dict(graph.nodes), list(graph.wires), []
    for key in found.errors:
        name = free_name(nodes, f"{key}.cost")
        nodes[name] = found.cost
        for port, wire in zip(("a", "y"), _compared(graph, key), strict=True):
            wires.append(replace(wire, target=name, input=port, index=None))
        costs.append(name)
    if len(costs) > 1:
        whole = free_name(nodes, "J")
        nodes[whole] = Node(add.name)
        wires += [Wire(name, "cost", whole, "a", i) for i, name in enumerate(costs)]
    return replace(graph, nodes=dict(sorted(nodes.items())), wires=in_order(wires))


__all__ = [
    "Implied", "implied", "outputs_behind", "remembers_cost", "taken_for_delta", "with_cost",
]  # fmt: skip
