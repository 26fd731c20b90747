"""docs/commands.md: every command, its options, and the keys of its JSON."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from gallery.commands import PAGE, commands, keys_of, refreshed, sections
from nodeflow.cli import COMMANDS, main

GRAPHS = Path(__file__).parent.parent / "graphs"
LESSON = str(GRAPHS / "lessons" / "first-steps.json")
ONE, XOR = str(GRAPHS / "one-neuron.json"), str(GRAPHS / "xor.json")
TEXT = PAGE.read_text(encoding="utf-8")
RUNS = {
    "data allow": [str(GRAPHS)],
    "blame": [XOR, "--at", "1:2"],
    "check": [XOR],
    "collapse": [str(GRAPHS / "mazur-neurons-unfolded.json"), "-o", "OUT"],
    "completion": ["bash"],
    "data look": ["TABLE"],
    "derive": [ONE, "w"],
    "diff": [ONE, XOR],
    "explode": [XOR, "hidden", "-o", "OUT"],
    "export": [ONE, "OUT.dot"],
    "fold": [str(GRAPHS / "one-neuron-unfolded.json"), "-o", "OUT"],
    "lesson check": [LESSON, LESSON],
    "lesson play": [LESSON],
    "merge": [ONE, "COPY", ONE],
    "new": ["OUT", "--layers", "2-3-1"],
    "plugins new": ["mine"],
    "play": [ONE, "--samples", "1"],
    "run": [XOR],
    "samples": ["xor"],
    "saturated": [XOR],
    "sweep": [ONE, "--set", "train.rate=0.1,0.2", "--epochs", "2"],
    "train": [ONE, "--epochs", "2"],
    "unfold": [XOR, "-o", "OUT"],
    "upgrade": ["COPY"],
    "why": [ONE, "w"],
}
MORE = {"export": {"nodes", "wires"}}
"""Keys that not every format has."""


def test_the_page_is_as_the_commands_are():
    assert refreshed(TEXT) == TEXT, "`python -m gallery.commands --write` renews it"
    assert sorted(sections(TEXT)) == sorted(commands())


@pytest.mark.parametrize("name", [name for name in commands() if name != "edit"])
def test_every_key_is_explained(name, tmp_path, monkeypatch, capsys):
    words = RUNS.get(name)
    if words is None:
        # What fetches, needs another program or a plugin, or prints a list has tests of its own.
        assert name in ("data get", "import", "nodes", "plugins disable", "plugins enable", "twins")
        assert "With `--json`" in sections(TEXT)[name]
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", StringIO())  # a lesson asks for words
    (tmp_path / "copy.json").write_bytes(Path(ONE).read_bytes())
    words = ["copy.json" if word == "COPY" else word for word in words]
    words = [word.replace("OUT", str(tmp_path / "out.json"), 1) for word in words]
    words = [word.replace("out.json.dot", "out.dot") for word in words]
    (tmp_path / "table.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n")
    words = [word.replace("TABLE", str(tmp_path / "table.csv")) for word in words]
    assert main([*name.split(), *words, "--json"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert set(first) - MORE.get(name, set()) == set(keys_of(sections(TEXT)[name]))


def test_every_view_is_explained(capsys):
    from nodeflow.declare import CATALOG

    part = TEXT.partition("## Views")[2].partition("## nodeflow")[0]
    told = {line.split("`")[1] for line in part.splitlines() if line.startswith("| `")}
    assert told == {name for name, type_ in CATALOG.items() if type_.view_module}
    assert main(["run", str(GRAPHS / "blame-game.json"), "--json"]) == 0
    views = json.loads(capsys.readouterr().out)["views"]
    assert views.keys() == {"who", "who_before", "weights"}
    assert [one["neuron"] for one in views["who"]["shares"]] == ["hidden 3", "hidden 2", "hidden 1"]
    assert set(views["who"]) == {"layer", "deltas", "shares"}
    assert views["weights"]["entries"]["theta2.value"] == [[0.1, 0.3, 0.6]]


@pytest.mark.parametrize("name", [*COMMANDS, *commands()])
def test_help_is_laid_out_and_shows_no_marks(name, capsys):
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "\\" not in shown
    assert shown.replace("\n", "").isprintable()
    assert max(map(len, shown.splitlines())) <= 100


def test_a_key_that_is_not_explained_is_seen():
    cut = TEXT.replace("| `max_relative_error` |", "| max_relative_error |")
    assert "max_relative_error" in keys_of(sections(TEXT)["check"])
    assert "max_relative_error" not in keys_of(sections(cut)["check"])


def test_an_option_that_is_gone_is_seen():
    assert refreshed(TEXT.replace("| `--all` |", "| `--other` |")) == TEXT
