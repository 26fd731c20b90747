"""Gates and shapes in the plane, and the boundaries that networks draw through them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

Floats = NDArray[np.float64]
SIDE = 81
_LIGHT = LinearSegmentedColormap.from_list("", ["#9ecae1", "#ffffff", "#fdbf8f"])


def answers(run: nf.Run, points: Floats) -> Floats:
    """Return the outputs of a trained network for other points: a constant takes the data's place.

    What needs targets is left out.
    """
    graph = run.graph
    readers = [wire.end for wire in graph.out_of("data") if wire.output == "x"]
    gone = [key for key in ("accuracy", "cost", "data", "train") if key in graph.nodes]
    graph = graph.remove(*gone).add("x", "constant", value=points)
    for end in readers:
        graph = graph.connect("x.value", end)
    other = nf.Run(graph)
    other.set_weights(run.weights)
    other.evaluate()
    return other["output_a.a"]


def rows(run: nf.Run) -> tuple[Floats, Floats]:
    """Return the training rows of a run's data: x, y."""
    split = run.machine.splits["data"]
    return split.x, split.y


def trained(name: str, **settings: Any) -> nf.Run:
    """Return a run of a graph of `graphs/`, trained as its file says."""
    run = nf.Run(load(name), **settings)
    run.train()
    return run


def accuracy(run: nf.Run, *, test: bool = False) -> float:
    """Return the share of rows that are told right, as the weights stand."""
    return run.machine.assess(test=test)[1]


def draw_boundary(axes: Any, run: nf.Run, low: float, high: float) -> None:
    """Colour the plane by the network's answer, with its line of indecision and the points."""
    line = np.linspace(low, high, SIDE)
    points = np.array([[a, b] for b in line for a in line])
    outputs = answers(run, points)
    sure = outputs[:, -1] - (0.5 if outputs.shape[1] == 1 else outputs[:, 0])
    sure = sure.reshape(SIDE, SIDE) / np.abs(sure).max()
    axes.contourf(line, line, sure, levels=np.linspace(-1, 1, 13), cmap=_LIGHT)
    axes.contour(line, line, sure, levels=[0], colors="black", linewidths=1)
    x, y = rows(run)
    second = y[:, -1] > 0.5
    for chosen, colour, mark in ((~second, plots.COLOURS[0], "o"), (second, plots.COLOURS[1], "s")):
        axes.plot(*x[chosen].T, mark, color=colour, markersize=4, markeredgecolor="white",
                  markeredgewidth=0.5)  # fmt: skip
    axes.set(aspect="equal", xlim=(low, high), ylim=(low, high), xlabel="x₁", ylabel="x₂")
    whole = range(math.ceil(low), math.floor(high) + 1)
    axes.set(xticks=list(whole), yticks=list(whole))
    axes.grid(visible=False)


def _gates(to: Path) -> None:
    with plots.figure(to, columns=3, high=2.4) as axes:
        for one, name in zip(axes, ("and", "or", "xor"), strict=True):
            draw_boundary(one, trained(name), -0.4, 1.4)
            one.set_title(name)


def _plane(to: Path) -> None:
    with plots.figure(to, columns=2, high=3.6) as axes:
        for one, name in zip(axes, ("circle", "spiral"), strict=True):
            draw_boundary(one, trained(name), -1.2, 1.2)
            one.set_title(name)


def exhibit() -> Exhibit:
    """Measure the gates and shapes."""
    gates = {name: trained(name) for name in ("and", "or", "xor")}
    circle, spiral = trained("circle"), trained("spiral")
    lone = nf.Run(load("and").set("data", source="xor"))
    lone.train(2000)
    weights = gates["and"].weights
    crossing = -weights["bias1.value"].item() / weights["theta1.value"][0, 0]
    return Exhibit(
        title="Gates, a circle, a spiral",
        about=(
            "What a network can tell apart is a matter of its hidden neurons: each draws one "
            "straight line. One neuron computes and and or (W. McCulloch and W. Pitts, 1943), but "
            "not exclusive or (M. Minsky and S. Papert, 1969), which takes two lines; a circle "
            "takes at least three, and the two spirals of K. Lang and M. Witbrock (1988) a "
            "second hidden layer to bend them."
        ),
        graphs=("and", "or", "xor", "circle", "spiral"),
        commands=(
            "nodeflow train graphs/and.json",
            "nodeflow train graphs/xor.json",
            "nodeflow train graphs/circle.json",
            "nodeflow train graphs/spiral.json",
        ),
        look=(
            (
                "The line of and passes beyond (0, 1) and (1, 0), that of or before them; both "
                "have two weights of nearly the same size."
            ),
            (
                "One neuron on exclusive or never has more than three of the four rows right: no "
                "straight line parts them."
            ),
            (
                "The boundary of the circle is a polygon with round corners: its sides are the "
                "lines of hidden neurons."
            ),
            (
                "The spiral's boundary is right along the arms, and means nothing beyond them, "
                "where there are no points."
            ),
        ),
        numbers=(
            Number("and: rows right, of 4", 4 * accuracy(gates["and"]), "{:.0f}"),
            Number("or: rows right, of 4", 4 * accuracy(gates["or"]), "{:.0f}"),
            Number("xor, 2-2-1: rows right, of 4", 4 * accuracy(gates["xor"]), "{:.0f}"),
            Number("xor by one neuron: rows right, of 4", 4 * accuracy(lone), "{:.0f}", within=3),
            Number("and: where its line meets an axis", crossing, "{:.2f}"),
            Number("circle: test points right (%)", 100 * accuracy(circle, test=True), "{:.0f}"),
            Number("spiral: training points right (%)", 100 * accuracy(spiral), "{:.0f}", within=5),
            Number(
                "spiral: test points right (%)",
                100 * accuracy(spiral, test=True),
                "{:.0f}",
                within=10,
            ),
        ),
        pictures=(
            Picture("circle-graph", "The network for the circle.", graph=load("circle")),
            Picture(
                "gates.png",
                "One line, one line, two lines. Orange: 1, blue: 0.",
                draw=_gates,
            ),
            Picture(
                "shapes.png",
                "Straight lines close around the disc; two hidden layers wind. The ground has the "
                "colour of what the network says, each point that of its class.",
                draw=_plane,
            ),
        ),
    )
