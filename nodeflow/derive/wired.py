"""Where a backward pass that was wired by hand has its gradients."""

from __future__ import annotations

from contextlib import suppress

from nodeflow.derive.records import read_records
from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph, Wire


def gradients(graph: Graph) -> dict[str, str]:
    """Return where a graph's wired backward pass holds the gradient of each forward port.

    What a `weight_update` subtracts is the gradient of its parameter; a `delta` belongs to the
    weighted sum before its activation; otherwise the names that `unfold` gives tell.
    """
    return {**by_wires(graph), **by_updates(graph)}


def by_updates(graph: Graph) -> dict[str, str]:
    """Return the gradient of each parameter that is updated."""
    found: dict[str, str] = {}
    for key in graph.where(lambda type_: type_.descends):
        inputs = graph.inputs(key)
        if MOVED in inputs and "gradient" in inputs:
            start, owner = inputs[MOVED][0].start, inputs[MOVED][0].source
            # A parameter that is not trained is a memory (a velocity, a time), not a weight.
            if graph.nodes[owner].is_parameter and graph.settings(owner)["trainable"]:
                found.setdefault(start, _mean_gradient(graph, key))
    return found


def by_wires(graph: Graph) -> dict[str, str]:
    """Return the gradients of other ports, from wires and names."""
    found: dict[str, str] = {}
    made: set[str] = set()
    with suppress(GraphError):  # a record that cannot be read tells nothing
        made = {name for record in read_records(graph).values() for name in record.made}
    for key in graph.where(lambda type_: type_.gives_delta):
        inputs = graph.inputs(key)
        if "a" in inputs:
            activation = inputs["a"][0].source
            before = graph.inputs(activation).get("z", ())
            if before and _reads_alone(graph, before[0]):
                found.setdefault(before[0].start, f"{key}.delta")
            if "blame" in inputs:
                found.setdefault(inputs["a"][0].start, inputs["blame"][0].start)
    for key, node in graph.nodes.items():
        owner, _, word = key.rpartition(".")
        if word in ("delta", "blame") and owner in graph.nodes and node.known and owner not in made:
            type_ = graph.nodes[owner].known
            if type_ is None or not type_.outputs or not node.known.outputs:
                continue
            start = f"{owner}.{type_.outputs[0].name}"
            if word == "blame" and type_.family == "layer":
                after = [
                    w.target
                    for w in graph.out_of(owner)
                    if (known := graph.nodes[w.target].known) and known.family == "activation"
                ]
                if len(after) != 1:
                    continue
                start = f"{after[0]}.a"
            found.setdefault(start, f"{key}.{node.known.outputs[0].name}")
    return found


def _reads_alone(graph: Graph, wire: Wire) -> bool:
    """Return whether the blame of a value comes from this reader alone, once a sample."""
    if graph.nodes[wire.source].is_parameter:
        return False
    families = ("layer", "activation", "arithmetic", "cost")
    others = (graph.nodes[w.target].known for w in graph.out_of(wire.source) if w != wire)
    return not any(known and known.family in families for known in others)


def _mean_gradient(graph: Graph, update: str) -> str:
    """Return ∂J/∂Θ under an update: its own input, or what stands before a running mean."""
    step = f"{graph.inputs(update)[MOVED][0].source}.step"
    wire = graph.inputs(update)["gradient"][0]
    while True:
        inputs = graph.inputs(wire.source)
        if graph.nodes[wire.source].kind.descends and "gradient" in inputs:
            wire = inputs["gradient"][0]  # of a velocity, or of Adam's running mean
        elif wire.source == step and "m" in inputs:
            wire = inputs["m"][0]
        else:
            return wire.start
