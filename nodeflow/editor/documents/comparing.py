"""Whether a graph that was taken apart, or put together, still computes the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.workings.shown import rough

_EQUAL = 1e-12
_Values = Mapping[str, NDArray[np.float64]]


def compared(before: Graph, after: Graph) -> str:
    """Return a sentence: how far apart the values are that both graphs have, after an update.

    Both start from the same weights and train one update; values and gradients that have the same
    address in both are compared, relative to their size. A layer that is whole in one graph only
    is compared with what the values of its neurons in the other are together.
    """
    try:
        one, other = (_values(Run(graph)) for graph in (before, after))
    except NodeflowError as error:
        return f"not compared: {error}"
    gaps = {
        key: _gap(one[key], other[key])
        for key in one
        if key in other and one[key].shape == other[key].shape
    }
    layers = {**_together(one, other), **_together(other, one)}
    if not gaps and not layers:
        return "not compared: the graphs have no value in common"
    gaps |= layers
    worst = max(gaps, key=lambda key: gaps[key])
    if gaps[worst] > _EQUAL:
        return f"the numbers differ: by {rough(gaps[worst])} at {worst}"
    count = f"{len(gaps)} values" if len(gaps) > 1 else "1 value"
    parts = f", {len(layers)} of them with their neurons together" if layers else ""
    return f"the same numbers: {count} compared{parts}, largest difference {rough(gaps[worst], 1)}"


def _values(run: Run) -> _Values:
    run.advance("update")
    graph = run.machine.plan.graph
    found = {}
    for key in run.machine.plan.order:
        for port in graph.type_of(key).outputs:
            found[f"{key}.{port.name}"] = np.asarray(run[f"{key}.{port.name}"], dtype=float)
    return found


def _together(wholes: _Values, parts: _Values) -> dict[str, float]:
    """Return how far values that one graph has whole are from the neurons' of the other."""
    found = {}
    for address, whole in wholes.items():
        if address in parts:
            continue
        node, _, port = address.rpartition(".")
        neurons: list[NDArray[np.float64]] = []
        while (part := parts.get(f"{node}.{len(neurons) + 1}.{port}")) is not None:
            neurons.append(part)
        joined = _joined(neurons, whole)
        if joined is not None:
            found[address] = _gap(whole, joined)
    return found


def _joined(neurons: list[NDArray[np.float64]], whole: NDArray[np.float64]) -> object:
    """Return neurons side by side (values) or below each other (weights), as the whole has them."""
    for axis in (1, 0):
        shapes = {part.ndim > axis and (*part.shape[:axis], *part.shape[axis + 1 :])
                  for part in neurons}  # fmt: skip
        if len(shapes) == 1 and False not in shapes:
            joined = np.concatenate(neurons, axis)
            if joined.shape == whole.shape:
                return joined
    return None


def _gap(one: NDArray[np.float64], other: object) -> float:
    gap = np.abs(one - np.asarray(other))
    return float((gap / np.maximum(np.abs(one), 1.0)).max(initial=0.0))
