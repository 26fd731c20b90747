"""The polynomial maker: powers of x as nodes, and one weighted sum over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

POINTS, SEED = 12, 8
"""Points with noise, for a fit that no cubic meets exactly."""
Floats = NDArray[np.float64]


def noisy() -> tuple[Floats, Floats]:
    """Return points of the cubic with noise: x, y."""
    random = np.random.RandomState(SEED)
    x = np.linspace(-1, 1, POINTS)
    return x, 4 * x**3 - 3 * x + random.normal(0, 0.25, POINTS)


def on_points(x: Floats, y: Floats) -> nf.Graph:
    """Return the polynomial maker on points of one's own."""
    graph = load("polynomial").remove("data")
    graph = graph.add("x", "constant", value=x.reshape(-1, 1))
    graph = graph.add("y", "constant", value=y.reshape(-1, 1)).connect("y.value", "cost.y")
    for end in ("square.a", "cube.a", "output.a[0]"):
        graph = graph.connect("x.value", end)
    return graph


def coefficients(run: nf.Run) -> Floats:
    """Return the coefficients of 1, x, x², x³."""
    weights = run.weights
    return np.concatenate([weights["bias1.value"], weights["theta1.value"].ravel()])


def least_squares(x: Floats, y: Floats) -> Floats:
    """Return the coefficients that NumPy finds."""
    return np.polynomial.polynomial.polyfit(x, y, 3)


def _fits(to: Path) -> None:
    x, y = noisy()
    line = np.linspace(-1.5, 1.5, 200)
    run = nf.Run(on_points(x, y))
    with plots.figure(to) as axes:
        for updates in (5, 30, 2000):
            run.train(updates=updates - run.update)
            fit = np.polynomial.polynomial.polyval(line, coefficients(run))
            axes.plot(line, fit, label=f"after {updates:,} updates")
        axes.plot(line, 4 * line**3 - 3 * line, "--", color="0.5", label="4x³ − 3x")
        axes.plot(x, y, "o", color="black", markersize=4, label="points")
        for beyond in ((-1.5, -1), (1, 1.5)):
            axes.axvspan(*beyond, color="0.9", zorder=0)
        axes.set(xlabel="x", ylabel="y", xlim=(-1.5, 1.5), ylim=(-5, 5))
        axes.legend(loc="upper center", fontsize=9, ncols=2)


def exhibit() -> Exhibit:
    """Measure the polynomial maker."""
    run = nf.Run(load("polynomial"))
    run.train()
    run.evaluate()
    found = coefficients(run)
    x, y = noisy()
    other = nf.Run(on_points(x, y))
    other.train(2000)
    truth = least_squares(x, y)
    far = np.polynomial.polynomial.polyval(1.5, truth)
    other.evaluate()
    return Exhibit(
        title="A polynomial maker",
        about=(
            "Powers of x are nodes, one weighted sum makes a cubic of them, and backpropagation "
            "fits its weights to 21 points of 4x³ − 3x: least squares, found by walking downhill. "
            "The same weights are wired to a second row of powers, which takes the cubic beyond "
            "the points."
        ),
        graphs=("polynomial",),
        commands=(
            "nodeflow train graphs/polynomial.json",
            "nodeflow play graphs/polynomial.json --samples 1 --speed 0",
            "nodeflow check graphs/polynomial.json",
        ),
        look=(
            "theta1 becomes −3, 0, 4 and bias1 becomes 0: the cubic that made the points.",
            (
                "Between −1 and 1 x and x³ look alike, so their coefficients have to grow "
                "together, one down and one up, along a valley of little slope."
            ),
            "The panel has the value at x = 1.5, where the cubic is 9, and no point is near.",
            "Points with noise move the cubic little between them, and much outside.",
        ),
        numbers=(
            Number("coefficient of x (−3 made the points)", found[1], "{:.6f}"),
            Number("coefficient of x³ (4 made the points)", found[3], "{:.6f}"),
            Number("the panel's value at x = 1.5 (truth: 9)", run["prediction.z"].item(), "{:.6f}"),
            Number(
                "with noise, farthest from NumPy's least squares",
                abs(coefficients(other) - truth).max(),
                "{:.0e}",
                within=1e-6,
            ),
            Number("with noise: value at x = 1.5", other["prediction.z"].item(), "{:.4f}"),
            Number("with noise: value at x = 1.5 by least squares", float(far), "{:.4f}"),
        ),
        pictures=(
            Picture(
                "polynomial-graph",
                "The powers and their sum, as they are in the end.",
                graph=load("polynomial"),
                epochs=load("polynomial").training.epochs,
            ),
            Picture(
                "polynomial",
                "Twelve points with noise. Grey: where no point is.",
                draw=_fits,
            ),
        ),
    )
