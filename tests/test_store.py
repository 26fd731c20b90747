"""The user's files: preferences, recent graphs, and what survives a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_editor import journals, wait

import nodeflow as nf
from nodeflow.declare import Array
from nodeflow.editor.documents import store as module
from nodeflow.editor.documents.store import Store
from nodeflow.editor.state.kept import Recovery
from nodeflow.editor.state.preferences import Preferences
from nodeflow.errors import FileError
from nodeflow.graph import Graph, Node
from nodeflow.scene import scene

FULL = OSError(28, "No space left on device")
SECONDS = 30.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test folders of its own."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DELAY", 0.02)
    monkeypatch.setattr(module, "_AGAIN", 0.05)


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def sketch(name: str = "sketch") -> Graph:
    graph = Graph(name=name).add("x", "constant", value=(1.0, 2.0)).add("s", "sigmoid")
    return graph.connect("x.value", "s.z").move(x=(0, 0), s=(240, 40))


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# --- preferences --------------------------------------------------------------------------------


def test_preferences_come_back(store: Store, home: Path) -> None:
    assert store.load_preferences() == (Preferences(), "")
    chosen = Preferences(theme="light", scale=1.5, values="all", toured=True)
    store.save_preferences(chosen)
    assert Store().load_preferences() == (chosen, "")
    assert files(home) == ["config/preferences.json"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\xff", "is not JSON"),
        ("[]", "is not an object"),
        ('{"theme": "pink"}', "theme cannot be 'pink'; there is dark, light"),
        ('{"theme": 3}', "theme cannot be 3"),
        ('{"minimap": 1}', "minimap cannot be 1"),
        ('{"scale": true}', "scale cannot be True"),
        ('{"scale": 0.01}', "scale must be from 0.5 to 4.0, not 0.01"),
        ('{"scale": NaN}', "scale must be from 0.5 to 4.0, not nan"),
    ],
)
def test_broken_preferences_are_put_aside(store: Store, home: Path, text: str, why: str) -> None:
    path = home / "config" / "preferences.json"
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    found, sentence = store.load_preferences()
    assert found == Preferences()
    assert sentence == f"{path}: {why}; it was put aside as preferences.broken.json"
    assert path.with_suffix(".broken.json").read_text(encoding="latin-1") == text
    assert store.load_preferences() == (Preferences(), "")


def test_preferences_of_another_version(store: Store, home: Path) -> None:
    path = home / "config" / "preferences.json"
    path.parent.mkdir()
    path.write_text('{"scale": 2, "colour of the moon": "green"}')
    assert store.load_preferences() == (Preferences(scale=2.0), "")


def test_preferences_that_cannot_be_written(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_preferences(Preferences(theme="light"))
    path = home / "config" / "preferences.json"

    def full(*args: Any) -> None:
        raise FULL

    for call in ("os.fsync", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(call, full)
            with pytest.raises(FileError) as caught:
                store.save_preferences(Preferences())
        assert str(caught.value) == (
            f"{path}: cannot be saved: no space left on device; what was there before is kept"
        )
    assert store.load_preferences() == (Preferences(theme="light"), "")
    assert files(home) == ["config/preferences.json"]
    path.write_text("{")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        found, sentence = store.load_preferences()
    assert (found, sentence) == (Preferences(), f"{path}: is not JSON; the defaults are used")
    assert path.read_text() == "{"


# --- recent files -------------------------------------------------------------------------------


def test_recent_files(store: Store, home: Path) -> None:
    assert store.recent() == []
    graph = sketch()
    paths = [home / f"{number}.json" for number in range(15)]
    for path in [*paths, paths[5]]:
        path.touch()
        store.remember(path, scene(graph))
    paths[14].unlink()
    found = Store().recent()
    assert [entry.path for entry in found] == [paths[5], *paths[14:5:-1], paths[4], paths[3]]
    assert [entry.path for entry in found if entry.missing] == [paths[14]]
    drawn = scene(graph)
    assert found[0].thumbnail.bounds == drawn.bounds
    assert found[0].thumbnail.boxes == tuple(
        (n.x, n.y, n.width, n.height, n.family) for n in drawn.nodes.values()
    )


@pytest.mark.parametrize("text", ["{", "{}", "[3]", '[{"path": 3}]', '[{"path": "a"}]', "null"])
def test_a_broken_list_of_recent_files(store: Store, home: Path, text: str) -> None:
    (home / "state").mkdir()
    (home / "state" / "recent.json").write_text(text)
    assert store.recent() == []
    store.remember(home / "a.json", scene(sketch()))
    assert [entry.path for entry in store.recent()] == [home / "a.json"]


# --- the journal --------------------------------------------------------------------------------


def test_a_change_is_written_within_two_seconds(store: Store, home: Path) -> None:
    began = time.monotonic()
    store.journal(sketch(), None)
    assert time.monotonic() - began < 0.1  # the editor does not wait
    graph = sketch("latest")
    store.journal(graph, None)
    path = wait(lambda: journals(home))[0]
    assert time.monotonic() - began < 2.0
    assert nf.load(path) == graph
    store.close()
    assert files(home) == []


@pytest.mark.usefixtures("fast")
def test_the_journal_goes_when_the_graph_is_saved(store: Store, home: Path) -> None:
    for _ in range(3):
        store.journal(sketch(), home / "net.json")
        wait(lambda: journals(home))
        store.forget()
        assert files(home) == []
        store.journal(sketch(), home / "net.json")
        store.forget()
        time.sleep(0.05)
        assert files(home) == []


@pytest.mark.usefixtures("fast")
def test_nothing_is_left_after_the_end(store: Store, home: Path) -> None:
    before = threading.active_count()
    other = Store()
    other.journal(sketch(), None)
    other.close()
    other.close()
    assert threading.active_count() == before
    assert files(home) == []


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("call", ["os.fsync", "os.replace", "pathlib.Path.mkdir"])
def test_a_full_disk_is_told_once_and_tried_again(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    tried = []

    def full(*args: Any, **more: Any) -> None:
        tried.append(1)
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(call, full)
        store.journal(sketch(), None)
        sentence = wait(store.problem)
        store.journal(sketch("later"), None)
        wait(lambda: len(tried) >= 4)
        assert store.problem() == ""
    assert sentence.startswith("changes are not kept for a crash: ")
    assert "no space left on device" in sentence
    assert "\n" not in sentence
    path = wait(lambda: journals(home))[0]
    assert wait(lambda: nf.load(path).name == "later")


@pytest.mark.usefixtures("fast")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(store: Store, home: Path) -> None:
    (home / "state").mkdir(mode=0o500)
    store.journal(sketch(), None)
    assert "there is no permission" in wait(store.problem)


@pytest.mark.usefixtures("fast")
def test_a_file_where_the_folder_should_be(store: Store, home: Path) -> None:
    (home / "state").write_text("not a folder")
    store.journal(sketch(), None)
    assert "cannot be saved" in wait(store.problem)
    assert store.left_behind() == []
    with pytest.raises(FileError, match="cannot be saved"):
        store.remember(home / "a.json", scene(sketch()))


# --- after a crash ------------------------------------------------------------------------------

EDITOR = """
import sys, time
import platformdirs
from pathlib import Path
from dataclasses import replace
home = Path(sys.argv[1])
platformdirs.user_state_dir = lambda name: str(home / "state")
import nodeflow as nf
from nodeflow.editor.documents import store as module
from nodeflow.editor.documents.store import Store
module._DELAY = 0.02
store = Store()
path = Path(sys.argv[2]) if sys.argv[2] else None
graph = nf.load(path) if path else nf.Graph(name="drawn").add("x", "constant", value=2.0)
number = 0
while True:
    number += 1
    graph = replace(graph, about=f"change {number}")
    store.journal(graph, path)
    if number == 3:
        print("editing", flush=True)
    time.sleep(0.02)
"""


def crashed(home: Path, path: Path | None = None, *, alive: bool = False) -> Any:
    """Start an editor in a process of its own that keeps writing its journal, and kill it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(nf.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", EDITOR, str(home), str(path or "")],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout.readline() == b"editing\n"
    there = {found.parent for found in journals(home)}
    wait(lambda: {found.parent for found in journals(home)} - there or there)
    time.sleep(0.1)
    if not alive:
        end(process)
    return process


def end(process: Any) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


kill = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")


@kill
def test_kill_9_and_recovery(store: Store, home: Path) -> None:
    path = home / "net.json"
    nf.save(sketch(), path)
    crashed(home, path)
    crashed(home)
    found = store.left_behind()
    assert [recovery.name for recovery in found] == ["drawn", "sketch"]
    never, changed = found
    assert (never.path, never.saved) == (None, None)
    assert never.changes == ("never saved: 1 node, 0 wires",)
    assert changed.path == path
    assert changed.saved == nf.load(path)
    assert len(changed.changes) == 1
    assert "what it says about itself was '' and is 'change " in changed.changes[0]
    assert replace(changed.graph, about="") == sketch()
    assert changed.graph.folder == home
    assert abs(changed.time - time.time()) < SECONDS
    assert store.left_behind() == found  # still there until something is decided
    store.discard(never)
    assert [r.name for r in store.left_behind()] == ["sketch"]
    store.adopt(changed)
    assert store.left_behind() == []
    assert len(journals(home)) == 1  # it is this editor's own now, and not lost if that one ends
    store.forget()
    assert files(home) == ["net.json"]


@kill
def test_a_living_editor_keeps_its_journal(store: Store, home: Path) -> None:
    process = crashed(home, alive=True)
    try:
        assert store.left_behind() == []
        assert len(journals(home)) == 1
        end(process)
        assert [recovery.name for recovery in store.left_behind()] == ["drawn"]
        other = Store()
        assert other.left_behind() == []  # this editor has asked first
        store.close()
        assert [recovery.name for recovery in other.left_behind()] == ["drawn"]
        other.close()
        assert len(journals(home)) == 1
    finally:
        end(process)


Left = Callable[[Graph, Path | None], Recovery | None]


@pytest.fixture
def left(home: Path, fast: None, store: Store) -> Iterator[Left]:
    """Return what is found of an editor whose lock is gone."""
    own = Store()

    def found(graph: Graph, path: Path | None) -> Recovery | None:
        own.journal(graph, path)
        wait(lambda: journals(home))
        journal = own._journal
        assert journal is not None
        with journal._disk:
            journal._lock.close()
        return next(iter(store.left_behind()), None)

    yield found
    own.close()


def test_large_arrays_and_placeholders_are_recovered(home: Path, left: Left) -> None:
    matrix = np.arange(2000.0).reshape(40, 50)
    path = home / "net.json"
    nf.save(Graph(nodes={"w": Node("parameter", {"value": Array(matrix)})}), path)
    path.write_text(path.read_text().replace('"type": "parameter"', '"type": "warp"'))
    opened = nf.load(path)
    assert opened.nodes["w"].known is None
    edited = opened.add("v", "parameter", value=(matrix + 1).tolist())
    found = left(edited, path)
    assert found is not None
    assert found.changes == ("node 'v' (parameter) is new",)
    nf.save(found.graph, path)  # the placeholder's arrays are still found
    path.write_text(path.read_text().replace('"type": "warp"', '"type": "parameter"'))
    nodes = nf.load(path).nodes
    assert np.array_equal(nodes["w"].settings["value"].values, matrix)
    assert np.array_equal(nodes["v"].settings["value"].values, matrix + 1)


def test_a_file_that_is_gone(home: Path, left: Left) -> None:
    found = left(sketch(), home / "net.json")
    assert found is not None
    assert found.changes == (
        "its file net.json is not there or cannot be read", "2 nodes, 1 wire",
    )  # fmt: skip


def test_what_was_saved_after_all_is_not_offered(home: Path, left: Left) -> None:
    nf.save(sketch(), home / "net.json")
    assert left(sketch(), home / "net.json") is None
    assert journals(home) == []


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 3, "folder": 4}'])
def test_a_damaged_journal_is_left_alone(store: Store, home: Path, text: str) -> None:
    folder = home / "state" / "journal" / "1-abc"
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / ".about").write_text(text)
    (folder / "graph.json").write_text("{")
    assert store.left_behind() == []
    assert (folder / "graph.json").read_text() == "{"
    (folder / ".about").write_text(json.dumps({"path": None, "folder": None}))
    assert store.left_behind() == []
    assert (folder / "graph.json").read_text() == "{"


@pytest.mark.usefixtures("fast")
def test_another_graph_in_the_same_editor(store: Store, home: Path) -> None:
    store.journal(sketch("one"), home / "one.json")
    wait(lambda: journals(home))
    store.journal(sketch("two"), home / "two.json")
    wait(lambda: [p.name for p in journals(home)] == ["two.json"])
