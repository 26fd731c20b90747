"""Accuracy stands still while the weights move: wheat at a tenth of the rate."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

SEEDS, EPOCHS = range(10), 60
RATES = (0.01, 0.03, 0.1, 0.3)
FROM, TO = 15, 29
Floats = NDArray[np.float64]


def graph_at(rate: float, momentum: float = 0.0, *, adam: bool = False) -> nf.Graph:
    """Return the wheat network with another rate or trainer."""
    graph = load("wheat-plateau")
    if not adam:
        return graph.set("train", rate=rate, momentum=momentum)
    graph = graph.remove("train").add("train", "adam", rate=rate)
    return graph.connect("cost.cost", "train.cost")


@cache
def followed(rate: float, momentum: float = 0.0, *, adam: bool = False) -> tuple[Floats, Floats]:
    """Return accuracy in per cent and cost after each epoch, the mean of the seeds.

    They are those of all training rows with the weights that the epoch ends with; the history of
    a run has what each row met while the weights moved.
    """
    found = []
    for seed in SEEDS:
        run = nf.Run(graph_at(rate, momentum, adam=adam), seed=seed)
        line = []
        for _ in range(EPOCHS):
            run.train(1)
            cost, hits = run.machine.assess(test=False)
            line.append((100 * hits, cost))
        found.append(line)
    accuracy, cost = np.mean(found, axis=0).T
    return accuracy, cost


def outputs(run: nf.Run) -> tuple[Any, Any]:
    """Return outputs and targets of all training rows, as the weights stand."""
    split, w = run.machine.splits["data"], run.weights
    hidden = 1 / (1 + np.exp(-(split.x @ w["theta1.value"].T + w["bias1.value"])))
    a = 1 / (1 + np.exp(-(hidden @ w["theta2.value"].T + w["bias2.value"])))
    return a, split.y


@cache
def margins() -> Floats:
    """Return the mean margin over the training rows after each epoch, the mean of the seeds."""
    found = []
    for seed in SEEDS:
        run = nf.Run(graph_at(0.03), seed=seed)
        line = []
        for _ in range(EPOCHS):
            run.train(1)
            line.append(float(nf.margin(*outputs(run)).mean()))
        found.append(line)
    return np.mean(found, axis=0)


def _draw(to: Path) -> None:
    epochs = np.arange(1, EPOCHS + 1)
    with plots.figure(to, columns=2, wide=8.4) as (left, right):
        for rate in RATES:
            left.plot(epochs, followed(rate)[0], label=f"α = {rate:g}")
        left.plot(epochs, followed(0.03, 0.9)[0], "--", label="α = 0.03, momentum 0.9")
        left.plot(epochs, followed(0.003, adam=True)[0], ":", label="adam, α = 0.003")
        left.axvspan(FROM, TO, color="0.93", zorder=0)
        left.set(xlabel="epoch", ylabel="accuracy in %", ylim=(30, 101))
        left.legend(fontsize=8, loc="lower right")
        right.plot(epochs, followed(0.03)[1], label="cost")
        right.plot(epochs, margins(), label="margin")
        right.plot(epochs, followed(0.03)[0] / 100, label="accuracy, as a share")
        right.axvspan(FROM, TO, color="0.93", zorder=0)
        right.set(xlabel="epoch", ylabel="cost, margin, share right", ylim=(0, 1))
        right.set_title("α = 0.03", fontsize=10)
        right.legend(fontsize=8)


def exhibit() -> Exhibit:
    """Measure the plateau of accuracy."""
    accuracy, cost = followed(0.03)
    margin = margins()
    part = accuracy[FROM - 1 : TO]
    return Exhibit(
        title="Accuracy stands still, the weights do not",
        about=(
            "An architect who rebuilt backpropagation in Grasshopper watched the accuracy of his "
            "wheat network stand still for epochs on end, and wondered whether it still learned. "
            "It does. At a tenth of his rate accuracy stays near 70 % for fifteen epochs, while "
            "the cost goes on falling and the margin grows: how far the right output is above the "
            "best wrong one. Accuracy counts who is ahead, and moves only when somebody overtakes."
        ),
        graphs=("wheat-plateau",),
        commands=(
            "nodeflow train graphs/wheat-plateau.json",
            "nodeflow export graphs/wheat-plateau.json plateau.svg --epochs 60",
            "nodeflow saturated graphs/wheat-plateau.json --epochs 20",
        ),
        look=(
            (
                "The grey band is epochs 15 to 29: accuracy is flat, cost and margin are not. All "
                "three are of the weights at an epoch's end; a run's history has what the rows of "
                "an epoch met on the way, a little less."
            ),
            (
                "What is missing is one class: in the band two kinds of wheat are right nearly "
                "always and the third hardly ever. Its output is coming up all the while, and "
                "accuracy moves once it overtakes."
            ),
            (
                "Ten times the rate, or momentum of 0.9, is through it within a few epochs: the "
                "same way, taken faster. At a third of the rate it lasts beyond epoch 60."
            ),
        ),
        numbers=(
            _percent(f"lowest accuracy after epochs {FROM} to {TO}, mean of 10 seeds", part.min()),
            _percent(f"highest accuracy after epochs {FROM} to {TO}", part.max()),
            _percent(f"accuracy after epoch {EPOCHS}", accuracy[-1]),
            Number(f"cost after epoch {FROM}", float(cost[FROM - 1]), "{:.3f}", within=0.004),
            Number(f"cost after epoch {TO}", float(cost[TO - 1]), "{:.3f}", within=0.004),
            Number(f"margin after epoch {FROM}", float(margin[FROM - 1]), "{:.3f}", within=0.004),
            Number(f"margin after epoch {TO}", float(margin[TO - 1]), "{:.3f}", within=0.004),
            *(
                _percent(f"accuracy after epoch 30 at α = {rate:g}", followed(rate)[0][29])
                for rate in RATES
            ),
            _percent("the same at α = 0.03 with momentum 0.9", followed(0.03, 0.9)[0][29]),
            _percent("the same with adam at 0.003", followed(0.003, adam=True)[0][29]),
        ),
        pictures=(Picture("standing-still", "Means of ten seeds, training rows.", _draw),),
    )


def _percent(what: str, value: float) -> Number:
    return Number(what, float(value), "{:.1f} %", within=1.5)
