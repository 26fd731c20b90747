"""Going to any moment of a long run: how long it takes, and whether the numbers are the same."""

from __future__ import annotations

import time
from random import Random
from statistics import median

import numpy as np

from benchmarks.harness import Result, Row, Target
from benchmarks.wheat import graph
from nodeflow.engine.run import Run


def run(*, quick: bool = False) -> Result:
    """Jump about in a run of the wheat network."""
    epochs, jumps, looks = (20, 20, 4) if quick else (500, 300, 20)
    result = Result("goto", f"random jumps in a run of {epochs} epochs")
    made, shown = graph()
    result.title = f"{shown}: {result.title}, each to an epoch, a sample and a node"
    whole = Run(made)
    whole.train(epochs)
    random = Random(1)

    def moment() -> tuple[int, int, str]:
        row = random.randrange(whole.updates_per_epoch)
        return random.randrange(epochs), row, random.choice(whole.order)

    whole.goto(*moment())  # not timed
    seconds = []
    for _ in range(jumps):
        epoch, sample, node = moment()
        start = time.perf_counter()
        whole.goto(epoch=epoch, sample=sample, node=node)
        seconds.append(time.perf_counter() - start)
    # The live run steps through all of its first two epochs, and through the last sample's nodes.
    compared = 0
    for number in range(looks):
        epoch, sample, node = moment()
        epoch = number % 2 if number < looks // 2 else epoch
        live = Run(made)
        if epoch >= 2:
            live.train(epoch)
        while (live.epoch, live.sample) < (epoch, sample):
            live.step()
        while live.step().node != node:
            pass
        whole.goto(epoch=epoch, sample=sample, node=node)
        wanted, found = live.values, whole.values
        same = wanted.keys() == found.keys() and all(
            np.array_equal(wanted[key], found[key], equal_nan=True) for key in wanted
        )
        compared += len(wanted)
        if not same:
            result.disagreements.append(
                f"goto: epoch {epoch}, sample {sample}, after '{node}' differs from the live run"
            )
    worst, size = max(seconds), whole.checkpoint_bytes
    result.rows = [
        Row(f"median of {jumps} jumps", median(seconds)),
        Row("the worst", worst),
        Row("checkpoints", text=f"{size / 1e6:.2f} MB"),
    ]
    result.targets = [
        Target("the worst jump", 5.0, worst * 1e3, unit=" ms"),
        Target("checkpoints", 10.0, size / 1e6, unit=" MB"),
    ]
    result.notes.append(f"{looks} moments, {compared} values, compared bit for bit with a live run")
    return result
