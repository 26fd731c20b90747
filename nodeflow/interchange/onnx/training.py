"""ONNX out: one training step as ordinary operators, that any ONNX runtime executes.

In go the rows and every parameter, under its address (`theta1.value`), out come the parameters
after one update (`theta1.next`), in the same order, then `cost` (J of the rows) and ∂J/∂Θ of each
parameter that is trained (`theta1.gradient`). The velocities of a momentum, and what Adam keeps,
are parameters too. It is the graph's own plan: each operator is a part of a node.

A search (`minimize`) makes no step of its own: it asks for J and its slopes, again and again. So
these alone come out, for whoever searches outside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.onnx.nodes import Nodes
from nodeflow.interchange.programs.recipe import Recipe


def training_step(graph: Graph, dtype: DTypeLike = np.float64) -> bytes:
    """Return the model of one update; raises `InterchangeError` for what ONNX cannot say."""
    recipe = Recipe.of(graph)
    if not recipe.next and recipe.method is None:
        raise InterchangeError(
            "the graph trains nothing: it has neither a trainer nor an update; add "
            "gradient_descent, or leave out --backward for the forward pass"
        )
    return _Step(recipe, dtype).whole_model()


class _Step(Nodes):
    def whole_model(self) -> bytes:
        """Return the file."""
        recipe = self.recipe
        inputs = [self.value_info(self.names[address], ["rows", rows.train.shape[1]])
                  for address, rows in recipe.fed.items()]  # fmt: skip
        inputs += [self.value_info(address, list(array.shape))
                   for address, array in recipe.start.items()]  # fmt: skip
        self.count()
        for key in self._needed():
            self.say(key)
        found = []
        for parameter, array in () if recipe.method else recipe.start.items():
            # What no update moves comes out as it went in, so that all go round alike.
            value = self.names[recipe.next.get(parameter, parameter)]
            name = f"{parameter.rpartition('.')[0]}.next"
            self.node("Reshape", value, self.whole(*array.shape), to=name)
            found.append(self.value_info(name, list(array.shape)))
        if recipe.cost is not None:
            self.node("ReduceMean", self.names[recipe.cost], keepdims=0, to="cost")
            found.append(self.value_info("cost", []))
        for parameter, address in self._slopes().items():
            if address in self.names:
                name = f"{parameter.rpartition('.')[0]}.gradient"
                sizes = list(recipe.start[parameter].shape)
                self.node("Reshape", self.names[address], self.whole(*sizes), to=name)
                found.append(self.value_info(name, sizes))
        return self.model(recipe.graph.name, inputs, found)

    def _slopes(self) -> dict[str, str]:
        return self.recipe.searched if self.recipe.method else self.recipe.slopes

    def _needed(self) -> list[str]:
        """Return the nodes, in order, that an output is computed from."""
        recipe = self.recipe
        ends = [*recipe.next.values(), *self._slopes().values(), recipe.cost or ""]
        wanted = recipe.plan.graph.upstream(end.rpartition(".")[0] for end in ends if end)
        return [key for key in recipe.computed if key in wanted]
