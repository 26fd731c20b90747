"""All samples in one real window: each is opened, trained, played and unfolded by the buttons.

It takes minutes, so it runs where NODEFLOW_SAMPLES asks for it: `make test-samples`.
"""

import os

import pytest

from nodeflow.examples import samples

pytestmark = pytest.mark.skipif(
    not os.environ.get("NODEFLOW_SAMPLES"), reason="takes minutes: make test-samples"
)


def _why(state):
    return state["notice"] + state["problem"]


@pytest.mark.parametrize("name", samples())
def test_a_sample_trains_plays_and_unfolds_by_the_buttons(name, started, mouse, shot) -> None:
    window = started(samples()[name].file)
    window.until(lambda state: state["live"][0] == "still" and state["count"][0] > 0, 120)
    window.settled()
    mouse.click(*window.wait("training play"))
    window.until(lambda state: state["live"][1] > 0 or state["playback"]["number"] > 0 or
                 state["problem"], 120)  # fmt: skip
    trains = not window.state["problem"]
    assert trains or "nothing to train" in window.state["problem"]
    if window.state["live"][0] == "training":
        mouse.click(*window.wait("training play"))
        window.until(lambda state: state["live"][0] in ("paused", "done"), 120)
    if trains:
        mouse.click(*window.wait("timeline to-start"))
        window.until(lambda state: state["playback"]["number"] == 0, 60)
        mouse.click(*window.wait("timeline step-on"))
        window.until(lambda state: state["playback"]["number"] == 1, 60)
        window.settled()
    before = window.state["count"]
    mouse.key("u", "Control_L")
    said = ("unfold", "folded", "needs a wire", "locked in the lesson")
    window.until(
        lambda state: state["count"] != before or any(word in _why(state) for word in said), 60
    )
    window.settled()
    shot()
