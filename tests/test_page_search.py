"""Random graphs in a page, and all graphs of the gallery: `make pages` searches long."""

import json
import os
import random
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import dataclass
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
from nodeflow.engine.schedule import Moment
from nodeflow.errors import NodeflowError
from nodeflow.export import computing, html, live

GRAPHS = Path(__file__).parent.parent / "graphs"
LONG = "NODEFLOW_PAGES" in os.environ
EXAMPLES = int(os.environ.get("NODEFLOW_PAGES", "250"))


REFUSED = {"wheat-plateau", "gradient-checking", "wrong-slope", "ng-digits", "ng-digits-overfit"}
"""Graphs that a page cannot compute: docs/page.md says why of each."""
BROWSERS = {"Chromium": helpers_browser, "Firefox": helpers_firefox}
HERE = {name: found for name, found in BROWSERS.items() if found.executable() is not None}


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
const arrayOf = (values) => {
  const numbers = Float64Array.from(values.flatMap((value) => [value].flat(Infinity)));
  const bits = new BigUint64Array(numbers.buffer);
  for (let at = 0; at < numbers.length; at++) {
    if (Number.isNaN(numbers[at])) bits[at] = 0x7ff8000000000000n;
  }
  return numbers;
};
const digestOf = async (values) => {
  const digest = await crypto.subtle.digest("SHA-256", arrayOf(values));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
const kernels = new Map();
let run = null, blamed = [], names = [];
window.begin = async (forms, parts, slopes) => {
  if (parts.kernel !== undefined) kernels.set(parts.named, bytesOfText(parts.kernel));
  const own = Object.entries(parts).filter(([name]) => name !== "named" && name !== "kernel");
  const bytes = Object.fromEntries(own.map(([name, text]) => [name, bytesOfText(text)]));
  if (bytes.ziggurat) readZiggurat(bytes.ziggurat);
  run = await Run.made(forms, { ...bytes, kernel: kernels.get(parts.named) });
  names = Object.keys(run.data.slots);
  blamed = slopes;
  return names;
};
const marked = (names, marks) => names.filter((_, at) => marks[at] === "1");
window.at = async (asked) => {
  const told = [];
  for (const [moment, slopes] of asked) {
    run.goto(...moment);
    const there = names.map((name) => Number(run.hasValue(name))).join("");
    const { epoch, sample } = run.moment(), cost = run.knownCost();
    told.push({
      where: [epoch, sample], there, cost: cost === null ? "" : await digestOf([cost]),
      values: await digestOf(marked(names, there).map((name) => run.value(name))),
      gradients: await digestOf(marked(blamed, slopes).map((name) => run.gradient(name))),
    });
  }
  return told;
};
const spelled = (number) => (Object.is(number, -0) ? "-0" : String(number));
window.valuesAt = (moment) => {
  run.goto(...moment);
  const known = (name) => (run.hasValue(name) ? [run.value(name)].flat(Infinity) : []);
  return names.map((name) => known(name).map(spelled));
};
window.train = async (epochs) => {
  run.reset();
  await run.train(epochs);
  const weights = run.weights(), names = Object.keys(weights).sort();
  const digest = await digestOf(names.map((name) => weights[name]));
  return { names, history: run.history(), weights: digest };
};
window.Random = Random;
document.documentElement.dataset.ready = "";
"""
"""What a page with nothing but the engine offers: drawing would take most of the time."""


AT_ONCE = 3_000_000
"""Numbers that the page goes through at once: an answer is soon there."""


def digest_of(values):
    """Return a digest of the bits of values, one after the other; NaN is NaN."""
    rows = [np.asarray(value, np.float64).ravel() for value in values]
    array = np.concatenate([np.zeros(0), *rows])
    return sha256(np.where(np.isnan(array), np.nan, array).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """A page with nothing but the engine, by browser."""
    if not HERE:
        pytest.skip("no page can be tested: there is neither Chromium nor Firefox")
    assert not LONG or HERE.keys() == BROWSERS.keys(), "`make pages` compares both browsers"
    path = tmp_path_factory.mktemp("engine") / "engine.html"
    script = html.script_of(live.ENGINE)
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><script type="module">{script}{OPENED}</script>',
        encoding="utf-8",
    )
    with ExitStack() as stack:
        opened = {}
        for name, found in HERE.items():
            if LONG:
                found.SECONDS = 300  # other work on the machine is no fault of a page
            opened[name] = stack.enter_context(found.started())
            opened[name].open(path)
            opened[name].kernels = set()
        yield opened


def begin(engine, forms, blobs, blamed=()):
    """Give the page an engine, the kernel once; return the addresses of its values in its order."""
    parts = {name: b64encode(blob).decode() for name, blob in blobs.items()}
    kernel = parts.pop("kernel")
    parts["named"] = sha256(blobs["kernel"]).hexdigest()
    if parts["named"] not in engine.kernels:
        engine.kernels.add(parts["named"])
        parts["kernel"] = kernel
    return engine.run(f"begin({html.as_json(forms)}, {json.dumps(parts)}, {json.dumps(blamed)})")


@dataclass
class Truth:
    """What Python has at a moment; of its numbers a digest."""

    where: list[int]
    there: str
    """Whether there is a value by now, "1" or "0", by address."""
    slopes: str
    values: str
    gradients: str
    cost: str


def truth(run, moment, names, blamed):
    """Return what a run has at a moment."""
    run.goto(*moment)
    values, gradients = run.values, run.gradients
    assert values.keys() <= {*names}, moment
    assert gradients.keys() <= {*blamed}, moment
    try:
        cost = run.cost
    except NodeflowError:
        cost = None
    return Truth(
        [run.epoch, run.sample],
        _marks(names, values),
        _marks(blamed, gradients),
        digest_of(values[name] for name in names if name in values),
        digest_of(gradients[name] for name in blamed if name in gradients),
        "" if cost is None else digest_of([cost]),
    )


def _marks(names, known):
    return "".join("1" if name in known else "0" for name in names)


def held_equal(engines, graph, moments, epochs):
    """Hold each page and Python equal; return why they cannot be compared, "" where they were.

    Python goes through the moments once for all browsers, from the first to the last; the pages
    leap among them.
    """
    options = {"strict": "lesson" not in graph.extra}  # what a lesson asks for may be missing yet
    try:
        fresh = nf.Run(graph, **options, room=html.ROOM)
        forms, blobs = computing.engine(fresh)
        run = nf.Run(graph, **options)
        run.evaluate()
        fresh.train(epochs)
    except NodeflowError as error:
        return str(error)
    blamed, names = [*run.gradients], [*forms[0]["slots"]]
    run, schedule = nf.Run(graph, **options), run.schedule
    asked = moments_of(run, moments, graph.name, 3)
    order = sorted(set(asked), key=lambda each: schedule.number(schedule.find(Moment(*each))))
    truths = {moment: truth(run, moment, names, blamed) for moment in order}
    size = max(1, min(50, AT_ONCE // run.machine.tape.size))
    for browser, engine in engines.items():
        assert begin(engine, forms, blobs, blamed) == names
        for at in range(0, len(asked), size):
            some = [(moment, truths[moment].slopes) for moment in asked[at : at + size]]
            found = engine.run(f"at({json.dumps(some)})")
            for (moment, _), there in zip(some, found, strict=True):
                _hold(browser, engine, run, moment, names, truths[moment], there)
        _hold_trained(browser, fresh, engine.run(f"train({epochs})"))
        assert engine.problems == []
    return ""


def _hold(browser, engine, run, moment, names, wanted, there):
    """Hold what a page has at a moment equal to what Python has."""
    at = f"{browser}, at {moment}"
    assert there["where"] == wanted.where, at
    assert there["there"] == wanted.there, at
    if there["values"] != wanted.values:
        run.goto(*moment)
        told = engine.run(f"valuesAt({json.dumps(moment)})")
        pytest.fail(f"{at}: {_first_difference(names, told, run.values)}")
    assert there["gradients"] == wanted.gradients, at
    assert there["cost"] == wanted.cost, at


def _first_difference(names, told, values):
    """Return which value differs first, and both."""
    for name, numbers in zip(names, told, strict=True):
        found = [float(number) for number in numbers]
        if name in values and digest_of([found]) != digest_of([values[name]]):
            return f"{name} is {found} and in Python {values[name]}"
    return "they are equal now, and were not on the way there"


def _hold_trained(browser, fresh, trained):
    """Hold a page's weights and history after training equal to those of a run."""
    assert {*trained["names"]} == fresh.weights.keys(), browser
    weights = [fresh.weights[name] for name in trained["names"]]
    assert trained["weights"] == digest_of(weights), browser
    beside, history = fresh.machine.evaluated_beside, fresh.history
    if beside is not None and beside.calls:  # BLAS would judge the test rows: a page does not
        history = [{**line, "test_cost": None, "test_accuracy": None} for line in history]
    assert trained["history"] == history, browser


@pytest.mark.skipif(not LONG, reason="`make pages` compares 500 random graphs")
@pytest.mark.parametrize("strategy", [networks, whole_library])
def test_random_graphs_have_the_bits_of_python(engines, strategy):
    computed = []

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=not LONG,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy())
    def search(graph):
        computed.append(held_equal(engines, graph, 6, 3) == "")

    search()
    assert sum(computed) >= len(computed) / 3, "too few of the graphs can be computed in a page"


@pytest.mark.skipif(not LONG, reason="`make pages` compares all graphs, lessons and twins too")
@pytest.mark.parametrize(
    "path", sorted(GRAPHS.rglob("*.json")), ids=lambda path: str(path.relative_to(GRAPHS))
)
def test_all_graphs_have_the_bits_of_python_at_200_moments(engines, path):
    graph = nf.load(path)
    if not HAS_DATA and any(name in path.stem for name in ("wheat", "mnist", "nielsen", "ng-")):
        pytest.skip("the data is not here: NODEFLOW_DATA says where it is")
    with live.sampled(graph) as (thin, _):
        why = held_equal(engines, thin, 200, 20)
    assert bool(why) == (path.stem in REFUSED), why


@pytest.mark.skipif(not LONG, reason="`make pages` compares 10,000 seeds")
def test_10000_seeds_have_the_numbers_of_numpy(engines):
    # This graph's weights start with normal numbers: the page has their tables.
    made = computing.engine(nf.Run(nf.load(GRAPHS / "feedback-alignment.json")))
    for engine in engines.values():
        begin(engine, *made)
    draw = random.Random(1)
    seeds = [*range(5000), *(draw.randrange(2**53) for _ in range(5000))]
    for at in range(0, len(seeds), 1000):
        some = seeds[at : at + 1000]
        wanted = []
        for seed in some:
            numbers = np.random.default_rng([seed, 77])
            normal, uniform = numbers.standard_normal(20).tolist(), numbers.uniform(-0.5, 0.5)
            wanted.append([normal, uniform, numbers.permutation(30).tolist()])
        for browser, engine in engines.items():
            found = engine.run(
                f"""{json.dumps(some)}.map((seed) => {{
                  const random = new Random([seed, 77]);
                  const normal = Array.from({{length: 20}}, () => random.normal());
                  return [normal, random.uniform(-0.5, 0.5), random.permutation(30)];
                }})"""
            )
            for seed, one, other in zip(some, found, wanted, strict=True):
                assert one == other, (browser, seed)


@pytest.mark.skipif(not LONG, reason="`make pages` compares the forms of networks, too")
@pytest.mark.parametrize("seed", [1, 7])
def test_all_forms_of_a_hand_wired_network_train_alike_in_a_page(engines, seed):
    """Folded, unfolded, by hand, steps, a loop, single neurons, and taken apart: one history."""
    drawn = draw(seed)
    graphs = {**forms_of(drawn), **neurons_of(drawn)}
    graphs |= {f"{name}, apart": nf.explode(graph) for name, graph in forms_of(drawn).items()}
    histories = {name: {} for name in engines}
    for form, graph in graphs.items():
        assert held_equal(engines, graph, 3, 2) == "", form
        for name, engine in engines.items():
            histories[name][form] = engine.run("train(2)")["history"]
    for name, found in histories.items():
        assert len(found["folded"]) == 2
        for form, history in found.items():
            assert history == found["folded"], (name, form)
