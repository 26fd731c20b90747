"""`nodeflow upgrade`: a graph file in the newest version of the format."""

from __future__ import annotations

from dataclasses import replace

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import echo, print_json


@click.command()
@file_argument
@click.option(
    "--force",
    is_flag=True,
    help="Replace FILE even if another program changes it meanwhile; what it was is FILE.bak.",
)
@json_option
def upgrade(file: str, *, force: bool, as_json: bool) -> None:
    """Write FILE in the newest version of the format; what it was is kept as FILE.bak.

    In version 2 git merges what two people add side by side. nodeflow reads both.
    """
    from nodeflow.files import NEWEST, save

    graph = load(file)
    before = graph.version
    if before < NEWEST:
        save(replace(graph, version=NEWEST), file, force=force)
    if as_json:
        print_json({"file": file, "from": before, "version": NEWEST})
    elif before < NEWEST:
        echo(f"{file}: version {before} is version {NEWEST} now")
    else:
        echo(f"{file} is of version {NEWEST} already")
