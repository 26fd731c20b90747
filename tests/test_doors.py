"""Networks in and out against the programs themselves: PyTorch, ONNX, Keras, scikit-learn, JAX."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import imported, layers_of
from nodeflow.interchange.building import ends_of, graph_of
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
    "softplus": "Softplus", "elu": "ELU", "selu": "SELU", "celu": "CELU", "silu": "SiLU",
    "gelu": "GELU", "softsign": "Softsign", "hard_sigmoid": "Hardsigmoid",
    "hard_tanh": "Hardtanh", "relu6": "ReLU6", "mish": "Mish", "log_sigmoid": "LogSigmoid",
    "hard_silu": "Hardswish", "tanhshrink": "Tanhshrink", "softshrink": "Softshrink",
}  # fmt: skip
LOSSES = {
    "": ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCEWithLogitsLoss",
         "CrossEntropyLoss"),
    "Sigmoid": ("BCELoss", "MSELoss", "HuberLoss"),
    "Softmax": ("MSELoss", "BCELoss"),
    "LogSoftmax": ("MSELoss", "L1Loss"),
}  # fmt: skip
"""Losses of PyTorch by what a network ends in."""


def keep(program, outputs, gradients=None):
    """Write down how far apart a network was, for `make doors`, which puts it into the docs."""
    figures = os.environ.get("NODEFLOW_DOORS_FIGURES")
    if figures:
        with Path(figures).open("a", encoding="utf-8") as file:
            file.write(json.dumps([program, float(outputs), gradients and float(gradients)]) + "\n")


def apart(one, other):
    """Return the largest difference, relative to the other's size where that is above 1."""
    return np.max(np.abs(one - other)) / max(1.0, float(np.abs(other).max()))


def shape(r):
    """Return widths from inputs to outputs: 1 to 40 wide, 1 to 5 deep."""
    return [int(n) for n in r.integers(1, 41, r.integers(2, 7))]


def module_of(r, kinds, *, ends=("",)):
    sizes, parts = shape(r), []
    for number, (into, out) in enumerate(pairwise(sizes)):
        parts.append(torch.nn.Linear(into, out, bias=bool(r.integers(2)), dtype=torch.float64))
        if number == len(sizes) - 2:
            break
        if r.integers(6) == 0:
            norm = torch.nn.BatchNorm1d(out, dtype=torch.float64)
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
            parts += [norm, torch.nn.Dropout(0.3)]
        parts.append(getattr(torch.nn, kinds[str(r.choice(list(kinds)))])())
    end = str(r.choice(ends))
    if end:
        parts.append(getattr(torch.nn, end)(*([-1] if "oftmax" in end else [])))
    return torch.nn.Sequential(*parts).eval(), sizes, end


@pytest.mark.parametrize("seed", range(TRIALS))
def test_modules_of_pytorch(seed):
    from nodeflow.interchange.torch import checked_against

    torch.manual_seed(seed)
    r = np.random.default_rng(seed)
    module, sizes, end = module_of(r, TORCH, ends=list(LOSSES))
    loss = getattr(torch.nn, str(r.choice(LOSSES[end])))()
    rows = torch.zeros(3, sizes[0], dtype=torch.float64)
    graph = nf.from_torch(module, rows, loss)
    found = verified(graph, "torch", checked_against(module, graph, loss=loss))
    # Above 20 the softplus of PyTorch is the identity, 2.1e-9 off; the slope of its hardsigmoid is
    # a float32's 1/6.
    rough = ("Softplus", "Hardsigmoid", "Hardswish", "Mish")
    close = not any(word in str(module) for word in rough)
    keep(f"torch{'' if close else ' rough'}", found.outputs, found.gradients)
    assert found.outputs <= (1e-12 if close else 1e-7)
    assert found.gradients <= (1e-10 if close else 1e-7)
    again = nf.to_torch(graph)
    x = torch.from_numpy(r.normal(size=(5, sizes[0])))
    assert again(x).detach().numpy() == pytest.approx(module(x).detach().numpy(), abs=1e-12)


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
    module, sizes, _ = module_of(np.random.default_rng(seed), plain)
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.float(), (torch.zeros(16, sizes[0]),), path, dynamo=False)
    found = imported(path)
    assert found.verified is not None
    keep("onnx in", found.verified.outputs)
    assert found.verified.outputs <= 2e-6 * max(1, _size(found.graph))


def _size(graph):
    return float(max(np.abs(np.asarray(layer.weights)).max() for layer in layers_of(graph).steps
                     if isinstance(layer, Dense))) * 10  # fmt: skip


ONNX_OWN = (
    "BatchNorm1d_3d_input_eval", "BatchNorm2d_eval", "BatchNorm3d_eval", "ELU", "LeakyReLU",
    "LeakyReLU_with_negval", "Linear", "Linear_no_bias", "LogSoftmax", "PReLU_1d", "ReLU", "SELU",
    "Sigmoid", "Softmax", "Softmin", "Softplus", "Softsign", "Tanh", "log_softmax_lastdim",
    "softmax_lastdim", "operator_addconstant", "operator_clip", "operator_exp", "operator_flatten",
    "operator_selu", "operator_sqrt",
)  # fmt: skip


@pytest.mark.parametrize("name", ONNX_OWN)
def test_files_that_onnx_itself_ships(name):
    """Models of many versions of PyTorch and ONNX, with rows and what comes out of them."""
    import onnx
    from onnx import numpy_helper

    kind = "operator" if name.startswith("operator") else "converted"
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    folder = data / f"pytorch-{kind}" / f"test_{name}"
    found = imported(folder / "model.onnx")
    assert not found.network.missing
    x, y = (numpy_helper.to_array(onnx.load_tensor(folder / "test_data_set_0" / f"{which}_0.pb"))
            for which in ("input", "output"))  # fmt: skip
    rows = x.reshape(len(x), -1).astype(float)
    run = nf.Run(found.graph.set("x", value=rows.tolist()), batch="all")
    run.evaluate()
    assert run[end_of(found.graph)] == pytest.approx(
        y.reshape(len(y), -1), abs=2e-6, rel=1e-6, nan_ok=True)  # fmt: skip


def test_files_of_onnx_with_what_has_no_counterpart():
    import onnx

    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for name, why in (("Conv1d", "convolution"), ("MaxPool1d", "pooling"),
                      ("Embedding", "look-up"), ("log_softmax_dim3", "")):  # fmt: skip
        found = imported(data / "pytorch-converted" / f"test_{name}" / "model.onnx")
        assert why in found.network.missing[0].why
        assert found.verified is None


def onnx_file(path, nodes, arrays, *, kind="FLOAT", inputs=(("x", [None, 3]),),
              outputs=(("y", "FLOAT"),)):  # fmt: skip
    """Write a model of operators and arrays, unchecked."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node(*node, **given) for node, given in nodes], "g",
        [helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
         for name, shape in inputs],
        [helper.make_tensor_value_info(name, getattr(TensorProto, type_), None)
         for name, type_ in outputs],
        [array if hasattr(array, "SerializeToString") else numpy_helper.from_array(array, name)
         for name, array in arrays.items()],
    )  # fmt: skip
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_classifiers_as_skl2onnx_writes_them(tmp_path):
    """A cast, (in, out) weights, 1 − p beside p, labels by an argmax, and shares by class."""
    r = np.random.default_rng(0)
    w1, b1 = r.normal(size=(3, 4)).astype("f"), r.normal(size=(1, 4)).astype("f")
    w2, b2 = r.normal(size=(4, 1)).astype("f"), r.normal(size=(1, 1)).astype("f")
    nodes = [
        (("Cast", ["x"], ["cast"]), {"to": 1}), (("MatMul", ["cast", "coefficient"], ["m"]), {}),
        (("Add", ["m", "intercepts"], ["a"]), {}), (("Tanh", ["a"], ["next"]), {}),
        (("MatMul", ["next", "coefficient1"], ["m1"]), {}),
        (("Add", ["m1", "intercepts1"], ["a1"]), {}), (("Sigmoid", ["a1"], ["p"]), {}),
        (("Sub", ["unity", "p"], ["rest"]), {}),
        (("Concat", ["rest", "p"], ["both"]), {"axis": 1}),
        (("ArgMax", ["both"], ["label"]), {"axis": 1}),
        (("ZipMap", ["both"], ["shares"]), {"classlabels_int64s": [0, 1], "domain": "ai.onnx.ml"}),
    ]  # fmt: skip
    arrays = {"coefficient": w1, "intercepts": b1, "coefficient1": w2, "intercepts1": b2,
              "unity": np.array([1], "f")}  # fmt: skip
    path = onnx_file(tmp_path / "m.onnx", nodes, arrays,
                     outputs=(("label", "INT64"), ("shares", "FLOAT")))  # fmt: skip
    found = imported(path)
    x = r.normal(size=(5, 3))
    run = nf.Run(found.graph.set("x", value=x.tolist()), batch="all")
    run.evaluate()
    p = 1 / (1 + np.exp(-(np.tanh(x @ w1 + b1) @ w2 + b2)))
    assert run[end_of(found.graph)] == pytest.approx(np.hstack([1 - p, p]), abs=1e-14)
    assert "of 2 outputs, 'shares' came in" in found.network.notes


def test_what_is_wrong_in_a_model_is_one_sentence(tmp_path):
    from onnx import TensorProto, helper

    w, b = np.ones((4, 3), "f"), np.zeros(4, "f")
    first = (("Gemm", ["x", "W", "b"], ["h"]), {"transB": 1, "name": "fc1"})
    last = (("Gemm", ["h", "V"], ["y"]), {"transB": 1, "name": "fc2"})
    cases = {
        "'fc2' takes 5 features, and what comes before it gives 4":
            ([first, last], {"W": w, "b": b, "V": np.ones((2, 5), "f")}),
        "'fc1' has 4 neurons and 7 biases":
            ([first, last], {"W": w, "b": np.zeros(7, "f"), "V": np.ones((2, 4), "f")}),
        "'fc1' holds NaN or Infinity":
            ([first, last], {"W": w * np.nan, "b": b, "V": np.ones((2, 4), "f")}),
        "the output 'y' is not made of any input by operators that are known":
            ([(("If", ["c"], ["y"]), {})], {"c": np.array(True)}),
    }  # fmt: skip
    for sentence, (nodes, arrays) in cases.items():
        with pytest.raises(nf.NodeflowError, match=sentence):
            imported(onnx_file(tmp_path / "m.onnx", nodes, arrays))
    with pytest.raises(nf.NodeflowError, match="the input 'x2' has 1 axis, and what comes in has"):
        imported(onnx_file(tmp_path / "m.onnx", [(("Add", ["x", "x2"], ["y"]), {})], {},
                           inputs=(("x", [None, 3]), ("x2", [3]))))  # fmt: skip
    odd = (("Frobnicate", ["h"], ["k"]), {"name": "odd", "domain": "my.own"})
    behind = (("Gemm", ["k", "V"], ["y"]), {"transB": 1, "name": "fc2"})
    arrays = {"W": w, "b": b, "V": np.ones((2, 4), "f")}
    found = imported(onnx_file(tmp_path / "m.onnx", [first, odd, behind], arrays))
    assert found.as_dict()["not_imported"] == [
        {"name": "odd", "what": "Frobnicate", "why": "nodeflow has no counterpart of it"}
    ]
    run = nf.Run(found.graph, strict=False)
    run.evaluate()
    assert run["fc1.z"].shape == (1, 4)
    # Other types of numbers are converted, and said; a number of columns may be left open.
    plain = [(("Gemm", ["x", "W"], ["y"]), {"transB": 1, "name": "fc1"})]
    half = imported(onnx_file(tmp_path / "m.onnx", plain, {"W": w.astype("f2")}, kind="FLOAT16",
                              inputs=(("x", ["rows", "columns"]),),
                              outputs=(("y", "FLOAT16"),)))  # fmt: skip
    assert half.network.notes == ("float16 was converted to float64",)
    short = helper.make_tensor("W", TensorProto.BFLOAT16, [4, 3], [0.5] * 12)
    assert imported(onnx_file(tmp_path / "m.onnx", plain, {"W": short})).network.notes == (
        "bfloat16 was converted to float64",
    )
    whole = imported(onnx_file(tmp_path / "m.onnx", plain, {"W": w.astype("i8")}, kind="INT64",
                               outputs=(("y", "INT64"),)))  # fmt: skip
    assert whole.network.notes == ("int64 was converted to float64",)
    assert whole.verified is None
    dropping = [first, (("Dropout", ["h", "r", "t"], ["y"]), {"name": "drop"})]
    training = imported(onnx_file(tmp_path / "m.onnx", dropping, {
        "W": w, "b": b, "r": np.array(0.5, "f"), "t": np.array(True)}))  # fmt: skip
    assert training.network.missing[0].why == "in training it draws at random"


def test_sample_inputs_of_an_exported_program_are_not_touched(tmp_path):
    import zipfile

    module = torch.nn.Linear(3, 2).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 3),)), tmp_path / "m.pt2")
    with (
        zipfile.ZipFile(tmp_path / "m.pt2") as old,
        zipfile.ZipFile(tmp_path / "n.pt2", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, b"no pickle" if "sample_inputs" in name else old.read(name))
    from nodeflow.interchange import Asked
    from nodeflow.interchange.torch import read

    network = read(tmp_path / "n.pt2", Asked())
    assert (network.steps[0].weights == module.weight.detach().numpy()).all()


def test_branches_of_keras_and_lambdas(tmp_path):
    import keras

    def saved(model):
        model.save(tmp_path / "m.keras")
        return imported(tmp_path / "m.keras")

    into = keras.Input((3,))
    one, two = keras.layers.Dense(3, name="one"), keras.layers.Dense(3, name="two")
    skip = saved(keras.Model(into, keras.layers.Add(name="sum")([into, one(into)])))
    assert skip.graph.nodes["sum"].type == "add"
    both = saved(keras.Model(into, [one(into), two(into)]))
    assert {"one.cost", "two.cost", "J"} <= both.graph.nodes.keys()
    for found in (skip, both):
        assert found.verified.outputs < 1e-6
        assert found.verified.gradients < 1e-6
    words = keras.layers.Embedding(9, 3, name="words")(into)
    added = keras.layers.Add(name="both")([words, keras.layers.Reshape((3, 1))(into)])
    stacked = saved(keras.Model(into, added))
    assert [(m.name, m.why) for m in stacked.network.missing] == [
        ("words", "nodeflow has no embedding"),
        ("both", "it joins values in a way that is not known here"),
    ]
    lambdas = saved(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2),
                                      keras.layers.Lambda(lambda z: z * 2)]))  # fmt: skip
    assert lambdas.network.missing[0].why == "it is code, and code of a file is never run"
    half = saved(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="float16")]))
    name = half.network.steps[0].name
    assert half.network.notes == (
        "float16 was converted to float64",
        f"'{name}' rounds to float16 there; here numbers stay as they are",
    )


def test_numbers_of_a_state_dictionary_are_converted_and_said(tmp_path):
    from nodeflow.interchange import Asked

    torch.save({"a.weight": torch.ones(2, 3, dtype=torch.int8),
                "a.bias": torch.zeros(2, dtype=torch.bfloat16)}, tmp_path / "w.pt")  # fmt: skip
    found = imported(tmp_path / "w.pt", asked=Asked((3, 2)))
    assert found.network.notes[:2] == ("int8 was converted to float64",
                                       "bfloat16 was converted to float64")  # fmt: skip


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
    ends = ("sigmoid", "softmax", "identity", "tanh")
    sizes = tuple(shape(r))
    end = str(r.choice(ends[: None if sizes[-1] > 1 else 1]))
    graph = network(sizes, activation=str(r.choice(kinds)), output=end, seed=seed)
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
    # Its slopes, as one training step that onnxruntime executes.
    y = r.uniform(size=(7, len(graph.settings("y")["value"][0])))
    y /= y.sum(axis=1, keepdims=True)
    fed = graph.set("x", value=x.tolist()).set("y", value=y.tolist())
    nf.export.export(fed, tmp_path / "step.onnx", backward=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "step.onnx"))
    run = nf.Run(fed, batch="all")
    run.evaluate()
    given = {one.name: run.weights[one.name] for one in session.get_inputs()
             if one.name in run.weights}  # fmt: skip
    names = [one.name for one in session.get_outputs()]
    made = session.run(None, {"x": x, "y": y, **given})
    slopes = 0.0
    for name, slope in zip(names, made, strict=True):
        if name.endswith(".gradient"):
            own = run.gradient(name.removesuffix("gradient") + "value")
            slopes = max(slopes, float(np.abs(slope - own).max()))
    keep("onnx out", again.verified.outputs, slopes)
    assert slopes <= 1e-10


KERAS_LOSSES = {
    "linear": ("mse", "mae", "huber", "log_cosh"),
    "sigmoid": ("binary_crossentropy", "mse"),
    "softmax": ("categorical_crossentropy",),
}


@pytest.mark.parametrize("seed", range(TRIALS))
def test_models_of_keras(seed, tmp_path):
    import keras

    r = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    sizes = shape(r)
    kinds = ["sigmoid", "tanh", "relu", "softplus", "elu", "selu", "silu", "softsign", "gelu",
             "hard_sigmoid", "linear", "leaky_relu", "mish", "celu", "relu6"]  # fmt: skip
    end = str(r.choice(list(KERAS_LOSSES)[: 3 if sizes[-1] > 1 else 2]))
    model = keras.Sequential([keras.Input((sizes[0],))])
    if r.integers(3) == 0:
        model.add(keras.layers.Rescaling(0.5, 0.25))
    for number, units in enumerate(sizes[1:], 2):
        kind = end if number == len(sizes) else str(r.choice(kinds))
        model.add(keras.layers.Dense(units, activation=kind, use_bias=bool(r.integers(2))))
        if number < len(sizes) and r.integers(4) == 0:
            model.add(keras.layers.BatchNormalization())
    # Outputs stay off 0 and 1: there Keras clips them, and its slopes are 0.
    model.set_weights([
        r.normal(0, 1 / np.sqrt(len(w)), w.shape) if w.ndim == 2 else r.uniform(0.1, 0.9, w.shape)
        for w in model.get_weights()
    ])  # fmt: skip
    model.compile("adam", loss=str(r.choice(KERAS_LOSSES[end])))
    path = tmp_path / "m.keras"
    model.save(path)
    found = imported(path)
    graph = nf.from_keras(model)
    x = r.uniform(-1, 1, (4, sizes[0]))
    y = r.uniform(0.1, 0.9, (4, sizes[-1]))
    y /= y.sum(axis=1, keepdims=True)
    expected = keras.ops.convert_to_numpy(model(x))
    model.compute_loss(x, torch.from_numpy(y), model(x, training=False)).backward()
    slopes = 0.0
    for one in (found.graph, graph):
        fed = one.set("x", value=x.tolist()).set("y", value=y.tolist())
        run = nf.Run(fed, batch="all")
        run.evaluate()
        assert run[end_of(one)] == pytest.approx(expected, rel=2e-5, abs=1e-5)
        for layer in (part for part in model.layers if hasattr(part, "kernel")):
            slope = layer.kernel.value.grad.numpy().T
            size = max(1.0, float(np.abs(slope).max()))
            own = run.gradient(f"{layer.name}.weight.value")
            assert own == pytest.approx(slope, abs=2e-4 * size), model.loss
            slopes = max(slopes, float(np.abs(own - slope).max()) / size)
    assert found.verified is not None
    keep("keras", apart(run[end_of(graph)], expected), slopes)
    again = nf.to_keras(graph)
    assert keras.ops.convert_to_numpy(again(x)) == pytest.approx(expected, rel=2e-5, abs=1e-5)


def test_keras_out_and_in_again(tmp_path):
    graph = network((3, 4, 2), activation="leaky_relu", output="softmax")
    model = nf.to_keras(graph)
    again = nf.from_keras(model)
    ours = [s for s in layers_of(graph).steps if isinstance(s, Dense)]
    theirs = [s for s in layers_of(again).steps if isinstance(s, Dense)]
    assert all((a.weights == b.weights).all() for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("seed", range(TRIALS))
def test_networks_of_scikit_learn(seed):
    """Outputs and gradients of random networks, of classes, numbers and several yes and no."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    r = np.random.default_rng(seed)
    sizes, rows = shape(r), 12
    kind = str(r.choice(["identity", "logistic", "tanh", "relu"]))
    x = r.normal(size=(rows, sizes[0]))
    task = str(r.choice(["two", "several", "many", "numbers", "poisson"]))
    classes = {"two": r.integers(0, 2, rows), "several": np.arange(rows) % 4,
               "many": r.integers(0, 2, (rows, 3)), "numbers": r.normal(size=(rows, sizes[-1])),
               "poisson": r.uniform(size=rows)}[task]  # fmt: skip
    about = {"hidden_layer_sizes": sizes[1:-1] or [3], "activation": kind, "max_iter": 3,
             "batch_size": rows, "alpha": 0.1, "solver": "sgd", "learning_rate_init": 1e-4,
             "random_state": seed}  # fmt: skip
    if task in ("numbers", "poisson"):
        loss = "poisson" if task == "poisson" else "squared_error"
        estimator = MLPRegressor(loss=loss, **about)
    else:
        estimator = MLPClassifier(**about)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(x, classes)
    graph = nf.from_sklearn(estimator)
    y = np.asarray(classes, float).reshape(rows, -1)
    if task == "several":
        y = np.eye(4)[classes]
    run = nf.Run(graph.set("x", value=x.tolist()).set("y", value=y.tolist()), batch="all")
    run.evaluate()
    predict = "predict" if task in ("numbers", "poisson") else "predict_proba"
    expected = getattr(estimator, predict)(x).reshape(rows, -1)
    expected = expected[:, -1:] if run[end_of(graph)].shape[1] == 1 else expected
    assert run[end_of(graph)] == pytest.approx(expected, abs=1e-12)
    values = [x, *(np.empty((rows, len(b))) for b in estimator.intercepts_)]
    deltas = [np.empty_like(one) for one in values[1:]]
    slopes = [np.empty_like(w) for w in estimator.coefs_]
    biases = [np.empty_like(b) for b in estimator.intercepts_]
    _, slopes, biases = estimator._backprop(x, y, None, values, deltas, slopes, biases)
    dense = sorted(graph.of_type("weighted_sum"), key=lambda key: (key == "output", key))
    off = max(float(np.abs(run.gradient(f"{key}.weight.value") - slope.T).max())
              for key, slope in zip(dense, slopes, strict=True))  # fmt: skip
    keep("sklearn", np.abs(run[end_of(graph)] - expected).max(), off)
    for key, slope, bias in zip(dense, slopes, biases, strict=True):
        assert run.gradient(f"{key}.weight.value") == pytest.approx(slope.T, abs=1e-10)
        assert run.gradient(f"{key}.bias.value") == pytest.approx(bias, abs=1e-10)
    if task in ("two", "several", "numbers"):
        again = nf.to_sklearn(graph)
        assert getattr(again, predict)(x) == pytest.approx(
            getattr(estimator, predict)(x), abs=1e-15)  # fmt: skip


def test_linear_models_of_scikit_learn():
    from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier

    r = np.random.default_rng(0)
    x, classes = r.normal(size=(50, 4)), r.integers(0, 3, 50)
    for estimator, predict in ((LogisticRegression(), "predict_proba"),
                               (LinearRegression(), "predict"),
                               (SGDClassifier(), "decision_function")):  # fmt: skip
        estimator.fit(x, classes)
        graph = nf.from_sklearn(estimator)
        run = nf.Run(graph.set("x", value=x.tolist()), batch="all")
        run.evaluate()
        expected = getattr(estimator, predict)(x).reshape(50, -1)
        assert run[end_of(graph)] == pytest.approx(expected, abs=1e-12)


def test_gelu_by_erf_goes_through_all_doors(tmp_path):
    import keras
    import onnxruntime

    torch.manual_seed(0)
    parts = (torch.nn.Linear(3, 40), torch.nn.GELU(), torch.nn.Linear(40, 1))
    module = torch.nn.Sequential(*parts).double().eval()
    x = np.random.default_rng(0).normal(0, 9, (50, 3))
    expected = module(torch.from_numpy(x)).detach().numpy()
    graph = nf.from_torch(module, torch.zeros(2, 3, dtype=torch.float64))
    run = nf.Run(graph.set("x", value=x.tolist()), batch="all")
    run.evaluate()
    assert run[end_of(graph)] == pytest.approx(expected, abs=1e-13)
    nf.export.export(graph, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    assert session.run(None, {"x": x})[0] == pytest.approx(expected, abs=1e-13)
    given = keras.ops.convert_to_numpy(nf.to_keras(graph)(x))
    assert given == pytest.approx(expected, abs=1e-5)
    assert nf.to_torch(graph)(torch.from_numpy(x)).detach().numpy() == pytest.approx(
        expected, abs=1e-14)  # fmt: skip


def test_pytorch_out_and_in_again():
    graph = network((3, 4, 2), activation="tanh", output="softmax")
    module = nf.to_torch(graph)
    again = nf.from_torch(module, torch.zeros(2, 3, dtype=torch.float64))
    for example in (np.zeros((2, 3), np.float32), [[0, 0, 0], [1, 1, 1]]):
        assert nf.from_torch(module, example) == again
    ours = [s for s in layers_of(graph).steps if isinstance(s, Dense)]
    theirs = [s for s in layers_of(again).steps if isinstance(s, Dense)]
    assert all((a.weights == b.weights).all() for a, b in zip(ours, theirs, strict=True))
    assert all((a.bias == b.bias).all() for a, b in zip(ours, theirs, strict=True))


MERGES = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate", "Dot")


def branching_model(r):
    """Return a model of two inputs whose layers branch and join, share weights and hold models."""
    import keras
    from keras import layers

    width = int(r.integers(2, 6))
    inputs = [keras.Input((int(r.integers(1, 6)),), name=name) for name in ("left", "right")]
    inner_in = keras.Input((width,))
    inner = keras.Model(inner_in, layers.Add()([inner_in, layers.Dense(width)(inner_in)]))
    shared = layers.Dense(width, activation="tanh", use_bias=bool(r.integers(2)))
    values = [layers.Dense(width, activation="softplus")(one) for one in inputs]
    for _ in range(int(r.integers(3, 8))):
        one, other = (values[int(place)] for place in r.permutation(len(values))[:2])
        match int(r.integers(7)):
            case 0:
                values.append(shared(one))
            case 1:
                values.append(inner(one))
            case 2:
                values.append(layers.LayerNormalization()(one))
            case 3:
                values.append(keras.ops.tanh(one) * 2 + other[:, 1:2])
            case _:
                kind = str(r.choice(MERGES))
                made = getattr(layers, kind)
                whole = made(axes=1, normalize=bool(r.integers(2))) if kind == "Dot" else made()
                values.append(layers.Dense(width)(whole([one, other])))
    whole = layers.Dense(2, name="first")(layers.Concatenate()([*values[:2], values[-1]]))
    rest = layers.Dense(1, name="second")(values[-2])
    return keras.Model(inputs, [whole, rest] if r.integers(2) else whole)


def computed(graph, model, given):
    """Return what a graph gives for the rows of a model's inputs."""
    for one in model.inputs:
        graph = graph.set(one.name, value=given[one.name].tolist())
    run = nf.Run(graph, batch="all")
    run.evaluate()
    return [run[end] for end in ends_of(graph)]


@pytest.mark.parametrize("seed", range(max(4, TRIALS // 4)))
def test_models_of_keras_that_branch_and_join(seed, tmp_path):
    import keras

    r = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = branching_model(r)
    model.compile("sgd", loss=["mse"] * len(model.outputs))
    model.save(tmp_path / "m.keras")
    found = imported(tmp_path / "m.keras")
    assert not found.network.missing
    assert found.verified.outputs < 1e-4
    assert found.verified.gradients < 1e-3
    given = {one.name: r.normal(size=(5, one.shape[1])) for one in model.inputs}
    expected = [keras.ops.convert_to_numpy(one) for one in
                keras.tree.flatten(model([given[one.name] for one in model.inputs]))]  # fmt: skip
    own = computed(found.graph, model, given)
    again = nf.to_keras(found.graph)
    keras_again = keras.tree.flatten(again([given[one.name] for one in again.inputs]))
    module = nf.to_torch(found.graph)
    torch_again = module(*(torch.from_numpy(given[one.name]) for one in again.inputs))
    torch_again = torch_again if isinstance(torch_again, tuple) else (torch_again,)
    for want, *others in zip(expected, own, keras_again, torch_again, strict=True):
        for other in others:
            there = other.detach().numpy() if hasattr(other, "detach") else other
            assert there == pytest.approx(want, abs=1e-4, rel=1e-4)
    # Torch computes in double precision, and what it has comes in again.
    rows = tuple(torch.from_numpy(given[one.name]) for one in again.inputs)
    theirs = nf.from_torch(module, rows)
    for key, row in zip(theirs.of_type("constant"), rows, strict=False):
        if key.startswith("inputs"):
            theirs = theirs.set(key, value=row.tolist())
    run = nf.Run(theirs, batch="all")
    run.evaluate()
    for end, one in zip(ends_of(theirs), torch_again, strict=True):
        assert run[end] == pytest.approx(one.detach().numpy(), abs=1e-12, rel=1e-12)
    again.save(tmp_path / "again.keras")
    assert imported(tmp_path / "again.keras").verified.outputs < 1e-4
