"""Where training starts: symmetry, plateaus, local minima, saturation, and a start from data."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from gallery.shapes import accuracy, draw_boundary, trained

Floats = NDArray[np.float64]
SEEDS = 100
STUCK = 0.05
"""Cost above which a start of exclusive or counts as stuck; the others end far below."""
STARTS = ("huge", "glorot", "naive-bayes")


def spread(run: nf.Run) -> float:
    """Return how far the hidden neurons are apart: the largest difference of their weights."""
    weights = run.weights
    neurons = np.column_stack(
        [weights["theta1.value"], weights["bias1.value"], weights["theta2.value"].T]
    )
    return float(np.ptp(neurons, axis=0).max())


def costs(run: nf.Run) -> Floats:
    """Return the cost of each epoch."""
    return np.array([line["cost"] for line in run.history])


def now(run: nf.Run) -> float:
    """Return the cost of the training rows as the weights stand."""
    return run.machine.assess(test=False)[0]


@cache
def endings(seeds: int) -> Floats:
    """Return the cost at which exclusive or ends from each of so many starts."""
    graph = load("xor")
    found = []
    for seed in range(seeds):
        run = nf.Run(graph, seed=seed)
        run.train()
        found.append(now(run))
    return np.array(found)


def from_starts(epochs: int = 20) -> dict[str, Floats]:
    """Return the cost on iris before training and after each epoch, from each start."""
    found = {}
    for name in STARTS:
        run = nf.Run(load(f"starts-{name}"))
        line = [now(run)]
        for _ in range(epochs):
            run.train(1)
            line.append(now(run))
        found[name] = np.array(line)
    return found


def falls(run: nf.Run, below: float) -> int:
    """Return the first epoch whose cost is below a number."""
    return int(np.argmax(costs(run) < below)) + 1


def _symmetry(to: Path) -> None:
    with plots.figure(to, columns=2, high=3.6) as axes:
        for one, name in zip(axes, ("symmetry-zeros", "symmetry-random"), strict=True):
            draw_boundary(one, trained(name), -1.2, 1.2)
            one.set_title(name)


def _plateau(to: Path) -> None:
    with plots.figure(to) as axes:
        slow = trained("plateau")
        axes.plot(costs(slow), label="rate 0.1")
        fast = nf.Run(load("plateau").set("train", rate=1.0))
        fast.train()
        axes.plot(costs(fast), label="rate 1")
        axes.set(xlabel="epoch", ylabel="cost", ylim=(0, 0.28))
        axes.legend()


def _endings(to: Path) -> None:
    with plots.figure(to) as axes:
        axes.plot(np.sort(endings(SEEDS)), "o", markersize=3)
        axes.axhline(STUCK, color="0.5", linestyle="--", linewidth=1)
        axes.annotate("stuck above", (0, STUCK), xytext=(0, 4), textcoords="offset points")
        axes.set(xlabel="starts, best first", ylabel="cost at the end")


def _starts(to: Path) -> None:
    with plots.figure(to) as axes:
        for name, line in from_starts().items():
            axes.semilogy(line, label=name)
        axes.set(xlabel="epoch", ylabel="cost", xticks=range(0, 21, 5))
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.1))


def exhibit() -> Exhibit:
    """Measure the starts."""
    zeros, random, plateau = map(trained, ("symmetry-zeros", "symmetry-random", "plateau"))
    start = from_starts()
    bayes = nf.Run(load("starts-naive-bayes"))
    return Exhibit(
        title="Where training starts",
        about=(
            "The same network learns everything or nothing, depending on the weights it starts "
            "from. Equal weights stay equal (D. Rumelhart, G. Hinton and R. Williams, 1986), huge "
            "ones saturate their neurons (X. Glorot and Y. Bengio, 2010), some starts of exclusive "
            "or end in a local minimum, others stand on a plateau for thousands of epochs first."
        ),
        graphs=(
            "symmetry-zeros",
            "symmetry-random",
            "plateau",
            "xor",
            "starts-huge",
            "starts-glorot",
            "starts-naive-bayes",
        ),
        commands=(
            "nodeflow train graphs/symmetry-zeros.json",
            "nodeflow diff graphs/symmetry-zeros.json graphs/symmetry-random.json",
            "nodeflow train graphs/xor.json --seed 9",
            "nodeflow train graphs/plateau.json",
            "nodeflow train graphs/starts-naive-bayes.json --epochs 1",
        ),
        look=(
            ("In symmetry-zeros the four rows of theta1 keep the same numbers for ever, and so do "
            "the columns of theta2: the boundary is one straight line."),
            "symmetry-random differs in nothing but init, and closes the boundary.",
            ("The plateau's cost stays near 0.25 for thousands of epochs and then falls; with ten "
            "times the rate it does the same in a tenth of the epochs."),
            ("Seed 9 of xor is stuck: (0, 1), (1, 0) and (1, 1) are given one answer, and no small "
            "step tells them apart."),
            ("starts-huge has nearly the same cost after 20 epochs; starts-naive-bayes tells the "
            "flowers apart before it is trained."),
        ),
        numbers=(
            Number("symmetry-zeros: hidden neurons farthest apart", spread(zeros), "{:.0f}"),
            Number("symmetry-random: hidden neurons farthest apart", spread(random), within=0.5),
            Number("symmetry-zeros: test points right (%)", 100 * accuracy(zeros, test=True),
                   "{:.0f}", within=4),
            Number("symmetry-random: test points right (%)", 100 * accuracy(random, test=True),
                   "{:.0f}", within=2),
            Number("plateau: first epoch with a cost below 0.24", falls(plateau, 0.24), "{:.0f}",
                   within=20),
            Number("plateau: first epoch with a cost below 0.02", falls(plateau, 0.02), "{:.0f}",
                   within=40),
            Number(f"xor: share of {SEEDS} starts that get stuck (%)",
                   100 * (endings(SEEDS) > STUCK).mean(), "{:.1f}", within=2),
            Number("iris, cost after 20 epochs from huge weights", start["huge"][-1], within=0.001),
            Number("the same from glorot's", start["glorot"][-1], within=0.001),
            Number("the same from naive Bayes", start["naive-bayes"][-1], within=0.0001),
            Number("naive Bayes: training rows right before training (%)", 100 * accuracy(bayes),
                   "{:.1f}"),
        ),
        pictures=(
            Picture("symmetry-graph", "The network of both.", graph=load("symmetry-zeros")),
            Picture("symmetry.png", "Four neurons that are one, four that differ.", draw=_symmetry),
            Picture("plateau", "A long way at one height, then down.", draw=_plateau),
            Picture("minima", f"Where {SEEDS} starts of exclusive or end.", draw=_endings),
            Picture("starts", "One network on iris from three starts.", draw=_starts),
        ),
    )  # fmt: skip
