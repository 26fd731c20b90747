"""`nodeflow samples`: the graph files that come with the package."""

from __future__ import annotations

from pathlib import Path

import click

from nodeflow.commands.completing import sample_names
from nodeflow.commands.options import json_option
from nodeflow.commands.output import bold, echo, print_json


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=sample_names)
@json_option
def samples(name: str | None, *, as_json: bool) -> None:
    """List the graphs that come with nodeflow, or write NAME into this folder."""
    import nodeflow.nodes  # noqa: F401  (graphs need their node types)
    from nodeflow import examples

    if name is not None:
        files = examples.write(name, Path())
        if as_json:
            print_json({"name": name, "files": [str(file) for file in files]})
        else:
            word = "lesson" if name.startswith("lessons/") else "play"
            echo(f"{bold(str(files[0]))}  next: nodeflow {word} {files[0]}")
        return
    found = examples.samples()
    if as_json:
        print_json([{"name": one.name, "about": one.about} for one in found.values()])
        return
    width = max(map(len, found), default=0)
    for one in found.values():
        echo(f"{bold(one.name.ljust(width))}  {_short(one.about, 98 - width)}")


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
