"""Every gradient next to the difference of the cost, number by number, and how long both take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.modes import without_differences
from nodeflow.engine.run import Run
from nodeflow.equality import ByContent
from nodeflow.errors import GraphError
from nodeflow.graph import Graph

EPSILON = 1e-4
"""As in the course that teaches gradient checking."""
MOST = 20_000
"""Numbers that are moved one by one, each twice; more take minutes."""
_PASSES = 5
"""How many passes are timed."""


@dataclass(frozen=True, eq=False)
class Comparison(ByContent):
    """Gradients by address: of the backward pass, and by differences (J(θ+ε) − J(θ−ε)) / 2ε."""

    gradients: dict[str, NDArray[Any]]
    differences: dict[str, NDArray[Any]]
    seconds: tuple[float, float]
    """For one forward and backward pass, and for all the differences."""

    @property
    def count(self) -> int:
        """How many numbers were moved."""
        return sum(value.size for value in self.gradients.values())

    def listed(self, most: int) -> Iterator[tuple[str, float, float]]:
        """Yield name, gradient and difference of the first numbers."""
        left = most
        for address, gradient in self.gradients.items():
            for index in np.ndindex(gradient.shape):
                if not left:
                    return
                left -= 1
                place = f"[{', '.join(map(str, index))}]" if gradient.size > 1 else ""
                found = self.differences[address][index]
                yield f"{address}{place}", float(gradient[index]), float(found)

    def as_dict(self) -> dict[str, Any]:
        """Return both by address, and the seconds."""
        return {
            "parameters": {
                address: {"gradient": gradient, "difference": self.differences[address]}
                for address, gradient in self.gradients.items()
            },
            "epsilon": EPSILON,
            "seconds": {"backward": self.seconds[0], "differences": self.seconds[1]},
        }


def side_by_side(graph: Graph, progress: Callable[[int, int], None] | None = None) -> Comparison:
    """Compare every number of every trained parameter, on the first batch, at the start.

    `progress` is called with the numbers that were moved and all of them. Raises `GraphError`
    without a cost and a gradient, and for more numbers than `MOST`.
    """
    run = Run(graph)
    gradients = run.plan.unfolding.gradients
    weights = run.weights
    parameters = [key for key in weights if key in gradients]
    if run.plan.unfolding.cost is None or not parameters:
        raise GraphError(
            "there is nothing to check: the graph needs a cost and a trainable parameter before it"
        )
    count = sum(weights[key].size for key in parameters)
    if count > MOST:
        raise GraphError(
            f"the graph has {count:,} numbers, and {MOST:,} are moved one by one at most; "
            "check without --all tries a part of them"
        )
    run.evaluate()
    found = {key: np.array(run.gradient(key), float) for key in parameters}
    shapes = {key: weights[key].shape for key in parameters}
    found = {key: value.reshape(shapes[key]) for key, value in found.items()}
    started = time.perf_counter()
    differences, done = {}, 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, count)

    for key in parameters:
        differences[key] = _differences(run, key, tell).reshape(shapes[key])
    spent = time.perf_counter() - started
    return Comparison(found, differences, (seconds_of_a_pass(graph), spent))


def seconds_of_a_pass(graph: Graph) -> float:
    """Return how long one pass forward and backward takes, the shortest of a few.

    Differences that are wired are left out: their time is what it is compared with.
    """
    run = Run(without_differences(graph))
    run.evaluate()  # the first makes ready what the others find
    taken = []
    for _ in range(_PASSES):
        started = time.perf_counter()
        run.evaluate()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _differences(run: Run, address: str, tell: Callable[[], None]) -> NDArray[Any]:
    machine = run.machine
    slot = machine.tape.slots[address]
    cells = machine.cells[slot.offset : slot.offset + slot.size]
    before = cells.copy()
    found = np.empty(len(before))
    for place, value in enumerate(before.tolist()):
        costs = []
        for moved in (value + EPSILON, value - EPSILON):
            cells[place] = moved
            costs.append(_cost(run))
        cells[place] = value
        found[place] = (costs[0] - costs[1]) / (2 * EPSILON)
        tell()
    return found


def _cost(run: Run) -> float:
    """Return J of the first batch with the weights as they stand in the cells."""
    machine, cost = run.machine, run.plan.unfolding.cost or ""
    n = machine.bounds(0)[1]
    machine.place(0)
    head, samples = machine.tape.head, machine.schedule.samples(0)
    end = machine.tape.spans[cost.rpartition(".")[0]][1]
    costs = []
    for number in range(machine.schedule.passes(0)):
        row = machine.schedule.row(0, number)
        machine.execute(0, min(end, head), first=row, samples=samples, update=n, sample=number)
        costs.append(float(np.mean(machine.read(cost, samples))))
    return float(np.mean(costs))
