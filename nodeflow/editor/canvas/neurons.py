"""The classic picture: columns of neurons, and the layers as the lines between them.

A layer is the mapping, not the dots: its name stands on the lines. The picture can be drawn of
any graph whose weighted sums follow each other, as layers or as single neurons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import numbers
from nodeflow.derive import collapse, fold
from nodeflow.derive.parts import RECORD as EXPLODED
from nodeflow.derive.shapes import Inference, infer
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.workings.shown import compact

MOST = 16
"""The most neurons of a column that are drawn; of more, the first ones and the last."""
COLUMN, ROW, TOP = 260.0, 68.0, 70.0
"""A row has room for a dot, its ring, and below it bias and δ."""


@dataclass(frozen=True, slots=True)
class Neuron:
    """A dot. `node` is what is selected with it; `number` counts from 0, None is "and more"."""

    node: str
    number: int | None
    x: float
    y: float
    value: float | None = None
    address: str = ""
    """Where the value stands: at a node of its own, or in that of its layer."""
    name: str = ""
    """Of an input its feature, of an output its class, as the data call them."""
    column: str = ""
    """The layer, or the node of the inputs."""
    bias: float | None = None
    delta: float | None = None
    """δ of the first row: ∂C/∂z."""
    target: float | None = None
    """What an output should be."""
    age: str = ""
    """Of when the value is, "" if it is of the present pass."""
    delta_age: str = ""
    target_age: str = ""

    @property
    def error(self) -> float | None:
        """Return a − y of an output whose value and target are known, and of one pass."""
        if self.value is None or self.target is None or self.age != self.target_age:
            return None
        return self.value - self.target

    # What is written: grey where it is of another pass.

    @property
    def number_text(self) -> str:
        """The value, as it stands in the dot."""
        return "" if self.value is None else compact(self.value)

    @property
    def bias_and_delta(self) -> str:
        """What stands below the dot."""
        known = (("b", self.bias), ("δ", self.delta))
        return "   ".join(f"{name} {compact(number)}" for name, number in known
                          if number is not None)  # fmt: skip

    @property
    def target_and_error(self) -> str:
        """What stands beside an output."""
        text = "" if self.target is None else f"y {compact(self.target)}"
        return text if self.error is None else f"{text}   e {compact(self.error)}"


@dataclass(frozen=True, slots=True)
class Line:
    """A weight, from neuron to neuron; `share` is its size beside the largest of its column."""

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
    def remarks(self) -> tuple[str, ...]:
        """Of when what is grey is, in words."""
        told = {
            "grey": [age for n in self.neurons for age in (n.age, n.target_age)],
            "grey δ": [n.delta_age for n in self.neurons],
        }
        return tuple(
            f"{what}: {age}" for what, ages in told.items() for age in sorted({*ages} - {""})
        )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        if not self.neurons:
            return (0.0, 0.0, 1.0, 1.0)
        xs, ys = [n.x for n in self.neurons], [n.y for n in self.neurons]
        return min(xs) - 40, 0.0, max(xs) + 40, max(ys) + 40


@dataclass(frozen=True, slots=True)
class _Layer:
    """A weighted sum, of a whole layer or of a single neuron."""

    key: str
    weights: str
    bias: str
    activation: str
    output: str
    size: tuple[int, int]
    takes: tuple[_Feature, ...]
    """Where each of its inputs comes from."""
    depth: int
    """Its column: one more than that of the last layer before it."""


_Values = Mapping[str, NDArray[np.float64]]
_Feature = tuple[str, int]
"""A neuron of a weighted sum, by the sum's id, or a feature of another output, by its address."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a network at a moment, by address."""

    values: _Values = field(default_factory=dict)
    gradients: _Values = field(default_factory=dict)
    ages: Mapping[str, str] = field(default_factory=dict)
    """By node: where its value is from."""
    gradient_ages: Mapping[str, str] = field(default_factory=dict)


def neuron_map(graph: Graph, values: _Values | None = None, known: Known | None = None) -> Map:
    """Return the picture of a graph's layers, with values (by address) or all that is `known`.

    Columns follow from the wires alone: what is equally far from the inputs stands side by side,
    whether it is a layer or single neurons that somebody wired.
    """
    whole = _whole(graph)
    try:
        inference = infer(whole)
        layers = _layers(whole, inference)
    except NodeflowError as error:
        return Map(reason=str(error))
    if not layers:
        return Map(reason="there is no weighted_sum to draw as a layer")
    at = known or Known(values or {})
    held = {**_settings(whole), **at.values}
    by_key = {layer.key: layer for layer in layers}
    columns = _columns(layers)
    places: dict[_Feature, tuple[float, float]] = {}
    neurons: list[Neuron] = []
    outputs = [layer for layer in layers if layer.depth == len(columns) - 1]
    classes = _classes(inference, sum(layer.size[0] for layer in outputs))
    targets = _targets(whole, inference, by_key, replace(at, values=held))
    for depth, column in enumerate(columns):
        shown: list[tuple[_Feature | None, float, float]] = _column(column, depth)
        for feature, x, y in shown:
            if feature is None:
                neurons.append(Neuron(neurons[-1].node, None, x, y, column=neurons[-1].column))
                continue
            places[feature] = x, y
            dot = _dot(graph, feature, by_key.get(feature[0]), x, y, replace(at, values=held))
            if depth == 0:
                names = _features(whole, inference, feature[0])
                dot = _named(dot, names, "x", column.index(feature))
            elif depth == len(columns) - 1:
                letter = by_key[feature[0]].output.rpartition(".")[2]
                name = classes[column.index(feature)] if classes else ""
                name = name or f"{letter}{column.index(feature) + 1}"
                target, age = targets.get(feature, (None, ""))
                dot = replace(dot, name=name, target=target, target_age=age)
            neurons.append(dot)
    weights = {layer.key: _weights(layer, held) for layer in layers}
    most = dict.fromkeys(range(len(columns)), 0.0)  # by column: single neurons are one layer
    for layer in layers:
        there = weights[layer.key]
        if there is not None and there.size:
            most[layer.depth] = max(most[layer.depth], float(np.abs(there).max()))
    lines = [line for layer in layers
             for line in _lines(layer, places, weights[layer.key], most[layer.depth])]  # fmt: skip
    parts = {
        node: layer.key
        for layer in layers
        for node in (layer.key, layer.weights, layer.bias, layer.output.rpartition(".")[0])
        if node
    }
    inputs = {at.rpartition(".")[0] for at, _ in columns[0] if at not in by_key}
    owned = {**{key: key for key in inputs}, **parts}
    return Map(tuple(neurons), tuple(lines), _labels(layers), columns=owned)


def _labels(layers: list[_Layer]) -> tuple[Label, ...]:
    """Return what stands on the lines between two columns."""
    by_depth: dict[int, list[_Layer]] = {}
    for layer in layers:
        by_depth.setdefault(layer.depth, []).append(layer)
    found = []
    for depth, unsorted in sorted(by_depth.items()):
        there = sorted(unsorted, key=lambda layer: natural(layer.key))
        first, last = there[0], there[-1]
        rows = sum(layer.size[0] for layer in there)
        widths = {layer.size[1] for layer in there}
        name = first.key if len(there) == 1 else f"{first.key} … {last.key}"
        size = f"{rows}×{widths.pop()}" if len(widths) == 1 else str(rows)
        kinds = ", ".join(sorted({layer.activation for layer in there} - {""}))
        text = f"{name}  {size}  {kinds}".rstrip()
        found.append(Label(first.key, text, (depth - 0.5) * COLUMN, TOP / 2))
    return tuple(found)


def _whole(graph: Graph) -> Graph:
    """Return the graph with its layers whole and its backward pass folded, where that goes."""
    for back in (fold, collapse):
        if back is collapse and not graph.extra.get(EXPLODED):
            break  # neurons that were wired one by one keep their names
        try:
            graph = back(graph)
        except NodeflowError:
            continue  # nothing to bring back, or edited: it is drawn as it is
    return graph


def _layers(graph: Graph, inference: Inference) -> list[_Layer]:
    found: dict[str, _Layer] = {}
    seen = _Seen(graph, inference, found)
    for key in inference.order:
        inputs = graph.inputs(key)
        if not graph.nodes[key].is_layer or not {"a", "weights"} <= inputs.keys():
            continue
        weights = inputs["weights"][0].source
        shape = inference.shapes.get(f"{weights}.value")
        if shape is None or len(shape.dims) != 2 or None in shape.dims:
            continue
        rows, width = (int(size or 0) for size in shape.dims)
        takes = [feature for wire in inputs["a"] for feature in seen.features(wire.start, width)]
        after = [w.target for w in graph.out_of(key)]
        active = [n for n in after if graph.type_of(n).family == "activation"]
        output = f"{active[0]}.a" if active else f"{key}.z"
        name = graph.nodes[active[0]].type if active else ""
        bias = inputs["bias"][0].source if "bias" in inputs else ""
        depth = 1 + max((found[at].depth for at, _ in takes if at in found), default=0)
        size = (rows, width)
        found[key] = _Layer(key, weights, bias, name, output, size, tuple(takes[:width]), depth)
    return list(found.values())


class _Seen:
    """Follows values back to the neurons, or to the inputs, that they come from."""

    def __init__(self, graph: Graph, inference: Inference, layers: Mapping[str, _Layer]) -> None:
        self.graph, self.shapes, self.layers = graph, inference.shapes, layers
        self._known: dict[str, list[_Feature]] = {}

    def features(self, address: str, width: int = 1) -> list[_Feature]:
        """Return where each feature of a value comes from; of `width` where that is not known."""
        waiting = [address]
        while waiting:  # without recursion: a chain may be long
            at = waiting[-1]
            before = [start for start in self._starts(at) if start not in self._known]
            if before:
                waiting += before
                continue
            waiting.pop()
            if at not in self._known:
                self._known[at] = self._found(at, width if at == address else 1)
        return self._known[address]

    def _starts(self, address: str) -> list[str]:
        """Return the values that a value is computed from in the same pass: no feedback."""
        key = address.rpartition(".")[0]
        if key in self.layers:
            return []
        fed = self.graph.type_of(key).feedback
        inputs = self.graph.inputs(key)
        return [wire.start for name, there in inputs.items() if name not in fed for wire in there]

    def _found(self, address: str, width: int) -> list[_Feature]:
        key = address.rpartition(".")[0]
        if key in self.layers:
            return [(key, row) for row in range(self.layers[key].size[0])]
        shape = self.shapes.get(address)
        count = (shape.features if shape is not None else None) or width
        type_ = self.graph.type_of(key)
        before = [self._known[start] for start in self._starts(address)]
        if type_.joins:
            return [feature for part in before for feature in part]
        if type_.picks and before:
            index = self.graph.settings(key)["index"]
            chosen = index if isinstance(index, tuple) else (index,)
            return [before[0][i] for i in chosen if -len(before[0]) <= i < len(before[0])]
        # What is computed number by number belongs to the neuron that it is computed from.
        for part in before:
            if len(part) == count and any(at in self.layers for at, _ in part):
                return part
        if type_.passes and before:
            return before[0]
        for part in before:
            if any(at in self.layers for at, _ in part):
                return [part[min(i, len(part) - 1)] for i in range(count)]
        return [(address, i) for i in range(count)]


def _columns(layers: list[_Layer]) -> list[list[_Feature]]:
    """Return the neurons of each column, in the order in which the next one takes them."""
    columns: list[list[_Feature]] = [[] for _ in range(1 + max(one.depth for one in layers))]
    depth_of = {layer.key: layer.depth for layer in layers}
    taken = [feature for layer in layers for feature in layer.takes]
    in_order = sorted(layers, key=lambda layer: natural(layer.key))
    own = [(layer.key, row) for layer in in_order for row in range(layer.size[0])]
    for feature in dict.fromkeys([*taken, *own]):
        columns[depth_of.get(feature[0], 0)].append(feature)
    return columns


def natural(key: str) -> list[tuple[int, str]]:
    """Return what sorts ids by the numbers in them: h2 before h10."""
    parts = re.split(r"(\d+)", key)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _column(features: list[_Feature], depth: int) -> list[tuple[_Feature | None, float, float]]:
    shown: list[_Feature | None] = list(features)
    if len(features) > MOST:
        shown = [*features[: MOST - 2], None, features[-1]]
    return [
        (feature, depth * COLUMN, TOP + (row - (len(shown) - 1) / 2) * ROW)
        for row, feature in enumerate(shown)
    ]


def _dot(
    graph: Graph, feature: _Feature, layer: _Layer | None, x: float, y: float, known: Known
) -> Neuron:
    """Return a neuron, or an input; it selects its own node where it has one."""
    at, number = feature
    address = at if layer is None else layer.output
    key, _, port = address.rpartition(".")
    column = key if layer is None else layer.key
    own = f"{column}.{number + 1}"
    own_output = f"{key}.{number + 1}.{port}"
    value, there = _of_neuron(known.values, (own_output, *_summed(own_output)), address, number)
    bias = delta = None
    delta_at = ""
    if layer is not None:
        part = f"{layer.bias}.{number + 1}.value"
        bias, _ = _of_neuron(known.values, (part,), f"{layer.bias}.value", number)
        sums = (f"{own}.z", f"{own}.value", *_summed(f"{layer.key}.z"))
        delta, delta_at = _of_neuron(known.gradients, sums, f"{layer.key}.z", number)
    return Neuron(
        own if own in graph.nodes else column,
        number,
        x,
        y,
        value,
        there,
        column=column,
        bias=bias,
        delta=delta,
        age=known.ages.get(there.rpartition(".")[0], ""),
        delta_age=known.gradient_ages.get(delta_at, ""),
    )


def _summed(address: str) -> tuple[str, ...]:
    """Return where z is of a neuron that is single operations: they end in a sum of that name."""
    key, _, port = address.rpartition(".")
    return (f"{key}.value",) if port == "z" else ()


def _of_neuron(
    values: _Values, own: tuple[str, ...], whole: str, number: int
) -> tuple[float | None, str]:
    """Return a number of one neuron, from its own node or the layer's, and where it stands."""
    for address in own:
        if part := _row(values.get(address)):
            return part[0], address
    row = _row(values.get(whole))
    return (row[number], whole) if number < len(row) else (None, "")


def _targets(
    graph: Graph, inference: Inference, layers: Mapping[str, _Layer], known: Known
) -> dict[_Feature, tuple[float, str]]:
    """Return what the neurons should be whose outputs a cost compares with a target; its age."""
    seen = _Seen(graph, inference, layers)
    found: dict[_Feature, tuple[float, str]] = {}
    for key in inference.order:
        inputs = graph.inputs(key)
        if graph.type_of(key).family != "cost" or not {"a", "y"} <= inputs.keys():
            continue
        compared = [feature for wire in inputs["a"] for feature in seen.features(wire.start)]
        wanted = [
            (number, known.ages.get(wire.source, ""))
            for wire in inputs["y"]
            for number in _row(known.values.get(wire.start))
        ]
        if len(compared) == len(wanted):
            found |= dict(zip(compared, wanted, strict=True))
    return found


def _features(graph: Graph, inference: Inference, address: str) -> tuple[str, ...]:
    """Return the names of a data set's columns, if it is a data set that feeds an address."""
    node, _, port = address.rpartition(".")
    while graph.nodes[node].drawn_as == "knot" and graph.into(node):
        node, port = graph.into(node)[0].source, graph.into(node)[0].output
    table = inference.tables.get(node) if port == "x" else None
    return table.features if table is not None else ()


def _classes(inference: Inference, count: int) -> tuple[str, ...]:
    """Return the names of so many classes, if a data set has as many."""
    tables = inference.tables.values()
    return next((table.classes for table in tables if len(table.classes) == count), ())


def _named(dot: Neuron, names: tuple[str, ...], letter: str, place: int) -> Neuron:
    """Return an input with its name; without any it has its place in the column."""
    number = dot.number or 0
    return replace(dot, name=names[number] if number < len(names) else f"{letter}{place + 1}")


def _row(value: NDArray[np.float64] | None) -> list[float]:
    if value is None or not np.size(value):
        return []
    return [float(number) for number in np.atleast_2d(value)[0]]


def _settings(graph: Graph) -> dict[str, NDArray[np.float64]]:
    """Return the values that parameters are given in the graph itself."""
    found = {}
    for key in graph.parameters:
        value = graph.nodes[key].settings.get("value")
        if value is not None:
            found[f"{key}.value"] = numbers(value)
    return found


def _weights(
    layer: _Layer, values: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Return a layer's weights, put together where neurons have their own rows or numbers."""
    count, width = layer.size
    whole = values.get(f"{layer.weights}.value")
    if whole is not None and np.shape(whole) == layer.size:
        return whole
    names = [f"{layer.weights}.{row + 1}" for row in range(count)]
    rows = [_weights_of_neuron(name, width, values) for name in names]
    if count == 1 and rows[0] is None:  # a single neuron whose weights are its own at once
        rows = [_weights_of_neuron(layer.weights, width, values)]
    found = [row for row in rows if row is not None]
    return np.vstack(found) if len(found) == count else None


def _weights_of_neuron(
    name: str, width: int, values: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Return the row of weights of one neuron, from one parameter or one a weight."""
    row = values.get(f"{name}.value")
    if row is not None and np.size(row) == width:
        return np.ravel(row)
    parts = [values.get(f"{name}.{column + 1}.value") for column in range(width)]
    found = [float(np.ravel(part)[0]) for part in parts if part is not None and np.size(part) == 1]
    return np.array(found) if len(found) == width else None


def _lines(
    layer: _Layer,
    places: Mapping[_Feature, tuple[float, float]],
    weights: NDArray[np.float64] | None,
    largest: float,
) -> list[Line]:
    found = []
    for row in range(layer.size[0]):
        end = places.get((layer.key, row))
        for column, feature in enumerate(layer.takes if end else ()):
            start = places.get(feature)
            if start is None or end is None:
                continue
            weight = None if weights is None else float(weights[row, column])
            share = 0.0 if weight is None or not largest else abs(weight) / largest
            found.append(Line(layer.key, start, end, weight, share))
    return found
