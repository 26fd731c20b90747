"""More layers need more data; hidden units: the more the better. Measured."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import GRAPHS, Exhibit, Number, Picture
from nodeflow.networks import network

SEEDS, EPOCHS, LATE = 30, 100, 500
STUCK = 80.0
"""Accuracy in per cent below which a start counts as not yet under way."""
FEW = 6
"""Seeds for each point of the curves over rows."""
KEPT = {"wheat-seeds.csv": (0.83, 0.66, 0.34), "moons": (0.9, 0.75, 0.4)}
"""Fractions that are set apart, so that few, some or most rows are left to learn from."""


@cache
def accuracy(
    data: str, hidden: tuple[int, ...], test: float = 0.34, seeds: int = SEEDS
) -> tuple[float, float, int]:
    """Return accuracy on training and test rows in per cent, mean of seeds, and training rows."""
    found, rows = measured(data, hidden, test, seeds)
    train, apart, _ = found.mean(axis=0)
    return float(train), float(apart), rows


@cache
def measured(
    data: str,
    hidden: tuple[int, ...],
    test: float,
    seeds: int,
    epochs: int = EPOCHS,
    init: str = "uniform",
) -> tuple[NDArray[np.float64], int]:
    """Return accuracies in per cent, a line a seed, and the number of training rows.

    They are those on training and on test rows at the end, and that which the training rows of the
    last epoch met on their way, while the weights still moved.
    """
    found, rows = [], 0
    for seed in range(seeds):
        ends = (7, 3) if data.startswith("wheat") else (2, 2)
        graph = network(
            (ends[0], *hidden, ends[1]), data=data, folder=GRAPHS, seed=seed, test=test,
            rate=0.3, batch=1, init=init, scale="minmax",
        )  # fmt: skip
        run = nf.Run(graph)
        run.train(epochs)
        ended = [run.machine.assess(test=one)[1] for one in (False, True)]
        found.append([*ended, run.history[-1]["train_accuracy"]])
        rows = run.machine.rows
    return 100 * np.array(found), rows


def late(depth: int) -> float:
    """Return accuracy on training rows of wheat after many epochs, mean of the seeds."""
    found, _ = measured("wheat-seeds.csv", (5,) * depth, 0.34, SEEDS, LATE)
    return float(found[:, 0].mean())


def from_glorot(depth: int) -> tuple[float, float]:
    """Return accuracy on training rows of wheat from Glorot's weights: at the end, on the way."""
    found, _ = measured("wheat-seeds.csv", (5,) * depth, 0.34, SEEDS, init="glorot")
    return float(found[:, 0].mean()), float(found[:, 2].mean())


def stuck(depth: int, init: str = "uniform") -> int:
    """Return how many starts are below STUCK on the training rows of wheat."""
    found, _ = measured("wheat-seeds.csv", (5,) * depth, 0.34, SEEDS, init=init)
    return int((found[:, 0] < STUCK).sum())


def median(depth: int, init: str = "uniform") -> float:
    """Return the median accuracy on training rows of wheat."""
    found, _ = measured("wheat-seeds.csv", (5,) * depth, 0.34, SEEDS, init=init)
    return float(np.median(found[:, 0]))


def _draw(to: Path) -> None:
    with plots.figure(to, columns=2, wide=8.0) as parts:
        for axes, (data, fractions) in zip(parts, KEPT.items(), strict=True):
            for depth in (1, 2, 3):
                found = [accuracy(data, (5,) * depth, test, FEW) for test in fractions]
                rows, apart = [one[2] for one in found], [one[1] for one in found]
                label = f"{depth} hidden layer{'s' * (depth > 1)}"
                axes.plot(rows, apart, "o-", label=label)
            axes.set(xlabel="training rows", ylabel="accuracy on test rows in %", ylim=(30, 101),
                     title=data.removesuffix("-seeds.csv"))  # fmt: skip
        parts[0].legend(fontsize=8)


def exhibit() -> Exhibit:
    """Measure depth and width."""
    wheat = "wheat-seeds.csv"
    deep = {depth: accuracy(wheat, (5,) * depth) for depth in (1, 2, 3)}
    wide = {units: accuracy(wheat, (units,)) for units in (2, 5, 20)}
    few = {depth: accuracy(wheat, (5,) * depth, 0.83, FEW) for depth in (1, 3)}
    shape = {1: "7-5-3", 2: "7-5-5-3", 3: "7-5-5-5-3"}
    return Exhibit(
        title="Deeper or wider",
        about=(
            '"More layers need more data" and "hidden units: the more the better" are rules of '
            "thumb of the course. Both are measured here on the wheat seeds, 100 epochs at rate "
            "0.3 from uniform weights (±½), the mean of 30 starts; and over the number of training "
            "rows on wheat and on two moons, six starts a point. The three depths are measured "
            "from X. Glorot and Y. Bengio's weights as well, which `nodeflow new` takes unless "
            "another start is asked for."
        ),
        graphs=("wheat-seeds",),
        commands=(
            "nodeflow new deep.json --data wheat-seeds.csv --hidden 5 --depth 3 --test 0.34",
            "nodeflow train deep.json --epochs 100",
            'nodeflow sweep deep.json --set "*.init=uniform,glorot" --seeds 30 --epochs 100',
        ),
        look=(
            (
                "Each further layer costs accuracy even on the training rows. That is not too "
                "little data but too little blame: through each sigmoid passes a quarter of it at "
                "most, so that the first layers learn late. With three hidden layers some starts "
                "are hardly under way after 100 epochs, and they pull the mean down; with 500 "
                "most of it is made up."
            ),
            (
                "How much the third hidden layer costs is a matter of the start. Between layers of "
                "five Glorot's weights lie within ±0.77 and not within ±½: they send more "
                "blame back, no start is left behind, and most of the loss is gone. The sweep "
                "below has medians of both, which are closer together than the means: the gap "
                "comes from the starts that are left behind."
            ),
            (
                "It also matters when accuracy is measured. `train` counts at the end of the "
                "epoch; counted during the epoch, each row with the weights of its turn, it is "
                "half a point to a point less here, and that is what the history of a run has."
            ),
            (
                "On the few training rows the deeper network loses most, and more rows help it "
                "most, if only because an epoch has more updates then. The rule holds here, its "
                "usual reason (overfitting) is not what is seen."
            ),
            (
                '"The more the better" does not hold for hidden units here: two tell the kernels '
                "apart as well as five, and twenty gain less than starts differ."
            ),
        ),
        numbers=(
            *(
                Number(f"{shape[depth]}: accuracy on training rows", deep[depth][0], "{:.1f} %",
                       within=1.5)
                for depth in deep
            ),
            *(
                Number(f"{shape[depth]}: accuracy on test rows", deep[depth][1], "{:.1f} %",
                       within=1.5)
                for depth in deep
            ),
            Number(f"7-5-5-5-3: starts below {STUCK:.0f} % of the training rows (of {SEEDS})",
                   stuck(3), "{:.0f}", within=1),
            Number(f"7-5-5-5-3 from Glorot's weights: starts below {STUCK:.0f} %",
                   stuck(3, "glorot"), "{:.0f}", within=0),
            Number("7-5-5-5-3: median accuracy on training rows", median(3), "{:.1f} %",
                   within=1.5),
            Number("7-5-5-5-3 from Glorot's weights: median accuracy on training rows",
                   median(3, "glorot"), "{:.1f} %", within=1.5),
            *(
                Number(f"{shape[depth]} from Glorot's weights: accuracy on training rows",
                       from_glorot(depth)[0], "{:.1f} %", within=1.5)
                for depth in deep
            ),
            *(
                Number(f"{shape[depth]} from Glorot's weights: counted during epoch {EPOCHS}",
                       from_glorot(depth)[1], "{:.1f} %", within=1.5)
                for depth in deep
            ),
            *(
                Number(f"{shape[depth]}: training rows after {LATE} epochs", late(depth),
                       "{:.1f} %", within=1.5)
                for depth in deep
            ),
            *(
                Number(f"7-{units}-3: accuracy on test rows", wide[units][1], "{:.1f} %",
                       within=1.5)
                for units in (2, 20)
            ),
            *(
                Number(f"{shape[depth]} on {few[depth][2]} rows: accuracy on test rows",
                       few[depth][1], "{:.1f} %", within=3)
                for depth in few
            ),
        ),
        pictures=(Picture("depth", "Layers of five neurons; means of six starts.", _draw),),
    )  # fmt: skip
