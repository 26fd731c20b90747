"""What a new network's defaults come to, measured on rows set apart; rates that were not given.

For targets that are numbers a rate that suits one table spoils another. So a few are tried, each
on other rows of the training part than it learnt from, and the gentlest that is as good as the
best is taken. The rows that the network sets apart for testing are not looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nodeflow.data import load, split_by
from nodeflow.data.memory import hold
from nodeflow.data.options import Options
from nodeflow.engine.run import Run
from nodeflow.explain.quality import FEWEST_ROWS, Quality, ends, quality
from nodeflow.graph import Graph

RATES = ((0.003, 16_000), (0.01, 32_000), (0.03, 64_000))
"""Learning rates, and how many samples are seen with each."""
_PARTS = 4
_AS_GOOD = 0.01
"""R² by which a faster rate must be better."""
_MOST_WORK = 3e9
"""Multiplications that measuring may take, about a few seconds."""


@dataclass(frozen=True)
class Measured:
    """A new network, what it comes to, and how its rate and epochs were found."""

    graph: Graph
    quality: Quality | None
    why: str


def measured(graph: Graph, *, rate: bool, epochs: bool) -> Measured:
    """Return a network with defaults that were measured.

    `rate` and `epochs` say whether they were left open and may be chosen. The graph is returned
    as it is where nothing is open, and not measured where that would take long.
    """
    why = ""
    if rate and _learns_numbers(graph):
        graph, why = _best_rate(graph, epochs=epochs)
    if _work(graph) > _MOST_WORK:
        return Measured(graph, None, "not measured, since it would take long")
    run = Run(graph)
    run.train()
    return Measured(graph, quality(run), why)


def _learns_numbers(graph: Graph) -> bool:
    found = ends(graph)
    return (
        found is not None
        and graph.settings(found[0])["scale_target"] != "none"
        and len(graph.of_type("gradient_descent")) == 1
    )


def _work(graph: Graph, samples: int | None = None) -> float:
    """Return about how many multiplications training takes."""
    weights = sum(
        math.prod(graph.settings(key)["shape"] or (1,)) for key in graph.of_type("parameter")
    )
    if samples is None:
        found = ends(graph)
        rows = 1
        if found is not None:
            settings = graph.settings(found[0])
            table = load(settings["source"], options=Options.of(settings), folder=graph.folder)
            rows = len(table.x)
        samples = rows * graph.training.epochs
    return 6.0 * weights * samples


def _best_rate(graph: Graph, *, epochs: bool) -> tuple[Graph, str]:
    """Return the graph with the best of RATES, tried on parts of its training rows."""
    found = ends(graph)
    tried = sum(_work(graph, samples) for _, samples in RATES) * _PARTS
    if found is None or tried > _MOST_WORK:
        return graph, ""
    key = found[0]
    settings, trainer = graph.settings(key), graph.of_type("gradient_descent")[0]
    table = load(settings["source"], options=Options.of(settings), folder=graph.folder)
    whole = split_by({**settings, "scale": "none", "scale_target": "none"}, table, 0)
    if len(whole.x) < FEWEST_ROWS:
        return graph, ""
    scores = np.array([
        [_score(with_rate(graph, key, trainer, rate, samples, len(whole.x), epochs=epochs),
                key, part, whole.x, whole.y) for part in range(_PARTS)]
        for rate, samples in RATES
    ]).mean(axis=1)  # fmt: skip
    best = next(i for i, score in enumerate(scores) if score >= scores.max() - _AS_GOOD)
    rate, samples = RATES[best]
    chosen = with_rate(graph, key, trainer, rate, samples, len(whole.x), epochs=epochs)
    shown = ", ".join(
        f"{one:g}: {score:.2f}" for (one, _), score in zip(RATES, scores, strict=True)
    )
    return chosen, f"rate {rate:g} of those tried on {_PARTS} parts of the rows (R² {shown})"


def with_rate(
    graph: Graph, data: str, trainer: str, rate: float, samples: int, rows: int, *, epochs: bool
) -> Graph:
    """Return the graph with a rate, and with the epochs in which so many samples are seen."""
    graph = graph.set(trainer, rate=rate)
    if not epochs:
        return graph
    many = max(20, math.ceil(samples / rows))
    return replace(graph, training=replace(graph.training, epochs=many))


def _score(graph: Graph, key: str, part: int, x: np.ndarray, y: np.ndarray) -> float:
    """Return R² on one part of the rows of a network that learnt from the others."""
    order = np.random.default_rng([part // 2, len(x)]).permutation(len(x))
    half = np.arange(len(x)) % 4 == part % 4
    away, stay = order[half], order[~half]
    name = hold({"x": x[stay], "y": y[stay], "x_test": x[away], "y_test": y[away]}, "measured")
    fold = graph.set(key, source=name, target=None, target_kind="numbers", test=0.0)
    run = Run(_plain_settings(fold, key))
    run.train()
    found = quality(run)
    return -math.inf if found is None or found.test is None else found.test


def _plain_settings(graph: Graph, key: str) -> Graph:
    """Return the graph without settings that say how a file is read."""
    plain = Options()
    said = Options.of(graph.settings(key)).given()
    return graph.set(key, **{name: getattr(plain, name) for name in said if name != "target_kind"})
