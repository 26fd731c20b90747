"""Two graphs in one picture: what was added, removed, moved and changed, by colour and by sign."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from nodeflow.difference import Change, difference
from nodeflow.errors import ExportError
from nodeflow.export.svg import bounds, document, ground, lit_frame, lit_wire, node, words
from nodeflow.graph import Graph
from nodeflow.scene import NodeView, Scene, clipped, scene, with_places
from nodeflow.theme import LIGHT, Theme

COLOURS = {"added": "#1f8f4e", "removed": "#d13c3c", "changed": "#b87500", "moved": "#3d6fd1"}
SIGNS = {"added": "+", "removed": "−", "changed": "≠", "moved": "→"}
ENDINGS = (".svg", ".png", ".html")
_LEGEND = 34
_LONGEST = 46


@dataclass(frozen=True, slots=True)
class Compared:
    """The picture of a difference, as SVG, and the same in words."""

    svg: str
    changes: tuple[Change, ...]


def picture(before: Graph, after: Graph, theme: Theme = LIGHT) -> Compared:
    """Draw both graphs as one: `after`, and where it stood what it has no longer."""
    changes = difference(before, after)
    old, new = scene(with_places(before)), scene(with_places(after))
    left, top, right, bottom = (
        pick(one, other)
        for pick, one, other in zip((min, min, max, max), bounds(old), bounds(new), strict=True)
    )
    lines = [
        *ground(new, theme),
        *_wires(old, new),
        *(line for view in new.nodes.values() for line in node(view, theme)),
        *_nodes(old, new, changes, theme),
        *_legend(left, bottom, theme),
    ]
    right = max(right, left + 4 * 130)
    return Compared(document((left, top, right, bottom + _LEGEND), lines, theme.canvas), changes)


def _wires(old: Scene, new: Scene) -> Iterator[str]:
    """Draw what is new of the wires, and what is gone where it ran."""
    there, then = ({str(view.wire) for view in one.wires} for one in (new, old))
    for view in old.wires:
        if str(view.wire) not in there:
            yield f'<g stroke-dasharray="7 5">{lit_wire(view, COLOURS["removed"])}</g>'
    for view in new.wires:
        if str(view.wire) not in then:
            yield lit_wire(view, COLOURS["added"])


def _nodes(old: Scene, new: Scene, changes: tuple[Change, ...], theme: Theme) -> Iterator[str]:
    for key, view in old.nodes.items():
        if key not in new.nodes:
            yield '<g opacity="0.55">'
            yield from node(view, theme)
            yield "</g>"
            yield from _marked(view, "removed", "")
    for key, view in new.nodes.items():
        before = old.nodes.get(key)
        told = [change.sentence for change in changes if _is_about(change, key)]
        if before is None:
            yield from _marked(view, "added", "")
        elif told:
            yield from _marked(view, "changed", "; ".join(told))
        if before is not None and (before.x, before.y) != (view.x, view.y):
            yield from _moved(before, view)


def _is_about(change: Change, key: str) -> bool:
    """Return whether a change is one of a node's settings, its type or its mode."""
    start = change.sentence
    return change.kind == "changed" and (
        start.startswith(f"node '{key}'")
        or (start.startswith(f"{key}.") and " " not in start[len(key) + 1 :].partition(" ")[0])
    )


def _marked(view: NodeView, kind: str, text: str) -> Iterator[str]:
    colour = COLOURS[kind]
    dashes = ' stroke-dasharray="7 5"' if kind == "removed" else ""
    yield f"<g{dashes}>"
    yield from lit_frame(view, colour)
    yield "</g>"
    yield (
        f'<circle cx="{view.x}" cy="{view.y}" r="9" fill="{colour}"/>'
        + words(
            view.x,
            view.y + 4,
            SIGNS[kind],
            "#ffffff",
            text_anchor="middle",
            font_weight="bold",
            font_size="13",
        )
    )
    if text:
        below = view.y + view.height + 14
        yield words(view.x, below, clipped(text, _LONGEST), colour, font_weight="bold")


def _moved(before: NodeView, view: NodeView) -> Iterator[str]:
    colour = COLOURS["moved"]
    yield (
        f'<rect x="{before.x}" y="{before.y}" width="{before.width}" height="{before.height}" '
        f'rx="7" fill="none" stroke="{colour}" stroke-dasharray="2 4" stroke-width="1.4"/>'
        f'<line x1="{before.x}" y1="{before.y}" x2="{view.x}" y2="{view.y}" '
        f'stroke="{colour}" stroke-width="1.6"/>'
        f'<circle cx="{view.x + 20}" cy="{view.y}" r="9" fill="{colour}"/>'
    )
    yield words(
        view.x + 20,
        view.y + 4,
        SIGNS["moved"],
        "#ffffff",
        text_anchor="middle",
        font_weight="bold",
        font_size="13",
    )


def _legend(left: float, bottom: float, theme: Theme) -> Iterator[str]:
    for number, (kind, colour) in enumerate(COLOURS.items()):
        x, y = left + 24 + 120 * number, bottom + 12
        yield f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{colour}"/>'
        yield words(
            x,
            y + 4,
            SIGNS[kind],
            "#ffffff",
            text_anchor="middle",
            font_weight="bold",
            font_size="13",
        )
        yield words(x + 15, y + 4, kind, theme.text)


def write(before: Graph, after: Graph, out: str | PathLike[str]) -> tuple[Change, ...]:
    """Write the picture as SVG, PNG, or a page with the words below it; return the changes."""
    from nodeflow.files import disk

    path = Path(out)
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise ExportError(f"a difference is drawn as {', '.join(ENDINGS)}, not as '{kind}'")
    found = picture(before, after)
    if kind == ".png":
        from nodeflow.export.pixels import rendered

        data = rendered(found.svg, 2.0)
    elif kind == ".html":
        data = _page(found, before, after).encode("utf-8", "replace")
    else:
        data = found.svg.encode("utf-8")
    with disk.writing(path):
        disk.write(path, data)
    return found.changes


def _page(found: Compared, before: Graph, after: Graph) -> str:
    image = base64.b64encode(found.svg.encode("utf-8")).decode("ascii")
    told = "".join(
        f'<li style="color:{COLOURS.get(change.kind, COLOURS["changed"])}">'
        f"{html.escape(change.sentence)}</li>"
        for change in found.changes
    )
    title = html.escape(f"{before.name or 'before'} → {after.name or 'after'}")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>body{{font:16px sans-serif;margin:1rem}}"
        f"img{{max-width:100%}}</style><h1>{title}</h1>"
        f'<img alt="both graphs as one" src="data:image/svg+xml;base64,{image}">'
        f"<ul>{told or '<li>the two are the same</li>'}</ul></html>\n"
    )
