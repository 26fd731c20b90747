"""Data in the place of a network's constants, where it came from elsewhere or from a shape."""

import json

import numpy as np
import pytest
from scipy.io import savemat

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.data import Options
from nodeflow.derive.tidy import tidy
from nodeflow.errors import GraphError
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.layers import Cost, Dense, Network
from nodeflow.interchange.onnx.reading import own_name
from nodeflow.networks import network


@pytest.fixture
def weights(tmp_path):
    """A file of weights alone, 4-3-3, as MATLAB keeps them."""
    drawn = np.random.default_rng(0)
    one, two = drawn.normal(size=(3, 5)), drawn.normal(size=(3, 4))
    savemat(tmp_path / "w.mat", {"Theta1": one, "Theta2": two})
    return tmp_path / "w.mat"


def test_a_fed_network_computes_what_it_did_on_those_rows():
    graph = network("4-5-3")
    fed = nf.with_data(graph, "iris")
    assert {"x", "y"}.isdisjoint(fed.nodes)
    assert fed.layout == tidy(fed).layout
    by_hand = graph.with_layout({**graph.layout, "x": (7, 9)})
    assert nf.with_data(by_hand, "iris").layout["data"] == (7, 9)
    run = nf.Run(fed)
    run.evaluate()
    alone = nf.Run(graph.set("x", value=run["data.x"]).set("y", value=run["data.y"]))
    alone.evaluate()
    for address in ("output_a.a", "cost.cost"):
        assert np.array_equal(run[address], alone[address])
    assert np.array_equal(run.gradient("theta1.value"), alone.gradient("theta1.value"))
    run.train(epochs=20)
    assert run.history[-1]["train_accuracy"] > 0.5


@pytest.mark.parametrize(
    ("layers", "data", "judged"),
    [("4-3", "iris", True), ("2-1", "xor", True), ("10-1", "diabetes", False)],
)
def test_what_is_right_is_counted_where_targets_are_classes(layers, data, judged):
    graph = network(layers)
    bare = graph.remove("accuracy") if "accuracy" in graph.nodes else graph
    assert ("accuracy" in nf.with_data(bare, data).nodes) == judged


def test_tables_in_memory_and_options_of_reading(tmp_path):
    (tmp_path / "t.csv").write_text("name;a;b;c\nx;1,5;2;yes\ny;2,5;1;no\nz;0,5;3;yes\n")
    fed = nf.with_data(
        network("2-2"), "t.csv", options=Options(drop=["name"]), folder=tmp_path, test=0.3
    )
    assert fed.settings("data")["drop"] == ("name",)
    assert fed.settings("data")["test"] == 0.3
    rows = np.random.default_rng(0).random((9, 2))
    assert (
        nf.with_data(network("2-1"), (rows, rows.sum(axis=1))).settings("data")["scale"] == "none"
    )


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ("3-3", "takes 3 features, and 'iris' has 4: sepal length"),
        ("4-2", "has 2 outputs, and the target of 'iris' is 3 classes, setosa, versicolor"),
    ],
)
def test_widths_that_differ_are_a_sentence(layers, sentence):
    with pytest.raises(GraphError, match=sentence):
        nf.with_data(network(layers), "iris")


def test_a_graph_without_such_constants_is_a_sentence():
    with pytest.raises(GraphError, match="no constant 'x' whose place the data could take"):
        nf.with_data(nf.sample("xor"), "iris")


def test_logits_before_a_softmax_have_a_target_that_is_a_share():
    """A target of zeros made cost and gradients 0, and every gradient right."""
    drawn = np.random.default_rng(0)
    steps = (Dense("out", drawn.normal(size=(3, 4)), drawn.normal(size=3)),)
    cost = Cost("categorical_cross_entropy", behind="softmax")
    run = nf.Run(graph_of(Network(steps, "PyTorch", cost=cost)))
    run.evaluate()
    assert run.cost > 0
    assert np.any(run.gradient("out.bias.value"))


def test_an_import_is_fed_by_a_table(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(weights), "-o", "fed.json", "--data", "iris", "--test", "0.2"]) == 0
    told = capsys.readouterr().out
    assert "next: nodeflow play fed.json" in told
    assert "no data" not in told
    graph = nf.load("fed.json")
    assert graph.name == "fed"
    assert graph.settings("data")["test"] == 0.2
    assert nf.check(graph).valid
    assert main(["run", "fed.json", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)["values"]
    assert len(values["data.x"][0]) == 4


def test_an_import_without_data_says_what_stands_there(weights, tmp_path, capsys):
    assert main(["import", str(weights), "-o", str(tmp_path / "g.json")]) == 0
    told = capsys.readouterr().out
    assert "no data: constants of zeros" in told
    assert "no cost in the file" in told
    assert "weights alone say nothing of how they are connected" in told


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--target", "a"], 2, "--target says how --data is read, and none is given"),
        (["--test", "0.2"], 2, "--test says how --data is read, and none is given"),
        (["--data", "wine"], 1, "takes 4 features, and 'wine' has 13"),
        (["--data", "nothing.csv"], 1, "nothing.csv"),
    ],
)
def test_what_does_not_fit_writes_nothing(weights, tmp_path, capsys, words, code, sentence):
    assert main(["import", str(weights), "-o", str(tmp_path / "g.json"), *words]) == code
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "g.json").exists()


@pytest.mark.parametrize(
    ("given", "name"), [("main_graph", ""), ("torch_jit", ""), ("iris net", "iris net"), ("", "")]
)
def test_a_name_that_all_graphs_have_is_none(given, name):
    assert own_name(given) == name
