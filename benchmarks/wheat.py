"""A small network, one sample at a time: what an operation costs besides its arithmetic."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from operator import mul
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks import torches
from benchmarks.builds import NEW, OLD, Build, builds
from benchmarks.harness import (
    Contestant,
    Result,
    Row,
    Target,
    in_turns,
    race,
    ratio,
    ratios,
    spread,
)
from benchmarks.jobs import (
    PARAMETERS,
    Floats,
    Job,
    Line,
    Nodeflow,
    Trainer,
    compare,
    network,
    settled,
)
from benchmarks.shuffling import shuffle
from nodeflow import files
from nodeflow.derive import explode
from nodeflow.engine.run import Run
from nodeflow.errors import DataError
from nodeflow.graph import Graph
from nodeflow.workings.shown import duration

_compiled = njit(error_model="numpy")
_ROUNDING = 1e-12
"""Blame of a layer's parts is added up in another order than the layer's own."""


def graph() -> tuple[Graph, str]:
    """Return the network and its name; iris stands in where the wheat seeds are not there."""
    shapes = {"wheat-seeds": (7, 5, 3), "iris": (4, 5, 3)}
    for source, sizes in shapes.items():
        made = network(source, sizes, rate=0.3, batch=1, test=0.34, scale="minmax")
        try:
            Run(made)
        except DataError:
            if source == "iris":
                raise
            continue
        return made, f"{source}, {'-'.join(map(str, sizes))}"
    raise AssertionError("the loop returns or raises")


# -- layers taken apart


def levels(layers: Graph) -> dict[str, Graph]:
    """Return the graph with all layers as neurons, and with all neurons as operations."""
    neurons = operations = explode(layers)
    for key in neurons.of_type("weighted_sum"):
        operations = explode(operations, key)
    return {"neuron level": neurons, "operation level": operations}


class Parts(Nodeflow):
    """nodeflow on a graph whose layers are taken apart."""

    def __init__(self, graph: Graph, job: Job) -> None:
        super().__init__(Run(graph))
        self.job = job

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases, put together from their parts: theta1.2.3 is one of theta1."""
        found: dict[str, dict[tuple[int, ...], Floats]] = defaultdict(dict)
        for address, value in self.run.weights.items():
            whole, *numbers, _ = address.split(".")
            found[whole][tuple(map(int, numbers))] = value.ravel()
        ordered = [[part for _, part in sorted(found[name].items())] for name in PARAMETERS]
        return [
            np.concatenate(parts).reshape(start.shape)
            for parts, start in zip(ordered, self.job.start, strict=True)
        ]


# -- hand-written Numba


@lru_cache
def loops_for(wide: int, tall: int, outputs: int) -> tuple[Any, Any]:
    """Compile the loops for exactly this network: its sizes are constants, which unrolls them.

    Returns the whole job, and training without tallies and test rows.
    """

    @_compiled
    def sample(x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any, a1: Any, a2: Any) -> Any:
        """Go forward; return the cost, and whether the class is right."""
        for j in range(tall):
            z = b1[j]
            for k in range(wide):
                z += w1[j, k] * x[k]
            a1[j] = 1 / (1 + math.exp(-z))
        cost = 0.0
        best = right = 0
        for j in range(outputs):
            z = b2[j]
            for k in range(tall):
                z += w2[j, k] * a1[k]
            a2[j] = 1 / (1 + math.exp(-z))
            e = a2[j] - y[j]
            cost += e * e
            if a2[j] > a2[best]:
                best = j
            if y[j] > y[right]:
                right = j
        return cost, best == right

    @_compiled
    def learn(
        x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any, a1: Any, a2: Any, d2: Any, rate: float
    ) -> None:
        """Go backward and update."""
        for j in range(outputs):
            d2[j] = 2 * (a2[j] - y[j]) * a2[j] * (1 - a2[j])
        for k in range(tall):
            blame = 0.0
            for j in range(outputs):
                blame += d2[j] * w2[j, k]
            d1 = rate * blame * a1[k] * (1 - a1[k])
            b1[k] -= d1
            for i in range(wide):
                w1[k, i] -= d1 * x[i]
        for j in range(outputs):
            step = rate * d2[j]
            b2[j] -= step
            for k in range(tall):
                w2[j, k] -= step * a1[k]

    @_compiled
    def loops(
        x: Any, y: Any, x_test: Any, y_test: Any, w1: Any, b1: Any, w2: Any, b2: Any,
        rate: float, seed: int, epoch: int, history: Any,
    ) -> None:  # fmt: skip
        """Train an epoch for each line of `history`."""
        rows, tests = x.shape[0], x_test.shape[0]
        order = np.empty(rows, np.int64)
        a1, a2, d2 = np.empty(tall), np.empty(outputs), np.empty(outputs)
        for line in range(history.shape[0]):
            shuffle(order, rows, seed, epoch + line)
            total, hits = 0.0, 0
            for place in range(rows):
                i = order[place]
                cost, hit = sample(x[i], y[i], w1, b1, w2, b2, a1, a2)
                total += cost
                hits += hit
                learn(x[i], y[i], w1, b1, w2, b2, a1, a2, d2, rate)
            history[line, 0] = total / rows
            history[line, 1] = hits / rows
            total, hits = 0.0, 0
            for i in range(tests):
                cost, hit = sample(x_test[i], y_test[i], w1, b1, w2, b2, a1, a2)
                total += cost
                hits += hit
            history[line, 2] = total / tests
            history[line, 3] = hits / tests

    @_compiled
    def bare_loops(
        x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any,
        rate: float, seed: int, epoch: int, epochs: int,
    ) -> None:  # fmt: skip
        """Train without tallies and without test rows."""
        rows = x.shape[0]
        order = np.empty(rows, np.int64)
        a1, a2, d2 = np.empty(tall), np.empty(outputs), np.empty(outputs)
        for number in range(epoch, epoch + epochs):
            shuffle(order, rows, seed, number)
            for place in range(rows):
                i = order[place]
                outputs_of(x[i], w1, b1, w2, b2, a1, a2)
                learn(x[i], y[i], w1, b1, w2, b2, a1, a2, d2, rate)

    @_compiled
    def outputs_of(x: Any, w1: Any, b1: Any, w2: Any, b2: Any, a1: Any, a2: Any) -> None:
        for j in range(tall):
            z = b1[j]
            for k in range(wide):
                z += w1[j, k] * x[k]
            a1[j] = 1 / (1 + math.exp(-z))
        for j in range(outputs):
            z = b2[j]
            for k in range(tall):
                z += w2[j, k] * a1[k]
            a2[j] = 1 / (1 + math.exp(-z))

    return loops, bare_loops


class Loops:
    """Hand-written Numba loops for a network with one hidden layer."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.weights: list[Floats] = [start.copy() for start in job.start]
        self.history: list[Line] = []
        tall, wide = job.start[0].shape
        self.loops, self.bare_loops = loops_for(wide, tall, len(job.start[2]))

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        job = self.job
        lines = np.empty((epochs, 4))
        self.loops(
            job.x, job.y, job.x_test, job.y_test, *self.weights, job.rate, job.seed,
            len(self.history), lines,
        )  # fmt: skip
        self.history += [tuple(line) for line in lines.tolist()]

    def train_only(self, epochs: int) -> None:
        """Train without tallies and test rows."""
        job = self.job
        self.bare_loops(job.x, job.y, *self.weights, job.rate, job.seed, 0, epochs)


# -- NumPy, a sample at a time


class NumpySamples:
    """Vectors with `out=` buffers; the rate is folded into δ."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        self.job = job
        self.orders = [order.tolist() for order in orders]
        self.samples = list(zip(job.x, job.y, job.y.argmax(1).tolist(), strict=True))
        self.classes_test = job.y_test.argmax(1)
        self.weights: list[Floats] = [start.copy() for start in job.start]
        self.history: list[Line] = []

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        job = self.job
        w1, b1, w2, b2 = self.weights
        a1, d1, slope1 = (np.empty_like(b1) for _ in range(3))
        a2, d2, slope2 = (np.empty_like(b2) for _ in range(3))
        g1, g2 = np.empty_like(w1), np.empty_like(w2)
        d1_column, d2_column, w2_turned = d1[:, None], d2[:, None], w2.T
        dot, add, subtract, multiply = np.dot, np.add, np.subtract, np.multiply
        negative, exp, reciprocal = np.negative, np.exp, np.reciprocal
        double_rate = 2 * job.rate
        h1 = np.empty((len(job.x_test), len(b1)))
        h2 = np.empty((len(job.x_test), len(b2)))
        for _ in range(epochs):
            cost, hits = 0.0, 0
            for row in self.orders[len(self.history)]:
                x, y, right = self.samples[row]
                dot(w1, x, out=a1)
                add(a1, b1, out=a1)
                negative(a1, out=a1)
                exp(a1, out=a1)
                add(a1, 1.0, out=a1)
                reciprocal(a1, out=a1)
                dot(w2, a1, out=a2)
                add(a2, b2, out=a2)
                negative(a2, out=a2)
                exp(a2, out=a2)
                add(a2, 1.0, out=a2)
                reciprocal(a2, out=a2)
                subtract(a2, y, out=d2)
                cost += dot(d2, d2)
                hits += a2.argmax() == right
                multiply(d2, double_rate, out=d2)
                multiply(d2, a2, out=d2)
                subtract(1.0, a2, out=slope2)
                multiply(d2, slope2, out=d2)
                dot(w2_turned, d2, out=d1)
                multiply(d1, a1, out=d1)
                subtract(1.0, a1, out=slope1)
                multiply(d1, slope1, out=d1)
                multiply(d2_column, a1, out=g2)
                subtract(w2, g2, out=w2)
                subtract(b2, d2, out=b2)
                multiply(d1_column, x, out=g1)
                subtract(w1, g1, out=w1)
                subtract(b1, d1, out=b1)
            for x, w, b, h in ((job.x_test, w1, b1, h1), (h1, w2, b2, h2)):
                dot(x, w.T, out=h)
                add(h, b, out=h)
                negative(h, out=h)
                exp(h, out=h)
                add(h, 1.0, out=h)
                reciprocal(h, out=h)
            right_ones = np.count_nonzero(h2.argmax(1) == self.classes_test)
            subtract(h2, job.y_test, out=h2)
            tests = len(h2)
            line = (cost / job.rows, hits / job.rows)
            test = (float(dot(h2.reshape(-1), h2.reshape(-1))) / tests, right_ones / tests)
            self.history.append((float(line[0]), float(line[1]), *test))


# -- plain Python


class Plain:
    """Lists and math."""

    def __init__(self, job: Job, orders: list[NDArray[np.int64]]) -> None:
        self.job = job
        self.orders = [order.tolist() for order in orders]
        self.train_rows = list(zip(job.x.tolist(), job.y.tolist(), strict=True))
        self.test_rows = list(zip(job.x_test.tolist(), job.y_test.tolist(), strict=True))
        self.parameters = [start.tolist() for start in job.start]
        self.history: list[Line] = []

    @property
    def weights(self) -> list[Floats]:
        """Weights and biases as they stand."""
        return [np.array(parameter) for parameter in self.parameters]

    def _forward(self, x: list[float]) -> tuple[list[float], list[float]]:
        exp = math.exp
        w1, b1, w2, b2 = self.parameters
        a1 = [1 / (1 + exp(-b - sum(map(mul, row, x)))) for row, b in zip(w1, b1, strict=True)]
        a2 = [1 / (1 + exp(-b - sum(map(mul, row, a1)))) for row, b in zip(w2, b2, strict=True)]
        return a1, a2

    def train(self, epochs: int) -> None:
        """Train for some epochs more."""
        rate = self.job.rate
        w1, b1, w2, b2 = self.parameters
        for _ in range(epochs):
            cost, hits = 0.0, 0
            for number in self.orders[len(self.history)]:
                x, y = self.train_rows[number]
                a1, a2 = self._forward(x)
                e = [a - t for a, t in zip(a2, y, strict=True)]
                cost += sum(map(mul, e, e))
                hits += a2.index(max(a2)) == y.index(max(y))
                d2 = [2 * error * a * (1 - a) for error, a in zip(e, a2, strict=True)]
                blame = [sum(map(mul, d2, column)) for column in zip(*w2, strict=True)]
                d1 = [b * a * (1 - a) for b, a in zip(blame, a1, strict=True)]
                for w, b, d, a in ((w2, b2, d2, a1), (w1, b1, d1, x)):
                    for j, delta in enumerate(d):
                        step = rate * delta
                        w[j] = [theta - step * value for theta, value in zip(w[j], a, strict=True)]
                        b[j] -= step
            line = (cost / len(self.train_rows), hits / len(self.train_rows))
            cost, hits = 0.0, 0
            for x, y in self.test_rows:
                _, a2 = self._forward(x)
                e = [a - t for a, t in zip(a2, y, strict=True)]
                cost += sum(map(mul, e, e))
                hits += a2.index(max(a2)) == y.index(max(y))
            self.history.append((*line, cost / len(self.test_rows), hits / len(self.test_rows)))


def run(*, quick: bool = False) -> Result:
    """Race on the wheat network."""
    result = Result("wheat", "")
    made, shown = graph()
    epochs, rounds = (20, 2) if quick else (500, 15)
    parts = {"plain": 10, "numpy": 10, "by hand": 10, "module": 20}
    if not quick:
        parts = {"plain": 25, "numpy": 25, "by hand": 100, "module": 250}
    start = time.perf_counter()
    first = Run(made)
    constructed = time.perf_counter() - start
    job = Job.of(made, first)
    orders = job.orders(epochs)
    result.title = (
        f"{shown}, sigmoid, {job.rows} rows one at a time, {epochs} epochs = "
        f"{epochs * job.rows:,} updates; {len(job.x_test)} test rows after each epoch"
    )
    result.rows += _preparation(first, constructed, job)
    makers: dict[str, Callable[[], Trainer]] = {
        "nodeflow": lambda: Nodeflow(Run(made)),
        "Numba loops by hand": lambda: Loops(job),
        "NumPy, out=": lambda: NumpySamples(job, orders),
        "plain Python": lambda: Plain(job, orders),
    }
    if torches.available():
        makers["PyTorch by hand"] = lambda: torches.TorchByHand(job, orders)
        makers["PyTorch module and optimizer"] = lambda: torches.TorchModule(job, orders)
    else:
        result.notes.append("PyTorch is not installed")
    compare(result, makers, 5, 1e-9)
    graphs = levels(made)
    makers |= {name: partial(Parts, graph, job) for name, graph in graphs.items()}
    _compare_levels(result, makers, graphs, epochs)

    def part(key: str) -> tuple[Callable[[Trainer], None], float]:
        own = max(1, epochs // parts[key])
        return partial(_train, epochs=own), own / epochs

    whole = partial(_train, epochs=epochs)
    contestants = [
        Contestant("nodeflow", makers["nodeflow"], whole),
        *(Contestant(f"nodeflow, {name}", makers[name], whole) for name in graphs),
        Contestant("Numba loops by hand", makers["Numba loops by hand"], whole),
        Contestant(
            "Numba loops, no tallies, no test rows",
            lambda: Loops(job),
            lambda loops: loops.train_only(epochs),
        ),
        Contestant("NumPy, out=", makers["NumPy, out="], *part("numpy")),
        Contestant("plain Python", makers["plain Python"], *part("plain")),
    ]
    texts = {name: files.dumps(graph) for name, graph in {"": made, **graphs}.items()}
    contestants += [
        Contestant(
            f"nodeflow, {f'{name}, ' * bool(name)}made again",
            partial(files.loads, text),
            partial(_prepare_and_train, epochs=epochs),
        )
        for name, text in texts.items()
    ]
    if torches.available():
        for name, key in (
            ("PyTorch by hand", "by hand"),
            ("PyTorch module and optimizer", "module"),
        ):
            contestants.append(Contestant(name, makers[name], *part(key)))
    for name in ("nodeflow", *graphs):
        settled(makers[name], epochs)
    times = race(contestants, rounds)
    result.add_race(contestants, times, "nodeflow")
    result.add_target(
        "nodeflow over Numba loops by hand", 0.8, times, "nodeflow", "Numba loops by hand",
        reach=0.65,
    )  # fmt: skip
    for name, limit in (("neuron level", 0.9), ("operation level", 1.1)):
        own = f"nodeflow, {name}"
        result.add_target(
            f"{name} over Numba loops by hand", limit, times, own, "Numba loops by hand"
        )
        wanted = result.targets[-1]
        # "equal" means that a twentieth more or less is seen as noise
        result.targets[-1] = wanted.hoping_for(
            1.05, measured=ratio(times, own, "nodeflow"), unit="× layer level"
        )
    result.add_target(
        "plain Python over nodeflow", 60, times, "plain Python", "nodeflow", at_most=False
    )
    if torches.available():
        result.add_target(
            "PyTorch module and optimizer over nodeflow", 500, times,
            "PyTorch module and optimizer", "nodeflow", at_most=False,
        )  # fmt: skip
    _first_calls(result, {"layer level": made, **graphs}, epochs, quick=quick)
    return result


def _save_for_both(graph: Graph, path: Path) -> None:
    """Save a graph as the build before wrote it: version 1, the settings that it knows."""
    files.save(graph, path)
    text = json.loads(path.read_text(encoding="utf-8"))
    text["version"] = 1  # the keys of both versions are the same
    for node in text["nodes"].values():
        if node["type"] == "dataset":
            known = ("source", "target", "scale", "test", "shuffle")
            node["settings"] = {name: node["settings"][name] for name in known}
    path.write_text(json.dumps(text), encoding="utf-8")


def _first_calls(result: Result, graphs: dict[str, Graph], epochs: int, *, quick: bool) -> None:
    """Prepare and train each graph in processes that have trained another one before."""
    with tempfile.TemporaryDirectory() as name, builds(result.notes, quick=quick) as both:
        folder = Path(name)
        other = network("xor", (2, 3, 1), rate=0.3, batch=1)
        _save_for_both(other, folder / "other.json")
        for level, made in graphs.items():
            path = folder / f"{level}.json"
            _save_for_both(made, path)

            def once(build: Build, path: Path = path) -> float:
                return float(build.told("first_call", path, folder / "other.json", epochs))

            for build in both:
                once(build)  # not counted: machine code and bytecode are made
            times = in_turns(
                {build.name: partial(once, build) for build in both}, 1 if quick else 5
            )
            shown = f"first call in a warm process, {level}"
            result.rows += [
                Row(f"{shown}, {build}", median(own), text=duration(median(own)))
                for build, own in times.items()
            ]
            if OLD in times:
                found = ratios(times, NEW, OLD)
                text = f"{shown}: this build over {OLD}"
                result.targets.append(
                    Target(text, 1.0, ratio(times, NEW, OLD), min(found), spread=spread(found))
                )


def _prepare_and_train(graph: Graph, epochs: int) -> None:
    """Make a run of a graph that was loaded anew, and train it."""
    Run(graph).train(epochs)


def _train(trainer: Trainer, epochs: int) -> None:
    trainer.train(epochs)


def _compare_levels(
    result: Result, makers: dict[str, Callable[[], Trainer]], graphs: Iterable[str], epochs: int
) -> None:
    """Train the graph at all levels, and note where one comes to other weights."""
    layers = makers["nodeflow"]()
    layers.train(epochs)
    for name in graphs:
        trainer = makers[name]()
        trainer.train(epochs)
        result.agree(f"the weights at {name}", layers.weights, trainer.weights, _ROUNDING)
    if result.agreed:
        result.notes.append(
            f"checked: after {epochs} epochs the graph has the same weights with its layers as "
            f"neurons, and as operations, to {_ROUNDING:.0e}"
        )


def _preparation(first: Run, constructed: float, job: Job) -> list[Row]:
    start = time.perf_counter()
    first.train(1)
    kernel = time.perf_counter() - start
    start = time.perf_counter()
    loops = Loops(job)
    loops.train(1)
    loops.train_only(1)
    by_hand = time.perf_counter() - start
    return [
        Row("preparation: nf.Run(graph)", text=duration(constructed)),
        Row("preparation: nodeflow's kernel, compiled or from the cache", text=duration(kernel)),
        Row("preparation: loops by hand, compiled", text=duration(by_hand)),
    ]
