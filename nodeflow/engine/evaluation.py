"""One forward and backward pass of a graph, as values by address; nothing is updated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import UnknownType
from nodeflow.graph import Graph, Node
from nodeflow.nodes.trainer import gradient_descent


@dataclass(frozen=True)
class Evaluation:
    """One forward and backward pass: values and gradients by address, and the cost."""

    values: dict[str, Any] = field(default_factory=dict)
    gradients: dict[str, Any] = field(default_factory=dict)
    cost: float | None = None
    faults: tuple[str, ...] = ()
    """Where NaN or Infinity first appeared, unless the cost and all gradients are finite."""
    placeholders: tuple[str, ...] = ()
    """Which nodes are placeholders, and why: they and what waits for them have no values."""
    weights: dict[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    """The data of data sets, for what views show."""


def placeholders_of(run: Run) -> tuple[str, ...]:
    """Return why placeholders are none of the run's nodes; what waits for them is none either.

    Raises the first other problem that a node has.
    """
    problems = run.plan.inference.problems.values()
    for error in problems:
        if not isinstance(error, UnknownType):
            raise error
    return tuple(map(str, problems))


def evaluate(graph: Graph, weights: Mapping[str, Any] | None = None) -> Evaluation:
    """Evaluate the first batch forward and backward; nothing is updated.

    Where an update is a loop over samples, the rows of the samples are put under each other. NaN
    and Infinity are values like others: they stop no node that does not depend on them. Nor does a
    placeholder.
    """
    # A search tries weights: the pass itself is that of any trainer over the whole data.
    searches = [key for key in graph.searches if graph.nodes[key].mode == "active"]
    nodes = {**graph.nodes, **dict.fromkeys(searches, Node(gradient_descent.name))}
    whole = replace(graph, nodes=nodes)
    run = Run(whole, batch="all" if searches else None, strict=not graph.has_placeholders)
    placeholders = placeholders_of(run)
    if weights:
        run.set_weights(weights)
    phases, shapes = run.plan.phases, run.plan.inference.shapes
    wanted = {key for key in run.order if phases[key] < 2}
    places = {key: place for place, key in enumerate(run.order)}
    last = max((places[key] for key in wanted), default=-1)
    found: dict[str, list[Any]] = {}
    faults: dict[str, str] = {}
    at = 0
    while run.update == 0 and at <= last:
        step = run.step(refuse=False)
        if step.fault:
            faults.setdefault(step.node, step.fault)
        for port, value in step.outputs.items():
            found.setdefault(f"{step.node}.{port}", []).append(value)
        if run.update == 0:
            at = places[run.node]
    values = {
        address: np.concatenate(parts) if shapes[address].batch else parts[-1]
        for address, parts in found.items()
        if address.rpartition(".")[0] in wanted
    }
    gradients = {
        address: values[source]
        for address, source in sorted(run.plan.unfolding.gradients.items())
        if source in values
    }
    costs = found.get(run.plan.unfolding.cost or "", [])
    cost = float(np.mean(np.concatenate([np.ravel(part) for part in costs]))) if costs else None
    if cost is not None and all(np.isfinite(one).all() for one in (cost, *gradients.values())):
        faults.clear()  # they cancel out, or lie beside the way to the cost
    return Evaluation(
        {key: values[key] for key in sorted(values) if key.rpartition(".")[0] in graph.nodes},
        gradients,
        cost,
        tuple(faults.values()),
        placeholders,
        run.weights,
        run.plan.inference.tables,
    )
