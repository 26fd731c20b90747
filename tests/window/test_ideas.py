"""What the gallery tells, asked for in the window: accounts, and a check that is switched off."""

from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.explain import where_blame_dies

GRAPHS = Path(__file__).parents[2] / "graphs"


def ready(window):
    window.until(lambda state: state["nodes"] and not state["busy"], 60)
    window.settled()


def test_a_click_switches_differences_off_and_the_check_tells_both_clocks(started, mouse, shot):
    window = started(GRAPHS / "gradient-checking.json")
    ready(window)
    mouse.key("c", "Control_L", "Shift_L")
    told = window.until(lambda state: "times as long" in state["notice"], 60)
    assert "the backward pass" in told["notice"]
    assert set(told["checks"].values()) == {"ok"}
    while window.state["camera"][2] < 0.8:
        zoom = window.state["camera"][2]
        mouse.wheel(*window.middle("approx"), 1)
        window.until(lambda state, zoom=zoom: state["camera"][2] > zoom)
        window.settled()
    x, y, wide, _ = window.state["nodes"]["approx"]
    shot("on")
    mouse.click(*window.on_screen(x + wide - 20, y + 14))
    window.until(lambda state: state["modes"] == {"approx": "disable"})
    window.settled()
    shot("off")
    mouse.click(*window.on_screen(x + wide - 20, y + 14))
    window.until(lambda state: state["modes"] == {})
    # Trained to its end, it is not slower for what is wired beside: nothing reads it.
    mouse.key("space")
    window.until(lambda state: state["live"][0] == "done", 60)
    assert window.settled()["cost"] < 0.01
    assert not window.state["problem"]


def test_why_a_weight_changed_and_where_blame_dies(started, mouse, shot):
    window = started(GRAPHS / "starts-huge.json")
    ready(window)
    mouse.key("b", "Shift_L")
    told = window.until(lambda state: state["report"], 60)["report"]
    run = nf.Run(nf.load(GRAPHS / "starts-huge.json"))
    run.evaluate()
    assert told == [reason.text for reason in where_blame_dies(run)]
    assert len(told) == 3
    window.settled()
    shot("dies")
    mouse.click(*window.middle("theta1"))
    window.until(lambda state: state["selection"] == ["theta1"])
    mouse.key("y")
    window.until(lambda state: "train an epoch first" in state["problem"], 60)
    mouse.key("Return", "Control_L")
    window.until(lambda state: state["live"][1] == 20, 60)
    mouse.click(*window.middle("theta1"))
    mouse.key("y")
    told = window.until(lambda state: state["report"] and "went from" in state["report"][0], 60)
    assert told["report"][0].startswith("theta1 (")
    assert any("Why it changed" in text for text in window.settled()["told"])
    shot("why")


@pytest.mark.parametrize("name", ["weights-dictionary", "blame-game"])
def test_views_change_while_the_network_trains(started, mouse, shot, name):
    """What stands in the node after training is what Python writes, and not what stood there."""
    window = started(GRAPHS / f"{name}.json")
    ready(window)
    before = shot("before")
    mouse.key("Return", "Control_L")
    epochs = nf.load(GRAPHS / f"{name}.json").training.epochs
    window.until(lambda state: state["live"][1] == epochs, 60)
    window.settled()
    assert (shot("after") != before).any()
