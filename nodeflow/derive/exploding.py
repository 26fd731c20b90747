"""Explode: a layer as its neurons, a neuron as single operations. `collapse` is the way back.

The whole and its parts compute the same: a row of the weights starts as that row of the whole
would have started (its node keeps under the key "part" what it is a part of).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.declare import Array, inert, numbers
from nodeflow.derive.draft import Draft
from nodeflow.derive.implied import remembers_cost
from nodeflow.derive.parts import (
    RECORD,
    Layer,
    ends_of,
    joins_features,
    layer_of,
    numbered,
    parts_of,
    products,
    records_of,
    shows_many,
)
from nodeflow.derive.places import laid_out, noted_below, spread_out
from nodeflow.derive.records import RECORD as UNFOLDED
from nodeflow.derive.steps import explode_steps
from nodeflow.derive.unfolding import fold, unfold
from nodeflow.errors import GraphError
from nodeflow.graph import PART, ROWS, Graph, Node, Wire, drawn_as
from nodeflow.nodes.arithmetic import add, concatenate, multiply, pick
from nodeflow.nodes.backward import bias_gradient, blame, weight_gradient
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import parameter_shape
from nodeflow.nodes.update import step

_OF_A_WEIGHT = {weight_gradient: bias_gradient, blame: multiply}
"""What of a whole row becomes what, where one weight has its own: δ is a product already."""


def explode(graph: Graph, node: str | None = None) -> Graph:
    """Return the graph with a layer as its neurons, or a neuron as single operations.

    `node` is a `weighted_sum`, or a `step`, which becomes gradient, average and update; without
    one every `weighted_sum` is taken apart, one level deep. Its elementwise activation goes with
    it. Raises `GraphError` where that cannot be done.
    """
    if node is not None and node in graph.nodes and graph.nodes[node].kind is step:
        return laid_out(graph, explode_steps(graph, [node]))
    if remembers_cost(graph):
        folded = fold(graph)
        usual = unfold(folded) if graph.layout else graph
        return noted_below(graph, usual, unfold(explode(folded, node)))
    graph = forgetful(graph)
    layers = graph.of_type(weighted_sum.name) if node is None else (node,)
    if not layers:
        raise GraphError(f"the graph has no {weighted_sum.name}: there is nothing to explode")
    draft, records = Draft(graph), records_of(graph)
    for key in layers:
        take_apart(draft, records, key)
    return spread_out(graph, with_records(draft.graph(), records))


def forgetful(graph: Graph) -> Graph:
    """Return the graph without what it was unfolded from: its cost was taken away since.

    It is taken apart as one that was wired by hand, and cannot be folded any more.
    """
    if UNFOLDED not in graph.extra:
        return graph
    return replace(graph, extra={k: v for k, v in graph.extra.items() if k != UNFOLDED})


def with_records(graph: Graph, records: Mapping[str, Layer]) -> Graph:
    """Return the graph with a record of each layer that is taken apart; what is noted, stays."""
    noted = graph.extra.get(RECORD, {})
    kept: dict[str, Any] = {
        key: noted[key] if key in noted else layer.as_record() for key, layer in records.items()
    }
    extra = {key: value for key, value in graph.extra.items() if key != RECORD}
    return replace(graph, extra={**extra, RECORD: kept} if kept else extra)


def take_apart(
    graph: Draft, records: dict[str, Layer], key: str, along: Iterable[str] | None = None
) -> None:
    """Take a layer or a neuron apart, and note it in the records."""
    layer = layer_of(graph, records, key, along)
    nodes, wires = (_neurons if layer.neuronal else _operations)(graph, layer)
    gone = {*layer.gone}
    cut, outside, used = _rewired(graph, layer, gone)
    for address in used:
        join = layer.joins[address]
        nodes[join] = Node(concatenate.name)
        starts = layer.parts[address]
        wires += [Wire(*ends_of(start), join, "a", i) for i, start in enumerate(starts)]
    taken = sorted(name for name in nodes if name in graph.nodes and name not in gone)
    if taken:
        raise GraphError(
            f"'{key}' cannot be exploded: a part would be called '{taken[0]}', "
            "and there is such a node already; rename it",
            node=taken[0],
        )
    graph.swap(layer.gone, cut, nodes, [*outside, *wires])
    records[key] = layer


def _neurons(graph: Draft, layer: Layer) -> tuple[dict[str, Node], list[Wire]]:
    whole = graph.nodes[layer.key]
    nodes: dict[str, Node] = {}
    wires: list[Wire] = []
    inputs = graph.inputs(layer.key)
    weights, bias = (layer.pieces(name) if name else [] for name in (layer.weights, layer.bias))
    for row, key in enumerate(layer.neurons):
        nodes[key] = Node(whole.type, dict(whole.settings), whole.mode)
        for name in layer.matrices:
            piece = layer.pieces(name)[row]
            nodes[piece] = _piece(graph, name, row, None, (1, layer.columns))
        wires += [replace(wire, target=key) for wire in inputs["a"]]
        wires.append(Wire(weights[row], "value", key, "weights"))
        if layer.bias:
            at = (0, row) if layer.tall else (row, None)
            nodes[bias[row]] = _piece(graph, layer.bias, at[0], at[1], (1,))
            wires.append(Wire(bias[row], "value", key, "bias"))
        for name in layer.bias_memories:
            nodes[layer.pieces(name)[row]] = _piece(graph, name, row, None, (1,))
        for activation in layer.activations:
            node = graph.nodes[activation]
            part = f"{activation}.{row + 1}"
            nodes[part] = Node(node.type, dict(node.settings), node.mode)
            wires.append(Wire(key, "z", part, "z"))
        _chain_of_neuron(graph, layer, row, nodes, wires)
    for key in layer.blames:
        nodes[key] = Node(add.name)
        parts = enumerate(parts_of(key, layer.rows))
        wires += [Wire(part, "blame", key, "a", i) for i, part in parts]
    return nodes, wires


def _chain_of_neuron(
    graph: Draft, layer: Layer, row: int, nodes: dict[str, Node], wires: list[Wire]
) -> None:
    """Add what of the updates and of the blame wired by hand belongs to one neuron."""
    own = {*layer.chain, *layer.split}
    number = row + 1
    for key in layer.deltas if layer.chain else ():
        (source,) = {w.output for name in layer.chain for w in graph.into(name)
                     if w.input == "delta" and w.source == key}  # fmt: skip
        nodes[f"{key}.{number}"] = Node(pick.name, {"index": row})
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
            elif wire.source in layer.gone:
                raise GraphError(
                    f"'{layer.key}' cannot be exploded: {wire.start} of the layer goes back into "
                    f"its own {wire.end}; wire what feeds the layer there",
                    node=key,
                )
            else:
                wires.append(replace(wire, target=part))


def _operations(graph: Draft, layer: Layer) -> tuple[dict[str, Node], list[Wire]]:
    key = layer.key
    nodes = {key: Node(add.name, mode=graph.nodes[key].mode)}
    wires: list[Wire] = []
    picks: dict[tuple[str, int], str] = {}
    alone = layer.columns == 1 and layer.bias is None
    weights, products = layer.pieces(layer.weights), parts_of(key, layer.columns)
    for column, (source, index) in enumerate(_features(graph, layer)):
        weight, product, start = weights[column], products[column], source
        if index is not None:
            name = picks.setdefault((start, index), f"{key}.x{column + 1}")
            if name not in nodes:
                nodes[name] = Node(pick.name, {"index": index})
                wires.append(Wire(*ends_of(start), name, "a"))
            start = f"{name}.value"
        for name in layer.matrices:
            nodes[layer.pieces(name)[column]] = _piece(graph, name, 0, column, shape=(1,))
        nodes[product] = Node(multiply.name)
        wires += [
            Wire(*ends_of(start), product, "a", 0),
            Wire(weight, "value", product, "a", 1),
            Wire(product, "value", key, "a", None if alone else column),
        ]
        _chain_of_weight(graph, layer, column, start, nodes, wires)
    for name in layer.blames:
        nodes[name] = Node(concatenate.name)
        products_ = enumerate(parts_of(name, layer.columns))
        wires += [Wire(part, "value", name, "a", i) for i, part in products_]
    if layer.bias is not None:
        bias = graph.inputs(key)["bias"][0]
        wires.append(Wire(bias.source, bias.output, key, "a", layer.columns))
    return nodes, wires


def _chain_of_weight(
    graph: Draft,
    layer: Layer,
    column: int,
    start: str,
    nodes: dict[str, Node],
    wires: list[Wire],
) -> None:
    """Add what of the updates and of the blame wired by hand belongs to one weight.

    Its gradient is δ·x, added up over the samples; it passes back the blame δ·w.
    """
    own, number = {*layer.chain, *layer.split}, column + 1
    for key in (*layer.chain, *(layer.split if layer.chain else ())):
        part = f"{key}.{number}"
        node = graph.nodes[key]
        if key in layer.chain:
            whole = _OF_A_WEIGHT.get(node.kind)
            settings = dict(node.settings) if whole is None else {}
            nodes[part] = Node(node.type if whole is None else whole.name, settings, node.mode)
        if key in layer.fed:
            product = f"{products(key)}.{number}"
            nodes[product] = Node(multiply.name)
            (delta,) = graph.inputs(key)["delta"]
            wires += [
                replace(delta, target=product, input="a", index=0),
                Wire(*ends_of(start), product, "a", 1),
                Wire(product, "value", part, "delta"),
            ]
        for wire in graph.into(key):
            if key in layer.fed and wire.input in ("delta", "a"):
                continue
            source = f"{wire.source}.{number}" if wire.source in own else wire.source
            if node.kind is blame:
                place = ("delta", "weights").index(wire.input)
                wires.append(replace(wire, source=source, target=part, input="a", index=place))
            else:
                wires.append(replace(wire, source=source, target=part))


def _features(graph: Draft, layer: Layer) -> list[tuple[str, int | None]]:
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


def _widths(graph: Draft, wires: Iterable[Wire], *, data: bool) -> list[int]:
    """Return how many features each wire has; 0 where that is not known."""
    return [graph.width(wire.start, data=data) for wire in wires]


def _piece(graph: Draft, name: str, row: int, column: int | None, shape: tuple[int, ...]) -> Node:
    """Return one part of a parameter: a row of it, or one number."""
    whole = graph.nodes[name]
    settings = dict(whole.settings)
    if settings.get("shape") is not None:
        settings["shape"] = shape
    value = inert(settings.get("value"))
    if value is None:
        own = {
            "of": drawn_as(whole, name),
            "shape": parameter_shape(graph.settings(name)),
            "row": row,
        }
        older, rows = whole.extra.get(PART), whole.extra.get(ROWS)
        if isinstance(rows, Sequence) and len(rows) == parameter_shape(graph.settings(name))[0]:
            older = rows[row]
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


def _rewired(
    graph: Draft, layer: Layer, gone: Collection[str]
) -> tuple[list[Wire], list[Wire], list[str]]:
    """Return the wires into nodes that stay: those to cut, and those in their place.

    The last are the outputs that need a node that joins them.
    """
    parts = layer.parts
    ends = {(w.target, w.input) for name in layer.gone for w in graph.out_of(name)}
    cut: list[Wire] = []
    wires: list[Wire] = []
    used: dict[str, None] = {}
    for target, port in sorted(ends):
        if target in gone:
            continue
        starts: list[str] = []
        there = graph.inputs(target)[port]
        cut += there
        for wire in there:
            found = parts.get(wire.start)
            if found is None:
                starts.append(wire.start)
            elif (
                len(found) == 1
                or joins_features(graph, target, port)
                or (wire.source in layer.split and shows_many(graph, target, port))
            ):
                starts += found
            else:
                used[wire.start] = None
                starts.append(f"{layer.joins[wire.start]}.value")
        wires += numbered(starts, target, port, there[0].index if len(there) == 1 else None)
    return cut, wires, list(used)


__all__ = ["RECORD", "explode", "forgetful", "take_apart", "with_records"]
