"""Constants of the engine that choose a loop, a layout or an executor never change a bit."""

from __future__ import annotations

from typing import Any

import pytest

import nodeflow as nf
from nodeflow.engine import (
    cells,
    coalescing,
    executor,
    fusing,
    prepared,
    tape,
    training,
)

CHOICES: dict[str, list[tuple[Any, str, Any]]] = {
    "few samples are one": [(tape, "FEW_SAMPLES", 1), (fusing, "FEW_SAMPLES", 1)],
    "few samples are many": [(tape, "FEW_SAMPLES", 5000), (fusing, "FEW_SAMPLES", 5000)],
    "layouts disagree": [(tape, "FEW_SAMPLES", 1), (fusing, "FEW_SAMPLES", 5000)],
    "values begin at lines": [(cells, "_MANY", 2)],
    "values begin anywhere": [(cells, "_MANY", 10**9)],
    "short runs of neurons": [(coalescing, "_MOST", 2)],
    "no straight-line code": [(executor, "_MOST_STRAIGHT_ROWS", 0)],
    "no Python": [(executor, "_PATIENCE", -1), (executor, "_MOST_SHUFFLED", 0)],
    "short chunks": [(training, "_CHUNK_SECONDS", 1e-5)],
}


def _trained(graph: nf.Graph, batch: int | str) -> tuple[Any, ...]:
    prepared.forget()
    run = nf.Run(graph, batch=batch)
    run.train(3)
    weights = {address: value.tobytes() for address, value in run.weights.items()}
    return weights, run.history


@pytest.fixture(scope="module")
def graphs() -> dict[str, nf.Graph]:
    layers = nf.load("graphs/iris.json")
    neurons = nf.explode(layers)
    operations = neurons
    for key in neurons.of_type("weighted_sum"):
        operations = nf.explode(operations, key)
    return {"layers": layers, "neurons": neurons, "operations": operations}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("level", ["layers", "neurons", "operations"])
def test_a_constant_that_chooses_changes_no_bit(
    level: str, choice: str, graphs: dict[str, nf.Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {batch: _trained(graphs[level], batch) for batch in (1, 4, "all")}
    for module, name, value in CHOICES[choice]:
        monkeypatch.setattr(module, name, value)
    for batch, found in wanted.items():
        assert _trained(graphs[level], batch) == found, batch
    prepared.forget()
