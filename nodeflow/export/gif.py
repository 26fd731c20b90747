"""Slow motion as a GIF: one palette for all pictures, and of each only what changed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PIL import GifImagePlugin, Image, ImageChops, ImageColor

from nodeflow.export import Made
from nodeflow.export.film import Film, phase_colours
from nodeflow.theme import Theme

if TYPE_CHECKING:
    from nodeflow.export import Job

MOST = 1500
"""The most pictures: more load too slowly."""
_TICK = 0.01
"""A GIF counts time in hundredths of a second, and viewers want two of them for a picture."""
_CLEAR = 255
"""The index that leaves a point as it was."""
_HEADER = b"GIF89a%s\xf7\x00\x00"
_FOREVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def make(job: Job) -> Made:
    """Return the film."""
    shortest = 2 * _TICK * job.options.speed  # the share of a beat that a picture must last
    moves = 2 if shortest <= 0.2 else 1 if shortest <= 0.4 else 0
    film = Film(job, moves=moves, most=MOST, each=moves + 1, what="GIF")
    palette = shared_palette(film.theme)
    stream = io.BytesIO()
    size = b"".join(side.to_bytes(2, "little") for side in film.size)
    stream.write(_HEADER % size + bytes(palette.getpalette() or ()) + _FOREVER)
    count, clock = 0, Clock(_TICK)
    waiting: tuple[Image.Image, tuple[int, int], int] | None = None
    last: Image.Image | None = None
    for frame in film.frames():
        ticks = clock.ticks(frame.seconds)
        image = frame.image.quantize(palette=palette, dither=Image.Dither.NONE)
        change = _change(last, image)
        if change is None and waiting is not None:
            waiting = (*waiting[:2], waiting[2] + ticks)
            continue
        if waiting is not None:
            stream.writelines(_block(*waiting))
        waiting = (*(change or (image, (0, 0))), ticks)
        last, count = image, count + 1
    if waiting is not None:
        stream.writelines(_block(*waiting))
    stream.write(b";")
    facts = {
        "frames": count,
        "steps": film.reel.total,
        "seconds": round(clock.told * _TICK, 2),
        "width": film.size[0],
        "height": film.size[1],
    }
    return Made(stream.getvalue(), facts, f"{count} pictures, {clock.told * _TICK:.1f} seconds")


class Clock:
    """Turns seconds into whole ticks; what was rounded off is made up for later."""

    def __init__(self, tick: float) -> None:
        self._tick, self._time = tick, 0.0
        self.told = 0

    def ticks(self, seconds: float) -> int:
        """Return how many ticks the next so many seconds have."""
        self._time += seconds
        ticks = round(self._time / self._tick) - self.told
        self.told += ticks
        return ticks


def _change(
    last: Image.Image | None, image: Image.Image
) -> tuple[Image.Image, tuple[int, int]] | None:
    """Return what differs from the last picture and where it lies; None if nothing does."""
    if last is None:
        return image, (0, 0)
    same = ImageChops.difference(_plain(last), _plain(image)).point(lambda x: 0 if x else 255, "1")
    box = ImageChops.invert(same).getbbox()
    if box is None:
        return None
    part = image.crop(box)
    part.paste(_CLEAR, mask=same.crop(box))
    return part, box[:2]


def _plain(image: Image.Image) -> Image.Image:
    """Return the indices of a picture as numbers."""
    return Image.frombytes("L", image.size, image.tobytes())


def _block(image: Image.Image, at: tuple[int, int], ticks: int) -> Iterable[bytes]:
    return GifImagePlugin.getdata(
        image, at, duration=ticks * 10, transparency=_CLEAR, disposal=1, interlace=0
    )


def shared_palette(theme: Theme) -> Image.Image:
    """Return the colours of a theme and what lies between a text and its ground, 255 of them."""
    grounds = [theme.canvas, theme.body, *dict.fromkeys(theme.families.values())]
    signs = [theme.text, theme.faint]
    lights = [*phase_colours(theme).values(), theme.forward, theme.positive, theme.negative,
              theme.problem, theme.border]  # fmt: skip
    pairs = [(ground, sign) for ground in grounds for sign in signs]
    found = dict.fromkeys(map(_rgb, [*grounds, *signs, *lights, theme.grid]))
    # The nearer a blend is to one of the two, the less it is missed: the middle comes first.
    for shares in ((0.5,), (0.25, 0.75), (0.12, 0.38, 0.62, 0.88)):
        for ground in grounds[:2]:
            pairs += [(ground, light) for light in lights]
        for ground, sign in dict.fromkeys(pairs):
            for share in shares:
                found[_between(_rgb(ground), _rgb(sign), share)] = None
    colours = list(found)[:_CLEAR]
    flat = [part for colour in colours for part in colour]
    image = Image.new("P", (1, 1))
    image.putpalette(flat + [0] * (768 - len(flat)))
    return image


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def _between(
    a: tuple[int, int, int], b: tuple[int, int, int], share: float
) -> tuple[int, int, int]:
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue
