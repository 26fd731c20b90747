"""Many runs abreast: they differ in seeds and numbers, and train in one call of machine code.

A small network trains for a hundred epochs in less time than Python needs to make a run of it, and
while Python is at work no other thread is. So plan, tape and code of one run are taken for all;
each has its own cells, its own order of the rows, and its own feed where the seed decides which
rows are set apart. Nothing is kept to come back to. The numbers are those of runs alone, to the
bit: machine code and rows are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.alike import Alike
from nodeflow.engine.executor import Executor
from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.machine import SEEDS, STATS, Floats, measured
from nodeflow.engine.run import Assessment, Run
from nodeflow.graph import Graph

Lines = NDArray[np.float64]
"""Lines of the history: cost, accuracy, and those of the test rows; NaN for none."""
_AT = {name: place for place, name in enumerate(CONTEXT)}
_LINE_BYTES = 32


def can_be_abreast(run: Run) -> bool:
    """Whether runs like this one can train abreast: nothing in them asks for Python."""
    machine = run.machine
    return (
        run.minimizer is None
        and bool(run.order)
        and bool(machine.splits)
        and machine.evaluation is not None
        and not machine.tape.calls
        and not machine.evaluation.calls
        and machine.executor.runs_machine_code
    )


def bytes_each(run: Run, epochs: int) -> int:
    """Return about how much memory each run takes that is trained abreast of others."""
    machine = run.machine
    numbers = machine.cells.size + (machine.feed.size if machine.drawn else 0)
    return int(numbers * machine.dtype.itemsize + 8 * machine.order.size + _LINE_BYTES * epochs)


class Abreast:
    """Runs like another one, each with its own seed, at the start of their first epoch.

    Every one of them trains at most `epochs`. Where their graphs differ in `numbers`, these are
    given one row per run, in the order of `places`; where parameters start otherwise, `starts` has
    the plan's graph of each.
    """

    def __init__(
        self,
        first: Run,
        seeds: Sequence[int],
        epochs: int,
        *,
        places: Alike | None = None,
        numbers: NDArray[np.float64] | None = None,
        starts: Sequence[Graph] | None = None,
    ) -> None:
        machine = self._machine = first.machine
        self._trains = first.trains
        self._has_cost = machine.plan.unfolding.cost in machine.tape.slots
        self._state = machine.tape.state
        rows = np.arange(machine.rows + machine.test_rows)
        begins = [
            machine.beginning(seed, None if starts is None else starts[number])
            for number, seed in enumerate(seeds)
        ]
        self._feeds = [feed for _, feed in begins]
        self._cells = np.tile(machine.fresh_cells(), (len(seeds), 1))
        self._cells[:, : self._state] = [start for start, _ in begins]
        self._places, self._numbers = places, numbers
        if places is not None and numbers is not None:
            places.training.put(self._cells, numbers)
        self._order = np.tile(rows, (len(seeds), 1))
        self._stats = np.zeros((len(seeds), STATS), float)
        self._history = np.full((len(seeds), epochs, 4), np.nan)
        self._fields = np.zeros((len(seeds), len(CONTEXT)), np.int64)
        for number, seed in enumerate(seeds):
            own = {"seed": seed % SEEDS} | {
                name: array.ctypes.data
                for name, array in (
                    ("feed", self._feeds[number]),
                    ("order", self._order[number]),
                    ("stats", self._stats[number]),
                )
            }
            for name, value in own.items():
                self._fields[number, _AT[name]] = value
        feed = self._feeds[0].copy() if machine.drawn else self._feeds[0]
        self._evaluating = Executor(
            machine.cells_of_evaluation(), feed, rows, np.zeros(STATS, float), _never
        )

    # -- training

    def train(self, numbers: Sequence[int], begin: int, end: int) -> None:
        """Train some of the runs from the start of an epoch to that of another."""
        machine, schedule, beside = (
            self._machine,
            self._machine.schedule,
            (self._machine.evaluated_beside),
        )
        per_epoch, alone = machine.per_epoch, schedule.pass_size < machine.batch
        first, last = begin * per_epoch, end * per_epoch
        # A batch of all rows in one order needs to be loaded only once.
        loaded = per_epoch == 1 and not machine.shuffled and not alone
        once = min(first + 1, last) if loaded else last
        own = self._fields[:, _AT["history"]]
        for one, other, head in ((first, once, 0), (once, last, machine.fast.loads)):
            if one < other:
                lines = self._history[:, one // per_epoch :]
                own[:] = self._history.ctypes.data + np.arange(len(own)) * lines.strides[0]
                own += (one // per_epoch) * lines.strides[1]
                machine.executor.train_each(
                    machine.rows_of_training, self._cells, self._fields, np.array(numbers),
                    {
                        "head": head, "tail": machine.fast.tail, "test": len(machine.fast.table),
                        "begin": one, "end": other, "fed": machine.rows, "batch": machine.batch,
                        "alone": int(alone), "shuffled": int(machine.shuffled),
                        "test_rows": machine.test_rows if beside else 0,
                        "test_most": beside.capacity if beside else 1,
                        "state": 0,  # no checkpoints
                    },
                )  # fmt: skip

    def lines(self, number: int, begin: int, end: int) -> Lines:
        """Return the lines of the history of a run after one epoch, up to another."""
        found: Lines = self._history[number, begin:end]
        return found

    def state(self, number: int) -> Floats:
        """Return a copy of all that a run goes on from, at the start of an epoch."""
        found: Floats = self._cells[number, : self._state].copy()
        return found

    def put_state(self, number: int, state: Floats) -> None:
        """Let a run stand where it stood when its state was copied."""
        self._cells[number, : self._state] = state

    # -- what came of it

    def is_sound(self, number: int, end: int) -> bool:
        """Whether a run's costs and weights are numbers, up to an epoch."""
        if not self._trains:
            return True
        costs, tallies = self._history[number, :end, 0], self._stats[number, :2]
        if self._has_cost and not np.isfinite(costs).all():
            return False
        state = self._cells[number, : self._state]
        return bool(np.isfinite(state).all() and np.isfinite(tallies).all())

    def assess(self, number: int) -> Assessment:
        """Return what `Run.assess` returns of a run that stands there."""
        machine, of_it, tape = self._machine, self._evaluating, self._machine.evaluation
        if tape is None:
            return Assessment(None, None, None, None)
        of_it.cells[: self._state] = self._cells[number, : self._state]
        if self._places is not None and self._numbers is not None:
            self._places.evaluating.put(of_it.cells, self._numbers[number])
        if machine.drawn:
            of_it.feed[:] = self._feeds[number]
        found = [*measured(tape, of_it, 0, machine.rows), float("nan"), float("nan")]
        if machine.test_rows:
            found[2:] = measured(tape, of_it, machine.rows, machine.test_rows)
        return Assessment(*(None if one != one else one for one in found))


def _never(number: int) -> None:
    raise RuntimeError(f"row python {number} among runs that are trained abreast")
