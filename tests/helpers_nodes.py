"""Small graphs around one node type, and the NumPy truth that they are held against."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

import nodeflow as nf
import nodeflow.nodes
from nodeflow.declare import CATALOG, NodeType, Penalty
from nodeflow.graph import Graph
from nodeflow.nodes.arithmetic import times

NODE = "node"
"""The id of the node that a case is about."""

DOMAINS = {
    "any": lambda random, shape: random.uniform(-2, 2, shape),
    "off zero": lambda random, shape: random.uniform(0.2, 2, shape) * random.choice([-1, 1], shape),
    "positive": lambda random, shape: random.uniform(0.3, 3, shape),
    "share": lambda random, shape: random.uniform(0.05, 0.95, shape),
    "class": lambda random, shape: np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])],
    "bit": lambda random, shape: random.integers(0, 2, shape).astype(float),
}
"""Numbers that keep clear of a function's kinks and of where it has no value."""


@dataclass(frozen=True)
class Fed:
    """One wire into a port: rows of a batch, a single row for all of them, or a parameter."""

    kind: str
    shape: tuple[int, ...]
    domain: str = "any"


def rows(features: int, domain: str = "any") -> Fed:
    return Fed("rows", (features,), domain)


def row(features: int, domain: str = "any") -> Fed:
    return Fed("row", (features,), domain)


def theta(*shape: int, domain: str = "any") -> Fed:
    return Fed("theta", shape, domain)


@dataclass(frozen=True)
class Case:
    """A node with its wires by port, and its settings."""

    type: str
    ports: dict[str, tuple[Fed, ...]]
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = "-".join(
            "+".join(f"{fed.kind}{'x'.join(map(str, fed.shape))}" for fed in there)
            for there in self.ports.values()
        )
        settings = "-".join(f"{key}={value}" for key, value in self.settings.items())
        return "-".join(part for part in (self.type, shown, settings) if part)

    @property
    def node_type(self) -> NodeType:
        return CATALOG[self.type]

    def wires(self) -> list[tuple[str, int, Fed]]:
        return [(port, i, fed) for port, there in self.ports.items() for i, fed in enumerate(there)]

    def values(self, n: int) -> dict[str, list[np.ndarray]]:
        """Return fixed random numbers for every wire, rows for n samples."""
        random = np.random.default_rng(crc32(f"{self}{n}".encode()))
        found: dict[str, list[np.ndarray]] = {}
        for port, _, fed in self.wires():
            shape = (
                fed.shape if fed.kind == "theta" else (n if fed.kind == "rows" else 1, *fed.shape)
            )
            found.setdefault(port, []).append(DOMAINS[fed.domain](random, shape))
        return found

    def truth(self, values: dict[str, list[np.ndarray]], samples: int = 1) -> np.ndarray:
        """Return what the type's NumPy function says."""
        type_ = self.node_type
        many = {port.name for port in type_.ports_in(self.full) if port.many}
        inputs = {port: list(there) if port in many else there[0] for port, there in values.items()}
        with np.errstate(all="ignore"):
            return np.asarray(type_.compute(inputs, self.full, samples))

    @property
    def full(self) -> dict[str, Any]:
        return self.node_type.check(self.settings, NODE)

    @property
    def batched(self) -> bool:
        return any(fed.kind == "rows" for _, _, fed in self.wires())


def placed(graph: Graph, name: str, value: np.ndarray, kind: str) -> Graph:
    """Return the graph with one more source, whose address is `name.value`."""
    if kind == "theta":
        return graph.add(name, "parameter", value=value.tolist())
    return graph.add(
        name, "constant", value=value.tolist() if len(value) > 1 else value[0].tolist()
    )


def from_file(
    graph: Graph, folder: Path, columns: dict[str, np.ndarray], name: str = "data"
) -> Graph:
    """Return the graph with these rows fed by one data set, each picked as `name.value`."""
    wide = np.concatenate(list(columns.values()), axis=1)
    path = folder / f"{name}.npz"
    np.savez(path, x=wide, y=np.zeros((len(wide), 1)))
    graph = graph.add(name, "dataset", source=str(path), shuffle=False)
    at = 0
    for key, value in columns.items():
        index = list(range(at, at + value.shape[1]))
        graph = graph.add(key, "pick", index=index).connect(f"{name}.x", f"{key}.a")
        at += value.shape[1]
    return graph


def graph_of(case: Case, values: dict[str, list[np.ndarray]], folder: Path | None = None) -> Graph:
    """Return the graph of a case; with a folder its rows come from a data set there."""
    graph = Graph()
    columns = {}
    for port, i, fed in case.wires():
        name = f"{port}-{i}"
        if fed.kind == "rows" and folder is not None:
            columns[f"in-{name}"] = values[port][i]
        else:
            graph = placed(graph, f"in-{name}", values[port][i], fed.kind)
    if columns:
        graph = from_file(graph, folder, columns)
    graph = graph.add(NODE, case.type, **case.settings)
    for port, i, _ in case.wires():
        graph = graph.connect(f"in-{port}-{i}.value", f"{NODE}.{port}")
    return graph


def computed(graph: Graph, address: str, dtype: Any = np.float64) -> np.ndarray:
    """Return a value after one update of all rows, off the tape, step by step."""
    run = nf.Run(graph, batch="all", dtype=dtype)
    while run.update == 0:
        run.step()
    return run[address]


def kind_of(case: Case, value: np.ndarray, n: int, wire: str = "-0") -> str:
    """Return whether a value has one row per sample, is a single row, or a matrix.

    `wire` is "PORT-NUMBER" for what enters the node, "-0" for what comes out of it.
    """
    if np.ndim(value) < 2 or len(value) == 1:
        return "row"
    for port, i, fed in case.wires():
        if f"{port}-{i}" == wire:
            return fed.kind
    summed = case.type in ("weight_gradient", "bias_gradient")  # over the samples
    return "rows" if case.batched and len(value) == n and not summed else "theta"


def projected(graph: Graph, name: str, address: str, weight: np.ndarray, kind: str) -> Graph:
    """Return the graph with a node `c-NAME`: the sum of a value's numbers, each times a weight."""
    graph = placed(graph, f"r-{name}", np.atleast_2d(weight), kind)
    if kind == "theta":
        graph = graph.set(f"r-{name}", trainable=False)
    graph = graph.add(f"t-{name}", "multiply")
    graph = graph.connect(address, f"t-{name}.a").connect(f"r-{name}.value", f"t-{name}.a")
    last = f"t-{name}.value"
    if kind == "theta":
        graph = graph.add(f"o-{name}", "constant", value=[1.0] * weight.shape[1])
        graph = graph.add(f"w-{name}", "weighted_sum")
        graph = graph.connect(f"o-{name}.value", f"w-{name}.a").connect(last, f"w-{name}.weights")
        last = f"w-{name}.z"
    return graph.add(f"c-{name}", "sum").connect(last, f"c-{name}.a")


@dataclass(frozen=True)
class Training:
    """A graph that trains through a case, and its cost as a plain function."""

    graph: Graph
    case: Case
    n: int
    values: dict[str, list[np.ndarray]]
    weights: dict[str, tuple[np.ndarray, str]]

    def cost(self, values: dict[str, list[np.ndarray]]) -> float:
        """Return J by NumPy alone: the type's function, and the projections."""
        samples = self.n if self.case.batched else 1
        whole = 0.0
        for name, (weight, kind) in self.weights.items():
            port, _, i = name.rpartition("-")
            value = values[port][int(i)] if port else self.case.truth(values)
            whole += (value * weight).sum() / (samples if kind == "rows" else 1)
        return float(whole)

    def slope(self, port: str, i: int, direction: np.ndarray) -> float:
        """Return the central difference of J along a direction of one wire's numbers."""

        def at(step: float) -> float:
            values = {key: list(there) for key, there in self.values.items()}
            values[port][i] = values[port][i] + step * direction
            return self.cost(values)

        h = 1e-3  # four points cancel the third derivative
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)

    def error(self, port: str, i: int, gradient: np.ndarray) -> float:
        """Return the relative error of a gradient along a random direction."""
        value = self.values[port][i]
        random = np.random.default_rng(crc32(f"{self.case}{port}{i}".encode()))
        direction = np.sign(gradient.reshape(value.shape)) * random.uniform(0.5, 1.5, value.shape)
        along = float((gradient.reshape(value.shape) * direction).sum())
        if kind_of(self.case, value, self.n, f"{port}-{i}") == "rows":
            along /= self.n  # blame is a sample's own, J the mean of all
        slope = self.slope(port, i, direction)
        return abs(along - slope) / max(abs(along), abs(slope), 1e-12)


def training(case: Case, n: int = 3, *, fan_out: bool = True) -> Training:
    """Return a graph whose cost is a random projection of the node's output.

    With `fan_out` the numbers of every wire into it count too, so that blame is a sum.
    """
    values = case.values(n)
    random = np.random.default_rng(crc32(f"{case}{n}weights".encode()))
    weights: dict[str, tuple[np.ndarray, str]] = {}
    graph = Graph()
    for port, i, fed in case.wires():
        name, value = f"{port}-{i}", values[port][i]
        if fed.kind == "rows":
            # Half of each number comes through a parameter, so that blame has somewhere to go.
            graph = placed(graph, f"x-{name}", value / 2, "rows")
            graph = graph.add(f"p-{name}", "parameter", value=[1.0] * value.shape[1])
            graph = graph.add(f"s-{name}", "multiply").add(f"in-{name}", "add")
            graph = graph.connect(f"x-{name}.value", f"s-{name}.a")
            graph = graph.connect(f"p-{name}.value", f"s-{name}.a")
            graph = graph.connect(f"x-{name}.value", f"in-{name}.a")
            graph = graph.connect(f"s-{name}.value", f"in-{name}.a")
        else:
            flat = value[0] if fed.kind == "row" else value
            graph = placed(graph, f"in-{name}", flat, "theta")
    graph = graph.add(NODE, case.type, **case.settings)
    for port, i, _ in case.wires():
        graph = graph.connect(f"in-{port}-{i}.value", f"{NODE}.{port}")
    ends = {"-0": (f"{NODE}.{case.node_type.outputs[0].name}", case.truth(values))}
    if fan_out:
        ends |= {f"{p}-{i}": (f"in-{p}-{i}.value", values[p][i]) for p, i, _ in case.wires()}
    graph = graph.add("cost", "add")
    for name, (address, value) in ends.items():
        kind = kind_of(case, value, n, name)
        weight = random.uniform(0.5, 1.5, value.shape) * random.choice([-1, 1], value.shape)
        weights[name] = weight, kind
        graph = projected(graph, f"of{name}", address, weight, kind)
        graph = graph.connect(f"c-of{name}.value", "cost.a")
    graph = graph.add("train", "gradient_descent").connect("cost.value", "train.cost")
    return Training(graph, case, n, values, weights)


def gradients(graph: Graph) -> dict[str, np.ndarray]:
    """Return every gradient of the first update, computed step by step."""
    run = nf.Run(graph, batch="all")
    while run.update == 0:
        run.step()
    return run.gradients


def _same(type_: str, *, domain: str = "any", **settings: Any) -> list[Case]:
    port = CATALOG[type_].inputs[0].name
    return [
        Case(type_, {port: (rows(3, domain),)}, settings),
        Case(type_, {port: (rows(1, domain),)}, settings),
        Case(type_, {port: (theta(4, domain=domain),)}, settings),
    ]


def _pairs(type_: str, b: str = "any") -> list[Case]:
    first, second = (port.name for port in CATALOG[type_].inputs)
    shapes = [
        (rows(3), rows(3, b)),
        (rows(3), rows(1, b)),
        (rows(1), rows(3, b)),
        (rows(3), row(3, b)),
        (row(1), rows(3, b)),
        (theta(2, 3), theta(2, 3, domain=b)),
        (theta(2, 3), theta(1, domain=b)),
        (theta(3), theta(2, 3, domain=b)),
        (theta(2, 1), theta(2, 3, domain=b)),
    ]
    return [Case(type_, {first: (one,), second: (two,)}) for one, two in shapes]


def _many(type_: str) -> list[Case]:
    wires = [
        (rows(3),),
        (rows(3), rows(3)),
        (rows(3), rows(1), row(3), row(1)),
        (row(1), rows(3)),
        (theta(2, 3), theta(3), theta(1)),
        (theta(2, 3), theta(2, 1)),
    ]
    return [Case(type_, {"a": there}) for there in wires]


def _costs(type_: str, a: str, y: str, **settings: Any) -> list[Case]:
    return [
        Case(type_, {"a": (rows(size, a),), "y": (there,)}, settings)
        for size, there in (
            (3, rows(3, y)),
            (1, rows(1, "bit" if y == "class" else y)),
            (3, row(3, y)),
        )
    ]


FORMULAS = {
    "a + b": ("a", "b"),
    "a * b - b / c": ("a", "b", "c"),
    "value * value": ("value",),
    "blame ^ 2 + sin(blame) * cos(a)": ("blame", "a"),
    "sqrt(abs(a)) + log(2 + a^2)": ("a",),
    "tanh(a) * sigmoid(b) - exp(-a)": ("a", "b"),
    "max(a, b) + min(a, 2 * b)": ("a", "b"),
    "step(a) * b + sign(a)": ("a", "b"),
    "2 ^ a + pi": ("a",),
    "a * erf(b) + erf(2 * a)": ("a", "b"),
    "3": (),
}

CASES: tuple[Case, ...] = (
    *(c for name in ("sigmoid", "tanh", "softplus", "identity", "softmax") for c in _same(name)),
    *(c for name in ("relu", "leaky_relu") for c in _same(name, domain="off zero")),
    *_many("add"),
    *_many("multiply"),
    *_pairs("subtract"),
    *_pairs("divide", "off zero"),
    *(c for exponent in (2.0, 3.0, 1.0, 0.0, -1.0, 0.5, 2.5)
      for c in _same("power", domain="positive", exponent=exponent)[:2]),
    *_same("power", domain="off zero"),
    *_same("relay"),
    *_same("exp"),
    *_same("log", domain="positive"),
    *_same("sum"),
    *_same("mean"),
    Case("sum", {"a": (theta(2, 3),)}),
    Case("mean", {"a": (theta(2, 3),)}),
    Case("concatenate", {"a": (rows(2), rows(3))}),
    Case("concatenate", {"a": (rows(1), row(2), rows(3))}),
    Case("concatenate", {"a": (theta(2), theta(3))}),
    Case("concatenate", {"a": (rows(4),)}),
    Case("pick", {"a": (rows(4),)}),
    Case("pick", {"a": (rows(4),)}, {"index": 2}),
    Case("pick", {"a": (rows(4),)}, {"index": (1, 2)}),
    Case("pick", {"a": (rows(4),)}, {"index": (3, 0, 3)}),
    Case("pick", {"a": (theta(4),)}, {"index": (2, 1)}),
    *(
        Case(
            "expression",
            {name: (rows(3, "off zero") if i % 2 == 0 else row(3, "off zero"),)
             for i, name in enumerate(wanted)},
            {"formula": text},
        )
        for text, wanted in FORMULAS.items()
    ),
    Case("expression", {"a": (rows(1),), "b": (rows(3),)}, {"formula": "a * b + b"}),
    *_costs("error", "any", "any"),
    *_costs("squared_error", "any", "any"),
    *_costs("squared_error", "any", "any", half=True),
    *_costs("cross_entropy", "share", "share"),
    *_costs("cross_entropy", "share", "bit"),
    *_costs("categorical_cross_entropy", "share", "class"),
    Case("l2_penalty", {"weights": (theta(2, 3),)}),
    Case("l2_penalty", {"weights": (theta(2, 3), theta(3, 2), theta(4))}, {"regularization": 0.3}),
    Case("weighted_sum", {"a": (rows(3),), "weights": (theta(2, 3),)}),
    Case("weighted_sum", {"a": (rows(3),), "weights": (theta(2, 3),), "bias": (theta(2),)}),
    Case("weighted_sum", {"a": (rows(1),), "weights": (theta(1, 1),), "bias": (theta(1),)}),
    Case(
        "weighted_sum",
        {"a": (rows(2), row(1), rows(1)), "weights": (theta(3, 4),), "bias": (theta(3),)},
    ),
    Case("weighted_sum", {"a": (row(3),), "weights": (theta(2, 3),), "bias": (theta(2),)}),
    # the backward pass itself, and what has no slope
    *_costs("margin", "any", "class"),
    Case("margin_blame", {"blame": (rows(1),), "a": (rows(3),), "y": (rows(3, "class"),)}),
    Case("margin_blame", {"blame": (rows(1),), "a": (rows(1),), "y": (rows(1, "bit"),)}),
    Case("unroll", {"values": (theta(2, 3), theta(4))}),
    Case("unroll", {"values": (theta(1, 1),)}),
    *_costs("accuracy", "any", "class"),
    *_costs("accuracy", "share", "bit", threshold=0.4),
    Case("blame", {"delta": (rows(2),), "weights": (theta(2, 3),)}),
    Case("blame", {"delta": (rows(1),), "weights": (theta(1, 4),)}),
    *(
        Case("delta", {"blame": (rows(3),), "a": (rows(3, a),)}, {"activation": name})
        for name, a in {
            "sigmoid": "share", "tanh": "share", "relu": "off zero", "leaky_relu": "off zero",
            "softplus": "positive", "identity": "any", "softmax": "share",
        }.items()
    ),
    Case("delta", {"blame": (row(3),), "a": (rows(3, "share"),)}),
    Case("weight_gradient", {"delta": (rows(2),), "a": (rows(3),)}),
    Case("weight_gradient", {"delta": (rows(2),), "a": (rows(3), rows(1), row(2))}),
    Case("weight_gradient", {"delta": (rows(2),), "a": (row(3),)}),
    Case("weight_gradient", {"delta": (row(2),), "a": (row(3),)}),
    Case("bias_gradient", {"delta": (rows(3),)}),
    Case("bias_gradient", {"delta": (theta(2, 3),)}),
    Case("accumulate", {"gradient": (theta(2, 3),)}),
    Case("average", {"total": (theta(2, 3),)}),
    Case("average", {"total": (theta(4),), "weights": (theta(4),)}, {"regularization": 0.2}),
    Case("average", {"total": (theta(4),), "weights": (theta(1, 4),)}),
    Case("average", {"total": (theta(1, 4),), "weights": (theta(4),)}, {"regularization": 0.2}),
    Case("average", {"total": (rows(3),)}),
    Case("accumulate", {"gradient": (rows(3),)}),
    Case("weight_update", {"parameter": (rows(3),), "gradient": (rows(3),), "rate": (row(1),)}),
    Case(
        "weight_update",
        {"parameter": (theta(2, 3),), "gradient": (theta(2, 3),), "rate": (row(1),)},
    ),
    Case(
        "step",
        {
            "parameter": (theta(4, 3),), "delta": (rows(4),), "a": (rows(3),), "rate": (row(1),),
        },
    ),
    Case(
        "step",
        {
            "parameter": (theta(4, 3),), "delta": (rows(4),), "a": (rows(1), rows(2)),
            "rate": (row(1),),
        },
    ),
    Case("step", {"parameter": (theta(4),), "delta": (rows(4),), "rate": (row(1),)}),
    Case("step", {"parameter": (theta(1, 4),), "delta": (rows(4),), "rate": (row(1),)}),
    Case("spread", {"blame": (rows(1),), "a": (rows(3),)}),
    Case("spread", {"blame": (theta(2, 1),), "a": (theta(2, 3),)}),
    Case("mean_blame", {"blame": (rows(1),), "a": (rows(3),)}),
    Case("pick_blame", {"blame": (rows(3),), "a": (rows(4),)}, {"index": (3, 0, 3)}),
    Case("pick_blame", {"blame": (rows(1),), "a": (rows(4),)}, {"index": 2}),
    *(
        Case("cross_entropy_blame", {"blame": (one,), "a": (rows(3, "share"),), "y": (y,)})
        for one, y in ((rows(1), rows(3, "bit")), (row(1), row(3, "bit")))
    ),
    Case(
        "categorical_cross_entropy_blame",
        {"blame": (rows(1),), "a": (rows(3, "share"),), "y": (rows(3, "class"),)},
    ),
    Case("softmax_error", {"a": (rows(3, "share"),), "y": (rows(3, "class"),)}),
    Case("softmax_error", {"a": (rows(3, "share"),), "y": (row(3, "share"),)}),
    Case("log_softmax", {"z": (rows(3),)}),
    Case("log_softmax", {"z": (row(3),)}),
    Case("log_others", {"z": (rows(3),)}),
    Case("log_others", {"z": (row(1),)}),
    *(
        Case("softmax_binary_error", {"z": (rows(y.shape[0]),), "y": (y,), "missed": (y,)})
        for y in (rows(3, "bit"), row(3, "share"), rows(1, "share"))
    ),
)  # fmt: skip
"""At least one case for every type with a row kernel and every type with a rule."""

WITH_RULE = tuple(case for case in CASES if case.node_type.rule is not None and case.ports)


FACTOR = 1.001
"""A rule that is off by so much must be found out."""


def off_by_a_little(rule, port: str, index: int):
    """Return a rule whose blame for one wire is multiplied by 1.001."""

    def more(part):
        if isinstance(part, Penalty):
            return Penalty(FACTOR * part.regularization)
        return (lambda: times(FACTOR, part())) if callable(part) else times(FACTOR, part)

    @functools.wraps(rule)
    def changed(*args, **named):
        blames = dict(rule(*args, **named))
        if isinstance(blames[port], list):
            blames[port] = [more(b) if i == index else b for i, b in enumerate(blames[port])]
        else:
            blames[port] = more(blames[port])
        return blames

    return changed
