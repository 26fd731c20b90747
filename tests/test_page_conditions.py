"""Conditions in a page: read, judged and refused as in Python."""

import json
import re
from dataclasses import dataclass, replace

import helpers_browser
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_conditions import BEFORE, GRAPH, NOW, NUMBERS, PIECES, before, now
from test_conditions import test_a_condition_holds as holding
from test_conditions import test_shapes_that_do_not_fit_are_told_when_the_values_are_there as unfit
from test_conditions import test_what_cannot_be_read_says_where as unread
from test_page import sample

import nodeflow as nf
from nodeflow.errors import ConditionError
from nodeflow.export import html, live
from nodeflow.graph import Training
from nodeflow.playback.conditions import parse
from nodeflow.playback.grammar import language, read
from nodeflow.playback.player import Player

SCRIPTS = (
    "common.js", "sums.js", "numbers.js", "formulas.js", "conditions.js", "judging.js", "state.js",
)  # fmt: skip
HINT = re.compile(r"; (did you mean|there is) .*")
"""Which names are near is found in other ways; that something is told of them is the same."""


def cases(test):
    """Return the cases of a test of conditions."""
    mark = next(mark for mark in test.pytestmark if mark.name == "parametrize")
    return [case[0] for case in mark.args[1]]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with what reads and judges conditions, and the graph of the tests of conditions."""
    if helpers_browser.executable() is None:
        pytest.skip(f"there is none of {', '.join(helpers_browser.NAMES)}")
    nodes = {
        key: {
            "type": node.type,
            "family": node.known.family,
            "outputs": [[f"{key}.{port.name}"] for port in node.known.outputs],
        }
        for key, node in GRAPH.nodes.items()
    }
    index = {"nodes": nodes, "newest": {}, "language": language()}
    path = tmp_path_factory.mktemp("page") / "conditions.html"
    path.write_text(
        f"""<!doctype html><meta charset="utf-8"><script type="module">{html.script_of(SCRIPTS)}
        const index = {json.dumps(index)}, data = {{ cost: "cost.cost" }};
        const kernel = {{ "of.**": Math.pow, "of.max": Math.max, "of.min": Math.min }};
        for (const name of ["exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "sign"]) {{
          kernel[`of.${{name}}`] = Math[name];
        }}
        const run = {{ schedule: {{ places: new Map() }}, data, machine: {{ kernel }} }};
        const seen = (ports, words) => ({{
          port: (address) => ports[address] ?? null, word: (name) => words[name] ?? null,
          all: () => Object.values(ports).map((value) => value.flat(Infinity)),
        }});
        const told = ({{ head, value, parts, truth, start, end }}) => [
          head, head === "port" ? value.slice(0, 2) : value === Infinity ? "inf" : value, truth,
          start, end, parts.map(told)];
        const tried = (act) => {{
          try {{ return act(); }} catch (error) {{ return error.message; }}
        }};
        window.read = (text) => tried(() => told(readFrom(index, run, text).root));
        window.holds = (text, now, before) =>
          tried(() => holds(
            run, readFrom(index, run, text), seen(...now), before && seen(...before)));
        document.documentElement.dataset.ready = "";
        </script>""",
        encoding="utf-8",
    )
    with helpers_browser.started() as browser:
        browser.open(path)
        yield browser


def told(part):
    """Return a part of a condition as the page tells it."""
    value = part.value
    if part.head == "port":
        value = [value[0], list(value[1])]
    elif part.head == "relation":
        value = list(value)
    elif value == float("inf"):
        value = "inf"
    return [part.head, value, part.truth, part.start, part.end, [told(each) for each in part.parts]]


def read_here(text):
    try:
        return told(read(text, GRAPH))
    except ConditionError as error:
        return str(error)


def without_hint(made):
    return HINT.sub("", made) if isinstance(made, str) else made


def hold_alike(page, texts):
    """Hold what a page makes of texts equal to what Python makes of them."""
    found = page.run(f"{json.dumps(texts)}.map(read)")
    for text, there in zip(texts, found, strict=True):
        here = read_here(text)
        assert without_hint(there) == without_hint(here), text


def test_a_condition_is_read_as_in_python(page):
    texts = [
        *cases(holding),
        *cases(unread),
        *cases(unfit),
        "größe²>1",
        "\u2167>1",
        "𝒳 > 1",
        "w𝒳 > 1",
    ]
    hold_alike(page, texts)


def test_any_text_is_read_or_refused_as_in_python(page):
    """Texts of any signs, of the pieces of conditions, and such as can be read."""
    plain = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]))
    pieces = st.lists(st.sampled_from(PIECES), max_size=14)
    numbers = st.recursive(
        st.sampled_from(["a", "b-1", "w[1,0]", "cost", "2e3", ".5", "größe", "hidden.delta"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/^·−"), inner).map(" ".join),
            st.tuples(st.sampled_from(["", "-", "abs", "previous", "max"]), inner).map(
                "{0[0]}({0[1]})".format
            ),
        ),
        max_leaves=6,
    )
    compared = st.tuples(numbers, st.sampled_from(["<", "≥", "!=", "="]), numbers).map(" ".join)
    changed = st.tuples(numbers, st.sampled_from(["changes", "Changes sign", "rises"])).map(
        " ".join
    )
    truths = st.recursive(
        st.one_of(compared, changed),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["and", "or", "AND not"]), inner).map(" ".join),
            inner.map("any({})".format),
            inner.map("({})".format),
        ),
        max_leaves=6,
    )
    texts = []

    @settings(
        max_examples=400, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.one_of(plain, pieces.map("".join), pieces.map(" ".join), numbers, truths))
    def collect(text):
        texts.append(text)

    collect()
    assert sum(isinstance(read_here(text), list) for text in texts) > 40
    hold_alike(page, texts)


def test_a_condition_holds_where_it_does_in_python(page):
    def seen(values, numbers):
        return [{key: value.tolist() for key, value in values.items()}, numbers]

    state = f"{json.dumps(seen(NOW, NUMBERS))}, {json.dumps(seen(BEFORE, before.numbers))}"
    texts = [*cases(holding), *cases(unfit)]
    accuracy = "accuracy"  # a page knows test_accuracy and train_accuracy under this name
    for text in (text for text in texts if accuracy not in text.lower()):
        try:
            here = parse(text, GRAPH).holds(now, before)
        except ConditionError as error:
            here = str(error)
        assert page.run(f"holds({json.dumps(text)}, {state})") == here, text
        alone = page.run(f"holds({json.dumps(text)}, {json.dumps(seen(NOW, NUMBERS))}, null)")
        if isinstance(here, bool):
            assert alone == parse(text, GRAPH).holds(now), text


# --- where a run stops --------------------------------------------------------------------------


@dataclass
class Case:
    """A graph, and conditions that become true in it at some time."""

    graph: nf.Graph
    texts: tuple[str, ...]


RUNS = {
    "xor": Case(
        sample("xor"),
        (
            "cost < 0.05",
            "accuracy > 0.95 and any(theta1.value > 3)",
            "exp(-cost) > 0.99 or epoch >= 60",
            "hidden.z[0, 1] > 2",
            "theta1 changes sign",
            "cost rises",
            "not change(theta2) < 0 and update > 9",
            "norm(theta2) > 4 or nan appears",
            "previous(cost) > 2 * cost",
            "sample = 2 and epoch = 3",
            "hidden.delta falls",
            "max(output_a, 0.5) > 0.6",
        ),
    ),
    "batch": Case(
        replace(sample("xor"), training=Training(batch=3, epochs=50)),
        ("cost < 0.1", "cost rises", "hidden falls", "accuracy >= 0.75", "theta1 rises"),
    ),
    "loop": Case(
        sample("mazur"),
        ("cost < 0.2", "cost.cost < 0.25", "update >= 7", "cost falls"),
    ),
}


@pytest.fixture(scope="module", params=sorted(RUNS))
def opened(request, tmp_path_factory):
    if helpers_browser.executable() is None:
        pytest.skip(f"there is none of {', '.join(helpers_browser.NAMES)}")
    case = RUNS[request.param]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(live.page(case.graph), encoding="utf-8")
    with helpers_browser.started() as browser:
        browser.open(path)
        yield browser, case


def stopped(graph, text, epochs):
    """Return the moment at which Python's player stops, None where it does not."""
    player = Player(nf.Run(graph))
    player.stops.add(player.run, text)
    end = epochs * player.schedule.steps_per_epoch
    player.advance(end)
    return player.number if player.reason or player.number < end else None


def test_a_run_stops_where_a_condition_becomes_true_as_in_python(opened):
    page, case = opened
    came = 0
    for text in case.texts:
        wanted = stopped(case.graph, text, 80)
        page.run("nodeflow.reset()")
        assert page.run(f"nodeflow.until({json.dumps(text)}, 80)") == (wanted is not None), text
        number = page.run("nodeflow.moment().number")
        assert wanted is None or number == wanted, text
        came += wanted is not None
    assert came > len(case.texts) / 2


def test_playing_stops_where_a_typed_condition_becomes_true(opened):
    """Whatever a beat is: a step, or more."""
    page, case = opened
    text, wanted = next((text, at) for text in case.texts if (at := stopped(case.graph, text, 80)))
    for level in ("epoch", "sample", "step"):
        back = 40 if level == "step" else wanted
        page.run("nodeflow.reset()")
        page.run(
            f"""(() => {{
              const put = (id, value, kind) => {{
                const field = document.querySelector(id);
                field.value = value;
                field.dispatchEvent(new Event(kind));
              }};
              document.querySelector("#tab-change").click();
              put("#epochs", 1, "input");
              put("#condition", {json.dumps(text)}, "input");
              document.querySelector("#until").requestSubmit();
              put("#level", {json.dumps(level)}, "change");
              put("#speed", 6, "input");
            }})()"""
        )
        page.wait("!document.querySelector('#train').classList.contains('playing')")
        page.run(f"nodeflow.goto(0), nodeflow.step({max(0, wanted - back)})")
        page.run("nodeflow.play()")
        page.wait("!nodeflow.playing", 60)
        assert page.run("nodeflow.moment().number") == wanted, level
