"""All that can happen to an editor: a closed set. The pointer is in pixels of the canvas."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.faults import Mistakes, Mistyped
from nodeflow.editor.state.kept import SavedTraining
from nodeflow.editor.state.live import Live, Report
from nodeflow.editor.state.popups import Rival
from nodeflow.editor.state.requests import ControlRun
from nodeflow.files import Fault
from nodeflow.graph import Graph
from nodeflow.scene import Scene

if TYPE_CHECKING:
    from nodeflow.export.compared import Both
    from nodeflow.sweeps import Sweep


@dataclass(frozen=True, slots=True)
class Moved:
    """The pointer moved."""

    at: Point


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button (left, middle, right) went down; `clicks` is 2 for a double click."""

    at: Point
    button: str = "left"
    clicks: int = 1
    shift: bool = False
    ctrl: bool = False
    alt: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """A button came up."""

    at: Point
    button: str = "left"
    shift: bool = False
    ctrl: bool = False
    alt: bool = False


@dataclass(frozen=True, slots=True)
class Wheel:
    """The wheel turned by so many clicks, up is positive."""

    at: Point
    clicks: float
    shift: bool = False
    ctrl: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A key was pressed: "a", "F2", "Delete", "Tab", "Escape", "Enter", "Left", "+"."""

    name: str
    shift: bool = False
    ctrl: bool = False
    alt: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """The text of the open popup is now this one."""

    text: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line of the open popup was chosen; without a number, the one that is lit."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Do:
    """A command by its name, as in menus, palette and shortcuts."""

    command: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a type is put onto the canvas (dragged from the library)."""

    type: str
    at: Point


@dataclass(frozen=True, slots=True)
class SetValue:
    """A setting of a node was changed; `done` ends a drag of the same setting."""

    node: str
    setting: str
    value: Any
    done: bool = True


@dataclass(frozen=True, slots=True)
class SetTraining:
    """batch, epochs or seed was changed."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Mistype:
    """What was typed into a field of the panels cannot be, or is given up (None).

    The field is a setting of a node, a cell of one ("value[2, 1]"), or without a node one of the
    training.
    """

    node: str
    field: str
    what: Mistyped | None


@dataclass(frozen=True, slots=True)
class SetPreference:
    """A preference was changed."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Select:
    """Exactly these nodes are selected; of a layer in the map it may be one neuron."""

    nodes: frozenset[str]
    neuron: int | None = None


@dataclass(frozen=True, slots=True)
class Resized:
    """The canvas has a new size on the screen."""

    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pasted:
    """Text came from the clipboard; at the pointer."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file was read."""

    graph: Graph
    path: Path | None
    kept: bool = False
    """Whether it can be had again without a file of its own: a sample."""
    faults: tuple[Fault, ...] = ()
    """What the file has and cannot be."""
    fields: Mistakes | None = field(default=None, compare=False)
    """What of it stands in fields, where that was found out in the background."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A graph was written to a file.

    `before` is the graph that was asked to be saved, where the file has other paths in it: it
    lies in another folder.
    """

    graph: Graph
    path: Path
    before: Graph | None = None


@dataclass(frozen=True, slots=True)
class WouldLose:
    """To save to the editor's file would lose what it has and cannot be: that is asked about."""

    path: Path


@dataclass(frozen=True, slots=True)
class DialogCancelled:
    """A file was asked for, and none was chosen."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Another graph was made of the present one, as large ones are: in the background."""

    graph: Graph
    label: str


@dataclass(frozen=True, slots=True)
class Began:
    """Something takes its time: what, and how much of it is done. Escape drops it."""

    what: str
    share: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing that takes its time is under way any more."""


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """How the run in the background stands now."""

    live: Live


@dataclass(frozen=True, slots=True)
class OpenRun:
    """One of many runs is to be shown, at an epoch of it."""

    found: Sweep
    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Renewed:
    """Node types came, or are other ones now: what is to be told of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A report that was asked for is there."""

    report: Report


@dataclass(frozen=True, slots=True)
class Offered:
    """Training was found beside the file of the graph: it may be gone on with."""

    offer: SavedTraining


@dataclass(frozen=True, slots=True)
class ChooseTaskKind:
    """The next task of the lesson that is made waits for a moment, a condition, … (its key)."""

    kind: str


@dataclass(frozen=True, slots=True)
class AddTask:
    """The lesson that is made gets a task: its text, what it waits for, and a question if it asks.

    Nothing in them has to fit: what is missing is told. With a number it is in place of that task.
    """

    kind: str
    text: str
    goal: str
    question: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveTask:
    """The lesson that is made loses a task."""

    number: int


@dataclass(frozen=True, slots=True)
class MoveTaskUp:
    """A task of the lesson that is made comes one earlier."""

    number: int


@dataclass(frozen=True, slots=True)
class ToggleInLesson:
    """Lock or hide the selected nodes in the lesson that is made, or undo that."""

    what: Literal["locked", "hidden"]


@dataclass(frozen=True, slots=True)
class ToggleAllLocked:
    """All nodes are locked in the lesson that is made, or none."""


@dataclass(frozen=True, slots=True)
class OfferTypes:
    """The library of the lesson that is made has the types of the selected nodes; none: all."""


LessonEdit = (
    ChooseTaskKind
    | AddTask
    | RemoveTask
    | MoveTaskUp
    | ToggleInLesson
    | ToggleAllLocked
    | OfferTypes
)
"""Changes of a lesson that is made."""


@dataclass(frozen=True, slots=True)
class Overtook:
    """Another program changed the file that is to be saved; `text` says what is different."""

    rival: Rival
    text: str


@dataclass(frozen=True, slots=True)
class Differed:
    """What differs between two graphs is there to be looked at."""

    both: Both
    title: str


@dataclass(frozen=True, slots=True)
class Routed:
    """Wires have their ways where nodes are now: the scene before, and as it is with them."""

    before: Scene
    after: Scene


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that was asked for could not be done: the reason."""

    text: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that was asked for is done: what came of it."""

    text: str


Message = (
    Moved
    | Pressed
    | Released
    | Wheel
    | Key
    | Typed
    | Chosen
    | Do
    | Place
    | SetValue
    | SetTraining
    | Mistype
    | SetPreference
    | Select
    | Resized
    | Pasted
    | Opened
    | Saved
    | WouldLose
    | DialogCancelled
    | Derived
    | Began
    | Ended
    | RunUpdate
    | ControlRun
    | OpenRun
    | Renewed
    | LessonEdit
    | Failed
    | Noted
    | Offered
    | Reported
    | Overtook
    | Differed
    | Routed
)
