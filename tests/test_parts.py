"""Batches in parts: the numbers follow from the number of parts, whoever computes them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.engine.parts import PartedMachine, added, bounds
from nodeflow.errors import Diverged, RunError

ROOT = Path(__file__).parents[1]
GRAPHS = ["xor", "iris", "circle", "spiral"]


def graph(name):
    return nf.load(ROOT / "graphs" / f"{name}.json")


def pool(machines, parts, seed):
    """Return a pool that shares parts out at random, another way for each update."""
    r = random.Random(seed)

    def sums(state, update):
        found, left = {}, list(range(parts))
        r.shuffle(left)
        while left:
            count = r.randint(1, len(left))
            found |= r.choice(machines).sums_of(state, update, left[:count])
            left = left[count:]
        return found

    return sums


@pytest.mark.parametrize("count", [0, 1, 2, 5, 7, 64])
@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_parts_make_up_the_batch_and_differ_by_one(count, parts):
    found = [bounds(3, count, parts, part) for part in range(parts)]
    rows = [row for first, many in found for row in range(first, first + many)]
    assert rows == list(range(3, 3 + count))
    sizes = [many for _, many in found]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("parts", range(1, 12))
def test_the_tree_is_the_same_however_much_was_added_before(parts):
    r = np.random.default_rng(parts)
    leaves = [
        (r.normal(size=4), r.normal(size=9) * 10.0 ** r.integers(-8, 8)) for _ in range(parts)
    ]
    level = leaves
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [p[0] if len(p) == 1 else tuple(a + b for a, b in zip(*p, strict=True))
                 for p in pairs]  # fmt: skip
    for seed in range(5):
        order = list(range(parts))
        random.Random(seed).shuffle(order)
        found = {}
        while order:
            found |= added({(0, at): leaves[at] for at in order[:3]}, parts)
            order = order[3:]
        (whole,) = added(found, parts).values()
        assert all(np.array_equal(a, b) for a, b in zip(whole, level[0], strict=True))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("batch", [7, "all"])
def test_one_part_is_the_batch_and_more_differ_by_rounding(name, batch):
    whole = nf.Run(graph(name), batch=batch)
    whole.train(8)
    for parts in (1, 2, 5):
        run = nf.Run(graph(name), batch=batch, parts=parts)
        run.train(8)
        for key, weights in whole.weights.items():
            assert run.weights[key] == pytest.approx(weights, rel=1e-10, abs=1e-12)
            assert parts > 1 or np.array_equal(run.weights[key], weights)
        for one, other in zip(run.history, whole.history, strict=True):
            assert one["cost"] == pytest.approx(other["cost"], rel=1e-12)
            assert one["train_accuracy"] == other["train_accuracy"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_who_computes_which_parts_changes_no_bit(parts, dtype):
    iris = graph("iris")
    alone = nf.Run(iris, batch=20, dtype=dtype, parts=parts)
    alone.train(6)
    machines = [nf.Run(iris, batch=20, dtype=dtype, parts=parts).machine for _ in range(3)]
    for seed in range(2):
        shared = nf.Run(iris, batch=20, dtype=dtype, parts=parts, pool=pool(machines, parts, seed))
        shared.train(2)
        shared.train(4)
        assert shared.history == alone.history
        assert all(np.array_equal(shared.weights[k], v) for k, v in alone.weights.items())
        shared.goto(epoch=3)
        middle = nf.Run(iris, batch=20, dtype=dtype, parts=parts)
        middle.train(3)
        assert all(np.array_equal(shared.weights[k], v) for k, v in middle.weights.items())


def test_a_part_holds_its_own_samples_only():
    whole, run = (nf.Run(graph("circle"), batch="all", parts=parts) for parts in (None, 10))
    assert isinstance(run.machine, PartedMachine)
    assert run.machine.tape.size < whole.machine.tape.size / 5


def test_momentum_adam_and_penalties_come_after_the_sum():
    x, y = nf.dataset(source="circle")
    hidden = nf.tanh(nf.weighted_sum(x, nf.parameter(shape=(6, 2)), nf.parameter(shape=[6])))
    a = nf.sigmoid(nf.weighted_sum(hidden, nf.parameter(shape=(2, 6)), nf.parameter(shape=[2])))
    cost = nf.cross_entropy(a, y)
    for trainer in (
        nf.adam(cost, rate=0.01),
        nf.gradient_descent(cost, rate=0.1, momentum=0.9),
    ):
        made = nf.Graph.of(trainer)
        whole, run = nf.Run(made, batch=30), nf.Run(made, batch=30, parts=4)
        whole.train(5)
        run.train(5)
        for key, weights in whole.weights.items():
            assert run.weights[key] == pytest.approx(weights, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ng-digits-loop", "a loop over the samples"),
        ("slopes", "no dataset"),
        ("ng-digits", "minimize"),
    ],
)
def test_what_has_no_parts_is_refused(name, sentence):
    with pytest.raises(RunError, match=sentence):
        nf.Run(graph(name), parts=2)


def test_a_value_of_the_whole_batch_is_refused_by_name():
    x, y = nf.dataset(source="xor")
    theta = nf.parameter(shape=(1, 2))
    z = nf.weighted_sum(x, theta)
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(z, y)))
    with pytest.raises(RunError, match="from 1, not 0"):
        nf.Run(graph, parts=0)
    with pytest.raises(RunError, match="a batch of 4 samples cannot be cut into 5000 parts"):
        nf.Run(graph, batch=4, parts=5000)
    run = nf.Run(graph, batch=4, parts=2)
    with pytest.raises(RunError, match="trained, not stepped"):
        run.step()
    run.train(1)
    with pytest.raises(RunError, match="whole batch"):
        _ = run["weighted_sum.z"]


def test_numbers_that_leave_the_range_are_found():
    x, y = nf.dataset(source="xor")
    z = nf.weighted_sum(x, nf.parameter(shape=(1, 2)))
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(z, y), rate=1e9))
    run = nf.Run(graph, batch="all", parts=3)
    with pytest.raises(Diverged, match="left the range"):
        run.train(500)
    assert all(np.isfinite(value).all() for value in run.weights.values())


def test_the_command(capsys, tmp_path):
    words = ["train", str(ROOT / "graphs" / "iris.json"), "--epochs", "5", "--batch", "50"]
    documents = []
    for parts in (["--parts", "1"], [], ["--parts", "4"]):
        assert main([*words, *parts, "--json"]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0]["weights"] == documents[1]["weights"] != documents[2]["weights"]
    assert main([*words, "--parts", "4"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main([*words, "--cluster", "local"]) == 2
    assert "--parts N" in capsys.readouterr().err
    assert main([*words, "--parts", "2", "--folds", "3"]) == 2
    assert main([*words, "--parts", "4", "--until", "epoch >= 2"]) == 0
    assert "held after 2 of 5" in capsys.readouterr().err
