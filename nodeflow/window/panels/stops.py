"""Breakpoints and conditions; one that cannot be read shows where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from nodeflow.editor.playing.slowmotion import StopRow, pointed
from nodeflow.editor.state.messages import Message
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import AddCondition, ForgetCondition, ToggleStop
from nodeflow.playback.state import ConditionFault
from nodeflow.window.panels.sections import CROSS, Entry, PanelStyle, Section, add_cross, columns
from nodeflow.window.platform.fonts import Fonts, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg

_HINT = "stop when … cost < 0.01"
_CROSS = 40


class StopList(Section):
    """The stops, and a field for a condition."""

    def __init__(
        self, parent: Item, style: PanelStyle, send: Callable[[Message], None], fonts: Fonts
    ) -> None:
        super().__init__(parent, "Stops", style)
        self._send, self._font = send, fonts.regular
        self._list = dpg.add_group(parent=self.body)
        self._shown: Sequence[StopRow] | None = None
        self._fault: ConditionFault | None = None
        self._typed = ""
        self.crosses: dict[str, Item] = {}
        self.entry = Entry(self.body, _HINT, self._entered, style)
        self._where = dpg.add_drawlist(10, 10, parent=self.body, show=False)
        self._why = dpg.add_text("", parent=self.body, wrap=0, show=False)

    def typing(self) -> bool:
        """Return whether its field takes keys."""
        return self.entry.active

    def draw(
        self, rows: Sequence[StopRow], fault: ConditionFault | None, *, restyled: bool
    ) -> None:
        """Show the stops, and what is wrong with the condition that was typed last."""
        if restyled:
            self.apply_style()
            dpg.configure_item(self._why, color=self.style.colour("problem"))
        if rows != self._shown or restyled:
            self._shown = rows
            self._build(rows)
        if self._typed and any(row.condition and row.name == self._typed for row in rows):
            self._typed = ""
            self.entry.put("")
        if fault is not self._fault or restyled:
            self._fault = fault
            self._point(fault)

    def _build(self, rows: Sequence[StopRow]) -> None:
        dpg.delete_item(self._list, children_only=True)
        self.crosses = {}
        style = self.style
        for row in rows:
            line = columns(self._list, 1.0, cross=CROSS * self.style.scale)
            sign = "?" if row.condition else "■"
            room = (style.room - _CROSS * style.scale) / style.text
            text = f"{sign}  {row.text}" + ("  ◂ here" if row.reached else "")
            shown = fitted(text, self._font, room, middle=True)
            item = dpg.add_text(shown, parent=line)
            if row.reached:
                dpg.configure_item(item, color=style.colour("selected"))
            if shown != text:
                with dpg.tooltip(item, delay=0.5):
                    dpg.add_text(row.text)
            command = ForgetCondition(row.name) if row.condition else ToggleStop(row.name)
            remove = partial(self._send, ControlRun(command))
            self.crosses[row.name] = add_cross(line, style, "stop here no longer", remove)

    def _point(self, fault: ConditionFault | None) -> None:
        """Show where reading stopped, or nothing."""
        style = self.style
        style.bind(self.entry.item, "wrong" if fault is not None else "")
        for item in (self._where, self._why):
            dpg.configure_item(item, show=fault is not None)
        if fault is None:
            return
        if not self.entry.active:
            self.entry.put(fault.text)
        dpg.set_value(self._why, f"! {fault.sentence}")
        dpg.delete_item(self._where, children_only=True)
        size = style.text
        high = size * 1.35
        dpg.configure_item(self._where, width=round(style.room), height=round(high))
        inset = 7 * style.scale
        text, start, end = pointed(
            fault, style.room - 2 * inset, lambda part: width(part, self._font) * size
        )
        dpg.draw_text((inset, 0), text, parent=self._where, size=size, color=style.colour("text"))
        y = high - 2 * style.scale
        dpg.draw_line(
            (inset + start, y), (inset + end, y), parent=self._where,
            color=style.colour("problem"), thickness=2 * style.scale,
        )  # fmt: skip

    def _entered(self, text: str) -> None:
        self._typed = text
        self._send(ControlRun(AddCondition(text)))
