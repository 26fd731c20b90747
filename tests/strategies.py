"""Hypothesis strategies: formulas, graphs under edit, and networks of every kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import nodeflow as nf
import nodeflow.nodes
from nodeflow.declare import CATALOG, Made, Output
from nodeflow.formula import FUNCTIONS, Expression
from nodeflow.graph import MODES, Graph

# --- formulas -------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-9, 9).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([1e-9, 1e22, -0.0, 3.141592653589793, 5e-324]),
)
NAMES = st.sampled_from(["a", "b", "x_1", "value", "blame", "exp", "Θ", "_k"])


def _grown(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "**", "max", "min"]), parts, parts),
        st.tuples(st.sampled_from(list(FUNCTIONS)), parts),
    )


def expressions(names: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Expression]:
    """Return formulas as trees."""
    leaves = st.one_of(st.tuples(st.just("number"), NUMBERS), st.tuples(st.just("name"), names))
    return st.recursive(leaves, _grown, max_leaves=12)


# Formulas that are smooth and tame where their names lie in −1.5 … 1.5.
def smooth(names: list[str]) -> st.SearchStrategy[str]:
    """Return formulas as text, without kinks and poles."""

    def grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(parts, st.sampled_from("+-*"), parts).map(
                lambda p: f"({p[0]} {p[1]} {p[2]})"
            ),
            st.tuples(st.sampled_from(["sin", "cos", "tanh", "sigmoid"]), parts).map(
                lambda p: f"{p[0]}({p[1]})"
            ),
            parts.map(lambda p: f"sin({p}) ^ 2"),
            st.tuples(parts, parts).map(lambda p: f"{p[0]} / (2 + sin({p[1]}))"),
            parts.map(lambda p: f"log(2 + cos({p}))"),
            parts.map(lambda p: f"sqrt(2 + sin({p}))"),
            parts.map(lambda p: f"exp(sin({p}))"),
            parts.map(lambda p: f"(2 + cos({p})) ^ sin({p})"),
        )

    leaves = st.one_of(st.sampled_from(names), st.integers(1, 3).map(str))
    return st.recursive(leaves, grown, max_leaves=5)


# --- edits of a graph -----------------------------------------------------------------------------

IDS = st.sampled_from(["n1", "n2", "n3", "n4", "n5", "n6", "n7", "layer.1", "δ", "x-y"])
TYPES = st.sampled_from(
    ["constant", "parameter", "weighted_sum", "sigmoid", "add", "subtract", "concatenate",
     "squared_error", "accumulate", "weight_update", "panel", "expression", "gradient_descent"]
)  # fmt: skip
PORTS = st.sampled_from(
    sorted({port.name for type_ in CATALOG.values() for port in (*type_.inputs, *type_.outputs)})
)
EDITS = st.one_of(
    st.tuples(st.just("add"), IDS, TYPES),
    st.tuples(st.just("remove"), IDS),
    st.tuples(st.just("rename"), IDS, IDS),
    st.tuples(st.just("join"), IDS, IDS, st.integers(0, 3), st.none() | st.integers(0, 3)),
    st.tuples(st.just("cut"), st.integers(0, 20)),
    st.tuples(st.just("set"), IDS, st.sampled_from(["value", "formula", "half", "rate"]),
              st.sampled_from([1.0, -1.0, "a * b", "a *", True, [1, 2], None])),
    st.tuples(st.just("mode"), IDS, st.sampled_from([*MODES, "x"])),
    st.tuples(st.just("move"), IDS, st.integers(-500, 500)),
)  # fmt: skip


def edited(graph: Graph, edit: tuple) -> Graph:
    """Return the graph after an edit; raises what the edit raises."""
    match edit:
        case ("add", key, type_):
            return graph.add(key, type_)
        case ("remove", key):
            return graph.remove(key)
        case ("rename", old, new):
            return graph.rename(old, new)
        case ("join", source, target, port, index):
            outputs = graph.type_of(source).outputs if source in graph.nodes else ()
            inputs = (
                graph.type_of(target).ports_in(graph.nodes[target].settings)
                if target in graph.nodes
                else ()
            )
            start = outputs[port % len(outputs)].name if outputs else "value"
            end = inputs[port % len(inputs)].name if inputs else "a"
            number = "" if index is None else f"[{index}]"
            return graph.connect(f"{source}.{start}", f"{target}.{end}{number}")
        case ("cut", number):
            if not graph.wires:
                return graph
            wire = graph.wires[number % len(graph.wires)]
            index = "" if wire.index is None else f"[{wire.index}]"
            return graph.disconnect(wire.start, wire.end + index)
        case ("set", key, name, value):
            return graph.set(key, **{name: value})
        case ("mode", key, mode):
            return graph.with_mode(key, mode)
        case ("move", key, x):
            return graph.move(**{key: (x, -x)})
    raise AssertionError(edit)


# --- networks -------------------------------------------------------------------------------------

SMOOTH = ("sigmoid", "tanh", "softplus", "identity", "softmax")


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Return a graph that trains: layers, arithmetic, fan-out, shared weights, several costs.

    All of it is smooth, so that differences of the cost tell its gradients.
    """
    rows = draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def numbers(*shape: int) -> np.ndarray:
        return random.uniform(0.2, 1.0, shape) * random.choice([-1.0, 1.0], shape)

    width = draw(st.integers(1, 3))
    values = [(nf.constant(value=numbers(rows, width), id="x"), width)]
    thetas: list = []

    def theta(*shape: int) -> Output:
        alike = [t for t, size in thetas if size == shape]
        if alike and draw(st.booleans()):
            return draw(st.sampled_from(alike))  # shared
        made = nf.parameter(value=numbers(*shape), id=f"theta{len(thetas)}")
        thetas.append((made, shape))
        return made

    def value() -> tuple:
        return draw(st.sampled_from(values))

    def layer() -> tuple:
        inputs = [value() for _ in range(draw(st.integers(1, 2)))]
        size = draw(st.integers(1, 3))
        weights = theta(size, sum(wide for _, wide in inputs))
        if draw(st.integers(0, 3)) == 0:
            weights = nf.multiply(weights, theta(1))
        bias = theta(size) if draw(st.booleans()) else None
        z = nf.weighted_sum([wire for wire, _ in inputs] if len(inputs) > 1 else inputs[0][0],
                            weights, bias)  # fmt: skip
        return getattr(nf, draw(st.sampled_from(SMOOTH)))(z), size

    def arithmetic() -> tuple:
        one, wide = value()
        kind = draw(
            st.sampled_from(
                ["sum", "mean", "pick", "exp", "power", "log", "divide", "scale", "shift"]
            )
        )
        match kind:
            case "sum" | "mean":
                return getattr(nf, kind)(one), 1
            case "pick":
                index = draw(st.lists(st.integers(0, wide - 1), min_size=1, max_size=3))
                return nf.pick(one, index=index), len(index)
            case "exp":
                return nf.exp(nf.tanh(one)), wide
            case "power":
                return nf.power(nf.tanh(one), exponent=draw(st.sampled_from([2.0, 3.0]))), wide
            case "log":
                return nf.log(nf.add(nf.sigmoid(one), 0.5)), wide
            case "divide":
                return nf.divide(one, nf.add(nf.sigmoid(one_of(wide)), 0.5)), wide
            case "scale":
                return nf.multiply(one, theta(draw(st.sampled_from([1, wide])))), wide
            case _:
                return nf.subtract(theta(draw(st.sampled_from([1, wide]))), one), wide

    def one_of(wide: int) -> Output:
        alike = [wire for wire, size in values if size in (1, wide)]
        return draw(st.sampled_from(alike)) if alike else nf.constant(value=numbers(wide))

    def pair() -> tuple:
        one, wide = value()
        other = one_of(wide)
        kind = draw(st.sampled_from(["add", "multiply", "subtract", "concatenate", "expression"]))
        if kind == "concatenate":
            second, more = value()
            return nf.concatenate(one, second), wide + more
        if kind == "expression":
            text = draw(smooth(["u", "v"]))
            found = nf.expression.ports_in({"formula": text})
            if not found:
                text, found = "u * v", nf.expression.ports_in({"formula": "u * v"})
            given = {"u": one, "v": other}
            wires = [given[port.name] for port in found]
            if "u" not in [port.name for port in found]:
                wide = max(size for wire, size in values if wire is other) if wires else wide
            return nf.expression(*wires, formula=text), wide
        return getattr(nf, kind)(one, other), wide

    values.append(layer())
    for _ in range(draw(st.sampled_from([3, 5, 4, 2, 0]))):
        # What grows without end would leave no digits for the differences.
        made, size = draw(st.sampled_from([arithmetic, pair, layer]))()
        values.append((nf.tanh(made) if draw(st.booleans()) else made, size))
    costs = []
    # The first layer always counts, so that there is something to train.
    for last, wide in [values[1], values[-1]][: 1 if len(values) == 2 else 2]:
        y = random.uniform(0.1, 0.9, (rows, wide))
        if draw(st.integers(0, 3)) == 0:
            targets = [wire for wire, size in values if size == wide]
            y = nf.sigmoid(draw(st.sampled_from(targets)))  # trained like the outputs
        kind = draw(st.sampled_from(["squared_error", "half", "cross_entropy", "categorical"]))
        match kind:
            case "squared_error" | "half":
                a = nf.tanh(last)
                costs.append(nf.squared_error(a, y, half=kind == "half"))
            case "cross_entropy":
                a = nf.sigmoid(nf.tanh(last))
                costs.append(nf.cross_entropy(a, y))
            case _:
                a = nf.softmax(nf.tanh(last))
                costs.append(nf.categorical_cross_entropy(a, y))
        if draw(st.integers(0, 3)) == 0:
            costs.append(nf.sum(nf.multiply(a, a)))  # outputs that more than their cost reads
    matrices = [t for t, size in thetas if len(size) == 2]
    if matrices and draw(st.booleans()):
        costs.append(nf.l2_penalty(*matrices, regularization=0.1))
    total = nf.add(*costs) if len(costs) > 1 or draw(st.booleans()) else costs[0]
    if draw(st.booleans()):
        trainer = nf.gradient_descent(total, rate=0.05, momentum=draw(st.sampled_from([0.0, 0.5])),
                                      id="train")  # fmt: skip
    else:
        trainer = nf.adam(total, rate=0.01, id="train")
    return Graph.of(trainer, batch="all", name="random")


# --- the whole library, wired at random -----------------------------------------------------------


@dataclass(frozen=True)
class Carried:
    """What a wire carries: its width, how large its numbers can be, and whether it has rows."""

    wire: Output
    width: int
    bound: float
    rows: bool = True


ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax")
KINKED = (
    "max(u, v) + abs(u) / 2",
    "min(u, 0.3 * v) - v",
    "step(u) * v + sign(v) * u",
    "2 ^ u - pi",
    "blame * u",
)
POWERS = (2.0, 3.0, 1.0, 0.0)
POWERS_OF_POSITIVE = (-1.0, 0.5, -1.5)
LARGEST = 4.0
"""Numbers that can be larger are squashed before anything else takes them."""


class Wiring:
    """Grows one graph; numbers stay where each type has a value and a slope."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.thetas: list[tuple[Output, tuple[int, ...]]] = []
        self.values: list[Carried] = []
        self.biases: list[str] = []
        self.passing: list[str] = []
        self._source()

    def one(self, *of: Any) -> Any:
        return self.draw(st.sampled_from(of))

    def often(self, times: int, of: int) -> bool:
        """Return true `times` times of so many; examples shrink towards false."""
        return bool(self.draw(st.integers(0, of - 1)) >= of - times)

    def numbers(self, *shape: int) -> np.ndarray:
        return self.random.uniform(0.2, 1.0, shape) * self.random.choice([-1.0, 1.0], shape)

    # -- sources

    def _source(self) -> None:
        self.fed = self.often(1, 3)
        self.targets: list[Carried] = []
        if self.fed:
            self.rows = 4
            name = self.one("xor", "and", "or")
            x, y = nf.dataset(name, shuffle=self.often(1, 2), id="data",
                              scale=self.one("none", "minmax", "standard"))  # fmt: skip
            self.values.append(Carried(x, 2, 2.0))
            self.targets.append(Carried(y, 1, 1.0))
            return
        self.rows = self.one(3, 2, 1)
        width = self.one(1, 2, 3)
        x = nf.constant(value=self.numbers(self.rows, width), id="x")
        self.values.append(Carried(x, width, 1.0, self.rows > 1))

    def theta(self, *shape: int) -> Output:
        """Return a parameter: a new one, or one of this shape that others use too."""
        alike = [t for t, size in self.thetas if size == shape]
        if alike and self.often(2, 4):
            return self.one(*alike)
        start: dict[str, Any] = {"value": self.numbers(*shape)}
        if self.often(1, 3):
            start = {"shape": shape, "init": self.one("uniform", "glorot")}
        trained = {"trainable": False} if self.often(1, 12) else {}
        made = nf.parameter(**start, **trained, id=f"theta{len(self.thetas)}")
        self.thetas.append((made, shape))
        return made

    def value(self, width: int | None = None) -> Carried:
        """Return a value that there is already, or a new single row for all samples."""
        fitting = [v for v in self.values if width is None or v.width in (1, width)]
        if fitting and not self.often(1, 8):
            return self.one(*fitting)
        wide = width or self.one(1, 2)
        if self.often(1, 2):
            return Carried(self.theta(wide), wide, 1.75, rows=False)
        return Carried(nf.constant(value=self.numbers(wide)), wide, 1.0, rows=False)

    # -- steps

    def tame(self, value: Carried) -> Carried:
        if value.bound <= LARGEST:
            return value
        kind = self.one("tanh", "sigmoid", "softmax")
        return replace(value, wire=getattr(nf, kind)(value.wire), bound=1.0)

    def positive(self, value: Carried) -> Carried:
        """Return numbers of at least 0.3 that are made from others."""
        match self.one("sigmoid", "softplus", "exp", "square"):
            case "sigmoid" | "softplus" as kind:
                found = nf.add(getattr(nf, kind)(value.wire), 0.3)
            case "exp":
                return replace(value, wire=nf.exp(nf.tanh(value.wire)), bound=2.8)
            case _:
                found = nf.add(nf.power(nf.tanh(value.wire)), 0.3)
        return replace(value, wire=found, bound=value.bound + 1.0)

    def layer(self) -> Carried:
        inputs = [self.value() for _ in range(self.one(1, 1, 2, 3))]
        size, wide = self.one(2, 1, 3), sum(value.width for value in inputs)
        weights = self.theta(size, wide)
        if self.often(1, 8):
            weights = self.matrix(weights)
        bias = None
        if self.often(2, 3):
            bias = self.bias(size)
        wires = [value.wire for value in inputs]
        z = nf.weighted_sum(wires if len(wires) > 1 else wires[0], weights, bias)
        rows = any(value.rows for value in inputs)
        found = Carried(z, size, 3.0 * sum(v.bound * v.width for v in inputs) + 2.0, rows)
        found = self.activated(found)
        if self.often(1, 8):  # a second activation reads the same sums
            self.values.append(self.activated(replace(found, wire=z)))
        return found

    def matrix(self, weights: Output) -> Output:
        """Return weights that are made from a parameter."""
        scaled = nf.multiply(weights, self.theta(1))
        match self.one("scaled", "formula", "exp", "activated"):
            case "scaled":
                return scaled
            case "activated":
                kind = self.one(*(name for name in ACTIVATIONS if name != "softmax"))
                return getattr(nf, kind)(weights)
            case "formula":
                return nf.expression(weights, scaled, formula="sin(u) - v ^ 2")
            case _:
                return nf.exp(scaled)

    def bias(self, size: int) -> Output:
        shape = (1, size) if self.often(1, 6) else (size,)
        if not self.often(1, 4):
            return self.theta(*shape)
        name = f"bias{len(self.biases)}"  # nobody else's, so that it can be disabled
        self.biases.append(name)
        return nf.parameter(value=self.numbers(*shape), id=name)

    def activated(self, value: Carried) -> Carried:
        kind = self.one(*ACTIVATIONS)
        squashed = kind in ("sigmoid", "tanh", "softmax")
        name = {}
        if not squashed and self.often(1, 4):
            name = {"id": f"passing{len(self.passing)}"}
            self.passing.append(name["id"])
        found = getattr(nf, kind)(value.wire, **name)
        return replace(value, wire=found, bound=1.0 if squashed else value.bound + 0.7)

    def alone(self) -> Carried:
        """Return what a type makes of one value."""
        one = self.value()
        # What is named more often is met by too few costs otherwise.
        kinds = ("sum", "mean", *["relay"] * 3, *["pick"] * 2, "power", "exp", *["log"] * 3, "root",
                 *["log_softmax"] * one.rows)  # fmt: skip
        match self.one(*kinds):
            case "relay":
                return replace(one, wire=nf.relay(one.wire))
            case "sum" | "mean" as kind:
                return Carried(getattr(nf, kind)(one.wire), 1, one.bound * one.width, one.rows)
            case "pick":
                wanted = self.draw(st.lists(st.integers(0, one.width - 1), min_size=1, max_size=3))
                index = wanted[0] if len(wanted) == 1 else wanted
                return replace(one, wire=nf.pick(one.wire, index=index), width=len(wanted))
            case "log_softmax":
                bound = 2 * one.bound + 2.0
                return replace(one, wire=nf.log_softmax(one.wire), bound=bound)
            case "power":
                exponent = self.one(*POWERS)
                found = nf.power(one.wire, exponent=exponent)
                return replace(one, wire=found, bound=max(1.0, one.bound**exponent))
            case "exp":
                calm = one if one.bound <= 2 else replace(one, wire=nf.tanh(one.wire), bound=1.0)
                return replace(calm, wire=nf.exp(calm.wire), bound=float(np.exp(calm.bound)))
            case "log":
                safe = self.positive(one)
                return replace(safe, wire=nf.log(safe.wire), bound=2.0)
            case _:
                safe = self.positive(one)
                found = nf.power(safe.wire, exponent=self.one(*POWERS_OF_POSITIVE))
                return replace(safe, wire=found, bound=6.1)

    def together(self) -> Carried:
        """Return what a type makes of several values."""
        one = self.value()
        other = self.value(one.width)
        rows = one.rows or other.rows
        bound = one.bound + other.bound
        wide = max(one.width, other.width)
        match self.one("add", "multiply", "subtract", "subtract", "subtract", "divide", "divide",
                       "concatenate", "expression", "error"):  # fmt: skip
            case "add" | "multiply" as kind:
                parts = [one, other, *(self.value(wide) for _ in range(self.one(0, 0, 1)))]
                wide = max(part.width for part in parts)
                many = any(part.rows for part in parts)
                bound = sum(p.bound for p in parts) if kind == "add" else (
                    float(np.prod([p.bound for p in parts])))  # fmt: skip
                return Carried(getattr(nf, kind)(*(p.wire for p in parts)), wide, bound, many)
            case "subtract":
                return Carried(nf.subtract(one.wire, other.wire), wide, bound, rows)
            case "divide":
                found = nf.divide(one.wire, self.positive(other).wire)
                return Carried(found, wide, one.bound / 0.3, rows)
            case "concatenate":
                second = self.value()
                found = nf.concatenate(one.wire, second.wire)
                wide, bound = one.width + second.width, max(one.bound, second.bound)
                return Carried(found, wide, bound, one.rows or second.rows)
            case "error" if one.width == other.width:
                return Carried(nf.error(one.wire, other.wire), wide, bound, rows)
            case _:
                return self.formula(self.calm(one), self.calm(other))

    def calm(self, value: Carried) -> Carried:
        return value if value.bound <= 1.5 else replace(value, wire=nf.tanh(value.wire), bound=1.0)

    def formula(self, one: Carried, other: Carried) -> Carried:
        text = self.draw(st.one_of(st.sampled_from(KINKED), smooth(["u", "v"])))
        given = {"u": one, "v": other, "blame": other}
        found = [port.name for port in nf.expression.ports_in({"formula": text})]
        if not found:
            text, found = "u * v", ["u", "v"]
        used = [given[name] for name in found]
        wire = nf.expression(*(value.wire for value in used), formula=text)
        wide, rows = max(value.width for value in used), any(value.rows for value in used)
        return Carried(wire, wide, 9.0, rows)

    def grow(self) -> None:
        """Add a value, and keep it tame."""
        made = self.tame(self.one(self.layer, self.alone, self.together)())
        self.values.append(made)

    # -- costs

    def target(self, width: int) -> tuple[Output, bool]:
        """Return targets in 0 … 1, and whether they have rows; some are trained themselves."""
        kind = self.one("rows", "row", "data", "trained", "trained")
        alike = [v for v in self.values if v.width == width]
        if kind == "trained" and alike:
            found = self.one(*alike)
            return nf.sigmoid(found.wire), found.rows
        if kind == "data" and self.targets and width == 1:
            return self.targets[0].wire, True
        if kind == "row" or self.fed:
            return nf.constant(value=self.random.uniform(0.1, 0.9, width)), False
        rows = self.random.uniform(0.1, 0.9, (self.rows, width))
        if self.often(1, 2):
            rows = np.eye(width)[self.random.integers(0, width, self.rows)]
        return nf.constant(value=rows), self.rows > 1

    def cost(self, value: Carried) -> Carried:
        y, rows = self.target(value.width)
        kind = self.one("squared_error", "half", "cross_entropy", "cross_entropy",
                        "categorical_cross_entropy", "of error", "margin")  # fmt: skip
        last = {"cross_entropy": nf.sigmoid, "categorical_cross_entropy": nf.softmax}.get(kind)
        if last and value.width > 1 and self.often(1, 2):  # the other way round
            last = nf.softmax if last is nf.sigmoid else nf.sigmoid
        a = last(value.wire) if last else value.wire
        if last and self.often(1, 3):
            # What passes on leaves z known; after a product both slopes are taken by themselves.
            a = self.one(nf.multiply(a, 1.0), nf.multiply(a, 1.0), nf.identity(a), nf.relay(a))
        if kind == "of error":
            found = self.one(nf.sum, nf.mean)(nf.power(nf.error(a, y)))
        elif kind in ("squared_error", "half"):
            found = nf.squared_error(a, y, half=kind == "half")
        else:
            found = getattr(nf, kind)(a, y)
        self.seen = (a, y)
        if self.often(1, 6):
            self.values.append(Carried(a, value.width, value.bound + 1.0, value.rows))
        return Carried(found, 1, 9.0, rows or value.rows)

    def penalty(self) -> Carried:
        some = [t for t, _ in self.thetas]
        wanted = self.draw(st.lists(st.sampled_from(some), min_size=1, max_size=3, unique_by=id))
        return Carried(nf.l2_penalty(*wanted, regularization=self.one(0.1, 0.5)), 1, 1.0, False)

    def total(self) -> Output:
        """Return one cost of several."""
        # The first layer always counts, so that there is something to train.
        costs = [self.cost(self.values[1])]
        last = [*self.values[2:][-2:], self.values[-1]]
        costs += [self.cost(self.one(*last)) for _ in range(self.one(1, 2, 0))]
        if self.thetas and self.often(1, 2):
            costs.append(self.penalty())
        if len(costs) == 1 and self.often(3, 4):
            return costs[0].wire
        wires = [cost.wire for cost in costs]
        match self.one("add", "multiply", "weighted", "formula", "mean", "scaled"):
            case "add":
                return nf.add(*wires)
            case "multiply":
                return nf.multiply(*(nf.add(wire, 0.5) for wire in wires))
            case "weighted":
                shares = nf.constant(value=[self.random.uniform(0.2, 1, len(wires)).tolist()])
                return nf.weighted_sum(wires, shares)
            case "formula":
                letters = "pqrst"[: len(wires)]
                text = " + ".join(f"0.{k} * {name}" for k, name in enumerate(letters, 3))
                return nf.expression(*wires, formula=text)
            case "mean":
                return nf.mean(nf.concatenate(*wires))
            case _:
                return nf.add(nf.multiply(0.3, wires[0]), *wires[1:])

    def trainer(self, total: Output) -> Made:
        match self.one("plain", "momentum", "adam"):
            case "plain":
                return nf.gradient_descent(total, rate=0.05, id="train")
            case "momentum":
                return nf.gradient_descent(total, rate=0.03, momentum=0.7, id="train")
            case _:
                # ε is large: where a gradient is 0 but for rounding, its sign would count.
                return nf.adam(total, rate=0.01, beta1=self.one(0.9, 0.5), epsilon=0.1, id="train")

    def graph(self) -> Graph:
        self.values.append(self.tame(self.layer()))
        for _ in range(self.one(2, 4, 6, 8, 5)):
            self.grow()
        ends: list[Any] = [self.trainer(self.total())]
        if self.often(1, 4):
            ends.append(nf.accuracy(*self.seen, id="hits"))
        if self.often(1, 4):
            ends.append(nf.panel([v.wire for v in self.values[-2:]], id="panel"))
        graph = Graph.of(*ends, batch=self.one("all", 1, 2), seed=3, name="random")
        if self.often(1, 4):  # in the order in which someone added them, not of their names
            graph = replace(graph, nodes=dict(reversed(graph.nodes.items())))
        return self.placed(self.moded(graph))

    def moded(self, graph: Graph) -> Graph:
        """Freeze, bypass and disable a few nodes that can take it."""
        for names, mode in (
            (graph.of_type("parameter"), "freeze"),
            (self.passing, "bypass"),
            (self.biases, "disable"),
        ):
            there = [name for name in names if name in graph.nodes]
            if there and self.often(2, 5):
                graph = graph.with_mode(self.one(*there), mode)
        return graph

    def placed(self, graph: Graph) -> Graph:
        if not self.often(1, 4):
            return graph
        return graph.move(**{key: (40 * i, i % 7) for i, key in enumerate(graph.nodes)})


@st.composite
def whole_library(draw: st.DrawFn) -> Graph:
    """Return a graph that trains, of any differentiable types, wired in any way."""
    return Wiring(draw).graph()
