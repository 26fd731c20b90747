"""What the run of an editor can be asked to do: a closed set of plain values.

`Worker.do` answers each of them. They are made by commands, panels and buttons, go through the
session's queue in their order, and hold nothing but data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nodeflow.editor.state.kept import SavedTraining
from nodeflow.graph import Graph

# --- the graph ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """Show the graph of another document: nothing of the run before is kept."""

    graph: Graph


@dataclass(frozen=True, slots=True)
class Start:
    """Show another graph, going on with the run if that can be; `what` names the change."""

    graph: Graph
    what: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the training that a run file holds."""

    offer: SavedTraining


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Put values into parameters at this moment: another future begins.

    The graph is the same `after` it as `before`, but another object.
    """

    weights: Mapping[str, Any]
    what: str
    before: Graph
    after: Graph


# --- going --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Train:
    """Train at full speed: so many epochs more, with `math.inf` until paused.

    Without a number: to the end of a training that was paused, else the graph's epochs.
    """

    epochs: float | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Play in slow motion, at so many steps a second; None keeps the speed."""

    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still; the end of the training is remembered."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Go back to the start: the weights of the graph, no history."""


@dataclass(frozen=True, slots=True)
class Step:
    """Go on by one step (a node), phase, sample, update or epoch."""

    level: str = "step"


@dataclass(frozen=True, slots=True)
class Back:
    """Go back by one step, phase, sample, update or epoch."""

    level: str = "step"


@dataclass(frozen=True, slots=True)
class Go:
    """Go to a moment: its number, or EPOCH[:SAMPLE[:NODE]]."""

    where: int | str


@dataclass(frozen=True, slots=True)
class LoopPlayback:
    """Play the present sample, update, … over and over; None ends that."""

    level: str | None


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Play at so many steps a second from now on."""

    speed: float


# --- stops, futures and questions ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToggleStop:
    """Set a breakpoint at a node or a wire, or take it away."""

    what: str


@dataclass(frozen=True, slots=True)
class AddCondition:
    """Stop when a condition becomes true."""

    text: str


@dataclass(frozen=True, slots=True)
class ForgetCondition:
    """Take a condition away."""

    text: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Show or hide the last values of a port; a node stands for its first."""

    address: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Go over to another future."""

    line: int


@dataclass(frozen=True, slots=True)
class CompareFuture:
    """Show the differences to another future; None hides them."""

    line: int | None


@dataclass(frozen=True, slots=True)
class Predict:
    """Turn on or off that it stops before nodes to ask for their values."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Mark a prediction by the step that reveals it."""

    text: str


# --- reports, checks and lessons ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExplainChange:
    """Report which samples moved a parameter."""

    node: str


@dataclass(frozen=True, slots=True)
class ExplainVanishingBlame:
    """Report at which saturated nodes blame all but vanishes."""


@dataclass(frozen=True, slots=True)
class ShowCheck:
    """Show the outcome of a gradient check, if it is still of this graph."""

    graph: Graph
    checks: Mapping[str, str]
    price: str
    problem: str


@dataclass(frozen=True, slots=True)
class BeginLesson:
    """Begin the lesson in a graph."""

    graph: Graph


@dataclass(frozen=True, slots=True)
class EndLesson:
    """Leave the lesson, done or not."""


@dataclass(frozen=True, slots=True)
class AnswerTask:
    """Have an answer to the present task of the lesson marked."""

    text: str


@dataclass(frozen=True, slots=True)
class SkipTask:
    """Leave the present task undone."""


@dataclass(frozen=True, slots=True)
class UnlockNode:
    """Lift the lesson's lock of a node."""

    node: str


TaskCommand = AnswerTask | SkipTask | UnlockNode
"""What is for the lesson alone."""

RunCommand = (
    Open
    | Start
    | Resume
    | SetWeights
    | Train
    | Play
    | Pause
    | Reset
    | Step
    | Back
    | Go
    | LoopPlayback
    | SetSpeed
    | ToggleStop
    | AddCondition
    | ForgetCondition
    | Watch
    | Switch
    | CompareFuture
    | Predict
    | Answer
    | ExplainChange
    | ExplainVanishingBlame
    | ShowCheck
    | BeginLesson
    | EndLesson
    | TaskCommand
)


def in_words(command: RunCommand) -> str:
    """Return what a command is called in a sentence: `SetSpeed` is "set speed"."""
    return re.sub(r"\B(?=[A-Z])", " ", type(command).__name__).lower()
