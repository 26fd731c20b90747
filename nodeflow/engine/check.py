"""The gradient check: every gradient of a graph against differences of its cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.plan import Plan
from nodeflow.errors import GraphError
from nodeflow.graph import Graph

TOLERANCE = 1e-6
"""Relative error up to which a gradient counts as right."""
_STEP = 1e-3
_SMALL = 1e-6
_MOST_ROWS = 50


@dataclass(frozen=True)
class NodeCheck:
    """What the check of one node's gradient found."""

    relative_error: float
    status: Literal["ok", "kink", "fault"]
    checked: int
    """How many numbers (or, for other nodes than parameters, directions) were tried."""
    gradient: float = 0.0
    difference: float = 0.0
    """The gradient and the difference that are farthest apart."""
    reason: str = ""
    """Why it is at fault, where the graph tells."""


@dataclass(frozen=True)
class Check:
    """The outcome: valid if no gradient is at fault. A kink (ReLU at 0) is no fault."""

    valid: bool
    max_relative_error: float
    nodes: dict[str, NodeCheck] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "valid": self.valid,
            "max_relative_error": self.max_relative_error,
            "nodes": {
                key: {
                    "relative_error": found.relative_error,
                    "status": found.status,
                    "checked": found.checked,
                    "gradient": found.gradient,
                    "difference": found.difference,
                    "reason": found.reason,
                }
                for key, found in self.nodes.items()
            },
        }


def check(
    graph: Graph,
    *,
    seed: int | None = None,
    batch: int | str | None = None,
    most: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> Check:
    """Check the gradients of a graph's first batch (at most 50 rows) in float64.

    Each number of each parameter is nudged up and down (`most` of them, chosen at random, where
    there are more), and the change of J is compared with ∂J/∂Θ. The other nodes on the way to
    the cost are nudged along one random direction. Nothing is updated. A wired backward pass is
    checked like one that nodeflow wires. `progress` is called with the nodes done and those to
    do; what it raises ends the check. Raises `GraphError` if there is no cost to compare.
    """
    training = graph.training
    wanted = training.batch if batch is None else batch
    if wanted == "all" or int(wanted) < 8:
        wanted = 8 if wanted != "all" else _MOST_ROWS
    machine = Machine(
        graph,
        seed=training.seed if seed is None else seed,
        batch=min(int(wanted), _MOST_ROWS),
        dtype=np.float64,
    )
    cost = machine.plan.unfolding.cost
    gradients = machine.plan.unfolding.gradients
    if cost is None or not gradients:
        raise GraphError(
            "there is nothing to check: the graph needs a cost and a trainable parameter before it"
        )
    probe = _Probe(machine, cost)
    probe.pass_()
    # A cost that is computed from weighted sums does not see what is nudged behind them.
    aside = {address for known in machine.plan.logits.values() for address in known.between}
    nodes: dict[str, NodeCheck] = {}
    for number, address in enumerate(sorted(gradients)):
        if progress is not None:
            progress(number, len(gradients))
        key = address.rpartition(".")[0]
        if address in aside:
            continue
        is_parameter = machine.plan.graph.nodes[key].type == "parameter"
        if gradients[address] not in machine.tape.slots or (
            not is_parameter and (machine.plan.loop or not _has_rows(machine, key))
        ):
            continue
        shape = machine.plan.inference.shapes[gradients[address]]
        gradient = machine.view(machine.tape.slots[gradients[address]], shape, probe.samples).copy()
        if is_parameter:
            found = probe.parameter(address, gradient, most)
        else:
            found = probe.value(address, gradient)
        if found.status == "fault":
            found = replace(found, reason=_reason(machine.plan, gradients[address]))
        nodes[key] = found
    worst = max((found.relative_error for found in nodes.values() if found.status != "kink"),
                default=0.0)  # fmt: skip
    return Check(all(found.status != "fault" for found in nodes.values()), worst, nodes)


def _reason(plan: Plan, gradient: str) -> str:
    """Return why a gradient cannot be right, as far as the order of evaluation tells."""
    updates = plan.updated_before(gradient.rpartition(".")[0])
    if not updates:
        return ""
    return f"it is computed with weights that are updated already ({', '.join(updates)})"


def _has_rows(machine: Machine, key: str) -> bool:
    """Return whether a node's value lies in cells of its own, not in those of another one."""
    begin, end = machine.tape.spans.get(key, (0, 0))
    return begin < end


class _Probe:
    """Nudges cells and looks at what becomes of the cost."""

    def __init__(self, machine: Machine, cost: str) -> None:
        self.machine, self.cost = machine, cost
        self.first, n = machine.bounds(0)
        self.n = min(n, _MOST_ROWS)  # a trainer that takes all rows at once has more
        self.samples = 1 if machine.plan.loop else self.n
        machine.place(0)
        plan, spans = machine.plan, machine.tape.spans
        # New values are copied into parameters behind the rows of all nodes: nothing is updated.
        self.end = max(spans[key][1] for key in plan.order[: plan.without_updates])
        self.judged = spans[cost.rpartition(".")[0]][1]

    def pass_(self) -> None:
        """Run forward and backward, without updates."""
        if self.machine.plan.loop:
            self._loop(self.end)
        else:
            self._rows(0, self.end)

    def _loop(self, end: int) -> None:
        machine, head = self.machine, self.machine.tape.head
        machine.stats[:] = 0
        for sample in range(self.n):
            machine.execute(
                0, head, first=self.first + sample, samples=1, update=self.n, sample=sample
            )
        machine.execute(head, max(head, end), first=self.first, samples=1, update=self.n)

    def _rows(self, begin: int, end: int) -> None:
        self.machine.execute(begin, end, first=self.first, samples=self.n, update=self.n)

    def _cost(self, begin: int) -> float:
        """Run forward from a row on, no farther than the cost; return J."""
        if self.machine.plan.loop:
            self._loop(0)
            return float(self.machine.stats[0] / self.machine.stats[2])
        self._rows(begin, self.judged)
        return float(np.mean(self.machine.read(self.cost, self.samples)))

    def _behind(self, key: str) -> int:
        """Return the first row that may read a parameter."""
        graph, spans = self.machine.plan.graph, self.machine.tape.spans
        return min(spans[wire.target][0] for wire in graph.out_of(key) if wire.target in spans)

    def parameter(self, address: str, gradient: Floats, most: int) -> NodeCheck:
        slot = self.machine.tape.slots[address]
        begin = self._behind(address.rpartition(".")[0])
        cells = self.machine.cells
        flat = gradient.ravel()
        chosen: NDArray[Any] = np.arange(flat.size)
        if flat.size > most:
            random = np.random.default_rng(crc32(address.encode()))
            chosen = np.sort(random.choice(flat.size, most, replace=False))
        differences = np.empty(len(chosen))
        kinks = np.zeros(len(chosen), bool)
        scale = float(np.abs(flat).max()) if flat.size else 0.0
        for number, index in enumerate(chosen):
            place = slot.offset + int(index)
            before = cells[place]

            def nudge(size: float, place: int = place, before: float = before) -> float:
                cells[place] = before + size
                cost = self._cost(begin)
                cells[place] = before
                return cost

            differences[number], kinks[number] = _compare(nudge, float(flat[index]), scale)
        self.pass_()
        return _judged(flat[chosen], differences, kinks)

    def value(self, address: str, gradient: Floats) -> NodeCheck:
        """Nudge a node's output along a random direction, and run what comes after it."""
        machine = self.machine
        key = address.rpartition(".")[0]
        slot, shape = machine.tape.slots[address], machine.plan.inference.shapes[address]
        view = machine.view(slot, shape, self.samples)
        random = np.random.default_rng(crc32(address.encode()))
        direction = random.standard_normal(view.shape)
        before = view.copy()
        same = gradient.size == view.size
        whole = gradient.reshape(view.shape) if same else np.broadcast_to(gradient, view.shape)
        along = float((whole * direction).sum())
        begin = machine.tape.spans[key][1]

        def nudge(size: float) -> float:
            view[...] = before + size * direction
            # Rows have ∂C/∂ of their own sample, what has none has ∂J/∂.
            cost = self._cost(begin) * (self.samples if shape.batch else 1)
            view[...] = before
            return cost

        difference, kink = _compare(nudge, along, abs(along))
        self.pass_()
        return _judged(np.array([along]), np.array([difference]), np.array([kink]))


def _compare(nudge: Callable[[float], float], gradient: float, scale: float) -> tuple[float, bool]:
    """Return the difference quotient, and whether the cost has a kink there.

    Four points cancel the curvature; where they disagree with the gradient, small one-sided
    steps tell a kink (two slopes, the gradient one of them or between) from a fault.
    """
    h = _STEP
    wide = (8 * (nudge(h) - nudge(-h)) - (nudge(2 * h) - nudge(-2 * h))) / (12 * h)
    limit = 1e-7 * max(abs(gradient), abs(wide), scale, 1e-6)
    if abs(wide - gradient) <= limit:
        return wide, False
    h = _SMALL
    here, up, down = nudge(0.0), nudge(h), nudge(-h)
    narrow = (up - down) / (2 * h)
    rounding = 1e-8 * max(1.0, abs(here))
    if abs(narrow - gradient) <= max(1e-5 * max(abs(gradient), abs(narrow), scale), rounding):
        # The wide points had crossed a kink that lies farther off.
        return gradient, False
    right, left = (up - here) / h, (here - down) / h
    apart = abs(right - left)
    low, high = min(left, right), max(left, right)
    kink = apart > 1e-3 * max(abs(left), abs(right), 1e-9) and (
        low - 1e-2 * apart <= gradient <= high + 1e-2 * apart
    )
    return (wide if not kink else narrow), kink


def _judged(gradient: Floats, difference: Floats, kinks: Floats) -> NodeCheck:
    good = ~kinks
    size = float(np.linalg.norm(gradient[good]) + np.linalg.norm(difference[good]))
    error = float(np.linalg.norm(gradient[good] - difference[good])) / size if size > 1e-12 else 0.0
    worst = int(np.argmax(np.abs(gradient - difference))) if gradient.size else 0
    status: Literal["ok", "kink", "fault"] = (
        "fault" if error > TOLERANCE else "kink" if kinks.any() else "ok"
    )
    return NodeCheck(
        relative_error=error,
        status=status,
        checked=len(gradient),
        gradient=float(gradient[worst]) if gradient.size else 0.0,
        difference=float(difference[worst]) if gradient.size else 0.0,
    )
