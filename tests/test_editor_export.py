"""Exporting from the editor: what is offered, what is written, and what is told."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nodeflow as nf
from nodeflow.editor.documents import exporting
from nodeflow.editor.documents.exporting import (
    BARE,
    HELD,
    HERE,
    NOW,
    START,
    TRAINED,
    first_form,
    lines,
)
from nodeflow.editor.shell import Shell
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import AskExport, AskSave, ControlRun, OpenFile, Save
from nodeflow.editor.state.runcommands import Go, Train
from nodeflow.editor.update import update
from nodeflow.errors import ExportError, FileError
from nodeflow.export import FORMATS, Cancelled, Options, export
from nodeflow.export.frames import Reel
from nodeflow.files import save_run

GRAPHS = Path(__file__).parent.parent / "graphs"
SECONDS = 60.0
SHORT = {"samples": "1", "size": "320 × 240", "speed": "25", "level": "phase"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: str(tmp_path / "state"))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def shell():
    made = Shell()
    yield made
    made.close()


@pytest.fixture
def editor(home):
    """Return an editor with a graph that lies in a folder of its own."""
    nf.save(nf.load(GRAPHS / "xor.json"), home / "xor.json")
    return Editor.of(nf.load(home / "xor.json"), home / "xor.json")


def until(shell, editor, holds):
    """Go on, as the window does, until the editor is as wanted."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for message in shell.poll(editor):
            editor = update(editor, message)
            if holds(editor):
                return editor
        time.sleep(0.002)
    raise AssertionError(f"it never came: {editor.notice}")


def trained(shell, editor, epochs=5):
    """Return the editor after some epochs of training."""
    shell.perform(ControlRun(Train(epochs)), editor)
    return until(shell, editor, lambda now: now.live.epoch == epochs and now.live.state == "done")


def asked(editor, ending, *, name=None, **chosen):
    form = exporting.with_ending(editor, first_form(editor), ending)
    form = form if name is None else form.named(name)
    return replace(form, chosen=chosen)


def began(shell, editor, form):
    """Return the editor when an export has begun; where it was done at once, with its end."""
    for message in shell.perform(exporting.requested(editor, form), editor):
        editor = update(editor, message)
    return editor


def exported(shell, editor, form):
    """Return the editor when an export is done."""
    now = began(shell, editor, form)
    if now.busy:
        now = until(shell, now, lambda editor: not editor.busy)
    return now


def values(editor, form):
    return {line.name: line.value for line in lines(editor, form)}


def choices(editor, form, name):
    return next(line.choices for line in lines(editor, form) if line.name == name)


def left(home):
    """Return the files beside the graph: what was cancelled or refused leaves none."""
    return sorted(path.name for path in home.iterdir() if path.name != "xor.json")


# --- what is offered ----------------------------------------------------------------------------


def test_the_command_asks_the_window_and_refuses_an_empty_graph(editor):
    asking = update(editor, m.Key("e", ctrl=True, shift=True))
    assert asking.requests == (AskExport(),)
    empty = update(Editor.of(nf.Graph()), m.Do("export"))
    assert not empty.requests
    assert "nothing to export" in empty.notice.text


def test_a_format_offers_what_it_takes_and_nothing_else(editor):
    offered = {ending: set(values(editor, asked(editor, ending))) for ending in FORMATS}
    assert offered == {
        ".svg": {"theme", "weights"},
        ".png": {"theme", "weights", "scale", "bare"},
        ".gif": {"theme", "begin", "epochs", "samples", "level", "speed", "size"},
        ".mp4": {"theme", "begin", "epochs", "samples", "level", "speed", "size"},
        ".html": {"theme", "recorded", "begin", "epochs", "samples", "level"},
        ".dot": set(),
        ".json": {"weights"},
        ".csv": {"history", "training"},
        ".py": {"code"},
        ".onnx": {"weights", "backward"},
        ".safetensors": {"weights"},
        ".keras": {"weights"},
        ".mat": {"weights"},
        ".net": {"weights"},
    }


def test_the_file_is_named_after_the_graph_and_lies_beside_it(editor, home):
    form = first_form(editor)
    assert (form.name, form.folder) == ("xor.png", str(home))
    assert exporting.with_ending(editor, form, ".gif").name == "xor.gif"
    # The weights would otherwise take the place of the graph itself.
    assert exporting.with_ending(editor, form, ".json").name == "xor-weights.json"
    unsaved = Editor.of(replace(editor.graph, name="a/b"))
    assert first_form(unsaved).name == "a-b.png"


def test_a_name_keeps_up_with_the_format_and_the_format_with_the_name(editor):
    form = first_form(editor).named("mine.png")
    assert exporting.with_ending(editor, form, ".svg").name == "mine.svg"
    assert form.named("film.GIF").ending == ".gif"
    assert form.named("film").ending == ".png"
    assert exporting.place(editor, form.named("film")).name == "film.png"


def test_the_next_export_begins_with_what_was_chosen_last(editor, home):
    form = asked(editor, ".gif", name="mine.gif", speed="5")
    assert first_form(editor, form, editor.path) == form
    other = Editor.of(editor.graph, home / "other.json")
    assert first_form(other, form, editor.path) == replace(form, name="other.gif")


def test_present_weights_are_offered_first_once_there_are_any(shell, editor):
    png = asked(editor, ".png")
    assert choices(editor, png, "weights") == (HELD, TRAINED)
    now = trained(shell, editor, 2)
    assert choices(now, png, "weights") == (NOW, HELD, TRAINED)
    assert values(now, png)["weights"] == NOW
    assert values(now, asked(now, ".csv"))["history"] == NOW
    assert "training" not in values(now, png)
    assert values(now, asked(now, ".png", weights=TRAINED))["training"] == "2000"


def test_what_a_sheet_shows_is_exported_though_a_run_goes_on_behind_it(shell, editor):
    form = exporting.settled(editor, asked(editor, ".png"))
    now = trained(shell, editor, 2)
    export = exporting.requested(now, form)
    assert (export.graph, export.options) == (editor.graph, {"theme": "dark"})


def test_a_long_epoch_is_not_filmed_as_a_whole(editor):
    live = Live(playback=replace(editor.live.playback, per_epoch=4170))
    assert values(editor, asked(editor, ".gif"))["samples"] == ""
    assert values(replace(editor, live=live), asked(editor, ".gif"))["samples"] == "1"
    whole = asked(editor, ".gif", level="epoch")
    assert values(replace(editor, live=live), whole)["samples"] == ""


def test_a_film_lasts_as_many_epochs_as_are_asked_for(shell, editor):
    assert "until" not in begun(editor)[1]
    assert begun(editor, epochs="3")[1]["until"] == "3"
    now = trained(shell, editor, 2)
    assert begun(now, epochs="3")[1] | {"begin": "2", "until": "5"} == begun(now, epochs="3")[1]
    assert begun(now, begin=START, epochs="3")[1]["until"] == "3"
    # Epoch by epoch it is many of them, if nothing is said.
    options = exporting.requested(now, asked(now, ".gif", level="epoch", begin=START)).options
    assert options["until"] == "50"
    assert "samples" not in options
    reel = Reel(now.graph, Options(**{**options, "until": "4"}))
    assert reel.total == 4


# --- what is written ----------------------------------------------------------------------------


def test_a_drawing(shell, editor, home):
    now = exported(shell, editor, asked(editor, ".svg", theme="light"))
    assert now.notice.text == "exported xor.svg"
    assert (home / "xor.svg").read_text().startswith("<svg ")


def test_a_picture_that_can_be_opened_again_with_the_weights_as_they_stand(shell, editor, home):
    now = trained(shell, editor)
    now = exported(shell, now, asked(now, ".png", scale="0.5"))
    assert now.notice.text.startswith("exported xor.png, ")
    inside = nf.load(home / "xor.png")
    for address, value in now.live.weights.items():
        node = address.removesuffix(".value")
        assert np.array_equal(inside.settings(node)["value"], value)
    assert inside.wires == editor.graph.wires
    # As in the graph, it is the graph itself.
    exported(shell, now, asked(now, ".png", name="start", scale="0.5", weights=HELD))
    assert nf.load(home / "start.png") == editor.graph


def test_a_picture_without_its_graph(shell, editor, home):
    exported(shell, editor, asked(editor, ".png", bare=BARE, scale="0.5"))
    with pytest.raises(FileError, match="carries no graph"):
        nf.load(home / "xor.png")


def test_films_and_pages(shell, editor, home):
    for ending, first in ((".gif", b"GIF89a"), (".mp4", b"ftyp"), (".html", b"<!doctype html>")):
        now = exported(shell, editor, asked(editor, ending, **SHORT))
        assert now.notice.kind == "info", now.notice.text
        assert now.notice.text.startswith(f"exported xor{ending}")
        assert first in (home / f"xor{ending}").read_bytes()[:20]
    with Image.open(home / "xor.gif") as film:
        assert film.size == (320, 240)


def test_graphviz(shell, editor, home):
    exported(shell, editor, asked(editor, ".dot"))
    assert (home / "xor.dot").read_text().startswith("digraph")


def test_weights_as_they_stand_as_in_the_graph_and_trained(shell, editor, home):
    now = trained(shell, editor)
    told = exported(shell, now, asked(now, ".json"))
    assert told.notice.text == "exported xor-weights.json, the weights as they stand"
    held = json.loads((home / "xor-weights.json").read_text())
    assert held == {key: value.tolist() for key, value in now.live.weights.items()}
    # The same training by the export itself comes to the same bits.
    again = asked(now, ".json", name="again", weights=TRAINED, training="5")
    exported(shell, now, again)
    assert json.loads((home / "again.json").read_text()) == held
    exported(shell, now, asked(now, ".json", name="start", weights=HELD))
    start = {key: value.tolist() for key, value in nf.Run(editor.graph).weights.items()}
    assert json.loads((home / "start.json").read_text()) == start != held


def test_weights_of_the_run_file_beside_the_graph(shell, editor, home):
    run = nf.Run(editor.graph)
    run.train(3)
    save_run(home / "xor.run.npz", run.weights, run.history, {})
    form = asked(editor, ".json", weights="of xor.run.npz")
    assert "of xor.run.npz" in choices(editor, form, "weights")
    exported(shell, editor, form)
    held = {key: value.tolist() for key, value in run.weights.items()}
    assert json.loads((home / "xor-weights.json").read_text()) == held


def test_the_history_is_the_one_that_is_seen(shell, editor, home):
    now = trained(shell, editor, 4)
    # A change of the rate on the way: the graph alone would be trained another way.
    now = update(now, m.SetValue("train", "rate", 0.5))
    shell.poll(now)
    shell.perform(ControlRun(Train(3)), now)
    now = until(shell, now, lambda now: now.live.epoch == 7 and now.live.state == "done")
    told = exported(shell, now, asked(now, ".csv"))
    assert told.notice.text == "exported xor-history.csv, 7 epochs, as it stands"
    with (home / "xor-history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["cost"]) for row in rows] == [line["cost"] for line in now.live.history]


# --- where a film begins ------------------------------------------------------------------------


def begun(editor, **chosen):
    """Return the graph and the options of a film."""
    export = exporting.requested(editor, asked(editor, ".gif", **SHORT, **chosen))
    return export.graph, export.options


def test_a_film_begins_where_the_run_stands(shell, editor):
    shell.perform(ControlRun(Go(47)), editor)
    now = until(shell, editor, lambda now: now.live.playback.number == 47)
    assert values(now, asked(now, ".gif"))["begin"] == HERE
    lesson = {"tasks": [{"text": "Go on.", "at": "0:0:sum"}]}
    taught = replace(now, history=now.history.instead(replace(now.graph, extra={"lesson": lesson})))
    assert values(taught, asked(taught, ".html"))["begin"] == START  # it is done from its start
    assert values(taught, asked(taught, ".gif"))["begin"] == HERE
    graph, options = begun(now)
    assert graph is now.graph
    run = nf.Run(graph)
    for _ in range(47):
        run.step()
    assert options["begin"] == f"0:1:{run.node}"
    assert "begin" not in begun(now, begin=START)[1]


def test_after_a_change_on_the_way_a_film_begins_with_the_weights_of_now(shell, editor):
    now = trained(shell, editor, 3)
    assert begun(now)[1]["begin"] == "3"
    now = update(now, m.SetValue("train", "rate", 0.5))
    now = until(shell, now, lambda now: now.live.playback.futures[-1].begin > 0)
    graph, options = begun(now)
    assert "begin" not in options
    for address, value in now.live.weights.items():
        assert np.array_equal(nf.Run(graph).weights[address], value)


# --- what cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "folder", "chosen", "sentence"),
    [
        ("x.mov", "", {}, r"'.mov' is no ending .* choose one of .svg, .png, .gif"),
        ("  ", "", {}, "the file needs a name, such as xor.gif"),
        ("x.gif", "nowhere", {}, "there is no folder '.*nowhere'"),
        ("x.gif", "", {"samples": "0"}, "samples is a whole number from 1 on, not '0'"),
        ("x.gif", "", {"speed": "fast"}, "speed is a number above 0, not 'fast'"),
        ("x.gif", "", {"size": "big"}, "size is width × height in pixels, such as 960 × 600"),
        ("xor.json", "", {}, "is a graph's own file: choose another name"),
    ],
)
def test_what_cannot_be_is_told_before_anything_begins(
    editor, home, name, folder, chosen, sentence
):
    form = replace(asked(editor, ".gif", name=name, **chosen), folder=str(home / folder))
    with pytest.raises((ExportError, FileError), match=sentence):
        exporting.requested(editor, form)
    assert left(home) == []


def test_a_folder_that_may_not_be_written(editor, home, monkeypatch):
    monkeypatch.setattr("nodeflow.disk.os.access", lambda path, mode: False)
    with pytest.raises(FileError, match="there is no permission to write here"):
        exporting.requested(editor, asked(editor, ".gif"))


def test_what_a_format_refuses_is_told_in_the_words_of_the_sheet(shell, editor, home):
    for chosen, sentence in (
        ({"size": "100 × 100"}, "a film is 320 to 3840 pixels wide, not 100"),
        ({"speed": "99"}, "a speed is 0.1 to 50 steps a second, not 99"),
        ({"samples": "9999"}, "are possible; choose samples "),
    ):
        now = exported(shell, editor, asked(editor, ".gif", **chosen))
        assert sentence in now.notice.text
        assert "--" not in now.notice.text
        assert now.notice.kind == "problem"
    assert left(home) == []


def test_a_full_disk_leaves_what_was_there(shell, editor, home, monkeypatch):
    (home / "xor.svg").write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("nodeflow.disk.os.fsync", full)
    now = exported(shell, editor, asked(editor, ".svg"))
    assert "no space left on device; what was there before is kept" in now.notice.text
    assert left(home) == ["xor.svg"]
    assert (home / "xor.svg").read_text() == "old"


# --- how far it is, and its end -----------------------------------------------------------------


def test_progress_is_told_and_escape_leaves_no_file(shell, editor, home):
    form = asked(editor, ".gif", samples="12")
    now = began(shell, editor, form)
    assert now.busy == "exporting xor.gif"
    told = re.compile(r"exporting xor\.gif … [1-9]\d? %   Escape stops it")
    now = until(shell, now, lambda now: told.fullmatch(now.notice.text))
    work = shell._jobs[0][0]
    now = update(now, m.Key("Escape"))
    assert now.notice.text == "exporting xor.gif: stopped"
    for request in now.requests:
        shell.perform(request, now)
    assert work.done(SECONDS)
    assert left(home) == []
    assert not [message for message in shell.poll(now) if isinstance(message, m.Noted | m.Failed)]


def test_an_export_that_is_stopped_before_its_file_is_written_writes_none(shell, editor, home):
    """A picture has one moment to be stopped at: the last one."""

    def cancel(_done, _total):
        raise Cancelled

    with pytest.raises(Cancelled):
        export(editor.graph, home / "xor.svg", progress=cancel)
    assert left(home) == []


def test_the_graph_may_be_edited_meanwhile(shell, editor, home):
    now = began(shell, editor, asked(editor, ".gif", **{**SHORT, "samples": "3"}))
    assert now.busy
    now = update(now, m.SetValue("train", "rate", 0.5))
    now = until(shell, now, lambda now: not now.busy)
    assert now.notice.text.startswith("exported xor.gif, ")
    assert left(home) == ["xor.gif"]


# --- a picture is opened, and not saved to ------------------------------------------------------


def test_a_graph_from_a_picture_is_saved_under_another_name(shell, editor, home):
    exported(shell, editor, asked(editor, ".png", scale="0.5"))
    picture = (home / "xor.png").read_bytes()
    (home / "xor.json").unlink()
    (opened,) = shell.perform(OpenFile(home / "xor.png"), editor)
    now = update(editor, opened)
    assert now.graph == editor.graph
    assert not now.changed
    assert update(now, m.Do("save")).requests == (AskSave(),)
    (answer,) = shell.perform(Save(home / "xor.png"), now)
    assert "a graph is saved as .json" in answer.text
    assert (home / "xor.png").read_bytes() == picture


def test_a_picture_without_a_graph_is_not_opened(shell, editor, home):
    Image.new("RGB", (8, 8)).save(home / "plain.png")
    (answer,) = shell.perform(OpenFile(home / "plain.png"), editor)
    assert isinstance(answer, m.Failed)
    assert "this picture carries no graph" in answer.text
