"""Many runs: settings chosen by a click, and what comes of them while they go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nodeflow.editor.run.sweeping import (
    Offer,
    SweepForm,
    Sweeping,
    offers,
    plan_of,
    written,
)
from nodeflow.editor.state.model import Editor
from nodeflow.errors import NodeflowError
from nodeflow.sweeps import Sweep
from nodeflow.sweeps.cases import Plan
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle, marked, plain
from nodeflow.window.dialogs.sweepresults import Places, SweepResults, bar_height
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import SIZE, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg

_WIDE, _LEFT, _HIGH, _ROW = 1180, 380, 470, 20
_SHARE, _NAMES = 0.43, 0.55
"""How much of the width the left takes at most, and of that the names beside the fields."""
_EVERY = 0.3
"""Seconds between two looks at runs that are under way."""
_HINTS = {
    "seeds": "10, or 3,5,8, or 10:29", "epochs": "the graph's",
    "until": "accuracy >= 0.95", "file": "runs.csv",
}  # fmt: skip
_KEYS = {
    "line": "Tab next   ↑ ↓ another line   Enter runs, or exports   Escape leaves; runs go on",
    "offers": "Tab next   ↑ ↓ a setting   Enter varies it, or leaves it out   ← → view   "
    "S stops the runs   Escape leaves; runs go on",
    "rows": "Tab next   ↑ ↓ a run   Enter opens it   ← → view   M another measure   X Y the "
    "settings of the map   S stops   Escape leaves",
}
"""What the keys do, by where they go."""
_ENDINGS = (".csv", ".json", ".npz", ".svg", ".png", ".html")
_NOT_RUN = "Click the settings to vary, give their values, and run."


class SweepSheet(Sheet):
    """What is varied at the left; at the right what there is to vary, and what came of it."""

    title = "Many runs"
    wide = _WIDE

    def __init__(
        self,
        style: SheetStyle,
        editor: Editor,
        form: SweepForm,
        sweeping: Sweeping | None,
        begin: Callable[[SweepForm, Plan], Sweeping],
        pick: Callable[[Sweep, int, int], None],
        leave: Callable[[], None],
    ) -> None:
        high = dpg.get_viewport_client_height()
        super().__init__(style, leave)
        self._editor, self._form, self._sweeping = editor, form, sweeping
        self._begin = begin
        self._file = f"{(editor.path or Path('many')).stem}-runs.csv"
        self._offers = offers(editor)
        self._lit = 0
        self._offer = 0
        self._found: Sweep | None = None
        self._looked = 0.0
        self._was_running = False
        self._file_line: Item | None = None
        left, _ = dpg.get_item_pos(self.window)
        room = min(_HIGH * style.scale, high - 190 * style.scale)
        dpg.configure_item(self.window, pos=(left, max(round((high - room) / 2 - 85), 8)))
        tall = max(round(room), 200)
        self._wide_left = round(min(_LEFT * style.scale, self._across * _SHARE))
        narrow = self._narrow = self._wide_left < _LEFT * style.scale
        # Where the right has no room for its bar, that is above both.
        bar = dpg.add_group(parent=self.window) if narrow else None
        with dpg.group(horizontal=True, parent=self.window):
            self._left = dpg.add_child_window(
                width=self._wide_left, height=tall - bar_height(style) * narrow, border=False
            )
            with dpg.group(parent=self._left):
                self._lines = dpg.add_group()
                for row in (_ENDINGS[:3], _ENDINGS[3:]) if narrow else (_ENDINGS,):
                    with dpg.group(horizontal=True):
                        for ending in row:  # what is written, without typing
                            dpg.add_button(
                                label=ending, user_data=ending, small=True,
                                callback=lambda _s, _v, ending: self._choose_ending(ending),
                            )  # fmt: skip
            size = self._across - self._wide_left, tall
            right = dpg.add_group()
            self._results = SweepResults(
                Places(bar or right, right, size, self._across if narrow else size[0], narrow),
                style, pick, changed=self._look,
                fill_settings=self._fill_offers, reveal=self._reveal,
                view="settings" if sweeping is None else "table",
            )  # fmt: skip
        self._state = self._faint("", self.window)
        self._with_fault()
        self._buttons(
            ("Run", self._run), ("Stop", self._stop), ("Export", self._export), ("Close", leave)
        )
        self._keys = self._faint("", self.window)
        self._looks: list[Item] = []
        self._apply_style()

    def _apply_style(self) -> None:
        for look in self._looks:
            dpg.delete_item(look)
        theme = self._style.theme
        self._looks = [plain(rgba(colour)) for colour in (theme.text, theme.faint)]
        self._results.restyle(self._style, self._looks[0])
        self._fill()
        self._look()

    # --- what is where

    @property
    def waits(self) -> bool:
        """Whether the next frame may differ."""
        running = self._runs_now or self._was_running
        return super().waits or running or self._results.hovered

    @property
    def _runs_now(self) -> bool:
        return self._sweeping is not None and self._sweeping.running

    @property
    def _shown(self) -> list[tuple[str, str]]:
        """The lines that can be typed: what is varied, then what belongs to all runs."""
        form = self._form
        return [*form.varied, ("seeds", form.seeds), ("epochs", form.epochs),
                ("until", form.until), ("file", self._file)]  # fmt: skip

    @property
    def _zone(self) -> str:
        if self._lit < len(self._shown):
            return "line"
        return "offers" if self._results.on_settings else "rows"

    def draw(self, *, typing: bool) -> None:
        """Show what is new of the runs."""
        super().draw(typing=typing)
        running = self._runs_now
        now = time.monotonic()
        if running or self._was_running:
            if now - self._looked > _EVERY or not running:
                self._look()
            self._was_running = running
        elif self._results.hovered:
            self._show_state()

    def close(self) -> None:
        """Be gone; runs that are under way go on."""
        super().close()
        self._results.close()
        for look in self._looks:
            dpg.delete_item(look)

    def restyled(self, style: SheetStyle) -> None:
        """Look another way."""
        super().restyled(style)
        self._apply_style()

    # --- keys

    def key(self, name: str) -> None:
        """Answer a key."""
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        if name == "Tab":
            self._light(self._lit + (-1 if shift else 1))
        elif name in ("Up", "Down"):
            self._go(1 if name == "Down" else -1)
        elif name in ("Left", "Right") and self._zone != "line":
            self._results.turn(1 if name == "Right" else -1)
        elif name == "Enter":
            self._entered()
        elif name in ("m", "x", "y", "s") and self._zone != "line":
            self._letter(name)
        else:
            super().key(name)

    def _letter(self, name: str) -> None:
        """Answer a letter, where nothing is typed."""
        match name:
            case "m":
                self._results.next_measure()
            case "s":
                self._stop()
            case _:
                self._results.next_axis("xy".index(name))

    def _light(self, number: int) -> None:
        self._lit = number % (len(self._shown) + 1)
        self._fill()
        self._mark_offers()
        self._show_state()

    def _go(self, by: int) -> None:
        if self._zone == "line":
            self._light(self._lit + by)
        elif self._zone == "offers":
            self._offer = (self._offer + by) % len(self._offers)
            self._mark_offers()
        else:
            self._results.go(by)
            self._show_state()

    def _entered(self) -> None:
        if self._zone == "offers":
            self._toggle(self._offers[self._offer])
        elif self._zone == "rows":
            self._results.open_lit()
        elif self._lit < len(self._shown) and self._shown[self._lit][0] == "file":
            self._export()
        else:
            self._run()

    # --- what is asked for

    def _fill(self) -> None:
        """Show the lines; the one that is lit can be typed in."""
        self._show_keys()
        self._field, self._focus = None, 0
        dpg.delete_item(self._lines, children_only=True)
        theme = self._style.theme
        em = SIZE * self._style.scale
        names = [marked(name) for name, _ in self._shown]
        widest = max(width(name, None) for name in names) * em + 12
        beside = min(widest, self._wide_left * _NAMES)
        room = (self._wide_left * 0.9 if self._narrow else beside) / em
        for number, (name, text) in enumerate(self._shown):
            lit = number == self._lit
            with dpg.group(parent=self._lines, horizontal=not self._narrow, xoffset=beside) as cell:
                label = fitted(marked(name, "▸" if lit else ""), None, room, middle=True)
                dpg.add_text(label, color=rgba(theme.text if lit else theme.faint))
                hint = _HINTS.get(name, "0.1,0.3 or 0.01:1:log5")
                if lit:
                    self._with_field(cell, text, hint, self._typed)
                    self._reveal(cell, self._left)
                else:
                    field = dpg.add_button(
                        label=f"{text or hint}##{name}", width=-1, user_data=number,
                        callback=lambda _s, _v, number: self._light(number),
                    )  # fmt: skip
                    dpg.bind_item_theme(field, self._looks[0 if text else 1])
                    self._file_line = field  # the last one

    def _show_keys(self) -> None:
        """Say what the keys do where they go, and show where that is."""
        dpg.set_value(self._keys, _KEYS[self._zone])
        self._results.light(on=self._zone == "rows")

    def _choose_ending(self, ending: str) -> None:
        """Write another kind of file under the same name."""
        self._file = str(Path(self._file or "runs").with_suffix(ending))
        self._show_fault("")
        if self._zone == "line" and self._shown[self._lit][0] == "file":
            dpg.set_value(self._field, self._file)
        else:  # nothing is made anew, so that no click is lost
            dpg.configure_item(self._file_line, label=f"{self._file}##file")
            dpg.bind_item_theme(self._file_line, self._looks[0])

    def _typed(self, text: str) -> None:
        self._show_fault("")
        name = self._shown[self._lit][0]
        if self._lit < len(self._form.varied):
            self._form = self._form.with_values(name, text)
        elif name == "file":
            self._file = text
        elif name == "seeds":
            self._form = replace(self._form, seeds=text)
        elif name == "epochs":
            self._form = replace(self._form, epochs=text)
        else:
            self._form = replace(self._form, until=text)

    def _fill_offers(self, parent: Item) -> None:
        """List the settings that can be varied, each with its present value."""
        self._choices: list[Item] = []
        with dpg.table(parent=parent, header_row=False, policy=dpg.mvTable_SizingFixedFit):
            dpg.add_table_column()
            dpg.add_table_column()
            for offer in self._offers:
                with dpg.table_row() as row:
                    self._choices.append(
                        dpg.add_selectable(
                            label=offer.address, span_columns=True, user_data=offer,
                            height=round(_ROW * self._style.scale),
                            callback=lambda _s, _v, offer: self._toggle(offer),
                        )
                    )  # fmt: skip
                    dpg.bind_item_theme(self._choices[-1], self._looks[0])
                    dpg.configure_item(self._faint(offer.value, row), wrap=-1)
        self._mark_offers()

    def _mark_offers(self) -> None:
        if not self._results.on_settings:
            return
        varied = dict(self._form.varied)
        for number, (item, offer) in enumerate(zip(self._choices, self._offers, strict=True)):
            lit = self._zone == "offers" and number == self._offer
            sign = "▸" if lit else "✓" if offer.address in varied else ""
            dpg.configure_item(item, label=marked(offer.address, sign))
            dpg.set_value(item, offer.address in varied or lit)
            if lit:
                self._results.reveal(item)

    def _toggle(self, offer: Offer) -> None:
        """Vary a setting; its values are typed next."""
        zone = self._zone
        self._form = self._form.toggled(offer)
        if offer.address in dict(self._form.varied) and zone != "offers":
            self._lit = len(self._form.varied) - 1
        elif zone == "offers":
            self._lit = len(self._shown)
        else:
            self._lit = 0
        self._show_fault("")
        self._fill()
        self._mark_offers()

    # --- running

    def _run(self) -> None:
        if self._runs_now:
            self._show_fault("the runs are under way; Stop ends them")
            return
        try:
            plan = plan_of(self._editor.graph, self._form)
        except NodeflowError as error:
            self._show_fault(str(error))
            return
        self._show_fault("")
        self._sweeping = self._begin(self._form, plan)
        self._was_running = True
        self._results.renew()
        self._look()

    def _stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.stop()

    def _export(self) -> None:
        """Write the runs that are there to the file that was named."""
        if self._found is None or not self._found.found:
            self._show_fault("there are no runs yet")
            return
        path = self._editor.path
        folder = path.parent if path else self._editor.graph.folder or Path.cwd()
        try:
            self._exported = f"exported {written(self._found, folder, self._file)}"
        except NodeflowError as error:
            self._show_fault(str(error))
            self._lit = len(self._shown) - 1
            self._fill()
            return
        self._show_fault("")
        dpg.set_value(self._state, self._exported)

    # --- what came of it

    def _look(self) -> None:
        """Take the runs that are over, and show them."""
        self._looked = time.monotonic()
        self._found = None if self._sweeping is None else self._sweeping.found()
        self._results.show(self._found)
        self._show_keys()
        self._show_state()

    def _show_state(self) -> None:
        """Tell of the run that is pointed at or lit, otherwise of all."""
        status = _NOT_RUN if self._sweeping is None else self._sweeping.status
        dpg.set_value(self._state, self._results.told or status)
