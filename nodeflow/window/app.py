"""The frame loop: input to messages, messages to an editor, the editor to the screen."""

from __future__ import annotations

import contextlib
import inspect
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, assert_never

from nodeflow.editor import shell as shells
from nodeflow.editor.documents import opening, plugins
from nodeflow.editor.documents.exporting import ExportForm, requested
from nodeflow.editor.documents.store import Recent
from nodeflow.editor.state.kept import Recovery
from nodeflow.editor.state.messages import Do, Failed, Key, Message, OpenRun, Pasted, Place, Resized
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Question
from nodeflow.editor.state.requests import (
    AskDiffer,
    AskExport,
    AskOpen,
    AskSave,
    Copy,
    Differ,
    Discard,
    ManyRuns,
    NewNetwork,
    OpenFile,
    Paste,
    Quit,
    Request,
    Save,
    ShellRequest,
)
from nodeflow.editor.update import update
from nodeflow.errors import FileError, NodeflowError
from nodeflow.examples import sample
from nodeflow.files import Fault, load_marked
from nodeflow.files.lessonform import LESSON
from nodeflow.graph import Graph
from nodeflow.plugins import load_enabled
from nodeflow.streams import INTERRUPTED
from nodeflow.sweeps import Sweep
from nodeflow.window.canvas.canvas import Canvas
from nodeflow.window.dialogs.dialogs import Dialogs
from nodeflow.window.dialogs.popups import Popups
from nodeflow.window.frame import Frame
from nodeflow.window.panels.formulacard import FormulaCard
from nodeflow.window.panels.inspector import Inspector
from nodeflow.window.panels.lessoncard import LessonCard
from nodeflow.window.panels.library import Library
from nodeflow.window.panels.playpanel import PlayPanel
from nodeflow.window.panels.tabs import Tabs
from nodeflow.window.panels.timelinebar import TimelineBar
from nodeflow.window.panels.training import TrainingPanel
from nodeflow.window.platform import display, drops, fonts, interrupts
from nodeflow.window.platform.clipboard import Clipboard
from nodeflow.window.platform.framerate import FRAME, FrameRate
from nodeflow.window.platform.inputs import Inputs
from nodeflow.window.platform.pace import Throttle, Turns
from nodeflow.window.platform.toolkit import dpg
from nodeflow.window.platform.typeahead import TypeAhead
from nodeflow.window.platform.waiting import GcScheduler, connection
from nodeflow.window.platform.xerrors import XErrors

_TALL = 720
"""On a canvas that is lower, in pixels at scale 1, the curves make room for what is selected."""
_TURN = 0.003
"""Seconds that a thread has Python before another that wants it gets its turn: the work of a whole
frame, so that the thread that trains waits for a frame's end and not the frame for each turn."""
_POLL, _AWAITED = 0.05, 0.01
"""Seconds between two looks at what the shell has to tell, while the window sleeps, and while a
person waits for it."""
_ASLEEP = 1.0
"""Seconds of sleep after which nobody waits for a frame."""


class Shell(Protocol):
    """What the window cannot do itself: files and training."""

    def perform(self, request: ShellRequest, editor: Editor) -> Sequence[Message]:
        """Do what the editor asks for, or begin it; return what is to be told at once."""

    def poll(self, editor: Editor, *, drawn: bool = True) -> Sequence[Message]:
        """Return what has happened since: called often, never waits.

        What takes long is not begun before the graph is `drawn`.
        """

    def keep(self, editor: Editor) -> None:
        """Have the graph kept for the case of a crash."""

    def recent(self) -> list[Recent]:
        """Return the files that were open last."""

    def left_behind(self) -> list[Recovery]:
        """Return what editors left behind that crashed."""

    def recover(self, recovery: Recovery, **more: Any) -> Editor:
        """Return an editor with a recovered graph."""


def main(
    path: Path | None = None, *, other: Path | None = None, display_required: bool = True
) -> int:
    """Open the editor with a file, or with what a person expects without one.

    With an `other` file it shows first what differs from that.

    That is the first lesson at the first start, later the file that was open last. Returns the
    exit code: 1 without a display, which is told in a sentence if the display is required.
    Raises `NodeflowError` for a file that cannot be read, before any window opens. Ctrl-C in the
    terminal closes the window as its button does, which asks about changes; a second one raises
    KeyboardInterrupt, and they are offered at the next start.
    """
    why = display.reason()
    if why is not None:
        if display_required:
            sys.stderr.write(f"{why}\n")
        return 1
    load_enabled()
    shell, keep = shells.Shell(), False
    try:
        editor, first = begun(shell, path)
        if other is not None:
            first += shell.perform(Differ(other), editor)
        return run(editor, shell=shell, first=first, probe=False)
    except KeyboardInterrupt:
        keep = True
        raise
    finally:
        why = shell.close(keep=keep)
        if why:
            sys.stderr.write(f"{why}\n")


def begun(shell: shells.Shell, path: Path | None) -> tuple[Editor, list[Message]]:
    """Return the editor to start with, and what is to be told or done first."""
    preferences, problem = shell.preferences()
    first: list[Message] = [Failed(problem)] if problem else []
    faults: tuple[Fault, ...] = ()
    there = [recent.path for recent in shell.recent() if not recent.missing]
    if path is not None:
        graph, faults = load_marked(path)
        path = path.absolute()
        first += [*shell.offered(graph, path), *opening.reports(graph, path, faults)]
        there = [path, *(other for other in there if other != path)]
    elif there:
        graph = Graph()
        try:
            (graph, faults), path = load_marked(there[0]), there[0]
            first += [*shell.offered(graph, path), *opening.reports(graph, path, faults)]
        except NodeflowError as error:
            first.append(Failed(str(error)))
    elif preferences.toured:
        graph = Graph()
    else:
        graph = sample("lessons/first-steps")
    if LESSON in graph.extra:
        first.append(Do("lesson"))
    if plugins.wanted(graph):
        first.append(Do("plugins"))
    editor = opening.editor_of(graph, path, faults, preferences=preferences, recent=tuple(there))
    if path is not None:
        with contextlib.suppress(FileError):  # a list of files is no reason not to start
            shell.store.remember(path, editor.drawn)
    return editor, first


def run(
    editor: Editor,
    *,
    shell: Shell,
    first: Sequence[Message] = (),
    size: tuple[int, int] = (1440, 900),
    probe: bool = True,
) -> int:
    """Open the window and stay until it is closed; return the exit code."""
    why = display.reason() if probe else None
    if why is not None:
        sys.stderr.write(f"{why}\n")
        return 1
    dpg.create_context()
    try:
        window = Window(editor, shell, size, first)
        with interrupts.answered(window.interrupt):
            window.loop()
    finally:
        dpg.destroy_context()
    return INTERRUPTED if window.interrupted else 0


class Window:
    """Everything that is open, and the editor that it shows."""

    def __init__(
        self,
        editor: Editor,
        shell: Shell,
        size: tuple[int, int],
        first: Sequence[Message] = (),
    ) -> None:
        self.editor = editor
        self.shell = shell
        self._queue: list[Message] = [Do("first-view"), *first]
        self._faults: set[str] = set()
        self._typed_before = False
        self._asked: tuple[bool, object] = (False, None)
        self._open = True
        self.interrupted = False
        """Whether Ctrl-C came."""
        self._shown: Editor | None = None
        self._failed: Editor | None = None
        """One that a fault of nodeflow keeps from being drawn."""
        self._began = 0.0
        self._gc, self._errors = GcScheduler(), XErrors()
        self._throttle, self._turns = Throttle(), Turns()
        dpg.configure_app(manual_callback_management=True, keyboard_navigation=False)
        dpg.create_viewport(
            title="nodeflow", width=size[0], height=size[1], x_pos=0, y_pos=0,
            min_width=640, min_height=480, vsync=False, disable_close=True,
        )  # fmt: skip
        dpg.setup_dearpygui()
        loaded = fonts.load()
        self.frame = Frame(self.send)
        dpg.show_viewport()
        self._display = connection()
        self._rate = FrameRate(has_events=self._display is not None)
        # Texts can be measured only after a frame.
        dpg.render_dearpygui_frame()
        self._clipboard = Clipboard()
        self.frame.apply_theme(editor)
        self.canvas = Canvas(self.frame.drawlist, loaded)
        self.card = FormulaCard(self.frame.canvas, self.send, loaded)
        self.timeline = TimelineBar(self.frame.timeline, self.send, loaded)
        self.library = Library(self.frame.library, self.send)
        self._build_side(loaded)
        self.popups = Popups(self.send, loaded, shell.recent)
        self.lesson = LessonCard(self.send, loaded, self.popups.look)
        self.dialogs = Dialogs(self.send, self._chosen_file, self.popups.look, loaded)
        self.inputs = Inputs(self._over_canvas, self._eats)
        self._ahead = TypeAhead(self._field_waits)
        dpg.set_exit_callback(lambda: self.send(Do("quit")))

    def _build_side(self, loaded: fonts.Fonts) -> None:
        # Training stands above: it is always there, the inspector grows and shrinks.
        training = dpg.add_group(parent=self.frame.side)
        dpg.add_spacer(height=4, parent=self.frame.side)
        dpg.add_separator(parent=self.frame.side)
        self.tabs = Tabs(self.frame.side, ("Node", "Slow motion"), self._redraw)
        inspector, playing = self.tabs.panels
        self.training = TrainingPanel(training, self.send, loaded)
        self.inspector = Inspector(inspector, self.send, loaded)
        self.playpanel = PlayPanel(playing, self.send, loaded)

    def send(self, message: Message) -> None:
        """Have a message answered in this frame or the next."""
        self._queue.append(message)

    def interrupt(self) -> None:
        """Close the window as its button does; where that waits for an answer, end at once."""
        self.interrupted = True
        if self._is_closing:
            raise KeyboardInterrupt
        self.send(Do("quit"))

    @property
    def _is_closing(self) -> bool:
        """Whether it was asked to close and waits: for its turn, or for a person's answer."""
        popup = self.editor.popup
        asked = isinstance(popup, Question) and popup.then == Quit()
        return asked or Do("quit") in self._queue

    # --- frames

    def loop(self) -> None:
        """Show frames until the window is closed."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        try:
            self._guarded(self._offer)
            while self._open and dpg.is_dearpygui_running():
                started = time.perf_counter()
                # Without the mutex each call of the toolkit lets Python go, and while a network
                # trains it is another thread's then: hundreds of times a frame.
                with dpg.mutex():
                    self._guarded(self.step)
                self._errors.renew()
                dpg.render_dearpygui_frame()
                for job in dpg.get_callback_queue() or ():
                    self._guarded(partial(_call_back, *job))
                self._guarded(partial(self._sleep, started))
        finally:
            self._ahead.close()
            self._errors.close()
            self._gc.close()
            self.dialogs.ended()
            sys.setswitchinterval(before)

    def step(self) -> None:
        """Answer what has happened, and draw what is different."""
        self._began = time.thread_time()
        area = self.frame.place(self.editor)
        size = float(area.width), float(area.height)
        if size != self.editor.size:
            self._answer(Resized(size))
        for message in self.inputs.taken((area.x, area.y)):
            self._answer(message)
        self._carry()
        self.training.settle()
        self.timeline.settle()
        queue, self._queue = self._queue, []
        drawn = self._shown is not None and not (queue or self.canvas.filling)
        for message in (*queue, *self.shell.poll(self.editor, drawn=drawn)):
            self._answer(message)
        if self._open and not (self._is_closing or self.editor.leaving):
            self.interrupted = False  # somebody decided to stay
        self._typed_before = self._typing()
        if self.editor is not self._shown or self._moves:
            try:
                self._draw()
            except Exception as error:  # noqa: BLE001 - as in _guarded
                self._survive(error)
                self._shown = self._failed = self.editor  # not again until something changes
                self._turns = Turns()
        self._ahead.settle()

    @property
    def _moves(self) -> bool:
        """Whether the next frame differs though nothing happens."""
        if self.editor is self._failed:
            return False
        drawn = (self.canvas, self.popups, self.dialogs, self.lesson)
        waiting = self._throttle.waiting or self._turns.waiting
        waiting = waiting or self.inspector.busy or self.timeline.late
        return waiting or any(part.busy for part in drawn)

    def _draw(self) -> None:
        editor = self._shown = self.editor
        self.frame.apply_theme(editor)
        area = self.frame.place(editor)
        self.frame.show_status(editor)
        self.library.draw(editor)
        self._throttle.frame()
        self._turns.frame(self._began, owed=self.canvas.owed)
        for name, panel in (
            ("training", self.training), ("inspector", self.inspector), ("timeline", self.timeline)
        ):  # fmt: skip
            if self._turns.has(name):
                panel.draw(self._throttle.of(name, editor))
        self._draw_play(editor)
        if self._turns.has("card"):
            self.card.draw(editor)
        self.popups.draw(editor, (area.x, area.y), typing=self._ahead.fresh)
        self.lesson.draw(editor, (area.x, area.y))
        self.dialogs.draw(editor, typing=self._ahead.fresh)
        # It draws so much as the frame has time for after all the others.
        self.canvas.draw(self._throttle.of("canvas", editor), self._began)

    def _redraw(self) -> None:
        self._shown = None

    def _draw_play(self, editor: Editor) -> None:
        """Draw the panel of slow motion where it is seen; a question or a fault brings it up."""
        playback = editor.live.playback
        asked = (playback.question is not None, playback.condition_fault)
        if asked != self._asked and (asked[0] > self._asked[0] or asked[1] is not None):
            self.tabs.choose(1)
        self._asked = asked
        self.tabs.draw(editor)
        is_node = self.tabs.chosen == 0
        is_picked = bool(editor.selection) or editor.wire is not None
        is_low = editor.size[1] < _TALL * editor.preferences.scale
        self.training.show_parts(fields=is_node, curves=is_node and not (is_picked and is_low))
        if self.tabs.chosen == 1:
            self.playpanel.draw(editor)

    def _answer(self, message: Message) -> None:
        self._rate.event()
        self._guarded(partial(self._answered, message))

    def _answered(self, message: Message) -> None:
        self.editor = update(self.editor, message)
        requests = self.editor.requests
        for request in requests:
            for answer in self._perform(request):
                self._answer(answer)

    # --- faults

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something; a fault in nodeflow itself must not end the window with work lost."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the window lives on
            self._survive(error)

    def _survive(self, error: Exception) -> None:
        """Log a fault, tell of it, keep the graph, and give up what was just being done."""
        trace = "".join(traceback.format_exception(error))
        if trace not in self._faults:  # the same in every frame would fill a disk
            self._faults.add(trace)
            sys.stderr.write(trace)
            sys.stderr.flush()
        calm = replace(self.editor, gesture=None, popup=None, requests=())
        self.editor = calm.refused(
            f"a fault in nodeflow itself was caught ({_short(error)}): the graph is kept, save it"
        )
        try:
            self.shell.keep(self.editor)
            self.frame.show_status(self.editor)
        except Exception:  # noqa: BLE001 - there is nobody left to tell
            traceback.print_exc()

    def _sleep(self, began: float) -> None:
        """Wait for the next frame: a short time, or long when nothing happens."""
        if self.inputs.active:
            self.inputs.active = False
            self._rate.event(began)
        # What this frame has heard is answered by the next one.
        heard = self.inputs.waiting or not self.frame.fits
        moves = bool(self._queue or heard or self._moves)
        busy = bool(self.editor.busy)
        until = self._rate.rest(began, moves=moves, busy=busy, pause=self._pause)
        if until is None:
            left = FRAME - (time.perf_counter() - began)
            if left > 0:
                time.sleep(left)
        else:
            self._wait(began, until)

    def _wait(self, began: float, until: float) -> None:
        """Sleep until something comes: from the display, or from the shell, which is polled."""
        collected = False
        every = _AWAITED if self.editor.busy else _POLL
        while (left := until - time.perf_counter()) > 0:
            if self._display is None:
                time.sleep(min(left, every))
            elif self._display.has_news(min(left, every)):
                self._rate.event()
                return
            self._queue += self.shell.poll(self.editor)
            if self._queue:
                return
            if not collected and time.perf_counter() - began > _ASLEEP:
                collected = True
                self._gc.idle()

    def _pause(self) -> float:
        typing = self.popups.ready or self.dialogs.open or self._typing()
        return self._rate.pause(typing=typing)

    # --- what the editor asks for

    def _perform(self, request: Request) -> Sequence[Message]:
        match request:
            case Copy(text=text):
                self._clipboard.put(text)
            case Paste():
                text = self._clipboard.text()
                return (Pasted(text),) if text else ()
            case AskOpen() | AskSave() | AskDiffer():
                self.dialogs.ask(request, self.editor)
            case AskExport():
                self.dialogs.export(self.editor, self._export, request.ending)
            case ManyRuns():
                self.dialogs.many_runs(self.editor, self._opened_run)
            case NewNetwork():
                self.dialogs.new_network(self.editor)
            case Quit():
                self._open = False
            case _:
                return self.shell.perform(request, self.editor)
        return ()

    def _chosen_file(self, asked: AskOpen | AskSave | AskDiffer, path: Path) -> None:
        request: Request
        match asked:
            case AskOpen():
                request = OpenFile(path)
            case AskSave():
                request = Save(path)
            case AskDiffer():
                request = Differ(path)
            case _:
                assert_never(asked)
        for answer in self._perform(request):  # at once: nothing is edited in between
            self._answer(answer)

    def _export(self, form: ExportForm) -> str:
        """Have an export begun, or say why it cannot be."""
        try:
            answers = self._perform(requested(self.editor, form))
        except NodeflowError as error:
            return str(error)
        for answer in answers:
            if isinstance(answer, Failed):
                return answer.text
            self._answer(answer)
        return ""

    def _opened_run(self, found: Sweep, number: int, epoch: int) -> None:
        """Show one of many runs at its moment."""
        self.send(OpenRun(found, number, epoch))

    # --- what a crash left behind

    def _offer(self) -> None:
        """Ask what is to become of graphs that were never saved."""
        found = self.shell.left_behind()
        if found:
            self.dialogs.offer(self.editor, found, self._recovered)

    def _recovered(self, what: Literal["recover", "discard"], recovery: Recovery) -> None:
        if what == "discard":
            self._queue += self.shell.perform(Discard(recovery), self.editor)
            return
        now = self.editor
        self.editor = self.shell.recover(
            recovery, size=now.size, preferences=now.preferences, recent=now.recent
        ).with_notice(f"recovered {recovery.name}: save it to keep it")
        self.send(Do("first-view"))

    # --- the pointer and the keys between canvas and panels

    def _over_canvas(self) -> bool:
        if self.dialogs.open or self.library.dragged:
            return False
        # A press makes the drawing active, and nothing but itself is hovered then.
        return bool(
            dpg.is_item_hovered(self.frame.canvas) or dpg.is_item_hovered(self.frame.drawlist)
        )

    def _eats(self, key: Key, code: int) -> bool:
        """Return whether a text field takes a key, or what is dropped over all else."""
        if key.name == "Escape" and drops.close(self.frame.canvas):
            return True
        if self._ahead.takes(key, code):
            return True
        if self.dialogs.open:
            self.dialogs.key(key.name)
            return True
        if self.editor.popup is not None:
            return self.popups.eats(key.name)
        if key.name[0] == "F" and key.name[1:].isdigit():
            return False  # no field has a use for it
        # Enter and Escape end the typing before they are asked about.
        return self._typing() or self._typed_before

    def _field_waits(self) -> bool:
        """Return whether a field was opened that does not take the keys yet."""
        if self.dialogs.open:
            return self.dialogs.field_waits
        if self.editor.popup is not None:
            return self.popups.field_waits(self.editor)
        return self.playpanel.asking.field_waits

    def _typing(self) -> bool:
        panels = (self.inspector, self.training, self.library, self.playpanel, self.lesson)
        return any(panel.typing() for panel in panels)

    def _carry(self) -> None:
        """Carry a node type from the library to the canvas."""
        name = self.library.dragged
        if name is None:
            return
        x, y = dpg.get_mouse_pos(local=False)
        inside = self.frame.area.holds(x, y)
        at = x - self.frame.area.x - 20, y - self.frame.area.y - 12
        if not dpg.is_mouse_button_down(0):
            self.library.dragged = None
            self.canvas.carry(name, None)
            if inside:
                self.send(Place(name, at))
        else:
            self.canvas.carry(name.replace("_", " "), at if inside else None)
        self._shown = None


def _call_back(work: Callable[..., None] | None, *arguments: Any) -> None:
    """Do what the toolkit's own loop does with a callback: give it as much as it takes."""
    if work is not None:
        work(*arguments[: len(inspect.signature(work).parameters)])


def _short(error: Exception) -> str:
    """Return an error in a few words, on one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 80 else f"{text[:79]}…"
