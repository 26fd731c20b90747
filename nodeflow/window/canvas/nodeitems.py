"""One node on the canvas: its draw items, kept and changed rather than drawn anew.

Items are in the node's own coordinates, so that a move is one transform. What a transform does
not scale, text sizes and roundings, is set again when the zoom changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import FOOT, HEADER
from nodeflow.editor.canvas import faces
from nodeflow.editor.canvas.faces import Activated, Aged, Face, Shown
from nodeflow.editor.state.camera import READABLE
from nodeflow.scene import FieldView, NodeView, PortView, SliderView
from nodeflow.theme import Theme
from nodeflow.views.image import Picture
from nodeflow.views.marks import SMALL, Dot, Line, Mark, Pixels, Rect, Words, sentence
from nodeflow.window.canvas import badges, summaries
from nodeflow.window.canvas.previews import Patch, patches
from nodeflow.window.canvas.summaries import SMALLEST, Summary
from nodeflow.window.platform.colours import Colour, mixed, rgba
from nodeflow.window.platform.fonts import EM, Fonts, fitted, width
from nodeflow.window.platform.toolkit import Item, dpg, draw

FINE = READABLE
"""From this zoom on, at scale 1, all texts are drawn, below only titles."""
_TITLE, _TYPE, _LABEL = 12.0, 10.0, 11.0
_ROUNDING = 7.0
_PAD = 10.0
_PICTURE = 52.0
_OLD = 90
"""How strongly, of 255, the colours of another pass's values are drawn."""
_FINEST = 6.5
"""Words inside of a view are left out where they would be smaller, in pixels at scale 1."""
_TYPE_LETTERS = 5
"""Fewer letters of a type's name say nothing."""
_ASCENT = 0.928
"""Of the height of a font, as SVG counts it."""
_AT_ONCE = 6
"""Ports, or labels, that are drawn as one piece: a frame may end after it."""


_Area = tuple[float, float, float, float]
"""Left, top, width and height."""


_Texture = NDArray[np.float32]
"""Rows × columns × red, green, blue, opacity, from 0 to 1."""
_Spare = dict[tuple[int, ...], list[tuple[Item, _Texture]]]
"""Textures by size: the toolkit does not give the memory of a deleted one back."""


@dataclass(slots=True)
class _Text:
    """A text on a node; one that has a `room` is fitted to it, in canvas units."""

    item: Item
    size: float
    text: str = ""
    font: Item | None = None
    base: tuple[float, float] = (0.0, 0.0)
    right: bool = False
    room: float = 0.0
    enlarged: bool = False
    least: int = 0
    """Of fewer letters nothing is written."""
    middle: bool = False
    """Whether it is cut in the middle: the ends tell names apart."""
    choices: tuple[str, ...] = ()
    """What is written where there is room, the best first; where for none, `text`, cut."""
    fine: bool = False
    """Whether it is left out where it would be too small to be read."""

    def sized(self, zoom: float, scale: float) -> None:
        """Be as large as the zoom says, but never too small to be read."""
        high, is_small = self.size * zoom, self.is_small(zoom, scale)
        if self.fine:
            dpg.configure_item(self.item, size=high, show=high >= _FINEST * EM * scale)
            return
        if not (is_small or self.enlarged):
            dpg.configure_item(self.item, size=high)
            return
        self.enlarged = is_small
        high = max(high, SMALLEST * EM * scale)
        unit = high / zoom
        text = self.fitting(round(self.room / unit, 1))
        x = self.base[0] - width(text, self.font) * unit if self.right else self.base[0]
        at = x, self.base[1] - _ASCENT * unit / EM
        dpg.configure_item(self.item, size=high, pos=at, text=text)

    def is_small(self, zoom: float, scale: float) -> bool:
        """Return whether it would be too small to be read: then it is larger than its node."""
        return bool(self.room) and self.size * zoom < SMALLEST * EM * scale

    def fitting(self, room: float) -> str:
        """Return what is written in so much room, at size 1."""
        for text in self.choices:
            if width(text, self.font) <= room:
                return text
        text = fitted(self.text, self.font, room, middle=self.middle)
        return "" if text != self.text and len(text) < self.least else text


@dataclass(slots=True)
class NodeItems:
    """What is drawn of one node, and of which state it was drawn."""

    root: Item
    view: NodeView
    value: Shown
    selected: bool
    scale: float
    fine: Item
    border: Item
    rounded: list[Item] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)
    titles: list[_Text] = field(default_factory=list)
    head: Item = 0
    """The titles; from far away a summary stands in their place."""
    body: Item = 0
    summary: Summary | None = None
    picture: Item = 0
    words: Item = 0
    """The texts of the picture: from far away it is seen without them."""
    patches: list[Item] = field(default_factory=list)
    foot: _Text | None = None
    handle: Item | None = None
    slid: SliderView | None = None
    texture: Item | None = None
    pixels: _Texture | None = None
    """What the texture shows: it reads this array every frame."""
    spare: _Spare = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    """What a view is drawn with."""
    slope: Item = 0
    """The curve of an activation."""
    age: str = ""
    """Of when the value is, if it is not of the present pass."""
    status: str = ""
    badge: Item | None = None
    zoom: float = 0.0
    rounding: int = -1
    fine_shown: bool = True
    place: tuple[float, float] | None = None
    pieces: Iterator[bool] | None = None
    """Draws what is left of it, a piece at a time; true while there may be more."""
    is_whole: bool = False
    """Whether what is only seen from near is drawn, too."""

    @property
    def is_near(self) -> bool:
        """Whether it is seen with all of its texts."""
        return self.zoom >= FINE * self.scale

    def put(self, place: tuple[float, float]) -> None:
        """Move the node to a place."""
        if place != self.place:
            self.place = place
            dpg.apply_transform(self.root, dpg.create_translation_matrix(place))

    def sized(self, zoom: float) -> None:
        """Fit what a transform does not scale."""
        if zoom == self.zoom:
            return
        self.zoom = zoom
        configure = dpg.configure_item
        fine = self.is_near
        if fine:
            for text in (*self.titles, *self.texts):
                text.sized(zoom, self.scale)
        if fine != self.fine_shown:
            self.fine_shown = fine
            for item in (self.fine, self.head, *([self.body] if self.view.view is None else [])):
                if item:
                    configure(item, show=fine)
            if self.summary is not None:
                configure(self.summary.root, show=not fine)
        rounding = round(_ROUNDING * zoom)
        if rounding != self.rounding:
            self.rounding = rounding
            for item in self.rounded:
                configure(item, rounding=rounding)

    def check(self, status: str, theme: Theme) -> None:
        """Show what a gradient check found."""
        if status == self.status:
            return
        self.status = status
        if self.badge is not None:
            dpg.delete_item(self.badge)
        self.badge = badges.drawn(self.root, status, theme) if status else None

    def remove(self) -> None:
        """Delete everything that was drawn."""
        dpg.delete_item(self.root)
        self.forget()

    def forget(self) -> None:
        """Put the texture, whose picture is gone, aside for the next picture of its size."""
        if self.texture is not None and self.pixels is not None:
            self.spare.setdefault(self.pixels.shape, []).append((self.texture, self.pixels))
            self.texture = self.pixels = None

    def slide(self, slider: SliderView) -> None:
        """Put a slider's handle where it is along its track."""
        if self.handle is None or slider == self.slid:
            return
        self.slid = slider
        x, y = slider.handle
        dpg.configure_item(self.handle, pmin=(x - 5, y - 5), pmax=(x + 5, y + 5))

    def mark(self, theme: Theme, *, selected: bool) -> None:
        """Show whether the node is selected."""
        if selected != self.selected:
            self.selected = selected
            colour, thickness = edge(self.view, theme, selected=selected)
            dpg.configure_item(self.border, color=colour, thickness=thickness)


def edge(view: NodeView, theme: Theme, *, selected: bool) -> tuple[Colour, float]:
    """Return colour and thickness of a node's border."""
    if selected:
        return rgba(theme.selected), 2.6
    if view.problem:
        return rgba(theme.problem), 2.0
    return rgba(theme.border), 1.2


def same(one: NodeView, other: NodeView) -> bool:
    """Return whether two views look the same; where they stand and values do not matter."""
    return one is other or _looks(one) == _looks(other)


def _looks(view: NodeView) -> tuple[Any, ...]:
    return (
        view.title, view.type, view.family, view.foot, view.width, view.height, view.mode,
        view.problem, view.field,
        [_port_looks(view, port) for port in (*view.inputs, *view.outputs)],
    )  # fmt: skip


def _port_looks(view: NodeView, port: PortView) -> tuple[Any, ...]:
    return port.label, port.x - view.x, port.y - view.y, port.side, port.wired, port.optional


def _room(view: NodeView) -> tuple[float, float]:
    """Return where a foot's value may begin, and where it ends: beside the field, or in it."""
    field = view.field
    if field is None or field.own:
        return _PAD, view.width - _PAD
    if field.first:
        return field.left + field.width + 6.0, view.width - _PAD
    return _PAD, field.left - 6.0


class NodeDrawer:
    """Draws nodes in a theme."""

    def __init__(self, theme: Theme, fonts: Fonts, scale: float = 1.0) -> None:
        self.theme = theme
        self.fonts = fonts
        self.scale = scale
        self._textures = dpg.add_texture_registry()
        self.fresh = False
        """Whether a texture was made that is not seen before the next frame."""
        self._spare: _Spare = {}

    @property
    def fine(self) -> float:
        """From this zoom on all texts are drawn."""
        return FINE * self.scale

    def close(self) -> None:
        """Delete what is not on the canvas."""
        dpg.delete_item(self._textures)

    def begun(
        self, parent: Item, view: NodeView, value: Shown, *, selected: bool, zoom: float
    ) -> NodeItems:
        """Draw the box of a node and its name; `go_on` draws the rest, piece by piece."""
        theme = self.theme
        faded = view.mode == "disable"
        root = draw.add_draw_node(parent=parent)
        wide, high = float(view.width), float(view.height)
        if view.drawn_as == "knot":
            return self._relay(root, view, value, selected=selected)
        header = rgba(theme.families.get(view.family, theme.families[""]))
        body = rgba(theme.body)
        if faded:
            header = mixed(theme.canvas, theme.body, 0.8)
            body = mixed(theme.canvas, theme.body, 0.5)
        nothing = (0, 0, 0, 0)
        # The header's lower and the body's upper corners are square.
        outer = draw.draw_rectangle((0, 0), (wide, high), parent=root, color=nothing, fill=header)
        ground = draw.add_draw_node(parent=root)
        lower = draw.draw_rectangle(
            (0, HEADER), (wide, high), parent=ground, color=nothing, fill=body
        )
        draw.draw_rectangle((0, HEADER), (wide, high - 12), parent=ground, color=nothing, fill=body)
        colour, thickness = edge(view, theme, selected=selected)
        border = draw.draw_rectangle(
            (0, 0), (wide, high), parent=root, color=colour, fill=nothing, thickness=thickness
        )
        foot = high - FOOT
        draw.draw_line(
            (8, foot), (wide - 8, foot), parent=ground, color=mixed(theme.body, theme.border, 0.45)
        )
        handle = None
        if view.slider is not None:
            run = view.slider.track
            dpg.draw_line(
                (run.left, run.y), (run.right, run.y), parent=root, color=rgba(theme.border),
                thickness=3,
            )  # fmt: skip
            handle = dpg.draw_ellipse(
                (0, 0), (1, 1), parent=root, color=rgba(theme.selected), fill=rgba(theme.selected)
            )
        fine = draw.add_draw_node(parent=root)
        items = NodeItems(
            root, view, None, selected, self.scale, fine, border, [outer, lower, border]
        )
        items.handle, items.body = handle, ground
        items.head = draw.add_draw_node(parent=root)
        self._header(items, view)
        items.sized(zoom)
        items.pieces = self._coarse(items, view)
        return items

    def go_on(self, items: NodeItems, value: Shown) -> bool:
        """Draw the next piece of a node that shows a value; return whether all is drawn."""
        if items.pieces is None:
            if items.is_whole or not items.is_near:
                return True
            items.is_whole = True
            items.pieces = self._detailed(items, items.view, value)
        if next(items.pieces, False):
            return False
        items.pieces = None
        return items.is_whole or not items.is_near

    def _coarse(self, items: NodeItems, view: NodeView) -> Iterator[bool]:
        """Draw what is seen from afar as well, in pieces."""
        theme = self.theme
        for number, port in enumerate((*view.inputs, *view.outputs)):
            x, y = port.x - view.x, port.y - view.y
            fill = rgba(theme.text) if port.wired else rgba(theme.body)
            colour = rgba(theme.faint if port.optional and not port.wired else theme.text)
            draw.draw_ellipse(
                (x - 4, y - 4), (x + 4, y + 4), parent=items.root, color=colour, fill=fill,
                segments=16,
            )  # fmt: skip
            if number % (2 * _AT_ONCE) == 2 * _AT_ONCE - 1:
                yield True

    def _detailed(self, items: NodeItems, view: NodeView, value: Shown) -> Iterator[bool]:
        """Draw what is seen from near alone, in pieces."""
        for number, port in enumerate((*view.inputs, *view.outputs)):
            self._label(items, view, port)
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield True
        for held in filter(None, (view.field, view.switch)):
            self._field(items, view, held)
        yield True
        if items.value is None:
            self.value(items, value)

    def _relay(self, root: Item, view: NodeView, value: Shown, *, selected: bool) -> NodeItems:
        """Draw a relay: a box with two ports and no texts."""
        colour, thickness = edge(view, self.theme, selected=selected)
        border = dpg.draw_rectangle(
            (0, 0), (view.width, view.height), parent=root, color=colour,
            fill=rgba(self.theme.body), thickness=thickness,
        )  # fmt: skip
        fine = dpg.add_draw_node(parent=root)
        items = NodeItems(root, view, value, selected, self.scale, fine, border, [border])
        items.pieces = self._coarse(items, view)
        items.is_whole = True
        return items

    def _header(self, items: NodeItems, view: NodeView) -> None:
        switch = view.switch
        right = _PAD if switch is None else view.width - switch.left + _PAD / 2
        room = view.width - _PAD - right
        colour = rgba(self.theme.faint if view.mode == "disable" else self.theme.text)
        bold, regular = self.fonts.bold, self.fonts.regular
        type_ = view.type if view.type != view.title else ""
        mark = {"bypass": "bypassed", "disable": "disabled", "freeze": "frozen"}.get(view.mode, "")
        if switch is not None and view.mode == "disable":
            mark = ""  # the switch says it
        if view.problem:  # not by colour alone
            mark = "( ! )"
        type_ = mark or type_
        beside = width(type_, regular) * _TYPE * EM + 8 if type_ else 0.0
        needs = width(view.title, bold) * _TITLE * EM
        if needs + beside > room and not mark:
            type_, beside = "", 0.0
        # What a node is called comes first; from afar, its type has what room is left.
        own = room - beside if mark else room
        title = fitted(view.title, bold, (room - beside) / (_TITLE * EM), middle=True)
        self._text(items.titles, items.head, (_PAD, 17.5), title, _TITLE, colour, bold,
                   room=own, middle=True)  # fmt: skip
        if type_:
            faint = rgba(self.theme.problem if view.problem else self.theme.faint)
            at = view.width - right, 17.5
            kept, parent = items.texts, items.fine
            if view.problem:
                kept, parent, regular = items.titles, items.head, bold
            left = room - min(needs * SMALLEST / (FINE * _TITLE), own) - 4
            self._text(kept, parent, at, type_, _TYPE, faint, regular, right=True,
                       room=max(left, 1.0), least=_TYPE_LETTERS)  # fmt: skip

    def _text(
        self,
        kept: list[_Text],
        parent: Item,
        base: tuple[float, float],
        text: str,
        size: float,
        colour: Colour,
        font: Item | None,
        *,
        right: bool = False,
        room: float = 0.0,
        least: int = 0,
        middle: bool = False,
        choices: tuple[str, ...] = (),
        zoom: float = 0.0,
    ) -> None:
        """Draw a text that stands on a point, as SVG has it; `right` ends there.

        It is as large as the `zoom` says, if that is known.
        """
        high = size * EM
        x = base[0] - width(text, font) * high if right else base[0]
        at = x, base[1] - _ASCENT * size
        item = draw.draw_text(at, text, parent=parent, size=high * (zoom or 1.0), color=colour)
        if font is not None:
            dpg.bind_item_font(item, font)
        made = _Text(item, high, text, font, base, right, room, False, least, middle, choices)
        kept.append(made)
        if zoom and made.is_small(zoom, self.scale):
            made.sized(zoom, self.scale)

    def _label(self, items: NodeItems, view: NodeView, port: PortView) -> None:
        """Write what a port is called."""
        base = port.x - view.x - 11.0 * port.side, port.y - view.y + 4.0
        regular = self.fonts.regular
        shares = bool(view.inputs and view.outputs)
        room = view.width / 2 - 14 if shares else view.width - 22
        label = fitted(port.label, regular, room / (_LABEL * EM))
        self._text(items.texts, items.fine, base, label, _LABEL, rgba(self.theme.faint), regular,
                   right=port.side > 0, room=room, zoom=items.zoom)  # fmt: skip

    def _field(self, items: NodeItems, view: NodeView, field: FieldView) -> None:
        """Draw the field of a setting: its ground, its text, and an arrow where it is a list."""
        theme = self.theme
        dpg.draw_rectangle(
            (field.left, field.top), (field.left + field.width, field.top + field.height),
            parent=items.fine, rounding=3, color=mixed(theme.body, theme.border, 0.6),
            fill=mixed(theme.body, theme.canvas, 0.6),
        )  # fmt: skip
        if field.own:
            return  # the value is written as that of any node
        arrow = "▾" if field.kind == "list" else ""
        colour = rgba(theme.faint if view.mode == "disable" else theme.text)
        regular = self.fonts.regular
        base = field.top + field.height - 5.0
        room = field.width - 8 - 11 * len(arrow)
        text = fitted(field.text, regular, room / (_LABEL * EM))
        # Without room the name of a number is left out, not the number.
        number = field.kind == "number"
        choices = (field.text, field.text.rpartition(" ")[2]) if number else ()
        self._text(items.texts, items.fine, (field.left + 5, base), text, _LABEL, colour, regular,
                   room=room, choices=choices, zoom=items.zoom)  # fmt: skip
        if arrow:
            at = field.left + field.width - 4.0, base
            self._text(items.texts, items.fine, at, arrow, _LABEL, colour, regular, right=True,
                       zoom=items.zoom)  # fmt: skip

    # --- what changes while a network runs

    def value(self, items: NodeItems, content: Shown) -> None:
        """Draw the foot, and what a view shows: a value, or the formula where there is none."""
        view = items.view
        had, items.value = items.value, content
        if view.drawn_as == "knot":
            return
        value, age = faces.parted(content)
        curve = content.content if isinstance(content, Aged) else content
        if isinstance(curve, Activated):
            self._slope(items, curve, old=bool(age))
        written = faces.foot(view, content)
        text, choices = written.text, written.choices
        note = value is None and view.notes and not any(p.wired for p in view.inputs)
        rows = faces.counts_hits(view)
        parts = patches(value, self.theme) if isinstance(value, np.ndarray) and not rows else ()
        begin, end = _room(view)
        if parts and view.view is None:
            if end - begin < _PICTURE:
                parts = ()  # it would lie over the field
            else:
                end -= _PICTURE + 6
        room = max(end - begin, 0.0) / (_LABEL * EM)
        # The stump of a formula tells nothing.
        least = len(text) // 2 if value is None and view.view is None else 0
        if age:
            parts = tuple(replace(part, colour=(*part.colour[:3], _OLD)) for part in parts)
        colour = rgba(self.theme.faint if written.faint else self.theme.text)
        marks = self._marks(view, value)
        if age and view.view is not None:
            marks = self._faded(view, marks, age)
        aged, items.age = items.age != age, age
        if had is None or value is None or (aged and view.view is not None):
            pass
        elif self._repainted(items, marks, parts) and items.foot is not None:
            foot = items.foot
            foot.text, foot.choices, foot.room = text, choices, room * _LABEL * EM
            foot.least = least
            dpg.configure_item(foot.item, text=foot.fitting(room), color=colour)
            if items.foot.enlarged and items.zoom:
                items.foot.sized(items.zoom, self.scale)
            return
        self._clear(items)
        before = len(items.texts)
        if note and view.view is not None:
            left, top, wide, high = view.view
            area = left - view.x, top - view.y, wide, high
            self._drawn(items, sentence(view.foot, area, self.theme))
        elif view.view is not None:
            self._drawn(items, marks)
            if age:
                self._veil(items, view.view)
        else:
            self._patches(items, parts, self._strip(view))
        base = begin, view.height - 8.0
        regular = self.fonts.regular
        self._text(items.texts, items.words, base, text, _LABEL, colour, regular,
                   room=room * _LABEL * EM, least=least)  # fmt: skip
        items.foot = items.texts[-1]
        items.foot.choices = choices
        dpg.configure_item(items.foot.item, text=items.foot.fitting(room))
        if items.zoom:
            for one in items.texts[before:]:
                one.sized(items.zoom, self.scale)

    def summarize(self, items: NodeItems, value: Shown, zoom: float) -> None:
        """Write name and value for those who look from afar."""
        view = items.view
        if view.drawn_as == "knot":
            return
        if items.summary is None:
            items.summary = summaries.made(items.root, self.theme, self.fonts)
            dpg.configure_item(items.summary.root, show=zoom < self.fine)
        summaries.write(items.summary, view, value, zoom, self.scale, self.theme, self.fonts)

    def _clear(self, items: NodeItems) -> None:
        if items.picture:
            gone = dpg.get_item_children(items.words, 2)
            items.texts = [text for text in items.texts if text.item not in gone]
            dpg.delete_item(items.picture)
            dpg.delete_item(items.words)
            items.forget()
        view = items.view.view is not None
        items.picture = (
            dpg.add_draw_node(parent=items.root, before=items.fine)
            if view
            else dpg.add_draw_node(parent=items.fine)
        )
        items.words = dpg.add_draw_node(parent=items.fine)
        items.patches = []

    def _repainted(self, items: NodeItems, marks: list[Mark], parts: tuple[Patch, ...]) -> bool:
        """Change what is drawn already, if that is enough."""
        if items.foot is None:
            return False
        if items.view.view is None:
            if len(parts) != len(items.patches):
                return False
            placed = self._placed(parts, self._strip(items.view))
            for item, (part, corners) in zip(items.patches, placed, strict=True):
                dpg.configure_item(item, pmin=corners[0], pmax=corners[1], fill=part.colour)
            return True
        if items.pixels is None or len(marks) != len(items.marks):
            return False
        for one, other in zip(items.marks, marks, strict=True):
            same = one == other
            if isinstance(one, Pixels) and isinstance(other, Pixels):
                same = one.area == other.area and one.colours.shape == other.colours.shape
            if not same:
                return False
        for mark in marks:
            if isinstance(mark, Pixels):
                items.pixels[..., :3] = mark.colours
        items.marks = marks
        return True

    @staticmethod
    def _strip(view: NodeView) -> _Area:
        """Return where in the foot the picture of a value is."""
        return _room(view)[1] - _PICTURE, view.height - FOOT + 4, _PICTURE, FOOT - 8

    # --- views

    def _marks(self, view: NodeView, value: Face) -> list[Mark]:
        """Return what a view is drawn with, in the node's own coordinates."""
        if view.view is None or value is None or isinstance(value, Activated):
            return []
        left, top, wide, high = view.view
        area = left - view.x, top - view.y, wide, high - 4
        if isinstance(value, str):
            return sentence(value, area, self.theme)
        content = Picture(np.atleast_2d(value)) if isinstance(value, np.ndarray) else value
        return content.marks(area, self.theme)

    def _drawn(self, items: NodeItems, marks: list[Mark]) -> None:
        """Fill the area of a view node."""
        items.marks = marks
        for mark in marks:
            match mark:
                case Words(x, y, text, colour, size, anchor):
                    regular = self.fonts.regular
                    if anchor == "middle":
                        x -= width(text, regular) * size * EM / 2
                    self._text(items.texts, items.words, (x, y), text, size, rgba(colour),
                               regular, right=anchor == "end")  # fmt: skip
                    items.texts[-1].fine = True
                case Pixels():
                    self._texture(items, mark)
                case _:
                    sketched(mark, items.picture)

    def _faded(self, view: NodeView, marks: list[Mark], age: str) -> list[Mark]:
        """Write what a view shows faintly, and of when it is."""
        if view.view is None or not marks:
            return marks
        left, top, wide, high = view.view
        faint = [
            replace(mark, colour=self.theme.faint) if isinstance(mark, Words) else mark
            for mark in marks
        ]
        at = left - view.x + wide, top - view.y + high - 2
        return [*faint, Words(*at, age, self.theme.text, SMALL, "end")]

    def _veil(self, items: NodeItems, area: _Area) -> None:
        """Lay a veil over the lines and rectangles of a view; its words lie above."""
        left, top = area[0] - items.view.x, area[1] - items.view.y
        dpg.draw_rectangle(
            (left, top), (left + area[2], top + area[3]), parent=items.picture,
            color=(0, 0, 0, 0), fill=rgba(self.theme.body, 1 - _OLD / 255),
        )  # fmt: skip

    def _slope(self, items: NodeItems, value: Activated, *, old: bool) -> None:
        """Draw the curve of an activation between its ports, with the points of its neurons."""
        if items.slope:
            dpg.delete_item(items.slope)
        items.slope = dpg.add_draw_node(parent=items.fine)
        area = between_ports(items.view)
        for mark in value.slope.marks(area, self.theme):
            if not (old and isinstance(mark, Dot)):  # the curve stays, its points were others
                sketched(mark, items.slope)

    def _texture(self, items: NodeItems, mark: Pixels) -> None:
        """Show pixels in an area."""
        left, top, wide, high = mark.area
        rows, columns = mark.colours.shape[:2]
        shape = rows, columns, 4
        items.spare = self._spare
        if spare := self._spare.get(shape):
            items.texture, items.pixels = spare.pop()
        else:
            self.fresh = True
            items.pixels = np.ones(shape, np.float32)
            items.texture = dpg.add_raw_texture(
                columns, rows, items.pixels, format=dpg.mvFormat_Float_rgba, parent=self._textures
            )
        items.pixels[..., :3] = mark.colours
        end = left + wide, top + high
        dpg.draw_image(items.texture, (left, top), end, parent=items.picture)

    def _patches(self, items: NodeItems, parts: tuple[Patch, ...], area: _Area) -> None:
        nothing = (0, 0, 0, 0)
        items.patches = [
            draw.draw_rectangle(*corners, parent=items.picture, color=nothing, fill=part.colour)
            for part, corners in self._placed(parts, area)
        ]

    @staticmethod
    def _placed(
        parts: tuple[Patch, ...], area: _Area
    ) -> Iterator[tuple[Patch, tuple[tuple[float, float], tuple[float, float]]]]:
        left, top, wide, high = area
        for part in parts:
            start = left + part.left * wide, top + part.top * high
            yield part, (start, (left + part.right * wide, top + part.bottom * high))


def between_ports(view: NodeView) -> _Area:
    """Return the area between the ports of an activation, in the node's own coordinates."""
    return 36.0, view.inputs[0].y - view.y - 8.0, view.width - 72.0, 17.0


def sketched(mark: Mark, parent: Item) -> None:
    """Draw a rectangle, a line or a dot."""
    nothing = (0, 0, 0, 0)
    match mark:
        case Rect(x, y, wide, high, fill):
            corners = (x, y), (x + wide, y + high)
            dpg.draw_rectangle(*corners, parent=parent, color=nothing, fill=rgba(fill))
        case Line(points, colour, thick, dashed):
            look = {"parent": parent, "color": rgba(colour), "thickness": thick}
            if not dashed:
                dpg.draw_polyline(list(points), **look)
                return
            for one, other in pieces(points):
                dpg.draw_line(one, other, **look)
        case Dot(x, y, r, fill, edge, kind):
            look = {"parent": parent, "color": rgba(edge), "fill": rgba(fill)}
            if kind == "circle":
                dpg.draw_ellipse((x - r, y - r), (x + r, y + r), segments=12, **look)
            elif kind == "square":
                dpg.draw_rectangle((x - r, y - r), (x + r, y + r), **look)
            else:
                dpg.draw_triangle((x, y - r), (x + r, y + r), (x - r, y + r), **look)
        case _:
            pass


_DASH, _GAP = 4.0, 3.0


def pieces(
    points: tuple[tuple[float, float], ...],
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the dashes of a line: the toolkit has none."""
    at, drawing, left = points[0], True, _DASH
    for end in points[1:]:
        while (length := float(np.hypot(end[0] - at[0], end[1] - at[1]))) > 0:
            share = min(left / length, 1.0)
            onward = at[0] + share * (end[0] - at[0]), at[1] + share * (end[1] - at[1])
            if drawing:
                yield at, onward
            left -= share * length
            at = onward
            if left <= 1e-9:
                drawing, left = not drawing, _GAP if drawing else _DASH
