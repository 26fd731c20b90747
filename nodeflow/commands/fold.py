"""`nodeflow fold`: the backward pass behind a trainer again."""

from __future__ import annotations

import click

from nodeflow.commands.derived import write_derived
from nodeflow.commands.options import file_argument, force_option, json_option, out_option


@click.command()
@file_argument
@out_option
@force_option
@json_option
def fold(file: str, *, out: str, force: bool, as_json: bool) -> None:
    """Write the graph with its backward pass behind a trainer again."""
    from nodeflow.derive import fold as derive

    write_derived(file, out, derive, force=force, as_json=as_json)
