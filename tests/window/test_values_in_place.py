"""Values are typed, chosen and dragged where they stand on the canvas."""

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.derive.tidy import tidy
from nodeflow.theme import DARK


@pytest.fixture
def window(opened, tmp_path):
    graph = nf.Graph().add("w", "parameter", value=[[0.3]]).add("g", "constant", value=0.5)
    graph = graph.add("sum", "add").connect("w.value", "sum.a").connect("g.value", "sum.a")
    graph = graph.add("e", "error").connect("sum.value", "e.a").add("d", "delta")
    file = tmp_path / "small.json"
    nf.save(tidy(graph), file)
    made = opened(file)
    made.until(lambda state: len(state["nodes"]) == 5 and not state["busy"])
    made.settled()
    return made


def at_field(window, node, share):
    """Return a point of a node's foot on the screen, so far from its left edge."""
    x, y, wide, high = window.state["nodes"][node]
    return window.on_screen(x + wide * share, y + high - 12)


def test_values_are_typed_at_ports_and_chosen_on_nodes(window, mouse, shot):
    port = window.on_screen(*window.state["ports"]["e.y"])
    mouse.click(*port, times=2)
    window.until(lambda state: state["popup"] == "Editing" and state["ready"])
    mouse.write("abc")
    window.until(lambda state: state["text"] == "abc")
    mouse.key("Return")
    # What cannot be read stays open, red.
    assert window.settled()["popup"] == "Editing"
    mouse.key("a", "Control_L")
    mouse.write("2/3")
    window.until(lambda state: state["text"] == "2/3")
    mouse.key("Return")
    window.until(lambda state: "y.value -> e.y" in state["wires"])
    assert float(window.state["settings"]["y"]["value"]) == pytest.approx(2 / 3)
    assert window.state["nodes"]["y"][0] < window.state["nodes"]["e"][0]
    mouse.key("z", "Control_L")
    window.until(lambda state: "y" not in state["nodes"] and state["popup"] == "NoneType")
    mouse.click(*at_field(window, "d", 0.8))
    window.until(lambda state: state["popup"] == "Choices" and state["ready"])
    shot("choices")
    mouse.write("tanh")
    window.until(lambda state: state["text"] == "tanh")
    mouse.key("Return")
    window.until(lambda state: state["settings"]["d"].get("activation") == "tanh")


def test_a_number_is_dragged_and_a_weight_has_its_colour(window, mouse, shot):
    def colours(name):
        """Count the pixels of both signs on the wire that leaves the parameter."""
        window.settled()
        x, y = map(round, window.on_screen(*window.state["ports"]["w.value"]))
        part = shot(name)[y - 12 : y + 60, x + 6 : x + 46].astype(int)
        return [
            int((np.abs(part - [int(c[n : n + 2], 16) for n in (1, 3, 5)]).max(axis=2) < 40).sum())
            for c in (DARK.positive, DARK.negative)
        ]

    more, less = colours("positive")
    assert more > 10 > less
    x, y = at_field(window, "w", 0.2)
    mouse.drag((x, y), (x - 180, y))
    window.until(lambda state: float(number(state)) < 0)
    assert window.state["popup"] == "NoneType"
    more, less = colours("negative")
    assert less > 10 > more
    mouse.key("z", "Control_L")
    window.until(lambda state: number(state) == "0.3")


def number(state):
    return state["settings"]["w"]["value"].strip("(),")
