"""A card at the canvas's foot: what the last step calculated, with its numbers, and in a sentence.

It is a panel inside the canvas's window, so it lies over the canvas and under every popup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nodeflow.editor.canvas.aside import is_low
from nodeflow.editor.canvas.minimap import WIDTH
from nodeflow.editor.canvas.minimap import shown as map_shown
from nodeflow.editor.state.messages import Message, SetPreference
from nodeflow.editor.state.model import Editor
from nodeflow.engine.step import Step
from nodeflow.fonts import BOLD, REGULAR
from nodeflow.playback.state import Playback
from nodeflow.theme import THEMES, Theme
from nodeflow.window.canvas.overlayitems import wrapped
from nodeflow.window.platform.colours import CLEAR, mixed, phase_colour, rgba
from nodeflow.window.platform.fonts import EM, SIZE, Fonts, fitted, width
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg

_LARGE, _TEXT, _HEAD = 22, 14.0, 13.0
_SMALLER, _ROOMY = 17, 460.0
"""The size of the formula in a narrow card, and the width below which it is one, at scale 1."""
_PAD, _MARGIN = 14.0, 12.0
_WIDEST, _NARROWEST = 860.0, 320.0
_LINES, _SENTENCE = 3, 2
"""The most lines of the formula, and of the sentence."""
_FEW_LINES = 2
"""The most lines of the formula on a low canvas, which has no room for the sentence."""


def cut(lines: list[str], most: int, font: Item | None, room: float) -> list[str]:
    """Return so many lines, `room` wide at size 1; the last one tells that there are more."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], fitted(f"{lines[most - 1]} …", font, room)]


def equations(formulas: Sequence[str], most: int, font: Item | None, room: float) -> list[str]:
    """Return formulas in so many lines, `room` wide at size 1.

    They are whole, and the last line tells that there are more; of one that is too long its
    beginning is there, and its result.
    """
    found: list[str] = []
    for formula in formulas:
        lines = wrapped(formula, font, room)
        if len(found) + len(lines) <= most:
            found += lines
        elif found:
            return [*found[:-1], fitted(f"{found[-1]} …", font, room)]
        else:
            return [*lines[: most - 1], _with_result(lines[most - 1], formula, font, room)]
    return found


def _with_result(line: str, formula: str, font: Item | None, room: float) -> str:
    """Return so much of a line as leaves room for what the formula comes to."""
    end = f"… = {formula.rpartition(' = ')[2]}"
    words = line.split(" ")
    while words:
        text = " ".join(words)
        is_open = text.count("(") != text.count(")")  # a bracket that nobody would close
        if words[-1] != "=" and not is_open and width(f"{text} {end}", font) <= room:
            return f"{text} {end}"
        words.pop()
    return fitted(f"{line} …", font, room)


class FormulaCard:
    """The formula of the last step in large type."""

    def __init__(self, canvas: Item, send: Callable[[Message], None], fonts: Fonts) -> None:
        self._fonts = fonts
        self._step: Step | None = None
        self._around: tuple[object, ...] = ()
        self._look: Item | None = None
        self._theme: Theme | None = None
        with dpg.font_registry():
            self._large = dpg.add_font(str(REGULAR), _LARGE)
            self._bold = dpg.add_font(str(BOLD), SIZE)
        self.panel = dpg.add_child_window(
            parent=canvas, show=False, border=False, no_scrollbar=True, no_scroll_with_mouse=True,
            pos=[0, 0], width=10, height=10,
        )  # fmt: skip
        self._drawing = dpg.add_drawlist(10, 10, parent=self.panel)
        # What overlaps a drawing in the same window gets no clicks.
        self._corner = dpg.add_child_window(
            parent=self.panel, border=False, no_scrollbar=True, width=22, height=22, pos=[0, 0]
        )
        self.close = dpg.add_button(
            label="×", parent=self._corner, width=22, height=22,
            callback=lambda: send(SetPreference("card", value=False)),
        )  # fmt: skip
        with dpg.tooltip(self.close):
            dpg.add_text("Hide the card   (Shift+K shows and hides it)")

    def draw(self, editor: Editor) -> None:
        """Show what the last step of an editor's run calculated."""
        playback = editor.live.playback
        training = editor.live.state == "training"
        shown = editor.preferences.card and playback.step is not None and not training
        around = (
            shown, editor.preferences, editor.size, editor.lesson is None,
            map_shown(editor) is None, editor.aside,
        )  # fmt: skip
        if playback.step is self._step and around == self._around:
            return
        self._step, self._around = playback.step, around
        dpg.configure_item(self.panel, show=shown)
        if shown:
            self._write(editor, playback)

    def _write(self, editor: Editor, playback: Playback) -> None:
        theme, scale = THEMES[editor.preferences.theme], editor.preferences.scale
        begin, end = self._beside_map(editor)
        wide = min(max(end - begin - 2 * _MARGIN, _NARROWEST), _WIDEST * scale)
        wide = min(wide, editor.size[0] - 2 * _MARGIN)
        room = wide - 2 * _PAD * scale
        type_ = _LARGE - 2 if wide >= _ROOMY * scale else _SMALLER - 2
        large, text, head = (size * EM * scale for size in (type_, _TEXT, _HEAD))
        font = self._fonts.regular
        low = is_low(editor)
        most = _FEW_LINES if low else _LINES
        formulas = equations(playback.formulas, most, font, room / large)
        told = playback.remark and not low
        remarks = wrapped(playback.remark, font, room / text) if told else []
        remarks = cut(remarks, _SENTENCE, font, room / text)
        heights = [head + 6 * scale, *(large * 1.12 for _ in formulas), 4 * scale,
                   *(text * 1.15 for _ in remarks)]  # fmt: skip
        high = sum(heights) + 2 * (_PAD - 3) * scale
        self._apply_theme(theme)
        top = _MARGIN if editor.lesson is not None else editor.size[1] - high - _MARGIN
        left = min(max(begin + (end - begin - wide) / 2, _MARGIN), editor.size[0] - wide - _MARGIN)
        dpg.configure_item(self.panel, width=round(wide), height=round(high))
        dpg.set_item_pos(self.panel, [round(left), round(top)])
        dpg.configure_item(self._drawing, width=round(wide), height=round(high))
        dpg.delete_item(self._drawing, children_only=True)
        colour = phase_colour(theme, playback.phase)
        dpg.draw_rectangle(
            (0.5, 0.5), (round(wide) - 1, round(high) - 1), parent=self._drawing,
            rounding=8 * scale, color=rgba(theme.border), fill=rgba(theme.body, 0.97),
        )  # fmt: skip
        x, y = _PAD * scale, (_PAD - 3) * scale
        name = dpg.draw_text(
            (x, y), playback.node, parent=self._drawing, size=head, color=rgba(theme.text)
        )
        dpg.bind_item_font(name, self._bold)
        after = x + width(playback.node, self._bold) * head + 12 * scale
        dpg.draw_circle(
            (after, y + head * 0.52), 4 * scale, parent=self._drawing, color=rgba(colour),
            fill=rgba(colour),
        )  # fmt: skip
        dpg.draw_text(
            (after + 9 * scale, y), playback.phase, parent=self._drawing, size=head,
            color=rgba(theme.faint),
        )  # fmt: skip
        y += heights[0]
        for line in formulas:
            drawn = dpg.draw_text(
                (x, y), line, parent=self._drawing, size=large, color=rgba(theme.text)
            )
            dpg.bind_item_font(drawn, self._large)
            y += large * 1.12
        y += 4 * scale
        for line in remarks:
            dpg.draw_text((x, y), line, parent=self._drawing, size=text, color=rgba(theme.faint))
            y += text * 1.15
        side = round(22 * scale)
        dpg.configure_item(self.close, width=side, height=side)
        dpg.configure_item(self._corner, width=side, height=side)
        dpg.set_item_pos(self._corner, [round(wide - side - 6 * scale), round(6 * scale)])

    @staticmethod
    def _beside_map(editor: Editor) -> tuple[float, float]:
        """Return from where to where there is room beside the minimap."""
        there = map_shown(editor)
        at = 0.0 if editor.lesson is not None else 1.0
        if there is None or editor.aside.minimap[1] != at:
            return 0.0, editor.size[0]
        left = there.corner[0]
        return (0.0, left) if editor.aside.minimap[0] else (left + WIDTH, editor.size[0])

    def _apply_theme(self, theme: Theme) -> None:
        if theme is self._theme:
            return
        self._theme = theme
        if self._look is not None:
            dpg.delete_item(self._look)
        self._look = look(
            {"FramePadding": (0, 0), "WindowPadding": (0, 0)},
            ChildBg=CLEAR, Button=CLEAR, ButtonHovered=mixed(theme.body, theme.text, 0.15),
        )  # fmt: skip
        dpg.bind_item_theme(self.panel, self._look)
