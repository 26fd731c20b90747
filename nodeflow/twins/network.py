"""A network as other programs know one: layers in a row, a cost, a rate.

It is read off a graph's forward pass, and gives back a folded graph that trains by the book. A
graph that is a program's twin already is read as the textbook network that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG, NodeType
from nodeflow.derive import unfold
from nodeflow.derive.evaluated import lone_cost
from nodeflow.derive.records import RECORD
from nodeflow.derive.tidy import tidy
from nodeflow.engine.run import Run
from nodeflow.errors import GraphError
from nodeflow.graph import Graph, Training
from nodeflow.inert import numbers
from nodeflow.nodes.cost import categorical_cross_entropy, cross_entropy, squared_error
from nodeflow.nodes.expression import expression
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import parameter_shape
from nodeflow.nodes.trainer import gradient_descent

KEY = "twin"
"""The graph file's key under which a twin keeps what it was made from."""
TRAIN, LOSS = "train", "loss"
_COSTS = (squared_error.name, cross_entropy.name, categorical_cross_entropy.name)


class Layer(NamedTuple):
    """A layer: ids of its weighted sum, its parameters and its activation, and that one's type."""

    sum: str
    weights: str
    bias: str | None
    a: str
    activation: str


@dataclass(frozen=True)
class Network:
    """Layers in a row from a source of rows to a cost, and how they are trained."""

    graph: Graph
    """A folded graph: sources, layers, a cost, `gradient_descent`."""
    layers: tuple[Layer, ...]
    x: str
    y: str
    """Addresses of features and targets."""
    cost: str
    rate: float = 0.5
    momentum: float = 0.0
    outputs: int = 1

    @property
    def last(self) -> Layer:
        """The output layer."""
        return self.layers[-1]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Ids of what is trained, layer by layer, weights before their bias."""
        found = [key for layer in self.layers for key in (layer.weights, layer.bias) if key]
        return tuple(key for key in found if self.trains(key))

    @property
    def biases(self) -> tuple[str, ...]:
        """Ids of the biases that are trained."""
        return tuple(layer.bias for layer in self.layers if layer.bias and self.trains(layer.bias))

    def trains(self, key: str) -> bool:
        """Return whether a parameter is trained."""
        return bool(self.graph.settings(key)["trainable"]) and (
            self.graph.nodes[key].mode != "freeze"
        )

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of a parameter."""
        return parameter_shape(dict(self.graph.settings(key)))

    def rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return features and targets of all training rows, as the graph feeds them."""
        split = next(iter(self.run.machine.splits.values()), None)
        found = []
        for address, port in ((self.x, "x"), (self.y, "y")):
            key = address.rpartition(".")[0]
            if self.graph.nodes[key].holds_data and split is not None:
                found.append(split.x if port == "x" else split.y)
            else:
                found.append(np.atleast_2d(numbers(self.graph.settings(key)["value"])))
        return found[0], found[1]

    @property
    def samples(self) -> int:
        """How many rows an update has."""
        return self.run.schedule.batch

    @cached_property
    def run(self) -> Run:
        """A run of the textbook's network, for its data."""
        return Run(self.graph)

    # -- other networks

    def with_batch(self, batch: int | str) -> Network:
        """Return the network that is updated after so many rows."""
        training = replace(self.graph.training, batch=batch)
        return replace(self, graph=replace(self.graph, training=training))

    def with_cost(self, type_: NodeType, *, share: float = 1.0, **settings: Any) -> Network:
        """Return the network with another cost, of which each update minimises a share."""
        graph = self.graph.remove(self.cost, TRAIN).add(self.cost, type_.name, **settings)
        graph = graph.connect(f"{self.last.a}.a", f"{self.cost}.a")
        graph = graph.connect(self.y, f"{self.cost}.y")
        end = f"{self.cost}.cost"
        if share != 1:
            graph = graph.add(LOSS, expression.name, formula=f"cost * {share!r}")
            graph, end = graph.connect(end, f"{LOSS}.cost"), f"{LOSS}.value"
        graph = graph.add(TRAIN, gradient_descent.name, rate=self.rate)
        return replace(self, graph=graph.connect(end, f"{TRAIN}.cost"))

    def with_activation(self, type_: NodeType) -> Network:
        """Return the network whose layers have another activation, all of them the same."""
        graph, layers = self.graph, []
        for layer in self.layers:
            node = replace(graph.nodes[layer.a], type=type_.name, settings={})
            nodes = {**graph.nodes, layer.a: node}
            graph = replace(graph, nodes=nodes)
            layers.append(layer._replace(activation=type_.name))
        return replace(self, graph=graph, layers=tuple(layers))

    def with_fixed_biases(self) -> Network:
        """Return the network whose biases are not trained."""
        graph = self.graph
        for key in self.biases:
            graph = graph.set(key, trainable=False)
        return replace(self, graph=graph)

    def with_trainer(self, type_: NodeType, **settings: Any) -> Network:
        """Return the network with another trainer."""
        end = self.graph.inputs(TRAIN)["cost"][0].start
        graph = self.graph.remove(TRAIN).add(TRAIN, type_.name, **settings)
        return replace(self, graph=graph.connect(end, f"{TRAIN}.cost"))

    def unfolded(self) -> Graph:
        """Return the graph with its backward pass and updates as nodes."""
        return unfold(self.graph)

    def record(self, program: str) -> dict[str, Any]:
        """Return what a twin keeps of the network that it was made from."""
        cost = self.graph.nodes[self.cost]
        return {
            "program": program,
            "rate": self.rate,
            "momentum": self.momentum,
            "cost": {"id": self.cost, "type": cost.type, "settings": dict(cost.settings)},
            "layers": [list(layer) for layer in self.layers],
            "x": self.x,
            "y": self.y,
            "frozen": [
                key
                for layer in self.layers
                for key in (layer.weights, layer.bias)
                if key and not self.trains(key)
            ],
        }


# --- reading -----------------------------------------------------------------------------------


def read(graph: Graph) -> Network:
    """Return the network of a graph; raises `GraphError` that says what is in the way."""
    if KEY in graph.extra:
        return _read_twin(graph, graph.extra[KEY])
    cost = _cost_of(graph)
    layers, x = _layers(graph, cost)
    inputs = graph.inputs(cost)
    if "y" not in inputs:
        raise GraphError(f"'{cost}' has no targets: wire them into {cost}.y", node=cost)
    if graph.where(lambda type_: type_.penalizes):
        raise GraphError(
            "the rules of other programs are compared without a penalty; take the l2_penalty out"
        )
    rate, momentum = _rate(graph)
    node = graph.nodes[cost]
    found = Network(
        graph=graph, layers=layers, x=x, y=_source(graph, inputs["y"][0].start), cost=cost,
        rate=rate, momentum=momentum,
    )  # fmt: skip
    return _folded(found, node.type, dict(node.settings))


def _read_twin(graph: Graph, record: Mapping[str, Any]) -> Network:
    try:
        layers = tuple(Layer(*layer) for layer in record["layers"])
        cost = record["cost"]
        for key in record["frozen"]:
            graph = graph.set(key, trainable=False)
        for layer in layers:
            for key in (layer.weights, layer.bias):
                if key and key not in record["frozen"]:
                    graph = graph.set(key, trainable=True)
        found = Network(
            graph=graph, layers=layers, x=str(record["x"]), y=str(record["y"]),
            cost=str(cost["id"]), rate=_edited(graph, f"{TRAIN}.rate", record["rate"]),
            momentum=_edited(graph, f"{TRAIN}.momentum", record["momentum"]),
        )  # fmt: skip
        return _folded(found, str(cost["type"]), dict(cost["settings"]))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise GraphError(f"what the graph keeps under '{KEY}' cannot be read") from error


def _folded(network: Network, cost: str, settings: dict[str, Any]) -> Network:
    """Return the network with a graph that holds its forward pass, its cost and a trainer."""
    old = network.graph
    sources = {address.rpartition(".")[0] for address in (network.x, network.y)}
    kept = {*sources, *(k for la in network.layers for k in (la.weights, la.bias) if k)}
    graph = Graph(
        {key: old.nodes[key] for key in sorted(kept)},
        training=Training(old.training.batch, old.training.epochs, old.training.seed),
        folder=old.folder,
    )
    before = network.x
    for layer in network.layers:
        graph = graph.add(layer.sum, weighted_sum.name).connect(before, f"{layer.sum}.a")
        graph = graph.connect(f"{layer.weights}.value", f"{layer.sum}.weights")
        if layer.bias:
            graph = graph.connect(f"{layer.bias}.value", f"{layer.sum}.bias")
        given = old.nodes[layer.a].settings if layer.a in old.nodes else {}
        kind = CATALOG[layer.activation].setting_named
        graph = graph.add(
            layer.a, layer.activation, **{name: given[name] for name in given if name in kind}
        ).connect(f"{layer.sum}.z", f"{layer.a}.z")
        before = f"{layer.a}.a"
    graph = graph.add(network.cost, cost).add(TRAIN, gradient_descent.name, rate=network.rate)
    found = replace(network, graph=graph, outputs=_outputs(replace(network, graph=graph)))
    return found.with_cost(CATALOG[cost], **settings)


def _outputs(network: Network) -> int:
    return network.shape(network.last.weights)[0]


def _cost_of(graph: Graph) -> str:
    found = lone_cost(graph)
    keys = [key for key in graph.of_family("cost") if graph.nodes[key].type in _COSTS]
    if len(keys) == 1:
        return keys[0]
    if found is not None and graph.nodes[found.rpartition(".")[0]].type in _COSTS:
        return found.rpartition(".")[0]
    raise GraphError(
        f"a twin is made of a network with one cost ({', '.join(_COSTS)}); there are {len(keys)}"
    )


def _layers(graph: Graph, cost: str) -> tuple[tuple[Layer, ...], str]:
    """Return the layers from the first to the last, and the address of what feeds the first."""
    layers: list[Layer] = []
    if "a" not in graph.inputs(cost):
        raise GraphError(f"'{cost}' has no output to judge: wire one into {cost}.a", node=cost)
    at = graph.inputs(cost)["a"][0].start
    while True:
        key = at.rpartition(".")[0]
        node, inputs = graph.nodes[key], graph.inputs(key)
        type_ = graph.type_of(key)
        if type_.family == "source":
            break
        if type_.family == "activation" and "z" in inputs:
            before = inputs["z"][0].source
            if graph.nodes[before].is_layer:
                into = graph.inputs(before)
                weights, bias = into.get("weights", ()), into.get("bias", ())
                thetas = [wire.source for wire in (*weights, *bias)]
                plain = all(graph.nodes[theta].is_parameter for theta in thetas)
                if weights and plain and len(into.get("a", ())) == 1:
                    own = bias[0].source if bias else None
                    layers.append(Layer(before, weights[0].source, own, key, node.type))
                    at = into["a"][0].start
                    continue
        raise GraphError(
            f"'{key}' ({node.type}) is not part of a layer: a twin is made of layers in a row, "
            "each a weighted_sum of one value with its own parameters, then an activation; "
            "collapse neurons and fold what was unfolded first",
            node=key,
        )
    if not layers:
        raise GraphError(f"'{cost}' judges '{key}' itself: there is no layer before it", node=cost)
    return tuple(reversed(layers)), at


def _source(graph: Graph, address: str) -> str:
    """Return the address of the rows that a value comes from."""
    key = address.rpartition(".")[0]
    if graph.type_of(key).family == "source":
        return address
    raise GraphError(
        f"the targets come from '{key}' ({graph.nodes[key].type}): a twin takes them from a data "
        "set or a constant",
        node=key,
    )


def _rate(graph: Graph) -> tuple[float, float]:
    """Return learning rate and momentum of the trainer, folded or not."""
    trainers = {key: dict(graph.settings(key)) for key in graph.of_family("trainer")}
    kept = graph.extra.get(RECORD, {}).items()
    trainers |= {key: dict(record["settings"]) for key, record in kept}
    for key, settings in trainers.items():
        if "rate" in settings:
            rate = _edited(graph, f"{key}.rate", settings["rate"])
            return rate, _edited(graph, f"{key}.momentum", settings.get("momentum", 0.0))
    for key in graph.updates:
        wires = graph.inputs(key).get("rate", ())
        if wires and graph.nodes[wires[0].source].is_typed:
            value = graph.settings(wires[0].source)["value"]
            return float(np.ravel(value)[0]), 0.0
    raise GraphError(
        "the graph has no learning rate: give it a trainer (gradient_descent or adam) with the "
        "rate that the other program was given"
    )


def _edited(graph: Graph, key: str, kept: Any) -> float:
    """Return what a constant of an unfolded trainer is now; what was kept if it says the same.

    FANN's rates are kept as a person types them, and are a float32 in the graph.
    """
    if key not in graph.nodes or not graph.nodes[key].is_typed:
        return float(kept)
    now = float(np.ravel(graph.settings(key)["value"])[0])
    return float(kept) if np.float32(now) == np.float32(kept) else now


def laid_out(graph: Graph) -> Graph:
    """Return the graph with a place for every node."""
    return tidy(graph)
