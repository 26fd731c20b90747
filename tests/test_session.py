"""The run in its thread: the numbers of `run.train`, and an editor that never waits."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import CLASSES, net

import nodeflow as nf
from nodeflow.derive.rates import with_rate
from nodeflow.editor.background import Cancelled
from nodeflow.editor.documents.exporting import kept
from nodeflow.editor.run.session import Session, checked
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.runcommands import Pause, Reset, ShowCheck, Step, Train

SECONDS = 60.0
"""Only a fault takes so long: the first run of all compiles the engine."""


class Watched(Session):
    """A session that tells whether its thread waits for a command, and nothing runs."""

    idle = False

    def _next(self, wait: float | None) -> Any:
        self.idle = wait is None and not self._commands
        try:
            return super()._next(wait)
        finally:
            self.idle = False


@pytest.fixture
def session() -> Iterator[Session]:
    made = Watched()
    yield made
    made.close()


def until(session: Session, seen: Callable[[Live], object], seconds: float = SECONDS) -> Live:
    """Return the first snapshot that the condition holds for."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        live = session.poll()
        if live is not None:
            last = live
            if seen(live):
                return live
        time.sleep(0.0005)
    raise AssertionError(f"it never came: {last and (last.state, last.update, last.problem)}")


def settled(session: Watched, seconds: float = 0.4) -> Live | None:
    """Return the last snapshot after everything that was asked for is done."""
    last, end = None, time.monotonic() + seconds
    while time.monotonic() < end:
        live = session.poll()
        last = live or last
        if live is not None or session._commands or not session.idle:
            end = time.monotonic() + seconds
        time.sleep(0.005)
    return last


def told(error: str) -> str:
    """Return the sentence about a fault that was not foreseen."""
    return f"a fault in nodeflow itself ({error}); the graph is kept, save it"


def same(found: Live, run: nf.Run) -> None:
    """Hold a snapshot against a run, bit for bit."""
    assert (found.epoch, found.update) == (run.epoch, run.update)
    assert list(found.history) == run.history
    if run.position.place == 0 and not any(run.plan.phases[key] == 0 for key in found.ages):
        run.evaluate()  # after full speed the numbers are those of the weights of now
    for mine, others in (
        (found.values, run.values),
        (found.gradients, run.gradients),
        (found.weights, run.weights),
    ):
        assert sorted(mine) == sorted(others)
        for address, value in others.items():
            assert np.array_equal(mine[address], value), address
            assert mine[address].shape == value.shape


@pytest.fixture(scope="module")
def graph() -> nf.Graph:
    source, sizes = CLASSES
    return net(source, sizes, rate=0.3, test=1 / 3, epochs=40)


# --- the same numbers ---------------------------------------------------------------------------


def test_an_untrained_graph_shows_its_values(session: Session, graph: nf.Graph) -> None:
    assert session.poll().state in ("preparing", "still")
    session.start(graph)
    live = until(session, lambda live: live.values)
    run = nf.Run(graph)
    run.evaluate()
    assert (live.state, live.problem, list(live.history)) == ("still", "", [])
    same(live, run)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"batch": 7},
        {"batch": "all", "trainer": "adam", "rate": 0.01},
        {"momentum": 0.9},
    ],
    ids=str,
)
def test_training_beside_is_training(session: Session, change: dict[str, object]) -> None:
    source, sizes = CLASSES
    graph = net(source, sizes, **{"rate": 0.3, "test": 1 / 3, "epochs": 40, **change})
    session.start(graph)
    session.do(Train())
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(graph)
    run.train()
    same(live, run)


def test_pauses_change_no_number(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    until(session, lambda live: live.values)
    for _ in range(12):
        session.do(Train(20_000))
        until(session, lambda live: live.state == "training")
        session.do(Pause())
    live = settled(session)
    assert live is not None
    assert live.state == "paused"
    run = nf.Run(graph)
    run.train(updates=live.update)
    same(live, run)


def test_a_paused_training_goes_on_to_its_end(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(12_000))
    until(session, lambda live: live.update > 0)
    session.do(Pause())
    until(session, lambda live: live.state == "paused")
    session.do(Train())
    live = until(session, lambda live: live.state == "done")
    assert live.epoch == len(live.history) == 12_000
    session.do(Train())
    assert until(session, lambda live: live.state == "done").epoch == 12_000 + graph.training.epochs
    session.do(Reset())
    live = until(session, lambda live: live.state == "still")
    assert (live.epoch, list(live.history)) == (0, [])
    session.do(Train())
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(graph)
    run.train()
    same(live, run)


@pytest.mark.parametrize("level", ["step", "phase", "sample", "update"])
def test_steps_are_those_of_a_run(session: Session, graph: nf.Graph, level: str) -> None:
    session.start(graph)
    run = nf.Run(graph)
    run.evaluate()
    for _ in range(12):
        session.do(Step(level))
        run.advance(level)
    live = settled(session)
    assert live is not None
    assert live.state == "paused"
    same(live, run)
    again = nf.Run(graph)
    last = [again.advance(level) for _ in range(12)][-1]
    shown = live.playback
    assert (shown.node, shown.phase, shown.step.formula) == (last.node, last.phase, last.formula)
    assert shown.log[-1][0] == shown.number
    assert shown.log[-1][1] is shown.step


def test_an_epoch_is_stepped_in_slices(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Step("sample"))
    session.do(Step("epoch"))
    live = until(session, lambda live: live.epoch == 1)
    assert live.state == "paused"
    run = nf.Run(graph)
    run.train(1)
    same(live, run)


def test_training_after_steps_within_an_update(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    for _ in range(5):
        session.do(Step())
    session.do(Train(10))
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(graph)
    run.train(10)
    same(live, run)


# --- edits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("trainer", ["gradient_descent", "adam"])
def test_a_new_rate_goes_on_from_there(session: Session, trainer: str) -> None:
    """A run with the new rate, given all weights, velocities and the time of the first one."""
    source, sizes = CLASSES
    momentum = {"momentum": 0.9} if trainer == "gradient_descent" else {}
    graph = net(source, sizes, trainer=trainer, rate=0.1, batch="all", **momentum)
    session.start(graph)
    session.do(Train(30))
    first = until(session, lambda live: live.state == "done")
    session.start(with_rate(graph, 0.02), "set rate")
    session.do(Train(20))
    live = until(session, lambda live: live.state == "done" and live.epoch == 50)
    before = nf.Run(graph)
    before.train(30)
    run = nf.Run(graph.set("train", rate=0.02))
    whole = before.plan.graph
    addresses = [f"{key}.value" for key in whole.of_type("parameter")]
    run.set_weights({address: before[address] for address in addresses})
    run.train(20)
    assert live.history[:30] == list(first.history)
    assert [line["cost"] for line in live.history[30:]] == [line["cost"] for line in run.history]
    for address, value in run.weights.items():
        assert np.array_equal(live.weights[address], value)


def test_the_same_rate_again_changes_no_number(session: Session, graph: nf.Graph) -> None:
    """The run is taken over in the middle of an epoch, and between two steps of an update."""
    session.start(graph)
    session.do(Train(math.inf))
    until(session, lambda live: live.update > 0)
    for rate in (0.31, 0.3) * 10:
        session.start(with_rate(graph, rate))
        time.sleep(0.002)
    session.do(Reset())
    for _ in range(40):
        session.do(Step("update"))
    for _ in range(5):
        session.do(Step())
    session.start(graph.add("extra", "panel").connect("output.a.a", "extra.value"))
    session.start(replace(graph, name="new"))
    session.do(Train(5))
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(graph)
    run.train(5)
    same(live, run)


def test_the_rate_changes_while_training_goes_on(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(math.inf))
    until(session, lambda live: live.epoch > 2)
    session.start(with_rate(graph, 0.0))
    session.do(Step("update"))
    first = until(session, lambda live: live.state == "paused")
    session.do(Train(3))
    live = until(session, lambda live: live.state == "done")
    assert live.update > first.update > 0
    for address, value in first.weights.items():
        assert np.array_equal(value, live.weights[address])


def test_another_structure_starts_again(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(math.inf))
    until(session, lambda live: live.epoch > 2)
    relu = replace(
        graph, nodes={**graph.nodes, "hidden1.a": nf.Node("relu")},
        wires=tuple(replace(w, output="a") if w.source == "hidden1.a" else w for w in graph.wires),
    )  # fmt: skip
    session.start(relu)
    live = until(session, lambda live: live.state == "still" and live.epoch == 0)
    run = nf.Run(relu)
    run.evaluate()
    same(live, run)
    for change in ({"seed": 3}, {"batch": 9}):
        session.do(Train(2))
        until(session, lambda live: live.state == "done")
        relu = replace(relu, training=replace(relu.training, **change))
        session.start(relu)
        until(session, lambda live: live.state == "still" and live.epoch == 0)
    session.do(Train(2))
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(relu)
    run.train(2)
    same(live, run)


def test_another_document_starts_again(session: Session, graph: nf.Graph) -> None:
    """Also one that could go on: with the same weights to learn, and a node more to look at."""
    other = graph.add("big", "exp")
    session.start(graph)
    session.do(Train(3))
    assert until(session, lambda live: live.state == "done").epoch == 3
    session.open(other)
    session.start(other.set("train", rate=0.1))
    assert until(session, lambda live: live.state == "still").epoch == 0
    session.do(Train(3))
    assert until(session, lambda live: live.state == "done").epoch == 3
    session.start(other)
    session.open(graph)
    assert until(session, lambda live: live.state == "still").epoch == 0


def test_what_computes_the_same_does_not_disturb(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    first = until(session, lambda live: "output.z" in live.values)
    for other in (nf.unfold(graph), graph):  # what is seen before anything is trained stays
        session.start(other)
        live = settled(session)
        assert live is not None
        assert np.array_equal(live.values["output.z"], first.values["output.z"])
    session.do(Train(5))
    trained = until(session, lambda live: live.state == "done")
    session.start(graph.move(theta1=(500, 500)))
    assert settled(session) is None
    for other in (nf.unfold(graph), graph):
        session.start(other)
        live = until(session, lambda live: live.epoch == 5)
        assert list(live.history) == list(trained.history)
        for address, value in trained.weights.items():
            assert np.array_equal(live.weights[address], value)


def test_a_weight_is_edited_while_paused(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(3))
    trained = until(session, lambda live: live.state == "done")
    rows = trained.weights["theta2.value"].copy()
    rows[0, 0] = 2.5
    session.start(graph.set("theta2", value=rows.tolist()))
    live = until(session, lambda live: live.weights["theta2.value"][0, 0] == 2.5)
    assert live.epoch == 3
    assert not np.array_equal(live.values["output.z"], trained.values["output.z"])
    session.do(Train(2))
    live = until(session, lambda live: live.state == "done")
    run = nf.Run(graph)
    run.train(3)
    run.set_weights({"theta2.value": rows})
    run.train(2)
    for address, value in run.weights.items():
        assert np.array_equal(live.weights[address], value)
    assert list(live.history) == run.history


def test_trained_weights_are_kept_in_the_graph(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(3))
    live = until(session, lambda live: live.state == "done")
    with_them = kept(graph, live.weights)
    run = nf.Run(graph)
    run.train(3)
    for address, value in run.weights.items():
        assert np.array_equal(with_them.settings(address.rpartition(".")[0])["value"], value)
    session.start(with_them)
    assert until(session, lambda live: True).epoch == 3
    session.do(Reset())
    live = until(session, lambda live: live.epoch == 0)
    for address, value in run.weights.items():
        assert np.array_equal(live.weights[address], value)


# --- faults -------------------------------------------------------------------------------------


def test_what_is_broken_leaves_the_rest(session: Session) -> None:
    graph = nf.Graph().add("x", "constant", value=(1.0, 2.0)).add("s", "sigmoid")
    graph = graph.add("twice", "add").connect("x.value", "s.z").connect("x.value", "twice.a")
    graph = graph.add("alone", "multiply").connect("alone.value", "twice.a[1]")
    session.start(graph)
    live = until(session, lambda live: live.values)
    assert "s.a" in live.values
    assert "alone.value" not in live.values
    session.do(Train())
    live = until(session, lambda live: live.problem)
    assert live.state == "still"
    assert "alone" in live.problem
    assert "s.a" in live.values
    session.start(nf.Graph())
    until(session, lambda live: not live.values)
    session.do(Train())
    assert until(session, lambda live: live.problem).problem == (
        "there is nothing to train: the graph needs a trainer, and a cost that enters it"
    )
    session.do(Step())
    assert "nothing to evaluate" in until(session, lambda live: live.state == "paused").problem


def test_a_node_that_fails_leaves_the_rest(session: Session) -> None:
    from nodeflow.declare import CATALOG

    @nf.node("activation", formula="?", outputs=("a",), shapes="s -> s")
    def breaking(z: object) -> object:
        """Divide by nothing."""
        raise ZeroDivisionError

    try:
        graph = nf.Graph().add("x", "constant", value=1.0).add("bad", "breaking")
        graph = graph.add("s", "sigmoid").add("after", "sigmoid")
        graph = graph.connect("x.value", "bad.z").connect("x.value", "s.z")
        graph = graph.connect("bad.a", "after.z")
        session.start(graph)
        live = until(session, lambda live: live.values or live.problem)
        assert live.problem.startswith("'bad' (breaking) failed on z")
        assert "s.a" in live.values
        assert "after.a" not in live.values
    finally:
        CATALOG._types.pop("breaking")


def test_numbers_out_of_range_keep_the_last_good_weights(session: Session) -> None:
    x = nf.constant(value=((1.0,), (2.0,)), id="x")
    w = nf.parameter(value=((1.0,),), id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w, id="z"), nf.constant(value=((1.0,), (2.5,))))
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=1e4, id="train"), batch="all", epochs=900)
    session.start(graph)
    session.do(Train())
    live = until(session, lambda live: live.problem)
    run = nf.Run(graph)
    with pytest.raises(nf.NodeflowError) as caught:
        run.train()
    assert live.state == "paused"
    assert live.problem == str(caught.value)
    run.goto(33, 0, "z")  # right before the node at fault
    assert run.node == "squared_error"
    same(live, run)
    session.start(with_rate(graph, 0.01))
    session.do(Reset())
    session.do(Train(2))
    live = until(session, lambda live: live.state == "done")
    assert (live.problem, live.epoch) == ("", 2)


# --- the gradient check -------------------------------------------------------------------------


def test_the_check_by_node(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    found, price, problem = checked(graph)
    assert "digits" in price
    assert problem == ""
    assert found == {key: found.status for key, found in nf.check(graph).nodes.items()}
    session.do(ShowCheck(graph, found, price, problem))
    assert until(session, lambda live: live.checks).checks == found
    session.start(graph.set("train", rate=0.7))
    assert until(session, lambda live: not live.checks).problem == ""
    session.do(ShowCheck(graph, found, price, problem))  # of a graph that is no longer shown
    assert not settled(session).checks
    assert "nothing to check" in checked(nf.Graph().add("x", "constant"))[2]


def test_the_check_tells_what_is_wrong() -> None:
    from networks import hand

    source, sizes = CLASSES
    found, _, _ = checked(hand(source, sizes, rate=0.3, factor=1.0))
    wrong = [text for text in found.values() if text != "ok"]
    assert wrong
    assert all(text.startswith("fault: gradient ") for text in wrong)


def test_a_check_that_is_cancelled_ends(graph: nf.Graph) -> None:
    heeded = []

    def heed(done: int, total: int) -> None:
        heeded.append((done, total))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        checked(graph, heed)
    assert [done for done, _ in heeded] == [0, 1, 2]


# --- threads ------------------------------------------------------------------------------------


def test_pause_is_answered_at_once_and_meant(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    until(session, lambda live: live.values)
    answered, stopped = [], []
    for _ in range(8):
        session.do(Train(math.inf))
        until(session, lambda live: live.state == "training")
        time.sleep(0.01)
        began = time.perf_counter()
        session.do(Pause())
        until(session, lambda live: live.state == "paused")
        answered.append(time.perf_counter() - began)
        session.do(Step("update"))  # comes only after the slice
        until(session, lambda live: live.playback.step is not None)
        stopped.append(time.perf_counter() - began)
    assert sorted(answered)[4] < 0.01
    assert sorted(stopped)[2] < 0.05  # the machine may be busy with other tests


def test_snapshots_are_whole_moments(session: Session, graph: nf.Graph) -> None:
    """Two threads poll while the run trains: each snapshot agrees with itself."""
    session.start(graph)
    session.do(Train(math.inf))
    until(session, lambda live: live.update > 0)  # the engine is there
    faults: list[str] = []
    seen: list[int] = []

    def look() -> None:
        last = -1
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            live = session.poll()
            if live is None or live.update == 0:
                continue
            if live.update < last:
                faults.append(f"update {live.update} after {last}")
            last = live.update
            seen.append(last)
            z = live.values["output.z"]
            if not np.allclose(live.values["output.a.a"], 1 / (1 + np.exp(-z)), rtol=1e-12):
                faults.append("a is not the sigmoid of z")
            if len(live.history) != live.epoch:
                faults.append(f"{len(live.history)} lines at epoch {live.epoch}")
            if live.values["output.z"].flags.writeable:
                faults.append("a snapshot can be written to")

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert faults == []
    assert 3 <= len(seen) <= 60  # about 30 a second, whatever the speed; fewer on a busy machine


def test_a_snapshot_stays_as_it_was(session: Session, graph: nf.Graph) -> None:
    session.start(graph)
    session.do(Train(math.inf))
    live = until(session, lambda live: live.epoch > 0)
    until(session, lambda later: later.epoch > live.epoch + 5)
    session.do(Pause())
    run = nf.Run(graph)
    run.train(updates=live.update)
    same(live, run)
    assert live.values == live.values
    assert "nothing" not in live.values
    assert len(live.values) == len(list(live.values))


def test_no_thread_is_left(graph: nf.Graph) -> None:
    before = threading.active_count()
    for busy in (False, True):
        session = Session()
        session.start(graph)
        if busy:
            session.do(Train(math.inf))
            until(session, lambda live: live.update > 0)
        session.close()
        assert threading.active_count() == before
    session.do(Train())  # nobody is there to do it, and nothing happens
    session.close()


def test_while_the_engine_is_compiled(monkeypatch: pytest.MonkeyPatch, graph: nf.Graph) -> None:
    ready = threading.Event()
    monkeypatch.setattr("nodeflow.editor.run.session._warm_up", ready.wait)
    session = Session()
    try:
        session.start(graph)
        session.do(Train(2))
        assert until(session, lambda live: True).state == "preparing"
        ready.set()
        assert until(session, lambda live: live.state == "done").epoch == 2
    finally:
        session.close()


def test_an_error_that_nobody_foresaw(
    session: Session, graph: nf.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.start(graph)
    until(session, lambda live: live.values)

    def fails(*args: object, **more: object) -> None:
        raise MemoryError("no more")

    with monkeypatch.context() as patch:
        patch.setattr("nodeflow.engine.run.Run.seek", fails)
        session.do(Train())
        live = until(session, lambda live: live.problem)
    assert (live.state, live.problem) == ("paused", told("MemoryError: no more"))
    session.do(Train())
    assert until(session, lambda live: live.state == "done").problem == ""


def test_an_engine_that_cannot_be_compiled_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr("nodeflow.editor.run.session._warm_up", fails)
    session = Session()
    try:
        problem = until(session, lambda live: live.problem).problem
        assert problem == told("RuntimeError: no compiler")
    finally:
        session.close()
