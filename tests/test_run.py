"""A run: stepping and full speed give the same numbers, and faults leave it whole."""

import gc
import re
import signal
import threading
from weakref import ref

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import (
    CLASSES,
    assert_same,
    assert_same_moment,
    hand,
    net,
    splitmix_order,
    walk,
)

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.engine.executor import Executor, executed_by
from nodeflow.engine.snapshot import ages
from nodeflow.errors import BadSetting, Diverged, GraphError, MissingInput, RunError, UnknownPort

SMALL = ("polynomial", (1, 3, 1))
"""21 rows: batches of 4 end with one of 1, batches of 10 likewise."""


@pytest.fixture
def numpy_types():
    """Two node types that no row kernel knows, one of them with a rule made from its vjp."""

    @nf.node("activation", formula="a = z / (1 + |z|)", shapes="elementwise")
    def softsign_here(z):
        """Bend to −1 … 1."""
        return z / (1 + np.abs(z))

    @softsign_here.vjp
    def _softsign_blame_here(blame, z):
        """Pass blame through softsign."""
        return blame / (1 + np.abs(z)) ** 2

    @nf.node("arithmetic", formula="value = round a", shapes="elementwise")
    def rounded_here(a):
        """Round each number: there is no slope."""
        return np.round(a, 1)

    yield
    for name in [name for name in CATALOG if "_here" in name]:
        CATALOG.remove(name)


def with_numpy_types():
    x, y = nf.dataset(source="polynomial", id="data")
    w = nf.parameter(shape=(3, 1), init="uniform", id="w")
    v = nf.parameter(shape=(1, 4), init="uniform", id="v")
    a = nf.softsign_here(nf.weighted_sum(x, w, id="hidden"), id="hidden.a")
    out = nf.weighted_sum([a, nf.rounded_here(x, id="coarse")], v, id="out")
    trainer = nf.gradient_descent(nf.squared_error(out, y, id="cost"), rate=0.1, id="train")
    return nf.Graph.of(trainer, batch=4)


def many_types():
    """A graph with most of what a layered network does not have."""
    x, y = nf.dataset(source="blobs", scale="standard", test=0.2, id="data")
    w = nf.parameter(shape=(4, 4), init="normal", id="w")
    gain = nf.parameter(value=[0.8], id="gain")
    offset = nf.parameter(shape=(3,), init="zeros", id="offset")
    first, second = nf.pick(x, index=0, id="first"), nf.pick(x, index=1, id="second")
    product = nf.multiply(first, second, id="product")
    bent = nf.expression(formula="sin(p) + max(q, 0.1) * g", p=first, q=second, g=gain, id="bent")
    joined = nf.concatenate(x, product, bent, id="joined")
    hidden = nf.softplus(nf.weighted_sum(joined, w, id="hidden"), id="hidden.a")
    scaled = nf.divide(hidden, nf.add(nf.sum(nf.exp(hidden)), 1.0), id="scaled")
    v = nf.parameter(shape=(3, 5), init="glorot", id="v")
    z = nf.weighted_sum([scaled, nf.mean(nf.power(hidden, exponent=3.0))], v, offset, id="out")
    cost = nf.categorical_cross_entropy(nf.softmax(z, id="out.a"), y, id="cost")
    total = nf.add(cost, nf.l2_penalty(w, v, regularization=0.01), id="total")
    return nf.Graph.of(nf.gradient_descent(total, rate=0.02, id="train"), batch=16)


def constants():
    x = nf.constant(value=[[0.0, 1.0], [1.0, 1.0], [0.5, 0.2]], id="x")
    y = nf.constant(value=[[0.1], [0.9], [0.4]], id="y")
    w = nf.parameter(shape=(1, 2), init="uniform", id="w")
    cost = nf.squared_error(nf.sigmoid(nf.weighted_sum(x, w, id="sum")), y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.3, id="train"))


GRAPHS = {
    "one sample": lambda: net(*CLASSES, rate=0.3, test=0.34),
    "batch 10": lambda: net(*CLASSES, rate=0.3, test=0.34, batch=10),
    "batch all": lambda: net(*CLASSES, rate=0.3, test=0.34, batch="all"),
    "short last batch": lambda: net(*SMALL, batch=4, rate=0.2, accuracy=False),
    "no shuffle": lambda: net(*SMALL, batch=4, shuffle=False, accuracy=False),
    "momentum": lambda: net("blobs", (2, 4, 3), batch=8, momentum=0.9, test=0.2),
    "adam": lambda: net("blobs", (2, 4, 3), batch=8, trainer="adam", test=0.2),
    "adam, one sample": lambda: net(*SMALL, trainer="adam", accuracy=False),
    "l2": lambda: net("blobs", (2, 4, 3), batch=8, l2=0.01, test=0.2),
    "l2, one sample": lambda: net("blobs", (2, 4, 3), l2=0.01, test=0.2),
    "relu, softmax": lambda: net(
        "blobs", (2, 5, 4, 3), act="relu", last="softmax", cost="categorical_cross_entropy"
    ),
    "tanh, batch": lambda: net("moons", (2, 70, 2), act="tanh", batch=64, test=0.1),
    "leaky relu": lambda: net("moons", (2, 6, 2), act="leaky_relu", batch=3),
    "cross-entropy": lambda: net("moons", (2, 4, 2), cost="cross_entropy", batch=7, half=False),
    "xor": lambda: net("xor", (2, 2, 1), rate=0.5, scale="none"),
    "wide": lambda: net("blobs", (2, 40, 30, 3), batch=32),
    "frozen": lambda: net("blobs", (2, 4, 3), batch=8).with_mode("theta1", "freeze"),
    "unfolded": lambda: nf.unfold(net("blobs", (2, 4, 3), batch=8)),
    "wired by hand": lambda: hand("blobs", (2, 4, 3), rate=0.3, batch=8, test=0.2),
    "sample loop": lambda: hand("blobs", (2, 4, 3), rate=0.3, batch=8, loop=True, test=0.2),
    "many types": many_types,
    "no data set": constants,
    "cg": lambda: net(*SMALL, trainer="minimize", accuracy=False),
    "l-bfgs": lambda: net(*SMALL, trainer="minimize", method="l-bfgs", accuracy=False),
}


# --- stepping and training ---------------------------------------------------------------------


@pytest.mark.parametrize("name", GRAPHS)
def test_stepping_and_training_give_the_same_bits(name):
    """Weights, every value, cost and history: node by node, and at full speed."""
    graph = GRAPHS[name]()
    trained, stepped = nf.Run(graph, seed=1), nf.Run(graph, seed=1)
    epochs = 2 if trained.updates_per_epoch > 1 else 5
    trained.train(epochs)
    walk(stepped, trained.update)
    assert_same_moment(trained, stepped)
    assert trained.cost == stepped.cost


@pytest.mark.parametrize("batch", [1, 10, "all"])
@pytest.mark.parametrize("settings", [{}, {"l2": 0.01}, {"momentum": 0.5}], ids=str)
def test_stepping_and_training_give_the_same_bits_in_float32(batch, settings):
    """Single precision rounds at the same places at both speeds."""
    graph = net("blobs", (2, 30, 3), rate=0.3, batch=batch, test=0.2, **settings)
    trained, stepped = (nf.Run(graph, dtype=np.float32) for _ in range(2))
    trained.train(2)
    walk(stepped, trained.update)
    assert_same_moment(trained, stepped)
    assert trained["cost.cost"].dtype == np.float32


def test_float32_is_close_to_float64():
    """The same run in single precision differs by rounding only."""
    graph = net("blobs", (2, 4, 3), rate=0.3, batch=10)
    wide, narrow = nf.Run(graph), nf.Run(graph, dtype="float32")
    wide.train(5)
    narrow.train(5)
    for address, value in wide.weights.items():
        np.testing.assert_allclose(narrow.weights[address], value, rtol=0, atol=1e-4)


def test_types_without_a_row_kernel_step_and_train_alike(numpy_types):
    """A type that has only its function runs through it, at both speeds, with its vjp."""
    graph = with_numpy_types()
    trained, stepped = nf.Run(graph), nf.Run(graph)
    assert trained.machine.tape.calls
    trained.train(3)
    walk(stepped, trained.update)
    assert_same_moment(trained, stepped)
    trained.goto(epoch=1, sample=8, node="hidden.a")
    stepped = walk(nf.Run(graph), trained.update)
    while stepped.node != trained.node:
        stepped.step()
    assert_same(trained.values, stepped.values)
    assert nf.check(graph).max_relative_error < 1e-7


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(1, 30)),
        st.tuples(st.just("train"), st.integers(0, 7)),
        st.tuples(st.just("advance"), st.sampled_from(["phase", "sample", "update", "epoch"])),
        st.tuples(st.just("goto"), st.integers(0, 12)),
        st.tuples(st.just("evaluate"), st.none()),
    ),
    max_size=6,
)


@pytest.mark.parametrize("name", ["short last batch", "sample loop", "adam", "cg"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions=ACTIONS)
def test_any_mixture_of_ways_to_go_on_gives_the_same_bits(name, actions):
    """Step some, train some, advance, go back: the moment alone says what there is."""
    graph = GRAPHS[name]()
    run = nf.Run(graph, batch=16 if name == "adam" else None)
    for action, amount in actions:
        if action == "step":
            for _ in range(amount):
                run.step()
        elif action == "train":
            run.train(updates=amount)
        elif action == "advance":
            run.advance(amount)
        elif action == "goto":
            run.goto(update=amount)
        else:
            run.evaluate()
    if actions and actions[-1][0] == "evaluate":
        run.step()
    known = run.history
    reference = walk(nf.Run(graph, batch=run.batch), run.update)
    while reference.position != run.position:
        reference.step()
    assert_same(run.weights, reference.weights)
    if not any(action == "evaluate" for action, _ in actions):
        assert_same(run.values, reference.values)
    assert known[: reference.epoch] == reference.history


def test_advance_stops_where_it_says():
    """A phase, a sample's pass, an update, an epoch."""
    run = nf.Run(net(*SMALL, batch=4, accuracy=False))
    phases = [run.advance("phase").phase for _ in range(3)]
    assert phases == ["forward", "backward", "update"]
    assert (run.update, run.node) == (1, run.order[0])
    run.step()
    run.advance("update")
    assert run.update == 2
    last = run.advance("epoch")
    assert (run.epoch, run.update, last.phase) == (1, 6, "update")
    run.step()
    run.advance("epoch")
    assert (run.epoch, run.update) == (2, 12)
    loop = nf.Run(hand(*SMALL, rate=0.1, batch=4, loop=True))
    loop.advance("sample")
    assert (loop.update, loop.sample) == (0, 1)
    loop.advance("update")
    assert (loop.update, loop.sample) == (1, 4)
    with pytest.raises(RunError, match=r"there is no level 'epochs'; did you mean 'epoch'\?"):
        loop.advance("epochs")


def test_train_finishes_the_update_and_the_epoch_that_have_begun():
    """One more epoch, from the middle of one, ends where that one ends."""
    run = nf.Run(net(*SMALL, batch=4, accuracy=False))
    run.train(updates=8)
    run.step()
    run.train(1)
    assert (run.epoch, run.update) == (2, 12)
    with pytest.raises(RunError, match="epochs must be a whole number from 0, not -1"):
        run.train(-1)
    with pytest.raises(RunError, match=r"updates must be a whole number from 0, not 1\.5"):
        run.train(updates=1.5)


def test_evaluate_updates_nothing():
    """One pass over the present batch fills in values; the run goes on unchanged."""
    graph = net(*SMALL, batch=4, accuracy=False)
    run, plain = nf.Run(graph), nf.Run(graph)
    run.train(updates=3)
    cost = run.evaluate()
    assert cost == run.cost
    plain.train(updates=3)
    assert_same(run.weights, plain.weights)
    plain.step()
    plain.advance("phase")
    assert cost == plain.cost
    run.train(2)
    plain.train(2)
    assert_same_moment(run, plain)


# --- steps -------------------------------------------------------------------------------------


def test_a_step_says_where_it_is_and_what_it_did():
    """The keys are those of the contract; epochs, updates and samples count from 0."""
    run = nf.Run(net(*SMALL, batch=4, accuracy=False))
    step = run.step()
    keys = ["epoch", "update", "sample", "phase", "node", "inputs", "outputs", "formula"]
    assert list(step.as_dict()) == keys
    assert (step.epoch, step.update, step.sample, step.phase) == (0, 0, 0, "forward")
    run.train(1)
    run.train(updates=2)
    step = run.step()
    assert (step.epoch, step.update, step.sample) == (1, 8, 8)
    while step.node != "hidden1":
        step = run.step()
    plain = step.as_dict()
    assert set(plain["inputs"]) == {"a", "weights", "bias"}
    z = np.array(plain["inputs"]["a"]) @ np.array(plain["inputs"]["weights"]).T
    np.testing.assert_allclose(plain["outputs"]["z"], z + plain["inputs"]["bias"], rtol=1e-14)
    assert np.shape(plain["outputs"]["z"]) == (4, 3)


def test_a_loops_steps_count_samples():
    """In a loop each sample is a pass of its own; what comes once an update follows the last."""
    run = nf.Run(hand(*SMALL, rate=0.1, batch=4, loop=True))
    samples = [run.step().sample for _ in range(4 * run.plan.head)]
    assert samples == [n for n in range(4) for _ in range(run.plan.head)]
    assert run.step().sample == 3
    assert run["output.z"].shape == (1, 1)


# --- what a run holds --------------------------------------------------------------------------


def test_values_are_read_only_copies():
    """What was read does not change with the run, nor the run with it."""
    run = nf.Run(net(*SMALL, batch=4, accuracy=False))
    run.train(1)
    value, weights, gradient = run["cost.cost"], run.weights, run.gradient("theta1.value")
    kept = value.copy()
    for array in (value, gradient, *weights.values(), *run.values.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    run.train(1)
    np.testing.assert_array_equal(value, kept)


def test_unknown_addresses_say_what_is_near():
    """One sentence, with the nearest name."""
    run = nf.Run(net(*SMALL, accuracy=False))
    run.train(1)
    with pytest.raises(UnknownPort, match=r"no value 'hiden1\.z'; did you mean 'hidden1'\?"):
        run["hiden1.z"]
    with pytest.raises(UnknownPort, match=r"no value 'hidden1'; write 'hidden1\.z'"):
        run["hidden1"]
    with pytest.raises(UnknownPort, match=r"no value 'data'; write 'data\.x' or 'data\.y'"):
        run.gradient("data")
    with pytest.raises(UnknownPort, match="has no output 'q'; it has z"):
        run["hidden1.q"]
    with pytest.raises(UnknownPort, match=r"no value 'nowhere\.z'"):
        run.gradient("nowhere.z")


def test_there_is_no_value_before_the_first_pass():
    """Before anything ran there are only parameters and constants."""
    run = nf.Run(net(*SMALL, accuracy=False))
    assert run["theta1.value"].shape == (3, 1)
    for address in ("hidden1.z", "data.x"):
        with pytest.raises(RunError, match="has no value yet"):
            run[address]
    assert "hidden1.z" not in run.values
    assert run.gradients == {}
    assert run.history == []


def test_gradients_that_are_not_there_say_why():
    """Not trainable, not on the way to the cost, or no cost at all."""
    x, y = nf.dataset(source="polynomial", id="data")
    w = nf.parameter(value=[[0.5]], trainable=False, id="w")
    v = nf.parameter(value=[[0.5]], id="v")
    z = nf.weighted_sum(nf.weighted_sum(x, w, id="first"), v, id="second")
    other = nf.weighted_sum(x, nf.parameter(value=[[1.0]], id="u"), id="aside")
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(z, y, id="cost")), other)
    run = nf.Run(graph)
    run.train(1)
    assert run.gradient("v.value").shape == (1, 1)
    for address, why in (
        ("w.value", "it is not trainable"),
        ("u.value", "the cost does not depend on it"),
        ("first.z", "no trainable parameter lies before it"),
    ):
        with pytest.raises(RunError, match=f"no blame reaches '{address}': {why}"):
            run.gradient(address)
    alone = nf.Run(nf.Graph.of(other))
    alone.train(1)
    with pytest.raises(RunError, match="the graph has no trainer and no single cost"):
        alone.gradient("u.value")
    assert alone.cost is None


def test_a_gradient_that_is_a_number_needs_no_node():
    """Blame begins as 1 for each sample, wired by rules or by hand; a penalty counts once."""
    graph = net("blobs", (2, 3, 3), batch=4, l2=0.1)
    for wired in (graph, nf.unfold(graph), hand("blobs", (2, 3, 3), rate=0.1, batch=4)):
        run = nf.Run(wired)
        with pytest.raises(RunError, match="has no value yet"):
            run.gradient(run.plan.unfolding.cost)
        run.evaluate()
        ones = run.gradient(run.plan.unfolding.cost)
        np.testing.assert_array_equal(ones, np.ones((4, 1)))
        assert not ones.flags.writeable
    x, w = nf.constant(value=[1.0, 2.0]), nf.parameter(value=[[3.0, 4.0]])
    cost = nf.squared_error(nf.weighted_sum(x, w), nf.constant(value=0.0), id="cost")
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.multiply(0.25, cost, id="quarter"))))
    run.evaluate()
    assert run.gradient("quarter.value") == 1.0
    np.testing.assert_array_equal(run.gradient("cost.cost"), [[0.25]])


def test_gradients_behind_an_update_are_evaluated_with_its_new_weights():
    """Where blame passes weights that are updated already, evaluate computes what training does."""
    graph = hand("blobs", (2, 3, 3), rate=0.3, batch=4)
    graph = graph.disconnect("theta2.value", "blame1.weights")
    graph = graph.connect("theta2.new.value", "blame1.weights")
    run, trained = nf.Run(graph), nf.Run(graph)
    before = run.weights
    run.evaluate()
    assert_same(run.weights, before)
    trained.train(updates=1)
    assert_same(run.gradients, trained.gradients)
    assert run.gradient("theta1.value").any()


def test_an_empty_graph_has_nothing_to_run():
    """Training does nothing, stepping and going somewhere say so."""
    run = nf.Run(nf.Graph())
    assert run.train(3) == []
    assert run.weights == run.values == {}
    assert run.cost is None
    asked = (run.step, run.advance, lambda: run.goto(epoch=1), lambda: run.node)
    for ask in asked:
        with pytest.raises(RunError, match="there is nothing to evaluate"):
            ask()


def test_a_missing_input_stops_a_strict_run_and_only_its_node_otherwise():
    """Strict raises the first problem; otherwise the rest of the graph is evaluated."""
    graph = net(*SMALL, batch=4, accuracy=False).add("loose", "sigmoid").add("after", "panel")
    graph = graph.connect("loose.a", "after.value")
    with pytest.raises(MissingInput, match=r"'loose' \(sigmoid\) needs a wire into its input 'z'"):
        nf.Run(graph)
    run, plain = nf.Run(graph, strict=False), nf.Run(net(*SMALL, batch=4, accuracy=False))
    run.train(2)
    plain.train(2)
    assert_same(run.weights, plain.weights)
    with pytest.raises(RunError, match=r"'loose\.a' has no value: .*needs a wire"):
        run["loose.a"]
    broken = net(*SMALL, accuracy=False).disconnect("theta1.value", "hidden1.weights")
    run = nf.Run(broken, strict=False)
    run.train(1)
    assert run["data.x"].shape == (1, 1)
    assert run.history[-1]["cost"] is None


def test_what_a_run_is_given_is_checked():
    """Batch, seed and precision."""
    graph = net(*SMALL, accuracy=False)
    with pytest.raises(BadSetting, match="batch must be a whole number from 1"):
        nf.Run(graph, batch=0)
    with pytest.raises(BadSetting, match="seed must be a whole number from 0"):
        nf.Run(graph, seed=-1)
    with pytest.raises(RunError, match="float64 or float32, not int64"):
        nf.Run(graph, dtype=np.int64)
    run = nf.Run(graph, batch=1000)
    assert (run.batch, run.updates_per_epoch) == (21, 1)


def test_set_weights_takes_what_weights_gave_and_nothing_else():
    """A run goes on from given weights; wrong ones are refused before any is put in place."""
    graph = net("blobs", (2, 4, 3), batch=8)
    run, other = nf.Run(graph), nf.Run(graph, seed=5)
    run.train(1)
    other.train(3)
    before = run.weights
    for weights, match in (
        ({"b1.value": np.ones(4), "theta1.value": np.ones((2, 4))}, "is 4×2; 2×4 cannot enter"),
        ({"b1.value": np.ones(4), "theta9.value": 1}, "there is no parameter 'theta9.value'"),
        ({"b1.value": np.full(4, np.nan)}, "'b1.value' cannot hold NaN or Infinity"),
    ):
        with pytest.raises(RunError, match=match):
            run.set_weights(weights)
        assert_same(run.weights, before)
    run.set_weights(other.weights)
    assert_same(run.weights, other.weights)
    run.step()
    run.set_weights(before)
    assert run.node == run.order[0]
    whole = nf.Run(graph)
    whole.train(1)
    assert run.train(2) == whole.train(2)
    assert_same(run.weights, whole.weights)


def test_set_weights_takes_a_single_number_where_there_is_one():
    """Plain, or in any brackets; not for a matrix."""
    w = nf.parameter(value=[[0.5]], id="w")
    b = nf.parameter(value=[0.5, 0.5], id="b")
    z = nf.add(nf.weighted_sum(nf.constant(value=1.0), w), b)
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.sum(z, id="cost"))))
    for value in (0.8, np.float64(0.8), [0.8], [[0.8]], [[[0.8]]]):
        run.set_weights({"w.value": 0.0})
        run.set_weights({"w.value": value})
        np.testing.assert_array_equal(run.weights["w.value"], [[0.8]])
    for value, shape in ((0.8, "a number"), ([0.8], "1")):
        with pytest.raises(RunError, match=f"'b.value' is 2; {shape} cannot enter"):
            run.set_weights({"b.value": value})


# --- what can go wrong -------------------------------------------------------------------------


def regression(rate):
    x, y = nf.dataset(source="polynomial", id="data")
    w, b = nf.parameter(value=[[0.5]], id="w"), nf.parameter(value=[0.1], id="b")
    cost = nf.squared_error(nf.weighted_sum(x, w, b, id="sum"), y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=rate, id="train"), batch=4)


def test_divergence_names_node_and_moment_and_keeps_the_last_good_weights():
    """A rate of a million: finite weights, those of a run that was stopped just before."""
    run = nf.Run(regression(1e6))
    with pytest.raises(Diverged, match=r"(NaN|Infinity) first appeared in '.+' \(epoch \d+") as e:
        run.train(200)
    error = e.value
    assert error.node in run.order
    assert error.update == run.update > 0
    assert error.epoch == run.epoch
    assert len(run.history) == run.epoch
    assert all(np.isfinite(value).all() for value in run.weights.values())
    reference = nf.Run(regression(1e6))
    reference.train(updates=error.update)
    assert_same_moment(run, reference)
    stepped = walk(nf.Run(regression(1e6)), error.update)
    with pytest.raises(Diverged) as again:
        stepped.advance("update")
    assert (again.value.node, str(again.value)) == (error.node, str(error))
    run.goto(epoch=0)
    assert run.weights["w.value"] == 0.5


def test_what_is_behind_a_wrong_wire_back_is_left_out():
    """The fault is seen when all shapes are known: of what reads the parameter nothing is run."""
    graph = net(*SMALL, accuracy=False)
    wired = graph.connect("hidden1.z", "b1.next")
    with pytest.raises(GraphError, match=r"'b1\.next' is fed back from a weight_update"):
        nf.Run(wired)
    run = nf.Run(wired, strict=False)
    assert not {"b1", "hidden1", "output"} & set(run.order)
    for _ in run.order:
        run.step()
    assert "data.x" in run.values


def test_a_penalty_of_0_has_the_nodes_of_any_other():
    """So a run goes on where λ becomes 0, or is 0 no more; no weight differs from one without."""
    penalized = net(*SMALL, l2=0.1, accuracy=False)
    graphs = [penalized.set("penalty", regularization=0.0), penalized]
    runs = [nf.Run(graph) for graph in graphs]
    runs[0].train(2)
    forked = runs[0].fork(graphs[1])
    forked.train(1)
    assert forked.update > runs[0].update
    plain = nf.Run(net(*SMALL, accuracy=False))
    plain.train(2)
    for address, value in plain.weights.items():
        assert runs[0].weights[address].tobytes() == value.tobytes()


def test_a_node_that_was_refused_leaves_nothing_behind():
    """What it gave is of no update: all values are those that stood there before the step."""
    reference = nf.Run(regression(1e6))
    with pytest.raises(Diverged) as e:
        reference.train(200)
    update, node = e.value.update, e.value.node
    for evaluated in (False, True):
        run = nf.Run(regression(1e6))
        run.train(updates=update)
        if evaluated:
            run.evaluate()  # what lies ahead is infinite, and known to be of this update
        for _ in range(run.order.index(node)):
            run.step()
        reference.seek(run.position)
        with pytest.raises(Diverged, match=re.escape(str(e.value))):
            run.step()
        assert run.node == node
        assert_same_moment(run, reference)
        assert ages(run) == ages(reference)


def test_a_run_goes_on_after_divergence():
    """With weights set anew it trains as a fresh run from that moment would."""
    graph = net(*SMALL, act="identity", rate=1e4, l2=0.1, batch=4, accuracy=False)
    run = nf.Run(graph)
    good = run.weights
    with pytest.raises(Diverged):
        run.train(500)
    moment = run.update
    run.set_weights(good)
    other = nf.Run(graph)
    other.train(updates=moment)
    other.set_weights(good)
    run.train(updates=1)
    other.train(updates=1)
    assert_same_moment(run, other)
    assert np.isfinite(run.cost)


def test_nan_names_the_node_it_came_from():
    """The logarithm of a negative number, in an expression before the cost."""
    x, y = nf.dataset(source="polynomial", id="data")
    w = nf.parameter(value=[[1.0]], id="w")
    z = nf.weighted_sum(x, w, id="sum")
    bad = nf.expression(formula="log(z) + 1", z=z, id="logarithm")
    cost = nf.squared_error(bad, y, id="cost")
    run = nf.Run(nf.Graph.of(nf.gradient_descent(cost, rate=0.1), batch=1))
    with pytest.raises(Diverged, match=r"NaN first appeared in 'logarithm\.value'") as e:
        run.train(3)
    assert e.value.node == "logarithm"
    assert_same(run.weights, nf.Run(run.graph).goto(update=e.value.update) or run.weights)


def test_infinity_beside_the_way_to_the_cost_stops_nothing():
    """A branch that only a panel shows may be infinite; stepping passes it too."""
    graph = net(*SMALL, batch=4, accuracy=False)
    aside = graph.add("aside", "expression", formula="1 / (a - a)").add("show", "panel")
    aside = aside.connect("data.x", "aside.a").connect("aside.value", "show.value")
    run, plain, stepped = nf.Run(aside), nf.Run(graph), nf.Run(aside)
    run.train(2)
    plain.train(2)
    assert_same(run.weights, plain.weights)
    assert not np.isfinite(run["aside.value"]).any()
    walk(stepped, run.update)
    assert_same_moment(run, stepped)


def test_infinity_that_comes_to_nothing_stops_nothing():
    """1 / (1 + e^−z) written out overflows for large −z and is 0 all the same."""
    x = nf.constant(value=[800.0], id="x")
    w = nf.parameter(value=[[-1.0]], id="w")
    a = nf.expression(formula="1 / (1 + exp(-z))", z=nf.weighted_sum(x, w, id="sum"), id="a")
    large = nf.divide(1.0, nf.exp(nf.multiply(-1.0, nf.weighted_sum(x, w))), id="quotient")
    both = nf.add(nf.sigmoid(nf.weighted_sum(x, w)), large)
    cost = nf.squared_error(both, nf.constant(value=[1.0]))
    graph = nf.Graph.of(cost, a)
    run, stepped = nf.Run(graph), nf.Run(graph)
    run.train(2)
    walk(stepped, 2)
    assert run["quotient.value"] == 0
    assert_same_moment(run, stepped)


def test_an_infinite_cost_is_found_in_the_epoch_in_which_it_was():
    """Weights that stay finite do not hide a cost that was infinite for an epoch."""
    x, y = nf.dataset(source="polynomial", shuffle=False, id="data")
    w = nf.parameter(value=[[1.0]], id="w")
    shifted = nf.add(nf.weighted_sum(x, w, id="sum"), 1.0, id="shifted")
    cost = nf.multiply(-1.0, nf.log(shifted, id="log"), id="cost")
    extra = nf.squared_error(nf.weighted_sum(x, w, id="again"), y, id="error")
    graph = nf.Graph.of(nf.gradient_descent(nf.add(cost, extra), rate=0.0, id="train"), batch=4)
    run = nf.Run(graph)
    with pytest.raises(Diverged) as e:
        run.train(20)
    assert (e.value.node, e.value.epoch) == ("log", 0)
    stepped = nf.Run(graph)
    with pytest.raises(Diverged) as again:
        stepped.advance("epoch")
    assert str(again.value) == str(e.value)


def test_a_function_that_fails_names_its_node(numpy_types):
    """What a node's own function raises becomes one sentence; the run stays where it was."""

    @nf.node("arithmetic", formula="value = a", shapes="elementwise")
    def moody_here(a):
        """Refuse some rows."""
        if a.shape[0] == 1:
            raise IndexError("list index out of range")
        return a

    x, _ = nf.dataset(source="polynomial", id="data", shuffle=False)
    run = nf.Run(nf.Graph.of(nf.moody_here(x, id="moody"), batch=4))
    with pytest.raises(RunError, match=r"'moody' \(moody_here\) failed on a 1×1: IndexError"):
        run.train(1)


# --- Ctrl-C ------------------------------------------------------------------------------------


def test_ctrl_c_leaves_the_run_whole():
    """Interrupted by a signal in the middle, it goes on to the weights of an unbroken run."""
    graph = net("blobs", (2, 5, 3), test=0.2)
    whole, broken = nf.Run(graph), nf.Run(graph)
    total = 10_000
    timer = threading.Timer(0.03, signal.raise_signal, [signal.SIGINT])
    timer.start()

    def interrupted():
        broken.train(total)
        timer.join()  # a machine that is done before hears it here

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert 0 < broken.update <= total * broken.updates_per_epoch
    broken.train(updates=total * broken.updates_per_epoch - broken.update)
    whole.train(total)
    assert_same_moment(broken, whole)


def test_ctrl_c_is_heard_at_the_end_of_a_chunk():
    """A signal during training raises KeyboardInterrupt between two updates, and only once."""
    graph = net("blobs", (2, 5, 3))
    run, whole = nf.Run(graph), nf.Run(graph)

    def progress(done, _):
        if done < 1000:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run.train(100, progress=progress)
    assert 0 < run.update < 100 * run.updates_per_epoch
    whole.train(updates=run.update)
    assert_same_moment(run, whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_of_ctrl_c_is_asked():
    """A program's own handler is called at the end of a chunk, and may let training go on."""
    run, heard = nf.Run(net(*SMALL, accuracy=False)), []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.append(run.update))
    try:
        run.train(3, progress=lambda *_: heard or signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, previous)
    assert len(heard) == 1
    assert run.epoch == 3


def test_progress_counts_updates():
    """It is told what is done and what there is to do, up to the end."""
    told = []
    nf.Run(net(*SMALL, accuracy=False)).train(40, progress=lambda *both: told.append(both))
    assert told[-1] == (840, 840)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


# --- seeds -------------------------------------------------------------------------------------


def test_a_seed_says_everything():
    """Split, order and starting weights follow from it alone."""
    graph = net("blobs", (2, 4, 3), test=0.3, batch=8)
    same = [nf.Run(graph, seed=4), nf.Run(graph, seed=4)]
    other = nf.Run(graph, seed=5)
    for run in (*same, other):
        run.train(2)
    assert_same_moment(*same)
    assert nf.Run(net("blobs", (2, 4, 3), test=0.3, batch=8, seed=4)).train(2) == same[0].history
    first, second = same[0].machine.splits["data"], other.machine.splits["data"]
    assert not np.array_equal(first.x, second.x)
    assert not np.array_equal(nf.Run(graph, seed=4).weights["theta1.value"],
                              nf.Run(graph, seed=5).weights["theta1.value"])  # fmt: skip
    assert other.history != same[0].history


def test_a_seed_may_be_any_whole_number():
    """Also one that the kernel's 64 bits do not hold."""
    graph = net(*SMALL, batch=4, accuracy=False)
    first, second = nf.Run(graph, seed=2**80), nf.Run(graph, seed=2**80 + 1)
    assert first.train(1) != second.train(1)


def test_another_parameter_changes_no_ones_start():
    """A start is drawn from the seed and the node's own id."""
    graph = net("blobs", (2, 4, 3))
    more = graph.add("a_first", "parameter", shape=(3, 3), init="normal")
    before, after = nf.Run(graph).weights, nf.Run(more).weights
    after.pop("a_first.value")
    assert_same(after, before)


@pytest.mark.parametrize("who", ["python", "machine code"])
@pytest.mark.parametrize("rows", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63 - 1])
def test_shuffle_is_fisher_and_yates_by_splitmix64(rows, seed, who):
    """The kernel's order is that of the algorithm in plain Python, and a permutation."""
    order = np.zeros(rows, np.int64)
    executor = Executor(np.zeros(9), np.zeros(1), order, np.zeros(8), lambda _: None)
    for epoch in (0, 1, 1000):
        with executed_by(who):
            executor.shuffle(rows, seed, epoch)
        assert order.tolist() == splitmix_order(rows, seed, epoch)
        assert sorted(order.tolist()) == list(range(rows))


@pytest.mark.parametrize("who", ["python", "machine code"])
def test_a_run_that_is_let_go_is_gone_at_once(who):
    """Its cells and data may be large: they do not wait until Python looks for cycles."""
    gc.disable()
    try:
        with executed_by(who):
            run = nf.Run(net("xor", (2, 2, 1), rate=0.3))
            run.train(updates=5)
            run.step()
            parts = [ref(run), ref(run.machine)]
            del run
        assert [part() for part in parts] == [None, None]
    finally:
        gc.enable()


def test_shuffle_is_even():
    """Each of the 24 orders of 4 rows is about as frequent, over epochs and over seeds."""
    for pairs in (((3, n) for n in range(12_000)), ((n, 0) for n in range(12_000))):
        counts = {}
        for seed, epoch in pairs:
            order = tuple(splitmix_order(4, seed, epoch))
            counts[order] = counts.get(order, 0) + 1
        assert len(counts) == 24
        chi2 = sum((count - 500) ** 2 / 500 for count in counts.values())
        assert chi2 < 49.7  # 23 degrees of freedom: 1 in 1,000 lies beyond


# --- minimisers --------------------------------------------------------------------------------


@pytest.fixture
def linear(tmp_path):
    """Rows of a noisy plane, and the least-squares solution."""
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 3))
    y = x @ random.normal(size=(3, 2)) + 0.7 + 0.1 * random.normal(size=(40, 2))
    np.savez(tmp_path / "plane.npz", x=x, y=y)
    solution = np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]

    def graph(method):
        a, target = nf.dataset(source=str(tmp_path / "plane.npz"), id="data")
        w = nf.parameter(shape=(2, 3), init="uniform", id="w")
        b = nf.parameter(shape=(2,), init="zeros", id="b")
        cost = nf.squared_error(nf.weighted_sum(a, w, b), target, half=True, id="cost")
        return nf.Graph.of(nf.minimize(cost, method=method, id="train"))

    return graph, solution


@pytest.mark.parametrize("method", ["cg", "l-bfgs"])
def test_minimize_finds_the_least_squares_solution(linear, method):
    """It ends at the solution of the normal equations; stepping and going back agree."""
    make, solution = linear
    run = nf.Run(make(method))
    run.train(40)
    np.testing.assert_allclose(run.weights["w.value"], solution[:3].T, rtol=0, atol=1e-5)
    np.testing.assert_allclose(run.weights["b.value"], solution[3], rtol=0, atol=1e-5)
    costs = [line["cost"] for line in run.history]
    assert costs == sorted(costs, reverse=True)
    stepped = walk(nf.Run(make(method)), 40)
    assert_same_moment(run, stepped)
    run.goto(epoch=2)
    stepped = walk(nf.Run(make(method)), 2)
    assert_same(run.weights, stepped.weights)
    assert_same(run.values, stepped.values)


def test_minimize_goes_on_from_weights_that_were_set(linear):
    """A search begins anew where weights are set, and the one before is kept for going back."""
    make, solution = linear
    run = nf.Run(make("cg"))
    run.train(3)
    third = run.weights
    run.set_weights({"w.value": np.full((2, 3), 5.0)})
    run.train(1)
    assert abs(run.weights["w.value"] - 5).max() > 0.1
    run.train(30)
    np.testing.assert_allclose(run.weights["w.value"], solution[:3].T, rtol=0, atol=1e-5)
    run.goto(epoch=2)
    run.step()
    reference = walk(nf.Run(make("cg")), 2)
    assert_same(run.weights, reference.weights)
    del third


# --- test rows ---------------------------------------------------------------------------------


def forward(run, x):
    weights = run.weights
    a = 1 / (1 + np.exp(-(x @ weights["theta1.value"].T + weights["b1.value"])))
    return 1 / (1 + np.exp(-(a @ weights["theta2.value"].T + weights["b2.value"])))


@pytest.mark.parametrize("batch", [1, 8, "all"])
@pytest.mark.parametrize("accuracy", [True, False], ids=["accuracy node", "without"])
def test_test_rows_are_judged_after_each_epoch(batch, accuracy):
    """Their cost and hits are those of NumPy with the weights of that epoch; nothing is updated."""
    run = nf.Run(net("blobs", (2, 4, 3), test=0.3, rate=0.3, batch=batch, accuracy=accuracy))
    rows = run.machine.splits["data"]
    for epoch in range(1, 4):
        line = run.train(1)[-1]
        a = forward(run, rows.x_test)
        assert line["epoch"] == epoch
        expected = ((a - rows.y_test) ** 2).sum(axis=1).mean()
        assert line["test_cost"] == pytest.approx(expected, rel=1e-12)
        hits = a.argmax(axis=1) == rows.y_test.argmax(axis=1)
        assert line["test_accuracy"] == pytest.approx(hits.mean(), rel=1e-15)
        a = forward(run, rows.x)
        cost, share = run.machine.assess(test=False)
        assert cost == pytest.approx(((a - rows.y) ** 2).sum(axis=1).mean(), rel=1e-12)
        assert share == pytest.approx((a.argmax(axis=1) == rows.y.argmax(axis=1)).mean())
        assert run.machine.assess(test=True) == (line["test_cost"], line["test_accuracy"])


def test_a_single_output_is_right_on_its_side_of_the_middle():
    """Without an accuracy node, hits of XOR are counted at 0.5."""
    run = nf.Run(net("xor", (2, 3, 1), scale="none", rate=1.0, accuracy=False, batch="all"))
    line = run.train(1)[-1]
    x, y = run.machine.splits["data"].x, run.machine.splits["data"].y
    start = nf.Run(run.graph)
    hits = (forward(start, x) >= 0.5) == (y >= 0.5)
    assert line["train_accuracy"] == hits.mean()


def test_history_says_none_where_there_is_nothing_to_tell():
    """No classes, no test rows, no cost."""
    line = nf.Run(net(*SMALL, accuracy=False)).train(1)[-1]
    assert line["cost"] > 0
    assert [line[k] for k in ("train_accuracy", "test_cost", "test_accuracy")] == [None] * 3
    line = nf.Run(net(*SMALL, test=0.3, accuracy=False)).train(1)[-1]
    assert line["test_cost"] > 0
    assert line["test_accuracy"] is None
    x, _ = nf.dataset(source="xor", test=0.25)
    line = nf.Run(nf.Graph.of(nf.sigmoid(x))).train(1)[-1]
    assert line == dict.fromkeys(line, None) | {"epoch": 1}


def test_more_test_rows_than_a_chunk_holds_are_all_judged(tmp_path):
    """Judging goes through the rows in pieces; each row counts once."""
    random = np.random.default_rng(1)
    x = random.normal(size=(900, 2))
    np.savez(tmp_path / "rows.npz", x=x, y=(x.sum(axis=1) > 0).astype(int))
    run = nf.Run(net(str(tmp_path / "rows.npz"), (2, 3, 2), test=0.7, rate=0.3, scale="none"))
    line = run.train(1)[-1]
    rows = run.machine.splits["data"]
    assert len(rows.x_test) == 630
    a = forward(run, rows.x_test)
    expected = ((a - rows.y_test) ** 2).sum(axis=1).mean()
    assert line["test_cost"] == pytest.approx(expected, rel=1e-12)


def test_frozen_parameters_stay():
    """Freezing one changes nothing but its update."""
    graph = net("blobs", (2, 4, 3), batch=8)
    run = nf.Run(graph.with_mode("theta1", "freeze"))
    start = run.weights
    run.train(2)
    np.testing.assert_array_equal(run.weights["theta1.value"], start["theta1.value"])
    assert abs(run.weights["theta2.value"] - start["theta2.value"]).max() > 0
    assert run.gradient("theta1.value").shape == (4, 2)


def test_graphs_that_cannot_be_trained_say_so():
    """Data sets that do not pair up."""
    x, _ = nf.dataset(source="xor", id="one")
    _, y = nf.dataset(source="polynomial", id="two")
    graph = nf.Graph.of(nf.squared_error(nf.pick(x, index=0), y))
    with pytest.raises((GraphError, nf.NodeflowError), match="equally many rows"):
        nf.Run(graph)


# --- numbers that are not finite, where nothing is updated ---------------------------------------


def broken_and_whole(loop_cost=False):
    """Return a graph whose logarithm of −1 is NaN, with nodes behind it and nodes beside it."""
    x = nf.constant(value=[[-1.0], [2.0]], id="x")
    log = nf.log(x, id="log")
    bad = nf.exp(log, id="bad")
    good = nf.multiply(x, 3.0, id="good")
    ends = [bad, nf.sigmoid(good, id="zz")]
    if loop_cost:
        ends.append(nf.squared_error(bad, nf.constant(value=[1.0]), id="cost"))
    return nf.Graph.of(*ends)


@pytest.mark.parametrize("cost", [False, True])
def test_nan_stops_nothing_in_a_graph_that_is_only_evaluated(cost):
    """Stepping, training and going anywhere lead on; what does not depend on it has its value."""
    graph = broken_and_whole(cost)
    run = nf.Run(graph)
    steps = [run.step() for _ in run.order]
    faults = {step.node: step.fault for step in steps if step.fault}
    assert faults == {"log": "NaN first appeared in 'log.value' (epoch 0, sample 0, forward)"}
    assert [step.as_dict().get("fault") for step in steps].count(None) == len(steps) - 1
    assert run.update == 1
    truth = 1 / (1 + np.exp([[3.0], [-6.0]]))
    np.testing.assert_allclose(run["zz.a"], truth, rtol=1e-15)
    np.testing.assert_array_equal(run["bad.value"], [[np.nan], [2.0]])
    run.train(5)
    assert run.epoch == 6
    assert run.history[-1]["cost"] is None
    trained = nf.Run(graph)
    trained.train(6)
    assert_same(run.values, trained.values)
    run.goto(epoch=2, node="zz")
    assert_same(run.values, walk_values(graph, "zz"))
    assert nf.Run(graph).advance("epoch").epoch == 0
    evaluated = nf.Run(graph)
    evaluated.evaluate()
    np.testing.assert_array_equal(evaluated["zz.a"], run["zz.a"])


def walk_values(graph, node):
    run = walk(nf.Run(graph), 2)
    while run.step().node != node:
        pass
    return run.values


def test_where_weights_would_be_updated_with_it_nan_still_stops_the_run():
    """The same branch before a trainer; without refusing, the pass can be looked at to its end."""
    x = nf.constant(value=[[-1.0], [2.0]], id="x")
    w = nf.parameter(value=[[1.0]], id="w")
    cost = nf.squared_error(nf.log(nf.weighted_sum(x, w, id="z"), id="log"), 1.0, id="cost")
    graph = nf.Graph.of(nf.gradient_descent(cost), nf.sigmoid(x, id="zz"))
    for go in (
        lambda run: walk(run, 1),
        lambda run: run.train(1),
        lambda run: run.advance("epoch"),
    ):
        run = nf.Run(graph)
        with pytest.raises(Diverged, match=r"NaN first appeared in 'log\.value' \(epoch 0") as e:
            go(run)
        assert (e.value.node, run.update) == ("log", 0)
        assert run.weights["w.value"] == 1.0
    run = nf.Run(graph)
    while run.node != "w.update":
        run.step(refuse=False)
    assert run.has_value("zz.a")
    assert np.isnan(run.gradient("w.value")).all()
    assert run.weights["w.value"] == 1.0
    with pytest.raises(Diverged, match="the numbers left the range of float64 in update 0"):
        run.step(refuse=False)
    assert (run.update, run.position.place) == (0, 0)


def test_cost_of_all_rows_can_be_asked_without_disturbing_a_run():
    # Without test rows, cost and accuracy are computed in cells of their own.
    x, w = nf.constant(value=[[1.0], [2.0], [3.0]]), nf.parameter(value=[0.5], id="w")
    y = nf.constant(value=[[2.0], [4.0], [6.0]])
    cost = nf.squared_error(nf.multiply(x, w), y)
    run = nf.Run(nf.Graph.of(nf.gradient_descent(cost, rate=0.01), batch="all"))
    for _ in range(3):
        cells, weight = run.machine.cells.copy(), float(run["w.value"][0])
        expected = np.mean([(weight * k - 2 * k) ** 2 for k in (1, 2, 3)])
        assert run.machine.assess(test=False)[0] == pytest.approx(expected, rel=1e-14)
        assert np.array_equal(run.machine.cells, cells, equal_nan=True)
        run.train(updates=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cost_of_all_rows_goes_through_python_and_blas_too(dtype, numpy_types):
    # 300 rows are judged 256 at a time: a product of 256·60·50 is one for BLAS, and softsign_here
    # is computed by its own function.
    random = np.random.default_rng(2)
    x, theta = random.uniform(-1, 1, (300, 50)), random.uniform(-0.1, 0.1, (60, 50))
    z = nf.weighted_sum(nf.constant(value=x), nf.parameter(value=theta, id="w"))
    a = CATALOG["softsign_here"](z)
    cost = nf.squared_error(a, nf.constant(value=np.zeros((300, 60))))
    run = nf.Run(nf.Graph.of(cost), batch="all", dtype=dtype)
    machine = run.machine
    z = x @ theta.T
    expected = ((z / (1 + np.abs(z))) ** 2).sum(axis=1).mean()
    assert machine.test_rows == 0
    calls = machine.evaluation.calls[len(machine.tape.calls) :]
    assert {type(call).__name__ for call in calls} == {
        "Call",
        "Product",
    }
    for _ in range(2):
        cells = machine.cells.copy()
        found = machine.assess(test=False)[0]
        assert found == pytest.approx(expected, rel=1e-12 if dtype is np.float64 else 1e-5)
        assert np.array_equal(machine.cells, cells, equal_nan=True)
        machine.update(0)


@pytest.mark.parametrize("test", [0.0, 0.25])
@pytest.mark.parametrize("level", ["layer", "neuron"])
def test_a_run_like_another_one_has_the_numbers_of_its_own_seed(level, test):
    from nodeflow.networks import network

    graph = network((2, 3, 2), data="moons", level=level, test=test)
    first = nf.Run(graph, seed=0)
    first.train(epochs=2)
    first.assess()
    for seed in (1, 2):
        alone, like = nf.Run(graph, seed=seed), nf.Run(graph, seed=seed, share_with=first)
        assert like.plan is first.plan
        assert like.machine.tape is first.machine.tape
        for run in (alone, like):
            run.train(epochs=3)
        assert like.history == alone.history
        assert all((like.weights[key] == alone.weights[key]).all() for key in alone.weights)
        assert like.assess() == alone.assess()
    other = graph.set("train", rate=0.25)
    alone, like = nf.Run(other, seed=1), nf.Run(other, seed=1, share_with=first)
    assert like.plan is not first.plan
    assert like.train(epochs=2) == alone.train(epochs=2)
