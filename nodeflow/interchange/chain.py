"""From a graph to layers: what other programs can hold is a chain from the data to the cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import NodeType, numbers
from nodeflow.derive.shapes import infer
from nodeflow.engine.run import Run
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.layers import Activation, Affine, Cost, Dense, Input, Network, Step
from nodeflow.interchange.naming import activations

SOURCES = ("constant", "dataset", "slider")
COSTS = ("squared_error", "cross_entropy", "categorical_cross_entropy")
ANY = ".onnx and .py (--code numpy, torch, jax) hold any graph"
"""What takes graphs that are no chain of layers."""
LOGITS = "probabilities"
"""The id of an activation that belongs to the cost: outputs are what comes before it."""


def layers_of(graph: Graph, weights: Mapping[str, Any] | None = None) -> Network:
    """Return the layers between the data and the cost, with weights (those of the start).

    Raises `InterchangeError` for what is no chain of layers: single neurons (collapse them
    first), joined inputs, branches, types that only nodeflow has.
    """
    weights = Run(graph).weights if weights is None else weights
    cost = _cost(graph)
    steps: list[Step] = []
    at = _source(graph, cost, "a")
    if at == LOGITS:
        at = _source(graph, at, "z")  # the cost takes logits; the activation is its own
    while graph.nodes[at].type not in SOURCES:
        step, at = step_of(graph, at, weights)
        steps.append(step)
    layers = (Dense, Affine) if graph.nodes[at].type != "slider" else Dense
    if not any(isinstance(step, layers) for step in steps):
        raise InterchangeError(f"there is no layer with weights between data and cost; {ANY}")
    trainer = next((key for key in graph.where(lambda type_: type_.moves is not None)), None)
    settings = {} if trainer is None else dict(graph.settings(trainer))
    return Network(
        steps=tuple(reversed(steps)),
        format="nodeflow",
        name=graph.name,
        inputs=(Input(width=_width(graph, at)),),
        cost=_said(graph, cost),
        trainer="gradient_descent" if trainer is None else graph.nodes[trainer].type,
        settings=settings,
        batch=graph.training.batch,
    ).checked()


def _width(graph: Graph, source: str) -> int | None:
    """Return how many features a source has; None where its data is not there."""
    shapes = infer(graph).shapes
    port = "x" if f"{source}.x" in shapes else "value"
    found = shapes.get(f"{source}.{port}")
    return None if found is None else found.features


def _cost(graph: Graph) -> str:
    costs = [key for key in graph.of_type(*COSTS) if graph.nodes[key].mode == "active"]
    costs = costs or [key for key in graph.of_family("cost") if graph.type_of(key).adds_up]
    costs = costs or [key for key in graph.of_type("expression") if is_judge(graph, key)]
    if len(costs) != 1:
        raise InterchangeError(
            f"the graph has {len(costs)} costs, and a chain of layers ends in one: add or remove "
            f"one; {ANY}"
        )
    return costs[0]


def is_judge(graph: Graph, key: str) -> bool:
    """Return whether a formula of outputs and targets is a cost: names a and y, y of a source."""
    inputs = graph.inputs(key)
    return set(inputs) == {"a", "y"} and graph.nodes[inputs["y"][0].source].type in SOURCES


def _is_formula(type_: NodeType) -> bool:
    """Return whether a person types what a type calculates."""
    return any(setting.kind == "formula" for setting in type_.settings)


def _said(graph: Graph, key: str) -> Cost:
    settings = graph.settings(key)
    if _is_formula(graph.type_of(key)):
        ends = [wire.target for wire in graph.out_of(key)]
        mean = any(graph.nodes[end].type == "mean" for end in ends)
        return Cost(formula=str(settings["formula"]), mean=mean)
    type_ = graph.type_of(key)
    if type_.adds_up:
        return Cost(formula=formulas.write(type_.calculated(settings)))
    return Cost(type_.name, half=bool(settings.get("half")))


def _source(graph: Graph, key: str, port: str) -> str:
    wires = [wire for wire in graph.inputs(key).get(port, ()) if not graph.feeds_back(wire)]
    if len(wires) != 1:
        raise InterchangeError(
            f"{key}.{port} has {len(wires)} wires, and a layer that goes out has one input; "
            f"`nodeflow collapse` makes layers of neurons; {ANY}"
        )
    return wires[0].source


def step_of(graph: Graph, key: str, weights: Mapping[str, Any]) -> tuple[Step, str]:
    """Return what a node is in a row of layers, and the node before it."""
    node = graph.nodes[key]
    if node.mode not in ("active", "freeze"):
        raise InterchangeError(f"'{key}' is set to {node.mode}; make it active, or remove it")
    if node.is_layer:
        return _dense(graph, key, weights), _source(graph, key, "a")
    type_ = graph.type_of(key)
    if type_.name in activations().values():
        return Activation(key, node.type), _source(graph, key, "z")
    if type_.family == "activation" and type_.calculation:
        formula = formulas.write(type_.calculated(graph.settings(key)))
        kind = node.type if type_.known_as else ""
        return Activation(key, kind, formula), _source(graph, key, "z")
    if _is_formula(type_):
        ports = list(graph.inputs(key))
        if len(ports) == 1:
            formula = str(graph.settings(key)["formula"])
            return Activation(key, formula=formula), _source(graph, key, ports[0])
    found = None
    if node.type in ("add", "multiply"):
        found = _affine(graph, key)
    elif _is_formula(type_):
        found = _scaling(graph, key)
    if found is not None:
        return found
    neurons = "; `nodeflow collapse` makes layers of neurons" if type_.joins else ""
    raise InterchangeError(
        f"'{key}' ({node.type}) has no place in a chain of layers (weighted sums, activations, "
        f"formulas of one name, scalings by constants){neurons}; {ANY}"
    )


def _dense(graph: Graph, key: str, weights: Mapping[str, Any]) -> Dense:
    inputs = graph.inputs(key)
    found: list[Any] = [None, None]
    for place, port in enumerate(("weights", "bias")):
        wires = inputs.get(port, ())
        if not wires:
            continue
        address = wires[0].start
        if address not in weights:
            raise InterchangeError(
                f"{key}.{port} comes from '{address}', which is no parameter, and weights that "
                f"other programs hold are numbers; {ANY}"
            )
        found[place] = np.asarray(weights[address], np.float64)
    matrix, bias = found
    if matrix is None:
        raise InterchangeError(f"'{key}' has no weights: connect a parameter to its weights")
    return Dense(key, np.atleast_2d(matrix), None if bias is None else bias.reshape(-1))


def _affine(graph: Graph, key: str) -> tuple[Step, str] | None:
    port = next(iter(graph.inputs(key)), "a")
    wires = graph.inputs(key).get(port, ())
    constants = [wire for wire in wires if graph.nodes[wire.source].is_typed]
    if len(constants) == 2:
        constants = constants[1:]  # the first one is the data
    others = [wire for wire in wires if wire not in constants]
    if len(constants) != 1 or len(others) != 1:
        return None
    values = numbers(graph.settings(constants[0].source)["value"]).ravel()
    if graph.nodes[key].type == "add":
        return Affine(key, np.ones(values.size), values), others[0].source
    return Affine(key, values, np.zeros(values.size, float)), others[0].source


def _scaling(graph: Graph, key: str) -> tuple[Step, str] | None:
    """Return a formula of the data and constants as a scaling, if it is a straight line."""
    sources = {port: wires[0].source for port, wires in graph.inputs(key).items()}
    constants = {port: numbers(graph.settings(source)["value"]).ravel()
                 for port, source in sources.items()
                 if graph.nodes[source].is_typed}  # fmt: skip
    others = [port for port in sources if port not in constants]
    if len(others) != 1:
        return None
    port = others[0]
    tree = formulas.parse(str(graph.settings(key)["formula"]))
    slope = formulas.derivative(tree, port)
    if not _is_line(tree, port) or port in formulas.names(slope):
        return None
    scale = formulas.evaluate(slope, constants)
    shift = formulas.evaluate(tree, {**constants, port: np.zeros(1, float)})
    scale, shift = np.broadcast_arrays(np.atleast_1d(scale), np.atleast_1d(shift))
    return Affine(key, np.array(scale, float), np.array(shift, float)), sources[port]


def _is_line(part: formulas.Expression, name: str) -> bool:
    """Return whether nothing but + − · / is done to a name: a step has no slope, and is no line."""
    return name not in formulas.names(part) or part == ("name", name) or (
        part[0] in ("+", "-", "*", "/") and all(_is_line(one, name) for one in part[1:])
    )  # fmt: skip
