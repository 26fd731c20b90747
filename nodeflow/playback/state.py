"""What a view shows of a player: all of it is data, and stays as it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from nodeflow.engine.step import Step
    from nodeflow.graph import Graph
    from nodeflow.playback.predicting import Mark, Question


COST, TRAIN_ACCURACY, TEST_COST, TEST_ACCURACY = range(4)
"""The columns of a history."""


@dataclass(frozen=True, slots=True)
class Future:
    """A line of the player: what was changed to make it, where it begins, how far it is known."""

    what: str
    begin: int
    reach: int
    per_epoch: int = 0
    """Steps an epoch, where it is of another graph and has others; 0 for as many as all."""


@dataclass(frozen=True, slots=True)
class ConditionFault:
    """A condition that was not taken: what was typed, where reading stopped, and why."""

    text: str
    position: int
    """Counted from 0; the length of the text, if something is missing at its end."""
    sentence: str


@dataclass(frozen=True, eq=False)
class Playback:
    """Where a player stands, and what led there. Moments are numbers of steps from the start."""

    number: int = 0
    end: int = 0
    per_epoch: int = 1
    """Steps an epoch."""
    update: tuple[int, int] = (0, 1)
    """The moments at which the present update begins and ends."""
    phases: tuple[tuple[str, int, int], ...] = ()
    """The phases of the pass that led here: name, the moments of beginning and end."""
    place: str = ""
    moment: str = "0"
    """The moment that is next, as it is typed."""
    next: str = ""
    """The node that is evaluated next."""
    playing: bool = False
    speed: float = 4.0
    looped: str | None = None
    reason: str = ""
    """Why it stopped here."""
    step: Step | None = None
    """The step that led here."""
    old: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """What stood at the outputs of that step's node before, by port."""
    formulas: tuple[str, ...] = ()
    """The formula of the step with its numbers, a line for each number of the output."""
    remark: str = ""
    """What the step did, in one sentence."""
    log: tuple[tuple[int, Step], ...] = ()
    predicting: bool = False
    """Whether it stops to ask before each node."""
    breakpoints: frozenset[str] = frozenset()
    conditions: tuple[str, ...] = ()
    condition_fault: ConditionFault | None = None
    """The condition that was typed last, if it was not taken."""
    futures: tuple[Future, ...] = ()
    future: int = 0
    """Which of them is the present one."""
    past: tuple[Future, ...] = ()
    """What was trained with other graphs, and can be returned to; numbered after the futures."""
    returned: tuple[Graph, Graph] | None = None
    """After a return to a future: the graph that was left, and the one that this future has."""
    compared: int | None = None
    differences: Mapping[str, float] = field(default_factory=dict)
    """By address: the largest difference to the future that is compared with."""
    watched: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By address: a row of its first numbers for each of the last updates, the newest last."""
    watch_fault: str = ""
    """Why the port that was asked for last is not watched."""
    forward_of: Mapping[str, str] = field(default_factory=dict)
    """By the address where a gradient stands: the address whose gradient it is."""
    owner_of: Mapping[str, str] = field(default_factory=dict)
    """By the node of a gradient: the node whose gradient it computes."""
    question: Question | None = None
    """What is to be predicted before it goes on."""
    mark: Mark | None = None
    """How the last prediction was."""

    @property
    def phase(self) -> str:
        """The phase of the step that led here: forward, backward, update or nothing."""
        return "" if self.step is None else self.step.phase

    @property
    def node(self) -> str:
        """The node that was just evaluated."""
        return "" if self.step is None else self.step.node
