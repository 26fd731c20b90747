"""A run: a graph in time. Step by step, or at full speed, with the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nodeflow.data import Fold
from nodeflow.engine.epochlog import NAMES, Lines
from nodeflow.engine.forking import (
    SAME,
    Renaming,
    copy_state,
    is_same_training,
    moved_state,
    parameters,
    restarted,
    what_differs,
)
from nodeflow.engine.machine import Machine
from nodeflow.engine.minimizer import Minimizer
from nodeflow.engine.parts import PartedMachine, Pool
from nodeflow.engine.plan import Plan
from nodeflow.engine.reading import Cursor, Reader
from nodeflow.engine.rewinding import Rewinder
from nodeflow.engine.schedule import Moment, Position, Schedule, require_level
from nodeflow.engine.step import Step
from nodeflow.engine.stepping import Stepper
from nodeflow.engine.training import Progress, Trainer
from nodeflow.errors import Diverged, RunError, nearest
from nodeflow.graph import Graph


@dataclass(frozen=True, slots=True)
class Assessment:
    """How good a network is as it stands; None where there is nothing to tell."""

    cost: float | None
    train_accuracy: float | None
    test_cost: float | None
    test_accuracy: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Return it as a dictionary."""
        return {name: getattr(self, name) for name in self.__slots__}


class Run:
    """A graph being evaluated and trained.

    A moment is a `Position`: everything before it has been evaluated. Epochs, updates and samples
    count from 0: at `epoch` 3 three epochs lie behind. When and on which rows a node is evaluated
    is the `schedule`'s to say. With a run to `share_with` it shares the rows of the data, where
    they are the same. With a `fold` those rows are set apart for testing. With `parts` each batch
    is cut into so many, whose gradients are added up in a fixed order; a `pool` computes them
    elsewhere. Such a run trains, and cannot be stepped. Its values may take `room` bytes of memory:
    more is refused with `TooLarge` before any is asked for.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        seed: int | None = None,
        batch: int | str | None = None,
        dtype: DTypeLike = np.float64,
        strict: bool = True,
        share_with: Run | None = None,
        fold: Fold | None = None,
        parts: int | None = None,
        pool: Pool | None = None,
        room: float | None = None,
    ) -> None:
        self._options: dict[str, Any] = {
            "seed": seed,
            "batch": batch,
            "dtype": dtype,
            "strict": strict,
            "fold": fold,
            "parts": parts,
            "pool": pool,
            "room": room,
        }
        training = graph.training
        seed = training.seed if seed is None else seed
        batch = training.batch if batch is None else batch
        type(training)(batch=batch, epochs=training.epochs, seed=seed)  # checks both
        self.graph = graph
        how: dict[str, Any] = {
            "seed": seed, "batch": batch, "dtype": dtype, "strict": strict,
            "share_with": None if share_with is None else share_with.machine,
            "fold": fold, "room": room,
        }  # fmt: skip
        self.machine: Machine = (
            Machine(graph, **how)
            if parts is None
            else PartedMachine(graph, parts=parts, pool=pool, **how)
        )
        self.schedule: Schedule = self.machine.schedule
        self.parent: Run | None = None
        self._at = Cursor(np.zeros_like(self.machine.stats))
        minimizer = _minimizer(self.machine)
        self._reader = Reader(graph, self.machine, self._at)
        self._stepper = Stepper(self.machine, self._at, searches=minimizer is not None)
        self._rewinder = Rewinder(self._stepper, minimizer)
        self._trainer = Trainer(self._rewinder)

    def __repr__(self) -> str:
        return f"<Run of {self.graph!r}: epoch {self.epoch}, sample {self.sample}>"

    # -- where it is

    @property
    def plan(self) -> Plan:
        """The plan: the order of the nodes and their phases."""
        return self.machine.plan

    @property
    def order(self) -> tuple[str, ...]:
        """Every node of a full update, in the order of evaluation."""
        return self.schedule.order

    @property
    def epoch(self) -> int:
        """How many epochs lie behind."""
        return self.schedule.epoch(self._at.update)

    @property
    def update(self) -> int:
        """How many updates lie behind, over the whole run."""
        return self._at.update

    @property
    def sample(self) -> int:
        """The first row of the present pass within the epoch."""
        return self._stepper.row

    @property
    def position(self) -> Position:
        """The moment as numbers: positions are in the order of time."""
        return Position(self._at.update, self.sample, self._at.place)

    @property
    def node(self) -> str:
        """The node that the next step evaluates."""
        self.require_nodes()
        return self.order[self._at.place]

    def require_nodes(self) -> None:
        """Raise `RunError` where no node can run."""
        self._stepper.require_nodes()

    @property
    def updates_per_epoch(self) -> int:
        """How many updates an epoch has."""
        return self.schedule.updates_per_epoch

    @property
    def batch(self) -> int:
        """Samples an update, never more than there are rows."""
        return self.schedule.batch

    @property
    def trains(self) -> bool:
        """Whether parameters are updated; if not, the graph is only evaluated."""
        return self._stepper.trains

    @property
    def minimizer(self) -> Minimizer | None:
        """What searches for better weights, where a `minimize` does."""
        return self._rewinder.minimizer

    @property
    def born(self) -> int:
        """The update at which it begins: 0, or where it was forked from its `parent`."""
        return self._rewinder.born

    # -- in a notebook

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # What draws lies above the run, and is looked for only when a notebook asks.
        bundle: dict[str, str] = import_module("nodeflow.export.notebook").of_run(self)
        return bundle

    def _repr_html_(self) -> str:
        html: str = import_module("nodeflow.export.notebook").html_of_run(self)
        return html

    # -- what it holds

    @property
    def reader(self) -> Reader:
        """What reads its values; `reader.still()` keeps those of this moment."""
        return self._reader

    def __getitem__(self, address: str) -> NDArray[Any]:
        """Return the value at an output port, such as `run["hidden.z"]` (a read-only copy).

        Its shape is (samples of the pass, features), or that of a parameter; the type is the
        run's. Raises `RunError` where there is no value yet, `UnknownPort` for no port.
        """
        return self._reader.value(address)

    def __contains__(self, address: object) -> bool:
        """Return whether there is a value at an output port by now."""
        return isinstance(address, str) and self.has_value(address)

    def __iter__(self) -> Iterator[str]:
        """Yield the addresses of all values that there are by now, sorted."""
        return iter(self._reader.addresses)

    def gradient(self, address: str) -> NDArray[Any]:
        """Return the gradient at an output port.

        Of a value with one row per sample it is δ or blame: ∂C/∂ of that sample's own cost C, not
        divided by n. Of what has no sample axis (a parameter, or what is computed from
        parameters alone) it is ∂J/∂, in the shape of the value.
        """
        return self._reader.gradient(address)

    @property
    def gradients(self) -> dict[str, NDArray[Any]]:
        """Every gradient that has been computed, by forward address."""
        return self._reader.gradients

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """Every value that there is by now, by address."""
        return self._reader.values

    def has_value(self, address: str) -> bool:
        """Return whether there is a value at an output port by now."""
        return self._reader.has_value(address)

    @property
    def cost(self) -> float | None:
        """J of the batch in view: the mean of its samples' costs; None without a cost.

        Where an update has several passes, of those that were evaluated.
        """
        return self._reader.cost

    @property
    def weights(self) -> dict[str, NDArray[Any]]:
        """Every parameter's value as it stands, by address (read-only copies)."""
        return self._reader.weights

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Put values into parameters; what was known of the run after this moment is forgotten.

        An update that has begun is begun again.
        """
        found = {key: self._checked_weights(key, value) for key, value in weights.items()}
        self._restart_update()
        for address, array in found.items():
            self.machine.write(address, array)
        self._rewinder.branch()

    @property
    def weights_set(self) -> dict[int, dict[str, NDArray[Any]]]:
        """By update, in order: every parameter's value, by address, where weights were set."""
        checkpoints, slots = self._rewinder.checkpoints, self.machine.tape.slots
        found: dict[int, dict[str, NDArray[Any]]] = {}
        for update in sorted(checkpoints.user_set):
            _, state, _ = checkpoints.at(update)
            found[update] = {
                address: state[slots[address].offset :][: value.size].reshape(value.shape).copy()
                for address, value in self.weights.items()
            }
        return found

    def _checked_weights(self, address: str, value: Any) -> NDArray[Any]:
        plan, key = self.plan, address.rpartition(".")[0]
        if address not in self.machine.tape.slots or not plan.graph.nodes[key].is_parameter:
            names = ", ".join(self.weights) or "none"
            raise RunError(f"there is no parameter '{address}'; there is {names}", node=key)
        array, shape = np.asarray(value), plan.inference.shapes[address]
        single = array.size == 1 and set(shape.dims) == {1}
        if array.shape != shape.dims and not single:
            given = "×".join(map(str, array.shape)) or "a number"
            raise RunError(f"'{address}' is {shape}; {given} cannot enter", node=key)
        if not np.isfinite(array).all():
            raise RunError(f"'{address}' cannot hold NaN or Infinity", node=key)
        return array

    def _restart_update(self) -> None:
        if self._at.within:
            self._rewinder.return_to(self._at.update)

    # -- its history

    @property
    def history(self) -> list[dict[str, Any]]:
        """One line per epoch: epoch, cost, train_accuracy, test_cost, test_accuracy.

        Cost and accuracy of the training rows are those met during the epoch, before each
        update; the test rows are evaluated after it. None where there is nothing to tell. Every
        epoch has a line up to a million of them; of a longer run older lines are thinned out, see
        `epochs_left_out`.
        """
        return self._rewinder.log.history

    @property
    def epochs_known(self) -> int:
        """The last epoch that has a line in the history; going back does not drop it."""
        return self._rewinder.log.last

    @property
    def epochs_left_out(self) -> int:
        """How many epochs have no line in the history any more: 0 up to a million epochs.

        Beyond, each of the newest half a million epochs has its line, and of those before every
        second, fourth, eighth, … as the run grows: at most a million lines, 40 bytes each.
        """
        return self._rewinder.log.left_out

    @property
    def history_bytes(self) -> int:
        """Memory of the history: 40 bytes a line."""
        return self._rewinder.log.bytes

    @property
    def curve(self) -> Lines:
        """The history as it is now, without a copy: the same object until it has other lines."""
        return self._rewinder.log.view

    def line(self, epoch: int) -> dict[str, Any] | None:
        """Return an epoch's line of the history; None if it has none."""
        return self._rewinder.log.line(epoch)

    def lines(self, after: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the epochs after one that have a line, and their numbers, one row per epoch.

        A row has cost, train_accuracy, test_cost and test_accuracy; NaN where there is none.
        """
        return self._rewinder.log.lines(after)

    def assess(self) -> Assessment:
        """Return J and accuracy over all training and all test rows, with the weights of now.

        Constants are their own and only batch: the cost is then that of a forward pass over them.
        The moment stays as it is.
        """
        machine = self.machine
        if not machine.splits and self.plan.unfolding.cost:
            other = Run(self.graph, **self._options, share_with=self)
            other.set_weights(self.weights)
            return Assessment(other.evaluate(), None, None, None)
        nothing = float("nan"), float("nan")
        found = (
            *machine.assess(test=False),
            *(machine.assess(test=True) if machine.test_rows else nothing),
        )
        return Assessment(*(None if number != number else number for number in found))

    # -- stepping

    def evaluate(self) -> float | None:
        """Run forward and backward over the present update's batch; update nothing.

        The moment stays the start of the update; one that has begun is ended first. Returns J, or
        None without a cost. NaN and Infinity are values like others.
        """
        self._rewinder.finish_update()
        self._stepper.evaluate()
        return self.cost

    def step(self, *, refuse: bool = True) -> Step:
        """Evaluate one node and return what it did.

        Where parameters are updated, a node that gives NaN or Infinity raises `Diverged`, if the
        update as a whole would put them into parameters, cost or hits; the run stays where it is.
        Where nothing is updated, or with `refuse` off, they are values like others: `Step.fault`
        says where they first appeared, and the run goes on.
        """
        at = self._at
        pass_, place = at.pass_, at.place
        try:
            made = self._stepper.step(refuse=refuse)
        except Diverged:  # what the node gave lies in the cells: nothing of it may be read as old
            self._rewinder.return_to(at.update)
            if (pass_, place) > (0, 0):
                self._stepper.run_to(pass_, place)
            raise
        if self._stepper.is_over:
            self._rewinder.end_update()
        return made

    def advance(self, level: str = "step") -> Step:
        """Go on to the end of the present step, phase, sample, update or epoch.

        Returns the last step. A sample ends with its pass: where samples are passed one after the
        other, with its backward phase; otherwise a sample and an update are the same.
        """
        require_level(level)
        self.require_nodes()
        schedule = self.schedule
        end = schedule.after(level, schedule.number(self.position))
        last = schedule.position(end - 1)
        self.seek(last)
        return self.step()

    def skip_to_next_update(self) -> None:
        """Go to the start of the next update without making steps of what lies between."""
        self.require_nodes()
        begin = self._at.update
        if self._at.within:
            self._rewinder.finish_update()
            return
        self._stepper.execute_update(begin)
        if self._stepper.is_sound:
            self._rewinder.end_update()
            return
        self._rewinder.return_to(begin)
        while self._at.update == begin:
            self.step()

    # -- full speed

    def train(
        self,
        epochs: int | None = None,
        *,
        updates: int | None = None,
        progress: Progress | None = None,
    ) -> Lines:
        """Train on at full speed; the numbers are those of stepping. Returns the history so far.

        Its lines are those of `history`, each put together when it is read: who trains on and on
        by an epoch does not wait for all the lines each time.

        Ctrl-C ends it at the end of an update; the run can go on from there. Raises `Diverged`
        where NaN or Infinity would enter parameters, the weights being the last good ones; a graph
        without updates is evaluated on, whatever its values are.
        """
        epochs = self.graph.training.epochs if epochs is None else epochs
        _check_whole(epochs=epochs, updates=updates)
        self._rewinder.finish_update()
        if updates is None:
            target = self.schedule.start_of_epoch(self.epoch + int(epochs)).update
        else:
            target = self._at.update + int(updates)
        if self.order:
            self._trainer.train_to(target, progress)
        return self._rewinder.log.view

    # -- going anywhere

    def goto(
        self,
        epoch: int | None = None,
        sample: int | None = None,
        node: str | None = None,
        *,
        update: int | None = None,
    ) -> None:
        """Go to any moment, forward or back; the values are those of the live run, to the bit.

        A run that was forked goes back to its fork; what lies before is its `parent`'s.

        `epoch` and `sample` (a row's place within the epoch) count from 0. With `node`, the
        moment right after that node was evaluated; without, the start of the sample's pass.
        `update` counts over the whole run and may stand in place of the others. It takes the
        replay of what lies between the moment and the last checkpoint before it.
        """
        self.require_nodes()
        if update is not None and (epoch is not None or sample is not None):
            raise RunError("give either update, or epoch and sample")
        _check_whole(epoch=epoch, sample=sample, update=update)
        if node is not None and node not in self.order:
            raise RunError(f"there is no node '{node}' in this run{nearest(node, self.order)}")
        if update is None:
            at = self.epoch if epoch is None else int(epoch)
            position = self.schedule.find(Moment(at, int(sample or 0), node))
        else:
            place = 0 if node is None else self.schedule.place(node) + 1
            position = self.schedule.settled(int(update), 0, place)
        self.seek(position)

    def seek(self, position: Position | tuple[int, int, int]) -> None:
        """Go to a `position`, which orders the moments of a run."""
        target, _, place = position
        if target < self.born:
            raise RunError(
                f"this run begins at update {self.born}; update {target} is in the run "
                "that it was forked from"
            )
        pass_, at = self.schedule.pass_of(position), self._at
        if target != at.update or (pass_, place) < (at.pass_, at.place):
            self._rewinder.approach(target)
        if target > at.update:
            self._trainer.train_to(target)
        self._step_to(target, pass_, place)

    def _step_to(self, target: int, pass_: int, place: int) -> None:
        """Go on within an update: all but the last node at once, the last one as a step."""
        at = self._at
        before = (pass_, place - 1) if place else (pass_ - 1, self.schedule.head - 1)
        if before > (at.pass_, at.place) and not self._stepper.run_to(*before):
            self._rewinder.return_to(target)  # node by node, so that the one at fault is found
        while at.update == target and (at.pass_, at.place) < (pass_, place):
            self.step()

    # -- forking

    def fork(self, graph: Graph | None = None) -> Run:
        """Return a run that goes on from the start of this one's present update, on its own.

        `graph` may have other settings and other starts of its parameters, which are then put
        into them. Raises `RunError` where its structure, data, seed or batch differs. This
        run stays as it is, but that an update that has begun is begun again.
        """
        other = self.graph if graph is None else graph
        found = Run(other, **self._options, share_with=self)
        why = what_differs(self.machine, found.machine)
        if why:
            raise RunError(f"the run cannot go on with this graph: {why}; start it again")
        self._restart_update()
        changed = restarted(self.machine, found.machine)
        found._go_on_from(self)
        found.set_weights(changed)
        return found

    def carried(self, graph: Graph, parent: Run | None = None, rename: Renaming = SAME) -> Run:
        """Return this run, with all that lies behind it, as one of another graph.

        The graph may differ in what no update and no cost depends on, and in the id of one node
        (`rename`). Of a forked run, `parent`
        is its parent as a run of the other graph. Raises `RunError` where the training part is
        another.
        """
        found = Run(graph, **self._options, share_with=self)
        mine, others = self.machine, found.machine
        if not is_same_training(mine, others, rename):
            why = what_differs(mine, others, rename) or "its settings differ"
            raise RunError(f"the training belongs to another graph: {why}")
        before, after = self._rewinder, found._rewinder
        after.checkpoints = before.checkpoints.moved(
            lambda state: moved_state(state, mine, others, rename)
        )
        after.log, after.born = before.log.until(before.log.last), before.born
        if before.minimizer is not None and after.minimizer is not None:
            after.minimizer.take_over(before.minimizer)
        if parent is not None:
            found._come_from(parent)
        after.return_to(max(self.update, after.born))
        return found

    def memory(self) -> dict[str, NDArray[Any]]:
        """Return all that training goes on from: parameters, velocities and times, by address."""
        return {
            f"{key}.value": self.machine.read(f"{key}.value", 1) for key in parameters(self.machine)
        }

    @property
    def is_straight(self) -> bool:
        """Whether it came from the graph's start by training alone, so that it can be replayed."""
        return not (self.born or self._rewinder.checkpoints.user_set)

    @property
    def tallies(self) -> list[float]:
        """What was tallied in the present epoch so far, at the start of the present update."""
        stats = self._stepper.begun_with if self._at.within else self.machine.stats
        found: list[float] = stats.tolist()
        return found

    def end_here(self) -> None:
        """Forget what is known of the run after this moment, at which it ends: its history, too.

        Training goes on from here as if it had never gone further.
        """
        self._rewinder.end_here()

    def reached(self) -> dict[str, Any]:
        """Return how far the run has come, as a run file says it beside `memory` and history."""
        return {
            "graph": self.graph.name,
            "epochs": self.epoch,
            "updates": self.update,
            "seed": self.machine.seed,
            "batch": self.batch,
            "dtype": str(self.machine.dtype),
            "straight": self.is_straight,
            "tallies": self.tallies,
        }

    def resume(
        self,
        update: int,
        memory: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]] = (),
        tallies: Sequence[float] = (),
        *,
        straight: bool,
    ) -> None:
        """Stand at the start of an update that another run of this graph had reached.

        `memory` has its parameters by address, `history` its lines. What lies before can be gone
        to if that run came there `straight` from the graph's start. Raises `RunError` for values
        that do not fit.
        """
        found = {key: self._checked_weights(key, value) for key, value in memory.items()}
        state = self.machine.start.copy()
        for address, array in found.items():
            slot = self.machine.tape.slots[address]
            state[slot.offset : slot.offset + slot.size] = array.ravel()
        stats = np.zeros_like(self.machine.stats)
        if len(tallies) == len(stats):
            stats[:] = tallies
        self._rewinder.resume(update, state, stats, straight=straight)
        for line in history:
            numbers = [[np.nan if line.get(name) is None else line[name] for name in NAMES]]
            self._rewinder.log.extend(int(line["epoch"]), np.array(numbers, np.float64))

    def _go_on_from(self, parent: Run) -> None:
        """Begin where another run stands, at the start of an update."""
        self._rewinder.born = parent.update
        self._rewinder.log = parent._rewinder.log.until(parent.epoch)
        self._copy_position_from(parent)
        self._come_from(parent)

    def _come_from(self, parent: Run) -> None:
        """Have a run from which this one was forked, for what lies before."""
        self.parent, born = parent, self._rewinder.born

        def return_to_parent() -> None:
            parent.goto(update=born)
            self._copy_position_from(parent)

        self._rewinder.from_parent = return_to_parent

    def _copy_position_from(self, other: Run) -> None:
        """Stand where a run with the same structure stands, with its values."""
        is_whole = copy_state(other.machine, self.machine)
        self._stepper.forget_beginning()
        self._at.become(other._at)
        self._at.evaluated = -1
        if not is_whole:
            self._at.evaluated_once = False
            self._at.seen.clear()

    @property
    def checkpoint_bytes(self) -> int:
        """Memory of all checkpoints."""
        return self._rewinder.checkpoints.bytes


def _minimizer(machine: Machine) -> Minimizer | None:
    """Return the last active `minimize` of a graph."""
    graph = machine.graph
    active = [key for key in graph.searches if graph.nodes[key].mode == "active"]
    return Minimizer(machine, graph.settings(active[-1])["method"]) if active else None


def _check_whole(**given: Any) -> None:
    for name, value in given.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and (not whole or value < 0):
            raise RunError(f"{name} must be a whole number from 0, not {value!r}")


__all__ = ["Position", "Run"]
