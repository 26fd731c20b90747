"""`nodeflow twins`: which program's rule leads to these weights."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import echo, print_json, say

_ROUNDED = 1e-5
"""How far apart the same rule may be in single precision."""


@click.command()
@file_argument
@click.option("--weights", metavar="AFTER.json", required=True, type=click.Path(),
              help="What the other program has after one update or one epoch, in the form that "
              "nodeflow export FILE weights.json writes.")  # fmt: skip
@json_option
def twins(file: str, weights: str, *, as_json: bool) -> None:
    """Tell which program's rule leads from FILE's start to the weights in AFTER.json.

    Every rule of docs/twins.md trains FILE's network for one update and for one epoch, with
    FILE's learning rate. The nearest comes first; programs with the same rule share a place.
    """
    graph = load(file)
    from nodeflow import terminal
    from nodeflow.twins import compare, read_weights
    from nodeflow.workings.shown import deviation

    left_out: dict[str, str] = {}
    after = read_weights(weights)
    with terminal.bar("trying each program's rule") as tell:
        found = compare(graph, after, left_out=left_out, progress=tell)
    if left_out:
        name, why = next(iter(left_out.items()))
        more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
        say(f"not compared: {name} ({why}){more}", bad=False)
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    width = max(len(one.program) for one in found)
    for one in found:
        echo(
            f"{one.program:<{width}}  {deviation(one.difference):>8}  after {one.after}: {one.what}"
        )
    if found[0].difference > _ROUNDED:
        say(
            f"no rule leads there: the nearest is {deviation(found[0].difference)} away, and "
            f"single precision explains {_ROUNDED:.0e}; is {terminal.clean(file)} what the "
            "program began with (weights, learning rate, data, order of rows), and was it one "
            "update or one epoch?",
            bad=False,
        )
