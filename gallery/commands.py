"""The command reference: options from the commands themselves, everything else by hand.

`python -m gallery.commands --write` renews usage and options in docs/commands.md, and adds a
section for a command that has none yet.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nodeflow.cli import app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
_BEGIN, _END = "<!-- from the command itself: -->", "<!-- : as far as here -->"
_PART = re.compile(f"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}", re.DOTALL)
_SECTION = re.compile(r"^## nodeflow ([\w ]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def commands() -> dict[str, click.Command]:
    """Return every command by its name; those of a group as "data get"."""
    found = {}
    context = click.Context(app, info_name="nodeflow")
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        if isinstance(command, click.Group):
            inner = click.Context(command, parent=context, info_name=name)
            for part in command.list_commands(inner):
                found[f"{name} {part}"] = command.get_command(inner, part)
        else:
            found[name] = command
    return {name: command for name, command in found.items() if command is not None}


def sections(text: str) -> dict[str, str]:
    """Return what the page has under each command."""
    return {match[1]: match[2] for match in _SECTION.finditer(text)}


def facts(name: str, command: click.Command) -> str:
    """Return usage, help and options as the page has them."""
    context = click.Context(command, info_name=f"nodeflow {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [_BEGIN, "", "```", f"nodeflow {name} {usage}", "```", "", _told(command.help or "")]
    rows = list(_options(command, context))
    if rows:
        lines += ["", "| option | does |", "| --- | --- |", *rows]
    return "\n".join([*lines, "", _END])


def _told(text: str) -> str:
    """Return a help text as Markdown; what click is told to leave as it is becomes a block."""
    return "\n\n".join(
        "\n".join(["```", *textwrap.dedent(part.removeprefix("\b\n")).splitlines(), "```"])
        if part.startswith("\b\n")
        else " ".join(part.split())
        for part in text.strip().split("\n\n")
    )


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            names, told = (" ".join(part.split()).replace("|", "\\|") for part in record)
            yield f"| `{names}` | {told} |"


def keys_of(section: str) -> list[str]:
    """Return the keys of the JSON document that a section explains, those of its top level."""
    _, _, rest = section.partition("| key | holds |\n")
    rows = (line for line in rest.splitlines() if line.startswith("| `"))
    return [line.split("`")[1] for line in rows if not line.startswith("| `…")]


def refreshed(text: str) -> str:
    """Return the page with usage and options as they are, a section a command, in order."""
    known, found = commands(), sections(text)
    head = text.partition("\n## nodeflow ")[0].rstrip()
    parts = []
    for name in sorted(known):
        fresh, body = facts(name, known[name]), found.get(name, "")
        rest = _PART.sub("", body).strip()
        parts.append(f"## nodeflow {name}\n\n{fresh}" + (f"\n\n{rest}" if rest else ""))
    return "\n\n".join([head, *parts]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page, or write it."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    text = refreshed(PAGE.read_text(encoding="utf-8"))
    if words == ["--write"]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
