"""`nodeflow run`: one forward and backward pass."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load, working
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import FAULT, WRONG, print_json, say


@click.command()
@file_argument
@json_option
def run(file: str, *, as_json: bool) -> int:
    """Evaluate the first batch forward and backward, and update nothing.

    Placeholders, and what depends on them, have no values; the rest has, and the exit code is 1.
    """
    with working(file, reading=1, computing=12) as enter:
        enter("reading")
        graph = load(file)
        enter("computing")
        from nodeflow.engine.evaluation import evaluate

        found = evaluate(graph)
        from nodeflow.views import Viewer

        views = Viewer(graph, found.tables).all(found.values, found.weights)
    if as_json:
        from nodeflow.views import as_data

        shown = {key: as_data(content) for key, content in views.items()}
        print_json({
            "values": found.values, "gradients": found.gradients, "cost": found.cost,
            **({"views": shown} if shown else {}),
            **({WRONG: "; ".join(found.placeholders)} if found.placeholders else {}),
        })  # fmt: skip
    else:
        from nodeflow import terminal

        terminal.show_evaluation(graph, found.values, found.gradients, found.cost)
        terminal.show_views(views)
    for fault in found.faults:
        say(f"{fault}; scale the data, or check the node's inputs")
    for reason in found.placeholders:
        say(reason)
    return FAULT if found.faults or found.placeholders else 0
