"""What a view can see: the graph, and its values and weights at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nodeflow.graph import Graph
from nodeflow.shape import Shape
from nodeflow.theme import Theme
from nodeflow.views.marks import Area, Mark

if TYPE_CHECKING:
    from nodeflow.data.splitting import Split
    from nodeflow.data.table import Table
    from nodeflow.engine.run import Run
    from nodeflow.views.plot import Past

Floats = NDArray[np.float64]
Values = Mapping[str, NDArray[Any]]
"""By address."""
_AGAIN = 200
"""How often a run is given other weights before a new one is made: it remembers all of them."""


class Content(Protocol):
    """What a view shows, found: it can be drawn, written in lines, and given as plain data."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        ...

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw it into an area."""
        ...

    def lines(self, wide: int) -> list[str]:
        """Write it in lines of at most so many characters."""
        ...

    @property
    def foot(self) -> str:
        """It in a few characters."""
        ...


@dataclass(eq=False)
class _Cut:
    """A run of a part of the graph, with rows in place of its data."""

    run: Run
    used: int = 0


@dataclass(eq=False)
class Keep:
    """What is kept from one look at a graph to the next; another graph needs another one."""

    graph: Graph
    tables: Mapping[str, Table] = field(default_factory=dict)
    splits: dict[str, Split] = field(default_factory=dict)
    cuts: dict[tuple[str, str], _Cut] = field(default_factory=dict)
    rows: dict[tuple[str, str], Floats] = field(default_factory=dict)
    whole: Run | None = None


@dataclass(frozen=True, eq=False)
class Sight:
    """A graph at a moment; `past` are the values of what enters plots."""

    keep: Keep
    values: Values
    weights: Values
    past: Mapping[str, Past] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The graph with the view in it."""
        return self.keep.graph

    def starts(self, key: str) -> list[str]:
        """Return the addresses of all that enters a node, in order."""
        return [wire.start for wire in self.graph.into(key)]

    def known(self, key: str) -> list[str]:
        """Return the addresses of what enters a node and has a value, in order."""
        return [start for start in self.starts(key) if start in self.values]

    def inputs(self, key: str) -> dict[str, str]:
        """Return the address of the first wire into each port of a node."""
        return {name: wires[0].start for name, wires in self.graph.inputs(key).items() if wires}

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The shapes of the values that are known."""
        return {
            address: Shape((value.shape[-1],), batch=True)
            for address, value in self.values.items()
            if value.ndim
        }

    def row(self, address: str) -> Floats:
        """Return a value with one row per sample."""
        return np.atleast_2d(np.asarray(self.values[address], float))

    def split(self, data: str) -> Split | None:
        """Return the rows of a data set, as training sees them."""
        from nodeflow.data.splitting import split_by

        if data not in self.keep.tables:
            return None
        if data not in self.keep.splits:
            settings, seed = self.graph.settings(data), self.graph.training.seed
            self.keep.splits[data] = split_by(settings, self.keep.tables[data], seed)
        return self.keep.splits[data]

    def class_names(self, count: int) -> tuple[str, ...]:
        """Return the names of so many classes, of the first data set that has as many."""
        tables = self.keep.tables.values()
        return next((table.classes for table in tables if len(table.classes) == count), ())

    def answers(self, key: str, start: str, goal: str, rows: Floats) -> Floats:
        """Return an output of the network for rows that take the place of one of its values."""
        cut, kept = self.keep.cuts.get((key, goal)), self.keep.rows.get((key, goal))
        if cut is None or cut.used > _AGAIN or kept is None or not np.array_equal(kept, rows):
            from nodeflow.engine.run import Run
            from nodeflow.explain.quality import fed

            cut = _Cut(Run(fed(self.graph, start, goal, rows)))
            self.keep.cuts[key, goal], self.keep.rows[key, goal] = cut, rows
        cut.used += 1
        own = cut.run.weights.keys()
        cut.run.set_weights({name: self.weights[name] for name in own if name in self.weights})
        cut.run.evaluate()
        return np.asarray(cut.run[goal], float)

    @cached_property
    def whole(self) -> Run:
        """A run of the graph over all its rows, with the weights of the moment."""
        from nodeflow.engine.run import Run

        if self.keep.whole is None:
            self.keep.whole = Run(self.graph, batch="all")
        run = self.keep.whole
        own = run.weights.keys()
        for address, value in self.weights.items():
            if address in own:
                run.machine.write(address, value)
        return run
