"""Random graphs in a page, and all graphs of the gallery: `make pages` searches long."""

import json
import os
import random
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import helpers_browser
import helpers_firefox
import numpy as np
import pytest
from handwired_forms import draw, forms_of, neurons_of
from hypothesis import HealthCheck, Phase, given, settings
from networks import HAS_DATA
from strategies import networks, whole_library
from test_page import moments_of

import nodeflow as nf
from nodeflow.engine.fusing import fused
from nodeflow.engine.kernel import webassembly
from nodeflow.engine.kernel.registry import BY_NUMBER, END
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.errors import NodeflowError
from nodeflow.export import computing, html, live

GRAPHS = Path(__file__).parent.parent / "graphs"
LONG = "NODEFLOW_PAGES" in os.environ
EXAMPLES = int(os.environ.get("NODEFLOW_PAGES", "250"))


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request):
    """One browser after the other; both only where the search is long."""
    if request.param == "firefox" and not LONG:
        pytest.skip("`make pages` asks both browsers")
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


OPENED = """
const bytesOfText = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const textOfNumbers = (numbers) => {
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer), parts = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return btoa(parts.join(""));
};
const kernels = new Map();
let run = null;
window.begin = async (forms, parts) => {
  if (parts.kernel !== undefined) kernels.set(parts.named, bytesOfText(parts.kernel));
  const own = Object.entries(parts).filter(([name]) => name !== "named" && name !== "kernel");
  const bytes = Object.fromEntries(own.map(([name, text]) => [name, bytesOfText(text)]));
  if (bytes.ziggurat) readZiggurat(bytes.ziggurat);
  run = await Run.made(forms, { ...bytes, kernel: kernels.get(parts.named) });
};
const tried = (act) => { try { act(); return true; } catch { return false; } };
window.at = (moments, blamed) => moments.map((moment) => {
  run.goto(...moment);
  const names = Object.keys(run.data.slots).filter((name) => run.hasValue(name));
  const slopes = blamed.filter((name) => tried(() => run.gradient(name)));
  const { epoch, sample } = run.moment();
  return {
    where: [epoch, sample], names, slopes,
    cost: textOfNumbers([run.knownCost() ?? 0]), priced: run.knownCost() !== null,
    values: textOfNumbers(names.flatMap((name) => [run.value(name)].flat(Infinity))),
    gradients: textOfNumbers(slopes.flatMap((name) => [run.gradient(name)].flat(Infinity))),
  };
});
window.train = async (epochs) => {
  run.reset();
  await run.train(epochs);
  const weights = Object.entries(run.weights());
  return {
    names: weights.map(([name]) => name), history: run.history(),
    weights: textOfNumbers(weights.flatMap(([, value]) => [value].flat(Infinity))),
  };
};
window.Random = Random;
document.documentElement.dataset.ready = "";
"""
"""What a page with nothing but the engine offers: drawing would take most of the time."""


AT_ONCE = 300_000
"""Numbers that the page tells at once: an answer is soon there."""


def numbers_of(text):
    """Return the bits of numbers that the page told; NaN is NaN."""
    array = np.frombuffer(b64decode(text), np.float64)
    return np.where(np.isnan(array), np.nan, array).tobytes()


def bits_of(values):
    """Return the bits of the numbers of values, one after the other."""
    rows = [np.asarray(value, np.float64).ravel() for value in values]
    array = np.concatenate([np.zeros(0), *rows])
    return np.where(np.isnan(array), np.nan, array).tobytes()


@pytest.fixture(scope="module")
def engine(browser, tmp_path_factory):
    """A page with nothing but the engine."""
    path = tmp_path_factory.mktemp("engine") / "engine.html"
    script = html.script_of(live.ENGINE)
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><script type="module">{script}{OPENED}</script>',
        encoding="utf-8",
    )
    browser.open(path)
    browser.kernels = set()
    return browser


def begin(engine, run):
    """Give the page a run's engine; the kernel travels once."""
    forms, blobs = computing.engine(run)
    kernel = blobs.pop("kernel")
    parts = {name: b64encode(blob).decode() for name, blob in blobs.items()}
    parts["named"] = sha256(kernel).hexdigest()
    if parts["named"] not in engine.kernels:
        engine.kernels.add(parts["named"])
        parts["kernel"] = b64encode(kernel).decode()
    engine.run(f"begin({html.as_json(forms)}, {json.dumps(parts)})")


def held_equal(engine, graph, moments, epochs):
    """Hold page and Python equal; return why they cannot be compared, "" where they were."""
    options = {"strict": "lesson" not in graph.extra}  # what a lesson asks for may be missing yet
    try:
        fresh = nf.Run(graph, **options, room=html.ROOM)
        begin(engine, fresh)
        whole = nf.Run(graph, **options)
        whole.evaluate()
        fresh.train(epochs)
    except NodeflowError as error:
        return str(error)
    run, blamed = nf.Run(graph, **options), [*whole.gradients]
    asked = moments_of(run, moments, graph.name, 3)
    size = max(1, min(50, AT_ONCE // run.machine.tape.size))
    for at in range(0, len(asked), size):
        some = asked[at : at + size]
        found = engine.run(f"at({json.dumps(some)}, {json.dumps(blamed)})")
        for moment, there in zip(some, found, strict=True):
            hold_moment(run, moment, there)
    trained = engine.run(f"train({epochs})")
    assert set(trained["names"]) == fresh.weights.keys()
    weights = [fresh.weights[name] for name in trained["names"]]
    assert numbers_of(trained["weights"]) == bits_of(weights)
    beside, history = fresh.machine.evaluated_beside, fresh.history
    if beside is not None and beside.calls:  # BLAS would judge the test rows: a page does not
        history = [{**line, "test_cost": None, "test_accuracy": None} for line in history]
    assert trained["history"] == history
    assert engine.problems == []
    return ""


def hold_moment(run, moment, there):
    """Hold what a page has at a moment equal to what a run has."""
    run.goto(*moment)
    values, gradients = run.values, run.gradients
    assert there["where"] == [run.epoch, run.sample], moment
    assert set(there["names"]) == values.keys(), moment
    assert set(there["slopes"]) >= gradients.keys(), moment
    if numbers_of(there["values"]) != bits_of(values[name] for name in there["names"]):
        pytest.fail(f"at {moment}: {_first_difference(there, values)}")
    if set(there["slopes"]) == gradients.keys():
        wanted = bits_of(gradients[name] for name in there["slopes"])
        assert numbers_of(there["gradients"]) == wanted, moment
    try:
        cost = run.cost
    except NodeflowError:
        cost = None
    assert there["priced"] == (cost is not None), moment
    assert cost is None or numbers_of(there["cost"]) == bits_of([cost]), moment


def _first_difference(there, values):
    """Return which value differs first, and both."""
    found, at = np.frombuffer(b64decode(there["values"]), np.float64), 0
    for name in there["names"]:
        size = np.size(values[name])
        if bits_of([found[at : at + size]]) != bits_of([values[name]]):
            return f"{name} is {found[at : at + size]} and in Python {values[name]}"
        at += size
    return f"{len(found)} numbers, and in Python {at}"


@pytest.mark.skipif(not LONG, reason="`make pages` compares 500 random graphs")
@pytest.mark.parametrize("strategy", [networks, whole_library])
def test_random_graphs_have_the_bits_of_python(engine, strategy):
    computed = []

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=not LONG,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy())
    def search(graph):
        computed.append(held_equal(engine, graph, 6, 3) == "")

    search()
    assert sum(computed) >= len(computed) / 3, "too few of the graphs can be computed in a page"


@pytest.mark.skipif(not LONG, reason="`make pages` compares all graphs, lessons and twins too")
@pytest.mark.parametrize(
    "path", sorted(GRAPHS.rglob("*.json")), ids=lambda path: str(path.relative_to(GRAPHS))
)
def test_all_graphs_have_the_bits_of_python_at_200_moments(engine, path):
    graph = nf.load(path)
    if not HAS_DATA and any(name in path.stem for name in ("wheat", "mnist", "nielsen", "ng-")):
        pytest.skip("the data is not here: NODEFLOW_DATA says where it is")
    with live.sampled(graph) as (thin, _):
        if why := held_equal(engine, thin, 200, 20):
            pytest.skip(why)


@pytest.mark.skipif(not LONG, reason="`make pages` compares 10,000 seeds")
def test_10000_seeds_have_the_numbers_of_numpy(engine):
    begin(engine, nf.Run(nf.load(GRAPHS / "starts-huge.json")))  # it has numbers of normal starts
    draw = random.Random(1)
    seeds = [*range(5000), *(draw.randrange(2**53) for _ in range(5000))]
    for at in range(0, len(seeds), 1000):
        some = seeds[at : at + 1000]
        found = engine.run(
            f"""{json.dumps(some)}.map((seed) => {{
              const random = new Random([seed, 77]);
              const normal = Array.from({{length: 20}}, () => random.normal());
              return [normal, random.uniform(-0.5, 0.5), random.permutation(30)];
            }})"""
        )
        for seed, (normal, uniform, order) in zip(some, found, strict=True):
            numbers = np.random.default_rng([seed, 77])
            assert normal == numbers.standard_normal(20).tolist(), seed
            assert uniform == numbers.uniform(-0.5, 0.5)
            assert order == numbers.permutation(30).tolist()


@pytest.mark.parametrize("seed", [1, 7] if LONG else [1])
def test_all_forms_of_a_hand_wired_network_train_alike_in_a_page(engine, seed):
    """Folded, unfolded, by hand, steps, a loop, single neurons, and taken apart: one history."""
    drawn = draw(seed)
    graphs = {**forms_of(drawn), **neurons_of(drawn)}
    graphs |= {f"{name}, apart": nf.explode(graph) for name, graph in forms_of(drawn).items()}
    histories = {}
    for form, graph in graphs.items():
        assert held_equal(engine, graph, 3, 2) == "", form
        histories[form] = engine.run("train(2)")["history"]
    assert len(histories["folded"]) == 2
    for form, history in histories.items():
        assert history == histories["folded"], form
