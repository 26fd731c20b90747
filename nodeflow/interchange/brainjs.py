"""brain.js: the JSON of a trained `NeuralNetwork`.

Weights are (out, in) as here, one and the same activation in every layer, the output's too. Where
inputs or outputs were objects, their keys are names, in the order of `inputLookup`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow.errors import FileError, InterchangeError
from nodeflow.files.disk import reading
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.layers import Activation, Dense, Network, Step, activation, as_floats

_KINDS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "leaky-relu": "leaky_relu"}


def read(path: Path, _asked: Asked) -> Network:
    """Return the network of a file; raises `FileError`."""
    with reading(path):
        data = path.read_bytes()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise FileError("is no JSON", file=str(path)) from None
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
    options = {**found.get("options", {}), **found.get("trainOpts", {})}
    kind = options.get("activation", "sigmoid")
    if kind not in _KINDS:
        raise InterchangeError(f"brain.js has no activation '{kind}'")
    alpha = float(options.get("leakyReluAlpha", 0.01))
    steps: list[Step] = []
    notes: list[str] = []
    layers = found["layers"]
    for number, layer in enumerate(layers):
        if not layer.get("weights"):
            continue
        name = "output" if number == len(layers) - 1 else f"hidden{number}"
        weights = as_floats(layer["weights"], name, notes)
        bias = as_floats(layer["biases"], name, notes)
        steps.append(Dense(name, weights, bias))
        made = activation(f"{name}_a", _KINDS[kind], alpha=alpha)
        if made is not None:
            steps.append(made)
    if not steps:
        raise InterchangeError("the network of brain.js has no weights yet; train it first")
    rate = float(options.get("learningRate", 0.3))
    momentum = float(options.get("momentum", 0.1))
    notes.append(f"brain.js trained with rate {rate:g} and momentum {momentum:g} (not on biases)")
    return Network(
        tuple(steps), "brain.js", settings={"rate": rate}, batch=1, notes=tuple(notes),
        names=tuple(found.get("inputLookup") or ()),
    )  # fmt: skip


def write(network: Network) -> bytes:
    """Return the JSON that `new brain.NeuralNetwork().fromJSON(…)` takes.

    Raises `InterchangeError` where layers have unlike activations, or none.
    """
    dense: list[Dense] = []
    kinds: list[str] = []
    for step in network.steps:
        if isinstance(step, Dense):
            dense.append(step)
            kinds.append("identity")
        elif isinstance(step, Activation) and dense:
            kinds[-1] = step.kind
        else:
            raise InterchangeError(f"brain.js has nothing like '{step.name}'")
    names = {ours: theirs for theirs, ours in _KINDS.items()}
    if len(set(kinds)) != 1 or kinds[0] not in names:
        raise InterchangeError(
            f"brain.js has one activation for all layers ({', '.join(_KINDS)}), and the graph has "
            f"{', '.join(dict.fromkeys(kinds))}"
        )
    layers: list[dict[str, Any]] = [{"weights": [], "biases": []}]
    layers += [
        {
            "weights": step.weights.tolist(),
            "biases": [0.0] * len(step.weights) if step.bias is None else step.bias.tolist(),
        }
        for step in dense
    ]
    sizes = [dense[0].weights.shape[1], *(len(step.weights) for step in dense)]
    options = {
        "inputSize": sizes[0], "outputSize": sizes[-1], "binaryThresh": 0.5,
        "hiddenLayers": sizes[1:-1], "activation": names[kinds[0]],
    }  # fmt: skip
    document = {
        "type": "NeuralNetwork", "sizes": sizes, "layers": layers, "inputLookup": None,
        "inputLookupLength": 0, "outputLookup": None, "outputLookupLength": 0, "options": options,
        "trainOpts": {"activation": names[kinds[0]], "leakyReluAlpha": 0.01},
    }  # fmt: skip
    return (json.dumps(document) + "\n").encode()
