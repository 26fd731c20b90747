"""The editor as one value. Messages change it (`update`), `scene` says what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from nodeflow.derive.shapes import Inference, infer
from nodeflow.editor.camera import Camera, Point
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Wire
from nodeflow.history import History
from nodeflow.scene import Scene, closed_groups, scene, shifted, with_places, within

T = TypeVar("T")

# --- what the pointer is doing ------------------------------------------------------------------


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
    mode: str = "set"
    """set, add (Shift: beside the wires that are there) or remove (Ctrl)."""


@dataclass(frozen=True, slots=True)
class Sliding:
    """A slider's handle is dragged."""

    node: str


Gesture = Panning | Moving | Boxing | Wiring | Sliding

# --- what lies over the canvas ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """The library, searched; what is chosen is placed at `at`, and wired to `port`."""

    at: Point
    text: str = ""
    choice: int = 0
    port: str | None = None


@dataclass(frozen=True, slots=True)
class Palette:
    """All commands, searched."""

    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Find:
    """Nodes of this graph, searched."""

    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A wire drawn by keyboard: first a port of `node`, then one that fits."""

    node: str
    port: str | None = None
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a node, to choose which is typed."""

    node: str
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands for what is under the pointer, at a screen point."""

    at: Point
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """A list to read: "shortcuts", "history", "help", "recent"."""

    name: str


@dataclass(frozen=True, slots=True)
class Editing:
    """A setting, or the name of a node or group, is typed."""

    node: str
    setting: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something to decide first: what is asked, and a command for each answer."""

    text: str
    answers: tuple[tuple[str, str], ...]


Popup = Search | Palette | Find | Link | Settings | Menu | Panel | Editing | Question

# --- what is known of a run ---------------------------------------------------------------------


@dataclass(frozen=True)
class Live:
    """What the run beside the editor last told: all of it is data, and read-only."""

    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By address: the last value of each port."""
    gradients: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    state: str = "still"
    """still, training, paused or done."""
    epoch: int = 0
    update: int = 0
    history: tuple[Mapping[str, float], ...] = ()
    """A line an epoch: cost, train_accuracy, test_cost, test_accuracy."""
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    problem: str = ""
    checks: Mapping[str, str] = field(default_factory=dict)
    """By node: "ok", or what its gradient check found."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence at the foot of the window; `kind` is info or problem."""

    text: str
    kind: str = "info"


@dataclass(frozen=True, slots=True)
class Request:
    """Something to be done outside: the shell does it and answers with a message.

    `what` is one of save, ask_save, ask_open, open, copy, paste, train, pause, reset, set_rate,
    check, quit, preferences, autosave; the rest belongs to it.
    """

    what: str
    path: Path | None = None
    text: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person has chosen; kept between sessions."""

    theme: str = "dark"
    scale: float = 1.0
    reduced_motion: bool = False
    values: str = "hover"
    """Where values are shown on wires: off, hover, changed or all."""
    minimap: bool = True
    toured: bool = False


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
    pointer: Point = (0.0, 0.0)
    selection: frozenset[str] = frozenset()
    wire: Wire | None = None
    """The selected wire."""
    hover: str = ""
    """What is under the pointer: "node:ID", "port:ADDRESS" or "wire:WIRE"."""
    gesture: Gesture | None = None
    popup: Popup | None = None
    inside: tuple[str, ...] = ()
    """The subgraphs (closed groups) that were entered."""
    view: str = "canvas"
    """canvas, or map: the classic picture of neurons."""
    live: Live = Live()
    notice: Notice | None = None
    preferences: Preferences = Preferences()
    recent: tuple[Path, ...] = ()
    tour: int | None = None
    """The task of the tour that is next; None when there is no tour."""
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
    def changed(self) -> bool:
        """Whether the graph differs from its file."""
        return self.graph != self.saved

    @property
    def inference(self) -> Inference:
        """What is known of the graph's values before anything runs."""
        graph = self.graph
        # Moving nodes keeps nodes and wires: what was inferred of them still holds.
        return _INFERRED.of((graph.nodes, graph.wires), lambda: infer(graph))

    @property
    def problems(self) -> dict[str, str]:
        """Why nodes cannot be evaluated, by id."""
        return {key: str(error) for key, error in self.inference.problems.items()}

    @property
    def drawn(self) -> Scene:
        """The graph as it is drawn, without values and without what only the pointer adds."""
        inside = self.inside[-1] if self.inside else None
        return _DRAWN.of((self.graph, inside), lambda: _scene(self, inside))

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

    def told(self, text: str) -> Editor:
        """Return the editor with a sentence at its foot."""
        return replace(self, notice=Notice(text))

    def asking(self, what: str, **more: Any) -> Editor:
        """Return the editor with something more for the shell to do."""
        return replace(self, requests=(*self.requests, Request(what, **more)))


class _Last(Generic[T]):
    """The last few results, by the identity of what they were made from.

    Graphs are never changed in place, and comparing two large ones costs more than it saves.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._kept: list[tuple[tuple[object, ...], T]] = []

    def of(self, made_from: tuple[object, ...], make: Callable[[], T]) -> T:
        for key, result in self._kept:
            if all(one is other for one, other in zip(key, made_from, strict=True)):
                return result
        result = make()
        self._kept = [*self._kept[1 - self._most :], (made_from, result)]
        return result


_SCENES: list[tuple[Graph, str | None, Scene]] = []


def _scene(editor: Editor, inside: str | None) -> Scene:
    """Return the scene of an editor's graph; after a move that of before, shifted."""
    graph = editor.graph
    made = None
    if _SCENES:
        before, level, old = _SCENES[-1]
        if level == inside and _is_same_but_places(before, graph):
            moved = {
                key: (x - before.layout[key][0], y - before.layout[key][1])
                for key, (x, y) in graph.layout.items()
                if before.layout[key] != (x, y)
            }
            made = shifted(old, graph, moved)
    if made is None:
        made = scene(graph, problems=editor.problems, inside=inside)
    _SCENES[:] = [(graph, inside, made)]
    return made


def _is_same_but_places(one: Graph, other: Graph) -> bool:
    return (
        one.nodes is other.nodes
        and one.wires is other.wires
        and one.groups is other.groups
        and not closed_groups(one)
        and one.layout.keys() == other.layout.keys() == one.nodes.keys()
    )


_INFERRED: _Last[Inference] = _Last()
_DRAWN: _Last[Scene] = _Last()
