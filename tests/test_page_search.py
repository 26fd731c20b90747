"""Random graphs in a page, and all graphs of the gallery: `make pages` searches long."""

import json
import os
import random
from pathlib import Path

import helpers_browser
import helpers_firefox
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from networks import HAS_DATA
from strategies import networks, whole_library
from test_page import hold_equal, moments_of

import nodeflow as nf
from nodeflow.engine.fusing import fused
from nodeflow.engine.kernel import webassembly
from nodeflow.engine.kernel.registry import BY_NUMBER, END
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.errors import NodeflowError
from nodeflow.export import computing, live

GRAPHS = Path(__file__).parent.parent / "graphs"
LONG = "NODEFLOW_PAGES" in os.environ
EXAMPLES = int(os.environ.get("NODEFLOW_PAGES", "250"))


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request):
    """One browser after the other."""
    found = helpers_browser if request.param == "chromium" else helpers_firefox
    if found.executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(found.NAMES)}")
    if LONG:
        found.SECONDS = 300  # other work on the machine is no fault of a page
    with found.started() as page:
        yield page


@pytest.fixture(scope="module", autouse=True)
def _one_kernel():
    """Compile one kernel with all rows, instead of one for each graph."""
    for activation, slope in SLOPES.items():
        fused("layer", activation)
        fused("layer_back", slope)
        fused("error_slope", slope)
    every = [each.number for each in BY_NUMBER if each.number != END and not each.joined]
    own = webassembly.kernel
    patch = pytest.MonkeyPatch()
    patch.setattr(
        computing.webassembly,
        "kernel",
        lambda real, used, *more: own(real, every if set(used) <= set(every) else used, *more),
    )
    yield
    patch.undo()


def held_equal(browser, tmp_path, graph, moments, epochs):
    """Hold page and Python equal; return why they cannot be compared, "" where they were."""
    options = {"strict": "lesson" not in graph.extra}  # what a lesson asks for may be missing yet
    try:
        text = live.page(graph)
        nf.Run(graph, **options).train(epochs)
    except NodeflowError as error:
        return str(error)
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    browser.open(path)
    known = moments_of(nf.Run(graph, **options), moments, graph.name, 3)
    hold_equal(browser, graph, known, epochs, **options)
    assert browser.problems == []
    return ""


@pytest.mark.skipif(not LONG, reason="`make pages` compares 500 random graphs")
@pytest.mark.parametrize("strategy", [networks, whole_library])
def test_random_graphs_have_the_bits_of_python(browser, tmp_path_factory, strategy):
    folder = tmp_path_factory.mktemp("random")
    computed = []

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=not LONG,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy())
    def search(graph):
        computed.append(held_equal(browser, folder, graph, 6, 3) == "")

    search()
    assert sum(computed) >= len(computed) / 3, "too few of the graphs can be computed in a page"


@pytest.mark.skipif(not LONG, reason="`make pages` compares all graphs, lessons and twins too")
@pytest.mark.parametrize(
    "path", sorted(GRAPHS.rglob("*.json")), ids=lambda path: str(path.relative_to(GRAPHS))
)
def test_all_graphs_have_the_bits_of_python_at_200_moments(browser, tmp_path, path):
    graph = nf.load(path)
    if not HAS_DATA and any(name in path.stem for name in ("wheat", "mnist", "nielsen", "ng-")):
        pytest.skip("the data is not here: NODEFLOW_DATA says where it is")
    with live.sampled(graph) as (thin, _):
        if why := held_equal(browser, tmp_path, thin, 200, 20):
            pytest.skip(why)


@pytest.mark.skipif(not LONG, reason="`make pages` compares 10,000 seeds")
def test_10000_seeds_have_the_numbers_of_numpy(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(live.page(nf.load(GRAPHS / "xor.json")), encoding="utf-8")
    browser.open(path)
    draw = random.Random(1)
    seeds = [*range(5000), *(draw.randrange(2**53) for _ in range(5000))]
    for at in range(0, len(seeds), 1000):
        some = seeds[at : at + 1000]
        found = browser.run(
            f"""{json.dumps(some)}.map((seed) => {{
              const random = new nodeflow.Random([seed, 77]);
              const normal = Array.from({{length: 20}}, () => random.normal());
              return [normal, random.uniform(-0.5, 0.5), random.permutation(30)];
            }})"""
        )
        for seed, (normal, uniform, order) in zip(some, found, strict=True):
            numbers = np.random.default_rng([seed, 77])
            assert normal == numbers.standard_normal(20).tolist(), seed
            assert uniform == numbers.uniform(-0.5, 0.5)
            assert order == numbers.permutation(30).tolist()
