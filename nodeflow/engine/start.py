"""Where parameters start: from a value, or drawn from the seed and the parameter's id."""

from __future__ import annotations

import math
from collections.abc import Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import Split
from nodeflow.declare import numbers
from nodeflow.errors import GraphError
from nodeflow.graph import Graph
from nodeflow.nodes.source import parameter_shape


def start_value(
    graph: Graph, key: str, seed: int, splits: Mapping[str, Split]
) -> NDArray[np.float64]:
    """Return a parameter's value before the first update.

    Random starts use a generator seeded by (seed, CRC-32 of the id), so that a node that is
    added elsewhere changes nothing here.
    """
    settings = graph.settings(key)
    shape, init = parameter_shape(settings), settings["init"]
    if settings["value"] is not None:
        value = numbers(settings["value"])
        return np.full(shape, float(value.ravel()[0])) if value.shape != shape else value
    random = np.random.default_rng([seed, crc32(key.encode())])
    match init:
        case "uniform":
            return random.uniform(-0.5, 0.5, shape)
        case "normal":
            return random.standard_normal(shape)
        case "glorot" if len(shape) == 2:
            limit = math.sqrt(6 / (shape[0] + shape[1]))
            return random.uniform(-limit, limit, shape)
        case "constant":
            raise GraphError(f"'{key}' starts constant: give the number as its value", node=key)
        case "naive_bayes":
            return _naive_bayes(graph, key, shape, splits)
        case _:
            return np.zeros(shape)


def _naive_bayes(
    graph: Graph, key: str, shape: tuple[int, ...], splits: Mapping[str, Split]
) -> NDArray[np.float64]:
    """Return the linear discriminant of Gaussian classes with common variances.

    Neuron j stands for class j mod K: Θⱼᵢ = μ_ci / σᵢ², bⱼ = ln P(c) − ½ Σᵢ μ_ci² / σᵢ².
    """
    for wire in graph.out_of(key):
        if graph.nodes[wire.target].type != "weighted_sum" or wire.input not in ("weights", "bias"):
            continue
        fed = graph.inputs(wire.target)["a"]
        split = splits.get(fed[0].source)
        if split is None or len(fed) != 1 or fed[0].output != "x" or not split.classes:
            continue
        x = split.x.astype(np.float64)
        label = split.y.argmax(axis=1)
        classes = [c for c in range(split.y.shape[1]) if (label == c).any()]
        means = np.array([x[label == c].mean(axis=0) for c in classes])
        within = np.mean([x[label == c].var(axis=0) for c in classes], axis=0)
        variance = np.where(within > 0, within, 1.0)
        rows = [number % len(classes) for number in range(shape[0])]
        if wire.input == "weights":
            return np.asarray((means / variance)[rows])
        prior = np.array([np.log((label == c).mean()) for c in classes])
        return np.asarray((prior - 0.5 * (means**2 / variance).sum(axis=1))[rows])
    raise GraphError(
        f"'{key}' cannot start from naive_bayes: it must be the weights or bias of a weighted_sum "
        "that a data set of classes feeds directly",
        node=key,
    )
