"""The panel of slow motion: a value is predicted, a condition typed, a step of the log clicked."""

import time
from pathlib import Path

import nodeflow as nf
from nodeflow.theme import DARK

XOR = Path(__file__).parents[2] / "graphs" / "xor.json"


def names(state):
    return {name.removeprefix("play ") for name in state["places"]}


def tap(window, mouse, name):
    """Click on something of the panel, once it stays where it is."""
    window.until(lambda state: name in names(state))
    window.settled(3)
    mouse.click(*window.wait(f"play {name}"))


def play(window, holds):
    return window.until(lambda state: holds(state["playback"]))["playback"]


def test_slow_motion_by_its_panel(started, mouse, shot):
    window = started(XOR)
    window.until(
        lambda state: state["live"][0] == "still" and "tab Slow motion" in names(state), 60
    )
    predict(window, mouse, shot)
    stop_and_jump(window, mouse, shot)


def predict(window, mouse, shot):
    """Answer a question in the field; what cannot be read is asked again."""
    run = nf.Run(nf.load(XOR))
    while run.node != "hidden":
        run.step()
    x, y, wide, high = window.state["area"]
    mouse.move(x + wide / 2, y + high * 0.8)
    mouse.key("p", "Shift_L")
    window.until(lambda state: state["playback"]["predicting"])
    mouse.key("F12", "Control_L")
    asked = play(window, lambda playback: playback["question"])
    assert asked["question"] == ["hidden", "hidden.z₁"]
    assert asked["number"] == run.order.index("hidden")
    tap(window, mouse, "answer")
    mouse.write("soon")
    mouse.key("Return")
    unread = play(window, lambda playback: playback["mark"])
    assert (unread["mark"][2], unread["number"]) == (None, asked["number"])
    window.settled(3)
    shot("unread")
    truth = float(run.step().outputs["z"][0, 0])
    window.until(lambda state: state["typing"])
    mouse.key("a", "Control_L")
    mouse.write(f"{truth:.4f}")
    mouse.key("Return")
    marked = play(window, lambda playback: playback["number"] == asked["number"] + 1)
    assert marked["mark"] == [True, truth, float(f"{truth:.4f}")]
    assert marked["question"][0] == "hidden_a"
    window.settled(3)
    shot("marked")
    # The field has the keys again; a function key still steps, and reveals.
    window.until(lambda state: state["typing"])
    mouse.key("F10")
    shown = play(window, lambda playback: playback["node"] == "hidden_a")
    assert shown["mark"] is None
    tap(window, mouse, "predict")
    window.until(lambda state: not state["playback"]["predicting"])


def test_predict_by_keys_alone(started, mouse, shot):
    """Questions are answered without the mouse: the field has the keys, Tab leads on and back."""
    window = started(XOR)
    window.until(
        lambda state: state["live"][0] == "still" and "tab Slow motion" in names(state), 60
    )
    left, top, wide, high = window.state["area"]
    mouse.move(left + wide / 2, top + high * 0.8)  # away from all fields; no button is pressed
    mouse.key("p", "Shift_L")
    window.until(lambda state: state["playback"]["predicting"])
    mouse.key("F12", "Control_L")
    play(window, lambda playback: playback["question"])
    window.until(lambda state: state["focus"] == ["answer", True])
    window.settled(3)
    x, y, wide, high = map(round, window.state["places"]["play answer"])
    blue = [int(DARK.selected[n : n + 2], 16) for n in (1, 3, 5)]

    def ringed():
        edge = shot("focus")[y : y + 2, x + 4 : x + wide - 4].astype(int)
        return (abs(edge - blue).max(axis=2) < 60).any(axis=0).mean() > 0.8

    # On a machine that is busy with other things the screen comes after the state.
    assert any(ringed() or time.sleep(0.2) for _ in range(50))
    mouse.key("Tab")
    window.until(lambda state: state["focus"] == ["watch", True])
    assert window.state["popup"] == "NoneType"  # Tab adds no node from a field
    mouse.key("Tab", "Shift_L")
    window.until(lambda state: state["focus"] == ["answer", True])
    mouse.write("?")
    mouse.key("Return")
    window.until(lambda state: state["focus"] == ["answer", True])
    window.settled(3)
    shot("hint")
    truths = nf.Run(nf.load(XOR))
    for _ in range(4):
        asked = play(window, lambda playback: playback["question"])
        while truths.node != asked["question"][0]:
            truths.step()
        truth = next(iter(truths.step().outputs.values())).ravel()[0]
        window.until(lambda state: state["focus"][0] == "answer")
        mouse.write(f"{truth:.6f}")
        mouse.key("Return")
        play(window, lambda playback, asked=asked: playback["number"] > asked["number"])
        assert window.state["playback"]["mark"][0]
    window.until(lambda state: state["focus"][0] == "answer")
    window.settled(3)
    mouse.key("Escape")
    window.until(lambda state: not state["typing"])
    mouse.key("p", "Shift_L")
    window.until(lambda state: not state["playback"]["predicting"])


def stop_and_jump(window, mouse, shot):
    """Type a condition, wrong at first, stop there, and go back by a click in the log."""
    run, costs = nf.Run(nf.load(XOR)), []
    while len(costs) < 2 or costs[-1] <= costs[-2]:
        run.skip_to_next_update()
        costs.append(run.cost)
    tap(window, mouse, "condition")
    mouse.write("cost rise")
    mouse.key("Return")
    fault = play(window, lambda playback: playback["fault"])["fault"]
    assert fault == ["cost rise", 5]
    window.settled(3)
    x, y, wide, high = map(round, window.state["places"]["play condition"])
    below = shot("fault")[y + high : y + high + 30, x : x + wide].astype(int)
    red = [int(DARK.problem[n : n + 2], 16) for n in (1, 3, 5)]
    columns = (abs(below - red).max(axis=2) < 30).any(axis=0).nonzero()[0]
    assert columns.size > 5
    assert columns.min() > 30  # not below the word that was read
    tap(window, mouse, "condition")
    mouse.key("a", "Control_L")
    mouse.write("cost rises")
    mouse.key("Return")
    play(window, lambda playback: playback["conditions"] == ["cost rises"])
    mouse.key("F12", "Control_L")
    stopped = play(window, lambda playback: playback["reason"] == "cost rises")
    assert stopped["node"] == "cost"
    update, within = divmod(stopped["number"] - 1, len(run.order))
    assert (update, run.order[within]) == (len(costs) - 1, "cost")
    window.settled(3)
    shot("stopped")
    number = stopped["number"] - 3
    tap(window, mouse, f"log {number}")
    there = play(window, lambda playback: playback["number"] == number)
    assert there["node"] == run.order[(number - 1) % len(run.order)]
    tap(window, mouse, "forget cost rises")
    play(window, lambda playback: playback["conditions"] == [])
