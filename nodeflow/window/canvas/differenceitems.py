"""What differs between two graphs, over both of them: frames, signs and words by kind."""

from __future__ import annotations

from typing import Any

from nodeflow.editor.state.model import Comparison, Editor
from nodeflow.export.compared import COLOURS, SIGNS, Marked
from nodeflow.scene import NodeView, clipped
from nodeflow.theme import Theme
from nodeflow.window.canvas.wireitems import drawn
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import EM, Fonts, width
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.wires import WireView

_SIGN, _TEXT, _TITLE = 13.0, 11.0, 13.0
_LONGEST = 46
_LEGIBLE = 0.85
"""Words are not smaller than at this zoom."""
_RADIUS = 9.0
_DASH, _GAP = 7.0, 5.0
_LEFT, _TOP, _ROW = 16.0, 14.0, 22.0


class DifferenceItems:
    """Marks in the world, which moves with the camera, and a legend, which does not."""

    def __init__(self, wires: Item, world: Item, screen: Item, theme: Theme, fonts: Fonts) -> None:
        self._wires, self._world, self._screen = wires, world, screen
        self._theme, self._fonts = theme, fonts
        self._drawn: Comparison | None = None
        self._texts: list[tuple[Item, float, float]] = []
        self._zoom = 0.0

    def draw(self, editor: Editor) -> None:
        """Draw what is compared, if anything is."""
        found, zoom = editor.comparison, editor.camera.zoom
        if found is not self._drawn:
            self._drawn, self._texts = found, []
            for layer in (self._wires, self._world, self._screen):
                dpg.delete_item(layer, children_only=True)
            if found is not None:
                self._mark(found)
                self._legend(found.title)
        elif zoom == self._zoom:
            return
        self._zoom = zoom
        for text, size, least in self._texts:
            dpg.configure_item(text, size=size * max(zoom, least))

    def _mark(self, found: Comparison) -> None:
        for view, kind in found.both.wires:
            self._wire(view, kind)
        for one in found.both.nodes:
            if one.before is not None:
                self._moved(one.before, one.view)
            else:
                self._node(one)

    def _wire(self, view: WireView, kind: str) -> None:
        curve: Any = view.curve
        colour = COLOURS[kind]
        if kind == "removed":
            drawn(self._wires, "feedback", curve, (rgba(colour), 3.0))  # in dashes
            return
        for thickness, opacity in ((8.0, 0.28), (3.0, 1.0)):
            drawn(self._wires, "forward", curve, (rgba(colour, opacity), thickness))

    def _node(self, one: Marked) -> None:
        view, colour = one.view, rgba(COLOURS[one.kind])
        corners = (view.x, view.y), (view.x + view.width, view.y + view.height)
        if one.kind == "removed":  # it is no longer there: only a shade of it
            dpg.draw_rectangle(
                *corners, parent=self._world, rounding=7, color=(0, 0, 0, 0),
                fill=rgba(self._theme.canvas, 0.5),
            )  # fmt: skip
            self._dashed(view, colour, 2.4)
        else:
            dpg.draw_rectangle(
                *corners, parent=self._world, rounding=7, color=colour, thickness=2.4
            )
        self._badge(view.x, view.y, one.kind, self._world)
        if one.text:
            below = view.x, view.y + view.height + 4
            self._write(below, clipped(one.text, _LONGEST), _TEXT, colour, self._world)

    def _moved(self, before: NodeView, view: NodeView) -> None:
        colour = rgba(COLOURS["moved"])
        self._dashed(before, colour, 1.4)
        dpg.draw_line(
            (before.x, before.y), (view.x, view.y), parent=self._world, color=colour, thickness=1.6
        )
        self._badge(view.x + 20, view.y, "moved", self._world)

    def _dashed(self, view: NodeView, colour: Any, thickness: float) -> None:
        """Draw a frame in dashes, which the toolkit does not know."""
        left, top = view.x, view.y
        right, bottom = left + view.width, top + view.height
        for (x0, y0), (x1, y1) in (
            ((left, top), (right, top)), ((right, top), (right, bottom)),
            ((right, bottom), (left, bottom)), ((left, bottom), (left, top)),
        ):  # fmt: skip
            length = abs(x1 - x0) + abs(y1 - y0)
            at = 0.0
            while at < length:
                end = min(at + _DASH, length)
                dpg.draw_line(
                    (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length),
                    (x0 + (x1 - x0) * end / length, y0 + (y1 - y0) * end / length),
                    parent=self._world, color=colour, thickness=thickness,
                )  # fmt: skip
                at = end + _GAP

    def _badge(self, x: float, y: float, kind: str, parent: Item) -> None:
        colour = rgba(COLOURS[kind])
        dpg.draw_circle((x, y), _RADIUS, parent=parent, color=colour, fill=colour)
        sign = SIGNS[kind]
        wide = width(sign, self._fonts.bold) * _SIGN * EM
        at = x - wide / 2, y - _SIGN * EM * 0.62
        self._write(at, sign, _SIGN, (255, 255, 255), parent, least=0.0)

    def _legend(self, title: str) -> None:
        white = rgba(self._theme.text)
        wide = max(width(title, self._fonts.bold) * _TITLE * EM, 4 * 96.0)
        dpg.draw_rectangle(
            (_LEFT - 10, _TOP - 8), (_LEFT + wide + 14, _TOP + 2 * _ROW + 4), parent=self._screen,
            rounding=6, color=rgba(self._theme.border), fill=rgba(self._theme.body, 0.94),
        )  # fmt: skip
        self._write((_LEFT, _TOP - 2), title, _TITLE, white, self._screen)
        for number, kind in enumerate(COLOURS):
            x, y = _LEFT + 10 + 96 * number, _TOP + _ROW + 12
            self._badge(x, y, kind, self._screen)
            self._write((x + 14, y - _TEXT * EM * 0.62), kind, _TEXT, white, self._screen)

    def _write(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        colour: Any,
        parent: Item,
        *,
        least: float = _LEGIBLE,
    ) -> None:
        item = dpg.draw_text(at, text, parent=parent, size=size * EM, color=colour)
        if self._fonts.bold is not None:
            dpg.bind_item_font(item, self._fonts.bold)
        if parent == self._world:
            self._texts.append((item, size * EM, least))
