"""Costs of saturated outputs: their value and their slopes come from the weighted sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers_explain import value
from numpy.testing import assert_allclose

import nodeflow as nf
from nodeflow.explain import explain
from nodeflow.graph import Graph

FLOATS = [np.float64, np.float32]
RANDOM = np.random.default_rng(11)


def trained(cost) -> Graph:
    return Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), batch="all")


def through(activation: str, cost: str, z: list, y: list, *, other=None) -> Graph:
    """Return a cost of what an activation makes of a parameter's row times a number."""
    width = len(z[0])
    x = nf.constant(value=np.eye(len(z)).tolist() if len(z) > 1 else [1.0])
    w = nf.parameter(value=np.transpose(z).tolist(), id="w")
    sums = nf.weighted_sum(x, w, id="sum")
    a = getattr(nf, activation)(sums, id="a")
    assert width == len(y[0])
    c = getattr(nf, cost)(a, nf.constant(value=y), id="cost")
    return trained(c if other is None else nf.add(c, other(a)))


def evaluated(graph: Graph, dtype=np.float64) -> nf.Run:
    run = nf.Run(graph, dtype=dtype)
    run.evaluate()
    return run


# --- the cost, in closed form ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("z", "y", "cost", "slope"),
    [(38, 0, 38, 1), (-38, 1, 38, -1), (800, 0, 800, 1), (-800, 1, 800, -1), (800, 1, 0, 0),
     (-800, 0, 0, 0), (1e6, 0, 1e6, 1), (0, 1, math.log(2), -0.5)],
)  # fmt: skip
def test_cross_entropy_after_a_sigmoid(z, y, cost, slope, dtype) -> None:
    run = evaluated(through("sigmoid", "cross_entropy", [[z]], [[y]]), dtype)
    assert run.cost == pytest.approx(cost, rel=1e-6 if dtype == np.float32 else 1e-14)
    assert run.gradient("sum.z").item() == pytest.approx(slope, abs=1e-15)
    assert run["cost.cost"].dtype == dtype


@pytest.mark.parametrize("dtype", FLOATS)
def test_categorical_cross_entropy_after_a_softmax(dtype) -> None:
    graph = through("softmax", "categorical_cross_entropy", [[800, 0, -5]], [[0, 1, 0]])
    run = evaluated(graph, dtype)
    assert run.cost == pytest.approx(800, rel=1e-6)
    assert_allclose(run.gradient("sum.z"), [[1, -1, 0]], atol=1e-30)


@pytest.mark.parametrize("dtype", FLOATS)
def test_categorical_cross_entropy_after_sigmoids(dtype) -> None:
    graph = through("sigmoid", "categorical_cross_entropy", [[-800, 3]], [[1, 0]])
    run = evaluated(graph, dtype)
    assert run.cost == pytest.approx(800, rel=1e-6)
    assert_allclose(run.gradient("sum.z"), [[-1, 0]], atol=1e-30)


@pytest.mark.parametrize("dtype", FLOATS)
def test_cross_entropy_after_a_softmax(dtype) -> None:
    """ln(1 − a) of the largest share is −800, that of the others next to 0."""
    run = evaluated(through("softmax", "cross_entropy", [[800, 0]], [[0, 1]]), dtype)
    assert run.cost == pytest.approx(1600, rel=1e-6)
    assert_allclose(run.gradient("sum.z"), [[2, -2]], rtol=1e-6)


def test_a_batch_of_float32_has_the_digits_that_it_can_have() -> None:
    z = RANDOM.normal(0, 30, (20, 3))
    y = RANDOM.integers(0, 2, (20, 3))
    wanted = (np.logaddexp(0, z) - y * z).sum(1).mean()
    graph = through("sigmoid", "cross_entropy", z.tolist(), y.tolist())
    assert evaluated(graph, np.float32).cost == pytest.approx(wanted, rel=1e-6)
    assert evaluated(graph).cost == pytest.approx(wanted, rel=1e-14)


def test_real_data_that_is_not_scaled_has_its_true_cost(tmp_path) -> None:
    """Weights of 1 on features of up to a thousand: sums far beyond what a sigmoid can tell."""
    pytest.importorskip("sklearn")
    x, y = nf.dataset("wine", shuffle=False, id="data")
    w = nf.parameter(value=np.linspace(-1, 1, 39).reshape(3, 13).tolist(), id="w")
    z = nf.weighted_sum(x, w, id="sum")
    graph = trained(nf.cross_entropy(nf.sigmoid(z), y, id="cost"))
    run = evaluated(graph)
    z_, y_ = run["sum.z"], run["data.y"]
    assert np.abs(z_).max() > 1000
    assert run.cost == pytest.approx((np.logaddexp(0, z_) - y_ * z_).sum(1).mean(), rel=1e-13)


# --- slopes, with other readers and through other nodes -------------------------------------------

GAPS = {
    "sigmoid-cross_entropy": [[38.0, -45.0, 0.3], [-700.0, 2.0, 900.0]],
    "softmax-categorical_cross_entropy": [[800.0, 0.0, -3.0], [0.5, 45.0, -800.0]],
    "sigmoid-categorical_cross_entropy": [[-700.0, 2.0, 0.5], [3.0, -38.0, 900.0]],
    "softmax-cross_entropy": [[800.0, 0.0, -3.0], [0.5, 45.0, -80.0]],
}
TARGETS = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]


def reference(activation: str, cost: str, z, y):
    """Return the cost of each sample in PyTorch, from the sums."""
    import torch

    functional = torch.nn.functional
    if activation == "sigmoid":
        right, wrong = functional.logsigmoid(z), functional.logsigmoid(-z)
    else:
        right = torch.log_softmax(z, 1)
        width = z.shape[1]
        rest = [[k for k in range(width) if k != j] for j in range(width)]
        left = [torch.logsumexp(z[:, others], 1) for others in rest]
        wrong = torch.stack(left, 1) - torch.logsumexp(z, 1, keepdim=True)
    total = y * right
    if cost == "cross_entropy":
        total = total + (1 - y) * wrong
    return -total.sum(1)


WAYS = {
    "directly": lambda a, sums: a,
    "passed on": lambda a, sums: nf.identity(nf.relay(a)),
    "picked": lambda a, sums: nf.pick(a, index=[2, 0, 1]),
    "picked and joined": lambda a, sums: nf.concatenate(
        nf.pick(a, index=[2, 0]), nf.pick(a, index=1)
    ),
}
PLACES = {"directly": [0, 1, 2], "passed on": [0, 1, 2], "picked": [2, 0, 1],
          "picked and joined": [2, 0, 1]}  # fmt: skip
READERS = {
    "alone": None,
    "squared": lambda a: nf.sum(nf.power(a)),
    "weighed": lambda a: nf.squared_error(
        nf.weighted_sum(a, nf.constant(value=[[0.3, -2.0, 1.0]])), [0.5]
    ),
}


@pytest.mark.programs("torch")
@pytest.mark.parametrize("pair", GAPS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reader", READERS)
def test_slopes_are_those_of_pytorch(pair, way, reader) -> None:
    import torch

    activation, cost = pair.split("-")
    graph = joined(pair, way, reader)
    run = evaluated(graph)
    z = torch.tensor(GAPS[pair], dtype=torch.float64, requires_grad=True)
    y = torch.tensor(TARGETS, dtype=torch.float64)
    # Features in another order have their targets in that order.
    sums = z[:, PLACES[way]] if activation == "sigmoid" else z
    whole = y if activation == "sigmoid" else y[:, np.argsort(PLACES[way]).tolist()]
    total = reference(activation, cost, sums, whole)
    a = torch.sigmoid(z) if activation == "sigmoid" else torch.softmax(z, 1)
    if reader == "squared":
        total = total + (a**2).sum(1)
    elif reader == "weighed":
        total = total + (a @ torch.tensor([0.3, -2.0, 1.0], dtype=torch.float64) - 0.5) ** 2
    total.mean().backward()
    assert run.cost == pytest.approx(total.mean().item(), rel=1e-14)
    assert_allclose(run.gradient("sum.z"), 2 * z.grad.numpy(), rtol=1e-12, atol=1e-15)
    assert_allclose(run.gradient("w.value"), z.grad.numpy().T, rtol=1e-12, atol=1e-15)


def joined(pair: str, way: str, reader: str) -> Graph:
    activation, cost = pair.split("-")
    x = nf.constant(value=[[1.0, 0.0], [0.0, 1.0]])
    w = nf.parameter(value=np.transpose(GAPS[pair]).tolist(), id="w")
    sums = nf.weighted_sum(x, w, id="sum")
    a = getattr(nf, activation)(sums, id="a")
    c = getattr(nf, cost)(WAYS[way](a, sums), nf.constant(value=TARGETS), id="cost")
    other = READERS[reader]
    return trained(c if other is None else nf.add(c, other(a)))


@pytest.mark.parametrize("pair", GAPS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reader", READERS)
def test_the_check_and_the_unfolding_agree(pair, way, reader) -> None:
    graph = joined(pair, way, reader)
    for one in (graph, nf.unfold(graph)):
        found = nf.check(one)
        assert found.valid, found
    run, unfolded = evaluated(graph), evaluated(nf.unfold(graph))
    assert run.cost == unfolded.cost
    assert run.gradients.keys() == unfolded.gradients.keys()
    stepped, trained_ = nf.Run(graph), nf.Run(graph)
    trained_.train(updates=3)
    while stepped.update < 3:
        stepped.step()
    assert stepped.weights["w.value"].tobytes() == trained_.weights["w.value"].tobytes()
    assert not any(call.node == "cost" for call in run.machine.tape.calls)


def test_neurons_with_a_sigmoid_each() -> None:
    """A layer taken apart: each δ is a − y of its own neuron."""
    x = nf.constant(value=[[1.0, 0.0], [0.0, 1.0]])
    neurons, z = [], [[38.0, -700.0], [-45.0, 0.3]]
    for k, row in enumerate(z, 1):
        w = nf.parameter(value=[row], id=f"w{k}")
        neurons.append(nf.sigmoid(nf.weighted_sum(x, w, id=f"sum{k}"), id=f"a{k}"))
    y = np.array([[0.0, 1.0], [1.0, 0.0]])
    cost = nf.cross_entropy(nf.concatenate(*neurons), nf.constant(value=y), id="cost")
    graph = trained(cost)
    run = evaluated(graph)
    sums = np.transpose(z)
    assert run.cost == pytest.approx((np.logaddexp(0, sums) - y * sums).sum(1).mean(), rel=1e-14)
    for k in (1, 2):
        a = run[f"a{k}.a"]
        assert_allclose(run.gradient(f"sum{k}.z"), a - y[:, k - 1 : k], atol=1e-16)
    assert nf.check(graph).valid


@pytest.mark.programs("torch")
@pytest.mark.parametrize("pair", GAPS)
def test_targets_that_are_trained(pair) -> None:
    """∂C/∂y is −z, or −ln a, also where the output is 0."""
    import torch

    activation, cost = pair.split("-")
    x = nf.constant(value=[[1.0, 0.0], [0.0, 1.0]])
    w = nf.parameter(value=np.transpose(GAPS[pair]).tolist(), id="w")
    v = nf.parameter(value=np.transpose([[0.3, 1.0, -1.0], [0.5, 0.2, 0.1]]).tolist(), id="v")
    sums = nf.weighted_sum(x, w, id="sum")
    y = nf.softmax(nf.weighted_sum(x, v, id="taught"), id="y")
    graph = trained(getattr(nf, cost)(getattr(nf, activation)(sums), y, id="cost"))
    assert nf.check(graph).valid
    z = torch.tensor(GAPS[pair], dtype=torch.float64)
    u = torch.tensor([[0.3, 1.0, -1.0], [0.5, 0.2, 0.1]], dtype=torch.float64, requires_grad=True)
    reference(activation, cost, z, torch.softmax(u, 1)).sum().backward()
    run = evaluated(graph)
    assert_allclose(run.gradient("taught.z"), u.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_outputs_that_come_from_elsewhere_have_the_cost_of_their_numbers() -> None:
    """Where z is not known, C is −Σ (y ln a + (1−y) ln(1−a)) of a."""
    a = nf.parameter(value=[0.2, 0.9], id="a")
    run = evaluated(
        trained(nf.cross_entropy(nf.multiply(a, 1.0), nf.constant(value=[0.0, 1.0]), id="cost"))
    )
    assert run.cost == pytest.approx(-math.log(0.8) - math.log(0.9), rel=1e-14)


def test_one_share_costs_nothing_and_moves_nothing() -> None:
    for cost, y in (("cross_entropy", 1.0), ("categorical_cross_entropy", 0.3)):
        run = evaluated(through("softmax", cost, [[4.0]], [[y]]))
        assert run.cost == 0
        assert run.gradient("sum.z").item() == 0


# --- what is told ---------------------------------------------------------------------------------


def cost_step(graph: Graph):
    run = nf.Run(graph)
    while run.node != "cost":
        run.step()
    return run, run.step()


def test_the_step_shows_what_was_computed() -> None:
    run, step = cost_step(through("sigmoid", "cross_entropy", [[38.0]], [[0.0]]))
    assert step.symbols == "C = Σ (ln(1 + e^z) − y z)"
    assert step.inputs["z"].tolist() == [[38.0]]
    assert step.formula == "cost = ln(1 + e^38) − 0·38 = 38"
    told = explain(run, step)
    assert {number.address for number in told.lines[0].numbers} >= {"sum.z"}


TOLD = [
    ("sigmoid-cross_entropy", [[-2.0, 800.0]], [[1.0, 0.0]],
     "cost = ln(1 + e^(−2)) − 1·(−2) + (800 + ln(1 + e^(−800)) − 0·800) = 802.1269"),
    ("softmax-categorical_cross_entropy", [[1.0, 2.0]], [[0.0, 1.0]],
     "cost = 1·(ln(e^1 + e^2) − 2) = 0.3133"),
    ("softmax-categorical_cross_entropy", [[800.0, 0.0]], [[0.0, 1.0]],
     "cost = 1·(800 + ln(e^(800 − 800) + e^(0 − 800)) − 0) = 800"),
    ("sigmoid-categorical_cross_entropy", [[-2.0, 1.0]], [[1.0, 0.0]],
     "cost = 1·ln(1 + e^(−(−2))) + 0·ln(1 + e^(−1)) = 2.1269"),
    ("softmax-cross_entropy", [[1.0, 2.0]], [[0.0, 1.0]],
     "cost = (1 − 0)·(−(ln(e^2) − ln(e^1 + e^2))) + 1·(ln(e^1 + e^2) − 2) = 0.6265"),
]  # fmt: skip


@pytest.mark.parametrize(("pair", "z", "y", "text"), TOLD)
def test_the_formula_of_each_pair(pair, z, y, text) -> None:
    run, step = cost_step(through(*pair.split("-"), z, y))
    assert step.formula == text
    line = explain(run, step).lines[0]
    assert value(line.expression) == pytest.approx(step.outputs["cost"].item(), rel=1e-12)


@pytest.mark.programs("torch")
@pytest.mark.parametrize("pair", GAPS)
@pytest.mark.parametrize("index", [[2, 0], [0, 0, 1]])
def test_some_of_the_features(pair, index) -> None:
    """Some shares of a softmax, or one of them twice, are outputs."""
    import torch

    activation, cost = pair.split("-")
    y = np.eye(len(index))[[0, len(index) - 1]]
    graph = picked(pair, index, y, GAPS[pair])
    run = evaluated(graph)
    z = torch.tensor(GAPS[pair], dtype=torch.float64, requires_grad=True)
    full = torch.zeros(2, 3, dtype=torch.float64)
    total = 0
    for place, feature in enumerate(index):  # the cost is a sum over its outputs
        right = full.clone()
        right[:, feature] = torch.tensor(y[:, place])
        found = reference(activation, "categorical_cross_entropy", z, right)
        if cost == "cross_entropy":
            both = full.clone()
            both[:, feature] = 1
            wrong = reference(activation, cost, z, full) - reference(activation, cost, z, both)
            wrong = wrong + reference(activation, "categorical_cross_entropy", z, both)
            # what all features but one share cancels: ln(1 − a) of that feature is left
            found = found + (1 - torch.tensor(y[:, place])) * wrong
        total = total + found
    total.sum().backward()
    assert run.cost == pytest.approx(total.mean().item(), rel=1e-10)
    assert_allclose(run.gradient("sum.z"), z.grad.numpy(), rtol=1e-10, atol=1e-13)
    _, step = cost_step(graph)
    assert step.formula.startswith("cost")


def picked(pair: str, index: list[int], y, z) -> Graph:
    activation, cost = pair.split("-")
    x = nf.constant(value=[[1.0, 0.0], [0.0, 1.0]])
    w = nf.parameter(value=np.transpose(z).tolist(), id="w")
    a = getattr(nf, activation)(nf.weighted_sum(x, w, id="sum"), id="a")
    return trained(getattr(nf, cost)(nf.pick(a, index=index), nf.constant(value=y), id="cost"))


@pytest.mark.parametrize("pair", GAPS)
@pytest.mark.parametrize("index", [[2, 0], [0, 0, 1]])
def test_slopes_of_some_features_are_right(pair, index) -> None:
    """With sums that the activation can still tell apart, and with those that saturate it."""
    y = np.eye(len(index))[[0, len(index) - 1]]
    for size in (1, 5, 20):
        found = nf.check(picked(pair, index, y, np.divide(GAPS[pair], size).tolist()))
        assert found.valid, (size, found)


@pytest.mark.parametrize("gap", [20.0, 36.0, 40.0, 44.0, 46.0, 60.0, 200.0])
def test_a_sure_softmax_has_its_cost_and_slope_to_the_last_digit(gap) -> None:
    """ln(1 + e^−g) of the target, and −e^−g of its sum: 1 − a would be 0 from g = 37 on."""
    x = nf.constant(value=[1.0])
    w = nf.parameter(value=[[gap], [0.0], [0.0]], id="w")
    a = nf.softmax(nf.weighted_sum(x, w, id="sum"))
    graph = trained(nf.categorical_cross_entropy(a, nf.constant(value=[1.0, 0, 0]), id="cost"))
    run = nf.Run(graph)
    small = 2 * np.exp(-gap)
    assert run.evaluate() == pytest.approx(np.log1p(small), rel=1e-14)
    share = small / (1 + small)
    assert_allclose(run.gradient("sum.z")[0], [-share, share / 2, share / 2], rtol=1e-14)
    assert nf.check(graph).valid
