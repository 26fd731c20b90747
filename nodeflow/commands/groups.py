"""A group of commands, and how its help lists them."""

from __future__ import annotations

import click


class Group(click.Group):
    """A group whose help has the first sentence of each command whole, in several lines if need be.

    Click cuts it to one line.
    """

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands that are not hidden, each with what it does."""
        found = ((name, self.get_command(context, name)) for name in self.list_commands(context))
        rows = [(name, _sentence(one)) for name, one in found if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _sentence(command: click.Command) -> str:
    """Return what a command does, without what follows in its help."""
    first = (command.help or "").partition("\n\n")[0]
    return " ".join(first.split()).rstrip(":.") + "."
