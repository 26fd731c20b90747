"""Neurons that are one and the same: equal weights lead to them and away from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.graph import Graph

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Alike:
    """Neurons (from 0) of a layer that calculate the same and are given the same blame."""

    layer: str
    neurons: tuple[int, ...]
    all_of_them: bool

    @property
    def text(self) -> str:
        """What they are, and what that leads to."""
        numbers = [str(neuron + 1) for neuron in self.neurons]
        some = ", ".join(numbers[:-1]) + f" and {numbers[-1]}"
        who = f"all {len(numbers)} neurons" if self.all_of_them else f"neurons {some}"
        return (
            f"{who} have the same weights, in and out: they calculate the same, are given the "
            "same blame, and stay alike for ever, as one neuron would; random starts end that"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {"layer": self.layer, "neurons": list(self.neurons), "text": self.text}


def alike(graph: Graph, values: Callable[[str], Array | None], layer: str) -> list[Alike]:
    """Return the neurons of a layer that are one and the same, a group each.

    Their rows of the weights and their biases are equal, and so are their columns of the weights
    of every layer that reads them; of those that something else reads too, nothing is said.
    `values` gives a value by its address, or None where it is not known.
    """
    inputs = graph.inputs(layer)
    wires = [inputs[port][0] for port in ("weights", "bias") if inputs.get(port)]
    read = _readers(graph, layer)
    if not wires or not read:
        return []
    found = [values(address) for address in (*(wire.start for wire in wires), *read)]
    if any(value is None for value in found):
        return []
    arrays = [np.asarray(value) for value in found]
    into, away = arrays[: len(wires)], arrays[len(wires) :]
    rows = [np.atleast_2d(into[0]), *(np.reshape(bias, (-1, 1)) for bias in into[1:])]
    rows += [np.atleast_2d(weights).T for weights in away]
    if len({len(part) for part in rows}) != 1:
        return []
    groups: dict[bytes, list[int]] = {}
    for neuron, row in enumerate(np.hstack(rows) + 0.0):  # −0 is 0
        groups.setdefault(row.tobytes(), []).append(neuron)
    return [Alike(layer, tuple(group), len(groups) == 1)
            for group in groups.values() if len(group) > 1]  # fmt: skip


def _readers(graph: Graph, layer: str) -> list[str]:
    """Return the weights of the layers that alone read a layer; () where others do too."""
    found: list[str] = []
    ends = [layer]
    while ends:
        for wire in graph.out_of(ends.pop()):
            type_ = graph.type_of(wire.target)
            if type_.family == "activation":
                ends.append(wire.target)
            elif type_.is_layer and wire.input == "a" and len(graph.inputs(wire.target)["a"]) == 1:
                weights = graph.inputs(wire.target).get("weights", ())
                if not weights:
                    return []  # it is still being wired
                found += [one.start for one in weights]
            elif type_.family not in ("view", "backward"):
                return []
    return found
