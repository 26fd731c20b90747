"""The canvas of a film in pixels: only what changed is drawn again.

The wires are one picture, each node is another above it. Lengths in pixels are counted from the
left and top of the whole canvas.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from PIL import Image, ImageFont

from nodeflow.export.pixels import rendered
from nodeflow.export.svg import (
    Bounds,
    bounds,
    chip,
    document,
    ground,
    lit_frame,
    lit_wire,
    node,
    token,
)
from nodeflow.fonts import REGULAR
from nodeflow.scene import NodeView, Scene
from nodeflow.theme import Theme
from nodeflow.wires import WireView

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""
Insides = Mapping[str, Sequence[str]]
_AROUND = 7
"""How far a node's ports and its light stick out, in canvas units."""

_MOST_SMALLS = 1000
_MEASURE = ImageFont.truetype(str(REGULAR), 110)
"""Ten times as large as on the canvas."""


def picture(svg: str, scale: float) -> Image.Image:
    """Return an SVG document as an image."""
    return Image.open(io.BytesIO(rendered(svg, scale))).convert("RGBA")


class Sprite:
    """A drawing and where it lies."""

    def __init__(self, image: Image.Image, left: int, top: int) -> None:
        self.image = image
        self.box: Box = (left, top, left + image.width, top + image.height)

    def onto(self, image: Image.Image, left: int, top: int) -> None:
        """Lay it on an image whose corner is at (left, top)."""
        image.paste(self.image, (self.box[0] - left, self.box[1] - top), self.image)


class Stage:
    """The whole canvas at one zoom, in pixels a unit."""

    def __init__(
        self, scene: Scene, insides: Insides, theme: Theme, zoom: float,
        old: Collection[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.theme, self.zoom = theme, zoom
        self._shown = bounds(scene)
        self._looks: dict[str, tuple[NodeView, Sequence[str], bool]] = {}
        self._sprites: dict[str, Sprite] = {}
        self._smalls: dict[tuple[str, str], Image.Image] = {}
        self.scene = scene
        self.show(scene, insides, old)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._whole.size

    def show(self, scene: Scene, insides: Insides, old: Collection[str] = frozenset()) -> None:
        """Show another state of the same graph: `insides` is what its view nodes show.

        What the nodes of `old` show is of an earlier pass.
        """
        if not self._sprites or scene.wires != self.scene.wires:
            drawn = document(self._shown, ground(scene, self.theme), self.theme.canvas)
            self._ground = picture(drawn, self.zoom).convert("RGB")
            self._whole = self._ground.copy()
            for sprite in self._sprites.values():
                sprite.onto(self._whole, 0, 0)
        self.scene = scene
        for view in scene.nodes.values():
            self._put(view, insides.get(view.key, ()), view.key in old)

    def _put(self, view: NodeView, inside: Sequence[str], old: bool) -> None:  # noqa: FBT001
        look = replace(view, value=None), inside, old  # the numbers are in its texts
        if self._looks.get(view.key) == look:
            return
        self._looks[view.key] = look
        drawn = self._sprite(_around(view), node(view, self.theme, inside, old=old))
        self._sprites[view.key] = drawn
        self._restore(drawn.box)

    def frame(self, view: NodeView, colour: str) -> Sprite:
        """Return the light around a node."""
        return self._sprite(_around(view), lit_frame(view, colour))

    def light(self, wires: Iterable[WireView], colour: str) -> Sprite | None:
        """Return the light of some wires."""
        held = list(wires)
        if not held:
            return None
        edges = [wire.bounds for wire in held]
        box = (
            min(edge[0] for edge in edges) - _AROUND,
            min(edge[1] for edge in edges) - _AROUND,
            max(edge[2] for edge in edges) + _AROUND,
            max(edge[3] for edge in edges) + _AROUND,
        )
        return self._sprite(box, (lit_wire(wire, colour) for wire in held))

    def chip(self, text: str, colour: str, x: float, y: float, side: int = 0) -> Sprite:
        """Return a value in a small box beside a point of the canvas, or around it (0)."""
        image = self._small(text, colour)
        px, py = self.at(x, y)
        left = px - image.width // 2 + side * (image.width // 2 + round(8 * self.zoom))
        return Sprite(image, left, py - image.height // 2)

    def token(self, colour: str, x: float, y: float) -> Sprite:
        """Return what runs along a wire."""
        image = self._small("", colour)
        px, py = self.at(x, y)
        return Sprite(image, px - image.width // 2, py - image.height // 2)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return where a point of the canvas is in pixels."""
        return round((x - self._shown[0]) * self.zoom), round((y - self._shown[1]) * self.zoom)

    def view(self, box: Box, wires: Sprite | None = None) -> Image.Image:
        """Return a part of the canvas; lit wires lie over the others and under the nodes."""
        found = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), self.theme.canvas)
        inside = _common(box, (0, 0, *self.size))
        if inside is not None:
            found.paste(self._whole.crop(inside), (inside[0] - box[0], inside[1] - box[1]))
        if wires is not None:
            wires.onto(found, *box[:2])
            for sprite in self._sprites.values():
                if _common(sprite.box, wires.box) and _common(sprite.box, box):
                    sprite.onto(found, *box[:2])
        return found

    def _small(self, text: str, colour: str) -> Image.Image:
        """Return the drawing of a value in a box, or of a token: many look the same."""
        if len(self._smalls) > _MOST_SMALLS:
            self._smalls.clear()
        if (text, colour) not in self._smalls:
            half, high = 7.0, 7.0
            lines = [token(self.theme, colour)]
            if text:
                width = _MEASURE.getlength(text) / 10 + 14
                half, high = width / 2 + 1, 9.0
                lines = list(chip(text, width, self.theme, colour))
            made = picture(document((-half, -high, half, high), lines), self.zoom)
            self._smalls[text, colour] = made
        return self._smalls[text, colour]

    def _restore(self, box: Box) -> None:
        """Draw a part of the canvas again: the wires, and the nodes on them."""
        patch = self._ground.crop(box)
        for sprite in self._sprites.values():
            if _common(sprite.box, box):
                sprite.onto(patch, *box[:2])
        self._whole.paste(patch, box[:2])

    def _sprite(self, box: Bounds, lines: Iterable[str]) -> Sprite:
        """Draw lines in a box, whose edges are moved to those of pixels."""
        left, top = (math.floor((box[i] - self._shown[i]) * self.zoom) for i in (0, 1))
        right, bottom = (math.ceil((box[i + 2] - self._shown[i]) * self.zoom) for i in (0, 1))
        x, y = self._shown[0] + left / self.zoom, self._shown[1] + top / self.zoom
        width, height = (right - left) / self.zoom, (bottom - top) / self.zoom
        return Sprite(picture(document((x, y, x + width, y + height), lines), self.zoom), left, top)


def _around(view: NodeView) -> Bounds:
    """Return the box of a node with its ports and its light."""
    right, bottom = view.x + view.width, view.y + view.height
    return view.x - _AROUND, view.y - _AROUND, right + _AROUND, bottom + _AROUND


def _common(a: Box, b: Box) -> Box | None:
    box = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return box if box[0] < box[2] and box[1] < box[3] else None
