"""Asking for a file to open or to save to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodeflow.editor.model import Editor
from nodeflow.window.toolkit import Item, dpg


class Dialogs:
    """The toolkit's file dialog; `chosen` is called with what was asked and a path."""

    def __init__(self, chosen: Callable[[str, Path], None]) -> None:
        self._chosen = chosen
        self._window: Item | None = None

    @property
    def open(self) -> bool:
        """Whether a dialog is open."""
        return self._window is not None and bool(dpg.is_item_shown(self._window))

    def ask(self, what: str, editor: Editor) -> None:
        """Ask for a file."""
        self.close()
        folder = editor.path.parent if editor.path else Path.cwd()
        name = editor.path.stem if editor.path else editor.graph.name or "untitled"
        self._window = dpg.add_file_dialog(
            label="Open a graph" if what == "ask_open" else "Save the graph",
            default_path=str(folder), default_filename=name if what == "ask_save" else "",
            width=720, height=460, modal=True, callback=self._on_chosen, user_data=what,
        )  # fmt: skip
        dpg.add_file_extension(".json", parent=self._window)

    def close(self) -> None:
        """Ask no longer."""
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None

    def _on_chosen(self, _sender: Item, data: dict[str, Any], what: str) -> None:
        path = Path(data["file_path_name"])
        if what == "ask_save" and path.suffix != ".json":
            path = path.with_name(f"{path.name}.json")
        self._chosen(what, path)
