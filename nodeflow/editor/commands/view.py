"""The menu View: what part of the canvas is seen, and how; the panels around it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from nodeflow.editor.canvas import aside
from nodeflow.editor.commands.registry import COMMANDS, register
from nodeflow.editor.panels import room
from nodeflow.editor.state.camera import Camera
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Panel
from nodeflow.editor.state.preferences import ValuesShown
from nodeflow.editor.state.requests import SavePreferences
from nodeflow.graph import Graph


@register("fit", "Zoom to fit", "F", "View")
def fitted(editor: Editor) -> Editor:
    """Show all of the graph, however small that is, beside what lies over the canvas's foot."""
    return _seen_as(editor, "fit", _fitting(editor, editor.drawn.bounds))


def _fitting(editor: Editor, bounds: tuple[float, float, float, float]) -> Camera:
    """Return the camera that sees all of an area, beside what lies over the canvas's foot."""
    room = max(aside.foot(editor), aside.card_high(editor))
    return Camera.fitting(bounds, editor.size, room, editor.preferences.scale)


@register("first-view", "Read from the start", "Home", "View")
def first_view(editor: Editor) -> Editor:
    """Show all of a graph if it can be read then, or else begin at its data."""
    drawn = editor.drawn
    begin = _beginning(editor)
    camera = Camera.first(
        drawn.bounds, editor.size, begin, aside.foot(editor), editor.preferences.scale
    )
    camera = camera.ending_between(drawn.boxes, editor.size, editor.preferences.scale)
    camera = camera.without_strips(drawn.boxes, editor.size)
    return _seen_as(editor, "first-view", camera)


def _beginning(editor: Editor) -> tuple[float, float]:
    """Return where a graph is read from: its first data set, or the first constant of the network.

    Without either it is the node at the far left.
    """
    drawn, graph = editor.drawn.nodes, editor.graph
    data = [drawn[key] for key in graph.datasets if key in drawn]
    views = data or [drawn[key] for key in drawn if _feeds_forward(graph, key)]
    if not drawn:
        return 0.0, 0.0
    first = min(views or drawn.values(), key=lambda view: (view.x, view.y))
    return float(first.x), first.y + first.height / 2


def _feeds_forward(graph: Graph, key: str) -> bool:
    """Whether a node is a constant that goes into the network, not only into what trains it."""
    node = graph.nodes.get(key)
    if node is None or node.family != "source" or node.is_parameter:
        return False
    families = {graph.nodes[wire.target].family for wire in graph.out_of(key)}
    return bool(families - {"backward", "update", "trainer", "view"})


def _seen_as(editor: Editor, name: str, camera: Camera) -> Editor:
    return aside.placed(replace(editor, camera=camera, fitted=(name, camera)))


def refitted(editor: Editor) -> Editor:
    """Return an editor of another size with its view fitted again, if nobody moved it since."""
    if editor.fitted is None or editor.camera != editor.fitted[1]:
        return editor
    return COMMANDS[editor.fitted[0]].does(editor)


@register("fit-selection", "Zoom to the selection", "Shift+F", "View")
def _fit_selection(editor: Editor) -> Editor:
    chosen = [editor.drawn.nodes[key] for key in editor.selection if key in editor.drawn.nodes]
    if not chosen:
        return fitted(editor)
    bounds = (
        min(n.x for n in chosen),
        min(n.y for n in chosen),
        max(n.x + n.width for n in chosen),
        max(n.y + n.height for n in chosen),
    )
    return replace(editor, camera=_fitting(editor, bounds))


@register("zoom-in", "Zoom in", "+ or =", "View")
def _zoom_in(editor: Editor) -> Editor:
    return _zoomed(editor, 1.25)


@register("zoom-out", "Zoom out", "-", "View")
def _zoom_out(editor: Editor) -> Editor:
    return _zoomed(editor, 0.8)


@register("zoom-100", "Actual size", "1", "View")
def _zoom_100(editor: Editor) -> Editor:
    return _zoomed(editor, editor.preferences.scale / editor.camera.zoom)


def _zoomed(editor: Editor, factor: float) -> Editor:
    middle = editor.size[0] / 2, editor.size[1] / 2
    return replace(editor, camera=editor.camera.zoomed(factor, middle))


@register("map", "Canvas or map of neurons", "M", "View")
def _map(editor: Editor) -> Editor:
    return replace(editor, view="map" if editor.view == "canvas" else "canvas")


@register("differences", "List what differs …", "", "View")
def _differences(editor: Editor) -> Editor:
    if editor.comparison is None:
        return editor.refused("nothing is compared: File ▸ Compare with … does")
    return replace(editor, popup=Panel("differences"))


@register("library", "Library: where there is room, hidden, always", "Ctrl+1", "View")
def _library(editor: Editor) -> Editor:
    return _panel(editor, "library", room.LIBRARY)


@register("side", "Panels at the right: where there is room, hidden, always", "Ctrl+2", "View")
def _side(editor: Editor) -> Editor:
    return _panel(editor, "side", room.SIDE)


def _panel(editor: Editor, name: str, wide: float) -> Editor:
    """Go on to the next of the three ways in which a panel is there."""
    now = getattr(editor.preferences, name)
    after, said = (
        (-1.0, "hidden")
        if now == 0
        else ((float(wide), "always there") if now < 0 else (0.0, "where there is room"))
    )
    what = {"library": "the library is", "side": "the panels at the right are"}[name]
    return _preferring(editor, **{name: after}).with_notice(f"{what} {said}")


@register("minimap", "Minimap", "N", "View")
def _minimap(editor: Editor) -> Editor:
    return _preferring(editor, minimap=not editor.preferences.minimap)


@register("theme", "Dark or light", "", "View")
def _theme(editor: Editor) -> Editor:
    return _preferring(editor, theme="light" if editor.preferences.theme == "dark" else "dark")


@register("values", "Values on wires: off, hover, changed, all", "V", "View")
def _values(editor: Editor) -> Editor:
    ways: tuple[ValuesShown, ...] = get_args(ValuesShown)
    after = ways[(ways.index(editor.preferences.values) + 1) % len(ways)]
    return _preferring(editor, values=after).with_notice(f"values on wires: {after}")


@register("larger", "Larger text and controls", "Ctrl++ or Ctrl+=", "View")
def _larger(editor: Editor) -> Editor:
    return _scaled(editor, min(editor.preferences.scale + 0.1, 3.0))


@register("smaller", "Smaller text and controls", "Ctrl+-", "View")
def _smaller(editor: Editor) -> Editor:
    return _scaled(editor, max(editor.preferences.scale - 0.1, 0.5))


def _scaled(editor: Editor, scale: float) -> Editor:
    """Change the size of texts and controls, those of the nodes as well."""
    scale = round(scale, 2)
    made = _preferring(editor, scale=scale)
    if made.fitted is not None and made.camera == made.fitted[1]:
        return refitted(made)
    return _zoomed(made, scale / editor.preferences.scale)


@register("reduced-motion", "Reduced motion", "", "View")
def _reduced_motion(editor: Editor) -> Editor:
    return _preferring(editor, reduced_motion=not editor.preferences.reduced_motion)


def _preferring(editor: Editor, **chosen: object) -> Editor:
    made = replace(editor, preferences=replace(editor.preferences, **chosen))  # type: ignore[arg-type]
    return made.asking(SavePreferences())
