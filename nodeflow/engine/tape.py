"""The tape: a plan laid out as a table of operations over one flat buffer of cells.

Parameters come first in the buffer: they are the state, all that a checkpoint keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from nodeflow.declare import Lower, NodeType, numbers
from nodeflow.derive.logits import Logits
from nodeflow.engine.cells import FEW_SAMPLES, Call, Feed, Layout, Row, Slot, Tape, table
from nodeflow.engine.lowering import alike, decay_of, lower_of
from nodeflow.engine.plan import Plan
from nodeflow.nodes.cost import accuracy
from nodeflow.shape import Shape


def lay_out(plan: Plan, *, capacity: int, feed: Feed, beside: Tape | None = None) -> Tape:
    """Return the tape of a plan for passes of at most `capacity` samples.

    A tape `beside` another one lies behind it in the same buffer and shares its parameters.
    """
    t = Layout(plan, capacity, feed)
    if beside is not None:
        t.size = beside.size
        t.calls = list(beside.calls)
    graph, shapes = plan.graph, plan.inference.shapes
    ordered, kinds = _side_by_side(plan.order)
    types, nodes = graph.types, graph.nodes
    kinds_there = set(types.values())
    holding = {type_ for type_ in kinds_there if type_.holds_weights}
    parameters = [key for key in ordered if types[key] in holding]
    for key in parameters:
        address = f"{key}.value"
        t.slots[address] = beside.slots[address] if beside else t.fresh(shapes[address])
    state = beside.state if beside else t.size
    blocks = _blocks(plan)
    if 1 < capacity <= FEW_SAMPLES:  # of a single sample they lie so as they come
        _add_kinds(plan, kinds, blocks)
    spans: dict[str, tuple[int, int]] = {}
    slots, fresh = t.slots, t.fresh
    endings = {
        type_: () if type_.family == "source" or type_.rearranges
        else tuple(f".{port.name}" for port in type_.outputs)
        for type_ in kinds_there
    }  # fmt: skip
    for key in ordered:
        for ending in endings[types[key]]:
            address = key + ending
            if address in blocks:
                _slot(t, address, blocks)
            elif address not in slots:
                slots[address] = fresh(shapes[address])
    # Rows are collected node by node; what has no cells yet gets them when it is met.
    begin, ways = len(t.rows), dict[int, _Way]()
    averages: dict[tuple[int, int], str] = {}
    """Of those that have the same λ one each."""
    for key in plan.order:
        if types[key] not in holding:
            node = nodes[key]
            way = ways.get(id(node))
            if way is None:
                way = ways[id(node)] = _way(types[key], graph.settings(key))
            _lower_node(t, key, way, blocks)
            if way.averages:
                averages.setdefault((id(node), len(graph.incoming[key])), key)
        end = len(t.rows)
        spans[key] = (begin, end)
        begin = end
    body = spans[plan.order[plan.head]][0] if plan.head < len(plan.order) else len(t.rows)
    tallies, commits = _tallies(t), _commits(t)
    rows = [*t.rows[:body], *tallies, *t.rows[body:], *commits]
    for key in plan.order[plan.head :]:
        begin, end = spans[key]
        spans[key] = (begin + len(tallies), end + len(tallies))
    # Where nothing comes once an update, a pass ends with the commits; a loop has passes without.
    whole = plan.head == len(plan.order) and not plan.loop
    for key in averages.values():
        t.literal(decay_of(graph, key))  # for full speed
    return Tape(
        plan=plan,
        slots=t.slots,
        ops=table(rows),
        spans=spans,
        head=len(rows) if whole else body + len(tallies),
        size=t.size,
        state=state,
        capacity=capacity,
        literals=t.literals,
        arrays=t.arrays,
        calls=tuple(t.calls),
        rows=rows,
        tallies=tallies,
        commits=commits,
    )


_NUMBER = re.compile(r"(?<=\.)\d+")
_NUMBERED = re.compile(r"^.*\.\d.*$", re.MULTILINE)


def _side_by_side(order: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return ids with the parts of one whole behind each other: theta.1, theta.2, … theta.10.

    And the parts of each whole. Their rows can be joined for full speed where they lie evenly
    spaced.
    """
    numbered = _NUMBERED.findall("\n".join(order))
    if not numbered:
        return list(order), []
    kind_of = {key: _NUMBER.sub("#", key) for key in numbered}
    kinds: dict[str, list[tuple[list[int], str]]] = {}
    for key, kind in kind_of.items():
        kinds.setdefault(kind, []).append(([*map(int, _NUMBER.findall(key))], key))
    ordered: list[str] = []
    wholes: list[list[str]] = []
    for key in order:
        if key not in kind_of:
            ordered.append(key)
        elif parts := kinds.pop(kind_of[key], None):  # a whole stands where its first part does
            # Equal numbers, of x.1 and x.01, keep their order.
            wholes.append([part for _, part in sorted(parts, key=itemgetter(0))])
            ordered += wholes[-1]
    return ordered, wholes


def _blocks(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return which outputs should lie side by side, since they are joined in that order."""
    graph, shapes = plan.graph, plan.inference.shapes
    placed: dict[str, tuple[str, ...]] = {}
    types = graph.types
    for key in plan.order:
        type_ = types[key]
        joined = type_.joined or type_.joins
        if not joined:
            continue
        for port in type_.inputs:
            wires = graph.inputs(key).get(port.name, ()) if port.many else ()
            if len(wires) < 2 or joined != port.name:
                continue
            group = tuple(wire.start for wire in wires)
            batch = shapes[group[0]].batch
            movable = all(
                address not in placed
                and shapes[address].batch == batch
                and shapes[address].flat[0] == 1
                and not _lies_elsewhere(types[address.rpartition(".")[0]])
                for address in group
            )
            if movable and len(set(group)) == len(group):
                placed |= dict.fromkeys(group, group)
    return placed


def _lies_elsewhere(type_: NodeType) -> bool:
    """Return whether the cells of a type's value are those of others, or of the state."""
    return type_.rearranges or type_.holds_weights


def _add_kinds(
    plan: Plan, kinds: Iterable[Sequence[str]], blocks: dict[str, tuple[str, ...]]
) -> None:
    """Let the parts of each whole lie side by side in every sample, too."""
    types, shapes = plan.graph.types, plan.inference.shapes
    for keys in kinds:
        type_ = types[keys[0]]
        if len(keys) < 2 or type_.family == "source" or type_.rearranges:
            continue
        if len(type_.outputs) != 1 or any(types[key] is not type_ for key in keys):
            continue
        group = tuple(f"{key}.{type_.outputs[0].name}" for key in keys)
        if all(shapes[address].batch and address not in blocks for address in group):
            blocks |= dict.fromkeys(group, group)


def _slot(t: Layout, address: str, blocks: Mapping[str, tuple[str, ...]]) -> Slot:
    if address not in t.slots:
        shapes = t.plan.inference.shapes
        group = blocks.get(address)
        if group is None:
            t.slots[address] = t.fresh(shapes[address])
        else:
            width = sum(shapes[member].features or 1 for member in group)
            rows = 0 if shapes[address].batch else 1
            at = t.take((1 if rows else t.capacity) * width)
            for member in group:
                cols = shapes[member].features or 1
                t.slots[member] = Slot(at, rows, cols, width)
                at += cols
    return t.slots[address]


class _Way(NamedTuple):
    """How a node becomes rows; nodes of equal settings are one object, and go one way."""

    type: NodeType
    settings: Mapping[str, Any]
    output: str
    """The name of the first output; "" where there is none."""
    lower: Lower | None
    whole: bool
    """Whether its rows run over all numbers of a value at once."""
    averages: bool


def _way(type_: NodeType, settings: Mapping[str, Any]) -> _Way:
    output = type_.outputs[0].name if type_.outputs else ""
    return _Way(type_, settings, output, lower_of(type_), type_.lowers_whole, type_.averages)


def _lower_node(t: Layout, key: str, way: _Way, blocks: Mapping[str, tuple[str, ...]]) -> None:
    type_, settings, output, lower, whole, _ = way
    if type_.family == "source":
        _lower_source(t, key, way, blocks)
        return
    if not output:
        return
    graph, slots = t.plan.graph, t.slots
    # What is fed back comes from the update before: it lies in the node's own cells.
    fed_back = type_.feedback
    inputs: dict[str, list[Slot]] = {}
    for wire in graph.incoming.get(key, ()):
        name, slot = wire.input, slots[f"{wire.source}.{wire.output}"]
        if name in inputs:
            inputs[name].append(slot)
        elif name not in fed_back:
            inputs[name] = [slot]
    out = slots.get(f"{key}.{output}") or _output_slot(t, key, type_, settings, inputs, blocks)
    known = t.logits.get(key)
    if known is not None:
        _lower_of_sums(t, key, known, inputs["y"][0], out)
        return
    if lower is not None and (not whole or alike(t, inputs, out)):
        lower(t, inputs, settings, out)
        return
    shapes, wires = t.plan.inference.shapes, graph.inputs(key)
    call = Call(
        node=key,
        type=type_,
        settings=settings,
        inputs=tuple(
            (
                port.name,
                port.many,
                tuple((t.slots[w.start], shapes[w.start]) for w in wires.get(port.name, ())),
            )
            for port in type_.ports_in(settings)
            if not port.feedback
        ),
        outputs=tuple(
            (_slot(t, f"{key}.{port.name}", blocks), shapes[f"{key}.{port.name}"])
            for port in type_.outputs
        ),
    )
    t.call(call)


def _lower_source(t: Layout, key: str, way: _Way, blocks: Mapping[str, tuple[str, ...]]) -> None:
    """Have data sets, and constants of several rows, fed; put what others hold into its cells."""
    type_, shapes = way.type, t.plan.inference.shapes
    if any(shapes[f"{key}.{port.name}"].batch for port in type_.outputs):
        for port in type_.outputs:
            _feed(t, f"{key}.{port.name}", _slot(t, f"{key}.{port.name}", blocks))
        return
    slot = _slot(t, f"{key}.value", blocks)
    t.arrays[slot.offset] = numbers(way.settings["value"])


def _lower_of_sums(t: Layout, key: str, known: Logits, y: Slot, out: Slot) -> None:
    """Add the rows of a cost that is computed from the weighted sums before an activation."""
    graph, shapes = t.plan.graph, t.plan.inference.shapes
    type_ = graph.type_of(key)
    lower = type_.in_sums[known.activation].lower
    if lower is not None:
        lower(t, known, y, out)
        return
    z = t.sums_of(known)
    of_z = Shape((z.cols,), batch=True) if z.rows == 0 else Shape((1, z.cols))
    call = Call(
        node=key,
        type=type_,
        settings={},
        inputs=(
            ("z", False, ((z, of_z),)),
            ("y", False, ((y, shapes[graph.inputs(key)["y"][0].start]),)),
        ),
        outputs=((out, shapes[f"{key}.{type_.outputs[0].name}"]),),
        activation=known.activation,
    )
    t.call(call)


def _output_slot(
    t: Layout,
    key: str,
    type_: NodeType,
    settings: Mapping[str, Any],
    inputs: dict[str, list[Slot]],
    blocks: Mapping[str, tuple[str, ...]],
) -> Slot:
    """Return the slot of a node's first output; picking and joining may need no copy."""
    address = f"{key}.{type_.outputs[0].name}"
    if address in t.slots or address in blocks:
        return _slot(t, address, blocks)
    if type_.picks:
        indices, a = type_.picked(settings), inputs["a"][0]
        if list(indices) == list(range(indices[0], indices[0] + len(indices))):
            t.slots[address] = Slot(a.offset + indices[0], a.rows, len(indices), a.stride)
    elif type_.joins and len(inputs[type_.joins]) > 1:
        before = len(t.rows)
        whole = t.joined(inputs[type_.joins])
        if len(t.rows) == before:
            t.slots[address] = whole
        else:
            del t.rows[before:]
    return _slot(t, address, blocks)


def _feed(t: Layout, address: str, slot: Slot) -> None:
    t.emit(
        "load", cols=slot.cols, dst=slot.offset, dst_r=slot.stride,
        column=t.feed.columns[address][0], width=t.feed.width,
    )  # fmt: skip


def _commits(t: Layout) -> list[Row]:
    """Return the rows that put the new values of an update into the parameters."""
    before, t.rows = t.rows, []
    nodes, slots = t.plan.graph.nodes, t.slots
    for wire in sorted(t.plan.graph.feedback, key=attrgetter("target")):
        key, source = wire.target, slots.get(wire.start)
        target = slots.get(f"{key}.value")  # None where it cannot be evaluated
        if wire.input != "next" or nodes[key].mode == "freeze" or source is None or target is None:
            continue
        t.whole("copy_cells", target, source.offset)
    found, t.rows = t.rows, before
    return found


def _tallies(t: Layout) -> list[Row]:
    """Return the rows that add up cost and hits."""
    before, t.rows = t.rows, []
    _tally(t)
    found, t.rows = t.rows, before
    return found


def _tally(t: Layout) -> None:
    plan = t.plan
    cost = plan.unfolding.cost
    if cost and cost in t.slots:
        slot = t.slots[cost]
        if slot.rows == 0:
            t.emit("tally", a=slot.offset, a_r=slot.stride)
        else:
            t.emit("tally_shared", a=slot.offset)
    hits = plan.hits
    if hits is None:
        return
    if isinstance(hits, str):
        slot = t.slots[hits]
    else:
        outputs, y, threshold = hits
        out = t.fresh(Shape((1,), batch=True))
        inputs = {"a": [t.joined([t.slots[a] for a in outputs])], "y": [t.slots[y]]}
        if (count := accuracy.lower) is not None:
            count(t, inputs, {"threshold": threshold}, out)
        slot = out
    t.emit("tally", a=slot.offset, a_r=slot.stride, which=1)
