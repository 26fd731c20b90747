"""Graphs that come with the package: listed, written, and the same wherever they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.data import load
from nodeflow.errors import FileError
from nodeflow.examples import samples

GRAPHS = Path(__file__).parents[1] / "graphs"


def test_every_graph_file_is_a_sample_that_says_what_it_is(capsys):
    names = {file.relative_to(GRAPHS).with_suffix("").as_posix() for file in GRAPHS.rglob("*.json")}
    assert set(samples()) == names
    assert all(one.about for one in samples().values())
    assert main(["samples", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == names
    assert main(["samples"]) == 0
    lines = capsys.readouterr().out.splitlines()
    twins = [name for name in names if name.startswith("twins/")]  # in one line
    assert len(lines) == len(names) - len(twins) + 1
    assert max(map(len, lines)) <= 100


def test_a_sample_is_written_here_and_never_over_another_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["samples", "xor"]) == 0
    assert "nodeflow play xor.json" in capsys.readouterr().out
    assert Path("xor.json").read_bytes() == (GRAPHS / "xor.json").read_bytes()
    assert main(["samples", "xor"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["samples", "xro"]) == 1
    assert "did you mean 'xor'?" in capsys.readouterr().err


def test_a_sample_in_python():
    graph = nf.sample("xor")
    assert graph == nf.load(GRAPHS / "xor.json")
    nf.Run(graph).train(epochs=1)
    with pytest.raises(FileError, match="no sample"):
        nf.sample("../xor")


def test_iris_needs_no_extra_and_is_scikit_learns():
    from sklearn.datasets import load_iris

    table, theirs = load("iris"), load_iris()
    assert (table.x == theirs.data).all()
    assert (table.y.argmax(axis=1) == theirs.target).all()
    assert table.classes == tuple(theirs.target_names)
    assert table.features == tuple(theirs.feature_names)
    assert np.isfinite(table.x).all()


def test_a_sample_whose_rows_lie_beside_it_runs_wherever_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = {
        f"twins/{file.stem}": re.findall(r'"source": "([^"]+\.csv)"', file.read_text("utf-8"))
        for file in sorted((GRAPHS / "twins").glob("*.json"))
    }
    tables = [name for name, found in named.items() if found]
    assert len(tables) > 2
    for name in tables[:: max(len(tables) // 4, 1)]:
        run = nf.Run(nf.sample(name))
        run.train(epochs=1)
        assert main(["samples", name]) == 0  # the table that two of them have is there once
        again = nf.Run(nf.load(f"{name.rpartition('/')[2]}.json"))
        again.train(epochs=1)
        assert again.history == run.history
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    (other / "rows.csv").write_text("my own rows")
    assert main(["samples", "twins/sklearn-adam"]) == 1
    assert [(one.name, one.read_text()) for one in other.iterdir()] == [("rows.csv", "my own rows")]
