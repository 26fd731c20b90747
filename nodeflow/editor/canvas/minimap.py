"""The whole graph, small, in a corner of the canvas: where it lies, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.messages import Wheel
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Looking

WIDTH, HEIGHT = 200, 130
_MARGIN, _PAD = 14, 8
_ROOM = 3.5
"""The least height of the canvas, in heights of the map: on a lower one it would hide nodes."""


@dataclass(frozen=True, slots=True)
class Map:
    """The map on the screen: its top left corner, and how the canvas is laid on it."""

    corner: Point
    origin: Point
    """The canvas point at its corner."""
    scale: float

    def on_map(self, point: Point) -> Point:
        """Return where a canvas point is, from the map's corner."""
        return (
            (point[0] - self.origin[0]) * self.scale,
            (point[1] - self.origin[1]) * self.scale,
        )

    def on_canvas(self, screen: Point) -> Point:
        """Return the canvas point that a point of the screen means."""
        return (
            (screen[0] - self.corner[0]) / self.scale + self.origin[0],
            (screen[1] - self.corner[1]) / self.scale + self.origin[1],
        )

    def holds(self, screen: Point) -> bool:
        """Return whether a point of the screen lies on the map."""
        x, y = screen[0] - self.corner[0], screen[1] - self.corner[1]
        return 0 <= x < WIDTH and 0 <= y < HEIGHT


def shown(editor: Editor) -> Map | None:
    """Return the map of an editor; None where it is off, has no room, or all is seen anyway.

    While its frame is dragged it stays.
    """
    drawn = editor.drawn
    if not editor.preferences.minimap or editor.view != "canvas" or not drawn.nodes:
        return None
    if editor.size[1] < _ROOM * HEIGHT:
        return None
    left, top, right, bottom = drawn.bounds
    if not isinstance(editor.gesture, Looking) and _sees(editor, (left, top), (right, bottom)):
        return None
    scale = min(
        (WIDTH - 2 * _PAD) / max(right - left, 1), (HEIGHT - 2 * _PAD) / max(bottom - top, 1)
    )
    middle = (left + right) / 2, (top + bottom) / 2
    return Map(
        area(editor, editor.aside.minimap)[:2],
        (middle[0] - WIDTH / scale / 2, middle[1] - HEIGHT / scale / 2),
        scale,
    )


def area(editor: Editor, place: Point) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the map in a corner of the canvas, 0 or 1 each way."""
    left = _MARGIN + place[0] * (editor.size[0] - WIDTH - 2 * _MARGIN)
    top = _MARGIN + place[1] * (editor.size[1] - HEIGHT - 2 * _MARGIN)
    return left, top, left + WIDTH, top + HEIGHT


def _sees(editor: Editor, start: Point, end: Point) -> bool:
    x0, y0 = editor.camera.x, editor.camera.y
    x1, y1 = editor.camera.on_canvas(editor.size)
    return x0 <= start[0] and y0 <= start[1] and end[0] <= x1 and end[1] <= y1


def holds(editor: Editor, at: Point) -> bool:
    """Return whether a point of the screen lies on the map."""
    found = shown(editor)
    return found is not None and found.holds(at)


def pressed(editor: Editor, at: Point) -> Editor:
    """Look where the map was pressed, and go on while the button is held."""
    return looked(replace(editor, popup=None, gesture=Looking(), hover=""), at)


def looked(editor: Editor, at: Point) -> Editor:
    """Bring what a point of the map means into the middle; beyond its edge, the edge."""
    found = shown(editor)
    if found is None:
        return editor
    inside = (
        min(max(at[0], found.corner[0]), found.corner[0] + WIDTH),
        min(max(at[1], found.corner[1]), found.corner[1] + HEIGHT),
    )
    camera = editor.camera.centred(found.on_canvas(inside), editor.size)
    return replace(editor, pointer=at, camera=camera)


def wheel(editor: Editor, message: Wheel) -> Editor:
    """Zoom about the middle of what is seen."""
    middle = editor.size[0] / 2, editor.size[1] / 2
    return replace(editor, camera=editor.camera.turned(message.clicks, middle))
