"""The plan: which nodes are evaluated, in which order, in which phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nodeflow.derive.shapes import Inference
from nodeflow.derive.unfolding import Unfolding, evaluated
from nodeflow.graph import Graph, uncollected

FORWARD, BACKWARD, UPDATE = 0, 1, 2
PHASES = ("forward", "backward", "update")


@dataclass(frozen=True)
class Plan:
    """The order of evaluation of a graph with its backward pass."""

    unfolding: Unfolding
    inference: Inference
    order: tuple[str, ...]
    """Nodes that can be evaluated: by phase, then rank (longest way from a source), then id."""
    phases: Mapping[str, int]
    head: int
    """How many of them are evaluated for each sample pass; the others once an update."""
    loop: bool
    """Whether an update is a loop over its samples (a node accumulates)."""

    @property
    def graph(self) -> Graph:
        """The graph that is evaluated."""
        return self.unfolding.graph

    @cached_property
    def hits(self) -> str | tuple[str, str, float] | None:
        """What accuracy is counted from, see `hit_source`."""
        return hit_source(self)


def plan(graph: Graph, *, strict: bool = True) -> Plan:
    """Return the plan of a graph.

    With `strict` the first problem is raised; without it the nodes that cannot be evaluated
    are left out, and `inference.problems` has the reasons.
    """
    with uncollected():
        unfolding = evaluated(graph, strict=strict)
        whole, inference = unfolding.graph, unfolding.inference
        bad = {*inference.problems, *inference.waiting}
        nodes = tuple(key for key in whole.nodes if key not in bad)
        kept = set(nodes)
        edges = tuple(
            (w.source, w.target)
            for w in whole.wires
            if w.source in kept and w.target in kept and not whole.feeds_back(w)
        )
        rank = _ranks(nodes, edges)
        by_rank = tuple(rank)
        phases = _phases(whole, by_rank, unfolding.cost)
        tail = _after_accumulate(whole, by_rank)
        # Neither stage nor phase nor rank ever falls along a wire: sorting keeps the order
        # topological.
        order = tuple(sorted(rank, key=lambda key: (key in tail, phases[key], rank[key], key)))
        return Plan(unfolding, inference, order, phases, len(order) - len(tail), bool(tail))


@lru_cache(maxsize=16)
def _ranks(nodes: tuple[str, ...], edges: tuple[tuple[str, str], ...]) -> Mapping[str, int]:
    """Return each node's longest way from a source, in topological order. Cached by structure."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return {
        key: number
        for number, layer in enumerate(nx.topological_generations(graph))
        for key in layer
    }


def _phases(graph: Graph, order: tuple[str, ...], cost: str | None) -> dict[str, int]:
    """Return each node's phase: backward begins at the backward family, update at an update.

    Arithmetic that only a later phase wants (the error before the first δ) belongs to it,
    unless the cost is made of it.
    """
    of_cost = graph.upstream([cost.rpartition(".")[0]] if cost else [])
    found: dict[str, int] = {}
    for key in order:
        family = graph.type_of(key).family
        own = BACKWARD if family == "backward" else UPDATE if family == "update" else FORWARD
        # What feeds a source is a feedback wire: it comes from the update before.
        before = graph.into(key) if family != "source" else ()
        found[key] = max([own, *(found[w.source] for w in before if w.source in found)])
    for key in reversed(order):
        type_ = graph.type_of(key)
        if key not in of_cost and (type_.family == "arithmetic" or type_.name == "error"):
            after = [found[w.target] for w in graph.out_of(key) if w.target in found]
            if after:
                found[key] = max(found[key], min(after))
    return found


def _after_accumulate(graph: Graph, order: tuple[str, ...]) -> set[str]:
    """Return the nodes that come once an update: all that depends on an accumulated total."""
    looping = {
        wire.target
        for wire in graph.wires
        if graph.nodes[wire.target].type == "accumulate" and wire.input == "previous"
    }
    if not looping:
        return set()
    tail: set[str] = set()
    for key in order:
        if any(
            (w.source in looping or w.source in tail) and not graph.feeds_back(w)
            for w in graph.into(key)
        ):
            tail.add(key)
    # What only the once-an-update part wants waits for it too (constants need no evaluation).
    return tail


def hit_source(plan: Plan) -> str | tuple[str, str, float] | None:
    """Return what accuracy is counted from: an accuracy node, or output and target of the cost.

    Without an accuracy node, hits are counted where the target is a class: the threshold of a
    single output lies halfway between its two targets.
    """
    graph, shapes = plan.graph, plan.inference.shapes
    for key in plan.order:
        if graph.nodes[key].type == "accuracy" and shapes[f"{key}.value"].batch:
            return f"{key}.value"
    for key in reversed(plan.order):
        inputs = graph.inputs(key)
        if graph.nodes[key].type not in (
            "squared_error",
            "cross_entropy",
            "categorical_cross_entropy",
            "error",
        ):
            continue
        a, y = inputs["a"][0], inputs["y"][0]
        table = plan.inference.tables.get(y.source)
        if table is None or y.output != "y" or not shapes[a.start].batch:
            continue
        values = np.unique(table.y[:2000])
        if table.classes or len(values) == 2:
            threshold = 0.5 if table.y.shape[1] > 1 else float(values.mean())
            return a.start, y.start, threshold
    return None
