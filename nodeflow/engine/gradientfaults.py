"""Why a gradient is at fault, where the graph or the factor by which it is off tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nodeflow.derive.miswired import misjudged, miswired
from nodeflow.derive.silent import typed_rates
from nodeflow.engine.plan import Plan
from nodeflow.engine.verdicts import NodeCheck
from nodeflow.graph import Graph
from nodeflow.nodes.cost import error, squared_error

FACTOR = 1e-4
"""How near a factor comes to the number that explains it, relative to that."""
_BY_TWO = "squared_error without half has a 2"


def explained(
    written: Graph,
    plan: Plan,
    nodes: Mapping[str, NodeCheck],
    factors: Mapping[str, tuple[float | None, int]],
) -> dict[str, NodeCheck]:
    """Return the outcomes with why each is at fault, where the graph or the two numbers tell.

    What is told names the nodes of the graph as it was `written`.
    """
    graph, gradients = plan.graph, plan.unfolding.gradients
    at = {address.rpartition(".")[0]: address for address in gradients}
    owns = {key: graph.nodes[key].is_parameter for key in nodes}
    right = {own: all(one.status != "fault" for key, one in nodes.items() if owns[key] == own)
             for own in (True, False)}  # fmt: skip
    found = {}
    for key, one in nodes.items():
        factor, rows = factors[key]
        if one.status != "fault":
            found[key] = one
        elif not owns[key] and right[True] and factor and rows > 1 and is_near(factor, 1 / rows):
            # Divided by n at once, where others leave that to `average`: what is learnt is right.
            found[key] = replace(one, status="ok", relative_error=0.0)
        else:
            why = (
                _order(plan, gradients[at[key]])
                or _factor(graph, factor, rows, by_rows=owns[key] and right[False])
                or _slope_of_outputs(graph, at[key], gradients[at[key]])
                or miswired(written, graph, plan.inference.shapes, gradients, at[key])
            )
            found[key] = replace(one, reason=why or one.reason)
    bare = {key: one for key, one in found.items() if one.status == "fault"}
    if bare and not any(one.reason for one in bare.values()):
        why = misjudged(graph, plan.inference.shapes)
        found |= {key: replace(one, reason=why) for key, one in bare.items()}
    return found


def _slope_of_outputs(graph: Graph, address: str, gradient: str) -> str:
    """Return what is wrong with δ of the outputs: one slope too many, or none at all."""
    active = [w.target for w in graph.out_of(address.rpartition(".")[0])
              if graph.type_of(w.target).family == "activation"]  # fmt: skip
    costs = [graph.type_of(w.target) for key in active for w in graph.out_of(key)
             if graph.type_of(w.target).family == "cost" and w.output == "a"
             and graph.type_of(w.target).outputs[0].name == "cost"]  # fmt: skip
    source = gradient.rpartition(".")[0]
    if len(active) != 1 or len(costs) != 1 or source not in graph.nodes:
        return ""
    kind = graph.nodes[active[0]].type
    takes = graph.type_of(source).inputs[0].name if graph.type_of(source).inputs else ""
    before = graph.inputs(source).get(takes, ())
    takes_error = bool(before) and graph.nodes[before[0].source].kind is error
    if costs[0].natural == kind and graph.type_of(source).gives_delta and takes_error:
        return (
            f"behind {kind} e = a − y is ∂C/∂z of {costs[0].name} already: lead "
            f"'{before[0].source}' past '{source}'"
        )
    if costs[0].natural != kind and graph.nodes[source].kind is error:
        return f"e = a − y is ∂C/∂a: a delta with the slope of {kind} makes ∂C/∂z of it"
    return ""


def _order(plan: Plan, gradient: str) -> str:
    """Return why a gradient cannot be right, as far as the order of evaluation tells."""
    updates = plan.updated_before(gradient.rpartition(".")[0])
    if not updates:
        return ""
    return f"it is computed with weights that are updated already ({', '.join(updates)})"


def _factor(graph: Graph, factor: float | None, rows: int, *, by_rows: bool) -> str:
    """Return what a plain factor between a gradient and the slope is likely to come from.

    `by_rows` says that the slopes of all samples are right: then it comes from adding them up.
    """
    if factor is None:
        return ""

    def near(number: float) -> bool:
        return is_near(factor, number)

    halves = {graph.settings(key)["half"] for key in graph.of_type(squared_error.name)}
    many = few = ""
    if rows > 1 and near(rows):
        many = f"{rows} times the slope, as many as the batch has rows: `average` divides by n"
    if rows > 1 and near(1 / rows):
        few = f"1/{rows} of the slope: it is divided by the {rows} rows of the batch once too often"
    if by_rows and (many or few):
        return many or few
    if near(2) and True in halves:
        return f"twice the slope: {_BY_TWO}, with it has none"
    if near(0.5) and False in halves:
        return f"half the slope, which is twice the gradient: {_BY_TWO}"
    if any(rate and near(rate) for rate in typed_rates(graph).values()):
        return f"{factor:.4g} times the slope, as much as the rate: an update multiplies by it"
    if near(-1):
        return "the slope with the other sign: e = a − y, and an update takes αD away"
    if many or few:
        return many or few
    if near(2):
        return "twice the slope"
    if near(0.5):
        return "half the slope"
    for whole in range(3, 1001):
        if near(whole):
            return f"{whole} times the slope"
        if near(1 / whole):
            return f"1/{whole} of the slope"
    return ""


def is_near(factor: float, *numbers: float) -> bool:
    """Return whether a factor is one of these numbers, as far as differences can tell."""
    return any(abs(factor - number) <= FACTOR * abs(number) for number in numbers)
