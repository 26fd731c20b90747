"""ONNX out: the forward pass, or one training step of ordinary operators.

Only operators that onnxruntime executes in double precision are written: a leaky relu, a softplus
and formulas are made of parts, and numbers are tensors, since attributes are float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.chain import layers_of, with_trainer
from nodeflow.interchange.layers import Activation, Affine, Dense, Floats, Network

_OPSET, _IR = 18, 9
_OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "**": "Pow", "max": "Max",
              "min": "Min"}  # fmt: skip
_FUNCTIONS = {"exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos",
              "tanh": "Tanh", "sigmoid": "Sigmoid", "abs": "Abs", "sign": "Sign"}  # fmt: skip
_KINDS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}


def write(graph: Graph, weights: Any = None, *, backward: bool = False) -> bytes:
    """Return a model in float64.

    Forward: `x` (rows, features) in, `output` out, weights inside. With `backward` it is one
    training step by gradient descent: `x`, `y` and every weight in, `cost` (J of the rows) and
    every new weight out, as NAME.next.
    """
    try:
        import onnx
    except ImportError:
        raise InterchangeError("ONNX is not installed; pip install 'nodeflow[onnx]'") from None
    graph = with_trainer(graph) if backward else graph
    network = layers_of(graph, weights)
    writer = _Writer(network, graph, backward=backward)
    model = writer.model()
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


class _Writer:
    """A graph of operators that grows, with names for its values."""

    def __init__(self, network: Network, graph: Graph, *, backward: bool) -> None:
        self.network, self.graph, self.backward = network, graph, backward
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.numbers: dict[tuple[Any, ...], str] = {}
        self.weights: dict[str, Floats] = {}
        self.count = 0

    def model(self) -> Any:
        """Return the whole model."""
        from onnx import TensorProto, helper

        double = TensorProto.DOUBLE
        x = helper.make_tensor_value_info("x", double, ["rows", self.network.width])
        inputs, outputs = [x], []
        trace = self._forward()
        if not self.backward:
            self._node("Identity", trace[-1][1], to="output")
            outputs.append(
                helper.make_tensor_value_info("output", double, ["rows", self.network.outputs])
            )
            self.constants += [_tensor(name, array) for name, array in self.weights.items()]
        else:
            inputs.append(
                helper.make_tensor_value_info("y", double, ["rows", self.network.outputs])
            )
            updated = self._backward(trace)
            for name, array in self.weights.items():
                inputs.append(helper.make_tensor_value_info(name, double, array.shape))
                outputs.append(helper.make_tensor_value_info(updated[name], double, array.shape))
            outputs.insert(0, helper.make_tensor_value_info("cost", double, []))
        made = helper.make_graph(
            self.nodes, self.graph.name or "nodeflow", inputs, outputs, self.constants
        )
        return helper.make_model(
            made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR,
            producer_name="nodeflow",
        )  # fmt: skip

    # -- parts

    def _node(self, kind: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        self.count += 1
        name = to or f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _number(self, *values: float) -> str:
        """Return the name of a constant; the same numbers are there once."""
        if values not in self.numbers:
            name = f"number_{len(self.numbers)}"
            array = np.array(values[0] if len(values) == 1 else values, np.float64)
            self.constants.append(_tensor(name, array))
            self.numbers[values] = name
        return self.numbers[values]

    def _axes(self, *axes: int) -> str:
        key = ("axes", *axes)
        if key not in self.numbers:
            name = f"axes_{len(self.numbers)}"
            self.constants.append(_tensor(name, np.array(axes, np.int64)))
            self.numbers[key] = name
        return self.numbers[key]

    def _sum(self, value: str, axis: int, *, keep: bool, to: str | None = None) -> str:
        return self._node("ReduceSum", value, self._axes(axis), keepdims=int(keep), to=to)

    # -- forward

    def _forward(self) -> list[tuple[Any, str, str]]:
        """Write the layers; return each with its output and its input."""
        at = "x"
        trace: list[tuple[Any, str, str]] = []
        for step in self.network.steps:
            before = at
            if isinstance(step, Dense):
                at = self._dense(step, at)
            elif isinstance(step, Affine):
                scaled = self._node("Mul", at, self._number(*step.scale.tolist()))
                at = self._node(
                    "Add", scaled, self._number(*step.shift.tolist()), to=f"{step.name}.value"
                )
            elif isinstance(step, Activation):
                at = self._activation(step, at)
            trace.append((step, at, before))
        return trace

    def _dense(self, step: Dense, at: str) -> str:
        weight = f"{step.name}.weight"
        self.weights[weight] = np.ascontiguousarray(step.weights)
        names = [at, weight]
        if step.bias is not None:
            self.weights[f"{step.name}.bias"] = step.bias
            names.append(f"{step.name}.bias")
        return self._node("Gemm", *names, to=f"{step.name}.z", transB=1)

    def _activation(self, step: Activation, z: str) -> str:
        kind = step.kind
        if step.formula is not None:
            tree = formulas.parse(step.formula)
            return self._node("Identity", self._formula(tree, z), to=f"{step.name}.a")
        if kind in _KINDS:
            return self._node(_KINDS[kind], z, to=f"{step.name}.a")
        if kind == "softmax":
            return self._node("Softmax", z, to=f"{step.name}.a", axis=-1)
        if kind == "identity":
            return self._node("Identity", z, to=f"{step.name}.a")
        if kind == "leaky_relu":
            low = self._node("Min", z, self._number(0.0))
            low = self._node("Mul", low, self._number(0.01))
            return self._node("Add", self._node("Relu", z), low, to=f"{step.name}.a")
        return self._softplus(z, to=f"{step.name}.a")

    def _softplus(self, z: str, to: str | None = None) -> str:
        small = self._node("Exp", self._node("Neg", self._node("Abs", z)))
        log = self._node("Log", self._node("Add", small, self._number(1.0)))
        return self._node("Add", self._node("Relu", z), log, to=to)

    def _formula(self, tree: Any, z: str) -> str:
        head, *parts = tree
        if head == "number":
            return self._number(float(parts[0]))
        if head == "name":
            return z
        if head == "step":
            inner = self._node("Sign", self._formula(parts[0], z))
            return self._node("Relu", inner)
        names = [self._formula(part, z) for part in parts]
        kind = _OPERATORS.get(head) or _FUNCTIONS.get(head)
        if kind is None:
            kind = "Neg" if len(names) == 1 else ""
        if not kind:
            raise InterchangeError(f"ONNX has no operator for '{head}' in a formula")
        return self._node(kind, *names)

    # -- backward

    def _backward(self, trace: list[tuple[Any, str, str]]) -> dict[str, str]:
        """Write cost, blame, gradients and updates; return the names of the new weights."""
        settings = self.network.settings
        if self.network.trainer != "gradient_descent" or settings.get("momentum"):
            raise InterchangeError(
                "a training step goes out by gradient descent without momentum: other trainers "
                "keep numbers from step to step"
            )
        kind = self.network.cost or ""
        together = {"cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}
        last = trace[-1][0]
        joined = isinstance(last, Activation) and together.get(kind) == last.kind
        a, z = trace[-1][1], trace[-1][2]
        self._cost(kind, a, z, joined=joined)
        error = self._node("Sub", a, "y")
        if joined:
            blame, trace = error, trace[:-1]
        elif kind == "squared_error":
            key = self.graph.of_type("squared_error")[0]
            half = self.graph.settings(key)["half"]
            blame = error if half else self._node("Mul", error, self._number(2.0))
        elif kind == "cross_entropy":
            rest = self._node("Sub", self._number(1.0), a)
            blame = self._node("Div", error, self._node("Mul", a, rest))
        else:
            raise InterchangeError(f"{kind} goes out behind a softmax only")
        rows = self._node("Gather", self._node("Shape", "x"), self._axes(0))
        rows = self._as_double(rows)
        rate = self._number(float(settings.get("rate", 0.1)))
        factor = self._node("Div", rate, rows)
        updated: dict[str, str] = {}
        for step, out, before in reversed(trace):
            if isinstance(step, Activation):
                blame = self._slope(step, blame, out, before)
            elif isinstance(step, Affine):
                blame = self._node("Mul", blame, self._number(*step.scale.tolist()))
            elif isinstance(step, Dense):
                blame = self._update(step, blame, before, factor, updated)
        return updated

    def _as_double(self, value: str) -> str:
        from onnx import TensorProto, helper

        self.count += 1
        name = f"cast_{self.count}"
        self.nodes.append(
            helper.make_node("Cast", [value], [name], name=name, to=TensorProto.DOUBLE)
        )
        return name

    def _update(
        self, step: Dense, delta: str, before: str, factor: str, updated: dict[str, str]
    ) -> str:
        weight = f"{step.name}.weight"
        gradient = self._node("Gemm", delta, before, transA=1)
        updated[weight] = f"{weight}.next"
        self._node("Sub", weight, self._node("Mul", gradient, factor), to=updated[weight])
        if step.bias is not None:
            bias = f"{step.name}.bias"
            slope = self._sum(delta, 0, keep=False)
            updated[bias] = f"{bias}.next"
            self._node("Sub", bias, self._node("Mul", slope, factor), to=updated[bias])
        return self._node("Gemm", delta, weight)

    def _cost(self, kind: str, a: str, z: str, *, joined: bool) -> None:
        if kind == "squared_error":
            error = self._node("Sub", a, "y")
            each = self._node("Mul", error, error)
            key = self.graph.of_type("squared_error")[0]
            if self.graph.settings(key)["half"]:
                each = self._node("Mul", each, self._number(0.5))
        elif kind == "cross_entropy" and joined:
            each = self._node("Sub", self._softplus(z), self._node("Mul", z, "y"))
        elif kind == "cross_entropy":
            one = self._number(1.0)
            hit = self._node("Mul", "y", self._node("Log", a))
            rest = self._node("Log", self._node("Sub", one, a))
            miss = self._node("Mul", self._node("Sub", one, "y"), rest)
            each = self._node("Neg", self._node("Add", hit, miss))
        else:
            log = self._node("LogSoftmax", z, axis=-1) if joined else self._node("Log", a)
            each = self._node("Neg", self._node("Mul", "y", log))
        rows = self._sum(each, 1, keep=False)
        self._node("ReduceMean", rows, self._axes(0), keepdims=0, to="cost")

    def _slope(self, step: Activation, blame: str, a: str, z: str) -> str:
        """Return ∂C/∂z of ∂C/∂a."""
        one = self._number(1.0)
        kind = step.kind
        if step.formula is not None:
            tree = formulas.parse(step.formula)
            name = formulas.names(tree)[0]
            return self._node("Mul", blame, self._formula(formulas.derivative(tree, name), z))
        if kind == "identity":
            return blame
        if kind == "softmax":
            shared = self._sum(self._node("Mul", blame, a), 1, keep=True)
            return self._node("Mul", a, self._node("Sub", blame, shared))
        if kind == "sigmoid":
            slope = self._node("Mul", a, self._node("Sub", one, a))
        elif kind == "tanh":
            slope = self._node("Sub", one, self._node("Mul", a, a))
        elif kind == "softplus":
            slope = self._node("Sigmoid", z)
        else:
            above = self._node("Relu", self._node("Sign", z))
            slope = above
            if kind == "leaky_relu":
                steep = self._node("Mul", above, self._number(0.99))
                slope = self._node("Add", steep, self._number(0.01))
        return self._node("Mul", blame, slope)


def _tensor(name: str, array: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array), name)
