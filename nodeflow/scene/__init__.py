"""A graph as it is drawn: boxes, ports, wires, groups and texts, as data.

Window and exports draw the same scene. Lengths are canvas units, y points down.
"""

from nodeflow.scene.changes import Change, origins
from nodeflow.scene.fields import NOTE, note
from nodeflow.scene.groups import closed_groups, levels, outer, way_to, within
from nodeflow.scene.making import scene, scene_at_once
from nodeflow.scene.nodes import unknown, with_places
from nodeflow.scene.pieces import (
    LEFT,
    FieldView,
    GroupView,
    NodeView,
    PortView,
    Scene,
    SliderView,
)
from nodeflow.scene.texts import clipped, counted, shortened, shown, sized
from nodeflow.scene.ways import AT_ONCE, drawable, followed, ready, routed, shifted

__all__ = [
    "AT_ONCE",
    "LEFT",
    "NOTE",
    "Change",
    "FieldView",
    "GroupView",
    "NodeView",
    "PortView",
    "Scene",
    "SliderView",
    "clipped",
    "closed_groups",
    "counted",
    "drawable",
    "followed",
    "levels",
    "note",
    "origins",
    "outer",
    "ready",
    "routed",
    "scene",
    "scene_at_once",
    "shifted",
    "shortened",
    "shown",
    "sized",
    "unknown",
    "way_to",
    "with_places",
    "within",
]
