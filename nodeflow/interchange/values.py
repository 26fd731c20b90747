"""The values of a program by name, and the steps that they are made of.

Programs take activations apart: a softplus is a maximum, an absolute value, an exponential, a sum
and a logarithm. What works number by number is gathered into one formula, until a layer needs its
value: then it is a step of its own. A formula of one value whose numbers are those of an activation
of the library is that activation; one of several values joins them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.interchange.building import letters
from nodeflow.interchange.layers import (
    FORMULAS,
    Activation,
    Affine,
    Dense,
    Join,
    Missing,
    Narrow,
    Step,
    activation,
)
from nodeflow.interchange.naming import known

_Z: formulas.Expression = ("name", "z")
_BINARY = {"+": "+", "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "maximum": "max",
           "minimum": "min", "max": "max", "min": "min"}  # fmt: skip
_UNARY = {"exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "erf", "abs", "sign", "step"}
_COMPARED = {"greater": (0, 1, True), "less": (1, 0, True), "greater_equal": (1, 0, False),
             "less_equal": (0, 1, False)}  # fmt: skip
"""Comparisons: which of two is taken from the other, and whether 1 is where that is above 0."""
_OPPOSITE = {"greater": "less_equal", "less_equal": "greater", "less": "greater_equal",
             "greater_equal": "less"}  # fmt: skip
_LARGER = ("greater", "greater_equal")
"""Comparisons that hold where the first is the larger one."""
_AT_A_TIE = ("greater_equal", "less_equal")
"""Those that hold where both are equal."""
_PARTS: Mapping[tuple[str, ...], str] = {
    ("Max", ""): "highest", ("Sub", "", "highest"): "lowered", ("Exp", "lowered"): "powers",
    ("Sum", "powers"): "total", ("Log", "total"): "logarithm", ("Logsumexp", ""): "whole",
}  # fmt: skip
"""What parts of a softmax are made of, by an operator and what it takes: "" is the value itself."""
_SHARES: Mapping[tuple[str, ...], str] = {
    ("Div", "powers", "total"): "Softmax", ("Sub", "lowered", "logarithm"): "LogSoftmax",
    ("Sub", "", "whole"): "LogSoftmax",
}  # fmt: skip
_POINTS = np.concatenate([np.linspace(-40, 40, 81), [-700.0, 0.0, 1e-3, -1e-3, 300.0]])
_FAR = np.concatenate([np.linspace(-40.5, 40.5, 82), [-800.0, 800.0]])
_NEAR = slice(0, 82)
"""Those of the numbers far out at which no power of e is too large."""
_LONGEST = 80
"""Operators in a formula: what is longer goes on in another one."""


@dataclass(frozen=True)
class _Test:
    """A comparison, or a test for NaN: 1 where it holds, unless it is a part of something else."""

    kind: str
    sides: tuple[str | float, ...]
    takes: tuple[str, ...]
    """The values that it takes, each as often as it does."""


class Values:
    """What a program has computed so far, by the names that it gives to values."""

    def __init__(self, uses: Mapping[str, int] | None = None) -> None:
        self.uses = uses or {}
        """How many operators take a value: what several take is a step of its own."""
        self.steps: list[Step] = []
        self._trees: dict[str, formulas.Expression] = {}
        self._sizes: dict[str, int] = {}
        self._labels: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, Callable[[], object]] = {}
        """What makes values that may be parts of something else, and are made when they are not."""
        self._tests: dict[str, _Test] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        """Parts of a softmax, each with the value that it is of."""

    def feed(self, name: str) -> None:
        """Let an input be known by its name."""
        self._set(name, ("name", self._own(name)))

    def knows(self, name: str) -> bool:
        """Return whether a value is made of the inputs by what has been put so far."""
        return any(one in self._trees or one in self._waiting for one in (name, self._root(name)))

    def wait(self, name: str, make: Callable[[], object]) -> None:
        """Let a value be made as soon as something else than what it is a part of takes it."""
        self._waiting[name] = make

    def _ready(self, name: str) -> bool:
        """Make a value that has waited; return whether it is there."""
        for one in (name, self._root(name)):
            make = self._waiting.pop(one, None)
            if make is not None:
                make()
        return self._root(name) in self._trees

    def _root(self, name: str) -> str:
        return self._roots.get(name, name)

    def apply(
        self,
        operator: str,
        operands: Sequence[str | float],
        result: str,
        label: str,
        spent: Sequence[str] = (),
        /,
        **given: float,
    ) -> bool:
        """Take an operator that works number by number; return whether it is a known one.

        `spent` are the values that its parts take, where a program makes it of several operators.
        """
        for one in operands:
            if isinstance(one, str) and self._ready(one) and self._used(one, spent) > 1:
                self.settle(one)
        operands = [self._root(one) if isinstance(one, str) else one for one in operands]
        values = [one for one in operands if isinstance(one, str)]
        if not values or not all(name in self._trees for name in values):
            return False
        size = 1 + sum(self._sizes[name] for name in values)
        # What joins values takes them from nodes of their own, so that each can be seen.
        joins = len({formulas.names(self._trees[name]) for name in values}) > 1
        if joins or size > _LONGEST:
            for name in values:
                self.settle(name)
            size = 1 + len(values)
        trees = [
            self._trees[one] if isinstance(one, str) else ("number", float(one)) for one in operands
        ]
        made = _made(operator, trees, given)
        if made is None:
            return False
        self._set(result, made, size)
        self._labels[result] = label
        return True

    def _used(self, name: str, spent: Sequence[str]) -> int:
        """Return how many operators take a value; those that are spent are one."""
        return self.uses.get(name, 1) - max(0, sum(1 for one in spent if one == name) - 1)

    # -- comparisons and choices

    def compare(
        self, kind: str, operands: Sequence[str | float], result: str, label: str
    ) -> bool:  # fmt: skip
        """Take a comparison as 1 where it holds, else 0; return whether it is a known one."""
        takes = tuple(one for one in operands if isinstance(one, str))
        if len(operands) != 2 or not takes or not all(map(self.knows, takes)):
            return False
        sides = tuple(self._root(one) if isinstance(one, str) else one for one in operands)
        if kind in ("equal", "not_equal") and sides[0] == sides[1]:
            self._test(
                _Test("nan" if kind == "not_equal" else "number", sides, takes), result, label
            )
            return True
        if kind not in _COMPARED:
            return False
        self._test(_Test(kind, sides, takes), result, label)
        return True

    def is_nan(self, name: str, result: str, label: str) -> bool:
        """Take a test for NaN; return whether it is of a value that is known."""
        if self.knows(name):
            self._test(_Test("nan", (self._root(name),), (name,)), result, label)
        return self.knows(name)

    def _test(self, test: _Test, result: str, label: str) -> None:
        self._tests[result] = test
        self.wait(result, lambda: self._compared(test, result, label))

    def _compared(self, test: _Test, result: str, label: str) -> bool:
        """Make a value of a test."""
        if test.kind not in _COMPARED:
            missing = Missing(label, "isnan", "nodeflow has no counterpart of it")
            self.put([missing], test.takes[:1], result)
            return True
        one, other, above = _COMPARED[test.kind]
        difference, beyond = f"{result} difference", result if above else f"{result} beyond"
        return (
            self.apply("sub", [test.sides[one], test.sides[other]], difference, label)
            and self.apply("step", [difference], beyond, label)
            and (above or self.apply("sub", [1.0, beyond], result, label))
        )

    def combine(self, how: str, tests: Sequence[str], result: str, label: str) -> bool:
        """Take a test that is made of tests by "or", "and" or "not"; return whether it is known."""
        if how == "and":
            return self.apply("mul", tests, result, label)
        if how == "not":
            return self._opposite(tests[0], result, label)
        return self._either(tests[0], tests[1], result, label)

    def _opposite(self, one: str, result: str, label: str) -> bool:
        """Take a test that holds where another does not; return whether that is a known one."""
        test = self._tests.get(self._root(one))
        kinds = {"nan": "number", "number": "nan", **_OPPOSITE}
        if test is not None:
            self._test(replace(test, kind=kinds[test.kind]), result, label)
        return test is not None or self.apply("sub", [1.0, one], result, label)

    def _either(self, one: str, other: str, result: str, label: str) -> bool:
        """Take a test that holds where one of two does; return whether they are known ones.

        To a comparison, a test of what it compares for NaN adds nothing: a run stops at NaN.
        """
        tests = [self._tests.get(self._root(name)) for name in (one, other)]
        for test, beside in (tests, reversed(tests)):
            if test is None or beside is None or beside.kind != "nan":
                continue
            if test.kind in _COMPARED and set(beside.sides) <= set(test.sides):
                self._test(replace(test, takes=(*test.takes, *beside.takes)), result, label)
                return True
        parts = [f"{result} {number}" for number in range(3)]
        return (
            self.apply("sub", [1.0, one], parts[0], label)
            and self.apply("sub", [1.0, other], parts[1], label)
            and self.apply("mul", parts[:2], parts[2], label)
            and self.apply("sub", [1.0, parts[2]], result, label)
        )

    def choose(
        self, test: str, yes: str | float, no: str | float, result: str, label: str
    ) -> bool:  # fmt: skip
        """Take a choice by a comparison, which is 1 or 0: t·a + (1 − t)·b; return whether it can.

        Where the side that is not taken would be infinite, that is NaN, and it is not taken. A
        softplus that is the identity above 20, as PyTorch's is, is a softplus; the larger of two,
        or the smaller, is that.
        """
        if self._extreme(test, yes, no, result, label):
            return True
        parts = [f"{result} {number}" for number in range(3)]
        made = (
            self.apply("mul", [test, yes], parts[0], label)
            and self.apply("sub", [1.0, test], parts[1], label)
            and self.apply("mul", [parts[1], no], parts[2], label)
            and self.apply("+", [parts[0], parts[2]], result, label)
        )
        names = formulas.names(self._trees[result]) if made else ()
        if len(names) == 1:
            found = _looks(formulas.placed(self._trees[result], {names[0]: _Z}), _FAR)
            softplus = formulas.parse(_FORMULAS["softplus"])
            if np.allclose(found[0][_NEAR], _looks(softplus, _FAR)[0][_NEAR], rtol=0, atol=3e-9):
                self._set(result, formulas.placed(softplus, {"z": ("name", names[0])}))
            elif not all(np.isfinite(one).all() for one in found):
                del self._trees[result]
                return False
        return made

    def _extreme(
        self, test: str, yes: str | float, no: str | float, result: str, label: str
    ) -> bool:  # fmt: skip
        """Take a choice of the larger or the smaller of two; return whether it is one.

        Where both are equal max(u, v) has the slope of v, and a choice that of what it takes there.
        """
        compared = self._tests.get(self._root(test))
        one, other = (self._root(side) if isinstance(side, str) else side for side in (yes, no))
        if compared is None or one == other or {one, other} != set(compared.sides):
            return False
        larger = (compared.kind in _LARGER) == (compared.sides[0] == one)
        sides = [no, yes] if compared.kind in _AT_A_TIE else [yes, no]
        spent = (*compared.takes, *(side for side in sides if isinstance(side, str)))
        return self.apply("max" if larger else "min", sides, result, label, spent)

    # -- softmax

    def of_softmax(
        self, operator: str, operands: Sequence[str], result: str, label: str,
        make: Callable[[], object],
    ) -> bool:  # fmt: skip
        """Take an operator of a softmax or of its logarithm; return whether it can be one.

        Programs take them apart: e^(z − the largest z) over their sum. The last operator makes the
        softmax; if nothing comes of another one, `make` takes it alone.
        """
        if not all(map(self.knows, operands)):
            return False
        found = [self._parts.get(self._root(one), ("", self._root(one))) for one in operands]
        if len({value for _, value in found}) != 1:
            return False
        taken, value = (operator, *(part for part, _ in found)), found[0][1]
        if taken in _SHARES:
            self.put([Activation(label, known("onnx")[_SHARES[taken]])], [value], result)
        elif taken in _PARTS:
            self._parts[result] = _PARTS[taken], value
            self.wait(result, make)
        return taken in _SHARES or taken in _PARTS

    def _set(self, name: str, tree: formulas.Expression, size: int = 1) -> None:
        self._trees[name], self._sizes[name] = tree, size

    def same(self, name: str, result: str) -> None:
        """Let a value be known by another name too."""
        self._roots[result] = self._root(name)

    def settle(self, name: str) -> str:
        """Return the step whose value it is; a formula becomes a step of its own."""
        self._ready(name)
        name = self._root(name)
        tree = self._trees[name]
        if tree[0] == "name":
            return str(tree[1])
        label = self._own(self._labels.get(name) or "a")
        self.steps.append(_step(label, tree))
        self._set(name, ("name", label))
        return label

    def put(self, steps: Sequence[Step], takes: Sequence[str], result: str) -> None:
        """Add steps in a row, the first of which takes these values; the last one is the result."""
        names = tuple(self.settle(name) for name in takes)
        for step in steps:
            own = self._own(step.name)
            self.steps.append(replace(step, name=own, takes=names))
            names = (own,)
        self._set(result, ("name", names[0]))

    def join(self, kind: str, name: str, takes: Sequence[str], result: str) -> None:
        """Add what makes several values one."""
        self.put([Join(name, kind)], takes, result)

    def normalise(
        self, name: str, taken: str, result: str, epsilon: float, scale: Any = None,
        shift: Any = None,
    ) -> None:  # fmt: skip
        """Add a layer normalisation: (z − mean)/√(variance + ε)·γ + β over a row's features."""
        at = {part: f"{result} {part}" for part in ("mean", "centred", "square", "variance")}
        self.put([Narrow(f"{name}.mean", "mean")], [taken], at["mean"])
        self.apply("sub", [taken, at["mean"]], at["centred"], f"{name}.centred")
        self.settle(at["centred"])
        self.apply("mul", [at["centred"]] * 2, at["square"], f"{name}.square")
        self.put([Narrow(f"{name}.variance", "mean")], [at["square"]], at["variance"])
        self.apply("+", [at["variance"], epsilon], f"{result} sum", name)
        self.apply("sqrt", [f"{result} sum"], f"{result} deviation", name)
        end = result if scale is None and shift is None else f"{result} normalised"
        self.apply("div", [at["centred"], f"{result} deviation"], end, name)
        if end != result:
            known = scale if scale is not None else shift
            factors = np.ones_like(known) if scale is None else scale
            moved = np.zeros_like(known) if shift is None else shift
            self.put([Affine(f"{name}.scaling", factors, moved)], [end], result)

    def by_size(
        self, name: str, taken: str, result: str, epsilon: float, scale: Any = None
    ) -> None:  # fmt: skip
        """Add a normalisation by size: z/√(mean of z² + ε)·γ over a row's features."""
        at = [f"{result} {number}" for number in range(5)]
        self.apply("mul", [taken, taken], at[0], f"{name}.square")
        self.put([Narrow(f"{name}.mean", "mean")], [at[0]], at[1])
        self.apply("+", [at[1], epsilon], at[2], name)
        self.apply("sqrt", [at[2]], at[3], name)
        self.apply("div", [taken, at[3]], result if scale is None else at[4], name)
        if scale is not None:
            scaling = Affine(f"{name}.scaling", scale, np.zeros_like(scale))
            self.put([scaling], [at[4]], result)

    def leaky(self, name: str, taken: str, result: str, slopes: Any) -> None:
        """Add max(z, 0) + slope · min(0, z) with a slope for each feature."""
        at = [f"{result} {number}" for number in range(3)]
        self.settle(taken)
        self.apply("max", [taken, 0.0], at[0], f"{name}.above")
        self.apply("at_most", [taken], at[1], f"{name}.below", high=0.0)
        self.put([Affine(f"{name}.slope", slopes, np.zeros_like(slopes))], [at[1]], at[2])
        self.apply("+", [at[0], at[2]], result, name)

    def of(self, ends: Sequence[str]) -> tuple[tuple[Step, ...], tuple[str, ...]]:
        """Return the steps that values are made of, and which steps these values are.

        A sum behind a product with weights is its bias.
        """
        wanted = [self.settle(end) for end in ends]
        needed = set(wanted)
        for step in reversed(self.steps):
            if step.name in needed:
                needed.update(step.takes)
        steps, called = _with_biases([s for s in self.steps if s.name in needed], set(wanted))
        return tuple(steps), tuple(called.get(name, name) for name in wanted)

    def _own(self, name: str) -> str:
        """Return a name that no other step has."""
        found = name
        while self._taken[found]:
            self._taken[name] += 1
            found = f"{name}_{self._taken[name]}"
        self._taken[found] += 1
        return found


def keeps_rows(before: Sequence[int | None] | None, after: Sequence[int | None] | None) -> bool:
    """Return whether each row has its numbers in the same order in another shape.

    As far as sizes are known: None is one that is open.
    """
    if before is None or after is None:
        return True
    if not after or (None not in (before[0], after[0]) and before[0] != after[0]):
        return False
    one, other = before[1:], after[1:]
    if None in one or None in other:
        return True
    return math.prod(n or 0 for n in one) == math.prod(n or 0 for n in other)


def _with_biases(steps: Sequence[Step], ends: set[str]) -> tuple[list[Step], dict[str, str]]:
    """Join a product with weights and a sum behind it into one layer with a bias.

    Returns the steps, and what each such sum is called now.
    """
    uses = Counter(name for step in steps for name in step.takes)
    found: dict[str, Step] = {}
    called: dict[str, str] = {}
    for each in steps:
        step: Step = replace(each, takes=tuple(called.get(name, name) for name in each.takes))
        before = found.get(step.takes[0])
        if isinstance(step, Affine) and isinstance(before, Dense):
            count = len(before.weights)
            plain = bool((step.scale == 1).all()) and step.shift.size in (1, count)
            if before.bias is None and plain and uses[before.name] == 1 and before.name not in ends:
                bias = np.broadcast_to(step.shift, (count,)).copy()
                # It keeps its place and its name, and is what the sum was called too.
                found[before.name] = replace(before, bias=bias)
                called[step.name] = before.name
                uses[before.name] = uses[step.name]
                continue
            if step.scale.size == 1:
                step = replace(step, scale=np.repeat(step.scale, count),
                               shift=np.repeat(step.shift, count))  # fmt: skip
        found[step.name] = step
    return list(found.values()), called


def _made(
    operator: str, trees: list[formulas.Expression], given: Mapping[str, float]
) -> formulas.Expression | None:
    if len(trees) >= 2 and operator in _BINARY:
        at = trees[0]
        for tree in trees[1:]:
            at = (_BINARY[operator], at, tree)
        return at
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
    if known is None or known.kind in ("softmax", "log_softmax"):
        return None
    text = known.formula or _FORMULAS.get(known.kind)
    whole = formulas.parse(text) if text else _of_others().get(known.kind)
    return None if whole is None else formulas.placed(whole, {"z": tree})


def _of_others() -> dict[str, formulas.Expression]:
    """Return the activations of plugins that say what they calculate of z, as formulas."""
    return {
        type_.name: type_.calculated(type_.defaults)
        for type_ in CATALOG.values()
        if type_.family == "activation" and type_.known_as and not type_.is_own
        and type_.calculation and type_.is_elementwise and type_.input_named.keys() == {"z"}
    }  # fmt: skip


_FORMULAS = {
    "sigmoid": "sigmoid(z)", "tanh": "tanh(z)", "relu": "max(z, 0)", "identity": "z",
    "leaky_relu": "max(z, 0) + 0.01 * min(0, z)",
    "softplus": "0.5 * (z + abs(z)) + log(1 + exp(-abs(z)))",
}  # fmt: skip
"""The activations of the library, with the slopes that they have where they bend."""


def _step(name: str, tree: formulas.Expression) -> Step:
    """Return the step that a formula of the values of steps is."""
    takes = formulas.names(tree)
    if len(takes) == 1:
        with np.errstate(all="ignore"):
            return replace(_activation(name, formulas.placed(tree, {takes[0]: _Z})), takes=takes)
    for kind, sign in (("add", "+"), ("multiply", "*")):
        parts = _row_of(sign, tree)
        if parts is not None:
            return Join(name, kind, tuple(parts))
    places = {one: ("name", letter) for one, letter in zip(takes, letters(len(takes)), strict=True)}
    return Join(name, "expression", takes, formulas.write(formulas.placed(tree, places)))


def _row_of(sign: str, tree: formulas.Expression) -> list[str] | None:
    """Return the names that a formula adds up, or multiplies; None if it does something else."""
    if tree[0] == "name":
        return [tree[1]]
    if tree[0] != sign:
        return None
    found: list[str] = []
    for part in tree[1:]:
        more = _row_of(sign, part)
        if more is None:
            return None
        found += more
    return found


def _activation(name: str, tree: formulas.Expression) -> Activation:
    """Return the activation whose numbers and slopes a formula has, or the formula."""
    found = _looks(tree)
    for kind, text in _FORMULAS.items():
        if _same(found, _looks(formulas.parse(text))):
            return Activation(name, kind)
    for kind, formula in _of_others().items():
        if _same(found, _looks(formula)):
            return Activation(name, kind)
    for template in FORMULAS.values():
        if "{" not in template and _same(found, _looks(formulas.parse(template))):
            return Activation(name, "expression", template)
    return Activation(name, "expression", formulas.write(tree))


_Looks: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def _looks(tree: formulas.Expression, points: NDArray[np.float64] | None = None) -> _Looks:
    """Return a formula's numbers at many points, and its slopes there."""
    at = _POINTS if points is None else points
    with np.errstate(all="ignore"):
        values, slopes = (
            np.broadcast_to(formulas.evaluate(one, {"z": at}), at.shape)
            for one in (tree, formulas.derivative(tree, "z"))
        )
    return values, slopes


def _same(one: _Looks, other: _Looks) -> bool:
    return bool(
        np.allclose(one[0], other[0], rtol=1e-14, atol=1e-15, equal_nan=True)
        and np.allclose(one[1], other[1], rtol=1e-9, atol=1e-12, equal_nan=True)
    )
