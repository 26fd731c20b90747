"""What a gradient check found, as a badge at the corner of a node: ✓, ~, · or ✗.

The marks are lines, not letters: a transform scales them. Each has its colour and its shape.
"""

from __future__ import annotations

import math

from nodeflow.editor.state.model import Editor
from nodeflow.theme import Theme
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.toolkit import Item, dpg

_RADIUS = 8.0
_THICK = 2.0
_GREEN = {"dark": "#57c785", "light": "#1a7f45"}
_WAVE = [(-4.2 + 8.4 * n / 10, -2.0 * math.sin(2 * math.pi * n / 10)) for n in range(11)]
_MARKS: dict[str, tuple[list[tuple[float, float]], ...]] = {
    "ok": ([(-4.0, 0.4), (-1.2, 3.2), (4.2, -3.2)],),
    "kink": (_WAVE,),
    "small": ([(-1.2, 0.0), (1.2, 0.0)],),
    "fault": ([(-3.2, -3.2), (3.2, 3.2)], [(-3.2, 3.2), (3.2, -3.2)]),
}


def kind(status: str) -> str:
    """Return ok, kink, small or fault."""
    return status.partition(":")[0]


def colour(status: str, theme: Theme) -> str:
    """Return the colour of what a check found."""
    found = {"ok": _GREEN[theme.name], "kink": theme.feedback, "small": theme.feedback}
    return found.get(kind(status), theme.problem)


def drawn(parent: Item, status: str, theme: Theme) -> Item:
    """Draw a badge about the upper left corner of a node."""
    root: Item = dpg.add_draw_node(parent=parent)
    line = rgba(colour(status, theme))
    corner, end = (-_RADIUS, -_RADIUS), (_RADIUS, _RADIUS)
    dpg.draw_ellipse(
        corner, end, parent=root, color=line, fill=rgba(theme.body), thickness=1.6, segments=24
    )
    for points in _MARKS.get(kind(status), _MARKS["fault"]):
        dpg.draw_polyline(list(points), parent=root, color=line, thickness=_THICK)
    return root


def tooltip(editor: Editor) -> tuple[str, ...]:
    """Return what the check found at the node under the pointer, if it is worth telling."""
    what, _, node = editor.hover.partition(":")
    status = editor.live.checks.get(node, "") if what == "node" else ""
    if not status:
        return ()
    if kind(status) == "ok":
        return ("gradient check: ok",)
    word = {"small": "too small to measure"}.get(kind(status), kind(status))
    return (f"gradient check: {word}", status.partition(": ")[2])
