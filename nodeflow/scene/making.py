"""A graph as it is drawn: boxes, ports, wires, groups and texts, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from nodeflow.derive.tidy import backward_nodes
from nodeflow.graph import Graph, Wire
from nodeflow.scene.groups import closed_at, closed_box, frame, levels
from nodeflow.scene.nodes import NodeViews, with_places
from nodeflow.scene.pieces import PortView, Scene
from nodeflow.scene.ways import AT_ONCE, routed, with_ways
from nodeflow.wires import WireView, single, weighing, weight_of

_MOST = 3000
"""The most wires that are routed before a graph that was opened is shown."""


def scene(
    graph: Graph,
    values: Mapping[str, NDArray[Any]] | None = None,
    problems: Mapping[str, str] | None = None,
    inside: str | None = None,
) -> Scene:
    """Return the scene of a graph, with values (by address) and problems (by node) if given.

    Nodes without a place are laid out; if none has one, all are. A closed group is one box;
    `inside` is the one that is looked into.
    """
    placed = with_places(graph)
    return routed(_bare(placed, values, problems, inside), placed)


def scene_at_once(
    graph: Graph, before: Scene | None, problems: Mapping[str, str], inside: str | None
) -> Scene:
    """Return the scene of a graph as an editor shows it while its wires are still to be routed.

    Small graphs have their ways at once. In larger ones wires keep those of the scene `before`
    where they can; where that was of another graph, all but the largest ones are routed too.
    """
    placed = with_places(graph)
    bare = _bare(placed, None, problems, inside)
    if before is not None and len(bare.wires) > AT_ONCE:
        known = {view.wire: view for view in before.wires}
        wires = tuple(
            view._replace(parts=old.parts, bundle=old.bundle)
            if (old := known.get(view.wire)) is not None
            and (old.start, old.end, old.leaves) == (view.start, view.end, view.leaves)
            else view
            for view in bare.wires
        )
        if sum(view.wire in known for view in wires) > len(wires) / 2:
            return replace(bare, wires=wires)
    if len(bare.wires) <= _MOST:
        return routed(bare, placed)
    return replace(bare, wires=with_ways(bare.nodes, placed, bare.wires, singles=False))


def _bare(
    placed: Graph,
    values: Mapping[str, NDArray[Any]] | None,
    problems: Mapping[str, str] | None,
    inside: str | None,
) -> Scene:
    """Return a scene in which all wires go straight."""
    mirrored = backward_nodes(placed)
    held = levels(placed)
    views_of = NodeViews(placed, mirrored, values or {}, problems or {})
    nodes = {key: views_of.of(key) for key in placed.nodes if held[key] == inside}
    for key, members in closed_at(placed, inside).items():
        view = closed_box(placed, key, members, problems or {})
        if view is not None:
            nodes[key] = view
    ports = {
        port.address: port for node in nodes.values() for port in (*node.inputs, *node.outputs)
    }
    weighs, back = weighing(placed), frozenset(placed.feedback)
    views = [
        _wire(placed, wire, ports, mirrored, weighs.get(wire), values or {}, back=wire in back)
        for wire in placed.wires
    ]
    # The long ones lie at the back.
    wires = tuple(sorted((view for view in views if view), key=_back_to_front))
    groups = tuple(framed for key in placed.groups if (framed := frame(placed, key, nodes)))
    return Scene(nodes, wires, groups, ports, is_routed=False)


def _back_to_front(wire: WireView) -> int:
    return 0 if wire.kind == "feedback" else 1 if wire.across else 2


def _wire(
    graph: Graph,
    wire: Wire,
    ports: Mapping[str, PortView],
    mirrored: frozenset[str],
    weighs: tuple[str, int] | None,
    values: Mapping[str, NDArray[Any]],
    *,
    back: bool,
) -> WireView | None:
    """Return the view of a wire whose ends are both seen; `back` is one that feeds back."""
    start = ports.get(wire.start)
    end = ports.get(f"{wire.target}.{wire.entry}") or ports.get(wire.end)
    if start is None or end is None:
        return None
    kind = "feedback" if back else "backward" if wire.source in mirrored else "forward"
    return WireView(
        wire,
        (start.x, start.y),
        (end.x, end.y),
        start.side,
        end.side,
        kind,
        kind == "forward" and wire.target in mirrored,
        weighs,
        None if weighs is None else weight_of(graph, weighs, values),
        None if weighs is None else single(values.get(wire.start)),
    )
