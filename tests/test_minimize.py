"""SciPy's minimisers as a trainer: one search where it is known how far, the same numbers."""

import pytest
from networks import assert_same, assert_same_moment, net, walk

import nodeflow as nf

METHODS = pytest.mark.parametrize("method", ["cg", "l-bfgs"])


def graph(method):
    return net("blobs", (2, 3, 3), trainer="minimize", method=method, accuracy=False)


@pytest.fixture
def searches(monkeypatch):
    """How far each search went."""
    from nodeflow.engine.minimizer import Minimizer

    found, search = [], Minimizer._search

    def noted(self, begun, iterations):
        found.append(iterations)
        search(self, begun, iterations)

    monkeypatch.setattr(Minimizer, "_search", noted)
    return found


@METHODS
def test_training_searches_once_and_no_farther_than_asked(method, searches):
    nf.Run(graph(method)).train(20)
    assert searches == [20]
    run = nf.Run(graph(method))
    run.train(20)
    run.goto(epoch=3)
    run.train(5)
    assert searches == [20, 20]
    run.goto(epoch=30)
    assert searches == [20, 20, 40]


@METHODS
def test_stepping_searches_twice_as_far_each_time(method, searches):
    walk(nf.Run(graph(method)), 20)
    assert searches == [8, 16, 32]


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


def test_a_search_that_has_ended_is_not_repeated(searches):
    """At the minimum nothing is left to find; the weights stay."""
    x, w = nf.constant(value=[1.0]), nf.parameter(value=[[3.0]], id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w), nf.constant(value=[1.0]))
    run = nf.Run(nf.Graph.of(nf.minimize(cost)))
    run.train(20)
    for _ in range(3):
        run.train(30)
    assert searches == [20]
    assert run.weights["w.value"] == pytest.approx(1.0, abs=1e-9)
    assert run.epoch == 110


def test_one_search_goes_not_too_far_ahead(searches):
    """Ctrl-C waits for it."""
    nf.Run(graph("cg")).train(300)
    assert searches[0] == 256
    assert len(searches) <= 2
