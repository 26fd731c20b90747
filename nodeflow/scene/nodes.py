"""The boxes of nodes: where they stand, their ports, what is written on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from nodeflow.boxes import Box, Boxes, PortBox, box
from nodeflow.declare import CATALOG, PLACEHOLDER
from nodeflow.derive.tidy import tidy
from nodeflow.graph import Graph
from nodeflow.scene.fields import foot_text, inline_field, slider, switch_field
from nodeflow.scene.pieces import LEFT, RIGHT, FieldView, NodeView, PortView


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


def unknown(type_: str) -> str:
    """Return what is to be said of a node whose type is not there, and what would mend it."""
    return f"there is no node type '{type_}' here{CATALOG.why_unknown(type_)}"


_Row = tuple[str, str, int, int, int, bool, bool]
"""A port as a `PortView` has it; its address without the node, its place from the node's corner."""


class NodeViews:
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
        kind = node.kind
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
            field = inline_field(graph, key, size)
            held = field.text if field is not None and field.own and value is None else ""
            texts = field, held or foot_text(graph, key, value)
            if value is None:
                self._texts[id(node), id(size)] = texts
        field, foot = texts
        return NodeView(
            key,
            x,
            y,
            size.width,
            size.height,
            "" if kind.drawn_as == "knot" else key,
            node.type,
            kind.family,
            foot,
            inputs,
            outputs,
            node.mode,
            self._problems.get(key, "") or (unknown(node.type) if kind is PLACEHOLDER else ""),
            value,
            field,
            switch_field(node, size),
            slider(graph, key, size) if node.drawn_as == "slider" else None,
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
