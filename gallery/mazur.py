"""M. Mazur's step by step example: every published number, and one that is of another network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load

UPDATES = 10_000
HIDDEN = ("w1", "0.149780716"), ("w2", "0.19956143"), ("w3", "0.24975114"), ("w4", "0.29950229")
OUTPUT = ("w5", "0.35891648"), ("w6", "0.408666186"), ("w7", "0.511301270"), ("w8", "0.561370121")


def written(published: str) -> str:
    """Return the form with as many decimals as the source prints."""
    return f"{{:.{len(published.partition('.')[2])}f}}"


def _number(what: str, value: float, published: str) -> Number:
    return Number(what, float(value), written(published), published)


def errors(run: nf.Run) -> list[float]:
    """Return E_o1 and E_o2, the halves of the squared error."""
    return list(0.5 * ((run["output_a.a"] - run["y.value"]) ** 2).ravel())


def first_pass() -> tuple[Number, ...]:
    """Measure the forward pass, the error and the first gradient."""
    run = nf.Run(load("mazur"))
    total = run.evaluate() or 0.0
    hidden, output = run["hidden_a.a"].ravel(), run["output_a.a"].ravel()
    each = errors(run)
    slope = run.gradient("theta2.value")[0, 0]
    return (
        _number("net_h1", run["hidden.z"][0, 0], "0.3775"),
        _number("out_h1", hidden[0], "0.593269992"),
        _number("out_h2", hidden[1], "0.596884378"),
        _number("out_o1", output[0], "0.75136507"),
        _number("out_o2", output[1], "0.772928465"),
        _number("E_o1", each[0], "0.274811083"),
        _number("E_o2", each[1], "0.023560026"),
        _number("E_total", total, "0.298371109"),
        _number("∂E_total/∂w5", slope, "0.082167041"),
    )


def first_update() -> tuple[Number, ...]:
    """Measure the eight weights after one update."""
    run = nf.Run(load("mazur"))
    run.train(1)
    new = [*run.weights["theta1.value"].ravel(), *run.weights["theta2.value"].ravel()]
    return tuple(
        _number(f"{name} after one update", value, published)
        for (name, published), value in zip((*HIDDEN, *OUTPUT), new, strict=True)
    )


def long_run() -> tuple[Number, ...]:
    """Measure what the article prints after one update and after 10,000."""
    run, other = nf.Run(load("mazur")), nf.Run(load("mazur-sequential"))
    run.train(UPDATES)
    other.train(1)
    second = other.evaluate() or 0.0
    other.train(UPDATES - 1)
    other.evaluate()
    output = other["output_a.a"].ravel()
    return (
        _number("E_total after one update, one layer after the other", second, "0.291027924"),
        Number("E_total after one update, simultaneous", run.history[1]["cost"], "{:.9f}"),
        _number(
            "E_total met by the last of 10,000 updates", run.history[-1]["cost"], "0.0000351085"
        ),
        _number("out_o1 after 10,000 updates, one layer after the other", output[0], "0.015912196"),
        _number("out_o2 after 10,000 updates, one layer after the other", output[1], "0.984065734"),
    )


def _curve(to: Path) -> None:
    run = nf.Run(load("mazur"))
    run.train(UPDATES)
    with plots.figure(to) as axes:
        axes.loglog(np.arange(1, UPDATES + 1), [line["cost"] for line in run.history])
        axes.set(xlabel="update", ylabel="total error")


def exhibit() -> Exhibit:
    """Measure Mazur's example."""
    return Exhibit(
        title="Mazur's step by step example",
        about=(
            'Matt Mazur\'s "A Step by Step Backpropagation Example" (2015) works one update of a '
            "2-2-2 network with sigmoids through by hand, all numbers printed; many have learned "
            "backpropagation from it. Here its neurons, errors and updates are nodes. The updates "
            "are simultaneous, as in the article's arithmetic, and the biases stay fixed."
        ),
        graphs=("mazur", "mazur-neurons-unfolded", "mazur-sequential"),
        commands=(
            "nodeflow play graphs/mazur-neurons-unfolded.json --samples 1",
            "nodeflow train graphs/mazur.json",
            "nodeflow train graphs/mazur-sequential.json",
        ),
        look=(
            (
                "All eight new weights have the article's digits: hidden weights learn from the "
                "output weights of before the update."
            ),
            (
                "The error that the article prints after that update, 0.291027924, does not follow "
                "from them: they give 0.291027774."
            ),
            (
                "It comes when blame passes the output weights that are updated already; "
                "mazur-sequential is that network, one wire differs."
            ),
            (
                "The outputs that it prints after 10,000 updates are of that network too; the "
                "error beside them is what simultaneous updates meet at the 10,000th."
            ),
        ),
        numbers=(*first_pass(), *first_update(), *long_run()),
        pictures=(
            Picture(
                "mazur-neurons-unfolded",
                "The article's network, neuron by neuron, with its backward pass.",
                graph=load("mazur-neurons-unfolded"),
            ),
            Picture("mazur", "The total error over 10,000 updates.", draw=_curve),
        ),
    )
