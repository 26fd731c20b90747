"""The graph for Graphviz: a table with ports for each node, groups as clusters, feedback dashed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from nodeflow.boxes import PortBox, box
from nodeflow.derive.tidy import backward_nodes
from nodeflow.export import Made
from nodeflow.export.svg import escape
from nodeflow.graph import Graph, Wire
from nodeflow.theme import LIGHT

if TYPE_CHECKING:
    from nodeflow.export import Job

_HEAD = """\
  rankdir=LR;
  ranksep=0.8;
  fontname="DejaVu Sans";
  node [shape=plain, fontname="DejaVu Sans", fontsize=11];
  edge [arrowsize=0.6];"""
_LOOK = f' border="0" cellborder="1" cellspacing="0" bgcolor="{LIGHT.body}" color="{LIGHT.border}"'


def make(job: Job) -> Made:
    """Return the text of a `.dot` file."""
    graph = job.graph
    facts = {"nodes": len(graph.nodes), "wires": len(graph.wires)}
    return Made(dot(graph).encode("utf-8"), facts)


def dot(graph: Graph) -> str:
    """Return a graph in Graphviz's language."""
    clusters = _clusters(graph)
    mirrored = backward_nodes(graph)
    lines = [
        f"digraph {_quoted(graph.name or 'nodeflow')} {{",
        _HEAD,
        *(f"  {_node(graph, key)}" for key in sorted(graph.nodes)),
    ]
    for group, keys in clusters.items():
        title = str(graph.groups[group].get("title", group))
        lines += [f"  subgraph {_quoted(f'cluster_{group}')} {{", f"    label={_quoted(title)};"]
        # Names alone: NetworkX leaves out what a cluster declares.
        lines += [*(f"    {_quoted(key)};" for key in keys), "  }"]
    lines += [_edge(graph, wire, mirrored) for wire in sorted(graph.wires, key=str)]
    return "\n".join([*lines, "}"]) + "\n"


def _clusters(graph: Graph) -> dict[str, list[str]]:
    """Return the nodes of each group that has any; Graphviz wants a node in one of them only."""
    free = set(graph.nodes)
    found = {}
    for group in sorted(graph.groups):
        held = graph.groups[group]
        members = set(held.get("nodes", ())) & free if isinstance(held, Mapping) else set()
        if members:
            found[group] = sorted(members)
            free -= members
    return found


def _node(graph: Graph, key: str) -> str:
    """Return a node as a table: its name, its ports, its formula."""
    node, size = graph.nodes[key], box(graph, key)
    type_ = node.known
    colour = LIGHT.families["" if type_ is None else type_.family]
    formula = node.type if type_ is None else type_.formula or node.type
    rows = [f'<td colspan="2" bgcolor="{colour}"><b>{escape(key)}</b></td>']
    rows += [
        _cell(into, "left") + _cell(out, "right")
        for into, out in zip_longest(size.inputs, size.outputs)
    ]
    rows.append(f'<td colspan="2">{escape(formula)}</td>')
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"{_quoted(key)} [label=<<table{_LOOK}>{table}</table>>, tooltip={_quoted(node.type)}];"


def _cell(port: PortBox | None, side: str) -> str:
    if port is None:
        return "<td></td>"
    name = quoteattr(_port(port.name, port.index))
    return f'<td port={name} align="{side}">{escape(port.label or port.name)}</td>'


def _edge(graph: Graph, wire: Wire, mirrored: frozenset[str]) -> str:
    """Return a wire; its ports as attributes, since others take `node:port` for one more node."""
    target = box(graph, wire.target).input(wire.input, wire.index)
    index = None if target is None else target.index
    ports = f"tailport={_quoted(wire.output)}, headport={_quoted(_port(wire.input, index))}"
    look = f'color="{LIGHT.forward}"'
    if graph.feeds_back(wire):
        look = f'color="{LIGHT.feedback}", style=dashed, constraint=false'
    elif wire.source in mirrored:
        look = f'color="{LIGHT.backward}"'
    return f"  {_quoted(wire.source)} -> {_quoted(wire.target)} [{ports}, {look}];"


def _port(name: str, index: int | None) -> str:
    return name if index is None else f"{name}[{index}]"


def _quoted(text: str) -> str:
    """Return a text in quotes; a backslash stays one."""
    return json.dumps(text, ensure_ascii=False).replace("\\n", " ")
