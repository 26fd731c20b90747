"""Weights are a dictionary: all that a network has learnt, as a program would hold it."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any

import numpy as np

import nodeflow as nf
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.views import Viewer

EPOCHS = 2000
ROWS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))


@cache
def trained() -> nf.Run:
    """Return the network after its training."""
    run = nf.Run(load("weights-dictionary"))
    run.train(EPOCHS)
    run.evaluate()
    return run


def written() -> dict[str, Any]:
    """Return the dictionary that the view writes, read by Python."""
    run = trained()
    viewer = Viewer(run.plan.graph, run.plan.inference.tables)
    found = viewer.look("all_that_was_learnt", run.values, run.weights)
    if found is None:
        raise TypeError("the view shows nothing")
    return dict(found.as_dict()["entries"])


def answers(weights: dict[str, Any]) -> Any:
    """Return what the network says, computed from the dictionary and nothing else."""
    x = np.array(ROWS)
    hidden = 1 / (1 + np.exp(-(x @ weights["theta1.value"].T + weights["bias1.value"])))
    return 1 / (1 + np.exp(-(hidden @ weights["theta2.value"].T + weights["bias2.value"])))


def own_answers() -> Any:
    """Return what the network itself says to the four rows."""
    run = trained()
    graph = run.graph.add("rows", "constant", value=[list(row) for row in ROWS])
    graph = graph.disconnect("data.x", "hidden.a").connect("rows.value", "hidden.a")
    graph = graph.remove("train", "cost", "data")
    asked = nf.Run(graph)
    asked.set_weights(dict(run.weights))
    asked.evaluate()
    return asked["output_a.a"]


def as_text() -> str:
    """Return the dictionary as Python writes it, with all its digits."""
    return repr({key: value.tolist() for key, value in trained().weights.items()})


def exhibit() -> Exhibit:
    """Count the numbers, and let the dictionary answer."""
    entries = written()
    again = {key: np.array(value) for key, value in ast.literal_eval(as_text()).items()}
    said = answers(entries)
    return Exhibit(
        title="Weights are a dictionary",
        about=(
            "What has a network learnt, and where is it? An architect who took one apart was "
            "surprised how little it is: a dictionary of numbers by name, as any program would "
            "hold it. Here a view shows it beside the network, and it changes while the network "
            "trains. Nothing else is learnt: whoever has the dictionary and the formulas has "
            "the network."
        ),
        graphs=("weights-dictionary",),
        commands=(
            "nodeflow train graphs/weights-dictionary.json --weights",
            "nodeflow train graphs/weights-dictionary.json --json",
            "nodeflow export graphs/weights-dictionary.json weights.json --epochs 2000",
        ),
        look=(
            (
                "The keys are addresses: theta1.value is what the node theta1 gives. In Python "
                "the same dictionary is run.weights, in a file of weights it is the file."
            ),
            (
                "The answers below are computed from the dictionary with NumPy, without "
                "nodeflow: two lines are the whole network."
            ),
            (
                "What is not in it: the shape of the network and its activations. The same "
                "numbers behind another activation are another network."
            ),
        ),
        numbers=(
            Number("keys", len(entries), "{:.0f}"),
            Number(
                "numbers in all, 2·2 + 2 + 2 + 1",
                sum(np.size(value) for value in entries.values()),
                "{:.0f}",
            ),
            *(
                Number(f"answer to ({x:.0f}, {y:.0f})", float(answer), "{:.3f}", within=2e-3)
                for (x, y), answer in zip(ROWS, said.ravel(), strict=True)
            ),
            Number(
                "farthest from what the network itself says",
                float(np.abs(said - own_answers()).max()),
                "{:.0e}",
                within=1e-15,
            ),
            Number(
                "the same after the dictionary was written as text and read by Python",
                float(np.abs(answers(again) - said).max()),
                "{:.0e}",
            ),
        ),
        pictures=(
            Picture(
                "weights-dictionary",
                "After 2,000 epochs: the network, and all that it has learnt.",
                graph=load("weights-dictionary"),
                epochs=EPOCHS,
            ),
        ),
    )
