"""The rows for full speed: dead ones left out, gradients and updates fused, parts joined.

The arithmetic is that of the full rows, in the same order: the numbers agree to the bit.
"""

from __future__ import annotations

from nodeflow.derive.phases import UPDATE as UPDATE_PHASE
from nodeflow.engine.cells import END_ROW, Layout, Row, Tape, rows_of, table
from nodeflow.engine.coalescing import coalesced
from nodeflow.engine.kernel.registry import OPERATIONS
from nodeflow.engine.plan import Plan
from nodeflow.graph import Graph, Wire

_LOAD = OPERATIONS["load"].number
_FUSED = {"weight_gradient": "step_weights", "bias_gradient": "step_bias"}
_GRADIENTS = {OPERATIONS[name].number: name for name in _FUSED}


def fast_rows(t: Layout, tape: Tape, tallies: list[Row], commits: list[Row]) -> None:
    """Lay out the rows for full speed: only what an update or a tally needs, steps fused.

    A gradient that nothing but its own update reads is never stored, nor averaged in a row of its
    own: the step computes it number by number, with the same arithmetic.
    """
    plan = tape.plan
    fused = {} if plan.loop else _fusible(plan)
    tape.needed = needed = _needed(plan)
    skipped = {key for chain in fused.values() for key in chain if key}
    stepped = {tape.slots[f"{key}.value"].offset for key in fused}
    every = rows_of(tape.ops)
    loads: list[Row] = []
    body: list[Row] = []
    tail: list[Row] = []
    for position, key in enumerate(plan.order):
        begin, end = tape.spans[key]
        rows = every[begin:end]
        if rows and rows[0][0] == _LOAD:
            loads += rows
        elif key in needed and key not in skipped:
            (body if position < plan.head else tail).extend(rows)
    t.rows = []
    for key, (gradient, mean, update) in fused.items():
        _fuse(t, tape, every, key, gradient, mean, update)
    # What is stepped in place needs no commit.
    copied = OPERATIONS["copy_cells"].operands.index("dst") + 1
    left = [row for row in commits if row[copied] not in stepped]
    body, last = body + tallies, tail + t.rows + left
    if tape.capacity == 1:
        body, last = coalesced(body), coalesced(last)
    head = loads + body
    tape.loads, tape.forward = len(loads), len(head)
    tape.fast_tail = len(head) + 1
    tape.fast = table([*head, END_ROW, *last, END_ROW])


# --- what is left out and what is stepped in place -----------------------------------------------


def _needed(plan: Plan) -> frozenset[str]:
    """Return the nodes whose values an update, the cost or the accuracy depends on."""
    graph = plan.graph
    ends = [key for key in plan.order if graph.nodes[key].type in ("weight_update", "accumulate")]
    if plan.unfolding.cost:
        ends.append(plan.unfolding.cost.rpartition(".")[0])
    hits = plan.hits
    if isinstance(hits, str):
        ends.append(hits.rpartition(".")[0])
    elif hits is not None:
        ends += [hits[0].rpartition(".")[0], hits[1].rpartition(".")[0]]
    if not ends:
        return frozenset(plan.order)  # nothing is trained or judged: every value counts
    return graph.upstream(ends)


def _fusible(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """Return parameters whose gradient → average → update chain nobody else looks at."""
    graph = plan.graph
    found: dict[str, tuple[str, str, str]] = {}
    readers_late: set[str] = set()
    updates_of: dict[str, int] = {}
    for wire in graph.wires:
        if graph.nodes[wire.source].type == "parameter":
            if graph.nodes[wire.target].type == "weight_update":
                updates_of[wire.source] = updates_of.get(wire.source, 0) + 1
            elif plan.phases.get(wire.target) == UPDATE_PHASE:
                readers_late.add(wire.source)
    for key in plan.order:
        if graph.nodes[key].type != "weight_update":
            continue
        inputs = graph.inputs(key)
        theta, rate = inputs["parameter"][0].source, inputs["rate"][0].source
        mean = inputs["gradient"][0].source
        onward = [wire.target for wire in graph.out_of(key)]
        if (
            graph.nodes[theta].type != "parameter"
            or graph.nodes[theta].mode == "freeze"
            or onward != [theta]
            or graph.nodes[mean].type != "average"
            or len(graph.out_of(mean)) != 1
            or graph.type_of(rate).family != "source"
            or graph.nodes[rate].type == "parameter"
            or theta in readers_late
            or updates_of[theta] > 1
        ):
            continue
        weights = graph.inputs(mean).get("weights", ())
        if weights and weights[0].source != theta:
            continue
        gradient = graph.inputs(mean)["total"][0].source
        own = (
            graph.nodes[gradient].type in ("weight_gradient", "bias_gradient")
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
    if graph.nodes[wire.source].type in ("pick", "concatenate"):
        return any(_is_in_a_parameter(graph, before) for before in graph.into(wire.source))
    return graph.nodes[wire.source].type == "parameter"


def _fuse(
    t: Layout, tape: Tape, every: list[Row], key: str, gradient: str, mean: str, update: str
) -> None:
    graph = tape.plan.graph
    theta = tape.slots[f"{key}.value"]
    rate = tape.slots[graph.inputs(update)["rate"][0].start].offset
    weighs = "weights" in graph.inputs(mean)
    decay = t.literal(graph.settings(mean)["regularization"] if weighs else 0.0).offset
    if gradient:
        begin, end = tape.spans[gradient]
        *before, row = every[begin:end]
        t.rows += before
        name = _GRADIENTS.get(row[0])
        if name is not None:
            operands = dict(zip(OPERATIONS[name].operands, row[1:], strict=True))
            t.emit(_FUSED[name], **{**operands, "dst": theta.offset, "rate": rate, "decay": decay})
            return
        t.rows.append(row)
    total = tape.slots[graph.inputs(mean)["total"][0].start]
    t.emit(
        "step_total", size=theta.size, dst=theta.offset, total=total.offset, rate=rate, decay=decay
    )
