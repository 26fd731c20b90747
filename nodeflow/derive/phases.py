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
        family = "" if type_ is None else type_.family
        phase = own.get(key, FORWARD)
        # What feeds a source is a feedback wire: it comes from the update before.
        for wire in graph.into(key) if family != "source" else ():
            phase = max(phase, found.get(wire.source, FORWARD))
        found[key] = phase
    if not any(found.values()):
        return found
    for key in reversed(order):
        type_ = types.get(key)
        waits = type_ is not None and (type_.family == "arithmetic" or type_.name == "error")
        if waits and key not in of_cost:
            after = [found[w.target] for w in graph.out_of(key) if w.target in found]
            if after:
                found[key] = max(found[key], min(after))
    return found
