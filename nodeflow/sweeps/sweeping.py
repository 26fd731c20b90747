"""A sweep from its beginning to its end: what is done already, who does the rest, what is kept."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from nodeflow.errors import SweepError
from nodeflow.graph import Graph
from nodeflow.streams import interrupted
from nodeflow.sweeps.axes import Axis
from nodeflow.sweeps.cases import Part, Plan
from nodeflow.sweeps.engine import processors
from nodeflow.sweeps.journal import Journal, journal_of
from nodeflow.sweeps.results import DRAWN, ENDINGS, Sweep, refused_ending
from nodeflow.sweeps.rows import Row, Rows
from nodeflow.sweeps.running import Stopped, Worker

Progress = Callable[[int, int], None]
"""Called with the runs that are there and all of them."""
_MOST_RUNS = 256
"""The most runs that a worker takes at once."""


def sweep(
    graph: Graph,
    settings: Mapping[str, Any],
    *,
    epochs: int | None = None,
    seeds: Sequence[int] | int | None = None,
    until: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    curves: bool = False,
    dtype: str = "float64",
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    confirmed: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Train a graph with every combination of settings and every seed; return one row per run.

    `settings` has values by address: NODE.SETTING (`*` in NODE stands for any signs),
    `training.batch`, `training.epochs`, `rate` for every learning rate, `seed`. `seeds` may also
    be given apart, as numbers or as how many from 0 on. Each run trains `epochs` (by default the
    graph's), or `until` a condition holds at the end of an epoch.

    With `out` (.csv, .json or .npz) each finished run is on disk at once, in a journal beside it;
    the same sweep goes on where it stopped, and `force` begins anew. `workers` threads make the
    runs, by default as many as there are processors; `cluster` is the address of a Dask
    scheduler, or "local". A run that fails is a row whose `why` says why. More than a million
    runs must be `confirmed`. Raises `SweepError`, one sentence, before anything is run.
    """
    if isinstance(seeds, int):
        seeds = range(seeds)
    axes = [Axis.of(address, values) for address, values in settings.items()]
    plan = Plan.of(
        graph, axes, seeds=seeds, confirmed=confirmed, epochs=epochs, until=until, curves=curves,
        dtype=dtype,
    )  # fmt: skip
    target = None if out is None else Path(out)
    return run_plan(
        plan, out=target, workers=workers, cluster=cluster, force=force, progress=progress
    )


def run_plan(
    plan: Plan,
    *,
    out: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    each: Callable[[Row], None] | None = None,
) -> Sweep:
    """Make the runs of a plan that are not there yet, and write all of them to `out`.

    `each` is called with every row that is made, as it comes.
    """
    _check(plan, out, workers)
    rows = Rows(len(plan), until=plan.until is not None)
    journal: AbstractContextManager[Journal | None] = nullcontext()
    if out is not None:
        kept = Journal(journal_of(out), plan, force=force)
        rows, journal = kept.rows, kept
        if out.exists() and not rows and not force:
            kept.discard()
            raise SweepError(
                f"{out} is there already, and is not of this sweep; --force replaces it"
            )
    with journal as book:
        made = _by_cluster(plan, rows, cluster) if cluster else _by_threads(plan, rows, workers)
        for row in made:
            if book is not None:
                book.append(row)
            else:
                rows.add(row)
            if interrupted():  # what was imported meanwhile may have swallowed it
                raise KeyboardInterrupt
            if each is not None:
                each(row)
            if progress is not None:
                progress(len(rows), len(plan))
    found = Sweep(plan, rows)
    if out is not None:
        found.save(out)
    return found


def _check(plan: Plan, out: Path | None, workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise SweepError(f"there must be at least one worker, not {workers}")
    if out is not None and out.suffix.lower() not in (*ENDINGS, *DRAWN):
        raise refused_ending(out)
    if plan.epochs is not None and (plan.epochs < 0 or isinstance(plan.epochs, bool)):
        raise SweepError(f"epochs are a whole number from 0, not {plan.epochs}")
    if plan.until is not None:
        from nodeflow.engine.run import Run
        from nodeflow.playback.until import condition_of_epochs

        condition_of_epochs(Run(plan.graph), plan.until)


def part_size(plan: Plan, workers: int) -> int:
    """Return how many runs a worker takes at once."""
    return max(1, min(_MOST_RUNS, len(plan) // (4 * workers)))


# --- threads --------------------------------------------------------------------------------------


def _by_threads(plan: Plan, done: Mapping[int, Row], workers: int | None) -> Iterator[Row]:
    """Yield the rows that are missing, as threads of this process have them ready."""
    # Nobody waits for nothing.
    count = min(workers or processors(), max(len(plan) - len(done), 1))
    parts = plan.parts(done, part_size(plan, count))
    ready: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()
    stopping = threading.Event()
    taking, turn = threading.Lock(), threading.Lock()

    def take() -> Part | None:
        with taking:
            return next(parts, None)

    def work() -> None:
        worker = Worker(plan, stopping.is_set, turn)
        try:
            while (part := take()) is not None:
                for row in worker.rows(part):
                    ready.put(row)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            ready.put(error)
        finally:
            ready.put(None)

    threads = [
        threading.Thread(target=work, name=f"nodeflow-sweep-{number}", daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _until_all_ended(ready, count)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def _until_all_ended(
    ready: queue.SimpleQueue[Row | BaseException | None], count: int
) -> Iterator[Row]:
    while count:
        found = ready.get()
        if found is None:
            count -= 1
        elif isinstance(found, BaseException):
            raise found
        else:
            yield found


def _by_cluster(plan: Plan, done: Mapping[int, Row], address: str) -> Iterable[Row]:
    from nodeflow.sweeps.cluster import rows_of

    return rows_of(plan, done, address)
