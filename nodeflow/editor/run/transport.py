"""What the transport does with a run: train, play, step, go anywhere, stand; and ask beforehand.

Time passes in slices, so that a command never waits long. What goes wrong in the run is its
`problem`; it raises an error only for a command that cannot be meant, such as a speed of 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nodeflow.editor.run.runs import learns, sentence, why_untrained
from nodeflow.editor.run.telling import Shown
from nodeflow.graph import Graph

if TYPE_CHECKING:
    from nodeflow.editor.state.live import Live, RunState
    from nodeflow.playback.player import Player
    from nodeflow.playback.predicting import Mark

_SLICE = 0.025
"""Seconds of training between two looks at the commands."""


class Transport:
    """A player that is started, paced, stepped and stopped as a person asks for it."""

    def __init__(self) -> None:
        self.graph: Graph | None = None
        self.player: Player | None = None
        self.state: RunState = "still"
        self.problem = ""
        self.shown = Shown()
        self._target = 0
        """The number of the moment at which it ends."""
        self._at_target: RunState = "done"
        self._jumped = False
        """Whether it came here at full speed, and not by steps that somebody follows."""
        self._clock = 0.0
        self._next_frame = 0.0
        self._live: Live | None = None
        """What the run holds, until it is touched."""

    @property
    def running(self) -> bool:
        """Whether time matters to it."""
        return self.state in ("training", "playing")

    def _touched(self) -> None:
        self._live = None

    def train(self, epochs: float | None) -> None:
        """Set out to train at full speed."""
        player = self.player
        if player is None or not learns(player.run):
            self.problem = self.problem or why_untrained(None if player is None else player.run)
            return
        self.problem = ""
        run, per_epoch = player.run, player.schedule.steps_per_epoch
        if epochs is None and player.number < self._target:
            epochs = 0  # the training that was paused has its end
        elif epochs is None:
            epochs = run.graph.training.epochs if self.graph is None else self.graph.training.epochs
        if epochs:
            ahead = min(run.epoch + epochs, 1e12)
            self._target = int(ahead) * per_epoch
        self._go_on(math.inf)

    def play(self, speed: float | None) -> None:
        """Set out to play in slow motion, at so many steps a second."""
        player = self.player
        if player is None or not player.run.order:
            self.problem = self.problem or why_untrained(None if player is None else player.run)
            return
        if speed is not None and speed != math.inf:  # what was slow stays so after full speed
            player.speed = speed
        self.problem = ""
        if player.number >= self._target:
            epochs = max(player.run.graph.training.epochs, 1)
            self._target = (player.run.epoch + epochs) * player.schedule.steps_per_epoch
        self._go_on(player.speed if speed is None else speed)

    def _go_on(self, speed: float) -> None:
        player = self.player
        if player is None:
            return
        self._at_target = "done"
        self.shown.mark = self.shown.question = None
        self._jumped = speed == math.inf
        self._touched()
        if player.number >= self._target:
            self.state = "done"
            return
        self.state = "playing" if speed < math.inf else "training"
        player.play(until=self._target)
        self._clock = time.perf_counter()

    def pause(self) -> None:
        """Stand still; the end of the training is remembered."""
        if self.running:
            self._stand("paused")
            self._ask()

    def _stand(self, state: RunState) -> None:
        self.state = state
        if self.player is not None:
            self.player.pause()
        self._touched()

    def set_speed(self, speed: float) -> None:
        """Play at so many steps a second from now on."""
        if self.player is not None:
            self.player.speed = speed
            if self.running:
                self.state = "playing" if speed < math.inf else "training"
                self._jumped = speed == math.inf
            self._touched()

    def step(self, level: str) -> None:
        """Go on by one step of a level."""
        player = self.player
        if player is None:
            return
        if level == "epoch" and learns(player.run):
            # In slices, so that it can be paused as well.
            self._target = player.schedule.after("epoch", player.number)
            self._go_on(math.inf)
            self._at_target = "paused"
            return
        self._jumped = False
        self._do(lambda: player.step(level))

    def back(self, level: str) -> None:
        """Go back by one step of a level."""
        if self.player is not None:
            player = self.player
            self._jumped = False
            self._do(lambda: player.back(level))

    def go(self, where: int | str) -> None:
        """Go to a moment."""
        if self.player is not None:
            player = self.player
            self._do(lambda: player.go(where))
            self._jumped = player.schedule.begins("epoch", player.run.position)

    def _do(self, what: Callable[[], object]) -> None:
        """Do something with the player, and stand still after it."""
        self._stand("paused")
        self.problem, self.shown.mark, self.shown.question = "", None, None
        try:
            what()
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.problem = sentence(error)
        self._ask()

    def passed(self) -> bool:
        """Let time pass; return whether it is time to tell of it."""
        player = self.player
        if player is None:
            self.state = "still"
            return True
        now = time.perf_counter()
        seconds, self._clock = now - self._clock, now
        try:
            moved = player.tick(seconds, _SLICE, full=self.state == "training")
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            self.problem = sentence(error)
            self._stand("paused")
            return True
        if moved:
            self._touched()
        if not player.playing:
            at_end = player.number >= self._target
            self._stand(self._at_target if at_end else "paused")
            if not at_end and player.failed:
                self.problem = player.reason
            self._ask()
            return True
        return moved and time.perf_counter() >= self._next_frame

    @property
    def wait(self) -> float:
        """How many seconds there is nothing to do."""
        player = self.player
        if self.state != "playing" or player is None:
            return 0.0
        return min(player.due_in, 1 / 30)

    # -- asking what comes out

    def predict(self) -> None:
        """Turn on or off that it stops before nodes to ask for their values."""
        from nodeflow.playback.stops import ASKED

        if self.player is not None:
            self.player.stops.asking = not self.player.stops.asking
            if self.player.reason == ASKED:
                self.player.reason = ""
            self.shown.mark = None
            self._ask()
            self._touched()

    def answer(self, text: str) -> None:
        """Mark a prediction by the step that reveals it; what cannot be read is asked again."""
        player, question = self.player, self.shown.question
        if player is None or question is None:
            return
        mark: Mark | None = None

        def reveal() -> None:
            nonlocal mark
            step = player.step()
            if step is not None:
                mark = question.mark(text, step)

        self._do(reveal)
        if mark is not None and mark.given is None:
            self._do(player.back)
        self.shown.mark = mark

    def _ask(self) -> None:
        """Ask about the next node, if that is wanted."""
        from nodeflow.playback.predicting import ask, worth_asking

        player = self.player
        self.shown.question = None
        if player is not None and player.stops.asking and not self.running:
            run = player.run
            if run.order and worth_asking(run, run.node):
                self.shown.question = ask(run)
