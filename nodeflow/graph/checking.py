"""Whether nodes and wires are a graph: ids, modes, settings, ports, loops; one sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from nodeflow.declare import NodeType, Port
from nodeflow.errors import (
    BadSetting,
    GraphError,
    Loop,
    PortTaken,
    UnknownNode,
    UnknownPort,
    nearest,
)
from nodeflow.graph.node import MODES, Node, check_id
from nodeflow.graph.wire import Wire
from nodeflow.inert import Settings


def check_nodes(
    nodes: Mapping[str, Node], types: Mapping[str, NodeType], known: dict[int, Settings]
) -> None:
    """Raise the first `GraphError` of ids, modes and settings.

    `known` has the settings that were checked before, by the identity of their node, and gets
    the others.
    """
    for key, node in nodes.items():
        check_id(key)
        if node.mode not in MODES:
            raise BadSetting(
                f"node '{key}' cannot be '{node.mode}'{nearest(node.mode, MODES)}", node=key
            )
        if key in types and id(node) not in known:
            known[id(node)] = types[key].check(node.settings, key)


def check_wires(
    wires: Iterable[Wire], nodes: Mapping[str, Node], types: Mapping[str, NodeType]
) -> None:
    """Raise the first `GraphError` of wires: their ends, ports with two of them, their numbers."""
    single: dict[tuple[str, str], Wire] = {}
    joined: dict[tuple[str, str], list[Wire]] = {}
    for wire in wires:
        kind, onto = types.get(wire.source), types.get(wire.target)
        port = onto.input_named.get(wire.input) if onto is not None else None
        if port is None or kind is None or wire.output not in kind.output_names:
            port = port_entered(wire, nodes)
        end = wire.target, wire.input
        if port is None or port.many:
            if end in joined:
                joined[end].append(wire)
            else:
                joined[end] = [wire]
            continue
        if end in single:
            raise port_taken(wire, single[end])
        if wire.index is not None:
            raise number_too_many(wire)
        single[end] = wire
    for (target, name), into in joined.items():
        if (fault := numbering_fault(target, name, into)) is not None:
            raise fault


def port_entered(wire: Wire, nodes: Mapping[str, Node]) -> Port | None:
    """Return the port that a wire enters, None of a placeholder.

    Raises `UnknownNode` or `UnknownPort` if there is none, or none that it comes from.
    """
    source, target = _type_of(wire.source, nodes), _type_of(wire.target, nodes)
    if source is None or target is None:
        for name, address in ((wire.source, wire.start), (wire.target, wire.end)):
            if name not in nodes:
                hint = nearest(name, nodes)
                raise UnknownNode(f"'{address}': there is no node '{name}'{hint}", node=name)
    if source is not None and wire.output not in source.output_names:
        source.output(wire.output, wire.source)
    if target is None:
        return None
    port = target.input_named.get(wire.input)
    if port is not None:
        return port
    if wire.input in target.defaults:
        raise UnknownPort(
            f"'{wire.end}' is a setting of the node, not a port: a wire cannot enter it",
            node=wire.target,
        )
    return target.input(wire.input, nodes[wire.target].settings, wire.target)


def _type_of(key: str, nodes: Mapping[str, Node]) -> NodeType | None:
    node = nodes.get(key)
    return None if node is None else node.known


def port_taken(wire: Wire, there: Wire) -> PortTaken:
    """Return what is wrong with a wire into a port that has one: `there`."""
    if wire.start == there.start:
        return PortTaken(f"the wire '{wire}' is there twice; remove one", node=wire.target)
    return PortTaken(
        f"'{wire.end}' takes one wire and has one from {there.start}; "
        f"remove it before connecting {wire.start}",
        node=wire.target,
    )


def number_too_many(wire: Wire) -> GraphError:
    """Return what is wrong with a numbered wire into a port that takes one."""
    return GraphError(f"'{wire.end}' takes one wire, so it has no [{wire.index}]", node=wire.target)


def numbering_fault(target: str, port: str, wires: Collection[Wire]) -> GraphError | None:
    """Return what is wrong with the numbers of the wires into a `…` port, if anything is."""
    if len(wires) == 1 and next(iter(wires)).index in (None, 0):
        return None
    indices = sorted(-1 if wire.index is None else wire.index for wire in wires)
    if indices == list(range(len(wires))):
        return None
    how = f"[0] to [{len(wires) - 1}]" if len(wires) > 1 else "[0], or not at all"
    what = f"{len(wires)} wires" if len(wires) > 1 else "wire"
    return GraphError(f"the {what} into '{target}.{port}' must be numbered {how}", node=target)


def loop_through(what: str, nodes: list[str]) -> Loop:
    """Return what is wrong with wires that close a loop through these nodes."""
    path = (*nodes, nodes[0])
    verb = "closes" if what.startswith("connecting") else "close"
    return Loop(f"{what} {verb} a loop: {' → '.join(path)}", path=path)
