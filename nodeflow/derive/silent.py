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
from nodeflow.nodes.cost import error


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

    An update whose value goes nowhere, or to another parameter than the one that it moves, or that
    moves a gradient, or what was moved already; an error of what no parameter changes; a parameter
    that is updated though nothing judged depends on it; one that is not, though its gradient is
    wired, or though others are, and where its gradient, δ or blame goes nowhere; `accumulate`
    without its own total; a rate of 0, or one that is trained itself.
    """
    try:
        active = resolve(graph)
    except GraphError:
        return ()  # it cannot run at all, and that is said elsewhere
    copies = _copies(active)
    untaught = list(_parameters(active, graph))
    found = [
        *_updates(active, copies),
        *_unjudged(active),
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
"""The most sentences that are printed before a training."""


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
        if again := _moved_again(graph, key):
            yield again
        elif theta and not before:
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


def _moved_again(graph: Graph, key: str) -> Finding | None:
    """Find an update that moves a gradient, or once more what the same gradient has moved."""
    inputs = graph.inputs(key)
    if not inputs.get(MOVED):
        return None
    moved, gradient = inputs[MOVED][0], inputs.get("gradient", ())
    if graph.nodes[moved.source].family == "backward":
        where = f"lead the parameter into {key}.{MOVED}"
        if gradient and graph.nodes[gradient[0].source].is_parameter:
            where = f"its inputs {MOVED} and gradient are swapped"
        return Finding(key, f"'{key}' moves {moved.start}, which is a gradient: {where}")
    first = moved.source
    if graph.nodes[first].family != "update":
        return None
    back = [wire.target for wire in graph.out_of(key) if graph.feeds_back(wire)]
    theta = _moved(graph, first)
    if theta and back and theta not in back:
        text = (
            f"'{key}' moves what '{first}' made of '{theta}', and its new value goes to "
            f"'{back[0]}': lead {back[0]}.value into {key}.{MOVED}"
        )
        return Finding(key, text)
    fed = [[wire.start for wire in graph.into(one) if wire.input in ("gradient", DELTA, "a")]
           for one in (first, key)]  # fmt: skip
    if fed[0] != fed[1]:
        return None
    text = (
        f"'{key}' moves what '{first}' has moved already, by the same gradient: remove one of the "
        "two, and take twice the rate if that is meant"
    )
    return Finding(key, text)


def _unjudged(graph: Graph) -> Iterator[Finding]:
    """Find errors of what no parameter changes, and updated parameters that nothing judges."""
    judges = graph.of_family("cost")
    if not graph.parameters or not graph.updates or not judges:
        return
    learning = graph.downstream(graph.parameters)
    for key in graph.of_type(error.name):
        compared = [graph.inputs(key).get(port, ()) for port in ("a", "y")]
        if not all(compared) or not graph.out_of(key):
            continue
        learnt = [wires[0].source in learning for wires in compared]
        if not any(learnt):
            text = (
                f"'{key}' compares {compared[0][0].start} with {compared[1][0].start}, and no "
                f"parameter changes either: lead the output of the network into {key}.a"
            )
            yield Finding(key, text)
        elif all(learnt):
            text = (
                f"'{key}' takes {compared[1][0].start} for the target, and that depends on the "
                f"weights, too: lead what is to be learnt into {key}.y"
            )
            yield Finding(key, text)
    judged = graph.upstream(judges)
    for key in graph.updates:
        theta = _moved(graph, key)
        if not theta or theta in judged or not graph.settings(theta)["trainable"]:
            continue
        end = _dead_end(graph, theta)
        text = f"'{theta}' is updated, and nothing reads it: lead {theta}.value into its layer"
        if end != theta:
            output = graph.type_of(end).outputs[0].name
            text = (
                f"'{theta}' is updated, and what is made of it ends at '{end}': lead "
                f"{end}.{output} on to the error"
            )
        elif wanting := _layer_without(graph, key):
            text = f"'{theta}' is updated, and nothing reads it: lead {theta}.value into {wanting}"
        yield Finding(theta, text)


def _dead_end(graph: Graph, theta: str) -> str:
    """Return where the forward pass of a parameter ends, whose value no cost depends on."""
    ahead, last = [theta], theta
    for key in ahead:  # grows on the way
        last = key
        ahead += [
            wire.target
            for wire in graph.out_of(key)
            if graph.nodes[wire.target].family in ("layer", "activation", "arithmetic")
            and not graph.feeds_back(wire)
            and wire.target not in ahead
        ]
    return last


def _layer_without(graph: Graph, update: str) -> str:
    """Return the free port of the layer whose δ an update takes, or ""."""
    layers = {start: layer for layer, start in _deltas(graph).items()}
    key = update
    while DELTA not in graph.inputs(key):
        before = graph.inputs(key).get("gradient", ()) or graph.inputs(key).get("total", ())
        if not before or graph.nodes[before[0].source].family != "backward":
            return ""
        key = before[0].source
    layer = layers.get(graph.inputs(key)[DELTA][0].start, "")
    port = "weights" if graph.inputs(key).get("a") else "bias"
    return f"{layer}.{port}" if layer and port not in graph.inputs(layer) else ""


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


def typed_rates(graph: Graph) -> dict[str, float]:
    """Return the rate of each update that has one number for it, typed somewhere before it."""
    known: dict[str, Any] = {}
    found = {}
    for key in graph.updates:
        for wire in graph.inputs(key).get("rate", ()):
            value = _typed(graph, wire.source, known)
            if value is not None and np.size(value) == 1:
                found[key] = float(np.ravel(value)[0])
    return found


def unlike_rates(graph: Graph) -> str:
    """Return which wired updates have another rate than most, in a sentence; "" where none has.

    That may be meant, so it is no finding; where it is a slip, no gradient shows it.
    """
    try:
        active = resolve(graph)
    except GraphError:
        return ""
    rates = typed_rates(active)
    if active.training.rate is not None:
        rates |= dict.fromkeys(without_rate(active), active.training.rate)
    by_rate: dict[float, list[str]] = {}
    for key in sorted(rates):
        theta = _moved(active, key)
        if theta and active.settings(theta)["trainable"]:
            by_rate.setdefault(rates[key], []).append(key)
    if len(by_rate) < 2:
        return ""
    usual = max(by_rate, key=lambda rate: len(by_rate[rate]))
    others = [f"that of {_named(keys)} is {rate:g}"
              for rate, keys in by_rate.items() if rate != usual]  # fmt: skip
    return f"the rate of {_named(by_rate[usual])} is {usual:g}, {', '.join(others)}"


def _zeros(graph: Graph) -> frozenset[str]:
    """Return the nodes that feed the rate of an update and are 0, whatever happens."""
    zero = {key for key, rate in typed_rates(graph).items() if rate == 0}
    return frozenset(w.source for key in zero for w in graph.inputs(key)["rate"])


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
            elif all(part is not None and np.size(part) == 1 for part in parts):
                known[key] = np.prod([np.ravel(part) for part in parts]).reshape(1, 1)
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
    trained = [key for key in graph.parameters if graph.settings(key)["trainable"]]
    learning = graph.downstream(trained) if graph.updates else frozenset[str]()
    for key in graph.updates:
        for wire in graph.inputs(key).get("rate", ()):
            if wire.source in learning:
                text = (
                    f"the rate of '{key}' is {wire.start}, which training changes: wire a number "
                    "that somebody chose"
                )
                yield Finding(key, text)
    if graph.training.rate == 0:
        for key in without_rate(graph):
            text = "the graph's rate (training.rate) is 0, so nothing changes: give it another"
            yield Finding(key, text)
