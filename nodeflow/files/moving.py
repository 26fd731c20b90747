"""A graph on its way to another folder: the paths in it lead to the same data files."""

from __future__ import annotations

import os
from pathlib import Path

from nodeflow.data.places import escapes, name_folder
from nodeflow.data.relative import relative_source
from nodeflow.graph import Graph


def moved(graph: Graph, folder: Path) -> Graph:
    """Return the graph as a file in `folder` has it; the graph itself if nothing changes.

    Sources that are found from the graph's own folder (without one, from the current folder) get
    their path from the new one; what is found elsewhere keeps its name. The `folder` of the graph
    stays: so far its arrays lie there. Raises `DataError` for a data file that no relative path
    leads to, as on another drive.
    """
    start = graph.folder or Path.cwd()
    if os.path.realpath(start) == os.path.realpath(folder):
        return graph
    for key in graph.datasets:
        source = graph.settings(key)["source"]
        if isinstance(source, str) and source.strip() and not Path(source).is_absolute():
            named = relative_source(source, folder, start)
            if escapes(named) and not escapes(source):
                name_folder((Path(folder) / named).parent)  # what was beside the graph, stays read
            if named != source:
                graph = graph.set(key, source=named)
    return graph
