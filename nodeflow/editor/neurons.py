"""The classic picture: columns of neurons, and the layers as the lines between them.

A layer is the mapping, not the dots: its name stands on the lines. The picture can be drawn of
any graph whose weighted sums follow each other, as layers or as single neurons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive import collapse, fold
from nodeflow.derive.shapes import Inference, infer
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph

MOST = 16
"""So many neurons of a column are drawn; of more, the first ones and the last."""
COLUMN, ROW, TOP = 260.0, 56.0, 70.0


@dataclass(frozen=True, slots=True)
class Neuron:
    """A dot. `node` is what is selected with it; `number` counts from 0, None is "and more"."""

    node: str
    number: int | None
    x: float
    y: float
    value: float | None = None
    name: str = ""
    """Of an input its feature, of an output its class, as the data call them."""
    column: str = ""
    """The layer, or the node of the inputs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A weight, from neuron to neuron; `share` is its size beside the largest of its layer."""

    layer: str
    start: tuple[float, float]
    end: tuple[float, float]
    weight: float | None
    share: float


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a layer, over its lines: its weighted sum, activation and shape."""

    layer: str
    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Map:
    """All that is drawn; `reason` says why there is nothing."""

    neurons: tuple[Neuron, ...] = ()
    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    reason: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    """By a node of a layer, or the one of the inputs: the column of its neurons."""

    def lit(self, key: str) -> tuple[str, int | None]:
        """Return the column that a node of the run belongs to, "" if none, and its neuron.

        Nodes of the backward pass and updates are called after the node that they belong to; the
        neuron is None where the node is that of a whole layer.
        """
        number = None
        while key and key not in self.columns:
            key, _, last = key.rpartition(".")
            number = int(last) - 1 if last.isdigit() else None
        return self.columns.get(key, ""), number

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        if not self.neurons:
            return (0.0, 0.0, 1.0, 1.0)
        xs, ys = [n.x for n in self.neurons], [n.y for n in self.neurons]
        return min(xs) - 40, 0.0, max(xs) + 40, max(ys) + 40


@dataclass(frozen=True, slots=True)
class _Layer:
    key: str
    weights: str
    bias: str
    activation: str
    output: str
    size: tuple[int, int]
    before: str | None
    source: str


def neuron_map(graph: Graph, values: Mapping[str, NDArray[np.float64]] | None = None) -> Map:
    """Return the picture of a graph's layers, with values (by address) if given."""
    whole = _whole(graph)
    try:
        inference = infer(whole)
        layers = _layers(whole, inference)
    except NodeflowError as error:
        return Map(reason=str(error))
    if not layers:
        return Map(reason="there is no weighted_sum to draw as a layer")
    known = {**_settings(whole), **(values or {})}
    places: dict[str, list[tuple[int | None, float, float]]] = {}
    neurons: list[Neuron] = []
    columns = _columns(layers)
    followed = {layer.before for layer in layers}
    for layer in layers:
        rows, width = layer.size
        if layer.before is None and layer.source not in places:
            places[layer.source] = _column(width, 0)
            dots = _dots(graph, layer.source, places[layer.source], known)
            neurons += _named(dots, _features(whole, inference, layer.source, width), "x")
        places[layer.key] = _column(rows, columns[layer.key])
        dots = _dots(graph, layer.output, places[layer.key], known, layer.key)
        if layer.key not in followed:
            dots = _named(dots, _classes(inference, rows), layer.output.rpartition(".")[2])
        neurons += dots
    lines, labels = [], []
    for layer in layers:
        start = places[layer.before or layer.source]
        lines += _lines(layer, start, places[layer.key], _weights(layer, known))
        rows, width = layer.size
        text = f"{layer.key}  {rows}×{width}  {layer.activation}".rstrip()
        labels.append(Label(layer.key, text, (start[0][1] + places[layer.key][0][1]) / 2, TOP / 2))
    parts = {
        node: layer.key
        for layer in layers
        for node in (layer.key, layer.weights, layer.bias, layer.output.rpartition(".")[0])
        if node
    }
    inputs = {layer.source.rpartition(".")[0] for layer in layers if layer.before is None}
    owned = {**{key: key for key in inputs}, **parts}
    return Map(tuple(neurons), tuple(lines), tuple(labels), columns=owned)


def _whole(graph: Graph) -> Graph:
    """Return the graph with its layers whole and its backward pass folded, where that goes."""
    for back in (fold, collapse):
        try:
            graph = back(graph)
        except NodeflowError:
            continue  # nothing to bring back, or edited: it is drawn as it is
    return graph


def _layers(graph: Graph, inference: Inference) -> list[_Layer]:
    found: dict[str, _Layer] = {}
    for key in inference.order:
        inputs = graph.inputs(key)
        if graph.nodes[key].type != "weighted_sum" or not {"a", "weights"} <= inputs.keys():
            continue
        weights = inputs["weights"][0].source
        shape = inference.shapes.get(f"{weights}.value")
        if shape is None or len(shape.dims) != 2 or None in shape.dims:
            continue
        rows, width = (int(size or 0) for size in shape.dims)
        before = _before(graph, inputs["a"][0].source, found)
        after = [w.target for w in graph.out_of(key)]
        active = [n for n in after if graph.type_of(n).family == "activation"]
        output = f"{active[0]}.a" if active else f"{key}.z"
        name = graph.nodes[active[0]].type if active else ""
        source = inputs["a"][0].start
        bias = inputs["bias"][0].source if "bias" in inputs else ""
        found[key] = _Layer(key, weights, bias, name, output, (rows, width), before, source)
    return list(found.values())


def _before(graph: Graph, key: str, found: Mapping[str, _Layer]) -> str | None:
    """Return the layer that a node's value comes from."""
    queue, seen = [key], {key}
    for name in queue:
        if name in found:
            return name
        for wire in graph.into(name):
            if wire.source not in seen and not graph.feeds_back(wire):
                seen.add(wire.source)
                queue.append(wire.source)
    return None


def _columns(layers: list[_Layer]) -> dict[str, int]:
    found: dict[str, int] = {}
    for layer in layers:
        found[layer.key] = found.get(layer.before or "", 0) + 1
    return found


def _column(count: int, column: int) -> list[tuple[int | None, float, float]]:
    numbers: list[int | None] = list(range(count))
    if count > MOST:
        numbers = [*range(MOST - 2), None, count - 1]
    return [
        (number, column * COLUMN, TOP + (row - (len(numbers) - 1) / 2) * ROW)
        for row, number in enumerate(numbers)
    ]


def _dots(
    graph: Graph,
    address: str,
    places: list[tuple[int | None, float, float]],
    values: Mapping[str, NDArray[np.float64]],
    layer: str | None = None,
) -> list[Neuron]:
    """Return the neurons of a column; each selects its own node where it has one."""
    key, _, port = address.rpartition(".")
    row = _row(values.get(address))
    found = []
    for number, x, y in places:
        own = f"{layer or key}.{0 if number is None else number + 1}"
        node = own if own in graph.nodes else layer or key
        value = None
        if number is not None:
            part = _row(values.get(f"{key}.{number + 1}.{port}"))
            value = part[0] if part else row[number] if number < len(row) else None
        found.append(Neuron(node, number, x, y, value, column=layer or key))
    return found


def _features(graph: Graph, inference: Inference, address: str, count: int) -> tuple[str, ...]:
    """Return the names of a data set's columns, if it is a data set that feeds an address."""
    node, _, port = address.rpartition(".")
    while graph.nodes[node].type == "relay" and graph.into(node):
        node, port = graph.into(node)[0].source, graph.into(node)[0].output
    table = inference.tables.get(node) if port == "x" else None
    return table.features if table is not None and len(table.features) == count else ()


def _classes(inference: Inference, count: int) -> tuple[str, ...]:
    """Return the names of so many classes, if a data set has as many."""
    tables = inference.tables.values()
    return next((table.classes for table in tables if len(table.classes) == count), ())


def _named(dots: list[Neuron], names: tuple[str, ...], letter: str) -> list[Neuron]:
    """Return neurons with their names; without any they are numbered."""
    return [
        dot
        if dot.number is None
        else replace(dot, name=names[dot.number] if names else f"{letter}{dot.number + 1}")
        for dot in dots
    ]


def _row(value: NDArray[np.float64] | None) -> list[float]:
    if value is None or not np.size(value):
        return []
    return [float(number) for number in np.atleast_2d(value)[0]]


def _settings(graph: Graph) -> dict[str, NDArray[np.float64]]:
    """Return the values that parameters are given in the graph itself."""
    found = {}
    for key in graph.of_type("parameter"):
        value = graph.nodes[key].settings.get("value")
        if value is not None:
            found[f"{key}.value"] = np.asarray(value, dtype=float)
    return found


def _weights(
    layer: _Layer, values: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Return a layer's weights, put together where its neurons have their own rows."""
    whole = values.get(f"{layer.weights}.value")
    rows = [values.get(f"{layer.weights}.{n + 1}.value") for n in range(layer.size[0])]
    if all(row is not None for row in rows):
        whole = np.vstack([np.atleast_2d(row) for row in rows if row is not None])
    return whole if whole is not None and np.shape(whole) == layer.size else None


def _lines(
    layer: _Layer,
    start: list[tuple[int | None, float, float]],
    end: list[tuple[int | None, float, float]],
    weights: NDArray[np.float64] | None,
) -> list[Line]:
    largest = 0.0 if weights is None else float(np.abs(weights).max())
    found = []
    for row, x1, y1 in end:
        for column, x0, y0 in start:
            if row is None or column is None or column >= layer.size[1]:
                continue
            weight = None if weights is None else float(weights[row, column])
            share = 0.0 if weight is None or not largest else abs(weight) / largest
            found.append(Line(layer.key, (x0, y0), (x1, y1), weight, share))
    return found
