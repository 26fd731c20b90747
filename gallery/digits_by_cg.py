"""A. Ng's digits: 400-25-10 by conjugate gradients, and the same learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from gallery.four_layers import farthest_gradient

SIDE, COLUMNS = 20, 5


@dataclass(frozen=True)
class Trained:
    """A network after its iterations: cost and accuracy in %, and the run they are of."""

    run: nf.Run
    cost: float
    accuracy: float
    test_cost: float
    test_accuracy: float


@cache
def trained(name: str) -> Trained:
    """Train one of the digits' networks as its file says."""
    run = nf.Run(load(name))
    run.train(run.graph.training.epochs)
    cost, hits = run.machine.assess(test=False)
    test_cost, test_hits = run.machine.assess(test=True)
    return Trained(run, cost, 100 * hits, test_cost, 100 * test_hits)


def reached(share: float) -> int:
    """Return after how many iterations that share of the training rows is right."""
    lines = trained("ng-digits").run.history
    # A line has what was met before its iteration.
    return next(
        (line["epoch"] - 1 for line in lines if line["train_accuracy"] >= share), len(lines)
    )


def draw_units(path: Path) -> None:
    """Show the weights of the 25 hidden units as images, with λ = 1 and with λ = 0."""
    with plots.figure(path, columns=2, high=3.5) as both:
        titles = ("λ = 1, 50 iterations", "λ = 0, 120 iterations")
        for axes, name, title in zip(both, ("ng-digits", "ng-digits-overfit"), titles, strict=True):
            units = trained(name).run.weights["theta1.value"]
            plots.tiles(axes, units, SIDE, COLUMNS)
            axes.set_title(title, fontsize=10)


def draw_curves(path: Path) -> None:
    """Plot what the test rows cost, and how many are right, over the iterations."""
    with plots.figure(path, columns=2) as (left, right):
        for name, label in (("ng-digits", "λ = 1"), ("ng-digits-overfit", "λ = 0")):
            lines = trained(name).run.history
            iterations = np.arange(1, len(lines) + 1)
            left.plot(iterations, [line["test_cost"] for line in lines], label=label)
            hits = [100 * line["test_accuracy"] for line in lines]
            right.plot(iterations, hits, label=label)
        left.set(xlabel="iteration", ylabel="cost of the test rows", ylim=(0, 2))
        right.set(xlabel="iteration", ylabel="test accuracy in %", ylim=(70, 96))
        left.legend()


def _percent(what: str, value: float, published: str = "") -> Number:
    return Number(what, value, "{:.1f} %", published, within=1.5)


def exhibit() -> Exhibit:
    """Measure the digits with and without regularization."""
    good, heart = trained("ng-digits"), trained("ng-digits-overfit")
    size, wild = (float(np.linalg.norm(one.run.weights["theta1.value"])) for one in (good, heart))
    return Exhibit(
        title="Digits by conjugate gradients",
        about="Exercises 3 and 4 of A. Ng's Machine Learning course: 400 pixels, 25 hidden "
        "units, 10 digits, cross-entropy with λ = 1, minimised over all 5,000 examples at once by "
        "conjugate gradients. His examples are taken from MNIST, and so are these: 500 of each "
        "digit with their empty margins cut off, and 1,000 more which no network here has seen. "
        "As the exercise suggests, a second network goes without λ and goes on for longer.",
        graphs=("ng-digits", "ng-digits-overfit", "ng-digits-loop"),
        commands=(
            "nodeflow train graphs/ng-digits.json",
            "nodeflow train graphs/ng-digits-overfit.json",
            "nodeflow train graphs/ng-digits-loop.json",
            "nodeflow check graphs/ng-digits.json",
        ),
        look=(
            (
                "The node hidden_units shows each row of theta1 as an image: with λ = 1 most of "
                "them have strokes and spots; without λ most are speckled, and fit single examples."
            ),
            (
                "Without λ the cost of the test rows is least at about iteration 40 and then "
                "rises for good, while that of the training rows goes to nothing: overfitting."
            ),
            (
                "SciPy's conjugate gradients get further in 50 iterations than the exercise's "
                "fmincg: the 95.3 % that it names are passed well before."
            ),
            (
                "The loop adds Δ up example by example, ng-digits takes all in one product; their "
                "gradients differ in the last digits only."
            ),
        ),
        numbers=(
            _percent("training accuracy, λ = 1, 50 iterations", good.accuracy, "95.3 % ± 1 %"),
            Number("iteration that reaches 95.3 %", reached(0.953), "{:.0f}", "50", within=10),
            _percent("accuracy on the 1,000 others", good.test_accuracy),
            Number("J of the training rows", good.cost, "{:.3f}", within=0.05),
            Number("cost of the test rows, penalty included", good.test_cost, "{:.3f}", within=0.1),
            _percent("training accuracy, λ = 0, 120 iterations", heart.accuracy),
            _percent("accuracy on the 1,000 others, λ = 0", heart.test_accuracy),
            Number("J of the training rows, λ = 0", heart.cost, "{:.3f}", within=0.02),
            Number("cost of the test rows, λ = 0", heart.test_cost, "{:.2f}", within=1.0),
            Number("length of theta1, λ = 1", size, "{:.1f}", within=1.5),
            Number("length of theta1, λ = 0", wild, "{:.1f}", within=15.0),
            Number(
                "largest relative difference of a gradient, loop and all at once",
                farthest_gradient("ng-digits-loop", "ng-digits"),
                "{:.0e}",
                within=1e-12,
            ),
        ),
        pictures=(
            Picture(
                "ng-digits",
                "The network with its trainer, after 50 iterations.",
                graph=load("ng-digits"),
                epochs=50,
            ),
            Picture(
                "ng-hidden-units.png",
                "The weights of the 25 hidden units as images, each scaled by its largest.",
                draw_units,
            ),
            Picture("ng-overfitting", "Both networks on examples they have not seen.", draw_curves),
        ),
    )
