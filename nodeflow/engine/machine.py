"""A tape with its buffer and its data, ready to be executed row by row or epoch by epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nodeflow.data import Fold, Split, Table, split_by
from nodeflow.declare import numbers, plain_numbers
from nodeflow.engine.cells import Call, Feed, Product, Slot, Tape, aligned
from nodeflow.engine.executor import Executor
from nodeflow.engine.fusing import FastRows
from nodeflow.engine.kernel.sums import LANES
from nodeflow.engine.plan import Plan
from nodeflow.engine.prepared import Prepared, prepared
from nodeflow.engine.probing import probed
from nodeflow.engine.schedule import Schedule
from nodeflow.engine.start import single_number, start_value
from nodeflow.errors import DataError, NodeflowError, RunError, TooLarge
from nodeflow.garbage import collection_paused
from nodeflow.graph import Graph
from nodeflow.shape import Shape

SEEDS = 2**63
"""The kernel shuffles by a seed below."""
_MOST_BYTES = 8_000_000_000
"""The most bytes that a run may take; three quarters of the machine's memory is another limit."""


def _misbehaved(call: Call, how: str) -> RunError:
    return RunError(f"the function of '{call.node}' ({call.type.name}) {how}", node=call.node)


def _most_bytes() -> float:
    try:
        return min(_MOST_BYTES, 0.75 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return _MOST_BYTES


STATS = 8
"""What passes tally: sum of costs, hits, samples counted for cost, for hits; the second half
for rows that are only evaluated."""
Floats = NDArray[Any]


class Machine:
    """Cells and the rows that change them; it knows updates and samples, but no history."""

    def __init__(
        self,
        graph: Graph,
        *,
        seed: int,
        batch: int | str,
        dtype: DTypeLike,
        strict: bool = True,
        share_with: Machine | None = None,
        fold: Fold | None = None,
        room: float | None = None,
    ) -> None:
        self.graph = graph
        self._room = room
        self.fold = fold
        self.strict = strict
        self._share_with = share_with
        self.seed = seed
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.dtype(np.float64), np.dtype(np.float32)):
            raise RunError(f"a run computes in float64 or float32, not {self.dtype}")
        self.cells: Floats
        self.splits: Mapping[str, Split]
        with collection_paused():
            self._lay_out(graph, seed=seed, batch=batch, strict=strict)
        self._placed = (-1, -1)
        self.cells[: self.tape.state] = self._start(seed, self.splits)
        self.start = self.cells[: self.tape.state].copy()

    # -- making

    def _lay_out(self, graph: Graph, *, seed: int, batch: int | str, strict: bool) -> None:
        other = self._share_with
        planned = other is not None and other.graph is graph and other.strict is strict
        self.prepared: Prepared = (
            other.prepared if other is not None and planned else prepared(graph, strict=strict)
        )
        """What it shares with other runs of its graph."""
        self.plan: Plan = self.prepared.plan
        self.drawn = self.fold is not None or any(
            _is_drawn(self.plan, key) for key in self.plan.inference.tables
        )
        """Whether the seed decides which rows are set apart for testing."""
        if other is not None and planned and not self.drawn and other.fold is None:
            self.splits = other.splits
        else:
            self.splits = _splits(self.plan, seed, self.fold)
        self.rows, self.test_rows = self._row_counts()
        whole = batch == "all" or not self.splits or bool(graph.searches)
        self.batch = self.rows if whole else min(int(batch), self.rows)
        self.shortened = None if whole or int(batch) <= self.rows else int(batch)
        """The batch that was asked for, where the data has fewer rows."""
        self.shuffled = self.batch < self.rows and any(
            self.plan.graph.settings(key)["shuffle"] for key in self.splits
        )
        self.schedule = Schedule.of(self.plan, self.rows, self.batch)
        self.per_epoch = self.schedule.updates_per_epoch
        self._laid_out = self.prepared.laid_out(
            capacity=self.capacity,
            most=max(self.rows, self.test_rows),
            tests=self.test_rows > 0,
        )
        self.tape: Tape = self._laid_out.tape
        self._beside = self._laid_out.beside
        """The tape that evaluates test rows while it trains, in the same cells."""
        self._refuse_too_large(self._beside or self.tape)
        self.cells = self.fresh_cells()
        self.fed_from = self._fed_from(self.feed_layout)
        same = self._share_with is not None and _same_feed(self._share_with.fed_from, self.fed_from)
        # It is only read, and may be by far the largest array there is.
        self.feed: Floats = (
            self._share_with.feed
            if same and self._share_with
            else self._fill_feed(self.splits).ravel()
        )
        self._share_with = None
        self.order = np.arange(self.rows + self.test_rows, dtype=np.int64)
        self.stats = np.zeros(STATS, float)
        self._executor = Executor(self.cells, self.feed, self.order, self.stats, self._call)

    @property
    def in_parts(self) -> bool:
        """Whether batches are cut into parts, so that no step can be made."""
        return False

    @property
    def capacity(self) -> int:
        """How many samples it holds at once."""
        return self.schedule.pass_size

    def _refuse_too_large(self, whole: Tape) -> None:
        """Raise `TooLarge` rather than ask for more memory than a machine is likely to have."""
        fed = (self.rows + self.test_rows) * self.feed_layout.width
        size = (whole.size + fed) * self.dtype.itemsize
        most = min(_most_bytes(), math.inf if self._room is None else self._room)
        if size > most:
            shapes = self.plan.inference.shapes

            def held(address: str) -> int:
                shape = shapes[address]
                return math.prod(shape.array(self.tape.capacity))

            largest = max(self.tape.slots.keys() & shapes.keys(), key=held, default="")
            node = largest.rpartition(".")[0] or None
            takes = f"the values of one batch take {size / 1e9:.{1 if size > 1e8 else 3}f} GB"
            raise TooLarge(
                f"{takes}, more than "
                f"{most / 1e9:.3g} (the largest is {largest}, {held(largest):,} numbers); "
                "make the layers or the batch smaller"
                if node
                else f"{takes}, more than {most / 1e9:.3g}; make the batch smaller",
                node=node,
            )

    def _row_counts(self) -> tuple[int, int]:
        if not self.splits:
            return self.plan.inference.rows or 1, 0
        counts = {key: (len(s.x), len(s.x_test)) for key, s in self.splits.items()}
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"'{key}' has {rows}+{test}" for key, (rows, test) in counts.items())
            raise DataError(f"data sets of one graph must have equally many rows: {shown}")
        return next(iter(counts.values()))

    def _fed_from(self, layout: Feed) -> tuple[Any, ...]:
        """Return all that the feed is made from; tables count by identity."""
        graph = self.plan.graph
        made: list[tuple[Any, ...]] = []
        for address in layout.columns:
            key = address.rpartition(".")[0]
            if key in self.splits:
                settings = graph.settings(key)
                how = (
                    settings["scale"],
                    settings["scale_target"],
                    settings["test"],
                    self.seed if self.drawn else None,
                    self.fold,
                )
                made.append((self.plan.inference.tables[key], *how))
            else:
                made.append((graph.nodes[key],))
        return self.dtype, self.rows, self.test_rows, layout.columns, made

    def _fill_feed(self, splits: Mapping[str, Split]) -> Floats:
        layout = self.feed_layout
        feed = np.empty((self.rows + self.test_rows, layout.width), self.dtype)
        for address, (column, count) in layout.columns.items():
            key, _, port = address.rpartition(".")
            part = feed[:, column : column + count]
            if key in splits:
                found = splits[key]
                part[: self.rows] = found.x if port == "x" else found.y
                part[self.rows :] = found.x_test if port == "x" else found.y_test
            else:
                part[:] = numbers(self.plan.graph.settings(key)["value"])
        return feed

    @property
    def executor(self) -> Executor:
        """What executes its rows."""
        return self._executor

    def cells_of_evaluation(self) -> Floats:
        """Return a new buffer for the rows of `evaluation`, without the parameters."""
        if self.evaluation is None:
            raise RunError("nothing in this graph can be evaluated")
        return self._cells_of(self._beside or self.evaluation)

    def fresh_cells(self) -> Floats:
        """Return a new buffer, with everything in place but the parameters."""
        return self._cells_of(self._beside or self.tape)

    def _cells_of(self, whole: Tape) -> Floats:
        # Eight numbers are read at once; behind the last value there must be as many.
        found = aligned(whole.size + LANES, self.dtype)
        whole.put_literals(found)
        self.tape.put_literals(found)
        return found

    @property
    def evaluation(self) -> Tape | None:
        """A tape of the forward rows that cost and accuracy need; None if they need nothing."""
        return self._laid_out.evaluation

    @cached_property
    def _evaluating(self) -> Executor:
        """What executes the rows of `evaluation`.

        Without test rows they are seldom asked for: then they have cells of their own, into which
        `assess` puts the parameters.
        """
        if self._beside or self.evaluation is None:
            return self._executor
        self._refuse_too_large(self.evaluation)
        cells = self._cells_of(self.evaluation)
        return Executor(cells, self.feed, self.order, self.stats, self._call_to_evaluate)

    @property
    def fast(self) -> FastRows:
        """The rows for full speed, of passes and updates."""
        return self._laid_out.fast

    @property
    def feed_layout(self) -> Feed:
        """How the rows of all data sets lie side by side."""
        return self._laid_out.feed

    @property
    def evaluated_beside(self) -> Tape | None:
        """The tape that evaluates test rows while it trains; None where there are no test rows."""
        return self._beside

    @property
    def rows_of_training(self) -> NDArray[np.int64]:
        """The rows for full speed, and behind them those that evaluate the test rows."""
        return self._laid_out.trained

    def _start(self, seed: int, splits: Mapping[str, Split], graph: Graph | None = None) -> Floats:
        """Return the parameters before the first update, as they lie in the cells."""
        found = np.zeros(self.tape.state, self.dtype)
        graph, slots = graph or self.plan.graph, self.tape.slots
        for key in self.plan.graph.parameters:
            slot = slots.get(f"{key}.value")
            if slot is None:  # it cannot be evaluated
                continue
            begin, size = slot.offset, slot.size
            single = single_number(graph.settings(key)) if size == 1 else None
            if single is None:
                value = start_value(graph, key, seed, splits)
                found[begin : begin + size] = np.asarray(value).ravel()
            else:
                found[begin] = single
        return found

    def beginning(self, seed: int, graph: Graph | None = None) -> tuple[Floats, Floats]:
        """Return the parameters before the first update, and the feed, of another seed.

        `graph` is the plan's, with parameters that start otherwise.
        """
        if not self.drawn:
            return self._start(seed, self.splits, graph), self.feed
        splits = _splits(self.plan, seed, self.fold)
        return self._start(seed, splits, graph), self._fill_feed(splits).ravel()

    # -- cells

    def view(self, slot: Slot, shape: Shape, samples: int) -> Floats:
        """Return a value's cells as an array that shares them.

        Its shape is (rows, features), with `samples` rows where the value has a sample axis; a
        value of one axis, such as a bias, is (features,).
        """
        return self._view(self.cells, slot, shape, samples)

    @staticmethod
    def _view(cells: Floats, slot: Slot, shape: Shape, samples: int) -> Floats:
        rows = samples if slot.rows == 0 else slot.rows
        item = cells.itemsize
        array: Floats = np.lib.stride_tricks.as_strided(
            cells[slot.offset :], (rows, slot.cols), (slot.stride * item, item)
        )
        return array if shape.batch or len(shape.dims) == 2 else array.reshape(-1)

    def read(self, address: str, samples: int) -> Floats:
        """Return a copy of the value at an output address, in the shape that `view` has.

        `samples` is how many rows are read of a value with a sample axis; others ignore it.
        """
        slot, shape = self.tape.slots[address], self.plan.inference.shapes[address]
        return self.view(slot, shape, samples).copy()

    def write(self, address: str, value: Any) -> None:
        """Put a value into the cells of an output address that has no sample axis."""
        slot = self.tape.slots[address]
        self.cells[slot.offset : slot.offset + slot.size] = np.asarray(value).ravel()

    @property
    def finite(self) -> bool:
        """Whether the state holds neither NaN nor Infinity."""
        return bool(np.isfinite(self.cells[: self.tape.state]).all())

    # -- executing

    def place(self, epoch: int) -> None:
        """Put the data's rows into the order of an epoch, counted from 0."""
        if self.shuffled and self._placed != (self.seed, epoch):
            self._executor.shuffle(self.rows, self.seed % SEEDS, epoch)
            self._placed = (self.seed, epoch)

    def execute(
        self, begin: int, end: int, *, first: int, samples: int, update: int, sample: int = 0
    ) -> None:
        """Execute rows `begin` to `end` of the full tape for one pass.

        `first` is the pass's first row in the order of the epoch, `samples` how many it has,
        `sample` the number of the pass in its update, `update` how many samples that has.
        """
        self._executor.run(
            self.tape.ops, begin, end, first=first, samples=samples, number=sample, count=update
        )

    def _call(self, number: int) -> None:
        self._execute_call((self._beside or self.tape).calls[number], self._executor)

    def _call_to_evaluate(self, number: int) -> None:
        if self.evaluation is not None:
            self._execute_call(self.evaluation.calls[number], self._evaluating)

    def _execute_call(self, call: Call | Product, executor: Executor) -> None:
        """Execute what only Python can: a product of BLAS, or a type without rows."""
        cells, samples, update = executor.cells, executor.samples, executor.count
        if isinstance(call, Product):
            self._multiply(cells, call, samples)
            return
        inputs: dict[str, Any] = {}
        for name, many, parts in call.inputs:
            views = []
            for slot, shape in parts:
                view = self._view(cells, slot, shape, samples)
                view.setflags(write=False)
                views.append(view)
            inputs[name] = views if many else (views[0] if views else None)
        try:
            with np.errstate(all="ignore"):
                if call.type.probes:
                    with probed(self, call, executor) as cost:
                        result = call.compute(inputs, update, cost)
                else:
                    result = call.compute(inputs, update)
            self._put(cells, call, result, samples)
        except RunError as error:
            raise (
                error if error.node else RunError(f"'{call.node}': {error}", node=call.node)
            ) from error
        except NodeflowError:
            raise
        except Exception as error:
            if isinstance(error, ValueError) and "read-only" in str(error):
                raise _misbehaved(
                    call, "changes its input, which others read: let it work on a copy"
                ) from error
            shown = ", ".join(
                f"{name} {'×'.join(map(str, np.shape(value)))}"
                for name, value in inputs.items()
                if value is not None and not isinstance(value, list)
            )
            raise RunError(
                f"'{call.node}' ({call.type.name}) failed on {shown}: "
                f"{type(error).__name__} in its function",
                node=call.node,
            ) from error

    def _put(self, cells: Floats, call: Call, result: Any, samples: int) -> None:
        """Write what a function returned into its cells, or raise `RunError`: others write them."""
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(call.outputs):
            raise _misbehaved(call, f"returns {len(results)} values, not {len(call.outputs)}")
        for (slot, shape), value in zip(call.outputs, results, strict=True):
            target = self._view(cells, slot, shape, samples)
            if wrong := plain_numbers(value):
                raise _misbehaved(call, wrong)
            # a vector and a single row are the same numbers; one number stands for all
            same = np.size(value) == target.size
            if not same and np.size(value) != 1:
                found, wanted = (
                    "×".join(map(str, size)) for size in (np.shape(value), target.shape)
                )
                raise _misbehaved(call, f"returns {found} numbers, not {wanted}")
            target[...] = np.reshape(value, target.shape) if same else np.ravel(value)[0]

    @staticmethod
    def _multiply(cells: Floats, product: Product, samples: int) -> None:
        def matrix(slot: Slot) -> Floats:
            rows = slot.rows or samples
            found: Floats = cells[slot.offset : slot.offset + rows * slot.cols]
            return found.reshape(rows, slot.cols)

        left, right = (
            array.T if turned else array
            for array, turned in zip(
                (matrix(product.left), matrix(product.right)),
                product.turned,
                strict=True,
            )
        )
        np.dot(left, right, out=matrix(product.out))

    def train(self, begin: int, end: int, history: Floats, states: Floats) -> None:
        """Run updates `begin` to `end` at full speed.

        After each epoch a line of `history`, (epochs, 4), is written: cost, share of hits, and the
        same of the test rows; and one of `states`, (epochs, size of the state).
        """
        tape, evaluation = self.tape, self._beside
        alone = self.schedule.pass_size < self.batch
        # A batch of all rows in one order needs to be loaded only once.
        loaded = self.per_epoch == 1 and not self.shuffled and not alone
        first = min(begin + 1, end) if loaded else end
        for one, other, head in ((begin, first, 0), (first, end, self.fast.loads)):
            if one < other:
                epochs = other // self.per_epoch - one // self.per_epoch
                self._executor.train(
                    self.rows_of_training,
                    head=head, tail=self.fast.tail, test=len(self.fast.table),
                    begin=one, end=other, fed=self.rows, batch=self.batch,
                    alone=int(alone), seed=self.seed % SEEDS,
                    shuffled=int(self.shuffled), state=tape.state,
                    test_rows=self.test_rows if evaluation else 0,
                    test_most=evaluation.capacity if evaluation else 1,
                    history=history, states=states,
                )  # fmt: skip
                history, states = history[epochs:], states[epochs:]
        self._placed = (-1, -1)

    def bounds(self, update: int) -> tuple[int, int]:
        """Return an update's first row in the epoch's order, and its number of samples."""
        return self.schedule.bounds(update)

    def update(self, update: int) -> None:
        """Execute one whole update on the full tape, so that every value can be seen."""
        schedule = self.schedule
        self.place(schedule.epoch(update))
        if schedule.ends_epoch(update):
            self.stats[:4] = 0
        n = schedule.bounds(update)[1]
        head, end = self.tape.head, len(self.tape.ops)
        samples = schedule.samples(update)
        for number in range(schedule.passes(update)):
            row = schedule.row(update, number)
            self.execute(0, head, first=row, samples=samples, update=n, sample=number)
        self.execute(head, end, first=row, samples=samples, update=n, sample=number)

    def assess(self, *, test: bool) -> tuple[float, float]:
        """Return mean cost and accuracy over the training or the test rows, as they stand now."""
        if self.evaluation is None:
            return float("nan"), float("nan")
        tape, executor = self.evaluation, self._evaluating
        if executor is not self._executor:
            executor.cells[: self.tape.state] = self.cells[: self.tape.state]
        first, rows = (self.rows, self.test_rows) if test else (0, self.rows)
        order = self.order.copy()
        if not test:
            self.order[:] = np.arange(self.rows + self.test_rows)
        try:
            return measured(tape, executor, first, rows)
        finally:
            self.order[:] = order

    def summary(self) -> tuple[float, float, float, float]:
        """Return an epoch's line of history: cost, share of hits, and those of the test rows."""
        cost = self.stats[0] / self.stats[2] if self.stats[2] else float("nan")
        hits = self.stats[1] / self.stats[3] if self.stats[3] else float("nan")
        if not self.test_rows:
            return cost, hits, float("nan"), float("nan")
        return cost, hits, *self.assess(test=True)


def measured(tape: Tape, executor: Executor, first: int, rows: int) -> tuple[float, float]:
    """Return mean cost and accuracy over rows of the feed, by the rows of a tape for it."""
    executor.stats[4:] = 0
    for at in range(first, first + rows, tape.capacity):
        n = min(tape.capacity, first + rows - at)
        executor.run(tape.ops, 0, len(tape.ops), first=at, samples=n, number=0, count=n, tally=4)
    cost, hits, costs, counted = executor.stats[4:]
    return (
        float(cost / costs) if costs else float("nan"),
        float(hits / counted) if counted else float("nan"),
    )


def _same_feed(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    *facts, made = one
    *others, made_too = other
    return facts == others and all(
        a is b or (not isinstance(a, Table) and a == b)
        for mine, theirs in zip(made, made_too, strict=True)
        for a, b in zip(mine, theirs, strict=True)
    )


def _is_drawn(plan: Plan, key: str) -> bool:
    """Return whether the seed decides which rows of a data set are set apart for testing."""
    if plan.inference.tables[key].x_test is not None or key not in plan.order:
        return False
    return bool(plan.graph.settings(key)["test"])


def _splits(plan: Plan, seed: int, fold: Fold | None) -> dict[str, Split]:
    found = {}
    for key, data in plan.inference.tables.items():
        if key not in plan.order:
            continue
        settings = plan.graph.settings(key)
        try:
            found[key] = split_by(settings, data, seed, fold)
        except DataError as error:
            error.args = (f"dataset '{key}': {error}",)
            raise
    return found
