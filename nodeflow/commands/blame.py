"""`nodeflow blame`: who answers for the error of one sample, ranked."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import print_json
from nodeflow.errors import RunError


def _read_at(_context: click.Context, _: click.Parameter, value: str) -> tuple[int, int]:
    parts = value.split(":")
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        return int(parts[0]), int(parts[1])
    raise click.BadParameter(f"{value!r} is not EPOCH:SAMPLE, two whole numbers such as 3:17.")


@click.command()
@file_argument
@click.option(
    "--at",
    callback=_read_at,
    default="0:0",
    show_default=True,
    metavar="EPOCH:SAMPLE",
    help="Which sample, and with the weights of which moment; both count from 0.",
)
@json_option
def blame(file: str, *, at: tuple[int, int], as_json: bool) -> None:
    """Show which neurons answer for an error, and how much of it each.

    A neuron's share is that of its weights in all that the layer behind it blames: Σⱼ |Θⱼᵢ δⱼ|.
    The graph is trained up to the epoch first.
    """
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.engine.run import Run
    from nodeflow.explain.responsibility import blame_at

    run = Run(graph)
    epoch, sample = at
    if epoch > run.epoch:
        with terminal.progress(run, epoch) as tell:
            run.train(epoch, progress=tell)
    rows = run.machine.rows
    if sample >= rows:
        raise RunError(
            f"there is no sample {sample}: an epoch has {rows}, counted from 0 to {rows - 1}"
        )
    layers = blame_at(run, epoch, sample)
    if as_json:
        print_json({
            "epoch": epoch,
            "sample": sample,
            "cost": run.cost,
            "layers": [layer.as_dict() for layer in layers],
        })  # fmt: skip
    else:
        terminal.show_blame(run, at, layers)
