"""The whole graph, small, in a corner: a picture that is made anew when the graph changes."""

from __future__ import annotations

import numpy as np

from nodeflow.editor.model import Editor
from nodeflow.scene import Scene
from nodeflow.theme import Theme
from nodeflow.window.colours import mixed, rgba
from nodeflow.window.toolkit import Item, dpg

WIDTH, HEIGHT = 200, 130
_MARGIN, _PAD = 14, 8


class Minimap:
    """One texture, painted by NumPy: a thousand nodes cost as much as one."""

    def __init__(self) -> None:
        self._pixels = np.zeros((HEIGHT, WIDTH, 4), np.float32)
        with dpg.texture_registry():
            self._texture = dpg.add_raw_texture(
                WIDTH, HEIGHT, self._pixels, format=dpg.mvFormat_Float_rgba
            )

    def build(self, layer: Item, theme: Theme) -> None:
        """Begin anew in another theme."""
        self._layer, self._theme = layer, theme
        self._scene: Scene | None = None
        self._bounds = (0, 0, 0, 0)
        self._painted = False
        self._state: tuple[object, ...] = ()

    def draw(self, editor: Editor) -> None:
        """Draw the map, and the frame of what is seen; not if all is seen anyway."""
        state = (editor.camera, editor.size, editor.preferences.minimap)
        if state == self._state and editor.drawn is self._scene:
            return
        self._state = state
        dpg.delete_item(self._layer, children_only=True)
        scene = editor.drawn
        if scene is not self._scene:
            self._scene, self._bounds, self._painted = scene, scene.bounds, False
        if not editor.preferences.minimap or not scene.nodes or self._sees_all(editor):
            return
        if not self._painted:
            self._painted = True
            self._paint(scene)
        left, top = editor.size[0] - WIDTH - _MARGIN, editor.size[1] - HEIGHT - _MARGIN
        corner, end = (left, top), (left + WIDTH, top + HEIGHT)
        theme = self._theme
        dpg.draw_image(self._texture, corner, end, parent=self._layer)
        dpg.draw_rectangle(corner, end, parent=self._layer, color=mixed(
            theme.body, theme.border, 0.7
        ))  # fmt: skip
        x0, y0 = self._on_map((editor.camera.x, editor.camera.y))
        x1, y1 = self._on_map(editor.camera.on_canvas(editor.size))
        seen = [
            (left + min(max(x, 1.0), WIDTH - 1.0), top + min(max(y, 1.0), HEIGHT - 1.0))
            for x, y in ((x0, y0), (x1, y1))
        ]
        dpg.draw_rectangle(
            *seen, parent=self._layer, color=rgba(theme.selected), fill=rgba(theme.selected, 0.12)
        )

    def _sees_all(self, editor: Editor) -> bool:
        left, top, right, bottom = self._bounds
        x0, y0 = editor.camera.x, editor.camera.y
        x1, y1 = editor.camera.on_canvas(editor.size)
        return x0 <= left and y0 <= top and right <= x1 and bottom <= y1

    def _on_map(self, point: tuple[float, float]) -> tuple[float, float]:
        return (
            (point[0] - self._origin[0]) * self._scale,
            (point[1] - self._origin[1]) * self._scale,
        )

    def _paint(self, scene: Scene) -> None:
        left, top, right, bottom = self._bounds
        self._scale = min(
            (WIDTH - 2 * _PAD) / max(right - left, 1), (HEIGHT - 2 * _PAD) / max(bottom - top, 1)
        )
        self._origin = (
            (left + right - WIDTH / self._scale) / 2,
            (top + bottom - HEIGHT / self._scale) / 2,
        )
        theme = self._theme
        self._pixels[:] = np.array((*rgba(theme.body)[:3], 235)) / 255
        colours = {
            family: np.array(mixed(colour, theme.text, 0.3)) / 255
            for family, colour in theme.families.items()
        }
        for node in scene.nodes.values():
            x0, y0 = self._on_map((node.x, node.y))
            x1, y1 = self._on_map((node.x + node.width, node.y + node.height))
            rows = slice(round(y0), max(round(y1), round(y0) + 1))
            self._pixels[rows, round(x0) : max(round(x1), round(x0) + 1)] = colours.get(
                node.family, colours[""]
            )
