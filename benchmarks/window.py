"""The window itself: what a frame costs in Python, opening, standing idle, and what is left behind.

A process of its own opens a real window, on a display that nobody sees where Xvfb is there, and
does what `benchmarks.scripted` has for it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.growth import neurons
from benchmarks.harness import Result, Row, Target
from nodeflow.derive import explode
from nodeflow.files import load, save
from nodeflow.graph import Graph
from nodeflow.networks import network
from nodeflow.scene import with_places
from nodeflow.workings.shown import duration

_FRAME, _OPEN, _IDLE, _DROP = 3.0, 1.5, 3.0, 16.0
"""The limits: milliseconds of Python a frame, seconds, percent of a core, milliseconds."""
_GROWTH = 4.0
"""Megabytes that the process may grow by while it opens and closes graphs."""
_MOVING = (
    "panning", "zooming", "dragging a node", "training", "panning while training", "slow motion",
)  # fmt: skip

_TOKENS = 60
"""So many values travel at once in slow motion."""
_SLOWEST = 600
_SCREEN = "1600x1000x24"


def run(*, quick: bool = False) -> Result:
    """Open the window, and have it do what the script says."""
    result = Result("window", "the editor's window")
    with tempfile.TemporaryDirectory() as name, display() as (screen, why):
        if why:
            result.title = f"the editor's window: {why}"
            result.rows = [Row(moving, text="not measured") for moving in _MOVING]
            result.notes = [f"skipped: {why}"]
            return result
        folder = Path(name)
        result.title = _graphs(folder, quick=quick)
        found = _measured(folder, screen, quick=quick)
    _tell(result, found)
    return result


def _graphs(folder: Path, *, quick: bool) -> str:
    """Write the graphs that the script opens, with places; return what they are in words."""
    layers = "4-9-5-3" if quick else f"4-{'21-' * 12}3"
    frames = with_places(explode(network(layers, data="iris", epochs=100_000)))
    wires = with_places(explode(network("4-9-5-3" if quick else "8-150-100-80")))
    (folder / "large.json").write_text(neurons(300 if quick else 10_000, "n"), encoding="utf-8")
    large = with_places(load(folder / "large.json"))
    graphs = {
        "frames": frames, "wires": wires, "large": large, "slow": _joined(frames),
        "small": network("2-3-1", data="xor"), "other": explode(network("4-5-3", data="iris")),
    }  # fmt: skip
    for key, graph in graphs.items():
        save(graph, folder / f"{key}.json")
    return (
        f"the editor's window, {_SCREEN.rpartition('x')[0]}: {len(frames.nodes):,} nodes and "
        f"{len(frames.wires):,} wires; Python of a frame as CPU time of its thread"
    )


def _joined(graph: Graph) -> Graph:
    """Return a graph with one node more, which many values enter."""
    activations = graph.of_type("sigmoid")[:_TOKENS]
    graph = graph.add("joined", "concatenate")
    for key in activations:
        graph = graph.connect(f"{key}.a", "joined.a")
    return with_places(graph)


@contextlib.contextmanager
def display() -> Iterator[tuple[str, str]]:
    """Give a display, and why there is none: one of Xvfb's own, or else the one that is there."""
    if importlib.util.find_spec("dearpygui") is None:
        yield "", "Dear PyGui is not installed, so no window was measured"
        return
    if shutil.which("Xvfb") is None:
        display = os.environ.get("DISPLAY", "")
        on_linux = sys.platform.startswith("linux")
        why = "there is neither Xvfb nor a display, so no window was measured"
        yield display, why if on_linux and not display else ""
        return
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}", ""
    finally:
        server.terminate()
        server.wait(10)


def _measured(folder: Path, display: str, *, quick: bool) -> dict[str, Any]:
    """Run the script in a process of its own, far from the preferences of whoever measures."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scripted", str(folder), *["--quick"] * quick],
        env={
            **os.environ,
            "DISPLAY": display,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
        },
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SLOWEST,
    )
    if done.returncode or not done.stdout:
        last = done.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"the window ended with exit code {done.returncode}: {last}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _tell(result: Result, found: dict[str, Any]) -> None:
    cpu, wall = found["cpu"], found["wall"]
    for name in _MOVING:
        result.rows.append(Row(f"{name}, {len(cpu[name])} frames", text=_spread(cpu[name])))
    result.rows += [
        Row("the same on the clock: the worst of all", max(max(wall[name]) for name in _MOVING)),
        Row("dropping the node", cpu["dropping it"][-1]),
        Row(
            f"dropping a node among {found['wires']:,} wires",
            cpu["dropping a node among many wires"][-1],
        ),
        Row(f"opening {found['nodes']:,} nodes, until all is on the screen", found["opening"]),
        Row("the same, what of it is Python", found["opening_cpu"]),
    ]
    result.rows.append(Row("values on their way in slow motion", text=str(found["tokens"])))
    result.rows.append(Row("an idle window", text=f"{found['idle']:.1%} of a core"))
    grown = (found["memory_after"] - found["memory_before"]) / 1e6
    left = found["items_after"] - found["items_before"]
    result.rows.append(
        Row(f"after {found['cycles']} graphs opened", text=f"{left} items more, {grown:+.1f} MB")
    )
    targets = [Target(f"{name}, the worst frame", _FRAME, max(cpu[name]) * 1e3, unit=" ms")
               for name in _MOVING]  # fmt: skip
    drop = cpu["dropping a node among many wires"][-1] * 1e3
    result.targets = [
        *targets,
        Target("dropping a node among many wires", _DROP, drop, unit=" ms"),
        Target(f"opening {found['nodes']:,} nodes", _OPEN, found["opening"], unit=" s"),
        Target("standing idle, of a core", _IDLE, found["idle"] * 100, unit=" %"),
        Target("items left behind", 0, left, unit=" items"),
        Target("memory left behind", _GROWTH, grown, unit=" MB"),
    ]
    for number in ("items", "memory"):
        result.notes.append(f"{number}: {found[f'{number}_before']:,} before, "
                            f"{found[f'{number}_after']:,} after")  # fmt: skip


def _spread(times: Sequence[float]) -> str:
    high = quantiles(times, n=100, method="inclusive")[-1] if len(times) > 1 else times[0]
    return f"median {duration(median(times))}, 99 % {duration(high)}, worst {duration(max(times))}"
