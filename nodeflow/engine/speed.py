"""The rows for full speed: dead ones left out, steps fused, rows that follow each other joined.

The arithmetic is that of the full rows, in the same order: the numbers agree to the bit.
"""

from __future__ import annotations

from nodeflow.engine import ops as o
from nodeflow.engine.cells import Layout, Row, Tape, table
from nodeflow.engine.plan import UPDATE as UPDATE_PHASE
from nodeflow.engine.plan import Plan
from nodeflow.graph import Graph, Wire


def speed_up(t: Layout, tape: Tape, tallies: list[Row], commits: list[Row]) -> None:
    """Lay out the rows for full speed: only what an update or a tally needs, steps fused.

    A gradient that nothing but its own update reads is never stored when there is one sample,
    and never averaged in a row of its own otherwise; the arithmetic stays the same.
    """
    plan = tape.plan
    fused = {} if plan.loop else _fusible(plan)
    needed = _needed(plan)
    tape.needed = needed
    skipped = {key for chain in fused.values() for key in chain if key}
    stepped = {tape.slots[f"{key}.value"].offset for key in fused}
    loads: list[Row] = []
    body: list[Row] = []
    tail: list[Row] = []
    for position, key in enumerate(plan.order):
        begin, end = tape.spans[key]
        rows = tape.ops[begin:end].tolist()
        if rows and rows[0][o.OP] == o.LOAD:
            loads += rows
        elif key in needed and key not in skipped:
            (body if position < plan.head else tail).extend(rows)
    t.rows = []
    for key, (gradient, mean, update) in fused.items():
        _fuse(t, tape, key, gradient, mean, update)
    # What is stepped in place needs no commit.
    left = [row for row in commits if row[o.DST] not in stepped]
    tape.loads = len(loads)
    if tape.capacity == 1:
        loads = _merged_loads(loads)
        tape.loads = len(loads)
    head = loads + _merged(body + tallies, tape.capacity)
    if plan.loop:
        tape.fast_head = len(head)
        tape.fast = table(head + tail + left)
    else:
        tape.fast = table(head + tail + _merged_steps(t.rows) + left)
        tape.fast_head = len(tape.fast)
    tape.forward = len(head)


_FEW = 64
"""Below so many numbers one row is quicker than three that vectorise."""
_ACTIVATIONS = (o.FLAT_SIGMOID, o.FLAT_TANH, o.FLAT_RELU)
_SLOPES = (o.FLAT_DELTA_SIGMOID, o.FLAT_DELTA_TANH, o.FLAT_DELTA_RELU)


def _merged(rows: list[Row], capacity: int) -> list[Row]:
    """Join rows that follow each other into one; every cell is still written, in the same order.

    A row costs about as much as ten multiplications, which a small network feels.
    """
    found: list[Row] = []
    for row in map(list, rows):
        last = found[-1] if found else [o.PYTHON] * o.WIDTH
        op, previous = row[o.OP], last[o.OP]
        follows = row[o.A] == last[o.DST] and (row[o.ROWS], row[o.COLS]) == (
            last[o.ROWS],
            last[o.COLS],
        )
        if previous == o.WEIGHTED_SUM and op in _ACTIVATIONS and follows and not last[o.FLAG]:
            last[o.FLAG], last[o.D] = op, row[o.DST]
        elif previous == o.BLAME and op in _SLOPES and follows and not last[o.FLAG]:
            last[o.FLAG], last[o.C], last[o.D] = op, row[o.B], row[o.DST]
        elif op in _SLOPES and capacity * row[o.COLS] < _FEW and _error_before(found, row):
            e, scaled = found[-2], found[-1]
            e[o.OP], e[o.FLAG] = o.ERROR_DELTA, op
            e[o.C], e[o.D], e[o.INNER] = scaled[o.A], scaled[o.DST], row[o.DST]
            found.pop()
        elif op in (o.TALLY, o.TALLY_HITS):
            wanted = o.SQUARED_ERROR if op == o.TALLY else o.ACCURACY
            sources = [r for r in found if r[o.OP] == wanted and r[o.DST] == row[o.A]]
            if sources and row[o.ROWS] == 0 == sources[0][o.ROWS]:
                sources[0][o.FLAG] = 1
            else:
                found.append(row)
        else:
            found.append(row)
    return found


def _merged_loads(rows: list[Row]) -> list[Row]:
    """Load what lies side by side in feed and buffer at once (one sample a pass)."""
    found: list[Row] = []
    for row in map(list, rows):
        last = found[-1] if found else row
        if (
            found
            and row[o.DST] == last[o.DST] + last[o.COLS]
            and row[o.A] == last[o.A] + last[o.COLS]
        ):
            last[o.COLS] += row[o.COLS]
        else:
            found.append(row)
    return found


def _error_before(found: list[Row], row: Row) -> bool:
    """Return whether error, scaling and this slope follow each other on the same numbers."""
    if len(found) < 2:
        return False
    e, scaled = found[-2:]
    return (
        e[o.OP] == o.FLAT_SUBTRACT
        and scaled[o.OP] == o.SCALE
        and scaled[o.B] == e[o.DST]
        and row[o.A] == scaled[o.DST]
        and row[o.B] == e[o.A]
        and e[o.COLS] == row[o.COLS]
        and e[o.ROWS] == row[o.ROWS]
    )


def _merged_steps(rows: list[Row]) -> list[Row]:
    """Join the step of a bias with that of the weights that have the same δ and rate."""
    found: list[Row] = []
    weights = {row[o.A]: row for row in rows if row[o.OP] == o.STEP_WEIGHTS}
    for row in rows:
        twin = weights.get(row[o.A])
        if (
            row[o.OP] == o.STEP_MEAN
            and twin is not None
            and not twin[o.A_R]
            and row[o.C] == twin[o.C]
            and row[o.FLAG] == 1
            and row[o.COLS] == twin[o.INNER]
        ):
            twin[o.A_R] = row[o.DST] + 1
        else:
            found.append(row)
    return found


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


def _fuse(t: Layout, tape: Tape, key: str, gradient: str, mean: str, update: str) -> None:
    graph = tape.plan.graph
    theta = tape.slots[f"{key}.value"]
    rate = tape.slots[graph.inputs(update)["rate"][0].start].offset
    decay = t.literal(
        graph.settings(mean)["regularization"] if "weights" in graph.inputs(mean) else 0.0
    ).offset
    if gradient:
        begin, end = tape.spans[gradient]
        rows = tape.ops[begin:end].tolist()
        row = rows[-1]
        if tape.capacity == 1 and len(rows) == 1 and row[o.OP] == o.WEIGHT_GRADIENT:
            t.emit(
                o.STEP_WEIGHTS, ROWS=1, COLS=row[o.COLS], INNER=row[o.INNER], DST=theta.offset,
                A=row[o.A], B=row[o.B], C=rate, D=decay,
            )  # fmt: skip
            return
        if tape.capacity == 1 and row[o.OP] == o.BIAS_GRADIENT:
            plain = t.literals[decay] == 0
            t.emit(
                o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=row[o.A], C=rate,
                D=decay, FLAG=1 if plain else 0,
            )  # fmt: skip
            return
        t.rows += rows
    total = tape.slots[graph.inputs(mean)["total"][0].start]
    t.emit(o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=total.offset, C=rate, D=decay)
