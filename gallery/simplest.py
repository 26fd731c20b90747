"""The simplest network: one weight, then two in a chain, then the same with biases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

UPDATES = 10


def cost(w: Any) -> Any:
    """Return the cost of the single neuron by its formula."""
    return (1.5 * w - 0.5) ** 2


def gradients(name: str) -> dict[str, float]:
    """Return ∂C/∂ of each parameter of a graph before its first update."""
    run = nf.Run(load(name))
    run.evaluate()
    return {key.partition(".")[0]: run.gradient(key).item() for key in run.weights}


def path(updates: int) -> list[float]:
    """Return the single weight at the start and after each update."""
    run = nf.Run(load("one-neuron"))
    found = [run.weights["w.value"].item()]
    for _ in range(updates):
        run.train(updates=1)
        found.append(run.weights["w.value"].item())
    return found


def _descent(to: Path) -> None:
    with plots.figure(to) as axes:
        line = np.linspace(-0.25, 0.9, 200)
        axes.plot(line, cost(line), label="C = (1.5 w − 0.5)²")
        weights = np.array(path(5))
        axes.plot(weights, cost(weights), "o--", label="five updates from w = 0.8")
        axes.axvline(1 / 3, ymax=0.7, color="0.6", linewidth=1, linestyle=":")
        axes.annotate("w = 1/3", (1 / 3, 0.5), xytext=(4, 0), textcoords="offset points")
        axes.set(xlabel="w", ylabel="C")
        axes.legend(loc="upper center")


def exhibit() -> Exhibit:
    """Measure the simplest network."""
    one, two, biased = map(gradients, ("one-neuron", "two-weights", "two-weights-biases"))
    weights = path(UPDATES)
    return Exhibit(
        title="The simplest network",
        about=(
            "One weight, one input, one target, after Mikael Laine's lessons on the simplest "
            "network: a = 1.5 w, C = (a − 0.5)². So the slope is a straight line in w and every "
            "number can be checked in one's head. Then a second weight in the chain, and then "
            "biases: each thing that is added costs one more factor of the chain rule."
        ),
        graphs=(
            "one-neuron",
            "one-neuron-unfolded",
            "two-weights",
            "two-weights-unfolded",
            "two-weights-biases",
            "two-weights-biases-unfolded",
        ),
        commands=(
            "nodeflow play graphs/one-neuron.json --samples 1",
            "nodeflow train graphs/one-neuron.json",
            "nodeflow check graphs/two-weights-biases.json",
        ),
        look=(
            (
                "The slope at w = 0.8 is 4.5 · 0.8 − 1.5 = 2.1, and the first update ends at "
                "0.8 − 0.1 · 2.1 = 0.59."
            ),
            (
                "Every update takes w the same share of the way to 1/3: what is left is multiplied "
                "by 1 − 0.1 · 4.5 = 0.55."
            ),
            (
                "With two weights the slope of w1 has w2 as a factor, and that of w2 has w1·x: "
                "each learns through the other."
            ),
            "With biases the gradient of a weight is that of its bias times what came in.",
        ),
        numbers=(
            Number("∂C/∂w at w = 0.8, by 4.5 w − 1.5", one["w"], "{:.1f}", "2.1"),
            Number("w after one update", weights[1], "{:.2f}"),
            Number(f"w after {UPDATES} updates, on the way to 1/3", weights[-1], "{:.6f}"),
            Number("two weights: ∂C/∂w1 = 2(a − y)·w2·x", two["w1"], "{:.3f}"),
            Number("two weights: ∂C/∂w2 = 2(a − y)·w1·x", two["w2"], "{:.3f}"),
            Number("with biases: ∂C/∂w1", biased["w1"], "{:.3f}"),
            Number("with biases: ∂C/∂w2", biased["w2"], "{:.3f}"),
            Number("with biases: ∂C/∂b1 = 2(a − y)·w2", biased["bias1"], "{:.3f}"),
            Number("with biases: ∂C/∂b2 = 2(a − y)", biased["bias2"], "{:.3f}"),
        ),
        pictures=(
            Picture(
                "one-neuron-unfolded",
                "One weight with its backward pass and its update.",
                graph=load("one-neuron-unfolded"),
            ),
            Picture(
                "two-weights-unfolded",
                "Two weights: blame passes w2 on its way to w1.",
                graph=load("two-weights-unfolded"),
            ),
            Picture("simplest", "The steps shrink with the slope.", draw=_descent),
        ),
    )
