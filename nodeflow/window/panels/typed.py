"""A line that is typed: taken by Enter or by leaving it, marked where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.window.platform.colours import Colour
from nodeflow.window.platform.toolkit import Item, dpg


class Typed:
    """A field for a line of text.

    `enter` gets what was typed, and returns what is wrong with it, or nothing. What is wrong stays
    in the field, in red, until it is typed anew. (The toolkit's own fields for numbers lose what
    is not ended by Enter, and whole numbers wrap at 2³².)
    """

    def __init__(
        self, parent: Item, enter: Callable[[str], str], *, width: int = -1, fault_parent: Item = 0
    ) -> None:
        self._enter = enter
        self._shown = ""
        self._fault = ""
        self._red: Item = 0
        self.item: Item = dpg.add_input_text(
            parent=parent, width=width, on_enter=True, callback=self._entered, auto_select_all=True
        )
        with dpg.item_handler_registry() as registry:
            dpg.add_item_deactivated_after_edit_handler(callback=self._left)
        dpg.bind_item_handler_registry(self.item, registry)
        self._fault_item: Item = dpg.add_text("", parent=fault_parent or parent, show=False, wrap=0)

    @property
    def active(self) -> bool:
        """Whether a person is at it."""
        return bool(dpg.is_item_active(self.item))

    @property
    def fault(self) -> str:
        """What is wrong with what stands in it."""
        return self._fault

    def apply_style(self, wrong: Colour) -> None:
        """Take on the colour of what is wrong."""
        if self._red:
            dpg.delete_item(self._red)
        with dpg.theme() as self._red, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvThemeCol_Text, wrong)
            dpg.add_theme_color(dpg.mvThemeCol_Border, wrong)
            dpg.add_theme_style(dpg.mvStyleVar_FrameBorderSize, 1)
        dpg.configure_item(self._fault_item, color=wrong)
        self._show_fault(self._fault)

    def show(self, text: str) -> None:
        """Show the value that there is now, unless a person is at it or has yet to mend it."""
        if self.active or (self._fault and text == self._shown):
            return
        self._show_fault("")
        self._shown = text
        if dpg.get_value(self.item) != text:
            dpg.set_value(self.item, text)

    def _entered(self, _sender: Item, text: str, _data: Any = None) -> None:
        if text == self._shown:
            self._show_fault("")
            return
        self._show_fault(self._enter(text))

    def _left(self, _sender: Item, item: Item, _data: Any = None) -> None:
        self._entered(item, str(dpg.get_value(item)))

    def _show_fault(self, fault: str) -> None:
        self._fault = fault
        dpg.set_value(self._fault_item, f"! {fault}" if fault else "")
        dpg.configure_item(self._fault_item, show=bool(fault))
        dpg.bind_item_theme(self.item, self._red if fault else 0)
