"""What came of many runs: a table, curves, their spread and a heat map, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodeflow.editor.run.sweeping import middle_run
from nodeflow.sweeps import Sweep
from nodeflow.sweeps.drawing import KINDS, MEASURES, Drawing, drawn, measures, named
from nodeflow.window.canvas.markitems import draw_marks
from nodeflow.window.dialogs.sheets import SheetStyle
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import SIZE, width
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import show

_VIEWS = ("settings", "table", *KINDS)
"""What can be seen: first what there is to vary, then what came of it."""
_LARGER = 1.2
"""Words of a drawing are made to be read on a canvas that can be zoomed."""
_BAR, _ROW = 30, 20
"""How high the bar and a line of the table are, in pixels at scale 1."""
_MEASURE, _AXIS = 210, 130
"""How wide the lists are from which a measure and the settings of a map are chosen."""
_MARGIN = 64, 24
"""How much less than its area a drawing takes, in pixels."""
_MOST_ROWS = 400
_NO_RUNS = "There are no runs yet."
_REACH, _CELL_REACH = 24.0, 80.0
"""How far from the pointer a run is found: the end of a curve or a dot, and a cell of the map."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the bar and what it chooses go, and how large they are in pixels."""

    bar: Item
    body: Item
    size: tuple[int, int]
    """Of both together, where one is below the other."""
    across: int
    """The width of the bar."""
    narrow: bool
    """Whether there is so little room that a table is scrolled sideways."""


def bar_height(style: SheetStyle) -> int:
    """Return how high the bar is, in pixels."""
    return round(_BAR * style.scale)


class SweepResults:
    """A bar that chooses what is looked at, and below it the settings, the table or a drawing.

    A click on a run, or on the table's line of a combination, hands it to `pick` with its epoch.
    The keys do the same with the one that they have lit. `changed` asks for the newest runs when
    something else is looked at, `fill_settings` fills a window with the settings, and `reveal`
    scrolls one to an item within it.
    """

    def __init__(
        self,
        places: Places,
        style: SheetStyle,
        pick: Callable[[Sweep, int, int], None],
        *,
        changed: Callable[[], None],
        fill_settings: Callable[[Item], None],
        reveal: Callable[[Item, Item], None],
        view: str,
    ) -> None:
        self._style, self._changed, self._pick = style, changed, pick
        self._fill_settings, self._reveal = fill_settings, reveal
        self._size, self._across, self._narrow = places.size, places.across, places.narrow
        self._view = view
        self._has_settings = False
        """Whether the settings are there to be seen: they are always the same."""
        self._chosen: dict[str, str] = {"curves": "cost"}
        """The measure of each view."""
        self._axes = (0, 1)
        """Which settings the heat map has across and down."""
        self._found: Sweep | None = None
        self._drawing: Drawing | None = None
        self._unit = 1.0
        """Pixels of the drawing a unit."""
        self._rows: list[tuple[Item, int]] = []
        """The lines of the table, and the combination of each."""
        self._row = 0
        """Which line of the table, or which end of a curve, the keys have lit."""
        self._is_lit = False
        self._ring: Item | None = None
        self._row_look: Item | None = None
        self._bar = dpg.add_group(horizontal=True, parent=places.bar)
        self._body = dpg.add_child_window(
            width=-1,
            height=places.size[1] - bar_height(style),
            parent=places.body,
            horizontal_scrollbar=places.narrow,
        )
        with dpg.item_handler_registry() as self._handlers:
            dpg.add_item_clicked_handler(callback=self._on_click)

    # --- what the sheet tells it

    def renew(self) -> None:
        """Look at other runs: of what was chosen among those before, nothing holds."""
        self._view, self._row, self._axes = "table", 0, (0, 1)
        self._chosen = {"curves": "cost"}

    def show(self, found: Sweep | None) -> None:
        """Show the runs that are over."""
        self._found = found
        self._fill_bar()
        self._fill_body()

    def restyle(self, style: SheetStyle, row_look: Item) -> None:
        """Look another way when it is shown next; `row_look` is that of a line of the table."""
        self._style, self._row_look, self._has_settings = style, row_look, False

    def light(self, *, on: bool) -> None:
        """Show which run the keys would open, while they go here."""
        self._is_lit = on
        self._mark()

    def reveal(self, item: Item) -> None:
        """Scroll to one of the items that are looked at."""
        self._reveal(item, self._body)

    def close(self) -> None:
        """Delete what is not in the sheet's window."""
        dpg.delete_item(self._handlers)

    # --- what the sheet asks it

    @property
    def on_settings(self) -> bool:
        """Whether the settings are looked at."""
        return self._view == "settings"

    @property
    def hovered(self) -> bool:
        """Whether the pointer is over a drawing: what it points at may be another in each frame."""
        return self._view in KINDS and bool(dpg.is_item_hovered(self._body))

    @property
    def told(self) -> str:
        """What there is to say of the run under the pointer, or else of the one that is lit."""
        run = self._pointed()
        if run is None and self._is_lit and self._ends:
            run = self._ends[self._row % len(self._ends)][1:]
        return "" if run is None or self._found is None else _sentence(self._found, *run)

    @property
    def measure(self) -> str:
        """What is shown in the present view."""
        return self._chosen.get(self._view, "")

    # --- keys

    def turn(self, by: int) -> None:
        """Go to the next view, or the one before."""
        self._choose_view(_VIEWS[(_VIEWS.index(self._view) + by) % len(_VIEWS)])

    def next_measure(self) -> None:
        """Show the next measure, in a drawing."""
        there = [] if self._found is None else measures(self._found)
        if there and self._view in KINDS:
            at = there.index(self.measure) if self.measure in there else -1
            self._choose_measure(there[(at + 1) % len(there)])

    def next_axis(self, which: int) -> None:
        """Have the next setting across (0) or down (1) the heat map."""
        if self._found is not None and self._view == "heat map":
            names = self._found.plan.names
            self._choose_axis(0, names[(self._axes[which] + 1) % len(names)], which)

    def go(self, by: int) -> None:
        """Light the next run, or the one before."""
        count = len(self._rows) if self._view == "table" else len(self._ends)
        if count:
            self._row = (self._row + by) % count
            self._mark()

    def open_lit(self) -> None:
        """Open the run that the keys have lit."""
        if self._view == "table" and self._rows:
            self._open_combination(self._rows[self._row % len(self._rows)][1])
        elif self._found is not None and self._ends:
            self._pick(self._found, *self._ends[self._row % len(self._ends)][1:])

    # --- what is looked at

    def _choose_view(self, view: str) -> None:
        self._view, self._row = view, 0
        self._changed()

    def _choose_measure(self, measure: str) -> None:
        self._chosen[self._view] = measure
        self._changed()

    def _choose_axis(self, _sender: Item, name: str, which: int) -> None:
        """Have a setting on an axis; if the other axis had it, they change places."""
        if self._found is not None:
            at = self._found.plan.names.index(name)
            other = self._axes[1 - which]
            other = self._axes[which] if other == at else other
            self._axes = (at, other) if which == 0 else (other, at)
            self._changed()

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
        if self.measure not in there:
            self._chosen[self._view] = there[0]
        names = {named(one): one for one in there}
        mapped = self._view == "heat map" and len(found.plan.axes) > 2
        scale = self._style.scale
        buttons = sum(
            width(view, None) * SIZE * scale + 24 * scale for view in (*_VIEWS, "▸ ")
        )  # fmt: skip
        room = self._across - 20 * scale - buttons
        wanted = _MEASURE + 2 * _AXIS if mapped else _MEASURE
        wide, slim = (round(min(scale, room / wanted) * each) for each in (_MEASURE, _AXIS))
        dpg.add_combo(
            list(names), default_value=named(self.measure), width=wide,
            parent=self._bar, callback=lambda _s, name: self._choose_measure(names[name]),
        )  # fmt: skip
        if mapped:
            for which in (0, 1):
                dpg.add_combo(
                    list(found.plan.names), default_value=found.plan.names[self._axes[which]],
                    width=slim, parent=self._bar, user_data=which, callback=self._choose_axis,
                )  # fmt: skip

    def _fill_body(self) -> None:
        if self.on_settings and self._has_settings:
            return
        scrolled = dpg.get_y_scroll(self._body)
        dpg.delete_item(self._body, children_only=True)
        self._rows, self._drawing, self._has_settings = [], None, self.on_settings
        if self.on_settings:
            self._fill_settings(self._body)
            return
        if self._found is None:
            faint = rgba(self._style.theme.faint)
            dpg.add_text(_NO_RUNS, parent=self._body, color=faint, wrap=0)
            return
        if self._view == "table":
            self._fill_table(self._found)
            dpg.set_y_scroll(self._body, scrolled)
        else:
            self._fill_drawing(self._found)
        self._mark()

    def _fill_table(self, found: Sweep) -> None:
        """List a combination a line: medians and quartiles over its seeds."""
        if not found.found:
            return
        there = list(reversed(measures(found)))
        until = found.plan.until is not None
        head = [*found.plan.names, "runs", *(["reached"] if until else []),
                *(named(name) for name in there)]  # fmt: skip
        seeds = len(found.plan.seeds)
        combinations = sorted({number // seeds for number in found.found})
        lines = list(zip(combinations, found.summaries(), strict=True))
        with dpg.table(
            parent=self._body, row_background=True, resizable=True,
            # Where there is little room it is scrolled: a number that was cut would be misread.
            policy=dpg.mvTable_SizingFixedFit if self._narrow else dpg.mvTable_SizingStretchProp,
            no_keep_columns_visible=self._narrow,
        ):  # fmt: skip
            for name in head:
                dpg.add_table_column(label=name)
            for combination, one in lines[:_MOST_ROWS]:
                failed = f", {one.failed} failed" if one.failed else ""
                cells = [*(_value(value) for value in one.settings.values()),
                         f"{one.runs}{failed}",
                         *([f"{one.reached} of {one.runs}"] if until else []),
                         *(_quartiles(one.quartiles[name]) for name in there)]  # fmt: skip
                with dpg.table_row():
                    row = dpg.add_selectable(
                        label=cells[0], span_columns=True, user_data=combination,
                        height=round(_ROW * self._style.scale),
                        callback=lambda _s, _v, at: self._open_combination(at),
                    )  # fmt: skip
                    self._rows.append((row, combination))
                    if self._row_look is not None:
                        dpg.bind_item_theme(row, self._row_look)
                    for cell in cells[1:]:
                        dpg.add_text(cell)
        if seeds > 1:
            dpg.add_text(
                "median over the seeds (quartiles); a click opens the run in the middle",
                parent=self._body, color=rgba(self._style.theme.faint),
            )  # fmt: skip

    def _fill_drawing(self, found: Sweep) -> None:
        scale = self._style.scale
        self._unit = unit = scale * _LARGER
        wide = self._size[0] - _MARGIN[0]
        high = self._size[1] - bar_height(self._style) - _MARGIN[1]
        self._drawing = drawn(
            self._view, found, self.measure or "cost", (0.0, 0.0, wide / unit, high / unit),
            self._style.theme, across=self._axes[0], down=self._axes[1],
        )  # fmt: skip
        self._canvas = dpg.add_drawlist(wide, high, parent=self._body)
        draw_marks(self._drawing.marks, self._canvas, self._style.fonts, unit)
        dpg.bind_item_handler_registry(self._canvas, self._handlers)

    def _mark(self) -> None:
        """Light the line of the table, or ring the end of the run, that the keys would open."""
        for number, (item, _) in enumerate(self._rows):
            lit = self._is_lit and number == self._row
            dpg.set_value(item, lit)
            if lit:
                self.reveal(item)
        if self._ring is not None and dpg.does_item_exist(self._ring):
            dpg.delete_item(self._ring)
        self._ring = None
        if self._is_lit and self._ends:
            (x, y), _, _ = self._ends[self._row % len(self._ends)]
            self._ring = dpg.draw_circle(
                (x * self._unit, y * self._unit), 7 * self._style.scale, parent=self._canvas,
                color=rgba(self._style.theme.selected), thickness=2 * self._style.scale,
            )  # fmt: skip

    # --- one of the runs

    @property
    def _ends(self) -> list[tuple[tuple[float, float], int, int]]:
        """Where each run of the drawing ends, its number and its last epoch, from left to right.

        Curves all end at the right: they are in the order of their numbers.
        """
        drawing = self._drawing
        if drawing is None:
            return []
        last = {run: (place, run, epoch) for place, run, epoch in drawing.places}
        if self._view == "curves":
            return [last[run] for run in sorted(last)]
        return sorted(last.values())

    def _pointed(self) -> tuple[int, int] | None:
        """Return the number of the run under the pointer, and the epoch there."""
        if self._drawing is None or not dpg.is_item_hovered(self._canvas):
            return None
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_rect_min(self._canvas)
        reach = _CELL_REACH if self._view == "heat map" else _REACH
        return self._drawing.nearest((x - left) / self._unit, (y - top) / self._unit, reach)

    def _on_click(self, _sender: Item, _value: Any) -> None:
        run = self._pointed()
        if run is not None and self._found is not None:
            self._pick(self._found, *run)

    def _open_combination(self, combination: int) -> None:
        """Open the run in the middle of a combination, at its end."""
        found = self._found
        if found is None:
            return
        there = measures(found)
        number = middle_run(found, combination, there[0] if there else "cost")
        if number in found.found:
            self._pick(found, number, int(found.found[number].values.get("epochs") or 0))


def _sentence(found: Sweep, number: int, epoch: int) -> str:
    """Return what there is to say of a run: its settings, its seed, and what came of it."""
    combination, place = divmod(number, len(found.plan.seeds))
    settings = found.plan.settings(combination)
    row = found.found[number].values
    said = [
        *(f"{name} {_value(value)}" for name, value in settings.items()),
        f"seed {found.plan.seeds[place]}",
        f"epoch {epoch}",
        *(f"{named(name)} {show(row[name])}" for name in MEASURES if row.get(name) is not None),
    ]
    return ", ".join(said)


def _value(value: Any) -> str:
    return show(value) if isinstance(value, float) else str(value)


def _quartiles(three: tuple[float, float, float] | None) -> str:
    """Return a median with the quartiles below and above it; of equal numbers one."""
    if three is None:
        return "–"
    low, middle, high = (show(value) for value in three)
    return middle if low == high else f"{middle}  ({low} … {high})"
