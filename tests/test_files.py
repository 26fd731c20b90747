"""Graph files: what is read, what is written, and each fault's sentence."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest

from nodeflow.declare import CATALOG, Array
from nodeflow.errors import FileError, Loop, PortTaken
from nodeflow.files import MIGRATIONS, VERSION, dumps, load, loads, save, schema, text
from nodeflow.files.form import schema_text
from nodeflow.graph import Graph, Node, Training, Wire

ONE_NEURON = """\
{
  "format": "nodeflow",
  "version": 1,
  "name": "one neuron",
  "about": "Input 1.5, weight 0.8, target 0.5: dC/dw = 4.5 w - 1.5",
  "training": {"batch": 1, "epochs": 10, "seed": 0},
  "nodes": {
    "cost": {"type": "squared_error", "settings": {"half": false}},
    "sum": {"type": "weighted_sum"},
    "train": {"type": "gradient_descent", "settings": {"momentum": 0.0, "rate": 0.1}},
    "w": {"type": "parameter", "settings": \
{"init": "glorot", "shape": null, "trainable": true, "value": [[0.8]]}},
    "x": {"type": "constant", "settings": {"value": [1.5]}},
    "y": {"type": "constant", "settings": {"value": [0.5]}}
  },
  "wires": [
    "cost.cost -> train.cost",
    "sum.z -> cost.a",
    "w.value -> sum.weights",
    "x.value -> sum.a",
    "y.value -> cost.y"
  ],
  "groups": {},
  "layout": {
    "sum": [240, 80]
  }
}
"""


def document() -> dict[str, Any]:
    """Return the one neuron as plain values, to be spoilt."""
    found: dict[str, Any] = json.loads(ONE_NEURON)
    return found


def refusal(data: Any) -> str:
    """Return the sentence that refuses a document."""
    with pytest.raises(FileError) as caught:
        loads(data if isinstance(data, str | bytes) else json.dumps(data), file="game.json")
    return str(caught.value)


def put(*keys_and_value: Any) -> dict[str, Any]:
    """Return the one neuron with one value replaced or added."""
    *keys, value = keys_and_value
    changed = document()
    part = changed
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    return changed


# --- what is read and written -----------------------------------------------------------------


def test_canonical_text_is_read_and_written_byte_for_byte() -> None:
    graph = loads(ONE_NEURON)
    assert dumps(graph) == ONE_NEURON
    assert graph.nodes["w"].settings["value"] == ((0.8,),)
    assert graph.training == Training(1, 10, 0)
    assert graph.layout["sum"] == (240, 80)
    assert Wire("w", "value", "sum", "weights") in graph.wires


def test_the_contracts_example_gets_its_defaults_written() -> None:
    short = document()
    short["nodes"]["w"]["settings"] = {"value": [[0.8]]}
    short["nodes"]["train"]["settings"] = {"rate": 0.1}
    assert dumps(loads(json.dumps(short))) == ONE_NEURON


def test_an_empty_graph() -> None:
    assert dumps(Graph()) == (
        '{\n  "format": "nodeflow",\n  "version": 1,\n  "name": "",\n  "about": "",\n'
        '  "training": {"batch": 1, "epochs": 10, "seed": 0},\n  "nodes": {},\n  "wires": [],\n'
        '  "groups": {},\n  "layout": {}\n}\n'
    )
    assert loads('{"format": "nodeflow", "version": 1}') == Graph()


def test_unknown_keys_and_modes_are_kept() -> None:
    raw = document()
    raw["zeta"] = {"b": [1, 2.5], "a": None}
    raw["author"] = "Zoë"
    raw["training"]["schedule"] = "cosine"
    raw["nodes"]["w"]["mode"] = "freeze"
    raw["nodes"]["w"]["note"] = "hand-set"
    raw["nodes"]["x"]["mode"] = "active"
    raw["groups"] = {"net": {"nodes": ["sum", "w"], "colour": "#aabbcc"}}
    graph = loads(json.dumps(raw))
    written = dumps(graph)
    assert graph.nodes["w"].mode == "freeze"
    assert graph.nodes["w"].extra == {"note": "hand-set"}
    assert graph.groups == raw["groups"]
    assert '"training": {"batch": 1, "epochs": 10, "seed": 0, "schedule": "cosine"}' in written
    assert '"trainable": true, "value": [[0.8]]}, "mode": "freeze", "note": "hand-set"}' in written
    assert '"x": {"type": "constant", "settings": {"value": [1.5]}}' in written
    assert '    "net": {"colour": "#aabbcc", "nodes": ["sum", "w"]}\n' in written
    assert written.endswith('  },\n  "author": "Zoë",\n  "zeta": {"a": null, "b": [1, 2.5]}\n}\n')
    assert dumps(loads(written)) == written


def test_a_node_of_an_unknown_type_is_kept_as_it_is() -> None:
    line = (
        '    "far": {"type": "warp", "settings": {"a": [1, 2.0, "NaN"], "b": {"c": null}}, '
        '"mode": "bypass", "seen": true},\n'
    )
    before = ONE_NEURON.replace('    "sum": {', line + '    "sum": {', 1).replace(
        '    "sum.z -> cost.a",', '    "far.out -> sum.bias",\n    "sum.z -> cost.a",'
    )
    graph = loads(before)
    assert graph.nodes["far"].known is None
    assert graph.into("sum")[1].start == "far.out"
    assert dumps(graph) == before


def test_numbers_keep_their_kind_and_every_digit() -> None:
    values = [1, 1.0, -0.0, 0.1, 1e-320, 1.7976931348623157e308, 2**53 + 1, 1e22]
    graph = loads(json.dumps(put("nodes", "x", "settings", "value", values)))
    kept = graph.nodes["x"].settings["value"]
    assert [repr(number) for number in kept] == [repr(number) for number in values]
    assert repr(kept)[1:-1] in dumps(graph)


def test_nan_and_infinity_are_written_as_texts() -> None:
    graph = Graph(
        nodes={"p": Node("warp", {"v": (float("nan"), float("inf"), -float("inf"))})},
        groups={"g": {"limit": float("inf")}},
    )
    written = dumps(graph)
    assert '"settings": {"v": ["NaN", "Infinity", "-Infinity"]}' in written
    assert '"g": {"limit": "Infinity"}' in written
    assert dumps(loads(written)) == written


def test_wires_into_one_port_are_sorted_by_number() -> None:
    nodes = {"a": Node("add"), "x": Node("constant", {"value": (1.0,)})}
    wires = tuple(Wire("x", "value", "a", "a", index) for index in (10, 2, 0, *range(3, 10), 1))
    written = dumps(Graph(nodes=nodes, wires=wires))
    assert json.loads(written)["wires"] == [f"x.value -> a.a[{index}]" for index in range(11)]


def test_every_script_and_a_byte_order_mark() -> None:
    graph = Graph(nodes={"вес.1": Node("constant"), "重み": Node("constant")}, about="θ\u2028\n😀")
    written = dumps(graph)
    assert "θ" in written
    assert loads(written) == Graph(
        nodes={name: Node("constant", {"value": 0.0}) for name in ("вес.1", "重み")},
        about="θ\u2028\n😀",
    )
    assert loads(b"\xef\xbb\xbf" + written.encode()) == loads(written)
    assert loads(json.dumps(json.loads(written))) == loads(written)  # \ud83d\ude00 is one character


def test_all_types_round_trip() -> None:
    graph = Graph(nodes={f"n_{name}": Node(name) for name in CATALOG})
    again = loads(dumps(graph))
    assert dumps(again) == dumps(graph)
    for name, type_ in CATALOG.items():
        first = {one.name: one.default for one in type_.settings if not one.later}
        assert dict(again.nodes[f"n_{name}"].settings) == first


def test_relative_sources_are_kept() -> None:
    nodes = {"d": Node("dataset", {"source": "../data/wheat.csv", "target": ("kind", 3)})}
    graph = loads(dumps(Graph(nodes=nodes)))
    assert graph.nodes["d"].settings["source"] == "../data/wheat.csv"
    assert graph.nodes["d"].settings["target"] == ("kind", 3)


def test_two_people_who_add_a_node_each_merge_cleanly(tmp_path: Path) -> None:
    base = loads(ONE_NEURON).move(cost=(480, 80), w=(0, 0), x=(0, 80), y=(240, 200))
    mine = base.add("bias", "parameter", value=[0.0]).connect("bias.value", "sum.bias")
    mine = mine.move(bias=(10, 20))
    theirs = base.add("view", "panel").connect("sum.z", "view.value").move(view=(300, 80))
    for name, graph in (("base", base), ("mine", mine), ("theirs", theirs)):
        save(graph, tmp_path / f"{name}.json")
    done = subprocess.run(
        ["git", "merge-file", "-p", "mine.json", "base.json", "theirs.json"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    merged = loads(done.stdout)
    assert {"bias", "view"} <= set(merged.nodes)
    assert len(merged.wires) == len(base.wires) + 2
    assert dumps(merged).encode() == done.stdout


def test_loading_knows_its_folder(tmp_path: Path) -> None:
    save(loads(ONE_NEURON), tmp_path / "n.json")
    graph = load(tmp_path / "n.json")
    assert graph.folder == tmp_path
    assert graph == loads(ONE_NEURON)
    assert (tmp_path / "n.json").read_bytes() == ONE_NEURON.encode()
    assert load(str(tmp_path / "n.json")) == graph


# --- migrations -------------------------------------------------------------------------------

DRAFTS = {
    0: {
        "format": "nodeflow",
        "version": 0,
        "name": "draft",
        "nodes": {
            "sum": {"type": "weighted_sum"},
            "w": {"type": "parameter", "params": {"value": [[0.8]]}, "mode": "freeze"},
        },
        "wires": [{"from": "w.value", "to": "sum.weights"}],
    }
}


def test_a_draft_becomes_version_1() -> None:
    raw = DRAFTS[0]
    before = copy.deepcopy(raw)
    graph = loads(json.dumps(raw))
    assert graph.nodes["w"] == Node("parameter", {"value": ((0.8,),)}, "freeze")
    assert graph.wires == (Wire("w", "value", "sum", "weights"),)
    MIGRATIONS[0](raw)
    assert raw == before


def test_every_migration_has_a_draft_that_it_brings_here() -> None:
    assert sorted(MIGRATIONS) == list(range(VERSION)) == sorted(DRAFTS)
    for version, raw in DRAFTS.items():
        assert raw["version"] == version
        assert MIGRATIONS[version](copy.deepcopy(raw))["version"] == version + 1
        assert f'"version": {VERSION}' in dumps(loads(json.dumps(raw)))


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"nodes": 3}, "$.nodes: expected an object, got 3"),
        ({"nodes": {"w": 3}}, "$.nodes.w: expected an object, got 3"),
        ({"wires": {}}, "$.wires: expected a list, got an object"),
        (
            {"wires": [{"from": 1}]},
            "$.wires[0]: expected a text 'node.output -> node.input', got an object",
        ),
        (
            {"wires": [{"from": 1, "to": 2}]},
            "$.wires[0]: '1 -> 2' is not a wire: write 'node.output -> node.input'",
        ),
    ],
)
def test_faulty_drafts_are_named_not_migrated(raw: dict[str, Any], sentence: str) -> None:
    assert refusal({"format": "nodeflow", "version": 0, **raw}) == f"game.json: {sentence}"


# --- faults of the text -----------------------------------------------------------------------

NUMBER = "a number is too large: numbers have at most 64 bits"
DEEP = "objects and lists may lie at most 64 deep inside each other"
HALF = "a text holds half a character (a lone surrogate)"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        ('{\n  "a" 1}', "this is not JSON at line 2, column 7: a ':' was expected"),
        ('{"a": 1} x', "this is not JSON at line 1, column 10: there is more text after the end"),
        ('{"a": [1 2]}', "this is not JSON at line 1, column 10: a ',' was expected"),
        ('{"a": x}', "this is not JSON at line 1, column 7: a value was expected"),
        ("{a: 1}", "this is not JSON at line 1, column 2: a key in double quotes was expected"),
        (
            '{"a": "\n"}',
            "this is not JSON at line 1, column 8: a line break or control character inside a text",
        ),
        (
            '{"a": "\\x"}',
            "this is not JSON at line 1, column 8: a '\\' that escapes nothing",
        ),
        (
            '{"a": [1,\n',
            "the text breaks off (last read at line 2, column 1): "
            "the file was not written to its end",
        ),
        (
            '{"a": "tex',
            "the text breaks off (last read at line 1, column 7): "
            "the file was not written to its end",
        ),
        ("[" * 100_000, DEEP),
        ('{"a":' * 100_000, DEEP),
        ("[" * 100 + "]" * 100, DEEP),
        ('{"a": ' * 100 + "1" + "}" * 100, DEEP),
        ("[1]", "a graph file holds one JSON object {…}, got a list"),
        ("null", "a graph file holds one JSON object {…}, got null"),
        ('{"a": 1, "a": 2}', 'the key "a" is there twice: remove one'),
        ('{"a": [{"b": 1, "b": 2}]}', '$.a[0]: the key "b" is there twice: remove one'),
        ('{"a": {"c": {"x": 1, "x": 1}}, "a": 2}', 'the key "a" is there twice: remove one'),
        ('{"a": [0, 1e999]}', f"$.a[1]: {NUMBER}"),
        ('{"a": 18446744073709551616}', f"$.a: {NUMBER}"),
        ('{"a": -9223372036854775809}', f"$.a: {NUMBER}"),
        ('{"a": ' + "9" * 5000 + "}", NUMBER),
        ('{"a": NaN}', '$.a: NaN is not a JSON number: it is written as the text "NaN"'),
        (
            '{"a": -Infinity}',
            '$.a: -Infinity is not a JSON number: it is written as the text "-Infinity"',
        ),
        ('{"a": "\\ud83d"}', f"$.a: {HALF}"),
        ('{"a": {"\\ude00": 1}}', f"$.a: {HALF}"),
        ('{"a": "\ud83d"}', f"$.a: {HALF}"),
        (
            '{"a": "é"}'.encode("latin-1"),
            "a graph file is UTF-8 text, and byte 7 (0xe9) is not: save it as UTF-8",
        ),
        (
            ONE_NEURON.encode("utf-16"),
            "a graph file is UTF-8 text, and byte 0 (0xff) is not: save it as UTF-8",
        ),
    ],
)
def test_faults_of_the_text(data: str | bytes, sentence: str) -> None:
    assert refusal(data) == f"game.json: {sentence}"


def test_a_doubled_node_is_named_with_its_place() -> None:
    doubled = ONE_NEURON.replace('    "y": {', '    "x": {', 1)
    assert refusal(doubled) == 'game.json: $.nodes: the key "x" is there twice: remove one'


def test_64_levels_are_read() -> None:
    raw = document()
    raw["deep"] = json.loads("[" * 63 + "]" * 63)
    written = dumps(loads(json.dumps(raw)))
    assert loads(written).extra["deep"] == raw["deep"]
    raw["deep"] = json.loads("[" * 64 + "]" * 64)
    assert refusal(raw) == f"game.json: {DEEP}"


def test_every_truncation_is_refused_as_a_file_error() -> None:
    for end in range(len(ONE_NEURON) - 2):
        with pytest.raises(FileError):
            loads(ONE_NEURON[:end])


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_BYTES", 2 * 2**20)
    sentence = "the file has 3 MB and a graph file at most 2: keep large arrays in a .npz beside it"
    assert refusal(" " * 3 * 2**20) == f"game.json: {sentence}"
    monkeypatch.setattr("nodeflow.files.reader.MAX_BYTES", 2 * 2**20)
    path = tmp_path / "large.json"
    path.write_bytes(b" " * 3 * 2**20)
    with pytest.raises(FileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {sentence}"


# --- faults of the form -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, 'this is not a nodeflow graph: it has no "format": "nodeflow"'),
        ({"format": "comfy"}, '$.format: expected "nodeflow", got a text ("comfy")'),
        ({"format": "nodeflow"}, '$: "version" is missing; the present one is 1'),
        (
            put("version", 7),
            "was written by a newer nodeflow (format version 7, this one reads up to 2): "
            "update nodeflow",
        ),
        (put("version", "1"), '$.version: expected a whole number from 0, got a text ("1")'),
        (put("version", True), "$.version: expected a whole number from 0, got true"),
        (put("version", 1.5), "$.version: expected a whole number from 0, got 1.5"),
        (put("version", -1), "$.version: expected a whole number from 0, got -1"),
        (put("name", 3), "$.name: expected a text, got 3"),
        (put("about", None), "$.about: expected a text, got null"),
        (put("training", []), "$.training: expected an object, got a list"),
        (
            put("training", "batch", "some"),
            '$.training.batch: expected a whole number from 1, or "all", got a text ("some")',
        ),
        (
            put("training", "batch", True),
            '$.training.batch: expected a whole number from 1, or "all", got true',
        ),
        (
            put("training", "batch", 0),
            '$.training.batch: expected a whole number from 1, or "all", got 0',
        ),
        (
            put("training", "epochs", 1.5),
            "$.training.epochs: expected a whole number from 0, got 1.5",
        ),
        (put("training", "seed", -1), "$.training.seed: expected a whole number from 0, got -1"),
        (put("nodes", []), "$.nodes: expected an object, got a list"),
        (put("nodes", "w", 3), "$.nodes.w: expected an object, got 3"),
        (put("nodes", "w", {}), '$.nodes.w: "type" is missing, the name of a node type'),
        (put("nodes", "w", "type", 3), "$.nodes.w.type: expected the name of a node type, got 3"),
        (
            put("nodes", "w", "type", ""),
            '$.nodes.w.type: expected the name of a node type, got a text ("")',
        ),
        (
            put("nodes", "w", "settings", []),
            "$.nodes.w.settings: expected an object, got a list",
        ),
        (
            put("nodes", "w", "mode", "bypas"),
            '$.nodes.w.mode: expected active, bypass, disable or freeze, got a text ("bypas")',
        ),
        (put("wires", 4), "$.wires: expected a list, got 4"),
        (
            put("wires", ["x.value -> sum.a", 4]),
            "$.wires[1]: expected a text 'node.output -> node.input', got 4",
        ),
        (put("groups", 3), "$.groups: expected an object, got 3"),
        (put("layout", []), "$.layout: expected an object, got a list"),
        (put("layout", "sum", [1]), "$.layout.sum: expected two whole numbers [x, y], got a list"),
        (
            put("layout", "sum", [1, 2.5]),
            "$.layout.sum: expected two whole numbers [x, y], got a list",
        ),
    ],
)
def test_faults_of_the_form(raw: dict[str, Any], sentence: str) -> None:
    assert refusal(raw) == f"game.json: {sentence}"


# --- faults of the graph ----------------------------------------------------------------------

ID = (
    "cannot be a node's id: a letter first, then letters, digits, '_', '-' and '.', "
    "no dot at the end"
)
ARRAY = "must be a number, a list of numbers, or a list of rows of equal length"
FINITE = "must be finite numbers (it holds NaN or Infinity)"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (put("nodes", "2w", {"type": "constant"}), f"$.nodes.2w: '2w' {ID}"),
        (put("nodes", "w.", {"type": "constant"}), f"$.nodes.w.: 'w.' {ID}"),
        (put("nodes", "a b", {"type": "constant"}), f"$.nodes[\"a b\"]: 'a b' {ID}"),
        (put("nodes", "", {"type": "constant"}), f"$.nodes[\"\"]: '' {ID}"),
        (
            put("nodes", "w", "settings", "vale", 1),
            "$.nodes.w.settings.vale: node 'w' (parameter) has no setting 'vale'; "
            "did you mean 'value'?",
        ),
        (
            put("nodes", "sum", "settings", {"rate": 1}),
            "$.nodes.sum.settings.rate: node 'sum' (weighted_sum) has no setting 'rate'; "
            "it has none",
        ),
        (
            put("nodes", "train", "settings", "rate", -1),
            "$.nodes.train.settings.rate: train.rate must be a number from 0, not -1",
        ),
        (
            put("nodes", "train", "settings", "rate", True),
            "$.nodes.train.settings.rate: train.rate must be a finite number from 0, not true",
        ),
        (
            put("nodes", "train", "settings", "rate", "NaN"),
            '$.nodes.train.settings.rate: train.rate must be a finite number from 0, not "NaN"',
        ),
        (
            put("nodes", "w", "settings", "trainable", 1),
            "$.nodes.w.settings.trainable: w.trainable must be true or false, not 1",
        ),
        (
            put("nodes", "w", "settings", "value", ["a"]),
            f'$.nodes.w.settings.value[0]: w.value {ARRAY}, not ["a"]',
        ),
        (
            put("nodes", "w", "settings", "value", [[1, True]]),
            f"$.nodes.w.settings.value[0][1]: w.value {ARRAY}, not [[1, true]]",
        ),
        (
            put("nodes", "w", "settings", "value", [[0.5, "NaN"]]),
            f'$.nodes.w.settings.value[0][1]: w.value {FINITE}, not [[0.5, "NaN"]]',
        ),
        (
            put("nodes", "w", "settings", "value", ["-Infinity"]),
            f'$.nodes.w.settings.value[0]: w.value {FINITE}, not ["-Infinity"]',
        ),
        (
            put("nodes", "w", "settings", "value", [[1], [1, 2]]),
            f"$.nodes.w.settings.value: w.value {ARRAY}, not [[1], [1, 2]]",
        ),
        (
            put("nodes", "d", {"type": "dataset", "settings": {"source": "/data/x.csv"}}),
            "$.nodes.d.settings.source: d.source is the absolute path '/data/x.csv': "
            "write it relative to the graph file",
        ),
        (
            put("nodes", "d", {"type": "dataset", "settings": {"source": "D:\\x.csv"}}),
            "$.nodes.d.settings.source: d.source is the absolute path 'D:\\\\x.csv': "
            "write it relative to the graph file",
        ),
    ],
)
def test_faults_of_nodes(raw: dict[str, Any], sentence: str) -> None:
    assert refusal(raw) == f"game.json: {sentence}"


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (
            "w.value sum.a",
            "$.wires[5]: 'w.value sum.a' is not a wire: write 'node.output -> node.input'",
        ),
        (
            "v.value -> sum.bias",
            "$.wires[5]: 'v.value': there is no node 'v'; there is cost, sum, train, w, x, y",
        ),
        (
            "w.value -> summ.bias",
            "$.wires[5]: 'summ.bias': there is no node 'summ'; did you mean 'sum'?",
        ),
        (
            "w.valu -> sum.bias",
            "$.wires[5]: node 'w' (parameter) has no output 'valu'; it has value",
        ),
        (
            "w.value -> sum.weight",
            "$.wires[5]: node 'sum' (weighted_sum) has no input 'weight'; "
            "it has a…, weights, bias?",
        ),
        (
            "w.value -> w.init",
            "$.wires[5]: 'w.init' is a setting of the node, not a port: a wire cannot enter it",
        ),
        (
            "x.value -> cost.y",
            "$.wires[5]: 'cost.y' takes one wire and has one from y.value; "
            "remove it before connecting x.value",
        ),
        (
            "x.value -> sum.bias[0]",
            "$.wires[5]: 'sum.bias' takes one wire, so it has no [0]",
        ),
        (
            "y.value -> sum.a[1]",
            "$.wires[3]: the 2 wires into 'sum.a' must be numbered [0] to [1]",
        ),
        (
            "x.value -> sum.a[" + "9" * 5000 + "]",
            "$.wires[5]: a port's number is too long",
        ),
    ],
)
def test_faults_of_wires(extra: str, sentence: str) -> None:
    raw = document()
    raw["wires"].append(extra)
    assert refusal(raw) == f"game.json: {sentence}"


def test_the_same_wire_twice() -> None:
    raw = document()
    raw["wires"].append(raw["wires"][4])
    with pytest.raises(FileError) as caught:
        loads(json.dumps(raw), file="game.json")
    assert caught.value.path == "$.wires[5]"
    assert isinstance(caught.value.__cause__, PortTaken)


@pytest.mark.parametrize(
    ("numbers", "wrong"), [("[0] [0]", 1), ("[0] [2]", 1), ("[1] [0] [3]", 2), ("[1]", 0)]
)
def test_the_wire_with_the_wrong_number_is_named(numbers: str, wrong: int) -> None:
    raw = document()
    raw["wires"] = [f"x.value -> sum.a{number}" for number in numbers.split()]
    with pytest.raises(FileError) as caught:
        loads(json.dumps(raw))
    assert caught.value.path == f"$.wires[{wrong}]"


def test_a_loop_names_the_wire_that_closes_it() -> None:
    raw = document()
    raw["nodes"]["s"] = {"type": "sigmoid"}
    raw["wires"] = ["s.a -> sum.a", "w.value -> sum.weights", "sum.z -> s.z", "s.a -> cost.a"]
    with pytest.raises(FileError) as caught:
        loads(json.dumps(raw), file="game.json")
    assert str(caught.value) == "game.json: $.wires[2]: these wires close a loop: s → sum → s"
    assert isinstance(caught.value.__cause__, Loop)
    raw["wires"] = ["s.a -> s.z"]
    assert refusal(raw) == "game.json: $.wires[0]: these wires close a loop: s → s"


def test_a_node_that_waits_for_its_wires_is_still_a_graph() -> None:
    raw = document()
    raw["wires"] = []
    assert loads(json.dumps(raw)).wires == ()


# --- faults of the disk -----------------------------------------------------------------------


def test_a_missing_file_and_a_near_one(tmp_path: Path) -> None:
    (tmp_path / "wheat.json").write_text(ONE_NEURON)
    with pytest.raises(FileError) as caught:
        load(tmp_path / "wheet.json")
    assert str(caught.value) == (
        f"{tmp_path / 'wheet.json'}: there is no such file; did you mean 'wheat.json'?"
    )
    with pytest.raises(FileError, match=r"there is no such file$"):
        load(tmp_path / "nowhere" / "x.json")


def test_a_folder_and_a_name_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path}: this is a folder, not a file"
    with pytest.raises(FileError, match="NUL"):
        load("a\0b.json")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "n.json"
    path.write_text(ONE_NEURON)

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: there is no permission to read it"


@pytest.mark.skipif(sys.platform == "win32", reason="no FIFO there")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "p.json")
    with pytest.raises(FileError, match="this is a device or a pipe, not a file"):
        load(tmp_path / "p.json")


# --- faults of writing ------------------------------------------------------------------------


def test_what_has_no_place_in_a_file() -> None:
    cases = [
        (
            Graph(groups={"g": {1, 2}}),
            "$.groups.g: cannot be saved: a set has no place in JSON",
        ),
        (
            Graph(training=Training(seed=2**64)),
            f"$.training.seed: cannot be saved: {NUMBER}",
        ),
        (
            Graph(nodes={"d": Node("dataset", {"source": "/x.csv"})}),
            "$.nodes.d.settings.source: d.source is the absolute path '/x.csv': "
            "write it relative to the graph file",
        ),
        (
            Graph(nodes={"w": Node("parameter", {"value": Array([0.5] * 2000)})}),
            "$.nodes.w.settings.value: w.value holds 2000 numbers, and a text at most 1024 of "
            "them: save the graph to a file",
        ),
    ]
    for graph, sentence in cases:
        with pytest.raises(FileError) as caught:
            dumps(graph)
        assert str(caught.value) == sentence


def test_refused_saves_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    for graph, sentence in [
        (Graph(name="\ud83d"), HALF),
        (Graph(groups={"g": {1}}), "$.groups.g: cannot be saved: a set has no place in JSON"),
    ]:
        with pytest.raises(FileError) as caught:
            save(graph, path)
        assert str(caught.value) == f"{path}: {sentence}"
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(FileError, match="at most 64 deep"):
        save(Graph(extra={"deep": nested}), path)
    with pytest.raises(FileError, match=r"ends in \.json, not \.npz"):
        save(Graph(), tmp_path / "n.npz")
    with pytest.raises(FileError) as caught:
        save(Graph(), tmp_path / "no" / "n.json")
    assert str(caught.value) == (
        f"{tmp_path / 'no' / 'n.json'}: cannot be saved: there is no folder '{tmp_path / 'no'}'"
    )
    with pytest.raises(FileError, match="cannot be saved: this is a folder"):
        save(Graph(), tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- the schema -------------------------------------------------------------------------------


def test_the_published_schema_is_the_one_that_is_read_by() -> None:
    published = Path(text.__file__).parent / "graph-1.schema.json"
    assert published.read_text("utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(schema())


def _mutants() -> list[dict[str, Any]]:
    values: tuple[Any, ...] = (
        None,
        True,
        3,
        -3,
        2.5,
        "text",
        [],
        {},
        [1, 2],
        [1, 2, 3],
        ["a", "b"],
        {"x": 1},
    )
    places: list[tuple[Any, ...]] = [
        ("format",), ("version",), ("name",), ("about",), ("training",), ("nodes",), ("wires",),
        ("groups",), ("layout",), ("training", "batch"), ("training", "epochs"),
        ("training", "seed"), ("training", "more"), ("nodes", "sum"), ("nodes", "w", "type"),
        ("nodes", "sum", "settings"), ("nodes", "w", "mode"), ("nodes", "w", "note"),
        ("wires", 0), ("groups", "g"), ("layout", "sum"), ("more",),
    ]  # fmt: skip
    found = [put(*place, value) for place in places for value in values]
    for place in places:
        changed = document()
        part: Any = changed
        for key in place[:-1]:
            part = part[key]
        if place[-1] in part or isinstance(place[-1], int):
            del part[place[-1]]
            found.append(changed)
    return found


def test_schema_and_reader_agree() -> None:
    """What the schema refuses, the reader refuses; what it accepts fails only as a graph."""
    validator = jsonschema.Draft202012Validator(schema())
    for raw in [document(), *_mutants()]:
        try:
            loads(json.dumps(raw))
            formed = True
        except FileError as error:
            # A wire's or a setting's own sentence comes from the graph, after the form.
            formed = error.__cause__ is not None
        assert validator.is_valid(raw) == formed, raw


# --- weight -----------------------------------------------------------------------------------


def test_the_import_is_light() -> None:
    code = (
        "import sys, nodeflow.files; "
        "print([m for m in ('numba', 'networkx', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_ten_thousand_nodes_load_quickly() -> None:
    nodes: dict[str, Node] = {}
    wires: list[Wire] = []
    for i in range(2500):
        nodes[f"w{i}"] = Node("parameter", {"value": ((0.1, 0.2),)})
        nodes[f"x{i}"] = Node("constant", {"value": (1.0, 2.0)})
        nodes[f"s{i}"] = Node("weighted_sum")
        nodes[f"a{i}"] = Node("add")
        wires += [Wire(f"w{i}", "value", f"s{i}", "weights"), Wire(f"x{i}", "value", f"s{i}", "a")]
        wires += [Wire(f"s{i}", "z", f"a{i}", "a", j) for j in range(6)]
    written = dumps(Graph(nodes=nodes, wires=tuple(wires)))
    loads(written)
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        graph = loads(written)
        best = min(best, time.process_time() - start)
    assert (len(graph.nodes), len(graph.wires)) == (10_000, 20_000)
    assert best < 2.0  # 0.3 s on two slow cores; loose, since a busy machine is no fault


def test_a_line_break_in_a_name_breaks_no_sentence():
    text = '{"format": "nodeflow", "version": 1, "nodes": {"w": {"type": "parameter", '
    text += '"settings": {"\\n": 1}}}, "wires": []}'
    with pytest.raises(FileError) as caught:
        loads(text, file="spoilt.json")
    assert "\n" not in str(caught.value)
    assert "has no setting" in str(caught.value)
