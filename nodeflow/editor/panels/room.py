"""How much of the window the panels beside the canvas take."""

from __future__ import annotations

from nodeflow.editor.state.preferences import Preferences

LIBRARY, SIDE = 214, 316
"""How wide they are where nobody dragged them, in pixels at scale 1."""
_ROOM = 560
"""A canvas that would be narrower takes the library's place, then that of the panels."""
_LEAST = 160
"""The canvas is never narrower."""
NARROWEST = {"library": 120, "side": 230}
"""Nor are panels that are dragged: what stands in them would be cut."""


def widths(preferences: Preferences, wide: int) -> tuple[int, int]:
    """Return how wide the library and the side are in a window, 0 for hidden.

    Where they would leave too little to the canvas the library goes first, then the side, unless
    a person has said that they are to be there.
    """
    scale = preferences.scale
    chosen = {"library": preferences.library, "side": preferences.side}
    found = {
        name: 0.0 if said < 0 else (said or own) * scale
        for (name, said), own in zip(chosen.items(), (LIBRARY, SIDE), strict=True)
    }
    for name in found:
        if wide - sum(found.values()) < _ROOM and chosen[name] == 0:
            found[name] = 0.0
    most = max(wide - _LEAST, 0)
    share = min(most / (sum(found.values()) or 1), 1)
    return round(found["library"] * share), round(found["side"] * share)
