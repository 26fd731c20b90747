"""The editor as one value. Messages change it (`update`), `scene` says what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from nodeflow.derive.shapes import Inference, infer
from nodeflow.derive.silent import Finding, silent
from nodeflow.editor.state.camera import READABLE, Camera, Point
from nodeflow.editor.state.faults import NO_MISTAKES, Mistakes, has_field, is_mended, is_mended_at
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.live import NO_RUN, Live, Report
from nodeflow.editor.state.pointer import Gesture
from nodeflow.editor.state.popups import Popup
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.requests import Request
from nodeflow.equality import identical
from nodeflow.errors import NodeflowError
from nodeflow.files import Fault
from nodeflow.files.lessonform import LESSON
from nodeflow.graph import Graph, Wire
from nodeflow.history import History
from nodeflow.scene import Scene, closed_groups, scene_at_once, shifted, with_places, within

if TYPE_CHECKING:
    from nodeflow.export.compared import Both

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """What differs between two graphs, shown in place of the graph; nothing of it is edited."""

    both: Both
    scene: Scene
    title: str
    back: Camera
    """Where one looked before."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence at the foot of the window."""

    text: str
    kind: Literal["info", "problem"] = "info"


@dataclass(frozen=True, slots=True)
class Aside:
    """Where over the canvas other things lie, as shares: 0 is left or above, 1 right or below."""

    button: Point = (0.5, 1.0)
    """The Train button."""
    minimap: Point = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Teaching:
    """A lesson in the editor: somebody does it, or it is being made."""

    original: Graph
    """The graph as the lesson begins with it."""
    making: bool = False
    kind: str = "at"
    """What the next task that is made waits for: at, until, ask or wire."""


# --- the editor ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Editor:
    """Everything that the window shows, and nothing of how."""

    history: History[Graph]
    saved: Graph | None = None
    """The graph as its file has it."""
    path: Path | None = None
    camera: Camera = field(default_factory=Camera)
    size: tuple[float, float] = (1280.0, 800.0)
    """The canvas on the screen, in pixels."""
    fitted: tuple[str, Camera] | None = None
    """The command that fitted the view, and the camera that it gave: another size is fitted too."""
    aside: Aside = Aside()
    """Where what lies over the canvas was put when the view was fitted."""
    pointer: Point = (-1.0, -1.0)
    """Where it was on the view last; outside of it at first."""
    selection: frozenset[str] = frozenset()
    picked: tuple[str, int] | None = None
    """The layer and the neuron of it that was selected in the map last."""
    wire: Wire | None = None
    """The selected wire."""
    hover: str = ""
    """What is under the pointer: "node:ID", "port:ADDRESS" or "wire:WIRE"."""
    gesture: Gesture | None = None
    popup: Popup | None = None
    inside: tuple[str, ...] = ()
    """The subgraphs (closed groups) that were entered."""
    view: Literal["canvas", "map"] = "canvas"
    """canvas, or map: the classic picture of neurons."""
    comparison: Comparison | None = None
    """The difference of two graphs, where that is looked at."""
    live: Live = NO_RUN
    notice: Notice | None = None
    preferences: Preferences = field(default_factory=Preferences)
    recent: tuple[Path, ...] = ()
    busy: str = ""
    """What is under way that takes its time."""
    leaving: Request | None = None
    """What goes on as soon as the graph is saved."""
    lesson: Teaching | None = None
    """The lesson that is done, or made."""
    report: Report | None = None
    """The report that was asked for last."""
    mistyped: Mistakes = field(default_factory=lambda: NO_MISTAKES)
    """By node and field (see `Mistype`)."""
    faults: tuple[Fault, ...] = ()
    """What its file has that cannot be, and so is not in the graph."""
    offer: SavedTraining | None = None
    """Training that lies beside the file, as long as nobody has gone on with it."""
    routed: tuple[Scene, Scene] | None = None
    """A scene in which nodes were moved, and the same with the ways that wires have there."""
    requests: tuple[Request, ...] = ()

    @classmethod
    def of(cls, graph: Graph, path: Path | None = None, **more: Any) -> Editor:
        """Return an editor for a graph as it was opened; every node has a place."""
        placed = with_places(graph)
        return cls(History.of(placed, "open" if path else "start"), saved=placed, path=path, **more)

    @property
    def graph(self) -> Graph:
        """The graph as it is now."""
        return self.history.present

    @property
    def neuron(self) -> tuple[str, int] | None:
        """The one neuron of a layer that is selected, None if it is all of it or another node."""
        picked = self.picked
        return picked if picked is not None and self.selection == {picked[0]} else None

    @property
    def changed(self) -> bool:
        """Whether the graph differs from its file."""
        return self.graph != self.saved

    @property
    def inference(self) -> Inference:
        """What is known of the graph's values before anything runs."""
        graph = self.graph
        # Moving nodes keeps nodes and wires: what was inferred of them still holds.
        return _INFERRED.of((graph.nodes, graph.wires, graph.training), lambda: infer(graph))

    @property
    def in_vain(self) -> tuple[Finding, ...]:
        """What in the graph computes in vain."""
        graph = self.graph
        return _VAIN.of((graph.nodes, graph.wires, graph.training), lambda: silent(graph))

    @property
    def problems(self) -> dict[str, str]:
        """Why nodes cannot be evaluated, or are evaluated in vain, by id."""
        vain = {finding.node: finding.sentence for finding in self.in_vain}
        inferred = {key: str(error) for key, error in self.inference.problems.items()}
        typed = {
            node: f"{node}.{field}: {what.fault}" for (node, field), what in self.mistyped.items()
        }
        return {**vain, **self.live.faults, **inferred, **typed, **self._left_out}

    @property
    def unmended(self) -> tuple[Fault, ...]:
        """What the file has and cannot be, without what was mended since."""
        return tuple(
            fault
            for fault in self.faults
            if not is_mended(fault, self.graph, self.saved, self.mistyped)
        )

    @property
    def _left_out(self) -> dict[str, str]:
        """What is said of nodes for what their file has and cannot be, until it is mended."""
        found: dict[str, list[str]] = {}
        for fault in self.faults:
            if has_field(self.graph, fault):
                continue  # what is typed there is marked
            for node in fault.nodes:
                if not is_mended_at(node, fault, self.graph, self.saved):
                    found.setdefault(node, []).append(fault.sentence)
        return {node: "; ".join(sentences) for node, sentences in found.items()}

    @property
    def learns(self) -> bool:
        """Whether there is anything to train: asked in every frame."""
        graph = self.graph
        return _LEARNS.of(
            (graph.nodes,),
            lambda: bool(graph.of_family("trainer") or graph.updates),
        )

    @cached_property
    def drawn(self) -> Scene:
        """The graph as it is drawn, without values and without what only the pointer adds."""
        if self.comparison is not None:
            return self.comparison.scene
        whole, hidden = self._whole, self.hidden
        return _SEEN.of((whole,), lambda: _without(whole, hidden)) if hidden else whole

    @property
    def hidden(self) -> frozenset[str]:
        """The nodes that a lesson hides from whoever does it."""
        if self.lesson is None or self.lesson.making:
            return frozenset()
        return frozenset(self.graph.extra.get(LESSON, {}).get("hidden", ()))

    @cached_property
    def _whole(self) -> Scene:
        """The graph as it is drawn, with what a lesson hides."""
        inside = self.inside[-1] if self.inside else None
        made_from = self.graph, inside, self.live.faults, self.mistyped, self.faults
        return self.with_ways(_DRAWN.of(made_from, lambda: _scene(self, inside)))

    def with_ways(self, scene: Scene) -> Scene:
        """Return a scene with the ways of its wires, if they were found since."""
        return self.routed[1] if self.routed is not None and self.routed[0] is scene else scene

    @property
    def unrouted(self) -> Scene | None:
        """The scene, if its wires are still to be routed where nodes are now."""
        scene = self._whole
        return None if scene.is_routed else scene

    @property
    def is_near(self) -> bool:
        """Whether nodes are seen with all of their texts, and what they say can be clicked."""
        return self.camera.zoom >= READABLE * self.preferences.scale

    @property
    def aim(self) -> Point:
        """Where on the canvas something new comes: at the pointer, or in the middle of the view."""
        x, y = self.pointer
        wide, high = self.size
        inside = 0 <= x <= wide and 0 <= y <= high
        return self.camera.on_canvas((x, y) if inside else (wide / 2, high / 2))

    @property
    def chosen(self) -> frozenset[str]:
        """The selected nodes, those of selected closed groups too."""
        found = set(self.selection & self.graph.nodes.keys())
        for group in self.selection & self.graph.groups.keys():
            found |= within(self.graph, group)
        return frozenset(found)

    def edited(self, graph: Graph, label: str, *, key: object = None) -> Editor:
        """Return the editor with the graph changed; `label` is how the history calls it."""
        return replace(self, history=self.history.then(graph, label, key), notice=None)

    def refused(self, error: NodeflowError | str) -> Editor:
        """Return the editor with a reason at its foot, nothing else changed."""
        return replace(self, notice=Notice(str(error), "problem"))

    def with_notice(self, text: str) -> Editor:
        """Return the editor with a sentence at its foot."""
        return replace(self, notice=Notice(text))

    def asking(self, request: Request) -> Editor:
        """Return the editor with something more to be done outside of it."""
        return replace(self, requests=(*self.requests, request))


class _Last(Generic[T]):
    """The last few results, by the identity of what they were made from.

    Graphs are never changed in place, and comparing two large ones costs more than it saves.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._kept: list[tuple[tuple[Any, ...], T]] = []

    @property
    def newest(self) -> tuple[tuple[Any, ...], T] | None:
        """What was made last, after what it was made from."""
        return self._kept[-1] if self._kept else None

    def of(self, made_from: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return what was made from these objects, or make it."""
        for key, result in self._kept:
            if identical(key, made_from):
                return result
        result = make()
        self._kept = [*self._kept, (made_from, result)][-self._most :]
        return result


def _scene(editor: Editor, inside: str | None) -> Scene:
    """Return the scene of an editor's graph; after a move that of before, shifted."""
    graph = editor.graph
    shown = None
    if _DRAWN.newest is not None:
        (before, level, *said), old = _DRAWN.newest
        now = editor.live.faults, editor.mistyped, editor.faults
        placed = any(fault.keys[:1] == ("layout",) for fault in editor.faults)  # mended by a move
        same = not placed and identical(said, now)
        shown = editor.with_ways(old) if level == inside else None
        if level == inside and same and _is_same_but_places(before, graph):
            moved = {
                key: (x - before.layout[key][0], y - before.layout[key][1])
                for key, (x, y) in graph.layout.items()
                if before.layout[key] != (x, y)
            }
            return shifted(editor.with_ways(old), graph, moved)
    return scene_at_once(graph, shown, editor.problems, inside)


def _without(whole: Scene, hidden: frozenset[str]) -> Scene:
    """Return a scene without the nodes that a lesson hides, and without their wires."""
    nodes = {key: view for key, view in whole.nodes.items() if key not in hidden}
    return replace(
        whole,
        nodes=nodes,
        wires=tuple(w for w in whole.wires if not {w.wire.source, w.wire.target} & hidden),
        ports={port.address: port for view in nodes.values()
               for port in (*view.inputs, *view.outputs)},
    )  # fmt: skip


def _is_same_but_places(one: Graph, other: Graph) -> bool:
    return (
        one.nodes is other.nodes
        and one.wires is other.wires
        and one.training is other.training  # an update may want a rate from it
        and one.groups is other.groups
        and not closed_groups(one)
        and one.layout.keys() == other.layout.keys() == one.nodes.keys()
    )


_INFERRED: _Last[Inference] = _Last()
_DRAWN: _Last[Scene] = _Last()
_SEEN: _Last[Scene] = _Last()
_LEARNS: _Last[bool] = _Last()
_VAIN: _Last[tuple[Finding, ...]] = _Last()
