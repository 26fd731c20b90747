"""NumPy with `out=` buffers, in batches: no array is made in the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.jobs import Floats, Job, Line


class _Buffers:
    """The arrays of one batch size."""

    def __init__(self, job: Job, rows: int) -> None:
        tall, wide = job.start[0].shape
        outputs = len(job.start[2])
        dtype = job.x.dtype
        self.x = np.empty((rows, wide), dtype)
        self.y = np.empty((rows, outputs), dtype)
        self.a1 = np.empty((rows, tall), dtype)
        self.a2 = np.empty((rows, outputs), dtype)
        self.d1, self.d2 = np.empty_like(self.a1), np.empty_like(self.a2)
        self.slope1, self.slope2 = np.empty_like(self.a1), np.empty_like(self.a2)
        self.best = np.empty(rows, np.int64)


def _sigmoid(z: Floats) -> None:
    np.negative(z, out=z)
    np.exp(z, out=z)
    np.add(z, 1, out=z)
    np.reciprocal(z, out=z)


class NumpyBatches:
    """Matrix products and ufuncs, all in place; the rate is folded into δ."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        self.job, self.orders = job, orders
        self.parameters = [start.copy() for start in job.start]
        self.gradients = [np.empty_like(start) for start in job.start]
        self.classes = job.y.argmax(1)
        self.classes_test = job.y_test.argmax(1)
        self.sizes = {job.batch: _Buffers(job, job.batch)}
        rest = job.rows % job.batch
        if rest:
            self.sizes[rest] = _Buffers(job, rest)
        self.test = _Buffers(job, len(job.x_test))
        self.history: list[Line] = []

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand."""
        return self.parameters

    def _forward(self, x: Floats, buffers: _Buffers) -> None:
        w1, b1, w2, b2 = self.parameters
        np.dot(x, w1.T, out=buffers.a1)
        np.add(buffers.a1, b1, out=buffers.a1)
        _sigmoid(buffers.a1)
        np.dot(buffers.a1, w2.T, out=buffers.a2)
        np.add(buffers.a2, b2, out=buffers.a2)
        _sigmoid(buffers.a2)

    def _update(self, x: Floats, y: Floats, classes: Any, buffers: _Buffers) -> tuple[float, int]:
        """Do one update, and return its cost and hits."""
        job = self.job
        w1, b1, w2, b2 = self.parameters
        g1, c1, g2, c2 = self.gradients
        self._forward(x, buffers)
        a1, a2, d1, d2 = buffers.a1, buffers.a2, buffers.d1, buffers.d2
        np.subtract(a2, y, out=d2)
        flat = d2.reshape(-1)
        cost = job.factor * float(np.dot(flat, flat))
        np.argmax(a2, axis=1, out=buffers.best)
        hits = int(np.count_nonzero(buffers.best == classes))
        np.multiply(d2, 2 * job.factor * job.rate / len(x), out=d2)
        np.multiply(d2, a2, out=d2)
        np.subtract(1, a2, out=buffers.slope2)
        np.multiply(d2, buffers.slope2, out=d2)
        np.dot(d2, w2, out=d1)
        np.multiply(d1, a1, out=d1)
        np.subtract(1, a1, out=buffers.slope1)
        np.multiply(d1, buffers.slope1, out=d1)
        np.dot(d2.T, a1, out=g2)
        np.subtract(w2, g2, out=w2)
        np.add.reduce(d2, axis=0, out=c2)
        np.subtract(b2, c2, out=b2)
        np.dot(d1.T, x, out=g1)
        np.subtract(w1, g1, out=w1)
        np.add.reduce(d1, axis=0, out=c1)
        np.subtract(b1, c1, out=b1)
        return cost, hits

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        job = self.job
        for _ in range(epochs):
            cost, hits = 0.0, 0
            order = self.orders[len(self.history)] if job.shuffled else None
            ordered = self.classes if order is None else self.classes[order]
            for first in range(0, job.rows, job.batch):
                last = min(first + job.batch, job.rows)
                buffers = self.sizes[last - first]
                if order is None:
                    x, y = job.x[first:last], job.y[first:last]
                else:
                    x, y = buffers.x, buffers.y
                    # "clip" spares the copy that a refusal would need
                    np.take(job.x, order[first:last], axis=0, out=x, mode="clip")
                    np.take(job.y, order[first:last], axis=0, out=y, mode="clip")
                more, right = self._update(x, y, ordered[first:last], buffers)
                cost += more
                hits += right
            tested = len(job.x_test)
            test_cost = test_hits = np.nan
            if tested:
                self._forward(job.x_test, self.test)
                np.subtract(self.test.a2, job.y_test, out=self.test.d2)
                flat = self.test.d2.reshape(-1)
                test_cost = job.factor * float(np.dot(flat, flat)) / tested
                right = int(np.count_nonzero(self.test.a2.argmax(1) == self.classes_test))
                test_hits = right / tested
            self.history.append((cost / job.rows, hits / job.rows, test_cost, test_hits))
