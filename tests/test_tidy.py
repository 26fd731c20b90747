"""Where nodes stand, and the scene and picture that follow from it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from time import thread_time

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import networks

import nodeflow as nf
from nodeflow.boxes import FOOT, HEADER, MOST_ROWS, ROW, Boxes, box
from nodeflow.declare import CATALOG
from nodeflow.derive.tidy import backward_nodes, overlaps, tidy, under
from nodeflow.export.svg import svg
from nodeflow.networks import network
from nodeflow.routing import pieces
from nodeflow.scene import clipped, scene, shifted, shortened, shown
from nodeflow.theme import DARK, LIGHT
from nodeflow.wires import curves

GRAPHS = Path(__file__).parent.parent / "graphs"
NAMES = sorted(path.stem for path in GRAPHS.glob("*.json"))
FORMS = {
    "as it is": lambda graph: graph,
    "unfolded": nf.unfold,
    "neurons": nf.explode,
    "neurons unfolded": lambda graph: nf.unfold(nf.explode(graph)),
    "operations": lambda graph: nf.explode(nf.explode(graph)),
    "operations unfolded": lambda graph: nf.unfold(nf.explode(nf.explode(graph))),
}


@pytest.fixture(params=FORMS, ids=str)
def graph(request):
    return FORMS[request.param](nf.load(GRAPHS / "xor.json"))


@pytest.mark.parametrize("name", NAMES)
def test_one_box_of_many_nodes_is_that_of_each(name):
    graph = nf.sample(name)
    boxes = Boxes(graph)
    assert all(boxes.of(key) == box(graph, key) for key in graph.nodes)


def test_nothing_overlaps(graph):
    for laid in (graph, tidy(graph)):
        assert laid.layout.keys() == laid.nodes.keys()
        assert not overlaps(laid)


@pytest.mark.parametrize("form", ["unfolded", "neurons unfolded"])
@pytest.mark.parametrize("name", ["xor", "iris", "four-layers"])
def test_views_of_a_backward_pass_lie_over_nothing(name, form):
    graph = FORMS[form](nf.load(GRAPHS / f"{name}.json"))
    later = sorted(backward_nodes(graph))
    for number, key in enumerate(later):
        out = graph.type_of(key).outputs
        if out and number % 2:
            view = ("panel", "bars", "table")[number % 3]
            port = CATALOG[view].inputs[0].name
            graph = graph.add(f"v{number}", view)
            graph = graph.connect(f"{key}.{out[0].name}", f"v{number}.{port}")
    assert not overlaps(tidy(graph))
    bare = replace(graph, layout={k: at for k, at in graph.layout.items() if k not in later})
    forward = {k: at for k, at in tidy(bare).layout.items() if k not in backward_nodes(graph)}
    laid = {**forward, **under(replace(graph, layout=forward), backward_nodes(graph))}
    assert not overlaps(replace(graph, layout=laid))


def test_overlaps_are_found():
    graph = nf.load(GRAPHS / "xor.json").move(hidden=(0, 0), data=(100, 60), cost=(180, 0))
    assert ("hidden", "data") in overlaps(graph)
    assert not any("cost" in pair and "hidden" in pair for pair in overlaps(graph))


def test_forward_goes_right_and_backward_goes_left(graph):
    later = backward_nodes(graph)
    for laid in (graph, tidy(graph)):
        at = laid.layout
        for wire in graph.wires:
            if graph.feeds_back(wire):
                continue
            if wire.source in later:
                assert at[wire.source][0] > at[wire.target][0], wire
            elif wire.target not in later:
                assert at[wire.source][0] < at[wire.target][0], wire
        if later:
            lowest = max(at[key][1] + box(graph, key).height for key in at if key not in later)
            assert min(at[key][1] for key in later) > lowest


def test_unfolding_leaves_the_forward_part_where_it_is():
    graph = nf.load(GRAPHS / "xor.json")
    wired = nf.unfold(graph)
    kept = {key: at for key, at in graph.layout.items() if key != "train"}
    assert {key: wired.layout[key] for key in kept} == kept
    assert wired.layout["hidden.delta"][0] <= wired.layout["hidden_a"][0]
    assert under(graph, []) == {}


def test_the_trunk_is_straight():
    graph = tidy(network("2-3-1", data="xor"))
    ys = [graph.layout[key][1] for key in ("hidden", "hidden_a")]
    assert max(ys) - min(ys) <= 20


@settings(max_examples=60, deadline=None)
@given(networks())
def test_any_graph_is_laid_out(graph):
    laid = tidy(graph)
    assert laid.layout.keys() == graph.nodes.keys()
    assert not overlaps(laid)
    assert tidy(laid) == laid
    assert min(x for x, _ in laid.layout.values()) == min(y for _, y in laid.layout.values()) == 0


def test_time_grows_with_the_graph():
    def seconds(layers):
        graph = network([4] * layers)
        start = thread_time()
        tidy(graph)
        return thread_time() - start

    seconds(5)
    assert min(seconds(400) for _ in range(3)) < 30 * min(seconds(40) for _ in range(3))


def test_empty_and_unfinished_graphs():
    assert tidy(nf.Graph()).layout == {}
    assert scene(nf.Graph()).bounds == (0, 0, 0, 0)
    graph = nf.Graph().add("sum", "weighted_sum").add("a", "sigmoid").connect("a.a", "sum.a")
    assert not overlaps(tidy(graph))
    assert set(scene(graph).nodes) == {"sum", "a"}


# --- boxes --------------------------------------------------------------------------------------


def test_a_box_has_a_row_for_each_port():
    graph = nf.load(GRAPHS / "xor.json")
    size = box(graph, "hidden")
    assert [port.name for port in size.inputs] == ["a", "weights", "bias"]
    assert size.height == HEADER + 3 * ROW + FOOT
    assert size.input("bias").y - size.input("a").y == 2 * ROW
    assert size.output("z").y == size.input("a").y


@pytest.mark.parametrize("count", [1, 2, MOST_ROWS, MOST_ROWS + 1])
def test_several_wires_into_a_port_have_rows_while_they_are_few(count):
    ones = [nf.constant(value=[1.0], id=f"x{n}") for n in range(count)]
    graph = nf.Graph.of(nf.add(*ones, id="sum"))
    rows = box(graph, "sum").inputs
    assert len(rows) == (count if count <= MOST_ROWS else 1)
    labels = [port.label for port in rows]
    assert labels[0] == {1: "a", MOST_ROWS + 1: f"a ×{MOST_ROWS + 1}"}.get(count, "a 1")


# --- scenes -------------------------------------------------------------------------------------


def test_wires_end_at_the_ports(graph):
    drawn = scene(graph)
    assert len(drawn.wires) == len(graph.wires)
    ports = {
        (port.x, port.y): port.address
        for node in drawn.nodes.values()
        for port in (*node.inputs, *node.outputs)
    }
    for view in drawn.wires:
        assert ports[view.start] == view.wire.start
        assert ports[view.end].partition("[")[0] == view.wire.end
        assert view.curve[0] == view.start
        assert view.curve[-1] == view.end


def test_many_curves_at_once_are_those_of_one(graph):
    drawn = scene(graph)
    bends, owners = curves(drawn.strokes)
    for number, stroke in enumerate(drawn.strokes):
        assert np.array_equal(bends[owners == number], pieces(stroke.curve))


def test_a_shifted_scene_is_that_of_the_moved_graph(graph):
    moved = graph.move(hidden_a=(0, 0)) if "hidden_a" in graph.nodes else graph.move(data=(0, 0))
    by = {
        key: (x - graph.layout[key][0], y - graph.layout[key][1])
        for key, (x, y) in moved.layout.items()
        if graph.layout[key] != (x, y)
    }
    assert by
    assert shifted(scene(graph), moved, by) == scene(moved)


def test_the_backward_pass_is_mirrored():
    drawn = scene(nf.unfold(nf.load(GRAPHS / "xor.json")))
    assert {port.side for port in drawn.nodes["hidden.delta"].inputs} == {1}
    assert {port.side for port in drawn.nodes["hidden"].inputs} == {-1}
    kinds = {str(view.wire): view.kind for view in drawn.wires}
    assert kinds["theta1.update.value -> theta1.next"] == "feedback"
    assert kinds["output.delta.delta -> theta2.gradient.delta"] == "backward"
    assert kinds["hidden.z -> hidden_a.z"] == "forward"


def test_values_stand_on_nodes():
    graph = nf.load(GRAPHS / "one-neuron.json")
    run = nf.Run(graph)
    run.advance("phase")
    drawn = scene(graph, {"sum.z": run["sum.z"]})
    assert drawn.nodes["sum"].foot == "1.2"
    assert drawn.nodes["w"].foot == "0.8"
    assert drawn.nodes["cost"].foot == "C = Σ e²"


def test_an_unknown_type_is_drawn_with_its_wires(tmp_path):
    text = (GRAPHS / "one-neuron.json").read_text(encoding="utf-8")
    path = tmp_path / "graph.json"
    path.write_text(text.replace('"type": "weighted_sum"', '"type": "fuzzy_sum"'), encoding="utf-8")
    graph = nf.load(path)
    drawn = scene(graph)
    assert drawn.nodes["sum"].problem == "there is no node type 'fuzzy_sum' here"
    assert len(drawn.wires) == len(graph.wires)
    assert not overlaps(tidy(graph))


def test_nodes_without_a_place_stand_below_the_others():
    graph = nf.load(GRAPHS / "xor.json").add("note", "panel")
    drawn = scene(graph)
    lowest = max(node.y + node.height for node in drawn.nodes.values() if node.key != "note")
    assert drawn.nodes["note"].y >= lowest


def test_texts_are_cut_where_they_do_not_fit():
    assert clipped("abcdef", 4) == "abc…"
    assert shortened("theta1.gradient", 9) == "thet…ient"
    assert shown(np.array([[1.0, -2.5]])) == "1, −2.5"
    assert shown(np.zeros((5, 7))) == "5×7"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_picture_is_well_formed_and_whole(graph, theme):
    root = ET.fromstring(svg(scene(graph), theme))
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    for key, node in graph.nodes.items():
        assert f"{key} ({node.type})" in titles
    for wire in graph.wires:
        assert str(wire) in titles


def test_texts_of_a_graph_are_escaped():
    graph = nf.Graph().add("x", "dataset", source="a<b & c").move(x=(0, 0))
    assert "a&lt;b &amp; c" in svg(scene(graph))


def test_groups_are_frames_around_their_nodes():
    from dataclasses import replace

    graph = nf.load(GRAPHS / "xor.json")
    group = {"title": "hidden layer", "nodes": ["hidden", "hidden_a", "gone"]}
    drawn = scene(replace(graph, groups={"one": group, "empty": {"nodes": []}}))
    (frame,) = drawn.groups
    node = drawn.nodes["hidden"]
    assert frame.title == "hidden layer"
    assert frame.x < node.x
    assert frame.y < node.y
    assert frame.y + frame.height > node.y + node.height


def luminance(colour):
    channels = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_contrast_is_that_of_the_accessibility_guidelines(theme):
    """WCAG 2.2: 4.5 for text, 3 for what carries meaning."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for ground in (theme.body, theme.canvas, *theme.families.values()):
        assert contrast(theme.text, ground) >= 4.5
        assert contrast(theme.faint, ground) >= 4.5
    for line in ("forward", "backward", "feedback", "selected", "problem", "positive", "negative"):
        assert contrast(getattr(theme, line), theme.canvas) >= 3
        assert contrast(getattr(theme, line), theme.body) >= 3


# --- how much of the screen it takes --------------------------------------------------------------


def extent(graph):
    left, top, right, bottom = scene(graph).bounds
    return right - left, bottom - top


def test_the_backward_pass_of_a_layered_network_stands_under_it():
    graph = nf.unfold(nf.load(GRAPHS / "wheat-seeds.json"))
    for forward, backward in (
        ("hidden", "hidden.delta"), ("output", "output.delta"), ("output_a", "output.blame"),
        ("cost", "cost.error"),
    ):  # fmt: skip
        assert graph.layout[forward][0] == graph.layout[backward][0]
    assert extent(graph)[0] < 2000


def test_the_neurons_of_a_large_layer_stand_in_rows():
    graph = nf.explode(network("784-30-10"))
    wide, high = extent(graph)
    assert wide < 4000
    assert high < 2500  # 6070 in one column a layer
    at = graph.layout
    for neuron in range(1, 15):
        (x, y), (beside, level) = at[f"theta1.{neuron}"], at[f"bias1.{neuron}"]
        assert level == y  # weights and bias of a neuron are neighbours
        assert beside > x
    rows = {y for key, (_, y) in at.items() if key.startswith("hidden.")}
    assert len(rows) == 15
    assert not overlaps(graph)
    assert tidy(graph) == graph


def test_neurons_stand_in_the_order_of_their_numbers():
    graph = nf.explode(network("4-12-1"))
    ys = [graph.layout[f"hidden.{number}"][1] for number in range(1, 13)]
    assert ys == sorted(ys)
