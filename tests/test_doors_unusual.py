"""Valid but unusual networks: right, or a placeholder that says why."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from helpers_interchange import end_of

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.interchange import imported

pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                               "ignore::UserWarning"),
]  # fmt: skip


def weight_norm():
    from torch import nn

    norm = nn.utils.parametrizations.weight_norm
    return nn.Sequential(norm(nn.Linear(4, 3)), nn.Tanh(), nn.utils.weight_norm(nn.Linear(3, 2)))


def pruned():
    from torch import nn
    from torch.nn.utils import prune

    layer = nn.Linear(4, 3)
    prune.l1_unstructured(layer, "weight", 0.4)
    return nn.Sequential(layer, nn.PReLU())


def one_layer_twice():
    from torch import nn

    layer, act = nn.Linear(4, 4), nn.ReLU()
    return nn.Sequential(layer, act, layer, act)


def tied():
    import torch

    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Linear(4, 2)
            self.register_buffer("mean", torch.linspace(0, 1, 4))

        def forward(self, x):
            code = torch.sigmoid(self.encoder((x - self.mean) / 2))
            return torch.nn.functional.linear(code, self.encoder.weight.t()).clamp(min=0)

    return Tied()


@pytest.mark.parametrize("make", [weight_norm, pruned, one_layer_twice, tied])
def test_weights_that_are_made_of_others(make, tmp_path):
    import torch

    torch.manual_seed(3)
    module = make().double().eval()
    rows = torch.randn(5, 4, dtype=torch.float64)
    path = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(module, (rows,)), path)
    for graph in (nf.from_torch(module, rows), imported(path).graph):
        run = nf.Run(graph.set("x", value=rows.tolist()), batch="all")
        run.evaluate()
        assert run[end_of(graph)] == pytest.approx(module(rows).detach().numpy(), abs=1e-14)


def test_a_program_that_takes_float32_alone_is_verified_in_float32(tmp_path):
    """A mask that was exported in float32 is asserted to be that."""
    import torch

    torch.set_default_dtype(torch.float32)  # a program that was run before may have set another
    torch.manual_seed(3)
    path = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(pruned().eval(), (torch.zeros(5, 4),)), path)
    found = imported(path)
    assert 1e-12 < found.verified.outputs < 1e-6
    assert found.verified.gradients < 1e-6
    assert not found.network.missing


def test_a_placeholder_is_of_no_type_that_is_here():
    """A sum that is moved by other numbers in each row is no node `add` whose wires are missing."""
    import torch

    class Moved(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = torch.nn.Linear(3, 3), torch.nn.Linear(3, 1)
            self.register_buffer("rows", torch.ones(2, 3))

        def forward(self, x):
            return self.outer(torch.tanh(self.inner(x)) + self.rows)

    graph = nf.from_torch(Moved().eval(), torch.zeros(2, 3))
    assert graph.nodes["add"].type == "add of PyTorch"
    run = nf.Run(graph, strict=False)
    run.evaluate()
    assert run["inner.z"].shape == (1, 3)
    heavy = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 2))
    about = nf.from_torch(torch.nn.Sequential(heavy).eval(), torch.zeros(2, 3)).about
    assert "computed from others; remove_parametrizations" in about


def onnx_model(r, opset):
    """Return a model of layers in every form that ONNX has for them, with its first width."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, stored, inputs = [], [], []

    def put(kind, *names, **given):
        nodes.append(helper.make_node(kind, list(names), [f"v{len(nodes)}"], **given))
        return nodes[-1].output[0]

    def number(array):
        array = np.asarray(array, np.float32)
        tensor = numpy_helper.from_array(array, f"w{len(stored)}_{len(nodes)}")
        form = r.integers(4)
        if form == 0:
            return put("Constant", value=tensor)
        turned = form == 1 and array.ndim == 2
        kept = np.ascontiguousarray(array.T) if turned else array
        stored.append(numpy_helper.from_array(kept, tensor.name))
        if form == 2 or opset < 9:  # there each stored array is an input too
            inputs.append(helper.make_tensor_value_info(tensor.name, 1, kept.shape))
        return put("Transpose", tensor.name, perm=[1, 0]) if turned else tensor.name

    sizes = [int(n) for n in r.integers(1, 9, r.integers(2, 5))]
    at = "x"
    for into, out in pairwise(sizes):
        weights, bias = r.normal(size=(into, out)), r.normal(size=out)
        match r.integers(5):
            case 0:
                at = put("Gemm", at, number(weights), number(bias))
            case 1:
                at = put("Gemm", at, number(weights.T), number(bias[None]), transB=1, alpha=0.5,
                         beta=2.0)  # fmt: skip
            case 2:
                at = put("Add", number(bias[None]), put("MatMul", at, number(weights)))
            case 3:
                at = put("Gemm", at, number(weights), number([0.25]))
            case _:
                kind = "Sum" if opset > 7 else "Add"
                at = put(kind, put("MatMul", at, number(weights)), number(bias))
        scale = np.abs(bias) + 0.5
        match r.integers(10):
            case 0:
                at = put("Sub", number(1.0), at)
            case 1:
                at = put("Div", at, number(scale))
            case 2:
                at = put("LeakyRelu", at, alpha=0.2)
            case 3:
                at = put("BatchNormalization", at, *map(number, (scale, bias, bias, scale)))
            case 4:
                at = put("Softmax", at, axis=1)
            case 5 if opset < 11:
                at = put("Clip", at, min=-0.5)
            case 5:
                at = put("Clip", at, "", number(0.7))
            case 6:
                at = put("Mul", at, put("Sigmoid", at))
            case 7:
                at = put("Dropout", at)
            case 8:
                at = put("Div", at, put("Add", number(1.0), put("Abs", at)))
            case _:
                at = put("Tanh", put("Mul", number(0.5), at))
    nodes.append(helper.make_node("Identity", [at], ["y"]))
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", sizes[0]])
    ends = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", sizes[-1]])
    graph = helper.make_graph(nodes, "unusual", [rows, *inputs], [ends], stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=3 if opset < 9 else 8)  # fmt: skip
    onnx.checker.check_model(made, full_check=True)
    return made, sizes[0]


@pytest.mark.parametrize("opset", [7, 8, 9, 10, 11, 12, 13, 15, 18])
def test_forms_of_every_set_of_operators(opset, tmp_path):
    import onnx
    import onnxruntime

    path = tmp_path / "m.onnx"
    for seed in range(12):
        r = np.random.default_rng([opset, seed])
        model, width = onnx_model(r, opset)
        outside = {"save_as_external_data": True, "location": f"{seed}.data", "size_threshold": 0}
        onnx.save(model, path, **(outside if seed % 2 and opset >= 9 else {}))
        x = r.normal(size=(4, width)).astype(np.float32)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        found = imported(path)
        assert all(node.type in CATALOG for node in found.graph.nodes.values())
        run = nf.Run(found.graph.set("x", value=x.astype(float).tolist()), batch="all")
        run.evaluate()
        expected = session.run(None, {"x": x})[0]
        assert run[end_of(found.graph)] == pytest.approx(expected, abs=1e-5, rel=1e-4)


def onnx_file(path, nodes, arrays, inputs, outputs, opset=18):
    """Write a model of operators; inputs and outputs by name with their types and sizes."""
    from onnx import TensorProto, helper, numpy_helper

    def info(name, kind, shape):
        return helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)

    graph = helper.make_graph(
        [helper.make_node(*names, **given) for names, given in nodes], "g",
        [info(*one) for one in inputs], [info(*one) for one in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return imported(path)


def f(*sizes):
    return np.random.default_rng(sum(sizes)).normal(size=sizes).astype(np.float32)


BRANCHED = {
    "selu with numbers of its own": ([(("Selu", ["x"], ["y"]), {"alpha": 2.0, "gamma": 3.0})], {}),
    "a layer beside its input": (
        [(("MatMul", ["x", "w"], ["h"]), {}), (("Relu", ["h"], ["r"]), {}),
         (("Add", ["r", "x"], ["y"]), {})], {"w": f(6, 6)}),
    "weights that two layers share": (
        [(("Gemm", ["x", "w"], ["h"]), {"transB": 1}), (("Tanh", ["h"], ["t"]), {}),
         (("Gemm", ["t", "w"], ["y"]), {"transB": 1})], {"w": f(6, 6)}),
    "a gate": (
        [(("Split", ["x"], ["a", "b"]), {"axis": 1, "num_outputs": 2}),
         (("Sigmoid", ["b"], ["s"]), {}), (("Mul", ["a", "s"], ["y"]), {})], {}),
    "features taken and joined": (
        [(("Slice", ["x", "s", "e", "ax"], ["a"]), {}),
         (("Gather", ["x", "i"], ["b"]), {"axis": 1}),
         (("ReduceMean", ["x", "ax"], ["m"]), {}),
         (("Concat", ["a", "b", "m"], ["y"]), {"axis": 1})],
        {"s": np.array([1]), "e": np.array([4]), "ax": np.array([1]), "i": np.array([5, 0])}),
    "a layer normalisation": (
        [(("LayerNormalization", ["x", "g", "b"], ["y"]), {"epsilon": 1e-4})],
        {"g": f(6), "b": f(6)}),
    "numbers for each place of an image": (
        [(("Reshape", ["x", "to"], ["i"]), {}), (("Mul", ["i", "c"], ["s"]), {}),
         (("Flatten", ["s"], ["y"]), {})], {"to": np.array([0, 2, 3]), "c": f(2, 1)}),
    "weights that are turned and scaled": (
        [(("Transpose", ["w"], ["t"]), {"perm": [1, 0]}), (("Mul", ["t", "two"], ["v"]), {}),
         (("MatMul", ["x", "v"], ["y"]), {})], {"w": f(3, 6), "two": np.array(2, "f")}),
}  # fmt: skip


@pytest.mark.parametrize("what", BRANCHED)
def test_onnx_that_branches_and_joins(what, tmp_path):
    nodes, arrays = BRANCHED[what]
    found = onnx_file(tmp_path / "m.onnx", nodes, arrays, [("x", "FLOAT", ["n", 6])],
                      [("y", "FLOAT", None)])  # fmt: skip
    assert not found.network.missing
    assert found.verified.outputs < 2e-6
    if "share" in what:
        assert len(found.graph.parameters) == 1


def test_functions_of_a_model_are_opened(tmp_path):
    """As onnxscript writes them: a function with a setting, whose number takes its input's type."""
    from onnx import parser

    (tmp_path / "m.onnx").write_bytes(parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 18, "mine" : 1]>
        net (float[N, 3] x) => (float[N, 2] y)
        <float[3, 2] w = {0.5, -1, 2, 0.25, -0.75, 1.5}> {
            z = MatMul (x, w)
            y = mine.leaky <alpha: float = 0.3> (z)
        }
        <domain: "mine", opset_import: ["" : 18]>
        leaky <alpha> (z) => (a) {
            given = Constant <value_float: float = @alpha> ()
            factor = CastLike (given, z)
            less = Mul (z, factor)
            a = Max (z, less)
        }
    """).SerializeToString())  # fmt: skip
    found = imported(tmp_path / "m.onnx")
    assert not found.network.missing
    assert found.verified.outputs < 2e-6


def test_onnx_of_several_inputs_and_outputs(tmp_path):
    nodes = [(("Gemm", ["left", "w"], ["a"]), {}),
             (("Concat", ["a", "right"], ["both"]), {"axis": 1}),
             (("Softmax", ["both"], ["share"]), {}),
             (("Sub", ["a", "right"], ["apart"]), {})]  # fmt: skip
    found = onnx_file(
        tmp_path / "m.onnx", nodes, {"w": f(3, 2)},
        [("left", "FLOAT", ["n", 3]), ("right", "FLOAT", ["n", 2])],
        [("share", "FLOAT", ["n", 4]), ("apart", "FLOAT", ["n", 2])],
    )  # fmt: skip
    assert found.verified.outputs < 1e-6
    assert {"left", "right", "share.cost", "apart.cost", "J"} <= found.graph.nodes.keys()
    run = nf.Run(found.graph)
    run.train(3)
    assert np.isfinite(run.cost)


def test_rows_that_would_be_others(tmp_path):
    """What changes the rows, or computes with whole numbers, is a placeholder."""

    def first(nodes, arrays, kind="FLOAT"):
        made = onnx_file(
            tmp_path / "m.onnx", nodes, arrays, [("x", kind, [4, 6])], [("y", kind, None)]
        )
        return made.network.missing[0].why

    halves = {"to": np.array([-1, 3])}
    assert first([(("Reshape", ["x", "to"], ["y"]), {})], halves) == "it changes what a row is"
    assert "several axes" in first(
        [(("Reshape", ["x", "to"], ["i"]), {}), (("MatMul", ["i", "w"], ["y"]), {})],
        {"to": np.array([4, 2, 3]), "w": f(3, 3)},
    )
    assert first([(("Div", ["x", "x"], ["y"]), {})], {}, "INT32").startswith(
        "it computes with whole"
    )
    assert first([(("Softmax", ["x"], ["y"]), {"axis": 0})], {}).startswith("nodeflow has no")


def test_more_inputs_than_a_setting_keeps_as_a_tuple(tmp_path):
    """A network of pictures, 3072 numbers a row."""
    found = onnx_file(tmp_path / "m.onnx", [(("Gemm", ["x", "w"], ["y"]), {})], {"w": f(3072, 2)},
                      [("x", "FLOAT", ["n", 3072])], [("y", "FLOAT", ["n", 2])])  # fmt: skip
    assert found.verified.outputs < 1e-4


def test_pytorch_that_branches_and_joins(tmp_path):
    import torch

    class Branching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = torch.nn.Linear(4, 6), torch.nn.LayerNorm(6)
            self.again = torch.nn.Linear(6, 6)

        def forward(self, x, y):
            h = self.norm(self.first(x))
            h = h + self.again(torch.relu(self.again(h)))
            one, other = h.chunk(2, -1)
            joined = torch.cat([one * other, y[:, 1:3], x.mean(1, keepdim=True)], 1)
            return torch.nn.functional.glu(joined), torch.maximum(one, other)

    torch.manual_seed(1)
    module = Branching().double().eval()
    rows = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    torch.export.save(torch.export.export(module, rows), tmp_path / "m.pt2")
    found = imported(tmp_path / "m.pt2")
    assert not found.network.missing
    assert found.verified.outputs < 1e-14
    assert found.verified.gradients < 1e-13
    assert "again_2.weight" not in found.graph.nodes  # the layer that is there twice is one
    again = nf.to_torch(found.graph)
    for one, other in zip(module(*rows), again(*rows), strict=True):
        assert other.detach().numpy() == pytest.approx(one.detach().numpy(), abs=1e-13)


def blocks(r):
    """Return weights in blocks of two with a scale each, 5 × 4, the last block of an axis short."""
    whole = r.integers(-8, 8, (5, 4)).astype(np.int8)
    return {"q": whole, "s": f(3, 4), "z": r.integers(-2, 2, (3, 4)).astype(np.int8)}


def test_weights_that_are_quantised_in_blocks(tmp_path):
    """Where as many scales as columns are there, they were taken for one a column."""
    nodes = [(("DequantizeLinear", ["q", "s", "z"], ["w"]), {"axis": 0, "block_size": 2}),
             (("MatMul", ["x", "w"], ["y"]), {})]  # fmt: skip
    arrays = blocks(np.random.default_rng(3))
    found = onnx_file(tmp_path / "m.onnx", nodes, arrays, [("x", "FLOAT", ["n", 5])],
                      [("y", "FLOAT", ["n", 4])], opset=21)  # fmt: skip
    weights = found.network.steps[0].weights
    rows = np.arange(5) // 2
    expected = (arrays["q"] - arrays["z"][rows].astype(float)) * arrays["s"][rows]
    assert weights == pytest.approx(expected.T, rel=1e-7)
    # onnxruntime takes blocks without a rest alone.
    even = {"q": arrays["q"][:2, :2], "s": arrays["s"][:1, :2], "z": arrays["z"][:1, :2]}
    found = onnx_file(tmp_path / "m.onnx", nodes, even, [("x", "FLOAT", ["n", 2])],
                      [("y", "FLOAT", ["n", 2])], opset=21)  # fmt: skip
    assert found.verified.outputs < 1e-6


@pytest.mark.parametrize("flat", [True, False])
def test_weights_that_are_sparse(tmp_path, flat):
    """The places of what is not zero are numbers, or an index an axis."""
    import onnx
    from onnx import TensorProto, helper

    wanted = np.zeros((3, 4))
    wanted[[0, 1, 2], [0, 1, 2]] = [1.5, -2, 3]
    places = [0, 5, 10] if flat else [0, 0, 1, 1, 2, 2]
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("w", TensorProto.FLOAT, [3], [1.5, -2.0, 3.0]),
        helper.make_tensor("places", TensorProto.INT64, [3] if flat else [3, 2], places), [3, 4],
    )  # fmt: skip
    one, other = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
                  for name, width in (("x", 3), ("y", 4)))  # fmt: skip
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [one], [other],
                              sparse_initializer=[sparse])  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(made, tmp_path / "m.onnx")
    found = imported(tmp_path / "m.onnx")
    assert (found.network.steps[0].weights == wanted.T).all()
    assert found.verified.outputs < 1e-6


@pytest.mark.parametrize(
    ("node", "opset", "given", "missing"),
    [("BatchNormalization", 9, {"outputs": 5}, "statistics of each batch"),
     ("BatchNormalization", 9, {}, None), ("BatchNormalization", 6, {"is_test": 1}, None),
     ("BatchNormalization", 6, {}, "statistics of each batch"),
     ("Dropout", 6, {"is_test": 1}, None), ("Dropout", 6, {}, "draws at random"),
     ("Dropout", 7, {}, None)],
)  # fmt: skip
def test_operators_that_train_are_placeholders(tmp_path, node, opset, given, missing):
    """Older ones say so by their outputs, or train unless they are told to test."""
    count = given.pop("outputs", 1)
    arrays = {name: np.abs(f(6)) for name in ("scale", "shift", "mean", "variance")}
    arrays = arrays if node == "BatchNormalization" else {}
    outputs = ["y", *(f"s{at}" for at in range(1, count))]
    nodes = [((node, ["x", *arrays], outputs), given)]
    inputs = [("x", "FLOAT", ["n", 6])]
    found = onnx_file(tmp_path / "m.onnx", nodes, arrays, inputs, [("y", "FLOAT", None)], opset)
    whys = [one.why for one in found.network.missing]
    assert whys == [] if missing is None else missing in whys[0]


def test_biases_that_differ_from_row_to_row_are_no_biases(tmp_path):
    """A column of as many numbers as there are neurons was taken for their biases."""
    nodes = [(("Gemm", ["x", "w", "c"], ["y"]), {})]
    column = {"w": f(6, 4), "c": f(4, 1)}
    found = onnx_file(tmp_path / "m.onnx", nodes, column, [("x", "FLOAT", [4, 6])],
                      [("y", "FLOAT", [4, 4])])  # fmt: skip
    assert found.network.missing[0].why == "its biases differ from row to row"
    row = {**column, "c": column["c"].T}
    found = onnx_file(tmp_path / "m.onnx", nodes, row, [("x", "FLOAT", [4, 6])],
                      [("y", "FLOAT", [4, 4])])  # fmt: skip
    assert found.verified.outputs < 2e-6


@pytest.mark.parametrize("kind", ["Sum", "Max", "Min", "Mean"])
def test_what_joins_one_value_is_that_value(tmp_path, kind):
    nodes = [((kind, ["x"], ["t"]), {}), (("Tanh", ["t"], ["y"]), {})]
    found = onnx_file(tmp_path / "m.onnx", nodes, {}, [("x", "FLOAT", ["n", 6])],
                      [("y", "FLOAT", ["n", 6])])  # fmt: skip
    assert not found.network.missing
    assert found.verified.outputs < 1e-6


def test_a_number_for_each_row_is_one_feature(tmp_path):
    """As skl2onnx writes a Poisson regression: a vector of weights, and a column at the end."""
    nodes = [(("MatMul", ["x", "w"], ["z"]), {}), (("Add", ["z", "b"], ["s"]), {}),
             (("Exp", ["s"], ["e"]), {}), (("Reshape", ["e", "to"], ["y"]), {})]  # fmt: skip
    arrays = {"w": f(6) / 8, "b": f(1) / 8, "to": np.array([-1, 1])}
    inputs, ends = [("x", "FLOAT", ["n", 6])], [("y", "FLOAT", ["n", 1])]
    found = onnx_file(tmp_path / "m.onnx", nodes, arrays, inputs, ends)
    assert not found.network.missing
    assert found.verified.outputs < 1e-5
    softmax = [nodes[0], (("Softmax", ["z"], ["e"]), {"axis": -1}), nodes[3]]
    found = onnx_file(tmp_path / "m.onnx", softmax, arrays, inputs, ends)
    assert [one.what for one in found.network.missing] == ["Softmax"]


@pytest.mark.parametrize(("norm", "end"), [("L1", "Softmax"), ("L2", "Softmax"), ("L1", "Sigmoid")])
def test_shares_that_are_divided_by_their_sum_again(tmp_path, norm, end):
    """skl2onnx writes so behind the softmax of a logistic regression of several classes."""
    from onnx import TensorProto, helper, numpy_helper

    one, other = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
                  for name, width in (("x", 3), ("y", 4)))  # fmt: skip
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node(end, ["z"], ["a"]),
        helper.make_node("Normalizer", ["a"], ["y"], domain="ai.onnx.ml", norm=norm),
    ]
    graph = helper.make_graph(nodes, "g", [one], [other], [numpy_helper.from_array(f(3, 4), "w")])
    sets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=sets, ir_version=9)
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    found = imported(tmp_path / "m.onnx")
    if (norm, end) == ("L1", "Softmax"):
        assert found.verified.outputs < 1e-6
    else:
        assert [one.what for one in found.network.missing] == ["Normalizer"]
