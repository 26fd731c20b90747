"""Operators of ONNX that grow into a graph.

Only those are written that onnxruntime executes in double precision: a leaky relu, a softplus and
formulas are made of parts, and numbers are tensors, since attributes are float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nodeflow.declare import NodeType
from nodeflow.engine.kernel import scalar
from nodeflow.errors import InterchangeError

_OPSET, _IR = 18, 9
_OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "**": "Pow", "max": "Max",
              "min": "Min"}  # fmt: skip
_FUNCTIONS = {"exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos",
              "tanh": "Tanh", "sigmoid": "Sigmoid", "abs": "Abs", "sign": "Sign"}  # fmt: skip
_NEAR = [getattr(scalar, f"_F{place}") for place in range(12)]
_FAR = [getattr(scalar, f"_X{place}") for place in range(13)]


class Operators:
    """A graph of operators, with names for its values; its numbers are float64 or float32."""

    def __init__(self, dtype: DTypeLike = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._numbers: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def node(self, kind: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        """Add an operator; return the name of its output, `to` or one of its own."""
        from onnx import helper

        self._count += 1
        name = to or f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def number(self, *values: float) -> str:
        """Return the name of a constant; the same numbers are there once."""
        if values not in self._numbers:
            name = f"number_{len(self._numbers)}"
            self.constant(name, np.array(values[0] if len(values) == 1 else values))
            self._numbers[values] = name
        return self._numbers[values]

    def whole(self, *values: int) -> str:
        """Return the name of whole numbers: axes, sizes, places."""
        key = ("whole", *values)
        if key not in self._numbers:
            name = f"whole_{len(self._numbers)}"
            self.constants.append(_tensor(name, np.array(values, np.int64)))
            self._numbers[key] = name
        return self._numbers[key]

    def constant(self, name: str, array: Any) -> str:
        """Add an array of real numbers; return its name. What leaves the range is refused."""
        with np.errstate(over="ignore", under="ignore"):
            kept = np.asarray(array).astype(self.dtype)
        if not np.array_equal(np.isfinite(kept), np.isfinite(array)):
            raise InterchangeError(
                f"'{name}' has numbers beyond {np.finfo(self.dtype).max:.2g}, the largest of "
                f"{self.dtype}; leave out --float32"
            )
        self.constants.append(_tensor(name, kept))
        return name

    def value_info(self, name: str, shape: list[Any]) -> Any:
        """Return what ONNX wants to know of an input or an output."""
        from onnx import helper

        return helper.make_tensor_value_info(name, self._kind(), shape)

    def _kind(self) -> int:
        from onnx import helper

        return int(helper.np_dtype_to_tensor_dtype(self.dtype))

    def total(self, value: str, axis: int, *, keep: bool = True, to: str | None = None) -> str:
        """Return the sum along an axis."""
        return self.node("ReduceSum", value, self.whole(axis), keepdims=int(keep), to=to)

    def product(self, *factors: str) -> str:
        """Return a product of any number of factors."""
        return self._chain("Mul", factors)

    def add(self, *parts: str) -> str:
        """Return a sum of any number of values."""
        return self._chain("Add", parts)

    def _chain(self, kind: str, parts: tuple[str, ...]) -> str:
        at = parts[0]
        for part in parts[1:]:
            at = self.node(kind, at, part)
        return at

    def real(self, value: str) -> str:
        """Return a value as a real number: a truth is 0 or 1."""
        from onnx import helper

        self._count += 1
        name, kind = f"cast_{self._count}", self._kind()
        self.nodes.append(helper.make_node("Cast", [value], [name], name=name, to=kind))
        return name

    def less(self, value: str) -> str:
        """Return 1 − value."""
        return self.node("Sub", self.number(1.0), value)

    def activation(self, type_: NodeType, z: str, to: str | None = None) -> str:
        """Return an activation: ONNX's operator where it has one, or its calculation."""
        kind = type_.called("onnx")
        if kind:
            across = {} if type_.is_elementwise else {"axis": -1}
            return self.node(kind, z, to=to, **across)
        value = self.formula(type_.calculated(type_.defaults), {"z": z})
        return self.node("Identity", value, to=to) if to else value

    def log_softmax(self, z: str) -> str:
        """Return the logarithms of shares."""
        return self.node("LogSoftmax", z, axis=-1)

    def softplus(self, z: str) -> str:
        """Return ln(1 + e^z)."""
        small = self.node("Exp", self.node("Neg", self.node("Abs", z)))
        log = self.node("Log", self.node("Add", small, self.number(1.0)))
        return self.node("Add", self.node("Relu", z), log)

    def erf(self, x: str) -> str:
        """Return the error function as the engine has it: runtimes have no Erf in float64.

        It is x + x P(x² − ½) up to 1, 1 − e^(−x²) Q((x − 3)/(x + 3)) from there on.
        """
        one, three = self.number(1.0), self.number(3.0)
        size = self.node("Min", self.node("Abs", x), self.number(6.0))
        square = self.node("Mul", size, size)
        u = self.node("Sub", self.node("Min", square, one), self.number(0.5))
        near = self.node("Add", size, self.node("Mul", size, self.polynomial(_NEAR, u)))
        t = self.node("Div", self.node("Sub", size, three), self.node("Add", size, three))
        tail = self.node("Exp", self.node("Neg", square))
        far = self.node("Sub", one, self.node("Mul", tail, self.polynomial(_FAR, t)))
        which = self.node("LessOrEqual", size, one)
        return self.node("Mul", self.node("Sign", x), self.node("Where", which, near, far))

    def polynomial(self, factors: Sequence[float], x: str) -> str:
        """Return a polynomial by Horner's rule, the constant factor first."""
        at = self.number(factors[-1])
        for factor in reversed(factors[:-1]):
            at = self.node("Add", self.node("Mul", at, x), self.number(factor))
        return at

    def above(self, value: str) -> str:
        """Return 1 where a value is above 0, else 0."""
        return self.node("Relu", self.node("Sign", value))

    def formula(self, tree: Any, given: Mapping[str, str]) -> str:
        """Return a formula that a person typed, of values by name."""
        head, *parts = tree
        if head == "number":
            return self.number(float(parts[0]))
        if head == "name":
            return given[parts[0]]
        names = [self.formula(part, given) for part in parts]
        if head == "step":
            return self.above(names[0])
        if head == "erf":
            return self.erf(names[0])
        kind = _OPERATORS.get(head) or _FUNCTIONS.get(head)
        if kind is None:
            raise InterchangeError(f"ONNX has no operator for '{head}' in a formula")
        return self.node(kind, *names)

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> bytes:
        """Return the file of a model, once it has been checked."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(self.nodes, name or "nodeflow", inputs, outputs, self.constants)
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR,
            producer_name="nodeflow",
        )  # fmt: skip
        onnx.checker.check_model(made, full_check=True)
        return bytes(made.SerializeToString())


def _tensor(name: str, array: Any) -> Any:
    """Return an array as ONNX stores it."""
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array), name)
