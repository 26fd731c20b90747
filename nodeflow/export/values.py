"""The numbers that an export shows: weights of the start, trained ones, and those of one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.derive.shapes import infer
from nodeflow.engine.run import Run
from nodeflow.errors import ExportError, FileError, RunError, TooLarge
from nodeflow.graph import Graph, Node
from nodeflow.nodes.trainer import gradient_descent
from nodeflow.views import Viewer
from nodeflow.views.plot import Past, Traces

if TYPE_CHECKING:
    from nodeflow.export import Job
    from nodeflow.files.runfile import RunFile


DRAWN = 100_000_000
"""The most bytes of a value that is computed for a picture: 12 million numbers."""


def run_file(file: Path) -> Path:
    """Return where the run of a graph file lies."""
    from nodeflow.files import run_file_of

    return run_file_of(file)


def held_run(job: Job) -> RunFile | None:
    """Return what the run file beside the graph holds, if there is one."""
    from nodeflow.files import load_run

    if job.file is None or not run_file(job.file).exists():
        return None
    return load_run(run_file(job.file))


def trained(job: Job) -> tuple[Run, str]:
    """Return a run with the weights that the job asks for, and in words which these are.

    By default they are those of the start, as in `nodeflow run`.
    """
    options = job.options
    if options.trained and options.epochs is not None:
        raise ExportError("trained weights are read or trained: choose --trained or --epochs")
    run = Run(job.graph)
    if options.epochs is not None:
        run.train(options.epochs, progress=job.progress)
        return run, f"after {run.epoch} epoch{'s' * (run.epoch != 1)}"
    if options.trained:
        held = held_run(job)
        if job.file is None or held is None:
            raise ExportError(
                "there is no run file beside the graph: "
                "'nodeflow train FILE --save' writes one, --epochs N trains now"
            )
        try:
            run.set_weights(held.weights)
        except RunError as error:
            raise FileError(
                f"it belongs to another graph ({error}): train this one",
                file=str(run_file(job.file)),
            ) from error
        return run, f"of {run_file(job.file).name}"
    return run, "of the start"


@dataclass(frozen=True, eq=False)
class Shown:
    """What a picture shows: values by address, weights, and what its plots have seen."""

    viewer: Viewer
    values: dict[str, NDArray[Any]]
    weights: dict[str, NDArray[Any]]
    past: dict[str, Past]


def first_pass(job: Job) -> Shown:
    """Return the values of a forward and backward pass over the first batch.

    A graph that is not ready has those of the nodes that are: a picture needs no more. What is
    trained first is the past of its plots, a point an epoch. Values of more than `DRAWN` bytes are
    left out.
    """
    traces, plots = Traces(), plotted(job.graph)
    weights: dict[str, NDArray[Any]] = {}
    if job.options.trained or job.options.epochs is not None:
        epochs = job.options.epochs
        if plots and epochs:
            weights = _followed(job, epochs, traces, plots)
        else:
            run, _ = trained(job)
            weights = run.weights
    try:
        run = with_weights(job.graph, weights, room=DRAWN)
    except TooLarge:  # a picture has no use for so many numbers, and shows the graph without them
        return Shown(Viewer(job.graph, infer(job.graph).tables), {}, {}, {})
    viewer = Viewer(job.graph, run.plan.inference.tables)
    if not run.order:
        return Shown(viewer, {}, {}, {})
    run.evaluate()
    own = job.graph.nodes
    values = {key: value for key, value in run.values.items() if key.rpartition(".")[0] in own}
    past = {key: found for key, starts in plots.items() if (found := traces.of(key, starts))}
    return Shown(viewer, values, run.weights, past)


def plotted(graph: Graph) -> dict[str, list[str]]:
    """Return what enters each plot."""
    over_time = graph.where(lambda type_: type_.over_time)
    plots = (key for key in over_time if graph.nodes[key].mode == "active")
    return {key: [wire.start for wire in graph.into(key)] for key in plots}


def _followed(
    job: Job, epochs: int, traces: Traces, plots: dict[str, list[str]]
) -> dict[str, NDArray[Any]]:
    """Train, and let the plots see each epoch; the cost is that of the whole epoch."""
    run = Run(job.graph)
    for epoch in range(epochs):
        run.train(1)
        traces.collect(plots, run.update, of_epoch(run))
        job.progress(epoch + 1, epochs)
    return run.weights


def of_epoch(run: Run) -> dict[str, NDArray[Any]]:
    """Return a run's values at the end of an epoch, its cost and hits those of all its rows."""
    values, line = dict(run.values), run.line(run.epoch) or {}
    plan = run.plan
    for address, number in (
        (plan.unfolding.cost, line.get("cost")),
        (plan.hits if isinstance(plan.hits, str) else None, line.get("train_accuracy")),
    ):
        if address and number is not None:
            values[address] = np.array([[number]])
    return values


def with_weights(graph: Graph, weights: Any, *, room: float | None = None) -> Run:
    """Return a run at its start. A search is left out: it would try weights that nobody keeps."""
    searches = [key for key in graph.searches if graph.nodes[key].mode == "active"]
    if searches:
        nodes = {**graph.nodes, **dict.fromkeys(searches, Node(gradient_descent.name))}
        graph = replace(graph, nodes=nodes)
    run = Run(graph, batch="all" if searches else None, strict=False, room=room)
    if weights:
        run.set_weights(weights)
    return run
