"""Many runs: nodeflow's sweep beside a loop of runs in Python, and beside one thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import nodeflow as nf
from benchmarks import wheat
from benchmarks.harness import Contestant, Result, Target, race, ratios


def _loop(graph: Any, seeds: range, epochs: int) -> list[float]:
    found = []
    for seed in seeds:
        run = nf.Run(graph, seed=seed)
        run.train(epochs=epochs)
        found.append(run.assess().cost or 0.0)
    return found


def _sweep(graph: Any, seeds: range, epochs: int, workers: int) -> list[float]:
    return [row["cost"] for row in nf.sweep(graph, {}, seeds=seeds, epochs=epochs, workers=workers)]


def run(*, quick: bool = False) -> Result:
    """Train xor and wheat from many seeds, in turns."""
    result = Result("sweeps", "many runs: a sweep beside a loop in Python, and beside one thread")
    xor = nf.load(Path(__file__).parents[1] / "graphs" / "xor.json")
    seeds, _ = wheat.graph()
    few = 50 if quick else 500
    for name, graph, count, epochs in (("xor", xor, few, 100), ("wheat", seeds, few // 5, 100)):
        places = range(count)
        wanted = _loop(graph, places, epochs)
        result.agree(name, np.array(wanted), np.array(_sweep(graph, places, epochs, 2)), 0.0)
        contestants = [
            Contestant(f"{name}: two threads", lambda g=graph, p=places, e=epochs: (g, p, e),
                       lambda job: _sweep(*job, 2)),
            Contestant(f"{name}: one thread", lambda g=graph, p=places, e=epochs: (g, p, e),
                       lambda job: _sweep(*job, 1)),
            Contestant(f"{name}: a loop", lambda g=graph, p=places, e=epochs: (g, p, e),
                       lambda job: _loop(*job)),
        ]  # fmt: skip
        times = race(contestants, 1 if quick else 5)
        result.add_race(contestants, times, contestants[0].name)
        if name == "xor":
            found = ratios(times, "xor: a loop", "xor: one thread")
            result.targets.append(
                Target("a loop of runs over a sweep on one core", 3, float(np.median(found)),
                       min(found), at_most=False)
            )  # fmt: skip
        else:
            found = [2 * one for one in ratios(times, "wheat: two threads", "wheat: one thread")]
            result.targets.append(
                Target("two threads over the perfect share", 1.15, float(np.median(found)),
                       min(found))
            )  # fmt: skip
    return result
