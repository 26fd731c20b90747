"""Keras 3: models, `.keras` archives, and `.weights.h5`.

A Dense kernel is (in, units) and is turned over. The order of layers and their names come from
config.json: in the file of weights they are called after their classes. A Lambda layer is code,
and is never run.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nodeflow import formula as formulas
from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.branching import runs_of, steps_of
from nodeflow.interchange.building import costs_of, graph_of, letters
from nodeflow.interchange.casting import Casts
from nodeflow.interchange.chain import ANY
from nodeflow.interchange.keras_older import HARD_SIGMOID, is_older, modern, says_hard_sigmoid
from nodeflow.interchange.keras_older import NOTE as HARD_SIGMOID_NOTE
from nodeflow.interchange.layers import (
    DAMAGED,
    Activation,
    Affine,
    Cost,
    Dense,
    End,
    Floats,
    Input,
    Join,
    Missing,
    Narrow,
    Network,
    Step,
    activation,
    as_floats,
    clipped,
    cost_of,
    kind_of,
)
from nodeflow.interchange.naming import known, named, of_others
from nodeflow.interchange.values import Values
from nodeflow.interchange.verifying import Answer, Other

_MISSING = "Keras is not installed; pip install 'nodeflow[keras]'"
_MOST_BYTES = 2**31
_EPSILON = 1e-7
_KINDS = {
    "elu": "elu", "selu": "selu", "silu": "silu",
    "swish": "silu", "softsign": "softsign", "hard_sigmoid": "hard_sigmoid",
    "exponential": "exponential", "relu6": "relu6", "mish": "mish", "log_sigmoid": "log_sigmoid",
    "hard_silu": "hard_silu", "hard_swish": "hard_silu", "tanh_shrink": "tanhshrink",
    "hard_tanh": "hard_tanh", "gelu": "gelu", "gelu_tanh": "gelu_tanh",
}  # fmt: skip
"""Activations that the library has no type for, by Keras' names; see `layers.FORMULAS`."""
_PASSED = ("InputLayer", "Dropout", "Flatten", "GaussianNoise", "ActivityRegularization",
           "Reshape", "GaussianDropout", "AlphaDropout", "Identity")  # fmt: skip
_MERGES = {"Add": "add", "Multiply": "mul", "Maximum": "maximum", "Minimum": "minimum",
           "Subtract": "sub", "Average": "add"}  # fmt: skip
_OPERATIONS = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Divide": "div", "TrueDivide": "div",
    "Power": "pow", "Maximum": "maximum", "Minimum": "minimum", "Negative": "neg",
    "Reciprocal": "reciprocal", "Square": "square", "Sqrt": "sqrt", "Exp": "exponential",
    "Log": "log", "Sin": "sin", "Cos": "cos", "Tanh": "tanh", "Abs": "abs", "Absolute": "abs",
    "Sign": "sign", "Erf": "erf", "Sigmoid": "sigmoid", "Relu": "relu", "Relu6": "relu6",
    "Selu": "selu", "Silu": "silu", "Softplus": "softplus", "Softsign": "softsign",
    "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "LogSigmoid": "log_sigmoid",
    "Mish": "mish", "TanhShrink": "tanhshrink", "Log1p": "log1p", "Expm1": "expm1",
    "Rsqrt": "rsqrt",
}  # fmt: skip
"""Operations of keras.ops that work number by number."""
_OF_TESTS = {"LogicalOr": "or", "LogicalAnd": "and", "LogicalNot": "not"}
_OF_SHARES = {"Max": "Max", "Subtract": "Sub", "Exp": "Exp", "Sum": "Sum", "Divide": "Div",
              "TrueDivide": "Div", "Log": "Log", "Logsumexp": "Logsumexp"}  # fmt: skip
"""Operations that a softmax is made of, where somebody took it apart."""
_OF_TENSORFLOW = {"truediv": "div", "pow": "pow", "swish": "silu", "rsqrt": "rsqrt", "elu": "elu",
                  "expm1": "expm1", "log1p": "log1p"}  # fmt: skip
"""Functions of TensorFlow that keras.ops call otherwise, by the last part of their names."""
_OTHER_OPERATIONS = ("Sum", "Mean", "Concatenate", "GetItem", "Where", "Greater", "Less", "Isnan",
                     "LogicalOr")  # fmt: skip
_OF_OPERATIONS = "keras.src.ops"
"""Where operations come from; some are called as layers are."""


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
    network = _network(config, _Live(model), "Keras")
    return with_compiled(network, _compiled(model))


def _compiled(model: Any) -> dict[str, Any]:
    """Return what a live model was compiled with, as its file would say it."""
    optimizer, loss = getattr(model, "optimizer", None), getattr(model, "loss", None)
    if optimizer is not None:
        about = {**optimizer.get_config(), "learning_rate": np.asarray(optimizer.learning_rate)}
        optimizer = {"class_name": type(optimizer).__name__, "config": about}
    weights = getattr(getattr(model, "_compile_loss", None), "_user_loss_weights", None)
    return {"optimizer": optimizer, "loss": _said_of(loss), "loss_weights": weights}


def _said_of(loss: Any) -> Any:
    """Return what a file would say of a loss, or of those of several outputs."""
    if isinstance(loss, Mapping):
        return {key: _said_of(one) for key, one in loss.items()}
    if isinstance(loss, list | tuple):
        return [_said_of(one) for one in loss]
    if not hasattr(loss, "get_config"):
        return loss
    # What a loss keeps for its function is not all in its configuration.
    about = {**loss.get_config(), **getattr(loss, "_fn_kwargs", {})}
    return {"class_name": type(loss).__name__, "config": about}


def read(path: Path, asked: Asked) -> Network:
    """Return the network of a `.keras` archive or of a file of weights."""
    with reading(path):
        path.open("rb").close()
    if path.name.endswith(".h5"):
        whole = _whole(path)
        return whole or network_of_arrays(_dense_arrays(path), asked, "Keras")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise FileError("unpacked, it has more than 2 GiB", file=str(path))
            config = json.loads(archive.read("config.json"))
            weights = io.BytesIO(archive.read("model.weights.h5"))
            said = "metadata.json" in archive.namelist() and json.loads(
                archive.read("metadata.json")
            )
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError):
        raise FileError(
            "is no model of Keras 3: it has no config.json and model.weights.h5", file=str(path)
        ) from None
    with _opened(weights, path) as file:
        try:
            version = said.get("keras_version") if isinstance(said, dict) else None
            config = modern(config) if version and is_older(version) else config
            network = _network(config, _Stored(file, "", config["config"]), "Keras")
            return with_compiled(network, config.get("compile_config") or {})
        except DAMAGED as error:
            why = f"{type(error).__name__}: {error}"
            raise FileError(
                f"is damaged, or of a Keras that is not known here ({why})", file=str(path)
            ) from None


def _whole(path: Path) -> Network | None:
    """Return the network of a model in the older form, one HDF5 file; None if it has weights alone.

    `model.save("NAME.h5")` writes the configuration as JSON beside the weights by layer.
    """
    with _opened(path, path) as file:
        if "model_config" not in file.attrs:
            return None
        try:
            config = json.loads(file.attrs["model_config"])
            said = _older_training(file.attrs.get("training_config"))
            if is_older(file.attrs.get("keras_version")):
                config, said = modern(config), modern(said)
            network = _network(config, _Older(file["model_weights"]), "Keras")
            return with_compiled(network, said)
        except DAMAGED as error:
            why = f"{type(error).__name__}: {error}"
            raise FileError(
                f"is damaged, or of a Keras that is not known here ({why})", file=str(path)
            ) from None


def _older_training(text: Any) -> dict[str, Any]:
    """Return what a model was compiled with, from the attribute of the older form."""
    said = json.loads(text) if text else {}
    optimizer = said.pop("optimizer_config", None)
    return said if optimizer is None else {**said, "optimizer": optimizer}


_LOSSES = {
    "mae": "absolute_error", "mean_absolute_error": "absolute_error",
    "huber": "huber", "log_cosh": "log_cosh", "logcosh": "log_cosh", "poisson": "poisson",
}  # fmt: skip
"""Costs that the library has no type for, by Keras' names."""


def with_compiled(network: Network, said: Mapping[str, Any]) -> Network:
    """Return the network with the cost and the trainer that a model was compiled with."""
    notes = list(network.notes)
    losses = _for_each(said.get("loss"), network.outputs)
    weights = _for_each(said.get("loss_weights"), network.outputs)
    ends = []
    shares = {step.name for step in network.steps
              if isinstance(step, Activation) and step.kind == "softmax"}  # fmt: skip
    for end, loss, weight in zip(network.outputs, losses, weights, strict=True):
        cost = _cost(loss, notes)
        whole = cost is None or cost.kind != "categorical_cross_entropy" or cost.behind is not None
        if not whole and end.step not in shares:
            notes.append("Keras divides the outputs by their sum in its categorical cross-entropy, "
                         "which changes nothing behind a softmax; here they are left")  # fmt: skip
        if cost is not None and isinstance(weight, int | float):
            cost = replace(cost, weight=float(weight))
        ends.append(replace(end, cost=cost))
    network = replace(network, ends=tuple(ends))
    optimizer = said.get("optimizer")
    if isinstance(optimizer, Mapping):
        name, about = str(optimizer.get("class_name")), optimizer.get("config") or {}
        network = _with_optimizer(network, name, about, notes)
    return replace(network, notes=tuple(notes))


def _for_each(said: Any, ends: Sequence[End]) -> list[Any]:
    """Return what is said of each output: by its name, in order, or of all alike."""
    if isinstance(said, Mapping) and "class_name" not in said:
        alone = list(said.values())[:1] if len(ends) == len(said) == 1 else [None]
        return [said.get(end.label, alone[0]) for end in ends]
    if isinstance(said, list | tuple):
        return [*said, *[None] * len(ends)][: len(ends)]
    return [said] * len(ends)


def _cost(loss: Any, notes: list[str]) -> Cost | None:
    """Return the cost of a loss, which is a name or a class with its configuration."""
    if loss is None:
        return None
    about = loss.get("config") if isinstance(loss, Mapping) else None
    about = about if isinstance(about, Mapping) else {}
    name = str(loss.get("class_name") if isinstance(loss, Mapping) else loss)
    name = getattr(loss, "__name__", name)
    kind = {**_LOSSES, **known("keras", "cost")}.get(_snake(name) if name[:1].isupper() else name)
    if kind is None or about.get("label_smoothing") or about.get("reduction") == "sum":
        notes.append(f"its loss {name} has no counterpart as it is set: the cost is ours")
        return None
    given: dict[str, Any] = {"mean": kind != "categorical_cross_entropy"}
    if kind == "huber":
        given["delta"] = float(about.get("delta", 1.0))
        if "delta" not in about:
            notes.append("Keras keeps no delta of a Huber loss in its files: it is 1 here")
    if kind.endswith("cross_entropy") and not about.get("from_logits"):
        notes.append("Keras holds the outputs to 1e-7 … 1 − 1e-7 in its cost, and has no slope "
                     "outside; here there is one")  # fmt: skip
    if about.get("from_logits"):
        given["behind"] = "sigmoid" if kind == "cross_entropy" else "softmax"
    if name.lower().startswith("sparse"):
        notes.append("its targets are numbers of classes there, and one-hot here")
    return cost_of(kind, **given)


def _with_optimizer(
    network: Network, name: str, about: Mapping[str, Any], notes: list[str]
) -> Network:
    kind = known("keras", "trainer").get(name)
    rate = about.get("learning_rate")
    if kind is None or rate is None or isinstance(rate, Mapping):
        what = name if kind is None else "schedule of the learning rate"
        notes.append(f"its optimizer's {what} has no counterpart" if kind else
                     f"its optimizer {name} has no counterpart")  # fmt: skip
        return network
    settings = {"rate": float(f"{float(rate):.7g}")}
    if kind == "adam":
        settings |= {"beta1": float(about.get("beta_1", 0.9)),
                     "beta2": float(about.get("beta_2", 0.999))}  # fmt: skip
        notes.append("Keras' Adam has its epsilon in another place: see the twin keras-adam")
    elif about.get("nesterov"):
        notes.append("its momentum is Nesterov's, and is left out: see the twin keras-nesterov")
    elif about.get("momentum"):
        settings["momentum"] = float(about["momentum"])
    left = [key for key in ("decay", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue",
                            "use_ema") if about.get(key)]  # fmt: skip
    notes += [f"the {key} of its optimizer is left out" for key in left]
    return replace(network, trainer=kind, settings=settings)


def _opened(source: Any, path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise InterchangeError("h5py is not installed; pip install 'nodeflow[keras]'") from None
    try:
        return h5py.File(source, "r")
    except OSError as error:
        raise FileError(f"cannot be read as HDF5 ({error})", file=str(path)) from None


def _dense_arrays(path: Path) -> dict[str, Any]:
    """Return kernels and biases of a file of weights, by layer."""
    found: dict[str, Any] = {}
    with _opened(path, path) as file:

        def visit(name: str, item: Any) -> None:
            if not hasattr(item, "shape") or name.startswith("optimizer"):
                return
            layer, _, place = name.removeprefix("layers/").rpartition("/")
            layer = layer.removesuffix("/vars").replace("/", ".")
            what = {"0": "kernel", "1": "bias"}.get(place, place)
            found[f"{layer}.{what}"] = item[()]

        file.visititems(visit)
    return found


class _Live:
    """The arrays of a model's layers, by their names."""

    def __init__(self, model: Any) -> None:
        self.layers = {layer.name: layer for layer in model.layers}

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        return list(self.layers[name].get_weights())

    def inside(self, name: str, _about: Mapping[str, Any]) -> _Live:
        """Return those of a model that is a layer."""
        return _Live(self.layers[name])


class _Older:
    """The arrays of a file in the older form: by layer, in the order that the layer names."""

    def __init__(self, group: Any, model: Any = None) -> None:
        self.group, self.model = group, model

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        layer = self.group.get(name) if self.model is None else self.model
        if layer is None:
            return []
        names = [one.decode() if isinstance(one, bytes) else str(one)
                 for one in layer.attrs.get("weight_names", ())]  # fmt: skip
        own = [one for one in names if self.model is None or name in one.split("/")[:-1]]
        return [layer[one][()] for one in own]

    def inside(self, name: str, _about: Mapping[str, Any]) -> _Older:
        """Return those of a model that is a layer: in one row there, under their layers' names."""
        return _Older(self.group, self.group.get(name) if self.model is None else self.model)


class _Stored:
    """The arrays of a file: called after a layer's class, numbered within the class."""

    def __init__(self, file: Any, root: str, about: Mapping[str, Any]) -> None:
        self.file, self.root = file, root
        self.stems: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for layer in about.get("layers") or ():
            if not _is_operation(layer):
                snake = _snake(str(layer["class_name"]))
                number = counts[snake]
                counts[snake] += 1
                self.stems[_name(layer)] = snake if not number else f"{snake}_{number}"

    def arrays(self, name: str) -> list[Any]:
        """Return a layer's arrays in Keras' order."""
        found = self._group(name, "/vars")
        return [] if found is None else [found[key][()] for key in sorted(found, key=int)]

    def inside(self, name: str, about: Mapping[str, Any]) -> _Stored:
        """Return those of a model that is a layer."""
        group = self._group(name, "")
        return _Stored(self.file, "" if group is None else group.name, about)

    def _group(self, name: str, ending: str) -> Any:
        for root in ("layers", "_layer_checkpoint_dependencies"):
            for called in (self.stems.get(name, name), name):
                path = f"{self.root}/{root}/{called}{ending}"
                if path in self.file:
                    return self.file[path]
        return None


_Arrays: TypeAlias = _Live | _Stored | _Older


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer["config"].get("name", str(layer["class_name"]).lower()))


def _is_operation(layer: Mapping[str, Any]) -> bool:
    return str(layer.get("module", "")).startswith(_OF_OPERATIONS)


def _snake(name: str) -> str:
    text = re.sub(r"\W+", "", name)
    text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub("([a-z])([A-Z])", r"\1_\2", text).lower()


def _network(config: Mapping[str, Any], arrays: _Arrays, format_: str) -> Network:
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
        self, about: Mapping[str, Any], arrays: _Arrays, given: Sequence[str] | None
    ) -> list[tuple[str, str]]:
        """Take a model's layers; return the values that come out, each with its layer's name.

        `given` are the values that go in; None where the model is the whole.
        """
        layers = about["layers"]
        known: dict[tuple[str, int], str] = {}
        if "input_layers" not in about:  # a Sequential
            return self._row(layers, arrays, given)
        for place, (key, _) in enumerate(_ends(about["input_layers"])):
            layer = next(one for one in layers if _name(one) == key)
            known[key, 0] = self._input(layer) if given is None else given[place]
        calls = {
            (_name(layer), number): (layer, node)
            for layer in layers if layer["class_name"] != "InputLayer"
            for number, node in enumerate(layer.get("inbound_nodes") or ())
        }  # fmt: skip
        # A layer that is called twice stands where it is called first.
        takes = {call: [one[:2] for one in _sources(node)] for call, (_, node) in calls.items()}
        for call in TopologicalSorter(takes).static_order():
            if call in calls and call not in known:
                layer, node = calls[call]
                taken = [known.get(one, "") for one in takes[call]]
                known[call] = self._layer(layer, node, arrays, taken)
        return [(known[name, node], name) for name, node in _ends(about["output_layers"])]

    def _row(
        self, layers: Sequence[Any], arrays: _Arrays, given: Sequence[str] | None
    ) -> list[tuple[str, str]]:
        first = next((one for one in layers if one["class_name"] == "InputLayer"), None)
        if given is None:
            at = self._input(first) if first is not None else self._feed("x", None)
        else:
            at = given[0]
        name = ""
        for layer in layers:
            name = _name(layer)
            if layer["class_name"] != "InputLayer":
                at = self._layer(layer, {}, arrays, [at])
        return [(at, name)]

    def _input(self, layer: Mapping[str, Any]) -> str:
        about = layer["config"]
        shape = about.get("batch_shape") or about.get("batch_input_shape")
        known = shape and all(isinstance(size, int) for size in shape[1:])
        return self._feed(_name(layer), math.prod(shape[1:]) if known else None)

    def _feed(self, name: str, width: int | None) -> str:
        self.inputs.append(Input(name, width))
        self.values.feed(name)
        return name

    def _layer(self, layer: Mapping[str, Any], node: Any, arrays: _Arrays, taken: list[str]) -> str:
        """Take one call of a layer; return the name of its value."""
        kind, about, name = str(layer["class_name"]), layer["config"], _name(layer)
        self.count += 1
        result = f"{name}#{self.count}"
        if isinstance(about.get("layers"), list) and taken:
            return self.model(about, arrays.inside(name, about), taken)[0][0]
        shapes = _shapes(layer, node)
        if not all(map(self.values.knows, taken)) or not taken:
            raise InterchangeError(f"the layer '{name}' ({kind}) takes no value that is known here")
        if not _is_operation(layer):
            self.casts.rounds([name], _computed_in(about))
        if _is_operation(layer):
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
        elif kind == "RMSNormalization" and len(shapes[0]) == 2 and _along_features(about):
            found = [as_floats(one, name, self.notes) for one in arrays.arrays(name)]
            epsilon = float(about.get("epsilon", 1e-6))
            self.values.by_size(name, taken[0], result, epsilon, found[0] if found else None)
        elif kind == "PReLU" and len(shapes[0]) == 2:
            (slopes,) = (as_floats(one, name, self.notes) for one in arrays.arrays(name))
            self.values.leaky(name, taken[0], result, slopes.reshape(-1))
            self.notes.append(f"the slope of '{name}' is fixed here, and Keras trains it")
        elif kind == "UnitNormalization" and len(shapes[0]) == 2 and _along_features(about):
            self._of_length_one(taken[0], result, name)
        else:
            # Called again it is the same layer, with the same weights.
            steps = self.made.get(id(layer))
            if steps is None:
                steps = _steps(kind, name, about, arrays.arrays, shapes[0], self.notes)
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
        self.values.apply("maximum", [total, _EPSILON**2], f"{result} least", name)
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
        known = {_snake(key): kind for key, kind in _OPERATIONS.items()}
        operator = {**known, **_OF_TENSORFLOW}.get(function.rpartition(".")[2], "")
        given = _operands(node, taken)
        if not operator or given is None or not self.values.apply(operator, given, result, name):
            self._missing(function, name, taken, result)

    def _share(
        self, kind: str, about: Mapping[str, Any], name: str, node: Any, taken: list[str],
        result: str,
    ) -> bool:  # fmt: skip
        """Take an operation of a softmax that was taken apart; return whether it is one."""
        given, operator = _operands(node, taken), _OF_SHARES.get(kind, "")
        if not operator or given != taken or any(len(shape) != 2 for *_, shape in _sources(node)):
            return False
        if operator in ("Max", "Sum", "Logsumexp") and not _of_each_row(about):
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
        return self.values.compare(_snake(kind), given, result, name)

    def _plain(
        self, kind: str, about: Mapping[str, Any], name: str, node: Any, taken: list[str],
        result: str,
    ) -> None:  # fmt: skip
        shapes = [shape for *_, shape in _sources(node)]
        if kind == "Cast" and len(taken) == 1:
            missing = self.casts.taken(name, kind, _given_in(node), str(about.get("dtype")))
            if missing is None:
                self.values.same(taken[0], result)
            else:
                self.values.put([missing], taken, result)
            return
        rows = all(len(shape) == 2 for shape in shapes)
        given = _operands(node, taken)
        operator, settings = _with_settings(kind, about)
        plain = operator is not None and given is not None and (rows or len(shapes) == 1)
        if plain and self.values.apply(str(operator), given or [], result, name, **settings):
            return
        alike = given is not None and (rows or len(shapes) == 1)
        if alike and self._tested(kind, given or [], result, name):
            return
        axis = about.get("axis", -1)
        last = axis in (-1, 1) or axis in ([-1], [1])
        if kind in ("Softmax", "LogSoftmax") and rows and last:
            self.values.put([Activation(name, _snake(kind))], taken, result)
        elif kind in ("Sum", "Mean") and rows and _of_each_row(about):
            self.values.put([Narrow(name, kind.lower())], taken, result)
        elif kind == "Concatenate" and rows and last:
            self.values.join("concatenate", name, taken, result)
        elif kind == "GetItem" and rows and _places(node, shapes[0][1]):
            self.values.put([Narrow(name, "pick", _places(node, shapes[0][1]))], taken, result)
        else:
            self._missing(kind, name, taken, result)


def _of_each_row(about: Mapping[str, Any]) -> bool:
    """Return whether an operation makes one number of each row, and keeps it as a column."""
    return about.get("axis", -1) in (-1, 1, [-1], [1]) and bool(about.get("keepdims"))


def _with_settings(
    kind: str, about: Mapping[str, Any]
) -> tuple[str | None, dict[str, float]]:  # fmt: skip
    """Return what an operation that works number by number is here, with its settings."""
    match kind:
        case "Gelu":  # as an activation of a layer it is the exact one
            return ("gelu_tanh" if about.get("approximate", True) else "gelu"), {}
        case "LeakyRelu":
            return "leaky_relu", {"alpha": float(about.get("negative_slope", 0.2))}
        case "Elu" | "Celu":
            return kind.lower(), {"alpha": float(about.get("alpha", 1.0))}
        case "SoftShrink" | "HardShrink":
            return kind.lower(), {"alpha": float(about.get("threshold", 0.5))}
        case "HardTanh":
            return "hard_tanh", {"low": -1.0, "high": 1.0}
        case "Clip" if all(isinstance(about.get(end), int | float) for end in ("x_min", "x_max")):
            return clipped(about["x_min"], about["x_max"])
    return _OPERATIONS.get(kind), {}


def _operands(node: Any, taken: Sequence[str]) -> list[str | float] | None:
    """Return the values and numbers that an operation takes; None where there is something else."""
    found: list[str | float] = []
    values = iter(taken)
    if isinstance(node, list):  # of Keras 2: layer, call, place, and the other arguments by name
        first = node[2] if node[0] == _CONSTANT else next(values)
        more = (node[3] if len(node) > 3 else {}).values()
        others = [next(values) if isinstance(one, list) else one for one in more if one is not None]
        operands = [first, *others]
        return operands if all(isinstance(one, str | int | float) for one in operands) else None
    for one in (*node.get("args", ()), *(node.get("kwargs") or {}).values()):
        if isinstance(one, Mapping) and one.get("class_name") == "__keras_tensor__":
            found.append(next(values))
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(float(one))
        elif one is not None:
            return None
    return found


def _places(node: Any, width: int) -> tuple[int, ...]:
    """Return which features of all rows `value[:, 1:3]` takes; none where it is something else."""
    key = node["args"][1] if len(node.get("args", ())) > 1 else None
    if not isinstance(key, list) or len(key) != 2:
        return ()
    slices = []
    for one in key:
        about = one.get("config", {}) if isinstance(one, Mapping) else None
        if about is None or one.get("class_name") != "__slice__":
            return ()
        slices.append(slice(about.get("start"), about.get("stop"), about.get("step")))
    return tuple(range(width)[slices[1]]) if slices[0] == slice(None) else ()


def _ends(said: Any) -> list[tuple[str, int]]:
    """Return the layers, and which call of each, that a model's inputs or outputs are."""
    if isinstance(said, Mapping):
        return [one for key in sorted(said) for one in _ends(said[key])]
    if isinstance(said, list | tuple) and said and isinstance(said[0], str):
        return [(said[0], int(said[1]))]
    return [one for part in said for one in _ends(part)]


def _sources(node: Any) -> list[tuple[str, int, list[Any]]]:
    """Return the layers whose values go into a call, with which call of each, and the shapes."""
    if isinstance(node, Mapping):
        about = node.get("config")
        history = about.get("keras_history") if isinstance(about, Mapping) else None
        if isinstance(about, Mapping) and isinstance(history, list) and history:
            return [(str(history[0]), int(history[1]), list(about.get("shape") or ()))]
        return [one for part in node.values() for one in _sources(part)]
    if isinstance(node, list | tuple):
        if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
            # As Keras 2 wrote it: layer, call, place, and other arguments by name.
            more = [one for part in node[3:] for one in _sources(part)]
            return more if node[0] == _CONSTANT else [(node[0], node[1], []), *more]
        return [one for part in node for one in _sources(part)]
    return []


_CONSTANT = "_CONSTANT_VALUE"
"""What Keras 2 writes in the place of a layer where a function takes a number first."""


def _given_in(node: Any) -> str | None:
    """Return the type of the numbers that go into a call, where the file says it."""
    if isinstance(node, Mapping):
        about = node.get("config")
        if isinstance(about, Mapping) and "keras_history" in about:
            return str(about.get("dtype"))
        node = list(node.values())
    if isinstance(node, list | tuple):
        return next((found for part in node if (found := _given_in(part)) is not None), None)
    return None


def _computed_in(about: Mapping[str, Any]) -> str:
    """Return the type of numbers that a layer computes in, where it is no whole precision.

    float32 is said of weights.
    """
    policy = about.get("dtype")
    if isinstance(policy, Mapping):
        policy = (policy.get("config") or {}).get("name")
    name = str(policy).removeprefix("mixed_")
    return name if name in ("float16", "bfloat16") else "float64"


def _along_features(about: Mapping[str, Any]) -> bool:
    """Return whether a layer of rows works along their features, and not from row to row."""
    return about.get("axis", -1) in (-1, 1, [-1], [1])


def _shapes(layer: Mapping[str, Any], node: Any) -> list[list[Any]]:
    """Return the shapes of what a layer takes, as far as the file says them; else a row each."""
    found = [shape for *_, shape in _sources(node) if shape]
    if not found:
        built = layer.get("build_config")
        shape = built.get("input_shape") if isinstance(built, Mapping) else None
        found = [shape] if isinstance(shape, list) and shape else [[None, None]]
        if isinstance(found[0][0], list):  # of each of several values
            found = found[0]
    return found


def _steps(
    kind: str, name: str, about: Mapping[str, Any], arrays: Callable[[str], list[Any]],
    shape: Sequence[Any], notes: list[str],
) -> list[Step]:  # fmt: skip
    left = [what for what in ("kernel_regularizer", "bias_regularizer") if about.get(what)]
    notes += [f"the {what} of {name} is left out" for what in left]
    if kind == "Lambda":
        return [Missing(name, "Lambda", "it is code, and code of a file is never run")]
    if kind in ("Dense", "Softmax") and len(shape) > 2:
        return [Missing(name, kind, "it works along the last of several axes")]
    if kind in ("Softmax", "UnitNormalization") and not _along_features(about):
        return [Missing(name, kind, "it works from row to row, and rows are samples here")]
    if kind == "Dense":
        found = [as_floats(one, name, notes) for one in arrays(name)]
        if not found or found[0].ndim != 2 or about.get("quantization_config"):
            return [Missing(name, "Dense", "its kernel is no plain matrix in the file")]
        steps: list[Step] = [Dense(name, found[0].T, found[1] if len(found) > 1 else None)]
        made = _activation(f"{name}_a", about.get("activation") or "linear", {})
        if isinstance(made, Missing) or made.kind != "identity":
            steps.append(made)
        return steps
    if kind == "BatchNormalization":
        return [_normalised(name, about, [as_floats(a, name, notes) for a in arrays(name)], shape)]
    if kind in _PASSED:
        return []
    if kind in ("Rescaling", "Normalization"):
        return [_rescaled(kind, name, about, arrays(name))]
    if kind == "Activation":
        return [_activation(name, about.get("activation"), {})]
    if kind == "ThresholdedReLU":
        later = activation(name, "thresholded", alpha=float(about.get("theta", 1.0)))
        return [later or _unknown(name, kind)]
    if kind in ("ReLU", "LeakyReLU", "ELU", "Softmax"):
        return [_activation(name, _snake(kind).replace("re_lu", "relu"), about)]
    return [Missing(name, kind, _why(kind))]


def _activation(name: str, kind: Any, about: Mapping[str, Any]) -> Activation | Missing:
    if isinstance(kind, Mapping):
        about = (
            {**about, **kind.get("config", {})}
            if isinstance(kind.get("config"), Mapping)
            else about
        )
        kind = kind.get("config") if isinstance(kind.get("config"), str) else kind.get("class_name")
    kind = str(kind)
    if kind == HARD_SIGMOID:
        return activation(name, "hard_sigmoid_onnx", alpha=0.2) or _unknown(name, kind)
    if kind == "leaky_relu":
        # As a function its slope is 0.2, as a layer 0.3.
        slope = float(about.get("negative_slope", 0.2))
        return activation(name, "leaky_relu", alpha=slope) or _unknown(name, kind)
    others = of_others("keras", kind)
    if others and about.get("alpha", 1) == 1 and not about.get("approximate"):
        return activation(name, others) or _unknown(name, kind)
    if kind in ("elu", "ELU"):
        return activation(name, "elu", alpha=float(about.get("alpha", 1.0))) or _unknown(name, kind)
    plain_relu = not about.get("negative_slope") and not about.get("threshold")
    if kind == "relu" and not (plain_relu and about.get("max_value") is None):
        return _bounded(name, about)
    if kind == "gelu" and about.get("approximate"):
        kind = "gelu_tanh"
    if kind in ("celu", "soft_shrink", "hard_shrink"):
        alpha = about.get("alpha" if kind == "celu" else "threshold")
        given = {"alpha": float((1.0 if kind == "celu" else 0.5) if alpha is None else alpha)}
        return activation(name, kind.replace("_", ""), **given) or _unknown(name, kind)
    ours = {**_KINDS, **known("keras")}.get(kind)
    made = None if ours is None else activation(name, ours)
    return made or _unknown(name, kind)


def _bounded(name: str, about: Mapping[str, Any]) -> Activation | Missing:
    """Return a relu that begins elsewhere, leaks or ends: min(z if z > t else s·(z − t), most)."""
    leak, begin = (float(about.get(key) or 0) for key in ("negative_slope", "threshold"))
    most = about.get("max_value")
    if not leak and not begin and most is not None:
        kind = "relu6" if most == 6 else "hard_tanh"
        given = {} if most == 6 else {"low": 0.0, "high": float(most)}
        return activation(name, kind, **given) or _unknown(name, "ReLU")
    text = f"z * step(z - {begin!r})" if begin else "max(z, 0)"
    if leak:
        text = f"{text} + {leak!r} * min(0, {f'z - {begin!r}' if begin else 'z'})"
    if most is not None:
        text = f"min({text}, {float(most)!r})"
    return Activation(name, formula=formulas.write(formulas.parse(text)))


def _unknown(name: str, kind: str) -> Missing:
    return Missing(name, kind, "nodeflow has no counterpart of it")


def _rescaled(kind: str, name: str, about: Mapping[str, Any], found: list[Any]) -> Step:
    """Return a product and a sum with numbers of the configuration, or of the file."""
    scale, shift = about.get("scale"), about.get("offset")
    if kind == "Normalization":
        mean, variance = about.get("mean"), about.get("variance")
        if mean is None and len(found) >= 2:
            mean, variance = found[:2]
        if mean is None or variance is None or about.get("invert"):
            return Missing(name, kind, "its means and variances are not in the file")
        deviation = np.maximum(np.sqrt(np.ravel(np.asarray(variance, np.float64))), _EPSILON)
        scale, shift = 1 / deviation, -np.ravel(np.asarray(mean, np.float64)) / deviation
    try:
        factors, summands = np.broadcast_arrays(
            np.asarray(scale, np.float64).reshape(-1), np.asarray(shift, np.float64).reshape(-1)
        )
    except (TypeError, ValueError):
        return Missing(name, kind, "its numbers are not plain lists")
    return Affine(name, factors.copy(), summands.copy())


def _normalised(
    name: str, about: Mapping[str, Any], found: list[Floats], shape: Sequence[Any]
) -> Step:
    """Return batch normalisation in evaluation: (z − mean)/√(variance + ε)·γ + β."""
    wanted = 2 + bool(about.get("scale", True)) + bool(about.get("center", True))
    if len(found) != wanted:
        return Missing(name, "BatchNormalization", "its statistics are not in the file")
    *trained, mean, variance = found
    gamma = trained.pop(0) if about.get("scale", True) else np.ones_like(mean)
    beta = trained.pop(0) if about.get("center", True) else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + float(about.get("epsilon", 1e-3)))
    shift = beta - mean * scale
    places = shape[1:-1]
    if None in places or about.get("axis", -1) not in (-1, len(shape) - 1):
        return Missing(name, "BatchNormalization", "how many numbers a channel has is open")
    times = math.prod(places)  # channels come last
    return Affine(name, np.tile(scale, times), np.tile(shift, times))


def _why(kind: str) -> str:
    for word, why in (
        ("Conv", "nodeflow has no convolution"), ("Pool", "nodeflow has no pooling"),
        ("LSTM", "nodeflow has no recurrence"), ("GRU", "nodeflow has no recurrence"),
        ("RNN", "nodeflow has no recurrence"), ("Attention", "nodeflow has no attention"),
        ("Embedding", "nodeflow has no embedding"),
    ):  # fmt: skip
        if word in kind:
            return why
    return "nodeflow has no counterpart of it"


def checked_against(model: Any, graph: Graph) -> Other:
    """Return what sends rows through a model, for `verified`: outputs, and gradients of kernels.

    Gradients are asked of PyTorch where Keras computes by it. The costs are the graph's own, which
    are compared with Keras' in the tests: the loss of a file may be code.
    """
    import keras

    costs = costs_of(graph)
    plain = all(graph.nodes[key].type == "squared_error" for key in costs)
    slopes = keras.backend.backend() == "torch" and plain
    layers = list(model._flatten_layers(include_self=False))  # noqa: SLF001 (those of models in it)
    names = Counter(layer.name for layer in layers)

    def other(xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        given = [x.reshape(len(x), *one.shape[1:]) if None not in one.shape[1:] else x
                 for x, one in zip(xs, model.inputs, strict=True)]  # fmt: skip
        outs = keras.tree.flatten(model(given if len(given) > 1 else given[0], training=False))
        found = [np.asarray(keras.ops.convert_to_numpy(out), np.float64).reshape(len(out), -1)
                 for out in outs]  # fmt: skip
        if not slopes:
            return found, None
        total = 0
        for key, out, y in zip(costs, outs, ys, strict=True):
            target = keras.ops.convert_to_tensor(
                y.astype(keras.backend.standardize_dtype(out.dtype))
            )
            total = total + _factor(graph, key) * ((out - target) ** 2).sum(1).mean()
        total.backward()  # type: ignore[attr-defined]
        made = {}
        for layer in layers:
            for what, name in (("kernel", "weight"), ("bias", "bias")):
                variable, key = getattr(layer, what, None), f"{layer.name}.{name}"
                slope = None if variable is None else variable.value.grad
                if slope is not None and key in graph.nodes and names[layer.name] == 1:
                    made[key] = slope.detach().numpy().T.astype(np.float64)
        return found, made

    return other


def _factor(graph: Graph, cost: str) -> float:
    """Return what the sum of squares of an output is multiplied by: a half, a mean, a weight."""
    half = 0.5 if graph.settings(cost)["half"] else 1.0
    for wire in graph.out_of(cost):
        if graph.nodes[wire.target].type == "expression":
            tree = formulas.parse(str(graph.settings(wire.target)["formula"]))
            return half * float(formulas.evaluate(tree, {"cost": 1.0}))
    return half


# --- out ------------------------------------------------------------------------------------------


def to_keras(graph: Graph, weights: Any = None) -> Any:
    """Return a model of Keras with the layers and the weights of a graph, in float64.

    Layers in a row are a Sequential; what branches or joins, and formulas that no layer is, are a
    functional model, with operations of `keras.ops`.
    """
    network = steps_of(graph, weights)
    try:
        import keras
    except ImportError:
        raise InterchangeError(_MISSING) from None
    making = _Making(keras, branches=any(step.takes for step in network.steps))
    made = {
        one.name: keras.Input((network.width_of(one),), dtype="float64", name=_plain(one.name))
        for one in network.inputs
    }
    inputs = list(made.values())
    for step, takes in network.wired():
        made[step.name] = making.step(step, [made[name] for name in takes])
    outputs = [making.named(end.step, made[end.step]) for end in network.outputs]
    if making.layers_alone and not making.branches:
        return keras.Sequential([inputs[0], *making.layers], name="nodeflow")
    alone = [some[0] if len(some) == 1 else some for some in (inputs, outputs)]
    return keras.Model(*alone, name="nodeflow")


def _plain(name: str, *, branches: bool = False) -> str:
    """Return a name as Keras allows it; operations name themselves, and no layer may be called so.

    Layers in a row have no operations beside them.
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if branches and re.sub(r"_\d+$", "", plain) in map(_snake, (*_OPERATIONS, *_OTHER_OPERATIONS)):
        return f"{plain}_layer"
    return plain


class _Making:
    """Layers of Keras that have been made, each applied to the value that it takes."""

    def __init__(self, keras: Any, *, branches: bool) -> None:
        self.keras, self.branches = keras, branches
        self.layers: list[Any] = []
        self.layers_alone = True
        """Whether nothing but layers has been made: a Sequential holds no operations."""
        self.shared: dict[tuple[int, int], Any] = {}

    def step(self, step: Step, taken: list[Any]) -> Any:
        """Return the value of a step."""
        if isinstance(step, Join | Narrow):
            self.layers_alone = False
            return (
                self._joined(step, taken) if isinstance(step, Join) else self._narrowed(step, taken)
            )
        layer = self._layer(step)
        if layer is None:
            self.layers_alone = False
            if not isinstance(step, Activation) or step.formula is None:
                raise InterchangeError(f"Keras has no layer like '{step.name}'; {ANY}")
            tree = formulas.parse(step.formula)
            return self._computed(tree, dict.fromkeys(formulas.names(tree), taken[0]))
        value = layer(taken[0])
        self.layers.append(layer)
        if isinstance(step, Dense) and not any(layer is one for one in self.layers[:-1]):
            bias = [] if step.bias is None else [step.bias]
            layer.set_weights([step.weights.T, *bias])
        return value

    def named(self, name: str, value: Any) -> Any:
        """Return an output under its name, which an operation would not keep."""
        if not self.branches or value._keras_history.operation.name == _plain(name):  # noqa: SLF001
            return value
        return self.keras.layers.Activation("linear", dtype="float64", name=_plain(f"{name}_out"))(
            value
        )

    def _layer(self, step: Step) -> Any:
        layers, name = self.keras.layers, _plain(step.name, branches=self.branches)
        match step:
            case Dense():
                key = id(step.weights), id(step.bias)
                if key not in self.shared:
                    units, has_bias = len(step.weights), step.bias is not None
                    self.shared[key] = layers.Dense(
                        units, use_bias=has_bias, dtype="float64", name=name
                    )
                return self.shared[key]
            case Affine():
                scale, offset = step.scale.tolist(), step.shift.tolist()
                return layers.Rescaling(scale, offset, dtype="float64", name=name)
            case Activation():
                return _layer(layers, step, name)
        return None

    def _joined(self, step: Join, taken: list[Any]) -> Any:
        layers, name = self.keras.layers, _plain(step.name, branches=self.branches)
        about = {"dtype": "float64", "name": name}
        kinds = {"add": layers.Add, "multiply": layers.Multiply, "concatenate": layers.Concatenate}
        if step.formula is None:
            return kinds[step.kind](**about)(taken)
        whole = _MERGED.get(step.formula)
        if whole is not None and taken[0].shape == taken[1].shape:
            return getattr(layers, whole)(**about)(taken)
        places = dict(zip(letters(len(taken)), taken, strict=True))
        return self._computed(formulas.parse(step.formula), places)

    def _narrowed(self, step: Narrow, taken: list[Any]) -> Any:
        ops = self.keras.ops
        if step.kind != "pick":
            return getattr(ops, step.kind)(taken[0], axis=-1, keepdims=True)
        parts = [taken[0][:, first:end] for first, end in runs_of(step.places)]
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)

    def _computed(self, tree: formulas.Expression, values: Mapping[str, Any]) -> Any:
        ops = self.keras.ops

        def chosen(taken: Any, u: Any, v: Any) -> Any:
            # Its maximum shares the slope of a tie; a graph gives it to v. NaN goes on from both.
            if isinstance(u, self.keras.KerasTensor):
                taken = ops.logical_or(taken, ops.isnan(u))
            return ops.where(taken, u, v)

        functions = {
            "+": ops.add, "-": ops.subtract, "*": ops.multiply, "/": ops.divide, "**": ops.power,
            "max": lambda u, v: chosen(ops.greater(u, v), u, v),
            "min": lambda u, v: chosen(ops.less(u, v), u, v),
            "step": lambda u: ops.relu(ops.sign(u)),
        }  # fmt: skip
        for name in formulas.FUNCTIONS:
            if name not in functions:
                functions[name] = getattr(ops, name)
        return formulas.computed(tree, values, functions)


_MERGED = {"(a - b)": "Subtract", "((a + b) / 2)": "Average"}
"""Formulas of two values that are layers of Keras; its Maximum shares the slope of a tie."""


def _layer(layers: Any, step: Activation, name: str) -> Any:
    """Return the layer of an activation; None where Keras has none."""
    kind, given = kind_of(step)
    about = {"dtype": "float64", "name": name}
    if kind == "leaky_relu":
        return layers.LeakyReLU(negative_slope=given.get("alpha", 0.01), **about)
    if kind == "elu":
        return layers.ELU(alpha=given["alpha"], **about)
    if kind == "hard_tanh" and (given["low"], given["high"]) != (-1.0, 1.0):
        return None
    if kind in ("celu", "softshrink", "hardshrink", "gelu_tanh"):
        usual = {"celu": 1.0, "softshrink": 0.5, "hardshrink": 0.5}
        if given.get("alpha") != usual.get(kind):
            return None
        kind = {"softshrink": "soft_shrink", "hardshrink": "hard_shrink"}.get(kind, kind)
    if named(step.kind, "keras"):
        return layers.Activation(named(step.kind, "keras"), **about)
    names = {ours: theirs for theirs, ours in _KINDS.items() if theirs != "swish"}
    names |= {"celu": "celu", "soft_shrink": "soft_shrink", "hard_shrink": "hard_shrink"}
    return layers.Activation(names[kind], **about) if kind in names else None
