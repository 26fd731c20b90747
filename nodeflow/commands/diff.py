"""`nodeflow diff`: what changed between two graphs."""

from __future__ import annotations

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import json_option
from nodeflow.commands.output import print_json


@click.command()
@click.argument("a", metavar="A", type=click.Path())
@click.argument("b", metavar="B", type=click.Path())
@json_option
def diff(a: str, b: str, *, as_json: bool) -> None:
    """Say what changed from graph A to graph B, in words."""
    from nodeflow.difference import difference

    changes = difference(load(a), load(b))
    if as_json:
        print_json({"same": not changes, "changes": [change.sentence for change in changes]})
        return
    from nodeflow import terminal

    terminal.show_difference(changes)
