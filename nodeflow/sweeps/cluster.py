"""Runs made by the workers of a Dask cluster: the same rows, wherever they are made.

What is sent is text and numbers: the graph as the text of its file, the values, the places of the
seeds. Each worker reads the graph anew, so nothing live is ever pickled. Batches take about half a
second, so that the scheduler has little to do. Every batch has a key of its own: to Dask, calls
with equal arguments are one call.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nodeflow.declare import CATALOG
from nodeflow.engine.kernel.notices import say_in_sentences
from nodeflow.errors import NodeflowError, SweepError
from nodeflow.files import loads, whole
from nodeflow.files.text import plain
from nodeflow.graph import Graph
from nodeflow.sweeps.axes import Axis
from nodeflow.sweeps.cases import Part, Plan
from nodeflow.sweeps.connection import Connection, WorkerLost, connected
from nodeflow.sweeps.engine import engine_digest
from nodeflow.sweeps.rows import Row
from nodeflow.sweeps.running import Worker

_BATCH_SECONDS = 0.5
_MOST_RUNS = 4096
_TRIES = 3
"""How often a batch is sent anew whose workers died."""
OTHER = (
    "a worker has another nodeflow than this program, or another plugin, and its numbers might "
    "differ; install the same versions on both"
)


def rows_of(plan: Plan, done: Mapping[int, Row], address: str) -> Iterator[Row]:
    """Yield the rows that are missing, as the workers of a cluster have them ready.

    `address` is that of a scheduler, or "local" for a cluster of this machine: one process a
    processor, reachable from this machine only. Raises `SweepError` where no scheduler answers,
    where a worker has another nodeflow, or where the cluster goes away.
    """
    with connected(address, "finished runs are kept, and the same command goes on") as there:
        yield from _Batches(plan, done, there).rows()


class _Batches:
    """The parts of a plan on their way to the workers and back."""

    def __init__(self, plan: Plan, done: Mapping[int, Row], there: Connection) -> None:
        self.plan, self.there = plan, there
        self.folder = str((plan.graph.folder or Path()).resolve())
        self._text, self._engine = _sent(plan), engine_digest(plan.graph)
        self._name = f"nodeflow-{uuid.uuid4().hex[:12]}"
        self._sent = 0
        self._missing = len(plan) - len(done)
        """Runs that were not sent yet."""
        self._parts = plan.parts(done, _MOST_RUNS)
        self._left: list[Part] = []
        """What was taken from these, and not sent yet."""
        self._waiting: dict[Any, tuple[Part, int]] = {}
        self._seconds = 0.0
        self._runs = 0

    def rows(self) -> Iterator[Row]:
        """Yield rows until all parts came back."""
        try:
            while True:
                while len(self._waiting) < 2 * self._workers() and self._send_next():
                    pass
                if not self._waiting:
                    return
                yield from self._taken(self.there.next_ready())
        finally:
            self.there.forget(list(self._waiting))

    def _workers(self) -> int:
        return max(1, sum(self.there.workers().values()))

    def _size(self) -> int:
        """Return how many runs take about half a second, as far as that is known."""
        if not self._runs:
            return 1
        each = self._seconds / self._runs
        # Towards the end they are smaller, so that no worker is idle while another has many left.
        share = math.ceil(self._missing / (2 * self._workers()))
        return max(1, min(_MOST_RUNS, share, round(_BATCH_SECONDS / max(each, 1e-6))))

    def _send_next(self) -> bool:
        """Send what comes next; return whether there was anything."""
        part = self._left.pop() if self._left else next(self._parts, None)
        if part is None:
            return False
        size = self._size()
        if len(part) > size:
            self._left.append(part[size:])
        self._send(part[:size], 0)
        self._missing -= len(part[:size])
        return True

    def _send(self, part: Part, tries: int) -> None:
        self._sent += 1
        future = self.there.submit(
            made, self._text, self.folder, self._engine, part,
            key=f"{self._name}-{self._sent}", retries=0,
        )  # fmt: skip
        self._waiting[future] = part, tries
        self.there.tell(future)

    def _taken(self, future: Any) -> list[Row]:
        part, tries = self._waiting.pop(future)
        try:
            fault, rows = self.there.result(future)
        except WorkerLost as lost:
            if tries >= _TRIES:
                raise SweepError(
                    f"workers died {tries + 1} times while they made the same {len(part)} runs "
                    f"({lost}); fewer workers on a machine need less memory"
                ) from None
            self._send(part, tries + 1)
            return []
        if fault:
            raise SweepError(fault)
        self._seconds += sum(values["seconds"] for _, values, _ in rows)
        self._runs += len(rows)
        return [Row(number, values, curves) for number, values, curves in rows]


def _sent(plan: Plan) -> bytes:
    about = {
        "graph": whole(plan.graph),
        "axes": [[axis.address, list(axis.values)] for axis in plan.axes],
        "seeds": len(plan.seeds),
        "epochs": plan.epochs,
        "until": plan.until,
        "curves": plan.curves,
        "dtype": plan.dtype,
    }
    return json.dumps(plain(about)).encode()


def sent(text: str, folder: str) -> Graph:
    """Return a graph at a worker."""
    import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
    from nodeflow.plugins import load_enabled

    load_enabled()
    return loads(text, folder=Path(folder))


def fault_of(graph: Graph, engine: str) -> str:
    """Return why a worker would make other numbers of a graph than who sent it; "" if it would not.

    `engine` is the digest of the engine there.
    """
    if engine == engine_digest(graph):
        return ""
    missing = sorted({node.type for node in graph.nodes.values() if node.known is None})
    if not missing:
        return OTHER
    return (
        f"a worker has no node type '{missing[0]}'{CATALOG.why_unknown(missing[0])}; install its "
        "plugin there, and switch it on for the user who runs the worker"
    )


@cache
def _worker(text: bytes, folder: str) -> Worker:
    said = json.loads(text)
    graph = sent(said["graph"], folder)
    axes = tuple(Axis(address, tuple(values)) for address, values in said["axes"])
    how = {name: said[name] for name in ("epochs", "until", "curves", "dtype")}
    return Worker(Plan(graph, axes, range(said["seeds"]), **how))


def made(
    text: bytes, folder: str, engine: str, part: Part
) -> tuple[str, list[tuple[int, dict[str, Any], dict[str, list[float | None]] | None]]]:
    """Make some runs; called by a worker. Returns what refuses them, and their rows."""
    say_in_sentences()
    try:
        worker = _worker(text, folder)
        if fault := fault_of(worker.plan.graph, engine):
            return fault, []
        rows = [
            (row.number, dict(row.values), None if row.curves is None else dict(row.curves))
            for row in worker.rows(part)
        ]
    except NodeflowError as error:
        return " ".join(str(error).split()), []
    return "", rows
