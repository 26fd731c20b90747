"""The canvas: a scene on one drawlist.

Everything of the graph lies under one draw node, `world`: pan and zoom are one transform of it.
Items are made when they are first seen and kept; a NumPy test says which are seen. Far away a
node is a flat rectangle and a wire a straight line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.canvas.faces import Faces, Shown
from nodeflow.editor.canvas.labels import carried, weighing
from nodeflow.editor.canvas.overlay import overlay
from nodeflow.editor.state.camera import Camera
from nodeflow.editor.state.live import NO_RUN
from nodeflow.editor.state.model import Editor
from nodeflow.equality import identical
from nodeflow.routing import longest_run
from nodeflow.scene import Change, NodeView, Scene, followed, origins
from nodeflow.theme import THEMES, Theme
from nodeflow.window.canvas import wireitems
from nodeflow.window.canvas.differenceitems import DifferenceItems
from nodeflow.window.canvas.gliding import Glides, gliding
from nodeflow.window.canvas.minimap import Minimap
from nodeflow.window.canvas.motionitems import MotionItems
from nodeflow.window.canvas.nodeitems import NodeDrawer, NodeItems, same
from nodeflow.window.canvas.overlayitems import OverlayItems
from nodeflow.window.canvas.wireitems import Labels, WireItems
from nodeflow.window.platform.colours import is_colour, mixed, rgba
from nodeflow.window.platform.fonts import EM, Fonts
from nodeflow.window.platform.toolkit import Item, dpg
from nodeflow.wires import Stroke, WireView

NEAR = 0.2
"""From this zoom on nodes have texts and wires are curves."""
SIGNS = 0.98
"""From this zoom on weights are written on the wires that stand for one."""
_GRID, _LEAST_GRID, _LINES = 40.0, 26.0, 100
_GROUP_TEXT = 13 * EM
_TIME, _NODES_TIME = 0.0017, 0.0013
"""Seconds from its start that a frame may draw what is new or different, and nodes alone.

The rest waits for the next frame. What lies over the graph is drawn before, so that a frame ends
then; one in which the panels took all of that leaves nodes and wires to the next one. These are
seconds of the processor: while a network trains, or on a busy machine, the clock would leave hardly
anything.
"""
_FILLING = 0.1
"""The same when another graph was opened, of which nothing is there yet."""
_LEAST = 0.0001
"""Of these, the seconds that each has at least, however large the graph is; when a step has just
come, each draws one item."""
_MADE_UP = 0.15
"""What a frame makes up for that the last one left to it, as a share of what all else took in it:
where panels take long, so does drawing."""
_FEW = 100
"""The most numbers that are sorted faster one by one than as an array."""
_NONE, _HIDDEN, _SHOWN = -1, 0, 1
_Kind = TypeVar("_Kind", np.bool_, np.int8)
_BY_CONTENT = frozenset, tuple, float, str
"""Selections, places and the like are made anew in each frame; all else is the same object."""
_LABEL_STATE = (
    "mode", "hover", "values", "scene", "moved", "calm", "weights", "zoom", "carrying",
)  # fmt: skip
"""What the values that stand on wires depend on."""
_REACH = 6
"""Ports stick out of a node."""
_OVER = 4.0
"""How much wider than its wire a value may be, in canvas units."""

Place = tuple[float, float]


@dataclass(slots=True)
class _Flat:
    """A node as it is seen from far away."""

    root: Item
    drawn: tuple[NodeView, Place, bool] | None = None


@dataclass(slots=True)
class _Level:
    """What is seen from near, or from far away, and what of it is still to be drawn."""

    nodes: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    strokes: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    node_items: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    """How the toolkit has each node: _NONE, _HIDDEN or _SHOWN."""
    stroke_items: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    node_state: tuple[object, ...] = ()
    stroke_state: tuple[object, ...] = ()
    waiting: list[int] = field(default_factory=list)
    strokes_waiting: list[int] = field(default_factory=list)


class Canvas:
    """Draws editors on a drawlist, each frame only what is different."""

    def __init__(self, drawlist: Item, fonts: Fonts) -> None:
        self.drawlist = drawlist
        self.fonts = fonts
        self.busy = False
        """Whether there is more to draw in the next frame."""
        self._passed_over = False
        """Whether the last frame had no time for nodes and wires."""
        self._owed = 0.0
        """Until when this one has in any case."""
        self._waited: set[object] = set()
        """What the last frame had no time for, nodes or wires."""
        self._made_up = False
        """Whether this one has made up for some of it."""
        self._minimap = Minimap()
        self._faces = Faces()
        self._glides: Glides | None = None
        self._nodes: dict[str, NodeItems] = {}
        self._drawer = NodeDrawer(THEMES["dark"], fonts)
        self._build(THEMES["dark"], 1.0)

    @property
    def filling(self) -> bool:
        """Whether another graph was opened, and not all of it that is seen is drawn yet."""
        return self._fills and self.busy

    @property
    def owed(self) -> bool:
        """Whether the last frame had no time for nodes or wires: this one has."""
        return self._passed_over or bool(self._waited)

    def carry(self, name: str, at: Place | None) -> None:
        """Show a node type that is dragged from the library at a point; None when it is not."""
        self._overlay.ghost = None if at is None else (name, at)

    def draw(self, editor: Editor, began: float) -> None:
        """Draw an editor as it is now, in a frame that began at this time of its thread."""
        theme, scale = THEMES[editor.preferences.theme], editor.preferences.scale
        if theme is not self._theme or scale != self._drawer.scale:
            self._build(theme, scale)
        self.busy = False
        self._began = began
        if editor.comparison is not None:  # both are drawn as they are in their files
            editor = replace(editor, live=NO_RUN, selection=frozenset(), wire=None, hover="")
        if editor.view == "map":
            self._passed_over = False
            self._waited.clear()
            return  # drawn elsewhere; what has changed is seen when the canvas is back
        if editor.camera != self._camera:
            self._fills = False
        if editor.drawn is not self._scene:
            old, camera = self._scene, self._camera
            change = editor.drawn.change(old)
            moved = _moved(old, editor.drawn, change)
            if moved is not None:
                self._shift(editor.drawn, *moved)
            else:
                self._take(editor.drawn, change)
                self._glides = gliding(editor, old, camera)
        if editor.camera != self._camera or editor.size != self._size:
            self._look(editor.camera, editor.size)
        over = overlay(editor)
        self._carry(self._glided(editor) or over.moved)
        self._collect(editor)
        self._motion.draw(editor, self._moved, writes=not self.owed)
        self._least = 0.0 if self._motion.began else _LEAST
        self.busy = self.busy or self._motion.busy
        self._differences.draw(editor)
        self._overlay.draw(editor, over)
        self._minimap.draw(editor, late=time.thread_time() > began + _NODES_TIME)
        self.busy = self.busy or self._minimap.busy
        now = time.thread_time()
        late = now > began + _NODES_TIME
        self._owed = now + _MADE_UP * (now - began) if self._passed_over else 0.0
        self._passed_over = late and not (self._passed_over or self._fills)
        self._made_up = False
        if self._passed_over:
            self.busy = True
            return
        self._draw_nodes(editor)
        self.busy = self.busy or self._drawer.fresh
        self._drawer.fresh = False
        self._draw_wires(editor)
        self._dirty.clear()
        self._fills = self._fills and self.busy and self._glides is None

    # --- what is kept

    def _build(self, theme: Theme, scale: float) -> None:
        """Begin anew: another theme has other colours everywhere, another scale other texts."""
        dpg.delete_item(self.drawlist, children_only=True)
        self._drawer.close()
        self._theme = theme
        self._drawer = NodeDrawer(theme, self.fonts, scale)
        self._grid = dpg.add_draw_node(parent=self.drawlist)
        self._draw_grid(theme)
        self._world = dpg.add_draw_node(parent=self.drawlist)
        self._group_layer = dpg.add_draw_node(parent=self._world)
        self._far = dpg.add_draw_node(parent=self._world, show=False)
        self._near = dpg.add_draw_node(parent=self._world)
        self._line_layer = dpg.add_draw_node(parent=self._far)
        self._flat_layer = dpg.add_draw_node(parent=self._far)
        self._wire_layer = dpg.add_draw_node(parent=self._near)
        self._picked_layers = tuple(dpg.add_draw_node(parent=at) for at in (self._far, self._near))
        self._picked: tuple[object, ...] = ()
        lit = dpg.add_draw_node(parent=self._near)
        self._node_layer = dpg.add_draw_node(parent=self._near)
        self._labels = Labels(dpg.add_draw_node(parent=self._near), theme, self.fonts, scale)
        self._differences = DifferenceItems(
            lit,
            dpg.add_draw_node(parent=self._world),
            dpg.add_draw_node(parent=self.drawlist),
            theme,
            self.fonts,
        )
        moving = dpg.add_draw_node(parent=self.drawlist)
        self._marks = dpg.add_draw_node(parent=self.drawlist)
        self._motion = MotionItems(moving, self._marks, theme, self.fonts, scale)
        self._overlay = OverlayItems(
            dpg.add_draw_node(parent=self.drawlist), theme, self.fonts, scale
        )
        self._minimap.build(dpg.add_draw_node(parent=self.drawlist), theme)
        self._nodes = {}
        self._flats: dict[str, _Flat] = {}
        self._curves: dict[object, WireItems] = {}
        self._lines: dict[object, WireItems] = {}
        self._group_texts: list[Item] = []
        self._camera = Camera(zoom=0.0)
        self._size = (0.0, 0.0)
        self._is_near = True
        self._drawn_zoom = 0.0
        self._thick = 1.0
        self._moved: Mapping[str, tuple[float, float]] = {}
        self._dirty: set[str] = set()
        self._dirty_other_level: set[str] = set()
        self._contents: dict[str, Shown] = {}
        self._values: Mapping[str, NDArray[Any]] = {}
        self._weights: Mapping[str, NDArray[Any]] = {}
        self._values_before: Mapping[str, NDArray[Any]] = {}
        self._glides = None
        self._least = _LEAST
        self._label_state: tuple[object, ...] = ()
        self._come = False
        self._labels_seen = np.zeros(0, bool)
        self._label_list: list[wireitems.Label] = []
        self._fills = False
        self._scene: Scene = Scene({}, (), ())
        self._views: list[NodeView] = []
        self._number: Mapping[str, int] = {}
        self._levels = [_Level(), _Level()]
        self._level = self._levels[self._is_near]
        self._boxes = self._stroke_boxes = np.zeros((4, 0), float)
        self._faces.take(self._scene)
        self._take(self._scene, self._scene.change(self._scene))

    def _draw_grid(self, theme: Theme) -> None:
        colour = mixed(theme.canvas, theme.grid, 0.75)
        end = _GRID * _LINES
        for number in range(_LINES):
            at = number * _GRID
            dpg.draw_line((at, -_GRID), (at, end), parent=self._grid, color=colour)
            dpg.draw_line((-_GRID, at), (end, at), parent=self._grid, color=colour)

    def _take(self, scene: Scene, change: Change) -> None:
        """Take over another scene: what it does not have any more is deleted.

        What is the same object as before stays as it is drawn, all else is drawn anew and seen as
        it was until then.
        """
        old, self._scene = self._scene, scene
        self._stroke_boxes = scene.hulls
        for level in self._levels:
            level.strokes[level.strokes_waiting] = False
            level.strokes = _carried(level.strokes, change.same, nothing=False)
            level.stroke_items = _carried(level.stroke_items, change.known, nothing=_NONE)
            level.strokes_waiting = []
        if scene.nodes is not old.nodes:
            gone_nodes = self._take_nodes(scene)
            self._faces.take(scene)
            self._contents = {}
            _drop(self._nodes, gone_nodes, self._node_layer)
            _drop(self._flats, gone_nodes, self._flat_layer)
        _drop(self._curves, change.gone, self._wire_layer)
        _drop(self._lines, change.gone, self._line_layer)
        self._touching: tuple[frozenset[str], list[int]] = (frozenset(), [])
        if scene.groups != old.groups:
            self._draw_groups()

    def _take_nodes(self, scene: Scene) -> Collection[str]:
        """Take over the nodes of a scene; return the keys of those that are gone."""
        views = list(scene.nodes.values())
        same = origins(self._views, views)
        before = np.array([self._number.get(view.key, -1) for view in views], np.intp)
        gone = self._number.keys() - scene.nodes.keys()
        self._fills = int((before < 0).sum()) * 2 > len(views)  # most of it is new
        self._views, self._number = views, scene.numbers
        self._boxes = _node_boxes(scene.boxes)
        for level in self._levels:
            level.nodes[level.waiting] = False
            level.nodes = _carried(level.nodes, same, nothing=False)
            level.node_items = _carried(level.node_items, before, nothing=_NONE)
            level.waiting = []
        return gone

    def _shift(self, scene: Scene, nodes: list[int], strokes: list[int]) -> None:
        """Take over a scene in which only these nodes and strokes have other places."""
        old, self._scene = self._scene, scene
        if nodes:
            self._views = list(scene.nodes.values())
            self._boxes = _node_boxes(scene.boxes)
        self._stroke_boxes = scene.hulls
        for level in self._levels:
            level.strokes_waiting += strokes
        dirty = {self._views[number].key for number in nodes}
        self._dirty |= dirty
        self._dirty_other_level |= dirty
        if scene.groups != old.groups:
            self._draw_groups()

    def _change_level(self) -> None:
        """Go between near and far: each keeps its own items, and what is seen of them."""
        self._level = self._levels[self._is_near]
        self._dirty |= self._dirty_other_level
        self._dirty_other_level = set()

    def _draw_groups(self) -> None:
        dpg.delete_item(self._group_layer, children_only=True)
        self._group_texts = []
        for group in self._scene.groups:
            own = is_colour(group.colour)
            colour = group.colour if own else self._theme.families["view"]
            dpg.draw_rectangle(
                (group.x, group.y),
                (group.x + group.width, group.y + group.height),
                parent=self._group_layer,
                rounding=8,
                color=rgba(colour, 0.9),
                fill=rgba(colour, 0.4),
            )
            text = dpg.draw_text(
                (group.x + 12, group.y + 6),
                group.title,
                parent=self._group_layer,
                size=_GROUP_TEXT * max(self._camera.zoom, 0.01),
                color=rgba(self._theme.text),
            )
            if self.fonts.bold is not None:
                dpg.bind_item_font(text, self.fonts.bold)
            self._group_texts.append(text)

    # --- where one looks

    def _look(self, camera: Camera, size: Place) -> None:
        zoomed = camera.zoom != self._camera.zoom
        self._camera, self._size = camera, size
        zoom = camera.zoom
        for layer in (self._world, self._marks):
            _transform(layer, (-camera.x * zoom, -camera.y * zoom), zoom)
        step = _GRID
        while step * zoom < _LEAST_GRID:
            step *= 2
        at = (-camera.x % step) * zoom, (-camera.y % step) * zoom
        _transform(self._grid, at, step / _GRID * zoom)
        if zoomed:
            for text in self._group_texts:
                dpg.configure_item(text, size=_GROUP_TEXT * zoom)
        if (zoom >= NEAR) != self._is_near:
            self._is_near = zoom >= NEAR
            dpg.configure_item(self._near, show=self._is_near)
            dpg.configure_item(self._far, show=not self._is_near)
            self._change_level()

    def _carry(self, moved: Mapping[str, tuple[float, float]]) -> None:
        """See which nodes are being dragged: these, or those that just were, are drawn."""
        if moved == self._moved:
            return
        dirty = {*moved, *self._moved}
        self._dirty |= dirty
        self._dirty_other_level |= dirty
        self._moved = moved

    def _are_seen(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        left, top = self._camera.x, self._camera.y
        right, bottom = self._camera.on_canvas(self._size)
        x0, y0, x1, y1 = boxes
        seen: NDArray[np.bool_] = (x1 >= left) & (x0 <= right) & (y1 >= top) & (y0 <= bottom)
        return seen

    # --- nodes

    def _draw_nodes(self, editor: Editor) -> None:
        kept: dict[str, Any] = self._nodes if self._is_near else self._flats
        seen = self._are_seen(self._boxes)
        seen[[self._number[key] for key in self._moved if key in self._number]] = True
        level, views = self._level, self._views
        self._turn(_NODES_TIME, seen, level.node_items, lambda n: kept[views[n].key].root)
        live = editor.live
        state = (
            (editor.selection, self._contents, live.checks)
            if self._is_near
            else (editor.selection,)
        )
        resized = self._is_near and editor.camera.zoom != self._drawn_zoom
        alike = identical(state, level.node_state, *_BY_CONTENT) and not resized
        now = seen & ~level.nodes if alike else seen
        level.nodes, level.node_state, self._drawn_zoom = seen, state, editor.camera.zoom
        dirty = [self._number[key] for key in self._dirty if key in self._number]
        # What is not there at all comes first, then what is dragged, then what had to wait.
        first, then = dirty, level.waiting
        if self._glides is not None:  # all of them move: each gets its turn
            first, then = level.waiting, dirty
        new = (seen & (level.node_items == _NONE)).nonzero()[0]
        wanted = _wanted(seen, new, first, then, now.nonzero()[0])
        level.waiting = self._within(_NODES_TIME, wanted, self._draw_node, editor)

    def _turn(
        self,
        seconds: float,
        seen: NDArray[np.bool_],
        items: NDArray[np.int8],
        item: Callable[[int], Item],
    ) -> None:
        """Show what came into view, then hide what left it, as far as a frame has time for it."""
        wrong = ((items == _SHOWN) != seen) & (items != _NONE)
        numbers = wrong.nonzero()[0]
        if not numbers.size:
            return
        end = max(self._began + seconds, self._owed, time.thread_time() + self._least)
        come = seen[numbers]
        for number in (*numbers[come].tolist(), *numbers[~come].tolist()):
            dpg.configure_item(item(number), show=bool(seen[number]))
            items[number] = _SHOWN if seen[number] else _HIDDEN
            if time.thread_time() > end:
                self.busy = True
                break

    def _within(
        self,
        seconds: float,
        numbers: list[int],
        do: Callable[[int, Editor], bool],
        editor: Editor,
    ) -> list[int]:
        """Do so much of what there is to do as a frame has time for; return the rest.

        `do` does a piece of it and returns whether that was the last one. What takes longer than
        the rest of the frame waits, as the pieces before it tell. In a frame that has no time left
        nothing is done; the next one makes up for that, nodes and wires in turns.
        """
        now = time.thread_time()
        share = _FILLING if self._fills else seconds
        end = max(self._began + share, self._owed)
        if numbers and now > end and (do not in self._waited or self._made_up):
            self._waited.add(do)
            self.busy = True
            return numbers
        least = self._least
        if do in self._waited:
            self._waited.discard(do)
            self._made_up = True
            least = max(least, _MADE_UP * (now - self._began))
        end = max(end, now + least)
        most, done = 0.0, 0
        while done < len(numbers):
            done += do(numbers[done], editor)
            before, now = now, time.thread_time()
            most = max(most, now - before)
            if now + most > end:
                break
        left = numbers[done:]
        self.busy = self.busy or bool(left)
        return left

    def _draw_node(self, number: int, editor: Editor) -> bool:
        """Draw the next piece of a node; return whether it was the last one."""
        view = self._views[number]
        dx, dy = self._moved.get(view.key, (0, 0))
        place = float(view.x + dx), float(view.y + dy)
        chosen, is_whole = view.key in editor.selection, True
        if self._is_near:
            is_whole = self._node(view, editor, place, selected=chosen)
        else:
            self._flat(view, place, selected=chosen)
        if self._level.node_items[number] != _SHOWN:
            items = self._nodes if self._is_near else self._flats
            dpg.configure_item(items[view.key].root, show=True)
            self._level.node_items[number] = _SHOWN
        return is_whole

    def _node(self, view: NodeView, editor: Editor, place: Place, *, selected: bool) -> bool:
        """Draw the next piece of a node that is seen from near."""
        zoom, drawer = editor.camera.zoom, self._drawer
        items = self._nodes.get(view.key)
        again = items is not None and not same(items.view, view)
        if items is None or again:
            if items is not None:
                items.remove()
            value = self._content(view, editor) if view.drawn_as == "knot" else None
            items = drawer.begun(self._node_layer, view, value, selected=selected, zoom=zoom)
            self._nodes[view.key] = items
            items.put(place)
            if not again:
                return False
        items.view = view
        items.mark(self._theme, selected=selected)
        items.put(place)
        items.sized(zoom)
        value = self._content(view, editor)
        while not drawer.go_on(items, value):
            if not again:  # nobody is to see that it was drawn anew
                return False
        shows = view.view is not None
        stale = value is not items.value or (shows and not items.picture)
        if stale and (items.is_near or shows or value is None):
            drawer.value(items, value)
        if not items.is_near:
            drawer.summarize(items, value, zoom)
        items.check(editor.live.checks.get(view.key, ""), self._theme)
        if view.slider is not None:
            items.slide(view.slider)
        return True

    def _flat(self, view: NodeView, place: Place, *, selected: bool) -> None:
        theme = self._theme
        flat = self._flats.get(view.key)
        if flat is None:
            root = dpg.draw_rectangle((0, 0), (1, 1), parent=self._flat_layer)
            flat = self._flats[view.key] = _Flat(root)
        drawn = (view, place, selected)
        if flat.drawn is not None and identical(drawn, flat.drawn, *_BY_CONTENT):
            return
        flat.drawn = drawn
        border = theme.selected if selected else theme.problem if view.problem else theme.border
        family = theme.families.get(view.family, theme.families[""])
        dpg.configure_item(
            flat.root,
            pmin=place,
            pmax=(place[0] + view.width, place[1] + view.height),
            fill=mixed(family, theme.text, 0.15),
            color=rgba(border),
            thickness=2.0 if selected else 1.0,
        )

    # --- what nodes show

    def _collect(self, editor: Editor) -> None:
        """See what there is to show; what was put together of old values is forgotten."""
        values = editor.live.values
        come = self._faces.collect(editor)
        self.busy = self.busy or self._faces.busy
        self._come = values is not self._values
        if come or self._come:
            if values is not self._values:
                self._values_before, self._values = self._values, values
            self._contents = {}

    def _content(self, view: NodeView, editor: Editor) -> Shown:
        """Return what a node shows, made once for the values that there are."""
        if view.key not in self._contents:
            self._contents[view.key] = self._faces.of(view, editor)
        return self._contents[view.key]

    # --- wires

    def _draw_wires(self, editor: Editor) -> None:
        strokes, level = self._scene.strokes, self._level
        kept = self._curves if self._is_near else self._lines
        touched = self._touched() if self._dirty else []
        seen = self._are_seen(self._stroke_boxes)
        if self._moved:
            seen |= level.strokes
            seen[touched] = True
        self._turn(_TIME, seen, level.stroke_items, lambda n: kept[strokes[n].key].root)
        thick = max(round(editor.camera.zoom * 4) / 4, 0.5) if self._is_near else 0.6
        hover = editor.hover if editor.hover.startswith("wire:") else ""
        state = (editor.wire, hover, thick)
        now = seen & ~level.strokes if state == level.stroke_state else seen
        level.strokes, level.stroke_state, self._thick = seen, state, thick
        first, then = touched, level.strokes_waiting
        if self._glides is not None:
            first, then = level.strokes_waiting, touched
        if editor.live.weights is not self._weights:
            self._weights = editor.live.weights
            weighted = self._scene.weighted
            then = [*then, *weighted[seen[weighted]].tolist()]
        restyled, self._motion.restyled = self._motion.restyled, set()
        if restyled is None:
            then = [*then, *np.flatnonzero(seen).tolist()]
        elif restyled:
            starting = self._scene.strokes_from
            then = [*then, *(n for start in restyled for n in starting.get(start, ()))]
        new = (seen & (level.stroke_items == _NONE)).nonzero()[0]
        wanted = _wanted(seen, new, first, then, now.nonzero()[0])
        self._draw_picked(editor, hover)
        self._labels.draw(self._label_texts(editor), editor.camera.zoom)
        level.strokes_waiting = self._within(_TIME, wanted, self._draw_stroke, editor)

    def _draw_stroke(self, number: int, editor: Editor) -> bool:
        stroke = self._followed(self._scene.strokes[number])
        colour, width = wireitems.style(
            stroke,
            self._theme,
            selected=stroke.part == "wire" and stroke.wires[0].wire == editor.wire,
            hovered=stroke.part == "wire" and editor.hover == f"wire:{stroke.wires[0].wire}",
            weight=None if stroke.weighing is None else self._weight(stroke.weighing),
        )
        colour, width = self._motion.look(stroke, (colour, width))
        kept = self._curves if self._is_near else self._lines
        self._put_stroke(kept, stroke, (colour, width * self._thick))
        if self._level.stroke_items[number] != _SHOWN:
            dpg.configure_item(kept[stroke.key].root, show=True)
            self._level.stroke_items[number] = _SHOWN
        return True

    def _draw_picked(self, editor: Editor, hover: str) -> None:
        """Draw the wires of bundles that are selected or pointed at, from end to end."""
        at = self._moved, self._scene, self._is_near, self._thick, self._weights
        state = (editor.wire, hover, *at)
        if identical(state, self._picked, *_BY_CONTENT):
            return
        self._picked = state
        layer = self._picked_layers[self._is_near]
        for each in self._picked_layers:
            dpg.delete_item(each, children_only=True)
        wanted = [str(editor.wire or ""), hover.removeprefix("wire:")]
        for name, selected in ((wanted[1], False), (wanted[0], True)):
            view = self._scene.bundled(name) if name else None
            if view is None:
                continue
            (view,) = followed([view], self._moved)
            look = wireitems.style(
                Stroke("wire", (view,)), self._theme, selected=selected, hovered=not selected,
                weight=self._weight(view),
            )  # fmt: skip
            thick = self._thick if self._is_near else 1.0
            wireitems.drawn(layer, "around", view.curve, (look[0], max(look[1] * thick, 2.0)))

    def _weight(self, view: WireView) -> float | None:
        """Return the weight that a wire stands for, as the run has it."""
        if view.weighs is None:
            return None
        address, place = view.weighs
        value = self._weights.get(address)
        return view.weight if value is None else float(np.ravel(value)[place])

    def _put_stroke(
        self, kept: dict[object, WireItems], stroke: Stroke, look: wireitems.Look
    ) -> None:
        curve = stroke.curve
        bends = len(curve) > 4 and (stroke.kind != "feedback" or not self._is_near)
        kind = "around" if bends else stroke.kind if self._is_near else "straight"
        if not self._is_near and stroke.part == "wire":
            kind = "straight"
        layer = self._wire_layer if self._is_near else self._line_layer
        items = kept.get(stroke.key)
        if items is not None and items.kind != kind:
            dpg.delete_item(items.root)
            items = None
        if items is None:
            kept[stroke.key] = wireitems.drawn(layer, kind, curve, look)
        else:
            wireitems.changed(items, curve, look)

    # --- values on wires

    def _label_texts(self, editor: Editor) -> list[wireitems.Label]:
        """Return the values that stand on wires, and where."""
        mode = editor.preferences.values
        if mode == "off" or not self._is_near or editor.camera.zoom < self._drawer.fine:
            mode = "off"
        hover = editor.hover if mode == "hover" else ""
        # Signs of weights are not told by colour alone.
        signs = mode != "off" and editor.camera.zoom >= SIGNS and self._scene.weighted.size > 0
        seen = self._level.strokes if signs or mode in ("changed", "all") else None
        state = (
            mode, hover, self._values, self._scene, self._moved, editor.gesture is None,
            signs and self._weights,
            f"{min(editor.camera.zoom, 1.0):.1f}",  # nearer, there is more room for them
            self._motion.carrying,
        )  # fmt: skip
        differs = [
            name
            for name, a, b in zip(_LABEL_STATE, state, self._label_state, strict=False)
            if a is not b and not (type(a) is str and a == b)
        ]
        if self._come and differs and set(differs) <= {"values", "weights", "carrying"}:
            self.busy = True  # nodes show their new values first, labels in the next frame
            return self._label_list
        elsewhere = seen is not None and not np.array_equal(seen, self._labels_seen)
        if self._label_state and not differs and not elsewhere:
            return self._label_list
        self._label_state = state
        self._labels_seen = self._level.strokes
        self._label_list = [] if mode == "off" else self._label_made(mode, hover, editor)
        if signs:
            self._label_list += self._signs(wireitems.MOST_LABELS - len(self._label_list), editor)
        return self._label_list

    def _signs(self, most: int, editor: Editor) -> list[wireitems.Label]:
        """Return what to write on wires that stand for weights, one for a parameter."""
        made: dict[Place, wireitems.Label] = {}
        weighted = self._scene.weighted
        for number in weighted[self._level.strokes[weighted]].tolist():
            view = self._followed(self._scene.strokes[number]).wires[0]
            weight = self._weight(view)
            if weight is None or view.kind == "feedback":
                continue
            made[view.mark] = view.mark, *weighing(view, weight, editor.live)
            if len(made) >= most:
                break
        return list(made.values())

    def _label_made(self, mode: str, hover: str, editor: Editor) -> list[wireitems.Label]:
        strokes, numbers = self._scene.strokes, self._scene.strokes_of
        found: Sequence[Stroke]
        if mode == "hover":
            kind, _, what = hover.partition(":")
            of_wire = kind == "wire"
            start = what.partition(" ")[0] if of_wire else what
            node = start if kind == "node" else start.rpartition(".")[0]
            near = numbers.get(node, ()) if kind in ("wire", "node", "port") else ()
            found = [strokes[number] for number in near]
            if of_wire:
                found = [one for one in found if one.part != "end" and one.holds(what)]
        else:
            found = [strokes[number] for number in np.flatnonzero(self._level.strokes).tolist()]
        made: list[wireitems.Label] = []
        for stroke in found:
            if stroke.part == "trunk" or (stroke.part == "end" and len(stroke.wires) > 1):
                continue  # it carries the values of many nodes
            if any(view.wire in self._motion.carrying for view in stroke.wires):
                continue  # a token tells it
            start = stroke.wires[0].wire.start
            value = self._values.get(start)
            if value is None or (mode == "changed" and not self._has_changed(start)):
                continue
            place, room = longest_run(self._followed(stroke).curve)
            room += _OVER
            found_ = carried(value, editor.live.age(start))
            fits = (one for one in found_.choices if self._fits(one, room))
            made.append((place, next(fits, found_.choices[-1]), found_.old))
            if len(made) == wireitems.MOST_LABELS:
                break
        return made

    def _fits(self, text: str, room: float) -> bool:
        return (
            wireitems.label_width(text, self._camera.zoom, self._drawer.scale, self.fonts) <= room
        )

    def _has_changed(self, start: str) -> bool:
        if self._motion.lit:
            return start in self._motion.changed
        before = self._values_before.get(start)
        return before is None or not np.array_equal(before, self._values[start])

    # --- gliding

    def _glided(self, editor: Editor) -> Mapping[str, tuple[float, float]]:
        """Return how far nodes still are from their places; any input puts them there at once."""
        glides = self._glides
        if glides is None:
            return {}
        left = glides.left() if glides.undisturbed(editor) else {}
        if not left:
            self._glides = None
        self.busy = self.busy or bool(left)
        return left

    # --- helpers

    def _touched(self) -> list[int]:
        """Return the strokes at nodes that moved."""
        if self._dirty != self._touching[0]:  # while one drags they are the same
            dirty = frozenset(self._dirty)
            of = self._scene.strokes_of
            self._touching = dirty, sorted({n for key in dirty for n in of.get(key, ())})
        return self._touching[1]

    def _followed(self, stroke: Stroke) -> Stroke:
        """Return a stroke as it follows nodes that are dragged."""
        if not self._moved or not any(key in self._moved for key in stroke.nodes):
            return stroke
        return Stroke(stroke.part, (*followed(stroke.wires[:1], self._moved), *stroke.wires[1:]))


def _moved(old: Scene, new: Scene, change: Change) -> tuple[list[int], list[int]] | None:
    """Return the numbers of the nodes and strokes that moved; None if more than places differs."""
    nodes, strokes = change.nodes, change.strokes
    if nodes is None or strokes is None:
        return None
    if nodes and len(nodes) == len(old.nodes):
        return None
    if nodes:
        before, after = list(old.nodes.values()), list(new.nodes.values())
        if not all(same(before[number], after[number]) for number in nodes):
            return None
    if not all(old.strokes[n].kind == new.strokes[n].kind for n in strokes):
        return None
    return nodes, strokes


def _node_boxes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return left, top, right and bottom of nodes with their ports, (4, nodes)."""
    beyond = np.array([-_REACH, -_REACH, _REACH, _REACH])
    found: NDArray[np.float64] = (boxes + beyond).T
    return found


def _carried(old: NDArray[_Kind], origins: NDArray[np.intp], *, nothing: Any) -> NDArray[_Kind]:
    """Return what held for the old ones for the new ones; `nothing` for those without origin."""
    found = np.full(len(origins), nothing, old.dtype)
    known = origins >= 0
    found[known] = old[origins[known]]
    return found


def _wanted(seen: NDArray[np.bool_], *numbers: Sequence[int] | NDArray[np.intp]) -> list[int]:
    """Return the numbers of what is seen, each once, in the order in which they are given."""
    if sum(map(len, numbers)) <= _FEW:  # most frames have little to do
        found = dict.fromkeys(int(number) for some in numbers for number in some)
        return [number for number in found if seen[number]] if found else []
    together = np.concatenate([np.asarray(some, np.intp) for some in numbers])
    together = together[seen[together]]
    _, first = np.unique(together, return_index=True)
    wanted: list[int] = together[np.sort(first)].tolist()
    return wanted


def _drop(kept: dict[Any, Any], gone: Collection[Any], layer: Item) -> None:
    """Delete what is not there any more: at once, if nothing stays."""
    drawn = [key for key in gone if key in kept]
    at_once = len(drawn) == len(kept)
    if at_once:
        dpg.delete_item(layer, children_only=True)
    for key in drawn:
        old = kept.pop(key)
        if not at_once:
            dpg.delete_item(old.root)
        if isinstance(old, NodeItems):
            old.forget()


def _transform(item: Item, move: Place, zoom: float) -> None:
    matrix = dpg.create_translation_matrix(move) * dpg.create_scale_matrix((zoom, zoom, 1))
    dpg.apply_transform(item, matrix)
