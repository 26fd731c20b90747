"""Two graphs in one picture: everything that differs is there, by colour and by sign."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from nodeflow.cli import main
from nodeflow.export.compared import COLOURS, SIGNS, picture
from nodeflow.files import load, save
from nodeflow.graph import Graph
from nodeflow.scene import with_places

GRAPHS = Path(__file__).parent.parent / "graphs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def before() -> Graph:
    return with_places(load(GRAPHS / "xor.json"))


def marks(svg: str) -> list[str]:
    """Return the signs in the picture, without those of the legend, which are the last four."""
    texts = [one.text for one in ET.fromstring(svg).iter(f"{SVG}text")]
    found = [text for text in texts if text in SIGNS.values()]
    assert found[-4:] == list(SIGNS.values())
    return found[:-4]


def test_what_is_the_same_has_no_mark(before: Graph) -> None:
    found = picture(before, before)
    assert marks(found.svg) == []
    assert not found.changes


def test_each_kind_has_its_mark(before: Graph) -> None:
    after = before.remove("accuracy").add("seen", "panel").set("train", rate=0.25)
    x, y = before.layout["cost"]
    after = replace(after, layout={**after.layout, "cost": (x + 60, y), "seen": (0, 900)})
    found = picture(before, after)
    assert sorted(marks(found.svg)) == sorted(SIGNS.values())
    assert all(found.svg.count(colour) > 1 for colour in COLOURS.values())
    assert "train.rate was" in found.svg
    assert {change.kind for change in found.changes} == COLOURS.keys()


def test_weights_are_told_by_their_difference(before: Graph) -> None:
    old = before.set("theta1", value=((1.0, 2.0), (3.0, 4.0)), shape=None)
    new = old.set("theta1", value=((1.0, 2.0), (3.5, 4.0)))
    assert "theta1.value" in picture(old, new).svg


@pytest.mark.parametrize("ending", [".svg", ".png", ".html"])
def test_the_command(before: Graph, tmp_path: Path, ending: str) -> None:
    save(before, tmp_path / "a.json")
    save(before.set("train", rate=0.25), tmp_path / "b.json")
    out = tmp_path / f"out{ending}"
    assert main(["diff", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "-o", str(out)]) == 0
    start = {".svg": b"<svg", ".png": b"\x89PNG", ".html": b"<!doctype html>"}[ending]
    assert out.read_bytes().startswith(start)


def test_other_endings_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: Graph
) -> None:
    save(before, tmp_path / "a.json")
    for name, reason in (("x.gif", "not as '.gif'"), ("x", "and the file's name has no ending")):
        assert main(["diff", *[str(tmp_path / "a.json")] * 2, "-o", name]) == 1
        told = capsys.readouterr().err
        assert told == f"nodeflow: a difference is drawn as .svg, .png, .html, {reason}\n"
