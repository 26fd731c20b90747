"""Parameters that are computed from parameters: full speed, stepping and PyTorch agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nodeflow as nf
from nodeflow.graph import Graph

ROWS, WIDTH = 7, 2
UPDATES = 5
Tensors = dict[str, Any]
Formula = Callable[[Tensors], Any]


@dataclass(frozen=True)
class Value:
    """A wire, its NumPy shape (without samples), and the same in PyTorch."""

    wire: Any
    shape: tuple[int, ...]
    tensor: Formula


TRAINERS = {
    "plain": lambda cost: nf.gradient_descent(cost, rate=0.02, id="train"),
    "momentum": lambda cost: nf.gradient_descent(cost, rate=0.01, momentum=0.7, id="train"),
    # ε is large: where a gradient is 0 but for rounding, its sign would count.
    "adam": lambda cost: nf.adam(cost, rate=0.005, beta1=0.8, beta2=0.9, epsilon=0.1, id="train"),
}


@dataclass
class Program:
    """A network whose weights and biases are made of parameters, as a graph and as tensors."""

    draw: st.DrawFn
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    made: list[Value] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.draw(st.integers(0, 2**32 - 1)))

    def one(self, *of: Any) -> Any:
        return self.draw(st.sampled_from(of))

    def numbers(self, *shape: int) -> np.ndarray:
        return self.random.uniform(0.2, 1.0, shape) * self.random.choice([-1.0, 1.0], shape)

    def parameter(self, *shape: int) -> Value:
        """Return a new parameter, or one that others use too."""
        alike = [value for value in self.made if value.shape == shape]
        if alike and self.one(False, True, False):
            return self.one(*alike)
        name = f"p{len(self.parameters)}"
        self.parameters[name] = self.numbers(*shape)
        wire = nf.parameter(value=self.parameters[name], id=name)
        self.made.append(Value(wire, shape, lambda given: given[name]))
        return self.made[-1]

    def partner(self, rows: int, columns: int) -> Value:
        """Return what can be broadcast over a matrix, or over a row (rows 0)."""
        tall = [] if rows == 0 else [(rows, columns), (rows, 1)]
        shape = self.one((1,), (columns,), (1, 1), (1, columns), *tall)
        found = self.parameter(*shape)
        return self.combined(found, self.parameter(1)) if self.one(False, False, True) else found

    def combined(self, a: Value, b: Value) -> Value:
        """Return something of two values that are broadcast together."""
        if self.one(False, True):
            a, b = b, a
        shape = np.broadcast_shapes(a.shape, b.shape)
        one, other = a.tensor, b.tensor
        match self.one("add", "multiply", "subtract", "divide", "expression"):
            case "add":
                return Value(nf.add(a.wire, b.wire), shape, lambda t: one(t) + other(t))
            case "multiply":
                return Value(nf.multiply(a.wire, b.wire), shape, lambda t: one(t) * other(t))
            case "subtract":
                return Value(nf.subtract(a.wire, b.wire), shape, lambda t: one(t) - other(t))
            case "divide":
                safe = nf.add(2.0, nf.tanh(b.wire))
                return Value(nf.divide(a.wire, _flat(safe, b)), shape,
                             lambda t: one(t) / (2 + other(t).tanh()))  # fmt: skip
            case _:
                wire = nf.expression(a.wire, b.wire, formula="sin(u) * v + tanh(v) - 0.3 * u")
                return Value(wire, shape, lambda t: _formula(one(t), other(t)))

    def matrix(self, rows: int, columns: int) -> Value:
        found = self.parameter(rows, columns)
        for _ in range(self.one(1, 2, 0)):
            found = self.combined(found, self.partner(rows, columns))
        return self.squashed(found) if self.one(False, False, True) else found

    def squashed(self, value: Value) -> Value:
        return Value(nf.tanh(value.wire), value.shape, lambda t: value.tensor(t).tanh())

    def row(self, columns: int) -> Value:
        """Return a bias: a parameter, a combination, some of a longer one, or several joined."""
        match self.one("parameter", "tall", "combined", "picked", "joined"):
            case "parameter":
                return self.parameter(columns)
            case "tall":
                return self.parameter(1, columns)
            case "combined":
                return self.combined(self.row(columns), self.partner(0, columns))
            case "picked":
                whole = self.parameter(self.one(columns, columns + 1))
                wide = whole.shape[-1]
                index = self.draw(
                    st.lists(st.integers(0, wide - 1), min_size=columns, max_size=columns)
                )
                wire = nf.pick(whole.wire, index=index if columns > 1 else index[0])
                return Value(wire, (1, columns), lambda t: _row(whole.tensor(t))[:, index])
            case _:
                parts = [self.parameter(*self.one((1,), (1, 1))) for _ in range(columns)]
                if columns == 1:
                    return parts[0]
                wire = nf.concatenate(*(part.wire for part in parts))
                return Value(wire, (1, columns), lambda t: _joined([p.tensor(t) for p in parts]))

    def network(self, x: Any, y: Any) -> tuple[Any, Formula]:
        """Return the cost of each sample, as a wire and as tensors; also of no sample at all."""
        hidden, width = self.one(2, 1, 3), self.one(2, 1)
        first, bias = self.matrix(hidden, WIDTH), self.row(hidden)
        second = self.matrix(width, hidden)
        z = nf.weighted_sum(x, first.wire, bias.wire, id="z1")
        scale = self.one(None, self.parameter(1), self.parameter(hidden))
        a = nf.tanh(z) if scale is None else nf.multiply(scale.wire, nf.tanh(z))
        out = nf.weighted_sum(a, second.wire, id="z2")
        kind = self.one("squared", "cross", "categorical")
        target = nf.pick(y, index=list(range(width))) if width > 1 else nf.pick(y)
        extra = self.one(None, "penalty", "bare", "square")
        some = self.one(*self.made)

        def tensor(t: Tensors) -> Any:
            h = (t["x"] @ first.tensor(t).T + bias.tensor(t)).tanh()
            h = h if scale is None else scale.tensor(t) * h
            o, target = h @ second.tensor(t).T, t["y"][:, :width]
            cost = {"squared": _squared, "cross": _cross, "categorical": _categorical}[kind](
                o, target
            )
            match extra:
                case "penalty":
                    return cost + 0.1 * (some.tensor(t) ** 2).sum()
                case "bare":
                    return cost + scalar.tensor(t).reshape(())
                case "square":
                    return cost * scalar.tensor(t).reshape(()) ** 2
            return cost

        match kind:
            case "squared":
                cost = nf.squared_error(out, target, id="cost")
            case "cross":
                cost = nf.cross_entropy(nf.sigmoid(out), target, id="cost")
            case _:
                cost = nf.categorical_cross_entropy(nf.softmax(out), target, id="cost")
        if extra in ("bare", "square"):
            scalar = self.parameter(*self.one((1,), (1, 1)))
        if extra == "penalty":
            cost = nf.add(cost, nf.l2_penalty(some.wire, regularization=0.2))
        elif extra == "bare":
            cost = nf.add(cost, scalar.wire)
        elif extra == "square":
            cost = nf.multiply(cost, nf.power(scalar.wire))
        return cost, tensor


def _flat(wire: Any, like: Value) -> Any:
    """Return 2 + tanh of a value in the value's own shape: a constant has two dimensions."""
    return wire if len(like.shape) == 2 else nf.expression(like.wire, formula="2 + tanh(u)")


def _formula(u: Any, v: Any) -> Any:
    return u.sin() * v + v.tanh() - 0.3 * u


def _row(value: Any) -> Any:
    return value.reshape(1, -1)


def _joined(parts: list[Any]) -> Any:
    import torch

    return torch.cat([_row(part) for part in parts], dim=1)


def _squared(o: Any, y: Any) -> Any:
    return ((o - y) ** 2).sum(1)


def _cross(o: Any, y: Any) -> Any:
    import torch

    found = torch.nn.functional.binary_cross_entropy_with_logits(o, y, reduction="none")
    return found.sum(1)


def _categorical(o: Any, y: Any) -> Any:
    import torch

    return -(y * torch.log_softmax(o, 1)).sum(1)


@dataclass
class Drawn:
    """A graph, its data, and the same cost in PyTorch."""

    graph: Graph
    trainer: str
    parameters: dict[str, np.ndarray]
    x: np.ndarray
    y: np.ndarray
    batch: int
    cost: Formula

    def __repr__(self) -> str:
        wires = "\n".join(str(wire) for wire in self.graph.wires)
        return f"{self.trainer}, batch {self.batch}\n{wires}\n{self.parameters}"


@st.composite
def programs(draw: st.DrawFn, folder: Path) -> Drawn:
    program = Program(draw)
    x_rows = program.random.uniform(-1, 1, (ROWS, WIDTH))
    y_rows = program.random.uniform(0.1, 0.9, (ROWS, 2))
    path = folder / f"{crc32(x_rows.tobytes() + y_rows.tobytes())}.npz"
    np.savez(path, x=x_rows, y=y_rows)
    x, y = nf.dataset(str(path), shuffle=False, id="data")
    cost, tensor = program.network(x, y)
    trainer, batch = draw(st.sampled_from(list(TRAINERS))), draw(st.sampled_from([1, 3, "all"]))
    graph = Graph.of(TRAINERS[trainer](cost), batch=batch)
    rows = ROWS if batch == "all" else batch
    return Drawn(graph, trainer, program.parameters, x_rows, y_rows, rows, tensor)


EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("computed")


@EXAMPLES
@given(data=st.data())
def test_full_speed_is_stepping_and_gradients_have_their_weights_shape(data, folder) -> None:
    drawn = data.draw(programs(folder))
    stepped, trained = nf.Run(drawn.graph), nf.Run(drawn.graph)
    while stepped.update < UPDATES:
        stepped.step()
    trained.train(updates=UPDATES)
    for address, value in trained.weights.items():
        assert value.tobytes() == stepped.weights[address].tobytes(), address
    assert {f"{name}.value" for name in drawn.parameters if name in drawn.graph.nodes} <= set(
        stepped.gradients
    )
    for address, value in stepped.weights.items():
        assert stepped.gradient(address).shape == value.shape, address


@EXAMPLES
@given(data=st.data())
def test_unfolded_and_folded_are_the_same(data, folder) -> None:
    drawn = data.draw(programs(folder))
    unfolded = nf.unfold(drawn.graph)
    one, other = nf.Run(drawn.graph), nf.Run(unfolded)
    for run in (one, other):
        run.train(updates=UPDATES)
    assert one.cost == other.cost
    assert one.gradients.keys() == other.gradients.keys()
    for address, value in one.gradients.items():
        assert value.tobytes() == other.gradients[address].tobytes(), address
    folded = nf.fold(unfolded)
    assert (folded.nodes, folded.wires) == (drawn.graph.nodes, drawn.graph.wires)


@pytest.mark.programs("torch")
@EXAMPLES
@given(data=st.data())
def test_they_are_those_of_pytorch(data, folder) -> None:
    import torch

    drawn = data.draw(programs(folder))
    theta = {
        name: torch.tensor(value, requires_grad=True)
        for name, value in drawn.parameters.items()
        if name in drawn.graph.nodes
    }
    optimizer = {
        "plain": lambda: torch.optim.SGD(theta.values(), lr=0.02),
        "momentum": lambda: torch.optim.SGD(theta.values(), lr=0.01, momentum=0.7),
        "adam": lambda: torch.optim.Adam(theta.values(), lr=0.005, betas=(0.8, 0.9), eps=0.1),
    }[drawn.trainer]()
    run = nf.Run(drawn.graph)
    for update in range(UPDATES):
        batches = -(-ROWS // drawn.batch)
        first = update % batches * drawn.batch
        rows = slice(first, first + drawn.batch)
        given = {"x": torch.tensor(drawn.x[rows]), "y": torch.tensor(drawn.y[rows])}
        optimizer.zero_grad()
        cost = drawn.cost(theta | given).mean()
        cost.backward()
        assert run.evaluate() == pytest.approx(cost.item(), rel=1e-12, abs=1e-14)
        for name, value in theta.items():
            grad = value.grad.numpy()
            np.testing.assert_allclose(
                run.gradient(f"{name}.value"), grad, rtol=1e-11, atol=1e-12, err_msg=name
            )
        optimizer.step()
        run.train(updates=1)
        for name, value in theta.items():
            np.testing.assert_allclose(
                run.weights[f"{name}.value"], value.detach(), rtol=1e-12, atol=1e-12, err_msg=name
            )
