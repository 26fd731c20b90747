"""No black box: why a weight changed, and where blame dies."""

from __future__ import annotations

from functools import cache

import numpy as np

import nodeflow as nf
from gallery.exhibit import Exhibit, Number, Picture, load
from nodeflow.explain import where_blame_dies
from nodeflow.explain.tracing import Why, why

PLACE = (2, 3)
"""The weight of which it is asked: hidden 3 and the fourth measurement."""


@cache
def traced() -> Why:
    """Return why a weight of the wheat network changed in its first ten epochs."""
    run = nf.Run(load("wheat-seeds"))
    run.train(10)
    return why(run, "theta1.value", PLACE, (0, 10))


def dead(init: str) -> int:
    """Return through how many hidden neurons hardly any blame comes at the start."""
    graph = load("wheat-seeds").set("theta1", init=init).set("bias1", init=init)
    run = nf.Run(graph)
    run.evaluate()
    return sum(reason.layer == "hidden" for reason in where_blame_dies(run))


def exhibit() -> Exhibit:
    """Add up what the samples did to a weight."""
    found = traced()
    changes = np.array([each.change for each in found.contributions])
    first = found.ranking[0]
    shares = found.by_sample
    return Exhibit(
        title="No black box",
        about=(
            "“A black box” is said of networks whose every number can be asked where it comes "
            "from. A weight is where it started, plus what each sample did to it, −α·δ·a, one "
            "update after the other; and each δ is a blame times a slope. So there is an answer "
            "to “why did this weight change”, sample by sample, and to “why did it not”: the "
            "neuron is saturated, its slope lets no blame through."
        ),
        graphs=("wheat-seeds",),
        commands=(
            "nodeflow why graphs/wheat-seeds.json theta1[2,3] --from 0 --to 10",
            "nodeflow saturated graphs/wheat-seeds.json --epochs 20",
            "nodeflow blame graphs/wheat-seeds.json --at 10:0",
        ),
        look=(
            ("The parts add up to the change to the last digits: nothing else moved the weight."),
            (
                "Most of what the samples do cancels out: together they pushed the weight many "
                "times as far as it went. A weight stands where pushes from both sides meet."
            ),
            (
                "Started by Naive Bayes all five hidden neurons are saturated for the first "
                "grain, with slopes below 10⁻¹¹: no rate makes up for that, and it is why that "
                "start is the slowest of all."
            ),
        ),
        numbers=(
            Number("the weight before", found.before, "{:.4f}"),
            Number("after 10 epochs", found.after, "{:.4f}", within=0.02),
            Number("updates that moved it, 10 · 139", len(changes), "{:.0f}"),
            Number(
                "farthest that their sum is from the change",
                abs(float(changes.sum()) - found.change),
                "{:.0e}",
                within=1e-13,
            ),
            Number(
                "all pushes, whichever way, over the change",
                float(np.abs(changes).sum()) / abs(found.change),
                "{:.1f}",
                within=3,
            ),
            Number("the largest single push, −α·δ·a", first.change, "{:.4f}", within=0.01),
            Number(
                "the same by hand from its δ and a",
                -0.3 * first.delta * first.input,
                "{:.4f}",
                within=0.01,
            ),
            Number("samples that moved it", len(shares), "{:.0f}"),
            Number(
                "hidden neurons without blame at the start (of 5), uniform",
                dead("uniform"),
                "{:.0f}",
            ),
            Number("the same, Naive Bayes", dead("naive_bayes"), "{:.0f}"),
        ),
        pictures=(
            Picture(
                "black-box",
                "The wheat network after 10 epochs: each activation with its points and slope.",
                graph=load("wheat-seeds"),
                epochs=10,
            ),
        ),
    )
