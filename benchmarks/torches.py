"""PyTorch contestants: module and optimizer, and by hand. Imported only where torch is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.jobs import Floats, Job, Line

if TYPE_CHECKING:
    from numpy.typing import NDArray


def available() -> bool:
    """Return whether PyTorch is installed."""
    return find_spec("torch") is not None


class _Torch:
    """Data and batches, the same for both."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        import torch

        torch.set_num_threads(int(os.environ.get("OPENBLAS_NUM_THREADS", "1")))
        self.torch: Any = torch
        self.job = job
        self.x: Any = torch.tensor(job.x)
        self.y: Any = torch.tensor(job.y)
        self.x_test: Any = torch.tensor(job.x_test)
        self.y_test: Any = torch.tensor(job.y_test)
        self.classes: Any = self.y.argmax(1)
        self.classes_test = self.y_test.argmax(1)
        self.orders: list[Any] = [torch.tensor(order) for order in orders]
        self.one_by_one: list[tuple[Any, Any, Any]] = []
        if job.batch == 1:
            whole: list[Any] = [self.x, self.y, self.classes]
            parts = [part.split(1) for part in whole]
            self.one_by_one = list(zip(*parts, strict=True))
        self.lists = [order.tolist() for order in orders] if job.batch == 1 else []
        self.history: list[Line] = []

    def batches(self, epoch: int) -> Iterator[tuple[Any, Any, Any]]:
        """Give inputs, targets and classes of each batch of an epoch."""
        job = self.job
        if job.batch == 1:
            for row in self.lists[epoch]:
                yield self.one_by_one[row]
        elif not job.shuffled:
            for first in range(0, job.rows, job.batch):
                last = first + job.batch
                yield self.x[first:last], self.y[first:last], self.classes[first:last]
        else:
            for rows in self.orders[epoch].split(job.batch):
                yield self.x[rows], self.y[rows], self.classes[rows]

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        torch, job = self.torch, self.job
        for _ in range(epochs):
            cost = torch.zeros((), dtype=torch.float64)
            hits = torch.zeros((), dtype=torch.int64)
            self._epoch(len(self.history), cost, hits)
            line = (float(cost) / job.rows, int(hits) / job.rows)
            tested = len(self.x_test)
            if not tested:
                self.history.append((*line, np.nan, np.nan))
                continue
            with torch.no_grad():
                a = self._outputs(self.x_test)
                test_cost = job.factor * float(((a - self.y_test) ** 2).sum(dtype=torch.float64))
                right = int((a.argmax(1) == self.classes_test).sum())
            self.history.append((*line, test_cost / tested, right / tested))

    def _epoch(self, epoch: int, cost: Any, hits: Any) -> None:
        raise NotImplementedError

    def _outputs(self, x: Any) -> Any:
        raise NotImplementedError


class TorchModule(_Torch):
    """The usual way: `nn.Sequential`, a loss, `backward()` and `optim.SGD`."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        super().__init__(job, orders)
        torch = self.torch
        tall, wide = job.start[0].shape
        self.model = torch.nn.Sequential(
            torch.nn.Linear(wide, tall, dtype=self.x.dtype),
            torch.nn.Sigmoid(),
            torch.nn.Linear(tall, len(job.start[2]), dtype=self.x.dtype),
            torch.nn.Sigmoid(),
        )
        with torch.no_grad():
            for parameter, start in zip(self.model.parameters(), job.start, strict=True):
                parameter.copy_(torch.tensor(start))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=job.rate)
        self.loss = torch.nn.MSELoss(reduction="sum")

    def _epoch(self, epoch: int, cost: Any, hits: Any) -> None:
        model, optimizer, criterion = self.model, self.optimizer, self.loss
        factor = self.job.factor
        for x, y, classes in self.batches(epoch):
            optimizer.zero_grad()
            a = model(x)
            mean = factor / len(x)
            loss = criterion(a, y) if mean == 1 else criterion(a, y) * mean
            loss.backward()
            optimizer.step()
            cost += loss.detach() * len(x)
            hits += (a.detach().argmax(1) == classes).sum()

    def _outputs(self, x: Any) -> Any:
        return self.model(x)

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand."""
        return [parameter.detach().numpy() for parameter in self.model.parameters()]


class TorchByHand(_Torch):
    """Tensors without autograd: forward, backward and update written out."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        super().__init__(job, orders)
        self.parameters = [self.torch.tensor(start) for start in job.start]

    def _epoch(self, epoch: int, cost: Any, hits: Any) -> None:
        torch, job = self.torch, self.job
        w1, b1, w2, b2 = self.parameters
        with torch.no_grad():
            for x, y, classes in self.batches(epoch):
                a1 = torch.addmm(b1, x, w1.T).sigmoid_()
                a2 = torch.addmm(b2, a1, w2.T).sigmoid_()
                e = a2 - y
                cost += (e * e).sum() * job.factor
                hits += (a2.argmax(1) == classes).sum()
                step = -job.rate / len(x)
                d2 = e.mul_(2 * job.factor).mul_(a2).mul_(1 - a2)
                d1 = (d2 @ w2).mul_(a1).mul_(1 - a1)
                w2.addmm_(d2.T, a1, alpha=step)
                b2.add_(d2.sum(0), alpha=step)
                w1.addmm_(d1.T, x, alpha=step)
                b1.add_(d1.sum(0), alpha=step)

    def _outputs(self, x: Any) -> Any:
        w1, b1, w2, b2 = self.parameters
        torch = self.torch
        return torch.addmm(b2, torch.addmm(b1, x, w1.T).sigmoid_(), w2.T).sigmoid_()

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand."""
        return [parameter.numpy() for parameter in self.parameters]
