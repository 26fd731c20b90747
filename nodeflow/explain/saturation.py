"""Where blame dies: neurons that hardly any of it comes through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.explain.names import neuron as called
from nodeflow.explain.slopes import passing
from nodeflow.graph import Wire
from nodeflow.workings.shown import show

DYING = 0.01
"""Slopes below it let hardly any blame through."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A neuron (from 0) through which hardly any blame comes, and why."""

    layer: str
    neuron: int
    kind: str
    """"slope", or "weights": all weights from it are 0."""
    slope: float
    z: float
    a: float
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "layer": self.layer, "neuron": self.neuron, "kind": self.kind, "slope": self.slope,
            "z": self.z, "a": self.a, "text": self.text,
        }  # fmt: skip


def where_blame_dies(run: Run) -> list[Reason]:
    """Return the neurons of every layer that blame cannot come through, layer by layer.

    A neuron is one if the slope of its activation (g′(z), of a softmax a(1 − a)) is below 0.01
    for every row of the present batch (the numbers are those of the steepest row), or if all
    weights from it are 0.
    Where δ passes an activation together with its cost no slope cuts it. Raises `RunError` for a
    run without a backward pass, and where there are no values yet.
    """
    gradients = run.plan.unfolding.gradients
    if not gradients:
        raise RunError("no blame flows: the graph has no trainer and no single cost")
    graph = run.plan.graph
    found: list[Reason] = []
    for layer in (key for key in run.order if graph.nodes[key].is_layer):
        for wire in graph.out_of(layer):
            activation = wire.target
            if graph.type_of(activation).family == "activation" and f"{activation}.a" in gradients:
                found += _flat(run, layer, activation)
                found += _unread(run, layer, activation)
    return found


def _slopes(run: Run, activation: str, z: NDArray[Any], a: NDArray[Any]) -> NDArray[Any] | None:
    graph = run.plan.graph
    type_ = graph.type_of(activation)
    return passing(type_, z, a, graph.settings(activation))


def _flat(run: Run, layer: str, activation: str) -> Iterator[Reason]:
    graph = run.plan.graph
    type_ = graph.type_of(activation)
    z, a = np.atleast_2d(run[f"{layer}.z"]), np.atleast_2d(run[f"{activation}.a"])
    slopes = _slopes(run, activation, z, a)
    if slopes is None:
        return
    for neuron, row in enumerate(slopes.argmax(axis=0)):
        slope, at, out = (float(array[row, neuron]) for array in (slopes, z, a))
        if slope >= DYING:
            continue
        if slope == 0 and type_.verb == "cut":
            where = "is not above" if at == 0 else "is below"
            why_ = f"z = {show(at)} {where} 0, its slope is 0"
        else:
            word = "σ" if "σ" in type_.aliases else type_.title
            named = "∂a/∂z" if type_.shares else f"{word}′"
            why_ = f"{named} = {show(slope)}: saturated at a = {show(out)}"
        yield Reason(
            layer, neuron, "slope", slope, at, out, f"{called(layer, neuron, z.shape[1])}: {why_}"
        )


def _unread(run: Run, layer: str, activation: str) -> Iterator[Reason]:
    """Find neurons that no later layer gives a weight to."""
    graph = run.plan.graph
    z, a = np.atleast_2d(run[f"{layer}.z"]), np.atleast_2d(run[f"{activation}.a"])
    parts = []
    for wire in graph.out_of(activation):
        type_ = graph.type_of(wire.target)
        if wire.target not in run.order or type_.family in ("view", "backward"):
            continue
        if not type_.is_layer:
            return
        before = [each for each in graph.inputs(wire.target)["a"] if _number(each) < _number(wire)]
        start = sum(run.plan.inference.shapes[each.start].features or 0 for each in before)
        weights = run[graph.inputs(wire.target)["weights"][0].start]
        parts.append(weights[:, start : start + a.shape[1]])
    if not parts:
        return
    dead = ~np.concatenate(parts).any(axis=0)
    slopes = _slopes(run, activation, z, a)
    for neuron in np.flatnonzero(dead):
        slope = float(slopes[:, neuron].max()) if slopes is not None else float("nan")
        yield Reason(
            layer, int(neuron), "weights", slope, float(z[0, neuron]), float(a[0, neuron]),
            f"{called(layer, int(neuron), a.shape[1])}: all weights from it are 0, "
            "no blame comes back to it",
        )  # fmt: skip


def _number(wire: Wire) -> int:
    return wire.index or 0
