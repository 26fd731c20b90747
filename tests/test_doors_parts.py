"""Parts of real models and files of real programs: right, or one sentence that says the way."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import Asked, imported
from nodeflow.interchange.building import inputs_of

os.environ.setdefault("KERAS_BACKEND", "torch")
with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch
    from torch import nn

pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime", "keras", "sklearn"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                               "ignore::UserWarning"),
]  # fmt: skip
ASKED = Asked((4, 5, 3), "tanh")


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).eval()


def exported(tmp_path, module, rows):
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(module.eval(), (rows,)), path)
    return imported(path)


@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.", "model.", "_orig_mod.module."])
@pytest.mark.parametrize("inside", ["", "state_dict", "model_state_dict"])
def test_weights_come_out_of_wrappers_and_checkpoints(tmp_path, wrapper: str, inside: str) -> None:
    """Weights of DataParallel, torch.compile and Lightning have a word before their names."""
    module = network()
    state = {f"{wrapper}{key}": value for key, value in module.state_dict().items()}
    if inside:
        optimizer = torch.optim.Adam(module.parameters())
        module(torch.ones(1, 4)).sum().backward()
        optimizer.step()
        state = {f"{wrapper}{key}": value for key, value in module.state_dict().items()}
        state = {"epoch": 3, inside: state, "optimizer_state_dict": optimizer.state_dict()}
    path = tmp_path / ("net.ckpt" if inside == "state_dict" else "net.pt")
    torch.save(state, path)
    found = imported(path, asked=ASKED)
    own = nf.Run(found.graph).weights
    assert set(own) == {f"layer{at}.{what}.value" for at in (0, 2) for what in ("weight", "bias")}
    for key, value in module.state_dict().items():
        assert np.array_equal(own[f"layer{key}.value"], value.double().numpy())
    said = [f"the weights are those that the checkpoint holds as '{inside}'"] if inside else []
    assert list(found.network.notes)[: len(said)] == said


def test_of_several_dictionaries_of_weights_none_is_guessed(tmp_path) -> None:
    state = network().state_dict()
    torch.save({"model": state, "ema": state}, tmp_path / "net.pt")
    with pytest.raises(nf.NodeflowError, match=r"several dictionaries of weights \(model, ema\)"):
        imported(tmp_path / "net.pt", asked=ASKED)


def test_code_of_torchscript_is_never_run(tmp_path) -> None:
    """And what the sentence proposes does work."""
    path = tmp_path / "net.pt"
    torch.jit.trace(network(), torch.ones(2, 4)).save(path)
    with pytest.raises(nf.NodeflowError, match="TorchScript archive, which is code"):
        imported(path, asked=ASKED)
    torch.save(torch.jit.load(path).state_dict(), tmp_path / "weights.pt")
    assert imported(tmp_path / "weights.pt", asked=ASKED).network.format == "PyTorch"


class Turned(nn.Module if "nn" in globals() else object):
    """Weights (in, out), as GPT-2 in transformers has them."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(into, out))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x):
        shape = (*x.shape[:-1], self.bias.shape[0])
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(shape)


@pytest.mark.parametrize("sizes", [(4, 6, 3), (4, 4, 4)])
def test_weights_that_are_turned_over_are_verified_as_the_source_has_them(tmp_path, sizes) -> None:
    """Their slopes were compared without being turned over: a ValueError of NumPy."""
    torch.manual_seed(0)
    module = nn.Sequential(Turned(*sizes[:2]), nn.GELU("tanh"), Turned(*sizes[1:]))
    found = exported(tmp_path, module, torch.randn(8, sizes[0]))
    assert found.verified.outputs < 1e-14
    assert found.verified.gradients < 1e-14


@pytest.mark.parametrize("epsilon", [None, 1e-2])
def test_normalisation_by_size_is_made_of_nodes(tmp_path, epsilon) -> None:
    """Of PyTorch, taken apart as in Llama and T5, of Keras and of ONNX."""
    import keras
    import onnx
    import onnx.reference
    from onnx import TensorProto, helper

    class Apart(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.linspace(0.5, 2, 4))

        def forward(self, x):
            size = x.pow(2).mean(-1, keepdim=True) + (epsilon or 1e-6)
            return self.weight * (x * torch.rsqrt(size))

    norm = nn.RMSNorm(4, eps=epsilon)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, 4))
    for module in (norm, Apart()):
        found = exported(tmp_path, nn.Sequential(module, nn.Linear(4, 2)), torch.randn(8, 4))
        assert found.verified.outputs < 1e-6
        assert not found.network.missing
    layer = keras.layers.RMSNormalization(epsilon=epsilon or 1e-6)
    keras.Sequential([keras.Input((4,)), layer]).save(tmp_path / "net.keras")
    assert imported(tmp_path / "net.keras").verified.outputs < 1e-6
    made = helper.make_node("RMSNormalization", ["x", "scale"], ["y"], epsilon=epsilon or 1e-5)
    values = [helper.make_tensor_value_info(one, TensorProto.FLOAT, ["n", 4]) for one in "xy"]
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [4], [0.5, 1.0, 1.5, 2.0])
    graph = helper.make_graph([made], "one", values[:1], values[1:], [scale])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
    onnx.save(model, tmp_path / "net.onnx")
    found = imported(tmp_path / "net.onnx")  # onnxruntime has no kernel for it
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    wanted = onnx.reference.ReferenceEvaluator(model).run(None, {"x": rows})[0]
    run = nf.Run(found.graph.set("x", value=rows.tolist()), batch="all")
    run.evaluate()
    assert np.abs(run[end_of(found.graph)] - wanted).max() < 1e-6


def test_where_keras_gives_nan_slopes_they_are_not_compared(tmp_path, capsys) -> None:
    """A row of zeros in a UnitNormalization: findings/keras-normalize-zeros.sh."""
    import keras

    from nodeflow.cli import main

    layers = [keras.Input((4,)), keras.layers.Dense(3, use_bias=False, name="d"),
              keras.layers.Rescaling(0.0), keras.layers.UnitNormalization()]  # fmt: skip
    path = tmp_path / "net.keras"
    keras.Sequential(layers).save(path)
    found = imported(path)
    assert found.verified.outputs == 0
    assert found.verified.gradients is None
    assert found.verified.unlike == "d.weight"
    assert main(["import", str(path), "-o", str(tmp_path / "net.json")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "slopes were not compared: there those of d.weight are NaN" in said


@pytest.mark.parametrize("scaler", ["Standard", "MinMax", "MaxAbs", "Robust"])
def test_a_pipeline_is_its_scaler_and_its_network(scaler: str) -> None:
    from sklearn import preprocessing
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    r = np.random.default_rng(0)
    x, y = 5 + 3 * r.normal(size=(60, 4)), r.integers(0, 3, 60)
    made = getattr(preprocessing, f"{scaler}Scaler")()
    pipeline = make_pipeline(made, MLPClassifier((5,), max_iter=5)).fit(x, y)
    graph = nf.from_sklearn(pipeline).set("x", value=x.tolist())
    run = nf.Run(graph, batch="all")
    run.evaluate()
    assert np.abs(run[end_of(graph)] - pipeline.predict_proba(x)).max() < 1e-14


def test_what_a_pipeline_does_besides_is_refused() -> None:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    r = np.random.default_rng(0)
    pipeline = make_pipeline(PCA(2), LogisticRegression())
    pipeline.fit(r.normal(size=(20, 4)), np.arange(20) % 2)
    with pytest.raises(nf.NodeflowError, match="has a PCA before its network"):
        nf.from_sklearn(pipeline)


def onnx_model(tmp_path, nodes, width=3, opset=21, **arrays):
    """Write a model of operators from x to y, in float32."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    values = [helper.make_tensor_value_info(one, TensorProto.FLOAT, ["n", width]) for one in "xy"]
    made = [helper.make_node(kind, takes.split(), gives.split()) for kind, takes, gives in nodes]
    tensors = [numpy_helper.from_array(np.array(array), name) for name, array in arrays.items()]
    graph = helper.make_graph(made, "one", values[:1], values[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    return imported(path)


def test_a_softplus_by_a_choice_is_a_softplus(tmp_path) -> None:
    """PyTorch's newer exporter writes it as the identity above 20, and log(1 + e^z) below."""
    nodes = [
        ("Exp", "x", "power"), ("Add", "power one", "more"), ("Log", "more", "log"),
        ("Greater", "x twenty", "far"), ("Where", "far x log", "y"),
    ]  # fmt: skip
    found = onnx_model(tmp_path, nodes, one=np.float32(1), twenty=np.float32(20))
    assert [node.type for node in found.graph.nodes.values()].count("softplus") == 1
    assert found.verified.outputs < 1e-6


def test_choices_come_in_where_both_sides_are_finite(tmp_path) -> None:
    class Choosing(nn.Module):
        def forward(self, x):
            return torch.where(x > 0.5, x, torch.where(x <= -0.5, 3.0, x * x))

    class Never(nn.Module):
        def forward(self, x):
            return torch.where(x > 0.5, torch.exp(-x), torch.exp(x))  # e^800 · 0 is no number

    rows = torch.linspace(-1, 1, 24).reshape(8, 3)
    assert exported(tmp_path, Choosing(), rows).verified.outputs < 1e-15
    missing = exported(tmp_path, Never(), rows).network.missing
    assert [one.what for one in missing] == ["where"]


def test_operators_that_stand_in_no_order_are_put_in_order(tmp_path) -> None:
    """onnxruntime's converter to float16 writes its casts behind those that take them."""
    nodes = [("Tanh", "b", "y"), ("Neg", "x", "a"), ("Exp", "a", "b")]
    found = onnx_model(tmp_path, nodes)
    run = nf.Run(found.graph.set("x", value=[[0.5, -0.25, 2.0]]), batch="all")
    run.evaluate()
    wanted = np.tanh(np.exp([[-0.5, 0.25, -2.0]]))
    assert np.abs(run[end_of(found.graph)] - wanted).max() < 1e-15
    circle = [("Add", "x b", "a"), ("Neg", "a", "b"), ("Neg", "b", "y")]
    with pytest.raises(nf.NodeflowError, match="in a circle"):
        onnx_model(tmp_path, circle)


def test_a_quantised_pair_holds_values_within_its_limits(tmp_path) -> None:
    """A quantiser leaves a relu out where the least whole number stands for 0."""
    nodes = [("QuantizeLinear", "x scale zero", "q"), ("DequantizeLinear", "q scale zero", "y")]
    about = {"scale": np.float32(0.001), "zero": np.uint8(0)}
    found = onnx_model(tmp_path, nodes, **about)
    assert found.verified.outputs < 0.0006  # half a scale
    run = nf.Run(found.graph.set("x", value=[[-0.5, 0.1, 2.0]]), batch="all")
    run.evaluate()
    limit = 255 * float(np.float32(0.001))
    assert run[end_of(found.graph)].tolist() == [[0.0, 0.1, pytest.approx(limit, rel=1e-12)]]
    assert "rounds to whole multiples of a scale there" in found.network.notes[-1]
    other = [nodes[0], ("DequantizeLinear", "q other zero", "y")]
    missing = onnx_model(tmp_path, other, **about, other=np.float32(0.5)).network.missing
    assert missing
    assert {one.why for one in missing} == {
        "it computes with quantised numbers; import the model as it was before"
    }


def test_a_model_in_the_older_form_of_keras_comes_in_whole(tmp_path) -> None:
    """model.save("NAME.h5"): its configuration lies beside the weights."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    z = layers.BatchNormalization()(layers.Dense(5, "elu", name="hidden")(x))
    model = keras.Model(x, layers.Add()([layers.Dense(3)(z), layers.Dense(3)(z)]))
    model.compile(keras.optimizers.SGD(0.25), "mse")
    model.save(tmp_path / "net.h5")
    found = imported(tmp_path / "net.h5")
    rows = np.random.default_rng(0).normal(size=(6, 4))
    run = nf.Run(found.graph.set(inputs_of(found.network)[0], value=rows.tolist()), batch="all")
    run.evaluate()
    wanted = keras.ops.convert_to_numpy(model(rows))
    assert np.abs(run[end_of(found.graph)] - wanted).max() < 1e-6
    assert found.graph.settings("train")["rate"] == 0.25
    model.save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(nf.NodeflowError, match="give --layers"):
        imported(tmp_path / "net.weights.h5")


@pytest.mark.parametrize(
    ("text", "why"),
    [('{"modelTopology": {}, "weightsManifest": []}', "tensorflowjs_converter"),
     ('{"class_name": "Sequential", "config": {}}', "without its weights"),
     ('{"format": "nodeflow", "nodes": {}}', "a graph of nodeflow already")],
)  # fmt: skip
def test_json_of_other_programs_is_told_apart(tmp_path, text: str, why: str) -> None:
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(nf.NodeflowError, match=why):
        imported(tmp_path / "net.json")


def older_keras(path, layers, arrays) -> None:
    """Write a Sequential as Keras 2.15 wrote it: words, names and places are its own."""
    import json

    import h5py

    rows = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "x"}}
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [rows, *layers]}}
    trained = {"class_name": "Custom>SGD", "config": {"learning_rate": 0.25, "momentum": 0.0}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["training_config"] = json.dumps({"loss": "mse", "optimizer_config": trained})
        weights = file.create_group("model_weights")
        for layer, some in arrays.items():
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in some]
            for name, array in some.items():
                group[f"{layer}/{name}:0"] = array


def outputs_for(found, rows):
    run = nf.Run(found.graph.set(inputs_of(found.network)[0], value=rows.tolist()), batch="all")
    run.evaluate()
    return run[end_of(found.graph)]


@pytest.mark.parametrize("kind", ["hard_sigmoid", "LeakyReLU", "BatchNormalization", "lists"])
def test_words_of_keras_2_have_the_meaning_that_they_had(tmp_path, kind: str) -> None:
    """Keras 3 itself takes the hard sigmoid of such a file for its own, which has another slope."""
    import json

    import h5py

    r = np.random.default_rng(0)
    kernel, bias = r.normal(size=(3, 2)), r.normal(size=2)
    rows = r.normal(size=(6, 3))
    z = rows @ kernel + bias
    dense = {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "linear"}}
    arrays = {"dense": {"kernel": kernel, "bias": bias}}
    layers = [dense]
    wanted = np.clip(0.2 * z + 0.5, 0, 1)
    if kind == "LeakyReLU":
        layers.append({"class_name": kind, "config": {"name": "act", "alpha": 0.30000001192092896}})
        wanted = np.where(z > 0, z, 0.3 * z)
    elif kind == "BatchNormalization":
        about = {"name": "norm", "axis": [1], "epsilon": 0.001, "center": True, "scale": True}
        layers.append({"class_name": kind, "config": about})
        gamma, beta, mean, variance = r.uniform(0.5, 2, (4, 2))
        arrays["norm"] = {"gamma": gamma, "beta": beta, "moving_mean": mean,
                          "moving_variance": variance}  # fmt: skip
        wanted = gamma * (z - mean) / np.sqrt(variance + 0.001) + beta
    else:
        dense["config"]["activation"] = "hard_sigmoid"
    path = tmp_path / "net.h5"
    older_keras(path, layers, arrays)
    if kind == "lists":  # before 2.2.3 the configuration of a Sequential was the list of its layers
        with h5py.File(path, "a") as file:
            config = json.loads(file.attrs["model_config"])
            config["config"] = config["config"]["layers"]
            file.attrs["model_config"] = json.dumps(config)
            trained = {"class_name": "SGD", "config": {"lr": 0.25, "decay": 0.1}}
            file.attrs["training_config"] = json.dumps({"loss": "mse", "optimizer_config": trained})
    found = imported(path)
    assert np.abs(outputs_for(found, rows) - wanted).max() < 1e-14
    assert found.graph.settings("train")["rate"] == 0.25
    said = "Its hard sigmoid is that of Keras 2" in found.graph.about
    assert said == (kind in ("hard_sigmoid", "lists"))
    assert ("the decay of its optimizer is left out" in found.network.notes) == (kind == "lists")
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = "3.15.1"
    if kind == "hard_sigmoid":
        assert np.abs(outputs_for(imported(path), rows) - np.clip(z / 6 + 0.5, 0, 1)).max() < 1e-14


def test_keras_3_is_not_asked_about_a_hard_sigmoid_of_keras_2(tmp_path) -> None:
    import json
    import zipfile

    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "hard_sigmoid")])
    model.save(tmp_path / "new.keras")
    old = tmp_path / "old.keras"
    with zipfile.ZipFile(tmp_path / "new.keras") as source, zipfile.ZipFile(old, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "metadata.json":
                data = json.dumps({**json.loads(data), "keras_version": "2.15.0"}).encode()
            target.writestr(name, data)
    assert imported(tmp_path / "new.keras").verified.outputs < 1e-6
    found = imported(old)
    assert found.verified is None
    assert found.unverified == "Keras 3 takes its hard sigmoid for another one"
    rows = np.random.default_rng(0).normal(size=(4, 3))
    kernel, bias = model.get_weights()
    wanted = np.clip(0.2 * (rows @ kernel + bias) + 0.5, 0, 1)
    assert np.abs(outputs_for(found, rows) - wanted).max() < 1e-14


@pytest.mark.parametrize(
    ("name", "given"),
    [("gelu", {}), ("gelu", {"approximate": False}), ("leaky_relu", {}),
     ("leaky_relu", {"negative_slope": 0.1}), ("elu", {"alpha": 0.5}), ("celu", {"alpha": 2.0}),
     ("soft_shrink", {}), ("hard_shrink", {"threshold": 1.0}), ("hard_tanh", {}),
     ("clip", {"x_min": -1.0, "x_max": 0.5}), ("expm1", {})],
)  # fmt: skip
def test_operations_of_keras_with_settings(name: str, given) -> None:
    """`keras.ops.gelu` is by tanh unless it is told otherwise; a layer's is the exact one."""
    import keras

    rows = np.linspace(-3, 3, 12).reshape(4, 3)
    x = keras.Input((3,), dtype="float64")
    model = keras.Model(x, getattr(keras.ops, name)(x, **given))
    graph = nf.from_keras(model)
    (at,) = [key for key in graph.nodes if graph.nodes[key].type == "constant" and key != "y"]
    run = nf.Run(graph.set(at, value=rows.tolist()), batch="all")
    run.evaluate()
    assert np.abs(run[end_of(graph)] - keras.ops.convert_to_numpy(model(rows))).max() < 1e-7


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_what_keras_divides_in_its_categorical_cross_entropy_is_said(activation: str) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation)])
    model.compile("sgd", "categorical_crossentropy")
    said = "Keras divides the outputs by their sum" in nf.from_keras(model).about
    assert said == (activation == "sigmoid")


def linear_models():
    """Return linear models of scikit-learn by name, with what their outputs are and the cost."""
    from sklearn import linear_model as linear
    from sklearn.cross_decomposition import PLSRegression

    r = np.random.default_rng(0)
    x = r.normal(size=(60, 4))
    three, two = np.digitize(x[:, 1], [-0.5, 0.5]), (x[:, 0] > 0).astype(int)
    y = x @ np.arange(4.0) + 0.1

    def each(model):
        return 1 / (1 + np.exp(-model.decision_function(x)))

    return {
        "one against the rest": (linear.SGDClassifier(loss="log_loss"), three, each,
                                 "cross_entropy"),
        "the usual shares": (linear.LogisticRegression(), three,
                             lambda model: model.predict_proba(x), "categorical_cross_entropy"),
        "one sigmoid": (linear.SGDClassifier(loss="log_loss"), two, each, "cross_entropy"),
        "shares by cutting off": (linear.SGDClassifier(loss="modified_huber"), two,
                                  lambda model: model.decision_function(x), "squared_error"),
        "a logarithm as link": (linear.PoissonRegressor(), np.abs(y),
                                lambda model: model.predict(x), "expression"),
        "features that are centred": (PLSRegression(2), np.c_[y, -y] + x[:, :2],
                                      lambda model: model.predict(x), "squared_error"),
        "numbers": (linear.Ridge(), y, lambda model: model.predict(x), "squared_error"),
    }, x  # fmt: skip


@pytest.mark.parametrize("name", [
    "one against the rest", "the usual shares", "one sigmoid", "shares by cutting off",
    "a logarithm as link", "features that are centred", "numbers"])  # fmt: skip
def test_linear_models_are_asked_what_they_predict(name: str) -> None:
    """Several classes were taken for a softmax, and a logarithm as link for none."""
    models, x = linear_models()
    model, y, outputs, cost = models[name]
    model.fit(x, y)
    graph = nf.from_sklearn(model)
    run = nf.Run(graph.set("x", value=x.tolist()), batch="all")
    run.evaluate()
    found = run[end_of(graph)]
    assert np.abs(found - np.reshape(outputs(model), found.shape)).max() < 1e-9
    assert graph.nodes["cost"].type == cost
    assert ("predict_proba" in graph.about) == (name in ("one against the rest",
                                                         "shares by cutting off"))  # fmt: skip


def test_what_predicts_otherwise_than_its_weights_is_refused() -> None:
    from sklearn.linear_model import Ridge

    class Squared(Ridge):
        def predict(self, rows):
            return super().predict(rows) ** 2

    model = Squared().fit(np.eye(3), [1.0, 2.0, 4.0])
    with pytest.raises(nf.NodeflowError, match="a Squared predicts something else than its weig"):
        nf.from_sklearn(model)
