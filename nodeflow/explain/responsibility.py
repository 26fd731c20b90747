"""Who answers for an error: shares of blame of every layer for one sample at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.explain.attribution import apportioned
from nodeflow.explain.names import neuron, neuron_before

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Responsibility:
    """How much of a layer's error each neuron before it answers for, in a sample.

    The share of neuron i is Σⱼ |Θⱼᵢ δⱼ| over all of these; `blame` is Σⱼ Θⱼᵢ δⱼ = ∂C/∂aᵢ, with
    its sign: above 0 the cost falls when the neuron gives less. `each` (δ, neurons) has the shares
    in each δ with signs; the sizes of a row add up to 1, where nothing is to be apportioned it
    is 0.
    """

    layer: tuple[str, ...]
    """What the neurons are called whose δ is apportioned."""
    deltas: Floats
    neurons: tuple[str, ...]
    """Those before them."""
    shares: Floats
    blame: Floats
    each: Floats

    @property
    def ranking(self) -> tuple[int, ...]:
        """Places of the neurons before, the most to blame first."""
        return tuple(int(i) for i in np.argsort(-self.shares, kind="stable"))

    def as_dict(self) -> dict[str, Any]:
        """Return one line per neuron before, ranked, and its share in each δ."""
        return {
            "layer": list(self.layer),
            "deltas": self.deltas,
            "shares": [
                {
                    "neuron": self.neurons[i],
                    "share": float(self.shares[i]),
                    "blame": float(self.blame[i]),
                    "of_each": self.each[:, i],
                }
                for i in self.ranking
            ],
        }


def responsibility(
    layer: tuple[str, ...], neurons: tuple[str, ...], weights: Floats, deltas: Floats
) -> Responsibility:
    """Return the shares of the neurons that weights (out, in) lead back to, for δ (out)."""
    amounts = np.abs(weights * deltas[:, None]).sum(axis=0)
    whole = float(amounts.sum())
    shares = amounts / whole if whole > 0 else np.zeros_like(amounts)
    each = apportioned(weights, deltas)
    return Responsibility(layer, deltas, neurons, shares, deltas @ weights, each)


def blame_at(run: Run, epoch: int, sample: int) -> list[Responsibility]:
    """Return the shares of blame of a sample, from the last layer back to the first.

    `sample` is its place in the order of its epoch, from 0; the weights are those with which it
    is evaluated. Weighted sums that read the same values are one layer, also where each neuron
    has one of its own. The run is left there, evaluated. Raises `RunError` where no blame arrives
    at a weighted sum, where δ is no number, and for a moment that is not in the run.
    """
    run.goto(epoch=epoch, sample=sample)
    first = run.sample
    run.evaluate()
    row = sample - first if run.schedule.passes(run.update) == 1 else 0
    plan = run.plan
    graph, shapes = plan.graph, plan.inference.shapes
    layers: dict[tuple[str, ...], list[str]] = {}
    for key in run.order:
        if graph.nodes[key].is_layer and f"{key}.z" in plan.unfolding.gradients:
            starts = tuple(wire.start for wire in graph.inputs(key)["a"])
            layers.setdefault(starts, []).append(key)
    if not layers:
        raise RunError("no blame arrives at a weighted sum: there is no backward pass")
    found = []
    for keys in reversed(layers.values()):
        rows, deltas, names = [], [], []
        for key in keys:
            delta = np.atleast_2d(run.gradient(f"{key}.z"))
            weights = np.atleast_2d(run[graph.inputs(key)["weights"][0].start])
            of_row = delta[min(row, len(delta) - 1)]
            if not np.isfinite(of_row).all():
                raise RunError(
                    f"the δ of '{key}' is NaN or Infinity, of which nobody has a share; "
                    "`nodeflow run` says where it first appeared"
                )
            rows.append(weights)
            deltas.append(of_row)
            names += [neuron(key, j, len(of_row)) for j in range(len(of_row))]
        theta = np.concatenate(rows)
        before = tuple(neuron_before(graph, keys[0], i, shapes) for i in range(theta.shape[1]))
        found.append(responsibility(tuple(names), before, theta, np.concatenate(deltas)))
    return found
