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
from nodeflow.wires import WireView

COLOURS = {"added": "#1f8f4e", "removed": "#d13c3c", "changed": "#b87500", "moved": "#3d6fd1"}
SIGNS = {"added": "+", "removed": "−", "changed": "≠", "moved": "→"}
ENDINGS = (".svg", ".png", ".html")
_LEGEND = 34
_LONGEST = 46


@dataclass(frozen=True, slots=True)
class Marked:
    """A node that differs: where it is or was, what kind of difference, and that in words."""

    view: NodeView
    kind: str
    text: str = ""
    before: NodeView | None = None
    """Of a node that moved: where it stood."""


@dataclass(frozen=True, slots=True)
class Both:
    """Two graphs as one scene: that of `after`, and where it stood what it has no longer."""

    before: Scene
    after: Scene
    nodes: tuple[Marked, ...]
    wires: tuple[tuple[WireView, str], ...]
    """Those that are gone or new."""
    changes: tuple[Change, ...]

    @property
    def scene(self) -> Scene:
        """Everything of both."""
        gone = {key: view for key, view in self.before.nodes.items() if key not in self.after.nodes}
        there = {str(view.wire) for view in self.after.wires}
        wires = (
            view._replace(parts=(), bundle="")  # its bundle is now that of the others
            for view in self.before.wires
            if str(view.wire) not in there
        )
        ports = {port.address: port for view in gone.values()
                 for port in (*view.inputs, *view.outputs)}  # fmt: skip
        return Scene(
            {**gone, **self.after.nodes},
            (*wires, *self.after.wires),
            self.after.groups,
            {**ports, **self.after.ports},
        )


def both(before: Graph, after: Graph) -> Both:
    """Return what differs between two graphs, as it is drawn."""
    changes = difference(before, after)
    old, new = scene(with_places(before)), scene(with_places(after))
    return Both(old, new, tuple(_nodes(old, new, changes)), tuple(_wires(old, new)), changes)


@dataclass(frozen=True, slots=True)
class Compared:
    """The picture of a difference, as SVG, and the same in words."""

    svg: str
    changes: tuple[Change, ...]


def picture(before: Graph, after: Graph, theme: Theme = LIGHT) -> Compared:
    """Draw both graphs as one: `after`, and where it stood what it has no longer."""
    found = both(before, after)
    old, new = found.before, found.after
    left, top, right, bottom = (
        pick(one, other)
        for pick, one, other in zip((min, min, max, max), bounds(old), bounds(new), strict=True)
    )
    lines = [
        *ground(new, theme),
        *(line for view, kind in found.wires for line in _lit(view, kind)),
        *(line for view in new.nodes.values() for line in node(view, theme)),
        *(line for one in found.nodes for line in _drawn(one, theme)),
        *_legend(left, bottom, theme),
    ]
    right = max(right, left + 4 * 130)
    return Compared(
        document((left, top, right, bottom + _LEGEND), lines, theme.canvas), found.changes
    )


def _wires(old: Scene, new: Scene) -> Iterator[tuple[WireView, str]]:
    """Return the wires that are gone, where they ran, and those that are new."""
    there, then = ({str(view.wire) for view in one.wires} for one in (new, old))
    yield from ((view, "removed") for view in old.wires if str(view.wire) not in there)
    yield from ((view, "added") for view in new.wires if str(view.wire) not in then)


def _nodes(old: Scene, new: Scene, changes: tuple[Change, ...]) -> Iterator[Marked]:
    for key, view in old.nodes.items():
        if key not in new.nodes:
            yield Marked(view, "removed")
    for key, view in new.nodes.items():
        before = old.nodes.get(key)
        told = [
            change.sentence for change in changes if change.kind == "changed" and change.node == key
        ]
        if before is None:
            yield Marked(view, "added")
        elif told:
            yield Marked(view, "changed", "; ".join(told))
        if before is not None and (before.x, before.y) != (view.x, view.y):
            yield Marked(view, "moved", before=before)


def _lit(view: WireView, kind: str) -> Iterator[str]:
    light = lit_wire(view, COLOURS[kind])
    yield f'<g stroke-dasharray="7 5">{light}</g>' if kind == "removed" else light


def _drawn(one: Marked, theme: Theme) -> Iterator[str]:
    if one.before is not None:
        yield from _moved(one.before, one.view)
        return
    if one.kind == "removed":
        yield '<g opacity="0.55">'
        yield from node(one.view, theme)
        yield "</g>"
    yield from _marked(one.view, one.kind, one.text)


def _marked(view: NodeView, kind: str, text: str) -> Iterator[str]:
    colour = COLOURS[kind]
    dashes = ' stroke-dasharray="7 5"' if kind == "removed" else ""
    yield f"<g{dashes}>"
    yield from lit_frame(view, colour)
    yield "</g>"
    yield _badge(view.x, view.y, kind)
    if text:
        below = view.y + view.height + 14
        yield words(view.x, below, clipped(text, _LONGEST), colour, font_weight="bold")


def _badge(x: float, y: float, kind: str) -> str:
    """Draw the sign of a kind of difference in a circle."""
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{COLOURS[kind]}"/>'
    return circle + words(
        x,
        y + 4,
        SIGNS[kind],
        "#ffffff",
        text_anchor="middle",
        font_weight="bold",
        font_size="13",
    )


def _moved(before: NodeView, view: NodeView) -> Iterator[str]:
    colour = COLOURS["moved"]
    yield (
        f'<rect x="{before.x}" y="{before.y}" width="{before.width}" height="{before.height}" '
        f'rx="7" fill="none" stroke="{colour}" stroke-dasharray="2 4" stroke-width="1.4"/>'
        f'<line x1="{before.x}" y1="{before.y}" x2="{view.x}" y2="{view.y}" '
        f'stroke="{colour}" stroke-width="1.6"/>'
    )
    yield _badge(view.x + 20, view.y, "moved")


def _legend(left: float, bottom: float, theme: Theme) -> Iterator[str]:
    for number, kind in enumerate(COLOURS):
        x, y = left + 24 + 120 * number, bottom + 12
        yield _badge(x, y, kind)
        yield words(x + 15, y + 4, kind, theme.text)


def write(before: Graph, after: Graph, out: str | PathLike[str]) -> tuple[Change, ...]:
    """Write the picture as SVG, PNG, or a page with the words below it; return the changes."""
    from nodeflow import disk

    path = Path(out)
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        named = f"not as '{kind}'" if kind else "and the file's name has no ending"
        raise ExportError(f"a difference is drawn as {', '.join(ENDINGS)}, {named}")
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
