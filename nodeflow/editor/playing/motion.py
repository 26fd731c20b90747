"""What moves in slow motion: the lit node, tokens on wires, old and new numbers, as data.

On a folded graph the steps of the backward pass light the node and the wires that they belong to:
a δ arrives, against the direction of the wire, at the port whose gradient it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG
from nodeflow.editor.state.model import Editor
from nodeflow.equality import identical
from nodeflow.graph import MOVED, Wire
from nodeflow.routing import along, bernstein, measured
from nodeflow.scene import Scene, closed_groups, sized, within
from nodeflow.wires import WireView
from nodeflow.workings.lines import numbered
from nodeflow.workings.shown import changed, listed, rough, show

if TYPE_CHECKING:
    from nodeflow.playback.state import Playback

Kind = Literal["forward", "blame", "feedback"]
Point = tuple[float, float]
MOST = 60
"""Tokens at once; with more nobody sees anything."""
_THINNEST, _THICKEST = 0.6, 4.0
_CURVE = 4
"""Points of a Bézier curve."""


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """A value that travels along a wire, from one end of its curve to the other."""

    wire: WireView
    value: NDArray[Any]
    kind: Kind
    against: bool = False
    """Whether it runs from the wire's end to its start: blame on a folded graph."""

    def at(self, share: float) -> Point:
        """Return where it is, when so much of its way (0 to 1) lies behind it."""
        t = 1 - share if self.against else share
        return along(self.wire.curve, _gently(t))

    @property
    def text(self) -> str:
        """What it carries: a number or two, or its shape."""
        return token_text(self.value)

    @property
    def heading(self) -> int:
        """Which way it points: 1 right, −1 left."""
        right = self.wire.end[0] >= self.wire.start[0]
        return 1 if right is not self.against else -1


def _gently(t: float) -> float:
    """Return how far something is that starts and ends gently."""
    return t * t * (3 - 2 * t)


class Traffic:
    """Many tokens on their ways: in every frame it is asked where the first so many of them are."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.headings = np.array([token.heading for token in tokens], float)
        curves = [token.wire.curve for token in tokens]
        self._against = np.array([token.against for token in tokens], bool)
        bends = [curve if len(curve) == _CURVE else curve[:1] * _CURVE for curve in curves]
        self._bends = np.array(bends, float).reshape(-1, _CURVE, 2)
        self._bent = [(n, curve) for n, curve in enumerate(curves) if len(curve) > _CURVE]
        self._measured: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._ways = np.zeros((0, 2), float), np.zeros(0, float), np.zeros(1, np.intp)

    def at(self, share: float, count: int) -> NDArray[np.float64]:
        """Return where the first `count` are when so much of their ways lies behind them."""
        shares = np.where(self._against[:count], _gently(1 - share), _gently(share))
        found: NDArray[np.float64] = np.einsum("np,npd->nd", bernstein(shares), self._bends[:count])
        bent = [number for number, _ in self._bent if number < count]
        if bent:
            found[bent] = self._along(shares[bent])
        return found

    def _along(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points after such shares of the first ways that bend, all at once."""
        if len(self._measured) < len(shares):  # those that are new: it takes its time
            self._measured += [measured(way) for _, way in self._bent[len(self._measured) :][
                : len(shares) - len(self._measured)]]  # fmt: skip
            points, gone = zip(*self._measured, strict=True)
            # One after the other on one line, far enough apart.
            line = np.concatenate([part + 2 * n for n, part in enumerate(gone)])
            ends = np.cumsum([0, *map(len, gone)])
            self._ways = np.concatenate(points), line, ends
        points_, line, ends = self._ways
        wanted = np.clip(shares, 0.0, 1.0) + 2 * np.arange(len(shares))
        after = np.searchsorted(line, wanted, side="right")
        after = np.clip(after, ends[: len(shares)] + 1, ends[1 : len(shares) + 1] - 1)
        span = line[after] - line[after - 1]
        part = (wanted - line[after - 1]) / np.where(span > 0, span, 1.0)
        found: NDArray[np.float64] = points_[after - 1] + part[:, None] * (
            points_[after] - points_[after - 1]
        )
        return found


@dataclass(frozen=True)
class Motion:
    """What a step shows on the canvas."""

    lit: str = ""
    """The node (or closed group) that was evaluated, as the canvas has it."""
    next: str = ""
    phase: str = ""
    tokens: tuple[Token, ...] = ()
    change: str = ""
    """The number of the lit node, old → new."""
    changed: frozenset[str] = frozenset()
    """Addresses that hold another value since the step."""
    widths: Mapping[str, float] = field(default_factory=dict)
    """During the backward phase: how thick the wires of a port are, from the size of its blame."""
    bearing: frozenset[Wire] = frozenset()
    """The wires along which blame goes: for those the widths hold."""


def motion(editor: Editor) -> Motion:
    """Return what the step that led to the present moment shows."""
    return _LAST.of(editor)


class _Last:
    """The motion of the last step asked about; a step is shown for many frames."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._found = Motion()

    def of(self, editor: Editor) -> Motion:
        key = (editor.live.playback, editor.drawn)
        if not identical(key, self._key):
            self._key, self._found = key, _made(editor)
        return self._found


class _Blame:
    """How large the blame is on wires. After a single step only what changed is looked at."""

    def __init__(self) -> None:
        self._seen: tuple[Scene | None, Mapping[str, str]] = None, {}
        self._bearing: frozenset[Wire] = frozenset()
        self._backward: dict[str, bool] = {}
        """By the port where such a wire starts: whether it is one of the backward pass."""
        self._sizes: dict[str, float] = {}
        self._moment = (-1, 0)

    def bearing(self, editor: Editor) -> frozenset[Wire]:
        """Return the wires with blame: forwards in the backward pass, or back from a cost.

        An accuracy reads values and blames nobody; a rate enters the backward pass and is no
        blame.
        """
        scene, forward_of = editor.drawn, editor.live.playback.forward_of
        if scene is self._seen[0] and forward_of is self._seen[1]:
            return self._bearing
        self._seen, self._sizes = (scene, forward_of), {}
        blamed = set(forward_of.values())
        nodes = scene.nodes.values()
        gives = {view.key for view in nodes if view.family != "source"}
        takes = {
            view.key
            for view in nodes
            if (view.family == "cost" and not CATALOG[view.type].measures)
            or any(port.address in blamed for port in view.outputs)
        }
        found = [
            view
            for view in scene.wires
            if not view.across
            and (
                (view.kind == "backward" and view.wire.source in gives)
                or (view.kind == "forward" and view.wire.target in takes)
            )
        ]
        self._bearing = frozenset(view.wire for view in found)
        self._backward = {view.wire.start: view.kind == "backward" for view in found}
        return self._bearing

    def widths(self, editor: Editor, changed: frozenset[str] | set[str]) -> dict[str, float]:
        """Return how thick wires are, the one with the largest blame being thickest."""
        self.bearing(editor)
        live = editor.live
        before, self._moment = self._moment, (live.playback.number, live.playback.future)
        goes_on = live.state == "playing" or self._moment == (before[0] + 1, before[1])
        for start in changed if goes_on and self._sizes else self._backward:
            if start in self._backward:
                held = live.values if self._backward[start] else live.gradients
                value = held.get(start)
                if value is not None and value.size:
                    self._sizes[start] = float(np.abs(value).max())
        largest = max(self._sizes.values(), default=0.0)
        if not largest or not np.isfinite(largest):
            return {}
        span = _THICKEST - _THINNEST
        return {
            start: _THINNEST + span * (size / largest) ** 0.5 for start, size in self._sizes.items()
        }


_LAST, _BLAME = _Last(), _Blame()


def _made(editor: Editor) -> Motion:
    playback, scene = editor.live.playback, editor.drawn
    step = playback.step
    if step is None:
        return Motion(next=owner(editor, playback.next))
    outputs = {f"{step.node}.{port}" for port in step.outputs}
    lit = owner(editor, step.node)
    tokens = tuple(_tokens(editor, scene, playback))[:MOST]
    changed = outputs | {playback.forward_of.get(address, address) for address in outputs}
    return Motion(
        lit=lit,
        next=owner(editor, playback.next),
        phase=step.phase,
        tokens=tokens,
        change=change(playback),
        changed=frozenset(changed),
        widths=_BLAME.widths(editor, changed) if step.phase == "backward" else {},
        bearing=_BLAME.bearing(editor),
    )


def owner(editor: Editor, key: str) -> str:
    """Return which node or closed group of the canvas stands for a node of the run."""
    nodes = editor.drawn.nodes
    playback = editor.live.playback
    if key and key not in editor.graph.nodes:
        key = playback.owner_of.get(key, key)
        while key and key not in editor.graph.nodes:
            key = key.rpartition(".")[0]  # a node of the backward pass is called after it
    if not key or key in nodes:
        return key
    closed = (name for name in closed_groups(editor.graph) if name in nodes)
    return next((name for name in closed if key in within(editor.graph, name)), "")


def _tokens(editor: Editor, scene: Scene, playback: Playback) -> Iterator[Token]:
    """Yield what came along the wires of the canvas for a step."""
    step = playback.step
    if step is None:
        return
    if step.node in editor.graph.nodes:
        kind: Kind = "forward" if step.phase == "forward" else "blame"
        for view in _into(scene, step.node):
            wire = view.wire
            name = wire.entry
            if name in step.inputs:
                blame = kind == "blame" and view.kind == "backward"
                yield Token(view, step.inputs[name], "blame" if blame else "forward")
        return
    for port, value in step.outputs.items():
        address = playback.forward_of.get(f"{step.node}.{port}")
        key = "" if address is None else address.rpartition(".")[0]
        bearing = _BLAME.bearing(editor)
        for view in scene.wires_at(key):
            if view.wire.start == address and view.wire in bearing:
                yield Token(view, value, "blame", against=True)


def _into(scene: Scene, key: str) -> list[WireView]:
    return [view for view in scene.wires_at(key) if view.wire.target == key]


def token_text(value: NDArray[Any]) -> str:
    """Return a value as a token carries it: a number or two, or its shape."""
    flat = np.ravel(value)
    if flat.size <= 2:
        return listed(flat)
    return sized(np.shape(value))


def change(playback: Playback) -> str:
    """Return what the step's output was and is, "0.31 → 0.29"; of an update the difference too."""
    step = playback.step
    if step is None or not step.outputs:
        return ""
    port, new = next(iter(step.outputs.items()))
    old = step.inputs.get(MOVED) if step.phase == "update" else playback.old.get(port)
    if new.size != 1:
        if old is None or old.shape != new.shape:
            return ""
        return _largest_change(port, old, new)
    text = show(np.ravel(new)[0])
    if old is not None and np.size(old) == 1:
        before = float(np.ravel(old)[0])
        if before == float(np.ravel(new)[0]):
            return ""
        text = changed(before, np.ravel(new)[0])
        if step.phase == "update":
            step_size = float(np.ravel(new)[0]) - before
            text += f"  ({'+' * (step_size >= 0)}{rough(step_size)})"
    return text


def _largest_change(port: str, old: NDArray[Any], new: NDArray[Any]) -> str:
    """Return the number of an array that changed most."""
    differences = np.abs(new - old)
    if not np.isfinite(differences).all() or not differences.any():
        return ""
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(differences)), new.shape))
    return f"{numbered(port, new.shape, at)} {changed(float(old[at]), float(new[at]))}"
