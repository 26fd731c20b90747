"""Networks from other programs: reading one beside that program's own loading, and opening it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.harness import Result, Row, Target
from benchmarks.window import display
from nodeflow.workings.shown import duration

_IMPORT, _OPEN = 1.0, 2.0
"""The limits, in seconds: over the other program's own loading, and from a file to its drawing."""
Load = Callable[[], object]


def run(*, quick: bool = False) -> Result:
    """Write 784-512-512-10 in each format that can be written here; read it, and open the graph."""
    sizes = (20, 8, 8, 3) if quick else (784, 512, 512, 10)
    name = "-".join(map(str, sizes))
    result = Result("doors", f"networks in: {name}; the best of three, and that of the first turn")
    with tempfile.TemporaryDirectory() as folder:
        files = _written(Path(folder), sizes)
        for path, load in files:
            _read(result, path, load, sizes)
        absent = [one for one in ("torch", "onnx", "keras") if not any(
            path.suffix == _ENDINGS[one] for path, _ in files)]  # fmt: skip
        if absent:
            result.notes.append(f"not installed, so left out: {', '.join(absent)}")
        _open(result, Path(folder))
    return result


_ENDINGS = {"torch": ".pt2", "onnx": ".onnx", "keras": ".keras"}


def _written(folder: Path, sizes: tuple[int, ...]) -> list[tuple[Path, Load]]:
    """Return files with a network in them, and how the program loads its own."""
    from safetensors.numpy import save_file
    from scipy.io import savemat

    r = np.random.default_rng(0)
    layers = [(r.normal(0, 0.05, (out, into)), np.zeros(out)) for into, out in pairwise(sizes)]
    savemat(folder / "m.mat", {f"Theta{place}": np.column_stack([b, w])
                               for place, (w, b) in enumerate(layers, 1)})  # fmt: skip
    arrays = {f"l{place}.{what}": array for place, pair in enumerate(layers)
              for what, array in zip(("weight", "bias"), pair, strict=True)}  # fmt: skip
    save_file(arrays, folder / "m.safetensors")
    found: list[tuple[Path, Load]] = [(folder / "m.mat", _nothing),
                                      (folder / "m.safetensors", _nothing)]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found + _of_others(folder, sizes)


def _nothing() -> object:
    return None


def _of_others(folder: Path, sizes: tuple[int, ...]) -> list[tuple[Path, Load]]:
    """Return the files of programs that are installed."""
    found: list[tuple[Path, Load]] = []
    if find_spec("torch") is not None:
        import torch

        parts: list[Any] = []
        for into, out in pairwise(sizes):
            parts += [torch.nn.Linear(into, out), torch.nn.ReLU()]
        module = torch.nn.Sequential(*parts[:-1]).eval()
        example = (torch.zeros(2, sizes[0]),)
        path = folder / "m.pt2"
        torch.export.save(torch.export.export(module, example), path)
        found.append((path, lambda: torch.export.load(path).module()))
        if find_spec("onnx") is not None and find_spec("onnxruntime") is not None:
            import onnxruntime

            model = folder / "m.onnx"
            torch.onnx.export(module, example, model, dynamo=False)
            found.append((model, lambda: onnxruntime.InferenceSession(str(model))))
    if find_spec("keras") is not None:
        os.environ.setdefault("KERAS_BACKEND", "torch")
        import keras

        net = keras.Sequential([keras.Input((sizes[0],))])
        for units in sizes[1:]:
            net.add(keras.layers.Dense(units, activation="relu"))
        archive = folder / "m.keras"
        net.save(archive)
        found.append((archive, lambda: keras.saving.load_model(archive)))
    return found


def _read(result: Result, path: Path, load: Load, sizes: tuple[int, ...]) -> None:
    """Read a file three times, in turns with the program's own loading."""
    from nodeflow.files import save
    from nodeflow.interchange import Asked, imported

    own, theirs, worked = [], [], []
    for _ in range(3):
        begin = time.perf_counter()
        load()
        theirs.append(time.perf_counter() - begin)
        begin, work = time.perf_counter(), time.process_time()
        found = imported(path, asked=Asked(sizes, "relu"))
        save(found.graph, path.parent / "graph.json")
        own.append(time.perf_counter() - begin)
        worked.append(time.process_time() - work)
    more = [mine - other for mine, other in zip(own, theirs, strict=True)]
    said = "with the check against it" if found.verified else "nothing to check against"
    text = (f"first {duration(own[0])}, {duration(worked[0])} of processor time; the program's own "
            f"{duration(median(theirs))}; {said}")  # fmt: skip
    result.rows.append(Row(f"nodeflow import {path.suffix}", min(own), text=text))
    result.targets.append(
        Target(f"import of {path.suffix} over the program's own loading, the first time", _IMPORT,
               more[0], min(more), unit=" s")
    )  # fmt: skip


def _open(result: Result, folder: Path) -> None:
    """Open the graph in a window, in a process of its own."""
    with display() as (screen, why):
        if why:
            result.notes.append(f"opening it was not measured: {why}")
            return
        done = subprocess.run(
            [sys.executable, "-c",
             "import sys; from benchmarks.doors import opened; print(*opened(sys.argv[1]))",
             str(folder / "graph.json")],
            env={**os.environ, "DISPLAY": screen, "XDG_CONFIG_HOME": str(folder / "config"),
                 "XDG_STATE_HOME": str(folder / "state")},
            cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the window failed: {done.stderr.strip().rpartition(chr(10))[2]}")
    seconds, worked = map(float, done.stdout.strip().splitlines()[-1].split())
    text = f"from the file to its drawing; {duration(worked)} of processor time"
    result.rows.append(Row("the editor opens it", seconds, text=text))
    result.targets.append(Target("the editor opens it", _OPEN, seconds, unit=" s"))


def opened(path: str) -> tuple[float, float]:
    """Return the seconds from a file to its drawing in an open window, and those of the process."""
    from benchmarks.scripted import Script, Scripted, show
    from nodeflow.files import save
    from nodeflow.networks import network

    first = Path(path).with_name("first.json")
    save(network("2-3-1", data="xor"), first)
    found = []

    def script(window: Scripted) -> Script:
        yield from window.drawn()
        begin, worked = time.perf_counter(), time.process_time()
        window.inputs.active = True  # whoever opens a file has just clicked
        yield from window.open(Path(path))
        yield from window.drawn(least=2)
        found.append((time.perf_counter() - begin, time.process_time() - worked))

    show(first, script)
    return found[0]
