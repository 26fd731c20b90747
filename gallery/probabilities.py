"""Probabilities: softmax on the wheat seeds, its shares as bars."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.views import Viewer
from nodeflow.views.bars import Bars, barred

EPOCHS = 100


@cache
def trained() -> nf.Run:
    """Return the network after its training."""
    run = nf.Run(load("wheat-softmax"))
    run.train()
    return run


def shares(run: nf.Run) -> tuple[Any, Any]:
    """Return the probabilities of the test rows, and their targets."""
    split, w = run.machine.splits["data"], run.weights
    hidden = 1 / (1 + np.exp(-(split.x_test @ w["theta1.value"].T + w["bias1.value"])))
    z = hidden @ w["theta2.value"].T + w["bias2.value"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), split.y_test


def least_sure() -> tuple[Bars, str]:
    """Return the bars of the test row whose best share is smallest, and its class."""
    run = trained()
    found, targets = shares(run)
    row = int(found.max(axis=1).argmin())
    names = run.machine.splits["data"].classes
    return barred(names, found[row]), names[int(targets[row].argmax())]


def rows_to_show() -> tuple[tuple[str, int], ...]:
    """Return test rows worth looking at: the least sure, and the surest that is wrong."""
    found, targets = shares(trained())
    best, wrong = found.max(axis=1), found.argmax(axis=1) != targets.argmax(axis=1)
    return (
        ("the least sure", int(best.argmin())),
        ("the surest wrong one", int(np.where(wrong, best, 0).argmax())),
    )


def _draw(to: Path) -> None:
    found, targets = shares(trained())
    names = trained().machine.splits["data"].classes
    with plots.figure(to, columns=2, wide=7.2, high=1.9) as parts:
        for axes, (which, row) in zip(parts, rows_to_show(), strict=True):
            bars = barred(names, found[row])
            colours = [plots.COLOURS[1] if at == bars.best else "0.75" for at in range(len(names))]
            axes.barh(names, 100 * found[row], color=colours)
            for at, share in enumerate(found[row].tolist()):
                mark = " ←" if at == bars.best else ""
                axes.text(100 * share + 1.5, at, f"{bars.text(share)}{mark}", va="center")
            axes.set(xlim=(0, 118), xticks=[0, 50, 100], xlabel="%", ylabel="class")
            axes.set_title(f"{which}: is of class {names[int(targets[row].argmax())]}", fontsize=10)
            axes.invert_yaxis()
            axes.grid(visible=False)


def confusion() -> Any:
    """Return what the confusion view shows."""
    run = trained()
    run.evaluate()
    viewer = Viewer(run.plan.graph, run.plan.inference.tables)
    return viewer.look("taken_for", run.values, run.weights)


def exhibit() -> Exhibit:
    """Measure the probabilities."""
    run = trained()
    found, targets = shares(run)
    right = found.argmax(axis=1) == targets.argmax(axis=1)
    best = found.max(axis=1)
    bars, truth = least_sure()
    counts = confusion()
    return Exhibit(
        title="Probabilities",
        about=(
            "Three sigmoids answer three questions, each for itself, and need not add up to "
            "anything. Softmax makes shares of them that add up to 1; trained with cross-entropy "
            "they may be read as probabilities, so far as the network is right about how sure it "
            "is. The bars show them with the classes' names, the largest marked. The seeds file "
            "calls its classes 1, 2 and 3 (Kama, Rosa, Canadian)."
        ),
        graphs=("wheat-softmax",),
        commands=(
            "nodeflow train graphs/wheat-softmax.json",
            "nodeflow run graphs/wheat-softmax.json",
            "nodeflow play graphs/wheat-softmax.json --from 100 --samples 1 --speed 0",
            "nodeflow export graphs/wheat-softmax.json wheat.svg --epochs 100",
        ),
        look=(
            (
                f"The least sure answer on a test row is {bars.sentence}; the grain is of class "
                f"{truth}."
            ),
            (
                "Where the network is wrong it is as sure as where it is right: compare the two "
                "means above. Six of 71 grains are few, but the warning is worth having."
            ),
            "A share near 100 % says how the network was trained, not that it must be right.",
        ),
        numbers=(
            Number("accuracy on test rows", 100 * float(right.mean()), "{:.1f} %", within=3),
            Number(
                "training rows right, by the confusion", counts.right[0], "{:.0f}", within=3
            ),
            Number("of training rows", counts.right[1], "{:.0f}"),
            Number(
                "mean share of the best class where it is right",
                100 * float(best[right].mean()),
                "{:.1f} %",
                within=2,
            ),
            Number(
                "mean share of the best class where it is wrong",
                100 * float(best[~right].mean()),
                "{:.1f} %",
                within=8,
            ),
            Number(
                "farthest that shares are from adding up to 1",
                float(np.abs(found.sum(axis=1) - 1).max()),
                "{:.0e}",
                within=1e-15,
            ),
        ),
        pictures=(
            Picture("probabilities", "After 100 epochs, at the first row of the next.",
                    graph=load("wheat-softmax"), epochs=EPOCHS),
            Picture("probabilities-bars", "Two test rows.", _draw),
        ),
    )  # fmt: skip
