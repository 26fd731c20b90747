"""Where what lies over the canvas is put: where it covers the fewest nodes.

The Train button and the minimap are put there when a view is fitted, and stay while somebody looks
around; the changed number of the lit node stands at a side of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.canvas import minimap
from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.model import Aside, Editor

WIDE, HIGH, MARGIN = 150.0, 52.0, 24.0
"""The Train button at scale 1, and how far it is from the edge, in pixels."""
CARD = 160.0
"""How high the card with the formula of the last step is at most, with its margin, at scale 1."""
LOW_CARD, _LOW = 112.0, 3.6
"""The same on a canvas that is lower than so many cards."""
LESSON, _MOST_OF_LESSON = 224.0, 0.45
"""How high the card of a lesson is, as most tasks have it, and what of a low canvas it may take."""
_AT_EDGES = tuple((across, down) for down in (1.0, 0.0) for across in (0.0, 1.0, 0.25, 0.75))
_BUTTON = ((0.5, 1.0), *_AT_EDGES, (0.5, 0.0))
_MAP = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.5), (0.0, 0.5), *_AT_EDGES)
"""Places, the usual one first, as shares of the canvas."""

Area = tuple[float, float, float, float]
"""Left, top, right and bottom on the screen."""


def waits(editor: Editor) -> bool:
    """Return whether the canvas offers a Train button: nothing was trained, nothing else does."""
    live = editor.live
    return (
        editor.view == "canvas"
        and editor.comparison is None
        and editor.lesson is None
        and not live.history
        and not live.update
        and not live.playback.number
        and live.state != "training"
        and editor.learns
    )


def foot(editor: Editor) -> float:
    """Return how many pixels at the foot the card of a lesson, or the Train button, takes."""
    scale = editor.preferences.scale
    if editor.lesson is not None and not editor.lesson.making:
        return min(LESSON * scale, _MOST_OF_LESSON * editor.size[1])
    return MARGIN + HIGH * scale if waits(editor) else 0.0


def button(editor: Editor, place: tuple[float, float] | None = None) -> Area:
    """Return where the Train button lies, or would lie at another place."""
    across, down = place or editor.aside.button
    scale = editor.preferences.scale
    wide, high = WIDE * scale, HIGH * scale
    left = MARGIN + across * (editor.size[0] - wide - 2 * MARGIN)
    top = MARGIN + down * (editor.size[1] - high - 2 * MARGIN)
    return left, top, left + wide, top + high


def card_high(editor: Editor) -> float:
    """Return how many pixels at the canvas's foot the card with the last formula takes."""
    shown = editor.preferences.card and editor.live.playback.step is not None
    if not shown or editor.lesson is not None or editor.live.state == "training":
        return 0.0
    return (LOW_CARD if is_low(editor) else CARD) * editor.preferences.scale


def is_low(editor: Editor) -> bool:
    """Return whether the canvas is so low that the card tells less."""
    return editor.size[1] < _LOW * CARD * editor.preferences.scale


def placed(editor: Editor) -> Editor:
    """Return an editor with both where they cover the fewest nodes as it is seen now."""
    if not editor.drawn.nodes:
        return replace(editor, aside=Aside())
    boxes = _on_screen(editor)
    chosen = Aside()
    taken = np.zeros((0, 4), float)
    if waits(editor):
        areas = [button(editor, place) for place in _BUTTON]
        number = _best(areas, boxes, taken)
        chosen, taken = replace(chosen, button=_BUTTON[number]), np.array([areas[number]])
    areas = [minimap.area(editor, place) for place in _MAP]
    return replace(editor, aside=replace(chosen, minimap=_MAP[_best(areas, boxes, taken)]))


def beside(editor: Editor, box: Area, size: tuple[float, float], gap: float) -> Point:
    """Return where something of a size stands at a node, `gap` pixels from its box on the screen.

    That is below it, or else above, right or left, where it covers no other node and is in view.
    """
    (left, top, right, bottom), (wide, high) = box, size
    middle = (
        _seen((left, right), wide, editor.size[0]),
        _seen((top, bottom), high, editor.size[1]),
    )
    corners = (
        (middle[0], bottom + gap), (middle[0], top - gap - high),
        (right + gap, middle[1]), (left - gap - wide, middle[1]),
    )  # fmt: skip
    boxes = _on_screen(editor)
    area = [(x, y, x + wide, y + high) for x, y in corners]
    hidden = [wide * high - _shared(each, np.array([[0.0, 0.0, *editor.size]])) for each in area]
    costs = [_shared(each, boxes) + out for each, out in zip(area, hidden, strict=True)]
    return corners[costs.index(min(costs))]


def _seen(side: tuple[float, float], long: float, size: float) -> float:
    """Return where something so long begins beside a side: at its middle, or else in view."""
    begin, end = side
    at = max(min((begin + end - long) / 2, size - long), 0.0)
    return max(min(at, end), begin - long)


def covered(editor: Editor, area: Area) -> float:
    """Return how many square pixels of nodes lie under an area."""
    return _shared(area, _on_screen(editor))


def _best(areas: list[Area], boxes: NDArray[np.float64], taken: NDArray[np.float64]) -> int:
    """Return the number of the area that covers least, the first of those that cover nothing."""
    costs = [(_shared(area, taken) > 0, _shared(area, boxes)) for area in areas]
    return costs.index(min(costs))


def _on_screen(editor: Editor) -> NDArray[np.float64]:
    camera = editor.camera
    corner = np.array([camera.x, camera.y, camera.x, camera.y])
    found: NDArray[np.float64] = (editor.drawn.boxes - corner) * camera.zoom
    return found


def _shared(area: Area, boxes: NDArray[np.float64]) -> float:
    """Return how many square pixels an area has in common with boxes."""
    left, top, right, bottom = area
    wide = np.minimum(boxes[:, 2], right) - np.maximum(boxes[:, 0], left)
    high = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    return float((np.maximum(wide, 0) * np.maximum(high, 0)).sum())
