"""What was trained is never lost by an edit, and what trains otherwise begins beside it."""

import numpy as np
import pytest
from networks import assert_same, net

import nodeflow as nf
from nodeflow.editor.worker import Worker


def xor(**settings):
    return net("xor", (2, 2, 1), scale="none", epochs=40, trainer="adam", **settings)


def trained(graph, epochs):
    run = nf.Run(graph)
    run.train(epochs)
    return run


@pytest.fixture
def worker():
    made = Worker()
    made.open(xor())
    _train(made, 20)
    return made


def _train(worker, epochs):
    worker.train(epochs)
    while worker.running:
        worker.passed()


ADDED = {
    "a panel, not wired": lambda graph: graph.add("p", "panel"),
    "a panel, wired": lambda graph: graph.add("p", "panel").connect("hidden1.z", "p.value"),
    "a plot of the cost": lambda graph: graph.add("p", "plot").connect("cost.cost", "p.value"),
    "a node beside": lambda graph: graph.add("big", "exp").connect("hidden1.z", "big.a"),
    "a parameter": lambda graph: graph.add("free", "parameter", shape=(3, 2)),
    "a layer that is not trained": lambda graph: graph.add("w", "parameter", shape=(1, 2))
    .add("s", "weighted_sum").connect("w.value", "s.weights").connect("hidden1.z", "s.a"),
    "a data set with other rows": lambda graph: graph.add("d", "dataset", source="iris"),
    "a node that fails": lambda graph: graph.add("s", "weighted_sum"),
    "an accuracy": lambda graph: graph.add("hits", "accuracy").connect("output.a.a", "hits.a")
    .connect("data.y", "hits.y"),
}  # fmt: skip


@pytest.mark.parametrize("edit", ADDED.values(), ids=ADDED)
def test_what_the_cost_does_not_depend_on_comes_and_goes(worker, edit) -> None:
    before = xor()
    graph = edit(before)
    weights, history = dict(worker.player.run.weights), worker.player.run.history
    for each in (graph, before, graph):
        worker.start(each, "edit")
        live = worker.live()
        assert live.epoch == 20
        assert [line["cost"] for line in live.history] == [line["cost"] for line in history]
        for address, value in weights.items():
            np.testing.assert_array_equal(live.weights[address], value)
        assert len(live.playback.futures) == 1
        assert not live.playback.past
    _train(worker, 10)
    goal = trained(before, 30)
    for address, value in goal.weights.items():
        np.testing.assert_array_equal(worker.player.run.weights[address], value)
    worker.go("5")
    goal.goto(epoch=5)
    for address, value in goal.weights.items():
        np.testing.assert_array_equal(worker.player.run.weights[address], value)


def test_a_panel_that_is_placed_trained_on_wired_pasted_and_undone(worker) -> None:
    """The way on which the training was lost."""
    placed = xor().add("p", "panel")
    worker.start(placed, "add panel")
    _train(worker, 5)
    wired = placed.connect("hidden1.z", "p.value")
    worker.start(wired, "wire")
    pasted = wired.add("q", "panel").connect("output.a.a", "q.value")
    for graph in (pasted, wired, placed, pasted):
        worker.start(graph, "paste, undo")
        assert worker.live().epoch == 25
    assert_same(worker.player.run.weights, trained(xor(), 25).weights)


def test_another_network_begins_beside_and_the_old_one_is_returned_to(worker) -> None:
    first = xor()
    wider = net("xor", (2, 3, 1), scale="none", epochs=40, trainer="adam")
    worker.start(wider, "explode")
    live = worker.live()
    assert live.epoch == 0
    assert [future.what for future in live.playback.past] == ["before: explode"]
    _train(worker, 3)
    worker.start(first, "undo")
    live = worker.live()
    assert live.epoch == 20
    assert len(live.playback.past) == 1
    assert_same(worker.player.run.weights, trained(first, 20).weights)
    number = len(live.playback.futures)
    worker.switch(number)
    live = worker.live()
    assert live.epoch == 3
    assert live.playback.returned == (first, wider)
    assert_same(worker.player.run.weights, trained(wider, 3).weights)


def test_a_wire_that_is_taken_off_and_put_back_loses_nothing(worker) -> None:
    graph = xor()
    wire = next(wire for wire in graph.wires if wire.target == "cost" and wire.input == "a")
    worker.start(graph.disconnect(wire.start, wire.end), "remove wire")
    assert worker.live().epoch == 0
    worker.start(graph, "wire")
    assert worker.live().epoch == 20


def test_an_edit_in_the_middle_of_a_sample_stays_there(worker) -> None:
    worker.go("7:2:output")
    place = worker.live().playback.place
    worker.start(xor().add("p", "panel").connect("hidden1.z", "p.value"), "add panel")
    assert worker.live().playback.place == place
    worker.step("epoch")
    while worker.running:
        worker.passed()
    assert worker.live().epoch == 8


def test_another_seed_or_batch_is_returned_to_as_well(worker) -> None:
    for other in (xor(seed=3), xor(batch=2)):
        worker.start(other, "set seed")
        assert worker.live().epoch == 0
        _train(worker, 2)
        worker.start(xor(), "undo")
        assert worker.live().epoch == 20


def test_the_rate_of_the_graph_is_another_future() -> None:
    graph = nf.load("graphs/wheat-seeds-by-hand.json")
    if graph.training.rate is None:
        graph = nf.Graph(
            nodes=graph.nodes, wires=graph.wires,
            training=type(graph.training)(batch=1, epochs=2, seed=0, rate=0.3),
        )  # fmt: skip
    from nodeflow.editor.worker import computes_alike

    other = type(graph.training)(batch=1, epochs=2, seed=0, rate=0.1)
    assert not computes_alike(graph, nf.Graph(nodes=graph.nodes, wires=graph.wires, training=other))
