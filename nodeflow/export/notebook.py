"""What a notebook shows of a graph or a run at the end of a cell.

The drawing goes inside HTML: an SVG output alone becomes an image that notebooks may cache, shrink
and leave out of a saved page. Text is for where nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from html import escape
from typing import Any

from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.export.svg import svg
from nodeflow.graph import Graph
from nodeflow.playback.moments import described
from nodeflow.scene import scene
from nodeflow.theme import LIGHT

MOST = 600
"""Graphs of more nodes are told in words: their drawing would be megabytes in the notebook."""


def of_graph(graph: Graph) -> dict[str, str]:
    """Return a graph as HTML with its drawing, as SVG, and as text."""
    return _bundle(graph, {}, _told(graph))


def of_run(run: Run) -> dict[str, str]:
    """Return a run as the drawing of its graph with the values of this moment."""
    own = run.graph.nodes
    values = {key: value for key, value in run.values.items() if key.rpartition(".")[0] in own}
    cost = None
    with suppress(RunError):  # before the first pass there is none
        cost = run.cost if run.order else None
    where = described(run) if run.order else "nothing in it can be evaluated"
    told = f"{_told(run.graph)}: {where}" + ("" if cost is None else f", cost {cost:.6g}")
    return _bundle(run.graph, values, told)


def _told(graph: Graph) -> str:
    name = f"'{graph.name}'" if graph.name else "without a name"
    nodes, wires = len(graph.nodes), len(graph.wires)
    return f"graph {name}, {nodes} node{'s' * (nodes != 1)}, {wires} wire{'s' * (wires != 1)}"


def _bundle(graph: Graph, values: Mapping[str, NDArray[Any]], told: str) -> dict[str, str]:
    if not 0 < len(graph.nodes) <= MOST:
        return {"text/html": f"<p>{escape(told)}</p>", "text/plain": told}
    drawing = svg(scene(graph, values=dict(values)), LIGHT)
    html = (
        f'<figure role="img" aria-label="{escape(told)}" '
        f'style="margin:0;max-width:100%;overflow-x:auto">{drawing}'
        f"<figcaption>{escape(told)}</figcaption></figure>"
    )
    return {"text/html": html, "image/svg+xml": drawing, "text/plain": told}
