"""`nodeflow samples`: the graph files that come with the package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from nodeflow.commands.completing import sample_names
from nodeflow.commands.options import json_option
from nodeflow.commands.output import bold, echo, print_json

_MOST = 20
"""The most graphs of a folder that are listed beside all others."""


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=sample_names)
@json_option
def samples(name: str | None, *, as_json: bool) -> None:
    """List the graphs that come with nodeflow, or write NAME into this folder.

    NAME may also be the folder of a few of them, such as lessons or twins: those are listed.
    """
    import nodeflow.nodes  # noqa: F401  (graphs need their node types)
    from nodeflow import examples

    found = examples.samples()
    folder = [one for one in found.values() if one.name.startswith(f"{name}/")]
    if name is not None and not folder:
        files = examples.write(name, Path())
        if as_json:
            print_json({"name": name, "files": [str(file) for file in files]})
        else:
            word = "lesson" if name.startswith("lessons/") else "play"
            echo(f"{bold(str(files[0]))}  next: nodeflow {word} {files[0]}")
        return
    listed = folder or list(found.values())
    if as_json:
        print_json([{"name": one.name, "about": one.about} for one in listed])
        return
    rows = [(one.name, one.about) for one in listed]
    if not folder:
        rows = list(_folded(rows))
    from nodeflow import terminal

    width = max((len(one) for one, _ in rows), default=0)
    room = max(terminal.console().width - width - 2, 20)
    for one, about in rows:
        echo(f"{bold(one.ljust(width))}  {_short(about, room)}")


def _folded(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the rows of a list, one alone for a folder of many."""
    sizes = Counter(name.partition("/")[0] for name, _ in rows)
    told = set()
    for name, about in rows:
        folder = name.partition("/")[0]
        if sizes[folder] <= _MOST:
            yield name, about
        elif folder not in told:
            told.add(folder)
            yield f"{folder}/…", f"{sizes[folder]} graphs; nodeflow samples {folder} lists them"


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
