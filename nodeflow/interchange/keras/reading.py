"""A model of Keras, from its configuration and its arrays to the steps of a network.

The order of layers and their names come from the configuration: in a file of weights they are
called after their classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.casting import Casts
from nodeflow.interchange.keras.arrays import Arrays, LiveArrays
from nodeflow.interchange.keras.compiled import compiled_with, with_compiled
from nodeflow.interchange.keras.config import (
    along_features,
    computed_in,
    ends_of,
    given_in,
    is_operation,
    name_of,
    of_each_row,
    operands_of,
    places_of,
    shapes_of,
    snake_case,
    sources_of,
)
from nodeflow.interchange.keras.layers import EPSILON, steps_of_layer
from nodeflow.interchange.keras.older import NOTE as HARD_SIGMOID_NOTE
from nodeflow.interchange.keras.older import says_hard_sigmoid
from nodeflow.interchange.keras.operations import OPERATIONS, with_settings
from nodeflow.interchange.layers import (
    Activation,
    End,
    Input,
    Missing,
    Narrow,
    Network,
    Step,
    as_floats,
)
from nodeflow.interchange.values import Values

_MERGES = {"Add": "add", "Multiply": "mul", "Maximum": "maximum", "Minimum": "minimum",
           "Subtract": "sub", "Average": "add"}  # fmt: skip
_OF_TESTS = {"LogicalOr": "or", "LogicalAnd": "and", "LogicalNot": "not"}
_OF_SHARES = {"Max": "Max", "Subtract": "Sub", "Exp": "Exp", "Sum": "Sum", "Divide": "Div",
              "TrueDivide": "Div", "Log": "Log", "Logsumexp": "Logsumexp"}  # fmt: skip
"""Operations that a softmax is made of, where somebody took it apart."""
_OF_TENSORFLOW = {"truediv": "div", "pow": "pow", "swish": "silu", "rsqrt": "rsqrt", "elu": "elu",
                  "expm1": "expm1", "log1p": "log1p"}  # fmt: skip
"""Functions of TensorFlow that keras.ops call otherwise, by the last part of their names."""


def from_keras(model: Any) -> Graph:
    """Return the graph of a Keras model: a Sequential, or a chain of layers."""
    return graph_of(network_of(model))


def network_of(model: Any) -> Network:
    """Return the layers of a model; raises `InterchangeError`."""
    if not hasattr(model, "layers") or not hasattr(model, "get_config"):
        raise InterchangeError(f"a {type(model).__name__} is no model of Keras")
    if not model.built:
        raise InterchangeError("the model has no weights yet; call model.build((None, inputs))")
    config = {"class_name": type(model).__name__, "config": model.get_config()}
    network = network_in(config, LiveArrays(model), "Keras")
    return with_compiled(network, compiled_with(model))


def network_in(config: Mapping[str, Any], arrays: Arrays, format_: str) -> Network:
    """Return the network of a configuration; raises `InterchangeError`."""
    about = config["config"]
    if not isinstance(about.get("layers"), list):
        raise InterchangeError(f"the model ({config.get('class_name')}) has no list of layers")
    reading = _Reading()
    ends = reading.model(about, arrays, None)
    steps, names = reading.values.of([value for value, _ in ends])
    several = len(ends) > 1
    if says_hard_sigmoid(config):
        reading.notes.append(HARD_SIGMOID_NOTE)
    return Network(
        steps, format_, name=str(about.get("name", "")), inputs=tuple(reading.inputs),
        ends=tuple(End(step, label if several else "")
                   for step, (_, label) in zip(names, ends, strict=True)),
        notes=tuple(dict.fromkeys([*reading.notes, *reading.casts.notes()])),
    )  # fmt: skip


class _Reading:
    """What has been read of a model, and of the models in it."""

    def __init__(self) -> None:
        self.values = Values()
        self.notes: list[str] = []
        self.casts = Casts()
        self.inputs: list[Input] = []
        self.made: dict[int, list[Step]] = {}
        self.count = 0

    def model(
        self, about: Mapping[str, Any], arrays: Arrays, given: Sequence[str] | None
    ) -> list[tuple[str, str]]:
        """Take a model's layers; return the values that come out, each with its layer's name.

        `given` are the values that go in; None where the model is the whole.
        """
        layers = about["layers"]
        known: dict[tuple[str, int], str] = {}
        if "input_layers" not in about:  # a Sequential
            return self._row(layers, arrays, given)
        for place, (key, _) in enumerate(ends_of(about["input_layers"])):
            layer = next(one for one in layers if name_of(one) == key)
            known[key, 0] = self._input(layer) if given is None else given[place]
        calls = {
            (name_of(layer), number): (layer, node)
            for layer in layers if layer["class_name"] != "InputLayer"
            for number, node in enumerate(layer.get("inbound_nodes") or ())
        }  # fmt: skip
        # A layer that is called twice stands where it is called first.
        takes = {call: [one[:2] for one in sources_of(node)] for call, (_, node) in calls.items()}
        for call in TopologicalSorter(takes).static_order():
            if call in calls and call not in known:
                layer, node = calls[call]
                taken = [known.get(one, "") for one in takes[call]]
                known[call] = self._layer(layer, node, arrays, taken)
        return [(known[name, node], name) for name, node in ends_of(about["output_layers"])]

    def _row(
        self, layers: Sequence[Any], arrays: Arrays, given: Sequence[str] | None
    ) -> list[tuple[str, str]]:
        first = next((one for one in layers if one["class_name"] == "InputLayer"), None)
        if given is None:
            at = self._input(first) if first is not None else self._feed("x", None)
        else:
            at = given[0]
        name = ""
        for layer in layers:
            name = name_of(layer)
            if layer["class_name"] != "InputLayer":
                at = self._layer(layer, {}, arrays, [at])
        return [(at, name)]

    def _input(self, layer: Mapping[str, Any]) -> str:
        about = layer["config"]
        shape = about.get("batch_shape") or about.get("batch_input_shape")
        known = shape and all(isinstance(size, int) for size in shape[1:])
        return self._feed(name_of(layer), math.prod(shape[1:]) if known else None)

    def _feed(self, name: str, width: int | None) -> str:
        self.inputs.append(Input(name, width))
        self.values.feed(name)
        return name

    def _layer(self, layer: Mapping[str, Any], node: Any, arrays: Arrays, taken: list[str]) -> str:
        """Take one call of a layer; return the name of its value."""
        kind, about, name = str(layer["class_name"]), layer["config"], name_of(layer)
        self.count += 1
        result = f"{name}#{self.count}"
        if isinstance(about.get("layers"), list) and taken:
            return self.model(about, arrays.inside(name, about), taken)[0][0]
        shapes = shapes_of(layer, node)
        if not all(map(self.values.knows, taken)) or not taken:
            raise InterchangeError(f"the layer '{name}' ({kind}) takes no value that is known here")
        if not is_operation(layer):
            self.casts.rounds([name], computed_in(about))
        if is_operation(layer):
            self._operation(kind, about, name, node, taken, result)
        elif kind == "TFOpLambda":
            self._of_tensorflow(str(about.get("function")), name, node, taken, result)
        elif kind in _MERGES or kind in ("Concatenate", "Dot"):
            self._merge(kind, about, name, shapes, taken, result)
        elif len(taken) > 1:
            missing = Missing(name, kind, "it joins values in a way that is not known here")
            self.values.put([missing], taken, result)
        elif kind == "LayerNormalization" and len(shapes[0]) == 2:
            found = [as_floats(one, name, self.notes) for one in arrays.arrays(name)]
            scale = found.pop(0) if about.get("scale", True) and found else None
            shift = found.pop(0) if about.get("center", True) and found else None
            epsilon = float(about.get("epsilon", 1e-3))
            self.values.normalise(name, taken[0], result, epsilon, scale, shift)
        elif kind == "RMSNormalization" and len(shapes[0]) == 2 and along_features(about):
            found = [as_floats(one, name, self.notes) for one in arrays.arrays(name)]
            epsilon = float(about.get("epsilon", 1e-6))
            self.values.by_size(name, taken[0], result, epsilon, found[0] if found else None)
        elif kind == "PReLU" and len(shapes[0]) == 2:
            (slopes,) = (as_floats(one, name, self.notes) for one in arrays.arrays(name))
            self.values.leaky(name, taken[0], result, slopes.reshape(-1))
            self.notes.append(f"the slope of '{name}' is fixed here, and Keras trains it")
        elif kind == "UnitNormalization" and len(shapes[0]) == 2 and along_features(about):
            self._of_length_one(taken[0], result, name)
        else:
            # Called again it is the same layer, with the same weights.
            steps = self.made.get(id(layer))
            if steps is None:
                steps = steps_of_layer(kind, name, about, arrays.arrays, shapes[0], self.notes)
                self.made[id(layer)] = steps
            self.values.put(steps, taken, result)
        return result

    def _missing(self, kind: str, name: str, taken: Sequence[str], result: str) -> None:
        why = "it joins values in a way that is not known here"
        if len(set(taken)) < 2:
            why = "nodeflow has no counterpart of it"
        self.values.put([Missing(name, kind, why)], list(dict.fromkeys(taken)), result)

    def _merge(
        self, kind: str, about: Mapping[str, Any], name: str, shapes: Sequence[Any],
        taken: list[str], result: str,
    ) -> None:  # fmt: skip
        """Take a layer that joins values."""
        rows = all(len(shape) == 2 for shape in shapes)
        alike = rows or all(shape == shapes[0] for shape in shapes)
        if kind == "Concatenate" and (about.get("axis", -1) == 1 or (rows and about["axis"] == -1)):
            self.values.join("concatenate", name, taken, result)
        elif kind == "Dot" and rows and about.get("axes") in (1, -1, [1, 1], [-1, -1]):
            if about.get("normalize"):
                for number, one in enumerate(taken):
                    self._of_length_one(one, f"{result} {number}", f"{name}.{number}")
                taken = [f"{result} {number}" for number in range(len(taken))]
            self.values.apply("mul", taken, f"{result} product", f"{name}.product")
            self.values.put([Narrow(name, "sum")], [f"{result} product"], result)
        elif kind in _MERGES and alike:
            whole = f"{result} sum" if kind == "Average" else result
            self.values.apply(_MERGES[kind], taken, whole, name)
            if kind == "Average":
                self.values.apply("div", [whole, float(len(taken))], result, name)
            self.values.settle(result)
        else:
            self._missing(kind, name, taken, result)

    def _of_length_one(self, taken: str, result: str, name: str) -> None:
        """Divide a row by its length, or by 1e-7 where it is shorter."""
        square, total = f"{result} square", f"{result} total"
        self.values.apply("mul", [taken, taken], square, f"{name}.square")
        self.values.put([Narrow(f"{name}.total", "sum")], [square], total)
        self.values.apply("maximum", [total, EPSILON**2], f"{result} least", name)
        self.values.apply("sqrt", [f"{result} least"], f"{result} length", name)
        self.values.apply("div", [taken, f"{result} length"], result, name)

    def _operation(
        self, kind: str, about: Mapping[str, Any], name: str, node: Any, taken: list[str],
        result: str,
    ) -> None:  # fmt: skip
        """Take an operation of keras.ops."""
        if self._share(kind, about, name, node, taken, result):
            return
        self._plain(kind, about, name, node, taken, result)

    def _of_tensorflow(
        self, function: str, name: str, node: Any, taken: list[str], result: str
    ) -> None:  # fmt: skip
        """Take a function of TensorFlow between the layers of Keras 2."""
        known = {snake_case(key): kind for key, kind in OPERATIONS.items()}
        operator = {**known, **_OF_TENSORFLOW}.get(function.rpartition(".")[2], "")
        given = operands_of(node, taken)
        if not operator or given is None or not self.values.apply(operator, given, result, name):
            self._missing(function, name, taken, result)

    def _share(
        self, kind: str, about: Mapping[str, Any], name: str, node: Any, taken: list[str],
        result: str,
    ) -> bool:  # fmt: skip
        """Take an operation of a softmax that was taken apart; return whether it is one."""
        given, operator = operands_of(node, taken), _OF_SHARES.get(kind, "")
        if not operator or given != taken or any(len(shape) != 2 for *_, shape in sources_of(node)):
            return False
        if operator in ("Max", "Sum", "Logsumexp") and not of_each_row(about):
            return False
        return self.values.of_softmax(
            operator, taken, result, name,
            lambda: self._plain(kind, about, name, node, taken, result))  # fmt: skip

    def _tested(
        self, kind: str, given: Sequence[str | float], result: str, name: str
    ) -> bool:  # fmt: skip
        """Take a test, or a choice by one; return whether an operation is one that is known."""
        names = [one for one in given if isinstance(one, str)]
        if kind == "Isnan":
            return self.values.is_nan(names[0], result, name)
        if kind in _OF_TESTS and len(names) == len(given):
            return self.values.combine(_OF_TESTS[kind], names, result, name)
        if kind == "Where" and len(given) == 3 and isinstance(given[0], str):
            return self.values.choose(given[0], given[1], given[2], result, name)
        return self.values.compare(snake_case(kind), given, result, name)

    def _plain(
        self, kind: str, about: Mapping[str, Any], name: str, node: Any, taken: list[str],
        result: str,
    ) -> None:  # fmt: skip
        shapes = [shape for *_, shape in sources_of(node)]
        if kind == "Cast" and len(taken) == 1:
            missing = self.casts.taken(name, kind, given_in(node), str(about.get("dtype")))
            if missing is None:
                self.values.same(taken[0], result)
            else:
                self.values.put([missing], taken, result)
            return
        rows = all(len(shape) == 2 for shape in shapes)
        given = operands_of(node, taken)
        operator, settings = with_settings(kind, about)
        plain = operator is not None and given is not None and (rows or len(shapes) == 1)
        if plain and self.values.apply(str(operator), given or [], result, name, **settings):
            return
        alike = given is not None and (rows or len(shapes) == 1)
        if alike and self._tested(kind, given or [], result, name):
            return
        axis = about.get("axis", -1)
        last = axis in (-1, 1) or axis in ([-1], [1])
        if kind in ("Softmax", "LogSoftmax") and rows and last:
            self.values.put([Activation(name, snake_case(kind))], taken, result)
        elif kind in ("Sum", "Mean") and rows and of_each_row(about):
            self.values.put([Narrow(name, kind.lower())], taken, result)
        elif kind == "Concatenate" and rows and last:
            self.values.join("concatenate", name, taken, result)
        elif kind == "GetItem" and rows and places_of(node, shapes[0][1]):
            self.values.put([Narrow(name, "pick", places_of(node, shapes[0][1]))], taken, result)
        else:
            self._missing(kind, name, taken, result)
