"""No command lets a name steer the terminal: what is invisible is written out, no line forged."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from test_no_pickle import WORDS

from nodeflow.cli import COMMANDS, main
from nodeflow.files import dumps, load, save_run
from nodeflow.graph import Graph, Node

ROOT = Path(__file__).parent.parent
EVIL = "evil\x1b[31m\x07\u202e\r\nFORGED\x9b0m"
SIGNS = "\x1b\x07\x08\r\x9b\u202e\u200f"
_FILES = ("out", "new", "n2", "whole", "exploded", "unfolded", "folded", "in", "sweep", "copy",
          "rows", "bite", "data", "beside")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which names, notes, columns and files hold what steers a terminal."""
    place = tmp_path / EVIL
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    rows = "\n".join(f'{n % 7},{n % 5},"{("b", "c")[n % 2]}{EVIL}"' for n in range(30))
    (place / f"rows{EVIL}.csv").write_text(f'"a{EVIL}",b,"kind{EVIL}"\n{rows}\n')
    for name in ("one-neuron", "xor", "mazur"):
        graph = hostile(load(ROOT / "graphs" / f"{name}.json"))
        (place / f"{name}{EVIL}.json").write_text(dumps(graph), encoding="utf-8")
        save_run(place / f"{name}{EVIL}.run.npz", {}, [], {"graph": EVIL, "epochs": 1})
    return place


def hostile(graph: Graph) -> Graph:
    """Return a graph with such texts wherever a file may have one."""
    first = next(iter(graph.nodes))
    noted = replace(graph.nodes[first], extra={**graph.nodes[first].extra, "note": EVIL})
    return replace(
        graph, name=EVIL, about=f"About {EVIL}.",
        nodes={**graph.nodes, first: noted, "stranger": Node(f"type{EVIL}", {EVIL: EVIL})},
        groups={"g": {"nodes": [first], "title": EVIL}}, extra={**graph.extra, EVIL: EVIL},
    )  # fmt: skip


def words_of(command: list[str], folder: Path) -> list[str]:
    """Return a command with the files of the folder in place of its own."""
    found = []
    for word in command:
        stem, _, ending = Path(word).name.partition(".")
        if word.startswith(str(ROOT)) or (stem in _FILES and ending):
            found.append(str(folder / f"{stem}{EVIL}.{ending}"))
        else:
            found.append(word)
    return found


LINES = [words for some in WORDS.values() for words in some if words[0] != "edit"] + [
    ["train", f"no{EVIL}.json"], ["run", "x", f"--{EVIL}"], [EVIL], ["nodes", EVIL],
    ["samples", EVIL], ["plugins", "enable", EVIL], ["plugins", "new", EVIL],
    ["data", "get", EVIL], ["data", "look", EVIL], ["data", "allow", f"gone{EVIL}"],
    ["play", str(ROOT / "graphs" / "one-neuron.json"), "--until", EVIL],
    ["train", str(ROOT / "graphs" / "one-neuron.json"), "--until", EVIL],
    ["sweep", str(ROOT / "graphs" / "one-neuron.json"), "--set", f"{EVIL}=1"],
    ["derive", str(ROOT / "graphs" / "one-neuron.json"), EVIL],
    ["new", "new.json", "--data", "rows.csv", "--explain"],
    ["import", EVIL, "-o", "in.json"], ["edit", f"no{EVIL}.json"],
]  # fmt: skip


def test_every_command_has_its_line() -> None:
    assert {words[0] for words in LINES} >= set(COMMANDS)


@pytest.mark.parametrize("as_json", [False, True], ids=["told", "json"])
def test_no_name_steers_the_terminal(
    folder: Path, capfd: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    for name in ("one-neuron", "xor"):
        kept = folder / f"{name}{EVIL}.json"
        shutil.copy(kept, folder / f"copy{EVIL}.json")
    seen, faults = 0, []
    for line in LINES:
        words = words_of(line, folder)
        main([*words, *(["--json"] if as_json else [])])
        told = capfd.readouterr()
        for text in (told.out, told.err):
            if any(sign in text for sign in SIGNS) or "\nFORGED" in text:
                faults.append((line, text[:600]))
            seen += "evil" in text
        if as_json:
            for one in told.out.splitlines():
                json.loads(one)
    assert not faults, "\n\n".join(map(repr, faults))
    assert seen > 20  # the names were there to be told
