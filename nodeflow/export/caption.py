"""The band under a film: where it is, the formula with its numbers, one plain sentence."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from nodeflow.export.frames import Beat
from nodeflow.fonts import BOLD, REGULAR
from nodeflow.theme import Theme

HEIGHT = 122
"""Of the band at size 1, in pixels."""
_SMALL, _LARGE = 13, 16
_LEFT = 18
_SIGNS = {"forward": "▶", "backward": "◀", "update": "●"}


def drawn(
    beat: Beat, width: int, scale: float, theme: Theme, colour: str, done: float
) -> Image.Image:
    """Return the band; `done` is the share of the film that lies behind."""
    image = Image.new("RGB", (width, round(HEIGHT * scale)), theme.body)
    draw = ImageDraw.Draw(image)
    line = round(4 * scale)
    draw.rectangle((0, 0, width, line - 1), fill=theme.border)
    draw.rectangle((0, 0, round(width * done) - 1, line - 1), fill=colour)
    left = round(_LEFT * scale)
    room = width - 2 * left
    small, bold = _font(False, _SMALL * scale), _font(True, _SMALL * scale)
    large = _font(False, _LARGE * scale)
    y = round(13 * scale)
    sign = _SIGNS[beat.phase]
    draw.text((left, y), sign, fill=colour, font=bold)
    at = left + bold.getlength(f"{sign}  ")
    where, _, name = beat.where.rpartition(" · ")
    count = f" · {len(beat.nodes)} steps" if len(beat.nodes) > 1 else ""
    where = _fitted(f"{where}{count} · ", small, room * 0.7)
    draw.text((at, y), where, fill=theme.faint, font=small)
    at += small.getlength(where)
    draw.text((at, y), _fitted(name, bold, left + room - at), fill=theme.text, font=bold)
    y = round(37 * scale)
    lines = _wrapped(beat.formula, large, room, 2)
    for text in lines:
        draw.text((left, y), text, fill=theme.text, font=large)
        y += round(23 * scale)
    sentence = _fitted(beat.sentence, small, room)
    draw.text((left, y + round(7 * scale)), sentence, fill=theme.faint, font=small)
    return image


@lru_cache(maxsize=16)
def _font(bold: bool, size: float) -> ImageFont.FreeTypeFont:  # noqa: FBT001
    return ImageFont.truetype(str(BOLD if bold else REGULAR), size)


def _fitted(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """Return as much of a text as fits beside each other."""
    if font.getlength(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        half = (low + high + 1) // 2
        if font.getlength(f"{text[:half]}…") <= room:
            low = half
        else:
            high = half - 1
    return f"{text[:low].rstrip()}…"


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: float, most: int) -> list[str]:
    """Return at most so many lines, broken between words; the last one ends where room ends."""
    lines: list[str] = []
    words = text.split(" ")
    while words and len(lines) < most - 1:
        held = words.pop(0)
        while words and font.getlength(f"{held} {words[0]}") <= room:
            held += f" {words.pop(0)}"
        lines.append(_fitted(held, font, room))
    return [*lines, _fitted(" ".join(words), font, room)] if words else lines
