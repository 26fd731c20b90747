"""Marks in a drawing of their own: what views, films and pictures are drawn with, in a panel."""

from __future__ import annotations

from collections.abc import Sequence

from nodeflow.views.marks import Mark, Words
from nodeflow.window.canvas.nodeitems import sketched
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import EM, Fonts, width
from nodeflow.window.platform.toolkit import Item, dpg

_ASCENT = 0.928
"""How far above its base line a text of size 1 begins."""


def draw_marks(marks: Sequence[Mark], parent: Item, fonts: Fonts, scale: float) -> None:
    """Draw marks into a drawing, so many pixels a unit."""
    root = dpg.add_draw_node(parent=parent)
    dpg.apply_transform(root, dpg.create_scale_matrix((scale, scale)))
    for mark in marks:
        if isinstance(mark, Words):
            x = mark.x
            if mark.anchor != "start":
                x -= (
                    width(mark.text, fonts.regular)
                    * mark.size
                    * EM
                    * (0.5 if mark.anchor == "middle" else 1.0)
                )
            text = dpg.draw_text(
                (x, mark.y - _ASCENT * mark.size), mark.text, size=mark.size * EM * scale,
                color=rgba(mark.colour), parent=root,
            )  # fmt: skip
            if fonts.regular is not None:
                dpg.bind_item_font(text, fonts.regular)
        else:
            sketched(mark, root)
