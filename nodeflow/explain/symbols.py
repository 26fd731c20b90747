"""The derivative of a cost by one weight as a formula: the chain rule written out.

A graph is followed forward from its weights to its cost, each number an expression of
`nodeflow.formula`; its derivative is taken there. Constants are numbers, trained parameters are
symbols, and so are the features and targets of a data set: x1, x2, y1, of one sample. What is
shared stays shared while it is made, so that only writing takes as long as the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.engine.run import Run
from nodeflow.errors import RunError
from nodeflow.explain.names import no_parameter
from nodeflow.explain.simplify import (
    Part,
    Tidy,
    Walk,
    comes_to,
    length,
    polynomial,
    symbols_of,
    told,
    written,
)
from nodeflow.graph import Graph
from nodeflow.symbolic import ONE, ZERO, Row, Rows, of_formula, put, total

LONGEST = 2_000
"""A derivative of more characters is not written: nobody would read it."""
_MOST_SIMPLIFIED, _MOST_FACTORED = 40, 400
"""Operations of a formula that SymPy is asked to simplify, and to factor."""
_MOST_TERMS = 60


@dataclass(frozen=True)
class Derivative:
    """∂cost/∂weight. `chain` is as the chain rule gives it, `simplified` multiplied out or tidied.

    `value` is what it comes to with the weights of the start and, for a data set, its first
    sample; `gradient` is what the backward pass gives there.
    """

    weight: str
    cost: str
    chain: str
    simplified: str
    where: Mapping[str, str]
    """What the names of activations in them stand for, those nearest to the cost first."""
    symbols: Mapping[str, float]
    value: float
    gradient: float | None
    library: str
    """What simplified it: nodeflow itself, or SymPy."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "weight": self.weight,
            "cost": self.cost,
            "derivative": self.chain,
            "simplified": self.simplified,
            "where": dict(self.where),
            "symbols": dict(self.symbols),
            "value": self.value,
            "gradient": self.gradient,
            "simplified_by": self.library,
        }


def derive(run: Run, address: str, index: tuple[int, ...], *, longest: int = LONGEST) -> Derivative:
    """Return the derivative of the cost by one number of a parameter.

    Raises `RunError` for what has no symbol (a node whose function is not a formula), for a weight
    that the cost does not depend on, and for a derivative of more than `longest` characters: it
    says how long it would be.
    """
    plan = run.plan
    known = run.weights
    if address not in known:
        raise RunError(no_parameter(run.graph, address, known.keys()))
    shape = known[address].shape
    if len(index) != len(shape) or any(
        not 0 <= i < size for i, size in zip(index, shape, strict=True)
    ):
        size = "×".join(map(str, shape))
        raise RunError(f"{list(index)} is outside '{address}', which is {size} from 0")
    cost = plan.unfolding.cost
    if cost is None:
        raise RunError("there is nothing to derive: the graph has no cost")
    table = _Symbols(run)
    rows = table.value(cost)
    name = symbol(address, index, known[address].size)
    whole = _mean([part for row in rows for part in row])
    tidy = Tidy()
    slope = tidy(Slopes(name)(whole))
    if slope == ZERO:
        raise RunError(_why_zero(plan.graph, cost, address, name))
    called = {id(tidy(part)): what for what, part in table.activations.items()}
    used = _used(slope, {what: tidy(part) for what, part in table.activations.items()})
    count = length(slope, called)
    count += sum(length(part, called, named=False) + len(what) for what, part in used.items())
    if count > longest:
        raise RunError(
            f"the derivative by {name} has {count:,} characters, and {longest:,} are written; "
            "take fewer layers or neurons, or one sample"
        )
    chain = told(slope, called)
    where = {what: told(part, called, named=False) for what, part in used.items()}
    simple, library = _simplified(slope, chain, called)
    used_names = symbols_of(slope)
    values = {one: table.numbers[one] for one in used_names}
    value = comes_to(slope, values)
    # A data set's batch has other rows as well: its gradient is compared where it is one sample.
    alone = not table.sampled or run.batch == 1
    gradient = None
    if alone and address in plan.unfolding.gradients:
        run.goto(epoch=0)
        run.evaluate()
        gradient = float(np.reshape(run.gradient(address), shape)[index])
        if table.sampled:
            table.take_present(run)
            values = {one: table.numbers[one] for one in used_names}
            value = comes_to(slope, values)
    symbols = {one: float(number) for one, number in sorted(values.items())}
    return Derivative(name, cost, chain, simple, where, symbols, value, gradient, library)


def _why_zero(graph: Graph, cost: str, address: str, name: str) -> str:
    """Say why a derivative is 0: no wires lead to the cost, or numbers that were typed are 0."""
    before, stack = set(), [cost.rpartition(".")[0]]
    while stack:
        key = stack.pop()
        if key not in before:
            before.add(key)
            stack += [wire.source for wire in graph.into(key) if not graph.feeds_back(wire)]
    zeros = [
        f"'{key}'"
        for key in graph.nodes
        if key in before and graph.type_of(key).typed
        and not np.all(np.asarray(graph.settings(key)["value"], float))
    ]  # fmt: skip
    if address.rpartition(".")[0] not in before or not zeros:
        return f"the cost does not depend on {name}: its derivative is 0"
    hold = "holds" if len(zeros) == 1 else "hold"
    return (
        f"the derivative by {name} is 0 whatever the weights are, since {' and '.join(zeros)} "
        f"{hold} zeros: put other numbers there, or wire a dataset in their place"
    )


def _used(slope: Part, activations: Mapping[str, Part]) -> dict[str, Part]:
    """Return the activations that an expression is made of, those nearest to the cost first."""
    names = {id(part): what for what, part in activations.items()}
    seen, found, stack = set(), {}, [slope]
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if id(part) in names:
            found[names[id(part)]] = part
        stack += [one for one in part[1:] if isinstance(one, tuple)]
    return {what: found[what] for what in reversed(list(activations)) if what in found}


def symbol(address: str, index: tuple[int, ...], size: int) -> str:
    """Return what a number of a parameter is called: w, theta1[0,2]."""
    key = address.rpartition(".")[0]
    return key if size == 1 else f"{key}[{','.join(map(str, index))}]"


def _mean(parts: Row) -> Part:
    total = parts[0]
    for part in parts[1:]:
        total = ("+", total, part)
    return total if len(parts) == 1 else ("/", total, ("number", float(len(parts))))


def _simplified(slope: Part, chain: str, called: Mapping[int, str]) -> tuple[str, str]:
    found = polynomial(slope, _MOST_TERMS)
    if found is not None:
        return written(found), "nodeflow"
    try:
        import sympy
    except ImportError:
        return chain, "nodeflow"
    return _by_sympy(sympy, slope, chain, called), f"SymPy {sympy.__version__}"


def _by_sympy(sympy: Any, slope: Part, chain: str, called: Mapping[int, str]) -> str:
    """Return what SymPy makes of it, if that is shorter."""
    names = (*symbols_of(slope), *called.values())
    stand_ins = {name: sympy.Symbol(f"s{number}", real=True) for number, name in enumerate(names)}
    functions: dict[str, Callable[..., Any]] = {
        "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "sin": sympy.sin,
        "cos": sympy.cos, "tanh": sympy.tanh, "abs": sympy.Abs, "sign": sympy.sign,
        "max": sympy.Max, "min": sympy.Min, "step": lambda u: sympy.Heaviside(u, 0),
        "sigmoid": sympy.Function("sigmoid"), "erf": sympy.erf,
    }  # fmt: skip

    def built(part: Part) -> Any:
        head = part[0]
        if id(part) in called:
            return stand_ins[called[id(part)]]
        if head == "number":
            return sympy.nsimplify(part[1], rational=True)
        if head == "name":
            return stand_ins[part[1]]
        inner = [built(one) for one in part[1:]]
        match head:
            case "+":
                return inner[0] + inner[1]
            case "-":
                return inner[0] - inner[1]
            case "*":
                return inner[0] * inner[1]
            case "/":
                return inner[0] / inner[1]
            case "**":
                return inner[0] ** inner[1]
            case _:
                return functions[head](*inner)

    found = built(slope)
    count = sympy.count_ops(found)
    if count > _MOST_FACTORED:
        return chain
    # What SymPy tries to simplify takes it from moments to for ever, by size.
    found = sympy.factor_terms(sympy.simplify(found) if count <= _MOST_SIMPLIFIED else found)
    text = sympy.sstr(found.evalf(6) if found.has(sympy.Float) else found)
    meant = {str(one): name for name, one in stand_ins.items()}
    text = re.sub(r"\bs\d+\b", lambda found: meant[found[0]], text)
    text = text.replace("**", "^").replace("*", "·").replace("sigmoid", "σ").replace("-", "−")
    return text if len(text) < len(chain) else chain


class Slopes(Walk):
    """Takes derivatives by one name; of what is shared only once."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def _of(self, part: Part, inner: list[Part]) -> Part:
        head = part[0]
        if head == "number":
            return ZERO
        if head == "name":
            return ONE if part[1] == self.name else ZERO
        if all(slope == ZERO for slope in inner):
            return ZERO
        # The derivative by each argument as if it were a name, then the chain rule.
        arguments = tuple(("name", f"\0{number}") for number in range(len(inner)))
        whole = ZERO
        for number, slope in enumerate(inner):
            if slope == ZERO:
                continue
            outer = formulas.derivative((head, *arguments), f"\0{number}")
            outer = put(outer, {f"\0{i}": one for i, one in enumerate(part[1:])})
            product = slope if outer == ONE else outer if slope == ONE else ("*", outer, slope)
            whole = product if whole == ZERO else ("+", whole, product)
        return whole


class _Symbols:
    """Each value of the graph as expressions."""

    def __init__(self, run: Run) -> None:
        self.run, self.graph = run, run.plan.graph
        self.numbers: dict[str, float] = {}
        """What each symbol stands for."""
        self.sampled: dict[str, tuple[str, int]] = {}
        """Symbols that stand for a feature of a data set, and which."""
        self.activations: dict[str, Part] = {}
        """What activations are called and made of, in the order of the graph."""
        self._known: dict[str, Rows] = {}

    def take_present(self, run: Run) -> None:
        """Let the symbols of data sets stand for the sample that a run has evaluated."""
        for name, (address, column) in self.sampled.items():
            self.numbers[name] = float(np.atleast_2d(run[address])[0, column])

    def value(self, address: str) -> Rows:
        """Return a value, what it is made of first."""
        stack = [address.rpartition(".")[0]]
        while stack:
            key = stack[-1]
            waiting = [
                wire.source
                for wire in self.graph.into(key)
                if wire.start not in self._known and not self.graph.feeds_back(wire)
            ]
            if waiting and self.graph.type_of(key).family != "source":
                stack += waiting
                continue
            stack.pop()
            self._make(key)
        return self._known[address]

    def _make(self, key: str) -> None:
        type_ = self.graph.type_of(key)
        settings = self.graph.settings(key)
        if type_.typed:
            array = np.asarray(self.run.plan.graph.settings(key)["value"], float)
            self._known[f"{key}.value"] = _numbers(np.atleast_2d(array))
        elif type_.holds_weights:
            self._parameter(key)
        elif type_.family == "source":
            self._data(key)
        elif type_.symbols is None and not type_.calculation:
            raise RunError(f"'{key}' ({type_.name}) has no formula to derive", node=key)
        else:
            inputs = {
                port: [self._known[wire.start] for wire in wires]
                for port, wires in self.graph.inputs(key).items()
            }
            if type_.symbols is not None:
                found = type_.symbols(inputs, settings)
            else:
                found = of_formula(type_.calculated(settings), inputs)
                found = [[total(row)] for row in found] if type_.adds_up else found
            self._known[f"{key}.{type_.outputs[0].name}"] = found
            if type_.family == "activation" and not type_.passes:
                self._name(key, found)

    def _name(self, key: str, rows: Rows) -> None:
        for i, row in enumerate(rows):
            for j, part in enumerate(row):
                places = ([i] if len(rows) > 1 else []) + ([j] if len(row) > 1 else [])
                text = f"{key}[{','.join(map(str, places))}]" if places else key
                self.activations[text] = part

    def _parameter(self, key: str) -> None:
        address = f"{key}.value"
        array = np.asarray(self.run.machine.read(address, 1), float)
        if not self.graph.settings(key)["trainable"]:
            self._known[address] = _numbers(array if array.ndim == 2 else array[None, :])
            return
        parts = {}
        for index in np.ndindex(array.shape):
            name = symbol(address, index, array.size)
            parts[index] = ("name", name)
            self.numbers[name] = float(array[index])
        if array.ndim == 2:
            rows = [[parts[i, j] for j in range(array.shape[1])] for i in range(array.shape[0])]
        else:
            rows = [[parts[(i,)] for i in range(array.size)]]
        self._known[address] = rows

    def _data(self, key: str) -> None:
        split = self.run.machine.splits[key]
        several = len(self.run.machine.splits) > 1
        for port, array in (("x", split.x), ("y", split.y)):
            row: Row = []
            for column in range(array.shape[1]):
                letter = f"{key}.{port}" if several else port
                name = letter if array.shape[1] == 1 else f"{letter}{column + 1}"
                if name in self.numbers:
                    name = f"{key}.{name}"
                row.append(("name", name))
                self.numbers[name] = float(array[0, column])
                self.sampled[name] = f"{key}.{port}", column
            self._known[f"{key}.{port}"] = [row]


def _numbers(array: Any) -> Rows:
    return [[("number", float(number)) for number in row] for row in array.tolist()]
