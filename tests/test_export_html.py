"""The page that plays a run, opened in a browser: its numbers are those of `nodeflow play`."""

import json
import random
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import accumulating

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.errors import ExportError, RunError
from nodeflow.export import html
from nodeflow.networks import network as made
from nodeflow.workings.shown import show

GRAPHS = Path(__file__).parent.parent / "graphs"
WHEAT = "wheat-seeds-neurons-unfolded"


@pytest.fixture
def page(chromium):
    """The browser as a reader has it: a window of usual size, nothing preferred."""
    chromium.size(1280, 800)
    chromium.media()
    return chromium


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes the page of a graph of the gallery, once."""
    folder = tmp_path_factory.mktemp("pages")

    def write(name, **options):
        path = folder / f"{name}.html"
        if not path.exists():
            graph = nf.load(GRAPHS / f"{name}.json")
            path.write_text(html.page(graph, **options), encoding="utf-8")
        return path

    return write


@pytest.fixture
def shown(page, tmp_path):
    """Return a function that opens the page of a graph."""

    def show_page(graph, **options):
        path = tmp_path / "page.html"
        path.write_text(html.page(graph, **options), encoding="utf-8")
        page.open(path)
        return page

    return show_page


def network(**training):
    x, y = nf.dataset(source="xor", shuffle=False, id="data")
    hidden = nf.tanh(nf.weighted_sum(x, nf.parameter(shape=(2, 2), id="w1"), id="hidden"), id="a1")
    a = nf.sigmoid(nf.weighted_sum(hidden, nf.parameter(shape=(1, 2), id="w2"), id="out"), id="a2")
    cost = nf.squared_error(a, y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.3, id="train"), name="xor", **training)


def looped():
    """Return a graph whose update is a loop over samples."""
    return accumulating(nf.unfold(network(epochs=2, batch=2)), "w1", "w2")


def numbers(value):
    return np.ravel(np.array(value, dtype=float)).tolist()


def read(page, number):
    """Show a step, and return what stands on the page, its numbers from their text."""
    page.run(f"nodeflow.goto({number})")
    return page.run(
        """(() => {
          const values = (kind) => Object.fromEntries(
            [...document.querySelectorAll(`[data-${kind}]`)].map((made) => [made.dataset[kind],
              made.textContent.replaceAll("−", "-").split(/\\s+/).map(Number)]));
          const text = (selector) => document.querySelector(selector).textContent;
          return {inputs: values("input"), outputs: values("output"), formula: text("#formula"),
            where: text("#where"), node: text("#node"), step: nodeflow.step};
        })()"""
    )


def hold_equal(page, number, step):
    """The page shows at a step exactly what `nodeflow play --json` has for it."""
    found, node = read(page, number), step["node"]
    for ports, kind in ((step["outputs"], "outputs"), (step["inputs"], "inputs")):
        for port, value in ports.items():
            assert found[kind][f"{node}.{port}"] == numbers(value), (number, node, port)
    assert found["formula"] == step["formula"]
    assert found["node"] == node
    for what in ("epoch", "update", "sample", "phase", "node", "formula"):
        assert found["step"][what] == step[what]
    assert found["where"].startswith(f"epoch {step['epoch']} · sample")
    assert found["where"].endswith(step["phase"])


def played(capsys, name, *words):
    assert main(["play", str(GRAPHS / f"{name}.json"), "--json", "--speed", "0", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("name", ["xor", "mazur"])
def test_every_step_has_the_numbers_of_play(page, written, capsys, name):
    page.open(written(name, until="2"))
    steps = played(capsys, name, "--until", "2")
    assert page.run("nodeflow.steps") == len(steps)
    order = list(range(len(steps)))
    random.Random(1).shuffle(order)  # any moment, not only the next one
    for number in order[:60]:
        hold_equal(page, number, steps[number])
    assert page.problems == []


def test_neurons_of_two_epochs_have_the_numbers_of_play(page, written, capsys):
    page.open(written(WHEAT, epochs=2))
    per_update = page.run("nodeflow.steps") // (2 * 139)
    assert page.run("nodeflow.steps") == 2 * 139 * per_update
    for sample in (100, 3, 138):  # to and fro
        steps = played(capsys, WHEAT, "--from", f"1:{sample}", "--samples", "1")
        assert len(steps) == per_update
        for place in (0, 17, 61, per_update - 1):
            hold_equal(page, (139 + sample) * per_update + place, steps[place])
    assert page.problems == []


def test_a_page_is_small_opens_at_once_and_asks_for_nothing(page, written):
    path = written(WHEAT, epochs=2)
    assert path.stat().st_size < 5_000_000
    opened = []
    for _ in range(3):
        page.open(path)
        opened.append(page.run("nodeflow.opened"))  # milliseconds since the browser was sent there
    assert min(opened) < 1000, opened
    page.run("nodeflow.goto(30000)")
    assert page.requests == [path.absolute().as_uri()]
    assert page.problems == []


def test_it_plays_and_pauses(page, written):
    page.open(written("xor", until="2"))
    assert page.run("nodeflow.step.number") == 0
    page.press(" ")
    assert page.run("nodeflow.playing")
    page.wait("nodeflow.step.number >= 2")
    page.press(" ")
    assert not page.run("nodeflow.playing")
    stopped = page.run("nodeflow.step.number")
    assert (
        page.run("new Promise((done) => setTimeout(() => done(nodeflow.step.number), 800))")
        == stopped
    )  # longer than a beat
    page.run("nodeflow.goto(nodeflow.steps - 2)")
    page.press(" ")
    page.wait("!nodeflow.playing")  # at the end it stops by itself
    assert page.run("nodeflow.step.number === nodeflow.steps - 1")
    assert page.problems == []


def test_the_bar_is_scrubbed_with_the_mouse(page, written):
    page.open(written(WHEAT, epochs=2))
    last = page.run("nodeflow.steps") - 1
    x, y, width, height = page.box("#scrub")
    place = lambda part: (x + 8 + part * (width - 16), y + height / 2)  # noqa: E731
    page.drag(place(0), place(0.75))
    number = page.run("Number(document.querySelector('#scrub').value)")
    page.wait(f"nodeflow.step.number === {number}")
    assert number == pytest.approx(0.75 * last, abs=2 * last / (width - 16))
    assert page.run("document.querySelector('#formula').dataset.step") == str(number)
    page.drag(place(0.75), place(-0.1))
    page.wait("nodeflow.step.number === 0")


def test_keys_and_buttons_go_by_steps_and_beats(page, written):
    page.open(written("xor", until="2"))
    steps, at = page.run("nodeflow.steps"), "nodeflow.step.number"
    update = steps // 8  # two epochs of four samples

    def press(key, number, **how):
        page.press(key, **how)
        page.wait(f"{at} === {number}")

    press("ArrowRight", 1)
    press("ArrowLeft", 0)
    press("End", steps - 1)
    press("Home", 0)
    page.press("4")
    press("ArrowRight", update, shift=True)
    press("ArrowRight", 2 * update, shift=True)
    press("ArrowRight", 2 * update + 1)
    press("ArrowLeft", 2 * update, shift=True)
    press("ArrowLeft", update, shift=True)
    page.press("5")
    press("ArrowRight", 4 * update, shift=True)
    page.press("2")
    page.press("ArrowRight", shift=True)
    page.wait("nodeflow.step.phase === 'backward'")
    for button, way in (("forth", "update"), ("back", "backward")):
        x, y, width, height = page.box(f"#{button}")
        middle = x + width / 2, y + height / 2
        page.mouse("moved", *middle)
        page.mouse("pressed", *middle)
        page.mouse("released", *middle)
        page.wait(f"nodeflow.step.phase === '{way}'")
    assert page.problems == []


def test_a_step_in_the_log_is_a_click_away(page, written):
    page.open(written("mazur", until="2"))
    x, y, width, height = page.box("[data-log='4']")
    page.mouse("pressed", x + width / 2, y + height / 2)
    page.mouse("released", x + width / 2, y + height / 2)
    page.wait("nodeflow.step.number === 4")
    assert page.run("document.querySelector('[aria-current]').dataset.log") == "4"


GRAPHS_OF = {
    "batches": lambda: network(epochs=2, batch=3),
    "all at once": lambda: network(epochs=2, batch="all"),
    "a loop over samples": looped,
}


@pytest.mark.parametrize("name", GRAPHS_OF)
def test_batches_and_loops_have_the_values_of_a_run(shown, name):
    graph = GRAPHS_OF[name]()
    page = shown(graph, begin="0:2", until="2")
    run = nf.Run(graph)
    run.goto(epoch=0, sample=2)
    for number in range(page.run("nodeflow.steps")):
        hold_equal(page, number, run.step().as_dict())
    assert run.epoch == 2
    assert page.problems == []


def test_a_page_may_begin_and_end_anywhere(shown):
    graph = network(epochs=4)
    page = shown(graph, begin="1:2:hidden", samples=1, level="phase")
    run = nf.Run(graph)
    run.goto(epoch=1, sample=2, node="hidden")
    assert page.run("nodeflow.step.node") == "hidden"
    assert page.run("nodeflow.value('hidden.z')") == run["hidden.z"].tolist()
    assert page.run("nodeflow.value('cost.cost')") == run["cost.cost"].tolist()  # from before
    assert page.run("document.querySelector('#level').value") == "phase"
    assert page.run("document.querySelector('#cost').textContent").endswith(
        "recorded up to epoch 1, sample 2 of 4"
    )
    page.press("End")
    page.wait("nodeflow.step.number === nodeflow.steps - 1")
    assert page.run("[nodeflow.step.epoch, nodeflow.step.sample]") == [1, 2]


def test_values_show_every_digit_under_the_pointer(page, written):
    page.open(written("mazur", until="2"))
    page.run("nodeflow.find(1, 0, 'cost').then(nodeflow.goto)")
    for target in ("[data-node=cost] .body", "[data-port='cost.cost']"):
        x, y, width, height = page.box(target)
        page.mouse("moved", x + width / 2, y + height / 2)
        page.wait("!document.querySelector('#tip').hidden")
        text = page.run("document.querySelector(\"#tip [data-value='cost.cost']\").textContent")
        assert float(text.split()[-1]) == page.run("nodeflow.value('cost.cost')")[0][0]
        page.mouse("moved", 2, 2)
        page.wait("document.querySelector('#tip').hidden")


def test_numbers_fly_along_the_wires_of_a_step_unless_motion_is_unwanted(page, written):
    places = (
        "[...document.querySelectorAll('[data-token]')].map((t) => t.getAttribute('transform'))"
    )
    page.open(written("mazur", until="2"))
    number = page.run("nodeflow.find(0, 0, 'hidden')")
    moved = []
    for motion in ("no-preference", "reduce"):
        page.media(prefers_reduced_motion=motion)
        page.run(f"nodeflow.goto({number - 1})")
        page.run("document.querySelector('#next').click()")
        page.wait("document.querySelectorAll('[data-token]').length === 3")
        first = page.run(places)
        page.run("new Promise((done) => setTimeout(done, 120))")
        moved.append(page.run(places) != first)
        page.wait("!document.querySelector('[data-token]')")
    assert moved == [True, False]


def test_wires_between_two_layers_are_one_trunk(shown):
    page = shown(nf.explode(made("4-7-5-3")), until="1")
    told = "35 wires: hidden1_a.*.a → hidden2.*.a"
    trunk = f"[data-bundle='{told}']"
    assert page.run(f'document.querySelectorAll("{trunk}").length') == 1
    wide = "document.querySelector('.wire[data-part=trunk]').style.strokeWidth"
    assert 4 < float(page.run(wide)) < 8
    # 7 strands lead to it, and one to each of the rows of 5 neurons.
    starts = "document.querySelectorAll(\"[data-bundle$='→ hidden2.*.a']\").length"
    assert page.run(starts) == 1 + 7
    x, y, width, height = page.box(trunk)
    page.mouse("moved", x + width / 2, y + height / 2)
    page.wait("!document.querySelector('#tip').hidden")
    assert page.run("document.querySelector('#tip').textContent").startswith(told)
    # What a neuron was given comes along them, strand, trunk and strand.
    page.media(prefers_reduced_motion="no-preference")
    number = page.run("nodeflow.find(0, 0, 'hidden2.3')")
    page.run(f"nodeflow.goto({number - 1})")
    page.run("document.querySelector('#next').click()")
    page.wait("document.querySelectorAll('[data-token]').length === 9")
    lit = "document.querySelectorAll('.wire.active[data-part]').length"
    assert page.run(lit) == 7 + 1 + 7


def test_the_wheel_zooms_about_the_pointer_and_dragging_moves(page, written):
    page.open(written("mazur", until="2"))
    x, y, width, height = page.box("[data-node=hidden] .body")
    corner = x, y
    page.mouse("moved", *corner)
    page.mouse("wheel", *corner, deltaX=0, deltaY=-300)
    *nearer, larger, _ = page.box("[data-node=hidden] .body")
    assert larger > 1.3 * width
    assert nearer == pytest.approx(corner, abs=2)
    stage = page.box("#canvas")
    bare = stage[0] + 10, stage[1] + stage[3] - 10
    page.drag(bare, (bare[0] + 90, bare[1] - 40))
    assert page.box("[data-node=hidden] .body")[:2] == pytest.approx((x + 90, y - 40), abs=2)
    page.press("f")
    assert page.box("[data-node=hidden] .body") == pytest.approx([x, y, width, height], abs=2)


def test_two_fingers_zoom(page, written):
    page.open(written("mazur", until="2"))
    before = page.box("[data-node=hidden] .body")
    x, y = before[0] + before[2] / 2, before[1] + before[3] / 2

    def touch(kind, *xs):
        points = [{"x": x + dx, "y": y, "id": number} for number, dx in enumerate(xs)]
        page.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    page.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    try:
        touch("touchStart", -40, 40)
        for apart in range(44, 84, 4):
            touch("touchMove", -apart, apart)
        touch("touchEnd")
    finally:
        page.send("Emulation.setTouchEmulationEnabled", enabled=False)
    after = page.box("[data-node=hidden] .body")
    assert after[2] == pytest.approx(2 * before[2], rel=0.1)
    assert after[0] + after[2] / 2 == pytest.approx(x, abs=8)


def test_colours_follow_the_reader_until_one_is_chosen(page, written):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(246, 245, 242)", "rgb(27, 29, 33)"
    page.media(prefers_color_scheme="light")
    page.open(written("mazur", until="2"))
    assert page.run(background) == light
    page.media(prefers_color_scheme="dark")
    assert page.run(background) == dark
    page.press("t")
    assert page.run(background) == light


@pytest.mark.parametrize("size", [(390, 844), (1920, 1080)])
def test_nothing_sticks_out_of_a_small_or_a_large_window(page, written, size):
    page.size(*size)
    page.open(written("mazur", until="2"))
    for selector in ("header", "#canvas", "#caption", "#transport", "#scrub"):
        x, y, width, height = page.box(selector)
        assert x >= 0
        assert y >= 0
        assert x + width <= size[0]
        assert y + height <= size[1]


def test_names_are_text_whatever_they_say(shown):
    evil = "</script></title><script>window.hacked = 1</script><img src=x onerror='hacked=1'>"
    graph = replace(network(epochs=1), name=f"{evil}{{{{script}}}}", about=f"{evil}&amp;")
    graph = replace(graph, groups={"g": {"title": evil, "nodes": ["hidden"]}})
    page = shown(graph)
    assert page.run("typeof window.hacked") == "undefined"
    assert page.run("document.querySelector('h1').textContent") == f"{evil}{{{{script}}}}"
    assert page.run("document.querySelector('header p').textContent") == f"{evil}&amp;"
    assert page.run("document.querySelector('#canvas > g > .title').textContent") == evil
    assert page.run("document.images.length") == 0
    assert len(page.requests) == 1
    assert page.problems == []


def test_a_page_writes_numbers_as_python_does(page, written):
    draw = random.Random(7)
    found = [0.0, -0.0, 0.1, 0.5, 1e5, 99999.5, 12345.0, 9999.95, 9999.96, 1e-4, 1e-5, 9.9996e-5,
             0.015625, 0.15625, -0.0390625, 2.5, 1e300, 5e-324, 0.00012345, 0.09999999]  # fmt: skip
    found += [struct.unpack("d", draw.randbytes(8))[0] for _ in range(300)]
    found += [draw.uniform(-1, 1) * 10.0 ** draw.randint(-6, 7) for _ in range(700)]
    found += [draw.randint(-4096, 4096) / 4096 for _ in range(500)]  # many lie halfway
    found = [number for number in found if number == number]
    page.open(written("mazur", until="2"))
    said = page.run(f"{json.dumps(found)}.map(nodeflow.show)")
    wrong = [(n, ours, show(n)) for n, ours in zip(found, said, strict=True) if ours != show(n)]
    assert wrong == []
    assert page.run("['NaN', 'Infinity', '-Infinity'].map(nodeflow.show)") == [
        show(float(name)) for name in ("nan", "inf", "-inf")
    ]


def test_what_json_cannot_hold_is_spelled():
    odd = {"a": np.array([[np.nan, np.inf], [-np.inf, 0.1]])}
    assert json.loads(html.as_json(odd)) == {"a": [["NaN", "Infinity"], ["-Infinity", 0.1]]}


def whole(graph, end):
    """Each step of a run with its values, by its place in time."""
    run = nf.Run(graph)
    while run.epoch < end:
        at = (run.epoch, run.sample)
        step = run.step()
        yield (*at, step.node), run.values


@pytest.mark.parametrize("graph", [network(epochs=6), looped()], ids=["each sample", "loop"])
def test_of_long_beats_the_first_pass_and_the_last_one_are_recorded(shown, graph):
    """What is recorded has the values of the run; what is not recorded is not claimed."""
    level = "epoch" if graph.training.batch == 1 else "update"
    end = graph.training.epochs
    page = shown(graph, level=level, epochs=end)
    every = dict(whole(graph, end))
    told = [page.run(f"(async () => {{ await nodeflow.goto({number}); return [nodeflow.step, "
                     f"nodeflow.value('w1.value'), nodeflow.value('out.z')]; }})()")
            for number in range(page.run("nodeflow.steps"))]  # fmt: skip
    for step, weights, z in told:
        values = every[step["epoch"], step["sample"], step["node"]]
        if step["phase"] != "update":
            assert numbers(weights) == numbers(values["w1.value"])
        if "out.z" in values:
            assert numbers(z) == numbers(values["out.z"])
    places = sorted({(step["epoch"], step["sample"]) for step, *_ in told})
    if level == "epoch":
        assert places == [*((epoch, 0) for epoch in range(6)), (5, 3)]
    else:
        assert places == [*((epoch, row) for epoch in range(2) for row in (0, 2)), (1, 3)]
    page.run("nodeflow.goto(0)")
    assert f"the first sample of each {level}" in page.run(
        "document.querySelector('#cost').textContent"
    )
    assert page.problems == []


def test_a_page_by_epochs_is_an_order_smaller(tmp_path):
    """Ten epochs of the wheat network, neuron by neuron: whole they are fifty times that."""
    graph = nf.load(GRAPHS / f"{WHEAT}.json")
    text = html.page(graph, epochs=10, level="epoch")
    assert len(text) < 210_000


def test_a_page_that_would_be_too_large_says_how_large(monkeypatch):
    monkeypatch.setattr(html, "LARGEST", 30_000)
    monkeypatch.setattr(html, "_CHUNK", 10_000)
    with pytest.raises(ExportError, match=r"about \d+ MB.*--samples, --epochs or --until"):
        html.page(network(epochs=200), epochs=200)


def test_without_an_end_a_page_stays_handy(monkeypatch, shown):
    monkeypatch.setattr(html, "PLENTY", 30_000)
    monkeypatch.setattr(html, "_CHUNK", 10_000)
    page = shown(network(epochs=200))
    text = page.run("document.documentElement.outerHTML.length")
    assert 30_000 < text < 200_000  # with the player, packed and unpacked
    assert "recorded up to epoch" in page.run("document.querySelector('#cost').textContent")
    page.press("End")
    page.wait("nodeflow.step.number === nodeflow.steps - 1")
    step = page.run("nodeflow.step")
    run = nf.Run(network(epochs=200))
    run.goto(epoch=step["epoch"], sample=step["sample"], node=step["node"])
    assert page.run("nodeflow.value('hidden.z')") == run["hidden.z"].tolist()


def test_without_an_end_whole_epochs_are_recorded(monkeypatch):
    told = []
    monkeypatch.setattr(html, "STEPS", 230)
    text = html.page(network(epochs=50), progress=lambda *done: told.append(done))
    an_epoch = 4 * len(nf.Run(network(epochs=1)).order)
    assert told[-1] == (an_epoch * round(230 / an_epoch),) * 2
    assert told == sorted(told)
    assert text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"level": "hour"}, ExportError, "no level 'hour'; choose one of step, phase"),
        ({"theme": "pink"}, ExportError, "no theme 'pink'; choose one of auto, dark, light"),
        ({"begin": "1", "until": "1"}, ExportError, "'1' is not after the first step"),
        ({"begin": "x"}, RunError, "'x' is not EPOCH"),
        ({"until": "0:0:hiden"}, RunError, "did you mean 'hidden'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        html.page(network(epochs=2), **options)


def test_a_theme_can_be_chosen_beforehand(shown):
    page = shown(network(epochs=1), theme="dark")
    page.media(prefers_color_scheme="light")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(27, 29, 33)"
