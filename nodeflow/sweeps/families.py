"""Which runs of a sweep can train abreast although their values differ: a plan serves all of them.

A combination costs some milliseconds of Python before its first run, since its backward pass is
derived and laid out. Where combinations differ only in numbers that end as cells of the tape (a
rate, a momentum, λ), or in how parameters start, that is done once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.abreast import can_be_abreast
from nodeflow.engine.alike import Alike, alike, beside
from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Node
from nodeflow.inert import is_number
from nodeflow.sweeps.axes import applied
from nodeflow.sweeps.cases import Part, Plan

_KEPT = 4
"""Families that are remembered; the others are laid out anew."""
_STARTS = {"init", "range"}
"""Settings of a parameter that only its start depends on."""


@dataclass(frozen=True)
class Family:
    """Runs that one tape serves: where their numbers lie in it, and how their parameters start."""

    plan: Plan
    like: Run
    places: Alike | None
    numeric: tuple[int, ...]
    """The axes whose values are cells."""
    starting: tuple[int, ...]
    """The axes whose values say how parameters start."""

    def numbers(self, part: Part) -> NDArray[np.float64] | None:
        """Return the numbers of some runs, a row each; None where they have none."""
        if not self.numeric:
            return None
        rows = [self.plan.values(self.plan.combination(number)) for number, _ in part]
        return np.array([[row[axis] for axis in self.numeric] for row in rows], float)

    def starts(self, part: Part) -> list[Graph] | None:
        """Return the plan's graph of each run with its starts; None where all start alike."""
        if not self.starting:
            return None
        known: dict[str, Graph] = {}
        found = []
        for number, _ in part:
            values = self.plan.values(self.plan.combination(number))
            own = [values[axis] for axis in self.starting]
            text = json.dumps(own, default=str)
            if text not in known:
                known[text] = self._started(own)
            found.append(known[text])
        return found

    def _started(self, values: Sequence[Any]) -> Graph:
        names = [self.plan.axes[axis].address for axis in self.starting]
        given = applied(self.plan.graph, dict(zip(names, values, strict=True)))
        graph = self.like.plan.graph
        for key in given.parameters:
            if key in graph.nodes and given.nodes[key] != graph.nodes[key]:
                settings = {name: given.settings(key)[name] for name in _STARTS}
                graph = graph.set(key, **settings)
        return graph


class Families:
    """The families of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._kinds = [_kind(plan, axis.address, axis.values) for axis in plan.axes]
        self._known: dict[tuple[Any, ...], Family | None] = {}

    def sorted(self, part: Part) -> list[Part]:
        """Return the runs by family."""
        found: dict[tuple[Any, ...], Part] = {}
        for case in part:
            found.setdefault(self._key(self.plan.combination(case[0])), []).append(case)
        return list(found.values())

    def _key(self, combination: int) -> tuple[Any, ...]:
        return tuple(
            kind
            if kind == "start" or (kind == "number" and value > 0)
            else json.dumps(value, default=str, sort_keys=True)
            for kind, value in zip(self._kinds, self.plan.values(combination), strict=True)
        )

    def size(self, number: int) -> int:
        """Return how many combinations the family of a run has, in the whole plan."""
        count = 1
        key = self._key(self.plan.combination(number))
        for kind, axis in zip(key, self.plan.axes, strict=True):
            if kind == "start":
                count *= len(axis.values)
            elif kind == "number":
                count *= sum(value > 0 for value in axis.values)
        return count

    def is_known(self, number: int) -> bool:
        """Whether it was found out already which family a run has."""
        return self._key(self.plan.combination(number)) in self._known

    def of(self, number: int) -> Family | None:
        """Return the family of a run; None where each of its combinations needs its own plan."""
        combination = self.plan.combination(number)
        key = self._key(combination)
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            try:
                self._known[key] = self._made(combination, key)
            except NodeflowError:  # a number beside the given one is refused
                self._known[key] = None
        return self._known[key]

    def _made(self, combination: int, key: tuple[Any, ...]) -> Family | None:
        settings = self.plan.settings(combination)
        numeric = tuple(axis for axis, kind in enumerate(key) if kind == "number")
        starting = tuple(axis for axis, kind in enumerate(key) if kind == "start")
        given = [settings[self.plan.names[axis]] for axis in numeric]
        runs, rows = [], []
        for which in (0, 1) if numeric else (0,):
            rows.append(beside(given, which))
            near = {self.plan.names[axis]: n for axis, n in zip(numeric, rows[-1], strict=True)}
            graph = applied(self.plan.graph, {**settings, **near})
            runs.append(Run(graph, seed=self.plan.seeds[0], dtype=self.plan.dtype))
            if not can_be_abreast(runs[-1]):
                return None
        places = None
        if numeric:
            places = alike(runs[0].machine, runs[1].machine, (rows[0], rows[1]))
            if places is None:
                return None
        return Family(self.plan, runs[0], places, numeric, starting)


def _kind(plan: Plan, address: str, values: Sequence[Any]) -> str:
    """Return "number", "start", or "" for what needs a plan of its own."""
    if len(values) < 2:
        return ""
    graphs = [applied(plan.graph, {address: value}) for value in values[:2]]
    if graphs[0].training != graphs[1].training or graphs[0].nodes.keys() != graphs[1].nodes.keys():
        return ""
    pairs = [
        (one, graphs[1].nodes[key])
        for key, one in graphs[0].nodes.items()
        if one != graphs[1].nodes[key]
    ]
    if not pairs:
        return ""
    if all(one.is_parameter and _differing(one, other) <= _STARTS for one, other in pairs):
        return "start"
    plain = all(_is_plain(one, other) for one, other in pairs)
    return "number" if plain and all(is_number(value) for value in values) else ""


def _differing(one: Node, other: Node) -> set[str]:
    names = one.settings.keys() | other.settings.keys()
    return {name for name in names if one.settings.get(name) != other.settings.get(name)}


def _is_plain(one: Node, other: Node) -> bool:
    """Whether two nodes of the library differ in a number that nothing else follows from.

    A type by others may decide by it; a slider refuses some; a data set's rows are drawn by it.
    """
    type_ = one.known
    if type_ is None or not type_.is_own:
        return False
    if type_.family == "source" and not (type_.typed and type_.array_settings):
        return False
    kinds = {type_.setting_named[name].kind for name in _differing(one, other)}
    return kinds <= {"number", "array"}
