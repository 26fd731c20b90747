"""Which wire of a backward pass is not where the layer that it belongs to would have it.

Asked where the check has found a gradient wrong: a pass that goes another way on purpose, such as
feedback through weights of its own, is no mistake before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nodeflow.derive.wired import Features
from nodeflow.graph import Graph
from nodeflow.nodes.backward import DELTA
from nodeflow.nodes.cost import error
from nodeflow.shape import Shape

_BLAME = "blame"
"""The port into which the blame of an activation goes."""


def miswired(
    written: Graph,
    graph: Graph,
    shapes: Mapping[str, Shape],
    gradients: Mapping[str, str],
    address: str,
) -> str:
    """Return what is wired wrongly where the gradient of an output comes from, or "".

    `gradients` are those of all outputs of the graph that is evaluated, by address. One sentence
    names the nodes as they were `written`, and the wire that is right or what stands in its place.
    """
    return next(_Pass(written, graph, shapes, gradients).departures(address), "")


def misjudged(graph: Graph, shapes: Mapping[str, Shape]) -> str:
    """Return how an error compares something else than what the cost judges, or "".

    It is a last guess, for gradients that are wrong though each wire is in its place.
    """
    features = Features(graph, shapes)

    def compared(key: str) -> tuple[str, ...]:
        return tuple(
            wire.start for port in ("a", "y") for wire in graph.inputs(key).get(port, ())[:1]
        )

    parameters = set(graph.parameters)
    for key in graph.of_type(error.name):
        found = compared(key)
        if len(found) == 2 and not all(
            parameters.isdisjoint(graph.upstream([wire.source])) for wire in graph.inputs(key)["y"]
        ):
            return f"'{key}' takes {found[1]} for the targets, and that depends on the weights"
    errors = graph.of_type(error.name)
    judges = [key for key in graph.where(lambda type_: type_.judges) if key not in errors]
    pairs = {key: [features.of(start) for start in compared(key)] for key in (*errors, *judges)}
    astray = [key for key in errors if pairs[key] not in [pairs[judge] for judge in judges]]
    unmet = [key for key in judges if pairs[key] not in [pairs[one] for one in errors]]
    if len(astray) != 1 or len(unmet) != 1:
        return ""
    return (
        f"'{astray[0]}' compares {' with '.join(compared(astray[0]))}, and '{unmet[0]}' judges "
        f"{' by '.join(compared(unmet[0]))}: both have to take the same"
    )


class _Pass:
    """A backward pass beside the layers that it goes back through."""

    def __init__(
        self,
        written: Graph,
        graph: Graph,
        shapes: Mapping[str, Shape],
        gradients: Mapping[str, str],
    ) -> None:
        self.written, self.graph, self.gradients = written, graph, gradients
        self.features = Features(graph, shapes)

    def departures(self, address: str) -> Iterator[str]:
        key, start = address.rpartition(".")[0], self.gradients[address]
        maker = self._maker(start)
        if maker is None:
            return
        kind = self.graph.nodes[maker].kind
        if key not in self.graph.upstream(self.graph.of_family("cost")):
            yield f"no cost depends on '{key}': lead {address} onward"
        if self.graph.nodes[key].is_parameter:
            if kind.takes_delta:
                yield from self._gradient(key, maker)
            elif kind.family in ("source", "layer", "activation"):
                yield (
                    f"the gradient of '{key}' is taken from {self._output(maker)}: it is made of "
                    "the δ of its layer and of what that weighs"
                )
        elif kind.gives_delta:
            yield from self._slope(maker)
        elif self.graph.nodes[key].family == "activation":
            yield from self._blame(key, maker, start)

    def _maker(self, start: str) -> str | None:
        """Return the node that a gradient comes from, behind what averages, adds or picks it."""
        key = start.rpartition(".")[0]
        while key in self.graph.nodes:
            kind, inputs = self.graph.nodes[key].kind, self.graph.inputs(key)
            goes_on = kind.averages or kind.accumulates or kind.picks
            port = kind.inputs[0].name if goes_on else kind.passes
            if not port or port not in inputs:
                return key
            key = inputs[port][0].source
        return None

    def _gradient(self, theta: str, maker: str) -> Iterator[str]:
        """Tell what is wrong with what a gradient, or a step, is made of."""
        graph = self.graph
        layers = [w for w in graph.out_of(theta) if graph.nodes[w.target].is_layer]
        if len(layers) != 1:
            return
        layer, inputs = layers[0].target, graph.inputs(maker)
        if layers[0].input == "weights" and "a" in inputs and "a" in graph.inputs(layer):
            taken, weighed = (self._all(key, "a") for key in (maker, layer))
            if taken and weighed and taken != weighed:
                name = self._name(maker)
                yield (
                    f"'{name}' takes {self._named(maker, 'a')}, and '{layer}' weighs "
                    f"{self._named(layer, 'a')}: wire that into {name}.a"
                )
        if DELTA in inputs:
            yield from self._takes_delta_of(layer, maker, f"'{theta}' belongs to '{layer}'")

    def _takes_delta_of(self, layer: str, maker: str, since: str) -> Iterator[str]:
        """Tell what is wrong with a δ, if it is that of another layer, or none."""
        graph, taken = self.graph, self.graph.inputs(maker)[DELTA][0].start
        own, maker = self.gradients.get(self._output(layer)), self._name(maker)
        source = self._source(taken)
        kind, after = graph.nodes[source].kind, self._activation(layer)
        if own is not None:
            # An error that is scaled is not another one.
            is_its = self._source(own) in graph.upstream([source])
            if self.features.of(own) != self.features.of(taken) and not is_its:
                yield (
                    f"'{maker}' takes {taken} for δ, and {since}, whose δ is {own}: wire "
                    f"{own} -> {maker}.{DELTA}"
                )
            return
        if after is None:
            return
        if self._is_blame(source):
            yield (
                f"'{maker}' takes {taken} for δ, and that is the blame of '{after}': a delta "
                "between them multiplies it by the slope"
            )
        elif kind.gives_delta:
            yield from self._of_other_activation(source, after)

    def _of_other_activation(self, delta: str, after: str) -> Iterator[str]:
        inputs, output = self.graph.inputs(delta), self._output(after)
        if {"a", _BLAME} <= inputs.keys() and self.features.of(
            inputs["a"][0].start
        ) != self.features.of(output):
            where = f"wire {output} -> {delta}.a"
            if inputs[_BLAME][0].start == output:
                where = "its inputs blame and a are swapped"
            yield (
                f"'{delta}' takes {inputs['a'][0].start} for a, and the slope is that of "
                f"'{after}': {where}"
            )

    def _slope(self, delta: str) -> Iterator[str]:
        """Tell what is wrong with a δ: the slope of another activation, or of none."""
        graph, inputs = self.graph, self.graph.inputs(delta)
        if "a" not in inputs:
            return
        source = inputs["a"][0].source
        if graph.nodes[source].is_layer and (after := self._activation(source)):
            yield from self._of_other_activation(delta, after)
        kinds = {graph.nodes[key].type for key, _ in self._owners(inputs["a"][0].start)
                 if graph.nodes[key].family == "activation"}  # fmt: skip
        chosen = graph.settings(delta).get("activation")
        if len(kinds) == 1 and chosen not in (None, *kinds):
            (kind,) = kinds
            yield (
                f"'{delta}' has the slope of {chosen}, and '{source}' is of type {kind}: set its "
                f"activation to {kind}"
            )

    def _blame(self, activation: str, maker: str, start: str) -> Iterator[str]:
        """Tell what is wrong with the blame of an activation that one layer reads."""
        graph = self.graph
        readers = [w.target for w in graph.out_of(activation)
                   if graph.nodes[w.target].family in ("layer", "activation", "arithmetic", "cost")
                   and not graph.nodes[w.target].kind.measures]  # fmt: skip
        own = [
            key
            for key in graph.of_type(error.name)
            if self._all(key, "a") == self.features.of(self._output(activation))
        ]
        if len(own) == 1 and own[0] not in graph.upstream([maker]):
            yield (
                f"{start} is taken for the blame of '{activation}', whose error is "
                f"{self._output(own[0])}: wire that in its place"
            )
        if len(readers) > 1:
            yield from self._parts_of_blame(activation, readers, start)
        if len(readers) != 1 or not graph.nodes[readers[0]].is_layer:
            return
        layer, kind, inputs = readers[0], graph.nodes[maker].kind, graph.inputs(maker)
        theta = next((w.start for w in graph.inputs(layer).get("weights", ())), "")
        if not kind.sends_back:
            if kind.family != "arithmetic":
                yield (
                    f"{start} is taken for the blame of '{activation}', which '{layer}' reads: "
                    f"wire blame between them, with the δ of '{layer}' and its weights"
                )
            return
        back = next((w.start for w in inputs.get("weights", ())), "")
        if back and theta and self.features.of(back) != self.features.of(theta):
            yield (
                f"'{maker}' sends δ back through {back}, and '{layer}' weighs with {theta}: "
                f"wire {theta} -> {maker}.weights"
            )
        elif DELTA in inputs:
            yield from self._takes_delta_of(layer, maker, f"its weights are those of '{layer}'")

    def _parts_of_blame(self, output: str, readers: list[str], start: str) -> Iterator[str]:
        """Tell whose part of the blame is missing, of a value that several layers read."""
        graph, ahead = self.graph, [start.rpartition(".")[0]]
        through = set[str]()
        for key in ahead:  # grows on the way
            node = graph.nodes[key]
            if node.kind.sends_back:
                through |= {wire.start for wire in graph.inputs(key).get("weights", ())}
            elif node.family == "arithmetic":
                ahead += [wire.source for wire in graph.into(key) if wire.source not in ahead]
        for layer in readers if through else ():
            theta = [wire.start for wire in graph.inputs(layer).get("weights", ())]
            if theta and theta[0] not in through:
                yield (
                    f"what '{output}' is blamed for lacks the part of '{layer}', which reads it, "
                    f"too: add a blame of the δ of '{layer}' and {theta[0]}"
                )

    # -- what is where

    def _name(self, key: str) -> str:
        """Return what a node is called in the graph that was written: a step's parts are its."""
        return key if key in self.written.nodes else key.rpartition(".")[0]

    def _all(self, key: str, port: str) -> list[tuple[str, int]]:
        """Return whose features enter a port, in order; [] where one is not known."""
        parts = [self.features.of(wire.start) for wire in self.graph.inputs(key).get(port, ())]
        return [one for part in parts for one in part] if all(parts) else []

    def _owners(self, start: str) -> list[tuple[str, int]]:
        return [(address.rpartition(".")[0], place) for address, place in self.features.of(start)]

    def _named(self, key: str, port: str) -> str:
        return ", ".join(wire.start for wire in self.graph.inputs(key)[port])

    def _output(self, key: str) -> str:
        return f"{key}.{self.graph.type_of(key).outputs[0].name}"

    def _source(self, start: str) -> str:
        return self._maker(start) or start.rpartition(".")[0]

    def _is_blame(self, key: str) -> bool:
        """Return whether a value is blame, also a part of it, or all of it added up."""
        node = self.graph.nodes[key]
        if node.family != "arithmetic":
            return node.kind.sends_back
        before = [wire.source for wire in self.graph.into(key)]
        return bool(before) and all(map(self._is_blame, before))

    def _activation(self, layer: str) -> str | None:
        found = [w.target for w in self.graph.out_of(layer)
                 if self.graph.nodes[w.target].family == "activation"]  # fmt: skip
        return found[0] if len(found) == 1 else None


__all__ = ["misjudged", "miswired"]
