"""A model of the file system: a save stops after every single system call, twice in a row.

What was written but not yet synced may be on the disk or not, in any combination. Whatever is
found there, a whole pair of graph and arrays can be read: the one before, or a newer one.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.declare import Array
from nodeflow.files import load, save
from nodeflow.graph import Graph, Node

Disk = dict[str, bytes]
SIZE = 1100
SAVES = int(os.environ.get("NODEFLOW_TORTURE_SAVES", "2"))
"""So many saves stop, one after the other."""


class Stopped(BaseException):
    """The machine stops."""


def network(number: int) -> Graph:
    """Return a graph whose large array says which one it is."""
    values = np.full((1, SIZE), float(number))
    return Graph(nodes={"w": Node("parameter", {"value": Array(values)})}, name=str(number))


class Model:
    """Counts system calls that change the disk, stops after one, and keeps what is not synced."""

    def __init__(self, folder: Path, stop: int, patch: pytest.MonkeyPatch) -> None:
        self.stop, self.calls = stop, 0
        self.left: list[Disk] = []
        self.durable: Disk = {p.name: p.read_bytes() for p in folder.iterdir()}
        self.synced: dict[str, bytes] = dict(self.durable)
        self.waiting: list[tuple[str, str, str]] = []  # what became of names since the last sync
        fsync, replace, unlink = os.fsync, os.replace, os.unlink

        def on_fsync(descriptor: int) -> None:
            fsync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path == folder:
                self.settle(self.waiting)
                self.waiting = []
            else:
                self.synced[path.name] = path.read_bytes()
            self.count()

        def on_replace(old: Any, new: Any, **_: Any) -> None:
            replace(old, new)
            names = Path(old).name, Path(new).name
            self.waiting.append(("rename", *names))
            self.count()

        def on_unlink(path: Any, **_: Any) -> None:
            unlink(path)
            self.waiting.append(("unlink", Path(path).name, ""))
            self.count()

        patch.setattr(os, "fsync", on_fsync)
        patch.setattr(os, "replace", on_replace)
        patch.setattr(os, "unlink", on_unlink)

    def count(self) -> None:
        self.calls += 1
        if self.calls == self.stop:
            self.left = self.possible()  # what is cleared up after this does not happen
            raise Stopped

    def settle(self, done: list[tuple[str, str, str]]) -> None:
        """Have these changes of names on the disk."""
        self.durable = self.after(done)

    def after(self, done: Any) -> Disk:
        found = dict(self.durable)
        for what, old, new in done:
            if what == "rename":
                found[new] = self.synced.get(old, b"")  # its contents may never have come there
                found.pop(old, None)
            else:
                found.pop(old, None)
        return found

    def possible(self) -> list[Disk]:
        """Return every disk that may be found: each waiting change is there or not."""
        found: list[Disk] = []
        for count in range(len(self.waiting) + 1):
            for done in itertools.combinations(self.waiting, count):
                disk = self.after(done)
                if disk not in found:
                    found.append(disk)
        return found


def stopped(start: Disk, graph: Graph, folder: Path, stop: int, *, backup: bool) -> list[Disk]:
    """Return the disks that a save may leave which stops after so many calls; [] if it ended."""
    folder.mkdir()
    for name, data in start.items():
        (folder / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        model = Model(folder, stop, patch)
        try:
            save(graph, folder / "net.json", backup=backup)
        except Stopped:
            return model.left
    return []


def read(start: Disk, folder: Path) -> str:
    """Return which graph is found, after looking that its arrays are its own."""
    folder.mkdir()
    for name, data in start.items():
        (folder / name).write_bytes(data)
    graph = load(folder / "net.json")
    values = graph.nodes["w"].settings["value"].values
    assert np.array_equal(values, np.full((1, SIZE), float(graph.name)))
    return graph.name


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files from /proc")
@pytest.mark.parametrize("backup", [True, False])
def test_two_saves_that_stop_anywhere_leave_one_whole_pair(tmp_path: Path, backup: bool) -> None:
    numbers = (tmp_path / str(n) for n in itertools.count())
    home = next(numbers)
    home.mkdir()
    save(network(0), home / "net.json")
    save(network(1), home / "net.json")
    disks = [{p.name: p.read_bytes() for p in home.iterdir()}]
    tried = 0
    for number in range(2, 2 + SAVES):
        after: list[Disk] = []
        for disk in disks:
            for stop in itertools.count(1):
                found = stopped(disk, network(number), next(numbers), stop, backup=backup)
                if not found:
                    break
                after += [one for one in found if _kept(one) not in map(_kept, after)]
        for disk in after:
            assert int(read(disk, next(numbers))) in range(1, number + 1)
            tried += 1
        disks = after
    assert tried > 15
    print(f"\n{tried} disks")  # noqa: T201  `make torture` counts them


def _kept(disk: Disk) -> Disk:
    """Return a disk without the names of temporary files, which are random."""
    return {name: data for name, data in disk.items() if not name.endswith(".tmp")}
