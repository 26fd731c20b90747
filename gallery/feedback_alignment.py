"""Feedback alignment: blame through random weights that are never trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

Floats = NDArray[np.float64]
SEEDS = range(5)


def aligned() -> nf.Graph:
    """Return the network of the exhibit."""
    return load("feedback-alignment")


def backpropagation() -> nf.Graph:
    """Return it with the wire of backpropagation: blame passes the output weights."""
    graph = aligned().disconnect("feedback.value", "hidden.blame.weights")
    return graph.connect("theta2.value", "hidden.blame.weights")


def signs() -> nf.Graph:
    """Return it with the signs of the output weights in their place (Q. Liao and others, 2016)."""
    graph = aligned().disconnect("feedback.value", "hidden.blame.weights")
    graph = graph.add("signs", "expression", formula="sign(weights)")
    graph = graph.connect("theta2.value", "signs.weights")
    return graph.connect("signs.value", "hidden.blame.weights")


def untaught() -> nf.Graph:
    """Return it with hidden neurons that keep their random weights: the updates are removed."""
    return aligned().remove("theta1.update", "bias1.update")


def accuracy(build: Callable[[], nf.Graph]) -> float:
    """Return the share of test rows that are read right, on average over the seeds."""
    found = []
    for seed in SEEDS:
        run = nf.Run(build(), seed=seed)
        found.append(run.train()[-1]["test_accuracy"])
    return float(np.mean(found))


def angle(run: nf.Run, judge: nf.Run) -> float:
    """Return the angle in degrees between the two blames, on average over the training rows.

    `judge` runs the same graph with all rows at once.
    """
    judge.set_weights(run.weights)
    judge.evaluate()
    sent, true = judge["hidden.blame.blame"], judge["true_blame.blame"]
    size = np.linalg.norm(sent, axis=1) * np.linalg.norm(true, axis=1)
    cosine = (sent * true).sum(axis=1) / size
    return float(np.degrees(np.arccos(cosine.clip(-1, 1))).mean())


def angles(seed: int) -> Floats:
    """Return the angle before training and after each epoch."""
    run, judge = nf.Run(aligned(), seed=seed), nf.Run(aligned(), seed=seed, batch="all")
    found = [angle(run, judge)]
    for _ in range(run.graph.training.epochs):
        run.train(1)
        found.append(angle(run, judge))
    return np.array(found)


def _curves(to: Path) -> None:
    with plots.figure(to, columns=2) as (left, right):
        for seed in SEEDS:
            left.plot(angles(seed), color=plots.COLOURS[0], alpha=0.6)
        left.axhline(90, color="0.5", linestyle="--", linewidth=1)
        left.set(xlabel="epoch", ylabel="angle between the blames (°)", ylim=(0, 100))
        for label, build in (
            ("backpropagation", backpropagation),
            ("feedback alignment", aligned),
            ("hidden weights kept", untaught),
        ):
            run = nf.Run(build())
            run.train()
            line = [100 * epoch["test_accuracy"] for epoch in run.history]
            right.plot(range(1, len(line) + 1), line, label=label)
        right.set(xlabel="epoch", ylabel="test rows right (%)", ylim=(0, 100))
        right.legend(loc="lower right", fontsize=9)


def exhibit() -> Exhibit:
    """Measure feedback alignment against backpropagation."""
    lines = np.array([angles(seed) for seed in SEEDS]).mean(axis=0)
    check = nf.check(aligned())
    faults = sum(node.status == "fault" for node in check.nodes.values())
    return Exhibit(
        title="Feedback alignment",
        about=(
            "Backpropagation sends blame back through the very weights that brought the values "
            "forward, which neurons can hardly do. T. Lillicrap, D. Cownden, D. Tweed and C. "
            "Akerman (Nature Communications 7:13276, 2016) found that fixed random weights serve "
            "as well: the forward weights come to agree with them. In nodeflow that is one wire, "
            "from another parameter into blame."
        ),
        graphs=("feedback-alignment",),
        commands=(
            "nodeflow train graphs/feedback-alignment.json",
            "nodeflow play graphs/feedback-alignment.json --samples 1 --speed 0",
            "nodeflow run graphs/feedback-alignment.json",
        ),
        look=(
            ("hidden.blame takes its weights from feedback, which has no update; everything else "
            "is as backpropagation has it."),
            ("Before training the two blames stand at a right angle, as random directions do; "
            "the angle falls within the first epochs, though nobody aims at it."),
            ("nodeflow check calls the gradients of theta1 and bias1 faulty, and they are: the "
            "network learns along something else than the slope."),
            "Hidden neurons that are not taught at all do worse: the random blame does teach.",
        ),
        numbers=(
            Number("test rows right by backpropagation (%), mean of 5 seeds",
                   100 * accuracy(backpropagation), "{:.1f}", within=1),
            Number("the same by feedback alignment", 100 * accuracy(aligned), "{:.1f}", within=1),
            Number("the same with the weights' signs only", 100 * accuracy(signs), "{:.1f}",
                   within=1),
            Number("the same with hidden weights kept", 100 * accuracy(untaught), "{:.1f}",
                   within=1),
            Number("angle between the blames before training (°)", lines[0], "{:.0f}"),
            Number("after 1 epoch (°)", lines[1], "{:.0f}", within=2),
            Number("after 5 epochs (°)", lines[5], "{:.0f}", within=2),
            Number("after 20 epochs (°)", lines[20], "{:.0f}", within=2),
            Number("gradients that the check calls faulty", faults, "{:.0f}"),
        ),
        pictures=(
            Picture("feedback-alignment-graph", "feedback in the place of theta2.",
                    graph=aligned()),
            Picture("feedback-alignment",
                    "The angle of five starts; the test rows that are read right.", draw=_curves),
        ),
    )  # fmt: skip
