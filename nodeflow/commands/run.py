"""`nodeflow run`: one forward and backward pass."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import FAULT, print_json, say


@click.command()
@file_argument
@json_option
def run(file: str, *, as_json: bool) -> int:
    """Evaluate the first batch forward and backward, and update nothing."""
    graph = load(file)
    from nodeflow.engine.evaluation import evaluate

    found = evaluate(graph)
    if as_json:
        print_json({"values": found.values, "gradients": found.gradients, "cost": found.cost})
    else:
        from nodeflow import terminal

        terminal.show_evaluation(graph, found.values, found.gradients, found.cost)
    for fault in found.faults:
        say(f"{fault}; scale the data, or check the node's inputs")
    return FAULT if found.faults else 0
