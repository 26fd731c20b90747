"""Whether a graph that was taken apart, or put together, still computes the same."""

from __future__ import annotations

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph

_EQUAL = 1e-12


def compared(before: Graph, after: Graph) -> str:
    """Return a sentence: how far apart the values are that both graphs have, after an update.

    Both start from the same weights and train one update; values and gradients that have the same
    address in both are compared, relative to their size.
    """
    try:
        runs = [Run(before), Run(after)]
        found = [_values(run) for run in runs]
    except NodeflowError as error:
        return f"not compared: {error}"
    shared = [
        key for key in found[0] if key in found[1] and found[0][key].shape == found[1][key].shape
    ]
    if not shared:
        return "not compared: the graphs have no value in common"
    gaps = {key: _gap(found[0][key], found[1][key]) for key in shared}
    worst = max(gaps, key=lambda key: gaps[key])
    count = f"{len(shared)} values" if len(shared) > 1 else "1 value"
    if gaps[worst] <= _EQUAL:
        return f"the same numbers: {count} compared, largest difference {gaps[worst]:.1g}"
    return f"the numbers differ: by {gaps[worst]:.2g} at {worst}"


def _values(run: Run) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    run.advance("update")
    graph = run.machine.plan.graph
    found = {}
    for key in run.machine.plan.order:
        for port in graph.type_of(key).outputs:
            found[f"{key}.{port.name}"] = np.asarray(run[f"{key}.{port.name}"], dtype=float)
    return found


def _gap(one: np.ndarray[tuple[int, ...], np.dtype[np.float64]], other: object) -> float:
    gap = np.abs(one - np.asarray(other))
    return float((gap / np.maximum(np.abs(one), 1.0)).max(initial=0.0))
