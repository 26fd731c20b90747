"""The options that say how a table is read: the same for `new` and `data look`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nodeflow.data import Options

_NAMES = (
    "target", "target_kind", "header", "missing", "separator", "decimal", "thousands", "skip",
    "features", "drop", "text", "missing_mark", "encoding",
)  # fmt: skip
_OPTIONS = (
    click.option("--target", multiple=True, metavar="COLUMN",
                 help="The target column, a name or a number from 0; may be repeated."),
    click.option("--target-kind", type=click.Choice(("classes", "numbers")),
                 help="What the target holds."),
    click.option("--header", is_flag=False, flag_value="yes", type=click.Choice(("yes", "no")),
                 help="Whether the first row names the columns."),
    click.option("--no-header", is_flag=True, help="Short for --header no."),
    click.option("--missing", type=click.Choice(("refuse", "drop", "mean", "keep")),
                 help="Cells without a value: refuse them, drop their rows, fill in the mean, or "
                      "keep the marks as texts."),
    click.option("--missing-mark", multiple=True, metavar="TEXT",
                 help="A further mark of a missing value, such as -999; may be repeated."),
    click.option("--separator", metavar="SIGN", help="Between columns: a sign, tab or blank."),
    click.option("--decimal", metavar="SIGN", help="The decimal mark, a point or a comma."),
    click.option("--thousands", metavar="SIGN",
                 help="The mark between thousands: a comma, point, apostrophe or blank, or none."),
    click.option("--encoding", metavar="NAME",
                 help="How the file stores its text, such as windows-1252."),
    click.option("--skip", type=click.IntRange(0), help="Lines to leave out before the table."),
    click.option("--features", multiple=True, metavar="COLUMN",
                 help="Take only these columns as features; may be repeated."),
    click.option("--drop", multiple=True, metavar="COLUMN",
                 help="Leave this column out; may be repeated."),
    click.option("--text", type=click.Choice(("onehot", "ordinal", "drop")),
                 help="What features that are texts become: one column per text, one number per "
                      "text, or nothing."),
)  # fmt: skip


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how a table is read."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def option_of(options: Options) -> str:
    """Return the first option that was given, as it is typed."""
    return "--" + options.given()[0].replace("_", "-")


def taken(given: dict[str, Any]) -> Options | None:
    """Take those options out of what a command was given; None if none was."""
    from nodeflow.data import Options

    if given.pop("no_header", False):
        if given.get("header") == "yes":
            raise click.UsageError("--header and --no-header contradict each other.")
        given["header"] = "no"
    found: dict[str, Any] = {}
    for name in _NAMES:
        value = given.pop(name, None)
        if value is None or value == ():
            continue
        # A single empty name would be no target at all, and so a guess.
        one = name == "target" and len(value) == 1 and value[0]
        found[name] = value[0] if one else value
    return Options(**found).checked() if found else None
