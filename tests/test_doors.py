"""Networks in and out against the programs themselves: PyTorch, ONNX, Keras, scikit-learn, JAX."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.interchange import imported, layers_of
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.layers import Dense
from nodeflow.interchange.verifying import verified
from nodeflow.networks import network

os.environ.setdefault("KERAS_BACKEND", "torch")
with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch

pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime", "keras", "sklearn", "jax"),
    # What these programs say to their own developers is theirs.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

TRIALS = int(os.environ.get("NODEFLOW_DOORS", "6"))
"""Random networks of each program; `make doors` tries 200."""
TORCH = {
    "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "leaky_relu": "LeakyReLU",
    "softplus": "Softplus", "elu": "ELU", "selu": "SELU", "silu": "SiLU", "softsign": "Softsign",
    "hard_sigmoid": "Hardsigmoid", "hard_tanh": "Hardtanh", "relu6": "ReLU6", "mish": "Mish",
    "log_sigmoid": "LogSigmoid",
}  # fmt: skip


def shape(r):
    """Return widths from inputs to outputs: 1 to 40 wide, 1 to 5 deep."""
    return [int(n) for n in r.integers(1, 41, r.integers(2, 7))]


def module_of(r, kinds):
    sizes, parts = shape(r), []
    for number, (into, out) in enumerate(pairwise(sizes)):
        parts.append(torch.nn.Linear(into, out, bias=bool(r.integers(2)), dtype=torch.float64))
        last = number == len(sizes) - 2
        if last and r.integers(2):
            continue
        if not last and r.integers(6) == 0:
            norm = torch.nn.BatchNorm1d(out, dtype=torch.float64)
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
            parts += [norm, torch.nn.Dropout(0.3)]
        parts.append(getattr(torch.nn, kinds[str(r.choice(list(kinds)))])())
    return torch.nn.Sequential(*parts).eval(), sizes


@pytest.mark.parametrize("seed", range(TRIALS))
def test_modules_of_pytorch(seed):
    from nodeflow.interchange.torch import checked_against

    torch.manual_seed(seed)
    module, sizes = module_of(np.random.default_rng(seed), TORCH)
    graph = nf.from_torch(module, torch.zeros(3, sizes[0], dtype=torch.float64))
    found = verified(graph, "torch", checked_against(module, graph))
    # Above 20 the softplus of PyTorch is the identity, 2.1e-9 off; the slope of its hardsigmoid is
    # a float32's 1/6.
    close = not any(word in str(module) for word in ("Softplus", "Hardsigmoid"))
    assert found.outputs <= (1e-12 if close else 1e-7)
    assert found.gradients <= (1e-10 if close else 1e-7)


def test_exported_programs_are_read_without_their_pickles(tmp_path):
    torch.manual_seed(0)
    parts = [torch.nn.Flatten(), torch.nn.Linear(6, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3),
             torch.nn.Softmax(-1)]  # fmt: skip
    module = torch.nn.Sequential(*parts).eval()
    path = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(module, (torch.zeros(5, 2, 3),)), path)
    found = imported(path)
    assert found.as_dict()["layers"] == [6, 4, 3]
    assert found.graph.nodes["cost"].type == "categorical_cross_entropy"


def test_training_mode_and_convolutions(tmp_path):
    norm = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    with pytest.raises(nf.NodeflowError, match=r"call module\.eval\(\) first"):
        nf.from_torch(norm, torch.zeros(4, 2))
    parts = [torch.nn.Linear(4, 9), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 3, 3)),
             torch.nn.Conv2d(1, 2, 2), torch.nn.Flatten(), torch.nn.Linear(8, 2)]  # fmt: skip
    from nodeflow.interchange.torch import network_of

    found = network_of(torch.nn.Sequential(*parts).eval(), torch.zeros(2, 4))
    assert [one.what for one in found.missing] == ["unflatten", "conv2d"]
    run = nf.Run(graph_of(found), strict=False)
    run.evaluate()
    assert run["layer0.z"].shape == (1, 9)


def test_a_state_dictionary_goes_through_the_reader_of_weights(tmp_path):
    from nodeflow.interchange import Asked

    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    torch.save(module.state_dict(), tmp_path / "w.pt")
    found = imported(tmp_path / "w.pt", asked=Asked((3, 4, 2), "tanh"))
    x = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3)
    end = next(w.start for w in found.graph.into("cost") if w.input == "a")
    run = nf.Run(found.graph.set("x", value=x.tolist()), batch="all")
    run.evaluate()
    assert run[end] == pytest.approx(module.double()(x).detach().numpy(), abs=1e-14)
    torch.save(module, tmp_path / "whole.pt")
    with pytest.raises(nf.NodeflowError, match="never opened"):
        imported(tmp_path / "whole.pt", asked=Asked((3, 4, 2), "tanh"))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_models_of_onnx(seed, tmp_path):
    torch.manual_seed(seed)
    plain = {kind: TORCH[kind] for kind in ("sigmoid", "tanh", "relu", "leaky_relu", "elu",
                                            "softsign", "selu", "hard_sigmoid")}  # fmt: skip
    module, sizes = module_of(np.random.default_rng(seed), plain)
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.float(), (torch.zeros(16, sizes[0]),), path, dynamo=False)
    found = imported(path)
    assert found.verified is not None
    assert found.verified.outputs <= 2e-6 * max(1, _size(found.graph))


def _size(graph):
    return float(max(np.abs(np.asarray(layer.weights)).max() for layer in layers_of(graph).steps
                     if isinstance(layer, Dense))) * 10  # fmt: skip


def test_external_data_of_onnx(tmp_path):
    import onnx

    module = torch.nn.Sequential(torch.nn.Linear(40, 40), torch.nn.Sigmoid())
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(1, 40),), path, dynamo=False)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="m.onnx.data", size_threshold=0)
    assert imported(path).as_dict()["layers"] == [40, 40]
    (tmp_path / "m.onnx.data").unlink()
    with pytest.raises(nf.NodeflowError, match=r"lie in m\.onnx\.data, which is not there"):
        imported(path)


@pytest.mark.parametrize("seed", range(TRIALS))
def test_onnx_out_is_what_onnxruntime_computes(seed, tmp_path):
    import onnxruntime

    r = np.random.default_rng(seed)
    kinds = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus")
    graph = network(tuple(shape(r)), activation=str(r.choice(kinds)), seed=seed)
    path = tmp_path / "m.onnx"
    nf.export.export(graph, path)
    session = onnxruntime.InferenceSession(str(path))
    width = len(graph.settings("x")["value"][0])
    x = r.normal(size=(7, width))
    run = nf.Run(graph.set("x", value=x.tolist()), batch="all")
    run.evaluate()
    end = next(w.start for w in graph.into("cost") if w.input == "a")
    assert session.run(None, {"x": x})[0] == pytest.approx(run[end], abs=1e-12)
    again = imported(path)
    assert again.verified.outputs <= 1e-12


@pytest.mark.parametrize("seed", range(TRIALS))
def test_models_of_keras(seed, tmp_path):
    import keras

    r = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    sizes = shape(r)
    kinds = ["sigmoid", "tanh", "relu", "softplus", "elu", "selu", "silu", "softsign",
             "hard_sigmoid", "linear", "leaky_relu"]  # fmt: skip
    model = keras.Sequential([keras.Input((sizes[0],))])
    for units in sizes[1:]:
        model.add(keras.layers.Dense(units, activation=str(r.choice(kinds)),
                                     use_bias=bool(r.integers(2))))  # fmt: skip
        if r.integers(4) == 0:
            model.add(keras.layers.BatchNormalization())
    model.set_weights([r.uniform(0.1, 0.9, w.shape) - 0.3 * (w.ndim == 2)
                       for w in model.get_weights()])  # fmt: skip
    path = tmp_path / "m.keras"
    model.save(path)
    found = imported(path)
    graph = nf.from_keras(model)
    x = r.uniform(-1, 1, (4, sizes[0]))
    expected = keras.ops.convert_to_numpy(model(x))
    for one in (found.graph, graph):
        end = next(w.start for w in one.into("cost") if w.input == "a")
        run = nf.Run(one.set("x", value=x.tolist()), batch="all")
        run.evaluate()
        assert run[end] == pytest.approx(expected, rel=2e-5, abs=1e-5)
    assert found.verified is not None


def test_keras_out_and_in_again(tmp_path):
    graph = network((3, 4, 2), activation="leaky_relu", output="softmax")
    model = nf.to_keras(graph)
    again = nf.from_keras(model)
    ours = [s for s in layers_of(graph).steps if isinstance(s, Dense)]
    theirs = [s for s in layers_of(again).steps if isinstance(s, Dense)]
    assert all((a.weights == b.weights).all() for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["identity", "logistic", "tanh", "relu"])
def test_networks_of_scikit_learn(seed, kind):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    r = np.random.default_rng(seed)
    x, classes = r.normal(size=(50, 4)), r.integers(0, 2 + seed % 2, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = [
            (MLPClassifier((5, 3), activation=kind, max_iter=10).fit(x, classes), "predict_proba"),
            (MLPRegressor(hidden_layer_sizes=(4,), activation=kind, max_iter=10).fit(x, x[:, 0]),
             "predict"),
            (LogisticRegression().fit(x, classes), "predict_proba"),
        ]  # fmt: skip
    for estimator, predict in made:
        graph = nf.from_sklearn(estimator)
        end = next(w.start for w in graph.into("cost") if w.input == "a")
        run = nf.Run(graph.set("x", value=x.tolist()), batch="all")
        run.evaluate()
        expected = getattr(estimator, predict)(x).reshape(50, -1)
        expected = expected[:, -1:] if run[end].shape[1] == 1 else expected
        assert run[end] == pytest.approx(expected, abs=1e-12)
        if predict == "predict" or hasattr(estimator, "coefs_"):
            back = nf.to_sklearn(graph)
            assert getattr(back, predict)(x) == pytest.approx(getattr(estimator, predict)(x),
                                                              abs=1e-15)  # fmt: skip


def test_pytorch_out_and_in_again():
    graph = network((3, 4, 2), activation="tanh", output="softmax")
    module = nf.to_torch(graph)
    again = nf.from_torch(module, torch.zeros(2, 3, dtype=torch.float64))
    ours = [s for s in layers_of(graph).steps if isinstance(s, Dense)]
    theirs = [s for s in layers_of(again).steps if isinstance(s, Dense)]
    assert all((a.weights == b.weights).all() for a, b in zip(ours, theirs, strict=True))
    assert all((a.bias == b.bias).all() for a, b in zip(ours, theirs, strict=True))
