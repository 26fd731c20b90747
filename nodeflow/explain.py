"""Explanations of a run: formulas with numbers, who answers for an error, why a weight changed.

What is found is data first; the sentences are made from it. Indices count from 0 as in the arrays,
subscripts and names of neurons in texts from 1.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.engine.run import Run
from nodeflow.engine.step import Step, show
from nodeflow.errors import RunError, nearest
from nodeflow.graph import Graph, Wire
from nodeflow.nodes.backward import LEAK

_SHOWN = 6
"""Terms of a sum that are written out; longer sums keep one fewer, the largest."""
_STEEPEST = 700.0
"""e to a larger power leaves the range of numbers."""
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_DYING = 0.01

Index = tuple[int, ...]


# --- numbers and what is made of them ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a formula and the output port it came from; "" for one of the formula itself."""

    value: float
    address: str = ""
    index: Index = ()


class Apply(NamedTuple):
    """An operator (+ - * / ^ neg) or a function of numbers and of other such parts."""

    head: str
    parts: tuple[Number | Apply, ...]


Part = Number | Apply


def _of(head: str, *parts: Part | float) -> Apply:
    return Apply(
        head,
        tuple(part if isinstance(part, Number | Apply) else Number(float(part)) for part in parts),
    )


def _sum(terms: tuple[Part, ...]) -> Part:
    return terms[0] if len(terms) == 1 else Apply("+", terms)


def evaluate(part: Part) -> float:
    """Return the value of a part of a formula; Infinity or NaN where there is none."""
    with np.errstate(all="ignore"):
        return float(_evaluate(part))


def _evaluate(part: Part) -> Any:
    if isinstance(part, Number):
        return np.float64(part.value)
    values = [_evaluate(inner) for inner in part.parts]
    match part.head:
        case "+":
            return sum(values)
        case "*":
            return math.prod(values)
        case "neg":
            return -values[0]
        case "^":
            return np.power(*values)
        case head if head in formulas.OPERATORS:
            return formulas.OPERATORS[head](*values)
        case head:
            return formulas.FUNCTIONS[head](values[0])


def _numbers(part: Part) -> Iterator[Number]:
    if isinstance(part, Number):
        yield part
        return
    for inner in part.parts:
        yield from _numbers(inner)


def _plain(part: Part) -> str:
    """Return a part in ASCII with every digit."""
    if isinstance(part, Number):
        text = repr(part.value)
        return f"({text})" if text.startswith("-") else text
    inner = [_plain(each) for each in part.parts]
    match part.head:
        case "neg":
            return f"(-{inner[0]})"
        case "+" | "-" | "*" | "/":
            return f"({f' {part.head} '.join(inner)})"
        case "^":
            return f"({inner[0]} ** {inner[1]})"
        case head:
            return f"{head}({', '.join(inner)})"


def _written(part: Part, level: int = 0, *, first: bool = True) -> str:
    """Return a part as a person writes it; `level` is how tightly its surroundings bind."""
    opening = level == 0 or (level == 1 and first)
    if isinstance(part, Number):
        text = show(part.value)
        return f"({text})" if text.startswith("−") and not opening else text
    text, binds = _composed(part)
    loose = opening if binds <= 1 else level <= binds
    return text if loose else f"({text})"


def _composed(part: Apply) -> tuple[str, int]:
    """Return the text of an operation, and how tightly it binds."""
    parts = part.parts
    match part.head:
        case "+":
            return _added(parts), 1
        case "-":
            return f"{_written(parts[0], 1)} − {_written(parts[1], 2)}", 1
        case "neg":
            return f"−{_written(parts[0], 3)}", 1
        case "*":
            first, *rest = parts
            return "·".join([_written(first, 2), *(_written(each, 3) for each in rest)]), 2
        case "/":
            return f"{_written(parts[0], 2)} / {_written(parts[1], 3)}", 2
        case "^":
            power = _written(parts[1], 4)
            return _written(parts[0], 4) + ("²" if power == "2" else f"^{power}"), 3
        case "exp":
            return f"e^{_written(parts[0], 4)}", 3
        case "log":
            return f"ln({_written(parts[0])})", 4
        case "abs":
            return f"|{_written(parts[0])}|", 4
        case "sqrt":
            return f"√({_written(parts[0])})", 4
        case head:
            return f"{head}({', '.join(_written(each) for each in parts)})", 4


def _added(terms: tuple[Part, ...]) -> str:
    """Return a sum; of a long one the largest terms, in their order, and what the others are."""
    kept, rest = terms, 0.0
    if len(terms) > _SHOWN:
        values = [evaluate(term) for term in terms]
        ranked = sorted(range(len(terms)), key=lambda i: -abs(values[i]))
        places = sorted(ranked[: _SHOWN - 1])
        kept = tuple(terms[i] for i in places)
        rest = sum(values[i] for i in ranked[_SHOWN - 1 :])
    text = " + ".join(_written(term, 1, first=i == 0) for i, term in enumerate(kept))
    if len(kept) == len(terms):
        return text
    return f"{text} + … {len(terms) - len(kept)} smaller terms adding up to {show(rest)}"


# --- a step as lines -----------------------------------------------------------------------------


class Line(NamedTuple):
    """One output number: `left` is its name, the terms add up to the result."""

    left: str
    terms: tuple[Part, ...]
    result: Number

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number of the terms, from left to right."""
        return tuple(number for term in self.terms for number in _numbers(term))

    @property
    def text(self) -> str:
        """The line as a person writes it, such as "z₁ = 0.15·0.05 + 0.35 = 0.3575"."""
        body, result = _written(_sum(self.terms)), show(self.result.value)
        # A single number needs no second telling.
        return f"{self.left} = {body}" + ("" if body == result else f" = {result}")

    @property
    def expression(self) -> str:
        """The terms in ASCII with every digit: + - * / **, exp, log, tanh, sqrt, …, max, min."""
        return _plain(_sum(self.terms))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A step written out: its formula with symbols, and a line for each output number."""

    node: str
    type: str
    symbols: str
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The symbols and the lines, one below the other."""
        return "\n".join([f"{self.node}: {self.symbols}", *(line.text for line in self.lines)])


def explain(run: Run, step: Step, *, most: int | None = None) -> Explanation:
    """Return a step's formula with its numbers, for each output number or the first `most`.

    `step` is one that `run` made: from the run come wires and the number of samples. A type that
    is not of the library has lines with the result alone.
    """
    given = _Given(run, step)
    lines: list[Line] = []
    for port, value in step.outputs.items():
        for index in np.ndindex(value.shape):
            if most is not None and len(lines) >= most:
                break
            lines.append(_line(given, port, index))
    return Explanation(step.node, step.type, step.symbols, tuple(lines))


def _line(given: _Given, port: str, index: Index) -> Line:
    """Return the line of one output number of a step."""
    step, body = given.step, _BODIES.get(given.step.type)
    value = step.outputs[port]
    result = Number(float(value[index]), f"{step.node}.{port}", index)
    terms = body(given, index) if body else (result,)
    return Line(_label(port, value.shape, index), terms, result)


def _label(port: str, shape: Index, index: Index) -> str:
    """Return an output number's name: its port, and subscripts where there are several."""
    if math.prod(shape) == 1:
        return port
    used = index if len(shape) != 2 or shape[0] > 1 else index[1:]
    return port + ",".join(str(i + 1) for i in used).translate(_SUBSCRIPTS)


class _Source(NamedTuple):
    """The value at an input port and the address it came from."""

    value: NDArray[Any]
    address: str

    def at(self, index: Index) -> Number:
        """Return the number that broadcasting pairs with this place."""
        shape = self.value.shape
        index = (0,) * (len(shape) - len(index)) + index[max(0, len(index) - len(shape)) :]
        place = tuple(i if size > 1 else 0 for i, size in zip(index, shape, strict=True))
        return Number(float(self.value[place]), self.address, place)

    @property
    def width(self) -> int:
        return int(self.value.shape[-1]) if self.value.ndim else 1

    @property
    def rows(self) -> int:
        return len(self.value) if self.value.ndim > 1 else 1


class _Given:
    """What a step was given, by port."""

    def __init__(self, run: Run, step: Step) -> None:
        self.step = step
        self.settings = step.settings
        self.samples = run.machine.bounds(step.update)[1]
        self.ports: dict[str, list[_Source]] = defaultdict(list)
        graph = run.plan.graph
        for wire in graph.into(step.node):
            name = wire.input if wire.index is None else f"{wire.input}[{wire.index}]"
            if name in step.inputs and not graph.feeds_back(wire):
                self.ports[wire.input].append(_Source(step.inputs[name], wire.start))
        self._columns: list[tuple[_Source, int]] | None = None

    def one(self, port: str) -> _Source:
        return self.ports[port][0]

    def row(self, port: str, index: Index) -> list[Number]:
        """Return the numbers of the row that an output number belongs to."""
        source = self.one(port)
        return [source.at((_row(index), column)) for column in range(source.width)]

    @property
    def columns(self) -> list[tuple[_Source, int]]:
        """The features of the wires into port `a`, side by side."""
        if self._columns is None:
            there = self.ports["a"]
            self._columns = [(s, column) for s in there for column in range(s.width)]
        return self._columns


def _row(index: Index) -> int:
    return index[0] if len(index) > 1 else 0


_Body = Callable[[_Given, Index], tuple[Part, ...]]


def _weighted_sum(given: _Given, index: Index) -> tuple[Part, ...]:
    row, neuron = _row(index), index[-1]
    weights = given.one("weights")
    terms: list[Part] = [
        Apply("*", (weights.at((neuron, place)), source.at((row, column))))
        for place, (source, column) in enumerate(given.columns)
    ]
    if given.ports["bias"]:
        terms.append(given.one("bias").at((neuron,)))
    return tuple(terms)


def _logistic(z: Part) -> Part:
    if evaluate(z) < -_STEEPEST:
        return _of("/", _of("exp", z), _of("+", 1, _of("exp", z)))
    return _of("/", 1, _of("+", 1, _of("exp", _of("neg", z))))


def _softplus(given: _Given, index: Index) -> tuple[Part, ...]:
    z = given.one("z").at(index)
    if z.value > _STEEPEST:
        return z, _of("log", _of("+", 1, _of("exp", _of("neg", z))))
    return (_of("log", _of("+", 1, _of("exp", z))),)


def _softmax(given: _Given, index: Index) -> tuple[Part, ...]:
    row = given.row("z", index)
    largest = max(row, key=lambda number: number.value)
    parts: list[Part] = list(row)
    if max(abs(number.value) for number in row) > _STEEPEST:
        parts = [_of("-", number, largest) for number in row]
    powers = tuple(_of("exp", part) for part in parts)
    return (_of("/", powers[index[-1]], _sum(powers)),)


def _cleared(part: Part) -> Part:
    """Keep a probability off 0 as the costs do."""
    tiny = float(np.finfo(np.float64).tiny)
    return part if evaluate(part) >= tiny else _of("max", part, tiny)


def _cross_entropy(given: _Given, index: Index) -> tuple[Part, ...]:
    pairs = zip(given.row("a", index), given.row("y", index), strict=True)
    surprises = tuple(
        _of(
            "+",
            _of("*", y, _of("log", _cleared(a))),
            _of("*", _of("-", 1, y), _of("log", _cleared(_of("-", 1, a)))),
        )
        for a, y in pairs
    )
    return (_of("neg", _sum(surprises)),)


def _categorical(given: _Given, index: Index) -> tuple[Part, ...]:
    pairs = zip(given.row("a", index), given.row("y", index), strict=True)
    return (_of("neg", _sum(tuple(_of("*", y, _of("log", _cleared(a))) for a, y in pairs))),)


def _squared_error(given: _Given, index: Index) -> tuple[Part, ...]:
    pairs = zip(given.row("a", index), given.row("y", index), strict=True)
    squares = tuple(_of("^", _of("-", a, y), 2) for a, y in pairs)
    return (_of("*", 0.5, _sum(squares)),) if given.settings["half"] else squares


def _places(given: _Given, row: int) -> tuple[int, int]:
    """Return which class the outputs say and which the targets."""
    found = []
    for port in ("a", "y"):
        values = np.atleast_2d(given.one(port).value)
        there = values[min(row, len(values) - 1)]
        reached = bool(there[0] >= given.settings["threshold"])
        found.append(int(reached) if there.size == 1 else int(there.argmax()) + 1)
    return found[0], found[1]


def _accuracy(given: _Given, index: Index) -> tuple[Part, ...]:
    said, right = _places(given, _row(index))
    return (_of("max", 0, _of("-", 1, _of("abs", _of("-", said, right)))),)


def _penalty(given: _Given, _index: Index) -> tuple[Part, ...]:
    squares = tuple(
        _of("^", source.at(place), 2)
        for source in given.ports["weights"]
        for place in np.ndindex(source.value.shape)
    )
    return (_of("*", _of("/", given.settings["regularization"], 2), _sum(squares)),)


def _delta(given: _Given, index: Index) -> tuple[Part, ...]:
    blame, a = given.one("blame").at(index), given.one("a").at(index)
    match given.settings["activation"]:
        case "sigmoid":
            return (_of("*", blame, a, _of("-", 1, a)),)
        case "tanh":
            return (_of("*", blame, _of("-", 1, _of("^", a, 2))),)
        case "relu":
            return (_of("*", blame, float(a.value > 0)),)
        case "leaky_relu":
            return (_of("*", blame, 1.0 if a.value > 0 else LEAK),)
        case "softplus":
            return (_of("*", blame, _of("-", 1, _of("exp", _of("neg", a)))),)
        case "softmax":
            width = max(given.one("a").width, given.one("blame").width)
            places = [(_row(index), column) for column in range(width)]
            shared = tuple(
                _of("*", given.one("blame").at(place), given.one("a").at(place)) for place in places
            )
            return (_of("*", a, _of("-", blame, _sum(shared))),)
        case _:
            return (blame,)


def _blame(given: _Given, index: Index) -> tuple[Part, ...]:
    delta, weights = given.one("delta"), given.one("weights")
    return tuple(
        Apply("*", (weights.at((j, index[-1])), delta.at((_row(index), j))))
        for j in range(delta.width)
    )


def _weight_gradient(given: _Given, index: Index) -> tuple[Part, ...]:
    delta = given.one("delta")
    source, column = given.columns[index[1]]
    rows = max(delta.rows, *(there.rows for there in given.ports["a"]))
    return tuple(
        Apply("*", (delta.at((row, index[0])), source.at((row, column)))) for row in range(rows)
    )


def _bias_gradient(given: _Given, index: Index) -> tuple[Part, ...]:
    delta = given.one("delta")
    return tuple(delta.at((row, index[-1])) for row in range(delta.rows))


def _accumulate(given: _Given, index: Index) -> tuple[Part, ...]:
    gradient = given.one("gradient").at(index)
    total = float(given.step.outputs["total"][index])
    if total == gradient.value:
        return (gradient,)
    before = Number(total - gradient.value, f"{given.step.node}.total", index)
    return before, gradient


def _average(given: _Given, index: Index) -> tuple[Part, ...]:
    mean = _of("/", given.one("total").at(index), given.samples)
    strength = given.settings["regularization"]
    if not given.ports["weights"] or not strength:
        return (mean,)
    return mean, _of("*", strength, given.one("weights").at(index))


def _weight_update(given: _Given, index: Index) -> tuple[Part, ...]:
    nudge = _of("*", given.one("rate").at((0,)), given.one("gradient").at(index))
    return (_of("-", given.one("parameter").at(index), nudge),)


def _picked(given: _Given, index: Index) -> tuple[Part, ...]:
    wanted = np.atleast_1d(given.settings["index"])
    return (given.one("a").at((_row(index), int(wanted[index[-1]]))),)


def _unpicked(given: _Given, index: Index) -> tuple[Part, ...]:
    wanted = np.atleast_1d(given.settings["index"])
    places = [place for place, feature in enumerate(wanted) if feature == index[-1]]
    found = tuple(given.one("blame").at((_row(index), place)) for place in places)
    return found or (Number(0.0),)


def _cross_entropy_blame(given: _Given, index: Index) -> tuple[Part, ...]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    missed = _of("/", _of("-", 1, y), _cleared(_of("-", 1, a)))
    return (_of("*", blame, _of("-", missed, _of("/", y, _cleared(a)))),)


def _categorical_blame(given: _Given, index: Index) -> tuple[Part, ...]:
    blame, a, y = (given.one(port).at(index) for port in ("blame", "a", "y"))
    return (_of("/", _of("*", _of("neg", blame), y), _cleared(a)),)


def _softmax_error(given: _Given, index: Index) -> tuple[Part, ...]:
    whole = _sum(tuple(given.row("y", index)))
    return (_of("-", _of("*", given.one("a").at(index), whole), given.one("y").at(index)),)


def _expression(given: _Given, index: Index) -> tuple[Part, ...]:
    return (_filled(formulas.parse(given.settings["formula"]), given, index),)


def _filled(tree: formulas.Expression, given: _Given, index: Index) -> Part:
    """Return a typed formula with its numbers; sigmoid, sign and step are written out."""
    head = tree[0]
    if head == "number":
        return Number(tree[1])
    if head == "name":
        return given.one(tree[1]).at(index)
    parts = [_filled(inner, given, index) for inner in tree[1:]]
    if head == "sigmoid":
        return _logistic(parts[0])
    if head in ("sign", "step"):
        if evaluate(parts[0]) == 0:
            return _of("*", 0, parts[0])
        sign = _of("/", parts[0], _of("abs", parts[0]))
        return sign if head == "sign" else _of("max", 0, sign)
    return _of("^" if head == "**" else head, *parts)


def _each(head: str, port: str = "a") -> _Body:
    """Return the body of a function of one number."""
    return lambda given, index: (_of(head, given.one(port).at(index)),)


def _between(head: str, second: str = "b") -> _Body:
    """Return the body of an operator between ports `a` and another one."""
    return lambda given, index: (_of(head, given.one("a").at(index), given.one(second).at(index)),)


def _passed(port: str) -> _Body:
    """Return the body of what passes a number on."""
    return lambda given, index: (given.one(port).at(index),)


def _joined(given: _Given, index: Index) -> tuple[Part, ...]:
    source, column = given.columns[index[-1]]
    return (source.at((_row(index), column)),)


def _leaky(given: _Given, index: Index) -> tuple[Part, ...]:
    z = given.one("z").at(index)
    return (z,) if z.value > 0 else (_of("*", LEAK, z),)


_BODIES: dict[str, _Body] = {
    "weighted_sum": _weighted_sum,
    "sigmoid": lambda given, index: (_logistic(given.one("z").at(index)),),
    "tanh": _each("tanh", "z"),
    "relu": lambda given, index: (_of("max", 0, given.one("z").at(index)),),
    "leaky_relu": _leaky,
    "softplus": _softplus,
    "identity": _passed("z"),
    "softmax": _softmax,
    "add": lambda given, index: tuple(there.at(index) for there in given.ports["a"]),
    "multiply": lambda given, index: (_of("*", *(there.at(index) for there in given.ports["a"])),),
    "subtract": _between("-"),
    "divide": _between("/"),
    "power": lambda given, index: (_of("^", given.one("a").at(index), given.settings["exponent"]),),
    "exp": _each("exp"),
    "log": _each("log"),
    "sum": lambda given, index: tuple(given.row("a", index)),
    "mean": lambda given, index: (
        _of("/", _sum(tuple(given.row("a", index))), given.one("a").width),
    ),
    "concatenate": _joined,
    "pick": _picked,
    "expression": _expression,
    "error": _between("-", "y"),
    "squared_error": _squared_error,
    "cross_entropy": _cross_entropy,
    "categorical_cross_entropy": _categorical,
    "l2_penalty": _penalty,
    "accuracy": _accuracy,
    "delta": _delta,
    "blame": _blame,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "spread": _passed("blame"),
    "softmax_error": _softmax_error,
    "mean_blame": lambda given, index: (
        _of("/", given.one("blame").at(index), given.one("a").width),
    ),
    "pick_blame": _unpicked,
    "cross_entropy_blame": _cross_entropy_blame,
    "categorical_cross_entropy_blame": _categorical_blame,
    "weight_update": _weight_update,
}


# --- a step in a sentence ------------------------------------------------------------------------


def account(run: Run, step: Step) -> str:
    """Return what a step of `run` did, in one plain sentence."""
    if not step.outputs:
        return f"{step.node} shows {', '.join(step.inputs) or 'nothing'}."
    family = run.plan.graph.type_of(step.node).family
    with np.errstate(all="ignore"):  # a number may be Infinity
        return _ACCOUNTS.get(step.type, _ACCOUNTS_OF.get(family, _calculated))(run, step)


def _largest(value: NDArray[Any]) -> Index:
    """Return the place of the number that is furthest from 0."""
    sizes = np.nan_to_num(np.abs(value), nan=np.inf)
    return tuple(int(i) for i in np.unravel_index(int(sizes.argmax()), value.shape))


def _first(step: Step) -> NDArray[Any]:
    return next(iter(step.outputs.values()))


def _calculated(run: Run, step: Step) -> str:
    value = _first(step)
    which = "" if value.size == 1 else ", the largest of its numbers"
    line = _line(_Given(run, step), next(iter(step.outputs)), _largest(value))
    return f"{step.node} calculated {line.text}{which}."


def _held(run: Run, step: Step) -> str:
    value = _first(step)
    if step.type == "dataset":
        n = run.machine.bounds(step.update)[1] if len(value) > 1 else 1
        rows = (
            f"row {step.sample + 1}" if n == 1 else f"rows {step.sample + 1} to {step.sample + n}"
        )
        return f"{step.node} handed out {rows} of the {run.machine.rows} of epoch {step.epoch + 1}."
    if value.size == 1:
        return f"{step.node} holds {show(value.ravel()[0])}."
    shape = "×".join(map(str, value.shape))
    return f"{step.node} holds {shape} numbers from {show(value.min())} to {show(value.max())}."


def _added_up(run: Run, step: Step) -> str:
    index = _largest(_first(step))
    inputs = len(_Given(run, step).columns)
    return (
        f"{step.node} added up {inputs} weighted input{'s' * (inputs != 1)} a neuron; "
        f"neuron {index[-1] + 1} has the largest sum, {show(_first(step)[index])}."
    )


_VERBS = {"relu": "cut", "leaky_relu": "cut", "softplus": "bent", "identity": "passed on"}


def _activated(_run: Run, step: Step) -> str:
    z, a = np.broadcast_arrays(step.inputs["z"], _first(step))
    if step.type == "softmax":
        index = _largest(a)
        return (
            f"{step.node} turned {z.shape[-1]} sums into shares; "
            f"number {index[-1] + 1} has the largest, {show(a[index])}."
        )
    index = _largest(z - a)
    before, after = float(z[index]), float(a[index])
    if before == after:
        return f"{step.node} passed {show(before)} on as it is."
    which = "" if a.size == 1 else f" (number {index[-1] + 1})"
    return (
        f"{step.node} {_VERBS.get(step.type, 'squashed')} {show(before)} to {show(after)}{which}."
    )


def _cost(run: Run, step: Step) -> str:
    cost, a, y = _first(step), step.inputs.get("a"), step.inputs.get("y")
    if a is None or y is None:
        return _calculated(run, step)
    if step.type == "accuracy":
        said, right = _places(_Given(run, step), 0)
        verdict = "a hit" if said == right else "a miss"
        what = f"output {said}" if np.shape(a)[-1] > 1 else f"class {said}"
        return f"{step.node} took the sample for {what} where {right} is right: {verdict}."
    index = _largest(np.asarray(a - y))
    return (
        f"{step.node} is {show(cost.ravel()[0])}; output {index[-1] + 1} is furthest off, "
        f"{show(np.asarray(a - y)[index])} from its target."
    )


def _sent_back(run: Run, step: Step) -> str:
    graph = run.plan.graph
    weights = graph.inputs(step.node)["weights"][0].start
    delta = np.atleast_2d(step.inputs["delta"])[0]
    found = _apportioned(np.atleast_2d(step.inputs["weights"]), delta)
    j, i = _largest(found)
    if not found[j, i]:
        return f"{step.node} sent no blame back: every δ times its weight is 0."
    layer = _layer_of(graph, weights)
    before = (
        _neurons_before(graph, layer, found.shape[1]) if layer else _numbered("", found.shape[1])
    )
    share = 100 * abs(found[j, i])
    return f"{before[i]} answers for {share:.0f} % of {layer or 'output'} {j + 1}'s error."


def _sloped(_run: Run, step: Step) -> str:
    delta = _first(step)
    blame = np.broadcast_to(step.inputs["blame"], delta.shape)
    index = _largest(blame - delta)
    return (
        f"{step.node} turned blame {show(blame[index])} into δ = {show(delta[index])} "
        f"by the slope of {step.settings['activation']} at number {index[-1] + 1}."
    )


def _moved(run: Run, step: Step) -> str:
    graph = run.plan.graph
    start = graph.inputs(step.node)["parameter"][0]
    if graph.nodes[start.source].type != "parameter":
        return _calculated(run, step)  # a running sum that fades before it is added to
    address = start.start
    change = np.asarray(_first(step) - step.inputs["parameter"])
    index = _largest(change)
    name = address.rpartition(".")[0]
    if not change[index]:
        return f"{name} did not move: its gradient times the rate is 0."
    where = f", most at {_place(graph, address, index)}" if change.size > 1 else ""
    if change.ndim == 2 and _layer_of(graph, address):
        where = f", most where {_place(graph, address, index)}"
    most = "at most " if change.size > 1 else ""
    return f"{name} moved by {most}{show(abs(change[index]))}{where}."


_Account = Callable[[Run, Step], str]
_ACCOUNTS_OF: dict[str, _Account] = {
    "source": _held,
    "layer": _added_up,
    "activation": _activated,
    "cost": _cost,
    "update": _moved,
}
_ACCOUNTS: dict[str, _Account] = {
    "error": _calculated,
    "l2_penalty": _calculated,
    "blame": _sent_back,
    "delta": _sloped,
}


# --- names of neurons ----------------------------------------------------------------------------


def _layer_of(graph: Graph, weights: str, port: str = "weights") -> str:
    """Return the weighted sum that takes these weights, or ""."""
    key, _, output = weights.rpartition(".")
    found = [
        wire.target
        for wire in graph.out_of(key)
        if wire.output == output
        and wire.input == port
        and graph.nodes[wire.target].type == "weighted_sum"
    ]
    return found[0] if found else ""


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name or 'number'} {i + 1}" for i in range(count)]


def _neurons_before(graph: Graph, layer: str, count: int) -> list[str]:
    """Return what the inputs of a weighted sum are called: "hidden 2", "x₃"."""
    wires = graph.inputs(layer).get("a", ())
    if len(wires) != 1:
        return _numbered("input", count)
    source = wires[0].source
    if graph.nodes[source].type in ("dataset", "constant"):
        return [f"x{str(i + 1).translate(_SUBSCRIPTS)}" for i in range(count)]
    before = graph.inputs(source).get("z", ())
    if before and graph.nodes[before[0].source].type == "weighted_sum":
        source = before[0].source
    return _numbered(source, count)


def _place(graph: Graph, address: str, index: Index) -> str:
    """Return where in a parameter a number stands: "x₃ meets hidden 2", "hidden 2"."""
    layer = _layer_of(graph, address)
    if layer and len(index) == 2:
        return f"{_neurons_before(graph, layer, index[1] + 1)[-1]} meets {layer} {index[0] + 1}"
    if not layer:
        layer = _layer_of(graph, address, "bias")
    number = ", ".join(str(i + 1) for i in index)
    return f"{layer or 'number'} {number}"


# --- shares of blame -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shares:
    """How the δ of a layer's neurons is apportioned to the neurons before it."""

    layer: str
    neurons: tuple[str, ...]
    """What the neurons before the layer are called."""
    values: NDArray[Any]
    """out×in: the share of each neuron before (column) in each δ (row), with its sign.

    The sizes of a row add up to 1; where nothing is to be apportioned the row is 0.
    """
    amounts: NDArray[Any]
    """out×in: Θⱼᵢ δⱼ, what the shares were made of."""

    @property
    def ranking(self) -> tuple[int, ...]:
        """Neurons before the layer, by Σⱼ |Θⱼᵢ δⱼ|, the largest first."""
        sizes = np.abs(self.amounts).sum(axis=0)
        return tuple(int(i) for i in np.argsort(-sizes, kind="stable"))

    def text(self) -> str:
        """Return a sentence a neuron of the layer."""
        lines = []
        for j, row in enumerate(self.values):
            if not row.any():
                lines.append(f"{self.layer} {j + 1} has nothing to apportion.")
                continue
            ranked = np.argsort(-np.abs(row), kind="stable")[:_SHOWN]
            parts = ", ".join(f"{self.neurons[i]} {100 * abs(row[i]):.0f} %" for i in ranked)
            lines.append(f"The error of {self.layer} {j + 1}: {parts}.")
        return "\n".join(lines)


def _apportioned(weights: NDArray[Any], delta: NDArray[Any]) -> NDArray[Any]:
    amounts = weights * delta[:, None]
    whole = np.abs(amounts).sum(axis=1, keepdims=True)
    found: NDArray[Any] = np.divide(amounts, whole, out=np.zeros_like(amounts), where=whole > 0)
    return found


def shares(run: Run, layer: str, *, row: int = 0) -> Shares:
    """Apportion each δⱼ of a weighted sum to the neurons before it: Θⱼᵢ δⱼ / Σᵢ |Θⱼᵢ δⱼ|.

    For one row of the present batch, with the weights as they stand: after `run.evaluate()` δ
    and weights are of one moment. Raises `RunError` for what is no weighted sum, where no blame
    arrives, and for a row beyond the batch.
    """
    graph = run.plan.graph
    layers = graph.of_type("weighted_sum")
    if layer not in layers:
        raise RunError(f"there is no weighted sum '{layer}'{nearest(layer, layers)}")
    deltas = np.atleast_2d(run.gradient(f"{layer}.z"))
    if not 0 <= row < len(deltas):
        raise RunError(f"row {row} is beyond the batch: it has 0 to {len(deltas) - 1}")
    weights = np.atleast_2d(run[graph.inputs(layer)["weights"][0].start])
    neurons = _neurons_before(graph, layer, weights.shape[1])
    amounts = weights * deltas[row][:, None]
    return Shares(layer, tuple(neurons), _apportioned(weights, deltas[row]), amounts)


# --- why a weight changed ------------------------------------------------------------------------


class Contribution(NamedTuple):
    """What one sample added to a weight in one update: −α·δ·a/n."""

    epoch: int
    row: int
    """The row of the training data; −1 for the penalty −αλΘ."""
    delta: float
    input: float
    change: float


@dataclass(frozen=True, slots=True)
class Why:
    """Why a weight changed between the starts of two epochs."""

    address: str
    index: Index
    epochs: tuple[int, int]
    before: float
    after: float
    contributions: tuple[Contribution, ...]
    """In the order of time; their changes add up to `change`."""
    place: str
    """Where the weight stands, in words."""

    @property
    def change(self) -> float:
        """What the weight is more than it was."""
        return self.after - self.before

    @property
    def ranking(self) -> tuple[Contribution, ...]:
        """The contributions by size, the largest first."""
        return tuple(sorted(self.contributions, key=lambda each: -abs(each.change)))

    @property
    def by_sample(self) -> tuple[tuple[int, float], ...]:
        """(row, whole change) of each sample, the largest first; row −1 is the penalty."""
        found: dict[int, float] = defaultdict(float)
        for each in self.contributions:
            found[each.row] += each.change
        return tuple(sorted(found.items(), key=lambda pair: -abs(pair[1])))

    def text(self, most: int = 3) -> str:
        """Return the change in words, with the samples that had most to do with it."""
        name = self.address.rpartition(".")[0]
        first, last = self.epochs
        whole = (
            f"{name} ({self.place}) went from {show(self.before)} to {show(self.after)}, "
            f"by {show(self.change)}, from epoch {first} to epoch {last}."
        )
        lines = [whole]
        for row, change in self.by_sample[:most]:
            who = f"sample {row + 1}" if row >= 0 else "the penalty"
            lines.append(f"{who[0].upper()}{who[1:]} moved it by {show(change)}.")
        top = next((each for each in self.ranking if each.row >= 0), None)
        if top is not None:
            lines.append(
                f"The largest single step was {show(top.change)}, by sample {top.row + 1} in epoch "
                f"{top.epoch + 1}: δ = {show(top.delta)} met an input of {show(top.input)}."
            )
        return " ".join(lines)


class _Recipe(NamedTuple):
    """Where the numbers of a parameter's update are found."""

    pairs: tuple[tuple[str, int, tuple[str, int] | None], ...]
    """δ (address, column) and the input (address, column), None where it is always 1."""
    rate: str
    penalty: float


def why(run: Run, address: str, index: Index | int, epochs: tuple[int, int]) -> Why:
    """Return which samples, through which δ, changed a weight from epoch a to epoch b.

    Epochs are counted as `run.epoch` does: (0, 10) is from the start until ten lie behind. The
    run is left at the moment where it was. Raises `RunError`, in one sentence, for a parameter
    that there is not, that is not trained or is frozen, for an index outside its shape, for
    moments out of the run, and for trainers other than plain gradient descent.
    """
    place = _index_of(run, address, index)
    recipe = _recipe(run, address, place)
    first, last = _moments(run, epochs)
    back, seen = _moment(run), run.values
    try:
        run.goto(epoch=last)
        after = float(run.machine.read(address, 1)[place])
        run.goto(epoch=first)
        before = float(run.machine.read(address, 1)[place])
        found = _collected(run, address, place, recipe, (first, last))
    finally:
        run.goto(**back)
        now = run.values
        if seen.keys() != now.keys() or any(
            not np.array_equal(value, now[key], equal_nan=True) for key, value in seen.items()
        ):
            run.evaluate()  # the values were those of `evaluate`
    total = math.fsum(each.change for each in found)
    # An update rounds; what was set by hand in between is far more than that.
    rounding = 64 * float(np.finfo(run.machine.dtype).eps) * (len(found) + 16)
    if abs(total - (after - before)) > rounding * max(1.0, abs(before), abs(after)):
        raise RunError(
            f"'{address}' was given other values between epochs {first} and {last}: "
            "ask about epochs before or after that"
        )
    where = _place(run.plan.graph, address, place)
    return Why(address, place, (first, last), before, after, tuple(found), where)


def _index_of(run: Run, address: str, index: Index | int) -> Index:
    """Return an index into a trained parameter, or raise `RunError`."""
    graph, key = run.graph, address.rpartition(".")[0]
    known = run.weights
    if address not in known:
        raise RunError(f"there is no parameter '{address}'{nearest(address, known)}", node=key)
    if not graph.settings(key)["trainable"]:
        raise RunError(f"'{address}' did not change: it is not trainable", node=key)
    if graph.nodes[key].mode == "freeze":
        raise RunError(f"'{address}' did not change: it is frozen", node=key)
    place = tuple(int(i) for i in (index if isinstance(index, tuple) else (index,)))
    shape = known[address].shape
    if len(place) != len(shape) or any(
        not 0 <= i < size for i, size in zip(place, shape, strict=True)
    ):
        size = "×".join(map(str, shape))
        given = ", ".join(map(str, place))
        raise RunError(f"[{given}] is outside '{address}', which is {size} from 0", node=key)
    return place


def _moments(run: Run, epochs: tuple[int, int]) -> tuple[int, int]:
    first, last = epochs
    end = max(run.epoch, len(run.history))
    if not 0 <= first <= last <= end:
        raise RunError(
            f"epochs {first} to {last} are not in the run: it goes from epoch 0 to epoch {end}"
        )
    return int(first), int(last)


def _moment(run: Run) -> dict[str, Any]:
    """Return what `goto` takes to come back to this moment."""
    at = run.order.index(run.node)
    if not at:
        return {"update": run.update}
    return {"epoch": run.epoch, "sample": run.sample, "node": run.order[at - 1]}


def _recipe(run: Run, address: str, index: Index) -> _Recipe:
    """Return where the δ, inputs, rate and penalty of a weight are, or raise `RunError`."""
    graph, key = run.plan.graph, address.rpartition(".")[0]
    trainers = [name for name in run.graph.of_family("trainer") if _active(run.graph, name)]
    plain = [
        name
        for name in trainers
        if run.graph.nodes[name].type == "gradient_descent"
        and not run.graph.settings(name)["momentum"]
    ]
    if len(trainers) != 1 or trainers != plain or run.plan.loop:
        raise RunError(
            "only what one plain gradient_descent (no momentum) did can be traced to samples",
            node=key,
        )
    if "next" not in graph.inputs(key):
        raise RunError(f"'{address}' did not change: the cost does not depend on it", node=key)
    update = graph.inputs(key)["next"][0].source
    mean = graph.inputs(update)["gradient"][0].source
    if update in run.graph.nodes:
        raise _untraceable(address)
    inputs = graph.inputs(mean)
    penalty = graph.settings(mean)["regularization"] if "weights" in inputs else 0.0
    pairs = tuple(_pairs(run, inputs["total"][0].source, index, address))
    return _Recipe(pairs, graph.inputs(update)["rate"][0].start, penalty)


def _active(graph: Graph, name: str) -> bool:
    return graph.nodes[name].mode == "active"


def _untraceable(address: str) -> RunError:
    return RunError(
        f"the change of '{address}' is no sum of −α·δ·a over samples: it cannot be traced to them",
        node=address.rpartition(".")[0],
    )


def _pairs(
    run: Run, key: str, index: Index, address: str
) -> Iterator[tuple[str, int, tuple[str, int] | None]]:
    """Follow a summed gradient back to its δ and inputs."""
    inputs = run.plan.graph.inputs(key)
    type_ = run.plan.graph.nodes[key].type
    if type_ == "add":
        for wire in inputs["a"]:
            yield from _pairs(run, wire.source, index, address)
        return
    if (type_, len(index)) not in (("weight_gradient", 2), ("bias_gradient", 1)):
        raise _untraceable(address)
    delta = inputs["delta"][0].start
    a = _input(run, inputs["a"], index[1]) if len(index) == 2 else None
    shapes = [run.plan.inference.shapes[end] for end in (delta, *(a[:1] if a else ()))]
    # A row a sample; what has no sample axis at all is counted once, not once a sample.
    once = run.batch == 1 or any(shape.batch for shape in shapes)
    if not once or not all(shape.single_row() for shape in shapes):
        raise _untraceable(address)
    yield delta, index[0], a


def _input(run: Run, wires: tuple[Wire, ...], column: int) -> tuple[str, int]:
    """Return the address and column of an input among wires side by side."""
    for wire in wires[:-1]:
        width = run.plan.inference.shapes[wire.start].features or 0
        if column < width:
            return wire.start, column
        column -= width
    return wires[-1].start, column


def _reader(run: Run, address: str, column: int) -> Callable[[int], list[float]]:
    """Return a function that reads one column of a value for so many samples, without copies."""
    machine = run.machine
    slot = machine.tape.slots[address]

    def read(samples: int) -> list[float]:
        rows = samples if slot.rows == 0 else slot.rows
        start = slot.offset + column
        found: list[float] = machine.cells[
            start : start + (rows - 1) * slot.stride + 1 : max(slot.stride, 1)
        ].tolist()
        return found if len(found) == samples else found * samples

    return read


def _collected(
    run: Run, address: str, index: Index, recipe: _Recipe, epochs: tuple[int, int]
) -> list[Contribution]:
    """Run the updates again, keep what each sample added, and put the machine back."""
    machine = run.machine
    cells, stats = machine.cells.copy(), machine.stats.copy()
    rate = float(machine.read(recipe.rate, 1).ravel()[0])
    readers = [
        (_reader(run, delta, column), _reader(run, *a) if a else None)
        for delta, column, a in recipe.pairs
    ]
    found: list[Contribution] = []
    try:
        for update in range(epochs[0] * machine.per_epoch, epochs[1] * machine.per_epoch):
            epoch = update // machine.per_epoch
            if recipe.penalty:
                value = float(machine.read(address, 1)[index])
                change = -rate * recipe.penalty * value
                found.append(Contribution(epoch, -1, 0.0, value, change))
            machine.update(update)
            first, n = machine.bounds(update)
            rows = machine.order[first : first + n].tolist()
            for delta, a in readers:
                for row, d, x in zip(rows, delta(n), a(n) if a else [1.0] * n, strict=True):
                    found.append(Contribution(epoch, row, d, x, -rate * d * x / n))
    finally:
        machine.cells[:], machine.stats[:] = cells, stats
    return found


# --- where blame dies ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """A neuron (from 0) through which hardly any blame comes, and why."""

    layer: str
    neuron: int
    kind: str
    """"slope", or "weights": all weights from it are 0."""
    slope: float
    z: float
    a: float
    text: str


def where_blame_dies(run: Run) -> list[Reason]:
    """Return the neurons of every layer that blame cannot come through, layer by layer.

    A neuron is one if the slope g′(z) of its activation is below 0.01 for every row of the
    present batch (the numbers are those of the steepest row), or if all weights from it are 0.
    Where δ passes an activation together with its cost no slope cuts it. Raises `RunError` for a
    run without a backward pass, and where there are no values yet.
    """
    gradients = run.plan.unfolding.gradients
    if not gradients:
        raise RunError("no blame flows: the graph has no trainer and no single cost")
    graph = run.plan.graph
    found: list[Reason] = []
    for layer in (key for key in run.order if graph.nodes[key].type == "weighted_sum"):
        for wire in graph.out_of(layer):
            activation = wire.target
            if graph.type_of(activation).family == "activation" and f"{activation}.a" in gradients:
                found += _flat(run, layer, activation)
                found += _unread(run, layer, activation)
    return found


def _slopes(kind: str, z: NDArray[Any], a: NDArray[Any]) -> NDArray[Any] | None:
    match kind:
        case "sigmoid":
            return np.asarray(a * (1 - a))
        case "tanh":
            return np.asarray(1 - a * a)
        case "relu":
            return np.asarray((z > 0) * 1.0)
        case "softplus":
            return np.asarray(-np.expm1(-a))
        case _:
            return None


_NAMES = {"sigmoid": "σ′", "tanh": "tanh′", "softplus": "softplus′"}


def _flat(run: Run, layer: str, activation: str) -> Iterator[Reason]:
    kind = run.plan.graph.nodes[activation].type
    z, a = np.atleast_2d(run[f"{layer}.z"]), np.atleast_2d(run[f"{activation}.a"])
    slopes = _slopes(kind, z, a)
    if slopes is None:
        return
    for neuron, row in enumerate(slopes.argmax(axis=0)):
        slope, at, out = (float(array[row, neuron]) for array in (slopes, z, a))
        if slope >= _DYING:
            continue
        if kind == "relu":
            where = "is not above" if at == 0 else "is below"
            why_ = f"z = {show(at)} {where} 0, its slope is 0"
        else:
            why_ = f"{_NAMES[kind]} = {show(slope)}: saturated at a = {show(out)}"
        yield Reason(layer, neuron, "slope", slope, at, out, f"{layer} {neuron + 1}: {why_}")


def _unread(run: Run, layer: str, activation: str) -> Iterator[Reason]:
    """Find neurons that no later layer gives a weight to."""
    graph = run.plan.graph
    z, a = np.atleast_2d(run[f"{layer}.z"]), np.atleast_2d(run[f"{activation}.a"])
    parts = []
    for wire in graph.out_of(activation):
        type_ = graph.type_of(wire.target)
        if wire.target not in run.order or type_.family in ("view", "backward"):
            continue
        if type_.name != "weighted_sum":
            return
        before = [each for each in graph.inputs(wire.target)["a"] if _number(each) < _number(wire)]
        start = sum(run.plan.inference.shapes[each.start].features or 0 for each in before)
        weights = run[graph.inputs(wire.target)["weights"][0].start]
        parts.append(weights[:, start : start + a.shape[1]])
    if not parts:
        return
    dead = ~np.concatenate(parts).any(axis=0)
    slopes = _slopes(graph.nodes[activation].type, z, a)
    for neuron in np.flatnonzero(dead):
        slope = float(slopes[:, neuron].max()) if slopes is not None else float("nan")
        yield Reason(
            layer, int(neuron), "weights", slope, float(z[0, neuron]), float(a[0, neuron]),
            f"{layer} {neuron + 1}: all weights from it are 0, no blame comes back to it",
        )  # fmt: skip


def _number(wire: Wire) -> int:
    return wire.index or 0
