"""A model of ONNX as its file has it: operators, shapes, types and arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.data.matform import MOST_NUMBERS
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.layers import Floats, as_floats
from nodeflow.interchange.onnx.weights import UNKNOWN

_PASSED = ("Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout", "ZipMap")
SHAPED = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Expand")


def taken_by(node: Any) -> list[str]:
    """Return what an operator computes with; CastLike takes its second input's type alone."""
    return [name for name in (node.input[:1] if node.op_type == "CastLike" else node.input) if name]


def attributes_of(node: Any) -> dict[str, Any]:
    """Return an operator's attributes by name."""
    from onnx.helper import get_attribute_value

    return {one.name: get_attribute_value(one) for one in node.attribute}


def shapes_and_kinds(model: Any) -> tuple[dict[str, list[int | None]], dict[str, int]]:
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


def kind_named(kind: int | None) -> str | None:
    """Return what a type of numbers is called."""
    from onnx import TensorProto

    return None if kind is None else str(TensorProto.DataType.Name(kind)).lower()


def is_real(kind: int | None) -> bool:
    """Return whether a type is that of real numbers, or not known."""
    from onnx import TensorProto

    name = TensorProto.DataType.Name(kind or 0)
    return str(name).startswith(("FLOAT", "DOUBLE", "BFLOAT", "UNDEFINED"))


def refuse_without_rows(one: Any) -> None:
    """Raise `InterchangeError` for an input that is no rows of features."""
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


def width_of(value: Any) -> int | None:
    """Return how many numbers a row of an input has; None if it is open."""
    dims = value.type.tensor_type.shape.dim
    if len(dims) < 2 or any(not dim.dim_value for dim in dims[1:]):
        return None
    return int(np.prod([dim.dim_value for dim in dims[1:]]))


class Model:
    """A model's operators, what is known of its values, and the arrays that they take."""

    def __init__(self, proto: Any, path: Path) -> None:
        self.path = path
        self.graph = proto.graph
        self.notes: list[str] = []
        self.shapes, self.kinds = shapes_and_kinds(proto)
        self.opset = max((one.version for one in proto.opset_import
                          if one.domain in ("", "ai.onnx")), default=1)  # fmt: skip
        self.arrays: dict[str, Floats] = {}
        """Weights and constants by name, and what is computed of them alone."""
        for tensor in self.graph.initializer:
            self.arrays[tensor.name] = self.array(tensor, tensor.name)
        for tensor in self.graph.sparse_initializer:
            self.arrays[tensor.values.name] = self.written_out(tensor)

    def in_order(self) -> list[Any]:
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

    def ends(self) -> list[str]:
        """Return the outputs that come in: those with real numbers, no classes by name."""
        from onnx import TensorProto

        real = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
        found = [one.name for one in self.graph.output if one.type.tensor_type.elem_type in real
                 or one.type.HasField("sequence_type")]  # fmt: skip
        return found or [self.graph.output[0].name]

    def before(self, ends: Sequence[str]) -> set[str]:
        """Return the names of all values that outputs are made of."""
        makers = {name: node for node in self.graph.node for name in node.output}
        found, stack = set(), list(ends)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += makers[name].input if name in makers else ()
        return found

    def alike(self, names: Sequence[str]) -> bool:
        """Return whether values can be joined number by number: rows of features, or one shape."""
        shapes = [self.shapes.get(name) for name in names]
        known = [shape for shape in shapes if shape is not None]
        return all(len(shape) == 2 for shape in known) or (
            len(known) == len(names) and all(shape == known[0] for shape in known)
            and (len(names) == 1 or None not in known[0])
        )  # fmt: skip

    def alike_in_rows(self, node: Any, own: Sequence[str]) -> bool:
        """Return whether values are joined side by side: along the first axis behind the rows."""
        axis = attributes_of(node).get("axis", 1)
        ranks = {len(shape) for shape in map(self.shapes.get, own) if shape is not None}
        return axis == 1 or (axis == -1 and ranks <= {2})

    def are_shares(self, name: str) -> bool:
        """Return whether a value is that of a softmax."""
        (maker,) = [node for node in self.graph.node if name in node.output] or [None]
        if maker is None or maker.op_type == "Softmax":
            return maker is not None
        return bool(attributes_of(maker).get("post_transform") == b"SOFTMAX")

    def trains(self, given: Mapping[str, Any]) -> bool:
        """Return whether an operator trains, as those before 7 do unless they are told to test."""
        return self.opset < 7 and not given.get("is_test")

    def is_one_column(self, node: Any) -> bool:
        """Return whether the outputs of all rows are put into one column at the end.

        skl2onnx does so with the outputs of a regressor that has several.
        """
        target = self.arrays.get(node.input[1]) if len(node.input) > 1 else None
        last = node.output[0] in {one.name for one in self.graph.output}
        several = self.features(node.input[0]) not in (1, None)
        return last and several and target is not None and target.tolist() == [-1, 1]

    def features(self, name: str) -> int | None:
        """Return how many features each row of a value has, if it is a row of features."""
        shape = self.shapes.get(name)
        return shape[1] if shape is not None and len(shape) == 2 else None

    def array(self, tensor: Any, name: str) -> Floats:
        """Return an array of the file, or of one that lies beside it."""
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
            return np.zeros(0, float)  # texts of class names: no weights
        whole = array.dtype.kind in "iub"  # a single row of them is a shape, or an axis
        return as_floats(array, name, [] if whole and array.ndim < 2 else self.notes)

    def written_out(self, tensor: Any) -> Floats:
        """Return a sparse array with its zeros; its places are numbers, or indices by axis."""
        from onnx import numpy_helper

        values = self.array(tensor.values, tensor.values.name)
        places = numpy_helper.to_array(tensor.indices)
        if math.prod(tensor.dims) > MOST_NUMBERS:
            raise InterchangeError(f"the sparse '{tensor.values.name}' has too many places")
        array = np.zeros(tuple(tensor.dims), float)
        array[tuple(places.T) if places.ndim == 2 else np.unravel_index(places, array.shape)] = (
            values
        )
        return array

    def constant(self, node: Any) -> Floats | None:
        """Return the numbers of a Constant; None where it holds something else."""
        for one in node.attribute:
            if one.name == "value":
                return self.array(one.t, node.output[0])
            if one.name in ("value_float", "value_floats", "value_int", "value_ints"):
                return np.asarray(attributes_of(node)[one.name], np.float64)
        return None

    def for_each_feature(self, array: Floats, taken: str) -> Floats | None:
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

    def of_channels(self, taken: str, count: int) -> int | None:
        """Return how many numbers lie behind each channel: channels come first."""
        shape = self.shapes.get(taken)
        if shape is None:
            return 1
        behind = [size or 0 for size in shape[2:]]
        if 0 in behind or shape[1:2] not in ([count], [None]):
            return None
        return int(np.prod(behind))

    def limits_of(self, node: Any) -> tuple[float, float] | None:
        """Return the least and the largest number that values are quantised to, if it is known."""
        scale = self.arrays.get(node.input[1], UNKNOWN)
        zero = np.zeros(1, float)
        if len(node.input) > 2:
            zero = self.arrays.get(node.input[2], UNKNOWN)
        kind = kind_named(self.kinds.get(node.output[0])) or "uint8"
        if scale.size != 1 or zero.size != 1 or kind not in ("int8", "uint8", "int16", "uint16"):
            return None
        ends, s, z = np.iinfo(kind), float(scale.reshape(-1)[0]), float(zero.reshape(-1)[0])
        return (float(ends.min) - z) * s, (float(ends.max) - z) * s

    def cast_to(self, node: Any) -> str | None:
        """Return the type that a cast gives: its own, or that of the value that it takes beside."""
        if node.op_type == "Cast":
            return kind_named(attributes_of(node)["to"])
        return kind_named(self.kinds.get(node.output[0], self.kinds.get(node.input[1])))

    def is_exact(self, node: Any, own: Sequence[str]) -> bool:
        """Return whether real numbers give what an operator does with its types of numbers."""
        from onnx import TensorProto

        kinds = [self.kinds.get(name) for name in own]
        if all(map(is_real, kinds)):
            return True
        if node.op_type in ("Cast", "CastLike"):
            return TensorProto.STRING not in kinds
        signed = (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)
        exact = (*_PASSED, "Gemm", "MatMul", "Add", "Sum", "Sub", "Mul", "Neg", "Abs", "Max", "Min",
                 "Relu", "Concat", "Slice", "Gather", "Split", "Shape")  # fmt: skip
        return node.op_type in exact and all(is_real(kind) or kind in signed for kind in kinds)
