"""J and its gradients: folded, unfolded, folded again, saved; of one trainer and of several."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import nodeflow as nf
from nodeflow.graph import Graph

X = [[0.3, -0.8], [1.2, 0.4], [-0.7, 0.9]]
Y = [[0.2], [0.9], [0.5]]
TRAINERS = {
    "plain": {},
    "momentum": {"momentum": 0.6},
    "adam": {"trainer": "adam", "epsilon": 0.1},
}


def parts():
    """Return two costs of one network, and a bare parameter."""
    x, y = nf.constant(value=X, id="x"), nf.constant(value=Y, id="y")
    w = nf.parameter(value=[[0.5, -0.7]], id="w")
    b = nf.parameter(value=[0.3], id="b")
    out = nf.sigmoid(nf.weighted_sum(x, w, b, id="sum"), id="out")
    return nf.squared_error(out, y, id="first"), nf.cross_entropy(out, y, id="second"), w


def trained(cost, trainer="gradient_descent", *beside, **settings) -> Graph:
    made = getattr(nf, trainer)(cost, rate=0.05, id="train", **settings)
    return Graph.of(made, *beside, batch="all")


def numbers():
    """Return the costs of each sample by NumPy, as a function of the weights."""
    x, y = np.array(X), np.array(Y)

    def costs(w, b):
        z = x @ w.T + b
        a = 1 / (1 + np.exp(-z))
        return ((a - y) ** 2).sum(1), (np.logaddexp(0, z) - y * z).sum(1)

    return costs


ENDS = {
    "square": (lambda c, d: nf.power(c), lambda c, d: c**2),
    "exp": (lambda c, d: nf.exp(c), lambda c, d: np.exp(c)),
    "log": (lambda c, d: nf.log(c), lambda c, d: np.log(c)),
    "sum": (nf.add, lambda c, d: c + d),
    "sum of features": (lambda c, d: nf.sum(nf.concatenate(c, d)), lambda c, d: c + d),
    "mean": (lambda c, d: nf.mean(nf.concatenate(c, d)), lambda c, d: (c + d) / 2),
    "product": (nf.multiply, lambda c, d: c * d),
    "quotient": (nf.divide, lambda c, d: c / d),
    "formula": (
        lambda c, d: nf.expression(c, d, formula="p * 2 + sqrt(q)"),
        lambda c, d: 2 * c + np.sqrt(d),
    ),
    "weighed": (
        lambda c, d: nf.weighted_sum([c, d], nf.constant(value=[[0.3, 0.7]])),
        lambda c, d: 0.3 * c + 0.7 * d,
    ),
    "relayed": (lambda c, d: nf.relay(nf.power(nf.relay(c))), lambda c, d: c**2),
    "one of two": (lambda c, d: c, lambda c, d: c),
    "activation": (lambda c, d: nf.tanh(c), lambda c, d: np.tanh(c)),
}


def slopes(function, w, b):
    """Return ∂J/∂w and ∂J/∂b by differences in steps that lose no digits."""
    costs = numbers()

    def total(w, b):
        return float(np.mean(function(*costs(w, b))))

    def differ(at, nudge):
        found = np.zeros_like(at)
        for i in np.ndindex(at.shape):
            h = np.zeros_like(at)
            h[i] = 1e-3
            near, far = (nudge(k * h) - nudge(-k * h) for k in (1, 2))
            found[i] = (8 * near - far) / 12e-3
        return found

    return differ(w, lambda h: total(w + h, b)), differ(b, lambda h: total(w, b + h))


@pytest.mark.parametrize("options", TRAINERS.values(), ids=TRAINERS)
@pytest.mark.parametrize("end", ENDS)
def test_folded_unfolded_and_saved_have_the_same_cost(end, options, tmp_path) -> None:
    wired, function = ENDS[end]
    first, second, _ = parts()
    options = dict(options)
    graph = trained(wired(first, second), options.pop("trainer", "gradient_descent"),
                    second, **options)  # fmt: skip
    unfolded = nf.unfold(graph)
    nf.save(unfolded, tmp_path / "unfolded.json")
    saved = nf.load(tmp_path / "unfolded.json")
    again = nf.fold(unfolded)
    assert (again.nodes, again.wires) == (graph.nodes, graph.wires)
    w, b = np.array([[0.5, -0.7]]), np.array([0.3])
    cost = np.mean(function(*numbers()(w, b)))
    by_w, by_b = slopes(function, w, b)
    whole = nf.Run(graph)
    whole.train(epochs=3)
    for one in (graph, unfolded, saved, again, nf.fold(saved)):
        run = nf.Run(one)
        assert run.evaluate() == pytest.approx(cost, rel=1e-12)
        assert_allclose(run.gradient("w.value"), by_w, rtol=1e-8)
        assert_allclose(run.gradient("b.value"), by_b, rtol=1e-8)
        run.train(epochs=3)
        assert run.history == whole.history
        assert run.cost == whole.cost
        assert run.gradients.keys() == whole.gradients.keys()
        for address, value in whole.gradients.items():
            assert run.gradient(address).tobytes() == value.tobytes(), address
        found = nf.check(one)
        assert found.valid
        assert {"w", "b", "sum"} <= found.nodes.keys()


def test_the_cost_keeps_its_place_when_nodes_are_renamed() -> None:
    first, second, _ = parts()
    graph = nf.unfold(trained(nf.power(first, id="J"), "gradient_descent", second))
    wanted = nf.Run(graph)
    for old, new in (("J", "total"), ("first", "one"), ("sum", "layer"), ("w.update", "step")):
        graph = graph.rename(old, new)
        run = nf.Run(graph)
        assert run.evaluate() == wanted.evaluate()
        assert nf.check(graph).valid


# --- several trainers -----------------------------------------------------------------------------


def two_networks(*, frozen: bool = False) -> Graph:
    """Return two networks on one data set, a trainer each; they may share a frozen layer."""
    x, y = nf.constant(value=X, id="x"), nf.constant(value=Y, id="y")
    shared = x
    if frozen:
        s = nf.parameter(value=[[0.4, 0.1], [-0.3, 0.8]], id="s")
        shared = nf.tanh(nf.weighted_sum(x, s, id="shared"), id="act")
    ends = []
    for name, value, trainer in (
        ("u", [[0.5, -0.7]], lambda c: nf.gradient_descent(c, rate=0.1, id="slow")),
        ("v", [[-0.2, 0.6]], lambda c: nf.adam(c, rate=0.02, epsilon=0.1, id="quick")),
    ):
        theta = nf.parameter(value=value, id=name)
        out = nf.sigmoid(nf.weighted_sum(shared, theta, id=f"{name}.sum"), id=f"{name}.out")
        ends.append(trainer(nf.squared_error(out, y, id=f"{name}.cost")))
    graph = Graph.of(*ends, batch="all")
    return graph.with_mode("s", "freeze") if frozen else graph


def alone(name: str, trainer: str, *, frozen: bool = False) -> Graph:
    other = "v" if name == "u" else "u"
    graph = two_networks(frozen=frozen)
    gone = [key for key in graph.nodes if key.split(".")[0] == other]
    return graph.remove(*gone, "quick" if trainer == "slow" else "slow")


@pytest.mark.parametrize("frozen", [False, True], ids=["apart", "on a frozen layer"])
def test_two_trainers_of_parameters_of_their_own_both_count(frozen, tmp_path) -> None:
    graph = two_networks(frozen=frozen)
    unfolded = nf.unfold(graph)
    nf.save(unfolded, tmp_path / "two.json")
    singles = {}
    for name, trainer in (("u", "slow"), ("v", "quick")):
        singles[name] = nf.Run(alone(name, trainer, frozen=frozen))
        singles[name].train(epochs=5)
    runs = [nf.Run(one) for one in (graph, unfolded, nf.load(tmp_path / "two.json"))]
    for run in runs:
        first = {name: value.copy() for name, value in run.weights.items()}
        run.train(epochs=5)
        for name, single in singles.items():
            found = run.weights[f"{name}.value"]
            assert found.tobytes() == single.weights[f"{name}.value"].tobytes()
        for line, *apart in zip(run.history, *(s.history for s in singles.values()), strict=True):
            assert line["cost"] == pytest.approx(sum(one["cost"] for one in apart), rel=1e-14)
        run.goto(update=0)
        run.train(updates=1)
        # Θ ← Θ − αD with the gradient that is shown
        moved = first["u.value"] - run.weights["u.value"]
        assert_allclose(moved, 0.1 * run.gradient("u.value"), rtol=1e-12)
    folded, other = runs[:2]
    assert folded.history == other.history
    assert folded.gradients.keys() == other.gradients.keys()
    for address, value in folded.gradients.items():
        assert value.tobytes() == other.gradients[address].tobytes()
    again = nf.fold(unfolded)
    assert (again.nodes, again.wires) == (graph.nodes, graph.wires)
    for one in (graph, unfolded):
        found = nf.check(one)
        assert found.valid
        assert {"u", "v", "u.sum", "v.sum"} <= found.nodes.keys()
        assert not frozen or {"s", "shared"} <= found.nodes.keys()


def test_trainers_stand_beside_what_is_unfolded() -> None:
    """A trainer that comes later has its share of J as well."""
    whole = two_networks()
    later = alone("u", "slow")
    added = nf.unfold(later)
    names = [key for key in whole.nodes if key.startswith("v") or key == "quick"]
    for key in names:
        added = added.add(key, whole.nodes[key].type, **whole.nodes[key].settings)
    for wire in whole.wires:
        if wire.target in names:
            added = added.connect(wire.start, wire.end)
    run, wanted = nf.Run(added), nf.Run(whole)
    for one in (run, wanted):
        one.train(epochs=3)
    assert run.history == wanted.history
    assert run.gradients.keys() >= {"u.value", "v.value"}
    assert nf.check(added).valid
    both = nf.Run(nf.unfold(added))
    both.train(epochs=3)
    assert both.history == wanted.history
    again = nf.fold(nf.unfold(added))
    assert (again.nodes, again.wires) == (whole.nodes, whole.wires)


def refused(graph: Graph) -> str:
    sentences = set()
    for act in (nf.Run, nf.unfold, nf.check):
        with pytest.raises(nf.NodeflowError) as caught:
            act(graph)
        sentences.add(str(caught.value))
    assert len(sentences) == 1
    return sentences.pop()


def test_two_trainers_of_one_parameter_are_refused() -> None:
    first, second, _ = parts()
    ends = (nf.gradient_descent(first, id="slow"), nf.adam(second, id="quick"))
    graph = Graph.of(*ends, batch="all")
    sentence = (
        "'quick' and 'slow' would both move 'b'; add their costs and keep one of the two, "
        "or freeze 'b'"
    )
    assert refused(graph) == sentence
    run = nf.Run(graph, strict=False)  # the first one trains, the other says why it cannot
    assert str(run.plan.inference.problems["slow"]) == sentence
    run.train(epochs=1)
    settled = graph.with_mode("b", "freeze").with_mode("w", "freeze")
    assert nf.check(settled).valid
    one_off = graph.with_mode("slow", "disable")
    assert nf.check(one_off).valid


def test_a_trainer_and_an_update_that_was_wired_are_refused() -> None:
    first, second, _ = parts()
    unfolded = nf.unfold(trained(first, "gradient_descent", second))
    graph = unfolded.add("again", "adam").connect("second.cost", "again.cost")
    assert refused(graph) == (
        "'train' and 'again' would both move 'b'; add their costs and keep one of the two, "
        "or freeze 'b'"
    )
    by_hand = graph.remove("again")
    by_hand = nf.Graph(nodes=by_hand.nodes, wires=by_hand.wires, training=by_hand.training)
    by_hand = by_hand.add("again", "adam").connect("second.cost", "again.cost")
    assert refused(by_hand).startswith("'b.update' and 'again' would both move 'b'; ")


def test_a_search_stands_alone() -> None:
    graph = two_networks().remove("quick").add("search", "minimize")
    graph = graph.connect("v.cost.cost", "search.cost")
    with pytest.raises(nf.NodeflowError) as caught:
        nf.Run(graph)
    assert str(caught.value) == (
        "'search' (minimize) cannot stand beside 'slow': its line search takes all parameters "
        "at once; keep one of the two"
    )


# --- what has no sample axis ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
@pytest.mark.parametrize("batch", [True, False])
def test_a_bare_parameter_in_the_cost_has_a_slope_of_1(batch, shape) -> None:
    x = nf.constant(value=X if batch else X[0], id="x")
    w = nf.parameter(value=[[0.5, -0.7]], id="w")
    bare = nf.parameter(value=np.full(shape, 0.25).tolist(), id="bare")
    cost = nf.squared_error(nf.weighted_sum(x, w), nf.constant(value=[0.5]), id="cost")
    graph = trained(nf.add(cost, bare, id="J"))
    for one in (graph, nf.unfold(graph)):
        run = nf.Run(one)
        run.train(updates=2)
        assert run.gradient("bare.value").tolist() == np.ones(shape).tolist()
        assert_allclose(run.weights["bare.value"], np.full(shape, 0.25 - 2 * 0.05), rtol=1e-14)
        stepped = nf.Run(one)
        while stepped.update < 2:
            stepped.step()
        assert stepped.weights["bare.value"].tobytes() == run.weights["bare.value"].tobytes()
        assert nf.check(one).valid
        assert nf.check(one).nodes["bare"].gradient == 1
    alone_ = trained(nf.multiply(nf.relay(bare), 1.0))
    assert nf.check(alone_).nodes["bare"].gradient == 1


def test_the_cost_may_be_the_parameter_itself() -> None:
    graph = trained(nf.parameter(value=[2.0], id="w"))
    run = nf.Run(graph)
    run.train(updates=3)
    assert run.weights["w.value"] == pytest.approx(2.0 - 3 * 0.05, rel=1e-14)
    assert run.gradient("w.value").tolist() == [1.0]


def test_values_without_samples_have_the_gradient_of_j() -> None:
    """∂J/∂ of weights that are computed, by differences, for batches of one, two and all rows."""
    x, y = np.array(X), np.array(Y)
    theta, s, b = np.array([[0.5, -0.7]]), np.array([1.5]), np.array([0.2])
    for rows in (1, 2, 3):
        x_, y_ = nf.constant(value=x[:rows].tolist(), id="x"), nf.constant(value=y[:rows].tolist())
        scaled = nf.multiply(nf.parameter(value=theta, id="w"), nf.parameter(value=s, id="s"),
                             id="scaled")  # fmt: skip
        bent = nf.tanh(nf.parameter(value=b, id="b"), id="bent")
        z = nf.weighted_sum(x_, scaled, bent, id="z")
        cost = nf.squared_error(z, y_, id="cost")
        penalty = nf.l2_penalty(scaled, regularization=0.3, id="penalty")
        graph = trained(nf.add(cost, penalty, nf.sum(nf.power(bent)), id="J"))
        for one in (graph, nf.unfold(graph)):
            run = nf.Run(one)
            run.evaluate()
            e = x[:rows] @ (theta * s).T + np.tanh(b) - y[:rows]
            by_scaled = 2 * e.T @ x[:rows] / rows + 0.3 * theta * s
            by_bent = 2 * e.mean(0) + 2 * np.tanh(b)
            assert_allclose(run.gradient("scaled.value"), by_scaled, rtol=1e-13)
            assert_allclose(run.gradient("bent.a"), by_bent, rtol=1e-13)
            assert_allclose(run.gradient("w.value"), by_scaled * s, rtol=1e-13)
            assert_allclose(run.gradient("s.value"), [(by_scaled * theta).sum()], rtol=1e-13)
            assert run.gradient("penalty.cost").item() == 1
            found = nf.check(one)
            assert found.valid
            assert {"scaled", "bent", "w", "s", "b"} <= found.nodes.keys()


def test_a_gradient_that_was_wired_over_several_rows_steps_as_it_is_shown() -> None:
    """One sample, a row of weights for a whole matrix of blame: Θ ← Θ − α Σ rows, all of them."""
    x = nf.constant(value=[1.0, 2.0], id="x")
    w = nf.parameter(value=[[0.5, -0.7], [0.1, 0.2]], id="w")
    row = nf.parameter(value=[0.3, -0.1], id="row")
    z = nf.weighted_sum(x, nf.add(w, row, id="whole"), id="z")
    graph = Graph.of(nf.squared_error(z, nf.constant(value=[0.0, 1.0]), id="cost"))
    graph = (
        graph.add("e", "error").connect("z.z", "e.a").connect("constant.value", "e.y")
        .add("blame", "weight_gradient").connect("e.e", "blame.delta").connect("x.value", "blame.a")
        .add("total", "bias_gradient").connect("blame.gradient", "total.delta")
        .add("mean", "average").connect("total.gradient", "mean.total")
        .add("rate", "constant", value=0.1)
        .add("update", "weight_update").connect("row.value", "update.parameter")
        .connect("mean.gradient", "update.gradient").connect("rate.value", "update.rate")
        .connect("update.value", "row.next")
    )  # fmt: skip
    stepped, run = nf.Run(graph), nf.Run(graph)
    run.train(updates=3)
    while stepped.update < 3:
        stepped.step()
    assert run.weights["row.value"].tobytes() == stepped.weights["row.value"].tobytes()
