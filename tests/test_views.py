"""What views show, against numbers by hand, NumPy and the published text."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.commands.output import plain
from nodeflow.declare import CATALOG, Value
from nodeflow.declare import node as declare
from nodeflow.derive.tidy import tidy
from nodeflow.editor.canvas.faces import foot, summary
from nodeflow.editor.panels.reports import account
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.engine.executor import executed_by
from nodeflow.errors import NodeflowError, RunError, ShapeMismatch
from nodeflow.explain.quality import fed
from nodeflow.explain.responsibility import blame_at
from nodeflow.explain.slopes import has_curve
from nodeflow.export import Job, Options
from nodeflow.export.svg import drawing, node, svg
from nodeflow.scene import scene
from nodeflow.theme import DARK, LIGHT
from nodeflow.views import Viewer, as_data, is_slow, module_of
from nodeflow.views.bars import barred
from nodeflow.views.confusion import Counts
from nodeflow.views.marks import Axes, Dot, Line, Pixels, Rect, Words, fitted, percent, width
from nodeflow.views.plot import Past, Traces
from nodeflow.views.slope import slope_at
from nodeflow.workings.shown import listed

GRAPHS = Path(__file__).parent.parent / "graphs"
AREA = (10.0, 20.0, 240.0, 150.0)


def load(name):
    return nf.load(GRAPHS / f"{name}.json")


def look(run, key):
    run.evaluate()
    viewer = Viewer(run.plan.graph, run.plan.inference.tables)
    return viewer.look(key, run.values, run.weights)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- every view -----------------------------------------------------------------------------------


def everything():
    """Return a graph with every view in it, wired to something that it can show."""
    graph = load("polynomial-or-network").add("margins", "bars").connect("x.value", "margins.value")
    graph = graph.add("who", "blame_shares").add("all", "dictionary").add("first", "panel")
    graph = graph.add("delta", "constant", value=[[0.5]])
    graph = graph.connect("delta.value", "who.delta").connect("theta2.value", "who.weights")
    graph = graph.connect("y.value", "first.value").add("rows", "table")
    graph = graph.connect("x.value", "rows.value").connect("y.value", "rows.value")
    graph = graph.add("cells", "image").connect("hidden_a.a", "cells.value")
    graph = graph.add("line", "plot").connect("network_cost.cost", "line.value")
    graph = graph.add("land", "landscape", index=(0, 1)).connect("theta2.value", "land.parameter")
    graph = graph.add("u", "slider", value=0.5).add("s", "sigmoid").connect("u.value", "s.z")
    return graph.add("f", "function_plot").connect("u.value", "f.x").connect("s.a", "f.a")


@pytest.fixture(scope="module")
def shown():
    run = nf.Run(everything())
    run.train(20)
    run.evaluate()
    found = Viewer(run.plan.graph, run.plan.inference.tables).all(run.values, run.weights)
    xor = load("xor").add("plane", "boundary").add("counts", "confusion")
    output = "output_a.a"
    for start, end in (
        ("data.x", "plane.x"), (output, "plane.a"), (output, "counts.a"), ("data.y", "counts.y"),
    ):  # fmt: skip
        xor = xor.connect(start, end)
    run = nf.Run(xor)
    run.evaluate()
    return found | Viewer(run.plan.graph, run.plan.inference.tables).all(run.values, run.weights)


def test_every_view_type_is_found():
    views = {name: type_ for name, type_ in CATALOG.items() if type_.family == "view"}
    assert all(hasattr(module_of(name), "found") for name in views)
    assert {name for name in views if is_slow(name)} < set(views)


def test_every_view_can_be_drawn_written_and_given_as_data(shown):
    assert {type(content).__module__.rpartition(".")[2] for content in shown.values()} >= {
        "bars", "blame_shares", "boundary", "confusion", "curve", "dictionary", "function_plot",
        "image", "landscape", "plot", "several", "table",
    }  # fmt: skip
    for key, content in shown.items():
        assert not isinstance(content, str), (key, content)
        for theme in (DARK, LIGHT):
            marks = content.marks(AREA, theme)
            assert marks, key
            for mark in marks:
                assert _inside(mark), (key, mark)
        lines = content.lines(60)
        assert lines, key
        assert all(len(line) <= 64 for line in lines), key
        assert content.foot
        json.dumps(plain(as_data(content)), allow_nan=False)


def test_no_words_lie_on_others_and_none_stick_out(shown):
    for key, content in shown.items():
        said = [mark for mark in content.marks(AREA, LIGHT) if isinstance(mark, Words)]
        boxes = [(*_ends(words), words) for words in said]
        for number, (left, right, words) in enumerate(boxes):
            assert right <= AREA[0] + AREA[2] + 4, (key, words)
            for start, end, other in boxes[number + 1 :]:
                apart = abs(words.y - other.y) >= 0.8 * min(words.size, other.size)
                assert apart or end <= left + 0.5 or right <= start + 0.5, (key, words, other)


def _ends(words):
    """Return where a text begins and ends."""
    wide = width(words.text, words.size)
    left = words.x - {"start": 0.0, "middle": wide / 2, "end": wide}[words.anchor]
    return left, left + wide


def test_values_on_nodes_end_before_the_field_beside_them():
    """A text is as wide as its letters, not as many: digits are wider than most."""
    graph, whole = load("weights-dictionary"), 0
    for value in ([-3.1445, 3.2836], [-3.14, 3.28], [-30.1445, 30.2836], [1.0, 1.0], [-0.5, 999.9]):
        view = scene(graph, values={"bias1.value": np.array(value)}).nodes["bias1"]
        *_, foot, _ = node(view, LIGHT)
        text = re.search(r">([^<]*)<", foot)[1]
        assert text in (listed(np.array(value)), "2 numbers")
        whole += text != "2 numbers"
        assert 10 + width(text) <= view.field.left - 4, text
    assert whole > 1
    stump = scene(load("gradient-checking"), values={}).nodes["approx"]
    *_, foot, _ = node(stump, LIGHT)
    assert "…" not in foot


def test_weights_on_wires_cover_no_port():
    """A long number is smaller, then without what it weighs, then left out: never cut."""
    texts = {}
    for weight in (0.8, -2.29, -2.2978, 1.23e-17):
        graph = load("one-neuron").set("w", value=[[weight]]).set("x", value=[1.4142])
        picture = svg(scene(graph, values={"x.value": np.array([[1.4142]])}))
        found = re.findall(r'font-size="(9|10)" text-anchor="middle">([^<]*)<', picture)
        for size, text in found:
            assert width(text, float(size)) <= 50, text
        texts[weight] = sorted(text for _, text in found)
    both = {0.8: ["+0.8", "× 0.8"], -2.29: ["× −2.29", "−2.29"]}
    assert texts == {**both, -2.2978: ["−2.2978"], 1.23e-17: []}


def _inside(mark):
    """Return whether a mark lies in its area, give or take what a letter is high."""
    left, top, wide, high = AREA
    match mark:
        case Rect(x, y, w, h):
            places = [(x, y), (x + w, y + h)]
        case Line(points):
            places = list(points)
        case Dot(x, y) | Words(x, y):
            places = [(x, y)]
        case Pixels((x, y, w, h)):
            places = [(x, y), (x + w, y + h)]
    return all(
        left - 16 <= x <= left + wide + 16 and top - 16 <= y <= top + high + 16 for x, y in places
    )


def test_pictures_show_every_view(shown):
    graph = replace(everything(), layout={})
    text, _ = drawing(Job(graph, None, Options("light", epochs=3)))
    root = ET.fromstring(text)
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        title = group.findtext("{http://www.w3.org/2000/svg}title", "")
        if any(title.endswith(f"({type_})") for type_, one in CATALOG.items() if one.view_module):
            assert len(list(group)) > 7, title
    assert "shown in the editor" not in text


# --- one by one -----------------------------------------------------------------------------------


def test_shares_of_probabilities_have_names_per_cent_and_an_arrow():
    bars = barred(("A", "B", "C"), np.array([0.10, 0.63, 0.27]))
    assert bars.sentence == "A 10 %, B 63 %, C 27 % → B"
    assert [line.split()[-1] for line in bars.lines(60)] == ["%", "←", "%"]
    assert bars.as_dict()["best"] == "B"
    lengths = [mark.width for mark in bars.marks(AREA, DARK) if isinstance(mark, Rect)]
    assert np.array(lengths) / lengths[1] == pytest.approx([10 / 63, 1, 27 / 63])
    sigmoids = barred(("A", "B"), np.array([0.8, 0.75]))  # each for itself: no parts of a whole
    assert (sigmoids.shares, sigmoids.foot) == (False, "→ A: 0.8")
    alone = barred(("1",), np.array([0.8]))
    assert (alone.shares, alone.best) == (False, -1)
    mixed = barred(("1", "2"), np.array([-2.0, 1.0]))
    assert (mixed.shares, mixed.best) == (False, -1)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.63, "63 %"), (0.0934, "9.3 %"), (0.9996, "99.9 %"),
     (0.0004, "< 0.1 %")],
)  # fmt: skip
def test_shares_are_written_as_a_person_would(share, text):
    assert percent(share) == text


CURVED = [name for name in nf.declare.CATALOG if has_curve(name)]


def test_every_activation_but_softmax_has_a_curve():
    assert CURVED == ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity"]


@pytest.mark.parametrize("kind", CURVED)
def test_an_activation_has_its_tangent(kind):
    z = np.array([-1.3, 0.4])
    found = slope_at(kind, z)
    function = nf.declare.CATALOG[kind].function
    assert found.a == pytest.approx(function(z))
    assert found.slopes == pytest.approx((function(z + 1e-6) - function(z - 1e-6)) / 2e-6, abs=1e-6)
    lines = [mark for mark in found.marks((0, 0, 100, 20), DARK) if isinstance(mark, Line)]
    assert len(lines) == 3  # the curve and two tangents
    (x0, y0), (x1, y1) = lines[1].points
    axes_slope = -(y1 - y0) / (x1 - x0)
    low, high = function(np.array([-4.0, 4.0]))  # 8 wide, drawn 100 wide and 20 high
    assert axes_slope == pytest.approx(found.slopes[0] * 20 / (high - low) * 8 / 100, rel=1e-6)
    assert slope_at("softmax", z) is None


def test_three_functions_on_one_slider():
    run = nf.Run(load("slopes"))
    found = look(run, "slopes")
    assert found.names == ("sigmoid.a", "tanh.a", "line.value")
    assert found.values == pytest.approx([sigmoid(0.5), np.tanh(0.5), 0.625])
    expected = [sigmoid(0.5) * (1 - sigmoid(0.5)), 1 - np.tanh(0.5) ** 2, 0.25]
    assert found.slopes == pytest.approx(expected, abs=1e-8)
    assert found.curves[0] == pytest.approx(sigmoid(found.x))
    assert found.description(2) == "0.625, up 0.25"
    down = nf.Run(load("slopes").set("m", value=-0.25))
    assert look(down, "slopes").description(2) == "0.375, down 0.25"


def test_the_slope_of_the_cost_is_4_5_w_minus_1_5():
    for w in (-0.5, 1 / 3, 0.8, 1.9):
        run = nf.Run(load("slope-of-the-cost").set("w", value=w))
        over_w = look(run, "cost_over_w")
        assert over_w.slopes[0] == pytest.approx(4.5 * w - 1.5, abs=1e-9)
        assert run["chain.value"].item() == pytest.approx(run["straight.value"].item())
        assert run["slip.value"].item() == pytest.approx((3 * w - 0.5) * 1.5)


def test_a_polynomial_of_any_degree_is_least_squares():
    graph = load("polynomial-or-network")
    x, y = (np.ravel(graph.settings(key)["value"]) for key in ("x", "y"))
    for degree in (1, 3, 5):
        run = nf.Run(graph.set("degree", value=float(degree)))
        run.train(3000)
        fit = look(run, "polynomial_curve")
        known = np.polynomial.polynomial.polyfit(x, y, degree)
        inside = (fit.x >= -1) & (fit.x <= 1)
        expected = np.polynomial.polynomial.polyval(fit.x[inside], known)
        assert fit.outputs[inside] == pytest.approx(expected, abs=0.02)
        assert fit.reach == (-1, 1)
        assert (fit.x[0], fit.x[-1]) == pytest.approx((-2, 2))
    grey = [mark for mark in fit.marks(AREA, DARK) if isinstance(mark, Rect)]
    assert len(grey) == 2


def test_a_confusion_with_little_room_cuts_no_number():
    """Where cells are too low there is no text in them, at a foot the test rows are left out."""
    table = np.full((26, 26), 123)
    few = Counts(table, (), (5, 9)).marks(AREA, DARK)
    assert [one.text for one in few if isinstance(one, Words)] == ["train", "predicted", "actual"]
    assert sum(isinstance(one, Rect) for one in few) == 26 * 26
    counts = Counts(np.eye(3, dtype=int) * 40, (), (5, 9))
    said = counts.lines(60)
    assert said[0].split() == ["train", "predicted"]
    assert said[1].split() == ["actual", "0", "1", "2"]
    assert said[-1] == counts.foot == "train 120 of 120, test 5 of 9"
    view = scene(load("wheat-softmax")).nodes["taken_for"]
    for written in (summary(view, counts), foot(view, counts)):
        assert written.choices == (counts.foot, "train 120 of 120")
    assert summary(replace(view, mode="disable"), None).text == "disabled"


def test_the_network_beside_it_is_what_numpy_computes():
    run = nf.Run(load("polynomial-or-network"))
    run.train(200)
    fit, w = look(run, "network_curve"), run.weights
    hidden = np.tanh(fit.x[:, None] @ w["theta1.value"].T + w["bias1.value"])
    expected = hidden @ w["theta2.value"].T + w["bias2.value"]
    assert fit.outputs == pytest.approx(expected[:, 0], rel=1e-12)


def test_the_landscape_is_the_cost():
    graph = load("landscape")
    found = look(nf.Run(graph), "J_over_w")
    x, y = (np.array(graph.settings(key)["value"]) for key in ("x", "y"))
    for row, column in ((0, 0), (7, 30), (40, 12)):
        w = np.array([found.x[column], found.y[row]])
        expected = ((sigmoid(x @ w)[:, None] - y) ** 2).sum(axis=1).mean()
        assert found.costs[row, column] == pytest.approx(expected)
    assert found.names == ("w1", "w2")
    assert found.point == (1, -8)
    # Auer, Herbster and Warmuth (1996): two minima an axis, 2² of both.
    assert len(found.minima) == 4
    places = {(round(x), round(y)) for x, y, _ in found.minima}
    assert places == {(0, 0), (0, -5), (-5, 0), (-5, -5)}


def test_a_landscape_takes_two_numbers():
    graph = load("polynomial-or-network").add("land", "landscape")
    graph = graph.connect("theta2.value", "land.parameter")
    assert look(nf.Run(graph), "land") == (
        "a landscape is drawn over 2 numbers, not 5: choose two of them with the setting index"
    )
    beyond = look(nf.Run(graph.set("land", index=(0, 9))), "land")
    assert beyond == "index 9 is beyond the 5 numbers that are wired"
    other = graph.remove("land").add("land", "landscape").connect("x.value", "land.parameter")
    assert "is no parameter" in look(nf.Run(other), "land")
    upside = look(nf.Run(graph.set("land", index=(0, 1), low=2.0, high=1.0)), "land")
    assert upside == "the range goes from 2 to 1: low must be below high"


def test_looking_changes_nothing():
    run, other = nf.Run(load("landscape")), nf.Run(load("landscape"))
    run.train(3)
    look(run, "J_over_w")
    run.train(3)
    other.train(6)
    assert all(np.array_equal(run.weights[key], other.weights[key]) for key in run.weights)


def test_a_dictionary_is_python():
    run = nf.Run(load("blame-game"))
    content = look(run, "weights")
    assert eval("\n".join(content.lines(100)).replace("−", "-")) == {
        "theta1.value": [[0.4, -0.2], [-0.2, 0.1], [0.6, -0.3]],
        "theta2.value": [[0.1, 0.3, 0.6]],
    }


def test_a_plot_has_a_point_an_epoch():
    graph = load("xor").add("line", "plot").connect("cost.cost", "line.value[0]")
    graph = graph.connect("accuracy.value", "line.value[1]")
    run = nf.Run(graph)
    run.train(4)
    from nodeflow.export.values import first_pass

    past = first_pass(Job(graph, None, Options(epochs=4))).past["line"]
    assert past.names == ("cost.cost", "accuracy.value")
    assert past.points[0][:, 1] == pytest.approx([line["cost"] for line in run.history])
    assert past.points[1][:, 1].tolist() == [line["train_accuracy"] for line in run.history]
    traces = Traces()
    traces.collect({"p": ["a.b"]}, 1, {"a.b": np.array([2.0, 4.0])})
    assert isinstance(traces.of("p", ["a.b"]), Past)
    assert traces.of("p", ["a.b"]).points[0].tolist() == [[1, 3]]


def test_what_is_missing_is_said():
    graph = nf.Graph().add("plane", "boundary").add("counts", "confusion").add("fit", "curve")
    graph = graph.add("who", "blame_shares").add("f", "function_plot").add("land", "landscape")
    found = Viewer(graph).all({}, {})
    assert found == {
        "plane": "wire x as well", "counts": "wire a as well", "fit": "wire x as well",
        "who": "wire delta as well", "f": "wire x as well",
        "land": "wire two numbers of parameters",
    }  # fmt: skip
    off = Viewer(graph.with_mode("counts", "disable"))
    assert off.look("counts", {}, {}) is None
    assert off.all({}, {}).keys() == found.keys() - {"counts"}


def test_what_stands_in_for_the_data_keeps_its_place_among_the_wires():
    """Of a … port with several wires the order counts: the first feature stays the first."""
    x = nf.constant(value=[[2.0]], id="x")
    other = nf.constant(value=[[3.0]], id="other")
    weights = nf.parameter(value=[[10.0, 1.0]], id="w")
    graph = nf.Graph.of(nf.weighted_sum([x, other], weights, id="sum"))
    run = nf.Run(fed(graph, "x.value", "sum.z", np.array([[5.0]])))
    run.evaluate()
    assert run["sum.z"].item() == 10 * 5 + 3


def test_words_fit_their_room():
    assert fitted("short", 100) == "short"
    text = fitted("a text that is much too long for so little room", 60)
    assert text.endswith("…")
    assert width(text) <= 60 < width(text + "xxxx")
    axes = Axes((0, 0, 10, 10), (0, 0), (1, 1))
    assert axes.line([0, 0.5, 1], [0, 2, 0]) == (((0, 10), (2.5, 0)), ((7.5, 0), (10, 10)))


# --- blame in parts -------------------------------------------------------------------------------


def test_the_blame_game_by_hand():
    run = nf.Run(load("blame-game"))
    output, hidden = blame_at(run, 0, 0)
    assert output.deltas == pytest.approx([-0.34])
    assert output.neurons == ("hidden 1", "hidden 2", "hidden 3")
    assert output.shares == pytest.approx([0.1, 0.3, 0.6])
    assert output.blame == pytest.approx([-0.034, -0.102, -0.204])
    assert output.ranking == (2, 1, 0)
    # σ′(0) = 0.25
    assert hidden.deltas == pytest.approx([-0.0085, -0.0255, -0.051])
    assert hidden.shares == pytest.approx([2 / 3, 1 / 3])
    run.train(1)
    assert run.weights["theta2.value"] == pytest.approx(np.array([[0.185, 0.385, 0.685]]))
    again = blame_at(run, 1, 0)[0]
    assert again.shares == pytest.approx(np.array([0.185, 0.385, 0.685]) / 1.255)
    assert again.shares[2] < output.shares[2]
    assert abs(again.blame[2]) < abs(output.blame[2])


def test_the_view_shows_the_same_shares():
    found = look(nf.Run(load("blame-game")), "who")
    assert [line.split()[1] for line in found.lines(60)] == ["3", "2", "1"]
    assert [one["share"] for one in found.as_dict()["shares"]] == pytest.approx([0.6, 0.3, 0.1])
    assert found.foot == "most: hidden 3, 0.60"


def test_the_view_has_the_names_of_neurons_that_stand_alone():
    graph = load("mazur-neurons-unfolded").add("who", "blame_shares")
    graph = graph.connect("output.2.delta.delta", "who.delta")
    found = look(nf.Run(graph.connect("theta2.2.value", "who.weights")), "who")
    assert found.as_dict()["layer"] == ["output.2"]
    assert found.ranked.names == ("hidden.2", "hidden.1")
    assert found.ranked.values == pytest.approx(np.array([0.55, 0.5]) / 1.05)


def test_mazurs_blame_is_as_published():
    output, _ = blame_at(nf.Run(load("mazur")), 0, 0)
    assert output.deltas == pytest.approx([0.138498562, -0.0380982366], abs=1e-9)
    assert output.blame[0] == pytest.approx(0.036350306, abs=1e-9)


def test_layers_and_their_neurons_share_the_same_blame():
    layers = blame_at(nf.Run(load("wheat-seeds")), 1, 7)
    neurons = blame_at(nf.Run(load("wheat-seeds-neurons-unfolded")), 1, 7)
    assert len(layers) == len(neurons) == 2
    for whole, parts in zip(layers, neurons, strict=True):
        assert parts.shares == pytest.approx(whole.shares, rel=1e-12)
    assert neurons[0].layer == ("output.1", "output.2", "output.3")
    assert neurons[0].neurons == tuple(f"hidden.{n}" for n in range(1, 6))
    assert layers[1].neurons == neurons[1].neurons == tuple(f"x{'₁₂₃₄₅₆₇'[n]}" for n in range(7))


# --- nodes ----------------------------------------------------------------------------------------


def test_the_margin_by_hand():
    a = np.array([[0.2, 0.7, 0.6], [0.9, 0.1, 0.3]])
    y = np.array([[0, 1, 0], [0, 0, 1]])
    assert nf.margin(a, y) == pytest.approx(np.array([[0.1], [-0.6]]))
    one = nf.margin(np.array([[0.8], [0.8]]), np.array([[1.0], [0.0]]))
    assert one == pytest.approx(np.array([[0.6], [-0.6]]))
    right = nf.accuracy(a, y)
    assert ((nf.margin(a, y) > 0) == (right == 1)).all()


def test_unroll_writes_rows_below_each_other():
    assert nf.unroll(np.array([[1, 2], [3, 4]]), np.array([5, 6])).tolist() == [
        [1], [2], [3], [4], [5], [6],
    ]  # fmt: skip
    graph = nf.Graph().add("data", "dataset", source="xor").add("u", "unroll")
    with pytest.raises(ShapeMismatch, match="its rows are samples"):
        nf.Run(graph.connect("data.x", "u.values"))


@pytest.mark.parametrize("who", ["python", "machine code"])
def test_differences_are_the_gradient_and_leave_no_trace(who):
    with executed_by(who):
        run = nf.Run(load("gradient-checking"))
        run.evaluate()
        assert run["approx.gradient"] == pytest.approx(run["theta.value"], abs=1e-9)
        usual = nf.Run(nf.unfold(load("xor")), seed=run.machine.seed)
        while run.epoch < 2:
            run.step()
        usual.train(2)
        assert [line["cost"] for line in run.history] == [line["cost"] for line in usual.history]
        for key, value in usual.weights.items():
            assert np.array_equal(run.weights[key], value)


def test_differences_of_a_loop_are_those_of_each_sample():
    graph = load("gradient-checking")
    loop = replace(graph, training=replace(graph.training, batch="all"))
    run = nf.Run(loop)
    run.evaluate()
    assert run["approx.gradient"] == pytest.approx(run["theta.value"], abs=1e-9)


def test_differences_that_update_train_the_network():
    """A network may learn by them, at full speed as well: slowly, and by nearly the same way."""
    graph = load("gradient-checking").add("by_differences", "gradient_approx")
    graph = graph.connect("bias2.value", "by_differences.parameter")
    (old,) = (wire for wire in graph.into("bias2.average") if wire.input == "total")
    graph = graph.disconnect(old.start, old.end)
    graph = graph.connect("by_differences.gradient", "bias2.average.total")
    graph = graph.connect("bias2.value", "bias2.average.weights")
    run, usual, stepped = nf.Run(graph), nf.Run(nf.unfold(load("xor"))), nf.Run(graph)
    run.train(5)
    usual.train(5)
    while stepped.epoch < 5:
        stepped.step()
    for key, value in usual.weights.items():
        assert run.weights[key] == pytest.approx(value, abs=1e-6)
        assert np.array_equal(run.weights[key], stepped.weights[key])
    assert not np.array_equal(run.weights["bias2.value"], usual.weights["bias2.value"])


def test_differences_need_a_cost_and_parameters():
    graph = nf.Graph().add("w", "parameter", value=[1.0]).add("approx", "gradient_approx")
    run = nf.Run(graph.connect("w.value", "approx.parameter"))
    with pytest.raises(RunError, match="gradient_approx needs a cost"):
        run.evaluate()
    wired = load("gradient-checking").add("half", "multiply").connect("theta2.value", "half.a")
    wired = wired.connect("half.value", "approx.parameter[4]")
    with pytest.raises(NodeflowError, match=r"moves parameters, and half\.value is none"):
        nf.Run(wired).evaluate()
    with pytest.raises(NodeflowError, match="needs a cost"):
        nf.gradient_approx(np.array([1.0]))


def test_a_wrong_slope_is_found_by_name():
    found = nf.check(load("wrong-slope"))
    faults = {key for key, node in found.nodes.items() if node.status == "fault"}
    assert faults == {"hidden", "theta1", "bias1"}
    run = nf.Run(load("wrong-slope"))
    run.train(500)
    costs = [line["cost"] for line in run.history]
    assert costs[-1] < costs[0]  # it learns all the same


def test_lambda_is_wired():
    graph = load("lambda").set("λ", value=0.01)
    built = load("digits").set("data", test=0.9)
    built = built.add("l2", "l2_penalty", regularization=0.01).add("J", "add")
    built = built.connect("theta1.value", "l2.weights").connect("theta2.value", "l2.weights")
    built = built.remove("train").add("train", "gradient_descent", rate=0.5)
    for start, end in (("cost.cost", "J.a"), ("l2.cost", "J.a"), ("J.value", "train.cost")):
        built = built.connect(start, end)
    one, other = nf.Run(tidy(graph)), nf.Run(built)
    one.train(2)
    other.train(2)
    for key, value in other.weights.items():
        assert one.weights[key] == pytest.approx(value, rel=1e-9, abs=1e-12)


# --- in the inspector -----------------------------------------------------------------------------


def test_the_inspector_says_who_is_to_blame():
    run = nf.Run(load("blame-game"))
    run.evaluate()
    editor = Editor.of(load("blame-game"))
    live = Live(values=run.values, gradients=run.gradients, weights=run.weights)
    editor = replace(editor, live=live)
    said = account(editor, "output").splitlines()
    assert said[0] == "Blame for its error: hidden 3 0.60, hidden 2 0.30, hidden 1 0.10"
    assert account(editor, "hidden_a") == ""
    assert account(editor, "theta1") == account(editor, "gone") == account(editor, "") == ""


def test_the_inspector_says_who_is_to_blame_for_one_neuron_alone():
    graph = load("wheat-seeds")
    run = nf.Run(graph)
    run.train(20)
    run.evaluate()
    live = Live(values=run.values, gradients=run.gradients, weights=run.weights)
    editor = replace(Editor.of(graph), live=live, selection=frozenset(["output"]))
    for number in range(3):
        parts = np.abs(run.weights["theta2.value"][number])
        most = int(parts.argmax())
        said = account(replace(editor, picked=("output", number)), "output")
        share = f"{parts[most] / parts.sum():.2f}"
        assert said.startswith(
            f"Blame for the error of output {number + 1}: hidden {most + 1} {share}, "
        )
    assert account(editor, "output").startswith("Blame for its error: ")


def test_the_inspector_says_that_rows_cancel_and_not_that_outputs_do():
    """The δ of a softmax add up to 0 in each row: that alone keeps no weight where it is."""
    graph = load("wheat-softmax")
    run = nf.Run(graph)
    run.evaluate()
    assert run.gradient("output.z").sum() == pytest.approx(0)
    for delta, cancels in (
        (run.gradient("output.z"), False),
        (np.array([[0.2, -0.2], [0.2, -0.2]]), False),
        (np.array([[0.2, -0.1], [-0.2, 0.11]]), True),
    ):
        live = Live(values=run.values, gradients={"output.z": delta})
        said = account(replace(Editor.of(graph), live=live), "accuracy")
        assert ("the blame of the rows cancels" in said) == cancels
    assert said.endswith("δ is 0.15 in size on average, and its mean is at most 0.005 in size at "
                         "each output; so the weights hardly move.")  # fmt: skip


def test_the_inspector_says_where_blame_dies():
    z = nf.constant(value=[[9.0, 0.1, -12.0], [7.0, 2.0, -8.0]], id="z")
    graph = nf.Graph.of(nf.sum(nf.sigmoid(z, id="a")))
    run = nf.Run(graph)
    run.evaluate()
    editor = replace(Editor.of(graph), live=Live(values=run.values))
    assert account(editor, "a") == (
        "Blame dies at 2 neurons (1, 3): the slope is below 0.01 for every row of the batch"
    )
    marks = slope_at("sigmoid", run["z.value"][0]).marks((0, 0, 100, 20), DARK)
    kinds = [mark.kind for mark in marks if isinstance(mark, Dot)]
    assert kinds == ["square", "circle", "square"]


def test_the_inspector_knows_a_saturated_softmax_and_costs_that_no_slope_cuts():
    x = nf.constant(value=[[9.0, -2.0, -12.0]], id="x")
    y = nf.constant(value=[[0.0, 1.0, 0.0]], id="y")
    eye = nf.parameter(value=np.eye(3).tolist(), id="w")
    said = {}
    for cost in (nf.squared_error, nf.categorical_cross_entropy):
        for kind in (nf.softmax, nf.sigmoid):
            a = kind(nf.weighted_sum(x, eye, id="sum"), id="a")
            graph = nf.Graph.of(nf.gradient_descent(cost(a, y)))
            run = nf.Run(graph)
            run.evaluate()
            live = Live(values=run.values, gradients=run.gradients)
            said[cost.name, kind.name] = account(replace(Editor.of(graph), live=live), "a")
    dies = "Blame dies at {}: the slope is below 0.01 for this row"
    assert said == {
        ("squared_error", "softmax"): dies.format("3 neurons (1, 2, 3)"),
        ("squared_error", "sigmoid"): dies.format("2 neurons (1, 3)"),
        ("categorical_cross_entropy", "softmax"): "",
        ("categorical_cross_entropy", "sigmoid"): "",
    }


def test_a_view_of_others_that_fails_says_so_at_its_node(monkeypatch):
    module = ModuleType("view_that_fails")
    module.found = lambda sight, key: 1 / 0
    monkeypatch.setitem(sys.modules, "view_that_fails", module)

    @declare("view", formula="value", outputs=(), view_module="view_that_fails")
    def failing(value: Value):
        """Fail."""

    try:
        graph = nf.Graph.of(failing(nf.constant(value=[1.0]), id="v"))
        found = Viewer(graph).look("v", {}, {})
    finally:
        CATALOG.remove("failing")
    assert found == "the view of 'v' (failing) fails: ZeroDivisionError"
