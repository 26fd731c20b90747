"""What the editor asks of the world, and what it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_editor import journals, wait
from networks import CLASSES, net

import nodeflow as nf
from nodeflow.editor import shell as shell_module
from nodeflow.editor.documents import store as store_module
from nodeflow.editor.run import session as session_module
from nodeflow.editor.shell import Shell
from nodeflow.editor.state import model as model_module
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.messages import Ended, Failed, Message, Noted, Opened, RunUpdate, Saved
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.requests import (
    Check,
    CompareGraphs,
    ControlRun,
    Derive,
    OpenFile,
    RunAnew,
    Save,
    SavePreferences,
    ShellRequest,
)
from nodeflow.editor.state.runcommands import Pause, Reset, Step, Train
from nodeflow.editor.update import update
from nodeflow.errors import FileError
from nodeflow.files import dumps, loads
from nodeflow.networks import network
from nodeflow.scene import Scene, scene, scene_at_once, with_places

SECONDS = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test folders of its own, and a quick journal."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    monkeypatch.setattr(store_module, "_DELAY", 0.02)
    return tmp_path


@pytest.fixture
def shell() -> Iterator[Shell]:
    made = Shell()
    yield made
    made.close()


@pytest.fixture(scope="module")
def graph() -> nf.Graph:
    """Return a graph as it comes from a file, all nodes in their places."""
    source, sizes = CLASSES
    made = net(source, sizes, rate=0.3, test=1 / 3, epochs=40)
    return loads(dumps(with_places(made)))


def until(shell: Shell, editor: Editor, seen: Callable[[Live], object]) -> Live:
    """Return what the run tells once the condition holds."""

    def looked() -> Live | None:
        for message in shell.poll(editor):
            if isinstance(message, RunUpdate) and seen(message.live):
                return message.live
        return None

    return wait(looked)


def do(shell: Shell, editor: Editor, request: ShellRequest) -> list[Message]:
    return shell.perform(request, editor)


# --- files --------------------------------------------------------------------------------------


def test_save_open_and_recent(shell: Shell, home: Path, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    assert do(shell, editor, Save()) == [
        Failed("the graph has no file yet: choose a name for it")
    ]  # fmt: skip
    path = home / "net.json"
    (saved,) = do(shell, editor, Save(home / "net"))
    assert isinstance(saved, Saved)
    assert (saved.graph, saved.path) == (editor.graph, path)
    assert saved.graph.folder == home  # whatever its paths are relative to
    assert nf.load(path) == editor.graph
    (found,) = do(shell, editor, OpenFile(path))
    assert found == Opened(editor.graph, path)
    assert found.graph.folder == home
    assert [recent.path for recent in shell.recent()] == [path]
    edited = replace(editor, path=path).edited(graph.set("train", rate=0.1), "rate")
    (saved,) = do(shell, edited, Save())
    assert isinstance(saved, Saved)
    assert nf.load(path) == saved.graph == edited.graph


def test_a_graph_that_was_opened_is_drawn_before_its_run_begins(
    shell: Shell, home: Path, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told of the run before either, though that goes on meanwhile.

    What the pointer needs is not worked out before, but then, in the background.
    """
    pointed: list[Scene] = []
    monkeypatch.setattr("nodeflow.editor.shell.prepare", pointed.append)
    before = Editor.of(nf.sample("xor"))
    until(shell, before, lambda live: "output.z" in live.values)
    do(shell, before, ControlRun(Train(100_000)))
    until(shell, before, lambda live: live.epoch > 2)
    nf.save(graph, home / "net.json")
    told = do(shell, before, OpenFile(home / "net.json"))
    wait(lambda: isinstance(told[-1], Opened) or told.extend(shell.poll(before)))
    editor = update(before, told[-1])
    assert editor.requests == (RunAnew(),)
    assert not shell.perform(RunAnew(), editor)
    for _ in range(20):
        assert not [m for m in shell.poll(editor, drawn=False) if isinstance(m, RunUpdate)]
        time.sleep(0.01)
    assert not shell.recent()
    assert not pointed
    live = until(shell, editor, lambda live: live.values)
    assert (live.epoch, live.state) == (0, "still")
    assert {address.partition(".")[0] for address in live.values} <= graph.nodes.keys()
    wait(lambda: [recent.path for recent in shell.recent()] == [home / "net.json"])
    assert pointed == [editor.drawn]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileError("recent.json cannot be saved"), "recent.json cannot be saved"),
        (OSError("the disk is full"), "remembering files failed"),
        (ZeroDivisionError(), "remembering files failed"),
    ],
)
def test_a_file_that_cannot_be_remembered_is_told(
    shell: Shell, home: Path, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch,
    error: Exception, text: str,
) -> None:  # fmt: skip
    """Whatever goes wrong: the window goes on."""

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(shell.store, "remember", failing)
    nf.save(graph, home / "net.json")
    editor = Editor.of(graph)
    told = do(shell, editor, OpenFile(home / "net.json"))
    wait(lambda: any(isinstance(m, Failed) for m in told) or told.extend(shell.poll(editor)))
    (failed,) = [message for message in told if isinstance(message, Failed)]
    assert text in failed.text


def test_a_file_is_remembered_though_the_window_closes_at_once(home: Path, graph: nf.Graph) -> None:
    nf.save(graph, home / "net.json")
    shell, editor = Shell(), Editor.of(graph)
    told = do(shell, editor, OpenFile(home / "net.json"))
    wait(lambda: any(isinstance(m, Opened) for m in told)
         or told.extend(shell.poll(editor, drawn=False)))  # fmt: skip
    shell.close()
    assert [recent.path for recent in Shell().recent()] == [home / "net.json"]


def test_a_file_that_cannot_be_opened_or_saved(shell: Shell, home: Path, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    (home / "bad.json").write_text('{"format": "nodeflow", "version": 1, "nodes": 3}')
    for what, path, text in [
        (OpenFile, home / "no.json", "there is no such file"),
        (OpenFile, home / "bad.json", "$.nodes"),
        (Save, home / "no" / "net.json", "there is no folder"),
    ]:
        (answer,) = do(shell, editor, what(path))
        assert isinstance(answer, Failed)
        assert text in answer.text
        assert str(path) in answer.text
    assert do(shell, editor, OpenFile()) == [Failed("the graph has no file that could be read")]
    assert shell.recent() == []


def test_a_full_disk_loses_nothing(
    shell: Shell, home: Path, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "net.json"
    nf.save(graph, path)
    editor = Editor.of(graph, path).edited(graph.set("train", rate=0.7), "rate")
    shell.poll(editor)
    kept = wait(lambda: journals(home))[0]

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        (answer,) = do(shell, editor, Save())
    assert answer == Failed(
        f"{path}: cannot be saved: no space left on device; what was there before is kept"
    )
    assert nf.load(path) == graph
    assert nf.load(kept) == editor.graph  # the journal is not given up for a save that failed
    (home / "state" / "recent.json").mkdir()
    saved, failed = do(shell, editor, Save())
    assert isinstance(saved, Saved)
    assert (saved.graph, saved.path) == (editor.graph, path)
    assert isinstance(failed, Failed)  # the list of recent files is another matter
    assert "recent.json: cannot be saved" in failed.text
    assert nf.load(path) == editor.graph
    assert journals(home) == []


def test_preferences(shell: Shell, home: Path, graph: nf.Graph) -> None:
    editor = Editor.of(graph, preferences=Preferences(theme="light"))
    assert do(shell, editor, SavePreferences()) == []
    assert shell.preferences() == (Preferences(theme="light"), "")
    path = home / "config" / "preferences.json"
    path.unlink()
    path.mkdir()
    (answer,) = do(shell, editor, SavePreferences())
    assert "cannot be saved" in answer.text


# --- the journal --------------------------------------------------------------------------------


def test_changes_are_kept_until_they_are_saved(shell: Shell, home: Path, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    shell.poll(editor)
    time.sleep(0.1)
    assert journals(home) == []  # as it was opened
    edited = editor.edited(editor.graph.set("train", rate=0.7), "rate")
    shell.poll(edited)
    assert nf.load(wait(lambda: journals(home))[0]) == edited.graph
    shell.poll(replace(edited, history=edited.history.to(0)))
    assert journals(home) == []
    shell.poll(edited)
    wait(lambda: journals(home))
    do(shell, edited, Save(home / "net.json"))
    assert journals(home) == []
    shell.close()
    assert not list(home.glob("state/journal/*"))


def test_recovery_can_be_undone(shell: Shell, home: Path, graph: nf.Graph) -> None:
    path = home / "net.json"
    saved = Editor.of(graph, path)
    nf.save(saved.graph, path)
    other = Shell()
    edited = saved.edited(saved.graph.set("train", rate=0.7), "rate")
    other.poll(edited)
    wait(lambda: journals(home))
    assert shell.left_behind() == []
    journal = other.store._journal
    assert journal is not None
    with journal._disk:
        journal._lock.close()  # as if it had been killed
    (recovery,) = shell.left_behind()
    assert recovery.changes == ("train.rate was 0.3 and is 0.7",)
    editor = shell.recover(recovery)
    assert (editor.graph, editor.path, editor.changed) == (edited.graph, path, True)
    assert editor.history.to(0).present == saved.graph
    shell.poll(editor)
    assert shell.left_behind() == []
    do(shell, editor, Save())
    assert journals(home) == []
    other.close()


def test_a_journal_that_cannot_be_written_is_told(
    shell: Shell, home: Path, graph: nf.Graph
) -> None:
    (home / "state").write_text("no folder")
    editor = Editor.of(graph)
    edited = editor.edited(editor.graph.set("train", rate=0.7), "rate")
    failed = wait(lambda: [m for m in shell.poll(edited) if isinstance(m, Failed)])
    assert failed[0].text.startswith("changes are not kept for a crash: ")
    for _ in range(50):
        assert not [m for m in shell.poll(edited) if isinstance(m, Failed)]


# --- the run ------------------------------------------------------------------------------------


def test_the_run_follows_the_editor(shell: Shell, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    assert "output.z" in until(shell, editor, lambda live: live.values).values
    do(shell, editor, ControlRun(Train()))
    live = until(shell, editor, lambda live: live.state == "done")
    run = nf.Run(graph)
    assert list(live.history) == run.train()
    do(shell, editor, ControlRun(Train(3)))
    assert until(shell, editor, lambda live: live.state == "done").epoch == 43
    do(shell, editor, Check())
    assert "theta1" in until(shell, editor, lambda live: live.checks).checks
    do(shell, editor, ControlRun(Step("update")))
    assert until(shell, editor, lambda live: live.state == "paused").epoch == 43
    do(shell, editor, ControlRun(Reset()))
    assert until(shell, editor, lambda live: live.state == "still").epoch == 0
    do(shell, editor, ControlRun(Train(100_000)))
    until(shell, editor, lambda live: live.update > 0)
    do(shell, editor, ControlRun(Pause()))
    assert until(shell, editor, lambda live: live.state == "paused").update > 0
    edited = editor.edited(editor.graph.remove("b1"), "remove b1")
    live = until(shell, edited, lambda live: live.state == "still")
    assert "b1.value" not in live.values


def test_what_is_asked_for_meets_the_newest_graph(shell: Shell, graph: nf.Graph) -> None:
    """Between an edit and the next poll: train means the edited graph."""
    editor = Editor.of(graph)
    until(shell, editor, lambda live: live.values)
    edited = editor.edited(editor.graph.set("train", rate=0.01), "rate")
    do(shell, edited, ControlRun(Train(2)))
    live = until(shell, edited, lambda live: live.state == "done")
    assert list(live.history) == nf.Run(edited.graph).train(2)


def test_polling_costs_little(shell: Shell, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    until(shell, editor, lambda live: live.values)
    began = time.thread_time()
    for _ in range(1000):
        shell.poll(editor)
    assert (time.thread_time() - began) / 1000 < 1e-3


def test_no_thread_is_left(graph: nf.Graph) -> None:
    before = threading.active_count()
    shell = Shell()
    editor = Editor.of(graph)
    shell.poll(editor.edited(editor.graph.set("train", rate=0.7), "rate"))
    shell.close()
    shell.close()
    assert threading.active_count() == before


def test_what_was_taken_apart_is_compared(shell: Shell, graph: nf.Graph) -> None:
    editor = Editor.of(graph)
    assert shell.perform(CompareGraphs(graph, nf.unfold(graph)), editor) == []
    (note,) = wait(lambda: [m for m in shell.poll(editor) if isinstance(m, Noted)])
    assert note.text.startswith("the same numbers")


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_fault_in_some_work_is_told_and_loses_nothing_else(
    shell: Shell, graph: nf.Graph, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    editor = Editor.of(graph)

    def change() -> nf.Graph:
        time.sleep(seconds)
        raise LookupError("nobody foresaw this")

    found = [
        *shell.perform(Derive("a change", change), editor),
        *shell.perform(CompareGraphs(graph, nf.unfold(graph)), editor),
    ]

    def come() -> bool:
        found.extend(shell.poll(editor))
        return any(isinstance(one, Noted) for one in found) and any(
            isinstance(one, Failed) for one in found
        )

    wait(come)
    (failed,) = [one for one in found if isinstance(one, Failed)]
    assert "a change under way failed" in failed.text
    assert "LookupError: nobody foresaw this" in failed.text
    assert "test_shell.py" in capsys.readouterr().err  # where it arose
    wait(lambda: isinstance(found[-1], Ended) or found.extend(shell.poll(editor)))


def test_a_check_that_is_asked_again_is_made_of_the_newest_graph(
    shell: Shell, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[nf.Graph] = []
    first_may_end = threading.Event()

    def slow(graph: nf.Graph, progress: Any) -> Any:
        seen.append(graph)
        if len(seen) == 1:
            first_may_end.wait(SECONDS)
        return session_module.checked(graph, progress)

    monkeypatch.setattr(shell_module, "checked", slow)
    editor = Editor.of(graph)
    shell.perform(Check(), editor)
    wait(lambda: seen)
    newer = editor.edited(graph.set("train", rate=0.7), "rate")
    shell.perform(Check(), newer)
    live = until(shell, newer, lambda live: live.checks)
    first_may_end.set()
    assert seen == [graph, newer.graph]
    assert set(live.checks.values()) == {"ok"}
    assert not shell._jobs


@pytest.mark.parametrize("rate", [0.5, "fast"])
def test_a_graph_that_is_opened_is_drawn_as_it_was_in_the_background(
    shell: Shell, home: Path, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch, rate: object
) -> None:
    """Its scene is made once and known well, also where something in the file cannot be."""
    held = json.loads(dumps(graph))
    held["nodes"]["train"]["settings"]["rate"] = rate
    path = home / "net.json"
    path.write_text(json.dumps(held), encoding="utf-8")
    made = []

    def counted(*given: Any) -> Scene:
        made.append(given)
        return scene_at_once(*given)

    monkeypatch.setattr(model_module, "scene_at_once", counted)
    before = Editor.of(nf.Graph())
    told = do(shell, before, OpenFile(path))
    wait(lambda: told.extend(shell.poll(before)) or any(isinstance(m, Opened) for m in told))
    editor = update(before, next(m for m in told if isinstance(m, Opened)))
    assert bool(editor.mistyped) is (rate == "fast")
    assert len(editor.drawn.nodes) == len(graph.nodes)
    assert {"hulls", "numbers", "strokes_of", "strokes_from"} <= vars(editor.drawn).keys()
    assert len([graph for graph, *_ in made if graph.nodes]) == 1


# --- wires --------------------------------------------------------------------------------------


def routed(shell: Shell, editor: Editor) -> Editor:
    """Return an editor when its wires have their ways."""

    def looked() -> bool:
        nonlocal editor
        for message in shell.poll(editor):
            editor = update(editor, message)
        return editor.drawn.is_routed

    wait(looked)
    return editor


def test_wires_are_routed_in_the_background_after_a_drop(shell: Shell) -> None:
    editor = Editor.of(nf.explode(network("8-30-20-9")))
    before = editor.drawn
    assert before.is_routed
    x, y = editor.graph.layout["hidden1_a.3"]
    moved = editor.edited(editor.graph.move(**{"hidden1_a.3": (x + 30, y + 210)}), "move")
    assert not moved.drawn.is_routed
    found = routed(shell, moved)
    assert found.drawn.wires == scene(moved.graph).wires
    again = found.edited(found.graph.move(**{"hidden1_a.3": (x + 30, y + 90)}), "move")
    twice = again.edited(again.graph.move(**{"hidden2.1": (9000, 9000)}), "move")
    assert not again.drawn.is_routed
    assert routed(shell, twice).drawn.wires == scene(twice.graph).wires
    undone = replace(moved, history=moved.history.to(0))
    assert routed(shell, undone).drawn.wires == before.wires


def test_an_edit_of_a_large_graph_keeps_the_ways_of_wires_until_they_are_routed(
    shell: Shell,
) -> None:
    editor = Editor.of(nf.explode(network("8-30-20-9")))
    before = editor.drawn
    edited = editor.edited(editor.graph.add("more", "constant", value=1.0), "add")
    assert not edited.drawn.is_routed
    assert edited.drawn.wires == before.wires
    assert "more" in edited.drawn.nodes
    assert routed(shell, edited).drawn.wires == scene(edited.graph).wires


def test_a_very_large_graph_is_shown_before_all_its_wires_are_routed(shell: Shell) -> None:
    editor = Editor.of(nf.unfold(nf.explode(network("8-30-20-9"))))
    first = editor.drawn
    assert not first.is_routed
    assert any(view.bundle for view in first.wires)
    assert not any(view.parts for view in first.wires if not view.bundle)
    assert routed(shell, editor).drawn.wires == scene(editor.graph).wires
