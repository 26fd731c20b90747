"""`nodeflow edit`: the editor's window."""

from __future__ import annotations

from pathlib import Path

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.options import json_option
from nodeflow.commands.output import FAULT, print_json, refuse, state


@click.command()
@click.argument("file", required=False, type=click.Path())
@json_option
def edit(file: str | None, *, as_json: bool) -> int:
    """Open the editor, with a graph file if one is given."""
    code = edited(file)
    if as_json and not code:
        print_json({"file": file})
    return code


def edited(file: str | None) -> int:
    """Open the editor's window and stay until it is closed."""
    from nodeflow.window import display

    why = display.reason()
    if why is not None:
        return refuse(state(), why, FAULT)
    if file is not None:
        load(file)  # a fault of the file is said here, before a window opens
    from nodeflow.window.app import main as window

    return window(None if file is None else Path(file))
