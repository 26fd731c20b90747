"""Slow motion in the terminal: its lines are the steps of the run."""

import io
import json
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from networks import accumulating

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.commands import play as play_command
from nodeflow.commands.output import plain
from nodeflow.explain import remark
from nodeflow.playback.beats import beats
from nodeflow.playback.player import Player
from nodeflow.terminal import look


def network(**training):
    x, y = nf.dataset(source="xor", shuffle=False, id="data")
    hidden = nf.tanh(nf.weighted_sum(x, nf.parameter(shape=(2, 2), id="w1"), id="hidden"), id="a1")
    a = nf.sigmoid(nf.weighted_sum(hidden, nf.parameter(shape=(1, 2), id="w2"), id="out"), id="a2")
    cost = nf.squared_error(a, y, id="cost")
    ends = nf.gradient_descent(cost, rate=0.3, id="train"), nf.accuracy(a, y, id="accuracy")
    return nf.Graph.of(*ends, name="xor", **training)


def looped(batch=2):
    """Return a graph whose update is a loop over samples."""
    return accumulating(nf.unfold(network(epochs=2, batch=batch)), "w1", "w2")


GRAPHS = {
    "one sample at a time": lambda: network(epochs=2),
    "batches": lambda: network(epochs=2, batch=2),
    "all at once": lambda: network(epochs=2, batch="all"),
    "a loop over samples": looped,
    "unfolded": lambda: nf.unfold(network(epochs=2)),
}


@pytest.fixture(params=GRAPHS)
def graph(request):
    return GRAPHS[request.param]()


@pytest.fixture
def play(capsys, tmp_path):
    """Return a function that plays a graph and gives the lines."""

    def run(graph, *words, code=0):
        path = tmp_path / "graph.json"
        nf.save(graph, path)
        assert main(["play", str(path), "--speed", "0", *map(str, words)]) == code
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def steps(play):
    """Return a function that plays with --json and gives the steps."""
    return lambda graph, *words: [json.loads(line) for line in play(graph, "--json", *words)]


def all_steps(graph):
    run = nf.Run(graph)
    found = []
    while run.epoch < graph.training.epochs:
        found.append(plain(run.step().as_dict()))
    return found


def place(step):
    return step["epoch"], step["sample"], step["node"]


def test_every_line_is_a_step_of_the_run(steps, graph):
    found = steps(graph)
    assert found == all_steps(graph)
    assert list(found[0]) == [
        "epoch",
        "update",
        "sample",
        "phase",
        "node",
        "inputs",
        "outputs",
        "formula",
    ]


def test_playing_may_begin_and_end_anywhere(steps, graph):
    whole = all_steps(graph)
    for begin in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        epoch, sample, node = place(whole[begin])
        first = next(i for i, step in enumerate(whole) if place(step) == (epoch, sample, node))
        moment = f"{epoch}:{sample}:{node}"
        assert steps(graph, "--from", moment) == whole[first:]
        assert steps(graph, "--until", moment) == whole[: first + 1]


def test_a_moment_without_a_node_is_the_start_of_the_sample(steps):
    graph = network(epochs=3)
    whole = all_steps(graph)
    found = steps(graph, "--from", "1", "--until", "1:2")
    assert found == [s for s in whole if s["epoch"] == 1 and s["sample"] < 2]
    assert steps(graph, "--from", "2:3") == [
        s for s in whole if s["epoch"] == 2 and s["sample"] > 2
    ]
    assert steps(graph, "--from", "1", "--until", "1") == []


def test_beyond_the_training_an_epoch_can_still_be_played(steps):
    found = steps(network(epochs=1), "--from", "5")
    assert {step["epoch"] for step in found} == {5}


def test_samples_counts_passes(steps):
    assert {s["sample"] for s in steps(network(), "--samples", "3")} == {0, 1, 2}
    assert {s["sample"] for s in steps(network(batch=2), "--samples", "1")} == {0}
    assert [s["sample"] for s in steps(looped(), "--samples", "1")].count(0) > 10
    assert {s["sample"] for s in steps(looped(), "--samples", "1")} == {0}
    assert {s["sample"] for s in steps(looped(), "--samples", "2")} == {0, 1}
    assert any(s["phase"] == "update" for s in steps(looped(), "--samples", "2"))


@pytest.mark.parametrize("level", ["step", "phase", "sample", "update", "epoch"])
def test_each_level_goes_as_far_as_the_run_does(steps, graph, level):
    run = nf.Run(graph)
    expected = []
    while run.epoch < graph.training.epochs:
        expected.append(plain(run.advance(level).as_dict()))
    assert steps(graph, "--level", level) == expected


def test_a_beat_never_goes_beyond_the_end():
    run = nf.Run(network(epochs=2))
    found = list(beats(Player(run), "epoch", run.schedule.number((6, 2, 0))))
    assert run.update == 6
    assert len(found) == 2


def test_an_empty_graph_plays_nothing(steps, tmp_path):
    assert steps(nf.Graph(name="empty")) == []


# --- as a person sees it ------------------------------------------------------------------------


def test_the_lines_hold_address_and_formula(play):
    graph = network(epochs=1)
    lines = play(graph, "--samples", "2")
    expected, last = [], None
    matrix = re.compile(r"value = \[(.*), (.*), (.*), (.*)\]")
    for step in islice(all_steps(graph), 2 * len(nf.Run(graph).order)):
        address = f"epoch 0 · sample {step['sample']} of 4 · {step['phase']}"
        if address != last:
            expected.append(address)
            last = address
        if numbers := matrix.fullmatch(step["formula"]):  # a matrix of two rows
            expected.append((step["node"], "value = [{}, {}]".format(*numbers.groups()[:2])))
            expected.append("[{}, {}]".format(*numbers.groups()[2:]))
        else:
            expected.append((step["node"], step["formula"]))
    found = []
    for line in filter(None, lines):
        if line[0] in "▶◀●":
            found.append(line[2:])
        elif line.lstrip().startswith("["):
            found.append(re.sub(r"\s+", " ", line.strip()).replace("[ ", "["))
        else:
            node, formula = re.fullmatch(r"  (\S+) +(.*)", line).groups()
            found.append((node, re.sub(r"\s+", " ", formula).replace("[ ", "[")))
    assert found == expected


def test_all_writes_out_every_number(play, capsys):
    graph = network(epochs=1)
    lines = play(graph, "--samples", 1, "--all")
    told = {line.split("=")[0].split()[-1] for line in lines if "₂" in line.split("=")[0]}
    assert {"z₂", "a₂", "delta₂", "blame₂", "gradient₁,₂", "gradient₂,₁", "value₂,₂"} <= told
    run = nf.Run(graph)
    run.step()
    run.advance("sample")
    for number, weight in zip(
        ("₁,₁", "₁,₂", "₂,₁", "₂,₂"), run.weights["w1.value"].flat, strict=True
    ):
        line = next(one for one in lines if f"value{number} =" in one)
        assert float(line.split("=")[-1].replace("−", "-")) == pytest.approx(weight, abs=1e-4)
    for document in map(json.loads, play(graph, "--samples", 1, "--all", "--json")):
        assert document["formulas"][0] == document["formula"]


def test_each_phase_has_its_sign(play):
    lines = play(network(epochs=1), "--samples", "1")
    assert [line[0] for line in lines if line[0] != " "] == ["▶", "◀", "●"]


def test_batches_are_told_as_ranges(play):
    assert any("samples 2–3 of 4" in line for line in play(network(epochs=1, batch=2)))


@pytest.mark.parametrize("level", ["sample", "update"])
def test_longer_beats_are_one_line_with_the_cost(play, level):
    lines = play(network(epochs=1), "--level", level)
    assert len(lines) == 4
    run = nf.Run(network(epochs=1))
    run.advance("update")
    from nodeflow.workings.shown import show

    assert lines[0] == f"● epoch 0 · sample 0 of 4   cost {show(run.cost)}"


def test_epochs_are_lines_of_the_history(play):
    lines = play(network(epochs=3), "--level", "epoch")
    assert [line[:9] for line in lines] == ["● epoch 0", "● epoch 1", "● epoch 2"]
    assert all("cost" in line and "accuracy" in line for line in lines)


def test_without_a_terminal_there_are_no_colours(play):
    assert "\x1b" not in "".join(play(network(epochs=1)))


@pytest.fixture
def columns():
    return 60


@pytest.fixture
def screen(monkeypatch, columns):
    """Give the command a terminal; return what it gets."""
    file = io.StringIO()
    made = look._Console(
        file=file, width=columns, force_terminal=True, highlight=False, markup=False, emoji=False
    )
    monkeypatch.setattr(look, "console", lambda **_: made)
    return file


def test_in_a_terminal_long_formulas_are_wrapped_under_their_beginning(screen, play):
    play(network(epochs=1), "--samples", "1")
    lines = re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue()).splitlines()
    assert max(map(len, lines)) <= 60
    number = next(i for i, line in enumerate(lines) if line.startswith("  hidden.blame"))
    assert "blame₁ = " in lines[number]
    assert any(line.startswith(" " * 20) for line in lines)
    assert "\x1b[35m" in screen.getvalue()


@pytest.mark.parametrize("columns", [80, 120])
def test_a_wide_terminal_says_what_a_step_did_as_well(screen, play, columns):
    play(network(epochs=1), "--samples", "1")
    text = screen.getvalue()
    lines = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
    said = [line.strip() for line in lines if line.startswith(" " * 15) and "[" not in line]
    assert max(map(len, lines)) <= columns
    if columns == 80:
        assert said == []
        return
    run, expected = nf.Run(network(epochs=1)), []
    while run.update == 0:
        expected.append(remark(run, run.step()))
    assert said == [words for words in expected if words]
    assert any(words.startswith("added up 2 weighted inputs") for words in said)
    assert f"\x1b[2m{said[0]}" in text


def test_the_bar_follows_the_epochs(screen, tmp_path, capsys):
    path = tmp_path / "graph.json"
    nf.save(network(epochs=5), path)
    assert main(["train", str(path)]) == 0
    shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", screen.getvalue())
    assert "epoch 5 of 5" in shown
    assert re.search(r"cost 0\.\d+ +accuracy \d+\.\d %", shown)
    capsys.readouterr()


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_the_speed_is_kept(monkeypatch, play):
    clock = Clock()
    monkeypatch.setattr(play_command, "time", clock)
    play(network(), "--samples", "1", "--speed", "10")
    assert clock.now == pytest.approx(len(nf.Run(network()).order) / 10)


def test_who_reads_from_a_pipe_does_not_wait(monkeypatch, tmp_path, capsys):
    clock = Clock()
    monkeypatch.setattr(play_command, "time", clock)
    path = str(tmp_path / "g.json")
    nf.save(network(), path)
    for words in ([], ["--json"]):
        assert main(["play", path, "--samples", "1", *words]) == 0
    assert clock.now == 0
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["play", path, "--samples", "1", "--json"]) == 0
    assert clock.now == 0
    assert main(["play", path, "--samples", "1"]) == 0
    assert clock.now == pytest.approx(len(nf.Run(network()).order) / 4)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--from", "0:9"], "sample 9 is beyond the epoch: it has 0 to 3"),
        (["--until", "0:9"], "sample 9 is beyond the epoch: it has 0 to 3"),
        (["--from", "0:0:hiden"], "no step of this run evaluates 'hiden'; did you mean 'hidden'?"),
        (["--from", "2", "--until", "1:3"], "there is nothing to play: 1:3 comes before 2"),
        (["--until", "0:0:hiden"], "no step of this run evaluates 'hiden'; did you mean 'hidden'?"),
    ],
)
def test_a_moment_that_does_not_exist_is_a_fault(capsys, tmp_path, words, sentence):
    path = tmp_path / "graph.json"
    nf.save(network(), path)
    assert main(["play", str(path), "--speed", "0", *words]) == 1
    assert capsys.readouterr().err == f"nodeflow: {sentence}\n"


def test_views_show_what_enters_them(capsys):
    file = str(Path(__file__).parent.parent / "graphs" / "blame-game.json")
    assert main(["play", file, "--samples", "1", "--speed", "0"]) == 0
    told = capsys.readouterr().out
    assert "0.60 ←" in told
    assert '"theta2.value": [[0.1, 0.3, 0.6]],' in told
    assert "value as" not in told


def test_bars_are_a_sentence_where_it_fits(capsys, tmp_path):
    graph = nf.Graph().add("p", "constant", value=[0.1, 0.63, 0.27]).add("bars", "bars")
    nf.save(graph.connect("p.value", "bars.value"), tmp_path / "g.json")
    assert main(["play", str(tmp_path / "g.json"), "--samples", "1", "--speed", "0"]) == 0
    assert "bars  1 10 %, 2 63 %, 3 27 % → 2" in capsys.readouterr().out


def test_every_view_shows_its_values_in_the_terminal(capsys, tmp_path):
    """Numbers of a panel and a table, counts of a confusion, the line of a plot: from NumPy."""
    from networks import net

    from nodeflow.workings.shown import show

    graph = net("iris", (4, 3, 3), rate=0.3)
    wires = {
        "panel": ["output.a.a -> v_panel.value"],
        "table": ["output.a.a -> v_table.value", "data.y -> v_table.value"],
        "confusion": ["output.a.a -> v_confusion.a", "data.y -> v_confusion.y"],
        "plot": ["cost.cost -> v_plot.value"],
    }
    for name, ends in wires.items():
        graph = graph.add(f"v_{name}", name)
        for end in ends:
            graph = graph.connect(*end.split(" -> "))
    nf.save(graph, tmp_path / "g.json")
    assert main(["play", str(tmp_path / "g.json"), "--samples", "2", "--speed", "0"]) == 0
    told = capsys.readouterr().out
    assert "value as" not in told
    run = nf.Run(graph)
    run.train(updates=1)
    weights = run.weights
    split = run.machine.splits["data"]

    def layer(x, theta, bias):
        z = x @ weights[f"{theta}.value"].T + weights[f"{bias}.value"]
        return 1 / (1 + np.exp(-z))

    best = layer(layer(split.x, "theta1", "b1"), "theta2", "b2").argmax(axis=1)
    second = told.rpartition("v_confusion")[2]
    for number, name in enumerate(("setosa", "versicolor", "virginica")):
        counts = [int((best[split.y.argmax(axis=1) == number] == k).sum()) for k in range(3)]
        assert re.search(rf"{name}\s+" + r"\s+".join(map(str, counts)) + r"\s", second), counts
    while run.update < 2:
        step = run.step()
        if step.node == "output.a":
            numbers = [show(number) for number in step.outputs["a"].ravel()]
        if step.node == "cost":
            cost = show(float(step.outputs["cost"].item()))
    row = r"\s+".join(map(re.escape, numbers))
    assert re.search(rf"v_panel\s+{row}", second)
    assert re.search(rf"v_table\s+{row}(\s+[01]){{2}}", second)  # as many as 80 columns hold
    assert re.search(rf"v_plot\s+cost.cost  [▁-█]+  \S+ → {re.escape(cost)}", second)
