"""The same number reads the same wherever a person meets it."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.editor.canvas.faces import foot
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.documents.exporting import kept
from nodeflow.editor.panels.working import working
from nodeflow.editor.playing.motion import token_text
from nodeflow.editor.playing.slowmotion import watch_rows
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.messages import RunUpdate
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update
from nodeflow.export.svg import svg
from nodeflow.scene import scene, shown
from nodeflow.theme import THEMES
from nodeflow.window.platform.fonts import fitted_list
from nodeflow.workings.shown import (
    changed,
    compact,
    duration,
    listed,
    precise,
    rough,
    show,
    signed,
    span,
    weighed,
)

ROOT = Path(__file__).parent.parent
WEIGHT = -0.50218364


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.5, "0.5"), (-0.0, "0"), (WEIGHT, "−0.5022"), (0.00012345678, "0.0001235"),
        (1.25e-7, "1.25e−07"), (60_000, "60000"), (12345.678912, "12345.6789"),
        (999_999.5, "999999.5"), (1_234_567, "1.235e+06"), (math.inf, "Infinity"),
        (-math.inf, "−Infinity"), (math.nan, "NaN"), (0.09999999, "0.1"), (9999.99999, "10000"),
    ],
)  # fmt: skip
def test_a_number_is_written_with_four_decimals_or_four_digits(number, text):
    assert show(number) == text


def test_every_way_to_write_numbers_is_made_of_that_one():
    assert signed(WEIGHT) == "−0.5022"
    assert signed(0.25) == "+0.25"


def test_a_wire_says_what_it_carries_and_by_what_that_is_multiplied():
    """Not the weight alone, which another wire carries; what is too long for its gap goes."""
    assert weighed(0.8, 1.5) == "1.5 × 0.8"
    assert weighed(0.8) == "× 0.8"
    assert weighed(WEIGHT, 0.42671) == "× −0.5022"
    graph = nf.load(ROOT / "graphs/one-neuron-unfolded.json")
    values = {"x.value": np.array([[1.5]])}
    for known, text in (({}, "× 0.8"), (values, "1.5 × 0.8")):
        picture = "".join(svg(scene(graph, values=known), THEMES["dark"]))
        assert f">{text}<" in picture
        assert picture.count(">+0.8<") == 1
    assert listed(np.array([[0.25], [WEIGHT]])) == "0.25, −0.5022"
    assert span(np.array([WEIGHT, 0.25, 0.0])) == "−0.5022 … 0.25"
    assert changed(WEIGHT, 0.25) == "−0.5022 → 0.25"
    assert rough(-0.0012345) == "−0.0012"
    assert precise(WEIGHT) == "−0.502184"
    assert (compact(WEIGHT), compact(12.3456), compact(0.0001)) == ("−0.50", "12.3", "0.0001")


@pytest.fixture(scope="module")
def editor():
    """Return an editor whose run stands behind the first weighted sum of an update."""
    graph = nf.load(ROOT / "graphs" / "one-neuron.json")
    worker, editor = Worker(), Editor.of(graph)
    worker.start(editor.graph)
    worker.train(7)
    while worker.running:
        worker.passed()
    worker.watch("w.value")
    while True:
        worker.step("step")
        editor = update(editor, RunUpdate(worker.live()))
        if editor.live.playback.step.type == "weighted_sum":
            return editor


def test_the_same_weight_reads_the_same_on_node_wire_card_tooltip_and_picture(editor):
    value = editor.live.values["w.value"]
    text = show(value.item())
    assert len(text.lstrip("−")) >= 6, "a weight with several decimals shows what is left out"
    sum_ = editor.live.playback.step.node
    wire = next(str(wire) for wire in editor.graph.wires if wire.start == "w.value")
    assert str(wire).endswith(f"{sum_}.weights")

    node = foot(editor.drawn.nodes["w"], value).choices[0]
    wire_text, token = listed(value), token_text(value)
    (watched,) = (row.value for row in watch_rows(editor.live) if row.address == "w.value")
    assert {node, wire_text, token, watched} == {text}

    assert text in working(editor, sum_)
    lines = overlay(replace(editor, hover=f"wire:{wire}")).tooltip[1]
    assert lines[1] == text

    trained = kept(editor.graph, editor.live.weights)
    drawn = scene(trained)
    assert shown(value) == text == drawn.nodes["w"].field.text
    picture = "".join(svg(drawn, THEMES["dark"]))
    assert f">{text}<" in picture
    assert f">{signed(value.item())}<" in picture


def test_of_a_list_without_room_whole_numbers_are_left_out(monkeypatch):
    monkeypatch.setattr("nodeflow.window.platform.fonts.width", lambda text, _: float(len(text)))
    text = "0.0007507, 0.0412, −2"
    whole = float(len(text))
    assert fitted_list(text, None, whole) == text
    assert fitted_list(text, None, whole - 1) == "0.0007507, 0.0412, …"
    assert fitted_list(text, None, whole * 0.6) == "0.0007507, …"


def test_no_other_module_of_the_editor_or_the_window_chooses_digits_by_itself():
    """Shares, durations and what is rounded to be computed with are no values of the network."""
    by_hand = re.compile(r"(?<!float\(f\"\{10\*\*power):[+,]?\.\d[ge]\}")
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("editor", "window")
        for file in (ROOT / "nodeflow" / folder).rglob("*.py")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if by_hand.search(line) and "relative" not in line
    ]
    assert not found, "\n".join(found)


ELSEWHERE = {
    "editor/playing/timeline.py": "steps a second",
    "editor/canvas/gestures.py": "rounds what is dragged",
    "editor/canvas/inplace.py": "rounds what is dragged",
    "window/panels/training.py": "rounds what is dragged",
    "window/canvas/canvas.py": "a key of a zoom",
    "editor/run/session.py": "so many times as long",
    "terminal/explanations.py": "so many times as long",
    "terminal/sweepplot.py": "numbers of an axis",
    "views/plot.py": "a whole number",
    "views/marks.py": "shares in a cell, which has little room",
    "explain/sentences.py": "whole percent, in a sentence",
    "explain/attribution.py": "whole percent, in a sentence",
    "explain/quality.py": "R²",
    "explain/simplify.py": "a constant of a formula, with all its digits",
}
"""Where decimals are written, beside `workings/shown.py`, and what of."""


def test_decimals_are_written_in_one_place():
    folders = ("editor", "window", "views", "terminal", "playback", "lessons", "explain")
    package = Path(nf.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for folder in folders
        for path in (package / folder).rglob("*.py")
        if re.search(r":[<>]?\d*,?\.\d+[efg%]", path.read_text("utf-8"))
    }
    assert found == ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"), (3.52e-5, "35.2 µs"), (0.0009999, "1 ms"), (0.4123, "412 ms"),
        (0.9999, "1 s"), (2.3149, "2.31 s"), (87.6, "87.6 s"), (154.2, "154 s"), (730, "12 min"),
    ],
)  # fmt: skip
def test_a_duration_has_three_digits_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text
