"""Moments of a run in words, and the way to them."""

from __future__ import annotations

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment, Position
from nodeflow.engine.step import Step


def described(run: Run, step: Step | None = None) -> str:
    """Return where a run or a step is: "epoch 3 · sample 17 of 139 · forward · z"."""
    if step is not None:
        return f"{rows_of(run, step)} · {step.phase} · {step.node}"
    where = _rows(run, run.epoch, run.update, run.sample)
    if not run.order:
        return where
    return f"{where} · {run.schedule.phases[run.position.place]} · {run.node}"


def stands_at(run: Run) -> str:
    """Return which node a run evaluated last: "epoch 3 · sample 17 of 139 · forward · z"."""
    where, place = _rows(run, run.epoch, run.update, run.sample), run.position.place
    if not place:
        return f"{where} · before its first step"
    return f"{where} · {run.schedule.phases[place - 1]} · {run.order[place - 1]}"


def rows_of(run: Run, step: Step) -> str:
    """Return which rows a step passed: "epoch 3 · sample 17 of 139"."""
    return _rows(run, step.epoch, step.update, step.sample)


def _rows(run: Run, epoch: int, update: int, row: int) -> str:
    samples = run.schedule.samples(update)
    rows = f"sample {row}" if samples == 1 else f"samples {row}–{row + samples - 1}"
    return f"epoch {epoch} · {rows} of {run.schedule.rows}"


def go_before(run: Run, moment: Moment) -> None:
    """Stand before the step that evaluates the moment's node."""
    run.require_nodes()
    if moment.node is None:
        run.seek(run.schedule.find(moment))
        return
    schedule = run.schedule
    run.seek(schedule.position(schedule.number(schedule.find(moment)) - 1))


def end_of_training(run: Run) -> Position:
    """Return the position at which the graph's epochs are over, at least one from here."""
    return run.schedule.start_of_epoch(max(run.graph.training.epochs, run.epoch + 1))
