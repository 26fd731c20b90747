"""Explode: a layer as its neurons, a neuron as single operations. `collapse` is the way back.

The whole and its parts compute the same: a row of the weights starts as that row of the whole
would have started (its node keeps under the key "part" what it is a part of).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nodeflow.declare import Array, inert, numbers
from nodeflow.derive.shapes import infer
from nodeflow.derive.steps import collapse_step, explode_steps
from nodeflow.derive.tidy import tidy, under
from nodeflow.derive.unfolding import RECORD as UNFOLDED
from nodeflow.derive.unfolding import fold, unfold
from nodeflow.errors import GraphError, UnknownNode, nearest
from nodeflow.graph import Graph, Node, Wire
from nodeflow.nodes.source import parameter_shape
from nodeflow.nodes.update import UPDATES

RECORD = "exploded"
"""The graph file's key under which an exploded graph keeps what `collapse` needs."""
PART = "part"
"""A node's key that says which part of which parameter it starts as."""
PLACES = "places"
"""The graph file's key for where nodes stood before something was exploded."""


def explode(graph: Graph, node: str | None = None) -> Graph:
    """Return the graph with a layer as its neurons, or a neuron as single operations.

    `node` is a `weighted_sum`, or a `step`, which becomes gradient, average and update; without
    one every `weighted_sum` is taken apart, one level deep. Its elementwise activation goes with
    it. Raises `GraphError` where that cannot be done.
    """
    if node is not None and node in graph.nodes and graph.nodes[node].type == "step":
        return _laid_out(graph, explode_steps(graph, [node]))
    if graph.extra.get(UNFOLDED):
        return unfold(explode(fold(graph), node))
    if node is not None:
        return _spread_out(graph, _exploded(graph, node))
    layers = graph.of_type("weighted_sum")
    if not layers:
        raise GraphError("the graph has no weighted_sum: there is nothing to explode")
    whole = graph
    for key in layers:
        graph = _exploded(graph, key)
    return _spread_out(whole, graph)


def collapse(graph: Graph, node: str | None = None) -> Graph:
    """Return the graph with an exploded layer or neuron whole again; without `node`, with all.

    Values of weights that were typed in are put together. Raises `GraphError` that names the
    nodes which differ otherwise from what `explode` makes.
    """
    whole_step = None if node is None else collapse_step(graph, node)
    if whole_step is not None:
        return whole_step
    if graph.extra.get(UNFOLDED):
        return unfold(collapse(fold(graph), node))
    records = _records(graph)
    if node is None:
        if not records:
            raise GraphError("nothing in the graph is exploded: there is nothing to collapse")
        chosen = list(records)
    elif node in records:
        chosen = [node, *(key for key in records if key in records[node].neurons)]
    elif node in graph.nodes:
        raise GraphError(f"'{node}' is not exploded: there is nothing to collapse", node=node)
    else:
        raise UnknownNode(
            f"there is no node '{node}'{nearest(node, {*graph.nodes, *records})}", node=node
        )
    apart = graph
    for key in sorted(chosen, key=lambda key: (records[key].neuronal, key)):
        graph = _collapsed(graph, key, records)
        records = _records(graph)
    return _moved_back(apart, graph)


# --- what is taken apart ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Layer:
    """A weighted sum with what belongs to it, and the names of its parts."""

    key: str
    weights: str
    bias: str | None
    activations: tuple[str, ...]
    rows: int
    columns: int
    nodes: Mapping[str, Any] = field(default_factory=dict)
    """The nodes that vanish, as they stand in a file, without the parameters' values."""
    numbered: tuple[str, ...] = ()
    """Ports whose only wire has a number."""
    tall: bool = False
    """Whether the bias is a matrix of one row."""
    chain: tuple[str, ...] = ()
    """Nodes wired by hand that update the parameters, or pass blame back along the weights."""
    deltas: tuple[str, ...] = ()
    """The nodes whose δ they take."""

    @property
    def neuronal(self) -> bool:
        """Whether the parts are neurons; those of a single neuron are operations."""
        return self.rows > 1

    @property
    def neurons(self) -> tuple[str, ...]:
        return tuple(_parts(self.key, self.rows)) if self.neuronal else ()

    @property
    def split(self) -> tuple[str, ...]:
        """The parameters that are cut up."""
        return (self.weights, self.bias) if self.neuronal and self.bias else (self.weights,)

    @property
    def gone(self) -> tuple[str, ...]:
        """The nodes that stand only in the whole."""
        own = (self.key, *self.activations) if self.neuronal else (self.key,)
        return (*own, *self.split, *self.chain)

    @property
    def joins(self) -> Mapping[str, str]:
        """The node that joins an output's neurons, by the output's address."""
        if not self.neuronal:
            return {}
        first, *others = [*(f"{key}.a" for key in self.activations), f"{self.key}.z"]
        names = {first: f"{self.key}.joined"}
        for address in others:
            key, _, port = address.rpartition(".")
            names[address] = f"{key}.joined_{port}"
        return names

    def pieces(self, parameter: str) -> list[str]:
        """Return the ids of a parameter's parts, in order."""
        return _parts(parameter, self.rows if self.neuronal else self.columns)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Addresses of the parts of each output and parameter, by the whole's address."""
        found = {f"{name}.value": _ports(self.pieces(name), "value") for name in self.split}
        if not self.neuronal:
            return {**found, f"{self.key}.z": (f"{self.key}.value",)}
        for key in self.activations:
            found[f"{key}.a"] = _ports(_parts(key, self.rows), "a")
        for key in self.blames:
            found[f"{key}.blame"] = (f"{key}.value",)
        return {**found, f"{self.key}.z": _ports(self.neurons, "z")}

    @property
    def blames(self) -> tuple[str, ...]:
        """The nodes that pass blame back along the weights: their parts are added up again."""
        return tuple(key for key in self.chain if self.nodes[key]["type"] == "blame")

    def made(self, graph: Graph) -> list[str]:
        """Return which nodes of an exploded graph are this one's parts."""
        names = [name for parameter in self.split for name in self.pieces(parameter)]
        if self.neuronal:
            names += [name for key in (self.key, *self.activations) for name in self._of(key)]
            names += [name for name in self.joins.values() if name in graph.nodes]
            names += [name for key in (*self.chain, *self.deltas) for name in self._of(key)]
            names += self.blames
        else:
            names += [self.key, *_parts(self.key, self.columns)]
            picks = _parts(f"{self.key}.x", self.columns, "")
            names += [name for name in picks if name in graph.nodes]
        return names

    def _of(self, key: str) -> list[str]:
        return _parts(key, self.rows)


def _parts(key: str, count: int, dot: str = ".") -> list[str]:
    return [f"{key}{dot}{number}" for number in range(1, count + 1)]


def _ports(keys: Iterable[str], port: str) -> tuple[str, ...]:
    return tuple(f"{key}.{port}" for key in keys)


def _goes_along(graph: Graph, key: str) -> bool:
    """Return whether a node is an activation that can be taken apart with its layer.

    Softmax needs all weighted sums: it stays whole.
    """
    type_ = graph.nodes[key].known
    return type_ is not None and type_.family == "activation" and type_.name != "softmax"


def _layer(graph: Graph, key: str, along: Iterable[str] | None = None) -> _Layer:
    """Return what `key` is taken apart into, or raise `GraphError` with the reason.

    `along` names the activations that go with it, where that is known.
    """

    def refuse(why: str) -> GraphError:
        return GraphError(f"'{key}' cannot be exploded: {why}", node=key)

    records = _records(graph)
    if key in records:
        parts = records[key].neurons
        shown = f"its neurons are {parts[0]} to {parts[-1]}" if parts else "it is single operations"
        raise GraphError(f"'{key}' is exploded already: {shown}", node=key)
    if key not in graph.nodes:
        raise UnknownNode(f"there is no node '{key}'{nearest(key, graph.nodes)}", node=key)
    node = graph.nodes[key]
    if node.type != "weighted_sum":
        hint = nearest(key, graph.of_type("weighted_sum"))
        raise refuse(f"it is not a weighted_sum but a node of type {node.type}{hint}")
    if node.mode in ("bypass", "disable"):
        raise refuse(f"its mode is {node.mode}; make it active first")
    inputs = graph.inputs(key)
    for port in ("a", "weights"):
        if port not in inputs:
            raise refuse(f"nothing is wired into its input '{port}'")
    weights = inputs["weights"][0].source
    wired = {wires[0].source: port for port, wires in inputs.items() if port != "a"}
    chain = _chain(graph, key, wired)
    shape = _shape_of(graph, key, weights, "weights", chain)
    if len(shape) != 2:
        raise refuse(f"'{weights}' (its weights) must have rows and columns, such as [5, 7]")
    rows, columns = shape
    bias, tall = inputs["bias"][0].source if "bias" in inputs else None, False
    if bias is not None and (rows > 1 or graph.nodes[bias].type == "parameter"):
        size = _shape_of(graph, key, bias, "bias", chain)
        tall = len(size) == 2
        if size[-1] != rows or (len(size) == 2 and size[0] != 1):
            raise refuse(f"'{bias}' (its bias) must hold {rows} numbers, one a neuron")
    if along is None:
        along = {w.target for w in graph.out_of(key) if _goes_along(graph, w.target)}
    if chain and (rows == 1 or tall):
        what = "a bias of one row" if tall else "the operations of a single neuron"
        raise refuse(
            f"its parameters are updated by nodes wired by hand ({chain[-1]}), which are taken "
            f"apart with the neurons of a layer and not with {what}"
        )
    deltas = {w.source for name in chain for w in graph.into(name) if w.input == "delta"}
    layer = _Layer(
        key, weights, bias, tuple(sorted(along)), rows, columns, tall=tall, chain=chain,
        deltas=tuple(sorted(deltas)),
    )  # fmt: skip
    seen = [w for name in layer.gone for w in (*graph.out_of(name), *graph.into(name))]
    return replace(
        layer,
        nodes={
            name: _plain_node(graph.nodes[name], is_cut=name in layer.split) for name in layer.gone
        },
        numbered=tuple(
            sorted({w.end for w in seen if w.index == 0 and len(_siblings(graph, w)) == 1})
        ),
    )


def _siblings(graph: Graph, wire: Wire) -> tuple[Wire, ...]:
    return graph.inputs(wire.target)[wire.input]


_ON_THE_WAY = {"average": "total", "accumulate": "gradient"}
"""Between a gradient and its update, and the input that leads on."""


def _chain(graph: Graph, key: str, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the nodes wired by hand that belong to a layer's parameters, sorted.

    Those are `blame` along the weights, updates, and what lies between them and their gradient.
    Raises `GraphError` where somebody else looks at what is to be taken apart.
    """
    found: set[str] = set()
    for name in parameters:
        for wire in graph.out_of(name):
            kind = graph.nodes[wire.target].type
            if (kind, wire.input) == ("blame", "weights"):
                found.add(wire.target)
            elif kind in UPDATES and wire.input == "parameter":
                found |= _update_chain(graph, wire.target)
    for name in sorted(found):
        kind = graph.nodes[name].type
        for wire in graph.out_of(name) if kind != "blame" else ():
            if wire.target not in found and wire.target not in parameters:
                raise GraphError(
                    f"'{key}' cannot be exploded: '{wire.target}' reads '{name}', which holds what "
                    "belongs to the whole layer; take that wire away first",
                    node=key,
                )
    return tuple(sorted(found))


def _update_chain(graph: Graph, update: str) -> set[str]:
    """Return an update and what leads from the gradient of its parameter to it."""
    found = {update}
    wires = graph.inputs(update).get("gradient", ())
    while wires:
        before = wires[0].source
        kind = graph.nodes[before].type
        if kind not in (*_ON_THE_WAY, "weight_gradient", "bias_gradient"):
            return {update}
        found.add(before)
        wires = graph.inputs(before).get(_ON_THE_WAY.get(kind, ""), ())
    return found


def _shape_of(
    graph: Graph, key: str, name: str, port: str, chain: Sequence[str]
) -> tuple[int, ...]:
    """Return the shape of a parameter that only `key` uses, or raise `GraphError`."""

    def refuse(why: str) -> GraphError:
        return GraphError(f"'{key}' cannot be exploded: '{name}' (its {port}) {why}", node=key)

    node = graph.nodes[name]
    if node.type != "parameter":
        raise refuse(f"must be a parameter, not {node.type}")
    others = [
        f"{w.target}.{w.input}"
        for w in graph.out_of(name)
        if graph.nodes[w.target].type != "l2_penalty"
        and (w.target, w.input) != (key, port)
        and w.target not in chain
    ]
    if others:
        raise refuse(f"is shared: it goes to {others[0]} too")
    for wire in graph.into(name):
        update = wire.source
        if update not in chain:
            raise refuse(f"takes its next value from '{update}', which is no update of its own")
        kinds = {graph.nodes[part].type for part in _update_chain(graph, update)}
        if not kinds & {"weight_gradient", "bias_gradient", "step"}:
            raise refuse(
                f"is updated by '{update}' with a gradient that is no weight_gradient or "
                "bias_gradient of its own"
            )
    settings = graph.settings(name)
    if settings["value"] is None and settings["shape"] is None:
        raise refuse("has no shape yet; give it a value, or a shape and an init")
    return parameter_shape(settings)


def _plain_node(node: Node, *, is_cut: bool) -> dict[str, Any]:
    settings = {k: v for k, v in node.settings.items() if not is_cut or k != "value"}
    mode = {} if node.mode == "active" else {"mode": node.mode}
    return {**node.extra, "type": node.type, "settings": settings, **mode}


# --- taking apart -----------------------------------------------------------------------------


def _exploded(graph: Graph, key: str, along: Iterable[str] | None = None) -> Graph:
    layer = _layer(graph, key, along)
    nodes, wires = (_neurons if layer.neuronal else _operations)(graph, layer)
    kept = {name: node for name, node in graph.nodes.items() if name not in layer.gone}
    outside, used = _rewired(graph, layer, kept)
    for address in used:
        join = layer.joins[address]
        nodes[join] = Node("concatenate")
        starts = layer.parts[address]
        wires += [Wire(*_ends(start), join, "a", i) for i, start in enumerate(starts)]
    taken = sorted(nodes.keys() & kept.keys())
    if taken:
        raise GraphError(
            f"'{key}' cannot be exploded: a part would be called '{taken[0]}', "
            "and there is such a node already; rename it",
            node=taken[0],
        )
    record = {
        "weights": layer.weights,
        "bias": layer.bias,
        "activations": layer.activations,
        "rows": layer.rows,
        "columns": layer.columns,
        "nodes": layer.nodes,
        **({"numbered": layer.numbered} if layer.numbered else {}),
        **({"tall": True} if layer.tall else {}),
        **({"chain": layer.chain, "deltas": layer.deltas} if layer.chain else {}),
    }
    places = {name: at for name, at in graph.layout.items() if name in kept}
    return replace(
        graph,
        nodes=dict(sorted({**kept, **nodes}.items())),
        wires=tuple(sorted([*outside, *wires])),
        layout=places,
        extra={**graph.extra, RECORD: {**graph.extra.get(RECORD, {}), key: record}},
    )


def _ends(address: str) -> tuple[str, str]:
    node, _, port = address.rpartition(".")
    return node, port


def _neurons(graph: Graph, layer: _Layer) -> tuple[dict[str, Node], list[Wire]]:
    whole = graph.nodes[layer.key]
    nodes: dict[str, Node] = {}
    wires: list[Wire] = []
    inputs = graph.inputs(layer.key)
    weights, bias = (layer.pieces(name) if name else [] for name in (layer.weights, layer.bias))
    for row, key in enumerate(layer.neurons):
        nodes[key] = Node(whole.type, dict(whole.settings), whole.mode)
        nodes[weights[row]] = _piece(graph, layer.weights, row, None, (1, layer.columns))
        wires += [replace(wire, target=key) for wire in inputs["a"]]
        wires.append(Wire(weights[row], "value", key, "weights"))
        if layer.bias:
            at = (0, row) if layer.tall else (row, None)
            nodes[bias[row]] = _piece(graph, layer.bias, at[0], at[1], (1,))
            wires.append(Wire(bias[row], "value", key, "bias"))
        for activation in layer.activations:
            node = graph.nodes[activation]
            part = f"{activation}.{row + 1}"
            nodes[part] = Node(node.type, dict(node.settings), node.mode)
            wires.append(Wire(key, "z", part, "z"))
        _chain_of_neuron(graph, layer, row, nodes, wires)
    for key in layer.blames:
        nodes[key] = Node("add")
        parts = enumerate(_parts(key, layer.rows))
        wires += [Wire(part, "blame", key, "a", i) for i, part in parts]
    return nodes, wires


def _chain_of_neuron(
    graph: Graph, layer: _Layer, row: int, nodes: dict[str, Node], wires: list[Wire]
) -> None:
    """Add what of the updates and of the blame wired by hand belongs to one neuron."""
    own = {*layer.chain, *layer.split}
    number = row + 1
    for key in layer.deltas if layer.chain else ():
        (source,) = {w.output for name in layer.chain for w in graph.into(name)
                     if w.input == "delta" and w.source == key}  # fmt: skip
        nodes[f"{key}.{number}"] = Node("pick", {"index": row})
        wires.append(Wire(key, source, f"{key}.{number}", "a"))
    for key in (*layer.chain, *(name for name in layer.split if layer.chain)):
        part = f"{key}.{number}"
        if key in layer.chain:
            node = graph.nodes[key]
            nodes[part] = Node(node.type, dict(node.settings), node.mode)
        for wire in graph.into(key):
            if wire.source in own:
                wires.append(replace(wire, source=f"{wire.source}.{number}", target=part))
            elif wire.input == "delta":
                start = f"{wire.source}.{number}"
                wires.append(replace(wire, source=start, output="value", target=part))
            else:
                wires.append(replace(wire, target=part))


def _operations(graph: Graph, layer: _Layer) -> tuple[dict[str, Node], list[Wire]]:
    key = layer.key
    nodes = {key: Node("add", mode=graph.nodes[key].mode)}
    wires: list[Wire] = []
    picks: dict[tuple[str, int], str] = {}
    alone = layer.columns == 1 and layer.bias is None
    weights, products = layer.pieces(layer.weights), _parts(key, layer.columns)
    for column, (source, index) in enumerate(_features(graph, layer)):
        weight, product, start = weights[column], products[column], source
        if index is not None:
            name = picks.setdefault((start, index), f"{key}.x{column + 1}")
            if name not in nodes:
                nodes[name] = Node("pick", {"index": index})
                wires.append(Wire(*_ends(start), name, "a"))
            start = f"{name}.value"
        nodes[weight] = _piece(graph, layer.weights, 0, column, shape=(1,))
        nodes[product] = Node("multiply")
        wires += [
            Wire(*_ends(start), product, "a", 0),
            Wire(weight, "value", product, "a", 1),
            Wire(product, "value", key, "a", None if alone else column),
        ]
    if layer.bias is not None:
        bias = graph.inputs(key)["bias"][0]
        wires.append(Wire(bias.source, bias.output, key, "a", layer.columns))
    return nodes, wires


def _features(graph: Graph, layer: _Layer) -> list[tuple[str, int | None]]:
    """Return where each input of a neuron comes from: a wire, and its feature if it has several."""
    there = graph.inputs(layer.key)["a"]
    if len(there) == layer.columns:
        return [(wire.start, None) for wire in there]
    known = [layer.columns] if len(there) == 1 else _widths(graph, there, data=False)
    if sum(known) != layer.columns:
        known = _widths(graph, there, data=True)
    if 0 in known or sum(known) != layer.columns:
        raise GraphError(
            f"'{layer.key}' cannot be exploded: its inputs must have {layer.columns} features in "
            "all, and how many each of them has must be known",
            node=layer.key,
        )
    return [
        (wire.start, index if width > 1 else None)
        for wire, width in zip(there, known, strict=True)
        for index in range(width)
    ]


def _widths(graph: Graph, wires: Iterable[Wire], *, data: bool) -> list[int]:
    """Return how many features each wire has; 0 where that is not known."""
    shapes = infer(graph, data=data).shapes
    return [(shapes[w.start].features or 0) if w.start in shapes else 0 for w in wires]


def _piece(graph: Graph, name: str, row: int, column: int | None, shape: tuple[int, ...]) -> Node:
    """Return one part of a parameter: a row of it, or one number."""
    whole = graph.nodes[name]
    settings = dict(whole.settings)
    if settings.get("shape") is not None:
        settings["shape"] = shape
    value = inert(settings.get("value"))
    if value is None:
        own = {"of": name, "shape": parameter_shape(graph.settings(name)), "row": row}
        older = whole.extra.get(PART)
        part = dict(older) if isinstance(older, Mapping) else own
        if column is not None:
            part["column"] = column
        return Node(whole.type, settings, whole.mode, {PART: part})
    if numbers(value).shape == parameter_shape(graph.settings(name)):
        value = (value,) if not isinstance(value, Array | tuple) else value
        cut = value.values[row] if isinstance(value, Array) else value[row]
        cut = cut if column is None else cut[column]
        settings["value"] = inert(
            (cut.tolist() if isinstance(cut, np.ndarray | np.generic) else cut,)
        )
    return Node(whole.type, settings, whole.mode)


def _joins_features(graph: Graph, target: str, port: str) -> bool:
    """Return whether a port takes the parts' wires side by side as it took the whole's."""
    type_ = graph.nodes[target].known
    if type_ is None:
        return False
    return type_.joined == port or (type_.name, port) in (
        ("concatenate", "a"),
        ("l2_penalty", "weights"),
    )


def _rewired(graph: Graph, layer: _Layer, kept: Mapping[str, Node]) -> tuple[list[Wire], list[str]]:
    """Return the wires between nodes that stay, and which outputs need a node that joins them."""
    parts = layer.parts
    ends = {(w.target, w.input) for name in layer.gone for w in graph.out_of(name)}
    wires = [
        w
        for w in graph.wires
        if w.source in kept and w.target in kept and (w.target, w.input) not in ends
    ]
    used: dict[str, None] = {}
    for target, port in sorted(ends):
        if target not in kept:
            continue
        starts: list[str] = []
        there = graph.inputs(target)[port]
        for wire in there:
            found = parts.get(wire.start)
            if found is None:
                starts.append(wire.start)
            elif len(found) == 1 or _joins_features(graph, target, port):
                starts += found
            else:
                used[wire.start] = None
                starts.append(f"{layer.joins[wire.start]}.value")
        wires += _numbered(starts, target, port, there[0].index if len(there) == 1 else None)
    return wires, list(used)


def _numbered(starts: Sequence[str], target: str, port: str, single: int | None) -> Iterator[Wire]:
    for index, start in enumerate(starts):
        yield Wire(*_ends(start), target, port, index if len(starts) > 1 else single)


# --- putting together -------------------------------------------------------------------------


def _records(graph: Graph) -> dict[str, _Layer]:
    try:
        return {
            key: _read(graph, key, record) for key, record in graph.extra.get(RECORD, {}).items()
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise GraphError(f"what the graph keeps under '{RECORD}' cannot be read") from error


def _read(graph: Graph, key: str, record: Mapping[str, Any]) -> _Layer:
    layer = _Layer(
        key,
        str(record["weights"]),
        None if record["bias"] is None else str(record["bias"]),
        tuple(map(str, record["activations"])),
        int(record["rows"]),
        int(record["columns"]),
        nodes={
            name: {**node, "type": str(node["type"]), "settings": dict(node["settings"])}
            for name, node in record["nodes"].items()
        },
        numbered=tuple(map(str, record.get("numbered", ()))),
        tall=bool(record.get("tall", False)),
        chain=tuple(map(str, record.get("chain", ()))),
        deltas=tuple(map(str, record.get("deltas", ()))),
    )
    parts = layer.rows if layer.neuronal else layer.columns
    if min(layer.rows, layer.columns) < 1 or parts > len(graph.nodes):
        raise ValueError
    if any(name not in layer.nodes for name in layer.gone):
        raise ValueError
    return layer


def _collapsed(graph: Graph, key: str, records: Mapping[str, _Layer]) -> Graph:
    layer = records[key]
    made = layer.made(graph)
    missing = [name for name in made if name not in graph.nodes]
    if missing:
        raise _edited(key, missing)
    inside = [name for name in layer.neurons if name in records]
    if inside:
        raise GraphError(f"'{key}' holds '{inside[0]}', which is exploded", node=key)
    graph = _canonical(graph, records)
    made = [name for name in layer.made(graph) if name in graph.nodes]
    kept = {name: node for name, node in graph.nodes.items() if name not in made}
    nodes = {name: _node(graph, layer, name) for name in layer.gone}
    try:
        wires = [*_outside(graph, layer, kept), *_inside(graph, layer)]
    except KeyError as error:
        raise _edited(key, [key]) from error
    rest = {k: v for k, v in graph.extra.get(RECORD, {}).items() if k != key}
    extra = {k: v for k, v in graph.extra.items() if k != RECORD}
    places = {name: at for name, at in graph.layout.items() if name in kept}
    whole = replace(
        graph,
        nodes=dict(sorted({**kept, **nodes}.items())),
        wires=tuple(sorted(wires)),
        layout=places,
        extra={**extra, RECORD: rest} if rest else extra,
    )
    whole.validate()
    differ = _differences(_exploded(whole, key, layer.activations), graph)
    if differ:
        for other, inner in records.items():
            if other != key and not inner.neuronal and {*differ} & {*inner.made(graph)}:
                raise GraphError(
                    f"'{key}' cannot be collapsed while the operations of '{other}' read its "
                    f"parts: collapse '{other}' first",
                    node=key,
                )
        raise _edited(key, differ)
    return _canonical(whole, _records(whole))


def _edited(key: str, differ: Sequence[str]) -> GraphError:
    shown = ", ".join(differ[:5]) + (", …" if len(differ) > 5 else "")
    return GraphError(
        f"the parts of '{key}' were edited, so it cannot be collapsed: {shown} "
        f"differ{'s' if len(differ) == 1 else ''} from what explode makes",
        node=differ[0],
    )


def _node(graph: Graph, layer: _Layer, name: str) -> Node:
    """Return a node of the whole again; a parameter's value is that of its parts."""
    plain = layer.nodes[name]
    settings = {k: inert(v) for k, v in plain["settings"].items()}
    extra = {k: v for k, v in plain.items() if k not in ("type", "settings", "mode")}
    if name in layer.split:
        settings |= _value(graph, layer, name, settings)
    return Node(plain["type"], settings, plain.get("mode", "active"), extra)


def _value(graph: Graph, layer: _Layer, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value setting of a parameter, put together from its parts."""
    pieces = layer.pieces(name)
    parts = [inert(graph.nodes[piece].settings.get("value")) for piece in pieces]
    empty = [piece for piece, part in zip(pieces, parts, strict=True) if part is None]
    if len(empty) == len(parts):
        return {"value": None} if any("value" in graph.nodes[p].settings for p in pieces) else {}
    if empty:
        raise GraphError(
            f"'{layer.key}' cannot be collapsed: some parts of '{name}' have a value and "
            f"'{empty[0]}' has none; give one to all of them or to none",
            node=empty[0],
        )
    matrix = name == layer.weights
    width = layer.columns if matrix and layer.neuronal else 1
    # A constant start's number fills the whole as it fills its parts.
    fills = not isinstance(parts[0], tuple | Array) or numbers(parts[0]).size != width
    if settings.get("init") == "constant" and fills and all(part == parts[0] for part in parts):
        return {"value": parts[0]}
    for piece, part in zip(pieces, parts, strict=True):
        if numbers(part).size not in (width, 1):
            raise _edited(layer.key, [piece])
    rows = [_flat(part, width) for part in parts]
    if not matrix or not layer.neuronal:
        row = tuple(number for part in rows for number in part)
        return {"value": inert((row,) if matrix or layer.tall else row)}
    return {"value": inert(tuple(rows))}


def _flat(value: Any, width: int) -> tuple[Any, ...]:
    """Return a part's numbers in a row, whole numbers as they were typed."""
    if isinstance(value, Array):
        return tuple(value.values.ravel().tolist())
    while isinstance(value, tuple) and value and isinstance(value[0], tuple):
        value = tuple(number for row in value for number in row)
    found = value if isinstance(value, tuple) else (value,)
    return found * width if len(found) == 1 else found


def _outside(graph: Graph, layer: _Layer, kept: Mapping[str, Node]) -> Iterator[Wire]:
    """Yield the wires between the nodes that stay, and from the whole's outputs to them."""
    whole: dict[str, str | None] = {}
    for address, parts in layer.parts.items():
        whole |= {parts[0]: address, **dict.fromkeys(parts[1:])}
    whole |= {f"{join}.value": address for address, join in layer.joins.items()}
    ends: dict[tuple[str, str], list[Wire]] = defaultdict(list)
    touched = set()
    for wire in graph.wires:
        if wire.target in kept and (wire.source in kept or wire.start in whole):
            ends[wire.target, wire.input].append(wire)
            if wire.start in whole:
                touched.add((wire.target, wire.input))
    for (target, port), there in ends.items():
        if (target, port) not in touched:
            yield from there
            continue
        there.sort(key=lambda w: w.index or 0)
        starts = [whole.get(wire.start, wire.start) for wire in there]
        found = [start for start in starts if start is not None]
        yield from _numbered(found, target, port, _single(layer, target, port))


def _single(layer: _Layer, target: str, port: str) -> int | None:
    # The port of a layer is that of its neurons, whichever stood there then.
    names = (target, f"{target}.1", target.rpartition(".")[0])
    return 0 if any(f"{name}.{port}" in layer.numbered for name in names) else None


def _inside(graph: Graph, layer: _Layer) -> Iterator[Wire]:
    """Yield the wires into the whole, and between its nodes."""
    key = layer.key
    yield Wire(layer.weights, "value", key, "weights")
    if layer.neuronal:
        yield from (replace(wire, target=key) for wire in graph.inputs(layer.neurons[0])["a"])
        if layer.bias:
            yield Wire(layer.bias, "value", key, "bias")
        for activation in layer.activations:
            yield Wire(key, "z", activation, "z")
        yield from _chain_of_whole(graph, layer)
        return
    picks = set(_parts(f"{key}.x", layer.columns, ""))
    starts = []
    for product in _parts(key, layer.columns):
        start = graph.inputs(product)["a"][0]
        if start.source in picks:
            if graph.nodes[start.source].settings.get("index", 0) != 0:
                continue
            start = graph.inputs(start.source)["a"][0]
        starts.append(start.start)
    yield from _numbered(starts, key, "a", _single(layer, key, "a"))
    if layer.bias is not None:
        # The bias of one neuron stays as it is and comes last.
        last = graph.inputs(key)["a"][-1]
        yield Wire(last.source, last.output, key, "bias")


def _chain_of_whole(graph: Graph, layer: _Layer) -> Iterator[Wire]:
    """Yield the wires into the updates and the blame of a whole layer, from its first neuron's."""
    whole = {f"{key}.1": key for key in (*layer.chain, *layer.split)}
    for key in layer.chain:
        for wire in graph.into(f"{key}.1"):
            if wire.source in whole:
                yield replace(wire, source=whole[wire.source], target=key)
            elif wire.input == "delta":
                (start,) = graph.into(wire.source)
                yield replace(wire, source=start.source, output=start.output, target=key)
            else:
                yield replace(wire, target=key)
    for key in layer.split if layer.chain else ():
        for wire in graph.into(f"{key}.1"):
            yield replace(wire, source=whole[wire.source], target=key)


def _canonical(graph: Graph, records: Mapping[str, _Layer]) -> Graph:
    """Return the graph with no more joining nodes than `explode` makes.

    Where a neuron that read one is whole again, it takes the parts themselves; one that nothing
    reads any more goes.
    """
    joined = {
        f"{join}.value": [wire.start for wire in graph.into(join)]
        for layer in records.values()
        for join in layer.joins.values()
        if join in graph.nodes
    }
    if not joined:
        return graph
    ends = {
        (w.target, w.input)
        for w in graph.wires
        if w.start in joined and _joins_features(graph, w.target, w.input)
    }
    wires = [w for w in graph.wires if (w.target, w.input) not in ends]
    for target, port in sorted(ends):
        starts = [
            part
            for wire in graph.inputs(target)[port]
            for part in joined.get(wire.start, (wire.start,))
        ]
        wires += _numbered(starts, target, port, None)
    graph = replace(graph, wires=tuple(sorted(wires)))
    unused = [_ends(start)[0] for start in joined if not graph.out_of(_ends(start)[0])]
    return graph.remove(*unused) if unused else graph


def _differences(expected: Graph, found: Graph) -> list[str]:
    names = {
        key
        for key in {*expected.nodes, *found.nodes}
        if expected.nodes.get(key) != found.nodes.get(key)
        and _compared(expected, key) != _compared(found, key)
    }
    names |= {wire.target for wire in set(expected.wires) ^ set(found.wires)}
    return sorted(names)


def _compared(graph: Graph, key: str) -> Any:
    node = graph.nodes.get(key)
    if node is None:
        return None
    settings = node.known.check(node.settings, key) if node.known else node.settings
    if node.type != "parameter":
        return node.type, settings, node.mode
    empty = settings["value"] is None
    settings = {name: value for name, value in settings.items() if name != "value"}
    part = inert(node.extra.get(PART)) if empty else None
    return node.type, settings, node.mode, empty, part


# --- layout -----------------------------------------------------------------------------------


def _spread_out(before: Graph, after: Graph) -> Graph:
    """Lay an exploded graph out, and note down where everything stood."""
    if not before.layout:
        return after
    laid = tidy(after)
    places = {"stood": _stood(before), "placed": dict(laid.layout)}
    return replace(laid, extra={**laid.extra, PLACES: places})


def _laid_out(before: Graph, after: Graph) -> Graph:
    """Place the nodes that stand in for others; those that were there stay where they are."""
    if not before.layout:
        return after
    made = [key for key in after.nodes if key not in before.nodes]
    return replace(after, layout={**after.layout, **under(after, made)})


def _moved_back(before: Graph, after: Graph) -> Graph:
    """Put nodes where they stood before something was exploded, unless they were moved since."""
    if PLACES not in before.extra:
        return after
    if RECORD in after.extra:
        return _spread_out(before, after)
    extra = {key: value for key, value in after.extra.items() if key != PLACES}
    stood = {key: at for key, at in _stood(before).items() if key in after.nodes}
    return replace(after, layout=stood, extra=extra)


def _stood(graph: Graph) -> dict[str, tuple[int, int]]:
    """Return where each node of an exploded graph stood, or stands if it was moved since."""
    places = graph.extra.get(PLACES, {"stood": {}, "placed": {}})
    stood = {key: (int(x), int(y)) for key, (x, y) in places["stood"].items()}
    moved = {
        key: at for key, at in graph.layout.items() if at != tuple(places["placed"].get(key, ()))
    }
    return {**stood, **moved}
