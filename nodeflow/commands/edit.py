"""`nodeflow edit`: the editor's window."""

from __future__ import annotations

from pathlib import Path

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import json_option
from nodeflow.commands.output import FAULT, print_json, refuse, state


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--compare", "other", metavar="OTHER", type=click.Path(),
              help="Show first what differs from the graph file OTHER.")  # fmt: skip
@json_option
def edit(file: str | None, *, other: str | None, as_json: bool) -> int:
    """Open the editor, with a graph file if one is given."""
    if other is not None and file is None:
        raise click.UsageError("--compare needs a FILE that is compared with OTHER")
    code = edited(file, other)
    if as_json and not code:
        print_json({"file": file})
    return code


def edited(file: str | None, other: str | None = None) -> int:
    """Open the editor's window and stay until it is closed."""
    from nodeflow.window.platform import display

    why = display.reason()
    if why is not None:
        return refuse(state(), why, FAULT)
    # What is no graph is told here, before a window opens.
    if file is not None:
        load(file, marked=True)
    if other is not None:
        load(other)
    from nodeflow.window.app import main as window

    return window(
        None if file is None else Path(file), other=None if other is None else Path(other)
    )
