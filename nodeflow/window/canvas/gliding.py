"""Nodes on their way to their new places after a change, so that the eye can follow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from nodeflow.editor.state.camera import Camera
from nodeflow.editor.state.model import Editor
from nodeflow.scene import Scene

_SECONDS, _MOST, _FEWEST_NEW = 0.35, 300, 3
"""How many seconds nodes glide, the most that do, and how many must be new for that."""

Place = tuple[float, float]


@dataclass(slots=True)
class Glides:
    """Nodes on their way after a change: how far each was from its place, in canvas units."""

    offsets: Mapping[str, tuple[float, float]]
    editor: Editor
    began: float | None = None

    def left(self) -> Mapping[str, Place]:
        """Return how far each node still is from its place; nothing when all are there."""
        now = time.perf_counter()
        if self.began is None:
            self.began = now
        share = (now - self.began) / _SECONDS
        if share >= 1:
            return {}
        left = (1 - share) ** 3  # fast first, then slower
        return {key: (dx * left, dy * left) for key, (dx, dy) in self.offsets.items()}

    def undisturbed(self, editor: Editor) -> bool:
        """Return whether nothing was done since; a pointer that only moves is nothing."""
        was = self.editor
        return (
            editor.gesture is None
            and editor.popup is was.popup
            and editor.graph is was.graph
            and editor.camera == was.camera
            and editor.size == was.size
            and editor.selection == was.selection
            and editor.wire == was.wire
        )


def gliding(editor: Editor, old: Scene, camera: Camera) -> Glides | None:
    """Return how the nodes of a new scene come from an old one; None if nothing is to be seen.

    Nodes glide on the screen, so that the eye can follow where the view changes as well. New ones
    come out of what they are named after, or of what was named after them.
    """
    new = editor.drawn
    if new.nodes is old.nodes:
        return None
    both = new.nodes.keys() & old.nodes.keys()
    changed = new.nodes.keys() ^ old.nodes.keys()
    if (
        editor.preferences.reduced_motion
        or editor.gesture is not None
        or len(changed) < _FEWEST_NEW
        or len(both) * 3 < min(len(new.nodes), len(old.nodes))
        or len(new.nodes) > _MOST
        or not both
        or not camera.zoom
    ):
        return None
    offsets = {}
    for key, view in new.nodes.items():
        start = _twin(old, key)
        if start is None:
            continue
        x, y = editor.camera.on_canvas(camera.on_screen(start))
        if (x, y) != (view.x, view.y):
            offsets[key] = x - view.x, y - view.y
    return Glides(offsets, editor) if offsets else None


def _twin(old: Scene, key: str) -> Place | None:
    """Return where a node was, or what it came out of."""
    name = key
    while name:
        if name in old.nodes:
            return old.nodes[name].x, old.nodes[name].y
        name = name.rpartition(".")[0]
    parts = [view for other, view in old.nodes.items() if other.startswith(f"{key}.")]
    if not parts:
        return None
    return sum(v.x for v in parts) / len(parts), sum(v.y for v in parts) / len(parts)
