"""Many runs: settings chosen by a click, a live table, curves, spread and a heat map of the runs.

A click on a run, or on the table's line of a combination, opens it in the editor at its moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeflow.editor.run.sweeping import (
    Offer,
    SweepForm,
    Sweeping,
    middle_run,
    offers,
    plan_of,
    written,
)
from nodeflow.editor.state.model import Editor
from nodeflow.errors import NodeflowError
from nodeflow.sweeps import Sweep
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.drawing import KINDS, MEASURES, Drawing, drawn, measures, named
from nodeflow.window.canvas.markitems import draw_marks
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle, marked, plain
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import SIZE, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import show

_WIDE, _LEFT, _HIGH, _ROW = 1180, 380, 470, 20
_SHARE, _NAMES = 0.43, 0.55
"""So much of the width does the left take at most, and of that the names beside the fields."""
_LARGER = 1.2
"""Words of a drawing are made to be read on a canvas that can be zoomed."""
_MEASURE, _AXIS = 210, 130
"""How wide the lists are from which a measure and the settings of a map are chosen."""
_VIEWS = ("settings", "table", *KINDS)
"""What can be seen at the right: first what there is to vary, then what came of it."""
_EVERY = 0.3
"""Seconds between two looks at runs that are under way."""
_MOST_ROWS = 400
_OWN = ("seeds", "epochs", "until", "file")
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
_NO_RUNS = "There are no runs yet."


class SweepSheet(Sheet):
    """What is varied at the left, what came of it at the right."""

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
        self._begin, self._pick = begin, pick
        self._file = f"{(editor.path or Path('many')).stem}-runs.csv"
        self._offers = offers(editor)
        self._lit = 0
        self._offer = 0
        self._row = 0
        self._view = "settings" if sweeping is None else "table"
        self._chosen: dict[str, str] = {"curves": "cost"}
        self._axes = (0, 1)
        self._drawing: Drawing | None = None
        self._found: Sweep | None = None
        self._looked = 0.0
        self._was_running = False
        self._rows: list[tuple[Item, int]] = []
        self._ring: Item | None = None
        self._file_line: Item | None = None
        self._unit = 1.0
        left, _ = dpg.get_item_pos(self.window)
        tall = min(_HIGH * style.scale, high - 190 * style.scale)
        dpg.configure_item(self.window, pos=(left, max(round((high - tall) / 2 - 85), 8)))
        self._tall = max(round(tall), 200)
        self._wide_left = round(min(_LEFT * style.scale, self._across * _SHARE))
        narrow = self._narrow = self._wide_left < _LEFT * style.scale
        bar = round(30 * style.scale)
        if narrow:  # there is no room for it at the right
            self._bar = dpg.add_group(horizontal=True, parent=self.window)
        with dpg.group(horizontal=True, parent=self.window):
            self._left = dpg.add_child_window(
                width=self._wide_left, height=self._tall - bar * narrow, border=False
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
            with dpg.group():
                if not narrow:
                    self._bar = dpg.add_group(horizontal=True)
                self._body = dpg.add_child_window(
                    width=-1,
                    height=self._tall - bar,
                    no_scrollbar=False,
                    horizontal_scrollbar=narrow,
                )
        self._state = self._faint("", self.window)
        self._with_fault()
        self._runs = self._buttons(
            ("Run", self._run), ("Stop", self._stop), ("Export", self._export), ("Close", leave)
        )
        self._keys = self._faint("", self.window)
        with dpg.item_handler_registry() as self._handlers:
            dpg.add_item_clicked_handler(callback=self._on_click)
        self._looks: list[Item] = []
        self._apply_style()

    def _apply_style(self) -> None:
        for look in self._looks:
            dpg.delete_item(look)
        theme = self._style.theme
        self._looks = [plain(rgba(colour)) for colour in (theme.text, theme.faint)]
        self._choices: list[Item] = []
        self._fill()
        self._look()

    # --- what is where

    @property
    def waits(self) -> bool:
        """Whether the next frame may differ."""
        return super().waits or self._runs_now or self._was_running or self._hovered

    @property
    def _runs_now(self) -> bool:
        return self._sweeping is not None and self._sweeping.running

    @property
    def _hovered(self) -> bool:
        return self._view in KINDS and bool(dpg.is_item_hovered(self._body))

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
        return "offers" if self._view == "settings" else "rows"

    def draw(self, *, typing: bool) -> None:
        """Show what is new of the runs."""
        super().draw(typing=typing)
        running = self._runs_now
        now = time.monotonic()
        if running or self._was_running:
            if now - self._looked > _EVERY or not running:
                self._look()
            self._was_running = running
        elif self._hovered:
            self._show_state()

    def close(self) -> None:
        """Be gone; runs that are under way go on."""
        super().close()
        for item in (self._handlers, *self._looks):
            dpg.delete_item(item)

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
            at = _VIEWS.index(self._view) + (1 if name == "Right" else -1)
            self._choose_view(_VIEWS[at % len(_VIEWS)])
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
                self._next_measure()
            case "s":
                self._stop()
            case _:
                self._next_axis("xy".index(name))

    def _light(self, number: int) -> None:
        self._lit = number % (len(self._shown) + 1)
        self._fill()
        self._mark_offers()
        self._mark_rows()
        self._show_state()

    def _go(self, by: int) -> None:
        if self._zone == "line":
            self._light(self._lit + by)
        elif self._zone == "offers":
            self._offer = (self._offer + by) % len(self._offers)
            self._mark_offers()
        elif self._view == "table" and self._rows:
            self._row = (self._row + by) % len(self._rows)
            self._mark_rows()
        elif self._drawing is not None and self._ends:
            self._row = (self._row + by) % len(self._ends)
            self._mark_rows()
            self._show_state()

    def _entered(self) -> None:
        if self._zone == "offers":
            self._toggle(self._offers[self._offer])
        elif self._zone == "rows":
            self._open_lit()
        elif self._lit < len(self._shown) and self._shown[self._lit][0] == "file":
            self._export()
        else:
            self._run()

    # --- what is asked for

    def _fill(self) -> None:
        """Show the lines; the one that is lit can be typed in."""
        dpg.set_value(self._keys, _KEYS[self._zone])
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

    def _fill_offers(self) -> None:
        """List the settings that can be varied, each with its present value."""
        self._choices = []
        with dpg.table(parent=self._body, header_row=False, policy=dpg.mvTable_SizingFixedFit):
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
        varied = dict(self._form.varied)
        for number, (item, offer) in enumerate(zip(self._choices, self._offers, strict=False)):
            lit = self._zone == "offers" and number == self._offer
            sign = "▸" if lit else "✓" if offer.address in varied else ""
            dpg.configure_item(item, label=marked(offer.address, sign))
            dpg.set_value(item, offer.address in varied or lit)
            if lit:
                self._reveal(item, self._body)

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
        self._was_running, self._row, self._view = True, 0, "table"
        self._chosen = {"curves": "cost"}
        self._axes = (0, 1)
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
        self._fill_bar()
        self._fill_body()
        self._show_state()

    def _show_state(self) -> None:
        status = _NOT_RUN if self._sweeping is None else self._sweeping.status
        near = self._near()
        if near is None and self._zone == "rows" and self._view in KINDS and self._ends:
            near = self._ends[self._row % len(self._ends)][1:]
        if near is not None and self._found is not None:
            status = self._said(self._found, *near)
        dpg.set_value(self._state, status)

    @staticmethod
    def _said(found: Sweep, number: int, epoch: int) -> str:
        combination, place = divmod(number, len(found.plan.seeds))
        settings = found.plan.settings(combination)
        said = [*(f"{name} {_value(value)}" for name, value in settings.items()),
                f"seed {found.plan.seeds[place]}", f"epoch {epoch}"]  # fmt: skip
        row = found.found[number].values
        said += [f"{named(name)} {show(row[name])}" for name in MEASURES
                 if row.get(name) is not None]  # fmt: skip
        return ", ".join(said)

    def _fill_bar(self) -> None:
        dpg.delete_item(self._bar, children_only=True)
        for view in _VIEWS:
            mark = "▸ " if view == self._view else ""
            dpg.add_button(
                label=f"{mark}{view.capitalize()}", parent=self._bar, user_data=view,
                callback=lambda _s, _v, view: self._choose_view(view),
            )  # fmt: skip
        found = self._found
        there = [] if found is None else measures(found)
        if found is None or not there or self._view not in KINDS:
            return
        if self._measure not in there:
            self._chosen[self._view] = there[0]
        names = {named(one): one for one in there}
        mapped = self._view == "heat map" and len(found.plan.axes) > 2
        scale = self._style.scale
        room = self._across - 20 * scale - sum(
            width(view, None) * SIZE * scale + 24 * scale for view in (*_VIEWS, "▸ ")
        ) - self._wide_left * (not self._narrow)  # fmt: skip
        wanted = _MEASURE + 2 * _AXIS if mapped else _MEASURE
        wide, slim = (round(min(scale, room / wanted) * each) for each in (_MEASURE, _AXIS))
        dpg.add_combo(
            list(names), default_value=named(self._measure), width=wide,
            parent=self._bar, callback=lambda _s, name: self._choose_measure(names[name]),
        )  # fmt: skip
        if mapped:
            for which in (0, 1):
                dpg.add_combo(
                    list(found.plan.names), default_value=found.plan.names[self._axes[which]],
                    width=slim, parent=self._bar, user_data=which,
                    callback=self._choose_axis,
                )  # fmt: skip

    def _choose_view(self, view: str) -> None:
        self._view, self._row = view, 0
        self._look()
        dpg.set_value(self._keys, _KEYS[self._zone])

    def _next_measure(self) -> None:
        there = [] if self._found is None else measures(self._found)
        if there and self._view in KINDS:
            at = there.index(self._measure) if self._measure in there else -1
            self._choose_measure(there[(at + 1) % len(there)])

    def _next_axis(self, which: int) -> None:
        if self._found is not None and self._view == "heat map":
            names = self._found.plan.names
            at = (self._axes[which] + 1) % len(names)
            self._choose_axis(0, names[at], which)

    @property
    def _measure(self) -> str:
        """What is shown in the present view."""
        return self._chosen.get(self._view, "")

    def _choose_measure(self, measure: str) -> None:
        self._chosen[self._view] = measure
        self._look()

    def _choose_axis(self, _sender: Item, name: str, which: int) -> None:
        if self._found is not None:
            at = self._found.plan.names.index(name)
            other = self._axes[1 - which]
            other = self._axes[which] if other == at else other
            self._axes = (at, other) if which == 0 else (other, at)
            self._look()

    def _fill_body(self) -> None:
        if self._view == "settings" and self._choices:
            self._mark_offers()  # these are always the same
            return
        scrolled = dpg.get_y_scroll(self._body)
        dpg.delete_item(self._body, children_only=True)
        self._rows, self._choices, self._drawing = [], [], None
        if self._view == "settings":
            self._fill_offers()
            return
        if self._found is None:
            self._faint(_NO_RUNS, self._body)
            return
        if self._view == "table":
            self._fill_table()
            dpg.set_y_scroll(self._body, scrolled)
            return
        scale = self._style.scale
        unit = scale * _LARGER
        wide = self._across - self._wide_left - 64
        high = self._tall - round(30 * scale) - 24
        area = 0.0, 0.0, wide / unit, high / unit
        self._drawing = drawn(
            self._view, self._found, self._measure or "cost", area, self._style.theme,
            across=self._axes[0], down=self._axes[1],
        )  # fmt: skip
        self._canvas = dpg.add_drawlist(wide, high, parent=self._body)
        draw_marks(self._drawing.marks, self._canvas, self._style.fonts, unit)
        self._unit = unit
        self._mark_rows()
        dpg.bind_item_handler_registry(self._canvas, self._handlers)

    def _fill_table(self) -> None:
        """List a combination a line: medians and quartiles over its seeds."""
        found = self._found
        if found is None or not found.found:
            return
        there = list(reversed(measures(found)))
        until = found.plan.until is not None
        head = [*found.plan.names, "runs", *(["reached"] if until else []),
                *(named(name) for name in there)]  # fmt: skip
        seeds = len(found.plan.seeds)
        combinations = sorted({number // seeds for number in found.found})
        with dpg.table(
            parent=self._body, row_background=True, resizable=True,
            # Where there is little room it is scrolled: a number that was cut would be misread.
            policy=dpg.mvTable_SizingFixedFit if self._narrow else dpg.mvTable_SizingStretchProp,
            no_keep_columns_visible=self._narrow,
        ):  # fmt: skip
            for name in head:
                dpg.add_table_column(label=name)
            for combination, one in list(zip(combinations, found.summaries(), strict=True))[
                :_MOST_ROWS
            ]:
                failed = f", {one.failed} failed" if one.failed else ""
                cells = [*(_value(value) for value in one.settings.values()),
                         f"{one.runs}{failed}",
                         *([f"{one.reached} of {one.runs}"] if until else []),
                         *(_three(one.quartiles[name]) for name in there)]  # fmt: skip
                with dpg.table_row():
                    self._rows.append((
                        dpg.add_selectable(
                            label=cells[0], span_columns=True, user_data=combination,
                            height=round(_ROW * self._style.scale),
                            callback=lambda _s, _v, at: self._open_combination(at),
                        ),
                        combination,
                    ))  # fmt: skip
                    dpg.bind_item_theme(self._rows[-1][0], self._looks[0])
                    for cell in cells[1:]:
                        dpg.add_text(cell)
        if seeds > 1:
            dpg.add_text(
                "median over the seeds (quartiles); a click opens the run in the middle",
                parent=self._body, color=rgba(self._style.theme.faint),
            )  # fmt: skip
        self._mark_rows()

    def _mark_rows(self) -> None:
        for number, (item, _) in enumerate(self._rows):
            lit = self._zone == "rows" and number == self._row
            dpg.set_value(item, lit)
            if lit:
                self._reveal(item, self._body)
        if self._ring is not None and dpg.does_item_exist(self._ring):
            dpg.delete_item(self._ring)
        self._ring = None
        if self._drawing is not None and self._ends and self._zone == "rows":
            (x, y), _, _ = self._ends[self._row % len(self._ends)]
            self._ring = dpg.draw_circle(
                (x * self._unit, y * self._unit), 7 * self._style.scale, parent=self._canvas,
                color=rgba(self._style.theme.selected), thickness=2 * self._style.scale,
            )  # fmt: skip

    @property
    def _ends(self) -> list[tuple[tuple[float, float], int, int]]:
        """Where each run of a drawing ends, from left to right."""
        drawing = self._drawing
        if drawing is None:
            return []
        last = {run: (place, run, epoch) for place, run, epoch in drawing.places}
        if self._view == "curves":
            return [last[run] for run in sorted(last)]
        return sorted(last.values())

    # --- opening a run

    def _near(self) -> tuple[int, int] | None:
        """Return the run under the pointer, and the epoch there."""
        if self._drawing is None or not dpg.is_item_hovered(self._canvas):
            return None
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_rect_min(self._canvas)
        scale = self._style.scale * _LARGER
        within = 80.0 if self._view == "heat map" else 24.0
        return self._drawing.nearest((x - left) / scale, (y - top) / scale, within)

    def _on_click(self, _sender: Item, _value: Any) -> None:
        near = self._near()
        if near is not None and self._found is not None:
            self._pick(self._found, *near)

    def _open_lit(self) -> None:
        """Open the run that the keys have chosen."""
        if self._view == "table" and self._rows:
            self._open_combination(self._rows[self._row % len(self._rows)][1])
        elif self._found is not None and self._ends:
            self._pick(self._found, *self._ends[self._row % len(self._ends)][1:])

    def _open_combination(self, combination: int) -> None:
        """Open the run in the middle of a combination, at its end."""
        found = self._found
        if found is None:
            return
        there = measures(found)
        number = middle_run(found, combination, there[0] if there else "cost")
        if number in found.found:
            self._pick(found, number, int(found.found[number].values.get("epochs") or 0))


def _value(value: Any) -> str:
    return show(value) if isinstance(value, float) else str(value)


def _three(three: tuple[float, float, float] | None) -> str:
    if three is None:
        return "–"
    low, middle, high = (show(value) for value in three)
    return middle if low == high else f"{middle}  ({low} … {high})"
