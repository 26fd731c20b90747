"""The rows for full speed: dead ones left out, steps fused, rows that follow each other joined.

Where a layer is taken apart, the rows of its parts become rows of the whole again (`_gathered`).
The arithmetic is that of the full rows, in the same order: the numbers agree to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from nodeflow.derive.phases import UPDATE as UPDATE_PHASE
from nodeflow.engine import ops as o
from nodeflow.engine.cells import Layout, Row, Tape, table
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
    head = loads + _shortest(body + tallies, tape.capacity)
    last = _shortest(tail + _merged_steps(t.rows) + left, tape.capacity)
    tape.fast = table(head + last)
    tape.fast_head = len(head) if plan.loop else len(tape.fast)
    tape.forward = len(head)


def _shortest(rows: list[Row], capacity: int) -> list[Row]:
    """Join rows as they are, and gathered before where there is one sample; take what is less."""
    joined = _merged(rows, capacity)
    if capacity > 1:
        return joined
    return min(joined, _merged(_gathered(rows), capacity), key=len)


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


# --- rows of parts become rows of the whole ------------------------------------------------------

_MANY = 256
"""A row that touches more cells gains nothing from company, and stays where it is."""
_BY_SIZE = (o.FLAT_SIGMOID, o.FLAT_TANH)
"""Where a flat row of many numbers computes them in another way than one of few."""
_GENERAL = (
    *range(o.DIVIDE, o.MINIMUM + 1),
    *range(o.SIGMOID, o.STEP + 1),
    *range(o.DELTA_SIGMOID, o.DELTA_SOFTPLUS + 1),
)
"""Operations whose rows have strides of their own, but for that of the result: no GRID."""
_OPERANDS = {
    **dict.fromkeys((o.FLAT_ADD, o.FLAT_SUBTRACT, o.FLAT_MULTIPLY, *_SLOPES, *_GENERAL), 2),
    **dict.fromkeys((o.COPY, *_ACTIVATIONS, *range(o.SIGMOID, o.STEP + 1)), 1),
}
_BROADCAST = {o.ADD: o.FLAT_ADD, o.SUBTRACT: o.FLAT_SUBTRACT, o.MULTIPLY: o.FLAT_MULTIPLY}


@dataclass(frozen=True, slots=True)
class _Growth:
    """How a row grows by the one that lies right behind it, in columns."""

    count: int
    """How many of them there are: the only number that becomes another."""
    vectors: tuple[int, ...]
    """Places that lie as many cells farther on in the row behind."""
    matrices: tuple[int, ...] = ()
    """Places that lie COLS · INNER cells farther on."""


_BESIDE = {
    o.WEIGHTED_SUM: _Growth(o.COLS, (o.DST, o.C), (o.B,)),
    o.STEP_WEIGHTS: _Growth(o.INNER, (o.A, o.A_R), (o.DST,)),
    o.STEP_MEAN: _Growth(o.COLS, (o.DST, o.A)),
    o.AVERAGE: _Growth(o.COLS, (o.DST, o.A, o.B)),
    o.UPDATE: _Growth(o.COLS, (o.DST, o.A, o.B)),
    o.ACCUMULATE: _Growth(o.COLS, (o.DST, o.A)),
}
_PLUS_ONE = {o.WEIGHTED_SUM: o.C, o.STEP_WEIGHTS: o.A_R}
"""The column that holds a place + 1, or 0 for none."""
_NUMBERS = {o.STEP_MEAN: (o.C, o.D), o.AVERAGE: (o.D,), o.UPDATE: (o.C,), o.ACCUMULATE: ()}
"""Columns with the place of a single number."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Numbers of one operation, evenly spaced: places and strides of result, A and B."""

    op: int
    row: Row
    """The row that it was, as long as it was one alone."""
    rows: int
    cols: int
    at: tuple[int, ...]
    across: tuple[int, ...]
    down: tuple[int, ...] = ()

    def cells(self) -> list[range]:
        """Return the cells of the result and of the operands, while it is a single line."""
        counts = (self.cols if stride else 1 for stride in self.across)
        return [range(at, at + count) for at, count in zip(self.at, counts, strict=True)]

    def _steps(self, other: _Grid) -> tuple[int, ...]:
        return tuple(b - a for a, b in zip(self.at, other.at, strict=True))

    def longer(self, other: _Part) -> _Grid | None:
        """Return both as one line; None where they are not single numbers, evenly spaced."""
        if not isinstance(other, _Grid) or (other.op, other.cols) != (self.op, 1):
            return None
        steps = self._steps(other)
        if self.op in _GENERAL and steps[0] != self.cols:
            return None
        if self.cols == 1:
            return replace(self, row=[], cols=2, across=steps)
        # What was a line from the start has its own row still, and goes on with no single one.
        even = not self.row and steps == tuple(self.cols * stride for stride in self.across)
        return replace(self, cols=self.cols + 1) if even else None

    def taller(self, other: _Part) -> _Grid | None:
        """Return both as one grid; None where they are not lines alike, evenly spaced."""
        if not isinstance(other, _Grid) or (other.op, other.cols) != (self.op, self.cols):
            return None
        steps = self._steps(other)
        if self.cols > 1 and other.across != self.across:
            return None
        if self.rows == 1:
            return replace(self, row=[], rows=2, down=steps)
        even = steps == tuple(self.rows * stride for stride in self.down)
        return replace(self, rows=self.rows + 1) if even else None

    def emit(self) -> Row:
        """Return the row: the old one, a flat one, or a GRID."""
        if self.row:
            return self.row
        found = [0] * o.WIDTH
        found[o.OP], found[o.ROWS], found[o.COLS] = self.op, self.rows, self.cols
        flat = self.rows == 1 and set(self.across) == {1} and self.op != o.COPY
        otherwise = self.op in _BY_SIZE and self.cols >= _FEW  # not as each would alone
        if self.op not in _GENERAL and (otherwise or not flat):
            found[o.OP], found[o.INNER] = o.GRID, self.op
        columns = ((o.DST, o.DST_R, o.DST_C), (o.A, o.A_R, o.A_C), (o.B, o.B_R, o.B_C))
        down = self.down or (0,) * len(self.at)
        for names, *there in zip(columns, self.at, down, self.across, strict=False):
            for name, number in zip(names, there, strict=True):
                found[name] = number % 2**64  # a negative stride, as unsigned sums take it
        return found


@dataclass(frozen=True, slots=True)
class _Whole:
    """A row that may grow by another one beside it."""

    row: Row

    @property
    def op(self) -> int:
        """The operation."""
        return self.row[o.OP]

    @property
    def at(self) -> tuple[int, ...]:
        """The place of the result."""
        return (self.row[o.DST],)

    def longer(self, other: _Part) -> _Whole | None:
        """Return both as one row; None where the other one does not lie right beside."""
        if not isinstance(other, _Whole) or other.op != self.op:
            return None
        growth = _BESIDE[self.op]
        count = self.row[growth.count]
        behind = list(self.row)
        for column in growth.vectors:
            nothing = column == _PLUS_ONE.get(self.op) and not self.row[column]
            behind[column] += 0 if nothing else count
        for column in growth.matrices:
            behind[column] += self.row[o.COLS] * self.row[o.INNER]
        behind[growth.count] = other.row[growth.count]
        if other.row != behind:
            return None
        both = list(self.row)
        both[growth.count] += other.row[growth.count]
        return _Whole(both)

    def emit(self) -> Row:
        """Return the row."""
        return self.row


_Part = _Grid | _Whole
_Touched = tuple[_Part, list[range], list[range]]
"""A row with the cells that it reads and those that it writes."""


def _gathered(rows: list[Row]) -> list[Row]:
    """Bring rows together that do the same to evenly spaced numbers, and join them.

    Rows move past each other only where neither touches what the other one writes, so that each
    number is what it was. All of them work on one sample.
    """
    found: list[Row] = []
    movable: list[_Touched] = []
    for row in rows:
        touched = _touched(row)
        if touched:
            movable.append(touched)
        else:
            found += [*_packed(movable), row]
            movable = []
    return found + _packed(movable)


def _touched(row: Row) -> _Touched | None:
    """Return what a row touches; None where it stays in its place: large ones, rare operations."""
    row = list(row)
    row[o.ROWS] = row[o.ROWS] or 1
    op, cols, inner = row[o.OP], row[o.COLS], row[o.INNER]
    grid = _grid(row)
    if grid:
        result, *operands = grid.cells()
        return grid, operands, [result]
    if op not in _BESIDE or row[o.ROWS] > 1:
        return None

    def part(column: int, count: int) -> range:
        first = row[column] - (column == _PLUS_ONE.get(op))
        return range(first, first + count * (first >= 0))

    if op == o.WEIGHTED_SUM:
        row[o.DST_R] = 0  # so that many together never take the loops for large products
        reads = [part(o.A, inner), part(o.B, inner * cols), part(o.C, cols)]
        writes = [part(o.DST, cols)]
    elif op == o.STEP_WEIGHTS:
        reads = [part(o.A, inner), part(o.B, cols), part(o.C, 1), part(o.D, 1)]
        writes = [part(o.DST, inner * cols), part(o.A_R, inner)]
    else:
        reads = [part(column, cols) for column in _BESIDE[op].vectors]
        reads += [part(column, 1) for column in _NUMBERS[op]]
        writes = [part(o.DST, cols)]
    few = sum(map(len, reads + writes)) <= _MANY
    return (_Whole(row), reads, writes) if few else None


def _grid(row: Row) -> _Grid | None:
    """Return a row as a grid, if it is small and one line of numbers."""
    op, cols, a_c, b_c = _BROADCAST.get(row[o.OP], row[o.OP]), row[o.COLS], 1, 1
    if row[o.OP] in o.FLAT.values():
        cols *= row[o.ROWS]
    elif row[o.ROWS] > 1:
        return None
    elif op in _OPERANDS:
        a_c, b_c = row[o.A_C], row[o.B_C]
    elif op == o.BIAS_GRADIENT:
        op = o.COPY
    elif op == o.SCALE or (op in (o.BLAME, o.WEIGHT_GRADIENT) and row[o.INNER] == 1):
        if 0 <= row[o.A] - row[o.DST] < cols:
            return None  # the factor is read before it is overwritten, but in a GRID each time
        op, a_c = o.FLAT_MULTIPLY, 0
    else:
        return None
    if cols >= _FEW:
        return None
    count = 1 + _OPERANDS[op]
    at = (row[o.DST], row[o.A], row[o.B])
    return _Grid(op, row, 1, cols, at[:count], (1, a_c, b_c)[:count])


def _packed(movable: list[_Touched]) -> list[Row]:
    """Order rows by how many others they must wait for, and join those that are alike."""
    written: dict[int, int] = {}  # cell: the level at which it is written last
    read: dict[int, int] = {}
    kinds: dict[tuple[int, int], int] = {}
    order: list[tuple[int, int, int, int]] = []
    for number, (part, reads, writes) in enumerate(movable):
        before = [written.get(cell, 0) for cells in (*reads, *writes) for cell in cells]
        before += [read.get(cell, 0) for cells in writes for cell in cells]
        level = 1 + max(before, default=0)
        for cells in reads:
            read |= {cell: max(level, read.get(cell, 0)) for cell in cells}
        for cells in writes:
            written |= dict.fromkeys(cells, level)
        kind = kinds.setdefault((level, part.op), len(kinds))
        order.append((level, kind, part.at[0], number))
    lines: list[_Part] = []
    # Rows of one level wait for none of their own level; those of a kind do the same besides.
    for _, alike in groupby(sorted(order), key=itemgetter(1)):
        parts = [movable[number][0] for *_, number in alike]
        lines += _paired(parts, lambda one, other: one.longer(other))
    grids = _paired(lines, lambda one, other: one.taller(other) if isinstance(one, _Grid) else None)
    return [part.emit() for part in grids]


def _paired(parts: list[_Part], join: Callable[[_Part, _Part], _Part | None]) -> list[_Part]:
    """Join each part with the one before it, where that can be done."""
    found: list[_Part] = []
    for part in parts:
        both = join(found[-1], part) if found else None
        if both:
            found[-1] = both
        else:
            found.append(part)
    return found


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
        # A matrix of blame has several rows even for one sample: they are added up before.
        if tape.capacity == 1 and row[o.OP] == o.BIAS_GRADIENT and row[o.ROWS] <= 1:
            plain = t.literals[decay] == 0
            t.emit(
                o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=row[o.A], C=rate,
                D=decay, FLAG=1 if plain else 0,
            )  # fmt: skip
            return
        t.rows += rows
    total = tape.slots[graph.inputs(mean)["total"][0].start]
    t.emit(o.STEP_MEAN, ROWS=1, COLS=theta.size, DST=theta.offset, A=total.offset, C=rate, D=decay)
