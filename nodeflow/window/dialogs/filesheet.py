"""Asking for a file, by keys as well: the toolkit's own file dialog knows the mouse only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeflow.window.dialogs.sheets import Sheet, SheetStyle
from nodeflow.window.platform.fonts import fitted
from nodeflow.window.platform.toolkit import Item, dpg

_ROW, _ROWS = 26, 12
_BESIDES, _FEWEST = 8, 3
"""The height of what stands around the list, in rows, and the fewest rows that are seen."""
_DOUBLE = 0.5
"""Seconds between the two clicks that take a file."""
_MOST_ENTRIES = 500
GRAPHS = (".json", ".nodeflow")
"""The endings of graph files; both have the same text in them."""


@dataclass(frozen=True)
class Asked:
    """What file is asked for."""

    title: str
    folder: Path
    name: str = ""
    saving: bool = False
    endings: tuple[str, ...] = GRAPHS
    own: Path | None = None
    """The file that may be written over without a question."""


class FileSheet(Sheet):
    """A folder's files, a field for the name, and a question before another file is lost."""

    def __init__(
        self,
        style: SheetStyle,
        asked: Asked,
        chosen: Callable[[Path], None],
        leave: Callable[[], None],
    ) -> None:
        self.title = asked.title
        super().__init__(style, leave)
        self._asked, self._chosen = asked, chosen
        self._folder = asked.folder
        self._text = asked.name
        self._there: list[Path] = []
        self._shown: list[Path] = []
        self._rows: list[Item] = []
        self._lit = -1
        self._clicked: tuple[Path, float] | None = None
        self._doubtful: Path | None = None
        self._where = self._faint("", self.window)
        self._holder = dpg.add_group(parent=self.window)
        row = _ROW * style.scale
        room = int(dpg.get_viewport_client_height() / row) - _BESIDES
        self._seen_rows = max(min(_ROWS, room), _FEWEST)
        self._list = dpg.add_child_window(
            parent=self.window, width=-1, height=round(self._seen_rows * row)
        )
        self._with_fault()
        self._buttons(("Save" if asked.saving else "Open", self._take), ("Cancel", self._leave))
        self._faint("↑ ↓ choose   Enter takes   Escape leaves   / or ~ goes anywhere", self.window)
        self._go(self._folder)

    def key(self, name: str) -> None:
        """Answer a key."""
        if self._doubtful is not None:
            self._doubt(name)
        elif name in ("Down", "Up"):
            self._light(self._lit + (1 if name == "Down" else -1))
        elif name == "Enter":
            self._take()
        else:
            super().key(name)

    def _go(self, folder: Path) -> None:
        """Show another folder."""
        try:
            folder = folder.resolve()
            there = [path for path in folder.iterdir() if not path.name.startswith(".")]
            folders = sorted((p for p in there if p.is_dir()), key=_by_name)
            files = sorted((p for p in there if self._fits(p)), key=_by_name)
        except OSError as error:
            self._show_fault(f"{folder}: {os.strerror(error.errno or 0)}")
            return
        self._folder = folder
        self._there = [folder.parent, *folders, *files][:_MOST_ENTRIES]
        self._show_fault("")
        room = (self._across / self._style.scale - 40.0) / 15
        dpg.set_value(self._where, fitted(str(folder), None, room, middle=True))
        if not self._asked.saving:
            self._text = ""
        self._renew()

    def _fits(self, path: Path) -> bool:
        return path.name.lower().endswith(self._asked.endings) and path.is_file()

    def _renew(self) -> None:
        """Make the field anew: one that has the keys does not take another text."""
        dpg.delete_item(self._holder, children_only=True)
        hint = "name of the file" if self._asked.saving else "name, or a part of it"
        self._with_field(self._holder, self._text, hint, self._typed)
        self._fill()

    def _typed(self, text: str) -> None:
        self._text = text
        self._show_fault("")
        self._fill()

    def _fill(self) -> None:
        """List what is there, or what a part of a name finds."""
        wanted = self._text.strip().lower()
        found = self._there
        if wanted and not self._asked.saving and not _is_path(wanted):
            found = [path for path in self._there[1:] if wanted in path.name.lower()]
        self._shown, self._rows, self._lit = found, [], -1
        dpg.delete_item(self._list, children_only=True)
        for number, path in enumerate(found):
            label = f"{path.name}/" if path.is_dir() else path.name
            if path == self._folder.parent and self._there[0] is path:
                label = "../"
            self._rows.append(
                dpg.add_selectable(
                    disable_popup_close=True,
                    label=f" {label}",
                    parent=self._list,
                    user_data=number,
                    callback=self._on_row,
                )
            )
        if not found:
            self._faint("nothing here fits", self._list)
        elif found is not self._there:
            self._light(0)

    def _light(self, number: int) -> None:
        if not self._rows:
            return
        number %= len(self._rows)
        if 0 <= self._lit < len(self._rows):
            dpg.set_value(self._rows[self._lit], False)
        self._lit = number
        dpg.set_value(self._rows[number], True)
        row = _ROW * self._style.scale
        top = float(dpg.get_y_scroll(self._list))
        if not top <= number * row <= top + (self._seen_rows - 1) * row:
            dpg.set_y_scroll(self._list, max(number - self._seen_rows // 2, 0) * row)

    def _on_row(self, _sender: Item, _value: Any, number: int) -> None:
        path, now = self._shown[number], time.monotonic()
        self._light(number)
        if path.is_dir():
            self._go(path)
            return
        before, self._clicked = self._clicked, (path, now)
        if self._asked.saving:
            self._text = path.name
            self._renew()
        elif before is not None and before[0] == path and now - before[1] < _DOUBLE:
            self._take()

    def _take(self) -> None:
        """Take the lit line, or else what is typed."""
        path = self._shown[self._lit] if self._lit >= 0 else self._named()
        if path is None:
            return
        if path.is_dir():
            self._go(path)
        elif self._asked.saving:
            self._save(path)
        elif path.is_file():
            self._chosen(path)
        else:
            self._show_fault(f"there is no file '{path.name}' here")

    def _named(self) -> Path | None:
        text = self._text.strip()
        if not text:
            self._show_fault("type a name, or choose one")
            return None
        path = self._folder / Path(text).expanduser()
        if path.exists():
            return path
        others = (path.with_name(f"{path.name}{ending}") for ending in GRAPHS)
        return next((each for each in others if each.exists()), path)

    def _save(self, path: Path) -> None:
        if path.suffix not in GRAPHS:
            path = path.with_name(f"{path.name}.json")
        if not path.parent.is_dir():
            self._show_fault(f"there is no folder '{path.parent}'")
        elif path.exists() and path != self._asked.own:
            self._doubtful = path
            self._ask()
        else:
            self._chosen(path)

    # --- another file would be lost

    def _ask(self) -> None:
        """Ask in the list's place whether a file may be replaced; what is lit first keeps it."""
        path = self._doubtful
        if path is None:
            return
        dpg.delete_item(self._list, children_only=True)
        dpg.add_text(f"{path.name} is there already.", parent=self._list, wrap=0)
        self._rows = [
            dpg.add_selectable(
                        disable_popup_close=True,
                label=label, parent=self._list, user_data=name,
                callback=lambda _s, _v, key: self._answered(key),
            )
            for label, name in (("Keep it, choose another name", "keep"), ("Replace it", "replace"))
        ]  # fmt: skip
        self._lit = -1
        self._light(0)

    def _doubt(self, name: str) -> None:
        if name in ("Up", "Down"):
            self._light(self._lit + 1)
        elif name == "Enter":
            self._answered("replace" if self._lit == 1 else "keep")
        elif name == "Escape":
            self._answered("keep")

    def _answered(self, answer: str) -> None:
        path, self._doubtful = self._doubtful, None
        if answer == "replace" and path is not None:
            self._chosen(path)
        else:
            self._renew()


def _by_name(path: Path) -> str:
    return path.name.lower()


def _is_path(text: str) -> bool:
    return "/" in text or text.startswith("~") or os.sep in text
