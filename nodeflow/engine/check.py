"""The gradient check: every gradient of a graph against differences of its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from zlib import crc32

import numpy as np

from nodeflow.derive.implied import implied
from nodeflow.derive.modes import without_differences
from nodeflow.derive.silent import silent, unlike_rates
from nodeflow.engine.evaluation import evaluate
from nodeflow.engine.gradientfaults import explained, is_near
from nodeflow.engine.machine import Machine
from nodeflow.engine.nudging import Compared, NudgedBatch, verdict
from nodeflow.engine.slopes import unit_of
from nodeflow.engine.verdicts import Check, NodeCheck
from nodeflow.errors import GraphError, RunError
from nodeflow.graph import Graph

_MOST_ROWS = 50
_FEWEST_ROWS = 8
"""Rows to be checked at least: of small batches several are checked one after the other."""

_NO_NUMBER = "it is NaN or Infinity, and so is what an update makes of it"
WORK = 10_000_000
"""What a check costs at most where nobody asked for all of it, in rows that are executed: about
5 s. A row on whose large matrix it takes longer counts as many."""
_A_ROW = 1000
"""Multiplications with which a row takes about twice as long as with a few."""
_NUDGES = 5
"""Evaluations that find most gradients right: one pass, and two differences of two each."""
_FEWEST_NUMBERS = 10


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

    def batches(most_rows: int | None) -> list[NudgedBatch]:
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
        return [NudgedBatch(machine, number, most_rows or machine.batch) for number in range(count)]

    some = batches(_MOST_ROWS)
    if not all(np.isfinite(one.start()) for one in some):
        raise RunError(f"{_no_number(graph, seed, wanted)}, so no slope of the cost is known there")
    machine = some[0].machine
    plan, gradients = machine.plan, machine.plan.unfolding.gradients
    whole: list[NudgedBatch] = []
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
        found, factor = verdict([Compared.of(one, address, most) for one in some])
        if found.status == "kink":
            # Which of two slopes a kink has says nothing; beside it there is only one.
            with _beside(machine, gradients):
                near, factor = verdict([Compared.of(one, address, most) for one in some])
            found = near if near.status == "fault" else found
        rows = some[0].n
        share = rows / _at_most(wanted, machine.rows)
        if found.status == "fault" and factor and is_near(factor, share, 1 / share) and share < 1:
            # A factor that is wired for the rows of the whole batch is right for those alone.
            whole = whole or batches(None)
            all_, factor_of_all = verdict([Compared.of(p, address, most) for p in whole])
            if all_.status != "small":
                found, factor, rows = all_, factor_of_all, whole[0].n
        if found.status == "small" and not np.isfinite(found.gradient) and key in parameters:
            found = replace(found, status="fault", relative_error=np.inf, reason=_NO_NUMBER)
        nodes[key], factors[key] = found, (factor, rows)
    nodes = explained(graph, plan, nodes, factors)
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


def _is_compared(nudged: NudgedBatch, address: str) -> bool:
    """Return whether the gradient at an address can be compared: it and the value have cells."""
    machine, key = nudged.machine, address.rpartition(".")[0]
    if machine.plan.unfolding.gradients[address] not in machine.tape.slots:
        return False
    if machine.plan.graph.nodes[key].is_parameter:
        return True
    return nudged.passes == 1 and _has_rows(machine, key)


def _has_rows(machine: Machine, key: str) -> bool:
    """Return whether a node's value lies in cells of its own, not in those of another one."""
    begin, end = machine.tape.spans.get(key, (0, 0))
    return begin < end


def _sampled(nudged: list[NudgedBatch], asked: list[str], most: int) -> tuple[list[str], int]:
    """Return the gradients that are checked within `WORK`, and of how many numbers each.

    They are taken in turns, one of each type after another, so that none is left out. What a
    parameter's type says is the type of what reads it.
    """
    machine = nudged[0].machine
    graph, spans = machine.plan.graph, machine.tape.spans
    numbers = sum(machine.tape.slots[f"{key}.value"].size for key in graph.parameters
                  if f"{key}.value" in machine.tape.slots)  # fmt: skip
    a_pass = sum(one.passes * (one.judged + numbers * one.samples / _A_ROW)
                 for one in nudged)  # fmt: skip
    # Of a parameter of which many numbers are nudged no more than a tenth of the work is spent.
    most = max(min(most, round(WORK / 10 / _NUDGES / a_pass)), min(most, _FEWEST_NUMBERS))

    def work(address: str) -> float:
        key = address.rpartition(".")[0]
        count = min(machine.tape.slots[address].size, most) if graph.nodes[key].is_parameter else 1
        begin = spans[key][1] if key in spans else 0
        share = 1 - begin / max(nudged[0].judged, 1)
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
