"""The beats of a player, for whoever shows one after the other and does not go back."""

from __future__ import annotations

from collections.abc import Iterator

from nodeflow.engine.step import Step
from nodeflow.playback.player import Player


def beats(player: Player, level: str, until: int) -> Iterator[list[Step]]:
    """Yield the steps of each beat to the moment `until`; an epoch's beat has its last step only.

    The last beat may be cut off. Ends earlier where a stop of the player is met: then its `reason`
    says which.
    """
    schedule = player.schedule
    while player.number < until and not player.reason:
        goal = min(schedule.after(level, player.number), until)
        steps: list[Step] = []
        while player.number < goal and not player.reason:
            player.advance(goal if level == "epoch" else player.number + 1)
            if player.last is not None:
                steps.append(player.last)
        yield steps
