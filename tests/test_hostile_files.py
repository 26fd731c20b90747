"""What the search for spoilt files found, by kind: one sentence, whatever is in a file."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import zipfile
import zlib
from base64 import urlsafe_b64encode
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.data import look, places
from nodeflow.data.matform import dense, sound, unread
from nodeflow.editor.documents.store import Store
from nodeflow.errors import (
    DataError,
    FileError,
    GraphError,
    InterchangeError,
    NodeflowError,
    PluginError,
)
from nodeflow.files import load, load_run, save_run
from nodeflow.interchange import Asked, imported, importing
from nodeflow.jsontext import json_of
from nodeflow.plugins import enabling, manifest
from nodeflow.sweeps.axes import Axis
from nodeflow.twins.comparing import read_weights
from torture import mutated, openings, spoiling

GRAPHS = Path(__file__).parent.parent / "graphs"
DEEP = "[" * 100_000


def test_json_that_lies_too_deep_is_no_recursion_error() -> None:
    with pytest.raises(ValueError, match="too deep"):
        json_of(DEEP)
    assert json_of('{"a": [1]}') == {"a": [1]}


def test_deep_json_in_any_small_file_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(places, "kept_in", lambda: places.user_folder() / "folders.json")
    deep = tmp_path / "deep.json"
    deep.write_text(DEEP)
    for file in (places.user_folder() / "folders.json", enabling.config_file(),
                 Store._preferences(), Store._recent()):  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(DEEP)
    assert enabling.enabled() == []
    assert tmp_path not in places.named_folders()
    for odd in ("5", '{"a": 1}', "[5, null]", '"a"'):
        (places.user_folder() / "folders.json").write_text(odd)
        assert not places.name_folder(tmp_path / "named")  # what is in it stays
        assert (places.user_folder() / "folders.json").read_text() == odd
        assert places._kept() == []
        assert tmp_path / "named" in places.named_folders()
        places._named.clear()
    (places.user_folder() / "folders.json").write_text(DEEP)
    assert Store().recent() == []
    assert "is not JSON; it was put aside" in Store().load_preferences()[1]
    with pytest.raises(PluginError):
        manifest.read(deep)
    with pytest.raises(FileError, match="is no JSON"):
        read_weights(str(deep))
    with pytest.raises(NodeflowError):
        imported(deep, format_="brainjs")
    assert Axis.read(f"a.value={DEEP}").values == (DEEP,)


# --- run files ------------------------------------------------------------------------------------


def run_file(folder: Path, **meta: Any) -> Path:
    run = nf.Run(nf.load(GRAPHS / "one-neuron.json"))
    run.train(2)
    path = folder / "net.run.npz"
    save_run(path, run.memory(), run.history, {**run.reached(), **meta})
    return path


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("updates", -1, "a whole number from 0, got -1"),
        ("updates", 1e300, "a whole number from 0"),
        ("epochs", {}, "a whole number from 0, got an object"),
        ("tallies", "all", 'a list of numbers, got a text ("all")'),
        ("tallies", [[1], [2, 3]], "a list of numbers, got a list"),
        ("straight", "x", 'true or false, got a text ("x")'),
        ("batch", 0, 'a whole number from 1, or "all", got 0'),
    ],
)
def test_how_far_a_run_has_come_is_checked(
    tmp_path: Path, key: str, value: Any, wanted: str
) -> None:
    with pytest.raises(FileError) as caught:
        load_run(run_file(tmp_path, **{key: value}))
    assert caught.value.path == f"$.meta.{key}"
    assert f"expected {wanted}" in str(caught.value)
    assert str(caught.value).endswith("train again, and save")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ({"epoch": None}, "$.history[1].epoch"),
        ({"epoch": 2, "cost": [1]}, "$.history[1].cost"),
        ({"epoch": 2, "test_cost": "x"}, "$.history[1].test_cost"),
    ],
)
def test_lines_of_a_history_are_checked(tmp_path: Path, line: dict[str, Any], place: str) -> None:
    path = tmp_path / "a.run.npz"
    save_run(path, {}, [{"epoch": 1, "cost": 0.5, "mood": {}}, line], {"more": {"kept": 1}})
    with pytest.raises(FileError) as caught:
        load_run(path)
    assert caught.value.path == place


def test_half_a_character_in_a_run_file(tmp_path: Path) -> None:
    path = tmp_path / "a.run.npz"
    save_run(path, {}, [{"epoch": 1, "mood": "??????"}], {})
    path.write_bytes(_with_right_checksums(path.read_bytes(), b"??????", b"\\ud800"))
    with pytest.raises(FileError, match="its history is not JSON"):
        load_run(path)
    save_run(path, {}, [{"cost": 1.0}], {})
    with pytest.raises(FileError, match=r'\$\.history\[0\]: "epoch" is missing'):
        load_run(path)


def _with_right_checksums(archive: bytes, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as held:
        members = {name: held.read(name).replace(old, new) for name in held.namelist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return stream.getvalue()


def test_what_a_run_file_has_besides_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.run.npz"
    save_run(path, {}, [{"epoch": 1, "cost": float("nan"), "mood": {}}], {"more": {"kept": [1]}})
    held = load_run(path)
    assert held.meta == {"more": {"kept": [1]}}
    assert held.history[0]["mood"] == {}


# --- what is packed -------------------------------------------------------------------------------


def test_an_address_that_unpacks_to_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodeflow.files.unpacking._FREE", 2**20)
    text = b'{"graph": {"a": "' + b"a" * 10_000_000 + b'"}}'
    address = "xor.html#" + urlsafe_b64encode(zlib.compress(text)).decode()
    with pytest.raises(FileError, match=r"the graph in this address unpacks .* no graph does"):
        load(address)


@pytest.mark.parametrize("ending", [".keras", ".pt2", ".mat", ".safetensors", ".npz", ".onnx"])
def test_a_damaged_network_of_another_program_is_a_sentence(tmp_path: Path, ending: str) -> None:
    """Whatever a library below our reader raises; some formats need a package that is not here."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": [1], "class_name": 3}))
        archive.writestr("models/model.json", json.dumps({"graph_module": {}}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(40))
    path = tmp_path / f"net{ending}"
    path.write_bytes(stream.getvalue())
    with pytest.raises(NodeflowError) as caught:
        imported(path, asked=Asked((2, 1)))
    assert len(str(caught.value)) < 600


def test_what_a_reader_did_not_expect_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"layers": [{"weights": [1.0], "biases": [2.0]}] * 2}))
    with pytest.raises(InterchangeError, match=r"the weights of 'hidden0' are 1; .* are a matrix"):
        imported(path)

    def read(_path: Path, _asked: Asked) -> Any:
        raise StopIteration

    monkeypatch.setattr("nodeflow.interchange.brainjs.read", read)
    with pytest.raises(FileError, match=r"damaged, or of a version .*\(StopIteration\).*once more"):
        imported(path)
    monkeypatch.setenv("NODEFLOW_DEBUG", "1")
    with pytest.raises(StopIteration):
        imported(path)


def test_large_whole_numbers_of_a_parquet_file(tmp_path: Path) -> None:
    pd, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    path = tmp_path / "rows.parquet"
    large = [2**56 + 2, 1, 2, 3]
    pd.DataFrame({"a": large, "b": [1.5, 2, 3, 4], "kind": list("xyxy")}).to_parquet(path)
    table = nf.data.load(str(path))
    assert table.x[:, 0].tolist() == [float(number) for number in large]


# --- graphs ---------------------------------------------------------------------------------------


def test_a_parameter_that_cannot_be_evaluated_takes_no_new_value() -> None:
    """Its slot is not there: the rest of the graph runs."""
    unfolded = json.loads(nf.files.dumps(nf.unfold(nf.load(GRAPHS / "one-neuron.json"))))
    nodes, wires = unfolded["nodes"], unfolded["wires"]
    sums = [key for key, node in nodes.items() if node["type"] == "weighted_sum"]
    for key in [key for key, node in nodes.items() if node["type"] == "parameter"]:
        wires[:] = [wire for wire in wires if not wire.endswith(f"-> {key}.next")]
        wires.append(f"x.value -> {key}.next")
    nodes[sums[0]]["type"] = "of nobody"
    run = nf.Run(nf.files.loads(json.dumps(unfolded)), strict=False)
    run.evaluate()
    assert np.isfinite(run["x.value"]).all()


# --- the search itself ----------------------------------------------------------------------------


def test_each_format_has_sound_files_that_are_opened(tmp_path: Path) -> None:
    """What is spoilt must be sound before, or the search would look at refusals alone."""
    for format_ in openings.formats():
        if format_.name in ("pages", "settings"):
            continue  # those are refused, or one text for many readers
        passed = 0
        for start in format_.starts()[:3]:
            data = spoiling.packed_address(start) if format_.name == "addresses" else start
            path = tmp_path / f"sound{format_.ending}"
            path.write_bytes(data)
            for seed in range(4):  # some options refuse a sound table
                _, stage = next(iter(format_.stages(data, path, random.Random(seed))))
                with contextlib.suppress(DataError, InterchangeError):
                    stage()
                    passed += 1
        assert passed or format_.name in ("table .txt", "table .arff")  # these need options
    assert len({one.name for one in openings.formats()}) > 15


def test_a_file_that_hangs_or_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def stages(_data: bytes, _path: Path, _dice: Any) -> Any:
        def hang() -> None:
            while True:
                pass

        yield "hang", hang
        yield "fail", lambda: {}["a"]
        yield "many lines", lambda: (_ for _ in ()).throw(FileError("a" * 2000))

    one = openings.Format("odd", 1, ".json", lambda: [b"{}"], lambda data, _: data, stages)
    monkeypatch.setattr(mutated, "formats", lambda: (one,))
    monkeypatch.setattr(mutated, "_STUCK", 0.2)
    report = mutated.tortured(10.0, most=1)
    assert [key.partition(":")[0] for key in report.faults] == ["odd, hang", "odd, fail"]
    assert "KeyError" in list(report.faults)[1]
    assert report.counts["refused in a sentence"] == 1


# --- MATLAB files ---------------------------------------------------------------------------------


def matlab(**arrays: Any) -> bytes:
    from scipy.io import savemat

    stream = io.BytesIO()
    savemat(stream, arrays)
    return stream.getvalue()


def test_what_lies_in_a_matlab_file_is_read_as_ever() -> None:
    from scipy.io import loadmat, savemat
    from scipy.sparse import csc_matrix

    held = {
        "X": np.arange(15.0).reshape(5, 3), "s": csc_matrix(np.eye(4)), "t": "hello",
        "i": np.arange(6, dtype=np.int8).reshape(2, 3), "e": np.zeros((0, 3)),
        "z": np.array([1 + 2j]), "b": np.array([True, False]), "three": np.zeros((2, 3, 4)),
        "cell": np.array(["a", "bcd"], dtype=object), "struct": {"a": 1},
        "mixed": np.array(["a", 1.0], dtype=object),
    }  # fmt: skip
    for packed in (False, True):
        stream = io.BytesIO()
        savemat(stream, held, do_compression=packed)
        whole, found = loadmat(stream), loadmat(io.BytesIO(sound(stream.getvalue())))
        assert whole.keys() - found.keys() == {"mixed", "struct"}  # no table, and no weights
        assert unread(stream.getvalue()) == ["struct", "mixed"]
        for name in set(found) - {"s"}:
            assert repr(found[name]) == repr(whole[name])
        np.testing.assert_array_equal(dense(found["s"]), np.eye(4))


def test_a_damaged_matlab_file_ends_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SciPy takes types of numbers, and places in sparse matrices, as they stand in the file."""
    from scipy.sparse import csc_matrix

    whole = matlab(X=np.eye(3), y=np.ones((3, 1)))
    at = whole.index(b"\x01\x00\x01\x00X") + 8  # behind the name: the type of the numbers
    assert whole[at] in (2, 9)
    path = tmp_path / "rows.mat"
    for kind in (0, 8, 14, 15, 19, 2**31 - 1):
        path.write_bytes(whole[:at] + kind.to_bytes(4, "little") + whole[at + 4 :])
        with pytest.raises(DataError, match="no whole MATLAB file"):
            nf.data.load(str(path))
    sparse = csc_matrix(np.eye(3))
    for pointers in ([0, 9, 2, 0], [0, 5, 4, 3], [0, 1, 2, 99], [1, 2, 3, 3]):
        bad = sparse.copy()
        bad.indptr = np.array(pointers, np.int32)
        with pytest.raises(ValueError, match="places of a sparse matrix"):
            dense(bad)
    bad = sparse.copy()
    bad.indices = np.array([0, 1, 70_000], np.int32)
    with pytest.raises(ValueError, match="places of a sparse matrix"):
        dense(bad)
    with pytest.raises(ValueError, match=r"has more than 100,000,000 places"):
        dense(csc_matrix((100_000, 100_000)))
    monkeypatch.setattr("nodeflow.data.matform._FREE", 2**20)
    bomb = zlib.compress(bytes(3 * 2**20), 9)
    tag = (15).to_bytes(4, "little") + len(bomb).to_bytes(4, "little")
    with pytest.raises(ValueError, match="which no table does"):
        sound(whole + tag + bomb)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_or_a_device_is_no_file_that_is_read(tmp_path: Path) -> None:
    """Whoever opens one waits for ever, or fills the memory."""

    def waits(*_: object) -> None:
        raise TimeoutError

    asked = Asked((2, 3, 1), "sigmoid", "sigmoid")
    readers: dict[str, Any] = {
        f"net{ending}": lambda path: imported(path, format_=None, asked=asked)
        for endings in importing.FORMATS.values()
        for ending in endings
        if ending not in (".onnx", ".keras", ".h5", ".pt", ".pth", ".pt2") or find_spec("torch")
    }
    readers |= {
        "after.json": lambda path: read_weights(str(path)),
        "nodeflow-plugin.json": manifest.read,
        "graph.json": nf.load,
        "picture.png": nf.load,
        "a.run.npz": load_run,
        **{f"table{ending}": lambda path: look(str(path)) for ending in (".csv", ".npz", ".mat")},
    }
    before = signal.signal(signal.SIGALRM, waits)
    try:
        for name, reader in readers.items():
            os.mkfifo(tmp_path / name)
            signal.alarm(60)
            with pytest.raises(NodeflowError, match=r"pipe|there is no data set"):
                reader(tmp_path / name)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_an_update_that_reads_the_output_of_its_own_layer_is_not_exploded() -> None:
    graph = nf.load(GRAPHS / "wheat-seeds-by-hand.json")
    graph = graph.disconnect("hidden_a.a", "theta2_step.a").connect("output.z", "theta2_step.a")
    with pytest.raises(GraphError, match=r"output\.z of the layer goes back into its own"):
        nf.explode(graph)
