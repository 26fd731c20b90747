"""The page that computes, in a browser: every number is that of Python, to the bit."""

import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from helpers_browser import NAMES, browser, executable

import nodeflow as nf
from nodeflow.errors import NodeflowError
from nodeflow.export import live

GRAPHS = Path(__file__).parent.parent / "graphs"


@pytest.fixture(scope="module")
def chromium():
    if executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(NAMES)}")
    with browser() as found:
        yield found


@pytest.fixture
def shown(chromium, tmp_path):
    """Return a function that opens the page of a graph."""

    def open_page(graph, fragment="", **options):
        path = tmp_path / "page.html"
        path.write_text(live.page(graph, **options), encoding="utf-8")
        chromium.size(1280, 800)
        chromium.media()
        chromium.open(path, fragment)
        return chromium

    return open_page


def sample(name):
    return nf.load(GRAPHS / f"{name}.json")


def bits(value):
    """Return the bits of all numbers, so that 0 and −0 differ and NaN equals itself."""
    array = np.asarray(value, np.float64)
    array = np.where(np.isnan(array), np.nan, array)
    return array.shape, array.tobytes()


def packed(values):
    return {address: bits(value) for address, value in values.items()}


BITS = """
  const hex = new Map();
  const spelled = (value) => Array.isArray(value) ? value.map(spelled)
    : Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? "-0" : String(value);
"""


def read(value):
    """Return a value of the page as an array: what JSON cannot hold is spelled."""
    if isinstance(value, list):
        return [read(each) for each in value]
    return float(value)


def moments_of(run, count, seed, epochs):
    draw = random.Random(seed)
    return [
        (draw.randrange(epochs), draw.randrange(run.schedule.rows), draw.choice([None, *run.order]))
        for _ in range(count)
    ]


def at_moments(page, moments):
    """Return what the page holds at some moments: all values, all gradients, the cost."""
    return page.run(
        f"""(() => {{ {BITS}
          const addresses = {json.dumps([])};
          return {json.dumps(moments)}.map(([epoch, sample, node]) => {{
            const moment = nodeflow.goto(epoch, sample, node);
            const values = {{}}, gradients = {{}};
            for (const address of nodeflow.addresses()) {{
              try {{ values[address] = spelled(nodeflow.value(address)); }} catch {{ /* not there yet */ }}
              try {{ gradients[address] = spelled(nodeflow.gradient(address)); }} catch {{ /* none */ }}
            }}
            let cost = null;
            try {{ cost = spelled(nodeflow.cost()); }} catch {{ /* not there yet */ }}
            return {{ moment, values, gradients, cost }};
          }});
        }})()"""
    )


def hold_equal(page, graph, moments, epochs=20, **options):
    run = nf.Run(graph, **options)
    for asked, found in zip(moments, at_moments(page, moments), strict=True):
        run.goto(*asked)
        values, gradients = run.values, run.gradients
        assert packed(values) == packed({k: read(v) for k, v in found["values"].items()}), asked
        known = {k: read(v) for k, v in found["gradients"].items() if k in gradients}
        assert packed(gradients) == packed(known), asked
        try:
            cost = run.cost
        except NodeflowError:
            cost = None
        assert (cost is None) == (found["cost"] is None)
        assert cost is None or bits(cost) == bits(read(found["cost"]))
        moment = found["moment"]
        assert (moment["epoch"], moment["sample"]) == (run.epoch, run.sample)
    page.run("nodeflow.reset()")
    fresh = nf.Run(graph, **options)
    fresh.train(epochs)
    trained = page.run(f"""(() => {{ {BITS} return nodeflow.train({epochs}).then(() => ({{
        weights: Object.fromEntries(Object.entries(nodeflow.weights()).map(([k, v]) => [k, spelled(v)])),
        history: nodeflow.history() }})); }})()""")
    weights = {k: read(v) for k, v in trained["weights"].items()}
    assert packed(weights) == packed(fresh.weights)
    assert trained["history"] == fresh.history


COMPUTED = (
    "xor", "one-neuron", "mazur", "mazur-sequential", "mazur-neurons-unfolded", "circle",
    "four-layers", "four-layers-vectorised", "plateau", "polynomial", "spiral", "symmetry-zeros",
    "two-weights-biases-unfolded", "wheat-seeds-neurons-unfolded",
)  # fmt: skip


@pytest.mark.parametrize("name", COMPUTED)
def test_a_page_has_the_bits_of_python(shown, name):
    graph = sample(name)
    page = shown(graph)
    moments = moments_of(nf.Run(graph), 12 if len(graph.nodes) > 40 else 25, name, 5)
    hold_equal(page, graph, moments)
    assert page.problems == []
    assert len(page.requests) == 1


FORMULAS = ("xor", "mazur", "spiral", "four-layers", "iris", "polynomial", "two-weights-unfolded")


@pytest.mark.parametrize("name", FORMULAS)
def test_a_page_writes_the_formulas_of_python(shown, name):
    graph = sample(name)
    page, run = shown(graph), nf.Run(graph)
    page.run("nodeflow.train(2)")
    run.train(2)
    count = min(2 * len(run.order), 150)
    told = page.run(
        f"Array.from({{length: {count}}}, () => {{ nodeflow.step(); return nodeflow.formula(); }})"
    )
    for found in told:
        step = run.step()
        assert found["formula"] == step.formula, step.node
