"""A field for a setting: one widget a kind. What is typed is checked before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import Setting, inert, numbers
from nodeflow.editor.state.faults import Mistyped
from nodeflow.editor.state.reading import number, read, written
from nodeflow.window.panels.typed import Typed
from nodeflow.window.platform.colours import Colour
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import show

MOST_ROWS = MOST_COLUMNS = 12
"""Larger arrays are told, not edited."""
_FITTING, _CELL, _ROW = 3, 80, 30
"""The most columns that fit side by side; the width of one where there are more, which are
scrolled; and the height of a row."""

Enter = Callable[[Any], str]
"""Called with a setting's new value; returns why it cannot be, "" if it can."""
Keep = Callable[[str, Mistyped | None], None]
"""Called with a field's name and what was typed into it and cannot be (see `Typed`)."""
MistakeOf = Callable[[str], Mistyped | None]
"""Returns what was typed into a field and cannot be."""


class Field:
    """The widgets of one setting: one, or one for each number of an array."""

    def __init__(
        self, parent: Item, setting: Setting, value: Any, enter: Enter, keep: Keep, wrong: Colour
    ) -> None:
        self.setting = setting
        self._enter, self._keep, self._wrong = enter, keep, wrong
        self._value: Any = object()
        self._shape: tuple[int, int] | None = None
        self.items: list[Item] = []
        self._typed: list[Typed] = []
        self._parent = dpg.add_group(parent=parent)
        self._make(value)

    @property
    def active(self) -> bool:
        """Whether a person is at it."""
        return any(dpg.is_item_active(item) for item in self.items)

    def show(self, value: Any, mistakes: MistakeOf) -> None:
        """Show the value that the setting has now, unless a person is at it."""
        if self.active:
            return
        if value is not self._value:
            if self._is_table and self._cells(value) != self._shape:
                self.close()
                dpg.delete_item(self._parent, children_only=True)
                self._make(value)
            self._value = value
            if not self._typed:
                self._set(value)
        if self._typed:
            for name, typed, text in zip(self._names, self._typed, self._texts, strict=True):
                typed.show(text, mistakes(name))

    def close(self) -> None:
        """Leave nothing behind."""
        for typed in self._typed:
            typed.close()
        self.items, self._typed = [], []

    # --- widgets

    @property
    def _is_table(self) -> bool:
        return self.setting.kind == "array"

    def _make(self, value: Any) -> None:
        kind, parent = self.setting.kind, self._parent
        match kind:
            case "flag":
                self.items = [dpg.add_checkbox(parent=parent, callback=self._on_plain)]
            case "choice":
                self.items = [
                    dpg.add_combo(
                        list(self.setting.choices), parent=parent, width=-1, callback=self._on_plain
                    )
                ]
            case "array":
                self._make_table(value)
            case _:
                # Numbers too: what is no number stays there, red, with what is allowed.
                self._add_typed(parent, self.setting.name, self._on_text)

    def _add_typed(
        self, parent: Item, name: str, enter: Callable[[str], str], width: int = -1
    ) -> None:
        typed = Typed(parent, enter, partial(self._keep, name), width=width)
        typed.apply_style(self._wrong)
        self._typed.append(typed)
        self.items.append(typed.item)

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
        if self._shape is None or self._shape == (0, 0):
            size = "" if value is None else "×".join(map(str, np.shape(_array(value))))
            text = "drawn at the start" if value is None else f"{size}, too large to be typed"
            dpg.add_text(text, parent=self._parent, wrap=0)
            return
        rows, columns = self._shape
        scrolls = columns > _FITTING
        sizing = dpg.mvTable_SizingFixedFit if scrolls else dpg.mvTable_SizingStretchSame
        with dpg.table(
            parent=self._parent, header_row=False, policy=sizing,
            pad_outerX=False, scrollX=scrolls, height=rows * _ROW + 16 if scrolls else 0,
        ):  # fmt: skip
            for _ in range(columns):
                dpg.add_table_column(width_fixed=scrolls, init_width_or_weight=_CELL * scrolls)
            for row in range(rows):
                with dpg.table_row():
                    for column in range(columns):
                        self._add_typed(
                            dpg.add_group(), self._cell_name(row, column),
                            partial(self._on_cell, (row, column)), _CELL if scrolls else -1,
                        )  # fmt: skip

    def _cell_name(self, row: int, column: int) -> str:
        return f"{self.setting.name}[{row + 1}, {column + 1}]"

    @property
    def _names(self) -> list[str]:
        """The names of the lines that are typed."""
        if not self._is_table or self._shape is None:
            return [self.setting.name]
        rows, columns = self._shape
        return [self._cell_name(row, column) for row in range(rows) for column in range(columns)]

    @property
    def _texts(self) -> list[str]:
        """What stands in them."""
        if not self._is_table:
            return [written(self._value)]
        return list(map(show, _array(self._value).ravel().tolist()))

    def _set(self, value: Any) -> None:
        for item in self.items:
            if value is not None:
                dpg.set_value(item, value)

    # --- what a person does

    def _on_plain(self, _sender: Item, value: Any, _data: Any = None) -> None:
        if self._enter(value):
            self._set(self._value)

    def _on_text(self, text: str) -> str:
        value = read(text, self.setting.kind)
        return "" if inert(value) == self._value else self._enter(value)

    def _on_cell(self, cell: tuple[int, int], text: str) -> str:
        """Put what was typed into the array, or return what is wrong with it."""
        one = number(text)
        if isinstance(one, str) or not np.isfinite(one):
            return "must be a finite number"
        before = _array(self._value)
        array = np.atleast_2d(before).copy()
        if show(array[cell]) == show(one):
            return ""  # what was shown has fewer digits than what is there
        array[cell] = one
        return self._enter((array[0] if before.ndim == 1 else array).tolist())


def _array(value: Any) -> NDArray[np.float64]:
    """Return a setting's value, or a live one, as numbers."""
    return np.atleast_1d(value) if isinstance(value, np.ndarray) else numbers(value)
