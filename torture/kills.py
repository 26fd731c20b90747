"""Saves that are killed: the process is gone in the middle, and what is there is whole."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from nodeflow import disk
from nodeflow.declare import Array
from nodeflow.editor.documents.store import Journal
from nodeflow.errors import NodeflowError
from nodeflow.files import load, load_run, save, save_run
from nodeflow.graph import Graph, Node
from torture.report import Report

_SIZE = 20_000


def _network(number: int, size: int) -> Graph:
    values = np.full((1, size), float(number))
    return Graph(nodes={"w": Node("parameter", {"value": Array(values)})}, name=str(number))


def _of_graph(path: Path) -> int:
    graph = load(path)
    values = graph.nodes["w"].settings["value"]
    held = values.values if isinstance(values, Array) else np.array(values)
    assert np.all(held == float(graph.name)), "arrays of another graph"
    return int(graph.name)


def _of_run(path: Path) -> int:
    run = load_run(path)
    assert np.all(run.weights["w.value"] == run.meta["number"]), "weights of another run"
    return int(run.meta["number"])


def _journal(folder: Path) -> Callable[[int], None]:
    journal = Journal(folder / "journal")

    def write(number: int) -> None:
        journal._write(replace(_network(number, _SIZE)), None)  # noqa: SLF001  at once

    return write


def _kinds(folder: Path) -> dict[str, tuple[Callable[[int], None], Callable[[], int]]]:
    """Return for each kind of save how it is done with a number, and how that is read."""
    small, large, run = folder / "small.json", folder / "large.json", folder / "large.run.npz"
    bare = folder / "bare.json"
    return {
        "small graphs": (lambda n: save(_network(n, 4), small), lambda: _of_graph(small)),
        "graphs with arrays": (lambda n: save(_network(n, _SIZE), large), lambda: _of_graph(large)),
        "without a backup": (
            lambda n: save(_network(n, _SIZE), bare, backup=False), lambda: _of_graph(bare)
        ),
        "run files": (
            lambda n: save_run(run, {"w.value": np.full(_SIZE, float(n))}, [], {"number": n}),
            lambda: _of_run(run),
        ),
        "journals": (_journal(folder), lambda: _of_graph(folder / "journal" / "graph.json")),
    }  # fmt: skip


def killed(seconds: float, *, most: int = 1000, seed: int = 0) -> Report:
    """Kill saves for so long, or so many of each kind, each at another moment."""
    report = Report("killed saves")
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        kinds = _kinds(folder)
        for write, _ in kinds.values():
            write(0)
        end = time.monotonic() + seconds
        number = dict.fromkeys(kinds, 0)
        for _ in range(most):
            for kind, (write, read) in kinds.items():
                if time.monotonic() > end:
                    return report
                _kill(write, number[kind] + 1, dice.random() * 0.03)
                report.count(kind)
                try:
                    found = read()
                except (NodeflowError, AssertionError) as error:
                    report.fault(f"{kind}: {error}", f"kill {report.counts[kind]} of seed {seed}")
                    with suppress(NodeflowError):  # what is damaged may refuse that
                        write(number[kind])
                    continue
                if found < number[kind]:
                    report.fault(f"{kind}: older than what was saved", f"{found} < {number[kind]}")
                number[kind] = found
        for write, _ in kinds.values():
            with suppress(NodeflowError):
                write(10**9)
        # A number of a process that is gone may be another's by now: those wait for their age.
        left = [
            one.name
            for one in folder.rglob(".nodeflow-*.tmp")
            if not disk._lives(int(one.name.split("-")[2]))  # noqa: SLF001
        ]
        if left:
            report.fault("leftovers are not cleared", ", ".join(left[:3]))
    return report


def _kill(write: Callable[[int], None], first: int, delay: float) -> None:
    """Save in another process, number after number, and kill it."""
    ready, ours = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.write(ours, b"1")
            for number in range(first, first + 100_000):
                write(number)
        finally:
            os._exit(1)
    os.close(ours)
    os.read(ready, 1)
    os.close(ready)
    time.sleep(delay)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
