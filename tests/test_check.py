"""The gradient check: right gradients pass, wrong ones are named."""

from pathlib import Path

import numpy as np
import pytest
from networks import HAS_DATA, hand, net

import nodeflow as nf
from nodeflow.errors import GraphError

GRAPHS = sorted((Path(__file__).parent.parent / "graphs").glob("*.json"))


EDITED = ("feedback-alignment", "mazur-sequential")
"""Their backward pass is not that of the rules, on purpose: see below."""
RIGHT = [path for path in GRAPHS if path.stem not in EDITED]


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_the_sample_graphs_have_right_gradients(path):
    """Every gradient to ten millionths of its size."""
    if path.stem.startswith(("mnist", "nielsen", "wheat-seeds", "ng-digits")) and not HAS_DATA:
        pytest.skip("NODEFLOW_DATA is not set")
    if path.stem.startswith(("iris", "digits", "starts", "feedback")):
        pytest.importorskip("sklearn")
    found = nf.check(nf.load(path), most=60)
    assert found.valid
    assert found.max_relative_error <= 1e-7
    assert any(node.checked for node in found.nodes.values())


def faults(found):
    return {key for key, node in found.nodes.items() if node.status == "fault"}


def test_feedback_alignment_is_at_fault_before_the_random_weights_and_nowhere_else():
    """Its blame is deliberately not the gradient: it passes weights that are never trained."""
    pytest.importorskip("sklearn")
    graph = nf.load(GRAPHS[0].with_name("feedback-alignment.json"))
    found = nf.check(graph, most=60)
    assert not found.valid
    assert faults(found) == {"hidden", "hidden_a", "theta1", "bias1"}
    assert {"output", "output_a", "theta2", "bias2"} == set(found.nodes) - faults(found)
    assert not any(node.reason for node in found.nodes.values())
    graph = graph.disconnect("feedback.value", "hidden.blame.weights")
    assert nf.check(graph.connect("theta2.value", "hidden.blame.weights"), most=60).valid


def test_a_gradient_from_weights_that_are_updated_already_is_a_small_fault():
    """It is computed as training does, and the reason is told."""
    graph = nf.load(GRAPHS[0].with_name("mazur-sequential.json"))
    found = nf.check(graph)
    assert faults(found) == {"hidden", "hidden_a", "theta1"}
    run = nf.Run(graph)
    run.train(updates=1)
    for key in faults(found):
        node = found.nodes[key]
        assert 0.05 < node.relative_error < 0.15
        reason = "it is computed with weights that are updated already (theta2.update)"
        assert node.reason == found.as_dict()["nodes"][key]["reason"] == reason
    assert found.nodes["theta1"].gradient in run.gradient("theta1.value")
    right = nf.Run(nf.load(GRAPHS[0].with_name("mazur.json")))
    right.evaluate()
    difference = found.nodes["theta1"].difference
    assert np.isclose(right.gradient("theta1.value"), difference, rtol=1e-9).any()


def test_a_trainer_that_takes_all_rows_is_checked_on_few():
    """A nudge runs forward over 50 rows; the gradient is of the same."""
    graph = net("spiral", (2, 3, 2), trainer="minimize", accuracy=False)
    assert nf.Run(graph).batch > 50
    assert nf.check(graph).valid


@pytest.mark.parametrize("act", ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity"])
@pytest.mark.parametrize("half", [False, True])
def test_every_activation_passes_blame_rightly(act, half):
    """Two layers with squared error, whole or half."""
    graph = net("blobs", (2, 5, 3), act=act, half=half, batch=8, init="normal", l2=0.1)
    found = nf.check(graph)
    assert found.valid, found
    assert found.max_relative_error <= 1e-7


@pytest.mark.parametrize(
    ("last", "cost"),
    [
        ("sigmoid", "cross_entropy"),
        ("softmax", "categorical_cross_entropy"),
        ("softmax", "squared_error"),
        ("sigmoid", "categorical_cross_entropy"),
        ("softmax", "cross_entropy"),
    ],
)
def test_every_cost_passes_blame_rightly(last, cost):
    """With the activation that it joins δ with, and with another."""
    found = nf.check(net("blobs", (2, 4, 3), act="tanh", last=last, cost=cost, init="normal"))
    assert found.valid, found
    assert found.max_relative_error <= 1e-7


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("batch", [1, 8, "all"])
def test_a_right_pass_wired_by_hand_is_valid(loop, batch):
    """It is checked like one that nodeflow wires, each parameter by name."""
    found = nf.check(hand("blobs", (2, 4, 3), rate=0.3, batch=batch, loop=loop))
    assert found.valid, found
    assert found.max_relative_error <= 1e-7
    assert {"theta1", "theta2", "b1", "b2"} <= set(found.nodes)


def test_a_missing_factor_is_found():
    """Half of every gradient is missing where e stands for 2e."""
    found = nf.check(hand("blobs", (2, 4, 3), rate=0.3, factor=1.0))
    assert not found.valid
    assert {key for key, node in found.nodes.items() if node.status == "fault"} >= {
        "theta1", "theta2", "b1", "b2",
    }  # fmt: skip
    worst = found.nodes["theta2"]
    assert worst.gradient == pytest.approx(worst.difference / 2, rel=1e-6)


def test_swapped_weights_are_found_where_they_stand():
    """Blame passed through the wrong layer's weights spoils what lies before it, and only that."""
    found = nf.check(hand("blobs", (2, 3, 3, 3), rate=0.3))
    assert found.valid
    graph = hand("blobs", (2, 3, 3, 3), rate=0.3)
    graph = graph.disconnect("theta3.value", "blame2.weights")
    graph = graph.connect("theta2.value", "blame2.weights")
    found = nf.check(graph)
    assert not found.valid
    status = {key: node.status for key, node in found.nodes.items()}
    assert status["theta3"] == status["b3"] == "ok"
    assert {status[k] for k in ("theta1", "b1", "theta2", "b2")} == {"fault"}


def test_a_kink_is_no_fault():
    """At 0 the ReLU has two slopes; either is as right as the other."""
    x = nf.constant(value=[1.0], id="x")
    w = nf.parameter(value=[[0.0]], id="w")
    a = nf.relu(nf.weighted_sum(x, w, id="sum"), id="a")
    cost = nf.squared_error(a, nf.constant(value=[1.0]), id="cost")
    found = nf.check(nf.Graph.of(nf.gradient_descent(cost, rate=0.1)))
    assert found.valid
    assert found.nodes["w"].status == "kink"
    assert found.as_dict()["nodes"]["w"]["status"] == "kink"


def test_a_kink_nearby_is_no_fault_either():
    """Close to 0 the wide difference crosses the kink; the narrow one tells."""
    for value in (1e-4, -1e-4, 1.5e-3):
        x = nf.constant(value=[1.0])
        w = nf.parameter(value=[[value]], id="w")
        cost = nf.squared_error(nf.relu(nf.weighted_sum(x, w)), nf.constant(value=[1.0]))
        assert nf.check(nf.Graph.of(nf.gradient_descent(cost, rate=0.1))).valid


def test_the_check_changes_nothing_and_repeats_itself():
    """It has a run of its own, and tries the same numbers each time."""
    graph = net("blobs", (2, 40, 3), batch=8)
    assert nf.check(graph, most=20).as_dict() == nf.check(graph, most=20).as_dict()
    assert nf.check(graph, most=20).nodes["theta1"].checked == 20


@pytest.mark.parametrize("batch", [1, 5, 8, 1000, "all"])
def test_any_batch_can_be_checked(batch):
    """Small batches are made larger, large ones cut, by the rows there are."""
    for source in ("xor", "blobs"):
        sizes = (2, 2, 1) if source == "xor" else (2, 3, 3)
        found = nf.check(net(source, sizes, scale="none"), batch=batch)
        assert found.valid
        assert np.isfinite(found.max_relative_error)


def test_nothing_to_check_is_said():
    """Without a cost, or without a parameter before it."""
    x, y = nf.dataset(source="xor", id="data")
    for graph in (
        nf.Graph(),
        nf.Graph.of(nf.sigmoid(x)),
        nf.Graph.of(nf.squared_error(nf.pick(x, index=0), y)),
    ):
        with pytest.raises(GraphError, match="there is nothing to check: the graph needs a cost"):
            nf.check(graph)
