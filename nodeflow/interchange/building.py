"""From a network to a graph: wired, trainable, laid out, with the names of the source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nodeflow.declare import CATALOG
from nodeflow.derive.tidy import tidy
from nodeflow.graph import Graph, Node, Training, Wire, in_order
from nodeflow.interchange.chain import LOGITS
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Cost,
    Dense,
    End,
    Floats,
    Join,
    Missing,
    Narrow,
    Network,
    Step,
)

_WRONG = re.compile(r"[^\w.\-]+")
_RESERVED = ("x", "y", "cost", "loss", "train", LOGITS, "penalty", "J")


def graph_of(network: Network) -> Graph:
    """Return the graph of a network: constants of zeros stand where the data will be wired.

    Its weights start as they came. What has no counterpart is a placeholder, a node of a type that
    nobody knows, which keeps its wires and says what it is; such a graph has no cost.
    """
    import nodeflow.nodes  # noqa: F401  (fills the catalog)

    building = _Building(network.checked())
    for step, takes in network.wired():
        building.step(step, takes)
    training: dict[str, Any] = {}
    if not network.missing:
        building.judge()
        training = {} if network.batch is None else {"batch": network.batch}
    graph = Graph(
        nodes=dict(sorted(building.nodes.items())),
        wires=in_order(building.wires),
        name=network.name,
        training=Training(**training),
    )
    graph.validate()
    return replace(tidy(graph), about=_about(network))


def inputs_of(network: Network) -> tuple[str, ...]:
    """Return the ids that the inputs of a network have in its graph, in order."""
    if len(network.inputs) == 1:
        return ("x",)
    ids = _Ids()
    return tuple(ids.of(one.name, "x") for one in network.inputs)


def ends_of(graph: Graph) -> tuple[str, ...]:
    """Return the addresses of what a network puts out: what its costs take, or logits before."""
    return tuple(_end(graph, key) for key in costs_of(graph))


def costs_of(graph: Graph) -> tuple[str, ...]:
    """Return the ids of a network's costs, in the order of its outputs."""
    if "cost" in graph.nodes:
        return ("cost",)
    ends = (wire.source for wire in graph.inputs("J").get("a", ()) if wire.source != "penalty")
    return tuple(next(key for key in (end, *_before(graph, end)) if "y" in graph.inputs(key))
                 for end in ends)  # fmt: skip


def _before(graph: Graph, key: str) -> list[str]:
    """Return the nodes on the way to a factor or a mean of a cost, nearest first."""
    found = []
    while "y" not in graph.inputs(key):
        key = graph.into(key)[0].source
        found.append(key)
    return found


def _end(graph: Graph, cost: str) -> str:
    wire = graph.inputs(cost)["a"][0]
    if wire.source.rpartition(".")[2] == LOGITS:
        wire = graph.inputs(wire.source)["z"][0]
    return wire.start


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


class _Building:
    """Nodes and wires of a network, and the address of each step's value."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: dict[str, Node] = {}
        self.wires: list[Wire] = []
        self.ids = _Ids()
        self.made: dict[str, str] = {}
        self.parameters: dict[int, str] = {}
        self.weights: list[str] = []
        several = len(network.inputs) > 1
        for one in network.inputs:
            key = self.ids.of(one.name, "x") if several else "x"
            rows = [[0.0] * network.width_of(one)]
            self.made[one.name] = self.node(key, "constant", value=rows)

    def node(
        self,
        key: str,
        type_: str,
        wires: Mapping[str, str | Sequence[str]] | None = None,
        /,
        **settings: Any,
    ) -> str:
        """Add a node with what goes into its ports; return the address of its value."""
        self.nodes[key] = Node(type_, settings)
        for port, starts in (wires or {}).items():
            one = [starts] if isinstance(starts, str) else list(starts)
            for index, start in enumerate(one):
                source, _, output = start.rpartition(".")
                place = index if len(one) > 1 else None
                self.wires.append(Wire(source, output, key, port, place))
        known = CATALOG.get(type_)
        output = "output" if known is None else next((one.name for one in known.outputs), "")
        return f"{key}.{output}"

    def step(self, step: Step, takes: Sequence[str]) -> None:
        """Add what a step is."""
        into = [self.made[name] for name in takes]
        self.made[step.name] = self._step(step, into)

    def _step(self, step: Step, into: list[str]) -> str:
        match step:
            case Dense():
                return self._dense(step, into[0])
            case Activation():
                key = self.ids.of(step.name, step.kind or "formula")
                if step.formula is not None:
                    return self.node(key, "expression", {"z": into[0]}, formula=step.formula)
                return self.node(key, step.kind, {"z": into[0]})
            case Affine():
                key = self.ids.of(step.name, "scale")
                scale = self._constant(f"{key}.scale", "scale", step.scale)
                shift = self._constant(f"{key}.shift", "shift", step.shift)
                scaled = self.node(self.ids.of(f"{key}.scaled", "scaled"), "multiply",
                                   {"a": [into[0], scale]})  # fmt: skip
                return self.node(key, "add", {"a": [scaled, shift]})
            case Join():
                key = self.ids.of(step.name, step.kind)
                if step.formula is None:
                    return self.node(key, step.kind, {"a": into})
                ports = dict(zip(letters(len(into)), into, strict=True))
                return self.node(key, "expression", ports, formula=step.formula)
            case Narrow():
                key = self.ids.of(step.name, step.kind)
                if step.kind == "pick":
                    return self.node(key, "pick", {"a": into[0]}, index=step.places)
                return self.node(key, step.kind, {"a": into[0]})
            case Missing():
                # A node of a type that is here would be that type with its wires missing.
                known = step.what in CATALOG
                type_ = f"{step.what} of {self.network.format}" if known else step.what
                key = self.ids.of(step.name, "layer")
                about = {"what": step.what, "why": step.why, **step.settings}
                return self.node(key, type_, {"input": into}, **about)

    def _dense(self, step: Dense, into: str) -> str:
        key = self.ids.of(step.name, "layer")
        weights = self._parameter(step.weights, f"{key}.weight", "weight")
        wires = {"a": into, "weights": weights}
        if weights not in self.weights:
            self.weights.append(weights)
        if step.bias is not None:
            wires["bias"] = self._parameter(step.bias, f"{key}.bias", "bias")
        return self.node(key, "weighted_sum", wires)

    def _parameter(self, array: Floats, name: str, otherwise: str) -> str:
        """Return the parameter of an array; one that several layers share is there once."""
        if id(array) not in self.parameters:
            key = self.ids.of(name, otherwise)
            self.parameters[id(array)] = self.node(key, "parameter", value=array)
        return self.parameters[id(array)]

    def _constant(self, name: str, otherwise: str, values: Floats) -> str:
        return self.node(self.ids.of(name, otherwise), "constant", value=values)

    # -- cost and trainer

    def judge(self) -> None:
        """Add costs, what they are compared with, and a trainer."""
        network = self.network
        ends = network.outputs
        whole = [self._judged(end, several=len(ends) > 1) for end in ends]
        if network.penalty:
            whole.append(self.node("penalty", "l2_penalty", {"weights": self.weights},
                                   regularization=network.penalty))  # fmt: skip
        cost = whole[0] if len(whole) == 1 else self.node("J", "add", {"a": whole})
        settings = dict(network.settings)
        if network.trainer != "minimize":
            settings.setdefault("rate", 0.01 if network.trainer == "adam" else 0.1)
        self.node("train", network.trainer, {"cost": cost}, **settings)

    def _judged(self, end: End, *, several: bool) -> str:
        """Return the address of J of an end for a sample, as the sum of the costs has it."""

        def called(name: str) -> str:
            return self.ids.of(f"{end.label or end.step}.{name}", name) if several else name

        network = self.network
        outputs = network.widths[end.step] or 0
        target = [0.0] * outputs
        softmax = self._ends_in_softmax(end.step)
        usual = Cost("categorical_cross_entropy" if softmax else "squared_error")
        cost = end.cost or network.cost or usual
        if softmax or (cost.behind is not None and CATALOG[cost.behind].shares):
            target[0] = 1.0  # shares add up to 1
        y = self.node(called("y"), "constant", value=[target])
        a = self.made[end.step]
        if cost.behind is not None:
            a = self.node(called(LOGITS), cost.behind, {"z": a})
        key = called("cost")
        factor = "" if cost.weight == 1 else f"{cost.weight!r} * "
        if cost.formula is not None:
            each = self.node(key, "expression", {"a": a, "y": y}, formula=cost.formula)
            found = self.node(called("loss"), "mean" if cost.mean else "sum", {"a": each})
            if not factor:
                return found
            return self.node(called("weighted"), "expression", {"loss": found},
                             formula=f"{factor}loss")  # fmt: skip
        settings = {"half": True} if cost.half else {}
        found = self.node(key, cost.kind, {"a": a, "y": y}, **settings)
        share = f" / {outputs}" if cost.mean and outputs > 1 else ""
        if not share and not factor:
            return found
        return self.node(called("loss"), "expression", {"cost": found},
                         formula=f"{factor}cost{share}")  # fmt: skip

    def _ends_in_softmax(self, name: str) -> bool:
        for step in self.network.steps:
            if step.name == name:
                return isinstance(step, Activation) and step.kind == "softmax"
        return False


def letters(count: int) -> tuple[str, ...]:
    """Return the names of values that a formula joins: a, b, c, d; a1, a2, … of more than 4."""
    return tuple("abcd"[:count]) if count <= 4 else tuple(f"a{n}" for n in range(1, count + 1))


def _about(network: Network) -> str:
    said = [f"From {network.format}."]
    if any(network.names):
        shown = ", ".join(network.names[:8]) + (", …" if len(network.names) > 8 else "")
        said.append(f"Inputs: {shown}.")
    costs = [(end.cost or network.cost, end) for end in network.outputs]
    if not network.missing and any(
        cost is not None and cost.mean and (network.widths[end.step] or 1) > 1
        for cost, end in costs
    ):
        said.append("Its loss is a mean over rows and outputs.")
    said += [f"{note[0].upper()}{note[1:]}." for note in network.notes]
    said += [f"{one.name} ({one.what}): {one.why}." for one in network.missing]
    return " ".join(said)
