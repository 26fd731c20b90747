"""The log of steps: a click goes to the moment after one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nodeflow.editor.playing.slowmotion import LogRow
from nodeflow.playback.state import Playback
from nodeflow.window.panels.sections import PanelStyle, Section
from nodeflow.window.platform.fonts import Fonts, fitted_list
from nodeflow.window.platform.toolkit import Item, dpg

_HEIGHT, _LINE = 196, 17.0
_VALUE = 0.42
"""How much of a row its value takes."""
_MARK, _EDGES = 16, 20
"""How wide the mark of the last step is, and a scroll bar with the edges of a column."""


class StepLog(Section):
    """Keeps its rows and writes them anew: a step is told many times a second."""

    def __init__(
        self, parent: Item, style: PanelStyle, go: Callable[[int], None], fonts: Fonts
    ) -> None:
        super().__init__(parent, "Steps", style)
        self._go, self._fonts = go, fonts
        self._empty = dpg.add_text("", parent=self.body, wrap=0)
        self._window = dpg.add_child_window(parent=self.body, height=_HEIGHT, show=False)
        self._table = dpg.add_table(
            parent=self._window, header_row=False, policy=dpg.mvTable_SizingStretchProp,
            pad_outerX=False,
        )  # fmt: skip
        for weight in (1 - _VALUE, _VALUE):
            dpg.add_table_column(parent=self._table, init_width_or_weight=weight)
        self.rows: list[tuple[Item, Item, Item]] = []
        """The row, what is clicked in it, and the value."""
        self._kinds: list[str] = []
        self._shown: Sequence[LogRow] | None = None

    def draw(self, rows: Sequence[LogRow], playback: Playback, *, restyled: bool) -> None:
        """Show the steps that led to a moment."""
        if restyled:
            self.apply_style()
            self.style.bind(self._window, "tight")
            dpg.configure_item(self._empty, color=self.style.colour("faint"))
            self._kinds = [""] * len(self.rows)
        if rows == self._shown and not restyled:
            return
        self._shown = rows
        high = min(len(rows) * _LINE + 6, _HEIGHT) * self.style.scale
        dpg.configure_item(self._window, show=bool(rows), height=round(high))
        dpg.configure_item(self._empty, show=not rows)
        dpg.set_value(self._empty, _why_empty(playback))
        while len(self.rows) < len(rows):
            self._add()
        for number, (row, label, value) in enumerate(self.rows):
            dpg.configure_item(row, show=number < len(rows))
            if number < len(rows):
                self._write(number, rows[number], label, value, last=number == len(rows) - 1)
        dpg.set_y_scroll(self._window, -1.0)  # to its end

    def _add(self) -> None:
        with dpg.table_row(parent=self._table) as row:
            label = dpg.add_selectable(span_columns=True, callback=self._clicked)
            value = dpg.add_text("")
        self.rows.append((row, label, value))
        self._kinds.append("")

    def _write(self, number: int, row: LogRow, label: Item, value: Item, *, last: bool) -> None:
        kind = row.phase or "heading"
        if kind != self._kinds[number]:
            self._kinds[number] = kind
            self.style.bind(label, kind)
        dpg.configure_item(
            label, label=row.text, user_data=row.number, enabled=row.number is not None
        )
        dpg.set_value(label, last)
        room = _VALUE * self.style.room - (_MARK + _EDGES) * self.style.scale
        text = fitted_list(row.value, self._fonts.regular, room / self.style.text)
        dpg.set_value(value, f"{text}  ●" if last else text)

    def _clicked(self, sender: Item, _value: object, number: int | None) -> None:
        dpg.set_value(sender, False)
        if number is not None:
            self._go(number)


def _why_empty(playback: Playback) -> str:
    if playback.number:
        return "at full speed no steps are listed: pause, or step"
    return "no step was made yet: F10 makes one, F8 plays"
