"""What moves in slow motion, without a window."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import net

import nodeflow as nf
from nodeflow.editor.playing.motion import MOST, Traffic, motion
from nodeflow.editor.playing.timeline import Timeline, curve, share_of, speed_at, speed_text
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.playback.state import Playback
from nodeflow.workings.shown import show

GRAPH = net("xor", (2, 2, 1), scale="none", rate=0.5, batch=1)


@pytest.fixture
def player():
    """Return a function that tells the editor of a graph after each step."""

    def played(graph):
        worker = Worker()
        worker.start(graph)
        editor = Editor.of(graph)
        while True:
            worker.step("step")
            yield replace(editor, live=worker.live())

    return played


def test_values_come_along_the_wires_of_the_node_that_is_lit(player):
    for editor in player(GRAPH):
        step, seen = editor.live.playback.step, motion(editor)
        if step.node == "hidden1":
            break
    assert (seen.lit, seen.phase) == ("hidden1", "forward")
    assert {str(token.wire.wire) for token in seen.tokens} == {
        "data.x -> hidden1.a",
        "theta1.value -> hidden1.weights",
        "b1.value -> hidden1.bias",
    }
    assert {token.kind for token in seen.tokens} == {"forward"}
    token = next(token for token in seen.tokens if token.wire.wire.start == "data.x")
    assert token.text == ", ".join(f"{x:.3g}" for x in step.inputs["a"].ravel())
    assert token.at(0.0) == token.wire.start
    assert token.at(1.0) == token.wire.end


@pytest.mark.parametrize("graph", [GRAPH, nf.unfold(GRAPH), nf.sample("iris")])
def test_many_tokens_are_where_each_of_them_is(player, graph):
    """On straight wires and on those that go around nodes, with and against them."""
    tokens = []
    for editor in player(graph):
        tokens += motion(editor).tokens
        if editor.live.playback.step.update:
            break
    assert len(tokens) > 10
    for share in (0.0, 0.3, 0.5, 0.9, 1.0):
        found = Traffic(tokens).at(share, len(tokens))
        assert found == pytest.approx(np.array([token.at(share) for token in tokens]), abs=1e-9)


def test_blame_runs_against_the_wires_of_a_folded_graph(player):
    """δ of a layer arrives at its z, from the activation that was fed by it."""
    reached = {}
    for editor in player(GRAPH):
        step = editor.live.playback.step
        if step.update:
            break
        if step.phase != "forward":
            reached[step.node] = motion(editor), step
    whole = nf.unfold(GRAPH)
    run = nf.Run(GRAPH)
    delta = run.plan.unfolding.gradients["output.z"].rpartition(".")[0]
    seen, step = reached[delta]
    assert seen.lit == "output"
    (token,) = seen.tokens
    assert (str(token.wire.wire), token.kind, token.against) == (
        "output.z -> output.a.z", "blame", True,
    )  # fmt: skip
    assert token.text == show(step.outputs["delta"].item())
    assert token.at(0.0) == token.wire.end
    assert token.heading == -1
    assert all(seen.lit in GRAPH.nodes for seen, _ in reached.values())
    updates = list(whole.of_type("weight_update"))
    assert {reached[key][0].lit for key in updates} == set(GRAPH.of_type("parameter"))


def test_an_update_shows_the_old_the_new_and_the_difference(player):
    for editor in player(GRAPH):
        step = editor.live.playback.step
        if step.type == "weight_update" and step.outputs["value"].size == 1:
            break
    before, after = step.inputs["parameter"].item(), step.outputs["value"].item()
    change = f"{after - before:+.2g}".replace("-", "−")
    expected = f"{show(before)} → {show(after)}  ({change})"
    assert motion(editor).change == expected


def test_wires_are_as_thick_as_their_blame(player):
    for editor in player(nf.unfold(GRAPH)):
        step = editor.live.playback.step
        if step.update == 1 and step.phase == "backward":
            break
    widths, bearing = motion(editor).widths, motion(editor).bearing
    values = editor.live.values
    backward = [w for w in editor.drawn.wires if w.kind == "backward" and w.wire in bearing]
    sizes = [np.abs(values[view.wire.start]).max() for view in backward]
    order = np.argsort(sizes)
    thick = [widths[backward[place].wire.start] for place in order]
    assert thick == sorted(thick)
    assert thick[-1] > thick[0]


def test_a_closed_group_is_lit_for_what_is_in_it(player):
    groups = {"layer": {"nodes": ["hidden1", "hidden1.a"], "closed": True, "title": "layer"}}
    for editor in player(replace(GRAPH, groups=groups)):
        if editor.live.playback.step.node == "hidden1":
            break
    assert motion(editor).lit == "layer"


def test_there_are_never_more_tokens_than_can_be_followed(player):
    x = nf.constant(value=[[0.1] * 2], id="x")
    graph = nf.Graph.of(nf.add(*[nf.multiply(x, float(i)) for i in range(90)], id="sum"))
    for editor in player(graph):
        if editor.live.playback.step.node == "sum":
            break
    assert len(motion(editor).tokens) == MOST


def test_nothing_moves_before_the_first_step():
    assert motion(Editor.of(GRAPH)).tokens == ()


# --- the timeline -------------------------------------------------------------------------------


@given(number=st.integers(1, 4200))
def test_every_moment_has_a_place_on_the_bars(number):
    bars = Timeline(Playback(number=number, end=4200, per_epoch=420))
    assert bars.epochs == 10
    assert bars.at_fine(bars.fine) == number
    assert bars.at_whole(bars.whole) in (
        math.floor(number / 420 + 0.5) * 420, math.ceil(number / 420 - 0.5) * 420,
    )  # fmt: skip
    assert 0 <= bars.fine <= 1


def test_the_ends_of_the_bars_are_the_ends_of_the_run():
    bars = Timeline(Playback(number=5, end=1000, per_epoch=420))
    assert bars.at_whole(0.0) == bars.at_whole(-3.0) == 0
    assert bars.at_whole(1.0) == 1000
    assert bars.at_fine(1.0) == 420


def test_the_curve_keeps_peaks_of_a_long_run():
    rows = np.zeros((10_000, 4))
    rows[:, 0] = np.linspace(1.0, 0.2, 10_000)
    rows[7_003, 0] = 5.0
    found = [tuple(point) for point in curve(rows, 10_000, 200).tolist()]
    assert len(found) <= 600
    peak = max(found, key=lambda point: point[1])
    assert peak == (pytest.approx(7_004 / 10_000), 1.0)
    assert found == sorted(found)
    assert curve(rows[:0], 10, 200).shape == (0, 2)


@given(share=st.floats(0, 1))
def test_the_speed_slider_goes_from_a_node_in_four_seconds_to_full_speed(share):
    speed = speed_at(share)
    assert 0.25 <= speed <= math.inf
    assert share_of(speed) == pytest.approx(share if share < 0.94 else 1.0 if share >= 1 else 0.94)


def test_speeds_in_words():
    assert speed_text(0.25) == "a step in 4 s"
    assert speed_text(1.0) == "1 step a second"
    assert speed_text(math.inf) == "full speed"
    assert (speed_at(0.0), speed_at(1.0)) == (0.25, math.inf)


def test_a_live_without_a_run_has_a_playback():
    assert Live().playback.place == ""
