"""Node types by others in the editor: asked for, switched on, at work on, failing at their node."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from test_plugins import TYPE, home, write  # noqa: F401  (home is a fixture)

import nodeflow as nf
from nodeflow import plugins
from nodeflow.declare import CATALOG
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.documents import plugins as editor_plugins
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.shell import Shell
from nodeflow.editor.state.messages import Chosen, Do, Failed, Opened, Renewed, RunUpdate
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Question, Search
from nodeflow.editor.state.requests import RunAnew
from nodeflow.editor.update import update
from nodeflow.graph import Graph, Node, Wire

FAILS = TYPE.replace("return 3 * z", "return 3 * z if z.max() < 5 else z.nothing")


def graph(value=2.0):
    return Graph(
        nodes={"t": Node("triple"), "x": Node("constant", {"value": [value]})},
        wires=(Wire("x", "value", "t", "z"),),
        layout={"t": (300, 0), "x": (0, 0)},
    )


@pytest.fixture
def shell(home, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = Shell()
    yield made
    made.close()


def answered(editor, shell, message):
    editor = update(editor, message)
    for request in editor.requests:
        for answer in shell.perform(request, editor):
            editor = answered(editor, shell, answer)
    return editor


def test_a_graph_that_needs_a_plugin_asks_for_it_once(home, shell):  # noqa: F811
    file = write(home, "mine", TYPE.format(name="triple"), ["triple"])
    file.write_text(f"{file.read_text()}\nopen(__file__ + '.ran', 'w').close()\n")
    editor = answered(Editor.of(Graph()), shell, Opened(graph(), home / "g.json"))
    assert isinstance(editor.popup, Question)
    assert "'mine'" in editor.popup.text
    assert "'triple'" in editor.popup.text
    assert not (home / "nodes" / "mine.py.ran").exists()
    assert [port.label for port in editor.drawn.nodes["t"].inputs] == ["z", "gain"]
    assert "of the plugin 'mine', which is off" in editor.drawn.nodes["t"].problem
    left = answered(editor, shell, Chosen(0))
    assert left.popup is None
    assert "triple" not in CATALOG
    # The same is asked by a command, and switched on nothing is edited.
    editor = answered(left, shell, Do("plugins"))
    editor = answered(editor, shell, Chosen(1))
    assert plugins.enabled() == ["mine"]
    assert editor.notice.text == "the plugin 'mine' is on: triple"
    assert editor.drawn.nodes["t"].problem == ""
    assert [port.label for port in editor.drawn.nodes["t"].inputs] == ["z"]
    assert not editor.changed
    assert len(editor.history.entries) == 1
    assert nf.Run(editor.graph).machine is not None
    assert answered(editor, shell, Do("plugins")).popup is None


def test_one_that_cannot_be_imported_stays_off_and_says_why(home, shell):  # noqa: F811
    write(home, "mine", "raise ValueError('no such luck')", ["triple"])
    editor = answered(Editor.of(Graph()), shell, Opened(graph(), home / "g.json"))
    editor = answered(editor, shell, Chosen(1))
    assert "no such luck" in editor.notice.text
    assert "triple" not in CATALOG


def test_the_palette_names_the_plugin(home):  # noqa: F811
    write(home, "mine", TYPE.format(name="triple"))
    plugins.enable("mine")
    from dataclasses import replace

    editor = replace(Editor.of(graph()), popup=Search((0.0, 0.0), "triple"))
    assert lines(editor)[0].text == "triple · mine"


def test_a_file_that_changes_is_read_again(home, monkeypatch):  # noqa: F811
    monkeypatch.setattr(editor_plugins, "_EVERY", 0.0)
    # Files of one second and one size: bytecode of the first must not stand for the second.
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = write(home, "mine", TYPE.format(name="triple"))
    plugins.enable("mine")
    editor = Editor.of(graph())
    watch = editor_plugins.Watch()
    assert list(watch.poll()) == []
    for factor, text in ((5, "return 5 * z"), (7, "return 7 * z")):
        file.write_text(TYPE.format(name="triple").replace("return 3 * z", text))
        os.utime(file, ns=(factor, factor))
        (told,) = watch.poll()
        assert told == Renewed("mine.py was read again: triple")
        editor = update(editor, told)
        assert RunAnew() in editor.requests
        run = nf.Run(editor.graph)
        run.evaluate()
        assert run["t.a"].tolist() == [[2.0 * factor]] or run["t.a"].tolist() == [2.0 * factor]
    # A file that is half written says so, and the type stays what it was.
    file.write_text("def broken(:")
    os.utime(file, ns=(9, 9))
    (told,) = watch.poll()
    assert isinstance(told, Failed)
    assert "SyntaxError" in told.text
    assert np.all(CATALOG["triple"].function(np.array([[1.0]])) == 7.0)
    assert plugins.ORIGINS == {"triple": "mine"}
    file.write_text(TYPE.format(name="triple"))
    os.utime(file, ns=(11, 11))
    assert isinstance(watch.poll()[0], Renewed)


def test_a_function_that_fails_is_told_at_its_node(home):  # noqa: F811
    write(home, "mine", FAILS.format(name="triple"))
    plugins.enable("mine")
    worker = Worker()
    for value, fails in ((2.0, False), (9.0, True), (2.5, False)):
        made = graph(value)
        worker.open(made)
        editor = update(Editor.of(made), RunUpdate(worker.live()))
        problem = editor.drawn.nodes["t"].problem
        assert bool(problem) == fails, problem
        if fails:
            assert "'t' (triple) failed on z" in problem
            assert editor.live.values["x.value"].ravel().tolist() == [9.0]


def test_a_change_right_after_a_plugin_was_switched_on_is_seen(home, monkeypatch):  # noqa: F811
    """Nobody looked at the folder between the two."""
    monkeypatch.setattr(editor_plugins, "_EVERY", 0.0)
    file = write(home, "mine", TYPE.format(name="triple"))
    watch = editor_plugins.Watch()
    assert watch.enabled("mine") == [Renewed("the plugin 'mine' is on: triple")]
    file.write_text(TYPE.format(name="triple").replace("return 3 * z", "return 5 * z"))
    os.utime(file, ns=(5, 5))
    assert watch.poll() == [Renewed("mine.py was read again: triple")]
