"""Training that ends when a condition holds: the run is the one that was trained to there alone."""

from __future__ import annotations

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.playback.conditions import parse
from nodeflow.playback.until import train_until


@pytest.mark.parametrize("condition", ["cost < 0.2", "w_1.value > 1e9 or cost < 0.2"])
@pytest.mark.parametrize("name", ["xor", "iris"])
def test_what_was_trained_in_vain_is_no_part_of_the_run(name: str, condition: str) -> None:
    graph = nf.sample(name)
    weight = graph.parameters[0]
    run, alone = nf.Run(graph), nf.Run(graph)
    held = train_until(run, parse(condition.replace("w_1", weight), graph), 300)
    assert held is not None
    alone.train(epochs=held)
    assert run.epoch == held == len(run.history)
    for both in (run, alone):
        both.train(epochs=2)
    assert run.history == alone.history
    assert all(np.array_equal(run.weights[at], alone.weights[at]) for at in alone.weights)
    run.goto(epoch=1)
    alone.goto(epoch=1)
    assert run.position == alone.position
    assert all(np.array_equal(run.weights[at], alone.weights[at]) for at in alone.weights)


def test_a_run_ends_where_it_is_told_to() -> None:
    run = nf.Run(nf.sample("xor"))
    run.train(epochs=9)
    run.goto(epoch=4)
    run.end_here()
    assert [line["epoch"] for line in run.history] == [1, 2, 3, 4]
    assert run.epochs_known == 4
    run.goto(epoch=0)
    run.end_here()
    assert run.history == []
