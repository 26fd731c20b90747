"""What the editor writes is true at every moment: no formula mixes the numbers of two passes."""

import math
import re
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from helpers_explain import value as evaluated
from helpers_truth import Told, Truth, of_the_step, told

import nodeflow as nf
from nodeflow import files
from nodeflow.editor.canvas.faces import Faces, parted
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.panels.training import accuracy_of
from nodeflow.editor.panels.working import working
from nodeflow.editor.playing.slowmotion import watch_rows
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.model import Editor
from nodeflow.engine.snapshot import AHEAD
from nodeflow.lessons import Attempt
from nodeflow.playback.player import Player
from nodeflow.terminal.lesson import Lead
from nodeflow.terminal.live import Live
from nodeflow.theme import THEMES
from nodeflow.views import Viewer
from nodeflow.views.bars import Bars
from nodeflow.views.marks import Rect, Words
from nodeflow.workings.shown import show

GRAPHS = (
    "graphs/xor.json",
    "graphs/one-neuron-unfolded.json",
    "graphs/mazur-neurons-unfolded.json",
    "graphs/four-layers.json",
    "graphs/blame-game.json",
)


EPOCHS = (
    "xor",
    "one-neuron-unfolded",
    "mazur-neurons-unfolded",
    "blame-game",
    "two-weights-biases",
    "landscape",
)
"""Every moment of an epoch of these, and half a pass of the next."""


@pytest.fixture(params=GRAPHS)
def played(request):
    """Return a worker that has gone to the second update, and its graph."""
    graph = files.load(request.param)
    worker = Worker()
    worker.open(graph)
    worker.step("update")
    return graph, worker


def moments(graph, worker, most=70):
    """Yield an editor at each moment of an epoch, or of so many steps."""
    editor = Editor.of(graph, None)
    end = worker.player.schedule.after("epoch", worker.player.number)
    for _ in range(min(end - worker.player.number, most)):
        yield replace(editor, live=worker.live())
        worker.step("step")
    yield replace(editor, live=worker.live())


def written(editor):
    """Yield the texts of panels, and the tooltips of nodes, ports and wires, by their address."""
    for key in editor.graph.nodes:
        yield f"{key}.", working(editor, key)
    for view in editor.drawn.nodes.values():
        for port in (*view.inputs, *view.outputs):
            over = overlay(replace(editor, hover=f"port:{port.address}"))
            yield port.address, "\n".join(over.tooltip[1]) if over.tooltip else ""
    for wire in editor.graph.wires:
        over = overlay(replace(editor, hover=f"wire:{wire}"))
        yield wire.start, "\n".join(over.tooltip[1]) if over.tooltip else ""


def python(text):
    """Return a formula as it is written on the screen in Python's signs."""
    for sign, own in {"−": "-", "·": "*", "^": "**", "²": "**2", "√": "sqrt", "½": "(1/2)"}.items():
        text = text.replace(sign, own)
    text = re.sub(r"\(\d+ terms? of 0\)", "0", text)
    text = re.sub(r"\((?:\d+ smaller terms|\d+ more): (-?[\d.e+-]+)\)", r"(\1)", text)
    text = re.sub(r"\be\*\*", f"{math.e}**", text)
    text = re.sub(r"\bln\b", "log", text)
    return re.sub(r"\|([^|]*)\|", r"abs(\1)", text)


def equations(text):
    """Yield both sides of each equation in a text, and how far apart rounding may bring them."""
    for line in text.split("\n"):
        name, *sides = line.split(" = ")
        if any(re.search(r"[\d\]], [\w₀-₉]+$", side) for side in sides):
            continue  # several values in one line
        if len(sides) < 2 or not re.fullmatch(r"[\w₀-₉′(),∂/ ]+", name):
            continue
        found = [evaluated(python(side)) for side in sides]
        terms = [abs(float(n)) for n in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", python(sides[0]))]
        slack = 6e-4 * max([1e-3, *terms]) * max(1.0, *terms)
        for other in found[1:]:
            yield line, found[0], other, slack


@pytest.mark.parametrize("name", EPOCHS)
def test_every_text_of_an_epoch_is_true(name) -> None:
    """Node faces, ports, wires, panels, tooltips, map, watches, card, tokens, log and terminal.

    Each equation holds, each number that stands for a value is that value, and what the present
    pass has not evaluated is grey or says of when it is. What is true a run of its own tells.
    """
    graph = files.load(f"graphs/{name}.json")
    worker, truth = Worker(), Truth(graph)
    worker.open(graph)
    for key in list(graph.nodes)[::3]:
        worker.watch(key)
    editor, faces, counts = Editor.of(graph, None), Faces(), Counter()
    faces.take(editor.drawn)
    # Beyond one epoch: numbers of the one before stand there as well.
    end = worker.player.schedule.after("epoch", 0) + len(worker.player.run.order) // 2
    while worker.player.number < end:
        worker.step("step")
        truth.on()
        now = replace(editor, live=worker.live())
        for one in told(now, faces):
            counts[one.where] += hold(one, truth, now)
        terminal = Told("terminal", truth.terminal(worker.player))
        counts["terminal"] += hold(terminal, truth, now)
        counts["step"] += of_the_step(truth, now)
    seen = (
        "node",
        "node from afar",
        "wire",
        "tooltip",
        "formula",
        "panel",
        "card",
        "terminal",
        "step",
    )
    assert all(counts[where] > 7 for where in seen), counts


def hold(one, truth, editor) -> int:
    """Check a text; return how many equations and values it has."""
    found = 0
    for line, left, right, slack in equations(one.text):
        found += 1
        assert left == pytest.approx(right, abs=slack, rel=2e-3), (
            editor.live.playback.moment, one, line)  # fmt: skip
    if not found and (one.address or one.numbers is not None):
        try:
            return truth.hold(one)
        except AssertionError as error:
            raise AssertionError(f"at {editor.live.playback.moment}: {error}") from None
    return found


def test_what_this_pass_has_not_evaluated_is_marked_wherever_it_is_written(played) -> None:
    graph, worker = played
    for key in list(graph.nodes)[:8]:
        worker.watch(key)
    run = worker.player.run
    seen = set()
    for editor in moments(graph, worker, most=45):
        live, position = editor.live, run.position
        rest = set(run.order[position.place :])
        for address, text in written(editor):
            key = address.rpartition(".")[0]
            stands = run.reader.stands(key) if key in run.order else True
            if key in rest and not stands and (address in live.values or address[-1] == "."):
                assert live.ages[key], (live.playback.moment, key)
                if text:
                    assert live.ages[key] in text, (live.playback.moment, text)
                    seen.add(live.ages[key])
        for row in watch_rows(live):
            age = live.age(row.address)
            assert row.age == age.removeprefix("from ")
    assert any("sample" in age or "epoch" in age for age in seen)


def test_what_has_no_mark_is_of_this_pass(played) -> None:
    """Each value without a mark is what the step of this very pass has calculated."""
    graph, worker = played
    made = {}
    begin = worker.player.run.position[:2]
    for editor in moments(graph, worker, most=45):
        live, position = editor.live, worker.player.run.position
        if position[:2] != begin:
            made, begin = {}, position[:2]
        elif live.playback.step is not None and position.place:
            step = live.playback.step
            made |= {f"{step.node}.{port}": value for port, value in step.outputs.items()}
        for address, value in live.values.items():
            key = address.rpartition(".")[0]
            stands = worker.player.run.reader.stands(key)
            if not live.ages.get(key) and not stands and live.playback.step is not None:
                assert address in made, (live.playback.moment, address)
                np.testing.assert_array_equal(value, made[address])


def test_standing_in_the_middle_of_a_sample_the_output_is_that_of_the_one_before() -> None:
    """The case that was seen: new inputs beside the old result."""
    graph = files.load("graphs/xor.json")
    worker = Worker()
    worker.open(graph)
    worker.go("0:2:hidden_a")
    editor = replace(Editor.of(graph, None), live=worker.live())
    assert editor.live.ages["output"] == "from sample 1"
    assert working(editor, "output") == "its value is from sample 1"
    assert "hidden_a" not in editor.live.ages
    worker.step("step")
    editor = replace(editor, live=worker.live())
    assert "from" not in working(editor, "output")


def test_after_full_speed_all_numbers_belong_together() -> None:
    graph = files.load("graphs/xor.json")
    worker = Worker()
    worker.open(graph)
    worker.train(5)
    while worker.running:
        worker.passed()
    editor = replace(Editor.of(graph, None), live=worker.live())
    assert not {key: age for key, age in editor.live.ages.items() if "update" not in key}
    for key in ("hidden", "output", "output_a"):
        [line] = working(editor, key).split("\n")[:1]
        assert all(
            left == pytest.approx(right, abs=slack) for _, left, right, slack in equations(line)
        )
    z = editor.live.values["hidden.z"]
    theta, bias = (editor.live.weights[f"{name}.value"] for name in ("theta1", "bias1"))
    np.testing.assert_allclose(z, editor.live.values["data.x"] @ theta.T + bias, rtol=1e-12)


def test_what_is_found_beside_the_window_is_of_this_document_seed_and_moment() -> None:
    """Views that ask the network many times show what is of now, say of when it is, or wait."""
    graph = files.load("graphs/xor.json").add("counts", "confusion").set("data", test=0.5)
    graph = graph.connect("output_a.a", "counts.a").connect("data.y", "counts.y")
    worker, faces = Worker(), Faces()

    def seen(*, settled=True):
        """Return what the view shows, found or as it stands right now, and what is true."""
        editor = replace(Editor.of(worker.graph, None), live=worker.live())
        faces.take(editor.drawn)
        faces.collect(editor)
        while settled and faces.busy:
            time.sleep(0.002)
            faces.collect(editor)
        viewer = Viewer(worker.graph, editor.inference.tables)
        truth = viewer.look("counts", editor.live.values, editor.live.weights)
        return parted(faces.of(editor.drawn.nodes["counts"], editor)), truth

    worker.open(graph)
    for seed in range(4):  # which rows are for training follows from it
        worker.start(replace(graph, training=replace(graph.training, seed=seed)))
        worker.train(3)
        while worker.running:
            worker.passed()
        (shown_, age), truth = seen()
        assert shown_.table.tolist() == truth.table.tolist()
        assert (shown_.test, age) == (truth.test, "")
    worker.go("1:1")
    (shown_, age), _ = seen(settled=False)
    assert age == "from epoch 3"
    (_, age), truth = seen()
    assert age == ""
    empty = Editor.of(worker.graph, None)  # as it is when a document has just been opened
    faces.collect(empty)
    (shown_, _), _ = seen(settled=False)
    assert shown_ is None


def test_of_several_accuracies_the_panel_says_which_one_it_shows() -> None:
    graph = files.load("graphs/iris.json")
    other = graph.add("accuracy_0", "accuracy")
    other = other.connect("output_a.a", "accuracy_0.a").connect("data.y", "accuracy_0.y")
    for one, said in (
        (graph, "train as it learns, test after"),
        (other, "of accuracy: train as it learns, test after"),
    ):
        worker = Worker()
        worker.open(one)
        assert accuracy_of(worker.live()) == ""  # there is none yet
        worker.train(1)
        while worker.running:
            worker.passed()
        assert accuracy_of(worker.live()) == said


def test_looking_ahead_changes_nothing() -> None:
    graph = files.load("graphs/xor.json")
    looked, plain = Worker(), Worker()
    for worker in (looked, plain):
        worker.open(graph)
    for _ in range(3):
        looked.train(2)
        plain.train(2)
        for worker in (looked, plain):
            while worker.running:
                worker.passed()
                if worker is looked:
                    worker.live()
        looked.live()
    for address, value in plain.player.run.weights.items():
        np.testing.assert_array_equal(value, looked.player.run.weights[address])
    assert AHEAD not in looked.live().ages.values()


def test_the_terminal_says_of_when_a_value_is(capsys) -> None:
    """In a lesson, and in the line at the foot of slow motion."""
    attempt = Attempt(files.load("graphs/lessons/first-steps.json"))
    lead = Lead(attempt)
    lead.run(["go 0:2:hidden_a", "show output.z", "show hidden_a.a"])
    told = capsys.readouterr().out
    value = show(attempt.player.run["output.z"].item())
    assert f"output.z = {value}  (from sample 1)" in told
    assert re.search(r"hidden_a\.a = \[[^\n]*\]\n", told)

    player = Player(nf.Run(files.load("graphs/xor.json")))
    live = Live(player, "step", player.end)
    player.go("0:2:hidden_a")
    assert f"cost {show(player.run.cost):<7}  from sample 1" in live._status().plain
    player.go("0:2:cost")
    assert "from" not in live._status().plain


def test_a_number_out_of_range_is_no_bar_and_is_written_as_it_is() -> None:
    shown_ = Bars(("a", "b", "c"), np.array([math.nan, math.inf, 2.0]), shares=False, best=-1)
    assert [line.split()[-1] for line in shown_.lines(60)] == ["NaN", "Infinity", "2"]
    marks = shown_.marks((0.0, 0.0, 200.0, 80.0), THEMES["dark"])
    texts = [mark.text for mark in marks if isinstance(mark, Words)]
    assert texts == ["a", "NaN", "b", "Infinity", "c", "2"]
    longest = [mark.width for mark in marks if isinstance(mark, Rect)]
    assert longest[0] == longest[1] == 1.0 < longest[2]


@pytest.mark.parametrize("name", EPOCHS)
def test_a_graph_without_one_of_its_wires_is_written_about(name) -> None:
    """Between two edits a graph is not whole, and values of the run before are still there."""
    graph = files.load(f"graphs/{name}.json")
    worker = Worker()
    worker.open(graph)
    worker.step("update")
    whole = replace(Editor.of(graph, None), live=worker.live())
    for wire in graph.wires[:: max(len(graph.wires) // 20, 1)]:
        editor = whole.edited(graph.disconnect(wire.start, wire.end), "take a wire away")
        faces = Faces()
        faces.take(editor.drawn)
        texts = {one.where for one in told(editor, faces)}
        assert {"node", "account", "formula", "panel"} <= texts
