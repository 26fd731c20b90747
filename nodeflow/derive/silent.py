"""What in a graph that was wired by hand computes in vain, and the wire that is missing.

None of it is an error: the graph runs, and learns nothing, or less than was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nodeflow.declare import numbers
from nodeflow.derive.modes import resolve
from nodeflow.derive.steps import without_rate
from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph


@dataclass(frozen=True)
class Finding:
    """Something that is computed in vain."""

    node: str
    text: str
    wire: str = ""
    """The wire that is missing, as a file has it; "" where a wire is not what would mend it."""

    @property
    def sentence(self) -> str:
        """Say it, and what would mend it."""
        return f"{self.text}: wire {self.wire}" if self.wire else self.text

    def as_dict(self) -> dict[str, str]:
        """Return it as `--json` shows it."""
        return {"node": self.node, "text": self.sentence, "wire": self.wire}


def silent(graph: Graph) -> tuple[Finding, ...]:
    """Return what computes in vain, sorted by node.

    An update whose value goes nowhere; a parameter that is not updated though its gradient is
    wired; `accumulate` without its own total; a rate of 0.
    """
    try:
        graph = resolve(graph)
    except GraphError:
        return ()  # it cannot run at all, and that is said elsewhere
    parts = (_updates, _parameters, _accumulated, _rates)
    found = [finding for part in parts for finding in part(graph)]
    return tuple(sorted(found, key=lambda finding: finding.node))


def missing_wires(graph: Graph) -> tuple[str, ...]:
    """Return the wires that `silent` misses, such as "w.update.value -> w.next"."""
    return tuple(finding.wire for finding in silent(graph) if finding.wire)


def _updates(graph: Graph) -> Iterator[Finding]:
    for key in graph.updates:
        onward = [wire for wire in graph.out_of(key)
                  if graph.type_of(wire.target).family != "view"]  # fmt: skip
        if onward:
            continue
        wires = graph.inputs(key).get(MOVED, ())
        theta = wires[0].source if wires else ""
        if not theta or not graph.nodes[theta].is_parameter:
            text = f"the new value of '{key}' goes nowhere: it has to feed the parameter's next"
            yield Finding(key, text)
        elif before := graph.inputs(theta).get("next", ()):
            text = (
                f"the new value of '{key}' goes nowhere, and '{theta}' takes its next value from "
                f"'{before[0].source}': remove one of the two"
            )
            yield Finding(key, text)
        else:
            text = f"the new value of '{key}' goes nowhere, so '{theta}' never changes"
            yield Finding(key, text, f"{key}.value -> {theta}.next")


def _parameters(graph: Graph) -> Iterator[Finding]:
    """Find parameters whose gradient is wired, and that nothing updates."""
    updated = {wire.source for key in graph.updates
               for wire in graph.inputs(key).get(MOVED, ())}  # fmt: skip
    moving = updated | graph.upstream(graph.of_family("trainer"))
    deltas = _deltas(graph)
    gradients = _of_deltas(graph)
    for key in graph.parameters:
        is_still = not graph.settings(key)["trainable"] or graph.nodes[key].mode == "freeze"
        if is_still or key in moving or graph.inputs(key).get("next"):
            continue
        gradient = next(_gradients_of(graph, key, deltas, gradients), "")
        if gradient:
            text = (
                f"'{key}' is never updated, though its gradient is wired ('{gradient}'): lead "
                f"that through average and weight_update back into {key}.next"
            )
            yield Finding(key, text)


def _deltas(graph: Graph) -> dict[str, str]:
    """Return where δ of each weighted sum is, by its id."""
    found: dict[str, str] = {}
    for key in graph.where(lambda type_: type_.gives_delta):
        for a in graph.inputs(key).get("a", ()):
            for z in graph.inputs(a.source).get("z", ()):
                found.setdefault(z.source, f"{key}.delta")
    return found


def _of_deltas(graph: Graph) -> dict[tuple[bool, str], list[str]]:
    """Return the gradients by whether they are of weights, and the one δ that they take."""
    found: dict[tuple[bool, str], list[str]] = {}
    for key in graph.where(lambda type_: type_.makes_gradient):
        starts = [wire.start for wire in graph.inputs(key).get("delta", ())]
        if len(starts) == 1:
            of_weights = graph.nodes[key].kind.of_weights
            found.setdefault((of_weights, starts[0]), []).append(key)
    return found


def _gradients_of(
    graph: Graph,
    theta: str,
    deltas: dict[str, str],
    gradients: dict[tuple[bool, str], list[str]],
) -> Iterator[str]:
    for wire in graph.out_of(theta):
        layer = wire.target
        if graph.nodes[layer].kind.averages and wire.input == "weights":
            yield layer
        if not graph.nodes[layer].is_layer or layer not in deltas:
            continue
        of_weights = wire.input == "weights"
        fed = [w.start for w in graph.inputs(layer).get("a", ())]
        for other in gradients.get((of_weights, deltas[layer]), ()):
            takes = [wire.start for wire in graph.inputs(other).get("a", ())]
            if not of_weights or takes == fed:
                yield other


def _accumulated(graph: Graph) -> Iterator[Finding]:
    for key in graph.where(lambda type_: type_.accumulates):
        if not graph.inputs(key).get("previous"):
            text = f"'{key}' adds up nothing, since it does not get its own total"
            yield Finding(key, text, f"{key}.total -> {key}.previous")


def _rates(graph: Graph) -> Iterator[Finding]:
    for key in graph.of_family("trainer"):
        if graph.settings(key).get("rate") == 0:
            yield Finding(key, f"the rate of '{key}' is 0, so nothing is learnt: give it another")
    fed: dict[str, list[str]] = {}
    for key in graph.updates:
        for wire in graph.inputs(key).get("rate", ()):
            fed.setdefault(wire.source, []).append(key)
    for source, updates in fed.items():
        if not graph.nodes[source].is_typed:
            continue
        if not np.any(numbers(graph.settings(source)["value"])):
            named = ", ".join(f"'{key}'" for key in updates[:3]) + (", …" if updates[3:] else "")
            text = f"the rate '{source}' is 0, so {named} change nothing: give it another value"
            yield Finding(source, text)
    if graph.training.rate == 0:
        for key in without_rate(graph):
            yield Finding(key, "the graph's rate (training.rate) is 0, so nothing changes")
