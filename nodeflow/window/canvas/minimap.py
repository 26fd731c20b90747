"""The whole graph, small, in a corner: a picture that is made anew when the graph changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nodeflow.editor.canvas.minimap import HEIGHT, WIDTH, Map, shown
from nodeflow.editor.state.model import Editor
from nodeflow.scene import Scene
from nodeflow.theme import Theme
from nodeflow.window.platform.colours import mixed, rgba
from nodeflow.window.platform.pace import gone_on
from nodeflow.window.platform.toolkit import Item, dpg


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
        self.busy = False
        """Whether the next frame goes on painting it."""
        self._theme = theme
        self._ground = np.empty_like(self._pixels)
        self._ground[:] = np.array((*rgba(theme.body)[:3], 235)) / 255
        self._scene: Scene | None = None
        self._painted = False
        self._painting: Iterator[object] | None = None
        self._state: tuple[object, ...] = ()
        self._place: tuple[float, float] | None = None
        self._layer = dpg.add_draw_node(parent=layer, show=False)
        nowhere = (0, 0)
        self._items = (
            dpg.draw_image(self._texture, nowhere, nowhere, parent=self._layer),
            dpg.draw_rectangle(
                nowhere, nowhere, parent=self._layer, color=mixed(theme.body, theme.border, 0.7)
            ),
        )
        self._seen = dpg.draw_rectangle(
            nowhere, nowhere, parent=self._layer, color=rgba(theme.selected),
            fill=rgba(theme.selected, 0.12),
        )  # fmt: skip

    def draw(self, editor: Editor, *, late: bool) -> None:
        """Draw the map, and the frame of what is seen; not if all is seen anyway.

        It is painted in pieces, and seen when all of it is there; a `late` frame does one of them.
        """
        state = (editor.camera, editor.size, editor.preferences.minimap, editor.view)
        if state == self._state and editor.drawn is self._scene and not self.busy:
            return
        self._state = state
        scene = editor.drawn
        known, self._scene = self._scene, scene
        found = shown(editor)
        if known is None or known.nodes is not scene.nodes or known.bounds != scene.bounds:
            self._painted, self._painting = False, None
        self._put(None if found is None else found.corner)
        if found is None:
            self.busy = False
            return
        if not self._painted:
            self._painted, self._painting = True, self._paint(scene, found)
        if self._painting is not None:
            self._painting = gone_on(self._painting, *((0.0,) if late else ()))
        self.busy = self._painting is not None
        left, top = found.corner
        ends = (
            found.on_map((editor.camera.x, editor.camera.y)),
            found.on_map(editor.camera.on_canvas(editor.size)),
        )
        start, end = (
            (left + min(max(x, 1.0), WIDTH - 1.0), top + min(max(y, 1.0), HEIGHT - 1.0))
            for x, y in ends
        )
        dpg.configure_item(self._seen, pmin=start, pmax=end)

    def _put(self, corner: tuple[float, float] | None) -> None:
        """Put the map in a corner, or away."""
        if corner == self._place:
            return
        self._place = corner
        dpg.configure_item(self._layer, show=corner is not None)
        if corner is not None:
            end = corner[0] + WIDTH, corner[1] + HEIGHT
            for item in self._items:
                dpg.configure_item(item, pmin=corner, pmax=end)

    def _paint(self, scene: Scene, found: Map) -> Iterator[None]:
        theme = self._theme
        number = {family: n for n, family in enumerate(theme.families)}
        colours = np.array(
            [mixed(one, theme.text, 0.3) for one in theme.families.values()], np.float32
        )
        plain = number[""]
        families = np.array([number.get(n.family, plain) for n in scene.nodes.values()], np.intp)
        yield
        corners = (scene.boxes.reshape(-1, 2, 2) - found.origin) * found.scale
        (x0, y0), (x1, y1) = np.moveaxis(np.rint(corners).astype(np.intp), 0, 2)
        wide, high = np.maximum(x1 - x0, 1), np.maximum(y1 - y0, 1)
        yield
        # Each pixel of each node: where nodes overlap, the last one lies on top.
        count = wide * high
        node = np.repeat(np.arange(len(count)), count)
        place = np.arange(len(node)) - np.repeat(np.cumsum(count) - count, count)
        rows, columns = y0[node] + place // wide[node], x0[node] + place % wide[node]
        yield
        inside = (rows >= 0) & (rows < HEIGHT) & (columns >= 0) & (columns < WIDTH)
        places, painted = rows[inside] * WIDTH + columns[inside], colours[families[node[inside]]]
        yield
        self._pixels[:] = self._ground
        self._pixels.reshape(-1, 4)[places] = painted / 255
