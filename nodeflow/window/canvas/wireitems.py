"""The wires on the canvas: curves near by, straight lines far away, dashes where they feed back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nodeflow.routing import along, line
from nodeflow.theme import Theme
from nodeflow.window.canvas.summaries import SMALLEST
from nodeflow.window.platform.colours import Colour, mixed, rgba
from nodeflow.window.platform.fonts import EM, Fonts, width
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.wires import Stroke, thickness

_DASH, _GAP = 7.0, 5.0
_SAMPLES = 64
MOST_LABELS = 60
"""The most values that are written on wires."""
_LABEL = 10.5 * EM

Curve = tuple[tuple[float, float], ...]


Look = tuple[Colour, float]
Label = tuple[tuple[float, float], str, bool]
"""Where a value stands, its text, and whether it is of another pass than the present one."""


@dataclass(slots=True)
class WireItems:
    """What is drawn of one wire; `kind` is forward, backward, feedback, straight or around."""

    root: Item
    kind: str
    curve: Curve
    look: Look


def style(
    stroke: Stroke, theme: Theme, *, selected: bool, hovered: bool, weight: float | None = None
) -> Look:
    """Return a stroke's colour and thickness; one that stands for a weight shows sign and size."""
    # Only where the network computes with it: its copies on the way back would cover all else.
    across, kind = stroke.wires[0].across, stroke.kind
    thick = stroke.thickness if across or weight is None else thickness(weight)
    if selected:
        return rgba(theme.selected), max(thick, thickness(None)) * 2
    if weight is not None and kind != "feedback":
        colour = theme.positive if weight >= 0 else theme.negative
        return rgba(colour, 0.6 if across else 1.0), thick * (1.4 if hovered else 1.0)
    name = {"backward": theme.backward, "feedback": theme.feedback}.get(kind, theme.forward)
    if hovered:
        return rgba(name), thick * 1.7
    opacity = 0.45 if across else 0.6 if kind == "feedback" else 0.9
    return rgba(name, opacity), thick


def drawn(parent: Item, kind: str, curve: Curve, look: Look) -> WireItems:
    """Draw a wire."""
    colour, thickness = look
    if kind == "feedback":
        root = dpg.add_draw_node(parent=parent)
        _dashes(root, curve, look)
    elif kind == "straight":
        root = dpg.draw_line(curve[0], curve[-1], parent=parent, color=colour, thickness=thickness)
    elif kind == "around":
        root = dpg.draw_polyline(line(curve), parent=parent, color=colour, thickness=thickness)
    else:
        root = dpg.draw_bezier_cubic(*curve, parent=parent, color=colour, thickness=thickness)
    return WireItems(root, kind, curve, look)


def changed(items: WireItems, curve: Curve, look: Look) -> None:
    """Bend or restyle a wire that is drawn."""
    if curve == items.curve and look == items.look:
        return
    bent = curve != items.curve
    items.curve, items.look = curve, look
    more = {"color": look[0], "thickness": look[1]}
    if items.kind == "feedback":
        if bent:
            dpg.delete_item(items.root, children_only=True)
            _dashes(items.root, curve, look)
        else:
            for dash in dpg.get_item_children(items.root, 2):
                dpg.configure_item(dash, **more)
        return
    if bent and items.kind == "straight":
        more |= {"p1": curve[0], "p2": curve[-1]}
    elif bent and items.kind == "around":
        more |= {"points": line(curve)}
    elif bent:
        more |= dict(zip(("p1", "p2", "p3", "p4"), curve, strict=True))
    dpg.configure_item(items.root, **more)


def _dashes(parent: Item, curve: Curve, look: Look) -> None:
    """Draw a curve in dashes of one length, which the toolkit does not know."""
    points = np.array(
        [along(curve, share) for share in np.linspace(0, 1, _SAMPLES).tolist()]
        if len(curve) == 4
        else line(curve)
    )
    gone = np.append(0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    starts = np.arange(0.0, gone[-1], _DASH + _GAP)
    ends = np.minimum(starts + _DASH, gone[-1])
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        dash = [
            (float(np.interp(at, gone, points[:, 0])), float(np.interp(at, gone, points[:, 1])))
            for at in (first, last)
        ]
        dpg.draw_line(dash[0], dash[1], parent=parent, color=look[0], thickness=look[1])


def label_size(zoom: float, scale: float) -> float:
    """Return how large values stand on wires, in canvas units: they can be read at any zoom."""
    return max(_LABEL, SMALLEST * EM * scale / zoom)


def label_width(text: str, zoom: float, scale: float, fonts: Fonts) -> float:
    """Return how wide a value stands on a wire, in canvas units."""
    return width(text, fonts.regular) * label_size(zoom, scale) + 8


class Labels:
    """Values on wires. Items are kept and written anew: with every frame of a run all change."""

    def __init__(self, layer: Item, theme: Theme, fonts: Fonts, scale: float) -> None:
        self._layer, self._fonts, self._scale = layer, fonts, scale
        self._fill = mixed(theme.canvas, theme.body, 0.5)
        self._colour, self._faint = rgba(theme.text), rgba(theme.faint, 0.8)
        self._border = mixed(theme.canvas, theme.border, 0.7)
        self._items: list[tuple[Item, Item]] = []
        self._shown = 0
        self._zoom = 0.0
        self._drawn: object = None

    def draw(self, texts: list[Label], zoom: float) -> None:
        """Write texts about points of the canvas."""
        if texts is not self._drawn or self._size(zoom) != self._size(self._zoom or zoom):
            self._drawn = texts
            self._write(texts, zoom)
        elif zoom != self._zoom:
            for _, text in self._items[: self._shown]:
                dpg.configure_item(text, size=self._size(zoom) * zoom)
        self._zoom = zoom

    def _size(self, zoom: float) -> float:
        return label_size(zoom, self._scale)

    def _write(self, texts: list[Label], zoom: float) -> None:
        while len(self._items) < len(texts):
            box = dpg.draw_rectangle(
                (0, 0), (1, 1), parent=self._layer, color=self._border, fill=self._fill
            )
            text = dpg.draw_text((0, 0), "", parent=self._layer, color=self._colour, size=_LABEL)
            self._items.append((box, text))
        size = self._size(zoom)
        high = size / 2 + 2
        for (box, text), ((x, y), words, old) in zip(self._items, texts, strict=False):
            half = width(words, self._fonts.regular) * size / 2
            corner, end = (x - half - 4, y - high), (x + half + 4, y + high)
            dpg.configure_item(box, pmin=corner, pmax=end, show=True)
            dpg.configure_item(
                text, pos=(x - half, y - size / 2), text=words, size=size * zoom, show=True,
                color=self._faint if old else self._colour,
            )  # fmt: skip
        for pair in self._items[len(texts) : self._shown]:
            for item in pair:
                dpg.configure_item(item, show=False)
        self._shown = len(texts)
