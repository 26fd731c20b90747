"""The band under a film: where it is, the formula with its numbers, one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from nodeflow.export.frames import Beat
from nodeflow.fonts import BOLD, REGULAR
from nodeflow.theme import Theme
from nodeflow.workings.shown import percent, show

HEIGHT = 122
"""Of the band at size 1, in pixels."""
_SMALL, _LARGE = 13, 16
_LEFT = 18
_SIGNS = {"forward": "▶", "backward": "◀", "update": "●"}


def drawn(
    beat: Beat,
    width: int,
    scale: float,
    theme: Theme,
    colour: str,
    done: float,
    past: Sequence[Mapping[str, float | None]] = (),
) -> Image.Image:
    """Return the band; `done` is the share of the film that lies behind.

    `past` are the epochs so far, where a beat is one: their cost and accuracy are drawn.
    """
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
    if beat.epoch is not None:
        _of_epoch(draw, beat, past, (left, y, room, scale), theme, done)
        return image
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


_NAMED = (
    ("cost", "cost", show), ("train_accuracy", "accuracy", percent),
    ("test_cost", "test cost", show), ("test_accuracy", "test accuracy", percent),
)  # fmt: skip


def _of_epoch(
    draw: ImageDraw.ImageDraw,
    beat: Beat,
    past: Sequence[Mapping[str, float | None]],
    place: tuple[float, float, float, float],
    theme: Theme,
    done: float,
) -> None:
    """Write an epoch's cost and accuracy, and draw those of all epochs so far at the right."""
    left, y, room, scale = place
    small, bold, large = (_font(False, _SMALL * scale), _font(True, _SMALL * scale),
                          _font(False, _LARGE * scale))  # fmt: skip
    half = room * 0.58
    draw.text((left, y), _fitted(beat.where, bold, half), fill=theme.text, font=bold)
    y += 24 * scale
    for names in (("cost", "train_accuracy"), ("test_cost", "test_accuracy")):
        known = [
            f"{name} {written(number)}"
            for key, name, written in _NAMED
            if key in names and (number := (beat.epoch or {}).get(key)) is not None
        ]
        text = _fitted("    ".join(known), large, half)
        draw.text((left, y), text, fill=theme.text, font=large)
        y += 23 * scale
    draw.text((left, y + 7 * scale), _fitted(beat.sentence, small, half), fill=theme.faint,
              font=small)  # fmt: skip
    box = (left + half + 20 * scale, place[1], left + room, place[1] + 88 * scale)
    draw.rectangle(box, outline=theme.border)
    at, top, foot = box[0] + 8 * scale, box[1] + 24 * scale, box[3] - 4 * scale
    for key, name, colour in (("cost", "cost", theme.forward),
                              ("train_accuracy", "accuracy", theme.positive),
                              ("test_accuracy", "test accuracy", theme.backward)):  # fmt: skip
        heights = [number for line in past if (number := line.get(key)) is not None]
        if len(heights) < len(past) or not heights:
            continue
        # The names stand above the lines, side by side: none lies on a line or on another name.
        draw.text((at, box[1] + 4 * scale), name, fill=colour, font=small)
        at += small.getlength(name) + 14 * scale
        most = 1.0 if key.endswith("accuracy") else max(heights) or 1.0
        wide = (box[2] - box[0]) * done / max(len(heights) - 1, 1)
        points = [
            (box[0] + number * wide, foot - (foot - top) * height / most)
            for number, height in enumerate(heights)
        ]
        if len(points) > 1:
            draw.line(points, fill=colour, width=max(1, round(2 * scale)))


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
