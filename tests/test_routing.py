"""The ways of wires around nodes."""

from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nodeflow as nf
from nodeflow import routing
from nodeflow.export.svg import svg
from nodeflow.networks import network
from nodeflow.routing import Ends, along, line, longest_run, path, pieces, ways
from nodeflow.scene import curves, scene, shifted

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
        before = replace(view, around=()).curve
        assert view.around or over(before, boxes) <= 2, str(view.wire)  # between two samples


def test_the_same_places_give_the_same_ways():
    drawn = scene(nf.load(GRAPHS / "wheat-seeds-neurons-unfolded.json"))
    routing._found.cache_clear()
    again = scene(nf.load(GRAPHS / "wheat-seeds-neurons-unfolded.json"))
    assert drawn.wires == again.wires
    assert sum(bool(view.around) for view in drawn.wires) > 50


def test_a_picture_has_the_ways_of_the_window():
    drawn = scene(nf.unfold(nf.load(GRAPHS / "xor.json")))
    text = svg(drawn)
    assert any(view.around for view in drawn.wires)
    assert all(path(view.curve) in text for view in drawn.wires)
    bends, owners = curves(drawn.wires)
    for number, view in enumerate(drawn.wires):
        assert np.array_equal(bends[owners == number], pieces(view.curve))


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
    over_ = routing._Cells(boxes)
    for number, way in ways(boxes, wires).items():
        end = wires[number]
        straight = routing.curves(np.array([[*end.start, *end.end, end.leaves, end.enters]], float))
        assert (len(way) - 1) % 3 == 0
        assert (way[0], way[-1]) == (end.start, end.end)
        assert (
            over_.covered(routing._sampled(pieces(way))).sum()
            <= over_.covered(routing._sampled(straight)).sum()
        )


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
    assert ways(np.zeros((0, 4)), []) == {}
    assert ways(np.array([[0.0, 0, 10, 10]]), [Ends((10, 5), (100, 5), 1, -1, "a.b")]) == {}
    far = np.array([[0.0, 0, 180, 90], [2e9, 2e9, 2e9 + 180, 2e9 + 90]])
    assert ways(far, [Ends((180, 40), (2e9, 2e9 + 40), 1, -1, "a.b")]) == {}


def test_a_drop_among_very_many_wires_does_not_wait_for_ways():
    old = scene(nf.explode(network("8-60-50-9")))
    assert len(old.wires) > routing.MOST
    assert not any(view.around for view in old.wires)
    key = "hidden.7" if "hidden.7" in old.nodes else next(iter(old.nodes))
    graph = nf.explode(network("8-60-50-9"))
    x, y = graph.layout[key]
    moved = graph.move(**{key: (x + 40, y + 13)})
    new = shifted(old, moved, {key: (40, 13)})
    assert new.wires == scene(moved).wires
    assert np.array_equal(new.curves, scene(moved).curves)
    assert np.array_equal(new.owners, np.arange(len(new.wires)))


def test_time_grows_with_the_graph():
    def seconds(layers):
        graph = nf.unfold(network([4] * layers))
        drawn = scene(graph)
        boxes = np.array([(n.x, n.y, n.x + n.width, n.y + n.height) for n in drawn.nodes.values()],
                         float)  # fmt: skip
        ends = [Ends(w.start, w.end, w.leaves, w.enters, w.wire.start) for w in drawn.wires]
        best = 9.0
        for _ in range(3):
            routing._found.cache_clear()
            start = process_time()
            ways(boxes, ends)
            best = min(best, process_time() - start)
        return best

    assert seconds(60) < 25 * seconds(6)
