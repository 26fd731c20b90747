"""`nodeflow check`: validity and gradients."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import FAULT, print_json, say


@click.command()
@file_argument
@click.option(
    "--all",
    "whole",
    is_flag=True,
    help="Every number next to the difference of the cost, and how long both take.",
)
@click.option(
    "--every",
    is_flag=True,
    help="Every gradient, also of a graph so large that otherwise some of each node type are "
    "checked.",
)
@json_option
def check(file: str, *, whole: bool, every: bool, as_json: bool) -> int:
    """Check that a graph is valid and its gradients are right."""
    graph = load(file)
    from nodeflow.derive.silent import silent
    from nodeflow.engine.check import check as check_gradients
    from nodeflow.engine.plan import plan
    from nodeflow.engine.verdicts import Check

    unfolding = plan(graph).unfolding
    known = bool(unfolding.cost and unfolding.gradients)
    from nodeflow import terminal

    outcome = Check(valid=True, max_relative_error=0.0, findings=silent(graph))
    sides = None
    if known:
        with terminal.bar("checking gradients") as tell:
            outcome = check_gradients(graph, every=every, progress=tell)
    if whole:
        from nodeflow.engine.comparison import side_by_side

        with terminal.bar("moving numbers one by one") as tell:
            sides = side_by_side(graph, progress=tell)
    if as_json:
        print_json({**outcome.as_dict(), **({"all": sides.as_dict()} if sides else {})})
    else:
        terminal.show_check(graph, outcome)
        if sides is not None:
            terminal.show_sides(sides)
    if not outcome.valid:
        bad = [key for key, node in outcome.nodes.items() if node.status == "fault"]
        what = "the gradient of" if len(bad) == 1 else "the gradients of"
        say(f"{what} {', '.join(repr(key) for key in bad)} and the slope of the cost differ")
    return 0 if outcome.valid else FAULT
