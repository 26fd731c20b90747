"""What is known of the run in the background: a value that its thread made, and nobody changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from nodeflow.playback.state import Playback

if TYPE_CHECKING:
    from nodeflow.lessons import Progress

NO_FAULTS: Mapping[str, str] = MappingProxyType({})
RunState = Literal["preparing", "still", "training", "playing", "paused", "done"]
"""How a run is: training is at full speed, playing in slow motion."""


@dataclass(frozen=True)
class Report:
    """A report that was asked for: of a node, or of the network where there is none."""

    node: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Live:
    """What the run in the background last told: all of it is data, and read-only."""

    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """By address: the last value of each port."""
    gradients: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    state: RunState = "still"
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
    """By node that this pass has not evaluated yet: where its value is from ("from sample 1")."""
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
    """The report that was asked for last: each is another value."""
    memory: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """All that training goes on from: weights, velocities and times, by address."""
    reached: Mapping[str, Any] = field(default_factory=dict)
    """How far the run has come, as its run file says it."""
    samples: tuple[int, int] = (1, 1)
    """The number n of rows of the present update, and of the one whose values are still there."""

    lesson: Progress | None = None
    """How far somebody has come in the lesson of the graph."""

    def age(self, address: str) -> str:
        """Return where a port's value is from, "" if the present pass has it."""
        return self.ages.get(address.rpartition(".")[0], "")

    @property
    def of_this_pass(self) -> dict[str, NDArray[Any]]:
        """The values that the present pass has evaluated, and those that no pass changes."""
        return {address: value for address, value in self.values.items() if not self.age(address)}


NO_RUN = Live()
"""What is known before a run has told anything."""
