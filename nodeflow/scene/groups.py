"""Groups: frames around nodes; and closed ones, which are drawn as one box and looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nodeflow.boxes import FOOT, GRID, HEADER, ROW, WIDE
from nodeflow.graph import Graph
from nodeflow.scene.pieces import LEFT, RIGHT, GroupView, NodeView, PortView
from nodeflow.scene.texts import shortened

_INSET = 24
"""How far a frame stands off its nodes."""


def closed_groups(graph: Graph) -> list[str]:
    """Return the groups that are drawn as one box."""
    return [key for key, group in graph.groups.items() if _is_closed(group)]


def _is_closed(group: object) -> bool:
    return isinstance(group, Mapping) and bool(group.get("closed"))


def outer(graph: Graph, group: str) -> str | None:
    """Return the closed group that a group lies in."""
    held = graph.groups.get(group)
    found = held.get("in") if isinstance(held, Mapping) else None
    return found if found in graph.groups and found != group else None


def levels(graph: Graph) -> dict[str, str | None]:
    """Return the closed group that each node is seen in; None is the canvas itself."""
    found: dict[str, str | None] = dict.fromkeys(graph.nodes)
    for key, group in graph.groups.items():
        if isinstance(group, Mapping):
            level = key if _is_closed(group) else outer(graph, key)
            found |= {name: level for name in group.get("nodes", ()) if name in graph.nodes}
    return found


def way_to(graph: Graph, node: str) -> tuple[str, ...]:
    """Return the closed groups that are to be entered, one in the other, to see a node."""
    way: list[str] = []
    level = levels(graph).get(node)
    while level is not None and level not in way:
        way.append(level)
        level = outer(graph, level)
    return tuple(reversed(way))


def within(graph: Graph, group: str) -> frozenset[str]:
    """Return all nodes of a closed group, those of groups in it too."""
    return _within(graph, group, _held(graph))


def closed_at(graph: Graph, level: str | None) -> dict[str, frozenset[str]]:
    """Return the closed groups that are seen at a level, each with all nodes that are in it."""
    held = _held(graph)
    return {
        key: _within(graph, key, held)
        for key in held.get(level, ())
        if _is_closed(graph.groups[key])
    }


def _held(graph: Graph) -> dict[str | None, list[str]]:
    """Return the groups that lie in each closed group."""
    found: dict[str | None, list[str]] = {}
    for key in graph.groups:
        found.setdefault(outer(graph, key), []).append(key)
    return found


def _within(graph: Graph, group: str, held: Mapping[str | None, Sequence[str]]) -> frozenset[str]:
    found, waiting = {group}, [group]
    while waiting:
        more = [key for key in held.get(waiting.pop(), ()) if key not in found]
        found.update(more)
        waiting += more
    return frozenset(
        name for key in found for name in graph.groups[key].get("nodes", ()) if name in graph.nodes
    )


def closed_box(
    graph: Graph, key: str, members: frozenset[str], problems: Mapping[str, str]
) -> NodeView | None:
    """Return the box of a closed group: its ports are those of the wires that cross its edge."""
    if not members:
        return None
    into = sorted(
        {
            f"{w.target}.{w.entry}"
            for name in members
            for w in graph.into(name)
            if w.source not in members
        }
    )
    out = sorted({w.start for name in members for w in graph.out_of(name)
                  if w.target not in members})  # fmt: skip
    x = min(graph.layout[name][0] for name in members)
    y = min(graph.layout[name][1] for name in members)
    rows = max(len(into), len(out), 1)
    height = -(-(HEADER + ROW * rows + FOOT) // GRID) * GRID
    problem = next((problems[name] for name in sorted(members) if name in problems), "")

    def port(address: str, row: int, side: int) -> PortView:
        edge = x if side == LEFT else x + WIDE
        middle = y + HEADER + ROW * row + ROW // 2
        return PortView(address, shortened(address, 17), edge, middle, side, True, False)

    return NodeView(
        key=key,
        x=x,
        y=y,
        width=WIDE,
        height=height,
        title=str(graph.groups[key].get("title", key)),
        type="subgraph",
        family="subgraph",
        foot=f"{len(members)} nodes" if len(members) > 1 else "1 node",
        inputs=tuple(port(address, row, LEFT) for row, address in enumerate(into)),
        outputs=tuple(port(address, row, RIGHT) for row, address in enumerate(out)),
        problem=problem,
    )


def frame(graph: Graph, key: str, nodes: Mapping[str, NodeView]) -> GroupView | None:
    """Return the frame of a group around those of its nodes that are seen."""
    group = graph.groups[key]
    members = group.get("nodes", ()) if isinstance(group, Mapping) else ()
    if _is_closed(group):
        return None
    inside = [nodes[name] for name in members if name in nodes]
    if not inside:
        return None
    left, top = min(n.x for n in inside) - _INSET, min(n.y for n in inside) - _INSET - HEADER
    right = max(n.x + n.width for n in inside) + _INSET
    bottom = max(n.y + n.height for n in inside) + _INSET
    title, colour = str(group.get("title", key)), str(group.get("colour", ""))
    return GroupView(key, title, colour, left, top, right - left, bottom - top)
