"""The ways of wires around nodes."""

from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nodeflow as nf
from nodeflow.editor.canvas import hits
from nodeflow.editor.canvas.hits import next_wire, node_at, port_at, prepare, wire_at, wires_at
from nodeflow.editor.state.model import Editor
from nodeflow.export.svg import svg
from nodeflow.networks import network
from nodeflow.routing import (
    Ends,
    along,
    covering,
    line,
    longest_run,
    path,
    pieces,
    routes,
    straight,
    ways,
)
from nodeflow.routing.curves import curves as at_once
from nodeflow.routing.curves import sampled
from nodeflow.scene import AT_ONCE, routed, scene, shifted
from nodeflow.scene import pieces as scene_pieces
from nodeflow.scene.changes import change_between
from nodeflow.wires import curves

GRAPHS = Path(__file__).parent.parent / "graphs"
NAMES = ["xor", "wheat-seeds", "wheat-seeds-neurons-unfolded", "lambda-twins", "slopes", "iris"]
CASES = [(name, "as it is") for name in NAMES] + [
    (name, form) for name in ("xor", "wheat-seeds") for form in ("unfolded", "neurons unfolded")
]
FORMS = {
    "as it is": lambda graph: graph,
    "unfolded": nf.unfold,
    "neurons unfolded": lambda graph: nf.unfold(nf.explode(graph)),
}


def over(points, boxes):
    """Return how many of many points of a way lie inside a node, by the formula."""
    t = np.linspace(0.01, 0.99, 60)[:, None]
    left, top, right, bottom = np.array(boxes, float).T
    found = 0
    for first in range(0, len(points) - 1, 3):
        a, b, c, d = np.array(points[first : first + 4])
        at = a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
        x, y = at[:, :1], at[:, 1:]
        inside = (left + 3 < x) & (x < right - 3) & (top + 3 < y) & (y < bottom - 3)
        found += int(inside.any(axis=1).sum())
    return found


@pytest.mark.parametrize(("name", "form"), CASES)
def test_wires_go_around_nodes(name, form):
    graph = nf.load(GRAPHS / f"{name}.json")
    drawn = scene(FORMS[form](graph))
    boxes = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in drawn.nodes.values()]
    for view in drawn.wires:
        assert view.curve[0] == view.start
        assert view.curve[-1] == view.end
        if view.around:
            assert over(view.curve, boxes) == 0, str(view.wire)
        before = view._replace(parts=()).curve
        assert view.around or over(before, boxes) <= 2, str(view.wire)  # between two samples


def test_the_same_places_give_the_same_ways():
    drawn = scene(nf.load(GRAPHS / "wheat-seeds-neurons-unfolded.json"))
    ways._found.cache_clear()
    again = scene(nf.load(GRAPHS / "wheat-seeds-neurons-unfolded.json"))
    assert drawn.wires == again.wires
    assert sum(bool(view.around) for view in drawn.wires) > 50


def test_a_picture_has_the_ways_of_the_window():
    drawn = scene(nf.unfold(nf.load(GRAPHS / "xor.json")))
    text = svg(drawn)
    assert any(view.around for view in drawn.wires)
    assert all(path(view.curve) in text for view in drawn.wires)
    bends, owners = curves(drawn.strokes)
    for number, stroke in enumerate(drawn.strokes):
        assert np.array_equal(bends[owners == number], pieces(stroke.curve))


def test_a_node_that_is_dropped_on_a_wire_moves_the_wire():
    graph = nf.load(GRAPHS / "xor.json")
    old = scene(graph)
    number = next(n for n, view in enumerate(old.wires) if str(view.wire) == "output_a.a -> cost.a")
    start, end = old.wires[number].start, old.wires[number].end
    view = old.nodes["theta1"]
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    by = round(middle[0] - view.x - view.width / 2), round(middle[1] - view.y - view.height / 2)
    moved = graph.move(theta1=(view.x + by[0], view.y + by[1]))
    new = shifted(old, moved, {"theta1": by})
    assert new.wires == scene(moved).wires
    stood = [one for one, two in zip(old.wires, new.wires, strict=True) if one is two]
    assert stood


def test_wires_of_one_port_share_their_way():
    """What leaves a rate for all updates is one line for most of its length."""
    drawn = scene(nf.unfold(nf.explode(nf.load(GRAPHS / "wheat-seeds.json"))))
    verticals = {
        (x0, view.wire.start)
        for view in drawn.wires
        if view.around and view.wire.start == "train.rate.value"
        for (x0, _), (x1, _) in zip(view.around[::3], view.around[3::3], strict=False)
        if x0 == x1
    }
    assert 1 <= len(verticals) <= 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=2, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from((-1, 1)),
                       st.sampled_from((-1, 1))), min_size=1, max_size=8),
)  # fmt: skip
def test_a_way_never_covers_more_than_the_curve_did(corners, wanted):
    boxes = np.array([(x, y, x + 180, y + 90) for x, y in corners], float)

    def port(number, side):
        left, top, right, _ = boxes[number % len(boxes)].tolist()
        return (right if side > 0 else left), top + 40

    wires = [Ends(port(a, s), port(b, t), s, t, f"n{a}.{s}") for a, b, s, t in wanted]
    over_ = covering.Cells(boxes)
    for number, way in routes(boxes, wires).single.items():
        end = wires[number]
        curve = pieces(straight(end.start, end.end, end.leaves, end.enters))
        assert (len(way) - 1) % 3 == 0
        assert (way[0], way[-1]) == (end.start, end.end)
        assert over_.covered(sampled(pieces(way))).sum() <= over_.covered(sampled(curve)).sum()


@given(*[st.integers(-5000, 5000)] * 4, *[st.sampled_from((-1, 1))] * 2)
def test_one_wire_that_goes_straight_is_as_many_are(x0, y0, x1, y1, leaves, enters):
    (many,) = at_once(np.array([[x0, y0, x1, y1, leaves, enters]], float))
    assert np.array(straight((x0, y0), (x1, y1), leaves, enters)).tobytes() == many.tobytes()


def test_what_runs_along_a_way_runs_at_one_speed():
    way = next(v.around for v in scene(nf.unfold(nf.load(GRAPHS / "xor.json"))).wires if v.around)
    points = np.array([along(way, share) for share in np.linspace(0, 1, 200)])
    steps = np.hypot(*np.diff(points, axis=0).T)
    assert steps.max() < 1.02 * np.hypot(*np.diff(np.array(line(way)), axis=0).T).sum() / 199
    assert tuple(points[0]) == way[0]
    assert np.allclose(points[-1], way[-1])
    (x, y), room = longest_run(way)
    assert any(y0 == y1 == y and abs(x1 - x0) == room and min(x0, x1) <= x <= max(x0, x1)
               for (x0, y0), (x1, y1) in zip(way[::3], way[3::3], strict=False))  # fmt: skip


def test_nothing_to_go_around():
    def single(boxes, *wires):
        return routes(np.array(boxes, float).reshape(-1, 4), wires).single

    assert single([]) == {}
    assert single([[0, 0, 10, 10]], Ends((10, 5), (100, 5), 1, -1, "a.b")) == {}
    far = [[0, 0, 180, 90], [2e9, 2e9, 2e9 + 180, 2e9 + 90]]
    assert single(far, Ends((180, 40), (2e9, 2e9 + 40), 1, -1, "a.b")) == {}


# --- bundles ------------------------------------------------------------------------------------


def neurons(layers="8-30-20-9", unfolded=False):
    graph = nf.explode(network(layers))
    return nf.unfold(graph) if unfolded else graph


def test_wires_between_two_layers_run_together():
    drawn = scene(neurons())
    trunks = {stroke.text: stroke for stroke in drawn.strokes if stroke.part == "trunk"}
    assert set(trunks) == {
        "600 wires: hidden1_a.*.a → hidden2.*.a", "180 wires: hidden2_a.*.a → output.*.a"
    }  # fmt: skip
    for stroke in trunks.values():
        count, _ = stroke.text.split(" ", 1)
        assert len(stroke.wires) == int(count)
        assert 4 < stroke.thickness < 12
        starts = {view.wire.start for view in stroke.wires}
        ends = {view.wire.target for view in stroke.wires}
        own = [one for one in drawn.strokes if one.wires[0].bundle == stroke.wires[0].bundle]
        # A strand for each port and a trunk: that is all that is drawn of so many wires.
        assert len(own) == 1 + len(starts) + len(ends)


def test_a_wire_of_a_bundle_leads_from_port_to_port():
    drawn = scene(neurons())
    boxes = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in drawn.nodes.values()]
    bundled = [view for view in drawn.wires if view.bundle]
    assert len(bundled) == 30 * 20 + 20 * 9
    for view in bundled[::17]:
        assert view.curve[0] == view.start
        assert view.curve[-1] == view.end
        for first, then in zip(view.parts, view.parts[1:], strict=False):
            assert first[-1] == then[0]
        assert over(view.curve, boxes) == 0, str(view.wire)
        assert view.bounds[0] <= view.start[0]
        assert along(view.curve, 1.0) == pytest.approx(view.end)


def test_few_wires_and_pairs_go_each_its_own_way():
    drawn = scene(nf.explode(network("4-5-3")))  # 15 wires between the layers
    assert not any(view.bundle for view in drawn.wires)
    drawn = scene(neurons())
    pairs = [view for view in drawn.wires if view.wire.input == "z"]
    assert len(pairs) > 50
    assert not any(view.bundle for view in pairs)


def wired(sources, targets):
    """Return a graph in which each source enters each target, in columns."""
    graph = nf.Graph()
    for key in sources:
        graph = graph.add(key, "constant", value=[1.0])
    for key in targets:
        graph = graph.add(key, "concatenate")
        for source in sources:
            graph = graph.connect(f"{source}.value", f"{key}.a")
    return graph


def test_wires_from_frame_to_frame_run_together():
    sources, targets = ("ape", "bee", "cat", "dog", "eel"), ("ash", "box", "elm", "fir", "oak")
    graph = wired(sources, targets)
    assert not any(view.bundle for view in scene(graph).wires)
    framed = replace(
        graph,
        groups={"one": {"nodes": sources, "title": "animals"}, "two": {"nodes": targets}},
    )
    assert {view.bundle for view in scene(framed).wires} == {"animals → two"}


def test_layers_of_one_name_are_told_apart_by_where_they_stand():
    names = [[f"n{layer}{n}" for n in range(6)] for layer in range(1, 4)]
    graph = wired(names[0], names[1])
    for key in names[2]:
        graph = graph.add(key, "concatenate")
        for source in names[1]:
            graph = graph.connect(f"{source}.value", f"{key}.a")
    bundles = {view.bundle for view in scene(graph).wires}
    assert bundles == {"n*.value → n*.a (1)", "n*.value → n*.a (2)"}


def test_the_pointer_finds_each_wire_of_a_bundle():
    drawn = scene(neurons())
    trunk = next(stroke for stroke in drawn.strokes if stroke.part == "trunk")
    middle = along(trunk.curve, 0.5)
    there = wires_at(drawn, middle, 5.0)
    assert set(there) == {view.wire for view in trunk.wires}
    seen, wire = [], None
    for _ in there:
        wire = next_wire(drawn, middle, 5.0, wire)
        assert wire_at(drawn, middle, 5.0, wire) == wire  # pointing at it keeps it
        seen.append(wire)
    assert seen == list(there)
    assert next_wire(drawn, middle, 5.0, wire) == there[0]
    strand = next(one for one in drawn.strokes if one.part == "start" and one.wires[0].parts[0])
    at = along(strand.curve, 0.1)
    assert {wire.start for wire in wires_at(drawn, at, 5.0)} == {strand.wires[0].wire.start}


def test_a_picture_draws_a_bundle_once():
    drawn = scene(neurons())
    text = svg(drawn)
    assert text.count('<path d="M') < len(drawn.strokes) + 4 * len(drawn.nodes)
    trunk = next(stroke for stroke in drawn.strokes if stroke.part == "trunk")
    assert text.count(path(trunk.curve)) == 1
    assert "<title>600 wires: hidden1_a.*.a → hidden2.*.a</title>" in text


def test_wires_to_a_node_that_stands_behind_its_sources_go_singly():
    graph = neurons("4-9-8-3")
    placed = scene(graph)
    there = {key: (view.x, view.y) for key, view in placed.nodes.items()}
    assert {view.wire.target for view in (one for one in placed.wires if one.bundle)} == {
        f"hidden2.{n}" for n in range(1, 9)
    } | {f"output.{n}" for n in range(1, 4)}
    there["hidden2.1"] = there["hidden1_a.1"][0] - 900, there["hidden2.1"][1]
    behind = scene(graph.move(**there))
    alone = [view for view in behind.wires if view.wire.target == "hidden2.1"]
    assert not any(view.bundle for view in alone)
    assert all(view.curve[0] == view.start for view in behind.wires)


def drop(old, graph, key, by):
    placed = {name: (view.x, view.y) for name, view in old.nodes.items()}
    graph = graph.move(**placed)
    x, y = placed[key]
    moved = graph.move(**{key: (x + by[0], y + by[1])})
    return moved, shifted(old, moved, {key: by})


def test_a_drop_among_many_wires_does_not_wait_for_ways():
    graph = neurons()
    old = scene(graph)
    assert len(old.strokes) > AT_ONCE
    moved, dropped = drop(old, graph, "hidden1_a.7", (40, 130))
    assert not dropped.is_routed
    stood = [one for one, two in zip(old.wires, dropped.wires, strict=True) if one is two]
    assert len(stood) > 900
    for view in dropped.wires:  # each still leads from port to port
        assert view.curve[0] == view.start
        assert view.curve[-1] == view.end
    bends, owners = curves(dropped.strokes)
    assert np.array_equal(dropped.curves, bends)
    assert np.array_equal(dropped.owners, owners)
    after = routed(dropped, moved)
    assert after.is_routed
    assert after.wires == scene(moved).wires
    assert after.strokes == scene(moved).strokes


def test_a_scene_knows_how_it_differs_from_the_one_that_it_was_made_of():
    """And so it is, found by looking at all of both; what was found out of it is the same, too."""
    graph = neurons()
    old = scene(graph)
    prepare(old)
    moved, dropped = drop(old, graph, "hidden1_a.7", (40, 130))
    for before, after in ((old, dropped), (dropped, routed(dropped, moved))):
        known, looked = after.known_change(before), change_between(before, after)
        assert known is not None
        assert known.nodes == looked.nodes
        assert np.array_equal(known.same, looked.same)
        assert np.array_equal(known.known, looked.known)
        assert known.gone == looked.gone
        again = replace(after)
        assert again.known_change(before) is None
        for name in ("boxes", "spans", "hulls", "weighted"):
            assert np.array_equal(getattr(after, name), getattr(again, name)), name
        for name in ("bounds", "numbers", "strokes_of", "strokes_from", "wire_numbers_of"):
            assert getattr(after, name) == getattr(again, name), name
    assert dropped.known_change(scene(graph)) is None


def test_a_drop_looks_at_what_the_node_touches_alone(monkeypatch):
    """Of all the ports and nodes of a large scene none is looked at again."""
    graph = neurons()
    old = scene(graph)
    prepare(old)
    port = old.nodes["hidden1_a.7"].outputs[0]
    _, dropped = drop(old, graph, "hidden1_a.7", (40, 130))
    asked = []
    monkeypatch.setattr(hits, "_indexed", asked.append)
    monkeypatch.setattr(scene_pieces, "boxes", asked.append)
    monkeypatch.setattr(scene_pieces, "change_between", lambda *both: asked.append(both))
    found = port_at(dropped, (port.x + 40, port.y + 130), 3.0)
    assert found == (dropped.nodes["hidden1_a.7"].outputs[0], True)
    assert port_at(dropped, (port.x, port.y), 3.0) is None
    assert node_at(dropped, (port.x + 30, port.y + 130)) == "hidden1_a.7"
    for view in dropped.nodes.values():
        for one in view.inputs[:1]:
            assert port_at(dropped, (one.x, one.y), 0.5) == (one, False)
    assert dropped.bounds
    assert dropped.change(old).nodes
    assert not asked


def test_nodes_that_are_dropped_one_after_the_other_take_their_wires_along():
    """The second has wires to the first, which have moved once already."""
    graph = neurons("4-25-25-3")
    now = drawn = scene(graph)
    all_moved = {}
    for number, key in enumerate(("hidden1.3", "hidden2.7", "hidden1.3")):
        by = 40 * (number + 1), -20
        x, y = graph.layout[key]
        graph = graph.move(**{key: (x + by[0], y + by[1])})
        now = shifted(now, graph, {key: by})
        before = all_moved.get(key, (0, 0))
        all_moved[key] = before[0] + by[0], before[1] + by[1]
    for view, start in zip(now.wires, drawn.wires, strict=True):
        ahead, behind = (all_moved.get(k, (0, 0)) for k in (view.wire.source, view.wire.target))
        assert view.start == (start.start[0] + ahead[0], start.start[1] + ahead[1])
        assert view.end == (start.end[0] + behind[0], start.end[1] + behind[1])
    bends, _ = curves(now.strokes)
    assert np.array_equal(now.curves, bends)
    assert np.array_equal(now.boxes, scene(graph).boxes)
    after = routed(now, graph)
    assert after.strokes == scene(graph).strokes
    assert np.array_equal(after.curves, scene(graph).curves)


def test_a_drop_finds_nothing_out_again_that_it_leaves_as_it_is():
    graph = neurons("4-25-25-3")
    drawn = scene(graph)
    x, y = graph.layout["hidden1.3"]
    moved = graph.move(**{"hidden1.3": (x + 40, y)})
    assert moved.incoming is graph.incoming
    assert moved.types is graph.types
    dropped = shifted(drawn, moved, {"hidden1.3": (40, 0)})
    after = routed(dropped, moved)
    same = sum(one is two for one, two in zip(dropped.strokes, after.strokes, strict=True))
    assert same > 0.8 * len(after.strokes)


def test_an_edit_that_moves_nothing_leaves_a_large_scene_as_it_is():
    editor = Editor.of(neurons("4-25-25-3"))
    edited = editor.edited(replace(editor.graph, extra={"note": 1}), "note")
    assert edited.drawn is editor.drawn
    assert edited.drawn.is_routed


def test_a_wire_of_a_bundle_is_found_by_its_name():
    drawn = scene(neurons("4-9-8-3"))
    for view in drawn.wires:
        assert drawn.bundled(str(view.wire)) is (view if view.bundle else None)
    assert drawn.bundled("") is drawn.bundled("no.a -> wire.z") is None


def test_what_is_drawn_grows_with_the_ports_and_not_with_the_wires():
    """Twice as many neurons have four times as many wires between them."""
    small, large = scene(neurons("4-25-25-3")), scene(neurons("4-100-100-3"))
    assert len(large.wires) > 10 * len(small.wires) > 7_000
    assert len(large.strokes) < 4.5 * len(small.strokes)


def test_time_grows_with_the_graph():
    def seconds(layers):
        graph = nf.unfold(network([4] * layers))
        drawn = scene(graph)
        boxes = np.array([(n.x, n.y, n.x + n.width, n.y + n.height) for n in drawn.nodes.values()],
                         float)  # fmt: skip
        ends = [
            Ends(w.start, w.end, w.leaves, w.enters, w.wire.start, w.wire.target, w.bundle)
            for w in drawn.wires
        ]
        best = 9.0
        for _ in range(3):
            ways._found.cache_clear()
            start = process_time()
            routes(boxes, ends)
            best = min(best, process_time() - start)
        return best

    # Ten times as much: about 25 times the time; looking at every pair would take 100.
    assert seconds(60) < 40 * seconds(6)
