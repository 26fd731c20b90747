"""Files of which some parts cannot be: those are left out and told, the rest is the graph."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_files import document, put

import nodeflow as nf
from nodeflow.errors import FileError
from nodeflow.files import dumps, load, load_marked, loads, save
from nodeflow.files.lenient import Fault, marked
from nodeflow.files.reader import Source
from nodeflow.graph import Graph


def read(raw: Any) -> tuple[Graph, tuple[Fault, ...]]:
    """Return what is read of an object, and hold it to the strict reader."""
    text = json.dumps(raw)
    with pytest.raises(FileError):
        loads(text, file="n.json")
    graph, faults = marked(Source(text, "n.json"))
    assert faults
    written = dumps(graph)
    assert dumps(loads(written)) == written  # what is left can be saved, and opens without a word
    assert marked(Source(written, "n.json"))[1] == ()
    return graph, faults


def wired(*wires: str, instead: bool = False) -> dict[str, Any]:
    """Return the one neuron with other wires, or with more of them."""
    raw = document()
    raw["wires"] = [*([] if instead else raw["wires"]), *wires]
    return raw


WIRE = "the wire '{}' is left out: "
KINDS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "name": (put("name", 3), (), "'name' is left out: expected a text, got 3"),
    "about": (put("about", None), (), "'about' is left out: expected a text, got null"),
    "training": (put("training", []), (), "'training' is left out: expected an object, got a list"),
    "batch": (
        put("training", "batch", 0),
        (),
        'training.batch: expected a whole number from 1, or "all", got 0',
    ),
    "seed": (
        put("training", "seed", -1),
        (),
        "training.seed: expected a whole number from 0, got -1",
    ),
    "no node": (
        put("nodes", "w", 3),
        ("w",),
        "'w' is a placeholder, its type is not told: expected an object, got 3",
    ),
    "no type": (
        put("nodes", "w", {"settings": {"value": [[1.0]]}}),
        ("w",),
        "'w' is a placeholder, its type is not told: \"type\" is missing, the name of a node type",
    ),
    "bad type": (
        put("nodes", "w", "type", 3),
        ("w",),
        "'w' is a placeholder, its type is not told: expected the name of a node type, got 3",
    ),
    "bad id": (
        put("nodes", "2w", {"type": "constant"}),
        (),
        "a node is left out: '2w' cannot be a node's id: a letter first, then letters, digits, "
        "'_', '-' and '.', no dot at the end",
    ),
    "mode": (
        put("nodes", "w", "mode", "bypas"),
        ("w",),
        "'w' is active, its mode cannot be: expected active, bypass, disable or freeze, "
        'got a text ("bypas")',
    ),
    "settings": (
        put("nodes", "w", "settings", []),
        ("w",),
        "'w' has no settings, these cannot be: expected an object, got a list",
    ),
    "setting": (
        put("nodes", "train", "settings", "rate", -1),
        ("train",),
        "train.rate must be a number from 0, not -1",
    ),
    "unknown setting": (
        put("nodes", "w", "settings", "vale", 1),
        ("w",),
        "w.vale: node 'w' (parameter) has no setting 'vale'; did you mean 'value'?",
    ),
    "array": (
        put("nodes", "w", "settings", "value", [[1], [1, 2]]),
        ("w",),
        "w.value must be a number, a list of numbers, or a list of rows of equal length, "
        "not [[1], [1, 2]]",
    ),
    "array elsewhere": (
        put("nodes", "w", "settings", "value", {"file": "n.npz", "array": "w", "sha256": "0" * 64}),
        ("w",),
        "w.value: its numbers lie in n.npz beside the file: load the file itself",
    ),
    "absolute path": (
        put("nodes", "d", {"type": "dataset", "settings": {"source": "/data/x.csv"}}),
        ("d",),
        "d.source is the absolute path '/data/x.csv': write it relative to the graph file",
    ),
    "wires": (put("wires", 4), (), "'wires' is left out: expected a list, got 4"),
    "no text": (
        wired("x.value -> sum.a", 4, instead=True),
        (),
        "wire 2 of the file is left out: expected a text 'node.output -> node.input', got 4",
    ),
    "no wire": (
        wired("w.value sum.a"),
        (),
        "a wire is left out: 'w.value sum.a' is not a wire: write 'node.output -> node.input'",
    ),
    "from nowhere": (
        wired("v.value -> sum.bias"),
        ("sum",),
        WIRE.format("v.value -> sum.bias")
        + "'v.value': there is no node 'v'; there is cost, sum, train, w, x, y",
    ),
    "to nowhere": (
        wired("w.value -> summ.bias"),
        ("w",),
        WIRE.format("w.value -> summ.bias")
        + "'summ.bias': there is no node 'summ'; did you mean 'sum'?",
    ),
    "no output": (
        wired("w.valu -> sum.bias"),
        ("w", "sum"),
        WIRE.format("w.valu -> sum.bias")
        + "node 'w' (parameter) has no output 'valu'; it has value",
    ),
    "no input": (
        wired("w.value -> sum.weight"),
        ("w", "sum"),
        WIRE.format("w.value -> sum.weight")
        + "node 'sum' (weighted_sum) has no input 'weight'; it has a…, weights, bias?",
    ),
    "into a setting": (
        wired("w.value -> w.init"),
        ("w",),
        WIRE.format("w.value -> w.init")
        + "'w.init' is a setting of the node, not a port: a wire cannot enter it",
    ),
    "a second wire": (
        wired("x.value -> cost.y"),
        ("x", "cost"),
        WIRE.format("x.value -> cost.y") + "'cost.y' takes one wire and has one from y.value; "
        "remove it before connecting x.value",
    ),
    "twice": (
        wired("y.value -> cost.y"),
        ("y", "cost"),
        WIRE.format("y.value -> cost.y")
        + "the wire 'y.value -> cost.y' is there twice; remove one",
    ),
    "a number too many": (
        wired("x.value -> sum.bias[0]"),
        ("sum",),
        "the wire 'x.value -> sum.bias[0]' is there without its number: "
        "'sum.bias' takes one wire, so it has no [0]",
    ),
    "numbers": (
        wired("y.value -> sum.a[1]"),
        ("sum",),
        "they are numbered in their order: the 2 wires into 'sum.a' must be numbered [0] to [1]",
    ),
    "loop": (
        wired("sum.z -> sum.bias"),
        ("sum",),
        WIRE.format("sum.z -> sum.bias") + "these wires close a loop: sum → sum",
    ),
    "groups": (put("groups", 3), (), "'groups' is left out: expected an object, got 3"),
    "group": (
        put("groups", "g", {"nodes": ["w", 3, 4]}),
        (),
        "the group 'g' is left out: expected the id of a node, got 3",
    ),
    "layout": (put("layout", []), (), "'layout' is left out: expected an object, got a list"),
    "place": (
        put("layout", "sum", [1, 2.5]),
        ("sum",),
        "'sum' was given another place: expected two whole numbers [x, y], got a list",
    ),
    "unfolded": (
        put("unfolded", {"train": 3}),
        (),
        "unfolded.train is left out: expected a trainer with its wires, got 3",
    ),
    "exploded": (
        put("exploded", 3),
        (),
        "'exploded' is left out: expected an object of layers, got 3",
    ),
    "places": (
        put("places", 3),
        (),
        '\'places\' is left out: expected an object {"stood": …, "placed": …}, got 3',
    ),
    "lesson": (
        put("lesson", {"tasks": [{"text": "go"}]}),
        (),
        "'lesson' is left out: $.lesson.tasks[0]: a task has one of until, at, ask and wire, "
        "and this one has none of them",
    ),
    "answers": (
        put("answers", {"tasks": 3}),
        (),
        "'answers' is left out: $.answers.tasks: expected a list of tasks, got 3",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_is_left_out_and_told(kind: str) -> None:
    raw, nodes, sentence = KINDS[kind]
    graph, faults = read(raw)
    assert [(fault.sentence, fault.nodes) for fault in faults] == [(sentence, nodes)]
    # All that is sound is there, as it is in a file without the fault.
    whole = loads(json.dumps(document()))
    spoilt = {"w", "train"} if "w" in nodes or "train" in nodes else set()
    for key in whole.nodes.keys() - spoilt:
        assert graph.nodes[key] == whole.nodes[key]
    if kind not in ("wires", "no text", "numbers"):
        assert set(whole.wires) <= set(graph.wires)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    raw = document()
    raw["training"]["batch"] = "some"
    raw["nodes"]["w"]["mode"] = "asleep"
    raw["nodes"]["train"]["settings"]["rate"] = "fast"
    raw["nodes"]["2nd"] = {"type": "sigmoid"}
    raw["layout"]["sum"] = "left"
    raw["wires"] += ["2nd.a -> sum.bias", "x.value -> cost.y"]
    graph, faults = read(raw)
    assert [fault.keys for fault in faults] == [
        ("training", "batch"), ("nodes", "w", "mode"), ("layout", "sum"),
        ("nodes", "train", "settings", "rate"), ("nodes", "2nd"), ("wires", 5), ("wires", 6),
    ]  # fmt: skip
    assert [fault.setting for fault in faults if fault.setting] == [
        ("", "batch"), ("train", "rate"),
    ]  # fmt: skip
    assert graph.training == nf.Training(batch=1, epochs=10, seed=0)
    run = nf.Run(graph)
    run.step()  # the rest is whole


def test_where_a_wire_is_left_out_the_others_close_up() -> None:
    raw = wired(
        "x.value -> sum.a[0]", "gone.value -> sum.a[1]", "y.value -> sum.a[2]", instead=True
    )
    graph, faults = read(raw)
    assert len(faults) == 1
    assert [str(wire) for wire in graph.wires] == ["x.value -> sum.a[0]", "y.value -> sum.a[1]"]


def test_of_each_loop_one_wire_is_left_out() -> None:
    raw = document()
    raw["nodes"] = {key: {"type": "sigmoid"} for key in "abcdef"}
    raw["wires"] = [
        "a.a -> b.z", "b.a -> c.z", "c.a -> a.z", "d.a -> e.z", "e.a -> d.z", "e.a -> f.z",
    ]  # fmt: skip
    graph, faults = read(raw)
    assert len(graph.wires) == 4
    assert [fault.nodes for fault in faults] == [("c", "a"), ("e", "d")]
    assert "a → b → c → a" in faults[0].sentence


@pytest.mark.parametrize(
    "raw",
    [[], {}, put("format", "comfy"), put("version", 7), put("version", "1"), put("nodes", [])],
    ids=json.dumps,
)
def test_what_is_no_graph_at_all_is_refused(raw: Any) -> None:
    with pytest.raises(FileError):
        marked(Source(json.dumps(raw), "n.json"))


@pytest.mark.parametrize("text", ["", "{", '{"format": "nodeflow", "nodes": {"a": 1, "a": 2}}'])
def test_so_is_what_is_no_json(text: str) -> None:
    with pytest.raises(FileError):
        marked(Source(text, "n.json"))


def test_an_array_whose_file_is_gone_leaves_its_node(tmp_path: Path) -> None:
    path = tmp_path / "wide.json"
    graph = Graph().add("w", "parameter", value=np.ones((40, 40)).tolist())
    save(graph, path)
    assert load_marked(path) == (load(path), ())
    (tmp_path / "wide.npz").unlink()
    graph, (fault,) = load_marked(path)
    assert fault.setting == ("w", "value")
    assert "wide.npz is missing" in fault.sentence
    assert graph.settings("w")["value"] is None
    assert graph.folder == tmp_path
    assert graph.origin == load_marked(path)[0].origin is not None


def test_many_faults_take_as_long_as_many_nodes() -> None:
    def seconds(count: int) -> float:
        raw = document()
        raw["nodes"] = {f"n{i}": {"type": "sigmoid", "mode": "x"} for i in range(count)}
        raw["wires"] = [f"n{i}.a -> n{(i + 1) % count}.b" for i in range(count)]
        raw["wires"] += [f"n{i}.a -> n{i}.z" for i in range(count)]
        raw["layout"] = {f"n{i}": [0] for i in range(count)}
        source = Source(json.dumps(raw), "n.json")
        start = time.process_time()
        graph, faults = marked(source)
        spent = time.process_time() - start
        assert len(faults) == 4 * count
        assert replace(graph, layout={}).nodes.keys() == raw["nodes"].keys()
        return spent

    # The least of three: a look for garbage may come between.
    small, large = (min(seconds(count) for _ in range(3)) for count in (100, 1_600))
    assert large < 64 * small  # 16 times as many; 256 if each looked at all others
