"""Casts between types of numbers: nothing, a sentence, or a placeholder, and never in silence."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.interchange import imported
from nodeflow.interchange.casting import rounded

os.environ.setdefault("KERAS_BACKEND", "torch")
with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch
    from torch import nn

    class Between(nn.Module):
        """A function between two layers."""

        def __init__(self, function) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.one, self.two, self.function = nn.Linear(3, 4), nn.Linear(4, 2), function

        def forward(self, x):
            return self.two(self.function(self.one(x)))


programs = pytest.mark.programs("torch", "onnx", "onnxruntime", "keras")
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                                   "ignore::UserWarning")  # fmt: skip

ROUND = {"half": "float16", "bfloat16": "bfloat16"}
OTHER = {
    "int32": "whole numbers of type int32", "int64": "whole numbers of type int64",
    "uint8": "whole numbers of type uint8", "bool": "truths of numbers",
    "float8_e4m3fn": "the few numbers that float8_e4m3fn has",
}  # fmt: skip


def of_torch(tmp_path, function):
    path = tmp_path / "net.pt2"
    module = Between(function).eval()
    torch.export.save(torch.export.export(module, (torch.randn(16, 3),)), path)
    return imported(path), module


@programs
@quiet
@pytest.mark.parametrize("kind", [*ROUND, *OTHER, "double"])
def test_a_cast_of_pytorch_is_never_silent(tmp_path, kind: str) -> None:
    """to(int32) came in as nothing, and all numbers behind it were wrong."""
    found, _ = of_torch(tmp_path, lambda z: (3 * z).to(getattr(torch, kind)).to(z.dtype))
    notes = [note for note in found.network.notes if " there; " in note]
    if kind in OTHER:
        assert [one.why for one in found.network.missing] == [
            f"it {'leaves' if kind.startswith('float8') else 'makes'} {OTHER[kind]}, and nodes "
            f"have {'all ' if kind.startswith('float8') else ''}real ones"
        ]
    elif kind in ROUND:
        assert notes == [f"'to' rounds to {ROUND[kind]} there; here numbers stay as they are"]
        assert found.verified.outputs < 1e-2
        assert notes[0] in found.graph.about
    else:
        assert not found.network.missing
        assert found.verified.outputs < 1e-6  # in float32: the program takes no other type


@programs
@quiet
@pytest.mark.parametrize(
    ("said", "function"),
    [
        ("its rounding_mode is floor", lambda z: torch.div(z, 0.3, rounding_mode="floor")),
        ("its rounding_mode is trunc", lambda z: torch.div(z, z + 9, rounding_mode="trunc")),
        ("its threshold is 0.3", lambda z: nn.functional.softplus(z, 1, 0.3)),
    ],
)
def test_an_argument_that_changes_the_numbers_is_looked_at(tmp_path, said, function) -> None:
    found, _ = of_torch(tmp_path, function)
    assert [one.why for one in found.network.missing] == [f"{said}, which has no counterpart"]


@programs
@quiet
def test_weights_are_cast_as_pytorch_casts_them(tmp_path) -> None:
    class Casting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.weight = nn.Parameter(torch.randn(4, 3))

        def forward(self, x):
            rough = self.weight.to(torch.bfloat16).to(x.dtype)
            return nn.functional.linear(x, rough)

    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(Casting(), (torch.randn(16, 3),)), path)
    found = imported(path)
    assert found.verified.outputs < 1e-6
    assert found.verified.gradients is not None


@programs
@quiet
def test_a_program_in_bfloat16_comes_in(tmp_path) -> None:
    """Its weights are the upper halves of float32."""
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(torch.bfloat16)
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(module, (torch.randn(16, 3).bfloat16(),)), path)
    found = imported(path)
    assert "bfloat16 was converted to float64" in found.network.notes
    weights = np.array(nf.Run(found.graph).weights["layer0.weight.value"])
    assert np.array_equal(weights, module[0].weight.detach().double().numpy())


def onnx_of(tmp_path, *kinds: str):
    """Return a model whose values are cast from one type to the next."""
    import onnx
    from onnx import TensorProto, helper

    first = kinds[0]
    nodes = [
        helper.make_node("Cast", [f"v{at}"], [f"v{at + 1}"], to=getattr(TensorProto, kind))
        for at, kind in enumerate(kinds[1:])
    ]
    values = [
        helper.make_tensor_value_info(name, getattr(TensorProto, kind), ["n", 3])
        for name, kind in (("v0", first), (f"v{len(nodes)}", kinds[-1]))
    ]
    graph = helper.make_graph(nodes, "casts", values[:1], values[1:])
    opset = [helper.make_opsetid("", 21)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    return imported(path)


@programs
@pytest.mark.parametrize(
    ("kinds", "rounds"),
    [
        (("DOUBLE", "FLOAT16", "DOUBLE"), ["float16"]),
        (("FLOAT", "BFLOAT16", "FLOAT"), ["bfloat16"]),
        (("DOUBLE", "FLOAT", "DOUBLE"), ["float32"]),
        (("FLOAT16", "BFLOAT16", "FLOAT16", "FLOAT"), ["bfloat16", "float16"]),
        (("FLOAT16", "FLOAT", "DOUBLE"), []),
        (("INT32", "FLOAT"), []),
        (("INT8", "INT32", "DOUBLE"), []),
        (("BOOL", "FLOAT"), []),
    ],
)
def test_casts_of_onnx_that_go_through(tmp_path, kinds, rounds) -> None:
    network = onnx_of(tmp_path, *kinds).network
    assert not network.missing
    assert [note.split(" to ")[1].split(" ")[0] for note in network.notes] == rounds


@programs
@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        (("FLOAT", "INT64", "FLOAT"), "it makes whole numbers of type int64"),
        (("FLOAT", "BOOL", "FLOAT"), "it makes truths of numbers"),
        (("FLOAT", "FLOAT8E5M2", "FLOAT"), "it leaves the few numbers that float8e5m2 has"),
        (("FLOAT", "UINT4", "FLOAT"), "it makes whole numbers of type uint4"),
        (("INT64", "INT8", "FLOAT"), "it makes whole numbers of type int8"),
        (("FLOAT", "STRING"), "it makes texts of numbers"),
    ],
)
def test_casts_of_onnx_that_make_other_numbers(tmp_path, kinds, why) -> None:
    assert onnx_of(tmp_path, *kinds).network.missing[0].why.startswith(why)


@programs
@quiet
@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "mixed_bfloat16"])
def test_layers_of_keras_in_half_precision_are_said(tmp_path, policy: str) -> None:
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, dtype=policy, name="rough"),
                              layers.Dense(2)])  # fmt: skip
    model.save(tmp_path / "net.keras")
    found = imported(tmp_path / "net.keras")
    kind = policy.removeprefix("mixed_")
    assert f"'rough' rounds to {kind} there; here numbers stay as they are" in found.network.notes
    assert found.verified.outputs < 3e-2


@programs
@quiet
def test_layers_of_keras_that_work_from_row_to_row_are_placeholders(tmp_path) -> None:
    """They came in as if they worked along the features."""
    import keras
    from keras import layers, ops

    x = keras.Input((4,))
    for layer in (layers.Softmax(axis=0), layers.UnitNormalization(axis=0)):
        keras.Model(x, layer(x)).save(tmp_path / "net.keras")
        missing = imported(tmp_path / "net.keras").network.missing
        assert [one.why for one in missing] == [
            "it works from row to row, and rows are samples here"
        ]
    keras.Model(x, ops.cast(ops.cast(3 * x, "int32"), "float32")).save(tmp_path / "net.keras")
    found = imported(tmp_path / "net.keras")
    assert found.network.missing[0].why.startswith("it makes whole numbers of type int32")
    keras.Model(x, ops.cast(ops.cast(x, "float64"), "float32")).save(tmp_path / "net.keras")
    found = imported(tmp_path / "net.keras")
    assert not found.network.missing
    assert end_of(found.graph)


def test_numbers_are_rounded_as_by_their_types() -> None:
    """bfloat16 against its definition: 8 binary digits, to the even one between two."""
    r = np.random.default_rng(0)
    numbers = np.concatenate([r.normal(size=2000) * 10.0 ** r.integers(-30, 30, 2000),
                              [0.0, np.inf, -np.inf, np.nan, 1.00390625, 1.01171875]])  # fmt: skip
    single = numbers.astype(np.float32).astype(np.float64)
    fraction, power = np.frexp(single)
    wanted = np.ldexp(np.round(fraction * 256) / 256, power)
    assert np.array_equal(rounded(numbers, "bfloat16"), wanted, equal_nan=True)
    assert np.array_equal(rounded([1.7, -1.7, 0.2], "int8"), [1.0, -1.0, 0.0])
    assert np.array_equal(rounded([0.1, 0.0], "bool"), [1.0, 0.0])
    assert rounded([0.1], "half") == np.float16(0.1)
    assert rounded([0.1], "float4e2m1") is None


COMPARISONS = {
    "Greater": lambda z: z > 0.25, "Less": lambda z: z < 0.25,
    "GreaterOrEqual": lambda z: z >= 0.25, "LessOrEqual": lambda z: z <= 0.25,
}  # fmt: skip


@programs
@quiet
@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_is_1_where_it_holds(tmp_path, name: str) -> None:
    """At the very number that is compared with, too; a sum of two truths is no sum."""
    import keras
    import onnx
    from onnx import TensorProto, helper

    compared, rows = COMPARISONS[name], np.array([[0.0, 0.25, 0.5], [-1.0, 0.25, 3.0]])

    class Comparing(nn.Module):
        def forward(self, x):
            return compared(x) * x + compared(x).to(x.dtype)

    graphs = [nf.from_torch(Comparing(), torch.from_numpy(rows))]
    x = keras.Input((3,), dtype="float64", name="x")
    truths = keras.ops.cast(compared(x), "float64")
    graphs.append(nf.from_keras(keras.Model(x, keras.ops.add(truths * x, truths))))
    nodes = [
        helper.make_node(name, ["x", "limit"], ["truths"]),
        helper.make_node("Cast", ["truths"], ["numbers"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["numbers", "x"], ["product"]),
        helper.make_node("Add", ["product", "numbers"], ["output"]),
    ]
    values = [helper.make_tensor_value_info(one, TensorProto.DOUBLE, ["n", 3])
              for one in ("x", "output")]  # fmt: skip
    limit = helper.make_tensor("limit", TensorProto.DOUBLE, [1], [0.25])
    graph = helper.make_graph(nodes, "one", values[:1], values[1:], [limit])
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.save(model, tmp_path / "net.onnx")
    found = imported(tmp_path / "net.onnx")
    assert found.verified.outputs == 0
    graphs.append(found.graph)
    wanted = compared(rows) * (rows + 1)
    for graph in graphs:
        run = nf.Run(graph.set("x", value=rows.tolist()), batch="all")
        run.evaluate()
        assert np.array_equal(run[end_of(graph)], wanted)

    class Adding(nn.Module):
        def forward(self, x):
            return (compared(x) + compared(x)) * x

    graph = nf.from_torch(Adding(), torch.from_numpy(rows))
    assert "add of PyTorch" in {node.type for node in graph.nodes.values()}
