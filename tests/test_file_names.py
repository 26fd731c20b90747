"""No two graphs share a file: any names side by side, with arrays and training of their own."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from nodeflow.declare import Array
from nodeflow.errors import FileError
from nodeflow.files import load, load_run, run_file_of, save, save_run
from nodeflow.files.names import sidecar_of
from nodeflow.graph import Graph, Node

NAMES = (
    "net.json", "net", "net.nf", "net.nf.json", "net.run", "net.run.json", "net.run.nf",
    "net.JSON", "net.json.json", "net.run.run.json", "net.npz.json", "net.nodeflow",
)  # fmt: skip


def graph(number: int, size: int) -> Graph:
    values = np.full((1, size), number * 1.0)
    return Graph(nodes={"w": Node("parameter", {"value": Array(values)})})


def held(path: Path) -> float:
    """Return the number that a graph was made of."""
    value = load(path).nodes["w"].settings["value"]
    values = np.array(value.values if isinstance(value, Array) else value)
    assert (values == values.flat[0]).all()
    return float(values.flat[0])


def written(path: Path, number: int, size: int) -> str:
    """Save a graph and its training; return what was refused, "" for nothing."""
    try:
        save(graph(number, size), path)
        save_run(run_file_of(path), {"w.value": np.full(3, number * 1.0)}, [], {"n": number})
    except FileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("size", [3, 2000], ids=["small", "with arrays"])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(NAMES, 2)))
def test_two_graphs_side_by_side_lose_nothing(
    first: str, second: str, size: int, tmp_path: Path
) -> None:
    """What cannot lie beside the other is refused in a sentence; the first stays whole."""
    for number, pair in enumerate(((first, second), (second, first))):
        folder = tmp_path / str(number)
        folder.mkdir()
        one, other = (folder / name for name in pair)
        assert written(one, 1, size) == ""
        refused = written(other, 2, size)
        assert held(one) == 1
        assert load_run(run_file_of(one)).meta == {"n": 1}
        if refused:
            assert "name" in refused
        else:
            assert held(other) == 2
            assert load_run(run_file_of(other)).meta == {"n": 2}
        names = [{run_file_of(path), sidecar_of(path)} for path in (one, other)]
        assert bool(names[0] & names[1]) or not refused  # nothing is refused for nothing


def test_one_ending_alone_is_never_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("a.json", "b.json", "a.run.json", "c.nf", "d.nodeflow")):
        assert written(tmp_path / name, number, 2000) == ""


def test_a_foreign_file_is_not_replaced_by_training(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.run.npz", data=np.arange(5))
    save(graph(1, 3), tmp_path / "net.json")
    with pytest.raises(FileError, match="a file of this name that holds no training"):
        save_run(tmp_path / "net.run.npz", {"w.value": np.ones(3)}, [], {})
    with np.load(tmp_path / "net.run.npz") as kept:
        assert kept["data"].tolist() == [0, 1, 2, 3, 4]
