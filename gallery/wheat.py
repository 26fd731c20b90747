"""Wheat seeds: 7-5-3 neuron by neuron, each step of forward and backward pass a node."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

SEEDS = range(10)
EARLY, LATE = 25, 500


@cache
def accuracies() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return accuracy on training and test rows: a row a seed, a column an epoch."""
    graph = load("wheat-seeds")
    found = []
    for seed in SEEDS:
        run = nf.Run(graph, seed=seed)
        run.train(LATE)
        found.append([(line["train_accuracy"], line["test_accuracy"]) for line in run.history])
    table = 100 * np.array(found)
    return table[:, :, 0], table[:, :, 1]


def farthest_weight(epochs: int) -> float:
    """Return the largest difference of a weight, by neurons and by layers, after so many epochs."""
    layers, neurons = nf.Run(load("wheat-seeds")), nf.Run(load("wheat-seeds-neurons-unfolded"))
    layers.train(epochs)
    neurons.train(epochs)
    parts = neurons.weights
    return max(
        float(np.abs(parts[f"{address.removesuffix('.value')}.{row}.value"] - value).max())
        for address, whole in layers.weights.items()
        for row, value in enumerate(whole, 1)
    )


def draw(path: Path) -> None:
    """Plot accuracy over epochs: the mean of all seeds, and how far they are apart."""
    epochs = np.arange(1, LATE + 1)
    with plots.figure(path) as axes:
        for name, rows in zip(("training rows", "test rows"), accuracies(), strict=True):
            (line,) = axes.plot(epochs, rows.mean(axis=0), label=name)
            low, high = rows.min(axis=0), rows.max(axis=0)
            axes.fill_between(epochs, low, high, color=line.get_color(), alpha=0.15, lw=0)
        axes.axvline(EARLY, color="grey", lw=0.8, ls="--")
        axes.text(EARLY * 1.05, 32, f"epoch {EARLY}", color="grey")
        axes.set(xscale="log", xlabel="epoch", ylabel="accuracy in %", ylim=(30, 101))
        axes.set_xticks([1, 5, 25, 100, 500], ["1", "5", "25", "100", "500"])
        axes.minorticks_off()
        axes.legend(loc="lower right")


def _percent(what: str, value: float, published: str = "") -> Number:
    return Number(what, float(value), "{:.1f} %", published, within=1.5)


def exhibit() -> Exhibit:
    """Measure the wheat seeds, by layers and by neurons."""
    whole = load("wheat-seeds-neurons-unfolded")
    train, test = accuracies()
    early, late = test[:, EARLY - 1], test[:, LATE - 1]
    return Exhibit(
        title="The wheat seeds deconstruction",
        about="Three kinds of wheat are told apart by seven measurements of a kernel. The data, "
        "the shape 7-5-3, the rate 0.3 and the 500 epochs are those of J. Brownlee's tutorial on "
        "backpropagation from scratch; taking it apart until every weighted sum, sigmoid, error, "
        "delta and update is a node is what an architect does in Grasshopper. Nothing is hidden "
        "in a trainer, and the numbers are those of the network that has two layers.",
        graphs=("wheat-seeds-neurons-unfolded", "wheat-seeds"),
        commands=(
            "nodeflow play graphs/wheat-seeds-neurons-unfolded.json --samples 1",
            "nodeflow train graphs/wheat-seeds-neurons-unfolded.json --epochs 25",
            "nodeflow train graphs/wheat-seeds-neurons-unfolded.json --json",
        ),
        look=(
            (
                "hidden.3 has a blame from each of the three output neurons (hidden.3.blame.1, .2, "
                ".3); they are added up before hidden.3.delta multiplies them by the slope."
            ),
            (
                "Within 25 epochs accuracy climbs from guessing to nine grains of ten; the other "
                "475 epochs gain a few grains."
            ),
            (
                'With --json the weights are a dictionary: "theta1.3.value" is what hidden.3 has '
                "learnt about the seven measurements, and Python has the same in run.weights."
            ),
        ),
        numbers=(
            Number("nodes", len(whole.nodes), "{:.0f}"),
            Number("wires", len(whole.wires), "{:.0f}"),
            Number(
                "largest difference from the layers' weights after 25 epochs",
                farthest_weight(EARLY),
                "{:.0e}",
                within=1e-12,
            ),
            _percent("accuracy on test rows after 25 epochs, mean of 10 seeds", early.mean()),
            _percent(
                "accuracy on test rows after 500 epochs, mean of 10 seeds",
                late.mean(),
                "93.3 to 95.2 %",
            ),
            _percent("the same, worst seed", late.min()),
            _percent("the same, best seed", late.max()),
            _percent("accuracy on training rows in epoch 500, mean", train[:, LATE - 1].mean()),
        ),
        pictures=(
            Picture(
                "wheat-accuracy",
                "Accuracy over 500 epochs: the mean of ten seeds, and the span from the worst to "
                "the best.",
                draw,
            ),
            Picture("wheat-seeds-neurons-unfolded", "Every step is a node.", graph=whole),
        ),
    )
