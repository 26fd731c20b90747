"""The graph files that nodeflow brings: each opens, runs and trains."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.files import dumps

FOLDER = Path(__file__).parent.parent / "graphs"
NAMES = ("digits", "iris", "mnist", "one-neuron", "wheat-seeds", "xor")
FETCHED = {"mnist", "wheat-seeds"}
EPOCHS = {"mnist": 1, "digits": 5, "wheat-seeds": 100}


def opened(name: str) -> nf.Graph:
    if name in FETCHED and not os.environ.get("NODEFLOW_DATA"):
        pytest.skip("NODEFLOW_DATA is not set")
    return nf.load(FOLDER / f"{name}.json")


def test_they_are_all_here() -> None:
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.json"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_as_nodeflow_writes_it(name) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    graph = nf.load(FOLDER / f"{name}.json")
    assert dumps(graph) == text
    assert graph.about
    assert graph.name == name.replace("-", " ")
    assert set(json.loads(text)["layout"]) == set(graph.nodes)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_trains(name) -> None:
    graph = opened(name)
    run = nf.Run(graph, dtype=np.float32 if name == "mnist" else np.float64)
    before = run.evaluate()
    assert before is not None
    start = run.machine.assess(test=False)[0]
    run.train(EPOCHS.get(name))
    cost, accuracy = run.machine.assess(test=False)
    assert cost < start / 2
    if graph.of_type("accuracy"):
        assert accuracy > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_its_backward_pass_unfolds_and_folds(name) -> None:
    graph = opened(name)
    wired = nf.unfold(graph)
    assert not wired.of_family("trainer")
    assert dumps(nf.fold(wired)) == dumps(graph)


def test_the_wheat_network_is_the_one_described() -> None:
    graph = nf.load(FOLDER / "wheat-seeds.json")
    assert graph.settings("theta1")["shape"] == (5, 7)
    assert graph.settings("theta2")["shape"] == (3, 5)
    assert graph.settings("train")["rate"] == 0.3
    assert (graph.training.batch, graph.training.epochs) == (1, 500)
    assert not graph.settings("cost")["half"]
    assert len(graph.of_type("sigmoid")) == 2


def test_the_mnist_network_is_the_one_described() -> None:
    graph = nf.load(FOLDER / "mnist.json")
    assert graph.settings("theta1")["shape"] == (30, 784)
    assert graph.settings("theta2")["shape"] == (10, 30)
    assert graph.settings("train")["rate"] == 3.0
    assert graph.training.batch == 10
    assert graph.settings("cost")["half"]
