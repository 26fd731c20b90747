"""What people wire next, as the graphs that come with nodeflow do."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

from nodeflow import examples
from nodeflow.declare import NodeType
from nodeflow.editor.canvas import wiring
from nodeflow.errors import FileError
from nodeflow.graph import Graph

_OTHERS = 8
"""How many wires at other ports of the same type count as much as one at the same port."""


def sorted_for(types: Iterable[NodeType], graph: Graph, port: str) -> list[NodeType]:
    """Return types in the order in which they are most often at the other end of a port."""
    node, name, _ = wiring.ends(port)
    type_ = graph.nodes[node].type
    same, alike = learnt()
    none: Counter[str] = Counter()

    def often(candidate: NodeType) -> int:
        found = same.get((type_, name), none)[candidate.name] * _OTHERS
        return found + alike.get(type_, none)[candidate.name]

    return sorted(types, key=often, reverse=True)  # those that never were keep their order


@cache
def learnt() -> tuple[Mapping[tuple[str, str], Counter[str]], Mapping[str, Counter[str]]]:
    """Return how often each type is at the other end: by type and port, and by type alone.

    A graph counts a neighbour once, however many neurons it has.
    """
    same: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    alike: dict[str, Counter[str]] = defaultdict(Counter)
    try:
        files = sorted(examples.folder().glob("*.json"))
    except FileError:  # they are not there: then nothing is usual
        files = []
    for file in files:
        held = json.loads(file.read_text("utf-8"))
        types = {key: str(node.get("type", "")) for key, node in held.get("nodes", {}).items()}
        met = set()
        for wire in held.get("wires", ()):
            start, _, end = str(wire).partition(" -> ")
            source, out, _ = wiring.ends(start)
            target, into, _ = wiring.ends(end)
            met.add((types.get(source, ""), out, types.get(target, ""), into))
        for source, out, target, into in met:
            for type_, name, other in ((source, out, target), (target, into, source)):
                same[type_, name][other] += 1
                alike[type_][other] += 1
    return same, alike
