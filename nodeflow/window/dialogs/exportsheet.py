"""Asking what is exported: the format from a list, the file, and what the format has to choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nodeflow.editor.documents.exporting import (
    ExportForm,
    Line,
    completed,
    lines,
    place,
    with_ending,
)
from nodeflow.editor.state.model import Editor
from nodeflow.errors import NodeflowError
from nodeflow.export import FORMATS
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle, marked, plain
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.toolkit import Item, dpg

_ROW, _ENDING = 20, 104
_FORMATS, _NAME, _FOLDER = 0, 1, 2
"""What is lit: the list of formats, the lines of the file, from 3 on what there is to choose."""
_KEYS = "↑ ↓ choose   Tab next line   ← → change   Enter exports   Escape leaves"

_DOUBT_KEYS = "↑ ↓ choose   Enter takes   Escape keeps it"


class ExportSheet(Sheet):
    """The formats, and below them one line per choice; only the lit one can be typed in."""

    def __init__(
        self,
        style: SheetStyle,
        editor: Editor,
        form: ExportForm,
        begin: Callable[[ExportForm], str],
        leave: Callable[[], None],
    ) -> None:
        name = editor.path.name if editor.path else editor.graph.name
        self.title = f"Export {name}".rstrip()
        super().__init__(style, leave)
        self._editor, self._form, self._begin = editor, form, begin
        self._lit = _FORMATS
        self._shown: list[Line] = []
        self._labels: list[Item] = []
        self._asked: list[Item] = []
        self._answer = 0
        self._looks: list[Item] = []
        self._body = dpg.add_group(parent=self.window)
        self._formats = self._listed()
        dpg.add_spacer(height=2, parent=self._body)
        self._lines = dpg.add_group(parent=self._body)
        self._doubt = dpg.add_group(parent=self.window, show=False)
        self._with_fault()
        self._row = self._buttons(("Export", self._take), ("Cancel", leave))
        self._hint = self._faint(_KEYS, self.window)
        self._apply_style()

    def _listed(self) -> dict[str, Item]:
        found: dict[str, Item] = {}
        with dpg.table(parent=self._body, header_row=False, policy=dpg.mvTable_SizingStretchProp):
            across = _ENDING * self._style.scale
            dpg.add_table_column(width_fixed=True, init_width_or_weight=across)
            dpg.add_table_column()
            for ending, kind in FORMATS.items():
                with dpg.table_row() as row:
                    found[ending] = dpg.add_selectable(
                        disable_popup_close=True,
                        span_columns=True, height=round(_ROW * self._style.scale),
                        user_data=ending,
                        callback=lambda _s, _v, ending: self._choose_format(ending),
                    )  # fmt: skip
                    self._faint(kind.about, row)
        return found

    # --- keys

    def key(self, name: str) -> None:
        """Answer a key."""
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        if self._asked:
            self._doubted(name)
        elif name == "Tab":
            self._light(self._lit + (-1 if shift else 1))
        elif name in ("Up", "Down"):
            self._go(1 if name == "Down" else -1)
        elif name in ("Left", "Right"):
            self._turn(1 if name == "Right" else -1)
        elif name == "Enter":
            self._take()
        else:
            super().key(name)

    def _go(self, by: int) -> None:
        """Go through the formats, and from line to line."""
        endings = list(FORMATS)
        if self._lit != _FORMATS:
            self._light(self._lit + by)
        else:
            at = endings.index(self._form.ending) + by
            self._choose_format(endings[at % len(endings)])

    def _turn(self, by: int) -> None:
        line = self._line(self._lit)
        if line is not None and line.choices:
            at = line.choices.index(line.value) + by
            self._choose(line.name, line.choices[at % len(line.choices)])

    def _light(self, number: int) -> None:
        self._form = completed(self._form)
        self._lit = number % (3 + len(self._shown))
        self._fill()

    def _line(self, number: int) -> Line | None:
        """Return what is to be chosen in a line of the options."""
        at = number - 3
        return self._shown[at] if 0 <= at < len(self._shown) else None

    # --- what is chosen and typed

    def _choose_format(self, ending: str) -> None:
        self._form = with_ending(self._editor, self._form, ending)
        self._lit = _FORMATS
        self._fill()

    def _choose(self, name: str, value: str) -> None:
        self._form = self._form.choosing(name, value)
        self._fill()

    def _on_combo(self, _sender: Item, value: str, number: int) -> None:
        line = self._line(number)
        if line is not None:
            self._lit = number
            self._choose(line.name, value)

    def _typed(self, text: str) -> None:
        self._show_fault("")
        line = self._line(self._lit)
        if line is not None:
            self._form = self._form.choosing(line.name, text)
        elif self._lit == _FOLDER:
            self._form = replace(self._form, folder=text)
        else:
            before, self._form = self._form.ending, self._form.named(text)
            if self._form.ending != before:
                self._fill_options()

    # --- what is shown

    def restyled(self, style: SheetStyle) -> None:
        """Look another way."""
        super().restyled(style)
        self._apply_style()

    def close(self) -> None:
        """Be gone."""
        super().close()
        for look in self._looks:
            dpg.delete_item(look)

    def _apply_style(self) -> None:
        for look in self._looks:
            dpg.delete_item(look)
        theme = self._style.theme
        self._looks = [plain(rgba(colour)) for colour in (theme.text, theme.faint)]
        for row in self._formats.values():
            dpg.bind_item_theme(row, self._looks[0])
        self._fill()

    def _fill(self) -> None:
        """Show what there is to choose, and what is typed at the line that is lit."""
        self._show_fault("")
        self._field, self._focus = None, 0
        dpg.delete_item(self._lines, children_only=True)
        files = (Line("name", "file", self._form.name), Line("folder", "folder", self._form.folder))
        self._labels = []
        self._table(files, _NAME)
        self._options = dpg.add_group(parent=self._lines)
        self._fill_options()
        at_formats = self._lit == _FORMATS
        formats, labels = self._formats, self._labels
        self._reveal(formats[self._form.ending] if at_formats else labels[self._lit - 1])

    def _fill_options(self) -> None:
        self._shown = lines(self._editor, self._form)
        del self._labels[2:]
        dpg.delete_item(self._options, children_only=True)
        self._table(self._shown, _FOLDER + 1, self._options)
        for ending, row in self._formats.items():
            chosen = ending == self._form.ending
            sign = "▸" if chosen and self._lit == _FORMATS else ""
            dpg.configure_item(row, label=marked(ending, sign))
            dpg.set_value(row, chosen)

    def _table(self, shown: Any, first: int, parent: Item | None = None) -> None:
        theme = self._style.theme
        if not shown:
            return
        with dpg.table(
            parent=parent or self._lines, header_row=False, policy=dpg.mvTable_SizingStretchProp
        ):
            dpg.add_table_column(init_width_or_weight=0.25)
            dpg.add_table_column(init_width_or_weight=0.75)
            for number, line in enumerate(shown, first):
                lit = number == self._lit
                with dpg.table_row():
                    colour = rgba(theme.text if lit else theme.faint)
                    text = marked(line.label, "▸" if lit else "")
                    self._labels.append(dpg.add_text(text, color=colour))
                    with dpg.group() as cell:
                        self._cell(cell, line, number)

    def _cell(self, cell: Item, line: Line, number: int) -> None:
        if line.choices:
            dpg.add_combo(
                line.choices, default_value=line.value, width=-1, user_data=number,
                callback=self._on_combo, parent=cell,
            )  # fmt: skip
        elif number == self._lit:
            self._with_field(cell, line.value, line.hint, self._typed)
        else:
            field = dpg.add_button(
                label=f"{line.value or line.hint}##{line.name}", width=-1, parent=cell,
                user_data=number, callback=lambda _s, _v, number: self._light(number),
            )  # fmt: skip
            dpg.bind_item_theme(field, self._looks[0 if line.value else 1])

    # --- the end

    def _take(self) -> None:
        """Export, but ask before a file is lost."""
        try:
            path = place(self._editor, self._form)
        except NodeflowError as error:
            self._show_fault(str(error))
            return
        if path.exists():
            self._ask(path.name)
        else:
            self._export()

    def _export(self) -> None:
        fault = self._begin(self._form)
        if fault:
            self._show_fault(fault)

    def _ask(self, name: str) -> None:
        """Ask in the place of all else whether a file may be replaced; what is lit keeps it."""
        self._show_fault("")
        self._doubting(on=True)
        dpg.add_text(f"{name} is there already.", parent=self._doubt, wrap=0)
        self._asked = [
            dpg.add_selectable(
                        disable_popup_close=True,
                label=label, parent=self._doubt, user_data=number,
                callback=lambda _s, _v, number: self._answered(number),
            )
            for number, label in enumerate(("Keep it, choose another name", "Replace it"))
        ]  # fmt: skip
        self._answer = 0
        self._mark()

    def _doubting(self, *, on: bool) -> None:
        """Show the question alone, or all but the question."""
        dpg.configure_item(self._doubt, show=on)
        for item in (self._body, self._row):
            dpg.configure_item(item, show=not on)
        dpg.set_value(self._hint, _DOUBT_KEYS if on else _KEYS)

    def _mark(self) -> None:
        for number, row in enumerate(self._asked):
            dpg.set_value(row, number == self._answer)

    def _doubted(self, name: str) -> None:
        if name in ("Up", "Down", "Tab"):
            self._answer = 1 - self._answer
            self._mark()
        elif name in ("Enter", "Escape"):
            self._answered(self._answer if name == "Enter" else 0)

    def _answered(self, number: int) -> None:
        """Replace the file, or go back to choose another name."""
        self._asked = []
        dpg.delete_item(self._doubt, children_only=True)
        self._doubting(on=False)
        if number:
            self._export()
        else:
            self._light(_NAME)
