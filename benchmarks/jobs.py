"""The job that contestants do: a sigmoid network with one hidden layer, and its data.

Everybody starts from the same weights, sees the rows in the same order, tallies cost and hits
of the training rows as they pass, and evaluates the test rows after each epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from benchmarks.harness import Result
from benchmarks.shuffling import shuffle
from nodeflow.engine.kernel import straight
from nodeflow.engine.run import Run
from nodeflow.graph import Graph

Floats = NDArray[Any]
PARAMETERS = ("theta1", "b1", "theta2", "b2")
Line = tuple[float, ...]
"""An epoch's cost and hits, of the training rows and of the test rows; NaN where none are."""


def network(
    source: str,
    sizes: tuple[int, int, int],
    *,
    rate: float,
    batch: int | str,
    test: float = 0.0,
    half: bool = False,
    scale: str = "none",
    shuffle: bool = True,
) -> Graph:
    """Return the graph of a sigmoid network with squared error."""
    x, y = nf.dataset(source=source, scale=scale, test=test, shuffle=shuffle, id="data")
    a = x
    for layer, (wide, tall) in enumerate(pairwise(sizes), 1):
        weights = nf.parameter(shape=(tall, wide), init="uniform", id=f"theta{layer}")
        bias = nf.parameter(shape=(tall,), init="uniform", id=f"b{layer}")
        name = "output" if layer == 2 else "hidden"
        a = nf.sigmoid(nf.weighted_sum(a, weights, bias, id=name), id=f"{name}.a")
    cost = nf.squared_error(a, y, half=half, id="cost")
    return Graph.of(
        nf.gradient_descent(cost, rate=rate, id="train"),
        nf.accuracy(a, y, id="accuracy"),
        name="benchmark",
        batch=batch,
    )


@dataclass(frozen=True)
class Job:
    """The data, the start and the constants, as nodeflow has them."""

    x: Floats
    y: Floats
    x_test: Floats
    y_test: Floats
    start: tuple[Floats, ...]
    rate: float
    batch: int
    factor: float
    """C = factor · Σ e²: 1, or a half."""
    seed: int
    shuffled: bool

    @classmethod
    def of(cls, graph: Graph, run: Run) -> Job:
        """Return the job that a run does."""
        split = run.machine.splits["data"]
        dtype = run.machine.dtype
        return cls(
            x=np.ascontiguousarray(split.x, dtype),
            y=np.ascontiguousarray(split.y, dtype),
            x_test=np.ascontiguousarray(split.x_test, dtype),
            y_test=np.ascontiguousarray(split.y_test, dtype),
            start=tuple(run.weights[f"{name}.value"].astype(dtype) for name in PARAMETERS),
            rate=graph.settings("train")["rate"],
            batch=run.batch,
            factor=0.5 if graph.settings("cost")["half"] else 1.0,
            seed=run.machine.seed,
            shuffled=run.machine.shuffled,
        )

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return len(self.x)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the order of an epoch's rows."""
        order = np.arange(self.rows, dtype=np.int64)
        if self.shuffled:
            shuffle(order, self.rows, self.seed, epoch)
        return order

    def orders(self, epochs: int) -> list[NDArray[np.int64]]:
        """Return the orders of the first epochs."""
        return [self.order(epoch) for epoch in range(epochs)]


class Trainer(Protocol):
    """A contestant at work; it can go on after each call."""

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""

    @property
    def history(self) -> list[Line]:
        """A line for each epoch so far."""

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand, in the order of `PARAMETERS`."""


class Nodeflow:
    """nodeflow itself."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        self.run.train(epochs)

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand."""
        return [self.run.weights[f"{name}.value"] for name in PARAMETERS]

    @property
    def history(self) -> list[Line]:
        """An epoch's figures."""
        names = ("cost", "train_accuracy", "test_cost", "test_accuracy")
        return [
            tuple(np.nan if line[name] is None else line[name] for name in names)
            for line in self.run.history
        ]


def settled(make: Callable[[], Trainer], epochs: int) -> None:
    """Train until the code for these rows is the fastest that there will be in this process."""
    trainer = make()
    start = time.perf_counter()
    while time.perf_counter() - start < 0.2:
        trainer.train(epochs)
    straight.wait()


def compare(
    result: Result,
    makers: dict[str, Callable[[], Trainer]],
    epochs: int,
    tolerance: float,
) -> None:
    """Let everybody train from the start, and note who comes to other numbers than the first."""
    reference: Trainer | None = None
    for name, make in makers.items():
        trainer = make()
        trainer.train(epochs)
        if reference is None:
            reference = trainer
            continue
        result.agree(f"the weights of {name}", reference.weights, trainer.weights, tolerance)
        result.agree(f"the history of {name}", reference.history, trainer.history, tolerance)
    result.notes.append(
        f"checked: after {epochs} {'epoch' if epochs == 1 else 'epochs'} all contestants have the "
        f"same weights, costs and accuracies to {tolerance:.0e}"
        if result.agreed
        else "checked: the contestants do not agree"
    )


def random_data(
    path: Any, rows: int, test: int, wide: int, classes: int, *, filled: float = 1.0
) -> None:
    """Write an NPZ data set of random pixels (0 … 1) and random classes, always the same."""
    random = np.random.default_rng(7)
    whole = rows + test
    x = random.random((whole, wide), dtype=np.float32)
    if filled < 1:
        x[random.random((whole, wide), dtype=np.float32) > filled] = 0
    # every class is there, in both parts
    y = np.concatenate([np.arange(n) % classes for n in (rows, test)])
    arrays = {"x": x[:rows], "y": y[:rows]}
    if test:
        arrays |= {"x_test": x[rows:], "y_test": y[rows:]}
    np.savez(path, **arrays)  # type: ignore[arg-type, unused-ignore]
