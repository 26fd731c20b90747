"""The sheet "Many runs" in a real window: settings by a click, runs by a key, a run opened."""

import csv
import shutil

from helpers_window import ROOT

import nodeflow as nf


def ask(window, mouse):
    mouse.key("m", "Control_L")
    window.until(lambda state: state["sheet"] == "Many runs" and state["sheet_ready"])


def clear(window, mouse):
    """Take away what stands in the field that is lit."""
    window.settled()
    window.until(lambda state: state["sheet_ready"])
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
    clear(window, mouse)
    mouse.write("0.5,2,8")
    for text in ("6", "80"):  # seeds, epochs
        mouse.key("Tab")
        clear(window, mouse)
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
    for _ in range(2):
        mouse.key("Tab")
        window.settled()
    window.until(lambda state: state["sheet_ready"])
    mouse.write("runs.csv")
    window.settled()
    mouse.key("Return")
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


def test_a_wish_that_cannot_be_is_a_sentence(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["live"][0] == "still")
    ask(window, mouse)
    clear(window, mouse)
    mouse.write("no")
    mouse.key("Return")
    window.settled()
    shot()
    assert window.state["sheet"] == "Many runs"
