"""ONNX out: the nodes of any graph as operators. It is the graph's own plan, node by node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nodeflow import formula as formulas
from nodeflow.errors import InterchangeError
from nodeflow.interchange.onnx_operators import LEAK, Operators
from nodeflow.interchange.programs.recipe import Recipe


class Nodes(Operators):
    """Operators that are nodes of a graph, with the names of their values."""

    def __init__(self, recipe: Recipe, dtype: DTypeLike = np.float64) -> None:
        super().__init__(dtype)
        self.recipe = recipe
        self.names: dict[str, str] = {}
        """The operators' names of the graph's values, by address."""
        for address in recipe.fed:
            key, _, port = address.rpartition(".")
            several = len(recipe.run.machine.splits) > 1
            self.names[address] = port if port != "value" and not several else (
                key if port == "value" else address
            )  # fmt: skip
        self.names |= {address: address for address in recipe.parameters}
        for address, value in recipe.constants.items():
            self.names[address] = self.constant(address, value)
        self.count_rows = ""
        self.rows = ""
        """n, the number of rows, as a real number; "" where there is no input with rows."""

    def take(self, address: str) -> None:
        """Make an input of a constant, under its node's id."""
        self.constants = [one for one in self.constants if one.name != address]
        self.names[address] = address.rpartition(".")[0]

    def count(self) -> None:
        """Have the number of rows ready, where there is an input with rows."""
        if self.recipe.fed:
            shape = self.node("Shape", self.names[next(iter(self.recipe.fed))])
            self.count_rows = self.node("Gather", shape, self.whole(0))
            self.rows = self.real(self.count_rows)

    def say(self, key: str) -> None:
        """Add the operators of a node."""
        type_ = self.recipe.type(key)
        say = _SAID.get(type_)
        if say is None and self.recipe.plan.graph.type_of(key).calculation:
            say = _calculated
        if say is None:
            raise InterchangeError(f"'{key}' ({type_}) has no counterpart among ONNX's operators")
        self.names[self.recipe.output(key)] = say(self, key)

    # -- inputs of a node

    def all(self, key: str, port: str) -> list[str]:
        """Return the values that enter a port."""
        return [self.names[address] for address in self.recipe.inputs(key, port)]

    def one(self, key: str, port: str) -> str:
        """Return the value of a port, several joined side by side."""
        addresses = self.recipe.inputs(key, port)
        if len(addresses) == 1:
            return self.names[addresses[0]]
        batch = any(self.recipe.batched(address) for address in addresses)
        parts = [self.with_rows(a) if batch else self.names[a] for a in addresses]
        return self.node("Concat", *parts, axis=1)

    def with_rows(self, address: str) -> str:
        """Return a value with a row a sample, repeated where it has one for all."""
        if self.recipe.batched(address) or not self.rows:
            return self.names[address]
        width = int(np.prod([size or 1 for size in self.recipe.dims(address)]))
        shape = self.node("Concat", self.count_rows, self.whole(width), axis=0)
        return self.node("Expand", self.names[address], shape)

    def setting(self, key: str, name: str) -> Any:
        """Return a setting of a node."""
        return self.recipe.plan.graph.settings(key)[name]

    def sums(self, key: str) -> str | None:
        """Return z of a cost that is computed from it, and not from the outputs."""
        parts = []
        for address, index in self.recipe.plan.sums(key).values():
            name = self.names[address]
            if index is not None:
                name = self.node("Gather", name, self.whole(*index), axis=1)
            parts.append(name)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def shared(self, value: str) -> str:
        """Return a value divided by the number of samples of the update."""
        return self.node("Div", value, self.rows) if self.rows else value


# --- what each type is ----------------------------------------------------------------------------

_Say = Callable[[Nodes, str], str]


def _plain(kind: str, *ports: str) -> _Say:
    return lambda s, key: s.node(kind, *(s.one(key, port) for port in ports))


def _activation(s: Nodes, key: str) -> str:
    return s.activation(s.recipe.type(key), s.one(key, "z"))


def _weighted_sum(s: Nodes, key: str) -> str:
    weights = s.node("Transpose", s.one(key, "weights"), perm=[1, 0])
    product = s.node("MatMul", s.one(key, "a"), weights)
    bias = s.all(key, "bias")
    return s.node("Add", product, bias[0]) if bias else product


def _less(s: Nodes, value: str) -> str:
    """Return 1 − value."""
    return s.node("Sub", s.number(1.0), value)


def _delta(s: Nodes, key: str) -> str:
    blame, a = s.one(key, "blame"), s.one(key, "a")
    match s.setting(key, "activation"):
        case "sigmoid":
            return s.product(blame, a, _less(s, a))
        case "tanh":
            return s.node("Mul", blame, _less(s, s.node("Mul", a, a)))
        case "relu":
            return s.node("Mul", blame, s.above(a))
        case "leaky_relu":
            steep = s.node("Mul", s.above(a), s.number(1 - LEAK))
            return s.node("Mul", blame, s.node("Add", steep, s.number(LEAK)))
        case "softplus":
            return s.node("Mul", blame, _less(s, s.node("Exp", s.node("Neg", a))))
        case "softmax":
            share = s.total(s.node("Mul", blame, a), 1)
            return s.node("Mul", a, s.node("Sub", blame, share))
        case _:
            return blame


def _squared_error(s: Nodes, key: str) -> str:
    error = s.node("Sub", s.one(key, "a"), s.one(key, "y"))
    total = s.total(s.node("Mul", error, error), 1)
    return s.node("Mul", total, s.number(0.5)) if s.setting(key, "half") else total


def _cross_entropy(s: Nodes, key: str) -> str:
    z, y = s.sums(key), s.one(key, "y")
    if z is not None and s.recipe.plan.activation(key) == "sigmoid":
        return s.total(s.node("Sub", s.activation("softplus", z), s.node("Mul", y, z)), 1)
    a = s.one(key, "a")
    hit = s.node("Mul", y, s.node("Log", a))
    miss = s.node("Mul", _less(s, y), s.node("Log", _less(s, a)))
    return s.node("Neg", s.total(s.node("Add", hit, miss), 1))


def _categorical(s: Nodes, key: str) -> str:
    z, y = s.sums(key), s.one(key, "y")
    kind = s.recipe.plan.activation(key)
    if z is not None and kind == "sigmoid":
        return s.total(s.node("Mul", y, s.activation("softplus", s.node("Neg", z))), 1)
    log = (
        s.activation("log_softmax", z)
        if z is not None and kind == "softmax"
        else s.node("Log", s.one(key, "a"))
    )
    return s.node("Neg", s.total(s.node("Mul", y, log), 1))


def _penalty(s: Nodes, key: str) -> str:
    squares = [s.node("ReduceSumSquare", theta, keepdims=0) for theta in s.all(key, "weights")]
    factor = s.number(0.5 * float(s.setting(key, "regularization")))
    return s.node("Reshape", s.node("Mul", s.add(*squares), factor), s.whole(1, 1))


def _weight_gradient(s: Nodes, key: str) -> str:
    delta = s.with_rows(s.recipe.inputs(key, "delta")[0])
    addresses = s.recipe.inputs(key, "a")
    a = s.with_rows(addresses[0]) if len(addresses) == 1 else s.one(key, "a")
    return s.node("MatMul", s.node("Transpose", delta, perm=[1, 0]), a)


def _bias_gradient(s: Nodes, key: str) -> str:
    return s.total(s.with_rows(s.recipe.inputs(key, "delta")[0]), 0, keep=False)


def _accumulate(s: Nodes, key: str) -> str:
    """Return the total of all rows, which their gradient is already: they go in at once."""
    source = s.recipe.inputs(key, "gradient")[0].rpartition(".")[0]
    if s.recipe.type(source) not in ("weight_gradient", "bias_gradient"):
        raise InterchangeError(
            f"'{key}' accumulates '{source}', and in ONNX all rows go in at once: only a gradient "
            "of weights or of a bias is their sum"
        )
    return s.one(key, "gradient")


def _average(s: Nodes, key: str) -> str:
    mean, weights = s.shared(s.one(key, "total")), s.all(key, "weights")
    if not weights:
        return mean
    shape = [size or 1 for size in s.recipe.dims(s.recipe.inputs(key, "weights")[0])]
    mean = s.node("Reshape", mean, s.whole(*shape))
    rate = float(s.setting(key, "regularization"))
    return s.node("Add", mean, s.node("Mul", weights[0], s.number(rate))) if rate else mean


def _rate(s: Nodes, key: str) -> str:
    given = s.all(key, "rate")
    if not given:
        raise InterchangeError(f"'{key}' has no rate")
    return s.node("Squeeze", given[0])


def _weight_update(s: Nodes, key: str) -> str:
    moved = s.node("Mul", s.one(key, "gradient"), _rate(s, key))
    return s.node("Sub", s.one(key, "parameter"), moved)


def _step(s: Nodes, key: str) -> str:
    gradient = _weight_gradient(s, key) if s.all(key, "a") else _bias_gradient(s, key)
    moved = s.node("Mul", s.shared(gradient), _rate(s, key))
    return s.node("Sub", s.one(key, "parameter"), moved)


def _pick(s: Nodes, key: str) -> str:
    index = s.setting(key, "index")
    places = index if isinstance(index, tuple) else (index,)
    return s.node("Gather", s.one(key, "a"), s.whole(*places), axis=1)


def _expression(s: Nodes, key: str) -> str:
    tree = formulas.parse(s.setting(key, "formula"))
    return s.formula(tree, {name: s.one(key, name) for name in formulas.names(tree)})


def _softmax_error(s: Nodes, key: str) -> str:
    y = s.one(key, "y")
    return s.node("Sub", s.node("Mul", s.one(key, "a"), s.total(y, 1)), y)


def _cross_entropy_blame(s: Nodes, key: str) -> str:
    a = s.one(key, "a")
    error = s.node("Sub", a, s.one(key, "y"))
    slope = s.node("Div", error, s.node("Mul", a, _less(s, a)))
    return s.node("Mul", s.one(key, "blame"), slope)


def _categorical_blame(s: Nodes, key: str) -> str:
    share = s.node("Div", s.one(key, "y"), s.one(key, "a"))
    return s.node("Neg", s.node("Mul", s.one(key, "blame"), share))


def _spread(s: Nodes, key: str) -> str:
    """Return blame for each feature: 0 · a + b."""
    nothing = s.node("Mul", s.one(key, "a"), s.number(0.0))
    return s.node("Add", nothing, s.one(key, "blame"))


def _calculated(s: Nodes, key: str) -> str:
    """Return what a type says that it calculates."""
    graph = s.recipe.plan.graph
    type_ = graph.type_of(key)
    tree = type_.calculated(graph.settings(key))
    said = s.formula(tree, {name: s.one(key, name) for name in formulas.names(tree)})
    return s.total(said, -1) if type_.adds_up else said


def _mean_blame(s: Nodes, key: str) -> str:
    width = float(s.recipe.dims(s.recipe.inputs(key, "a")[0])[-1] or 1)
    return s.node("Div", _spread(s, key), s.number(width))


_OF_THE_FORMAT = ("relu", "leaky_relu", "softplus", "softmax", "log_softmax")
_SAID: dict[str, _Say] = {
    "weighted_sum": _weighted_sum,
    **dict.fromkeys(_OF_THE_FORMAT, _activation),
    "add": lambda s, key: s.add(*s.all(key, "a")),
    "multiply": lambda s, key: s.product(*s.all(key, "a")),
    # What has no row a sample may be a vector: the last axis is that of the features.
    "sum": lambda s, key: s.total(s.one(key, "a"), -1),
    "mean": lambda s, key: s.node("ReduceMean", s.one(key, "a"), s.whole(-1), keepdims=1),
    "mean_blame": _mean_blame,
    "pick": _pick,
    "concatenate": lambda s, key: s.one(key, "a"),
    "expression": _expression,
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "categorical_cross_entropy": _categorical,
    "l2_penalty": _penalty,
    "blame": _plain("MatMul", "delta", "weights"),
    "delta": _delta,
    "softmax_error": _softmax_error,
    "cross_entropy_blame": _cross_entropy_blame,
    "categorical_cross_entropy_blame": _categorical_blame,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "spread": _spread,
    "weight_update": _weight_update,
    "step": _step,
}
