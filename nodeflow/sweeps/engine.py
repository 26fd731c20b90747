"""Which engine it is that gives the numbers: equal ones give equal bits."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

from nodeflow.declare import NodeType
from nodeflow.graph import Graph

_COMPUTING = ("data", "declare", "derive", "engine", "formula.py", "graph", "inert.py",
              "nodes", "playback", "shape.py", "sweeps")  # fmt: skip
"""The parts of the package that a run's numbers come from."""


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def engine_digest(graph: Graph) -> str:
    """Return what tells this engine from others: a digest of all that a graph's numbers come from.

    The files of the plugins that its types are of are among that.
    """
    known = {node.known for node in graph.nodes.values()}
    others = sorted({file for type_ in known if type_ and not type_.is_own for file in _of(type_)})
    if not others:
        return _own()
    return _digest((file.name, file) for file in others)[:8] + _own()[:8]


@cache
def _own() -> str:
    root = files("nodeflow")  # it may lie in a zip
    return _digest(one for name in _COMPUTING for one in _sources(name, root / name))


def _digest(sources: Iterable[tuple[str, Any]]) -> str:
    found = hashlib.sha256()
    for name, file in sources:
        found.update(f"{name} ".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _of(type_: NodeType) -> list[Path]:
    """Return the files of a type by others: its module's, or those of its package."""
    module = sys.modules.get(type_.function.__module__)
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        return []  # typed into a session: nothing can tell it from others
    path = Path(file)
    return sorted(path.parent.rglob("*.py")) if hasattr(module, "__path__") else [path]


def _sources(path: str, part: Traversable) -> Iterator[tuple[str, Traversable]]:
    """Yield the source files of a part, each with its path in the package."""
    if not part.is_dir():
        if path.endswith(".py"):
            yield path, part
        return
    for inner in sorted(part.iterdir(), key=lambda one: one.name):
        yield from _sources(f"{path}/{inner.name}", inner)
