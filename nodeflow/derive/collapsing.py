"""Collapse: neurons as the layer that they are, operations as the neuron. The way back of explode.

What was edited is found by taking the whole apart again: the same nodes and wires must come out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nodeflow.declare import Array, inert, numbers
from nodeflow.derive.draft import Draft
from nodeflow.derive.exploding import forgetful, take_apart, with_records
from nodeflow.derive.gathering import gather, gather_all
from nodeflow.derive.implied import remembers_cost
from nodeflow.derive.parts import (
    Layer,
    joins_features,
    numbered,
    parts_of,
    products,
    records_of,
)
from nodeflow.derive.places import moved_back, moved_back_below
from nodeflow.derive.steps import collapse_step
from nodeflow.derive.unfolding import fold, unfold
from nodeflow.errors import GraphError, UnknownNode, nearest
from nodeflow.graph import PART, Graph, Node, Wire
from nodeflow.nodes.layer import weighted_sum


def collapse(graph: Graph, node: str | None = None) -> Graph:
    """Return the graph with an exploded layer or neuron whole again; without `node`, with all.

    Values of weights that were typed in are put together. Of a neuron that was wired by hand and
    never exploded a layer is made, with those beside it that take the same inputs. Raises
    `GraphError` that names the nodes which differ otherwise from what `explode` makes.
    """
    whole_step = None if node is None else collapse_step(graph, node)
    if whole_step is not None:
        return whole_step
    if remembers_cost(graph):
        return moved_back_below(graph, unfold(collapse(fold(graph), node)))
    graph = forgetful(graph)
    records = records_of(graph)
    if node is None:
        if not records:
            layers = gather_all(graph)
            if layers is not None:
                return layers
            raise GraphError("nothing in the graph is exploded: there is nothing to collapse")
        chosen = list(records)
    elif node in records:
        chosen = [node, *(key for key in records if key in records[node].neurons)]
    elif node in graph.nodes and graph.nodes[node].kind is weighted_sum:
        return gather(graph, node)
    elif node in graph.nodes:
        raise GraphError(f"'{node}' is not exploded: there is nothing to collapse", node=node)
    else:
        raise UnknownNode(
            f"there is no node '{node}'{nearest(node, {*graph.nodes, *records})}", node=node
        )
    draft = Draft(graph)
    joins = {name: key for key, layer in records.items() for name in layer.joins.values()}
    _tidy_joins(draft, joins, [name for name in joins if name in draft.nodes])
    for key in sorted(chosen, key=lambda key: (records[key].neuronal, key)):
        _put_together(draft, records, joins, key)
    whole = with_records(draft.graph(), records)
    whole.validate()
    return moved_back(graph, whole)


def _put_together(
    graph: Draft, records: dict[str, Layer], joins: Mapping[str, str], key: str
) -> None:
    layer = records[key]
    made = layer.made(graph)
    missing = [name for name in made if name not in graph.nodes]
    if missing:
        raise _edited(key, missing)
    inside = [name for name in layer.neurons if name in records]
    if inside:
        raise GraphError(f"'{key}' holds '{inside[0]}', which is exploded", node=key)
    nodes = {name: _node(graph, layer, name) for name in layer.gone}
    try:
        cut, outside = _outside(graph, layer, {*made})
        wires = [*outside, *_inside(graph, layer)]
    except (KeyError, IndexError, ValueError) as error:
        raise _edited(key, [key]) from error
    begin = graph.moment
    graph.swap(made, cut, nodes, wires)
    del records[key]
    whole = graph.moment
    again = dict(records)
    take_apart(graph, again, key, layer.activations)
    differ = _differences(graph, begin)
    if differ:
        for other, inner in records.items():
            if not inner.neuronal and {*differ} & {*inner.made(graph)}:
                raise GraphError(
                    f"'{key}' cannot be collapsed while the operations of '{other}' read its "
                    f"parts: collapse '{other}' first",
                    node=key,
                )
        raise _edited(key, differ)
    graph.back_to(whole)
    touched = [wire.source for wire in cut] + [w.source for name in nodes for w in graph.into(name)]
    _tidy_joins(graph, joins, [name for name in dict.fromkeys(touched) if name in joins])


def _edited(key: str, differ: Sequence[str]) -> GraphError:
    shown = ", ".join(differ[:5]) + (", …" if len(differ) > 5 else "")
    return GraphError(
        f"the parts of '{key}' were edited, so it cannot be collapsed: {shown} "
        f"differ{'s' if len(differ) == 1 else ''} from what explode makes",
        node=differ[0],
    )


def _node(graph: Draft, layer: Layer, name: str) -> Node:
    """Return a node of the whole again; a parameter's value is that of its parts."""
    plain = layer.nodes[name]
    settings = {k: inert(v) for k, v in plain["settings"].items()}
    extra = {k: v for k, v in plain.items() if k not in ("type", "settings", "mode")}
    if name in layer.split:
        settings |= _value(graph, layer, name, settings)
    return Node(plain["type"], settings, plain.get("mode", "active"), extra)


def _value(graph: Draft, layer: Layer, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
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
    matrix = name in layer.matrices
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


def _outside(graph: Draft, layer: Layer, made: Collection[str]) -> tuple[list[Wire], list[Wire]]:
    """Return the wires into nodes that stay: those to cut, and those from the whole's outputs."""
    whole: dict[str, str | None] = {}
    for address, parts in layer.parts.items():
        whole |= {parts[0]: address, **dict.fromkeys(parts[1:])}
    whole |= {f"{join}.value": address for address, join in layer.joins.items()}
    ends = {
        (w.target, w.input)
        for name in made
        for w in graph.out_of(name)
        if w.target not in made and w.start in whole
    }
    cut: list[Wire] = []
    wires: list[Wire] = []
    for target, port in sorted(ends):
        there = graph.inputs(target)[port]
        cut += there
        starts = [whole.get(wire.start, wire.start) for wire in there]
        found = [start for start in starts if start is not None]
        wires += numbered(found, target, port, _single(layer, target, port))
    return cut, wires


def _single(layer: Layer, target: str, port: str) -> int | None:
    # The port of a layer is that of its neurons, whichever stood there then.
    names = (target, f"{target}.1", target.rpartition(".")[0])
    return 0 if any(f"{name}.{port}" in layer.numbered for name in names) else None


def _inside(graph: Draft, layer: Layer) -> Iterator[Wire]:
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
    picks = set(parts_of(f"{key}.x", layer.columns, ""))
    starts = []
    for product in parts_of(key, layer.columns):
        start = graph.inputs(product)["a"][0]
        if start.source in picks:
            if graph.nodes[start.source].settings.get("index", 0) != 0:
                continue
            start = graph.inputs(start.source)["a"][0]
        starts.append(start.start)
    yield from numbered(starts, key, "a", _single(layer, key, "a"))
    yield from _chain_of_weights(graph, layer, starts)
    if layer.bias is not None:
        # The bias of one neuron stays as it is and comes last.
        last = graph.inputs(key)["a"][-1]
        yield Wire(last.source, last.output, key, "bias")


def _chain_of_whole(graph: Draft, layer: Layer) -> Iterator[Wire]:
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


def _chain_of_weights(graph: Draft, layer: Layer, starts: Sequence[str]) -> Iterator[Wire]:
    """Yield the wires into the updates and the blame of a single neuron, from its first weight's.

    `starts` is what comes into the neuron.
    """
    whole = {f"{key}.1": key for key in (*layer.chain, *layer.split)}
    for key in layer.chain:
        if key in layer.blames:
            delta, weights = graph.into(f"{key}.1")
            yield replace(delta, target=key, input="delta", index=None)
            yield replace(weights, source=layer.weights, target=key, input="weights", index=None)
            continue
        if key in layer.fed:
            delta = graph.inputs(f"{products(key)}.1")["a"][0]
            yield replace(delta, target=key, input="delta", index=None)
            yield from numbered(starts, key, "a", _single(layer, key, "a"))
        for wire in graph.into(f"{key}.1"):
            if key in layer.fed and wire.input == "delta":
                continue
            yield replace(wire, source=whole.get(wire.source, wire.source), target=key)
    for key in layer.split if layer.chain else ():
        for wire in graph.into(f"{key}.1"):
            yield replace(wire, source=whole[wire.source], target=key)


def _tidy_joins(graph: Draft, joins: Mapping[str, str], touched: Sequence[str]) -> None:
    """Leave no more joining nodes than `explode` makes.

    Where a neuron that read one is whole again, it takes the parts themselves; one that nothing
    reads any more goes.
    """
    for join in touched:
        if join not in graph.nodes:
            continue
        ends = {
            (w.target, w.input)
            for w in graph.out_of(join)
            if joins_features(graph, w.target, w.input)
        }
        for target, port in sorted(ends):
            there = graph.inputs(target)[port]
            starts = [
                part.start
                for wire in there
                for part in (graph.into(wire.source) if wire.source in joins else [wire])
            ]
            graph.swap([], there, {}, numbered(starts, target, port, None))
        if not graph.out_of(join):
            graph.swap([join], [], {}, [])


def _differences(graph: Draft, since: int) -> list[str]:
    """Return the nodes that are otherwise than they were at a moment."""
    nodes, wires = graph.changed(since)
    names = {
        key
        for key, before in nodes.items()
        if (now := graph.nodes.get(key)) != before and _compared(before, key) != _compared(now, key)
    }
    return sorted(names | {wire.target for wire in wires})


def _compared(node: Node | None, key: str) -> Any:
    if node is None:
        return None
    settings = node.known.check(node.settings, key) if node.known else node.settings
    if not node.is_parameter:
        return node.type, settings, node.mode
    empty = settings["value"] is None
    settings = {name: value for name, value in settings.items() if name != "value"}
    part = inert(node.extra.get(PART)) if empty else None
    return node.type, settings, node.mode, empty, part


__all__ = ["collapse"]
