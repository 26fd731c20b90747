"""Random mouse, keys and sizes in a real window: no fault, and every node in view is drawn."""

import os
import random

import pytest
from helpers_window import ROOT, SIZE

EVENTS = int(os.environ.get("NODEFLOW_EVENTS", "60"))
KEYS = [
    *"afghlmnvwsz", "Tab", "Return", "Escape", "Delete", "space", "Home", "F1", "F2", "F8", "F10",
    "Up", "Down", "Left", "Right", "plus", "minus", "question",
]  # fmt: skip
# What ends the window, or writes files, is left out.
HELD = [(), (), (), ("Shift_L",), ("Control_L",)]
NOT = {("Control_L", key) for key in "ns"} | {("Control_L", "Return")}
GRAPHS = ["xor", "wheat-seeds-neurons-unfolded", "slopes", "landscape"]


def sized(screen, wide, high):
    """Resize the window, as a window manager would."""
    for window in screen.root.query_tree().children:
        if window.get_attributes().map_state:
            window.configure(width=wide, height=high)
    screen.display.sync()


@pytest.mark.parametrize("name", GRAPHS if EVENTS > 1000 else GRAPHS[:1])
def test_random_events(opened, mouse, screen, shot, name):
    dice = random.Random(name)
    window = opened(ROOT / "graphs" / f"{name}.json")
    window.until(lambda state: state["area"])
    window.settled()
    for _ in range(EVENTS // (len(GRAPHS) if EVENTS > 1000 else 1)):
        left, top, wide, high = window.state["area"]
        at = dice.uniform(left, left + wide), dice.uniform(top, top + high)
        match dice.randrange(9):
            case 0 | 1:
                mouse.click(*at, button=dice.choice((1, 1, 3)), times=dice.choice((1, 1, 2)))
            case 2:
                mouse.wheel(*at, dice.choice((-2, -1, 1, 2)))
            case 3:
                end = dice.uniform(left, left + wide), dice.uniform(top, top + high)
                mouse.drag(at, end, dice.choice((1, 1, 2)), steps=3)
            case 4:
                sized(screen, dice.randrange(640, SIZE[0]), dice.randrange(480, SIZE[1]))
            case _:
                key, held = dice.choice(KEYS), dice.choice(HELD)
                if (*held, key) not in NOT:
                    mouse.key(key, *held)
        assert window.process.poll() is None
    for wide, high in ((1024, 700), (1500, 950), (800, 600), SIZE):
        sized(screen, wide, high)
        window.settled()
        for _ in range(2):
            mouse.key("Escape")
        mouse.key("f")
        window.settled()
        shot(f"{wide}")
        assert not window.state["undrawn"]
    window.process.terminate()
    assert "Traceback" not in window.process.stderr.read()
