"""Watched ports: the present value, and the values after the last updates as lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from nodeflow.editor.playing.slowmotion import WatchRow
from nodeflow.editor.state.messages import Do, Message
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Watch
from nodeflow.window.panels.sections import CROSS, Entry, PanelStyle, Section, add_cross, columns
from nodeflow.window.platform.fonts import Fonts, fitted, fitted_list, width
from nodeflow.window.platform.toolkit import Item, dpg

_HEIGHT, _EDGE, _SMALL = 40, 4, 11
_COLOURS = ("selected", "positive", "backward", "feedback", "forward", "faint", "text", "problem")
_CROSS = 34
_NAME = 0.5
"""How much of a row its name takes."""


class WatchList(Section):
    """The list of watched ports, and a field for one more."""

    def __init__(
        self, parent: Item, style: PanelStyle, send: Callable[[Message], None], fonts: Fonts
    ) -> None:
        super().__init__(parent, "Watched", style)
        self._send, self._fonts = send, fonts
        self._list = dpg.add_group(parent=self.body)
        self.rows: dict[str, tuple[Item, Item]] = {}
        """By address: its value, and where its lines are drawn."""
        self._shown: Sequence[WatchRow] | None = None
        self.entry = Entry(self.body, "watch a port, such as hidden.z", self._entered, style)
        self._fault = dpg.add_text("", parent=self.body, wrap=0, show=False)
        self._add = dpg.add_button(
            label="Watch what is selected", parent=self.body, callback=lambda: send(Do("watch"))
        )

    def typing(self) -> bool:
        """Return whether its field takes keys."""
        return self.entry.active

    def draw(self, rows: Sequence[WatchRow], fault: str, *, restyled: bool, chosen: bool) -> None:
        """Show the ports that are watched."""
        if restyled:
            self.apply_style()
            dpg.configure_item(self._fault, color=self.style.colour("problem"))
        dpg.configure_item(self._add, show=chosen)
        self._show_fault(fault)
        if not fault and [row.address for row in rows] != list(self.rows):
            self.entry.put("")
        if rows == self._shown and not restyled:
            return
        self._shown = rows
        addresses = [row.address for row in rows]
        if restyled or addresses != list(self.rows):
            self._build(addresses)
        for row in rows:
            value, drawing = self.rows[row.address]
            room = ((1 - _NAME) * self.style.room - _CROSS * self.style.scale) / self.style.text
            age = f"  {row.age}" if row.age else ""
            text = fitted_list(
                row.value, self._fonts.regular, room - width(age, self._fonts.regular)
            )
            dpg.set_value(value, text + age)
            dpg.configure_item(value, color=self.style.colour("faint" if age else "text"))
            self._plot(drawing, row)

    def _show_fault(self, fault: str) -> None:
        dpg.configure_item(self._fault, show=bool(fault))
        dpg.set_value(self._fault, f"! {fault}")
        self.style.bind(self.entry.item, "wrong" if fault else "")

    def _build(self, addresses: Sequence[str]) -> None:
        dpg.delete_item(self._list, children_only=True)
        self.rows = {}
        for address in addresses:
            row = columns(self._list, _NAME, 1 - _NAME, cross=CROSS * self.style.scale)
            room = (_NAME * self.style.room - 12) / self.style.text
            name = fitted(address, self._fonts.regular, room, middle=True)
            dpg.add_text(name, parent=row, color=self.style.colour("faint"))
            value = dpg.add_text("", parent=row)
            remove = partial(self._send, ControlRun(Watch(address)))
            add_cross(row, self.style, f"watch {address} no longer", remove)
            drawing = dpg.add_drawlist(
                round(self.style.room), round(_HEIGHT * self.style.scale), parent=self._list
            )
            self.rows[address] = value, drawing

    def _plot(self, drawing: Item, row: WatchRow) -> None:
        style, scale = self.style, self.style.scale
        dpg.delete_item(drawing, children_only=True)
        wide, high, edge = style.room, _HEIGHT * scale, _EDGE * scale
        dpg.draw_rectangle(
            (0, 0), (wide, high), parent=drawing, rounding=4, color=style.colour("border", 0.5),
            fill=style.colour("canvas"),
        )  # fmt: skip
        size = _SMALL * scale
        texts = [(row.high, 1.0), (row.low, high - size * 1.2 - 1)]
        margin = max((width(text, None) * size for text, _ in texts), default=0.0) + 2 * edge
        for text, y in texts:
            at = wide - width(text, None) * size - edge, y
            dpg.draw_text(at, text, parent=drawing, size=size * 1.1, color=style.colour("faint"))
        across, up = wide - margin - 2 * edge, high - 2 * edge
        if not row.lines:
            at = (2 * edge, (high - style.text) / 2 - scale)
            text = "lines begin after the first update"
            dpg.draw_text(at, text, parent=drawing, size=size * 1.2, color=style.colour("faint"))
        for number, line in enumerate(row.lines):
            points = [(edge + x * across, edge + (1 - y) * up) for x, y in line]
            colour = style.colour(_COLOURS[number % len(_COLOURS)])
            if len(points) > 1:
                dpg.draw_polyline(points, parent=drawing, color=colour, thickness=1.4 * scale)
            if points:
                dpg.draw_circle(points[-1], 2 * scale, parent=drawing, color=colour, fill=colour)

    def _entered(self, address: str) -> None:
        if address in self.rows:
            self.entry.put("")
            return
        self._send(ControlRun(Watch(address)))
