"""Habits: saving before leaving, typing how to train, the minimap, files in other folders."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from helpers_editor import do

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.data.relative import relative_source
from nodeflow.editor.canvas import aside, minimap
from nodeflow.editor.dialogs.popups import lines, title
from nodeflow.editor.documents import opening
from nodeflow.editor.documents.comparing import compared
from nodeflow.editor.documents.store import Store
from nodeflow.editor.panels import training
from nodeflow.editor.shell import Shell
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.camera import READABLE, Camera
from nodeflow.editor.state.faults import Mistyped
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Ask, Editing, Question
from nodeflow.editor.state.reading import read, written
from nodeflow.editor.state.requests import (
    AskOpen,
    AskSave,
    ControlRun,
    New,
    NewNetwork,
    OpenFile,
    Quit,
    Save,
    StopWork,
)
from nodeflow.editor.state.runcommands import Step, Train
from nodeflow.errors import DataError, FileError
from nodeflow.files import load_marked
from nodeflow.files.moving import moved
from nodeflow.graph import Graph, Training
from nodeflow.networks import network
from nodeflow.playback.state import Playback
from nodeflow.scene import with_places

GRAPHS = Path(__file__).parent.parent / "graphs"
CSV = "a,b,kind\n" + "".join(f"{i % 7},{i * i % 11},{'ny'[i % 2]}\n" for i in range(24))


def xor(path=None):
    return do(Editor.of(nf.load(GRAPHS / "xor.json"), path), m.Do("fit"))


def changed(path=None):
    return do(xor(path), m.SetValue("train", "rate", 1.0))


def whats(editor):
    return list(editor.requests)


def choose(editor, text):
    return do(editor, m.Chosen([line.text for line in lines(editor)].index(text)))


# --- changes that are not saved -----------------------------------------------------------------

LEAVING = {"quit": Quit(), "open": AskOpen(), "new": New(), "new-network": NewNetwork()}


@pytest.mark.parametrize(("command", "what"), LEAVING.items())
def test_what_was_asked_goes_on_by_itself_once_the_graph_is_saved(command, what):
    path = Path("xor.json")
    asked = do(changed(path), m.Do(command))
    assert isinstance(asked.popup, Question)
    assert whats(asked) == []
    saving = choose(asked, "Save")
    assert whats(saving) == [Save(path)]
    saved = do(saving, m.Saved(saving.graph, path))
    assert whats(saved) == [what]
    assert saved.leaving is None
    assert whats(do(saved, m.Saved(saving.graph, path))) == []


def test_a_graph_without_a_file_is_given_one_first():
    saving = choose(do(changed(), m.Do("quit")), "Save")
    assert whats(saving) == [AskSave()]
    assert whats(do(saving, m.Saved(saving.graph, Path("mine.json")))) == [Quit()]


def test_leaving_the_file_dialog_leaves_all_as_it_was():
    editor = changed()
    back = do(choose(do(editor, m.Do("quit")), "Save"), m.DialogCancelled())
    assert back.graph == editor.graph
    assert back.changed
    later = do(back, m.Saved(back.graph, Path("mine.json")))
    assert whats(later) == []


def test_a_save_that_fails_does_not_go_on():
    saving = choose(do(changed(Path("xor.json")), m.Do("quit")), "Save")
    failed = do(saving, m.Failed("xor.json: cannot be saved: no space left on device"))
    assert "no space" in failed.notice.text
    assert whats(failed) == []
    assert failed.changed
    assert whats(do(failed, m.Saved(failed.graph, Path("xor.json")))) == []


def test_a_recent_file_is_not_opened_over_changes():
    editor = replace(changed(Path("xor.json")), recent=(Path("xor.json"), Path("and.json")))
    asked = do(editor, m.Do("recent"), m.Chosen(1))
    assert isinstance(asked.popup, Question)
    saved = do(choose(asked, "Save"), m.Saved(asked.graph, Path("xor.json")))
    assert saved.requests == (OpenFile(Path("and.json")),)
    assert choose(asked, "Throw away").requests == saved.requests
    assert choose(asked, "Cancel").requests == ()


def test_an_empty_graph_is_nothing_to_save():
    editor = do(xor(Path("xor.json")), m.Do("select-all"), m.Do("delete"), m.Do("quit"))
    assert whats(editor) == [Quit()]
    assert whats(do(Editor.of(Graph()), m.Do("quit"))) == [Quit()]


def test_a_network_that_was_made_is_not_saved_yet(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    made = do(xor(), m.Opened(network("2-2-1", data="xor"), None))
    assert made.changed
    assert isinstance(do(made, m.Do("quit")).popup, Question)
    assert "no file yet" in do(made, m.Do("revert")).notice.text
    kept = []
    monkeypatch.setattr(Store, "journal", lambda self, graph, path: kept.append(graph))
    shell = Shell()
    try:
        shell.poll(made)
        assert kept == [made.graph]
        (empty,) = shell.perform(New(), made)
    finally:
        shell.close()
    assert not do(made, empty).changed


# --- typing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "typed", "value", "wrong", "allowed"),
    [
        ("epochs", "25", 25, "many", "epochs must be a whole number from 0, not 'many'"),
        ("batch", "all", "all", "0", 'batch must be a whole number from 1 or "all", not 0'),
        ("seed", " 7 ", 7, "−1", "seed must be a whole number from 0, not -1"),
    ],
)
def test_epochs_batch_and_seed_are_typed(name, typed, value, wrong, allowed):
    field = do(xor(), m.Do(f"set-{name}"))
    assert title(field.popup) == f"training: {name}"
    assert field.popup.text == str(getattr(field.graph.training, name))
    done = do(field, m.Typed(typed), m.Key("Enter"))
    assert done.popup is None
    assert getattr(done.graph.training, name) == value
    refused = do(field, m.Typed(wrong), m.Key("Enter"))
    assert refused.popup == Editing("", name, wrong, fault=allowed)
    assert refused.graph == field.graph
    assert do(refused, m.Typed("3")).popup.fault == ""
    assert do(refused, m.Key("Escape")).popup is None


def test_the_learning_rate_is_typed_wherever_it_is():
    field = do(xor(), m.Do("set-rate"))
    assert (field.popup.node, field.popup.setting) == ("train", "rate")
    done = do(field, m.Typed("1/4"), m.Key("Enter"))
    assert done.graph.settings("train")["rate"] == 0.25
    unfolded = Editor.of(nf.unfold(nf.load(GRAPHS / "xor.json")))
    found = training.rate(unfolded)
    done = do(unfolded, m.Do("set-rate"), m.Typed("0.5"), m.Key("Enter"))
    assert done.graph.settings(found.node)[found.setting] == 0.5
    none = do(Editor.of(Graph()), m.Do("set-rate"))
    assert none.notice.text == "no trainer of this graph has a learning rate"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "2/3", 2 / 3),
        ("number", "−0,5", -0.5),
        ("number", "1/0", "1/0"),
        ("number", "fast", "fast"),
        ("number", "", None),
        ("integer", " 12 ", 12),
        ("integer", "1.5", "1.5"),
        ("flag", "Yes", True),
        ("flag", "maybe", "maybe"),
        ("text", " xor ", "xor"),
        ("choice", "none", "none"),
        ("shape", "2, 2", [2, 2]),
        ("shape", "2×3", [2, 3]),
        ("shape", "[4]", [4]),
        ("target", "-1", -1),
        ("target", "kind", "kind"),
        ("target", '["a", "b"]', ["a", "b"]),
        ("array", "[[1, 2], [3, −4.5]]", [[1, 2], [3, -4.5]]),
        ("array", "1, 2; 3, 4", [[1, 2], [3, 4]]),
        ("array", "1/2 3", [0.5, 3]),
        ("array", "0.8", 0.8),
        ("array", "1, two", "1, two"),
        ("array", "1,, 2", "1,, 2"),
        ("array", "1, 2,", "1, 2,"),
    ],
)
def test_what_is_typed_is_read_by_its_kind(kind, text, value):
    assert read(text, kind) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [("array", [[1, 2], [3, 4]]), ("shape", [2, 2]), ("number", 0.25), ("flag", False),
     ("target", ["a", "b"]), ("text", "xor"), ("array", None)],
)  # fmt: skip
def test_what_is_written_can_be_read_again(kind, value):
    assert read(written(value), kind) == value


def test_how_far_training_has_come_in_words():
    ten = Training(epochs=10)
    assert training.progress(Live(), ten) == "not trained yet"
    assert training.progress(Live(state="training", epoch=3), ten) == "training, epoch 3 of 10"
    assert training.progress(Live(state="done", epoch=1000), ten) == "done, epoch 1000"


# --- the minimap and the first view -------------------------------------------------------------


def near(editor):
    """Return an editor that sees the upper left of its graph, not much of it."""
    left, top, _, _ = editor.drawn.bounds
    return replace(editor, camera=Camera(left, top, 2.0))


def centre(editor):
    return editor.camera.on_canvas((editor.size[0] / 2, editor.size[1] / 2))


def test_a_press_on_the_minimap_brings_that_place_into_the_middle():
    editor = near(xor())
    view = editor.drawn.nodes["train"]
    place = view.x + view.width / 2, view.y + view.height / 2
    found = minimap.shown(editor)
    on_map = found.on_map(place)
    at = found.corner[0] + on_map[0], found.corner[1] + on_map[1]
    looking = do(editor, m.Pressed(at))
    assert centre(looking) == pytest.approx(place)
    assert looking.camera.zoom == editor.camera.zoom
    assert looking.selection == editor.selection
    data = editor.drawn.nodes["data"]
    other = found.on_map((data.x, data.y))
    end = found.corner[0] + other[0], found.corner[1] + other[1]
    dragged = do(looking, m.Moved(end))
    assert centre(dragged) == pytest.approx((data.x, data.y))
    released = do(dragged, m.Released(end))
    assert released.gesture is None
    assert do(released, m.Moved((5.0, 5.0))).camera == released.camera


def test_a_drag_beyond_the_minimap_stops_at_its_edge():
    editor = near(xor())
    found = minimap.shown(editor)
    dragged = do(editor, m.Pressed((found.corner[0] + 5, found.corner[1] + 5)), m.Moved((-900, 9)))
    assert centre(dragged)[0] == pytest.approx(found.origin[0])


def test_the_wheel_over_the_minimap_zooms_about_the_middle():
    editor = near(xor())
    found = minimap.shown(editor)
    zoomed = do(editor, m.Wheel((found.corner[0] + 9, found.corner[1] + 9), 1))
    assert zoomed.camera.zoom > editor.camera.zoom
    assert centre(zoomed) == pytest.approx(centre(editor))


def test_where_no_minimap_is_the_canvas_answers():
    whole = xor()
    assert minimap.shown(whole) is None
    corner = whole.size[0] - 30, whole.size[1] - 30
    assert do(whole, m.Pressed(corner)).gesture is not None
    off = do(near(whole), m.Do("minimap"))
    assert do(off, m.Pressed(corner)).camera == off.camera


def test_nothing_of_a_graph_lies_under_the_play_button_at_first():
    for name in ("xor", "four-layers", "mazur-neurons-unfolded"):
        editor = do(Editor.of(Graph()), m.Opened(nf.load(GRAPHS / f"{name}.json"), Path(name)))
        editor = do(editor, m.Do("fit"))
        foot = editor.camera.on_screen((0, editor.drawn.bounds[3]))[1]
        assert foot < aside.button(editor)[1]
    trained = do(editor, m.RunUpdate(Live(update=1)), m.Do("fit"))
    assert aside.foot(trained) == 0
    assert trained.camera.zoom >= editor.camera.zoom
    run = nf.Run(editor.graph)  # nor under the card with the formula of the last step
    stepped = Live(update=1, playback=Playback(step=run.step()))
    stepped = do(editor, m.RunUpdate(stepped), m.Do("fit"))
    foot = stepped.camera.on_screen((0, stepped.drawn.bounds[3]))[1]
    assert foot < stepped.size[1] - aside.card_high(stepped) < stepped.size[1]
    small = replace(stepped, size=(900.0, 420.0))
    for key in ("hidden.1", "cost"):  # nor what was selected
        near_ = do(small, m.Select(frozenset([key])), m.Do("fit-selection"))
        view = near_.drawn.nodes[key]
        foot = near_.camera.on_screen((0, view.y + view.height))[1]
        assert foot < small.size[1] - aside.card_high(small) < small.size[1]


# --- files in other folders ---------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    made = Shell()
    yield made
    made.close()


@pytest.fixture
def rows(tmp_path):
    """Return a data file in a folder of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rows.csv").write_text(CSV)
    return folder / "rows.csv"


def made_from(file):
    graph = network(None, data=file.name, folder=file.parent, epochs=2)
    return do(Editor.of(Graph()), m.Opened(graph, None))


def cost(graph):
    run = nf.Run(graph)
    run.train(2)
    return run.history[-1]["cost"]


def test_a_graph_that_is_saved_elsewhere_still_finds_its_data(shell, rows, tmp_path, monkeypatch):
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets" / "mine").mkdir(parents=True)
    editor = made_from(rows)
    before, expected = editor.graph, cost(editor.graph)
    (saved,) = shell.perform(Save(tmp_path / "nets/mine/net.json"), editor)
    after = do(editor, saved)
    assert after.graph.settings("data")["source"] == "../../data/rows.csv"
    assert not after.changed
    assert len(after.history.entries) == len(editor.history.entries)
    opened = nf.load(tmp_path / "nets/mine/net.json")
    assert opened == after.graph
    assert cost(opened) == cost(after.graph) == cost(before) == expected
    (again,) = shell.perform(Save(tmp_path / "nets/other.json"), after)
    assert again.graph.settings("data")["source"] == "../data/rows.csv"
    (home,) = shell.perform(Save(rows.parent / "net.json"), do(after, again))
    assert home.graph.settings("data")["source"] == "rows.csv"


def test_what_was_there_before_the_save_is_saved_rightly_too(shell, rows, tmp_path):
    """An undone edit leads back to a graph whose paths start elsewhere."""
    editor = do(made_from(rows), m.SetValue("train", "rate", 0.5))
    (saved,) = shell.perform(Save(tmp_path / "net.json"), editor)
    undone = do(editor, saved, m.Do("undo"))
    assert undone.graph.settings("data")["source"] == "rows.csv"
    (again,) = shell.perform(Save(tmp_path / "net.json"), undone)
    assert nf.load(tmp_path / "net.json").settings("data")["source"] == "data/rows.csv"
    assert not do(undone, again).changed


def test_names_that_are_found_anywhere_stay(rows, tmp_path):
    graph = replace(Graph().add("data", "dataset", source="xor"), folder=rows.parent)
    assert moved(graph, tmp_path) is graph
    gone = graph.set("data", source="gone.csv")
    assert moved(gone, tmp_path) is gone
    there = graph.set("data", source="rows.csv")
    assert moved(there, rows.parent) is there
    assert relative_source("rows", tmp_path, rows.parent) == "data/rows.csv"


def test_a_command_that_writes_elsewhere_keeps_the_data_too(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nf.save(made_from(rows).graph, rows.parent / "net.json")
    assert main(["unfold", "data/net.json", "-o", "apart.json"]) == 0
    capsys.readouterr()
    apart = nf.load(tmp_path / "apart.json")
    assert apart.settings("data")["source"] == "data/rows.csv"
    assert cost(apart) == cost(nf.load(rows.parent / "net.json"))


def test_data_on_another_drive_is_told_in_a_sentence(shell, rows, tmp_path, monkeypatch):
    editor = made_from(rows)

    def refuse(*_):
        raise ValueError("path is on mount 'D:'")

    monkeypatch.setattr("os.path.relpath", refuse)
    with pytest.raises(DataError, match="another drive"):
        moved(editor.graph, tmp_path)
    saving = choose(do(editor, m.Do("quit")), "Save")
    (failed,) = shell.perform(Save(tmp_path / "net.json"), saving)
    assert "'rows.csv' is on another drive than the graph file" in failed.text
    assert not (tmp_path / "net.json").exists()
    assert whats(do(saving, failed)) == []


# --- what takes its time ------------------------------------------------------------------------


@pytest.fixture
def gate(monkeypatch):
    """Hold back everything that reads a graph file until the gate is opened."""
    is_open = threading.Event()

    def gated(read):
        def load(path):
            assert is_open.wait(20)
            return read(path)

        return load

    monkeypatch.setattr("nodeflow.editor.shell.load", gated(nf.load))
    monkeypatch.setattr("nodeflow.editor.shell.load_marked", gated(load_marked))
    monkeypatch.setattr("nodeflow.editor.shell._AT_ONCE", 0.01)
    yield is_open
    is_open.set()


def told(shell, editor, kind):
    """Return what the shell tells of a kind, with all that it told before."""
    end, found = time.monotonic() + 20, []
    while time.monotonic() < end:
        found += shell.poll(editor)
        if any(isinstance(message, kind) for message in found):
            return [message for message in found if not isinstance(message, m.RunUpdate)]
        time.sleep(0.002)
    raise AssertionError(f"{kind.__name__} never came: {found}")


def test_a_file_that_takes_its_time_is_opened_in_the_background(shell, gate):
    editor = xor()
    path = GRAPHS / "and.json"
    answers = shell.perform(OpenFile(path), editor)
    assert answers == [m.Began("opening and.json")]
    waiting = do(editor, *answers)
    assert waiting.notice.text == "opening and.json …   Escape stops it"
    gate.set()
    done = do(waiting, *told(shell, waiting, m.Opened))
    assert done.graph.name == nf.load(path).name
    assert done.busy == ""


def test_escape_cancels_what_takes_its_time(shell, gate):
    editor = xor()
    waiting = do(editor, *shell.perform(OpenFile(GRAPHS / "and.json"), editor))
    stopped = do(waiting, m.Key("Escape"))
    assert whats(stopped) == [StopWork()]
    assert stopped.busy == ""
    assert stopped.notice.text == "opening and.json: stopped"
    assert shell.perform(stopped.requests[0], stopped) == []
    gate.set()
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        assert not any(isinstance(found, m.Opened) for found in shell.poll(stopped))


def test_a_graph_that_is_changed_meanwhile_is_not_replaced(shell, gate):
    editor = xor()
    waiting = do(editor, *shell.perform(OpenFile(GRAPHS / "and.json"), editor))
    edited = do(waiting, m.SetValue("train", "rate", 0.5))
    gate.set()
    answers = told(shell, edited, m.Ended)
    after = do(edited, *answers)
    assert after.graph == edited.graph
    assert after.notice.text == ("opening and.json was given up: the graph was changed meanwhile")


def test_a_fault_in_the_background_is_told(shell, gate):
    editor = xor()
    waiting = do(editor, *shell.perform(OpenFile(GRAPHS / "no.json"), editor))
    gate.set()
    after = do(waiting, *told(shell, waiting, m.Ended))
    assert "there is no such file" in after.notice.text
    assert after.busy == ""


def test_a_large_graph_is_unfolded_in_the_background(shell):
    graph = network("2-110-1", data="xor", level="neuron")
    editor = Editor.of(graph)
    assert len(graph.nodes) > 400
    asked = do(editor, m.Do("unfold"))
    assert asked.graph == editor.graph
    (request,) = asked.requests
    answers = shell.perform(request, asked)
    if isinstance(answers[0], m.Began):
        answers += told(shell, asked, m.Derived)
    done = do(asked, *answers)
    assert done.graph.nodes == nf.unfold(graph).nodes
    assert do(done, m.Do("undo")).graph == editor.graph


def test_what_a_gradient_check_found_is_told_in_a_sentence():
    right = do(xor(), m.Do("check"))
    assert right.notice.text == "checking the gradients …"
    done = do(right, m.RunUpdate(Live(checks={"hidden": "ok", "output": "kink: at 0"})))
    assert done.notice.text == "the gradients are right: 2 nodes were checked"
    wrong = do(right, m.RunUpdate(Live(checks={"hidden": "fault: gradient 1", "output": "ok"})))
    assert wrong.notice.text == "the gradient check found a fault at hidden"


def test_a_layer_is_compared_with_its_neurons_together():
    graph = nf.load(GRAPHS / "xor.json")
    apart = nf.explode(graph, "hidden")
    same = compared(graph, apart)
    # hidden.z, hidden_a.a, theta1.value and bias1.value
    assert "4 of them with their neurons together" in same
    assert same.endswith("largest difference 0")
    assert compared(apart, graph) == same
    alone = nf.unfold(graph)
    assert "together" not in compared(graph, alone)
    other = apart.set("bias1.2", value=[0.25])
    silent = other.set("theta2", value=[[0.0, 0.0]])
    whole = graph.set("theta2", value=[[0.0, 0.0]])
    # Nobody hears the neuron: only its own values differ.
    assert compared(whole, silent).startswith("the numbers differ")
    assert compared(whole, silent).rpartition(" at ")[2] in ("hidden.z", "bias1.value")


def test_training_goes_on_when_the_graph_is_saved_elsewhere(shell, rows, tmp_path):
    editor = made_from(rows)
    (tmp_path / "nets").mkdir()

    def until(editor, seen):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for message in shell.poll(editor):
                if isinstance(message, m.RunUpdate) and seen(message.live):
                    return message.live
            time.sleep(0.002)
        raise AssertionError("it never came")

    shell.perform(ControlRun(Train()), editor)
    before = until(editor, lambda live: live.state == "done")
    (saved,) = shell.perform(Save(tmp_path / "nets" / "net.json"), editor)
    after = do(editor, saved)
    assert after.graph.settings("data") != editor.graph.settings("data")
    shell.perform(ControlRun(Step("step")), after)
    now = until(after, lambda live: live.state == "paused")
    assert now.epoch >= before.epoch == 2
    shown = {key: value.tolist() for key, value in now.weights.items()}
    assert shown == {key: value.tolist() for key, value in before.weights.items()}


def test_escape_cancels_a_gradient_check(shell, monkeypatch):
    gate, ended = threading.Event(), []

    def slow(_graph, _heed):
        assert gate.wait(20)
        ended.append(True)
        return {"hidden": "ok"}, ""

    monkeypatch.setattr("nodeflow.editor.shell.checked", slow)
    monkeypatch.setattr("nodeflow.editor.shell._SILENT", 0.01)
    editor = do(xor(), m.Do("check"))
    shell.perform(editor.requests[0], editor)
    waiting = do(editor, *told(shell, editor, m.Began))
    assert waiting.notice.text == "checking the gradients …   Escape stops it"
    stopped = do(waiting, m.Key("Escape"))
    shell.perform(stopped.requests[0], stopped)
    gate.set()
    end = time.monotonic() + 0.2
    while time.monotonic() < end or not ended:
        live = [one.live for one in shell.poll(stopped) if isinstance(one, m.RunUpdate)]
        assert not any(one.checks for one in live)
        time.sleep(0.002)
    assert stopped.notice.text == "checking the gradients: stopped"


def test_a_file_whose_opening_was_cancelled_is_not_among_the_recent_ones(shell, gate):
    editor = xor()
    shell.perform(OpenFile(GRAPHS / "and.json"), editor)
    shell.perform(StopWork(), editor)
    gate.set()
    time.sleep(0.05)
    assert shell.poll(editor) is not None
    assert shell.recent() == []


# --- the first view -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1070, 839), (640, 560)], ids=str)
@pytest.mark.parametrize("name", ["xor", "wheat-seeds-neurons-unfolded", "landscape", "slopes"])
def test_the_first_view_begins_at_the_data_and_reads(name, size):
    graph = nf.load(GRAPHS / f"{name}.json")
    editor = do(Editor.of(Graph(), size=size), m.Opened(graph, Path(name)))
    assert READABLE <= editor.camera.zoom <= 1
    data = graph.of_type("dataset")
    for key in data[:1]:
        view = editor.drawn.nodes[key]
        left, top = editor.camera.on_screen((view.x, view.y))
        right, bottom = editor.camera.on_screen((view.x + view.width, view.y + view.height))
        assert left >= 0
        assert top >= 0
        assert right <= size[0]
        assert bottom <= size[1]


def test_another_size_fits_the_view_again_until_somebody_moves_it():
    for how in ("fit", "first-view"):
        editor = do(xor(), m.Resized((900, 500)), m.Do(how))
        larger = do(editor, m.Resized((2400, 1500)))
        assert larger.camera == do(larger, m.Do(how)).camera != editor.camera
        assert larger.camera.zoom > editor.camera.zoom
        moved = do(editor, m.Wheel((100, 100), 1))
        assert do(moved, m.Resized((2400, 1500))).camera == moved.camera


def test_nodes_grow_with_the_text_of_the_window():
    editor = do(xor(), m.Resized((3000, 2000)), m.Do("first-view"))
    assert editor.camera.zoom == 1
    for _ in range(10):
        editor = do(editor, m.Do("larger"))
    assert editor.preferences.scale == 2
    assert editor.camera.zoom == pytest.approx(min(2, do(editor, m.Do("fit")).camera.zoom))
    assert do(editor, m.Do("zoom-100")).camera.zoom == pytest.approx(2)


def test_tidy_leaves_nothing_off_the_screen():
    editor = do(Editor.of(Graph(), size=(900.0, 600.0)), m.Opened(nf.sample("xor"), None))
    far = replace(editor, camera=replace(editor.camera, x=5000.0, y=5000.0))
    tidied = do(far, m.Do("tidy"))
    left, top, right, bottom = tidied.drawn.bounds
    (x0, y0), (x1, y1) = tidied.camera.on_canvas((0, 0)), tidied.camera.on_canvas(tidied.size)
    assert x0 <= left < right <= x1
    assert y0 <= top < bottom <= y1
    again = do(tidied, m.SetValue("train", "rate", 9.0), m.Do("tidy"))
    assert again.camera == tidied.camera  # all of it is in view: the view stays


# --- what cannot be -------------------------------------------------------------------------------


def faulty(folder):
    """Return a file in which two settings cannot be."""
    path = folder / "faulty.json"
    text = (GRAPHS / "xor.json").read_text("utf-8")
    for before, after in (('"rate": 2.0', '"rate": "fast"'), ('"init": "normal"', '"init": "sky"')):
        text = text.replace(before, after, 1)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_a_fault_in_a_node_opens_with_that_node_marked(tmp_path):
    path = faulty(tmp_path)
    graph, faults = load_marked(path)
    assert {fault.setting for fault in faults} == {("bias1", "init"), ("train", "rate")}
    editor = do(xor(), m.Opened(graph, path, faults=faults), *opening.reports(graph, path, faults))
    assert "faulty.json: bias1.init must be" in editor.notice.text
    assert "and 1 more" in editor.notice.text
    assert len(editor.report.lines) == 2
    for fault in faults:
        node, setting = fault.setting
        assert setting in editor.drawn.nodes[node].problem
    assert not editor.drawn.nodes["theta1"].problem
    assert not editor.changed  # the file is as it was, until somebody saves
    assert editor.mistyped["train", "rate"].text == "fast"
    # Who saves it is told what the file holds now.
    saved = do(editor, m.Saved(graph, path))
    assert saved.notice.text == "saved faulty.json; train.rate is 0.1 in it, and not 'fast'"
    assert not saved.drawn.nodes["bias1"].problem
    # It is mended by a value that can be, however that is given; the other one stays marked.
    mended = do(editor, m.SetValue("train", "rate", 0.5))
    assert not mended.mistyped
    assert not mended.drawn.nodes["train"].problem
    assert mended.drawn.nodes["bias1"].problem
    mended = do(mended, m.SetValue("bias1", "init", "zeros"))
    assert not mended.drawn.nodes["bias1"].problem
    assert do(mended, m.Do("undo")).drawn.nodes["bias1"].problem
    assert not do(mended, m.Opened(nf.Graph(), None)).faults


def test_outside_of_the_editor_such_a_file_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"settings\.init: bias1\.init must be"):
        nf.load(faulty(tmp_path))


def wrongly_wired(folder):
    """Return a file in which the wires of the data start at a port that is not there."""
    path = folder / "broken.json"
    path.write_text((GRAPHS / "xor.json").read_text("utf-8").replace("data.x ->", "data.z ->"))
    return path


def test_a_wire_that_cannot_be_is_said_on_both_of_its_nodes(tmp_path):
    path = wrongly_wired(tmp_path)
    graph, faults = load_marked(path)
    editor = do(xor(), m.Opened(graph, path, faults=faults), *opening.reports(graph, path, faults))
    assert editor.notice.text.startswith(
        "broken.json: the wire 'data.z -> hidden.a' is left out: "
        "node 'data' (dataset) has no output 'z'; it has x, y"
    )
    for node in ("data", "hidden"):
        assert "the wire 'data.z -> hidden.a' is left out" in editor.drawn.nodes[node].problem
    # Who wires it is done with it; undo marks it again, as a move of the node does not.
    moved = do(editor, m.Select(frozenset(["hidden"])), m.Key("Right"))
    assert moved.drawn.nodes["hidden"].problem
    wired = moved.edited(moved.graph.connect("data.x", "hidden.a"), "wire")
    assert not {*(view.problem for view in wired.drawn.nodes.values())} - {""}
    assert do(wired, m.Do("undo")).drawn.nodes["data"].problem


def performed(shell, editor):
    """Return the editor after what it asks the shell for."""
    for request in editor.requests:
        editor = do(editor, *shell.perform(request, editor))
    return editor


def test_what_cannot_be_is_not_lost_by_a_save_without_a_word(tmp_path, shell):
    path = wrongly_wired(tmp_path)
    text = path.read_bytes()
    graph, faults = load_marked(path)
    editor = do(Editor.of(Graph()), m.Opened(with_places(graph), path, faults=faults))
    asked = performed(shell, do(editor, m.Do("save")))
    assert isinstance(asked.popup, Question)
    assert "the wire 'data.z -> hidden.a' is left out" in asked.popup.text
    assert path.read_bytes() == text
    for kept in (choose(asked, "Cancel"), do(asked, m.Key("Escape"))):
        assert (kept.popup, kept.requests, kept.leaving) == (None, (), None)
    assert whats(choose(asked, "Save as …")) == [AskSave()]
    other = do(editor, *shell.perform(Save(tmp_path / "other.json"), editor))
    assert (other.path.name, other.faults, path.read_bytes()) == ("other.json", (), text)
    saved = performed(shell, choose(asked, "Save without them"))
    assert nf.load(path) == saved.graph
    assert not saved.faults
    assert path.with_name("broken.json.bak").read_bytes() == text
    assert isinstance(shell.perform(Save(path), saved)[0], m.Saved)  # it is asked once


def test_what_was_mended_is_not_asked_about(tmp_path, shell):
    path = faulty(tmp_path)
    graph, faults = load_marked(path)
    editor = do(Editor.of(Graph()), m.Opened(with_places(graph), path, faults=faults))
    mended = do(editor, m.SetValue("train", "rate", 0.5))
    asked = performed(shell, do(mended, m.Do("save")))
    assert "bias1.init" in asked.popup.text
    assert "train.rate" not in asked.popup.text
    both = do(mended, m.SetValue("bias1", "init", "zeros"), m.Do("save"))
    assert performed(shell, both).notice.text == "saved faulty.json"
    assert nf.load(path).settings("bias1")["init"] == "zeros"


def test_leaving_waits_for_the_answer_to_what_would_be_lost(tmp_path, shell):
    path = wrongly_wired(tmp_path)
    graph, faults = load_marked(path)
    opened = m.Opened(with_places(graph), path, faults=faults)
    editor = do(Editor.of(Graph()), opened, m.SetValue("train", "rate", 1.0), m.Do("quit"))
    asked = performed(shell, choose(editor, "Save"))
    assert "saving will remove them" in asked.popup.text
    assert whats(performed(shell, choose(asked, "Save without them"))) == [Quit()]
    stayed = choose(performed(shell, choose(editor, "Save")), "Cancel")
    assert stayed.leaving is None


def test_what_cannot_be_is_kept_until_it_is_mended_or_given_up():
    wrong = Mistyped("two", "2", "must be a finite number from 0")
    editor = do(xor(), m.Mistype("train", "rate", wrong))
    assert editor.notice.text == "train.rate is still 2: it must be a finite number from 0"
    assert "train.rate" in editor.drawn.nodes["train"].problem
    assert do(editor, m.Do("undo"), m.Select(frozenset())).mistyped == {("train", "rate"): wrong}
    given_up = do(editor, m.Mistype("train", "rate", None))
    assert (given_up.mistyped, given_up.notice) == ({}, None)
    assert not given_up.drawn.nodes["train"].problem
    gone = do(editor, m.Select(frozenset(["train"])), m.Do("delete"))
    assert gone.mistyped == {}


def test_a_moment_that_cannot_be_read_stays_to_be_mended():
    editor = do(xor(), m.Do("go-to"), m.Typed("abc"), m.Key("Enter"))
    why = "'abc' is not EPOCH, EPOCH:SAMPLE or EPOCH:SAMPLE:NODE"
    assert editor.popup == Ask("moment", "abc", why)
    assert do(editor, m.Typed("3")).popup == Ask("moment", "3")
    assert do(editor, m.Typed("3"), m.Key("Enter")).popup is None
