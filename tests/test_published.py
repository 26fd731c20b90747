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


def mazur():
    """M. Mazur, "A Step by Step Backpropagation Example", 2015: two inputs, two layers of two."""
    x = nf.constant(value=[0.05, 0.10], id="i")
    y = nf.constant(value=[0.01, 0.99], id="target")
    w1 = nf.parameter(value=[[0.15, 0.20], [0.25, 0.30]], id="w1")
    w2 = nf.parameter(value=[[0.40, 0.45], [0.50, 0.55]], id="w2")
    b1 = nf.parameter(value=[0.35, 0.35], trainable=False, id="b1")
    b2 = nf.parameter(value=[0.60, 0.60], trainable=False, id="b2")
    h = nf.sigmoid(nf.weighted_sum(x, w1, b1, id="net_h"), id="h")
    o = nf.sigmoid(nf.weighted_sum(h, w2, b2, id="net_o"), id="o")
    cost = nf.squared_error(o, y, half=True, id="E")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.5, id="train"))


def test_mazurs_example_to_the_published_digits():
    """Outputs, error and all eight new weights are those of the article."""
    run = nf.Run(mazur())
    run.train(1)
    assert run["h.a"].ravel() == pytest.approx([0.593269992, 0.596884378], abs=5e-10)
    assert run["o.a"].ravel() == pytest.approx([0.75136507, 0.772928465], abs=5e-9)
    assert run.cost == pytest.approx(0.298371109, abs=5e-10)
    assert run.gradient("net_o.z").ravel()[0] == pytest.approx(0.138498562, abs=5e-10)
    assert run.gradient("w2.value")[0, 0] == pytest.approx(0.082167041, abs=5e-10)
    assert run.gradient("w1.value")[0, 0] == pytest.approx(0.000438568, abs=5e-10)
    hidden, output = run.weights["w1.value"].ravel(), run.weights["w2.value"].ravel()
    assert hidden[0] == pytest.approx(0.149780716, abs=5e-10)
    assert hidden[1:] == pytest.approx([0.19956143, 0.24975114, 0.29950229], abs=5e-9)
    assert output[0] == pytest.approx(0.35891648, abs=5e-9)
    assert output[1:] == pytest.approx([0.408666186, 0.511301270, 0.561370121], abs=5e-10)
    assert run.weights["b1.value"].tolist() == [0.35, 0.35]
    assert run.weights["b2.value"].tolist() == [0.60, 0.60]


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
