"""One network in many forms is one network: bits, check, cost, accuracy, map, explode, export."""

import contextlib
import io
import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from handwired_forms import Drawn, by_hand, by_neurons, draw, forms_of, neurons_of
from networks import net

import nodeflow as nf
from nodeflow.derive.silent import silent
from nodeflow.editor.canvas.neurons import Known, neuron_map
from nodeflow.errors import GraphError
from nodeflow.export import export

SEEDS = (0, 1, 2, 3, 4, 6, 7, 8, 10, 11, 13, 20)


def trained(graph):
    run = nf.Run(graph)
    run.train(2)
    return run


def layer_weights(weights, drawn, name):
    """Return the weights by the name of their layer, whatever form they are in."""
    found = {}
    for number in range(1, drawn.depth + 1):
        shape = drawn.sizes[number], drawn.sizes[number - 1]
        for word, size in ((name["weights"], shape), (name["bias"], shape[:1])):
            whole = weights.get(f"{word}{number}.value")
            if whole is None:  # in the order of rows and columns
                own = re.compile(rf"{word}{number}[._]([0-9.]+)\.value")
                parts = {
                    tuple(map(int, match[1].split("."))): value
                    for key, value in weights.items()
                    if (match := own.fullmatch(key))
                }
                if not parts:
                    continue
                whole = np.concatenate([np.ravel(parts[key]) for key in sorted(parts)])
            found[name["weights"] == word, number] = np.reshape(whole, size).tolist()
    return found


LAYERS = {"weights": "theta", "bias": "b"}
NEURONS = {"weights": "w", "bias": "c"}


def picture(graph):
    """Return the classic map after a pass: dots with all their numbers, lines with weights."""
    run = nf.Run(graph)
    run.evaluate()
    drawn = neuron_map(graph, known=Known(run.values, run.gradients))
    dots = [(n.x, n.y, n.value, n.name, n.bias, n.delta, n.target) for n in drawn.neurons]
    assert all(n.value is not None for n in drawn.neurons)
    assert all(n.delta is not None for n in drawn.neurons if n.x)
    lines = sorted((line.start, line.end, line.weight, line.share) for line in drawn.lines)
    return dots, lines


def checked(graph):
    found = nf.check(graph)
    assert found.valid, found
    assert found.max_relative_error < 1e-6
    assert found.findings == ()
    return found


def explodes_twice(drawn):
    """Return whether some neurons are not single operations after the first time."""
    return any(size > 1 for size in (drawn.sizes[1:-1] if "softmax" in drawn.acts
                                     else drawn.sizes[1:]))  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_all_forms_of_a_random_network_are_equal_in_everything(seed):
    drawn = draw(seed)
    forms = forms_of(drawn)
    first = trained(forms["folded"])
    seen = picture(forms["folded"])
    is_softmax = drawn.acts[-1] == "softmax"  # its slope has another sum than a − y
    for name, graph in forms.items():
        # Two single neurons that follow each other are one node of operations each.
        apart = nf.explode(graph)
        made = {name: graph, f"{name}, exploded": apart}
        if explodes_twice(drawn):
            made[f"{name}, operations"] = nf.explode(apart)
        for form, one in made.items():
            run = trained(one)
            if is_softmax:
                costs = [[line["cost"] for line in r.history] for r in (run, first)]
                assert costs[0] == pytest.approx(costs[1], rel=1e-12), form
            else:
                assert layer_weights(run.weights, drawn, LAYERS) == layer_weights(
                    first.weights, drawn, LAYERS
                ), form
                assert run.history == first.history, form
                assert run.assess() == first.assess(), form
            assert checked(one).nodes.keys() >= set(one.parameters), form
            if name != "loop" or drawn.batch == 1:  # a loop stands at another sample
                assert picture(one) == seen, form
            if one is not graph:
                back = nf.collapse(one)
                assert (back.nodes, set(back.wires)) == (graph.nodes, set(graph.wires)), form


@pytest.mark.parametrize("seed", SEEDS)
def test_neurons_wired_one_by_one_are_the_network_of_layers(seed):
    drawn = draw(seed)
    folded = forms_of(drawn)["folded"]
    first, seen = trained(folded), picture(folded)
    for form, graph in neurons_of(drawn).items():
        run = trained(graph)
        assert layer_weights(run.weights, drawn, NEURONS) == layer_weights(
            first.weights, drawn, LAYERS
        ), form
        assert run.history == first.history, form
        assert run.assess() == first.assess(), form
        checked(graph)
        assert picture(graph) == seen, form
        if max(drawn.sizes[1:]) == 1:
            continue
        whole = nf.collapse(graph)
        assert len(whole.of_type("weighted_sum")) == drawn.depth
        assert trained(whole).history == first.history, form
        checked(whole)
        # One layer whole and the others single: a mixture.
        for key in graph.of_type("weighted_sum"):
            if key.endswith("_1") and drawn.sizes[int(key[1])] > 1:
                mixed = nf.collapse(graph, key)
                assert trained(mixed).history == first.history, form
                assert picture(mixed) == seen, form


@pytest.mark.parametrize("seed", [1, 7])
def test_all_forms_of_a_random_network_are_exported_alike(seed, tmp_path):
    """Weights, history, picture, and a program that trains: it comes to the same costs."""
    drawn = draw(seed)
    found = {}
    graphs = {**forms_of(drawn), **neurons_of(drawn)}
    graphs |= {f"{name}, apart": nf.explode(graph) for name, graph in forms_of(drawn).items()}
    for form, graph in graphs.items():
        for ending in ("csv", "json", "py", "svg"):
            export(graph, tmp_path / f"g.{ending}", epochs=2)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec((tmp_path / "g.py").read_text("utf-8"), {"__name__": "__main__"})
        costs = [float(word) for word in re.findall(r"cost (\S+)", out.getvalue())]
        weights = json.loads((tmp_path / "g.json").read_text("utf-8"))
        numbers = [n for value in weights.values() for n in np.ravel(value)]
        found[form] = (tmp_path / "g.csv").read_text("utf-8"), sorted(numbers), costs
        assert "<svg" in (tmp_path / "g.svg").read_text("utf-8")
    history, numbers, costs = found["folded"]
    assert len(costs) == 2
    for form, (lines, there, printed) in found.items():
        assert lines == history, form
        assert there == numbers, form
        assert printed == pytest.approx(costs, rel=1e-12), form


def test_what_is_drawn_covers_the_kinds():
    """The search has each cost, batch, depth and activation; what it leaves out is not tested."""
    made = [draw(seed) for seed in SEEDS]
    assert {drawn.cost for drawn in made} == {
        "squared_error", "cross_entropy", "categorical_cross_entropy"
    }  # fmt: skip
    assert {drawn.batch for drawn in made} == {1, 2, 7, "all"}
    assert {drawn.depth for drawn in made} == {1, 2, 3}
    assert {act for drawn in made for act in drawn.acts} >= {"sigmoid", "tanh", "relu", "identity"}
    assert any(not all(drawn.biases) for drawn in made)
    assert any(drawn.l2 for drawn in made)
    assert any(drawn.cost == "squared_error" and not drawn.half for drawn in made)


# --- what the check says of a factor -----------------------------------------------------------

COSTS = [
    ("squared_error", "sigmoid", False),
    ("squared_error", "sigmoid", True),
    ("cross_entropy", "sigmoid", False),
    ("categorical_cross_entropy", "softmax", False),
]
TWO = "squared_error without half has a 2"
PARAMETERS = {"theta1", "theta2", "b1", "b2"}


def of_cost(cost, last, half, batch=7):
    return Drawn(
        "blobs", (2, 2, 3), ("tanh", last), (True, True), cost, half, batch, test=0.0, l2=0.0,
        seed=3,
    )  # fmt: skip


def scaled(graph, factor):
    """Return the graph whose blame begins with so many times what it begins with."""
    graph = graph.add("k", "constant", value=factor).add("scaled", "multiply")
    start = "twice.value" if "twice" in graph.nodes else "e.e"
    for wire in graph.out_of(start.rpartition(".")[0]):
        graph = graph.disconnect(wire.start, wire.end)
        graph = graph.connect("scaled.value", wire.end)
    return graph.connect("k.value", "scaled.a").connect(start, "scaled.a")


def turned(graph):
    """Return the graph whose error is y − a."""
    (a,), (y,) = (graph.inputs("e")[port] for port in ("a", "y"))
    graph = graph.disconnect(a.start, "e.a").disconnect(y.start, "e.y")
    return graph.connect(y.start, "e.a").connect(a.start, "e.y")


def averaged_again(graph):
    for key in graph.updates:
        (wire,) = graph.inputs(key)["gradient"]
        graph = graph.disconnect(wire.start, f"{key}.gradient").add(f"{key}.again", "average")
        graph = graph.connect(wire.start, f"{key}.again.total")
        graph = graph.connect(f"{key}.again.gradient", f"{key}.gradient")
    return graph


@pytest.mark.parametrize("with_cost", [True, False])
@pytest.mark.parametrize(("cost", "last", "half"), COSTS)
def test_a_factor_is_told_by_what_it_comes_from(cost, last, half, with_cost):
    """Of every cost: the 2 of a square, its lack, rows not averaged or twice, the other sign."""

    def reasons(graph):
        found = nf.check(graph)
        return {key: one.reason for key, one in found.nodes.items() if one.status == "fault"}

    is_square = cost == "squared_error"
    for batch in (7, 2):
        drawn = of_cost(cost, last, half, batch)
        right = by_hand(drawn, "nodes", cost=with_cost)
        assert reasons(right) == {}
        summed = by_hand(drawn, "bare", cost=with_cost)
        many = f"{batch} times the slope, as many as the batch has rows: `average` divides by n"
        assert reasons(summed) == dict.fromkeys(PARAMETERS, many)
        few = (
            f"1/{batch} of the slope: it is divided by the {batch} rows of the batch once too often"
        )
        assert reasons(averaged_again(right)) == dict.fromkeys(PARAMETERS, few)
        # Divided by n at the error instead: what is learnt is right.
        assert reasons(scaled(summed, 1 / batch)) == {}
    drawn = of_cost(cost, last, half)
    right = by_hand(drawn, "nodes", cost=with_cost)
    text = "the slope with the other sign: e = a − y, and an update takes αD away"
    assert set(reasons(turned(right)).values()) == {text}
    assert reasons(turned(right)).keys() >= PARAMETERS
    assert set(reasons(scaled(right, 3.0)).values()) == {"3 times the slope"}
    if not is_square or with_cost:
        twice = f": {TWO}, with it has none" if half else ""
        assert set(reasons(scaled(right, 2.0)).values()) == {f"twice the slope{twice}"}
        lacks = f", which is twice the gradient: {TWO}" if is_square and not half else ""
        assert set(reasons(scaled(right, 0.5)).values()) == {f"half the slope{lacks}"}


def test_a_slope_too_many_and_none_at_all_are_told_at_the_outputs():
    natural = by_hand(of_cost("cross_entropy", "sigmoid", half=False), "steps")
    square = by_hand(of_cost("squared_error", "sigmoid", half=True), "steps")
    one_more = natural.add("more", "delta")
    for wire in natural.out_of("e"):
        one_more = one_more.disconnect(wire.start, wire.end).connect("more.delta", wire.end)
    one_more = one_more.connect("e.e", "more.blame").connect("output.a.a", "more.a")
    assert nf.check(one_more).nodes["output"].reason == (
        "behind sigmoid e = a − y is ∂C/∂z of cross_entropy already: lead 'e' past 'more'"
    )
    none = square.disconnect("e.e", "delta2.blame")
    for wire in square.out_of("delta2"):
        none = none.disconnect(wire.start, wire.end).connect("e.e", wire.end)
    assert nf.check(none.remove("delta2")).nodes["output"].reason == (
        "e = a − y is ∂C/∂a: a delta with the slope of sigmoid makes ∂C/∂z of it"
    )


# --- update chains of neurons: momentum --------------------------------------------------------


def with_momentum(graph, mu=0.9):
    """Return the graph with a velocity before each update: v ← μv + D, Θ ← Θ − αv.

    Only an update is fed back: v ← v − 1·((1 − μ)v − D).
    """
    graph = graph.add("one", "constant", value=1.0).add("rest", "constant", value=1 - mu)
    for key in graph.updates:
        theta = key.removesuffix(".new")
        shape = nf.Run(graph).weights[f"{theta}.value"].shape
        (gradient,) = (wire.start for wire in graph.inputs(key)["gradient"])
        v, slow, less, new = (f"{theta}.{word}" for word in ("v", "slow", "less", "v.new"))
        graph = (
            graph.disconnect(gradient, f"{key}.gradient")
            .add(v, "parameter", shape=shape, init="zeros", trainable=False)
            .add(slow, "multiply").connect("rest.value", f"{slow}.a")
            .connect(f"{v}.value", f"{slow}.a")
            .add(less, "subtract").connect(f"{slow}.value", f"{less}.a")
            .connect(gradient, f"{less}.b")
            .add(new, "weight_update").connect(f"{v}.value", f"{new}.parameter")
            .connect(f"{less}.value", f"{new}.gradient").connect("one.value", f"{new}.rate")
            .connect(f"{new}.value", f"{v}.next").connect(f"{new}.value", f"{key}.gradient")
        )  # fmt: skip
    return graph


@pytest.mark.parametrize("batch", [1, 7])
def test_neurons_with_momentum_of_their_own_become_a_layer(batch):
    """Velocities and the arithmetic around them are stacked too, and train to the same bits."""
    drawn = Drawn(
        "blobs", (2, 4, 3), ("tanh", "sigmoid"), (True, True), "squared_error", half=False,
        batch=batch, test=0.25, l2=0.0, seed=5,
    )  # fmt: skip
    layers = with_momentum(by_hand(drawn, "nodes"))
    single = with_momentum(by_neurons(drawn, "nodes"))
    whole = nf.collapse(single)
    kinds = [Counter(node.type for node in graph.nodes.values()) for graph in (layers, whole)]
    assert kinds[0] == kinds[1]
    runs = [trained(graph) for graph in (layers, single, whole)]
    assert runs[0].history == runs[1].history == runs[2].history
    assert all(nf.check(graph).valid for graph in (layers, single, whole))
    assert silent(single) == silent(whole) == ()


@pytest.mark.parametrize("batch", [1, 7])
def test_a_layer_with_momentum_is_taken_apart_with_its_velocities(batch):
    """To neurons and to operations, each with a velocity of its own, and back: the same bits."""
    drawn = Drawn(
        "blobs", (2, 4, 3), ("tanh", "sigmoid"), (True, True), "squared_error", half=False,
        batch=batch, test=0.25, l2=0.0, seed=5,
    )  # fmt: skip
    graph = with_momentum(by_hand(drawn, "nodes"))
    neurons = nf.explode(graph)
    operations = nf.explode(neurons)
    assert neurons.nodes["theta1.v.3"].type == operations.nodes["theta1.v.3.2"].type == "parameter"
    first = trained(graph)
    for apart in (neurons, operations):
        assert trained(apart).history == first.history
        assert nf.check(apart).valid
        assert silent(apart) == ()
        back = nf.collapse(apart)
        assert (back.nodes, set(back.wires)) == (graph.nodes, set(graph.wires))
    unfolded = nf.unfold(net("blobs", (2, 4, 3), momentum=0.9, rate=0.1)).remove("cost")
    assert trained(nf.explode(unfolded)).history == trained(unfolded).history


def test_what_is_no_number_on_the_way_of_an_update_keeps_a_layer_whole():
    """A matrix of factors belongs to all neurons: there is none of it for each."""
    graph = with_momentum(by_hand(of_cost("squared_error", "sigmoid", half=True), "nodes"))
    wide = graph.add("m", "constant", value=[[0.1, 0.2], [0.3, 0.4]])
    wide = wide.disconnect("rest.value", "theta1.slow.a").connect("m.value", "theta1.slow.a")
    with pytest.raises(GraphError, match=r"'theta1' \(its weights\) is updated by"):
        nf.explode(wide, "hidden1")


def test_arithmetic_that_would_be_another_one_side_by_side_stays():
    """Each neuron's sum times a pair of numbers is no feature of a layer."""
    drawn = replace(draw(1), sizes=(2, 2, 2), acts=("tanh", "tanh"), biases=(False, False))
    graph = by_neurons(drawn, "steps").add("pair", "constant", value=[1.0, 2.0])
    for j in (1, 2):
        graph = graph.add(f"m{j}", "multiply").connect("pair.value", f"m{j}.a")
        graph = graph.connect(f"h1_{j}.z", f"m{j}.a")
    with pytest.raises(
        GraphError, match="'m1' makes n×2 for each of them, and of all side by side"
    ):
        nf.collapse(graph, "h1_1")
