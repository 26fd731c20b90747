"""Hypothesis strategies: formulas, graphs under edit, and networks of every kind."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import nodeflow as nf
import nodeflow.nodes
from nodeflow.declare import CATALOG, Output
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
