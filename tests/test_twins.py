"""Twins against the weights of the real programs, as `tests/twins_programs/` measured them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import nodeflow as nf
from nodeflow.cli import app
from nodeflow.errors import GraphError, NodeflowError
from nodeflow.twins import RULES, compare, twin

HERE = Path(__file__).parent
FOLDER = HERE.parent / "graphs" / "twins"
MEASURED: dict[str, Any] = json.loads((HERE / "twins.json").read_text(encoding="utf-8"))
TEXTBOOK = {  # worked out by hand in NumPy, row by row
    1: {"w1": 0.149780716133, "w3": 0.249751143632, "w5": 0.358916479718, "w8": 0.561370121108},
    3: {"w1": 0.142416738544, "w3": 0.241851297267, "w5": 0.345382978290, "w8": 0.516740250930},
}


def after(graph: nf.Graph, updates: int) -> dict[str, Any]:
    """Return a graph's weights after so many updates."""
    run = nf.Run(graph)
    for _ in range(updates):
        run.advance("update")
    return dict(run.weights)


SAME = {"another-neural-net": "neuralnetlib-bce"}
"""Programs without a graph of their own: their rule is another one's."""


def test_every_twin_was_measured() -> None:
    assert set(MEASURED) - set(SAME) == set(RULES)


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_twin_has_the_weights_of_its_program(name: str) -> None:
    rule = SAME.get(name, name)
    run, at = nf.Run(nf.load(FOLDER / f"{rule}.json")), 0
    for updates, weights in sorted(MEASURED[name]["weights"].items(), key=lambda one: int(one[0])):
        while at < int(updates):
            run.advance("update")
            at += 1
        for address, value in weights.items():
            off = np.abs(run.weights[address] - np.array(value)).max()
            assert off <= RULES[rule].within, (name, updates, address)


@pytest.mark.parametrize("name", ["torch-sgd", "fann-plain", "neurolab-adapt", "pybrain"])
def test_programs_by_the_book(name: str) -> None:
    graph = twin(nf.load(FOLDER / "torch-sgd.json"), name)
    for updates, wanted in TEXTBOOK.items():
        weights = after(graph, updates)
        one, two = weights["theta1.value"].ravel(), weights["theta2.value"].ravel()
        found = {"w1": one[0], "w3": one[2], "w5": two[0], "w8": two[3]}
        for key, value in wanted.items():
            assert found[key] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", ["torch-adam", "fann-quickprop", "opencv-backprop", "mlxtend"])
def test_the_files_are_what_the_rules_give(name: str, tmp_path: Path) -> None:
    from gallery.twins import build

    nf.save(build(name), tmp_path / "made.json")
    made = (tmp_path / "made.json").read_bytes()
    assert made == (FOLDER / f"{name}.json").read_bytes()


def test_every_rule_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(RULES)


def test_a_bypassed_deviation_is_the_textbook_again() -> None:
    graph = nf.load(FOLDER / "fann-plain.json").set("train.rate", value=0.5)
    plain = after(graph.with_mode("hidden.clipped", "bypass"), 3)
    assert plain["theta1.value"][0, 0] == pytest.approx(TEXTBOOK[3]["w1"], abs=1e-12)


@pytest.mark.parametrize(("name", "level"), [("synaptic", "update"), ("brain-js", "epoch")])
def test_the_command_tells_whose_rule_it_was(name: str, level: str, tmp_path: Path) -> None:
    graph = nf.load(FOLDER / "torch-sgd.json")
    changed = twin(graph, name)
    run = nf.Run(changed)
    run.advance(level)
    file = tmp_path / "after.json"
    file.write_text(json.dumps({key: np.asarray(v).tolist() for key, v in run.weights.items()}))
    done = CliRunner().invoke(
        app, ["twins", str(FOLDER / "torch-sgd.json"), "--weights", str(file), "--json"]
    )
    found = json.loads(done.stdout)
    assert set(found[0]) == {"program", "difference"}
    best = {one["program"] for one in found if one["difference"] < 1e-15}
    assert name in best
    assert [one["difference"] for one in found] == sorted(one["difference"] for one in found)


def test_weights_that_no_rule_leads_to_are_told(tmp_path: Path) -> None:
    """A list of nearest programs alone would name one that it was not."""
    file = FOLDER / "torch-sgd.json"
    weights = MEASURED["torch-sgd"]["weights"]["1"]
    for moved, said in ((0.0, False), (0.01, True)):
        after = {key: (np.array(value) + moved).tolist() for key, value in weights.items()}
        (tmp_path / "after.json").write_text(json.dumps(after))
        done = CliRunner().invoke(
            app, ["twins", str(file), "--weights", str(tmp_path / "after.json")]
        )
        assert done.exit_code == 0
        assert ("no rule leads there" in done.stderr) == said


@pytest.mark.parametrize("unfolded", [False, True])
def test_a_rate_that_was_edited_is_the_rate(unfolded: bool) -> None:
    """In a twin's file, and in an unfolded graph, it is a constant that a person changes."""
    graph = nf.load(
        HERE.parent / "graphs" / "circle.json" if unfolded else FOLDER / "torch-sgd.json"
    )
    graph = nf.unfold(graph) if unfolded else graph
    rate = next(key for key in graph.nodes if key.endswith(".rate"))
    graph = graph.set(rate, value=0.01)
    if not unfolded:  # the program itself was run at 0.01
        real = {
            key: np.array(value) for key, value in MEASURED["torch-adam"]["weights"]["1"].items()
        }
        best = compare(graph, real)[0]
        assert best.program in ("torch-adam", "optax-adam")
        assert best.difference < 1e-12
    step = nf.Run(twin(graph, "pybrain"))
    before = step.weights["theta1.value"]
    step.advance("update")
    other = nf.Run(twin(graph.set(rate, value=0.02), "pybrain"))
    other.advance("update")
    moved = step.weights["theta1.value"] - before
    assert other.weights["theta1.value"] - before == pytest.approx(2 * moved, abs=1e-15)


def test_it_works_on_a_network_of_ones_own() -> None:
    graph = nf.load(HERE.parent / "graphs" / "circle.json")
    run = nf.Run(twin(graph, "synaptic"))
    run.advance("update")
    best = compare(graph, run.weights)[0]
    assert (best.program, best.difference) == ("synaptic", 0.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no weights"),
        ('{"theta1.value": [[1, 2], [3]]}', "no table of numbers"),
        ('{"theta1.value": [[1, 2, 3]]}', "is 1×3 in the weights, 2×2 in the graph"),
        ('{"other.value": [[1]]}', "lack 'theta1.value'"),
    ],
)
def test_bad_weights_are_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "after.json"
    file.write_text(text)
    from nodeflow.twins import read_weights

    with pytest.raises(NodeflowError, match=says):
        compare(nf.load(FOLDER / "torch-sgd.json"), read_weights(str(file)))


def test_a_graph_that_is_no_row_of_layers_is_refused() -> None:
    graph = nf.load(HERE.parent / "graphs" / "mazur-neurons-unfolded.json")
    with pytest.raises(GraphError, match=r"layers in a row|one cost"):
        twin(graph, "torch-sgd")


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(GraphError, match="there is no twin 'torch-sdg'"):
        twin(nf.load(FOLDER / "torch-sgd.json"), "torch-sdg")
