"""`blame_shares`: who answers for an error, ranked: "hidden 2: 0.30"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodeflow.explain.names import layer_of, neuron, neuron_before
from nodeflow.explain.responsibility import Responsibility, responsibility
from nodeflow.graph import Graph
from nodeflow.shape import Shape
from nodeflow.theme import Theme
from nodeflow.views.bars import Bars
from nodeflow.views.marks import Area, Mark
from nodeflow.views.sight import Sight
from nodeflow.workings.shown import share, show

if TYPE_CHECKING:
    from nodeflow.engine.run import Run


@dataclass(frozen=True, eq=False)
class BlameShares:
    """Shares of blame as bars."""

    of: Responsibility

    @property
    def foot(self) -> str:
        """The neuron that is most to blame."""
        most = self.of.ranking[0]
        return f"most: {self.of.neurons[most]}, {share(self.of.shares[most])}"

    def as_dict(self) -> dict[str, Any]:
        """Return one line per neuron, ranked, and its share in each δ."""
        return self.of.as_dict()

    @property
    def ranked(self) -> Bars:
        """The shares as bars, the largest first and marked."""
        order = list(self.of.ranking)
        names = tuple(self.of.neurons[i] for i in order)
        return _Decimals(names, self.of.shares[order], shares=True, best=0)

    def marks(self, area: Area, theme: Theme) -> list[Mark]:
        """Draw a bar a neuron."""
        return self.ranked.marks(area, theme)

    def lines(self, wide: int) -> list[str]:
        """Write a bar a neuron."""
        return self.ranked.lines(wide)


class _Decimals(Bars):
    """Bars of shares that are written as 0.30."""

    def text(self, value: float) -> str:
        return share(value)


def who(
    graph: Graph, weights: str, count: int, inputs: int, shapes: Mapping[str, Shape]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the neurons of a layer with these weights are called, and those before it."""
    layer = layer_of(graph, weights)
    before = tuple(
        neuron_before(graph, layer, i, shapes) if layer else f"input {i + 1}" for i in range(inputs)
    )
    return tuple(neuron(layer or "δ", j, count) for j in range(count)), before


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
        return apart(delta.size, len(weights))
    names, before = who(
        sight.graph, inputs["weights"], len(weights), weights.shape[1], sight.shapes
    )
    made = responsibility(names, before, weights, delta)
    if not made.shares.any():
        return f"δ is {show(0)}: there is nothing to apportion"
    return BlameShares(made)


def apart(deltas: int, rows: int) -> str:
    """Say that δ and weights do not belong together."""
    return f"{deltas} δ and weights for {rows}: they must be of one layer"


def for_page(run: Run, _key: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return what a page needs besides the values: what the neurons are called."""
    for port in ("delta", "weights"):
        if port not in inputs:
            return {"why": f"wire {port} as well"}
    shapes = run.plan.inference.shapes
    if not {inputs["delta"], inputs["weights"]} <= shapes.keys():
        return {}
    rows, columns = (size or 0 for size in shapes[inputs["weights"]].flat)
    deltas = shapes[inputs["delta"]].features or 0
    if deltas != rows:
        return {"why": apart(deltas, rows)}
    layer, before = who(run.plan.graph, inputs["weights"], rows, columns, shapes)
    return {"layer": layer, "before": before}
