"""What neurons, inputs and weights are called: "hidden 2", "x₃", "x₃ meets hidden 2"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nodeflow.errors import nearest
from nodeflow.graph import Graph, Wire
from nodeflow.shape import Shape
from nodeflow.workings.lines import SUBSCRIPTS
from nodeflow.workings.parts import Index


def layer_of(graph: Graph, weights: str, port: str = "weights") -> str:
    """Return the weighted sum that takes these weights, or ""."""
    key, _, output = weights.rpartition(".")
    found = [
        wire.target
        for wire in graph.out_of(key)
        if wire.output == output and wire.input == port and graph.nodes[wire.target].is_layer
    ]
    return found[0] if found else ""


def neuron_before(
    graph: Graph, layer: str, number: int, shapes: Mapping[str, Shape] | None = None
) -> str:
    """Return what an input of a weighted sum (from 0) is called: "hidden 2", "x₃".

    Where several wires stand side by side the shapes of their values tell them apart; a neuron
    with a weighted sum of its own is called as that is: "hidden_2".
    """
    wires = graph.inputs(layer).get("a", ())
    if len(wires) == 1:
        return _named(graph, wires[0], number, shapes)
    place = number
    for wire in wires if shapes is not None else ():
        width = shapes[wire.start].features or 0 if shapes and wire.start in shapes else 0
        if place < width:
            return _named(graph, wire, place, shapes)
        place -= width
    return f"input {number + 1}"


def _named(graph: Graph, wire: Wire, number: int, shapes: Mapping[str, Shape] | None) -> str:
    source = wire.source
    kind = graph.nodes[source].kind
    if kind.picks:
        places = kind.picked(graph.settings(source))
        before = graph.inputs(source).get(kind.inputs[0].name, ())
        if number < len(places) and before:
            return _named(graph, before[0], int(places[number]), shapes)
    if kind.holds_data or kind.typed:
        alone = shapes is not None and wire.start in shapes and shapes[wire.start].features == 1
        if alone and kind.typed:
            return source
        return f"x{str(number + 1).translate(SUBSCRIPTS)}"
    before = graph.inputs(source).get("z", ())
    if before and graph.nodes[before[0].source].is_layer:
        source = before[0].source
    alone = shapes is not None and wire.start in shapes and shapes[wire.start].features == 1
    return source if alone else f"{source} {number + 1}"


def neuron(layer: str, number: int, count: int) -> str:
    """Return what a neuron of a layer (from 0) is called: "hidden 2", alone "hidden_2"."""
    return layer if count == 1 else f"{layer} {number + 1}"


def place_of(
    graph: Graph, address: str, index: Index, shapes: Mapping[str, Shape] | None = None
) -> str:
    """Return where in a parameter a number stands: "x₃ meets hidden 2", "hidden 2"."""
    layer = layer_of(graph, address)
    if layer and len(index) == 2:
        who = _who(layer, index[0], shapes)
        return f"{neuron_before(graph, layer, index[1], shapes)} meets {who}"
    layer = layer or layer_of(graph, address, "bias")
    if layer and len(index) == 1:
        return _who(layer, index[0], shapes)
    number = ", ".join(str(i + 1) for i in index)
    return f"{layer or 'number'} {number}"


def places_of(
    graph: Graph, address: str, shape: Sequence[int], shapes: Mapping[str, Shape]
) -> str | list[list[str]]:
    """Return the parts that `place_of` puts together, for all numbers of a parameter.

    Inputs and neurons of weights, neurons of a bias; a word, which the place follows, of others.
    """
    layer = layer_of(graph, address)
    if layer and len(shape) == 2:
        inputs = [neuron_before(graph, layer, i, shapes) for i in range(shape[1])]
        return [inputs, [_who(layer, i, shapes) for i in range(shape[0])]]
    layer = layer or layer_of(graph, address, "bias")
    if layer and len(shape) == 1:
        return [[_who(layer, i, shapes) for i in range(shape[0])]]
    return layer or "number"


def _who(layer: str, number: int, shapes: Mapping[str, Shape] | None) -> str:
    alone = shapes is not None and shapes[f"{layer}.z"].features == 1
    return neuron(layer, number, 1 if alone else 2)


def no_parameter(graph: Graph, address: str, known: Iterable[str]) -> str:
    """Say that an address is none of the known parameters, what it is or which there are."""
    key = address.removesuffix(".value")
    held = graph.nodes.get(key)
    which = nearest(address, known) or "; the graph has none"
    if held is None or held.is_parameter:
        return f"there is no parameter '{address}'{which}"
    return f"'{key}' is no parameter but a node of type {held.type}{which}"
