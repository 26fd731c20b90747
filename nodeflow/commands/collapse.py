"""`nodeflow collapse`: an exploded layer or neuron whole again."""

from __future__ import annotations

from functools import partial

import click

from nodeflow.commands.derived import write_derived
from nodeflow.commands.options import (
    file_argument,
    force_option,
    json_option,
    node_argument,
    out_option,
)


@click.command()
@file_argument
@node_argument
@out_option
@force_option
@json_option
def collapse(file: str, node: str | None, *, out: str, force: bool, as_json: bool) -> None:
    """Write the graph with the exploded layer or neuron NODE whole again.

    A NODE that was never exploded, one of several neurons that were wired one by one, becomes a
    layer with those beside it that take the same inputs.
    """
    from nodeflow.derive import collapse as derive

    write_derived(file, out, partial(derive, node=node), force=force, as_json=as_json)
