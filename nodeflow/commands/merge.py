"""`nodeflow merge`: two edits of one graph made into one, as a merge driver of git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nodeflow.commands.options import json_option
from nodeflow.commands.output import FAULT, count, echo, print_json, say

if TYPE_CHECKING:
    from nodeflow.graph import Graph


_HELP = """Put what changed from BASE to THEIRS into OURS.

Where both changed the same in two ways, OURS keeps its own, each conflict is told, and the exit
code is 1. For git:

\b
  git config merge.nodeflow.driver "nodeflow merge %O %A %B"
  echo "*.json merge=nodeflow" >> .gitattributes
"""


@click.command(help=_HELP)
@click.argument("base", metavar="BASE", type=click.Path())
@click.argument("ours", metavar="OURS", type=click.Path())
@click.argument("theirs", metavar="THEIRS", type=click.Path())
@click.option("-o", "--out", metavar="OUT", type=click.Path(),
              help="Where the result is written; what was there is OUT.bak.  [OURS]")  # fmt: skip
@json_option
def merge(base: str, ours: str, theirs: str, *, out: str | None, as_json: bool) -> int:
    """Merge two edits of one graph, as a merge driver of git."""
    from nodeflow import disk
    from nodeflow.files import dumps
    from nodeflow.files.sidecar import backup_of
    from nodeflow.merging import merge as merged

    before = _read(base, may_be_empty=True)
    found = merged(before, _read(ours), _read(theirs))
    path = Path(ours if out is None else out)
    with disk.writing(path):
        real = disk.target(path)
        if out is not None and real.exists():  # git has its own copies of OURS
            disk.write(backup_of(real), real.read_bytes())
        disk.write(real, dumps(found.graph).encode())
    if as_json:
        print_json({"file": str(path), "conflicts": list(found.conflicts)})
    for conflict in found.conflicts:
        say(conflict)
    if not as_json and not found.conflicts:
        echo(f"merged into {path}: {count(len(found.graph.nodes), 'node')}")
    return FAULT if found.conflicts else 0


def _read(file: str, *, may_be_empty: bool = False) -> Graph:
    """Return a graph without its large arrays: git gives files that have none beside them."""
    import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
    from nodeflow import disk
    from nodeflow.files import loads
    from nodeflow.files.text import MAX_BYTES, too_large
    from nodeflow.graph import Graph

    data = disk.read(Path(file), MAX_BYTES, too_large)
    if may_be_empty and not data.strip():
        return Graph()  # both sides added the file
    return loads(data, file=file, beside=False)
