"""Drawing wires: which ports fit, why another does not, and what a dropped wire does."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.declare import NodeType, Port
from nodeflow.derive.giving import free_weights, refitted
from nodeflow.derive.shapes import Inference, refusal
from nodeflow.editor.canvas import shaping
from nodeflow.editor.state.pointer import WireMode
from nodeflow.errors import GraphError, NodeflowError
from nodeflow.graph import Graph, Wire, in_order, renumbered


def ends(port: str) -> tuple[str, str, int | None]:
    """Return node, port name and index of an address."""
    node, _, name = port.rpartition(".")
    name, _, index = name.partition("[")
    return node, name, int(index[:-1]) if index else None


def plain(port: str) -> str:
    """Return an address without the number of a wire."""
    return port.partition("[")[0]


def fitting(graph: Graph, inference: Inference, port: str, *, outgoing: bool) -> frozenset[str]:
    """Return the addresses that a wire from `port` could go to."""
    node = ends(port)[0]
    barred = graph.upstream([node]) if outgoing else graph.downstream([node])
    found = set()
    for key, other in graph.nodes.items():
        type_ = other.known
        if type_ is None:
            continue
        ports = type_.ports_in(other.settings) if outgoing else type_.outputs
        for candidate in ports:
            # What closes a loop is refused, unless it feeds back.
            if key in barred and not (outgoing and candidate.feedback):
                continue
            address = f"{key}.{candidate.name}"
            start, end = (port, address) if outgoing else (address, port)
            fits = (
                _shape_refusal(graph, inference, start, plain(end)) is None
                or _only_instead(graph, inference, start, end) is not None
                or _takes_other_weights(graph, inference, start, end)
            )
            if fits:
                found.add(address)
            if outgoing and candidate.many:
                wires = graph.inputs(key).get(candidate.name, ())
                places = range(len(wires)) if len(wires) > 1 else ()
                found |= {
                    f"{address}[{place}]"
                    for place in places
                    if fits or _are_alike(inference, start, wires[place].start)
                }
    return frozenset(found)


def _are_alike(inference: Inference, one: str, other: str) -> bool:
    """Return whether a value fits wherever another one is."""
    shapes = [inference.shapes.get(start) for start in (one, other)]
    return None not in shapes and shapes[0] == shapes[1]


def _takes_other_weights(graph: Graph, inference: Inference, start: str, end: str) -> bool:
    """Return whether a port is that of a layer whose weights may become as wide as is wanted."""
    target, name, _ = ends(end)
    entering = inference.shapes.get(start)
    return (
        graph.nodes[target].is_layer
        and name == "a"
        and entering is not None
        and entering.single_row()
        and bool(entering.features)
        and free_weights(graph, target) is not None
    )


def _shape_refusal(
    graph: Graph, inference: Inference, start: str, end: str, *, with_way: bool = False
) -> NodeflowError | None:
    node, name, _ = ends(start)
    target, port, _ = ends(end)
    return refusal(graph, inference, Wire(node, name, target, port), with_way=with_way)


def _only_instead(graph: Graph, inference: Inference, start: str, end: str) -> Wire | None:
    """Return the only wire of a `…` port where a new one fits in its place and not beside it."""
    target, name, _ = ends(end)
    wires = graph.inputs(target).get(name, ())
    type_ = graph.nodes[target].known
    if len(wires) != 1 or type_ is None or wires[0].start == start:
        return None
    if not type_.input(name, graph.nodes[target].settings, target).many:
        return None
    alone = without(graph, wires[0])
    fits = _shape_refusal(alone, inference, start, f"{target}.{name}") is None
    beside = _shape_refusal(graph, inference, start, f"{target}.{name}")
    return wires[0] if fits and beside is not None else None


def connected(
    graph: Graph, inference: Inference, start: str, end: str, *, mode: WireMode = "set"
) -> Graph:
    """Return the graph with a wire from output to input, or raise with the reason.

    An input that takes one wire gets this one instead of its own; a `…` input gets it where it
    was dropped in place of that wire, or with `mode` "add" beside those that are there. Where it
    does not fit beside the only wire, but in its place, it takes that. Where it fits nowhere since
    a layer has weights for another number of inputs, and nobody has typed these, they are given
    the shape that fits; so is a parameter that has no shape yet.
    """
    graph = _shaped(graph, inference, start, plain(end))
    try:
        return _connected(graph, inference, start, end, mode)
    except GraphError:
        width, target = _other_width(graph, inference, start, end, mode), ends(end)[0]
        if width is None:
            raise
        graph, theta, shape = refitted(graph, target, width)
        shapes = {**inference.shapes, f"{theta}.value": shape}
        return _connected(graph, replace(inference, shapes=shapes), start, end, mode)


def _shaped(graph: Graph, inference: Inference, start: str, end: str) -> Graph:
    """Return the graph in which a parameter without a shape has the one of its first port."""
    node = ends(start)[0]
    if not graph.nodes[node].is_parameter:
        return graph
    settings = graph.settings(node)
    if settings["shape"] is not None or settings["value"] is not None:
        return graph
    shape = shaping.wanted(graph, inference, end)
    return graph if shape is None else graph.set(node, shape=shape)


def _other_width(
    graph: Graph, inference: Inference, start: str, end: str, mode: WireMode
) -> int | None:
    """Return how wide a layer's weights would have to be to take a wire that they refuse now.

    It stands beside the others then, or in the place of an only one or of that on which it was
    dropped. None where that is no way: for other ports, and weights that are not free.
    """
    if not _takes_other_weights(graph, inference, start, end):
        return None
    target, name, index = ends(end)
    wires = graph.inputs(target).get(name, ())
    gone = None
    if mode == "set" and wires:
        gone = 0 if len(wires) == 1 else index
    starts = [start, *(wire.start for place, wire in enumerate(wires) if place != gone)]
    widths = [inference.shapes[one].features if one in inference.shapes else None for one in starts]
    return None if None in widths else sum(width or 0 for width in widths)


def _connected(graph: Graph, inference: Inference, start: str, end: str, mode: WireMode) -> Graph:
    target, name, index = ends(end)
    wires = graph.inputs(target).get(name, ())
    type_ = graph.nodes[target].known
    many = type_ is None or type_.input(name, graph.nodes[target].settings, target).many
    if any(wire.start == start for wire in wires) and (not many or mode == "set"):
        return graph
    if wires and not many:
        graph = graph.disconnect(wires[0].start, str(wires[0].end))
        _require_fit(graph, inference, start, f"{target}.{name}")
        return graph.connect(start, f"{target}.{name}")
    if many and index is not None and len(wires) > 1 and mode == "set":
        _require_fit(without(graph, wires[index]), inference, start, f"{target}.{name}")
        graph = graph.connect(start, f"{target}.{name}[{index}]")
        return graph.disconnect(wires[index].start, f"{target}.{name}[{index + 1}]")
    only = _only_instead(graph, inference, start, end) if many and mode == "set" else None
    if only is not None:
        graph = without(graph, only)
    _require_fit(graph, inference, start, f"{target}.{name}")
    return graph.connect(start, f"{target}.{name}")


def _require_fit(graph: Graph, inference: Inference, start: str, end: str) -> None:
    error = _shape_refusal(graph, inference, start, end, with_way=True)
    if error is not None:
        raise error


def disconnected(graph: Graph, start: str, end: str) -> Graph:
    """Return the graph without the wires from an output to an input."""
    target, name, index = ends(end)
    for wire in graph.inputs(target).get(name, ()):
        if wire.start == start and index in (None, wire.index or 0):
            return without(graph, wire)
    return graph


def without(graph: Graph, wire: Wire) -> Graph:
    """Return the graph without one wire."""
    return graph.disconnect(wire.start, f"{wire.target}.{wire.entry}")


def first_fit(type_: NodeType, *, outgoing: bool) -> str | None:
    """Return the port of a new node that a wire drawn to it enters, or comes from."""
    ports: tuple[Port, ...] = type_.inputs if outgoing else type_.outputs
    if outgoing and type_.dynamic_inputs is not None and not ports:
        ports = type_.ports_in(type_.defaults)
    plain_ports = [port for port in ports if not port.feedback]
    return plain_ports[0].name if plain_ports else None


def inserted(graph: Graph, wire: Wire, node: str) -> Graph:
    """Return the graph with a node put into a wire: its first input, its first output.

    Raises `GraphError` where it has no free input or no output.
    """
    type_ = graph.type_of(node)
    name, out = first_fit(type_, outgoing=True), first_fit(type_, outgoing=False)
    if name is None or out is None:
        return graph
    whole = without(graph, wire).connect(wire.start, f"{node}.{name}")
    several = len(graph.inputs(wire.target)[wire.input]) > 1
    end = f"{wire.target}.{wire.entry}" if several else wire.end
    return whole.connect(f"{node}.{out}", end)


def can_insert(graph: Graph, wire: Wire, node: str) -> bool:
    """Return whether a loose node has what it takes to stand in a wire."""
    type_ = graph.nodes[node].known
    if (
        type_ is None
        or graph.into(node)
        or graph.out_of(node)
        or node in (wire.source, wire.target)
    ):
        return False
    return all(first_fit(type_, outgoing=way) is not None for way in (True, False))


def kept(graph: Graph) -> Graph:
    """Return the graph with its wires in the order of a file."""
    return replace(graph, wires=in_order(graph.wires))


def between(graph: Graph, nodes: frozenset[str]) -> tuple[Wire, ...]:
    """Return the wires between these nodes, numbered anew."""
    return renumbered(tuple(w for w in graph.wires if w.source in nodes and w.target in nodes))


def loop(graph: Graph, wire: Wire) -> str:
    """Return why a wire would close a loop."""
    freed = replace(graph, wires=tuple(w for w in graph.wires if w.end != wire.end))
    try:
        freed.connect(wire.start, wire.end)
    except NodeflowError as error:
        return str(error)
    return ""
