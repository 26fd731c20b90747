"""A run in a thread beside the editor: it is told what to do, and shows how it stands.

The editor never waits for it: commands go into a queue, and the newest snapshot lies in a slot.
The run itself is touched by its thread alone.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nodeflow.editor.model import Live
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph

if TYPE_CHECKING:
    from nodeflow.engine.machine import Machine
    from nodeflow.engine.run import Run
    from nodeflow.engine.step import Step

_SLICE = 0.025
"""Seconds of training between two looks at the commands."""
_FRAME = 1 / 30
_SHARE = 20
"""Copying a snapshot takes at most one part in so many of the time."""
_GROWTH = 256
_SHRINKING = 8
"""A slice has at most so many times as many updates as the one before, or as few."""
_FAULTS = 16
"""So many nodes that fail are left out, one after the other, before nothing is evaluated."""
_STEPS = 10_000
_PATIENCE = 2.0
Line = Mapping[str, Any]


class Values(Mapping[str, NDArray[Any]]):
    """Values of one moment by address, each taken out of the copied cells when it is asked for.

    A graph of a thousand nodes has thousands of them, and the window shows a few.
    """

    def __init__(self, machine: Machine, samples: int, names: Mapping[str, str]) -> None:
        self._machine, self._samples, self._names = machine, samples, names
        self._found: dict[str, NDArray[Any]] = {}

    def __getitem__(self, address: str) -> NDArray[Any]:
        if address not in self._found:
            value = self._machine.read(self._names[address], self._samples)
            value.setflags(write=False)
            self._found[address] = value
        return self._found[address]

    def __contains__(self, address: object) -> bool:
        return address in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    # Two snapshots are the same only if they are one: arrays do not compare to a truth.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Session:
    """A graph that is evaluated, trained and stepped in a thread of its own.

    Numbers are those of `nodeflow.Run`. Every method returns at once; what came of it is in the
    `Live` that `poll` gives.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._commands: deque[tuple[str, Any]] = deque()
        self._graph: Graph | None = None
        self._last = Live()
        self._slot: Live | None = None
        self._steps: deque[Step] = deque(maxlen=_STEPS)
        self._pausing = False
        self._closed = False
        self._checker: threading.Thread | None = None
        self._worker = threading.Thread(target=self._work, name="nodeflow-run", daemon=True)
        self._worker.start()

    # -- told by the editor

    def start(self, graph: Graph) -> None:
        """Show this graph: evaluated once, or going on where only numbers of it changed.

        While the rate, a weight or another setting is changed, training goes on with the new
        one; where the structure, the data, seed or batch is another, the run starts again.
        """
        with self._changed:
            if graph is self._graph:
                return
            self._graph = graph
            if self._commands and self._commands[-1][0] == "start":
                self._commands.pop()  # nobody has seen that one yet
            self._put("start", graph)

    def train(self, epochs: float | None = None) -> None:
        """Train so many epochs more, or with `math.inf` until paused.

        Without a number: to the end of a training that was paused, else the graph's epochs.
        """
        with self._changed:
            self._put("train", epochs)

    def pause(self) -> None:
        """Stop at the end of the present slice; `poll` says "paused" at once."""
        with self._changed:
            if self._last.state == "training":
                self._pausing = True
                self._slot = self._last = replace(self._last, state="paused")
            self._put("pause")

    def reset(self) -> None:
        """Go back to the start: the weights of the graph, no history."""
        with self._changed:
            self._put("reset")

    def step(self, level: str = "step") -> None:
        """Go on by one step (a node), phase, sample, update or epoch, and stand still there."""
        with self._changed:
            self._put("step", level)

    def set_rate(self, rate: float, node: str | None = None) -> None:
        """Go on with another learning rate, of one trainer or of all; raises `BadSetting`."""
        if self._graph is not None:
            self.start(with_rate(self._graph, rate, node))

    def set_seed(self, seed: int) -> None:
        """Start again with another seed; raises `BadSetting`."""
        if self._graph is not None:
            training = replace(self._graph.training, seed=seed)
            self.start(replace(self._graph, training=training))

    def set_batch(self, batch: int | str) -> None:
        """Start again with so many samples an update; raises `BadSetting`."""
        if self._graph is not None:
            training = replace(self._graph.training, batch=batch)
            self.start(replace(self._graph, training=training))

    def check(self) -> None:
        """Check the gradients of the graph, beside everything else."""
        with self._changed:
            self._put("check")

    def close(self) -> None:
        """End the thread; what a check is still at comes to nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join(_PATIENCE)
        if self._checker is not None:
            self._checker.join(_PATIENCE / 4)

    # -- asked by the editor

    def poll(self) -> Live | None:
        """Return how the run stands if it told something new, else None."""
        with self._changed:
            live, self._slot = self._slot, None
            return live

    def steps(self) -> list[Step]:
        """Return the steps that were made since this was asked last."""
        with self._changed:
            found = list(self._steps)
            self._steps.clear()
            return found

    # -- between the threads

    def _put(self, name: str, value: Any = None) -> None:
        """Add a command; the caller holds the lock."""
        self._commands.append((name, value))
        self._changed.notify_all()

    def _next(self, *, wait: bool) -> tuple[str, Any] | None:
        """Return the next command; None if there is none, or if the session is closed."""
        with self._changed:
            while wait and not self._commands and not self._closed:
                self._changed.wait()
            return self._commands.popleft() if self._commands and not self._closed else None

    def _tell(self, live: Live) -> None:
        with self._changed:
            if live.state == "training" and self._pausing:
                return  # the editor was told already that it stops
            self._slot = self._last = live

    def _work(self) -> None:
        """Do what the thread is there for, until the session is closed."""
        self._tell(Live(state="preparing"))
        worker = _Worker()
        try:
            _warm_up()
        except Exception as error:  # noqa: BLE001  the thread must not end in silence
            worker.problem = _sentence(error)
        self._tell(worker.live())
        while not self._closed:
            command = self._next(wait=not worker.training)
            if command is not None:
                self._obey(worker, *command)
            elif worker.training and worker.trained():
                self._tell(worker.live())

    def _obey(self, worker: _Worker, name: str, value: Any) -> None:
        match name:
            case "start":
                if not worker.start(value):
                    return
            case "train":
                worker.train(value)
            case "pause":
                worker.pause()
                with self._changed:
                    self._pausing = any(other == "pause" for other, _ in self._commands)
            case "reset":
                worker.reset()
            case "step":
                step = worker.step(value)
                if step is not None:
                    with self._changed:
                        self._steps.append(step)
            case "check":
                self._check(worker)
            case "checked":
                worker.checked(*value)
        self._tell(worker.live())

    def _check(self, worker: _Worker) -> None:
        """Start the gradient check in its own thread, so that training goes on."""
        graph = worker.graph
        if graph is None or (self._checker is not None and self._checker.is_alive()):
            return

        def work() -> None:
            found = checked(graph)
            with self._changed:
                self._put("checked", (graph, *found))

        self._checker = threading.Thread(target=work, name="nodeflow-check", daemon=True)
        self._checker.start()


class _Worker:
    """What the thread knows: the run, and where it is going. No errors leave it."""

    def __init__(self) -> None:
        self.graph: Graph | None = None
        self.run: Run | None = None
        self.state = "still"
        self.problem = ""
        self.checks: Mapping[str, str] = {}
        self._target = 0.0
        self._at_target = "done"
        self._size = 1
        self._whole = False  # whether the last thing that happened was a whole update
        self._lines: tuple[Line, ...] = ()
        self._next_frame = 0.0
        self._frozen: tuple[Run, tuple[Mapping[str, str], ...]] | None = None
        self._live: Live | None = None  # what the run holds, until it is touched

    @property
    def training(self) -> bool:
        """Whether there is a slice to train."""
        return self.state == "training"

    def start(self, graph: Graph) -> bool:
        """Take another graph, and go on with it if that can be; return whether it matters."""
        before, self.graph = self.graph, graph
        if before is not None and _computes_alike(before, graph):
            return False
        self.checks = {}
        run, self.problem = made(graph)
        if run is None or self.run is None or not goes_on(self.run, run):
            self._restart(run)
            self._size = 1  # an update may take a thousand times as long as those before
            return True
        try:
            take_over(run, self.run)
        except NodeflowError as error:
            self.problem = str(error)
            self._restart(run)
        else:
            self.run, self._live = run, None
            self._whole, self._lines = False, ()
        return True

    def reset(self) -> None:
        """Begin again with the graph."""
        if self.graph is not None:
            run, self.problem = made(self.graph)
            self._restart(run)

    def _restart(self, run: Run | None) -> None:
        self.run, self.state, self._live = run, "still", None
        self._target, self._whole, self._lines = 0.0, False, ()

    def train(self, epochs: float | None) -> None:
        """Set out to train."""
        run = self.run
        if run is None or not _learns(run):
            self.problem = self.problem or _why_untrained(run)
            return
        self.problem = ""
        if epochs is None and run.update < self._target:
            epochs = 0  # the training that was paused has its end
        elif epochs is None:
            epochs = run.graph.training.epochs if self.graph is None else self.graph.training.epochs
        if epochs:
            self._target = (run.epoch + epochs) * run.updates_per_epoch
        self._at_target = "done"
        self.state = "training" if run.update < self._target else "done"

    def pause(self) -> None:
        """Stand still; the end of the training is remembered."""
        if self.training:
            self.state = "paused"

    def step(self, level: str) -> Step | None:
        """Go on by one step of a level."""
        run = self.run
        if run is None:
            return None
        if level == "epoch" and _learns(run):
            # In slices, so that it can be paused as well.
            self._target = (run.epoch + 1) * run.updates_per_epoch
            self.state, self._at_target = "training", "paused"
            return None
        self.state, self.problem = "paused", ""
        self._whole, self._lines, self._live = False, (), None
        try:
            return run.advance(level)
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.problem = _sentence(error)
            return None

    def trained(self) -> bool:
        """Train one slice; return whether it is time to tell of it."""
        run = self.run
        if run is None:
            self.state = "still"
            return True
        wanted = run.update + self._size
        end = int(min(wanted, self._target))
        began = time.perf_counter()
        self._live = None
        try:
            # Like `train`, but no history is put together after each slice.
            run.goto(update=end)
            self._whole = True
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.state, self.problem, self._whole = "paused", _sentence(error), False
            self._lines = ()
            return True
        now = time.perf_counter()
        if end == wanted:
            self._pace(now - began)
        if run.update >= self._target:
            self.state = self._at_target
        return self.state != "training" or now >= self._next_frame

    def _pace(self, spent: float) -> None:
        """Choose how many updates the next slice has."""
        change = _SLICE / max(spent, 1e-6)
        if change < 0.5 or change > 1.5:
            self._size = max(1, int(self._size * min(max(change, 1 / _SHRINKING), _GROWTH)))

    def checked(self, graph: Graph, checks: Mapping[str, str], problem: str) -> None:
        """Take the outcome of a gradient check, if it is still of this graph."""
        if self.graph is not None and _computes_alike(graph, self.graph):
            self.checks, self.problem = checks, problem or self.problem

    def live(self) -> Live:
        """Return how all stands, with a snapshot of the run."""
        if self._live is None and self.run is not None:
            began = time.thread_time()  # on a busy machine the clock would count others' time
            self._live = self._held(self.run)
            spent = time.thread_time() - began
            self._next_frame = time.perf_counter() + max(_FRAME, _SHARE * spent)
        held = self._live or Live()
        return replace(held, state=self.state, problem=self.problem, checks=self.checks)

    def _held(self, run: Run) -> Live:
        """Return what a run holds."""
        self._lines = lines(run, self._lines)
        live = Live(epoch=run.epoch, update=run.update, history=self._lines)
        if self._whole:
            values, gradients, weights = self._snapshot(run)
            return replace(live, values=values, gradients=gradients, weights=weights)
        return replace(live, values=run.values, gradients=run.gradients, weights=run.weights)

    def _snapshot(self, run: Run) -> tuple[Values, ...]:
        """Return values, gradients and weights after a whole update: one copy of all cells."""
        if self._frozen is None or self._frozen[0] is not run:
            self._frozen = run, _names(run)
        machine = copy.copy(run.machine)
        machine.cells = run.machine.cells.copy()
        samples = 1 if machine.plan.loop else machine.bounds(run.update - 1)[1]
        values, gradients, weights = self._frozen[1]
        return (
            Values(machine, samples, values),
            Values(machine, samples, gradients),
            Values(machine, 1, weights),
        )


# --- runs ---------------------------------------------------------------------------------------

_warm = threading.Event()


def _warm_up() -> None:
    """Load the compiled engine; the very first time it is compiled, which takes seconds."""
    from nodeflow.engine.run import Run
    from nodeflow.nodes.cost import squared_error
    from nodeflow.nodes.source import constant, parameter
    from nodeflow.nodes.trainer import gradient_descent

    if not _warm.is_set():
        cost = squared_error(parameter(value=(1.0,)), constant(value=(1.0,)))
        Run(Graph.of(gradient_descent(cost))).train(updates=4)
        _warm.set()


def made(graph: Graph) -> tuple[Run | None, str]:
    """Return a run of the graph, evaluated once, and the first fault that was met.

    Nodes that fail are left out with all that hangs on them, and the rest is evaluated.
    """
    from nodeflow.engine.run import Run

    problem = ""
    for _ in range(_FAULTS):
        try:
            run = Run(graph, strict=False)
            run.evaluate()
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            problem = problem or _sentence(error)
            key = str(getattr(error, "node", None) or "")
            while key and key not in graph.nodes:
                key = key.rpartition(".")[0]  # a node of the backward pass is called after it
            if not key or graph.nodes[key].mode == "disable":
                break
            graph = graph.with_mode(key, "disable")
        else:
            return run, problem
    return None, problem


def goes_on(old: Run, new: Run) -> bool:
    """Return whether a run can go on with another graph: only numbers of it differ.

    Nodes that neither an update nor the cost depends on may come and go.
    """
    a, b = old.machine, new.machine
    return (
        (a.seed, a.batch, a.rows, a.test_rows, a.plan.loop)
        == (b.seed, b.batch, b.rows, b.test_rows, b.plan.loop)
        and a.tape.state == b.tape.state
        and _parameters(a) == _parameters(b)
        and _structure(a) == _structure(b)
        and _data(a) == _data(b)
    )


def _parameters(machine: Machine) -> dict[str, tuple[int, int]]:
    """Return where each parameter lies in the state, and how large it is."""
    slots, nodes = machine.tape.slots, machine.plan.graph.nodes
    return {
        key: (slots[f"{key}.value"].offset, slots[f"{key}.value"].size)
        for key in machine.plan.order
        if nodes[key].type == "parameter"
    }


def _structure(machine: Machine) -> tuple[Any, ...]:
    graph, needed = machine.plan.graph, machine.tape.needed
    return (
        {key: (graph.nodes[key].type, graph.nodes[key].mode) for key in needed},
        {wire for wire in graph.wires if wire.target in needed},
    )


def _data(machine: Machine) -> tuple[Any, ...]:
    graph = machine.plan.graph
    return graph.folder, {key: graph.settings(key) for key in machine.splits}


def take_over(new: Run, old: Run) -> None:
    """Let a run stand where another one stands, with its weights and its history.

    Parameters whose start was changed by hand get the new one.
    """
    old.set_weights({})  # an update that has begun is begun again
    a, b = old.machine, new.machine
    edited = {
        f"{key}.value": b.read(f"{key}.value", 1)
        for key, (offset, size) in _parameters(b).items()
        if (a.start[offset : offset + size] != b.start[offset : offset + size]).any()
    }
    b.cells[: b.tape.state] = a.cells[: a.tape.state]
    b.stats[:] = a.stats
    new._update = old._update  # noqa: SLF001  a run has no other way to stand in the middle
    new._lines = old._lines  # noqa: SLF001
    new._checkpoints = old._checkpoints  # noqa: SLF001
    new.set_weights(edited)
    new.evaluate()


def lines(run: Run, known: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return `run.history`, of which the first lines are known; a million take their time."""
    numbers = run._lines  # noqa: SLF001  `history` puts all of them together
    first, epochs = len(known), len(numbers) // 4
    rows = zip(*[iter(numbers[4 * first :])] * 4, strict=True)
    return known[:epochs] + tuple(
        {
            "epoch": epoch,
            "cost": cost if cost == cost else None,
            "train_accuracy": hits if hits == hits else None,
            "test_cost": test if test == test else None,
            "test_accuracy": test_hits if test_hits == test_hits else None,
        }
        for epoch, (cost, hits, test, test_hits) in enumerate(rows, first + 1)
    )


def _names(run: Run) -> tuple[Mapping[str, str], ...]:
    """Return the addresses of values, gradients and weights, with where each of them lies."""
    slots, nodes = run.machine.tape.slots, run.graph.nodes
    order = set(run.order)
    return (
        {address: address for address in sorted(slots)},
        {
            address: source
            for address, source in run.plan.unfolding.gradients.items()
            if source in slots
        },
        {
            f"{key}.value": f"{key}.value"
            for key in sorted(nodes)
            if nodes[key].type == "parameter" and key in order
        },
    )


def _computes_alike(before: Graph, after: Graph) -> bool:
    """Return whether two graphs compute the same: where nodes lie does not matter."""
    return before is after or (
        before.training.batch == after.training.batch
        and before.training.seed == after.training.seed
        and before.folder == after.folder
        and before.wires == after.wires
        and before.nodes == after.nodes
    )


def _learns(run: Run) -> bool:
    """Return whether training would change anything."""
    nodes = run.plan.graph.nodes
    return any(nodes[key].type in ("weight_update", "minimize") for key in run.order)


def _why_untrained(run: Run | None) -> str:
    problems = {} if run is None else run.plan.inference.problems
    if problems:
        return str(problems[min(problems)])
    return "there is nothing to train: the graph needs a trainer, and a cost that enters it"


def _sentence(error: Exception) -> str:
    """Return what to tell of an error; one that was not foreseen has its kind with it."""
    if isinstance(error, NodeflowError):
        return str(error)
    return f"the run stopped: {type(error).__name__}: {error}"


def with_rate(graph: Graph, rate: float, node: str | None = None) -> Graph:
    """Return the graph with another learning rate: of one node, or in all trainers and updates."""
    trainers = set(graph.of_type("gradient_descent", "adam"))
    sources = {
        wire.source
        for key in graph.of_type("weight_update")
        for wire in graph.inputs(key).get("rate", ())
        if graph.nodes[wire.source].type in ("constant", "slider")
    }
    for key in sorted(trainers | sources):
        if node in (None, key):
            graph = graph.set(key, **{"rate" if key in trainers else "value": rate})
    return graph


def kept(live: Live) -> dict[str, NDArray[Any]]:
    """Return the trained weights, to be put into the graph: by parameter."""
    return {address.rpartition(".")[0]: value for address, value in live.weights.items()}


# --- gradient check -----------------------------------------------------------------------------


def checked(graph: Graph) -> tuple[dict[str, str], str]:
    """Return what the gradient check found by node ("ok", or a text), and why it could not be.

    Texts begin with "kink" or "fault".
    """
    from nodeflow.engine.check import check

    try:
        found = check(graph)
    except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
        return {}, _sentence(error)
    return {
        key: node.status
        if node.status == "ok"
        else f"{node.status}: gradient {node.gradient:.6g}, difference {node.difference:.6g}, "
        f"relative error {node.relative_error:.1e}"
        for key, node in found.nodes.items()
    }, ""


__all__ = ["Session", "Values", "kept", "with_rate"]
