"""A scene as an SVG picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape as escaped
from xml.sax.saxutils import quoteattr

from nodeflow.boxes import FOOT, HEADER
from nodeflow.declare import kind_of
from nodeflow.routing import path
from nodeflow.scene import (
    FieldView,
    GroupView,
    NodeView,
    PortView,
    Scene,
    SliderView,
    clipped,
    counted,
    scene,
    shortened,
    sized,
)
from nodeflow.theme import LIGHT, THEMES, Theme
from nodeflow.views.marks import fitted
from nodeflow.views.marks import width as width_of
from nodeflow.wires import Stroke, WireView, thickness
from nodeflow.workings.shown import show, signed, weighed

if TYPE_CHECKING:
    from nodeflow.export import Job, Made
    from nodeflow.export.values import Shown

_MARGIN = 24
_HEADER, _BESIDE_SWITCH = 22, 18
"""Characters that fit beside each other in a header, without and with a switch."""
_CHARACTER = 6.2
"""About the width of a character in a field."""
_SMALL = 10.0, 9.0
"""Sizes of numbers on wires."""
_BETWEEN = 52.0
"""What lies between the ports of two columns of nodes: there a weight is written."""
_EDGE, _GAP, _PORT = 1.5, 1.0, 4.0
"""What its box has around it, what lies between that and the ports, and how far these reach."""
_FONT = "DejaVu Sans, Verdana, Segoe UI, sans-serif"
_FOREIGN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML does not have."""
Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom, in canvas units."""


def make(job: Job) -> Made:
    """Return the canvas with the values of a first pass."""
    from nodeflow.export import Made

    text, _ = drawing(job)
    return Made(text.encode("utf-8"), {"nodes": len(job.graph.nodes)})


def drawing(job: Job) -> tuple[str, Bounds]:
    """Return the canvas of a job's graph with the values of a first pass, and what it shows."""
    from nodeflow.export.values import first_pass

    return drawn_with(first_pass(job), THEMES[job.options.theme or "dark"])


def drawn_with(shown: Shown, theme: Theme) -> tuple[str, Bounds]:
    """Return the picture of a graph with values, views filled, and what it shows."""
    from nodeflow.export.views import filled

    drawn = scene(shown.viewer.graph, values=shown.values)
    drawn, inside = filled(drawn, shown.viewer, shown.values, shown.weights, theme, shown.past)
    return svg(drawn, theme, inside), bounds(drawn)


def svg(
    drawn: Scene, theme: Theme = LIGHT, insides: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return the picture of a whole scene, in canvas units; view nodes have insides."""
    held = insides or {}
    nodes = (
        line for view in drawn.nodes.values() for line in node(view, theme, held.get(view.key, ()))
    )
    return document(bounds(drawn), [*ground(drawn, theme), *nodes], theme.canvas)


def bounds(drawn: Scene) -> Bounds:
    """Return what the picture of a scene shows: everything, and a margin around it."""
    left, top, right, bottom = drawn.bounds
    return left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN


def document(shown: Bounds, lines: Iterable[str], background: str = "") -> str:
    """Return an SVG document of drawn lines; without a background it is transparent."""
    x, y, width, height = (
        f"{length:.10g}"
        for length in (shown[0], shown[1], shown[2] - shown[0], shown[3] - shown[1])
    )
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x} {y} {width} {height}" '
        f'width="{width}" height="{height}">'
    )
    # MuPDF takes no font from the outermost element, and svglib none whose name is in quotes.
    font = f'<g font-family="{_FONT}" font-size="11">'
    back = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{background}"/>'
    behind = [back] if background else []
    return "\n".join([start, *behind, font, *lines, "</g>", "</svg>"]) + "\n"


def ground(drawn: Scene, theme: Theme) -> Iterator[str]:
    """Draw what lies behind the nodes: groups and wires."""
    for group in drawn.groups:
        yield from _group(group, theme)
    yield from (_stroke(stroke, theme) for stroke in drawn.strokes)
    yield from _weights(drawn.wires, theme)


def escape(text: str) -> str:
    """Return a text as it may stand in XML."""
    return escaped(_FOREIGN.sub("\N{REPLACEMENT CHARACTER}", text))


def words(x: float, y: float, text: str, colour: str, **more: str) -> str:
    """Draw a text; `more` are further attributes, with _ for -."""
    rest = "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in more.items())
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}"{rest}>{escape(text)}</text>'


def _stroke(stroke: Stroke, theme: Theme) -> str:
    kind, across = stroke.kind, stroke.wires[0].across
    colour = {"backward": theme.backward, "feedback": theme.feedback}.get(kind, theme.forward)
    dashes = ' stroke-dasharray="6 4"' if kind == "feedback" else ""
    opacity = 0.45 if across else 0.6 if kind == "feedback" else 0.9
    thick = stroke.thickness
    told = stroke.text
    weight = None if stroke.weighing is None else stroke.weighing.weight
    if weight is not None and kind != "feedback":
        thick = thick if across else thickness(weight)
        colour = theme.positive if weight >= 0 else theme.negative
        told += f": {show(weight)}"
    return (
        f'<path d="{path(stroke.curve)}" fill="none" '
        f'stroke="{colour}" stroke-width="{thick:.3g}" '
        f'stroke-opacity="{opacity}"{dashes}><title>{escape(told)}</title></path>'
    )


def lit_frame(node: NodeView, colour: str) -> Iterator[str]:
    """Draw the light around a node that is evaluated."""
    for away, opacity, width in ((2.6, 0.4, 4), (0, 1, 2.4)):
        yield (
            f'<rect x="{node.x - away:g}" y="{node.y - away:g}" '
            f'width="{node.width + 2 * away:g}" height="{node.height + 2 * away:g}" '
            f'rx="{7 + away:g}" fill="none" stroke="{colour}" stroke-opacity="{opacity}" '
            f'stroke-width="{width}"/>'
        )


def lit_wire(wire: WireView, colour: str) -> str:
    """Draw the light of a wire that is carrying something."""
    way = f'd="{path(wire.curve)}" fill="none"'
    return (
        f'<path {way} stroke="{colour}" stroke-width="8" stroke-opacity="0.28"/>'
        f'<path {way} stroke="{colour}" stroke-width="3"/>'
    )


def chip(text: str, width: float, theme: Theme, colour: str) -> Iterator[str]:
    """Draw a value in a small box of that width, 16 high, around (0, 0)."""
    yield (
        f'<rect x="{-width / 2:g}" y="-8" width="{width:g}" height="16" rx="8" '
        f'fill="{theme.canvas}" stroke="{colour}" stroke-width="1.2"/>'
    )
    yield words(0, 4, text, theme.text, text_anchor="middle")


def token(theme: Theme, colour: str) -> str:
    """Draw what runs along a wire, around (0, 0)."""
    return f'<circle r="5.5" fill="{colour}" stroke="{theme.canvas}" stroke-width="2"/>'


def _weights(wires: Iterable[WireView], theme: Theme) -> Iterator[str]:
    """Write weights on their wires, once for a parameter: signs are not told by colour alone.

    One that is wider than the room between two ports is written a little smaller, or without the
    number that it weighs; it is left out where it would cover them still.
    """
    weighing = (wire for wire in wires if wire.weight is not None and wire.kind != "feedback")
    for (mark, y), wire in {wire.mark: wire for wire in weighing}.items():
        texts = (
            (signed(wire.weight),)
            if wire.carries_weight
            else (weighed(wire.weight, wire.carried), weighed(wire.weight))
        )
        written = ((text, size, width_of(text, size)) for text in texts for size in _SMALL)
        fits = (one for one in written if one[2] + 2 * (_EDGE + _GAP) <= _BETWEEN)
        text, size, wide = next(fits, ("", 0, 0))
        if not text:
            continue
        half = wide / 2 + _EDGE
        port, side = (
            (wire.start[0], wire.leaves) if wire.carries_weight else (wire.end[0], wire.enters)
        )
        x = mark + side * max(half + _GAP + _PORT - abs(mark - port), 0.0)
        yield (
            f'<rect x="{x - half:g}" y="{y - 7:g}" width="{2 * half:g}" height="14" '
            f'fill="{theme.canvas}" stroke="{theme.border}" stroke-width="0.6"/>'
        )
        yield words(x, y + 3.5, text, theme.text, font_size=f"{size:g}", text_anchor="middle")


def node(
    node: NodeView, theme: Theme, inside: Sequence[str] = (), *, old: bool = False
) -> Iterator[str]:
    """Draw a node, with what a view shows inside; what is `old` is of an earlier pass, and grey."""
    x, y, width, height = node.x, node.y, node.width, node.height
    border = theme.problem if node.problem else theme.border
    opacity = ' opacity="0.5"' if node.mode == "disable" else ""
    yield f"<g{opacity}><title>{escape(f'{node.key} ({node.type})')}</title>"
    yield (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{theme.body}" '
        f'stroke="{border}" stroke-width="1.2"/>'
    )
    if node.drawn_as == "knot":
        for port in (*node.inputs, *node.outputs):
            yield from _port(port, theme)
        yield "</g>"
        return
    header = theme.families.get(node.family, theme.families[""])
    bottom = y + HEADER
    yield (
        f'<path d="M{x + 0.6} {bottom}V{y + 7}a6.4 6.4 0 0 1 6.4 -6.4H{x + width - 7}'
        f'a6.4 6.4 0 0 1 6.4 6.4V{bottom}Z" fill="{header}"/>'
    )
    title = shortened(node.title)
    yield words(x + 10, y + 17.5, title, theme.text, font_size="12", font_weight="bold")
    right = width - 10 if node.switch is None else node.switch.left - 6
    most = _HEADER if node.switch is None else _BESIDE_SWITCH
    if title and len(title) + len(node.type) < most and node.type != title:
        yield words(x + right, y + 17.5, node.type, theme.faint, font_size="10", text_anchor="end")
    for port in (*node.inputs, *node.outputs):
        yield from _port(port, theme)
    yield (
        f'<path d="M{x + 8} {y + height - FOOT}H{x + width - 8}" stroke="{theme.grid}" '
        'stroke-width="1"/>'
    )
    yield from ('<g opacity="0.45">', *inside, "</g>") if inside and old else inside
    if node.slider is not None:
        yield from _slider(node, node.slider, theme)
    field = node.field
    for one in filter(None, (field, node.switch)):
        yield from _field(node, one, theme)
    if field is None or not field.first:
        room = node.width - 20.0 if field is None else field.left - 15.0
        foot = node.foot
        if node.value is not None and width_of(foot) > room:  # cut numbers would be misread
            hits = kind_of(node.type).counts_hits
            choices = counted(node.value) if hits else (sized(node.value.shape),)
            foot = next((text for text in choices if width_of(text) <= room), choices[-1])
        said = fitted(foot, room)
        if node.value is None and 2 * len(said) < len(foot):
            said = ""  # the stump of a formula tells nothing
        is_told = node.value is not None and not old
        yield words(x + 10, y + height - 8, said, theme.text if is_told else theme.faint)
    yield "</g>"


def _slider(node: NodeView, slider: SliderView, theme: Theme) -> Iterator[str]:
    """Draw the track of a slider, and its handle."""
    left, right = node.x + slider.track.left, node.x + slider.track.right
    y, at = node.y + slider.track.y, node.x + slider.handle[0]
    yield f'<path d="M{left} {y}H{right}" stroke="{theme.border}" stroke-width="3"/>'
    yield f'<circle cx="{at:g}" cy="{y}" r="5" fill="{theme.selected}"/>'


def _field(node: NodeView, field: FieldView, theme: Theme) -> Iterator[str]:
    """Draw the setting that can be changed on a node; a list has an arrow."""
    x, y = node.x + field.left, node.y + field.top
    yield (
        f'<rect x="{x}" y="{y}" width="{field.width}" height="{field.height}" rx="4" '
        f'fill="{theme.canvas}" stroke="{theme.border}" stroke-width="0.6"/>'
    )
    arrow = " ▾" if field.kind == "list" else ""
    room = round((field.width - 8) / _CHARACTER) - len(arrow)
    text = clipped(node.foot if field.own else field.text, room) + arrow
    yield words(x + 5, y + field.height - 5, text, theme.text)


def _port(port: PortView, theme: Theme) -> Iterator[str]:
    fill = theme.text if port.wired else theme.body
    dashes = ' stroke-dasharray="2 1.5"' if port.optional and not port.wired else ""
    yield (
        f'<circle cx="{port.x}" cy="{port.y}" r="4" fill="{fill}" stroke="{theme.text}" '
        f'stroke-width="1"{dashes}/>'
    )
    anchor = "start" if port.side < 0 else "end"
    if port.label:
        yield words(
            port.x - 11 * port.side, port.y + 4, port.label, theme.faint, text_anchor=anchor
        )


def _group(group: GroupView, theme: Theme) -> Iterator[str]:
    colour = group.colour if group.colour.startswith("#") else theme.families["view"]
    yield (
        f'<rect x="{group.x}" y="{group.y}" width="{group.width}" height="{group.height}" rx="10" '
        f'fill="{escape(colour)}" fill-opacity="0.45"/>'
    )
    yield words(
        group.x + 12, group.y + 19, group.title, theme.text, font_size="13", font_weight="bold"
    )
