"""Slow motion: jumps and steps of a player, what its memory is, and what it costs at full speed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from random import Random
from statistics import median

from benchmarks.harness import Result, Row, Target
from benchmarks.wheat import graph
from nodeflow.derive import explode, unfold
from nodeflow.editor.run.session import Session
from nodeflow.editor.state.runcommands import Reset, Train
from nodeflow.engine.run import Run
from nodeflow.graph import Graph
from nodeflow.nodes.cost import squared_error
from nodeflow.nodes.source import constant, parameter
from nodeflow.nodes.trainer import gradient_descent
from nodeflow.playback.player import Player

_SLICE = 0.025


def run(*, quick: bool = False) -> Result:
    """Play the wheat network, and a run of a million updates."""
    epochs, jumps, steps, long = (20, 20, 20, 2000) if quick else (500, 300, 300, 1_000_000)
    result = Result("playing", f"slow motion over {epochs} epochs")
    made, shown = graph()
    result.title = f"{shown}: {result.title}"
    player = played(made, epochs)
    random = Random(1)
    player.go(random.randrange(player.end))  # not timed
    jump = timed(lambda: player.go(random.randrange(player.end)), jumps)
    player.go(player.end // 2)
    forth, back = timed(player.step, steps), timed(player.back, steps)
    neurons = played(unfold(explode(made)), epochs)
    neurons.go(neurons.end // 2)
    fine_forth, fine_back = timed(neurons.step, steps), timed(neurons.back, steps)
    history = size_of(player.run)
    alone, attached, beside = compared(made, 20 * epochs, rounds=2 if quick else 7)
    peak = peak_of_long_run(long)
    result.rows = [
        Row(f"scrub bar: median of {jumps} jumps", median(jump)),
        Row("scrub bar: the worst", max(jump)),
        Row("a step", median(forth)),
        Row("a step back", median(back)),
        Row("neuron level: a step", median(fine_forth)),
        Row("neuron level: a step back", median(fine_back)),
        Row(f"{20 * epochs} epochs without a player", median(alone)),
        Row("the same, played at full speed", median(attached)),
        Row("the same, in the editor", median(beside)),
        Row("history", text=f"{history / 1e6:.2f} MB"),
        Row(f"{long:,} updates, an epoch each: peak", text=f"{peak / 1e6:.1f} MB"),
    ]
    result.targets = [
        Target("a jump by the scrub bar", 5.0, max(jump) * 1e3, unit=" ms"),
        Target("history", 10.0, history / 1e6, unit=" MB"),
        Target(f"{long:,} updates", 64.0, peak / 1e6, unit=" MB"),
        Target("full speed with a player ÷ without", 1.05, ratio(attached, alone)),
    ]
    result.notes.append("a step back restores, replays the epoch and makes the step before again")
    return result


def played(made: Graph, epochs: int) -> Player:
    """Return a player at the end of so many epochs."""
    player = Player(Run(made))
    full_speed(player, epochs)
    return player


def full_speed(player: Player, epochs: int) -> None:
    """Play to the end of so many epochs as fast as it goes, in slices as a window does."""
    player.play(until=epochs * player.schedule.steps_per_epoch)
    while player.playing:
        player.tick(0.0, _SLICE, full=True)


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Return the seconds that each of so many calls takes."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def size_of(run: Run) -> int:
    """Return the bytes of what a run keeps of its past."""
    return run.checkpoint_bytes + run.history_bytes


def compared(made: Graph, epochs: int, *, rounds: int) -> tuple[list[float], ...]:
    """Return the seconds of a training alone, played, and in the editor's thread, by turns."""
    alone, attached, beside = [], [], []
    session = Session()
    try:
        for _ in range(rounds):
            runs = Run(made), Player(Run(made))
            alone += timed(lambda: runs[0].train(epochs), 1)  # noqa: B023  called at once
            attached += timed(lambda: full_speed(runs[1], epochs), 1)  # noqa: B023
            beside.append(in_thread(session, made, epochs))
    finally:
        session.close()
    return alone, attached, beside


def in_thread(session: Session, made: Graph, epochs: int) -> float:
    """Return the seconds of a training in the editor's thread, which somebody looks at."""
    session.start(made)
    session.do(Reset())
    awaited(session, "still")
    start = time.perf_counter()
    session.do(Train(epochs))
    awaited(session, "done")
    return time.perf_counter() - start


def awaited(session: Session, state: str) -> None:
    """Look sixty times a second until the session is in a state."""
    while True:
        live = session.poll()
        if live is not None and live.state == state:
            return
        time.sleep(1 / 60)


def ratio(some: list[float], others: list[float]) -> float:
    """Return the median of ratios taken pair by pair."""
    return median(a / b for a, b in zip(some, others, strict=True))


def peak_of_long_run(updates: int) -> int:
    """Return the most memory that a run of so many updates takes, an epoch being one update."""
    weight = parameter(value=(0.8,), id="w")
    made = Graph.of(
        gradient_descent(squared_error(weight, constant(value=(0.5,))), rate=1e-7, id="train")
    )
    player = Player(Run(made))
    tracemalloc.start()
    try:
        full_speed(player, updates)
        player.go(player.end // 3)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
