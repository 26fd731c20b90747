"""What all runs of a graph share: its plan, its tapes, and the rows for full speed.

All of it is only read. Graphs are inert, so what was made for one holds for every other of the same
content, as long as node types and the files of its data are the same: a run that is made again (in
a loop, in a notebook, from a file that is loaded again) has it at once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import Options
from nodeflow.data import load as load_data
from nodeflow.declare import changes
from nodeflow.derive.phases import FORWARD
from nodeflow.engine.cells import END_ROW, Feed, Tape, feed_layout, table
from nodeflow.engine.fusing import FastRows, fast_rows, rows_of_evaluation
from nodeflow.engine.plan import Plan, plan
from nodeflow.engine.tape import lay_out
from nodeflow.errors import DataError
from nodeflow.graph import Graph

_TEST_CHUNK = 256
"""Test rows that are evaluated at once; their costs are added up chunk by chunk."""
_KEPT = 8
_MOST_NODES = 5_000
_MOST_BYTES = 32_000_000
"""What is made for more nodes, or holds larger tables, is to go with the last run."""


class LaidOut:
    """The tapes of a plan for passes of at most `capacity` samples, and the rows for full speed.

    As many as `most` rows are evaluated at once, where they are so few; with test rows (`tests`)
    that happens beside the training, in the same cells.
    """

    def __init__(self, plan: Plan, *, capacity: int, most: int, tests: bool) -> None:
        self._most, self._tests = max(1, min(_TEST_CHUNK, most)), tests
        self.feed: Feed = feed_layout(plan)
        self.tape: Tape = lay_out(plan, capacity=capacity, feed=self.feed)

    @cached_property
    def evaluation(self) -> Tape | None:
        """A tape of the forward rows that cost and accuracy need; None if they need nothing."""
        plan = self.tape.plan
        wanted = [plan.unfolding.cost] if plan.unfolding.cost else []
        hits = plan.hits
        wanted += [hits] if isinstance(hits, str) else [*hits.addresses] if hits else []
        if not wanted:
            return None
        graph = plan.graph
        needed = graph.upstream([address.rpartition(".")[0] for address in wanted])
        order = tuple(
            key
            for key in plan.order
            if graph.nodes[key].is_parameter or (key in needed and plan.phases[key] == FORWARD)
        )
        reduced = replace(plan, order=order, head=len(order), loop=False)
        return lay_out(reduced, capacity=self._most, feed=self.feed, beside=self.tape)

    @property
    def beside(self) -> Tape | None:
        """The tape that evaluates test rows while it trains; None where there are no test rows."""
        return self.evaluation if self._tests else None

    @cached_property
    def fast(self) -> FastRows:
        """The rows for full speed, of passes and updates."""
        return fast_rows(self.tape)

    @cached_property
    def trained(self) -> NDArray[np.int64]:
        """The rows for full speed, and behind them those that evaluate the test rows."""
        if self.beside is None:
            return self.fast.table
        test = rows_of_evaluation(self.beside)
        return np.concatenate([self.fast.table, table([*test, END_ROW])])


class Prepared:
    """A plan, and what was laid out for it so far."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._laid_out: dict[tuple[int, int, bool], LaidOut] = {}

    def laid_out(self, *, capacity: int, most: int, tests: bool) -> LaidOut:
        """Return the tapes for passes of so many samples."""
        key = capacity, most, tests
        found = self._laid_out.get(key)
        if found is None:
            found = LaidOut(self.plan, capacity=capacity, most=most, tests=tests)
            self._laid_out[key] = found
        return found


class _Known(NamedTuple):
    graph: Graph
    strict: bool
    changes: int
    """How often node types had changed by then."""
    prepared: Prepared


_known: deque[_Known] = deque(maxlen=_KEPT)
"""What was prepared last, the newest in front."""


def prepared(graph: Graph, *, strict: bool = True) -> Prepared:
    """Return the plan of a graph, with what was laid out for it; see `plan`."""
    for known in tuple(_known):
        if known.strict is strict and known.changes == changes() and _alike(known.graph, graph):
            if _holds(known.prepared.plan):
                return known.prepared
            break
    found = Prepared(plan(graph, strict=strict))
    if _is_light(found.plan):
        _known.appendleft(_Known(graph, strict, changes(), found))
    return found


def forget() -> None:
    """Forget what was prepared: for measurements, and for tests that change how it is done."""
    _known.clear()


def _alike(one: Graph, other: Graph) -> bool:
    return one is other or (
        len(one.nodes) == len(other.nodes) and one.folder == other.folder and one == other
    )


def _is_light(plan: Plan) -> bool:
    held = sum(table.x.nbytes + table.y.nbytes for table in plan.inference.tables.values())
    return len(plan.order) <= _MOST_NODES and held <= _MOST_BYTES


def _holds(plan: Plan) -> bool:
    """Return whether the data sets are what they were when the plan was made."""
    graph = plan.graph
    try:
        return all(
            table
            is load_data(settings["source"], options=Options.of(settings), folder=graph.folder)
            for key, table in plan.inference.tables.items()
            for settings in (graph.settings(key),)
        )
    except DataError:
        return False
