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
from nodeflow.scene import NodeView, PortView, shown
from nodeflow.theme import Theme
from nodeflow.window.colours import Colour, mixed, rgba
from nodeflow.window.fonts import EM, Fonts, fitted, width
from nodeflow.window.previews import Patch, patches
from nodeflow.window.toolkit import Item, dpg

FINE = 0.55
"""From this zoom on all texts are drawn, below only titles."""
_TITLE, _TYPE, _LABEL = 12.0, 10.0, 11.0
_ROUNDING = 7.0
_PAD = 10.0
_PICTURE = 52.0
_LARGE = 26.0
_MOST_BARS = 12
_LONGEST_TRACE = 400
_ASCENT = 0.928
"""Of the height of a font, as SVG counts it."""


_Area = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(slots=True)
class _Text:
    item: Item
    size: float


@dataclass(slots=True)
class NodeItems:
    """What is drawn of one node, and of which state it was drawn."""

    root: Item
    view: NodeView
    value: NDArray[Any] | None
    selected: bool
    fine: Item
    border: Item
    rounded: list[Item] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)
    titles: list[_Text] = field(default_factory=list)
    picture: Item = 0
    patches: list[Item] = field(default_factory=list)
    foot: Item | None = None
    handle: Item | None = None
    slid: float | None = None
    trace: list[float] = field(default_factory=list)
    """What a plot has shown."""
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
        view.problem, [_port_looks(view, port) for port in (*view.inputs, *view.outputs)],
    )  # fmt: skip


def _port_looks(view: NodeView, port: PortView) -> tuple[Any, ...]:
    return port.label, port.x - view.x, port.y - view.y, port.side, port.wired, port.optional


def _foot(value: NDArray[Any]) -> str:
    """Return a value in a few characters; of a matrix, which has a picture, only the shape."""
    if value.ndim == 2 and min(value.shape) > 1:
        return "×".join(map(str, value.shape))
    return shown(value)


class NodeDrawer:
    """Draws nodes in a theme."""

    def __init__(self, theme: Theme, fonts: Fonts) -> None:
        self.theme = theme
        self.fonts = fonts

    def drawn(
        self, parent: Item, view: NodeView, value: NDArray[Any] | None, *, selected: bool
    ) -> NodeItems:
        """Draw a node."""
        theme = self.theme
        faded = view.mode == "disable"
        root = dpg.add_draw_node(parent=parent)
        wide, high = float(view.width), float(view.height)
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
        self.value(items, value)
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

    # --- what changes while a network runs

    def value(self, items: NodeItems, value: NDArray[Any] | None) -> None:
        """Draw the foot, and what a view shows: a value, or the formula where there is none."""
        view = items.view
        had, items.value = items.value, value
        parts = () if value is None else patches(value, self.theme)
        text = view.foot if value is None else _foot(value)
        room = view.width - 2 * _PAD - (_PICTURE + 6 if parts and view.view is None else 0)
        text = fitted(text, self.fonts.regular, room / (_LABEL * EM))
        alike = had is not None and value is not None and len(parts) == len(items.patches)
        if alike and view.view is None and items.foot is not None:
            dpg.configure_item(items.foot, text=text)
            for item, part, corners in self._placed(items, parts, self._strip(view)):
                dpg.configure_item(item, pmin=corners[0], pmax=corners[1], fill=part.colour)
            return
        if items.picture:
            gone = dpg.get_item_children(items.picture, 2)
            items.texts = [text for text in items.texts if text.item not in gone]
            dpg.delete_item(items.picture)
        items.picture = dpg.add_draw_node(parent=items.fine)
        items.patches = []
        before = len(items.texts)
        if view.view is not None and value is not None:
            left, top, wide, high = view.view
            self._shown(items, value, parts, (left - view.x, top - view.y, wide, high - 4))
        else:
            self._patches(items, parts, self._strip(view))
        base = _PAD, view.height - 8.0
        faint = rgba(self.theme.faint if value is None else self.theme.text)
        regular = self.fonts.regular
        self._text(items.texts, items.picture, base, text, _LABEL, faint, regular)
        items.foot = items.texts[-1].item
        if items.zoom:
            for one in items.texts[before:]:
                dpg.configure_item(one.item, size=one.size * items.zoom)

    @staticmethod
    def _strip(view: NodeView) -> _Area:
        """Return where in the foot the picture of a value is."""
        return view.width - _PAD - _PICTURE, view.height - FOOT + 4, _PICTURE, FOOT - 8

    def _shown(
        self, items: NodeItems, value: NDArray[Any], parts: tuple[Patch, ...], area: _Area
    ) -> None:
        """Fill the area of a view node."""
        left, top, wide, high = area
        array = np.atleast_2d(np.asarray(value))
        kind = items.view.type
        if kind == "plot":
            self._line(items, array, area)
        elif kind == "bars" and array.shape[0] == 1 and array.size <= _MOST_BARS:
            self._rows(items, array[0], area)
        elif array.size == 1:
            text = f"{array.flat[0]:.6g}".replace("-", "−")
            at = left + 4, top + high / 2 + 10
            self._words(items, text, at, _LARGE, wide)
        elif kind not in ("panel", "table") and parts:
            self._patches(items, parts, area)
        else:
            self._table(items, array, area)

    def _words(
        self, items: NodeItems, text: str, at: tuple[float, float], size: float, room: float
    ) -> None:
        text = fitted(text, self.fonts.regular, room / (size * EM))
        colour = rgba(self.theme.text)
        self._text(items.texts, items.picture, at, text, size, colour, self.fonts.regular)

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
            for place, x in enumerate(row[:columns].tolist()):
                more = place == columns - 1 and array.shape[1] > columns
                text = "…" if more else f"{x:.3g}".replace("-", "−")
                self._words(items, text, (left + place * step, y), _LABEL, step)

    def _rows(self, items: NodeItems, row: NDArray[Any], area: _Area) -> None:
        """Draw a bar a number, the number beside it; shares are written as percentages."""
        left, top, wide, high = area
        step = min(high / row.size, 26.0)
        largest = float(np.abs(row).max()) or 1.0
        shares = bool((row >= 0).all() and (row <= 1).all())
        most = 1.0 if shares else largest
        room = wide - 62.0
        for number, x in enumerate(row.tolist()):
            y = top + number * step
            colour = rgba(self.theme.positive if x >= 0 else self.theme.negative)
            length = max(abs(x) / most * room, 1.0)
            dpg.draw_rectangle(
                (left, y + 3), (left + length, y + step - 3), parent=items.picture,
                color=(0, 0, 0, 0), fill=colour,
            )  # fmt: skip
            text = f"{x:.1%}".replace("%", " %") if shares else f"{x:.4g}".replace("-", "−")
            self._words(items, text, (left + room + 8, y + step / 2 + 4), _LABEL, 56)

    def _line(self, items: NodeItems, array: NDArray[Any], area: _Area) -> None:
        """Draw how the mean of a value has changed while the window showed it."""
        left, top, wide, high = area
        trace = items.trace
        trace.append(float(array.mean()))
        del trace[:-_LONGEST_TRACE]
        low, most = min(trace), max(trace)
        span = (most - low) or 1.0
        step = wide / max(len(trace) - 1, 1)
        points = [
            (left + number * step, top + (most - y) / span * high * 0.9 + high * 0.05)
            for number, y in enumerate(trace)
        ]
        if len(points) > 1:
            dpg.draw_polyline(
                points, parent=items.picture, color=rgba(self.theme.selected), thickness=1.6
            )

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
