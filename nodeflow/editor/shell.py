"""What the editor asks of the world: files, preferences, the run. Answers are messages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

from nodeflow import disk
from nodeflow.data.places import name_folder
from nodeflow.derive.shapes import infer
from nodeflow.editor.background import PATIENCE, Job, Latest, Progress, fault_text
from nodeflow.editor.canvas.hits import prepare
from nodeflow.editor.commands.file import PICTURE
from nodeflow.editor.dialogs.differing import rival
from nodeflow.editor.documents import exporting, opening, plugins
from nodeflow.editor.documents.comparing import compared
from nodeflow.editor.documents.kepttraining import KeptTraining
from nodeflow.editor.documents.store import Recent, Store
from nodeflow.editor.run.session import Session, checked
from nodeflow.editor.state.kept import Recovery, SavedTraining, in_words
from nodeflow.editor.state.live import Report
from nodeflow.editor.state.messages import (
    Began,
    Derived,
    Differed,
    Ended,
    Failed,
    Message,
    Noted,
    Offered,
    Opened,
    Reported,
    Routed,
    RunUpdate,
    Saved,
    WouldLose,
)
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.requests import (
    AllowData,
    Check,
    CompareGraphs,
    ControlRun,
    Derive,
    DeriveCost,
    Differ,
    Discard,
    EnablePlugin,
    Export,
    New,
    OpenFile,
    OpenSample,
    RunAnew,
    Save,
    SavePreferences,
    ShellRequest,
    StopWork,
)
from nodeflow.editor.state.runcommands import Pause, Resume, ShowCheck
from nodeflow.errors import ExportError, FileError, NodeflowError, Overtaken
from nodeflow.examples import sample
from nodeflow.export import export
from nodeflow.export.compared import both
from nodeflow.files import RunFile, load, load_marked, load_run, run_file_of, save, save_run
from nodeflow.files.moving import moved
from nodeflow.garbage import collection_paused
from nodeflow.graph import Graph
from nodeflow.scene import Scene, drawable, routed, with_places

_SILENT = 0.5
"""Seconds before work that nobody waits for is reported."""
_AT_ONCE = 0.15
"""Seconds that the editor waits for an answer; longer work goes on in the background."""


_Then = Callable[[], list[Message]]
"""What is to be done with what came of some work: once it is done, unless it was given up."""


class Shell:
    """Does what editors request, and tells them what happens in the background.

    Each `WindowRequest` is the window's business.
    """

    def __init__(self, session: Session | None = None, store: Store | None = None) -> None:
        self.session = session or Session()
        self.store = store or Store()
        self.training = KeptTraining()
        self._jobs: list[tuple[Job[_Then], Graph | None]] = []
        self._kept: tuple[Graph, Path | None] | None = None
        self._types = plugins.Watch()
        self._routing: Latest[tuple[Scene, Scene]] = Latest("routing wires", 0.0)
        self._wanted: Scene | None = None
        self._anew = False
        """Whether the run is still to be told of another document."""
        self._opened: list[tuple[Path, Scene]] = []
        """Files that are still to be put among the recent ones."""
        self._remembering: Job[_Then] | None = None
        self._runs: dict[Path, tuple[int, int]] = {}
        """The run files that were written here, as they were then."""

    def perform(self, request: ShellRequest, editor: Editor) -> list[Message]:
        """Do what is requested; what cannot be done is a `Failed` with the reason."""
        try:
            return self._answer(request, editor)
        except NodeflowError as error:
            return [Failed(str(error))]

    def _answer(self, request: ShellRequest, editor: Editor) -> list[Message]:
        match request:
            case Save(path=path, confirmed=confirmed):
                return self._save(path or editor.path, editor, confirmed=confirmed)
            case OpenFile(path=path):
                return self._open(path or editor.path, editor)
            case OpenSample(name=name):
                return [Opened(with_places(sample(name)), None, kept=True)]
            case New():
                return [Opened(Graph(), None)]
            case Differ():
                return self._differ(request, editor)
            case Export():
                return self._export(request, editor.path)
            case Derive(label=label, change=change):
                return self._derive(label, change, editor.graph)
            case DeriveCost(node=node):
                return self._derive_cost(editor.graph, node)
            case AllowData(folders=folders):
                return self._allow(folders, editor)
            case EnablePlugin(name=name):
                return self._types.enabled(name)
            case SavePreferences():
                self.store.save_preferences(editor.preferences)
            case Discard(recovery=recovery):
                self.store.discard(recovery)
            case CompareGraphs(before=before, after=after):
                self._compare(before, after)
            case Check():
                self._show(editor)
                self._check(editor.graph)
            case StopWork():
                self._cancel()
            case RunAnew():
                if not self._anew:
                    self.training.leave(self.session.poll())
                self._anew = True
            case ControlRun(command=command):
                if not isinstance(command, Pause):  # what is running stops before all else
                    self._show(editor)
                if isinstance(command, Resume):
                    self.training.resumed(editor.path, command.offer)
                self.session.do(command)
            case _:
                assert_never(request)
        return []

    def poll(self, editor: Editor, *, drawn: bool = True) -> list[Message]:
        """Show the run and the journal the editor's graph, and return what there is to tell.

        To be called once a frame; where nothing changed it costs next to nothing. What takes long
        begins when the graph is `drawn`: threads take turns, and somebody waits for the picture.
        """
        found: list[Message] = []
        found += self._types.poll()
        if drawn:
            self.keep(editor)
            self._show(editor)
            found += self._remember()
            found += self._ways(editor)
        live = self.session.poll()
        if not self._anew:  # it would be of the document before
            found += [] if live is None else [RunUpdate(live)]
            self.training.show(editor.path, live)
        found += self._ended(editor)
        problems = (self.store.problem(), self.training.problem(), self.session.fault())
        return found + [Failed(problem) for problem in problems if problem]

    def keep(self, editor: Editor) -> None:
        """Have the graph kept for the case of a crash, if it differs from its file."""
        graph, path = editor.graph, editor.path
        kept = self._kept
        if kept is not None and kept[0] is graph and (kept[1] is path or kept[1] == path):
            return
        self._kept = graph, path
        if editor.changed:
            self.store.journal(graph, path)
        else:
            self.store.forget()

    def _ways(self, editor: Editor) -> list[Message]:
        """Have wires routed after a drop, where that takes longer than a frame."""
        wanted = editor.unrouted
        if wanted is None:
            if self._wanted is not None:
                self._routing.forget()
                self._wanted = None
            return []
        if wanted is not self._wanted:
            graph = editor.graph

            def work() -> tuple[Scene, Scene]:
                made = routed(wanted, graph)
                prepare(made)
                return wanted, made

            self._routing.ask(work)
            self._wanted = wanted
        made = self._routing.poll()
        return [] if made is None or made[0] is not wanted else [Routed(*made)]

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
        made = opening.editor_of(before, recovery.path, recovery.faults, **more)
        for message in self.offered(recovery.graph, recovery.path):
            if isinstance(message, Offered):
                made = replace(made, offer=message.offer)
        return made.edited(recovery.graph, "recover")

    def close(self, *, keep: bool = False) -> str:
        """End cleanly: the run and what is under way end, and the journal is removed.

        Training that was not saved is kept. To `keep` it is to have changes offered at the next
        start. Returns why that is not so, "".
        """
        self._cancel()
        for _ in range(2):  # what is being remembered, then what was opened meanwhile
            self._remember()
            if self._remembering is not None:
                self._remembering.done(PATIENCE)
        self.session.close()
        live = self.session.poll()
        found = self.training.close(None if self._anew else live), self.store.close(keep=keep)
        return "; ".join(filter(None, found))

    # -- files

    def _allow(self, folders: Sequence[Path], editor: Editor) -> list[Message]:
        """Let graphs read data in folders that lie elsewhere, and read it."""
        for folder in folders:
            name_folder(folder)
        said = "graphs may read data in " + " and ".join(os.path.realpath(one) for one in folders)
        opened = [] if editor.path is None else self._open(editor.path, editor)
        return [*opened, Noted(said)]

    def _save(self, path: Path | None, editor: Editor, *, confirmed: bool) -> list[Message]:
        graph = editor.graph
        if path is None:
            return [Failed("the graph has no file yet: choose a name for it")]
        if not path.suffix:
            path = path.with_suffix(".json")
        if path.suffix.lower() == PICTURE:
            return [Failed(f"{path.name} is a picture, a graph is saved as .json: save it as that")]
        if editor.unmended and not confirmed and editor.path and _is_same(path, editor.path):
            return [WouldLose(path)]
        before, graph = graph, moved(graph, path.parent)
        try:
            save(graph, path)
        except Overtaken:
            return [rival(before, editor.saved, path)]
        self.store.forget()
        self._kept = None
        if graph.folder is None or not _is_same(graph.folder, path.parent):
            graph = load(path)  # its arrays lie there now, and its paths start there
        again = None if graph is before else before
        return [
            Saved(graph, path, again),
            *self._saved_run(path, editor),
            *self._remembered(path, graph),
        ]

    def _saved_run(self, path: Path, editor: Editor) -> list[Message]:
        """Write the training of a graph beside its file, if there is any.

        What was there and is not this editor's own stays beside it, however often that is saved.
        """
        live, offer = editor.live, editor.offer
        if not live.update or not live.reached:
            return []
        there = run_file_of(path)
        aside = there.with_name(f"{there.name}.bak")
        try:
            if there.exists() and self._runs.get(there) != _stamp(there):
                disk.write(aside, there.read_bytes())
                if offer is not None and offer.path == there:
                    offer = replace(offer, path=aside)
            save_run(there, live.memory, list(live.history), live.reached)
            self._runs[there] = _stamp(there)
            self.training.saved(path, live)
        except OSError as error:
            return [Failed(f"the graph is saved, its training is not: {disk.reason(error)}")]
        except NodeflowError as error:
            return [Failed(f"the graph is saved, its training is not: {error}")]
        said = f"saved {path.name}, and {in_words(live.epoch)} in {there.name}"
        if offer is None or not (offer.kept or offer.path == aside):
            return [Noted(said)]
        return [Offered(offer), Noted(f"{said}; there are still {offer.text}")]

    def _open(self, path: Path | None, editor: Editor) -> list[Message]:
        if path is None:
            return [Failed("the graph has no file that could be read")]

        def work(_progress: Progress) -> _Then:
            with collection_paused():
                graph, faults = load_marked(path)
                graph = with_places(graph)
                # Reading its data takes the longest, and the window would wait for it.
                fields = opening.mistyped(graph, faults)
                drawn = opening.editor_of(graph, path, faults, fields=fields).drawn
                drawable(drawn)  # what it is pointed at with follows when it is seen
            self.training.write()  # it may be of the same file
            offers = self.offered(graph, path)

            def then() -> list[Message]:
                self._opened.append((path, drawn))
                return [
                    Opened(graph, path, faults=faults, fields=fields),
                    *offers,
                    *opening.reports(graph, path, faults),
                ]

            return then

        return self._begun(Job(f"opening {path.name}", work), editor.graph)

    def offered(self, graph: Graph, path: Path | None) -> list[Message]:
        """Return what there is to say of training that was saved or kept: it is offered."""
        return [] if path is None else offered(graph, path, self.training.of(path))

    def _differ(self, request: Differ, editor: Editor) -> list[Message]:
        """Compare the graph with another one: a file, or what is given."""
        after, other = editor.graph, request.before
        name = editor.path.name if editor.path is not None else after.name or "this graph"

        def work(_progress: Progress) -> _Then:
            before = other if isinstance(other, Graph) else load(other)
            found = both(before, after)
            said = request.name or (other.name if isinstance(other, Path) else "")
            return lambda: [Differed(found, f"{said} → {name}")]

        return self._begun(Job("comparing the graphs", work), after)

    def _export(self, request: Export, file: Path | None) -> list[Message]:
        """Write a graph in another format, as it is now: it may be edited meanwhile."""
        graph, out, options = request.graph, request.path, request.options

        def work(progress: Progress) -> _Then:
            try:
                made = export(graph, out, file=file, progress=progress, **options)
            except ExportError as error:
                raise ExportError(exporting.plain(str(error))) from error
            except (OSError, MemoryError) as error:
                reason = str(error) or "there is not enough memory"
                raise ExportError(f"{out.name} cannot be made: {reason}") from error
            said = request.said or made.said
            return lambda: [Noted(f"exported {out.name}{', ' * bool(said)}{said}")]

        return self._begun(Job(f"exporting {out.name}", work))

    def _remembered(self, path: Path, graph: Graph) -> list[Message]:
        try:
            self.store.remember(path, Editor.of(graph, path).drawn)  # it is drawn already
        except FileError as error:
            return [Failed(str(error))]
        return []

    def _remember(self) -> list[Message]:
        """Have the files that were opened put among the recent ones: a disk takes its time.

        First comes what they are pointed at with.
        """
        job = self._remembering
        if job is not None and job.done():
            self._remembering = None
            return _came_of(job)
        if job is None and self._opened:
            opened, self._opened = self._opened, []

            def work(_progress: Progress) -> _Then:
                for _, drawn in opened:
                    prepare(drawn)
                for path, drawn in opened:
                    self.store.remember(path, drawn)
                return list

            self._remembering = Job("remembering files", work)
        return []

    # -- what takes its time

    def _derive(self, label: str, change: Callable[[], Graph], graph: Graph) -> list[Message]:
        def work(_progress: Progress) -> _Then:
            made = change()
            return lambda: [Derived(made, label)]

        return self._begun(Job(f"{label} under way", work), graph)

    def _derive_cost(self, graph: Graph, node: str) -> list[Message]:
        """Derive the cost by the first number of a parameter: that may take seconds."""

        def work(_progress: Progress) -> _Then:
            from nodeflow.explain.origins import origin

            shape = infer(graph).shapes[f"{node}.value"]
            lines = origin(graph, f"{node}.value", (0,) * len(shape.dims))
            report = Report(node, "Where its slope comes from", tuple(lines))
            return lambda: [Reported(report)]

        return self._begun(Job("deriving", work), graph)

    def _compare(self, before: Graph, after: Graph) -> None:
        """Compare two graphs: the first run may have to compile."""

        def work(_progress: Progress) -> _Then:
            said = compared(before, after)
            return lambda: [Noted(said)]

        self._jobs.append((Job("comparing the numbers", work), None))

    def _check(self, graph: Graph) -> None:
        """Check the gradients of a graph, so that training goes on; the newest check counts."""
        what = "checking the gradients"
        for entry in [one for one in self._jobs if one[0].what == what]:
            entry[0].cancel()
            self._jobs.remove(entry)

        def work(progress: Progress) -> _Then:
            found, price, problem = checked(graph, progress)

            def then() -> list[Message]:
                self.session.do(ShowCheck(graph, found, price, problem))
                return [Failed(problem)] if problem else []

            return then

        self._jobs.append((Job(what, work), None))

    def _cancel(self) -> None:
        """Give up all that is under way."""
        for job, _ in self._jobs:
            job.cancel()
        self._jobs.clear()

    def _begun(self, job: Job[_Then], over: Graph | None = None) -> list[Message]:
        """Return what comes of work at once, or have it told when it is done.

        It may take the place of the graph `over`: where that is changed meanwhile, it is given up.
        """
        if job.done(_AT_ONCE):
            return _came_of(job)
        self._jobs.append((job, over))
        job.announced = True
        return [Began(job.what)]

    def _ended(self, editor: Editor) -> list[Message]:
        """Return what came of the work that is done, and tell of what takes its time."""
        if not self._jobs:
            return []
        found: list[Message] = []
        for job, _ in self._jobs:
            if not job.announced and job.age > _SILENT and not job.done():
                job.announced = True
                found.append(Began(job.what))
            elif job.announced and job.share != job.announced_share:
                job.announced_share = job.share
                found.append(Began(job.what, job.share))
        for entry in [one for one in self._jobs if one[0].done()]:
            self._jobs.remove(entry)
            job, over = entry
            if over is not None and editor.graph is not over:
                found.append(Failed(f"{job.what} was given up: the graph was changed meanwhile"))
                continue
            found += _came_of(job)
        return found if self._jobs else [*found, Ended()]

    # -- the run

    def _show(self, editor: Editor) -> None:
        """Let the run have the graph as it is now."""
        if self._anew:
            self._anew = False
            self.session.open(editor.graph)
        self.session.start(editor.graph, editor.history.label)


def _came_of(job: Job[_Then]) -> list[Message]:
    """Return what came of work that is done; a fault is told, for the others' sake."""
    try:
        return job.result()()
    except NodeflowError as error:
        return [Failed(str(error))]
    except Exception as error:  # noqa: BLE001  it is told, and in the log
        return [Failed(f"{job.what} failed: {fault_text(error)}")]


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells whether a file was written again."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


# --- training beside the file -------------------------------------------------------------------


def offered(graph: Graph, path: Path, kept: Iterable[Path] = ()) -> list[Message]:
    """Return what there is to say of the run file beside a graph, and of training that was kept.

    The newest that fits is offered.
    """
    there = run_file_of(path)
    said: list[Message] = []
    for file in sorted([there, *kept], key=_written, reverse=True):
        beside = file == there
        if not file.exists():
            continue
        try:
            found = load_run(file)
        except NodeflowError as error:
            which = "beside the graph" if beside else "that was not saved"
            said.append(Noted(f"the training {which} cannot be read: {error}"))
            continue
        if _fits(found, graph):
            offer = SavedTraining(file, found.weights, found.history, found.meta, kept=not beside)
            return [*said, Offered(offer)]
        if beside:
            said.append(
                Noted(f"{there.name} is the training of another network: it stays as it is")
            )
    return said


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # nobody wrote it, or it was removed just now
        return 0


def _fits(found: RunFile, graph: Graph) -> bool:
    """Whether a run file has values for the parameters of a graph, in their shapes."""
    shapes = infer(graph).shapes
    known = {
        f"{key}.value": shapes[f"{key}.value"].dims
        for key in graph.parameters
        if f"{key}.value" in shapes
    }
    return known == {name: w.shape for name, w in found.weights.items() if name in known}
