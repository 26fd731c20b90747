"""`nodeflow check`: validity and gradients."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import FAULT, print_json, say


@click.command()
@file_argument
@json_option
def check(file: str, *, as_json: bool) -> int:
    """Check that a graph is valid and its gradients are right."""
    graph = load(file)
    from nodeflow.engine.check import Check
    from nodeflow.engine.check import check as check_gradients
    from nodeflow.engine.plan import plan

    unfolding = plan(graph).unfolding
    known = bool(unfolding.cost and unfolding.gradients)
    outcome = check_gradients(graph) if known else Check(valid=True, max_relative_error=0.0)
    if as_json:
        print_json(outcome.as_dict())
    else:
        from nodeflow import terminal

        terminal.show_check(graph, outcome)
    if not outcome.valid:
        bad = [key for key, node in outcome.nodes.items() if node.status == "fault"]
        what = "the gradient of" if len(bad) == 1 else "the gradients of"
        say(f"{what} {', '.join(repr(key) for key in bad)} and the slope of the cost differ")
    return 0 if outcome.valid else FAULT
