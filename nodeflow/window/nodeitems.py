"""One node on the canvas: its draw items, kept and changed rather than drawn anew.

Items are in the node's own coordinates, so that a move is one transform. What a transform does
not scale, text sizes and roundings, is set again when the zoom changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.boxes import FOOT, HEADER, SLIDER
from nodeflow.editor.hits import LEGIBLE
from nodeflow.scene import FieldView, NodeView, PortView, shown, sized
from nodeflow.theme import Theme
from nodeflow.window import badges
from nodeflow.window.colours import Colour, mixed, rgba
from nodeflow.window.fonts import EM, Fonts, fitted, width
from nodeflow.window.overlayitems import wrapped
from nodeflow.window.previews import (
    Content,
    Counts,
    Lines,
    Patch,
    Pixels,
    Plane,
    Several,
    class_colours,
    patches,
    picture,
    regions,
)
from nodeflow.window.toolkit import Item, dpg

FINE = LEGIBLE
"""From this zoom on all texts are drawn, below only titles."""
_TITLE, _TYPE, _LABEL = 12.0, 10.0, 11.0
_ROUNDING = 7.0
_PAD = 10.0
_PICTURE = 52.0
_LARGE = 26.0
_MOST_BARS = 12
_SMALL, _LEAST_CELL = 9.0, 17.0
_THIN = 4.0
"""A heat map this many times as long as high is stretched."""
_ASCENT = 0.928
"""Of the height of a font, as SVG counts it."""


_Area = tuple[float, float, float, float]
"""Left, top, width and height."""


_Spare = dict[tuple[int, ...], list[tuple[Item, Pixels]]]
"""Textures by size: the toolkit does not give the memory of a deleted one back."""


@dataclass(slots=True)
class _Text:
    item: Item
    size: float


@dataclass(slots=True)
class NodeItems:
    """What is drawn of one node, and of which state it was drawn."""

    root: Item
    view: NodeView
    value: Content
    selected: bool
    fine: Item
    border: Item
    rounded: list[Item] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)
    titles: list[_Text] = field(default_factory=list)
    picture: Item = 0
    words: Item = 0
    """The texts of the picture: from far away it is seen without them."""
    patches: list[Item] = field(default_factory=list)
    foot: Item | None = None
    handle: Item | None = None
    slid: float | None = None
    texture: Item | None = None
    pixels: Pixels | None = None
    """What the texture shows: it reads this array every frame."""
    spare: _Spare = field(default_factory=dict)
    plane: bool = False
    """Whether the texture has points over it, which stay where they are."""
    status: str = ""
    badge: Item | None = None
    zoom: float = 0.0
    rounding: int = -1
    fine_shown: bool = True
    place: tuple[float, float] | None = None

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
        for text in self.titles:
            configure(text.item, size=text.size * zoom)
        fine = zoom >= FINE
        if fine:
            for text in self.texts:
                configure(text.item, size=text.size * zoom)
        if fine != self.fine_shown:
            self.fine_shown = fine
            configure(self.fine, show=fine)
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

    def slide(self, share: float) -> None:
        """Put a slider's handle so far along its track, from 0 to 1."""
        if self.handle is None or share == self.slid:
            return
        self.slid = share
        x = _PAD + share * (self.view.width - 2 * _PAD)
        y = self.view.height - FOOT - SLIDER / 2
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


def _foot(value: Content) -> str:
    """Return a value in a few characters; of a matrix, which has a picture, only the shape."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, Plane):
        return f"x1 {value.low[0]:.3g} … {value.high[0]:.3g}".replace("-", "−")
    if isinstance(value, Counts):
        right, count = value.right
        return f"{right} of {count} right ({right / max(count, 1):.1%})".replace("%", " %")
    if isinstance(value, Lines):
        return "   ".join(f"{line[-1, 1]:.5g}" for line in value.lines).replace("-", "−")
    if isinstance(value, Several):
        return _foot(value.values[0]) if len(value.values) == 1 else f"{len(value.values)} values"
    if value.ndim == 2 and min(value.shape) > 1:
        return sized(value.shape)
    return shown(value)


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

    def __init__(self, theme: Theme, fonts: Fonts) -> None:
        self.theme = theme
        self.fonts = fonts
        self._textures = dpg.add_texture_registry()
        self._spare: _Spare = {}

    def close(self) -> None:
        """Delete what is not on the canvas."""
        dpg.delete_item(self._textures)

    def drawn(self, parent: Item, view: NodeView, value: Content, *, selected: bool) -> NodeItems:
        """Draw a node."""
        theme = self.theme
        faded = view.mode == "disable"
        root = dpg.add_draw_node(parent=parent)
        wide, high = float(view.width), float(view.height)
        if view.type == "relay":
            return self._knot(root, view, value, selected=selected)
        header = rgba(theme.families.get(view.family, theme.families[""]))
        body = rgba(theme.body)
        if faded:
            header = mixed(theme.canvas, theme.body, 0.8)
            body = mixed(theme.canvas, theme.body, 0.5)
        nothing = (0, 0, 0, 0)
        # The header's lower and the body's upper corners are square.
        outer = dpg.draw_rectangle((0, 0), (wide, high), parent=root, color=nothing, fill=header)
        lower = dpg.draw_rectangle((0, HEADER), (wide, high), parent=root, color=nothing, fill=body)
        dpg.draw_rectangle((0, HEADER), (wide, high - 12), parent=root, color=nothing, fill=body)
        colour, thickness = edge(view, theme, selected=selected)
        border = dpg.draw_rectangle(
            (0, 0), (wide, high), parent=root, color=colour, fill=nothing, thickness=thickness
        )
        foot = high - FOOT
        dpg.draw_line(
            (8, foot), (wide - 8, foot), parent=root, color=mixed(theme.body, theme.border, 0.45)
        )
        if view.type == "slider":
            middle = foot - SLIDER / 2
            dpg.draw_line(
                (_PAD, middle), (wide - _PAD, middle), parent=root, color=rgba(theme.border),
                thickness=3,
            )  # fmt: skip
            handle = dpg.draw_ellipse(
                (0, 0), (1, 1), parent=root, color=rgba(theme.selected), fill=rgba(theme.selected)
            )
        else:
            handle = None
        fine = dpg.add_draw_node(parent=root)
        items = NodeItems(root, view, None, selected, fine, border, [outer, lower, border])
        items.handle = handle
        self._header(items, view)
        for port in (*view.inputs, *view.outputs):
            self._port(items, view, port)
        if view.field is not None:
            self._field(items, view, view.field)
        self.value(items, value)
        return items

    def _knot(self, root: Item, view: NodeView, value: Content, *, selected: bool) -> NodeItems:
        """Draw a relay: a box with two ports and no texts."""
        colour, thickness = edge(view, self.theme, selected=selected)
        border = dpg.draw_rectangle(
            (0, 0), (view.width, view.height), parent=root, color=colour,
            fill=rgba(self.theme.body), thickness=thickness,
        )  # fmt: skip
        fine = dpg.add_draw_node(parent=root)
        items = NodeItems(root, view, value, selected, fine, border, [border])
        for port in (*view.inputs, *view.outputs):
            self._port(items, view, port)
        return items

    def _header(self, items: NodeItems, view: NodeView) -> None:
        room = view.width - 2 * _PAD
        colour = rgba(self.theme.faint if view.mode == "disable" else self.theme.text)
        bold, regular = self.fonts.bold, self.fonts.regular
        type_ = view.type if view.type != view.title else ""
        mark = {"bypass": "bypassed", "disable": "disabled", "freeze": "frozen"}.get(view.mode, "")
        if view.problem:  # not by colour alone
            mark = "( ! )"
        type_ = mark or type_
        beside = width(type_, regular) * _TYPE * EM + 8 if type_ else 0.0
        needs = width(view.title, bold) * _TITLE * EM
        if needs + beside > room and not mark:
            type_, beside = "", 0.0
        title = fitted(view.title, bold, (room - beside) / (_TITLE * EM), middle=True)
        self._text(items.titles, items.root, (_PAD, 17.5), title, _TITLE, colour, bold)
        if type_:
            faint = rgba(self.theme.problem if view.problem else self.theme.faint)
            at = view.width - _PAD, 17.5
            kept, parent = items.texts, items.fine
            if view.problem:
                kept, parent, regular = items.titles, items.root, bold
            self._text(kept, parent, at, type_, _TYPE, faint, regular, right=True)

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
    ) -> None:
        """Draw a text that stands on a point, as SVG has it; `right` ends there."""
        high = size * EM
        x = base[0] - width(text, font) * high if right else base[0]
        at = x, base[1] - _ASCENT * size
        item = dpg.draw_text(at, text, parent=parent, size=high, color=colour)
        if font is not None:
            dpg.bind_item_font(item, font)
        kept.append(_Text(item, high))

    def _port(self, items: NodeItems, view: NodeView, port: PortView) -> None:
        x, y = port.x - view.x, port.y - view.y
        theme = self.theme
        fill = rgba(theme.text) if port.wired else rgba(theme.body)
        colour = rgba(theme.faint if port.optional and not port.wired else theme.text)
        dpg.draw_ellipse(
            (x - 4, y - 4), (x + 4, y + 4), parent=items.root, color=colour, fill=fill, segments=16
        )
        base = x - 11.0 * port.side, y + 4.0
        regular = self.fonts.regular
        shares = bool(view.inputs and view.outputs)
        room = (view.width / 2 - 14 if shares else view.width - 22) / (_LABEL * EM)
        label = fitted(port.label, regular, room)
        right = port.side > 0
        faint = rgba(theme.faint)
        self._text(items.texts, items.fine, base, label, _LABEL, faint, regular, right=right)

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
        base = view.height - 8.0
        room = (field.width - 8 - 11 * len(arrow)) / (_LABEL * EM)
        text = fitted(field.text, regular, room)
        self._text(items.texts, items.fine, (field.left + 5, base), text, _LABEL, colour, regular)
        if arrow:
            at = field.left + field.width - 4.0, base
            self._text(items.texts, items.fine, at, arrow, _LABEL, colour, regular, right=True)

    # --- what changes while a network runs

    def value(self, items: NodeItems, value: Content) -> None:
        """Draw the foot, and what a view shows: a value, or the formula where there is none."""
        view = items.view
        had, items.value = items.value, value
        if view.type == "relay":
            return
        parts = patches(value, self.theme) if isinstance(value, np.ndarray) else ()
        note = value is None and view.type == "panel" and not any(p.wired for p in view.inputs)
        text = _foot(value) if value is not None else "" if note else view.foot
        if view.type == "image" and isinstance(value, np.ndarray) and value.size > 1:
            text = f"{text}   {value.min():.3g} … {value.max():.3g}".replace("-", "−")
        begin, end = _room(view)
        if view.field is not None and not view.field.own and text == view.field.text:
            text = ""  # it stands in the field
        if parts and view.view is None:
            end -= _PICTURE + 6
        room = max(end - begin, 0.0) / (_LABEL * EM)
        if isinstance(value, np.ndarray) and width(text, self.fonts.regular) > room:
            text = sized(value.shape)  # numbers that are cut would be misread
            if parts and width(text, self.fonts.regular) > room:
                text = ""  # the picture tells how many there are
        text = fitted(text, self.fonts.regular, room)
        if had is not None and value is not None and self._repainted(items, value, parts):
            dpg.configure_item(items.foot, text=text)
            return
        self._clear(items)
        before = len(items.texts)
        if view.view is not None and value is not None:
            left, top, wide, high = view.view
            self._shown(items, value, parts, (left - view.x, top - view.y, wide, high - 4))
        elif note and view.view is not None:
            left, top, wide, high = view.view
            self._note(items, view.foot, (left - view.x, top - view.y, wide, high))
        else:
            self._patches(items, parts, self._strip(view))
        base = begin, view.height - 8.0
        faint = rgba(self.theme.faint if value is None else self.theme.text)
        regular = self.fonts.regular
        self._text(items.texts, items.words, base, text, _LABEL, faint, regular)
        items.foot = items.texts[-1].item
        if items.zoom:
            for one in items.texts[before:]:
                dpg.configure_item(one.item, size=one.size * items.zoom)

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

    def _repainted(self, items: NodeItems, value: Content, parts: tuple[Patch, ...]) -> bool:
        """Change what is drawn already, if that is enough."""
        if items.foot is None:
            return False
        if items.view.view is None:
            if len(parts) != len(items.patches):
                return False
            for item, part, corners in self._placed(items, parts, self._strip(items.view)):
                dpg.configure_item(item, pmin=corners[0], pmax=corners[1], fill=part.colour)
            return True
        if items.pixels is None or isinstance(value, Plane) != items.plane:
            return False
        pixels = self._pixels(items, value)
        if pixels is None or pixels.shape != items.pixels.shape:
            return False
        items.pixels[:] = pixels
        return True

    @staticmethod
    def _strip(view: NodeView) -> _Area:
        """Return where in the foot the picture of a value is."""
        return _room(view)[1] - _PICTURE, view.height - FOOT + 4, _PICTURE, FOOT - 8

    # --- views

    def _shown(
        self, items: NodeItems, value: Content, parts: tuple[Patch, ...], area: _Area
    ) -> None:
        """Fill the area of a view node."""
        kind = items.view.type
        match value:
            case str():
                self._words(items, value, (area[0] + 4, area[1] + 20), _LABEL, area[2])
            case Lines():
                self._lines(items, value, area)
            case Plane():
                self._plane(items, value, area)
            case Counts():
                self._counts(items, value, area)
            case Several() if kind == "bars":
                self._bars(items, value.values[0], value.names, area)
            case Several():
                self._list(items, value, area)
            case np.ndarray():
                self._array(items, value, parts, area)

    def _array(
        self, items: NodeItems, value: NDArray[Any], parts: tuple[Patch, ...], area: _Area
    ) -> None:
        left, top, wide, high = area
        array = np.atleast_2d(np.asarray(value))
        kind = items.view.type
        pixels = self._pixels(items, array)
        if pixels is not None:
            self._texture(items, pixels, area)
        elif kind == "bars":
            self._bars(items, array, (), area)
        elif array.size == 1:
            text = f"{array.flat[0]:.6g}".replace("-", "−")
            at = left + 4, top + high / 2 + 10
            self._words(items, text, at, _LARGE, wide)
        elif kind not in ("panel", "table") and parts:
            self._patches(items, parts, area)
        else:
            self._table(items, array, area)

    def _pixels(self, items: NodeItems, value: Content) -> Pixels | None:
        """Return what a texture is to show, where a view has one."""
        if isinstance(value, Plane):
            return regions(value, self.theme)
        if (
            items.view.view is None
            or items.view.type != "image"
            or not isinstance(value, np.ndarray)
        ):
            return None
        _, _, wide, high = items.view.view
        return picture(value, self.theme, (wide, high - 4))

    def _texture(self, items: NodeItems, pixels: Pixels, area: _Area) -> _Area:
        """Show pixels in an area, undistorted unless they are a very long strip."""
        left, top, wide, high = area
        rows, columns = pixels.shape[:2]
        if max(columns / rows, rows / columns) < _THIN:
            scale = min(wide / columns, high / rows)
            w, h = columns * scale, rows * scale
            left, top, wide, high = left + (wide - w) / 2, top + (high - h) / 2, w, h
        items.plane, items.spare = isinstance(items.value, Plane), self._spare
        if spare := self._spare.get(pixels.shape):
            items.texture, items.pixels = spare.pop()
            items.pixels[:] = pixels
        else:
            items.pixels = pixels
            items.texture = dpg.add_raw_texture(
                columns, rows, pixels, format=dpg.mvFormat_Float_rgba, parent=self._textures
            )
        end = left + wide, top + high
        dpg.draw_image(items.texture, (left, top), end, parent=items.picture)
        return left, top, wide, high

    def _plane(self, items: NodeItems, plane: Plane, area: _Area) -> None:
        """Draw the regions, the points in them, and beside them what the marks mean."""
        pixels = regions(plane, self.theme)
        side = min(area[2], area[3])
        square = self._texture(items, pixels, (area[0], area[1], side, side))
        left, top, wide, high = square
        span = np.subtract(plane.high, plane.low)
        shares = (plane.points - plane.low) / span
        for (x, y), one in zip(shares.tolist(), plane.classes.tolist(), strict=True):
            self._mark(items, (left + x * wide, top + (1 - y) * high), one)
        for number, name in enumerate(plane.names[: int(high // 18)]):
            at = left + wide + 14.0, top + 10 + 18.0 * number
            self._mark(items, at, number, larger=2.0)
            room = area[2] - wide - 26
            self._words(items, name, (at[0] + 10, at[1] + 4), _LABEL, room)

    def _mark(
        self, items: NodeItems, at: tuple[float, float], number: int, larger: float = 0.0
    ) -> None:
        """Draw the mark of a class: circle, square or triangle in its colour."""
        colours = class_colours(self.theme)
        x, y = at
        r = 2.6 + larger
        look = {
            "parent": items.picture, "color": rgba(self.theme.canvas),
            "fill": rgba(colours[number % len(colours)]),
        }  # fmt: skip
        if number % 3 == 0:
            dpg.draw_ellipse((x - r, y - r), (x + r, y + r), segments=12, **look)
        elif number % 3 == 1:
            dpg.draw_rectangle((x - r, y - r), (x + r, y + r), **look)
        else:
            dpg.draw_triangle((x, y - r), (x + r, y + r), (x - r, y + r), **look)

    def _counts(self, items: NodeItems, counts: Counts, area: _Area) -> None:
        """Draw a shaded cell a pair of classes: down what was right, across what was said."""
        left, top, wide, high = area
        table, theme = counts.table, self.theme
        count = len(table)
        names = counts.names or tuple(map(str, range(count)))
        longest = max(width(name, self.fonts.regular) for name in names) * _LABEL * EM
        margin = min(longest + 8, wide * 0.34)
        head = 15.0
        across, down = (wide - margin) / count, (high - head) / count
        across, down = min(across, 2.4 * down), min(down, 26.0)
        size = _LABEL if min(across / 2, down) >= _LEAST_CELL else _SMALL
        sums = np.maximum(table.sum(axis=1, keepdims=True), 1)
        shares = table / sums
        for row in range(count):
            y = top + head + row * down
            middle = y + down / 2 + size * 0.36
            self._words(items, names[row], (left, middle), size, margin - 6)
            x = left + margin + row * across
            self._words(items, names[row], (x + 3, top + 11), size, across - 3, faint=True)
            for column in range(count):
                x = left + margin + column * across
                colour = theme.selected if row == column else theme.problem
                dpg.draw_rectangle(
                    (x + 0.5, y + 0.5), (x + across - 0.5, y + down - 0.5), parent=items.picture,
                    color=(0, 0, 0, 0),
                    fill=mixed(theme.canvas, colour, 0.62 * float(shares[row, column])),
                )  # fmt: skip
                text = str(int(table[row, column]))
                room = width(text, self.fonts.regular) * size * EM
                self._words(items, text, (x + (across - room) / 2, middle), size, across + 4)

    def _note(self, items: NodeItems, text: str, area: _Area) -> None:
        """Write what was noted on a panel, in as many lines as there is room for."""
        left, top, wide, high = area
        room = (wide - 8) / (_LABEL * EM)
        lines = [
            line for part in text.splitlines() for line in wrapped(part, self.fonts.regular, room)
        ]
        for number, line in enumerate(lines[: int(high // 17)]):
            at = left + 4, top + 14.0 + 17.0 * number
            self._words(items, line, at, _LABEL, wide)

    def _list(self, items: NodeItems, several: Several, area: _Area) -> None:
        """Write values one below the other, each after what it comes from."""
        left, top, wide, high = area
        pairs = list(zip(several.names, several.values, strict=True))
        for number, (name, value) in enumerate(pairs[: int(high // 17)]):
            y = top + 13.0 + 17.0 * number
            self._words(items, name, (left + 2, y), _LABEL, wide * 0.55, faint=True)
            text = shown(np.asarray(value))
            self._words(items, text, (left + wide * 0.6, y), _LABEL, wide * 0.4)

    def _words(
        self,
        items: NodeItems,
        text: str,
        at: tuple[float, float],
        size: float,
        room: float,
        *,
        faint: bool = False,
    ) -> None:
        text = fitted(text, self.fonts.regular, room / (size * EM))
        colour = rgba(self.theme.faint if faint else self.theme.text)
        self._text(items.texts, items.words, at, text, size, colour, self.fonts.regular)

    def _table(self, items: NodeItems, array: NDArray[Any], area: _Area) -> None:
        """Write numbers in rows and columns."""
        left, top, wide, high = area
        rows = int(high // 15)
        columns = min(array.shape[1], max(int(wide // 46), 1))
        step = wide / columns if columns > 3 else 62.0
        for number, row in enumerate(array[:rows]):
            y = top + 12.0 + 15.0 * number
            if number == rows - 1 and len(array) > rows:
                self._words(items, f"… {len(array)} rows", (left, y), _LABEL, wide)
                return
            if number % 2:
                dpg.draw_rectangle(
                    (left - 2, y - 11), (left + wide, y + 4), parent=items.picture,
                    color=(0, 0, 0, 0), fill=mixed(self.theme.body, self.theme.text, 0.05),
                )  # fmt: skip
            for place, x in enumerate(row[:columns].tolist()):
                more = place == columns - 1 and array.shape[1] > columns
                text = "…" if more else f"{x:.3g}".replace("-", "−")
                self._words(items, text, (left + place * step, y), _LABEL, step)

    def _bars(
        self, items: NodeItems, array: NDArray[Any], names: tuple[str, ...], area: _Area
    ) -> None:
        """Draw a bar a number of the first row, named; shares are written as percentages."""
        row = np.atleast_2d(array)[0][:_MOST_BARS]
        left, top, wide, high = area
        step = min(high / row.size, 26.0)
        largest = float(np.abs(row).max()) or 1.0
        shares = bool((row >= 0).all() and (row <= 1).all())
        most = 1.0 if shares else largest
        names = names[: row.size] or tuple(str(n + 1) for n in range(row.size))
        longest = max(width(name, self.fonts.regular) for name in names) * _LABEL * EM
        start = min(longest + 8, wide * 0.34)
        room = wide - 62.0 - start
        for number, (name, x) in enumerate(zip(names, row.tolist(), strict=True)):
            y = top + number * step
            colour = rgba(self.theme.positive if x >= 0 else self.theme.negative)
            length = max(abs(x) / most * room, 1.0)
            base = y + step / 2 + 4
            self._words(items, name, (left, base), _LABEL, start - 6, faint=True)
            dpg.draw_rectangle(
                (left + start, y + 3), (left + start + length, y + step - 3),
                parent=items.picture, color=(0, 0, 0, 0), fill=colour,
            )  # fmt: skip
            text = f"{x:.1%}".replace("%", " %") if shares else f"{x:.4g}".replace("-", "−")
            self._words(items, text, (left + start + room + 8, base), _LABEL, 56)

    def _lines(self, items: NodeItems, traces: Lines, area: _Area) -> None:
        """Draw how values have changed, the range at the left, a name a line where there are more.

        Several lines differ by thickness as well.
        """
        left, top, wide, high = area
        theme = self.theme
        low = min(float(line[:, 1].min()) for line in traces.lines)
        most = max(float(line[:, 1].max()) for line in traces.lines)
        start = min(float(line[0, 0]) for line in traces.lines)
        end = max(float(line[-1, 0]) for line in traces.lines)
        colours = (theme.selected, theme.positive, theme.backward, theme.feedback)
        many = len(traces.lines) > 1
        top, high = top + 14, high - 28
        for y in (top, top + high):
            dpg.draw_line(
                (left, y), (left + wide, y), parent=items.picture,
                color=mixed(theme.body, theme.border, 0.4),
            )  # fmt: skip
        for number, (name, line) in enumerate(zip(traces.names, traces.lines, strict=True)):
            xs = left + (line[:, 0] - start) / ((end - start) or 1.0) * wide
            ys = top + high - (line[:, 1] - low) / ((most - low) or 1.0) * high
            colour = rgba(colours[number % len(colours)])
            points = list(zip(xs.tolist(), ys.tolist(), strict=True))
            if len(points) > 1:
                thick = 1.6 + 0.8 * (number % 3)
                dpg.draw_polyline(points, parent=items.picture, color=colour, thickness=thick)
            x, y = points[-1]
            corners = (x - 3, y - 3), (x + 3, y + 3)
            dpg.draw_ellipse(*corners, parent=items.picture, color=colour, fill=colour)
            if many:
                at = left + wide * 0.42, top + 13.0 + 14 * number
                dpg.draw_line(
                    (at[0] - 18, at[1] - 4), (at[0] - 5, at[1] - 4), parent=items.picture,
                    color=colour, thickness=1.6 + 0.8 * (number % 3),
                )  # fmt: skip
                self._words(items, name, at, _LABEL, wide * 0.58)
        for text, y in ((f"{most:.4g}", top - 3), (f"{low:.4g}", top + high + 12)):
            self._words(items, text.replace("-", "−"), (left, y), _SMALL, 80, faint=True)
        text = f"update {end:.0f}"
        room = width(text, self.fonts.regular) * _SMALL * EM
        at = left + wide - room, top + high + 12
        self._words(items, text, at, _SMALL, wide, faint=True)

    def _patches(self, items: NodeItems, parts: tuple[Patch, ...], area: _Area) -> None:
        nothing = (0, 0, 0, 0)
        items.patches = [
            dpg.draw_rectangle((0, 0), (1, 1), parent=items.picture, color=nothing) for _ in parts
        ]
        for item, part, corners in self._placed(items, parts, area):
            dpg.configure_item(item, pmin=corners[0], pmax=corners[1], fill=part.colour)

    @staticmethod
    def _placed(
        items: NodeItems, parts: tuple[Patch, ...], area: _Area
    ) -> Iterator[tuple[Item, Patch, tuple[tuple[float, float], tuple[float, float]]]]:
        left, top, wide, high = area
        for item, part in zip(items.patches, parts, strict=True):
            start = left + part.left * wide, top + part.top * high
            yield item, part, (start, (left + part.right * wide, top + part.bottom * high))
