"""A backward pass is the same whoever wires it: folded, unfolded, by hand, in a loop."""

import math

import numpy as np
import pytest
from networks import assert_same, hand, net, splitmix_order

import nodeflow as nf

SIZES = (2, 4, 3)
BATCHES = pytest.mark.parametrize("batch", [1, 8, "all"])


def numpy_network(run, epochs, rate):
    """Train the same network in NumPy, on the rows and from the weights of a fresh run."""
    rows = run.machine.splits["data"]
    x, y, batch = rows.x, rows.y, run.batch
    names = ("theta1", "b1", "theta2", "b2")
    t1, b1, t2, b2 = (run.weights[f"{name}.value"].copy() for name in names)
    costs = []
    for epoch in range(epochs):
        order = splitmix_order(len(x), run.machine.seed, epoch) if batch < len(x) else range(len(x))
        order, total = np.array(order), 0.0
        for begin in range(0, len(x), batch):
            a0, target = x[order[begin : begin + batch]], y[order[begin : begin + batch]]
            a1 = 1 / (1 + np.exp(-(a0 @ t1.T + b1)))
            a2 = 1 / (1 + np.exp(-(a1 @ t2.T + b2)))
            total += ((a2 - target) ** 2).sum()
            d2 = 2 * (a2 - target) * a2 * (1 - a2)
            d1 = d2 @ t2 * a1 * (1 - a1)
            n = len(a0)
            t2 -= rate * d2.T @ a1 / n
            b2 -= rate * d2.sum(axis=0) / n
            t1 -= rate * d1.T @ a0 / n
            b1 -= rate * d1.sum(axis=0) / n
        costs.append(total / len(x))
    return dict(zip([f"{name}.value" for name in names], (t1, b1, t2, b2), strict=True)), costs


def assert_near(found, expected, tolerance=1e-12):
    for address, value in expected.items():
        np.testing.assert_allclose(found[address], value, rtol=0, atol=tolerance, err_msg=address)


@BATCHES
def test_folded_unfolded_wired_by_hand_and_numpy_agree(batch):
    """After 100 epochs all four have the same weights; folded and unfolded to the bit."""
    folded = net("blobs", SIZES, rate=0.3, batch=batch)
    reference, costs = numpy_network(nf.Run(folded, seed=3), 100, 0.3)
    runs = [
        nf.Run(graph, seed=3)
        for graph in (folded, nf.unfold(folded), hand("blobs", SIZES, rate=0.3, batch=batch))
    ]
    for run in runs:
        run.train(100)
        weights = {address: run.weights[address] for address in reference}
        assert_near(weights, reference)
        assert [line["cost"] for line in run.history] == pytest.approx(costs, abs=1e-12)
    assert_same(runs[0].weights, runs[1].weights)
    assert runs[0].history == runs[1].history
    assert_same(runs[0].values, runs[1].values)


@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.9, "rate": 0.1},
        {"trainer": "adam", "rate": 0.01},
        {"l2": 0.01, "rate": 0.3},
        {"act": "tanh", "last": "softmax", "cost": "categorical_cross_entropy", "rate": 0.1},
        {"act": "relu", "last": "sigmoid", "cost": "cross_entropy", "rate": 0.1},
    ],
    ids=["momentum", "adam", "l2", "softmax", "cross-entropy"],
)
def test_every_trainer_unfolds_to_the_same_numbers(settings):
    """The unfolded graph trains as the folded one does, to the bit."""
    graph = net("blobs", SIZES, batch=8, test=0.2, **settings)
    folded, unfolded = nf.Run(graph), nf.Run(nf.unfold(graph))
    assert folded.train(10) == unfolded.train(10)
    assert_same({k: unfolded.weights[k] for k in folded.weights}, folded.weights)


def test_momentum_and_adam_are_those_of_their_papers():
    """One weight on one row, against the recursions written out."""
    for trainer, settings in (("gradient_descent", {"momentum": 0.8}), ("adam", {})):
        w, v, m, s = 2.0, 0.0, 0.0, 0.0
        x = nf.constant(value=[1.5])
        theta = nf.parameter(value=[[2.0]], id="w")
        cost = nf.squared_error(nf.weighted_sum(x, theta), nf.constant(value=[0.3]))
        run = nf.Run(nf.Graph.of(getattr(nf, trainer)(cost, rate=0.05, **settings)))
        run.train(20)
        for t in range(1, 21):
            gradient = 2 * (1.5 * w - 0.3) * 1.5
            if trainer == "adam":
                m = 0.9 * m + 0.1 * gradient
                s = 0.999 * s + 0.001 * gradient**2
                w -= 0.05 * m / (1 - 0.9**t) / (math.sqrt(s / (1 - 0.999**t)) + 1e-8)
            else:
                v = 0.8 * v + gradient
                w -= 0.05 * v
        assert run.weights["w.value"] == pytest.approx(w, rel=1e-12)


def test_l2_penalty_is_added_to_cost_and_gradient():
    """J = mean C + λ/2 Σ Θ², D = Δ/n + λΘ, the bias excluded."""
    graph = net("blobs", SIZES, rate=0.3, batch="all", l2=0.1)
    run, plain = nf.Run(graph), nf.Run(net("blobs", SIZES, rate=0.3, batch="all"))
    weights = run.weights
    run.step(), plain.step()
    run.advance("update"), plain.advance("update")
    penalty = 0.05 * sum((weights[f"theta{n}.value"] ** 2).sum() for n in (1, 2))
    assert run.cost == pytest.approx(plain.cost + penalty, rel=1e-12)
    for address, value in weights.items():
        decay = 0.1 * value if address.startswith("theta") else 0
        expected = plain.gradient(address) + decay
        np.testing.assert_allclose(run.gradient(address), expected, rtol=1e-12)


def test_a_sample_loop_equals_the_vectorised_batch():
    """Δ accumulated sample by sample gives the weights of the batch summed at once."""
    loop = nf.Run(hand("blobs", SIZES, rate=0.3, batch=8, loop=True))
    whole = nf.Run(hand("blobs", SIZES, rate=0.3, batch=8))
    reference, costs = numpy_network(nf.Run(net("blobs", SIZES, batch=8, rate=0.3)), 30, 0.3)
    assert loop.plan.loop
    assert not whole.plan.loop
    loop.train(30)
    whole.train(30)
    assert_near(loop.weights, whole.weights)
    assert_near(loop.weights, reference)
    assert [line["cost"] for line in loop.history] == pytest.approx(costs, abs=1e-12)


def test_a_sample_loop_equals_plain_python():
    """One neuron, batches of 4 of 21 rows, against a loop of plain Python numbers."""
    x, y = nf.dataset(source="polynomial", id="data")
    w = nf.parameter(value=[[0.5]], id="w")
    e = nf.error(nf.weighted_sum(x, w, id="sum"), y, id="e")
    total = nf.accumulate(nf.weight_gradient(nf.multiply(2.0, e), x), id="sum_of_w")
    rate = nf.constant(value=0.1)
    new = nf.weight_update(w, nf.average(total, id="mean"), rate, id="new")
    graph = nf.Graph.of(new, batch=4)
    graph = graph.connect("new.value", "w.next").connect("sum_of_w.total", "sum_of_w.previous")
    run = nf.Run(graph, seed=7)
    run.train(5)
    rows = [(-1 + i / 10, 4 * (-1 + i / 10) ** 3 - 3 * (-1 + i / 10)) for i in range(21)]
    weight = 0.5
    for epoch in range(5):
        order = splitmix_order(21, 7, epoch)
        for begin in range(0, 21, 4):
            batch = [rows[i] for i in order[begin : begin + 4]]
            summed = 0.0
            for a, target in batch:
                summed += 2 * (weight * a - target) * a
            weight -= 0.1 * summed / len(batch)
    assert run.weights["w.value"] == pytest.approx(weight, rel=1e-12)


def test_updates_are_simultaneous():
    """A parameter that feeds another's gradient is read as it was at the start of the update."""
    e = nf.parameter(value=[[0.4, -0.3]], id="a_embedding")
    w = nf.parameter(value=[[0.7, 0.2]], id="z_weights")
    cost = nf.squared_error(nf.weighted_sum(e, w), nf.constant(value=[1.0]))
    run = nf.Run(nf.Graph.of(nf.gradient_descent(cost, rate=0.5)))
    run.train(5)
    p, q = np.array([0.4, -0.3]), np.array([0.7, 0.2])
    for _ in range(5):
        d = 2 * (p @ q - 1)
        p, q = p - 0.5 * d * q, q - 0.5 * d * p
    np.testing.assert_allclose(run.weights["a_embedding.value"][0], p, rtol=1e-12)
    np.testing.assert_allclose(run.weights["z_weights.value"][0], q, rtol=1e-12)
