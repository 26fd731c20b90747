"""Parts of real models and files of real programs: right, or one sentence that says the way."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import Asked, imported

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
