"""The graph whose nodes are really run: modes resolved, trainers unfolded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from nodeflow.derive.backward import Backward, costs_of
from nodeflow.derive.implied import implied, with_cost
from nodeflow.derive.modes import resolve
from nodeflow.derive.records import RECORD, Record, put_back, read_records
from nodeflow.derive.shapes import Inference, infer, order_of
from nodeflow.derive.steps import spelled_out, without_rate
from nodeflow.derive.wired import by_updates, by_wires
from nodeflow.errors import GraphError, NodeflowError
from nodeflow.graph import Graph
from nodeflow.nodes.update import step


@dataclass(frozen=True)
class Unfolding:
    """A graph with its backward pass, and where in it the gradient of each port is."""

    graph: Graph
    inference: Inference
    """Shapes of the whole; problems are those of the graph it was made from."""
    gradients: Mapping[str, str] = field(default_factory=dict)
    """Forward address to the address of its gradient: ∂C/∂ of it, one row per sample; ∂J/∂ of it
    for what has no sample axis, such as a parameter."""
    cost: str | None = None
    """Address of the cost that is minimised."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Forward address to ∂C/∂ of it, where that is one number for each sample and needs no node."""
    made_for: Mapping[str, str] = field(default_factory=dict)
    """Which trainer each node of the backward pass was made for; "" where there is none."""


def evaluated(graph: Graph, *, strict: bool = True) -> Unfolding:
    """Return the graph whose nodes are really run: modes resolved, trainers unfolded.

    Several trainers share one backward pass: J is the sum of their costs. A graph with one cost
    and no trainer gets a backward pass without updates. With `strict` the first problem is
    raised; without it a trainer that cannot be unfolded becomes a problem of its own, and the
    rest is evaluated.
    """
    unresolved, graph = graph, resolve(graph)
    inference = infer(graph)
    if strict:
        inference.require()
    if graph.of_type(step.name) or without_rate(graph) or implied(graph):
        bad = inference.problems
        graph = with_cost(spelled_out(graph, apart_from={*bad, *inference.waiting}))
        inference = infer(graph)
    unusable = {*inference.problems, *inference.waiting}
    ruled = _by_rule(unresolved, inference)
    problems = dict(inference.problems)
    trainers = [key for key in graph.of_family("trainer") if key not in unusable]
    while True:
        builder = Backward(graph, inference, ruled.records)
        try:
            builder.train(trainers)
            cost = builder.total([*ruled.costs, *costs_of(graph, trainers)])
            break
        except GraphError as error:
            if strict:
                raise
            # The fault is that of the first trainer that cannot stand beside those before it.
            failing = next(
                (key for number, key in enumerate(trainers, 1)
                 if not _can_train(graph, inference, ruled, trainers[:number])),
                trainers[-1],
            )  # fmt: skip
            problems[failing] = error
            trainers.remove(failing)
    if not trainers and not cost:
        cost = lone_cost(graph)
        if cost and (cost not in inference.shapes or inference.shapes[cost].features != 1):
            cost = None
        # The record tells, where all is frozen.
        wired = graph.where(lambda type_: type_.descends) or graph.extra.get(RECORD)
        if cost and not wired:
            try:
                builder.differentiate([cost], {})
            except GraphError as error:
                # There is no trainer to stop: the values can be had all the same.
                problems.setdefault(error.node or cost, error)
                builder, cost = Backward(graph, inference), None
    return _finished(builder, remove=trainers, cost=cost, problems=problems, ruled=ruled)


def _can_train(graph: Graph, inference: Inference, ruled: _Ruled, trainers: list[str]) -> bool:
    try:
        Backward(graph, inference, ruled.records).train(trainers)
    except GraphError:
        return False
    return True


def _finished(
    backward: Backward,
    *,
    remove: Iterable[str],
    cost: str | None,
    problems: Mapping[str, NodeflowError],
    ruled: _Ruled,
) -> Unfolding:
    gone, graph = set(remove), backward.graph
    # A graph to which nothing was added stays the same object, with all that it knows.
    if gone or backward.made:
        graph = graph.extended(
            backward.made, backward.wires, backward.into, backward.ranks, without=gone
        )
    inference = replace(backward.inference, shapes=backward.shapes, problems=problems)
    # What was made here is known; for a wired pass the rules tell, or else names and wires.
    known = {a: at for a, at in ruled.gradients.items() if {a, at} <= backward.shapes.keys()}
    own = {**(known or by_wires(backward.graph, backward.shapes)), **by_updates(backward.graph)}
    for address in own.keys() & backward.gradients.keys():
        del own[address], backward.gradients[address]  # each of them is but a part of it
    found = {**own, **backward.gradients}
    numbers = {**ruled.numbers, **backward.numbers}
    if cost and found and cost not in found:
        numbers.setdefault(cost, 1.0)  # also where the backward pass was wired by hand
    return Unfolding(graph, inference, found, cost, numbers, backward.made_for)


@dataclass(frozen=True)
class _Ruled:
    """Where the rules put gradients, those that are plain numbers, and what is minimised."""

    gradients: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    costs: tuple[str, ...] = ()
    records: Mapping[str, Record] = field(default_factory=dict)


def _by_rule(graph: Graph, inference: Inference) -> _Ruled:
    """Return where the rules put the gradient of each port of a graph that was unfolded.

    Names alone do not tell: a value that several nodes read has the blame of each of them, and
    what passes its blame on has none of its own. Nor does the graph alone tell which of its
    values is the cost.
    """
    if not graph.extra.get(RECORD):
        return _Ruled()
    unusable = {*inference.problems, *inference.waiting}
    try:
        records = read_records(graph)
    except GraphError:
        return _Ruled()
    try:
        folded = _folded_before(graph, records)
        costs = [
            folded.inputs(key)["cost"][0].start for key in records if "cost" in folded.inputs(key)
        ]
        costs = [cost for cost in costs if cost.rpartition(".")[0] not in unusable]
        builder = Backward(folded, replace(inference, order=order_of(folded)))
        if costs:
            builder.differentiate(costs, {})
    except (GraphError, KeyError):  # edited since: what is left tells what it can
        known = [w.start for r in records.values() for w in r.wires if w.input == "cost"]
        costs = [cost for cost in known if cost in inference.shapes]
        return _Ruled(costs=tuple(costs), records=records)
    return _Ruled(builder.gradients, builder.numbers, tuple(costs), records)


def _folded_before(graph: Graph, records: Mapping[str, Record]) -> Graph:
    """Return what was unfolded; raises `GraphError` where part of it is no longer there."""
    folded = resolve(put_back(graph, records))
    if any(w.source not in folded.nodes or w.target not in folded.nodes for w in folded.wires):
        raise GraphError("what was unfolded is no longer there")
    return folded


def lone_cost(graph: Graph) -> str | None:
    """Return the address of the one cost that nothing but views takes on, if there is one."""
    found = []
    for key in graph.of_family("cost"):
        type_ = graph.type_of(key)
        if type_.outputs[0].name == "cost" and not type_.penalizes:
            end = key
            for _ in graph.nodes:
                onward = [
                    w.target
                    for w in graph.out_of(end)
                    if graph.type_of(w.target).family == "arithmetic"
                ]
                if len(onward) != 1:
                    break
                end = onward[0]
            found.append(f"{end}.{graph.type_of(end).outputs[0].name}")
    return found[0] if len(set(found)) == 1 else None
