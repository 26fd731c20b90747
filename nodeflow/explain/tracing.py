"""Why a weight changed: which samples moved it, traced through their δ and inputs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.explain.names import no_parameter, place_of, places_of
from nodeflow.explain.wording import say
from nodeflow.graph import Graph, Wire
from nodeflow.nodes.arithmetic import add
from nodeflow.nodes.trainer import gradient_descent
from nodeflow.workings.parts import Index
from nodeflow.workings.shown import show


class Contribution(NamedTuple):
    """What one sample added to a weight in one update: −α·δ·a/n."""

    epoch: int
    row: int
    """The row of the training data; −1 for the penalty −αλΘ."""
    delta: float
    input: float
    change: float


@dataclass(frozen=True, slots=True)
class Why:
    """Why a weight changed between the starts of two epochs."""

    address: str
    index: Index
    epochs: tuple[int, int]
    before: float
    after: float
    contributions: tuple[Contribution, ...]
    """In the order of time; their changes add up to `change`."""
    place: str
    """Where the weight stands, in words."""

    @property
    def change(self) -> float:
        """What the weight is more than it was."""
        return self.after - self.before

    @property
    def ranking(self) -> tuple[Contribution, ...]:
        """The contributions by size, the largest first."""
        return tuple(sorted(self.contributions, key=lambda each: -abs(each.change)))

    @property
    def by_sample(self) -> tuple[tuple[int, float], ...]:
        """(row, whole change) of each sample, the largest first; row −1 is the penalty."""
        found: dict[int, float] = defaultdict(float)
        for each in self.contributions:
            found[each.row] += each.change
        return tuple(sorted(found.items(), key=lambda pair: -abs(pair[1])))

    def as_dict(self) -> dict[str, Any]:
        """Return the change, what each sample did to it, and every step of it."""
        first, last = self.epochs
        return {
            "weight": self.address,
            "index": list(self.index),
            "place": self.place,
            "from": first,
            "to": last,
            "before": self.before,
            "after": self.after,
            "change": self.change,
            "samples": [{"row": row, "change": change} for row, change in self.by_sample],
            "steps": [
                {
                    "epoch": each.epoch,
                    "row": each.row,
                    "delta": each.delta,
                    "input": each.input,
                    "change": each.change,
                }
                for each in self.contributions
            ],
        }

    @property
    def summary(self) -> str:
        """The change in words, without the samples."""
        first, last = self.epochs
        return say(
            "why", name=self.address.rpartition(".")[0], place=self.place, first=first, last=last,
            before=show(self.before), after=show(self.after), change=show(self.change),
        )  # fmt: skip

    def text(self, most: int = 3) -> str:
        """Return the change in words, with the samples that had most to do with it."""
        return " ".join(self.sentences(most))

    def sentences(self, most: int = 3) -> list[str]:
        """Return `text` sentence by sentence."""
        lines = [self.summary]
        for row, change in self.by_sample[:most]:
            kind = "why sample" if row >= 0 else "why penalty"
            lines.append(say(kind, number=row + 1, change=show(change)))
        top = next((each for each in self.ranking if each.row >= 0), None)
        if top is not None:
            lines.append(
                say(
                    "why step",
                    change=show(top.change),
                    number=top.row + 1,
                    epoch=top.epoch + 1,
                    delta=show(top.delta),
                    input=show(top.input),
                )
            )
        return lines


class _Recipe(NamedTuple):
    """Where the numbers of a parameter's update are found."""

    sources: tuple[tuple[str, tuple[Wire, ...] | None], ...]
    """δ, and the inputs side by side that it meets: None where they are always 1."""
    rate: str
    penalty: float
    averaged: bool = True
    """Whether the sum over the samples is divided by their number."""


def why(run: Run, address: str, index: Index | int, epochs: tuple[int, int]) -> Why:
    """Return which samples, through which δ, changed a weight from epoch a to epoch b.

    Epochs are counted as `run.epoch` does: (0, 10) is from the start until ten lie behind. The
    run is left at the moment where it was. Raises `RunError`, in one sentence, for a parameter
    that there is not, that is not trained or is frozen, for an index outside its shape, for
    moments out of the run, and for trainers other than plain gradient descent.
    """
    place = _index_of(run, address, index)
    recipe = _recipe(run, address, place)
    first, last = _moments(run, epochs)
    back, seen = _moment(run), run.values
    try:
        run.goto(epoch=last)
        after = float(run.machine.read(address, 1)[place])
        run.goto(epoch=first)
        before = float(run.machine.read(address, 1)[place])
        found = _collected(run, address, place, recipe, (first, last))
    finally:
        run.goto(**back)
        now = run.values
        if seen.keys() != now.keys() or any(
            not np.array_equal(value, now[key], equal_nan=True) for key, value in seen.items()
        ):
            run.evaluate()  # the values were those of `evaluate`
    total = math.fsum(each.change for each in found)
    # An update rounds; what was set by hand in between is far more than that.
    rounding = 64 * float(np.finfo(run.machine.dtype).eps) * (len(found) + 16)
    if abs(total - (after - before)) > rounding * max(1.0, abs(before), abs(after)):
        raise RunError(
            f"'{address}' was given other values between epochs {first} and {last}: "
            "ask about epochs before or after that"
        )
    where = place_of(run.plan.graph, address, place, run.plan.inference.shapes)
    return Why(address, place, (first, last), before, after, tuple(found), where)


def _index_of(run: Run, address: str, index: Index | int) -> Index:
    """Return an index into a trained parameter, or raise `RunError`."""
    graph, key = run.graph, address.rpartition(".")[0]
    node = graph.nodes.get(key)
    if node is None or not node.is_parameter or address not in run.machine.tape.slots:
        raise RunError(no_parameter(graph, address, run.weights), node=key)
    if not graph.settings(key)["trainable"]:
        raise RunError(f"'{address}' did not change: it is not trainable", node=key)
    if node.mode == "freeze":
        raise RunError(f"'{address}' did not change: it is frozen", node=key)
    place = tuple(int(i) for i in (index if isinstance(index, tuple) else (index,)))
    shape = run.machine.read(address, 1).shape
    if len(place) != len(shape) or any(
        not 0 <= i < size for i, size in zip(place, shape, strict=True)
    ):
        size = "×".join(map(str, shape))
        given = ", ".join(map(str, place))
        raise RunError(f"[{given}] is outside '{address}', which is {size} from 0", node=key)
    return place


def _moments(run: Run, epochs: tuple[int, int]) -> tuple[int, int]:
    first, last = epochs
    end = max(run.epoch, run.epochs_known)
    if first > last:
        raise RunError(f"a change goes from an epoch to a later one, not from {first} to {last}")
    if first < 0 or last > end:
        raise RunError(
            f"epochs {first} to {last} are not in the run: it goes from epoch 0 to epoch {end}"
        )
    return int(first), int(last)


def _moment(run: Run) -> dict[str, Any]:
    """Return what `goto` takes to come back to this moment."""
    at = run.order.index(run.node)
    if not at:
        return {"update": run.update}
    return {"epoch": run.epoch, "sample": run.sample, "node": run.order[at - 1]}


def _recipe(run: Run, address: str, index: Index) -> _Recipe:
    """Return where the δ, inputs, rate and penalty of a weight are, or raise `RunError`."""
    graph, key = run.plan.graph, address.rpartition(".")[0]
    trainers = [name for name in run.graph.of_family("trainer") if _active(run.graph, name)]
    plain = [
        name
        for name in trainers
        if run.graph.nodes[name].kind is gradient_descent
        and not run.graph.settings(name)["momentum"]
    ]
    if trainers != plain or len(trainers) > 1 or run.schedule.passes(0) > 1:
        raise RunError(
            "only what one plain gradient_descent (no momentum), or the same wired by hand, did "
            "can be traced to samples",
            node=key,
        )
    if "next" not in graph.inputs(key):
        raise RunError(f"'{address}' did not change: the cost does not depend on it", node=key)
    update = graph.inputs(key)["next"][0].source
    mean = graph.inputs(update)["gradient"][0].source
    rate = graph.inputs(update)["rate"][0].start
    if graph.type_of(rate.rpartition(".")[0]).family != "source":
        raise _untraceable(address)
    if not graph.nodes[mean].kind.averages:  # wired without one: what is summed is not divided
        return _Recipe(tuple(_sources(run, mean, index, address)), rate, 0.0, averaged=False)
    inputs = graph.inputs(mean)
    penalty = graph.settings(mean)["regularization"] if "weights" in inputs else 0.0
    sources = tuple(_sources(run, inputs["total"][0].source, index, address))
    return _Recipe(sources, rate, penalty)


def recipe_as_data(run: Run, address: str) -> dict[str, Any]:
    """Return what a page needs to trace a parameter: where δ and inputs are, or why it cannot.

    Of each δ the addresses and widths of the inputs that it meets, in their order, None for a bias.
    """
    graph, shapes = run.plan.graph, run.plan.inference.shapes
    shape = run.machine.read(address, 1).shape
    try:
        recipe = _recipe(run, address, _index_of(run, address, (0,) * len(shape)))
    except RunError as error:
        return {"refused": str(error)}
    return {
        "pairs": [
            [delta, None if wires is None else
             [[wire.start, shapes[wire.start].features or 0] for wire in wires]]
            for delta, wires in recipe.sources
        ],
        "rate": recipe.rate, "penalty": recipe.penalty, "averaged": recipe.averaged,
        "places": places_of(graph, address, shape, shapes),
    }  # fmt: skip


def _active(graph: Graph, name: str) -> bool:
    return graph.nodes[name].mode == "active"


def _untraceable(address: str) -> RunError:
    return RunError(
        f"the change of '{address}' is no sum of −α·δ·a over samples: it cannot be traced to them",
        node=address.rpartition(".")[0],
    )


def _sources(
    run: Run, key: str, index: Index, address: str
) -> Iterator[tuple[str, tuple[Wire, ...] | None]]:
    """Follow a summed gradient back to its δ and inputs."""
    inputs = run.plan.graph.inputs(key)
    kind = run.plan.graph.nodes[key].kind
    if kind is add:
        for wire in inputs["a"]:
            yield from _sources(run, wire.source, index, address)
        return
    if not kind.makes_gradient or len(index) != 1 + kind.of_weights:
        raise _untraceable(address)
    delta = inputs["delta"][0].start
    wires = inputs["a"] if len(index) == 2 else None
    a = (_input(run, wires, index[1])[0],) if wires else ()
    shapes = [run.plan.inference.shapes[end] for end in (delta, *a)]
    # One row per sample; what has no sample axis at all is counted once, not once a sample.
    once = run.batch == 1 or any(shape.batch for shape in shapes)
    if not once or not all(shape.single_row() for shape in shapes):
        raise _untraceable(address)
    yield delta, wires


def _input(run: Run, wires: tuple[Wire, ...], column: int) -> tuple[str, int]:
    """Return the address and column of an input among wires side by side."""
    for wire in wires[:-1]:
        width = run.plan.inference.shapes[wire.start].features or 0
        if column < width:
            return wire.start, column
        column -= width
    return wires[-1].start, column


def _reader(run: Run, address: str, column: int) -> Callable[[int], list[float]]:
    """Return a function that reads one column of a value for so many samples, without copies."""
    machine = run.machine
    slot = machine.tape.slots[address]

    def read(samples: int) -> list[float]:
        rows = samples if slot.rows == 0 else slot.rows
        start = slot.offset + column
        found: list[float] = machine.cells[
            start : start + (rows - 1) * slot.stride + 1 : max(slot.stride, 1)
        ].tolist()
        return found if len(found) == samples else found * samples

    return read


def _collected(
    run: Run, address: str, index: Index, recipe: _Recipe, epochs: tuple[int, int]
) -> list[Contribution]:
    """Run the updates again, keep what each sample added, and put the machine back."""
    machine = run.machine
    cells, stats = machine.cells.copy(), machine.stats.copy()
    rate = float(machine.read(recipe.rate, 1).ravel()[0])
    readers = [
        (
            _reader(run, delta, index[0]),
            _reader(run, *_input(run, wires, index[1])) if wires else None,
        )
        for delta, wires in recipe.sources
    ]
    found: list[Contribution] = []
    try:
        begin, end = (machine.schedule.start_of_epoch(epoch).update for epoch in epochs)
        for update in range(begin, end):
            epoch = machine.schedule.epoch(update)
            if recipe.penalty:
                value = float(machine.read(address, 1)[index])
                change = -rate * recipe.penalty * value
                found.append(Contribution(epoch, -1, 0.0, value, change))
            machine.update(update)
            first, n = machine.bounds(update)
            rows = machine.order[first : first + n].tolist()
            share = n if recipe.averaged else 1
            for delta, a in readers:
                for row, d, x in zip(rows, delta(n), a(n) if a else [1.0] * n, strict=True):
                    found.append(Contribution(epoch, row, d, x, -rate * d * x / share))
    finally:
        machine.cells[:], machine.stats[:] = cells, stats
    return found
