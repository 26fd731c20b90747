"""All that nodeflow opens: sound files of each format, how they are spoilt, and what is done.

A format is left out where the package that it needs is not installed.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from torture.spoiling import (
    Spoil,
    spoilt_address,
    spoilt_archive,
    spoilt_bytes,
    spoilt_json,
    spoilt_lines,
    spoilt_picture,
)
from torture.starts import SNNS, TABLES, WEKA, spoilt_table, table_options

GRAPHS = Path(__file__).parent.parent / "graphs"
_LARGEST_START = 30_000
_MOST_STEPS = 20_000
"""Longer epochs are not trained: data sets would only take their time."""

Stages = Iterator[tuple[str, Callable[[], Any]]]


@dataclass(frozen=True)
class Format:
    """Files of one kind: their ending, sound ones, what spoils them, and what opens them."""

    name: str
    share: int
    ending: str
    starts: Callable[[], list[bytes]]
    spoil: Spoil
    stages: Callable[[bytes, Path, random.Random], Stages]


# --- graphs -------------------------------------------------------------------------------------


@cache
def graphs() -> list[bytes]:
    """Return the texts of the graphs that come with nodeflow, small ones."""
    files = [file for file in sorted(GRAPHS.rglob("*.json"))
             if file.stat().st_size <= _LARGEST_START]  # fmt: skip
    # What is spoilt is the graph file: data of 70,000 rows would only take its time.
    return [data for data in (file.read_bytes() for file in files) if b"mnist" not in data]


def _spoilt_graph(data: bytes, dice: random.Random) -> bytes:
    return spoilt_json(data, dice, graphs())


def _of_graph(data: bytes, _path: Path, dice: random.Random) -> Stages:
    from nodeflow.files import loads

    return with_graph(lambda: loads(data, file="spoilt.json", folder=GRAPHS), dice)


def with_graph(opened: Callable[[], Any], dice: random.Random) -> Stages:
    """Yield all that is done with a graph, each with its name.

    Planning is for all of them, and what needs a plan is not asked of a graph that has none.
    """
    import nodeflow as nf
    from nodeflow.derive.tidy import tidy
    from nodeflow.difference import difference
    from nodeflow.editor.state.model import Editor
    from nodeflow.errors import NodeflowError
    from nodeflow.export import html, live, svg
    from nodeflow.files import dumps, loads
    from nodeflow.files.lessonform import LESSON
    from nodeflow.lessons import Attempt, Marker
    from nodeflow.merging import merge
    from nodeflow.scene import scene, with_places
    from nodeflow.theme import LIGHT

    graph: Any = None
    run: Any = None

    def load() -> None:
        nonlocal graph
        graph = opened()

    def plan() -> None:
        nonlocal run
        run = nf.Run(graph)

    def loosely() -> None:
        some = nf.Run(graph, strict=False)
        if some.order:
            some.evaluate()

    yield "load", load
    if graph is None:
        return
    yield "write", lambda: dumps(loads(dumps(graph), folder=graph.folder))
    yield "draw", lambda: svg.svg(scene(with_places(graph)), LIGHT)
    yield "edit", lambda: Editor.of(graph)
    yield "tidy", lambda: tidy(graph)
    yield "unfold", lambda: nf.unfold(graph)
    yield "fold", lambda: nf.fold(graph)
    yield "explode", lambda: nf.explode(graph)
    yield "difference", lambda: difference(graph, graph)
    yield "merge", lambda: merge(graph, graph, graph)
    if LESSON in graph.extra:
        yield "lesson", lambda: Attempt(graph, "spoilt.json")
        yield "mark", lambda: Marker(graph, "spoilt.json").mark(graph)
    yield "plan", plan
    if run is None:
        yield "evaluate in part", loosely
        return
    yield "evaluate", run.evaluate
    steps = run.schedule.steps_per_epoch
    if steps > _MOST_STEPS:
        return
    yield "train", lambda: run.train(epochs=1)
    if dice.random() < 0.08:
        yield "page", lambda: live.page(graph, epochs=1)
    if dice.random() < 0.05:
        yield "recording", lambda: html.page(graph, samples=2)
    if dice.random() < 0.2:
        with suppress(NodeflowError):
            yield "check", lambda: nf.check(graph, most=5)


# --- graphs in other files ----------------------------------------------------------------------


@cache
def _small_graphs() -> list[bytes]:
    return [data for data in graphs() if len(data) < 6000]


@cache
def _pictures() -> list[bytes]:
    from nodeflow.files.picture import with_graph as packed

    end = b"\0\0\0\0IEND\xaeB`\x82"
    head = b"IHDR" + bytes.fromhex("00000001000000010806000000")
    bare = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0d" + head + bytes.fromhex("1f15c489") + end
    return [packed(bare, data.decode()) for data in _small_graphs()]


def _of_file(_data: bytes, path: Path, dice: random.Random) -> Stages:
    from nodeflow.files import load

    return with_graph(lambda: load(path), dice)


@cache
def _addresses() -> list[bytes]:
    return [json.dumps({"graph": json.loads(data), "number": 0}).encode()
            for data in _small_graphs()]  # fmt: skip


def _of_address(data: bytes, _path: Path, dice: random.Random) -> Stages:
    from nodeflow.files import load

    address = "xor.html#" + data.decode("latin-1")
    return with_graph(lambda: load(address), dice)


@cache
def _pages() -> list[bytes]:
    import nodeflow as nf
    from nodeflow.export import live, svg
    from nodeflow.scene import scene, with_places
    from nodeflow.theme import LIGHT

    graph = nf.load(GRAPHS / "one-neuron.json")
    return [live.page(graph).encode(), svg.svg(scene(with_places(graph)), LIGHT).encode()]


@cache
def _with_arrays() -> tuple[bytes, bytes]:
    """Return a graph file and the arrays beside it."""
    import tempfile

    import nodeflow as nf
    from nodeflow.declare import Array

    graph = nf.load(GRAPHS / "xor.json")
    numbers = np.random.default_rng(0).normal(size=(1, 1100))
    graph = graph.add("large", "parameter", value=Array(numbers))
    with tempfile.TemporaryDirectory() as folder:
        nf.save(graph, Path(folder) / "net.json")
        return (Path(folder) / "net.json").read_bytes(), (Path(folder) / "net.npz").read_bytes()


def _of_sidecar(data: bytes, path: Path, dice: random.Random) -> Stages:
    from nodeflow.files import load

    text, _ = _with_arrays()
    (path.parent / "net.json").write_bytes(text)
    (path.parent / "net.npz").write_bytes(data)
    # Arrays that say they are the ones that were saved are looked at, not refused by their hash.
    if dice.random() < 0.5:
        _sign(path.parent)
    return with_graph(lambda: load(path.parent / "net.json"), dice)


def _sign(folder: Path) -> None:
    from nodeflow.files.arrays import digest

    with suppress(Exception), np.load(folder / "net.npz") as held:
        found = digest(held["large.value"])
        document = json.loads((folder / "net.json").read_bytes())
        document["nodes"]["large"]["settings"]["value"]["sha256"] = found
        (folder / "net.json").write_text(json.dumps(document))


@cache
def _runs() -> list[bytes]:
    import tempfile

    import nodeflow as nf
    from nodeflow.files import save_run

    found = []
    for name in ("xor", "one-neuron"):
        run = nf.Run(nf.load(GRAPHS / f"{name}.json"))
        run.train(3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.run.npz"
            save_run(path, run.memory(), run.history, run.reached())
            found.append(path.read_bytes())
    return found


def _of_run(data: bytes, path: Path, dice: random.Random) -> Stages:
    """Yield what is done with a run file: offered beside its graph, gone on with, exported."""
    import nodeflow as nf
    from nodeflow.editor.run.worker import Worker
    from nodeflow.editor.shell import offered
    from nodeflow.editor.state.messages import Offered
    from nodeflow.export import Job, Options, svg, weights
    from nodeflow.files import load_run

    graph = nf.load(GRAPHS / ("xor.json" if b"theta1" in data else "one-neuron.json"))
    file = path.parent / "net.json"
    (path.parent / "net.run.npz").write_bytes(data)
    offers: list[Any] = []
    held: Any = None

    def read() -> None:
        nonlocal held
        held = load_run(path.parent / "net.run.npz")

    def go_on() -> None:
        worker = Worker()
        worker.open(graph)
        worker.resume(offers[0].offer)
        worker.live()
        worker.train(1)
        while worker.running:
            worker.passed()
        worker.live()

    yield "read", read
    yield "offer", lambda: offers.extend(m for m in offered(graph, file) if isinstance(m, Offered))
    if held is None:
        return
    if offers:
        yield "what is offered", lambda: offers[0].offer.text
        yield "go on", go_on
    job = Job(graph, file, Options(trained=True))
    yield "weights", lambda: weights.make(job)
    if dice.random() < 0.2:
        yield "picture", lambda: svg.make(job)


# --- tables -------------------------------------------------------------------------------------


@cache
def _sheets(ending: str) -> list[bytes]:
    import io

    if ending in (".xlsx", ".parquet"):
        import pandas as pd

        frame = pd.DataFrame({"a": [0.5, 1, 2, 3], "b": [1, 2, 3, 4], "kind": list("xyxy")})
        stream = io.BytesIO()
        if ending == ".xlsx":
            frame.to_excel(stream, index=False)
        else:
            frame.to_parquet(stream)
        return [stream.getvalue()]
    x, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])
    stream = io.BytesIO()
    if ending == ".npz":
        np.savez(stream, x=x, y=y)
        return [stream.getvalue()]
    if ending == ".mat":
        from scipy.io import savemat

        savemat(stream, {"X": x, "y": y + 1.0})
        return [stream.getvalue()]
    if ending == "-idx3-ubyte":
        return [bytes.fromhex("00000803000000030000000200000002") + bytes(range(12))]
    return [text.encode() for name, text in TABLES.items() if name.endswith(ending)]


def _of_table(ending: str, data: bytes, path: Path, dice: random.Random) -> Stages:
    from nodeflow.data import Options, load, look

    path = path.with_name(f"images{ending}")
    if ending == "-idx3-ubyte":
        path.with_name("labels-idx1-ubyte").write_bytes(
            bytes.fromhex("0000080100000003") + b"\0\1\0"
        )
    path.write_bytes(data)
    source = str(path)
    options = Options(**table_options(dice))
    if ending in (".npz", "-idx3-ubyte"):
        options = Options()
    yield "read", lambda: load(source, options=options)
    yield "look", lambda: look(source, options=options)


# --- networks of other programs -----------------------------------------------------------------


@cache
def _network() -> Any:
    from nodeflow.interchange.layers import Activation, Dense, Network

    random_ = np.random.default_rng(0)
    return Network(
        (
            Dense("h", random_.normal(size=(3, 2)), random_.normal(size=3)),
            Activation("h_a", "sigmoid"),
            Dense("o", random_.normal(size=(1, 3)), random_.normal(size=1)),
            Activation("o_a", "sigmoid"),
        ),
        "a test",
    )


@cache
def _imports(ending: str) -> list[bytes]:
    """Return networks of a format, written by nodeflow or by the other program."""
    import tempfile

    from nodeflow.interchange import brainjs, fann, mat, safetensors

    if ending == ".weka.txt":
        return [WEKA.encode()]
    if ending == ".snns.net":
        return [SNNS.encode()]
    own = {".json": brainjs, ".fann.net": fann, ".mat": mat, ".safetensors": safetensors}
    if ending in own:
        found = [own[ending].write(_network())]
        return [*found, brainjs.write(_network(), version=2)] if ending == ".json" else found
    from nodeflow.interchange.building import graph_of

    graph = graph_of(_network())
    if ending == ".onnx":
        from nodeflow.interchange.onnx.writing import write

        return [write(graph)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{ending}"
        if ending == ".keras":
            os.environ.setdefault("KERAS_BACKEND", "torch")
            from nodeflow.interchange.keras import to_keras

            to_keras(graph).save(path)
        else:
            import torch

            from nodeflow.interchange.torch import to_torch

            module = to_torch(graph)
            if ending == ".pt":
                torch.save(module.state_dict(), path)
            else:
                rows = torch.zeros(2, 2, dtype=torch.float64)
                torch.export.save(torch.export.export(module, (rows,)), path)
        return [path.read_bytes()]


def _of_import(ending: str, data: bytes, path: Path, dice: random.Random) -> Stages:
    """Read and made a graph of; the other program itself is not asked to open it."""
    from nodeflow.interchange import Asked
    from nodeflow.interchange import importing as doors

    path = path.with_name(f"net{ending}")
    path.write_bytes(data)
    asked = Asked((2, 3, 1), "sigmoid", "sigmoid") if dice.random() < 0.8 else Asked()

    def opened() -> Any:
        return doors.opened(path, doors._format(path, None), asked)[1]  # noqa: SLF001

    return with_graph(opened, dice)


# --- small files of nodeflow's own ----------------------------------------------------------------


_SWEEP = (
    '{"format": "nodeflow-sweep", "version": 1, "runs": 2, "digest": "00"}\n'
    '[0, {"seed": 0, "cost": 0.5}, null]\n[1, {"seed": 1, "cost": 0.5}, null]\n'
)


@cache
def _plain_texts() -> list[bytes]:
    from nodeflow.declare import CATALOG
    from nodeflow.plugins.manifest import manifest_of

    types = [CATALOG.get("sigmoid"), CATALOG.get("expression")]
    return [text.encode() for text in (
        json.dumps({"theta1.value": [[1, 2, 3], [4, 5, 6]], "theta2.value": [[1, 2, 3]]}),
        manifest_of(one for one in types if one is not None),
        json.dumps({"theme": "dark", "scale": 1.25, "library": 250.0}),
        json.dumps([{"path": "/a/b.json", "bounds": [0, 0, 9, 9],
                     "boxes": [[0, 0, 9, 9, "source"]]}]),
        json.dumps(["/data", "/more"]),
        json.dumps({"enabled": ["one", "two"]}),
        json.dumps({"path": "/a/b.json", "folder": "/a"}),
        _SWEEP,
    )]  # fmt: skip


def _spoilt_text(data: bytes, dice: random.Random) -> bytes:
    if b"\n[" in data:
        return spoilt_lines(data, dice)
    return spoilt_json(data, dice, _plain_texts()[:-1])


def _of_text(data: bytes, path: Path, _dice: random.Random) -> Stages:
    """Any such text in the place of each of these files."""
    from nodeflow.data import places
    from nodeflow.editor.documents.store import Store, config_folder, state_folder
    from nodeflow.plugins import enabling, manifest
    from nodeflow.twins.comparing import read_weights

    home = path.parent / "home"
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(home)
    wanted = [
        config_folder() / "preferences.json", state_folder() / "recent.json",
        places.user_folder() / "folders.json", enabling.config_file(),
        state_folder() / "journal" / "one" / "about.json",
    ]  # fmt: skip
    for file in wanted:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (state_folder() / "journal" / "one" / "lock").touch()
    (state_folder() / "journal" / "one" / "b.json").write_bytes(graphs()[0])
    path.write_bytes(data)
    yield "weights", lambda: read_weights(str(path))
    yield "manifest", lambda: manifest.read(path)
    yield "preferences", lambda: Store().load_preferences()
    yield "recent files", lambda: Store().recent()
    yield "data folders", places.named_folders
    yield "another data folder", lambda: _named(path.parent / "x")
    yield "plugins", enabling.enabled
    yield "journals", lambda: _left(Store())
    yield "journal of a sweep", lambda: _journal(path)


def _named(folder: Path) -> None:
    from nodeflow.data import places

    places.name_folder(folder)
    places._named.clear()  # noqa: SLF001  it is named for this process too


def _left(store: Any) -> None:
    store.left_behind()
    store.close()


def _journal(path: Path) -> None:
    from nodeflow.files import load
    from nodeflow.sweeps import journal
    from nodeflow.sweeps.axes import Axis
    from nodeflow.sweeps.cases import Plan

    plan = Plan(load(GRAPHS / "xor.json"), (Axis("train.rate", (0.1,)),), range(2), epochs=1)
    kept, journal.digest = journal.digest, lambda _plan: "00"
    try:
        with journal.Journal(path, plan):
            pass
    finally:
        journal.digest = kept


# --- all of them ----------------------------------------------------------------------------------


def _is_there(*packages: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in packages)


_TABLE_SHARES = {
    ".csv": 8, ".tsv": 2, ".txt": 2, ".data": 2, ".tab": 2, ".arff": 4, ".npz": 3, ".mat": 3,
    "-idx3-ubyte": 2, ".xlsx": 1, ".parquet": 2,
}  # fmt: skip
_TABLE_NEEDS = {".xlsx": ("pandas", "openpyxl"), ".parquet": ("pandas", "pyarrow")}
_IMPORT_SHARES = {
    ".json": 3, ".fann.net": 3, ".snns.net": 3, ".weka.txt": 3, ".mat": 2, ".safetensors": 2,
    ".onnx": 3, ".keras": 2, ".pt2": 3, ".pt": 1,
}  # fmt: skip
_IMPORT_NEEDS = {
    ".onnx": ("onnx",), ".keras": ("keras", "h5py", "torch"), ".pt2": ("torch",), ".pt": ("torch",),
}  # fmt: skip
_PACKED = (".npz", ".xlsx", ".keras", ".pt2", ".pt")


def _spoil_of(ending: str, *, table: bool) -> Spoil:
    if ending in _PACKED:
        return spoilt_archive
    if ending == ".json":
        return spoilt_json
    if ending in (".fann.net", ".snns.net", ".weka.txt"):
        return spoilt_lines
    if table and ending not in (".mat", ".parquet", "-idx3-ubyte"):
        return spoilt_table
    return spoilt_bytes


@cache
def formats() -> tuple[Format, ...]:
    """Return the formats that can be opened here."""
    own = (
        Format("graphs", 40, ".json", graphs, _spoilt_graph, _of_graph),
        Format("pictures", 5, ".png", _pictures, spoilt_picture, _of_file),
        Format("addresses", 4, ".html", _addresses, spoilt_address, _of_address),
        Format("pages", 1, ".html", _pages, spoilt_bytes, _of_file),
        Format("arrays", 8, ".npz", lambda: [_with_arrays()[1]], spoilt_archive, _of_sidecar),
        Format("runs", 8, ".npz", _runs, spoilt_archive, _of_run),
        Format("settings", 3, ".json", _plain_texts, _spoilt_text, _of_text),
    )
    tables = (
        Format(
            f"table {ending}", share, ending, partial(_sheets, ending),
            _spoil_of(ending, table=True), partial(_of_table, ending),
        )
        for ending, share in _TABLE_SHARES.items()
        if _is_there(*_TABLE_NEEDS.get(ending, ()))
    )  # fmt: skip
    imports = (
        Format(
            f"import {ending}", share, ending, partial(_imports, ending),
            _spoil_of(ending, table=False), partial(_of_import, ending),
        )
        for ending, share in _IMPORT_SHARES.items()
        if _is_there(*_IMPORT_NEEDS.get(ending, ()))
    )  # fmt: skip
    return (*own, *tables, *imports)
