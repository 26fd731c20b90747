"""What lies over the scene: lit ports, the wire being drawn, the box, the tooltip."""

from __future__ import annotations

from nodeflow.editor.canvas.overlay import Loose, Overlay
from nodeflow.editor.state.camera import Camera, Point
from nodeflow.editor.state.model import Editor
from nodeflow.theme import Theme
from nodeflow.window.canvas import badges
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import EM, Fonts, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg

_TEXT = 12 * EM
_LINE = 18.0
_WIDEST = 460.0
_GHOST = (150.0, 26.0)


class OverlayItems:
    """Draws in pixels of the screen; little enough to be drawn anew when it changes."""

    def __init__(self, layer: Item, theme: Theme, fonts: Fonts, scale: float) -> None:
        self.theme, self.fonts, self._scale = theme, fonts, scale
        self._lights = dpg.add_draw_node(parent=layer)
        self._rest = dpg.add_draw_node(parent=layer)
        self._lit: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self.ghost: tuple[str, Point] | None = None
        """A node type on its way from the library, and where it is."""

    def draw(self, editor: Editor, over: Overlay) -> None:
        """Draw what lies over an editor's scene."""
        lit = (over.lit, editor.camera, editor.size)
        if lit != self._lit:
            self._lit = lit
            dpg.delete_item(self._lights, children_only=True)
            self._light(editor, over)
        port = editor.hover.removeprefix("port:") if editor.hover.startswith("port:") else ""
        tooltip = over.tooltip if editor.popup is None else None
        if tooltip is None and editor.popup is None and editor.gesture is None:
            found = badges.tooltip(editor)
            tooltip = (editor.pointer, found) if found else None
        drawn = (over.loose, over.box, tooltip, port, editor.camera, self.ghost)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        dpg.delete_item(self._rest, children_only=True)
        if port and editor.gesture is None:
            self._ring(editor, port)
        if over.loose is not None:
            self._wire(over.loose, editor.camera)
        if over.box is not None:
            self._box(over.box, editor.camera)
        if self.ghost is not None:
            self._ghost(*self.ghost)
        if tooltip is not None:
            refused = over.loose is not None and over.loose.state == "refused"
            self._tooltip(*tooltip, editor.size, problem=refused)

    def _light(self, editor: Editor, over: Overlay) -> None:
        zoom = editor.camera.zoom
        for address in over.lit:
            at = editor.drawn.port(address)
            if at is None:
                continue
            x, y = editor.camera.on_screen(at)
            if not (0 <= x <= editor.size[0] and 0 <= y <= editor.size[1]):
                continue
            colour = rgba(self.theme.selected)
            dpg.draw_circle(
                (x, y), 9 * max(zoom, 0.5), parent=self._lights, color=colour,
                fill=rgba(self.theme.selected, 0.35), thickness=1.5,
            )  # fmt: skip

    def _ring(self, editor: Editor, port: str) -> None:
        at = editor.drawn.port(port)
        if at is None:
            return
        dpg.draw_circle(
            editor.camera.on_screen(at), 7 * max(editor.camera.zoom, 0.5), parent=self._rest,
            color=rgba(self.theme.selected), fill=rgba(self.theme.selected, 0.9),
        )  # fmt: skip

    def _wire(self, loose: Loose, camera: Camera) -> None:
        (x0, y0), (x1, y1) = camera.on_screen(loose.start), camera.on_screen(loose.end)
        theme = self.theme
        colour = rgba(
            {"fits": theme.selected, "refused": theme.problem, "removes": theme.problem}.get(
                loose.state, theme.forward
            )
        )
        pull = max(abs(x1 - x0) / 2, 30.0 * camera.zoom) * loose.leaves
        dpg.draw_bezier_cubic(
            (x0, y0), (x0 + pull, y0), (x1 - pull, y1), (x1, y1),
            parent=self._rest, color=colour, thickness=2.4,
        )  # fmt: skip
        if loose.state in ("refused", "removes"):  # not by colour alone
            for sign in (-1, 1):
                dpg.draw_line(
                    (x1 - 6, y1 - 6 * sign), (x1 + 6, y1 + 6 * sign),
                    parent=self._rest, color=colour, thickness=2.4,
                )  # fmt: skip
        else:
            radius = 6 if loose.state == "fits" else 4
            dpg.draw_circle((x1, y1), radius, parent=self._rest, color=colour, fill=colour)

    def _box(self, box: tuple[Point, Point], camera: Camera) -> None:
        start, end = camera.on_screen(box[0]), camera.on_screen(box[1])
        dpg.draw_rectangle(
            (min(start[0], end[0]), min(start[1], end[1])),
            (max(start[0], end[0]), max(start[1], end[1])),
            parent=self._rest,
            color=rgba(self.theme.selected),
            fill=rgba(self.theme.selected, 0.12),
        )

    def _ghost(self, name: str, at: Point) -> None:
        theme, scale = self.theme, self._scale
        end = at[0] + _GHOST[0] * scale, at[1] + _GHOST[1] * scale
        dpg.draw_rectangle(
            at, end, parent=self._rest, rounding=6,
            color=rgba(theme.selected), fill=rgba(theme.body, 0.9),
        )  # fmt: skip
        dpg.draw_text(
            (at[0] + 10 * scale, at[1] + 5 * scale), name, parent=self._rest, size=_TEXT * scale,
            color=rgba(theme.text),
        )  # fmt: skip

    def _tooltip(
        self, at: Point, lines: tuple[str, ...], size: tuple[float, float], *, problem: bool
    ) -> None:
        font, scale = self.fonts.regular, self._scale
        text_size, line_high = _TEXT * scale, _LINE * scale
        room = min(_WIDEST * scale, size[0] - 40) / text_size
        texts = [part for line in lines for part in wrapped(line, font, room)]
        wide = max(width(text, font) for text in texts) * text_size + 20
        high = len(texts) * line_high + 12
        x = min(at[0] + 16, size[0] - wide - 8)
        y = at[1] + 20 if at[1] + 20 + high < size[1] else at[1] - high - 10
        theme = self.theme
        dpg.draw_rectangle(
            (x, y), (x + wide, y + high), parent=self._rest, rounding=5,
            color=rgba(theme.problem if problem else theme.border), fill=rgba(theme.body, 0.97),
        )  # fmt: skip
        for number, text in enumerate(texts):
            dpg.draw_text(
                (x + 10, y + 6 + number * line_high), text, parent=self._rest, size=text_size,
                color=rgba(theme.text if number == 0 or problem else theme.faint),
            )  # fmt: skip


def wrapped(text: str, font: Item | None, room: float) -> list[str]:
    """Return a text in lines that are no wider than `room` at size 1."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width(longer, font) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    return [fitted(part, font, room) for part in lines]
