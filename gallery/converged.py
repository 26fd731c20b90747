"""Until the weights have converged, or all epochs are over: what "converged" can mean."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.playback.until import Ending, train_to_end

AT, TOLERANCE = 100, 1e-6
"""The epoch of the wheat network whose updates are looked at one by one."""


@cache
def ended() -> tuple[Ending, float]:
    """Return how the training of the one neuron ends, and its weight then."""
    graph = load("until-converged")
    run = nf.Run(graph)
    found = train_to_end(run, graph.training.epochs, tolerance=graph.training.tolerance)
    return found, float(run.weights["w.value"].item())


def foretold() -> int:
    """Return the epoch in which the step becomes no larger than the tolerance, by hand.

    What w lacks to 1/3 is multiplied by 0.55 an epoch, so that epoch t moves it by
    0.45 · 0.55^(t−1) · (0.8 − 1/3).
    """
    first = 0.45 * (0.8 - 1 / 3)
    return 1 + math.ceil(math.log(TOLERANCE / first) / math.log(0.55))


def _flat(run: nf.Run) -> NDArray[np.float64]:
    return np.concatenate([value.ravel() for value in run.weights.values()])


@cache
def by_epoch() -> tuple[float, ...]:
    """Return how far each of 300 epochs moves all weights of the wheat network together."""
    run = nf.Run(load("wheat-seeds"))
    found, before = [], _flat(run)
    for _ in range(300):
        run.train(1)
        after = _flat(run)
        found.append(float(np.linalg.norm(after - before)))
        before = after
    return tuple(found)


@cache
def by_update() -> tuple[float, ...]:
    """Return how far each update of epoch AT moves them."""
    run = nf.Run(load("wheat-seeds"))
    run.train(AT)
    found, before = [], _flat(run)
    for _ in range(run.schedule.updates_per_epoch):
        run.train(updates=1)
        after = _flat(run)
        found.append(float(np.linalg.norm(after - before)))
        before = after
    return tuple(found)


def _draw(to: Path) -> None:
    with plots.figure(to, wide=6.8) as axes:
        epochs = by_epoch()
        axes.plot(range(1, len(epochs) + 1), epochs, label="an epoch")
        updates = by_update()
        axes.plot(
            [AT + (n + 0.5) / len(updates) for n in range(len(updates))], updates, ".",
            markersize=2, label=f"each update of epoch {AT + 1}",
        )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xlabel("epoch")
        axes.set_ylabel("‖change of all weights‖")
        axes.legend()


def exhibit() -> Exhibit:
    """Measure when training ends."""
    ending, w = ended()
    updates, epochs = by_update(), by_epoch()
    return Exhibit(
        title="Until the weights have converged",
        about=(
            "“Repeat until the weights converge, or a maximum of epochs is reached”, say the "
            "slides. The single neuron can be foretold: every epoch takes w the same share of "
            "the way to 1/3, so the epoch in which it moves by less than a millionth follows "
            "from a logarithm. In a network that learns one sample at a time the question is "
            "what to look at. A sample that is right already moves next to nothing, and a rule "
            "that looked at a single update would stop there; so training.tolerance is about "
            "an epoch: ‖Θ(after) − Θ(before)‖ over all trained numbers."
        ),
        graphs=("until-converged", "wheat-seeds"),
        commands=(
            "nodeflow train graphs/until-converged.json",
            "nodeflow train graphs/wheat-seeds.json --tolerance 0.01",
            'nodeflow train graphs/xor.json --until "cost < 0.01" --epochs 5000',
        ),
        look=(
            (
                "The first command says converged after so many of 500 epochs; the second says "
                "that all epochs are over and the tolerance was not reached, with the change of "
                "the last epoch."
            ),
            (
                "More than half of the updates of an epoch change next to nothing, and one grain "
                "that is still wrong moves nearly as much as the whole epoch: no single sample "
                "says that training is done."
            ),
            (
                "One sample at a time the weights of wheat do not settle at this rate: after 300 "
                "epochs one still moves them by a third, while accuracy stands. A smaller rate, or "
                "all samples at once, lets them come to rest."
            ),
        ),
        numbers=(
            Number("one neuron: epochs to a tolerance of 10⁻⁶", ending.epochs, "{:.0f}"),
            Number("the same, foretold", foretold(), "{:.0f}"),
            Number("w then, on the way to 1/3", w, "{:.7f}"),
            Number(
                f"wheat: change of all weights in epoch {AT + 1}", epochs[AT], "{:.3f}",
                within=0.05,
            ),
            Number(
                "the largest change by an update of that epoch", max(updates), "{:.3f}",
                within=0.05,
            ),
            Number(
                "updates of that epoch that change less than 0.001 (of 139)",
                sum(change < 1e-3 for change in updates), "{:.0f}", within=20,
            ),
            Number("wheat: change in epoch 300", epochs[-1], "{:.3f}", within=0.05),
        ),
        pictures=(
            Picture("converged", "What an epoch changes, and what its updates do.", _draw),
        ),
    )  # fmt: skip
