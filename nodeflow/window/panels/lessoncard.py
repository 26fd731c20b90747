"""A card over the canvas: the present task of a lesson, or the lesson that is being made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nodeflow.editor import teaching
from nodeflow.editor.state.messages import (
    AddTask,
    ChooseTaskKind,
    Do,
    Message,
    MoveTaskUp,
    OfferTypes,
    RemoveTask,
    ToggleAllLocked,
    ToggleInLesson,
)
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import AnswerTask, SkipTask, UnlockNode
from nodeflow.files.lessonform import EVERY
from nodeflow.theme import THEMES, Theme
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.looks import main_button
from nodeflow.window.platform.toolkit import Item, dpg

_WIDE, _WIDER = 330, 420
_MARGIN = 12
_BUTTONS = 150
"""The room that the buttons before a task and a scroll bar take."""
_SHORTEST = 60
"""The least height of the list of tasks, in pixels at scale 1."""
_HINTS = {
    "at": "It is done when you stand at {}.", "wire": "It is done when there is a new wire at {}.",
}  # fmt: skip
_GOALS = {
    "at": "EPOCH:SAMPLE:NODE", "until": "cost < 0.01", "ask": "sum.z[0, 0]", "wire": "a.z -> b.a",
}  # fmt: skip


class LessonCard:
    """The card, at the canvas's lower left."""

    def __init__(
        self, send: Callable[[Message], None], fonts: Fonts, look: Callable[[str], Item]
    ) -> None:
        self._send, self._fonts, self._look = send, fonts, look
        self._window: Item | None = None
        self._shown: object = None
        self._brights: dict[str, Item] = {}
        self._settling = 0
        self._editor: Editor | None = None
        self._kind, self._offered = "", ""
        """Of the task that is made: what it waits for, and the goal that was offered for it."""
        self._changing: int | None = None
        """The number of the task that is changed; None: a task more is made."""
        self._draft: dict[str, str] = {}
        """What the fields are to begin with, and of which kind."""
        self._adding: object = None
        """The tasks before one was added: the fields are emptied when there are others."""
        self._list: Item | None = None
        """The tasks of a lesson that is made: scrolled where there are many."""
        self._tasks: Item = 0
        self._listed, self._scrolled = 0, 0.0
        """How many tasks were listed, and how far the list was scrolled."""
        self.items: dict[str, Item] = {}
        """Its fields and buttons, by what they are for."""

    @property
    def busy(self) -> bool:
        """Whether its size is not known yet."""
        return self._settling > 0

    def typing(self) -> bool:
        """Return whether a field takes keys."""
        return any(dpg.does_item_exist(item) and bool(dpg.is_item_active(item))
                   for item in self.items.values())  # fmt: skip

    def draw(self, editor: Editor, origin: tuple[float, float]) -> None:
        """Show the lesson of an editor, if there is one."""
        before, self._editor = self._editor, editor
        lesson, live = editor.lesson, editor.live
        done_so_far = None if lesson is None or lesson.making else live.lesson
        made = teaching.lesson_of(editor.graph) if lesson is not None and lesson.making else None
        running = live.state in ("training", "playing")
        chosen = editor.selection if made is not None else None
        shown = lesson, done_so_far, made, running, chosen, editor.preferences
        if shown != self._shown:
            typed = self._typed()
            self._shown = shown
            self._remove()
            if made is not None:
                self._make(editor, made, typed)
            elif done_so_far is not None:
                self._lead(editor, typed.get("answer", ""), running=running)
            self._settling = 0 if self._window is None else 3
        elif made is not None and editor is not before:
            self._follow(editor)
            if before is not None and editor.size != before.size:
                self._refit()
        if self._window is None:
            return
        self._settling = max(self._settling - 1, 0)
        self._fit(editor.size[1] - 2 * _MARGIN)
        high = dpg.get_item_rect_size(self._window)[1]
        place = round(origin[0] + _MARGIN), round(origin[1] + editor.size[1] - high - _MARGIN)
        # Until its height is known it would stand below the window.
        dpg.configure_item(self._window, pos=place if high > 40 else (-4000, 0))

    def _fit(self, most: float) -> None:
        """Give the list of tasks as much height as there is room for in the canvas.

        Sizes lag some frames behind, so it waits until the card has settled.
        """
        if self._list is None or self._window is None or self._settling != 1:
            return
        content, high = (dpg.get_item_rect_size(item)[1] for item in (self._tasks, self._window))
        now = dpg.get_item_height(self._list)
        wanted = max(round(min(content + 4, now + most - high)), _SHORTEST)
        if wanted != now:
            dpg.configure_item(self._list, height=wanted)
            self._settling = 4
        else:
            dpg.set_y_scroll(self._list, self._scrolled)

    def _refit(self) -> None:
        """Have the list fitted again, where it is scrolled to: the canvas has another size."""
        if self._list is not None and not self._settling:
            self._scrolled = dpg.get_y_scroll(self._list)
        self._settling = max(self._settling, 2)

    def _remove(self) -> None:
        self.items = {}
        if self._list is not None:
            self._scrolled = dpg.get_y_scroll(self._list)
            self._list = None
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None

    def _typed(self) -> dict[str, str]:
        """Return what stands in the fields: it outlives a card that is drawn anew."""
        names = ("text", "goal", "question", "answer")
        return {name: str(dpg.get_value(self.items[name])) for name in names if name in self.items}

    def _open(self, editor: Editor, wide: float) -> tuple[Theme, int]:
        width = round(wide * editor.preferences.scale)
        self._window = dpg.add_window(
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, autosize=True,
            min_size=(width, 10), max_size=(width, 2000), no_saved_settings=True, pos=(-4000, 0),
            no_focus_on_appearing=True,
        )  # fmt: skip
        dpg.bind_item_theme(self._window, self._look(editor.preferences.theme))
        return THEMES[editor.preferences.theme], width - round(24 * editor.preferences.scale)

    def _button(self, name: str, label: str, parent: Item, act: Callable[[], None]) -> Item:
        item: Item = dpg.add_button(label=label, parent=parent, callback=act)
        self.items[name] = item
        return item

    def _field(self, name: str, hint: str, parent: Item, value: str = "", **more: Any) -> Item:
        item: Item = dpg.add_input_text(
            hint=hint, width=-1, parent=parent, default_value=value, **more
        )
        self.items[name] = item
        return item

    # -- a lesson that is done

    def _lead(self, editor: Editor, answer: str, *, running: bool) -> None:
        progress = editor.live.lesson
        if progress is None:
            return
        theme, room = self._open(editor, _WIDE)
        window, count = self._window or 0, len(progress.tasks)
        task = progress.task
        over = f"{len(progress.done)} of {count} tasks done"
        done_so_far = over if task is None else f"task {progress.index + 1} of {count}"
        dpg.add_text(done_so_far, parent=window, color=rgba(theme.faint))
        last = "That was the last task; some were left out" if progress.skipped else "All is done"
        end = f"{last}: save the answer to hand it in, or look at the samples."
        text = end if task is None else task.text
        title = dpg.add_text(text, parent=window, wrap=room)
        if self._fonts.bold is not None:
            dpg.bind_item_font(title, self._fonts.bold)
        if task is not None:
            hint = task.question or _HINTS.get(task.kind, "It is done when {}.").format(task.goal)
            dpg.add_text(hint, parent=window, wrap=room)
            dpg.add_spacer(height=2, parent=window)
            # A wrong answer stays to be mended; the next question begins empty.
            answer = answer if progress.said not in ("", "Right.") else ""
            self._controls(editor, task.kind, theme, answer, running=running)
        if progress.said:
            colour = theme.selected if progress.said == "Right." else theme.problem
            dpg.add_text(progress.said, parent=window, wrap=room, color=rgba(colour))
        row = dpg.add_group(horizontal=True, parent=window)
        if task is not None:
            self._button("skip", "Skip", row, lambda: self._send(ControlRun(SkipTask())))
        else:
            samples = self._button("samples", "Samples …", row, lambda: self._send(Do("samples")))
            dpg.bind_item_theme(samples, self._bright(theme))
        locked = teaching.locked(editor)
        if locked:
            self._button("unlock", f"Unlock {locked}", row,
                         lambda: self._send(ControlRun(UnlockNode(locked))))  # fmt: skip
        if progress.done:
            self._button("save", "Save the answer …", row, lambda: self._send(Do("hand-in")))
        self._button("end", "End", row, lambda: self._send(Do("end-lesson")))

    def _controls(
        self, editor: Editor, kind: str, theme: Theme, answer: str, *, running: bool
    ) -> None:
        window, progress = self._window or 0, editor.live.lesson
        if kind == "until" and not running:
            scale = editor.preferences.scale
            play = dpg.add_button(
                label="▶  Train", width=-1, height=round(44 * scale), parent=window,
                callback=lambda: self._send(Do("train")),
            )  # fmt: skip
            self.items["play"] = play
            dpg.bind_item_theme(play, self._bright(theme))
            if self._fonts.bold is not None:
                dpg.bind_item_font(play, self._fonts.bold)
        if kind != "ask" or progress is None or progress.task is None:
            return
        if progress.task.is_truth:
            row = dpg.add_group(horizontal=True, parent=window)
            for word in ("yes", "no"):
                self._button(word, word.capitalize(), row, partial(self._answer, word))
            return
        self._field("answer", "a number, then Enter", window, answer, on_enter=True,
                    callback=lambda _sender, text: self._answer(text))  # fmt: skip

    def _answer(self, text: str) -> None:
        if text.strip():
            self._send(ControlRun(AnswerTask(text.strip())))

    def _bright(self, theme: Theme) -> Item:
        """Return the looks of the one button that a beginner should find."""
        if theme.name not in self._brights:
            self._brights[theme.name] = main_button(theme)
        return self._brights[theme.name]

    # -- a lesson that is made

    def _make(self, editor: Editor, raw: dict[str, Any], typed: dict[str, str]) -> None:
        theme, room = self._open(editor, _WIDER)
        window, lesson = self._window or 0, editor.lesson
        kind = "at" if lesson is None else lesson.kind
        count = len(raw["tasks"])
        if self._adding is not None and raw["tasks"] != self._adding:
            self._adding, self._changing, typed = None, None, {}
        if self._changing is not None and self._changing >= count:
            self._changing = None
        title = dpg.add_text(f"The lesson has {count} task{'s' * (count != 1)}", parent=window)
        if self._fonts.bold is not None:
            dpg.bind_item_font(title, self._fonts.bold)
        if count:
            self._list = dpg.add_child_window(
                parent=window, width=-1, height=_SHORTEST, border=False
            )
            self._tasks = dpg.add_group(parent=self._list)
        if count > self._listed:
            self._scrolled = -1.0  # to its end: the new task stands there
        self._listed = count
        beside = room - round(_BUTTONS * editor.preferences.scale)
        for number, task in enumerate(raw["tasks"]):
            row = dpg.add_group(horizontal=True, parent=self._tasks)
            self._button(f"drop {number}", "×", row, partial(self._send, RemoveTask(number)))
            up = partial(self._send, MoveTaskUp(number))
            self._button(f"earlier {number}", "↑", row, up)
            change = partial(self._change, number, task)
            item = self._button(f"change {number}", "change", row, change)
            if number == self._changing:
                dpg.bind_item_theme(item, self._bright(theme))
            dpg.add_text(f"{number + 1}  {task['text']}", parent=row, wrap=beside)
            dpg.add_text(f"        {teaching.described(task)}", parent=self._tasks, wrap=room,
                         color=rgba(theme.faint))  # fmt: skip
        dpg.add_separator(parent=window)
        typed = self._begun(editor, kind, typed)
        self._field("text", "what is to be done", window, typed.get("text", ""))
        row = dpg.add_group(horizontal=True, parent=window)
        for name in teaching.KINDS:
            choose = partial(self._send, ChooseTaskKind(name))
            item = self._button(f"kind {name}", name, row, choose)
            if name == kind:
                dpg.bind_item_theme(item, self._bright(theme))
        dpg.add_text(f"to {teaching.KINDS[kind]}:", parent=row, color=rgba(theme.faint))
        if kind == "ask":
            self._field("question", "the question", window, typed.get("question", ""))
        self._field("goal", _GOALS[kind], window, typed["goal"])
        row = dpg.add_group(horizontal=True, parent=window)
        label = "Add the task" if self._changing is None else f"Change task {self._changing + 1}"
        self._button("add", label, row, partial(self._add, kind))
        self._button("lock", "Lock", row, lambda: self._send(ToggleInLesson("locked")))
        self._button("lock all", "Lock all", row, lambda: self._send(ToggleAllLocked()))
        self._button("hide", "Hide", row, lambda: self._send(ToggleInLesson("hidden")))
        self._button("types", "Types", row, lambda: self._send(OfferTypes()))
        dpg.add_text(_restrictions(raw), parent=window, wrap=room, color=rgba(theme.faint))
        row = dpg.add_group(horizontal=True, parent=window)
        self._button("try", "Try it", row, lambda: self._send(Do("lesson")))
        self._button("page", "Export as a page …", row, lambda: self._send(Do("export-lesson")))
        self._button("end", "End", row, lambda: self._send(Do("end-lesson")))

    def _begun(self, editor: Editor, kind: str, typed: dict[str, str]) -> dict[str, str]:
        """Return what the fields begin with: a goal of one's own stays, another is offered anew."""
        offered = teaching.suggested(editor, kind)
        own = kind == self._kind and typed.get("goal", "") not in ("", self._offered)
        self._kind, self._offered = kind, offered
        if self._draft.get("kind") == kind:
            typed, self._draft = self._draft, {}
            return typed
        return typed if own else {**typed, "goal": offered}

    def _follow(self, editor: Editor) -> None:
        """Offer where one stands now, unless a goal of one's own was typed."""
        offered, field = teaching.suggested(editor, self._kind), self.items["goal"]
        if offered != self._offered and dpg.get_value(field) in ("", self._offered):
            dpg.set_value(field, offered)
            self._offered = offered

    def _change(self, number: int, task: dict[str, Any]) -> None:
        """Put a task into the fields, to be changed."""
        kind = next(name for name in teaching.KINDS if name in task)
        asked = task[kind] if kind == "ask" else {"question": "", "answer": task[kind]}
        self._changing = number
        self._draft = {"kind": kind, "text": task["text"], "goal": asked["answer"],
                       "question": asked["question"]}  # fmt: skip
        self._shown = None
        self._send(ChooseTaskKind(kind))

    def _add(self, kind: str) -> None:
        """Add what was typed; if something is missing in it, it stays in the fields."""
        typed = self._typed()
        if self._editor is not None:
            self._adding = teaching.lesson_of(self._editor.graph)["tasks"]
        question = typed.get("question", "")
        self._send(AddTask(kind, typed["text"], typed["goal"], question, self._changing))


def _restrictions(raw: dict[str, Any]) -> str:
    """Return in words what is locked, hidden and offered."""
    locked, hidden, types = (raw.get(name, ()) for name in ("locked", "hidden", "types"))
    parts = [
        "all is locked" if EVERY in locked else f"locked: {', '.join(locked) or 'nothing'}",
        f"hidden: {', '.join(hidden) or 'nothing'}",
        f"library: {', '.join(types) or 'all types'}",
    ]
    return "; ".join(parts) + ". Lock, Hide and Types take the selected nodes."
