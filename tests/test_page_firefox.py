"""The page that computes, in Firefox: another engine, the same bits."""

from pathlib import Path

import pytest
from helpers_firefox import NAMES, executable, started
from test_page import hold_equal, moments_of, packed

import nodeflow as nf
from nodeflow.export import live

GRAPHS = Path(__file__).parent.parent / "graphs"


@pytest.fixture(scope="module")
def page():
    if executable() is None:
        pytest.skip(f"there is none of {', '.join(NAMES)}")
    with started() as found:
        yield found


@pytest.mark.parametrize("name", ["four-layers", "spiral", "wheat-seeds"])
def test_firefox_has_the_bits_of_python(page, tmp_path, name):
    graph = nf.load(GRAPHS / f"{name}.json")
    path = tmp_path / "page.html"
    path.write_text(live.page(graph), encoding="utf-8")
    page.open(path)
    hold_equal(page, graph, moments_of(nf.Run(graph), 5, name, 3), 5)
    page.run("nodeflow.reset(9), nodeflow.train(2)")
    run = nf.Run(graph, seed=9)
    run.train(2)
    assert packed(page.run("nodeflow.weights()")) == packed(run.weights)
