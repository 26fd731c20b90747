"""A moment of a run kept to be looked at, while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nodeflow.engine.run import Run


class Values(Mapping[str, NDArray[Any]]):
    """Values by address, each read when it is asked for: thousands are there, a few are shown."""

    def __init__(self, names: Mapping[str, str], read: Callable[[str], NDArray[Any]]) -> None:
        self._names, self._read = names, read
        self._found: dict[str, NDArray[Any]] = {}

    def __getitem__(self, address: str) -> NDArray[Any]:
        if address not in self._found:
            self._found[address] = self._read(self._names[address])
        return self._found[address]

    def __contains__(self, address: object) -> bool:
        return address in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    # Two snapshots are the same only if they are one: arrays do not compare to a truth.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@dataclass(frozen=True)
class Names:
    """Which addresses a run has, and where each of them lies."""

    values: Mapping[str, str]
    gradients: Mapping[str, str]
    weights: Mapping[str, str]

    @classmethod
    def of(cls, run: Run) -> Names:
        """Return the names of all that a run has once an update was evaluated."""
        slots, nodes, order = run.machine.tape.slots, run.graph.nodes, set(run.order)
        return cls(
            {address: address for address in sorted(slots)},
            {
                address: source
                for address, source in run.plan.unfolding.gradients.items()
                if source in slots
            },
            {
                f"{key}.value": f"{key}.value"
                for key in sorted(nodes)
                if nodes[key].type == "parameter" and key in order
            },
        )

    def without(self, nodes: AbstractSet[str]) -> Names:
        """Return the names without those of values that some nodes compute."""

        def of(found: Mapping[str, str]) -> Mapping[str, str]:
            return {a: at for a, at in found.items() if at.rpartition(".")[0] not in nodes}

        return Names(of(self.values), of(self.gradients), self.weights)


@dataclass(frozen=True)
class Snapshot:
    """Values, gradients and weights of one moment; one copy of all cells holds them."""

    values: Values
    gradients: Values
    weights: Values

    @classmethod
    def of(cls, run: Run, names: Names) -> Snapshot:
        """Return what a run holds now."""
        still = run.reader.still()

        def of(found: Mapping[str, str]) -> Values:
            if not still.evaluated_once:
                found = {a: source for a, source in found.items() if still.has_value(source)}
            return Values(found, still.value)

        return cls(of(names.values), of(names.gradients), of(names.weights))
