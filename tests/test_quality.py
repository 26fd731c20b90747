"""How good a run is beside the mean, a straight line and the majority; measured defaults."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.explain.quality import FEWEST_ROWS, quality
from nodeflow.measuring import measured
from nodeflow.networks import network


def linear(folder, scale: float, rows: int = 100, name: str = "lin.csv") -> str:
    """Write y = scale · (1.5 + 2a − b) with little noise, and return the file's name."""
    r = np.random.default_rng(5)
    a, b = r.random((2, rows))
    y = scale * (1.5 + 2 * a - b + r.normal(0, 0.03, rows))
    lines = [f"{p:.9g},{q:.9g},{v:.9g}" for p, q, v in zip(a, b, y, strict=True)]
    (folder / name).write_text("\n".join(["a,b,y", *lines]) + "\n", encoding="utf-8")
    return name


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_quality_is_what_numpy_says(here):
    graph = network(data=linear(here, 1000), folder=here)
    run = nf.Run(graph)
    run.train()
    found = quality(run)
    split = run.machine.splits["data"]
    table = np.loadtxt("lin.csv", delimiter=",", skiprows=1)
    # the outputs by hand, in the units of the file
    weights = run.weights
    hidden = 1 / (1 + np.exp(-(split.x_test @ weights["theta1.value"].T + weights["bias1.value"])))
    outputs = split.in_units(hidden @ weights["theta2.value"].T + weights["bias2.value"]).ravel()
    order = np.random.default_rng([0, 1]).permutation(100)
    train, test = table[order[:75]], table[order[75:]]
    rest = ((outputs - test[:, 2]) ** 2).sum()
    spread = ((train[:, 2].mean() - test[:, 2]) ** 2).sum()
    assert found.test == pytest.approx(1 - rest / spread)
    assert found.error_test == pytest.approx((np.sqrt(rest / 25),))
    ones = np.ones((75, 1))
    theta, *_ = np.linalg.lstsq(np.hstack([train[:, :2], ones]), train[:, 2], rcond=None)
    line = np.hstack([test[:, :2], ones[:25]]) @ theta
    assert found.line_test == pytest.approx(1 - ((line - test[:, 2]) ** 2).sum() / spread)
    assert (found.rows, found.apart, found.classes) == (75, 25, False)


def test_accuracy_beside_the_majority():
    run = nf.Run(network(data="blobs"))
    run.train()
    found = quality(run)
    split = run.machine.splits["data"]
    assert found.train == run.machine.assess(test=False)[1]
    assert found.test == run.machine.assess(test=True)[1]
    most = split.y.sum(axis=0).argmax()
    assert found.line_test == split.y_test[:, most].mean()


@pytest.mark.parametrize("scale", [1e-6, 1, 1000, 1e9])
@pytest.mark.parametrize("seed", [0, 1])
def test_defaults_learn_a_straight_line_in_any_unit(here, scale, seed):
    graph = network(data=linear(here, scale), folder=here, seed=seed)
    found = measured(graph, given={}).quality
    assert found.test > 0.95
    assert found.test >= found.line_test - 0.02
    assert found.fault == ""


def test_defaults_on_diabetes():
    pytest.importorskip("sklearn")
    for seed in range(3):
        found = measured(network(data="diabetes", seed=seed), given={}).quality
        assert found.test >= found.line_test - 0.02


def test_defaults_learn_a_bend(here):
    x = np.linspace(-3, 3, 200)
    lines = [f"{a:.6f},{300 * np.sin(a) + 40:.6f}" for a in x]
    (here / "bend.csv").write_text("\n".join(["x,y", *lines]), encoding="utf-8")
    found = measured(network(data="bend.csv", folder=here), given={})
    assert found.quality.test > found.quality.line_test + 0.1
    assert "the best of those tried" in found.why


def test_what_was_given_stays(here):
    graph = network(data=linear(here, 1), folder=here, rate=0.02, epochs=7)
    kept = measured(graph, given={"rate": 0.02, "epochs": 7}).graph
    assert kept.settings("train")["rate"] == 0.02
    assert kept.training.epochs == 7
    chosen = measured(network(data="lin.csv", folder=here, epochs=7), given={"epochs": 7}).graph
    assert chosen.training.epochs == 7


def test_few_rows_cannot_be_judged(here):
    graph = network(data=linear(here, 1, rows=FEWEST_ROWS - 1), folder=here)
    found = measured(graph, given={})
    assert found.quality.sentence == "with 9 rows nothing can be judged; 10 are the least"
    assert "nothing can be judged" in " ".join(found.lines)


def test_a_run_no_better_than_the_mean_says_so(here, capsys):
    linear(here, 1000)
    words = ["new", "a.json", "--data", "lin.csv", "--scale-target", "none", "--rate", "1e-12"]
    assert main([*words, "--epochs", "1"]) == 0
    assert "no better than the mean" in capsys.readouterr().out
    assert main(["train", "a.json"]) == 0
    out, err = capsys.readouterr()
    assert "no better than the mean of the targets" in err
    assert "R²" in out
    assert main(["train", "a.json", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "no better than the mean of the targets" in err
    assert set(json.loads(out)) == {
        "epochs", "cost", "train_accuracy", "test_cost", "test_accuracy", "weights", "history",
        "seconds", "ended",
    }  # fmt: skip


def test_the_error_is_told_in_the_units_of_the_data(here, capsys):
    linear(here, 1000)
    assert main(["new", "a.json", "--data", "lin.csv"]) == 0
    assert main(["train", "a.json"]) == 0
    line = next(one for one in capsys.readouterr().out.splitlines() if "units of the data" in one)
    assert 25 < float(line.split()[-1]) < 120  # the noise is 30


def test_a_run_no_better_than_the_majority_says_so(capsys, here):
    assert main(["new", "a.json", "--data", "blobs", "--epochs", "1", "--rate", "1e-9"]) == 0
    assert "no better than always saying the most frequent class" in capsys.readouterr().out


def test_look_and_the_options_of_tables(here, capsys):
    text = "day;size;price\n" + "".join(
        f"2019-01-{i + 1:02};{i * i % 7}.5;1,{i:03}\n" for i in range(20)
    )
    (here / "t.csv").write_text(text, encoding="utf-8")
    assert main(["data", "look", "t.csv", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "'1,000' is 1000 or 1.000; --thousands , or --decimal , decides" in err
    assert json.loads(out)["fault"] in err
    assert main(["data", "look", "t.csv", "--json", "--thousands", "comma"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["separator"], found["rows"], found["target"]) == (";", 20, "price")
    assert [column["role"] for column in found["columns"]] == ["left out", "feature", "target"]
    assert found["columns"][2]["range"] == [1000, 1019]
    assert main(["data", "look", "t.csv", "--thousands", "comma"]) == 0
    assert "target: price, numbers (all 20 values differ)" in capsys.readouterr().out
    words = ["new", "a.json", "--data", "t.csv", "--thousands", "comma", "--drop", "day"]
    assert main([*words, "--target-kind", "numbers", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "target: price, numbers (as asked for)" in out
    assert "  rate " in out
    settings = nf.load("a.json").settings("data")
    assert (settings["thousands"], settings["drop"]) == (",", ("day",))
    assert settings["target_kind"] == "numbers"
    assert main(["train", "a.json"]) == 0


@pytest.mark.parametrize(
    ("words", "header"),
    [(["--header"], True), (["--header", "no"], False), (["--no-header"], False)],
)
def test_the_header_option(here, capsys, words, header):
    (here / "t.csv").write_text("1,2\n3,4\n5,7\n", encoding="utf-8")
    assert main(["data", "look", "t.csv", "--json", *words]) == 0
    assert json.loads(capsys.readouterr().out)["header"] is header


def test_steps_tell_the_units_of_the_data(here):
    from nodeflow import explain

    graph = network(data=linear(here, 1000), folder=here)
    run = nf.Run(graph)
    table = np.loadtxt("lin.csv", delimiter=",", skiprows=1)
    told = {}
    while run.update == 0:
        step = run.step()
        told[step.node] = (step, explain.account(run, step))
    split = run.machine.splits["data"]
    step, sentence = told["data"]
    target = split.in_units(step.outputs["y"])[0, 0]
    assert np.isclose(table[:, 2], target).any()
    assert f"In the units of the data the target is {target:.6g}"[:40] in sentence
    assert "the output is" in told["output_a"][1]
    assert "the output is" in told["cost"][1]
    assert "the target is" in told["cost"][1]
    assert "units" not in told["hidden"][1]
    plain = nf.Run(network(data="lin.csv", folder=here, scale_target="none"))
    assert "units" not in explain.account(plain, plain.step())
