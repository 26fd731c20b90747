"""What runs of equal graphs share, and when it has to be made anew."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest

import nodeflow as nf
from nodeflow import files
from nodeflow.declare import CATALOG
from nodeflow.engine import prepared
from nodeflow.errors import DataError
from nodeflow.graph import Graph


def network(source: str = "xor", rate: float = 0.3) -> Graph:
    x, y = nf.dataset(source, id="data")
    hidden = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(3, 2), init="uniform", id="w1")))
    out = nf.sigmoid(nf.weighted_sum(hidden, nf.parameter(shape=(1, 3), init="uniform", id="w2")))
    return Graph.of(nf.gradient_descent(nf.squared_error(out, y), rate=rate), batch=1)


def test_equal_graphs_share_plan_and_tapes_but_no_numbers():
    text = files.dumps(network())
    one, other = nf.Run(files.loads(text)), nf.Run(files.loads(text))
    assert one.plan is other.plan
    assert one.machine.tape is other.machine.tape
    one.train(3)
    assert other.epoch == 0
    other.train(3)
    assert all(np.array_equal(value, other.weights[key]) for key, value in one.weights.items())
    again = nf.Run(files.loads(text), seed=5, batch=2, dtype=np.float32)
    assert again.plan is one.plan
    assert again.machine.tape is not one.machine.tape
    assert not np.array_equal(again.weights["w1.value"], nf.Run(network()).weights["w1.value"])


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.set("gradient_descent", rate=0.2),
        lambda graph: graph.with_mode("w1", "freeze"),
        lambda graph: replace(graph, training=replace(graph.training, rate=0.1)),
        lambda graph: graph.rename("w1", "w0"),
    ],
)
def test_another_graph_is_prepared_for_itself(change):
    graph = network()
    first = nf.Run(graph)
    assert nf.Run(change(graph)).plan is not first.plan


def test_a_file_of_data_that_changed_is_read_again(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,b,target\n" + "0,1,0.25\n1,0,0.75\n" * 4, encoding="utf-8")
    graph = replace(network("few.csv"), folder=tmp_path)
    first = nf.Run(graph)
    path.write_text("a,b,target\n" + "0,1,0.25\n1,0,0.75\n" * 9, encoding="utf-8")
    second = nf.Run(graph)
    assert (first.machine.rows, second.machine.rows) == (8, 18)
    path.unlink()
    with pytest.raises(DataError, match=r"few\.csv"):
        nf.Run(graph)


def test_a_folder_of_the_same_content_has_its_own_data(tmp_path):
    graph = network("few.csv")
    rows = []
    for name, count in (("one", 3), ("other", 5)):
        (tmp_path / name).mkdir()
        text = "a,b,target\n" + "0,1,0.25\n1,0,0.75\n" * count
        (tmp_path / name / "few.csv").write_text(text, encoding="utf-8")
        rows.append(nf.Run(replace(graph, folder=tmp_path / name)).machine.rows)
    assert rows == [6, 10]


def test_a_changed_rule_is_asked(monkeypatch):
    graph = network()
    before = nf.Run(graph)
    rule = CATALOG["squared_error"].rule

    def doubled(blame, a, y, cost, *, half):
        return rule(2.0 * blame, a, y, cost, half=half)

    monkeypatch.setattr(CATALOG["squared_error"], "rule", doubled)
    after = nf.Run(graph)
    before.evaluate()
    after.evaluate()
    assert np.allclose(after.gradient("w1.value"), 2 * before.gradient("w1.value"))


def test_little_is_kept():
    for rate in range(1, 3 * prepared._KEPT):
        nf.Run(network(rate=rate / 100))
    assert len(prepared._known) == prepared._KEPT
    prepared.forget()
    long = nf.constant(0.1)
    for _ in range(prepared._MOST_NODES):
        long = nf.tanh(long)
    nf.Run(Graph.of(long))
    assert not prepared._known


def test_runs_go_when_nobody_holds_them():
    run = nf.Run(network())
    gone = weakref.ref(run.machine)
    assert gone() is not None
    del run
    assert gone() is None
