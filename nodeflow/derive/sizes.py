"""The sizes of a graph's layers, from its wires alone."""

from __future__ import annotations

from nodeflow.derive.shapes import infer
from nodeflow.graph import Graph


def sizes_of(graph: Graph) -> list[int]:
    """Return the sizes of a graph's layers from inputs to outputs, as its wires have them.

    A layer is all weighted sums that have the same number of weighted sums before them on the
    longest way to them, be they layers or single neurons. Without weighted sums it is empty.
    """
    shapes, depths, sizes = infer(graph).shapes, dict.fromkeys(graph.nodes, 0), [0]
    for key in graph.order:
        wires = [wire for wire in graph.into(key) if not graph.feeds_back(wire)]
        depth = max((depths[wire.source] for wire in wires), default=0)
        if not graph.nodes[key].is_layer:
            depths[key] = depth
            continue
        depths[key] = depth + 1
        weights = next((wire.start for wire in wires if wire.input == "weights"), None)
        neurons, inputs = (None, None) if weights is None else shapes[weights].dims
        if neurons is None or inputs is None:
            continue
        sizes += [0] * (depth + 2 - len(sizes))
        sizes[depth + 1] += neurons
        if not depth:
            sizes[0] = max(sizes[0], inputs)
    return sizes if len(sizes) > 1 else []
