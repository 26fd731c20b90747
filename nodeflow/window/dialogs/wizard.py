"""Asking what a new network should be like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodeflow.data import GENERATORS, Options, look
from nodeflow.data.bundled import BUNDLED
from nodeflow.data.options import MISSING, TARGET_KINDS, TEXTS
from nodeflow.editor.background import Job, Latest
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.networks import LEVELS, offered
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle, marked
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.toolkit import Item, dpg

_AT_ONCE = 0.1
"""Seconds that a frame waits for a network."""
_FITS = "what fits"
_NO_DATA, _A_FILE = "none yet", "a file …"


@dataclass(frozen=True)
class NetworkForm:
    """What a new network should be like."""

    layers: str = "2-4-1"
    data: str = "xor"
    file: Path | None = None
    activation: str = "sigmoid"
    cost: str = _FITS
    trainer: str = "gradient_descent"
    level: str = "layer"
    backward: str = "folded"
    kind: str = _FITS
    missing: str = "refuse"
    text: str = "onehot"

    def options(self) -> Options:
        """Return how the file is to be read."""
        kind = "auto" if self.kind == _FITS else self.kind
        return Options(target_kind=kind, missing=self.missing, text=self.text)

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
            where = {"data": self.file.name, "folder": self.file.parent}
            return {**found, **where, "options": self.options()}
        return {**found, "data": None if self.data == _NO_DATA else self.data}


def read_table(form: NetworkForm) -> str:
    """Return what becomes of the columns of a form's file, in lines, or why it cannot be read."""
    try:
        return "\n".join(look(str(form.file), options=form.options()).lines())
    except NodeflowError as error:
        return f"! {error}"


class Wizard(Sheet):
    """One line per choice: Up and Down go from line to line, Left and Right choose."""

    title = "New network"

    def __init__(
        self,
        style: SheetStyle,
        form: NetworkForm,
        make: Callable[[NetworkForm], Graph],
        made: Callable[[Graph], None],
        ask_data: Callable[[NetworkForm], None],
        leave: Callable[[], None],
    ) -> None:
        super().__init__(style, leave)
        self._form, self._network, self._made, self._ask_data = form, make, made, ask_data
        self._work: Job[Graph] | None = None
        self._lit = 0
        self._labels: list[Item] = []
        self._combos: dict[str, Item] = {}
        self._choices = self._offered()
        with dpg.table(parent=self.window, header_row=False, policy=dpg.mvTable_SizingStretchProp):
            dpg.add_table_column(init_width_or_weight=0.3)
            dpg.add_table_column(init_width_or_weight=0.7)
            with dpg.table_row():
                self._labels.append(dpg.add_text())
                with dpg.group() as place:
                    pass
            for name in self._choices:
                with dpg.table_row():
                    self._labels.append(dpg.add_text())
                    self._combos[name] = dpg.add_combo(
                        self._choices[name], default_value=self._now(name), width=-1,
                        user_data=name, callback=self._on_combo,
                    )  # fmt: skip
        self._table = self._faint("", self.window)
        dpg.configure_item(self._table, show=False)
        self._tables: Latest[tuple[NetworkForm, str]] = Latest("table", 0.0)
        self._read()
        self._with_field(place, form.layers, "2-4-1; empty: what fits the data", self._typed)
        self._with_fault()
        self._busy = self._faint("", self.window)
        dpg.configure_item(self._busy, show=False)
        self._buttons(("Make it", self._make), ("Cancel", leave))
        self._faint("↑ ↓ line   ← → choose   Enter makes it   Escape leaves", self.window)
        self._mark()

    def _offered(self) -> dict[str, list[str]]:
        file = [str(self._form.file)] if self._form.file is not None else []
        table = {
            "kind": [_FITS, *TARGET_KINDS[1:]],
            "missing": list(MISSING),
            "text": list(TEXTS),
        }
        return {
            "data": [_NO_DATA, *GENERATORS, *BUNDLED, *file, _A_FILE],
            **(table if file else {}),
            "activation": list(offered("activation")),
            "cost": [_FITS, *offered("cost")],
            "trainer": list(offered("trainer")),
            "level": list(LEVELS),
            "backward": ["folded", "unfolded"],
        }

    def _now(self, name: str) -> str:
        if name == "data" and self._form.file is not None:
            return str(self._form.file)
        return str(getattr(self._form, name))

    def key(self, name: str) -> None:
        """Answer a key."""
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
        elif name == "Escape" and self._work is not None:
            self._worked(None)
        else:
            super().key(name)

    def restyled(self, style: SheetStyle) -> None:
        """Look another way."""
        super().restyled(style)
        self._mark()

    def _mark(self) -> None:
        theme = self._style.theme
        names = ["layers", *(_LABELS[name] for name in self._choices)]
        for number, (label, name) in enumerate(zip(self._labels, names, strict=True)):
            lit = number == self._lit
            dpg.set_value(label, marked(name, "▸" if lit else ""))
            dpg.configure_item(label, color=rgba(theme.text if lit else theme.faint))
        self._reveal(self._labels[self._lit])

    def _typed(self, text: str) -> None:
        self._form = replace(self._form, layers=text)
        self._show_fault("")

    def _on_combo(self, _sender: Item, value: str, name: str) -> None:
        self._take(name, value)
        if value == _A_FILE:
            self._enter()

    def _take(self, name: str, value: str) -> None:
        if name == "data":
            keeps = self._form.file is not None and value == str(self._form.file)
            self._form = replace(self._form, data=value, file=self._form.file if keeps else None)
        else:
            self._form = replace(self._form, **{name: value})  # type: ignore[arg-type]
        dpg.set_value(self._combos[name], value)
        self._show_fault("")
        if name in ("data", "kind", "missing", "text"):
            self._read()

    def _read(self) -> None:
        """Read the table again, in the background, to show what becomes of its columns."""
        form = self._form
        dpg.configure_item(self._table, show=form.file is not None)
        if form.file is None:
            self._tables.forget()
        else:
            self._tables.ask(lambda: (form, read_table(form)))

    def _show_table(self) -> None:
        found = self._tables.poll()
        if found is None:
            return
        form, text = found
        if form.file == self._form.file and form.options() == self._form.options():
            dpg.set_value(self._table, text)

    def _enter(self) -> None:
        if self._form.data == _A_FILE and self._form.file is None:
            self._ask_data(replace(self._form, data=_NO_DATA))
        else:
            self._make()

    def _make(self) -> None:
        if self._work is not None:
            return
        form = self._form
        self._worked(Job("making the network", lambda _progress: self._network(form)))
        self.draw(typing=False, patience=_AT_ONCE)

    def _worked(self, work: Job[Graph] | None) -> None:
        """Show whether the network is being made."""
        self._work = work
        dpg.configure_item(self._busy, show=work is not None)
        if work is not None:
            dpg.set_value(self._busy, f"{work.what} …   Escape stops it")

    @property
    def waits(self) -> bool:
        """Whether its field does not have the keys yet, or a network or a table is awaited."""
        return super().waits or self._work is not None or self._tables.busy

    def draw(self, *, typing: bool, patience: float = 0.0) -> None:
        """Go on with the network, once it is made; wait so many seconds for it."""
        super().draw(typing=typing)
        self._show_table()
        work = self._work
        if work is None or not work.done(patience):
            return
        self._worked(None)
        try:
            graph = work.result()
        except NodeflowError as error:
            self._show_fault(str(error))
        else:
            self._made(graph)


_LABELS = {
    "data": "data", "kind": "target holds", "missing": "missing values", "text": "texts become",
    "activation": "activation", "cost": "cost", "trainer": "trainer",
    "level": "drawn by", "backward": "backward pass",
}  # fmt: skip
