"""Slopes: an activation is a sloped graph, and so is the cost; where 4.5 w − 1.5 comes from."""

from __future__ import annotations

import numpy as np

import nodeflow as nf
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.explain.symbols import derive
from nodeflow.views import Viewer
from nodeflow.views.function_plot import Functions


def shown(name: str, key: str) -> Functions:
    """Return what a function plot of a graph shows."""
    run = nf.Run(load(name))
    run.evaluate()
    found = Viewer(run.plan.graph).look(key, run.values, run.weights)
    if not isinstance(found, Functions):
        raise TypeError(found)
    return found


def zero_of(found: Functions, number: int) -> float:
    """Return where a straight line crosses 0."""
    x, y = found.x, found.curves[number]
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    return float(x[0] - y[0] / slope)


def cost_at(w: float) -> float:
    """Return the cost of the one neuron at a weight."""
    run = nf.Run(load("slope-of-the-cost").set("w", value=w))
    run.evaluate()
    return float(run["C.cost"].item())


def exhibit() -> Exhibit:
    """Measure the slopes."""
    slopes = shown("slopes", "slopes")
    over_w = shown("slope-of-the-cost", "cost_over_w")
    lines = shown("slope-of-the-cost", "slope_over_w")
    derivative = derive(nf.Run(load("one-neuron")), "w.value", (0, 0))
    steepest = float(np.diff(slopes.curves[0]).max() / np.diff(slopes.x)[0])
    return Exhibit(
        title="Everything is a slope",
        about=(
            "An activation is a sloped graph: at each weighted sum z it has a point and a tangent, "
            "and the tangent's slope g′(z) is what blame is multiplied by on its way back. "
            "Sigmoid, tanh and a straight line y = m x + b are drawn on one slider. The cost of "
            "the single neuron is such a graph too, over its weight: C = (1.5 w − 0.5)². Its slope "
            f"is {derivative.chain} by the chain rule, which is {derivative.simplified} multiplied "
            "out; `nodeflow derive` writes both."
        ),
        graphs=("slopes", "slope-of-the-cost"),
        commands=(
            "nodeflow run graphs/slopes.json",
            "nodeflow derive graphs/one-neuron.json w",
            "nodeflow derive graphs/xor.json theta1[0,1]",
            "nodeflow run graphs/slope-of-the-cost.json",
        ),
        look=(
            "Each activation draws its curve between its ports, with the points of its neurons.",
            (
                "A straight line has one slope everywhere, so layers of them are one straight "
                "line. The sigmoid's slope is nowhere above 0.25, so each sigmoid keeps back at "
                "least three quarters of the blame."
            ),
            (
                "A slip that readers make is 2Yp − Ya for 2(Yp − Ya), here 2a − y for 2·(a − y): "
                "the slope of the square is twice the whole error. With the slip, "
                "(2·1.5 w − 0.5)·1.5 has the right steepness and the wrong place: it is 0 at "
                "w = 1/6, so that training would end there, with a cost of 0.0625."
            ),
            (
                "Another is a cost without its minus. Cross-entropy is −Σ y ln a: ln a is below 0, "
                "and the minus makes a cost of it. Without it every slope has the other sign, and "
                "the update climbs away from the targets. A square needs no minus: (y − a)² and "
                "(a − y)² are the same, though the slope by a is 2·(a − y), not 2·(y − a)."
            ),
        ),
        numbers=(
            Number("sigmoid at 0.5: value", slopes.values[0], "{:.6f}"),
            Number("sigmoid at 0.5: slope, σ(1 − σ)", slopes.slopes[0], "{:.6f}", within=2e-6),
            Number("tanh at 0.5: slope, 1 − tanh²", slopes.slopes[1], "{:.6f}", within=2e-6),
            Number("line at 0.5: slope, m", slopes.slopes[2], "{:.6f}", within=2e-6),
            Number("steepest slope of the sigmoid, at 0", steepest, "{:.3f}", "0.25", within=0.001),
            Number("slope of C at w = 0.8, drawn", over_w.slopes[0], "{:.4f}", "2.1"),
            Number("slope of C at w = 0.8, by 4.5 w − 1.5", derivative.value, "{:.4f}", "2.1"),
            Number("where the right slope is 0 (1/3)", zero_of(lines, 0), "{:.4f}"),
            Number("where the slip is 0 (1/6)", zero_of(lines, 1), "{:.4f}"),
            Number("C there, (1.5/6 − 0.5)²", cost_at(zero_of(lines, 1)), "{:.4f}"),
        ),
        pictures=(
            Picture("slopes", "Three functions, one slider.", graph=load("slopes"), epochs=0),
            Picture(
                "slope-of-the-cost",
                "The cost over w with its tangent; the chain, 4.5 w − 1.5 and the slip.",
                graph=load("slope-of-the-cost"),
                epochs=0,
            ),
        ),
    )
