"""The frame loop: input to messages, messages to an editor, the editor to the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from nodeflow.editor.messages import Do, Message, Pasted, Place, Resized
from nodeflow.editor.model import Editor, Request
from nodeflow.editor.update import update
from nodeflow.window import display, fonts
from nodeflow.window.canvas import Canvas
from nodeflow.window.dialogs import Dialogs
from nodeflow.window.frame import Frame
from nodeflow.window.inputs import Inputs
from nodeflow.window.inspector import Inspector
from nodeflow.window.library import Library
from nodeflow.window.popups import Popups
from nodeflow.window.toolkit import dpg
from nodeflow.window.training import TrainingPanel
from nodeflow.window.waiting import Doze, sockets

FRAME = 1 / 60
"""Seconds a frame while something moves, and how long frames go on after the last event."""
_AFTER = 0.7
_IDLE, _TYPING = 2.0, 0.4
"""Seconds a frame when nothing moves, and when a cursor blinks; the shell is asked more often."""
_BLIND = 0.15
"""The same where nothing tells that something has come from the display."""


class Shell(Protocol):
    """What the window cannot do itself: files and training."""

    def perform(self, request: Request, editor: Editor) -> Sequence[Message]:
        """Do what the editor asks for, or begin it; return what is to be told at once."""

    def poll(self, editor: Editor) -> Sequence[Message]:
        """Return what has happened since: called often, never waits."""


def run(
    editor: Editor, *, shell: Shell, size: tuple[int, int] = (1440, 900), probe: bool = True
) -> int:
    """Open the window and stay until it is closed; return the exit code."""
    why = display.reason() if probe else None
    if why is not None:
        sys.stderr.write(f"{why}\n")
        return 1
    dpg.create_context()
    try:
        window = Window(editor, shell, size)
        window.loop()
    finally:
        dpg.destroy_context()
    return 0


class Window:
    """Everything that is open, and the editor that it shows."""

    def __init__(self, editor: Editor, shell: Shell, size: tuple[int, int]) -> None:
        self.editor = editor
        self.shell = shell
        self._queue: list[Message] = []
        self._open = True
        self._shown: Editor | None = None
        self._last_event = time.perf_counter()
        before = sockets()
        dpg.configure_app(manual_callback_management=True, keyboard_navigation=False)
        dpg.create_viewport(
            title="nodeflow", width=size[0], height=size[1], x_pos=0, y_pos=0,
            min_width=640, min_height=480, vsync=False, disable_close=True,
        )  # fmt: skip
        dpg.setup_dearpygui()
        loaded = fonts.load()
        self.frame = Frame(self.send)
        dpg.show_viewport()
        self._display = sockets() - before
        # Texts can be measured only after a frame.
        dpg.render_dearpygui_frame()
        self.frame.dress(editor)
        self.canvas = Canvas(self.frame.drawlist, loaded)
        self.library = Library(self.frame.library, self.send)
        self._build_side(loaded)
        self.popups = Popups(self.send)
        self.dialogs = Dialogs(self._chosen_file)
        self.inputs = Inputs(self._over_canvas, self._eats)
        dpg.set_exit_callback(lambda: self.send(Do("quit")))

    def _build_side(self, loaded: fonts.Fonts) -> None:
        # Training stands above: it is always there, the inspector grows and shrinks.
        training = dpg.add_group(parent=self.frame.side)
        dpg.add_spacer(height=4, parent=self.frame.side)
        dpg.add_separator(parent=self.frame.side)
        inspector = dpg.add_group(parent=self.frame.side)
        self.training = TrainingPanel(training, self.send, loaded)
        self.inspector = Inspector(inspector, self.send, loaded)

    def send(self, message: Message) -> None:
        """Have a message answered in this frame or the next."""
        self._queue.append(message)

    # --- frames

    def loop(self) -> None:
        """Show frames until the window is closed."""
        while self._open and dpg.is_dearpygui_running():
            started = time.perf_counter()
            self.step()
            dpg.render_dearpygui_frame()
            dpg.run_callbacks(dpg.get_callback_queue())
            self._sleep(started)

    def step(self) -> None:
        """Answer what has happened, and draw what is different."""
        area = self.frame.place(self.editor)
        size = float(area.width), float(area.height)
        if size != self.editor.size:
            self._answer(Resized(size))
        for message in self.inputs.taken((area.x, area.y)):
            self._answer(message)
        self._carry()
        self.inspector.settle()
        self.training.settle()
        queue, self._queue = self._queue, []
        for message in (*queue, *self.shell.poll(self.editor)):
            self._answer(message)
        if self.editor is not self._shown or self.canvas.busy or self.popups.busy:
            self._draw()

    def _draw(self) -> None:
        editor = self._shown = self.editor
        self.frame.dress(editor)
        area = self.frame.place(editor)
        self.frame.tell(editor)
        self.library.draw(editor)
        self.training.draw(editor)
        self.inspector.draw(editor)
        self.canvas.draw(editor)
        self.popups.draw(editor, (area.x, area.y))

    def _answer(self, message: Message) -> None:
        self._last_event = time.perf_counter()
        self.editor = update(self.editor, message)
        requests = self.editor.requests
        for request in requests:
            for answer in self._perform(request):
                self._answer(answer)

    def _sleep(self, started: float) -> None:
        """Wait for the next frame: a short time, or long when nothing happens."""
        if self.inputs.stirred:
            self.inputs.stirred = False
            self._last_event = started
        busy = self._queue or self.canvas.busy or self.popups.busy
        if busy or started - self._last_event < _AFTER:
            left = FRAME - (time.perf_counter() - started)
            if left > 0:
                time.sleep(left)
            return
        until = started + self._pause()
        doze = Doze(self._display)
        while time.perf_counter() < until:
            if doze.woken():
                self._last_event = time.perf_counter()
                return
            self._queue += self.shell.poll(self.editor)
            if self._queue:
                return

    def _pause(self) -> float:
        if not self._display:
            return _BLIND
        typing = self.popups.ready or self._typing()
        return _TYPING if typing else _IDLE

    # --- what the editor asks for

    def _perform(self, request: Request) -> Sequence[Message]:
        match request.what:
            case "copy":
                dpg.set_clipboard_text(request.text)
                return ()
            case "paste":
                text = dpg.get_clipboard_text()
                return (Pasted(text),) if text else ()
            case "ask_open" | "ask_save":
                self.dialogs.ask(request.what, self.editor)
                return ()
            case "quit":
                self._open = False
        return self.shell.perform(request, self.editor)

    def _chosen_file(self, what: str, path: Path) -> None:
        if what == "ask_open":
            request = Request("open", path=path)
        else:
            request = Request("save", path=path, value=self.editor.graph)
        self._queue += self.shell.perform(request, self.editor)

    # --- the pointer and the keys between canvas and panels

    def _over_canvas(self) -> bool:
        return bool(dpg.is_item_hovered(self.frame.canvas)) and not self.library.dragged

    def _eats(self, key: str) -> bool:
        """Return whether a text field takes a key."""
        if self.dialogs.open:
            if key == "Escape":
                self.dialogs.close()
            return True
        if self.editor.popup is not None:
            return self.popups.eats(key)
        return self._typing()

    def _typing(self) -> bool:
        return self.inspector.typing() or self.training.typing() or self.library.typing()

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
