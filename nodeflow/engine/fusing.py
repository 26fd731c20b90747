"""The rows for full speed: dead ones left out, gradients and updates fused, parts joined.

The arithmetic is that of the full rows, in the same order: the numbers agree to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.phases import UPDATE as UPDATE_PHASE
from nodeflow.engine.cells import END_ROW, FEW_SAMPLES, Row, Slot, Tape, table
from nodeflow.engine.coalescing import coalesced
from nodeflow.engine.kernel.each import each_of_one, each_of_two
from nodeflow.engine.kernel.registry import BY_NUMBER, OPERATIONS, fused
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.engine.kernel.sums import SHORT
from nodeflow.engine.lowering import decay_of
from nodeflow.engine.plan import Plan
from nodeflow.graph import Graph, Wire
from nodeflow.nodes.arithmetic import add, multiply
from nodeflow.nodes.backward import average, bias_gradient, weight_gradient
from nodeflow.nodes.update import weight_update

_LOAD = OPERATIONS["load"].number
_FUSED = {"weight_gradient": "step_weights", "bias_gradient": "step_bias"}
_GRADIENTS = {OPERATIONS[name].number: name for name in _FUSED}


@dataclass(frozen=True, eq=False)
class FastRows:
    """The rows for full speed: those of a pass, an end, those of an update, an end."""

    table: NDArray[np.int64]
    tail: int
    """Where those of an update begin."""
    loads: int
    """How many of them, at the beginning, load data."""


def fast_rows(tape: Tape) -> FastRows:
    """Lay out the rows for full speed: only what an update or a tally needs, steps fused.

    A gradient that nothing but its own update reads is never stored, nor averaged in a row of its
    own: the step computes it number by number, with the same arithmetic.
    """
    plan = tape.plan
    fused = {} if plan.loop else _fusible(plan)
    skipped = {key for chain in fused.values() for key in chain if key}
    stepped = {tape.slots[f"{key}.value"].offset for key in fused}
    loads: list[Row] = []
    body: list[Row] = []
    tail: list[Row] = []
    sums = sums_of_products(tape)
    for position, key in enumerate(plan.order):
        rows = sums.get(key)
        if rows is None:
            begin, end = tape.spans[key]
            rows = tape.rows[begin:end]
        if rows and rows[0][0] == _LOAD:
            loads += rows
        elif key in plan.needed and key not in skipped:
            (body if position < plan.head else tail).extend(rows)
    for key, (gradient, mean, update) in fused.items():
        tail += _fused_step(tape, key, gradient, mean, update)
    # What is stepped in place needs no commit.
    copied = OPERATIONS["copy_cells"].operands.index("dst") + 1
    tail += [row for row in tape.commits if row[copied] not in stepped]
    body = _tallied(body, tape.tallies)
    if tape.capacity == 1:
        loads = _joined_loads(loads)
    body, tail = _coalesced(body, tape), _coalesced(tail, tape)
    head = loads + joined(body, tape.capacity)
    last = joined(tail, tape.capacity)
    return FastRows(table([*head, END_ROW, *last, END_ROW]), len(head) + 1, len(loads))


def rows_of_evaluation(tape: Tape) -> list[Row]:
    """Return the rows of a tape that only evaluates, with less to do."""
    sums, body = sums_of_products(tape), list[Row]()
    for key in tape.plan.order:
        body += sums.get(key, tape.rows[slice(*tape.spans[key])])
    return joined([*_coalesced(body, tape), *tape.tallies], tape.capacity)


def _coalesced(rows: list[Row], tape: Tape) -> list[Row]:
    # Parts of a whole lie side by side where the samples of a pass are few.
    if tape.capacity > FEW_SAMPLES:
        return rows
    return coalesced(rows, alone=tape.capacity == 1)


def sums_of_products(tape: Tape) -> dict[str, list[Row]]:
    """Return the rows of nodes that are a weighted sum, operation by operation.

    An `add` of products that nobody else reads, of inputs and weights that lie side by side, and
    at the end perhaps of a bias: its row is that of the neuron, its products have none. The order
    of addition is the same.
    """
    plan, slots = tape.plan, tape.slots
    graph = plan.graph
    types, found = graph.types, dict[str, list[Row]]()
    hits = plan.hits
    judged = {plan.unfolding.cost, *((hits,) if isinstance(hits, str) else hits or ())}
    planned = tape.spans.keys()

    def is_product(wire: Wire) -> bool:
        key = wire.source
        return (
            types.get(key) is multiply
            and key in planned
            and len(graph.into(key)) == 2
            and len(graph.out_of(key)) == 1
            and wire.start not in judged
        )

    for key in graph.of_type(add.name):
        terms = graph.into(key)
        if key not in planned or not 2 < len(terms) < SHORT:
            continue
        products = [wire.source for wire in terms if is_product(wire)]
        has_bias = len(products) == len(terms) - 1 and not is_product(terms[-1])
        if len(products) < len(terms) - has_bias:
            continue
        pairs = [[slots[wire.start] for wire in graph.into(product)] for product in products]
        bias = slots[terms[-1].start] if has_bias else None
        row = _neuron(slots[f"{key}.value"], pairs, bias)
        if row is not None:
            found |= {product: [] for product in products} | {key: [row]}
    return found


def _neuron(out: Slot, pairs: list[list[Slot]], bias: Slot | None) -> Row | None:
    """Return the row of a weighted sum; None where its terms do not lie side by side."""
    if out.cols != 1 or (bias is not None and (bias.rows, bias.cols) != (1, 1)):
        return None
    for weight in (0, 1):
        theta, a = pairs[0][weight], pairs[0][1 - weight]
        if theta.rows != 1 or a.rows not in (out.rows, 1):
            continue
        if all(
            pair[weight][:3] == (theta.offset + place, 1, 1)
            and pair[1 - weight] == (a.offset + place, a.rows, 1, a.stride)
            for place, pair in enumerate(pairs)
        ):
            return _row(
                "weighted_sum", rows=out.rows, cols=1, dst=out.offset, dst_r=out.stride,
                a=a.offset, a_r=0 if a.rows == 1 else a.stride, weights=theta.offset,
                bias=-1 if bias is None else bias.offset, inner=len(pairs),
            )  # fmt: skip
    return None


# --- rows that follow each other ------------------------------------------------------------------


def _tallied(rows: list[Row], tallies: list[Row]) -> list[Row]:
    """Let the rows that compute cost and hits tally them at once, where they can."""
    found, left = [list(row) for row in rows], []
    for row in tallies:
        its = _operands(row)
        for other in found:
            makes = _operands(other)
            if "counts" in makes and makes["dst"] == its["a"] and makes["rows"] == 0:
                other[-1] = 1
                break
        else:
            left.append(row)
    return found + left


def _joined_loads(rows: list[Row]) -> list[Row]:
    """Load what lies side by side in the data and in the buffer at once (one sample a pass)."""
    found: list[Row] = []
    for row in rows:
        its, before = _operands(row), _operands(found[-1]) if found else {}
        if before and all(its[at] == before[at] + before["cols"] for at in ("dst", "column")):
            found[-1] = _row("load", **{**before, "cols": before["cols"] + its["cols"]})
        else:
            found.append(row)
    return found


def joined(rows: list[Row], capacity: int) -> list[Row]:
    """Join a weighted sum with its activation, blame with its slope, an error with its slope."""
    found: list[Row] = []
    for row in rows:
        found.append(row)
        for join in (_layer, _layer_back, _error_slope):
            both = join(found, capacity)
            if both is not None:
                del found[-(3 if join is _error_slope else 2) :]
                found.append(both)
    return found


def _layer(rows: list[Row], capacity: int) -> Row | None:
    before, last = _last(rows, 2)
    if before.get("") != "weighted_sum" or not _applies(last, SLOPES, each_of_one):
        return None
    if not _alike(before, last, capacity) or not _reads(last, "a", before):
        return None
    both = fused("layer", last[""])
    return _row(both.name, **{**_numbers(before), "out": last["dst"], "out_r": last["dst_r"]})


def _layer_back(rows: list[Row], capacity: int) -> Row | None:
    before, last = _last(rows, 2)
    if before.get("") != "blame" or not _applies(last, SLOPES.values(), each_of_two):
        return None
    if not _alike(before, last, capacity) or not _reads(last, "a", before) or last["b_c"] != 1:
        return None
    more = {"a": last["b"], "a_r": last["b_r"], "out": last["dst"], "out_r": last["dst_r"]}
    return _row(fused("layer_back", last[""]).name, **{**_numbers(before), **more})


def _error_slope(rows: list[Row], capacity: int) -> Row | None:
    error, scaled, last = _last(rows, 3)
    names = error.get(""), scaled.get("")
    if names != ("subtract", "multiply") or last.get("") not in SLOPES.values():
        return None
    alike = _alike(error, scaled, capacity) and _alike(scaled, last, capacity)
    dense = all(
        row[f"{name}_c"] == 1 and (row[f"{name}_r"] == row["cols"] or capacity == 1)
        for row, names in ((error, ("dst", "a", "b")), (scaled, ("dst", "b")), (last, "ab"))
        for name in (*names, "dst")
    )
    if not alike or not dense or (scaled["a_r"], scaled["a_c"]) != (0, 0):
        return None
    if not (scaled["b"] == error["dst"] and last["a"] == scaled["dst"] and last["b"] == error["a"]):
        return None
    return _row(
        fused("error_slope", last[""]).name, rows=error["rows"], cols=error["cols"],
        error=error["dst"], a=error["a"], y=error["b"], blame=scaled["dst"],
        factor=scaled["a"], delta=last["dst"],
    )  # fmt: skip


def _applies(row: dict[str, Any], names: Collection[str], function: Callable[..., Any]) -> bool:
    """Return whether a row applies one of the functions named, or one that joined."""
    operation = OPERATIONS.get(row.get("", ""))
    if operation is None:
        return False
    return operation.name in names or (operation.joined and operation.function is function)


def _last(rows: list[Row], count: int) -> list[dict[str, Any]]:
    """Return the operands of the last rows, and the operation's name as ""."""
    if len(rows) < count:
        return [{}] * count
    return [{"": BY_NUMBER[row[0]].name, **_operands(row)} for row in rows[-count:]]


def _alike(one: dict[str, Any], other: dict[str, Any], capacity: int) -> bool:
    """Return whether two rows run over equally many numbers."""
    same = one["rows"] == other["rows"] or (capacity == 1 and one["rows"] + other["rows"] == 1)
    return same and one["cols"] == other["cols"] and other["dst_c"] == 1


def _reads(row: dict[str, Any], name: str, before: dict[str, Any]) -> bool:
    """Return whether a row reads just what the one before it wrote."""
    stride = row[f"{name}_r"] == before["dst_r"] or before["rows"] == 1
    return row[name] == before["dst"] and row[f"{name}_c"] == 1 and bool(stride)


def _operands(row: Row) -> dict[str, int]:
    return dict(zip(BY_NUMBER[row[0]].operands, row[1:], strict=True))


def _numbers(operands: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in operands.items() if name}


def _row(name: str, **operands: int) -> Row:
    operation = OPERATIONS[name]
    return [operation.number, *(operands[operand] for operand in operation.operands)]


# --- what is left out and what is stepped in place -----------------------------------------------


def _fusible(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """Return parameters whose gradient → average → update chain nobody else looks at."""
    graph = plan.graph
    types = graph.types
    found: dict[str, tuple[str, str, str]] = {}
    readers_late: set[str] = set()
    updates_of: dict[str, int] = {}
    for wire in graph.wires:
        if graph.nodes[wire.source].is_parameter:
            if types.get(wire.target) is weight_update:
                updates_of[wire.source] = updates_of.get(wire.source, 0) + 1
            elif plan.phases.get(wire.target) == UPDATE_PHASE:
                readers_late.add(wire.source)
    for key in plan.order:
        if types.get(key) is not weight_update:
            continue
        inputs = graph.inputs(key)
        theta, rate = inputs["parameter"][0].source, inputs["rate"][0].source
        mean = inputs["gradient"][0].source
        onward = [wire.target for wire in graph.out_of(key)]
        if (
            not graph.nodes[theta].is_parameter
            or graph.nodes[theta].mode == "freeze"
            or onward != [theta]
            or types.get(mean) is not average
            or len(graph.out_of(mean)) != 1
            or graph.type_of(rate).family != "source"
            or graph.nodes[rate].is_parameter
            or theta in readers_late
            or updates_of[theta] > 1
        ):
            continue
        weights = graph.inputs(mean).get("weights", ())
        if weights and weights[0].source != theta:
            continue
        gradient = graph.inputs(mean)["total"][0].source
        own = (
            types.get(gradient) in (weight_gradient, bias_gradient)
            and len(graph.out_of(gradient)) == 1
        )
        # Fused rows change parameters one after the other: none may read another's.
        if any(_is_in_a_parameter(graph, wire) for wire in graph.into(gradient if own else mean)
               if wire.input != "weights"):  # fmt: skip
            continue
        found[theta] = (gradient if own else "", mean, key)
    return found


def _is_in_a_parameter(graph: Graph, wire: Wire) -> bool:
    """Return whether a wire's value may lie in a parameter's own cells."""
    if graph.type_of(wire.source).rearranges:
        return any(_is_in_a_parameter(graph, before) for before in graph.into(wire.source))
    return graph.nodes[wire.source].is_parameter


def _fused_step(tape: Tape, key: str, gradient: str, mean: str, update: str) -> list[Row]:
    """Return the rows that step a parameter in place."""
    graph = tape.plan.graph
    theta = tape.slots[f"{key}.value"]
    rate = tape.slots[graph.inputs(update)["rate"][0].start].offset
    decay = tape.literal(decay_of(graph, mean))
    found: list[Row] = []
    if gradient:
        begin, end = tape.spans[gradient]
        *found, row = tape.rows[begin:end]
        name = _GRADIENTS.get(row[0])
        if name is not None:
            more = {"dst": theta.offset, "rate": rate, "decay": decay}
            return [*found, _row(_FUSED[name], **{**_operands(row), **more})]
        found.append(row)
    total = tape.slots[graph.inputs(mean)["total"][0].start].offset
    step = _row(
        "step_total", size=theta.size, dst=theta.offset, total=total, rate=rate, decay=decay
    )
    return [*found, step]
