"""`panel`: any values as text; without a wire, what was noted on it."""

from __future__ import annotations

from nodeflow.views.several import Several, taken
from nodeflow.views.sight import Sight


def found(sight: Sight, key: str) -> Several | None:
    """Return what enters it."""
    return taken(sight, key)
