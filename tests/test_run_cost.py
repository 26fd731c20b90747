"""The cost of the batch in view, where its samples pass one after the other."""

import json
from pathlib import Path

import numpy as np
import pytest
from networks import hand

import nodeflow as nf
from nodeflow.cli import main

FOLDER = Path(__file__).parent.parent / "graphs"


def both(**options):
    """Return runs of the same network, a loop over samples and whole batches."""
    made = (hand("blobs", (2, 4, 3), rate=0.3, loop=loop, **options) for loop in (True, False))
    return [nf.Run(graph) for graph in made]


WAYS = {
    "evaluated": lambda run: run.evaluate(),
    "evaluated later": lambda run: (run.train(updates=4), run.evaluate()),
    "stepped": lambda run: [run.advance("update") for _ in range(3)],
    "trained for an epoch": lambda run: run.train(1),
    "trained into an epoch": lambda run: run.train(updates=3),
    "gone to": lambda run: (run.train(2), run.goto(update=5)),
    "gone on": lambda run: run.goto(update=5),
    "evaluated, then trained": lambda run: (run.evaluate(), run.train(updates=2)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("batch", [8, "all"])
def test_a_loop_has_the_cost_of_the_whole_batch(way, batch) -> None:
    loop, whole = both(batch=batch)
    for run in (loop, whole):
        way(run)
    assert loop.cost == pytest.approx(whole.cost, rel=1e-12)


def test_stepping_and_training_leave_the_same_cost() -> None:
    (stepped, _), (trained, _) = both(batch=8), both(batch=8)
    trained.train(updates=5)
    while stepped.update < 5:
        stepped.step()
    assert stepped.cost == trained.cost
    trained.train(2)
    trained.goto(update=5)
    assert stepped.cost == trained.cost


def test_within_a_batch_the_cost_is_that_of_the_samples_so_far() -> None:
    run, _ = both(batch=4)
    run.advance("update")
    ended, costs = run.cost, []
    address = run.plan.unfolding.cost
    while run.update == 1:
        before = run.cost
        expected = np.mean(costs) if costs else ended
        assert before == pytest.approx(expected, rel=1e-12)
        sample = run.sample
        step = run.step()
        if f"{step.node}.{next(iter(step.outputs), '')}" == address:
            cost = float(np.mean(next(iter(step.outputs.values()))))
        if run.update == 1 and (run.sample != sample or run.node == run.order[run.plan.head]):
            costs += [cost] if len(costs) < 4 else []
    assert len(costs) == 4


def test_back_at_the_start_there_is_no_cost_yet() -> None:
    run, _ = both(batch=4)
    run.train(1)
    run.goto(epoch=0)
    with pytest.raises(nf.NodeflowError, match="has no value yet"):
        _ = run.cost


def test_the_command_prints_j(capsys) -> None:
    """The loop of the slides has the J of the same network over whole batches."""
    found = []
    for name in ("four-layers", "four-layers-vectorised"):
        assert main(["run", str(FOLDER / f"{name}.json"), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["cost"])
        assert nf.Run(nf.load(FOLDER / f"{name}.json")).evaluate() == pytest.approx(found[-1])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
