"""Small systems of the literature, as files of graphs/: published figures and independent truth."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from networks import assert_same, splitmix_order

import nodeflow as nf
from nodeflow.derive.tidy import overlaps
from nodeflow.files import dumps

FOLDER = Path(__file__).parent.parent / "graphs"
FOLDED = (
    "one-neuron",
    "two-weights",
    "two-weights-biases",
    "mazur",
    "polynomial",
    "symmetry-zeros",
    "symmetry-random",
    "plateau",
    "starts-huge",
    "starts-glorot",
    "starts-naive-bayes",
    "and",
    "or",
    "circle",
    "spiral",
)
UNFOLDED = {
    "one-neuron-unfolded": "one-neuron",
    "two-weights-unfolded": "two-weights",
    "two-weights-biases-unfolded": "two-weights-biases",
}
FAULTY = ("feedback-alignment", "mazur-sequential")
"""Their blame is not the slope, and that is their point."""


def opened(name):
    return nf.load(FOLDER / f"{name}.json")


def trained(name, epochs=None, **settings):
    run = nf.Run(opened(name), **settings)
    run.train(epochs)
    return run


def assessed(run, test=False):
    """Return cost and accuracy as the weights stand."""
    return run.machine.assess(test=test)


def bare(graph):
    """Return a graph as text, but for what differs between two views of it."""
    return dumps(replace(graph, name="", about="", layout={}))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FOLDED, *UNFOLDED, "mazur-neurons-unfolded", *FAULTY])
def test_no_node_lies_on_another(name):
    assert not overlaps(opened(name))


@pytest.mark.parametrize("name", [*FOLDED, *UNFOLDED, "mazur-neurons-unfolded"])
def test_the_gradients_are_right(name):
    assert nf.check(opened(name)).valid


@pytest.mark.parametrize("name", FOLDED)
def test_the_wired_backward_pass_trains_to_the_same_weights(name):
    graph = opened(name)
    folded, wired = nf.Run(graph), nf.Run(nf.unfold(graph))
    folded.train(3)
    wired.train(3)
    assert_same({key: wired.weights[key] for key in folded.weights}, folded.weights)


@pytest.mark.parametrize(("name", "folded"), UNFOLDED.items())
def test_an_unfolded_file_is_the_unfolding_of_its_folded_one(name, folded):
    assert bare(nf.fold(opened(name))) == bare(opened(folded))


# --- the simplest network -------------------------------------------------------------------------


def gradients(name, **weights):
    run = nf.Run(opened(name))
    shapes = {key: value.shape for key, value in run.weights.items()}
    run.set_weights(
        {key: np.full(shapes[key], weights[key.removesuffix(".value")]) for key in shapes}
    )
    run.evaluate()
    return {key: run.gradient(f"{key}.value").item() for key in weights}


@pytest.mark.parametrize("name", ["one-neuron", "one-neuron-unfolded"])
@pytest.mark.parametrize("w", [-2.0, 0.0, 1 / 3, 0.8, 5.0])
def test_one_weight_has_a_straight_line_of_slopes(name, w):
    assert gradients(name, w=w)["w"] == pytest.approx(4.5 * w - 1.5, abs=1e-14)


@pytest.mark.parametrize("name", ["two-weights", "two-weights-unfolded"])
@pytest.mark.parametrize(("w1", "w2"), [(0.8, 0.6), (-1.0, 2.0), (0.0, 1.0)])
def test_two_weights_have_the_slopes_of_their_formula(name, w1, w2):
    twice = 2 * (w2 * w1 * 1.5 - 0.5)
    expected = {"w1": twice * w2 * 1.5, "w2": twice * w1 * 1.5}
    assert gradients(name, w1=w1, w2=w2) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", ["two-weights-biases", "two-weights-biases-unfolded"])
@pytest.mark.parametrize(("w1", "w2", "b1", "b2"), [(0.8, 0.6, 0.1, -0.2), (-1.0, 2.0, 0.5, 1.0)])
def test_two_weights_with_biases_have_the_slopes_of_their_formula(name, w1, w2, b1, b2):
    inner = w1 * 1.5 + b1
    twice = 2 * (w2 * inner + b2 - 0.5)
    expected = {"w1": twice * w2 * 1.5, "w2": twice * inner, "bias1": twice * w2, "bias2": twice}
    assert gradients(name, w1=w1, w2=w2, bias1=b1, bias2=b2) == pytest.approx(expected, rel=1e-13)


def test_the_first_numbers_of_the_chains_are_those_of_hand_work():
    """0.6·0.8·1.5 = 0.72 and 0.6·(0.8·1.5 + 0.1) − 0.2 = 0.58."""
    for name, a, cost in (("two-weights", 0.72, 0.0484), ("two-weights-biases", 0.58, 0.0064)):
        run = nf.Run(opened(name))
        assert run.evaluate() == pytest.approx(cost, rel=1e-12)
        assert run["sum2.z"].item() == pytest.approx(a, rel=1e-14)


# --- M. Mazur, "A Step by Step Backpropagation Example", 2015 ---------------------------------


def test_mazurs_forward_pass_has_the_published_digits():
    run = nf.Run(opened("mazur"))
    assert run.evaluate() == pytest.approx(0.298371109, abs=5e-10)
    assert run["hidden.z"][0, 0] == pytest.approx(0.3775, rel=1e-14)
    assert run["hidden_a.a"].ravel() == pytest.approx([0.593269992, 0.596884378], abs=5e-10)
    outputs = run["output_a.a"].ravel()
    assert outputs[0] == pytest.approx(0.75136507, abs=5e-9)
    assert outputs[1] == pytest.approx(0.772928465, abs=5e-10)
    errors = 0.5 * (outputs - [0.01, 0.99]) ** 2
    assert errors == pytest.approx([0.274811083, 0.023560026], abs=5e-10)


def test_mazurs_gradients_have_the_published_digits():
    run = nf.Run(opened("mazur"))
    run.evaluate()
    assert run.gradient("output.z").ravel()[0] == pytest.approx(0.138498562, abs=5e-10)
    assert run.gradient("theta2.value")[0, 0] == pytest.approx(0.082167041, abs=5e-10)
    assert run.gradient("theta1.value")[0, 0] == pytest.approx(0.000438568, abs=5e-10)


def test_mazurs_new_weights_have_the_published_digits():
    run = trained("mazur", 1)
    hidden, output = run.weights["theta1.value"].ravel(), run.weights["theta2.value"].ravel()
    assert hidden[0] == pytest.approx(0.149780716, abs=5e-10)
    assert hidden[1:] == pytest.approx([0.19956143, 0.24975114, 0.29950229], abs=5e-9)
    assert output[0] == pytest.approx(0.35891648, abs=5e-9)
    assert output[1:] == pytest.approx([0.408666186, 0.511301270, 0.561370121], abs=5e-10)
    assert run.weights["bias1.value"].tolist() == [0.35, 0.35]
    assert run.weights["bias2.value"].tolist() == [0.60, 0.60]


def mazur_in_numpy(updates, *, simultaneous):
    """Train Mazur's network by hand; return the error before the last update, after it, and a."""
    x, y = np.array([0.05, 0.10]), np.array([0.01, 0.99])
    w1, w2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
    errors = []
    for _ in range(updates + 1):
        h = sigmoid(w1 @ x + 0.35)
        o = sigmoid(w2 @ h + 0.60)
        errors.append(0.5 * ((o - y) ** 2).sum())
        d = (o - y) * o * (1 - o)
        new = w2 - 0.5 * np.outer(d, h)
        w1 = w1 - 0.5 * np.outer(((w2 if simultaneous else new).T @ d) * h * (1 - h), x)
        w2 = new
    return errors[-2], errors[-1], o


def test_mazurs_error_after_one_update_is_that_of_one_layer_after_the_other():
    """The article prints 0.291027924; its own new weights, which are simultaneous, give …774."""
    for name, simultaneous, digits in (
        ("mazur", True, 0.291027774),
        ("mazur-sequential", False, 0.291027924),
    ):
        run = trained(name, 1)
        error = run.evaluate()
        assert error == pytest.approx(digits, abs=5e-10)
        assert error == pytest.approx(mazur_in_numpy(1, simultaneous=simultaneous)[1], rel=1e-13)


def test_mazurs_error_of_update_ten_thousand_is_the_published_one():
    run = trained("mazur", 10_000)
    assert run.history[-1]["cost"] == pytest.approx(0.0000351085, abs=5e-11)
    before, after, outputs = mazur_in_numpy(10_000, simultaneous=True)
    assert run.history[-1]["cost"] == pytest.approx(before, rel=1e-9)
    assert run.evaluate() == pytest.approx(after, rel=1e-9)
    assert run["output_a.a"].ravel() == pytest.approx(outputs, rel=1e-9)


def test_mazurs_outputs_after_ten_thousand_are_those_of_one_layer_after_the_other():
    run = trained("mazur-sequential", 10_000)
    run.evaluate()
    outputs = run["output_a.a"].ravel()
    assert outputs == pytest.approx([0.015912196, 0.984065734], abs=5e-10)
    assert outputs == pytest.approx(mazur_in_numpy(10_000, simultaneous=False)[2], rel=1e-9)


def test_mazurs_neurons_are_mazurs_layers():
    layers, neurons = trained("mazur", 100), trained("mazur-neurons-unfolded", 100)
    for key in ("theta1", "theta2"):
        rows = [neurons.weights[f"{key}.{row}.value"] for row in (1, 2)]
        np.testing.assert_allclose(np.concatenate(rows), layers.weights[f"{key}.value"], rtol=1e-13)
    kinds = neurons.graph
    assert [len(kinds.of_type(kind)) for kind in ("weighted_sum", "sigmoid", "delta")] == [4, 4, 4]
    assert len(kinds.of_type("weight_update")) == 4
    assert bare(nf.fold(nf.collapse(kinds))) == bare(layers.graph)


# --- the polynomial maker -------------------------------------------------------------------------


def coefficients(run):
    """Return those of 1, x, x² and x³."""
    return np.concatenate([run.weights["bias1.value"], run.weights["theta1.value"].ravel()])


def test_the_polynomial_finds_the_cubic_and_goes_on_along_it():
    run = trained("polynomial")
    run.evaluate()
    assert coefficients(run) == pytest.approx([0, -3, 0, 4], abs=1e-9)
    assert run["prediction.z"].item() == pytest.approx(9, abs=1e-8)


def test_the_polynomial_through_noise_is_that_of_least_squares():
    random = np.random.RandomState(0)
    x = np.linspace(-1, 1, 15)
    y = 1 - 2 * x + x**2 + 3 * x**3 + random.normal(0, 0.3, 15)
    graph = opened("polynomial").remove("data")
    for key, value in (("x", x), ("y", y)):
        graph = graph.add(key, "constant", value=value.reshape(-1, 1))
    for start, end in (("x", "square.a"), ("x", "cube.a"), ("x", "output.a[0]"), ("y", "cost.y")):
        graph = graph.connect(f"{start}.value", end)
    run = nf.Run(graph)
    run.train(3000)
    run.evaluate()
    truth = np.polynomial.polynomial.polyfit(x, y, 3)
    assert coefficients(run) == pytest.approx(truth, abs=1e-9)
    far = np.polynomial.polynomial.polyval(1.5, truth)
    assert run["prediction.z"].item() == pytest.approx(far, abs=1e-8)


# --- starts ---------------------------------------------------------------------------------------


def neurons(run):
    """Return the weights of each hidden neuron in a row: in, bias, out."""
    weights = run.weights
    return np.column_stack(
        [weights["theta1.value"], weights["bias1.value"], weights["theta2.value"].T]
    )


def test_equal_neurons_stay_equal_to_the_last_bit():
    run = nf.Run(opened("symmetry-zeros"))
    for _ in range(20):
        run.train(10)
        assert (neurons(run) == neurons(run)[0]).all()
        assert neurons(run).any()
    other = trained("symmetry-random")
    for one, two in combinations(neurons(other), 2):
        assert np.abs(one - two).max() > 1
    assert assessed(run)[1] < 0.7
    assert assessed(other) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))


def test_four_equal_neurons_are_one():
    """In NumPy: one neuron whose output counts four times, with the slope of one of the four."""
    run = nf.Run(opened("symmetry-zeros"))
    split = run.machine.splits["data"]
    run.train(2)
    w, b, v, c = np.zeros(2), 0.0, np.zeros(2), np.zeros(2)
    for epoch in range(2):
        for row in splitmix_order(len(split.x), run.machine.seed, epoch):
            x, y = split.x[row], split.y[row]
            h = sigmoid(w @ x + b)
            o = sigmoid(4 * v * h + c)
            d = 2 * (o - y) * o * (1 - o)
            back = (d @ v) * h * (1 - h)
            v, c, w, b = v - 0.3 * d * h, c - 0.3 * d, w - 0.3 * back * x, b - 0.3 * back
    assert neurons(run)[2] == pytest.approx([*w, b, *v], rel=1e-9)


def test_the_plateau_is_long_and_ends():
    costs = [line["cost"] for line in trained("plateau").history]
    assert all(0.24 < cost < 0.27 for cost in costs[:5000])
    assert costs[-1] < 0.01
    assert np.all(np.diff(costs) < 0)


def test_some_starts_of_exclusive_or_are_stuck():
    costs = np.array([assessed(trained("xor", seed=seed))[0] for seed in range(40)])
    stuck = costs > 0.05
    assert stuck[9]
    assert not stuck[0]
    assert 0.15 < stuck.mean() < 0.55
    assert costs[stuck].min() > 0.12
    assert costs[~stuck].max() < 0.02


def test_a_stuck_start_has_next_to_no_slope():
    run = trained("xor", seed=9, batch="all")
    run.evaluate()
    assert assessed(run)[0] > 0.05
    assert max(np.abs(slope).max() for slope in run.gradients.values() if slope.ndim == 1) < 0.05
    assert np.abs(run.gradient("theta1.value")).max() < 1e-3


def test_huge_weights_do_not_learn_and_good_ones_do():
    before, after = {}, {}
    for name in ("huge", "glorot", "naive-bayes"):
        run = nf.Run(opened(f"starts-{name}"))
        before[name] = assessed(run)[0]
        run.train(20)
        after[name] = assessed(run)[0]
    assert before["huge"] - after["huge"] < 1e-6
    assert after["glorot"] < before["glorot"] / 3
    assert before["naive-bayes"] < after["glorot"]


def test_the_start_from_data_is_naive_bayes():
    """Shares of Gaussian classes with variances in common, by Bayes' rule."""
    run = nf.Run(opened("starts-naive-bayes"), batch="all")
    run.evaluate()
    split = run.machine.splits["data"]
    x, label = split.x, split.y.argmax(axis=1)
    classes = [x[label == c] for c in range(3)]
    variance = np.mean([rows.var(axis=0) for rows in classes], axis=0)
    likelihood = np.column_stack([
        len(rows) / len(x) * np.exp(-((x - rows.mean(axis=0)) ** 2 / variance / 2).sum(axis=1))
        for rows in classes
    ])  # fmt: skip
    shares = likelihood / likelihood.sum(axis=1, keepdims=True)
    assert run["output_a.a"] == pytest.approx(shares, abs=1e-9)


# --- gates and shapes -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "alone"), [("and", [1, 1]), ("or", [0, 0])])
def test_a_gate_is_one_line_that_parts_one_corner_from_three(name, alone):
    run = trained(name)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    side = corners @ run.weights["theta1.value"][0] + run.weights["bias1.value"] > 0
    lonely = (corners == alone).all(axis=1)
    assert (side == side[lonely]).tolist() == lonely.tolist()
    assert assessed(run)[1] == 1


@pytest.mark.parametrize("seed", range(5))
def test_one_neuron_never_computes_exclusive_or(seed):
    graph = opened("and").set("data", source="xor").set("theta1", init="normal")
    run = nf.Run(graph, seed=seed)
    for _ in range(10):
        run.train(50)
        assert assessed(run)[1] <= 0.75


@pytest.mark.parametrize(("name", "test"), [("circle", 0.95), ("spiral", 0.9)])
def test_a_shape_is_learned(name, test):
    run = trained(name)
    assert assessed(run)[1] > 0.98
    assert assessed(run, test=True)[1] >= test


# --- feedback alignment and other blames ------------------------------------------------------


def rewired(start):
    """Return the graph of feedback alignment with blame's weights from somewhere else."""
    graph = opened("feedback-alignment").disconnect("feedback.value", "hidden.blame.weights")
    return graph.connect(start, "hidden.blame.weights")


def in_numpy(run, epochs, weights_of_blame):
    """Train 64-30-10 by hand, blame passing the matrix that is chosen from Θ2 and feedback."""
    split, start = run.machine.splits["data"], run.weights
    names = ("theta1", "bias1", "theta2", "bias2")
    t1, b1, t2, b2 = (start[f"{name}.value"].copy() for name in names)
    for epoch in range(epochs):
        order = splitmix_order(len(split.x), run.machine.seed, epoch)
        for begin in range(0, len(order), run.batch):
            at = order[begin : begin + run.batch]
            x, y = split.x[at], split.y[at]
            h = sigmoid(x @ t1.T + b1)
            o = sigmoid(h @ t2.T + b2)
            d2 = 2 * (o - y) * o * (1 - o)
            d1 = d2 @ weights_of_blame(t2, start["feedback.value"]) * h * (1 - h)
            rate = 0.3 / len(at)
            t2, b2 = t2 - rate * d2.T @ h, b2 - rate * d2.sum(axis=0)
            t1, b1 = t1 - rate * d1.T @ x, b1 - rate * d1.sum(axis=0)
    return dict(zip(names, (t1, b1, t2, b2), strict=True))


def signs():
    graph = opened("feedback-alignment").disconnect("feedback.value", "hidden.blame.weights")
    graph = graph.add("signs", "expression", formula="sign(weights)")
    graph = graph.connect("theta2.value", "signs.weights")
    return graph.connect("signs.value", "hidden.blame.weights")


@pytest.mark.parametrize(
    ("graph", "chosen"),
    [
        (lambda: opened("feedback-alignment"), lambda theta, feedback: feedback),
        (lambda: rewired("theta2.value"), lambda theta, feedback: theta),
        (signs, lambda theta, feedback: np.sign(theta)),
    ],
    ids=["feedback alignment", "backpropagation", "sign symmetry"],
)
def test_blame_goes_back_through_the_weights_that_are_wired(graph, chosen):
    run = nf.Run(graph())
    expected = in_numpy(run, 2, chosen)
    feedback = run.weights["feedback.value"]
    run.train(2)
    for name, value in expected.items():
        np.testing.assert_allclose(run.weights[f"{name}.value"], value, rtol=1e-9, atol=1e-12)
    assert (run.weights["feedback.value"] == feedback).all()


@pytest.mark.parametrize("build", [lambda: opened("feedback-alignment"), signs])
def test_other_blames_teach_nearly_as_well_as_backpropagation(build):
    found = [
        np.mean([nf.Run(graph, seed=seed).train()[-1]["test_accuracy"] for seed in range(3)])
        for graph in (rewired("theta2.value"), build())
    ]
    assert found[0] > 0.93
    assert abs(found[1] - found[0]) < 0.02


def angle(run):
    graph = run.graph
    judge = nf.Run(graph, seed=run.machine.seed, batch="all")
    judge.set_weights(run.weights)
    judge.evaluate()
    one, two = judge["hidden.blame.blame"], judge["true_blame.blame"]
    cosine = (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    return np.degrees(np.arccos(cosine)).mean()


@pytest.mark.parametrize("seed", range(3))
def test_the_two_blames_come_together(seed):
    run = nf.Run(opened("feedback-alignment"), seed=seed)
    found = [angle(run)]
    for _ in range(4):
        run.train(5)
        found.append(angle(run))
    assert 70 < found[0] < 110
    assert found[1] < 60
    assert found[-1] < 45


@pytest.mark.parametrize("name", FAULTY)
def test_the_check_tells_that_such_blame_is_not_the_slope(name):
    check = nf.check(opened(name))
    assert not check.valid
    faulty = {key for key, node in check.nodes.items() if node.status == "fault"}
    assert "theta1" in faulty
    assert faulty <= {"theta1", "bias1", "hidden", "hidden_a"}


def test_with_its_own_weights_the_check_finds_no_fault():
    assert nf.check(rewired("theta2.value")).valid


def test_a_frozen_weight_stays_and_the_others_learn():
    """Frozen, or its update taken out of the wired pass: the same."""
    graph = opened("iris")
    frozen = nf.Run(graph.with_mode("theta1", "freeze"))
    start = frozen.weights
    frozen.train(200)
    removed = nf.Run(nf.unfold(graph).remove("theta1.update"))
    removed.train(200)
    assert_same(frozen.weights, {key: removed.weights[key] for key in frozen.weights})
    assert (frozen.weights["theta1.value"] == start["theta1.value"]).all()
    for key in ("theta2.value", "bias1.value", "bias2.value"):
        assert (frozen.weights[key] != start[key]).any()
    assert assessed(frozen)[0] < 0.8 * assessed(nf.Run(graph))[0]
