"""A value as a picture, bars or strips, at the foot of a node; and what the views show.

The sign is told by colour and by place or strength; nothing is drawn for a single number. Views
that evaluate the network many times (the plane of a boundary, a landscape) are found in the
background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.background import Latest
from nodeflow.graph import Graph
from nodeflow.theme import Theme
from nodeflow.views import Content, Viewer
from nodeflow.views.image import fewer
from nodeflow.views.slope import Slope
from nodeflow.window.platform.colours import Colour, mixed

if TYPE_CHECKING:
    from nodeflow.data.table import Table
    from nodeflow.editor.state.model import Editor, Live

MOST_BARS, MOST_ROWS = 32, 16
"""More numbers are averaged down to so many."""
_PAUSE = 0.15
"""Seconds between two evaluations of what the views show."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled rectangle, in shares of the picture's width and height."""

    left: float
    top: float
    right: float
    bottom: float
    colour: Colour


def patches(value: NDArray[Any], theme: Theme) -> tuple[Patch, ...]:
    """Return the picture of a value."""
    array = np.atleast_2d(np.asarray(value, dtype=float))
    if array.size < 2 or array.ndim != 2 or not np.isfinite(array).all():
        return ()
    if 1 in array.shape:
        return _bars(fewer(array.reshape(1, -1), 1, MOST_BARS)[0], theme)
    return _cells(fewer(array, MOST_ROWS, MOST_BARS), theme)


def _bars(row: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    largest = float(np.abs(row).max()) or 1.0
    low, high = min(float(row.min()), 0.0) / largest, max(float(row.max()), 0.0) / largest
    span = (high - low) or 1.0
    zero = high / span
    step = 1.0 / row.size
    gap = step * 0.15 if row.size <= 20 else 0.0
    found = []
    for number, share in enumerate((row / largest).tolist()):
        end = zero - share / span
        top, bottom = min(zero, end), max(zero, end)
        colour = mixed(theme.body, theme.positive if share >= 0 else theme.negative, 0.9)
        bottom = max(bottom, top + 0.06)  # a zero is a line, not nothing
        found.append(Patch(number * step + gap, top, (number + 1) * step - gap, bottom, colour))
    return tuple(found)


def _cells(array: NDArray[np.float64], theme: Theme) -> tuple[Patch, ...]:
    rows, columns = array.shape
    largest = float(np.abs(array).max()) or 1.0
    high, wide = 1.0 / rows, 1.0 / columns
    return tuple(
        Patch(
            column * wide,
            row * high,
            (column + 1) * wide,
            (row + 1) * high,
            mixed(
                theme.canvas,
                theme.positive if number >= 0 else theme.negative,
                round(abs(number) / largest, 2),
            ),
        )
        for row, line in enumerate(array.tolist())
        for column, number in enumerate(line)
    )


# --- what nodes show ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Activated:
    """The value of an activation, and its curve with the points at the weighted sums."""

    value: NDArray[Any]
    slope: Slope


@dataclass(frozen=True, eq=False)
class Aged:
    """What is of another pass than the present one: it is shown faintly, and says of when it is."""

    content: Face
    age: str


Face = NDArray[Any] | Activated | Content | str | None
"""What a node shows; a text says why there is nothing."""
Shown = Face | Aged


# --- what is evaluated in the background --------------------------------------------------------


Found = dict[str, Content | str | None]
"""What views show, or why not, by node."""


class SlowViews:
    """Finds what slow views show in the background; the newest weights win."""

    def __init__(self) -> None:
        self.found: Found = {}
        self._latest: Latest[Found] = Latest("views", _PAUSE)
        self._asked: tuple[object, ...] = ()
        self._viewer = Viewer(Graph())  # of one job at a time

    @property
    def busy(self) -> bool:
        """Whether something will come."""
        return self._latest.busy

    def look(self, editor: Editor, views: tuple[str, ...]) -> bool:
        """Ask for what the views of an editor show; return whether something has come."""
        asked = (editor.graph.nodes, editor.graph.wires, editor.live.values, views)
        if views and not _alike(asked, self._asked) and editor.live.values:
            self._asked = asked
            graph, tables, live = editor.graph, editor.inference.tables, editor.live
            self._latest.ask(lambda: self._look(graph, tables, live, views))
        news = self._latest.poll()
        if news is not None:
            self.found = news
        return news is not None

    def _look(
        self, graph: Graph, tables: Mapping[str, Table], live: Live, views: tuple[str, ...]
    ) -> Found:
        if not self._viewer.sees(graph):
            self._viewer = Viewer(graph, tables)
        return {key: _looked(self._viewer, live, key) for key in views}


def _alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is tuple and a == b) for a, b in zip(one, other, strict=True)
    )


def _looked(viewer: Viewer, live: Live, key: str) -> Content | str | None:
    """Return what a view shows, or why not: one that fails leaves the others."""
    try:
        return viewer.look(key, live.values, live.weights)
    except Exception as error:  # noqa: BLE001  whatever it is, the window lives on
        return str(error)
