"""A run: a graph in time. Step by step, or at full speed, with the same numbers."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.phases import PHASES
from nodeflow.engine.checkpoints import Checkpoints
from nodeflow.engine.forking import hand_over, restarted, what_differs
from nodeflow.engine.interrupt import deferred_interrupt
from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.minimizer import Minimizer
from nodeflow.engine.step import Step
from nodeflow.errors import Diverged, RunError, UnknownPort, nearest
from nodeflow.graph import Graph

LEVELS = ("step", "phase", "sample", "update", "epoch")
_CHUNK_SECONDS = 0.05
Position = tuple[int, int, int]
"""An update, a row within its epoch, and a place in the order of evaluation."""
Progress = Callable[[int, int], None]
"""Called with the updates done and those to do."""


@dataclass(frozen=True)
class _Begun:
    """All that a run holds at the start of the update that it is in, to go back to."""

    update: int
    shown: int
    cells: Floats
    stats: Floats
    met: Floats
    seen: set[str]
    evaluated_once: bool


class Run:
    """A graph being evaluated and trained.

    A moment is (update, sample of the update, place in the order); everything before it has been
    evaluated. Epochs, updates and samples count from 0: at `epoch` 3 three epochs lie behind.
    With a run that it is `like`, it shares the rows of the data, where they are the same.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        seed: int | None = None,
        batch: int | str | None = None,
        dtype: Any = np.float64,
        strict: bool = True,
        like: Run | None = None,
    ) -> None:
        self._options: dict[str, Any] = {
            "seed": seed,
            "batch": batch,
            "dtype": dtype,
            "strict": strict,
        }
        training = graph.training
        seed = training.seed if seed is None else seed
        batch = training.batch if batch is None else batch
        type(training)(batch=batch, epochs=training.epochs, seed=seed)  # checks both
        self.graph = graph
        beside = None if like is None else like.machine
        self.machine: Machine = Machine(
            graph, seed=seed, batch=batch, dtype=dtype, strict=strict, like=beside
        )
        self.parent: Run | None = None
        self.born = 0
        self._update = 0
        self._sample = 0
        self._index = 0
        self._evaluated = -1  # the update at whose start `evaluate` was called last
        self._shown = 0  # the update whose values stand at nodes that this one has not reached
        self._places = {key: place for place, key in enumerate(self.order)}
        self._lines = array("d")  # four numbers an epoch; a million tuples would be slow
        self._checkpoints = Checkpoints(self.machine.start, self.machine.stats)
        self._seen: set[str] = set()
        self.evaluated_once = False
        """Whether a whole update was evaluated, so that every node has a value."""
        # Of the update in view, where it is a loop: the tallies at its start, and what was added.
        self._begun: _Begun | None = None
        self._tallies = self._met = np.zeros(len(self.machine.stats))
        self._has_cost = self.plan.unfolding.cost in self.machine.tape.slots
        # Without a cost or an update nothing tells whether an infinite number matters: it does.
        whole = self.plan.graph
        self._judged = self._has_cost or any(
            whole.nodes[key].type == "weight_update" for key in self.order
        )
        self._optimum: Minimizer | None = None
        for key in graph.of_type("minimize"):
            if graph.nodes[key].mode == "active":
                self._optimum = Minimizer(self.machine, graph.settings(key)["method"])

    # -- where it is

    @property
    def plan(self) -> Any:
        """The plan: the order of the nodes and their phases."""
        return self.machine.plan

    @property
    def order(self) -> tuple[str, ...]:
        """Every node of a full update, in the order of evaluation."""
        return self.machine.plan.order

    @property
    def epoch(self) -> int:
        """How many epochs lie behind."""
        return self._update // self.machine.per_epoch

    @property
    def update(self) -> int:
        """How many updates lie behind, over the whole run."""
        return self._update

    @property
    def sample(self) -> int:
        """The first row of the present pass within the epoch."""
        return self.machine.bounds(self._update)[0] + self._sample

    @property
    def position(self) -> Position:
        """The moment as numbers: positions are in the order of time."""
        return self._update, self.sample, self._index

    @property
    def node(self) -> str:
        """The node that the next step evaluates."""
        self.require_nodes()
        return self.order[self._index]

    def require_nodes(self) -> None:
        """Raise `RunError` where no node can run."""
        if not self.order:
            raise RunError("there is nothing to evaluate: the graph has no node that can run")

    @property
    def updates_per_epoch(self) -> int:
        """How many updates an epoch has."""
        return self.machine.per_epoch

    @property
    def batch(self) -> int:
        """Samples an update, never more than there are rows."""
        return self.machine.batch

    # -- what it holds

    def _samples(self, key: str) -> int:
        """Return how many samples a node's values stand for."""
        if self.machine.plan.loop:
            return 1
        reached = self._places[key] < self._index
        return self.machine.bounds(self._update if reached else self._shown)[1]

    def __getitem__(self, address: str) -> NDArray[Any]:
        """Return the value at an output port, such as `run["hidden.z"]` (read-only)."""
        machine = self.machine
        graph = machine.plan.graph
        key, _, port = address.rpartition(".")
        if address not in machine.tape.slots:
            if key in graph.nodes:
                graph.type_of(key).output(port, key)
                reason = machine.plan.inference.problems.get(key)
                raise RunError(
                    f"'{address}' has no value: {reason or 'its node is not evaluated'}", node=key
                )
            hint = nearest(key, graph.nodes)
            raise UnknownPort(f"there is no value '{address}'{hint}", node=key)
        if not self._has_value(key):
            raise RunError(f"'{address}' has no value yet: evaluate, step or train first", node=key)
        value = machine.read(address, self._samples(key))
        value.setflags(write=False)
        return value

    def gradient(self, address: str) -> NDArray[Any]:
        """Return the gradient at an output port.

        Of a value with a row a sample it is δ or blame: ∂C/∂ of that sample's own cost C, not
        divided by n. Of what has no sample axis (a parameter, or what is computed from
        parameters alone) it is ∂J/∂, in the shape of the value.
        """
        found = self.machine.plan.unfolding.gradients
        numbers = self.machine.plan.unfolding.numbers
        if address in numbers:  # such as 1 at the cost: no node computes it
            alike = np.full_like(self[address], numbers[address])
            alike.setflags(write=False)
            return alike
        if address not in found:
            key, _, port = address.rpartition(".")
            graph = self.machine.plan.graph
            if key in graph.nodes:
                graph.type_of(key).output(port, key)
                reason = _why_no_blame(self.graph, key, self.plan.unfolding.cost)
                raise RunError(
                    f"no blame reaches '{address}': {reason}",
                    node=key,
                )
            raise UnknownPort(f"there is no value '{address}'{nearest(address, found)}", node=key)
        return self[found[address]]

    @property
    def gradients(self) -> dict[str, NDArray[Any]]:
        """Every gradient that has been computed, by forward address."""
        return {
            address: self.gradient(address)
            for address, source in self.machine.plan.unfolding.gradients.items()
            if source in self.machine.tape.slots and self._has_value(source.rpartition(".")[0])
        }

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """Every value that there is by now, by address."""
        return {
            address: self[address]
            for address in sorted(self.machine.tape.slots)
            if self._has_value(address.rpartition(".")[0])
        }

    def has_value(self, address: str) -> bool:
        """Return whether there is a value at an output port by now."""
        return self._has_value(address.rpartition(".")[0])

    def remember_seen(self) -> None:
        """Keep for itself what was evaluated; for a copy that another run goes on without."""
        self._seen = set(self._seen)

    def _has_value(self, key: str) -> bool:
        if self.evaluated_once or key in self._seen:
            return True
        node = self.machine.plan.graph.nodes[key]
        return node.type in ("parameter", "slider") or (
            node.type == "constant" and not self.plan.inference.shapes[f"{key}.value"].batch
        )

    @property
    def weights(self) -> dict[str, NDArray[Any]]:
        """Every parameter's value as it stands, by address (read-only copies)."""
        own = self.graph.nodes
        found = {}
        for key in sorted(self.order):
            if key in own and own[key].type == "parameter":
                value = self.machine.read(f"{key}.value", 1)
                value.setflags(write=False)
                found[f"{key}.value"] = value
        return found

    def set_weights(self, weights: Mapping[str, Any]) -> None:
        """Put values into parameters; what was known of the run after this moment is dropped.

        An update that has begun is begun again.
        """
        machine = self.machine
        found = {}
        for address, value in weights.items():
            key = address.rpartition(".")[0]
            nodes = machine.plan.graph.nodes
            if address not in machine.tape.slots or nodes[key].type != "parameter":
                names = ", ".join(self.weights) or "none"
                raise RunError(f"there is no parameter '{address}'; there is {names}", node=key)
            array, shape = np.asarray(value), machine.plan.inference.shapes[address]
            single = array.size == 1 and set(shape.dims) == {1}
            if array.shape != shape.dims and not single:
                given = "×".join(map(str, array.shape)) or "a number"
                raise RunError(f"'{address}' is {shape}; {given} cannot enter", node=key)
            if not np.isfinite(array).all():
                raise RunError(f"'{address}' cannot hold NaN or Infinity", node=key)
            found[address] = array
        if self._index or self._sample:
            self._return_to(self._update)
        for address, array in found.items():
            machine.write(address, array)
        self._forget_future()

    def _forget_future(self) -> None:
        machine = self.machine
        self._begun = None
        self._checkpoints.drop_from(self._update)
        self._checkpoints.add(
            self._update, machine.cells[: machine.tape.state], machine.stats, given=True
        )
        del self._lines[4 * self.epoch :]
        if self._optimum is not None:
            self._optimum.restart(self._update)

    @property
    def history(self) -> list[dict[str, Any]]:
        """A line an epoch: epoch, cost, train_accuracy, test_cost, test_accuracy.

        Cost and accuracy of the training rows are those met during the epoch, before each
        update; the test rows are evaluated after it. None where there is nothing to tell.
        """
        # Written out: half a thousand epochs take a few milliseconds to train.
        return [
            {
                "epoch": epoch,
                "cost": cost if cost == cost else None,
                "train_accuracy": hits if hits == hits else None,
                "test_cost": test if test == test else None,
                "test_accuracy": test_hits if test_hits == test_hits else None,
            }
            for epoch, (cost, hits, test, test_hits) in enumerate(
                zip(*[iter(self._lines)] * 4, strict=True), 1
            )
        ]

    @property
    def epochs_known(self) -> int:
        """How many epochs have a line in the history; going back does not drop them."""
        return len(self._lines) // 4

    def lines(self, begin: int = 0) -> NDArray[Any]:
        """Return the numbers of the history from epoch `begin` on, a row an epoch.

        A row has cost, train_accuracy, test_cost and test_accuracy; NaN where there is none.
        """
        return np.array(self._lines[4 * begin :]).reshape(-1, 4)

    @property
    def cost(self) -> float | None:
        """J of the present batch: the mean of its samples' costs.

        In a loop over samples, of those that have been evaluated.
        """
        address = self.machine.plan.unfolding.cost
        if address is None or address not in self.machine.tape.slots:
            return None
        value = self[address]
        cost, _, costs, _ = self._met[:4]
        return float(cost / costs) if costs else float(np.mean(value))

    def _meet(self, tallies: Floats) -> None:
        """Note what a loop added to the tallies: its cells hold the last sample's cost only."""
        if self.plan.loop:
            self._met = self.machine.stats - tallies

    def _update_in_view(self, update: int) -> None:
        """Execute a whole update whose values are then those of the run."""
        tallies = self.machine.stats.copy()
        if update % self.machine.per_epoch == 0:
            tallies[:4] = 0  # as the machine does
        self.machine.update(update)
        self._meet(tallies)

    # -- stepping

    def evaluate(self) -> float | None:
        """Run forward and backward over the present update's batch; update nothing.

        The moment stays the start of the update. Returns J, or None without a cost.
        """
        self._finish_update()
        machine = self.machine
        machine.place(self.epoch)
        stats = machine.stats.copy()
        first, n = machine.bounds(self._update)
        spans, head = machine.tape.spans, machine.tape.head
        wanted = self.order[: self.plan.without_updates]
        end = max((spans[key][1] for key in wanted), default=0)
        if machine.plan.loop:
            machine.stats[:4] = 0
            for sample in range(n):
                machine.execute(0, head, first=first + sample, samples=1, update=n, sample=sample)
            self._meet(np.zeros_like(stats))
            machine.execute(head, max(head, end), first=first, samples=1, update=n)
        else:
            machine.execute(0, end, first=first, samples=n, update=n)
        machine.stats[:] = stats
        self._shown = self._evaluated = self._update
        self._seen.update(key for key in self.order if spans[key][1] <= end)
        return self.cost

    def step(self) -> Step:
        """Evaluate one node and return what it did."""
        self.require_nodes()
        machine, key = self.machine, self.order[self._index]
        first, n = machine.bounds(self._update)
        loop = machine.plan.loop
        if self._index == 0 and self._sample == 0:
            self._begin_update()
        before = (self.epoch, self._update, first + self._sample)
        inputs = self._inputs(key)
        begin, end = machine.tape.spans[key]
        in_tail = loop and self._index >= machine.plan.head
        samples = 1 if loop else n
        if not loop and self._index == machine.plan.head - 1:
            end = len(machine.tape.ops)
        elif loop and self._index == machine.plan.head - 1:
            end = machine.tape.head
        elif in_tail and self._index == len(self.order) - 1:
            end = len(machine.tape.ops)
        own_end = machine.tape.spans[key][1]
        sample = self._sample

        def execute(start: int, stop: int) -> None:
            machine.execute(
                start, stop, first=first + sample, samples=samples, update=n, sample=sample
            )

        execute(begin, own_end)
        outputs = {
            port.name: machine.read(f"{key}.{port.name}", samples)
            for port in machine.plan.graph.type_of(key).outputs
        }
        type_ = machine.plan.graph.type_of(key)
        made = Step(
            epoch=before[0],
            update=before[1],
            sample=before[2],
            phase=PHASES[machine.plan.phases[key]],
            node=key,
            type=type_.name,
            inputs=inputs,
            outputs=outputs,
            symbols=machine.plan.formula(key),
            activation=machine.plan.activation(key),
            settings=machine.plan.graph.settings(key),
            samples=n,
        )
        self._refuse_infinite(made)
        if end > own_end:
            execute(own_end, end)
        if loop and self._index == machine.plan.head - 1:
            self._meet(self._tallies)
        self._seen.add(key)
        self._move_on()
        return made

    def _begin_update(self) -> None:
        machine = self.machine
        if self._evaluated == self._update:
            self._begun = None  # an update that is only trained over is begun without that
        elif self._begun is None or self._begun.update != self._update:
            self._begun = _Begun(
                self._update, self._shown, machine.cells.copy(), machine.stats.copy(),
                self._met.copy(), set(self._seen), evaluated_once=self.evaluated_once,
            )  # fmt: skip
        machine.place(self.epoch)
        if self._update % machine.per_epoch == 0:
            machine.stats[:4] = 0
        self._tallies = machine.stats.copy()

    def _inputs(self, key: str) -> dict[str, NDArray[Any]]:
        machine = self.machine
        graph = machine.plan.graph
        samples = self._samples_now()
        found: dict[str, NDArray[Any]] = {}
        for wire in graph.into(key):
            if graph.feeds_back(wire) or wire.start not in machine.tape.slots:
                continue
            name = wire.input if wire.index is None else f"{wire.input}[{wire.index}]"
            found[name] = machine.read(wire.start, samples)
        for name, (start, index) in machine.plan.sums(key).items():
            z = machine.read(start, samples)
            found[name] = z if index is None else np.atleast_2d(z)[:, index]
        return found

    def _samples_now(self) -> int:
        return 1 if self.machine.plan.loop else self.machine.bounds(self._update)[1]

    def _refuse_infinite(self, step: Step) -> None:
        bad = [name for name, value in step.outputs.items() if not np.isfinite(value).all()]
        if not bad or not all(np.isfinite(value).all() for value in step.inputs.values()):
            return
        if step.node not in self.machine.tape.needed or (self._judged and self._update_is_sound()):
            return
        value = step.outputs[bad[0]]
        what = "NaN" if np.isnan(value).any() else "Infinity"
        raise Diverged(
            f"{what} first appeared in '{step.node}.{bad[0]}' "
            f"(epoch {step.epoch}, sample {step.sample}, {step.phase}); "
            "lower the learning rate, scale the data, or check the node's inputs",
            node=step.node,
            epoch=step.epoch,
            update=step.update,
            sample=step.sample,
        )

    @property
    def _sound(self) -> bool:
        """Whether parameters, cost and hits are finite."""
        return self.machine.finite and bool(np.isfinite(self.machine.stats[:2]).all())

    def _update_is_sound(self) -> bool:
        """Try the present update as a whole: an infinite number on the way may come to nothing."""
        machine = self.machine
        cells, stats = machine.cells.copy(), machine.stats.copy()
        machine.update(self._update)
        sound = self._sound
        machine.cells[:], machine.stats[:] = cells, stats
        return sound

    def _out_of_range(self, update: int) -> Diverged:
        return Diverged(
            f"the numbers left the range of {self.machine.dtype} in update {update}; "
            "lower the learning rate, or scale the data",
            node=self.order[-1],
            epoch=update // self.machine.per_epoch,
            update=update,
            sample=self.machine.bounds(update)[0],
        )

    def _move_on(self) -> None:
        """Go to the moment after the step that was just executed."""
        machine = self.machine
        self._index += 1
        more = self._sample + 1 < machine.bounds(self._update)[1]
        if machine.plan.loop and self._index == machine.plan.head and more:
            self._sample += 1
            self._index = 0
            return
        if self._index == len(self.order):
            self._end_update()

    def _end_update(self) -> None:
        if self._optimum is not None:
            self._optimum.commit(self._update)
        if not self._sound:
            self._return_to(self._update)
            raise self._out_of_range(self._update)
        self._shown = self._update
        self._index = self._sample = 0
        self._update += 1
        self.evaluated_once = True
        self._take_given()
        if self._update % self.machine.per_epoch == 0:
            self._note(self.epoch, self.machine.summary())
            self._keep(self._update)

    def _note(self, epoch: int, line: Any) -> None:
        self._lines[4 * (epoch - 1) : 4 * epoch] = array("d", line)

    def advance(self, level: str = "step") -> Step:
        """Go on to the end of the present step, phase, sample, update or epoch.

        Returns the last step. A sample ends with its backward phase where an update is a loop
        over samples; otherwise a pass and an update are the same.
        """
        if level not in LEVELS:
            raise RunError(f"there is no level '{level}'{nearest(level, LEVELS)}")
        if level == "epoch":
            target = (self.epoch + 1) * self.machine.per_epoch
            if target - 1 > self._update:
                self._finish_update()
                self._train_to(target - 1)
        last = self.step()
        while not self.ended(level, last):
            last = self.step()
        return last

    def ended(self, level: str, last: Step) -> bool:
        """Return whether, after the step `last`, a step, phase, sample, … is over."""
        if level == "step" or (self._index == 0 and self._sample == 0):
            return level != "epoch" or self._update % self.machine.per_epoch == 0
        if level == "phase":
            ended: bool = PHASES[self.machine.plan.phases[self.node]] != last.phase
            return ended or self._index == 0
        if level == "sample":
            return self._index == 0 or (
                self.machine.plan.loop and self._index == self.machine.plan.head
            )
        return False

    def _finish_update(self) -> None:
        while self._index or self._sample:
            self.step()

    # -- full speed

    def train(
        self,
        epochs: int | None = None,
        *,
        updates: int | None = None,
        progress: Progress | None = None,
    ) -> list[dict[str, Any]]:
        """Train on at full speed; the numbers are those of stepping. Returns the history.

        Ctrl-C ends it at the end of an update; the run can go on from there. Raises `Diverged`
        where NaN or Infinity appear, the weights being the last good ones.
        """
        epochs = self.graph.training.epochs if epochs is None else epochs
        _check_whole(epochs=epochs, updates=updates)
        self._finish_update()
        if updates is None:
            target = max((self.epoch + int(epochs)) * self.machine.per_epoch, self._update)
        else:
            target = self._update + int(updates)
        if self.order:
            self._train_to(target, progress)
        return self.history

    def _train_to(self, target: int, progress: Progress | None = None) -> None:
        begin = self._update
        if self._optimum is not None:
            self._optimum.aim(target)
        chunk = max(1, min(target - begin, 256))
        with deferred_interrupt() as interrupted:
            while self._update < target:
                end = int(
                    min(self._update + chunk, target, self._checkpoints.next_given(self._update))
                )
                started = time.perf_counter()
                self._chunk(end)
                spent = time.perf_counter() - started
                if spent < _CHUNK_SECONDS:
                    chunk *= 2 if spent > _CHUNK_SECONDS / 4 else 8
                elif chunk > 1 and spent > 2 * _CHUNK_SECONDS:
                    chunk = max(1, chunk // 2)
                if progress is not None:
                    progress(self._update - begin, target - begin)
                interrupted()

    def _chunk(self, end: int) -> None:
        """Run to update `end`: the last update on the full tape, so that all values are there."""
        machine, begin = self.machine, self._update
        if self._optimum is not None:
            for update in range(begin, end):
                machine.update(update)
                self._end_update()
            return
        per_epoch = machine.per_epoch
        ends = max(0, (end - 1) // per_epoch - begin // per_epoch)
        history = np.empty((max(ends, 1), 4))
        states = np.empty((max(ends, 1), machine.tape.state), machine.dtype)
        stats = machine.stats.copy()
        good = machine.cells[: machine.tape.state].copy()
        if end - 1 > begin:
            machine.train(begin, end - 1, history, states)
        first = begin // per_epoch + 1
        lines = array("d", history[:ends].tobytes())
        self._lines[4 * (first - 1) : 4 * (first - 1 + ends)] = lines
        # Where the plan has a cost, an epoch's must be finite (NaN stands for none).
        bad = np.isinf(history[:ends, 0]) | (np.isnan(history[:ends, 0]) & self._has_cost)
        if bad.any():
            self._find_divergence(begin, (first + int(bad.argmax())) * per_epoch, good, stats)
        self._update_in_view(end - 1)
        if not self._sound:
            self._find_divergence(begin, end, good, stats)
        self._checkpoints.add_epochs(first, per_epoch, states[:ends])
        self._update, self._shown = end, end - 1
        self._index = self._sample = 0
        self.evaluated_once = True
        if end % per_epoch == 0:
            self._note(end // per_epoch, machine.summary())
        self._take_given()
        self._keep(end)

    def _take_given(self) -> None:
        """Put weights in place that were set at this moment, when it is passed again."""
        at, state, _ = self._checkpoints.at(self._update)
        if at == self._update and at in self._checkpoints.given:
            self.machine.cells[: self.machine.tape.state] = state

    def _find_divergence(self, begin: int, end: int, state: Floats, stats: Floats) -> None:
        """Go back to the update in which NaN or Infinity appeared, and step to the node."""
        machine = self.machine
        low = begin
        while low < end:
            # Halve the span that is known to begin well and to end badly.
            middle = (low + end) // 2
            self._restore(state, stats)
            if middle > low:
                self._replay(low, middle)
                if self._sound:
                    low = middle
                    state = machine.cells[: machine.tape.state].copy()
                    stats = machine.stats.copy()
                else:
                    end = middle
                continue
            break
        self._restore(state, stats)
        self._keep(low)
        self._checkpoints.drop_from(low + 1)
        del self._lines[4 * (low // machine.per_epoch) :]
        self._return_to(low)
        try:
            while self._update == low:
                self.step()
        finally:
            self._return_to(low)
        raise self._out_of_range(low)

    def _restore(self, state: Floats, stats: Floats) -> None:
        machine = self.machine
        machine.cells[: machine.tape.state] = state
        machine.stats[:] = stats

    def _replay(self, begin: int, end: int) -> None:
        """Run updates again whose history is known."""
        machine = self.machine
        if end <= begin:
            return
        ends = max(1, end // machine.per_epoch - begin // machine.per_epoch)
        history = np.empty((ends, 4))
        states = np.empty((ends, machine.tape.state), machine.dtype)
        if self._optimum is not None:
            for update in range(begin, end):
                machine.update(update)
                self._optimum.commit(update)
            return
        machine.train(begin, end, history, states)

    def _keep(self, update: int) -> None:
        """Keep a checkpoint of this moment."""
        machine = self.machine
        self._checkpoints.add(update, machine.cells[: machine.tape.state], machine.stats)

    @property
    def checkpoint_bytes(self) -> int:
        """Memory of all checkpoints."""
        return self._checkpoints.bytes

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
        `update` counts over the whole run and may stand in place of the others.
        """
        self.require_nodes()
        target, pass_ = self._moment(epoch, sample, update)
        self._require_born(target)
        index = 0
        if node is not None:
            if node not in self.order:
                raise RunError(f"there is no node '{node}' in this run{nearest(node, self.order)}")
            index = self.order.index(node) + 1
        self._go_to_update(target)
        self._step_to(target, pass_, index)

    def _moment(self, epoch: int | None, sample: int | None, update: int | None) -> tuple[int, int]:
        machine = self.machine
        if update is not None and (epoch is not None or sample is not None):
            raise RunError("give either update, or epoch and sample")
        _check_whole(epoch=epoch, sample=sample, update=update)
        if update is not None:
            return int(update), 0
        at = self.epoch if epoch is None else int(epoch)
        row = 0 if sample is None else int(sample)
        if row >= machine.rows:
            raise RunError(f"sample {row} is beyond the epoch: it has 0 to {machine.rows - 1}")
        within, rest = divmod(row, machine.batch)
        return at * machine.per_epoch + within, rest if machine.plan.loop else 0

    def seek(self, position: Position) -> None:
        """Go to a `position`, which orders the moments of a run."""
        target, row, index = position
        self._require_born(target)
        self._go_to_update(target)
        self._step_to(target, row - self.machine.bounds(target)[0], index)

    def _require_born(self, target: int) -> None:
        if target < self.born:
            raise RunError(
                f"this run begins at update {self.born}; update {target} is in the run "
                "that it was forked from"
            )

    # -- forking

    def fork(self, graph: Graph | None = None) -> Run:
        """Return a run that goes on from the start of this one's present update, on its own.

        `graph` may have other settings and other starts of its parameters, which are then put
        into them. Raises `RunError` where its structure, data, seed or batch is another. This
        run stays as it is, but that an update that has begun is begun again.
        """
        machine = self.machine
        other = self.graph if graph is None else graph
        found = Run(other, **self._options, like=self)
        why = what_differs(machine, found.machine)
        if why:
            raise RunError(f"the run cannot go on with this graph: {why}; start it again")
        if self._index or self._sample:
            self._return_to(self._update)
        given = restarted(machine, found.machine)
        found._stand_like(self)
        found.parent, found.born = self, self._update
        found._lines = self._lines[: 4 * self.epoch]
        found.set_weights(given)
        return found

    def _stand_like(self, other: Run) -> None:
        """Take over the moment of a run with the same structure."""
        whole = hand_over(other.machine, self.machine)
        self._begun, self._evaluated = None, -1
        self._update, self._sample, self._index = other.position[0], 0, 0
        self._shown, self._met = other._shown, other._met.copy()
        self.evaluated_once = whole and other.evaluated_once
        self._seen = set(other._seen) if whole else set()

    def leap(self) -> None:
        """Go to the start of the next update without making steps of what lies between."""
        self.require_nodes()
        begin = self._update
        if self._index or self._sample:
            last = len(self.order) - 1, self.machine.bounds(begin)[1] - 1
            sound = self._hurry(last[1] if self.plan.loop else 0, last[0])
            if not sound:
                self._return_to(begin)
            self._finish_update()
            return
        self._update_in_view(begin)
        if self._sound:
            self._end_update()
            return
        self._return_to(begin)
        while self._update == begin:
            self.step()

    def _go_to_update(self, target: int) -> None:
        """Stand at the start of an update, with the values of the update before it in place."""
        if target == self._update and not (self._index or self._sample):
            return
        last = self._checkpoints.last
        kept = target <= last and self._checkpoints.at(target - 1)[0] > self._update
        if target <= self._update or kept:
            self._return_to(target)
        else:
            self._finish_update()
            if self._update < last < target:
                self._return_to(last)
        if target > self._update:
            self._train_to(target)

    def _return_to(self, target: int) -> None:
        """Stand at the start of an update that has been reached before."""
        if self.parent is not None and target == self.born:
            self.parent.goto(update=target)
            self._stand_like(self.parent)
            self._take_given()
            return
        self._evaluated = -1
        if self._begun is not None and self._begun.update == target:
            self._begin_again(self._begun)
            return
        machine, before = self.machine, max(target - 1, 0)
        at, state, stats = self._checkpoints.at(before)
        if not np.isfinite(machine.cells).all():
            machine.cells[:] = machine.fresh_cells()
        self._restore(state, stats)
        for station in (*self._checkpoints.stations(at, before), before):
            self._replay(at, station)
            at = station
            if at not in self._checkpoints.given:
                self._checkpoints.add_nearby(at, machine.cells[: machine.tape.state], machine.stats)
        self._update = before
        self._index = self._sample = 0
        if target > 0:
            self._update_in_view(before)
            self._shown, self._update, self.evaluated_once = before, target, True
            if self._optimum is not None:
                self._optimum.commit(before)
            self._take_given()
        else:
            self._shown, self.evaluated_once = 0, False
            self._met = np.zeros_like(machine.stats)
            self._seen.clear()
            machine.cells[:] = machine.fresh_cells()
            self._restore(state, stats)

    def _begin_again(self, begun: _Begun) -> None:
        machine = self.machine
        machine.cells[:], machine.stats[:] = begun.cells, begun.stats
        self._update, self._shown, self._index, self._sample = begun.update, begun.shown, 0, 0
        self._met, self._seen = begun.met.copy(), set(begun.seen)
        self.evaluated_once = begun.evaluated_once

    def _step_to(self, target: int, sample: int, index: int) -> None:
        if self.machine.plan.loop and index > self.machine.plan.head:
            sample = self.machine.bounds(target)[1] - 1
        if (0, 0) == (self._sample, self._index) < (sample, index):
            before = (sample, index - 1) if index else (sample - 1, self.machine.plan.head - 1)
            if not self._hurry(*before):
                self._return_to(target)  # node by node, so that the one that fails is found
        while self._update == target and (self._sample, self._index) < (sample, index):
            if index == len(self.order) and self._index == index - 1:
                self.step()
                return
            self.step()

    def _hurry(self, sample: int, index: int) -> bool:
        """Do the steps of this update up to a place at once; return whether all is finite."""
        machine, update = self.machine, self._update
        spans, head = machine.tape.spans, machine.tape.head
        first, n = machine.bounds(update)
        if (self._sample, self._index) == (0, 0):
            self._begin_update()
        at = spans[self.order[self._index - 1]][1] if self._index else 0
        samples = n
        if machine.plan.loop:
            samples = 1
            if self._index >= machine.plan.head:
                at = max(at, head)  # the rows between end the pass
            ended = sample + (index >= machine.plan.head > self._index)
            for passed in range(self._sample, ended):
                machine.execute(at, head, first=first + passed, samples=1, update=n, sample=passed)
                self._meet(self._tallies)
                self._seen.update(self.order[: machine.plan.head])
                at = 0 if passed < sample else head
        if index > 0 and not (machine.plan.loop and index == machine.plan.head):
            end = spans[self.order[index - 1]][1]
            machine.execute(at, end, first=first + sample, samples=samples, update=n, sample=sample)
        self._seen.update(self.order[:index])
        self._sample, self._index = sample, index
        return bool(np.isfinite(machine.cells).all())


def _check_whole(**given: Any) -> None:
    for name, value in given.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and (not whole or value < 0):
            raise RunError(f"{name} must be a whole number from 0, not {value!r}")


def _why_no_blame(graph: Graph, key: str, cost: str | None) -> str:
    is_parameter = key in graph.nodes and graph.nodes[key].type == "parameter"
    if is_parameter and not graph.settings(key)["trainable"]:
        return "it is not trainable"
    if not graph.of_family("trainer") and not graph.of_type("weight_update") and not cost:
        return "the graph has no trainer and no single cost"
    if is_parameter:
        return "the cost does not depend on it"
    if not graph.of_family("trainer") and graph.of_type("weight_update"):
        return "no node of the wired backward pass is known to hold it"
    return "no trainable parameter lies before it, or δ passes it together with its cost"


__all__ = ["LEVELS", "Run"]
