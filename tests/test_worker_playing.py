"""Slow motion in its thread: questions, watches, stops and futures, with a run's numbers."""

import math
import time

import numpy as np
import pytest
from networks import assert_same, net

import nodeflow as nf
from nodeflow.editor.run.edits import computes_alike
from nodeflow.editor.run.session import Session
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.messages import Do, RunUpdate, SetValue
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import (
    AddCondition,
    Answer,
    CompareFuture,
    ForgetCondition,
    Go,
    LoopPlayback,
    Pause,
    Play,
    Predict,
    Step,
    Switch,
    Train,
    Watch,
)
from nodeflow.editor.update import update
from nodeflow.playback.answers import read_number
from nodeflow.playback.predicting import worth_asking

RATE, WEIGHTS = 0.5, [[0.25, -0.5], [1.0, 0.75]]


def xor(**settings):
    return net("xor", (2, 2, 1), scale="none", **{"rate": RATE, **settings})


def trained(updates, graph=None):
    """Return a run after so many updates, which no player has touched."""
    run = nf.Run(graph or xor())
    run.train(updates=updates)
    return run


def at(run, position):
    """Return the values of a run at a moment."""
    run.seek(position)
    return run.values


@pytest.fixture
def worker():
    made = Worker()
    made.start(xor())
    return made


def played(worker, speed=math.inf):
    """Play until it stops by itself; return how it stands."""
    worker.play(speed)
    while worker.running:
        worker.passed()
    return worker.live().playback


class Desk:
    """An editor and the run beside it: what the shell does, without a thread."""

    def __init__(self, graph):
        self.editor = Editor.of(graph)
        self.worker = Worker()
        self.shown = None
        self.send(ControlRun(Pause()))

    def send(self, message):
        self.editor = update(self.editor, message)
        self.show()
        for request in self.editor.requests:
            assert isinstance(request, ControlRun)
            self.worker.do(request.command)
            while self.worker.running:
                self.worker.passed()
        self.hear()

    def show(self):
        if self.editor.graph is not self.shown:
            self.shown = self.editor.graph
            self.worker.start(self.shown, self.editor.history.label)

    def hear(self):
        """Tell the editor how the run stands, and the run what came of that."""
        self.editor = update(self.editor, RunUpdate(self.worker.live()))
        self.show()
        self.editor = update(self.editor, RunUpdate(self.worker.live()))

    @property
    def playback(self):
        return self.editor.live.playback

    @property
    def rate(self):
        return self.editor.graph.settings("train")["rate"]


@pytest.fixture
def desk():
    """Return an editor that stands two updates before the end of what was played."""
    made = Desk(xor())
    made.send(ControlRun(Go(made.worker.player.schedule.number((9, 1, 0)))))
    made.send(ControlRun(Go(made.worker.player.schedule.number((7, 3, 0)))))
    return made


# --- predict, then reveal ------------------------------------------------------------------------


def test_it_asks_before_each_node_that_can_be_worked_out(worker):
    worker.predict()
    run, asked = nf.Run(xor()), []
    expected = [key for key in run.order if worth_asking(run, key)]
    assert {"hidden1", "hidden1.a", "cost", "output.delta", "accuracy"} <= set(expected)
    for _ in range(len(expected) + 1):
        playback = played(worker)
        asked.append(playback.question.node)
        assert playback.question.node == playback.next
        assert playback.reason == "what comes out?"
    assert asked == [*expected, expected[0]]


def test_an_answer_is_marked_by_the_step_that_reveals_it(worker):
    worker.predict()
    question = played(worker).question
    run = nf.Run(xor())
    while run.node != question.node:
        run.step()
    truth = float(run.step().outputs[question.port][question.index])
    assert (question.node, question.kind) == ("hidden1", "number")
    worker.answer(repr(truth))
    playback = worker.live().playback
    assert (playback.mark.right, playback.mark.expected, playback.node) == (True, truth, "hidden1")
    assert playback.mark.lines
    assert_same(dict(playback.step.outputs), {"z": run["hidden1.z"]})
    # The next node can be worked out as well.
    assert playback.question.node == "hidden1.a"
    worker.answer("12")
    assert worker.live().playback.mark.right is False
    assert worker.live().playback.mark.given == 12


def test_no_value_gives_the_answer_away(worker):
    worker.go("1:1:hidden1")  # each node has a value of the sample before
    worker.predict()
    live = worker.live()
    assert live.playback.question.node == "hidden1.a"
    assert "hidden1.z" in live.values
    assert not {"hidden1.a.a", "cost.cost", "theta1.update.value"} & set(live.values)
    assert not {"hidden1.z", "theta1.value"} & set(live.gradients)
    assert {"theta1.value", "data.x"} <= set(live.values)
    worker.answer("0")
    assert "hidden1.a.a" in worker.live().values
    worker.predict()
    assert {"cost.cost", "output.a.a"} <= set(worker.live().values)


def test_what_cannot_be_read_is_asked_again(worker):
    worker.predict()
    before = played(worker)
    worker.answer("much")
    playback = worker.live().playback
    assert playback.mark.given is None
    assert "'much' is no number" in playback.mark.text
    assert (playback.number, playback.question) == (before.number, before.question)
    worker.answer("0")
    assert worker.live().playback.mark.given == 0


def test_questions_end_while_it_plays_and_come_back_when_it_stands(worker):
    worker.predict()
    played(worker)
    worker.play(4.0)
    assert worker.live().playback.question is None
    worker.answer("1")  # came too late
    assert worker.live().playback.mark is None
    worker.pause()
    assert worker.live().playback.question.node == "hidden1"
    worker.predict()
    playback = worker.live().playback
    assert (playback.question, playback.predicting, playback.reason) == (None, False, "")


def test_a_change_asks_with_its_own_numbers(worker):
    worker.predict()
    asked = played(worker).question
    changed = xor().set("theta1", value=WEIGHTS)
    worker.start(changed, "theta1")
    question = worker.live().playback.question
    assert question.node == asked.node
    assert question.given != asked.given
    run = nf.Run(changed)
    while run.node != question.node:
        run.step()
    truth = float(run.step().outputs["z"][question.index])
    worker.answer(f"{truth:.6g}")
    assert worker.live().playback.mark.right
    assert read_number(f"{truth:.6g}").meets(worker.live().playback.mark.expected)


def test_a_reset_asks_from_the_start(worker):
    worker.predict()
    played(worker)
    worker.answer("1")
    worker.reset()
    playback = worker.live().playback
    assert (playback.number, playback.mark, playback.predicting) == (0, None, True)
    assert played(worker).question.node == "hidden1"


# --- watching -----------------------------------------------------------------------------------


def test_watched_values_are_those_of_the_updates(worker):
    for address in ("theta1.value", "cost.cost", "hidden1.delta.delta"):
        worker.watch(address)
    worker.go("3:2:cost")
    playback = worker.live().playback
    assert list(playback.watched) == ["theta1.value", "cost.cost", "hidden1.delta.delta"]
    run, expected = nf.Run(xor()), {address: [] for address in playback.watched}
    for _ in range(worker.player.run.update):
        run.skip_to_next_update()
        for address, values in expected.items():
            values.append(np.ravel(run[address]))
    for address, values in expected.items():
        np.testing.assert_array_equal(playback.watched[address], values, strict=True)
    worker.step("update")
    run.skip_to_next_update()
    np.testing.assert_array_equal(
        worker.live().playback.watched["theta1.value"][-1], run["theta1.value"].ravel()
    )
    worker.watch("cost.cost")
    assert "cost.cost" not in worker.live().playback.watched


def test_watching_disturbs_no_training(worker):
    worker.watch("theta1.value")
    worker.train(math.inf)
    for _ in range(3):
        worker.passed()
        live = worker.live()
        assert live.state == "training"
        assert 0 < len(live.playback.watched["theta1.value"]) <= 60  # fewer on a busy machine
    worker.pause()
    run = trained(live.update)
    live = worker.live()
    assert_same(dict(live.weights), dict(run.weights))
    assert list(live.history) == run.history


def test_a_node_stands_for_its_port_and_a_slip_is_told(worker):
    worker.watch("hidden1")
    assert list(worker.live().playback.watched) == ["hidden1.z"]
    worker.watch("hiden1.z")
    fault = worker.live().playback.watch_fault
    assert fault == "there is no value 'hiden1.z'; did you mean 'hidden1.z'?"
    worker.watch("hidden1")
    assert not worker.live().playback.watched
    assert worker.live().playback.watch_fault == ""


def test_a_port_that_came_later_is_watched_in_the_past_as_well(worker):
    worker.go("1:2")
    worker.start(xor().add("big", "exp").connect("hidden1.z", "big.a"), "add big")
    worker.watch("big.value")
    worker.step("update")
    worker.step("update")
    live = worker.live()
    assert (live.problem, len(live.playback.watched["big.value"])) == ("", 8)
    np.testing.assert_array_equal(
        live.playback.watched["big.value"][-1], np.exp(trained(8)["hidden1.z"]).ravel()
    )


# --- stops --------------------------------------------------------------------------------------


def test_it_stops_where_a_condition_became_true(worker):
    run, costs = nf.Run(xor()), []
    for _ in range(40):
        run.skip_to_next_update()
        costs.append(run.cost)
    least = min(costs[11:])
    update = costs.index(least, 11)
    condition = f"cost <= {least!r} and update > 10"
    worker.add_condition(condition)
    playback = played(worker)
    assert playback.reason == condition
    assert (playback.node, worker.player.run.update) == ("cost", update)
    assert worker.state == "paused"


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        ("cost <", 6, "a value is missing before the end"),
        ("cost < 0.01 hiden1.z > 2", 12, "an operator is missing before 'hiden1.z'"),
        ("w.x < 1", 0, "there is no"),
        ("", 0, "nothing was typed"),
    ],
)
def test_a_condition_that_does_not_parse_shows_where(worker, text, position, why):
    worker.add_condition(text)
    live = worker.live()
    fault = live.playback.condition_fault
    assert (fault.text, fault.position) == (text, position)
    assert fault.sentence.startswith(why)
    assert live.problem == ""  # the panel has it
    assert live.playback.conditions == ()
    worker.add_condition("cost < 0.01")
    assert worker.live().playback.condition_fault is None
    assert worker.live().problem == ""
    assert worker.live().playback.conditions == ("cost < 0.01",)


def test_stops_of_what_is_gone_are_forgotten(worker):
    graph = nf.Graph().add("x", "constant", value=[1.0]).add("f", "sigmoid")
    graph = graph.connect("x.value", "f.z")
    worker.start(graph)
    worker.add_condition("f.a > 0.9")
    worker.toggle_stop("x")
    worker.toggle_stop("f")
    assert worker.live().playback.breakpoints == {"x", "f"}
    other = nf.Graph().add("x", "constant", value=[1.0]).add("f", "exp")
    worker.start(other.connect("x.value", "f.a"))
    assert worker.live().playback.conditions == ()
    worker.start(graph.remove("f"))
    assert worker.live().playback.breakpoints == {"x"}


def test_a_sample_is_played_over_and_over(worker):
    worker.go("2:1:hidden1")
    worker.loop("sample")
    worker.play(1e9)
    numbers = set()
    for _ in range(40):
        worker.passed()
        numbers.add(worker.live().playback.number)
        run = worker.player.run
        assert_same(dict(run.values), at(nf.Run(xor()), run.position))
    first = worker.player.schedule.number((9, 1, 0))
    assert max(numbers) == first + worker.player.schedule.steps(9)
    assert worker.live().playback.looped == "sample"
    worker.loop(None)
    assert worker.live().playback.looped is None
    while worker.running:
        worker.passed()
    assert worker.live().playback.reason == "the end of the training"


# --- other futures ------------------------------------------------------------------------------


def branched(desk):
    """Change a weight in the past, and play two updates of the new future."""
    desk.send(SetValue("theta1", "value", WEIGHTS))
    desk.send(ControlRun(Step("update")))
    desk.send(ControlRun(Step("update")))


def test_a_weight_changed_in_the_past_begins_another_future(desk):
    branched(desk)
    playback = desk.playback
    assert [(f.what != "", f.begin) for f in playback.futures] == [
        (False, 0),
        (True, desk.worker.player.schedule.number((7, 3, 0))),
    ]
    assert playback.futures[1].what.startswith("theta1.")
    assert playback.future == 1
    run = trained(7)
    run.set_weights({"theta1.value": np.array(WEIGHTS)})
    run.train(updates=2)
    assert_same(dict(desk.editor.live.weights), dict(run.weights))
    assert desk.editor.live.update == run.update == 9


def test_differences_to_another_future_are_those_of_two_runs(desk):
    branched(desk)
    desk.send(ControlRun(CompareFuture(0)))
    assert desk.playback.compared == 0
    changed = trained(7)
    changed.set_weights({"theta1.value": np.array(WEIGHTS)})
    mine, theirs = at(changed, (9, 1, 0)), at(nf.Run(xor()), (9, 1, 0))
    assert desk.playback.differences == {
        address: float(np.abs(value - theirs[address]).max()) for address, value in mine.items()
    }
    assert max(desk.playback.differences.values()) > 0
    for _ in range(9):  # the other one ends
        desk.send(ControlRun(Step("update")))
    assert (desk.playback.differences, desk.editor.live.problem) == ({}, "")
    desk.send(ControlRun(CompareFuture(None)))
    assert desk.playback.compared is None


def test_a_return_brings_back_settings_and_is_undone(desk):
    desk.send(SetValue("train", "rate", 2.0))
    desk.send(ControlRun(Step("update")))
    assert desk.playback.futures[1].what == "train.rate was 0.5 and is 2"
    past = len(desk.editor.history.entries)
    player, moment = desk.worker.player, desk.playback.number
    desk.send(ControlRun(Switch(0)))
    assert (desk.playback.future, desk.playback.number, desk.rate) == (0, moment, RATE)
    assert desk.editor.history.label == "return to the first run"
    assert len(desk.editor.history.entries) == past + 1
    assert desk.worker.player is player
    assert len(player.lines) == 2
    assert computes_alike(desk.worker.graph, desk.editor.graph)
    run = trained(8)
    assert_same(dict(desk.editor.live.weights), dict(run.weights))
    desk.send(Do("undo"))
    assert (desk.playback.future, desk.rate, len(player.lines)) == (1, 2.0, 2)
    desk.send(Do("redo"))
    assert (desk.playback.future, desk.rate, len(player.lines)) == (0, RATE, 2)


def test_an_edit_after_a_return_starts_from_the_settings_of_that_future(desk):
    desk.send(SetValue("train", "rate", 2.0))
    desk.send(ControlRun(Step("update")))
    desk.send(ControlRun(Switch(0)))
    desk.send(SetValue("theta1", "value", WEIGHTS))
    desk.send(ControlRun(Step("update")))
    run = trained(8)
    run.set_weights({"theta1.value": np.array(WEIGHTS)})
    run.train(updates=1)
    assert_same(dict(desk.editor.live.weights), dict(run.weights))
    assert len(desk.playback.futures) == 3


def test_undoing_a_change_in_the_past_returns_to_the_old_future(desk):
    branched(desk)
    desk.send(Do("undo"))
    assert (desk.playback.future, len(desk.playback.futures)) == (0, 2)
    assert_same(dict(desk.editor.live.weights), dict(trained(9).weights))


def test_a_return_keeps_what_was_moved_meanwhile(desk):
    desk.send(SetValue("train", "rate", 2.0))
    graph = desk.editor.graph
    desk.editor = desk.editor.edited(graph.move(train=(123, 456)), "move train")
    desk.send(ControlRun(Switch(0)))
    assert desk.editor.graph.layout["train"] == (123, 456)
    assert desk.rate == RATE


def test_what_was_edited_meanwhile_is_not_overwritten(desk):
    desk.send(SetValue("train", "rate", 2.0))
    desk.send(ControlRun(Step("update")))
    desk.worker.switch(0)
    told = RunUpdate(desk.worker.live())
    desk.editor = update(desk.editor, SetValue("train", "rate", 3.0))
    desk.editor = update(desk.editor, told)
    assert desk.rate == 3.0
    desk.hear()
    assert (desk.rate, desk.worker.player.run.graph.settings("train")["rate"]) == (3.0, 3.0)


def test_a_dragged_setting_is_one_future(desk):
    for rate in (0.6, 0.7, 0.8):
        desk.send(SetValue("train", "rate", rate, done=rate == 0.8))
    assert [future.what for future in desk.playback.futures] == [
        "",
        "train.rate was 0.5 and is 0.8",
    ]


# --- through the session ------------------------------------------------------------------------


def test_the_thread_outlives_what_comes_too_late():
    session = Session()
    try:
        session.start(xor())
        for command in (
            Predict(), Play(), Answer("1"), Pause(), Answer("x"), Switch(7), CompareFuture(9),
            Watch("no.such"), AddCondition(")"), Go(-4), LoopPlayback("year"),
            ForgetCondition("none"), Step(),
        ):  # fmt: skip
            session.do(command)
        session.do(Train(3))
        session.do(Predict())
        session.do(Train(3))
        live = None
        for _ in range(20_000):
            live = session.poll() or live
            if live is not None and live.state == "done":
                break
            time.sleep(0.001)
        assert session._loop.alive
        assert live.state == "done"
    finally:
        session.close()
