"""A scene as an SVG picture."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from nodeflow.boxes import FOOT, HEADER
from nodeflow.scene import GroupView, NodeView, PortView, Scene, WireView, clipped, shortened
from nodeflow.theme import LIGHT, Theme

_MARGIN = 24
_HEADER = 22
"""Characters that fit beside each other in a header."""
_FONT = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif"


def svg(scene: Scene, theme: Theme = LIGHT) -> str:
    """Return the picture of a whole scene, in canvas units."""
    left, top, right, bottom = scene.bounds
    x, y = left - _MARGIN, top - _MARGIN
    width, height = right - left + 2 * _MARGIN, bottom - top + 2 * _MARGIN
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x} {y} {width} {height}" '
        f'width="{width}" height="{height}" font-family="{_FONT}" font-size="11">'
    )
    lines = [
        start,
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{theme.canvas}"/>',
    ]
    for group in scene.groups:
        lines += _group(group, theme)
    lines += (_wire(wire, theme) for wire in scene.wires)
    for node in scene.nodes.values():
        lines += _node(node, theme)
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def _text(x: float, y: float, text: str, colour: str, **more: str) -> str:
    rest = "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in more.items())
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}"{rest}>{escape(text)}</text>'


def _wire(wire: WireView, theme: Theme) -> str:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = wire.curve
    colour = {"backward": theme.backward, "feedback": theme.feedback}.get(wire.kind, theme.forward)
    dashes = ' stroke-dasharray="6 4"' if wire.kind == "feedback" else ""
    opacity = 0.45 if wire.across else 0.6 if wire.kind == "feedback" else 0.9
    return (
        f'<path d="M{x0:g} {y0:g}C{x1:g} {y1:g} {x2:g} {y2:g} {x3:g} {y3:g}" fill="none" '
        f'stroke="{colour}" stroke-width="1.8" stroke-opacity="{opacity}"{dashes}>'
        f"<title>{escape(str(wire.wire))}</title></path>"
    )


def _node(node: NodeView, theme: Theme) -> Iterator[str]:
    x, y, width, height = node.x, node.y, node.width, node.height
    border = theme.problem if node.problem else theme.border
    opacity = ' opacity="0.5"' if node.mode == "disable" else ""
    yield f"<g{opacity}><title>{escape(f'{node.key} ({node.type})')}</title>"
    yield (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{theme.body}" '
        f'stroke="{border}" stroke-width="1.2"/>'
    )
    if node.type == "relay":
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
    yield _text(x + 10, y + 17.5, title, theme.text, font_size="12", font_weight="bold")
    if title and len(title) + len(node.type) < _HEADER and node.type != title:
        yield _text(
            x + width - 10, y + 17.5, node.type, theme.faint, font_size="10", text_anchor="end"
        )
    for port in (*node.inputs, *node.outputs):
        yield from _port(port, theme)
    yield (
        f'<path d="M{x + 8} {y + height - FOOT}H{x + width - 8}" stroke="{theme.grid}" '
        'stroke-width="1"/>'
    )
    yield _text(x + 10, y + height - 8, clipped(node.foot), theme.faint)
    yield "</g>"


def _port(port: PortView, theme: Theme) -> Iterator[str]:
    fill = theme.text if port.wired else theme.body
    dashes = ' stroke-dasharray="2 1.5"' if port.optional and not port.wired else ""
    yield (
        f'<circle cx="{port.x}" cy="{port.y}" r="4" fill="{fill}" stroke="{theme.text}" '
        f'stroke-width="1"{dashes}/>'
    )
    anchor = "start" if port.side < 0 else "end"
    if port.label:
        yield _text(
            port.x - 11 * port.side, port.y + 4, port.label, theme.faint, text_anchor=anchor
        )


def _group(group: GroupView, theme: Theme) -> Iterator[str]:
    colour = group.colour if group.colour.startswith("#") else theme.families["view"]
    yield (
        f'<rect x="{group.x}" y="{group.y}" width="{group.width}" height="{group.height}" rx="10" '
        f'fill="{escape(colour)}" fill-opacity="0.45"/>'
    )
    yield _text(
        group.x + 12, group.y + 19, group.title, theme.text, font_size="13", font_weight="bold"
    )
