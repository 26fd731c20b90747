"""`nodeflow saturated`: where blame dies."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import print_json


@click.command()
@file_argument
@click.option("--epochs", type=click.IntRange(0), default=0, show_default=True,
              help="Train so many epochs first.")  # fmt: skip
@json_option
def saturated(file: str, *, epochs: int, as_json: bool) -> None:
    """Show the neurons that hardly any blame comes through, and why.

    Their activation is flat for every row of the first batch (its slope is below 0.01), or all
    weights from them are 0. Neurons that are one and the same are told as well.
    """
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.engine.run import Run
    from nodeflow.explain.alike import alike
    from nodeflow.explain.saturation import where_blame_dies

    run = Run(graph)
    if epochs:
        with terminal.progress(run, epochs) as tell:
            run.train(epochs, progress=tell)
    run.evaluate()
    found = where_blame_dies(run)
    layers = (key for key, node in run.graph.nodes.items() if node.is_layer)
    same = [one for key in layers for one in alike(run.graph, run.values.get, key)]
    if as_json:
        print_json(
            {
                "epochs": run.epoch,
                "neurons": [reason.as_dict() for reason in found],
                "alike": [one.as_dict() for one in same],
            }
        )
    else:
        terminal.show_saturated(run, found, same)
