"""The timeline at the foot of the window: where the run is, how it is played, two scrub bars."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.derive.phases import PHASES
from nodeflow.editor.commands.registry import COMMANDS
from nodeflow.editor.playing.timeline import Timeline, curve, share_of, speed_at, speed_text
from nodeflow.editor.state.messages import Do, Message
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Go, SetSpeed
from nodeflow.engine.epochlog import Lines
from nodeflow.engine.schedule import LEVELS
from nodeflow.equality import identical
from nodeflow.theme import THEMES, Theme
from nodeflow.window.platform.colours import CLEAR, Colour, mixed, phase_colour, rgba
from nodeflow.window.platform.fonts import EM, SIZE, Fonts, fitted, width
from nodeflow.window.platform.looks import look, main_button
from nodeflow.window.platform.toolkit import Item, dpg

HEIGHT = 106
"""How high the timeline is at scale 1."""
_PAD, _GAP = 12, 6
_ROW, _TOP = 26, 8
_LINE = 10
"""Where a text stands that is level with those on the buttons."""
_WHOLE, _FINE, _BETWEEN = 34, 16, 6
_ARROW, _WORD = 20, 5
_PLAY, _SLIDER, _SPEED = 86, 96, 124
_LEAST_PLACE = 340
_FIRST_GONE = ("update", "phase", "sample", "epoch")
"""Which buttons a narrow window does without, one after the other: each has its key."""
_POINTS, _NOTCHES = 120, 100
_PAUSE = 0.2
"""Seconds between two looks at a history that grows."""
_LEAST_MARK = 6.0


@dataclass(frozen=True, slots=True)
class _Bar:
    """A scrub bar within the drawing, in pixels."""

    left: float
    top: float
    wide: float
    high: float

    def x(self, share: float) -> float:
        return self.left + self.wide * share

    def share(self, x: float) -> float:
        return (x - self.left) / self.wide

    @property
    def foot(self) -> float:
        return self.top + self.high


class TimelineBar:
    """Buttons, the place, the speed, and two bars to drag."""

    def __init__(self, parent: Item, send: Callable[[Message], None], fonts: Fonts) -> None:
        self._parent, self._send, self._fonts = parent, send, fonts
        self._editor: Editor | None = None
        self._scale = 1.0
        self._layout: tuple[object, ...] = ()
        self._status_shown: tuple[object, ...] = ()
        self._still: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        """Of what it was drawn last."""
        self.late = False
        """Whether the next frame draws the curves."""
        self._grown: tuple[object, ...] = ()
        self._moving: tuple[object, ...] = ()
        self._drag: str = ""
        self._sent: int | None = None
        self._held: int | None = None
        self._pointed: tuple[object, ...] = ()
        self._next = 0.0
        self._looks: list[Item] = []
        self._room = 0.0
        self._pressed = False
        self._build()

    @property
    def busy(self) -> bool:
        """Whether the next frame has something to do."""
        return bool(self._drag)

    # --- what is there

    def _build(self) -> None:
        parent = self._parent
        self.buttons: dict[str, Item] = {}
        """By the name of the command that each does."""
        self._words: dict[str, Item] = {}
        self._button("to-start", "|◂")
        self._button("play", "▶  Play")
        for level in LEVELS:
            self._button(f"{level}-back", "◂")
            self._words[level] = dpg.add_text(level, parent=parent)
            self._button(f"{level}-on", "▸")
        self._button("loop", "↻")
        self._button("go-to", "")
        self._reason = dpg.add_text("", parent=parent)
        self._slider = dpg.add_slider_float(
            parent=parent, min_value=0.0, max_value=1.0, format="", no_input=True,
            callback=self._on_speed,
        )  # fmt: skip
        with dpg.tooltip(self._slider):
            dpg.add_text("Speed: a step in 4 s … full speed   (Shift+F8 faster, Ctrl+F8 slower)")
        self._speed = dpg.add_text("", parent=parent)
        # A drawing takes no place of its own.
        self._panel = dpg.add_child_window(
            parent=parent, border=False, no_scrollbar=True, no_scroll_with_mouse=True
        )
        self.bars = dpg.add_drawlist(100, 60, parent=self._panel)
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(button=0, callback=self._on_click)

    def _button(self, command: str, label: str) -> None:
        self.buttons[command] = dpg.add_button(
            label=label, parent=self._parent, user_data=command, callback=self._on_button
        )
        known = COMMANDS[command]
        with dpg.tooltip(self.buttons[command]):
            dpg.add_text(f"{known.title}   ({known.shortcut})")

    def _on_button(self, _sender: Item, _value: Any, command: str) -> None:
        self._send(Do(command))

    def _on_speed(self, _sender: Item, share: float, _data: Any = None) -> None:
        dpg.set_value(self._speed, speed_text(speed_at(share)))
        self._send(ControlRun(SetSpeed(speed_at(share))))

    def _on_click(self, _sender: Item, _button: int, _data: Any = None) -> None:
        self._pressed = dpg.is_item_hovered(self.bars)

    # --- drawing

    def draw(self, editor: Editor) -> None:
        """Show where an editor's run is."""
        self._editor = editor
        theme, scale = THEMES[editor.preferences.theme], editor.preferences.scale
        wide = float(dpg.get_item_width(self._parent) or 0)
        layout = (theme, scale, wide)
        live = editor.live
        drawn = (live.playback, live.history, live.others, live.state, self._held)
        same = identical(drawn, self._drawn) and layout == self._layout
        if same and self._still and not self.late:
            return
        self._drawn = drawn
        if layout != self._layout:
            self._layout, self._scale = layout, scale
            self._apply_theme(theme, scale)
            self._arrange(wide, scale)
            self._still = self._status_shown = ()
        line = Timeline(editor.live.playback, self._held)
        written = self._write_status(editor, scale)
        self._draw_still(line, theme)
        self._draw_moving(line)
        # Curves grow slowly: they need not be drawn in the same frame.
        self.late = written and live.state == "training"
        if not self.late:
            self._draw_grown(editor, line, theme)

    def _apply_theme(self, theme: Theme, scale: float) -> None:
        for old in self._looks:
            dpg.delete_item(old)
        close, wide = {"FramePadding": (2, 2 * scale)}, {"FramePadding": (4, 2 * scale)}
        bright = main_button(theme, wide)
        small = look(close)
        flat = look({**wide, "ButtonTextAlign": (0.0, 0.5)}, Button=CLEAR)
        lit = look(close, Button=mixed(theme.body, theme.selected, 0.45), Text=rgba(theme.text))
        track = look(wide)
        bare = look({"FramePadding": (0, 0)}, ChildBg=CLEAR)
        self._looks = [bright, small, flat, lit, track, bare]
        dpg.bind_item_theme(self._panel, bare)
        for command, item in self.buttons.items():
            dpg.bind_item_theme(item, {"play": bright, "go-to": flat}.get(command, small))
        dpg.bind_item_theme(self._slider, track)
        if self._fonts.bold is not None:
            dpg.bind_item_font(self.buttons["play"], self._fonts.bold)
        for word in (*self._words.values(), self._speed):
            dpg.configure_item(word, color=rgba(theme.faint))
        dpg.configure_item(self._reason, color=rgba(theme.feedback))

    def _arrange(self, wide: float, scale: float) -> None:
        """Put everything in its place; what a narrow window has no room for is hidden."""
        words = {level: width(level, None) * SIZE for level in LEVELS}
        full = wide / scale
        shown = list(LEVELS)
        speed = _SLIDER + _GAP + _SPEED

        def taken() -> float:
            steppers = sum(2 * _ARROW + 2 * _WORD + words[level] + _GAP for level in shown)
            return 2 * _PAD + _ARROW + _PLAY + _ARROW + 5 * _GAP + steppers + speed

        for level in _FIRST_GONE:
            if full - taken() >= _LEAST_PLACE:
                break
            shown.remove(level)
        narrow = full - taken() < _LEAST_PLACE / 2
        if narrow:
            speed = _SLIDER
        x = float(_PAD)
        x = self._put("to-start", x, _ARROW + 4, scale) + _GAP - 2
        x = self._put("play", x, _PLAY, scale) + 2 * _GAP
        for level in LEVELS:
            there = level in shown
            for item in (self.buttons[f"{level}-back"], self._words[level],
                         self.buttons[f"{level}-on"]):  # fmt: skip
                dpg.configure_item(item, show=there)
            if there:
                x = self._put(f"{level}-back", x, _ARROW, scale) + _WORD
                dpg.set_item_pos(self._words[level], [round(x * scale), round(_LINE * scale)])
                x = self._put(f"{level}-on", x + words[level] + _WORD, _ARROW, scale) + _GAP + 2
        x = self._put("loop", x + _GAP - 2, _ARROW + 4, scale) + _GAP
        room = full - _PAD - speed - 2 * _GAP - x
        self._room = max(room, 40.0)
        self._put("go-to", x, self._room, scale)
        right = full - _PAD - speed
        dpg.configure_item(self._slider, width=round(_SLIDER * scale))
        dpg.set_item_pos(self._slider, [round(right * scale), round((_TOP + 3) * scale)])
        dpg.configure_item(self._speed, show=not narrow)
        dpg.set_item_pos(
            self._speed,
            [round((right + _SLIDER + _GAP + 2) * scale), round(_LINE * scale)],
        )
        top = (_TOP + _ROW + _GAP + 2) * scale
        high = (_WHOLE + _BETWEEN + _FINE) * scale
        for item in (self._panel, self.bars):
            dpg.configure_item(item, width=round(wide), height=round(high) + 2)
        dpg.set_item_pos(self._panel, [0, round(top)])
        inner = wide - 2 * _PAD * scale
        self._whole = _Bar(_PAD * scale, 0.0, inner, _WHOLE * scale)
        self._fine = _Bar(_PAD * scale, (_WHOLE + _BETWEEN) * scale, inner, _FINE * scale)
        self._place_x = x

    def _put(self, command: str, x: float, wide: float, scale: float) -> float:
        item = self.buttons[command]
        dpg.configure_item(item, width=round(wide * scale), height=round(_ROW * scale))
        dpg.set_item_pos(item, [round(x * scale), round(_TOP * scale)])
        return x + wide

    def _write_status(self, editor: Editor, scale: float) -> bool:
        """Write the place, the speed, and what the buttons say; return whether it is different."""
        live = editor.live
        playback = live.playback
        running = live.state in ("training", "playing")
        speed = float("inf") if live.state == "training" else playback.speed
        written = (playback.place, playback.reason, running, speed, playback.looped, live.state)
        if written == self._status_shown:
            return False
        self._status_shown = written
        place = playback.place or "start of the run"
        room = self._room - 12
        text = fitted(place, self._fonts.regular, room / SIZE)
        dpg.configure_item(self.buttons["go-to"], label=text)
        used = width(text, self._fonts.regular) * SIZE + 20
        reason = fitted(f"■ {playback.reason}", None, max(room - used, 1.0) / SIZE)
        shown = bool(playback.reason) and not running and room - used > 60
        dpg.configure_item(self._reason, show=shown)
        dpg.set_value(self._reason, reason)
        dpg.set_item_pos(
            self._reason, [round((self._place_x + used) * scale), round(_LINE * scale)]
        )
        if shown:  # the button takes no more than its words: what lies on it gets no clicks
            self._put("go-to", self._place_x, used - 8, scale)
        else:
            self._put("go-to", self._place_x, self._room, scale)
        dpg.configure_item(self.buttons["play"], label="❚❚  Pause" if running else "▶  Play")
        looped = playback.looped is not None
        dpg.bind_item_theme(self.buttons["loop"], self._looks[3 if looped else 1])
        if not dpg.is_item_active(self._slider):
            dpg.set_value(self._slider, share_of(speed))
            dpg.set_value(self._speed, speed_text(speed))
        return True

    def _draw_still(self, line: Timeline, theme: Theme) -> None:
        """Draw what changes seldom: the bars."""
        still = (line.epochs, line.forks)
        if self._still != still:
            self._still, self._grown = still, ()
            self._draw_bars(line, theme)

    def _draw_grown(self, editor: Editor, line: Timeline, theme: Theme) -> None:
        """Draw the curves in the bars as they grow."""
        live = editor.live
        grown = tuple((len(one), _last(one)) for one in (*live.others, live.history))
        waits = live.state == "training" and time.perf_counter() < self._next
        if grown != self._grown and not (waits and self._grown):
            self._grown = grown
            self._next = time.perf_counter() + _PAUSE
            self._draw_curves((*live.others, live.history), line, theme)

    def _draw_bars(self, line: Timeline, theme: Theme) -> None:
        dpg.delete_item(self.bars, children_only=True)
        self._moving = ()
        whole, fine = self._whole, self._fine
        ground = mixed(theme.canvas, theme.border, 0.16)
        for bar in (whole, fine):
            _box(self.bars, bar, (0.0, 1.0), ground, rounding=4)
        self._known = _box(self.bars, whole, (0.0, 0.0), rgba(theme.selected, 0.14), 4)
        notch = mixed(theme.canvas, theme.border, 0.75)
        for share in line.notches(_NOTCHES):
            x = whole.x(share)
            dpg.draw_line((x, whole.foot - 5), (x, whole.foot), parent=self.bars, color=notch)
        self._curves = dpg.add_draw_node(parent=self.bars)
        for share in line.forks:
            x = whole.x(share)
            colour = rgba(theme.feedback)
            dpg.draw_line((x, whole.top), (x, whole.foot), parent=self.bars, color=colour)
            dpg.draw_polygon(
                [(x - 5, whole.top), (x + 5, whole.top), (x, whole.top + 7), (x - 5, whole.top)],
                parent=self.bars, color=colour, fill=colour,
            )  # fmt: skip
        self._spans = [
            _box(self.bars, fine, (0.0, 0.0), rgba(phase_colour(theme, phase), 0.6))
            for phase in PHASES
        ]
        self._update = _box(self.bars, fine, (0.0, 0.0), (0, 0, 0, 0))
        dpg.configure_item(self._update, color=rgba(theme.text, 0.55))
        self._heads = [self._head(bar, theme) for bar in (whole, fine)]
        self._hair = dpg.draw_line(
            (0, 0), (0, 0), parent=self.bars, color=rgba(theme.text, 0.5), show=False
        )
        self._tip = dpg.draw_rectangle(
            (0, 0), (1, 1), parent=self.bars, rounding=4, color=rgba(theme.border),
            fill=rgba(theme.body), show=False,
        )  # fmt: skip
        self._tip_text = dpg.draw_text(
            (0, 0), "", parent=self.bars, color=rgba(theme.text), size=13, show=False
        )
        self._pointed = ()

    def _draw_curves(
        self, histories: Sequence[Sequence[Any]], line: Timeline, theme: Theme
    ) -> None:
        """Draw the cost of all futures, the present one last, on one scale."""
        dpg.delete_item(self._curves, children_only=True)
        whole = self._whole
        known = [one for one in histories if isinstance(one, Lines) and len(one)]
        tops = [float(np.nanmax(one.column("cost"), initial=0.0)) for one in known]
        high = max([top for top in tops if math.isfinite(top)], default=0.0) or 1.0
        for one, top in zip(known, tops, strict=True):
            present = one is histories[-1]
            colour = rgba(theme.forward) if present else rgba(theme.feedback, 0.75)
            room = (whole.high - 10) * (top / high if math.isfinite(top) else 1.0)
            points = curve(one.rows, line.epochs, _POINTS, one.epochs)
            there = ((whole.left, whole.foot - 5) + points * (whole.wide, -room)).tolist()
            if len(there) > 1:
                dpg.draw_polyline(there, parent=self._curves, color=colour, thickness=1.6)
            elif there:
                dpg.draw_circle(there[0], 2, parent=self._curves, color=colour)

    def _head(self, bar: _Bar, theme: Theme) -> Item:
        """Draw where the run is: a line, with a handle on the upper bar."""
        colour = rgba(theme.selected)
        root: Item = dpg.add_draw_node(parent=self.bars)
        if bar is self._fine:  # a handle would hide the phases
            dpg.draw_line(
                (0, bar.top - 3), (0, bar.foot + 2), parent=root, color=colour, thickness=3
            )
            return root
        dpg.draw_line((0, bar.top), (0, bar.foot), parent=root, color=colour, thickness=2)
        high = bar.high * 0.3
        dpg.draw_polygon(
            [(-6, bar.top), (6, bar.top), (6, bar.top + high / 2), (0, bar.top + high),
             (-6, bar.top + high / 2), (-6, bar.top)],
            parent=root, color=colour, fill=colour,
        )  # fmt: skip
        return root

    def _draw_moving(self, line: Timeline) -> None:
        whole, fine = self._whole, self._fine
        moving = (line.known, line.phases, line.update, line.whole, line.fine)
        if moving == self._moving:
            return
        self._moving = moving
        _stretch(self._known, whole, (0.0, line.known))
        spans = {phase: (begin, end) for phase, begin, end in line.phases}
        for item, phase in zip(self._spans, PHASES, strict=True):
            _stretch(item, fine, spans.get(phase, (0.0, 0.0)), inset=1)
        begin, end = line.update
        middle, half = (begin + end) / 2, max((end - begin) / 2, _LEAST_MARK / fine.wide / 2)
        _stretch(self._update, fine, (max(middle - half, 0.0), min(middle + half, 1.0)))
        for root, bar, share in zip(
            self._heads, (whole, fine), (line.whole, line.fine), strict=True
        ):
            dpg.apply_transform(root, dpg.create_translation_matrix((round(bar.x(share)), 0)))

    # --- the pointer

    def settle(self) -> None:
        """Answer the pointer over the bars: to be called once a frame."""
        if self._editor is None or not self._still:
            return
        pressed, self._pressed = self._pressed, False
        hovered = bool(dpg.is_item_hovered(self.bars))
        if not (hovered or pressed or self._drag or self._pointed):
            return
        line = Timeline(self._editor.live.playback, self._held)
        left, top = dpg.get_item_rect_min(self.bars)
        at = dpg.get_mouse_pos(local=False)
        x, y = at[0] - left, at[1] - top
        which = "whole" if y < (self._whole.foot + self._fine.top) / 2 else "fine"
        if pressed:
            self._drag, self._sent, self._held = which, None, line.epoch
        if self._drag:
            which = self._drag
            moment = self._moment(line, which, x)
            if moment != self._sent:
                self._sent = moment
                self._send(ControlRun(Go(moment)))
            if not dpg.is_mouse_button_down(0):
                self._drag, self._held = "", None
        self._point(line, which if hovered or self._drag else "", x)

    def _moment(self, line: Timeline, which: str, x: float) -> int:
        if which == "whole":
            return line.at_whole(self._whole.share(x))
        return line.at_fine(self._fine.share(x))

    def _point(self, line: Timeline, which: str, x: float) -> None:
        """Show what lies under the pointer."""
        pointed = (which, round(x)) if which else ()
        if pointed == self._pointed:
            return
        self._pointed = pointed
        for item in (self._hair, self._tip, self._tip_text):
            dpg.configure_item(item, show=bool(which))
        if not which:
            return
        bar = self._whole if which == "whole" else self._fine
        text = line.name(self._moment(line, which, x))
        size = 13 * EM * self._scale
        wide = width(text, None) * size + 12
        x = min(max(x, bar.left), bar.left + bar.wide)
        dpg.configure_item(self._hair, p1=(x, bar.top), p2=(x, bar.foot))
        at = x + 10 if x + 10 + wide < bar.left + bar.wide else x - 10 - wide
        # Beside the hair, on the upper bar: there it has the room.
        top = self._whole.top + (self._whole.high - size - 6) / 2
        dpg.configure_item(self._tip, pmin=(at, top), pmax=(at + wide, top + size + 6))
        dpg.configure_item(self._tip_text, pos=(at + 6, top + 3), text=text, size=size)


def _last(history: Sequence[Any]) -> tuple[Any, ...]:
    """Return what tells a history from another one that is as long."""
    return tuple(history[-1].values()) if history else ()


def _box(
    parent: Item, bar: _Bar, span: tuple[float, float], colour: Colour, rounding: float = 0
) -> Item:
    made: Item = dpg.draw_rectangle(
        (bar.x(span[0]), bar.top), (bar.x(span[1]), bar.foot), parent=parent,
        color=CLEAR, fill=colour, rounding=rounding,
    )  # fmt: skip
    return made


def _stretch(item: Item, bar: _Bar, span: tuple[float, float], inset: float = 0) -> None:
    dpg.configure_item(
        item, pmin=(bar.x(span[0]), bar.top + inset), pmax=(bar.x(span[1]), bar.foot - inset),
        show=span[1] > span[0],
    )  # fmt: skip
