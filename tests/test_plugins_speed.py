"""A node type of a new plugin is like one of the library: as fast, taken apart, and in a page."""

from __future__ import annotations

import sys
import time
from importlib import import_module

import numpy as np
import pytest
from helpers_browser import NAMES, browser, executable
from test_page import hold_equal, moments_of

import nodeflow as nf
from nodeflow import plugins
from nodeflow.declare import CATALOG
from nodeflow.engine.executor import executed_by
from nodeflow.export import live
from nodeflow.views.slope import slope_at


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The type of a plugin as `nodeflow plugins new` writes it."""
    plugins.make("quick-nodes", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "quick-nodes"))
    yield import_module("quick_nodes").quick_nodes_elu
    CATALOG.remove("quick_nodes_elu")
    sys.modules.pop("quick_nodes")


def network(activation):
    x, y = nf.dataset(source="circle", shuffle=True, id="data")
    z = nf.weighted_sum(x, nf.parameter(shape=(8, 2), id="t1"), nf.parameter(shape=[8], id="b1"),
                        id="hidden")  # fmt: skip
    a = nf.weighted_sum(activation(z, id="hidden_a"), nf.parameter(shape=(2, 8), id="t2"),
                        id="output")  # fmt: skip
    return nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y), rate=0.02), name="elu")


def test_it_trains_as_fast_as_one_of_the_library(made):
    with executed_by("machine code"):
        runs = [nf.Run(network(kind), batch=10) for kind in (made, nf.tanh, nf.softplus)]
        for run in runs:
            assert not run.machine.tape.calls  # nothing asks for Python
            run.train(40)
        least = [float("inf")] * len(runs)
        for _ in range(5):
            for place, run in enumerate(runs):
                started = time.thread_time()
                run.train(40)
                least[place] = min(least[place], time.thread_time() - started)
    own, *others = least
    # A fraction of what a call of Python an update would take.
    assert own < 2 * max(others), least


def test_it_has_the_numbers_of_the_formula(made):
    def formula(z, **how):
        return nf.expression(z, formula="max(z, 0) + exp(min(0, z)) - 1", **how)

    runs = [nf.Run(network(kind), batch=10) for kind in (made, formula)]
    lines = [[line["cost"] for line in run.train(5)] for run in runs]
    assert lines[0] == pytest.approx(lines[1], rel=1e-9)


def test_it_draws_its_curve_with_the_slopes(made):
    z = np.array([-1.5, 0.7])
    found = slope_at("quick_nodes_elu", z)
    assert found.a == pytest.approx([np.exp(-1.5) - 1, 0.7])
    assert found.slopes == pytest.approx([np.exp(-1.5), 1.0], rel=1e-8)


def test_it_explodes_and_is_checked(made):
    graph = network(made)
    assert nf.check(graph).valid
    neurons = nf.explode(graph, "hidden")
    assert len(neurons.of_type("quick_nodes_elu")) == 8
    runs = [nf.Run(one, batch=10) for one in (graph, neurons)]
    one, other = ([line["cost"] for line in run.train(20)] for run in runs)
    assert one == other


def test_it_runs_in_a_page_with_the_same_bits(made, tmp_path):
    if executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(NAMES)}")
    graph = network(made)
    path = tmp_path / "page.html"
    path.write_text(live.page(graph), encoding="utf-8")
    with browser() as chromium:
        chromium.open(path)
        run = nf.Run(graph)
        hold_equal(chromium, graph, moments_of(run, 6, 3, 2), 5)
