"""Wires as they are drawn: each by its way, and many between two layers as one trunk with strands.

Lengths are canvas units, y points down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import numbers
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Wire
from nodeflow.nodes.source import parameter_shape
from nodeflow.routing import Point, Way, joined, pieces, straight
from nodeflow.routing import curves as bezier

_WIRE, _THINNEST, _THICKER, _LARGE = 1.8, 1.0, 4.0, 3.0
"""Thickness of a plain wire; of one with a weight, which grows slowly from _LARGE on."""
_THICKEST = 11.0
"""Of a trunk, however many wires run in it."""
_MARK = 28
"""How far from its port a weight is written."""


class WireView(NamedTuple):
    """A wire from a port to a port; `kind` is forward, backward or feedback."""

    wire: Wire
    start: Point
    end: Point
    leaves: int
    enters: int
    kind: str
    across: bool = False
    """Whether it carries a forward value down to the backward pass."""
    weighs: tuple[str, int] | None = None
    """The single weight that it shows: its parameter's port, and which number there."""
    weight: float | None = None
    """That weight, where it is known."""
    carried: float | None = None
    """The number that is multiplied by it, where the wire carries one that is known."""
    parts: tuple[Way, ...] = ()
    """Its way, end to end: none if it goes straight, one if it goes around nodes, and in a bundle
    the strand that it begins with, the trunk, and the strand that it ends with."""
    bundle: str = ""
    """What runs together with it, "" if nothing does."""

    @property
    def around(self) -> Way:
        """Its way around nodes, or in its bundle; () if it goes straight."""
        return joined(self.parts)

    @property
    def curve(self) -> Way:
        """The points of its Bézier curves: four, or more if it does not go straight."""
        return self.around or straight(self.start, self.end, self.leaves, self.enters)

    @property
    def carries_weight(self) -> bool:
        """Whether it comes from the parameter, and is not what is multiplied by it."""
        return self.weighs is not None and self.weighs[0] == self.wire.start

    @property
    def mark(self) -> tuple[float, float]:
        """Where its weight is written: at the parameter, or at the port of a neuron."""
        (x, y), side = (self.start, self.leaves) if self.carries_weight else (self.end, self.enters)
        return x + _MARK * side, y

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom; ends that face one way bulge by 3/4 of their pull."""
        if self.parts:
            xs, ys = zip(*self.around, strict=True)
            return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
        (x0, y0), (x1, _), (x2, _), (x3, y3) = self.curve
        left = min(x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3))
        right = max(x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3))
        return round(left), round(min(y0, y3)), round(right), round(max(y0, y3))


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line that is drawn: a wire, or what the wires of a bundle have in common."""

    part: str
    """wire, start and end (a strand to and from the trunk), or trunk."""
    wires: tuple[WireView, ...]

    @property
    def key(self) -> object:
        """What it is called: the same before and after nodes were moved."""
        first = self.wires[0]
        if self.part == "wire":
            return first.wire
        sides = (first.bundle, first.leaves, first.enters)
        if self.part == "trunk":
            return sides
        wire = first.wire
        return (*sides, wire.start if self.part == "start" else (wire.end, wire.index))

    @property
    def nodes(self) -> tuple[str, str]:
        """The nodes at which it begins and ends, "" where that is at a trunk."""
        first = self.wires[0].wire
        return (
            first.source if self.part in ("wire", "start") else "",
            first.target if self.part in ("wire", "end") else "",
        )

    @property
    def way(self) -> Way:
        """Its way, () if it goes straight."""
        first = self.wires[0]
        if self.part == "wire":
            return first.around
        return first.parts[_PARTS.index(self.part)]

    @property
    def curve(self) -> Way:
        """The points of its Bézier curves."""
        return self.wires[0].curve if self.part == "wire" else self.way

    @property
    def kind(self) -> str:
        """Forward, backward or feedback."""
        return self.wires[0].kind

    @property
    def weighing(self) -> WireView | None:
        """The wire whose single weight it shows."""
        first = self.wires[0]
        one = len(self.wires) == 1 and self.part != "trunk"
        return first if one and first.weighs is not None else None

    def holds(self, wire: str) -> bool:
        """Return whether a wire runs in it."""
        return any(str(view.wire) == wire for view in self.wires)

    @property
    def text(self) -> str:
        """What it is, in words."""
        if len(self.wires) == 1:
            return str(self.wires[0].wire)
        first, count = self.wires[0], f"{len(self.wires):,} wires"
        if self.part == "trunk":
            return f"{count}: {first.bundle}"
        start, _, end = first.bundle.partition(" → ")
        if self.part == "start":
            return f"{count}: {first.wire.start} → {end}"
        return f"{count}: {start} → {first.wire.target}.{first.wire.input}"

    @property
    def thickness(self) -> float:
        """How thick it is, without the weight that it may show."""
        return trunk_thickness(len(self.wires)) if self.part == "trunk" else _WIRE


_PARTS = ("start", "trunk", "end")


def strokes(wires: Sequence[WireView]) -> tuple[Stroke, ...]:
    """Return what is drawn of wires: each line once, however many wires run along it."""
    found: dict[object, tuple[str, list[WireView]]] = {}
    for view in wires:
        if not view.bundle:
            found[view.wire] = ("wire", [view])
            continue
        sides = (view.bundle, view.leaves, view.enters)
        for part, key in (
            ("trunk", sides), ("start", (*sides, view.start)), ("end", (*sides, None, view.end))
        ):  # fmt: skip
            found.setdefault(key, (part, []))[1].append(view)
    return tuple(Stroke(part, tuple(views)) for part, views in found.values())


def trunk_thickness(count: int) -> float:
    """Return how thick the trunk of a bundle is: by the square root of how many wires it has."""
    return min(_WIRE + 0.7 * math.sqrt(count), _THICKEST)


def curves(lines: Sequence[Stroke]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the Bézier points of many strokes at once, (curves, 4, 2), and the stroke of each."""
    ends = np.array(
        [(*w.start, *w.end, w.leaves, w.enters) for w in (one.wires[0] for one in lines)], float
    ).reshape(-1, 6)
    bends, owners = bezier(ends), np.arange(len(lines))
    bent = [number for number, one in enumerate(lines) if one.way]
    if not bent:
        return bends, owners
    counts = np.ones(len(lines), np.intp)
    counts[bent] = [(len(lines[number].way) - 1) // 3 for number in bent]
    owners = np.repeat(owners, counts)
    found = bends[owners]
    found[np.isin(owners, bent)] = np.concatenate([pieces(lines[number].way) for number in bent])
    return found, owners


def instead(
    bends: NDArray[np.float64], owners: NDArray[np.intp], lines: Sequence[Stroke], some: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return Bézier points as `curves` does, where only some strokes have other ones."""
    changes = np.zeros(len(lines), bool)
    changes[some] = True
    stays = ~changes[owners]
    new, of = curves([lines[number] for number in some])
    together = np.concatenate([owners[stays], np.asarray(some, np.intp)[of]])
    order = np.argsort(together, kind="stable")
    return np.concatenate([bends[stays], new])[order], together[order]


def thickness(weight: float | None) -> float:
    """Return how thick a wire is: the larger the weight that it stands for, the thicker."""
    return _WIRE if weight is None else _THINNEST + _THICKER * math.tanh(abs(weight) / _LARGE)


def weighing(graph: Graph) -> dict[Wire, tuple[str, int]]:
    """Return the wires that stand for a single weight: its parameter's port, and which number.

    These leave a parameter of one number, or carry one activation into the weighted sum of a
    single neuron, whose weights come straight from a parameter.
    """
    found: dict[Wire, tuple[str, int]] = {}
    for key in graph.parameters:
        size = _size(graph, key)
        for wire in graph.out_of(key):
            if size and math.prod(size) == 1:
                found[wire] = (wire.start, 0)
            if not graph.nodes[wire.target].is_layer or wire.input != "weights":
                continue
            into = graph.inputs(wire.target).get("a", ())
            if size == (1, len(into)):
                found |= {one: (wire.start, place) for place, one in enumerate(into)}
    return found


def _size(graph: Graph, key: str) -> tuple[int, ...]:
    """Return the shape of a parameter; () where its settings have a fault."""
    try:
        return parameter_shape(graph.settings(key))
    except NodeflowError:
        return ()


def single(value: NDArray[Any] | None) -> float | None:
    """Return the number of a value that is a single one."""
    return None if value is None or np.size(value) != 1 else float(np.ravel(value)[0])


def weight_of(
    graph: Graph, weighs: tuple[str, int] | None, values: Mapping[str, NDArray[Any]]
) -> float | None:
    """Return the single weight that a wire stands for: as it is in the values, or at the start."""
    if weighs is None:
        return None
    address, place = weighs
    value: Any = values.get(address)
    if value is None:
        value = graph.nodes[address.rpartition(".")[0]].settings.get("value")
    if value is None:
        return None
    flat = np.ravel(numbers(value))
    return float(flat[place if flat.size > 1 else 0])  # a constant start is one number for all
