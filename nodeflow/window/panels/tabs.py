"""Two or more panels in one place: a button for each, and one of them shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from nodeflow.editor.state.model import Editor
from nodeflow.theme import THEMES
from nodeflow.window.platform.colours import CLEAR, mixed, rgba
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg


class Tabs:
    """The toolkit's own tabs would leave the panels without a width of their own."""

    def __init__(self, parent: Item, names: Sequence[str], changed: Callable[[], None]) -> None:
        self.chosen = 0
        self._changed = changed
        self._theme = ""
        self._looks: list[Item] = []
        with dpg.group(parent=parent, horizontal=True, horizontal_spacing=2):
            self.buttons = [
                dpg.add_button(label=name, callback=partial(self.choose, number))
                for number, name in enumerate(names)
            ]
        dpg.add_spacer(height=2, parent=parent)
        self.panels: list[Item] = [dpg.add_group(parent=parent) for _ in names]
        self.choose(0)

    def choose(self, number: int) -> None:
        """Show one of the panels."""
        self.chosen = number
        for other, panel in enumerate(self.panels):
            dpg.configure_item(panel, show=other == number)
        self._bind()
        self._changed()

    def draw(self, editor: Editor) -> None:
        """Take on the theme of an editor."""
        if editor.preferences.theme == self._theme:
            return
        self._theme = editor.preferences.theme
        theme = THEMES[self._theme]
        for old in self._looks:
            dpg.delete_item(old)
        self._looks = [
            look(Button=CLEAR, Text=rgba(theme.faint)),
            look(Button=mixed(theme.body, theme.selected, 0.35), Text=rgba(theme.text)),
        ]
        self._bind()

    def _bind(self) -> None:
        if self._looks:
            for number, button in enumerate(self.buttons):
                dpg.bind_item_theme(button, self._looks[number == self.chosen])
