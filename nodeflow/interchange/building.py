"""From layers to a graph: wired, trainable, laid out, with the names of the source."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from nodeflow.declare import CATALOG, Output
from nodeflow.derive.tidy import tidy
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph, Node, Wire
from nodeflow.interchange.chain import LOGITS
from nodeflow.interchange.layers import Activation, Affine, Cost, Dense, Missing, Network
from nodeflow.nodes.arithmetic import add, concatenate, mean, multiply, sum_
from nodeflow.nodes.cost import l2_penalty
from nodeflow.nodes.expression import expression
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import constant, parameter

_WRONG = re.compile(r"[^\w.\-]+")
_RESERVED = ("x", "y", "cost", "loss", "train", LOGITS, "penalty", "J")


class _Ids:
    """Ids that nodes may have, from names that others chose."""

    def __init__(self) -> None:
        self._taken = set(_RESERVED)

    def of(self, name: str, otherwise: str) -> str:
        text = _WRONG.sub("_", name).strip("._-") or otherwise
        if not text[0].isalpha():
            text = f"{otherwise}{text}"
        found, number = text, 2
        while found in self._taken:
            found, number = f"{text}_{number}", number + 1
        self._taken.add(found)
        return found


def graph_of(network: Network) -> Graph:
    """Return the graph of a network: constants of zeros stand where the data will be wired.

    Its weights start as they came. What has no counterpart is a placeholder, a node of a type that
    nobody knows, which keeps its wires and says what it is.
    """
    network = network.checked()
    ids = _Ids()
    x = constant(id="x", value=[[0.0] * network.width])
    end: Output = x
    made: dict[str, Output] = {"": x}
    nodes: dict[str, Node] = {}
    wires: list[Wire] = []
    before: tuple[str, str] | None = None
    ends: list[Any] = []
    thetas: list[Output] = []
    for step in network.steps:
        if isinstance(step, Missing) or before is not None:
            start = before or _address(end, ends)
            before = _behind(step, start, ids, nodes, wires, network.format)
        else:
            if isinstance(step, Dense) and step.takes:
                joined = ids.of(f"{step.name}.joined", "joined")
                parts = [made[name] for name in step.takes]
                end = _one(concatenate(*parts, id=joined))
            end = made[step.name] = _node(step, end, ids, thetas)
    graph = _whole(network, end, thetas) if before is None else Graph.of(end, name=network.name)
    if before is not None:
        graph = replace(
            graph, nodes={**graph.nodes, **nodes}, wires=tuple(sorted([*graph.wires, *wires]))
        )
    return replace(tidy(graph), about=_about(network))


def _node(
    step: Dense | Activation | Affine, end: Output, ids: _Ids, thetas: list[Output]
) -> Output:
    if isinstance(step, Dense):
        key = ids.of(step.name, "layer")
        weights = parameter(id=ids.of(f"{key}.weight", "weight"), value=step.weights)
        thetas.append(_one(weights))
        if step.bias is None:
            return _one(weighted_sum(end, weights, id=key))
        bias = parameter(id=ids.of(f"{key}.bias", "bias"), value=step.bias)
        return _one(weighted_sum(end, weights, bias, id=key))
    if isinstance(step, Affine):
        key = ids.of(step.name, "scale")
        scale = constant(id=ids.of(f"{key}.scale", "scale"), value=step.scale)
        shift = constant(id=ids.of(f"{key}.shift", "shift"), value=step.shift)
        scaled = multiply(end, scale, id=ids.of(f"{key}.scaled", "scaled"))
        return _one(add(scaled, shift, id=key))
    key = ids.of(step.name, step.kind or "formula")
    if step.formula is not None:
        return _one(expression(z=end, formula=step.formula, id=key))
    return _one(CATALOG[step.kind](end, id=key))


def _one(made: Any) -> Output:
    if not isinstance(made, Output):
        raise InterchangeError("a layer has one output")
    return made


def _address(end: Output, ends: list[Any]) -> tuple[str, str]:
    ends.append(end)
    node = end.node
    return (node if isinstance(node, str) else str(node.id)), end.port


def _behind(
    step: Dense | Activation | Affine | Missing,
    before: tuple[str, str],
    ids: _Ids,
    nodes: dict[str, Node],
    wires: list[Wire],
    format_: str,
) -> tuple[str, str]:
    """Put a placeholder, or what stands behind one, into `nodes` and `wires`."""
    source, port = before
    if isinstance(step, Missing):
        key = ids.of(step.name, "layer")
        settings = {"what": step.what, "why": step.why, **step.settings}
        # A node of a type that is here would be that type with its wires missing.
        known = step.what in CATALOG
        nodes[key] = Node(f"{step.what} of {format_}" if known else step.what, settings)
        wires.append(Wire(source, port, key, "input"))
        return key, "output"
    if isinstance(step, Affine) or (isinstance(step, Dense) and step.takes):
        what = "scale and shift" if isinstance(step, Affine) else "a layer that joins others"
        why = "it stands behind a placeholder"
        return _behind(Missing(step.name, what, why), before, ids, nodes, wires, format_)
    key = ids.of(step.name, "layer" if isinstance(step, Dense) else step.kind or "formula")
    if isinstance(step, Activation):
        settings = {} if step.formula is None else {"formula": step.formula}
        nodes[key] = Node(step.kind if step.formula is None else expression.name, settings)
        wires.append(Wire(source, port, key, "z"))
        return key, "value" if step.formula is not None else "a"
    nodes[key] = Node(weighted_sum.name)
    wires.append(Wire(source, port, key, "a"))
    for what, array in (("weight", step.weights), ("bias", step.bias)):
        if array is not None:
            holder = ids.of(f"{key}.{what}", what)
            nodes[holder] = Node(parameter.name, {"value": array})
            target = "weights" if what == "weight" else "bias"
            wires.append(Wire(holder, "value", key, target))
    return key, "z"


def _whole(network: Network, end: Output, thetas: list[Output]) -> Graph:
    """Return the graph with a cost and a trainer."""
    target = [0.0] * network.outputs
    last = next((s for s in reversed(network.steps) if isinstance(s, Activation | Dense)), None)
    ours = CATALOG.find(last.kind) if isinstance(last, Activation) else None
    shares = ours is not None and ours.shares
    if shares:
        target[0] = 1.0  # shares add up to 1
    y = constant(id="y", value=[target])
    judged = network.cost or Cost("categorical_cross_entropy" if shares else "squared_error")
    cost = _cost(judged, end, y, network.outputs)
    if network.penalty:
        penalty = l2_penalty(*thetas, regularization=network.penalty, id="penalty")
        cost = _one(add(cost, penalty, id="J"))
    settings = dict(network.settings)
    if not CATALOG[network.trainer].searches:
        settings.setdefault("rate", 0.01 if CATALOG[network.trainer].steady else 0.1)
    train = CATALOG[network.trainer](cost, id="train", **settings)
    training: dict[str, Any] = {} if network.batch is None else {"batch": network.batch}
    return Graph.of(train, name=network.name, **training)


def _cost(cost: Cost, end: Output, y: Output, outputs: int) -> Output:
    """Return J of a sample: a factor that the source has, and logits, are nodes of their own."""
    if cost.behind is not None:
        end = _one(CATALOG[cost.behind](end, id=LOGITS))
    if cost.formula is not None:
        each = expression(a=end, y=y, formula=cost.formula, id="cost")
        return _one((mean if cost.mean else sum_)(each, id="loss"))
    settings = {"half": True} if cost.half else {}
    whole = _one(CATALOG[cost.kind](end, y, id="cost", **settings))
    if not cost.mean or outputs == 1:
        return whole
    return _one(expression(cost=whole, formula=f"cost / {outputs}", id="loss"))


def end_of(graph: Graph) -> str:
    """Return the address of a network's outputs: what its cost takes, or logits before it."""
    wire = next(wire for wire in graph.into("cost") if wire.input == "a")
    if wire.source == LOGITS:
        wire = graph.inputs(LOGITS)["z"][0]
    return wire.start


def _about(network: Network) -> str:
    said = [f"From {network.format}."]
    if any(network.names):
        shown = ", ".join(network.names[:8]) + (", …" if len(network.names) > 8 else "")
        said.append(f"Inputs: {shown}.")
    if network.cost is not None and network.cost.mean and network.outputs > 1:
        said.append("Its loss is a mean over rows and outputs.")
    said += [f"{note[0].upper()}{note[1:]}." for note in network.notes]
    said += [f"{one.name} ({one.what}): {one.why}." for one in network.missing]
    return " ".join(said)
