"""What a person has chosen; kept between sessions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person has chosen; kept between sessions."""

    theme: str = "dark"
    scale: float = 1.0
    reduced_motion: bool = False
    values: str = "hover"
    """Where values are shown on wires: off, hover, changed or all."""
    minimap: bool = True
    toured: bool = False
    follow: bool = True
    """Whether the view follows the active node in slow motion."""
    library: float = 0.0
    """How wide the library is, in pixels at scale 1: 0 for its own width and only where there is
    room, below 0 for hidden."""
    side: float = 0.0
    """The same of the panels at the right."""
    card: bool = True
    """Whether a card tells what the last step calculated."""
