"""A backward pass is the same whoever wires it: folded, unfolded, by hand, in a loop."""

import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from networks import assert_same, hand, net, splitmix_order, walk

import nodeflow as nf
from nodeflow import files
from nodeflow.cli import app
from nodeflow.errors import GraphError, NoBackward, ShapeMismatch

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


# --- graphs that random ones have brought up ------------------------------------------------------

ROWS = [[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]


def layer():
    """Return x, weights, a weighted sum, and targets, of three rows."""
    x = nf.constant(value=ROWS, id="x")
    w = nf.parameter(value=[[0.1, 0.2], [0.3, -0.4]], id="w")
    return x, w, nf.weighted_sum(x, w, id="sum"), nf.constant(value=[0.25, 0.75], id="y")


def trained(cost, **settings):
    return nf.Graph.of(nf.gradient_descent(cost, id="train", **settings), batch="all")


def evaluated(graph):
    run = nf.Run(graph)
    run.evaluate()
    return run


def fan_out():
    _, _, z, y = layer()
    return trained(nf.squared_error(nf.add(nf.tanh(z), nf.sigmoid(z)), y, id="cost"))


def through_an_activation():
    _, _, z, y = layer()
    b = nf.tanh(nf.parameter(value=[0.3, 0.4], id="b"))
    return trained(nf.squared_error(nf.add(z, b, id="shifted"), y, id="cost"))


def another_activation():
    """The blame of tanh, called after its layer, is none of the other activation's."""
    _, _, z, y = layer()
    cost = nf.squared_error(nf.tanh(z), y, id="cost")
    return trained(cost).add("aside", "sigmoid").connect("sum.z", "aside.z")


def all_frozen():
    return fan_out().with_mode("w", "freeze")


def bypassed():
    return fan_out().with_mode("tanh", "bypass")


@pytest.mark.parametrize(
    "made", [fan_out, through_an_activation, another_activation, all_frozen, bypassed]
)
def test_an_unfolded_graph_has_the_gradients_of_the_folded_one(made):
    """Also where several nodes read a value, and where blame is passed on as it is."""
    graph = made()
    folded, unfolded = evaluated(graph), evaluated(nf.unfold(graph))
    assert_same(unfolded.gradients, folded.gradients)
    assert_same(unfolded.values, folded.values)
    assert nf.check(nf.unfold(graph)).valid
    assert "aside.a" not in folded.gradients


def test_an_unfolded_graph_with_a_wire_cut_runs_as_far_as_it_can():
    graph = nf.unfold(fan_out()).disconnect("y.value", "cost.y")
    run = nf.Run(graph, strict=False)
    run.evaluate()
    assert run["sum.z"].shape == (3, 2)
    assert "cost" in run.plan.inference.problems


def test_delta_wired_by_hand_is_not_taken_for_all_of_the_blame():
    """Where another node reads the weighted sum too, one delta is a part of its blame only."""
    graph = replace(nf.unfold(fan_out()), extra={})
    assert nf.check(graph).valid


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("weigh", ["multiply", "weighted_sum", "expression", "bias"])
def test_a_penalty_inside_a_weighted_cost_counts_once_a_batch(n, weigh):
    """J = mean of p·C + q·(λ/2) Σ Θ², however the two are weighted."""
    _, w, _, y = layer()
    x = nf.constant(value=ROWS[:n], id="x")
    z = nf.weighted_sum(x, w, id="sum")
    c = nf.squared_error(z, y, id="cost")
    penalty = nf.l2_penalty(w, regularization=0.5, id="penalty")
    p, q = 0.5, 0.5
    match weigh:
        case "multiply":
            total = nf.multiply(0.5, nf.add(c, penalty))
        case "weighted_sum":
            total = nf.weighted_sum([c, penalty], nf.constant(value=[[0.5, 0.5]]))
        case "expression":
            square = nf.parameter(value=[0.7], id="v")
            total = nf.expression(p=c, v=square, formula="p + v^2")
            p, q = 1.0, 0.0
        case "bias":
            bias = nf.parameter(value=[0.7], id="v")
            total = nf.weighted_sum(c, nf.constant(value=[[1.0]]), bias)
            p, q = 1.0, 0.0
    run = evaluated(trained(total))
    theta, rows = np.array([[0.1, 0.2], [0.3, -0.4]]), np.array(ROWS[:n])
    e = rows @ theta.T - [0.25, 0.75]
    expected = p * 2 * e.T @ rows / n + q * 0.5 * theta
    np.testing.assert_allclose(run.gradient("w.value"), expected, rtol=1e-12)
    if weigh in ("expression", "bias"):
        slope = 1.4 if weigh == "expression" else 1.0
        np.testing.assert_allclose(run.gradient("v.value").ravel(), [slope], rtol=1e-12)
    assert run.gradient("sum.z").shape == (n, 2)


def test_a_cost_without_samples_is_not_divided_by_their_number():
    """J = (λ/2) Σ Θ² · 0.5, whatever else the rows of the graph are for."""
    _, w, z, _ = layer()
    total = nf.multiply(0.5, nf.l2_penalty(w, regularization=0.5, id="penalty"))
    graph = nf.Graph.of(nf.gradient_descent(total, id="train"), nf.panel(z), batch="all")
    for made in (graph, nf.unfold(graph)):
        expected = 0.25 * np.array([[0.1, 0.2], [0.3, -0.4]])
        np.testing.assert_allclose(evaluated(made).gradient("w.value"), expected, rtol=1e-12)
    assert nf.check(graph).valid
    assert files.dumps(nf.fold(nf.unfold(graph))) == files.dumps(graph)


def test_the_gradient_of_rows_has_a_row_a_sample_where_all_are_alike():
    _, _, z, _ = layer()
    run = evaluated(trained(nf.weighted_sum(z, nf.constant(value=[[0.5, -0.5]]))))
    np.testing.assert_array_equal(run.gradient("sum.z"), [[0.5, -0.5]] * 3)


def test_the_order_in_which_nodes_were_added_is_none_of_the_backward_pass():
    shared, y = nf.parameter(value=[[0.1, 0.2]], id="shared"), nf.constant(value=[0.5], id="y")
    sums = [nf.weighted_sum(nf.constant(value=v, id=f"in{k}"), shared, id=f"sum{k}")
            for k, v in enumerate(([1.0, 2.0], [3.0, 4.0]))]  # fmt: skip
    graph = trained(nf.add(*(nf.squared_error(z, y) for z in sums)))
    other = replace(graph, nodes=dict(reversed(graph.nodes.items())))
    assert files.dumps(nf.unfold(other)) == files.dumps(nf.unfold(graph))
    again = files.loads(files.dumps(nf.unfold(other)))
    assert files.dumps(nf.fold(again)) == files.dumps(graph)


def through_accuracy():
    _, _, z, y = layer()
    return trained(nf.add(nf.squared_error(z, y), nf.accuracy(z, y, id="hits")))


def through_delta():
    _, _, z, y = layer()
    return trained(nf.squared_error(nf.delta(z, nf.sigmoid(z), id="slope"), y))


@pytest.mark.parametrize("act", ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity"])
def test_an_activation_of_a_matrix_can_be_trained(act):
    """A delta multiplies number by number, be it rows of samples or the numbers of a parameter."""
    w = nf.parameter(value=[[0.1, 0.2], [0.3, -0.4]], id="w")
    x, y = nf.constant(value=[[1.0, 0.5], [0.2, -0.3]]), nf.constant(value=[[0.1, 0.7], [0.3, 0.2]])
    z = nf.weighted_sum(x, getattr(nf, act)(w, id="bent"))
    graph = trained(nf.squared_error(z, y))
    wired = nf.unfold(graph)
    assert files.dumps(nf.fold(wired)) == files.dumps(graph)
    run, stepped = nf.Run(graph), nf.Run(wired)
    found = nf.check(graph)
    assert found.valid
    assert {"bent", "w"} <= set(found.nodes)
    run.train(updates=3)
    walk(stepped, 3)
    assert run.gradient("bent.a").shape == (2, 2)
    np.testing.assert_array_equal(run.weights["w.value"], stepped.weights["w.value"])


@pytest.mark.parametrize(
    ("blame", "a", "settings", "sentence"),
    [
        ((2, 3), (2, 2), {}, "blame is 2×3 and a is 2×2: a delta multiplies number by number"),
        ((2,), (2, 2), {}, "blame is 2 and a is 2×2: a delta multiplies number by number"),
        ((3,), (2,), {}, "blame is 3 and a is 2: a delta multiplies number by number"),
        (
            (2, 2),
            (2, 2),
            {"activation": "softmax"},
            "the delta of softmax takes one row per sample",
        ),
    ],
)
def test_a_delta_of_what_is_not_alike_is_refused(blame, a, settings, sentence):
    parts = [nf.parameter(shape=shape) for shape in (blame, a)]
    with pytest.raises(ShapeMismatch, match=f"'slope': {sentence}"):
        nf.Run(nf.Graph.of(nf.delta(*parts, **settings, id="slope")))


@pytest.mark.parametrize(
    ("made", "node", "sentence"),
    [
        (
            through_accuracy,
            "hits",
            "blame cannot pass 'hits' (accuracy): counting hits has no slope; "
            "take it off the way to the cost, or give its type a rule",
        ),
        (
            through_delta,
            "slope",
            "blame cannot pass 'slope' (delta): its type has no backward rule; "
            "take it off the way to the cost, or give its type a rule",
        ),
    ],
)
def test_what_blame_cannot_pass_is_named(made, node, sentence):
    with pytest.raises(NoBackward) as error:
        nf.unfold(made())
    assert str(error.value) == sentence
    assert error.value.node == node


EDITS = {
    "a setting": (
        lambda g: g.set("train.rate", value=3.0),
        "the backward pass was edited, so it cannot be folded: train.rate differs from the rules",
    ),
    "two nodes": (
        lambda g: g.set("train.rate", value=3.0).set("sum.delta.1", activation="relu"),
        "the backward pass was edited, so it cannot be folded: sum.delta.1, train.rate differ "
        "from the rules",
    ),
    "a node of the trainer's name": (
        lambda g: g.add("train", "constant"),
        "the backward pass was edited, so it cannot be folded: train differs from the rules",
    ),
    "nothing unfolded": (
        lambda g: replace(g, extra={}),
        "the graph has no unfolded trainer: there is nothing to fold",
    ),
    "a node that hangs on it": (
        lambda g: g.add("seen", "panel").connect("sum.delta.1.delta", "seen.value"),
        "the backward pass was edited, so it cannot be folded: seen differs from the rules",
    ),
    "nodes in a chain that hang on it": (
        lambda g: (
            g.add("twice", "add")
            .connect("sum.delta.1.delta", "twice.a")
            .connect("sum.z", "twice.a")
            .add("seen", "panel")
            .connect("twice.value", "seen.value")
        ),
        "the backward pass was edited, so it cannot be folded: seen, twice differ from the rules",
    ),
    "a record that is none": (
        lambda g: replace(g, extra={"unfolded": {"train": {"type": "adam"}}}),
        "what the graph keeps under 'unfolded' cannot be read",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_cannot_be_folded_is_named_and_the_file_stays(name, tmp_path):
    change, sentence = EDITS[name]
    graph = change(nf.unfold(fan_out()))
    with pytest.raises(GraphError) as error:
        nf.fold(graph)
    assert str(error.value) == sentence
    path = tmp_path / "wired.json"
    nf.save(graph, path)
    before = path.read_bytes()
    done = CliRunner().invoke(app, ["fold", str(path), "-o", str(path)])
    assert done.exit_code == 1
    assert str(done.exception) == sentence
    assert path.read_bytes() == before
    nf.Run(graph).evaluate()  # what cannot be folded can be run
