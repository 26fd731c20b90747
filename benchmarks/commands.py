"""Commands and the editor's first Play, beside the build before: with empty caches and with warm.

What counts is processor time, with that of all children: a compiler in another process, or a
second core, makes nothing cheaper. Nothing may outlive its command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.builds import NEW, OLD, Build, Failed, Measured, builds
from benchmarks.harness import Result, Row, Target, in_turns, ratio, ratios, spread
from nodeflow.engine.run import Run
from nodeflow.errors import DataError
from nodeflow.files import load

GRAPHS = Path(__file__).parent.parent / "graphs"

_WHEAT = "train graphs/wheat-seeds.json"
_PLAY = "play graphs/one-neuron.json --samples 1"
Job = Callable[[Build, str], Measured]
"""A job done by a build, with an empty or a warm cache of machine code."""


def _command(file: str, *words: str) -> Job:
    """Return a job of the command `nodeflow`; the graph's file stands behind the first word."""
    name, *rest = words
    return lambda build, cache: build.run(
        "-m", "nodeflow", name, str(build.graphs / file), *rest, cold=cache == "empty"
    )


def _editor(build: Build, cache: str) -> Measured:
    return build.inside("editor", build.graphs / "xor.json", cold=cache == "empty")


# At full speed: `--speed` only adds waiting, of which no processor knows.
JOBS: dict[str, Job] = {
    _PLAY: _command("one-neuron.json", "play", "--samples", "1", "--speed", "0"),
    "train graphs/xor.json": _command("xor.json", "train"),
    _WHEAT: _command("wheat-seeds.json", "train"),
    "the editor's first Play on xor, to the end of an epoch": _editor,
}

_LIMITS = {("empty", True): (12, 1.0), ("empty", False): (5, 12), ("warm", True): (2, 0.35)}
"""By cache, and whether it is `play`: how many times the old build must take as long, and what is
hoped for: as many times or, where it is less, seconds."""


def run(*, quick: bool = False) -> Result:
    """Run the commands in turns: this build, the one before, this build, …."""
    result = Result("commands", "processor time of commands with all their children")
    with builds(result.notes, quick=quick) as both:
        for name, job in JOBS.items():
            try:
                if name == _WHEAT:
                    Run(load(GRAPHS / "wheat-seeds.json"))  # its data must be fetched
                _measure(result, both, name, job, quick=quick)
            except DataError as why:
                result.notes.append(f"skipped: {name}: {why}")
            except Failed as reason:
                result.disagreements.append(f"not measured: {reason}")
    return result


def _measure(result: Result, both: list[Build], name: str, job: Job, *, quick: bool) -> None:
    outlived = 0

    def once(build: Build, cache: str) -> float:
        nonlocal outlived
        measured = job(build, cache)
        if build.name == NEW:
            outlived += len(measured.outlived)
        return measured.processor

    for build in both:
        once(build, "warm")  # not counted: bytecode and the warm cache are made
    for cache, rounds in (("empty", 1 if quick else 2), ("warm", 2 if quick else 7)):
        times = in_turns({build.name: partial(once, build, cache) for build in both}, rounds)
        shown = f"{cache} cache: {name}"
        result.rows += [
            Row(f"{shown}, {build}", median(own), ratio(times, build, NEW))
            for build, own in times.items()
        ]
        if OLD in times and (limit := _LIMITS.get((cache, name == _PLAY))):
            result.targets.append(_target(shown, times, limit))
    text = f"processes that outlive {name}"
    result.targets.append(Target(text, 0, outlived, unit=""))


def _target(shown: str, times: dict[str, list[float]], limits: tuple[float, float]) -> Target:
    limit, hoped = limits
    found = ratios(times, OLD, NEW)
    target = Target(
        f"{shown}: {OLD} over this build", limit, ratio(times, OLD, NEW), min(found),
        at_most=False, spread=spread(found),
    )  # fmt: skip
    if hoped > limit:
        return target.hoping_for(hoped)
    return target.hoping_for(hoped, measured=median(times[NEW]), unit=" s")
