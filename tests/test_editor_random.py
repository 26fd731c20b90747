"""Random messages over all graphs that come with nodeflow: no fault, and undo leads back."""

import os
import random
from dataclasses import replace

import pytest

from nodeflow import examples
from nodeflow.declare import CATALOG
from nodeflow.editor.commands.registry import COMMANDS
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update
from nodeflow.files import save
from nodeflow.graph import Graph

MANY = int(os.environ.get("NODEFLOW_MESSAGES", "0"))
"""So many messages in all, over all graphs; without it a few, over a few."""
FILES = sorted(examples.folder().glob("*.json"))
KEYS = ("Left", "Down", "Enter", "Escape", "Tab", "F2", "z", "Delete", "Home", "f", "Space", "m")
TEXTS = ("sig", "", "panel", "first", "2x2", "0.5", "xor", "abc", "−3", "2, 2", "∞")
LEFT_OUT = {"unfold", "explode"}
"""Of large graphs these make thousands of nodes, again and again."""


def message(dice, editor):
    """Return something that a person might do."""
    nodes = list(editor.graph.nodes) or ["none"]
    ports = [
        port for view in list(editor.drawn.nodes.values())[:60]
        for port in (*view.inputs, *view.outputs)
    ]  # fmt: skip

    def point():
        if ports and dice.random() < 0.6:
            port = dice.choice(ports)
            return editor.camera.on_screen((port.x, port.y))
        return dice.uniform(0, editor.size[0]), dice.uniform(0, editor.size[1])

    def held():
        return {name: dice.random() < 0.15 for name in ("shift", "ctrl", "alt")}

    large = len(editor.graph.nodes) > 150
    commands = [name for name in COMMANDS if not (large and name in LEFT_OUT)]
    return dice.choice((
        lambda: m.Pressed(point(), dice.choice(("left", "left", "right", "middle")),
                          dice.choice((1, 1, 2)), **held()),
        lambda: m.Moved(point()),
        lambda: m.Released(point(), "left", **held()),
        lambda: m.Wheel(point(), dice.uniform(-2, 2)),
        lambda: m.Do(dice.choice(commands)),
        lambda: m.Place(dice.choice(sorted(CATALOG)), point()),
        lambda: m.Select(frozenset(dice.sample(nodes, min(2, len(nodes))))),
        lambda: m.SetValue(dice.choice(nodes), dice.choice(("rate", "value", "shape")),
                           dice.choice((0.5, [2, 2], float("inf"), None)), dice.random() < 0.5),
        lambda: m.SetTraining(dice.choice(("batch", "epochs", "seed")), dice.choice(TEXTS)),
        lambda: m.Typed(dice.choice(TEXTS)),
        lambda: m.Chosen(dice.choice((None, 0, 1, 4))),
        lambda: m.Key(dice.choice(KEYS), **held()),
        lambda: m.Resized((dice.uniform(100, 2500), dice.uniform(80, 1600))),
    ))()  # fmt: skip


def written(graph, folder):
    """Return the bytes of a graph's file, and of the large arrays beside it."""
    save(graph, folder / "graph.json")
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for name in found:
        (folder / name).unlink()
    return found


@pytest.mark.parametrize(
    "file", FILES if MANY else FILES[:: max(len(FILES) // 4, 1)], ids=lambda file: file.stem
)
def test_random_messages_never_fail_and_are_undone(file, tmp_path):
    count = MANY // len(FILES) if MANY else 100
    for seed in range(max(count // 300, 1)):
        dice = random.Random(f"{file.stem} {seed}")
        editor = Editor.of(examples.sample(file.stem), size=(1100.0, 800.0))
        first, start = editor.graph, written(editor.graph, tmp_path)
        for number in range(min(count, 300)):
            editor = update(editor, message(dice, editor))
            if number % 20 == 0:
                editor.graph.validate()
        known = editor.graph.nodes.keys() | editor.graph.groups.keys()
        assert editor.selection <= known
        assert editor.drawn.nodes.keys() <= known
        editor = replace(editor, popup=None, gesture=None)
        for _ in editor.history.entries:
            editor = update(editor, m.Do("undo"))
        anew = editor.history.entries[0].value is not first  # a new graph has its own history
        assert written(editor.graph, tmp_path) == (written(Graph(), tmp_path) if anew else start)


@pytest.mark.parametrize("name", ["xor", "feedback-alignment", "nielsen-unfolded"])
def test_a_graph_that_lacks_a_wire_is_shown_and_told_about(name):
    graph = examples.sample(name)
    for wire in graph.wires:
        editor = Editor.of(replace(graph, wires=tuple(w for w in graph.wires if w != wire)))
        assert editor.drawn.nodes.keys() == graph.nodes.keys()
        assert all(isinstance(sentence, str) for sentence in editor.problems.values())
