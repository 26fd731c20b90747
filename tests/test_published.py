"""Worked examples and accuracies that are published, or follow from a formula."""

import numpy as np
import pytest
from networks import HAS_DATA, net

import nodeflow as nf

needs_data = pytest.mark.skipif(not HAS_DATA, reason="NODEFLOW_DATA is not set")


def one_neuron(rate=0.1):
    x = nf.constant(value=[1.5], id="x")
    y = nf.constant(value=[0.5], id="y")
    w = nf.parameter(value=[[0.8]], id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w, id="sum"), y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=rate, id="train"))


def test_one_neuron_has_the_slope_of_its_formula():
    """C = (1.5 w − 0.5)², so ∂C/∂w = 4.5 w − 1.5."""
    run = nf.Run(one_neuron())
    run.advance("phase")
    assert run["sum.z"] == pytest.approx(1.2, rel=1e-15)
    assert run.cost == pytest.approx(0.49, rel=1e-15)
    run.advance("phase")
    assert run.gradient("w.value") == pytest.approx(4.5 * 0.8 - 1.5, rel=1e-15)
    assert run.gradient("sum.z") == pytest.approx(1.4, rel=1e-15)


def test_one_neuron_approaches_its_minimum_by_the_closed_formula():
    """Each update multiplies w − 1/3 by 1 − 4.5 α."""
    run = nf.Run(one_neuron(rate=0.1))
    run.train(10)
    expected = 1 / 3 + (0.8 - 1 / 3) * (1 - 0.45) ** 10
    assert run.weights["w.value"] == pytest.approx(expected, rel=1e-14)
    costs = [line["cost"] for line in run.history]
    weights = [1 / 3 + (0.8 - 1 / 3) * 0.55**n for n in range(10)]
    assert costs == pytest.approx([(1.5 * w - 0.5) ** 2 for w in weights], rel=1e-12)


@needs_data
def test_wheat_is_told_apart():
    """7-5-3 with sigmoids, squared error, α 0.3, 500 epochs: 90 % of unseen grains, on average."""
    graph = net("wheat-seeds", (7, 5, 3), rate=0.3, test=0.34)
    found = []
    for seed in range(10):
        run = nf.Run(graph, seed=seed)
        found.append(run.train(500)[-1]["test_accuracy"])
    assert np.mean(found) >= 0.90


@needs_data
def test_handwritten_digits_are_read():
    """784-30-10, batches of 10, α 3: M. Nielsen's first network and its 93 % and more."""
    graph = net("mnist", (784, 30, 10), rate=3.0, batch=10, half=True, scale="none", init="glorot")
    run = nf.Run(graph, dtype=np.float32)
    for _ in range(10):
        if run.train(1)[-1]["test_accuracy"] >= 0.93:
            break
    assert run.history[-1]["test_accuracy"] >= 0.93
