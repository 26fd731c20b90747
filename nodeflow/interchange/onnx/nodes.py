"""ONNX out: the nodes of any graph as operators. It is the graph's own plan, node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nodeflow import formula as formulas
from nodeflow.declare import NodeType
from nodeflow.errors import InterchangeError
from nodeflow.interchange.onnx.operators import Operators
from nodeflow.interchange.programs.recipe import Recipe


class Nodes(Operators):
    """Operators that are nodes of a graph, with the names of their values."""

    def __init__(self, recipe: Recipe, dtype: DTypeLike = np.float64) -> None:
        super().__init__(dtype)
        self.recipe = recipe
        self.names: dict[str, str] = {}
        """The operators' names of the graph's values, by address."""
        for address in recipe.fed:
            key, _, port = address.rpartition(".")
            several = len(recipe.run.machine.splits) > 1
            self.names[address] = port if port != "value" and not several else (
                key if port == "value" else address
            )  # fmt: skip
        self.names |= {address: address for address in recipe.parameters}
        for address, value in recipe.constants.items():
            self.names[address] = self.constant(address, value)
        self.count_rows = ""
        self.rows = ""
        """n, the number of rows, as a real number; "" where there is no input with rows."""

    def take(self, address: str) -> None:
        """Make an input of a constant, under its node's id."""
        self.constants = [one for one in self.constants if one.name != address]
        self.names[address] = address.rpartition(".")[0]

    def count(self) -> None:
        """Have the number of rows ready, where there is an input with rows."""
        if self.recipe.fed:
            shape = self.node("Shape", self.names[next(iter(self.recipe.fed))])
            self.count_rows = self.node("Gather", shape, self.whole(0))
            self.rows = self.real(self.count_rows)

    def say(self, key: str) -> None:
        """Add the operators of a node."""
        graph = self.recipe.plan.graph
        type_ = graph.type_of(key)
        if type_.operators is not None:
            value = type_.operators(self, key)
        elif type_.called("onnx"):
            value = self.activation(type_, self.one(key, type_.inputs[0].name))
        elif type_.calculation:
            value = self.formula_of(key, type_.calculated(graph.settings(key)))
            value = self.total(value, -1) if type_.adds_up else value
        else:
            raise InterchangeError(
                f"'{key}' ({type_.name}) has no counterpart among ONNX's operators"
            )
        self.names[self.recipe.output(key)] = value

    # -- inputs of a node

    def all(self, key: str, port: str) -> list[str]:
        """Return the values that enter a port."""
        return [self.names[address] for address in self.recipe.inputs(key, port)]

    def one(self, key: str, port: str) -> str:
        """Return the value of a port, several joined side by side."""
        addresses = self.recipe.inputs(key, port)
        if len(addresses) == 1:
            return self.names[addresses[0]]
        batch = any(self.recipe.batched(address) for address in addresses)
        parts = [self.with_rows(a) if batch else self.names[a] for a in addresses]
        return self.node("Concat", *parts, axis=1)

    def with_rows(self, address: str) -> str:
        """Return a value with one row per sample, repeated where it has one for all."""
        if self.recipe.batched(address) or not self.rows:
            return self.names[address]
        width = int(np.prod([size or 1 for size in self.recipe.dims(address)]))
        shape = self.node("Concat", self.count_rows, self.whole(width), axis=0)
        return self.node("Expand", self.names[address], shape)

    def rows_of(self, key: str, port: str) -> str:
        """Return the value of a port with one row per sample."""
        addresses = self.recipe.inputs(key, port)
        return self.with_rows(addresses[0]) if len(addresses) == 1 else self.one(key, port)

    def source(self, key: str, port: str) -> str:
        """Return the id of the node that feeds a port."""
        return self.recipe.inputs(key, port)[0].rpartition(".")[0]

    def type(self, key: str) -> NodeType:
        """Return the type of a node."""
        return self.recipe.plan.graph.type_of(key)

    def dims(self, key: str, port: str) -> tuple[int | None, ...]:
        """Return the sizes of what enters a port."""
        return self.recipe.dims(self.recipe.inputs(key, port)[0])

    def judged_through(self, key: str) -> str:
        """Return through which activation the sums go that a cost is computed from."""
        return self.recipe.plan.activation(key)

    def rate(self, key: str) -> str:
        """Return the learning rate of an update."""
        given = self.all(key, "rate")
        if not given:
            raise InterchangeError(f"'{key}' has no rate")
        return self.node("Squeeze", given[0])

    def spread(self, key: str) -> str:
        """Return the blame of a sum for each of its features: 0 · a + b."""
        nothing = self.product(self.one(key, "a"), self.number(0.0))
        return self.add(nothing, self.one(key, "blame"))

    def formula_of(self, key: str, tree: formulas.Expression) -> str:
        """Return a formula of what enters a node, by the names of its ports."""
        return self.formula(tree, {name: self.one(key, name) for name in formulas.names(tree)})

    def setting(self, key: str, name: str) -> Any:
        """Return a setting of a node."""
        return self.recipe.plan.graph.settings(key)[name]

    def logits(self, key: str) -> str | None:
        """Return z of a cost that is computed from it, and not from the outputs."""
        parts = []
        for address, index in self.recipe.plan.sums(key).values():
            name = self.names[address]
            if index is not None:
                name = self.node("Gather", name, self.whole(*index), axis=1)
            parts.append(name)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def shared(self, value: str) -> str:
        """Return a value divided by the number of samples of the update."""
        return self.node("Div", value, self.rows) if self.rows else value
