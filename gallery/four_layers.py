"""Four layers, backpropagation line by line as on Eaton's slides, and the same without a loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

LAYERS = (1, 2, 3)
EPOCHS, EVERY = 500, 10


def farthest_gradient(name: str, other: str) -> float:
    """Return how far two graphs' first gradients are apart, relative to the largest of each."""
    first, second = nf.Run(load(name)), nf.Run(load(other))
    first.evaluate()
    second.evaluate()
    found = []
    for address, expected in second.gradients.items():
        if address in second.weights:
            distance = np.abs(first.gradient(address) - expected).max()
            found.append(float(distance / np.abs(expected).max()))
    return max(found)


def clock() -> tuple[float, float]:
    """Return the seconds that the epochs take in the loop and all at once."""
    loop, whole = (nf.Run(load(name)) for name in ("four-layers", "four-layers-vectorised"))
    for run in (loop, whole):
        run.train(5)  # the machine code is made ready
    return _seconds(lambda: loop.train(EPOCHS), lambda: whole.train(EPOCHS))


def clock_in_numpy() -> tuple[float, float]:
    """Return the seconds that as many D take in NumPy, in a loop over samples and all at once."""
    run = nf.Run(load("four-layers"))
    split, w = run.machine.splits["data"], run.weights
    singles = [(split.x[row : row + 1], split.y[row : row + 1]) for row in range(len(split.x))]

    def loop() -> None:
        for x, y in singles:
            summed(w, x, y)

    found = _seconds(loop, lambda: summed(w, split.x, split.y))
    return found[0] * EPOCHS, found[1] * EPOCHS


def summed(w: Mapping[str, NDArray[Any]], x: NDArray[Any], y: NDArray[Any]) -> list[NDArray[Any]]:
    """Return Σ δaᵀ of each Θ over the samples, as NumPy has it without a loop."""
    layers = []
    for layer in LAYERS:
        before = layers[-1] if layers else x
        z = before @ w[f"theta{layer}.value"].T + w[f"bias{layer}.value"]
        layers.append(1 / (1 + np.exp(-z)))
    delta = layers[-1] - y
    found = []
    for layer in reversed(LAYERS):
        before = layers[layer - 2] if layer > 1 else x
        found.append(delta.T @ before)
        delta = delta @ w[f"theta{layer}.value"] * before * (1 - before)
    return found[::-1]


def _seconds(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return how long two take, in turns, the best of five each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        for work, times in zip((one, other), taken, strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return min(taken[0]), min(taken[1])


@cache
def training() -> tuple[tuple[float, ...], float, float, NDArray[Any]]:
    """Return each epoch's cost, cost and accuracy at the end, and the sizes of D on the way."""
    run = nf.Run(load("four-layers"))
    sizes = []
    for _ in range(EPOCHS // EVERY):
        run.train(EVERY)
        sizes.append([np.linalg.norm(run[f"D{layer}.gradient"]) for layer in LAYERS])
    cost, accuracy = run.machine.assess(test=False)
    return tuple(line["cost"] for line in run.history), cost, accuracy, np.array(sizes)


def draw(path: Path) -> None:
    """Plot J and the sizes of the three D over the epochs."""
    costs, _, _, sizes = training()
    with plots.figure(path, columns=2) as (left, right):
        left.plot(np.arange(1, EPOCHS + 1), costs)
        left.set(xlabel="epoch", ylabel="J", ylim=(0, None))
        for layer in LAYERS:
            epochs = np.arange(EVERY, EPOCHS + 1, EVERY)
            right.plot(epochs, sizes[:, layer - 1], label=f"‖D{layer}‖")
        right.set(xlabel="epoch", ylabel="length of D", yscale="log")
        right.legend()


def exhibit() -> Exhibit:
    """Measure the four layers."""
    graph = load("four-layers")
    costs, cost, accuracy, _ = training()
    check = nf.check(graph)
    (loop, whole), (calls, product) = clock(), clock_in_numpy()
    return Exhibit(
        title="Four layers, line by line",
        about="E. Eaton's slides on backpropagation (University of Pennsylvania, CIS 519, after "
        "A. Ng's course) give the algorithm for a network of four layers. Here each line of it "
        "is a node, wired by hand and not unfolded from a trainer: z and a, δ⁽⁴⁾ = a⁽⁴⁾ − y and "
        "the δ before it, Δ that adds up over a loop of samples, D with λ for all but the biases, "
        "and the step against it. Beside it stands the same network with all samples at once.",
        graphs=("four-layers", "four-layers-vectorised"),
        commands=(
            "nodeflow check graphs/four-layers.json",
            "nodeflow play graphs/four-layers.json --samples 2",
            "nodeflow train graphs/four-layers.json",
            "nodeflow train graphs/four-layers-vectorised.json",
        ),
        look=(
            (
                "Loop or vectorised is a question of the clock only, D is the same. When this page "
                f"was written the 500 epochs took {loop:.2g} s in the loop and {whole:.2g} s all "
                f"at once ({loop / whole:.1f} to 1): both are rows of machine code here. As many "
                f"D in NumPy took {calls:.2g} s and {product:.2g} s ({calls / product:.0f} to 1), "
                "since a loop in Python pays a score of calls a sample."
            ),
            (
                "Delta1 to Delta3 have a wire back into themselves: 200 samples pass through δ "
                "before D1 to D3 and the updates are evaluated once."
            ),
            (
                "check compares every gradient with differences of J, as the slides ask for; "
                "training does not check, so the check is off as soon as it has been passed."
            ),
            (
                "Wire blame3 straight into blame2, so that the slope g′(z⁽³⁾) is left out, and "
                "check names theta1 and bias1: the layers behind them are still right."
            ),
            (
                "Between the epochs 100 and 300 J hardly moves, and D1 is the smallest of the "
                "three: blame has passed two slopes before it gets there. Then the bend between "
                "the moons is found."
            ),
        ),
        numbers=(
            Number("nodes of the loop", len(graph.nodes), "{:.0f}"),
            Number(
                "largest relative error of a gradient, checked",
                check.max_relative_error,
                "{:.0e}",
                within=1e-8,
            ),
            Number(
                "largest relative difference of a gradient, loop and all at once",
                farthest_gradient("four-layers", "four-layers-vectorised"),
                "{:.0e}",
                within=1e-13,
            ),
            Number("J before the first update", costs[0], "{:.6f}"),
            Number("J after 500 epochs", cost, "{:.4f}", within=0.002),
            Number("accuracy after 500 epochs", 100 * accuracy, "{:.1f} %", within=1.0),
        ),
        pictures=(
            Picture("four-layers", "Forward above, backward below.", graph=graph),
            Picture(
                "four-layers-training",
                "J over the epochs, and how large D is for the weights of each layer.",
                draw,
            ),
        ),
    )
