"""What is asked before anything else goes on: a file, a new network, what a crash left behind.

A sheet takes every key. Its lists are lit by the arrows, Enter takes and Escape leaves, so that
nothing needs the mouse; the toolkit's own file dialog knows the mouse only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nodeflow.data import GENERATORS
from nodeflow.data.bundled import BUNDLED
from nodeflow.editor.messages import Message, Opened
from nodeflow.editor.model import Editor
from nodeflow.editor.store import Recovery
from nodeflow.errors import NodeflowError
from nodeflow.networks import ACTIVATIONS, COSTS, LEVELS, TRAINERS, network
from nodeflow.theme import THEMES, Theme
from nodeflow.window.colours import rgba
from nodeflow.window.fonts import Fonts, fitted
from nodeflow.window.toolkit import Item, dpg

_WIDE, _ROW, _ROWS = 600, 26, 12
_PATIENCE, _HELD = 24, 8
"""So many frames a field is given the keys again; one in which it has them counts more."""
_DOUBLE = 0.5
"""Seconds between the two clicks that take a file."""
_MOST_ENTRIES = 500
_MOST_CHANGES = 5
_TABLES = (".csv", ".tsv", ".npz", ".gz", "-ubyte")


class Dialogs:
    """At most one sheet, and who is told what came of it."""

    def __init__(
        self,
        send: Callable[[Message], None],
        chosen: Callable[[str, Path], None],
        look: Callable[[str], Item],
        fonts: Fonts,
    ) -> None:
        self._send, self._chosen, self._look, self._fonts = send, chosen, look, fonts
        self._sheet: Sheet | None = None
        self._wish = Wish()

    @property
    def open(self) -> bool:
        """Whether a sheet is open."""
        return self._sheet is not None

    @property
    def busy(self) -> bool:
        """Whether the next frame has something to do."""
        return self._sheet is not None and self._sheet.waits

    @property
    def ready(self) -> bool:
        """Whether what is typed is taken."""
        return self._sheet is not None and self._sheet.ready

    @property
    def shown(self) -> str:
        """The title of the open sheet, or nothing."""
        return "" if self._sheet is None else self._sheet.title

    def key(self, name: str) -> None:
        """Answer a key."""
        if self._sheet is not None:
            self._sheet.key(name)

    def draw(self) -> None:
        """Give a new field the keys; the toolkit takes its time to."""
        if self._sheet is not None:
            self._sheet.draw()

    def close(self) -> None:
        """Ask no longer."""
        if self._sheet is not None:
            self._sheet.close()
            self._sheet = None

    def ask(self, what: str, editor: Editor) -> None:
        """Ask for a graph file, to open it or to save to it."""
        where = editor.path.parent if editor.path else editor.graph.folder or Path.cwd()
        if what == "ask_save":
            name = editor.path.name if editor.path else f"{editor.graph.name or 'untitled'}.json"
            asked = Asked("Save the graph", where, name, saving=True, own=editor.path)
        else:
            asked = Asked("Open a graph", where)
        self._files(editor, asked, lambda path: self._chosen(what, path), self.close)

    def offer(self, editor: Editor, found: Sequence[Recovery], answer: Answer) -> None:
        """Ask what is to become of the graphs that a crash left behind."""
        self.close()
        self._sheet = _Recoveries(self._dress(editor), found, answer, self.close)

    def new_network(self, editor: Editor) -> None:
        """Ask what a new network should be like."""

        def made(wish: Wish) -> None:
            self._wish = wish
            graph = network(**wish.arguments())  # what does not fit is told by the sheet
            self.close()
            self._send(Opened(graph, None))

        def ask_data(wish: Wish) -> None:
            self._wish = wish
            where = wish.file.parent if wish.file else editor.graph.folder or Path.cwd()
            asked = Asked("Choose the data", where, endings=_TABLES)
            self._files(editor, asked, taken, lambda: self.new_network(editor))

        def taken(path: Path) -> None:
            self._wish = replace(self._wish, data="", file=path)
            self.new_network(editor)

        self.close()
        self._sheet = _Wizard(self._dress(editor), self._wish, made, ask_data, self.close)

    def _files(
        self,
        editor: Editor,
        asked: Asked,
        done: Callable[[Path], None],
        leave: Callable[[], None],
    ) -> None:
        def chosen(path: Path) -> None:
            self.close()
            done(path)

        self.close()
        self._sheet = _Files(self._dress(editor), asked, chosen, leave)

    def _dress(self, editor: Editor) -> _Dress:
        chosen = editor.preferences
        return _Dress(THEMES[chosen.theme], self._look(chosen.theme), self._fonts, chosen.scale)


@dataclass(frozen=True)
class _Dress:
    """How sheets look."""

    theme: Theme
    look: Item
    fonts: Fonts
    scale: float


class Sheet:
    """A window over all others."""

    title = ""
    wide = _WIDE

    def __init__(self, dress: _Dress, leave: Callable[[], None]) -> None:
        self._dress, self._leave = dress, leave
        self._field: Item | None = None
        self._focus = 0
        self._fault: Item | None = None
        wide = round(self.wide * dress.scale)
        left = max((dpg.get_viewport_client_width() - wide) // 2, 8)
        top = max(round(dpg.get_viewport_client_height() * 0.12), 8)
        self.window = dpg.add_window(
            modal=True, no_title_bar=True, no_resize=True, no_move=True, no_saved_settings=True,
            autosize=True, pos=(left, top), min_size=(wide, 10), max_size=(wide, 4000),
            no_scrollbar=True, no_open_over_existing_popup=False,
        )  # fmt: skip
        dpg.bind_item_theme(self.window, dress.look)
        title = dpg.add_text(self.title, parent=self.window)
        if dress.fonts.bold is not None:
            dpg.bind_item_font(title, dress.fonts.bold)
        dpg.add_separator(parent=self.window)

    @property
    def waits(self) -> bool:
        """Whether its field does not have the keys yet."""
        return self._focus > 0

    @property
    def ready(self) -> bool:
        """Whether what is typed is taken."""
        return self._field is None or bool(dpg.is_item_active(self._field))

    def draw(self) -> None:
        """Give the field the keys."""
        if self._focus and self._field is not None:
            active = bool(dpg.is_item_active(self._field))
            self._focus = max(self._focus - (_HELD if active else 1), 0)
            if not active:
                dpg.focus_item(self._field)

    def close(self) -> None:
        """Be gone."""
        dpg.delete_item(self.window)

    def key(self, name: str) -> None:
        """Answer a key."""
        if name == "Escape":
            self._leave()

    def _with_field(self, parent: Item, text: str, hint: str, typed: Callable[[str], None]) -> None:
        self._field = dpg.add_input_text(
            parent=parent, width=-1, default_value=text, hint=hint,
            callback=lambda _sender, now: typed(now),
        )  # fmt: skip
        self._focus = _PATIENCE

    def _with_fault(self) -> None:
        self._fault = dpg.add_text("", parent=self.window, show=False, wrap=0)
        dpg.configure_item(self._fault, color=rgba(self._dress.theme.problem))

    def _tell(self, fault: str) -> None:
        if self._fault is not None:
            dpg.set_value(self._fault, f"! {fault}")
            dpg.configure_item(self._fault, show=bool(fault))
        if fault:  # Enter has taken the keys from the field
            self._focus = _PATIENCE

    def _faint(self, text: str, parent: Item) -> Item:
        item: Item = dpg.add_text(text, parent=parent, color=rgba(self._dress.theme.faint), wrap=0)
        return item

    def _buttons(self, *buttons: tuple[str, Callable[[], None]]) -> None:
        dpg.add_spacer(height=2, parent=self.window)
        with dpg.group(horizontal=True, parent=self.window):
            for label, does in buttons:
                dpg.add_button(label=label, user_data=does, callback=_pressed)


def _pressed(_sender: Item, _value: Any, does: Callable[[], None]) -> None:
    does()


# --- files ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What file is asked for."""

    title: str
    folder: Path
    name: str = ""
    saving: bool = False
    endings: tuple[str, ...] = (".json",)
    own: Path | None = None
    """The file that may be written over without a question."""


class _Files(Sheet):
    """A folder's files, a field for the name, and a question before another file is lost."""

    def __init__(
        self,
        dress: _Dress,
        asked: Asked,
        chosen: Callable[[Path], None],
        leave: Callable[[], None],
    ) -> None:
        self.title = asked.title
        super().__init__(dress, leave)
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
        self._list = dpg.add_child_window(
            parent=self.window, width=-1, height=round(_ROWS * _ROW * dress.scale)
        )
        self._with_fault()
        self._buttons(("Save" if asked.saving else "Open", self._take), ("Cancel", self._leave))
        self._hints = self._faint(
            "↑ ↓ choose   Enter takes   Escape leaves   / or ~ goes anywhere", self.window
        )
        self._go(self._folder)

    def key(self, name: str) -> None:
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
            self._tell(f"{folder}: {os.strerror(error.errno or 0)}")
            return
        self._folder = folder
        self._there = [folder.parent, *folders, *files][:_MOST_ENTRIES]
        self._tell("")
        room = 560.0 / 15
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
        self._tell("")
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
                    label=f" {label}", parent=self._list, user_data=number, callback=self._on_row
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
        row = _ROW * self._dress.scale
        top = float(dpg.get_y_scroll(self._list))
        if not top <= number * row <= top + (_ROWS - 1) * row:
            dpg.set_y_scroll(self._list, max(number - _ROWS // 2, 0) * row)

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
            self._tell(f"there is no file '{path.name}' here")

    def _named(self) -> Path | None:
        text = self._text.strip()
        if not text:
            self._tell("type a name, or choose one")
            return None
        path = self._folder / Path(text).expanduser()
        with_ending = path.with_name(f"{path.name}.json")
        return with_ending if not path.exists() and with_ending.exists() else path

    def _save(self, path: Path) -> None:
        if path.suffix != ".json":
            path = path.with_name(f"{path.name}.json")
        if not path.parent.is_dir():
            self._tell(f"there is no folder '{path.parent}'")
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


# --- a new network --------------------------------------------------------------------------------

_FITS = "what fits"
_NO_DATA, _A_FILE = "none yet", "a file …"


@dataclass(frozen=True)
class Wish:
    """What a new network should be like."""

    layers: str = "2-4-1"
    data: str = "xor"
    file: Path | None = None
    activation: str = "sigmoid"
    cost: str = _FITS
    trainer: str = "gradient_descent"
    level: str = "layer"
    backward: str = "folded"

    def arguments(self) -> dict[str, Any]:
        """Return what `networks.network` is called with."""
        found: dict[str, Any] = {
            "layers": self.layers.strip() or None,
            "activation": self.activation,
            "cost": None if self.cost == _FITS else self.cost,
            "trainer": self.trainer,
            "level": self.level,
            "folded": self.backward == "folded",
        }
        if self.file is not None:
            # A graph names its data from its own folder: that of the file, until it is saved.
            return {**found, "data": self.file.name, "folder": self.file.parent}
        return {**found, "data": None if self.data == _NO_DATA else self.data}


class _Wizard(Sheet):
    """One line a choice: Up and Down go from line to line, Left and Right choose."""

    title = "New network"

    def __init__(
        self,
        dress: _Dress,
        wish: Wish,
        made: Callable[[Wish], None],
        ask_data: Callable[[Wish], None],
        leave: Callable[[], None],
    ) -> None:
        super().__init__(dress, leave)
        self._wish, self._made, self._ask_data = wish, made, ask_data
        self._lit = 0
        self._labels: list[Item] = []
        self._combos: dict[str, Item] = {}
        self._choices = self._offered()
        with dpg.table(parent=self.window, header_row=False, policy=dpg.mvTable_SizingStretchProp):
            dpg.add_table_column(init_width_or_weight=0.3)
            dpg.add_table_column(init_width_or_weight=0.7)
            with dpg.table_row():
                self._labels.append(dpg.add_text("layers"))
                with dpg.group() as place:
                    pass
            for name in self._choices:
                with dpg.table_row():
                    self._labels.append(dpg.add_text(_LABELS[name]))
                    self._combos[name] = dpg.add_combo(
                        self._choices[name], default_value=self._now(name), width=-1,
                        user_data=name, callback=self._on_combo,
                    )  # fmt: skip
        self._with_field(place, wish.layers, "2-4-1; empty: what fits the data", self._typed)
        self._with_fault()
        self._buttons(("Make it", self._make), ("Cancel", leave))
        self._faint("↑ ↓ line   ← → choose   Enter makes it   Escape leaves", self.window)
        self._mark()

    def _offered(self) -> dict[str, list[str]]:
        file = [str(self._wish.file)] if self._wish.file is not None else []
        return {
            "data": [_NO_DATA, *GENERATORS, *BUNDLED, *file, _A_FILE],
            "activation": list(ACTIVATIONS),
            "cost": [_FITS, *COSTS],
            "trainer": list(TRAINERS),
            "level": list(LEVELS),
            "backward": ["folded", "unfolded"],
        }

    def _now(self, name: str) -> str:
        if name == "data" and self._wish.file is not None:
            return str(self._wish.file)
        return str(getattr(self._wish, name))

    def key(self, name: str) -> None:
        if name in ("Up", "Down"):
            self._lit = (self._lit + (1 if name == "Down" else -1)) % len(self._labels)
            self._mark()
        elif name in ("Left", "Right") and self._lit:
            choice = list(self._choices)[self._lit - 1]
            there = self._choices[choice]
            step = 1 if name == "Right" else -1
            self._take(choice, there[(there.index(self._now(choice)) + step) % len(there)])
        elif name == "Enter":
            self._enter()
        else:
            super().key(name)

    def _mark(self) -> None:
        theme = self._dress.theme
        for number, label in enumerate(self._labels):
            lit = number == self._lit
            text = str(dpg.get_value(label)).removeprefix("▸ ")
            dpg.set_value(label, f"▸ {text}" if lit else text)
            dpg.configure_item(label, color=rgba(theme.text if lit else theme.faint))

    def _typed(self, text: str) -> None:
        self._wish = replace(self._wish, layers=text)
        self._tell("")

    def _on_combo(self, _sender: Item, value: str, name: str) -> None:
        self._take(name, value)
        if value == _A_FILE:
            self._enter()

    def _take(self, name: str, value: str) -> None:
        if name == "data":
            keeps = self._wish.file is not None and value == str(self._wish.file)
            self._wish = replace(self._wish, data=value, file=self._wish.file if keeps else None)
        else:
            self._wish = replace(self._wish, **{name: value})  # type: ignore[arg-type]
        dpg.set_value(self._combos[name], value)
        self._tell("")

    def _enter(self) -> None:
        if self._wish.data == _A_FILE and self._wish.file is None:
            self._ask_data(replace(self._wish, data=_NO_DATA))
        else:
            self._make()

    def _make(self) -> None:
        try:
            self._made(self._wish)
        except NodeflowError as error:
            self._tell(str(error))


_LABELS = {
    "data": "data", "activation": "activation", "cost": "cost", "trainer": "trainer",
    "level": "drawn by", "backward": "backward pass",
}  # fmt: skip


# --- after a crash --------------------------------------------------------------------------------

Answer = Callable[[Literal["recover", "discard"], Recovery], None]


class _Recoveries(Sheet):
    """What was left behind, each with its time and with what would come back."""

    title = "nodeflow did not end well last time"

    def __init__(
        self,
        dress: _Dress,
        found: Sequence[Recovery],
        answer: Answer,
        leave: Callable[[], None],
    ) -> None:
        super().__init__(dress, leave)
        self._found, self._answer = list(found), answer
        self._rows: list[Item] = []
        self._lit = 0
        self._list = dpg.add_group(parent=self.window)
        self._buttons(("Recover", self._recover), ("Throw away", self._discard), ("Later", leave))
        self._faint("Enter recovers   Delete throws away   Escape asks again later", self.window)
        self._fill()

    def key(self, name: str) -> None:
        if name in ("Up", "Down"):
            self._light(self._lit + (1 if name == "Down" else -1))
        elif name == "Enter":
            self._recover()
        elif name == "Delete":
            self._discard()
        else:
            super().key(name)

    def _fill(self) -> None:
        dpg.delete_item(self._list, children_only=True)
        self._rows = []
        for number, recovery in enumerate(self._found):
            label = f"{recovery.name}   {_when(recovery.time)}"
            self._rows.append(
                dpg.add_selectable(
                    label=label, parent=self._list, user_data=number,
                    callback=lambda _s, _v, which: self._light(which),
                )
            )  # fmt: skip
            where = str(recovery.path) if recovery.path else "it has no file yet"
            self._faint(f"    {fitted(where, None, 34.0, middle=True)}", self._list)
            for change in _few(recovery.changes):
                self._faint(f"    {fitted(change, None, 34.0)}", self._list)
            dpg.add_spacer(height=2, parent=self._list)
        self._light(min(self._lit, len(self._found) - 1))

    def _light(self, number: int) -> None:
        self._lit = number % len(self._rows)
        for other, row in enumerate(self._rows):
            dpg.set_value(row, other == self._lit)

    def _recover(self) -> None:
        self._leave()
        self._answer("recover", self._found[self._lit])

    def _discard(self) -> None:
        self._answer("discard", self._found.pop(self._lit))
        if self._found:
            self._fill()
        else:
            self._leave()


def _few(changes: Sequence[str]) -> list[str]:
    if len(changes) <= _MOST_CHANGES:
        return list(changes)
    return [*changes[: _MOST_CHANGES - 1], f"and {len(changes) - _MOST_CHANGES + 1} more changes"]


def _when(seconds: float) -> str:
    """Return a time as people say it."""
    then, now = time.localtime(seconds), time.localtime()
    clock = time.strftime("%H:%M", then)
    if then[:3] == now[:3]:
        return f"today at {clock}"
    return time.strftime(
        f"%-d %B %Y at {clock}" if os.name != "nt" else f"%d %B %Y at {clock}", then
    )
