"""What an operator is as a layer: a product with weights, a choice of features, an activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Dense,
    Floats,
    Missing,
    Narrow,
    Step,
    as_floats,
)
from nodeflow.interchange.naming import known
from nodeflow.interchange.onnx.model import Model, attributes_of

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


def why_missing(kind: str, otherwise: str) -> str:
    """Return why an operator has no counterpart."""
    return next((why for word, why in _WHY.items() if word in kind.lower()), otherwise)


def stem_of(weights: str, otherwise: str) -> str:
    """Return a layer's name, from that of its weights."""
    for ending in (".weight", "_weight", "/kernel", ".kernel"):
        if weights.endswith(ending):
            return weights.removesuffix(ending)
    return otherwise


def affine_of(kind: str, name: str, values: Floats, *, first: bool) -> Affine | None:
    """Return a sum or product with numbers that are known; `first` if they stand first."""
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


def missing(node: Any, name: str) -> Missing:
    """Return the placeholder of an operator that has no counterpart."""
    return Missing(
        name, node.op_type, why_missing(node.op_type, "nodeflow has no counterpart of it")
    )


class Layers:
    """Makes layers of a model's operators; those that take the same weights share them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.turned: dict[str, Floats] = {}
        """Weights as (out, in), by their names."""

    def steps(self, node: Any, taken: str, name: str) -> list[Step]:
        """Return what an operator is as layers, or a placeholder."""
        given = attributes_of(node)
        arrays = [self.model.arrays.get(one) for one in node.input]
        known = [array for array in arrays if array is not None]
        several = len(self.model.shapes.get(taken) or ()) > 2
        match node.op_type:
            case "Gemm":
                return self._gemm(node, given, arrays)
            case "MatMul" if several and known:
                why = (
                    "it works along the last of several axes, and layers along all numbers of a row"
                )
                return [Missing(name, "MatMul", why)]
            case "MatMul" if len(known) == 1 and known[0].ndim == 2 and arrays[1] is not None:
                return [
                    Dense(stem_of(node.input[1], name), self._weights(node.input[1], turn=True))
                ]
            case "MatMul" if (
                len(known) == 1
                and known[0].ndim == 1
                and arrays[1] is not None
                and self.model.features(taken) is not None
            ):  # a number for each row
                return [Dense(stem_of(node.input[1], name), known[0].reshape(1, -1))]
            case "Add" | "Sub" | "Mul" | "Div" if len(known) == 1:
                values = self.model.for_each_feature(known[0], taken)
                if values is None:
                    why = "its numbers differ from row to row, or along several axes"
                    return [Missing(name, node.op_type, why)]
                made = affine_of(node.op_type, name, values, first=arrays[0] is not None)
                return [made] if made is not None else [missing(node, name)]
            case "LinearClassifier" | "LinearRegressor":
                return self._linear(node, name, given)
            case "Scaler":
                factor = as_floats(given["scale"], name, [])
                return [Affine(name, factor, -as_floats(given["offset"], name, []) * factor)]
            case "BatchNormalization" if len(known) == 4:
                # Before 14 it is the outputs for new statistics that say so.
                if self.model.trains(given) or given.get("training_mode") or any(node.output[1:]):
                    why = "in training it uses the statistics of each batch"
                    return [Missing(name, node.op_type, why)]
                scale, shift, mean, variance = known
                factor = scale / np.sqrt(variance + given.get("epsilon", 1e-5))
                each = self.model.of_channels(taken, len(factor))
                if each is None:
                    return [Missing(name, node.op_type, "how many numbers a channel has is open")]
                shift = shift - mean * factor
                return [Affine(name, np.repeat(factor, each), np.repeat(shift, each))]
            case "Dropout":
                return [Missing(name, "Dropout", "in training it draws at random")]
            case "ReduceSum" | "ReduceMean":
                return [self._reduced(node, given, taken, name) or missing(node, name)]
            case "Gather" | "Slice":
                places = self._picked(node, given, arrays, taken)
                if places:
                    return [Narrow(name, "pick", places)]
            case "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Expand":
                return [Missing(name, node.op_type, "it changes what a row is")]
        made_of = self._activation(node.op_type, name, given, taken)
        return [made_of or missing(node, name)]

    def _weights(self, name: str, *, turn: bool) -> Floats:
        """Return weights as (out, in), the same array each time: who shares them, shares them."""
        if not turn:
            return self.model.arrays[name]
        if name not in self.turned:
            self.turned[name] = self.model.arrays[name].T
        return self.turned[name]

    def _reduced(self, node: Any, given: Mapping[str, Any], taken: str, name: str) -> Narrow | None:
        """Return the sum or mean of a row's features."""
        axes = given.get("axes")
        if axes is None and len(node.input) > 1:
            axes = self.model.arrays.get(node.input[1])
        shape = self.model.shapes.get(taken)
        ends = {one.name for one in self.model.graph.output}
        if (
            axes is None
            or shape is None
            or not (given.get("keepdims", 1) or node.output[0] in {*ends, *self.model.shapes})
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
        width = self.model.features(taken)
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
            return [missing(node, name)]
        steps: list[Step] = [Dense(name, matrix, biases)]
        return steps if CATALOG[kind].passes else [*steps, Activation(f"{name}_a", kind)]

    def _gemm(
        self, node: Any, given: Mapping[str, Any], arrays: Sequence[Floats | None]
    ) -> list[Step]:
        weights = arrays[1]
        if weights is None or weights.ndim != 2 or given.get("transA"):
            return [missing(node, node.name or node.output[0])]
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
        return [Dense(stem_of(node.input[1], node.name or node.output[0]), matrix, bias)]

    def _activation(
        self, kind: str, name: str, given: Mapping[str, Any], taken: str
    ) -> Step | None:
        axis = given.get("axis", -1 if self.model.opset >= 13 else 1)
        ours = CATALOG.get(known("onnx").get(kind, ""))
        if len(self.model.shapes.get(taken) or (0, 0)) == 1:
            return None  # of a number for each row it would take all rows
        if len(self.model.shapes.get(taken) or ()) > 2 and (self.model.opset >= 13 or axis != 1):
            return None  # of several axes it would take one; before 13 all from axis on
        whole = ours is not None and not ours.is_elementwise and axis in (1, -1)
        return Activation(name, ours.name) if ours is not None and whole else None
