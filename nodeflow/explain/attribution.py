"""Who answers for an error: how the δ of a layer is shared out among the neurons before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.equality import ByContent
from nodeflow.errors import RunError, nearest
from nodeflow.explain.names import neuron_before
from nodeflow.explain.wording import say
from nodeflow.workings.parts import SHOWN


@dataclass(frozen=True, slots=True, eq=False)
class Shares(ByContent):
    """How the δ of a layer's neurons is apportioned to the neurons before it."""

    layer: str
    neurons: tuple[str, ...]
    """What the neurons before the layer are called."""
    values: NDArray[Any]
    """out×in: the share of each neuron before (column) in each δ (row), with its sign.

    The sizes of a row add up to 1; where nothing is to be apportioned the row is 0.
    """
    amounts: NDArray[Any]
    """out×in: Θⱼᵢ δⱼ, what the shares were made of."""

    @property
    def ranking(self) -> tuple[int, ...]:
        """Neurons before the layer, by Σⱼ |Θⱼᵢ δⱼ|, the largest first."""
        sizes = np.abs(self.amounts).sum(axis=0)
        return tuple(int(i) for i in np.argsort(-sizes, kind="stable"))

    def text(self) -> str:
        """Return one sentence per neuron of the layer."""
        lines = []
        for j, row in enumerate(self.values):
            if not row.any():
                lines.append(say("nothing to apportion", layer=self.layer, number=j + 1))
                continue
            ranked = np.argsort(-np.abs(row), kind="stable")[:SHOWN]
            parts = ", ".join(
                say("share", who=self.neurons[i], share=f"{100 * abs(row[i]):.0f}") for i in ranked
            )
            lines.append(say("error of", layer=self.layer, number=j + 1, parts=parts))
        return "\n".join(lines)


def apportioned(weights: NDArray[Any], delta: NDArray[Any]) -> NDArray[Any]:
    """Return Θⱼᵢ δⱼ as shares of their sizes in each row; a row of zeros stays one."""
    amounts = weights * delta[:, None]
    whole = np.abs(amounts).sum(axis=1, keepdims=True)
    found: NDArray[Any] = np.divide(amounts, whole, out=np.zeros_like(amounts), where=whole > 0)
    return found


def shares(run: Run, layer: str, *, row: int = 0) -> Shares:
    """Apportion each δⱼ of a weighted sum to the neurons before it: Θⱼᵢ δⱼ / Σᵢ |Θⱼᵢ δⱼ|.

    For one row of the present batch, with the weights as they stand: after `run.evaluate()` δ
    and weights are of one moment. Raises `RunError` for what is no weighted sum, where no blame
    arrives, and for a row beyond the batch.
    """
    graph = run.plan.graph
    layers = graph.layers
    if layer not in layers:
        raise RunError(f"there is no weighted sum '{layer}'{nearest(layer, layers)}")
    deltas = np.atleast_2d(run.gradient(f"{layer}.z"))
    if not 0 <= row < len(deltas):
        raise RunError(f"row {row} is beyond the batch: it has 0 to {len(deltas) - 1}")
    weights = np.atleast_2d(run[graph.inputs(layer)["weights"][0].start])
    shapes = run.plan.inference.shapes
    neurons = [neuron_before(graph, layer, i, shapes) for i in range(weights.shape[1])]
    amounts = weights * deltas[row][:, None]
    return Shares(layer, tuple(neurons), apportioned(weights, deltas[row]), amounts)
