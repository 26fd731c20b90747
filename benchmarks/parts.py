"""Batches in parts: what a round trip costs, and what that comes to with up to a hundred workers.

Measured: an update of one machine, a part of it, a round trip to the workers of a local cluster
with parameters out and sums back. The rest is simulated from these numbers.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import nodeflow as nf
from benchmarks.harness import Result, Row
from nodeflow.engine.parts import bounds
from nodeflow.networks import network

WORKERS = (1, 2, 4, 8, 16, 32, 64, 100)
_NETWORK = 1.25e9
"""Bytes a second between machines: ten gigabits, as a cluster's have at least."""


@dataclass(frozen=True)
class Costs:
    """What was measured: all in seconds, or seconds a byte."""

    sample: float
    """Of one sample, forward and backward."""
    rest: float
    """Of what comes after the sums, once an update."""
    trip: float
    """Of a round trip without numbers."""
    byte: float
    """Of each byte that is sent, packed and unpacked, for one worker."""

    def update(self, samples: int, size: int, workers: int) -> float:
        """Return how long an update takes with so many workers: simulated.

        The scheduler's machine sends parameters to all workers one after the other, and takes
        their sums in; each worker computes its share meanwhile.
        """
        if workers == 0:  # without a cluster
            return samples * self.sample + self.rest
        sent = 2 * size * (self.byte + 1 / _NETWORK)
        ends = []
        free = 0.0  # when the line is free again
        for worker in range(workers):
            free += sent / 2
            own = bounds(0, samples, workers, worker)[1]
            ends.append(free + self.trip + own * self.sample)
        back = 0.0
        for end in sorted(ends):
            back = max(back, end) + sent / 2
        return back + self.rest


def run(*, quick: bool = False) -> Result:
    """Measure a round trip, and simulate up to a hundred workers."""
    result = Result("parts", "one training in parts: costs of a round trip, and a simulation")
    graph = network((400, 25 if quick else 512, 10), data="mnist-20x20", rate=0.1, test=0.0)
    costs, size = _measured(graph, result, quick=quick)
    if costs is None:
        return result
    for samples in (1_000, 10_000, 100_000, 1_000_000):
        alone = costs.update(samples, size, 0)
        told = "   ".join(
            f"{workers}: {alone / costs.update(samples, size, workers):.2g}×" for workers in WORKERS
        )
        result.rows.append(Row(f"simulated, {samples:,} samples an update", alone, text=told))
    return result


def _measured(graph: Any, result: Result, *, quick: bool) -> tuple[Costs | None, int]:
    run = nf.Run(graph, batch="all", parts=2)
    run.train(2)
    machine: Any = run.machine
    state = machine.cells[: machine.tape.state].copy()
    rows = machine.rows
    part = _timed(lambda: machine.sums(state, 0, 0), 3 if quick else 9)
    whole = _timed(lambda: machine.update(0), 3 if quick else 9)
    samples = bounds(0, rows, 2, 0)[1]
    sample, rest = part / samples, max(whole - 2 * part, 0.0)
    size = state.nbytes
    result.rows.append(Row(f"an update of {rows:,} samples, {state.size:,} weights", whole))
    result.rows.append(Row("one sample, forward and backward", sample))
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        result.notes.append("distributed is not installed: no round trip was measured")
        return None, size
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
        as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        echo = client.submit(Echo, actor=True).result()
        trips = {}
        for count in (1_000, 10_000_000 if not quick else 100_000):
            data = bytes(count)
            trips[count] = _timed(lambda data=data: echo.back(data).result(), 5 if quick else 25)
            result.rows.append(Row(f"a round trip with {count:,} bytes each way", trips[count]))
    (small, trip), (large, longer) = trips.items()
    byte = max((longer - trip) / (2 * (large - small)), 0.0)
    return Costs(sample, rest, trip, byte), size


class Echo:
    """Gives back what it is given."""

    def back(self, data: bytes) -> bytes:
        """Return it."""
        return data


def _timed(work: Any, times: int) -> float:
    work()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return median(found)
