"""What is found, offered and understood at first sight: search, menus, shapes, names."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers_editor import do

import nodeflow as nf
from nodeflow.declare import FAMILIES
from nodeflow.editor.canvas import aside, minimap, vacancy
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.dialogs.searching import found
from nodeflow.editor.panels.room import widths
from nodeflow.editor.panels.training import step_of_labels
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.camera import READABLE
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing, Menu, Search
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.reading import read

GRAPHS = Path(__file__).parent.parent / "graphs"


def opened(name="xor"):
    return do(
        Editor.of(nf.load(GRAPHS / f"{name}.json"), size=(3000.0, 1500.0)), m.Do("first-view")
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("xor", "dataset"), ("iris", "dataset"), ("bias", "parameter"), ("weights", "parameter"),
        ("sum", "sum"), ("weighted sum", "weighted_sum"), ("sig", "sigmoid"), ("loss", None),
        ("relu", "relu"), ("neuron", "weighted_sum"), ("add", "add"), ("wsum", "weighted_sum"),
    ],
)  # fmt: skip
def test_search_puts_what_is_meant_first(text, first):
    types = found(text)
    if first is None:  # a word for several
        assert {type_.family for type_ in types[:4]} == {"cost"}
    else:
        assert types[0].name == first


@pytest.mark.parametrize("text", ["vie", "view", "views"])
def test_a_family_is_found_by_the_beginning_of_its_name(text):
    assert {type_.family for type_ in found(text)[:8]} == {"view"}


def test_a_family_is_found_by_its_name():
    views = [type_.name for type_ in found("") if type_.family == "view"]
    assert {type_.name for type_ in found("view")[: len(views)]} == set(views)


def test_without_a_text_the_library_begins_with_what_a_network_begins_with():
    families = [type_.family for type_ in found("")]
    assert families == sorted(families, key=FAMILIES.index)


def test_scattered_letters_come_last():
    for text in ("sum", "mean", "tan", "log", "sub", "soft"):
        names = [type_.name for type_ in found(text)]
        written = [text in name for name in names]
        assert written[0], names


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("hidden.z", {"sigmoid", "tanh", "relu", "softmax"}),
        ("hidden_a.a", {"weighted_sum"}),
        ("hidden.weights", {"parameter"}),
        ("cost.cost", {"gradient_descent"}),
    ],
)
def test_a_dropped_wire_offers_first_what_people_wire_there(port, expected):
    editor = replace(opened(), popup=Search((0.0, 0.0), port=port))
    assert lines(editor)[0].name in expected


def test_what_is_typed_counts_for_more_than_habit():
    editor = replace(opened(), popup=Search((0.0, 0.0), port="hidden.z", text="add"))
    assert lines(editor)[0].name == "add"


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("xor", "hidden.weights"), ("xor", "hidden.bias"), ("xor", "output.weights"),
        ("xor", "output.bias"), ("iris", "hidden.weights"), ("iris", "output.bias"),
        ("iris", "output.weights"), ("iris", "hidden.bias"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_placed_on_a_port_has_the_shape_that_was_there(name, port):
    editor = opened(name)
    node, _, into = port.rpartition(".")
    (wire,) = editor.graph.inputs(node)[into]
    shape = list(editor.graph.settings(wire.source)["shape"])
    without = editor.edited(editor.graph.remove(wire.source), "remove")
    popup = Search((0.0, 0.0), port=port, text="parameter")
    made = do(replace(without, popup=popup), m.Chosen(0))
    (new,) = made.graph.inputs(node)[into]
    assert new.source not in without.graph.nodes
    assert list(made.graph.settings(new.source)["shape"]) == shape
    assert not made.inference.problems


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2×3", [2, 3]), ("2x3", [2, 3]), ("2 X 3", [2, 3]), ("2, 3", [2, 3]), ("2 3", [2, 3]),
        ("(2, 3)", [2, 3]), ("[2,3]", [2, 3]), ("5", [5]), ("5 numbers", [5]), ("1 number", [1]),
    ],
)  # fmt: skip
def test_a_shape_is_typed_as_it_is_shown(text, shape):
    assert list(read(text, "shape")) == shape


def test_the_right_button_on_nothing_is_about_the_canvas():
    editor = do(opened(), m.Select(frozenset(["hidden"])), m.Pressed((5.0, 5.0), "right"))
    assert editor.popup == Menu((5.0, 5.0), canvas=True)
    names = [line.name for line in lines(editor)]
    assert {"add", "paste", "fit", "select-all"} <= set(names)
    assert "delete" not in names
    assert editor.selection == {"hidden"}
    added = do(editor, m.Chosen(names.index("add")))
    assert isinstance(added.popup, Search)


def test_the_right_button_on_nodes_offers_what_can_be_done_there():
    def offered(graph, *nodes, wire=None):
        chosen = Editor.of(graph, selection=frozenset(nodes), wire=wire, popup=Menu((0.0, 0.0)))
        return [line.name for line in lines(chosen)]

    graph = nf.load(GRAPHS / "xor.json")
    layer, weights = offered(graph, "hidden"), offered(graph, "theta1")
    assert layer[:2] == ["rename", "wire"]  # there is nothing to set
    assert weights[:2] == ["rename", "settings"]
    assert {"explode", "unfold", "delete", "group"} <= set(layer)
    assert not {"freeze", "why", "ungroup", "title", "expand", "fold", "wire-back"} & set(layer)
    assert {"freeze", "why", "origin"} <= set(weights)
    assert not {"explode", "give-weights"} & set(weights)
    assert "rename" not in offered(graph, "hidden", "theta1")
    assert offered(graph, wire=graph.wires[0]) == ["delete", "breakpoint"]
    grouped = replace(graph, groups={"g": {"nodes": ["hidden"], "title": "g", "closed": True}})
    assert {"enter", "expand", "title", "ungroup"} <= set(offered(grouped, "g"))
    assert "rename" not in offered(grouped, "g")
    bare = graph.disconnect("theta1.value", "hidden.weights")
    assert "give-weights" in offered(bare, "hidden")
    assert "fold" in offered(nf.unfold(graph), "hidden")
    # Each of them does something, and none is offered twice.
    assert len(set(weights)) == len(weights)
    for name in {*offered(graph, "hidden"), *weights} - {"paste", "collapse"}:
        node = "hidden" if name in layer else "theta1"
        made = do(Editor.of(graph, selection=frozenset([node])), m.Do(name))
        assert made.notice is None or made.notice.kind != "problem", (name, made.notice)


def test_a_double_click_on_a_title_renames():
    editor = opened()
    view = editor.drawn.nodes["hidden"]
    at = editor.camera.on_screen((view.x + 30, view.y + 10))
    editor = do(editor, m.Pressed(at, "left"), m.Released(at, "left"),
                m.Pressed(at, "left", 2), m.Released(at, "left"))  # fmt: skip
    assert editor.popup == Editing("hidden", "id", "hidden")
    renamed = do(editor, m.Typed("middle"), m.Key("Enter"))
    assert "middle" in renamed.graph.nodes
    assert "hidden" not in renamed.graph.nodes


def test_escape_closes_whatever_is_open():
    editor = do(opened(), m.Do("map"), m.Key("Escape"))
    assert editor.view == "canvas"
    for command in ("palette", "find", "add", "shortcuts", "history", "recent", "go-to"):
        asked = do(opened(), m.Do(command))
        assert asked.popup is not None
        assert do(asked, m.Key("Escape")).popup is None


@pytest.mark.parametrize("size", [(1070.0, 842.0), (560.0, 500.0)])
def test_the_first_view_of_every_sample_has_the_data_in_it_at_a_size_that_reads(size):
    """Left to right, from the data: from a data set, or else from a constant of the network."""
    seen = 0
    for path in sorted([*GRAPHS.glob("*.json"), *GRAPHS.glob("lessons/*.json")]):
        editor = do(Editor.of(nf.load(path), size=size), m.Do("first-view"))
        camera, graph = editor.camera, editor.graph
        assert camera.zoom >= READABLE, path
        network = graph.upstream(graph.of_family("layer"))
        data = graph.datasets or [
            key for key in network if graph.nodes[key].type in {"constant", "slider"}
        ]
        views = [editor.drawn.nodes[key] for key in data]
        whole = [
            all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in corners)
            for view in views
            for corners in [[camera.on_screen((view.x + right * view.width, view.y + down * 40))
                             for right in (0, 1) for down in (0, 1)]]
        ]  # fmt: skip
        assert any(whole) or not views, path
        seen += bool(views)
    assert seen > 40


PLAIN = ("xor", "wheat-seeds", "iris", "plateau", "circle", "mnist", "symmetry-zeros")


@pytest.mark.parametrize("name", PLAIN)
def test_a_network_of_two_layers_is_seen_whole_from_the_start(name):
    """In a window of 1600×1000; the button to train it lies below."""
    editor = do(Editor.of(nf.load(GRAPHS / f"{name}.json"), size=(1070.0, 842.0)),
                m.Do("first-view"))  # fmt: skip
    left, top, right, bottom = editor.drawn.bounds
    (x0, y0), (x1, y1) = map(editor.camera.on_screen, ((left, top), (right, bottom)))
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 1070
    assert y1 <= aside.button(editor)[1]
    assert minimap.shown(editor) is None


@pytest.mark.parametrize(
    ("size", "most", "at_most"),
    [((1070.0, 842.0), 0, 0.0), ((910.0, 742.0), 2, 1500.0), ((686.0, 540.0), 14, 5000.0)],
)
def test_neither_the_button_nor_the_minimap_covers_a_node_of_a_first_view(size, most, at_most):
    """In small windows large graphs leave them no free place: then they cover a corner of one."""
    covered = {}
    for path in sorted([*GRAPHS.glob("*.json"), *GRAPHS.glob("lessons/*.json")]):
        editor = do(Editor.of(nf.load(path), size=size), m.Do("first-view"))
        areas = [aside.button(editor)] if aside.waits(editor) else []
        if minimap.shown(editor) is not None:
            areas.append(minimap.area(editor, editor.aside.minimap))
        if under := sum(aside.covered(editor, area) for area in areas):
            covered[path.stem] = under
        if len(areas) == 2:
            (a, b, c, d), (e, f, g, h) = areas
            assert min(c, g) <= max(a, e) or min(d, h) <= max(b, f), path
    assert len(covered) <= most, covered
    assert all(under <= at_most for under in covered.values()), covered


@pytest.mark.parametrize("size", [(690.0, 545.0), (1070.0, 839.0)])
def test_no_node_of_a_lesson_that_fits_is_below_its_card(size):
    path = GRAPHS / "lessons" / "first-steps.json"
    editor = do(Editor.of(nf.Graph(), size=size), m.Opened(nf.load(path), path))
    assert editor.lesson is not None
    card = (0.0, size[1] - 220.0, 342.0, size[1])
    assert aside.covered(editor, card) == 0
    assert editor.camera.zoom >= READABLE


@pytest.mark.parametrize("name", ["xor", "one-neuron", "wheat-seeds"])
def test_no_strip_of_a_node_is_seen_at_the_left_of_a_first_view(name):
    whole = Editor.of(nf.unfold(nf.load(GRAPHS / f"{name}.json")))
    for wide in range(600, 1500, 20):
        editor = do(replace(whole, size=(float(wide), 839.0)), m.Do("first-view"))
        if aside.covered(editor, (0.0, 0.0, 1.0, 839.0)) > 0:
            assert aside.covered(editor, (16.0, 0.0, 17.0, 839.0)) > 0, wide


@pytest.mark.parametrize("wide", [700.0, 910.0, 1000.0])
def test_the_right_edge_of_a_first_view_cuts_no_node_where_there_is_a_gap(wide):
    for name in PLAIN:
        editor = do(Editor.of(nf.load(GRAPHS / f"{name}.json"), size=(wide, 742.0)),
                    m.Do("first-view"))  # fmt: skip
        edge = editor.camera.on_canvas(editor.size)[0]
        assert not any(view.x < edge < view.x + view.width
                       for view in editor.drawn.nodes.values()), name  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("wide", [640, 1024, 1440, 1600, 3000])
def test_panels_leave_room_to_the_canvas(wide, scale):
    library, side = widths(Preferences(scale=scale), wide)
    assert wide - library - side >= min(560, wide)
    if wide >= 1440 and scale == 1:
        assert (library, side) == (214, 316)
    # What a person wants to be there is there, and the canvas never goes.
    library, side = widths(Preferences(scale=scale, library=214.0, side=316.0), wide)
    assert library > 0
    assert side > 0
    assert wide - library - side >= 158
    assert widths(Preferences(library=-1.0, side=-1.0), wide) == (0, 0)


def test_panels_are_there_or_not_as_one_says():
    editor = opened()
    for name in ("library", "side"):
        seen = []
        for _ in range(3):
            editor = do(editor, m.Do(name))
            seen.append(getattr(editor.preferences, name))
        assert seen[0] < 0 < seen[1]
        assert seen[2] == 0


def test_the_labels_below_a_curve_are_round_and_stand_apart():
    steps = {
        1: 1,
        8: 1,
        9: 1,
        12: 2,
        30: 5,
        100: 20,
        500: 100,
        2000: 500,
        20_000: 5000,
        10**6: 500_000,
    }
    assert {epochs: step_of_labels(epochs) for epochs in steps} == steps
    for epochs in range(1, 3000, 7):
        labels = range(step_of_labels(epochs), epochs + 1, step_of_labels(epochs))
        assert 1 <= len(labels) <= 9
        assert sum(len(str(label)) + 1 for label in labels) <= 24


@pytest.mark.parametrize("name", ["xor", "wheat-seeds", "one-neuron-unfolded", "two-weights"])
def test_the_changed_number_of_a_step_covers_no_title(name):
    """It stands below its node, and where that is close to the next node elsewhere, in view."""
    editor = do(Editor.of(nf.load(GRAPHS / f"{name}.json"), size=(1070.0, 842.0)),
                m.Do("first-view"))  # fmt: skip
    wide, high, sides = 118.0, 20.0, set()
    for view in editor.drawn.nodes.values():
        left, top = editor.camera.on_screen((view.x, view.y))
        right, bottom = editor.camera.on_screen((view.x + view.width, view.y + view.height))
        x, y = aside.beside(editor, (left, top, right, bottom), (wide, high), 6.0)
        assert aside.covered(editor, (x, y, x + wide, y + high)) == 0, view.key
        if 0 <= left <= 1070 - wide:
            assert 0 <= x <= 1070 - wide
        sides.add((y >= bottom) - (y + high <= top))
        if left >= 0 and right <= 1070:  # a longer one, too, is not cut at the edge
            x, _ = aside.beside(editor, (left, top, right, bottom), (240.0, high), 6.0)
            assert 0 <= x <= 1070 - 240
    assert 1 in sides


# --- new nodes lie on nothing -------------------------------------------------------------------


def overlapping(editor, gap=0):
    """Return the pairs of drawn nodes that are nearer than a gap."""
    views = list(editor.drawn.nodes.items())
    return [
        (key, other)
        for number, (key, a) in enumerate(views)
        for other, b in views[:number]
        if a.x < b.x + b.width + gap and b.x < a.x + a.width + gap
        and a.y < b.y + b.height + gap and b.y < a.y + a.height + gap
    ]  # fmt: skip


def in_view(editor, key):
    view = editor.drawn.nodes[key]
    left, top = editor.camera.on_screen((view.x, view.y))
    right, bottom = editor.camera.on_screen((view.x + view.width, view.y + view.height))
    return left >= 0 and top >= 0 and right <= editor.size[0] and bottom <= editor.size[1]


def by_tab(editor, at):
    return do(editor, m.Moved(at), m.Key("Tab"), m.Typed("panel"), m.Key("Enter"))


def by_drop(editor, at):
    return do(editor, m.Place("relu", at))


def by_wire(editor, at):
    """Drop a wire at a place where no node is."""
    popup = Search(editor.camera.on_canvas(at), port="hidden.z", text="tanh")
    return do(replace(editor, popup=popup), m.Key("Enter"))


def by_copy(editor, at):
    editor = do(editor, m.Select(frozenset(["hidden", "hidden_a", "theta1"])), m.Do("copy"))
    return do(editor, m.Moved(at), m.Pasted(editor.requests[-1].text))


def by_duplicate(editor, _at):
    return do(editor, m.Select(frozenset(["output", "output_a"])), m.Do("duplicate"))


@pytest.mark.parametrize("new", [by_tab, by_drop, by_wire, by_copy, by_duplicate])
@pytest.mark.parametrize("name", ["xor", "wheat-seeds"])
def test_what_is_new_lies_on_no_other_node_and_is_seen(name, new):
    editor = do(replace(opened(name), size=(1000.0, 700.0)), m.Do("first-view"))
    assert not overlapping(editor)
    over = editor.drawn.nodes["hidden_a"]
    at = editor.camera.on_screen((over.x + 60, over.y + 40))
    for _ in range(3):
        before, editor = editor, new(editor, at)
        made = editor.graph.nodes.keys() - before.graph.nodes.keys()
        assert made
        assert editor.selection == made
        assert not overlapping(editor, vacancy.GAP), new.__name__
        assert all(in_view(editor, key) for key in made), new.__name__


def test_free_room_is_the_nearest_and_at_the_place_where_nothing_is():
    box = np.array([[0.0, 0.0, 200.0, 100.0]])
    assert vacancy.nearest(box, (500, 300), (100, 50)) == (500, 300)
    assert vacancy.nearest(box, (203, 20), (100, 50)) == (200, 20)  # beside it, without a gap
    assert vacancy.nearest(box, (183, 20), (100, 50)) == (230, 20)
    assert vacancy.nearest(box, (50, 70), (100, 50)) == (50, 130)
    assert vacancy.nearest(box, (50, 20), (100, 40)) == (50, -70)
    assert vacancy.nearest(np.zeros((0, 4)), (1e12, -3.0), (100, 50)) == (10**12, 0)
    # A wall of nodes without a gap, wider than what is looked at first.
    wall = np.array([[x, y, x + 90, y + 90] for x in range(-3000, 3000, 100)
                     for y in range(-3000, 3000, 100)], float)  # fmt: skip
    assert vacancy.nearest(wall, (2500, 0), (100, 50)) == (3020, 0)


def test_the_view_goes_to_the_node_that_is_asked_about():
    editor = do(replace(opened(), size=(700.0, 500.0)), m.Do("zoom-100"), m.Do("first-view"))
    editor = do(editor, m.Do("zoom-100"))
    for node in ("train", "theta1"):
        assert not in_view(editor, node)
        question = SimpleNamespace(node=node)
        playback = replace(editor.live.playback, question=question)
        asked = do(editor, m.RunUpdate(replace(editor.live, playback=playback)))
        view = asked.drawn.nodes[node]
        x, y = asked.camera.on_screen((view.x + view.width / 2, view.y + view.height / 2))
        assert 0 < x < 700
        assert 0 < y < 500
        editor = asked
    # Whoever looks elsewhere meanwhile is left there: the question is the same.
    elsewhere = replace(asked, camera=replace(asked.camera, x=5000.0))
    assert do(elsewhere, m.RunUpdate(replace(asked.live))).camera == elsewhere.camera
