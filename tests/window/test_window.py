"""A real window on a display that nobody sees, with a real mouse and keyboard."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers_window import ROOT

import nodeflow as nf
from nodeflow.theme import DARK, LIGHT

XOR = ROOT / "graphs" / "xor.json"


def _colour(text):
    return tuple(int(text[place : place + 2], 16) for place in (1, 3, 5))


def _has(pixels, colour, corner, end, near=6):
    """Return how many pixels between two points are nearly of a colour."""
    (x0, y0), (x1, y1) = corner, end
    part = pixels[round(y0) : round(y1), round(x0) : round(x1)].astype(int)
    return int((np.abs(part - np.array(_colour(colour))).max(axis=2) <= near).sum())


@pytest.fixture
def xor(opened, mouse):
    window = opened(XOR)
    window.until(lambda state: len(state["nodes"]) == 12)
    window.settled()
    window.show("train", mouse)
    return window


def test_the_window_shows_every_node(xor, shot):
    pixels = shot()
    headers = {"data": "source", "hidden": "layer", "hidden_a": "activation", "cost": "cost"}
    for node, (x, y, wide, high) in xor.state["nodes"].items():
        corner, end = xor.on_screen(x, y), xor.on_screen(x + wide, y + high)
        assert _has(pixels, DARK.text, corner, end, near=40) > 20, node  # its name
        if node in headers:
            assert _has(pixels, DARK.families[headers[node]], corner, end) > 200, node
    left, top, wide, high = xor.state["area"]
    corner, end = (left, top), (left + wide, top + high)
    assert _has(pixels, DARK.forward, corner, end, near=30) > 200


def test_a_drag_with_the_middle_button_pans(xor, mouse):
    before = xor.state["camera"]
    mouse.drag((700, 750), (820, 690), button=2)
    state = xor.until(lambda state: state["camera"] != before)
    state = xor.settled()
    x, y, zoom = before
    assert state["camera"] == pytest.approx([x - 120 / zoom, y + 60 / zoom, zoom])


def test_a_press_counts_though_the_pointer_came_only_with_it(xor, mouse):
    for node in ("cost", "train"):
        mouse.move(1500, 900)
        xor.settled()
        mouse.move(*xor.middle(node))
        mouse.press()
        time.sleep(0.03)
        mouse.release()
        xor.until(lambda state: state["selection"] == [node])  # noqa: B023


def test_the_wheel_zooms_about_the_cursor(xor, mouse, shot):
    x, y, wide, high = xor.state["nodes"]["output"]
    point = x + wide / 2, y + high / 2
    at = xor.on_screen(*point)
    before = xor.state["camera"][2]
    mouse.wheel(*at, 5)
    xor.until(lambda state: state["camera"][2] > before * 1.5)
    xor.settled()
    assert xor.on_screen(*point) == pytest.approx(at, abs=1.5)
    shot()


def test_a_click_selects_and_a_drag_moves(xor, mouse, shot):
    mouse.click(*xor.middle("cost"))
    xor.until(lambda state: state["selection"] == ["cost"])
    xor.settled()
    pixels = shot()
    x, y, wide, high = xor.state["nodes"]["cost"]
    corner, end = xor.on_screen(x - 4, y - 4), xor.on_screen(x + wide + 4, y + high + 4)
    assert _has(pixels, DARK.selected, corner, end) > 150
    start = xor.middle("cost")
    mouse.drag(start, (start[0] + 60, start[1] - 90))
    state = xor.until(lambda state: state["nodes"]["cost"][:2] != [x, y])
    zoom = state["camera"][2]
    assert state["nodes"]["cost"][:2] == pytest.approx([x + 60 / zoom, y - 90 / zoom], abs=6)


def test_a_wire_is_drawn_from_port_to_port_or_refused(xor, mouse, shot):
    ports = xor.state["ports"]
    mouse.move(*xor.on_screen(*ports["data.x"]))
    time.sleep(0.1)
    mouse.press()
    mouse.move(700, 700)
    xor.until(lambda state: state["gesture"] == "Wiring")
    mouse.move(*xor.on_screen(*ports["output.weights"]))
    xor.settled()
    shot("refused")
    mouse.release()
    xor.until(lambda state: state["notice"] or state["gesture"] == "NoneType")
    assert "data.x -> output.weights" not in xor.state["wires"]
    mouse.drag(xor.on_screen(*ports["hidden_a.a"]), xor.on_screen(*ports["output_a.z"]))
    xor.until(lambda state: "hidden_a.a -> output_a.z" in state["wires"])


def test_search_places_a_node_by_keyboard(xor, mouse, shot):
    mouse.move(700, 750)
    mouse.key("Tab")
    xor.until(lambda state: state["ready"])
    mouse.write("logis")
    xor.until(lambda state: state["text"] == "logis")
    xor.settled()
    shot()
    mouse.key("Return")
    state = xor.until(lambda state: "sigmoid" in state["nodes"])
    assert state["popup"] == "NoneType"


def test_a_type_is_dragged_from_the_library(opened, mouse, shot):
    window = opened()
    window.until(lambda state: state["drawn"] == 0)
    window.settled()
    shot("empty")
    mouse.click(100, 47)
    mouse.write("softplus")
    time.sleep(0.5)
    mouse.drag((80, 78), (700, 500))
    state = window.until(lambda state: "softplus" in state["nodes"])
    x, y = window.on_screen(*state["nodes"]["softplus"][:2])
    assert (x, y) == pytest.approx((700, 500), abs=40)


def test_another_theme_repaints_everything(opened, shot):
    window = opened(XOR, 20, NODEFLOW_TEST_THEME="light", NODEFLOW_TEST_SCALE="1.2")
    window.until(lambda state: len(state["nodes"]) == 12)
    window.settled()
    pixels = shot()
    left, top, wide, high = window.state["area"]
    end = left + wide, top + high
    assert _has(pixels, LIGHT.canvas, (left, top), end) > wide * high / 2
    assert _has(pixels, LIGHT.families["layer"], (left, top), end) > 200


def test_closing_asks_first_when_something_changed(xor, mouse, screen, shot):
    mouse.click(*xor.middle("cost"))
    xor.until(lambda state: state["selection"] == ["cost"])
    mouse.key("Delete")
    xor.until(lambda state: "cost" not in state["nodes"])
    screen.ask_to_close()
    xor.until(lambda state: state["popup"] == "Question")
    xor.settled()
    shot()
    mouse.key("Escape")
    xor.until(lambda state: state["popup"] == "NoneType")
    mouse.key("z", "Control_L")
    xor.until(lambda state: "cost" in state["nodes"])
    screen.ask_to_close()
    assert xor.process.wait(10) == 0


def test_an_idle_window_costs_little(xor):
    def spent():
        told = Path(f"/proc/{xor.process.pid}/stat").read_text()
        fields = told.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    xor.until(lambda state: not state["busy"])
    with contextlib.suppress(queue.Empty):
        while True:  # it rests before it sleeps
            xor.told(0.5)
    before, started = spent(), time.monotonic()
    time.sleep(2)
    assert (spent() - before) / (time.monotonic() - started) < 0.05


def test_graphs_that_are_closed_leave_nothing_behind(screen, home):
    digits = nf.load(ROOT / "graphs" / "digits.json").add("units", "image")
    nf.save(digits.connect("theta1.value", "units.value"), home / "digits.json")
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from benchmarks.scripted import cycles, show\n"
        "import nodeflow as nf\n"
        "found, files = {}, [Path(name) for name in sys.argv[1:]]\n"
        "nf.Run(nf.load(files[1])).train(epochs=2)  # LLVM is there from now on\n"
        "show(files[0], lambda window: cycles(window, files, 8, found))\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, XOR, home / "digits.json"], check=False,
        env={
            **os.environ, "DISPLAY": screen.name, "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state"),
        },
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["items_after"] <= found["items_before"]
    assert found["memory_after"] - found["memory_before"] < 8e6


@pytest.mark.parametrize(
    ("display", "why"),
    [("", "DISPLAY is not set"), (":4711", "the display :4711 cannot be reached")],
)
def test_without_a_display_one_sentence_says_what_to_run(display, why):
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    program = (
        "import sys\n"
        "from nodeflow.editor.state.model import Editor\n"
        "from nodeflow.graph import Graph\n"
        "from nodeflow.window.app import run\n"
        "sys.exit(run(Editor.of(Graph()), shell=None))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert why in done.stderr
    assert "nodeflow train FILE" in done.stderr
