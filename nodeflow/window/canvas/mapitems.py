"""The classic map: neurons as dots, weights as lines, the layers' names on the lines.

It has a panel of its own over the canvas. Its place follows the editor's camera: what is fitted
on the canvas is fitted here, and panning and zooming is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nodeflow.editor.background import Latest
from nodeflow.editor.canvas.aside import card_high
from nodeflow.editor.canvas.neurons import COLUMN, Known, Label, Line, Map, Neuron, neuron_map
from nodeflow.editor.state.camera import Camera, Point
from nodeflow.editor.state.messages import Message, Moved, Pressed, Released, Select, Wheel
from nodeflow.editor.state.model import Editor
from nodeflow.equality import identical
from nodeflow.fonts import BOLD
from nodeflow.graph import Graph
from nodeflow.theme import THEMES, Theme
from nodeflow.window.canvas.mapfitting import (
    LABEL,
    NAME,
    NUMBER,
    RADIUS,
    READS,
    SMALL,
    THICK_RING,
    arranged,
    fitting,
    gaps_to,
    has_room_below,
    is_stacked,
    overhang,
    same_shape,
    short_name,
)
from nodeflow.window.platform.colours import Colour, mixed, phase_colour, rgba
from nodeflow.window.platform.fonts import EM, fitted, width
from nodeflow.window.platform.looks import look
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.workings.shown import compact

_WEIGHT = 11.0 * EM
_THICKEST, _THINNEST = 5.0, 0.7
_REACH = 5.0
_SHARE = 6
"""Making the picture takes at most a sixth of the time."""
_LEAST_PAUSE = 0.08
_MOST_WEIGHTS = 40
_OLD = 0.35
"""How strongly values of another pass are drawn."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that stays as it is: from which point it goes, and to which side; 0 is about it."""

    item: Item
    text: str
    size: float
    font: Item | None
    at: Point
    side: int
    gap: float = 0.0
    """How far from the point it begins, whatever its size is."""
    ground: Item = 0
    """What lies behind it."""
    room: float = 0.0
    """How wide it may be, if not as wide as it is: then it has fewer of its words."""


@dataclass(slots=True)
class _Items:
    """What is drawn of one map."""

    lines: list[Item] = field(default_factory=list)
    dots: list[Item] = field(default_factory=list)
    rings: list[Item] = field(default_factory=list)
    """As thick as |δ|."""
    numbers: list[Item] = field(default_factory=list)
    grounds: list[Item] = field(default_factory=list)
    below: list[Item] = field(default_factory=list)
    """Bias and δ of each dot."""
    beside: list[Item] = field(default_factory=list)
    """Target and error of each dot."""
    backs: list[Item] = field(default_factory=list)
    """The grounds of numbers that have no room in their dots."""
    labels: list[Item] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)
    looks: dict[Item, object] = field(default_factory=dict)


class MapPanel:
    """Draws the map of an editor's network, and answers the pointer."""

    def __init__(self, canvas: Item, send: Callable[[Message], None]) -> None:
        self._send, self._canvas = send, canvas
        self._look_of_panel: Item | None = None
        self._panel = dpg.add_child_window(
            parent=canvas, show=False, pos=[0, 0], width=100, height=100, border=False,
            no_scrollbar=True, no_scroll_with_mouse=True,
        )  # fmt: skip
        self._drawlist = dpg.add_drawlist(100, 100, parent=self._panel)
        with dpg.font_registry():
            self._bold = dpg.add_font(str(BOLD), 15)
        self._world: Item | None = None
        self._editor: Editor | None = None
        self._state: tuple[object, ...] = ()
        self._theme: Theme | None = None
        self._map = Map()
        self._items = _Items()
        self._made: Latest[tuple[Graph, Map]] = Latest("map", _LEAST_PAUSE, _SHARE)
        self._base: tuple[Camera, Camera] | None = None
        self._camera = self._fitted = Camera()
        self._whole: Point = (0.0, 0.0)
        self._size: Point = (0.0, 0.0)
        """What of the panel no card covers."""
        self._fitted_size: Point = (0.0, 0.0)
        self._scene: object = None
        self._scale = 1.0
        self._hover: tuple[str, int] | None = None
        self._panning = False
        self._at: Point = (0.0, 0.0)
        with dpg.handler_registry():
            dpg.add_mouse_move_handler(callback=self._on_move)
            dpg.add_mouse_wheel_handler(callback=self._on_wheel)
            dpg.add_mouse_click_handler(callback=self._on_click)
            dpg.add_mouse_release_handler(callback=self._on_release)

    # --- drawing

    def draw(self, editor: Editor) -> None:
        """Show the map if an editor is looking at it."""
        shown = editor.view == "map"
        if shown != (self._editor is not None):
            dpg.configure_item(self._panel, show=shown)
            self._base = None
        self._editor = editor if shown else None
        if not shown:
            return
        theme = THEMES[editor.preferences.theme]
        if editor.preferences.scale != self._scale:
            self._scale = editor.preferences.scale
            self._base, self._camera = None, Camera(zoom=0.0)
        wide, high = editor.size
        free = wide, high - card_high(editor)
        if (editor.size, free) != (self._whole, self._size):
            self._whole, self._size, self._base = editor.size, free, None
            dpg.configure_item(self._panel, width=round(wide), height=round(high))
            dpg.configure_item(self._drawlist, width=round(wide), height=round(high))
        self._take(editor, theme)
        self._look(editor)
        self._style(editor, theme)

    def _take(self, editor: Editor, theme: Theme) -> None:
        """Make the picture anew if something in it is different, though not too often."""
        state = (editor.graph, editor.live.values, theme, self._base is None)
        if identical(state, self._state):
            return
        values_only = bool(self._state) and state[0] is self._state[0] and state[2] is theme
        training = editor.live.state == "training"
        made: Map | None
        if values_only and training and self._base is not None:
            made = self._made_meanwhile(editor)
            if made is None:
                return  # it comes soon
        else:
            self._made.forget()
            made = neuron_map(editor.graph, known=_known(editor))
            self._state = (*state[:3], False)
        old = self._map
        self._map = arranged(made, self._size, self._scale)
        if theme is not self._theme or not same_shape(old, self._map) or self._world is None:
            if theme is not self._theme:
                self._apply_theme(theme)
            self._theme = theme
            self._hover = None
            self._build(theme)
            self._base = None

    def _made_meanwhile(self, editor: Editor) -> Map | None:
        """Return the picture that was made in the background, if one is ready; begin the next.

        Single neurons are put together to layers for it, which takes too long for a frame.
        """
        graph, known = editor.graph, _known(editor)
        self._made.ask(lambda: (graph, neuron_map(graph, known=known)))
        made = self._made.poll()
        return None if made is None or made[0] is not graph else made[1]

    def _apply_theme(self, theme: Theme) -> None:
        if self._look_of_panel is not None:
            dpg.delete_item(self._look_of_panel)
        self._look_of_panel = look(ChildBg=rgba(theme.canvas))
        dpg.bind_item_theme(self._panel, self._look_of_panel)

    def _build(self, theme: Theme) -> None:
        dpg.delete_item(self._drawlist, children_only=True)
        self._items = items = _Items()
        self._world = world = dpg.add_draw_node(parent=self._drawlist)
        self._over = dpg.add_draw_node(parent=self._drawlist)
        nothing = (0, 0, 0, 0)
        if self._map.reason:
            self._reason(theme)
            return
        for line in self._map.lines:
            items.lines.append(dpg.draw_line(line.start, line.end, parent=world, color=nothing))
        for label in self._map.labels:
            self._name(label, theme)
        edges = min(n.x for n in self._map.neurons), max(n.x for n in self._map.neurons)
        for number, neuron in enumerate(self._map.neurons):
            self._dot(number, neuron, edges, theme)
        self._camera = Camera(zoom=0.0)

    def _reason(self, theme: Theme) -> None:
        text, size = self._map.reason, 15 * EM * self._scale
        x = max((self._size[0] - width(text, None) * size) / 2, 10.0)
        dpg.draw_text(
            (x, self._size[1] / 2), text, parent=self._over, size=size, color=rgba(theme.faint)
        )

    def _name(self, label: Label, theme: Theme) -> None:
        box = dpg.draw_rectangle(
            (0, 0), (1, 1), parent=self._world, fill=rgba(theme.body), color=rgba(theme.border),
            rounding=6,
        )  # fmt: skip
        self._items.labels.append(box)
        self._text(
            label.text, (label.x, label.y), LABEL, theme.text, bold=True, ground=box,
            room=self._apart - 2 * RADIUS - 30,
        )  # fmt: skip

    def _dot(self, number: int, neuron: Neuron, edges: tuple[float, float], theme: Theme) -> None:
        x, y = neuron.x, neuron.y
        if neuron.number is None:
            for dy in (-7, 0, 7):
                corners = (x - 2, y - 2 + dy), (x + 2, y + 2 + dy)
                dpg.draw_ellipse(
                    *corners, parent=self._world, fill=rgba(theme.faint), color=rgba(theme.faint)
                )
            after = self._map.neurons[number + 1].number or 0
            before = self._map.neurons[number - 1].number or 0
            words = f"{after - before - 1} more"
            side = -1 if x == edges[0] else 1
            ground = 0
            if x not in edges:  # between lines it needs a ground of its own
                ground = dpg.draw_rectangle(
                    (x, y), (x, y), parent=self._world, fill=rgba(theme.canvas, 0.92),
                    color=(0, 0, 0, 0),
                )  # fmt: skip
            self._text(words, (x, y), NUMBER, theme.faint, side=side, gap=16.0, ground=ground)
            made = self._items
            for items in (
                made.dots,
                made.rings,
                made.backs,
                made.numbers,
                made.grounds,
                made.below,
                made.beside,
            ):
                items.append(0)
            return
        corners = (x - RADIUS, y - RADIUS), (x + RADIUS, y + RADIUS)
        self._items.rings.append(
            dpg.draw_ellipse(*corners, parent=self._world, segments=40, show=False)
        )
        self._items.dots.append(
            dpg.draw_ellipse(*corners, parent=self._world, color=rgba(theme.text), segments=40)
        )
        for backs in (self._items.backs, self._items.grounds):
            back = dpg.draw_rectangle(
                (x, y), (x, y), parent=self._world, fill=rgba(theme.canvas, 0.85),
                color=(0, 0, 0, 0), rounding=3, show=False,
            )  # fmt: skip
            backs.append(back)
        for texts in (self._items.numbers, self._items.below, self._items.beside):
            texts.append(dpg.draw_text((x, y), "", parent=self._world, size=1))
        if x in edges:
            side = -1 if x == edges[0] else 1
            self._text(short_name(neuron), (x, y), NAME, theme.faint, side=side, gap=RADIUS + 14)

    def _text(
        self,
        text: str,
        at: Point,
        size: float,
        colour: str,
        *,
        bold: bool = False,
        side: int = 0,
        gap: float = 0.0,
        ground: Item = 0,
        room: float = 0.0,
    ) -> None:
        """Draw a text that stays as it is; where it stands is said when the picture is fitted."""
        font = self._bold if bold else None
        item = dpg.draw_text(at, text, parent=self._world, size=1, color=rgba(colour))
        if font is not None:
            dpg.bind_item_font(item, font)
        self._items.texts.append(_Text(item, text, size, font, at, side, gap, ground, room))

    @property
    def _apart(self) -> float:
        """How far columns are from each other."""
        columns = sorted({neuron.x for neuron in self._map.neurons})
        return columns[1] - columns[0] if len(columns) > 1 else COLUMN

    def _written(self, text: _Text, size: float) -> str:
        """Return so many of a text's words as there is room for."""
        words = text.text.split("  ")
        for count in range(len(words), 0, -1):
            some = "  ".join(words[:count])
            if not text.room or width(some, text.font) * size <= text.room:
                return some
        return fitted(words[0], text.font, max(text.room, 1.0) / size)

    @property
    def _growth(self) -> float:
        """How much larger texts are than the picture, so that they can be read."""
        return max(READS * self._scale / self._camera.zoom, 1.0)

    def _put(self, text: _Text) -> None:
        """Put a text, and what lies behind it, where it stands at this zoom."""
        size = text.size * self._growth
        words = self._written(text, size)
        wide = width(words, text.font) * size
        x, y = text.at
        over = overhang(self._growth) if text.side else 0.0
        x += text.side * (text.gap + over + wide / 2)
        if not text.side:  # a name of a layer grows away from the neurons
            y -= (size - text.size) / 2
        zoom = self._camera.zoom
        dpg.configure_item(
            text.item, pos=(x - wide / 2, y - size / 2), size=size * zoom, text=words
        )
        if text.ground:
            beside, above = (5.0, 2.0) if text.side else (10.0, 6.0)
            dpg.configure_item(
                text.ground, pmin=(x - wide / 2 - beside, y - size / 2 - above),
                pmax=(x + wide / 2 + beside, y + size / 2 + above), rounding=6 * zoom,
            )  # fmt: skip

    def _look(self, editor: Editor) -> None:
        """Follow the camera: fitted on the canvas is fitted here."""
        if self._map.reason or self._world is None:
            return
        if editor.drawn is not self._scene or editor.size != self._fitted_size:
            self._scene, self._fitted_size = editor.drawn, editor.size
            self._fitted = Camera.fitting(editor.drawn.bounds, editor.size)
        if self._base is None or editor.camera == self._fitted:
            self._base = editor.camera, fitting(self._map, self._size, self._scale)
        seen, own = self._base
        factor = editor.camera.zoom / seen.zoom
        # Where the canvas has what was at the view's corner, the map has it too.
        corner = editor.camera.on_screen((seen.x, seen.y))
        zoom = own.zoom * factor
        camera = Camera(own.x - corner[0] / zoom, own.y - corner[1] / zoom, zoom)
        if camera == self._camera:
            return
        zoomed = camera.zoom != self._camera.zoom
        self._camera = camera
        move = -camera.x * zoom, -camera.y * zoom
        matrix = dpg.create_translation_matrix(move) * dpg.create_scale_matrix((zoom, zoom, 1))
        dpg.apply_transform(self._world, matrix)
        if zoomed:
            for text in self._items.texts:
                self._put(text)

    # --- colours

    def _style(self, editor: Editor, theme: Theme) -> None:
        """Colour lines and dots; only what is different is told to the toolkit."""
        chosen = editor.selection
        hovered = self._hovered_dot()
        playback = editor.live.playback
        running = editor.live.state == "training"
        lit, only = ("", None) if running else self._map.lit(playback.node)
        glow = rgba(phase_colour(theme, playback.phase))
        largest = _largest(self._map.neurons)
        zoom = max(min(self._camera.zoom, 1.6), 0.5)
        for item, line in zip(self._items.lines, self._map.lines, strict=True):
            colour, thick = _line_look(line, theme, zoom)
            if line.layer in chosen:
                thick += 0.8
            touches = hovered is None or (hovered.x, hovered.y) in (line.start, line.end)
            shade = mixed(theme.canvas, colour, round(0.3 + 0.7 * line.share, 2))
            # What is not meant is nearly transparent, or it would cut up the others.
            self._set(item, color=shade if touches else rgba(colour, 0.06), thickness=thick)
        for box, label in zip(self._items.labels, self._map.labels, strict=True):
            marked = label.layer in chosen
            edge = rgba(theme.selected if marked else theme.border)
            active = label.layer == lit
            self._set(
                box,
                color=glow if active else edge,
                thickness=2.4 if marked or active else 1.0,
            )
        blame = max((abs(n.delta or 0.0) for n in self._map.neurons), default=0.0)
        for number, neuron in enumerate(self._map.neurons):
            if neuron.number is not None:
                active = bool(lit) and neuron.column == lit and only in (None, neuron.number)
                ring = glow if active else None
                picked = editor.neuron in (None, (neuron.node, neuron.number))
                marked = neuron.node in chosen and picked
                self._dot_look(number, neuron, largest[neuron.x], theme, ring, marked=marked)
                self._describe(number, neuron, blame, theme)
        self._write_ages(theme)

    def _dot_look(
        self,
        number: int,
        neuron: Neuron,
        largest: float,
        theme: Theme,
        ring: Colour | None,
        *,
        marked: bool,
    ) -> None:
        """Colour a dot by its value; the last step lights it with a ring, its δ with another."""
        value = neuron.value
        share = 0.0 if value is None else min(abs(value) / largest, 1.0)
        strength = 0.85 * share * (_OLD if neuron.age else 1.0)
        self._set(
            self._items.dots[number],
            fill=mixed(theme.body, theme.text, round(strength, 2)),
            color=ring or rgba(theme.selected if marked else theme.faint),
            thickness=5.0 if ring else 3.0 if marked else 1.4,
        )
        text, size = neuron.number_text, NUMBER * self._growth
        half = width(text, None) * size / 2
        within = half < RADIUS
        colour = theme.canvas if strength > 0.5 and within else theme.text
        self._set(
            self._items.backs[number], show=not within,
            pmin=(neuron.x - half - 3, neuron.y - size / 2),
            pmax=(neuron.x + half + 3, neuron.y + size / 2),
        )  # fmt: skip
        self._set(
            self._items.numbers[number], text=text, size=size * self._camera.zoom,
            pos=(neuron.x - half, neuron.y - size / 2),
            color=rgba(theme.faint if neuron.age else colour),
        )  # fmt: skip

    def _describe(self, number: int, neuron: Neuron, largest: float, theme: Theme) -> None:
        """Write bias and δ below a dot, target and error beside it; a ring is as thick as |δ|."""
        delta, grown, zoom = neuron.delta, self._growth, self._camera.zoom
        text, size = neuron.bias_and_delta, SMALL * grown
        top = neuron.y + RADIUS + THICK_RING
        if not has_room_below(grown):
            text = ""  # it is told of the dot under the pointer
        half = width(text, None) * size / 2
        at = neuron.x - half, top
        self._set(
            self._items.grounds[number], show=bool(text), pmin=(at[0] - 3, at[1] - 1),
            pmax=(at[0] + 2 * half + 3, at[1] + size + 1),
        )  # fmt: skip
        colour = theme.faint if delta is None or neuron.delta_age else theme.backward
        self._set(
            self._items.below[number], text=text, pos=at, size=size * zoom, color=rgba(colour)
        )
        share = abs(delta) / largest if delta is not None and largest else 0.0
        faded = _OLD if neuron.delta_age else 1.0
        reach = RADIUS + 1.5 + THICK_RING * share / 2
        self._set(
            self._items.rings[number],
            pmin=(neuron.x - reach, neuron.y - reach), pmax=(neuron.x + reach, neuron.y + reach),
            thickness=THICK_RING * share, show=share > 0.01, color=rgba(theme.backward, faded),
        )  # fmt: skip
        x, y = neuron.x + RADIUS + 15 + overhang(grown), neuron.y + NAME * grown / 2 + 1
        if not is_stacked(grown):
            x, y = x + width(short_name(neuron), None) * NAME * grown + 8, neuron.y - size / 2
        self._set(
            self._items.beside[number], text=neuron.target_and_error, pos=(x, y), size=size * zoom,
            color=rgba(theme.faint if neuron.target_age else theme.text),
        )  # fmt: skip

    def _set(self, item: Item, **look: Any) -> None:
        if self._items.looks.get(item) != look:
            self._items.looks[item] = look
            dpg.configure_item(item, **look)

    # --- what the pointer is over

    def _hovered_dot(self) -> Neuron | None:
        if self._hover is None or self._hover[0] != "dot":
            return None
        return self._map.neurons[self._hover[1]]

    def _write_ages(self, theme: Theme) -> None:
        """Write the weights of the dot or the line under the pointer, and of when values are."""
        dpg.delete_item(self._over, children_only=True)
        remarks = list(self._map.remarks)
        pointed = self._hovered_dot()
        if pointed is not None and not has_room_below(self._growth):
            remarks.append(pointed.bias_and_delta)
        for place, text in enumerate(remarks):
            dpg.draw_text(
                (14, 12 + 18 * place * self._scale), text, parent=self._over,
                size=NAME * self._scale, color=rgba(theme.faint),
            )  # fmt: skip
        if self._hover is None:
            return
        what, number = self._hover
        if what == "line":
            line = self._map.lines[number]
            if line.weight is not None:
                self._weight(line, 0.5, theme)
            return
        if what != "dot":
            return
        dot = self._map.neurons[number]
        into = [line for line in self._map.lines if line.end == (dot.x, dot.y)]
        out = [line for line in self._map.lines if line.start == (dot.x, dot.y)]
        for line, share in [(line, 0.22) for line in into] + [(line, 0.78) for line in out]:
            if line.weight is not None and len(into) + len(out) <= _MOST_WEIGHTS:
                self._weight(line, share, theme)

    def _weight(self, line: Line, share: float, theme: Theme) -> None:
        """Write a weight on its line."""
        (x0, y0), (x1, y1) = line.start, line.end
        x, y = self._camera.on_screen((x0 + (x1 - x0) * share, y0 + (y1 - y0) * share))
        text, size = compact(line.weight or 0.0), _WEIGHT * self._scale
        half, high = width(text, None) * size / 2, size / 2 + 3
        colour = theme.positive if (line.weight or 0.0) >= 0 else theme.negative
        dpg.draw_rectangle(
            (x - half - 4, y - high), (x + half + 4, y + high), parent=self._over, rounding=4,
            fill=rgba(theme.body, 0.95), color=mixed(theme.body, colour, 0.7),
        )  # fmt: skip
        dpg.draw_text(
            (x - half, y - size / 2), text, parent=self._over, size=size, color=rgba(theme.text)
        )

    def _under(self, at: Point) -> tuple[str, int] | None:
        """Return what is at a point of the panel: a dot, a label or a line, with its number."""
        if self._map.reason or not self._map.neurons:
            return None
        x, y = self._camera.on_canvas(at)
        places = np.array([(n.x, n.y) for n in self._map.neurons])
        gaps = np.hypot(*(places - (x, y)).T)
        if gaps.min() <= RADIUS:
            return "dot", int(gaps.argmin())
        for number, label in enumerate(self._map.labels):
            size = LABEL * self._growth
            words = self._written(self._items.texts[number], size)
            half, middle = width(words, self._bold) * size / 2 + 10, (size - LABEL) / 2
            if abs(x - label.x) <= half and abs(y - label.y + middle) <= size / 2 + 6:
                return "label", number
        if not self._map.lines:
            return None
        gap = gaps_to(self._map.lines, (x, y))
        nearest = int(gap.argmin())
        return ("line", nearest) if gap[nearest] * self._camera.zoom <= _REACH else None

    def _nodes(self, what: tuple[str, int]) -> frozenset[str]:
        kind, number = what
        if kind == "dot":
            return frozenset([self._map.neurons[number].node])
        if kind == "label":
            return frozenset([self._map.labels[number].layer])
        return frozenset([self._map.lines[number].layer])

    # --- the pointer

    def _over_map(self) -> bool:
        return self._editor is not None and bool(dpg.is_item_hovered(self._panel))

    def _pointer(self) -> Point:
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_pos(self._canvas)
        return x - left, y - top

    def _on_move(self, _sender: Item, _at: Any, _data: Any = None) -> None:
        if self._editor is None:
            return
        at = self._pointer()
        if self._panning:
            self._send(Moved(at))
            return
        hover = self._under(at) if self._over_map() else None
        if hover != self._hover:
            self._hover = hover
            self._style(self._editor, THEMES[self._editor.preferences.theme])

    def _on_wheel(self, _sender: Item, clicks: float, _data: Any = None) -> None:
        if self._over_map():
            self._send(Wheel(self._pointer(), clicks))

    def _on_click(self, _sender: Item, button: int, _data: Any = None) -> None:
        if self._editor is None or not self._over_map() or button not in (0, 2):
            return
        at = self._pointer()
        what = self._under(at) if button == 0 else None
        if what is None:
            self._panning = True
            self._at = at
            self._send(Pressed(at, "middle"))
            return
        nodes = self._nodes(what)
        neuron = self._map.neurons[what[1]].number if what[0] == "dot" else None
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        if shift:
            self._send(Select(self._editor.selection | nodes))
        else:
            self._send(Select(nodes, neuron))

    def _on_release(self, _sender: Item, _button: int, _data: Any = None) -> None:
        if not self._panning:
            return
        self._panning = False
        at = self._pointer()
        self._send(Released(at, "middle"))
        if abs(at[0] - self._at[0]) + abs(at[1] - self._at[1]) < 4:
            self._send(Select(frozenset()))


def _known(editor: Editor) -> Known:
    live = editor.live
    return Known(live.values, live.gradients, live.ages, live.gradient_ages)


def _line_look(line: Line, theme: Theme, zoom: float) -> tuple[str, float]:
    if line.weight is None:
        return theme.border, 1.0
    colour = theme.positive if line.weight >= 0 else theme.negative
    return colour, (_THINNEST + (_THICKEST - _THINNEST) * line.share) * zoom


def _largest(neurons: tuple[Neuron, ...]) -> dict[float, float]:
    """Return the largest value of each column; small ones are not blown up."""
    found: dict[float, float] = {}
    for neuron in neurons:
        found[neuron.x] = max(found.get(neuron.x, 1.0), abs(neuron.value or 0.0))
    return found
