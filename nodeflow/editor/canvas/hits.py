"""What is under a point of the canvas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.state.camera import Point
from nodeflow.graph import Wire
from nodeflow.scene import FieldView, PortView, Scene, ready

PORT_REACH, WIRE_REACH = 12.0, 7.0
"""How near the pointer must be, in pixels of the screen."""
SNAP = 40.0
"""How near a wire's loose end must be to a port that fits."""
_POINTS = 17
_WIDEST = 16.0
"""From so far on, nodes would be hit no more: seen from afar their ports lie too close."""


def port_reach(zoom: float) -> float:
    """Return how near a port the pointer must be, in canvas units."""
    return min(PORT_REACH / zoom, _WIDEST)


@dataclass(frozen=True, eq=False)
class _Index:
    """A scene as arrays, so that a look at a thousand nodes costs microseconds."""

    nodes: tuple[str, ...]
    rectangles: NDArray[np.float64]
    ports: tuple[PortView, ...]
    outgoing: NDArray[np.bool_]
    places: NDArray[np.float64]
    first: NDArray[np.intp]
    """Where the ports of each node begin, first the inputs of all nodes, then the outputs."""
    curves: NDArray[np.float64]
    owners: NDArray[np.intp]
    """The number of the stroke that each curve is of."""
    spans: NDArray[np.float64]
    """Left, top, right and bottom of the box around each curve, (4, curves)."""


def node_at(scene: Scene, point: Point) -> str | None:
    """Return the front node at a point."""
    index = _index(scene)
    left, top, right, bottom = index.rectangles
    x, y = point
    there = np.flatnonzero((left <= x) & (x <= right) & (top <= y) & (y <= bottom))
    return index.nodes[there[-1]] if there.size else None


def field_at(scene: Scene, node: str, point: Point) -> FieldView | None:
    """Return the field or the switch of a node, if a point is in it."""
    view = scene.nodes[node]
    for field in filter(None, (view.field, view.switch)):
        x, y = point[0] - view.x - field.left, point[1] - view.y - field.top
        if 0 <= x <= field.width and 0 <= y <= field.height:
            return field
    return None


def nodes_in(scene: Scene, start: Point, end: Point, *, touched: bool) -> frozenset[str]:
    """Return the nodes that lie in a box, or that it touches."""
    index = _index(scene)
    left, top, right, bottom = index.rectangles
    x0, x1 = sorted((start[0], end[0]))
    y0, y1 = sorted((start[1], end[1]))
    if touched:
        inside = (left <= x1) & (right >= x0) & (top <= y1) & (bottom >= y0)
    else:
        inside = (left >= x0) & (right <= x1) & (top >= y0) & (bottom <= y1)
    return frozenset(index.nodes[number] for number in np.flatnonzero(inside))


def port_at(scene: Scene, point: Point, reach: float) -> tuple[PortView, bool] | None:
    """Return the nearest port within reach, and whether it is an output."""
    return _nearest(_index(scene), point, reach, None)


def nearest_of(scene: Scene, point: Point, reach: float, addresses: frozenset[str]) -> str | None:
    """Return the nearest of these ports within reach, by address."""
    found = _nearest(_index(scene), point, reach, addresses)
    return None if found is None else found[0].address


def wires_at(scene: Scene, point: Point, reach: float) -> tuple[Wire, ...]:
    """Return the nearest wire within reach; all that run there, where that is a bundle."""
    index = _index(scene)
    (x0, y0, x1, y1), (x, y) = index.spans, point
    near = np.flatnonzero(
        (x0 <= x + reach) & (x1 >= x - reach) & (y0 <= y + reach) & (y1 >= y - reach)
    )
    if not near.size:
        return ()
    points = _along(index.curves[near])
    start, end = points[:, :-1], points[:, 1:]
    along = end - start
    length = np.maximum((along**2).sum(axis=2), 1e-9)
    share = np.clip(((np.asarray(point) - start) * along).sum(axis=2) / length, 0, 1)
    gap = np.hypot(*np.moveaxis(start + share[..., None] * along - np.asarray(point), 2, 0))
    nearest = gap.min(axis=1)
    best = int(nearest.argmin())
    if nearest[best] > reach:
        return ()
    stroke = scene.strokes[index.owners[near[best]]]
    return tuple(view.wire for view in stroke.wires)


def wire_at(scene: Scene, point: Point, reach: float, picked: Wire | None = None) -> Wire | None:
    """Return a wire within reach: of those in a bundle the one that is picked, or the first."""
    found = wires_at(scene, point, reach)
    return picked if picked in found else found[0] if found else None


def next_wire(scene: Scene, point: Point, reach: float, picked: Wire | None) -> Wire | None:
    """Return a wire within reach: of those in a bundle the one after the picked one."""
    found = wires_at(scene, point, reach)
    if not found:
        return None
    return found[(found.index(picked) + 1) % len(found)] if picked in found else found[0]


def _nearest(
    index: _Index, point: Point, reach: float, addresses: frozenset[str] | None
) -> tuple[PortView, bool] | None:
    if not index.ports:
        return None
    gap = np.hypot(index.places[:, 0] - point[0], index.places[:, 1] - point[1])
    near = np.flatnonzero(gap <= reach)
    for number in near[np.argsort(gap[near], kind="stable")]:
        if addresses is None or index.ports[number].address in addresses:
            return index.ports[number], bool(index.outgoing[number])
    return None


def _along(bends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points along Bézier curves."""
    t = np.linspace(0, 1, _POINTS)[None, :, None]
    a, b, c, d = (bends[:, None, number] for number in range(4))
    found: NDArray[np.float64] = (
        a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
    )
    return found


def _indexed(scene: Scene) -> _Index:
    """Return the index of a scene, by looking at all of it."""
    nodes = tuple(scene.nodes.values())
    ports = [(p, False) for n in nodes for p in n.inputs]
    ports += [(p, True) for n in nodes for p in n.outputs]
    return _Index(
        tuple(node.key for node in nodes),
        scene.boxes.T,
        tuple([port for port, _ in ports]),
        np.array([out for _, out in ports], bool),
        np.array([(p.x, p.y) for p, _ in ports], float).reshape(-1, 2),
        np.cumsum([0, *(len(n.inputs) for n in nodes), *(len(n.outputs) for n in nodes)]),
        scene.curves,
        scene.owners,
        scene.spans,
    )


def _followed(before: _Index, scene: Scene, moved: list[int]) -> _Index:
    """Return the index of a scene from that of the one before it, in which these nodes moved."""
    ports, places = before.ports, before.places
    if moved:
        listed, places = list(ports), places.copy()
        views = list(scene.nodes.values())
        for number in moved:
            view = views[number]
            for place, some in (
                (number, view.inputs), (number + len(views), view.outputs)
            ):  # fmt: skip
                first, last = before.first[place : place + 2].tolist()
                listed[first:last] = some
                places[first:last] = np.array([(p.x, p.y) for p in some], float).reshape(-1, 2)
        ports = tuple(listed)
    return replace(
        before,
        rectangles=scene.boxes.T,
        ports=ports,
        places=places,
        curves=scene.curves,
        owners=scene.owners,
        spans=scene.spans,
    )


class _Newest:
    """The indices of the newest scenes, by identity: comparing all of one would cost more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: tuple[tuple[Scene, _Index], ...] = ()

    def of(self, scene: Scene) -> _Index:
        """Return the index of a scene; of one that was made of a known one, what is the same."""
        kept = self._kept
        for known, index in reversed(kept):
            if known is scene:
                return index
        made = self._made(scene)
        self._kept = (*kept[1 - self._most :], (scene, made))
        return made

    def _made(self, scene: Scene) -> _Index:
        for known, index in reversed(self._kept):
            change = scene.known_change(known)
            if change is not None and change.nodes is not None:
                return _followed(index, scene, change.nodes)
        return _indexed(scene)


_NEWEST = _Newest(4)


def prepare(scene: Scene) -> None:
    """Have a scene ready to be drawn and pointed at: in the background, and not in a frame."""
    ready(scene)
    _index(scene)


def _index(scene: Scene) -> _Index:
    return _NEWEST.of(scene)
