"""Which phase a node belongs to: forward, backward or update."""

from __future__ import annotations

from collections.abc import Iterable

from nodeflow.graph import Graph
from nodeflow.nodes.cost import error

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
    types, incoming = graph.types, graph.incoming
    kinds = set(types.values())
    begins = {type_: _OWN[type_.family] for type_ in kinds if type_.family in _OWN}
    of_cost = graph.upstream(cost) if begins else frozenset()
    own = {key: begins[type_] for key, type_ in types.items()
           if type_ in begins and (key not in of_cost or type_.rule is None)}  # fmt: skip
    if not own:
        return dict.fromkeys(order, FORWARD)
    found: dict[str, int] = {}
    # Where no node of the cost is of a later phase, all that it is made of is forward.
    if of_cost.isdisjoint(own):
        found = {key: FORWARD for key in order if key in of_cost}
    wait = {type_ for type_ in kinds if type_.family == "arithmetic" or type_ is error}
    waiting: dict[str, int] = {}
    """Nodes that belong to the first phase that reads them, in order, with their own phase."""
    first: dict[str, int] = {}
    """The first phase in which such a node's value is read."""
    begun = found.get
    for key in [key for key in order if key not in found]:
        type_ = types.get(key)
        phase = own.get(key, FORWARD)
        wires = incoming.get(key, ())
        # What feeds a source is a feedback wire: it comes from the update before.
        if phase < UPDATE and (type_ is None or type_.family != "source"):
            for wire in wires:
                before = begun(wire.source, FORWARD)
                phase = before if before > phase else phase  # noqa: FURB136  faster than max
        found[key] = phase
        if type_ in wait and key not in of_cost:
            waiting[key] = phase
        else:
            for wire in wires:
                source = wire.source
                if source in waiting and first.get(source, UPDATE) >= phase:
                    first[source] = phase
    for wire in graph.feedback if waiting else ():
        if wire.target in found:
            first[wire.source] = min(found[wire.target], first.get(wire.source, UPDATE))
    for key, own_phase in reversed(waiting.items()):
        phase = max(own_phase, first.get(key, FORWARD))
        found[key] = phase
        for wire in incoming.get(key, ()):
            source = wire.source
            if source in waiting and first.get(source, UPDATE) >= phase:
                first[source] = phase
    return found
