"""Choices of the larger or the smaller of two, softmaxes that were taken apart, leaks by feature.

Their numbers are those of the program that they come from or go to, and so are their slopes where
two values are equal.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import imported

os.environ.setdefault("KERAS_BACKEND", "torch")
with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch
    from torch import nn

pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime", "keras"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                               "ignore::UserWarning"),
]  # fmt: skip


def formulas(graph):
    """Return the formulas of a graph."""
    return sorted(str(node.settings["formula"]) for node in graph.nodes.values()
                  if node.type == "expression")  # fmt: skip


def bends(text):
    """Return how many functions that bend a text has; a relu by name is one, and no formula."""
    return text.replace("max(u, 0.0)", "").count("max") + text.count("min") + text.count("step")


def bent(formula, *, width=2):
    """Return a graph with a formula of two layers' outputs, u and v, or of one, u."""
    x = nf.constant(id="x", value=[[0.0] * width])
    layers = {
        name: nf.weighted_sum(x, nf.parameter(id=f"{name}.weight", value=np.eye(width).tolist()),
                              nf.parameter(id=f"{name}.bias", value=[0.0] * width), id=name)
        for name in "uv" if name in formula.replace("min", "").replace("max", "")
    }  # fmt: skip
    made = nf.expression(**layers, formula=formula, id="bent")
    cost = nf.squared_error(made, nf.constant(id="y", value=[[0.5] * width]), id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"))


TIES = ["max(u, v)", "min(u, v)", "max(v, u) - 2 * u", "max(min(u, 0.25), v) * u",
        "max(u, 0.0)", "max(0.0, u)", "min(max(u, 0.25), 0.75) * u"]  # fmt: skip


@pytest.mark.parametrize("formula", TIES)
def test_ties_have_the_slopes_of_the_graph_in_pytorch(formula, tmp_path) -> None:
    """PyTorch's own maximum gives half of the slope to each of two equal values."""
    graph = bent(formula)
    names = [name for name in ("u", "v") if name in graph.nodes]
    rows = torch.tensor([[0.25, 0.0], [0.75, -0.5], [1.0, 0.25]], dtype=torch.float64)
    for moved in ({}, {"u.bias": [0.0, 0.25]}):
        fed = graph
        for name, value in moved.items():
            fed = fed.set(name, value=value)
        module = nf.to_torch(fed)
        out = module(rows)
        ((out - 0.5) ** 2).sum(1).mean().backward()
        run = nf.Run(
            fed.set("x", value=rows.tolist()).set("y", value=[[0.5, 0.5]] * 3), batch="all"
        )
        run.evaluate()
        assert run["bent.value"] == pytest.approx(out.detach().numpy(), abs=1e-15)
        for name in names:
            slope = getattr(module, name).bias.grad.numpy()
            assert run.gradient(f"{name}.bias.value") == pytest.approx(slope, abs=1e-14), name
    path = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(nf.to_torch(graph), (rows,)), path)
    found = imported(path)
    assert not found.network.missing
    assert found.verified.outputs < 1e-14
    assert found.verified.gradients < 1e-14
    assert bends(" ".join(formulas(found.graph))) == bends(formula)


@pytest.mark.parametrize("formula", TIES)
def test_ties_have_the_slopes_of_the_graph_in_keras(formula, tmp_path) -> None:
    graph = bent(formula)
    model = nf.to_keras(graph)
    rows = np.array([[0.25, 0.0], [0.75, -0.5], [1.0, 0.25]])
    out = model(torch.from_numpy(rows))
    ((out - 0.5) ** 2).sum(1).mean().backward()
    run = nf.Run(graph.set("x", value=rows.tolist()).set("y", value=[[0.5, 0.5]] * 3), batch="all")
    run.evaluate()
    assert run["bent.value"] == pytest.approx(out.detach().numpy(), abs=1e-15)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            slope = layer.bias.value.grad.numpy()
            own = run.gradient(f"{layer.name}.bias.value")
            assert own == pytest.approx(slope, abs=1e-14), layer.name
    nf.export.export(graph, tmp_path / "m.keras")
    found = imported(tmp_path / "m.keras")
    assert not found.network.missing
    assert max(found.verified.outputs, found.verified.gradients) < 5e-7  # it multiplies in float32
    assert bends(" ".join(formulas(found.graph))) == bends(formula)


CHOICES = {
    "larger": (lambda u, v: torch.where(u > v, u, v), "max(a, b)"),
    "larger, the first at a tie": (lambda u, v: torch.where(u >= v, u, v), "max(a, b)"),
    "smaller": (lambda u, v: torch.where(u < v, u, v), "min(a, b)"),
    "smaller, the other way round": (lambda u, v: torch.where(u >= v, v, u), "min(a, b)"),
    "larger, the other way round": (lambda u, v: torch.where(v <= u, u, v), "max(a, b)"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_of_the_larger_is_the_larger(name, tmp_path) -> None:
    choose, formula = CHOICES[name]

    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(2, 3), nn.Linear(2, 3)

        def forward(self, x):
            return choose(self.one(x), self.two(x))

    module = Choosing().double().eval()
    rows = torch.tensor([[0.5, -1.0], [0.25, 2.0]], dtype=torch.float64)
    graph = nf.from_torch(module, rows)
    assert formulas(graph) == [formula]
    with torch.no_grad():  # all are ties
        for what in ("weight", "bias"):
            getattr(module.two, what).copy_(getattr(module.one, what))
    tied = nf.from_torch(module, rows)
    out = module(rows)
    (out**2).sum(1).mean().backward()
    run = nf.Run(tied.set("x", value=rows.tolist()).set("y", value=[[0.0] * 3] * 2), batch="all")
    run.evaluate()
    for layer in ("one", "two"):
        slope = getattr(module, layer).weight.grad.numpy()
        assert run.gradient(f"{layer}.weight.value") == pytest.approx(slope, abs=1e-14), layer


def test_truths_that_are_made_of_truths(tmp_path) -> None:
    class Between(nn.Module):
        def forward(self, x):
            inside = torch.logical_and(x > -0.5, ~(x > 0.5))
            outside = (x < -0.75) | (x > 0.75)
            return torch.where(inside, x * x, 0.0) + outside.to(x.dtype)

    rows = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(8, 3)
    torch.export.save(torch.export.export(Between(), (rows,)), tmp_path / "m.pt2")
    found = imported(tmp_path / "m.pt2")
    assert not found.network.missing
    assert found.verified.outputs < 1e-15


with suppress(NameError):

    class Apart(nn.Module):
        """Shares, or their logarithms, as people write them."""

        def __init__(self, how):
            super().__init__()
            self.layer, self.how = nn.Linear(3, 4), how

        def forward(self, x):
            z = self.layer(x)
            if self.how == "logsumexp":
                return z - torch.logsumexp(z, dim=1, keepdim=True)
            if self.how == "max":
                high = z.max(dim=-1, keepdim=True)[0]
            else:
                high = torch.amax(z, 1, keepdim=True)
            if self.how == "log":
                return z - high - torch.log(torch.exp(z - high).sum(1, keepdim=True))
            power = torch.exp(z - high)
            return power / power.sum(dim=-1, keepdim=True)


@pytest.mark.parametrize("how", ["amax", "max", "log", "logsumexp"])
def test_a_softmax_that_was_taken_apart_is_one(how, tmp_path) -> None:
    module = Apart(how).double().eval()
    rows = torch.zeros(5, 3, dtype=torch.float64)
    torch.export.save(torch.export.export(module, (rows,)), tmp_path / "m.pt2")
    torch.onnx.export(module.float(), (rows.float(),), tmp_path / "m.onnx", dynamo=False)
    for name in ("m.pt2", "m.onnx"):
        found = imported(tmp_path / name)
        assert not found.network.missing
        assert found.verified.outputs < (1e-14 if name == "m.pt2" else 1e-6)
        kinds = [node.type for node in found.graph.nodes.values()]
        assert ("log_softmax" if how.startswith("log") else "softmax") in kinds


def test_parts_of_a_softmax_that_make_none_are_placeholders() -> None:
    class Half(nn.Module):
        def forward(self, x):
            return x - torch.amax(x, 1, keepdim=True)

    from nodeflow.interchange.torch import network_of

    class Which(nn.Module):
        def forward(self, x):
            return torch.max(x, 1, keepdim=True)[1] * 1.0

    (where,) = network_of(Which().eval(), torch.zeros(2, 3)).missing[:1]
    assert where.what == "max"
    missing = network_of(Half().eval(), torch.zeros(2, 3)).missing
    assert [(one.what, one.why) for one in missing] == [
        ("amax", "nodeflow has no counterpart of it")
    ]


def test_a_softmax_of_operations_of_keras(tmp_path) -> None:
    import keras
    from keras import ops

    x = keras.Input((3,))
    z = keras.layers.Dense(4)(x)
    power = ops.exp(ops.subtract(z, ops.max(z, axis=-1, keepdims=True)))
    model = keras.Model(x, ops.divide(power, ops.sum(power, axis=-1, keepdims=True)))
    model.save(tmp_path / "m.keras")
    found = imported(tmp_path / "m.keras")
    assert not found.network.missing
    assert found.verified.outputs < 1e-6
    assert "softmax" in [node.type for node in found.graph.nodes.values()]


def onnx_of(tmp_path, nodes, **arrays):
    """Return what comes of a model of operators from x and w, 3 wide, to y, in float32."""
    from onnx import TensorProto, helper, numpy_helper

    kinds = {node[0][0] for node in nodes}
    taken = {name for (_, given, _), _ in nodes for name in given.split()}
    values = {one: helper.make_tensor_value_info(one, TensorProto.FLOAT, ["n", 3]) for one in "xwy"}
    made = [helper.make_node(kind, given.split(), gives.split(), **about)
            for (kind, given, gives), about in nodes]  # fmt: skip
    tensors = []
    for name, one in arrays.items():
        whole = np.asarray(one).dtype.kind == "i"
        tensors.append(numpy_helper.from_array(
            np.asarray(one, np.int64 if whole else np.float32), name))  # fmt: skip
    graph = helper.make_graph(made, "+".join(kinds), [values[one] for one in "xw" if one in taken],
                              [values["y"]], tensors)  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = Path(tmp_path) / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return imported(path)


OPERATORS = {
    "a leak by feature": ([(("PRelu", "x s", "y"), {})], {"s": [0.1, -0.5, 2.0]}),
    "a leak": ([(("PRelu", "x s", "y"), {})], {"s": [0.25]}),
    "a relu that begins later": ([(("ThresholdedRelu", "x", "y"), {"alpha": 0.3})], {}),
    "shrinkage": ([(("Shrink", "x", "y"), {"lambd": 0.25, "bias": 0.125})], {}),
    "a mean": ([(("Mean", "x w", "y"), {})], {}),
    "a mean of one": ([(("Mean", "x", "y"), {})], {}),
    "a mean with numbers": ([(("Mean", "x w s", "y"), {})], {"s": [1.0, 2.0, 3.0]}),
    "a sum": ([(("Sum", "x w x", "y"), {})], {}),
    "a sum of one": ([(("Sum", "x", "y"), {})], {}),
    "a sum with numbers": ([(("Sum", "x s w t", "y"), {})], {"s": [1.0, 2.0, 3.0], "t": 0.5}),
    "the largest": ([(("Max", "x w h", "y"), {})], {"h": 0.1}),
    "the least": ([(("Min", "x h w", "y"), {})], {"h": 0.1}),
    "limits": ([(("Clip", "x l h", "y"), {})], {"l": -0.25, "h": 0.5}),
    "functions": ([(("Sinh", "x", "a"), {}), (("Cosh", "w", "b"), {}), (("Mul", "a b", "c"), {}),
                   (("Tan", "c", "y"), {})], {}),
    "a choice": ([(("Greater", "x w", "t"), {}), (("IsNaN", "x", "n"), {}),
                  (("Or", "t n", "o"), {}), (("Where", "o x w", "y"), {})], {}),
    "a choice by what is no number": (
        [(("Less", "x w", "t"), {}), (("Equal", "w w", "e"), {}), (("Not", "e", "n"), {}),
         (("Or", "n t", "o"), {}), (("Where", "o w x", "y"), {})], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_onnx_with_several_inputs_and_settings(name, tmp_path) -> None:
    nodes, arrays = OPERATORS[name]
    found = onnx_of(tmp_path, nodes, **arrays)
    assert not found.network.missing
    assert found.verified.outputs < 5e-6
    if "choice" in name:
        assert formulas(found.graph) == ["max(a, b)"]


def column(name, of):
    """Return the operators by which jax2onnx makes a column of one number a row."""
    nodes = [("Shape", of, "s"), ("Gather", "s first", "n"), ("Concat", "n one", "t"),
             ("Reshape", f"{of} t", "r"), ("Expand", "r t", "")]  # fmt: skip
    own = {"s", "n", "t", "r"}
    return [((kind, " ".join(f"{name}_{one}" if one in own else one for one in given.split()),
              f"{name}_{gives}" if gives else name), {"axis": 0} if kind in ("Gather", "Concat")
             else {}) for kind, given, gives in nodes]  # fmt: skip


def test_a_softmax_as_jax_writes_it_is_one(tmp_path) -> None:
    """e^(z − max z) over its sum with jax.numpy: each keeps no axis, and gets it again by sizes."""
    nodes = [
        (("ReduceMax", "x one", "m"), {"keepdims": 0}), *column("high", "m"),
        (("Sub", "x high", "d"), {}), (("Exp", "d", "e"), {}),
        (("ReduceSum", "e one", "a"), {"keepdims": 0}), *column("total", "a"),
        (("Div", "e total", "y"), {}),
    ]  # fmt: skip
    found = onnx_of(tmp_path, nodes, one=[1], first=[0])
    assert not found.network.missing
    assert found.verified.outputs < 1e-6
    assert "softmax" in [node.type for node in found.graph.nodes.values()]


@pytest.mark.parametrize("size", [1, 4])
def test_a_leak_by_feature_has_the_slopes_of_its_program(size) -> None:
    from nodeflow.interchange.torch import checked_against
    from nodeflow.interchange.verifying import verified

    leak = nn.PReLU(size)
    with torch.no_grad():
        leak.weight.copy_(torch.linspace(-0.5, 2, size))
    module = nn.Sequential(nn.Linear(3, 4), leak, nn.Linear(4, 2)).double().eval()
    graph = nf.from_torch(module, torch.zeros(2, 3, dtype=torch.float64))
    assert "is fixed here, and PyTorch trains it" in graph.about
    found = verified(graph, "torch", checked_against(module, graph))
    assert max(found.outputs, found.gradients) < 1e-14
    again = nf.to_torch(graph)
    rows = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3)
    assert again(rows).detach().numpy() == pytest.approx(module(rows).detach().numpy(), abs=1e-14)


def test_bounded_relus_and_leaks_of_keras(tmp_path) -> None:
    import keras
    from keras import layers

    x = keras.Input((3,))
    ends = [
        layers.PReLU(alpha_initializer="ones")(layers.Dense(3, name="one")(x)),
        layers.ReLU(max_value=0.5)(x),
        layers.ReLU(max_value=6)(x),
        layers.ReLU(negative_slope=0.25, threshold=0.125)(x),
        layers.ReLU(max_value=0.75, negative_slope=0.25)(x),
    ]
    model = keras.Model(x, layers.Concatenate()(ends))
    model.layers[-2].set_weights([])
    for layer in model.layers:
        if isinstance(layer, layers.PReLU):
            layer.set_weights([np.array([0.5, -0.25, 2.0])])
    model.save(tmp_path / "m.keras")
    found = imported(tmp_path / "m.keras")
    assert not found.network.missing
    assert found.verified.outputs < 1e-6
    run = nf.Run(found.graph.set("x", value=[[-2.0, 0.25, 7.0]]))
    run.evaluate()
    wanted = keras.ops.convert_to_numpy(model(np.array([[-2.0, 0.25, 7.0]])))
    assert run[end_of(found.graph)] == pytest.approx(wanted, abs=1e-6)


def test_other_relus_of_pytorch() -> None:
    from nodeflow.interchange.torch import checked_against
    from nodeflow.interchange.verifying import verified

    parts = (nn.Threshold(0.1, 0.5), nn.RReLU(0.1, 0.4))
    module = nn.Sequential(nn.Linear(3, 8), parts[0], nn.Linear(8, 4), parts[1]).double().eval()
    graph = nf.from_torch(module, torch.zeros(2, 3, dtype=torch.float64))
    found = verified(graph, "torch", checked_against(module, graph))
    assert max(found.outputs, found.gradients) < 1e-14
