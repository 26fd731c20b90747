"""The fonts on the display, and how wide a text is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from nodeflow.fonts import BOLD, REGULAR
from nodeflow.window.platform.toolkit import Item, dpg

SIZE = 15
EM = 1.164
"""The height of a line, relative to the size of the font as SVG counts it. In Dear PyGui a font of
size 1 is as high as its lines."""


@dataclass(frozen=True)
class Fonts:
    """Regular and bold; None is the toolkit's own font, before any is loaded."""

    regular: Item | None
    bold: Item | None


def load() -> Fonts:
    """Load the fonts and make the regular one the default."""
    with dpg.font_registry():
        regular, bold = (dpg.add_font(str(path), SIZE) for path in (REGULAR, BOLD))
    dpg.bind_font(regular)
    return Fonts(regular, bold)


@lru_cache(maxsize=20_000)
def width(text: str, font: Item | None) -> float:
    """Return how wide a text is at size 1. Not before the first frame."""
    size = dpg.get_text_size(text, font=font or 0)
    return 0.55 * len(text) if size is None else float(size[0]) / SIZE


@lru_cache(maxsize=20_000)
def fitted(text: str, font: Item | None, room: float, *, middle: bool = False) -> str:
    """Return as much of a text as is `room` wide at size 1: its end or its middle left out."""
    if width(text, font) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        if width(_cut(text, half, middle=middle), font) <= room:
            low = half
        else:
            high = half - 1
    return _cut(text, low, middle=middle)


def fitted_list(text: str, font: Item | None, room: float) -> str:
    """Return as many numbers of a list as there is room for: one that was cut would be misread."""
    numbers, shown = text.split(", "), text
    while width(shown, font) > room:
        if len(numbers) < 2:
            return fitted(text, font, room)
        numbers.pop()
        shown = f"{', '.join(numbers)}, …"
    return shown


def _cut(text: str, keep: int, *, middle: bool) -> str:
    if not middle:
        return f"{text[:keep].rstrip()}…"
    end = keep // 2
    return f"{text[: keep - end]}…{text[len(text) - end :]}"
