"""What moves over the canvas in slow motion: the lit node, tokens, the changed number, stops.

Items are made once and moved: a frame costs a transform a token.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nodeflow.editor.canvas import aside
from nodeflow.editor.playing.motion import Motion, Token, Traffic, motion, owner
from nodeflow.editor.state.camera import Camera, Point
from nodeflow.editor.state.model import Editor
from nodeflow.graph import Wire
from nodeflow.routing import along
from nodeflow.scene import Scene
from nodeflow.theme import Theme
from nodeflow.window.canvas.summaries import SMALLEST
from nodeflow.window.canvas.wireitems import Look
from nodeflow.window.platform.colours import mixed, phase_colour, rgba
from nodeflow.window.platform.fonts import EM, Fonts, width
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.wires import Stroke

TRAVEL = 0.7
"""The share of a step in which tokens travel; after it the node flashes."""
_SMOOTH = 12.0
"""Steps a second up to which tokens travel; at a higher speed they jump."""
_ONCE = 0.6
"""Seconds that a single step by key takes."""
_TEXT, _CHIP = 11.0 * EM, 12.5 * EM
_LEAST, _MOST = 1.0, 1.3
"""Between these zooms tokens are as large as the canvas is; what is smaller is not read."""
_DOTS = 0.34
"""Below this zoom tokens are without their numbers."""
_NAMED = 0.42
"""Below this zoom the name of the lit node stands above it if its title is cut."""
_HIGH, _TIP = 18.0, 8.0
_REACH = 5.0
"""How far the lit frame is from its node."""
_STOP = 6.0
_AT_ONCE = 6
"""The most tokens that are written in a frame."""
_NOTHING = Motion()
_SEEN = 0.05
"""The change of a wire's thickness from which it is drawn anew."""


@dataclass(slots=True)
class _TokenItems:
    """What is drawn of a token, and how far its text reaches from its middle."""

    root: Item
    pill: Item
    arrow: Item
    text: Item
    half: float = 0.0
    blames: bool | None = None
    """Whether the arrow is shown and not the pill; None before the first."""
    shown: bool = True


class MotionItems:
    """Draws what the last step shows, on a layer in pixels of the screen."""

    def __init__(self, layer: Item, marks: Item, theme: Theme, fonts: Fonts, scale: float) -> None:
        self._theme, self._fonts, self._marks, self._scale = theme, fonts, marks, scale
        self.busy = False
        """Whether the next frame differs."""
        self.began = False
        """Whether a step came in this frame."""
        self.restyled: set[str] | None = set()
        """The ports whose wires look otherwise than they are drawn; None: all of them."""
        self._widths: Mapping[str, float] = {}
        self._shares: Mapping[str, float] | None = None
        self._motion = _NOTHING
        self._carrying: frozenset[Wire] = frozenset()
        self._moment: tuple[int, int] = (-1, 0)
        self._came, self._lasts = 0.0, 0.0
        self._drawn: tuple[object, ...] = ()
        self._nothing = True
        """Whether nothing is seen: where no step was made."""
        self._written: tuple[object, ...] = ()
        self._stops: tuple[object, ...] = ()
        self._frames = dpg.add_draw_node(parent=layer)
        self._glow = _outline(self._frames, 7.0)
        self._frame = _outline(self._frames, 2.5)
        self._next = _outline(self._frames, 1.5)
        self._name = dpg.add_draw_node(parent=layer, show=False)
        self._name_box = dpg.draw_rectangle(
            (0, 0), (1, 1), parent=self._name, rounding=3, color=(0, 0, 0, 0),
            fill=rgba(theme.canvas, 0.85),
        )  # fmt: skip
        self._name_text = dpg.draw_text((0, 0), "", parent=self._name, color=rgba(theme.text))
        if fonts.regular is not None:
            dpg.bind_item_font(self._name_text, fonts.regular)
        self._layer = dpg.add_draw_node(parent=layer)
        self._pool: list[_TokenItems] = []
        self._traffic = Traffic(())
        self._tokens: tuple[Token, ...] = ()
        self._written_of = 0
        """How many of the tokens have their shapes and numbers."""
        self._shown = 0
        self._chip = dpg.add_draw_node(parent=layer, show=False)
        self._chip_box = dpg.draw_rectangle((0, 0), (1, 1), parent=self._chip, rounding=6)
        self._beside: tuple[object, ...] = (None,)
        """What the chip was placed for, relative to its node: it stays while the step is shown."""
        self._chip_at = 0.0, 0.0
        self._chip_text = dpg.draw_text((0, 0), "", parent=self._chip, size=_CHIP)

    @property
    def lit(self) -> str:
        """The node that the last step evaluated; "" where no step led here."""
        return self._motion.lit

    @property
    def changed(self) -> frozenset[str]:
        """The addresses that hold another value since the last step."""
        return self._motion.changed

    @property
    def carrying(self) -> frozenset[Wire]:
        """The wires on which a token tells the value."""
        return self._carrying

    # --- wires

    def look(self, stroke: Stroke, look: Look) -> Look:
        """Return how a stroke looks: thick by blame, or by its difference to another future.

        One of several wires looks as that of them for which there is the most to see.
        """
        wires = stroke.wires[:1] if stroke.part == "start" else stroke.wires  # all start there
        if self._shares is not None:
            share = max(self._shares.get(view.wire.start, 0.0) for view in wires)
            theme = self._theme
            # Larger is both more orange and thicker: not told by colour alone.
            return mixed(theme.border, theme.positive, share), stroke.thickness - 0.8 + 3.0 * share
        if not self._widths:
            return look
        wide = max(
            (self._widths.get(view.wire.start, 0.0) for view in wires
             if view.wire in self._motion.bearing),
            default=0.0,
        )  # fmt: skip
        return (rgba(self._theme.backward, 0.9), max(wide, look[1] * 0.6)) if wide else look

    def _take_wires(self, editor: Editor, found: Motion) -> None:
        playback = editor.live.playback
        shares: dict[str, float] | None = None
        if playback.compared is not None:
            most = max(playback.differences.values(), default=0.0) or 1.0
            shares = {key: (size / most) ** 0.5 for key, size in playback.differences.items()}
        old, new = (self._widths, found.widths) if shares is None else (self._shares or {}, shares)
        if (shares is None) is not (self._shares is None):
            self.restyled = None
        elif self.restyled is not None:
            self.restyled |= {
                start for start in old.keys() | new.keys()
                if abs(old.get(start, 0.0) - new.get(start, 0.0)) > _SEEN
            }  # fmt: skip
        self._widths, self._shares = found.widths, shares

    # --- a frame

    def draw(self, editor: Editor, moved: Mapping[str, Point], *, writes: bool = True) -> None:
        """Draw what an editor's last step shows; nodes that are dragged are off by `moved`.

        Where the frame is needed for other things, no more tokens are written in it.
        """
        found = motion(editor) if editor.live.state != "training" else _NOTHING
        now = time.perf_counter()
        self.began = found is not self._motion
        if self.began:
            self._motion = found
            self._carrying = frozenset(
                token.wire.wire for token in found.tokens if token.kind != "blame"
            )
            self._begin(editor, now)
            self._take_wires(editor, found)
            self._written = ()
        share = 1.0 if not self._lasts else min((now - self._came) / self._lasts, 1.0)
        self.busy = (share < 1.0 and bool(found.lit)) or self._written_of < len(found.tokens)
        still = editor.preferences.reduced_motion
        drawn = (found, editor.camera, editor.size, share, still, moved, self._written_of, writes)
        if len(drawn) == len(self._drawn) and drawn[0] is self._drawn[0] and (
            drawn[1:] == self._drawn[1:]
        ):  # fmt: skip
            return
        self._drawn = drawn
        self._draw_stops(editor)
        nothing = not (found.lit or found.next or found.tokens)
        if nothing and self._nothing:
            return
        self._nothing = nothing
        self._draw_frames(editor, found, share, moved)
        travelled = 0.5 if still else min(share / TRAVEL, 1.0)
        self._draw_tokens(editor.camera, found, travelled, writes=writes)
        self._draw_chip(editor, found, share, moved)

    def _begin(self, editor: Editor, now: float) -> None:
        """See how long the step that came is shown: not at all where nothing led there."""
        playback = editor.live.playback
        moment = (playback.number, playback.future)
        before, self._moment = self._moment, moment
        if moment == before:  # something else was told
            return
        one_on = moment[1] == before[1] and moment[0] == before[0] + 1
        self._came = now
        if editor.preferences.reduced_motion or not self._motion.lit:
            self._lasts = 0.0
        elif editor.live.state == "playing":
            self._lasts = 1 / playback.speed if playback.speed <= _SMOOTH else 0.0
        else:
            self._lasts = _ONCE if one_on else 0.0

    # --- nodes

    def _draw_frames(
        self, editor: Editor, found: Motion, share: float, moved: Mapping[str, Point]
    ) -> None:
        zoom = editor.camera.zoom
        colour = phase_colour(self._theme, found.phase)
        arrived = max(share - TRAVEL, 0.0) / (1 - TRAVEL)
        flash = 0.55 * (1 - arrived) if share >= TRAVEL and self._lasts else 0.0
        lit = _box(editor.drawn, found.lit, editor.camera, moved)
        ahead = _box(editor.drawn, found.next, editor.camera, moved)
        for item, box, alpha, reach in (
            (self._glow, lit, 0.28 + flash, _REACH),
            (self._frame, lit, 1.0, _REACH),
            (self._next, ahead if found.next != found.lit else None, 0.45, _REACH),
        ):
            dpg.configure_item(item, show=box is not None)
            if box is not None:
                edge = reach * min(max(zoom, 0.4), 1.2)
                dpg.configure_item(
                    item, pmin=(box[0] - edge, box[1] - edge), pmax=(box[2] + edge, box[3] + edge),
                    rounding=8.0 * min(max(zoom, 0.3), 1.5) + 2,
                    color=rgba(colour if item != self._next else self._theme.faint, alpha),
                )  # fmt: skip

        title = width(found.lit, self._fonts.bold) * SMALLEST * EM * self._scale
        named = lit is not None and zoom < _NAMED * self._scale and title > lit[2] - lit[0] - 8
        dpg.configure_item(self._name, show=named)
        if named and lit is not None:
            size = _CHIP * self._scale
            half = width(found.lit, self._fonts.regular) * size / 2
            x, y = (lit[0] + lit[2]) / 2 - half, lit[1] - size - _REACH - 2
            dpg.configure_item(self._name_text, pos=(x, y), text=found.lit, size=size)
            end = x + 2 * half + 4, y + size + 1
            dpg.configure_item(self._name_box, pmin=(x - 4, y - 1), pmax=end)

    def _draw_chip(
        self, editor: Editor, found: Motion, share: float, moved: Mapping[str, Point]
    ) -> None:
        """Write old → new beside the node, when the tokens have come."""
        box = _box(editor.drawn, found.lit, editor.camera, moved)
        shown = bool(found.change) and box is not None and (share >= TRAVEL or not self._lasts)
        dpg.configure_item(self._chip, show=shown)
        if not shown or box is None:
            return
        size = _CHIP * self._sized(editor.camera.zoom)
        wide, high = width(found.change, self._fonts.regular) * size + 16, size + 8
        colour = phase_colour(self._theme, found.phase)
        arrived = (share - TRAVEL) / (1 - TRAVEL) if self._lasts else 1.0
        begun = found, editor.camera, editor.size, wide
        if begun[0] is not self._beside[0] or begun[1:] != self._beside[1:]:
            place = aside.beside(editor, box, (wide, high), _REACH + 1)
            self._beside, self._chip_at = begun, (place[0] - box[0], place[1] - box[1])
        x, y = round(box[0] + self._chip_at[0]), round(box[1] + self._chip_at[1])
        dpg.configure_item(
            self._chip_box, pmin=(x, y), pmax=(x + wide, y + high), color=rgba(colour),
            fill=mixed(colour, self._theme.body, 0.45 + 0.5 * min(max(arrived, 0.0), 1.0)),
        )  # fmt: skip
        dpg.configure_item(
            self._chip_text, pos=(x + 8, y + 3.5), text=found.change, size=size,
            color=rgba(self._theme.text),
        )  # fmt: skip

    def _sized(self, zoom: float) -> float:
        """Return how large numbers that move are, as a share of their size at zoom 1."""
        return min(max(zoom, _LEAST * self._scale), _MOST * self._scale)

    # --- tokens

    def _draw_tokens(self, camera: Camera, found: Motion, share: float, *, writes: bool) -> None:
        tokens = found.tokens
        written = (found, camera.zoom)
        if len(written) != len(self._written) or written[0] is not self._written[0] or (
            written[1] != self._written[1]
        ):  # fmt: skip
            self._written = written
            self._begin_writing(tokens)
        elif writes and self._written_of < len(tokens):
            self._write(tokens, camera.zoom)
        known = self._written_of
        if not known:
            return
        places = self._traffic.at(share, known)
        halves = np.array([items.half for items in self._pool[:known]])
        places = (places - (camera.x, camera.y)) * camera.zoom
        places[:, 0] += halves * (1 - 2 * share) * self._traffic.headings[:known]
        for items, place in zip(self._pool[:known], places.tolist(), strict=True):
            dpg.apply_transform(items.root, dpg.create_translation_matrix(place))

    def _begin_writing(self, tokens: tuple[Token, ...]) -> None:
        """Have tokens written anew; those of other values are not seen until they are."""
        if self._tokens is not tokens:
            self._tokens = tokens
            self._traffic = Traffic(tokens)
            for items in self._pool[: self._shown]:
                dpg.configure_item(items.root, show=False)
                items.shown = False
        self._written_of, self._shown = 0, len(tokens)

    def _write(self, tokens: tuple[Token, ...], zoom: float) -> None:
        """Give the next tokens their shapes and numbers: so many as a frame has time for."""
        theme = self._theme
        first, self._written_of = self._written_of, min(self._written_of + _AT_ONCE, len(tokens))
        some = slice(first, self._written_of)
        while len(self._pool) < self._written_of:
            root = dpg.add_draw_node(parent=self._layer)
            pill = dpg.draw_rectangle((0, 0), (1, 1), parent=root, thickness=1.5)
            arrow = dpg.draw_polygon([(0, 0), (1, 0), (0, 1), (0, 0)], parent=root, thickness=1.5)
            text = dpg.draw_text((0, 0), "", parent=root, color=rgba(theme.text))
            self._pool.append(_TokenItems(root, pill, arrow, text))
        size = self._sized(zoom)
        plain = zoom < _DOTS * self._scale
        configure = dpg.configure_item
        for token, items in zip(tokens[some], self._pool[some], strict=True):
            blame = token.kind == "blame"
            name = {"blame": theme.backward, "feedback": theme.feedback}.get(
                token.kind, theme.forward
            )
            words = "" if plain else token.text
            wide = width(words, self._fonts.regular) * _TEXT * size if words else 0.0
            high = (9.0 if plain else _HIGH) * size / 2
            half = max(wide / 2 + 5 * size, high)
            fill = mixed(theme.body, name, 0.9 if plain else 0.3)
            if blame:
                tip = (_TIP if words else 4.0) * size * token.heading
                near, far = half * token.heading, -half * token.heading
                points = [(far, -high), (near, -high), (near + tip, 0.0), (near, high),
                          (far, high), (far, -high)]  # fmt: skip
                configure(items.arrow, points=points, color=rgba(name), fill=fill, show=True)
            else:
                configure(
                    items.pill, pmin=(-half, -high), pmax=(half, high), rounding=high,
                    color=rgba(name), fill=fill, show=True,
                )  # fmt: skip
            items.half = half + (_TIP * size if blame else 0.0) + 5 * size
            configure(
                items.text, text=words, size=_TEXT * size, pos=(-wide / 2, -_TEXT * size / 2),
                show=bool(words),
            )  # fmt: skip
            if blame is not items.blames:
                items.blames = blame
                configure(items.pill if blame else items.arrow, show=False)
            if not items.shown:
                items.shown = True
                configure(items.root, show=True)

    # --- stops

    def _draw_stops(self, editor: Editor) -> None:
        """Mark breakpoints: a dot with a ring, at a node's corner or in the middle of a wire."""
        stops = (editor.live.playback.breakpoints, editor.drawn)
        if len(self._stops) == 2 and stops[0] == self._stops[0] and stops[1] is self._stops[1]:
            return
        self._stops = stops
        dpg.delete_item(self._marks, children_only=True)
        wires = {str(view.wire): view for view in editor.drawn.wires} if stops[0] else {}
        for what in stops[0]:
            at = None
            if what in wires:
                at = along(wires[what].curve, 0.5)
            else:
                view = editor.drawn.nodes.get(owner(editor, what))
                at = None if view is None else (view.x + view.width - 1.0, view.y + 1.0)
            if at is not None:
                red = rgba(self._theme.problem)
                dpg.draw_circle(
                    at, _STOP + 3, parent=self._marks, color=red, fill=rgba(self._theme.body),
                    thickness=1.6,
                )  # fmt: skip
                dpg.draw_circle(at, _STOP - 1, parent=self._marks, color=red, fill=red)


def _outline(parent: Item, thickness: float) -> Item:
    made: Item = dpg.draw_rectangle((0, 0), (1, 1), parent=parent, thickness=thickness, show=False)
    return made


def _box(
    scene: Scene, key: str, camera: Camera, moved: Mapping[str, Point]
) -> tuple[float, float, float, float] | None:
    """Return where a node is on the screen."""
    view = scene.nodes.get(key)
    if view is None:
        return None
    dx, dy = moved.get(key, (0, 0))
    x, y = view.x + dx, view.y + dy
    return (
        *camera.on_screen((x, y)), *camera.on_screen((x + view.width, y + view.height))
    )  # fmt: skip
