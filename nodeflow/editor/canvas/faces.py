"""What the nodes of the canvas show: values, curves, views, and what is written at their feet.

Views that evaluate the network many times (the plane of a boundary, a landscape) are found in the
background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import kind_of
from nodeflow.editor.background import Latest, fault_text
from nodeflow.editor.state.model import Editor
from nodeflow.equality import identical
from nodeflow.graph import Graph
from nodeflow.scene import NodeView, Scene, counted, shown, sized
from nodeflow.views import Content, Viewer, is_slow
from nodeflow.views.plot import Traces
from nodeflow.views.slope import Slope, slope_at
from nodeflow.workings.shown import listed

if TYPE_CHECKING:
    from nodeflow.data.table import Table
    from nodeflow.editor.state.live import Live

_PAUSE = 0.15
"""Seconds between two evaluations of what the views show."""


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


class Faces:
    """Finds what the nodes of a scene show, again and again while a network runs."""

    def __init__(self) -> None:
        self._slow_views = _SlowViews()
        self._traces = Traces()
        self._viewer: Viewer | None = None
        self.take(Scene({}, (), ()))

    @property
    def busy(self) -> bool:
        """Whether a slow view will come."""
        return self._slow_views.busy

    def take(self, scene: Scene) -> None:
        """Take over another scene."""
        self._feeds = _feeds(scene)
        self._plots = {
            key: starts for key, starts in self._feeds.items() if scene.nodes[key].over_time
        }
        self._slow = tuple(key for key in self._feeds if is_slow(scene.nodes[key].type))

    def collect(self, editor: Editor) -> bool:
        """See what there is to show; return whether a slow view has come."""
        live = editor.live
        if self._plots:
            known = live.of_this_pass if live.ages else live.values
            self._traces.collect(self._plots, live.update, known, live.line)
        return self._slow_views.look(editor, self._slow)

    def of(self, view: NodeView, editor: Editor) -> Shown:
        """Return what a node shows."""
        content, age = self._content(view, editor), self._age(view, editor)
        return Aged(content, age) if age and content is not None else content

    def _age(self, view: NodeView, editor: Editor) -> str:
        """Return of when it is what a node shows, "" if it is of the present pass."""
        live = editor.live
        if is_slow(view.type):
            return self._slow_views.age(live)
        if not live.ages or view.over_time:
            return ""
        if view.family != "view":
            found = (live.age(port.address) for port in view.outputs)
        else:
            found = (live.age(start) for start in self._feeds.get(view.key, ()))
        return next((age for age in found if age), "")

    def _content(self, view: NodeView, editor: Editor) -> Face:
        """Return the first output that has a value; of a view, what enters it."""
        values = editor.live.values
        if not values:
            return None
        if view.family != "view":
            found = (values.get(port.address) for port in view.outputs)
            value = next((value for value in found if value is not None), None)
            if view.family == "activation" and value is not None:
                return _activated(view, editor, value)
            return value
        if is_slow(view.type):
            return self._slow_views.found.get(view.key)
        past = {}
        if view.over_time:
            seen = self._traces.of(view.key, self._feeds.get(view.key, ()))
            past = {} if seen is None else {view.key: seen}
        viewer = self._viewer
        if viewer is None or not viewer.sees(editor.graph):
            viewer = self._viewer = Viewer(editor.graph, editor.inference.tables)
        return viewer.look(view.key, values, editor.live.weights, past)


def _feeds(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Return what enters each view, in the order of its ports and wires."""
    found: dict[str, list[tuple[tuple[str, int], str]]] = {}
    for view in scene.wires:
        wire = view.wire
        target = scene.nodes.get(wire.target)
        if target is not None and target.family == "view":
            found.setdefault(wire.target, []).append(((wire.input, wire.index or 0), wire.start))
    return {key: tuple(start for _, start in sorted(starts)) for key, starts in found.items()}


def _activated(view: NodeView, editor: Editor, value: NDArray[Any]) -> Face:
    """Return an activation's value with the points of its neurons on its curve."""
    if view.key not in editor.graph.nodes:
        return value
    wires = editor.graph.inputs(view.key).get("z", ())
    z = editor.live.values.get(wires[0].start) if wires else None
    if z is None:
        return value
    slope = slope_at(view.type, np.atleast_2d(z)[0], editor.graph.settings(view.key))
    return value if slope is None else Activated(value, slope)


# --- what is written ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Foot:
    """What is written of a node's value."""

    text: str
    """It is cut where there is too little room, "" where a number that was cut would be misread."""
    choices: tuple[str, ...] = ()
    """What is written where there is room, the best first; where for none, `text`."""
    faint: bool = False
    """Whether it is of another pass, or no value."""


def foot(view: NodeView, face: Shown) -> Foot:
    """Return what stands at the foot of a node: its value, or the formula where there is none."""
    value, age = parted(face)
    note = value is None and view.notes and not any(port.wired for port in view.inputs)
    text = "" if note else view.foot if value is None else _text(value)
    rows = counted(value) if isinstance(value, np.ndarray) and counts_hits(view) else ()
    if rows:
        text = rows[0]
    if view.field is not None and not view.field.own and text == view.field.text:
        text = ""  # it stands in the field
    choices = _choices(value, text, age)
    if rows:  # its shape would tell nothing, and a threshold alone would be taken for it
        choices = (*choices[:-1], *rows)
    cut = "" if isinstance(value, np.ndarray) else text
    return Foot(cut, choices, faint=value is None or bool(age))


def summary(view: NodeView, face: Shown) -> Foot:
    """Return what stands below the name of a node that is seen from afar."""
    value, age = parted(face)
    if not isinstance(value, np.ndarray):
        text = "disabled" if view.mode == "disable" else _text(value) or view.foot
        return Foot(text, _choices(value, text, age), faint=bool(age))
    if counts_hits(view):
        rows = counted(value)
        return Foot("", (*_aged(rows[0], age), *rows), faint=bool(age))
    shape = sized(np.shape(value))
    found = listed(np.ravel(value)) if value.size <= _LISTED else shape
    choices = (*_aged(found, age), found, *([shape] if value.size > 1 else []))
    return Foot("", choices, faint=bool(age))


_LISTED = 4
"""The most numbers that are listed."""


def parted(face: Shown) -> tuple[Face, str]:
    """Return what a node shows without its curve, and of when it is."""
    content, age = (face.content, face.age) if isinstance(face, Aged) else (face, "")
    return (content.value if isinstance(content, Activated) else content), age


def _text(value: Face) -> str:
    """Return a value in a few characters; of a matrix, which has a picture, only the shape."""
    if value is None or isinstance(value, str | Activated):
        return value if isinstance(value, str) else ""
    if not isinstance(value, np.ndarray):
        return value.foot
    if value.ndim == 2 and min(value.shape) > 1:
        return sized(value.shape)
    return shown(value)


def _choices(value: Face, text: str, age: str) -> tuple[str, ...]:
    """Return what may stand at a foot, the most first: a value, and of when it is.

    Of what a view says its last parts are left out first, so that no number is cut.
    """
    shape = (sized(value.shape),) if isinstance(value, np.ndarray) and text else ()
    parts = () if isinstance(value, np.ndarray | str | None) else _parts(text)
    return (*_aged(text, age), *((text,) if text else ()), *shape, *parts)


def _parts(text: str) -> tuple[str, ...]:
    """Return a list in words without its last part, without the last two, and so on."""
    words = text.split(", ")
    return tuple(", ".join(words[:count]) for count in range(len(words) - 1, 0, -1))


def _aged(text: str, age: str) -> tuple[str, ...]:
    """Return a text with its age, in more and in fewer words; nothing if it has none."""
    both = f"{text}   {age}", f"{text}  {age.removeprefix('from ')}"
    return tuple(map(str.strip, both)) if age else ()


def counts_hits(view: NodeView) -> bool:
    """Return whether a node's value says which rows are right."""
    return kind_of(view.type).counts_hits


# --- what is evaluated in the background --------------------------------------------------------


_Found = dict[str, Content | str | None]
"""What views show, or why not, by node."""


class _SlowViews:
    """Finds what slow views show in the background; the newest weights win."""

    def __init__(self) -> None:
        self.found: _Found = {}
        self._of: Live | None = None
        """With the weights of when."""
        self._latest: Latest[tuple[_Found, Live]] = Latest("views", _PAUSE)
        self._asked: tuple[object, ...] = ()
        self._viewer = Viewer(Graph())  # of one job at a time

    @property
    def busy(self) -> bool:
        """Whether something will come."""
        return self._latest.busy

    def look(self, editor: Editor, views: tuple[str, ...]) -> bool:
        """Ask for what the views of an editor show; return whether something has come."""
        if not editor.live.values:  # another document was opened: nothing is known of it yet
            self.found, self._of, self._asked = {}, None, ()
        asked = (editor.graph.nodes, editor.graph.wires, editor.live.values, views)
        if views and not identical(asked, self._asked, tuple) and editor.live.values:
            self._asked = asked
            graph, tables, live = editor.graph, editor.inference.tables, editor.live
            self._latest.ask(lambda: self._look(graph, tables, live, views))
        news = self._latest.poll()
        if news is None or not self._asked:  # or it is of the document before
            return False
        self.found, self._of = news
        return True

    def age(self, live: Live) -> str:
        """Return of when the weights are that views were found with, if a person stands elsewhere.

        While a run moves, what they show follows it: a little later, and not marked at each step.
        """
        if self._of is None or live.state in ("training", "playing"):
            return ""
        of = self._of
        if (of.line, of.update) == (live.line, live.update):
            return ""
        return f"from epoch {of.epoch}" if of.epoch != live.epoch else f"from update {of.update}"

    def _look(
        self, graph: Graph, tables: Mapping[str, Table], live: Live, views: tuple[str, ...]
    ) -> tuple[_Found, Live]:
        if not self._viewer.sees(graph):
            self._viewer = Viewer(graph, tables)
        return {key: _looked(self._viewer, live, key) for key in views}, live


def _looked(viewer: Viewer, live: Live, key: str) -> Content | str | None:
    """Return what a view shows, or why not: one that fails leaves the others."""
    try:
        return viewer.look(key, live.values, live.weights)
    except Exception as error:  # noqa: BLE001  whatever it is, the window lives on
        return fault_text(error)
