"""A difference of two graphs on the screen, and the question about a file that another changed."""

from dataclasses import replace

import pytest
from helpers_window import ROOT
from test_pictures import count

from nodeflow.export.compared import COLOURS
from nodeflow.files import dumps, load, save
from nodeflow.scene import with_places

GRAPHS = ROOT / "graphs"


@pytest.fixture
def files(home):
    """Return two graphs that differ in all four ways."""
    before = with_places(load(GRAPHS / "xor.json"))
    after = before.remove("accuracy").add("seen", "panel").set("train", rate=0.25)
    x, y = before.layout["cost"]
    left, top = before.layout["hidden"]
    after = replace(
        after, layout={**after.layout, "cost": (x + 60, y + 40), "seen": (left, top + 260)}
    )
    old, new = home / "work" / "old.json", home / "work" / "new.json"
    save(before, old)
    save(after, new)
    return old, new


@pytest.mark.parametrize("theme", ["dark"])
def test_a_difference_is_seen_and_left(started, mouse, shot, files, theme, home):
    _, new = files
    (home / "config" / "nodeflow").mkdir()
    (home / "config" / "nodeflow" / "preferences.json").write_text(
        f'{{"toured": true, "theme": "{theme}"}}'
    )
    window = started(new)
    window.until(lambda state: state["live"][0] == "still" and state["values"])
    window.settled()
    plain = shot("before")
    mouse.click(*window.wait("menu File"))
    mouse.click(*window.wait("menu Compare with …"))
    window.until(lambda state: state["sheet"] == "Compare with a graph" and state["sheet_ready"])
    window.settled()
    mouse.write("old.json")
    mouse.key("Return")
    window.until(lambda state: "accuracy" in state["nodes"] and not state["busy"])
    window.settled()
    pixels = shot("compared")
    for kind, colour in COLOURS.items():
        assert count(pixels, colour, near=6) > count(plain, colour, near=6) + 60, kind
    mouse.click(*window.middle("train"))
    window.until(lambda state: state["notice"].startswith("train.rate was"))
    mouse.key("Delete")
    window.until(lambda state: "only looked at" in state["notice"])
    mouse.key("Escape")
    window.until(lambda state: "accuracy" not in state["nodes"])
    window.settled()
    assert window.state["count"][0] == len(load(new).nodes)
    assert not window.state["changed"]


def test_a_file_that_another_program_changed_is_merged(started, mouse, shot, files):
    _, file = files
    window = started(file)
    window.until(lambda state: state["live"][0] == "still" and state["values"])
    window.settled()
    window.show("seen", mouse)
    mouse.drag(window.middle("seen"), [at + 40 for at in window.middle("seen")])
    window.until(lambda state: state["changed"])
    graph = load(file)
    file.write_text(dumps(graph.add("theirs", "constant", value=[2.0])), encoding="utf-8")
    mouse.key("s", "Control_L")
    window.until(lambda state: state["popup"] == "Question" and "popup 0" in state["places"])
    window.settled()
    shot("question")
    right = max(left + wide for name, (left, _, wide, _) in window.state["places"].items()
                if name.startswith("popup "))  # fmt: skip
    area = window.state["area"]
    assert right < area[0] + area[2] / 2 + 240  # all answers lie in the window of the question
    mouse.click(*window.wait("popup 0"))
    window.until(lambda state: not state["changed"] and "theirs" in state["nodes"])
    window.settled()
    shot("merged")
    found = load(file)
    assert found.layout["seen"] != graph.layout["seen"]
    assert "theirs" in found.nodes
