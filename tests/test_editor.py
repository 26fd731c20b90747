"""The editor without a window: messages in, an editor out."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers_editor import at, do
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.commands.registry import COMMANDS, of_key
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.dialogs.searching import found
from nodeflow.editor.documents.comparing import compared
from nodeflow.editor.panels.working import working
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Boxing, Moving, Wiring
from nodeflow.editor.state.popups import Menu, Palette, Search
from nodeflow.editor.state.requests import AskOpen, AskSave, CompareGraphs, Copy, New, Quit, Save
from nodeflow.editor.update import update
from nodeflow.files import dumps

GRAPHS = Path(__file__).parent.parent / "graphs"


def opened(name="xor"):
    return do(Editor.of(nf.load(GRAPHS / f"{name}.json")), m.Do("fit"))


def middle(editor, node):
    view = editor.drawn.nodes[node]
    return editor.camera.on_screen((view.x + view.width / 2, view.y + 12))


def dragged(editor, start, end, **held):
    return do(editor, m.Pressed(start, **held), m.Moved(end), m.Released(end))


def wires(editor):
    return set(map(str, editor.graph.wires))


def test_a_click_switches_the_gradient_check_off_and_on():
    """`gradient_approx` has a switch in its header, as no node does that costs little."""
    editor = opened("gradient-checking")
    drawn = editor.drawn.nodes
    assert {key for key, view in drawn.items() if view.switch is not None} == {"approx"}

    def place(editor):
        view = editor.drawn.nodes["approx"]
        box = view.switch
        return editor.camera.on_screen(
            (view.x + box.left + box.width / 2, view.y + box.top + box.height / 2)
        )

    editor = do(editor, m.Do("zoom-100"))
    told = ["on"]
    for wanted in ("disable", "active"):
        point = place(editor)
        editor = do(editor, m.Pressed(point), m.Released(point))
        assert editor.graph.nodes["approx"].mode == wanted
        told.append(editor.drawn.nodes["approx"].switch.text)
        assert editor.popup is None
    assert told == ["on", "off", "on"]
    twice = do(editor, m.Pressed(place(editor), clicks=2), m.Released(place(editor)))
    assert twice.popup is None  # it is no place to type another name
    editor = do(editor, m.Do("undo"))
    assert editor.graph.nodes["approx"].mode == "disable"


# --- history ------------------------------------------------------------------------------------


def test_everything_can_be_undone_and_redone():
    editor = opened()
    before = dumps(editor.graph)
    changed = do(editor, m.Select(frozenset(["hidden"])), m.Do("delete"), m.Do("tidy"))
    after = dumps(changed.graph)
    assert dumps(do(changed, m.Do("undo"), m.Do("undo")).graph) == before
    assert dumps(do(changed, m.Do("undo"), m.Do("undo"), m.Do("redo"), m.Do("redo")).graph) == after
    assert do(editor, m.Do("undo")).notice.text == "nothing is left to undo"
    assert do(changed, m.Do("undo")).notice.text == "undid tidy"


def test_a_drag_of_a_setting_is_one_step():
    editor = opened()
    steps = len(editor.history.entries)
    for value in (0.1, 0.2, 0.3):
        editor = do(editor, m.SetValue("train", "rate", value, done=value == 0.3))
    assert len(editor.history.entries) == steps + 1
    editor = do(editor, m.SetValue("train", "rate", 0.4))
    assert len(editor.history.entries) == steps + 2
    assert do(editor, m.Do("undo")).graph.settings("train")["rate"] == 0.3


def test_the_history_is_a_list_to_choose_from():
    editor = do(opened(), m.SetValue("train", "rate", 1.0), m.Do("tidy"), m.Do("history"))
    assert [line.text for line in lines(editor)] == ["start", "set train.rate", "tidy"]
    assert do(editor, m.Chosen(0)).graph == opened().graph


def test_steps_of_arrow_keys_in_a_row_are_one():
    editor = do(opened(), m.Select(frozenset(["cost"])))
    x, y = editor.graph.layout["cost"]
    moved = do(editor, *[m.Key("Right")] * 3, m.Key("Down", shift=True))
    assert moved.graph.layout["cost"] == (x + 30, y + 60)
    assert do(moved, m.Do("undo")).graph == editor.graph


# --- selecting and moving -----------------------------------------------------------------------


def test_clicking_selects_and_shift_and_ctrl_add_and_remove():
    editor = opened()
    editor = dragged(editor, middle(editor, "hidden"), middle(editor, "hidden"))
    assert editor.selection == {"hidden"}
    editor = do(editor, m.Pressed(middle(editor, "cost"), shift=True))
    assert editor.selection == {"hidden", "cost"}
    editor = do(editor, m.Pressed(middle(editor, "hidden"), ctrl=True))
    assert editor.selection == {"cost"}


def test_dragging_moves_the_selection_in_one_step():
    editor = opened()
    start = middle(editor, "hidden")
    end = (start[0] + 50 * editor.camera.zoom, start[1] + 120 * editor.camera.zoom)
    held = do(editor, m.Pressed(start), m.Moved(end))
    assert isinstance(held.gesture, Moving)
    assert held.graph is editor.graph
    assert overlay(held).moved == {"hidden": (50, 120)}
    done = do(held, m.Released(end))
    x, y = editor.graph.layout["hidden"]
    assert done.graph.layout["hidden"] == (x + 50, y + 120)
    assert len(done.history.entries) == len(editor.history.entries) + 1


def test_a_box_selects_what_is_in_it_or_from_the_right_what_it_touches():
    editor = opened()
    hidden, active = editor.drawn.nodes["hidden"], editor.drawn.nodes["hidden_a"]
    corner = editor.camera.on_screen((hidden.x - 15, hidden.y - 35))
    inside = editor.camera.on_screen((active.x - 9, hidden.y + hidden.height + 9))
    boxed = do(editor, m.Pressed(corner), m.Moved(inside))
    assert isinstance(boxed.gesture, Boxing)
    assert boxed.selection == {"hidden"}
    far = editor.camera.on_screen((active.x + 50, active.y - 40))
    touched = dragged(editor, far, editor.camera.on_screen((hidden.x + 9, active.y + 30)))
    assert {"hidden", "hidden_a"} <= touched.selection


def test_zooming_keeps_the_point_under_the_pointer():
    editor = opened()
    point = editor.camera.on_canvas((300.0, 200.0))
    nearer = do(editor, m.Wheel((300.0, 200.0), 5))
    assert nearer.camera.on_canvas((300.0, 200.0)) == pytest.approx(point)
    assert do(editor, m.Wheel((0, 0), 500)).camera.zoom == 4.0
    assert do(editor, m.Wheel((0, 0), -500)).camera.zoom == 0.05


def test_fitting_sees_everything():
    editor = do(opened("wheat-seeds"), m.Resized((700, 500)), m.Do("fit"))
    left, top, right, bottom = editor.drawn.bounds
    assert min(editor.camera.on_screen((left, top))) >= 0
    x, y = editor.camera.on_screen((right, bottom))
    assert x <= 700
    assert y <= 500


# --- placing ------------------------------------------------------------------------------------


def test_double_click_type_enter_places_a_node_at_the_pointer():
    editor = opened()
    point = (40.0, 700.0)
    editor = do(editor, m.Pressed(point, clicks=2), m.Released(point))
    assert isinstance(editor.popup, Search)
    editor = do(editor, m.Typed("logist"), m.Key("Enter"))
    x, y = editor.camera.on_screen(editor.graph.layout["sigmoid"])
    assert abs(x - point[0]) < 10
    assert abs(y - point[1]) < 10
    assert editor.selection == {"sigmoid"}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sigmoid", "sigmoid"),
        ("logistic", "sigmoid"),
        ("loss", "squared_error"),
        ("Θa + b", "weighted_sum"),
        ("e − y", None),
        ("wsum", "weighted_sum"),
        ("weighted sum", "weighted_sum"),
        ("δ = b", "delta"),
    ],
)
def test_the_library_is_searched_by_name_alias_and_formula(text, first):
    names = [type_.name for type_ in found(text)]
    assert (names[:1] == [first]) if first else not names


def test_searching_nothing_shows_the_library():
    assert {t.name for t in found("")} >= {"sigmoid", "parameter", "dataset", "panel"}
    assert not [t.name for t in found("") if t.name.endswith("_blame")]


def test_placing_from_the_library_gives_free_ids():
    editor = do(opened(), m.Place("sigmoid", (10, 10)), m.Place("sigmoid", (10, 200)))
    assert {"sigmoid", "sigmoid_2"} <= editor.graph.nodes.keys()
    assert do(editor, m.Place("sigmoyd", (0, 0))).notice.kind == "problem"


# --- wires --------------------------------------------------------------------------------------


def test_dragging_from_port_to_port_connects():
    editor = do(opened(), m.Place("tanh", (10, 600)))
    editor = do(editor, m.Do("fit"))
    done = dragged(editor, at(editor, "hidden.z"), at(editor, "tanh.z"))
    assert "hidden.z -> tanh.z" in wires(done)
    back = dragged(editor, at(editor, "tanh.z"), at(editor, "hidden.z"))
    assert wires(back) == wires(done)


def test_a_wire_snaps_to_a_port_that_fits():
    editor = do(do(opened(), m.Place("tanh", (10, 600))), m.Do("fit"))
    x, y = at(editor, "tanh.z")
    done = dragged(editor, at(editor, "hidden.z"), (x - 18, y + 9))
    assert "hidden.z -> tanh.z" in wires(done)


def test_only_ports_that_fit_are_lit_and_a_refusal_says_why():
    editor = opened()
    drawing = do(editor, m.Pressed(at(editor, "theta1.value")))
    assert isinstance(drawing.gesture, Wiring)
    lit = overlay(drawing).lit
    assert "hidden.weights" in lit
    assert "output.weights" not in lit
    over = do(drawing, m.Moved(at(editor, "output.weights")))
    assert overlay(over).loose.state == "refused"
    (_, (reason,)) = overlay(over).tooltip
    assert "2×2" in reason
    dropped = do(over, m.Released(at(editor, "output.weights")))
    assert dropped.graph == editor.graph
    assert dropped.notice.text == reason


def test_loops_are_refused_with_their_path():
    editor = opened()
    over = do(editor, m.Pressed(at(editor, "output_a.a")), m.Moved(at(editor, "hidden.a")))
    assert "closes a loop" in overlay(over).tooltip[1][0]


def test_a_port_that_takes_one_wire_takes_the_new_one_instead():
    editor = do(do(opened(), m.Place("tanh", (10, 600))), m.Do("fit"))
    editor = dragged(editor, at(editor, "hidden.z"), at(editor, "tanh.z"))
    done = dragged(editor, at(editor, "tanh.a"), at(editor, "cost.a"))
    assert "tanh.a -> cost.a" not in wires(done)  # 2 numbers cannot meet 1 target
    done = dragged(editor, at(editor, "output.z"), at(editor, "cost.a"))
    assert "output.z -> cost.a" in wires(done)
    assert "output_a.a -> cost.a" not in wires(done)


def test_pulling_a_wire_off_its_input_moves_or_removes_it():
    editor = opened()
    gone = dragged(editor, at(editor, "cost.y"), (30.0, 30.0))
    assert wires(editor) - wires(gone) == {"data.y -> cost.y"}
    same = dragged(editor, at(editor, "cost.y"), at(editor, "cost.y"))
    assert same.graph == editor.graph


def test_ctrl_removes_a_wire_by_drawing_it_again():
    editor = opened()
    gone = dragged(editor, at(editor, "hidden.z"), at(editor, "hidden_a.z"), ctrl=True)
    assert wires(editor) - wires(gone) == {"hidden.z -> hidden_a.z"}


def test_shift_adds_beside_the_wires_that_are_there():
    editor = do(do(opened(), m.Place("tanh", (10, 600))), m.Do("fit"))
    editor = dragged(editor, at(editor, "hidden.z"), at(editor, "tanh.z"))
    editor = do(editor, m.Place("add", (400, 600)))
    editor = dragged(editor, at(editor, "hidden_a.a"), at(editor, "add.a"))
    editor = dragged(editor, at(editor, "tanh.a"), at(editor, "add.a"), shift=True)
    assert {"hidden_a.a -> add.a[0]", "tanh.a -> add.a[1]"} <= wires(editor)


def test_a_wire_dropped_on_the_canvas_asks_for_a_node_and_connects_it():
    editor = opened()
    editor = dragged(editor, at(editor, "hidden_a.a"), (600.0, 780.0))
    assert isinstance(editor.popup, Search)
    names = {line.name for line in lines(editor)}
    assert "panel" in names
    assert "dataset" not in names
    editor = do(editor, m.Typed("panel"), m.Key("Enter"))
    assert "hidden_a.a -> panel.value" in wires(editor)


def test_a_loose_node_dropped_on_a_wire_is_put_into_it():
    editor = do(do(opened(), m.Place("tanh", (10, 600))), m.Do("fit"))
    wire = next(w for w in editor.drawn.wires if str(w.wire) == "output.z -> output_a.z")
    (x0, y0), (x1, y1) = wire.start, wire.end
    view = editor.drawn.nodes["tanh"]
    start = editor.camera.on_screen((view.x + 60, view.y + 12))
    end = editor.camera.on_screen(((x0 + x1) / 2, (y0 + y1) / 2))
    done = dragged(editor, start, end)
    assert {"output.z -> tanh.z", "tanh.a -> output_a.z"} <= wires(done)
    assert "output.z -> output_a.z" not in wires(done)


def test_a_wire_can_be_selected_and_deleted():
    editor = opened()
    view = next(w for w in editor.drawn.wires if str(w.wire) == "cost.cost -> train.cost")
    halfway = ((view.start[0] + view.end[0]) / 2, (view.start[1] + view.end[1]) / 2)
    chosen = do(editor, m.Pressed(editor.camera.on_screen(halfway)))
    assert str(chosen.wire) == "cost.cost -> train.cost"
    assert "cost.cost -> train.cost" not in wires(do(chosen, m.Key("Delete")))


# --- copies, groups, order ----------------------------------------------------------------------


def test_copies_keep_the_wires_between_them():
    editor = do(opened(), m.Select(frozenset(["hidden", "hidden_a", "theta1"])), m.Do("copy"))
    (request,) = editor.requests
    assert isinstance(request, Copy)
    pasted = do(editor, m.Moved((100.0, 650.0)), m.Pasted(request.text))
    assert pasted.selection == {"hidden_2", "hidden_a_2", "theta1_2"}
    assert {"hidden_2.z -> hidden_a_2.z", "theta1_2.value -> hidden_2.weights"} <= wires(pasted)
    assert do(pasted, m.Do("undo")).graph == editor.graph
    assert do(pasted, m.Pasted("no graph")).notice.kind == "problem"
    assert pasted.graph.settings("theta1_2") == pasted.graph.settings("theta1")


def test_renaming_keeps_wires_place_and_group():
    editor = do(opened(), m.Select(frozenset(["hidden"])), m.Do("group"), m.Key("F2"))
    editor = do(editor, m.Typed("first"), m.Key("Enter"))
    assert "data.x -> first.a" in wires(editor)
    assert editor.graph.layout["first"] == opened().graph.layout["hidden"]
    assert editor.graph.groups["group1"]["nodes"] == ["first"]
    assert editor.selection == {"first"}
    refused = do(editor, m.Key("F2"), m.Typed("cost"), m.Key("Enter"))
    assert refused.popup.fault == "there is a node 'cost' already"
    assert refused.popup.text == "cost"


def test_groups_hold_nodes_until_they_are_gone():
    editor = do(opened(), m.Select(frozenset(["hidden", "hidden_a"])), m.Do("group"))
    assert editor.graph.groups["group1"]["nodes"] == ["hidden", "hidden_a"]
    assert [frame.title for frame in editor.drawn.groups] == ["group 1"]
    less = do(editor, m.Select(frozenset(["hidden"])), m.Do("delete"))
    assert less.graph.groups["group1"]["nodes"] == ["hidden_a"]
    assert not do(less, m.Select(frozenset(["hidden_a"])), m.Do("ungroup")).graph.groups


def test_groups_have_a_title_and_a_colour():
    editor = do(opened(), m.Select(frozenset(["hidden", "hidden_a"])), m.Do("group"))
    named = do(editor, m.Key("F2", shift=True), m.Typed("first layer"), m.Key("Enter"))
    assert [frame.title for frame in named.drawn.groups] == ["first layer"]
    once = do(named, m.Do("colour"))
    assert (
        once.graph.groups["group1"]["colour"]
        != do(once, m.Do("colour")).graph.groups["group1"]["colour"]
    )
    closed = do(editor, m.Do("close"), m.Key("F2"), m.Typed("layer"), m.Key("Enter"))
    assert [v.title for v in closed.drawn.nodes.values() if v.type == "subgraph"] == ["layer"]


def test_notes_are_written_on_nodes_and_kept_in_the_file():
    editor = do(opened(), m.Select(frozenset(["hidden"])), m.Key("t"), m.Typed("try 3 neurons"))
    editor = do(editor, m.Key("Enter"), m.Moved(middle(opened(), "hidden")))
    assert '"note": "try 3 neurons"' in dumps(editor.graph)
    assert overlay(editor).tooltip[1] == ("try 3 neurons",)
    free = do(editor, m.Place("panel", (20, 700)), m.Key("t"), m.Typed("my note"), m.Key("Enter"))
    assert free.drawn.nodes["panel"].foot == "my note"
    gone = do(editor, m.Select(frozenset(["hidden"])), m.Key("t"), m.Typed(""), m.Key("Enter"))
    assert gone.graph.nodes == opened().graph.nodes


def test_a_double_click_on_a_wire_leads_it_through_a_knot():
    editor = opened()
    view = next(w for w in editor.drawn.wires if str(w.wire) == "cost.cost -> train.cost")
    halfway = ((view.start[0] + view.end[0]) / 2, (view.start[1] + view.end[1]) / 2)
    point = editor.camera.on_screen(halfway)
    done = do(editor, m.Pressed(point, clicks=2), m.Released(point))
    assert {"cost.cost -> relay.a", "relay.value -> train.cost"} <= wires(done)
    knot = done.drawn.nodes["relay"]
    assert abs(knot.x + knot.width / 2 - halfway[0]) <= 10
    assert compared(editor.graph, done.graph).startswith("the same numbers")


def test_a_subgraph_is_one_box_with_the_wires_that_cross_its_edge():
    chosen = frozenset(["hidden", "hidden_a", "theta1", "bias1"])
    editor = do(opened(), m.Select(chosen), m.Do("close"))
    assert editor.selection == {"group1"}
    assert not chosen & editor.drawn.nodes.keys()
    view = editor.drawn.nodes["group1"]
    assert [port.address for port in view.inputs] == ["hidden.a"]
    assert [port.address for port in view.outputs] == ["hidden_a.a"]
    drawn = {str(w.wire) for w in editor.drawn.wires}
    assert {"data.x -> hidden.a", "hidden_a.a -> output.a"} <= drawn
    assert wires(editor) == wires(opened())
    inside = do(editor, m.Key("Enter"))
    assert inside.drawn.nodes.keys() == chosen
    placed = do(inside, m.Place("tanh", (10, 10)))
    assert "tanh" in placed.drawn.nodes
    assert "tanh" not in do(placed, m.Do("leave")).drawn.nodes
    x, y = editor.graph.layout["hidden"]
    moved = do(editor, m.Key("Right"))
    assert moved.graph.layout["hidden"] == (x + 10, y)
    opened_again = do(editor, m.Do("expand"))
    assert chosen <= opened_again.drawn.nodes.keys()
    assert not opened_again.graph.groups
    assert opened_again.selection == chosen


def test_wires_go_into_and_out_of_a_subgraph():
    editor = do(opened(), m.Select(frozenset(["output", "output_a"])), m.Do("close"), m.Do("fit"))
    gone = dragged(editor, at(editor, "output.a"), (20.0, 780.0))
    assert "hidden_a.a -> output.a" not in wires(gone)
    nested = do(editor, m.Select(frozenset(["group1", "cost"])), m.Do("close"))
    assert "output" not in nested.drawn.nodes
    inside = do(nested, m.Do("enter"))
    assert inside.drawn.nodes.keys() == {"group1", "cost"}
    within = do(inside, m.Select(frozenset(["group1"])), m.Do("enter"))
    assert within.drawn.nodes.keys() == {"output", "output_a"}
    assert within.inside == ("group2", "group1")
    assert do(nested, m.Do("expand")).drawn.nodes.keys() >= {"group1", "cost"}


def test_whatever_is_found_is_shown_where_it_lies():
    editor = do(opened(), m.Select(frozenset(["output", "output_a"])), m.Do("close"))
    nested = do(editor, m.Select(frozenset(["group1", "cost"])), m.Do("close"))
    ways = {"output": ("group2", "group1"), "output_a": ("group2", "group1"), "cost": ("group2",)}
    for start in (nested, do(nested, m.Do("enter"))):
        for node in nested.graph.nodes:
            found = do(start, m.Do("find"), m.Typed(node))
            number = [line.name for line in lines(found)].index(node)
            shown = do(found, m.Chosen(number))
            assert shown.inside == ways.get(node, ())
            assert shown.selection == {node}
            view = shown.drawn.nodes[node]
            x, y = shown.camera.on_screen((view.x + view.width / 2, view.y + view.height / 2))
            assert (x, y) == pytest.approx((shown.size[0] / 2, shown.size[1] / 2))


def test_what_a_lesson_hides_is_not_found():
    graph = nf.sample("lessons/first-steps")
    lesson = graph.extra["lesson"] | {"hidden": ["cost"]}
    editor = Editor.of(replace(graph, extra={**graph.extra, "lesson": lesson}))
    led = do(editor, m.Do("lesson"), m.Do("find"))
    assert "cost" not in {line.name for line in lines(led)}
    assert "cost" in {line.name for line in lines(do(editor, m.Do("find")))}


def test_aligning_and_distributing():
    chosen = frozenset(["data", "hidden", "hidden_a"])
    editor = do(opened(), m.Select(chosen))
    level = do(editor, m.Do("align-top")).graph.layout
    assert len({level[key][1] for key in chosen}) == 1
    spread = do(editor, m.Do("distribute-across")).graph.layout
    assert spread["hidden"][0] - spread["data"][0] == spread["hidden_a"][0] - spread["hidden"][0]
    assert do(editor, m.Select(frozenset()), m.Do("align-top")).notice.kind == "problem"


def test_selecting_what_feeds_and_what_is_fed():
    editor = do(opened(), m.Select(frozenset(["hidden"])))
    assert do(editor, m.Do("select-upstream")).selection == {"hidden", "data", "theta1", "bias1"}
    assert "cost" in do(editor, m.Do("select-downstream")).selection
    assert do(editor, m.Do("select-all")).selection == editor.graph.nodes.keys()


def test_modes_go_on_and_off():
    editor = do(opened(), m.Select(frozenset(["theta1"])))
    frozen = do(editor, m.Do("freeze"))
    assert frozen.graph.nodes["theta1"].mode == "freeze"
    assert do(frozen, m.Do("freeze")).graph == editor.graph
    assert do(editor, m.Select(frozenset(["cost"])), m.Do("freeze")).notice.kind == "problem"


def test_find_selects_and_shows():
    editor = do(opened(), m.Do("find"), m.Typed("output_a"), m.Key("Enter"))
    assert editor.selection == {"output_a"}
    x, y = middle(editor, "output_a")
    assert abs(x - editor.size[0] / 2) < 5
    assert abs(y - editor.size[1] / 2) < 60
    by_value = do(opened(), m.Do("find"), m.Typed("2.0"))
    assert [line.name for line in lines(by_value)] == ["train"]


# --- taking apart -------------------------------------------------------------------------------


def test_deconstructing_from_the_canvas_can_be_undone():
    editor = opened()
    for command, back in (("unfold", "fold"), ("explode", "collapse")):
        apart = do(editor, m.Do(command))
        assert apart.graph != editor.graph
        assert apart.requests[0] == CompareGraphs(editor.graph, apart.requests[0].after)
        assert dumps(do(apart, m.Do(back)).graph) == dumps(editor.graph)
        assert do(apart, m.Do("undo")).graph == editor.graph
    assert do(editor, m.Do("fold")).notice.kind == "problem"
    one = do(editor, m.Select(frozenset(["hidden"])), m.Do("explode"))
    assert {"hidden.1", "output"} <= one.graph.nodes.keys()
    part = do(one, m.Select(frozenset(["hidden.2"])), m.Do("collapse"))
    assert dumps(part.graph) == dumps(editor.graph)


# --- files and questions ------------------------------------------------------------------------


def test_saving_asks_for_a_name_once():
    editor = opened()
    assert do(editor, m.Do("save")).requests[0] == AskSave()
    saved = do(editor, m.Saved(editor.graph, Path("mine.json")))
    assert not saved.changed
    changed = do(saved, m.Do("tidy"), m.SetValue("train", "rate", 1.0))
    assert changed.changed
    (request,) = do(changed, m.Key("s", ctrl=True)).requests
    assert request == Save(Path("mine.json"))


def test_nothing_is_thrown_away_without_a_question():
    editor = do(opened(), m.SetValue("train", "rate", 1.0))
    for command, request in (("quit", Quit()), ("open", AskOpen()), ("new", New())):
        asked = do(editor, m.Do(command))
        assert not asked.requests
        assert [line.text for line in lines(asked)] == ["Save", "Throw away", "Cancel"]
        assert do(asked, m.Chosen(1)).requests[0] == request
        assert do(asked, m.Chosen(2)).graph == editor.graph
    assert do(opened(), m.Do("quit")).requests[0] == Quit()


def test_reverting_is_a_step_that_can_be_undone():
    start = Editor.of(opened().graph, Path("xor.json"))
    editor = do(start, m.SetValue("train", "rate", 1.0))
    back = do(editor, m.Do("revert"))
    assert not back.changed
    assert do(back, m.Do("undo")).graph == editor.graph


def test_the_right_button_opens_the_menu_of_what_is_there():
    editor = opened()
    menu = do(editor, m.Pressed(middle(editor, "hidden"), button="right"))
    assert isinstance(menu.popup, Menu)
    assert menu.selection == {"hidden"}
    chosen = [line.name for line in lines(menu)].index("delete")
    assert "hidden" not in do(menu, m.Chosen(chosen)).graph.nodes


def test_the_palette_finds_commands():
    editor = do(opened(), m.Key("P", ctrl=True, shift=True))
    assert isinstance(editor.popup, Palette)
    editor = do(editor, m.Typed("unfold backward"), m.Key("Enter"))
    assert "hidden.delta" in editor.graph.nodes


# --- values -------------------------------------------------------------------------------------


def test_the_formula_of_a_node_has_the_numbers_of_the_run():
    graph = nf.load(GRAPHS / "mazur.json")
    run = nf.Run(graph)
    run.evaluate()
    values = {
        f"{key}.{port.name}": run[f"{key}.{port.name}"]
        for key in graph.nodes
        for port in graph.type_of(key).outputs
    }
    editor = do(Editor.of(graph), m.RunUpdate(Live(values=values)))
    assert working(editor, "hidden") == "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"
    assert working(editor, "x") == working(editor, "gone") == ""
    assert working(Editor.of(graph), "hidden") == ""
    unwired = do(editor, m.Select(frozenset(["theta1"])), m.Do("delete"))
    assert working(unwired, "hidden") == ""


# --- by keyboard --------------------------------------------------------------------------------


def typed(editor, *keys):
    """Send keys by their names; "=text" is typed into the popup."""
    for key in keys:
        editor = do(editor, m.Typed(key[1:]) if key.startswith("=") else m.Key(key))
    return editor


def test_a_network_is_built_by_keyboard_alone():
    editor = Editor.of(nf.Graph())
    for type_ in ("dataset", "parameter", "weighted sum", "sigmoid", "squared error"):
        editor = typed(editor, "Tab", f"={type_}", "Enter")
    editor = typed(editor, "Tab", "=gradient descent", "Enter")
    ways = [
        ("dataset", "x", "weighted_sum.a"),
        ("parameter", "value", "weighted_sum.weights"),
        ("weighted_sum", "z", "sigmoid.z"),
        ("sigmoid", "=a", "squared_error.a"),
        ("dataset", "=y", "squared_error.y"),
        ("squared_error", "=cost", "gradient_descent.cost"),
    ]
    editor = do(editor, m.Select(frozenset(["dataset"])))
    editor = typed(editor, "s", "=source", "Enter", "=xor", "Enter")
    editor = do(editor, m.Select(frozenset(["parameter"])))
    editor = typed(editor, "s", "=shape", "Enter", "=[1, 2]", "Enter")
    for node, port, end in ways:
        editor = do(editor, m.Key("F", ctrl=True))
        editor = typed(editor, f"={node}", "Enter", "w", f"={port.lstrip('=')}", "Enter")
        editor = typed(editor, f"={end}", "Enter")
        assert any(str(w).endswith(end) for w in editor.graph.wires), (node, end, editor.notice)
    assert nf.Run(editor.graph).train(2)


def test_settings_are_typed_and_refused_in_a_sentence():
    editor = do(opened(), m.Select(frozenset(["train"])))
    done = typed(editor, "s", "=rate", "Enter", "=0.25", "Enter")
    assert done.graph.settings("train")["rate"] == 0.25
    wrong = typed(editor, "s", "=rate", "Enter", "=fast", "Enter")
    assert wrong.graph == editor.graph
    assert wrong.popup.fault == 'rate must be a finite number from 0, not "fast"'
    none = do(opened(), m.Select(frozenset(["hidden"])), m.Key("s"))
    assert none.notice.text == "'hidden' has no settings"
    assert do(opened(), m.Key("w")).notice.text == "select the one node to wire"


def test_the_selection_goes_to_the_next_node():
    editor = do(opened(), m.Select(frozenset(["hidden"])))
    assert do(editor, m.Key("Right", alt=True)).selection == {"hidden_a"}
    assert do(editor, m.Key("Left", alt=True)).selection <= {"data", "theta1", "bias1"}
    assert do(opened(), m.Key("Right", alt=True)).selection == {"data"}
    down = do(opened(), m.Select(frozenset(["theta1"])), m.Key("Down", alt=True))
    assert down.selection == {"bias1"}


def test_a_slider_is_dragged_in_its_steps():
    editor = do(opened(), m.Place("slider", (100, 600)), m.Do("fit"))
    editor = do(editor, m.SetValue("slider", "step", 0.1))
    view = editor.drawn.nodes["slider"]
    run = view.slider.track
    steps = len(editor.history.entries)

    def along(share):
        x = view.x + run.left + share * (run.right - run.left)
        return editor.camera.on_screen((x, view.y + run.y))

    held = do(editor, m.Pressed(along(0.1)), m.Moved(along(0.52)))
    assert held.graph.settings("slider")["value"] == 0.5
    done = do(held, m.Moved(along(2.0)), m.Released(along(0.32)))
    assert done.graph.settings("slider")["value"] == 0.3
    assert len(done.history.entries) == steps + 1
    assert done.graph.layout == editor.graph.layout
    handle = run.left + 0.3 * (run.right - run.left), run.y
    assert done.drawn.nodes["slider"].slider.handle == pytest.approx(handle)


def test_graphs_are_compared_by_their_numbers():
    graph = nf.load(GRAPHS / "xor.json")
    for other in (nf.unfold(graph), nf.explode(graph, "hidden"), nf.unfold(nf.explode(graph))):
        assert compared(graph, other).startswith("the same numbers")
    assert compared(graph, graph.set("train", rate=1.0)).startswith("the numbers differ")
    assert compared(graph, graph.remove("theta1")).startswith("not compared")


# --- commands -----------------------------------------------------------------------------------


def test_shortcuts_are_unique():
    shortcuts = [s for c in COMMANDS.values() for s in c.shortcut.split(" or ") if s]
    assert len(shortcuts) == len(set(shortcuts))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (m.Key("z", ctrl=True), "undo"),
        (m.Key("Z", ctrl=True, shift=True), "redo"),
        (m.Key("?", shift=True), "shortcuts"),
        (m.Key("Tab"), "add"),
        (m.Key("F", shift=True), "fit-selection"),
        (m.Key("f"), "fit"),
        (m.Key("Delete"), "delete"),
    ],
)
def test_keys_find_their_commands(key, name):
    assert of_key(key).name == name


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("graph", ["xor", "empty"])
def test_every_command_answers_on_any_graph(graph, name):
    editor = opened() if graph == "xor" else Editor.of(nf.Graph())
    done = do(editor, m.Do(name))
    done.graph.validate()
    assert done.drawn


# --- anything at all ----------------------------------------------------------------------------

POINTS = st.tuples(st.floats(-50, 1350), st.floats(-50, 850))
NODES = st.sampled_from(["hidden", "theta1", "cost", "data", "sigmoid", "train", "group1", "gone"])
HELD = {"shift": st.booleans(), "ctrl": st.booleans()}
MESSAGES = st.one_of(
    st.builds(m.Moved, POINTS),
    st.builds(
        m.Pressed,
        POINTS,
        st.sampled_from(["left", "left", "middle", "right"]),
        st.sampled_from([1, 1, 2]),
        **HELD,
    ),
    st.builds(m.Released, POINTS, st.just("left"), **HELD),
    st.builds(m.Wheel, POINTS, st.floats(-3, 3)),
    st.builds(m.Do, st.sampled_from(sorted(COMMANDS))),
    st.builds(m.Place, st.sampled_from(sorted(CATALOG)), POINTS),
    st.builds(m.Select, st.frozensets(NODES)),
    st.builds(
        m.SetValue, NODES, st.sampled_from(["rate", "value"]), st.floats(0, 2), st.booleans()
    ),
    st.builds(m.Typed, st.sampled_from(["sig", "", "panel", "first", "unfold"])),
    st.builds(m.Chosen, st.none() | st.integers(0, 5)),
    st.builds(
        m.Key, st.sampled_from(["Left", "Down", "Enter", "Escape", "Tab", "F2", "z"]), **HELD
    ),
)


def from_port_to_port(editor, numbers):
    ports = [p for n in editor.drawn.nodes.values() for p in (*n.inputs, *n.outputs)]
    if not ports:
        return []
    start, end = (ports[number % len(ports)].address for number in numbers)
    return [m.Pressed(at(editor, start)), m.Moved(at(editor, end)), m.Released(at(editor, end))]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # 200 messages take long to shrink
)
@given(
    st.lists(
        MESSAGES | st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=200, max_size=200
    )
)
def test_any_messages_keep_the_graph_valid_and_can_be_undone(messages):
    editor = opened()
    first, start = editor.graph, dumps(editor.graph)
    for message in messages:
        steps = from_port_to_port(editor, message) if isinstance(message, tuple) else [message]
        for step in steps:
            editor = update(editor, step)
            editor.graph.validate()
            assert editor.selection <= editor.graph.nodes.keys() | editor.graph.groups.keys()
    for _ in editor.history.entries:
        editor = do(editor, m.Do("undo"))
    # A new graph has a history of its own.
    is_new = editor.history.entries[0].value is not first
    assert dumps(editor.graph) == (dumps(nf.Graph()) if is_new else start)
