"""Nothing that a person gives is unpickled: an audit hook over every command, files that bite."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nodeflow.cli import COMMANDS

ROOT = Path(__file__).parent.parent
ONE, XOR = str(ROOT / "graphs" / "one-neuron.json"), str(ROOT / "graphs" / "xor.json")
MAZUR = str(ROOT / "graphs" / "mazur.json")

WORDS: dict[str, list[list[str]]] = {
    "blame": [["blame", XOR, "--at", "1:1"]],
    "check": [["check", ONE]],
    "collapse": [["collapse", "exploded.json", "-o", "whole.json"]],
    "completion": [["completion", "bash"]],
    "data": [["data", "look", "bite.npz"], ["data", "look", "rows.csv"]],
    "derive": [["derive", ONE, "w"]],
    "diff": [["diff", ONE, XOR]],
    "edit": [["edit", ONE]],
    "explode": [["explode", XOR, "-o", "exploded.json"]],
    "export": [["export", ONE, f"out.{kind}"] for kind in ("svg", "html", "dot", "py", "json")],
    "fold": [["fold", "unfolded.json", "-o", "folded.json"]],
    "import": [
        ["import", f"bite.{kind}", "-o", "in.json", "--layers", "1-1", "--activation", "tanh"]
        for kind in ("pkl", "pt", "pth", "joblib", "keras", "mat", "npz", "h5", "onnx", "pt2")
    ],
    "lesson": [["lesson", ONE]],
    "merge": [["merge", ONE, "copy.json", ONE]],
    "new": [["new", "new.json", "--data", "bite.npz"], ["new", "n2.json", "--data", "bite.mat"]],
    "nodes": [["nodes"]],
    "play": [["play", ONE, "--until", "1", "--speed", "0"]],
    "plugins": [["plugins"]],
    "run": [["run", ONE], ["run", "beside.json"]],
    "samples": [["samples"]],
    "saturated": [["saturated", XOR]],
    "sweep": [["sweep", ONE, "--seeds", "2", "--epochs", "1", "-o", "sweep.csv"]],
    "train": [["train", "copy.json", "--epochs", "2", "--save"], ["train", "data.json"]],
    "twins": [["twins", MAZUR, "--weights", "rows.csv"]],
    "unfold": [["unfold", XOR, "-o", "unfolded.json"]],
    "upgrade": [["upgrade", "copy.json"]],
    "why": [["why", XOR, "theta1", "--from", "0", "--to", "1"]],
}
"""For every command at least one line, those that read files with files that hold pickles."""

RUN = """
import json, pickle, sys
found = []
sys.addaudithook(lambda name, given: found.append(name) if name == "pickle.find_class" else None)
def refuse(*_, **__):
    found.append("pickle.load")
    raise RuntimeError("unpickled")
from nodeflow.cli import main
pickle.load = pickle.loads = refuse
codes = []
for words in json.loads(sys.argv[1]):
    codes.append((words, main(words)))
    if found:
        break
print("FOUND", json.dumps([found, codes]))
"""


class Bites:
    """Leaves a file where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> object:
        return os.mkdir, (self.marker,)


def test_every_command_is_here() -> None:
    assert set(WORDS) == set(COMMANDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of all kinds whose pickle would leave a mark."""
    bite = pickle.dumps(Bites(tmp_path / "bitten"))
    for kind in ("pkl", "pt", "pth", "joblib", "keras", "mat", "h5", "onnx"):
        (tmp_path / f"bite.{kind}").write_bytes(bite)
    with zipfile.ZipFile(tmp_path / "bite.pt2", "w") as archive:
        archive.writestr("archive/data.pkl", bite)
        archive.writestr("archive/version", "3")
    objects = np.array([Bites(tmp_path / "bitten")], dtype=object)
    np.savez(tmp_path / "bite.npz", x=objects, y=objects)
    np.savez(tmp_path / "beside.npz", **{"w.value": objects})
    (tmp_path / "rows.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n")
    (tmp_path / "copy.json").write_bytes(Path(ONE).read_bytes())
    graph = json.loads(Path(ONE).read_text("utf-8"))
    graph["nodes"]["w"]["settings"]["value"] = {
        "file": "beside.npz", "array": "w.value", "sha256": "0" * 64,
    }  # fmt: skip
    (tmp_path / "beside.json").write_text(json.dumps(graph))
    graph = json.loads(Path(XOR).read_text("utf-8"))
    next(
        node for node in graph["nodes"].values() if node["type"] == "dataset"
    )["settings"]["source"] = "bite.npz"  # fmt: skip
    (tmp_path / "data.json").write_text(json.dumps(graph))
    return tmp_path


def test_no_command_unpickles(folder: Path) -> None:
    order = sorted(WORDS, key=lambda name: name in ("collapse", "fold"))
    words = [line for name in order for line in WORDS[name]]
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(words)],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": ""},
    )  # fmt: skip
    (line,) = [one for one in done.stdout.splitlines() if one.startswith("FOUND")]
    found, codes = json.loads(line.removeprefix("FOUND "))
    assert not found, codes[-1]
    assert not (folder / "bitten").exists()
    assert "bug of nodeflow" not in done.stderr
    ended = {" ".join(words): code for words, code in codes}
    wrong = {line: code for line, code in ended.items() if code not in (0, 1)}
    assert not wrong, done.stderr
    assert sum(code == 0 for code in ended.values()) > 15, ended
    assert all(code == 1 for line, code in ended.items() if "bite." in line), ended
