"""λ on a slider: accuracy over it, and the hidden units at each."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

LAMBDAS = (0.0, 0.001, 0.003, 0.01)
SEEDS, SIDE = 3, 8


@cache
def trained(penalty: float, seed: int) -> nf.Run:
    """Return the network after its training at a λ."""
    run = nf.Run(load("lambda").set("λ", value=penalty), seed=seed)
    run.train()
    return run


def accuracy(penalty: float) -> tuple[float, float]:
    """Return accuracy on training and test rows in per cent, mean of the seeds."""
    runs = [trained(penalty, seed) for seed in range(SEEDS)]
    found = [[run.machine.assess(test=test)[1] for test in (False, True)] for run in runs]
    train, test = 100 * np.mean(found, axis=0)
    return float(train), float(test)


def unused(penalty: float) -> tuple[int, float, float]:
    """Return how many pixels no digit uses, the mean size of their weights and of the others'."""
    run = trained(penalty, 0)
    dead = without_use(penalty)
    sizes = np.abs(run.weights["theta1.value"])
    return int(dead.sum()), float(sizes[:, dead].mean()), float(sizes[:, ~dead].mean())


def without_use(penalty: float) -> NDArray[np.bool_]:
    """Return which pixels are the same in every training row."""
    return np.asarray(trained(penalty, 0).machine.splits["data"].x.std(axis=0) == 0)


def _sizes(axes: Any, penalty: float, largest: float) -> Any:
    """Show how large the weights of each pixel are, those without use framed."""
    sizes = np.abs(trained(penalty, 0).weights["theta1.value"]).mean(axis=0)
    shown = axes.imshow(sizes.reshape(SIDE, SIDE), cmap="Greys", vmin=0, vmax=largest)
    for place in np.flatnonzero(without_use(penalty)).tolist():
        corner = (place % SIDE - 0.5, place // SIDE - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=plots.COLOURS[1], lw=1.8))
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.set_title(f"mean |Θ|, λ = {penalty:g}", fontsize=9)
    return shown


def _draw(to: Path) -> None:
    with plots.figure(to, columns=4, rows=2, wide=9.6, high=5.0) as ((curve, *maps), sheets):
        found = [accuracy(penalty) for penalty in LAMBDAS]
        places = range(len(LAMBDAS))
        curve.plot(places, [one[0] for one in found], "o-", label="training rows")
        curve.plot(places, [one[1] for one in found], "o-", label="test rows")
        curve.set_xticks(places, [f"{penalty:g}" for penalty in LAMBDAS], rotation=40)
        curve.set(xlabel="λ")
        curve.set_title("accuracy in %", fontsize=9)
        curve.legend(fontsize=8, loc="lower left")
        for axes, penalty in zip(maps, (0.0, 0.001, 0.01), strict=True):
            shown = _sizes(axes, penalty, 1.0)
        axes.figure.colorbar(shown, ax=maps, shrink=0.8)
        for axes, penalty in zip(sheets, LAMBDAS, strict=True):
            plots.tiles(axes, trained(penalty, 0).weights["theta1.value"], SIDE, 5)
            axes.set_title(f"25 hidden units, λ = {penalty:g}", fontsize=9)


def exhibit() -> Exhibit:
    """Measure the regularization."""
    found = {penalty: accuracy(penalty) for penalty in LAMBDAS}
    count, kept, others = unused(0.0)
    _, gone, _ = unused(0.001)
    start = np.abs(nf.Run(load("lambda")).weights["theta1.value"])
    dead = without_use(0.0)
    return Exhibit(
        title="λ on a slider",
        about=(
            "A penalty λ/2 · Σ Θ² makes large weights cost something. Here it is wired by hand, "
            "so that λ is a slider: 64-25-10 on 180 of the digits that come with scikit-learn, "
            "few enough to be learnt by heart, and 1,617 others to see what that is worth."
        ),
        graphs=("lambda", "lambda-twins"),
        commands=(
            "nodeflow train graphs/lambda.json",
            "nodeflow export graphs/lambda.json lambda.svg --epochs 100",
            "nodeflow sweep graphs/lambda.json --set λ.value=0,0.001,0.003,0.01 --seeds 3",
        ),
        look=(
            (
                "A little λ takes nothing from the training rows and adds next to nothing on the "
                "others: a digit in a thousand, less than starts differ. Too much "
                "takes from both. Whoever expects λ to mend a network that has too few rows is "
                "disappointed here."
            ),
            (
                "What it does to the weights is plain in grey: all of them shrink, at the edge to "
                "nearly nothing. The pictures of the hidden units, each scaled by its own largest "
                "weight, keep their strokes and lose some noise."
            ),
            (
                f"{count} pixels at the edge are the same in every training row. "
                "Without λ their weights stay what chance made of them, for no gradient reaches "
                "them; with any λ they fade, and they are the palest places of the picture. "
                "So the weights tell which places have no use."
            ),
        ),
        numbers=(
            *(
                Number(f"λ = {penalty:g}: accuracy on training rows", found[penalty][0],
                       "{:.1f} %", within=1)
                for penalty in LAMBDAS
            ),
            *(
                Number(f"λ = {penalty:g}: accuracy on test rows", found[penalty][1], "{:.1f} %",
                       within=1)
                for penalty in LAMBDAS
            ),
            Number("pixels that no training row uses", count, "{:.0f}"),
            Number("their weights' mean size at the start", float(start[:, dead].mean()),
                   "{:.4f}"),
            Number("the same after training at λ = 0", kept, "{:.4f}"),
            Number("the same at λ = 0.001", gone, "{:.4f}", within=0.0005),
            Number("mean size of the other weights at λ = 0", others, "{:.3f}", within=0.01),
        ),
        pictures=(
            Picture("lambda-graph", "The penalty as nodes.", graph=load("lambda"), epochs=0),
            Picture("lambda.png",
                    "Accuracy over λ; mean size of each pixel's weights, those without use framed; "
                    "the 25 hidden units at each λ.", _draw),
        ),
    )  # fmt: skip
