"""The gradient check on real data as it is: nothing right is called wrong, nothing wrong right.

Unscaled columns reach from 0.001 to 2,500, so that activations saturate, costs are large and
many gradients tiny: what differences cannot see there must not be called a fault. `make trials`
tries 500 networks, the tests a few of them.
"""

from __future__ import annotations

import os
from functools import wraps
from itertools import pairwise

import numpy as np
import pytest
from helpers_nodes import off_by_a_little

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.graph import Graph

pytest.importorskip("sklearn")

COUNT = int(os.environ.get("NODEFLOW_TRIALS", "16"))
SETS = {"iris": (4, 3), "wine": (13, 3), "breast_cancer": (30, 2), "diabetes": (10, 1)}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity")
INITS = ("uniform", "normal", "glorot", "zeros", "naive_bayes")
CHANGED = 5e-4
"""A gradient that a rule off by a thousandth changes by less is mixed with other ones."""


def trial(number: int) -> Graph:
    """Return a network on data that is not scaled; each number gives another one."""
    random = np.random.default_rng([number, 20])
    source = list(SETS)[number % len(SETS)]
    inputs, outputs = SETS[source]
    sizes = (inputs, *random.integers(1, 9, size=random.integers(0, 3)).tolist(), outputs)
    last, cost = ("identity", "squared_error")
    if source != "diabetes":
        last, cost = [
            ("sigmoid", "squared_error"),
            ("sigmoid", "cross_entropy"),
            ("softmax", "categorical_cross_entropy"),
            ("softmax", "squared_error"),
            ("tanh", "squared_error"),
        ][random.integers(5)]
    a, y = nf.dataset(source=source, scale="none", id="data")
    weights = []
    for layer, (wide, high) in enumerate(pairwise(sizes), 1):
        some = INITS if layer == 1 and source != "diabetes" else INITS[:-1]
        init = some[random.integers(len(some))]
        w = nf.parameter(shape=(high, wide), init=init, id=f"w{layer}")
        b = nf.parameter(shape=(high,), init=init, id=f"b{layer}")
        z = nf.weighted_sum(a, w, b, id=f"z{layer}")
        kind = last if layer == len(sizes) - 1 else ACTIVATIONS[random.integers(len(ACTIVATIONS))]
        a = getattr(nf, kind)(z, id=f"a{layer}")
        weights.append(w)
    half = {"half": bool(random.integers(2))} if cost == "squared_error" else {}
    c = getattr(nf, cost)(a, y, id="cost", **half)
    if random.random() < 0.3:
        penalty = nf.l2_penalty(*weights, regularization=float(10 ** random.uniform(-4, 1)))
        c = nf.add(c, penalty, id="J")
    batch = [1, 3, 10, 32, "all"][random.integers(5)]
    return Graph.of(nf.gradient_descent(c, id="train"), batch=batch, seed=number)


def costs_are_exact() -> bool:
    """Return whether a saturated output has its true cost (38 at z = 38, y = 0), not that of 1."""
    a = nf.sigmoid(nf.weighted_sum(nf.constant(value=[38.0]), nf.parameter(value=[[1.0]])))
    run = nf.Run(Graph.of(nf.gradient_descent(nf.cross_entropy(a, nf.constant(value=[0.0])))))
    run.train(updates=1)
    return abs(run.history[0]["cost"] - 38) < 1e-9


EXACT = costs_are_exact()


def is_saturated(graph: Graph) -> bool:
    """Return whether a cost of logarithms meets an output of exactly 0 or 1, or nearly."""
    if EXACT or graph.nodes["cost"].type == "squared_error":
        return False
    run = nf.Run(graph, batch=50)
    run.evaluate()
    a = run[graph.inputs("cost")["a"][0].start]
    return bool(((a < 1e-12) | (a > 1 - 1e-12)).any())


def gradients(graph: Graph) -> dict[str, np.ndarray]:
    """Return the gradients of the rows that the check looks at."""
    batch = graph.training.batch
    run = nf.Run(graph, batch=50 if batch == "all" else batch)
    run.evaluate()
    return {key: run.gradient(f"{key}.value") for key in graph.of_type("parameter")}


@pytest.mark.parametrize("number", range(COUNT))
def test_nothing_right_is_called_wrong_and_nothing_wrong_right(monkeypatch, number) -> None:
    graph = trial(number)
    if is_saturated(graph):
        pytest.skip("the cost of a saturated output is not its true cost")
    right = nf.check(graph, most=12)
    assert right.valid, {k: n for k, n in right.nodes.items() if n.status == "fault"}
    assert right.max_relative_error < 1e-4
    before = gradients(graph)
    wires = [
        (graph.nodes[w.target].type, w.input)
        for w in graph.wires
        if graph.type_of(w.target).rule is not None
        and w.input not in ("y", "weights", "bias")
        and w.source != "data"
    ]
    type_name, port = sorted(set(wires))[number % len(set(wires))]
    type_ = CATALOG[type_name]
    monkeypatch.setattr(type_, "rule", off_by_a_little(type_.rule, port, 0))
    monkeypatch.setattr(
        type_,
        "rules_through",
        {kind: _off(rule) for kind, rule in type_.rules_through.items()},
    )
    after, wrong = gradients(graph), nf.check(graph, most=12)
    for key, gradient in before.items():
        size = np.linalg.norm(gradient)
        if size > 0 and np.linalg.norm(after[key] - gradient) > CHANGED * size:
            expected = {"fault"} if right.nodes[key].status == "ok" else {"small", "kink", "fault"}
            assert wrong.nodes[key].status in expected, (key, right.nodes[key], wrong.nodes[key])


def _off(rule):
    from nodeflow.nodes.arithmetic import times

    @wraps(rule)
    def off(*args, **named):
        return times(1.001, rule(*args, **named))

    return off
