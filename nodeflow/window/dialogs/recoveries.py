"""Asking what is to become of graphs that a crash left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Literal

from nodeflow.editor.state.kept import Recovery
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle
from nodeflow.window.platform.fonts import fitted
from nodeflow.window.platform.toolkit import Item, dpg

_MOST_CHANGES = 5

Answer = Callable[[Literal["recover", "discard"], Recovery], None]


class Recoveries(Sheet):
    """What was left behind, each with its time and with what would come back."""

    title = "nodeflow did not end well last time"

    def __init__(
        self,
        style: SheetStyle,
        found: Sequence[Recovery],
        answer: Answer,
        leave: Callable[[], None],
    ) -> None:
        super().__init__(style, leave)
        self._found, self._answer = list(found), answer
        self._rows: list[Item] = []
        self._lit = 0
        self._list = dpg.add_group(parent=self.window)
        self._buttons(("Recover", self._recover), ("Throw away", self._discard), ("Later", leave))
        self._faint("Enter recovers   Delete throws away   Escape asks again later", self.window)
        self._fill()

    def key(self, name: str) -> None:
        """Answer a key."""
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
                        disable_popup_close=True,
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
        self._reveal(self._rows[self._lit])

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
