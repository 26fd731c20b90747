"""The command `nodeflow export`: what it prints, and how it ends."""

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.commands.export import export
from nodeflow.export import FORMATS

GRAPHS = Path(__file__).parent.parent / "graphs"
DOCUMENT = GRAPHS.parent / "docs" / "export.md"
XOR, NEURON = str(GRAPHS / "xor.json"), str(GRAPHS / "one-neuron.json")
QUICK = {".gif": ["--level", "sample"], ".mp4": ["--speed", "25"], ".html": ["--samples", "1"]}


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_is_written_and_told(ending, tmp_path, capsys):
    if library := {".onnx": "onnx", ".keras": "keras"}.get(ending):
        pytest.importorskip(library)
    out = tmp_path / f"x{ending}"
    assert main(["export", NEURON, str(out), "--json", *QUICK.get(ending, [])]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out)
    assert told["bytes"] == out.stat().st_size > 20
    assert main(["export", NEURON, str(out), *QUICK.get(ending, [])]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert str(out) in said


def test_the_help_has_every_format(capsys):
    assert main(["export", "--help"]) == 0
    said = capsys.readouterr().out
    for ending, kind in FORMATS.items():
        assert re.search(rf"{re.escape(ending)} +{re.escape(kind.about)}\n", said)


def test_the_document_shows_what_happens(monkeypatch, capsys):
    text = DOCUMENT.read_text(encoding="utf-8")
    monkeypatch.chdir(GRAPHS.parent)
    ((command, answer),) = re.findall(r"^\$ nodeflow (.*)\n(.*)$", text, re.MULTILINE)
    assert main(shlex.split(command)) == 1
    assert capsys.readouterr().err == f"{answer}\n"


def test_the_document_has_every_format_and_option():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\.\w+)` \|", text, re.MULTILINE) == list(FORMATS)
    options = [name for option in export.params for name in option.opts if name[:2] == "--"]
    assert not [name for name in options if name not in text and name != "--json"]


def test_wrong_usage_is_told(tmp_path, capsys):
    for words, message in (
        (["x.tiff"], ".svg, .png, .gif, .mp4, .html, .dot, .json, .csv"),
        (["x.gif", "--scale", "2"], "--scale says nothing about .gif"),
        (["x.svg", "--no-graph"], "--no-graph says nothing about .svg"),
        (["x.dot", "--from", "1"], "--from says nothing about .dot"),
        (["x.gif", "--size", "large"], "'large' is not WIDTHxHEIGHT"),
        (["x.gif", "--epochs", "3-1"], "'3-1' is neither"),
        (["x.csv", "--epochs", "1-2"], "--epochs is a single number for .csv"),
    ):
        assert main(["export", XOR, str(tmp_path / words[0]), *words[1:]]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_a_fault_is_one_sentence_in_both_forms(tmp_path, capsys):
    assert main(["export", XOR, str(tmp_path / "x.gif"), "--epochs", "0-20", "--json"]) == 1
    found = capsys.readouterr()
    assert json.loads(found.out)["error"].startswith("21 epochs are 2,520 steps")
    assert found.err.startswith("nodeflow: 21 epochs are 2,520 steps")


def test_a_program_does_not_import_itself(tmp_path, capsys):
    for name in ("numpy.py", "Torch.py", "jax.py"):
        assert main(["export", XOR, str(tmp_path / name)]) == 1
        assert "would stand before the library of that name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_data_of_a_graph_is_not_replaced_by_its_export(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "a,b,kind\n" + "1,2,x\n2,1,y\n" * 5
    (tmp_path / "net.csv").write_text(rows)
    assert main(["new", "net.json", "--data", "net.csv"]) == 0
    for out in ("net.csv", str(tmp_path / "net.csv"), "link.csv"):
        if out == "link.csv":
            (tmp_path / out).symlink_to("net.csv")
        assert main(["export", "net.json", out]) == 1
        assert "is the data that 'data' reads: choose another name" in capsys.readouterr().err
        assert (tmp_path / "net.csv").read_text() == rows
    assert main(["export", "net.json", "history.csv"]) == 0
    assert main(["export", "net.json", "history.csv"]) == 0, "an export replaces an export"


def test_epochs_are_shown_by_a_film_and_trained_by_the_others(tmp_path, capsys):
    gif, table = str(tmp_path / "x.gif"), str(tmp_path / "x.csv")
    words = ["--level", "update", "--json"]
    assert main(["export", NEURON, gif, "--epochs", "5-6", "--size", "400x300", *words]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    with Image.open(gif) as image:
        assert image.size == (400, 300)
    assert main(["export", NEURON, table, "--epochs", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs"] == 5


def test_commands_open_the_graph_in_a_picture(tmp_path, capsys):
    out = str(tmp_path / "x.png")
    assert main(["export", XOR, out, "--scale", "0.5"]) == 0
    capsys.readouterr()
    found = []
    for file in (XOR, out):
        assert main(["run", file, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    assert main(["diff", XOR, out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"]
    assert main(["export", XOR, out, "--no-graph"]) == 0
    assert main(["run", out]) == 1
    assert "this picture carries no graph" in capsys.readouterr().err


def test_weights_read_back(tmp_path, capsys):
    out = tmp_path / "w.json"
    assert main(["export", XOR, str(out), "--epochs", "2"]) == 0
    assert "the weights after 2 epochs" in capsys.readouterr().out
    run = nf.Run(nf.load(XOR))
    run.train(2)
    start = nf.Run(nf.load(XOR))
    start.set_weights(json.loads(out.read_text(encoding="utf-8")))
    assert all((start.weights[key] == value).all() for key, value in run.weights.items())


def test_an_interrupted_export_leaves_nothing(tmp_path, capsys, monkeypatch):
    from nodeflow.export import film

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(film.Film, "frames", interrupted)
    assert main(["export", XOR, str(tmp_path / "x.gif")]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
