"""A graph as it is drawn: boxes, ports, wires, groups and texts, as data.

Window and exports draw the same scene. Lengths are canvas units, y points down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import FOOT, GRID, HEADER, ROW, WIDE, Box, PortBox, box
from nodeflow.declare import CATALOG, Array, Setting, numbers
from nodeflow.derive.tidy import backward_nodes, tidy
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Node, Wire
from nodeflow.nodes.source import parameter_shape
from nodeflow.routing import MOST, Ends, Way, pieces, ways
from nodeflow.routing import curves as straight
from nodeflow.workings.shown import listed, precise, show

LEFT, RIGHT = -1, 1
_LONGEST = 26
_SHOWN = 4
_INSET = 24
_INNER, _NUMBER, _PICTURE, _CHARACTER = 6, 84, 62, 7.6
"""A field's distance from the edge; widths of one for a number, of a picture, of a character."""
_SHORT = ("number", "choice", "index", "text", "formula")
"""Kinds of settings that are one line long."""
_SIGNS = {"rate": "α", "regularization": "λ"}
_WIRE, _THINNEST, _THICKER, _LARGE = 1.8, 1.0, 4.0, 3.0
"""Thickness of a plain wire; of one with a weight, which grows slowly from _LARGE on."""
_MARK = 28
"""So far from its port stands a weight."""
NOTE = "note"
"""A node's key in the file for what was written on it."""


@dataclass(frozen=True, slots=True)
class PortView:
    """A port: `side` is where it sticks out (−1 left, 1 right); x and y are on the canvas."""

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
    """number, list (one of several, marked with an arrow) or text."""
    left: int
    top: int
    width: int
    height: int
    first: bool
    """Whether it is at the left of the foot."""
    own: bool
    """Whether it holds the node's value, and so stands where the value does."""


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

    @property
    def drawn_as(self) -> str:
        """What it is drawn as, where that is no box: knot, slider."""
        known = CATALOG.find(self.type)
        return "" if known is None else known.drawn_as

    @property
    def notes(self) -> bool:
        """Whether it shows what a person wrote, while nothing is wired into it."""
        known = CATALOG.find(self.type)
        return known is not None and known.notes

    @property
    def over_time(self) -> bool:
        """Whether it shows its value as it was at each epoch."""
        known = CATALOG.find(self.type)
        return known is not None and known.over_time

    @property
    def view(self) -> tuple[int, int, int, int] | None:
        """Left, top, width and height of the area in which a view node shows its value."""
        if self.family != "view":
            return None
        rows = max((port.y - self.y for port in self.inputs), default=0) + 14
        return self.x + 8, self.y + rows, self.width - 16, self.height - rows - FOOT


@dataclass(frozen=True, slots=True)
class WireView:
    """A wire from a port to a port; `kind` is forward, backward or feedback."""

    wire: Wire
    start: tuple[int, int]
    end: tuple[int, int]
    leaves: int
    enters: int
    kind: str
    across: bool = False
    """Whether it carries a forward value down to the backward pass."""
    weighs: tuple[str, int] | None = None
    """The single weight that it shows: its parameter's port, and which number there."""
    weight: float | None = None
    """That weight, where it is known."""
    around: Way = ()
    """Its way around nodes, if it would run over one."""

    @property
    def curve(self) -> Way:
        """The points of its Bézier curves: four, or more if it goes around nodes."""
        if self.around:
            return self.around
        (x0, y0), (x1, y1) = self.start, self.end
        ahead = (x1 - x0) * self.leaves
        pull = max(abs(ahead) / 2, 30.0) if ahead > 0 else min(40.0 + abs(y1 - y0) / 4, 140.0)
        return (x0, y0), (x0 + self.leaves * pull, y0), (x1 + self.enters * pull, y1), (x1, y1)

    @property
    def mark(self) -> tuple[float, float]:
        """Where its weight is written: at the parameter, or at the port of a neuron."""
        is_from = self.weighs is not None and self.weighs[0] == self.wire.start
        (x, y), side = (self.start, self.leaves) if is_from else (self.end, self.enters)
        return x + _MARK * side, y

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom; ends that face one way bulge by 3/4 of their pull."""
        if self.around:
            xs, ys = zip(*self.around, strict=True)
            return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
        (x0, y0), (x1, _), (x2, _), (x3, y3) = self.curve
        left = min(x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3))
        right = max(x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3))
        return round(left), round(min(y0, y3)), round(right), round(max(y0, y3))


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
    def curves(self) -> NDArray[np.float64]:
        """The Bézier points of all wires, (curves, 4, 2), one wire after the other."""
        return self._bent[0]

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The number of the wire that each of `curves` is of."""
        return self._bent[1]

    @cached_property
    def _bent(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        return curves(self.wires)

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of everything."""
        boxes = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in self.nodes.values()]
        boxes += [(g.x, g.y, g.x + g.width, g.y + g.height) for g in self.groups]
        if self.wires:  # as `WireView.bounds`, all at once
            x0, x1, x2, x3 = self.curves[:, :, 0].T
            x = np.stack([x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3)])
            y = self.curves[:, ::3, 1]
            boxes.append((round(x.min()), round(y.min()), round(x.max()), round(y.max())))
        if not boxes:
            return (0, 0, 0, 0)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


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
    mirrored = backward_nodes(placed)
    held = levels(placed)
    nodes = {
        key: node_view(
            placed,
            key,
            box(placed, key),
            mirrored=key in mirrored,
            values=values or {},
            problem=(problems or {}).get(key, ""),
        )
        for key in placed.nodes
        if held[key] == inside
    }
    lying = _held(placed)
    for key in lying.get(inside, ()):
        if _is_closed(placed.groups[key]):
            view = _closed(placed, key, _within(placed, key, lying), problems or {})
            if view is not None:
                nodes[key] = view
    ports = {
        port.address: port for node in nodes.values() for port in (*node.inputs, *node.outputs)
    }
    shown_weights = weighing(placed)
    views = (
        _wire(placed, wire, ports, mirrored, shown_weights.get(wire), values or {})
        for wire in placed.wires
    )
    # The long ones lie at the back.
    wires = _around(nodes, sorted((view for view in views if view), key=_back_to_front))
    groups = tuple(frame for key in placed.groups if (frame := _group(placed, key, nodes)))
    return Scene(nodes, tuple(wires), groups, ports)


def _around(nodes: Mapping[str, NodeView], wires: Sequence[WireView]) -> list[WireView]:
    """Return the wires with their ways around nodes."""
    boxes = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in nodes.values()]
    ends = [Ends(w.start, w.end, w.leaves, w.enters, w.wire.start) for w in wires]
    found = list(wires)
    for number, way in ways(np.array(boxes, float).reshape(-1, 4), ends).items():
        found[number] = replace(found[number], around=way)
    return found


def curves(wires: Sequence[WireView]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the Bézier points of many wires at once, (curves, 4, 2), and the wire of each."""
    ends = np.array([(*w.start, *w.end, w.leaves, w.enters) for w in wires], float).reshape(-1, 6)
    bends, owners = straight(ends), np.arange(len(wires))
    bent = [number for number, view in enumerate(wires) if view.around]
    if not bent:
        return bends, owners
    counts = np.ones(len(wires), np.intp)
    counts[bent] = [(len(wires[number].around) - 1) // 3 for number in bent]
    owners = np.repeat(owners, counts)
    found = bends[owners]
    found[np.isin(owners, bent)] = np.concatenate([pieces(wires[number].around) for number in bent])
    return found, owners


def shifted(old: Scene, graph: Graph, moved: Mapping[str, tuple[int, int]]) -> Scene:
    """Return the scene after nodes were moved by so much, in a graph without closed groups.

    What stands still is kept as it is: a drop among thousands of nodes costs no more than that.
    """
    nodes = dict(old.nodes)
    ports = dict(old.ports)
    for key, (dx, dy) in moved.items():
        view = nodes[key]
        nodes[key] = replace(
            view,
            x=view.x + dx,
            y=view.y + dy,
            inputs=tuple(replace(port, x=port.x + dx, y=port.y + dy) for port in view.inputs),
            outputs=tuple(replace(port, x=port.x + dx, y=port.y + dy) for port in view.outputs),
        )
        ports |= {port.address: port for port in (*nodes[key].inputs, *nodes[key].outputs)}

    def follow(view: WireView) -> WireView:
        start, end = moved.get(view.wire.source, (0, 0)), moved.get(view.wire.target, (0, 0))
        return replace(
            view,
            start=(view.start[0] + start[0], view.start[1] + start[1]),
            end=(view.end[0] + end[0], view.end[1] + end[1]),
        )

    groups = tuple(frame for key in graph.groups if (frame := _group(graph, key, nodes)))
    wires = [
        follow(view) if view.wire.source in moved or view.wire.target in moved else view
        for view in old.wires
    ]
    if len(wires) <= MOST:
        return Scene(nodes, tuple(_rerouted(nodes, wires)), groups, ports)
    bends = old.curves.copy()
    followed = [number for number, view in enumerate(wires) if view is not old.wires[number]]
    bends[followed] = curves([wires[number] for number in followed])[0]
    made = Scene(nodes, tuple(wires), groups, ports)
    vars(made)["_bent"] = bends, old.owners
    return made


def _rerouted(nodes: Mapping[str, NodeView], wires: Sequence[WireView]) -> list[WireView]:
    """Return the wires with their new ways; one whose way is as before is the same object."""
    bare = [view if not view.around else replace(view, around=()) for view in wires]
    return [
        view if now.around == view.around else now
        for view, now in zip(wires, _around(nodes, bare), strict=True)
    ]


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


def node_view(
    graph: Graph,
    key: str,
    size: Box,
    *,
    mirrored: bool,
    values: Mapping[str, NDArray[Any]],
    problem: str = "",
) -> NodeView:
    """Return the view of one node; `mirrored` has its inputs on the right."""
    node = graph.nodes[key]
    type_ = node.known
    x, y = graph.layout[key]
    into, out = (RIGHT, LEFT) if mirrored else (LEFT, RIGHT)

    def port(at: PortBox, side: int, *, wired: bool) -> PortView:
        index = "" if at.index is None else f"[{at.index}]"
        edge = x if side == LEFT else x + size.width
        return PortView(
            f"{key}.{at.name}{index}", at.label, edge, y + at.y, side, wired, at.optional
        )

    wired = graph.inputs(key)
    read = {wire.output for wire in graph.out_of(key)}
    value = next(
        (values[f"{key}.{p.name}"] for p in size.outputs if f"{key}.{p.name}" in values), None
    )
    field = _field(graph, key, size)
    held = field.text if field is not None and field.own and value is None else ""
    return NodeView(
        key=key,
        x=x,
        y=y,
        width=size.width,
        height=size.height,
        title="" if node.drawn_as == "knot" else key,
        type=node.type,
        family="" if type_ is None else type_.family,
        foot=held or _foot(graph, key, value),
        inputs=tuple(port(p, into, wired=p.name in wired) for p in size.inputs),
        outputs=tuple(port(p, out, wired=p.name in read) for p in size.outputs),
        mode=node.mode,
        problem=problem or ("" if type_ else unknown(node.type)),
        value=value,
        field=field,
    )


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


def thickness(weight: float | None) -> float:
    """Return how thick a wire is: the larger the weight that it stands for, the thicker."""
    return _WIRE if weight is None else _THINNEST + _THICKER * math.tanh(abs(weight) / _LARGE)


def weighing(graph: Graph) -> dict[Wire, tuple[str, int]]:
    """Return the wires that stand for a single weight: its parameter's port, and which number.

    These leave a parameter of one number, or carry one activation into the weighted sum of a
    single neuron, whose weights come straight from a parameter.
    """
    found: dict[Wire, tuple[str, int]] = {}
    for key in graph.parameters:
        size = _size(graph, key)
        for wire in graph.out_of(key):
            if size and math.prod(size) == 1:
                found[wire] = (wire.start, 0)
            if not graph.nodes[wire.target].is_layer or wire.input != "weights":
                continue
            into = graph.inputs(wire.target).get("a", ())
            if size == (1, len(into)):
                found |= {one: (wire.start, place) for place, one in enumerate(into)}
    return found


def _size(graph: Graph, key: str) -> tuple[int, ...]:
    """Return the shape of a parameter; () where its settings have a fault."""
    try:
        return parameter_shape(graph.settings(key))
    except NodeflowError:
        return ()


def _weight(
    graph: Graph, weighs: tuple[str, int] | None, values: Mapping[str, NDArray[Any]]
) -> float | None:
    if weighs is None:
        return None
    address, place = weighs
    value: Any = values.get(address)
    if value is None:
        value = graph.nodes[address.rpartition(".")[0]].settings.get("value")
    if value is None:
        return None
    flat = np.ravel(numbers(value))
    return float(flat[place if flat.size > 1 else 0])  # a constant start is one number for all


def _wire(
    graph: Graph,
    wire: Wire,
    ports: Mapping[str, PortView],
    mirrored: frozenset[str],
    weighs: tuple[str, int] | None,
    values: Mapping[str, NDArray[Any]],
) -> WireView | None:
    """Return the view of a wire whose ends are both seen."""
    start, end = ports.get(wire.start), ports.get(_address(wire)) or ports.get(wire.end)
    if start is None or end is None:
        return None
    feeds_back = graph.feeds_back(wire)
    kind = "feedback" if feeds_back else "backward" if wire.source in mirrored else "forward"
    return WireView(
        wire,
        (start.x, start.y),
        (end.x, end.y),
        start.side,
        end.side,
        kind,
        across=kind == "forward" and wire.target in mirrored,
        weighs=weighs,
        weight=_weight(graph, weighs, values),
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
