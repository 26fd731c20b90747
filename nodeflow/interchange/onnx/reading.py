"""The steps of a network, from the operators of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.casting import Casts, rounded
from nodeflow.interchange.layers import (
    DAMAGED,
    Affine,
    End,
    Input,
    Missing,
    Narrow,
    Network,
    clipped,
)
from nodeflow.interchange.onnx.elementwise import as_written, elementwise_kind
from nodeflow.interchange.onnx.layers import Layers, missing, why_missing
from nodeflow.interchange.onnx.model import (
    SHAPED,
    Model,
    attributes_of,
    kind_named,
    refuse_without_rows,
    taken_by,
    width_of,
)
from nodeflow.interchange.onnx.weights import UNKNOWN, of_weights
from nodeflow.interchange.values import Values, keeps_rows

_MISSING = "ONNX is not installed; pip install 'nodeflow[onnx]'"
_COMPARED = {"Greater": "greater", "Less": "less", "GreaterOrEqual": "greater_equal",
             "LessOrEqual": "less_equal"}  # fmt: skip
_OF_TESTS = {"Or": "or", "And": "and", "Not": "not"}
_OF_SHARES = ("ReduceMax", "Sub", "Exp", "ReduceSum", "Div", "Log", "ReduceLogSumExp")
"""Operators that a softmax is made of, where a program takes it apart."""


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
        return _Reading(Model(model, path)).network()
    except DAMAGED as error:
        raise FileError(
            f"is damaged, or of an ONNX that is not known here ({type(error).__name__}: {error})",
            file=str(path),
        ) from None


_EVERYBODYS = frozenset({"main_graph", "main", "graph", "torch_jit", "torch-jit-export", "model"})
"""What exporters call any graph."""


def own_name(name: str) -> str:
    """Return the name of a graph, "" where the exporter gave it the one that all have."""
    return "" if name in _EVERYBODYS else name


class _Reading:
    """What has been read of a model: its values, and what is known of them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.layers = Layers(model)
        self.casts = Casts()
        self.values = Values(Counter(name for node in model.graph.node for name in node.input))
        self.truths: set[str] = set()
        """Comparisons, which are 1 or 0 here."""
        self.quantised: dict[str, tuple[str, str, tuple[float, float]]] = {}
        """Values that were quantised: what they were, the name of their scale, and its limits."""
        self.counts: set[str] = set()
        """Values that are made of the sizes of others alone."""

    def network(self) -> Network:
        """Return the steps from the inputs to the outputs."""
        wanted = self.model.ends()
        needed = self.model.before(wanted)
        inputs = [one for one in self.model.graph.input
                  if one.name not in self.model.arrays and one.name in needed]  # fmt: skip
        for one in inputs:
            refuse_without_rows(one)
            self.values.feed(one.name)
        for node in self.model.in_order():
            if needed & set(node.output):
                self._operator(node)
        ends = [end for end in wanted if self.values.knows(end)]
        if not ends:
            made_of = " and ".join(f"'{one.name}'" for one in inputs) or "any input"
            raise InterchangeError(
                f"the output '{wanted[0]}' is not made of {made_of} by operators that are known"
            )
        several = len(self.model.graph.output) > 1
        if len(ends) < len(self.model.graph.output):
            came = ", ".join(f"'{end}'" for end in ends)
            self.model.notes.append(f"of {len(self.model.graph.output)} outputs, {came} came in")
        steps, names = self.values.of(ends)
        found = zip(names, ends, strict=True)
        return Network(
            steps, "ONNX", name=own_name(self.model.graph.name),
            notes=(*self.model.notes, *self.casts.notes()),
            inputs=tuple(Input(one.name, width_of(one)) for one in inputs),
            ends=tuple(End(name, end if several else "") for name, end in found),
        )  # fmt: skip

    def _operator(self, node: Any) -> None:
        """Take an operator: of weights alone, of sizes alone, number by number, or a layer."""
        given = taken_by(node)
        own = [name for name in given if name not in self.model.arrays and name not in self.counts]
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
        if not self.model.is_exact(node, own):
            why = "it computes with whole numbers, truths or texts, and nodes with real ones"
            why = why_missing(node.op_type, why)
            placeholder = Missing(node.name or node.output[0], node.op_type, why)
            self.values.put([placeholder], list(dict.fromkeys(own)), node.output[0])
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
        elif kind in _OF_TESTS and self.truths.issuperset(given) and self.model.alike(given):
            known = self.values.combine(_OF_TESTS[kind], given, result, label)
        else:
            return False
        self.truths.update([result] if known else ())
        return known

    def _share(self, node: Any, own: Sequence[str]) -> bool:
        """Take an operator of a softmax that was taken apart; return whether it is one."""
        kind, given = node.op_type, list(node.input)
        if kind.startswith("Reduce"):
            axes = attributes_of(node).get("axes")
            if axes is None and len(given) > 1:
                axes = self.model.arrays.get(given.pop(1))
            if axes is None or list(map(int, axes)) not in ([1], [-1]):
                return False
        if kind not in _OF_SHARES or given != list(own):
            return False
        if any(len(self.model.shapes.get(name) or ()) != 2 for name in own):
            return False
        result, label = node.output[0], node.name or node.output[0]
        operator = kind.removeprefix("Reduce").capitalize()
        return self.values.of_softmax(operator, own, result, label, lambda: self._usual(node, own))

    def _of_any_number(self, node: Any, own: Sequence[str]) -> bool:
        """Take a sum, a mean, or the largest or least of values; return whether it is one."""
        operator = {"Sum": "+", "Mean": "+", "Max": "max", "Min": "min"}.get(node.op_type)
        arrays = [self.model.arrays[name] for name in node.input if name in self.model.arrays]
        long = [array for array in arrays if array.size != 1]
        if operator is None or not self.model.alike(own) or (long and operator != "+"):
            return False
        name, result, count = node.name or node.output[0], node.output[0], len(node.input)
        shift = np.zeros(1, float)
        for array in arrays if long else ():
            values = self.model.for_each_feature(array, own[0])
            if values is None:
                return False
            shift = shift + values
        operands: list[str | float] = [
            float(self.model.arrays[one].reshape(-1)[0]) if one in self.model.arrays else one
            for one in node.input if not (long and one in self.model.arrays)
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
            readers = [one.op_type for one in self.model.graph.node if node.output[0] in one.input]
            limits = self.model.limits_of(node)
            if limits is not None and set(readers) == {"DequantizeLinear"}:
                self.quantised[node.output[0]] = (node.input[0], node.input[1], limits)
                return True
        elif node.op_type == "DequantizeLinear" and node.input[0] in self.quantised:
            value, scale, (low, high) = self.quantised[node.input[0]]
            name, result = node.name or node.output[0], node.output[0]
            same = np.array_equal(
                self.model.arrays[scale], self.model.arrays.get(node.input[1], UNKNOWN)
            )
            if same and self.values.apply("hard_tanh", [value], result, name, low=low, high=high):
                self.casts.quantises(name)
            else:
                self.values.put([missing(node, name)], [value], result)
            return True
        return False

    def _chosen(self, node: Any) -> bool:
        """Take a choice by a comparison; return whether it can be one."""
        test, *sides = node.input
        operands: list[str | float] = []
        for name in sides:
            array = self.model.arrays.get(name)
            if array is not None and array.size != 1:
                return False
            operands.append(name if array is None else float(array.reshape(-1)[0]))
        names = [test, *(one for one in operands if isinstance(one, str))]
        if test not in self.truths or not self.model.alike(names):
            return False
        yes, no = operands
        return self.values.choose(test, yes, no, node.output[0], node.name or node.output[0])

    def _cast(self, node: Any) -> None:
        """Take a cast: to other types of real numbers values go through."""
        name, taken, result = node.name or node.output[0], node.input[0], node.output[0]
        before = kind_named(self.model.kinds.get(taken))
        missing = self.casts.taken(name, node.op_type, before, self.model.cast_to(node))
        if missing is not None:
            self.values.put([missing], [taken], result)
        else:
            self.values.same(taken, result)

    def _elementwise(self, node: Any, own: Sequence[str]) -> bool:
        """Take an operator that works number by number into the formula of its value."""
        kind, settings = elementwise_kind(node.op_type, attributes_of(node))
        operands: list[str | float] = []
        for name in node.input:
            array = self.model.arrays.get(name)
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
            kind, settings = "leaky_relu", {"alpha": as_written(operands[1])}
            operands = operands[:1]
        compared = _COMPARED.get(node.op_type)
        if (kind is None and compared is None) or not self.model.alike(own):
            return False
        label = node.name or node.output[0]
        if compared is not None:
            known = self.values.compare(compared, operands, node.output[0], label)
            self.truths.update(node.output if known else ())
            return known
        return self.values.apply(str(kind), operands, node.output[0], label, **settings)

    def _layer(self, node: Any, own: Sequence[str]) -> None:
        """Add what an operator is as steps behind the values that it takes."""
        name = node.name or node.output[0]
        # A classifier of scikit-learn gives labels first, then its scores.
        result = node.output[1 if node.op_type == "LinearClassifier" else 0]
        sizes = sum(1 for one in node.input if one in self.counts)
        many = len(own) > 1 or (sizes > 0 and node.op_type not in SHAPED)
        if node.op_type == "Concat" and len(own) == len(node.input):
            if self.model.alike_in_rows(node, own):
                self.values.join("concatenate", name, own, result)
                return
            many = True
        if many:
            why = why_missing(node.op_type, "it joins values in a way that is not known here")
            self.values.put([Missing(name, node.op_type, why)], list(dict.fromkeys(own)), result)
        elif self._is_passed(node):
            self.values.same(own[0], result)
        elif self._split(node, own[0], name) or self._leaky(node, own[0], name):
            return
        elif not self._normalised(node, own[0], name):
            self.values.put(self.layers.steps(node, own[0], name), own, result)
        for other in node.output:
            if other and not self.values.knows(other):
                self.values.same(result, other)  # of a placeholder, or what no row of numbers is

    def _is_passed(self, node: Any) -> bool:
        """Return whether an operator leaves the numbers of each row as they are."""
        kind, given = node.op_type, attributes_of(node)
        if kind == "Dropout":
            training = self.model.arrays.get(node.input[2]) if len(node.input) > 2 else None
            return not self.model.trains(given) and (training is None or not training.any())
        if kind in ("Squeeze", "Unsqueeze"):
            axes = given.get("axes")
            if axes is None and len(node.input) > 1:
                axes = self.model.arrays.get(node.input[1])
            if axes is None or any(int(axis) == 0 for axis in axes):
                return False
        if kind == "Flatten" and given.get("axis", 1) == 1:
            return True
        if kind == "Reshape" and self.model.is_one_column(node):
            self.model.notes.append(
                "outputs that the file puts below each other stand side by side"
            )
            return True
        before, after = self.model.shapes.get(node.input[0]), self.model.shapes.get(node.output[0])
        if self.counts.intersection(node.input) and (not before or not after):
            return False  # of a size that is computed nothing is known then
        if kind == "Expand":
            if before is None or after is None or None in after[1:]:
                return False
            return before[1:] == after[1:]
        if kind in SHAPED:
            return keeps_rows(before, after)
        if kind == "Normalizer":  # shares, which add up to 1 already
            return given.get("norm") == b"L1" and self.model.are_shares(node.input[0])
        return kind in ("Identity", "ZipMap")

    def _split(self, node: Any, taken: str, name: str) -> bool:
        """Take features apart into several values; return whether it does that."""
        width, given = self.model.features(taken), attributes_of(node)
        if node.op_type != "Split" or width is None or given.get("axis", 0) not in (1, -1):
            return False
        sizes = given.get("split") or self.model.arrays.get(
            node.input[1] if len(node.input) > 1 else ""
        )
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
        array = self.model.arrays.get(node.input[1]) if node.op_type == "PRelu" else None
        slopes = None if array is None else self.model.for_each_feature(array, taken)
        if slopes is not None:
            self.values.leaky(name, taken, node.output[0], slopes)
        return slopes is not None

    def _normalised(self, node: Any, taken: str, name: str) -> bool:
        """Take a layer normalisation of features; return whether it is one."""
        given = attributes_of(node)
        if node.op_type not in ("LayerNormalization", "RMSNormalization"):
            return False
        if self.model.features(taken) is None:
            return False
        arrays = [self.model.arrays.get(one) for one in node.input[1:]]
        if given.get("axis", -1) not in (1, -1) or any(a is None or a.ndim != 1 for a in arrays):
            return False
        epsilon = float(given.get("epsilon", 1e-5))
        if node.op_type == "RMSNormalization":
            self.values.by_size(name, taken, node.output[0], epsilon, *arrays)
        else:
            self.values.normalise(name, taken, node.output[0], epsilon, *arrays)
        return True

    def _computed(self, node: Any) -> None:
        """Keep what is computed of weights alone: constants, and another order of axes."""
        taken = taken_by(node)
        if any(self.model.arrays.get(name) is UNKNOWN for name in taken):
            self.model.arrays[node.output[0]] = UNKNOWN
            return
        made = self.model.constant(node) if node.op_type == "Constant" else None
        if made is None and all(name in self.model.arrays for name in taken):
            arrays = [self.model.arrays[name] for name in taken]
            made = of_weights(node.op_type, attributes_of(node), arrays)
            if made is not None and node.op_type in ("Cast", "CastLike"):
                made = rounded(made, self.model.cast_to(node))
        self.model.arrays[node.output[0]] = UNKNOWN if made is None else made
