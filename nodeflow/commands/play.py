"""`nodeflow play`: slow motion in the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from nodeflow.commands.graphs import load, working
from nodeflow.commands.options import FiniteRange, file_argument, json_option, read_moment
from nodeflow.commands.output import FAULT, print_json, refuse, say, sentence, state
from nodeflow.engine.schedule import LEVELS, Moment
from nodeflow.errors import ConditionError, RunError

if TYPE_CHECKING:
    from nodeflow.engine.step import Step


_SPEED = 4.0
"""Steps a second in a terminal; who reads them from a pipe is not made to wait."""


@click.command()
@file_argument
@click.option(
    "--speed",
    type=FiniteRange(0),
    help="Steps (or what --level says) a second; 0 is as fast as possible. "
    "[4 in a terminal, otherwise 0]",
)
@click.option("--from", "begin", callback=read_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="The first step to play, counted from 0.")  # fmt: skip
@click.option("--until", callback=read_moment, metavar="EPOCH[:SAMPLE[:NODE]]",
              help="Where to end: before this epoch or sample, after this node.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), help="How many passes to play.")
@click.option("--level", type=click.Choice(LEVELS), default="step", show_default=True,
              help="How far one beat goes.")  # fmt: skip
@click.option("--stop", "stops", multiple=True, metavar="CONDITION",
              help='Stop when this becomes true, such as "cost < 0.01"; may be '
              "repeated.")  # fmt: skip
@click.option("--all", "every", is_flag=True,
              help="Write out every number of a node, not the first alone.")  # fmt: skip
@json_option
def play(
    file: str,
    *,
    speed: float | None,
    begin: str | None,
    until: str | None,
    samples: int | None,
    level: str,
    stops: tuple[str, ...],
    every: bool,
    as_json: bool,
) -> int:
    """Play a graph in slow motion: each node, with its numbers.

    In a terminal it is played by keys, of which ? shows the list; with --speed 0, with --json or
    into a pipe it goes to the end.
    """
    from nodeflow import terminal
    from nodeflow.engine.evaluation import placeholders_of
    from nodeflow.engine.run import Run
    from nodeflow.playback import moments
    from nodeflow.playback.beats import beats
    from nodeflow.playback.player import Player

    with working(file, reading=1, planning=7) as enter:
        enter("reading")
        graph = load(file)
        enter("planning")
        run = Run(graph, strict=not graph.has_placeholders)
    placeholders = placeholders_of(run)
    schedule = run.schedule
    state().streams = True
    if speed is None:
        speed = _SPEED if not as_json and sys.stdout.isatty() else 0.0
    if begin is not None:
        moments.go_before(run, Moment.read(begin))
    end = moments.end_of_training(run) if until is None else schedule.find(Moment.read(until))
    player = Player(run)
    try:
        for text in stops:
            player.stops.add(run, text)
    except ConditionError as error:
        code = refuse(state(), sentence(error), FAULT)
        click.echo(
            "\n".join(f"  {terminal.clean(row)}" for row in error.pointed.splitlines()), err=True
        )
        return code
    last = schedule.number(end)
    if until is not None and last < player.number:
        raise RunError(f"there is nothing to play: {until} comes before {begin}")
    if samples is not None:
        last = min(last, schedule.after_passes(player.number, samples))
    try:
        if speed and not as_json and run.order and terminal.is_interactive():
            terminal.play_live(player, level, speed, last, every=every)
            return _told(placeholders)
        show: Callable[[list[Step]], None] = (
            (lambda steps: print_json(_document(steps[-1], every=every)))
            if as_json
            else terminal.StepPrinter(run, level, every=every)
        )
        clock = time.perf_counter()
        for steps in beats(player, level, last):
            show(steps)
            if speed:
                clock = max(clock + 1 / speed, time.perf_counter())
                time.sleep(max(0.0, clock - time.perf_counter()))
    except KeyboardInterrupt:
        where = f"epoch {run.epoch}, sample {run.sample}"
        raise KeyboardInterrupt(f"playing was interrupted at {where}") from None
    if player.reason:
        say(f"stopped at {player.place}: {player.reason}", bad=False)
    return _told(placeholders)


def _document(step: Step, *, every: bool) -> dict[str, Any]:
    from nodeflow.workings.lines import formulas_of

    return {**step.as_dict(), **({"formulas": formulas_of(step)} if every else {})}


def _told(placeholders: Sequence[str]) -> int:
    """Say what was left out, and return the exit code."""
    for reason in placeholders:
        say(reason)
    return FAULT if placeholders else 0
