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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.graph import Graph
from nodeflow.interchange.asked import Asked, network_of_arrays
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.chain import ANY, layers_of
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Cost,
    Dense,
    Floats,
    Missing,
    Network,
    Step,
    activation,
    as_floats,
    cost_of,
    kind_of,
)
from nodeflow.interchange.naming import known, named

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
    return with_compiled(network, _compiled(model))


def _compiled(model: Any) -> dict[str, Any]:
    """Return what a live model was compiled with, as its file would say it."""
    optimizer, loss = getattr(model, "optimizer", None), getattr(model, "loss", None)
    if loss is not None and hasattr(loss, "get_config"):
        # What a loss keeps for its function is not all in its configuration.
        about = {**loss.get_config(), **getattr(loss, "_fn_kwargs", {})}
        loss = {"class_name": type(loss).__name__, "config": about}
    if optimizer is not None:
        about = {**optimizer.get_config(), "learning_rate": np.asarray(optimizer.learning_rate)}
        optimizer = {"class_name": type(optimizer).__name__, "config": about}
    return {"optimizer": optimizer, "loss": loss}


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
        network = _network(config, _ordered(file), "Keras")
    return with_compiled(network, config.get("compile_config") or {})


_LOSSES = {
    "mae": "absolute_error", "mean_absolute_error": "absolute_error",
    "huber": "huber", "log_cosh": "log_cosh", "logcosh": "log_cosh", "poisson": "poisson",
}  # fmt: skip
"""Costs that the library has no type for, by Keras' names."""


def with_compiled(network: Network, said: Mapping[str, Any]) -> Network:
    """Return the network with the cost and the trainer that a model was compiled with."""
    notes = list(network.notes)
    network = replace(network, cost=_cost(said.get("loss"), notes))
    optimizer = said.get("optimizer")
    if isinstance(optimizer, Mapping):
        name, about = str(optimizer.get("class_name")), optimizer.get("config") or {}
        network = _with_optimizer(network, name, about, notes)
    return replace(network, notes=tuple(notes))


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
    left = [key for key in ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema")
            if about.get(key)]  # fmt: skip
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
    joined = _joined(config["config"], layers)
    for layer in layers:
        kind, about = layer["class_name"], layer["config"]
        name = about.get("name", kind.lower())
        if name in joined:
            steps.append(Missing(name, kind, "it joins values, and layers are a chain"))
            continue
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


def _joined(about: Mapping[str, Any], layers: list[Any]) -> set[str]:
    """Return the layers of a functional model that join values; raises `InterchangeError`.

    A layer that does not take the value of the one before it is a branch.
    """
    joined = set()
    before = ""
    for layer in layers:
        name = str(layer["config"].get("name"))
        sources = [one for node in layer.get("inbound_nodes") or () for one in _sources(node)]
        if len(set(sources)) > 1:
            joined.add(name)
        elif sources and sources[0] != before:
            raise InterchangeError(
                f"the layer '{name}' takes the value of '{sources[0]}', which is not the layer "
                "before it; what comes in is a chain of layers"
            )
        before = name
    ends = about.get("output_layers")
    if isinstance(ends, list) and ends:
        ends = [one[0] for one in ends] if isinstance(ends[0], list) else ends[:1]
        if ends != [before]:
            raise InterchangeError(
                f"the model's outputs are {', '.join(map(str, ends))}; a chain of layers ends in "
                f"'{before}'"
            )
    return joined


def _sources(node: Any) -> list[str]:
    """Return the names of the layers whose values go into a call of a layer."""
    if isinstance(node, Mapping):
        history = (node.get("config") or {}).get("keras_history") if isinstance(
            node.get("config"), Mapping) else None  # fmt: skip
        if isinstance(history, list) and history:
            return [str(history[0])]
        return [one for part in node.values() for one in _sources(part)]
    if isinstance(node, list | tuple):
        return [one for part in node for one in _sources(part)]
    return []


def _steps(
    kind: str, name: str, about: Mapping[str, Any], arrays: Arrays, notes: list[str]
) -> list[Step]:
    left = [what for what in ("kernel_regularizer", "bias_regularizer") if about.get(what)]
    notes += [f"the {what} of {name} is left out" for what in left]
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
    if kind in ("Rescaling", "Normalization"):
        return [_rescaled(kind, name, about, arrays(kind, name))]
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
    if kind == "gelu" and about.get("approximate"):
        kind = "gelu_tanh"
    if kind in ("celu", "soft_shrink", "hard_shrink"):
        alpha = about.get("alpha" if kind == "celu" else "threshold")
        given = {"alpha": float((1.0 if kind == "celu" else 0.5) if alpha is None else alpha)}
        return activation(name, kind.replace("_", ""), **given) or _unknown(name, kind)
    ours = {**_KINDS, **known("keras")}.get(kind)
    made = None if ours is None else activation(name, ours)
    return made or _unknown(name, kind)


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


def checked_against(model: Any, graph: Graph) -> Any:
    """Return what sends rows through a model, for `verified`: outputs, and gradients of kernels.

    Gradients are asked of PyTorch where Keras computes by it. The cost is the graph's own, which
    is compared with Keras' in the tests: the loss of a file may be code.
    """
    import keras

    kind = graph.nodes["cost"].type
    slopes = keras.backend.backend() == "torch" and kind == "squared_error"

    def other(x: Floats, y: Floats) -> tuple[Floats, Mapping[str, Floats] | None]:
        out = model(x, training=False)
        found = np.asarray(keras.ops.convert_to_numpy(out), np.float64)
        if not slopes:
            return found, None
        half = 0.5 if graph.settings("cost")["half"] else 1.0
        share = 1 / out.shape[1] if "loss" in graph.nodes else 1.0
        kind_of_numbers = keras.backend.standardize_dtype(out.dtype)
        target = keras.ops.convert_to_tensor(y.astype(kind_of_numbers))
        (share * half * ((out - target) ** 2).sum(1).mean()).backward()
        made = {}
        for layer in model.layers:
            for what, name in (("kernel", "weight"), ("bias", "bias")):
                variable, key = getattr(layer, what, None), f"{layer.name}.{name}"
                slope = None if variable is None else variable.value.grad
                if slope is not None and key in graph.nodes:
                    made[key] = slope.detach().numpy().T.astype(np.float64)
        return found, made

    return other


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
        elif isinstance(step, Affine):
            scale, offset = step.scale.tolist(), step.shift.tolist()
            model.add(keras.layers.Rescaling(scale, offset, dtype="float64", name=name))
        else:
            made = _layer(keras.layers, step, name) if isinstance(step, Activation) else None
            if made is None:
                what = step.formula if isinstance(step, Activation) else type(step).__name__
                raise InterchangeError(f"Keras has no layer like '{step.name}' ({what}); {ANY}")
            model.add(made)
    model.set_weights(arrays)
    return model


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
