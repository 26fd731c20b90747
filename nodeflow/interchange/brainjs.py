"""brain.js: the JSON of a trained `NeuralNetwork`, of version 1 (which npm installs) and of 2.

In version 1 a layer is a dictionary of nodes, each with a bias and its weights by the names of the
nodes before it; in version 2 it has a matrix, (out, in) as here, and a list. One and the same
activation stands in every layer, the output's too. Where inputs or outputs were objects, their keys
are names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.folding import folded, layers_with_activation
from nodeflow.interchange.layers import Activation, Dense, Network, Step, activation, as_floats
from nodeflow.interchange.naming import known
from nodeflow.jsontext import json_of

_ALPHA = 0.01


_OTHERS = {
    "modelTopology": "is a model of TensorFlow.js; its program tensorflowjs_converter makes a file "
    "of Keras of it, which comes in: --input_format=tfjs_layers_model --output_format=keras "
    "model.json NAME.h5",
    "class_name": "is the configuration of a Keras model without its weights; save it whole: "
    "model.save('NAME.keras')",
    "nodes": "is a graph of nodeflow already: open it",
}
"""JSON of other programs, by a key that it has, and what to do with it."""


def read(path: Path, _asked: Asked) -> Network:
    """Return the network of a file; raises `FileError`."""
    with reading(path):
        data = path.read_bytes()
    try:
        found = json_of(data)
    except ValueError:
        raise FileError("is no JSON", file=str(path)) from None
    other = next((why for key, why in _OTHERS.items() if isinstance(found, dict) and key in found),
                 None)  # fmt: skip
    if other is not None:
        raise FileError(other, file=str(path))
    if not isinstance(found, dict) or not isinstance(found.get("layers"), list):
        raise FileError(
            "is no network of brain.js: it has no layers; save network.toJSON() of a NeuralNetwork",
            file=str(path),
        )
    try:
        return _network(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"is no network of brain.js that is known here ({type(error).__name__}: {error})",
            file=str(path),
        ) from None


def _network(found: Mapping[str, Any]) -> Network:
    options = {**found, **found.get("options", {}), **found.get("trainOpts", {})}
    kind = options.get("activation", "sigmoid")
    if kind not in known("brain.js"):
        raise InterchangeError(f"brain.js has no activation '{kind}'")
    alpha = float(options.get("leakyReluAlpha", _ALPHA))
    steps: list[Step] = []
    notes: list[str] = []
    layers = found["layers"]
    first = not any("biases" in layer for layer in layers)
    for number, layer in enumerate(layers):
        name = "output" if number == len(layers) - 1 else f"hidden{number}"
        if first:
            weights, bias = _of_nodes(layer, layers[number - 1]) if number else ([], [])
        else:
            weights, bias = layer.get("weights"), layer.get("biases")
        if not weights:
            continue
        steps.append(Dense(name, as_floats(weights, name, notes), as_floats(bias, name, notes)))
        steps.append(_activation(f"{name}_a", kind, alpha, first=first))
    if not steps:
        raise InterchangeError("the network of brain.js has no weights yet; train it first")
    rate = float(options.get("learningRate", 0.3))
    momentum = float(options.get("momentum", 0.1))
    notes.append(f"brain.js trained with rate {rate:g} and momentum {momentum:g} (not on biases)")
    inputs = layers[0] if first and found.get("inputLookup") else found.get("inputLookup")
    names = tuple(map(str, inputs)) if isinstance(inputs, Mapping) else ()
    return Network(
        tuple(steps), "brain.js", settings={"rate": rate}, batch=1, notes=tuple(notes),
        names=names,
    )  # fmt: skip


def _of_nodes(layer: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return weights and biases of a layer of version 1, in the order of its nodes."""
    rows = [[node["weights"][key] for key in before] for node in layer.values()]
    return rows, [node["bias"] for node in layer.values()]


def _activation(name: str, kind: str, alpha: float, *, first: bool) -> Activation:
    if kind == "leaky-relu" and first:
        # In version 1 it is 0 below 0, and leaks above.
        return Activation(name, formula=f"{alpha!r} * max(z, 0)")
    made = activation(name, known("brain.js")[kind], alpha=alpha)
    if made is None:
        raise InterchangeError(f"brain.js has no activation '{kind}'")
    return made


def write(network: Network, *, version: int = 1) -> bytes:
    """Return the JSON that `new brain.NeuralNetwork().fromJSON(…)` of a version takes.

    Raises `InterchangeError` where layers have unlike activations, or none.
    """
    dense: list[Dense] = []
    kinds: list[str] = []
    for step, after in layers_with_activation(folded(network, "brain.js"), "brain.js"):
        dense.append(step)
        kinds.append("identity" if after is None else _kind_out(after, version))
    names = {ours: theirs for theirs, ours in known("brain.js").items()}
    if len(set(kinds)) != 1 or kinds[0] not in names:
        raise InterchangeError(
            f"brain.js has one activation for all layers ({', '.join(names.values())}), and the "
            f"graph has {', '.join(dict.fromkeys(kinds))}; .onnx and .keras keep one for each layer"
        )
    made = _first if version == 1 else _second
    return (json.dumps(made(dense, names[kinds[0]])) + "\n").encode()


def _kind_out(step: Activation, version: int) -> str:
    leaks = f"{_ALPHA!r} * max(z, 0)"
    if version == 1:
        if step.formula == leaks:
            return "leaky_relu"
        if step.kind == "leaky_relu":
            raise InterchangeError(
                "the leaky relu of brain.js 1 is 0 below 0 and leaks above; version 2 has the "
                "usual one (--for brainjs2)"
            )
    return step.kind or "a formula"


def _sizes(dense: list[Dense]) -> list[int]:
    return [int(dense[0].weights.shape[1]), *(len(step.weights) for step in dense)]


def _bias(step: Dense) -> list[float]:
    return [0.0] * len(step.weights) if step.bias is None else [float(b) for b in step.bias]


def _first(dense: list[Dense], kind: str) -> dict[str, Any]:
    sizes = _sizes(dense)
    layers: list[dict[str, Any]] = [{str(place): {} for place in range(sizes[0])}]
    layers += [
        {
            str(place): {"bias": bias, "weights": {str(at): w for at, w in enumerate(row)}}
            for place, (row, bias) in enumerate(
                zip(step.weights.tolist(), _bias(step), strict=True)
            )
        }
        for step in dense
    ]
    return {"sizes": sizes, "layers": layers, "outputLookup": False, "inputLookup": False,
            "activation": kind, "trainOpts": {}}  # fmt: skip


def _second(dense: list[Dense], kind: str) -> dict[str, Any]:
    sizes = _sizes(dense)
    layers: list[dict[str, Any]] = [{"weights": [], "biases": []}]
    layers += [{"weights": step.weights.tolist(), "biases": _bias(step)} for step in dense]
    options = {
        "inputSize": sizes[0], "outputSize": sizes[-1], "binaryThresh": 0.5,
        "hiddenLayers": sizes[1:-1], "activation": kind,
    }  # fmt: skip
    return {
        "type": "NeuralNetwork", "sizes": sizes, "layers": layers, "inputLookup": None,
        "inputLookupLength": 0, "outputLookup": None, "outputLookupLength": 0, "options": options,
        # It takes no network without all of these.
        "trainOpts": {
            "activation": kind, "iterations": 20000, "errorThresh": 0.005, "log": False,
            "logPeriod": 10, "leakyReluAlpha": _ALPHA, "learningRate": 0.3, "momentum": 0.1,
            "callbackPeriod": 10, "timeout": "Infinity", "beta1": 0.9, "beta2": 0.999,
            "epsilon": 1e-8,
        },
    }  # fmt: skip
