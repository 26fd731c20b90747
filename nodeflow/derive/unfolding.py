"""Unfold: the backward pass and the updates as nodes, by the rules of the node types.

Reverse topological order: each node hands the blame that has arrived at its output to its rule,
which says in terms of other nodes what arrives at its inputs. `fold` is the way back.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from nodeflow.declare import (
    CATALOG,
    Blame,
    Made,
    NodeType,
    Output,
    Penalty,
    Port,
    Update,
    foreign,
)
from nodeflow.derive.answers import Answer, Form, Forms, standing_for
from nodeflow.derive.implied import implied, with_cost
from nodeflow.derive.logits import Logits, logits
from nodeflow.derive.modes import resolve
from nodeflow.derive.parts import records_of
from nodeflow.derive.shapes import Inference, infer, order_of, probe
from nodeflow.derive.steps import spelled_out, without_rate
from nodeflow.derive.tidy import under
from nodeflow.errors import GraphError, NoBackward, NodeflowError
from nodeflow.graph import UNFOLDED, Graph, Node, Wire, by_port
from nodeflow.inert import NO_SETTINGS
from nodeflow.nodes.arithmetic import add, multiply, pick, subtract, sum_, times
from nodeflow.nodes.backward import average, bias_gradient, spread
from nodeflow.nodes.source import parameter
from nodeflow.nodes.update import weight_update
from nodeflow.shape import Shape, Signature

RECORD = UNFOLDED
"""The graph file's key under which an unfolded graph keeps what `fold` needs."""


@dataclass(frozen=True)
class Unfolding:
    """A graph with its backward pass, and where in it the gradient of each port is."""

    graph: Graph
    inference: Inference
    """Shapes of the whole; problems are those of the graph it was made from."""
    gradients: Mapping[str, str] = field(default_factory=dict)
    """Forward address to the address of its gradient: ∂C/∂ of it, a row a sample; ∂J/∂ of it for
    what has no sample axis, such as a parameter."""
    cost: str | None = None
    """Address of the cost that is minimised."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Forward address to ∂C/∂ of it, where that is one number for each sample and needs no node."""
    made_for: Mapping[str, str] = field(default_factory=dict)
    """Which trainer each node of the backward pass was made for; "" where there is none."""


def unfold(graph: Graph) -> Graph:
    """Return the graph with each trainer replaced by its backward pass, as nodes.

    Raises `NoBackward` where blame cannot pass and `GraphError` for a trainer that has to stay
    folded. A graph without a trainer comes back as it is.
    """
    trainers = graph.of_family("trainer")
    for key in trainers:
        if graph.type_of(key).searches:
            raise GraphError(
                f"'{key}' (minimize) stays folded: its line search tries weights that no update "
                "keeps; use gradient_descent or adam to see every step",
                node=key,
            )
    trainers = tuple(key for key in trainers if graph.nodes[key].mode == "active")
    return _replaced(graph, trainers) if trainers else graph


def _replaced(graph: Graph, trainers: tuple[str, ...]) -> Graph:
    """Replace trainers by their nodes and note down what `fold` needs."""
    found = evaluated(graph)
    whole, owner = found.graph, found.made_for
    made = {k: node for k, node in whole.nodes.items() if k not in graph.nodes}
    records = dict(graph.extra.get(RECORD, {}))
    for key in trainers:
        trainer = graph.nodes[key]
        records[key] = {
            "type": trainer.type,
            "settings": dict(trainer.settings),
            **trainer.extra,
            "wires": tuple(str(wire) for wire in graph.into(key)),
            "made": tuple(sorted(name for name in made if owner[name] == key)),
        }
        if key in graph.layout:
            records[key]["layout"] = tuple(graph.layout[key])
    folded = graph.remove(*trainers)
    wires = tuple(w for w in whole.wires if w.source in made or w.target in made)
    unfolded = replace(
        folded,
        nodes=dict(sorted({**folded.nodes, **made}.items())),
        wires=tuple(sorted({*folded.wires, *wires})),
        extra={**graph.extra, RECORD: records},
    )
    if not graph.layout:
        return unfolded
    return replace(unfolded, layout={**unfolded.layout, **under(unfolded, made)})


def fold(graph: Graph) -> Graph:
    """Return the graph with every unfolded backward pass behind its trainer node again.

    Raises `GraphError` that names the nodes which differ from what the rules would give.
    """
    records = _records(graph)
    if not records:
        raise GraphError("the graph has no unfolded trainer: there is nothing to fold")
    strangers = _strangers(graph, records)
    # Without what hangs on the backward pass there is something to compare it with.
    folded = _put_back(graph.remove(*strangers), records)
    folded.validate()
    try:
        expected = unfold(folded)
    except GraphError as error:
        if strangers:  # the forward pass had come to need them
            raise _edited(strangers) from error
        raise
    differ = _differences(expected, graph)
    if differ:
        raise _edited(differ)
    return folded


@dataclass(frozen=True)
class _Record:
    """What an unfolded graph keeps of a trainer: its node, its wires, and what was made of it."""

    trainer: Node
    wires: tuple[Wire, ...]
    made: tuple[str, ...]
    layout: Mapping[str, tuple[int, int]]


def _records(graph: Graph) -> dict[str, _Record]:
    try:
        return {key: _read(key, record) for key, record in graph.extra.get(RECORD, {}).items()}
    except (AttributeError, GraphError, KeyError, TypeError, ValueError) as error:
        raise GraphError(f"what the graph keeps under '{RECORD}' cannot be read") from error


def _read(key: str, record: Mapping[str, Any]) -> _Record:
    special = ("type", "settings", "wires", "made", "layout")
    extra = {k: v for k, v in record.items() if k not in special}
    x, y = record.get("layout", (0, 0))
    return _Record(
        Node(str(record["type"]), dict(record["settings"]), extra=extra),
        tuple(Wire.parse(text) for text in record["wires"]),
        tuple(map(str, record["made"])),
        {key: (int(x), int(y))} if "layout" in record else {},
    )


def _put_back(graph: Graph, records: Mapping[str, _Record]) -> Graph:
    """Return the graph with trainers in the place of what was made of them."""
    made = {name for record in records.values() for name in record.made}
    base = graph.remove(*(name for name in made if name in graph.nodes))
    trainers = {key: record.trainer for key, record in records.items()}
    wires = {wire for record in records.values() for wire in record.wires}
    layout = {key: at for record in records.values() for key, at in record.layout.items()}
    return replace(
        base,
        nodes=dict(sorted({**base.nodes, **trainers}.items())),
        wires=tuple(sorted({*base.wires, *wires})),
        layout={**base.layout, **layout},
        extra={k: v for k, v in graph.extra.items() if k != RECORD},
    )


def _edited(differ: list[str]) -> GraphError:
    shown = ", ".join(differ[:5]) + (", …" if len(differ) > 5 else "")
    return GraphError(
        f"the backward pass was edited, so it cannot be folded: {shown} "
        f"differ{'s' if len(differ) == 1 else ''} from the rules",
        node=differ[0],
    )


def _strangers(graph: Graph, records: Mapping[str, _Record]) -> list[str]:
    """Return the nodes that read what was made of trainers, themselves made by somebody else."""
    made, found = {name for record in records.values() for name in record.made}, set[str]()
    reached = list(made & graph.nodes.keys())
    while reached:
        for wire in graph.out_of(reached.pop()):
            target = wire.target
            if target not in found and target not in made and not graph.feeds_back(wire):
                found.add(target)
                reached.append(target)
    return sorted(found)


def _differences(expected: Graph, found: Graph) -> list[str]:
    names = {
        key
        for key in {*expected.nodes, *found.nodes}
        if _plain(expected, key) != _plain(found, key)
    }
    for wire in set(expected.wires) ^ set(found.wires):
        names.add(wire.target)
    return sorted(names)


def _plain(graph: Graph, key: str) -> Any:
    node = graph.nodes.get(key)
    if node is None:
        return None
    settings = node.known.check(node.settings, key) if node.known else dict(node.settings)
    return node.type, settings, node.mode


# --- the graph that is evaluated -------------------------------------------------------------


def evaluated(graph: Graph, *, strict: bool = True) -> Unfolding:
    """Return the graph whose nodes are really run: modes resolved, trainers unfolded.

    Several trainers share one backward pass: J is the sum of their costs. A graph with one cost
    and no trainer gets a backward pass without updates. With `strict` the first problem is
    raised; without it a trainer that cannot be unfolded becomes a problem of its own, and the
    rest is evaluated.
    """
    unresolved, graph = graph, resolve(graph)
    inference = infer(graph)
    if strict:
        inference.require()
    if graph.of_type("step") or without_rate(graph) or implied(graph):
        bad = inference.problems
        graph = with_cost(spelled_out(graph, apart_from={*bad, *inference.waiting}))
        inference = infer(graph)
    unusable = {*inference.problems, *inference.waiting}
    ruled = _by_rule(unresolved, inference)
    problems = dict(inference.problems)
    trainers = [key for key in graph.of_family("trainer") if key not in unusable]
    while True:
        builder = _Builder(graph, inference, ruled.records)
        try:
            builder.train(trainers)
            cost = builder.total([*ruled.costs, *_costs(graph, trainers)])
            break
        except GraphError as error:
            if strict:
                raise
            # The fault is that of the first trainer that cannot stand beside those before it.
            failing = next(
                (key for number, key in enumerate(trainers, 1)
                 if not _can_train(graph, inference, ruled, trainers[:number])),
                trainers[-1],
            )  # fmt: skip
            problems[failing] = error
            trainers.remove(failing)
    if not trainers and not cost:
        cost = lone_cost(graph)
        if cost and (cost not in inference.shapes or inference.shapes[cost].features != 1):
            cost = None
        wired = graph.of_type("weight_update") or graph.extra.get(RECORD)  # where all is frozen
        if cost and not wired:
            try:
                builder.differentiate([cost], {})
            except GraphError as error:
                # There is no trainer to stop: the values can be had all the same.
                problems.setdefault(error.node or cost, error)
                builder, cost = _Builder(graph, inference), None
    return builder.finish(remove=trainers, cost=cost, problems=problems, ruled=ruled)


def _costs(graph: Graph, trainers: Iterable[str]) -> list[str]:
    return [graph.inputs(key)["cost"][0].start for key in trainers]


def _can_train(graph: Graph, inference: Inference, ruled: _Ruled, trainers: list[str]) -> bool:
    try:
        _Builder(graph, inference, ruled.records).train(trainers)
    except GraphError:
        return False
    return True


@dataclass(frozen=True)
class _Ruled:
    """Where the rules put gradients, those that are plain numbers, and what is minimised."""

    gradients: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    costs: tuple[str, ...] = ()
    records: Mapping[str, _Record] = field(default_factory=dict)


def _by_rule(graph: Graph, inference: Inference) -> _Ruled:
    """Return where the rules put the gradient of each port of a graph that was unfolded.

    Names alone do not tell: a value that several nodes read has the blame of each of them, and
    what passes its blame on has none of its own. Nor does the graph alone tell which of its
    values is the cost.
    """
    if not graph.extra.get(RECORD):
        return _Ruled()
    unusable = {*inference.problems, *inference.waiting}
    try:
        records = _records(graph)
    except GraphError:
        return _Ruled()
    try:
        folded = _folded_before(graph, records)
        costs = [
            folded.inputs(key)["cost"][0].start for key in records if "cost" in folded.inputs(key)
        ]
        costs = [cost for cost in costs if cost.rpartition(".")[0] not in unusable]
        builder = _Builder(folded, replace(inference, order=order_of(folded)))
        if costs:
            builder.differentiate(costs, {})
    except (GraphError, KeyError):  # edited since: what is left tells what it can
        known = [w.start for r in records.values() for w in r.wires if w.input == "cost"]
        costs = [cost for cost in known if cost in inference.shapes]
        return _Ruled(costs=tuple(costs), records=records)
    return _Ruled(builder.gradients, builder.numbers, tuple(costs), records)


def _folded_before(graph: Graph, records: Mapping[str, _Record]) -> Graph:
    """Return what was unfolded; raises `GraphError` where part of it is no longer there."""
    folded = resolve(_put_back(graph, records))
    if any(w.source not in folded.nodes or w.target not in folded.nodes for w in folded.wires):
        raise GraphError("what was unfolded is no longer there")
    return folded


def lone_cost(graph: Graph) -> str | None:
    """Return the address of the one cost that nothing but views takes on, if there is one."""
    found = []
    for key in graph.of_family("cost"):
        type_ = graph.type_of(key)
        if type_.outputs[0].name == "cost" and type_.name != "l2_penalty":
            end = key
            for _ in graph.nodes:
                onward = [
                    w.target
                    for w in graph.out_of(end)
                    if graph.type_of(w.target).family == "arithmetic"
                ]
                if len(onward) != 1:
                    break
                end = onward[0]
            found.append(f"{end}.{graph.type_of(end).outputs[0].name}")
    return found[0] if len(set(found)) == 1 else None


def gradients(graph: Graph) -> dict[str, str]:
    """Return where a graph's wired backward pass holds the gradient of each forward port.

    What a `weight_update` subtracts is the gradient of its parameter; a `delta` belongs to the
    weighted sum before its activation; otherwise the names that `unfold` gives tell.
    """
    return {**_by_wires(graph), **_by_updates(graph)}


def _by_updates(graph: Graph) -> dict[str, str]:
    """Return the gradient of each parameter that is updated."""
    found: dict[str, str] = {}
    for key in [key for key, node in graph.nodes.items() if node.type == "weight_update"]:
        inputs = graph.inputs(key)
        if "parameter" in inputs and "gradient" in inputs:
            start, owner = inputs["parameter"][0].start, inputs["parameter"][0].source
            # A parameter that is not trained is a memory (a velocity, a time), not a weight.
            if graph.nodes[owner].is_parameter and graph.settings(owner)["trainable"]:
                found.setdefault(start, _mean_gradient(graph, key))
    return found


def _by_wires(graph: Graph) -> dict[str, str]:
    """Return the gradients of other ports, from wires and names."""
    found: dict[str, str] = {}
    made: set[str] = set()
    with suppress(GraphError):  # a record that cannot be read tells nothing
        made = {name for record in _records(graph).values() for name in record.made}
    for key in [key for key, node in graph.nodes.items() if node.type == "delta"]:
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
    step = f"{graph.inputs(update)['parameter'][0].source}.step"
    wire = graph.inputs(update)["gradient"][0]
    while True:
        inputs = graph.inputs(wire.source)
        if graph.nodes[wire.source].type == "weight_update" and "gradient" in inputs:
            wire = inputs["gradient"][0]  # of a velocity, or of Adam's running mean
        elif wire.source == step and "m" in inputs:
            wire = inputs["m"][0]
        else:
            return wire.start


# --- building ----------------------------------------------------------------------------------


class _Part(NamedTuple):
    """What one reader of a value blames it for."""

    blame: Any
    """A wire, a number, or a `Penalty`."""
    owner: str
    """The reader."""
    summed: bool = False
    """Whether it was added up over the samples, or has a row a sample that will be."""


class _Moving:
    """Places the nodes that a trainer moves parameters by: `declare.Updates`."""

    def __init__(self, builder: _Builder, key: str) -> None:
        self.builder, self.key = builder, key
        self.place = builder.place

    def constant(self, value: float, name: str) -> Output:
        return self.place(CATALOG["constant"](value=value), f"{self.key}.{name}")

    def counter(self, name: str) -> Output:
        one, minus = self.constant(1.0, "one"), self.constant(-1.0, "minus")
        key = f"{self.key}.{name}"
        time = self.place(parameter(value=(0.0,), trainable=False), key)
        return self.move(key, time, one, minus)

    def running(
        self, name: str, theta: Output, gradient: Output, keep: float, rate: Output
    ) -> Output:
        shape = self.builder.shapes[f"{theta.node}.{theta.port}"].dims
        memory = self.place(parameter(shape=shape, init="zeros", trainable=False), name)
        kept = self.place(multiply(keep, memory), f"{name}.kept")
        return self.move(name, kept, gradient, rate)

    def move(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        return self.builder.moved(name, theta, gradient, rate)


class _Builder:
    """Adds the nodes of a backward pass to a graph."""

    def __init__(
        self, graph: Graph, inference: Inference, records: Mapping[str, _Record] | None = None
    ) -> None:
        self.graph = graph
        self.inference = inference
        self.records = records or {}
        self.shapes: dict[str, Shape] = dict(inference.shapes)
        self.made: dict[str, Node] = {}
        self.wires: list[Wire] = []
        self.into: dict[str, tuple[Wire, ...]] = {}
        """The wires into each node that was made, by port and index."""
        self.put: dict[tuple[Any, ...], tuple[Shape, Node, str]] = {}
        self.placed: dict[int, tuple[Made, str]] = {}
        self.inferred: dict[int, tuple[Made, tuple[Shape, ...]]] = {}  # by identity, kept alive
        self.forms = Forms(self.inferred, self._shapes_of)
        self.answers: dict[tuple[Any, ...], list[tuple[int, Answer, bool]]] = {}
        self.outputs: dict[str, Output] = {}
        self.cases: dict[tuple[Any, ...], tuple[list[Any], tuple[Shape, ...]]] = {}
        self.same: dict[Shape, Shape] = {shape: shape for shape in inference.shapes.values()}
        self.alike: dict[tuple[str, int], tuple[Mapping[str, Any], Node]] = {}
        self.decays: dict[float, Mapping[str, Any]] = {}
        self.fitting: set[tuple[int, int]] = set()
        self.gradients: dict[str, str] = {}
        self.numbers: dict[str, float] = {}
        self.made_for: dict[str, str] = {}
        self.between: dict[frozenset[str], frozenset[str]] = {}
        """The nodes that lead from parameters to costs, by the nodes of the costs."""
        self.trainer = ""
        self.logits = logits(graph, inference.shapes)
        self.partial: set[str] = set()
        """Addresses that a cost is not computed from, though it is wired so: see `Logits`."""
        self.has_rows = any(
            shape.batch and address.rpartition(".")[0] in graph.nodes
            for address, shape in inference.shapes.items()
        )
        """Whether any value has a sample axis; without one there is a single sample."""

    @cached_property
    def wholes(self) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, int]]:
        """The neuron, and the layer, of each node that was made by taking one apart.

        And which of its layer's neurons it is, or belongs to.
        """
        records = records_of(self.graph)
        neurons = {
            part: key
            for key, layer in records.items()
            if not layer.neuronal
            for part in layer.made(self.graph)
        }
        layers = {part: key for key, layer in records.items() for part in layer.neurons}
        place = {part: n for layer in records.values() for n, part in enumerate(layer.neurons)}
        for part, key in neurons.items():
            if key in layers:
                layers[part], place[part] = layers[key], place[key]
        return neurons, layers, place

    def finish(
        self,
        *,
        remove: Iterable[str],
        cost: str | None,
        problems: Mapping[str, NodeflowError],
        ruled: _Ruled,
    ) -> Unfolding:
        gone = set(remove)
        graph = self.graph
        # A graph to which nothing was added stays the same object, with all that it knows.
        if gone or self.made:
            graph = graph.extended(self.made, self.wires, self.into, without=gone)
        inference = replace(self.inference, shapes=self.shapes, problems=problems)
        # What was made here is known; for a wired pass the rules tell, or else names and wires.
        known = {a: at for a, at in ruled.gradients.items() if {a, at} <= self.shapes.keys()}
        own = {**(known or _by_wires(self.graph)), **_by_updates(self.graph)}
        for address in own.keys() & self.gradients.keys():
            del own[address], self.gradients[address]  # each of them is but a part of it
        found = {**own, **self.gradients}
        numbers = {**ruled.numbers, **self.numbers}
        if cost and found and cost not in found:
            numbers.setdefault(cost, 1.0)  # also where the backward pass was wired by hand
        return Unfolding(graph, inference, found, cost, numbers, self.made_for)

    # -- trainers

    def train(self, trainers: Sequence[str]) -> None:
        """Add the backward pass of all trainers, and the updates of each of them."""
        if not trainers:
            return
        moved_by = self._moved_by(trainers)
        updates: dict[str, Update] = {}
        for key in trainers:
            self.trainer = key
            update = self._update_rule(key)
            updates |= {theta: update for theta, by in moved_by.items() if by == key and update}
        self.trainer = trainers[0]
        costs = _costs(self.graph, trainers)
        self.differentiate(costs, updates, moved_by)

    def _moved_by(self, trainers: Sequence[str]) -> dict[str, str]:
        """Return which trainer moves each parameter, or raise `GraphError` where two do."""
        graph, found = self.graph, dict[str, str]()
        others = [*self.records, *trainers]
        search = [key for key in trainers if graph.type_of(key).searches]
        if search and len(others) > 1:
            second = next(key for key in others if key != search[0])
            raise GraphError(
                f"'{search[0]}' (minimize) cannot stand beside '{second}': its line search takes "
                "all parameters at once; keep one of the two",
                node=search[0],
            )
        for key, cost in zip(trainers, _costs(graph, trainers), strict=True):
            for theta in sorted(self._between([cost])):
                if not graph.nodes[theta].is_parameter or graph.nodes[theta].mode == "freeze":
                    continue
                before = graph.inputs(theta).get("next")
                other = found.get(theta) or (self._origin(before[0].source) if before else None)
                if other is not None:
                    raise GraphError(
                        f"'{other}' and '{key}' would both move '{theta}'; add their costs and "
                        f"keep one of the two, or freeze '{theta}'",
                        node=key,
                    )
                found[theta] = key
        return found

    def _origin(self, update: str) -> str:
        """Return the trainer that an update was made for, or the update if it was wired by hand."""
        return next((key for key, r in self.records.items() if update in r.made), update)

    def total(self, costs: Iterable[str]) -> str | None:
        """Return the address of J: that of the cost, or of a node that adds several."""
        several = tuple(sorted(set(costs)))
        if len(several) < 2:
            return several[0] if several else None
        wired = [key for key in self.graph.of_type("add")
                 if sorted(w.start for w in self.graph.into(key)) == sorted(several)]  # fmt: skip
        if wired:
            return f"{wired[0]}.value"
        whole = self.place(add(*map(self._output, several)), "J")
        return f"{whole.node}.{whole.port}"

    def _constant(self, value: float, name: str) -> Output:
        return self.place(CATALOG["constant"](value=value), name)

    def moved(self, name: str, theta: Output, gradient: Output, rate: Output) -> Output:
        """Place the update of a parameter, and the wire that feeds it back."""
        new = self._put(
            weight_update, NO_SETTINGS, f"{name}.update",
            gradient=gradient, parameter=theta, rate=rate,
        )  # fmt: skip
        fed_back = Wire(f"{name}.update", "value", name, "next")
        self.wires.append(fed_back)
        if name in self.into:
            self.into[name] = (*self.into[name], fed_back)
        return new

    def _update_rule(self, key: str) -> Update | None:
        moves = self.graph.type_of(key).moves
        return moves(_Moving(self, key), self.graph.settings(key)) if moves else None

    # -- differentiation

    def differentiate(
        self,
        costs: Iterable[str],
        updates: Mapping[str, Update],
        moved_by: Mapping[str, str] | None = None,
    ) -> None:
        """Add the nodes that compute the gradient of every port between parameters and costs.

        `updates` gives the update of a parameter, where it has one; `moved_by` its trainer.
        """
        graph = self.graph
        arrived: dict[str, list[_Part]] = {
            cost: [_Part(1.0, cost.rpartition(".")[0])] for cost in costs
        }
        needed = self._between(arrived)
        finished: list[tuple[str, Output]] = []
        for key in reversed(self.inference.order):
            if key not in needed:
                continue
            type_ = graph.type_of(key)
            address = f"{key}.{type_.outputs[0].name}" if type_.outputs else key
            parts = arrived.pop(address, None)
            if parts is None:
                continue
            # Neurons are added up in the order of their layer: 1, 2, … 10, as its own rows do.
            if len(parts) > 1:
                parts.sort(key=lambda part: _numbered(part[1]))
            if type_.holds_weights:
                finished.append((key, self._gradient(key, parts)))
                continue
            blame = self._combined(address, parts)
            self._hand_on(key, type_, blame, needed, arrived)
        for key, gradient in sorted(finished):
            self.gradients[f"{key}.value"] = f"{gradient.node}.{gradient.port}"
            if key in updates:
                self.trainer = (moved_by or {}).get(key, self.trainer)
                updates[key](key, self._output(f"{key}.value"), gradient)
        for address in self.partial:
            self.gradients.pop(address, None)
            self.numbers.pop(address, None)

    def _between(self, costs: Iterable[str]) -> frozenset[str]:
        """Return the nodes on the way from a trainable parameter to one of the costs."""
        ends = frozenset(cost.rpartition(".")[0] for cost in costs)
        if ends not in self.between:
            self.between[ends] = self.graph.upstream(ends) & self._moving
        return self.between[ends]

    @cached_property
    def _moving(self) -> set[str]:
        """Trainable parameters, and all that depends on one."""
        moving: set[str] = set()
        graph = self.graph
        for key in self.inference.order:
            if graph.nodes[key].is_parameter:
                if graph.settings(key)["trainable"]:
                    moving.add(key)
            elif any(
                wire.source in moving and not graph.feeds_back(wire) for wire in graph.into(key)
            ):
                moving.add(key)
        return moving

    def _hand_on(
        self,
        key: str,
        type_: NodeType,
        blame: Blame,
        needed: frozenset[str],
        arrived: dict[str, list[_Part]],
    ) -> None:
        if self._hand_on_alike(key, type_, blame, needed, arrived):
            return
        graph = self.graph
        wires = graph.inputs(key)
        arriving = {
            name: [self._output(wire.start) for wire in there] for name, there in wires.items()
        }
        given = _given(type_, type_.ports_in(graph.nodes[key].settings), arriving)
        moved = [wire for there in wires.values() for wire in there if wire.source in needed]
        outputs = {port.name: self._output(f"{key}.{port.name}") for port in type_.outputs}
        whole = next(iter(outputs.values()))
        known = self.logits.get(key)
        contributions: Mapping[str, Any]
        if known is not None and known.activation in type_.rules_through:
            # No blame for the activation, whose slope has no digits left where it is saturated.
            self.partial |= known.between
            self._hand_to_sums(key, type_, known, blame, given["y"], needed, arrived)
            moved = [wire for wire in moved if wire.input != "a"]
            contributions = {"y": lambda: self._blame_of_targets(type_, known, blame)}
        elif type_.rule is None:
            reason = type_.no_backward or "its type has no backward rule"
            raise NoBackward(
                f"blame cannot pass '{key}' ({type_.name}): {reason}; "
                "take it off the way to the cost, or give its type a rule",
                node=key,
            )
        else:
            if (
                type_.family == "layer"
                and not isinstance(blame, Output)
                and self.shape_of(whole).batch
            ):
                blame = spread(blame, whole)  # its rule adds up over the samples
            # Ports that a setting names could be called anything: their rule gets them as one.
            named = {"inputs": given} if type_.dynamic_inputs else {**given, **outputs}
            with foreign(type_, key, "the backward rule"):
                contributions = _call(type_.rule, blame, named, graph.settings(key))
        if not isinstance(contributions, Mapping):
            raise NoBackward(
                f"blame cannot pass '{key}' ({type_.name}): its rule returns a "
                f"{type(contributions).__name__}, and not blames by port",
                node=key,
            )
        over_rows = isinstance(blame, Output) and self.shape_of(blame).batch
        for wire in moved:
            if wire.input not in contributions and not graph.feeds_back(wire):
                raise NoBackward(
                    f"blame cannot pass '{key}' ({type_.name}) to its input '{wire.input}': "
                    "its rule has none for it; take what is trained off that input",
                    node=key,
                )
        for name, contribution in contributions.items():
            there = wires.get(name, ())
            if not any(wire in moved for wire in there):
                continue
            parts = self._spread_over(name, there, contribution, key)
            for wire, part in zip(there, parts, strict=True):
                if wire.source in needed:
                    made = part() if callable(part) else part
                    summed = self._is_summed(made, over_rows=over_rows)
                    arrived.setdefault(wire.start, []).append(_Part(made, key, summed))

    def _hand_on_alike(
        self,
        key: str,
        type_: NodeType,
        blame: Blame,
        needed: frozenset[str],
        arrived: dict[str, list[_Part]],
    ) -> bool:
        """Hand on what the rule answers for nodes like this one; False where it must be asked."""
        if key in self.logits or type_.dynamic_inputs or not type_.is_own:
            return False
        graph, shapes, output = self.graph, self.shapes, self._output
        wires = [output(f"{key}.{port.name}") for port in type_.outputs]
        case: list[Any] = [id(graph.nodes[key])]  # nodes of equal settings are one
        if isinstance(blame, Output):
            wires.append(blame)
            case.append(id(self.shape_of(blame)))
        else:
            case.append(blame)
        there = graph.into(key)
        for wire in there:
            source = wire.source
            start = f"{source}.{wire.output}"
            wires.append(output(start))
            case += (wire.input, id(shapes[start]), source in needed)
        known = tuple(case)
        answers = self.answers.get(known)
        if answers is None:
            answers = self.answers[known] = self._answers(key, type_, blame, wires, needed)
        done: dict[int, Made] = {}
        for place, answer, summed in answers:
            wire = there[place]
            part = _Part(self.forms.made(answer, wires, done), key, summed)
            arrived.setdefault(f"{wire.source}.{wire.output}", []).append(part)
        return bool(answers)

    def _answers(
        self, key: str, type_: NodeType, blame: Blame, wires: list[Output], needed: frozenset[str]
    ) -> list[tuple[int, Answer, bool]]:
        """Return what a rule answers for each wire into a node that is to be blamed.

        That is the wire's place, the answer, and whether it was added up over the samples. Empty
        where the node has to be looked at itself.
        """
        if type_.rule is None or (type_.family == "layer" and not isinstance(blame, Output)):
            return []
        rest = (standing_for(place, self.shape_of(wire)) for place, wire in enumerate(wires))
        outputs = {port.name: next(rest) for port in type_.outputs}
        asked: Blame = next(rest) if isinstance(blame, Output) else blame
        places: dict[str, list[int]] = {}
        arriving: dict[str, list[Output]] = {}
        there = self.graph.into(key)
        for place, wire in enumerate(there):
            places.setdefault(wire.input, []).append(place)
            arriving.setdefault(wire.input, []).append(next(rest))
        given = _given(type_, type_.inputs, arriving)
        wanted = {wire.input for wire in there
                  if wire.source in needed and wire.input in given}  # fmt: skip
        known: dict[int, Form] = {}
        found: list[tuple[int, Answer, bool]] = []
        over_rows = isinstance(blame, Output) and self.shape_of(blame).batch
        try:
            answered = _call(type_.rule, asked, {**given, **outputs}, self.graph.settings(key))
            if not isinstance(answered, Mapping) or not wanted <= answered.keys():
                return []
            for name in (name for name in answered if name in wanted):
                answer = answered[name]
                if not isinstance(answer, list):
                    if len(places[name]) > 1:
                        return []
                    answer = [answer]
                for place, part in zip(places[name], answer, strict=True):
                    if there[place].source in needed:
                        made = part() if callable(part) else part
                        if isinstance(made, Penalty):
                            return []
                        summed = self._is_summed(made, over_rows=over_rows)
                        found.append((place, self.forms.of(made, known), summed))
        except NodeflowError:  # it is said of the node itself
            return []
        return found

    def _hand_to_sums(
        self,
        key: str,
        type_: NodeType,
        known: Logits,
        blame: Blame,
        y: Output,
        needed: frozenset[str],
        arrived: dict[str, list[_Part]],
    ) -> None:
        """Hand δ of a cost to the weighted sums before its activations.

        Each activation has the targets of its own features.
        """
        through = type_.rules_through[known.activation]
        at = 0
        for part in known.parts:
            a, z = self._output(part.a), self._output(part.z)
            width = z.shape.features if z.shape else None
            count = width if part.index is None else len(part.index)
            own = y
            if len(known.parts) > 1:
                if count is None:
                    raise GraphError(
                        f"'{key}' takes outputs of unknown width: its data set must be at hand",
                        node=key,
                    )
                own = pick(y, index=at if count == 1 else tuple(range(at, at + count)))
                at += count
            if part.z.rpartition(".")[0] not in needed:
                continue
            chosen = part.index[0] if part.index and count == 1 else part.index
            targets = {"y": own, "missed": subtract(1.0, own)}

            def whole(wire: Output, a: Output = a, index: Any = chosen) -> Output:
                found: Output = CATALOG["pick_blame"](wire, a, index=index)
                return found

            if chosen is None:
                made = _call(through, blame, {"z": z, "a": a, **targets}, {})
            elif known.activation == "softmax":  # each share depends on all the sums
                of_all = {name: whole(wire) for name, wire in targets.items()}
                made = _call(through, blame, {"z": z, "a": a, **of_all}, {})
            else:
                some = {name: pick(wire, index=chosen) for name, wire in (("z", z), ("a", a))}
                made = whole(_call(through, blame, {**some, **targets}, {}))
            summed = self.shape_of(made).batch
            arrived.setdefault(part.z, []).append(_Part(made, key, summed))

    def _blame_of_targets(self, type_: NodeType, known: Logits, blame: Blame) -> Blame:
        """Return blame for the targets of a cost, from the weighted sums as well."""
        surprise = type_.in_sums[known.activation].slope
        parts = []
        for part in known.parts:
            found = surprise(self._output(part.z))
            parts.append(found if part.index is None else pick(found, index=part.index))
        whole: Output = parts[0] if len(parts) == 1 else CATALOG["concatenate"](*parts)
        return times(blame, whole)

    def _spread_over(
        self, name: str, there: tuple[Wire, ...], contribution: Any, key: str
    ) -> list[Any]:
        """Return one contribution a wire; a joined blame is cut into the wires' features."""
        if isinstance(contribution, list):
            return contribution
        if len(there) == 1:
            return [contribution]
        whole = contribution() if callable(contribution) else contribution
        whole = whole if isinstance(whole, Output) else self._literal(whole, there)
        if isinstance(whole.node, Made):
            whole = self.place(whole, self._free(f"{key}.blames"))
        parts, at = [], 0
        for wire in there:
            width = self.shapes[wire.start].features
            if width is None:
                raise GraphError(
                    f"'{key}.{name}' joins wires of unknown width: its data set must be at hand",
                    node=key,
                )
            index = at if width == 1 else tuple(range(at, at + width))
            parts.append(pick(whole, index=index))
            at += width
        return parts

    def _literal(self, value: float, there: tuple[Wire, ...]) -> Output:
        width = sum(self.shapes[wire.start].features or 1 for wire in there)
        made: Output = CATALOG["constant"](value=(value,) * width)
        return made

    def _is_summed(self, blame: Blame, *, over_rows: bool) -> bool:
        """Whether a blame was added up over the samples, or will be where its wire has none."""
        return isinstance(blame, Output) and (over_rows or self.shape_of(blame).batch)

    def _output(self, address: str) -> Output:
        found = self.outputs.get(address)
        if found is None:
            key, _, port = address.rpartition(".")
            found = Output(key, port, self.shapes.get(address))
            if found.shape is not None:
                self.outputs[address] = found
        return found

    # -- putting contributions together

    def _combined(self, address: str, parts: list[_Part]) -> Blame:
        """Return the whole blame of a port, placed and named."""
        key, name = address.rpartition(".")[0], self._name(address)
        batch = self.shapes[address].batch
        if len(parts) == 1 and isinstance(parts[0].blame, Output) and (batch or not self.has_rows):
            part = self._fitted(parts[0], address)
            whole = self._summed([part if batch else self._shaped(part, address)], name)
            self.gradients[address] = f"{whole.node}.{whole.port}"
            return whole
        parts = [self._fitted(self._decayed(part, address), address) for part in parts]
        numbers = [part.blame for part in parts if not isinstance(part.blame, Output)]
        if len(numbers) == len(parts):
            self.numbers[address] = math.fsum(numbers)
            return self.numbers[address]
        summed = [] if self.shapes[address].batch or not self.has_rows else [
            part for part in parts if part.summed]  # fmt: skip
        rest = [part for part in parts if part not in summed]
        if not self.shapes[address].batch:
            rest = [self._shaped(part, address) for part in rest]
        if summed:
            whole = self._averaged(address, summed)
            if rest:
                whole = self._summed([_Part(whole, key), *rest], name)
        else:
            whole = self._summed(self._by_layer(rest, name), name)
        self.gradients[address] = f"{whole.node}.{whole.port}"
        return whole

    def _by_layer(self, parts: list[_Part], name: str) -> list[_Part]:
        """Add up what the operations of a neuron blame, then the neurons of a layer.

        So the order of addition is that of the layers where they are whole.
        """
        neurons, layers, place = self.wholes
        if not place and not neurons:
            return parts
        for wholes in (neurons, layers):
            there: dict[str, list[_Part]] = {}
            for part in parts:
                there.setdefault(wholes.get(part.owner, part.owner), []).append(part)
            for found in there.values():
                found.sort(key=lambda part: place.get(part.owner, 0))
            if 1 < len(there) < len(parts):
                parts = [
                    found[0]
                    if len(found) == 1
                    else found[0]._replace(blame=self._summed(found, f"{name}.{number}"))
                    for number, found in enumerate(there.values(), 1)
                ]
            elif len(there) == 1:
                (parts,) = there.values()
        return parts

    def _summed(self, parts: list[_Part], name: str) -> Output:
        if len(parts) == 1:
            part = parts[0]
            if not isinstance(part.blame, Output):
                return self._constant(part.blame, name)
            delta = name.endswith(".delta")
            made = part.blame.node
            is_error = isinstance(made, Made) and made.type.name.endswith("error")
            named = f"{part.owner}.error" if is_error and not delta else name
            return self.place(part.blame, named, owner=part.owner)
        placed = [
            self.place(part.blame, f"{name}.{number}", owner=part.owner)
            if isinstance(part.blame, Output)
            else self._constant(part.blame, f"{name}.{number}")
            for number, part in enumerate(parts, 1)
        ]
        return self.place(add(*placed), name)

    def _averaged(self, address: str, parts: list[_Part], penalty: float | None = None) -> Output:
        """Return Δ/n + λΘ of what was added up over the samples: ∂J/∂ of a value without rows.

        A penalty of 0 has its part as any other: the nodes do not depend on numbers.
        """
        key, value = address.rpartition(".")[0], self._output(address)
        total = self._summed(parts, f"{key}.gradient")
        alike = self.shape_of(total).dims == self.shapes[address].dims
        if alike and penalty is None:
            return self._put(average, NO_SETTINGS, f"{key}.average", total=total)
        decay = penalty or 0.0
        settings = self.decays.setdefault(decay, {"regularization": decay})
        return self._put(average, settings, f"{key}.average", total=total, weights=value)

    def _gradient(self, key: str, parts: list[_Part]) -> Output:
        """Return D = ∂J/∂Θ of a parameter, in its shape.

        What its readers blame it for sample by sample is added up and averaged; what has no
        sample axis is a part of ∂J/∂Θ as it is. A graph without rows has one sample.
        """
        address = f"{key}.value"
        only = parts[0].blame if len(parts) == 1 else None
        if isinstance(only, Output) and (parts[0].summed or not self.has_rows):
            return self._averaged(address, [self._fitted(parts[0], address)])
        penalties = [part.blame for part in parts if isinstance(part.blame, Penalty)]
        penalty = math.fsum(part.regularization for part in penalties) if penalties else None
        parts = [
            self._fitted(part, address) for part in parts if not isinstance(part.blame, Penalty)
        ]
        summed = [part for part in parts if part.summed or not self.has_rows]
        rest = [self._shaped(part, address) for part in parts if part not in summed]
        if not summed:
            if penalty is not None or not rest:
                decay = _Part(times(penalty or 0.0, self._output(address)), key)
                rest.append(self._shaped(decay, address))
            return self._summed(rest, f"{key}.gradient")
        mean = self._averaged(address, summed, penalty)
        if not rest:
            return mean
        return self._summed([_Part(mean, key), *rest], f"{key}.derivative")

    def _decayed(self, part: _Part, address: str) -> _Part:
        """Return λΘ as a wire, for weights that are computed: `average` adds it to a parameter."""
        if not isinstance(part.blame, Penalty):
            return part
        return part._replace(blame=times(part.blame.regularization, self._output(address)))

    def _fitted(self, part: _Part, address: str) -> _Part:
        if not isinstance(part.blame, Output):
            return part
        blame = self._fit(part.blame, address)
        return part if blame is part.blame else part._replace(blame=blame)

    def _shaped(self, part: _Part, address: str) -> _Part:
        """Return what has as many numbers as a value in that value's very shape."""
        wanted = self.shapes[address]
        blame = self._constant_of(part.blame)
        dims = self.shape_of(blame).dims
        if dims != wanted.dims and None not in (*dims, *wanted.dims):
            row = len(wanted.dims) == 1
            blame = bias_gradient(blame) if row else spread(blame, self._output(address))
        return part if blame is part.blame else part._replace(blame=blame)

    def _constant_of(self, blame: Blame) -> Output:
        made: Output = blame if isinstance(blame, Output) else CATALOG["constant"](value=blame)
        return made

    def _fit(self, part: Output, address: str) -> Output:
        """Undo broadcasting: blame must have the shape of the value it is the blame of."""
        wanted = self.shapes[address]
        shape = self.shape_of(part)
        if shape is wanted or None in wanted.dims or None in shape.dims:
            return part
        both = id(shape), id(wanted)
        if both in self.fitting:
            return part
        given = part
        if shape.flat[1] != wanted.flat[1]:
            if wanted.flat[1] == 1:
                part = sum_(part)
            elif shape.flat[1] == 1:
                part = spread(part, self._output(address))
        if self.shape_of(part).batch and not wanted.batch:
            part = bias_gradient(part)
        shape = self.shape_of(part)
        if wanted.batch and not shape.batch:  # each sample has its own, were they all the same
            part = spread(part, self._output(address))
        elif shape.flat[0] != wanted.flat[0] and wanted.flat[0] == 1 and not wanted.batch:
            part = bias_gradient(part)
        if part is given:  # both shapes are kept: those of inputs and of cases
            self.fitting.add(both)
        return part

    def shape_of(self, wire: Output) -> Shape:
        """Return the shape of a wire, also of nodes that are not placed yet."""
        if wire.shape is not None:
            return wire.shape
        if isinstance(wire.node, str):
            return self.shapes[f"{wire.node}.{wire.port}"]
        if id(wire.node) in self.placed:
            return self.shapes[f"{self.placed[id(wire.node)][1]}.{wire.port}"]
        made = wire.node
        return self._shapes_of(made)[[port.name for port in made.type.outputs].index(wire.port)]

    def _shapes_of(self, made: Made) -> tuple[Shape, ...]:
        """Return the output shapes of a node that is not placed yet, inferred once."""
        if id(made) not in self.inferred:
            self.inferred[id(made)] = made, self._infer(made)
        return self.inferred[id(made)][1]

    def _infer(self, made: Made) -> tuple[Shape, ...]:
        # What is fed by the same shapes has the same; equal shapes are one object, and so are
        # the settings of nodes that are made alike. Some types' shapes do not depend on them.
        has_say = made.settings and not isinstance(made.type.shapes, Signature)
        case: list[Any] = [made.type, made.settings if has_say else None]
        for port, sources in made.inputs.items():
            case.append(port)
            case += [self.shape_of(source) for source in sources]
        key = tuple([part if isinstance(part, str) else id(part) for part in case])
        known = self.cases.get(key)
        if known is None:
            found = [self.same.setdefault(shape, shape) for shape in self._infer_anew(made)]
            # What a case is of is kept with it: an id is good for as long as its object is.
            known = self.cases[key] = case, tuple(found)
        return known[1]

    def _infer_anew(self, made: Made) -> tuple[Shape, ...]:
        settings = made.type.check(made.settings, made.type.name)
        names: list[str] = []
        given: list[Shape | None] = []
        for port in made.type.ports_in(settings):
            sources = made.inputs.get(port.name, ())
            shapes = [self.shape_of(source) for source in sources]
            if port.many and made.type.joined != port.name:
                names += [f"{port.name}[{i}]" for i in range(len(shapes))]
                given += shapes
            elif len(shapes) > 1:
                names.append(port.name)
                widths = [shape.features or 0 for shape in shapes]
                batch = any(shape.batch for shape in shapes)
                total = sum(widths)
                given.append(Shape((total,), batch=True) if batch else Shape((1, total)))
            elif not port.feedback:
                names.append(port.name)
                given.append(shapes[0] if shapes else None)
        found = made.type.shapes
        if isinstance(found, Signature):
            return found.apply(names, given, made.type.name)
        if found is not None:
            return found(settings, *given)
        return probe(made.type, settings, dict(zip(names, given, strict=True)), made.type.name)

    # -- placing

    def place(self, wire: Output, name: str, *, owner: str = "") -> Output:
        """Put the nodes of an expression into the graph; the last one is called `name`."""
        if isinstance(wire.node, str):
            return wire
        made = wire.node
        placed = self.placed.get(id(made))
        if placed is not None:
            return self._output(f"{placed[1]}.{wire.port}")
        shapes = self._shapes_of(made)
        key, wires = self._free(name), list[Wire]()
        for port, sources in made.inputs.items():
            several = len(sources) > 1
            for index, source in enumerate(sources):
                node, output = source.node, source.port
                if not isinstance(node, str):
                    child = node.type.name
                    is_error = owner and child.endswith("error")
                    start = self.place(
                        source, f"{owner}.error" if is_error else f"{name}.{child}", owner=owner
                    )
                    node, output = str(start.node), start.port
                wires.append(Wire(node, output, key, port, index if several else None))
        if len(made.inputs) > 1:
            wires.sort(key=by_port)
        self._add(key, self._node(made.type.name, made.settings), wires)
        found = wire
        for place, shape in zip(made.type.outputs, shapes, strict=True):
            self.shapes[f"{key}.{place.name}"] = shape
            if place.name == wire.port:
                found = Output(key, wire.port, shape)
        self.placed[id(made)] = (made, key)
        return found

    def _put(
        self, type_: NodeType, settings: Mapping[str, Any], name: str, **inputs: Output
    ) -> Output:
        """Put a node of one output into the graph, that reads wires which are there.

        The inputs are given in the order of their names.
        """
        case = (type_, id(settings), *[id(self.shape_of(wire)) for wire in inputs.values()])
        known = self.put.get(case)
        if known is None:
            made = Made(type_, settings, {port: (wire,) for port, wire in inputs.items()})
            node = self._node(type_.name, settings)
            known = self.put[case] = self._infer(made)[0], node, type_.outputs[0].name
        shape, node, output = known
        key = self._free(name)
        wires = [Wire(w.node, w.port, key, port) for port, w in inputs.items()]  # type: ignore[arg-type]
        self._add(key, node, wires)
        self.shapes[f"{key}.{output}"] = shape
        return Output(key, output, shape)

    def _add(self, key: str, node: Node, wires: list[Wire]) -> None:
        """Add a node, its wires by port and index."""
        self.made[key] = node
        self.wires += wires
        self.into[key] = tuple(wires)
        self.made_for[key] = self.trainer

    def _node(self, name: str, settings: Mapping[str, Any]) -> Node:
        """Return the node of an expression; those of the same settings are one."""
        key = name, id(settings) if settings else 0
        known = self.alike.get(key)
        if known is None:  # an id is good for as long as its object is
            known = self.alike[key] = settings, Node(name, settings)
        return known[1]

    def _free(self, name: str) -> str:
        made, there = self.made, self.graph.nodes
        if name not in made and name not in there:
            return name
        number = 2
        while f"{name}_{number}" in made or f"{name}_{number}" in there:
            number += 1
        return f"{name}_{number}"

    def _name(self, address: str) -> str:
        """Return what the blame of a port is called, after its layer."""
        key = address.rpartition(".")[0]
        type_ = self.graph.type_of(key)
        if type_.family == "layer":
            return f"{key}.delta"
        if type_.family == "activation":
            before = self.graph.inputs(key).get("z", ())
            if before and self.graph.type_of(before[0].source).family == "layer":
                return f"{before[0].source}.blame"
        return f"{key}.blame"


def _numbered(key: str) -> list[tuple[int, str]]:
    """Return what sorts ids by the numbers in them, x.2 before x.10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in key.split(".")]


@lru_cache(maxsize=256)
def _accepts(rule: Any) -> tuple[tuple[str, ...], bool]:
    """Return a rule's parameters, the blame first, and whether it takes any others."""
    parameters = inspect.signature(rule).parameters.values()
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return tuple(p.name for p in parameters), anything


def _given(
    type_: NodeType, ports: Sequence[Port], arriving: Mapping[str, list[Output]]
) -> dict[str, Any]:
    """Return what a rule is given for each port: a wire, several in a list, None without one.

    A port that joins its wires gives a single one as it is.
    """
    given: dict[str, Any] = {}
    for port in ports:
        if port.feedback:
            continue
        wires = arriving.get(port.name, [])
        if port.many and not (type_.joined == port.name and len(wires) == 1):
            given[port.name] = wires
        else:
            given[port.name] = wires[0] if wires else None
    return given


def _call(rule: Any, blame: Blame, wires: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Call a rule with what it asks for: wires by port, settings by name."""
    names, anything = _accepts(rule)
    given = {k: v for k, v in wires.items() if (anything or k in names) and v is not None}
    if getattr(rule, "wants_settings", False):
        given["settings"] = settings
    else:
        given |= {k: v for k, v in settings.items() if k in names and k not in given}
    given.pop(names[0], None)
    return rule(blame, **given)
