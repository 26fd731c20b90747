"""`blame_shares`: who answers for an error, ranked: "hidden 2: 0.30"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.explain.apportioning import apportioned
from nodeflow.explain.names import neuron_before
from nodeflow.theme import Theme
from nodeflow.views.bars import Bars
from nodeflow.views.marks import Area, Mark
from nodeflow.views.sight import Floats, Sight
from nodeflow.workings.shown import show


@dataclass(frozen=True, eq=False)
class BlameShares:
    """How much of a layer's error each neuron before it answers for, in a sample.

    The share of neuron i is Σⱼ |Θⱼᵢ δⱼ| over all of these; `blame` is Σⱼ Θⱼᵢ δⱼ = ∂C/∂aᵢ, with
    its sign: above 0 the cost falls when the neuron gives less. `each` has a row a δ: its own
    shares with signs, whose sizes add up to 1.
    """

    names: tuple[str, ...]
    shares: Floats
    blame: Floats
    each: Floats

    @property
    def ranking(self) -> tuple[int, ...]:
        """Places of the neurons, the most to blame first."""
        return tuple(int(i) for i in np.argsort(-self.shares, kind="stable"))

    @property
    def foot(self) -> str:
        """The neuron that is most to blame."""
        most = self.ranking[0]
        return f"most: {self.names[most]}, {self.shares[most]:.2f}"

    def as_dict(self) -> dict[str, Any]:
        """Return a line a neuron, ranked, and the shares in each δ."""
        return {
            "shares": [
                {"neuron": self.names[i], "share": self.shares[i], "blame": self.blame[i]}
                for i in self.ranking
            ],
            "of_each_delta": self.each,
        }

    @property
    def ranked(self) -> Bars:
        """The shares as bars, the largest first and marked."""
        order = list(self.ranking)
        names = tuple(self.names[i] for i in order)
        best = 0 if self.shares.any() else -1
        return _Decimals(names, self.shares[order], shares=True, best=best)

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw a bar a neuron."""
        return self.ranked.marks(area, theme)

    def lines(self, wide: int) -> list[str]:
        """Write a bar a neuron."""
        return self.ranked.lines(wide)


class _Decimals(Bars):
    """Bars of shares that are written as 0.30, the words of the literature."""

    def text(self, value: float) -> str:
        return f"{value:.2f}"


def shares_of(names: tuple[str, ...], weights: Floats, delta: Floats) -> BlameShares:
    """Return the shares of the neurons that weights (out, in) lead back to, for one δ (out)."""
    amounts = np.abs(weights * delta[:, None]).sum(axis=0)
    whole = float(amounts.sum())
    shares = amounts / whole if whole > 0 else np.zeros_like(amounts)
    return BlameShares(names, shares, delta @ weights, apportioned(weights, delta))


def found(sight: Sight, key: str) -> BlameShares | str | None:
    """Return the shares for the first sample of the pass."""
    inputs = sight.inputs(key)
    for port in ("delta", "weights"):
        if port not in inputs:
            return f"wire {port} as well"
        if inputs[port] not in sight.values:
            return None
    delta, weights = sight.row(inputs["delta"])[0], sight.row(inputs["weights"])
    if delta.size != len(weights):
        return f"{delta.size} δ and weights for {len(weights)}: they must be of one layer"
    names = _names(sight, inputs["weights"], weights.shape[1])
    made = shares_of(names, weights, delta)
    return made if made.shares.any() else f"δ = {show(0)}: there is nothing to apportion"


def _names(sight: Sight, weights: str, count: int) -> tuple[str, ...]:
    for wire in sight.graph.out_of(weights.rpartition(".")[0]):
        if wire.input == "weights" and sight.graph.nodes[wire.target].type == "weighted_sum":
            return tuple(neuron_before(sight.graph, wire.target, i) for i in range(count))
    return tuple(f"input {number + 1}" for number in range(count))
