"""The harness: races in rounds, ratios, targets, tables.

A shared machine is never equally fast for long, so all contestants take their turns, A B C, A B C,
…. A ratio is the median of one's times over the median of the other's; the rounds' own ratios tell
the least one, and how far they lie apart.
"""

from __future__ import annotations

import gc
import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from statistics import median, quantiles
from typing import Any

_PAUSE = 0.02
"""Seconds between turns, so that nothing of the last contestant is still at work."""
_STEADY = 1.5
"""Where the ratios' upper quartile is more than so many times the lower one, nothing is said."""
Times = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Contestant:
    """One way to do the job: `make` prepares (not timed), `work` does it (timed)."""

    name: str
    make: Callable[[], Any]
    work: Callable[[Any], object]
    share: float = 1.0
    """The part of the job that `work` does; its time is divided by it."""

    @property
    def label(self) -> str:
        """The name, with the part of the job that was done."""
        return self.name if self.share == 1 else f"{self.name} (1/{1 / self.share:g}, scaled)"


@dataclass(frozen=True)
class Row:
    """A line of a benchmark's table."""

    name: str
    seconds: float | None = None
    ratio: float | None = None
    """The median of this contestant's times over the median of nodeflow's."""
    least: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Target:
    """A figure that is wanted, and the figure that was measured."""

    text: str
    limit: float
    measured: float
    least: float | None = None
    at_most: bool = True
    unit: str = "×"
    spread: float = 1.0
    """Upper quartile of the rounds' ratios over the lower one."""
    reach: Target | None = None
    """What is hoped for beyond the target, where that is not the same figure."""

    @property
    def ok(self) -> bool | None:
        """Whether the median meets the target; None where the rounds differ too much to tell."""
        if self.spread > _STEADY:
            return None
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    @property
    def bound(self) -> str:
        """The limit, as it is shown."""
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g}{self.unit}"

    @property
    def found(self) -> str:
        """The figure that was measured, as it is shown."""
        return f"{number(self.measured)}{self.unit}"

    @property
    def state(self) -> str:
        """Whether the target is met, as it is shown."""
        if self.ok is None:
            return f"UNSTEADY (quartiles {number(self.spread)}× apart): not decided"
        return "ok" if self.ok else "missed"

    def hoping_for(
        self, limit: float, *, measured: float | None = None, unit: str | None = None
    ) -> Target:
        """Return the target with a further one: of the same figure, or of seconds instead."""
        if measured is None:
            return replace(self, reach=replace(self, limit=limit))
        return replace(self, reach=Target(self.text, limit, measured, unit=unit or self.unit))

    def __str__(self) -> str:
        least = "" if self.least is None else f" (min {number(self.least)})"
        shown = f"{self.text}: {self.bound} → {self.found}{least} {self.state}"
        if self.reach is not None:
            other = "" if self.reach.found == self.found else f" → {self.reach.found}"
            shown += f"; reach for {self.reach.bound}{other} {self.reach.state}"
        return shown


@dataclass
class Result:
    """What a benchmark found."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    """Sentences; any of them makes the command fail."""

    @property
    def agreed(self) -> bool:
        """Whether all contestants came to the same numbers."""
        return not self.disagreements

    def add_race(self, contestants: Sequence[Contestant], times: Times, base: str) -> None:
        """Add a row for each contestant, with its ratio against `base`."""
        for contestant in contestants:
            own = times[contestant.name]
            found = ratios(times, contestant.name, base)
            self.rows.append(
                Row(contestant.label, median(own), ratio(times, contestant.name, base), min(found))
            )

    def add_target(
        self, text: str, limit: float, times: Times, over: str, under: str, *,
        at_most: bool = True, reach: float | None = None,
    ) -> None:  # fmt: skip
        """Add a target for the ratio of two contestants' times."""
        found = ratios(times, over, under)
        target = Target(
            text, limit, ratio(times, over, under), min(found), at_most, spread=spread(found)
        )
        self.targets.append(target if reach is None else target.hoping_for(reach))

    def agree(self, what: str, wanted: Any, found: Any, tolerance: float) -> None:
        """Note a disagreement where numbers differ by more than `tolerance`, relatively."""
        off = difference(wanted, found)
        if not off <= tolerance:
            self.disagreements.append(
                f"{self.name}: {what} is off by {off:.1e}; {tolerance:.0e} is allowed"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "rows": [asdict(row) for row in self.rows],
            "targets": [_target_as_json(target) for target in self.targets],
            "notes": self.notes,
            "disagreements": self.disagreements,
        }


def _target_as_json(target: Target) -> dict[str, Any]:
    reach = None if target.reach is None else _target_as_json(target.reach)
    return {**asdict(target), "ok": target.ok, "reach": reach}


def race(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Let everybody take a turn in each round, and return the seconds by name.

    An untimed turn comes first. The order turns by one place a round, so that nobody always
    follows the same neighbour.
    """
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number_of_round in range(-1, rounds):
        shift = number_of_round % len(contestants)
        for contestant in [*contestants[shift:], *contestants[:shift]]:
            state = contestant.make()
            seconds = timed(lambda c=contestant, s=state: c.work(s))  # type: ignore[misc]
            if number_of_round >= 0:
                times[contestant.name].append(seconds / contestant.share)
    return times


def in_turns(work: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call everybody in each round, A B, A B, …; return what they said they took, by name."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, one in work.items():
            times[name].append(one())
    return times


def timed(work: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds, without garbage collection in between."""
    time.sleep(_PAUSE)
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def ratio(times: Times, over: str, under: str) -> float:
    """Return the median of one's times over the median of another's."""
    return median(times[over]) / median(times[under])


def ratios(times: Times, over: str, under: str) -> list[float]:
    """Return a ratio of times for each round."""
    return [a / b for a, b in zip(times[over], times[under], strict=True)]


def spread(found: Sequence[float]) -> float:
    """Return the upper quartile over the lower one."""
    if len(found) < 2:
        return 1.0
    low, _, high = quantiles(found, n=4, method="inclusive")
    return high / low


def difference(wanted: Any, found: Any) -> float:
    """Return the largest difference of two (nested) sequences of numbers.

    Relative where the numbers are larger than 1; infinite where shape or NaN differ.
    """
    import numpy as np

    if isinstance(wanted, list | tuple):
        if len(wanted) != len(found):
            return math.inf
        return max((difference(a, b) for a, b in zip(wanted, found, strict=True)), default=0.0)
    a, b = np.asarray(wanted, float), np.asarray(found, float)
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf
    if not a.size or np.isnan(a).all():
        return 0.0
    return float(np.nanmax(np.abs(a - b) / np.maximum(1.0, np.abs(a))))


# -- showing


def number(value: float) -> str:
    """Return a ratio with three digits or so; a count as it is."""
    if isinstance(value, int):
        return f"{value:,}"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cells(row: Row) -> tuple[str, ...]:
    # It imports NumPy, which reads how many threads it may have: that is set by then.
    from nodeflow.workings.shown import duration

    return (
        row.name,
        row.text or ("" if row.seconds is None else duration(row.seconds)),
        "" if row.ratio is None else number(row.ratio),
        "" if row.least is None else number(row.least),
    )


_HEADS = ("", "time", "ratio", "min")


def table(result: Result) -> str:
    """Return a result as text for a terminal."""
    lines = [_HEADS, *map(_cells, result.rows)]
    wide = [max(len(line[place]) for line in lines) for place in range(len(_HEADS))]
    shown = [f"{result.name}: {result.title}"]
    for line in lines:
        parts = [line[0].ljust(wide[0])]
        parts += [part.rjust(width) for part, width in zip(line[1:], wide[1:], strict=True)]
        shown.append("  " + "  ".join(parts).rstrip())
    shown += [f"  {target}" for target in result.targets]
    shown += [f"  ({note})" for note in result.notes]
    shown += [f"  DISAGREE: {sentence}" for sentence in result.disagreements]
    return "\n".join(shown)


def markdown(result: Result) -> str:
    """Return a result as a part of a Markdown document; its targets are in `summary`."""
    lines = [f"### {result.name}", "", f"{result.title}.", ""]
    lines += ["| | time | ratio | least ratio |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in result.rows]
    if result.notes:
        lines += ["", "Notes:", "", *(f"- {note}" for note in result.notes)]
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """Return all targets as a Markdown table: measured, must and reach side by side."""
    lines = ["| part | figure | measured | must | met | reach | met |"]
    lines.append("| --- | --- | ---: | ---: | --- | ---: | --- |")
    for result in results:
        for target in result.targets:
            reach = ("", "")
            if target.reach is not None:
                other = target.reach.found == target.found
                found = "" if other else f"{target.reach.found}: "
                reach = (target.reach.bound, found + _yes(target.reach))
            cells = (result.name, target.text, target.found, target.bound, _yes(target), *reach)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _yes(target: Target) -> str:
    return {True: "yes", False: "**no**", None: "unsteady"}[target.ok]


def engine() -> str:
    """Return a digest of nodeflow's source: figures of a changing engine belong to no version."""
    import nodeflow

    digest = hashlib.sha256()
    for path in sorted(Path(str(nodeflow.__file__)).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def threads() -> str:
    """Return how many threads the contestants may use, as `__main__` has set it."""
    count = os.environ.get("OPENBLAS_NUM_THREADS")
    return "threads not set" if count is None else f"{count} thread{'s' * (count != '1')}"


BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def put(path: Path, text: str) -> None:
    """Put figures between the two marks of a document."""
    before, mark, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"{path.name} needs the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def machine() -> str:
    """Return one line about where the figures come from."""
    versions = []
    for name in ("numpy", "scipy", "numba", "torch"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return (
        f"Python {platform.python_version()}, {', '.join(versions)}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{threads()} for everybody, load {os.getloadavg()[0]:.1f} at the start"
    )
