"""Files as Keras 2.15 writes them, made here of the same parts: JSON and arrays by layer."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import Asked, imported

with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import h5py

pytestmark = pytest.mark.programs("keras")

X = np.array([[0.5, -1.0, 2.0], [-3.0, 0.25, 0.125]])
W, V = np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(1, -2, 8).reshape(4, 2)
B = np.array([0.5, -0.25, 0.0, 1.0])


def layer(kind, name, takes=None, **about):
    """Return a layer of a configuration; `takes` are layers by name, or a call as it is written."""
    found = {"class_name": kind, "config": {"name": name, **about}, "name": name}
    if takes is not None:
        calls = [[[one, 0, 0, {}] for one in takes]] if isinstance(takes[0], str) else takes
        found["inbound_nodes"] = calls
    return found


def function(name, call, path):
    """Return a function of TensorFlow between layers; `path` is what it is called there."""
    return layer("TFOpLambda", name, [call], function=path)


def written(path, config, weights, *, version="2.15.0", training=None):
    """Write a model in the older form: `weights` are arrays by layer and by name."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        for name, arrays in weights.items():
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = list(arrays)
            for key, array in arrays.items():
                group[key] = np.asarray(array)
    return imported(path)


def given(found):
    """Return what comes out for X."""
    run = nf.Run(found.graph.set("x", value=X.tolist()), batch="all")
    run.evaluate()
    return run[end_of(found.graph)]


def row(*layers, **about):
    """Return the configuration of layers in a row."""
    first = layer("InputLayer", "input_1", batch_input_shape=[None, 3])
    return {"class_name": "Sequential", "config": {"name": "row", "layers": [first, *layers]}}


DENSE = layer("Dense", "d", units=4, use_bias=True, activation="linear")
DENSE_WEIGHTS = {"d": {"d/kernel:0": W, "d/bias:0": B}}
Z = X @ W + B
BENT = {
    "hard sigmoid": (layer("Activation", "a", activation="hard_sigmoid"),
                     np.clip(0.2 * Z + 0.5, 0, 1)),
    "leaky": (layer("LeakyReLU", "a", alpha=0.3), np.where(Z > 0, Z, 0.3 * Z)),
    "begins later": (layer("ThresholdedReLU", "a", theta=0.75), np.where(Z > 0.75, Z, 0)),
    "ends": (layer("ReLU", "a", max_value=0.5, negative_slope=0.0, threshold=0.0),
             np.clip(Z, 0, 0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", BENT)
def test_activations_are_those_of_keras_2(name, tmp_path) -> None:
    """Its hard sigmoid has the slope 0.2, Keras 3's 1/6; LeakyReLU's setting has another name."""
    bent, wanted = BENT[name]
    found = written(tmp_path / "m.h5", row(DENSE, bent), DENSE_WEIGHTS)
    assert given(found) == pytest.approx(wanted, abs=1e-15)
    if name == "hard sigmoid":
        newer = written(tmp_path / "m.h5", row(DENSE, bent), DENSE_WEIGHTS, version="3.15.1")
        assert given(newer) == pytest.approx(np.clip(Z / 6 + 0.5, 0, 1), abs=1e-15)


def test_axes_are_lists_and_optimizers_have_another_name(tmp_path) -> None:
    norm = layer("BatchNormalization", "n", axis=[1], epsilon=0.001, center=True, scale=True)
    parts = dict(zip(("gamma", "beta", "moving_mean", "moving_variance"),
                     np.linspace(0.5, 2, 16).reshape(4, 4), strict=True))  # fmt: skip
    weights = {**DENSE_WEIGHTS, "n": {f"n/{key}:0": value for key, value in parts.items()}}
    said = {"loss": "mse", "optimizer_config": {"class_name": "Custom>SGD", "config": {
        "learning_rate": 0.05, "momentum": 0.9, "nesterov": False}}}  # fmt: skip
    found = written(tmp_path / "m.h5", row(DENSE, norm), weights, training=said)
    deviation = np.sqrt(parts["moving_variance"] + 0.001)
    wanted = (Z - parts["moving_mean"]) / deviation * parts["gamma"] + parts["beta"]
    assert given(found) == pytest.approx(wanted, abs=1e-14)
    train = found.graph.settings("train")
    assert (train["rate"], train["momentum"]) == (0.05, 0.9)


def test_functions_of_tensorflow_stand_between_layers(tmp_path) -> None:
    """`2 - tf.nn.relu(d) * d / 3` is four of them."""
    layers = [
        layer("InputLayer", "input_1", batch_input_shape=[None, 3]),
        layer("Dense", "d", ["input_1"], activation="linear"),
        function("relu", ["d", 0, 0, {"name": None}], "nn.relu"),
        function("product", ["relu", 0, 0, {"y": ["d", 0, 0], "name": None}], "math.multiply"),
        function("third", ["product", 0, 0, {"y": 3.0, "name": None}], "math.truediv"),
        function("rest", ["_CONSTANT_VALUE", -1, 2.0, {"y": ["third", 0, 0], "name": None}],
                 "math.subtract"),
    ]  # fmt: skip

    def model(end):
        return {"class_name": "Functional", "config": {
            "name": "m", "layers": layers, "input_layers": [["input_1", 0, 0]],
            "output_layers": [[end, 0, 0]]}}  # fmt: skip

    found = written(tmp_path / "m.h5", model("rest"), DENSE_WEIGHTS)
    assert given(found) == pytest.approx(2 - np.maximum(Z, 0) * Z / 3, abs=1e-14)
    odd = function("odd", ["third", 0, 0, {"name": None}], "linalg.trace")
    layers.append(odd)
    (missing,) = written(tmp_path / "m.h5", model("odd"), DENSE_WEIGHTS).network.missing
    assert (missing.what, missing.why) == ("linalg.trace", "nodeflow has no counterpart of it")


def test_models_in_models_have_their_weights_in_one_row(tmp_path) -> None:
    inner = row(DENSE, layer("Dense", "e", activation="tanh", use_bias=False))
    inner["config"]["name"] = "inner"
    found = written(tmp_path / "m.h5", row(inner), {"inner": {
        "d/kernel:0": W, "d/bias:0": B, "e/kernel:0": V}})  # fmt: skip
    assert given(found) == pytest.approx(np.tanh(Z @ V), abs=1e-15)


def test_a_row_of_layers_was_a_list(tmp_path) -> None:
    """Before Keras 2.2.3."""
    first = layer("Dense", "d", activation="sigmoid", batch_input_shape=[None, 3])
    config = {"class_name": "Sequential", "config": [first]}
    found = written(tmp_path / "m.h5", config, DENSE_WEIGHTS, version="2.1.6")
    assert given(found) == pytest.approx(1 / (1 + np.exp(-Z)), abs=1e-15)


def test_weights_alone(tmp_path) -> None:
    """`model.save_weights("NAME.h5")` has the same groups, and no configuration."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["keras_version"] = b"2.15.0"
        for name, array in (("d/d/kernel:0", W), ("d/d/bias:0", B), ("e/e/kernel:0", V)):
            file[name] = array
    found = imported(tmp_path / "m.h5", asked=Asked((3, 4, 2), "tanh"))
    assert given(found) == pytest.approx(np.tanh(Z) @ V, abs=1e-15)
