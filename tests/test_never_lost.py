"""What was trained is never lost by an edit, and what trains otherwise begins beside it."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from networks import assert_same, net

import nodeflow as nf
from nodeflow.derive.repeating import duplicate_wired
from nodeflow.editor.documents import kepttraining
from nodeflow.editor.documents.store import Store
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.shell import Shell
from nodeflow.editor.state.messages import Do, Select, SetTraining, SetValue
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun, OpenFile, RunAnew
from nodeflow.editor.state.runcommands import (
    Back,
    Go,
    Reset,
    Step,
    Switch,
    ToggleStop,
    Train,
)
from nodeflow.editor.update import update
from nodeflow.errors import FileError
from nodeflow.graph import drawn_as


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


@pytest.mark.parametrize("old", ["theta1", "hidden1", "data", "cost", "train"])
@pytest.mark.parametrize("new", ["aa", "zz.z"])
def test_a_node_that_is_renamed_keeps_its_training(worker, old, new) -> None:
    before = xor()
    worker.toggle_stop("hidden1")
    weights, history = dict(worker.player.run.weights), list(worker.player.run.history)
    number = worker.player.number
    assert worker.start(before.rename(old, new), "rename")
    player = worker.player
    assert player.number == number
    assert list(player.run.history) == history
    assert player.stops.breakpoints == {new if old == "hidden1" else "hidden1"}
    if old == "hidden1":
        worker.toggle_stop(new)
    else:
        worker.toggle_stop("hidden1")

    def called(weights):
        return {f"{new}.value" if key == f"{old}.value" else key: w for key, w in weights.items()}

    assert_same(dict(player.run.weights), called(weights))
    _train(worker, 5)
    assert_same(dict(player.run.weights), called(trained(xor(), 25).weights))
    worker.go(3 * player.schedule.steps_per_epoch)
    assert_same(dict(worker.player.run.weights), called(trained(xor(), 3).weights))
    worker.start(before, "undo")
    assert len(worker.player.run.history) == 25  # what lies ahead is kept as well
    assert not worker.lines.past


def test_a_parameter_that_is_renamed_starts_as_before(tmp_path) -> None:
    graph = xor()
    again = graph.rename("theta1", "first")
    one, two = nf.Run(graph), nf.Run(again)
    assert np.array_equal(one.weights["theta1.value"], two.weights["first.value"])
    assert again.rename("first", "theta1") == graph
    assert again.rename("first", "second").nodes["second"].extra == {"drawn_as": "theta1"}
    nf.save(again, tmp_path / "again.json")
    three = nf.Run(nf.load(tmp_path / "again.json"))
    assert np.array_equal(one.weights["theta1.value"], three.weights["first.value"])
    parts = nf.Run(nf.explode(again)).weights
    whole = np.concatenate([parts[f"first.{n}.value"] for n in (1, 2)])
    assert np.array_equal(whole.reshape(2, 2), one.weights["theta1.value"])


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
    from nodeflow.editor.run.edits import computes_alike

    other = type(graph.training)(batch=1, epochs=2, seed=0, rate=0.1)
    assert not computes_alike(graph, nf.Graph(nodes=graph.nodes, wires=graph.wires, training=other))


# --- saved, opened and gone on with -------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Shell(store=Store())
    yield made
    made.close()


class Person:
    """An editor without a window, with a shell that does what it asks for."""

    def __init__(self, shell, graph, path=None):
        self.shell, self.editor = shell, Editor.of(graph, path)
        self._perform((RunAnew(),))
        if graph.nodes:
            self.until(lambda live: live.weights)

    def _perform(self, requests):
        for request in requests:
            for message in self.shell.perform(request, self.editor):
                self.tell(message)

    def tell(self, message):
        self.editor = update(self.editor, message)
        self._perform(self.editor.requests)

    def until(self, holds, seconds=20.0):
        end = time.monotonic() + seconds
        while not holds(self.editor.live):
            assert time.monotonic() < end, self.editor.live
            for message in self.shell.poll(self.editor):
                self.tell(message)
            time.sleep(0.002)
        return self.editor.live

    def wait(self, holds):
        return self.until(lambda _live: holds())

    def train(self, epochs):
        """Train so many epochs more."""
        goal = self.until(lambda live: live.weights and live.state != "preparing").epoch + epochs
        self.tell(ControlRun(Train(epochs)))
        self.until(lambda live: live.epoch == goal and live.state == "done")

    def opened(self, path):
        before = self.editor.graph
        self._perform((OpenFile(path),))
        self.wait(lambda: self.editor.graph is not before)
        assert self.editor.path == path


def test_training_is_saved_beside_the_graph_and_offered_again(shell, tmp_path) -> None:
    path = tmp_path / "net.json"
    graph = xor()
    nf.save(graph, path)
    person = Person(shell, nf.load(path), path)
    person.tell(Do("save"))
    assert not path.with_suffix(".run.npz").exists()  # there is nothing to keep yet
    shell.session.do(Train(20))
    person.until(lambda live: live.state == "done")
    bytes_ = path.read_bytes()
    person.tell(Do("save"))
    assert path.read_bytes() == bytes_  # the start stays the start
    assert person.editor.notice.text == "saved net.json, and 20 epochs of training in net.run.npz"

    other = Person(shell, nf.Graph())
    other.opened(path)
    assert other.editor.offer.text == "20 epochs of training in net.run.npz"
    live = other.until(lambda live: live.weights and live.state == "still")
    assert live.epoch == 0  # offered, never silent
    other.tell(Do("resume"))
    live = other.until(lambda live: live.epoch == 20)
    goal = trained(graph, 20)
    assert_same(live.weights, goal.weights)
    assert [line["cost"] for line in live.history] == [line["cost"] for line in goal.history]
    # Adam's memory came back as well: training goes on as if it had never been closed.
    shell.session.do(Train(10))
    live = other.until(lambda live: live.epoch == 30)
    goal.train(10)
    assert_same(live.weights, goal.weights)
    assert [line["cost"] for line in live.history] == [line["cost"] for line in goal.history]
    shell.session.do(Go("7:1"))
    live = other.until(lambda live: live.epoch == 7)
    goal.goto(epoch=7, sample=1)
    assert_same(live.weights, goal.weights)


def test_saved_training_that_nobody_went_on_with_stays_however_often_is_saved(
    shell, tmp_path
) -> None:
    path = tmp_path / "net.json"
    graph = xor()
    nf.save(graph, path)
    run = trained(graph, 20)
    there = path.with_suffix(".run.npz")
    nf.files.save_run(there, run.weights, run.history, {"epochs": 20, "updates": run.update})
    before, aside = there.read_bytes(), tmp_path / "net.run.npz.bak"
    person = Person(shell, nf.Graph())
    person.opened(path)
    for epochs in (1, 2):
        person.tell(ControlRun(Train(1)))
        person.until(lambda live, epochs=epochs: live.epoch == epochs and live.state == "done")
        person.tell(Do("save"))
        some = f"{epochs} epoch{'s' * (epochs > 1)} of training in net.run.npz"
        assert person.editor.notice.text == (
            f"saved net.json, and {some}; there are still 20 epochs of training in net.run.npz.bak"
        )
        assert nf.files.load_run(there).meta["epochs"] == epochs
        assert aside.read_bytes() == before
    person.tell(Do("resume"))  # what was trained instead can be returned to
    live = person.until(lambda live: live.epoch == 20)
    assert [future.what for future in live.playback.past] == ["before: go on with earlier training"]
    person.tell(ControlRun(Switch(len(live.playback.futures))))
    live = person.until(lambda live: live.epoch == 2)
    assert_same(live.weights, trained(graph, 2).weights)


def test_a_run_that_was_reset_is_returned_to_by_who_wants_it(worker) -> None:
    worker.do(Reset())
    live = worker.live()
    assert live.epoch == 0
    assert [future.what for future in live.playback.past] == ["before: reset"]
    worker.start(net("xor", (2, 3, 1), scale="none", epochs=40, trainer="adam"), "wider")
    worker.start(xor(), "undo")
    assert worker.live().epoch == 0  # it was reset before that edit
    worker.switch(len(worker.live().playback.futures))
    assert worker.live().epoch == 20
    assert_same(worker.player.run.weights, trained(xor(), 20).weights)


@pytest.mark.parametrize(("name", "value"), [("batch", 2), ("seed", 3)])
def test_a_line_of_another_batch_or_seed_is_returned_to_with_it(
    shell, tmp_path, name, value
) -> None:
    person = Person(shell, xor(), tmp_path / "net.json")
    person.tell(ControlRun(Train(20)))
    person.until(lambda live: live.epoch == 20 and live.state == "done")
    before = person.editor.graph.training
    person.tell(SetTraining(name, value))
    person.tell(SetTraining("epochs", 33))
    person.tell(ControlRun(Train(2)))
    live = person.until(lambda live: live.epoch == 2 and live.state == "done")
    person.tell(ControlRun(Switch(len(live.playback.futures))))
    person.until(lambda live: live.epoch == 20)
    assert person.editor.graph.training == replace(before, epochs=33)
    person.tell(ControlRun(Step("update")))  # the run is shown that graph, and stays
    live = person.until(lambda live: live.update > 80)
    assert live.epoch == 20
    assert "first run" in person.editor.notice.text


def test_a_weight_set_in_the_past_belongs_to_that_line(shell, tmp_path) -> None:
    path = tmp_path / "net.json"
    nf.save(xor(), path)
    graph = nf.load(path)
    person = Person(shell, graph, path)
    person.tell(SetValue("b1", "value", [0.5, 0.25]))
    assert person.editor.graph.settings("b1")["value"] is not None  # a start, before any training
    person.tell(Do("undo"))
    shell.session.do(Train(5))
    person.until(lambda live: live.epoch == 5 and live.state == "done")
    before = dict(person.editor.live.weights)
    person.tell(SetValue("b1", "value", [0.5, 0.25]))
    live = person.until(lambda live: len(live.playback.futures) == 2 and
                        np.allclose(live.weights["b1.value"], [0.5, 0.25]))  # fmt: skip
    person.tell(Do("undo"))  # the other future stays, and is returned to
    person.until(lambda live: np.array_equal(live.weights["b1.value"], before["b1.value"]))
    person.tell(Do("redo"))
    live = person.until(lambda live: np.allclose(live.weights["b1.value"], [0.5, 0.25]))
    assert not person.editor.changed
    assert person.editor.graph.settings("b1")["value"] == graph.settings("b1")["value"]
    np.testing.assert_array_equal(live.weights["b2.value"], before["b2.value"])
    person.tell(Do("save"))
    other = Person(shell, nf.Graph())
    other.opened(path)
    assert other.editor.graph.nodes == graph.nodes
    other.until(lambda live: live.weights and live.state == "still")
    other.tell(Do("resume"))
    live = other.until(lambda live: live.epoch == 5)
    np.testing.assert_array_equal(live.weights["b1.value"], [0.5, 0.25])
    for command in (Back("update"), Go("3")):
        shell.session.do(command)
        live = other.until(lambda live: live.problem)
        assert live.problem.startswith("what lies before epoch 5 was trained with other settings")
        shell.session.do(ToggleStop("output"))
        other.until(lambda live: not live.problem)
    other.tell(Do("keep-weights"))
    assert list(other.editor.graph.settings("b1")["value"]) == [0.5, 0.25]


def test_the_training_of_another_network_is_not_offered(shell, tmp_path) -> None:
    path = tmp_path / "net.json"
    nf.save(xor(), path)
    run = trained(net("xor", (2, 3, 1), scale="none"), 2)
    nf.files.save_run(path.with_suffix(".run.npz"), run.weights, run.history, {})
    person = Person(shell, nf.Graph())
    person.opened(path)
    assert person.editor.offer is None
    assert "of another network" in person.editor.notice.text
    path.with_suffix(".run.npz").write_bytes(b"nothing of the kind")
    person.opened(path)
    assert "cannot be read" in person.editor.notice.text


# --- never saved --------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(kepttraining, "_PAUSE", 0.01)
    nf.save(xor(), tmp_path / "net.json")
    return tmp_path / "net.json"


def kept():
    """Return how many epochs of training are kept though nobody saved them."""
    files = kepttraining.training_folder().glob("*/*.run.npz")
    try:
        return sorted(nf.files.load_run(file).meta["epochs"] for file in files)
    except FileError:  # it was just removed
        return []


def trained_by_a_person(shell, path, epochs=20):
    person = Person(shell, nf.load(path), path)
    person.train(epochs)
    return person


@pytest.fixture
def opened_anew(path):
    """Open the graph in another editor."""
    shells = []

    def opened():
        shells.append(Shell())
        person = Person(shells[-1], nf.Graph())
        person.opened(path)
        return person

    yield opened
    for one in shells:
        one.close()


def test_training_that_was_not_saved_is_gone_on_with_after_closing(
    shell, path, opened_anew
) -> None:
    trained_by_a_person(shell, path)
    assert shell.close() == ""
    person = opened_anew()
    assert person.editor.offer.text == "20 epochs of training that were not saved"
    live = person.until(lambda live: live.weights and live.state == "still")
    assert live.epoch == 0  # offered, never silent
    person.tell(Do("resume"))
    person.until(lambda live: live.epoch == 20)
    person.train(10)
    goal = trained(xor(), 30)
    live = person.editor.live
    assert_same(live.weights, goal.weights)
    assert [line["cost"] for line in live.history] == [line["cost"] for line in goal.history]
    person.shell.close()
    assert kept() == [20, 30]
    assert opened_anew().editor.offer.meta["epochs"] == 30


def test_training_that_goes_on_is_saved_and_kept_as_far_as_it_came(
    shell, path, opened_anew
) -> None:
    graph = net("iris", (4, 8, 3))
    nf.save(graph, path, force=True)
    person = Person(shell, nf.load(path), path)
    person.tell(ControlRun(Train(1_000_000)))
    epochs = person.until(lambda live: live.epoch > 5).epoch
    person.tell(Do("save"))
    assert nf.files.load_run(path.with_suffix(".run.npz")).meta["epochs"] == epochs
    person.until(lambda live: live.epoch > epochs)
    assert shell.close() == ""
    person = opened_anew()
    assert person.editor.offer.kept
    person.tell(Do("resume"))
    live = person.until(lambda live: live.epoch > epochs)
    run = nf.Run(graph)
    run.train(updates=live.update)
    assert_same(live.weights, run.weights)


def test_training_is_kept_for_a_crash_as_soon_as_it_rests(shell, path, opened_anew) -> None:
    person = trained_by_a_person(shell, path)
    person.wait(lambda: kept() == [20])
    assert opened_anew().editor.offer is None  # its editor is alive
    shell.training._lock.close()  # as the system does when a process ends
    person = opened_anew()
    assert person.editor.offer.meta["epochs"] == 20
    person.train(1)  # and not gone on with
    person.tell(Do("save"))
    assert person.editor.notice.text == (
        "saved net.json, and 1 epoch of training in net.run.npz; "
        "there are still 20 epochs of training that were not saved"
    )


def test_what_is_saved_is_not_kept(shell, path, opened_anew) -> None:
    person = trained_by_a_person(shell, path)
    person.wait(lambda: kept() == [20])
    person.tell(Do("save"))
    assert kept() == []
    shell.close()
    assert not list(kepttraining.training_folder().iterdir())
    person = opened_anew()
    assert person.editor.offer.text == "20 epochs of training in net.run.npz"
    person.tell(Do("resume"))
    person.until(lambda live: live.epoch == 20)
    person.shell.close()
    assert kept() == []  # it is what was saved


def test_another_document_a_reset_or_a_way_back_loses_no_training(shell, path, monkeypatch) -> None:
    """Nor does what comes within the pause after a write: here each but the first does."""
    monkeypatch.setattr(kepttraining, "_PAUSE", 1000.0)
    person = trained_by_a_person(shell, path)
    person.wait(lambda: kept() == [20])
    person.train(4)
    person.tell(Do("new"))
    person.wait(lambda: kept() == [24])
    person.opened(path)
    assert person.editor.offer.meta["epochs"] == 24
    person.train(3)
    person.tell(ControlRun(Reset()))
    person.wait(lambda: kept() == [3, 24])
    person.train(1)
    person.opened(path)
    assert person.editor.offer.meta["epochs"] == 1
    person.train(2)
    person.tell(ControlRun(Go("1")))
    person.wait(lambda: kept() == [1, 2, 3])  # the oldest goes
    shell.close()
    assert kept() == [1, 2, 3]


def test_training_of_many_graphs_is_bounded(shell, path, monkeypatch) -> None:
    monkeypatch.setattr(kepttraining, "_GRAPHS", 2)
    person = trained_by_a_person(shell, path, 1)
    for epochs in (2, 3):
        another = path.with_name(f"{epochs}.json")
        nf.save(xor(), another)
        person.opened(another)
        person.train(epochs)
    shell.close()
    assert kept() == [2, 3]


def test_training_of_another_network_that_was_kept_is_not_offered(shell, path, opened_anew) -> None:
    trained_by_a_person(shell, path)
    shell.close()
    nf.save(net("xor", (2, 3, 1), scale="none"), path, force=True)
    assert opened_anew().editor.offer is None
    assert kept() == [20]


def test_a_graph_without_a_file_keeps_nothing(shell) -> None:
    person = Person(shell, xor())
    person.train(2)
    shell.close()
    assert not kepttraining.training_folder().exists()


def test_training_that_cannot_be_kept_is_told_once(shell, path) -> None:
    kepttraining.training_folder().parent.parent.mkdir(parents=True, exist_ok=True)
    kepttraining.training_folder().parent.write_text("no folder")
    person = trained_by_a_person(shell, path, 2)
    person.wait(lambda: person.editor.notice)
    assert person.editor.notice.text.startswith("training is not kept until it is saved: ")
    person.editor = replace(person.editor, notice=None)
    person.train(2)
    assert person.editor.notice is None
    assert shell.close() == ""


def test_training_is_offered_with_the_graph_that_is_recovered(shell, path) -> None:
    trained_by_a_person(shell, path, 2)
    shell.close()
    editor = Editor.of(nf.load(path), path)
    edited = editor.edited(editor.graph.set("train", rate=0.7), "rate")
    crashed = Store()
    crashed.journal(edited.graph, path)
    crashed.close(keep=True)
    found = Shell()
    (recovery,) = found.left_behind()
    assert found.recover(recovery).offer.meta["epochs"] == 2
    found.close()


def test_what_train_saves_is_gone_on_with(shell, tmp_path) -> None:
    from nodeflow.cli import main

    path = tmp_path / "net.json"
    nf.save(xor(), path)
    assert main(["train", str(path), "--epochs", "4", "--save"]) == 0
    person = Person(shell, nf.Graph())
    person.opened(path)
    person.until(lambda live: live.weights and live.state == "still")
    person.tell(Do("resume"))
    live = person.until(lambda live: live.epoch == 4)
    assert_same(live.weights, trained(xor(), 4).weights)


@pytest.mark.parametrize(
    "graph",
    [xor(), net("xor", (2, 2, 1), scale="none", epochs=40).set("train", momentum=0.9)],
    ids=["adam", "momentum"],
)
def test_what_train_saves_has_the_memory_of_its_trainer(tmp_path, graph) -> None:
    from nodeflow.cli import main

    path = tmp_path / "net.json"
    nf.save(graph, path)
    assert main(["train", str(path), "--epochs", "4", "--save"]) == 0
    held = nf.files.load_run(path.with_suffix(".run.npz"))
    run, whole = nf.Run(graph), nf.Run(graph)
    run.resume(
        held.meta["updates"], held.weights, held.history, held.meta["tallies"],
        straight=held.meta["straight"],
    )  # fmt: skip
    run.train(3)
    whole.train(7)
    assert_same(run.weights, whole.weights)
    assert [line["cost"] for line in run.history] == [line["cost"] for line in whole.history]
    # What is exported are the weights alone.
    out = tmp_path / "weights.json"
    assert main(["export", str(path), str(out), "--trained"]) == 0
    whole = nf.Run(graph)
    whole.train(4)
    assert set(json.loads(out.read_text())) == set(whole.weights)


def test_no_two_parameters_are_drawn_by_one_id() -> None:
    """Neither a copy of a renamed one, nor a new one under the id that it had before."""
    weights = {"shape": (2, 2), "init": "uniform"}
    graph = nf.Graph().add("w", "parameter", **weights).rename("w", "v")
    assert graph.nodes["v"].extra == {"drawn_as": "w"}
    again = graph.add("w", "parameter", **weights).add("w_2", "parameter", **weights)
    editor = update(Editor.of(graph), Select(frozenset({"v"})))
    for _ in range(2):
        editor = update(editor, Do("duplicate"))
    wired, _ = duplicate_wired(duplicate_wired(graph, ["v"])[0], ["v"])
    for found in (again, editor.graph, wired):
        drawn = [drawn_as(node, key) for key, node in found.nodes.items()]
        assert len(drawn) >= 3
        assert len(set(drawn)) == len(drawn), drawn
