"""Colours of a theme as the toolkit wants them."""

from __future__ import annotations

from functools import lru_cache

from nodeflow.theme import Theme

Colour = tuple[int, int, int, int]
"""Red, green, blue and opacity, from 0 to 255."""
CLEAR: Colour = (0, 0, 0, 0)


@lru_cache(maxsize=500)
def rgba(text: str, alpha: float = 1.0) -> Colour:
    """Return "#rrggbb" as four numbers from 0 to 255."""
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue, round(255 * alpha)


@lru_cache(maxsize=5_000)
def mixed(one: str, other: str, share: float) -> Colour:
    """Return a colour between two, so much of the other."""
    pairs = zip(rgba(one), rgba(other), strict=True)
    red, green, blue, _ = (round(a + (b - a) * share) for a, b in pairs)
    return red, green, blue, 255


def is_colour(text: str) -> bool:
    """Return whether a text, as it stands in a file, is a colour."""
    return (
        len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
    )


def phase_colour(theme: Theme, phase: str) -> str:
    """Return the colour of a phase."""
    return {"backward": theme.backward, "update": theme.feedback}.get(phase, theme.forward)
