"""Wheat seeds as an architect wired them: 7-5-3 by hand, cross-validated as was published."""

from __future__ import annotations

from functools import cache

import numpy as np

import nodeflow as nf
from gallery.exhibit import Exhibit, Number, load

SPLITS, FOLDINGS, FOLDS, EPOCHS = range(30), range(10), 5, 500


@cache
def split_in_two(*, shuffle: bool) -> np.ndarray:
    """Return accuracy in % on a third of the rows set apart: one number a seed."""
    graph = load("wheat-seeds-by-hand").set("data", shuffle=shuffle)
    found = []
    for seed in SPLITS:
        run = nf.Run(graph, seed=seed)
        run.train(EPOCHS)
        found.append(run.assess().test_accuracy)
    return 100 * np.array(found, float)


@cache
def cross_validated(*, shuffle: bool) -> np.ndarray:
    """Return accuracy in % on the parts set apart: a row a seed, a column a fold."""
    graph = load("wheat-seeds-by-hand").set("data", shuffle=shuffle)
    return 100 * np.array(
        [
            [one.measures["test_accuracy"] for one in nf.folds(graph, FOLDS, seed=seed).folds]
            for seed in FOLDINGS
        ],
        float,
    )


def _percent(what: str, value: float, published: str = "") -> Number:
    return Number(what, float(value), "{:.1f} %", published, within=1.5)


def exhibit() -> Exhibit:
    """Measure the network by both ways of testing."""
    ordered, mixed = cross_validated(shuffle=False), cross_validated(shuffle=True)
    means = mixed.mean(axis=1)
    third, third_in_order = split_in_two(shuffle=True), split_in_two(shuffle=False)
    return Exhibit(
        title="Wired by hand, tested in folds",
        about="The network that an architect wired in Grasshopper, to the letter: 7-5-3, start "
        "weights from U(0, 1) as in J. Brownlee's tutorial, blame that begins with e = a − y "
        "without a factor 2, rate 0.3, one grain at a time, 500 epochs. No trainer and no cost "
        "node: four `step` nodes move weights and biases, and the check compares them with the "
        "cost whose slope e is, ½ Σ e². The published accuracy is the mean of a cross-validation "
        "in 5 folds; the architect set a third of the rows apart once. The two are different "
        "measures, and both are here.",
        graphs=("wheat-seeds-by-hand",),
        commands=(
            "nodeflow train graphs/wheat-seeds-by-hand.json --folds 5",
            "nodeflow train graphs/wheat-seeds-by-hand.json",
            "nodeflow check graphs/wheat-seeds-by-hand.json",
            "nodeflow explode graphs/wheat-seeds-by-hand.json theta1_step -o three-nodes.json",
        ),
        look=(
            (
                "A fold has 42 grains, so one grain more or less is 2.4 %: the folds of one run "
                "are farther apart than the means of ten."
            ),
            (
                "A third set apart once depends on which third: the worst and the best of thirty "
                "seeds are eleven grains of a hundred apart, with the same network."
            ),
            (
                "Shuffled or in order hardly matters here. The tutorial takes the rows in the "
                "order in which its folds drew them, which is a shuffle once and for all."
            ),
        ),
        numbers=(
            _percent("5 folds, mean of 10 seeds, shuffled", means.mean(), "93.3 to 95.2 %"),
            _percent("the same, lowest mean of a seed", means.min()),
            _percent("the same, highest mean of a seed", means.max()),
            _percent(
                "the same, spread over the folds of a seed",
                mixed.std(axis=1, ddof=1).mean(),
            ),
            _percent("5 folds, mean of 10 seeds, in order", ordered.mean(), "93.3 to 95.2 %"),
            _percent("a third set apart, mean of 30 seeds, shuffled", third.mean()),
            _percent("the same, worst seed", third.min()),
            _percent("the same, best seed", third.max()),
            _percent("a third set apart, mean of 30 seeds, in order", third_in_order.mean()),
        ),
    )
