"""Commands and the editor's first Play, beside the build before: with empty caches and with warm.

What counts is processor time, with that of all children: a compiler in another process, or a
second core, makes nothing cheaper. Nothing may outlive its command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.builds import NEW, OLD, Build, Failed, Measured, builds
from benchmarks.harness import Result, Row, Target, in_turns, ratio, ratios, spread

_PLAY = "play graphs/one-neuron.json --samples 1"
Job = Callable[[Build, bool], Measured]
"""A job done by a build, with an empty cache of machine code or a warm one."""


def _command(graph: str, *words: str) -> Job:
    """Return a job of the command `nodeflow`; the graph stands behind the first word."""
    name, *rest = words
    return lambda build, cold: build.run(
        "-m", "nodeflow", name, str(build.graphs / graph), *rest, cold=cold
    )


def _editor(build: Build, cold: bool) -> Measured:
    return build.inside("editor", build.graphs / "xor.json", cold=cold)


# At full speed: `--speed` only adds waiting, of which no processor knows.
JOBS: dict[str, Job] = {
    _PLAY: _command("one-neuron.json", "play", "--samples", "1", "--speed", "0"),
    "train graphs/xor.json": _command("xor.json", "train"),
    "train graphs/wheat-seeds.json": _command("wheat-seeds.json", "train"),
    "the editor's first Play on xor, to the end of an epoch": _editor,
}


def run(*, quick: bool = False) -> Result:
    """Run the commands in turns: this build, the one before, this build, …."""
    result = Result("commands", "processor time of commands with all their children")
    with builds(result.notes) as both:
        if quick:  # the build before compiles for a quarter of a minute each time
            del both[1:]
        for name, job in JOBS.items():
            try:
                _measure(result, both, name, job, quick=quick)
            except Failed as reason:
                result.notes.append(f"not measured: {reason}")
    return result


def _measure(result: Result, both: list[Build], name: str, job: Job, *, quick: bool) -> None:
    outlived = 0

    def once(build: Build, cold: bool) -> float:
        nonlocal outlived
        measured = job(build, cold)
        if build.name == NEW:
            outlived += len(measured.outlived)
        return measured.processor

    for build in both:
        once(build, False)  # not counted: bytecode and the warm cache are made
    for cold in (True, False):
        rounds = (1 if quick else 3) if cold else (2 if quick else 7)
        times = in_turns({build.name: partial(once, build, cold) for build in both}, rounds)
        shown = f"{'empty' if cold else 'warm'} cache: {name}"
        result.rows += [
            Row(f"{shown}, {build}", median(own), ratio(times, build, NEW))
            for build, own in times.items()
        ]
        target = _target(shown, times, cold, name == _PLAY)
        if target is not None:
            result.targets.append(target)
    text = f"processes that outlive {name}"
    result.targets.append(Target(text, 0, outlived, unit=""))


def _target(shown: str, times: dict[str, list[float]], cold: bool, play: bool) -> Target | None:
    if OLD not in times:
        return None
    if not (cold or play):
        return None
    limit = (12 if play else 5) if cold else 2
    found = ratios(times, OLD, NEW)
    target = Target(
        f"{shown}: {OLD} over this build", limit, ratio(times, OLD, NEW), min(found),
        at_most=False, spread=spread(found),
    )  # fmt: skip
    if play:
        return target.hoping_for(1.0 if cold else 0.35, measured=median(times[NEW]), unit=" s")
    return target.hoping_for(12)
