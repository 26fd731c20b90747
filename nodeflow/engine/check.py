"""The gradient check: every gradient of a graph against differences of its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.implied import implied
from nodeflow.derive.miswired import misjudged, miswired
from nodeflow.derive.modes import without_differences
from nodeflow.derive.silent import Finding, silent, typed_rates, unlike_rates
from nodeflow.engine.evaluation import evaluate
from nodeflow.engine.machine import Floats, Machine
from nodeflow.engine.plan import Plan
from nodeflow.engine.slopes import Slope, slope, unit_of
from nodeflow.errors import GraphError, RunError
from nodeflow.graph import Graph
from nodeflow.nodes.cost import error, squared_error

TOLERANCE = 1e-6
"""Relative error up to which a gradient counts as right, apart from what differences cannot see."""
RESOLUTION = 1e-4
"""What differences see less sharply than this is too small to measure: a gradient that is off by
a thousandth could not be told from a right one."""
_MOST_ROWS = 50
_FEWEST_ROWS = 8
"""Rows to be checked at least: of small batches several are checked one after the other."""

WORK = 10_000_000
"""What a check costs at most where nobody asked for all of it, in rows that are executed: about
5 s. A row on whose large matrix it takes longer counts as many."""
_A_ROW = 1000
"""Multiplications with which a row takes about twice as long as with a few."""
_NUDGES = 5
"""Evaluations that find most gradients right: one pass, and two differences of two each."""
_FEWEST_NUMBERS = 10

Status = Literal["ok", "kink", "small", "fault"]


@dataclass(frozen=True)
class NodeCheck:
    """What the check of one node's gradient found."""

    relative_error: float
    status: Status
    """ok, fault; kink: the cost has two slopes there; small: too small to measure, since the
    rounding errors of the cost are as large as what the gradient changes in it."""
    checked: int
    """How many numbers (or, for other nodes than parameters, directions) were tried."""
    gradient: float = 0.0
    difference: float = 0.0
    """The gradient and the difference that are farthest apart."""
    reason: str = ""
    """Why it is at fault, where the graph or the two numbers tell."""


@dataclass(frozen=True)
class Check:
    """The outcome: valid if no gradient is at fault.

    A kink (ReLU at 0) is no fault, nor is a gradient that is too small to measure. The largest
    relative error is that of the gradients that were measured.
    """

    valid: bool
    max_relative_error: float
    nodes: dict[str, NodeCheck] = field(default_factory=dict)
    implied: str = ""
    """Which cost the gradients were compared with, where no node of the graph is it."""
    findings: tuple[Finding, ...] = ()
    """What in the graph computes in vain."""
    unlike_rates: str = ""
    """Which wired updates have another rate than most: no gradient tells whether that is meant."""
    left_out: int = 0
    """How many gradients were not checked, since all of them would take too long."""

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
            "implied": self.implied or None,
            "findings": [finding.as_dict() for finding in self.findings],
            **({"unlike_rates": self.unlike_rates} if self.unlike_rates else {}),
            **({"left_out": self.left_out} if self.left_out else {}),
        }


def check(
    graph: Graph,
    *,
    seed: int | None = None,
    batch: int | str | None = None,
    most: int = 200,
    every: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Check:
    """Check the gradients of a graph in float64, in the batch it trains with.

    That is its first batch, or where it is small so many of the first batches that 8 rows have
    their turn, all with the weights of the start. A batch of more than 50 rows is cut, unless a
    factor was wired for all of them. Nothing is updated. A wired backward pass is checked
    like one that nodeflow wires.

    Each number of each parameter is nudged up and down (`most` of them, chosen at random, where
    there are more), and the change of J is compared with ∂J/∂Θ. The other nodes on the way to
    the cost are nudged along one random direction. `engine.slopes` says how the steps are chosen
    and how far a difference can be trusted. A gradient g is at fault if it lies farther from the
    differences d than they can be wrong: ‖g − d‖ > 10⁻⁶ (‖g‖ + ‖d‖) + ‖error of d‖.

    N nodes take N evaluations of N nodes. Of a graph where all of that is more than `WORK` some
    gradients of each node type are checked, the same ones each time, unless `every` is asked for;
    `left_out` says how many were not. A wrong rule is wrong wherever its type stands.

    `progress` is called with the nodes done and those to do; what it raises ends the check.
    Raises `GraphError` if there is no cost to compare, `RunError` if it is not a finite number.
    """
    training = graph.training
    wanted = training.batch if batch is None else batch
    alone = without_differences(graph)  # each nudge would measure them all anew

    def probes(most_rows: int | None) -> list[_Probe]:
        least = wanted if most_rows is None else _at_most(wanted, most_rows)
        machine = Machine(
            alone,
            seed=training.seed if seed is None else seed,
            batch=least,
            dtype=np.float64,
        )
        if machine.plan.unfolding.cost is None or not machine.plan.unfolding.gradients:
            raise GraphError(
                "there is nothing to check: the graph needs a cost and a trainable parameter "
                "before it"
            )
        count = min(-(-_FEWEST_ROWS // machine.batch), machine.per_epoch)
        return [_Probe(machine, number, most_rows or machine.batch) for number in range(count)]

    some = probes(_MOST_ROWS)
    if not all(np.isfinite(probe.start()) for probe in some):
        raise RunError(f"{_no_number(graph, seed, wanted)}, so no slope of the cost is known there")
    machine = some[0].machine
    plan, gradients = machine.plan, machine.plan.unfolding.gradients
    whole: list[_Probe] = []
    # A cost that is computed from weighted sums does not see what is nudged behind them.
    aside = {address for known in plan.logits.values() for address in known.between}
    nodes: dict[str, NodeCheck] = {}
    factors: dict[str, tuple[float | None, int]] = {}
    asked = [
        address
        for address in sorted(gradients)
        if address not in aside and _is_compared(some[0], address)
    ]
    there, parameters = len(asked), set(plan.graph.parameters)
    if not every:
        asked, most = _sampled(some, asked, most)
    for number, address in enumerate(asked):
        if progress is not None:
            progress(number, len(asked))
        key = address.rpartition(".")[0]
        found, factor = _judged([_Compared.of(probe, address, most) for probe in some])
        if found.status == "kink":
            # Which of two slopes a kink has says nothing; beside it there is only one.
            with _beside(machine, gradients):
                near, factor = _judged([_Compared.of(probe, address, most) for probe in some])
            found = near if near.status == "fault" else found
        rows = some[0].n
        share = rows / _at_most(wanted, machine.rows)
        if found.status == "fault" and factor and _is_near(factor, share, 1 / share) and share < 1:
            # A factor that is wired for the rows of the whole batch is right for those alone.
            whole = whole or probes(None)
            all_, factor_of_all = _judged([_Compared.of(p, address, most) for p in whole])
            if all_.status != "small":
                found, factor, rows = all_, factor_of_all, whole[0].n
        if found.status == "small" and not np.isfinite(found.gradient) and key in parameters:
            found = replace(found, status="fault", relative_error=np.inf, reason=_NO_NUMBER)
        nodes[key], factors[key] = found, (factor, rows)
    nodes = _explained(graph, plan, nodes, factors)
    measured = (found for found in nodes.values() if found.status in ("ok", "fault"))
    worst = max((found.relative_error for found in measured), default=0.0)
    valid = all(found.status != "fault" for found in nodes.values())
    cost = implied(graph)
    sentence = "" if cost is None else cost.sentence
    return Check(
        valid, worst, nodes, sentence, silent(graph), unlike_rates(graph), there - len(asked)
    )


def _no_number(graph: Graph, seed: int | None, batch: int | str) -> str:
    """Return where NaN or Infinity first appears, as far as the first batch tells."""
    training = replace(graph.training, batch=batch)
    if seed is not None:
        training = replace(training, seed=seed)
    faults = evaluate(replace(graph, training=training)).faults
    return faults[0] if faults else "J of a batch is NaN or Infinity"


def _is_compared(probe: _Probe, address: str) -> bool:
    """Return whether the gradient at an address can be compared: it and the value have cells."""
    machine, key = probe.machine, address.rpartition(".")[0]
    if machine.plan.unfolding.gradients[address] not in machine.tape.slots:
        return False
    if machine.plan.graph.nodes[key].is_parameter:
        return True
    return probe.passes == 1 and _has_rows(machine, key)


def _sampled(probes: list[_Probe], asked: list[str], most: int) -> tuple[list[str], int]:
    """Return the gradients that are checked within `WORK`, and of how many numbers each.

    They are taken in turns, one of each type after another, so that none is left out. What a
    parameter's type says is the type of what reads it.
    """
    machine = probes[0].machine
    graph, spans = machine.plan.graph, machine.tape.spans
    numbers = sum(machine.tape.slots[f"{key}.value"].size for key in graph.parameters
                  if f"{key}.value" in machine.tape.slots)  # fmt: skip
    a_pass = sum(probe.passes * (probe.judged + numbers * probe.samples / _A_ROW)
                 for probe in probes)  # fmt: skip
    # Of a parameter of which many numbers are nudged no more than a tenth of the work is spent.
    most = max(min(most, round(WORK / 10 / _NUDGES / a_pass)), min(most, _FEWEST_NUMBERS))

    def work(address: str) -> float:
        key = address.rpartition(".")[0]
        count = min(machine.tape.slots[address].size, most) if graph.nodes[key].is_parameter else 1
        begin = spans[key][1] if key in spans else 0
        share = 1 - begin / max(probes[0].judged, 1)
        return a_pass * (1 + (_NUDGES - 1) * count * max(share, 0.0))

    def kind(address: str) -> tuple[str, ...]:
        key = address.rpartition(".")[0]
        own = graph.nodes[key]
        readers = {graph.nodes[w.target].type for w in graph.out_of(key)}
        return own.type, *(sorted(readers) if own.is_parameter else ())

    if sum(map(work, asked)) <= WORK:
        return asked, most
    order = [asked[place] for place in np.random.default_rng(0).permutation(len(asked))]
    turns: dict[tuple[str, ...], int] = {}
    turn = {}
    for address in order:
        turn[address] = turns[kind(address)] = turns.get(kind(address), 0) + 1
    chosen, spent = set(), 0.0
    for address in sorted(order, key=turn.__getitem__):
        spent += work(address)
        if spent > WORK and turn[address] > 1:
            break
        chosen.add(address)
    return [address for address in asked if address in chosen], most


@contextmanager
def _beside(machine: Machine, gradients: Iterable[str]) -> Iterator[None]:
    """Have all trainable parameters a thousandth of their size away from where they start."""
    before = machine.cells.copy()
    for address in gradients:
        if machine.plan.graph.nodes[address.rpartition(".")[0]].is_parameter:
            slot = machine.tape.slots[address]
            part = machine.cells[slot.offset : slot.offset + slot.size]
            random = np.random.default_rng(crc32(address.encode()))
            part += unit_of(part) / 1024 * random.standard_normal(part.size)
    try:
        yield
    finally:
        machine.cells[:] = before


def _at_most(batch: int | str, rows: int) -> int:
    return rows if batch == "all" else min(int(batch), rows)


def _explained(
    written: Graph,
    plan: Plan,
    nodes: Mapping[str, NodeCheck],
    factors: Mapping[str, tuple[float | None, int]],
) -> dict[str, NodeCheck]:
    """Return the outcomes with why each is at fault, where the graph or the two numbers tell.

    What is told names the nodes of the graph as it was `written`.
    """
    graph, gradients = plan.graph, plan.unfolding.gradients
    at = {address.rpartition(".")[0]: address for address in gradients}
    owns = {key: graph.nodes[key].is_parameter for key in nodes}
    right = {own: all(one.status != "fault" for key, one in nodes.items() if owns[key] == own)
             for own in (True, False)}  # fmt: skip
    found = {}
    for key, one in nodes.items():
        factor, rows = factors[key]
        if one.status != "fault":
            found[key] = one
        elif not owns[key] and right[True] and factor and rows > 1 and _is_near(factor, 1 / rows):
            # Divided by n at once, where others leave that to `average`: what is learnt is right.
            found[key] = replace(one, status="ok", relative_error=0.0)
        else:
            why = (
                _order(plan, gradients[at[key]])
                or _factor(graph, factor, rows, by_rows=owns[key] and right[False])
                or _slope_of_outputs(graph, at[key], gradients[at[key]])
                or miswired(written, graph, plan.inference.shapes, gradients, at[key])
            )
            found[key] = replace(one, reason=why or one.reason)
    bare = {key: one for key, one in found.items() if one.status == "fault"}
    if bare and not any(one.reason for one in bare.values()):
        why = misjudged(graph, plan.inference.shapes)
        found |= {key: replace(one, reason=why) for key, one in bare.items()}
    return found


def _slope_of_outputs(graph: Graph, address: str, gradient: str) -> str:
    """Return what is wrong with δ of the outputs: one slope too many, or none at all."""
    active = [w.target for w in graph.out_of(address.rpartition(".")[0])
              if graph.type_of(w.target).family == "activation"]  # fmt: skip
    costs = [graph.type_of(w.target) for key in active for w in graph.out_of(key)
             if graph.type_of(w.target).family == "cost" and w.output == "a"
             and graph.type_of(w.target).outputs[0].name == "cost"]  # fmt: skip
    source = gradient.rpartition(".")[0]
    if len(active) != 1 or len(costs) != 1 or source not in graph.nodes:
        return ""
    kind = graph.nodes[active[0]].type
    takes = graph.type_of(source).inputs[0].name if graph.type_of(source).inputs else ""
    before = graph.inputs(source).get(takes, ())
    takes_error = bool(before) and graph.nodes[before[0].source].kind is error
    if costs[0].natural == kind and graph.type_of(source).gives_delta and takes_error:
        return (
            f"behind {kind} e = a − y is ∂C/∂z of {costs[0].name} already: lead "
            f"'{before[0].source}' past '{source}'"
        )
    if costs[0].natural != kind and graph.nodes[source].kind is error:
        return f"e = a − y is ∂C/∂a: a delta with the slope of {kind} makes ∂C/∂z of it"
    return ""


def _order(plan: Plan, gradient: str) -> str:
    """Return why a gradient cannot be right, as far as the order of evaluation tells."""
    updates = plan.updated_before(gradient.rpartition(".")[0])
    if not updates:
        return ""
    return f"it is computed with weights that are updated already ({', '.join(updates)})"


_NO_NUMBER = "it is NaN or Infinity, and so is what an update makes of it"
_BY_TWO = "squared_error without half has a 2"


def _factor(graph: Graph, factor: float | None, rows: int, *, by_rows: bool) -> str:
    """Return what a plain factor between a gradient and the slope is likely to come from.

    `by_rows` says that the slopes of all samples are right: then it comes from adding them up.
    """
    if factor is None:
        return ""

    def near(number: float) -> bool:
        return _is_near(factor, number)

    halves = {graph.settings(key)["half"] for key in graph.of_type(squared_error.name)}
    many = few = ""
    if rows > 1 and near(rows):
        many = f"{rows} times the slope, as many as the batch has rows: `average` divides by n"
    if rows > 1 and near(1 / rows):
        few = f"1/{rows} of the slope: it is divided by the {rows} rows of the batch once too often"
    if by_rows and (many or few):
        return many or few
    if near(2) and True in halves:
        return f"twice the slope: {_BY_TWO}, with it has none"
    if near(0.5) and False in halves:
        return f"half the slope, which is twice the gradient: {_BY_TWO}"
    if any(rate and near(rate) for rate in typed_rates(graph).values()):
        return f"{factor:.4g} times the slope, as much as the rate: an update multiplies by it"
    if near(-1):
        return "the slope with the other sign: e = a − y, and an update takes αD away"
    if many or few:
        return many or few
    if near(2):
        return "twice the slope"
    if near(0.5):
        return "half the slope"
    for whole in range(3, 1001):
        if near(whole):
            return f"{whole} times the slope"
        if near(1 / whole):
            return f"1/{whole} of the slope"
    return ""


def _is_near(factor: float, *numbers: float) -> bool:
    return any(abs(factor - number) <= _FACTOR * abs(number) for number in numbers)


_FACTOR = 1e-4
"""How near a factor comes to the number that explains it."""


def _has_rows(machine: Machine, key: str) -> bool:
    """Return whether a node's value lies in cells of its own, not in those of another one."""
    begin, end = machine.tape.spans.get(key, (0, 0))
    return begin < end


class _Probe:
    """Nudges cells and looks at what becomes of the cost of one batch."""

    def __init__(self, machine: Machine, update: int, most_rows: int) -> None:
        cost = machine.plan.unfolding.cost or ""
        self.machine, self.cost = machine, cost
        self.first, n = machine.bounds(update)
        self.n = min(n, most_rows)
        self.samples = min(machine.schedule.pass_size, self.n)
        self.passes = -(-self.n // self.samples)
        machine.place(0)
        plan, spans = machine.plan, machine.tape.spans
        # New values are copied into parameters behind the rows of all nodes: nothing is updated.
        self.end = max(spans[key][1] for key in plan.order[: plan.without_updates])
        self.judged = spans[cost.rpartition(".")[0]][1]

    def start(self) -> float:
        """Return J with the weights of the start."""
        return self._cost(0)

    def pass_(self) -> None:
        """Run forward and backward, without updates."""
        if self.passes > 1:
            self._all_passes(self.end)
        else:
            self._rows(0, self.end)

    def _all_passes(self, end: int) -> None:
        """Run the head once a pass, then the tail as far as a row; costs are tallied."""
        head = self.machine.tape.head
        self.machine.stats[:] = 0
        for number in range(self.passes):
            self._rows(0, head, number)
        self._rows(head, max(head, end))

    def _rows(self, begin: int, end: int, number: int = 0) -> None:
        row = self.first + number * self.samples
        self.machine.execute(
            begin, end, first=row, samples=self.samples, update=self.n, sample=number
        )

    def _cost(self, begin: int) -> float:
        """Run forward from a row on, no farther than the cost; return J."""
        if self.passes > 1:
            self._all_passes(0)
            return float(self.machine.stats[0] / self.machine.stats[2])
        self._rows(begin, self.judged)
        return float(np.mean(self.machine.read(self.cost, self.samples)))

    def _behind(self, key: str) -> int:
        """Return the first row that may read a parameter."""
        graph, spans = self.machine.plan.graph, self.machine.tape.spans
        return min(spans[wire.target][0] for wire in graph.out_of(key) if wire.target in spans)

    def gradient(self, address: str) -> Floats:
        """Return the gradient that the graph computes at an address."""
        self.pass_()
        machine = self.machine
        source = machine.plan.unfolding.gradients[address]
        shape = machine.plan.inference.shapes[source]
        return machine.view(machine.tape.slots[source], shape, self.samples).copy()

    def parameter(self, address: str, gradient: Floats, chosen: NDArray[Any]) -> list[Slope]:
        """Nudge numbers of a parameter one by one."""
        slot = self.machine.tape.slots[address]
        begin = self._behind(address.rpartition(".")[0])
        cells = self.machine.cells
        size = gradient.size
        unit = unit_of(cells[slot.offset : slot.offset + size])
        tiny = _TINY * float(np.abs(gradient[chosen]).max(initial=0.0))
        found = []
        for index in chosen:
            place = slot.offset + int(index)
            before = cells[place]

            def cost(nudge: float, place: int = place, before: float = before) -> float:
                cells[place] = before + nudge
                cost = self._cost(begin)
                cells[place] = before
                return cost

            found.append(slope(cost, float(gradient[index]), unit=unit, tiny=tiny))
        return found

    def value(self, address: str, gradient: Floats) -> tuple[float, Slope]:
        """Nudge a node's output along a random direction, and run what comes after it."""
        machine = self.machine
        key = address.rpartition(".")[0]
        slot, shape = machine.tape.slots[address], machine.plan.inference.shapes[address]
        view = machine.view(slot, shape, self.samples)
        random = np.random.default_rng(crc32(address.encode()))
        # Few binary digits, so that a step along it is exact.
        direction = np.round(256 * random.standard_normal(view.shape)) / 256
        before = view.copy()
        same = gradient.size == view.size
        whole = gradient.reshape(view.shape) if same else np.broadcast_to(gradient, view.shape)
        along = float((whole * direction).sum())
        begin = machine.tape.spans[key][1]

        def cost(nudge: float) -> float:
            view[...] = before + nudge * direction
            # Rows have ∂C/∂ of their own sample, what has none has ∂J/∂.
            cost = self._cost(begin) * (self.n if shape.batch else 1)
            view[...] = before
            return cost

        return along, slope(cost, along, unit=unit_of(before), tiny=0.0)


_TINY = 1e-9
"""A part of a gradient that is smaller than this share of the whole does not decide."""


@dataclass(frozen=True, eq=False)
class _Compared:
    """Gradients and slopes of one node, in one batch."""

    gradient: Floats
    slopes: list[Slope]
    rows: int

    @classmethod
    def of(cls, probe: _Probe, address: str, most: int) -> _Compared:
        """Compare the gradient at an address; of a parameter at most so many numbers."""
        gradient = probe.gradient(address)
        key = address.rpartition(".")[0]
        if not probe.machine.plan.graph.nodes[key].is_parameter:
            along, found = probe.value(address, gradient)
            return cls(np.array([along]), [found], probe.n)
        flat = gradient.ravel()
        chosen: NDArray[Any] = np.arange(flat.size)
        if flat.size > most:
            random = np.random.default_rng(crc32(address.encode()))
            chosen = np.sort(random.choice(flat.size, most, replace=False))
        return cls(flat[chosen], probe.parameter(address, flat, chosen), probe.n)


def _judged(parts: list[_Compared]) -> tuple[NodeCheck, float | None]:
    """Return the verdict on a node over some batches, and the factor by which it is off."""
    gradient = np.concatenate([part.gradient for part in parts])
    slopes = [found for part in parts for found in part.slopes]
    difference = np.array([found.value for found in slopes])
    unsure = np.array([found.error for found in slopes])
    kinks = np.array([found.kink for found in slopes], bool)
    lost = ~np.isfinite(unsure)
    good = ~kinks & ~lost
    apart = np.where(good, np.abs(gradient - difference), 0.0)
    distance, bound = _length(apart), _length(unsure[good])
    length = _length(difference[good])
    size = _length(gradient[good]) + length
    status: Status = "ok"
    factor = None
    if not distance <= TOLERANCE * size + bound:  # NaN is a fault as well
        status = "fault"
        most = float(np.abs(difference[good]).max(initial=0.0)) or 1.0
        shares = difference[good] / most
        factor = float((gradient[good] / most) @ shares / max(shares @ shares, 1.0))
        rest = _length((gradient - factor * difference)[good])
        if rest > _FACTOR * size + abs(factor) * bound:
            factor = None
    elif lost.any() or bound > RESOLUTION * size:
        status = "small"
    elif kinks.any():
        status = "kink"
    worst = int(np.argmax(np.where(np.isfinite(gradient), apart, np.inf))) if apart.size else 0
    found = NodeCheck(
        relative_error=distance / size if size > 0 else 0.0,
        status=status,
        checked=len(parts[0].slopes),
        gradient=float(gradient[worst]) if gradient.size else 0.0,
        difference=float(difference[worst]) if gradient.size else 0.0,
    )
    return found, factor


def _length(vector: Floats) -> float:
    """Return the Euclidean length, also where the squares leave the range of numbers."""
    most = float(np.max(np.abs(vector), initial=0.0))
    if most == 0 or not np.isfinite(most):
        return most
    return most * float(np.linalg.norm(vector / most))
