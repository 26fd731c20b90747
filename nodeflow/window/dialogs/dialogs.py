"""What is asked before anything else goes on: a file, a new network, what a crash left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nodeflow.data.formats import ENDINGS
from nodeflow.editor.documents import exporting
from nodeflow.editor.run.sweeping import SweepForm, Sweeping
from nodeflow.editor.state.kept import Recovery
from nodeflow.editor.state.messages import DialogCancelled, Message, Opened
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import AskDiffer, AskOpen, AskSave
from nodeflow.graph import Graph
from nodeflow.networks import network
from nodeflow.scene import with_places
from nodeflow.sweeps import Plan, Sweep
from nodeflow.theme import THEMES
from nodeflow.window.dialogs.exportsheet import ExportSheet
from nodeflow.window.dialogs.filesheet import GRAPHS, Asked, FileSheet
from nodeflow.window.dialogs.recoveries import Answer, Recoveries
from nodeflow.window.dialogs.sheets import Sheet, SheetStyle
from nodeflow.window.dialogs.sweepsheet import SweepSheet
from nodeflow.window.dialogs.wizard import NetworkForm, Wizard
from nodeflow.window.platform.fonts import Fonts
from nodeflow.window.platform.toolkit import Item

_OPENED = (*GRAPHS, ".png")
_TABLES = (*ENDINGS, ".gz", "-ubyte")


class Dialogs:
    """At most one sheet, and who is told what came of it."""

    def __init__(
        self,
        send: Callable[[Message], None],
        chosen: Callable[[AskOpen | AskSave | AskDiffer, Path], None],
        look: Callable[[str], Item],
        fonts: Fonts,
    ) -> None:
        self._send, self._chosen, self._look, self._fonts = send, chosen, look, fonts
        self._sheet: Sheet | None = None
        self._form = NetworkForm()
        self._exported: tuple[exporting.ExportForm | None, Path | None] = None, None
        self._swept: tuple[SweepForm, Sweeping | None] = SweepForm(), None

    @property
    def open(self) -> bool:
        """Whether a sheet is open."""
        return self._sheet is not None

    @property
    def busy(self) -> bool:
        """Whether the next frame has something to do."""
        return self._sheet is not None and self._sheet.waits

    @property
    def ready(self) -> bool:
        """Whether what is typed is taken."""
        return self._sheet is not None and self._sheet.ready

    @property
    def field_waits(self) -> bool:
        """Whether the field of the sheet is still to come by the keyboard."""
        return self._sheet is not None and self._sheet.field_waits

    @property
    def shown(self) -> str:
        """The title of the open sheet, or nothing."""
        return "" if self._sheet is None else self._sheet.title

    def key(self, name: str) -> None:
        """Answer a key."""
        if self._sheet is not None:
            self._sheet.key(name)

    def draw(self, editor: Editor, *, typing: bool) -> None:
        """Give a new field the keys, the toolkit takes its time to; take on another theme.

        Not while somebody is `typing` whose keys are kept back for it.
        """
        if self._sheet is not None and self._sheet.gone:
            self._sheet.key("Escape")  # what nobody sees takes no keys
        if self._sheet is not None:
            if self._sheet.theme != editor.preferences.theme:
                self._sheet.restyled(self._style(editor))
            self._sheet.draw(typing=typing)

    def close(self) -> None:
        """Close the sheet that is open."""
        if self._sheet is not None:
            self._sheet.close()
            self._sheet = None

    def ask(self, request: AskOpen | AskSave | AskDiffer, editor: Editor) -> None:
        """Ask for a graph file, to open it or to save to it."""
        where = editor.path.parent if editor.path else editor.graph.folder or Path.cwd()
        if isinstance(request, AskSave):
            name = f"{editor.path.stem if editor.path else editor.graph.name or 'untitled'}.json"
            asked = Asked("Save the graph", where, name, saving=True, own=editor.path)
        else:
            title = "Compare with a graph" if isinstance(request, AskDiffer) else "Open a graph"
            asked = Asked(title, where, endings=_OPENED)

        def leave() -> None:
            self.close()
            self._send(DialogCancelled())

        self._files(editor, asked, lambda path: self._chosen(request, path), leave)

    def offer(self, editor: Editor, found: Sequence[Recovery], answer: Answer) -> None:
        """Ask what is to become of the graphs that a crash left behind."""
        self.close()
        self._sheet = Recoveries(self._style(editor), found, answer, self.close)

    def export(
        self, editor: Editor, begin: Callable[[exporting.ExportForm], str], ending: str = ""
    ) -> None:
        """Ask what is to be exported, and how; `begin` has it done, or says why it cannot be.

        `ending` is the format that is proposed; without one it is that of the last time.
        """

        def begun(form: exporting.ExportForm) -> str:
            self._exported = form, editor.path
            fault = begin(exporting.settled(editor, form))
            if not fault:
                self.close()
            return fault

        self.close()
        form = exporting.first_form(editor, *self._exported)
        form = exporting.with_ending(editor, form, ending) if ending else form
        self._sheet = ExportSheet(self._style(editor), editor, form, begun, self.close)

    def many_runs(self, editor: Editor, pick: Callable[[Sweep, int, int], None]) -> None:
        """Ask what is to be varied, and show the runs; `pick` opens one of them."""

        def begun(form: SweepForm, plan: Plan) -> Sweeping:
            sweeping = Sweeping(plan)
            self._swept = form, sweeping
            return sweeping

        def picked(found: Sweep, number: int, epoch: int) -> None:
            self.close()
            pick(found, number, epoch)

        self.close()
        form, sweeping = self._swept
        self._sheet = SweepSheet(
            self._style(editor), editor, form, sweeping, begun, picked, self.close
        )

    def ended(self) -> None:
        """Make no more runs: the window closes."""
        if self._swept[1] is not None:
            self._swept[1].stop()

    def new_network(self, editor: Editor) -> None:
        """Ask what a new network should be like."""

        def make(form: NetworkForm) -> Graph:
            self._form = form
            graph = with_places(network(**form.arguments()))
            _ = Editor.of(graph).drawn  # the window would wait for it
            return graph

        def made(graph: Graph) -> None:
            self.close()
            self._send(Opened(graph, None))

        def ask_data(form: NetworkForm) -> None:
            self._form = form
            where = form.file.parent if form.file else editor.graph.folder or Path.cwd()
            asked = Asked("Choose the data", where, endings=_TABLES)
            self._files(editor, asked, taken, lambda: self.new_network(editor))

        def taken(path: Path) -> None:
            self._form = replace(self._form, data="", file=path, layers="")
            self.new_network(editor)

        self.close()
        self._sheet = Wizard(self._style(editor), self._form, make, made, ask_data, self.close)

    def _files(
        self,
        editor: Editor,
        asked: Asked,
        done: Callable[[Path], None],
        leave: Callable[[], None],
    ) -> None:
        def chosen(path: Path) -> None:
            self.close()
            done(path)

        self.close()
        self._sheet = FileSheet(self._style(editor), asked, chosen, leave)

    def _style(self, editor: Editor) -> SheetStyle:
        chosen = editor.preferences
        return SheetStyle(THEMES[chosen.theme], self._look(chosen.theme), self._fonts, chosen.scale)
