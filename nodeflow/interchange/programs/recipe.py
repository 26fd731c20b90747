"""What a program of its own has to do: the plan of a graph as values, names and numbers."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.phases import FORWARD
from nodeflow.engine.plan import Plan
from nodeflow.engine.run import Run
from nodeflow.graph import Graph

Floats = NDArray[Any]
_UNNAMED = re.compile(r"\W+")


@dataclass(frozen=True, eq=False)
class Rows:
    """What is fed to a value: one row per training sample, and the rows kept for testing."""

    train: Floats
    test: Floats


@dataclass(frozen=True, eq=False)
class Recipe:
    """A graph with its backward pass, ready to be written down in another language."""

    run: Run
    graph: Graph
    """As it came: with its trainer, or unfolded."""
    only: frozenset[str] | None = None
    """The nodes to write down, where it is not a training: those of a forward pass."""

    @classmethod
    def of(cls, graph: Graph) -> Recipe:
        """Return the recipe of a graph's training."""
        return cls(Run(graph), graph)

    @property
    def method(self) -> str | None:
        """SciPy's name of the search, where the trainer is `minimize`."""
        keys = [k for k in self.graph.searches if self.graph.nodes[k].mode == "active"]
        if not keys:
            return None
        return {"cg": "CG", "l-bfgs": "L-BFGS-B"}[str(self.graph.settings(keys[0])["method"])]

    @cached_property
    def searched(self) -> dict[str, str]:
        """Parameters that a search moves, in its order, with the addresses of their slopes."""
        found = self.plan.unfolding.gradients
        nodes = self.plan.graph.nodes
        keys = {address: address.rpartition(".")[0] for address in sorted(found)}
        return {address: found[address] for address, key in keys.items()
                if nodes[key].is_parameter and nodes[key].mode != "freeze"}  # fmt: skip

    @property
    def plan(self) -> Plan:
        """The plan: the order of the nodes, with those of the backward pass."""
        return self.run.plan

    def type(self, key: str) -> str:
        """Return a node's type."""
        return self.plan.graph.nodes[key].type

    def is_source(self, key: str) -> bool:
        """Return whether a node's value is given: fed, held or trained."""
        return self.plan.graph.type_of(key).family == "source"

    @cached_property
    def accumulating(self) -> tuple[str, ...]:
        """The nodes that add up over the samples of an update."""
        return self.plan.graph.where(lambda type_: type_.accumulates)

    def inputs(self, key: str, port: str) -> list[str]:
        """Return the addresses that enter a port, in order."""
        wires = self.plan.graph.inputs(key).get(port, ())
        return [wire.start for wire in wires if not self.plan.graph.feeds_back(wire)]

    def output(self, key: str) -> str:
        """Return the address of a node's output."""
        type_ = self.plan.graph.type_of(key)
        return f"{key}.{type_.outputs[0].name}"

    def dims(self, address: str) -> tuple[int | None, ...]:
        """Return the sizes of a value, without its sample axis."""
        return tuple(self.plan.inference.shapes[address].dims)

    def batched(self, address: str) -> bool:
        """Return whether a value has one row per sample."""
        return bool(self.plan.inference.shapes[address].batch)

    @cached_property
    def sloped(self) -> set[str]:
        """The nodes that a search computes for its slopes."""
        if self.method is None:
            return set()
        ends = [address.rpartition(".")[0] for address in self.searched.values()]
        return set(self.plan.graph.upstream(ends)) | set(ends)

    @cached_property
    def needed(self) -> set[str]:
        """The nodes that an update, the cost, the accuracy or a search needs."""
        return set(self.plan.needed) | self.sloped if self.only is None else set(self.only)

    # -- what there is

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """The nodes that an update, the cost or the accuracy needs, in order, without sources."""
        plan = self.plan
        return tuple(key for key in plan.order
                     if key in self.needed and not self.is_source(key)
                     and plan.graph.type_of(key).outputs)  # fmt: skip

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The addresses of all parameters that are needed; velocities are some."""
        plan = self.plan
        return tuple(f"{key}.value" for key in plan.order
                     if self.plan.graph.nodes[key].is_parameter and key in self.needed)  # fmt: skip

    @cached_property
    def next(self) -> dict[str, str]:
        """What each parameter is after an update: parameter's address to that of a value."""
        graph = self.plan.graph
        return {f"{wire.target}.value": wire.start for wire in graph.wires
                if graph.nodes[wire.target].is_parameter and wire.input == "next"
                and wire.source in self.plan.order}  # fmt: skip

    @cached_property
    def start(self) -> dict[str, Floats]:
        """The parameters' numbers before the first update."""
        read = self.run.machine.read
        return {
            address: np.array(read(address, 1), np.float64).reshape(
                [size or 1 for size in self.dims(address)]
            )
            for address in self.parameters
        }

    @cached_property
    def fed(self) -> dict[str, Rows]:
        """The rows of data sets, and of constants that are a batch, by address."""
        found: dict[str, Rows] = {}
        machine, graph = self.run.machine, self.plan.graph
        used = {wire.start for wire in graph.wires if wire.target in self.needed}
        if self.only is None:
            used |= set(self.inputs_of_hits)
        for key, split in machine.splits.items():
            for name in ("x", "y"):
                if f"{key}.{name}" in used:
                    found[f"{key}.{name}"] = Rows(
                        np.array(getattr(split, name), np.float64),
                        np.array(getattr(split, f"{name}_test"), np.float64),
                    )
        for key in graph.where(lambda type_: type_.typed):
            address = f"{key}.value"
            if address in used and self.batched(address):
                value = np.atleast_2d(np.array(graph.type_of(key).function(
                    value=graph.settings(key)["value"]), np.float64))  # fmt: skip
                found[address] = Rows(value, value[:0])
        return found

    @property
    def inputs_of_hits(self) -> tuple[str, ...]:
        """The outputs and the target that accuracy is counted from, if it is not a node."""
        hits = self.plan.hits
        return hits.addresses if isinstance(hits, tuple) else ()

    @cached_property
    def constants(self) -> dict[str, Floats]:
        """Constants and sliders that are needed and are no data, by address."""
        graph = self.plan.graph
        return {
            f"{key}.value": np.atleast_2d(
                np.array(graph.type_of(key).function(value=graph.settings(key)["value"]), float)
            )
            for key in self.plan.order
            if graph.type_of(key).typed
            and key in self.needed and f"{key}.value" not in self.fed
        }  # fmt: skip

    @property
    def cost(self) -> str | None:
        """The address of the cost, if there is one."""
        return self.plan.unfolding.cost

    # -- what belongs to which part

    @cached_property
    def forward(self) -> tuple[str, ...]:
        """The computed nodes that cost and accuracy need, or that come before all blame."""
        return tuple(key for key in self.computed if self.plan.phases[key] == FORWARD)

    @cached_property
    def tail(self) -> tuple[str, ...]:
        """The computed nodes that are evaluated once an update, after its samples."""
        late = set(self.plan.order[self.plan.head :])
        return tuple(key for key in self.computed if key in late)

    @cached_property
    def slopes(self) -> dict[str, str]:
        """Trained parameters with the addresses of ∂J/∂ of them, where one is in the graph."""
        found = self.plan.unfolding.gradients
        return {address: found[address] for address in self.next if address in found}

    def after_slopes(self) -> tuple[str, ...] | None:
        """Return what an update computes from the slopes of J; None if it needs more than them."""
        ends = set(self.slopes.values())
        forward = set(self.forward)
        wanted: set[str] = set()
        stack = [address.rpartition(".")[0] for address in self.next.values()]
        while stack:
            key = stack.pop()
            if key in wanted or key in forward or self.is_source(key):
                continue
            wanted.add(key)
            for port, wires in self.plan.graph.inputs(key).items():
                del port
                stack += [w.source for w in wires if w.start not in ends]
        made = tuple(key for key in self.computed if key in wanted)
        families = {self.plan.graph.type_of(key).family for key in made}
        return None if "backward" in families else made


def identifiers(graph: Graph, addresses: Iterable[str], reserved: Iterable[str]) -> dict[str, str]:
    """Return a variable's name for each address: the node's id where its output is its only one."""
    taken = {*reserved, *keyword.kwlist, *dir(builtins)}
    found: dict[str, str] = {}
    for address in addresses:
        key, _, port = address.rpartition(".")
        several = len(graph.type_of(key).outputs) > 1
        text = _UNNAMED.sub("_", port if several else key).strip("_") or "value"
        if not text.isidentifier():
            text = f"v_{text}"
        if several and text in taken:
            text = _UNNAMED.sub("_", address)
        name, number = text, 2
        while name in taken or not name.isidentifier():
            name, number = f"{text}_{number}", number + 1
        taken.add(name)
        found[address] = name
    return found
