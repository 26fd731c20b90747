"""Gradient checking as wired nodes, and a wrong slope that half learns."""

from __future__ import annotations

from functools import cache

import numpy as np

import nodeflow as nf
from gallery.exhibit import Exhibit, Number, Picture, load

SEEDS, EPOCHS, SOLVED = range(40), 1000, 0.05
WHEAT_SEEDS, WHEAT_EPOCHS = range(10), (25, 500)


@cache
def solved(name: str) -> float:
    """Return the share of starts, in per cent, from which exclusive or is learnt."""
    costs = []
    for seed in SEEDS:
        run = nf.Run(load(name), seed=seed)
        run.train(EPOCHS)
        costs.append(run.machine.assess(test=False)[0])
    return 100 * float((np.array(costs) < SOLVED).mean())


@cache
def wheat(activation: str) -> tuple[float, float]:
    """Return accuracy on training rows after few and many epochs, hidden δ by an activation."""
    graph = nf.unfold(load("wheat-seeds")).set("hidden.delta", activation=activation)
    found = []
    for seed in WHEAT_SEEDS:
        run = nf.Run(graph, seed=seed)
        run.train(WHEAT_EPOCHS[1])
        found.append([run.history[epochs - 1]["train_accuracy"] for epochs in WHEAT_EPOCHS])
    early, late = 100 * np.mean(found, axis=0)
    return float(early), float(late)


def farthest(name: str) -> float:
    """Return how far the two columns of a graph are apart, at the start."""
    run = nf.Run(load(name))
    run.evaluate()
    return float(np.abs(run["theta.value"] - run["approx.gradient"]).max())


def exhibit() -> Exhibit:
    """Measure the gradient check."""
    found = nf.check(load("wrong-slope"))
    faults = sorted(key for key, node in found.nodes.items() if node.status == "fault")
    right, wrong = wheat("sigmoid"), wheat("tanh")
    return Exhibit(
        title="Gradient checking, wired",
        about=(
            "A. Ng's course has every student check backpropagation before it is trusted: unroll "
            "all parameters into one vector, move each number by ε = 0.0001 up and down, and hold "
            "(J(θ + ε) − J(θ − ε)) / 2ε beside what the backward pass gives. Here `unroll` and "
            "`gradient_approx` are nodes, and a table has both columns. It is worth the trouble, "
            "since a network with a wrong slope learns: the second graph takes the slope of tanh "
            "for that of the sigmoid in its hidden layer, and nothing in its cost shows it."
        ),
        graphs=("gradient-checking", "wrong-slope"),
        commands=(
            "nodeflow run graphs/gradient-checking.json",
            "nodeflow check graphs/gradient-checking.json --all",
            "nodeflow check graphs/wrong-slope.json --all",
        ),
        look=(
            (
                "Once the columns agree switch `approx` off, by a click on the switch in its "
                "header: it takes two forward passes a number. Training at full speed leaves it "
                "out anyhow, since nothing learns from it; `check --all` prints the clock of both."
            ),
            f"The check names what is wrong: {', '.join(faults)}. The output layer is right.",
            (
                "On wheat the wrong slope costs ten points after 25 epochs and three after 500: "
                "who only looks at accuracy tunes the rate and never finds it."
            ),
        ),
        numbers=(
            Number("farthest that the columns are apart, right slopes",
                   farthest("gradient-checking"), "{:.0e}", within=1e-9),
            Number("farthest that the columns are apart, wrong slope", farthest("wrong-slope"),
                   "{:.4f}"),
            Number("gradients that the check calls wrong", len(faults), "{:.0f}"),
            Number("exclusive or, right: starts that learn it", solved("gradient-checking"),
                   "{:.1f} %", within=5),
            Number("exclusive or, wrong slope: starts that learn it", solved("wrong-slope"),
                   "{:.1f} %", within=5),
            Number("wheat, right: accuracy after 25 epochs", right[0], "{:.1f} %", within=1.5),
            Number("wheat, wrong slope: accuracy after 25 epochs", wrong[0], "{:.1f} %",
                   within=1.5),
            Number("wheat, right: accuracy after 500 epochs", right[1], "{:.1f} %", within=1.5),
            Number("wheat, wrong slope: accuracy after 500 epochs", wrong[1], "{:.1f} %",
                   within=1.5),
        ),
        pictures=(
            Picture("gradient-checking", "Both columns in a table.",
                    graph=load("gradient-checking"), epochs=0),
        ),
    )  # fmt: skip
