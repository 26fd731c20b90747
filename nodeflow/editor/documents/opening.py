"""Opening files of which some settings cannot be: their nodes are marked, the rest is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodeflow.editor.state.messages import Failed
from nodeflow.editor.state.model import NO_MISTAKES, Mistyped
from nodeflow.editor.state.reading import written
from nodeflow.files import load_marked
from nodeflow.graph import Graph

Mistakes = Mapping[tuple[str, str], Mistyped]
"""By node and setting: what stands in the file, and why it cannot be."""


def opened(path: Path) -> tuple[Graph, Mistakes]:
    """Return the graph of a file and what cannot be in it; raises `FileError`."""
    graph, faults = load_marked(path)
    found = {}
    for fault in faults:
        settings = graph.settings(fault.node) if graph.nodes[fault.node].known else {}
        over = written(settings.get(fault.setting))
        found[fault.node, fault.setting] = Mistyped(written(fault.value), over, fault.why)
    return graph, found or NO_MISTAKES


def told(path: Path, mistakes: Mistakes) -> list[Failed]:
    """Return what is said of a file in which something cannot be."""
    if not mistakes:
        return []
    (node, setting), what = next(iter(mistakes.items()))
    more = f", and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
    meanwhile = f" ({what.over} stands in for it)" if what.over else ""
    return [Failed(f"{path.name}: {node}.{setting} {what.fault}{meanwhile}{more}")]
