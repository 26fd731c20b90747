"""What view nodes show: found as data, then drawn as rectangles, lines and texts.

A view is one module with a function `found(sight, key)`, which its node type names; what it
returns can be drawn, written in lines, and given as plain data. Window, pictures, films, the
terminal and `--json` show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nodeflow.declare import foreign, kind_of
from nodeflow.views.sight import Content, Keep, Sight, Values

if TYPE_CHECKING:
    from nodeflow.data.table import Table
    from nodeflow.graph import Graph
    from nodeflow.views.plot import Past


def module_of(kind: str) -> ModuleType | None:
    """Return the module that tells what a node type shows; None for one that is no view."""
    name = kind_of(kind).view_module
    return import_module(name) if name else None


def is_slow(kind: str) -> bool:
    """Whether a view evaluates the network many times: not for every frame of a window."""
    return kind_of(kind).slow


class Viewer:
    """Finds what the views of a graph show, again and again while it runs."""

    def __init__(self, graph: Graph, tables: Mapping[str, Table] | None = None) -> None:
        self.keep = Keep(graph, {} if tables is None else tables)

    @property
    def graph(self) -> Graph:
        """The graph whose views these are."""
        return self.keep.graph

    def sees(self, graph: Graph) -> bool:
        """Whether it was made for this graph: what was only moved or grouped does not matter."""
        mine = self.graph
        return (
            mine.nodes is graph.nodes
            and mine.wires is graph.wires
            and mine.training == graph.training  # which rows are for training follows from the seed
            and mine.folder == graph.folder
        )

    def look(
        self, key: str, values: Values, weights: Values, past: Mapping[str, Past] | None = None
    ) -> Content | str | None:
        """Return what a view shows; a text says why nothing, None that nothing is known yet.

        One that is switched off shows nothing.
        """
        from nodeflow.errors import NodeflowError

        node = self.graph.nodes[key]
        kind = node.kind
        if not kind.view_module or node.mode != "active":
            return None
        sight = Sight(self.keep, values, weights, past or {})
        try:
            with foreign(kind, key, "the view"):
                found: Content | str | None = import_module(kind.view_module).found(sight, key)
        except NodeflowError as error:
            return str(error)
        return found

    def all(
        self, values: Values, weights: Values, past: Mapping[str, Past] | None = None
    ) -> dict[str, Content | str]:
        """Return what each view of the graph shows."""
        found = {key: self.look(key, values, weights, past) for key in self.graph.nodes}
        return {key: content for key, content in found.items() if content is not None}


def as_data(content: Content | str) -> dict[str, Any]:
    """Return what a view shows as `--json` has it; `why` says why there is nothing."""
    return {"why": content} if isinstance(content, str) else content.as_dict()


__all__ = ["Content", "Viewer", "as_data", "is_slow", "module_of"]
