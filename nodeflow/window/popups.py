"""What lies over the canvas as a window: search box, palette, lists, menus, questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.editor.messages import Chosen, Message, Typed
from nodeflow.editor.model import (
    Editing,
    Editor,
    Find,
    Menu,
    Palette,
    Panel,
    Popup,
    Question,
    Search,
)
from nodeflow.editor.popups import Line, lines
from nodeflow.theme import THEMES
from nodeflow.window.colours import rgba
from nodeflow.window.fonts import fitted
from nodeflow.window.toolkit import Item, dpg

_FIELDS = (Search, Palette, Find, Editing)
_TITLES = {
    "shortcuts": "Shortcuts", "history": "History", "recent": "Open recent", "help": "Help",
}  # fmt: skip
_ROW = 24
_MOST_ROWS = 14
_NAV = ("Up", "Down", "Enter", "Escape")


class Popups:
    """One window that holds whatever popup is open."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._looks: dict[str, Item] = {}
        self._window: Item | None = None
        self._field: Item | None = None
        self._list: Item = 0
        self._kind: object = None
        self._lines: list[Line] = []
        self._rows: list[Item] = []
        self._lit = -1
        self._focus = 0

    @property
    def busy(self) -> bool:
        """Whether the next frame has something to do."""
        return self._focus > 0

    def eats(self, key: str) -> bool:
        """Return whether the open text field takes a key for itself."""
        return self._field is not None and key not in _NAV

    @property
    def ready(self) -> bool:
        """Whether what is typed goes into the popup."""
        return self._field is not None and bool(dpg.is_item_active(self._field))

    def draw(self, editor: Editor, origin: tuple[float, float]) -> None:
        """Show the popup of an editor."""
        popup = editor.popup
        kind = _kind(popup)
        if kind != self._kind:
            self._close()
            self._kind = kind
            if popup is not None:
                self._open(editor, popup, origin)
        if popup is None or self._window is None:
            return
        if self._focus and self._field is not None:
            self._focus -= 1
            if not dpg.is_item_active(self._field):
                dpg.focus_item(self._field)
        if not isinstance(popup, Question | Editing):
            self._fill(editor, popup)

    def _close(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
        self._window = self._field = None
        self._list = 0
        self._lines, self._rows, self._lit = [], [], -1
        self._focus = 0

    def _open(self, editor: Editor, popup: Popup, origin: tuple[float, float]) -> None:
        scale = editor.preferences.scale
        wide = round(
            (300 if isinstance(popup, Editing) else 380 if isinstance(popup, Menu) else 480) * scale
        )
        at = _place(editor, popup, wide)
        pos = round(origin[0] + at[0]), round(origin[1] + at[1])
        self._window = dpg.add_window(
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, autosize=True,
            pos=pos, min_size=(wide, 10), max_size=(wide, 2000), no_saved_settings=True,
        )  # fmt: skip
        dpg.bind_item_theme(self._window, self._look(editor.preferences.theme))
        if isinstance(popup, Question):
            self._ask(popup, wide)
            return
        if isinstance(popup, Panel):
            dpg.add_text(_TITLES.get(popup.name, popup.name), parent=self._window)
            dpg.add_separator(parent=self._window)
        if isinstance(popup, _FIELDS):
            self._field = dpg.add_input_text(
                parent=self._window, width=-1, hint=_hint(popup), default_value=popup.text,
                callback=self._on_typed, auto_select_all=isinstance(popup, Editing),
            )  # fmt: skip
            self._focus = 4
        if not isinstance(popup, Editing):
            self._list = dpg.add_child_window(parent=self._window, height=10, width=-1)

    def _look(self, name: str) -> Item:
        """Return the looks of a popup: raised above the canvas."""
        if name not in self._looks:
            theme = THEMES[name]
            with dpg.theme() as made, dpg.theme_component(dpg.mvAll):
                for style, size in (("Rounding", 8), ("Padding", 10), ("BorderSize", 1)):
                    dpg.add_theme_style(getattr(dpg, f"mvStyleVar_Window{style}"), size, size)
                for part in ("WindowBg", "ChildBg", "ScrollbarBg"):
                    dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{part}"), rgba(theme.body))
                dpg.add_theme_color(dpg.mvThemeCol_Border, rgba(theme.border))
                dpg.add_theme_style(dpg.mvStyleVar_CellPadding, 5, 4)
            self._looks[name] = made
        return self._looks[name]

    def _ask(self, popup: Question, wide: int) -> None:
        dpg.add_text(popup.text, parent=self._window, wrap=wide - 24)
        dpg.add_spacer(height=4, parent=self._window)
        with dpg.group(horizontal=True, parent=self._window):
            for number, (text, _) in enumerate(popup.answers):
                dpg.add_button(label=text, user_data=number, callback=self._on_chosen)

    def _fill(self, editor: Editor, popup: Popup) -> None:
        there = list(lines(editor))
        if there != self._lines:
            self._lines = there
            self._list_lines(editor, popup, there)
            self._lit = -1
        choice = getattr(popup, "choice", -1)
        if choice != self._lit and self._rows:
            for number in (self._lit, choice):
                if 0 <= number < len(self._rows):
                    dpg.set_value(self._rows[number], number == choice)
            self._lit = choice
            self._scroll(choice, editor.preferences.scale)

    def _list_lines(self, editor: Editor, popup: Popup, there: list[Line]) -> None:
        scale = editor.preferences.scale
        dpg.delete_item(self._list, children_only=True)
        self._rows = []
        shown = min(max(len(there), 1), _MOST_ROWS)
        dpg.configure_item(self._list, height=round(shown * _ROW * scale) + 4)
        if not there:
            dpg.add_text("nothing is found", parent=self._list)
            return
        with dpg.table(
            parent=self._list, header_row=False, policy=dpg.mvTable_SizingStretchProp,
            pad_outerX=False,
        ):  # fmt: skip
            left = 0.64 if isinstance(popup, Menu | Palette | Panel) else 0.5
            dpg.add_table_column(init_width_or_weight=left)
            dpg.add_table_column(init_width_or_weight=1 - left)
            for number, line in enumerate(there):
                with dpg.table_row():
                    row = dpg.add_selectable(
                        label=fitted(line.text, None, 18.0), span_columns=True, user_data=number,
                        callback=self._on_chosen,
                    )  # fmt: skip
                    dpg.add_selectable(
                        label=fitted(line.hint.split(" or ")[0], None, 15.0), enabled=False
                    )
                    self._rows.append(row)

    def _scroll(self, choice: int, scale: float) -> None:
        """Keep the lit line in view."""
        row = _ROW * scale
        top = float(dpg.get_y_scroll(self._list))
        if choice * row < top:
            dpg.set_y_scroll(self._list, choice * row)
        elif (choice + 1) * row > top + _MOST_ROWS * row:
            dpg.set_y_scroll(self._list, (choice + 1 - _MOST_ROWS) * row)

    def _on_typed(self, _sender: Item, text: str, _data: Any = None) -> None:
        self._send(Typed(text))

    def _on_chosen(self, _sender: Item, _value: Any, number: int) -> None:
        self._send(Chosen(number))


def _kind(popup: Popup | None) -> object:
    """Return what tells one popup from the next; what is typed into it does not."""
    match popup:
        case Search(at=at, port=port):
            return "search", at, port
        case Menu(at=at):
            return "menu", at
        case Palette():
            return "palette"
        case Find():
            return "find"
        case Editing(node=node, setting=setting):
            return "editing", node, setting
        case _:
            return popup


def _hint(popup: Popup) -> str:
    match popup:
        case Search(port=port):
            return "name, word or formula of a node" if port is None else f"what goes to {port}?"
        case Palette():
            return "what should be done?"
        case Find():
            return "name, type or value of a node"
        case _:
            return ""


def _place(editor: Editor, popup: Popup, wide: int) -> tuple[float, float]:
    """Return where a popup opens: at what it belongs to, otherwise in the middle."""
    at = (editor.size[0] - wide) / 2, editor.size[1] * 0.14
    match popup:
        case Search(at=point):
            at = editor.camera.on_screen(point)
        case Menu(at=point):
            at = point
        case Editing(node=node) if node in editor.drawn.nodes:
            view = editor.drawn.nodes[node]
            at = editor.camera.on_screen((view.x - 4, view.y - 8))
    high = (_MOST_ROWS * _ROW + 60) * editor.preferences.scale
    return (
        min(max(at[0], 8.0), max(editor.size[0] - wide - 8, 8.0)),
        min(max(at[1], 8.0), max(editor.size[1] - high, 8.0)),
    )
