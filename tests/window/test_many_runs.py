"""The sheet "Many runs" in a real window: settings by a click, runs by a key, a run opened."""

import csv
import json
import shutil
import time
from dataclasses import replace

from helpers_window import ROOT

import nodeflow as nf
from nodeflow.graph import Graph, Node, Wire


def ask(window, mouse):
    mouse.key("m", "Control_L")
    window.until(lambda state: state["sheet"] == "Many runs" and state["sheet_ready"])


def lit(window, line):
    """Wait until what is typed goes into a line."""
    window.until(lambda state: state["line"] == line and state["sheet_ready"])
    window.settled()
    window.until(lambda state: state["sheet_ready"])


def clear(window, mouse, line):
    """Take away what stands in the field that is lit."""
    lit(window, line)
    mouse.key("a", "Control_L")
    mouse.key("BackSpace")


def test_runs_are_made_looked_at_exported_and_opened(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    ask(window, mouse)
    mouse.click(*window.wait("sheet    train.rate"))
    window.wait("sheet ✓ train.rate")
    clear(window, mouse, 0)
    mouse.write("0.5,2,8")
    for line, text in ((1, "6"), (2, "80")):  # seeds, epochs
        mouse.key("Tab")
        clear(window, mouse, line)
        mouse.write(text)
    window.settled()
    mouse.key("Return")
    window.wait("sheet 8", 60)
    window.settled()
    shot("table")
    for view in ("Curves", "Spread", "Heat map"):
        mouse.click(*window.wait(f"sheet {view}"))
        window.wait(f"sheet ▸ {view}")
        window.settled()
        shot(view.lower())
    # The file is the last line; its ending says what is written.
    for line in (3, 4):
        mouse.key("Tab")
        lit(window, line)
    clear(window, mouse, 4)
    mouse.write("runs.csv")
    window.settled()
    mouse.key("Return")
    end = time.monotonic() + 20
    while not (folder / "runs.csv").exists() and time.monotonic() < end:
        window.settled()
    with (folder / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = nf.sweep(nf.load(folder / "xor.json"), {"train.rate": [0.5, 2, 8]}, seeds=6, epochs=80)
    assert [float(row["cost"]) for row in rows] == [row["cost"] for row in found]
    # A line of the table opens the run in the middle of its combination, at its end.
    mouse.click(*window.wait("sheet Table"))
    mouse.click(*window.wait("sheet 2"))
    state = window.until(lambda state: not state["sheet"] and state["live"][1] == 80)
    assert state["settings"]["train"]["rate"] == "2"
    seed = state["training"][1]
    cost = found.rows[6 + seed]["cost"]
    costs = sorted(row["cost"] for row in found.rows[6:12])
    assert cost == costs[2]
    # The runs are still there, and opening one can be undone.
    ask(window, mouse)
    window.wait("sheet 8")
    mouse.key("Escape")
    window.until(lambda state: not state["sheet"])
    mouse.key("z", "Control_L")
    window.until(lambda state: not state["changed"])


def exported(window, path):
    """Wait for a file, and return what is in it."""
    end = time.monotonic() + 30
    while not path.exists() and time.monotonic() < end:
        window.settled()
    return path.read_bytes()


BEGINS = {".json": b"[", ".npz": b"PK", ".svg": b"<svg", ".png": b"\x89PNG", ".html": b"<!doctype"}


def test_by_the_mouse_alone(started, mouse, home, shot):
    folder = home / "work"
    graph = nf.load(ROOT / "graphs" / "xor.json")
    nf.save(replace(graph, training=replace(graph.training, epochs=40)), folder / "xor.json")
    window = started(folder / "xor.json")
    window.until(lambda state: state["live"][0] == "still")
    mouse.click(*window.wait("menu Network"))
    mouse.click(*window.wait("menu Many runs …"))
    window.until(lambda state: state["sheet"] == "Many runs" and state["sheet_ready"])
    mouse.click(*window.wait("sheet    train.rate"))
    window.wait("sheet ✓ train.rate")
    window.settled()
    mouse.click(*window.wait("sheet Run"))
    window.wait("sheet 0.2", 60)  # a line of the table
    window.until(lambda state: "50 runs in" in state["sheet_state"], 90)
    for ending, begin in BEGINS.items():
        mouse.click(*window.wait(f"sheet {ending}"))
        window.until(lambda state, file=f"xor-runs{ending}": state["sheet_file"] == file)
        window.settled()
        mouse.click(*window.wait("sheet Export"))
        data = exported(window, folder / f"xor-runs{ending}")
        window.settled()
        assert data.lstrip().lower().startswith(begin.lower()) or ending == ".svg", ending
    shot("exported")
    mouse.click(*window.wait("sheet Curves"))
    x, y = window.wait("sheet ▸ Curves")
    window.settled()
    mouse.click(x + 120, y + 230)
    window.until(lambda state: not state["sheet"] and state["live"][1] > 0, 40)


def test_by_keys_alone(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["live"][0] == "still")
    ask(window, mouse)
    lit(window, 0)
    for line, text in ((0, "4"), (1, "40")):  # seeds, epochs
        clear(window, mouse, line)
        mouse.write(text)
        mouse.key("Tab")
    for line in (2, 3):
        lit(window, line)
        mouse.key("Tab")
    # The list of settings: the first is the rate, the second the batch.
    window.until(lambda state: state["line"] == 4)
    window.settled()
    mouse.key("Return")
    window.wait("sheet ▸ train.rate")
    mouse.key("Down")
    mouse.key("Return")
    window.settled()
    mouse.key("Tab")  # on to the first line
    lit(window, 0)
    mouse.key("Return")
    window.until(lambda state: "60 runs in" in state["sheet_state"], 90)
    for line in range(1, 7):  # on to the views
        mouse.key("Tab")
        window.until(lambda state, line=line: state["line"] == line)
    for view in ("Curves", "Spread", "Heat map"):
        mouse.key("Right")
        window.wait(f"sheet ▸ {view}")
        window.settled()
        mouse.key("Down")
        window.settled()
        shot(view.lower())
    before = window.state["sheet_measure"]
    mouse.key("m")
    window.until(lambda state: state["sheet_measure"] != before)
    mouse.key("x")
    window.settled()
    shot("other settings")
    mouse.key("Return")
    window.until(lambda state: not state["sheet"] and state["live"][1] == 40, 40)


def test_a_form_that_cannot_be_run_is_a_sentence(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["live"][0] == "still")
    ask(window, mouse)
    clear(window, mouse, 0)
    mouse.write("no")
    mouse.key("Return")
    window.settled()
    shot()
    assert window.state["sheet"] == "Many runs"


def test_two_settings_are_a_heat_map_and_a_run_is_clicked(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "iris.json", folder)
    window = started(folder / "iris.json")
    window.until(lambda state: state["live"][0] == "still")
    ask(window, mouse)
    for name in ("train.rate", "training.batch"):
        mouse.click(*window.wait(f"sheet    {name}"))
        window.wait(f"sheet ✓ {name}")
        window.settled()
    for line, text in ((2, "2"), (3, "5")):  # seeds, epochs
        mouse.key("Tab")
        clear(window, mouse, line)
        mouse.write(text)
    window.settled()
    mouse.key("Return")
    window.wait("sheet 0.03", 60)
    window.settled()
    mouse.click(*window.wait("sheet Heat map"))
    x, y = window.wait("sheet ▸ Heat map")
    window.settled()
    shot("heat")
    mouse.move(x + 60, y + 200)
    window.settled()
    mouse.click(x + 60, y + 200)
    state = window.until(lambda state: not state["sheet"] and state["live"][1] == 5, 40)
    window.settled()
    shot("opened")
    assert state["notice"].startswith("train.rate")
    assert "epoch 5" in state["notice"]


def test_a_graph_that_needs_a_plugin_asks_for_it(started, mouse, home, shot):
    nodes = home / "data" / "nodeflow" / "nodes"
    nodes.mkdir(parents=True)
    port = {"many": False, "optional": False, "feedback": False}
    (nodes / "mine.py").write_text(
        "from nodeflow.declare import Value, node\n\n\n"
        '@node("activation", formula="a = 3z", shapes="elementwise", no_backward="a test")\n'
        'def triple(z: Value) -> Value:\n    """Triple it."""\n    return 3 * z\n'
    )
    document = {"format": "nodeflow-plugin", "version": 1, "types": [
        {"name": "triple", "inputs": [{"name": "z", **port}], "outputs": [{"name": "a", **port}]}
    ]}  # fmt: skip
    (nodes / "mine.nodeflow-plugin.json").write_text(json.dumps(document))
    file = home / "work" / "g.json"
    nf.save(
        Graph(nodes={"t": Node("triple"), "x": Node("constant", {"value": [2.0]})},
              wires=(Wire("x", "value", "t", "z"),)), file,
    )  # fmt: skip
    window = started(file, XDG_DATA_HOME=str(home / "data"))
    window.until(lambda state: state["popup"] == "Question")
    window.settled()
    shot("asked")
    mouse.key("Tab")
    mouse.key("Return")
    window.until(lambda state: state["values"].get("t.a") == [6.0])
    window.settled()
    shot("on")
    (nodes / "mine.py").write_text((nodes / "mine.py").read_text().replace("3 * z", "5 * z"))
    state = window.until(lambda state: state["values"].get("t.a") == [10.0])
    assert not state["changed"]
