"""Which engine it is that gives the numbers: equal ones give equal bits."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_COMPUTING = ("data", "declare.py", "derive", "engine", "formula.py", "graph.py", "inert.py",
              "nodes", "playback", "shape.py", "sweeps")  # fmt: skip
"""The parts of the package that a run's numbers come from."""


@cache
def engine_digest() -> str:
    """Return what tells this engine from others: a digest of all that numbers come from."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    for name in _COMPUTING:
        part = root / name
        for file in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            found.update(f"{file.relative_to(root).as_posix()} ".encode() + file.read_bytes())
    return found.hexdigest()[:16]
