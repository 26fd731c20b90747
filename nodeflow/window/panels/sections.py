"""What the sections of the slow-motion panel are made of: their looks, headers and rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nodeflow.editor.state.model import Editor
from nodeflow.theme import THEMES, Theme
from nodeflow.window.platform.colours import CLEAR, Colour, mixed, rgba
from nodeflow.window.platform.fonts import SIZE
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg

ROOM = 282
"""How wide a section is, in pixels at scale 1: the side without its edges and scroll bar."""
CROSS = 24
"""How wide a column with a cross is, at scale 1."""
_PATIENCE = 1.0
"""Seconds after which a field has the keys, or somebody has clicked elsewhere."""


class PanelStyle:
    """The colours of a theme and its scale, bound to widgets by name."""

    def __init__(self) -> None:
        self.theme: Theme = THEMES["dark"]
        self.scale = 1.0
        self._made: dict[str, Item] = {}
        self._wrong: set[Item] = set()
        self._of: tuple[str, float] | None = None
        # The toolkit rings a field that takes the keys only together with its own keys.
        with dpg.item_handler_registry() as self._ring:
            dpg.add_item_activated_handler(callback=lambda _s, item: self._put(item, "focus"))
            dpg.add_item_deactivated_handler(callback=lambda _s, item: self._put(item, ""))

    @property
    def text(self) -> float:
        """The size of text in pixels."""
        return SIZE * self.scale

    @property
    def room(self) -> float:
        """How wide a section is, in pixels."""
        return ROOM * self.scale

    def apply_style(self, editor: Editor) -> bool:
        """Take on the theme and scale of an editor; return whether they are others."""
        of = (editor.preferences.theme, editor.preferences.scale)
        if of == self._of:
            return False
        self._of, self.scale = of, of[1]
        self.theme = theme = THEMES[of[0]]
        for old in self._made.values():
            dpg.delete_item(old)
        quiet = mixed(theme.body, theme.text, 0.07)
        self._made = {
            "forward": look(Text=rgba(theme.forward)),
            "backward": look(Text=rgba(theme.backward)),
            "update": look(Text=rgba(theme.feedback)),
            "heading": look(Text=rgba(theme.faint), Header=CLEAR, HeaderHovered=CLEAR),
            "header": look(Header=quiet),
            "focus": look({"FrameBorderSize": 1.5}, Border=rgba(theme.selected)),
            "wrong": look({"FrameBorderSize": 1}, Border=rgba(theme.problem)),
            "bare": look(Button=CLEAR),
            "tight": look(
                # A list whose texts stand on one line with what is clicked.
                {"FramePadding": (7 * self.scale, 0), "CellPadding": (4 * self.scale, self.scale)}
            ),
            "chosen": look(Button=mixed(theme.body, theme.selected, 0.45)),
        }
        return True

    def bind(self, item: Item, name: str) -> None:
        """Give a widget one of the looks, or none."""
        dpg.bind_item_theme(item, self._made.get(name, 0))
        if name == "wrong":
            self._wrong.add(item)
        else:
            self._wrong.discard(item)

    def ring(self, field: Item) -> None:
        """Have a field ringed while it takes the keys."""
        dpg.bind_item_handler_registry(field, self._ring)

    def _put(self, field: Item, name: str) -> None:
        """Put a ring around a field or take it away; one that is marked as wrong stays so."""
        if dpg.does_item_exist(field) and field not in self._wrong:
            self.bind(field, name)

    def colour(self, name: str, alpha: float = 1.0) -> Colour:
        """Return a colour of the theme."""
        return rgba(getattr(self.theme, name), alpha)


class Section:
    """A header that opens and closes; it stays as a person has left it."""

    def __init__(self, parent: Item, title: str, style: PanelStyle) -> None:
        self.style = style
        self._header = dpg.add_collapsing_header(label=title, parent=parent, default_open=True)
        self.body = dpg.add_group(parent=self._header)
        dpg.add_spacer(height=3, parent=self._header)

    def apply_style(self) -> None:
        """Take on other looks."""
        self.style.bind(self._header, "header")

    def show(self, *, shown: bool) -> None:
        """Show the section, or hide it."""
        dpg.configure_item(self._header, show=shown)


class Entry:
    """A field for a line of text, sent by Enter; what was wrong with it stands below."""

    def __init__(
        self, parent: Item, hint: str, enter: Callable[[str], None], style: PanelStyle
    ) -> None:
        self._enter = enter
        self._until = 0.0
        self.item = dpg.add_input_text(
            parent=parent, hint=hint, width=-1, on_enter=True, callback=self._entered
        )
        style.ring(self.item)

    @property
    def text(self) -> str:
        """What is typed."""
        return str(dpg.get_value(self.item))

    @property
    def active(self) -> bool:
        """Whether a person is at it."""
        return bool(dpg.is_item_active(self.item))

    def put(self, text: str) -> None:
        """Put a text into it."""
        dpg.set_value(self.item, text)

    def focus(self) -> None:
        """Let it take the keys."""
        dpg.focus_item(self.item)
        self._until = time.perf_counter() + _PATIENCE

    @property
    def waits(self) -> bool:
        """Whether it is still to come by the keys."""
        if self._until and (self.active or time.perf_counter() > self._until):
            self._until = 0.0
        return self._until > 0

    def _entered(self, _sender: Item, text: str, _data: Any = None) -> None:
        if text.strip():
            self._enter(text.strip())


def columns(parent: Item, *weights: float, cross: float = 0.0) -> Item:
    """Return the only row of a table, in columns; the last, so many pixels wide, is for a cross."""
    table = dpg.add_table(
        parent=parent, header_row=False, policy=dpg.mvTable_SizingStretchProp, pad_outerX=False
    )
    for weight in weights:
        dpg.add_table_column(parent=table, init_width_or_weight=weight)
    if cross:
        dpg.add_table_column(parent=table, width_fixed=True, init_width_or_weight=cross)
    row: Item = dpg.add_table_row(parent=table)
    return row


def add_cross(parent: Item, style: PanelStyle, note: str, remove: Callable[[], None]) -> Item:
    """Add a small button that takes a row away."""
    item: Item = dpg.add_button(label="×", small=True, parent=parent, callback=remove)
    style.bind(item, "bare")
    with dpg.tooltip(item, delay=0.5):
        dpg.add_text(note)
    return item
