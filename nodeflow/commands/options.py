"""Options and arguments that several commands have."""

from __future__ import annotations

import math
from typing import Any

import click

from nodeflow.commands.completing import nodes_of_file
from nodeflow.commands.output import State
from nodeflow.errors import GraphError, RunError


def read_batch(_context: click.Context, _: click.Parameter, value: str | None) -> int | str | None:
    """Read a whole number from 1, or `all`."""
    if value is None or value == "all":
        return value
    if value.isdecimal() and int(value) > 0:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither a whole number from 1 nor 'all'.")


def read_layers(_context: click.Context, _: click.Parameter, value: str | None) -> Any:
    """Read the sizes of layers, such as 7-5-3."""
    if value is None:
        return None
    from nodeflow.networks import layer_sizes

    try:
        return layer_sizes(value)
    except GraphError as error:
        raise click.BadParameter(f"{error}.") from None


def read_moment(_context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Read a moment such as 3:17:hidden."""
    from nodeflow.engine.schedule import Moment

    try:
        if value is not None:
            Moment.read(value)
    except RunError as error:
        raise click.BadParameter(f"{error}.") from None
    return value


def _note_json(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001
    state = context.find_object(State)
    if state is None:
        return value
    state.json = state.json or value  # what a group was given holds for its commands
    return state.json


class FiniteRange(click.FloatRange):
    """A range of numbers: NaN is in none, and infinity is not meant where there is no end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail with a sentence."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return found


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_note_json,
    help="Print one JSON document and nothing else.",
)
file_argument = click.argument("file", metavar="FILE", type=click.Path())
out_option = click.option(
    "-o", "--out", metavar="OUT", required=True, type=click.Path(), help="The graph file to write."
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Replace OUT even if another program changed it meanwhile; what it was is OUT.bak.",
)
node_argument = click.argument(
    "node", metavar="[NODE]", required=False, shell_complete=nodes_of_file
)
