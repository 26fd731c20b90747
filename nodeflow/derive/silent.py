"""What in a graph that was wired by hand computes in vain, and the wire that is missing.

None of it is an error: the graph runs, and learns nothing, or less than was meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.declare import numbers
from nodeflow.derive.modes import resolve
from nodeflow.derive.steps import without_rate
from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph, Wire
from nodeflow.nodes.arithmetic import multiply
from nodeflow.nodes.backward import DELTA


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

    An update whose value goes nowhere, or to another parameter than the one that it moves; a
    parameter that is not updated though its gradient is wired, or though others are, and where
    its gradient, δ or blame goes nowhere; `accumulate` without its own total; a rate of 0.
    """
    try:
        active = resolve(graph)
    except GraphError:
        return ()  # it cannot run at all, and that is said elsewhere
    copies = _copies(active)
    untaught = list(_parameters(active, graph))
    found = [
        *_updates(active, copies),
        *untaught,
        *(_unread(active) if untaught else ()),  # otherwise they are there to be looked at
        *_accumulated(active),
        *_rates(active, copies),
    ]
    first: dict[str, Finding] = {}
    for finding in found:  # of one node the first one: that is the cause
        first.setdefault(finding.node, finding)
    return tuple(first[key] for key in sorted(first))


def missing_wires(graph: Graph) -> tuple[str, ...]:
    """Return the wires that `silent` misses, such as "w.update.value -> w.next"."""
    return tuple(finding.wire for finding in silent(graph) if finding.wire)


def said_once(findings: Iterable[Finding]) -> list[str]:
    """Return what there is to say of a graph: what is the same at several nodes, once.

    Of very many findings the first ones, and how many more there are.
    """
    nodes: dict[str, list[str]] = {}
    for finding in findings:
        nodes.setdefault(finding.sentence, []).append(finding.node)
    said = [text if len(keys) == 1 else f"{_named(keys)}: {text}" for text, keys in nodes.items()]
    more = len(said) - _MOST
    if more < 2:
        return said
    return [*said[:_MOST], f"{more} more compute in vain: `nodeflow check` has all of them"]


_MOST = 8
"""So many sentences are said before a training."""


def _named(keys: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys[:3]) + (", …" if keys[3:] else "")


def _moved(graph: Graph, update: str) -> str:
    """Return what an update moves, if that is a parameter."""
    wires = graph.inputs(update).get(MOVED, ())
    source = wires[0].source if wires else ""
    return source if source and graph.nodes[source].is_parameter else ""


def _copies(graph: Graph) -> frozenset[str]:
    """Return the updates by which a value is kept for the next update: they move by 0.

    Their value goes to another parameter than the one that they take.
    """
    zero = _zeros(graph)
    return frozenset(
        key
        for key in graph.updates
        if any(wire.source in zero for wire in graph.inputs(key).get("rate", ()))
        and any(
            graph.feeds_back(wire) and wire.target != _moved(graph, key)
            for wire in graph.out_of(key)
        )
    )


def _updates(graph: Graph, copies: Collection[str]) -> Iterator[Finding]:
    for key in graph.updates:
        onward = [wire for wire in graph.out_of(key)
                  if graph.type_of(wire.target).family != "view"]  # fmt: skip
        theta, wires = _moved(graph, key), graph.inputs(key).get(MOVED, ())
        before = graph.inputs(theta).get("next", ()) if theta else ()
        if key in copies:
            continue
        if theta and not before:
            text = f"the new value of '{key}' goes nowhere, so '{theta}' never changes"
            if onward:
                named = _named([wire.target for wire in onward])
                text = (
                    f"the new value of '{key}' goes to {named} and not back, so '{theta}' never "
                    "changes"
                )
            yield Finding(key, text, f"{key}.value -> {theta}.next")
        elif onward:
            yield from _strayed(graph, key, theta, onward)
        elif theta:
            text = (
                f"the new value of '{key}' goes nowhere, and '{theta}' takes its next value from "
                f"'{before[0].source}': remove one of the two"
            )
            yield Finding(key, text)
        elif wires:
            text = f"the new value of '{key}' goes nowhere: it has to feed the parameter's next"
            yield Finding(key, text)


def _strayed(graph: Graph, key: str, theta: str, onward: Iterable[Wire]) -> Iterator[Finding]:
    """Find an update that is fed back, but not to the parameter that it moves."""
    back = [wire.target for wire in onward if graph.feeds_back(wire)]
    source = next((wire.source for wire in graph.inputs(key).get(MOVED, ())), "")
    if back and source and graph.nodes[source].is_typed:
        text = (
            f"'{key}' moves '{source}', which always stays the same, so '{back[0]}' begins there "
            f"at each update: lead {back[0]}.value into {key}.{MOVED}"
        )
        yield Finding(key, text)
    if theta and back and theta not in back:
        text = (
            f"'{key}' moves '{theta}' and its new value goes to '{back[0]}': lead "
            f"{key}.value to {theta}.next, and what moves '{back[0]}' to {back[0]}.next"
        )
        yield Finding(key, text)


def _parameters(graph: Graph, whole: Graph) -> Iterator[Finding]:
    """Find parameters that nothing updates though their gradient is wired, or though others are."""
    updated = {wire.source for key in graph.updates
               for wire in graph.inputs(key).get(MOVED, ())}  # fmt: skip
    moving = updated | graph.upstream(graph.of_family("trainer"))
    deltas = _deltas(graph)
    gradients = _of_deltas(graph)
    judged = graph.upstream(graph.of_family("cost")) if updated else frozenset[str]()
    for key in graph.parameters:
        is_still = not graph.settings(key)["trainable"] or graph.nodes[key].mode == "freeze"
        if is_still or key in moving or graph.inputs(key).get("next"):
            continue
        own = [wire.target for wire in whole.out_of(key)
               if wire.input == MOVED and whole.nodes[wire.target].family == "update"]  # fmt: skip
        gradient = next(_gradients_of(graph, key, deltas, gradients), "")
        if own:
            mode = {"disable": "disabled", "bypass": "bypassed"}.get(whole.nodes[own[0]].mode)
            why = f"is {mode}" if mode else "hangs on a node that is disabled"
            yield Finding(key, f"'{key}' is never updated: its update '{own[0]}' {why}")
        elif gradient:
            text = (
                f"'{key}' is never updated, though its gradient is wired ('{gradient}'): lead "
                f"that through average and weight_update back into {key}.next"
            )
            yield Finding(key, text)
        elif key in judged:
            text = (
                f"'{key}' is never updated, though other parameters are: wire a step of its own, "
                "or set trainable to false where it is meant to stay"
            )
            yield Finding(key, text)


def _unread(graph: Graph) -> Iterator[Finding]:
    """Find what was made of an error and is taken by nobody, not even shown."""
    for key in graph.of_family("backward"):
        type_ = graph.nodes[key].kind
        if graph.out_of(key) or not graph.into(key) or type_.no_backward:
            continue
        to = "a weight_update, perhaps through average"
        if type_.gives_delta:
            to = "a step, a gradient or a blame"
        elif type_.sends_back:
            to = "the delta of the layer before"
        name = type_.outputs[0].name
        yield Finding(key, f"the {name} of '{key}' goes nowhere: lead it into {to}")


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
        starts = [wire.start for wire in graph.inputs(key).get(DELTA, ())]
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


def _zeros(graph: Graph) -> frozenset[str]:
    """Return the nodes that feed the rate of an update and are 0, whatever happens."""
    known: dict[str, Any] = {}
    sources = {w.source for key in graph.updates for w in graph.inputs(key).get("rate", ())}
    return frozenset(
        source
        for source in sources
        if (value := _typed(graph, source, known)) is not None and not np.any(value)
    )


def _typed(graph: Graph, key: str, known: dict[str, Any]) -> Any:
    """Return the value of a node that follows from typed numbers alone; None for others."""
    if key not in known:
        known[key] = None
        node, settings = graph.nodes[key], graph.settings(key)
        if node.is_typed:
            known[key] = np.atleast_2d(numbers(settings["value"]))
        elif node.passes in graph.inputs(key):
            known[key] = _typed(graph, graph.inputs(key)[node.passes][0].source, known)
        elif node.kind is multiply:
            parts = [_typed(graph, wire.source, known) for wire in graph.into(key)]
            if any(part is not None and not np.any(part) for part in parts):
                known[key] = np.zeros((1, 1), float)
    return known[key]


def _rates(graph: Graph, copies: Collection[str]) -> Iterator[Finding]:
    for key in graph.of_family("trainer"):
        if graph.settings(key).get("rate") == 0:
            yield Finding(key, f"the rate of '{key}' is 0, so nothing is learnt: give it another")
    zero = _zeros(graph)
    fed: dict[str, list[str]] = {}
    for key in graph.updates:
        for wire in graph.inputs(key).get("rate", ()):
            if wire.source in zero and key not in copies:
                fed.setdefault(wire.source, []).append(key)
    for source, updates in fed.items():
        change = "changes" if len(updates) == 1 else "change"
        text = (
            f"the rate '{source}' is 0, so {_named(updates)} {change} nothing: give it another "
            "value"
        )
        yield Finding(source, text)
    if graph.training.rate == 0:
        for key in without_rate(graph):
            text = "the graph's rate (training.rate) is 0, so nothing changes: give it another"
            yield Finding(key, text)
