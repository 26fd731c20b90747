"""Nodes show what they hold, and take what is typed at them."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from helpers_editor import at, do

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.derive.tidy import overlaps, tidy
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.panels.working import working
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Sliding
from nodeflow.editor.state.popups import Choices, Editing, Link
from nodeflow.export.svg import svg
from nodeflow.files import dumps, loads
from nodeflow.scene import scene
from nodeflow.theme import LIGHT
from nodeflow.wires import thickness

GRAPHS = Path(__file__).parent.parent / "graphs"


def opened(name="xor", form=lambda graph: graph):
    graph = nf.load(GRAPHS / f"{name}.json") if isinstance(name, str) else name
    return do(Editor.of(form(graph)), m.Do("fit"), m.Wheel((600, 300), 8))


def double_clicked(editor, point):
    return do(
        editor,
        m.Pressed(point),
        m.Released(point),
        m.Pressed(point, clicks=2),
        m.Released(point),
    )


def typed_at(editor, port, text):
    return do(double_clicked(editor, at(editor, port)), m.Typed(text), m.Key("Enter"))


def field(editor, node):
    """Return the middle of a node's field on the screen."""
    view = editor.drawn.nodes[node]
    held = view.field
    point = view.x + held.left + held.width / 2, view.y + held.top + held.height / 2
    return editor.camera.on_screen(point)


def clicked(editor, point):
    return do(editor, m.Pressed(point), m.Released(point))


def small():
    """Return nodes that wait for values: w ← w − 0.1·g, and an error."""
    graph = nf.Graph().add("w", "parameter", value=[[0.8]]).add("g", "constant", value=0.5)
    graph = graph.add("step", "weight_update").add("e", "error")
    graph = graph.add("s", "weighted_sum")
    graph = graph.connect("w.value", "step.parameter").connect("g.value", "step.gradient")
    return tidy(graph)


def counted(editor):
    return len(editor.history.entries)


# --- numbers at ports ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "text", "value"),
    [
        ("e.a", "0.3", [[0.3]]),
        ("e.a", "2/3", [[2 / 3]]),
        ("e.y", "−1.5", [[-1.5]]),
        ("e.a", "1, 0", [[1, 0]]),
        ("s.weights", "[[1,2],[3,4]]", [[1, 2], [3, 4]]),
        ("s.weights", "1, 2; 3, 4", [[1, 2], [3, 4]]),
        ("step.rate", "0.1", [[0.1]]),
    ],
)
def test_what_is_typed_at_a_port_becomes_a_constant_there_in_one_step(port, text, value):
    before = opened(small())
    after = typed_at(before, port, text)
    assert counted(after) == counted(before) + 1
    (wire,) = after.graph.inputs(port.partition(".")[0])[port.partition(".")[2]]
    node = after.graph.nodes[wire.source]
    assert node.type == "constant"
    np.testing.assert_array_equal(nf.nodes.source.constant.function(**node.settings), value)
    assert after.popup is None
    assert do(after, m.Do("undo")).graph == before.graph
    assert dumps(loads(dumps(after.graph))) == dumps(after.graph)


def test_the_constant_stands_beside_its_port_and_covers_nothing():
    editor = opened(small())
    for port in ("e.a", "e.y", "step.rate"):
        editor = typed_at(editor, port, "0.25")
        (wire,) = editor.graph.inputs(port.partition(".")[0])[port.partition(".")[2]]
        view, target = (editor.drawn.nodes[key] for key in (wire.source, wire.target))
        side = editor.drawn.ports[port].side
        if side < 0:
            assert view.x + view.width < target.x
        else:
            assert target.x + target.width < view.x
        assert abs(view.outputs[0].y - editor.drawn.ports[port].y) <= 200
    assert not overlaps(editor.graph)
    assert editor.drawn.ports["step.rate"].side != editor.drawn.ports["e.a"].side
    assert editor.graph.inputs("e")["a"][0].source == "a"


def test_a_constant_of_its_own_is_changed_at_the_port():
    editor = typed_at(opened(small()), "e.a", "1")
    again = double_clicked(editor, at(editor, "e.a"))
    assert again.popup == Editing("a", "value", "1", port="e.a")
    changed = do(again, m.Typed("2.5"), m.Key("Enter"))
    assert len(changed.graph.nodes) == len(editor.graph.nodes)
    assert changed.graph.nodes["a"].settings["value"] == 2.5
    assert do(changed, m.Do("undo")).graph == editor.graph


def test_other_ports_say_why_nothing_can_be_typed():
    editor = opened("xor")
    refused = double_clicked(editor, at(editor, "output.a"))
    assert refused.popup is None
    assert refused.graph == editor.graph
    assert refused.notice.text == (
        "output.a gets hidden_a.a: pull its wire off to type a value here"
    )
    shared = opened(small().connect("g.value", "e.a").connect("g.value", "e.y"))
    told = double_clicked(shared, at(shared, "e.a"))
    assert told.notice.text == "g feeds other ports as well: change it on the node"
    fed = double_clicked(shared, at(shared, "w.next"))
    assert "fed back" in fed.notice.text


@pytest.mark.parametrize("text", ["abc", "1 two", "[[1, 2], [3]]", "1/0", "NaN"])
def test_what_cannot_be_read_stays_with_what_is_allowed(text):
    before = opened(small())
    kept = typed_at(before, "e.a", text)
    assert isinstance(kept.popup, Editing)
    assert kept.popup.text == text
    assert kept.popup.fault
    assert kept.graph == before.graph
    mended = do(kept, m.Typed("1, 2"), m.Key("Enter"))
    assert mended.popup is None
    assert mended.graph.inputs("e")["a"]


def test_a_value_that_does_not_fit_says_so():
    graph = nf.Graph().add("x", "constant", value=[1, 2, 3]).add("s", "weighted_sum")
    before = opened(tidy(graph.connect("x.value", "s.a")))
    kept = typed_at(before, "s.weights", "[[1, 2]]")
    assert "2" in kept.popup.fault
    assert kept.graph == before.graph
    assert typed_at(before, "s.weights", "[[1, 2, 3]]").graph.inputs("s")["weights"]


def test_a_port_of_the_keyboard_takes_a_value():
    editor = do(opened(small()), m.Select(frozenset(["e"])), m.Do("wire"))
    assert isinstance(editor.popup, Link)
    editor = do(editor, m.Typed("y"), m.Key("Enter"))
    assert lines(editor)[0].text == "type a value"
    editor = do(editor, m.Key("Enter"), m.Typed("7"), m.Key("Enter"))
    assert editor.graph.nodes["y"].settings["value"] == 7
    assert [str(wire) for wire in editor.graph.into("e")] == ["y.value -> e.y"]


def test_a_value_typed_in_a_subgraph_belongs_to_it():
    editor = do(opened(small()), m.Select(frozenset(["e", "step"])), m.Do("close"))
    (group,) = editor.graph.groups
    inside = do(replace(editor, inside=(group,)), m.Do("fit"))
    after = typed_at(inside, "e.a", "1")
    assert "a" in after.graph.groups[group]["nodes"]
    assert "a" in after.drawn.nodes


# --- fields on nodes ----------------------------------------------------------------------------


def test_each_node_has_its_first_short_setting_on_it():
    shown = {}
    for name in CATALOG:
        held = scene(nf.Graph().add("n", name)).nodes["n"].field
        if held is not None:
            shown[name] = held.setting
    expected = {
        "constant": "value",
        "slider": "value",
        "dataset": "source",
        "parameter": "init",
        "gradient_descent": "rate",
        "adam": "rate",
        "minimize": "method",
        "delta": "activation",
        "power": "exponent",
        "l2_penalty": "regularization",
        "pick": "index",
    }
    assert {name: shown.get(name) for name in expected} == expected


def test_fields_lie_in_the_foot_of_their_nodes():
    for name in ("xor", "digits", "mazur"):
        for graph in (
            nf.load(GRAPHS / f"{name}.json"),
            nf.unfold(nf.load(GRAPHS / f"{name}.json")),
        ):
            for view in scene(graph).nodes.values():
                if view.field is not None:
                    assert view.field.left > 0
                    assert view.field.left + view.field.width < view.width
                    assert view.field.top > max(
                        port.y - view.y for port in (*view.inputs, *view.outputs)
                    )
                    assert view.field.top + view.field.height < view.height


def test_a_click_on_a_number_opens_its_field():
    editor = clicked(opened(), field(opened(), "train"))
    assert editor.popup == Editing("train", "rate", "2")
    assert editor.selection == {"train"}
    changed = do(editor, m.Typed("0.5"), m.Key("Enter"))
    assert changed.graph.settings("train")["rate"] == 0.5
    same = do(editor, m.Key("Enter"))
    assert same.graph is editor.graph
    wrong = do(editor, m.Typed("-1"), m.Key("Enter"))
    assert "from 0" in wrong.popup.fault
    assert wrong.graph is editor.graph


def test_a_click_on_a_choice_opens_a_list():
    editor = opened("xor", nf.unfold)
    node = editor.graph.of_type("delta")[0]
    listed = clicked(editor, field(editor, node))
    assert isinstance(listed.popup, Choices)
    names = [line.text for line in lines(listed)]
    assert {"sigmoid", "tanh", "relu"} <= set(names)
    assert names[listed.popup.choice] == "sigmoid"
    chosen = do(listed, m.Typed("tanh"), m.Key("Enter"))
    assert chosen.graph.settings(node)["activation"] == "tanh"
    assert chosen.popup is None
    assert do(listed, m.Chosen(names.index("relu"))).graph.settings(node)["activation"] == "relu"


def test_a_data_set_is_chosen_or_typed():
    editor = clicked(opened(), field(opened(), "data"))
    names = [line.text for line in lines(editor)]
    assert {"xor", "and", "spiral", "iris"} <= set(names)
    assert do(editor, m.Typed("spir"), m.Key("Enter")).graph.settings("data")["source"] == "spiral"
    own = do(editor, m.Typed("mine.csv"), m.Key("Enter"))
    assert own.graph.settings("data")["source"] == "mine.csv"


def test_choices_are_offered_by_keyboard_too():
    editor = do(opened(), m.Select(frozenset(["data"])), m.Do("settings"), m.Typed("scale"))
    editor = do(editor, m.Key("Enter"))
    assert [line.text for line in lines(editor)] == ["none", "minmax", "standard"]
    editor = do(editor, m.Key("Down"), m.Key("Enter"))
    assert editor.graph.settings("data")["scale"] == "minmax"


def scrubbed(editor, node, *way):
    """Drag a node's field by some pixels from where it was pressed, one after the other."""
    x, y = field(editor, node)
    held = do(editor, m.Pressed((x, y)), *[m.Moved((x + by, y)) for by in way])
    return do(held, m.Released((x + way[-1], y)))


def test_a_dragged_number_is_one_step():
    editor = opened()
    before = counted(editor)
    more = scrubbed(editor, "train", 10, 20, 30)
    assert more.graph.settings("train")["rate"] == pytest.approx(3.0)  # ten tenths of 2
    assert counted(more) == before + 1
    assert do(more, m.Do("undo")).graph == editor.graph
    less = scrubbed(more, "train", -300)
    assert less.graph.settings("train")["rate"] == 0  # the end of its range
    assert counted(less) == before + 2
    assert less.popup is None
    assert less.graph.layout == editor.graph.layout


def test_a_drag_is_held_and_the_graph_follows():
    editor = opened()
    x, y = field(editor, "train")
    held = do(editor, m.Pressed((x, y)), m.Moved((x + 30, y)))
    assert isinstance(held.gesture, Sliding)
    assert held.graph.settings("train")["rate"] == pytest.approx(3.0)


def test_whole_numbers_and_parameters_are_dragged():
    graph = tidy(nf.Graph().add("p", "pick", index=2).add("w", "parameter", value=[[-0.5]]))
    editor = opened(graph)
    assert scrubbed(editor, "p", 24).graph.settings("p")["index"] == 4
    assert scrubbed(editor, "p", -400).graph.settings("p")["index"] == 0
    moved = scrubbed(editor, "w", 30).graph.nodes["w"].settings["value"]
    assert np.shape(moved) == (1, 1)
    assert moved[0][0] == pytest.approx(-0.4)


def test_a_parameter_is_shown_and_typed_as_the_run_has_it():
    editor = opened(tidy(nf.Graph().add("w", "parameter", value=[[0.8]])))
    editor = do(editor, m.RunUpdate(Live(weights={"w.value": np.array([[0.25]])})))
    typing = clicked(editor, field(editor, "w"))
    assert typing.popup.text == "0.25"
    assert do(typing, m.Key("Enter")).graph is editor.graph
    assert do(typing, m.Typed("1"), m.Key("Enter")).graph.settings("w")["value"] == ((1.0,),)


def test_from_far_away_a_field_is_part_of_its_node():
    editor = opened()
    far = do(editor, m.Wheel((600, 300), -16))
    assert far.camera.zoom < 0.5
    assert clicked(far, field(far, "train")).popup is None


# --- weights on wires ---------------------------------------------------------------------------


def test_wires_that_stand_for_one_weight_know_it():
    run = nf.Run(nf.explode(nf.load(GRAPHS / "xor.json")))
    run.evaluate()
    graph = run.graph
    weights = {
        f"{key}.value": np.asarray(run[f"{key}.value"]) for key in graph.of_type("parameter")
    }
    found = {str(v.wire): v.weight for v in scene(graph, weights).wires if v.weighs is not None}
    for key in graph.of_type("parameter"):
        value = weights[f"{key}.value"]
        for wire in graph.out_of(key):
            if value.size == 1:
                assert found.pop(str(wire)) == value.item()
    assert not found  # the first layer's neurons get one wire with both inputs


def test_a_wire_into_a_neuron_stands_for_its_weight():
    graph = nf.Graph().add("w", "parameter", value=[[0.5, -2.0]]).add("s", "weighted_sum")
    for number, key in enumerate(("p", "q")):
        graph = graph.add(key, "constant", value=number).connect(f"{key}.value", "s.a")
    graph = graph.connect("w.value", "s.weights")
    weights = {view.wire.source: view.weight for view in scene(graph).wires}
    assert weights == {"p": 0.5, "q": -2.0, "w": None}
    run = {"w.value": np.array([[3.0, 4.0]])}
    assert {view.wire.source: view.weight for view in scene(graph, run).wires} == {
        "p": 3.0,
        "q": 4.0,
        "w": None,
    }


def test_larger_weights_are_thicker():
    sizes = [thickness(weight) for weight in (0, 0.1, 0.5, -1, 2, -5, 20)]
    assert all(a < b for a, b in pairwise(sizes))
    assert sizes[-1] < 6
    assert thickness(-2) == thickness(2)


def test_the_picture_shows_sign_and_size():
    graph = nf.Graph().add("w", "parameter", value=2.0).add("v", "parameter", value=-0.5)
    graph = graph.add("sum", "add").connect("w.value", "sum.a").connect("v.value", "sum.a")
    root = ET.fromstring(svg(scene(tidy(graph)), LIGHT))
    space = "{http://www.w3.org/2000/svg}"
    found = {}
    for path in root.iter(f"{space}path"):
        title = path.find(f"{space}title")
        if title is not None:
            found[title.text] = path.get("stroke"), float(path.get("stroke-width"))
    assert found["w.value -> sum.a[0]: 2"][0] == LIGHT.positive
    assert found["v.value -> sum.a[1]: −0.5"][0] == LIGHT.negative
    assert found["w.value -> sum.a[0]: 2"][1] > found["v.value -> sum.a[1]: −0.5"][1]
    texts = [text.text for text in root.iter(f"{space}text")]
    assert "+2" in texts
    assert "−0.5" in texts


# --- the formula with its numbers ---------------------------------------------------------------


def test_the_working_follows_the_values():
    editor = opened("mazur")
    assert working(editor, "hidden") == ""
    run = nf.Run(editor.graph)
    run.evaluate()
    told = do(editor, m.RunUpdate(Live(values=run.values)))
    assert working(told, "hidden") == "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"
    run.set_weights({"theta1.value": np.array([[1.0, 0.2], [0.25, 0.3]])})
    run.evaluate()
    after = do(told, m.RunUpdate(Live(values=run.values)))
    assert working(after, "hidden") == "z₁ = 1·0.05 + 0.2·0.1 + 0.35 = 0.42"


# --- what the pointer is told -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "lines_"),
    [
        ("train", ("rate", "click to type, drag to change")),
        ("data", ("source", "click to choose")),
    ],
)
def test_a_field_tells_what_can_be_done_with_it(node, lines_):
    editor = opened()
    told = do(editor, m.Moved(field(editor, node)))
    assert overlay(told).tooltip[1] == lines_


def test_an_unwired_port_tells_that_a_value_can_be_typed():
    editor = opened(small())
    told = do(editor, m.Moved(at(editor, "e.y")))
    assert overlay(told).tooltip[1] == ("e.y   not wired", "double-click to type a value")
    fed = do(editor, m.Moved(at(editor, "w.next")))
    assert overlay(fed).tooltip[1] == ("w.next   not wired",)


def test_what_was_typed_is_taken_by_a_press_elsewhere_and_dropped_by_escape():
    editor = opened()
    nowhere = m.Pressed((5.0, 5.0)), m.Released((5.0, 5.0))
    for popup, seen in (
        (Editing("train", "rate", "0.75"), lambda graph: graph.settings("train")["rate"] == 0.75),
        (Editing("train", "id", "descent"), lambda graph: "descent" in graph.nodes),
        (Editing("", "epochs", "77"), lambda graph: graph.training.epochs == 77),
        (Editing("hidden", "note", "look here"), lambda graph: graph != editor.graph),
    ):
        asked = replace(editor, popup=popup)
        assert do(asked, m.Key("Escape")).graph is editor.graph
        taken = do(asked, *nowhere)
        assert taken.popup is None
        assert seen(taken.graph), popup
        assert len(taken.history.entries) == len(editor.history.entries) + 1
    # What cannot be so stays in its field, with the reason; what was not changed is no step.
    wrong = do(replace(editor, popup=Editing("train", "rate", "fast")), *nowhere)
    assert wrong.popup.text == "fast"
    assert wrong.popup.fault
    assert wrong.graph is editor.graph
    for popup in (Editing("train", "id", "train"), Editing("hidden", "note", ""),
                  Editing("", "repeat", "2")):  # fmt: skip
        left = do(replace(editor, popup=popup, selection=frozenset(["hidden"])), *nowhere)
        assert left.popup is None
        assert left.history.entries == editor.history.entries


@pytest.mark.parametrize(("before", "after"), [([1.0], [3.0]), ([[1.0]], [[3.0]]), (1.0, 3.0)])
def test_a_number_that_is_typed_keeps_the_shape_that_was_there(before, after):
    editor = Editor.of(nf.Graph().add("k", "constant", value=before))
    typed = do(replace(editor, popup=Editing("k", "value", "3")), m.Key("Enter"))
    value = typed.graph.settings("k")["value"]
    assert np.shape(value) == np.shape(after)
    np.testing.assert_array_equal(value, after)
