"""A large Train button over the canvas until a network was trained.

A lesson has a card of its own (`lessoncard`); while there is one this button is away.
"""

from __future__ import annotations

from collections.abc import Callable

from nodeflow.editor.canvas.aside import button, waits
from nodeflow.editor.state.messages import Do, Message
from nodeflow.editor.state.model import Editor
from nodeflow.fonts import BOLD
from nodeflow.theme import THEMES
from nodeflow.window.platform.looks import main_button
from nodeflow.window.platform.toolkit import Item, dpg

_SIZE = 21


class PlayButton:
    """A panel inside the canvas's window: so it lies over the canvas and under every popup."""

    def __init__(self, canvas: Item, send: Callable[[Message], None]) -> None:
        self._canvas, self._send = canvas, send
        self._panel: Item | None = None
        self._look: Item | None = None
        self._state: tuple[object, ...] = ()
        with dpg.font_registry():
            self._font = dpg.add_font(str(BOLD), _SIZE)

    def draw(self, editor: Editor) -> None:
        """Show the button where an editor's network waits for it."""
        shown = waits(editor)
        state = (
            shown, editor.preferences.theme, editor.preferences.scale, editor.size,
            editor.aside.button,
        )  # fmt: skip
        if state == self._state:
            return
        self._state = state
        for old in (self._panel, self._look):
            if old is not None:
                dpg.delete_item(old)
        self._panel = self._look = None
        if shown:
            self._build(editor)

    def _build(self, editor: Editor) -> None:
        scale = editor.preferences.scale
        left, top, right, bottom = map(round, button(editor))
        wide, high, at = right - left, bottom - top, [left, top]
        self._panel = dpg.add_child_window(
            parent=self._canvas, pos=at, width=wide, height=high, border=False,
            no_scrollbar=True, no_scroll_with_mouse=True,
        )  # fmt: skip
        pressed = dpg.add_button(
            label="▶  Train", parent=self._panel, width=wide, height=high,
            callback=lambda: self._send(Do("train")),
        )  # fmt: skip
        dpg.bind_item_font(pressed, self._font)
        theme = THEMES[editor.preferences.theme]
        self._look = main_button(theme, {"FrameRounding": 12 * scale})
        dpg.bind_item_theme(self._panel, self._look)
