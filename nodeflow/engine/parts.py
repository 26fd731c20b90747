"""Batches in parts: the gradient of each part by itself, added up in a fixed order.

The samples of a batch are cut into N parts that differ by one sample at most. What lies before the
end of the sample axis is computed for each part by itself, anywhere; the sums over its samples
(Δ = Σ δaᵀ, Σ δ, and the tallies of cost and hits) are added up two by two, as a tree over the N
parts says: ((Δ₀ + Δ₁) + (Δ₂ + Δ₃)) + Δ₄. What comes after, averages and updates, is computed once.
So the numbers depend on N, and not on who computes how many of the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.cells import Slot, table
from nodeflow.engine.machine import Floats, Machine
from nodeflow.errors import RunError
from nodeflow.graph import Graph
from nodeflow.shape import Shape

Sums: TypeAlias = tuple[NDArray[np.float64], Floats]
"""Of some parts: the tallies of cost and hits, and all sums over samples, one after the other."""
Place: TypeAlias = tuple[int, int]
"""A node of the tree: its level, the parts being 0, and its number within the level."""
Pool: TypeAlias = Callable[[Floats, int], Mapping[Place, Sums]]
"""Gives the sums of all parts of an update, for these parameters; some may be added up already."""
_MANY = 1024
"""Parts that are accepted even of fewer samples: some are empty then, and each takes its time."""


def bounds(first: int, count: int, parts: int, part: int) -> tuple[int, int]:
    """Return the first of the rows of a part, and how many there are: perhaps none."""
    begin, end = (count * number // parts for number in (part, part + 1))
    return first + begin, end - begin


def added(found: Mapping[Place, Sums], parts: int) -> dict[Place, Sums]:
    """Add up whatever two neighbours of the tree are there; the top is the sum of all."""
    left = dict(found)
    level, width = 0, parts
    while width > 1:
        for number in range(0, width, 2):
            one = left.get((level, number))
            if number + 1 == width:  # it has no neighbour
                if one is not None:
                    left[level + 1, number // 2] = left.pop((level, number))
                continue
            other = left.get((level, number + 1))
            if one is not None and other is not None:
                del left[level, number], left[level, number + 1]
                left[level + 1, number // 2] = one[0] + other[0], one[1] + other[1]
        level, width = level + 1, (width + 1) // 2
    return left


class PartedMachine(Machine):
    """A machine whose updates are made in parts. It trains and judges; it cannot be stepped."""

    def __init__(self, graph: Graph, *, parts: int, pool: Pool | None = None, **how: Any) -> None:
        if type(parts) is not int or parts < 1:
            raise RunError(f"a batch is cut into a whole number of parts from 1, not {parts!r}")
        self.parts = parts
        super().__init__(graph, **how)
        self.pool: Pool = self._alone if pool is None else pool
        self._refuse_what_is_no_sum()

    @property
    def in_parts(self) -> bool:
        """Whether batches are cut into parts, so that no step can be made."""
        return True

    @property
    def capacity(self) -> int:
        """The samples of the largest part."""
        return -(-self.schedule.pass_size // self.parts)

    # -- where the sample axis ends

    def _refuse_what_is_no_sum(self) -> None:
        plan = self.plan
        if plan.loop:
            raise RunError("a loop over the samples cannot be cut into parts; fold the graph first")
        if self.graph.searches:
            raise RunError("minimize searches with whole batches; a gradient_descent has parts")
        if not self.splits:
            raise RunError("there are no rows to cut into parts: the graph has no dataset")
        size = self.schedule.pass_size
        if self.parts > max(size, _MANY):
            samples = f"{size} sample{'s' * (size != 1)}"
            raise RunError(f"a batch of {samples} cannot be cut into {self.parts} parts")
        if not self._ends:
            raise RunError("nothing is trained, so there is nothing to cut into parts")
        shapes, graph = plan.inference.shapes, plan.graph
        after = graph.downstream(self._ends)
        for key in plan.order:
            if key not in plan.needed:
                continue
            type_ = graph.type_of(key)
            wide = any(shapes[f"{key}.{port.name}"].batch for port in type_.outputs)
            if key in self._ends and not type_.over_samples:
                raise RunError(
                    f"'{key}' ({type_.name}) makes one value of all samples, and no sum over "
                    "them: it cannot be computed in parts",
                    node=key,
                )
            if key in after and (wide or key in self._ends) and key not in self._first_ends:
                raise RunError(
                    f"'{key}' waits for a value of all samples, so that the batch cannot be cut "
                    "into parts",
                    node=key,
                )

    @cached_property
    def _ends(self) -> list[str]:
        """The nodes that take values with a sample axis and give none."""
        plan = self.plan
        graph, shapes = plan.graph, plan.inference.shapes
        return [
            key
            for key in plan.order
            if key in plan.needed
            and graph.type_of(key).outputs
            and not any(shapes[f"{key}.{p.name}"].batch for p in graph.type_of(key).outputs)
            and any(
                shapes[wire.start].batch for wire in graph.into(key) if not graph.feeds_back(wire)
            )
        ]

    @cached_property
    def _first_ends(self) -> frozenset[str]:
        """Those of them that wait for no other."""
        graph = self.plan.graph
        return frozenset(
            key for key in self._ends if not (graph.upstream([key]) - {key}) & set(self._ends)
        )

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The cells in which the sums lie."""
        found = []
        for key in self._ends:
            for port in self.plan.graph.type_of(key).outputs:
                slot = self.tape.slots[f"{key}.{port.name}"]
                rows = np.arange(max(slot.rows, 1)) * slot.stride
                found.append((slot.offset + rows[:, None] + np.arange(slot.cols)).ravel())
        return np.concatenate(found)

    def _rows(self, keys: Iterable[str]) -> list[list[int]]:
        return [row for key in keys for row in self.tape.rows[slice(*self.tape.spans[key])]]

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """The rows of a part: all that the sums need, and the tallies."""
        plan = self.plan
        wanted = plan.graph.upstream([*self._ends, *self._judged_nodes])
        keys = [key for key in plan.order if key in wanted and key in plan.needed]
        return table([*self._rows(keys), *self.tape.tallies])

    @cached_property
    def _after(self) -> NDArray[np.int64]:
        """The rows of an update: all that comes after the sums, and the new parameters."""
        plan = self.plan
        before = plan.graph.upstream([*self._ends, *self._judged_nodes])
        keys = [key for key in plan.order if key in plan.needed and key not in before]
        return table([*self._rows(keys), *self.tape.commits])

    @property
    def _judged_nodes(self) -> list[str]:
        """The nodes that cost and accuracy are counted from."""
        plan, hits = self.plan, self.plan.hits
        addresses = [plan.unfolding.cost] if plan.unfolding.cost else []
        addresses += [hits] if isinstance(hits, str) else [*hits.addresses] if hits else []
        return [address.rpartition(".")[0] for address in addresses]

    # -- parts

    def sums(self, state: Floats, update: int, part: int) -> Sums:
        """Return the sums of a part of an update, for these parameters."""
        self.place(self.schedule.epoch(update))
        self.cells[: self.tape.state] = state
        first, count = self.schedule.bounds(update)
        begin, rows = bounds(first, count, self.parts, part)
        if not rows:
            return np.zeros(4, float), np.zeros(len(self._places), self.dtype)
        kept = self.stats.copy()
        self.stats[:4] = 0
        self._executor.run(
            self._before, 0, len(self._before), first=begin, samples=rows, number=0, count=count
        )
        tallies, self.stats[:] = self.stats[:4].copy(), kept
        return tallies, self.cells[self._places]

    def sums_of(self, state: Floats, update: int, parts: Iterable[int]) -> dict[Place, Sums]:
        """Return the sums of some parts, added up as far as they are neighbours."""
        found = {(0, part): self.sums(state, update, part) for part in parts}
        return added(found, self.parts)

    def _alone(self, state: Floats, update: int) -> Mapping[Place, Sums]:
        return self.sums_of(state, update, range(self.parts))

    # -- updates

    def update(self, update: int) -> None:
        """Make an update."""
        if self.schedule.ends_epoch(update):
            self.stats[:4] = 0
        state = self.cells[: self.tape.state].copy()
        (whole,) = added(self.pool(state, update), self.parts).values()
        self.cells[: self.tape.state] = state
        self.stats[:4] += whole[0]
        self.cells[self._places] = whole[1]
        count = self.schedule.bounds(update)[1]
        self._executor.run(
            self._after, 0, len(self._after), first=0, samples=1, number=0, count=count
        )

    def train(self, begin: int, end: int, history: Floats, states: Floats) -> None:
        """Make the updates `begin` to `end`, a line of history and of states an epoch."""
        line = 0
        for update in range(begin, end):
            self.update(update)
            if self.schedule.ends_epoch(update + 1):
                states[line] = self.cells[: self.tape.state]
                history[line] = self.summary()
                line += 1

    def execute(self, *_place: int, **_pass: int) -> None:
        """Refuse: the values of a whole batch are nowhere."""
        raise RunError("a run in parts is trained, not stepped; leave --parts out to step")

    def view(self, slot: Slot, shape: Shape, samples: int) -> Floats:
        """Return a value's cells as an array; those of a whole batch are nowhere."""
        if slot.rows == 0 and samples > self.tape.capacity:
            raise RunError("a run in parts does not hold the values of a whole batch")
        return super().view(slot, shape, samples)
