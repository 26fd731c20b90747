"""Runs that train abreast, in one call of machine code, have the numbers of runs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.engine.executor import executed_by
from nodeflow.errors import DataError
from nodeflow.networks import network
from nodeflow.playback.until import condition_of_epochs, first_that_holds
from nodeflow.sweeps.axes import Axis
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.running import Worker

ROOT = Path(__file__).parents[1]
SEEDS = range(3, 12)


def graph(name):
    return nf.load(ROOT / "graphs" / f"{name}.json")


def rows(plan, most):
    """Return the rows of a plan, at most so many runs at once; and how many were made abreast."""
    many = []

    class Counted(Worker):
        def _abreast(self, family):
            self._seconds = 0.0  # however slow the machine is just now
            return min(most, super()._abreast(family))

        def _many(self, cases, family):
            many.extend(cases)
            return super()._many(cases, family)

    with executed_by("machine code"):
        found = [row for part in plan.parts({}, 64) for row in Counted(plan).rows(part)]
    plain = [
        (row.number, {k: v for k, v in row.values.items() if k != "seconds"}, row.curves)
        for row in sorted(found, key=lambda row: row.number)
    ]
    return plain, len(many)


def same(graph, *, axes=(), **how):
    how = {"epochs": 40, "curves": True, **how}
    plan = Plan.of(graph, [Axis.of(*axis) for axis in axes], seeds=list(SEEDS), **how)
    alone, none = rows(plan, 1)
    beside, many = rows(plan, 256)
    assert none == 0
    assert beside == alone
    return beside, many


def small():
    """Return the names of graphs that are fed little data."""
    for path in sorted((ROOT / "graphs").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        if '"type": "dataset"' in text and "mnist" not in text and "digits" not in text:
            yield path.stem


@pytest.mark.parametrize("name", list(small()))
def test_every_graph_that_is_small(name):
    whole = graph(name)
    try:
        nf.Run(whole)
    except DataError as error:  # a set that is fetched
        pytest.skip(str(error))
    same(whole, epochs=3)


@pytest.mark.parametrize("batch", [1, 7, "all"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batches_shuffles_and_rows_set_apart_by_the_seed(batch, dtype):
    iris = graph("iris")
    data = iris.of_type("dataset")[0]
    for test, scale in ((0.0, "none"), (0.3, "standard")):
        changed = iris.set(data, test=test, scale=scale, shuffle=True)
        _, many = same(changed, axes=[("training.batch", [batch])], dtype=dtype, epochs=4)
        assert many


@pytest.mark.parametrize(
    "until",
    ["accuracy >= 1", "cost < 0.2 and not epoch > 30", "cost falls or epoch > 9", "epoch >= 17",
     "change(cost) > 0 and epoch > 2", "max(cost) < 0.2", "test_cost < 1", "update > 100"],
)  # fmt: skip
def test_each_ends_where_it_would_alone(until):
    found, many = same(graph("xor"), axes=[("rate", [0.5, 8.0])], until=until, epochs=200)
    assert many > 4
    assert len(found) == 18


def test_one_that_leaves_the_range_says_where_as_alone():
    w = nf.parameter(shape=[1, 2], init="uniform", range=[-1.0, 1.0])
    x, y = nf.dataset(source="xor")
    cost = nf.squared_error(nf.weighted_sum(x, w), y)
    whole = nf.Graph.of(nf.gradient_descent(cost, rate=3.0), name="one")
    found, _ = same(whole, axes=[("rate", [0.1, 3.0, 1e150])], epochs=3000)
    assert any(values["why"] for _, values, _ in found)
    assert not all(values["why"] for _, values, _ in found)
    # What held before is what counts, whenever the numbers left the range behind it.
    until = "cost > 1e9"
    held, _ = same(whole, axes=[("rate", [3.0])], epochs=3000, until=until)
    assert all(values["epochs_to"] for _, values, _ in held)


def test_a_seed_that_cannot_begin_is_a_row_among_the_others(tmp_path):
    table = tmp_path / "t.csv"
    # Where row 9 is set apart for testing, what is left of a column cannot be scaled.
    lines = [f"{1e-320 * (at + 1)},{at % 3},{'xy'[at % 2]}" for at in range(9)]
    table.write_text("a,b,kind\n" + "\n".join(lines) + "\n1e300,2,x\n")
    whole = network((2, 2, 2), data="t.csv", folder=tmp_path, test=0.2, scale="standard")
    found, _ = same(whole, epochs=3)
    failed = [bool(values["why"]) for _, values, _ in found]
    assert any(failed)
    assert not all(failed)


def test_no_epochs_are_no_epochs():
    same(graph("xor"), epochs=0)
    same(graph("xor"), epochs=0, until="accuracy >= 1")


@pytest.mark.parametrize(
    "text", ["cost < 0.1", "accuracy > 0.5 or epoch == 3", "not cost > 0.2", "cost rises",
             "previous(cost) - cost < 1e-4", "min(cost, 0.2) < 0.1", "train_accuracy changes"],
)  # fmt: skip
def test_many_epochs_are_judged_as_each_of_them(text):
    run = nf.Run(graph("xor"), seed=4)
    run.train(epochs=60)
    condition = condition_of_epochs(run, text)
    _, lines = run.lines()
    for at in (0, 1, 20):
        one = None
        for epoch in range(at, 60):
            before = lines[epoch - 1] if epoch else None
            one = first_that_holds(
                condition, lines[epoch : epoch + 1], epoch + 1, updates_per_epoch=4, before=before
            )
            if one:
                break
        many = first_that_holds(
            condition, lines[at:], at + 1, updates_per_epoch=4, before=lines[at - 1] if at else None
        )
        assert one == many


# --- numbers that differ --------------------------------------------------------------------------

RATES = [0.05 * number for number in range(1, 12)]


def in_families(graph, axes, **how):
    """Return how many combinations were planned, and that rows are those of runs alone."""
    how = {"epochs": 12, "curves": True, **how}
    plan = Plan.of(graph, [Axis.of(*axis) for axis in axes], seeds=[3, 8], **how)
    alone, _ = rows(plan, 1)
    beside, many = rows(plan, 256)
    assert beside == alone
    return len(plan), many


@pytest.mark.parametrize(
    "axes",
    [
        [("train.rate", RATES)],
        [("train.rate", RATES), ("train.momentum", [0.0, 0.5])],
        [("rate", RATES), ("training.batch", [1, 3])],
        [("*.init", ["normal", "glorot", "zeros"]), ("train.rate", [0.5, 1.0])],
        [("theta1.range", [[-0.1 * n, 0.1 * n] for n in range(1, 8)])],
    ],
    ids=lambda axes: " ".join(name for name, _ in axes),
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_are_cells_of_one_tape(axes, dtype):
    found = graph("xor").set("theta1", init="uniform")
    count, many = in_families(found, axes, dtype=dtype)
    assert many >= count - 4  # the first of a family is made alone


def test_a_penalty_and_a_threshold_are_cells():
    found = network(data="circle", regularization=0.1, test=0.25)
    axes = [("penalty.regularization", RATES), ("accuracy.threshold", [0.3, 0.6])]
    count, many = in_families(found, axes, epochs=3)
    assert many >= count - 2


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("train.beta1", RATES),  # part of a formula
        ("data.test", [0.02 * n for n in range(1, 12)]),  # other rows
        ("training.epochs", [*range(1, 12)]),
    ],
)
def test_what_more_follows_from_is_planned_anew(address, values):
    found = network(data="circle", trainer="adam")
    how = {"epochs": None} if "epochs" in address else {"epochs": 2}
    count, many = in_families(found, [(address, values)], **how)
    assert many <= count // 2  # beside it there is the other seed alone


def test_a_rate_that_leaves_the_range_says_so_as_alone():
    found = network(data="circle", activation="relu", output="identity")
    in_families(found, [("rate", [0.001 * 30**n for n in range(8)])])


def test_a_condition_ends_each_of_a_family():
    in_families(graph("xor"), [("train.rate", RATES)], until="cost < 0.24", epochs=60)
