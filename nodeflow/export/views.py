"""What view nodes show, drawn into their nodes: numbers, bars, tiles."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator, Mapping
from math import ceil, isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from nodeflow.export.svg import words
from nodeflow.graph import Graph
from nodeflow.scene import NodeView, Scene, note
from nodeflow.theme import Theme
from nodeflow.workings.shown import show

Room = tuple[int, int, int, int]
"""Left, top, width and height, in canvas units."""
_LINE, _COLUMN = 16, 60
_MOST_BARS, _MOST_TILES, _FINEST = 40, 60, 160


def insides(
    graph: Graph, scene: Scene, values: Mapping[str, NDArray[Any]], theme: Theme
) -> dict[str, tuple[str, ...]]:
    """Return the lines that are drawn into each view node.

    A value over time and what needs more than the value are for the editor.
    """
    return {
        view.key: tuple(_inside(graph, view, values, theme))
        for view in scene.nodes.values()
        if view.view is not None
    }


def _inside(
    graph: Graph, view: NodeView, values: Mapping[str, NDArray[Any]], theme: Theme
) -> Iterator[str]:
    room = view.view
    held = [values[wire.start] for wire in graph.into(view.key) if wire.start in values]
    held = [np.atleast_2d(np.asarray(value, float)) for value in held]
    if room is None:
        return
    if view.type == "panel" and not graph.into(view.key):
        yield from _lines(note(graph.nodes[view.key]).splitlines(), room, theme)
    elif not held or view.type in ("plot", "boundary", "confusion"):
        yield from _lines(["shown in the editor"] if held else [], room, theme)
    elif view.type == "image":
        yield _tiles(held[0], room, theme)
    elif view.type == "bars":
        yield from _bars(held[0][0], room, theme)
    elif all(value.size == 1 for value in held):
        yield from _single([show(value.item()) for value in held], room, theme)
    else:
        yield from _grid(held, room, theme)


def _lines(texts: list[str], room: Room, theme: Theme) -> Iterator[str]:
    left, top, width, height = room
    for row, text in enumerate(texts[: height // _LINE]):
        short = text if len(text) <= width // 7 else f"{text[: width // 7 - 1]}…"
        yield words(left + 4, top + 13 + row * _LINE, short, theme.faint)


def _single(texts: list[str], room: Room, theme: Theme) -> Iterator[str]:
    """Draw single numbers large, below each other."""
    left, top, width, height = room
    step = min(height / len(texts), 40)
    first = top + (height - step * (len(texts) - 1)) / 2
    for row, text in enumerate(texts[: int(height / 14)]):
        size = min(24, step * 0.8)
        yield words(
            left + width / 2, first + row * step + size / 3, text, theme.text,
            font_size=f"{size:g}", text_anchor="middle",
        )  # fmt: skip


def _grid(values: list[NDArray[Any]], room: Room, theme: Theme) -> Iterator[str]:
    """Draw numbers in rows and columns; what does not fit is dots, but a single row is broken."""
    left, top, width, height = room
    columns, lines = width // _COLUMN, height // _LINE
    rows = max(len(value) for value in values)
    table = [
        [number for value in values for number in value[min(row, len(value) - 1)]]
        for row in range(min(rows, lines + 1))
    ]
    if rows == 1:
        table = [table[0][at : at + columns] for at in range(0, len(table[0]), columns)]
    for row, numbers in enumerate(table[:lines]):
        below = row == lines - 1 and len(table) > lines
        for column, number in enumerate(numbers[:columns]):
            cut = below or (column == columns - 1 and len(numbers) > columns)
            at = left + (column + 1) * width / columns - 6
            y = top + 13 + row * _LINE
            yield words(at, y, "…" if cut else show(number), theme.text, text_anchor="end")


def _bars(row: NDArray[Any], room: Room, theme: Theme) -> Iterator[str]:
    left, top, width, height = room
    shares = np.nan_to_num(row[:_MOST_BARS])
    largest = float(np.abs(shares).max()) or 1.0
    low, high = min(float(shares.min()), 0) / largest, max(float(shares.max()), 0) / largest
    unit = (height - 8) / ((high - low) or 1)
    zero = top + 4 + high * unit
    step = width / len(shares)
    for place, share in enumerate((shares / largest).tolist()):
        size = max(abs(share) * unit, 1)
        colour = theme.positive if share >= 0 else theme.negative
        yield (
            f'<rect x="{left + place * step + step * 0.1:g}" '
            f'y="{zero - (size if share >= 0 else 0):g}" width="{step * 0.8:g}" '
            f'height="{size:g}" fill="{colour}"/>'
        )


def _tiles(array: NDArray[Any], room: Room, theme: Theme) -> str:
    """Draw each row as a square of its own brightness, or all as one picture of cells."""
    left, top, width, height = room
    side = isqrt(array.shape[1])
    array = np.nan_to_num(array)
    if side * side == array.shape[1] and side > 3:
        array = array[:_MOST_TILES]
        array = array / np.maximum(np.abs(array).max(axis=1, keepdims=True), 1e-12)
        count = len(array)
        columns = max(range(1, count + 1), key=lambda n: min(width / n, height / ceil(count / n)))
        lines, step = ceil(count / columns), side + 1
        pixels = np.zeros((lines * step - 1, columns * step - 1, 4), np.uint8)
        for place, row in enumerate(array):
            y, x = place // columns * step, place % columns * step
            pixels[y : y + side, x : x + side] = _tones(row.reshape(side, side), theme)
    else:
        every = [max(1, ceil(length / _FINEST)) for length in array.shape]
        array = array[:: every[0], :: every[1]]
        pixels = _tones(array / max(float(np.abs(array).max()), 1e-12), theme)
    times = max(1, 400 // max(pixels.shape[:2]))  # sharp edges in every viewer
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG", optimize=True)
    return (
        f'<image x="{left}" y="{top}" width="{width}" height="{height}" '
        f'href="data:image/png;base64,{b64encode(stream.getvalue()).decode()}"/>'
    )


def _tones(shares: NDArray[Any], theme: Theme) -> NDArray[np.uint8]:
    """Return numbers from −1 to 1 as colours: greys, or two colours where some are negative."""
    signs = (theme.text, theme.text) if shares.min() >= 0 else (theme.negative, theme.positive)
    low, high = (np.array(ImageColor.getrgb(colour)[:3], float) for colour in signs)
    ground = np.array(ImageColor.getrgb(theme.canvas)[:3], float)
    ends = np.where((shares >= 0)[..., None], high, low)
    colours = ground + (ends - ground) * np.abs(shares)[..., None]
    opaque = np.full((*shares.shape, 1), 255.0)
    return np.concatenate([colours, opaque], axis=-1).round().astype(np.uint8)
