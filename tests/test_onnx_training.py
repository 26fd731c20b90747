"""A training step as ONNX operators, executed by onnxruntime and by ONNX's own reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handwired import wired

import nodeflow as nf
from nodeflow.errors import InterchangeError
from nodeflow.graph import Node
from nodeflow.networks import network

pytestmark = pytest.mark.programs("onnx", "onnxruntime")

GRAPHS = Path(__file__).parents[1] / "graphs"
NAMES = (
    "mazur-neurons-unfolded", "mazur-sequential", "one-neuron", "four-layers", "wheat-softmax",
    "feedback-alignment", "spiral", "polynomial-or-network", "blame-game", "lambda",
    "wheat-seeds-neurons-unfolded", "starts-naive-bayes", "symmetry-random",
)  # fmt: skip
"""By hand, by neurons, sample by sample, with Adam, penalties, formulas, frozen weights."""


def followed(graph, updates, within, *, reference=0, dtype=np.float64):
    """Check the weights, J and the slopes that a model comes to, update by update."""
    import onnx.reference
    import onnxruntime

    from nodeflow.interchange.onnx.writing import write

    data = write(graph, backward=True, dtype=dtype)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    slow = onnx.reference.ReferenceEvaluator(onnx.load_from_string(data)) if reference else None
    inputs = [one.name for one in session.get_inputs()]
    outputs = [one.name for one in session.get_outputs()]
    run, beside = nf.Run(graph), nf.Run(graph)
    machine = beside.machine
    kept = [name for name in inputs if name.endswith(".value") and name in machine.tape.slots]
    weights = {name: machine.read(name, 1).reshape(shape_of(session, name)) for name in kept}
    rows = fed(beside, [name for name in inputs if name not in weights])
    for update in range(updates):
        machine.place(run.schedule.epoch(update))
        first, n = run.schedule.bounds(update)
        taken = np.array(machine.order[first : first + n])
        given = {name: values[taken] for name, values in rows.items()} | weights
        given = {name: values.astype(dtype) for name, values in given.items()}
        found = dict(zip(outputs, session.run(None, given), strict=True))
        if update < reference:
            other = dict(zip(outputs, slow.run(None, given), strict=True))
            assert all(np.abs(found[name] - other[name]).max() < 1e-13 for name in outputs)
        run.train(updates=1)
        weights = {name: found[f"{name.removesuffix('.value')}.next"] for name in weights}
    for address, value in run.weights.items():
        if address not in weights:  # one that is connected to nothing
            assert np.array_equal(value, nf.Run(graph).weights[address])
            continue
        assert np.abs(weights[address] - value).max() <= within * max(1, np.abs(value).max())
    assert outputs[: len(weights)] == [f"{name.removesuffix('.value')}.next" for name in weights]
    return found


def shape_of(session, name):
    return next(one.shape for one in session.get_inputs() if one.name == name)


def fed(run, names):
    splits, graph = run.machine.splits, run.plan.graph
    if splits:
        split = next(iter(splits.values()))
        return {name: np.array(getattr(split, name), float) for name in names}
    return {name: np.atleast_2d(np.array(graph.settings(name)["value"], float)) for name in names}


def test_wheat_is_trained_by_onnxruntime():
    graph = nf.load(GRAPHS / "wheat-seeds.json")
    found = followed(graph, 500, 1e-9, reference=20)
    assert set(found) >= {"cost", "theta1.gradient", "bias2.gradient"}


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_graph_is_trained(name):
    followed(nf.load(GRAPHS / f"{name}.json"), 5, 1e-13)


@pytest.mark.parametrize("cost", ["squared_error", "cross_entropy", "categorical_cross_entropy"])
@pytest.mark.parametrize(
    "kind", ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax"]
)
def test_every_activation_and_cost_is_trained(kind, cost):
    hidden = "tanh" if kind == "softmax" else kind
    graph = network((2, 5, 4, 2), data="moons", activation=hidden, output="sigmoid", batch=7)
    last = kind if kind in ("sigmoid", "softmax") or cost == "squared_error" else "sigmoid"
    if (last, cost) == ("softmax", "cross_entropy"):
        last = "sigmoid"
    graph = replace(graph, nodes={**graph.nodes, "output_a": Node(last), "cost": Node(cost)})
    followed(graph.set("train", rate=0.05), 12, 1e-12, reference=2)


@pytest.mark.parametrize(
    ("trainer", "settings"),
    [("gradient_descent", {"momentum": 0.9}), ("adam", {"beta1": 0.8, "epsilon": 1e-6})],
)
def test_what_a_trainer_keeps_goes_round_too(trainer, settings):
    graph = network((2, 4, 2), data="moons", trainer=trainer, regularization=0.01, batch=9)
    followed(graph.set("train", rate=0.05, **settings), 25, 1e-12)


@pytest.mark.parametrize("form", ["nodes", "steps"])
@pytest.mark.parametrize("apart", [{}, {"wire_rate": False}, {"cost": False}])
def test_a_backward_pass_wired_by_hand_is_a_step(form, apart):
    followed(wired(form=form, batch=8, **apart), 9, 1e-13)


def test_slopes_and_cost_are_those_of_the_rows():
    graph = nf.load(GRAPHS / "mazur.json")
    found = followed(graph, 1, 1e-15)
    run = nf.Run(graph)
    run.evaluate()
    assert float(found["cost"]) == pytest.approx(run.cost, abs=1e-15)
    assert found["theta1.gradient"] == pytest.approx(run.gradient("theta1.value"), abs=1e-16)


@pytest.mark.parametrize("name", ["spiral", "wheat-softmax", "lambda", "mazur-neurons-unfolded"])
def test_a_step_in_float32_takes_and_gives_float32(name):
    found = followed(nf.load(GRAPHS / f"{name}.json"), 5, 2e-6, dtype=np.float32)
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", ["sigmoid", "leaky_relu", "softplus", "softmax"])
def test_a_model_in_float32_gives_what_a_run_in_float32_does(kind, tmp_path):
    import onnxruntime

    rows = np.random.default_rng(2).normal(size=(9, 3)).astype(np.float32)
    graph = network((3, 5, 2), activation="tanh", output=kind).set("x", value=rows.tolist())
    nf.export.export(graph, tmp_path / "net.onnx", float32=True)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (found,) = session.run(None, {"x": rows})
    run = nf.Run(graph, dtype=np.float32, batch="all")
    run.evaluate()
    assert found.dtype == np.float32
    assert np.abs(found - run["output_a.a"]).max() < 3e-7


def test_numbers_beyond_float32_are_named():
    from nodeflow.interchange.onnx.writing import write

    graph = network((2, 3, 2)).set("theta1", value=[[1e40, 0.0]] * 3)
    with pytest.raises(InterchangeError, match=r"'hidden.weight' has numbers beyond 3.4e\+38"):
        write(graph, dtype=np.float32)


def test_what_has_no_step_is_refused():
    from nodeflow.interchange.onnx.writing import write

    with pytest.raises(InterchangeError, match="trains nothing"):
        write(nf.load(GRAPHS / "slopes.json"), backward=True)
