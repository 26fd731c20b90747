"""Which phase a node belongs to: forward, backward or update."""

from __future__ import annotations

from collections.abc import Iterable

from nodeflow.graph import Graph

FORWARD, BACKWARD, UPDATE = 0, 1, 2
PHASES = ("forward", "backward", "update")

_OWN = {"backward": BACKWARD, "update": UPDATE}


def phases(graph: Graph, order: Iterable[str], cost: Iterable[str]) -> dict[str, int]:
    """Return the phase of each node of `order`, which is topological.

    Backward begins at the backward family, update at an update; but what blame can pass is forward
    where a node of `cost` is made of it (`log_softmax`). Arithmetic that only a later
    phase wants (the error before the first δ) belongs to it, unless a node of `cost` is made
    of it.
    """
    order = tuple(order)
    types = graph.types
    own = {key: _OWN[type_.family] for key, type_ in types.items() if type_.family in _OWN}
    of_cost = graph.upstream(cost) if own else frozenset()
    own = {key: phase for key, phase in own.items()
           if key not in of_cost or types[key].rule is None}  # fmt: skip
    if not own:
        return dict.fromkeys(order, FORWARD)
    found: dict[str, int] = {}
    for key in order:
        type_ = types.get(key)
        phase = own.get(key, FORWARD)
        # What feeds a source is a feedback wire: it comes from the update before.
        if phase < UPDATE and (type_ is None or type_.family != "source"):
            for wire in graph.into(key):
                before = found.get(wire.source, FORWARD)
                if before > phase:
                    phase = before
        found[key] = phase
    if not any(found.values()):
        return found
    first: dict[str, int] = {}
    """The first phase in which a node's value is read."""
    for wire in graph.feedback:
        if wire.target in found:
            first[wire.source] = min(found[wire.target], first.get(wire.source, UPDATE))
    for key in reversed(order):
        type_, phase = types.get(key), found[key]
        waits = type_ is not None and (type_.family == "arithmetic" or type_.name == "error")
        if waits and key not in of_cost and first.get(key, FORWARD) > phase:
            phase = found[key] = first[key]
        for wire in graph.into(key):
            if first.get(wire.source, UPDATE) >= phase:
                first[wire.source] = phase
    return found
