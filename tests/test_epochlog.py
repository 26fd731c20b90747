"""The history of a run: every epoch up to a million, then older ones thinned out, and told."""

import random
import tracemalloc

import numpy as np
import pytest
from networks import net

import nodeflow as nf
from nodeflow.engine import epochlog
from nodeflow.engine.epochlog import EpochLog


def lines(first, count):
    """Return lines that tell their epoch."""
    epochs = np.arange(first, first + count, dtype=float)
    return np.column_stack([epochs, epochs / 2, epochs * np.nan, epochs])


def filled(epochs, each=50_000):
    log = EpochLog()
    for first in range(1, epochs + 1, each):
        log.extend(first, lines(first, min(each, epochs + 1 - first)))
    return log


def test_a_million_epochs_have_a_line_each():
    log = filled(1_000_000)
    epochs, numbers = log.lines()
    assert (log.last, log.left_out) == (1_000_000, 0)
    assert np.array_equal(epochs, np.arange(1, 1_000_001))
    assert np.array_equal(numbers[:, 0], epochs)


def test_beyond_a_million_older_lines_are_thinned_and_memory_is_bounded():
    """Three millions: at most a million lines, the newest half a million whole, each its own."""
    log = filled(3_000_000)
    epochs, numbers = log.lines()
    assert 500_000 < len(epochs) <= 1_000_000
    assert log.bytes <= 40_000_000
    assert log.last == 3_000_000
    assert log.left_out == 3_000_000 - len(epochs) > 0
    assert np.array_equal(numbers[:, 0], epochs)  # no line was given to another epoch
    assert (np.diff(epochs[-500_000:]) == 1).all()
    old = epochs[epochs <= 2_000_000]
    assert old[0] == 1
    assert set(np.diff(old).tolist()) == {16}  # the past is evenly covered, all the way back


def test_lines_are_found_dropped_and_copied_by_epoch(monkeypatch):
    monkeypatch.setattr(epochlog, "MOST_LINES", 8)
    log = filled(9, each=1)
    assert [line["epoch"] for line in log.history] == [1, 5, 6, 7, 8, 9]
    assert log.line(5) == {
        "epoch": 5, "cost": 5.0, "train_accuracy": 2.5, "test_cost": None, "test_accuracy": 5.0,
    }  # fmt: skip
    assert log.line(2) is log.line(10) is log.line(0) is None
    log.extend(5, lines(5, 6))  # trained once more: 5 to 9 are known
    assert [line["epoch"] for line in log.history] == [1, 5, 6, 7, 8, 9, 10]
    assert log.lines(7)[0].tolist() == [8, 9, 10]
    copy = log.until(6)
    log.drop(2)
    assert [line["epoch"] for line in log.history] == [1]
    assert [line["epoch"] for line in copy.history] == [1, 5, 6]
    assert (log.last, copy.last, copy.left_out) == (1, 6, 3)


def test_a_long_run_tells_that_lines_were_left_out(monkeypatch):
    """As with a million, so with 64: the newest lines are those of a run that keeps all."""
    graph = net("xor", (2, 2, 1), scale="none", test=0.25)
    whole = nf.Run(graph)
    whole.train(200)
    assert whole.epochs_left_out == 0
    assert len(whole.history) == 200
    monkeypatch.setattr(epochlog, "MOST_LINES", 64)
    run = nf.Run(graph)
    for epochs in (30, 50, 1, 119):
        run.train(epochs)
        assert len(run.history) <= 64
        assert list(run.curve) == run.history
    assert run.epochs_known == 200
    assert run.epochs_left_out == 200 - len(run.history)
    known = {line["epoch"]: line for line in whole.history}
    assert all(line == known[line["epoch"]] for line in run.history)
    assert [line["epoch"] for line in run.history[-32:]] == list(range(169, 201))
    kept = run.history
    run.goto(epoch=100)
    run.train(50)
    assert run.history == kept  # what was left out does not come back
    run.goto(epoch=190)
    run.set_weights(run.weights)
    assert run.epochs_known == 190


def test_training_says_what_the_history_leaves_out(monkeypatch, tmp_path, capsys):
    from nodeflow.cli import main

    path = tmp_path / "xor.json"
    nf.save(net("xor", (2, 2, 1), scale="none"), path)
    assert main(["train", str(path), "--epochs", "64", "--json"]) == 0
    assert "thinned" not in capsys.readouterr().err
    monkeypatch.setattr(epochlog, "MOST_LINES", 64)
    assert main(["train", str(path), "--epochs", "65", "--json"]) == 0
    said = capsys.readouterr().err
    assert "the history has 41 of 65 epochs" in said
    assert "thinned out" in said


@pytest.mark.parametrize("epochs", [0, 1])
def test_there_may_be_nothing_to_tell(epochs):
    log = filled(epochs)
    assert len(log.history) == log.last == epochs
    assert log.line(0) is None


@pytest.mark.parametrize("seed", range(40))
def test_what_was_given_stays_whatever_becomes_of_the_log(seed, monkeypatch):
    """Blocks are shared by logs and their views: none may write what another one sees."""
    monkeypatch.setattr(epochlog, "_BLOCK", 4)
    chance = random.Random(seed)
    log, model, known = EpochLog(), [], []
    for step in range(1, 30):
        what, size = chance.choice(["extend", "extend", "drop", "until"]), chance.randrange(12)
        if what == "extend":
            new = lines(log.last + 1, size)
            new[:, 1] = step
            model = model + [[epoch, *row] for epoch, row in enumerate(new, log.last + 1)]
            log.extend(log.last + 1, new)
        elif what == "drop":
            model = model[:size]
            log.drop(size)
        else:
            known.append((log.view, model))
            log, model = log.until(size), model[:size]
        assert log.view is log.view
        known.append((log.view, model))
    for view, rows in known:
        assert view.epochs.tolist() == [row[0] for row in rows]
        expected = np.array([row[1:] for row in rows]).reshape(-1, 4)
        assert np.array_equal(view.rows, expected, equal_nan=True)
        assert view == list(view)
        assert [line["train_accuracy"] for line in view] == [row[2] for row in rows]


def test_a_view_reads_like_a_list():
    log = filled(10_000, each=999)
    view, listed = log.view, log.history
    assert view == listed
    assert listed == view
    assert view != listed[:-1]
    assert (view[0], view[-1], view[4095], view[4096]) == (*listed[::9999], *listed[4095:4097])
    assert view[-3:] == listed[-3:]
    assert [view.known(epoch) for epoch in (0, 1, 4096, 4097, 10_000, 99_999)] == [
        0, 1, 4096, 4097, 10_000, 10_000,
    ]  # fmt: skip
    with pytest.raises(IndexError):
        view[10_000]


def test_training_on_and_on_takes_no_more_memory_each_time():
    """Who trains by an epoch is not given a copy of all lines each time: 30 MB of 100,000."""
    run = nf.Run(net("xor", (2, 2, 1), scale="none"))
    run.train(100_000)
    tracemalloc.start()
    try:
        for _ in range(50):
            last = run.train(1)[-1]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last["epoch"] == 100_050
    assert most < 2_000_000
