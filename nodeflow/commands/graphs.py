"""Graph files that commands read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodeflow.graph import Graph

_LARGE = 300_000
"""Bytes of a graph file from which on work with it takes more than a second."""


@contextmanager
def working(file: str, **shares: float) -> Iterator[Callable[[str], None]]:
    """Show at which stage work with a large file is, where standard error is a terminal.

    What is yielded is called with the name of each stage; `shares` says how long each takes beside
    the others.
    """
    try:
        large = Path(file).stat().st_size >= _LARGE
    except (OSError, ValueError):  # it will be told when the file is read
        large = False
    if not large or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _stage: None
        return
    from nodeflow import terminal

    with terminal.stages(shares) as enter:
        yield enter


def load(file: str, *, marked: bool = False) -> Graph:
    """Return the graph in a file; its node types are known then.

    What cannot be in the file is left out where that will be `marked`, and refused elsewhere.
    """
    import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
    from nodeflow import files
    from nodeflow.plugins.enabling import load_enabled

    load_enabled()
    graph = files.load_marked(file)[0] if marked else files.load(file)
    _say_what_is_read(graph)
    return graph


def _say_what_is_read(graph: Graph) -> None:
    """Say which files outside the graph's folder are read: nobody sees them in `../`."""
    from nodeflow.commands.output import say
    from nodeflow.data.places import escapes

    for key in graph.datasets:
        source = graph.settings(key)["source"]
        if isinstance(source, str) and graph.folder is not None and escapes(source):
            say(f"'{key}' reads {os.path.realpath(graph.folder / source)}", bad=False)
