"""SciPy's minimisers as a trainer: one search where it is known how far, the same numbers."""

import gc
import threading
import time

import numpy as np
import pytest
from networks import assert_same, assert_same_moment, net, walk

import nodeflow as nf

METHODS = pytest.mark.parametrize("method", ["cg", "l-bfgs"])


def graph(method):
    return net("blobs", (2, 3, 3), trainer="minimize", method=method, accuracy=False)


@pytest.fixture
def evaluations(monkeypatch):
    """How often a search was begun, and how often the cost was asked for."""
    import scipy.optimize

    found, minimize = [0, 0], scipy.optimize.minimize

    def counted(objective, *arguments, **options):
        found[0] += 1

        def asked(theta):
            found[1] += 1
            return objective(theta)

        return minimize(asked, *arguments, **options)

    monkeypatch.setattr(scipy.optimize, "minimize", counted)
    return found


@METHODS
def test_a_search_goes_on_where_it_stopped(method, evaluations):
    """Nothing is calculated twice, and nothing that nobody has asked for."""
    whole = nf.Run(graph(method))
    whole.train(20)
    begun, asked = evaluations
    run = nf.Run(graph(method))
    run.train(20)
    assert evaluations == [2 * begun, 2 * asked]
    run.goto(epoch=3)
    run.train(5)
    walk(run, 2)
    assert evaluations == [2 * begun, 2 * asked]
    run.goto(epoch=30)
    assert evaluations[0] == 2
    assert evaluations[1] > 2 * asked


@METHODS
def test_a_search_has_the_iterations_that_scipy_makes_alone(method):
    from scipy.optimize import minimize

    run = nf.Run(graph(method))
    names = run.minimizer.addresses
    begin = np.concatenate([run.weights[name].ravel() for name in names])
    other, told = nf.Run(graph(method)), []

    def objective(theta):
        at = 0
        for name in names:
            size = other.weights[name].size
            other.set_weights({name: theta[at : at + size].reshape(other.weights[name].shape)})
            at += size
        cost = other.evaluate()
        return cost, np.concatenate([other.gradient(name).ravel() for name in names])

    minimize(
        objective, begin, jac=True, method={"cg": "CG", "l-bfgs": "L-BFGS-B"}[method],
        callback=lambda theta: told.append(theta.copy()), options={"maxiter": 6, "gtol": 1e-10},
    )  # fmt: skip
    for theta in told:
        run.train(1)
        mine = np.concatenate([run.weights[name].ravel() for name in names])
        np.testing.assert_allclose(mine, theta, rtol=1e-9, atol=1e-12)


def test_the_thread_of_a_search_ends_with_its_run():
    run = nf.Run(graph("cg"))
    run.train(2)
    assert any(thread.name == "nodeflow-search" for thread in threading.enumerate())
    before = sum(thread.name == "nodeflow-search" for thread in threading.enumerate())
    del run
    gc.collect()
    for _ in range(100):
        left = sum(thread.name == "nodeflow-search" for thread in threading.enumerate())
        if left < before:
            break
        time.sleep(0.02)
    assert left < before


@METHODS
def test_however_one_gets_there_the_numbers_are_the_same(method):
    """At once, in pieces, step by step, or from later on."""
    whole, pieces, back = (nf.Run(graph(method)) for _ in range(3))
    whole.train(13)
    for epochs in (1, 2, 7, 3):
        pieces.train(epochs)
    stepped = walk(nf.Run(graph(method)), 13)
    back.train(40)
    back.goto(epoch=13)
    assert_same_moment(whole, pieces)
    assert_same_moment(whole, stepped)
    assert_same(back.weights, whole.weights)
    assert_same(back.values, whole.values)


def test_a_search_that_has_ended_is_not_repeated(evaluations):
    """At the minimum nothing is left to find; the weights stay."""
    x, w = nf.constant(value=[1.0]), nf.parameter(value=[[3.0]], id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w), nf.constant(value=[1.0]))
    run = nf.Run(nf.Graph.of(nf.minimize(cost)))
    run.train(20)
    for _ in range(3):
        run.train(30)
    assert evaluations[0] == 1
    assert run.weights["w.value"] == pytest.approx(1.0, abs=1e-9)
    assert run.epoch == 110
