"""Sheets: windows over all others that take every key.

Their lists are lit by the arrows, Enter takes and Escape leaves, so that nothing needs the mouse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodeflow.theme import Theme
from nodeflow.window.platform.colours import Colour, rgba
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg

_WIDE = 600
_PATIENCE, _HELD = 24, 8
"""Frames for which a field is given the keys again, and what one counts in which it has them."""
_SIGNS = {"▸": "▸\u2006\u2006 ", "✓": "✓ ", "": "\u2002\u2006\u2006 "}
"""What stands before a line: signs and spaces that are equally wide, so that no text moves."""
_MARGIN, _LAID_OUT = 8, 4
"""A sheet's least distance to the window's edge, in pixels, and the frames that it is laid out."""


@dataclass(frozen=True)
class SheetStyle:
    """How sheets look."""

    theme: Theme
    look: Item
    fonts: Fonts
    scale: float


class Sheet:
    """A window over all others."""

    title = ""
    wide = _WIDE

    def __init__(self, style: SheetStyle, leave: Callable[[], None]) -> None:
        self._style, self._leave = style, leave
        self._faints: list[Item] = []
        self._field: Item | None = None
        self._focus = 0
        self._is_new = False
        self._fault: Item | None = None
        self._seen = False
        across, down = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        wide = self._across = min(round(self.wide * style.scale), across - 2 * _MARGIN)
        left, top = max((across - wide) // 2, _MARGIN), max(round(down * 0.12), _MARGIN)
        self._laying = _LAID_OUT
        self._lit_item: Item | None = None
        self._lit_in: Item = 0
        # What is higher than the window is scrolled.
        self.window = dpg.add_window(
            modal=True, no_title_bar=True, no_resize=True, no_move=True, no_saved_settings=True,
            autosize=True, pos=(left, top), min_size=(wide, 10),
            max_size=(wide, max(down - 2 * _MARGIN, 100)), no_open_over_existing_popup=False,
        )  # fmt: skip
        dpg.bind_item_theme(self.window, style.look)
        title = dpg.add_text(self.title, parent=self.window)
        if style.fonts.bold is not None:
            dpg.bind_item_font(title, style.fonts.bold)
        dpg.add_separator(parent=self.window)

    @property
    def theme(self) -> str:
        """The name of the theme that it was made in."""
        return self._style.theme.name

    @property
    def gone(self) -> bool:
        """Whether the toolkit closed it by itself."""
        self._seen = self._seen or bool(dpg.is_item_visible(self.window))
        return self._seen and not dpg.is_item_shown(self.window)

    @property
    def waits(self) -> bool:
        """Whether it is not laid out, or its field does not have the keys yet."""
        return self._focus > 0 or self._laying > 0

    @property
    def field_waits(self) -> bool:
        """Whether its field is still to come by the keyboard."""
        return self._focus > 0 and not self.ready

    @property
    def ready(self) -> bool:
        """Whether what is typed is taken."""
        return self._field is None or bool(dpg.is_item_active(self._field))

    def draw(self, *, typing: bool) -> None:
        """Give the field the keys, after a frame in which nobody was typing."""
        self._keep_in_view()
        typing, self._is_new = typing or self._is_new, False
        if typing or dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            return  # what is pressed just now would lose its click
        if self._focus and self._field is not None:
            active = bool(dpg.is_item_active(self._field))
            self._focus = max(self._focus - (_HELD if active else 1), 0)
            if not active:
                dpg.focus_item(self._field)

    def close(self) -> None:
        """Be gone."""
        dpg.delete_item(self.window)

    def _reveal(self, item: Item, within: Item = 0) -> None:
        """Scroll to an item, once it is laid out: the sheet, or a window within it."""
        self._lit_item, self._lit_in, self._laying = item, within, _LAID_OUT

    def _keep_in_view(self) -> None:
        """Begin higher up where the sheet ends below the window, and show the line that is lit.

        The toolkit tells sizes some frames later.
        """
        if not self._laying:
            return
        self._laying -= 1
        left, top = dpg.get_item_pos(self.window)
        high = dpg.get_item_rect_size(self.window)[1]
        room = dpg.get_viewport_client_height() - _MARGIN
        if top > _MARGIN and top + high > room:
            dpg.configure_item(self.window, pos=(left, max(room - high, _MARGIN)))
        if not self._laying and self._lit_item is not None and dpg.does_item_exist(self._lit_item):
            view = self._lit_in or self.window
            scrolled = dpg.get_y_scroll(view)
            high = dpg.get_item_rect_size(view)[1]
            start = dpg.get_item_pos(self._lit_item)[1] - scrolled
            end = start + dpg.get_item_rect_size(self._lit_item)[1]
            outside = min(start - _MARGIN, 0) + max(end + _MARGIN - high, 0)
            if outside:
                dpg.set_y_scroll(view, max(scrolled + outside, 0.0))  # below 0 is its end

    def restyled(self, style: SheetStyle) -> None:
        """Look another way, with all that was typed and chosen."""
        self._style = style
        dpg.bind_item_theme(self.window, style.look)
        self._faints = [item for item in self._faints if dpg.does_item_exist(item)]
        for item in self._faints:
            dpg.configure_item(item, color=rgba(style.theme.faint))
        if self._fault is not None:
            dpg.configure_item(self._fault, color=rgba(style.theme.problem))

    def key(self, name: str) -> None:
        """Answer a key."""
        if name == "Escape":
            self._leave()

    def _with_field(self, parent: Item, text: str, hint: str, typed: Callable[[str], None]) -> None:
        self._field = dpg.add_input_text(
            parent=parent, width=-1, default_value=text, hint=hint,
            callback=lambda _sender, now: typed(now),
        )  # fmt: skip
        self._focus, self._is_new = _PATIENCE, True

    def _with_fault(self) -> None:
        self._fault = dpg.add_text("", parent=self.window, show=False, wrap=0)
        dpg.configure_item(self._fault, color=rgba(self._style.theme.problem))

    def _show_fault(self, fault: str) -> None:
        if self._fault is not None:
            dpg.set_value(self._fault, f"! {fault}")
            dpg.configure_item(self._fault, show=bool(fault))
        if fault:  # Enter has taken the keys from the field
            self._focus = _PATIENCE

    def _faint(self, text: str, parent: Item) -> Item:
        item: Item = dpg.add_text(text, parent=parent, color=rgba(self._style.theme.faint), wrap=0)
        self._faints.append(item)
        return item

    def _buttons(self, *buttons: tuple[str, Callable[[], None]]) -> Item:
        dpg.add_spacer(height=2, parent=self.window)
        with dpg.group(horizontal=True, parent=self.window) as row:
            for label, does in buttons:
                dpg.add_button(label=label, user_data=does, callback=_pressed)
        made: Item = row
        return made


def _pressed(_sender: Item, _value: Any, does: Callable[[], None]) -> None:
    does()


def marked(text: str, sign: str = "") -> str:
    """Return a line with its sign, ▸ where the keys go and ✓ where it is chosen, or with none."""
    return _SIGNS[sign] + text


def plain(colour: Colour) -> Item:
    """Return the looks of a field that nobody types in, and of a line in a list."""
    sizes = {"ButtonTextAlign": (0.0, 0.5), "SelectableTextAlign": (0.0, 0.85)}
    return look(sizes, Text=colour)
