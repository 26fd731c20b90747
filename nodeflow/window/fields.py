"""A field for a setting: one widget a kind. What is typed is checked before it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from nodeflow.declare import Array, Setting, inert, numbers
from nodeflow.errors import BadSetting
from nodeflow.window.toolkit import Item, dpg

MOST_CELLS = 64
"""Larger arrays are told, not edited."""
_DIGITS = 6

Change = Callable[[str, Any, bool], None]
"""Called with a setting's name, its value, and whether the drag is over."""


class Field:
    """The widget of one setting."""

    def __init__(self, parent: Item, setting: Setting, value: Any, change: Change) -> None:
        self.setting = setting
        self._change = change
        self._dragged: Any = None
        self._value: Any = object()
        self._shape: tuple[int, ...] | None = None
        self.items: list[Item] = []
        self._parent = dpg.add_group(parent=parent)
        self._fault = 0
        self._make(value)
        self._fault = dpg.add_text("", parent=self._parent, show=False, wrap=0)
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
            self.items = []
            self._make(value)
        self._value = value
        self._tell("")
        self._set(value)

    def settle(self) -> None:
        """End a drag: what it led to is one step."""
        if self._dragged is not None and not self.active:
            value, self._dragged = self._dragged, None
            self._change(self.setting.name, value, True)

    # --- widgets

    @property
    def _is_table(self) -> bool:
        return self.setting.kind == "array"

    def _make(self, value: Any) -> None:
        kind, parent = self.setting.kind, self._parent
        match kind:
            case "number":
                span = self.setting.range
                item = dpg.add_drag_double(
                    parent=parent, width=-1, speed=0.01, format="%.6g", callback=self._on_number,
                    min_value=-1e12 if span is None or span.low is None else span.low,
                    max_value=1e12 if span is None or span.high is None else span.high,
                    clamped=span is not None,
                )  # fmt: skip
            case "integer":
                item = dpg.add_input_int(
                    parent=parent, width=-1, callback=self._on_plain, on_enter=True
                )
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
                item = dpg.add_input_text(
                    parent=parent, width=-1, on_enter=True, callback=self._on_text
                )
                with dpg.item_handler_registry() as registry:
                    dpg.add_item_deactivated_after_edit_handler(callback=self._on_left)
                dpg.bind_item_handler_registry(item, registry)
        self.items = [item]

    def _cells(self, value: Any) -> tuple[int, ...] | None:
        """Return rows and columns of an array that is small enough to be edited."""
        if value is None:
            return None
        array = np.atleast_2d(numbers(value))
        return array.shape if array.size <= MOST_CELLS else (0, 0)

    def _make_table(self, value: Any) -> None:
        self._shape = self._cells(value)
        if self._shape is None or self._shape == (0, 0):
            text = "drawn at the start" if value is None else repr(value).replace("Array", "")
            dpg.add_text(text, parent=self._parent)
            return
        rows, columns = self._shape
        with dpg.table(
            parent=self._parent, header_row=False, policy=dpg.mvTable_SizingStretchSame,
            pad_outerX=False,
        ):  # fmt: skip
            for _ in range(columns):
                dpg.add_table_column()
            for row in range(rows):
                with dpg.table_row():
                    for column in range(columns):
                        self.items.append(
                            dpg.add_input_double(
                                width=-1, step=0, step_fast=0, format="%.5g", on_enter=True,
                                user_data=(row, column), callback=self._on_cell,
                            )
                        )  # fmt: skip

    def _set(self, value: Any) -> None:
        kind = self.setting.kind
        if kind == "array":
            if self.items:
                for item, number in zip(self.items, numbers(value).ravel().tolist(), strict=True):
                    dpg.set_value(item, number)
            return
        (item,) = self.items
        if kind in ("number", "integer", "flag", "choice"):
            if value is not None:
                dpg.set_value(item, value)
        else:
            dpg.set_value(item, written(value))

    # --- what a person does

    def _on_number(self, _sender: Item, value: float, _data: Any = None) -> None:
        value = float(f"{value:.{_DIGITS}g}")
        if self._holds(value):
            self._dragged = value
            self._change(self.setting.name, value, False)

    def _on_plain(self, _sender: Item, value: Any, _data: Any = None) -> None:
        if self._holds(value):
            self._change(self.setting.name, value, True)

    def _on_text(self, _sender: Item, text: str, _data: Any = None) -> None:
        value = read(text, self.setting.kind)
        if self._holds(value) and inert(value) != self._value:
            self._change(self.setting.name, value, True)

    def _on_left(self, _sender: Item, item: Item, _data: Any = None) -> None:
        self._on_text(item, dpg.get_value(item))

    def _on_cell(self, _sender: Item, number: float, cell: tuple[int, int]) -> None:
        array = np.atleast_2d(numbers(self._value)).copy()
        array[cell] = number
        flat = numbers(self._value).ndim == 1
        value = (array[0] if flat else array).tolist()
        if self._holds(value):
            self._change(self.setting.name, value, True)

    def _holds(self, value: Any) -> bool:
        """Check a value; what is wrong is told below the field, which keeps what was typed."""
        try:
            self.setting.check(inert(value), "the setting")
        except BadSetting as error:
            self._tell(str(error).removeprefix("the setting."))
            return False
        self._tell("")
        return True

    def _tell(self, fault: str) -> None:
        if self._fault:
            dpg.configure_item(self._fault, show=bool(fault))
            dpg.set_value(self._fault, f"! {fault}" if fault else "")

    def redden(self, colour: tuple[int, int, int, int]) -> None:
        """Set the colour of what is told when something is wrong."""
        dpg.configure_item(self._fault, color=colour)


def written(value: Any) -> str:
    """Return a value as it is typed: lists without brackets."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, str | Array) else json.dumps(value)


def read(text: str, kind: str) -> Any:
    """Return what was typed as a value of a kind; what it is not fails its check."""
    text = text.strip()
    if kind in ("text", "formula"):
        return text
    if not text:
        return None
    parts = [_part(part.strip()) for part in text.replace("×", ",").strip("[]()").split(",")]
    return parts if len(parts) > 1 or kind == "shape" else parts[0]


def _part(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
