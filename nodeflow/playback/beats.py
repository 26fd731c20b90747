"""The beats of a player, for whoever shows one after the other and does not go back."""

from __future__ import annotations

from collections.abc import Iterator

from nodeflow.engine.step import Step
from nodeflow.playback.player import Player


def end_of_passes(player: Player, passes: int) -> int:
    """Return the moment at which so many passes are over, the present one included.

    A pass is a sample where an update is a loop over samples, otherwise an update.
    """
    run = player.run
    update, row, _ = run.position
    first, samples = run.machine.bounds(update)
    if not run.plan.loop:
        left, update = 0, update + passes
    else:
        left = row - first + passes
        while left >= samples:
            left, update = left - samples, update + 1
            _, samples = run.machine.bounds(update)
    return player.clock.number((update, player.clock.first_row(update) + left, 0))


def beats_until_stopped(player: Player, level: str, until: int) -> Iterator[list[Step]]:
    """Yield the steps of each beat to the moment `until`; an epoch's beat has its last step only.

    Ends earlier where a stop of the player is met: then its `reason` says which.
    """
    clock = player.clock
    while player.number < until and not player.reason:
        goal = min(clock.after(level, player.number), until)
        steps: list[Step] = []
        while player.number < goal and not player.reason:
            player.advance(goal if level == "epoch" else player.number + 1)
            if player.last is not None:
                steps.append(player.last)
        yield steps
