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
    return loaded(file)
