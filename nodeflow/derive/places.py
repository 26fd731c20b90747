"""Where nodes stand on the canvas when something is taken apart, and when it is whole again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodeflow.derive.parts import RECORD
from nodeflow.derive.tidy import tidy, under
from nodeflow.graph import Graph

PLACES = "places"
"""The graph file's key for where nodes stood before something was exploded: `stood`, and where they
were `placed` then. What was placed by hand in a graph that was exploded already is `moved`; in a
backward pass it is `below`, by the layer or neuron that was exploded then. Both are there only if
there is any."""
_Places = dict[str, tuple[int, int]]


def spread_out(before: Graph, after: Graph) -> Graph:
    """Lay an exploded graph out, and note down where everything stood."""
    if not before.layout:
        return after
    known = PLACES in before.extra or RECORD in before.extra
    stood, moved = (_noted(before, "stood"), _moved(before)) if known else (before.layout, {})
    laid = tidy(after)
    places = {**before.extra.get(PLACES, {}), "stood": stood, "placed": dict(laid.layout)}
    places.pop("moved", None)
    return replace(
        laid, extra={**laid.extra, PLACES: {**places, "moved": moved} if moved else places}
    )


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
    extra = {key: value for key, value in after.extra.items() if key != PLACES}
    if RECORD not in after.extra:
        stood = {**_noted(before, "stood"), **_moved(before)}
        return replace(after, layout=_of(after, stood), extra=extra)
    laid = spread_out(before, after)
    places = dict(laid.extra.get(PLACES, {}))
    moved = places.pop("moved", {})
    if later := {key: at for key, at in moved.items() if key not in after.nodes}:
        places["moved"] = later
    if places.get("stood") or later:  # otherwise nothing was known of it before, either
        extra[PLACES] = places
    return replace(laid, layout={**laid.layout, **_of(after, moved)}, extra=extra)


def noted_below(before: Graph, usual: Graph, after: Graph) -> Graph:
    """Note down which nodes of a backward pass stood elsewhere than where `unfold` puts them.

    `before` is the unfolded graph, `usual` what it was folded and unfolded again, and `after` is
    exploded.
    """
    by_hand = {
        key: at
        for key, at in before.layout.items()
        if key in usual.layout and usual.layout[key] != at
    }
    exploded = sorted(after.extra.get(RECORD, {}).keys() - before.extra.get(RECORD, {}).keys())
    if not by_hand or not exploded or PLACES not in after.extra:
        return after
    return _with_below(after, {**_below(after), exploded[0]: by_hand})


def moved_back_below(before: Graph, after: Graph) -> Graph:
    """Put nodes of a backward pass where they stood before something was exploded."""
    below, exploded = _below(before), after.extra.get(RECORD, {})
    whole = [key for key in below if key not in exploded]
    if not whole:
        return after
    layout = dict(after.layout)
    for key in whole:
        layout |= _of(after, _pairs(below.pop(key)))
    return replace(_with_below(after, below), layout=layout)


def _below(graph: Graph) -> dict[str, Mapping[str, tuple[int, int]]]:
    return dict(graph.extra.get(PLACES, {}).get("below", {}))


def _with_below(graph: Graph, below: Mapping[str, Any]) -> Graph:
    if PLACES not in graph.extra:
        return graph
    places = {key: value for key, value in graph.extra[PLACES].items() if key != "below"}
    return replace(
        graph, extra={**graph.extra, PLACES: {**places, "below": below} if below else places}
    )


def _noted(graph: Graph, what: str) -> _Places:
    return _pairs(graph.extra.get(PLACES, {}).get(what, {}))


def _pairs(noted: Mapping[str, tuple[int, int]]) -> _Places:
    return {key: (int(x), int(y)) for key, (x, y) in noted.items()}


def _moved(graph: Graph) -> _Places:
    """Return where a person has put nodes of an exploded graph; all, if nothing is noted."""
    placed = _noted(graph, "placed")
    by_hand = {key: at for key, at in graph.layout.items() if at != placed.get(key)}
    return {**_noted(graph, "moved"), **by_hand}


def _of(graph: Graph, places: Mapping[str, tuple[int, int]]) -> _Places:
    return {key: at for key, at in places.items() if key in graph.nodes}
