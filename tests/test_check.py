"""The gradient check: right gradients pass, wrong ones are named."""

from pathlib import Path

import numpy as np
import pytest
from networks import HAS_DATA, hand, net

import nodeflow as nf
from nodeflow.engine.slopes import slope, unit_of
from nodeflow.errors import GraphError, RunError

GRAPHS = sorted((Path(__file__).parent.parent / "graphs").glob("*.json"))


EDITED = ("feedback-alignment", "mazur-sequential", "wrong-slope")
"""Their backward pass is not that of the rules, on purpose: see below."""
STILL = ("slopes", "slope-of-the-cost")
"""They have nothing to train."""
RIGHT = [path for path in GRAPHS if path.stem not in EDITED + STILL]


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
    assert {node.reason for node in found.nodes.values()} == {
        "",
        "'hidden.blame' sends δ back through feedback.value, and 'output' weighs with "
        "theta2.value: wire theta2.value -> hidden.blame.weights",
    }
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


def without_average(batch, factor=2.0):
    """Return a network whose updates take the sum of the gradients, not their mean."""
    graph = hand("blobs", (2, 4, 3), rate=0.3, batch=batch, factor=factor)
    for name in ("theta1", "theta2", "b1", "b2"):
        (wire,) = graph.inputs(f"{name}.mean")["total"]
        graph = graph.remove(f"{name}.mean").connect(wire.start, f"{name}.new.gradient")
    return graph


def test_updates_wired_without_average_are_right_one_sample_at_a_time():
    """The check takes the batch that the graph trains with, and eight of them in turn."""
    assert nf.check(without_average(1)).valid
    assert nf.check(without_average(4), batch=1).valid
    found = nf.check(without_average(1), batch=4)
    assert not found.valid
    for key in ("theta1", "theta2", "b1", "b2"):
        assert found.nodes[key].reason == (
            "4 times the slope, as many as the batch has rows: `average` divides by n"
        )
        assert found.nodes[key].gradient == pytest.approx(4 * found.nodes[key].difference)


def test_a_division_by_n_too_many_is_told():
    graph = hand("blobs", (2, 4, 3), rate=0.3, batch=5)
    graph = graph.add("fifth", "constant", value=0.2).add("less", "multiply")
    graph = graph.disconnect("theta2.mean.gradient", "theta2.new.gradient")
    graph = graph.connect("theta2.mean.gradient", "less.a").connect("fifth.value", "less.a")
    graph = graph.connect("less.value", "theta2.new.gradient")
    found = nf.check(graph)
    assert faults(found) == {"theta2"}
    assert found.nodes["theta2"].reason == (
        "1/5 of the slope: it is divided by the 5 rows of the batch once too often"
    )


@pytest.mark.parametrize("rows", [60, 80])
def test_a_factor_wired_for_all_rows_is_right_for_all_rows(rows):
    """A batch of more than 50 is cut, but not where that makes the difference."""
    random = np.random.default_rng(0)
    x = nf.constant(value=random.normal(size=(rows, 2)), id="x")
    w = nf.parameter(value=[[0.3, -0.2]], id="w")
    z = nf.weighted_sum(x, w, id="sum")
    y = nf.constant(value=random.normal(size=(rows, 1)), id="y")
    ends = [nf.squared_error(z, y, id="cost", half=True)]
    for share, valid in ((1 / rows, True), (1 / 40, False)):
        gradient = nf.multiply(nf.weight_gradient(nf.error(z, y, id="e"), x), share)
        graph = nf.Graph.of(*ends, nf.weight_update(w, gradient, 0.1, id="new"), batch="all")
        graph = graph.connect("new.value", "w.next")
        assert nf.check(graph).valid == valid


@pytest.mark.parametrize(
    ("factor", "half", "reason"),
    [
        (1.0, False, "half the slope, which is twice the gradient: squared_error without half "
                     "has a 2"),
        (2.0, True, "twice the slope: squared_error without half has a 2, with it has none"),
        (-2.0, False, "the slope with the other sign: e = a − y, and an update takes αD away"),
        (6.0, False, "3 times the slope"),
        (0.5, False, "1/4 of the slope"),
        (2.7, False, ""),
    ],
)  # fmt: skip
def test_a_plain_factor_is_told(factor, half, reason):
    graph = hand("blobs", (2, 4, 3), rate=0.3, factor=factor, batch=7).set("cost", half=half)
    found = nf.check(graph)
    assert faults(found) >= {"theta1", "theta2", "b1", "b2"}
    assert {found.nodes[key].reason for key in ("theta1", "theta2", "b1", "b2")} == {reason}


def saturated(shift):
    """Return a neuron whose gradient shrinks as e^−shift."""
    x = nf.constant(value=[1.0], id="x")
    w = nf.parameter(value=[[float(shift)]], id="w")
    a = nf.sigmoid(nf.weighted_sum(x, w, id="sum"), id="a")
    cost = nf.squared_error(a, nf.constant(value=[0.0]), id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.1))


def test_what_is_too_small_to_measure_is_no_fault_and_said():
    """∂C/∂w = 2σ²(1 − σ): from z = 36 on the rounding of C hides it; −36 is no trouble."""
    for shift, status in ((0, "ok"), (10, "ok"), (-36, "ok"), (-300, "ok"), (36, "small")):
        found = nf.check(saturated(shift))
        assert found.valid
        assert found.nodes["w"].status == status, shift
        assert found.max_relative_error < 1e-4
    assert nf.check(saturated(36)).as_dict()["nodes"]["w"]["status"] == "small"


def test_a_cost_that_is_no_number_is_not_called_right():
    for type_, w in (("log", -1.0), ("exp", 800.0)):
        z = nf.weighted_sum(nf.constant(value=[1.0]), nf.parameter(value=[[w]], id="w"))
        a = getattr(nf, type_)(z, id="a")
        graph = nf.Graph.of(nf.gradient_descent(nf.squared_error(a, nf.constant(value=[0.0]))))
        with pytest.raises(RunError, match=r"first appeared in 'a\.value'"):
            nf.check(graph)


def test_a_slope_that_is_no_number_is_a_fault_though_no_difference_tells():
    z = nf.weighted_sum(nf.constant(value=[1.0]), nf.parameter(value=[[0.0]], id="w"))
    a = nf.power(z, exponent=0.5)
    found = nf.check(nf.Graph.of(nf.squared_error(a, nf.constant(value=[0.0]))))
    assert not found.valid
    assert found.nodes["w"].status == "fault"
    assert "NaN or Infinity" in found.nodes["w"].reason
    assert found.max_relative_error == np.inf


def test_a_gradient_that_is_no_number_is_a_fault():
    """Its own derivative of √a at 0 is infinite, times 0."""
    x = nf.constant(value=[0.0], id="x")
    w = nf.parameter(value=[[0.5]], id="w")
    z = nf.weighted_sum(x, w, id="sum")
    e = nf.multiply(nf.divide(nf.constant(value=[0.0]), x), 1.0)
    graph = nf.Graph.of(
        nf.squared_error(z, nf.constant(value=[1.0]), id="cost"),
        nf.weight_update(w, nf.weight_gradient(e, x), 0.1, id="new"),
    ).connect("new.value", "w.next")
    assert nf.check(graph).nodes["w"].status == "fault"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    ("function", "truth"),
    [
        (np.exp, 1.0),
        (lambda x: np.sin(1000 * x), 1000.0),
        (lambda x: 1e8 + x, 1.0),
        (lambda x: np.tanh(3 * x) + 5, 3.0),
        (lambda x: (x + 0.5) ** 7, 7 / 64),
    ],
)
def test_a_slope_lies_within_its_bound(function, truth, scale):
    """Expected is something else, so that all steps are tried; the unit is that of x."""
    found = slope(lambda x: float(function(x / scale)), 0.3, unit=unit_of([scale]), tiny=0.0)
    assert not found.kink
    assert abs(found.value - truth / scale) <= found.error
    assert found.error < 1e-5 * truth / scale


@pytest.mark.parametrize("at", [0.0, 1e-3, 1e-6])
def test_a_kink_is_told_from_one_farther_off(at):
    found = slope(lambda x: max(x - at, 0.0) + x, 7.0, unit=1.0, tiny=0.0)
    assert found.kink == (at == 0)
    if at:
        assert abs(found.value - 1) <= max(found.error, 1e-9)


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
    """Several small ones are checked, large ones cut, by the rows there are."""
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


# --- large graphs -------------------------------------------------------------------------------


def _deep(layers: int, *, wrong: bool = False) -> nf.Graph:
    """A chain of layers with a neuron each; `wrong` takes the slope of tanh for another one."""
    graph = nf.Graph().add("x", "constant", value=(0.5,)).add("y", "constant", value=(0.25,))
    before = "x.value"
    for n in range(layers):
        graph = (
            graph.add(f"w{n}", "parameter", value=((1.1,),)).add(f"s{n}", "weighted_sum")
            .add(f"a{n}", "tanh").connect(before, f"s{n}.a").connect(f"w{n}.value", f"s{n}.weights")
            .connect(f"s{n}.z", f"a{n}.z")
        )  # fmt: skip
        before = f"a{n}.a"
    graph = graph.add("cost", "squared_error").add("train", "gradient_descent")
    graph = graph.connect(before, "cost.a").connect("y.value", "cost.y")
    graph = graph.connect("cost.cost", "train.cost")
    if not wrong:
        return graph
    unfolded = nf.unfold(graph)
    deltas = [key for key in unfolded.of_type("delta") if key.startswith("s")]
    for key in deltas:
        unfolded = unfolded.set(key, activation="sigmoid")
    return unfolded


def test_of_a_large_graph_some_gradients_of_each_type_are_checked(monkeypatch) -> None:
    graph = _deep(40)
    whole = nf.check(graph)
    assert (whole.left_out, len(whole.nodes)) == (0, 120)
    monkeypatch.setattr("nodeflow.engine.check.WORK", 8_000)
    some = nf.check(graph)
    assert some.valid
    assert 3 <= len(some.nodes) <= 40
    assert len(some.nodes) + some.left_out == len(whole.nodes)
    assert {graph.nodes[key].type for key in some.nodes} == {"parameter", "tanh", "weighted_sum"}
    assert list(some.nodes) == [key for key in whole.nodes if key in some.nodes]
    assert some == nf.check(graph)  # the same ones each time
    assert some.as_dict()["left_out"] == some.left_out
    assert nf.check(graph, every=True) == whole


def test_a_wrong_rule_is_found_among_some(monkeypatch) -> None:
    graph = _deep(40, wrong=True)
    monkeypatch.setattr("nodeflow.engine.check.WORK", 8_000)
    some = nf.check(graph)
    assert some.left_out > 60
    assert not some.valid


def test_of_a_large_parameter_fewer_numbers_are_nudged(monkeypatch) -> None:
    graph = net("iris", (4, 30, 3))
    monkeypatch.setattr("nodeflow.engine.check.WORK", 200_000)
    some = nf.check(graph)
    assert some.valid
    assert 10 <= some.nodes["theta1"].checked < 90
    assert nf.check(graph, every=True).nodes["theta1"].checked == 120


def test_what_the_command_says_of_a_sample(monkeypatch, tmp_path, capsys) -> None:
    from nodeflow.cli import main

    path = tmp_path / "deep.json"
    nf.save(_deep(20), path)
    monkeypatch.setattr("nodeflow.engine.check.WORK", 5_000)
    assert main(["check", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "of 60 gradients are checked, some of each node type; --every checks them all" in out
    assert main(["check", str(path), "--every"]) == 0
    assert "--every" not in capsys.readouterr().out
