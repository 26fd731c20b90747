"""Operators that work number by number, gathered into one formula until a layer needs its value.

Programs take activations apart (a softplus is a maximum, an absolute value, an exponential, a sum
and a logarithm). What is made of one value alone is a formula in z; where its numbers are those of
an activation of the library, it is that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.interchange.layers import FORMULAS, Activation, Step, activation
from nodeflow.interchange.naming import activations

_Z: formulas.Expression = ("name", "z")
_BINARY = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "maximum": "max",
           "minimum": "min", "max": "max", "min": "min"}  # fmt: skip
_UNARY = {"exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "erf", "abs", "sign"}
_POINTS = np.concatenate([np.linspace(-40, 40, 81), [-700.0, 0.0, 1e-3, -1e-3, 300.0]])


class Pending:
    """A chain of values: the last one that is a layer's, and formulas made of it since."""

    def __init__(self, start: str) -> None:
        self.at = start
        self.steps: list[Step] = []
        self._trees: dict[str, formulas.Expression] = {start: _Z}
        self._labels: dict[str, str] = {}

    def knows(self, name: str) -> bool:
        """Return whether a value is made of the last layer's alone."""
        return name in self._trees

    def apply(
        self,
        operator: str,
        operands: Sequence[str | float],
        result: str,
        label: str,
        **given: float,
    ) -> bool:
        """Take an operator into the formula; return whether that was possible."""
        trees = [
            self._trees.get(one) if isinstance(one, str) else ("number", float(one))
            for one in operands
        ]
        if any(tree is None for tree in trees):
            return False
        made = _made(operator, [tree for tree in trees if tree is not None], given)
        if made is None:
            return False
        self._trees[result], self._labels[result] = made, label
        return True

    def same(self, name: str, result: str) -> None:
        """Let a value be known by another name too."""
        if name in self._trees:
            self._trees[result] = self._trees[name]
            self._labels[result] = self._labels.get(name, "")

    def settle(self, name: str) -> None:
        """Make a formula a step of its own: a layer takes its value."""
        tree = self._trees[name]
        if tree != _Z:
            self.steps.append(_activation(self._labels[name] or "a", tree))
        self._move(name)

    def settle_complement(self, one: str, other: str) -> bool:
        """Make `other` a step of its own if `one` is 1 − other; return whether it is."""
        tree, known = self._trees.get(one), self._trees.get(other)
        if known is None or tree != ("-", ("number", 1.0), known):
            return False
        self.settle(other)
        return True

    def put(self, steps: Sequence[Step], result: str) -> None:
        """Add steps behind the last value; their result is the last value now."""
        self.steps += steps
        self._move(result)

    def _move(self, name: str) -> None:
        self.at = name
        self._trees, self._labels = {name: _Z}, {}


def _made(
    operator: str, trees: list[formulas.Expression], given: dict[str, float]
) -> formulas.Expression | None:
    if len(trees) == 2 and operator in _BINARY:
        return (_BINARY[operator], *trees)
    if len(trees) != 1:
        return None
    (tree,) = trees
    if operator == "neg":
        return ("*", ("number", -1.0), tree)
    if operator == "reciprocal":
        return ("/", ("number", 1.0), tree)
    if operator in _UNARY:
        return (operator, tree)
    known = activation("a", operator, **given)
    text = known and (known.formula or CATALOG[known.kind].calculation)
    return _with(formulas.parse(text), tree) if text else None


def _with(tree: formulas.Expression, z: formulas.Expression) -> formulas.Expression:
    head, *parts = tree
    if head == "name":
        return z
    if head == "number":
        return tree
    return (head, *(_with(part, z) for part in parts))


def _activation(name: str, tree: formulas.Expression) -> Activation:
    with np.errstate(all="ignore"):
        return _recognised(name, tree)


def _recognised(name: str, tree: formulas.Expression) -> Activation:
    """Return the activation whose numbers a formula has, or the formula."""
    found = np.asarray(formulas.evaluate(tree, {"z": _POINTS}), np.float64)
    for kind in dict.fromkeys(activations().values()):
        if not CATALOG[kind].is_elementwise:
            continue
        wanted: Any = CATALOG[kind].function(_POINTS.reshape(-1, 1))
        if np.allclose(found, wanted.ravel(), rtol=1e-14, atol=1e-15):
            return Activation(name, kind)
    for template in FORMULAS.values():
        if "{" not in template:
            known = formulas.evaluate(formulas.parse(template), {"z": _POINTS})
            if np.allclose(found, known, rtol=1e-14, atol=1e-15, equal_nan=True):
                return Activation(name, formula=template)
    return Activation(name, formula=formulas.write(tree))
