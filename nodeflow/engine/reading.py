"""What a run holds: its values, gradients and weights, and which of them are there by now."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.plan import Plan
from nodeflow.errors import RunError, UnknownPort, nearest
from nodeflow.graph import Graph


@dataclass(eq=False)
class Cursor:
    """Where a run stands, and which values are in its cells."""

    batch_tallies: Floats
    """Cost and hits of the passes of the update in view, where it has several; otherwise 0."""
    update: int = 0
    pass_: int = 0
    place: int = 0
    shown: int = 0
    """The update whose values stand at the nodes that the present one has not reached."""
    evaluated: int = -1
    """The update at whose start `evaluate` was called last."""
    seen: set[str] = field(default_factory=set)
    """The nodes that were evaluated, as long as not all of them were."""
    evaluated_once: bool = False
    """Whether a whole update was evaluated, so that every node has a value."""

    @property
    def within(self) -> bool:
        """Whether the present update has begun."""
        return bool(self.place or self.pass_)

    def copied(self) -> Cursor:
        """Return a copy that shares nothing."""
        return replace(self, batch_tallies=self.batch_tallies.copy(), seen=set(self.seen))

    def become(self, other: Cursor) -> None:
        """Take over all that another one says."""
        vars(self).update(vars(other.copied()))

    def stand_at(self, update: int) -> None:
        """Stand at the start of an update."""
        self.update, self.pass_, self.place = update, 0, 0


def stands(plan: Plan, key: str) -> bool:
    """Return whether a node holds its value before anything is evaluated: a source without rows."""
    type_, shapes = plan.graph.type_of(key), plan.inference.shapes
    return type_.family == "source" and not any(
        shapes[f"{key}.{port.name}"].batch for port in type_.outputs
    )


class Reader:
    """Reads the cells of a machine, as far as a run has come."""

    def __init__(self, graph: Graph, machine: Machine, cursor: Cursor) -> None:
        self._graph = graph
        self._machine = machine
        self._cursor = cursor

    def still(self) -> Reader:
        """Return a reader of a copy of all cells, to be looked at while the run goes on."""
        machine = copy.copy(self._machine)
        machine.cells = self._machine.cells.copy()
        return Reader(self._graph, machine, self._cursor.copied())

    @property
    def evaluated_once(self) -> bool:
        """Whether every node has a value."""
        return self._cursor.evaluated_once

    def has_value(self, address: str) -> bool:
        """Return whether there is a value at an output port by now."""
        if address not in self._machine.tape.slots:
            return False
        return self.is_evaluated(address.rpartition(".")[0])

    def is_evaluated(self, key: str) -> bool:
        """Return whether a node has its values by now."""
        return self._cursor.evaluated_once or key in self._cursor.seen or self.stands(key)

    def origin(self, key: str) -> tuple[int, int] | None:
        """Return the update and the pass that a node's value is of; None if it is of this pass.

        What the present pass has not reached still holds what another one left there. At the start
        of an update that was evaluated as a whole, everything is that update's own.
        """
        schedule, at = self._machine.schedule, self._cursor
        if key not in self._machine.tape.spans or self.stands(key):
            return None
        place = schedule.place(key)
        if place < at.place:
            return None
        if at.pass_ and place < schedule.head:
            return at.update, at.pass_ - 1
        if at.evaluated != at.update:
            return at.shown, schedule.passes(at.shown) - 1
        if place >= self._machine.plan.without_updates:  # nothing is updated ahead
            return (at.update - 1, schedule.passes(at.update - 1) - 1) if at.update else None
        return None if self.is_ahead else (at.update, schedule.passes(at.update) - 1)

    @property
    def shown(self) -> int:
        """The update whose values stand where the present one has not come to."""
        return self._cursor.shown

    @property
    def is_ahead(self) -> bool:
        """Whether what the present update has not reached was evaluated for it already."""
        at = self._cursor
        return at.evaluated == at.update and self._machine.schedule.passes(at.update) == 1

    def stands(self, key: str) -> bool:
        """Return whether a node holds its value through all passes: a parameter, a setting."""
        return stands(self._machine.plan, key)

    def samples(self, key: str) -> int:
        """Return how many rows a node's value has where it has a sample axis."""
        schedule, at = self._machine.schedule, self._cursor
        reached = schedule.place(key) < at.place
        return schedule.samples(at.update if reached else at.shown)

    def value(self, address: str) -> NDArray[Any]:
        """Return the value at an output port, a read-only copy.

        Its shape is (samples of the pass, features), or that of a value without a sample axis.
        Raises `RunError` where there is none yet, `UnknownPort` where there is no such port.
        """
        plan, slots = self._machine.plan, self._machine.tape.slots
        key, _, port = address.rpartition(".")
        if address not in slots:
            if key in plan.graph.nodes:
                plan.graph.type_of(key).output(port, key)
                reason = plan.inference.problems.get(key)
                raise RunError(
                    f"'{address}' has no value: {reason or 'its node is not evaluated'}", node=key
                )
            hint = _outputs(plan.graph, address) or nearest(key or address, plan.graph.nodes)
            raise UnknownPort(f"there is no value '{address}'{hint}", node=key)
        if not self.has_value(address):
            raise RunError(f"'{address}' has no value yet: evaluate, step or train first", node=key)
        return _read_only(self._machine.read(address, self.samples(key)))

    def gradient(self, address: str) -> NDArray[Any]:
        """Return the gradient at an output port, a read-only copy in the shape of its value.

        With a sample axis it is δ or blame, ∂C/∂ of each sample's own cost; otherwise ∂J/∂ of it.
        Raises as `value` does.
        """
        plan = self._machine.plan
        gradients, numbers = plan.unfolding.gradients, plan.unfolding.numbers
        if address in numbers:  # such as 1 at the cost: no node computes it
            return _read_only(np.full_like(self.value(address), numbers[address]))
        if address not in gradients:
            key, _, port = address.rpartition(".")
            if key in plan.graph.nodes:
                plan.graph.type_of(key).output(port, key)
                reason = _why_no_blame(self._graph, key, plan.unfolding.cost)
                raise RunError(f"no blame reaches '{address}': {reason}", node=key)
            hint = _outputs(plan.graph, address) or nearest(address, gradients)
            raise UnknownPort(f"there is no value '{address}'{hint}", node=key)
        return self.value(gradients[address])

    @property
    def gradients(self) -> dict[str, NDArray[Any]]:
        """Every gradient that has been computed, by forward address."""
        slots = self._machine.tape.slots
        return {
            address: self.gradient(address)
            for address, source in self._machine.plan.unfolding.gradients.items()
            if source in slots and self.has_value(source)
        }

    @property
    def addresses(self) -> list[str]:
        """The output ports that have a value by now, sorted."""
        return [address for address in sorted(self._machine.tape.slots) if self.has_value(address)]

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """Every value that there is by now, by address."""
        return {address: self.value(address) for address in self.addresses}

    @property
    def weights(self) -> dict[str, NDArray[Any]]:
        """Every parameter's value as it stands, by address."""
        own = self._graph.nodes
        return {
            f"{key}.value": _read_only(self._machine.read(f"{key}.value", 1))
            for key in sorted(self._machine.plan.order)
            if key in own and own[key].is_parameter
        }

    @property
    def cost(self) -> float | None:
        """J of the batch in view: the mean of its samples' costs; None without a cost.

        Where an update has several passes, of those that were evaluated.
        """
        address = self._machine.plan.unfolding.cost
        if address is None or address not in self._machine.tape.slots:
            return None
        value = self.value(address)
        cost, _, costs, _ = self._cursor.batch_tallies[:4]
        return float(cost / costs) if costs else float(np.mean(value))


def _outputs(graph: Graph, name: str) -> str:
    """Return what to write for a node that was named without its output; "" for other names."""
    if name not in graph.nodes:
        return ""
    ports = " or ".join(f"'{name}.{port.name}'" for port in graph.type_of(name).outputs)
    return f"; write {ports}" if ports else "; its node has no outputs"


def _read_only(value: NDArray[Any]) -> NDArray[Any]:
    value.setflags(write=False)
    return value


def _why_no_blame(graph: Graph, key: str, cost: str | None) -> str:
    is_parameter = key in graph.nodes and graph.nodes[key].is_parameter
    if is_parameter and not graph.settings(key)["trainable"]:
        return "it is not trainable"
    if not graph.of_family("trainer") and not graph.updates and not cost:
        return "the graph has no trainer and no single cost"
    if is_parameter:
        return "the cost does not depend on it"
    if not graph.of_family("trainer") and graph.updates:
        return "no node of the wired backward pass is known to hold it"
    return "no trainable parameter lies before it, or δ passes it together with its cost"
