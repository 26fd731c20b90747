"""A polynomial of any degree beside a network of 1-5-1, on the same points."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.views import Viewer
from nodeflow.views.curve import Fit

DEGREES = range(8)
EPOCHS = 3000
Floats = NDArray[np.float64]


def points() -> tuple[Floats, Floats]:
    """Return the twelve points: x, y."""
    graph = load("polynomial-or-network")
    x, y = (np.ravel(graph.settings(key)["value"]) for key in ("x", "y"))
    return x, y


@cache
def fitted(degree: int) -> tuple[Fit, Fit]:
    """Return what both curves show after training at a degree."""
    run = nf.Run(load("polynomial-or-network").set("degree", value=float(degree)))
    run.train(EPOCHS)
    run.evaluate()
    viewer = Viewer(run.plan.graph, run.plan.inference.tables)
    found = [
        viewer.look(key, run.values, run.weights) for key in ("polynomial_curve", "network_curve")
    ]
    if not all(isinstance(one, Fit) for one in found):
        raise TypeError(found)
    return found[0], found[1]  # type: ignore[return-value]


def least_squares(degree: int) -> float:
    """Return the root mean square error of NumPy's fit."""
    x, y = points()
    fit = np.polynomial.polynomial.polyfit(x, y, degree)
    return float(np.sqrt(np.mean((np.polynomial.polynomial.polyval(x, fit) - y) ** 2)))


def at(fit: Fit, x: float) -> float:
    """Return a curve's height at x."""
    return float(np.interp(x, fit.x, fit.outputs))


def _draw(to: Path) -> None:
    x, y = points()
    with plots.figure(to, wide=6.8) as axes:
        for degree in (1, 3, 7):
            one = fitted(degree)[0]
            axes.plot(one.x, one.outputs, label=f"polynomial of degree {degree}")
        network = fitted(3)[1]
        axes.plot(network.x, network.outputs, "--", label="network of 1-5-1")
        axes.plot(x, y, "o", color="black", markersize=4, label="points")
        axes.axvspan(-2, -1, color="0.9", zorder=0)
        axes.axvspan(1, 2, color="0.9", zorder=0)
        axes.set(xlabel="x", ylabel="y", ylim=(-8, 8), xlim=(-2, 2))
        axes.legend(fontsize=8, loc="upper left")


def exhibit() -> Exhibit:
    """Measure the polynomial and the network."""
    cubic, network = fitted(3)
    return Exhibit(
        title="A polynomial or a network",
        about=(
            "A network is a polynomial-ish function, as the polynomial maker has it: a sum of bent "
            "curves, fitted by the same walk downhill. Here both have the same twelve noisy points "
            "of 4x³ − 3x, a polynomial whose degree is a slider and a network of 1-5-1 with tanh. "
            "Between the points they do the same; what they say where no point is comes from what "
            "they are made of."
        ),
        graphs=("polynomial-or-network",),
        commands=(
            "nodeflow train graphs/polynomial-or-network.json",
            "nodeflow export graphs/polynomial-or-network.json curves.svg --epochs 3000",
        ),
        look=(
            "Move the degree: below 3 the curve misses the points, above it chases the noise.",
            (
                "The network chases it as well: five bends have sixteen numbers, more than there "
                "are points, so that its small error is no merit."
            ),
            (
                "In the grey a polynomial goes off with its highest power. The network's tanh all "
                "flatten out in the end, but where is up to weights that no point has a say in."
            ),
        ),
        numbers=(
            *(
                Number(f"error at the points, degree {degree}", fitted(degree)[0].error, "{:.3f}",
                       within=0.003)
                for degree in (1, 2, 3, 5, 7)
            ),
            Number("the same by NumPy's least squares, degree 3", least_squares(3), "{:.3f}"),
            Number("the same by NumPy's least squares, degree 7", least_squares(7), "{:.3f}"),
            Number("error at the points, network", network.error, "{:.3f}", within=0.02),
            Number("at x = 1.5, degree 3 (4x³ − 3x: 9)", at(cubic, 1.5), "{:.1f}", within=0.1),
            Number("at x = 1.5, degree 7", at(fitted(7)[0], 1.5), "{:.0f}", within=6),
            Number("at x = 1.5, network", at(network, 1.5), "{:.1f}", within=1),
        ),
        pictures=(
            Picture("polynomial-or-network", "Both in one graph, after 3,000 epochs.",
                    graph=load("polynomial-or-network"), epochs=EPOCHS),
            Picture("curves", "Grey: where no point is.", _draw),
        ),
    )  # fmt: skip
