"""The editor as one value. Messages change it (`update`), `scene` says what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from numpy.typing import NDArray

from nodeflow.derive.shapes import Inference, infer
from nodeflow.derive.silent import Finding, silent
from nodeflow.editor.state.camera import READABLE, Camera, Point
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.requests import Request
from nodeflow.equality import identical
from nodeflow.errors import NodeflowError
from nodeflow.files import Fault
from nodeflow.files.lessonform import LESSON
from nodeflow.graph import Graph, Wire
from nodeflow.history import History
from nodeflow.playback.state import Playback
from nodeflow.scene import Scene, closed_groups, scene_at_once, shifted, with_places, within

if TYPE_CHECKING:
    from nodeflow.export.compared import Both
    from nodeflow.lessons import Progress

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
    canvas: bool = False
    """Whether nothing is under it: then it is about the canvas."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A list to read: "shortcuts", "history", "recent", "samples", "differences"."""

    name: str


@dataclass(frozen=True, slots=True)
class Editing:
    """A setting, or the name of a node or group, is typed; `fault` says why it cannot be so.

    Without a node it is batch, epochs or seed of the training.
    """

    node: str
    setting: str
    text: str
    fault: str = ""
    port: str = ""
    """The input port that it is typed at; without a setting the port gets a new constant."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a setting can be, to choose from."""

    node: str
    setting: str
    text: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Something is typed: a moment, a condition, an answer to the player or to the lesson."""

    what: Literal["moment", "condition", "answer", "task"]
    text: str = ""
    fault: str = ""


# --- what is asked of somebody -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """Whether changes are saved before something else goes on; each answer has a name."""

    text: str
    answers: tuple[tuple[str, str], ...]
    then: Request
    """What goes on."""
    about: Rival | None = None
    """The file of another program that the question is about."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A file that another program changed since it was opened, and what can be done about it."""

    path: Path
    ours: Graph
    """The graph that was to be saved."""
    theirs: Graph | None
    """What the file holds now; None if that is no graph."""
    merged: Graph | None
    """Both edits in one; None where they contradict each other."""
    origin: tuple[str, str]
    """The file as it was looked at: whoever replaces it replaces this, and nothing newer."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two graphs, shown in place of the graph; nothing of it is edited."""

    both: Both
    scene: Scene
    title: str
    back: Camera
    """Where one looked before."""


Searched = Search | Palette | Find | Link | Settings | Choices
"""Lists that what is typed makes shorter."""
Listed = Searched | Menu
"""Lists with a line that is lit."""
Popup = Listed | Panel | Editing | Ask | Question

# --- what is known of a run ---------------------------------------------------------------------


NO_FAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Report:
    """An account that was asked for: of a node, or of the network where there is none."""

    node: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Live:
    """What the run in the background last told: all of it is data, and read-only."""

    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By address: the last value of each port."""
    gradients: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    state: str = "still"
    """preparing, still, training (at full speed), playing (in slow motion), paused or done."""
    epoch: int = 0
    update: int = 0
    history: Sequence[Mapping[str, Any]] = ()
    """A line an epoch: cost, train_accuracy, test_cost, test_accuracy."""
    line: int = 0
    """Which future of which run it is: another one has another number."""
    others: Sequence[Sequence[Mapping[str, Any]]] = ()
    """The histories of the other futures."""
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    problem: str = ""
    faults: Mapping[str, str] = field(default_factory=lambda: NO_FAULTS)
    """By node: why its function failed when it was evaluated."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """By node: "ok", or what its gradient check found."""
    price: str = ""
    """What that check cost, compared with the backward pass, in words."""
    playback: Playback = field(default_factory=Playback)
    """Where the player stands, and what led there."""
    ages: Mapping[str, str] = field(default_factory=dict)
    """By node that the present pass has not evaluated yet: of when its value is, in words."""
    gradient_ages: Mapping[str, str] = field(default_factory=dict)
    """The same, by the address whose gradient it is."""
    weights_before: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """At the end of an update: the weights that its values were computed with."""
    cost: float | None = None
    """J of the batch in view."""
    cost_age: str = ""
    """Of when it is, if not of the present pass."""
    rows: tuple[int, int] = (0, 0)
    """How many rows there are for training, and for testing."""
    counting: str = ""
    """The node whose hits the history has as accuracy, where several nodes count some."""
    report: Report | None = None
    """The account that was asked for last: each is another value."""
    memory: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """All that training goes on from: weights, velocities and times, by address."""
    reached: Mapping[str, Any] = field(default_factory=dict)
    """How far the run has come, as its run file says it."""
    samples: tuple[int, int] = (1, 1)
    """The number n of rows of the present update, and of the one whose values are still there."""

    lesson: Progress | None = None
    """How far somebody has come in the lesson of the graph."""

    def age(self, address: str) -> str:
        """Return of when a port's value is, "" if it is of the present pass."""
        return self.ages.get(address.rpartition(".")[0], "")

    @property
    def of_this_pass(self) -> dict[str, NDArray[Any]]:
        """The values that the present pass has evaluated, and those that no pass changes."""
        return {address: value for address, value in self.values.items() if not self.age(address)}


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence at the foot of the window; `kind` is info or problem."""

    text: str
    kind: str = "info"


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
    follow: bool = True
    """Whether the view follows the active node in slow motion."""
    library: float = 0.0
    """How wide the library is, in pixels at scale 1: 0 for its own width and only where there is
    room, below 0 for hidden."""
    side: float = 0.0
    """The same of the panels at the right."""
    card: bool = True
    """Whether a card tells what the last step calculated."""


@dataclass(frozen=True, slots=True)
class Mistyped:
    """What was typed into a field and cannot be: it stays there, with why, until it is mended.

    `over` is what the field held instead: when that is another text, it holds this one.
    """

    text: str
    over: str
    fault: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Where over the canvas other things lie, as shares: 0 is left or above, 1 right or below."""

    button: Point = (0.5, 1.0)
    """The Train button."""
    minimap: Point = (1.0, 1.0)


def has_field(graph: Graph, fault: Fault) -> bool:
    """Whether what cannot be is a setting with a field that is typed into: there it stays."""
    if fault.setting is None:
        return False
    node, name = fault.setting
    if not node:
        return True
    known = graph.nodes[node].known if node in graph.nodes else None
    setting = known.setting_named.get(name) if known is not None else None
    return setting is not None and setting.kind not in ("flag", "choice", "array")


NO_MISTAKES: Mapping[tuple[str, str], Mistyped] = MappingProxyType({})


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
    view: str = "canvas"
    """canvas, or map: the classic picture of neurons."""
    comparison: Comparison | None = None
    """The difference of two graphs, where that is looked at."""
    live: Live = Live()
    notice: Notice | None = None
    preferences: Preferences = Preferences()
    recent: tuple[Path, ...] = ()
    busy: str = ""
    """What is under way that takes its time."""
    leaving: Request | None = None
    """What goes on as soon as the graph is saved."""
    lesson: Teaching | None = None
    """The lesson that is done, or made."""
    report: Report | None = None
    """The account that was asked for last."""
    mistyped: Mapping[tuple[str, str], Mistyped] = field(default_factory=lambda: NO_MISTAKES)
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
        return tuple(fault for fault in self.faults if not self._is_mended(fault))

    @property
    def _left_out(self) -> dict[str, str]:
        """What is said of nodes for what their file has and cannot be, until it is mended."""
        found: dict[str, list[str]] = {}
        for fault in self.faults:
            for node in fault.nodes:
                if not has_field(self.graph, fault) and not self._is_mended_at(fault, node):
                    found.setdefault(node, []).append(fault.sentence)
        return {node: "; ".join(sentences) for node, sentences in found.items()}

    def _is_mended(self, fault: Fault) -> bool:
        if has_field(self.graph, fault):
            return fault.setting not in self.mistyped
        return bool(fault.nodes) and all(self._is_mended_at(fault, node) for node in fault.nodes)

    def _is_mended_at(self, fault: Fault, node: str) -> bool:
        """Whether the part of a node that could not be has been changed since."""
        now, before = self.graph, self.saved
        if before is None or node not in now.nodes or node not in before.nodes:
            return True
        match fault.keys:
            case ("wires", *_):
                return (now.incoming.get(node), now.out_of(node)) != (
                    before.incoming.get(node), before.out_of(node)
                )  # fmt: skip
            case ("layout", *_):
                return now.layout.get(node) != before.layout.get(node)
            case ("nodes", _, "settings", str(name)):
                held = now.nodes[node].settings, before.nodes[node].settings
                return now.nodes[node].type != before.nodes[node].type or (
                    held[0].get(name) != held[1].get(name)
                )
            case ("nodes", _, "mode"):
                return now.nodes[node].mode != before.nodes[node].mode
            case _:
                return now.nodes[node] != before.nodes[node]

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
        return self._with_ways(_DRAWN.of(made_from, lambda: _scene(self, inside)))

    def _with_ways(self, scene: Scene) -> Scene:
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
        shown = editor._with_ways(old) if level == inside else None  # noqa: SLF001
        if level == inside and same and _is_same_but_places(before, graph):
            moved = {
                key: (x - before.layout[key][0], y - before.layout[key][1])
                for key, (x, y) in graph.layout.items()
                if before.layout[key] != (x, y)
            }
            return shifted(editor._with_ways(old), graph, moved)  # noqa: SLF001
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
