"""From a graph to steps that branch and join, for programs that hold more than layers in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import numbers
from nodeflow.derive.shapes import infer
from nodeflow.engine.run import Run
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.building import costs_of, letters
from nodeflow.interchange.chain import ANY, COSTS, LOGITS, SOURCES, is_judge, layers_of, step_of
from nodeflow.interchange.layers import Dense, End, Floats, Input, Join, Narrow, Network, Step


def steps_of(graph: Graph, weights: Mapping[str, Any] | None = None) -> Network:
    """Return the steps between the data and the costs: layers in a row, or what branches and joins.

    Raises `InterchangeError` for types that only nodeflow has.
    """
    weights = Run(graph).weights if weights is None else weights
    try:
        return layers_of(graph, weights)
    except InterchangeError:
        return _Walk(graph, weights).network()


class _Walk:
    """The steps of a graph in order, and what goes in."""

    def __init__(self, graph: Graph, weights: Mapping[str, Any]) -> None:
        self.graph, self.weights = graph, weights
        self.inputs: dict[str, str] = {}
        """What inputs are called, by their addresses."""
        self.arrays: dict[str, Floats] = {}
        """Those of parameters, by their addresses: layers that share one share its array."""
        self.steps: list[Step] = []

    def network(self) -> Network:
        """Return the network of all costs."""
        graph = self.graph
        starts = [self._start(cost) for cost in self._costs()]
        wanted = graph.upstream(start.rpartition(".")[0] for start in starts)
        for key in graph.order:
            if key in wanted and graph.nodes[key].type not in (*SOURCES, "parameter"):
                self._take(key)
        names = self._names(starts)
        shapes = infer(graph).shapes
        inputs = [Input(name, shapes[start].features) for start, name in self.inputs.items()]
        several = len(names) > 1
        return Network(
            tuple(self.steps), "nodeflow", name=graph.name, inputs=tuple(inputs),
            ends=tuple(End(name, name if several else "") for name in names),
        ).checked()  # fmt: skip

    def _costs(self) -> list[str]:
        graph = self.graph
        found = [key for key in graph.of_type(*COSTS) if graph.nodes[key].mode == "active"]
        found += [key for key in graph.of_type("expression") if is_judge(graph, key)]
        if not found:
            raise InterchangeError(
                f"the graph has no cost, and its outputs are what a cost takes; {ANY}"
            )
        order = costs_of(graph) if "J" in graph.nodes else graph.order
        return sorted(found, key=order.index)

    def _start(self, cost: str) -> str:
        """Return the address that a cost takes, or the logits before an activation of its own."""
        wire = self.graph.inputs(cost)["a"][0]
        if wire.source.rpartition(".")[2] == LOGITS:
            wire = self.graph.inputs(wire.source)["z"][0]
        return wire.start

    def _take(self, key: str) -> None:
        graph, kind = self.graph, self.graph.nodes[key].type
        ports = {port: [wire.start for wire in wires] for port, wires in graph.inputs(key).items()}
        starts = [start for port, some in ports.items() for start in some
                  if port not in ("weights", "bias")]  # fmt: skip
        values = [start for start in starts if not self._is_number(start)]
        active = graph.nodes[key].mode == "active"
        if active and kind in ("add", "multiply", "concatenate") and len(values) == len(starts) > 1:
            self.steps.append(Join(key, kind, self._names(values)))
        elif active and kind in ("sum", "mean"):
            self.steps.append(Narrow(key, kind, (), self._names(values)))
        elif active and kind == "pick":
            places = np.atleast_1d(graph.settings(key)["index"])
            self.steps.append(Narrow(key, kind, tuple(places.tolist()), self._names(values)))
        elif active and len(values) > 1 and self._formula(key, ports):
            return
        elif kind == "weighted_sum":
            self._layer(key, values)
        else:
            step, _ = step_of(graph, key, self.weights)
            self.steps.append(replace(step, takes=self._names(values)))

    def _layer(self, key: str, values: Sequence[str]) -> None:
        takes = self._names(values)
        if len(takes) > 1:
            joined = f"{key}.joined"
            self.steps.append(Join(joined, "concatenate", takes))
            takes = (joined,)
        self.steps.append(Dense(key, self._array(key, "weights"), self._bias(key), takes))

    def _array(self, key: str, port: str) -> Floats:
        wires = self.graph.inputs(key).get(port, ())
        if not wires or wires[0].start not in self.weights:
            raise InterchangeError(
                f"{key}.{port} comes from no parameter, and weights that other programs hold are "
                f"numbers; {ANY}"
            )
        start = wires[0].start
        array = np.asarray(self.weights[start], np.float64)
        shaped = np.atleast_2d(array) if port == "weights" else array.reshape(-1)
        return self.arrays.setdefault(start, shaped)

    def _bias(self, key: str) -> Floats | None:
        return self._array(key, "bias") if self.graph.inputs(key).get("bias") else None

    def _formula(self, key: str, ports: Mapping[str, list[str]]) -> bool:
        """Take a formula of several values; return whether a node is one."""
        graph = self.graph
        type_, settings = graph.type_of(key), graph.settings(key)
        if graph.nodes[key].type == "expression":
            tree = formulas.parse(str(settings["formula"]))
        elif type_.calculation:
            tree = type_.calculated(settings)
        else:
            return False
        known = {port: self._number(some[0]) for port, some in ports.items()
                 if self._is_number(some[0])}  # fmt: skip
        if any(value is None for value in known.values()):
            return False
        tree = formulas.filled(tree, known)
        names = formulas.names(tree)
        places = {name: ("name", letter)
                  for name, letter in zip(names, letters(len(names)), strict=True)}  # fmt: skip
        takes = self._names([ports[name][0] for name in names])
        text = formulas.write(formulas.placed(tree, places))
        self.steps.append(Join(key, "expression", takes, text))
        return True

    def _is_number(self, start: str) -> bool:
        """Return whether an address is a number, or one a feature, and no rows of data."""
        node = self.graph.nodes[start.rpartition(".")[0]]
        return node.type == "constant" and np.ndim(numbers(node.settings["value"])) < 2

    def _number(self, start: str) -> float | None:
        values = numbers(self.graph.settings(start.rpartition(".")[0])["value"])
        return float(values.reshape(-1)[0]) if values.size == 1 else None

    def _names(self, starts: Sequence[str]) -> tuple[str, ...]:
        """Return what steps are called whose values these are; inputs by their nodes or ports."""
        found = []
        for start in starts:
            key, _, port = start.rpartition(".")
            if self.graph.nodes[key].type in SOURCES:
                key = self.inputs.setdefault(start, key if port == "value" else port)
            found.append(key)
        return tuple(found)


def runs_of(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return each run of places that follow each other, as where it starts and ends."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place == found[-1][1]:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return found
