"""Keys that come fast, and at the moments that are easily missed, in a real window."""

import random
import time

from helpers_window import ROOT

XOR = ROOT / "graphs" / "xor.json"
CALM, FRAMES = 0.7, 10
"""After so many seconds, and so many frames, without an event the window sleeps."""


def test_a_key_at_the_last_frame_before_the_window_sleeps_is_answered_at_once(opened, mouse):
    """What a frame has heard, or what came while it was drawn, must not wait for the next event."""
    dice = random.Random(5)
    window = opened(XOR)
    window.until(lambda state: state["area"])
    window.settled()
    mouse.tap("minus")
    window.until(lambda state: state["camera"][2] < 0.8)
    slow = []
    for number in range(6):
        since, frames = time.monotonic(), 0
        while window.told(5) != "asleep":
            frames += 1
            if time.monotonic() - since > CALM - 0.03 and frames >= FRAMES + dice.randrange(-1, 2):
                break
        time.sleep(dice.choice((0, 0, 0.005, 0.01, 0.02)))
        zoom, sent = window.state["camera"][2], time.monotonic()
        mouse.tap("minus" if number % 2 else "KP_Add")
        window.until(lambda state, zoom=zoom: state["camera"][2] != zoom)
        slow.append(time.monotonic() - sent)
    assert max(slow) < 5, slow
