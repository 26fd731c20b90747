"""Slow motion with a real window, mouse and keyboard; the numbers are those of a run beside it."""

import numpy as np
import pytest
from helpers_window import ROOT

import nodeflow as nf
from nodeflow.theme import DARK
from nodeflow.workings.shown import show

XOR = ROOT / "graphs" / "xor.json"


@pytest.fixture
def run():
    return nf.Run(nf.load(XOR))


@pytest.fixture
def xor(started, run):
    window = started(XOR)
    window.until(lambda state: state["live"][0] == "still" and "output_a.a" in state["values"])
    window.settled()
    return window


def _stands(window, seconds=20.0, **wanted):
    """Wait until the run stands still at something, and return how it is."""
    return window.until(
        lambda state: (
            state["live"][0] in ("paused", "done")
            and all(state["playback"][name] == value for name, value in wanted.items())
        ),
        seconds,
    )["playback"]


def _agrees(state, run, *addresses):
    for address in addresses:
        assert state["values"][address] == np.ravel(run[address]).tolist(), address


def _at(place, share):
    x, y, wide, high = place
    return x + share * wide, y + high / 2


def test_it_is_played_stopped_and_stepped_back(xor, mouse, shot, run):
    mouse.click(*xor.middle("output"))
    xor.until(lambda state: state["selection"] == ["output"])
    mouse.key("F9")
    xor.until(lambda state: state["playback"]["breakpoints"] == ["output"])
    mouse.click(*xor.wait("timeline play"))
    tokens = []
    xor.until(
        lambda state: tokens.append(state["playback"]["tokens"]) or state["playback"]["reason"]
    )
    assert max(tokens) == 3  # of a weighted sum: its inputs, weights and bias travel
    told = _stands(xor, reason="breakpoint: output")
    assert told["number"] == run.order.index("output")
    xor.settled()
    x, y, wide, _ = xor.state["nodes"]["output"]
    corner = xor.on_screen(x + wide, y)
    red = tuple(bytes.fromhex(DARK.problem[1:]))
    assert tuple(shot("stopped")[round(corner[1]), round(corner[0])]) == red
    mouse.key("F10")
    told = _stands(xor, number=run.order.index("output") + 1)
    assert told["place"] == "epoch 0 · sample 0 of 4 · forward · output"
    mouse.key("F10", "Shift_L")
    told = _stands(xor, number=run.order.index("output"))
    assert told["node"] == run.order[run.order.index("output") - 1]
    mouse.click(*xor.wait("timeline update-on"))
    _stands(xor, number=run.order.index("output"), reason="")


def test_both_bars_are_dragged_to_a_moment(xor, mouse, shot, run):
    x, y, wide, high = xor.state["places"]["bar whole"]
    mouse.drag((x + 4, y + high / 2), (x + wide * 0.25, y + high / 2))
    per_epoch = xor.state["playback"]["per_epoch"]
    told = _stands(xor, number=500 * per_epoch)
    run.goto(epoch=500)
    _agrees(xor.settled(), run, "theta1.value", "bias2.value")
    mouse.drag(_at(xor.state["places"]["bar fine"], 0.1), _at(xor.state["places"]["bar fine"], 0.6))
    state = xor.until(lambda state: 499.55 < state["playback"]["number"] / per_epoch < 499.65)
    state = xor.settled()
    told = state["playback"]
    shot()
    run.goto(epoch=499, sample=int(told["place"].split("sample ")[1].split()[0]), node=told["node"])
    _agrees(state, run, "output_a.a", "cost.cost", "theta2.value")
    mouse.key("g")
    xor.until(lambda state: state["ready"])
    mouse.write("3")
    mouse.key("colon", "Shift_L")
    mouse.write("2")
    mouse.key("Return")
    told = _stands(xor, number=3 * per_epoch + 2 * per_epoch // 4)
    run.goto(epoch=3, sample=2)
    _agrees(xor.settled(), run, "theta1.value", "theta2.value")


def test_a_change_in_the_past_leaves_the_old_future_to_return_to(xor, mouse, shot, run):
    mouse.click(*_at(xor.state["places"]["bar whole"], 0.01))
    per_epoch = xor.state["playback"]["per_epoch"]
    _stands(xor, number=20 * per_epoch)
    run.goto(epoch=20)
    old = run["theta2.value"].ravel().tolist()
    mouse.click(*_at(xor.state["places"]["bar whole"], 0.005))
    _stands(xor, number=10 * per_epoch)
    before = xor.settled()["settings"]["train"]["rate"]
    left, top, wide, high = xor.state["places"]["training slider"]
    mouse.drag((left + wide * 0.8, top + high / 2), (left + wide * 0.3, top + high / 2))
    state = xor.until(lambda state: state["playback"]["futures"][0] == 1)
    changed = float(xor.settled()["settings"]["train"]["rate"])
    assert changed != float(before)
    mouse.click(*_at(xor.state["places"]["bar whole"], 0.01))
    _stands(xor, number=20 * per_epoch)
    other = nf.Run(nf.load(XOR))
    other.goto(epoch=10)
    other = other.fork(run.graph.set("train", rate=changed))
    other.goto(epoch=20)
    state = xor.settled()
    assert state["values"]["theta2.value"] == other["theta2.value"].ravel().tolist() != old
    shot()
    mouse.click(*xor.on_screen(*[state["nodes"]["data"][0] - 30, state["nodes"]["data"][1] - 60]))
    mouse.key("z", "Control_L")
    xor.until(lambda state: state["playback"]["futures"][0] == 0)
    mouse.click(*_at(xor.state["places"]["bar whole"], 0.01))
    _stands(xor, number=20 * per_epoch)
    assert xor.settled()["values"]["theta2.value"] == old


def test_the_map_lights_the_neurons_of_the_step(xor, mouse, shot, run):
    """Phase by phase in its colour: the hidden neurons going forward, and as blame comes back."""
    x, y, wide, _ = xor.state["area"]
    mouse.move(x + wide / 2, y + 40)
    mouse.key("m")
    xor.settled()
    dark = count(shot(), DARK.backward)
    for place, phase in ((run.order.index("hidden_a"), "forward"), (_blamed(run), "backward")):
        mouse.key("g")
        xor.until(lambda state: state["ready"])
        mouse.write("0")
        mouse.key("colon", "Shift_L")
        mouse.write("0")
        mouse.key("colon", "Shift_L")
        mouse.write(run.order[place])
        mouse.key("Return")
        told = _stands(xor, number=place + 1)
        assert f" {phase} " in told["place"]
        xor.settled()
        lit = count(shot(phase), getattr(DARK, phase))
        assert lit > dark + 300


def _blamed(run):
    """Return where the delta of the hidden layer is in the order."""
    return next(n for n, key in enumerate(run.order) if key.startswith("hidden.delta"))


def count(pixels, colour):
    """Return how many pixels have a colour."""
    wanted = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)
    return int((pixels == wanted).all(axis=2).sum())


def test_what_is_of_another_sample_is_grey_and_says_so(xor, mouse, shot, run):
    """Standing behind `hidden_a` of sample 2: the output is that of sample 1."""
    mouse.click(*xor.middle("output"))
    xor.until(lambda state: state["selection"] == ["output"])
    mouse.key("g")
    xor.until(lambda state: state["popup"] == "Ask" and state["ready"])
    mouse.write("0")
    mouse.key("colon", "Shift_L")
    mouse.write("2")
    mouse.key("colon", "Shift_L")
    mouse.write("hidden_a")
    mouse.key("Return")
    _stands(xor, node="hidden_a")
    xor.settled()
    told = " ".join(" ".join(xor.state["told"]).split())
    assert "its value is from sample 1" in told
    assert "=" not in told.partition("its value")[0]
    assert xor.state["ages"]["output"] == "from sample 1"
    assert "hidden_a" not in xor.state["ages"]
    run.goto(epoch=0, sample=2, node="hidden_a")
    _agrees(xor.state, run, "hidden_a.a", "output.z")
    shot()


def test_a_node_says_its_value_and_of_when_it_is_at_the_zoom_of_the_first_view(xor, mouse, shot):
    """The face of no node is empty, though texts are larger there than their nodes are."""
    assert xor.state["camera"][2] < 1
    mouse.key("g")
    xor.until(lambda state: state["popup"] == "Ask" and state["ready"])
    for letter in "0:2:hidden_a":
        mouse.write(letter)
    mouse.key("Return")
    _stands(xor, node="hidden_a")
    xor.settled()
    z = xor.state["values"]["output.z"][0]
    assert xor.state["faces"]["output"] == f"{show(z)}  sample 1"
    assert xor.state["faces"]["hidden"] == "1×2"
    assert all(xor.state["faces"][key] for key in ("hidden_a", "output_a", "bias2"))
    shot()


def test_a_view_that_is_wired_shows_at_once_what_enters_it(xor, mouse, shot):
    """It was empty until something else of the graph changed."""
    mouse.key("space")
    xor.until(lambda state: state["live"][0] == "done")
    where = xor.on_screen(700, -250)
    mouse.move(*where)
    mouse.key("Tab")
    xor.until(lambda state: state["popup"] == "Search" and state["ready"])
    mouse.write("panel")
    xor.until(lambda state: state["text"] == "panel")
    mouse.key("Return")
    xor.until(lambda state: "panel.value" in state["ports"])
    xor.settled()
    start, end = (
        xor.on_screen(*xor.state["ports"][port]) for port in ("output_a.a", "panel.value")
    )
    mouse.drag(start, end)
    xor.until(lambda state: "output_a.a -> panel.value" in state["wires"])
    assert xor.state["live"][0] == "done"
    a = xor.state["values"]["output_a.a"][0]
    xor.until(lambda state: state["faces"].get("panel") == show(a))
    shot()
