"""A field for a setting: one widget a kind. What is typed is checked before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import Setting, inert, numbers
from nodeflow.editor.state.reading import number, read, written
from nodeflow.errors import BadSetting
from nodeflow.window.panels.typed import Typed
from nodeflow.window.platform.colours import Colour
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import show

MOST_ROWS = MOST_COLUMNS = 12
"""Larger arrays are told, not edited."""
_FITTING, _CELL, _ROW = 3, 80, 30
"""So many columns fit beside each other; more are so wide, and scrolled."""

Change = Callable[[str, Any, bool], None]
"""Called with a setting's name, its value, and whether this is all of the change."""


class Field:
    """The widget of one setting."""

    def __init__(
        self, parent: Item, setting: Setting, value: Any, change: Change, wrong: Colour
    ) -> None:
        self.setting = setting
        self._change = change
        self._wrong = wrong
        self._red: Item | None = None
        self._value: Any = object()
        self._shape: tuple[int, int] | None = None
        self.items: list[Item] = []
        self._typed: list[Typed] = []
        self._parent = dpg.add_group(parent=parent)
        self._fault = 0
        self._make(value)
        self._fault = dpg.add_text("", parent=self._parent, show=False, wrap=0, color=wrong)
        self.show(value)

    @property
    def active(self) -> bool:
        """Whether a person is at it."""
        return any(dpg.is_item_active(item) for item in self.items)

    def show(self, value: Any) -> None:
        """Show the value that the setting has now, unless a person is at it."""
        if value is self._value or self.active:
            return
        if self._is_table and self._cells(value) != self._shape:
            for item in dpg.get_item_children(self._parent, 1):
                if item != self._fault:
                    dpg.delete_item(item)
            self.items, self._typed = [], []
            self._make(value)
        self._value = value
        self._show_fault("")
        self._set(value)

    def close(self) -> None:
        """Leave nothing behind."""
        self._show_fault("")

    # --- widgets

    @property
    def _is_table(self) -> bool:
        return self.setting.kind == "array"

    def _make(self, value: Any) -> None:
        kind, parent = self.setting.kind, self._parent
        match kind:
            case "flag":
                item = dpg.add_checkbox(parent=parent, callback=self._on_plain)
            case "choice":
                item = dpg.add_combo(
                    list(self.setting.choices), parent=parent, width=-1, callback=self._on_plain
                )
            case "array":
                self._make_table(value)
                return
            case _:
                # Numbers too: what is no number stays there, red, with what is allowed.
                item = dpg.add_input_text(
                    parent=parent, width=-1, on_enter=True, callback=self._on_text,
                    auto_select_all=True,
                )  # fmt: skip
                with dpg.item_handler_registry() as registry:
                    dpg.add_item_deactivated_after_edit_handler(callback=self._on_left)
                dpg.bind_item_handler_registry(item, registry)
        self.items = [item]

    def _cells(self, value: Any) -> tuple[int, int] | None:
        """Return rows and columns of an array that is small enough to be edited."""
        if value is None:
            return None
        array = np.atleast_2d(_array(value))
        if array.ndim != 2 or array.shape[0] > MOST_ROWS or array.shape[1] > MOST_COLUMNS:
            return 0, 0
        return array.shape[0], array.shape[1]

    def _make_table(self, value: Any) -> None:
        self._shape = self._cells(value)
        before = self._fault or 0
        if self._shape is None or self._shape == (0, 0):
            size = "" if value is None else "×".join(map(str, np.shape(_array(value))))
            text = "drawn at the start" if value is None else f"{size}, too large to be typed"
            dpg.add_text(text, parent=self._parent, before=before, wrap=0)
            return
        rows, columns = self._shape
        scrolls = columns > _FITTING
        sizing = dpg.mvTable_SizingFixedFit if scrolls else dpg.mvTable_SizingStretchSame
        with dpg.table(
            parent=self._parent, before=before, header_row=False, policy=sizing,
            pad_outerX=False, scrollX=scrolls, height=rows * _ROW + 16 if scrolls else 0,
        ):  # fmt: skip
            for _ in range(columns):
                dpg.add_table_column(width_fixed=scrolls, init_width_or_weight=_CELL * scrolls)
            for row in range(rows):
                with dpg.table_row():
                    for column in range(columns):
                        place = dpg.add_group()
                        cell = Typed(
                            place,
                            partial(self._on_cell, (row, column)),
                            width=_CELL if scrolls else -1,
                        )
                        cell.apply_style(self._wrong)
                        self._typed.append(cell)
                        self.items.append(cell.item)

    def _set(self, value: Any) -> None:
        kind = self.setting.kind
        if kind == "array":
            if self.items:
                for cell, one in zip(self._typed, _array(value).ravel().tolist(), strict=True):
                    cell.show(_written(one))
            return
        (item,) = self.items
        if kind in ("flag", "choice"):
            if value is not None:
                dpg.set_value(item, value)
        else:
            dpg.set_value(item, written(value))

    # --- what a person does

    def _on_plain(self, _sender: Item, value: Any, _data: Any = None) -> None:
        if self._holds(value):
            self._change(self.setting.name, value, True)

    def _on_text(self, _sender: Item, text: str, _data: Any = None) -> None:
        value = read(text, self.setting.kind)
        if self._holds(value) and inert(value) != self._value:
            self._change(self.setting.name, value, True)

    def _on_left(self, _sender: Item, item: Item, _data: Any = None) -> None:
        self._on_text(item, dpg.get_value(item))

    def _on_cell(self, cell: tuple[int, int], text: str) -> str:
        """Put what was typed into the array, or return what is wrong with it."""
        one = number(text)
        if isinstance(one, str) or not np.isfinite(one):
            return "a number"
        before = _array(self._value)
        array = np.atleast_2d(before).copy()
        if _written(float(array[cell])) == _written(one):
            return ""  # what was shown has fewer digits than what is there
        array[cell] = one
        value = (array[0] if before.ndim == 1 else array).tolist()
        if self._holds(value):
            self._change(self.setting.name, value, True)
        return ""

    def _holds(self, value: Any) -> bool:
        """Check a value; what is wrong is told below the field, which keeps what was typed."""
        try:
            self.setting.check(inert(value), "the setting")
        except BadSetting as error:
            self._show_fault(str(error).removeprefix("the setting."))
            return False
        self._show_fault("")
        return True

    def _show_fault(self, fault: str) -> None:
        if not self._fault:
            return
        dpg.configure_item(self._fault, show=bool(fault))
        dpg.set_value(self._fault, f"! {fault}" if fault else "")
        if fault and self._red is None and len(self.items) == 1:
            with dpg.theme() as self._red, dpg.theme_component(dpg.mvAll):
                dpg.add_theme_color(dpg.mvThemeCol_Text, self._wrong)
                dpg.add_theme_color(dpg.mvThemeCol_Border, self._wrong)
                dpg.add_theme_style(dpg.mvStyleVar_FrameBorderSize, 1)
            dpg.bind_item_theme(self.items[0], self._red)
        elif not fault and self._red is not None:
            dpg.bind_item_theme(self.items[0], 0)
            dpg.delete_item(self._red)
            self._red = None


def _written(number: float) -> str:
    return show(number)


def _array(value: Any) -> NDArray[np.float64]:
    """Return a setting's value, or a live one, as numbers."""
    return np.atleast_1d(value) if isinstance(value, np.ndarray) else numbers(value)
