"""A line that is typed: taken by Enter or by leaving it, marked where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.editor.state.faults import Mistyped
from nodeflow.window.platform.colours import Colour
from nodeflow.window.platform.looks import wrong_field
from nodeflow.window.platform.toolkit import Item, dpg


class Typed:
    """A field for a line of text.

    `enter` gets what was typed, and returns what is wrong with it, or nothing. What is wrong stays
    in the field, in red, until it is typed anew or given up by Escape; `keep` gets it, since the
    field may be gone before that (None: nothing is wrong any more). (The toolkit's own fields for
    numbers lose what is not ended by Enter, and whole numbers wrap at 2³².)
    """

    def __init__(
        self,
        parent: Item,
        enter: Callable[[str], str],
        keep: Callable[[Mistyped | None], None],
        *,
        width: int = -1,
        fault_parent: Item = 0,
    ) -> None:
        self._enter, self._keep = enter, keep
        self._shown: tuple[str, Mistyped | None] = "", None
        self._taken: str | None = None
        self._wrong: Colour = (255, 0, 0, 255)
        self._red: Item = 0
        self.item: Item = dpg.add_input_text(
            parent=parent, width=width, on_enter=True, callback=self._entered, auto_select_all=True
        )
        with dpg.item_handler_registry() as self._handlers:
            dpg.add_item_deactivated_handler(callback=self._left)
        dpg.bind_item_handler_registry(self.item, self._handlers)
        self._fault_item: Item = dpg.add_text("", parent=fault_parent or parent, show=False, wrap=0)

    def close(self) -> None:
        """Leave nothing behind when the panel that it is in is emptied."""
        dpg.delete_item(self._handlers)
        if self._red:
            dpg.delete_item(self._red)

    @property
    def active(self) -> bool:
        """Whether a person is at it."""
        return bool(dpg.is_item_active(self.item))

    @property
    def fault(self) -> str:
        """What is wrong with what stands in it."""
        mistake = self._shown[1]
        return "" if mistake is None else mistake.fault

    @property
    def waits(self) -> bool:
        """Whether something was taken, so that it is to be shown as it is written."""
        return self._taken is not None

    def apply_style(self, wrong: Colour) -> None:
        """Take on the colour of what is wrong."""
        self._wrong = wrong
        if self._red:
            dpg.delete_item(self._red)
            self._red = 0
        dpg.configure_item(self._fault_item, color=wrong)
        self._mark()

    def show(self, text: str, mistake: Mistyped | None = None) -> None:
        """Show the value that there is now, or what cannot be; not while a person is at it."""
        if mistake is not None and mistake.over != text:
            mistake = None  # it was typed over another value
        if (self._shown == (text, mistake) and not self.waits) or self.active:
            return
        self._shown, self._taken = (text, mistake), None
        now = text if mistake is None else mistake.text
        if dpg.get_value(self.item) != now:
            dpg.set_value(self.item, now)
        self._mark()

    def _entered(self, _sender: Item, text: str, _data: Any = None) -> None:
        if text == self._taken:
            return  # by Enter, which leaves the field as well
        over, mistake = self._shown
        fault = "" if text == over else self._enter(text)
        self._taken = None if fault else text
        now = Mistyped(text, over, fault) if fault else None
        if now != mistake:
            self._shown = over, now
            self._mark()
            self._keep(now)

    def _left(self, _sender: Item, item: Item, _data: Any = None) -> None:
        """Take what was typed; Escape gives it up."""
        if dpg.is_key_pressed(dpg.mvKey_Escape):
            dpg.set_value(item, self._shown[0])
        self._entered(item, str(dpg.get_value(item)))

    def _mark(self) -> None:
        if self.fault and not self._red:
            self._red = wrong_field(self._wrong)
        dpg.set_value(self._fault_item, f"! {self.fault}" if self.fault else "")
        dpg.configure_item(self._fault_item, show=bool(self.fault))
        dpg.bind_item_theme(self.item, self._red if self.fault else 0)
