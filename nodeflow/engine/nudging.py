"""Differences of the cost: cells of a run are nudged, and what becomes of J is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.gradientfaults import FACTOR
from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.slopes import Slope, slope, unit_of
from nodeflow.engine.verdicts import NodeCheck, Status

TOLERANCE = 1e-6
"""Relative error up to which a gradient counts as right, apart from what differences cannot see."""
RESOLUTION = 1e-4
"""What differences see less sharply than this is too small to measure: a gradient that is off by
a thousandth could not be told from a right one."""
_TINY = 1e-9
"""A part of a gradient that is smaller than this share of the whole does not decide."""


class NudgedBatch:
    """Nudges cells, and looks at what becomes of the cost of one batch."""

    def __init__(self, machine: Machine, update: int, most_rows: int) -> None:
        cost = machine.plan.unfolding.cost or ""
        self.machine, self.cost = machine, cost
        self.first, n = machine.bounds(update)
        self.n = min(n, most_rows)
        self.samples = min(machine.schedule.pass_size, self.n)
        self.passes = -(-self.n // self.samples)
        machine.place(0)
        plan, spans = machine.plan, machine.tape.spans
        # New values are copied into parameters behind the rows of all nodes: nothing is updated.
        self.end = max(spans[key][1] for key in plan.order[: plan.without_updates])
        self.judged = spans[cost.rpartition(".")[0]][1]

    def start(self) -> float:
        """Return J with the weights of the start."""
        return self._cost(0)

    def pass_(self) -> None:
        """Run forward and backward, without updates."""
        if self.passes > 1:
            self._all_passes(self.end)
        else:
            self._rows(0, self.end)

    def _all_passes(self, end: int) -> None:
        """Run the head once a pass, then the tail as far as a row; costs are tallied."""
        head = self.machine.tape.head
        self.machine.stats[:] = 0
        for number in range(self.passes):
            self._rows(0, head, number)
        self._rows(head, max(head, end))

    def _rows(self, begin: int, end: int, number: int = 0) -> None:
        row = self.first + number * self.samples
        self.machine.execute(
            begin, end, first=row, samples=self.samples, update=self.n, sample=number
        )

    def _cost(self, begin: int) -> float:
        """Run forward from a row on, no farther than the cost; return J."""
        if self.passes > 1:
            self._all_passes(0)
            return float(self.machine.stats[0] / self.machine.stats[2])
        self._rows(begin, self.judged)
        return float(np.mean(self.machine.read(self.cost, self.samples)))

    def _behind(self, key: str) -> int:
        """Return the first row that may read a parameter."""
        graph, spans = self.machine.plan.graph, self.machine.tape.spans
        return min(spans[wire.target][0] for wire in graph.out_of(key) if wire.target in spans)

    def gradient(self, address: str) -> Floats:
        """Return the gradient that the graph computes at an address."""
        self.pass_()
        machine = self.machine
        source = machine.plan.unfolding.gradients[address]
        shape = machine.plan.inference.shapes[source]
        return machine.view(machine.tape.slots[source], shape, self.samples).copy()

    def parameter(self, address: str, gradient: Floats, chosen: NDArray[Any]) -> list[Slope]:
        """Nudge numbers of a parameter one by one."""
        slot = self.machine.tape.slots[address]
        begin = self._behind(address.rpartition(".")[0])
        cells = self.machine.cells
        size = gradient.size
        unit = unit_of(cells[slot.offset : slot.offset + size])
        tiny = _TINY * float(np.abs(gradient[chosen]).max(initial=0.0))
        found = []
        for index in chosen:
            place = slot.offset + int(index)
            before = cells[place]

            def cost(nudge: float, place: int = place, before: float = before) -> float:
                cells[place] = before + nudge
                cost = self._cost(begin)
                cells[place] = before
                return cost

            found.append(slope(cost, float(gradient[index]), unit=unit, tiny=tiny))
        return found

    def value(self, address: str, gradient: Floats) -> tuple[float, Slope]:
        """Nudge a node's output along a random direction, and run what comes after it."""
        machine = self.machine
        key = address.rpartition(".")[0]
        slot, shape = machine.tape.slots[address], machine.plan.inference.shapes[address]
        view = machine.view(slot, shape, self.samples)
        random = np.random.default_rng(crc32(address.encode()))
        # Few binary digits, so that a step along it is exact.
        direction = np.round(256 * random.standard_normal(view.shape)) / 256
        before = view.copy()
        same = gradient.size == view.size
        whole = gradient.reshape(view.shape) if same else np.broadcast_to(gradient, view.shape)
        along = float((whole * direction).sum())
        begin = machine.tape.spans[key][1]

        def cost(nudge: float) -> float:
            view[...] = before + nudge * direction
            # Rows have ∂C/∂ of their own sample, what has none has ∂J/∂.
            cost = self._cost(begin) * (self.n if shape.batch else 1)
            view[...] = before
            return cost

        return along, slope(cost, along, unit=unit_of(before), tiny=0.0)


@dataclass(frozen=True, eq=False)
class Compared:
    """Gradients and slopes of one node, in one batch."""

    gradient: Floats
    slopes: list[Slope]
    rows: int

    @classmethod
    def of(cls, batch: NudgedBatch, address: str, most: int) -> Compared:
        """Compare the gradient at an address; of a parameter at most so many numbers."""
        gradient = batch.gradient(address)
        key = address.rpartition(".")[0]
        if not batch.machine.plan.graph.nodes[key].is_parameter:
            along, found = batch.value(address, gradient)
            return cls(np.array([along]), [found], batch.n)
        flat = gradient.ravel()
        chosen: NDArray[Any] = np.arange(flat.size)
        if flat.size > most:
            random = np.random.default_rng(crc32(address.encode()))
            chosen = np.sort(random.choice(flat.size, most, replace=False))
        return cls(flat[chosen], batch.parameter(address, flat, chosen), batch.n)


def verdict(parts: list[Compared]) -> tuple[NodeCheck, float | None]:
    """Return the verdict on a node over some batches, and the factor by which it is off."""
    gradient = np.concatenate([part.gradient for part in parts])
    slopes = [found for part in parts for found in part.slopes]
    difference = np.array([found.value for found in slopes])
    unsure = np.array([found.error for found in slopes])
    kinks = np.array([found.kink for found in slopes], bool)
    lost = ~np.isfinite(unsure)
    good = ~kinks & ~lost
    apart = np.where(good, np.abs(gradient - difference), 0.0)
    distance, bound = _length(apart), _length(unsure[good])
    length = _length(difference[good])
    size = _length(gradient[good]) + length
    status: Status = "ok"
    factor = None
    if not distance <= TOLERANCE * size + bound:  # NaN is a fault as well
        status = "fault"
        most = float(np.abs(difference[good]).max(initial=0.0)) or 1.0
        shares = difference[good] / most
        factor = float((gradient[good] / most) @ shares / max(shares @ shares, 1.0))
        rest = _length((gradient - factor * difference)[good])
        if rest > FACTOR * size + abs(factor) * bound:
            factor = None
    elif lost.any() or bound > RESOLUTION * size:
        status = "small"
    elif kinks.any():
        status = "kink"
    worst = int(np.argmax(np.where(np.isfinite(gradient), apart, np.inf))) if apart.size else 0
    found = NodeCheck(
        relative_error=distance / size if size > 0 else 0.0,
        status=status,
        checked=len(parts[0].slopes),
        gradient=float(gradient[worst]) if gradient.size else 0.0,
        difference=float(difference[worst]) if gradient.size else 0.0,
    )
    return found, factor


def _length(vector: Floats) -> float:
    """Return the Euclidean length, also where the squares leave the range of numbers."""
    most = float(np.max(np.abs(vector), initial=0.0))
    if most == 0 or not np.isfinite(most):
        return most
    return most * float(np.linalg.norm(vector / most))
