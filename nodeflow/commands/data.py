"""`nodeflow data`: tables and public data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nodeflow.commands.groups import Group
from nodeflow.commands.options import file_argument, json_option
from nodeflow.commands.output import FAULT, echo, print_json, refuse, state
from nodeflow.commands.tables import table_options, taken
from nodeflow.errors import FileError


@click.group(cls=Group)
@json_option
def data(*, as_json: bool) -> None:
    """Look at tables, and fetch public data sets."""


@data.command()
@file_argument
@table_options
@json_option
def look(file: str, *, as_json: bool, **said: Any) -> int:
    """Show how the table in FILE is read: its columns, its target, and why."""
    from nodeflow import terminal
    from nodeflow.data import look as read

    with terminal.reading_bar():
        reading = read(file, options=taken(said))
    if as_json:
        print_json(reading.as_dict())
    else:
        terminal.show_reading(reading)
    return refuse(state(), reading.fault, FAULT) if reading.fault else 0


@data.command()
@click.argument("folder", metavar="FOLDER", type=click.Path())
@json_option
def allow(folder: str, *, as_json: bool) -> None:
    """Let graph files read data in FOLDER, though it is not theirs (by ../ in their sources)."""
    import os

    from nodeflow.data.places import kept_in, name_folder

    if not Path(folder).is_dir():
        raise FileError("there is no such folder", file=folder)
    kept = name_folder(Path(folder))
    real = os.path.realpath(folder)
    if not kept:
        raise FileError(
            f"cannot be kept: {kept_in()} is damaged or cannot be written; mend or move it "
            "(NODEFLOW_DATA names a folder too)",
            file=real,
        )
    if as_json:
        print_json({"folder": real})
    else:
        echo(f"graphs may read data in {real}")


@data.command()
@click.argument("name", metavar="NAME")
@json_option
def get(name: str, *, as_json: bool) -> None:
    """Fetch the data set NAME (mnist or wheat-seeds) into your data folder."""
    from nodeflow.data.fetch import get as fetch

    path = fetch(name, progress=sys.stderr.isatty())
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        echo(str(path))
