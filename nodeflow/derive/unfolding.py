"""Unfold: the backward pass and the updates as nodes, by the rules of the node types.

Reverse topological order: each node hands the blame that has arrived at its output to its rule,
which says in terms of other nodes what arrives at its inputs. `fold` is the way back.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from nodeflow.declare import (
    CATALOG,
    Blame,
    Made,
    NodeType,
    Output,
    Penalty,
    inert,
)
from nodeflow.derive.modes import resolve
from nodeflow.derive.shapes import Inference, infer, order_of
from nodeflow.derive.tidy import under
from nodeflow.errors import GraphError, NoBackward, NodeflowError
from nodeflow.graph import Graph, Node, Wire
from nodeflow.nodes.arithmetic import add, multiply, pick, sum_, times
from nodeflow.nodes.backward import average, bias_gradient, spread
from nodeflow.nodes.expression import expression
from nodeflow.nodes.source import parameter
from nodeflow.nodes.update import weight_update
from nodeflow.shape import Shape

RECORD = "unfolded"
"""The graph file's key under which an unfolded graph keeps what `fold` needs."""


@dataclass(frozen=True)
class Unfolding:
    """A graph with its backward pass, and where in it the gradient of each port is."""

    graph: Graph
    inference: Inference
    """Shapes of the whole; problems are those of the graph it was made from."""
    gradients: Mapping[str, str] = field(default_factory=dict)
    """Forward address to the address of ∂C/∂ (for parameters ∂J/∂) of it."""
    cost: str | None = None
    """Address of the cost that is minimised."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Forward address to ∂C/∂ of it, where that is one number for each sample and needs no node."""


def unfold(graph: Graph) -> Graph:
    """Return the graph with each trainer replaced by its backward pass, as nodes.

    Raises `NoBackward` where blame cannot pass and `GraphError` for a trainer that has to stay
    folded. A graph without a trainer comes back as it is.
    """
    trainers = graph.of_family("trainer")
    for key in trainers:
        if graph.nodes[key].type == "minimize":
            raise GraphError(
                f"'{key}' (minimize) stays folded: its line search tries weights that no update "
                "keeps; use gradient_descent or adam to see every step",
                node=key,
            )
    for key in trainers:
        graph = _replaced(graph, key)
    return graph


def _replaced(graph: Graph, key: str) -> Graph:
    """Replace one trainer by its nodes and note down what `fold` needs."""
    if graph.nodes[key].mode != "active":
        return graph
    whole = evaluated(graph, trainer=key).graph
    made = {k: node for k, node in whole.nodes.items() if k not in graph.nodes}
    trainer = graph.nodes[key]
    record = {
        "type": trainer.type,
        "settings": dict(trainer.settings),
        **trainer.extra,
        "wires": tuple(str(wire) for wire in graph.into(key)),
        "made": tuple(sorted(made)),
    }
    if key in graph.layout:
        record["layout"] = tuple(graph.layout[key])
    folded = graph.remove(key)
    wires = tuple(w for w in whole.wires if w.source in made or w.target in made)
    records = {**graph.extra.get(RECORD, {}), key: record}
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
    for key in reversed(list(records)):
        graph = _folded(graph, key, records[key])
    return graph


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


def _put_back(graph: Graph, key: str, record: _Record) -> Graph:
    """Return the graph with a trainer in the place of what was made of it."""
    rest = {k: v for k, v in graph.extra.get(RECORD, {}).items() if k != key}
    extra = {k: v for k, v in graph.extra.items() if k != RECORD}
    base = graph.remove(*(name for name in record.made if name in graph.nodes))
    return replace(
        base,
        nodes=dict(sorted({**base.nodes, key: record.trainer}.items())),
        wires=tuple(sorted({*base.wires, *record.wires})),
        layout={**base.layout, **record.layout},
        extra={**extra, RECORD: rest} if rest else extra,
    )


def _folded(graph: Graph, key: str, record: _Record) -> Graph:
    strangers = _strangers(graph, record)
    # Without what hangs on the backward pass there is something to compare it with.
    folded = _put_back(graph.remove(*strangers), key, record)
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


def _edited(differ: list[str]) -> GraphError:
    shown = ", ".join(differ[:5]) + (", …" if len(differ) > 5 else "")
    return GraphError(
        f"the backward pass was edited, so it cannot be folded: {shown} "
        f"differ{'s' if len(differ) == 1 else ''} from the rules",
        node=differ[0],
    )


def _strangers(graph: Graph, record: _Record) -> list[str]:
    """Return the nodes that read what was made of a trainer, themselves made by somebody else."""
    made, found = set(record.made), set[str]()
    reached = list(made & graph.nodes.keys())
    while reached:
        for wire in graph.out_of(reached.pop()):
            if not graph.feeds_back(wire) and wire.target not in made | found:
                found.add(wire.target)
                reached.append(wire.target)
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


def evaluated(graph: Graph, *, trainer: str | None = None, strict: bool = True) -> Unfolding:
    """Return the graph whose nodes are really run: modes resolved, trainers unfolded.

    A graph with one cost and no trainer gets a backward pass without updates. With `strict` the
    first problem is raised; without it a trainer that cannot be unfolded becomes a problem of
    its own, and the rest is evaluated.
    """
    unresolved, graph = graph, resolve(graph)
    inference = infer(graph)
    if strict:
        inference.require()
    ruled = _by_rule(unresolved, inference)
    problems = dict(inference.problems)
    trainers = [
        key
        for key in graph.of_family("trainer")
        if key not in problems and key not in inference.waiting and trainer in (None, key)
    ]
    while True:
        builder = _Builder(graph, inference)
        cost = None
        for key in trainers:
            cost = graph.inputs(key)["cost"][0].start
            try:
                builder.train(key, cost)
            except GraphError as error:
                if strict:
                    raise
                problems[key] = error
                trainers.remove(key)
                break
        else:
            break
    if not trainers and trainer is None:
        cost = lone_cost(graph)
        if cost and (cost not in inference.shapes or inference.shapes[cost].features != 1):
            cost = None
        wired = graph.of_type("weight_update") or graph.extra.get(RECORD)  # where all is frozen
        if cost and not wired:
            try:
                builder.differentiate(cost, update=None)
            except GraphError as error:
                # There is no trainer to stop: the values can be had all the same.
                problems.setdefault(error.node or cost, error)
                builder, cost = _Builder(graph, inference), None
    return builder.finish(remove=trainers, cost=cost, problems=problems, ruled=ruled)


@dataclass(frozen=True)
class _Ruled:
    """Where the rules put gradients, and those that are plain numbers."""

    gradients: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


def _by_rule(graph: Graph, inference: Inference) -> _Ruled:
    """Return where the rules put the gradient of each port of a graph that was unfolded.

    Names alone do not tell: a value that several nodes read has the blame of each of them, and
    what passes its blame on has none of its own.
    """
    if not graph.extra.get(RECORD):
        return _Ruled()
    try:
        records = _records(graph)
        for key in reversed(list(records)):
            graph = _put_back(graph, key, records[key])
        graph = resolve(graph)
        builder = _Builder(graph, replace(inference, order=order_of(graph)))
        for key in records:
            cost = graph.inputs(key)["cost"][0]
            if cost.source not in inference.problems and cost.source not in inference.waiting:
                builder.differentiate(cost.start, update=None)
    except (GraphError, KeyError):  # edited since: what is left tells what it can
        return _Ruled()
    return _Ruled(builder.gradients, builder.numbers)


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
    for key, node in graph.nodes.items():
        inputs = graph.inputs(key)
        if node.type == "weight_update" and "parameter" in inputs and "gradient" in inputs:
            start, owner = inputs["parameter"][0].start, inputs["parameter"][0].source
            # A parameter that is not trained is a memory (a velocity, a time), not a weight.
            if graph.nodes[owner].type == "parameter" and graph.settings(owner)["trainable"]:
                found.setdefault(start, _mean_gradient(graph, key))
    return found


def _by_wires(graph: Graph) -> dict[str, str]:
    """Return the gradients of other ports, from wires and names."""
    found: dict[str, str] = {}
    made: set[str] = set()
    with suppress(GraphError):  # a record that cannot be read tells nothing
        made = {name for record in _records(graph).values() for name in record.made}
    for key, node in graph.nodes.items():
        inputs = graph.inputs(key)
        if node.type == "delta" and "a" in inputs:
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
    if graph.nodes[wire.source].type == "parameter":
        return False
    families = ("layer", "activation", "arithmetic", "cost")
    others = (graph.nodes[w.target].known for w in graph.out_of(wire.source) if w != wire)
    return not any(known and known.family in families for known in others)


def _mean_gradient(graph: Graph, update: str) -> str:
    """Return ∂J/∂Θ under an update: its own input, or what stands before a running mean."""
    start = graph.inputs(update)["gradient"][0]
    parameter_id = graph.inputs(update)["parameter"][0].source
    named = f"{parameter_id}.average"
    return f"{named}.gradient" if named in graph.nodes else start.start


# --- building ----------------------------------------------------------------------------------


class _Builder:
    """Adds the nodes of a backward pass to a graph."""

    def __init__(self, graph: Graph, inference: Inference) -> None:
        self.graph = graph
        self.inference = inference
        self.shapes: dict[str, Shape] = dict(inference.shapes)
        self.nodes: dict[str, Node] = dict(graph.nodes)
        self.wires: list[Wire] = list(graph.wires)
        self.placed: dict[int, tuple[Made, str]] = {}
        self.inferred: dict[int, tuple[Made, tuple[Shape, ...]]] = {}  # by identity, kept alive
        self.gradients: dict[str, str] = {}
        self.numbers: dict[str, float] = {}

    def finish(
        self,
        *,
        remove: Iterable[str],
        cost: str | None,
        problems: Mapping[str, NodeflowError],
        ruled: _Ruled,
    ) -> Unfolding:
        gone = set(remove)
        graph = replace(
            self.graph,
            nodes={key: node for key, node in self.nodes.items() if key not in gone},
            wires=tuple(w for w in self.wires if w.target not in gone),
        )
        inference = replace(self.inference, shapes=self.shapes, problems=problems)
        # What was made here is known; for a wired pass the rules tell, or else names and wires.
        known = {a: at for a, at in ruled.gradients.items() if {a, at} <= self.shapes.keys()}
        own = {**(known or _by_wires(self.graph)), **_by_updates(self.graph)}
        numbers = {**ruled.numbers, **self.numbers}
        if cost and own and cost not in own and isinstance(self._start(cost), float):
            numbers[cost] = 1.0  # also where the backward pass was wired by hand
        return Unfolding(graph, inference, {**own, **self.gradients}, cost, numbers)

    # -- trainers

    def train(self, key: str, cost: str) -> None:
        settings = self.graph.settings(key)
        match self.graph.nodes[key].type:
            case "gradient_descent":
                self._descend(key, cost, settings)
            case "adam":
                self._adam(key, cost, settings)
            case _:
                self.differentiate(cost, update=None)

    def _constant(self, value: float, name: str) -> Output:
        return self.place(CATALOG["constant"](value=value), name)

    def _descend(self, key: str, cost: str, settings: Mapping[str, Any]) -> None:
        rate = self._constant(settings["rate"], f"{key}.rate")
        momentum = settings["momentum"]
        minus = self._constant(-1.0, f"{key}.minus") if momentum else rate

        def update(name: str, theta: Output, gradient: Output) -> None:
            if momentum:
                gradient = self._running(f"{name}.velocity", theta, gradient, momentum, minus)
            self._update(name, theta, gradient, rate)

        self.differentiate(cost, update=update)

    def _adam(self, key: str, cost: str, settings: Mapping[str, Any]) -> None:
        rate = self._constant(settings["rate"], f"{key}.rate")
        one, minus = (
            self._constant(sign, f"{key}.{n}") for sign, n in ((1.0, "one"), (-1.0, "minus"))
        )
        beta1, beta2, epsilon = (settings[name] for name in ("beta1", "beta2", "epsilon"))
        rate1 = self._constant(-(1 - beta1), f"{key}.rate1")
        rate2 = self._constant(-(1 - beta2), f"{key}.rate2")
        time = self.place(parameter(value=(0.0,), trainable=False), f"{key}.time")
        now = self._update(f"{key}.time", time, one, minus)
        formula = f"m / (1 - {beta1!r}^t) / (sqrt(v / (1 - {beta2!r}^t)) + {epsilon!r})"

        def update(name: str, theta: Output, gradient: Output) -> None:
            mean = self._running(f"{name}.mean", theta, gradient, beta1, rate1)
            squared = self.place(multiply(gradient, gradient), f"{name}.squared")
            size = self._running(f"{name}.size", theta, squared, beta2, rate2)
            step = self.place(expression(formula=formula, m=mean, v=size, t=now), f"{name}.step")
            self._update(name, theta, step, rate)

        self.differentiate(cost, update=update)

    def _running(
        self, name: str, theta: Output, gradient: Output, keep: float, rate: Output
    ) -> Output:
        """Keep a running sum v ← keep·v − rate·gradient in a parameter that is not trained."""
        shape = self.shapes[f"{theta.node}.{theta.port}"].dims
        memory = self.place(parameter(shape=shape, init="zeros", trainable=False), name)
        kept = self.place(multiply(keep, memory), f"{name}.kept")
        return self._update(name, memory, gradient, rate, start=kept)

    def _update(
        self, name: str, theta: Output, gradient: Output, rate: Output, start: Output | None = None
    ) -> Output:
        new = self.place(weight_update(start or theta, gradient, rate), f"{name}.update")
        self.wires.append(Wire(f"{name}.update", "value", name, "next"))
        return new

    # -- differentiation

    def differentiate(
        self, cost: str, *, update: Callable[[str, Output, Output], None] | None
    ) -> None:
        """Add the nodes that compute ∂C/∂ of every port between the parameters and the cost."""
        graph = self.graph
        end = cost.rpartition(".")[0]
        needed = self._between(end)
        arrived: dict[str, list[tuple[Any, str]]] = {cost: [(self._start(cost), end)]}
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
            parts.sort(key=lambda part: _numbered(part[1]))
            if type_.name == "parameter":
                finished.append((key, self._gradient(key, parts)))
                continue
            blame = self._combined(address, parts)
            self._hand_on(key, type_, blame, needed, arrived)
        for key, gradient in sorted(finished):
            theta = self._output(f"{key}.value")
            self.gradients[f"{key}.value"] = f"{gradient.node}.{gradient.port}"
            if update is not None and graph.nodes[key].mode != "freeze":
                update(key, theta, gradient)

    def _start(self, cost: str) -> Blame:
        """Return the blame of the cost: 1 for each sample.

        A cost without samples, in a graph that has some, counts for all of them: `average`
        divides by their number.
        """
        rows = sorted(
            address
            for address, shape in self.inference.shapes.items()
            if shape.batch and address.rpartition(".")[0] in self.graph.nodes
        )
        if self.shapes[cost].batch or not rows:
            return 1.0
        counted: Output = bias_gradient(spread(1.0, pick(self._output(rows[0]))))
        return counted

    def _between(self, end: str) -> set[str]:
        """Return the nodes on the way from a trainable parameter to the cost."""
        moving: set[str] = set()
        graph = self.graph
        for key in self.inference.order:
            if graph.nodes[key].type == "parameter":
                if graph.settings(key)["trainable"]:
                    moving.add(key)
            elif any(
                wire.source in moving and not graph.feeds_back(wire) for wire in graph.into(key)
            ):
                moving.add(key)
        return moving & graph.upstream([end])

    def _hand_on(
        self,
        key: str,
        type_: NodeType,
        blame: Blame,
        needed: set[str],
        arrived: dict[str, list[tuple[Any, str]]],
    ) -> None:
        graph = self.graph
        wires = graph.inputs(key)
        first = type_.ports_in(graph.nodes[key].settings)[0]
        given = {
            port.name: self._wires(
                wires.get(port.name, ()), many=port.many, joined=type_.joined == port.name
            )
            for port in type_.ports_in(graph.nodes[key].settings)
            if not port.feedback
        }
        before = wires[first.name][0]
        through = type_.rules_through.get(graph.nodes[before.source].type)
        # Both slopes at once, where nothing else comes by: no blame for the targets, and none
        # that reaches the activation from elsewhere, which would stand there alone.
        moved = [wire for there in wires.values() for wire in there if wire.source in needed]
        readers = [wire for wire in graph.out_of(before.source) if wire.target in needed]
        if through is not None and moved == readers == [before]:
            start = graph.inputs(before.source)["z"][0]
            if start.source in needed:
                arrived.setdefault(start.start, []).append((through(blame, **given), key))
            return
        if type_.rule is None:
            reason = type_.no_backward or "its type has no backward rule"
            raise NoBackward(
                f"blame cannot pass '{key}' ({type_.name}): {reason}; "
                "take it off the way to the cost, or give its type a rule",
                node=key,
            )
        outputs = {port.name: self._output(f"{key}.{port.name}") for port in type_.outputs}
        whole = next(iter(outputs.values()))
        if type_.family == "layer" and not isinstance(blame, Output) and self.shape_of(whole).batch:
            blame = spread(blame, whole)  # its rule adds up over the samples
        # Ports that a setting names could be called anything: their rule gets them as one value.
        known = {"inputs": given} if type_.dynamic_inputs else {**given, **outputs}
        contributions = _call(type_.rule, blame, known, graph.settings(key))
        for wire in moved:
            if wire.input not in contributions and not graph.feeds_back(wire):
                raise NoBackward(
                    f"blame cannot pass '{key}' ({type_.name}) to its input '{wire.input}': "
                    "its rule has none for it; take what is trained off that input",
                    node=key,
                )
        for name, contribution in contributions.items():
            there = wires.get(name, ())
            if not any(wire.source in needed for wire in there):
                continue
            parts = self._spread_over(name, there, contribution, key)
            for wire, part in zip(there, parts, strict=True):
                if wire.source in needed:
                    made = part() if callable(part) else part
                    if not isinstance(blame, Output):
                        made = self._batched(made, wire.start, whole)
                    arrived.setdefault(wire.start, []).append((made, key))

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

    def _wires(self, wires: tuple[Wire, ...], *, many: bool, joined: bool) -> Any:
        found = [self._output(wire.start) for wire in wires]
        if many and not (joined and len(found) == 1):
            return found
        return found[0] if found else None

    def _output(self, address: str) -> Output:
        key, _, port = address.rpartition(".")
        return Output(key, port, self.shapes.get(address))

    def _batched(self, part: Any, address: str, whole: Output) -> Any:
        """Turn what holds "for each sample" into a sum where there is no sample axis."""
        shape = self.shapes.get(address)
        if (
            isinstance(part, Penalty)
            # a penalty passes the number on as it is: see `Penalty`
            or (
                not isinstance(part, Output)
                and self.graph.nodes[address.rpartition(".")[0]].type == "l2_penalty"
            )
            or shape is None
            or shape.batch
            or not self.shape_of(whole).batch
            or self.graph.type_of(str(whole.node)).family == "layer"
            or (isinstance(part, Output) and self.shape_of(part).batch)
        ):
            return part
        return times(part, bias_gradient(spread(1.0, whole)))

    # -- putting contributions together

    def _combined(self, address: str, parts: list[tuple[Any, str]]) -> Blame:
        """Return the whole blame of a port, placed and named."""
        name = self._name(address)
        if any(isinstance(part, Penalty) for part, _ in parts):
            raise NoBackward(
                f"l2_penalty takes parameters; '{address}' is not one",
                node=address.rpartition(".")[0],
            )
        fitted = [
            (part if not isinstance(part, Output) else self._fit(part, address), key)
            for part, key in parts
        ]
        numbers = [part for part, _ in fitted if not isinstance(part, Output)]
        if len(numbers) == len(fitted):
            self.numbers[address] = math.fsum(numbers)
            return self.numbers[address]
        whole = self._summed(fitted, name)
        self.gradients[address] = f"{whole.node}.{whole.port}"
        return whole

    def _summed(self, parts: list[tuple[Any, str]], name: str) -> Output:
        if len(parts) == 1:
            part, key = parts[0]
            delta = name.endswith(".delta")
            is_error = isinstance(part.node, Made) and part.node.type.name.endswith("error")
            return self.place(part, f"{key}.error" if is_error and not delta else name, owner=key)
        placed = [
            self.place(part, f"{name}.{number}", owner=key)
            if isinstance(part, Output)
            else self._constant(part, f"{name}.{number}")
            for number, (part, key) in enumerate(parts, 1)
        ]
        return self.place(add(*placed), name)

    def _gradient(self, key: str, parts: list[tuple[Any, str]]) -> Output:
        """Return D of a parameter: its summed gradient, averaged, with λΘ."""
        address = f"{key}.value"
        theta = self._output(address)
        penalty = 0.0
        for part, _ in parts:
            penalty += part.regularization if isinstance(part, Penalty) else 0.0
        fitted = [
            (self._fit(part, address) if isinstance(part, Output) else part, owner)
            for part, owner in parts
            if not isinstance(part, Penalty)
        ]
        numbers = [part for part, _ in fitted if not isinstance(part, Output)]
        if len(numbers) == len(fitted):
            if math.fsum(numbers):
                raise NoBackward(f"the cost is the parameter '{key}' itself", node=key)
            fitted = [(multiply(0.0, theta), key)]
        total = self._summed(fitted, f"{key}.gradient")
        mean = average(total, theta, regularization=penalty) if penalty else average(total)
        return self.place(mean, f"{key}.average")

    def _fit(self, part: Output, address: str) -> Output:
        """Undo broadcasting: blame must have the shape of the value it is the blame of."""
        wanted = self.shapes[address]
        shape = self.shape_of(part)
        if None in wanted.dims or None in shape.dims:
            return part
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
        return part

    def shape_of(self, wire: Output) -> Shape:
        """Return the shape of a wire, also of nodes that are not placed yet."""
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
        from nodeflow.derive.shapes import probe
        from nodeflow.shape import Signature

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
        if id(made) in self.placed:
            return Output(self.placed[id(made)][1], wire.port)
        shapes = self._shapes_of(made)
        key = self._free(name)
        for port, sources in made.inputs.items():
            for index, source in enumerate(sources):
                start = source
                if isinstance(source.node, Made):
                    child = source.node.type.name
                    is_error = owner and child.endswith("error")
                    start = self.place(
                        source, f"{owner}.error" if is_error else f"{name}.{child}", owner=owner
                    )
                self.wires.append(
                    Wire(
                        str(start.node), start.port, key, port, index if len(sources) > 1 else None
                    )
                )
        self.nodes[key] = Node(made.type.name, {k: inert(v) for k, v in made.settings.items()})
        for port_, shape in zip(made.type.outputs, shapes, strict=True):
            self.shapes[f"{key}.{port_.name}"] = shape
        self.placed[id(made)] = (made, key)
        return Output(key, wire.port, self.shapes[f"{key}.{wire.port}"])

    def _free(self, name: str) -> str:
        if name not in self.nodes:
            return name
        number = 2
        while f"{name}_{number}" in self.nodes:
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


def _call(
    rule: Any, blame: Blame, wires: Mapping[str, Any], settings: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Call a rule with what it asks for: wires by port, settings by name."""
    names, anything = _accepts(rule)
    given = {k: v for k, v in wires.items() if (anything or k in names) and v is not None}
    if getattr(rule, "wants_settings", False):
        given["settings"] = settings
    else:
        given |= {k: v for k, v in settings.items() if k in names and k not in given}
    given.pop(names[0], None)
    found: Mapping[str, Any] = rule(blame, **given)
    return found
