"""Which wires close the loops of a graph that may have none."""

from __future__ import annotations

from nodeflow.errors import Loop
from nodeflow.graph.checking import loop_through
from nodeflow.graph.graph import Graph
from nodeflow.graph.wire import Wire


def closing(graph: Graph) -> dict[Wire, Loop]:
    """Return wires without which a graph has no loop, each with the loop that it closes.

    Going along the wires that are not feedback, depth first, they are those that lead back.
    """
    found: dict[Wire, Loop] = {}
    done = set(graph.ranks)
    for start in graph.nodes:
        if start in done:
            continue
        way = {start: iter(graph.out_of(start))}
        while way:
            key, wires = next(reversed(way.items()))
            for wire in wires:
                if graph.feeds_back(wire):
                    continue
                if wire.target in way:
                    nodes = list(way)
                    found[wire] = loop_through("these wires", nodes[nodes.index(wire.target) :])
                elif wire.target not in done:
                    way[wire.target] = iter(graph.out_of(wire.target))
                    break
            else:
                del way[key]
                done.add(key)
    return found
