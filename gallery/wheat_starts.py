"""Initial weights of the network for wheat seeds, and a landscape with four minima."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.views import Viewer
from nodeflow.views.landscape import Landscape

SEEDS, EPOCHS, LATE, RATE = 30, 40, 250, 0.03
STARTS = ("glorot", "uniform", "constant", "naive_bayes", "zeros")
CONSTANT = 0.3


def graph(start: str) -> nf.Graph:
    """Return the wheat network at a low rate from a start."""
    made = load("wheat-seeds").set("train", rate=RATE)
    for key in ("theta1", "bias1", "theta2", "bias2"):
        if start == "naive_bayes" and key.endswith("2"):
            continue  # it says nothing of a layer behind the first
        value: dict[str, Any] = {"value": CONSTANT} if start == "constant" else {}
        made = made.set(key, init=start, **value)
    return made


@cache
def followed(start: str) -> Any:
    """Return accuracy on training rows in per cent over the epochs, mean of the seeds."""
    found = []
    for seed in range(SEEDS):
        run = nf.Run(graph(start), seed=seed)
        run.train(LATE)
        found.append([line["train_accuracy"] for line in run.history])
    return 100 * np.mean(found, axis=0)


def slopes(start: str) -> float:
    """Return the mean slope a(1 − a) of the hidden neurons over the training rows, at the start."""
    found = []
    for seed in range(SEEDS):
        run = nf.Run(graph(start), seed=seed)
        split, w = run.machine.splits["data"], run.weights
        a = 1 / (1 + np.exp(-(split.x @ w["theta1.value"].T + w["bias1.value"])))
        found.append(float((a * (1 - a)).mean()))
    return float(np.mean(found))


def _named(start: str) -> str:
    return "Naive Bayes" if start == "naive_bayes" else start


@cache
def landscape() -> Landscape:
    """Return what the landscape shows at the start."""
    run = nf.Run(load("landscape"))
    run.evaluate()
    found = Viewer(run.plan.graph).look("J_over_w", run.values, run.weights)
    if not isinstance(found, Landscape):
        raise TypeError(found)
    return found


def ends(x: float, y: float) -> tuple[float, float, float]:
    """Return where training from two weights ends, and its cost."""
    made = load("landscape").set("w1", value=[[x]]).set("w2", value=[[y]])
    run = nf.Run(made)
    run.train(4_000)
    w = run.weights
    return w["w1.value"].item(), w["w2.value"].item(), run.machine.assess(test=False)[0]


def _draw(to: Path) -> None:
    epochs = np.arange(1, LATE + 1)
    with plots.figure(to, wide=6.8) as axes:
        for start in STARTS:
            label = "constant, 0.3" if start == "constant" else _named(start)
            axes.plot(epochs, followed(start), label=label)
        axes.axvline(EPOCHS, color="grey", lw=0.8, ls="--")
        axes.set(xscale="log", xlabel="epoch", ylabel="accuracy in %", ylim=(30, 101))
        axes.set_xticks([1, 5, 10, 40, 100, 250], ["1", "5", "10", "40", "100", "250"])
        axes.minorticks_off()
        axes.legend(fontsize=8, loc="upper left")


def exhibit() -> Exhibit:
    """Measure the starts."""
    seen = landscape()
    far, near = ends(-7.0, -7.0), ends(1.0, 1.0)
    return Exhibit(
        title="Starts of the wheat network",
        about=(
            "Naive Bayes gives a network its first weights from the means and variances of the "
            "classes, and without a hidden layer it tells irises apart before it is trained. "
            "With a hidden layer it is another matter. On the 7-5-3 for wheat seeds that an "
            "architect wired in Grasshopper, at a tenth of his rate so that the starts can be told "
            "apart, it is ahead for a few epochs and then stands still; in the end it comes last. "
            "And the landscape: one sigmoid neuron with squared error can have 2ᵈ minima for its d "
            "weights, if the samples are chosen for it (P. Auer, M. Herbster and M. Warmuth, "
            "1996). Here two weights have four."
        ),
        graphs=("wheat-seeds", "wheat-naive-bayes", "landscape"),
        commands=(
            "nodeflow train graphs/wheat-naive-bayes.json --epochs 40",
            "nodeflow saturated graphs/wheat-naive-bayes.json",
            "nodeflow run graphs/landscape.json",
            "nodeflow train graphs/landscape.json --epochs 300",
        ),
        look=(
            (
                "A Naive Bayes neuron is as sure as the data make it: its weights are means "
                "divided by variances, its hidden activations lie at 0 or 1, and there the slope "
                "that lets blame through is small. It helps where its layer is the last one, "
                "whose outputs it then has nearly right; before a second layer that starts at "
                "random it only saturates. Its five neurons know three classes: the fourth and the "
                "fifth start as copies of the first two."
            ),
            (
                "Constant starts are a symmetry like zeros: all hidden neurons get the same blame "
                "and stay one neuron. That one gets to 86 % in the end, as from zeros: more than "
                "Naive Bayes, less than five that differ."
            ),
            (
                "In the landscape the axes have two minima each and each pair of them is one of "
                "the four; from (−7, −7) training ends in the worst of them and stays there."
            ),
        ),
        numbers=(
            *(
                Number(f"{_named(start)}: accuracy after {EPOCHS} epochs",
                       float(followed(start)[EPOCHS - 1]), "{:.1f} %", within=1.5)
                for start in STARTS
            ),
            *(
                Number(f"{_named(start)}: accuracy after {LATE} epochs",
                       float(followed(start)[LATE - 1]), "{:.1f} %", within=1.5)
                for start in STARTS
            ),
            *(
                Number(f"{_named(start)}: mean slope of the hidden neurons at the start",
                       slopes(start), "{:.3f}", within=0.002)
                for start in ("glorot", "uniform", "naive_bayes")
            ),
            Number("landscape: minima", len(seen.minima), "{:.0f}", "2² = 4"),
            Number("landscape: J at the end from (1, 1)", near[2], "{:.4f}"),
            Number("landscape: J at the end from (−7, −7)", far[2], "{:.4f}"),
        ),
        pictures=(
            Picture("wheat-starts", "Means of 30 seeds at α = 0.03.", _draw),
            Picture("landscape", "J over two weights: four minima, and where training stands.",
                    graph=load("landscape"), epochs=0),
        ),
    )  # fmt: skip
