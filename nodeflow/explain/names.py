"""What neurons, inputs and weights are called: "hidden 2", "x₃", "x₃ meets hidden 2"."""

from __future__ import annotations

from nodeflow.graph import Graph
from nodeflow.workings.lines import SUBSCRIPTS
from nodeflow.workings.parts import Index


def layer_of(graph: Graph, weights: str, port: str = "weights") -> str:
    """Return the weighted sum that takes these weights, or ""."""
    key, _, output = weights.rpartition(".")
    found = [
        wire.target
        for wire in graph.out_of(key)
        if wire.output == output
        and wire.input == port
        and graph.nodes[wire.target].type == "weighted_sum"
    ]
    return found[0] if found else ""


def neuron_before(graph: Graph, layer: str, number: int) -> str:
    """Return what an input of a weighted sum (from 0) is called: "hidden 2", "x₃"."""
    wires = graph.inputs(layer).get("a", ())
    if len(wires) != 1:
        return f"input {number + 1}"
    source = wires[0].source
    if graph.nodes[source].type in ("dataset", "constant"):
        return f"x{str(number + 1).translate(SUBSCRIPTS)}"
    before = graph.inputs(source).get("z", ())
    if before and graph.nodes[before[0].source].type == "weighted_sum":
        source = before[0].source
    return f"{source} {number + 1}"


def place_of(graph: Graph, address: str, index: Index) -> str:
    """Return where in a parameter a number stands: "x₃ meets hidden 2", "hidden 2"."""
    layer = layer_of(graph, address)
    if layer and len(index) == 2:
        return f"{neuron_before(graph, layer, index[1])} meets {layer} {index[0] + 1}"
    if not layer:
        layer = layer_of(graph, address, "bias")
    number = ", ".join(str(i + 1) for i in index)
    return f"{layer or 'number'} {number}"
