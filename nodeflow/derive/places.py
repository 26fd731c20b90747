"""Where nodes stand on the canvas when something is taken apart, and when it is whole again."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.derive.parts import RECORD
from nodeflow.derive.tidy import tidy, under
from nodeflow.graph import Graph

PLACES = "places"
"""The graph file's key for where nodes stood before something was exploded."""


def spread_out(before: Graph, after: Graph) -> Graph:
    """Lay an exploded graph out, and note down where everything stood."""
    if not before.layout:
        return after
    laid = tidy(after)
    places = {"stood": _stood(before), "placed": dict(laid.layout)}
    return replace(laid, extra={**laid.extra, PLACES: places})


def laid_out(before: Graph, after: Graph) -> Graph:
    """Place the nodes that stand in for others; those that were there stay where they are."""
    if not before.layout:
        return after
    made = [key for key in after.nodes if key not in before.nodes]
    return replace(after, layout={**after.layout, **under(after, made)})


def moved_back(before: Graph, after: Graph) -> Graph:
    """Put nodes where they stood before something was exploded, unless they were moved since."""
    if PLACES not in before.extra:
        return after
    if RECORD in after.extra:
        return spread_out(before, after)
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
