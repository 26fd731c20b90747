"""What lies over the canvas as a window: search box, palette, lists, menus, questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.editor.canvas import inplace
from nodeflow.editor.dialogs.line import Line
from nodeflow.editor.dialogs.popups import lines, title
from nodeflow.editor.dialogs.sampling import pictured
from nodeflow.editor.documents.store import Recent, Thumbnail
from nodeflow.editor.playing.controls import PROMPTS, asked
from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.messages import Chosen, Message, Typed
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import (
    Ask,
    Choices,
    Editing,
    Find,
    Link,
    Listed,
    Menu,
    Palette,
    Panel,
    Popup,
    Question,
    Search,
    Searched,
    Settings,
)
from nodeflow.theme import THEMES, Theme
from nodeflow.window.canvas.overlayitems import wrapped
from nodeflow.window.panels.formulacard import cut
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import Fonts, fitted
from nodeflow.window.platform.looks import popup as popup_look
from nodeflow.window.platform.looks import wrong_field
from nodeflow.window.platform.toolkit import Item, dpg

_FIELDS = Searched | Editing | Ask
"""What has a field."""
_TITLES = {
    "shortcuts": "Shortcuts", "history": "History", "recent": "Open recent", "samples": "Samples",
    "differences": "What differs",
}  # fmt: skip
_WIDTHS: dict[type[Popup], int] = {Editing: 300, Choices: 240, Menu: 380}
_ROW = 23
_EDGE = 8
"""The least distance from a popup to the edge of the window, in pixels."""
_MOST_ROWS, _MOST_OF_MENU = 14, 28
_BESIDE = 18
"""The distance from a port to the field that is opened at it, in pixels."""
_NAV = ("Up", "Down", "Enter", "Escape")
_BROAD, _EM = 640, 18.0
"""How wide a list with pictures is, and how wide size 1 of its text, in pixels at scale 1."""
_PICTURE = (112, 70)
"""Width and height of a graph's thumbnail."""


class Popups:
    """One window that holds whatever popup is open."""

    def __init__(
        self, send: Callable[[Message], None], fonts: Fonts, recent: Callable[[], list[Recent]]
    ) -> None:
        self._send, self._fonts, self._recent = send, fonts, recent
        self._own = 0
        self._buttons: list[str] = []
        self._looks: dict[str, Item] = {}
        self._reds: dict[str, Item] = {}
        self._wrong: Item = 0
        self._window: Item | None = None
        self._field: Item | None = None
        self._list: Item = 0
        self._kind: object = None
        self._lines: list[Line] = []
        self._rows: list[Item] = []
        self._lit = -1
        self._focus = 0
        self._scale, self._room, self._narrower = 1.0, 0.0, 0.0
        self._theme = ""
        self._fault: Item | None = None
        self._fault_shown = ""

    @property
    def busy(self) -> bool:
        """Whether the next frame has something to do."""
        return self._focus > 0

    def eats(self, key: str) -> bool:
        """Return whether the open popup takes a key for itself."""
        if self._field is not None:
            return key not in _NAV
        if not self._rows or not self._lights_itself:
            return False
        if key in ("Up", "Left", "Down", "Right", "Tab"):
            self._step(-1 if key in ("Up", "Left") else 1)
        elif key == "Enter":
            self._send(Chosen(self._own))
        return key != "Escape"

    def field_waits(self, editor: Editor) -> bool:
        """Return whether the field of an editor's popup is still to come by the keyboard."""
        if not isinstance(editor.popup, _FIELDS):
            return False
        return _kind(editor.popup) != self._kind or (self._focus > 0 and not self.ready)

    @property
    def _lights_itself(self) -> bool:
        """Whether it is not the editor that knows which line is lit."""
        return isinstance(self._kind, Question | Panel)

    def _step(self, by: int) -> None:
        before, self._own = self._own, (self._own + by) % len(self._rows)
        self._show_lit(before, on=False)
        self._show_lit(self._own, on=True)
        if self._list:
            row = _PICTURE[1] + 10 if self._is_pictured else _ROW
            self._scroll(self._own, row * self._scale)

    def _show_lit(self, number: int, *, on: bool) -> None:
        if self._buttons:
            mark = "▸ " if on else ""
            dpg.configure_item(self._rows[number], label=f"{mark}{self._buttons[number]}")
        else:
            dpg.set_value(self._rows[number], on)

    @property
    def _is_pictured(self) -> bool:
        return self._kind in (Panel("recent"), Panel("samples"))

    @property
    def ready(self) -> bool:
        """Whether what is typed goes into the popup."""
        return self._field is not None and bool(dpg.is_item_active(self._field))

    def draw(self, editor: Editor, origin: tuple[float, float], *, typing: bool) -> None:
        """Show the popup of an editor; its field gets the keys when nobody is `typing`."""
        popup = editor.popup
        kind = _kind(popup)
        theme = editor.preferences.theme
        if kind != self._kind or theme != self._theme:
            self._close()
            self._kind, self._theme = kind, theme
            if popup is not None:
                self._open(editor, popup, origin)
                typing = True  # more may come with the frame that shows it
        if popup is None or self._window is None:
            return
        if self._focus and self._field is not None and not typing:
            self._focus -= 1
            if not dpg.is_item_active(self._field):
                dpg.focus_item(self._field)
        if isinstance(popup, Editing | Ask):
            self._show_fault(popup.fault)
        elif not isinstance(popup, Question):
            self._fill(editor, popup)

    def _close(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
        self._window = self._field = self._fault = None
        self._list = 0
        self._lines, self._rows, self._lit = [], [], -1
        self._buttons, self._own = [], 0
        self._focus = 0

    def _open(self, editor: Editor, popup: Popup, origin: tuple[float, float]) -> None:
        scale = self._scale = editor.preferences.scale
        wide = round(
            (_BROAD if popup == Panel("samples") else _WIDTHS.get(type(popup), 480)) * scale
        )
        wide = min(wide, round(editor.size[0]) - 2 * _EDGE)
        at = _place(editor, popup, wide)
        pos = round(origin[0] + at[0]), round(origin[1] + at[1])
        # What is above the list is as high as three rows at most.
        below = dpg.get_viewport_client_height() - pos[1] - _EDGE
        self._narrower = max(_BROAD - wide / scale, 0.0) / _EM
        most = _MOST_OF_MENU if isinstance(popup, Menu) else _MOST_ROWS
        self._room = max(min(most, below / (_ROW * scale) - 3), 2) * _ROW * scale
        self._window = dpg.add_window(
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, autosize=True,
            pos=pos, min_size=(wide, 10), max_size=(wide, 2000), no_saved_settings=True,
        )  # fmt: skip
        dpg.bind_item_theme(self._window, self.look(editor.preferences.theme))
        if isinstance(popup, Question):
            self._ask(popup, wide)
            return
        if isinstance(popup, Panel):
            head = dpg.add_text(_TITLES.get(popup.name, popup.name), parent=self._window)
            if self._fonts.bold is not None:
                dpg.bind_item_font(head, self._fonts.bold)
            dpg.add_separator(parent=self._window)
        if isinstance(popup, Editing):
            theme = THEMES[editor.preferences.theme]
            dpg.add_text(title(popup), parent=self._window, color=rgba(theme.faint))
        if isinstance(popup, Ask):
            self._prompt(editor, popup, wide)
        if isinstance(popup, _FIELDS):
            self._field = dpg.add_input_text(
                parent=self._window, width=-1, hint=_hint(popup), default_value=popup.text,
                callback=self._on_typed, auto_select_all=isinstance(popup, Editing),
            )  # fmt: skip
            self._focus = 4
        if isinstance(popup, Editing | Ask):
            problem = rgba(THEMES[editor.preferences.theme].problem)
            self._fault = dpg.add_text(
                "", parent=self._window, show=False, color=problem, wrap=wide - round(24 * scale)
            )
            self._fault_shown = ""
            self._wrong = self._in_red(editor.preferences.theme)
        else:
            self._list = dpg.add_child_window(parent=self._window, height=10, width=-1)

    def _prompt(self, editor: Editor, popup: Ask, wide: int) -> None:
        """Say what the player wants to know."""
        question = editor.live.playback.question if popup.what == "answer" else None
        text = PROMPTS[popup.what][0] if question is None else question.text
        text = asked(editor) if popup.what == "task" else text
        head = dpg.add_text(text, parent=self._window, wrap=wide - round(24 * self._scale))
        if self._fonts.bold is not None:
            dpg.bind_item_font(head, self._fonts.bold)

    def _show_fault(self, fault: str) -> None:
        """Say below the field what is wrong with what was typed."""
        if self._fault is None or fault == self._fault_shown:
            return
        self._fault_shown = fault
        dpg.set_value(self._fault, f"! {fault}")
        dpg.configure_item(self._fault, show=bool(fault))
        dpg.bind_item_theme(self._field, self._wrong if fault else 0)
        if fault:  # Enter has taken the keys from the field
            self._focus = 4

    def _in_red(self, name: str) -> Item:
        """Return the looks of a field that holds what cannot be."""
        if name not in self._reds:
            self._reds[name] = wrong_field(rgba(THEMES[name].problem))
        return self._reds[name]

    def look(self, name: str) -> Item:
        """Return the looks of a popup: raised above the canvas."""
        if name not in self._looks:
            self._looks[name] = popup_look(THEMES[name])
        return self._looks[name]

    def _ask(self, popup: Question, wide: int) -> None:
        dpg.add_text(popup.text, parent=self._window, wrap=wide - 24)
        dpg.add_spacer(height=4, parent=self._window)
        with dpg.group(horizontal=True, parent=self._window):
            for number, (text, _) in enumerate(popup.answers):
                self._rows.append(
                    dpg.add_button(label=text, user_data=number, callback=self._on_chosen)
                )
        self._buttons = [text for text, _ in popup.answers]
        self._show_lit(0, on=True)

    def _fill(self, editor: Editor, popup: Popup) -> None:
        there = list(lines(editor))
        if there != self._lines:
            self._lines = there
            if self._is_pictured and there:
                self._list_pictured(editor, there)
            else:
                self._list_lines(editor, popup, there)
            self._lit = -1
            if self._lights_itself and self._rows:
                self._own = next((n for n, line in enumerate(there) if line.hint == "now"), 0)
                self._step(0)
        choice = popup.choice if isinstance(popup, Listed) else -1
        if choice != self._lit and self._rows:
            for number in (self._lit, choice):
                if 0 <= number < len(self._rows):
                    dpg.set_value(self._rows[number], number == choice)
            self._lit = choice
            self._scroll(choice, _ROW * editor.preferences.scale)

    def _list_lines(self, editor: Editor, popup: Popup, there: list[Line]) -> None:
        scale = editor.preferences.scale
        dpg.delete_item(self._list, children_only=True)
        self._rows = []
        high = min(max(len(there), 1) * _ROW * scale, self._room)
        dpg.configure_item(self._list, height=round(high) + 4)
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
                        label=fitted(f" {line.text}", None, 18.0), span_columns=True,
                        user_data=number, callback=self._on_chosen,
                    )  # fmt: skip
                    hint = fitted(line.hint.split(" or ")[0], None, 15.0)
                    dpg.add_selectable(label=hint, enabled=False)
                    self._rows.append(row)

    def _list_pictured(self, editor: Editor, there: list[Line]) -> None:
        """List graphs with a small picture of each."""
        theme, scale = THEMES[editor.preferences.theme], editor.preferences.scale
        wide, high = (round(side * scale) for side in _PICTURE)
        graphs = self._recent() if self._kind == Panel("recent") else pictured()
        known = {str(graph.path): graph for graph in graphs}
        dpg.delete_item(self._list, children_only=True)
        self._rows = []
        shown = min(len(there) * (high + 10), self._room)
        dpg.configure_item(self._list, height=round(shown) + 4)
        for number, line in enumerate(there):
            recent = known.get(line.name)
            with dpg.group(horizontal=True, parent=self._list):
                picture = dpg.add_drawlist(wide, high)
                dpg.draw_rectangle(
                    (0, 0), (wide, high), parent=picture, color=rgba(theme.border, 0.5),
                    fill=rgba(theme.canvas), rounding=4,
                )  # fmt: skip
                if recent is not None:
                    _draw_small(recent.thumbnail, picture, (wide, high), theme)
                gone = recent.missing if recent is not None else False
                where = ["is not there any more"] if gone else self._hints(line.hint)
                label = "\n ".join([f" {fitted(line.text, None, 19.0)}", *where])
                self._rows.append(
                    dpg.add_selectable(
                        label=label, height=high, user_data=number, callback=self._on_chosen,
                    )
                )  # fmt: skip

    def _hints(self, text: str) -> list[str]:
        """Return what stands below a graph's name: where it lies, or what it is."""
        if self._kind == Panel("recent"):
            return [fitted(text, None, 19.0)]
        room = 27.0 - self._narrower
        return cut(wrapped(text, None, room), 3, None, room)

    def _scroll(self, choice: int, row: float) -> None:
        """Keep the lit line in view."""
        room = float(dpg.get_item_height(self._list) or 0)
        top = float(dpg.get_y_scroll(self._list))
        if choice * row < top:
            dpg.set_y_scroll(self._list, choice * row)
        elif (choice + 1) * row > top + room:
            dpg.set_y_scroll(self._list, (choice + 1) * row - room)

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
        case Link(node=node, port=port):
            return "link", node, port
        case Settings(node=node):
            return "settings", node
        case Editing(node=node, setting=setting, port=port):
            return "editing", node, setting, port
        case Choices(node=node, setting=setting):
            return "choices", node, setting
        case Ask(what=what):
            return "ask", what
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
        case Link(node=node, port=None):
            return f"a wire from or to which port of {node}?"
        case Link(port=port):
            return f"what goes with {port}?"
        case Settings(node=node):
            return f"which setting of {node}?"
        case Ask(what=what):
            return PROMPTS[what][1]
        case Editing(port=port) if port:
            return "0.3   2/3   1, 0"
        case Choices(node=node, setting=setting):
            return f"{setting} of {node}"
        case _:
            return ""


def _place(editor: Editor, popup: Popup, wide: int) -> tuple[float, float]:
    """Return where a popup opens: at what it belongs to, otherwise in the middle."""
    at = (editor.size[0] - wide) / 2, editor.size[1] * 0.14
    there = inplace.point(editor, popup) if isinstance(popup, Editing | Choices) else None
    if there is not None:
        point, side = there
        x, y = editor.camera.on_screen(point)
        beside = {-1: -wide - _BESIDE, 0: -_BESIDE / 2, 1: _BESIDE}[side]
        high = 130 if isinstance(popup, Editing) else 330
        return _inside(editor, (x + beside, y - _BESIDE), wide, high)
    match popup:
        case Search(at=point):
            at = editor.camera.on_screen(point)
        case Menu(at=point):
            at = point
        case Link(node=node) | Settings(node=node) | Choices(node=node) if (
            node in editor.drawn.nodes
        ):
            view = editor.drawn.nodes[node]
            at = editor.camera.on_screen((view.x, view.y + view.height + 6))
        case Editing(node=node) if node in editor.drawn.nodes:
            view = editor.drawn.nodes[node]
            at = editor.camera.on_screen((view.x - 4, view.y - 8))
    rows = min(len(lines(editor)), _MOST_OF_MENU) if isinstance(popup, Menu) else _MOST_ROWS
    return _inside(editor, at, wide, rows * _ROW + 60)


def _inside(editor: Editor, at: Point, wide: int, high: float) -> Point:
    """Return the place next to one at which a popup is on the canvas."""
    return (
        min(max(at[0], 8.0), max(editor.size[0] - wide - 8, 8.0)),
        min(max(at[1], 8.0), max(editor.size[1] - high * editor.preferences.scale, 8.0)),
    )


def _draw_small(small: Thumbnail, parent: Item, size: tuple[int, int], theme: Theme) -> None:
    """Draw a graph's thumbnail into a picture."""
    left, top, right, bottom = small.bounds
    share = min((size[0] - 12) / max(right - left, 1), (size[1] - 12) / max(bottom - top, 1))
    x0 = (size[0] - (right - left) * share) / 2
    y0 = (size[1] - (bottom - top) * share) / 2
    for x, y, wide, high, family in small.boxes:
        corner = x0 + (x - left) * share, y0 + (y - top) * share
        colour = rgba(theme.families.get(family, theme.border))
        dpg.draw_rectangle(
            corner, (corner[0] + max(wide * share, 1), corner[1] + max(high * share, 1)),
            parent=parent, color=colour, fill=colour,
        )  # fmt: skip
