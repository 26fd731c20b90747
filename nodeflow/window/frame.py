"""The windows around the canvas: where they stand, the menu bar, the status line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nodeflow.editor.commands.registry import COMMANDS, MENUS
from nodeflow.editor.panels.room import NARROWEST, widths
from nodeflow.editor.state.messages import Do, Message, SetPreference
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.equality import identical
from nodeflow.theme import THEMES
from nodeflow.window.canvas.mapitems import MapPanel
from nodeflow.window.panels.playbutton import PlayButton
from nodeflow.window.panels.timelinebar import HEIGHT as TIMELINE
from nodeflow.window.platform.colours import CLEAR, mixed, rgba
from nodeflow.window.platform.fonts import SIZE, fitted, width
from nodeflow.window.platform.looks import frameless, widgets
from nodeflow.window.platform.toolkit import Item, dpg

_MENU, _STATUS, _PAD = 27, 28, 6


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of the screen."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Frame:
    """Menu bar, library, canvas, side and status line, side by side."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._state: tuple[object, ...] = ()
        self._status_shown: tuple[object, ...] = ()
        self._looks: tuple[object, ...] = ()
        self._view = ""
        self._made: list[Item] = []
        still = {
            "no_title_bar": True, "no_resize": True, "no_move": True, "no_collapse": True,
            "no_bring_to_front_on_focus": True, "no_saved_settings": True,
        }  # fmt: skip
        plain = {**still, "no_scrollbar": True, "no_scroll_with_mouse": True}
        self.canvas = dpg.add_window(**plain)
        # Their edges are dragged; what they are then is read back.
        self.library = dpg.add_window(**{**plain, "no_resize": False})
        self.side = dpg.add_window(**{**still, "no_resize": False})
        self._put: dict[str, int] = {}
        self._held = False
        self.timeline = dpg.add_window(**plain)
        self._status = dpg.add_window(**plain)
        self.drawlist = dpg.add_drawlist(100, 100, parent=self.canvas)
        self.map = MapPanel(self.canvas, send)
        self._play = PlayButton(self.canvas, send)
        self.area = Area(0, 0, 100, 100)
        with dpg.group(horizontal=True, parent=self._status):
            self._notice = dpg.add_text("")
        self._where = dpg.add_text("", parent=self._status)
        self._menu()

    def _menu(self) -> None:
        with dpg.viewport_menu_bar():
            for menu in MENUS:
                with dpg.menu(label=menu):
                    for command in COMMANDS.values():
                        if command.menu == menu:
                            dpg.add_menu_item(
                                label=command.title,
                                shortcut=command.shortcut.split(" or ")[0],
                                user_data=command.name,
                                callback=lambda _s, _v, name: self._send(Do(name)),
                            )

    @property
    def fits(self) -> bool:
        """Whether all stands where it belongs in a window of the present size."""
        return self._state[:2] == _size()

    def place(self, editor: Editor) -> Area:
        """Put the windows where they belong; return the canvas's place."""
        wide, high = _size()
        preferences = editor.preferences
        held, self._held = self._held, dpg.is_mouse_button_down(dpg.mvMouseButton_Left)
        if held or self._held:
            self._read_back(preferences)
        state = (wide, high, preferences.scale, preferences.library, preferences.side)
        if state == self._state:
            return self.area
        self._state = state
        scale = preferences.scale
        top, foot = round(_MENU * scale), round(_STATUS * scale)
        left, right = widths(preferences, wide)
        self._put = {"library": left, "side": right}
        line = round(TIMELINE * scale)
        middle = max(high - top - foot - line, 50)
        self.area = Area(left, top, max(wide - left - right, 100), middle)
        _put(self.library, Area(0, top, max(left, 1), middle))
        dpg.configure_item(self.library, show=left > 0)
        dpg.configure_item(self.side, show=right > 0)
        _put(self.canvas, self.area)
        _put(self.side, Area(left + self.area.width, top, max(right, 1), middle))
        _put(self.timeline, Area(0, top + middle, wide, line))
        _put(self._status, Area(0, top + middle + line, wide, foot))
        dpg.configure_item(self.drawlist, width=self.area.width, height=middle)
        return self.area

    def _read_back(self, preferences: Preferences) -> None:
        """See whether a panel's edge was dragged."""
        for name, put in self._put.items():
            now = dpg.get_item_width(getattr(self, name))
            if put and now and abs(now - put) > 1:
                self._put[name] = now
                scale = preferences.scale
                wide = max(now / scale, NARROWEST[name])
                self._send(SetPreference(name, wide))

    def apply_theme(self, editor: Editor) -> None:
        """Take on the theme and the scale of an editor."""
        looks = (editor.preferences.theme, editor.preferences.scale)
        if looks == self._looks:
            return
        self._looks = looks
        theme = THEMES[editor.preferences.theme]
        for old in self._made:
            dpg.delete_item(old)
        everything = widgets(theme, editor.preferences.scale)
        bare = frameless(background=CLEAR)  # the viewport has that colour
        low = frameless(
            padding=(12, _PAD * editor.preferences.scale),
            background=mixed(theme.canvas, theme.body, 0.85),
        )
        self._made = [everything, bare, low]
        dpg.bind_theme(everything)
        dpg.bind_item_theme(self.canvas, bare)
        dpg.bind_item_theme(self._status, low)
        dpg.bind_item_theme(self.timeline, low)
        dpg.set_viewport_clear_color(rgba(theme.canvas))
        dpg.set_global_font_scale(editor.preferences.scale)
        self._status_shown = ()

    def show_status(self, editor: Editor) -> None:
        """Write the status line and the title, and what lies over the canvas."""
        if editor.view != self._view:
            self._view = editor.view
            dpg.configure_item(self.drawlist, show=editor.view != "map")
        self.map.draw(editor)
        self._play.draw(editor)
        zoom = round(editor.camera.zoom * 100)
        shown = (
            editor.notice, zoom, len(editor.selection), editor.path, editor.inside,
            editor.graph, editor.saved, editor.preferences, self._state,
        )  # fmt: skip
        if identical(shown, self._status_shown, int):
            return
        self._status_shown = shown
        theme = THEMES[editor.preferences.theme]
        notice = editor.notice
        wrong = notice is not None and notice.kind == "problem"
        text = ("! " if wrong else "") + notice.text if notice else _hint(editor)
        colour = theme.problem if wrong else theme.text if notice else theme.faint
        dpg.configure_item(self._notice, color=rgba(colour))
        where = f"{len(editor.graph.nodes)} nodes   {zoom} %"
        if editor.selection:
            where = f"{len(editor.selection)} selected   {where}"
        if editor.inside:
            where = f"{' › '.join(editor.inside)}   {where}"
        dpg.set_value(self._where, where)
        dpg.configure_item(self._where, color=rgba(theme.faint))
        scale = editor.preferences.scale
        room = width(where, None) * SIZE * scale + 14
        left = (dpg.get_viewport_client_width() - room) / (SIZE * scale) - 2
        dpg.set_value(self._notice, fitted(text, None, max(left, 0)))
        dpg.set_item_pos(
            self._where, (round(dpg.get_viewport_client_width() - room), round(_PAD * scale))
        )
        name = editor.path.name if editor.path else editor.graph.name or "untitled"
        mark = " •" if editor.changed else ""
        dpg.set_viewport_title(f"{name}{mark} – nodeflow")


def _size() -> tuple[int, int]:
    """Return how wide and high the inside of the window is: both are told together."""
    told = dpg.get_viewport_configuration("")
    return told["client_width"], told["client_height"]


def _put(window: Item, area: Area) -> None:
    dpg.configure_item(window, pos=(area.x, area.y), width=area.width, height=area.height)


def _hint(editor: Editor) -> str:
    if not editor.graph.nodes:
        return "double-click the canvas, or press Tab, to add a node"
    return "Tab adds a node   drag from port to port to wire   ? lists all shortcuts"
