"""The classic picture of neurons."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.editor.canvas.neurons import MOST, neuron_map
from nodeflow.networks import network

GRAPHS = Path(__file__).parent.parent / "graphs"
FORMS = {
    "layers": lambda graph: graph,
    "neurons": nf.explode,
    "unfolded": nf.unfold,
    "neurons unfolded": lambda graph: nf.unfold(nf.explode(graph)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_network_has_the_same_picture(form):
    whole = network("7-5-3")
    drawn = neuron_map(FORMS[form](whole))
    xs = sorted({neuron.x for neuron in drawn.neurons})
    assert [sum(n.x == x for n in drawn.neurons) for x in xs] == [7, 5, 3]
    assert len(drawn.lines) == 7 * 5 + 5 * 3
    assert [label.layer for label in drawn.labels] == ["hidden", "output"]
    assert drawn.labels[0].text == "hidden  5×7  sigmoid"
    assert [xs[0] < drawn.labels[0].x < xs[1], xs[1] < drawn.labels[1].x < xs[2]] == [True, True]
    is_apart = "neurons" in form
    assert ("hidden.2" in {n.node for n in drawn.neurons}) == is_apart
    assert ("hidden" in {n.node for n in drawn.neurons}) != is_apart


def test_columns_share_their_middle():
    drawn = neuron_map(network("7-4-3"))
    columns = [
        [n.y for n in drawn.neurons if n.x == x] for x in sorted({n.x for n in drawn.neurons})
    ]
    assert [len(ys) for ys in columns] == [7, 4, 3]
    assert len({(min(ys) + max(ys)) / 2 for ys in columns}) == 1
    gaps = {b - a for ys in columns for a, b in pairwise(ys)}
    assert len(gaps) == 1
    assert gaps.pop() > 0


@pytest.mark.parametrize("form", ["layers", "neurons"])
def test_weights_and_values_are_those_of_the_run(form):
    run = nf.Run(FORMS[form](nf.load(GRAPHS / "xor.json")))
    run.evaluate()
    values = {}
    for key in run.graph.nodes:
        for port in run.graph.type_of(key).outputs:
            values[f"{key}.{port.name}"] = np.asarray(run[f"{key}.{port.name}"])
    drawn = neuron_map(run.graph, values)
    whole = nf.Run(nf.load(GRAPHS / "xor.json"))
    whole.evaluate()
    theta = np.asarray(whole["theta1.value"])
    lines = [line.weight for line in drawn.lines if line.layer == "hidden"]
    assert lines == pytest.approx(theta.ravel())
    shares = [line.share for line in drawn.lines if line.layer == "hidden"]
    assert shares == pytest.approx(np.abs(theta).ravel() / np.abs(theta).max())
    hidden = [n.value for n in drawn.neurons if n.node.startswith("hidden")]
    assert hidden == pytest.approx(np.asarray(whole["hidden_a.a"])[0])


def test_wide_columns_are_shortened():
    drawn = neuron_map(network("784-30-10"))
    widest = [n for n in drawn.neurons if n.x == 0]
    assert len(widest) == MOST
    assert [n.number for n in widest][-2:] == [None, 783]


def test_typed_weights_are_shown_before_anything_ran():
    drawn = neuron_map(nf.load(GRAPHS / "mazur.json"))
    assert [line.weight for line in drawn.lines][:4] == [0.15, 0.2, 0.25, 0.3]


def test_without_layers_there_is_a_reason():
    assert neuron_map(nf.Graph()).reason == "there is no weighted_sum to draw as a layer"
    broken = nf.Graph().add("x", "dataset", source="nowhere").add("s", "weighted_sum")
    assert neuron_map(broken).reason


def names(drawn):
    """Return the names of the first and of the last column."""
    xs = sorted({neuron.x for neuron in drawn.neurons})
    return [[n.name for n in drawn.neurons if n.x == x] for x in (xs[0], xs[-1])]


@pytest.mark.parametrize("form", FORMS)
def test_inputs_and_outputs_have_the_names_of_the_data(form, tmp_path):
    (tmp_path / "fruit.csv").write_text(
        "weight,sugar,colour,kind\n1,2,3,plum\n2,3,4,pear\n3,1,2,apple\n4,5,6,pear\n"
    )
    graph = network("3-2-3", data="fruit.csv", folder=tmp_path)
    features, classes = names(neuron_map(FORMS[form](graph)))
    assert features == ["weight", "sugar", "colour"]
    assert classes == ["apple", "pear", "plum"]


def test_without_names_neurons_are_numbered():
    assert names(neuron_map(network("2-2-1"))) == [["x1", "x2"], ["a1"]]
    hidden = [n.name for n in neuron_map(network("2-2-1")).neurons if n.x not in (0, 520)]
    assert hidden == ["", ""]


@pytest.mark.parametrize("form", FORMS)
def test_every_step_lights_the_column_that_it_belongs_to(form):
    """The gradient at a layer's z, its weights and its bias, and what steps them, are the layer's.

    Where single neurons have nodes of their own, each lights its own.
    """
    graph = FORMS[form](network("7-5-3"))
    drawn = neuron_map(graph)
    sizes = {"x": 7, "hidden": 5, "output": 3}
    column_of = {"theta1": "hidden", "bias1": "hidden", "hidden_a": "hidden", "hidden": "hidden",
                 "theta2": "output", "bias2": "output", "output_a": "output", "output": "output",
                 "x": "x"}  # fmt: skip
    seen = set()
    for key in nf.Run(graph).order:
        first, *parts = key.split(".")
        column, number = drawn.lit(key)
        assert column == column_of.get(first, ""), key
        assert number is None or number in range(sizes[column]), key
        if "neurons" in form and first in ("hidden", "output_a", "bias2"):
            assert number == int(parts[0]) - 1, key
        elif "neurons" not in form:
            assert number is None, key
        seen |= {(n.column, n.number) for n in drawn.neurons if n.column == column}
    assert seen == {(column, n) for column, size in sizes.items() for n in range(size)}


def single_neurons(sizes=(2, 3, 2), *, updates=True):
    """Return a network of neurons that somebody wired one by one, with names of their own."""
    x, y = nf.dataset("blobs" if sizes[-1] == 3 else "spiral", id="data")
    before, ends = [nf.pick(x, index=i, id=f"in{i}") for i in range(sizes[0])], []
    made = []
    for depth, (width, count) in enumerate(pairwise(sizes), 1):
        now = []
        for number in range(count):
            name = f"{'pqrs'[depth]}{number}"
            w = nf.parameter(shape=(1, width), init="uniform", id=f"{name}w")
            z = nf.weighted_sum(before, w, id=name)
            now.append(nf.sigmoid(z, id=f"{name}s"))
            made.append((name, w, list(before), now[-1]))
        before = now
    e = nf.error(nf.concatenate(*before, id="out"), y, id="e")
    for number, (name, w, fed, a) in enumerate(made[-sizes[-1] :]):
        d = nf.delta(nf.pick(e, index=number, id=f"{name}e"), a, id=f"{name}d")
        ends.append(nf.step(w, d, fed, id=f"{name}u"))
    graph = nf.Graph.of(e, *ends, rate=0.1)
    for name, *_ in made[-sizes[-1] :]:
        graph = graph.connect(f"{name}u.value", f"{name}w.next")
    return graph


def counts(drawn):
    xs = sorted({neuron.x for neuron in drawn.neurons})
    return [sum(n.x == x for n in drawn.neurons) for x in xs]


@pytest.mark.parametrize("sizes", [(2, 3, 2), (2, 12, 2), (2, 3, 4, 2)])
def test_neurons_that_were_wired_one_by_one_stand_side_by_side(sizes):
    drawn = neuron_map(single_neurons(sizes))
    assert counts(drawn) == list(sizes)
    assert len({(n.x, n.y) for n in drawn.neurons}) == sum(sizes)
    assert len(drawn.lines) == sum(a * b for a, b in pairwise(sizes))
    assert len({(line.start, line.end) for line in drawn.lines}) == len(drawn.lines)
    hidden = [n.node for n in drawn.neurons if n.node.startswith("q")]
    assert hidden == [f"q{number}" for number in range(sizes[1])]
    assert drawn.labels[0].text == f"q0 … q{sizes[1] - 1}  {sizes[1]}×2  sigmoid"


def test_a_mixture_of_neurons_and_layers_is_drawn_feature_by_feature():
    """A layer of 2 beside a neuron, which takes one input only; the output skips none."""
    x, _ = nf.dataset("spiral", id="data")
    layer = nf.tanh(nf.weighted_sum(x, nf.parameter(shape=(2, 2), id="w1"), id="layer"))
    one = nf.weighted_sum(nf.pick(x, index=1), nf.parameter(shape=(1, 1), id="w2"), id="one")
    both = nf.concatenate(nf.sigmoid(one), layer)
    fed = [both, nf.pick(x, index=0)]
    out = nf.weighted_sum(fed, nf.parameter(shape=(1, 4), id="w3"), id="out")
    drawn = neuron_map(nf.Graph.of(out))
    assert counts(drawn) == [2, 3, 1]
    assert len(drawn.lines) == 4 + 1 + 4
    at = {(n.column, n.number): (n.x, n.y) for n in drawn.neurons}
    assert [line.end for line in drawn.lines if line.layer == "one"] == [at["one", 0]]
    assert [line.start for line in drawn.lines if line.layer == "one"] == [at["data", 1]]
    starts = [line.start for line in drawn.lines if line.layer == "out"]
    assert starts == [at["one", 0], at["layer", 0], at["layer", 1], at["data", 0]]


def test_a_hand_wired_graph_has_the_map_of_the_folded_one():
    import handwired
    import networks

    by_hand = neuron_map(handwired.wired())
    folded = neuron_map(networks.net("blobs", (2, 4, 3), accuracy=False))
    assert by_hand.neurons == folded.neurons
    assert by_hand.lines == folded.lines
    assert by_hand.labels == folded.labels


def test_the_map_has_targets_errors_biases_and_blame() -> None:
    """All numbers are those of the run, the names those of the data's columns."""
    from nodeflow.editor.canvas.neurons import Known
    from nodeflow.engine.snapshot import Names, Snapshot

    graph = nf.load(GRAPHS / "iris.json")
    run = nf.Run(graph)
    run.train(3)
    run.evaluate()
    shot = Snapshot.of(run, Names.of(run))
    known = Known(shot.values, shot.gradients, shot.ages, shot.gradient_ages)
    for form in (graph, nf.explode(graph), nf.unfold(graph)):
        drawn = neuron_map(form, known=known)
        hidden = [n for n in drawn.neurons if n.column == "hidden"]
        outputs = [n for n in drawn.neurons if n.column == "output"]
        assert [n.bias for n in hidden] == run["bias1.value"].tolist()
        assert [n.delta for n in hidden] == run.gradient("hidden.z")[0].tolist()
        assert [n.delta for n in outputs] == run.gradient("output.z")[0].tolist()
        assert [n.target for n in outputs] == run["data.y"][0].tolist()
        assert [n.error for n in outputs] == (run["output_a.a"] - run["data.y"])[0].tolist()
        assert not any(n.age for n in drawn.neurons)
    inputs = [n.name for n in drawn.neurons if n.x == 0]
    assert inputs == list(run.plan.inference.tables["data"].features)


def test_neurons_of_another_pass_say_so() -> None:
    from nodeflow.editor.canvas.neurons import Known
    from nodeflow.engine.snapshot import Names, Snapshot

    run = nf.Run(nf.load(GRAPHS / "xor.json"))
    run.goto(epoch=0, sample=2, node="hidden_a")
    shot = Snapshot.of(run, Names.of(run))
    drawn = neuron_map(
        run.graph, known=Known(shot.values, shot.gradients, shot.ages, shot.gradient_ages)
    )
    ages = {n.column: (n.age, n.delta_age) for n in drawn.neurons}
    assert ages["hidden"] == ("", "from sample 1")
    assert ages["output"] == ("from sample 1", "from sample 1")


def test_a_map_goes_no_way_back_and_needs_no_depth():
    """Features are followed within a pass: not along feedback wires, however long a chain is."""
    x = nf.parameter(shape=(2,), id="x")
    output = nf.weighted_sum(x, nf.parameter(shape=(1, 2), id="w"), id="output")
    cost = nf.squared_error(nf.sigmoid(output), nf.constant(value=[[1.0]]))
    wired = nf.unfold(nf.Graph.of(nf.gradient_descent(cost, rate=0.1)))
    assert wired.feedback
    drawn = neuron_map(replace(wired, extra={}))  # so that it is not folded
    assert len(drawn.neurons) == 3
    value, _ = nf.dataset(source="xor", id="data")
    for _ in range(2_000):
        value = nf.relay(value)
    long = nf.Graph.of(nf.sigmoid(nf.weighted_sum(value, nf.parameter(shape=(1, 2)))))
    assert len(neuron_map(long).neurons) == 3
