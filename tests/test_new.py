"""New networks: from a shape, from data, from both; the command that writes them."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import nodeflow as nf
from nodeflow.cli import app, main
from nodeflow.commands import new as new_command
from nodeflow.data.relative import relative_source
from nodeflow.derive.sizes import sizes_of
from nodeflow.derive.tidy import overlaps
from nodeflow.errors import DataError, GraphError
from nodeflow.networks import (
    INITS,
    layer_sizes,
    network,
    offered,
)

ACTIVATIONS, COSTS, TRAINERS = map(offered, ("activation", "cost", "trainer"))

GRAPHS = Path(__file__).parent.parent / "graphs"
WITH_DATA = pytest.mark.skipif("NODEFLOW_DATA" not in os.environ, reason="needs NODEFLOW_DATA")
ROWS = "".join(f"{i % 7},{i * i % 11},{'ab'[i % 2]}\n" for i in range(24))


def cost_of(run):
    return run.machine.assess(test=False)[0]


def falls(graph, epochs=20):
    run = nf.Run(graph)
    before = cost_of(run)
    run.train(epochs)
    return cost_of(run) < before


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], standalone_mode=False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    (tmp_path / "rows.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


# --- every combination --------------------------------------------------------------------------


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_combination_is_right_and_learns(activation, cost, trainer):
    graph = network(data="blobs", activation=activation, cost=cost, trainer=trainer)
    graph.validate()
    assert nf.check(graph).valid
    assert falls(graph)


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy"])
def test_xor_is_learnt(cost, trainer):
    graph = network(data="xor", cost=cost, trainer=trainer)
    assert falls(graph)
    if trainer != "minimize":  # which ends in the first minimum, be it a local one
        run = nf.Run(graph)
        run.train()
        assert run.machine.assess(test=False)[1] == 1


@pytest.mark.parametrize("trainer", ["gradient_descent", "adam"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_unfolded_network_is_the_same_run(activation, trainer):
    folded = network(data="blobs", activation=activation, trainer=trainer, regularization=0.01)
    wired = network(
        data="blobs", activation=activation, trainer=trainer, regularization=0.01, folded=False
    )
    assert not wired.of_family("trainer")
    assert wired.of_type("weight_gradient")
    assert nf.check(wired).valid
    runs = [nf.Run(folded), nf.Run(wired)]
    for run in runs:
        run.train(3)
    assert all((runs[0].weights[key] == runs[1].weights[key]).all() for key in runs[0].weights)


@pytest.mark.parametrize("init", INITS)
def test_every_start_can_be_trained(init):
    assert falls(network("2-6-3", data="blobs", init=init))
    assert falls(network("2-3", data="blobs", init=init))


# --- from data ----------------------------------------------------------------------------------


@WITH_DATA
def test_wheat_seeds_from_the_file_alone():
    graph = network(data="wheat-seeds.csv")
    assert graph.settings("theta1")["shape"] == (5, 7)
    assert graph.settings("theta2")["shape"] == (3, 5)
    assert graph.settings("data")["scale"] == "minmax"
    assert graph.training == nf.Training(batch=1, epochs=100, seed=0)
    run = nf.Run(graph)
    run.train()
    assert run.machine.assess(test=True)[1] > 0.8


@pytest.mark.parametrize("name", ["iris", "digits", "wine", "diabetes"])
def test_sets_of_scikit_learn(name):
    pytest.importorskip("sklearn")
    graph = network(data=name)
    assert nf.check(graph).valid
    assert falls(graph, 5)


def test_classes_are_counted_and_some_kept_for_testing():
    graph = network(data="moons")
    assert graph.settings("data")["test"] == 0.25
    assert graph.settings("data")["scale"] == "none"
    assert graph.nodes["output_a"].type == "sigmoid"
    assert "accuracy" in graph.nodes
    assert graph.about == (
        "200 rows of moons. 2-4-2, hidden sigmoid, outputs sigmoid, squared error, "
        "gradient descent with rate 0.3, one sample at a time."
    )


def test_numbers_are_reached_by_outputs_without_bounds():
    graph = network(data="polynomial")
    assert graph.nodes["output_a"].type == "identity"
    assert graph.settings("data")["test"] == 0
    assert graph.settings("train")["rate"] == 0.03
    assert "accuracy" not in graph.nodes
    run = nf.Run(graph)
    run.train()
    assert cost_of(run) < 0.2


def test_large_targets_get_a_small_rate(here):
    rows = "".join(f"{i / 10},{100 * i + 0.5}\n" for i in range(40))
    (here / "large.csv").write_text(rows, encoding="utf-8")
    graph = network(data="large.csv", folder=here, scale_target="none")
    assert graph.settings("train")["rate"] == 8e-6
    assert falls(graph)
    scaled = network(data="large.csv", folder=here)
    assert scaled.settings("data")["scale_target"] == "standard"
    assert scaled.settings("train")["rate"] == 0.003
    assert falls(scaled)


def test_small_sets_are_seen_as_often_as_large_ones():
    assert network(data="xor").training.epochs == 2000
    assert network(data="blobs").training.epochs == 100
    assert network(data="xor", trainer="minimize").training.epochs == 100
    assert network(data="xor", epochs=3).training.epochs == 3


@pytest.mark.parametrize(
    ("width", "classes", "hidden"), [(7, 3, 5), (64, 10, 25), (2, 2, 4), (6000, 5, 100)]
)
def test_the_size_of_the_hidden_layer(tmp_path, width, classes, hidden):
    labels = np.arange(2 * classes) % classes
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((len(labels), width)), y=labels)
    graph = network(data="d.npz", folder=tmp_path)
    assert graph.settings("theta1")["shape"] == (hidden, width)
    assert graph.settings("theta2")["shape"] == (classes, hidden)


def test_targets_of_several_columns(here):
    (here / "two.csv").write_text("p,q,r\n0,1,1\n1,1,1\n1,0,0\n0.5,0,1\n", encoding="utf-8")
    graph = network(data="two.csv", target=["q", "r"], folder=here)
    assert graph.settings("data")["target"] == ("q", "r")
    assert graph.nodes["output_a"].type == "sigmoid"
    assert "accuracy" not in graph.nodes, "a row may have both"
    with pytest.raises(GraphError, match="shares that add up to 1, and the targets of a row do no"):
        network(data="two.csv", target=["q", "r"], output="softmax", folder=here)


def test_what_is_given_is_taken():
    graph = network(
        [2, 5, 4, 2], data="circle", scale="standard", test=0.5, activation="tanh",
        output="softmax", trainer="adam", rate=0.02, init="normal", batch=8, epochs=7, seed=3,
        regularization=0.1, name="mine",
    )  # fmt: skip
    assert graph.name == "mine"
    assert graph.training == nf.Training(batch=8, epochs=7, seed=3)
    assert graph.nodes["cost"].type == "categorical_cross_entropy"
    assert graph.nodes["hidden1_a"].type == graph.nodes["hidden2_a"].type == "tanh"
    assert graph.settings("train")["rate"] == 0.02
    assert graph.settings("theta3") == {
        "init": "normal", "shape": (2, 4), "trainable": True, "value": None, "range": None,
    }  # fmt: skip
    assert graph.settings("data")["scale"] == "standard"
    assert graph.about == (
        "200 rows of circle. 2-5-4-2, hidden tanh, outputs softmax, categorical cross-entropy "
        "with penalty λ = 0.1, Adam with rate 0.02, 8 samples at a time."
    )
    assert {wire.source for wire in graph.into("penalty")} == {"theta1", "theta2", "theta3"}
    assert falls(graph)


# --- from a shape -------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", ["400-25-10", "2-2-2", "3-2", "2-3-4-5", "2-1"])
@pytest.mark.parametrize("cost", [*COSTS, None])
def test_a_shape_alone_is_a_graph_that_runs(layers, cost):
    if cost == "categorical_cross_entropy" and layers.endswith("-1"):
        with pytest.raises(GraphError, match="of a single output is always 1"):
            network(layers, cost=cost)
        return
    graph = network(layers, cost=cost)
    assert nf.check(graph).valid
    assert "put your numbers there" in graph.about
    assert not graph.of_type("dataset")
    nf.Run(graph).train(3)


def test_a_shape_is_wired_to_data_by_hand():
    graph = network("2-4-1", epochs=2000).remove("x", "y").add("data", "dataset", source="xor")
    for wire in ("data.x -> hidden.a", "data.y -> cost.y", "data.y -> accuracy.y"):
        graph = graph.connect(*wire.split(" -> "))
    run = nf.Run(graph)
    run.train()
    assert run.machine.assess(test=False)[1] == 1


def test_layers_are_read():
    assert layer_sizes("400-25-10") == layer_sizes([400, 25, 10]) == (400, 25, 10)
    assert layer_sizes(" 7 - 3 ") == (7, 3)


# --- on the canvas ------------------------------------------------------------------------------


def overlapping(graph):
    assert graph.layout.keys() == graph.nodes.keys()
    return overlaps(graph)


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("layers", ["2-3", "2-5-3", "2-5-4-3"])
@pytest.mark.parametrize("data", ["blobs", None])
def test_no_two_nodes_overlap(layers, data, folded):
    for regularization in (0, 0.1):
        graph = network(layers, data=data, regularization=regularization, folded=folded)
        assert not overlapping(graph)


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("layers", ["2-3", "2-5-3", "2-12-1-3"])
@pytest.mark.parametrize("init", ["glorot", "naive_bayes"])
def test_neurons_one_by_one_are_the_same_network(layers, folded, init):
    given = {"data": "blobs", "regularization": 0.1, "folded": folded, "init": init}
    whole = network(layers, **given)
    drawn = network(layers, level="neuron", **given)
    assert not overlapping(drawn)
    assert {f"output.{i}" for i in (1, 2, 3)} < drawn.nodes.keys()
    assert nf.check(drawn).valid
    runs = [nf.Run(whole), nf.Run(drawn)]
    for run in runs:
        run.train(2)
    assert cost_of(runs[0]) == pytest.approx(cost_of(runs[1]), rel=1e-9)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_network_can_be_drawn_by_neurons(activation, cost):
    graph = network(data="blobs", activation=activation, cost=cost, level="neuron")
    assert not overlapping(graph)
    assert nf.check(graph).valid
    assert falls(graph, 5)


def test_values_flow_from_left_to_right():
    graph = network("2-5-4-3", data="blobs", regularization=0.1)
    for wire in graph.wires:
        assert graph.layout[wire.source][0] < graph.layout[wire.target][0], wire


def test_names_and_wires_are_those_of_the_published_graphs():
    pytest.importorskip("sklearn")
    known = nf.load(GRAPHS / "digits.json")
    graph = network("64-25-10", data="digits")
    assert graph.nodes.keys() == known.nodes.keys()
    assert set(graph.wires) == set(known.wires)
    assert graph.layout == known.layout


# --- refusals -----------------------------------------------------------------------------------

REFUSED = [
    ({}, "a network needs layers such as 7-5-3, or data, or both"),
    ({"layers": "7"}, "a network has at least two sizes, inputs and outputs, such as 7-3"),
    ({"layers": []}, "a network has at least two sizes, inputs and outputs, such as 7-3"),
    ({"layers": "7--3"}, "'7--3' is not a list of layers: write their sizes, such as 7-5-3"),
    ({"layers": "7-x"}, "'7-x' is not a list of layers: write their sizes, such as 7-5-3"),
    ({"layers": ""}, "'' is not a list of layers: write their sizes, such as 7-5-3"),
    ({"layers": "7-0-3"}, "a layer has a whole number of neurons from 1 to 100,000, not 0"),
    ({"layers": [2, 1.5]}, "a layer has a whole number of neurons from 1 to 100,000, not 1.5"),
    ({"layers": [2, True]}, "a layer has a whole number of neurons from 1 to 100,000, not True"),
    ({"layers": "2-9999999"},
     "a layer has a whole number of neurons from 1 to 100,000, not 9999999"),
    ({"layers": "7-5-4", "data": "xor"},
     "7-5-4 does not fit 'xor', which has 2 features and 1 output; 2-5-1 would"),
    ({"layers": "3-3", "data": "blobs"},
     "3-3 does not fit 'blobs', which has 2 features and 3 outputs (left, right, top); 2-3 would"),
    ({"data": "xor", "activation": "sigmoit"},
     "there is no activation 'sigmoit'; did you mean 'sigmoid'?"),
    ({"data": "xor", "output": "tan"}, "there is no activation 'tan'; did you mean 'tanh'?"),
    ({"data": "xor", "cost": "error_squared"}, None),
    ({"data": "xor", "trainer": "adamm"}, "there is no trainer 'adamm'; did you mean 'adam'?"),
    ({"data": "xor", "init": "constant"}, None),
    ({"data": "xor", "init": "naive_bayes"},
     "naive_bayes needs data with classes to start from; choose another init"),
    ({"data": "xor", "cost": "categorical_cross_entropy"},
     "softmax (categorical_cross_entropy needs it) of a single output is always 1; "
     "choose sigmoid outputs with squared_error or cross_entropy"),
    ({"data": "blobs", "cost": "categorical_cross_entropy", "output": "sigmoid"},
     "categorical_cross_entropy needs softmax outputs, not sigmoid"),
    ({"data": "blobs", "cost": "cross_entropy", "output": "tanh"},
     "cross_entropy needs outputs from 0 to 1, as sigmoid gives, not tanh"),
    ({"data": "polynomial", "output": "relu"},
     "relu outputs cannot reach the targets, which go from -1 to 1; "
     "choose identity outputs with squared_error"),
    ({"data": "polynomial", "cost": "cross_entropy"},
     "sigmoid outputs cannot reach the targets, which go from -1 to 1; "
     "choose identity outputs with squared_error"),
    ({"data": "xor", "trainer": "minimize", "rate": 0.1},
     "minimize has no learning rate; leave the rate out"),
    ({"data": "xor", "trainer": "minimize", "batch": 2},
     "minimize takes all training rows at once; leave the batch out"),
    ({"data": "xor", "trainer": "minimize", "folded": False},
     "minimize cannot be unfolded; choose gradient_descent or adam"),
    ({"layers": "2-1", "scale": "minmax"},
     "'scale' is a setting of the data, and no data is given"),
    ({"layers": "2-1", "test": 0.1}, "'test' is a setting of the data, and no data is given"),
    ({"layers": "2-1", "target": "y"}, "'target' is a setting of the data, and no data is given"),
    ({"layers": "2-900-101", "level": "neuron"},
     "1,001 neurons are too many to draw one by one, 1,000 are the most; "
     "choose the level 'layer'"),
    ({"data": "xor", "level": "neurons"}, "there is no level 'neurons'; did you mean 'neuron'?"),
    ({"data": "xor", "batch": 0}, None),
    ({"data": "xor", "epochs": -1}, None),
    ({"data": "xor", "seed": -1}, None),
    ({"data": "xor", "rate": -1.0}, None),
    ({"data": "xor", "rate": math.nan}, None),
    ({"data": "xor", "regularization": -1.0}, None),
    ({"data": "xor", "test": 1.0}, None),
    ({"data": "xor", "test": 0.99},
     "test 0.99 of 4 rows leaves none for training; make it smaller"),
    ({"data": "xor", "scale": "max"}, None),
    ({"data": "xor", "target": 0}, None),
    ({"data": "no-such-set"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sentence"), REFUSED, ids=lambda part: str(part)[:60])
def test_what_does_not_fit_is_refused_in_a_sentence(given, sentence):
    with pytest.raises((GraphError, DataError)) as caught:
        network(**given)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert sentence in (None, str(caught.value))


# --- where the data is --------------------------------------------------------------------------


def test_a_source_is_relative_to_the_graph_file(here):
    (here / "nets").mkdir()
    assert relative_source("rows.csv", here) == "rows.csv"
    assert relative_source("rows", here) == "rows.csv"
    assert relative_source("rows.csv", here / "nets") == "../rows.csv"
    assert relative_source(str(here / "rows.csv"), Path("nets")) == "../rows.csv"
    assert relative_source("xor", here / "nets") == "xor"
    assert relative_source("elsewhere.csv", here / "nets") == "elsewhere.csv"
    (here / "xor").mkdir()
    assert relative_source("xor", here) == "xor", "the name is the generator's"
    assert relative_source("./xor", here) == "./xor"
    with pytest.raises(DataError, match="there is no data set"):
        relative_source(str(here / "no.csv"), here)


def test_a_folder_behind_a_link(here):
    (here / "far" / "deep").mkdir(parents=True)
    try:
        (here / "near").symlink_to(here / "far" / "deep")
    except OSError:
        pytest.skip("no links here")
    source = relative_source("rows.csv", Path("near"))
    assert (here / "near" / source).is_file()


def test_another_drive_is_refused(here, monkeypatch):
    def refuse(*_):
        raise ValueError("path is on mount 'D:'")

    monkeypatch.setattr("os.path.relpath", refuse)
    with pytest.raises(DataError, match="on another drive than the graph file"):
        relative_source("rows.csv", here)


def test_a_name_from_the_data_folder_stays(here, monkeypatch):
    (here / "sets").mkdir()
    (here / "rows.csv").rename(here / "sets" / "kept.csv")
    monkeypatch.setenv("NODEFLOW_DATA", str(here / "sets"))
    assert invoke("new", "net.json", "--data", "kept").exit_code == 0
    assert nf.load("net.json").settings("data")["source"] == "kept"


# --- the command --------------------------------------------------------------------------------


def test_a_first_hour(here):
    (here / "nets").mkdir()
    made = invoke("new", "nets/mine.json", "--data", "rows.csv", "--epochs", "30")
    assert made.output == (
        "nets/mine.json  2-4-2, 12 nodes, 13 wires\n"
        "24 rows of ../rows.csv. 2-4-2, hidden sigmoid, outputs sigmoid, squared error, "
        "gradient descent with rate 0.3, one sample at a time.\n"
        "target: x3, classes (2 texts that repeat)\n"
        "measured: right on 33.3 % of 6 rows set apart; always the most frequent class: 33.3 %\n"
        "· the network is no better than always saying the most frequent class (55.6 % right); try "
        "another rate or more epochs\n"
        "next: nodeflow train nets/mine.json\n"
    )
    assert nf.load("nets/mine.json").name == "mine"
    for words in (
        ["check", "nets/mine.json"],
        ["train", "nets/mine.json"],
        ["unfold", "nets/mine.json", "-o", "nets/wired.json"],
        ["train", "nets/wired.json"],
    ):
        assert main(words) == 0, words
    assert not overlapping(nf.load("nets/wired.json"))


@pytest.mark.parametrize(
    "words",
    [
        ["--layers", "3-4-2"],
        ["--data", "rows.csv", "--unfolded"],
        ["--data", "rows.csv", "--level", "neuron"],
        ["--data", "rows.csv", "--level", "neuron", "--unfolded", "--regularization", "0.1"],
        ["--data", "rows.csv", "--regularization", "0.1", "--trainer", "adam"],
        ["--layers", "1200-2"],
    ],
    ids=" ".join,
)
def test_the_file_keeps_its_bytes(here, words):
    assert invoke("new", "a.json", *words).exit_code == 0
    first = (here / "a.json").read_bytes()
    nf.save(nf.load("a.json"), "a.json")
    assert (here / "a.json").read_bytes() == first
    assert str(here).encode() not in first


def test_json(here, capsys):
    assert main(["new", "my net.json", "--layers", "2-3", "--data", "rows.csv", "--json",
                 "--unfolded"]) == 1  # fmt: skip
    assert json.loads(capsys.readouterr().out)["error"].endswith("; 2-2 would")
    assert main(["new", "my net.json", "--layers", "2-6-3-2", "--data", "rows.csv", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    graph = nf.load("my net.json")
    assert document.pop("target") == "x3, classes (2 texts that repeat)"
    assert document.pop("notes") == []
    assert document.pop("measured")["apart"] == 6
    assert document.pop("why") == ""
    assert document == {
        "file": "my net.json",
        "layers": [2, 6, 3, 2],
        "nodes": len(graph.nodes),
        "wires": len(graph.wires),
        "about": graph.about,
        "next": "nodeflow train 'my net.json'",
    }


@pytest.mark.parametrize("extra", [[], ["--unfolded"], ["--trainer", "adam", "--unfolded"]])
def test_sizes_are_told_at_every_level(here, capsys, extra):
    for level in ("layer", "neuron"):
        words = ["--layers", "2-3-1-2", "--level", level, "--force", "--json", *extra]
        assert main(["new", "a.json", *words]) == 0
        assert json.loads(capsys.readouterr().out)["layers"] == [2, 3, 1, 2]


def test_a_file_that_is_there_is_replaced_only_by_force(here, capsys):
    assert main(["new", "a.json", "--layers", "2-1"]) == 0
    before = (here / "a.json").read_bytes()
    capsys.readouterr()
    assert main(["new", "a.json", "--layers", "2-3-1"]) == 1
    assert capsys.readouterr().err == (
        "nodeflow: a.json: is there already; --force replaces it and keeps a backup\n"
    )
    assert (here / "a.json").read_bytes() == before
    assert main(["new", "a.json", "--layers", "2-3-1", "--force"]) == 0
    assert (here / "a.json.bak").read_bytes() == before
    assert "hidden" in nf.load("a.json").nodes


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "Give --layers such as 7-5-3, or --data, or both."),
        (["--layers", "7-x"], 2, "write their sizes, such as 7-5-3."),
        (["--layers", "7"], 2, "at least two sizes"),
        (["--data", "xor", "--cost", "mse"], 2, "'mse' is not one of"),
        (["--data", "xor", "--batch", "0"], 2, "neither a whole number from 1 nor 'all'"),
        (["--data", "xor", "--test", "1"], 2, "not in the range"),
        (["--data", "xor", "--rate", "nan"], 2, "nan is not a finite number"),
        (["--data", "none.csv"], 1, "there is no data set 'none.csv'"),
        (["--data", "rows.csv", "--target", "7"], 1, "there is no column 7"),
        (["--layers", "2-1", "--scale", "minmax"], 2, "--scale says how --data is read"),
        (["--layers", "3-2", "--data", "rows.csv"], 1, "2-2 would"),
    ],
)
def test_wrong_usage_and_faults(here, capsys, words, code, sentence):
    assert main(["new", "a.json", *words]) == code
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (here / "a.json").exists()


def test_no_folder_to_write_to(here, capsys):
    assert main(["new", "no/a.json", "--layers", "2-1"]) == 1
    assert "there is no folder 'no'" in capsys.readouterr().err
    (here / "sub.json").mkdir()
    assert main(["new", "sub.json", "--layers", "2-1"]) == 1
    assert "this is a folder" in capsys.readouterr().err


def test_a_target_may_be_repeated(here):
    (here / "three.csv").write_text("u,v,w\n1,5,0\n2,4,0.5\n3,3,1.5\n", encoding="utf-8")
    assert main(["new", "a.json", "--data", "three.csv", "--target", "u"]) == 0
    assert nf.load("a.json").settings("data")["target"] == "u"
    assert main(["new", "b.json", "--data", "three.csv", "--target", "-1", "--target", "u"]) == 0
    graph = nf.load("b.json")
    assert graph.settings("data")["target"] == ("-1", "u")
    assert graph.settings("theta2")["shape"] == (2, 4)
    assert nf.check(graph).valid


def test_choices_are_those_of_networks():
    offered = {
        option.name: getattr(option.type, "choices", ()) for option in new_command.new.params
    }
    wanted = ("activation", ACTIVATIONS), ("cost", COSTS), ("trainer", TRAINERS)
    assert all(offered[name] == choices for name, choices in wanted)
    assert new_command.INITS == INITS
    assert nf.dataset.settings[2].choices == new_command.SCALES


@pytest.mark.parametrize("level", ["layer", "neuron"])
@pytest.mark.parametrize("unfolded", [False, True])
def test_sizes_come_from_the_wires_and_not_from_names(level, unfolded):
    graph = network((4, 6, 3, 2), level=level, folded=not unfolded)
    for number, key in enumerate(graph.of_type("parameter", "weighted_sum")):
        graph = graph.rename(key, f"n{number}")
    assert sizes_of(graph) == [4, 6, 3, 2]
