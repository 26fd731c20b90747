"""Reports on a run that somebody asks for: why a weight changed, where blame dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nodeflow.editor.state.live import Report
from nodeflow.errors import RunError

if TYPE_CHECKING:
    from nodeflow.playback.player import Player

_LATELY = 10
"""How many epochs back a change of a weight is explained."""
_REASONS = 12


def why_it_changed(player: Player, node: str) -> Report:
    """Tell which samples moved a parameter's number that changed most lately.

    Raises `RunError` where nothing has changed.
    """
    from nodeflow.explain.tracing import why

    run, address = player.run, f"{node}.value"
    last, number = run.epoch, player.number
    first = max(last - _LATELY, run.schedule.epoch(run.born))
    if first == last:
        raise RunError("nothing has changed yet: train an epoch first", node=node)
    if address not in run.weights:
        raise RunError(f"'{node}' has no weight that is trained", node=node)
    try:
        run.goto(epoch=last)
        after = run.weights[address]
        run.goto(epoch=first)
        moved = np.abs(after - run.weights[address])
    finally:
        run.seek(run.schedule.position(number))
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(moved)), moved.shape))
    found = why(run, address, index, (first, last))
    return Report(node, "Why it changed", tuple(found.sentences()))


def where_it_dies(player: Player) -> Report:
    """Tell where blame dies in the network, with the numbers of the present pass."""
    from nodeflow.explain.saturation import where_blame_dies

    run, number = player.run, player.number
    apart = run.fork()  # with numbers of one pass alone
    run.seek(run.schedule.position(number))
    apart.evaluate()
    found = where_blame_dies(apart)
    lines = tuple(reason.text for reason in found[:_REASONS])
    more = len(found) - _REASONS
    lines += (f"and {more} more",) if more > 0 else ()
    said = lines or ("blame comes through every neuron",)
    return Report("", f"Where blame dies, after {player.run.epoch} epochs", said)
