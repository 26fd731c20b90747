"""The cost with other parameters, asked for by a node in the middle of a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nodeflow.errors import RunError

if TYPE_CHECKING:
    from nodeflow.engine.cells import Call
    from nodeflow.engine.executor import Executor
    from nodeflow.engine.machine import Machine


@contextmanager
def probed(machine: Machine, call: Call, executor: Executor) -> Iterator[Callable[..., float]]:
    """Yield a function that takes other values for a call's parameters and returns J of the pass.

    The forward rows as far as the cost are executed again each time. Afterwards every cell is as
    it was. Raises `RunError` where there is no cost, or where an input is no parameter.
    """
    plan, tape = machine.plan, machine.tape
    cost = plan.unfolding.cost
    name = call.type.name
    if cost is None or cost not in tape.slots:
        raise RunError(f"{name} needs a cost in the graph", node=call.node)
    for wire in plan.graph.into(call.node):
        if not plan.graph.nodes[wire.source].is_parameter:
            raise RunError(f"{name} moves parameters, and {wire.start} is none", node=call.node)
    slots = [slot for _, _, parts in call.inputs for slot, _ in parts]
    cells, samples = executor.cells, executor.samples
    end = tape.spans[cost.rpartition(".")[0]][1]
    before = cells.copy()
    found = tape.slots[cost]
    shape = plan.inference.shapes[cost]

    def of(*values: Any) -> float:
        for slot, value in zip(slots, values, strict=True):
            cells[slot.offset : slot.offset + slot.size] = np.ravel(value)
        executor.again(tape.ops, end)
        return float(np.mean(machine.view(found, shape, samples)))

    try:
        yield of
    finally:
        cells[:] = before
