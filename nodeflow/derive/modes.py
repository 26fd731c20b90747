"""Bypass and disable, resolved: the graph that is really evaluated."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.errors import GraphError
from nodeflow.graph import Graph, Wire, renumbered


def resolve(graph: Graph) -> Graph:
    """Return the graph without its bypassed and disabled nodes.

    What a bypassed node would have sent on comes from its first wired input instead; what hangs
    on a disabled node is disabled with it, unless the port can do without. A parameter whose update
    is bypassed stays as it is. Raises `GraphError`
    if a bypassed node has no input to pass on.
    """
    if all(node.mode in ("active", "freeze") for node in graph.nodes.values()):
        return graph
    gone = {key for key, node in graph.nodes.items() if node.mode == "disable"}
    queue = list(gone)
    for key in queue:
        for wire in graph.out_of(key):
            if wire.target not in gone and not _can_do_without(graph, wire, gone):
                gone.add(wire.target)
                queue.append(wire.target)
    passed = {
        key: _passed_on(graph, key)
        for key, node in graph.nodes.items()
        if node.mode == "bypass" and key not in gone
    }
    wires = []
    for wire in graph.wires:
        if wire.source in gone or wire.target in gone or wire.target in passed:
            continue
        start = wire
        while start.source in passed:
            start = passed[start.source]
        if start.source == wire.target:
            continue  # a bypassed update hands the parameter back to itself: it stays as it is
        wires.append(replace(wire, source=start.source, output=start.output))
    kept = {k: node for k, node in graph.nodes.items() if k not in gone and k not in passed}
    return replace(graph, nodes=kept, wires=renumbered(tuple(wires)))


def without_differences(graph: Graph) -> Graph:
    """Disable what measures differences (`gradient_approx`), where no update learns from it.

    Training at full speed leaves it out as well.
    """
    for key in graph.where(lambda type_: type_.probes):
        if not graph.downstream([key]).intersection(graph.updates):
            graph = graph.with_mode(key, "disable")
    return graph


def _can_do_without(graph: Graph, wire: Wire, gone: set[str]) -> bool:
    type_ = graph.nodes[wire.target].known
    if type_ is None:
        return False
    port = type_.input(wire.input, graph.nodes[wire.target].settings, wire.target)
    if port.optional:
        return True
    others = graph.inputs(wire.target)[wire.input]
    return port.many and any(other.source not in gone for other in others)


def _passed_on(graph: Graph, key: str) -> Wire:
    type_ = graph.nodes[key].known
    inputs = graph.inputs(key)
    for port in type_.ports_in(graph.nodes[key].settings) if type_ else ():
        if port.name in inputs and not port.feedback:
            return inputs[port.name][0]
    raise GraphError(
        f"'{key}' cannot be bypassed: it has no wired input to pass on; disable it instead",
        node=key,
    )
