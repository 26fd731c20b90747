"""All rows in one update: nearly nothing but matrix products."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import torches
from benchmarks.harness import Contestant, Result, race, ratios
from benchmarks.jobs import Job, Nodeflow, Trainer, compare, network, random_data
from benchmarks.numpies import NumpyBatches
from nodeflow.engine.run import Run


class Products:
    """The five matrix products of an update, and nothing else."""

    def __init__(self, job: Job) -> None:
        rows = job.rows
        w1, _, w2, _ = job.start
        self.x, self.w1, self.w2 = job.x, w1.copy(), w2.copy()
        random = np.random.default_rng(3)
        self.a1, self.a2 = random.random((rows, len(w1))), random.random((rows, len(w2)))
        self.d1, self.d2 = random.random((rows, len(w1))), random.random((rows, len(w2)))
        self.g1, self.g2 = np.empty_like(w1), np.empty_like(w2)

    def train(self, updates: int) -> None:
        """Multiply for some updates."""
        for _ in range(updates):
            np.dot(self.x, self.w1.T, out=self.a1)
            np.dot(self.a1, self.w2.T, out=self.a2)
            np.dot(self.d2, self.w2, out=self.d1)
            np.dot(self.d2.T, self.a1, out=self.g2)
            np.dot(self.d1.T, self.x, out=self.g1)


def _train(trainer: Trainer | Products, updates: int) -> None:
    trainer.train(updates)


def run(*, quick: bool = False) -> Result:
    """Race on full batches."""
    rows, sizes = (500, (40, 25, 10)) if quick else (5000, (400, 25, 10))
    updates, rounds = (5, 2) if quick else (20, 9)
    result = Result(
        "fullbatch",
        f"{rows:,} rows at once, {'-'.join(map(str, sizes))}, sigmoid, squared error, float64, "
        "one update (an update is an epoch)",
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "random.npz"
        random_data(path, rows, 0, sizes[0], sizes[2])
        graph = network(str(path), sizes, rate=0.3, batch="all", shuffle=False)
        first = Run(graph)
        job = Job.of(graph, first)
        makers: dict[str, Callable[[], Trainer]] = {
            "nodeflow": lambda: Nodeflow(Run(graph)),
            "NumPy, out=": lambda: NumpyBatches(job, []),
        }
        if torches.available():
            makers["PyTorch by hand"] = lambda: torches.TorchByHand(job, [])
        else:
            result.notes.append("PyTorch is not installed")
        compare(result, makers, 5, 1e-9)
        work = partial(_train, updates=updates)
        contestants = [Contestant(key, make, work, updates) for key, make in makers.items()]
        contestants.append(
            Contestant("the five matrix products alone", lambda: Products(job), work, updates)
        )
        times = race(contestants, rounds)
    whole = [Contestant(c.name, c.make, c.work) for c in contestants]  # for the plain names
    result.add_race(whole, times, "nodeflow")
    result.add_target(
        "nodeflow over the five products alone", 1.18, times, "nodeflow",
        "the five matrix products alone", reach=1.1,
    )  # fmt: skip
    part = np.median(ratios(times, "NumPy, out=", "the five matrix products alone"))
    result.notes.append(f"{updates} updates a turn; NumPy, out= takes {part:.2f}× the products")
    return result
