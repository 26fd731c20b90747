"""What the pointer is doing on the canvas, from a press to its release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nodeflow.editor.state.camera import Point
from nodeflow.graph import Wire

WireMode = Literal["set", "add", "remove"]
"""What a wire does where it is dropped: add (Shift) keeps the wires that are there, remove (Ctrl)
takes one away."""


@dataclass(frozen=True, slots=True)
class Panning:
    """The canvas is dragged; `last` is on the screen."""

    last: Point


@dataclass(frozen=True, slots=True)
class Moving:
    """Nodes are dragged from a canvas point by so much."""

    start: Point
    nodes: frozenset[str]
    by: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Boxing:
    """A box is drawn from one canvas point to another; `keep` stays selected."""

    start: Point
    end: Point
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wiring:
    """A wire is drawn from a port. `fits` are the ports that could take it."""

    port: str
    outgoing: bool
    at: Point
    fits: frozenset[str] = frozenset()
    target: str | None = None
    refusal: str = ""
    taken: Wire | None = None
    """The wire that was pulled off its input."""
    mode: WireMode = "set"


@dataclass(frozen=True, slots=True)
class Sliding:
    """A slider's handle is dragged, or the number in a field: from a point of the screen."""

    node: str
    setting: str = ""
    start: Point = (0.0, 0.0)
    value: float = 0.0
    """The number that was there at the start."""
    dragged: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """The frame in the minimap is dragged."""


Gesture = Panning | Moving | Boxing | Wiring | Sliding | Looking
