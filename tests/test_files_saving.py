"""Saving: large arrays beside the file, no half file, one backup, run files."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

import nodeflow.nodes  # noqa: F401  the library
from nodeflow import disk
from nodeflow.declare import CATALOG, Array
from nodeflow.editor.state.model import Editor
from nodeflow.errors import FileError, Overtaken
from nodeflow.export import export
from nodeflow.export.compared import write as draw_difference
from nodeflow.export.html import as_json, picture
from nodeflow.files import arrays, load, load_run, loads, require_place, save, save_run
from nodeflow.files.arrays import digest, packed
from nodeflow.graph import Graph, Node
from nodeflow.scene import scene

XOR = Path(__file__).parent.parent / "graphs" / "xor.json"

MATRIX = np.arange(2000.0).reshape(40, 50) / 7


def names(folder: Path) -> list[str]:
    """Return the names of a folder's files."""
    return sorted(found.name for found in folder.iterdir())


def network(values: Any = MATRIX) -> Graph:
    """Return a graph with one large parameter."""
    return Graph(
        nodes={
            "b": Node("parameter", {"value": (0.5,)}),
            "w": Node("parameter", {"value": Array(values)}),
        }
    )


# --- large arrays -----------------------------------------------------------------------------


def test_large_arrays_lie_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(network(), path)
    raw = json.loads(path.read_text())
    assert raw["nodes"]["w"]["settings"]["value"] == {
        "array": "w.value",
        "file": "net.npz",
        "sha256": digest(MATRIX),
    }
    assert raw["nodes"]["b"]["settings"]["value"] == [0.5]
    with np.load(tmp_path / "net.npz", allow_pickle=False) as found:
        assert np.array_equal(found["w.value"], MATRIX)
    graph = load(path)
    assert np.array_equal(graph.nodes["w"].settings["value"].values, MATRIX)
    assert names(tmp_path) == ["net.json", "net.npz"]


def test_the_hash_is_the_documented_one() -> None:
    import hashlib

    line = b"<f8 40x50\n"
    assert digest(MATRIX) == hashlib.sha256(line + MATRIX.astype("<f8").tobytes()).hexdigest()
    assert digest(MATRIX) == digest(np.asfortranarray(MATRIX)) == digest(MATRIX.astype(">f8"))
    assert digest(MATRIX) != digest(MATRIX.T.copy())


def test_saving_again_gives_the_same_bytes(tmp_path: Path) -> None:
    save(network(), tmp_path / "net.json")
    first = (tmp_path / "net.json").read_bytes(), (tmp_path / "net.npz").read_bytes()
    save(load(tmp_path / "net.json"), tmp_path / "net.json")
    assert ((tmp_path / "net.json").read_bytes(), (tmp_path / "net.npz").read_bytes()) == first
    assert packed({"a.b": MATRIX}) == packed({"a.b": np.asfortranarray(MATRIX)})


def test_1024_numbers_stay_in_the_file(tmp_path: Path) -> None:
    for size, beside in ((1024, False), (1025, True)):
        folder = tmp_path / str(size)
        folder.mkdir()
        for kind in (Array([0.5] * size), (0.5,) * size):
            save(Graph(nodes={"x": Node("constant", {"value": kind})}), folder / "x.json")
            assert (folder / "x.npz").exists() == beside


def test_a_large_array_in_the_text_is_read_too() -> None:
    text = json.dumps(
        {
            "format": "nodeflow",
            "version": 1,
            "nodes": {"w": {"type": "parameter", "settings": {"value": MATRIX.tolist()}}},
        }
    )
    value = loads(text).nodes["w"].settings["value"]
    assert isinstance(value, Array)
    assert np.array_equal(value.values, MATRIX)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda rows: rows[3].__setitem__(4, "NaN"), "[3][4]"),
        (lambda rows: rows[3].__setitem__(4, True), "[3][4]"),
        (lambda rows: rows[3].pop(), ""),
    ],
)
def test_a_faulty_large_array_in_the_text(spoil: Callable[[Any], Any], place: str) -> None:
    rows = MATRIX.tolist()
    spoil(rows)
    nodes = {"w": {"type": "parameter", "settings": {"value": rows}}}
    with pytest.raises(FileError) as caught:
        loads(json.dumps({"format": "nodeflow", "version": 1, "nodes": nodes}))
    assert caught.value.path == f"$.nodes.w.settings.value{place}"


def test_somebody_elses_npz_is_not_overwritten(tmp_path: Path) -> None:
    np.savez(tmp_path / "digits.npz", x=MATRIX, y=np.arange(40))
    before = (tmp_path / "digits.npz").read_bytes()
    with pytest.raises(FileError) as caught:
        save(network(), tmp_path / "digits.json")
    assert str(caught.value) == (
        f"{tmp_path / 'digits.json'}: cannot be saved: its large arrays go into digits.npz, "
        "which is there and holds other data; choose another name"
    )
    assert (tmp_path / "digits.npz").read_bytes() == before
    assert not (tmp_path / "digits.json").exists()
    save(Graph(), tmp_path / "digits.json")  # without large arrays there is no quarrel
    assert (tmp_path / "digits.npz").read_bytes() == before


def test_a_placeholders_arrays_move_with_it(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(network(), path)
    path.write_text(path.read_text().replace('"w": {"type": "parameter"', '"w": {"type": "warp"'))
    graph = load(path)
    assert graph.nodes["w"].known is None
    before = path.read_bytes()
    save(graph, path)
    assert path.read_bytes() == before
    (tmp_path / "new").mkdir()
    moved = tmp_path / "new" / "other.json"
    save(graph, moved)
    moved.write_text(moved.read_text().replace('"type": "warp"', '"type": "parameter"'))
    assert np.array_equal(load(moved).nodes["w"].settings["value"].values, MATRIX)


# --- faults of what lies beside ---------------------------------------------------------------


def _member(values: Any, header: dict[str, Any] | None = None) -> bytes:
    stream = io.BytesIO()
    if header is not None:
        npy.write_array_header_1_0(stream, header)
    else:
        npy.write_array(stream, values, allow_pickle=True)
    return stream.getvalue()


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _refusal(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        load(path)
    assert caught.value.path == "$.nodes.w.settings.value"
    return (
        str(caught.value)
        .removeprefix(f"{path}: $.nodes.w.settings.value: ")
        .replace(f"{path.parent}{os.sep}", "")
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a saved graph with a large array beside it."""
    path = tmp_path / "net.json"
    save(network(), path)
    return path


def _big(shape: tuple[int, ...]) -> bytes:
    return _member(None, {"descr": "<f8", "fortran_order": False, "shape": shape})


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            {"w.value.npy": _member(MATRIX + 1)},
            "the array 'w.value' in net.npz is not the one that was saved (its sha256 differs): "
            "restore the file that belongs to the graph",
        ),
        ({"v.value.npy": _member(MATRIX)}, "net.npz: there is no array 'w.value' in it"),
        (
            {"w.value.npy": _member(MATRIX.astype(np.float32))},
            "net.npz: the array 'w.value' is of float32, not float64",
        ),
        (
            {"w.value.npy": _member(np.array([{"a": 1}], dtype=object))},
            "net.npz: the array 'w.value' holds Python objects, which are never read",
        ),
        (
            {"w.value.npy": _member(np.array(["a", "b"]))},
            "net.npz: the array 'w.value' is of str32, not float64",
        ),
        (
            {"w.value.npy": _big((100_000_001,))},
            "net.npz: the array 'w.value' declares 100000001 numbers; a file's arrays hold at "
            "most 100000000",
        ),
        (
            {"w.value.npy": _big((2**40, 2**40))},
            f"net.npz: the array 'w.value' declares {2**80} numbers; a file's arrays hold at "
            "most 100000000",
        ),
        ({"w.value.npy": _big((-1, 5))}, "net.npz: the array 'w.value' is damaged"),
        ({"w.value.npy": _big((40, 50))}, "net.npz: the array 'w.value' is damaged"),
        (
            {"w.value.npy": _member(MATRIX) + b"more"},
            "net.npz: the array 'w.value' is damaged",
        ),
        ({"w.value.npy": b"no array"}, "net.npz: the array 'w.value' is damaged"),
        ({"w.value.npy": b""}, "net.npz: the array 'w.value' is damaged"),
        (
            {"w.value.npy": b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16},
            "net.npz: the array 'w.value' is damaged",
        ),
        (
            {"w.value.npy": _member(MATRIX.reshape(40, 25, 2))},
            "the array 'w.value' in net.npz is 40×25×2, not a row or a matrix",
        ),
        (
            {"w.value.npy": _member(np.zeros((0, 3)))},
            "the array 'w.value' in net.npz is 0×3, not a row or a matrix",
        ),
        (
            {"w.value.npy": _member(np.array(1.0))},
            "the array 'w.value' in net.npz is a single number, not a row or a matrix",
        ),
    ],
)
def test_faults_of_the_arrays(saved: Path, members: dict[str, bytes], sentence: str) -> None:
    _zip(saved.with_suffix(".npz"), members)
    assert _refusal(saved) == sentence


def test_a_missing_or_corrupt_sidecar(saved: Path) -> None:
    beside = saved.with_suffix(".npz")
    data = beside.read_bytes()
    beside.write_bytes(b"PK\x03\x04 nothing")
    assert _refusal(saved) == "net.npz: is not a .npz file, or a damaged one"
    beside.write_bytes(data[: len(data) // 2])
    assert _refusal(saved) == "net.npz: is not a .npz file, or a damaged one"
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    beside.write_bytes(flipped)
    assert _refusal(saved) == "net.npz: the array 'w.value' is damaged"
    beside.unlink()
    assert _refusal(saved) == (
        "the file net.npz is missing, which holds its numbers: keep it beside the graph file"
    )
    beside.mkdir()
    assert _refusal(saved) == "net.npz: this is a folder, not a file"


def test_any_flipped_byte_of_a_sidecar_is_harmless(saved: Path) -> None:
    beside = saved.with_suffix(".npz")
    data = beside.read_bytes()
    spots = [*range(200), *range(len(data) - 150, len(data))]
    for spot in spots:
        changed = bytearray(data)
        changed[spot] ^= 0xFF
        beside.write_bytes(changed)
        try:
            value = load(saved).nodes["w"].settings["value"].values
        except FileError:
            continue
        assert np.array_equal(value, MATRIX)


@pytest.mark.parametrize(
    "name", ["/etc/net.npz", "../net.npz", "a/../../net.npz", "C:\\net.npz", "..\\net.npz", "", "."]
)
def test_paths_that_leave_the_folder(saved: Path, name: str) -> None:
    shutil.copy(saved.with_suffix(".npz"), saved.parent.parent / "net.npz")
    raw = json.loads(saved.read_text())
    raw["nodes"]["w"]["settings"]["value"]["file"] = name
    saved.write_text(json.dumps(raw))
    assert _refusal(saved) == (
        f"the path {name!r} leaves the folder of the graph file"
        if name != "."
        else "the path '.' leaves the folder of the graph file"
    )


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a right there")
def test_a_link_that_leaves_the_folder(saved: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside") / "net.npz"
    shutil.move(saved.with_suffix(".npz"), outside)
    saved.with_suffix(".npz").symlink_to(outside)
    assert _refusal(saved) == "the path 'net.npz' leaves the folder of the graph file"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (
            {"file": "net.npz"},
            'an array beside the file is written {"file": …, "array": …, "sha256": …}',
        ),
        (
            {"file": 1, "array": "w.value", "sha256": "0" * 64},
            'an array beside the file is written {"file": …, "array": …, "sha256": …}',
        ),
        (
            {"file": "net.npz", "array": "w.value", "sha256": "0"},
            "sha256 must be 64 digits and letters a to f",
        ),
    ],
)
def test_faulty_references(saved: Path, reference: dict[str, Any], sentence: str) -> None:
    raw = json.loads(saved.read_text())
    raw["nodes"]["w"]["settings"]["value"] = reference
    saved.write_text(json.dumps(raw))
    assert _refusal(saved) == sentence


def test_a_text_alone_has_no_arrays(saved: Path) -> None:
    with pytest.raises(FileError) as caught:
        loads(saved.read_text(), file="net.json")
    assert str(caught.value) == (
        "net.json: $.nodes.w.settings.value: its numbers lie in net.npz beside the file: "
        "load the file itself"
    )
    assert loads(saved.read_text(), folder=saved.parent).nodes == load(saved).nodes


def test_arrays_only_where_arrays_belong(saved: Path) -> None:
    raw = json.loads(saved.read_text())
    reference = raw["nodes"]["w"]["settings"]["value"]
    raw["nodes"]["w"]["settings"] = {"shape": reference}
    saved.write_text(json.dumps(raw))
    with pytest.raises(FileError, match=r"w\.shape must be one or two whole numbers above 0"):
        load(saved)


def test_many_references_to_one_array_share_it_and_the_limit_counts_all(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = json.loads(saved.read_text())
    raw["nodes"]["v"] = raw["nodes"]["w"]
    saved.write_text(json.dumps(raw))
    graph = load(saved)
    assert graph.nodes["v"].settings["value"] is graph.nodes["w"].settings["value"]
    other = Graph(nodes={"v": network().nodes["w"], "w": network(MATRIX + 1).nodes["w"]})
    save(other, saved)
    monkeypatch.setattr("nodeflow.files.sidecar.MAX_NUMBERS", 3000)
    with pytest.raises(FileError, match="declares 2000 numbers"):
        load(saved)


def test_nan_in_a_sidecar_is_refused_with_its_place(tmp_path: Path) -> None:
    values = MATRIX.copy()
    values[3, 4] = np.nan
    save(network(values), tmp_path / "net.json")
    with pytest.raises(FileError) as caught:
        load(tmp_path / "net.json")
    assert caught.value.path == "$.nodes.w.settings.value[3][4]"


# --- whole or not at all ----------------------------------------------------------------------


def test_one_backup_is_kept_and_loads(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(network(), path)
    first = path.read_bytes()
    save(network(MATRIX + 1), path)
    backup = tmp_path / "net.json.bak"
    assert backup.read_bytes() == first
    assert np.array_equal(load(path).nodes["w"].settings["value"].values, MATRIX + 1)
    assert np.array_equal(load(backup).nodes["w"].settings["value"].values, MATRIX)
    save(network(MATRIX + 1).add("x", "constant"), path)
    assert np.array_equal(load(backup).nodes["w"].settings["value"].values, MATRIX + 1)
    assert names(tmp_path) == ["net.json", "net.json.bak", "net.npz", "net.npz.bak"]


def test_without_backup(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(network(), path, backup=False)
    save(network(MATRIX + 1), path, backup=False)
    assert names(tmp_path) == ["net.json", "net.npz"]


def _failing(real: Callable[..., Any], at: int, calls: list[int]) -> Callable[..., Any]:
    def function(*args: Any, **keywords: Any) -> Any:
        calls.append(1)
        if len(calls) == at:
            raise OSError(28, "No space left on device")
        return real(*args, **keywords)

    return function


@pytest.mark.parametrize("backup", [True, False])
@pytest.mark.parametrize("name", ["replace", "fsync", "open"])
def test_no_failure_loses_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, backup: bool
) -> None:
    """Every call in turn fails: the old graph or the new one is there, whole, and nothing else."""
    old, new = network(), network(MATRIX + 1).add("x", "constant", value=1.0)
    failures = 0
    for at in range(1, 30):
        folder = tmp_path / str(at)
        folder.mkdir()
        path = folder / "net.json"
        save(old, path)
        calls: list[int] = []
        with monkeypatch.context() as patch:
            if name == "open":
                patch.setattr(Path, "open", _failing(Path.open, at, calls))
            else:
                patch.setattr(os, name, _failing(getattr(os, name), at, calls))
            sentence = ""
            try:
                save(new, path, backup=backup)
            except FileError as error:
                sentence = str(error)
        failed = bool(sentence)
        assert sentence in (
            "",
            f"{path}: cannot be saved: no space left on device; what was there before is kept",
        )
        assert load(path).nodes.keys() == (old if failed else new).nodes.keys()
        assert not [found for found in names(folder) if found.endswith(".tmp")]
        failures += failed
        save(new, path)
        assert "x" in load(path).nodes
        if len(calls) < at:
            break
    else:
        pytest.fail("the loop never came to an untouched save")
    assert failures >= 2


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.json"
    save(Graph(name="old"), path)
    real = Path.open

    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    def opened(self: Path, mode: str = "r", *args: Any, **keywords: Any) -> Any:
        if "x" in mode:
            real(self, mode).close()
            return Full()
        return real(self, mode, *args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opened)
        with pytest.raises(FileError, match="no space left on device"):
            save(Graph(name="new"), path)
    assert load(path).name == "old"
    assert names(tmp_path) == ["net.json"]


def test_a_machine_that_stops_between_the_two_files(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(network(), path)
    old = path.read_bytes()
    save(network(MATRIX + 1), path)
    path.write_bytes(old)  # the arrays were replaced, the file was not
    assert np.array_equal(load(path).nodes["w"].settings["value"].values, MATRIX)


@pytest.mark.skipif(os.name == "nt", reason="no such modes there")
def test_links_and_modes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(Graph(name="old"), path)
    path.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    save(Graph(name="new"), link)
    assert link.is_symlink()
    assert load(path).name == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# --- run files --------------------------------------------------------------------------------

WEIGHTS: dict[str, Any] = {
    "hidden.w.value": MATRIX,
    "b.value": np.array([0.5, np.nan], dtype=np.float32),
    "вес.value": np.array([1e-320]),
}
HISTORY = [
    {"epoch": 1, "cost": 0.25, "accuracy": np.float64(0.5)},
    {"epoch": 2, "cost": float("inf"), "accuracy": float("nan")},
]
META = {"graph": "net.json", "seconds": 1.5, "seeds": (1, 2), "name": "Zoë"}


def test_a_run_file_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "net.run.npz"
    save_run(path, WEIGHTS, HISTORY, META)
    found = load_run(path)
    assert list(found.weights) == sorted(WEIGHTS)
    for name, values in WEIGHTS.items():
        assert found.weights[name].dtype == values.dtype
        assert np.array_equal(found.weights[name], values, equal_nan=True)
    assert found.history[0] == {"epoch": 1, "cost": 0.25, "accuracy": 0.5}
    assert found.history[1]["cost"] == float("inf")
    assert np.isnan(found.history[1]["accuracy"])
    assert found.meta == {**META, "seeds": [1, 2]}
    first = path.read_bytes()
    save_run(path, found.weights, found.history, found.meta)
    assert path.read_bytes() == first
    with np.load(path, allow_pickle=False) as plain:
        assert np.array_equal(plain["hidden.w.value"], MATRIX)
        assert json.loads(plain["history"].tobytes())[0]["epoch"] == 1


def test_run_files_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "net.run.npz"
    for weights, meta, sentence in [
        ({"w": MATRIX}, {}, "'w' is no address of weights (node.port)"),
        (
            {"w.value": np.array([1])},
            {},
            "the weights 'w.value' are of int64, not float64 or float32",
        ),
        ({}, {"a": {1}}, "cannot be saved: a set has no place in JSON"),
    ]:
        with pytest.raises(FileError) as caught:
            save_run(path, weights, [], meta)
        assert str(caught.value) == f"{path}: {sentence}"
    assert names(tmp_path) == []
    with pytest.raises(FileError, match="cannot be saved: there is no folder"):
        save_run(tmp_path / "no" / "x.run.npz", {}, [], {})


def test_run_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.run.npz"

    def refusal() -> str:
        with pytest.raises(FileError) as caught:
            load_run(path)
        return str(caught.value).removeprefix(f"{path}: ")

    assert refusal() == "there is no such file"
    path.write_bytes(b"")
    assert refusal() == "is not a .npz file, or a damaged one"
    np.savez(path, x=MATRIX)
    assert refusal() == "this is not a run file: it has no history"

    def text(value: Any) -> Any:
        return np.frombuffer(json.dumps(value).encode(), np.uint8)

    good = {"format": "nodeflow-run", "version": 1, "meta": {}}
    for meta, history, sentence in [
        ({"format": "x"}, [], "this is not a run file of nodeflow"),
        (
            {**good, "version": 2},
            [],
            "was written by a newer nodeflow (run file version 2, this one reads up to 1): "
            "update nodeflow",
        ),
        ({**good, "version": "x"}, [], "its version is not a whole number from 1"),
        ({**good, "meta": 3}, [], "its meta is not an object"),
        (good, [3], "its history is not a list of records"),
        (good, {}, "its history is not a list of records"),
    ]:
        np.savez(path, meta=text(meta), history=text(history))
        assert refusal() == sentence
    np.savez(path, meta=text(good), history=np.frombuffer(b"[1", np.uint8))
    assert refusal() == "its history is not JSON"
    np.savez(path, meta=text(good), history=np.frombuffer(b"[" * 100_000, np.uint8))
    assert refusal() == "its history is not JSON"
    np.savez(path, **{"meta": text(good), "history": text([]), "w.value": np.array([None])})
    assert refusal() == "the array 'w.value' holds Python objects, which are never read"
    np.savez(path, **{"meta": text(good), "history": text([]), "w.value": np.array([1])})
    assert refusal() == "the array 'w.value' is of int64, not float64 or float32"
    monkeypatch.setattr("nodeflow.files.runfile.MAX_NUMBERS", 10)
    save_run(path, {"w.value": MATRIX}, [], {})
    assert refusal() == (
        f"the array 'w.value' declares 2000 numbers; a file's arrays hold at most "
        f"{arrays.MAX_NUMBERS}"
    )


# --- two programs on one file -----------------------------------------------------------------


def test_what_another_program_saved_is_not_replaced_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    save(Graph(name="before"), path)
    graph = load(path)
    save(replace(graph, name="mine"), path)
    save(replace(graph, name="mine again"), path)  # its own saves overtake nobody
    other = path.read_text().replace("mine again", "theirs")
    path.write_text(other)
    with pytest.raises(Overtaken) as caught:
        save(replace(graph, name="late"), path)
    assert str(caught.value) == (
        f"{path}: was changed by another program since it was loaded: save under another name "
        "and merge the two (nodeflow merge), or replace it (--force, in Python force=True)"
    )
    assert path.read_text() == other
    save(replace(graph, name="late"), tmp_path / "other.json")
    save(replace(graph, name="theirs"), path)  # the same text: nothing is lost
    path.write_text(other.replace("theirs", "third"))
    save(replace(graph, name="late"), path, force=True)
    assert load(path).name == "late"
    assert load(tmp_path / "net.json.bak").name == "third"
    save(load(path), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("pipe.json", lambda path: save(Graph(), path)),
        ("pipe.svg", lambda path: export(load(XOR), path)),
        ("pipe.svg", lambda path: draw_difference(load(XOR), Graph(), path)),
        ("pipe.npz", lambda path: save_run(path, {}, [], {})),
        ("pipe.npz", require_place),
        ("pipe.any", lambda path: disk.write(path, b"")),
    ],
)
def test_nothing_is_written_over_a_pipe(
    tmp_path: Path, name: str, write: Callable[[Path], Any]
) -> None:
    """A pipe that was renamed over is gone, and so is a device: /dev/null where root does it."""
    path = tmp_path / name
    os.mkfifo(path)
    with pytest.raises(FileError, match="this is a device or a pipe, not a file"):
        write(path)
    assert path.is_fifo()


# --- what is saved can be opened, drawn and exported ------------------------------------------

LARGE_SETTINGS = [
    (type_.name, setting.name)
    for type_ in map(CATALOG.__getitem__, CATALOG)
    for setting in type_.settings
    if setting.kind == "array"
]


@pytest.mark.parametrize(("type_", "setting"), LARGE_SETTINGS)
def test_an_array_beside_the_file_is_drawn_as_any(tmp_path: Path, type_: str, setting: str) -> None:
    path = tmp_path / "net.json"
    save(Graph().add("n", type_, **{setting: MATRIX}), path)
    graph = load(path)
    assert Editor.of(graph, path).drawn.nodes["n"].foot
    as_json(picture(graph, scene(graph)))
    assert export(graph, tmp_path / "net.svg", file=path).data
