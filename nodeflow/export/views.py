"""What views show, drawn into their nodes; activations have their curve between their ports."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from PIL import Image

from nodeflow.export.svg import words
from nodeflow.scene import NodeView, Scene, note
from nodeflow.theme import Theme
from nodeflow.views import Content, Viewer
from nodeflow.views.marks import Area, Dot, Line, Mark, Pixels, Rect, Words, sentence
from nodeflow.views.plot import Past
from nodeflow.views.sight import Values
from nodeflow.views.slope import slope_at

_SHARP = 400
"""The fewest pixels a side of a picture of cells: viewers would blur smaller ones."""


def filled(
    drawn: Scene,
    viewer: Viewer,
    values: Values,
    weights: Values,
    theme: Theme,
    past: Mapping[str, Past] | None = None,
) -> tuple[Scene, dict[str, tuple[str, ...]]]:
    """Return a scene whose views have their contents in words, and the lines drawn into nodes."""
    graph = viewer.graph
    found: Mapping[str, Content | str] = viewer.all(values, weights, past)
    inside: dict[str, tuple[str, ...]] = {}
    nodes = dict(drawn.nodes)
    for key, view in drawn.nodes.items():
        if view.view is not None:
            content = found.get(key)
            left, top, wide, high = view.view
            area = (float(left), top + 2.0, float(wide), high - 4.0)
            if content is None and view.notes and not graph.into(key):
                marks = sentence(note(graph.nodes[key]), area, theme)
                nodes[key] = replace(view, foot="")
            elif content is None:
                continue
            elif isinstance(content, str):
                marks = sentence(content, area, theme)
            else:
                marks = content.marks(area, theme)
                nodes[key] = replace(view, foot=content.foot)
            inside[key] = tuple(lines(marks))
        elif view.family == "activation" and key in graph.nodes:
            wires = graph.inputs(key).get("z", ())
            z = values.get(wires[0].start) if wires else None
            rows = np.zeros((1, 0), float) if z is None else np.atleast_2d(z)
            slope = slope_at(view.type, rows[0], graph.settings(key))
            if slope is not None:
                inside[key] = tuple(lines(slope.marks(between_ports(view), theme)))
    return replace(drawn, nodes=nodes), inside


def between_ports(view: NodeView) -> Area:
    """Return the area between the input and the output of an activation."""
    return view.x + 36.0, view.inputs[0].y - 8.0, view.width - 72.0, 17.0


def lines(marks: Iterable[Mark]) -> Iterator[str]:
    """Yield marks as SVG."""
    for mark in marks:
        match mark:
            case Rect(x, y, width, height, fill):
                yield (
                    f'<rect x="{x:.5g}" y="{y:.5g}" width="{max(width, 0):.5g}" '
                    f'height="{max(height, 0):.5g}" fill="{fill}"/>'
                )
            case Line(points, colour, thick, dashed):
                places = " ".join(f"{x:.6g},{y:.6g}" for x, y in points)
                dashes = ' stroke-dasharray="4 3"' if dashed else ""
                yield (
                    f'<polyline points="{places}" fill="none" stroke="{colour}" '
                    f'stroke-width="{thick:.3g}" stroke-linejoin="round"{dashes}/>'
                )
            case Dot():
                yield _dot(mark)
            case Words(x, y, text, colour, size, anchor):
                more = {"font_size": f"{size:g}"} if size != 11 else {}
                if anchor != "start":
                    more["text_anchor"] = anchor
                yield words(x, y, text, colour, **more)
            case Pixels():
                yield _picture(mark)


def _dot(dot: Dot) -> str:
    x, y, r = dot.x, dot.y, dot.radius
    look = f'fill="{dot.fill}" stroke="{dot.edge}" stroke-width="0.8"'
    if dot.kind == "circle":
        return f'<circle cx="{x:.6g}" cy="{y:.6g}" r="{r:g}" {look}/>'
    if dot.kind == "square":
        return (
            f'<rect x="{x - r:.6g}" y="{y - r:.6g}" width="{2 * r:g}" height="{2 * r:g}" {look}/>'
        )
    return (
        f'<path d="M{x:.6g} {y - r:.6g}L{x + r:.6g} {y + r:.6g}L{x - r:.6g} {y + r:.6g}Z" {look}/>'
    )


def _picture(mark: Pixels) -> str:
    left, top, width, height = mark.area
    pixels = np.round(255 * np.clip(mark.colours, 0, 1)).astype(np.uint8)
    times = -(-_SHARP // max(pixels.shape[:2]))
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(stream, "PNG", optimize=True)
    return (
        f'<image x="{left:.6g}" y="{top:.6g}" width="{width:.6g}" height="{height:.6g}" '
        f'preserveAspectRatio="none" '
        f'href="data:image/png;base64,{b64encode(stream.getvalue()).decode()}"/>'
    )
