"""`nodeflow train`: full speed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import FiniteRange, file_argument, json_option, read_batch
from nodeflow.commands.output import count, print_json, say

if TYPE_CHECKING:
    from nodeflow.engine.run import Run
    from nodeflow.graph import Graph
    from nodeflow.playback.until import Ending


@click.command()
@file_argument
@click.option("--epochs", type=click.IntRange(0), help="How many epochs, instead of the graph's.")
@click.option("--batch", callback=read_batch, metavar="N|all", help="Samples per update.")
@click.option("--rate", type=float, help="The learning rate α.")
@click.option("--seed", type=click.IntRange(0), help="The seed of weights, split and order.")
@click.option("--float32", is_flag=True, help="Compute in float32 instead of float64.")
@click.option("--save", is_flag=True, help="Write weights and history to NAME.run.npz.")
@click.option("--weights", "dictionary", is_flag=True,
              help="Print the weights as what they are: a dictionary of numbers.")  # fmt: skip
@click.option("--until", metavar="CONDITION",
              help='End when this holds after an epoch, such as "cost < 0.01".')  # fmt: skip
@click.option("--tolerance", type=FiniteRange(0),
              help="End when an epoch changes the weights by no more than this.")  # fmt: skip
@click.option("--folds", "k", type=click.IntRange(2), metavar="K",
              help="Cross-validate: cut the rows into K parts, set each apart once.")  # fmt: skip
@click.option("--parts", type=click.IntRange(1), metavar="N",
              help="Cut each batch into N parts, whose gradients are added up in a fixed "
              "order.")  # fmt: skip
@click.option("--cluster", metavar="ADDRESS|local",
              help="Let a Dask scheduler's workers compute the parts, or those of a cluster of "
              "this machine.")  # fmt: skip
@json_option
def train(
    file: str,
    *,
    epochs: int | None,
    batch: int | str | None,
    rate: float | None,
    seed: int | None,
    float32: bool,
    save: bool,
    dictionary: bool,
    until: str | None,
    tolerance: float | None,
    k: int | None,
    parts: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Train at full speed, and show what came of it.

    The history has one line per epoch; of more than a million epochs older lines are thinned out.
    """
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.derive.rates import with_rate

    if rate is not None:
        graph = with_rate(graph, rate, by="--rate")
    if tolerance is not None:
        graph = replace(graph, training=replace(graph.training, tolerance=tolerance))
    how: dict[str, Any] = {
        "seed": seed, "batch": batch, "dtype": "float32" if float32 else "float64",
    }  # fmt: skip
    if cluster is not None and parts is None:
        raise click.UsageError(
            "--cluster needs --parts N: the numbers depend on N, and not on how many workers "
            "there are."
        )
    if k is not None:
        if parts is not None:
            raise click.UsageError("--folds and --parts do not go together.")
        if save or dictionary:
            raise click.UsageError(
                "--folds trains one network per fold, so there is no one run to save or to print."
            )
        _cross_validate(graph, k, epochs=epochs, until=until, as_json=as_json, **how)
        return
    if save:
        from nodeflow.files import require_place, run_file_of

        require_place(run_file_of(Path(file)))
    with ExitStack() as stack:
        with terminal.reading_bar():
            run = _run(stack, graph, parts, cluster, how)
        _trained(run, file, epochs=epochs, until=until, save=save, dictionary=dictionary,
                 as_json=as_json)  # fmt: skip


def _run(
    stack: ExitStack, graph: Graph, parts: int | None, cluster: str | None, how: dict[str, Any]
) -> Run:
    """Return the run to be trained, in parts or not."""
    from nodeflow.engine.run import Run

    if cluster is None or parts is None:
        return Run(graph, parts=parts, **how)
    from nodeflow.sweeps.parted import run_by

    return stack.enter_context(run_by(cluster, graph, parts=parts, **how))


def _trained(
    run: Run,
    file: str,
    *,
    epochs: int | None,
    until: str | None,
    save: bool,
    dictionary: bool,
    as_json: bool,
) -> None:
    """Train, and print what came of it."""
    from nodeflow import terminal
    from nodeflow.playback.until import train_to_end

    graph = run.graph
    if run.machine.shortened is not None:
        say(f"the data has {run.machine.rows} rows, so a batch is {run.batch} "
             f"and not {run.machine.shortened}", bad=False)  # fmt: skip
    for sentence in _noted(graph):
        say(sentence, bad=False)
    stopped = ""
    started = time.perf_counter()
    ending = None
    asked = graph.training.epochs if epochs is None else epochs
    limit = graph.training.tolerance
    try:
        with terminal.progress(run, asked) as tell:
            ending = train_to_end(run, asked, until=until, tolerance=limit, progress=tell)
    except KeyboardInterrupt:
        stopped = f"training was interrupted after {count(run.epoch, 'epoch')}"
    seconds = time.perf_counter() - started
    saved = _save_run(run, file) if save else None
    if saved and stopped:
        stopped += f"; {saved} holds the weights up to there"
    if run.epochs_left_out:
        say(f"the history has {len(run.history):,} of {run.epochs_known:,} epochs: of a run of "
             "more than a million, older lines are thinned out", bad=False)  # fmt: skip
    from nodeflow.explain.quality import quality

    result, good = _result(run, seconds, ending), quality(run)
    if as_json:
        print_json({**result, **({"error": stopped} if stopped else {})})
    elif not stopped or run.epoch:
        terminal.show_training(run, result, saved, good)
        if dictionary:
            terminal.show_dictionary(run)
    if ending is not None and ending.sentence:
        say(ending.sentence, bad=False)
    if good is not None and good.fault and run.epoch:
        say(good.fault, bad=False)
    if stopped:
        raise KeyboardInterrupt(stopped)


def _cross_validate(
    graph: Graph,
    k: int,
    *,
    epochs: int | None,
    until: str | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Print what a cross-validation came to."""
    from nodeflow import terminal
    from nodeflow.sweeps import folds

    for sentence in _noted(graph):
        say(sentence, bad=False)
    with terminal.bar("folds") as tell:
        found = folds(graph, k, epochs=epochs, until=until, progress=tell, **how)
    if as_json:
        print_json(found.as_dict())
    else:
        terminal.show_folds(graph, found)


def _noted(graph: Graph) -> list[str]:
    """Return what a person should know of a graph before it is trained."""
    from nodeflow.derive.implied import implied
    from nodeflow.derive.silent import said_once, silent

    cost = implied(graph)
    return [
        *([] if cost is None else [cost.sentence]),
        *said_once(silent(graph)),
    ]


def _save_run(run: Run, file: str) -> Path:
    from nodeflow.files import run_file_of, save_run

    path = run_file_of(Path(file))
    save_run(path, run.memory(), run.history, run.reached())
    return path


def _result(run: Run, seconds: float, ending: Ending | None) -> dict[str, Any]:
    return {
        "epochs": run.epoch,
        **run.assess().as_dict(),
        "weights": run.weights,
        "history": run.history,
        "seconds": round(seconds, 6),
        "ended": None if ending is None else ending.as_dict(),
    }
