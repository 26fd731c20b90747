"""Which nodes are a layer of their own, and which wires lead from layer to layer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from nodeflow.graph import Graph, Wire
from nodeflow.routing import runs_together

_NUMBER = re.compile(r"(?<=\.)[0-9]+(?=\.|$)")
_LAST_NUMBER = re.compile("[0-9]+$")


def layers_of(graph: Graph) -> Callable[[Wire], str]:
    """Return what tells between which layers a wire is, in words.

    The nodes of a layer lie in a frame of their own, or differ in the numbers of their names alone:
    hidden1.3 and hidden1.4, h2_1 and h2_2.
    """
    framed = {
        name: key
        for key, group in graph.groups.items()
        if isinstance(group, Mapping) and not group.get("closed")
        for name in group.get("nodes", ())
    }
    names: dict[str, str] = {}

    def named(key: str) -> str:
        if key not in names:
            name = _NUMBER.sub("*", key)
            names[key] = _LAST_NUMBER.sub("*", key) if name == key else name
        return names[key]

    def between(wire: Wire) -> str:
        one, other = framed.get(wire.source), framed.get(wire.target)
        if one is not None and other is not None and one != other:
            titles = (str(graph.groups[key].get("title", key)) for key in (one, other))
            return " → ".join(titles)
        return f"{named(wire.source)}.{wire.output} → {named(wire.target)}.{wire.input}"

    return between


def bundles(graph: Graph) -> list[Sequence[Wire]]:
    """Return the wires that run together, if their nodes stand so that they can."""
    found: dict[str, list[Wire]] = defaultdict(list)
    between = layers_of(graph)
    for wire in graph.wires:
        found[between(wire)].append(wire)
    return [
        wires
        for wires in found.values()
        if runs_together(
            len(wires), len({wire.start for wire in wires}), len({wire.target for wire in wires})
        )
    ]
