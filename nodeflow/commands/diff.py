"""`nodeflow diff`: what changed between two graphs."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import json_option
from nodeflow.commands.output import print_json


@click.command()
@click.argument("a", metavar="A", type=click.Path())
@click.argument("b", metavar="B", type=click.Path())
@click.option("-o", "--out", metavar="OUT", type=click.Path(),
              help="Draw both graphs as one, as .svg, .png or .html.")  # fmt: skip
@json_option
def diff(a: str, b: str, *, out: str | None, as_json: bool) -> None:
    """Say what changed from graph A to graph B, in words, or draw it."""
    from nodeflow.difference import difference

    before, after = load(a), load(b)
    if out is None:
        changes = difference(before, after)
    else:
        from nodeflow.export.compared import write

        changes = write(before, after, out)
    if as_json:
        print_json({"same": not changes, "changes": [change.sentence for change in changes]})
        return
    from nodeflow import terminal

    terminal.show_difference(changes)
