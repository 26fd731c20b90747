"""A thousand nodes in the editor, without a window: what a message costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from benchmarks.harness import Result, Row, Target
from nodeflow.derive import explode
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update
from nodeflow.networks import network


class _Hand:
    """Sends messages to an editor, as frames of a window would, and keeps the times."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def times(self, messages: Sequence[m.Message]) -> list[float]:
        found = []
        for message in messages:
            start = time.perf_counter()
            self.editor = update(self.editor, message)
            overlay(self.editor)
            found.append(time.perf_counter() - start)
        return found


def run(*, quick: bool = False) -> Result:
    """Open a large network as single neurons, then pan, zoom, hover, drag and wire."""
    layers = "4-9-5-3" if quick else "8-150-100-80"
    graph = explode(network(layers))
    start = time.perf_counter()
    hand = _Hand(update(Editor.of(graph), m.Do("fit")))
    opened = time.perf_counter() - start
    key = next(iter(graph.nodes))
    view = hand.editor.drawn.nodes[key]
    title = hand.editor.camera.on_screen((view.x + 60, view.y + 10))
    port = hand.editor.drawn.ports[f"{key}.value"]
    socket = hand.editor.camera.on_screen((port.x, port.y))
    hand.times([m.Moved((5.0, 5.0))])
    across = [m.Moved((12.0 * n, 7.0 * n)) for n in range(100)]
    hovering = hand.times(across)
    zooming = hand.times([m.Wheel((300.0, 300.0), 0.2 * (-1) ** n) for n in range(100)])
    hand.times([m.Pressed((400.0, 400.0), button="middle")])
    panning = hand.times([m.Moved((400.0 + n % 7, 400.0)) for n in range(100)])
    hand.times([m.Released((400.0, 400.0)), m.Do("fit")])
    pressed = hand.times([m.Pressed(title)])
    dragging = hand.times([m.Moved((title[0] + n, title[1])) for n in range(5, 105)])
    dropped = hand.times([m.Released((title[0] + 104, title[1])), m.Moved((5.0, 5.0))])
    hand.times([m.Do("undo"), m.Moved((5.0, 5.0))])
    begun = hand.times([m.Pressed(socket)])
    wiring = hand.times([m.Moved((socket[0] + 9 * n, socket[1])) for n in range(1, 100)])
    result = Result("editor", f"{len(graph.nodes):,} nodes, {len(graph.wires):,} wires")
    rows = {
        "hovering": hovering,
        "zooming": zooming,
        "panning": panning,
        "dragging a node": dragging,
        "drawing a wire": wiring,
    }
    result.rows = [Row("opening, with the first layout of the scene", opened)]
    result.rows += [Row(f"{name}, median of a message", median(t)) for name, t in rows.items()]
    result.rows += [
        Row("picking a node up", sum(pressed)),
        Row("dropping it, with the scene after it", sum(dropped)),
        Row("beginning a wire: which ports fit", sum(begun)),
    ]
    result.targets = [
        Target(name, 5.0, median(times) * 1e3, unit=" ms") for name, times in rows.items()
    ]
    return result
