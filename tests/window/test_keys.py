"""Keys that come fast, and at the moments that are easily missed, in a real window."""

import random
import shutil
import time

import pytest
from helpers_window import ROOT

XOR = ROOT / "graphs" / "xor.json"
CALM = 1.0
"""After so many seconds without an event the window sleeps."""


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
        since, wait = time.monotonic(), CALM + dice.choice((-0.2, -0.1, -0.03, 0.0, 0.03))
        while time.monotonic() - since < wait:
            window.told(5)
        time.sleep(dice.choice((0, 0, 0.005, 0.01, 0.02)))
        zoom, sent = window.state["camera"][2], time.monotonic()
        mouse.tap("minus" if number % 2 else "KP_Add")
        window.until(lambda state, zoom=zoom: state["camera"][2] != zoom)
        slow.append(time.monotonic() - sent)
    assert max(slow) < 5, slow


def test_chords_in_quick_succession_all_count(opened, mouse):
    window = opened(XOR)
    window.until(lambda state: state["area"])
    window.settled()
    mouse.click(*window.middle("hidden"))
    window.until(lambda state: state["selection"] == ["hidden"])
    zoom = window.state["camera"][2]
    chords = [*[("d", "Control_L")] * 6, *[("z", "Control_L")] * 4, *[("y", "Control_L")] * 3]
    chords += ["minus", ("z", "Control_L"), "minus", ("z", "Control_L", "Shift_L"), "minus"]
    for chord in chords:
        mouse.key(*([chord] if isinstance(chord, str) else chord))
        time.sleep(0.02)  # faster the display takes them for one key that is held down
    state = window.until(lambda state: state["camera"][2] < zoom * 0.52)
    assert state["camera"][2] == pytest.approx(zoom * 0.8**3)
    assert window.settled()["count"][0] == 12 + 6 - 4 + 3 - 1 + 1


def test_what_is_typed_before_a_field_has_the_keys_is_not_lost(started, mouse, home):
    """Whoever knows what opens types on at once: a search, the palette, a sheet, another field."""
    shutil.copy(XOR, home / "work")
    window = started(home / "work" / "xor.json")
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    window.settled()
    mouse.tap("Tab", *"xor", "Return")  # the first hit of "xor"; without the letters it is another
    window.until(lambda state: state["count"] == [13, 13])
    assert window.settled()["selection"] == ["dataset"]
    place = window.state["nodes"]["dataset"]
    mouse.tap("p", held=("Control_L", "Shift_L"))
    mouse.tap(*"tidy", "Return")
    window.until(lambda state: state["nodes"]["dataset"] != place)
    mouse.tap("Tab", *"sig", "Escape", "minus")
    window.until(lambda state: state["popup"] == "NoneType")
    assert window.settled()["count"] == [13, 13]
    mouse.tap("s", held=("Control_L", "Shift_L"))
    mouse.tap(*"quick", "Return")
    state = window.until(lambda state: state["path"].endswith("quick.json"))
    assert not state["changed"]
    assert sorted(one.name for one in (home / "work").glob("*.json")) == ["quick.json", "xor.json"]


def test_letters_come_in_their_order_where_frames_take_long(opened, mouse):
    """Some reach the toolkit before the field is there, some while it comes, some afterwards."""
    dice = random.Random(3)
    window = opened(XOR, NODEFLOW_TEST_SLOW="0.1")
    window.until(lambda state: state["area"])
    window.settled()
    for gap in (0.15, 0.06, 0.15, 0.0, 0.06):
        text = "".join(dice.sample("abcdefghijklmnopqrstuvwxyz", 9))
        mouse.tap("Tab")
        for letter in text:
            time.sleep(gap)
            mouse.tap(letter)
        window.until(lambda state, text=text: state["text"] == text)
        mouse.tap("Escape")
        window.until(lambda state: state["popup"] == "NoneType")
