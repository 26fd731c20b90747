"""Which engine it is that gives the numbers: equal ones give equal bits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_COMPUTING = ("data", "declare.py", "derive", "engine", "formula.py", "graph.py", "inert.py",
              "nodes", "playback", "shape.py", "sweeps")  # fmt: skip
"""The parts of the package that a run's numbers come from."""


@cache
def engine_digest() -> str:
    """Return what tells this engine from others: a digest of all that numbers come from."""
    root = files("nodeflow")  # it may lie in a zip
    found = hashlib.sha256()
    for name in _COMPUTING:
        for path, file in _sources(name, root / name):
            found.update(f"{path} ".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _sources(path: str, part: Traversable) -> Iterator[tuple[str, Traversable]]:
    """Yield the source files of a part, each with its path in the package."""
    if not part.is_dir():
        if path.endswith(".py"):
            yield path, part
        return
    for inner in sorted(part.iterdir(), key=lambda one: one.name):
        yield from _sources(f"{path}/{inner.name}", inner)
