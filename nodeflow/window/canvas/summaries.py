"""What a node is from afar: its name and its value, fitted to its box, at a size that reads."""

from __future__ import annotations

from dataclasses import dataclass

from nodeflow.boxes import FOOT
from nodeflow.editor.canvas.faces import Foot, Shown, summary
from nodeflow.scene import NodeView
from nodeflow.theme import Theme
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import EM, Fonts, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg

SMALLEST = 11.0
"""No text on a node is smaller, in pixels at scale 1."""
_NAME = 12.0
_PAD = 4.0
_FOOT = 0.75
"""What a view says stands below its picture where the foot is so high, in heights of a text."""
_LEAST_ROOM = 1.6
"""A text that has less room, in its own heights, is left out: two letters tell nothing."""


@dataclass(slots=True)
class Summary:
    """The two lines of a node that is seen from afar, and what they were written for."""

    root: Item
    name: Item
    value: Item
    written: tuple[object, ...] = ()


def made(parent: Item, theme: Theme, fonts: Fonts) -> Summary:
    """Return the lines of a node, with nothing written yet."""
    root = dpg.add_draw_node(parent=parent)
    lines = []
    for font in (fonts.bold, fonts.regular):
        lines.append(dpg.draw_text((0, 0), "", parent=root, size=1, color=rgba(theme.text)))
        if font is not None:
            dpg.bind_item_font(lines[-1], font)
    return Summary(root, lines[0], lines[1])


def write(
    items: Summary,
    view: NodeView,
    face: Shown,
    zoom: float,
    scale: float,
    theme: Theme,
    fonts: Fonts,
) -> None:
    """Write name and value into the box of a node, as it is seen at this zoom."""
    wanted = (view.title, view.width, view.height, zoom)
    same = len(items.written) == 5 and items.written[:4] == wanted
    if same and items.written[4] is face:
        return
    items.written = (*wanted, face)
    wide, high = view.width * zoom - 2 * _PAD, view.height * zoom
    least = SMALLEST * scale
    name, text = max(_NAME * zoom, least) * EM, least * EM
    two = high >= name + text if view.view is None else FOOT * zoom >= _FOOT * text
    value = summary(view, face)
    said = _fitting(value, fonts.regular, wide / text) if two else ""
    title = fitted(view.title, fonts.bold, max(wide / name, 0), middle=True)
    if wide < _LEAST_ROOM * name or high < name:
        title = ""
    top = (high - name - text * bool(said)) / 2 if view.view is None else 1.0
    below = top + name if view.view is None else high - text
    colour = theme.faint if value.faint else theme.text
    for item, line, font, size, y, look in (
        (items.name, title, fonts.bold, name, top, theme.text),
        (items.value, said, fonts.regular, text, below, colour),
    ):
        x = (view.width * zoom - width(line, font) * size) / 2
        dpg.configure_item(item, pos=(x / zoom, y / zoom), text=line, size=size, color=rgba(look))


def _fitting(value: Foot, font: Item | None, room: float) -> str:
    """Return a value in so much room; a number that was cut would be misread."""
    for text in value.choices:
        if width(text, font) <= room:
            return text
    return fitted(value.text, font, room) if value.text and room >= _LEAST_ROOM else ""
