"""A graph as it is drawn: boxes, ports, wires, groups and texts, as data.

Window and exports draw the same scene. Lengths are canvas units, y points down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import (
    FOOT,
    GRID,
    HEADER,
    ROW,
    WIDE,
    Box,
    Boxes,
    PortBox,
    Track,
    box,
    slides,
    track,
)
from nodeflow.declare import CATALOG, Array, NodeType, Setting, numbers
from nodeflow.derive.layers import layers_of
from nodeflow.derive.tidy import backward_nodes, tidy
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Node, Wire
from nodeflow.routing import Ends, Point, Way, routes, straight
from nodeflow.wires import (
    Stroke,
    WireView,
    curves,
    instead,
    single,
    strokes,
    weighing,
    weight_of,
)
from nodeflow.workings.shown import listed, precise, show

LEFT, RIGHT = -1, 1
_LONGEST = 26
_SHOWN = 4
_INSET = 24
_INNER, _NUMBER, _PICTURE, _SWITCH, _CHARACTER = 6, 84, 62, 30, 7.6
"""A field's distance from the edge; widths of one for a number, of a picture, of a character."""
_SHORT = ("number", "choice", "index", "text", "formula")
"""Kinds of settings that are one line long."""
_SIGNS = {"rate": "α", "regularization": "λ"}
AT_ONCE, _MOST_AT_ONCE = 200, 1000
"""So many strokes, of so many wires, are routed anew within a frame."""
_MOST = 3000
"""So many wires are routed before a graph that was opened is shown."""
NOTE = "note"
"""A node's key in the file for what was written on it."""


class PortView(NamedTuple):
    """A port: `side` is where it sticks out (−1 left, 1 right); x and y are on the canvas.

    A tuple, as `WireView` is: a large graph has very many, and they are made five times as fast.
    """

    address: str
    label: str
    x: int
    y: int
    side: int
    wired: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """A setting that is changed on the node itself; `left` and `top` count from its corner."""

    setting: str
    text: str
    kind: str
    """number, list (one of several, marked with an arrow), text, or switch (on or off)."""
    left: int
    top: int
    width: int
    height: int
    first: bool
    """Whether it is at the left of the foot."""
    own: bool
    """Whether it holds the node's value, and so stands where the value does."""


@dataclass(frozen=True, slots=True)
class SliderView:
    """The track of a slider, from the node's corner, and its handle."""

    track: Track
    share: float
    """How far the handle is along it, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node; `foot` is its value where it has one, its formula otherwise."""

    key: str
    x: int
    y: int
    width: int
    height: int
    title: str
    type: str
    family: str
    foot: str
    inputs: tuple[PortView, ...]
    outputs: tuple[PortView, ...]
    mode: str = "active"
    problem: str = ""
    value: NDArray[Any] | None = None
    field: FieldView | None = None
    switch: FieldView | None = None
    """In the header of a node that costs much and is switched off when it has done its work."""
    slider: SliderView | None = None

    @property
    def drawn_as(self) -> str:
        """What it is drawn as, where that is no box: knot, slider."""
        known = CATALOG.get(self.type)
        return "" if known is None else known.drawn_as

    @property
    def notes(self) -> bool:
        """Whether it shows what a person wrote, while nothing is wired into it."""
        known = CATALOG.get(self.type)
        return known is not None and known.notes

    @property
    def over_time(self) -> bool:
        """Whether it shows its value as it was at each epoch."""
        known = CATALOG.get(self.type)
        return known is not None and known.over_time

    @property
    def view(self) -> tuple[int, int, int, int] | None:
        """Left, top, width and height of the area in which a view node shows its value."""
        if self.family != "view":
            return None
        rows = max((port.y - self.y for port in self.inputs), default=0) + 14
        return self.x + 8, self.y + rows, self.width - 16, self.height - rows - FOOT


@dataclass(frozen=True, slots=True)
class GroupView:
    """A titled frame around nodes."""

    key: str
    title: str
    colour: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Scene:
    """All that is drawn, back to front: groups, wires, nodes."""

    nodes: Mapping[str, NodeView]
    wires: tuple[WireView, ...]
    groups: tuple[GroupView, ...]

    ports: Mapping[str, PortView] = field(default_factory=dict)
    """By address; an input in which several wires share a row has no number."""
    is_routed: bool = True
    """Whether the ways of wires are those that they have where the nodes are now."""

    def port(self, address: str) -> tuple[int, int] | None:
        """Return where a port is."""
        found = self.ports.get(address) or self.ports.get(address.partition("[")[0])
        return None if found is None else (found.x, found.y)

    @cached_property
    def wires_of(self) -> Mapping[str, tuple[WireView, ...]]:
        """The wires that begin or end at each node."""
        found: dict[str, list[WireView]] = {}
        for view in self.wires:
            found.setdefault(view.wire.source, []).append(view)
            if view.wire.target != view.wire.source:
                found.setdefault(view.wire.target, []).append(view)
        return {key: tuple(views) for key, views in found.items()}

    @cached_property
    def wire_numbers_of(self) -> Mapping[str, list[int]]:
        """The numbers of the wires that begin or end at each node."""
        found: dict[str, list[int]] = {}
        for number, view in enumerate(self.wires):
            source, target = view.wire.source, view.wire.target
            found.setdefault(source, []).append(number)
            if target != source:
                found.setdefault(target, []).append(number)
        return found

    @cached_property
    def strokes_of(self) -> Mapping[str, tuple[int, ...]]:
        """The numbers of the strokes that begin or end at each node."""
        found: dict[str, list[int]] = {}
        for number, stroke in enumerate(self.strokes):
            source, target = stroke.nodes
            if source:
                found.setdefault(source, []).append(number)
            if target and target != source:
                found.setdefault(target, []).append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    def bundled(self, wire: str) -> WireView | None:
        """Return the wire that is called so, if it runs in a bundle."""
        node = wire.partition(" ")[0].rpartition(".")[0]
        for number in self.strokes_of.get(node, ()):
            stroke = self.strokes[number]
            if stroke.part == "start":
                for view in stroke.wires:
                    if str(view.wire) == wire:
                        return view
        return None

    @cached_property
    def strokes(self) -> tuple[Stroke, ...]:
        """What is drawn of the wires: each line once, however many wires run along it."""
        return strokes(self.wires)

    @cached_property
    def weighted(self) -> NDArray[np.intp]:
        """The numbers of the strokes that show a weight."""
        found = [n for n, stroke in enumerate(self.strokes) if stroke.weighing is not None]
        return np.array(found, np.intp)

    @cached_property
    def curves(self) -> NDArray[np.float64]:
        """The Bézier points of all strokes, (curves, 4, 2), one stroke after the other."""
        return self._bent[0]

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The number of the stroke that each of `curves` is of."""
        return self._bent[1]

    @cached_property
    def _bent(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        return curves(self.strokes)

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """Left, top, right and bottom of each node, (nodes, 4)."""
        return boxes(self.nodes.values())

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of everything."""
        boxes = [(g.x, g.y, g.x + g.width, g.y + g.height) for g in self.groups]
        if self.nodes:
            least, most = self.boxes.min(axis=0), self.boxes.max(axis=0)
            boxes.append((int(least[0]), int(least[1]), int(most[2]), int(most[3])))
        if self.wires:  # as `WireView.bounds`, all at once
            x0, x1, x2, x3 = self.curves[:, :, 0].T
            x = np.stack([x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3)])
            y = self.curves[:, ::3, 1]
            boxes.append((round(x.min()), round(y.min()), round(x.max()), round(y.max())))
        if not boxes:
            return (0, 0, 0, 0)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def boxes(nodes: Iterable[NodeView]) -> NDArray[np.float64]:
    """Return left, top, right and bottom of nodes, (nodes, 4)."""
    found = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in nodes]
    return np.array(found, float).reshape(-1, 4)


def _back_to_front(wire: WireView) -> int:
    return 0 if wire.kind == "feedback" else 1 if wire.across else 2


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
    return replace(bare, wires=_routed(bare.nodes, placed, bare.wires, singles=False))


def _bare(
    placed: Graph,
    values: Mapping[str, NDArray[Any]] | None,
    problems: Mapping[str, str] | None,
    inside: str | None,
) -> Scene:
    """Return a scene in which all wires go straight."""
    mirrored = backward_nodes(placed)
    held = levels(placed)
    views_of = _NodeViews(placed, mirrored, values or {}, problems or {})
    nodes = {key: views_of.of(key) for key in placed.nodes if held[key] == inside}
    lying = _held(placed)
    for key in lying.get(inside, ()):
        if _is_closed(placed.groups[key]):
            view = _closed(placed, key, _within(placed, key, lying), problems or {})
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
    groups = tuple(frame for key in placed.groups if (frame := _group(placed, key, nodes)))
    return Scene(nodes, wires, groups, ports, is_routed=False)


def _routed(
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


_STRAIGHT: tuple[tuple[Way, ...], str] = (), ""


def shifted(old: Scene, graph: Graph, moved: Mapping[str, tuple[int, int]]) -> Scene:
    """Return the scene after nodes were moved by so much, in a graph without closed groups.

    What stands still is kept as it is. Where there is much to route, wires follow their nodes as
    they are (`is_routed` is false then): a drop among thousands of nodes does not wait for that.
    """
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
    groups = tuple(frame for key in graph.groups if (frame := _group(graph, key, nodes)))
    if len(old.strokes) <= AT_ONCE and len(old.wires) <= _MOST_AT_ONCE:
        return Scene(nodes, _routed(nodes, graph, followed(old.wires, moved)), groups, ports)
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
    vars(made)["strokes"] = tuple(lines)
    vars(made)["strokes_of"] = old.strokes_of
    vars(made)["wire_numbers_of"] = old.wire_numbers_of
    vars(made)["weighted"] = old.weighted
    vars(made)["_bent"] = instead(old.curves, old.owners, lines, touched)
    return made


def routed(unrouted: Scene, graph: Graph) -> Scene:
    """Return a scene with the ways that its wires have where its nodes are.

    What runs as before is the same stroke: so whoever draws it needs not look at all wires.
    """
    wires = _routed(unrouted.nodes, graph, unrouted.wires)
    made = replace(unrouted, wires=wires, is_routed=True)
    vars(made)["wire_numbers_of"] = unrouted.wire_numbers_of
    if "strokes" in vars(unrouted):
        known = {stroke.key: stroke for stroke in unrouted.strokes}
        vars(made)["strokes"] = tuple([_kept(one, known.get(one.key)) for one in made.strokes])
    vars(made)["boxes"] = unrouted.boxes
    _ = made.bounds, made.weighted  # here in the background, and not in a frame
    return made


def _kept(one: Stroke, before: Stroke | None) -> Stroke:
    """Return a stroke, or that of before if the same wires run in it."""
    if before is None or before.part != one.part or len(before.wires) != len(one.wires):
        return one
    same = all(a is b for a, b in zip(one.wires, before.wires, strict=True))
    return before if same else one


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


# --- closed groups ------------------------------------------------------------------------------


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


def within(graph: Graph, group: str) -> frozenset[str]:
    """Return all nodes of a closed group, those of groups in it too."""
    return _within(graph, group, _held(graph))


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


def unknown(type_: str) -> str:
    """Return what is to be said of a node whose type is not there, and what would mend it."""
    return f"there is no node type '{type_}' here{CATALOG.why_unknown(type_)}"


def _closed(
    graph: Graph, key: str, members: frozenset[str], problems: Mapping[str, str]
) -> NodeView | None:
    """Return the box of a closed group: its ports are those of the wires that cross its edge."""
    if not members:
        return None
    into = sorted(
        {_address(w) for name in members for w in graph.into(name) if w.source not in members}
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


def _address(wire: Wire) -> str:
    return wire.end if wire.index is None else f"{wire.end}[{wire.index}]"


# --- parts --------------------------------------------------------------------------------------


def with_places(graph: Graph) -> Graph:
    """Return the graph with a place for each node: its own, or one beside the others."""
    missing = graph.nodes.keys() - graph.layout.keys()
    if not missing:
        return graph
    laid = tidy(graph)
    if missing == graph.nodes.keys():
        return laid
    lowest = max(y + box(graph, k).height for k, (_, y) in graph.layout.items() if k in graph.nodes)
    top = min(laid.layout[key][1] for key in missing)
    added = {key: (x, y - top + lowest + 60) for key, (x, y) in laid.layout.items()}
    return replace(graph, layout={**graph.layout, **{key: added[key] for key in missing}})


_Row = tuple[str, str, int, int, int, bool, bool]
"""A port as a `PortView` has it; its address without the node, its place from the node's corner."""


class _NodeViews:
    """Makes the views of nodes; those of the `mirrored` have their inputs on the right.

    Nodes with the same box and the same wires have the same ports, and those that are one node
    under several ids the same texts: of a large graph few are looked at.
    """

    def __init__(
        self,
        graph: Graph,
        mirrored: frozenset[str],
        values: Mapping[str, NDArray[Any]],
        problems: Mapping[str, str],
    ) -> None:
        self._graph, self._mirrored = graph, mirrored
        self._values, self._problems = values, problems
        self._boxes = Boxes(graph)
        self._rows: dict[tuple[int, frozenset[str], bool], _Rows] = {}
        self._texts: dict[tuple[int, int], tuple[FieldView | None, str]] = {}

    def of(self, key: str) -> NodeView:
        """Return the view of a node."""
        graph = self._graph
        node = graph.nodes[key]
        type_ = node.known
        x, y = graph.layout[key]
        size = self._boxes.of(key)
        read = frozenset([wire.output for wire in graph.out_of(key)])
        case = id(size), read, key in self._mirrored
        rows = self._rows.get(case)
        if rows is None:
            wired = frozenset([wire.input for wire in graph.into(key)])
            rows = self._rows[case] = _rows(size, wired, read, mirrored=case[2])
        inputs, outputs = (
            tuple([
                PortView(f"{key}.{name}", label, x + dx, y + dy, side, wired, optional)
                for name, label, dx, dy, side, wired, optional in some
            ])
            for some in (rows.inputs, rows.outputs)
        )  # fmt: skip
        value = None
        if self._values:
            found = (self._values.get(port.address) for port in outputs)
            value = next((one for one in found if one is not None), None)
        texts = None if value is not None else self._texts.get((id(node), id(size)))
        if texts is None:
            field = _field(graph, key, size)
            held = field.text if field is not None and field.own and value is None else ""
            texts = field, held or _foot(graph, key, value)
            if value is None:
                self._texts[id(node), id(size)] = texts
        field, foot = texts
        return NodeView(
            key,
            x,
            y,
            size.width,
            size.height,
            "" if type_ is not None and type_.drawn_as == "knot" else key,
            node.type,
            "" if type_ is None else type_.family,
            foot,
            inputs,
            outputs,
            node.mode,
            self._problems.get(key, "") or ("" if type_ else unknown(node.type)),
            value,
            field,
            _switch(node, type_, size),
            SliderView(track(size), slid_to(graph.settings(key))) if slides(type_) else None,
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """The ports of a box; it is kept, so that what has its identity is this one."""

    size: Box
    inputs: list[_Row]
    outputs: list[_Row]


def _rows(size: Box, wired: frozenset[str], read: frozenset[str], *, mirrored: bool) -> _Rows:
    """Return the ports of a box, seen from its node; `mirrored` has its inputs on the right."""
    into, out = (RIGHT, LEFT) if mirrored else (LEFT, RIGHT)

    def row(port: PortBox, side: int, there: frozenset[str]) -> _Row:
        name = port.name if port.index is None else f"{port.name}[{port.index}]"
        edge = 0 if side == LEFT else size.width
        return name, port.label, edge, port.y, side, port.name in there, port.optional

    return _Rows(
        size,
        [row(port, into, wired) for port in size.inputs],
        [row(port, out, read) for port in size.outputs],
    )


def slid_to(settings: Mapping[str, Any]) -> float:
    """Return how far a slider's handle is along its track, from 0 to 1."""
    low, high = settings["min"], settings["max"]
    return float(min(max((settings["value"] - low) / (high - low or 1.0), 0.0), 1.0))


def _switch(node: Node, type_: NodeType | None, size: Box) -> FieldView | None:
    """Return what switches a node off by a click: one that measures the cost again and again."""
    if type_ is None or not type_.probes:
        return None
    text = "off" if node.mode == "disable" else "on"
    left = size.width - _INNER - _SWITCH
    return FieldView("", text, "switch", left, 5, _SWITCH, FOOT - 6, first=False, own=False)


def _field(graph: Graph, key: str, size: Box) -> FieldView | None:
    """Return the field at a node's foot: at the left what is its value, at the right the rest."""
    setting = faced(graph, key)
    if setting is None:
        return None
    kind, text = _as_field(setting, graph.settings(key)[setting.name])
    room = size.width - 2 * _INNER
    own = setting.kind in ("number", "array") and graph.type_of(key).family == "source"
    if own:
        width = _NUMBER if kind == "number" else room - _PICTURE
    else:
        if kind == "number":
            text = f"{_SIGNS.get(setting.name, setting.name)} {text}"
        width = min(round(_CHARACTER * (len(text) + 2 * (kind == "list"))) + 10, room)
    first = own or setting.kind in ("text", "formula")
    left = _INNER if first else size.width - _INNER - width
    top = size.height - FOOT + 3
    return FieldView(setting.name, text, kind, left, top, width, FOOT - 6, first, own)


def _as_field(setting: Setting, value: Any) -> tuple[str, str]:
    """Return the kind of a field for a value, and the value as text."""
    if setting.kind == "choice" or setting.name == "source":
        return "list", str(value)
    if setting.kind in ("index", "array"):
        one = value[0] if type(value) is tuple and len(value) == 1 else value
        if type(one) is float:  # large graphs have thousands of these
            return "number", show(one)
        array = numbers(value)
        return ("number" if array.size == 1 else "text"), shown(array)
    if isinstance(value, int | float):
        return "number", precise(value)  # a setting is read as it was typed
    return "text", str(value)


def faced(graph: Graph, key: str) -> Setting | None:
    """Return the setting that a node has a field for: the first that is short."""
    type_ = graph.nodes[key].known
    if type_ is None or type_.family == "view":
        return None
    try:
        given = graph.settings(key)
    except NodeflowError:
        return None  # the node tells what is wrong with them
    for setting in type_.settings:
        value = given[setting.name]
        if setting.kind == "array" and value is not None:
            return setting if _count(value) <= _SHOWN else None
        if value is not None and setting.kind in _SHORT:
            return setting
    return None


def _count(value: Any) -> int:
    """Return how many numbers an array setting holds."""
    if isinstance(value, tuple):
        return sum(map(_count, value))
    return value.values.size if isinstance(value, Array) else 1


def note(node: Node) -> str:
    """Return what was written on a node; a panel without wires shows it as a note."""
    return str(node.extra.get(NOTE, ""))


def _foot(graph: Graph, key: str, value: NDArray[Any] | None) -> str:
    node = graph.nodes[key]
    if node.drawn_as == "knot":
        return ""
    if value is not None:
        return shown(value)
    if node.known is None:
        return node.type
    typed = next((one.name for one in node.known.settings if one.kind == "formula"), "")
    if typed:
        return str(node.settings.get(typed, ""))
    if node.holds_data:
        return str(node.settings.get("source", ""))
    if node.known.notes and not graph.into(key):
        return note(node)
    own = node.settings.get("value")
    if own is not None and node.known.family == "source":
        return shown(numbers(own))
    if node.is_parameter and node.settings.get("shape"):
        return sized(tuple(node.settings["shape"]))
    return node.known.formula


def shown(value: NDArray[Any]) -> str:
    """Return a value in a few characters: its numbers while they are few, then its shape."""
    flat = np.asarray(value).ravel() + 0  # −0 is 0 to a person
    if flat.size == 1:
        return show(flat[0])
    if flat.size <= _SHOWN:
        return listed(flat)
    return sized(np.shape(value))


def sized(shape: tuple[int, ...]) -> str:
    """Return a shape in words that nobody takes for a value: 5×7, or 5 numbers."""
    if len(shape) == 1:
        return f"{shape[0]} numbers" if shape[0] != 1 else "1 number"
    return "×".join(map(str, shape))


def clipped(text: str, longest: int = _LONGEST) -> str:
    """Return a text that fits, its end left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def shortened(text: str, longest: int = _LONGEST - 2) -> str:
    """Return a text that fits, its middle left out: what tells ids apart is at their ends."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[len(text) - half :]}"


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
    start, end = ports.get(wire.start), ports.get(_address(wire)) or ports.get(wire.end)
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


def _group(graph: Graph, key: str, nodes: Mapping[str, NodeView]) -> GroupView | None:
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
