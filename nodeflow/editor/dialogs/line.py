"""A line of a popup's list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """What a line does (a node type, a command, a node), its text and a hint beside it."""

    name: str
    text: str
    hint: str = ""
