"""Every backward rule against differences of the NumPy function, and the check against faults."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from helpers_nodes import FACTOR, WITH_RULE, Case, gradients, off_by_a_little, rows, training

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.graph import Graph
from nodeflow.nodes.arithmetic import times

LIMIT = 1e-7
"""Relative error of a gradient along a random direction."""


def test_every_type_with_a_rule_has_a_case() -> None:
    wanted = {name for name, type_ in CATALOG.items() if type_.rule is not None}
    assert wanted <= {case.type for case in WITH_RULE}


def test_every_output_that_blame_cannot_enter_says_so() -> None:
    """A type between parameters and cost has a rule, is of the backward pass, or has a reason."""
    for name, type_ in CATALOG.items():
        if type_.family in ("layer", "activation", "arithmetic", "cost"):
            assert (type_.rule is None) == bool(type_.no_backward), name


@pytest.mark.parametrize("fan_out", [False, True], ids=["alone", "fan-out"])
@pytest.mark.parametrize("case", WITH_RULE, ids=str)
def test_a_rule_is_the_slope_of_its_function(case: Case, fan_out: bool) -> None:
    trained = training(case, fan_out=fan_out)
    found = gradients(trained.graph)
    for port, i, _ in case.wires():
        assert trained.error(port, i, found[f"in-{port}-{i}.value"]) <= LIMIT, (port, i)


# --- the test of the test: a rule that is off by a thousandth is found ----------------------------


SHARE_OF_ONE = Case("softmax", {"z": (rows(1),)})
"""Always 1: it has no slope that could be off, like step and power 0."""

WIRES = [
    pytest.param(case, port, i, id=f"{case}-{port}{i}")
    for case in WITH_RULE
    for port, i, _ in case.wires()
    if case.settings.get("exponent") != 0.0
    and case != SHARE_OF_ONE
    and (case.type, port) != ("margin", "y")  # which class is right has no slope
    and not (case.type == "expression" and "step" in case.settings["formula"] and port == "a")
]


@pytest.mark.parametrize(("case", "port", "index"), WIRES)
def test_a_rule_that_is_off_by_a_thousandth_is_found(monkeypatch, case, port, index) -> None:
    trained = training(case)
    before = nf.check(trained.graph)
    assert before.valid
    assert before.max_relative_error <= LIMIT
    type_ = case.node_type
    monkeypatch.setattr(type_, "rule", off_by_a_little(type_.rule, port, index))
    found = gradients(trained.graph)
    assert trained.error(port, index, found[f"in-{port}-{index}.value"]) > 10 * LIMIT
    after = nf.check(trained.graph)
    assert not after.valid
    faults = {key for key, node in after.nodes.items() if node.status == "fault"}
    assert faults & {f"in-{port}-{index}", f"p-{port}-{index}"}
    if case.type not in ("add", "multiply", "sum", "weighted_sum"):  # those project the output
        # what is joined has one blame, which is cut up
        end = f"-{port}-" if case.type == "concatenate" else f"-{port}-{index}"
        assert all(end in key for key in faults)


# --- δ of a cost and the activation before it, in one ------------------------------------------


def classifier(activation: str, cost: str, y: list) -> Graph:
    """Return one layer with an activation and the cost that goes with it."""
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4], [-0.7, 0.9]], id="x")
    theta_ = nf.parameter(value=[[0.5, -0.2], [0.1, 0.7], [-0.4, 0.3]], id="theta")
    b = nf.parameter(value=[0.1, -0.1, 0.2], id="b")
    a = getattr(nf, activation)(nf.weighted_sum(x, theta_, b, id="sum"), id="a")
    c = getattr(nf, cost)(a, nf.constant(value=y, id="y"), id="cost")
    return Graph.of(nf.gradient_descent(c, id="train"))


THROUGH = [
    ("sigmoid", "cross_entropy", [[0, 1, 1], [1, 0, 1], [0, 0, 1]]),
    ("sigmoid", "cross_entropy", [[0.2, 0.9, 0.5], [1, 0, 0.3], [0, 0.1, 1]]),
    ("softmax", "categorical_cross_entropy", [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
    ("softmax", "categorical_cross_entropy", [[0.2, 0.5, 0.3], [1, 1, 0], [0, 0, 0.5]]),
]


@pytest.mark.parametrize(("activation", "cost", "y"), THROUGH)
def test_delta_through_an_activation_is_the_two_slopes_multiplied(
    monkeypatch, activation, cost, y
) -> None:
    graph = classifier(activation, cost, y)
    short = gradients(graph)
    assert nf.check(graph).max_relative_error <= LIMIT
    monkeypatch.setattr(CATALOG[cost], "rules_through", {})
    long = gradients(graph)
    assert nf.check(graph).max_relative_error <= LIMIT
    for address in ("theta.value", "b.value", "sum.z"):
        np.testing.assert_allclose(short[address], long[address], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("activation", "cost", "y"), THROUGH)
def test_delta_through_an_activation_that_is_off_is_found(monkeypatch, activation, cost, y) -> None:
    graph = classifier(activation, cost, y)
    rule = CATALOG[cost].rules_through[activation]

    @functools.wraps(rule)
    def changed(*args, **named):
        return times(FACTOR, rule(*args, **named))

    monkeypatch.setattr(CATALOG[cost], "rules_through", {activation: changed})
    found = nf.check(graph)
    assert not found.valid
    assert {found.nodes[key].status for key in ("theta", "b")} == {"fault"}


def test_delta_through_an_activation_is_safe_where_it_is_saturated() -> None:
    """Outputs of exactly 0 and 1 have a δ of a − y, where the two slopes would divide by 0."""
    for activation, cost in (
        ("sigmoid", "cross_entropy"),
        ("softmax", "categorical_cross_entropy"),
    ):
        x = nf.constant(value=[[1.0], [1.0]])
        theta_ = nf.parameter(value=[[900.0], [-900.0]], id="theta")
        z = nf.weighted_sum(x, theta_, id="sum")
        y = nf.constant(value=[[0.0, 1.0], [1.0, 0.0]])
        c = getattr(nf, cost)(getattr(nf, activation)(z), y)
        found = gradients(Graph.of(nf.gradient_descent(c)))
        np.testing.assert_allclose(found["sum.z"], [[1, -1], [0, 0]], atol=1e-300)


def shared(activation: str, cost: str, *, more: bool, taught: bool) -> Graph:
    """Return outputs that something else reads too, or targets that are trained like them."""
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4], [-0.7, 0.9]])
    w = nf.parameter(value=[[0.5, -0.2], [0.1, 0.7]], id="w")
    v = nf.parameter(value=[[-0.3, 0.6], [0.9, 0.2]], id="v")
    a = getattr(nf, activation)(nf.weighted_sum(x, w, id="sum"), id="a")
    y = nf.constant(value=[[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    y = nf.softmax(nf.weighted_sum(x, v), id="y") if taught else y
    c = getattr(nf, cost)(a, y, id="cost")
    return Graph.of(nf.gradient_descent(nf.add(c, nf.sum(nf.power(a))) if more else c))


@pytest.mark.parametrize("taught", [False, True], ids=["given", "taught"])
@pytest.mark.parametrize("more", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize(("activation", "cost"), [t[:2] for t in THROUGH[::2]])
def test_outputs_read_twice_and_targets_that_are_trained(activation, cost, more, taught) -> None:
    found = nf.check(shared(activation, cost, more=more, taught=taught))
    assert found.valid
    assert found.max_relative_error <= LIMIT
    assert {"w", "sum"} | ({"v", "y"} if taught else set()) <= set(found.nodes)
    # What the others blame the outputs for is not all that the cost does: δ went past them.
    assert "a" not in found.nodes


# --- penalties, kinks, faults --------------------------------------------------------------------


def test_blame_for_an_input_without_a_rule_is_refused(monkeypatch) -> None:
    """Blame that a rule forgets would be a gradient that is silently too small."""
    rule = CATALOG["squared_error"].rule

    @functools.wraps(rule)
    def forgetful(*args, **named):
        return {"a": rule(*args, **named)["a"]}

    graph = shared("sigmoid", "squared_error", more=False, taught=True)
    monkeypatch.setattr(CATALOG["squared_error"], "rule", forgetful)
    with pytest.raises(nf.NodeflowError) as caught:
        nf.unfold(graph)
    assert str(caught.value) == (
        "blame cannot pass 'cost' (squared_error) to its input 'y': its rule has none for it; "
        "take what is trained off that input"
    )


def penalised(regularization: float = 0.3) -> Graph:
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4]], id="x")
    w = nf.parameter(value=[[0.5, -0.7]], id="w")
    z = nf.weighted_sum(x, w, id="sum")
    c = nf.squared_error(z, nf.constant(value=[[1.0], [2.0]]), id="c")
    penalty = nf.l2_penalty(w, regularization=regularization, id="penalty")
    return Graph.of(nf.gradient_descent(nf.add(c, penalty, id="cost"), id="train"))


def test_a_penalty_adds_lambda_theta_once_a_batch() -> None:
    x, w = np.array([[0.3, -0.8], [1.2, 0.4]]), np.array([[0.5, -0.7]])
    e = x @ w.T - np.array([[1.0], [2.0]])
    found = gradients(penalised())
    np.testing.assert_allclose(found["w.value"], (2 * e).T @ x / 2 + 0.3 * w, rtol=1e-14)


def test_a_penalty_that_is_off_is_found(monkeypatch) -> None:
    graph = penalised()
    assert nf.check(graph).valid
    rule = CATALOG["l2_penalty"].rule
    monkeypatch.setattr(CATALOG["l2_penalty"], "rule", off_by_a_little(rule, "weights", 0))
    assert nf.check(graph).nodes["w"].status == "fault"


def at_the_kink(activation: str = "relu", weight: float = 0.0) -> Graph:
    x = nf.constant(value=[[1.0], [1.0]], id="x")
    z = nf.weighted_sum(x, nf.parameter(value=[[weight]], id="w"), id="sum")
    a = getattr(nf, activation)(z, id="a")
    return Graph.of(nf.gradient_descent(nf.squared_error(a, nf.constant(value=[[1.0], [2.0]]))))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_kink_is_no_fault(activation) -> None:
    found = nf.check(at_the_kink(activation))
    assert found.valid
    assert found.nodes["w"].status == "kink"
    assert found.nodes["sum"].status == "kink"
    assert nf.check(at_the_kink(activation, 0.5)).nodes["w"].status == "ok"


def test_a_fault_beside_a_kink_is_found(monkeypatch) -> None:
    graph = at_the_kink(weight=0.5)
    rule = CATALOG["relu"].rule
    monkeypatch.setattr(CATALOG["relu"], "rule", off_by_a_little(rule, "z", 0))
    found = nf.check(graph)
    assert not found.valid
    assert found.nodes["w"].status == "fault"


def test_blame_stops_with_a_reason() -> None:
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4]])
    z = nf.weighted_sum(x, nf.parameter(value=[[0.5, -0.7], [0.1, 0.2]]), id="sum")
    hits = nf.accuracy(z, nf.constant(value=[[1.0, 0.0], [0.0, 1.0]]), id="hits")
    with pytest.raises(nf.NodeflowError) as caught:
        nf.unfold(Graph.of(nf.gradient_descent(hits)))
    assert str(caught.value) == (
        "blame cannot pass 'hits' (accuracy): counting hits has no slope; "
        "take it off the way to the cost, or give its type a rule"
    )


# --- the cost itself ------------------------------------------------------------------------------

DIRECT = {
    "the sum itself": lambda z: z,
    "subtract": lambda z: nf.subtract(1.0, z),
    "expression after subtract": lambda z: nf.subtract(0.0, nf.expression(z, formula="a^2")),
    "a number less": lambda z: nf.add(nf.subtract(nf.multiply(z, z), z), 3.0),
    "activation": nf.sigmoid,
    "mean": nf.mean,
    "pick": nf.pick,
    "divide": lambda z: nf.divide(1.0, z),
    "fan-out": lambda z: nf.add(z, z, nf.exp(z)),
}


@pytest.mark.parametrize("name", DIRECT)
def test_a_cost_may_be_any_one_number_a_sample(name) -> None:
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4], [0.7, 0.9]], id="x")
    w = nf.parameter(value=[[0.5, -0.7]], id="w")
    b = nf.parameter(value=[1.1], id="b")
    found = nf.check(
        Graph.of(nf.gradient_descent(DIRECT[name](nf.weighted_sum(x, w, b, id="sum"))))
    )
    assert found.max_relative_error <= LIMIT
    assert {"w", "b"} <= set(found.nodes)
