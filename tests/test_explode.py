"""Layers as neurons, neurons as operations: the same numbers, and the same bytes back."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from networks import net

import nodeflow as nf
from nodeflow import files
from nodeflow.cli import app
from nodeflow.derive.tidy import overlaps
from nodeflow.errors import GraphError, UnknownNode

GRAPHS = Path(__file__).parent.parent / "graphs"


def example(name, **training):
    graph = nf.load(GRAPHS / f"{name}.json")
    return replace(graph, training=replace(graph.training, **training))


def penalised(graph, *weights, regularization=0.3):
    graph = graph.add("l2", "l2_penalty", regularization=regularization).add("total", "add")
    for name in weights:
        graph = graph.connect(f"{name}.value", "l2.weights")
    graph = graph.disconnect("cost.cost", "train.cost").connect("cost.cost", "total.a")
    return graph.connect("l2.cost", "total.a").connect("total.value", "train.cost")


def whole(weights, name):
    """Put the parts of a parameter together, whatever level they are at."""
    if f"{name}.value" in weights:
        return weights[f"{name}.value"]
    rows = []
    while True:
        part = f"{name}.{len(rows) + 1}"
        if f"{part}.value" not in weights and f"{part}.1.value" not in weights:
            return np.array(rows)
        rows.append(
            np.ravel(whole(weights, part))
            if name.startswith("t")
            else float(weights[f"{part}.value"][0])
        )


def assert_same_training(graph, exploded, epochs, tolerance=0):
    one, two = nf.Run(graph), nf.Run(exploded)
    for run, count in ((one, 0), (one, epochs)):
        run.train(count)
        two.train(count)
        for address, value in one.weights.items():
            found = whole(two.weights, address.rpartition(".")[0])
            np.testing.assert_allclose(
                found.reshape(value.shape), value, rtol=0, atol=tolerance if count else 0
            )
    assert [line["cost"] for line in two.history] == pytest.approx(
        [line["cost"] for line in one.history], abs=tolerance
    )


def assert_back(graph, exploded):
    """The way back gives the same bytes, from the file too."""
    text = files.dumps(graph)
    assert files.dumps(nf.collapse(exploded)) == text
    again = files.loads(files.dumps(exploded))
    assert files.dumps(again) == files.dumps(exploded)
    assert files.dumps(nf.collapse(again)) == text


BATCHES = pytest.mark.parametrize("batch", [1, 10, "all"])


@BATCHES
@pytest.mark.parametrize("node", ["hidden", "output", None])
def test_neurons_train_as_their_layer_does(batch, node):
    graph = example("iris", batch=batch)
    assert_same_training(graph, nf.explode(graph, node), 5)
    assert_back(graph, nf.explode(graph, node))


@BATCHES
def test_operations_train_as_their_layer_does(batch):
    graph = penalised(example("xor", batch=batch), "theta1", "theta2")
    neurons = nf.explode(graph)
    assert neurons.nodes["output"].type == "add"
    operations = nf.explode(nf.explode(neurons, "hidden.1"), "hidden.2")
    assert operations.of_type("weighted_sum") == ()
    for exploded in (neurons, operations):
        assert_same_training(graph, exploded, 20)
        assert_back(graph, exploded)


@BATCHES
def test_digits_with_cross_entropy_and_a_penalty(batch):
    graph = example("digits", batch=batch)
    if batch == 1:
        graph = graph.set("train", rate=0.05)
    graph = penalised(graph, "theta1", "theta2", regularization=0.01)
    exploded = nf.explode(graph)
    assert len(exploded.inputs("l2")["weights"]) == 35
    # With all 1,797 rows the products of the whole layer are BLAS's, which adds in its own order.
    assert_same_training(graph, exploded, 1, tolerance=1e-12 if batch == "all" else 0)
    assert_back(graph, exploded)


@BATCHES
def test_outputs_and_gradients_are_those_of_the_layer(batch):
    graph = penalised(example("iris", batch=batch), "theta1", "theta2")
    neurons = nf.explode(graph)
    operations = neurons
    for key in neurons.of_type("weighted_sum"):
        operations = nf.explode(operations, key)
    for exploded in (neurons, operations):
        one, two = nf.Run(graph), nf.Run(exploded)
        port = "z" if exploded is neurons else "value"
        for run in (one, two):
            run.train(1)
            run.advance("phase")
            run.advance("phase")
        for name, address in (("hidden", port), ("hidden_a", "a"), ("output", port)):
            whole_port = "a" if address == "a" else "z"
            parts = [f"{name}.{n}.{address}" for n in range(1, 4 if name == "output" else 6)]
            for read in ("__getitem__", "gradient"):
                found = np.hstack([getattr(two, read)(part) for part in parts])
                expected = getattr(one, read)(f"{name}.{whole_port}")
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
        for name in ("theta1", "bias1", "theta2", "bias2"):
            expected = one.gradient(f"{name}.value")
            slopes = {
                f"{key}.value": two.gradient(f"{key}.value")
                for key in exploded.of_type("parameter")
            }
            found = whole(slopes, name).reshape(expected.shape)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("node", ["hidden", None])
def test_the_gradient_check_passes(node):
    graph = penalised(example("xor"), "theta1", "theta2")
    for exploded in (nf.explode(graph, node), nf.explode(nf.explode(graph, node), "hidden.1")):
        assert nf.check(exploded).max_relative_error < 1e-6


def test_inputs_of_several_features_are_picked():
    graph = example("iris", batch=10)
    exploded = nf.explode(nf.explode(graph, "hidden"), "hidden.3")
    assert [exploded.settings(f"hidden.3.x{n}")["index"] for n in (1, 2, 3, 4)] == [0, 1, 2, 3]
    assert_same_training(graph, exploded, 5)
    assert_back(graph, exploded)


@pytest.mark.parametrize(
    "init", ["zeros", "constant", "uniform", "normal", "glorot", "naive_bayes"]
)
def test_parts_start_exactly_as_in_the_whole(init):
    value = {"value": 0.25} if init == "constant" else {}
    graph = example("iris", batch=10)
    graph = graph.set("theta1", init=init, **value).set("bias1", init=init, **value)
    neurons = nf.explode(graph, "hidden")
    exploded = nf.explode(neurons, "hidden.2")
    first = nf.Run(graph, seed=7).weights
    for parts in (neurons, exploded):
        weights = nf.Run(parts, seed=7).weights
        for name in ("theta1", "bias1"):
            expected = first[f"{name}.value"]
            assert np.array_equal(whole(weights, name).reshape(expected.shape), expected)
    assert_back(graph, exploded)
    assert_same_training(graph, exploded, 1)


@pytest.mark.parametrize("value", [[[1, 2.5], [-3, 4]], [[1e-300, 2], [3, 0.1]]])
def test_values_are_cut_and_put_together(value):
    graph = (
        example("xor")
        .set("theta1", value=value, shape=None)
        .set("bias1", value=[[1, 2]], shape=None)
    )
    neurons = nf.explode(graph, "hidden")
    assert neurons.settings("theta1.2")["value"] == (tuple(value[1]),)
    assert neurons.settings("bias1.2")["value"] == (2,)
    exploded = nf.explode(neurons, "hidden.1")
    assert exploded.settings("theta1.1.2")["value"] == (value[0][1],)
    for parts in (neurons, exploded):
        assert_back(graph, parts)
        assert_same_training(graph, parts, 2)


def test_a_number_that_fills_the_whole():
    graph = example("iris").set("theta1", value=[0.25], init="constant")
    exploded = nf.explode(nf.explode(graph, "hidden"), "hidden.4")
    assert_same_training(graph, exploded, 1)
    assert_back(graph, nf.explode(graph, "hidden"))


def test_large_values(tmp_path):
    random = np.random.default_rng(1)
    graph = example("digits").set("theta1", value=random.standard_normal((25, 64)), shape=None)
    nf.save(graph, tmp_path / "one.json")
    nf.save(nf.explode(graph), tmp_path / "two.json")
    again = nf.collapse(nf.load(tmp_path / "two.json"))
    assert again.settings("theta1") == graph.settings("theta1")
    nf.save(again, tmp_path / "one_.json")
    assert (tmp_path / "one_.json").read_bytes() == (tmp_path / "one.json").read_bytes().replace(
        b"one.npz", b"one_.npz"
    )


def test_edited_weights_are_put_together():
    graph = example("xor")
    exploded = nf.explode(graph, "hidden")
    for row in (1, 2):
        exploded = exploded.set(f"theta1.{row}", value=[[row, 0.5]])
    back = nf.collapse(exploded, "hidden")
    assert back.settings("theta1")["value"] == ((1, 0.5), (2, 0.5))
    assert back.settings("bias1")["value"] is None
    operations = nf.explode(exploded, "hidden.1").set("theta1.1.2", value=7)
    assert nf.collapse(operations).settings("theta1")["value"] == ((1, 7), (2, 0.5))
    constant = graph.set("theta1", init="constant", value=0.5)
    back = nf.collapse(nf.explode(constant, "hidden").set("theta1.2", value=[[1, 2]]), "hidden")
    assert back.settings("theta1")["value"] == ((0.5, 0.5), (1, 2))


def test_softmax_stays_whole_and_everything_else_gets_what_it_takes():
    graph = example("iris", batch=10).remove("output_a", "cost")
    graph = graph.add("soft", "softmax").add("cost", "categorical_cross_entropy")
    graph = (
        graph.add("show", "panel").add("see", "plot").add("look", "bars").add("next", "concatenate")
    )
    for source, target in [
        ("output.z", "soft.z"),
        ("soft.a", "cost.a"),
        ("data.y", "cost.y"),
        ("soft.a", "accuracy.a"),
        ("cost.cost", "train.cost"),
        ("data.y", "show.value"),
        ("hidden_a.a", "show.value"),
        ("data.x", "show.value"),
        ("hidden.z", "see.value"),
        ("hidden.z", "look.value"),
        ("hidden_a.a", "next.a"),
    ]:
        graph = graph.connect(source, target)
    exploded = nf.explode(graph)
    assert [w.start for w in exploded.inputs("show")["value"]] == [
        "data.y",
        *(f"hidden_a.{n}.a" for n in range(1, 6)),
        "data.x",
    ]
    assert [w.index for w in exploded.inputs("show")["value"]] == list(range(7))
    assert exploded.inputs("look")["value"][0].start == "hidden.joined_z.value"
    assert exploded.inputs("soft")["z"][0].start == "output.joined.value"
    assert_same_training(graph, exploded, 3)
    assert_back(graph, exploded)
    deeper = exploded
    for number in range(1, 6):
        deeper = nf.explode(deeper, f"hidden.{number}")
    for number in range(1, 4):
        deeper = nf.explode(deeper, f"output.{number}")
    assert_same_training(graph, deeper, 3)
    assert_back(graph, deeper)


@pytest.mark.parametrize(
    "order",
    [
        ["hidden", "output.1", "output.2"],
        ["output.2", "hidden", "output.1"],
        ["output.1", "output.2", "hidden"],
    ],
)
def test_any_order(order):
    graph = example("iris", batch=10)
    exploded = nf.explode(graph, "output")
    for key in order:
        exploded = nf.explode(exploded, key)
    # Operations that were made while the layer before was whole read what joins its neurons, and
    # their blame is added there.
    tolerance = 1e-12 if order[0] == "output.2" else 0
    assert_same_training(graph, exploded, 2, tolerance)
    assert_back(graph, exploded)
    for key in ("output.2", "output.1", "hidden", "output"):
        exploded = nf.collapse(exploded, key)
    assert files.dumps(exploded) == files.dumps(graph)


def test_operations_that_read_single_neurons_come_first():
    graph = nf.explode(nf.explode(example("xor"), "hidden"), "output")
    with pytest.raises(GraphError) as error:
        nf.collapse(graph, "hidden")
    assert str(error.value) == (
        "'hidden' cannot be collapsed while the operations of 'output' read its parts: "
        "collapse 'output' first"
    )


def test_collapse_takes_the_operations_inside_with_it():
    graph = example("iris")
    exploded = nf.explode(nf.explode(nf.explode(graph, "hidden"), "hidden.2"), "output")
    assert files.dumps(nf.collapse(exploded, "hidden")) == files.dumps(nf.explode(graph, "output"))
    assert files.dumps(nf.collapse(exploded, "hidden.2")) == files.dumps(
        nf.explode(nf.explode(graph, "hidden"), "output")
    )


@pytest.mark.parametrize("trainer", ["gradient_descent", "adam"])
def test_unfolded_graphs(trainer):
    graph = example("xor").remove("train").add("train", trainer, rate=0.1)
    graph = graph.connect("cost.cost", "train.cost")
    if trainer == "gradient_descent":
        graph = graph.set("train", momentum=0.5)
    wired = nf.unfold(graph)
    exploded = nf.explode(wired, "hidden")
    assert files.dumps(exploded) == files.dumps(nf.unfold(nf.explode(graph, "hidden")))
    assert_same_training(graph, exploded, 5)
    assert files.dumps(nf.collapse(exploded)) == files.dumps(wired)
    assert files.dumps(nf.collapse(nf.fold(exploded))) == files.dumps(graph)


def test_an_edited_backward_pass_stays():
    wired = nf.unfold(example("xor")).set("train.rate", value=3.0)
    exploded = nf.unfold(nf.explode(example("xor"))).set("train.rate", value=3.0)
    for made, change in ((wired, nf.explode), (exploded, nf.collapse)):
        with pytest.raises(
            GraphError, match="the backward pass was edited, so it cannot be folded: "
        ):
            change(made)


def test_a_sigmoid_before_cross_entropy_goes_along():
    """Its slope and the cost's are taken at once in each neuron: no 0 times infinity is left."""
    graph = example("iris", batch="all").remove("cost").add("cost", "cross_entropy")
    for source, target in (
        ("output_a.a", "cost.a"),
        ("data.y", "cost.y"),
        ("cost.cost", "train.cost"),
    ):
        graph = graph.connect(source, target)
    graph = graph.set("bias2", value=[50, 60, 70], shape=None)
    exploded = nf.explode(graph)
    assert exploded.nodes["output_a.1"].type == "sigmoid"
    run, parts = nf.Run(graph), nf.Run(exploded)
    for one in (run, parts):
        one.advance("phase")
        one.advance("phase")
    found = [parts.gradient(f"bias2.{n}.value")[0] for n in (1, 2, 3)]
    np.testing.assert_allclose(found, run.gradient("bias2.value"), rtol=0, atol=1e-12)
    assert min(found) > 0.6
    for one in (run, parts):
        one.train(epochs=2)
    assert run.history == parts.history
    assert_back(graph, exploded)


def test_a_cost_that_was_changed_since_is_none_of_its_business():
    exploded = nf.explode(example("iris"))
    other = exploded.remove("cost").add("cost", "cross_entropy")
    for source, target in (
        ("output.joined.value", "cost.a"),
        ("data.y", "cost.y"),
        ("cost.cost", "train.cost"),
    ):
        other = other.connect(source, target)
    assert "output" in nf.collapse(other).nodes


def test_wires_of_unknown_width_open_the_data():
    graph = example("xor").set("theta1", shape=[2, 5]).add("two", "constant", value=[0.1])
    for source in ("two.value", "data.x"):
        graph = graph.connect(source, "hidden.a")
    exploded = nf.explode(nf.explode(graph, "hidden"), "hidden.2")
    assert exploded.inputs("hidden.2.3")["a"][0].start == "two.value"
    assert [exploded.inputs(f"hidden.2.{n}")["a"][0].start for n in (1, 4)] == [
        "hidden.2.x1.value"
    ] * 2
    assert_same_training(graph, exploded, 3)
    assert_back(graph, exploded)
    with pytest.raises(GraphError) as error:
        nf.explode(nf.explode(graph.set("theta1", shape=[2, 7]), "hidden"), "hidden.2")
    assert str(error.value) == (
        "'hidden.2' cannot be exploded: its inputs must have 7 features in all, and how many each "
        "of them has must be known"
    )


def test_frozen_weights_stay_frozen():
    graph = example("xor").with_mode("theta1", "freeze").with_mode("hidden_a", "bypass")
    exploded = nf.explode(nf.explode(graph, "hidden"), "hidden.1")
    assert exploded.nodes["theta1.1.2"].mode == "freeze"
    assert_same_training(graph, exploded, 5)
    assert_back(graph, exploded)


def test_neurons_stand_in_a_column():
    graph = nf.explode(example("iris"), "hidden")
    places = [graph.layout[f"hidden.{n}"] for n in range(1, 6)]
    assert len({x for x, _ in places}) == 1
    assert sorted(places) == places
    assert not overlaps(graph)
    graph = nf.explode(nf.explode(example("iris")), "hidden.1")
    assert graph.layout.keys() == graph.nodes.keys()
    assert not overlaps(graph)


def test_what_was_moved_stays_where_it_was_put():
    whole = example("iris")
    apart = nf.explode(whole, "hidden")
    moved = apart.move(cost=(4000, 20))
    assert nf.collapse(moved, "hidden").layout == {**whole.layout, "cost": (4000, 20)}


def test_what_was_placed_by_hand_in_what_is_taken_apart_further_comes_back():
    """In an unfolded graph, in an exploded one, in both; whether or not a file notes places."""
    whole = nf.sample("xor")
    apart = nf.explode(whole, "hidden").move(**{"hidden.1": (11, 22), "theta2": (1, 5)})
    assert files.dumps(nf.collapse(nf.explode(apart, "hidden.1"), "hidden.1")) == files.dumps(apart)
    assert nf.collapse(nf.explode(apart, "hidden.1"), "hidden").layout["theta2"] == (1, 5)
    unfolded = nf.unfold(whole).move(**{"hidden.delta": (5000, 77), "hidden": (11, 22)})
    for layer in ("hidden", "output"):
        assert files.dumps(nf.collapse(nf.explode(unfolded, layer), layer)) == files.dumps(unfolded)
    both = nf.unfold(apart).move(**{"hidden.2.delta": (7, 9)})
    assert files.dumps(nf.collapse(nf.explode(both, "hidden.1"), "hidden.1")) == files.dumps(both)
    for name in ("mazur-neurons-unfolded", "four-layers-vectorised"):
        found = nf.sample(name)
        layer = found.of_type("weighted_sum")[0]
        assert files.dumps(nf.collapse(nf.explode(found, layer), layer)) == files.dumps(found)


def test_keys_and_numbers_of_the_file_are_kept():
    text = files.dumps(example("iris")).replace(
        "hidden_a.a -> output.a", "hidden_a.a -> output.a[0]"
    )
    text = text.replace("data.x -> hidden.a", "data.x -> hidden.a[0]")
    text = text.replace('{"type": "sigmoid"}', '{"type": "sigmoid", "note": [1, {"b": 2}]}')
    graph = files.loads(text)
    assert files.dumps(graph) == text
    assert_back(graph, nf.explode(graph))
    assert_back(graph, nf.explode(nf.explode(graph), "hidden.1"))


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda g: g.remove("hidden.3"), "hidden.3 differs"),
        (lambda g: g.set("theta1.2", trainable=False), "theta1.2 differs"),
        (lambda g: g.with_mode("bias1.4", "freeze"), "bias1.4 differs"),
        (lambda g: g.disconnect("bias1.1.value", "hidden.1.bias"), "hidden.1 differs"),
        (lambda g: g.disconnect("hidden_a.2.a", "output.a"), "output differs"),
        (
            lambda g: g.add("show", "panel").connect("hidden_a.2.a", "show.value"),
            "show differs",
        ),
        (
            lambda g: g.add("more", "constant").connect("more.value", "hidden.2.a"),
            "hidden.2 differs",
        ),
        (
            lambda g: g.remove("hidden_a.2").add("hidden_a.2", "tanh"),
            "hidden_a.2, output differ",
        ),
    ],
)
def test_edited_parts_stay(change, names):
    graph = change(nf.explode(example("iris"), "hidden"))
    with pytest.raises(GraphError) as error:
        nf.collapse(graph)
    assert str(error.value).startswith(
        "the parts of 'hidden' were edited, so it cannot be collapsed: "
    )
    assert names in str(error.value)


def shared(graph):
    return graph.add("again", "weighted_sum").connect("theta1.value", "again.weights")


REFUSED = {
    "not a layer": (
        lambda g: nf.explode(g, "hidden_a"),
        "'hidden_a' cannot be exploded: it is not a weighted_sum but a node of type sigmoid; "
        "did you mean 'hidden'?",
    ),
    "twice": (
        lambda g: nf.explode(nf.explode(g, "hidden"), "hidden"),
        "'hidden' is exploded already: its neurons are hidden.1 to hidden.2",
    ),
    "operations twice": (
        lambda g: nf.explode(nf.explode(g, "output"), "output"),
        "'output' is exploded already: it is single operations",
    ),
    "taken": (
        lambda g: nf.explode(g.add("theta1.2", "constant"), "hidden"),
        "'hidden' cannot be exploded: a part would be called 'theta1.2', and there is such a "
        "node already; rename it",
    ),
    "no shape": (
        lambda g: nf.explode(g.set("theta1", shape=None), "hidden"),
        "'hidden' cannot be exploded: 'theta1' (its weights) has no shape yet; give it a value, or "
        "a shape and an init",
    ),
    "no weights": (
        lambda g: nf.explode(g.remove("theta1")),
        "'hidden' cannot be exploded: nothing is wired into its input 'weights'",
    ),
    "shared": (
        lambda g: nf.explode(shared(g), "hidden"),
        "'hidden' cannot be exploded: 'theta1' (its weights) is shared: "
        "it goes to again.weights too",
    ),
    "not a parameter": (
        lambda g: nf.explode(
            g.remove("theta1").add("theta1", "constant").connect("theta1.value", "hidden.weights"),
            "hidden",
        ),
        "'hidden' cannot be exploded: 'theta1' (its weights) must be a parameter, not constant",
    ),
    "bypassed": (
        lambda g: nf.explode(g.with_mode("hidden", "bypass")),
        "'hidden' cannot be exploded: its mode is bypass; make it active first",
    ),
    "disabled": (
        lambda g: nf.explode(g.with_mode("output", "disable"), "output"),
        "'output' cannot be exploded: its mode is disable; make it active first",
    ),
    "a vector": (
        lambda g: nf.explode(g.set("theta1", shape=[2]), "hidden"),
        "'hidden' cannot be exploded: 'theta1' (its weights) must have rows and columns, "
        "such as [5, 7]",
    ),
    "updated": (
        lambda g: nf.explode(
            g.add("new", "weight_update").connect("new.value", "theta1.next"), "hidden"
        ),
        "'hidden' cannot be exploded: 'theta1' (its weights) takes its next value from 'new', "
        "which is no update of its own",
    ),
    "bias": (
        lambda g: nf.explode(g.set("bias1", shape=[3])),
        "'hidden' cannot be exploded: 'bias1' (its bias) must hold 2 numbers, one a neuron",
    ),
    "no layers": (
        lambda g: nf.explode(g.remove("hidden", "output")),
        "the graph has no weighted_sum: there is nothing to explode",
    ),
    "unknown": (
        lambda g: nf.explode(g, "hiden"),
        "there is no node 'hiden'; did you mean 'hidden'?",
    ),
    "nothing": (
        nf.collapse,
        "nothing in the graph is exploded: there is nothing to collapse",
    ),
    "not exploded": (
        lambda g: nf.collapse(nf.explode(g, "hidden"), "output"),
        "'output' is not exploded, and no neuron beside it takes the same inputs: there is nothing "
        "to collapse",
    ),
    "unknown to collapse": (
        lambda g: nf.collapse(nf.explode(g, "hidden"), "hiden"),
        "there is no node 'hiden'; did you mean 'hidden'?",
    ),
    "half edited": (
        lambda g: nf.collapse(nf.explode(g, "hidden").set("theta1.1", value=[[1, 2]])),
        "'hidden' cannot be collapsed: some parts of 'theta1' have a value and 'theta1.2' has "
        "none; give one to all of them or to none",
    ),
    "an edited backward pass": (
        lambda g: nf.explode(nf.unfold(g).set("train.rate", value=3.0), "hidden"),
        "the backward pass was edited, so it cannot be folded: train.rate differs from the rules",
    ),
    "record": (
        lambda g: nf.collapse(replace(g, extra={"exploded": {"hidden": {"rows": 2}}})),
        "what the graph keeps under 'exploded' cannot be read",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    change, sentence = REFUSED[name]
    with pytest.raises(GraphError) as error:
        change(example("xor"))
    assert str(error.value) == sentence
    assert isinstance(error.value, UnknownNode) == name.startswith("unknown")


@pytest.mark.parametrize(
    "part",
    [
        3,
        {"of": "theta1"},
        {"of": "t", "shape": None, "row": 0},
        {"of": "t", "shape": [2, 2], "row": 2},
    ],
)
def test_a_part_that_cannot_be_one(part):
    graph = nf.explode(example("xor"), "hidden")
    node = replace(graph.nodes["theta1.1"], extra={"part": part})
    graph = replace(graph, nodes={**graph.nodes, "theta1.1": node})
    with pytest.raises(GraphError, match=r"'theta1\.1' cannot start as a part: "):
        nf.Run(graph)


def test_mnist_explodes_quickly_and_without_its_data(monkeypatch):
    graph = example("mnist")
    monkeypatch.setenv("NODEFLOW_DATA", "/nowhere")
    begin = time.process_time()
    exploded = nf.explode(graph, "hidden")
    assert time.process_time() - begin < 1
    assert len(exploded.of_type("weighted_sum")) == 31
    assert len(nf.explode(exploded, "hidden.7").of_type("pick")) == 784
    assert_back(graph, exploded)


def test_commands(tmp_path):
    out, back = str(tmp_path / "out.json"), str(tmp_path / "back.json")
    source = str(GRAPHS / "xor.json")
    run = CliRunner().invoke
    done = run(app, ["explode", source, "hidden", "-o", out, "--json"])
    assert done.exit_code == 0
    assert files.dumps(nf.load(out)) == files.dumps(nf.explode(nf.load(source), "hidden"))
    assert json.loads(done.stdout) == {"file": out, "nodes": 16, "wires": 18}
    assert run(app, ["collapse", out, "hidden", "-o", back]).exit_code == 0
    assert Path(back).read_bytes() == Path(source).read_bytes()
    assert run(app, ["explode", source, "-o", out]).exit_code == 0
    assert run(app, ["collapse", out, "-o", back]).exit_code == 0
    assert Path(back).read_bytes() == Path(source).read_bytes()
    failed = run(app, ["explode", source, "hiden", "-o", out])
    assert failed.exit_code == 1
    assert str(failed.exception) == "there is no node 'hiden'; did you mean 'hidden'?"


def test_views_that_show_parameters_show_their_parts():
    """A dictionary of weights has an entry a neuron; what takes a whole matrix is named."""
    graph = example("weights-dictionary")
    parts = nf.explode(graph)
    assert [wire.start for wire in parts.inputs("all_that_was_learnt")["values"]] == [
        "theta1.1.value", "theta1.2.value", "bias1.1.value", "bias1.2.value",
        "theta2.1.value", "theta2.2.value", "bias2.value",
    ]  # fmt: skip
    singles = nf.explode(parts)
    assert len(singles.inputs("all_that_was_learnt")["values"]) == 9
    assert_same_training(graph, singles, 20)
    assert_back(graph, parts)
    assert_back(graph, singles)
    with pytest.raises(GraphError) as error:
        nf.explode(example("ng-digits"), "hidden")
    assert str(error.value) == (
        "'hidden' cannot be exploded: 'theta1' (its weights) is shown whole by 'hidden_units'; "
        "take that wire away first"
    )


def test_taking_apart_grows_with_the_number_of_nodes():
    """3.6 times the nodes take about 3.6 times as long, and not its square, there and back."""

    def seconds(width):
        graph = nf.explode(net("blobs", (2, width, width, 3), rate=0.1))
        began = time.process_time()
        apart = nf.explode(graph)
        assert nf.collapse(apart, "hidden1.1") != apart
        whole = nf.collapse(apart)
        taken = time.process_time() - began
        assert whole == nf.collapse(graph)
        return taken

    seconds(5)
    small, large = (min(seconds(width) for _ in range(2)) for width in (30, 60))
    assert large < 8 * max(small, 0.05)


@BATCHES
@pytest.mark.parametrize("level", ["neurons", "operations"])
def test_layers_that_read_one_activation_add_their_blame_as_whole_layers_do(batch, level):
    """Two layers of three and four neurons take the hidden activations, and J is the same too."""
    x, y = nf.dataset(source="iris", scale="minmax", id="data")

    def layer(a, rows, columns, name):
        weights = nf.parameter(shape=(rows, columns), init="uniform", id=f"t{name}")
        bias = nf.parameter(shape=(rows,), init="uniform", id=f"c{name}")
        return nf.tanh(nf.weighted_sum(a, weights, bias, id=name), id=f"{name}.a")

    hidden = layer(x, 5, 4, "hidden")
    left, right = layer(hidden, 3, 5, "left"), layer(hidden, 4, 5, "right")
    out = layer(nf.concatenate(left, right, id="both"), 3, 7, "out")
    cost = nf.squared_error(out, y, id="cost")
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.2, id="train"), batch=batch)
    graph = penalised(graph, "thidden", "tleft", "tright", "tout", regularization=0.01)
    apart = nf.explode(graph)
    if level == "operations":
        apart = nf.explode(apart)
    assert_same_training(graph, apart, 5, tolerance=0)
    assert nf.collapse(apart) == replace(graph, wires=tuple(sorted(graph.wires)))
