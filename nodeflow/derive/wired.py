"""Where a backward pass that was wired by hand has its gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from nodeflow.derive.implied import taken_for_delta
from nodeflow.derive.records import read_records
from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph, Wire
from nodeflow.nodes.cost import error
from nodeflow.shape import Shape


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


def by_wires(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, str]:
    """Return the gradients of other ports, from wires and names.

    A `delta`, or an error that is taken for δ, belongs to the weighted sums before the activations
    whose outputs it takes: of several, which are joined, each has its own where it is picked.
    """
    found: dict[str, str] = {}
    features = Features(graph, shapes)
    made: set[str] = set()
    with suppress(GraphError):  # a record that cannot be read tells nothing
        made = {name for record in read_records(graph).values() for name in record.made}
    slopes = [*graph.where(lambda type_: type_.gives_delta)]
    slopes += [key for key in graph.of_type(error.name) if taken_for_delta(graph, key)]
    for key in slopes:
        port = graph.type_of(key).outputs[0].name
        inputs = graph.inputs(key)
        if "a" not in inputs:
            continue
        for output, at in _own(graph, features, inputs["a"][0].start, f"{key}.{port}"):
            before = graph.inputs(output.rpartition(".")[0]).get("z", ())
            if before and _reads_alone(graph, before[0]):
                found.setdefault(before[0].start, at)
                for z, own in _own(graph, features, before[0].start, at):
                    found.setdefault(z, own)
        taken = inputs["a"][0]
        # A slope that is found from z, as that of ReLU can be, says nothing of the blame of z; nor
        # does one that is found from something else than an output.
        activated = any(
            wire.output == taken.output and graph.nodes[wire.target].family == "activation"
            for wire in graph.out_of(taken.source)
        )
        source = graph.nodes[taken.source]
        is_output = source.family not in ("cost", "backward") and not (
            source.is_layer and activated
        )
        if "blame" in inputs and is_output:
            found.setdefault(taken.start, inputs["blame"][0].start)
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


class Features:
    """Follows the features of a value back through what joins, picks or passes them on."""

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape]) -> None:
        self.graph, self.shapes = graph, shapes
        self._known: dict[str, list[tuple[str, int]]] = {}

    def of(self, address: str) -> list[tuple[str, int]]:
        """Return whose each feature is, and which one of it; [] where that is not known."""
        if address not in self._known:
            self._known[address] = []
            self._known[address] = self._found(address)
        return self._known[address]

    def _found(self, address: str) -> list[tuple[str, int]]:
        key = address.rpartition(".")[0]
        node, inputs = self.graph.nodes[key], self.graph.inputs(key)
        if node.passes in inputs and node.family != "activation":
            return self.of(inputs[node.passes][0].start)
        kind = node.kind
        if kind.joins in inputs:
            return [feature for wire in inputs[kind.joins] for feature in self.of(wire.start)]
        if kind.picks and kind.inputs[0].name in inputs:
            whole = self.of(inputs[kind.inputs[0].name][0].start)
            picked = kind.picked(self.graph.settings(key))
            there = all(-len(whole) <= i < len(whole) for i in picked)
            return [whole[i] for i in picked] if there else []
        shape = self.shapes.get(address)
        return [(address, i) for i in range((shape.features if shape is not None else 0) or 0)]


def _own(graph: Graph, features: Features, outputs: str, slope: str) -> Iterator[tuple[str, str]]:
    """Yield each output that a slope was made for, and where its own part of the slope is."""
    whole = features.of(outputs)
    places: dict[str, list[int]] = {}
    for place, (address, _) in enumerate(whole):
        places.setdefault(address, []).append(place)
    node, _, port = slope.rpartition(".")
    picks = {
        kind.picked(graph.settings(wire.target)): f"{wire.target}.{kind.outputs[0].name}"
        for wire in (graph.out_of(node) if len(places) > 1 else ())
        if wire.output == port and (kind := graph.nodes[wire.target].kind).picks
    }
    for address, there in places.items():
        # Some of its features alone, or in another order, are not its own.
        if [whole[place] for place in there] == features.of(address):
            own = slope if len(there) == len(whole) else picks.get(tuple(there))
            if own is not None:
                yield address, own


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
    memory = ""
    while True:
        inputs = graph.inputs(wire.source)
        if graph.nodes[wire.source].kind.descends and "gradient" in inputs:
            memory = next((w.source for w in inputs.get(MOVED, ())), "")
            wire = inputs["gradient"][0]  # of a velocity, or of Adam's running mean
        elif wire.source == step and "m" in inputs:
            wire = inputs["m"][0]
        else:
            return (_only_gradient(graph, wire, memory) if memory else "") or wire.start


def _only_gradient(graph: Graph, wire: Wire, memory: str) -> str:
    """Return the gradient that is worked into a memory: the arithmetic takes both of them.

    Arithmetic without the memory is part of the gradient itself.
    """
    found, queue, remembers = dict[str, None](), [wire], False
    for one in queue:  # grows on the way
        family = graph.nodes[one.source].family
        remembers |= one.source == memory
        if family == "backward":
            found[one.start] = None
        elif family == "arithmetic":
            queue += graph.into(one.source)
    return next(iter(found)) if remembers and len(found) == 1 else ""
