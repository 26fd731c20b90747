"""`nodeflow explode`: a layer as neurons, a neuron as operations."""

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
def explode(file: str, node: str | None, *, out: str, force: bool, as_json: bool) -> None:
    """Write the graph with the layer NODE as neurons, or the neuron NODE as operations."""
    from nodeflow.derive import explode as derive

    write_derived(file, out, partial(derive, node=node), force=force, as_json=as_json)
