"""Where a graph's learning rate α stands: in its trainers, or at what its wired updates are fed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from nodeflow.declare import numbers
from nodeflow.derive.modes import resolve
from nodeflow.derive.steps import without_rate
from nodeflow.errors import BadSetting, GraphError
from nodeflow.graph import Graph


@dataclass(frozen=True, slots=True)
class Rate:
    """A setting that holds a learning rate."""

    node: str
    """"" for the graph's own, `training.rate`."""
    setting: str
    value: float | None
    """None where the graph's own is wanted and not given."""


def rates(graph: Graph) -> tuple[Rate, ...]:
    """Return the settings that hold the learning rates of a graph, sorted by node.

    These are `rate` of every trainer that has one, and the value of every constant or slider
    that feeds the rate of a wired `weight_update` or `step` of a trainable parameter, and the
    graph's own (`training.rate`) where an update has no wire for one. Updates of other
    parameters have other factors there: an unfolded Adam or momentum keeps its running means by
    such updates. Nodes that are disabled are left out; the way to a constant may lead through
    relays and bypassed nodes.
    """
    typed, _ = _found(graph)
    return typed


def with_rate(graph: Graph, rate: float, *, by: str = "with_rate") -> Graph:
    """Return the graph with another learning rate, in all its trainers and wired updates.

    Raises `BadSetting` for a rate that is none, and `GraphError` if the graph has none or works
    it out; `by` is who asked, as the sentence calls it.
    """
    typed, worked_out = _found(graph)
    if worked_out:
        source = worked_out[0]
        raise GraphError(
            f"{by} cannot replace the rate that '{source}' ({graph.nodes[source].type}) "
            "works out; change it in the graph",
            node=source,
        )
    if not typed:
        raise GraphError(f"{by} has nothing to replace: no trainer of the graph has a rate")
    for found in typed:
        if found.node:
            graph = graph.set(found.node, **{found.setting: rate})
        else:
            graph = replace(graph, training=replace(graph.training, rate=rate))
    if rate < 0:
        raise BadSetting(f"the learning rate must be a number from 0, not {rate:g}")
    return graph


def _found(graph: Graph) -> tuple[tuple[Rate, ...], tuple[str, ...]]:
    """Return the rates that are typed in, and the nodes that work one out."""
    with suppress(GraphError):  # a graph that cannot be resolved still has rates to type
        graph = resolve(graph)
    found = [
        Rate(key, "rate", graph.settings(key)["rate"])
        for key in graph.of_family("trainer")
        if "rate" in graph.settings(key)
    ]
    if without_rate(graph):
        found.append(Rate("", "rate", graph.training.rate))
    sources = {_source(graph, update) for update in graph.updates}
    worked_out = []
    for source in sorted(sources - {""}):
        if graph.nodes[source].is_typed:
            value = numbers(graph.settings(source)["value"])
            found.append(Rate(source, "value", float(value.ravel()[0])))
        else:
            worked_out.append(source)
    return tuple(sorted(found, key=lambda rate: rate.node)), tuple(worked_out)


def _source(graph: Graph, update: str) -> str:
    """Return the node that an update of a trainable parameter has its rate from, or ""."""
    trains = any(
        wire.input == "next"
        and graph.nodes[wire.target].is_parameter
        and graph.settings(wire.target)["trainable"]
        for wire in graph.out_of(update)
    )
    wires = graph.inputs(update).get("rate", ())
    if not trains or not wires:
        return ""
    source = wires[0].source
    while graph.nodes[source].passes and graph.into(source):
        source = graph.into(source)[0].source
    return source


__all__ = ["Rate", "rates", "with_rate"]
