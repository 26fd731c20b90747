"""Many runs as pictures and pages: each drawing has the numbers of the rows, and tells its runs."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.editor.run.sweeping import (
    SweepForm,
    Sweeping,
    middle_run,
    offers,
    opened,
    plan_of,
    written,
)
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import Go
from nodeflow.errors import SweepError
from nodeflow.networks import network
from nodeflow.sweeps import drawing
from nodeflow.sweeps.drawing import KINDS, drawn, measures, telling
from nodeflow.theme import DARK, LIGHT
from nodeflow.views.marks import Line, Rect, Words, width
from nodeflow.workings.shown import show

ROOT = Path(__file__).parents[1]
XOR = ROOT / "graphs" / "xor.json"
AREA = (0.0, 0.0, 700.0, 300.0)
RATES, INITS = [0.5, 2.0, 8.0], ["uniform", "normal"]


@pytest.fixture(scope="module")
def found():
    return nf.sweep(
        nf.load(ROOT / "graphs" / "xor.json"), {"train.rate": RATES, "*.init": INITS},
        seeds=5, epochs=120, until="accuracy >= 1", curves=True,
    )  # fmt: skip


def texts(made):
    return [mark.text for mark in made.marks if isinstance(mark, Words)]


def test_a_heat_map_has_the_median_of_each_pair_and_counts_what_never_came(found):
    made = drawn("heat map", found, "cost", AREA, LIGHT)
    said = texts(made)
    for rate in RATES:
        for init in INITS:
            costs = [r["cost"] for r in found if (r["train.rate"], r["*.init"]) == (rate, init)]
            assert show(float(f"{np.median(costs):.6g}")) in said
    assert len(made.places) == 6
    counted = drawn("heat map", found, "epochs_to", AREA, LIGHT)
    for summary in found.summaries():
        never = summary.runs - summary.reached
        if 0 < never < summary.runs:
            assert any(text.endswith(f"({never} never)") for text in texts(counted))


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_is_cut_at_the_edge_of_its_drawing(found, kind):
    for measure in measures(found):
        for area in (AREA, (0.0, 0.0, 330.0, 220.0), (0.0, 0.0, 220.0, 100.0)):
            made = drawn(kind, found, measure, area, LIGHT)
            words = [mark for mark in made.marks if isinstance(mark, Words)]
            lines = sorted(mark.y for mark in words if mark.anchor == "end" and mark.x < 80)
            told = kind, measure, area
            assert all(below - y >= 9 for y, below in itertools.pairwise(lines)), told
            for mark in words:
                long = width(mark.text, mark.size)
                before = {"start": 0.0, "middle": long / 2, "end": long}[mark.anchor]
                assert mark.x - before >= -0.5, (*told, mark.text)
                assert mark.x - before + long <= area[2] + 0.5, (*told, mark.text)
                assert 0 <= mark.y <= area[3] + 0.5, (*told, mark.text)


def test_a_place_tells_its_run_and_epoch(found):
    for kind in drawing.KINDS:
        made = drawn(kind, found, "cost", AREA, DARK)
        for place, number, epoch in made.places[:: max(len(made.places) // 50, 1)]:
            near = made.nearest(*place)
            assert near is not None
            at = [one for one in made.places if one[0] == place]
            assert near in [one[1:] for one in at]
            assert 0 < epoch <= found.found[number].values["epochs"]
        assert made.nearest(-500, -500) is None
        left, top, wide, high = AREA
        for mark in made.marks:
            if isinstance(mark, Rect):
                assert left <= mark.x <= left + wide
                assert top <= mark.y <= mark.y + mark.height <= top + high + 1
            elif isinstance(mark, Line):
                assert all(left <= x <= left + wide and top <= y <= top + high
                           for x, y in mark.points)  # fmt: skip


def test_a_curve_falls_where_the_cost_falls(found):
    made = drawn("curves", found, "cost", AREA, LIGHT)
    for number in found.found:
        path = [(place, epoch) for place, run, epoch in made.places if run == number]
        costs = found.found[number].curves["cost"]
        for (one, first), (other, second) in itertools.pairwise(path):
            assert (one[1] < other[1]) == (costs[first - 1] > costs[second - 1])
            assert one[0] < other[0]


def test_what_cannot_be_drawn_says_so(found):
    one = nf.sweep(nf.load(ROOT / "graphs" / "xor.json"), {}, seeds=2, epochs=3)
    assert "two settings" in texts(drawn("heat map", one, "cost", AREA, LIGHT))[0]
    assert "no curves" in texts(drawn("curves", one, "cost", AREA, LIGHT))[0]
    assert "no run has" in texts(drawn("spread", one, "test_cost", AREA, LIGHT))[0]
    assert measures(one) == ["train_accuracy", "cost"]


def test_pictures_and_pages_are_whole(found, tmp_path):
    for ending in ("svg", "png", "html"):
        found.save(tmp_path / f"runs.{ending}")
    root = ET.parse(tmp_path / "runs.svg").getroot()
    assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}polyline")) >= 30
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "runs.html").read_text()
    cells = []

    class Reader(HTMLParser):
        def handle_data(self, data):
            cells.append(data)

    Reader().feed(page)
    assert page.count("<svg") == 4  # two over the epochs, spread, heat map
    assert not re.search(r"(src|href)=\"http", page)
    for row in found:
        assert f"{row['cost']:.6g}" in cells


def test_the_command_writes_them(tmp_path, capsys):
    out = tmp_path / "o.html"
    words = ["sweep", str(ROOT / "graphs" / "xor.json"), "--set", "train.rate=0.5,5", "--seeds",
             "2", "--epochs", "5", "-o", str(out)]  # fmt: skip
    assert main(words) == 0
    assert out.read_text().count("<svg") == 3  # cost and accuracy over the epochs, spread
    assert "o.html  a page with pictures and tables" in capsys.readouterr().out
    words[-1] = str(tmp_path / "o.csv")
    assert main(words) == 0
    assert "o.csv  one row per run" in capsys.readouterr().out


@pytest.fixture(scope="module")
def diverging():
    graph = network(data=nf.hold((np.arange(8.0)[:, None], np.arange(8.0) * 1.37), "line"))
    return nf.sweep(graph, {"rate": [0.01, 0.1, 9.0]}, seeds=2, epochs=30, curves=True)


def test_runs_that_failed_hide_no_other(diverging):
    assert {row["rate"] for row in diverging.failed} == {9.0}
    made = drawn("curves", diverging, "cost", AREA, LIGHT)
    heights = [place[1] for place, run, _ in made.places if run < 4]
    assert max(heights) - min(heights) > 0.6 * AREA[3]
    assert "2 failed" in texts(drawn("spread", diverging, "cost", AREA, LIGHT))
    lines = plotted(diverging)
    assert float(lines[1].split()[0]) < 10


@pytest.mark.parametrize("high", [1e3, 1e30, 1e300])
def test_what_is_written_at_an_axis_does_not_overlap_and_lies_in_the_picture(diverging, high):
    scale = drawing._Scale.of([1e-5, high], "cost")
    ys = sorted(
        mark.y
        for mark in scale.written(scale.axes(AREA, 0, 1, "cost"), LIGHT, "cost")
        if isinstance(mark, Words) and mark.anchor == "end"
    )
    assert 3 <= len(ys) <= 8
    assert min(b - a for a, b in itertools.pairwise(ys)) > 10
    for kind, measure in (("spread", "cost"), ("curves", "cost")):
        for mark in drawn(kind, diverging, measure, AREA, LIGHT).marks:
            if isinstance(mark, Words) and mark.anchor == "end":
                assert mark.x - width(mark.text, mark.size) >= 0


def test_a_single_seed_has_no_quartiles(tmp_path, capsys):
    words = ["sweep", str(XOR), "--set", "train.rate=0.5,5", "--epochs", "5", "--curves"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert not re.search("median|quartile|seed|░", told)
    one = nf.sweep(nf.load(XOR), {"train.rate": [0.5, 5.0]}, epochs=5, curves=True)
    assert not any(
        isinstance(mark, Rect) for mark in drawn("spread", one, "cost", AREA, LIGHT).marks
    )
    one.save(tmp_path / "one.html")
    page = (tmp_path / "one.html").read_text()
    assert not re.search("median|quartile|test_cost|>why<", page, re.IGNORECASE)


def test_what_all_runs_share_does_not_tell_them_apart():
    found = nf.sweep(nf.load(XOR), {"train.rate": [1.0, 2.0]}, epochs=2000)
    assert {row["train_accuracy"] for row in found} == {1.0}
    assert measures(found)[0] == "train_accuracy"
    assert telling(found) == "cost"


def test_a_table_has_columns_for_what_was_measured_alone(diverging, capsys):
    from nodeflow.terminal import show_sweep

    show_sweep(diverging, None)
    head = capsys.readouterr().out.splitlines()[2].split("  ")
    assert [name.strip() for name in head if name.strip()][:3] == ["rate", "cost", "failed"]


# --- what the editor's sheet asks of it -----------------------------------------------------------


def test_whatever_is_offered_can_be_run():
    for name in ("xor", "iris", "spiral"):
        editor = Editor.of(nf.load(ROOT / "graphs" / f"{name}.json"))
        offered = offers(editor)
        assert offered[0].address == "train.rate"
        for offer in offered:
            plan = plan_of(editor.graph, SweepForm(seeds="1").toggled(offer))
            assert len(plan) > 1, offer


def test_what_would_change_nothing_is_not_offered():
    graph = nf.load(XOR).set("theta1", value=[[1.0, 2.0], [3.0, 4.0]], shape=None)
    offered = {offer.address for offer in offers(Editor.of(graph))}
    assert "theta2.init" in offered
    assert "theta1.init" not in offered


def test_selected_nodes_come_first():
    from dataclasses import replace

    editor = Editor.of(nf.load(ROOT / "graphs" / "xor.json"))
    chosen = replace(editor, selection=frozenset({"bias1"}))
    assert offers(chosen)[0].address.startswith("bias1.")


def test_runs_beside_the_editor_are_those_of_a_sweep_and_can_be_stopped():
    graph = nf.load(ROOT / "graphs" / "xor.json")
    form = SweepForm((("train.rate", "0.5, 2"),), seeds="3", epochs="20", until="accuracy >= 1")
    sweeping = Sweeping(plan_of(graph, form), workers=1)
    sweeping.wait()
    assert not sweeping.running
    assert sweeping.status.startswith("6 runs in ")
    expected = nf.sweep(graph, {"train.rate": [0.5, 2]}, seeds=3, epochs=20, until="accuracy >= 1")
    without = [{k: v for k, v in row.items() if k != "seconds"} for row in sweeping.found()]
    assert without == [{k: v for k, v in row.items() if k != "seconds"} for row in expected]
    long = Sweeping(plan_of(graph, SweepForm(seeds="4000", epochs="2000")), workers=1)
    while not long.done:
        pass
    long.stop()
    long.wait()
    assert 0 < long.done < 4000
    assert long.status == f"stopped after {long.done:,} of 4,000 runs"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (SweepForm((("trian.rate", "1"),)), "did you mean 'train'"),
        (SweepForm((("train.rate", ""),)), "train.rate"),
        (SweepForm(seeds="x"), "a seed is a whole number"),
        (SweepForm(epochs="many"), "epochs are a whole number"),
    ],
)
def test_a_form_that_cannot_be_run_is_a_sentence(form, sentence):
    with pytest.raises(nf.NodeflowError, match=sentence):
        plan_of(nf.load(ROOT / "graphs" / "xor.json"), form)


def test_a_run_that_is_opened_is_that_run(found, tmp_path):
    editor = Editor.of(nf.load(ROOT / "graphs" / "xor.json"))
    number = middle_run(found, 3, "cost")
    costs = sorted(found.found[n].values["cost"] for n in range(15, 20))
    assert found.found[number].values["cost"] == costs[2]
    made = opened(editor, found, number, 7)
    assert made.requests == (ControlRun(Go("7")),)
    run = nf.Run(made.graph)
    run.train(found.found[number].values["epochs"])
    assert run.assess().cost == found.found[number].values["cost"]
    assert written(found, tmp_path, "runs.csv") == "runs.csv and runs.curves.csv"
    with pytest.raises(SweepError, match="needs a name"):
        written(found, tmp_path, " ")


# --- in the terminal ------------------------------------------------------------------------------


def plotted(found, what="train_accuracy", wide=76):
    from nodeflow.terminal.sweepplot import plot_lines

    lines = [line.plain for line in plot_lines(found, what, wide)]
    assert all(len(line) <= wide for line in lines)
    return lines


def test_a_setting_is_a_curve_with_a_band_between_its_axes():
    found = nf.sweep(nf.load(XOR), {"train.rate": [0.1, 0.3, 1.0, 3.0]}, seeds=9, epochs=100)
    lines = plotted(found)
    assert lines[0].split()[0] == "train"
    assert any("░" in line for line in lines)
    three = [one.quartiles["train_accuracy"] for one in found.summaries()]
    ends = sorted(value for one in three for value in one)
    assert lines[1].strip().startswith(f"{100 * ends[-1]:.1f} %")
    assert lines[13].strip().startswith(f"{100 * ends[0]:.1f} %")
    # The highest median is where the curve is at the top.
    best = max(range(4), key=lambda place: three[place][1])
    if three[best][1] == ends[-1]:
        assert any(0x2800 < ord(sign) < 0x2900 for sign in lines[1])
    assert "train.rate (log)" in lines[-2]


def test_curves_over_the_epochs_are_named_at_their_ends():
    axes = {"train.rate": [0.3, 1.0, 3.0]}
    lines = plotted(nf.sweep(nf.load(XOR), axes, seeds=5, epochs=60, curves=True))
    ends = [line.split()[-1] for line in lines[1:14] if line.rstrip()[-1].isdigit()]
    assert {"0.3", "1", "3"} <= set(ends)
    assert "epochs" in lines[-2]
    assert lines[-3].split() == ["1", "30", "60"]


def test_two_settings_are_a_map_of_medians_with_their_numbers():
    axes = {"train.rate": [0.1, 1.0, 5.0], "train.momentum": [0.0, 0.5]}
    found = nf.sweep(nf.load(XOR), axes, seeds=4, epochs=50)
    lines = plotted(found, "cost")
    assert "train.momentum ↓" in lines[1]
    medians = [one.quartiles["cost"][1] for one in found.summaries()]
    told = [float(word) for line in lines[3:5] for word in line.split() if word[0].isdigit()]
    assert sorted(told[1:4] + told[5:]) == pytest.approx(sorted(medians), rel=1e-3)
    many = {"train.rate": [0.1 * n for n in range(1, 30)], "train.momentum": [0.0, 0.5]}
    lines = plotted(nf.sweep(nf.load(XOR), many, epochs=2), "cost")
    assert "of 29 columns" in lines[-1]
