"""ONNX: layers in, and out as a forward pass or as one training step of ordinary operators.

Weights that lie in a file beside the model are read from there. What runtimes refuse in double
precision (LeakyRelu, Softplus) is written from parts. Attributes are float32 in the format, so
numbers of a float64 network go out as tensors.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.data.matform import MOST_NUMBERS
from nodeflow.declare import CATALOG
from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.casting import Casts, rounded
from nodeflow.interchange.layers import (
    DAMAGED,
    Activation,
    Affine,
    Dense,
    End,
    Floats,
    Input,
    Missing,
    Narrow,
    Network,
    Step,
    as_floats,
    clipped,
)
from nodeflow.interchange.naming import known
from nodeflow.interchange.values import Values, keeps_rows
from nodeflow.interchange.verifying import Answer, Other, Refused, by_the_other

_MISSING = "ONNX is not installed; pip install 'nodeflow[onnx]'"
_ELEMENTWISE = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Neg": "neg",
    "Reciprocal": "reciprocal", "Log": "log", "Sqrt": "sqrt", "Sign": "sign",
    "Softplus": "softplus", "Softsign": "softsign", "Exp": "exponential", "Abs": "abs",
    "Sin": "sin", "Cos": "cos", "Tan": "tangent", "Sinh": "sinh", "Cosh": "cosh", "Mish": "mish",
    "HardSwish": "hard_silu", "Erf": "erf",
}  # fmt: skip


_COMPARED = {"Greater": "greater", "Less": "less", "GreaterOrEqual": "greater_equal",
             "LessOrEqual": "less_equal"}  # fmt: skip
_OF_TESTS = {"Or": "or", "And": "and", "Not": "not"}
_OF_SHARES = ("ReduceMax", "Sub", "Exp", "ReduceSum", "Div", "Log", "ReduceLogSumExp")
"""Operators that a softmax is made of, where a program takes it apart."""
_SHAPED = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Expand")
_PASSED = ("Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout", "ZipMap")


def read(path: Path, _asked: Asked) -> Network:
    """Return the network of a file; raises `FileError` or `InterchangeError`."""
    try:
        import onnx
    except ImportError:
        raise InterchangeError(_MISSING) from None
    with reading(path):
        path.open("rb").close()
    try:
        model = onnx.load(str(path), load_external_data=False)
        if model.functions:
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
    except Exception as error:  # noqa: BLE001 (protobuf has errors of its own)
        why = " ".join(str(error).split())[:100]
        raise FileError(f"is no ONNX model ({why})", file=str(path)) from None
    if not model.graph.node or not model.graph.output:
        raise FileError("is no ONNX model, or one without operators or outputs", file=str(path))
    try:
        return _Model(model, path).network()
    except DAMAGED as error:
        raise FileError(
            f"is damaged, or of an ONNX that is not known here ({type(error).__name__}: {error})",
            file=str(path),
        ) from None


class _Model:
    """A model's operators, and the arrays that they take."""

    def __init__(self, model: Any, path: Path) -> None:
        self.model, self.path = model, path
        self.graph = model.graph
        self.notes: list[str] = []
        self.casts = Casts()
        self.values = Values(Counter(name for node in self.graph.node for name in node.input))
        self.arrays: dict[str, Floats] = {}
        self.turned: dict[str, Floats] = {}
        """Weights as (out, in): layers that take the same ones share them."""
        self.truths: set[str] = set()
        """Comparisons, which are 1 or 0 here."""
        self.quantised: dict[str, tuple[str, str, tuple[float, float]]] = {}
        """Values that were quantised: what they were, the name of their scale, and its limits."""
        self.counts: set[str] = set()
        """Values that are made of the sizes of others alone."""
        self.shapes, self.kinds = _shapes(model)
        self.opset = max((one.version for one in model.opset_import
                          if one.domain in ("", "ai.onnx")), default=1)  # fmt: skip

    def network(self) -> Network:
        """Return the steps from the inputs to the outputs."""
        for tensor in self.graph.initializer:
            self.arrays[tensor.name] = self._array(tensor, tensor.name)
        for tensor in self.graph.sparse_initializer:
            self.arrays[tensor.values.name] = self._written_out(tensor)
        wanted = self._ends()
        needed = self._before(wanted)
        inputs = [one for one in self.graph.input
                  if one.name not in self.arrays and one.name in needed]  # fmt: skip
        for one in inputs:
            _refuse_without_rows(one)
            self.values.feed(one.name)
        for node in self._in_order():
            if needed & set(node.output):
                self._operator(node)
        ends = [end for end in wanted if self.values.knows(end)]
        if not ends:
            made_of = " and ".join(f"'{one.name}'" for one in inputs) or "any input"
            raise InterchangeError(
                f"the output '{wanted[0]}' is not made of {made_of} by operators that are known"
            )
        several = len(self.graph.output) > 1
        if len(ends) < len(self.graph.output):
            came = ", ".join(f"'{end}'" for end in ends)
            self.notes.append(f"of {len(self.graph.output)} outputs, {came} came in")
        steps, names = self.values.of(ends)
        found = zip(names, ends, strict=True)
        return Network(
            steps, "ONNX", name=self.graph.name, notes=(*self.notes, *self.casts.notes()),
            inputs=tuple(Input(one.name, _width(one)) for one in inputs),
            ends=tuple(End(name, end if several else "") for name, end in found),
        )  # fmt: skip

    def _in_order(self) -> list[Any]:
        """Return the operators so that each stands behind those that it takes values of.

        ONNX asks for that, and not every program that rewrites a model keeps it.
        """
        places = {name: at for at, node in enumerate(self.graph.node) for name in node.output}
        before = {at: [places[name] for name in node.input if name in places]
                  for at, node in enumerate(self.graph.node)}  # fmt: skip
        if all(one < at for at, some in before.items() for one in some):
            return list(self.graph.node)
        try:
            return [self.graph.node[at] for at in TopologicalSorter(before).static_order()]
        except CycleError:
            raise InterchangeError("its operators take each other's values in a circle") from None

    def _ends(self) -> list[str]:
        """Return the outputs that come in: those with real numbers, no classes by name."""
        from onnx import TensorProto

        real = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
        found = [one.name for one in self.graph.output if one.type.tensor_type.elem_type in real
                 or one.type.HasField("sequence_type")]  # fmt: skip
        return found or [self.graph.output[0].name]

    def _before(self, ends: Sequence[str]) -> set[str]:
        """Return the names of all values that outputs are made of."""
        makers = {name: node for node in self.graph.node for name in node.output}
        found, stack = set(), list(ends)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += makers[name].input if name in makers else ()
        return found

    def _operator(self, node: Any) -> None:
        """Take an operator: of weights alone, of sizes alone, number by number, or a layer."""
        given = _taken(node)
        own = [name for name in given if name not in self.arrays and name not in self.counts]
        if node.op_type in ("Shape", "Size") or (not own and self.counts.intersection(given)):
            self.counts.update(node.output)
        elif not own:
            self._computed(node)
        elif self._quantises(node):
            return
        elif all(map(self.values.knows, own)):
            if node.op_type == "Where" and self._chosen(node):
                return
            if self._tested(node) or self._share(node, own):
                return
            self._usual(node, own)

    def _usual(self, node: Any, own: Sequence[str]) -> None:
        if not self._is_exact(node, own):
            why = "it computes with whole numbers, truths or texts, and nodes with real ones"
            why = _why(node.op_type, why)
            missing = Missing(node.name or node.output[0], node.op_type, why)
            self.values.put([missing], list(dict.fromkeys(own)), node.output[0])
        elif node.op_type in ("Cast", "CastLike"):
            self._cast(node)
        elif not self._of_any_number(node, own) and not self._elementwise(node, own):
            self._layer(node, own)

    def _tested(self, node: Any) -> bool:
        """Take a test for NaN, or one that is made of tests; return whether an operator is one."""
        kind, given, result = node.op_type, list(node.input), node.output[0]
        label = node.name or result
        if kind == "IsNaN":
            known = self.values.is_nan(given[0], result, label)
        elif kind == "Equal" and given[0] == given[1]:
            known = self.values.compare("equal", given, result, label)
        elif kind in _OF_TESTS and self.truths.issuperset(given) and self._alike(given):
            known = self.values.combine(_OF_TESTS[kind], given, result, label)
        else:
            return False
        self.truths.update([result] if known else ())
        return known

    def _share(self, node: Any, own: Sequence[str]) -> bool:
        """Take an operator of a softmax that was taken apart; return whether it is one."""
        kind, given = node.op_type, list(node.input)
        if kind.startswith("Reduce"):
            axes = _attributes(node).get("axes")
            if axes is None and len(given) > 1:
                axes = self.arrays.get(given.pop(1))
            if axes is None or list(map(int, axes)) not in ([1], [-1]):
                return False
        if kind not in _OF_SHARES or given != list(own):
            return False
        if any(len(self.shapes.get(name) or ()) != 2 for name in own):
            return False
        result, label = node.output[0], node.name or node.output[0]
        operator = kind.removeprefix("Reduce").capitalize()
        return self.values.of_softmax(operator, own, result, label, lambda: self._usual(node, own))

    def _of_any_number(self, node: Any, own: Sequence[str]) -> bool:
        """Take a sum, a mean, or the largest or least of values; return whether it is one."""
        operator = {"Sum": "+", "Mean": "+", "Max": "max", "Min": "min"}.get(node.op_type)
        arrays = [self.arrays[name] for name in node.input if name in self.arrays]
        long = [array for array in arrays if array.size != 1]
        if operator is None or not self._alike(own) or (long and operator != "+"):
            return False
        name, result, count = node.name or node.output[0], node.output[0], len(node.input)
        shift = np.zeros(1)
        for array in arrays if long else ():
            values = self._for_each_feature(array, own[0])
            if values is None:
                return False
            shift = shift + values
        operands: list[str | float] = [
            float(self.arrays[one].reshape(-1)[0]) if one in self.arrays else one
            for one in node.input if not (long and one in self.arrays)
        ]  # fmt: skip
        factor = 1 / count if node.op_type == "Mean" else 1.0
        plain = factor == 1 and not long
        at = result if plain else f"{result} sum"
        if len(operands) == 1:
            self.values.same(own[0], at)
        elif not self.values.apply(operator, operands, at, name):
            return False
        if long:
            self.values.put(
                [Affine(name, np.full(shift.shape, factor), shift * factor)], [at], result
            )
        elif not plain:
            return self.values.apply("div", [at, float(count)], result, name)
        return True

    def _quantises(self, node: Any) -> bool:
        """Take a pair that quantises values and gives real ones again; return whether it is one.

        Beyond the limits of its whole numbers it holds values there: a relu may be no more than
        that.
        """
        if node.op_type == "QuantizeLinear" and self.values.knows(node.input[0]):
            readers = [one.op_type for one in self.graph.node if node.output[0] in one.input]
            limits = self._limits(node)
            if limits is not None and set(readers) == {"DequantizeLinear"}:
                self.quantised[node.output[0]] = (node.input[0], node.input[1], limits)
                return True
        elif node.op_type == "DequantizeLinear" and node.input[0] in self.quantised:
            value, scale, (low, high) = self.quantised[node.input[0]]
            name, result = node.name or node.output[0], node.output[0]
            same = np.array_equal(self.arrays[scale], self.arrays.get(node.input[1], _UNKNOWN))
            if same and self.values.apply("hard_tanh", [value], result, name, low=low, high=high):
                self.casts.quantises(name)
            else:
                self.values.put([self._missing(node, name)], [value], result)
            return True
        return False

    def _limits(self, node: Any) -> tuple[float, float] | None:
        """Return the least and the largest number that values are quantised to, if it is known."""
        scale = self.arrays.get(node.input[1], _UNKNOWN)
        zero = self.arrays.get(node.input[2], _UNKNOWN) if len(node.input) > 2 else np.zeros(1)
        kind = _kind_named(self.kinds.get(node.output[0])) or "uint8"
        if scale.size != 1 or zero.size != 1 or kind not in ("int8", "uint8", "int16", "uint16"):
            return None
        ends, s, z = np.iinfo(kind), float(scale.reshape(-1)[0]), float(zero.reshape(-1)[0])
        return (float(ends.min) - z) * s, (float(ends.max) - z) * s

    def _chosen(self, node: Any) -> bool:
        """Take a choice by a comparison; return whether it can be one."""
        test, *sides = node.input
        operands: list[str | float] = []
        for name in sides:
            array = self.arrays.get(name)
            if array is not None and array.size != 1:
                return False
            operands.append(name if array is None else float(array.reshape(-1)[0]))
        names = [test, *(one for one in operands if isinstance(one, str))]
        if test not in self.truths or not self._alike(names):
            return False
        yes, no = operands
        return self.values.choose(test, yes, no, node.output[0], node.name or node.output[0])

    def _cast(self, node: Any) -> None:
        """Take a cast: to other types of real numbers values go through."""
        name, taken, result = node.name or node.output[0], node.input[0], node.output[0]
        before = _kind_named(self.kinds.get(taken))
        missing = self.casts.taken(name, node.op_type, before, self._cast_to(node))
        if missing is not None:
            self.values.put([missing], [taken], result)
        else:
            self.values.same(taken, result)

    def _cast_to(self, node: Any) -> str | None:
        """Return the type that a cast gives: its own, or that of the value that it takes beside."""
        if node.op_type == "Cast":
            return _kind_named(_attributes(node)["to"])
        return _kind_named(self.kinds.get(node.output[0], self.kinds.get(node.input[1])))

    def _is_exact(self, node: Any, own: Sequence[str]) -> bool:
        """Return whether real numbers give what an operator does with its types of numbers."""
        from onnx import TensorProto

        kinds = [self.kinds.get(name) for name in own]
        if all(map(_is_real, kinds)):
            return True
        if node.op_type in ("Cast", "CastLike"):
            return TensorProto.STRING not in kinds
        signed = (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)
        exact = (*_PASSED, "Gemm", "MatMul", "Add", "Sum", "Sub", "Mul", "Neg", "Abs", "Max", "Min",
                 "Relu", "Concat", "Slice", "Gather", "Split", "Shape")  # fmt: skip
        return node.op_type in exact and all(_is_real(kind) or kind in signed for kind in kinds)

    def _elementwise(self, node: Any, own: Sequence[str]) -> bool:
        """Take an operator that works number by number into the formula of its value."""
        kind, settings = _elementwise(node.op_type, _attributes(node))
        operands: list[str | float] = []
        for name in node.input:
            array = self.arrays.get(name)
            if array is not None and array.size != 1:
                return False
            operands.append(name if array is None else float(array.reshape(-1)[0]))
        if node.op_type == "Clip" and len(operands) > 1:
            # A limit that is left out has an empty name.
            limits = [None if one == "" else one for one in (*operands[1:], "")[:2]]
            if any(isinstance(one, str) for one in limits):
                return False
            kind, settings = clipped(*limits)  # type: ignore[arg-type]
            operands = operands[:1]
        if node.op_type == "PRelu" and len(operands) == 2 and not isinstance(operands[1], str):
            kind, settings = "leaky_relu", {"alpha": _short(operands[1])}
            operands = operands[:1]
        compared = _COMPARED.get(node.op_type)
        if (kind is None and compared is None) or not self._alike(own):
            return False
        label = node.name or node.output[0]
        if compared is not None:
            known = self.values.compare(compared, operands, node.output[0], label)
            self.truths.update(node.output if known else ())
            return known
        return self.values.apply(str(kind), operands, node.output[0], label, **settings)

    def _alike(self, names: Sequence[str]) -> bool:
        """Return whether values can be joined number by number: rows of features, or one shape."""
        shapes = [self.shapes.get(name) for name in names]
        known = [shape for shape in shapes if shape is not None]
        return all(len(shape) == 2 for shape in known) or (
            len(known) == len(names) and all(shape == known[0] for shape in known)
            and (len(names) == 1 or None not in known[0])
        )  # fmt: skip

    def _layer(self, node: Any, own: Sequence[str]) -> None:
        """Add what an operator is as steps behind the values that it takes."""
        name = node.name or node.output[0]
        # A classifier of scikit-learn gives labels first, then its scores.
        result = node.output[1 if node.op_type == "LinearClassifier" else 0]
        sizes = sum(1 for one in node.input if one in self.counts)
        many = len(own) > 1 or (sizes > 0 and node.op_type not in _SHAPED)
        if node.op_type == "Concat" and len(own) == len(node.input):
            if self._alike_in_rows(node, own):
                self.values.join("concatenate", name, own, result)
                return
            many = True
        if many:
            why = _why(node.op_type, "it joins values in a way that is not known here")
            self.values.put([Missing(name, node.op_type, why)], list(dict.fromkeys(own)), result)
        elif self._is_passed(node):
            self.values.same(own[0], result)
        elif self._split(node, own[0], name) or self._leaky(node, own[0], name):
            return
        elif not self._normalised(node, own[0], name):
            self.values.put(self._steps(node, own[0], name), own, result)
        for other in node.output:
            if other and not self.values.knows(other):
                self.values.same(result, other)  # of a placeholder, or what no row of numbers is

    def _alike_in_rows(self, node: Any, own: Sequence[str]) -> bool:
        """Return whether values are joined side by side: along the first axis behind the rows."""
        axis = _attributes(node).get("axis", 1)
        ranks = {len(shape) for shape in map(self.shapes.get, own) if shape is not None}
        return axis == 1 or (axis == -1 and ranks <= {2})

    def _is_passed(self, node: Any) -> bool:
        """Return whether an operator leaves the numbers of each row as they are."""
        kind, given = node.op_type, _attributes(node)
        if kind == "Dropout":
            training = self.arrays.get(node.input[2]) if len(node.input) > 2 else None
            return not self._trains(given) and (training is None or not training.any())
        if kind in ("Squeeze", "Unsqueeze"):
            axes = given.get("axes")
            if axes is None and len(node.input) > 1:
                axes = self.arrays.get(node.input[1])
            if axes is None or any(int(axis) == 0 for axis in axes):
                return False
        if kind == "Flatten" and given.get("axis", 1) == 1:
            return True
        if kind == "Reshape" and self._is_one_column(node):
            self.notes.append("outputs that the file puts below each other stand side by side")
            return True
        before, after = self.shapes.get(node.input[0]), self.shapes.get(node.output[0])
        if self.counts.intersection(node.input) and (not before or not after):
            return False  # of a size that is computed nothing is known then
        if kind == "Expand":
            if before is None or after is None or None in after[1:]:
                return False
            return before[1:] == after[1:]
        if kind in _SHAPED:
            return keeps_rows(before, after)
        if kind == "Normalizer":  # shares, which add up to 1 already
            return given.get("norm") == b"L1" and self._are_shares(node.input[0])
        return kind in ("Identity", "ZipMap")

    def _are_shares(self, name: str) -> bool:
        """Return whether a value is that of a softmax."""
        (maker,) = [node for node in self.graph.node if name in node.output] or [None]
        if maker is None or maker.op_type == "Softmax":
            return maker is not None
        return bool(_attributes(maker).get("post_transform") == b"SOFTMAX")

    def _trains(self, given: Mapping[str, Any]) -> bool:
        """Return whether an operator trains, as those before 7 do unless they are told to test."""
        return self.opset < 7 and not given.get("is_test")

    def _is_one_column(self, node: Any) -> bool:
        """Return whether the outputs of all rows are put into one column at the end.

        skl2onnx does so with the outputs of a regressor that has several.
        """
        target = self.arrays.get(node.input[1]) if len(node.input) > 1 else None
        last = node.output[0] in {one.name for one in self.graph.output}
        several = self._features(node.input[0]) not in (1, None)
        return last and several and target is not None and target.tolist() == [-1, 1]

    def _split(self, node: Any, taken: str, name: str) -> bool:
        """Take features apart into several values; return whether it does that."""
        width, given = self._features(taken), _attributes(node)
        if node.op_type != "Split" or width is None or given.get("axis", 0) not in (1, -1):
            return False
        sizes = given.get("split") or self.arrays.get(node.input[1] if len(node.input) > 1 else "")
        count = len(node.output)
        if sizes is None:
            each = -(-width // count)
            sizes = [min(each, width - each * at) for at in range(count)]
        if sum(sizes) != width or len(sizes) != count:
            return False
        at = 0
        for number, (size, output) in enumerate(zip(map(int, sizes), node.output, strict=True)):
            part = Narrow(f"{name}.{number}", "pick", tuple(range(at, at + size)))
            self.values.put([part], [taken], output)
            at += size
        return True

    def _leaky(self, node: Any, taken: str, name: str) -> bool:
        """Take a relu with a slope for each feature; return whether it is one."""
        array = self.arrays.get(node.input[1]) if node.op_type == "PRelu" else None
        slopes = None if array is None else self._for_each_feature(array, taken)
        if slopes is not None:
            self.values.leaky(name, taken, node.output[0], slopes)
        return slopes is not None

    def _features(self, name: str) -> int | None:
        """Return how many features each row of a value has, if it is a row of features."""
        shape = self.shapes.get(name)
        return shape[1] if shape is not None and len(shape) == 2 else None

    def _normalised(self, node: Any, taken: str, name: str) -> bool:
        """Take a layer normalisation of features; return whether it is one."""
        given = _attributes(node)
        if node.op_type not in ("LayerNormalization", "RMSNormalization"):
            return False
        if self._features(taken) is None:
            return False
        arrays = [self.arrays.get(one) for one in node.input[1:]]
        if given.get("axis", -1) not in (1, -1) or any(a is None or a.ndim != 1 for a in arrays):
            return False
        epsilon = float(given.get("epsilon", 1e-5))
        if node.op_type == "RMSNormalization":
            self.values.by_size(name, taken, node.output[0], epsilon, *arrays)
        else:
            self.values.normalise(name, taken, node.output[0], epsilon, *arrays)
        return True

    def _array(self, tensor: Any, name: str) -> Floats:
        from onnx import TensorProto, external_data_helper, numpy_helper

        if tensor.data_location == TensorProto.EXTERNAL:
            said = {one.key: one.value for one in tensor.external_data}
            beside = self.path.parent / said.get("location", "")
            if not beside.is_file():
                raise FileError(
                    f"the numbers of '{name}' lie in {said.get('location')}, which is not there; "
                    "put it beside the model",
                    file=str(self.path),
                )
            try:
                external_data_helper.load_external_data_for_tensor(tensor, str(self.path.parent))
            except Exception as error:  # noqa: BLE001 (it refuses paths that lead elsewhere)
                why = " ".join(str(error).split())[:120]
                what = f"'{name}' cannot be read ({why})"
                raise FileError(what, file=str(self.path)) from None
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind in "OSU":
            return np.zeros(0)  # texts of class names: no weights
        whole = array.dtype.kind in "iub"  # a single row of them is a shape, or an axis
        return as_floats(array, name, [] if whole and array.ndim < 2 else self.notes)

    def _written_out(self, tensor: Any) -> Floats:
        """Return a sparse array with its zeros; its places are numbers, or indices by axis."""
        from onnx import numpy_helper

        values = self._array(tensor.values, tensor.values.name)
        places = numpy_helper.to_array(tensor.indices)
        if math.prod(tensor.dims) > MOST_NUMBERS:
            raise InterchangeError(f"the sparse '{tensor.values.name}' has too many places")
        array = np.zeros(tuple(tensor.dims))
        array[tuple(places.T) if places.ndim == 2 else np.unravel_index(places, array.shape)] = (
            values
        )
        return array

    def _computed(self, node: Any) -> None:
        """Keep what is computed of weights alone: constants, and another order of axes."""
        taken = _taken(node)
        if any(self.arrays.get(name) is _UNKNOWN for name in taken):
            self.arrays[node.output[0]] = _UNKNOWN
            return
        made = self._constant(node) if node.op_type == "Constant" else None
        if made is None and all(name in self.arrays for name in taken):
            arrays = [self.arrays[name] for name in taken]
            made = _of_weights(node.op_type, _attributes(node), arrays)
            if made is not None and node.op_type in ("Cast", "CastLike"):
                made = rounded(made, self._cast_to(node))
        self.arrays[node.output[0]] = _UNKNOWN if made is None else made

    def _constant(self, node: Any) -> Floats | None:
        for one in node.attribute:
            if one.name == "value":
                return self._array(one.t, node.output[0])
            if one.name in ("value_float", "value_floats", "value_int", "value_ints"):
                return np.asarray(_attributes(node)[one.name], np.float64)
        return None

    def _steps(self, node: Any, taken: str, name: str) -> list[Step]:
        given = _attributes(node)
        arrays = [self.arrays.get(one) for one in node.input]
        known = [array for array in arrays if array is not None]
        several = len(self.shapes.get(taken) or ()) > 2
        match node.op_type:
            case "Gemm":
                return self._gemm(node, given, arrays)
            case "MatMul" if several and known:
                why = (
                    "it works along the last of several axes, and layers along all numbers of a row"
                )
                return [Missing(name, "MatMul", why)]
            case "MatMul" if len(known) == 1 and known[0].ndim == 2 and arrays[1] is not None:
                return [Dense(_stem(node.input[1], name), self._weights(node.input[1], turn=True))]
            case "MatMul" if (
                len(known) == 1
                and known[0].ndim == 1
                and arrays[1] is not None
                and self._features(taken) is not None
            ):  # a number for each row
                return [Dense(_stem(node.input[1], name), known[0].reshape(1, -1))]
            case "Add" | "Sub" | "Mul" | "Div" if len(known) == 1:
                values = self._for_each_feature(known[0], taken)
                if values is None:
                    why = "its numbers differ from row to row, or along several axes"
                    return [Missing(name, node.op_type, why)]
                made = _affine(node.op_type, name, values, first=arrays[0] is not None)
                return [made] if made is not None else [self._missing(node, name)]
            case "LinearClassifier" | "LinearRegressor":
                return self._linear(node, name, given)
            case "Scaler":
                factor = as_floats(given["scale"], name, [])
                return [Affine(name, factor, -as_floats(given["offset"], name, []) * factor)]
            case "BatchNormalization" if len(known) == 4:
                # Before 14 it is the outputs for new statistics that say so.
                if self._trains(given) or given.get("training_mode") or any(node.output[1:]):
                    why = "in training it uses the statistics of each batch"
                    return [Missing(name, node.op_type, why)]
                scale, shift, mean, variance = known
                factor = scale / np.sqrt(variance + given.get("epsilon", 1e-5))
                each = self._of_channels(taken, len(factor))
                if each is None:
                    return [Missing(name, node.op_type, "how many numbers a channel has is open")]
                shift = shift - mean * factor
                return [Affine(name, np.repeat(factor, each), np.repeat(shift, each))]
            case "Dropout":
                return [Missing(name, "Dropout", "in training it draws at random")]
            case "ReduceSum" | "ReduceMean":
                return [self._reduced(node, given, taken, name) or self._missing(node, name)]
            case "Gather" | "Slice":
                places = self._picked(node, given, arrays, taken)
                if places:
                    return [Narrow(name, "pick", places)]
            case "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Expand":
                return [Missing(name, node.op_type, "it changes what a row is")]
        made_of = self._activation(node.op_type, name, given, taken)
        return [made_of or self._missing(node, name)]

    def _weights(self, name: str, *, turn: bool) -> Floats:
        """Return weights as (out, in), the same array each time: who shares them, shares them."""
        if not turn:
            return self.arrays[name]
        if name not in self.turned:
            self.turned[name] = self.arrays[name].T
        return self.turned[name]

    def _for_each_feature(self, array: Floats, taken: str) -> Floats | None:
        """Return numbers for each feature of a row, or one for all; None if they are others."""
        shape = self.shapes.get(taken)
        if array.size == 1:
            return array.reshape(-1)
        if shape is None or len(shape) <= 2:
            return array.reshape(-1) if array.size == array.shape[-1] else None
        sizes = shape[1:]
        if None in sizes or (array.ndim == len(shape) and array.shape[0] != 1):
            return None
        one_row = array[0] if array.ndim == len(shape) else array
        try:
            spread = np.broadcast_to(one_row, [size or 0 for size in sizes])
        except ValueError:
            return None
        return spread.reshape(-1).copy()

    def _of_channels(self, taken: str, count: int) -> int | None:
        """Return how many numbers lie behind each channel: channels come first."""
        shape = self.shapes.get(taken)
        if shape is None:
            return 1
        behind = [size or 0 for size in shape[2:]]
        if 0 in behind or shape[1:2] not in ([count], [None]):
            return None
        return int(np.prod(behind))

    def _reduced(self, node: Any, given: Mapping[str, Any], taken: str, name: str) -> Narrow | None:
        """Return the sum or mean of a row's features."""
        axes = given.get("axes")
        if axes is None and len(node.input) > 1:
            axes = self.arrays.get(node.input[1])
        shape = self.shapes.get(taken)
        ends = {one.name for one in self.graph.output}
        if (
            axes is None
            or shape is None
            or not (given.get("keepdims", 1) or node.output[0] in {*ends, *self.shapes})
        ):
            return None
        behind = {int(axis) % len(shape) for axis in axes}
        if behind != set(range(1, len(shape))):
            return None
        return Narrow(name, "sum" if node.op_type == "ReduceSum" else "mean")

    def _picked(
        self, node: Any, given: Mapping[str, Any], arrays: Sequence[Floats | None], taken: str
    ) -> tuple[int, ...]:
        """Return which features of a row are taken; none where it is something else."""
        width = self._features(taken)
        if width is None or arrays[0] is not None:
            return ()
        if node.op_type == "Gather":
            index = arrays[1]
            if given.get("axis", 0) not in (1, -1) or index is None or index.ndim != 1:
                return ()
            return tuple(int(place) % width for place in index)
        if len(node.input) > 1:
            starts, ends, *rest = arrays[1:]
            axes = rest[0] if rest else None
            steps = rest[1] if len(rest) > 1 else None
        else:
            starts, ends, axes, steps = (
                given.get("starts"),
                given.get("ends"),
                given.get("axes"),
                None,
            )
        if starts is None or ends is None or axes is None or len(axes) != 1 or len(starts) != 1:
            return ()
        if int(axes[0]) not in (1, -1):
            return ()
        each = 1 if steps is None else int(steps[0])
        return tuple(range(width)[int(starts[0]) : int(ends[0]) : each])

    def _linear(self, node: Any, name: str, given: Mapping[str, Any]) -> list[Step]:
        """Return a linear model of scikit-learn: a row of coefficients a class or a target."""
        biases = as_floats(given.get("intercepts", [0.0]), name, [])
        matrix = as_floats(given["coefficients"], name, []).reshape(len(biases), -1)
        end = given.get("post_transform", b"NONE").decode()
        kind = known("onnx-ml").get(end)
        if kind is None or (node.op_type == "LinearClassifier" and len(biases) == 1):
            return [self._missing(node, name)]
        steps: list[Step] = [Dense(name, matrix, biases)]
        return steps if CATALOG[kind].passes else [*steps, Activation(f"{name}_a", kind)]

    def _missing(self, node: Any, name: str) -> Missing:
        return Missing(name, node.op_type, _why(node.op_type, "nodeflow has no counterpart of it"))

    def _gemm(
        self, node: Any, given: Mapping[str, Any], arrays: Sequence[Floats | None]
    ) -> list[Step]:
        weights = arrays[1]
        if weights is None or weights.ndim != 2 or given.get("transA"):
            return [self._missing(node, node.name or node.output[0])]
        matrix = self._weights(node.input[1], turn=not given.get("transB"))
        if given.get("alpha", 1.0) != 1:
            matrix = matrix * float(given["alpha"])
        bias = arrays[2] if len(arrays) > 2 else None
        if bias is not None:
            if bias.ndim > 1 and bias.shape[0] != 1:
                why = "its biases differ from row to row"
                return [Missing(node.name or node.output[0], "Gemm", why)]
            if bias.size not in (1, len(matrix)):
                raise InterchangeError(
                    f"'{node.name or node.output[0]}' has {len(matrix)} neurons and {bias.size} "
                    "biases"
                )
            beta = float(given.get("beta", 1.0))
            if bias.shape != (len(matrix),) or beta != 1:
                bias = np.broadcast_to(bias.reshape(-1), (len(matrix),)) * beta
        return [Dense(_stem(node.input[1], node.name or node.output[0]), matrix, bias)]

    def _activation(
        self, kind: str, name: str, given: Mapping[str, Any], taken: str
    ) -> Step | None:
        axis = given.get("axis", -1 if self.opset >= 13 else 1)
        ours = CATALOG.find(known("onnx").get(kind, ""))
        if len(self.shapes.get(taken) or (0, 0)) == 1:
            return None  # of a number for each row it would take all rows
        if len(self.shapes.get(taken) or ()) > 2 and (self.opset >= 13 or axis != 1):
            return None  # of several axes it would take one; before 13 all from axis on
        whole = ours is not None and not ours.is_elementwise and axis in (1, -1)
        return Activation(name, ours.name) if ours is not None and whole else None


_UNKNOWN = np.zeros(0)
"""What is made of weights alone in a way that is not known here."""
_FUNCTIONS: Mapping[str, Any] = {
    "Add": np.add, "Sum": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide,
}  # fmt: skip


def _taken(node: Any) -> list[str]:
    """Return what an operator computes with; CastLike takes its second input's type alone."""
    return [name for name in (node.input[:1] if node.op_type == "CastLike" else node.input) if name]


def _of_weights(kind: str, given: Mapping[str, Any], arrays: Sequence[Floats]) -> Floats | None:
    """Return what is computed of weights alone; None where that is not known here."""
    if not arrays:
        return None
    array, *others = arrays
    match kind:
        case "Identity" | "Cast" | "CastLike":
            return array
        case "Transpose":
            return np.transpose(array, given.get("perm"))
        case "Squeeze":
            axes = given.get("axes", [int(axis) for axis in others[0]] if others else None)
            return np.squeeze(array, None if axes is None else tuple(axes))
        case "Unsqueeze":
            return np.expand_dims(array, tuple(given.get("axes") or map(int, others[0])))
        case "Reshape" if others:
            sizes = [array.shape[at] if size == 0 else int(size)
                     for at, size in enumerate(others[0].reshape(-1))]  # fmt: skip
            return array.reshape(sizes)
        case "Add" | "Sum" | "Sub" | "Mul" | "Div" if len(others) == 1:
            # What would grow by being spread out along both is no layer's weights.
            largest = max(array.size, others[0].size)
            if np.broadcast(array, others[0]).size > largest:
                return None
            with np.errstate(all="ignore"):
                return np.asarray(_FUNCTIONS[kind](array, others[0]))
        case "DequantizeLinear" if others:
            scale, zero = others[0], (others[1] if len(others) > 1 else np.zeros(()))
            if given.get("block_size"):
                axis = given.get("axis", 1) % array.ndim
                scale, zero = (_spread(one, array, axis, given["block_size"])
                               for one in (scale, np.broadcast_to(zero, scale.shape)))  # fmt: skip
            elif scale.size > 1:
                along = [-1 if at == given.get("axis", 1) % array.ndim else 1
                         for at in range(array.ndim)]  # fmt: skip
                scale, zero = (
                    scale.reshape(along),
                    np.broadcast_to(zero, scale.shape).reshape(along),
                )
            return (array - zero) * scale
    return None


def _spread(blocks: Floats, array: Floats, axis: int, size: int) -> Floats:
    """Return numbers of blocks along an axis, of which the last may be shorter, for each place."""
    places = np.arange(array.shape[axis])
    return np.repeat(blocks, size, axis).take(places, axis)


def _elementwise(kind: str, given: Mapping[str, Any]) -> tuple[str | None, dict[str, float]]:
    """Return the kind of an operator that works number by number, with its settings."""
    if kind == "Selu":
        alpha, gamma = (_short(given.get(name, usual)) for name, usual in _SELU.items())
        if {"alpha": alpha, "gamma": gamma} == {
            name: _short(usual) for name, usual in _SELU.items()
        }:
            return "selu", {}
        return "selu_scaled", {"alpha": alpha, "high": gamma}
    if kind in ("LeakyRelu", "Elu", "Celu", "Swish"):
        alpha = given.get("alpha", 0.01 if kind == "LeakyRelu" else 1.0)
        if kind == "Swish":
            return ("silu" if alpha == 1 else None), {}
        return {"LeakyRelu": "leaky_relu", "Elu": "elu", "Celu": "celu"}[kind], {
            "alpha": _short(alpha)
        }
    if kind == "Clip":
        return clipped(*(_short(given[one]) if one in given else None for one in ("min", "max")))
    if kind == "ThresholdedRelu":
        return "thresholded", {"alpha": _short(given.get("alpha", 1.0))}
    if kind == "Shrink":
        return "shrink", {"alpha": _short(given.get("lambd", 0.5)),
                          "low": _short(given.get("bias", 0.0))}  # fmt: skip
    if kind == "HardSigmoid":
        settings = {"alpha": _short(given.get("alpha", 0.2)), "low": _short(given.get("beta", 0.5))}
        return "hard_sigmoid_onnx", settings
    if kind == "Gelu":
        return ("gelu_tanh" if given.get("approximate") == b"tanh" else "gelu"), {}
    return {**known("onnx"), **_ELEMENTWISE}.get(kind), {}


_SELU = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}
_WHY = {
    "conv": "nodeflow has no convolution",
    "pool": "nodeflow has no pooling",
    "lstm": "nodeflow has no recurrence",
    "gru": "nodeflow has no recurrence",
    "rnn": "nodeflow has no recurrence",
    "attention": "nodeflow has no attention",
    "gather": "nodeflow has no look-up of rows",
    "qlinear": "it computes with quantised numbers; import the model as it was before",
    "qgemm": "it computes with quantised numbers; import the model as it was before",
    "quantize": "it computes with quantised numbers; import the model as it was before",
    "integer": "it computes with quantised numbers; import the model as it was before",
    "nbits": "its weights are packed in a few bits each; import the model as it was before",
}


def _why(kind: str, otherwise: str) -> str:
    return next((why for word, why in _WHY.items() if word in kind.lower()), otherwise)


def _attributes(node: Any) -> dict[str, Any]:
    from onnx.helper import get_attribute_value

    return {one.name: get_attribute_value(one) for one in node.attribute}


def _short(value: float) -> float:
    """Return the number that somebody wrote: 0.01 for the float32 0.009999999776."""
    return float(str(np.float32(value)))


def _shapes(model: Any) -> tuple[dict[str, list[int | None]], dict[str, int]]:
    """Return shapes and types of values, as far as they are known; None for a size that is open."""
    from onnx import shape_inference

    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # noqa: BLE001 (operators that it does not know: then the file's own count)
        graph = model.graph
    shapes: dict[str, list[int | None]] = {}
    kinds: dict[str, int] = {}
    for array in graph.initializer:
        kinds[array.name] = array.data_type
    for one in (*graph.input, *graph.value_info, *graph.output):
        kind = one.type.tensor_type
        kinds[one.name] = kind.elem_type
        if kind.HasField("shape"):
            shapes[one.name] = [dim.dim_value or None for dim in kind.shape.dim]
    return shapes, kinds


def _kind_named(kind: int | None) -> str | None:
    """Return what a type of numbers is called."""
    from onnx import TensorProto

    return None if kind is None else str(TensorProto.DataType.Name(kind)).lower()


def _is_real(kind: int | None) -> bool:
    """Return whether a type is that of real numbers, or not known."""
    from onnx import TensorProto

    name = TensorProto.DataType.Name(kind or 0)
    return str(name).startswith(("FLOAT", "DOUBLE", "BFLOAT", "UNDEFINED"))


def _refuse_without_rows(one: Any) -> None:
    kind = one.type.tensor_type
    form = one.type.WhichOneof("value")
    if form not in ("tensor_type", None):
        raise InterchangeError(
            f"the input '{one.name}' is a {form.removesuffix('_type')}, and what comes in has rows "
            "of features"
        )
    if kind.HasField("shape") and len(kind.shape.dim) < 2:
        axes = len(kind.shape.dim)
        raise InterchangeError(
            f"the input '{one.name}' has {axes or 'no'} {'axis' if axes == 1 else 'axes'}, and "
            "what comes in has rows of features"
        )


def _stem(weights: str, otherwise: str) -> str:
    for ending in (".weight", "_weight", "/kernel", ".kernel"):
        if weights.endswith(ending):
            return weights.removesuffix(ending)
    return otherwise


def _affine(kind: str, name: str, values: Floats, *, first: bool) -> Affine | None:
    values = values.reshape(-1)
    if not values.size or (first and kind == "Div"):
        return None
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    match kind:
        case "Add":
            return Affine(name, ones, values)
        case "Sub":
            return Affine(name, -ones, values) if first else Affine(name, ones, -values)
        case "Mul":
            return Affine(name, values, zeros)
        case _:
            return Affine(name, 1 / values, zeros)


def _width(value: Any) -> int | None:
    dims = value.type.tensor_type.shape.dim
    if len(dims) < 2 or any(not dim.dim_value for dim in dims[1:]):
        return None
    return int(np.prod([dim.dim_value for dim in dims[1:]]))


def _numbers(found: Any) -> Any:
    """Return an output as an array: of shares by class, those in order."""
    return np.array([list(one.values()) for one in found]) if isinstance(found, list) else found


def checked_against(path: Path, network: Network) -> Other | None:
    """Return what sends rows through onnxruntime, for `verified`; None without it."""
    try:
        import onnxruntime
    except ImportError:
        return None
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    with by_the_other():
        session = onnxruntime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    kinds = {"tensor(double)": np.float64, "tensor(float)": np.float32,
             "tensor(float16)": np.float16}  # fmt: skip
    given = {one.name: one for one in session.get_inputs()}
    names = [one.name for one in network.inputs]
    for name, one in given.items():
        if name not in names:
            raise Refused(f"it wants '{name}' too, which the outputs are not made of")
        if one.type not in kinds:
            raise Refused(f"'{name}' is a {one.type}, and real numbers are sent")
    labels = [end.label for end in network.outputs if end.label]

    def other(xs: Sequence[Floats], _ys: Sequence[Floats]) -> Answer:
        count = len(xs[0])
        # It may take so many rows, and no others: the last part is filled up.
        fixed = [
            one.shape[0] for one in given.values() if one.shape and isinstance(one.shape[0], int)
        ]
        size = max(fixed, default=count)
        parts: list[list[Floats]] = []
        for at in range(0, count, size):
            fed = {}
            for name, x in zip(names, xs, strict=True):
                rows = np.zeros((size, x.shape[1]), kinds[given[name].type])
                part = x[at : at + size]
                rows[: len(part)] = part
                sizes = [n for n in given[name].shape[1:] if isinstance(n, int)]
                whole = int(np.prod(sizes)) == x.shape[1]
                fed[name] = rows.reshape(size, *sizes) if whole else rows
            made = session.run(labels or None, fed)
            parts.append([_numbers(one).reshape(size, -1) for one in made[: len(network.outputs)]])
        return [np.concatenate(one)[:count].astype(np.float64)
                for one in zip(*parts, strict=True)], None  # fmt: skip

    return other
