"""Many runs: what they give is what single runs give, whoever makes them and however often."""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.errors import ConditionError, FileError, GraphError, SweepError
from nodeflow.sweeps import Axis, Plan, run_plan
from nodeflow.sweeps.journal import Journal, journal_of

ROOT = Path(__file__).parents[1]
XOR = ROOT / "graphs" / "xor.json"
RATES = [0.1, 1.0, 8.0]


@pytest.fixture
def xor():
    return nf.load(XOR)


def plain(rows):
    """Return rows without what differs from run to run: the time that they took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("train.rate=0.1,0.3", (0.1, 0.3)),
        ("train.rate=0.01:1:log3", (0.01, 0.1, 1.0)),
        ("train.rate=0:1:lin5", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("training.batch=1,4,all", (1, 4, "all")),
        ("training.epochs=1:4", (1, 2, 3, 4)),
        ("w.value=[[1, 2]],[[3, 4]]", ([[1, 2]], [[3, 4]])),
        ("w.init=glorot,zeros", ("glorot", "zeros")),
        ("data.source=a:b", ("a:b",)),
        ("data.source=a:b:log", ("a:b:log",)),
        ('note.text="1:2:log"', ("1:2:log",)),
        ("data.shuffle=true,false", (True, False)),
        ("data.target=null", (None,)),
        ("r=0.1,1:100:log3,500", (0.1, 1.0, 10.0, 100.0, 500)),
    ],
)
def test_values_are_read_as_they_are_written(text, values):
    found = Axis.read(text)
    assert found.address == text.partition("=")[0]
    assert found.values == values


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("train.rate", "is no setting with values"),
        ("=1", "is no setting with values"),
        ("a.b=0:1:log5", "both ends must be above 0"),
        ("a.b=1:0", "is no range"),
        ("a.b=0.5:2", "is no range"),
        ("a.b=1:2:log1", "a range has from 2"),
        ("a.b=0.1:1:log", r"'0\.1:1:log' does not say how many values; write 0\.1:1:log9 for nine"),
        ("a.b=0:1:lin", "write 0:1:lin9 for nine of them"),
        ("a.b=0.1:1:logarithmic", "write 0.1:1:log9 for nine"),
        ("a.b=0.1:1:5", "is no range; write 0.1:1:lin5, or 0.1:1:log5 on a log scale"),
        ("a.b=0.1:1:", "is no range; write 0.1:1:lin9, or 0.1:1:log9 on a log scale"),
        ("a.b=0.1:1:LOG 5", "is no range; write 0.1:1:log5$"),
        ("a.b=0.1:1:log12345678", "has 12345678 values; a range has from 2"),
        ("a.b=0:9999999", "more than 1,000,000 values"),
        ("a.b=1,1", "twice"),
    ],
)
def test_values_that_cannot_be_are_refused(text, sentence):
    with pytest.raises(SweepError, match=sentence):
        Axis.read(text)


@pytest.mark.parametrize("settings", ["theta1.init", "theta*1.init"])
def test_a_start_that_is_typed_has_no_kind_to_vary(xor, settings):
    typed = xor.set("theta1", value=[[1.0, 2.0], [3.0, 4.0]], shape=None)
    with pytest.raises(SweepError, match="would change nothing: 'theta1' starts from the numbers"):
        nf.sweep(typed, {settings: ["zeros", "normal"]}, epochs=1)
    found = nf.sweep(typed, {"*.init": ["zeros", "normal"]}, epochs=1)  # of the others
    assert len({row["cost"] for row in found}) == 2


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"trian.rate": [1]}, "there is no node 'trian'; did you mean 'train'"),
        ({"train.rat": [1]}, "did you mean 'rate'"),
        ({"training.batsh": [1]}, "did you mean 'batch'"),
        ({"training.batch": [0]}, "training.batch must be"),
        ({"train.rate": [-1]}, "train.rate"),
        ({"momentum": [1]}, "is no address of a setting"),
        ({"x*.rate": [1]}, "no node that matches"),
        ({"train.rate": []}, "has no values"),
        ({"seed": [1, 1]}, "twice"),
        ({"train.rate": [1.0, 2.0], "rate": [3.0]}, "'train.rate' and 'rate' both set train.rate"),
        ({"*.init": ["zeros"], "theta1.init": ["zeros"]}, "both set theta1.init"),
        ({"seed": [-1]}, "a seed is a whole number"),
        ({"train.rate": [1.0, 2.0], "seed": range(600_000)}, "1,200,000 runs, more than"),
    ],
)
def test_bad_settings_are_one_sentence_before_anything_runs(xor, settings, sentence):
    with pytest.raises(SweepError, match=sentence) as caught:
        nf.sweep(xor, settings, epochs=1)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_asked_for_is_a_sentence(xor, tmp_path):
    with pytest.raises(SweepError, match="at least one worker"):
        nf.sweep(xor, {}, epochs=1, workers=0)
    with pytest.raises(FileError, match=r"\.csv, \.json, \.npz"):
        nf.sweep(xor, {}, epochs=1, out=tmp_path / "o.xlsx")
    with pytest.raises(ConditionError):
        nf.sweep(xor, {}, epochs=1, until="acuracy > 1")
    with pytest.raises(ConditionError, match="end of an epoch"):
        nf.sweep(xor, {}, epochs=1, until="sample > 1")
    with pytest.raises(FileError, match="cannot be saved: there is no folder"):
        nf.sweep(xor, {}, epochs=1, out=tmp_path / "gone" / "o.csv")
    assert not list(tmp_path.iterdir())


def test_no_more_threads_are_begun_than_there_are_runs(xor):
    assert len(nf.sweep(xor, {"seed": range(2)}, epochs=1, workers=10**21)) == 2


# --- the numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_every_row_is_that_of_a_run_alone(xor, workers):
    found = nf.sweep(xor, {"train.rate": RATES, "seed": range(5)}, epochs=30, workers=workers)
    assert len(found) == 15
    assert found.columns[:3] == ["train.rate", "seed", "epochs"]
    for row, (rate, seed) in zip(found, itertools.product(RATES, range(5)), strict=True):
        alone = nf.Run(xor.set("train", rate=rate), seed=seed)
        alone.train(epochs=30)
        assert (row["train.rate"], row["seed"], row["why"]) == (rate, seed, None)
        expected = {"epochs": 30, **alone.assess().as_dict()}
        assert {name: row[name] for name in expected} == expected


def test_settings_of_the_graph_and_of_many_nodes_at_once(xor):
    parameters = xor.of_type("parameter")
    found = nf.sweep(
        xor, {"*.init": ["zeros", "uniform"], "training.batch": [1, "all"], "rate": [0.5]},
        epochs=3, seeds=[7],
    )  # fmt: skip
    for row in found:
        graph = nf.with_rate(xor, 0.5)
        for key in parameters:
            graph = graph.set(key, init=row["*.init"])
        alone = nf.Run(graph, seed=7, batch=row["training.batch"])
        alone.train(epochs=3)
        assert row["cost"] == alone.assess().cost


def test_float32_and_curves(xor):
    found = nf.sweep(xor, {"seed": [3]}, epochs=4, curves=True, dtype="float32")
    alone = nf.Run(xor, seed=3, dtype="float32")
    alone.train(epochs=4)
    assert found[0]["cost"] == alone.assess().cost
    curves = found.found[0].curves
    assert curves["cost"] == [line["cost"] for line in alone.history]


def test_until_ends_each_run_after_the_epoch_in_which_it_holds(xor):
    condition = "accuracy >= 1"
    found = nf.sweep(xor, {"seed": range(12)}, epochs=400, until=condition)
    reached = [row["epochs_to"] for row in found]
    assert None in reached
    assert any(reached)
    for row in found:
        alone = nf.Run(xor, seed=row["seed"])
        alone.train(epochs=400)
        first = next((line["epoch"] for line in alone.history if line["train_accuracy"] >= 1), None)
        assert row["epochs_to"] == first
        assert row["epochs"] == (first or 400)
        alone.goto(epoch=row["epochs"])
        assert row["cost"] == alone.assess().cost


def test_until_may_read_ports_and_the_epoch_before(xor):
    address = next(iter(nf.Run(xor).weights))
    by_ports = nf.sweep(xor, {"seed": range(3)}, epochs=60, until=f"norm({address}) > 2")
    by_line = nf.sweep(xor, {"seed": range(3)}, epochs=60, until="change(cost) > 0")
    for row in by_ports:
        alone = nf.Run(xor, seed=row["seed"])
        norms = []
        for _ in range(60):
            alone.train(epochs=1)
            norms.append(np.linalg.norm(alone.weights[address]))
        assert row["epochs_to"] == next((i for i, n in enumerate(norms, 1) if n > 2), None)
    for row in by_line:
        alone = nf.Run(xor, seed=row["seed"])
        costs = [line["cost"] for line in alone.train(epochs=60)]
        rising = (i for i, (a, b) in enumerate(itertools.pairwise(costs), 2) if b > a)
        assert row["epochs_to"] == next(rising, None)


def test_a_run_that_fails_is_a_row_with_its_reason():
    w = nf.parameter(value=[[1.0]])
    cost = nf.squared_error(nf.weighted_sum(nf.constant(value=[1.0]), w), nf.constant(value=[0.0]))
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.1), name="one")
    found = nf.sweep(graph, {"rate": [0.1, 1e200]}, epochs=50)
    good, bad = found.rows
    assert good["why"] is None
    assert good["cost"] is not None
    assert bad["cost"] is None
    assert "NaN" in bad["why"] or "Infinity" in bad["why"]
    assert found.failed == [bad]
    assert [one.failed for one in found.summaries()] == [0, 1]


def test_summaries_are_quartiles_over_the_seeds(xor):
    found = nf.sweep(xor, {"train.rate": RATES, "seed": range(9)}, epochs=200, until="accuracy>=1")
    for one, rate in zip(found.summaries(), RATES, strict=True):
        rows = [row for row in found if row["train.rate"] == rate]
        costs = [row["cost"] for row in rows]
        low, middle, high = statistics.quantiles(costs, n=4, method="inclusive")
        assert one.quartiles["cost"] == pytest.approx((low, middle, high), rel=1e-14)
        there = [row["epochs_to"] for row in rows if row["epochs_to"] is not None]
        assert one.reached == len(there)
        assert (one.quartiles["epochs_to"] is None) == (not there)
        if there:
            assert one.quartiles["epochs_to"][1] == statistics.median(there)


# --- files, and going on ------------------------------------------------------------------------


def test_the_three_files_hold_the_same_rows(xor, tmp_path):
    settings = {"*.init": ["zeros", "normal"], "seed": [0, 2]}
    how = {"epochs": 5, "until": "accuracy >= 1", "curves": True}
    found = nf.sweep(xor, settings, out=tmp_path / "o.json", **how)
    nf.sweep(xor, settings, out=tmp_path / "o.csv", **how)
    nf.sweep(xor, settings, out=tmp_path / "o.npz", **how)
    rows = json.loads((tmp_path / "o.json").read_text())
    histories = [row.pop("history") for row in rows]
    assert rows == found.rows
    assert [len(history) for history in histories] == [row["epochs"] for row in rows]
    with (tmp_path / "o.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["*.init"] for row in table] == ["zeros", "zeros", "normal", "normal"]
    assert [float(row["cost"]) for row in table] == [row["cost"] for row in rows]
    with (tmp_path / "o.curves.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [float(line["cost"]) for line in lines] == [
        line["cost"] for history in histories for line in history
    ]
    with np.load(tmp_path / "o.npz") as arrays:
        assert arrays["seed"].tolist() == [0, 2, 0, 2]
        assert arrays["cost"].tolist() == [row["cost"] for row in rows]
        assert arrays["history.cost"].shape == (4, max(row["epochs"] for row in rows))
        assert arrays["*.init"].tolist() == ["zeros", "zeros", "normal", "normal"]


def test_a_sweep_goes_on_from_any_cut_of_its_journal(xor, tmp_path):
    settings = {"train.rate": RATES, "seed": range(4)}
    out = tmp_path / "o.csv"
    whole = nf.sweep(xor, settings, epochs=5, out=out)
    data = journal_of(out).read_bytes()
    r = random.Random(0)
    for cut in [0, 1, len(data), *r.sample(range(len(data)), 12)]:
        journal_of(out).write_bytes(data[:cut])
        lines = max(0, data[:cut].count(b"\n") - 1)
        made = []
        if lines == 0:
            out.unlink()
        again = nf.sweep(
            xor, settings, epochs=5, out=out, progress=lambda n, _, made=made: made.append(n)
        )
        assert len(made) == 12 - lines
        assert plain(again) == plain(whole)


def test_another_sweep_never_replaces_a_file_in_silence(xor, tmp_path):
    out = tmp_path / "o.csv"
    nf.sweep(xor, {"seed": [1]}, epochs=2, out=out)
    before = out.read_bytes()
    for other in ({"epochs": 3}, {"epochs": 2, "until": "cost < 1"}, {"epochs": 2, "curves": True}):
        with pytest.raises(SweepError, match="journal of another sweep"):
            nf.sweep(xor, {"seed": [1]}, out=out, **other)
    with pytest.raises(SweepError, match="journal of another sweep"):
        nf.sweep(xor.set("train", rate=0.123), {"seed": [1]}, epochs=2, out=out)
    assert out.read_bytes() == before
    nf.sweep(xor, {"seed": [1]}, epochs=3, out=out, force=True)
    assert out.read_bytes() != before
    journal_of(out).unlink()
    with pytest.raises(SweepError, match="is there already"):
        nf.sweep(xor, {"seed": [1]}, epochs=3, out=out)
    assert not journal_of(out).exists()


def test_a_changed_table_is_another_sweep(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,b,kind\n" + "1,2,x\n2,1,y\n" * 6)
    graph_file, out = tmp_path / "g.json", tmp_path / "o.csv"
    assert main(["new", str(graph_file), "--data", str(table)]) == 0
    graph = nf.load(graph_file)
    nf.sweep(graph, {}, epochs=1, out=out)
    table.write_text("a,b,kind\n" + "1,2,x\n2,1.5,y\n" * 6)
    os.utime(table, (1, 1))
    with pytest.raises(SweepError, match="another sweep"):
        nf.sweep(graph, {}, epochs=1, out=out)


def test_what_is_no_journal_stays(xor, tmp_path):
    out = tmp_path / "o.csv"
    journal_of(out).write_text("my notes\n")
    with pytest.raises(FileError, match="no journal of a sweep"):
        nf.sweep(xor, {}, epochs=1, out=out)
    assert journal_of(out).read_text() == "my notes\n"


def test_a_damaged_line_is_named(xor, tmp_path):
    out = tmp_path / "o.csv"
    nf.sweep(xor, {"seed": range(3)}, epochs=1, out=out)
    lines = journal_of(out).read_bytes().split(b"\n")
    journal_of(out).write_bytes(b"\n".join([lines[0], b"[1, {", *lines[2:]]))
    with pytest.raises(FileError, match="line 2 is damaged"):
        nf.sweep(xor, {"seed": range(3)}, epochs=1, out=out)


def test_a_hundred_thousand_runs_are_read_again_in_about_a_second(xor, tmp_path):
    plan = Plan.of(xor, [], seeds=range(100_000), epochs=1)
    path = tmp_path / "o.csv.journal"
    with Journal(path, plan):
        head = path.read_bytes()
    values = {"epochs": 1, "cost": 0.25, "train_accuracy": 0.5, "test_cost": None,
              "test_accuracy": None, "seconds": 0.001, "why": None}  # fmt: skip
    rows = (json.dumps([number, values, None]).encode() for number in range(100_000))
    path.write_bytes(head + b"\n".join(rows) + b"\n")
    started = time.process_time()
    with Journal(path, plan) as journal:
        assert len(journal.rows) == 100_000
    assert time.process_time() - started < 3  # about 0.6 s on a machine of its own


def test_killed_at_random_it_comes_to_the_same_rows(tmp_path):
    out = tmp_path / "o.json"
    command = [
        sys.executable, "-m", "nodeflow", "sweep", str(XOR), "--set", "train.rate=0.1:9:log6",
        "--seeds", "30", "--epochs", "300", "--until", "accuracy >= 1", "-o", str(out),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    r = random.Random(1)
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        time.sleep(r.uniform(0.5, 1.2))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    found = json.loads(out.read_text())
    rates = Axis.read("train.rate=0.1:9:log6").values
    expected = nf.sweep(nf.load(XOR), {"train.rate": rates, "seed": range(30)}, epochs=300,
                        until="accuracy >= 1")  # fmt: skip
    assert kills
    assert plain(found) == plain(expected)


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_a_line_a_combination(capsys):
    words = ["sweep", str(XOR), "--set", "train.rate=0.5,5", "--seeds", "3", "--epochs", "20"]
    assert main([*words, "--until", "accuracy >= 1"]) == 0
    out = capsys.readouterr().out
    assert "6 runs, 3 seeds a line" in out
    assert "0.5" in out
    assert "●" in out
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["runs"] == 6
    assert document["columns"] == list(document["rows"][0])
    rows = nf.sweep(nf.load(XOR), {"train.rate": [0.5, 5], "seed": range(3)}, epochs=20)
    assert plain(document["rows"]) == plain(rows)


@pytest.mark.parametrize(("text", "seeds"), [("2", [0, 1]), ("3,5", [3, 5]), ("4:6", [4, 5, 6])])
def test_seeds_of_the_command(capsys, text, seeds):
    assert main(["sweep", str(XOR), "--seeds", text, "--epochs", "1", "--json"]) == 0
    assert [row["seed"] for row in json.loads(capsys.readouterr().out)["rows"]] == seeds


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--set", "trian.rate=1"], 1, "did you mean 'train'"),
        (["--set", "train.rate"], 1, "write NODE.SETTING="),
        (["--seeds", "x"], 1, "a seed is a whole number"),
        (["--seeds", "2000000"], 1, "--yes"),
        (["-o", "x.pdf"], 1, ".csv, .json, .npz"),
        (["--workers", "0"], 2, "--workers"),
        (["--until", "cost <"], 1, "condition"),
    ],
)
def test_bad_words_are_one_sentence(capsys, words, code, sentence):
    assert main(["sweep", str(XOR), "--epochs", "1", *words]) == code
    assert sentence in capsys.readouterr().err


def test_failures_are_said(capsys, tmp_path):
    graph = nf.load(XOR)
    source = tmp_path / "g.json"
    nf.save(graph.set("data", source="not-there.csv"), source)
    assert main(["sweep", str(source), "--seeds", "2", "--epochs", "1"]) == 0
    assert "2 runs of 2 failed" in capsys.readouterr().err


def test_runs_that_are_whole_already_are_not_made_again(xor, tmp_path):
    out = tmp_path / "o.csv"
    plan = Plan.of(xor, [], seeds=range(3), epochs=1)
    run_plan(plan, out=out)
    called = []
    again = run_plan(plan, out=out, progress=lambda *args: called.append(args))
    assert again.is_whole
    assert not called


def test_errors_keep_the_family():
    assert issubclass(SweepError, nf.NodeflowError)
    assert not issubclass(SweepError, GraphError)


def test_two_sweeps_do_not_write_to_one_file(xor, tmp_path):
    plan = Plan.of(xor, [Axis.read("train.rate=0.1,0.3")], seeds=[0, 1], epochs=2)
    path = tmp_path / "o.csv.journal"
    with Journal(path, plan):
        before = path.read_bytes()
        for force in (False, True):
            with pytest.raises(SweepError, match=r"another program writes to .+ just now"):
                Journal(path, plan, force=force)
        assert path.read_bytes() == before
    with Journal(path, plan):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_a_sentence_and_loses_no_row(xor, tmp_path, monkeypatch):
    out = tmp_path / "o.csv"
    written = Journal._write

    def until_full(self, data):
        """Write two rows, then half of one: as on a disk that fills up."""
        if len(self.rows) < 2:
            return written(self, data)
        own = self._file
        self._file = Full(own)
        try:
            return written(self, data)
        finally:
            self._file = own

    class Full:
        def __init__(self, file):
            self.seek, self.truncate, self.file = file.seek, file.truncate, file

        def write(self, data):
            if len(data) > 20:
                return self.file.write(data[:20])
            with Path("/dev/full").open("wb", buffering=0) as full:
                return full.write(data)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_write", until_full)
        with pytest.raises(FileError, match="no space left"):
            nf.sweep(xor, {}, seeds=5, epochs=30, out=out, workers=1)
    assert len((tmp_path / "o.csv.journal").read_text().splitlines()) == 3
    found = nf.sweep(xor, {}, seeds=5, epochs=30, out=out)
    assert [one["cost"] for one in found] == [
        one["cost"] for one in nf.sweep(xor, {}, seeds=5, epochs=30)
    ]
