"""What a weighted sum needs: weights and a bias, and as many weights as values come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nodeflow.derive.shapes import infer
from nodeflow.derive.steps import free_name
from nodeflow.errors import GraphError, UnknownNode
from nodeflow.graph import Graph, Node, Wire, in_order
from nodeflow.nodes.source import parameter
from nodeflow.shape import Shape

_LEFT, _BELOW = 230, 100
"""Where they are placed, from their sum."""


def give_weights(graph: Graph, sums: Iterable[str]) -> tuple[Graph, tuple[str, ...]]:
    """Return the graph with weights and a bias for each weighted sum without, and their ids.

    They are those of a single neuron: the number of features that come in says how many weights
    it takes; a layer of more has another shape, which can be set. Raises `GraphError`.
    """
    shapes = infer(graph).shapes
    nodes, wires, layout = dict(graph.nodes), list(graph.wires), dict(graph.layout)
    made: list[str] = []
    for key in sums:
        if key not in graph.nodes:
            raise UnknownNode(f"there is no node '{key}'", node=key)
        if not graph.nodes[key].is_layer:
            raise GraphError(
                f"'{key}' is of type {graph.nodes[key].type}: a weighted_sum takes weights",
                node=key,
            )
        inputs = graph.inputs(key)
        if {"weights", "bias"} <= inputs.keys():
            raise GraphError(f"'{key}' has weights and a bias already", node=key)
        fed = inputs.get("a", ())
        widths = [shapes[wire.start].features if wire.start in shapes else None for wire in fed]
        if not fed or None in widths:
            raise GraphError(
                f"how many weights '{key}' takes is not known: wire what it weighs into "
                f"'{key}.a' first",
                node=key,
            )
        width = sum(one or 0 for one in widths)
        given = (("weights", "w", (1, width)), ("bias", "b", (1,)))
        for place, (port, short, shape) in enumerate(given, 1):
            if port in inputs:
                continue
            name = free_name(nodes, short)
            nodes[name] = Node(parameter.name, {"shape": shape, "init": "uniform"})
            wires.append(Wire(name, "value", key, port))
            made.append(name)
            if key in layout:
                x, y = layout[key]
                layout[name] = x - _LEFT, y + place * _BELOW
    after = replace(graph, nodes=dict(sorted(nodes.items())), wires=in_order(wires), layout=layout)
    return after, tuple(made)


def free_weights(graph: Graph, layer: str) -> str | None:
    """Return the parameter with a layer's weights if it may be given another shape.

    None where it has typed numbers, or another layer weighs with it, too.
    """
    wires = graph.inputs(layer).get("weights", ())
    if not wires or not graph.nodes[wires[0].source].is_parameter:
        return None
    theta = wires[0].source
    settings = graph.settings(theta)
    is_typed = settings["value"] is not None and settings["init"] != "constant"
    is_shared = any(
        wire.target != layer and graph.nodes[wire.target].is_layer for wire in graph.out_of(theta)
    )
    is_matrix = settings["shape"] is not None and len(settings["shape"]) == 2
    return theta if is_matrix and not is_typed and not is_shared else None


def refitted(graph: Graph, layer: str, width: int) -> tuple[Graph, str, Shape]:
    """Return the graph whose layer has free weights for so many inputs, their id and shape."""
    theta = free_weights(graph, layer)
    if theta is None:
        raise GraphError(
            f"the weights of '{layer}' cannot get another shape: they are typed, or shared",
            node=layer,
        )
    shape = graph.settings(theta)["shape"][0], width
    return graph.set(theta, shape=shape), theta, Shape(shape)


__all__ = ["free_weights", "give_weights", "refitted"]
