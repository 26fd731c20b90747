"""The library at the left: node types by family, to be dragged onto the canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.declare import CATALOG, FAMILIES
from nodeflow.editor.dialogs.searching import found
from nodeflow.editor.state.messages import Message, Place
from nodeflow.editor.state.model import Editor
from nodeflow.editor.teaching import offered
from nodeflow.plugins import ORIGINS
from nodeflow.theme import THEMES, Theme
from nodeflow.window.platform.colours import mixed
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg

_HELP_WIDTH = 320


class Library:
    """The list of node types in a window."""

    def __init__(self, window: Item, send: Callable[[Message], None]) -> None:
        self._send = send
        self.dragged: str | None = None
        """The type that is on its way to the canvas."""
        self._theme: Theme | None = None
        self._offered: frozenset[str] = frozenset()
        """Those that a lesson offers; none means all."""
        self._listed: object = None
        """What is listed just now: those types, and the ones of plugins."""
        self._size = (0.0, 0.0)
        with dpg.item_handler_registry() as self._handlers:
            dpg.add_item_clicked_handler(callback=self._on_pressed)
            dpg.add_item_double_clicked_handler(callback=self._on_double)
        self._field = dpg.add_input_text(
            parent=window, hint="search the library", width=-1, callback=self._on_typed
        )
        self._list = dpg.add_child_window(parent=window, width=-1, height=-1)
        self._text = ""
        self._made: dict[tuple[str, str], Item] = {}

    def draw(self, editor: Editor) -> None:
        """Show the library in the theme of an editor."""
        theme = THEMES[editor.preferences.theme]
        self._size = editor.size
        self._offered = offered(editor)
        types = self._offered, (*ORIGINS.items(),), (*map(id, map(CATALOG.get, ORIGINS)),)
        if theme is not self._theme or types != self._listed:
            self._theme, self._listed = theme, types
            self._fill(theme)

    def typing(self) -> bool:
        """Return whether the search field takes keys."""
        return bool(dpg.is_item_active(self._field))

    def _on_typed(self, _sender: Item, text: str, _data: Any = None) -> None:
        self._text = text
        if self._theme is not None:
            self._fill(self._theme)

    def _on_pressed(self, _sender: Item, data: Any, _user: Any = None) -> None:
        if data[0] == 0:
            self.dragged = dpg.get_item_user_data(data[1])

    def _on_double(self, _sender: Item, data: Any, _user: Any = None) -> None:
        middle = self._size[0] / 2 - 90, self._size[1] / 2 - 50
        self._send(Place(dpg.get_item_user_data(data[1]), middle))

    def _fill(self, theme: Theme) -> None:
        dpg.delete_item(self._list, children_only=True)
        own = self._offered
        there = found(self._text, lambda type_: not own or type_.name in own)
        if self._text:
            for type_ in there:
                self._row(type_, self._list)
            if not there:
                dpg.add_text("nothing is found", parent=self._list)
            return
        for family in FAMILIES:
            types = [type_ for type_ in there if type_.family == family]
            if not types:
                continue
            header = dpg.add_collapsing_header(label=family, parent=self._list, default_open=True)
            dpg.bind_item_theme(header, self._looks(family, theme))
            for type_ in types:
                self._row(type_, header)

    def _row(self, type_: Any, parent: Item) -> None:
        plugin = ORIGINS.get(type_.name)
        origin = f" · {plugin}" if plugin else ""
        row = dpg.add_selectable(
            label=f"  {type_.name.replace('_', ' ')}{origin}", parent=parent, user_data=type_.name,
            callback=lambda sender: dpg.set_value(sender, False),
        )  # fmt: skip
        dpg.bind_item_handler_registry(row, self._handlers)
        with dpg.tooltip(row, delay=0.5, hide_on_activity=True):
            dpg.add_text(type_.formula)
            dpg.add_text(
                type_.help.split("\n\n")[0].replace("\n", " ").replace("`", ""), wrap=_HELP_WIDTH
            )

    def _looks(self, family: str, theme: Theme) -> Item:
        """Return the looks of a family's header: its colour on the canvas."""
        key = theme.name, family
        if key not in self._made:
            colour = theme.families[family]
            shares = {"Header": 0.0, "HeaderHovered": 0.12, "HeaderActive": 0.2}
            self._made[key] = look(
                **{name: mixed(colour, theme.text, share) for name, share in shares.items()}
            )
        return self._made[key]
