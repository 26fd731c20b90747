"""blame, why, saturated, derive, check --all, train --weights, new --hidden: against the truth."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
import numpy as np
import pytest
from networks import HAS_DATA

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.commands.new import new
from nodeflow.derive.modes import without_differences
from nodeflow.engine.comparison import side_by_side
from nodeflow.errors import GraphError, RunError
from nodeflow.explain.alike import alike
from nodeflow.explain.symbols import derive
from nodeflow.networks import MOST_LAYERS, MOST_NEURONS, network

GRAPHS = Path(__file__).parent.parent / "graphs"


def load(name):
    return nf.load(GRAPHS / f"{name}.json")


def file(name):
    return str(GRAPHS / f"{name}.json")


def told(capsys, *words, code=0):
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


# --- derive ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "weight", "chain", "simple"),
    [
        ("one-neuron", "w", "2·(1.5·w − 0.5)·1.5", "4.5·w − 1.5"),
        ("one-neuron-unfolded", "w", "2·(1.5·w − 0.5)·1.5", "4.5·w − 1.5"),
        ("two-weights", "w1", "2·(w2·1.5·w1 − 0.5)·w2·1.5", "4.5·w1·w2² − 1.5·w2"),
    ],
)
def test_the_derivative_of_the_simplest_networks(graph, weight, chain, simple, capsys):
    found = told(capsys, "derive", file(graph), weight)
    assert (found["derivative"], found["simplified"]) == (chain, simple)
    assert found["gradient"] == pytest.approx(found["value"], rel=1e-12)


def test_the_delta_rule_is_what_comes_out(capsys):
    found = told(capsys, "derive", file("xor"), "theta1.value[0,1]")
    assert found["derivative"] == (
        "2·(output_a − y)·output_a·(1 − output_a)·theta2[0,0]·hidden_a[0]·(1 − hidden_a[0])·x2"
    )
    assert found["where"]["hidden_a[0]"] == "σ(theta1[0,0]·x1 + theta1[0,1]·x2 + bias1[0])"
    assert next(iter(found["where"])) == "output_a"


def test_a_derivative_is_the_gradient_wherever_it_is_written():
    count = 0
    for name in ("two-weights-biases", "mazur", "xor", "plateau", "landscape", "blame-game",
                 "polynomial", "slope-of-the-cost", "iris", "gradient-checking"):  # fmt: skip
        run = nf.Run(load(name))
        for address, value in run.weights.items():
            if address not in run.plan.unfolding.gradients:
                continue
            index = tuple(size - 1 for size in value.shape)
            found = derive(run, address, index)
            count += 1
            if found.gradient is not None:
                assert found.value == pytest.approx(found.gradient, rel=1e-10, abs=1e-14)
    assert count > 20


ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax")


PAIRS = [(activation, "squared_error") for activation in ACTIVATIONS] + [
    (activation, cost)
    for activation in ("sigmoid", "softmax")  # their outputs lie in 0 … 1
    for cost in ("cross_entropy", "categorical_cross_entropy")
]


@pytest.mark.parametrize(("activation", "cost"), PAIRS)
def test_every_activation_and_cost_has_its_derivative(activation, cost):
    x = nf.constant(value=[[0.3, -0.8]], id="x")
    y = nf.constant(value=[[1.0, 0.0]], id="y")
    theta = nf.parameter(value=[[0.5, -0.2], [0.1, 0.7]], id="w")
    a = getattr(nf, activation)(nf.weighted_sum(x, theta, nf.parameter(value=[0.2, 0.3], id="b")))
    run = nf.Run(nf.Graph.of(nf.gradient_descent(getattr(nf, cost)(a, y))))
    for index in ((0, 0), (0, 1)):
        found = derive(run, "w.value", index)
        assert found.value == pytest.approx(found.gradient, rel=1e-9)


def test_what_cannot_be_derived_is_one_sentence(capsys):
    nielsen = told(capsys, "derive", file("digits"), "theta1[0,0]", code=1)["error"]
    assert nielsen.startswith("the derivative by theta1[0,0] has ")
    assert nielsen.endswith("2,000 are written; take fewer layers or neurons, or one sample")
    unknown = told(capsys, "derive", file("xor"), "theta3", code=1)["error"]
    assert unknown.startswith("there is no parameter 'theta3'; there is bias1.value, ")
    for command in ("derive", "why"):
        slider = told(capsys, command, file("slope-of-the-cost"), "w", code=1)["error"]
        assert slider == "'w' is no parameter but a node of type slider; the graph has none"
        constant = told(capsys, command, file("one-neuron"), "x", code=1)["error"]
        assert constant == "'x' is no parameter but a node of type constant; there is w.value"
    assert told(capsys, "derive", file("xor"), "theta1", code=1)["error"] == (
        "'theta1.value' is 2×2: say which number, such as theta1.value[0,0]"
    )
    assert "is no weight" in told(capsys, "derive", file("xor"), "theta1[a]", code=1)["error"]
    assert "is outside" in told(capsys, "derive", file("xor"), "theta1[2,0]", code=1)["error"]
    x, y = nf.dataset("xor", id="data")
    w = nf.parameter(value=[[0.1, 0.2]], id="w")
    a = nf.weighted_sum(x, w)
    graph = nf.Graph.of(nf.gradient_descent(nf.margin(a, y, id="ahead")))
    with pytest.raises(RunError, match=r"'ahead' \(margin\) has no formula to derive"):
        derive(nf.Run(graph), "w.value", (0, 0))
    lone = load("one-neuron").add("lone", "parameter", value=[1.0])
    with pytest.raises(RunError, match="is 0 whatever the weights are, since 'x' and 'y' hold zer"):
        derive(nf.Run(network("2-2-1")), "theta1.value", (0, 0))
    with pytest.raises(RunError, match="the cost does not depend on lone: its derivative is 0"):
        derive(nf.Run(lone), "lone.value", (0,))


def test_a_long_derivative_is_measured_before_it_is_written():
    run = nf.Run(network((2, *(9,) * 9, 2), data="moons"))
    with pytest.raises(RunError, match="characters, and 2,000 are written"):
        derive(run, next(key for key in run.weights if key.startswith("theta1")), (0, 0))


def test_with_sympy_more_is_simplified(capsys):
    sympy = pytest.importorskip("sympy")
    found = told(capsys, "derive", file("mazur"), "theta1[0,0]")
    assert found["simplified_by"] == f"SymPy {sympy.__version__}"
    assert len(found["simplified"]) < len(found["derivative"])


# --- blame, why, saturated ------------------------------------------------------------------------


def test_blame_is_ranked(capsys):
    found = told(capsys, "blame", file("blame-game"), "--at", "0:0")
    assert [one["neuron"] for one in found["layers"][0]["shares"]] == [
        "hidden 3", "hidden 2", "hidden 1",
    ]  # fmt: skip
    assert [one["share"] for one in found["layers"][0]["shares"]] == pytest.approx([0.6, 0.3, 0.1])
    assert main(["blame", file("blame-game")]) == 0
    assert "hidden 3 ←" in capsys.readouterr().out


def test_blame_is_of_the_sample_and_the_moment_that_were_asked_for(capsys):
    found = told(capsys, "blame", file("xor"), "--at", "3:2")
    run = nf.Run(load("xor"))
    run.train(3)
    run.goto(epoch=3, sample=2)
    run.evaluate()
    assert found["cost"] == run.cost
    assert found["layers"][0]["deltas"] == run.gradient("output.z")[0].tolist()
    error = told(capsys, "blame", file("xor"), "--at", "0:4", code=1)["error"]
    assert error == "there is no sample 4: an epoch has 4, counted from 0 to 3"
    assert main(["blame", file("xor"), "--at", "soon"]) == 2
    assert "EPOCH:SAMPLE" in capsys.readouterr().err


def test_of_a_blame_that_is_no_number_nobody_has_a_share(capsys, tmp_path):
    z = nf.weighted_sum(nf.constant(value=[1.0]), nf.parameter(value=[[-1.0]], id="w"), id="sum")
    cost = nf.squared_error(nf.log(z), nf.constant(value=[0.0]))
    nf.save(nf.Graph.of(nf.gradient_descent(cost)), tmp_path / "g.json")
    found = told(capsys, "blame", str(tmp_path / "g.json"), code=1)
    assert found["error"].startswith("the δ of 'sum' is NaN or Infinity")


def test_blame_takes_the_row_of_a_batch():
    from dataclasses import replace

    from nodeflow.explain.responsibility import blame_at

    graph = load("xor")
    run = nf.Run(replace(graph, training=replace(graph.training, batch=2)))
    run.train(1)
    run.goto(epoch=1, sample=2)
    run.evaluate()
    deltas = run.gradient("output.z").copy()
    assert deltas.shape == (2, 1)
    for row in (0, 1):
        assert blame_at(run, 1, 2 + row)[0].deltas == pytest.approx(deltas[row])


def test_why_adds_up(capsys):
    found = told(capsys, "why", file("xor"), "theta1[0,1]", "--from", "1", "--to", "4")
    assert sum(one["change"] for one in found["samples"]) == pytest.approx(found["change"])
    run = nf.Run(load("xor"))
    run.train(1)
    assert found["before"] == run.weights["theta1.value"][0, 1]
    run.train(3)
    assert found["after"] == run.weights["theta1.value"][0, 1]
    assert {one["row"] for one in found["samples"]} == {0, 1, 2, 3}
    sizes = [abs(one["change"]) for one in found["samples"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(found["steps"]) == 3 * 4


def test_saturated_names_the_neurons(capsys):
    x, y = nf.dataset("xor", id="data")
    far = nf.weighted_sum(x, nf.parameter(value=[[0.1, 0.2], [90.0, 90.0]], id="w1"),
                          nf.parameter(value=[0.0, 50.0], id="b1"), id="hidden")  # fmt: skip
    end = nf.weighted_sum(nf.sigmoid(far), nf.parameter(value=[[1.0, 1.0]], id="w2"), id="out")
    graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(nf.sigmoid(end), y)))
    from nodeflow.explain import where_blame_dies

    run = nf.Run(graph)
    run.evaluate()
    (found,) = where_blame_dies(run)
    assert (found.layer, found.neuron, found.kind) == ("hidden", 1, "slope")
    assert found.as_dict()["text"].startswith("hidden 2: σ′ = ")
    assert told(capsys, "saturated", file("xor"))["neurons"] == []
    assert main(["saturated", file("xor"), "--epochs", "2"]) == 0
    assert "blame comes through every neuron" in capsys.readouterr().out


def test_neurons_that_are_one_and_the_same_are_told(capsys, tmp_path):
    for name, epochs in (("symmetry-zeros", "0"), ("symmetry-zeros", "50")):
        (found,) = told(capsys, "saturated", file(name), "--epochs", epochs)["alike"]
        assert (found["layer"], found["neurons"]) == ("hidden", [0, 1, 2, 3])
        assert found["text"].startswith("all 4 neurons have the same weights, in and out")
    assert told(capsys, "saturated", file("symmetry-random"))["alike"] == []
    nf.save(network("2-3-1", init="zeros"), tmp_path / "g.json")
    assert main(["saturated", str(tmp_path / "g.json")]) == 0
    assert "hidden: all 3 neurons have the same weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("into", "away", "groups"),
    [
        ([[1, 2], [1, 2], [3, 4]], [[5, 5, 5]], [(0, 1)]),
        ([[1, 2], [1, 2], [3, 4]], [[5, 6, 5]], []),  # what reads them tells them apart
        ([[1, 2], [3, 4], [1, 2]], [[5, 7, 5], [1, 1, 1]], [(0, 2)]),
        ([[0, 0], [0, 0], [-0.0, 0]], [[0, 0, 0]], [(0, 1, 2)]),
    ],
)
def test_who_is_alike_stays_alike(into, away, groups):
    graph = network(f"2-3-{len(away)}", data="xor" if len(away) == 1 else None, rate=1.0)
    graph = graph.set("theta1", value=into).set("theta2", value=away)
    if len(away) == 2:
        graph = graph.set("x", value=[[1.0, 2.0]])
    run = nf.Run(graph)
    for _ in range(2):
        run.evaluate()
        found = alike(graph, run.values.get, "hidden")
        assert [one.neurons for one in found] == groups
        run.train(20)


def test_of_a_layer_that_is_read_in_other_ways_nothing_is_said():
    graph = nf.unfold(load("symmetry-zeros"))
    run = nf.Run(graph)
    run.evaluate()
    assert len(alike(graph, run.values.get, "hidden")) == 1
    more = graph.add("m", "mean").connect("hidden_a.a", "m.a")
    assert alike(more, run.values.get, "hidden") == []
    assert alike(graph, lambda _: None, "hidden") == []


def test_a_saturated_softmax_is_named_where_its_slope_is_a_factor(capsys):
    """With squared error ∂a/∂z = a(1 − a) is one; with cross-entropy δ = a − y passes it."""
    found = told(capsys, "saturated", file("starts-huge"))["neurons"]
    assert [one["neuron"] for one in found] == [0, 1, 2]
    run = nf.Run(load("starts-huge"))
    run.evaluate()
    z = run["output.z"][0]
    a = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert [one["slope"] for one in found] == pytest.approx((a * (1 - a)).tolist(), abs=1e-30)
    assert np.abs(run.gradient("output.z")).max() < 1e-12
    other = load("starts-huge").remove("cost").add("cost", "categorical_cross_entropy")
    for start, end in (
        ("output_a.a", "cost.a"), ("data.y", "cost.y"), ("cost.cost", "train.cost"),
    ):  # fmt: skip
        other = other.connect(start, end)
    from nodeflow.explain import where_blame_dies

    run = nf.Run(other)
    run.evaluate()
    assert where_blame_dies(run) == []


@pytest.mark.skipif(not HAS_DATA, reason="NODEFLOW_DATA is not set")
def test_the_hidden_layer_that_starts_from_naive_bayes_is_saturated(capsys):
    found = told(capsys, "saturated", file("wheat-naive-bayes"))["neurons"]
    assert [(one["layer"], one["neuron"]) for one in found] == [("hidden", n) for n in range(5)]
    run = nf.Run(load("wheat-naive-bayes"))
    theta = run.weights["theta1.value"]
    assert np.array_equal(theta[3:], theta[:2])  # three classes are known, the others are copies


def test_a_cost_without_its_minus_is_climbed():
    """Σ y ln a + (1 − y) ln(1 − a): the update goes away from the targets."""
    ends = {}
    for sign in ("-", ""):
        formula = f"{sign}(y * log(a) + (1 - y) * log(1 - a))"
        x, y = nf.constant(value=[[1.0]], id="x"), nf.constant(value=[[1.0]], id="y")
        w = nf.parameter(value=[[0.2]], id="w")
        a = nf.sigmoid(nf.weighted_sum(x, w, id="sum"), id="a")
        cost = nf.expression(y=y, a=a, formula=formula, id="cost")
        run = nf.Run(nf.Graph.of(nf.gradient_descent(cost, rate=0.5)))
        run.train(20)
        run.evaluate()
        ends[sign] = run["a.a"].item()
    start = 1 / (1 + np.exp(-0.2))
    assert ends[""] < 0.3 < start < 0.8 < ends["-"]


# --- check --all, train --weights, new ------------------------------------------------------------


def test_both_sides_are_printed(capsys):
    found = told(capsys, "check", file("xor"), "--all")["all"]
    gradients = told(capsys, "run", file("xor"))["gradients"]
    for address, both in found["parameters"].items():
        assert both["gradient"] == gradients[address]
        assert np.array(both["difference"]) == pytest.approx(np.array(both["gradient"]), abs=1e-8)
    assert found["seconds"].keys() == {"backward", "differences"}
    assert main(["check", file("wrong-slope"), "--all"]) == 1
    out = capsys.readouterr().out
    assert "theta1.value[0, 0]" in out
    assert "differences" in out
    wrong = side_by_side(load("wrong-slope"))
    apart = {
        key for key, value in wrong.gradients.items()
        if not np.allclose(value, wrong.differences[key], atol=1e-7)
    }  # fmt: skip
    assert apart == {"theta1.value", "bias1.value"}


def test_the_clock_of_a_pass_is_without_the_differences_that_are_wired():
    graph = load("gradient-checking")
    found = side_by_side(graph)
    once, many = found.seconds
    run = nf.Run(graph)
    run.evaluate()
    began = time.perf_counter()
    run.evaluate()
    with_differences = time.perf_counter() - began
    assert once < with_differences / 3
    assert many > 3 * once
    # What learns from them needs them: they belong to its pass.
    (old,) = (wire for wire in graph.into("bias2.average") if wire.input == "total")
    learns = graph.disconnect(old.start, old.end)
    learns = learns.add("by_differences", "gradient_approx")
    learns = learns.connect("bias2.value", "by_differences.parameter")
    learns = learns.connect("by_differences.gradient", "bias2.average.total")
    learns = learns.connect("bias2.value", "bias2.average.weights")
    modes = {key: node.mode for key, node in without_differences(learns).nodes.items()}
    assert {key for key, mode in modes.items() if mode == "disable"} == {"approx"}


def test_both_sides_of_a_loop_over_samples_agree():
    graph = nf.load(GRAPHS / "four-layers.json")
    found = side_by_side(graph)
    for key, value in found.gradients.items():
        assert found.differences[key] == pytest.approx(value, abs=1e-6), key


def test_too_many_numbers_are_not_moved():
    with pytest.raises(GraphError, match="20,000 are moved one by one at most"):
        side_by_side(network("100-300-10"))


def test_weights_are_a_dictionary(capsys):
    assert main(["train", file("xor"), "--epochs", "1", "--weights"]) == 0
    out = capsys.readouterr().out
    text = out[out.index("{") : out.rindex("}") + 1].replace("−", "-")
    run = nf.Run(load("xor"))
    run.train(1)
    for key, value in eval(text).items():
        assert np.array(value) == pytest.approx(run.weights[key], rel=1e-3, abs=1e-4)


def test_who_looks_for_the_input_layer_is_answered(capsys):
    from nodeflow.editor.dialogs.searching import found

    assert main(["nodes", "input layer"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("dataset source")
    assert "it is x, the numbers as they come. Nothing is computed there, so it is no layer" in out
    assert found("input layer")[0].name == "dataset"


def test_a_network_of_a_depth(capsys, tmp_path):
    found = told(capsys, "new", str(tmp_path / "deep.json"), "--data", "moons", "--hidden", "5",
                 "--depth", "3")  # fmt: skip
    assert found["layers"] == [2, 5, 5, 5, 2]
    flat = told(capsys, "new", str(tmp_path / "flat.json"), "--data", "moons", "--depth", "0")
    assert flat["layers"] == [2, 2]
    assert main(["new", str(tmp_path / "x.json"), "--layers", "2-2", "--hidden", "5"]) == 2
    assert "--hidden and --depth go with --data" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "x.json"), "--data", "moons", "--depth", "1001"]) == 1
    said = capsys.readouterr().err
    assert said == "nodeflow: a network has at most 1,000 hidden layers, not 1,001\n"
    helps = {one.name: one.help for one in new.params if isinstance(one, click.Option)}
    for name, most in (("hidden", MOST_NEURONS), ("depth", MOST_LAYERS)):
        assert f"at most {most:,}" in helps[name]
    assert not (tmp_path / "x.json").exists()


@pytest.mark.skipif(not HAS_DATA, reason="NODEFLOW_DATA is not set")
def test_naive_bayes_is_no_start_for_a_hidden_layer():
    from gallery.wheat_starts import slopes

    assert slopes("naive_bayes") < 0.02
    assert slopes("uniform") > 0.2


@pytest.mark.parametrize(("columns", "head"), [(80, False), (100, True), (140, True)])
def test_no_name_in_a_table_of_blame_is_cut(tmp_path, capsys, monkeypatch, columns, head):
    """Names such as 'layer0 4' ended in … where six of them stood side by side."""
    monkeypatch.setenv("COLUMNS", str(columns))
    graph = network("3-6-2", name="g")
    nf.save(graph.set("x", value=[[1.0, 2.0, 3.0]]), tmp_path / "g.json")
    assert main(["blame", str(tmp_path / "g.json")]) == 0
    told = capsys.readouterr().out
    assert "…" not in told
    last = told[told.rindex("  δ") :].partition("\n\n")[2]
    assert last.count("hidden") == (6 if head else 0)
    assert ("wider terminal" in told) != head
