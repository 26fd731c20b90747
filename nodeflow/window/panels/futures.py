"""The futures of a run: one is present, another may be compared with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nodeflow.editor.playing.slowmotion import FutureRow, comparison, largest_differences
from nodeflow.editor.state.messages import Message
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import CompareFuture, Switch
from nodeflow.playback.state import Playback
from nodeflow.window.panels.sections import PanelStyle, Section, columns
from nodeflow.window.platform.fonts import Fonts, fitted
from nodeflow.window.platform.toolkit import Item, dpg


class Futures(Section):
    """A list of futures, and what differs most."""

    def __init__(
        self, parent: Item, style: PanelStyle, send: Callable[[Message], None], fonts: Fonts
    ) -> None:
        super().__init__(parent, "Futures", style)
        self._send, self._font = send, fonts.regular
        self._note = dpg.add_text("", parent=self.body, wrap=0)
        self._list = dpg.add_group(parent=self.body)
        self.rows: list[tuple[Item, Item, Item]] = []
        """What is clicked to switch, from where to where it is known, and to compare."""
        self._shown: Sequence[FutureRow] = ()
        self._said = dpg.add_text("", parent=self.body, wrap=0, show=False)
        self._differences = dpg.add_table(
            parent=self.body, header_row=False, policy=dpg.mvTable_SizingStretchProp,
            pad_outerX=False,
        )  # fmt: skip
        for weight in (0.7, 0.3):
            dpg.add_table_column(parent=self._differences, init_width_or_weight=weight)
        self._compared: tuple[object, ...] = ()

    def draw(self, rows: Sequence[FutureRow], playback: Playback, *, restyled: bool) -> None:
        """Show the futures, and how the present one differs from that which is compared."""
        if restyled:
            self.apply_style()
            self.style.bind(self._differences, "tight")
            for item in (self._note, self._said):
                dpg.configure_item(item, color=self.style.colour("faint"))
        alone = len(rows) < 2
        dpg.configure_item(self._note, show=alone)
        dpg.set_value(self._note, "a change in the past begins another future")
        if rows != self._shown or restyled:
            self._shown = rows
            if restyled or len(self.rows) != (0 if alone else len(rows)):
                self._build(() if alone else rows)
            for row, items in zip(rows, self.rows, strict=False):
                self._write(row, *items)
        self._compare(playback, restyled=restyled)

    def _build(self, rows: Sequence[FutureRow]) -> None:
        dpg.delete_item(self._list, children_only=True)
        self.rows = []
        for number in range(len(rows)):
            title = dpg.add_selectable(parent=self._list, user_data=number, callback=self._switched)
            line = columns(self._list, 0.66, 0.34)
            where = dpg.add_text("", parent=line, color=self.style.colour("faint"))
            compare = dpg.add_button(
                label="compare", small=True, parent=line, user_data=number,
                callback=self._toggled,
            )  # fmt: skip
            self.rows.append((title, where, compare))

    def _write(self, row: FutureRow, title: Item, where: Item, compare: Item) -> None:
        sign = "◉" if row.present else "○"
        room = self.style.room / self.style.text
        text = fitted(f"{sign}  {row.title}", self._font, room, middle=True)
        dpg.configure_item(title, label=text)
        dpg.set_value(title, row.present)
        dpg.set_value(where, f"     {row.where}")
        dpg.configure_item(compare, show=(not row.present or row.compared) and row.comparable)
        dpg.configure_item(compare, label="✓ compared" if row.compared else "compare")
        self.style.bind(compare, "chosen" if row.compared else "")

    def _compare(self, playback: Playback, *, restyled: bool) -> None:
        said, most = comparison(playback), largest_differences(playback)
        if (said, most) == self._compared and not restyled:
            return
        self._compared = said, most
        dpg.configure_item(self._said, show=bool(said))
        dpg.set_value(self._said, said)
        dpg.delete_item(self._differences, children_only=True, slot=1)
        room = 0.7 * self.style.room / self.style.text
        for address, size in most if said else ():
            with dpg.table_row(parent=self._differences):
                dpg.add_text(fitted(address, self._font, room, middle=True))
                dpg.add_text(size)

    def _switched(self, sender: Item, _value: object, number: int) -> None:
        dpg.set_value(sender, self._shown[number].present)
        if not self._shown[number].present:
            self._send(ControlRun(Switch(number)))

    def _toggled(self, _sender: Item, _value: object, number: int) -> None:
        self._send(ControlRun(CompareFuture(None if self._shown[number].compared else number)))
