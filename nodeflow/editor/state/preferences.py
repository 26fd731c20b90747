"""What a person has chosen; kept between sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]
ValuesShown = Literal["off", "hover", "changed", "all"]
"""On which wires values are shown: where the pointer is, or those that a step has changed."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person has chosen; kept between sessions."""

    theme: ThemeName = "dark"
    scale: float = 1.0
    reduced_motion: bool = False
    values: ValuesShown = "hover"
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
