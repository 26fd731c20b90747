"""What the editor asks of the world: files, preferences, the run. Answers are messages."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from nodeflow.editor.comparing import compared
from nodeflow.editor.messages import Failed, Message, Noted, Opened, Saved, Told
from nodeflow.editor.model import Editor, Preferences, Request
from nodeflow.editor.session import Session
from nodeflow.editor.store import Recent, Recovery, Store
from nodeflow.errors import FileError, NodeflowError
from nodeflow.files import load, save
from nodeflow.graph import Graph


class Shell:
    """Does what editors request, and tells them what happens beside them.

    `ask_open`, `ask_save`, `copy`, `paste` and `quit` are the window's business.
    """

    def __init__(self, session: Session | None = None, store: Store | None = None) -> None:
        self.session = session or Session()
        self.store = store or Store()
        self._shown: Graph | None = None
        self._notes: SimpleQueue[str] = SimpleQueue()
        self._kept: tuple[Graph, Path | None] | None = None

    def perform(self, request: Request, editor: Editor) -> list[Message]:
        """Do what is requested; what cannot be done is a `Failed` with the reason."""
        try:
            return self._answer(request, editor)
        except NodeflowError as error:
            return [Failed(str(error))]

    def _answer(self, request: Request, editor: Editor) -> list[Message]:
        match request.what:
            case "save":
                return self._save(request.path or editor.path, editor.graph)
            case "open":
                return self._open(request.path or editor.path)
            case "autosave":
                self._keep(editor)
            case "preferences":
                self.store.save_preferences(editor.preferences)
            case "discard" if isinstance(request.value, Recovery):
                self.store.discard(request.value)
            case "train" | "reset" | "set_rate" | "step" | "check":
                self._show(editor)
                self._run(request)
            case "pause":
                self.session.pause()
            case "compare":
                self._compare(*request.value)
        return []

    def poll(self, editor: Editor) -> list[Message]:
        """Show the run and the journal the editor's graph, and return what there is to tell.

        To be called once a frame; where nothing changed it costs next to nothing.
        """
        self._show(editor)
        found: list[Message] = []
        self._keep(editor)
        live = self.session.poll()
        if live is not None:
            found.append(Told(live))
        while not self._notes.empty():
            found.append(Noted(self._notes.get()))
        problem = self.store.problem()
        if problem:
            found.append(Failed(problem))
        return found

    def recent(self) -> list[Recent]:
        """Return the files that were open last."""
        return self.store.recent()

    def preferences(self) -> tuple[Preferences, str]:
        """Return the preferences, and a sentence if they could not be read."""
        return self.store.load_preferences()

    def left_behind(self) -> list[Recovery]:
        """Return what editors left behind that crashed."""
        return self.store.left_behind()

    def recover(self, recovery: Recovery, **more: Any) -> Editor:
        """Return an editor with a recovered graph; undoing leads back to its file."""
        self.store.adopt(recovery)
        before = Graph() if recovery.saved is None else recovery.saved
        return Editor.of(before, recovery.path, **more).edited(recovery.graph, "recover")

    def close(self) -> None:
        """End cleanly: the run ends, and the journal is removed."""
        self.session.close()
        self.store.close()

    # -- files

    def _save(self, path: Path | None, graph: Graph) -> list[Message]:
        if path is None:
            return [Failed("the graph has no file yet: choose a name for it")]
        if not path.suffix:
            path = path.with_suffix(".json")
        save(graph, path)
        self.store.forget()
        self._kept = None
        return [Saved(graph, path), *self._remembered(path, graph)]

    def _open(self, path: Path | None) -> list[Message]:
        if path is None:
            return [Failed("the graph has no file that could be read")]
        graph = load(path)
        return [Opened(graph, path), *self._remembered(path, graph)]

    def _remembered(self, path: Path, graph: Graph) -> list[Message]:
        try:
            self.store.remember(path, graph)
        except FileError as error:
            return [Failed(str(error))]
        return []

    def _keep(self, editor: Editor) -> None:
        """Have the graph kept for the case of a crash, if it differs from its file."""
        graph, path = editor.graph, editor.path
        if self._kept is not None and self._kept[0] is graph and self._kept[1] == path:
            return
        self._kept = graph, path
        if editor.changed:
            self.store.journal(graph, path)
        else:
            self.store.forget()

    # -- the run

    def _compare(self, before: Graph, after: Graph) -> None:
        """Compare two graphs beside the editor: the first run may have to compile."""
        work = Thread(target=lambda: self._notes.put(compared(before, after)), daemon=True)
        work.start()

    def _show(self, editor: Editor) -> None:
        """Let the run have the graph as it is now."""
        if editor.graph is not self._shown:
            self._shown = editor.graph
            self.session.start(editor.graph)

    def _run(self, request: Request) -> None:
        value = request.value
        match request.what:
            case "train":
                self.session.train(value if isinstance(value, int | float) else None)
            case "reset":
                self.session.reset()
            case "set_rate":
                self.session.set_rate(value, request.text or None)
            case "step":
                self.session.step(request.text or "step")
            case "check":
                self.session.check()
