"""How the map of neurons is fitted into its panel: places of columns and names, and the camera.

Texts are never smaller than they can be read, so they may be larger than the picture around them:
by their *growth*.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.editor.canvas.neurons import ROW, Label, Line, Map, Neuron
from nodeflow.editor.state.camera import Camera, Point
from nodeflow.window.canvas.summaries import SMALLEST
from nodeflow.window.platform.fonts import EM, fitted, width

RADIUS = 20.0
"""Of a dot, in canvas units."""
NUMBER, NAME, LABEL, SMALL = (size * EM for size in (10.5, 12.0, 13.0, 9.5))
"""Sizes of texts in canvas units, as long as they need not be larger than the picture."""
THICK_RING = 7.0
"""How thick the ring of the largest |δ| is."""
_NARROWEST, _WIDEST = 0.55, 2.2
"""The least and the largest factor by which columns are moved apart to fill a canvas."""
_MARGIN, _LARGEST = 60.0, 1.6
"""How much less than its panel a map takes, in pixels, and its largest zoom at scale 1."""
_TRIES, _MOST_GROWTH = 4, 4.0
"""Larger texts leave less room to the picture, and then grow again: how often that is tried, and
the largest factor."""
READS = SMALLEST / 9.5
"""Texts are as large as the picture at this zoom at least, at scale 1: the smallest reads then."""
_LONGEST = 150.0
"""The largest width of names of inputs and outputs."""


def arranged(made: Map, size: Point, scale: float) -> Map:
    """Move the columns apart on a wide canvas, and the names over the lines' upper edge.

    Where they are so wide that all of it would be smaller, they come nearer to each other.
    """
    if not made.neurons:
        return made
    left, top, right, bottom = bounds(made)
    xs = [neuron.x for neuron in made.neurons]
    factor, span = 1.0, max(xs) - min(xs)
    if span and bottom > top and size[1] > _MARGIN:
        zoom = min((size[1] - _MARGIN) / (bottom - top), _LARGEST * scale)
        spare = max(size[0] - _MARGIN, 1.0) / zoom - (right - left - span)
        factor = min(max(spare / span, _NARROWEST), _WIDEST)
    tops: dict[float, float] = {}
    for neuron in made.neurons:
        x = neuron.x * factor
        tops[x] = min(tops.get(x, neuron.y), neuron.y)
    neurons = tuple(replace(neuron, x=neuron.x * factor) for neuron in made.neurons)
    lines = tuple(
        Line(
            line.layer,
            (line.start[0] * factor, line.start[1]),
            (line.end[0] * factor, line.end[1]),
            line.weight,
            line.share,
        )
        for line in made.lines
    )
    columns = sorted(tops)
    labels = []
    for label in made.labels:
        x = label.x * factor
        before = max((c for c in columns if c <= x), default=columns[0])
        after = min((c for c in columns if c > x), default=columns[-1])
        y = (tops[before] + tops[after]) / 2 - 32
        labels.append(Label(label.layer, label.text, x, y))
    return replace(made, neurons=neurons, lines=lines, labels=tuple(labels))


def bounds(made: Map, growth: float = 1.0) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all dots and names, at a growth of the texts."""
    xs, ys = [n.x for n in made.neurons], [n.y for n in made.neurons]
    left, right = min(xs), max(xs)
    labels = [label.y - LABEL * (growth - 1) for label in made.labels]
    foot = max(40.0, RADIUS + THICK_RING + SMALL * growth + 4)
    return (
        left - beside(made, left, growth),
        min([*ys, *labels]) - 40,
        right + beside(made, right, growth),
        max(ys) + foot,
    )


def beside(made: Map, x: float, growth: float) -> float:
    """Return the room that an outer column and its names need at their side."""
    widest = max(width(n.name, None) for n in made.neurons if n.x == x) * NAME
    widest = max(min(widest, _LONGEST), 20.0)
    if any(n.target is not None for n in made.neurons if n.x == x):
        told = width("y −0.00   e −0.00", None) * SMALL
        widest = max(widest, told) if is_stacked(growth) else widest + told
    return RADIUS + 26 + overhang(growth) + widest * growth


def short_name(neuron: Neuron) -> str:
    """Return what stands beside a dot, cut where it is too long."""
    return fitted(neuron.name, None, _LONGEST / NAME)


def is_stacked(growth: float) -> bool:
    """Return whether target and error have room below the name of an output.

    Bias and δ stand below its dot, and are wider than that.
    """
    if has_room_below(growth):
        return (NAME / 2 + SMALL) * growth + 1 <= RADIUS + THICK_RING
    return (NAME + SMALL) * growth <= ROW


def has_room_below(growth: float) -> bool:
    """Return whether bias and δ have room below a dot, above the next one."""
    return THICK_RING + SMALL * growth <= ROW - 2 * RADIUS


def overhang(growth: float) -> float:
    """Return how far a number reaches out of its dot at either side."""
    return max(width("−0.00", None) * NUMBER * growth / 2 - RADIUS, 0.0)


def fitting(made: Map, size: Point, scale: float) -> Camera:
    """Return the camera that sees a whole map, which may be enlarged, with texts that read."""
    room = max(size[0] - _MARGIN, 1.0), max(size[1] - _MARGIN, 1.0)
    growth = 1.0
    for _ in range(_TRIES):
        left, top, right, bottom = bounds(made, growth)
        zoom = min(room[0] / (right - left), room[1] / (bottom - top), _LARGEST * scale)
        growth = min(max(READS * scale / zoom, 1.0), _MOST_GROWTH)
    return Camera(zoom=zoom).centred(((left + right) / 2, (top + bottom) / 2), size)


def same_shape(one: Map, other: Map) -> bool:
    """Return whether two maps differ in numbers only."""
    return (
        one.reason == other.reason
        and one.labels == other.labels
        and len(one.lines) == len(other.lines)
        and [(n.node, n.number, n.x, n.y, n.name) for n in one.neurons]
        == [(n.node, n.number, n.x, n.y, n.name) for n in other.neurons]
    )


def gaps_to(lines: tuple[Line, ...], point: Point) -> NDArray[np.float64]:
    """Return how far each line is from a point."""
    start = np.array([line.start for line in lines])
    along = np.array([line.end for line in lines]) - start
    length = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((np.asarray(point) - start) * along).sum(axis=1) / length, 0, 1)
    nearest = start + share[:, None] * along
    gaps: NDArray[np.float64] = np.hypot(*(nearest - point).T)
    return gaps
