"""A small graph for each node type, to be seen at work."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import nodeflow as nf
from nodeflow.declare import CATALOG, NodeType, Output, Port
from nodeflow.derive.tidy import tidy
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph

_VALUES: tuple[Any, ...] = (
    [[1.0, -0.5, 2.0]], [[0.5, -1.0, 0.25], [1.0, 0.5, -0.75]], [[0.0, 1.0, 0.0]], [0.5, -1.5, 1.0],
    0.5,
)  # fmt: skip
"""What constants hold where nothing better is known of a type's inputs."""


@cache
def example(name: str) -> Graph:
    """Return a small graph that has a node of a type and can be run."""
    type_ = CATALOG[name]
    for graph in _candidates(type_):
        if graph.of_type(name) and _runs(graph):
            return tidy(graph)
    raise LookupError(f"there is no example of {name}: write one in website/examples.py")


def _runs(graph: Graph) -> bool:
    try:
        run = nf.Run(graph)
        run.advance("update")
    except NodeflowError:
        return False
    return bool(run.order)


def _candidates(type_: NodeType) -> Iterator[Graph]:
    own = _OWN.get(type_.name) or _BY_FAMILY.get(type_.family)
    if own is not None:
        yield own(type_)
    yield from _unfolded()
    yield from _direct(type_)
    yield from _shown(type_)


def _named(graph: Graph, type_: NodeType) -> Graph:
    from dataclasses import replace

    return replace(graph, name=type_.name, about=type_.help.partition("\n")[0])


# --- by family --------------------------------------------------------------------------------


def _input() -> Output:
    return nf.constant([[1.5, -0.5]], id="x")


def _sum(rows: int = 1) -> Output:
    weights = [[0.8, 0.4], [-0.3, 0.9], [0.5, -1.0]][:rows]
    return nf.weighted_sum(_input(), nf.parameter(weights, id="w"), id="sum")


def _activation(type_: NodeType) -> Graph:
    many = type_.name == "softmax"
    a = type_(_sum(3 if many else 1), id=type_.name)
    y = nf.constant([[0.0, 1.0, 0.0]] if many else [[0.5]], id="y")
    cost = (nf.categorical_cross_entropy if many else nf.squared_error)(a, y, id="cost")
    return _trained(cost, type_)


def _trained(cost: Output, type_: NodeType, *others: Any) -> Graph:
    trainer = nf.gradient_descent(cost, rate=0.1, id="train")
    return _named(Graph.of(trainer, *others), type_)


def _arithmetic(type_: NodeType) -> Graph:
    p = nf.parameter([0.5, 1.5, 2.0], id="p")
    q = nf.parameter([2.0, 0.25, 1.0], id="q")
    several = any(port.many for port in type_.inputs) or len(type_.inputs) == 2
    value = type_(p, q, id=type_.name) if several else type_(p, id=type_.name)
    total = value if type_.name in ("sum", "mean", "pick") else nf.mean(value, id="whole")
    return _trained(nf.squared_error(total, nf.constant(1.0, id="y"), id="cost"), type_)


def _cost(type_: NodeType) -> Graph:
    many = type_.name == "categorical_cross_entropy"
    z = _sum(3 if many else 1)
    a = nf.softmax(z, id="output") if many else nf.sigmoid(z, id="output")
    y = nf.constant([[0.0, 1.0, 0.0]] if many else [[1.0]], id="y")
    return _trained(type_(a, y, id=type_.name), type_)


def _measure(type_: NodeType) -> Graph:
    """Return a graph with an error, an accuracy or a margin beside the cost that trains."""
    a = nf.sigmoid(_sum(3), id="output")
    y = nf.constant([[0.0, 1.0, 0.0]], id="y")
    cost = nf.squared_error(a, y, id="cost")
    return _trained(cost, type_, nf.panel(type_(a, y, id=type_.name), id="shown"))


def _penalty(type_: NodeType) -> Graph:
    w = nf.parameter([[0.8, 0.4]], id="w")
    z = nf.weighted_sum(_input(), w, id="sum")
    fit = nf.squared_error(z, nf.constant([[0.5]], id="y"), id="fit")
    return _trained(nf.add(fit, type_(w, id=type_.name), id="cost"), type_)


def _trainer(type_: NodeType) -> Graph:
    a = nf.sigmoid(_sum(), id="output")
    cost = nf.squared_error(a, nf.constant([[0.9]], id="y"), id="cost")
    return _named(Graph.of(type_(cost, id=type_.name)), type_)


def _layer(type_: NodeType) -> Graph:
    z = type_(_input(), nf.parameter([[0.8, 0.4], [-0.3, 0.9]], id="w"),
              nf.parameter([0.1, -0.2], id="b"), id=type_.name)  # fmt: skip
    cost = nf.squared_error(z, nf.constant([[0.5, -0.5]], id="y"), id="cost")
    return _trained(cost, type_)


def _source(type_: NodeType) -> Graph:
    if type_.name == "dataset":
        x, y = nf.dataset("xor", id="dataset")
        a = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(1, 2), id="w"), id="sum"), id="a")
        return _trained(nf.squared_error(a, y, id="cost"), type_)
    given = {"constant": [[1.5]], "slider": 0.5, "parameter": [[0.8]]}[type_.name]
    own = type_(given, id=type_.name)
    if type_.name == "parameter":
        z = nf.weighted_sum(nf.constant([[1.5]], id="x"), own, id="sum")
    else:
        z = nf.multiply(own, nf.parameter(0.8, id="w"), id="product")
    return _trained(nf.squared_error(z, nf.constant([[0.5]], id="y"), id="cost"), type_)


def _expression(type_: NodeType) -> Graph:
    value = type_(w=nf.parameter(0.8, id="w"), x=nf.constant(1.5, id="x"),
                  formula="(w*x - 0.5)^2", id=type_.name)  # fmt: skip
    return _named(Graph.of(nf.gradient_descent(nf.sum(value, id="cost"), id="train")), type_)


_BY_FAMILY = {
    "activation": _activation,
    "arithmetic": _arithmetic,
    "cost": _cost,
    "trainer": _trainer,
    "layer": _layer,
    "source": _source,
}
_OWN = {
    "accuracy": _measure,
    "error": _measure,
    "margin": _measure,
    "l2_penalty": _penalty,
    "expression": _expression,
}


# --- where the type comes from another one ------------------------------------------------------


@cache
def _all_unfolded() -> tuple[Graph, ...]:
    """Return the backward passes of the examples of other families, small ones first."""
    found = []
    for name in CATALOG:
        type_ = CATALOG[name]
        maker = _OWN.get(name) or _BY_FAMILY.get(type_.family)
        if maker is None:
            continue
        try:
            found.append(nf.unfold(maker(type_)))
        except NodeflowError:
            continue
    hidden = nf.sigmoid(_sum(2), id="hidden")
    z = nf.weighted_sum(hidden, nf.parameter([[0.7, -0.6]], id="w2"), id="sum2")
    cost = nf.cross_entropy(nf.sigmoid(z, id="output"), nf.constant([[1.0]], id="y"), id="cost")
    found.append(nf.unfold(Graph.of(nf.gradient_descent(cost, id="train"), name="two layers")))
    # A cost of an activation that it does not know in z.
    for cost_of in (nf.cross_entropy, nf.categorical_cross_entropy, nf.margin):
        a = nf.divide(nf.add(_sum(3), 2.0, id="more"), 4.0, id="a")
        y = nf.constant([[0.0, 1.0, 0.0]], id="y")
        try:
            found.append(nf.unfold(Graph.of(nf.gradient_descent(cost_of(a, y, id="cost")))))
        except NodeflowError:
            continue
    return tuple(sorted(found, key=lambda graph: len(graph.nodes)))


def _unfolded() -> Iterator[Graph]:
    yield from _all_unfolded()
    for graph in nf.examples.samples():
        if graph.startswith(("lessons/", "twins/")):
            continue
        found = nf.sample(graph)
        if len(found.nodes) <= 24:
            yield found


def _direct(type_: NodeType) -> Iterator[Graph]:
    """Yield graphs in which constants feed a node, their shapes tried one after the other."""
    for values in product(_VALUES, repeat=len(type_.inputs)):
        wires = {
            port.name: nf.constant(value, id=_id(port))
            for port, value in zip(type_.inputs, values, strict=True)
        }
        try:
            made = type_(**wires, id=type_.name)
            outputs = made if isinstance(made, tuple) else (made,)
            ends = [
                nf.panel(each, id=f"shown{at or ''}") if isinstance(each, Output) else each
                for at, each in enumerate(outputs)
            ]
            yield _named(Graph.of(*ends), type_)
        except NodeflowError:
            continue


def _id(port: Port) -> str:
    return f"{port.name}_in" if port.name in CATALOG else port.name


def _shown(type_: NodeType) -> Iterator[Graph]:
    """Yield the graphs that come with nodeflow, whatever their size."""
    for name in sorted(nf.examples.samples()):
        graph = nf.sample(name)
        if graph.of_type(type_.name):
            yield graph
