"""A large network in small batches: what the engine adds to BLAS."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks import torches
from benchmarks.harness import Contestant, Result, Row, race
from benchmarks.jobs import Floats, Job, Line, Nodeflow, Trainer, compare, network, random_data
from benchmarks.numpies import NumpyBatches
from benchmarks.shuffling import shuffle
from nodeflow.engine.run import Run
from nodeflow.errors import DataError
from nodeflow.graph import Graph
from nodeflow.workings.shown import duration

_compiled = njit(cache=True, error_model="numpy")
_SIZES = (784, 30, 10)
_ROUNDS = 5


@_compiled
def _sigmoid(z: Any, b: Any) -> None:
    for r in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[r, j] = 1 / (1 + math.exp(-(z[r, j] + b[j])))


@_compiled
def _tally(a: Any, y: Any, classes: Any) -> Any:
    """Return Σ e² and the hits."""
    cost, hits = 0.0, 0
    for r in range(a.shape[0]):
        best = 0
        for j in range(a.shape[1]):
            e = a[r, j] - y[r, j]
            cost += e * e
            if a[r, j] > a[r, best]:
                best = j
        hits += best == classes[r]
    return cost, hits


@_compiled
def _slope(d: Any, a: Any) -> None:
    for r in range(a.shape[0]):
        for j in range(a.shape[1]):
            d[r, j] *= a[r, j] * (1 - a[r, j])


@_compiled
def _move(w: Any, b: Any, g: Any, d: Any) -> None:
    for j in range(w.shape[0]):
        for k in range(w.shape[1]):
            w[j, k] -= g[j, k]
    for r in range(d.shape[0]):
        for j in range(d.shape[1]):
            b[j] -= d[r, j]


@_compiled
def _with_blas(
    x: Any, y: Any, classes: Any, x_test: Any, y_test: Any, classes_test: Any,
    w1: Any, b1: Any, w2: Any, b2: Any, batch: int, rate: Any, factor: float,
    seed: int, epoch: int, history: Any,
) -> None:  # fmt: skip
    """Train an epoch for each line of `history`; loops for the small, BLAS for the products."""
    rows, tests = x.shape[0], x_test.shape[0]
    order = np.empty(rows, np.int64)
    xs = np.empty((batch, x.shape[1]), x.dtype)
    ys = np.empty((batch, y.shape[1]), x.dtype)
    right = np.empty(batch, np.int64)
    h1, h2 = np.empty((batch, b1.size), x.dtype), np.empty((batch, b2.size), x.dtype)
    e1, e2 = np.empty_like(h1), np.empty_like(h2)
    g1, g2 = np.empty_like(w1), np.empty_like(w2)
    t1, t2 = np.empty((tests, b1.size), x.dtype), np.empty((tests, b2.size), x.dtype)
    for line in range(history.shape[0]):
        shuffle(order, rows, seed, epoch + line)
        total, hits = 0.0, 0
        for first in range(0, rows, batch):
            n = min(batch, rows - first)
            for r in range(n):
                i = order[first + r]
                xs[r] = x[i]
                ys[r] = y[i]
                right[r] = classes[i]
            a1, a2, d1, d2 = h1[:n], h2[:n], e1[:n], e2[:n]
            np.dot(xs[:n], w1.T, a1)
            _sigmoid(a1, b1)
            np.dot(a1, w2.T, a2)
            _sigmoid(a2, b2)
            cost, hit = _tally(a2, ys, right)
            total += cost
            hits += hit
            step = rate / n
            for r in range(n):
                for j in range(b2.size):
                    d2[r, j] = step * (a2[r, j] - ys[r, j])
            _slope(d2, a2)
            np.dot(d2, w2, d1)
            _slope(d1, a1)
            np.dot(d2.T, a1, g2)
            _move(w2, b2, g2, d2)
            np.dot(d1.T, xs[:n], g1)
            _move(w1, b1, g1, d1)
        history[line, 0] = factor * total / rows
        history[line, 1] = hits / rows
        np.dot(x_test, w1.T, t1)
        _sigmoid(t1, b1)
        np.dot(t1, w2.T, t2)
        _sigmoid(t2, b2)
        total, hits = _tally(t2, y_test, classes_test)
        history[line, 2] = factor * total / tests
        history[line, 3] = hits / tests


class LoopsWithBlas:
    """Hand-written Numba for a network with one hidden layer, in batches."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.classes, self.classes_test = job.y.argmax(1), job.y_test.argmax(1)
        self.weights: list[Floats] = [start.copy() for start in job.start]
        self.history: list[Line] = []

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        job = self.job
        lines = np.empty((epochs, 4))
        rate = job.x.dtype.type(2 * job.factor * job.rate)
        train: Any = _with_blas
        train(
            job.x, job.y, self.classes, job.x_test, job.y_test, self.classes_test, *self.weights,
            job.batch, rate, job.factor, job.seed, len(self.history), lines,
        )  # fmt: skip
        self.history += [tuple(line) for line in lines.tolist()]


def _makers(
    graph: Graph, dtype: Any, job: Job, orders: list[NDArray[np.int64]]
) -> dict[str, Callable[[], Trainer]]:
    makers: dict[str, Callable[[], Trainer]] = {
        "nodeflow": lambda: Nodeflow(Run(graph, dtype=dtype)),
        "NumPy, out=": lambda: NumpyBatches(job, orders),
        "Numba loops and BLAS by hand": lambda: LoopsWithBlas(job),
    }
    if torches.available():
        makers["PyTorch by hand"] = lambda: torches.TorchByHand(job, orders)
        makers["PyTorch module and optimizer"] = lambda: torches.TorchModule(job, orders)
    return makers


def _graph(source: str) -> Graph:
    return network(source, _SIZES, rate=3.0, batch=10, half=True)


def _check(result: Result, folder: Path) -> None:
    """Compare all contestants on a few rows, in float64, where rounding hides nothing."""
    path = folder / "few.npz"
    random_data(path, 305, 50, _SIZES[0], _SIZES[2], filled=0.2)
    made = _graph(str(path))
    job = Job.of(made, Run(made))
    compare(result, _makers(made, np.float64, job, job.orders(1)), 1, 1e-9)
    result.notes[-1] += ", in float64, on 305 random rows"


def run(*, quick: bool = False) -> Result:
    """Race on MNIST's network, an epoch a round."""
    with tempfile.TemporaryDirectory() as name:
        return _run(Path(name), quick=quick)


def _run(folder: Path, *, quick: bool) -> Result:
    result = Result("mnist", "")
    _check(result, folder)
    source = "mnist"
    made = _graph(source)
    run: Run | None = None
    if not quick and "NODEFLOW_DATA" in os.environ:
        with suppress(DataError):
            run = Run(made, dtype=np.float32)
    if run is None:
        rows, tests = (1000, 200) if quick else (50_000, 10_000)
        path = folder / "random.npz"
        random_data(path, rows, tests, _SIZES[0], _SIZES[2], filled=0.2)
        source, made = "random pixels", _graph(str(path))
        run = Run(made, dtype=np.float32)
    job = Job.of(made, run)
    rounds = 2 if quick else _ROUNDS
    orders = job.orders(rounds + 1)
    result.title = (
        f"{source}, 784-30-10, sigmoid, half squared error, float32, batches of {job.batch}, "
        f"one epoch of {job.rows:,} rows, {len(job.x_test):,} test rows after it"
    )
    start = time.perf_counter()
    constructed = Run(made, dtype=np.float32)
    seconds = time.perf_counter() - start
    result.rows.append(Row("preparation: nf.Run(graph, dtype=float32)", text=duration(seconds)))
    del constructed
    # Each goes on from its own last epoch: making 60,000 rows anew each round would take longer.
    makers = _makers(made, np.float32, job, orders)
    makers["nodeflow"] = lambda: Nodeflow(run)
    trainers = {key: make() for key, make in makers.items()}
    contestants = [
        Contestant(key, lambda t=trainer: t, lambda t: t.train(1))  # type: ignore[misc]
        for key, trainer in trainers.items()
    ]
    times = race(contestants, rounds)
    result.add_race(contestants, times, "nodeflow")
    result.add_target(
        "nodeflow over NumPy, out=", 0.5, times, "nodeflow", "NumPy, out=", reach=0.33
    )
    if torches.available():
        result.add_target(
            "PyTorch module and optimizer over nodeflow", 8, times,
            "PyTorch module and optimizer", "nodeflow", at_most=False,
        )  # fmt: skip
    else:
        result.notes.append("PyTorch is not installed")
    _same_learning(result, trainers)
    return result


def _same_learning(result: Result, trainers: dict[str, Trainer]) -> None:
    """Note who learns something else; rounding in float32 grows, so this is a rough look."""
    wanted = trainers["nodeflow"].history[0]
    for key, trainer in trainers.items():
        found = trainer.history[0]
        off = max(abs(a - b) for a, b in zip(wanted, found, strict=True) if not math.isnan(a))
        if off > 0.02:
            result.disagreements.append(
                f"mnist: cost or accuracy of {key} after an epoch in float32 is off by {off:.1e}"
            )
    last = trainers["nodeflow"].history[-1]
    result.notes.append(
        f"after {len(trainers['nodeflow'].history)} epochs nodeflow has {last[3]:.2%} of the "
        "test rows right"
    )
