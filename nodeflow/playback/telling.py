"""How a player stands, told as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.explain import explain, remark
from nodeflow.playback.player import Player
from nodeflow.playback.state import Future, Playback

_LINES = 8
"""A matrix has a formula for each of its numbers: the most that are shown."""


def state_of(player: Player, *, brief: bool = False, **more: Any) -> Playback:
    """Return how a player stands. A `brief` one, for full speed, tells nothing of the step."""
    run, schedule = player.run, player.schedule
    update = run.update
    begin = schedule.number(schedule.start(update))
    told: dict[str, Any] = {}
    log = () if brief else tuple(player.log())  # some of its steps may be made again
    step = player.last
    if not brief and step is not None:
        told = {
            "step": step,
            "old": player.old,
            "formulas": tuple(line.text for line in explain(run, step, most=_LINES).lines),
            "remark": remark(run, step),
            "log": log,
        }
    forward_of, owner_of = _owners(run)
    return Playback(
        number=player.number,
        end=player.end,
        per_epoch=max(schedule.steps_per_epoch, 1),
        update=(begin, begin + schedule.steps(update)),
        phases=schedule.phase_spans(player.number),
        place=player.place,
        moment=str(Moment(run.epoch, run.sample, run.node if run.position.place else None)),
        next=run.node if run.order else "",
        playing=player.playing,
        speed=player.speed,
        looped=player.looped,
        reason=player.reason,
        predicting=player.stops.asking,
        breakpoints=player.stops.breakpoints,
        conditions=tuple(player.stops.conditions),
        futures=tuple(
            Future(line.what, player.begin_of(line), line.reach) for line in player.lines
        ),
        future=player.lines.index(player.line),
        forward_of=forward_of,
        owner_of=owner_of,
        **told,
        **more,
    )


_OWNERS: WeakKeyDictionary[Run, tuple[dict[str, str], dict[str, str]]] = WeakKeyDictionary()


def _owners(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Return which gradient stands where in the unfolded graph, and whose nodes those are."""
    if run not in _OWNERS:
        _OWNERS[run] = _found_owners(run)
    return _OWNERS[run]


def _found_owners(run: Run) -> tuple[dict[str, str], dict[str, str]]:
    unfolding = run.plan.unfolding
    forward = {source: address for address, source in unfolding.gradients.items()}
    owners = {source.rpartition(".")[0]: a.rpartition(".")[0] for source, a in forward.items()}
    graph = run.plan.graph
    for key in graph.updates:
        for wire in graph.out_of(key):
            if graph.feeds_back(wire):
                owners[key] = wire.target
    return forward, owners


def sparklines(player: Player, addresses: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return, by port, its last values as rows of numbers; those of another size are left out."""
    return {
        address: np.array([value for value in values if value.size == values[-1].size])
        for address, values in player.watched(addresses).items()
    }
