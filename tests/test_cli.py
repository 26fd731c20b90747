"""The command: what it prints, and how it ends."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from networks import accumulating

import nodeflow as nf
from nodeflow.cli import COMMANDS as EVERY
from nodeflow.cli import main
from nodeflow.commands.output import plain
from nodeflow.declare import CATALOG, node
from nodeflow.engine.evaluation import evaluate
from nodeflow.files import load_run

ONE_NEURON = """{
  "format": "nodeflow",
  "version": 1,
  "name": "one neuron",
  "about": "Input 1.5, weight 0.8, target 0.5: dC/dw = 4.5 w - 1.5",
  "training": {"batch": 1, "epochs": 10, "seed": 0},
  "nodes": {
    "cost": {"type": "squared_error", "settings": {"half": false}},
    "sum": {"type": "weighted_sum"},
    "train": {"type": "gradient_descent", "settings": {"rate": 0.1}},
    "w": {"type": "parameter", "settings": {"value": [[0.8]]}},
    "x": {"type": "constant", "settings": {"value": [1.5]}},
    "y": {"type": "constant", "settings": {"value": [0.5]}}
  },
  "wires": [
    "cost.cost -> train.cost",
    "sum.z -> cost.a",
    "w.value -> sum.weights",
    "x.value -> sum.a",
    "y.value -> cost.y"
  ],
  "groups": {},
  "layout": {"sum": [240, 80]}
}
"""

CLASSES = 3


def blobs(trainer="gradient_descent", *, batch=4, epochs=3, **settings):
    """Return a small network on generated classes."""
    x, y = nf.dataset(source="blobs", test=0.25, id="data")
    z = nf.weighted_sum(
        x,
        nf.parameter(shape=(CLASSES, 2), id="w"),
        nf.parameter(shape=(CLASSES,), init="zeros", id="b"),
        id="sum",
    )
    a = nf.sigmoid(z, id="a")
    cost = nf.squared_error(a, y, id="cost")
    ends = [getattr(nf, trainer)(cost, id="train", **settings), nf.accuracy(a, y, id="accuracy")]
    return nf.Graph.of(*ends, name="blobs", batch=batch, epochs=epochs)


def looped():
    """Return a graph whose update is a loop over samples: it accumulates."""
    return replace(accumulating(nf.unfold(blobs(batch=4)), "w", "b"), extra={})


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "one-neuron.json"
    path.write_text(ONE_NEURON, encoding="utf-8")
    return str(path)


@pytest.fixture
def network(tmp_path):
    return saved(blobs(), tmp_path / "blobs.json")


def saved(graph, path):
    nf.save(graph, path)
    return str(path)


@pytest.fixture
def call(capsys):
    """Return a function that runs a command and gives its exit code and both outputs."""

    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def ask(call):
    """Return a function that runs a command with --json and gives its document."""

    def run(*words, code=0):
        found, out, err = call(*words, "--json")
        assert found == code, err
        assert out.endswith("\n")
        assert out.count("\n") == 1
        return json.loads(out)

    return run


# --- help and usage -----------------------------------------------------------------------------


def test_help_lists_the_commands(call):
    code, out, err = call("--help")
    assert (code, err) == (0, "")
    names = re.findall(r"^  ([a-z]+)  ", out.partition("Commands:")[2], re.MULTILINE)
    assert names == sorted(EVERY)
    for words in ((), ("data",), ("plugins",), ("lesson",)):
        listed = call(*words, "--help")[1].partition("Commands:")[2]
        assert listed.count(".") >= 1
        assert "..." not in listed  # each sentence is whole
    assert {"blame", "check", "derive", "edit", "play", "run", "saturated", "train", "why"} < set(
        names
    )


def test_samples_are_listed_in_the_room_there_is(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    listed = call("samples")[1].splitlines()
    assert all(len(line) <= 70 for line in listed)
    names = [line.split()[0] for line in listed]
    assert {"xor", "lessons/first-steps", "twins/…"} <= set(names)
    assert not any(name.startswith("twins/") for name in names if name != "twins/…")
    count = int(next(line for line in listed if line.startswith("twins/…")).split()[1])
    twins = call("samples", "twins")[1].splitlines()
    assert len(twins) == count > 20
    whole = json.loads(call("samples", "--json")[1])
    assert len(whole) == len(listed) - 1 + count
    assert len(json.loads(call("samples", "twins", "--json")[1])) == count


@pytest.mark.parametrize("words", [(), ("edit",), ("edit", "graph.json")])
def test_without_a_display_the_editor_says_what_to_run_instead(call, monkeypatch, words):
    monkeypatch.delenv("DISPLAY", raising=False)
    code, out, err = call(*words)
    assert (code, out) == (1, "")
    assert err == (
        "nodeflow: the editor needs a display, but DISPLAY is not set; "
        "`nodeflow train FILE` trains in the terminal and `nodeflow play FILE` shows each step "
        "there\n"
    )
    code, out, _ = call("edit", "--json")
    assert code == 1
    assert "display" in json.loads(out)["error"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["xyz"], "No such command 'xyz'."),
        (
            [str(Path(__file__).parents[1] / "graphs" / "xor.json")],
            "opens this file, 'nodeflow train ",
        ),
        ([__file__], "test_cli.py' shows how a table is read."),
        (["train"], "Missing argument 'FILE'."),
        (["train", "x.json", "--epochs", "-1"], "-1 is not in the range x>=0."),
        (["train", "x.json", "--epochs", "1.5"], "'1.5' is not a valid integer range."),
        (["train", "x.json", "--batch", "0"], "'0' is neither a whole number from 1 nor 'all'."),
        (["train", "x.json", "--batch", "some"], "'some' is neither a whole number"),
        (["train", "x.json", "--loud"], "No such option"),
        (["play", "x.json", "--from", "one"], "'one' is not EPOCH, EPOCH:SAMPLE or"),
        (["play", "x.json", "--until", "1::w"], "'1::w' is not EPOCH, EPOCH:SAMPLE or"),
        (["play", "x.json", "--samples", "0"], "0 is not in the range x>=1."),
        (["play", "x.json", "--speed", "-1"], "-1.0 is not in the range x>=0"),
        (["play", "x.json", "--level", "day"], "'day' is not one of"),
        (["unfold", "x.json"], "Missing option '-o'"),
        (["diff", "x.json"], "Missing argument 'B'."),
        (["data", "get"], "Missing argument 'NAME'."),
        (["play", "x.json", "--speed", "nan"], "nan is not a finite number."),
        (["train", "x.json", "--tolerance", "inf"], "inf is not a finite number."),
        (["export", "x.json", "x.png", "--scale", "nan"], "nan is not a finite number."),
        (["new", "x.json", "--rate", "inf"], "inf is not a finite number."),
        (["new", "x.json", "--test", "nan"], "nan is not a finite number."),
        (["new", "x.json", "--regularization", "NaN"], "NaN is not a finite number."),
        (["new", "x.json", "--data", "x.csv", "--header", "yes", "--no-header"], "contradict"),
        (["new", "x.json", "--layers", "2-1", "--text", "drop"], "--text says how --data is read"),
        (["why", "x.json", "w", "--from", "5", "--to", "3"], "--from 5 comes after --to 3."),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(call, ask, words, sentence):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert sentence in ask(*words, code=2)["error"]


# --- run ----------------------------------------------------------------------------------------


def test_run_evaluates_and_updates_nothing(ask, one):
    found = ask("run", one)
    assert found == {
        "values": {
            "cost.cost": [[pytest.approx(0.49)]],
            "sum.z": [[pytest.approx(1.2)]],
            "w.value": [[0.8]],
            "x.value": [[1.5]],
            "y.value": [[0.5]],
        },
        "gradients": {"sum.z": [[pytest.approx(1.4)]], "w.value": [[pytest.approx(2.1)]]},
        "cost": pytest.approx(0.49),
    }


def test_run_prints_values_and_gradients_side_by_side(call, one):
    code, out, err = call("run", one)
    assert (code, err) == (0, "")
    assert out.startswith("one neuron  one batch forward and backward, nothing updated\n")
    assert re.search(r"w\.value +1×1  0\.8 +2\.1", out)
    assert "cost 0.49" in out


def test_run_tells_a_small_matrix_whole(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = call("run", Path(__file__).parents[1] / "graphs" / "xor.json")[1]
    rows = out.partition("theta1.value")[2].partition("theta2.value")[0]
    numbers = [float(one.replace("−", "-")) for one in re.findall(r"−?\d\.\d+", rows)]
    weights = nf.Run(nf.sample("xor")).weights["theta1.value"]
    assert numbers[:2] + numbers[3:5] == pytest.approx(weights.ravel().tolist(), abs=1e-4)


def test_run_gives_what_stepping_gives():
    run = nf.Run(blobs())
    start = run.weights
    found = evaluate(run.graph)
    while run.plan.phases[run.node] < 2:
        run.step()
    for address, value in found.values.items():
        np.testing.assert_array_equal(value, run[address])
    for address, value in found.gradients.items():
        np.testing.assert_array_equal(value, run.gradient(address))
    assert found.cost == run.cost
    for address, value in start.items():
        np.testing.assert_array_equal(found.values[address], value)


def test_an_unfolded_graph_shows_its_backward_pass_but_no_update():
    graph = nf.unfold(blobs())
    found = evaluate(graph)
    assert found.gradients.keys() >= {"sum.z", "w.value", "b.value"}
    assert "sum.delta.delta" in found.values
    assert not [key for key in found.values if ".update." in key]
    np.testing.assert_array_equal(
        found.gradients["w.value"], evaluate(blobs()).gradients["w.value"]
    )


def test_a_loop_over_samples_gives_the_batch():
    whole, loop = evaluate(blobs(batch=4)), evaluate(looped())
    assert nf.Run(looped()).plan.loop
    assert loop.cost == pytest.approx(whole.cost)
    for address in ("data.x", "sum.z", "a.a", "cost.cost", "w.value"):
        np.testing.assert_allclose(loop.values[address], whole.values[address])
    for address in ("w.value", "b.value", "sum.z"):
        np.testing.assert_allclose(loop.gradients[address], whole.gradients[address])


def test_minimize_is_evaluated_over_all_rows_without_a_search():
    graph = blobs("minimize")
    found = evaluate(graph)
    assert len(found.values["data.x"]) == nf.Run(graph).machine.rows
    np.testing.assert_array_equal(found.values["w.value"], nf.Run(graph).weights["w.value"])
    assert "w.value" in found.gradients


def test_a_graph_without_a_backward_pass_has_values_only(ask, tmp_path):
    graph = nf.Graph.of(nf.add(nf.constant(value=1.0, id="x"), nf.constant(value=2.0), id="s"))
    found = ask("run", saved(graph, tmp_path / "sum.json"))
    assert found["values"]["s.value"] == [[3.0]]
    assert (found["gradients"], found["cost"]) == ({}, None)


# --- train --------------------------------------------------------------------------------------


def test_train_gives_the_numbers_of_the_run(ask, network):
    found = ask("train", network)
    run = nf.Run(blobs())
    run.train()
    assert list(found) == [
        "epochs",
        "cost",
        "train_accuracy",
        "test_cost",
        "test_accuracy",
        "weights",
        "history",
        "seconds",
        "ended",
    ]
    assert found["ended"]["why"] == "epochs"
    assert found["epochs"] == 3
    assert found["weights"] == {key: value.tolist() for key, value in run.weights.items()}
    assert found["history"] == run.history
    assert (found["cost"], found["train_accuracy"]) == run.machine.assess(test=False)
    assert (found["test_cost"], found["test_accuracy"]) == run.machine.assess(test=True)
    assert found["seconds"] > 0


def test_options_replace_what_the_graph_says(ask, network):
    words = ["--epochs", "2", "--batch", "all", "--rate", "0.5", "--seed", "7", "--float32"]
    found = ask("train", network, *words)
    run = nf.Run(blobs().set("train", rate=0.5), batch="all", seed=7, dtype="float32")
    run.train(2)
    assert found["epochs"] == 2
    assert found["weights"] == {key: value.tolist() for key, value in run.weights.items()}


def test_training_for_no_epoch_shows_the_start(ask, network):
    found = ask("train", network, "--epochs", "0")
    assert (found["epochs"], found["history"]) == (0, [])
    assert found["weights"]["w.value"] == nf.Run(blobs()).weights["w.value"].tolist()


def test_a_graph_of_constants_has_a_cost_too(ask, one):
    found = ask("train", one)
    weight = found["weights"]["w.value"][0][0]
    assert found["cost"] == pytest.approx((1.5 * weight - 0.5) ** 2)
    assert weight == pytest.approx(1 / 3, abs=0.01)
    assert found["train_accuracy"] is found["test_accuracy"] is found["test_cost"] is None


def test_train_prints_a_small_table(call, network):
    code, out, err = call("train", network)
    assert (code, err) == (0, "")
    assert re.match(r"blobs  3 epochs, \d+ updates, [\d.]+ [mµ]?s\n", out)
    assert re.search(r"^ +training +test *$", out, re.MULTILINE)
    for word in ("cost", "accuracy", "samples", "b.value", "w.value"):
        assert re.search(rf"^  {re.escape(word)} ", out, re.MULTILINE)


def test_a_batch_larger_than_the_data_is_told(call, network):
    rows = nf.Run(blobs()).machine.rows
    _, _, err = call("train", network, "--batch", "9999")
    first = err.splitlines()[0]
    assert first == f"nodeflow: the data has {rows} rows, so a batch is {rows} and not 9999"


def test_save_writes_the_run_file_beside_the_graph(call, ask, network, tmp_path):
    found = ask("train", network, "--save")
    kept = load_run(tmp_path / "blobs.run.npz")
    assert {key: value.tolist() for key, value in kept.weights.items()} == found["weights"]
    assert list(kept.history) == found["history"]
    assert kept.meta["epochs"] == 3
    assert "blobs.run.npz" in call("train", network, "--save")[1].replace("\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs.json", "blobs.run.npz"]


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (lambda: blobs("minimize"), "--rate has nothing to replace: no trainer of the graph"),
        (
            lambda: (
                nf.unfold(blobs())
                .add("worked-out", "exp")
                .connect("train.rate.value", "worked-out.a")
                .disconnect("train.rate.value", "w.update.rate")
                .connect("worked-out.value", "w.update.rate")
            ),
            "--rate cannot replace the rate that 'worked-out' (exp) works out",
        ),
    ],
)
def test_a_rate_that_cannot_be_replaced_is_told(call, tmp_path, graph, sentence):
    code, _, err = call("train", saved(graph(), tmp_path / "g.json"), "--rate", "0.2")
    assert code == 1
    assert sentence in err


def test_training_that_could_not_be_saved_is_not_begun(call, network, monkeypatch):
    monkeypatch.setattr(nf.Run, "train", lambda *_, **__: pytest.fail("it was trained"))
    path = Path(network).with_suffix(".run.npz")
    path.write_bytes(b"PK mine")
    code, _, err = call("train", network, "--save")
    assert code == 1
    assert "there is a file of this name that holds no training" in err
    assert path.read_bytes() == b"PK mine"
    path.unlink()
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    code, _, err = call("train", network, "--save")
    assert code == 1
    assert "cannot be saved: there is no permission to write here" in err


@pytest.mark.parametrize("rate", ["-1", "nan"])
def test_a_rate_that_is_not_allowed_is_a_fault(call, network, rate):
    code, _, err = call("train", network, f"--rate={rate}")
    assert code == 1
    assert err.startswith("nodeflow: train.rate must be a")


def test_divergence_ends_with_1_and_names_the_node(call, ask, one):
    code, out, err = call("train", one, "--rate", "50", "--epochs", "300")
    assert (code, out) == (1, "")
    assert re.fullmatch(
        r"nodeflow: Infinity first appeared in '[\w.]+' \(epoch \d+, sample 0, \w+\); "
        r"lower the learning rate, .*\n",
        err,
    )
    document = ask("train", one, "--rate", "50", "--epochs", "300", code=1)
    assert document == {"error": err.removeprefix("nodeflow: ").rstrip("\n")}


# --- check --------------------------------------------------------------------------------------


def test_check_gives_what_the_function_gives(ask, network):
    assert ask("check", network) == plain(nf.check(blobs()).as_dict())


def test_check_says_valid(call, network):
    code, out, err = call("check", network)
    assert (code, err) == (0, "")
    assert "✓ right" in out
    assert "✓ valid; largest relative error" in out


def test_a_wrong_gradient_is_a_fault(call, ask, tmp_path):
    graph = nf.unfold(blobs())
    name = next(key for key in graph.of_type("delta"))
    path = saved(graph.set(name, activation="tanh"), tmp_path / "wrong.json")
    found = ask("check", path, code=1)
    assert found["valid"] is False
    code, out, err = call("check", path)
    assert code == 1
    assert "✗ wrong" in out
    assert re.fullmatch(r"nodeflow: the gradients? of '.*' and the slope of the cost differ\n", err)


def test_a_graph_without_a_cost_is_valid(call, ask, tmp_path):
    graph = nf.Graph.of(nf.exp(nf.constant(value=1.0, id="x"), id="e"))
    path = saved(graph, tmp_path / "exp.json")
    assert ask("check", path) == {
        "valid": True, "max_relative_error": 0.0, "nodes": {}, "findings": [], "implied": None,
    }  # fmt: skip
    assert "✓ valid" in call("check", path)[1]


# --- unfold and fold ----------------------------------------------------------------------------


def test_unfold_and_fold_are_the_way_there_and_back(call, ask, network, tmp_path):
    wired, back = tmp_path / "wired.json", tmp_path / "back.json"
    graph = nf.unfold(blobs())
    assert ask("unfold", network, "-o", wired) == {
        "file": str(wired),
        "nodes": len(graph.nodes),
        "wires": len(graph.wires),
    }
    code, out, _ = call("fold", wired, "--out", back)
    assert code == 0
    assert f"{len(blobs().nodes)} nodes" in out
    assert back.read_bytes() == (tmp_path / "blobs.json").read_bytes()


# --- nodes --------------------------------------------------------------------------------------


def test_the_library_is_listed_whole(ask):
    types = {one["name"]: one for one in ask("nodes")}
    assert types.keys() >= {"constant", "weighted_sum", "sigmoid", "delta", "adam", "plot"}
    assert types["weighted_sum"]["formula"] == "z = Θa + b"
    assert types["weighted_sum"]["inputs"] == [
        {"name": "a", "many": True, "optional": False, "feedback": False},
        {"name": "weights", "many": False, "optional": False, "feedback": False},
        {"name": "bias", "many": False, "optional": True, "feedback": False},
    ]
    assert types["weighted_sum"]["outputs"][0]["name"] == "z"
    assert types["parameter"]["inputs"][0]["feedback"] is True
    momentum = types["gradient_descent"]["settings"][1]
    assert momentum == {
        "name": "momentum",
        "kind": "number",
        "default": 0.0,
        "range": {"low": 0, "high": 1, "open": True},
        "choices": [],
    }
    assert types["minimize"]["settings"][0]["choices"] == ["cg", "l-bfgs"]
    assert all(one["help"] and one["family"] for one in types.values())


def test_one_type_is_a_list_of_one(ask):
    assert [one["name"] for one in ask("nodes", "sigmoid")] == ["sigmoid"]


def test_every_type_is_named_in_the_table(call, ask, monkeypatch):
    for columns in ("80", "120", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        out = call("nodes")[1]
        for one in ask("nodes"):
            assert columns == "40" or re.search(rf"^  {one['name']} ", out, re.MULTILINE)
        assert max(map(len, out.splitlines())) <= int(columns)


def test_one_type_is_described(call):
    out = call("nodes", "dataset")[1]
    for part in ("x, y = row i of the data", "scale", "none | minmax | standard", "from 0 below 1"):
        assert part in out
    assert "stops here" in call("nodes", "accuracy")[1]
    described = call("nodes", "cross_entropy")[1]
    assert "by a rule; in one step with sigmoid, softmax before it" in described


def test_types_are_found_by_their_other_names(ask):
    assert {one["name"] for one in ask("nodes", "Loss")} >= {"squared_error", "cross_entropy"}


def test_an_unknown_type_has_a_nearest_one(call, ask):
    assert call("nodes", "sigmoidd")[2] == (
        "nodeflow: there is no node type 'sigmoidd'; did you mean 'sigmoid'?\n"
    )
    assert ask("nodes", "sigmoidd", code=1)["error"].startswith("there is no node type")


# --- diff ---------------------------------------------------------------------------------------


def test_diff_says_what_changed(call, ask, one, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(ONE_NEURON.replace('"rate": 0.1', '"rate": 0.2'), encoding="utf-8")
    assert ask("diff", one, other) == {
        "same": False,
        "changes": ["train.rate was 0.1 and is 0.2"],
    }
    assert call("diff", one, other)[:2] == (0, "~ train.rate was 0.1 and is 0.2\n")


def test_diff_of_the_same(call, ask, one):
    assert ask("diff", one, one) == {"same": True, "changes": []}
    assert call("diff", one, one)[:2] == (0, "no difference\n")


# --- data ---------------------------------------------------------------------------------------


def test_data_get_prints_where_the_data_is(call, ask, monkeypatch, tmp_path):
    asked = []

    def get(name, *, progress):
        asked.append((name, progress))
        return tmp_path / name

    monkeypatch.setattr("nodeflow.data.fetch.get", get)
    assert call("data", "get", "mnist")[:2] == (0, f"{tmp_path / 'mnist'}\n")
    assert ask("data", "get", "mnist") == {"name": "mnist", "path": str(tmp_path / "mnist")}
    assert asked == [("mnist", False)] * 2


def test_an_unknown_data_set_is_a_fault(call):
    code, _, err = call("data", "get", "mnits")
    assert code == 1
    assert err == "nodeflow: there is no data set 'mnits' to fetch; did you mean 'mnist'?\n"


# --- faults -------------------------------------------------------------------------------------

COMMANDS = {
    "run": ["run"],
    "train": ["train"],
    "check": ["check"],
    "play": ["play", "--speed", "0", "--samples", "1"],
    "unfold": ["unfold", "-o", "never.json"],
    "fold": ["fold", "-o", "never.json"],
    "diff": ["diff", "{same}"],
}
BAD = {
    "empty": b"",
    "not text": b"\xff\xfe\x00\x01",
    "not JSON": b"{nodes:",
    "half": ONE_NEURON[:200].encode(),
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "another format": b'{"format": "other", "version": 1}',
    "a later version": ONE_NEURON.replace('"version": 1', '"version": 99').encode(),
    "unknown setting": ONE_NEURON.replace('"rate"', '"speed"').encode(),
    "bad setting": ONE_NEURON.replace("0.1", '"fast"').encode(),
    "NaN": ONE_NEURON.replace("[1.5]", '["NaN"]').encode(),
    "bad wire": ONE_NEURON.replace("x.value -> sum.a", "x.value sum.a").encode(),
    "unknown node": ONE_NEURON.replace("x.value -> sum.a", "q.value -> sum.a").encode(),
    "unknown port": ONE_NEURON.replace("x.value -> sum.a", "x.output -> sum.a").encode(),
    "taken": ONE_NEURON.replace('"x.value -> sum.a"', '"x.value -> sum.weights"').encode(),
    "bad id": ONE_NEURON.replace('"x"', '"1x"').encode(),
    "escapes": ONE_NEURON.replace('"x"', '"\\u001b[31mx"').encode(),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_is_one_sentence(call, tmp_path, monkeypatch, command, bad):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.json"
    path.write_bytes(BAD[bad])
    words = [word.format(same=path) for word in COMMANDS[command]]
    code, out, err = call(*words, path)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"nodeflow: [^\n]*\n", err)
    assert "bad.json" in err
    assert "bug" not in err
    assert "\x1b" not in err
    code, out, again = call(*words, path, "--json")
    assert (code, again) == (1, err)
    assert json.loads(out) == {"error": err.removeprefix("nodeflow: ").rstrip("\n")}
    assert not (tmp_path / "never.json").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_file_and_no_file_of_text(call, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for path in ("missing.json", "."):
        words = [word.format(same=path) for word in COMMANDS[command]]
        code, out, err = call(*words, path)
        assert (code, out) == (1, "")
        assert re.fullmatch(r"nodeflow: [^\n]*\n", err)
        assert "bug" not in err


INCOMPLETE = {
    "missing input": (
        ONE_NEURON.replace('    "x.value -> sum.a",\n', ""),
        "sum",
    ),
    "shapes": (ONE_NEURON.replace("[1.5]", "[1.5, 2]"), "sum"),
    "no such data": (
        ONE_NEURON.replace(
            '{"type": "constant", "settings": {"value": [1.5]}}',
            '{"type": "dataset", "settings": {"source": "missing.csv"}}',
        ).replace("x.value", "x.x"),
        "missing.csv",
    ),
    "unknown type": (ONE_NEURON.replace("weighted_sum", "sum_of_all"), "sum_of_all"),
}


@pytest.mark.parametrize(
    ("command", "bad"),
    [
        (command, bad)
        for command in ("run", "train", "check", "play")
        for bad in INCOMPLETE
        if bad != "unknown type" or command in ("train", "check")
    ],
)
def test_a_graph_that_cannot_run_is_one_sentence(call, tmp_path, command, bad):
    text, named = INCOMPLETE[bad]
    path = tmp_path / "g.json"
    path.write_text(text, encoding="utf-8")
    code, out, err = call(*COMMANDS[command], path)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"nodeflow: [^\n]*\n", err)
    assert named in err
    assert "bug" not in err


def test_what_lies_before_a_placeholder_has_its_values(call, tmp_path):
    text = ONE_NEURON.replace('"squared_error"', '"conv1d"')
    for why, said in (
        ('"settings": {"why": "nodeflow has no convolution"}', "nodeflow has no convolution"),
        ('"settings": {}', "there is no node type 'conv1d'"),
    ):
        path = tmp_path / "g.json"
        path.write_text(text.replace('"settings": {"half": false}', why), encoding="utf-8")
        code, out, err = call("run", path, "--json")
        found = json.loads(out)
        assert code == 1
        assert found["values"]["sum.z"][0] == pytest.approx([1.2])
        assert (found["gradients"], found["cost"]) == ({}, None)
        assert said in found["error"]
        assert "'cost'" in found["error"]
        assert err == f"nodeflow: {found['error']}\n"
        code, out, err = call(*COMMANDS["play"], path, "--json")
        assert (code, json.loads(out.splitlines()[-1])["node"]) == (1, "sum")
        assert said in err


def test_what_a_type_prints_is_no_part_of_the_document(call, tmp_path):
    def loud(z):
        """Say something."""
        sys.stdout.write("loud")
        return z

    made = node("activation", formula="a = z", shapes="elementwise")(loud)
    try:
        graph = nf.Graph.of(made(nf.constant(value=[1.0]), id="s"))
        path = saved(graph, tmp_path / "g.json")
        code, out, err = call("run", path, "--json")
        assert (code, json.loads(out)["values"]["s.a"], "loud" in err) == (0, [[1.0]], True)
        assert "loud" in call("run", path)[1]
        for word in ("--help", "-h"):
            assert "Usage" in call("run", path, "--json", word)[1]
    finally:
        CATALOG.remove("loud")


def test_the_system_may_refuse(call, network, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("nodeflow.files.load", refuse)
    assert call("run", network)[2] == (
        "nodeflow: somewhere: the system refused (permission denied)\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            TypeError("what"),
            1,
            "this is a bug of nodeflow (TypeError: what); NODEFLOW_DEBUG=1 shows where it happened",
        ),
        (RecursionError(), 1, "this is a bug of nodeflow (RecursionError); NODEFLOW_DEBUG=1 shows"),
        (MemoryError(), 1, "there is not enough memory; a smaller batch needs less"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_whatever_happens_is_one_sentence(call, network, monkeypatch, error, code, sentence):
    def fail(*_):
        raise error

    monkeypatch.delenv("NODEFLOW_DEBUG", raising=False)
    monkeypatch.setattr("nodeflow.files.load", fail)
    found, out, err = call("run", network)
    assert (found, out) == (code, "")
    assert err.startswith(f"nodeflow: {sentence}")
    assert err.count("\n") == 1


def test_a_debugger_sees_the_traceback(network, monkeypatch):
    def fail(*_):
        raise TypeError("what")

    monkeypatch.setenv("NODEFLOW_DEBUG", "1")
    monkeypatch.setattr("nodeflow.files.load", fail)
    with pytest.raises(TypeError):
        main(["run", network])


def test_json_writes_what_is_no_number_as_text():
    values = {"a": np.array([[1.0, np.nan]]), "b": [float("inf"), -np.inf], "c": None, "d": (True,)}
    assert plain(values) == {
        "a": [[1.0, "NaN"]],
        "b": ["Infinity", "-Infinity"],
        "c": None,
        "d": [True],
    }


# --- signals and pipes --------------------------------------------------------------------------


def start(*words, **options):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}
    return subprocess.Popen(
        [sys.executable, "-m", "nodeflow", *map(str, words)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        **options,
    )


def wait_for_the_bar(stream):
    """Read what a terminal gets until training has begun; return it."""
    seen, end = b"", time.monotonic() + 60
    while not re.search(rb"cost \d", seen) and time.monotonic() < end:
        seen += os.read(stream, 4096)
    return seen.decode(errors="replace")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_training_and_still_saves(tmp_path, as_json):
    path = saved(blobs(epochs=10_000_000), tmp_path / "long.json")
    ours, theirs = os.openpty()
    process = start("train", path, "--save", *["--json"] * as_json, stderr=theirs)
    os.close(theirs)
    try:
        assert "epoch" in wait_for_the_bar(ours)
        process.send_signal(signal.SIGINT)
        told = b""
        # Both are read at once: either's buffer, once full, would hold the process back.
        with ThreadPoolExecutor(1) as reader:
            document = reader.submit(process.stdout.read)
            with contextlib.suppress(OSError):  # how a terminal says that nobody writes any more
                while part := os.read(ours, 4096):
                    told += part
            out = document.result(timeout=60)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
        os.close(ours)
    text = " ".join(told.decode(errors="replace").split())
    assert process.returncode == 130
    found = re.search(r"training was interrupted after (\d+) epochs?; .*long\.run\.npz holds", text)
    assert found, text
    assert "Traceback" not in text
    kept = load_run(tmp_path / "long.run.npz")
    assert kept.meta["epochs"] == int(found[1])
    if as_json:
        printed = json.loads(out)
        assert printed["epochs"] == int(found[1])
        assert printed["error"].startswith("training was interrupted after ")
    else:
        assert out.startswith("blobs ")


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_ends_playing(tmp_path):
    path = saved(blobs(), tmp_path / "g.json")
    process = start("play", path, "--speed", "1000", stderr=subprocess.PIPE)
    with process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    if process.returncode == 130:  # not over before the signal came
        assert re.fullmatch(r"nodeflow: playing was interrupted at epoch \d+, sample \d+\n", err)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_reader_that_goes_away_is_no_fault(tmp_path, as_json):
    path = saved(blobs(epochs=100), tmp_path / "g.json")
    process = start("play", path, "--speed", "0", *["--json"] * as_json, stderr=subprocess.PIPE)
    with process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "")


def test_a_terminal_without_unicode_gets_marks_instead(tmp_path):
    path = saved(blobs(), tmp_path / "g.json")
    done = subprocess.run(
        [sys.executable, "-m", "nodeflow", "run", path],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    done = subprocess.run(
        [sys.executable, "-m", "nodeflow", "nodes", "weighted_sum", "--json"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout)[0]["formula"] == "z = Θa + b"


def test_a_gradient_of_updated_weights_says_so(call):
    code, out, _ = call("check", str(Path(__file__).parent.parent / "graphs/mazur-sequential.json"))
    assert code == 1
    assert (
        "hidden, hidden_a, theta1: it is computed with weights that are updated already "
        "(theta2.update)"
    ) in " ".join(out.split())


# --- numbers that are not finite ----------------------------------------------------------------


@pytest.mark.parametrize("trained", [False, True])
def test_run_evaluates_what_does_not_depend_on_nan_and_names_its_node(call, tmp_path, trained):
    x = nf.constant(value=[[-1.0], [2.0]], id="x")
    w = nf.parameter(value=[[1.0]], id="w")
    bad = nf.log(nf.weighted_sum(x, w, id="z"), id="log")
    cost = nf.squared_error(bad, 1.0, id="cost")
    end = nf.gradient_descent(cost, id="train") if trained else cost
    path = saved(nf.Graph.of(end, nf.multiply(x, 3.0, id="zz")), tmp_path / "g.json")
    code, out, err = call("run", path, "--json")
    assert code == 1
    document = json.loads(out)
    assert document["values"]["zz.value"] == [[-3.0], [6.0]]
    assert document["values"]["log.value"] == [["NaN"], [np.log(2.0)]]
    assert document["cost"] == "NaN"
    assert err == (
        "nodeflow: NaN first appeared in 'log.value' (epoch 0, sample 0, forward); "
        "scale the data, or check the node's inputs\n"
    )


def test_run_says_nothing_of_infinity_that_comes_to_nothing(call, tmp_path):
    x = nf.constant(value=[800.0], id="x")
    a = nf.expression(formula="1 / (1 + exp(z))", z=x, id="a")
    cost = nf.squared_error(a, nf.constant(value=[1.0]))
    code, out, err = call("run", saved(nf.Graph.of(cost), tmp_path / "g.json"), "--json")
    assert (code, err, json.loads(out)["cost"]) == (0, "", 1.0)


def test_playing_goes_on_past_nan_where_nothing_is_updated(call, tmp_path):
    one, two = (nf.constant(value=[value]) for value in (-1.0, 1.0))
    graph = nf.Graph.of(nf.log(one, id="log"), nf.exp(two, id="zz"))
    path = saved(graph, tmp_path / "g.json")
    code, out, _ = call("play", path, "--speed", "0", "--samples", "1")
    assert code == 0
    assert "! NaN first appeared in 'log.value'" in out
    assert "zz" in out


def choices(module, command, option):
    """Return what an option takes; a command writes it out, so that its help imports little."""
    found = getattr(import_module(f"nodeflow.commands.{module}"), command)
    group = getattr(found, "commands", {}).values() or [found]
    (types,) = {tuple(p.type.choices) for one in group for p in one.params if p.name == option}
    return types


@pytest.mark.parametrize(
    ("place", "module", "known", "silent"),
    [
        (("import_", "import_", "format_"), "interchange.importing", "FORMATS", ()),
        (("new", "new", "scale"), "data.splitting", "SCALES", ()),
        (("new", "new", "scale_target"), "data.splitting", "SCALES", ()),
        (("new", "new", "missing"), "data.options", "MISSING", ()),
        (("new", "new", "text"), "data.options", "TEXTS", ()),
        (("new", "new", "header"), "data.options", "HEADERS", ("auto",)),
        (("new", "new", "target_kind"), "data.options", "TARGET_KINDS", ("auto",)),
        (("export", "export", "code"), "interchange.programs.dialects", "DIALECTS", ()),
    ],
)
def test_options_take_what_is_known_where_they_are_read(place, module, known, silent):
    there = tuple(getattr(import_module(f"nodeflow.{module}"), known))
    assert choices(*place) == tuple(one for one in there if one not in silent)


def test_a_new_network_starts_as_a_parameter_can():
    known = CATALOG["parameter"].setting_named["init"].choices
    assert set(choices("new", "new", "init")) == set(known) - {"constant"}  # all neurons alike
