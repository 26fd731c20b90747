"""A `step` as what it stands for: gradient, average and update; and rates that a graph gives.

The three are evaluated in its place, as the unfolded backward pass is in the place of a trainer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph, Node, Wire, in_order
from nodeflow.nodes.backward import average, bias_gradient, weight_gradient
from nodeflow.nodes.source import constant
from nodeflow.nodes.update import step, weight_update

RATE = "rate"
"""What the constant is called that holds the graph's own learning rate."""


def without_rate(graph: Graph) -> list[str]:
    """Return the updates that nothing is wired into for a rate: theirs is the graph's."""
    return [key for key in graph.updates if "rate" not in graph.inputs(key)]


def spelled_out(graph: Graph, *, apart_from: Collection[str] = ()) -> Graph:
    """Return the graph as it is evaluated: steps as three nodes, rates as wires.

    `apart_from` names nodes that stay as they are, since they cannot be evaluated.
    """
    bare = [key for key in without_rate(graph) if key not in apart_from]
    steps = [key for key in graph.of_type(step.name) if key not in apart_from]
    if bare and graph.training.rate is not None:
        name = free_name(graph.nodes, RATE)
        wires = [Wire(name, "value", key, "rate") for key in bare]
        rate = Node(constant.name, {"value": graph.training.rate})
        graph = replace(
            graph,
            nodes=dict(sorted({**graph.nodes, name: rate}.items())),
            wires=(*graph.wires, *wires),
        )
    return _with_parts(graph, steps) if steps else graph


def explode_steps(graph: Graph, steps: Iterable[str]) -> Graph:
    """Return the graph with steps as their three nodes; the update keeps the step's id."""
    chosen = list(steps)
    for key in chosen:
        for port in (MOVED, "delta"):
            if port not in graph.inputs(key):
                raise GraphError(
                    f"'{key}' cannot be exploded: nothing is wired into its input '{port}'",
                    node=key,
                )
    return _with_parts(graph, chosen)


def _with_parts(graph: Graph, steps: Iterable[str]) -> Graph:
    nodes, wires = dict(graph.nodes), list[Wire]()
    moved: set[Wire] = set()
    for key in steps:
        inputs = graph.inputs(key)
        gradient, mean = (free_name(nodes, f"{key}.{part}") for part in ("gradient", "average"))
        of_weights = bool(inputs.get("a"))
        nodes[gradient] = Node((weight_gradient if of_weights else bias_gradient).name)
        nodes[mean] = Node(average.name)
        nodes[key] = replace(graph.nodes[key], type=weight_update.name)
        for wire in graph.into(key):
            if wire.input in ("delta", "a"):
                moved.add(wire)
                wires.append(replace(wire, target=gradient))
        (parameter,) = inputs[MOVED]
        wires += [
            Wire(gradient, "gradient", mean, "total"),
            # With the weights the mean has their shape, also where the bias is a matrix of a row.
            Wire(parameter.source, parameter.output, mean, "weights"),
            Wire(mean, "gradient", key, "gradient"),
        ]
    return replace(
        graph,
        nodes=dict(sorted(nodes.items())),
        wires=in_order([*(w for w in graph.wires if w not in moved), *wires]),
    )


def collapse_step(graph: Graph, key: str) -> Graph | None:
    """Return the graph with gradient, average and update as one `step`; None where they are not.

    That is an update of the mean of a gradient, none of which anybody else reads.
    """
    chain = step_of(graph, key)
    if chain is None:
        return None
    gradient, mean = chain
    given = [replace(wire, target=key) for wire in graph.into(gradient)]
    node = replace(graph.nodes[key], type=step.name)
    base = graph.remove(gradient, mean)
    return replace(
        base,
        nodes={**base.nodes, key: node},
        wires=in_order([*base.wires, *given]),
    )


def step_of(graph: Graph, key: str) -> tuple[str, str] | None:
    """Return the gradient and the average of an update that a `step` could stand for."""
    if key not in graph.nodes or graph.nodes[key].kind is not weight_update:
        return None
    inputs = graph.inputs(key)
    if MOVED not in inputs or "gradient" not in inputs:
        return None
    mean = inputs["gradient"][0].source
    if graph.nodes[mean].kind is not average or len(graph.out_of(mean)) != 1:
        return None
    before = graph.inputs(mean)
    weights = before.get("weights", ())
    if "total" not in before or (weights and graph.settings(mean)["regularization"]):
        return None
    if weights and weights[0].start != inputs[MOVED][0].start:
        return None
    gradient = before["total"][0].source
    if graph.nodes[gradient].kind not in (weight_gradient, bias_gradient):
        return None
    modes = {graph.nodes[part].mode for part in (gradient, mean, key)}
    if len(graph.out_of(gradient)) != 1 or modes != {"active"}:
        return None
    return gradient, mean


def free_name(taken: Collection[str], name: str) -> str:
    """Return a name that no node has: the one asked for, or that with a number."""
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
