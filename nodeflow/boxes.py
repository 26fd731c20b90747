"""How large a node is on the canvas, and where its ports are. Lengths are canvas units.

+----------------------+
| hidden               |   the id
o a                  z o   ports: inputs and outputs, a row each
o weights              |
o bias                 |
| z = Θa + b           |   the formula, or the value
+----------------------+
"""

from __future__ import annotations

from dataclasses import dataclass

from nodeflow.declare import NodeType
from nodeflow.graph import Graph
from nodeflow.plugins.enabling import announced

WIDTH, WIDE = 180, 260
HEADER, ROW, FOOT = 26, 20, 24
VIEW = 160
"""Height of what a view shows; of a slider's track: SLIDER."""
SLIDER = 20
MOST_ROWS = 8
"""A `…` port with more wires than these has one row for all."""
RELAY = 30
"""A relay's height, half of its width: it is a header without a name."""
GRID = 10


@dataclass(frozen=True, slots=True)
class PortBox:
    """A port of a box: `index` counts the wires of a `…` port; `y` is down from the box's top."""

    name: str
    index: int | None
    y: int
    optional: bool = False
    feedback: bool = False
    count: int = 0
    """How many wires share this row."""
    quiet: bool = False
    """Whether its name is not shown."""

    @property
    def label(self) -> str:
        """What stands beside the port."""
        if self.quiet:
            return ""
        if self.index is not None:
            return f"{self.name} {self.index + 1}"
        return f"{self.name} ×{self.count}" if self.count > 1 else self.name


@dataclass(frozen=True, slots=True)
class Box:
    """A node's size and ports."""

    width: int
    height: int
    inputs: tuple[PortBox, ...]
    outputs: tuple[PortBox, ...]

    def input(self, name: str, index: int | None = None) -> PortBox | None:
        """Return the row of an input port, that of its wire `index` where wires have rows."""
        return _row(self.inputs, name, index)

    def output(self, name: str) -> PortBox | None:
        """Return the row of an output port."""
        return _row(self.outputs, name, None)


@dataclass(frozen=True, slots=True)
class Track:
    """Where a slider's handle runs, in its box: from `left` to `right` at height `y`."""

    left: int
    right: int
    y: int


def slides(type_: NodeType | None) -> bool:
    """Return whether a node has a handle on a track."""
    return type_ is not None and type_.drawn_as == "slider"


def track(size: Box) -> Track:
    """Return the track of a slider's box."""
    return Track(10, size.width - 10, size.height - FOOT - SLIDER // 2)


def box(graph: Graph, node: str) -> Box:
    """Return the box of a node.

    A placeholder has the ports that its plugin's manifest says, and those that its wires name.
    """
    type_ = graph.nodes[node].known
    inputs = _inputs(graph, node, type_)
    if type_ is None:
        said = announced(graph.nodes[node].type)
        names = dict.fromkeys(port.name for port in said.outputs) if said else {}
        names |= dict.fromkeys(wire.output for wire in graph.out_of(node))
    else:
        names = dict.fromkeys(port.name for port in type_.outputs)
    outputs = tuple(PortBox(name, None, _y(row)) for row, name in enumerate(names))
    if type_ is not None and type_.drawn_as == "knot":
        middle = RELAY // 2
        ends = (PortBox(name, None, middle, quiet=True) for name in ("a", "value"))
        return Box(2 * RELAY, RELAY, (next(ends),), (next(ends),))
    view = type_ is not None and type_.family == "view"
    more = VIEW if view else SLIDER if slides(type_) else 0
    height = HEADER + ROW * max(len(inputs), len(outputs), 1) + FOOT + more
    return Box(WIDE if view else WIDTH, -(-height // GRID) * GRID, inputs, outputs)


class Boxes:
    """The boxes of a graph's nodes: nodes of one type with wires into the same ports have one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[tuple[str, tuple[str, ...]], Box] = {}

    def of(self, node: str) -> Box:
        """Return the box of a node."""
        graph = self._graph
        type_ = graph.nodes[node].known
        if type_ is None or type_.dynamic_inputs is not None:
            return box(graph, node)
        case = type_.name, tuple([wire.input for wire in graph.into(node)])
        found = self._known.get(case)
        if found is None:
            found = self._known[case] = box(graph, node)
        return found


def _inputs(graph: Graph, node: str, type_: NodeType | None) -> tuple[PortBox, ...]:
    wires = graph.inputs(node)
    if type_ is None:
        said = announced(graph.nodes[node].type)
        told = said.inputs if said else ()
        ports = [(port.name, port.many, port.optional, port.feedback) for port in told]
        names = {port.name for port in told}
        ports += [
            (name, len(there) > 1, False, False)
            for name, there in wires.items() if name not in names
        ]  # fmt: skip
    else:
        ports = [
            (port.name, port.many, port.optional, port.feedback)
            for port in type_.ports_in(graph.nodes[node].settings)
        ]
    found: list[PortBox] = []
    for name, many, optional, feedback in ports:
        count = len(wires.get(name, ()))
        rows = count if many and 1 < count <= MOST_ROWS else 1
        for index in range(rows):
            number = index if rows > 1 else None
            shared = count if rows == 1 else 1
            y = _y(len(found))
            found.append(PortBox(name, number, y, optional, feedback, shared))
    return tuple(found)


def _y(row: int) -> int:
    return HEADER + ROW * row + ROW // 2


def _row(ports: tuple[PortBox, ...], name: str, index: int | None) -> PortBox | None:
    for port in ports:
        if port.name == name and port.index in (None, index or 0):
            return port
    return None
