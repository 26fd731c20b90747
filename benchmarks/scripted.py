"""A real window that does what a script says and tells what its frames cost, as one JSON document.

python -m benchmarks.scripted FOLDER [--quick]: `benchmarks.window` runs it, on a display.

Times are those of `Window.step`: input, messages, run and drawing in Python, everything of a frame
but the toolkit's own rendering. CPU time is the main thread's alone.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nodeflow.editor import shell as shells
from nodeflow.editor.playing.motion import motion
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.requests import AskOpen, ControlRun
from nodeflow.editor.state.runcommands import Go
from nodeflow.files import load
from nodeflow.window import app
from nodeflow.window.platform.framerate import FRAME
from nodeflow.window.platform.toolkit import dpg

SIZE = (1600, 1000)
_CALM = 1.5
"""Seconds after which an idle window sleeps."""
_CLEANED = 1.5
"""After so many seconds of sleep it has looked for garbage."""

Script = Iterator[str]
"""A frame each: how it is called, or "" where nothing of it is kept."""


class Scripted(app.Window):
    """A window whose frames are timed."""

    def __init__(self, editor: Editor, shell: shells.Shell) -> None:
        super().__init__(editor, shell, SIZE)
        self.script: Script = iter(())
        self.hurried = False
        """Whether it is only to be seen that all works: a window that sleeps takes its time."""
        self.resting = False
        self.sleeps = math.inf
        """How long it sleeps at most: the script goes on afterwards."""
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def _pause(self) -> float:
        """Show frames for the script, which goes on with each, but where it looks at idling."""
        return min(super()._pause(), self.sleeps) if self.resting else FRAME

    def step(self) -> None:
        """Do what the script has for this frame, and keep how long it took."""
        name = next(self.script, None)
        if name is None:
            self._open = False
            return
        wall, cpu = time.perf_counter(), time.thread_time()
        super().step()
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        if name:
            self.cpu.setdefault(name, []).append(cpu)
            self.wall.setdefault(name, []).append(wall)

    def each(self, name: str, messages: Iterable[m.Message]) -> Script:
        """Send one message a frame."""
        for message in messages:
            self.send(message)
            yield name

    def drawn(self, name: str = "", *, least: int = 3) -> Script:
        """Go on until everything is drawn."""
        for _ in range(least):
            yield name
        while self.canvas.busy:
            yield name

    def evaluated(self) -> Script:
        """Go on until the values of the first pass have come from the background, and stand."""
        while not self.editor.live.values:
            yield ""
        yield from self.drawn()

    def rested(self) -> Script:
        """Sleep for a while, as a window does that somebody looks at: Python cleans up then."""
        if self.hurried:
            return
        yield from waited(_CALM)
        self.resting, self.sleeps = True, _CLEANED
        yield from waited(_CLEANED)
        self.resting, self.sleeps = False, math.inf

    def open(self, path: Path) -> Script:
        """Open a file as the dialog does; it is read in the background."""
        self._chosen_file(AskOpen(), path)
        self.resting = True  # as a window that has nothing to show until the file is read
        while self.editor.path != path:
            yield ""
        self.resting = False


def frames(window: Scripted, rounds: int) -> Script:
    """Pan, zoom, drag a node and train, as somebody would who does it without a pause."""
    yield from window.drawn()
    yield from window.rested()
    middle = 500.0, 450.0
    yield from window.each("", _zoomed_in(window.editor.camera.zoom, middle))
    yield from window.drawn()
    yield from window.each("panning", _pan(middle, rounds))
    yield from window.drawn("panning")
    yield from window.each("zooming", _zoom(middle, rounds))
    yield from window.drawn("zooming")
    key, at = _node_near(window.editor, middle)
    yield from window.each("", [m.Moved(at)])  # nobody presses what was not pointed at
    *dragged, released = _drag(at, rounds)
    yield from window.each("dragging a node", dragged)
    yield from window.each("dropping it", [released])
    yield from window.drawn("dragging a node", least=1)
    yield from window.each("", [m.Moved(middle), m.Select(frozenset([key]))])
    yield from window.each("", [m.Do("toggle-training")])
    while window.editor.live.state != "training":
        yield ""
    for _ in range(rounds):
        window.send(m.Moved(middle))  # so that frames go on at full rate
        yield "training"
    yield from window.each("panning while training", _pan(middle, rounds))
    yield from window.each("", [m.Do("toggle-training")])
    yield from window.drawn()


def _zoomed_in(zoom: float, at: tuple[float, float]) -> list[m.Message]:
    """Return the clicks of the wheel to a zoom at which texts are read."""
    return [m.Wheel(at, 1.0)] * max(math.ceil(math.log(0.6 / zoom, 1.12)), 0)


def _pan(at: tuple[float, float], rounds: int) -> list[m.Message]:
    """Drag the canvas to and fro, 40 pixels a frame, so that new nodes come into view."""
    x, y = at
    path = [(x + 40.0 * _swing(n, 30), y + 14.0 * _swing(n, 44)) for n in range(rounds)]
    return [
        m.Pressed(at, button="middle"), *map(m.Moved, path), m.Released(path[-1], button="middle")
    ]  # fmt: skip


def _swing(number: int, length: int) -> int:
    """Count up to a length and down again."""
    number %= 2 * length
    return min(number, 2 * length - number)


def _zoom(at: tuple[float, float], rounds: int) -> list[m.Message]:
    """Zoom out, until nodes are flat rectangles, and in again."""
    return [m.Wheel(at, -1.0 if n // 14 % 2 == 0 else 1.0) for n in range(rounds)]


def _drag(at: tuple[float, float], rounds: int) -> list[m.Message]:
    x, y = at
    path = [(x + 6.0 * _swing(n, 50), y + 3.0 * _swing(n, 70)) for n in range(1, rounds)]
    return [m.Pressed(at), *map(m.Moved, path), m.Released(path[-1])]


def slowly(window: Scripted, path: Path, found: dict[str, Any]) -> Script:
    """Make the step, again and again, in which the most values travel."""
    yield from window.open(path)
    while "joined.value" not in window.editor.live.values:
        yield ""
    window.send(ControlRun(Go("0:0:joined")))
    while window.editor.live.playback.node != "joined":
        yield ""
    yield from window.drawn()
    found["tokens"] = len(motion(window.editor).tokens)
    for _ in range(3):
        window.send(m.Do("step-back"))
        while window.editor.live.playback.node == "joined":
            yield ""
        window.send(m.Do("step-on"))
        while window.editor.live.playback.node != "joined":
            yield "slow motion"
        yield from window.drawn("slow motion")


def dropping(window: Scripted, path: Path, found: dict[str, Any]) -> Script:
    """Drag a node in a graph of many wires, seen from near, and drop it."""
    yield from window.open(path)
    yield ""
    middle = 500.0, 450.0
    window.send(m.Wheel(middle, float(len(_zoomed_in(window.editor.camera.zoom, middle)))))
    yield from window.drawn()
    _, at = _node_near(window.editor, middle)
    found["wires"] = len(window.editor.graph.wires)
    *before, last = _drag(at, 4)
    yield from window.each("", before)
    yield from window.each("dropping a node among many wires", [last])
    while not window.editor.drawn.is_routed:  # in the background
        yield "after dropping a node among many wires"
    yield from window.drawn("after dropping a node among many wires")


def _node_near(editor: Editor, at: tuple[float, float]) -> tuple[str, tuple[float, float]]:
    """Return the node nearest to a point of the screen, and where its header is there."""
    x, y = editor.camera.on_canvas(at)
    view = min(
        (view for view in editor.drawn.nodes.values() if view.type == "sigmoid"),
        key=lambda view: (view.x + 60 - x) ** 2 + (view.y + 10 - y) ** 2,
    )
    return view.key, editor.camera.on_screen((view.x + 60, view.y + 10))


def opening(window: Scripted, path: Path, found: dict[str, Any]) -> Script:
    """Open a large file: until all of it is on the screen."""
    yield from window.drawn()
    start = time.perf_counter(), time.thread_time()
    yield from window.open(path)
    yield from window.drawn("after opening", least=2)
    found["opening"] = time.perf_counter() - start[0]
    found["nodes"] = len(window.editor.graph.nodes)
    found["opening_cpu"] = time.thread_time() - start[1]


def idle(window: Scripted, seconds: float, found: dict[str, Any]) -> Script:
    """Do nothing for some seconds."""
    yield from window.drawn()
    yield from waited(_CALM)
    window.resting = not window.hurried
    yield ""
    start = time.perf_counter(), time.process_time()
    yield from waited(seconds)
    window.resting = False
    found["idle"] = (time.process_time() - start[1]) / (time.perf_counter() - start[0])


def waited(seconds: float) -> Script:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        yield ""


def cycles(window: Scripted, paths: list[Path], count: int, found: dict[str, Any]) -> Script:
    """Open one file after the other, and count what is there after the first ones and the last."""
    warm = max(count // 4, 4)
    for number in range(count + warm):
        if number in (0, warm):
            yield from window.evaluated()
            yield from window.rested()
            found["items_before"], found["memory_before"] = held()
        yield from window.open(paths[number % len(paths)])
        yield from window.drawn(least=2)
    yield from window.evaluated()
    yield from window.rested()
    found["items_after"], found["memory_after"] = held()
    found["cycles"] = count


def held() -> tuple[int, int]:
    """Return how many items the toolkit has, and how many bytes the process."""
    return len(dpg.get_all_items()), resident()


def resident() -> int:
    """Return the bytes of memory that the process has."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def show(path: Path, script: Callable[[Scripted], Script]) -> Scripted:
    """Open a window with a file, let it do what a script says, and close it."""
    shell = shells.Shell()
    dpg.create_context()
    try:
        editor = Editor.of(load(path), path, preferences=Preferences(toured=True))
        window = Scripted(editor, shell)
        window.script = script(window)
        window.loop()
    finally:
        dpg.destroy_context()
        shell.close()
    return window


def main(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Run all scripts, and return what was found."""
    rounds, seconds, count = (12, 0.5, 3) if quick else (50, 6.0, 100)
    found: dict[str, Any] = {}

    def script(window: Scripted) -> Script:
        window.hurried = quick
        yield from frames(window, rounds)
        yield from slowly(window, folder / "slow.json", found)
        yield from idle(window, seconds, found)
        yield from dropping(window, folder / "wires.json", found)
        yield from opening(window, folder / "large.json", found)
        yield from cycles(window, [folder / "small.json", folder / "other.json"], count, found)

    window = show(folder / "frames.json", script)
    return {**found, "cpu": window.cpu, "wall": window.wall}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), quick="--quick" in sys.argv)))
