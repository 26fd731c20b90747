"""Keras 3: models, `.keras` archives, and `.weights.h5`.

A Dense kernel is (in, units) and is turned over. The order of layers and their names come from
config.json: in the file of weights they are called after their classes. A Lambda layer is code,
and is never run.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.chain import layers_of
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Dense,
    Floats,
    Missing,
    Network,
    Step,
    activation,
    as_floats,
)

_MISSING = "Keras is not installed; pip install 'nodeflow[keras]'"
_MOST_BYTES = 2**31
_KINDS = {
    "linear": "identity", "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu",
    "softmax": "softmax", "softplus": "softplus", "elu": "elu", "selu": "selu", "silu": "silu",
    "swish": "silu", "softsign": "softsign", "hard_sigmoid": "hard_sigmoid",
    "exponential": "exponential", "relu6": "relu6", "mish": "mish", "log_sigmoid": "log_sigmoid",
    "hard_silu": "hard_silu", "hard_swish": "hard_silu", "tanh_shrink": "tanhshrink",
    "hard_tanh": "hard_tanh",
}  # fmt: skip
_PASSED = ("InputLayer", "Dropout", "Flatten", "GaussianNoise", "ActivityRegularization",
           "Reshape", "GaussianDropout", "AlphaDropout")  # fmt: skip
Arrays = Callable[[str, str], list[Any]]
"""Gives a layer's arrays, by its class and its name, in Keras' order."""


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
    by_name = {layer.name: layer for layer in model.layers}
    network = _network(config, lambda _kind, name: by_name[name].get_weights(), "Keras")
    return _with_compiled(network, model)


def _with_compiled(network: Network, model: Any) -> Network:
    from dataclasses import replace

    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return network
    rate = float(np.asarray(optimizer.learning_rate))
    kind = {"Adam": "adam", "SGD": "gradient_descent"}.get(type(optimizer).__name__)
    if kind is None:
        note = f"its optimizer {type(optimizer).__name__} has no counterpart"
        return replace(network, notes=(*network.notes, note))
    return replace(network, trainer=kind, settings={"rate": float(f"{rate:.7g}")})


def read(path: Path, asked: Asked) -> Network:
    """Return the network of a `.keras` archive or of a file of weights."""
    with reading(path):
        path.open("rb").close()
    if path.name.endswith(".h5"):
        return network_of_arrays(_dense_arrays(path), asked, "Keras", transposed=True)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise FileError("unpacked, it has more than 2 GiB", file=str(path))
            config = json.loads(archive.read("config.json"))
            weights = io.BytesIO(archive.read("model.weights.h5"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise FileError(
            "is no model of Keras 3: it has no config.json and model.weights.h5", file=str(path)
        ) from None
    with _opened(weights, path) as file:
        return _network(config, _ordered(file), "Keras")


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
            what = {"0": "weight", "1": "bias"}.get(place, place)
            found[f"{layer}.{what}"] = item[()]

        file.visititems(visit)
    return found


def _ordered(file: Any) -> Arrays:
    """Return what finds a layer's arrays: called after its class, numbered within the class."""
    counts: dict[str, int] = {}

    def arrays(kind: str, name: str) -> list[Any]:
        snake = _snake(kind)
        number = counts.get(snake, 0)
        counts[snake] = number + 1
        stem = snake if not number else f"{snake}_{number}"
        for root in ("layers", "_layer_checkpoint_dependencies"):
            for called in (stem, name):
                path = f"{root}/{called}/vars"
                if path in file:
                    group = file[path]
                    return [group[key][()] for key in sorted(group, key=int)]
        return []

    return arrays


def _snake(name: str) -> str:
    text = re.sub(r"\W+", "", name)
    text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
    return re.sub("([a-z])([A-Z])", r"\1_\2", text).lower()


def _network(config: Mapping[str, Any], arrays: Arrays, format_: str) -> Network:
    layers = config["config"].get("layers")
    if not isinstance(layers, list):
        raise InterchangeError(f"the model ({config.get('class_name')}) has no list of layers")
    steps: list[Step] = []
    notes: list[str] = []
    inputs: int | None = None
    _refuse_branches(layers)
    for layer in layers:
        kind, about = layer["class_name"], layer["config"]
        name = about.get("name", kind.lower())
        if kind == "InputLayer":
            shape = about.get("batch_shape") or about.get("batch_input_shape")
            if shape and all(isinstance(size, int) for size in shape[1:]):
                inputs = int(np.prod(shape[1:]))
            continue
        if kind == "Lambda":
            steps.append(Missing(name, "Lambda", "it is code, and code of a file is never run"))
            continue
        steps += _steps(kind, name, about, arrays, notes)
    return Network(tuple(steps), format_, name=str(config["config"].get("name", "")),
                   inputs=inputs, notes=tuple(notes))  # fmt: skip


def _refuse_branches(layers: list[Any]) -> None:
    for layer in layers:
        nodes = layer.get("inbound_nodes")
        if isinstance(nodes, list) and len(nodes) > 1:
            name = layer["config"].get("name")
            raise InterchangeError(f"the layer '{name}' is used several times; layers are a chain")


def _steps(
    kind: str, name: str, about: Mapping[str, Any], arrays: Arrays, notes: list[str]
) -> list[Step]:
    if kind == "Dense":
        found = [as_floats(one, name, notes) for one in arrays(kind, name)]
        if not found or found[0].ndim != 2 or about.get("quantization_config"):
            return [Missing(name, "Dense", "its kernel is no plain matrix in the file")]
        steps: list[Step] = [Dense(name, found[0].T, found[1] if len(found) > 1 else None)]
        made = _activation(f"{name}_a", about.get("activation") or "linear", {})
        if isinstance(made, Missing) or made.kind != "identity":
            steps.append(made)
        return steps
    if kind == "BatchNormalization":
        return [_normalised(name, about, [as_floats(a, name, notes) for a in arrays(kind, name)])]
    if kind in _PASSED:
        arrays(kind, name)
        return []
    if kind == "Activation":
        return [_activation(name, about.get("activation"), {})]
    if kind in ("ReLU", "LeakyReLU", "ELU", "Softmax"):
        return [_activation(name, _snake(kind).replace("re_lu", "relu"), about)]
    arrays(kind, name)
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
    if kind == "leaky_relu":
        # As a function its slope is 0.2, as a layer 0.3.
        slope = float(about.get("negative_slope", 0.2))
        return activation(name, "leaky_relu", alpha=slope) or _unknown(name, kind)
    if kind in ("elu", "ELU"):
        return activation(name, "elu", alpha=float(about.get("alpha", 1.0))) or _unknown(name, kind)
    plain_relu = not about.get("negative_slope") and not about.get("threshold")
    if kind == "relu" and not (plain_relu and about.get("max_value") is None):
        return _unknown(name, "ReLU with a bound")
    if kind == "gelu":
        return _unknown(name, kind)
    known = _KINDS.get(kind)
    made = None if known is None else activation(name, known)
    return made or _unknown(name, kind)


def _unknown(name: str, kind: str) -> Missing:
    return Missing(name, kind, "nodeflow has no counterpart of it")


def _normalised(name: str, about: Mapping[str, Any], found: list[Floats]) -> Step:
    """Return batch normalisation in evaluation: (z − mean)/√(variance + ε)·γ + β."""
    wanted = 2 + bool(about.get("scale", True)) + bool(about.get("center", True))
    if len(found) != wanted:
        return Missing(name, "BatchNormalization", "its statistics are not in the file")
    *trained, mean, variance = found
    gamma = trained.pop(0) if about.get("scale", True) else np.ones_like(mean)
    beta = trained.pop(0) if about.get("center", True) else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + float(about.get("epsilon", 1e-3)))
    return Affine(name, scale, beta - mean * scale)


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


# --- out ------------------------------------------------------------------------------------------


def to_keras(graph: Graph, weights: Any = None) -> Any:
    """Return a Sequential of Keras with the layers and the weights of a graph, in float64."""
    network = layers_of(graph, weights)
    try:
        import keras
    except ImportError:
        raise InterchangeError(_MISSING) from None
    model = keras.Sequential([keras.Input((network.width,), dtype="float64")], name="nodeflow")
    arrays = []
    for step in network.steps:
        name = re.sub(r"[^A-Za-z0-9_]", "_", step.name)
        if isinstance(step, Dense):
            units, has_bias = len(step.weights), step.bias is not None
            model.add(keras.layers.Dense(units, use_bias=has_bias, dtype="float64", name=name))
            arrays += [step.weights.T, *([] if step.bias is None else [step.bias])]
        elif isinstance(step, Activation) and step.kind == "leaky_relu":
            model.add(keras.layers.LeakyReLU(negative_slope=0.01, dtype="float64", name=name))
        elif isinstance(step, Activation) and step.formula is None:
            kind = "linear" if step.kind == "identity" else step.kind
            model.add(keras.layers.Activation(kind, dtype="float64", name=name))
        else:
            raise InterchangeError(f"Keras has no layer like '{step.name}'")
    model.set_weights(arrays)
    return model
