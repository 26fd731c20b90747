"""`nodeflow sweep`: every combination of settings with every seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import count, print_json, say

if TYPE_CHECKING:
    from nodeflow.sweeps import Sweep


@click.command()
@file_argument
@click.option("--set", "sets", multiple=True, metavar="NODE.SETTING=V1,V2,…",
              help="Values of a setting; also FROM:TO:log9, FROM:TO:lin5 and FROM:TO of whole "
              "numbers. * in NODE stands for any signs; training.batch and training.epochs are the "
              "graph's, rate is every learning rate. May be repeated.")  # fmt: skip
@click.option("--seeds", metavar="N|A,B,…|FROM:TO",
              help="How many seeds from 0 on, or which.  [the graph's]")  # fmt: skip
@click.option("--epochs", type=click.IntRange(0), help="How many epochs, instead of the graph's.")
@click.option("--until", metavar="CONDITION",
              help='End a run after the epoch in which this holds, such as "accuracy > '
              '0.95".')  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="How many threads.  [one per processor]")
@click.option("--cluster", metavar="ADDRESS|local",
              help="A Dask scheduler that is there, or a cluster of this machine.")  # fmt: skip
@click.option("--curves", is_flag=True, help="Keep the history of every run.")
@click.option("--float32", is_flag=True, help="Compute in float32 instead of float64.")
@click.option("-o", "--out", metavar="OUT", type=click.Path(),
              help="A .csv, .json or .npz with one row per run, or a .svg, .png or .html that "
              "shows them; finished runs are on disk at once, and the same command goes on where "
              "it stopped.")  # fmt: skip
@click.option("--force", is_flag=True, help="Begin anew, and replace OUT.")
@click.option("--yes", is_flag=True, help="Make more than a million runs.")
@json_option
def sweep(
    file: str,
    *,
    sets: tuple[str, ...],
    seeds: str | None,
    epochs: int | None,
    until: str | None,
    workers: int | None,
    cluster: str | None,
    curves: bool,
    float32: bool,
    out: str | None,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Train FILE with every combination of settings and every seed; one row per run."""
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.sweeps import Axis, Plan, run_plan
    from nodeflow.sweeps.results import DRAWN

    target = None if out is None else Path(out)
    drawn = target is not None and target.suffix.lower() in DRAWN
    plan = Plan.of(
        graph,
        [Axis.read(text) for text in sets],
        seeds=None if seeds is None else _seeds(seeds),
        confirmed=yes,
        epochs=epochs,
        until=until,
        curves=curves or drawn,
        dtype="float32" if float32 else "float64",
    )
    done = 0

    def progress(there: int, _all: int) -> None:
        nonlocal done
        done = there
        tell(there, len(plan))

    try:
        with terminal.bar(count(len(plan), "run")) as tell:
            found = run_plan(
                plan, out=target, workers=workers, cluster=cluster, force=force, progress=progress
            )
    except KeyboardInterrupt:
        kept = "; the same command goes on from there" if out else ""
        raise KeyboardInterrupt(
            f"the sweep was interrupted after {done:,} of {count(len(plan), 'run')}{kept}"
        ) from None
    if as_json:
        print_json(_document(found, target))
    else:
        terminal.show_sweep(found, target)
    if failed := found.failed:
        say(f"{count(len(failed), 'run')} of {len(found):,} failed: {failed[0]['why']}")


def _seeds(text: str) -> Any:
    """Return the seeds written 20 (from 0 on), 3,5,9 or 10:29."""
    from nodeflow.sweeps import Axis

    values = Axis.read(f"seed={text}").values
    if "," not in text and ":" not in text and isinstance(values[0], int) and values[0] >= 0:
        return range(values[0])
    return values


def _document(found: Sweep, out: Path | None) -> dict[str, Any]:
    rows = found.rows
    return {
        "out": None if out is None else str(out),
        "runs": len(rows),
        "failed": len(found.failed),
        "columns": found.columns,
        "rows": rows,
        "summaries": [one.as_dict() for one in found.summaries()],
    }
