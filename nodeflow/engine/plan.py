"""The plan: which nodes are evaluated, in which order, in which phase."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from nodeflow.derive.evaluated import Unfolding, evaluated
from nodeflow.derive.logits import Logits, logits
from nodeflow.derive.phases import UPDATE
from nodeflow.derive.phases import phases as phases_of
from nodeflow.derive.shapes import Inference
from nodeflow.garbage import collection_paused
from nodeflow.graph import Graph, ranks


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
    def without_updates(self) -> int:
        """How many nodes give all gradients: those before the first update, seldom some after it.

        In a wired backward pass a gradient may hang on an update: see `updated_before`.
        """
        places = {key: place for place, key in enumerate(self.order)}
        updates = (place for key, place in places.items() if self.phases[key] == UPDATE)
        ends = (address.rpartition(".")[0] for address in self.unfolding.gradients.values())
        first = min(updates, default=len(self.order))
        return max(first, *(1 + places.get(end, -1) for end in ends), 0)

    def updated_before(self, key: str) -> list[str]:
        """Return the updates whose new weights a node computes with, in the same update."""
        if self.phases.get(key) != UPDATE:
            return []
        return sorted((self.graph.upstream([key]) - {key}).intersection(self._updates))

    @cached_property
    def _updates(self) -> frozenset[str]:
        """The nodes that give a parameter's next value."""
        return frozenset(self.graph.updates)

    @cached_property
    def _carried(self) -> list[str]:
        """The nodes whose values go into the next pass or update."""
        onward = {*self._updates, *self.graph.where(lambda type_: type_.accumulates)}
        return [key for key in self.order if key in onward]

    @cached_property
    def trained(self) -> frozenset[str]:
        """The training part: the nodes whose values an update or the cost depends on."""
        graph, ends = self.graph, list(self._carried)
        if self.unfolding.cost:
            ends.append(self.unfolding.cost.rpartition(".")[0])
        return graph.upstream(ends) if ends else frozenset(self.order)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The nodes whose values an update, the cost or the accuracy depends on."""
        graph, ends = self.graph, list(self._carried)
        if self.unfolding.cost:
            ends.append(self.unfolding.cost.rpartition(".")[0])
        hits = self.hits
        if isinstance(hits, str):
            ends.append(hits.rpartition(".")[0])
        elif hits is not None:
            ends += [address.rpartition(".")[0] for address in hits.addresses]
        if not ends:
            return frozenset(self.order)  # nothing is trained or judged: every value counts
        return graph.upstream(ends)

    @cached_property
    def logits(self) -> Mapping[str, Logits]:
        """Where the weighted sums are that a cost is computed from, where they are known."""
        found, planned = logits(self.graph, self.inference.shapes), set(self.order)
        return {key: known for key, known in found.items() if key in planned}

    def activation(self, key: str) -> str:
        """Return what a cost's z, from which it is computed, goes through; "" for other nodes."""
        known = self.logits.get(key)
        return "" if known is None else known.activation

    def formula(self, key: str) -> str:
        """Return the formula by which a node is computed."""
        type_, known = self.graph.type_of(key), self.activation(key)
        return type_.in_sums[known].formula if known else type_.formula

    def sums(self, key: str) -> Mapping[str, tuple[str, tuple[int, ...] | None]]:
        """Return the weighted sums that a cost is computed from: address and features, by name."""
        known = self.logits.get(key)
        return {} if known is None else known.named

    @cached_property
    def hits(self) -> str | Hits | None:
        """What accuracy is counted from, see `hit_source`."""
        return hit_source(self)


def plan(graph: Graph, *, strict: bool = True) -> Plan:
    """Return the plan of a graph.

    With `strict` the first problem is raised; without it the nodes that cannot be evaluated
    are left out, and `inference.problems` has the reasons.
    """
    with collection_paused():
        unfolding = evaluated(graph, strict=strict)
        whole, inference = unfolding.graph, unfolding.inference
        bad = {*inference.problems, *inference.waiting}
        rank = whole.ranks_in_any_order if not bad else _ranks_without(whole, bad)
        by_rank = tuple(rank)
        cost = [unfolding.cost.rpartition(".")[0]] if unfolding.cost else []
        phases = phases_of(whole, by_rank, cost)
        tail = _after_accumulate(whole, by_rank)
        # Neither stage nor phase nor rank ever falls along a wire: sorting keeps the order
        # topological.
        together: dict[int, list[str]] = {}
        above = 1 + max(rank.values(), default=0)
        for key, at in rank.items():
            place = phases[key] * above + at
            if key in tail:
                place += (UPDATE + 1) * above
            there = together.get(place)
            if there is None:
                together[place] = [key]
            else:
                there.append(key)
        order = tuple(chain.from_iterable(sorted(together[place]) for place in sorted(together)))
        return Plan(unfolding, inference, order, phases, len(order) - len(tail), bool(tail))


def _ranks_without(graph: Graph, bad: Collection[str]) -> Mapping[str, int]:
    """Return the ranks of the nodes that can be evaluated."""
    bad = set(bad)
    spoilt = list(bad)
    for key in spoilt:  # a wrong wire back is found when shapes are known: what is behind goes too
        for wire in graph.out_of(key):
            if wire.target not in bad and not graph.feeds_back(wire):
                bad.add(wire.target)
                spoilt.append(wire.target)
    kept = [key for key in graph.nodes if key not in bad]
    onward = {
        key: [
            w.target for w in graph.out_of(key) if w.target not in bad and not graph.feeds_back(w)
        ]
        for key in kept
    }
    return ranks(kept, onward)


def _after_accumulate(graph: Graph, order: tuple[str, ...]) -> set[str]:
    """Return the nodes that come once an update: all that depends on an accumulated total."""
    looping = {key for key in graph.where(lambda type_: type_.accumulates)
               if graph.type_of(key).feedback & graph.inputs(key).keys()}  # fmt: skip
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


class Hits(NamedTuple):
    """What accuracy is counted from: outputs side by side, and the target of all."""

    outputs: tuple[str, ...]
    target: str
    threshold: float

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses that are read."""
        return *self.outputs, self.target


def hit_source(plan: Plan) -> str | Hits | None:
    """Return what accuracy is counted from: an accuracy node, or output and target of the cost.

    Without an accuracy node, hits are counted where the target is a class: the threshold of a
    single output lies halfway between its two targets. Outputs that are compared one by one, each
    with its own feature of the target, are judged together.
    """
    graph, shapes = plan.graph, plan.inference.shapes
    counted = set(graph.where(lambda type_: type_.counts_hits))
    compared = set(graph.where(lambda type_: type_.judges))
    for key in plan.order if counted else ():
        if key in counted and shapes[f"{key}.value"].batch:
            return f"{key}.value"
    singles: dict[str, dict[int, str]] = {}
    """Outputs that are compared with one feature of a target, by the target and the feature."""
    for key in reversed(plan.order) if compared else ():
        if key not in compared:
            continue
        inputs = graph.inputs(key)
        a, y = inputs["a"][0], inputs["y"][0]
        if not shapes[a.start].batch:
            continue
        if picks := graph.type_of(y.source).picks:
            index = graph.settings(y.source)[picks]
            (picked,) = graph.inputs(y.source)["a"]
            if isinstance(index, int):
                singles.setdefault(picked.start, {}).setdefault(index, a.start)
            continue
        threshold = _threshold(plan, y.start)
        if threshold is not None:
            return Hits((a.start,), y.start, threshold)
    for target, outputs in singles.items():
        threshold = _threshold(plan, target)
        if threshold is not None and len(outputs) == shapes[target].features:
            return Hits(tuple(outputs[index] for index in sorted(outputs)), target, threshold)
    return None


def _threshold(plan: Plan, target: str) -> float | None:
    """Return what an output that is alone must reach; None where the target is no class."""
    source, _, port = target.rpartition(".")
    table = plan.inference.tables.get(source)
    if table is None or port != "y":
        return None
    values = set(table.y[:2000].ravel().tolist())
    if not table.classes and len(values) != 2:
        return None
    return 0.5 if table.y.shape[1] > 1 else sum(values) / 2
