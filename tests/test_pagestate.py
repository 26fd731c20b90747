"""What a moment follows from: a run tells it, a page takes it up, and Python does, bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers_browser import NAMES, browser, executable

import nodeflow as nf
from nodeflow.errors import RunError
from nodeflow.export import live
from nodeflow.export.pagestate import go, moment_of, replayed, state_of

GRAPHS = Path(__file__).parent.parent / "graphs"


def sample(name):
    return nf.load(GRAPHS / f"{name}.json")


def held(run):
    return {address: value.tobytes() for address, value in run.weights.items()}


def shown(weights, run):
    return {key: np.asarray(weights[key], run.machine.dtype).tobytes() for key in run.weights}


def untouched(graph):
    run = nf.Run(graph, seed=3)
    run.train(2)
    run.step()
    return run


def with_weights(graph):
    run = nf.Run(graph)
    run.train(2)
    run.step()
    run.set_weights({"theta2.value": [[0.5, -0.0]]})
    run.train(1)
    run.set_weights({"bias1.value": [0.1, 0.2], "theta2.value": [[1, 2]]})
    run.advance("update")
    return run


def forked(graph):
    run = with_weights(graph)
    run = run.fork(graph.set("train", rate=0.1))
    run.train(2)
    run.set_weights({"theta2.value": [[0.25, 4]]})
    run.train(1)
    run = run.fork(run.graph.set("train", rate=0.3))
    run.train(1)
    for _ in range(7):
        run.step()
    return run


def single(graph):
    run = nf.Run(graph, batch=3, dtype=np.float32)
    run.train(2)
    run = run.fork(graph.set("train", rate=0.07))
    run.advance("sample")
    return run


def forked_beyond_numbers(graph):
    run = nf.Run(graph)
    run.train(3)
    return run.fork(graph.set("accuracy", threshold=0.25))


RUNS = (untouched, with_weights, forked, single, forked_beyond_numbers)


@pytest.mark.parametrize("made", RUNS)
@pytest.mark.parametrize("name", ["xor", "spiral-momentum"])
def test_a_run_is_made_again_from_its_state(made, name):
    graph = sample("xor")
    if name == "spiral-momentum":
        graph = graph.set("train", momentum=0.5)
    run = made(graph)
    origin, state = state_of(run)
    again = replayed(origin, json.loads(json.dumps(state)), run.machine.dtype)
    assert held(again) == held(run)
    assert moment_of(again) == moment_of(run)
    assert origin == graph
    again.train(3)
    run.train(3)
    assert held(again) == held(run)


def test_a_page_takes_up_the_state_of_a_run_and_tells_its_own(tmp_path):
    if executable() is None:
        pytest.skip(f"no page can be tested: there is none of {', '.join(NAMES)}")
    with browser() as page:
        for made in RUNS:
            run = made(sample("xor"))
            origin, state = state_of(run)
            path = tmp_path / f"{made.__name__}.html"
            text = live.page(origin, state=state, float32=run.machine.dtype == np.float32)
            path.write_text(text, encoding="utf-8")
            page.open(path)
            assert page.run("nodeflow.moment()") == moment_of(run)
            assert shown(page.run("nodeflow.weights()"), run) == held(run)
            page.run("nodeflow.train(2).then(() => nodeflow.step(3))")
            page.run("nodeflow.setting('train.rate', 0.4), nodeflow.set('bias2.value', [-0])")
            page.run("nodeflow.train(1).then(() => nodeflow.back(5))")
            again = replayed(origin, page.run("nodeflow.state()"), run.machine.dtype)
            assert moment_of(again) == page.run("nodeflow.moment()")
            assert shown(page.run("nodeflow.weights()"), again) == held(again)
        assert page.problems == []


JOINED = """new Promise((then) => {
  const { port1: port, port2: theirs } = new MessageChannel(), told = [];
  const others = OTHERS; // what a notebook says, one after the other was answered
  port.onmessage = ({ data }) => {
    told.push(data.page ?? [data.seen, JSON.parse(data.state).number, data.moment.number]);
    const next = others.shift();
    if (next) port.postMessage(next); else then(told);
    if (next && !others.length) followed();
  };
  function followed() {
    if (nodeflow.moment().number === 7) nodeflow.step(2); else setTimeout(followed, 20);
  }
  postMessage({ join: true }, "*", [theirs]);
})"""


def test_a_notebook_and_a_page_that_is_ahead_of_it_are_joined(chromium, tmp_path):
    """Who steps before the notebook's widget is there keeps the steps; later it is followed."""
    graph = sample("xor")
    _, state = state_of(nf.Run(graph))
    state["page"] = "first"
    path = tmp_path / "page.html"
    path.write_text(live.page(graph, state=state), encoding="utf-8")
    chromium.open(path)
    chromium.run("nodeflow.step(3)")
    opened = dict(reversed(state.items()))  # what is in which order says nothing
    others = [{"number": 1, "state": json.dumps(opened)}]
    others = json.dumps([*others, {"number": 2, "state": json.dumps({**state, "number": 7})}])
    told = chromium.run(JOINED.replace("OTHERS", others))
    assert told == ["first", [1, 3, 3], [2, 9, 9]]
    assert chromium.problems == []


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("3:x", "'3:x' is not EPOCH"),
        (-1, "a whole number of steps from 0, not -1"),
        ({"epoch": 1, "node": "hiden"}, "did you mean 'hidden'"),
        ({"epok": 1}, "is no moment: write {'epoch': 3"),
        ([1, 2], "is no moment"),
        ({"epoch": 1.5}, "whole number"),
    ],
)
def test_a_moment_that_is_none_is_refused(wanted, sentence):
    with pytest.raises(RunError) as caught:
        go(nf.Run(sample("xor")), wanted)
    assert sentence in str(caught.value)


def test_moments_are_written_as_a_person_likes():
    for wanted in ("2:1:hidden", {"epoch": 2, "sample": 1, "node": "hidden"}):
        run = nf.Run(sample("xor"))
        go(run, wanted)
        found = moment_of(run)
        assert (found["epoch"], found["sample"], found["node"]) == (2, 1, "hidden")
        other = nf.Run(sample("xor"))
        go(other, found["number"])
        assert moment_of(other) == found
