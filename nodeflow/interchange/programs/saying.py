"""What a node computes, as an expression in another language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.errors import InterchangeError
from nodeflow.interchange.programs.dialects import Dialect
from nodeflow.interchange.programs.recipe import Recipe

_PLAIN = re.compile(r"[\w.]+(\([^()]*\))?")
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 3}
"""How closely operators bind; what is not among them is enclosed where it is no name or call."""
_CALL = re.compile(r"[\w.]+\([^()]*(\([^()]*\)[^()]*)*\)(\.\w+\([^()]*\))?")


class Speaker:
    """Says what the nodes of a recipe compute, and remembers which functions it takes."""

    def __init__(self, recipe: Recipe, dialect: Dialect, names: Mapping[str, str]) -> None:
        self.recipe, self.dialect, self.names = recipe, dialect, names
        self.helpers: dict[str, None] = {}
        self.samples = "len(x)"
        """How many samples a pass has."""
        self.remarks: dict[str, str] = {}
        """What stands behind the lines of nodes in the place of their formulas."""
        self._key = ""

    def said(self, key: str) -> str:
        """Return the expression of a node; raises `InterchangeError` where it has none."""
        self._key = key
        type_ = self.recipe.plan.graph.type_of(key)
        if type_.written is not None:
            return type_.written(self, key)
        if not type_.calculation:
            raise InterchangeError(
                f"'{key}' ({type_.name}) cannot be written in {self.dialect.title}: "
                "only nodeflow has it"
            )
        said = self.formula(key, type_.calculated(self.recipe.plan.graph.settings(key)))
        return self.sums(said) if type_.adds_up else said

    # -- parts

    def remark(self, text: str) -> None:
        """Say what the line of a node does as it is set, where its formula says less or more."""
        self.remarks[self._key] = text

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

    def before(self, key: str) -> str:
        """Return the variable that a node's value had before it is written anew."""
        return self.names[self.recipe.output(key)]

    def dims(self, key: str, port: str) -> tuple[int | None, ...]:
        """Return the sizes of what enters a port."""
        return self.recipe.dims(self.recipe.inputs(key, port)[0])

    def judged_through(self, key: str) -> str:
        """Return through which activation the sums go that a cost is computed from."""
        return self.recipe.plan.activation(key)

    def setting(self, key: str, name: str) -> Any:
        """Return a setting of a node."""
        evaluated = self.recipe.plan.graph
        graph = evaluated if key in evaluated.nodes else self.recipe.graph  # of a trainer
        return graph.settings(key)[name]

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

    def over_samples(self, expression: str) -> str:
        """Return the sum over the samples of each column."""
        return self.dialect.over_samples.format(expression)

    def total(self, expression: str, like: str) -> str:
        """Return the sum over the features of what enters a node: of a vector, of all of it."""
        (address, *more), value = self.recipe.inputs(like, "a"), self.sums(expression)
        vector = (
            not more and not self.recipe.batched(address) and len(self.recipe.dims(address)) < 2
        )
        return value.replace("axis=1", "axis=0").replace("dim=1", "dim=0") if vector else value

    def hits(self, a: str, y: str, limit: str, *, alone: bool) -> str:
        """Return which samples are right: by the threshold where there is one output `alone`."""
        if alone:
            return f"({a} >= {limit}) == ({y} >= {limit})"
        return f"{self.dialect.highest.format(a)} == {self.dialect.highest.format(y)}"

    def choice(self, test: str, yes: Any, no: Any) -> str:
        """Return one value or another."""
        return self.dialect.choice.format(test, yes, no)

    def as_said(self, said: Mapping[str, str], *arguments: str) -> str:
        """Return what this language, one of those given by name, says of the arguments."""
        return said[self.dialect.name].format(*(bare(one) for one in arguments))

    def grouped(self, expression: str) -> str:
        """Return an expression that can be a factor."""
        return grouped(expression)

    def number(self, value: float) -> str:
        """Return a number as Python writes it."""
        return number(value)

    def rate(self, key: str) -> str:
        """Return the learning rate of an update."""
        given = self.recipe.inputs(key, "rate")
        if not given:
            raise InterchangeError(f"'{key}' has no rate")
        name = self.names[given[0]]
        return name if self._single(given[0]) else f"{name}.reshape(())"

    def _single(self, address: str) -> bool:
        """Return whether a value is one number and no array: made of constants alone."""
        graph, key = self.recipe.plan.graph, address.rpartition(".")[0]
        return address in self.recipe.constants or (
            graph.type_of(key).is_elementwise
            and all(self._single(wire.start) for wire in graph.into(key))
        )

    def formula(self, key: str, tree: formulas.Expression) -> str:
        """Return a formula of what enters a node, by the names of its ports."""
        return bare(
            self.written(tree, {name: self.one(key, name) for name in formulas.names(tree)})
        )

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
                which = "larger" if kind == "max" else "smaller"
                return self.call(which, *(self.written(part, given) for part in parts))
            case "step":
                return f"({bare(self.written(parts[0], given))} > 0) * 1.0"
            case "+" | "-" | "*" | "/" | "**":
                left, right = (self.written(part, given) for part in parts)
                # In the order of the tree: a sum to the right keeps its brackets.
                if _binding(parts[0]) < _BINDS[kind] + (kind == "**"):
                    left = grouped(left)
                if _binding(parts[1]) <= _BINDS[kind]:
                    right = grouped(right)
                return f"{left} {kind} {right}"
            case "abs" if "absolute" in self.dialect.helpers:
                return self.call("absolute", *(self.written(part, given) for part in parts))
            case _:
                return self.call(kind, *(self.written(part, given) for part in parts))


def _binding(tree: formulas.Expression) -> int:
    """Return how closely a written formula holds together; 0 where it may be anything."""
    if tree[0] == "number":
        return 4 if float(tree[1]) >= 0 else 0
    return _BINDS.get(tree[0], 0)


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
