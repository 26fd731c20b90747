"""Pictures of the documentation in a dark site: drawings in dark colours, plots on their paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import product

from nodeflow.theme import DARK, LIGHT, Theme

_HEX = re.compile(r"#[0-9a-f]{6}\b")
_NEAR = 0.6
"""How far a part of a blended colour may be off: it was rounded."""
Colour = tuple[int, ...]


def darkened(picture: str) -> str | None:
    """Return a drawing of a graph in the colours of the dark theme; None for another picture.

    A blend of two colours of the light theme becomes the same blend of the dark one's.
    """
    if f'fill="{LIGHT.canvas}"' not in picture:
        return None
    return _HEX.sub(lambda found: _dark(found[0]), picture)


@cache
def _dark(colour: str) -> str:
    light, dark = _colours(LIGHT), _colours(DARK)
    wanted = _parts(colour)
    for name, own in light.items():
        if own == wanted:
            return _written(dark[name])
    for ground, name in product(("body", "canvas"), light):
        share = _share(wanted, light[ground], light[name])
        if share is not None:
            return _written(_blend(dark[ground], dark[name], share))
    return colour


def _colours(theme: Theme) -> Mapping[str, Colour]:
    found = {name: value for name, value in vars(theme).items() if str(value).startswith("#")}
    found |= {f"family {name}": value for name, value in theme.families.items()}
    return {name: _parts(value) for name, value in found.items()}


def _share(wanted: Colour, ground: Colour, other: Colour) -> float | None:
    """Return how much of another colour a blend has; None where it is no blend of these."""
    away = sum((b - a) ** 2 for a, b in zip(ground, other, strict=True))
    if not away:
        return None
    dots = zip(wanted, ground, other, strict=True)
    share = sum((w - a) * (b - a) for w, a, b in dots) / away
    found = _blend(ground, other, share)
    off = max(abs(w - each) for w, each in zip(wanted, found, strict=True))
    return share if off <= _NEAR and 0 < share < 1 else None


def _blend(ground: Colour, other: Colour, share: float) -> tuple[float, ...]:
    return tuple(a + share * (b - a) for a, b in zip(ground, other, strict=True))


def _parts(colour: str) -> Colour:
    return tuple(bytes.fromhex(colour[1:]))


def _written(colour: tuple[float, ...]) -> str:
    return "#" + bytes(round(part) for part in colour).hex()
