"""A moment of a run kept to be looked at, while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nodeflow.engine.forking import parameters
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Schedule


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
    memory: Mapping[str, str]

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
                if nodes[key].is_parameter and key in order
            },
            {f"{key}.value": f"{key}.value" for key in parameters(run.machine)},
        )

    def without(self, nodes: AbstractSet[str]) -> Names:
        """Return the names without those of values that some nodes compute."""

        def of(found: Mapping[str, str]) -> Mapping[str, str]:
            return {a: at for a, at in found.items() if at.rpartition(".")[0] not in nodes}

        return Names(of(self.values), of(self.gradients), self.weights, self.memory)


@dataclass(frozen=True)
class Snapshot:
    """Values, gradients and weights of one moment; one copy of all cells holds them."""

    values: Values
    gradients: Values
    weights: Values
    memory: Values
    """All that training goes on from: weights, velocities and times."""
    ages: Mapping[str, str]
    """By node that the present pass has not evaluated: where its value is from, in words."""
    gradient_ages: Mapping[str, str]
    """The same, by the address whose gradient it is."""
    samples: tuple[int, int]
    """The number n of rows of the present update, and of the one whose values are still there."""

    @classmethod
    def of(cls, run: Run, names: Names) -> Snapshot:
        """Return what a run holds now."""
        still = run.reader.still()
        old = ages(run)

        def of(found: Mapping[str, str]) -> Values:
            if not still.evaluated_once:
                found = {a: source for a, source in found.items() if still.has_value(source)}
            return Values(found, still.value)

        gradients = of(names.gradients)
        return cls(
            of(names.values),
            gradients,
            of(names.weights),
            Values(names.memory, still.value),
            old,
            {
                address: old[key]
                for address, source in (names.gradients.items() if old else ())
                if (key := source.rpartition(".")[0]) in old and address in gradients
            },
            (run.schedule.bounds(run.update)[1], run.schedule.bounds(run.reader.shown)[1]),
        )


AHEAD = "evaluated ahead"
"""The age of what is this sample's own already, though the pass has not come there."""


def ages(run: Run) -> dict[str, str]:
    """Return where the values are from that the present pass has not evaluated, by node, in words.

    "from sample 1" of the same epoch, "from epoch 2, sample 138" of another; `AHEAD` where the
    value is that of this very sample with these very weights, found before the pass came there.
    What is of no pass (parameters, constants) has no age; before anything was evaluated, nothing.
    """
    reader, schedule = run.reader, run.schedule
    place, update = run.position.place, run.update
    said: dict[tuple[int, int], str] = {}
    found = {}
    for key in schedule.order[place:] if reader.is_ahead else schedule.order:
        if not reader.is_evaluated(key):
            continue  # there is no value that could be old
        origin = reader.origin(key)
        if origin is None:
            # Between updates it is what will come; within one a person follows how far it is.
            if place and reader.is_ahead and not reader.stands(key):
                found[key] = AHEAD
            continue
        if origin not in said:
            said[origin] = _when(schedule, origin, update)
        begin, end = run.machine.tape.spans[key]
        found[key] = said[origin] if begin < end else _of_parts(run, key, said[origin], found)
    return found


def _of_parts(run: Run, key: str, own: str, found: Mapping[str, str]) -> str:
    """Return where the value of a node is from that no row computes: it lies where its inputs lie.

    So it has what they have by now.
    """
    sources = {wire.source for wire in run.plan.graph.into(key)}
    parts = {found.get(source, "") for source in sources if not run.reader.stands(source)}
    if not parts or parts == {own}:
        return own
    return AHEAD if parts <= {"", AHEAD} else f"partly {own}"


def _when(schedule: Schedule, origin: tuple[int, int], now: int) -> str:
    update, pass_ = origin
    epoch = schedule.epoch(update)
    first = schedule.row(update, pass_)
    count = schedule.samples(update)
    last = first + count - 1
    rows = f"sample {first}" if count == 1 else f"samples {first} to {last}"
    if epoch == schedule.epoch(now):
        return f"from {rows}"
    whole = schedule.updates_per_epoch == 1 and schedule.passes(update) == 1
    return f"from epoch {epoch}" if whole else f"from epoch {epoch}, {rows}"
