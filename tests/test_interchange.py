"""Networks in and out without the other programs: files, programs in NumPy, refusals."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers_interchange import forward
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.errors import FileError, InterchangeError
from nodeflow.export import export
from nodeflow.graph import Node
from nodeflow.interchange import Asked, brainjs, fann, imported, layers_of
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.layers import Activation, Dense, Missing, Network, activation
from nodeflow.networks import network
from torture.starts import SNNS, WEKA

FANN = """FANN_FLO_2.1
num_layers=3
learning_rate=0.700000
connection_rate=1.000000
network_type=0
learning_momentum=0.000000
layer_sizes=3 4 3 
scale_included=0
neurons (num_inputs, activation_function, activation_steepness)=(0, 0, 0.0e+00) (0, 0, 0.0e+00) (0, 0, 0.0e+00) (3, 5, 2.5e-01) (3, 5, 2.5e-01) (3, 5, 2.5e-01) (0, 5, 2.5e-01) (4, 3, 5.0e-01) (4, 3, 5.0e-01) (0, 3, 0.0e+00) 
connections (connected_to_neuron, weight)=(0, 1.60255074501037597656e-01) (1, 6.32896780967712402344e-01) (2, -1.32557749748229980469e-01) (0, 5.99542260169982910156e-01) (1, 2.48598098754882812500e-01) (2, -4.22843515872955322266e-01) (0, -9.09650325775146484375e-01) (1, 1.14953517913818359375e-01) (2, 4.81001853942871093750e-01) (3, -6.55092835426330566406e-01) (4, 6.37943267822265625000e-01) (5, -8.60971212387084960938e-02) (6, -1.63402676582336425781e-01) (3, -5.87433099746704101562e-01) (4, -1.51352167129516601562e-01) (5, -8.95406603813171386719e-01) (6, 5.98107695579528808594e-01) 
"""  # noqa: E501, W291 (as fann_save of FANN 2.2.0 wrote it)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def outputs(graph, rows):
    """Return what a graph gives for rows, at the end that its cost takes."""
    end = next(wire.start for wire in graph.into("cost") if wire.input == "a")
    run = nf.Run(graph.set("x", value=np.asarray(rows, float).tolist()), batch="all")
    run.evaluate()
    return run[end]


def read(tmp_path, name, text, **how):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return imported(path, **how)


# --- in -----------------------------------------------------------------------------------------


def test_fann_gives_what_fann_run_gave(tmp_path):
    found = read(tmp_path, "f.net", FANN)
    assert found.format == "fann"
    got = outputs(found.graph, [[0.3, -0.7]])
    assert got[0] == pytest.approx([0.46343533036209145, 0.65977455260724172], abs=1e-15)
    assert found.as_dict()["layers"] == [2, 3, 2]


def test_snns_is_told_from_fann_by_its_first_line(tmp_path):
    found = read(tmp_path, "s.net", SNNS)
    assert found.format == "snns"
    x = np.array([[0.4, -0.9], [1.0, 2.0]])
    h = np.tanh(x @ np.array([[-1.5, 0.75], [2.0, 0.1]]).T + [0.5, -0.25])
    expected = sigmoid(h @ np.array([[-1.0, 3.0]]).T + 0.125)
    assert outputs(found.graph, x) == pytest.approx(expected, abs=1e-15)
    assert found.network.names == ("left", "right")


@pytest.mark.parametrize(
    ("kind", "out", "f"),
    [
        ("Act_Identity", "", lambda s, _: s),
        ("Act_IdentityPlusBias", "", lambda s, b: s + b),
        ("Act_Elliott", "", lambda s, b: (s + b) / (1 + abs(s + b))),
        ("Act_TanH_Xdiv2", "", lambda s, b: np.tanh((s + b) / 2)),
        ("Act_Perceptron", "", lambda s, b: (s >= b) * 1.0),
        ("Act_Exponential", "", lambda s, b: np.exp(-((s + b) ** 2) / 2)),
        ("Act_Softmax", "", lambda s, b: np.exp(-s - b)),  # no shares: SNNS has one unit at a time
        ("Act_Sinus", "", lambda s, b: np.sin(0.1 * (s + b))),
        ("Act_Signum", "", lambda s, _: np.where(s > 0, 1.0, -1.0)),
        ("Act_Signum0", "", lambda s, _: np.sign(s)),
        ("Act_LogSym", "", lambda s, b: sigmoid(s + b) - 0.5),
        ("Act_Logistic", "Out_Clip_01", lambda s, b: np.clip(sigmoid(s + b), 0, 1)),
        ("Act_IdentityPlusBias", "Out_Threshold05", lambda s, b: (s + b >= 0.5) * 1.0),
    ],
)
def test_activations_and_output_functions_of_snns(tmp_path, kind, out, f):
    text = SNNS.replace("|  3, 1, 0 |||", f"|  3, 1, 0 | {kind} | {out} |")
    text = text.replace(" 4: 3.00000,  3:-1.00000", " 4: 3.00000\n                 3:-1.00000")
    found = read(
        tmp_path, "s.net", text.replace("| o  |  3, 1, 0 |||", f"| o | 3,1,0 |{kind}|{out}|")
    )
    x = np.array([[0.4, -0.9], [1.0, 2.0], [-0.2, 0.1]])
    h = np.tanh(x @ np.array([[-1.5, 0.75], [2.0, 0.1]]).T + [0.5, -0.25])
    expected = f(h @ np.array([[-1.0, 3.0]]).T, 0.125)
    assert outputs(found.graph, x) == pytest.approx(expected, abs=1e-14)


FANN_SHORTCUTS = """FANN_FLO_2.1
num_layers=3
learning_rate=0.700000
connection_rate=1.000000
network_type=1
layer_sizes=3 1 1 
scale_included=0
neurons (num_inputs, activation_function, activation_steepness)=(0, 0, 0.0e+00) (0, 0, 0.0e+00) (0, 0, 0.0e+00) (3, 5, 5.0e-01) (4, 3, 5.0e-01) 
connections (connected_to_neuron, weight)=(0, 7.29910731315612792969e-01) (1, 3.59013438224792480469e-01) (2, -7.18725442886352539062e-01) (0, 4.72462177276611328125e-02) (1, 4.51071500778198242188e-01) (2, -9.19081032276153564453e-01) (3, 1.84604048728942871094e-01) 
"""  # noqa: E501, W291 (as fann_create_shortcut and fann_save of FANN 2.2.0 made it)


def test_shortcuts_join_the_layers_that_they_take(tmp_path):
    found = read(tmp_path, "f.net", FANN_SHORTCUTS).graph
    assert outputs(found, [[0.3, -0.7]])[0, 0] == pytest.approx(0.21637851689372387, abs=1e-16)
    assert {wire.source for wire in found.into("output.joined")} == {"hidden1_a", "x"}
    # So does the exclusive or of SNNS: its output takes the inputs beside the hidden unit.
    text = SNNS.replace("|      |  4: 3.00000,", "|      |  4: 3.00000,  2: 0.37500,  1:-0.62500,")
    graph = read(tmp_path, "s.net", text).graph
    x = np.array([[0.4, -0.9], [1.0, 2.0]])
    h = np.tanh(x @ np.array([[-1.5, 0.75], [2.0, 0.1]]).T + [0.5, -0.25])
    z = h @ np.array([[-1.0, 3.0]]).T + x @ np.array([[-0.625, 0.375]]).T + 0.125
    assert outputs(graph, x) == pytest.approx(sigmoid(z), abs=1e-15)
    for door in (found, graph):
        assert len(nf.Run(door).train(2)) == 2
        with pytest.raises(InterchangeError, match=r"\.onnx and \.py .* hold any graph"):
            layers_of(door)


def test_what_snns_computes_otherwise_is_no_weighted_sum(tmp_path):
    """A network of vector quantisation has units and links like any other."""
    text = SNNS.replace("Topological_Order", "Dynamic_LVQ")
    with pytest.raises(InterchangeError, match=r"computes by Dynamic_LVQ"):
        read(tmp_path, "s.net", text)
    found = read(tmp_path, "s.net", SNNS.replace("Act_TanH", "Act_RBF_Gaussian"))
    assert [(one.name, one.what) for one in found.network.missing] == [
        ("hidden1", "Act_RBF_Gaussian")
    ]
    assert found.network.width_of(found.network.inputs[0]) == 2
    with pytest.raises(InterchangeError, match="unit 3 feeds itself by way of others"):
        read(tmp_path, "s.net", SNNS.replace("  1:-1.50000", "  1:-1.50000, 5: 1.00000"))
    with pytest.raises(InterchangeError, match="have sites"):
        read(tmp_path, "s.net", SNNS.replace("| h  |  2, 1, 0 | Act_TanH ||",
                                             "| h  |  2, 1, 0 | Act_TanH ||inhibit"))  # fmt: skip


def test_units_of_snns_have_the_activation_of_their_type(tmp_path):
    types = """type definition section :

name  | act func | out func     | sites
------|----------|--------------|------
steep | Act_TanH | Out_Clip_01  |
------|----------|--------------|------


unit default section"""
    text = SNNS.replace("unit default section", types)
    text = text.replace("  5 |          | out      ", "  5 | steep    | out      ")
    x = np.array([[0.4, -0.9], [1.0, 2.0]])
    h = np.tanh(x @ np.array([[-1.5, 0.75], [2.0, 0.1]]).T + [0.5, -0.25])
    expected = np.clip(np.tanh(h @ np.array([[-1.0, 3.0]]).T + 0.125), 0, 1)
    found = outputs(read(tmp_path, "s.net", text).graph, x)
    assert found == pytest.approx(expected, abs=1e-15)


def test_weka_prints_a_network(tmp_path):
    found = read(tmp_path, "w.txt", WEKA)
    x = np.array([[0.4, -0.9], [1.0, 0.2]])
    h = sigmoid(x @ np.array([[2.0, -1.0], [0.5, 4.0]]).T + [0.125, -1.0])
    expected = sigmoid(h @ np.array([[1.5, -0.2], [-1.5, 0.25]]).T + [0.5, -0.5])
    assert outputs(found.graph, x) == pytest.approx(expected, abs=1e-15)
    assert found.network.names == ("petal length", "width")


OCTAVE = """# Created by Octave 7.3.0, Sat Nov 28 16:14:01 2026 UTC <user@host>
# name: lambda
# type: scalar
1


# name: Theta1
# type: matrix
# rows: 2
# columns: 3
 -0.43691187351942062 0.11236172914505005 -0.36125211417675018
 -0.33343824744224548 -0.46311107277870178 2e-05


# name: Theta2
# type: matrix
# rows: 1
# columns: 3
 0.10000000000000001 -0.5 0.25


"""  # as `save weights.mat lambda Theta1 Theta2` of Octave 7.3.0 writes it


def test_octave_writes_text_if_it_is_told_nothing_else(tmp_path):
    x = np.array([[0.3, -0.7]])
    theta = np.array([[-0.43691187351942062, 0.11236172914505005, -0.36125211417675018],
                      [-0.33343824744224548, -0.46311107277870178, 2e-05]])  # fmt: skip
    h = sigmoid(theta[:, 0] + x @ theta[:, 1:].T)
    expected = sigmoid(0.1 + h @ np.array([[-0.5, 0.25]]).T)
    assert outputs(read(tmp_path, "w.mat", OCTAVE).graph, x) == pytest.approx(expected, abs=1e-15)
    with pytest.raises(FileError, match="'Theta1' is not 3×3 real numbers"):
        read(tmp_path, "w.mat", OCTAVE.replace("rows: 2", "rows: 3"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [("sparse matrix\n# nnz: 3\n# rows: 3\n# columns: 3\n1 1 1.5\n2 2 -2\n3 3 3\n",
      "sparse matrix"),
     ("diagonal matrix\n# rows: 3\n# columns: 3\n2\n2\n2\n\n", "diagonal matrix"),
     ("permutation matrix\n# size: 2\n# orient: c\n2\n1\n", "permutation matrix"),
     ("int32 matrix\n# ndims: 2\n 2 2\n 1\n 3\n 2\n 4\n", "int32 matrix"),
     ("double_range\n# base, limit, increment\n1 3 1\n", "double_range")],
)  # fmt: skip
def test_matrices_that_octave_shortens_in_its_text_are_refused(tmp_path, said, kind):
    """Three places and values of a sparse 3×3 are nine numbers, and were taken for the matrix."""
    path = tmp_path / "net.mat"
    path.write_text(f"# Created by Octave 7.3.0\n# name: Theta1\n# type: {said}\n\n")
    with pytest.raises(nf.NodeflowError, match=rf"is stored as {kind}; Theta1 = double\(full"):
        imported(path)


def test_what_octave_and_matlab_save_otherwise(tmp_path):
    path = tmp_path / "w.mat"
    thetas = {"Theta1": np.eye(2, 3), "Theta2": np.ones((1, 3))}
    savemat(path, {name: csc_matrix(theta) for name, theta in thetas.items()})
    assert layers_of(imported(path).graph).steps[0].weights.tolist() == [[0, 0], [1, 0]]
    savemat(path, {**thetas, "Theta1": np.eye(2, 3) + 1j})
    with pytest.raises(FileError, match="complex numbers"):
        imported(path)
    savemat(path, {"Theta1": thetas["Theta1"], "Theta3": thetas["Theta2"]})
    with pytest.raises(InterchangeError, match="one is missing among Theta1, Theta3"):
        imported(path)
    for begin in (b"\x89HDF\r\n", b"Octave-1-L", b"\x1f\x8b"):
        path.write_bytes(begin + bytes(600))
        with pytest.raises(FileError, match="save it with -v7"):
            imported(path)


def test_thetas_of_the_course_have_the_bias_in_column_0(tmp_path):
    r = np.random.default_rng(0)
    one, two = r.normal(size=(25, 401)), r.normal(size=(10, 26))
    savemat(tmp_path / "ex4weights.mat", {"Theta1": one, "Theta2": two})
    found = imported(tmp_path / "ex4weights.mat")
    x = r.uniform(size=(5, 400))
    with_one = lambda a: np.column_stack([np.ones(len(a)), a])  # noqa: E731
    hidden = sigmoid(with_one(x) @ one.T)
    assert outputs(found.graph, x) == pytest.approx(sigmoid(with_one(hidden) @ two.T), abs=1e-14)


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "relu", "leaky-relu"])
def test_brain_js(tmp_path, kind):
    document = {
        "type": "NeuralNetwork", "sizes": [2, 2, 1],
        "layers": [{"weights": [], "biases": []},
                   {"weights": [[0.5, -1.0], [2.0, 0.25]], "biases": [0.1, -0.2]},
                   {"weights": [[1.5, -0.5]], "biases": [0.3]}],
        "inputLookup": {"r": 0, "g": 1},
        "options": {"activation": kind}, "trainOpts": {"leakyReluAlpha": 0.05},
    }  # fmt: skip
    found = read(tmp_path, "b.json", json.dumps(document))
    f = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0),
         "leaky-relu": lambda z: np.where(z > 0, z, 0.05 * z)}[kind]  # fmt: skip
    x = np.array([[0.4, -0.9], [1.0, 0.2]])
    h = f(x @ np.array([[0.5, -1.0], [2.0, 0.25]]).T + [0.1, -0.2])
    assert outputs(found.graph, x) == pytest.approx(f(h @ [[1.5], [-0.5]] + 0.3), abs=1e-15)
    assert found.network.names == ("r", "g")


BRAIN_1 = """{"sizes":[2,2,2],"layers":[{"r":{},"g":{}},{"0":{"bias":0.1022455096244812,
"weights":{"r":0.15882641077041626,"g":-0.08818657696247101}},"1":{"bias":-0.05270186811685562,
"weights":{"r":0.027005504816770554,"g":0.14730125665664673}}},{"a":{"bias":-0.08055654168128967,
"weights":{"0":-0.0721169114112854,"1":-0.1700986623764038}},"b":{"bias":1.5454668998718262,
"weights":{"0":0.07373339682817459,"1":-0.11894120275974274}}}],"outputLookup":true,
"inputLookup":true,"activation":"leaky-relu","trainOpts":{"iterations":5,"errorThresh":0.005,
"log":false,"logPeriod":10,"learningRate":0.3,"momentum":0.1,"callbackPeriod":10,"beta1":0.9,
"beta2":0.999,"epsilon":1e-8}}"""
"""Of brain.js 1.6.1, trained for a moment: `run({r: 0.3, g: -0.4})` gave the numbers below."""


def test_brain_js_of_npm_has_names_for_nodes(tmp_path):
    found = read(tmp_path, "b.json", BRAIN_1)
    assert found.network.names == ("r", "g")
    got = outputs(found.graph, [[0.3, -0.4]])
    assert got[0] == pytest.approx([0, 0.015456033870577812], abs=1e-9)
    back = tmp_path / "again.json"
    nf.save(found.graph, tmp_path / "g.json")
    assert main(["export", str(tmp_path / "g.json"), str(back), "--for", "brainjs"]) == 0
    document = json.loads(back.read_text())
    assert document["layers"][1]["1"]["weights"] == {
        "0": 0.027005504816770554, "1": 0.14730125665664673
    }  # fmt: skip
    assert document["activation"] == "leaky-relu"
    again = imported(back).graph
    assert outputs(again, [[0.3, 0.9]]) == pytest.approx(outputs(found.graph, [[0.3, 0.9]]))
    usual = network((2, 3, 1), activation="leaky_relu", output="leaky_relu")
    with pytest.raises(InterchangeError, match="is 0 below 0 and leaks above"):
        export(usual, tmp_path / "o.json", program="brainjs")
    export(usual, tmp_path / "o.json", program="brainjs2")
    assert json.loads((tmp_path / "o.json").read_text())["type"] == "NeuralNetwork"


def test_safetensors_needs_to_be_told_how_weights_are_connected(tmp_path):
    from safetensors.numpy import save_file

    r = np.random.default_rng(1)
    arrays = {"fc1.weight": r.normal(size=(4, 3)), "fc1.bias": r.normal(size=4),
              "fc10.weight": r.normal(size=(2, 4)), "fc10.bias": r.normal(size=2)}  # fmt: skip
    save_file(arrays, tmp_path / "w.safetensors")
    with pytest.raises(InterchangeError, match="give --layers such as 7-5-3 and --activation"):
        imported(tmp_path / "w.safetensors")
    asked = Asked((3, 4, 2), "tanh", "softmax")
    found = imported(tmp_path / "w.safetensors", asked=asked)
    x = r.normal(size=(6, 3))
    z = np.tanh(x @ arrays["fc1.weight"].T + arrays["fc1.bias"]) @ arrays["fc10.weight"].T
    e = np.exp(z + arrays["fc10.bias"])
    assert outputs(found.graph, x) == pytest.approx(e / e.sum(axis=1, keepdims=True), abs=1e-14)
    with pytest.raises(InterchangeError, match="needs weights of 5×3, 2×5, and the file has"):
        imported(tmp_path / "w.safetensors", asked=Asked((3, 5, 2), "tanh"))
    with pytest.raises(InterchangeError, match="there is no activation 'tan'"):
        imported(tmp_path / "w.safetensors", asked=Asked((3, 4, 2), "tan"))


@pytest.mark.parametrize(
    "kind",
    ["elu", "selu", "silu", "gelu_tanh", "softsign", "hard_sigmoid", "hard_tanh", "relu6",
     "log_sigmoid", "mish", "hard_silu", "leaky_relu"],
)  # fmt: skip
def test_formulas_of_activations_are_finite_far_out(kind):
    made = activation("a", kind, alpha=0.2)
    steps = (Dense("d", np.eye(1)), made)
    graph = graph_of(Network(steps, "a test"))
    far = np.array([[-800.0], [-30.0], [-1.0], [0.5], [30.0], [800.0]])
    assert np.isfinite(outputs(graph, far)).all()
    run = nf.Run(graph.set("x", value=far.tolist()).set("y", value=[[0.0]] * 6), batch="all")
    run.evaluate()
    assert np.isfinite(run.gradient("d.weight.value")).all()
    assert nf.check(graph.set("x", value=[[0.3], [-0.7]]).set("y", value=[[0.1]] * 2)).valid


def test_what_has_no_counterpart_is_a_placeholder_and_what_is_before_it_runs(tmp_path):
    steps = (
        Dense("a", np.array([[1.0, 2.0]]), np.array([0.5])),
        Activation("a_a", "tanh"),
        Missing("conv", "conv2d", "nodeflow has no convolution"),
        Dense("b", np.array([[3.0]]), None),
        Activation("b_a", "sigmoid"),
    )
    graph = graph_of(Network(steps, "a test"))
    path = tmp_path / "g.json"
    nf.save(graph, path)
    again = nf.load(path)
    assert again.nodes["conv"].type == "conv2d"
    assert "no convolution" in again.about
    run = nf.Run(again.set("x", value=[[0.1, 0.2]]), strict=False)
    run.evaluate()
    assert run["a_a.a"][0, 0] == pytest.approx(np.tanh(0.1 + 0.4 + 0.5))


def test_the_command_says_what_it_made(tmp_path, capsys):
    (tmp_path / "f.net").write_text(FANN)
    out = tmp_path / "g.json"
    words = ["import", str(tmp_path / "f.net"), "-o", str(out)]
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "format": "fann", "layers": [2, 3, 2], "nodes": 12, "not_imported": [], "verified": None,
    }  # fmt: skip
    graph = nf.load(out)
    assert graph.training.batch == 1
    nf.Run(graph).train(epochs=1)
    assert nf.unfold(graph).of_type("weight_update")
    assert main(words) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0
    assert "2-3-2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.net", "hello\n", "its first line is not FANN_FLO_2.1"),
        ("a.net", "FANN_FIX_2.0\n", "fixed point"),
        ("a.net", "FANN_FLO_2.1\n", "is damaged"),
        ("a.net", FANN.replace("(6, 5.98", "(11, 5.98"), "which is in no layer before it"),
        (
            "a.net",
            SNNS.replace("h  |  2, 2", "q  |  2, 2").replace("4 |      |", "9 |      |"),
            "is no input and takes nothing",
        ),
        ("a.txt", "hello", "no MultilayerPerceptron of Weka"),
        ("a.json", "{}", "no network of brain.js"),
        ("a.json", "[", "is no JSON"),
        ("a.safetensors", "hello", "cannot be read as safetensors"),
        ("a.mat", "hello", "cannot be read as a .mat file"),
        ("a.pt2", "hello", "is no exported program"),
        ("a.pt", "hello", "is no file of PyTorch"),
        ("a.keras", "hello", "is no model of Keras 3"),
        ("a.xyz", "hello", "its ending says nothing of a format"),
        ("a.pkl", "hello", "is a pickle"),
        ("a.joblib", "hello", "is a pickle"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, capsys, name, text, sentence):
    (tmp_path / name).write_text(text)
    assert main(["import", str(tmp_path / name), "-o", str(tmp_path / "o.json")]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "o.json").exists()


def test_a_missing_file_and_a_pickle_of_weights(tmp_path, capsys):
    for name in ("a.onnx", "a.keras", "a.pt2", "a.net", "a.json"):
        assert main(["import", str(tmp_path / name), "-o", str(tmp_path / "o.json")]) == 1
        assert "there is no such file" in (said := capsys.readouterr().err)  # and of no library
        assert said.count("\n") == 1
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"a": 1}))
    assert main(["import", str(tmp_path / "a.pt"), "-o", str(tmp_path / "o.json")]) == 1
    assert "pickle" in capsys.readouterr().err


def test_layers_that_do_not_fit_are_named():
    one, two = Dense("one", np.ones((3, 2))), Dense("two", np.ones((1, 4)))
    with pytest.raises(InterchangeError, match=r"'two' takes 4 features, and .* gives 3"):
        graph_of(Network((one, two), "a test"))
    with pytest.raises(InterchangeError, match="holds NaN"):
        graph_of(Network((Dense("one", np.full((1, 1), np.nan)),), "a test"))
    with pytest.raises(InterchangeError, match="2 biases"):
        graph_of(Network((Dense("one", np.ones((3, 2)), np.ones(2)),), "a test"))


# --- out, and in again --------------------------------------------------------------------------


@pytest.fixture
def trained():
    graph = network((3, 4, 2), activation="sigmoid", output="sigmoid")
    run = nf.Run(graph, seed=3)
    return graph, {key: np.array(value) + 0.1 for key, value in run.weights.items()}


def _whose(name):
    return {"o.json": ["--for", "brainjs"], "o2.json": ["--for", "brainjs2"]}.get(name, [])


@pytest.mark.parametrize("name", ["o.safetensors", "o.mat", "o.net", "o.json", "o2.json"])
def test_round_trips_keep_every_bit(tmp_path, trained, name):
    graph, _ = trained
    graph_file, out = tmp_path / "g.json", tmp_path / name
    nf.save(graph, graph_file)
    words = ["export", str(graph_file), str(out)]
    assert main([*words, *_whose(name)]) == 0
    asked = Asked((3, 4, 2), "sigmoid", "sigmoid")
    found = imported(out, format_="brainjs" if name.endswith("json") else None, asked=asked)
    ours = [step for step in layers_of(graph).steps if isinstance(step, Dense)]
    theirs = [step for step in found.network.steps if isinstance(step, Dense)]
    for one, other in zip(ours, theirs, strict=True):
        assert (one.weights == other.weights).all()
        assert (one.bias == other.bias).all()
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert outputs(found.graph, x) == pytest.approx(forward(layers_of(graph), x), abs=1e-15)


def test_mat_is_what_octave_reads(tmp_path, trained):
    graph, _ = trained
    nf.save(graph, tmp_path / "g.json")
    assert main(["export", str(tmp_path / "g.json"), str(tmp_path / "o.mat")]) == 0
    found = loadmat(tmp_path / "o.mat")
    weights = nf.Run(graph).weights
    assert (found["Theta1"][:, 1:] == weights["theta1.value"]).all()
    assert (found["Theta1"][:, 0] == weights["bias1.value"]).all()
    preset = ("its layers have sigmoids; --activation and --output name others",)
    assert imported(tmp_path / "o.mat").network.notes == preset
    assert imported(tmp_path / "o.mat", asked=Asked(activation="tanh")).network.notes == ()


def test_what_is_no_chain_is_refused_with_the_way(tmp_path):
    graph = nf.explode(network((3, 4, 2)), "hidden")
    with pytest.raises(InterchangeError, match="nodeflow collapse"):
        layers_of(graph)
    with pytest.raises(InterchangeError, match="0 costs"):
        layers_of(nf.Graph().add("x", "constant", value=[1.0]))
    path = tmp_path / "g.json"
    nf.save(network((3, 4, 2), activation="tanh", output="sigmoid"), path)
    graph = nf.load(path)
    with pytest.raises(InterchangeError, match="one activation for all layers"):
        export(graph, tmp_path / "o.json", program="brainjs")


@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.joblib.gz", "m.pkl.z", "m.dat", "m"])
def test_a_pickle_is_told_by_its_name_or_its_first_bytes(tmp_path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps([1.0]))
    with pytest.raises(InterchangeError, match="is a pickle, which could run anything"):
        imported(tmp_path / name)
    (tmp_path / "m.model.net").write_bytes(pickle.dumps([1.0]))
    with pytest.raises(FileError, match="is no network of FANN"):
        imported(tmp_path / "m.model.net")


@pytest.mark.parametrize(
    ("arrays", "way"),
    [({"W1": np.eye(2), "b1": np.ones(2)}, r"Theta1 = \[b1 W1\]"),
     ({"nn_params": np.ones(9)}, "reshape"), ({"net": {"IW": np.eye(2)}}, r"it has net\. .*net\.b"),
     ({"X": np.eye(3)}, "one row per neuron")],
)  # fmt: skip
def test_a_mat_file_without_thetas_says_how_to_make_them(tmp_path, arrays, way: str) -> None:
    savemat(tmp_path / "m.mat", arrays)
    with pytest.raises(InterchangeError, match=way):
        imported(tmp_path / "m.mat")


def test_of_fann_connections_that_are_not_there_and_old_files_are_said(tmp_path) -> None:
    """As fann_create_sparse makes them; FANN 1 wrote its numbers without their names."""
    sparse = FANN.replace("(3, 5, 2.5e-01)", "(2, 5, 2.5e-01)", 1)
    sparse = sparse.replace("(2, -1.32557749748229980469e-01) ", "")
    found = read(tmp_path, "m.net", sparse)
    assert nf.Run(found.graph).weights["hidden1.weight.value"][0].tolist()[1] != 0
    assert found.network.notes == (
        "1 connection is not there in the file: where one is missing the weight is 0 here, and is "
        "trained",
    )
    with pytest.raises(FileError, match=r"before 2\.0.*fann_save"):
        read(tmp_path, "old.net", "FANN_FLO_1.1\n3 0.700000 1.000000 0 4 4 0.5 0.5\n3 4 3\n")


def test_nothing_is_unpickled(tmp_path):
    """A state dictionary without PyTorch is refused, and a file's code never runs."""
    ran = tmp_path / "ran"

    class Harmless:
        def __reduce__(self):
            return (ran.write_text, ("x",))

    for name in ("a.pt", "a.pkl", "a.pth"):
        (tmp_path / name).write_bytes(pickle.dumps(Harmless()))
        with pytest.raises((InterchangeError, FileError)):
            imported(tmp_path / name)
    assert not ran.exists()


def test_modes_that_change_what_is_computed_are_refused():
    graph = network((3, 4, 2))
    nodes = {**graph.nodes, "hidden_a": replace(graph.nodes["hidden_a"], mode="bypass")}
    with pytest.raises(InterchangeError, match="set to bypass"):
        layers_of(replace(graph, nodes=nodes))
    assert isinstance(nodes["hidden_a"], Node)


def test_scalings_go_into_the_weights_of_what_holds_weights_alone(tmp_path):
    graph = network((2, 3, 2), data="moons", activation="tanh", output="sigmoid", seed=4)
    first = next(wire for wire in graph.wires if wire.input == "a" and wire.source == "data")
    graph = graph.add("middle", "constant", value=[0.5, -0.25]).add(
        "scaled", "expression", formula="(rows - middle) / 4"
    )
    graph = graph.disconnect(first.start, first.end).connect(first.start, "scaled.rows")
    graph = graph.connect("middle.value", "scaled.middle").connect("scaled.value", first.end)
    rows = np.array([[0.3, -0.7], [2.0, 1.0]])
    expected = forward(layers_of(graph), rows)
    plain = sigmoid(np.tanh((rows - [0.5, -0.25]) / 4 @ nf.Run(graph).weights["theta1.value"].T
                            + nf.Run(graph).weights["bias1.value"])
                    @ nf.Run(graph).weights["theta2.value"].T
                    + nf.Run(graph).weights["bias2.value"])  # fmt: skip
    assert expected == pytest.approx(plain, abs=1e-15)
    made = export(graph, tmp_path / "m.mat")
    assert "'scaled' is in the weights of 'hidden'" in made.said
    theta = loadmat(tmp_path / "m.mat")
    a = np.tanh(theta["Theta1"] @ np.vstack([np.ones(2), rows.T]))
    found = sigmoid(theta["Theta2"] @ np.vstack([np.ones(2), a])).T
    assert found == pytest.approx(plain)


def test_a_second_activation_is_not_dropped():
    twice = Network(
        (Dense("a", np.eye(2)), activation("t", "tanh"), activation("s", "sigmoid")), "x"
    )
    for door in (fann.write, brainjs.write):
        with pytest.raises(InterchangeError, match=r"'s' follows no weighted sum.*\.onnx"):
            door(twice)


@pytest.mark.parametrize("style", ["torch", "flax", "haiku", "plain"])
def test_weights_of_other_libraries_in_safetensors(style, tmp_path):
    """Flax and Haiku have (in, out), and say so by a name; of others the sizes say it."""
    from safetensors.numpy import save_file

    r = np.random.default_rng(0)
    sizes = (4, 3, 2) if style == "plain" else (4, 4, 4, 2)
    weights = [r.normal(size=(out, into)) for into, out in pairwise(sizes)]
    biases = [r.normal(size=len(w)) for w in weights]
    names = {"torch": ("l{}.weight", "l{}.bias"),
             "flax": ("params/Dense_{}/kernel", "params/Dense_{}/bias"),
             "haiku": ("mlp.linear_{}.w", "mlp.linear_{}.b"),
             "plain": ("l{}.weight", "l{}.bias")}[style]  # fmt: skip
    arrays = {}
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        kept = w if style == "torch" else w.T
        arrays[names[0].format(number)] = np.ascontiguousarray(kept)
        arrays[names[1].format(number)] = b
    save_file(arrays, tmp_path / "w.safetensors")
    network = imported(tmp_path / "w.safetensors", asked=Asked(sizes, "tanh")).network
    x = r.normal(size=(5, 4))
    value = x
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        value = value @ w.T + b
        value = value if number == len(weights) - 1 else np.tanh(value)
    assert forward(network, x) == pytest.approx(value, abs=1e-14)
    said = "by their sizes, weights are (in, out) in the file"
    assert (said in network.notes) == (style == "plain")
    preset = "its outputs have no activation; --output sigmoid would give them one"
    assert preset in network.notes
    asked = Asked(sizes, "tanh", "identity")
    assert preset not in imported(tmp_path / "w.safetensors", asked=asked).network.notes


def test_bfloat16_in_safetensors_and_numbers_that_are_packed(tmp_path):
    import json

    def written(kind, data, shape):
        head = {"a.weight": {"dtype": kind, "shape": shape, "data_offsets": [0, len(data)]}}
        text = json.dumps(head).encode()
        text += b" " * (-len(text) % 8)
        (tmp_path / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
        return imported(tmp_path / "w.safetensors", asked=Asked((2, 1)))

    numbers = np.array([[1.5, -0.0078125]], np.float32)
    halves = (numbers.view(np.uint32) >> 16).astype("<u2").tobytes()
    network = written("BF16", halves, [1, 2]).network
    assert network.steps[0].weights.tolist() == [[1.5, -0.0078125]]
    assert network.notes[0] == "bfloat16 was converted to float64"
    with pytest.raises(nf.NodeflowError, match="holds F8_E4M3, packed numbers"):
        written("F8_E4M3", b"\0\0", [1, 2])


def test_options_that_say_nothing_are_told(tmp_path, capsys):
    """What a file says itself is not changed by an option, and nobody should think it was."""
    (tmp_path / "f.net").write_text(FANN)
    words = ["import", str(tmp_path / "f.net"), "-o", str(tmp_path / "g.json")]
    assert main([*words, "--layers", "9-9", "--activation", "relu"]) == 0
    said = capsys.readouterr().err
    assert "--layers and --activation were not needed: the file itself says" in said
    assert main([*words, "--force"]) == 0
    assert "not needed" not in capsys.readouterr().err


def test_an_activation_that_no_layer_takes_is_checked_all_the_same(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a.weight": np.ones((2, 3)), "a.bias": np.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(InterchangeError, match="there is no activation 'frob'"):
        imported(tmp_path / "w.safetensors", asked=Asked((3, 2), "frob"))
