"""Predict, then reveal: the question, the answer and its mark."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nodeflow.editor.state.messages import Do, Message
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Answer, Step
from nodeflow.playback.state import Playback
from nodeflow.window.canvas.overlayitems import wrapped
from nodeflow.window.panels.sections import Entry, PanelStyle, Section
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.toolkit import Item, dpg

if TYPE_CHECKING:
    from nodeflow.playback.predicting import Mark, Question


class Asking(Section):
    """The mark of the last answer, and the next question."""

    def __init__(
        self, parent: Item, style: PanelStyle, send: Callable[[Message], None], fonts: Fonts
    ) -> None:
        super().__init__(parent, "Question", style)
        self._send, self._fonts = send, fonts
        self._marked = dpg.add_group(parent=self.body)
        self._asked = dpg.add_group(parent=self.body)
        self._shown: tuple[object, ...] = ()
        self._hinted = False
        self.entry: Entry | None = None
        self.words: dict[str, Item] = {}

    def typing(self) -> bool:
        """Return whether its field takes keys."""
        return self.entry is not None and self.entry.active

    @property
    def field_waits(self) -> bool:
        """Whether the field for the answer is still to come by the keyboard."""
        return self.entry is not None and self.entry.waits

    def draw(self, playback: Playback, *, restyled: bool) -> None:
        """Show what is asked."""
        if restyled:
            self.apply_style()
        self.show(shown=playback.predicting)
        question, mark = playback.question, playback.mark
        shown = (playback.predicting, question, mark, playback.playing)
        if shown == self._shown and not restyled:
            return
        unread = mark is not None and mark.given is None
        typed = self.entry.text if self.entry is not None and unread else ""
        if not self._shown or question != self._shown[1]:
            self._hinted = False
        self._shown = shown
        dpg.delete_item(self._marked, children_only=True)
        dpg.delete_item(self._asked, children_only=True)
        self.entry, self.words = None, {}
        if mark is not None and not unread:
            self._show_mark(mark)
            dpg.add_spacer(height=2, parent=self._marked)
        if question is not None:
            self._ask(question, typed, mark.text if mark is not None and unread else "")
        else:
            self._go_on(playback)

    def _show_mark(self, mark: Mark) -> None:
        sign, colour = ("✓", "selected") if mark.right else ("✗", "problem")
        self._write(f"{sign}  {mark.text}", colour, self._marked)
        for line in mark.lines:
            self._write(line, "text", self._marked)

    def _ask(self, question: Question, typed: str, fault: str) -> None:
        """Ask; `fault` is why what was `typed` could not be read."""
        if dpg.get_item_children(self._marked, 1):
            dpg.add_separator(parent=self._asked)
        item = self._write(question.text, "text", self._asked)
        if self._fonts.bold is not None:
            dpg.set_value(item, self._broken(question.text, self._fonts.bold))
            dpg.bind_item_font(item, self._fonts.bold)
        self._write("\n".join(question.given), "faint", self._asked)
        hint = self._write(question.hint, "selected", self._asked)
        dpg.configure_item(hint, show=self._hinted)
        if question.words:
            with dpg.group(horizontal=True, parent=self._asked):
                for word in question.words:
                    self.words[word] = dpg.add_button(
                        label=word, callback=partial(self._send, ControlRun(Answer(word)))
                    )
        wanted = "or type it, then Enter" if question.words else "a number, then Enter"
        self.entry = Entry(self._asked, wanted, partial(self._entered, hint), self.style)
        self.entry.put(typed)
        self.entry.focus()
        with dpg.tooltip(self.entry.item, delay=0.8):
            dpg.add_text(question.note, wrap=280)
        if fault:
            self.style.bind(self.entry.item, "wrong")
            self._write(f"! {fault}", "problem", self._asked)
        with dpg.group(horizontal=True, parent=self._asked):
            toggle = dpg.add_button(label="Hint: type ?")
            dpg.set_item_callback(toggle, partial(self._hint, hint))
            dpg.add_button(label="Show me: F10", callback=partial(self._send, ControlRun(Step())))

    def _go_on(self, playback: Playback) -> None:
        if playback.playing:
            self._write("on the way to the next question …", "faint", self._asked)
            return
        dpg.add_button(
            label="▶ Next question", parent=self._asked, callback=partial(self._send, Do("play"))
        )

    def _hint(self, hint: Item) -> None:
        self._hinted = not self._hinted
        dpg.configure_item(hint, show=self._hinted)

    def _entered(self, hint: Item, text: str) -> None:
        """Take an answer, or show the hint where that is asked for."""
        if text != "?":
            self._send(ControlRun(Answer(text)))
            return
        self._hint(hint)
        if self.entry is not None:
            self.entry.put("")
            self.entry.focus()

    def _write(self, text: str, colour: str, parent: Item) -> Item:
        item: Item = dpg.add_text(
            self._broken(text, self._fonts.regular), parent=parent, color=self.style.colour(colour)
        )
        return item

    def _broken(self, text: str, font: Item | None) -> str:
        """Return a text in lines; the toolkit itself would break numbers at their points."""
        room = self.style.room / self.style.text
        return "\n".join(part for line in text.split("\n") for part in wrapped(line, font, room))
