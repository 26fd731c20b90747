"""Training at the right: play, pause, reset, how, and how far it has come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from nodeflow.editor.panels.training import (
    accuracy_of,
    cost_now,
    has_accuracy,
    present,
    progress,
    step_of_labels,
)
from nodeflow.editor.panels.training import rate as rate_of
from nodeflow.editor.state.faults import Mistyped
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.messages import Do, Message, Mistype, SetTraining, SetValue
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.reading import read, written
from nodeflow.editor.update import refusal
from nodeflow.playback.curve import column, epochs, newest
from nodeflow.theme import THEMES, Theme
from nodeflow.window.panels.typed import Typed
from nodeflow.window.platform.colours import Colour, rgba
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import percent, show

_PLOT_HEIGHT = 112
_LEAST_RATE, _MOST_RATE = 1e-4, 10.0
_MOST_POINTS = 160
_DOUBLE, _FRAMES = 0.5, 4
"""Seconds, or frames, between the two clicks that show a whole curve again."""


class TrainingPanel:
    """Buttons, fields and plots of training."""

    def __init__(self, parent: Item, send: Callable[[Message], None], fonts: Fonts) -> None:
        self._send = send
        self._rows: dict[str, Item] = {}
        self._theme: Theme | None = None
        self._opened = True, True
        self._history: Any = None
        self._drawn: tuple[Any, ...] = ()
        self._shown: tuple[object, ...] = ()
        self._told = ""
        self._parts: tuple[object, object] = (None, None)
        self._setting: tuple[str, str] | None = None
        self._rate: float | None = None
        self._editor: Editor | None = None
        title = dpg.add_text("Training", parent=parent)
        if fonts.bold is not None:
            dpg.bind_item_font(title, fonts.bold)
        with dpg.group(horizontal=True, parent=parent):
            self._play = dpg.add_button(label="▶ Train", callback=self._on_play)
            dpg.add_button(label="↺ Reset", callback=lambda: send(Do("reset")))
            self._check = dpg.add_button(label="Check", callback=lambda: send(Do("check")))
        self._offer = dpg.add_button(
            label="Go on with earlier training", parent=parent, width=-1, show=False,
            callback=lambda: send(Do("resume")),
        )  # fmt: skip
        self._state = dpg.add_text("", parent=parent, wrap=0)
        with dpg.table(parent=parent, header_row=False, policy=dpg.mvTable_SizingStretchProp):
            dpg.add_table_column(init_width_or_weight=0.28)
            dpg.add_table_column(init_width_or_weight=0.72)
            self._typed = {name: self._line(name) for name in ("batch", "epochs", "seed")}
            self._typed["rate"] = self._rate_line()
        self._plots = dpg.add_group(parent=parent)
        self._cost = _Plot(self._plots, "cost", {"train": "cost", "test": "test_cost"})
        self._accuracy = _Plot(
            self._plots, "accuracy", {"train": "train_accuracy", "test": "test_accuracy"}
        )

    def _line(self, label: str) -> Typed:
        with dpg.table_row() as row:
            dpg.add_text(label)
            cell = dpg.add_group()
        self._rows[label] = row
        return Typed(cell, partial(self._enter, label), partial(self._keep, label))

    def _rate_line(self) -> Typed:
        """Return the field of the rate; beside it stands a slider of its powers."""
        with dpg.table_row() as self._rows["rate"]:
            dpg.add_text("rate")
            cell = dpg.add_group()
        with dpg.table(
            parent=cell, header_row=False, policy=dpg.mvTable_SizingStretchProp, pad_outerX=False
        ):
            dpg.add_table_column(init_width_or_weight=0.5)
            dpg.add_table_column(init_width_or_weight=0.5)
            with dpg.table_row():
                typed = Typed(
                    dpg.add_group(), partial(self._enter, "rate"), partial(self._keep, "rate"),
                    fault_parent=cell,
                )  # fmt: skip
                # A double-click would edit the exponent that it stands for.
                self._slider: Item = dpg.add_slider_double(
                    width=-1, min_value=math.log10(_LEAST_RATE), max_value=math.log10(_MOST_RATE),
                    format="", no_input=True, callback=self._on_rate,
                )  # fmt: skip
        return typed

    def _enter(self, name: str, text: str) -> str:
        """Have something changed, or return why it cannot be."""
        editor, change = self._editor, self._change(name, text)
        fault = "" if editor is None else refusal(editor, change)
        if not fault:
            self._send(change)
        return fault.removeprefix(f"{self._at(name)[0] or 'training'}.{self._at(name)[1]} ")

    def _change(self, name: str, text: str) -> SetValue | SetTraining:
        node, setting = self._at(name)
        return SetValue(node, setting, read(text, "number")) if node else SetTraining(name, text)

    def _at(self, name: str) -> tuple[str, str]:
        """Return the node and the setting of a line; what belongs to the training has no node."""
        return self._setting if name == "rate" and self._setting is not None else ("", name)

    def _keep(self, name: str, mistake: Mistyped | None) -> None:
        self._send(Mistype(*self._at(name), mistake))

    def typing(self) -> bool:
        """Return whether a field takes keys."""
        return any(field.active for field in self._typed.values())

    def show_parts(self, *, fields: bool, curves: bool) -> None:
        """Leave room to what stands below: buttons and the rate stay."""
        if self._opened == (fields, curves):
            return
        self._opened = fields, curves
        dpg.configure_item(self._plots, show=curves)
        for label in ("batch", "epochs", "seed"):
            dpg.configure_item(self._rows[label], show=fields)

    def settle(self) -> None:
        """End a drag of the rate."""
        if self._rate is not None and not dpg.is_item_active(self._slider):
            rate, self._rate = self._rate, None
            if self._setting is not None:
                self._send_rate(self._setting, rate, done=True)

    def draw(self, editor: Editor) -> None:
        """Show how training stands."""
        theme = THEMES[editor.preferences.theme]
        if theme is not self._theme:
            self._theme = theme
            self._cost.coloured(theme)
            self._accuracy.coloured(theme)
            for field in self._typed.values():
                field.apply_style(rgba(theme.problem))
        for plot in (self._cost, self._accuracy):
            plot.enlarge(editor.preferences.scale)
        self._editor = editor
        live, training = editor.live, editor.graph.training
        state = (
            live.state, live.problem, training, editor.selection,
            id(editor.offer) if not live.update else 0, editor.mistyped,
        )  # fmt: skip
        parts = (editor.graph.nodes, editor.graph.wires)
        known = self._parts[0] is parts[0] and self._parts[1] is parts[1]
        waits = any(field.waits for field in self._typed.values())
        if not known or waits or state != self._shown:
            self._shown, self._parts = state, parts
            self._show(editor, theme)
        told = f"! {live.problem}" if live.problem else progress(live, training)
        if editor.offer is not None and not live.update:
            told += f"; there are {editor.offer.text}"
        if told != self._told:
            self._told = told
            dpg.set_value(self._state, told)
        drawn = (live.epoch, live.cost, live.playback.number)
        new = self._history is not live.history
        if new or drawn != self._drawn:
            self._history, self._drawn = live.history, drawn
            here = epochs_lived(live)
            for plot in (self._cost, self._accuracy):
                plot.draw(live, here, new=new)

    def _show(self, editor: Editor, theme: Theme) -> None:
        live = editor.live
        running = live.state == "training"
        dpg.configure_item(self._play, label="❚❚ Pause" if running else "▶ Train")
        offer = None if live.update else editor.offer
        dpg.configure_item(self._offer, show=offer is not None)
        colour = theme.problem if live.problem else theme.faint
        dpg.configure_item(self._state, color=rgba(colour))
        for name in ("batch", "epochs", "seed"):
            self._typed[name].show(present(editor.graph, name), editor.mistyped.get(("", name)))
        self._accuracy.show(shown=has_accuracy(editor))
        found = rate_of(editor)
        rate = _LEAST_RATE
        if found is None:
            self._setting = None
            self._typed["rate"].show("")
        else:
            self._setting, rate = (found.node, found.setting), found.value or _LEAST_RATE
            text = "" if found.value is None else written(found.value)
            self._typed["rate"].show(text, editor.mistyped.get(self._setting))
        dpg.configure_item(self._rows["rate"], show=found is not None)
        if not dpg.is_item_active(self._slider):
            dpg.set_value(self._slider, math.log10(max(rate, _LEAST_RATE)))

    def _on_play(self) -> None:
        self._send(Do("toggle-training"))

    def _on_rate(self, _sender: Item, power: float, _data: Any = None) -> None:
        if self._setting is not None:
            self._rate = float(f"{10**power:.2g}")
            self._send_rate(self._setting, self._rate, done=False)

    def _send_rate(self, setting: tuple[str, str], rate: float, *, done: bool) -> None:
        if setting[0]:
            self._send(SetValue(*setting, rate, done=done))
        else:
            self._send(SetTraining("rate", rate))


class _Plot:
    """Lines over the epochs, training rows and test rows, and a line where the run stands.

    Above stands what they are at that moment. The wheel zooms, a double click shows all again.
    """

    def __init__(self, parent: Item, title: str, lines: Mapping[str, str]) -> None:
        self._lines = lines
        self._share = title == "accuracy"
        self._series: dict[str, Item] = {}
        self._texts: dict[str, Item] = {}
        self._looks: dict[str, Item] = {}
        self._zoomed = self._is_empty = False
        self._click = -math.inf, -_FRAMES - 1
        self._scale = 1.0
        self._epochs = 0
        self._ticked: tuple[int, ...] = ()
        self._group = dpg.add_group(parent=parent)
        with dpg.group(horizontal=True, horizontal_spacing=14, parent=self._group):
            dpg.add_text(title)
            self._now = dpg.add_text("", wrap=0)
        with dpg.group(horizontal=True, horizontal_spacing=14, parent=self._group):
            for label in lines:
                self._texts[label] = dpg.add_text("")
        self.item = dpg.add_plot(
            parent=self._group, height=_PLOT_HEIGHT, width=-1, no_menus=True, no_mouse_pos=True,
            no_box_select=True,
        )  # fmt: skip
        with dpg.theme() as roomy, dpg.theme_component(dpg.mvAll):
            # The number at the end of an axis reaches beyond it.
            for name, x, y in (("PlotPadding", 20, 8), ("FitPadding", 0, 0.06)):
                style = getattr(dpg, f"mvPlotStyleVar_{name}")
                dpg.add_theme_style(style, x, y, category=dpg.mvThemeCat_Plots)
        dpg.bind_item_theme(self.item, roomy)
        self._x = dpg.add_plot_axis(dpg.mvXAxis, parent=self.item, no_gridlines=True)
        self._y = dpg.add_plot_axis(dpg.mvYAxis, parent=self.item)
        for label in lines:
            self._series[label] = dpg.add_line_series([], [], parent=self._y)
        self._head = dpg.add_inf_line_series([], parent=self._y)
        if self._share:
            dpg.set_axis_limits(self._y, -0.04, 1.04)
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=lambda: self._touched(zoomed=True))
            dpg.add_mouse_drag_handler(0, callback=lambda: self._touched(zoomed=True))
            dpg.add_mouse_click_handler(0, callback=self._clicked)

    def _clicked(self) -> None:
        """See whether it is clicked twice: the toolkit misses that while frames come slowly."""
        before, self._click = self._click, (time.monotonic(), dpg.get_frame_count())
        if self._click[0] - before[0] < _DOUBLE or self._click[1] - before[1] <= _FRAMES:
            self._touched(zoomed=False)

    def _touched(self, *, zoomed: bool) -> None:
        """Leave the axes to the person who looks, or take them back."""
        if dpg.does_item_exist(self.item) and dpg.is_item_hovered(self.item):
            self._zoomed = zoomed
            if zoomed:
                self._tick(0)
            else:
                self._fit()

    def show(self, *, shown: bool) -> None:
        """Show the plot, or hide it where there is nothing to plot."""
        dpg.configure_item(self._group, show=shown)

    def enlarge(self, scale: float) -> None:
        """Be as high as texts of this scale need, so that the numbers of the axis stand apart."""
        if scale != self._scale:
            self._scale = scale
            dpg.configure_item(self.item, height=round(_PLOT_HEIGHT * scale))

    def coloured(self, theme: Theme) -> None:
        """Take on a theme's colours."""
        for old in self._looks.values():
            dpg.delete_item(old)
        colours = dict(zip(self._lines, (theme.selected, theme.positive), strict=True))
        self._looks = {label: _line(rgba(colour)) for label, colour in colours.items()}
        dpg.configure_item(self._now, color=rgba(theme.faint))
        head = self._looks["head"] = _line(rgba(theme.text, 0.6), dpg.mvInfLineSeries)
        dpg.bind_item_theme(self._head, head)
        for label, item in self._series.items():
            dpg.bind_item_theme(item, self._looks[label])
            dpg.configure_item(self._texts[label], color=rgba(colours[label]))

    def draw(self, live: Live, here: float, *, new: bool) -> None:
        """Draw the history of a run if it is new, and tell how it is at the moment `here`."""
        history = live.history
        if new:
            at = epochs(history)
            step = -(-len(history) // _MOST_POINTS) or 1
            first = (len(history) - 1) % step  # the last epoch is always told
            for label, key in self._lines.items():
                values_of = column(history, key)[first::step]
                known = np.flatnonzero(~np.isnan(values_of))
                line = [at[first::step][known].tolist(), values_of[known].tolist()]
                dpg.set_value(self._series[label], line)
            self._epochs = int(at[-1]) if len(history) else 0
            self._empty(on=not len(history))
            if not self._zoomed:
                self._fit()
        dpg.set_value(self._head, [[here] if len(history) else []])
        there = newest(history, live.epoch)
        for (label, key), rows in zip(self._lines.items(), live.rows, strict=True):
            now = math.nan if there.get(key) is None else there[key]
            text = percent(now) if self._share else show(now)
            of = f" of {rows}" if rows and self._share else ""
            dpg.set_value(self._texts[label], "" if math.isnan(now) else f"{label} {text}{of}")
        dpg.set_value(self._now, accuracy_of(live) if self._share else cost_now(live))

    def _empty(self, *, on: bool) -> None:
        """Have axes from 0 to 1 while there is no curve: to none the toolkit fits nothing."""
        if on:
            self._zoomed = False
        if on == self._is_empty:
            return
        self._is_empty = on
        for axis in (self._x,) if self._share else (self._x, self._y):
            if on:
                dpg.set_axis_limits(axis, 0, 1)
            else:
                dpg.set_axis_limits_auto(axis)

    def _fit(self) -> None:
        dpg.fit_axis_data(self._x)
        if not self._share:
            dpg.fit_axis_data(self._y)
        self._tick(self._epochs)

    def _tick(self, count: int) -> None:
        """Label some of so many epochs, none of 0: the toolkit would put 1.5 between 1 and 2.

        And of many its labels would touch.
        """
        ticks = tuple(range(0, count + 1, step_of_labels(count))) if count else ()
        if ticks != self._ticked:
            self._ticked = ticks
            if ticks:
                dpg.set_axis_ticks(self._x, tuple((f"{n}", n) for n in ticks))
            else:
                dpg.reset_axis_ticks(self._x)


def epochs_lived(live: Live) -> float:
    """Return how many epochs lie behind, with the part of the present one."""
    playback = live.playback
    return playback.number / playback.per_epoch if playback.per_epoch else float(live.epoch)


def _line(colour: Colour, series: int | None = None) -> Item:
    kind = dpg.mvLineSeries if series is None else series
    made: Item = dpg.add_theme()
    with dpg.theme_component(kind, parent=made):
        dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
        dpg.add_theme_style(dpg.mvPlotStyleVar_LineWeight, 1.8, category=dpg.mvThemeCat_Plots)
    return made
