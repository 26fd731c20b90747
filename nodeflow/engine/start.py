"""Where parameters start: from a value, or drawn from the seed and the parameter's id."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.data import Split
from nodeflow.declare import numbers
from nodeflow.errors import BadSetting, GraphError
from nodeflow.graph import PART, ROWS, Graph, Wire, drawn_as
from nodeflow.nodes.arithmetic import add, multiply
from nodeflow.nodes.source import parameter_shape, uniform_range


def start_value(
    graph: Graph, key: str, seed: int, splits: Mapping[str, Split]
) -> NDArray[np.float64]:
    """Return a parameter's value before the first update.

    Random starts use a generator seeded by (seed, CRC-32 of the id), so that a node that is
    added elsewhere changes nothing here. A parameter that was renamed is drawn as before: it
    keeps the id that it had first under "drawn_as".
    """
    settings = graph.settings(key)
    shape, init = parameter_shape(settings), settings["init"]
    if settings["value"] is not None:
        value = numbers(settings["value"])
        return np.full(shape, float(value.ravel()[0])) if value.shape != shape else value
    part = graph.nodes[key].extra.get(PART)
    if part is not None:
        return _part(graph, key, part, shape, seed, splits)
    rows = rows_of(graph, key)
    if rows:
        parts = [_part(graph, key, row, (1, *shape[1:]), seed, splits) for row in rows]
        return np.concatenate(parts)
    if init == "naive_bayes":
        bayes = _naive_bayes(graph, key, shape, splits)
        if bayes.shape != shape:
            raise GraphError(
                f"'{key}' cannot start from naive_bayes: that gives "
                f"{'×'.join(map(str, bayes.shape))} numbers, and its shape is "
                f"{'×'.join(map(str, shape))}",
                node=key,
            )
        return bayes
    if init == "constant":
        raise GraphError(f"'{key}' starts constant: give the number as its value", node=key)
    return _drawn(drawn_as(graph.nodes[key], key), shape, init, seed, uniform_range(settings))


def single_number(settings: Mapping[str, Any]) -> float | None:
    """Return the number that a parameter of a single one starts from; None if it is drawn."""
    value = settings["value"]
    while type(value) is tuple:
        value = value[0]
    return value if type(value) is float or type(value) is int else None


def rows_of(graph: Graph, key: str) -> Sequence[Any]:
    """Return the parts as which the rows of a parameter start, where that is noted.

    A layer that has another size since starts anew.
    """
    rows = graph.nodes[key].extra.get(ROWS)
    size = parameter_shape(graph.settings(key))[0]
    return rows if isinstance(rows, Sequence) and len(rows) == size else ()


def _drawn(
    key: str, shape: tuple[int, ...], init: str, seed: int, ends: tuple[float, float]
) -> NDArray[np.float64]:
    random = np.random.default_rng([seed, crc32(key.encode())])
    match init:
        case "uniform":
            return random.uniform(*ends, shape)
        case "normal":
            return random.standard_normal(shape)
        case "glorot" if len(shape) == 2:
            limit = math.sqrt(6 / (shape[0] + shape[1]))
            return random.uniform(-limit, limit, shape)
        case _:
            return np.zeros(shape, float)


_drawn_once = lru_cache(maxsize=4)(_drawn)
"""The many parts of one whole are cut from one drawing."""


def _part(
    graph: Graph,
    key: str,
    part: Any,
    shape: tuple[int, ...],
    seed: int,
    splits: Mapping[str, Split],
) -> NDArray[np.float64]:
    """Return the row, or the one number, that this node is of an exploded parameter.

    The whole is drawn as it would have been, so that its parts start as they did in it.
    """
    settings = graph.settings(key)
    init = settings["init"]
    try:
        of, row, column = str(part["of"]), part["row"], part.get("column")
        checked = graph.type_of(key).check({"shape": part["shape"]}, f"{key}.part")
        whole_shape = parameter_shape(checked)
        if init == "naive_bayes":
            whole = _naive_bayes(graph, key, whole_shape, splits)
        elif init == "constant":
            raise GraphError(f"'{key}' starts constant: give the number as its value", node=key)
        else:
            whole = _drawn_once(of, whole_shape, init, seed, uniform_range(settings))
        found = whole[row] if column is None else whole[row, column]
        return np.array(found, dtype=np.float64).reshape(shape)
    except (AttributeError, BadSetting, IndexError, KeyError, TypeError, ValueError) as error:
        raise GraphError(
            f"'{key}' cannot start as a part: its \"part\" must name a parameter, its shape and "
            "a row of it",
            node=key,
        ) from error


def _naive_bayes(
    graph: Graph, key: str, shape: tuple[int, ...], splits: Mapping[str, Split]
) -> NDArray[np.float64]:
    """Return the linear discriminant of Gaussian classes with common variances.

    Neuron j stands for class c = j mod K of all K classes: Θⱼᵢ = μ_ci / σᵢ²,
    bⱼ = ln P(c) − ½ Σᵢ μ_ci² / σᵢ², with the means μ, the variances σ² within the classes, and
    the shares P of the n training rows. A class without a training row (all of them were set
    apart for testing) stands at the mean of all rows, with the share of half a row: ½/n.
    """
    for wire in graph.out_of(key):
        if not graph.nodes[wire.target].is_layer or wire.input not in ("weights", "bias"):
            # In a layer taken apart a weight enters a product, and a bias the sum of products.
            start = _picked_from(graph, wire)
            is_weights = len(shape) == 2
        else:
            fed = graph.inputs(wire.target)["a"]
            start = fed[0] if len(fed) == 1 else None
            is_weights = wire.input == "weights"
        split = None if start is None else splits.get(start.source)
        if start is None or split is None or start.output != "x" or not split.classes:
            continue
        x = split.x.astype(np.float64)
        label = split.y.argmax(axis=1)
        count = split.y.shape[1]
        own = [x[label == c] for c in range(count)]
        means = np.array([part.mean(axis=0) if len(part) else x.mean(axis=0) for part in own])
        within = np.mean([part.var(axis=0) for part in own if len(part)], axis=0)
        variance = np.where(within > 0, within, 1.0)
        rows = [number % count for number in range(shape[0])]
        if is_weights:
            return np.asarray((means / variance)[rows])
        prior = np.log(np.array([len(part) or 0.5 for part in own]) / len(x))
        return np.asarray((prior - 0.5 * (means**2 / variance).sum(axis=1))[rows])
    raise GraphError(
        f"'{key}' cannot start from naive_bayes: it must be the weights or bias of a weighted_sum "
        "that a data set of classes feeds directly",
        node=key,
    )


def _picked_from(graph: Graph, wire: Wire) -> Wire | None:
    """Return the wire whose features are picked for the products that a wire's target is in."""
    if graph.nodes[wire.target].kind not in (add, multiply):
        return None
    starts = [other for other in graph.into(wire.target) if other.source != wire.source]
    for other in starts:
        kind = graph.nodes[other.source].kind
        if kind is multiply or kind.picks:
            starts += graph.into(other.source)
        elif kind.holds_data:
            return other
    return None
