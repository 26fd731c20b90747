"""The blame game: who answers for an error, told by hand, before and after the update."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nodeflow as nf
from gallery import plots
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.explain.responsibility import Responsibility, blame_at

UPDATES = 10


def shares(updates: int) -> Responsibility:
    """Return who answers for the output's error after so many updates."""
    run = nf.Run(load("blame-game"))
    run.train(updates)
    return blame_at(run, updates, 0)[0]


def course() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return shares and sizes of blame of the hidden neurons, a row an update."""
    found = [shares(updates) for updates in range(UPDATES + 1)]
    return np.array([one.shares for one in found]), np.abs([one.blame for one in found])


def _draw(to: Path) -> None:
    parts, sizes = course()
    with plots.figure(to, columns=2) as (left, right):
        for neuron in range(3):
            left.plot(parts[:, neuron], "o-", label=f"hidden {neuron + 1}")
            right.plot(sizes[:, neuron], "o-", label=f"hidden {neuron + 1}")
        left.set(xlabel="update", ylabel="share of the blame", ylim=(0, 0.7))
        right.set(xlabel="update", ylabel="size of the blame", ylim=(0, None))
        left.legend(fontsize=9)


def exhibit() -> Exhibit:
    """Measure the blame game."""
    first, second = shares(0), shares(1)
    graph = load("blame-game")
    return Exhibit(
        title="The blame game",
        about=(
            'Backpropagation is told as a game of blame: "I did 0.1 of it, check the one before '
            'me". Here it is played with numbers for the head. The output is 0.5 and should be '
            "0.84, so it is off by −0.34. Its three hidden neurons give 0.5 each and have weights "
            "of 0.1, 0.3 and 0.6: of what the output blames, |Θⱼᵢ δⱼ|, they have 0.10, 0.30 and "
            "0.60."
        ),
        graphs=("blame-game",),
        commands=(
            "nodeflow blame graphs/blame-game.json --at 0:0",
            "nodeflow blame graphs/blame-game.json --at 1:0",
            "nodeflow play graphs/blame-game.json --samples 1",
        ),
        look=(
            (
                "The share of a neuron before a single output is its weight's share, whatever the "
                "error: δ is a factor of all of them."
            ),
            (
                "After one update hidden 3 answers for a smaller share. That is no punishment: all "
                "three weights grew by the same 0.085, which is more to a small one."
            ),
            (
                "What shrinks by far is the blame itself, since the error does: shares say who, "
                "blame says how much."
            ),
            (
                "Of two inputs the first has twice the weights of the second, and so two thirds "
                "of the blame; it is an input, and nothing comes of it."
            ),
        ),
        numbers=(
            Number("error of the output, e = a − y = 0.5 − 0.84", float(first.deltas[0]), "{:.2f}"),
            Number("share of hidden 1, 0.1 of 1.0", float(first.shares[0]), "{:.2f}"),
            Number("share of hidden 2, 0.3 of 1.0", float(first.shares[1]), "{:.2f}"),
            Number("share of hidden 3, 0.6 of 1.0", float(first.shares[2]), "{:.2f}"),
            Number("blame of hidden 3, 0.6 · −0.34", float(first.blame[2]), "{:.3f}"),
            Number("after one update: error of the output", float(second.deltas[0]), "{:.4f}"),
            Number("after one update: share of hidden 3", float(second.shares[2]), "{:.4f}"),
            Number("after one update: blame of hidden 3", float(second.blame[2]), "{:.4f}"),
        ),
        pictures=(
            Picture(
                "blame-game-graph",
                "Who answers for it, at the output and before the hidden layer.",
                graph=graph,
                epochs=0,
            ),
            Picture("blame-game", "Shares change little, the blame itself goes.", _draw),
        ),
    )
