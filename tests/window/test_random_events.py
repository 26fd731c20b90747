"""Random mouse, keys and sizes in a real window: no fault, every node in view is drawn, and undo
leads back to the start."""

import contextlib
import os
import queue
import random
import time

import numpy as np
import pytest
from helpers_window import ROOT, SIZE

from nodeflow.theme import THEMES

EVENTS = int(os.environ.get("NODEFLOW_EVENTS", "0"))
"""So many presses, releases and moves in all, over all graphs; without it a few, in one."""
FILES = sorted((ROOT / "graphs").glob("*.json"))
FEW, BETWEEN = 100, 240
"""Events without that, and events between two changes of the window's size."""
KEYS = [
    *"afghlmnvwsz", "Tab", "Return", "Escape", "Delete", "space", "Home", "F1", "F2", "F8", "F10",
    "Up", "Down", "Left", "Right", "plus", "minus", "question",
]  # fmt: skip
# What ends the window, or writes files, is left out.
HELD = [(), (), (), ("Shift_L",), ("Control_L",)]
NOT = {("Control_L", key) for key in "ns"} | {("Control_L", "Return")}
SIZES = ((1024, 700), (1500, 950), (800, 600), SIZE)


class Hands:
    """Mouse and keyboard in quick hands: events follow each other without a pause, and are counted.

    After each gesture they wait for as many frames as it has presses, since the toolkit shows each
    press a frame of its own.
    """

    def __init__(self, mouse, window, dice):
        self.mouse, self.window, self.dice = mouse, window, dice
        self.count = 0

    def _do(self, *events):
        presses = 0
        for kind, *what in events:
            self.mouse.raw(kind, *what)
            presses += kind != "move"
            time.sleep(self.dice.choice((0, 0, 0, 0.008)))
        self.count += len(events)
        frames = 0
        while frames < presses // 2 + 1:
            try:
                how = self.window.told(30)
            except queue.Empty:
                raise AssertionError(self.window.stuck()) from None
            if how != "asleep":
                frames += 1
            elif frames:
                break

    def _point(self):
        left, top, wide, high = self.window.state["area"]
        nodes = list(self.window.state["nodes"].values())
        if nodes and self.dice.random() < 0.6:
            x, y, w, h = self.dice.choice(nodes)
            at = self.window.on_screen(x + self.dice.random() * w, y + self.dice.random() * h)
            if left < at[0] < left + wide and top < at[1] < top + high:
                return at
        return self.dice.uniform(left, left + wide), self.dice.uniform(top, top + high)

    def gesture(self):
        """Do one thing that a person might do."""
        dice, at = self.dice, self._point()
        button = dice.choice((1, 1, 1, 2, 3))
        match dice.randrange(9):
            case 0 | 1:
                click = [("press", button), ("release", button)]
                self._do(("move", *at), *click * dice.choice((1, 1, 2)))
            case 2:
                wheel = dice.choice((4, 5))
                turns = [("press", wheel), ("release", wheel)] * dice.choice((1, 2))
                self._do(("move", *at), *turns)
            case 3 | 4:
                way = [("move", *self._point()) for _ in range(dice.choice((1, 2, 3)))]
                self._do(("move", *at), ("press", button), *way, ("release", button))
            case _:
                key, held = dice.choice(KEYS), dice.choice(HELD)
                if (*held, key) not in NOT:
                    down = [("key", name) for name in (*held, key)]
                    up = [("key up", name) for name in (key, *held)]
                    self._do(*down, *up)


def closed(window, mouse):
    """Close what is open, and show the canvas."""
    for _ in range(4):
        mouse.key("Escape")
        window.settled()
        if window.state["popup"] == "NoneType" and not window.state["sheet"]:
            break
    if window.state["view"] == "map":
        mouse.key("m")
        window.until(lambda state: state["view"] != "map")


def ground(window):
    """Return the colour of the canvas: red, green, blue."""
    colour = THEMES[window.state["theme"]].canvas
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])


def not_seen(window, pixels):
    """Return the nodes that lie on the canvas and are not to be seen in a picture of it."""
    canvas = ground(window)
    left, top, wide, high = window.state["area"]
    found = []
    for key, (x, y, w, h) in window.state["nodes"].items():
        (x0, y0), (x1, y1) = window.on_screen(x, y), window.on_screen(x + w, y + h)
        if x0 < left or y0 < top or x1 > left + wide or y1 > top + high or x1 - x0 < 6:
            continue
        part = pixels[round(y0) : round(y1), round(x0) : round(x1)].astype(int)
        if (np.abs(part - canvas).max(axis=2) > 3).mean() < 0.3:
            found.append(key)
    return found


def settled(window):
    """Wait until what was just done is seen; a slow machine may take long to hear of it."""
    with contextlib.suppress(queue.Empty):
        window.told(5)
    window.settled()


def check(window, mouse, screen, wide, high):
    """Give the window a size and fit the graph: all of it is drawn, on the screen too."""
    screen.resize(wide, high)
    settled(window)
    closed(window, mouse)
    mouse.key("f")
    settled(window)
    assert not window.state["undrawn"]
    assert not not_seen(window, screen.picture())


def undone(window, mouse, path, start):
    """Undo all; return whether the graph is what it was at the start, if it is still that one."""
    closed(window, mouse)
    while window.state["undo"]:
        before = window.state["undo"]
        mouse.key("z", "Control_L")
        window.until(lambda state, before=before: state["undo"] < before)
    return window.state["path"] != str(path) or window.settled()["digest"] == start


@pytest.mark.parametrize("path", FILES if EVENTS else FILES[-1:], ids=lambda path: path.stem)
def test_random_events(opened, mouse, screen, shot, path):
    dice = random.Random(path.stem)
    window = opened(path, NODEFLOW_TEST_BRIEF="1")
    window.until(lambda state: state["area"], 60)
    start = window.settled()["digest"]
    hands = Hands(mouse, window, dice)
    mouse.key("f")
    window.settled()
    assert not_seen(window, np.full((*SIZE[::-1], 3), ground(window)))  # it does tell
    most, next_size = (EVENTS // len(FILES) + 1 if EVENTS else FEW), BETWEEN
    while hands.count < most:
        hands.gesture()
        if hands.count > next_size:
            next_size = hands.count + BETWEEN
            check(window, mouse, screen, dice.randrange(640, SIZE[0]), dice.randrange(480, SIZE[1]))
    for wide, high in SIZES:
        check(window, mouse, screen, wide, high)
        shot(f"{wide}")
    assert undone(window, mouse, path, start)
    window.process.terminate()
    told = window.process.stderr.read()
    assert "Traceback" not in told, told
