"""`nodeflow derive`: the derivative of the cost by one weight, as a formula."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import print_json


@click.command()
@file_argument
@click.argument("weight", metavar="WEIGHT")
@json_option
def derive(file: str, weight: str, *, as_json: bool) -> None:
    """Write the derivative of the cost by one weight as a formula, and simplify it.

    WEIGHT is an address with a place counted from 0, such as theta1.value[0,2]. With SymPy
    (nodeflow[symbols]) more than polynomials are simplified.
    """
    graph = load(file)
    from nodeflow.commands.why import place_in
    from nodeflow.engine.run import Run
    from nodeflow.explain.symbols import derive as derived

    run = Run(graph)
    address, index = place_in(weight, {key: value.shape for key, value in run.weights.items()})
    found = derived(run, address, index)
    if as_json:
        print_json(found.as_dict())
        return
    from nodeflow import terminal

    terminal.show_derivative(graph, found)
