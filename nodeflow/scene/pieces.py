"""The pieces of a scene, as data: nodes with ports and fields, wires, groups."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import FOOT, Track
from nodeflow.declare import kind_of
from nodeflow.equality import ByContent
from nodeflow.scene.changes import Change, change_between
from nodeflow.wires import Stroke, WireView, curves, strokes

LEFT, RIGHT = -1, 1
"""The sides of a box."""


class PortView(NamedTuple):
    """A port: `side` is where it sticks out (−1 left, 1 right); x and y are on the canvas.

    A tuple, as `WireView` is: a large graph has very many, and they are made five times as fast.
    """

    address: str
    label: str
    x: int
    y: int
    side: int
    wired: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """A setting that is changed on the node itself; `left` and `top` count from its corner."""

    setting: str
    text: str
    kind: str
    """number, list (one of several, marked with an arrow), text, or switch (on or off)."""
    left: int
    top: int
    width: int
    height: int
    first: bool
    """Whether it is at the left of the foot."""
    own: bool
    """Whether it holds the node's value, and so stands where the value does."""


@dataclass(frozen=True, slots=True)
class SliderView:
    """The track of a slider, from the node's corner, and its handle."""

    track: Track
    share: float
    """How far the handle is along it, from 0 to 1."""

    @property
    def handle(self) -> tuple[float, float]:
        """Where the middle of the handle is, from the node's corner."""
        run = self.track
        return run.left + self.share * (run.right - run.left), float(run.y)


@dataclass(frozen=True, slots=True, eq=False)
class NodeView(ByContent):
    """A node; `foot` is its value where it has one, its formula otherwise."""

    key: str
    x: int
    y: int
    width: int
    height: int
    title: str
    type: str
    family: str
    foot: str
    inputs: tuple[PortView, ...]
    outputs: tuple[PortView, ...]
    mode: str = "active"
    problem: str = ""
    value: NDArray[Any] | None = None
    field: FieldView | None = None
    switch: FieldView | None = None
    """In the header of a node that costs much and is switched off when it has done its work."""
    slider: SliderView | None = None

    @property
    def drawn_as(self) -> str:
        """What it is drawn as, where that is no box: knot, slider."""
        return kind_of(self.type).drawn_as

    @property
    def notes(self) -> bool:
        """Whether it shows what a person wrote, while nothing is wired into it."""
        return kind_of(self.type).notes

    @property
    def over_time(self) -> bool:
        """Whether it shows its value as it was at each epoch."""
        return kind_of(self.type).over_time

    @property
    def view(self) -> tuple[int, int, int, int] | None:
        """Left, top, width and height of the area in which a view node shows its value."""
        if self.family != "view":
            return None
        rows = max((port.y - self.y for port in self.inputs), default=0) + 14
        return self.x + 8, self.y + rows, self.width - 16, self.height - rows - FOOT


@dataclass(frozen=True, slots=True)
class GroupView:
    """A titled frame around nodes."""

    key: str
    title: str
    colour: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Scene:
    """All that is drawn, back to front: groups, wires, nodes."""

    nodes: Mapping[str, NodeView]
    wires: tuple[WireView, ...]
    groups: tuple[GroupView, ...]

    ports: Mapping[str, PortView] = field(default_factory=dict)
    """By address; an input in which several wires share a row has no number."""
    is_routed: bool = True
    """Whether the ways of wires are those that they have where the nodes are now."""

    def port(self, address: str) -> tuple[int, int] | None:
        """Return where a port is."""
        found = self.ports.get(address) or self.ports.get(address.partition("[")[0])
        return None if found is None else (found.x, found.y)

    def wires_at(self, node: str) -> list[WireView]:
        """Return the wires that begin or end at a node."""
        return [self.wires[number] for number in self.wire_numbers_of.get(node, ())]

    @cached_property
    def wire_numbers_of(self) -> Mapping[str, list[int]]:
        """The numbers of the wires that begin or end at each node."""
        found: dict[str, list[int]] = {}
        for number, view in enumerate(self.wires):
            source, target = view.wire.source, view.wire.target
            found.setdefault(source, []).append(number)
            if target != source:
                found.setdefault(target, []).append(number)
        return found

    @cached_property
    def strokes_of(self) -> Mapping[str, tuple[int, ...]]:
        """The numbers of the strokes that begin or end at each node."""
        found: dict[str, list[int]] = {}
        for number, stroke in enumerate(self.strokes):
            source, target = stroke.nodes
            if source:
                found.setdefault(source, []).append(number)
            if target and target != source:
                found.setdefault(target, []).append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    def bundled(self, wire: str) -> WireView | None:
        """Return the wire that is called so, if it runs in a bundle."""
        node = wire.partition(" ")[0].rpartition(".")[0]
        for number in self.strokes_of.get(node, ()):
            stroke = self.strokes[number]
            if stroke.part == "start":
                for view in stroke.wires:
                    if str(view.wire) == wire:
                        return view
        return None

    @cached_property
    def strokes(self) -> tuple[Stroke, ...]:
        """What is drawn of the wires: each line once, however many wires run along it."""
        return strokes(self.wires)

    @cached_property
    def weighted(self) -> NDArray[np.intp]:
        """The numbers of the strokes that show a weight."""
        found = [n for n, stroke in enumerate(self.strokes) if stroke.weighing is not None]
        return np.array(found, np.intp)

    @cached_property
    def curves(self) -> NDArray[np.float64]:
        """The Bézier points of all strokes, (curves, 4, 2), one stroke after the other."""
        return self._bent[0]

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The number of the stroke that each of `curves` is of."""
        return self._bent[1]

    @cached_property
    def _bent(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        return curves(self.strokes)

    @cached_property
    def spans(self) -> NDArray[np.float64]:
        """Left, top, right and bottom of the points of each of `curves`, (4, curves)."""
        one, *others = np.moveaxis(self.curves, 1, 0)
        low, high = one, one
        for other in others:
            low, high = np.minimum(low, other), np.maximum(high, other)
        return np.ascontiguousarray(np.concatenate([low, high], axis=1).T)

    @cached_property
    def hulls(self) -> NDArray[np.float64]:
        """Left, top, right and bottom of the points of each stroke, (4, strokes)."""
        if len(self.owners) == len(self.strokes):  # each is one curve
            return self.spans
        first = np.flatnonzero(np.diff(self.owners, prepend=-1))
        low, high = self.spans[:2], self.spans[2:]
        ends = np.minimum.reduceat(low, first, axis=1), np.maximum.reduceat(high, first, axis=1)
        return np.concatenate(ends)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each node."""
        return {key: number for number, key in enumerate(self.nodes)}

    @cached_property
    def strokes_from(self) -> Mapping[str, list[int]]:
        """The numbers of the strokes in which something runs that starts at a port."""
        found: dict[str, list[int]] = {}
        for number, stroke in enumerate(self.strokes):
            for at in dict.fromkeys([view.wire.start for view in stroke.wires]):
                found.setdefault(at, []).append(number)
        return found

    # --- what it was made of

    def follow(self, before: Scene, change: Change) -> None:
        """Keep how it differs from the scene that it was made of."""
        vars(self)["_before"] = weakref.ref(before), change

    def known_change(self, before: Scene) -> Change | None:
        """Return how it differs from a scene, if it was made of that one."""
        found: tuple[weakref.ref[Scene], Change] | None = vars(self).get("_before")
        return found[1] if found is not None and found[0]() is before else None

    def change(self, before: Scene) -> Change:
        """Return how it differs from a scene: at once, if it was made of that one."""
        return self.known_change(before) or change_between(before, self)

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """Left, top, right and bottom of each node, (nodes, 4)."""
        return boxes(self.nodes.values())

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of everything."""
        boxes = [(g.x, g.y, g.x + g.width, g.y + g.height) for g in self.groups]
        if self.nodes:
            least, most = self.boxes.min(axis=0), self.boxes.max(axis=0)
            boxes.append((int(least[0]), int(least[1]), int(most[2]), int(most[3])))
        if self.wires:  # as `WireView.bounds`, all at once
            x0, x1, x2, x3 = self.curves[:, :, 0].T
            x = np.stack([x0, x3, x0 + 0.75 * (x1 - x0), x3 + 0.75 * (x2 - x3)])
            y = self.curves[:, ::3, 1]
            boxes.append((round(x.min()), round(y.min()), round(x.max()), round(y.max())))
        if not boxes:
            return (0, 0, 0, 0)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def boxes(nodes: Iterable[NodeView]) -> NDArray[np.float64]:
    """Return left, top, right and bottom of nodes, (nodes, 4)."""
    found = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in nodes]
    return np.array(found, float).reshape(-1, 4)
