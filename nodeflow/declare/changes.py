"""How often node types have changed: what was made of them before is made anew."""

from __future__ import annotations


class _Changes:
    count = 0


def changes() -> int:
    """Return how often a node type was added, taken out or changed.

    What was made with the types as they were before is of no use afterwards.
    """
    return _Changes.count


def note_change() -> None:
    """Note that a node type is another one now."""
    _Changes.count += 1
