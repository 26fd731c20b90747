"""Graph files that commands read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodeflow.graph import Graph


def load(file: str) -> Graph:
    """Return the graph in a file; its node types are known then."""
    import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
    from nodeflow.files import load as loaded
    from nodeflow.plugins.enabling import load_enabled

    load_enabled()
    graph = loaded(file)
    _say_what_is_read(graph)
    return graph


def _say_what_is_read(graph: Graph) -> None:
    """Say which files outside the graph's folder are read: nobody sees them in `../`."""
    import os

    from nodeflow.commands.output import say
    from nodeflow.data.places import escapes

    for key in graph.datasets:
        source = graph.settings(key)["source"]
        if isinstance(source, str) and graph.folder is not None and escapes(source):
            say(f"'{key}' reads {os.path.realpath(graph.folder / source)}", bad=False)
