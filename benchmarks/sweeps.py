"""Many runs: nodeflow's sweep beside a loop of runs, one Dask task a run, and a Dask cluster."""

from __future__ import annotations

import json
import logging
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import nodeflow as nf
from benchmarks import wheat
from benchmarks.harness import Contestant, Result, Row, Target, race, ratios
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.journal import Journal

XOR = Path(__file__).parents[1] / "graphs" / "xor.json"


def _loop(graph: Any, seeds: range, epochs: int) -> list[float]:
    found = []
    for seed in seeds:
        run = nf.Run(graph, seed=seed)
        run.train(epochs=epochs)
        found.append(run.assess().cost or 0.0)
    return found


def _sweep(graph: Any, seeds: range, epochs: int, **how: Any) -> list[float]:
    return [row["cost"] for row in nf.sweep(graph, {}, seeds=seeds, epochs=epochs, **how)]


def _one(path: str, seed: int, epochs: int) -> float:
    """Make one run, as a task of its own: what a person would send to a cluster first."""
    run = nf.Run(nf.load(path), seed=seed)
    run.train(epochs=epochs)
    return run.assess().cost or 0.0


def run(*, quick: bool = False) -> Result:
    """Race all ways to make many runs, and measure memory and going on."""
    result = Result("sweeps", "many runs: abreast, beside a loop of runs and beside Dask")
    _tiny(result, quick=quick)
    _small(result, quick=quick)
    _numbers(result, quick=quick)
    _by_cluster(result, quick=quick)
    _memory(result, quick=quick)
    _going_on(result, quick=quick)
    return result


def _target(
    result: Result, text: str, limit: float, found: Sequence[float], *, at_most: bool
) -> None:
    result.targets.append(Target(text, limit, float(np.median(found)), min(found), at_most=at_most))


def _tiny(result: Result, *, quick: bool) -> None:
    """10,000 runs of xor; the loop makes a twentieth of them."""
    graph = nf.load(XOR)
    count, share, epochs = (100, 2, 100) if quick else (10_000, 20, 100)
    seeds, few = range(count), range(count // share)
    result.agree("xor", np.array(_loop(graph, few, epochs)),
                 np.array(_sweep(graph, few, epochs, workers=2)), 0.0)  # fmt: skip
    contestants = [
        Contestant("xor: one thread", lambda: None,
                   lambda _: _sweep(graph, seeds, epochs, workers=1)),
        Contestant("xor: two threads", lambda: None,
                   lambda _: _sweep(graph, seeds, epochs, workers=2)),
        Contestant("xor: a loop", lambda: None, lambda _: _loop(graph, few, epochs), 1 / share),
    ]  # fmt: skip
    times = race(contestants, 1 if quick else 5)
    result.add_race(contestants, times, contestants[0].name)
    _target(result, f"{count:,} runs of xor: a loop of runs over a sweep on one core", 3,
            ratios(times, "xor: a loop", "xor: one thread"), at_most=False)  # fmt: skip


def _small(result: Result, *, quick: bool) -> None:
    """1,000 runs of wheat by two threads, beside half the time of single runs."""
    graph, _ = wheat.graph()
    count, share = (20, 1) if quick else (1000, 5)
    seeds, few = range(count), range(count // share)
    contestants = [
        Contestant("wheat: two threads", lambda: None,
                   lambda _: _sweep(graph, seeds, 100, workers=2)),
        Contestant("wheat: one thread", lambda: None,
                   lambda _: _sweep(graph, few, 100, workers=1), 1 / share),
        Contestant("wheat: a loop", lambda: None, lambda _: _loop(graph, few, 100), 1 / share),
    ]  # fmt: skip
    times = race(contestants, 1 if quick else 5)
    result.add_race(contestants, times, contestants[0].name)
    text = f"{count:,} runs of wheat: two threads over half of"
    _target(result, f"{text} single runs", 1.15,
            [2 / one for one in ratios(times, "wheat: a loop", "wheat: two threads")],
            at_most=True)  # fmt: skip
    _target(result, f"{text} one thread", 1.15,
            [2 / one for one in ratios(times, "wheat: one thread", "wheat: two threads")],
            at_most=True)  # fmt: skip


def _numbers(result: Result, *, quick: bool) -> None:
    """1,000 rates, a run each: on one tape, beside a plan for each of them."""
    graph = nf.load(XOR)
    count = 60 if quick else 1000
    rates = [0.01 * number for number in range(1, count + 1)]

    def made(_: Any) -> list[float]:
        found = nf.sweep(graph, {"train.rate": rates}, epochs=100, workers=1)
        return [row["cost"] for row in found]

    def planned(_: Any) -> list[float]:
        costs = []
        for rate in rates[:: 1 if quick else 20]:
            run = nf.Run(graph.set("train", rate=rate))
            run.train(epochs=100)
            costs.append(run.assess().cost or 0.0)
        return costs

    result.agree("rates", np.array(planned(0)), np.array(made(0)[:: 1 if quick else 20]), 0.0)
    contestants = [
        Contestant("xor, a rate each: on one tape", lambda: None, made),
        Contestant("xor, a rate each: a plan each", lambda: None, planned,
                   1.0 if quick else 1 / 20),
    ]  # fmt: skip
    times = race(contestants, 1 if quick else 5)
    result.add_race(contestants, times, contestants[0].name)
    _target(result, f"{count:,} rates of xor: a plan each over one tape", 3,
            ratios(times, contestants[1].name, contestants[0].name), at_most=False)  # fmt: skip


def _by_cluster(result: Result, *, quick: bool) -> None:
    """Half-second runs through Dask's local cluster; tiny runs as one task each."""
    try:
        from distributed import Client

        from nodeflow.sweeps.connection import local_cluster
    except ImportError:
        result.notes.append("distributed is not installed: the cluster was not measured")
        return
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    graph, _ = wheat.graph()
    epochs, count = (20, 4) if quick else (_epochs_of(graph, 0.5), 24)
    tasks, many = (20, 100) if quick else (400, 10_000)
    xor = nf.load(XOR)
    with local_cluster(2) as cluster, Client(cluster) as client:
        address = cluster.scheduler_address

        def single(_: Any) -> list[float]:
            futures = client.map(_one, [str(XOR)] * tasks, range(tasks), [100] * tasks, pure=False)
            return client.gather(futures)  # type: ignore[no-any-return]

        _sweep(graph, range(4), 5, cluster=address)
        client.gather(client.map(_one, [str(XOR)] * 4, range(4), [5] * 4, pure=False))
        contestants = [
            Contestant(f"wheat, {count} runs of half a second: two threads", lambda: None,
                       lambda _: _sweep(graph, range(count), epochs, workers=2)),
            Contestant("the same by Dask's local cluster of two processes", lambda: None,
                       lambda _: _sweep(graph, range(count), epochs, cluster=address)),
        ]  # fmt: skip
        times = race(contestants, 1 if quick else 3)
        result.add_race(contestants, times, contestants[0].name)
        _target(result, "runs of half a second: a local cluster over threads", 1.3,
                ratios(times, contestants[1].name, contestants[0].name), at_most=True)  # fmt: skip
        contestants = [
            Contestant(f"xor, {many:,} runs: one thread", lambda: None,
                       lambda _: _sweep(xor, range(many), 100, workers=1)),
            Contestant("the same, one Dask task a run on two processes", lambda: None, single,
                       tasks / many),
        ]  # fmt: skip
        times = race(contestants, 1 if quick else 3)
        result.add_race(contestants, times, contestants[0].name)
        _target(result, f"{many:,} runs of xor: one Dask task a run over a sweep on one core", 3,
                ratios(times, contestants[1].name, contestants[0].name), at_most=False)  # fmt: skip


def _epochs_of(graph: Any, seconds: float) -> int:
    """Return how many epochs take about so long."""
    run = nf.Run(graph)
    run.train(epochs=500)
    started = time.perf_counter()
    run.train(epochs=500)
    return round(500 * seconds / (time.perf_counter() - started))


def _memory(result: Result, *, quick: bool) -> None:
    """How much a process grows from a thousand runs to fifty thousand."""
    graph = nf.load(XOR)
    few, many = (100, 500) if quick else (1000, 50_000)
    _sweep(graph, range(few), 2, workers=2)
    before = _peak()
    nf.sweep(graph, {}, seeds=many, epochs=2, workers=2)
    grown = _peak() - before
    result.rows.append(Row(f"memory from {few:,} runs to {many:,}", text=f"{grown:.1f} MB more"))
    result.targets.append(
        Target(f"memory of {many - few:,} more runs", 10, max(grown, 0.0), unit=" MB")
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _going_on(result: Result, *, quick: bool) -> None:
    """What it takes the processor to read the journal of 100,000 runs."""
    count = 1000 if quick else 100_000
    plan = Plan.of(nf.load(XOR), [], seeds=range(count), epochs=1)
    values = {"epochs": 1, "cost": 0.25, "train_accuracy": 0.5, "test_cost": None,
              "test_accuracy": None, "seconds": 0.001, "why": None}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "o.csv.journal"
        with Journal(path, plan):
            head = path.read_bytes()
        rows = (json.dumps([number, values, None]).encode() for number in range(count))
        path.write_bytes(head + b"\n".join(rows) + b"\n")
        seconds = [_timed(lambda: Journal(path, plan).__exit__(None, None, None))
                   for _ in range(3)]  # fmt: skip
    told = "processor time to go on with the journal of"
    result.rows.append(Row(f"{told} {count:,} runs", median(seconds)))
    result.targets.append(
        Target(f"{told} {count:,} runs", 1, median(seconds), min(seconds), unit=" s")
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
