"""Commands to one session from four threads, right ones and wrong ones: it answers to the end."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

from nodeflow.editor.run.session import Session
from nodeflow.editor.state.runcommands import (
    AddCondition,
    Back,
    CompareFuture,
    Go,
    LoopPlayback,
    Pause,
    Play,
    RunCommand,
    SetSpeed,
    Step,
    Switch,
    ToggleStop,
    Train,
    Watch,
    in_words,
)
from nodeflow.files import load
from torture.report import Report

GRAPHS = Path(__file__).parent.parent / "graphs"
_PATIENCE = 600.0
"""Seconds for three epochs after it: many other programs may run as well."""
_NAMES = ("xor", "iris", "one-neuron", "mazur", "two-weights-unfolded")


def _command(dice: random.Random) -> RunCommand:
    number = dice.choice((-5, -1, 0, 1, 2, 7, 10**12))
    return dice.choice(
        [
            Train(dice.choice((None, 1, 5))),
            Play(dice.choice((None, 0.0, -1.0, 30.0, float("nan")))),
            SetSpeed(dice.choice((0.0, -3.0, 100.0, float("inf")))),
            Step(dice.choice(("step", "sample", "update", "epoch", "nonsense"))),
            Back(dice.choice(("step", "phase", "epoch", "nonsense"))),
            Go(dice.choice((number, "1:2", "nonsense", ""))),
            ToggleStop(dice.choice(("hidden", "gone", ""))),
            AddCondition(dice.choice(("cost < 0.1", "((", "gone.z > 1", ""))),
            LoopPlayback(dice.choice(("sample", None, "nonsense"))),
            Watch(dice.choice(("hidden.z", "gone", ""))),
            Switch(number),
            CompareFuture(number),
        ]
    )


def told(seconds: float, *, seed: int = 0) -> Report:
    """Send commands for so long; at the end the session trains as if nothing had been."""
    report = Report("commands from four threads")
    session = Session()
    graphs = [load(GRAPHS / f"{name}.json") for name in _NAMES]
    session.open(graphs[0])
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        dice = random.Random(f"{seed}:{number}")
        while time.monotonic() < end:
            command = _command(dice)
            try:
                match dice.randrange(20):
                    case 0:
                        session.open(dice.choice(graphs))
                    case 1:
                        session.do(Pause())
                    case 2:
                        session.poll()
                    case _:
                        session.do(command)
            except Exception as error:  # noqa: BLE001  this is what is looked for
                report.raised(in_words(command), error, f"{seed}:{number} {command}")
            report.count("commands")
            time.sleep(dice.random() * 0.004)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _still_works(session, graphs[0], report)
    session.close()
    return report


def _still_works(session: Session, graph: Any, report: Report) -> None:
    session.open(graph)
    session.do(SetSpeed(float("inf")))
    session.do(Train(3))
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        live = session.poll()
        if live is not None and live.epoch >= 3 and live.state in ("done", "paused"):
            report.count("trainings at the end")
            return
        time.sleep(0.02)
    report.fault("the session does not answer any more", "after the last command")
