"""Every combination of a sweep's values with every seed, as numbered cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from nodeflow.errors import SweepError
from nodeflow.graph import Graph
from nodeflow.sweeps.axes import Axis, check

SEED = "training.seed"
ASK_FROM = 1_000_000
"""More runs than this are only made if that was confirmed."""


Part: TypeAlias = list[tuple[int, int]]
"""Some runs: the number of each among all, and its seed."""


@dataclass(frozen=True)
class Plan:
    """What a sweep runs: the case `number` is a combination of values with a seed."""

    graph: Graph
    axes: tuple[Axis, ...]
    seeds: Sequence[int]
    epochs: int | None = None
    until: str | None = None
    curves: bool = False
    dtype: str = "float64"
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Name the columns of the settings."""
        object.__setattr__(self, "names", tuple(axis.address for axis in self.axes))

    @classmethod
    def of(
        cls,
        graph: Graph,
        axes: Sequence[Axis],
        *,
        seeds: Sequence[int] | None = None,
        confirmed: bool = False,
        **how: Any,
    ) -> Plan:
        """Return the plan of a sweep over a graph, checked; raises `SweepError`."""
        varied = [axis for axis in axes if axis.address != SEED]
        said = [axis.values for axis in axes if axis.address == SEED]
        if said and seeds is not None:
            raise SweepError("the seeds are given twice; give them once")
        chosen = said[0] if said else (graph.training.seed,) if seeds is None else seeds
        if not isinstance(chosen, range):  # a range of a million is small as it is
            chosen = tuple(chosen)
        if not chosen:
            raise SweepError("there are no seeds; give at least one")
        ends = (chosen[0], chosen[-1]) if isinstance(chosen, range) else chosen
        if any(not isinstance(one, int) or isinstance(one, bool) or one < 0 for one in ends):
            raise SweepError("a seed is a whole number from 0")
        if not isinstance(chosen, range) and len(set(chosen)) < len(chosen):
            raise SweepError("a seed is given twice; give each once")
        count = math.prod(len(axis.values) for axis in varied) * len(chosen)
        if count > ASK_FROM and not confirmed:
            raise SweepError(
                f"these are {count:,} runs, more than {ASK_FROM:,}; fewer values do, or --yes "
                "(confirmed=True in Python) makes them all"
            )
        check(graph, varied)
        return cls(graph, tuple(varied), chosen, **how)

    def __len__(self) -> int:
        return self.combinations * len(self.seeds)

    @cached_property
    def combinations(self) -> int:
        """How many combinations of values there are, without the seeds."""
        return math.prod(len(axis.values) for axis in self.axes)

    def combination(self, number: int) -> int:
        """Return which combination of values a run has."""
        return number // len(self.seeds)

    def settings(self, combination: int) -> dict[str, Any]:
        """Return the values of a combination by address; the last axis changes fastest."""
        return dict(zip(self.names, self.values(combination), strict=True))

    def values(self, combination: int) -> tuple[Any, ...]:
        """Return the values of a combination, in the order of the axes."""
        found = []
        for axis in reversed(self.axes):
            combination, at = divmod(combination, len(axis.values))
            found.append(axis.values[at])
        return tuple(reversed(found))

    def parts(self, done: Mapping[int, Any], most: int) -> Iterator[Part]:
        """Yield what is left, at most so many runs at once."""
        left: Part = []
        for combination in range(self.combinations):
            for case in enumerate(self.seeds, combination * len(self.seeds)):
                if case[0] not in done:
                    left.append(case)
                if len(left) == most:
                    yield left
                    left = []
        if left:
            yield left
