"""What docs/reliability.md promises, each in its smallest case."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import nodeflow as nf
from nodeflow import disk
from nodeflow.cli import main
from nodeflow.commands import graphs
from nodeflow.data.places import name_folder
from nodeflow.declare import Array
from nodeflow.derive import unfolding
from nodeflow.editor.run.session import Session
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.runcommands import (
    CompareFuture,
    Play,
    RunCommand,
    SetSpeed,
    Switch,
    Train,
)
from nodeflow.editor.update import update
from nodeflow.errors import FileError, GraphError, NodeflowError, nearest, readable
from nodeflow.files import dumps, load, loads, run_file_of, save, save_run, sidecar_of
from nodeflow.files.picture import graph_in, with_graph
from nodeflow.graph import Graph, Node, Wire
from nodeflow.plugins import enabling, making
from nodeflow.terminal.steps import StepPrinter
from torture import events, kills, mutated, signals, threads

ROOT = Path(__file__).parent.parent
LARGE = Array(np.arange(1100.0).reshape(1, -1))


def document(**more: Any) -> str:
    return json.dumps({"format": "nodeflow", "version": 2, **more})


# --- the form ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (5, "$.groups: expected an object, got 5"),
        ({"g": 5}, "$.groups.g: expected an object, got 5"),
        ({"g": None}, "$.groups.g: expected an object, got null"),
        ({"g": [["a"]]}, "$.groups.g: expected an object, got a list"),
        ({"g": {"nodes": "a"}}, '$.groups.g.nodes: expected a list of ids, got a text ("a")'),
        ({"g": {"nodes": ["a", 3]}}, "$.groups.g.nodes[1]: expected the id of a node, got 3"),
        ({"g": {"in": ["h"]}}, "$.groups.g.in: expected the name of a group, got a list"),
        ({"g": {"title": 7}}, "$.groups.g.title: expected a text, got 7"),
        ({"g": {"closed": "yes"}}, '$.groups.g.closed: expected true or false, got a text ("yes")'),
    ],
)
def test_groups_are_checked(groups: Any, sentence: str) -> None:
    with pytest.raises(FileError) as caught:
        loads(document(groups=groups))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"places": 1}, "$.places"),
        ({"places": {"stood": {"a": [1]}, "placed": {}}}, "$.places.stood"),
        ({"places": {"stood": {}, "placed": {}, "below": []}}, "$.places.below"),
        ({"unfolded": {"t": 3}}, "$.unfolded.t"),
        ({"unfolded": {"t": {"type": "adam", "wires": [7]}}}, "$.unfolded.t"),
        ({"exploded": []}, "$.exploded"),
    ],
)
def test_what_fold_and_collapse_find_is_checked(more: Any, place: str) -> None:
    with pytest.raises(FileError) as caught:
        loads(document(**more))
    assert caught.value.path == place


def test_unknown_keys_of_groups_are_kept() -> None:
    text = dumps(loads(document(groups={"g": {"nodes": [], "mood": {"a": 1}}})))
    assert '"g": {"mood": {"a": 1}, "nodes": []}' in text


# --- small files, large cost --------------------------------------------------------------------


def doubled(times: int) -> Graph:
    nodes = {"x0": Node("constant", {"value": (1.0, 2.0)})}
    wires = []
    for number in range(times):
        nodes[f"x{number + 1}"] = Node("concatenate")
        wires += [Wire(f"x{number}", "value", f"x{number + 1}", "a", n) for n in (0, 1)]
    return Graph(nodes=nodes, wires=tuple(wires))


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (
            Graph(nodes={"w": Node("parameter", {"shape": (100_000, 100_000)})}),
            "w.shape must be at most 100,000,000 numbers in all, not [100000, 100000]",
        ),
        (
            doubled(40),
            "'x28.value' would hold 5.37e+08 numbers (4.29 GB), and a value at most 500,000,000: "
            "make its shape smaller",
        ),
    ],
)
def test_sizes_are_known_before_anything_is_allocated(graph: Graph, sentence: str) -> None:
    begin = time.process_time()
    with pytest.raises(GraphError) as caught:
        nf.Run(graph)
    assert str(caught.value) == sentence
    if "x28" in graph.nodes:
        Editor.of(graph).drawn  # noqa: B018  it is drawn
    assert time.process_time() - begin < 2


def test_many_large_parameters_are_one_sentence() -> None:
    nodes = {f"w{n}": Node("parameter", {"shape": (10_000, 10_000)}) for n in range(100)}
    with pytest.raises(NodeflowError, match=r"take 80\.0 GB, more than \d+ \(the largest is w"):
        nf.Run(Graph(nodes=nodes))


def test_a_picture_that_unpacks_to_much() -> None:
    end = b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
    png = b"\x89PNG\r\n\x1a\n" + end
    body = b"iTXtnodeflow\0\x01\0\0\0" + zlib.compress(b"[" + b"0," * 50_000_000 + b"0]")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    bomb = png[: -len(end)] + chunk + end
    assert len(bomb) < 200_000
    with pytest.raises(FileError, match="which no graph does"):
        graph_in(bomb)
    assert json.loads(graph_in(with_graph(png, document())))["version"] == 2


def test_arrays_that_unpack_to_much(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(Graph(nodes={"w": Node("parameter", {"value": LARGE})}), path)
    np.savez_compressed(tmp_path / "net.npz", **{"w.value": np.zeros((1, 4_000_000))})
    with pytest.raises(FileError, match=r"unpacks from [\d,]+ bytes to 32,000,128, which"):
        load(path)


# --- names, leftovers, owners -------------------------------------------------------------------


def test_no_two_graphs_share_a_file() -> None:
    names = ("net.json", "net.nf", "net.nodeflow", "net.run.json", "a.json", "a.run.json")
    files = [one(Path(name)).name for name in names for one in (sidecar_of, run_file_of)]
    assert len(set(files)) == len(files)
    assert sidecar_of(Path("net.json")).name == "net.npz"
    assert run_file_of(Path("net.json")).name == "net.run.npz"


def test_graphs_of_two_endings_keep_their_arrays(tmp_path: Path) -> None:
    graph = Graph(nodes={"w": Node("parameter", {"value": LARGE})})
    other = graph.set("w", value=Array(LARGE.values + 1))
    for name, saved in (("net.json", graph), ("net.nf", other), ("net.run.json", other)):
        save(saved, tmp_path / name)
    save_run(run_file_of(tmp_path / "net.json"), {"w.value": LARGE.values}, [], {})
    for name, saved in (("net.json", graph), ("net.nf", other), ("net.run.json", other)):
        value = load(tmp_path / name).nodes["w"].settings["value"]
        assert value == saved.nodes["w"].settings["value"]


def test_arrays_of_another_graph_are_not_replaced(tmp_path: Path) -> None:
    graph = Graph(nodes={"w": Node("parameter", {"value": LARGE})})
    save(graph, tmp_path / "net.nf")
    with pytest.raises(FileError, match=r"which holds those of net\.nf; choose another name"):
        save(graph, tmp_path / "net.nf.json")
    load(tmp_path / "net.nf")


def test_leftovers_of_killed_saves_are_cleared(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    gone, here = int(done.stdout), os.getpid()
    ours = disk._HERE
    left = tmp_path / f".nodeflow-{ours}-{gone}-00000000.tmp"
    others = [
        tmp_path / f".nodeflow-{ours}-{here}-00000000.tmp",
        tmp_path / f".nodeflow-00000000-{gone}-00000000.tmp",
        tmp_path / ".nodeflow-notes.tmp",
    ]
    for one in (left, *others):
        one.write_text("half")
    save(Graph(), tmp_path / "net.json")
    assert not left.exists()
    assert all(one.exists() for one in others)
    os.utime(others[1], (1, 1))
    save(Graph(), tmp_path / "net.json")
    assert not others[1].exists()


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="root may give files away"
)
def test_owner_and_permissions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(Graph(), path)
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    save(Graph(name="again"), path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (12345, 23456, 0o640)


IN_PLACE = {
    "editor/documents/store.py": 1,  # a lock: nothing is in it
    "plugins/making.py": 1,  # in the text of a README
    "sweeps/journal.py": 1,  # lines are appended, and whole ones are read
}
"""Places of nodeflow/ that open a file to write and are no `disk.write`."""


def test_nothing_is_written_in_place() -> None:
    """A file that is opened to write, and not by `disk`, would be lost by a kill."""
    writing = re.compile(
        r"""\bopen\([^()\n]*["'](?:[wax]|r\+)[bt+]*["']|\.write_(?:text|bytes)\(|copyfile\(|"""
        r"shutil\.copy"
    )
    for path in sorted((ROOT / "nodeflow").rglob("*.py")):
        name = path.relative_to(ROOT / "nodeflow").as_posix()
        if name != "disk.py":
            found = writing.findall(path.read_text("utf-8"))
            assert len(found) == IN_PLACE.get(name, 0), f"{name} writes in place: {found}"


def test_what_is_kept_of_a_user_is_whole_or_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("nodeflow.data.places.kept_in", lambda: tmp_path / "folders.json")
    enabling._keep(["one"])
    assert name_folder(tmp_path / "a")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert len(before) == 2
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="no space left"):
        enabling._keep(["one", "two"])
    assert not name_folder(tmp_path / "b")
    with pytest.raises(FileError, match="no space left"):
        making.make("some-types", tmp_path / "new")
    monkeypatch.undo()
    found = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == before
    assert making.make("some-types", tmp_path / "new")


def test_a_damaged_list_of_folders_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "folders.json"
    monkeypatch.setattr("nodeflow.data.places.kept_in", lambda: kept)
    for text in ('["/data", ', '{"/data": 1}', '["/data", 5]', "\xff"):
        kept.write_bytes(text.encode("latin-1"))
        (tmp_path / text[-1:].encode().hex()).mkdir()
        assert main(["data", "allow", str(tmp_path / text[-1:].encode().hex())]) == 1
        assert "is damaged or cannot be written" in capsys.readouterr().err
        assert kept.read_bytes() == text.encode("latin-1")


# --- text ---------------------------------------------------------------------------------------


def test_a_sentence_stays_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert readable("a\nb \x1b[31m\u202e") == "a b \\x1b[31m\\u202e"
    assert len(readable("x" * 10_000)) < 200
    assert len(readable("word " * 10_000)) < 800
    path = tmp_path / "net.json"
    path.write_text(document(nodes={"w" * 5000: {"type": "\x1b[2J" + "t" * 5000, "mode": 4}}))
    assert main(["run", str(path)]) == 1
    assert main(["run", str(path), "--json"]) == 1
    out, err = capsys.readouterr()
    assert "\x1b[2J" not in out + err
    assert len(err) < 2000
    assert len(json.loads(out)["error"]) < 900


def test_invisible_signs_are_escaped_in_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "net.json"
    save(Graph(name="\u202e\x9bx"), path)
    save(Graph(), tmp_path / "b.json")
    assert main(["diff", str(path), str(tmp_path / "b.json"), "--json"]) == 0
    out = capsys.readouterr().out
    assert "\u202e" not in out
    assert "\x9b" not in out


def test_a_note_does_not_stop_a_run(tmp_path: Path) -> None:
    graph = load(ROOT / "graphs" / "one-neuron.json")
    note = Node("panel", extra={"note": "this is w"})
    noted = Graph(nodes={**graph.nodes, "note": note}, wires=graph.wires, training=graph.training)
    run, other = nf.Run(noted), nf.Run(graph)
    run.train(2)
    other.train(2)
    assert run.weights.keys() == other.weights.keys()
    assert all(np.array_equal(run.weights[key], other.weights[key]) for key in run.weights)
    with pytest.raises(NodeflowError, match=r"'note' \(panel\) needs a wire"):
        nf.Run(Graph(nodes={**graph.nodes, "note": Node("panel")}, wires=graph.wires))


# --- gestures, threads, signals -----------------------------------------------------------------


def test_ctrl_drag_onto_the_body_takes_the_wire_away() -> None:
    editor = update(Editor.of(load(ROOT / "graphs" / "xor.json")), m.Do("fit"))
    for wire in editor.graph.wires:
        start = editor.camera.on_screen(editor.drawn.port(wire.start))
        body = editor.drawn.nodes[wire.target]
        end = editor.camera.on_screen((body.x + body.width / 2, body.y + body.height / 2))
        after = editor
        for message in (m.Pressed(start, ctrl=True), m.Moved(end), m.Released(end, ctrl=True)):
            after = update(after, message)
        assert len(after.graph.wires) in (len(editor.graph.wires), len(editor.graph.wires) - 1)


@pytest.mark.parametrize("clicks", [1e6, -1e6, 1e300])
@pytest.mark.parametrize("held", [{}, {"shift": True}, {"ctrl": True}])
def test_a_million_clicks_of_the_wheel(clicks: float, held: dict[str, bool]) -> None:
    editor = update(Editor.of(load(ROOT / "graphs" / "xor.json")), m.Do("fit"))
    for at in ((600.0, 300.0), (-30.0, -16.0), (1200.0, 700.0)):
        editor = update(editor, m.Wheel(at, clicks, **held))
    assert 0.05 <= editor.camera.zoom <= 4.0


SPEED = "a speed is a number of steps a second above 0, not "


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (SetSpeed(0.0), f"set speed failed: {SPEED}0"),
        (SetSpeed(math.nan), f"set speed failed: {SPEED}nan"),
        (Play(-1.0), f"play failed: {SPEED}-1"),
        (CompareFuture(-5), "compare future failed: there is no run -5: they are counted from 0"),
        (Switch(-1), "switch failed: there is no run -1"),
    ],
)
def test_a_command_that_fails_is_told_and_the_thread_lives(command: RunCommand, told: str) -> None:
    session = Session()
    try:
        session.open(load(ROOT / "graphs" / "one-neuron.json"))
        session.do(command)
        problem, epoch = "", 0
        limit = time.monotonic() + 60
        while not problem and time.monotonic() < limit:
            live = session.poll()
            problem = live.problem if live is not None else ""
        assert problem == told
        session.do(Train(2))
        while epoch < 2 and time.monotonic() < limit:
            live = session.poll()
            epoch = live.epoch if live is not None else epoch
        assert epoch == 2
    finally:
        session.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_at_nodeflows_first_line(tmp_path: Path) -> None:
    process = signals._begun(["run", str(ROOT / "graphs" / "xor.json")], tmp_path)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert told == "nodeflow: interrupted\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_closed_streams_and_no_home() -> None:
    words = f"{sys.executable} -m nodeflow run {ROOT / 'graphs' / 'one-neuron.json'}"
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": "/proc/nowhere",
    }
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        env.pop(name, None)
    for streams, code in ((">&- 2>&- <&-", 0), (">/dev/full", 1)):
        done = subprocess.run(["sh", "-c", f"{words} {streams}"], env=env,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1


# --- the search, for a moment -------------------------------------------------------------------


def test_the_search_finds_nothing_in_a_moment() -> None:
    for report in (
        events.searched(1.0, most=1500),
        mutated.tortured(1.5, most=10),
        threads.told(0.5),
        *([kills.killed(0.5, most=2)] if hasattr(os, "fork") else []),
    ):
        assert sum(report.counts.values()) > 0
        assert not report.faults, report.faults


def test_what_there_is_is_listed_once_and_signs_in_quotes() -> None:
    assert nearest("x", ["b", "a", "b"]) == "; there is a, b"
    assert nearest("x", ["auto", ".", ","]) == "; there is ',', '.', auto"


# --- large graphs -------------------------------------------------------------------------------


def chain(length: int) -> Graph:
    nodes = {"n0": Node("constant", {"value": 1.0})}
    nodes |= {f"n{number}": Node("sum") for number in range(1, length)}
    wires = (Wire(f"n{at}", "value", f"n{at + 1}", "a") for at in range(length - 1))
    return Graph(nodes=nodes, wires=tuple(wires))


def test_what_looks_at_each_node_looks_at_no_other_for_it() -> None:
    """Each took a minute for 10,000 nodes."""
    graph = chain(20_000)
    begin = time.process_time()
    made = SimpleNamespace(made=tuple(f"n{number}" for number in range(10_000)))
    assert len(unfolding._strangers(graph, {"train": made})) == 10_000
    printer = StepPrinter(SimpleNamespace(order=tuple(graph.nodes)), "step")
    assert {printer._names_width() for _ in range(20_000)} == {6}
    assert time.process_time() - begin < 5


def test_an_edit_finds_out_again_only_what_it_changes() -> None:
    graph = chain(3000)
    _ = graph.into("n1"), graph.out_of("n1")
    begin = time.process_time()
    for number in range(300):
        name = f"m{number}"
        graph = graph.add(name, "sum").connect("n0.value", f"{name}.a")
    assert len(graph.out_of("n0")) == 301
    assert time.process_time() - begin < 3  # 0.3 s; 6 s where all wires are bundled each time


def test_work_with_a_large_file_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = tmp_path / "small.json", tmp_path / "large.json"
    small.write_text("{}")
    large.write_text(" " * graphs._LARGE)
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80)
    monkeypatch.setattr("nodeflow.terminal.look.console", lambda **_: console)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    for file, seen in ((small, False), (large, True)):
        with graphs.working(str(file), reading=1, deriving=1) as enter:
            enter("reading")
            time.sleep(0.01)
            enter("deriving")
        for word in ("reading", "deriving", "about 1 s left"):
            assert (word in shown.getvalue()) is seen
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: False))
    before = shown.getvalue()
    with graphs.working(str(large), reading=1) as enter:
        enter("reading")
    assert shown.getvalue() == before
