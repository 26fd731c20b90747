"""The ways of a scene's wires: found around its nodes, kept and followed while these move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nodeflow.derive.layers import layers_of
from nodeflow.equality import identical
from nodeflow.graph import Graph
from nodeflow.routing import Ends, Point, Way, routes, straight
from nodeflow.scene.changes import Change, change_between
from nodeflow.scene.groups import frame
from nodeflow.scene.pieces import NodeView, Scene, boxes
from nodeflow.wires import Stroke, WireView, instead

AT_ONCE, _MOST_AT_ONCE = 200, 1000
"""The most strokes, and wires in them, that are routed anew within a frame."""
_STRAIGHT: tuple[tuple[Way, ...], str] = (), ""


def drawable(made: Scene) -> None:
    """Find out what a scene is first drawn from: in the background, and not in a frame."""
    _ = made.bounds, made.hulls, made.weighted, made.numbers


def ready(made: Scene) -> None:
    """Find out all that a scene is asked for in a frame: in the background, and not there."""
    drawable(made)
    _ = made.strokes_of, made.strokes_from, made.wire_numbers_of


def routed(unrouted: Scene, graph: Graph) -> Scene:
    """Return a scene with the ways that its wires have where its nodes are.

    What runs as before is the same stroke: so whoever draws it needs not look at all wires.
    """
    wires = with_ways(unrouted.nodes, graph, unrouted.wires)
    made = replace(unrouted, wires=wires, is_routed=True)
    for name in ("boxes", "numbers", "wire_numbers_of"):
        vars(made)[name] = getattr(unrouted, name)
    if "strokes" in vars(unrouted):
        known = {stroke.key: stroke for stroke in unrouted.strokes}
        vars(made)["strokes"] = tuple([_kept(one, known.get(one.key)) for one in made.strokes])
        made.follow(unrouted, change_between(unrouted, made))
    return made


def shifted(old: Scene, graph: Graph, moved: Mapping[str, tuple[int, int]]) -> Scene:
    """Return the scene after nodes were moved by so much, in a graph without closed groups.

    What stands still is kept as it is. Where there is much to route, wires follow their nodes as
    they are (`is_routed` is false then): a drop among thousands of nodes does not wait for that.
    """
    if not moved:  # something else of the graph was edited, such as its description
        return old
    nodes = dict(old.nodes)
    ports = dict(old.ports)
    for key, (dx, dy) in moved.items():
        view = nodes[key]
        nodes[key] = replace(
            view,
            x=view.x + dx,
            y=view.y + dy,
            inputs=tuple(port._replace(x=port.x + dx, y=port.y + dy) for port in view.inputs),
            outputs=tuple(port._replace(x=port.x + dx, y=port.y + dy) for port in view.outputs),
        )
        ports |= {port.address: port for port in (*nodes[key].inputs, *nodes[key].outputs)}
    groups = tuple(framed for key in graph.groups if (framed := frame(graph, key, nodes)))
    if len(old.strokes) <= AT_ONCE and len(old.wires) <= _MOST_AT_ONCE:
        return Scene(nodes, with_ways(nodes, graph, followed(old.wires, moved)), groups, ports)
    # Only what the nodes touch is looked at: all the rest is the same.
    touched = sorted({number for key in moved for number in old.strokes_of.get(key, ())})
    some = sorted({number for key in moved for number in old.wire_numbers_of.get(key, ())})
    wires, lines = list(old.wires), list(old.strokes)
    new = {}
    for number, wire in zip(some, followed([wires[n] for n in some], moved), strict=True):
        wires[number] = new[wire.wire] = wire
    for number in touched:
        stroke = lines[number]
        lines[number] = replace(stroke, wires=tuple(new.get(v.wire, v) for v in stroke.wires))
    made = Scene(nodes, tuple(wires), groups, ports, is_routed=False)
    numbers = [old.numbers[key] for key in moved]
    places = old.boxes.copy()
    places[numbers] += np.array([(*by, *by) for by in moved.values()], float)
    vars(made).update(
        strokes=tuple(lines),
        boxes=places,
        _bent=instead(old.curves, old.owners, lines, touched),
        **{name: getattr(old, name) for name in _PLACELESS},
    )
    known = np.arange(len(lines))
    same = known.copy()
    same[touched] = -1
    made.follow(old, Change(sorted(numbers), same, known, ()))
    return made


_PLACELESS = ("numbers", "strokes_of", "strokes_from", "wire_numbers_of", "weighted")
"""What is known of a scene and stays when nodes are moved."""


def followed(
    wires: Sequence[WireView], moved: Mapping[str, tuple[float, float]]
) -> tuple[WireView, ...]:
    """Return wires as they follow nodes that were moved by so much: straight, to a trunk as well.

    What stands still is the same object.
    """
    strands: dict[tuple[Point, Point], Way] = {}

    def strand(start: Point, end: Point, heading: int) -> Way:
        if (start, end) not in strands:  # one for all wires that run in it
            strands[start, end] = straight(start, end, heading, -heading)
        return strands[start, end]

    def follow(view: WireView) -> WireView:
        ahead, behind = moved.get(view.wire.source), moved.get(view.wire.target)
        if ahead is None and behind is None:
            return view
        (dx, dy), (ex, ey) = ahead or (0, 0), behind or (0, 0)
        start = view.start[0] + dx, view.start[1] + dy
        end = view.end[0] + ex, view.end[1] + ey
        parts: tuple[Way, ...] = ()
        if view.bundle:
            first, trunk, last = view.parts
            if ahead is not None:
                first = strand(start, trunk[0], view.leaves)
            if behind is not None:
                last = strand(trunk[-1], end, -view.enters)
            parts = first, trunk, last
        return view._replace(start=start, end=end, parts=parts)

    return tuple(follow(view) for view in wires)


def with_ways(
    nodes: Mapping[str, NodeView],
    graph: Graph,
    wires: Sequence[WireView],
    *,
    singles: bool = True,
) -> tuple[WireView, ...]:
    """Return wires with their ways around nodes; one whose way is as before is the same object.

    Without `singles` only bundles have ways.
    """
    between = layers_of(graph)
    ends = [
        Ends(w.start, w.end, w.leaves, w.enters, w.wire.start, w.wire.target, between(w.wire))
        for w in wires
    ]
    found = routes(boxes(nodes.values()), ends, singles=singles)
    ways: dict[int, tuple[tuple[Way, ...], str]] = {
        number: ((way,), "") for number, way in found.single.items()
    }
    for bundle in found.bundles:
        for number in bundle.wires:
            start, end = bundle.starts[ends[number].start], bundle.ends[ends[number].end]
            ways[number] = (start, bundle.trunk, end), bundle.layers
    return tuple(
        view
        if (view.parts, view.bundle) == (way := ways.get(number, _STRAIGHT))
        else view._replace(parts=way[0], bundle=way[1])
        for number, view in enumerate(wires)
    )


def _kept(one: Stroke, before: Stroke | None) -> Stroke:
    """Return a stroke, or that of before if the same wires run in it."""
    if before is None or before.part != one.part:
        return one
    return before if identical(before.wires, one.wires) else one
