"""The numbers that an export shows: weights of the start, trained ones, and those of one pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.errors import ExportError, FileError, RunError
from nodeflow.graph import Graph, Node

if TYPE_CHECKING:
    from nodeflow.export import Job
    from nodeflow.files.runfile import RunFile


def run_file(file: Path) -> Path:
    """Return where the run of a graph file lies."""
    return file.with_suffix(".run.npz")


def held_run(job: Job) -> RunFile | None:
    """Return what the run file beside the graph holds, if there is one."""
    from nodeflow.files import load_run

    if job.file is None or not run_file(job.file).exists():
        return None
    return load_run(run_file(job.file))


def trained(job: Job) -> tuple[Run, str]:
    """Return a run with the weights that the job asks for, and in words which these are.

    Without a wish they are those of the start, as in `nodeflow run`.
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


def first_pass(job: Job) -> dict[str, NDArray[Any]]:
    """Return the values of a forward and backward pass over the first batch, by address.

    A graph that is not ready has those of the nodes that are: a picture needs no more.
    """
    if job.options.trained or job.options.epochs is not None:
        run, _ = trained(job)
        run = with_weights(job.graph, run.weights)
    else:
        run = with_weights(job.graph, {})
    if not run.order:
        return {}
    run.evaluate()
    own = job.graph.nodes
    return {key: value for key, value in run.values.items() if key.rpartition(".")[0] in own}


def with_weights(graph: Graph, weights: Any) -> Run:
    """Return a run at its start. A search is left out: it would try weights that nobody keeps."""
    searches = [key for key in graph.of_type("minimize") if graph.nodes[key].mode == "active"]
    if searches:
        nodes = {**graph.nodes, **dict.fromkeys(searches, Node("gradient_descent"))}
        graph = replace(graph, nodes=nodes)
    run = Run(graph, batch="all" if searches else None, strict=False)
    if weights:
        run.set_weights(weights)
    return run
