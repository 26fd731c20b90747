"""What a node computes, as an expression in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.errors import InterchangeError
from nodeflow.interchange.programs.dialects import Dialect
from nodeflow.interchange.programs.recipe import Recipe

_PLAIN = re.compile(r"[\w.]+(\([^()]*\))?")
_CALL = re.compile(r"[\w.]+\([^()]*(\([^()]*\)[^()]*)*\)(\.\w+\([^()]*\))?")


class Speaker:
    """Says what the nodes of a recipe compute, and remembers which functions it takes."""

    def __init__(self, recipe: Recipe, dialect: Dialect, names: Mapping[str, str]) -> None:
        self.recipe, self.dialect, self.names = recipe, dialect, names
        self.helpers: dict[str, None] = {}
        self.samples = "len(x)"
        """How many samples a pass has."""

    def said(self, key: str) -> str:
        """Return the expression of a node; raises `InterchangeError` where it has none."""
        type_ = self.recipe.type(key)
        known = _SAID.get(type_)
        if known is None and self.recipe.plan.graph.type_of(key).calculation:
            known = _calculated
        if known is None:
            raise InterchangeError(
                f"'{key}' ({type_}) cannot be written in {self.dialect.title}: only nodeflow has it"
            )
        return known(self, key)

    # -- parts

    def all(self, key: str, port: str) -> list[str]:
        """Return the variables that enter a port."""
        return [self.names[address] for address in self.recipe.inputs(key, port)]

    def one(self, key: str, port: str) -> str:
        """Return the variable of a port, several joined side by side."""
        return self.joined(self.recipe.inputs(key, port))

    def joined(self, addresses: Sequence[str]) -> str:
        """Return the variable of an address, several joined side by side."""
        found = [self.names[address] for address in addresses]
        if len(found) == 1:
            return found[0]
        batch = any(self.recipe.batched(address) for address in addresses)
        parts = [
            self._as_rows(address) if batch and not self.recipe.batched(address) else name
            for address, name in zip(addresses, found, strict=True)
        ]
        return self.dialect.stack.format(", ".join(parts))

    def _as_rows(self, address: str) -> str:
        width = int(np.prod([size or 1 for size in self.recipe.dims(address)]))
        return f"{self.dialect.module}.broadcast_to({self.names[address]}, (n, {width}))"

    def setting(self, key: str, name: str) -> Any:
        """Return a setting of a node."""
        return self.recipe.plan.graph.settings(key)[name]

    def call(self, function: str, *arguments: str) -> str:
        """Return a call of a function by its plain name, such as exp or sigmoid."""
        known = self.dialect.known.get(function)
        if known is not None:
            return known.format(*(bare(one) for one in arguments))
        if function in self.dialect.helpers:
            self.helpers[function] = None
            return f"{function}({', '.join(bare(one) for one in arguments)})"
        return f"{self.dialect.module}.{function}({', '.join(bare(one) for one in arguments)})"

    def sums(self, expression: str) -> str:
        """Return the sum over the features of each row."""
        return self.dialect.sums.format(grouped(expression))

    def total(self, key: str) -> str:
        """Return the sum over the features of what enters a: of a vector along its one axis."""
        (address, *more), value = self.recipe.inputs(key, "a"), self.sums(self.one(key, "a"))
        vector = (
            not more and not self.recipe.batched(address) and len(self.recipe.dims(address)) < 2
        )
        return value.replace("axis=1", "axis=0").replace("dim=1", "dim=0") if vector else value

    def logits(self, key: str) -> str | None:
        """Return z of a cost that is computed from it, and not from the outputs."""
        known = self.recipe.plan.sums(key)
        if not known:
            return None
        parts = []
        for address, index in known.values():
            name = self.names[address]
            parts.append(name if index is None else f"{name}[:, {list(index)}]")
        return parts[0] if len(parts) == 1 else self.dialect.stack.format(", ".join(parts))

    def written(self, tree: formulas.Expression, given: Mapping[str, str]) -> str:
        """Return a formula that a person typed."""
        kind, *parts = tree
        match kind:
            case "number":
                return number(parts[0])
            case "name":
                return given[parts[0]]
            case "max" | "min":
                left, right = (self.written(part, given) for part in parts)
                if parts[0][0] == "number":
                    left, right = right, left
                form = self.dialect.at_least if kind == "max" else self.dialect.at_most
                return form.format(bare(left), bare(right))
            case "step":
                return f"({bare(self.written(parts[0], given))} > 0) * 1.0"
            case "+" | "-" | "*" | "/" | "**":
                left, right = (self.written(part, given) for part in parts)
                return f"{grouped(left)} {kind} {grouped(right)}"
            case _:
                return self.call(kind, *(self.written(part, given) for part in parts))


def number(value: float) -> str:
    """Return a number as Python writes it, whole ones without a point."""
    value = float(value)
    if not np.isfinite(value):
        return f'float("{value}")'
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def grouped(expression: str) -> str:
    """Return an expression that can be a factor."""
    if _PLAIN.fullmatch(expression) or _CALL.fullmatch(expression) or _enclosed(expression):
        return expression
    return f"({expression})"


def bare(expression: str) -> str:
    """Return an expression without brackets around all of it."""
    return expression[1:-1] if _enclosed(expression) else expression


def _enclosed(text: str) -> bool:
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


# --- what each type is ----------------------------------------------------------------------------


def _weighted_sum(s: Speaker, key: str) -> str:
    bias = s.all(key, "bias")
    product = f"{s.one(key, 'a')} @ {s.one(key, 'weights')}.T"
    return f"{product} + {bias[0]}" if bias else product


def _joined_by(sign: str) -> Callable[[Speaker, str], str]:
    return lambda s, key: f" {sign} ".join(grouped(one) for one in s.all(key, "a"))


def _of(function: str, port: str) -> Callable[[Speaker, str], str]:
    return lambda s, key: s.call(function, s.one(key, port))


def _same(port: str) -> Callable[[Speaker, str], str]:
    return lambda s, key: s.one(key, port)


def _binary(first: str, sign: str, second: str) -> Callable[[Speaker, str], str]:
    return lambda s, key: f"{s.one(key, first)} {sign} {s.one(key, second)}"


def _expression(s: Speaker, key: str) -> str:
    tree = formulas.parse(s.setting(key, "formula"))
    return bare(s.written(tree, {name: s.one(key, name) for name in formulas.names(tree)}))


def _calculated(s: Speaker, key: str) -> str:
    """Return what a type says that it calculates."""
    graph = s.recipe.plan.graph
    type_ = graph.type_of(key)
    tree = type_.calculated(graph.settings(key))
    said = bare(s.written(tree, {name: s.one(key, name) for name in formulas.names(tree)}))
    return s.sums(said) if type_.adds_up else said


def _delta(s: Speaker, key: str) -> str:
    blame, a = s.one(key, "blame"), s.one(key, "a")
    match s.setting(key, "activation"):
        case "sigmoid":
            return f"{blame} * {a} * (1 - {a})"
        case "tanh":
            return f"{blame} * (1 - {a} * {a})"
        case "relu":
            return f"{blame} * ({a} > 0)"
        case "leaky_relu":
            return f"{blame} * {s.dialect.choice.format(f'{a} > 0', 1.0, 0.01)}"
        case "softplus":
            return f"{blame} * -{s.call('expm1', f'-{a}')}"
        case "softmax":
            return f"{a} * ({blame} - {s.sums(f'{blame} * {a}')})"
        case _:
            return blame


def _squared_error(s: Speaker, key: str) -> str:
    total = s.sums(f"({s.one(key, 'a')} - {s.one(key, 'y')}) ** 2")
    return f"0.5 * {total}" if s.setting(key, "half") else total


def _cross_entropy(s: Speaker, key: str) -> str:
    z, a, y = s.logits(key), s.one(key, "a"), s.one(key, "y")
    if z is not None and s.recipe.plan.activation(key) == "sigmoid":
        return s.sums(f"{s.call('softplus', z)} - {y} * {z}")
    log_a, rest = s.call("log", a), s.call("log", f"1 - {a}")
    return f"-{s.sums(f'{y} * {log_a} + (1 - {y}) * {rest}')}"


def _categorical(s: Speaker, key: str) -> str:
    z, y = s.logits(key), s.one(key, "y")
    kind = s.recipe.plan.activation(key)
    if z is not None and kind == "softmax":
        return f"-{s.sums(f'{y} * ' + s.call('log_softmax', z))}"
    if z is not None and kind == "sigmoid":
        return s.sums(f"{y} * {s.call('softplus', f'-{grouped(z)}')}")
    return f"-{s.sums(f'{y} * ' + s.call('log', s.one(key, 'a')))}"


def _penalty(s: Speaker, key: str) -> str:
    squares = " + ".join(f"({theta} ** 2).sum()" for theta in s.all(key, "weights"))
    if len(s.all(key, "weights")) > 1:
        squares = f"({squares})"
    return f"{number(s.setting(key, 'regularization'))} / 2 * {squares}"


def _accuracy(s: Speaker, key: str) -> str:
    limit = number(s.setting(key, "threshold"))
    y = s.recipe.inputs(key, "y")
    return hits(s, s.one(key, "a"), s.one(key, "y"), limit, alone=s.recipe.dims(y[0])[-1] == 1)


def hits(s: Speaker, a: str, y: str, limit: str, *, alone: bool) -> str:
    """Return which samples are right: by the threshold where there is one output `alone`."""
    if alone:
        return f"({a} >= {limit}) == ({y} >= {limit})"
    return f"{s.dialect.highest.format(a)} == {s.dialect.highest.format(y)}"


def _average(s: Speaker, key: str) -> str:
    total, weights = s.one(key, "total"), s.all(key, "weights")
    mean = total if s.samples == "1" else f"{grouped(total)} / {s.samples}"
    if weights:
        address = s.recipe.inputs(key, "weights")[0]
        if s.recipe.dims(s.recipe.inputs(key, "total")[0]) != s.recipe.dims(address):
            mean = f"({mean}).reshape({weights[0]}.shape)"
        if s.setting(key, "regularization"):
            return f"{mean} + {number(s.setting(key, 'regularization'))} * {weights[0]}"
    return mean


def _rate(s: Speaker, key: str) -> str:
    given = s.recipe.inputs(key, "rate")
    if not given:
        raise InterchangeError(f"'{key}' has no rate")
    name = s.names[given[0]]
    return name if _single(s, given[0]) else f"{name}.reshape(())"


def _single(s: Speaker, address: str) -> bool:
    """Return whether a value is one number, and no array: a constant, or a formula of constants."""
    key = address.rpartition(".")[0]
    return address in s.recipe.constants or (
        s.recipe.type(key) == "expression"
        and all(_single(s, w.start) for w in s.recipe.plan.graph.into(key))
    )  # fmt: skip


def _weight_update(s: Speaker, key: str) -> str:
    gradient = s.one(key, "gradient")
    return f"{s.one(key, 'parameter')} - {_rate(s, key)} * {grouped(gradient)}"


def _step(s: Speaker, key: str) -> str:
    weights, delta = s.one(key, "parameter"), s.one(key, "delta")
    share = "" if s.samples == "1" else f" / {s.samples}"
    if s.recipe.inputs(key, "a"):
        return f"{weights} - {_rate(s, key)} * ({delta}.T @ {s.one(key, 'a')}{share})"
    return f"{weights} - {_rate(s, key)} * {_over_samples(s, delta)}{share}"


def _over_samples(s: Speaker, name: str) -> str:
    return f"{name}.sum({'dim' if s.dialect.name == 'torch' else 'axis'}=0)"


def _softmax_binary_error(s: Speaker, key: str) -> str:
    shares, y, missed = (s.call("softmax", s.one(key, "z")), s.one(key, "y"), s.one(key, "missed"))
    odds = f"{missed} / (1 - {shares})"
    others = f"{s.sums(odds)} - {odds}"
    return f"{shares} * ({s.sums(f'{y} + {missed}')} - ({others})) - {y}"


def _pick(s: Speaker, key: str) -> str:
    index = s.setting(key, "index")
    a = s.one(key, "a")
    if isinstance(index, tuple):
        return f"{a}[:, {list(index)}]"
    return f"{a}[:, {index}:{index + 1}]"


def _mean(s: Speaker, key: str) -> str:
    width = s.recipe.dims(s.recipe.inputs(key, "a")[0])[-1]
    return f"{s.total(key)} / {width}"


def _mean_blame(s: Speaker, key: str) -> str:
    width = s.recipe.dims(s.recipe.inputs(key, "a")[0])[-1]
    return f"{s.one(key, 'blame')} / {width} * {_ones_like(s, key)}"


def _ones_like(s: Speaker, key: str) -> str:
    return s.call("ones_like", s.one(key, "a"))


def _accumulate(s: Speaker, key: str) -> str:
    return f"{s.names[s.recipe.output(key)]} + {s.one(key, 'gradient')}"


_SAID: dict[str, Callable[[Speaker, str], str]] = {
    "weighted_sum": _weighted_sum,
    "relu": _of("relu", "z"),
    "leaky_relu": _of("leaky_relu", "z"),
    "softplus": _of("softplus", "z"),
    "softmax": _of("softmax", "z"),
    "log_softmax": _of("log_softmax", "z"),
    "add": _joined_by("+"),
    "multiply": _joined_by("*"),
    "sum": lambda s, key: s.total(key),
    "mean": _mean,
    "mean_blame": _mean_blame,
    "pick": _pick,
    "concatenate": _same("a"),
    "expression": _expression,
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "categorical_cross_entropy": _categorical,
    "l2_penalty": _penalty,
    "accuracy": _accuracy,
    "blame": _binary("delta", "@", "weights"),
    "delta": _delta,
    "softmax_error": lambda s, key: (
        f"{s.one(key, 'a')} * {s.sums(s.one(key, 'y'))} - {s.one(key, 'y')}"
    ),
    "softmax_binary_error": _softmax_binary_error,
    "cross_entropy_blame": lambda s, key: (
        f"{s.one(key, 'blame')} * ((1 - {s.one(key, 'y')}) / (1 - {s.one(key, 'a')}) "
        f"- {s.one(key, 'y')} / {s.one(key, 'a')})"
    ),
    "categorical_cross_entropy_blame": lambda s, key: (
        f"-{s.one(key, 'blame')} * {s.one(key, 'y')} / {s.one(key, 'a')}"
    ),
    "weight_gradient": lambda s, key: f"{s.one(key, 'delta')}.T @ {s.one(key, 'a')}",
    "bias_gradient": lambda s, key: _over_samples(s, s.one(key, "delta")),
    "accumulate": _accumulate,
    "average": _average,
    "spread": lambda s, key: f"{s.one(key, 'blame')} * {_ones_like(s, key)}",
    "weight_update": _weight_update,
    "step": _step,
}
