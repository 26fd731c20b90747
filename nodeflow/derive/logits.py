"""Where the weighted sums z behind a cost are: what it takes to compute it without losing digits.

The outputs of a sigmoid or a softmax have no digits left where they are saturated: σ(38) is 1, so
that ln(1 − a) is −∞ where it ought to be −38. A cost whose outputs come from one, also joined,
picked or passed on in between, is computed from z instead (`NodeType.of_sums`), and its δ goes to
z at once (`NodeType.through`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodeflow.declare import CATALOG
from nodeflow.graph import Graph
from nodeflow.shape import Shape


@dataclass(frozen=True, slots=True)
class Sums:
    """Features of one weighted sum that a cost gets through its activation."""

    z: str
    """The address of the weighted sum."""
    a: str
    """The address of its activation's output."""
    index: tuple[int, ...] | None
    """Which of its features; None stands for all of them, in order."""


@dataclass(frozen=True, slots=True)
class Logits:
    """Where the z of a cost comes from, side by side like the features of its outputs."""

    activation: str
    """What all of it goes through: sigmoid or softmax."""
    parts: tuple[Sums, ...]
    between: frozenset[str]
    """The addresses that the cost is no longer computed from: from the activations on."""

    @property
    def named(self) -> dict[str, tuple[str, tuple[int, ...] | None]]:
        """Addresses and features by the name of an input, for a formula with numbers.

        It is empty where some shares of a softmax are no outputs: their sums would be missing.
        """
        if CATALOG[self.activation].shares and any(part.index is not None for part in self.parts):
            return {}
        if len(self.parts) == 1:
            return {"z": (self.parts[0].z, self.parts[0].index)}
        return {f"z[{i}]": (part.z, part.index) for i, part in enumerate(self.parts)}


def logits(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, Logits]:
    """Return where the z of each cost comes from; a cost whose z is not known is left out."""
    found = {}
    for key in graph.of_family("cost"):
        type_ = graph.type_of(key)
        fed = graph.inputs(key).get("a", ()) if type_.in_sums else ()
        if not fed or f"{key}.{type_.outputs[0].name}" not in shapes:
            continue
        between: set[str] = set()
        parts = _traced(graph, shapes, fed[0].start, between)
        kinds = {_activation(graph, part) for part in parts or ()}
        if parts and len(kinds) == 1 and kinds <= type_.in_sums.keys():
            found[key] = Logits(kinds.pop(), tuple(_together(shapes, parts)), frozenset(between))
    return found


def _activation(graph: Graph, part: Sums) -> str:
    return graph.nodes[part.a.rpartition(".")[0]].type


def _traced(
    graph: Graph, shapes: Mapping[str, Shape], address: str, between: set[str]
) -> list[Sums] | None:
    """Follow a value back to the activations that it is made of; None where it is not."""
    while True:  # a chain may be long
        between.add(address)
        key = address.rpartition(".")[0]
        node, inputs = graph.nodes[key], graph.inputs(key)
        if not node.passes:
            break
        address = inputs[node.passes][0].start
    kind = node.kind
    if kind.family == "activation":  # whether it is one that the cost knows is asked of the cost
        return [Sums(inputs["z"][0].start, address, None)]
    if kind.joins:
        parts: list[Sums] = []
        for wire in inputs[kind.joins]:
            more = _traced(graph, shapes, wire.start, between)
            if more is None:
                return None
            parts += more
        return parts
    if kind.picks:
        whole = _traced(graph, shapes, inputs[kind.inputs[0].name][0].start, between)
        single = None if whole is None else _one_by_one(shapes, whole)
        return None if single is None else [single[i] for i in kind.picked(graph.settings(key))]
    return None


def _one_by_one(shapes: Mapping[str, Shape], parts: list[Sums]) -> list[Sums] | None:
    """Return a part for each feature; None where it is not known how many there are."""
    found: list[Sums] = []
    for part in parts:
        index = part.index
        if index is None:
            width = shapes[part.z].features
            if width is None:
                return None
            index = tuple(range(width))
        found += [Sums(part.z, part.a, (i,)) for i in index]
    return found


def _together(shapes: Mapping[str, Shape], parts: list[Sums]) -> list[Sums]:
    """Join neighbours that come from the same z."""
    found: list[Sums] = []
    for part in parts:
        last = found[-1] if found else None
        if last and last.a == part.a and last.index is not None and part.index is not None:
            found[-1] = Sums(last.z, last.a, last.index + part.index)
        else:
            found.append(part)
    return [
        Sums(part.z, part.a, None)
        if part.index is not None and part.index == (*range(shapes[part.z].features or 0),)
        else part
        for part in found
    ]
