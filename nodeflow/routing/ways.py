"""The ways of wires around nodes, found from where nodes stand.

A wire is one Bézier curve. One that would run over a node, or that comes back, goes along *columns*
(nodes that stand below each other) and *channels* (the room between columns) instead: across each
column where no node stands, up and down in the channels. Wires from one port share their way until
they part.

Many wires between the same two layers run together as a *bundle*: strands from the ports where they
start to a *trunk*, and strands from that to the ports where they end. So what is planned and drawn
grows with the ports of two layers, not with the wires between them. The same places give the same
ways.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nodeflow.routing.covering import Cells
from nodeflow.routing.curves import RADIUS, Floats, Point, Way, curves, pieces, sampled
from nodeflow.routing.ground import Ground, Plan
from nodeflow.routing.lanes import Lanes

_LONG = 1500.0
"""Distance between its ends from which a wire is always looked at."""
_FEWEST = 24
"""Wires between two layers that run together: fewer can be told apart."""
_JUNCTION = 0.45
"""The part of a channel in which bundles gather; they spread in the opposite one."""


class Ends(NamedTuple):
    """Where a wire begins and ends, on which sides (−1 left, 1 right), at which port and node.

    `layers` is the same for all wires between the same two layers, "" for a wire of its own.
    """

    start: Point
    end: Point
    leaves: int
    enters: int
    source: str
    target: str = ""
    layers: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Wires that run together: from each start to the trunk, along it, and to each end."""

    layers: str
    wires: tuple[int, ...]
    trunk: Way
    starts: Mapping[Point, Way]
    ends: Mapping[Point, Way]


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways of wires, by number; a wire that is nowhere goes straight."""

    single: Mapping[int, Way] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()


def routes(boxes: Floats, wires: Sequence[Ends], *, singles: bool = True) -> Routes:
    """Return the ways of the wires that do not go straight; without `singles` only of bundles.

    `boxes` has left, top, right and bottom of each node.
    """
    if not len(boxes) or not wires:
        return Routes()
    rows = [(*w.start, *w.end, w.leaves, w.enters) for w in wires]
    names = tuple((w.source, w.target, w.layers) for w in wires)
    return _found(_Asked(boxes, np.array(rows, float), names), singles)


def runs_together(wires: int, sources: int, targets: int) -> bool:
    """Return whether wires between nodes of two layers become a bundle: many, from all to all."""
    return wires >= _FEWEST and min(sources, targets) >= 2 and wires >= 2 * max(sources, targets)


class _Asked:
    """What is asked, compared by content: most edits of a graph leave all places as they are."""

    def __init__(
        self, boxes: Floats, ends: Floats, names: tuple[tuple[str, str, str], ...]
    ) -> None:
        self.boxes, self.ends, self.names = boxes, ends, names
        self._key = boxes.tobytes(), ends.tobytes(), names
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key


@lru_cache(maxsize=8)
def _found(asked: _Asked, singles: bool) -> Routes:  # noqa: FBT001  the cache wants it so
    ground = Ground(asked.boxes)
    bundled = _planned(ground, asked)
    taken = {number for one in bundled for number in one.wires}
    single = _singles(ground, asked, taken) if singles else {}
    lanes = Lanes(ground, [plan for one in bundled for plan in one.plans] + list(single.values()))
    return Routes(
        _better(asked, {number: lanes.way(plan) for number, plan in single.items()}),
        tuple(
            Bundle(
                one.layers,
                one.wires,
                lanes.way(one.trunk),
                {start: lanes.way(plan) for start, plan in one.starts.items()},
                {end: lanes.way(plan) for end, plan in one.ends.items()},
            )
            for one in bundled
        ),
    )


# --- single wires -------------------------------------------------------------------------------


def _singles(ground: Ground, asked: _Asked, bundled: set[int]) -> dict[int, Plan]:
    """Return the plans of the wires that would run over nodes, or sweep over the canvas."""
    alone = np.array([n for n in range(len(asked.ends)) if n not in bundled], np.intp)
    if not alone.size:
        return {}
    ends = asked.ends[alone]
    under = Cells(asked.boxes).covered(sampled(curves(ends))) > 0
    plans = {}
    for number in alone[_always(ends) | under].tolist():
        plan = ground.plan(asked.ends[number].tolist(), asked.names[number][0])
        if plan is not None:
            plans[number] = plan
    return plans


def _always(ends: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which wires are looked at whatever lies under them.

    What comes back (ends on one side) would sweep over the canvas in a wide bow; between the
    samples of what is long there is room for nodes.
    """
    x0, y0, x1, y1, leaves, enters = ends.T
    found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (leaves == enters) | (
        np.hypot(x1 - x0, y1 - y0) > _LONG
    )
    return found


def _better(asked: _Asked, made: Mapping[int, Way]) -> dict[int, Way]:
    """Return the ways that are better than a curve: where nodes stand anyhow, one may not be."""
    if not made:
        return {}
    numbers = np.fromiter(made, int)
    ends = asked.ends[numbers]
    under = Cells(asked.boxes)
    bends = np.concatenate([pieces(way) for way in made.values()])
    owner = np.repeat(np.arange(len(numbers)), [(len(way) - 1) // 3 for way in made.values()])
    after = np.bincount(owner, under.covered(sampled(bends)), len(numbers))
    before = under.covered(sampled(curves(ends)))
    kept = (after < before) | (_always(ends) & (after == before))
    return {
        number: way
        for (number, way), good in zip(made.items(), kept.tolist(), strict=True)
        if good and len(way) > 4
    }


# --- bundles ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Layers:
    """Wires between two layers: the channels where they gather and spread, and at what heights."""

    layers: str
    wires: list[int]
    starts: list[Point]
    ends: list[Point]
    leaves: int
    enters: int
    first: int
    last: int
    crossed: list[tuple[int, float]]
    heights: tuple[float, float]


@dataclass(slots=True)
class _Planned:
    """The plans of a bundle."""

    layers: str
    wires: tuple[int, ...]
    trunk: Plan
    starts: dict[Point, Plan]
    ends: dict[Point, Plan]

    @property
    def plans(self) -> Iterable[Plan]:
        return (*self.starts.values(), self.trunk, *self.ends.values())


def _planned(ground: Ground, asked: _Asked) -> list[_Planned]:
    """Return the bundles of all wires, planned."""
    together: dict[tuple[str, float, float], list[int]] = defaultdict(list)
    sides = asked.ends[:, 4:].tolist()
    for number, (_, _, layers) in enumerate(asked.names):
        if layers:
            together[layers, *sides[number]].append(number)
    found: list[_Layers] = []
    for (layers, *_), wires in together.items():
        if not _run_together(asked, wires):
            continue
        whole = _layers(ground, asked.ends, layers, wires)
        found += [whole] if whole is not None else _by_channels(ground, asked, layers, wires)
    gathering = Counter((one.first, one.leaves) for one in found)
    spreading = Counter((one.last, one.enters) for one in found)
    done: Counter[tuple[str, int, int]] = Counter()
    made = []
    for one in found:
        done["<", one.first, one.leaves] += 1
        done[">", one.last, one.enters] += 1
        gathers = done["<", one.first, one.leaves] / (gathering[one.first, one.leaves] + 1)
        spreads = done[">", one.last, one.enters] / (spreading[one.last, one.enters] + 1)
        plan = _with_plans(ground, one, gathers, spreads)
        if plan is not None:
            made.append(plan)
    return made


def _by_channels(ground: Ground, asked: _Asked, layers: str, wires: list[int]) -> Iterable[_Layers]:
    """Return layers of one name apart, by the channels in which their wires begin and end."""
    together: dict[tuple[int | None, int | None], list[int]] = defaultdict(list)
    for number in wires:
        x0, _, x1, _, leaves, enters = asked.ends[number].tolist()
        channels = ground.channel(x0, int(leaves)), ground.channel(x1, int(enters))
        together[channels].append(number)
    for place, some in enumerate(together.values()):
        if len(some) < len(wires) and _run_together(asked, some):
            found = _layers(ground, asked.ends, f"{layers} ({place + 1})", some)
            if found is not None:
                yield found


def _run_together(asked: _Asked, wires: list[int]) -> bool:
    names = [asked.names[number] for number in wires]
    return runs_together(
        len(wires), len({name[0] for name in names}), len({name[1] for name in names})
    )


def _layers(ground: Ground, ends: Floats, layers: str, wires: list[int]) -> _Layers | None:
    """Return how wires could run together; None where they overlap sidewise."""
    rows = ends[wires]
    starts = list(dict.fromkeys((x, y) for x, y in rows[:, :2].tolist()))
    stops = list(dict.fromkeys((x, y) for x, y in rows[:, 2:4].tolist()))
    leaves, enters = int(rows[0, 4]), int(rows[0, 5])
    leaving = [ground.channel(x, leaves) for x, _ in starts]
    entering = [ground.channel(x, enters) for x, _ in stops]
    out = [channel for channel in leaving if channel is not None]
    into = [channel for channel in entering if channel is not None]
    if len(out) < len(leaving) or len(into) < len(entering):
        return None
    first = max(out) if leaves > 0 else min(out)
    last = max(into) if enters > 0 else min(into)
    if leaves == -enters and (last - first) * leaves < 0:
        return None
    y0 = sum(y for _, y in starts) / len(starts)
    y1 = sum(y for _, y in stops) / len(stops)
    if first == last and leaves == -enters:
        y0 = y1 = (y0 + y1) / 2
    trunk = ground.between([0.0, y0, 0.0, y1, leaves, enters], layers, first, last)
    if trunk.crossed:
        y0, y1 = trunk.crossed[0][1], trunk.crossed[-1][1]
    return _Layers(
        layers, wires, starts, stops, leaves, enters, first, last, trunk.crossed, (y0, y1)
    )


def _with_plans(ground: Ground, one: _Layers, gathers: float, spreads: float) -> _Planned | None:
    """Plan the strands and the trunk of a bundle; both shares are of the halves of channels.

    Strands come together on a line up and down in the channel, and turn into the trunk.
    """
    gather, joint = _junction(ground.channels[one.first], one.leaves, gathers)
    spread, fork = _junction(ground.channels[one.last], one.enters, spreads)
    if any((gather - x) * one.leaves <= 0 for x, _ in one.starts) or any(
        (spread - x) * one.enters <= 0 for x, _ in one.ends
    ):
        return None
    y0, y1 = one.heights
    starts = {
        (x, y): replace(
            ground.between(
                [x, y, joint, y0, one.leaves, -one.leaves],
                f"{one.layers}<",
                _channel(ground, x, one.leaves),
                one.first,
            ),
            lanes={one.first: gather},
        )
        for x, y in one.starts
    }
    ends = {
        (x, y): replace(
            ground.between(
                [fork, y1, x, y, -one.enters, one.enters],
                f"{one.layers}>",
                one.last,
                _channel(ground, x, one.enters),
            ),
            lanes={one.last: spread},
        )
        for x, y in one.ends
    }
    trunk = Plan(
        [joint, y0, fork, y1, one.leaves, one.enters], one.layers, one.first, one.last, one.crossed
    )
    return _Planned(one.layers, tuple(one.wires), trunk, starts, ends)


def _junction(channel: tuple[float, float], side: int, share: float) -> tuple[float, float]:
    """Return where strands run up and down in a channel, and where the trunk begins.

    They come out of nodes on one side (1: these lie on the left of the channel).
    """
    low, high = channel
    away = (high - low) * _JUNCTION * share
    corner = min(RADIUS, (high - low) * _JUNCTION * share)
    near = low if side > 0 else high
    return near + side * away, near + side * (away + corner)


def _channel(ground: Ground, x: float, side: int) -> int:
    found = ground.channel(x, side)
    if found is None:
        raise AssertionError("a port without a channel is in no bundle")
    return found
