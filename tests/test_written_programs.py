"""Programs that are written down from graphs: executed, they come to nodeflow's own weights."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from handwired import wired

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.formula import names, parse
from nodeflow.graph import Node
from nodeflow.interchange.programs import write, written
from nodeflow.interchange.programs.writing import DATA
from nodeflow.networks import network

GRAPHS = (
    "mazur-neurons-unfolded", "two-weights-biases-unfolded", "one-neuron", "four-layers",
    "feedback-alignment", "wheat-softmax", "spiral", "polynomial", "blame-game",
    "wheat-seeds-neurons-unfolded", "symmetry-random", "starts-naive-bayes", "lambda",
)  # fmt: skip
"""By hand, by neurons, sample by sample, with Adam, penalties, formulas, test rows."""


def executed(text, beside=None):
    """Return the variables that a program leaves, and what it printed; it may have data beside."""
    with tempfile.TemporaryDirectory() as folder:
        if beside is not None:
            Path(folder, f"FILE{DATA}").write_bytes(beside)
        return run_in(Path(folder, "FILE.py"), text)


def run_in(file, text):
    space = {"__name__": "__main__", "__file__": str(file)}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "program", "exec"), space)
    return space, out.getvalue().splitlines()


def of_graph(name):
    return nf.load(Path(__file__).parents[1] / "graphs" / f"{name}.json")


def compare(graph, kind="numpy", epochs=1, within=1e-12):
    """Check the weights and the costs that a program comes to."""
    made = written(graph, kind, epochs=epochs)
    text = made.text
    imports = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    assert set(imports) <= {"numpy", "torch", "jax", "base64", "math", "scipy", "zlib",
                            "pathlib"}  # fmt: skip
    space, printed = executed(text, made.beside)
    run = nf.Run(graph)
    history = run.train(epochs)
    assert run.weights
    for address, value in run.weights.items():
        name = re.sub(r"\W+", "_", address.removesuffix(".value"))
        if name not in space:  # it is connected to nothing
            assert np.array_equal(value, nf.Run(graph).weights[address])
            continue
        found = space[name]
        found = found.detach().numpy() if hasattr(found, "detach") else np.asarray(found)
        size = max(1.0, float(np.abs(value).max()))
        assert found.shape == value.shape
        assert np.abs(found - value).max() <= within * size, address
    costs = [float(re.search(r"cost (\S+)", line)[1]) for line in printed if "cost" in line]
    assert costs == pytest.approx([line["cost"] for line in history], rel=within)
    rights = [re.findall(r"right (\S+)|test rows (\S+)", line) for line in printed]
    for line, found in zip(history, rights, strict=False):
        known = [line["train_accuracy"], line.get("test_accuracy")]
        given = [float(a or b) for a, b in found]
        # Where a last bit grows, some rows are on the other side of an answer.
        close = 1e-15 if within <= 1e-10 else within
        assert given == [pytest.approx(k, abs=close) for k in known if k is not None][: len(given)]
    return text


@pytest.mark.parametrize("name", GRAPHS)
def test_a_program_in_numpy_comes_to_the_weights_of_the_graph(name):
    compare(of_graph(name))


def test_outputs_that_are_compared_one_by_one_are_judged_together():
    from test_repeating import HIDDEN, OUTPUT, one_by_one

    from nodeflow.derive.repeating import repeat

    graph = repeat(repeat(one_by_one(), HIDDEN, 2), OUTPUT, 3)
    assert "argmax" in compare(graph.set("data", test=0.2), epochs=2)


@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy", "categorical_cross_entropy"])
@pytest.mark.parametrize(
    "activation", ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity"]
)
def test_every_activation_and_cost_is_written(activation, cost):
    output = {"cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}.get(
        cost, activation
    )
    graph = network((2, 5, 4, 2), data="moons", activation=activation, output=output, cost=cost,
                    batch=10, seed=3)  # fmt: skip
    compare(graph.set("train", rate=0.05), epochs=2)


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy", "categorical_cross_entropy"])
def test_every_output_goes_with_every_cost(last, cost):
    graph = network((2, 5, 2), data="moons", activation="tanh", output="sigmoid", batch=10)
    nodes = {"output_a": Node(last), "cost": Node(cost)}
    graph = replace(graph, nodes={**graph.nodes, **nodes})
    compare(graph.set("train", rate=0.05))


def test_outputs_that_are_their_sums_are_counted():
    """An identity has no line of its own; accuracy is counted from what it passes on."""
    from networks import net

    graph = net("blobs", (2, 2, 3), last="identity", rate=0.1, accuracy=False)
    compare(graph)
    compare(nf.unfold(graph))
    assert "right" in executed(written(graph, "numpy", epochs=1).text)[1][0]


@pytest.mark.parametrize("unfolded", [False, True])
@pytest.mark.parametrize(
    ("trainer", "settings"),
    [("gradient_descent", {"momentum": 0.9}), ("adam", {"beta1": 0.8, "epsilon": 1e-6})],
)
def test_trainers_are_written(trainer, settings, unfolded):
    graph = network((2, 4, 2), data="moons", trainer=trainer, regularization=0.01, batch="all")
    graph = graph.set("train", rate=0.05, **settings)
    compare(nf.unfold(graph) if unfolded else graph, epochs=3)


def test_an_edited_backward_pass_is_written_as_it_is():
    graph = nf.unfold(network((2, 3, 2), data="moons", rate=0.7))
    update = graph.of_type("weight_update")[0]
    wire = next(w for w in graph.into(update) if w.input == "gradient")
    edited = graph.disconnect(wire.start, wire.end).add("twice", "expression", formula="2 * g")
    edited = edited.connect(wire.start, "twice.g").connect("twice.value", wire.end)
    text = compare(edited)
    assert "twice = 2 * " in text


def test_formulas_keep_their_brackets():
    formulas = ("a - (b - a)", "a / (b * 2)", "(-a) ^ 2", "-a ^ 2", "2 ^ -a", "a - b - a",
                "a / b / 2", "max(0, a) + min(b, 1) - max(a, b)", "step(a) * sign(b) + abs(-a)",
                "sqrt(exp(a)) * log(2 + cos(b)) + pi * e + erf(a)")  # fmt: skip
    rows = np.random.default_rng(0).uniform(0.2, 1, (4, 2))
    for formula in formulas:
        y, x = nf.constant(id="y", value=rows.tolist()), nf.constant(id="x", value=rows.tolist())
        z = nf.weighted_sum(x, nf.parameter(id="w", value=[[1.0, 2.0], [0.5, -1.0]]), id="z")
        given = {"a": z, "b": x}
        used = [given[name] for name in names(parse(formula))]
        value = nf.expression(*used, formula=formula, id="f")
        value = nf.expression(value, formula="0.1 * u", id="small")
        cost = nf.squared_error(value, y, id="cost")
        graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.001, id="train"))
        compare(graph, epochs=2)


@pytest.mark.parametrize("form", ["nodes", "steps"])
@pytest.mark.parametrize("batch", [1, 8, "all"])
@pytest.mark.parametrize("apart", [{}, {"wire_rate": False}, {"cost": False}])
def test_a_backward_pass_wired_by_hand_is_written(form, batch, apart):
    compare(wired(form=form, batch=batch, **apart), epochs=2)


def test_names_of_every_script_and_of_python_itself_are_variables():
    x = nf.constant(id="x", value=[[1.0, 2.0]])
    w, b = nf.parameter(id="lambda", value=[[1.0, 2.0]]), nf.parameter(id="np", value=[0.5])
    z = nf.weighted_sum(x, w, b, id="总和")
    cost = nf.squared_error(z, nf.constant(id="total", value=[[1.0]]), id="print")
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.01, id="train"))
    space, _ = executed(write(graph, epochs=1))
    run = nf.Run(graph)
    run.train(1)
    assert space["lambda_2"] == pytest.approx(run.weights["lambda.value"])
    assert space["np_2"] == pytest.approx(run.weights["np.value"])
    assert "总和" in space


def test_quotes_in_a_description_end_no_text():
    graph = network((2, 2, 2), data="moons")
    hostile = replace(graph, name='"""\nimport os', about='end """ \\" \\\nprint("ran")')
    _, printed = executed(write(hostile, epochs=1))
    assert not [line for line in printed if line.startswith("ran")]


def test_many_numbers_are_packed_and_come_out_again():
    graph = of_graph("digits")
    text = compare(graph)
    assert "unpacked(" in text
    assert max(map(len, text.splitlines())) < 300


@pytest.mark.parametrize("method", ["cg", "l-bfgs"])
@pytest.mark.parametrize("cost", ["squared_error", "categorical_cross_entropy"])
def test_a_search_is_scipys(method, cost):
    output = "softmax" if cost.startswith("categorical") else "sigmoid"
    graph = network((2, 4, 2), data="moons", trainer="minimize", regularization=0.01, batch="all",
                    output=output, cost=cost)  # fmt: skip
    text = compare(graph.set("train", method=method), epochs=6, within=1e-9)
    assert "from scipy.optimize import minimize" in text
    for epochs in (0, 1):
        space, printed = executed(write(graph.set("train", method=method), epochs=epochs))
        run = nf.Run(graph.set("train", method=method))
        run.train(epochs)
        assert space["theta1"] == pytest.approx(run.weights["theta1.value"], rel=1e-10)
        assert sum(line.startswith("epoch") for line in printed) == epochs


def test_a_logarithm_of_shares_is_forward():
    """A log-softmax on the way to a cost is no part of the backward pass, whatever its family."""
    graph = network((2, 4, 2), data="moons", activation="tanh", output="softmax",
                    cost="categorical_cross_entropy", batch=10)  # fmt: skip
    graph = graph.remove("output_a", "cost").add("logs", "log_softmax")
    graph = graph.add("cost", "squared_error").connect("output.z", "logs.z")
    graph = graph.connect("logs.log", "cost.a").connect("data.y", "cost.y")
    graph = graph.connect("cost.cost", "train.cost")
    for key in graph.of_type("accuracy"):
        graph = graph.connect("logs.log", f"{key}.a")
    text = compare(graph, epochs=2)
    forward = text[text.index("# forward") : text.index("# backward")]
    assert "logs = log_softmax(output)" in forward
    assert nf.Run(graph).plan.phases["logs"] == 0


def test_a_frozen_parameter_is_not_searched():
    graph = network((2, 4, 2), data="moons", trainer="minimize", batch="all")
    compare(graph.with_mode("bias1", "freeze"), epochs=4, within=1e-9)


def test_what_is_too_large_for_a_text_lies_beside_it(tmp_path, monkeypatch, capsys):
    for name in ("MOST_IN_TEXT", "MOST_NUMBERS"):
        monkeypatch.setattr(f"nodeflow.interchange.programs.writing.{name}", 250)
    graph = network((2, 3, 2), data="moons", batch=10, seed=2)
    path, out = tmp_path / "g.json", tmp_path / "own.name.py"
    nf.save(graph, path)
    assert main(["export", str(path), str(out), "--epochs", "1"]) == 0
    assert "NAME.data.npz" in capsys.readouterr().out
    space = {"__name__": "__main__", "__file__": str(out)}
    text = out.read_text("utf-8")
    assert 'X = DATA["X"]' in text
    exec(compile(text, "program", "exec"), space)
    run = nf.Run(graph)
    run.train(1)
    assert space["theta1"] == pytest.approx(run.weights["theta1.value"], abs=1e-12)


def test_the_command_writes_a_program(tmp_path, capsys):
    path, out = tmp_path / "g.json", tmp_path / "o.py"
    nf.save(network((2, 3, 2), data="moons"), path)
    assert main(["export", str(path), str(out), "--code", "numpy", "--epochs", "1"]) == 0
    _, printed = executed(out.read_text("utf-8"))
    assert printed[0].startswith("epoch 0  cost ")
    assert main(["export", str(path), str(tmp_path / "o.svg"), "--code", "jax"]) == 2
    capsys.readouterr()


@pytest.mark.programs("torch")
@pytest.mark.parametrize("unfolded", [False, True])
@pytest.mark.parametrize("name", ["wheat-softmax", "spiral", "lambda", "mazur-neurons-unfolded"])
def test_a_program_in_pytorch(name, unfolded):
    graph = of_graph(name)
    text = compare(nf.unfold(graph) if unfolded else graph, "torch", within=1e-10)
    assert (".backward()" in text) is (not unfolded and "unfolded" not in name)


@pytest.mark.programs("torch", "jax")
@pytest.mark.parametrize("kind", ["torch", "jax"])
def test_a_search_in_other_libraries(kind):
    graph = network((2, 4, 2), data="moons", trainer="minimize", regularization=0.01, batch="all")
    compare(graph, kind, epochs=4, within=1e-8)


@pytest.mark.programs("jax")
@pytest.mark.parametrize("unfolded", [False, True])
@pytest.mark.parametrize("name", ["wheat-softmax", "lambda", "mazur-neurons-unfolded"])
def test_a_program_in_jax(name, unfolded):
    graph = of_graph(name)
    text = compare(nf.unfold(graph) if unfolded else graph, "jax", within=1e-10)
    assert ("value_and_grad" in text) is (not unfolded and "unfolded" not in name)


def lines_of(name, kind="numpy"):
    text = write(of_graph(name), kind, epochs=1)
    return text[text.index("for epoch in") :].splitlines()


def test_what_moves_a_parameter_stands_together():
    """Of Adam the means of all parameters came first, and names were given back at the end."""
    lines = lines_of("spiral")
    update = [line.strip() for line in lines[lines.index("    # update") + 1 :]]
    update = update[: update.index("")]
    assert update[:8] == [
        "train_time = train_time + 1",
        "bias3_mean_kept = 0.9 * bias3_mean",
        "bias3_mean = bias3_mean_kept + 0.09999999999999998 * bias3_average",
        "bias3_squared = bias3_average * bias3_average",
        "bias3_size_kept = 0.999 * bias3_size",
        "bias3_size = bias3_size_kept + 0.0010000000000000009 * bias3_squared",
        "bias3_step = bias3_mean / (1 - 0.9 ** train_time) / "
        "(np.sqrt(bias3_size / (1 - 0.999 ** train_time)) + 1e-08)",
        "bias3 = bias3 - train_rate * bias3_step     # Θ ← Θ − αD",
    ]
    assert len(update) == 1 + 6 * 7


@pytest.mark.parametrize("name", GRAPHS)
def test_a_program_reads_as_a_person_would_write_it(name):
    lines = lines_of(name)
    assert not [line for line in lines if len(line) > 120]
    assert not [line for line in lines if re.search(r"\(\(.*\)\)\s*$", line.partition("#")[0])
                and "** 2" not in line and "int(" not in line]  # fmt: skip
    assert not [line for line in lines if "constant" in line or "/ 1}" in line]


def test_remarks_say_what_their_lines_do():
    """Of biases there is no penalty, half a cost has its ½, and features are numbered."""
    mazur, digits = (
        "\n".join(lines_of("mazur-neurons-unfolded")),
        "\n".join(lines_of("four-layers")),
    )
    assert "# C = ½ Σ e²" in mazur
    assert "output_1_blame = cost_error[:, 0:1]          # feature 0 of each sample" in mazur
    assert "D3 = Delta3 / n + 0.0001 * theta3  # D = Δ/n + λΘ" in digits
    assert "D3_0 = Delta3_0 / n                # D = Δ/n\n" in digits


BENT = ("max(u, 0)", "max(0, u)", "max(u, 0.1 * u)", "max(0.1 * u, u)", "min(0.1 * u, u)",
        "max(min(u, 0.5), -0.5)", "max(u, 0) + 0.2 * (exp(min(0, u)) - 1)", "abs(u)",
        "abs(u - 0.5)", "u ^ 0", "step(u) * u", "u * sign(u)")  # fmt: skip


def at_corners(bend):
    """Return a graph whose sums are 0, 0.5 and −0.5 to the bit, and go through `bend`."""
    x = nf.constant(id="x", value=[[0.0], [0.5], [-0.5]])
    y = nf.constant(id="y", value=[[3.0], [2.0], [1.0]])
    w, b = nf.parameter(id="w", value=[[1.0]]), nf.parameter(id="b", value=[0.0])
    cost = nf.squared_error(bend(nf.weighted_sum(x, w, b, id="z")), y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.01, id="train"))


@pytest.mark.programs("torch", "jax")
@pytest.mark.parametrize("kind", ["torch", "jax"])
def test_slopes_at_corners_are_those_of_the_graph(kind):
    """Biases begin at 0 and so are many features: sums lie on a corner from the first sample."""
    for formula in BENT:
        bend = partial(nf.expression, formula=formula, id="bent")
        compare(at_corners(bend), kind)
    for bend in (nf.relu, nf.leaky_relu):
        compare(at_corners(partial(bend, id="bent")), kind)
        zeros = network((2, 3, 1), data="xor", activation=bend.name, seed=2, rate=0.1)
        compare(zeros, kind, epochs=3)
    error = partial(nf.expression, formula="abs(u) * 2 + 1", id="error")
    compare(at_corners(error), kind)
