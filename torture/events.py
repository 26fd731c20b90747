"""Raw events at random: pointer, buttons, wheel, keys, over all graphs, as hands would have it.

The pointer is led to ports, bodies, wires and popups by choice: drags that mean something are rare
among random points.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from nodeflow.editor.commands.registry import COMMANDS
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update
from nodeflow.errors import NodeflowError
from nodeflow.files import load
from torture.report import Report

GRAPHS = Path(__file__).parent.parent / "graphs"
_LARGEST = 60_000
_KEYS = (
    "Escape", "Enter", "Tab", "Delete", "Backspace", "Left", "Right", "Up", "Down", "Home", "End",
    "PageUp", "PageDown", "Space", "+", "-", "*", "/", "F1", "F2", "F5", "F12", "?", "[", "]",
    *"abcdefghijklmnopqrstuvwxyz0123456789",
)  # fmt: skip
_TEXTS = ("", "sig", "add", "0.5", "[1, 2", "[[1, 2], [3, 4]]", "nan", "1e999", "x" * 300, "é\x00",
          "-1", "all", "hidden", "../../x.csv", "w.value > 1")  # fmt: skip
_CLICKS = (1.0, -1.0, 0.25, 5.0, -40.0, 1e6, -1e6)


def place(dice: random.Random, editor: Editor) -> tuple[float, float]:
    """Return a point on the screen that something may be at."""
    drawn = editor.drawn
    nodes = list(drawn.nodes.values())
    if nodes and dice.random() < 0.85:
        node = dice.choice(nodes)
        ports = (*node.inputs, *node.outputs)
        if ports and dice.random() < 0.6:
            port = dice.choice(ports)
            at = (port.x + dice.uniform(-4, 4), port.y + dice.uniform(-4, 4))
        else:
            at = (node.x + dice.random() * node.width, node.y + dice.random() * node.height)
        return editor.camera.on_screen(at)
    return dice.uniform(-50, 1350), dice.uniform(-50, 850)


def events(dice: random.Random, editor: Editor) -> Iterator[m.Message]:
    """Yield one thing that a hand does: a few events; the pointer is where the editor has it."""
    held = {name: dice.random() < 0.2 for name in ("shift", "ctrl", "alt")}
    button = dice.choice(("left", "left", "left", "middle", "right"))
    match dice.randrange(10):
        case 0 | 1 | 2 | 3:  # a drag, whole or broken off
            yield m.Moved(start := place(dice, editor))
            yield m.Pressed(start, button, 1, **held)
            for _ in range(dice.randint(0, 3)):
                yield m.Moved(place(dice, editor))
            if dice.random() < 0.1:
                yield m.Key("Escape")
            end = place(dice, editor)
            if dice.random() < 0.8:
                yield m.Moved(end)
            if dice.random() < 0.95:
                yield m.Released(end, button, **held)
        case 4 | 5:  # a click, or two
            at = place(dice, editor)
            for clicks in range(1, dice.choice((2, 2, 3))):
                yield m.Pressed(at, button, clicks, **held)
                yield m.Released(at, button, **held)
        case 6:
            yield m.Wheel(place(dice, editor), dice.choice(_CLICKS), held["shift"], held["ctrl"])
        case 7 | 8:
            yield m.Key(dice.choice(_KEYS), **held)
        case _:
            match dice.randrange(5):
                case 0:
                    yield m.Typed(dice.choice(_TEXTS))
                case 1:
                    yield m.Chosen(dice.choice((None, 0, 1, 5, 10_000)))
                case 2:
                    yield m.Resized(
                        (dice.choice((0.0, 1.0, 800.0, 1e5)), dice.choice((0.0, 600.0)))
                    )
                case 3:
                    yield m.Pasted(dice.choice(_TEXTS))
                case _:
                    yield m.Do(dice.choice(_COMMANDS))


_COMMANDS = sorted(COMMANDS)


def searched(seconds: float, *, most: int = 100_000, seed: int = 0) -> Report:
    """Send events for so long, or so many, graph after graph."""
    report = Report("raw events")
    files = [file for file in sorted(GRAPHS.rglob("*.json")) if file.stat().st_size < _LARGEST]
    dice = random.Random(seed)
    dice.shuffle(files)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end and report.counts["events"] < most:
        file = files[number % len(files)]
        report.count("sequences")
        _sequence(Editor.of(load(file)), f"events {seed}:{number} of {file.name}", report, end)
        number += 1
    return report


def _sequence(editor: Editor, how: str, report: Report, end: float) -> None:
    dice = random.Random(how)
    editor = update(editor, m.Do("fit"))
    for step in range(60):
        if time.monotonic() > end + 10:
            return
        for event in events(dice, editor):
            report.count("events")
            try:
                editor = update(editor, event)
            except Exception as error:  # noqa: BLE001  this is what is looked for
                report.raised(f"{type(event).__name__}", error, f"{how}, step {step}: {event}")
        try:
            editor.graph.validate()
            _ = editor.drawn
        except NodeflowError as error:
            report.fault("a graph that cannot be", f"{how}, step {step}: {error}")
            return
        except Exception as error:  # noqa: BLE001  this is what is looked for
            report.raised("drawing", error, f"{how}, step {step}")
            return
